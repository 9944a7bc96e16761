//! The ledger of what left by hand: content goes out once its row is committed, so that a receipt can count.
//!
//! A row comes before the bytes. A withdrawal that commits first refuses the row; one that commits later counts it.

use store::{Db, Face, LedgerRow, ObjectState, StatementId, StoreError};

use crate::actor::Actor;
use crate::limits;
use crate::query::objects::ObjectError;
use crate::work::{View, Work};

/// Is a row to be written before content is given out?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The same person read the same statement by the same face a short time ago.
    Known,
    /// A reading: it is noted, but a node that can't write still shows what it holds.
    Wanted,
    /// An export, or a reading of RED: without a row nothing is given out.
    Needed,
}

/// Whether giving a statement's content to somebody by a face has to be noted.
///
/// # Errors
/// The statement is about no object, or the database.
pub fn due(view: &View<'_, '_>, statement: StatementId, who: &Actor, face: Face) -> Result<Due, ObjectError> {
    let object = view.db.object(statement)?.ok_or(ObjectError::NotFound)?;
    if face.is_export() || object.tlp == model::Tlp::Red {
        return Ok(Due::Needed);
    }
    Ok(if is_recent(view.db, statement, who, face, view.now)? { Due::Known } else { Due::Wanted })
}

fn is_recent(
    db: &Db<'_>,
    statement: StatementId,
    who: &Actor,
    face: Face,
    now: model::Timestamp,
) -> Result<bool, StoreError> {
    let since = now.plus_seconds(-limits::READING_SECONDS);
    Ok(db.last_given(statement, &who.login, face)?.is_some_and(|last| last >= since))
}

/// Notes that a statement's content is about to be given to somebody.
///
/// # Errors
/// It was taken back meanwhile, so that it is not to be given out; or the database.
pub fn note(work: &mut Work<'_, '_>, statement: StatementId, who: &Actor, face: Face) -> Result<(), ObjectError> {
    let object = work.tx.object(statement)?.ok_or(ObjectError::NotFound)?;
    if object.state != ObjectState::Live {
        return Err(ObjectError::NotFound);
    }
    put(work, statement, &who.login, face)
}

/// The same of what goes to somebody who has no account: a partner without a node.
pub(crate) fn note_for(work: &Work<'_, '_>, statement: StatementId, who: &str, face: Face) -> Result<(), ObjectError> {
    let object = work.tx.object(statement)?.ok_or(ObjectError::NotFound)?;
    if object.state != ObjectState::Live {
        return Err(ObjectError::NotFound);
    }
    put(work, statement, who, face)
}

/// The same of a whole page of an export, or of a list that is pulled again and again. Answers which of the statements
/// may be given out: what was taken back meanwhile is not among them.
///
/// # Errors
/// The database.
pub fn note_all(
    work: &mut Work<'_, '_>,
    statements: &[StatementId],
    who: &str,
    face: Face,
) -> Result<Vec<StatementId>, ObjectError> {
    let mut given = Vec::with_capacity(statements.len());
    for statement in statements {
        let live = work.tx.object(*statement)?.is_some_and(|object| object.state == ObjectState::Live);
        if !live {
            continue;
        }
        // A list holds a statement once, however often it is pulled.
        if face != Face::List || work.tx.last_given(*statement, who, face)?.is_none() {
            put(work, *statement, who, face)?;
        }
        given.push(*statement);
    }
    Ok(given)
}

fn put(work: &Work<'_, '_>, statement: StatementId, who: &str, face: Face) -> Result<(), ObjectError> {
    work.tx.put_ledger(&LedgerRow {
        statement,
        at: work.now,
        who: who.to_owned(),
        face,
        // A file in somebody's hands is called back by nobody; the next pull of a list no longer holds what was withdrawn.
        recallable: face == Face::List,
    })?;
    Ok(())
}
