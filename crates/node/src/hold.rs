//! Legal holds: what the law wants kept is left out of retention and of purges, and an owner who erases it is told so.

use journal::envelope;
use model::{EntryRef, Timestamp};
use store::{Db, HoldId, HoldKind, HoldOn, HoldRow, ObjectState, StatementId, StoreError};

use crate::actor::Actor;
use crate::me::Me;
use crate::receive::{self, ReceiveError};
use crate::subject::{self, Subject};
use crate::work::Work;

/// Why a legal hold was not laid or released.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing here has that name.
    #[error("nothing here is named `{0}`: look with `show`, or at the list of intake")]
    Unknown(String),
    /// Only a statement has a thread.
    #[error("`{0}` has no thread: name a statement, such as FR:1234")]
    Thread(String),
    /// No reason, or one that is too long.
    #[error("a legal hold needs its reason, of at most 4,000 bytes")]
    Reason,
    /// No such hold, or it is released.
    #[error("no legal hold {0} lies here: list them")]
    NotHeld(HoldId),
    /// An owner could not be answered.
    #[error("an owner could not be told that its statement is erased now: {0}")]
    Answer(String),
}

/// Lays a legal hold on a statement, its thread, an object or something in intake.
///
/// # Errors
/// Nothing has that name, or the reason is missing.
pub fn add(
    work: &mut Work<'_, '_>,
    on: &Subject,
    thread: bool,
    reason: &str,
    until: Option<Timestamp>,
    by: &Actor,
) -> Result<HoldId, HoldError> {
    if reason.trim().is_empty() || reason.len() > model::limits::TEXT_BYTES {
        return Err(HoldError::Reason);
    }
    let unknown = || HoldError::Unknown(on.to_string());
    let key = match on {
        Subject::Entry(entry) => {
            let row = subject::statement(work.tx, work.me, *entry)?.ok_or_else(unknown)?;
            if thread {
                let envelope = envelope::decode(&row.envelope).map_err(|_| HoldError::Thread(on.to_string()))?;
                HoldOn::Thread(envelope.thread)
            } else {
                HoldOn::Statement(row.id)
            }
        }
        Subject::Object(_) | Subject::Intake(_) if thread => return Err(HoldError::Thread(on.to_string())),
        Subject::Object(id) => {
            if work.tx.objects_by_id(id)?.is_empty() && work.tx.intake_known(id)?.is_empty() {
                return Err(unknown());
            }
            HoldOn::Object(id.clone())
        }
        Subject::Intake(id) => HoldOn::Intake(work.tx.intake(*id)?.ok_or_else(unknown)?.id),
    };
    Ok(work.tx.put_hold(&key, work.now, &by.login, reason, until)?)
}

/// Releases a legal hold. What owners wanted erased meanwhile, and no other hold lies on, is erased now, and its owners
/// are told. Says how many statements that were.
///
/// # Errors
/// No such hold.
pub fn release(work: &mut Work<'_, '_>, id: HoldId, by: &Actor) -> Result<usize, HoldError> {
    if !work.tx.release_hold(id, work.now, &by.login)? {
        return Err(HoldError::NotHeld(id));
    }
    let mut erased = 0;
    for statement in work.tx.unerased()? {
        if work.tx.hold_on_statement(statement)?.is_none() {
            erase(work, statement)?;
            erased += 1;
        }
    }
    Ok(erased)
}

fn erase(work: &mut Work<'_, '_>, statement: StatementId) -> Result<(), HoldError> {
    work.tx.erase_body(statement)?;
    work.tx.object_state(statement, ObjectState::Erased)?;
    work.note_purge();
    let Some(row) = work.tx.statement(statement)? else { return Ok(()) };
    if row.log == work.me.log {
        return Ok(());
    }
    receive::answer(work, row.log, row.index).map_err(|error| match error {
        ReceiveError::Store(error) => error.into(),
        other @ (ReceiveError::Audience(_)
        | ReceiveError::Moved
        | ReceiveError::NotActive
        | ReceiveError::Quota
        | ReceiveError::SlotConflict { .. }) => HoldError::Answer(other.to_string()),
    })
}

/// A legal hold with what it lies on, as people name it.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its row.
    pub row: HoldRow,
    /// `FR:12`, a STIX id, a thread, or `intake:7`.
    pub on: String,
    /// Is the time at which it was expected to end over?
    pub is_due: bool,
}

/// Legal holds, newest first, as they stand at a time.
///
/// # Errors
/// The database.
pub fn list(db: &Db<'_>, me: &Me, now: Timestamp, released_too: bool, limit: usize) -> Result<Vec<Held>, StoreError> {
    let mut all = Vec::new();
    for row in db.holds(released_too, limit)? {
        let is_due = row.released.is_none() && row.until.is_some_and(|until| until <= now);
        all.push(Held { on: on(db, me, &row)?, is_due, row });
    }
    Ok(all)
}

fn on(db: &Db<'_>, me: &Me, row: &HoldRow) -> Result<String, StoreError> {
    Ok(match row.kind {
        HoldKind::Object => row.key.clone(),
        HoldKind::Thread => format!("thread {}", row.key),
        HoldKind::Intake => format!("intake:{}", row.key),
        HoldKind::Statement => match db.statement(StatementId(row.key.parse().unwrap_or_default()))? {
            Some(statement) if statement.log == me.log => EntryRef::of(&me.origin, statement.index).to_string(),
            Some(statement) => subject::name(db, &statement)?.to_string(),
            None => format!("statement {}", row.key),
        },
    })
}
