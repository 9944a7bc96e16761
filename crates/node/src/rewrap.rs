//! Another wrapping key: the keys of bodies are wrapped anew, a bounded number at a time, while the node goes on. Once
//! it is done, a copy of the key of before opens nothing that is kept from then on.

use store::{StatementId, StoreError};

use crate::limits;
use crate::ports::random_bytes;
use crate::work::Work;
use crate::writer::{Node, WriteError};

/// Where a step has come, and what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The last statement that was looked at; `None` when none is left.
    pub after: Option<StatementId>,
    /// Keys that were wrapped anew.
    pub rewrapped: u64,
}

/// Wraps anew what the key of before has wrapped, among the next [`limits::REWRAP_STEP`] bodies.
///
/// # Errors
/// The database, or a key that neither opens.
pub fn step(work: &mut Work<'_, '_>, after: StatementId) -> Result<Step, StoreError> {
    let key = work.signer.wrapping_key();
    let rows = work.tx.wrapped_after(after, limits::REWRAP_STEP)?;
    let mut done = Step { after: rows.last().map(|row| row.statement), rewrapped: 0 };
    for row in rows {
        let broken = |why: &dyn std::fmt::Display| StoreError::Corrupt {
            what: format!("the key of the body at {} of log {}: {why}", row.index, row.log),
        };
        let place = work.tx.commitment(row.log, row.index)?.ok_or_else(|| broken(&"it is beyond its log"))?;
        let anew = key.rewrap(&row.wrapped, random_bytes(work.random), &place).map_err(|error| broken(&error))?;
        if let Some(wrapped) = anew {
            work.tx.set_wrapped(row.statement, &wrapped)?;
            done.rewrapped += 1;
        }
    }
    if done.rewrapped > 0 {
        // What the old key had wrapped still stands in the write-ahead file.
        work.note_purge();
    }
    Ok(done)
}

/// Wraps everything anew. Bodies that come meanwhile are wrapped with the new key already.
///
/// # Errors
/// As [`step`], or the node is busy or has stopped.
pub async fn all(node: &Node) -> Result<u64, WriteError<StoreError>> {
    let (mut after, mut rewrapped) = (StatementId(0), 0);
    loop {
        let done = node.write_quietly(move |work| step(work, after)).await?;
        rewrapped += done.rewrapped;
        match done.after {
            Some(last) => after = last,
            None => return Ok(rewrapped),
        }
    }
}
