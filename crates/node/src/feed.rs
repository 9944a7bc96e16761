//! The releases feed: what one partner may see, page by page, each statement through the gate again.

use journal::cursor::{self, FeedCursor};
use journal::wire::{FeedItem, FeedPage, FeedRequest, ReleaseKind};
use model::Lane;
use policy::{Facts, Governed, PolicyVersion, Purpose, Viewer};
use store::{LogId, PartnerRow, PartnerState, ReleaseRow, ReleaseSeq, StatementRow, StoreError};

use crate::body;
use crate::limits;
use crate::standing::{Silent, Standing};
use crate::successor;
use crate::work::View;

/// Why a page was not made.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No active partner.
    #[error("not found")]
    Stranger,
    /// A cursor of someone else, of another epoch, or made up.
    #[error("the cursor is not one that this node gave: start again without one")]
    Cursor,
    /// This node does not speak, and has nothing signed that reaches so far.
    #[error(transparent)]
    Silent(Silent),
    /// The partner claims to hold more of our log than we have signed.
    #[error("this node has signed {signed} entries, and was asked to go on after {have}")]
    Ahead {
        /// What we have signed.
        signed: u64,
        /// What the partner says it holds.
        have: u64,
    },
}

/// A page, and whether it brings the caller anything.
#[derive(Debug)]
pub struct Answer {
    /// The page.
    pub page: FeedPage,
    /// Up to which release the page reaches, per lane: kept as "how far they have read us" when they ask again.
    pub reached: [ReleaseSeq; 2],
    /// Where the caller said that it was.
    pub asked: [ReleaseSeq; 2],
    /// Entries of our log that enough witnesses have cosigned.
    pub witnessed: u64,
    /// Places of chains that we are to show this partner, because it said that something else stands there.
    pub disputed: usize,
}

impl Answer {
    /// Does the page open or take back anything?
    #[must_use]
    pub fn has_items(&self) -> bool {
        !self.page.items.is_empty() || self.page.more
    }
    /// Is there nothing new at all, not even a commitment?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.has_items() && self.page.commitments.is_empty()
    }
}

/// Who asks: an active partner, by the key of its certificate.
///
/// # Errors
/// Nobody, or one that is held back or cut: strangers and cut partners get the same answer.
pub fn caller(view: &View<'_, '_>, pin: &[u8; 32]) -> Result<PartnerRow, FeedError> {
    match view.db.partner_by_pin(pin)? {
        Some(partner) if matches!(partner.state, PartnerState::Active | PartnerState::Held) => Ok(partner),
        Some(_) | None => Err(FeedError::Stranger),
    }
}

/// Makes one page for a partner: commitments since its size, then openings of both lanes, workflow first.
///
/// # Errors
/// See [`FeedError`].
pub fn page(view: &View<'_, '_>, partner: &PartnerRow, request: &FeedRequest) -> Result<Answer, FeedError> {
    let signed = view.signed.size;
    // An older checkpoint than the partner has verified would look like a lie.
    if (request.have > signed || view.signed.text.is_empty())
        && let Some(silent) = view.signed.standing.silence()
    {
        return Err(FeedError::Silent(silent));
    }
    let asked = [
        opened(view, partner, Lane::Workflow, request.workflow.as_deref())?,
        opened(view, partner, Lane::Intelligence, request.intelligence.as_deref())?,
    ];
    if request.have > signed {
        return Err(FeedError::Ahead { signed, have: request.have });
    }
    let wanted = usize::try_from(signed - request.have).unwrap_or(usize::MAX).min(limits::FEED_COMMITMENTS);
    let commitments = view.db.commitments(view.me.log, request.have, wanted)?;
    let complete = request.have + commitments.len() as u64 == signed;
    let mut filling = Filling { view, partner, items: Vec::new(), bytes: 0, more: !complete };
    let mut reached = asked;
    // Openings are checked against commitments: they come only with a page that reaches the checkpoint.
    // While the log is fetched back, what was taken back since is not known: nothing is opened.
    if complete && !matches!(view.signed.standing, Standing::Recovering { .. }) {
        for (lane, at) in Lane::ALL.into_iter().zip(reached.iter_mut()) {
            *at = filling.lane(lane, *at)?;
        }
    }
    let seal = |lane, seq: ReleaseSeq| {
        cursor::seal(
            &view.signer.cursor_key(),
            &FeedCursor { epoch: view.me.origin.epoch(), seq: seq.0 },
            &partner.origin,
            lane,
        )
    };
    let page = FeedPage {
        checkpoint: view.signed.text.clone(),
        start: request.have,
        commitments,
        items: filling.items,
        workflow_cursor: seal(Lane::Workflow, reached[0]),
        intelligence_cursor: seal(Lane::Intelligence, reached[1]),
        more: filling.more,
        notes: Vec::new(),
    };
    let witnessed = view.db.witnessed(view.me.log)?.map_or(0, |row| row.size);
    let disputed = view.db.disputed_with(partner.log, limits::DISPUTES)?.len();
    Ok(Answer { page, reached, asked, witnessed, disputed })
}

fn opened(view: &View<'_, '_>, partner: &PartnerRow, lane: Lane, text: Option<&str>) -> Result<ReleaseSeq, FeedError> {
    let Some(text) = text else { return Ok(successor::first_release(view)?) };
    let found = cursor::open(&view.signer.cursor_key(), text, &partner.origin, lane).map_err(|_| FeedError::Cursor)?;
    if found.epoch == view.me.origin.epoch() { Ok(ReleaseSeq(found.seq)) } else { Err(FeedError::Cursor) }
}

struct Filling<'v, 't, 'c> {
    view: &'v View<'t, 'c>,
    partner: &'v PartnerRow,
    items: Vec<FeedItem>,
    bytes: usize,
    more: bool,
}

impl Filling<'_, '_, '_> {
    /// Fills the page from one lane, and says how far it came.
    fn lane(&mut self, lane: Lane, after: ReleaseSeq) -> Result<ReleaseSeq, FeedError> {
        let room = limits::FEED_ITEMS.saturating_sub(self.items.len());
        let rows = self.view.db.feed(self.partner.log, lane, after, room + 1)?;
        let mut reached = after;
        for row in rows {
            if self.items.len() >= limits::FEED_ITEMS || self.bytes >= limits::FEED_BYTES {
                self.more = true;
                break;
            }
            let statement = self.view.db.statement(row.statement)?.ok_or_else(|| StoreError::Corrupt {
                what: format!("release {} names a statement that is not there", row.seq.0),
            })?;
            if statement.log != self.view.me.log {
                // Of the log before, which is served no more.
                reached = row.seq;
                continue;
            }
            if statement.index.0 >= self.view.signed.size {
                // Committed, and signed in a moment: the next page has it.
                break;
            }
            if let Some(item) = self.item(&row, &statement)? {
                self.bytes += item.opening.as_ref().and_then(|o| o.body.as_ref()).map_or(200, |b| b.bytes.len() + 200);
                self.items.push(item);
            }
            reached = row.seq;
        }
        Ok(reached)
    }

    /// One item, through the gate. What is denied now leaves no trace, but for a withdrawal to whoever had it.
    fn item(&self, row: &ReleaseRow, statement: &StatementRow) -> Result<Option<FeedItem>, FeedError> {
        let kind = ReleaseKind::from_code(row.kind)
            .ok_or_else(|| StoreError::Corrupt { what: format!("release {} has an unknown kind", row.seq.0) })?;
        if kind == ReleaseKind::Withdraw {
            return Ok(Some(FeedItem { lane: row.lane, kind, index: statement.index, opening: None }));
        }
        let outgoing = Outgoing { facts: facts(self.view, row, statement)?, statement };
        let viewer = Viewer::Partner { origin: self.partner.origin.clone(), class: self.partner.class };
        let withdrawn = outgoing.facts.withdrawn;
        let released = policy::release(outgoing, &viewer, Purpose::Feed, &PolicyVersion::CURRENT);
        let opening = match released {
            Ok(released) => body::opening(self.view.db, self.view.signer, released.as_ref().statement, true)?,
            // A withdrawn one leaves its envelope, so that the chain of the audience stays whole.
            Err(_) if withdrawn => body::opening(self.view.db, self.view.signer, statement, false)?,
            Err(_) => return Ok(None),
        };
        Ok(Some(FeedItem { lane: row.lane, kind, index: statement.index, opening: Some(opening) }))
    }
}

/// A statement on its way to a partner.
struct Outgoing<'a> {
    facts: Facts,
    statement: &'a StatementRow,
}

impl Governed for Outgoing<'_> {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

fn facts(view: &View<'_, '_>, row: &ReleaseRow, statement: &StatementRow) -> Result<Facts, FeedError> {
    let envelope = journal::envelope::decode(&statement.envelope)
        .map_err(|error| StoreError::Corrupt { what: format!("own envelope at {}: {error}", statement.index) })?;
    let members = view.db.set_members(row.set)?;
    let withdrawn = view.db.withdrawal_of(statement.id)?.is_some();
    Ok(crate::query::facts_of(view, statement.log, &envelope, members, withdrawn)?)
}

/// How many releases a partner has not yet fetched, capped: the lag that the owner sees.
///
/// # Errors
/// The database.
pub fn behind(view: &View<'_, '_>, partner: LogId) -> Result<u64, StoreError> {
    let mut count = 0;
    let served = view.db.served(partner)?;
    for lane in Lane::ALL {
        let at = match (&served, lane) {
            (Some(served), Lane::Workflow) => served.workflow,
            (Some(served), Lane::Intelligence) => served.intelligence,
            (None, _) => ReleaseSeq(0),
        };
        count += view.db.feed_behind(partner, lane, at)?;
    }
    Ok(count)
}
