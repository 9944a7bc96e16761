//! Everything that this node holds of one matter: from any statement of it to the request, and from there to all answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::assist::{Heard, Word};
use domain::said::Said;
use model::{Citation, Index};
use store::{Db, LogId, ObjectRow, StatementId, StoreError};

use crate::body;
use crate::limits;
use crate::ports::Signer;

/// The statements of the case to which a place belongs, in order of arrival, each with its row.
/// What was erased, or can't be read by this version, is not among them.
///
/// # Errors
/// The database.
pub fn heard(
    db: &Db<'_>,
    signer: &dyn Signer,
    log: LogId,
    index: Index,
) -> Result<Vec<(ObjectRow, Heard)>, StoreError> {
    let Some(root) = root(db, signer, log, index)? else { return Ok(Vec::new()) };
    let mut found: BTreeMap<StatementId, (ObjectRow, Heard)> = BTreeMap::new();
    let mut ahead = VecDeque::new();
    for row in db.objects_by_id(&root.stix_id)?.into_iter().filter(|row| row.log == root.log) {
        ahead.push_back(row);
    }
    let mut seen: BTreeSet<StatementId> = ahead.iter().map(|row| row.statement).collect();
    while let Some(row) = ahead.pop_front() {
        for statement in db.citing(row.log, row.index, limits::CASE_STATEMENTS)? {
            if seen.len() < limits::CASE_STATEMENTS
                && seen.insert(statement)
                && let Some(answer) = db.object(statement)?
            {
                ahead.push_back(answer);
            }
        }
        if let Some(word) = word(db, signer, &row)? {
            let place = Citation { origin: db.origin(row.log)?, index: row.index, commitment: row.commitment };
            found.insert(row.statement, (row, Heard { place, word }));
        }
    }
    Ok(found.into_values().collect())
}

/// Goes from an answer to what it answers until it comes to a request.
fn root(db: &Db<'_>, signer: &dyn Signer, log: LogId, index: Index) -> Result<Option<ObjectRow>, StoreError> {
    let mut place = (log, index);
    // An answer to an answer to an answer to an offer to a request: more is no case of ours.
    for _ in 0..limits::CASE_DEPTH {
        let Some(statement) = db.statement_at(place.0, place.1)? else { return Ok(None) };
        let Some(row) = db.object(statement.id)? else { return Ok(None) };
        let Some(word) = word(db, signer, &row)? else { return Ok(None) };
        let Some(answers) = word.answers() else { return Ok(Some(row)) };
        match db.log_id(&answers.origin)? {
            Some(log) => place = (log, answers.index),
            None => return Ok(None),
        }
    }
    Ok(None)
}

pub(super) fn word(db: &Db<'_>, signer: &dyn Signer, row: &ObjectRow) -> Result<Option<Word>, StoreError> {
    let kind = row.stix_id.type_name();
    if !domain::assist::case::TYPES.contains(&kind) && !domain::assist::room::TYPES.contains(&kind) {
        return Ok(None);
    }
    let Some(bytes) = body::open(db, signer, row.statement)? else { return Ok(None) };
    match Said::read(row.media, &bytes) {
        Ok(Said::Assist(_, word)) => Ok(Some(*word)),
        Ok(
            Said::Object(_)
            | Said::Audience(..)
            | Said::Withdrawal(..)
            | Said::Receipt(..)
            | Said::Lost(..)
            | Said::Pointer(..)
            | Said::Capacity(..)
            | Said::Card(..)
            | Said::Dossier(..),
        )
        | Err(_) => Ok(None),
    }
}
