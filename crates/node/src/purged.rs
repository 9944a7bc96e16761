//! What was erased stays erased: the purge list is told of every erasure, and applied to a database that is older.

use journal::purge::Purged;
use model::{Index, Timestamp};
use store::{LogId, ObjectState, StoreError, Tx, Writer};

use crate::engine::OpenError;
use crate::limits;
use crate::ports::PurgeList;

/// Tells the list what was erased since it was last told. Called once the erasure is durable and before whoever asked for
/// it is answered; what a crash in between leaves is told at the next start.
///
/// # Errors
/// The database or the list.
pub(crate) fn tell(writer: &mut Writer, list: &dyn PurgeList, now: Timestamp) -> Result<bool, OpenError> {
    let mut told = false;
    loop {
        let mut batch = writer.begin()?;
        let done: Result<bool, OpenError> = batch.savepoint(|tx| {
            let places = tx.unlisted(limits::PURGES_STEP)?;
            let mut purged = Vec::with_capacity(places.len());
            for (log, index) in &places {
                // A statement stands in a tree that covers it; `verify` names one that does not.
                if let Some(commitment) = tx.commitment(*log, *index)? {
                    purged.push(Purged { at: now, origin: tx.origin(*log)?, index: *index, commitment });
                }
                tx.put_listed(*log, *index)?;
            }
            if !purged.is_empty() {
                list.add(&purged)?;
            }
            Ok(!places.is_empty())
        });
        // The list is ahead of this commit. If the commit fails, the same lines are told again.
        let more = done?;
        batch.commit()?;
        if !more {
            return Ok(told);
        }
        told = true;
    }
}

/// Erases what stands on the list and is still, or again, in the database, and says how much that was. What is on the
/// list is not taken again from partners either.
///
/// # Errors
/// The database.
pub(crate) fn apply(tx: &Tx<'_>, list: &[Purged]) -> Result<u64, StoreError> {
    let mut erased = 0;
    for purged in list {
        let log = tx.ensure_log(&purged.origin)?;
        if let Some(row) = tx.statement_at(log, purged.index)? {
            if tx.commitment(log, purged.index)? != Some(purged.commitment) {
                // Another statement stands there than the one that was purged: that is for `verify` to tell.
                continue;
            }
            if row.sealed.is_some() {
                tx.erase_body(row.id)?;
                tx.object_state(row.id, ObjectState::Erased)?;
                erased += 1;
            }
        }
        tx.put_listed(log, purged.index)?;
    }
    Ok(erased)
}

/// Places that were erased and told to the list, and that it does not have any more: it was cut, or another one was put in
/// its place.
///
/// # Errors
/// The database.
pub fn forgotten(db: &store::Db<'_>, list: &[Purged]) -> Result<Vec<(LogId, Index)>, StoreError> {
    let mut known = std::collections::BTreeSet::new();
    for purged in list {
        known.extend(db.log_id(&purged.origin)?.map(|log| (log, purged.index)));
    }
    let (mut forgotten, mut after) = (Vec::new(), None);
    loop {
        let step = db.listed(after, limits::PURGES_STEP)?;
        let Some(last) = step.last() else { return Ok(forgotten) };
        after = Some(*last);
        forgotten.extend(step.into_iter().filter(|place| !known.contains(place)));
    }
}

/// What stands on the list and has a body all the same, in words; empty is good.
///
/// # Errors
/// The database.
pub fn remaining(db: &store::Db<'_>, list: &[Purged]) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    for purged in list {
        let Some(log) = db.log_id(&purged.origin)? else { continue };
        let held = db.statement_at(log, purged.index)?.is_some_and(|row| row.sealed.is_some());
        if held && db.commitment(log, purged.index)? == Some(purged.commitment) {
            faults.push(format!(
                "{}, entry {}: its body was purged on {} and is here again: restart the node, which erases it",
                purged.origin, purged.index, purged.at
            ));
        }
    }
    Ok(faults)
}
