//! Rebuild: drop the views and fold truth again, in the order of arrival, to the same logical rows.

use domain::said::Said;
use journal::envelope;
use store::{Fate, LogId, StatementId, StatementRow, StoreError};

use crate::body;
use crate::fold::{self, Arrived, FoldError};
use crate::limits;
use crate::successor;
use crate::work::Work;

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// Statements that were folded.
    pub folded: u64,
    /// Of those kept raw before, how many this version reads.
    pub now_fit: u64,
    /// Statements that stay raw.
    pub unfit: u64,
}

/// Drops every view and folds all statements again, in one transaction.
///
/// # Errors
/// The database; nothing is changed then.
pub fn rebuild(work: &mut Work<'_, '_>) -> Result<Rebuilt, StoreError> {
    work.tx.drop_views()?;
    let mut done = Rebuilt::default();
    let mut after = StatementId(0);
    loop {
        let rows = work.tx.statements_after(after, limits::REBUILD_STEP)?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in &rows {
            again(work, row, &mut done)?;
        }
    }
    // Content-free rows that took something back are truth of their own: they are not in any statement.
    for row in work.tx.obeyed()? {
        fold::fold_withdraw_row(work.tx, row.log, row.index)?;
    }
    Ok(done)
}

/// Folds the statements of a log that are kept raw again: what they cite may have come meanwhile. After a recovery our
/// own receipts come before what they are about, and partners' before what of ours they are about.
///
/// # Errors
/// The database.
pub(crate) fn fold_unfit(work: &mut Work<'_, '_>, log: LogId) -> Result<(), StoreError> {
    let mut done = Rebuilt::default();
    let mut after = StatementId(0);
    loop {
        let rows = work.tx.unfit_after(log, after, limits::REBUILD_STEP)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        for row in &rows {
            again(work, row, &mut done)?;
        }
    }
}

fn again(work: &mut Work<'_, '_>, row: &StatementRow, done: &mut Rebuilt) -> Result<(), StoreError> {
    done.folded += 1;
    let was_unfit = row.fate != Fate::Fit;
    let outcome = fold_row(work, row)?;
    match outcome {
        Ok(()) if was_unfit => {
            work.tx.set_fate(row.id, &Fate::Fit)?;
            done.now_fit += 1;
        }
        Ok(()) => {}
        Err(reason) => {
            if !was_unfit {
                work.tx.set_fate(row.id, &Fate::Unfit { reason })?;
            }
            done.unfit += 1;
        }
    }
    Ok(())
}

fn fold_row(work: &mut Work<'_, '_>, row: &StatementRow) -> Result<Result<(), String>, StoreError> {
    let envelope = match envelope::decode(&row.envelope) {
        Ok(envelope) => envelope,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let commitment = work
        .tx
        .commitment(row.log, row.index)?
        .ok_or_else(|| StoreError::Corrupt { what: format!("statement {} is beyond its log", row.index) })?;
    let set = if successor::is_own(work.tx, work.me, row.log)? { own_set(work, row.id)? } else { None };
    let body = body::open_row(work.tx, work.signer, row)?;
    // Of what was purged by command a statement about sharing has left what the fold needs, without its words.
    let remains = if body.is_none() { work.tx.remains(row.id)? } else { None };
    let arrived = Arrived {
        statement: row.id,
        log: row.log,
        index: row.index,
        commitment,
        envelope: &envelope,
        set,
        purged: remains.is_some(),
    };
    let said = match body.or(remains) {
        None => None,
        Some(bytes) => match Said::read(envelope.media, &bytes) {
            Ok(said) => Some(said),
            Err(error) => return Ok(outcome(fold::put_slot(work.tx, &arrived))?.and(Err(error.to_string()))),
        },
    };
    outcome(fold::fold(work.tx, work.me, &arrived, said.as_ref()))
}

/// A database that fails ends the rebuild; a statement that does not fold stays raw.
fn outcome(folded: Result<(), FoldError>) -> Result<Result<(), String>, StoreError> {
    match folded {
        Ok(()) => Ok(Ok(())),
        Err(FoldError::Store(error)) => Err(error),
        Err(FoldError::Unfit(reason)) => Ok(Err(reason)),
        Err(FoldError::SlotConflict { .. }) => Ok(Err("two statements stand in one slot of an audience".to_owned())),
    }
}

/// The set to which an own statement was first opened.
fn own_set(work: &Work<'_, '_>, statement: StatementId) -> Result<Option<store::SetId>, StoreError> {
    let open = journal::wire::ReleaseKind::Open.code();
    Ok(work.tx.released_sets(statement)?.into_iter().find(|(kind, _)| *kind == open).map(|(_, set)| set))
}
