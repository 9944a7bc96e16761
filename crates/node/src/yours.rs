//! A partner's own log, as we hold it, given back to that partner alone: it lost the end of its log with a disk, and
//! nobody but those to whom it spoke can tell it what it said (architecture §3, "Going back in time").
//!
//! A query without a place is answered with the newest checkpoint and commitments; one with two places, written as the
//! cursors of the feed, with the openings between them that were opened to us.

use journal::wire::{FeedItem, FeedPage, FeedRequest, MAX_NOTE_BYTES, ReleaseKind};
use model::{Lane, Opening};
use store::{PartnerRow, StatementRow, StoreError};

use crate::body;
use crate::feed::FeedError;
use crate::limits;
use crate::work::View;

/// Makes one page of the caller's own log. Without a checkpoint, nothing of it has reached this node.
///
/// # Errors
/// The database, or places that are no numbers.
pub fn page(view: &View<'_, '_>, partner: &PartnerRow, request: &FeedRequest) -> Result<FeedPage, FeedError> {
    let log = partner.log;
    let tree = view.db.tree(log)?;
    let mut page = FeedPage {
        checkpoint: tree.checkpoint.unwrap_or_default(),
        start: request.have,
        commitments: Vec::new(),
        items: Vec::new(),
        workflow_cursor: String::new(),
        intelligence_cursor: String::new(),
        more: false,
        notes: Vec::new(),
    };
    if let (Some(from), Some(until)) = (&request.workflow, &request.intelligence) {
        let place = |text: &str| text.parse::<u64>().map_err(|_| FeedError::Cursor);
        fill(view, partner, place(from)?, place(until)?, &mut page)?;
        return Ok(page);
    }
    let missing = usize::try_from(tree.size.saturating_sub(request.have)).unwrap_or(usize::MAX);
    page.commitments = view.db.commitments(log, request.have, missing.min(limits::FEED_COMMITMENTS))?;
    page.more = page.commitments.len() < missing;
    // What was cosigned, or heard from others, may reach further than what came here.
    let cosigned = view.db.cosigned(log)?.map(|row| (row.size, row.note));
    let heard = view.db.heard(log)?.map(|row| (row.size, row.note));
    for (size, note) in cosigned.into_iter().chain(heard) {
        if size > tree.size && note.len() <= MAX_NOTE_BYTES {
            page.notes.push(note);
        }
    }
    Ok(page)
}

fn fill(
    view: &View<'_, '_>,
    partner: &PartnerRow,
    from: u64,
    until: u64,
    page: &mut FeedPage,
) -> Result<(), FeedError> {
    let rows = view.db.log_between(partner.log, from, until, limits::FEED_ITEMS + 1)?;
    let mut bytes = 0;
    for row in rows {
        if page.items.len() >= limits::FEED_ITEMS || bytes >= limits::FEED_BYTES {
            page.more = true;
            page.workflow_cursor = row.index.0.to_string();
            break;
        }
        let Some(opening) = opening(view, partner, &row)? else { continue };
        bytes += opening.body.as_ref().map_or(200, |body| body.bytes.len() + 200);
        let lane = journal::envelope::decode(&row.envelope).map_or(Lane::Workflow, |envelope| envelope.lane);
        page.items.push(FeedItem { lane, kind: ReleaseKind::Open, index: row.index, opening: Some(opening) });
    }
    Ok(())
}

/// One opening through the gate. One that this disk has damaged is left out: others may have it whole.
fn opening(view: &View<'_, '_>, partner: &PartnerRow, row: &StatementRow) -> Result<Option<Opening>, FeedError> {
    let owner = view.db.origin(row.log)?;
    let Ok(released) = policy::give_back(row, &owner, &partner.origin) else { return Ok(None) };
    match body::opening(view.db, view.signer, released.as_ref(), true) {
        Ok(opening) => Ok(Some(opening)),
        Err(StoreError::Corrupt { what }) => {
            tracing::error!(%what, "a statement could not be given back to its owner");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
