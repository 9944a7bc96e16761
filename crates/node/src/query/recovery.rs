//! How our own log stands: what was signed, what is here, what each partner holds, what is lost.

use model::Origin;
use model::extension::LostRange;
use store::StoreError;

use crate::recovery::decide::{self, Proposal};
use crate::recovery::{self, Answer};
use crate::standing::Standing;
use crate::work::View;
use crate::writer::Node;

/// One partner's part in it.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Who.
    pub origin: Origin,
    /// What it answered; `None` before it was asked in this run.
    pub answer: Option<Answer>,
}

/// How our own log stands.
#[derive(Debug, Clone)]
pub struct RecoveryStatus {
    /// Does it speak?
    pub standing: Standing,
    /// Entries that the signer signed last; `None` if that is not known, or nothing was signed.
    pub mark: Option<u64>,
    /// Is what was signed last not known?
    pub unknown: bool,
    /// Entries in the database.
    pub size: u64,
    /// Partner by partner.
    pub holders: Vec<Holder>,
    /// What we said is lost, and still is not here.
    pub lost: Vec<LostRange>,
    /// What one person has proposed.
    pub proposal: Option<Proposal>,
}

/// How our own log stands.
///
/// # Errors
/// The database.
pub async fn recovery(node: &Node) -> Result<RecoveryStatus, StoreError> {
    let (mut status, logs) = node.read(read).await?;
    for (holder, log) in status.holders.iter_mut().zip(logs) {
        holder.answer = node.recovery().of(log);
    }
    Ok(status)
}

fn read(view: &View<'_, '_>) -> Result<(RecoveryStatus, Vec<store::LogId>), StoreError> {
    let partners = recovery::holders(view)?;
    let logs = partners.iter().map(|row| row.log).collect();
    let status = RecoveryStatus {
        standing: view.signed.standing.clone(),
        mark: view.signer.mark().map(|mark| mark.size),
        unknown: view.signer.is_unknown(),
        size: view.db.tree(view.me.log)?.size,
        holders: partners.into_iter().map(|row| Holder { origin: row.origin, answer: None }).collect(),
        lost: still_lost(view)?,
        proposal: decide::proposal(view)?,
    };
    Ok((status, logs))
}

/// The places that we said are lost and whose statement has not come back since, as ranges.
fn still_lost(view: &View<'_, '_>) -> Result<Vec<LostRange>, StoreError> {
    let mut lost = Vec::new();
    for range in view.db.lost(view.me.log)? {
        let end = range.first.saturating_add(range.count);
        let found = view.db.log_between(view.me.log, range.first, end, crate::limits::FEED_ITEMS)?;
        let mut next = range.first;
        for row in found {
            if next < row.index.0 {
                lost.push(LostRange { first: next, count: row.index.0 - next });
            }
            next = row.index.0 + 1;
        }
        if next < end {
            lost.push(LostRange { first: next, count: end - next });
        }
    }
    Ok(lost)
}
