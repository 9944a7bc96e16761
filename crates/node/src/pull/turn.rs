//! One turn of a pull as steps that do not wait: where to ask, what the answer is worth, what became of it.
//!
//! The task of a partner drives them (`pull`), and the simulator, on one thread.

use journal::sync::{Evidence, Outcome, Replica, Step};
use journal::verified::Verified;
use journal::wire::{self, FeedPage};
use model::{Lane, Origin};
use store::{LogId, PartnerState, StoreError};

use crate::identities;
use crate::limits;
use crate::ports::PartnerAddress;
use crate::receive::ReceiveError;
use crate::work::View;
use crate::writer::WriteError;

/// Where to ask, and from where on.
#[derive(Debug, Clone)]
pub struct Start {
    /// What we have verified of the partner's log.
    pub replica: Replica,
    /// The version of its identity that names those keys.
    pub version: u64,
    /// Its node.
    pub address: PartnerAddress,
    /// Where we stand in its workflow lane, as it told us.
    pub workflow: Option<String>,
    /// Where we stand in its intelligence lane, as it told us.
    pub intelligence: Option<String>,
}

impl Start {
    /// The query of the request.
    #[must_use]
    pub fn query(&self) -> String {
        let (workflow, intelligence) = (self.workflow.clone(), self.intelligence.clone());
        self.replica.request(workflow, intelligence, limits::POLL_SECONDS).to_query()
    }
}

/// Where to ask a partner and from where on; `None` when it is no longer active.
/// `kept` is the replica of the turn before, which saves reading the tree again.
///
/// # Errors
/// The database.
pub fn start(
    view: &View<'_, '_>,
    log: LogId,
    origin: &Origin,
    kept: Option<Replica>,
) -> Result<Option<Start>, StoreError> {
    let Some(partner) = view.db.partner(log)?.filter(|row| row.state == PartnerState::Active) else {
        return Ok(None);
    };
    // A partner may have another key since the turn before.
    let keys = identities::log_keys(view.db, &partner)?;
    let replica = match kept {
        Some(replica) => Replica { keys, ..replica },
        None => Replica::with_keys(origin.clone(), keys, view.db.tree(log)?.frontier),
    };
    Ok(Some(Start {
        replica,
        version: partner.identity_version,
        address: PartnerAddress { address: partner.address, pins: partner.pins },
        workflow: partner.workflow_cursor,
        intelligence: partner.intelligence_cursor,
    }))
}

/// What an answer is worth.
#[derive(Debug)]
pub enum Checked {
    /// A step that `receive` may take.
    Step(Box<Verified<Step>>),
    /// What no honest log does: the partner is to be held.
    Hold(Box<Evidence>),
    /// Nothing, and it accuses nobody: ask again later.
    Failed(String),
}

/// Reads an answer as it came over the line.
///
/// # Errors
/// Why it is no page, in words.
pub fn read(bytes: &[u8]) -> Result<FeedPage, String> {
    wire::decompress(bytes, wire::MAX_PAGE_BYTES)
        .and_then(|page| wire::decode(&page))
        .map_err(|error| format!("its answer could not be read: {error}"))
}

/// The replica with the keys of now: while an answer was waited for, the partner may have told us of others.
///
/// # Errors
/// The database.
pub fn with_keys_of_now(view: &View<'_, '_>, log: LogId, held: Replica) -> Result<Replica, StoreError> {
    match view.db.partner(log)? {
        Some(partner) => Ok(Replica { keys: identities::log_keys(view.db, &partner)?, ..held }),
        None => Ok(held),
    }
}

/// Checks a page against the partner's log as we hold it.
///
/// # Errors
/// The database.
pub fn check(view: &View<'_, '_>, log: LogId, replica: &Replica, page: FeedPage) -> Result<Checked, StoreError> {
    if let Ok(shown) = journal::checkpoint::claimed(&page.checkpoint)
        && shown.origin.base() == replica.origin.base()
        && shown.origin.epoch() > replica.origin.epoch()
    {
        // Whether that is its nation's word a person asks it by telephone; it accuses nobody.
        return Ok(Checked::Failed("it speaks in a successor log, which nobody here has confirmed".to_owned()));
    }
    match replica.accept(page, |index| view.db.commitment(log, index).ok().flatten()) {
        Outcome::Verified(step) => Ok(Checked::Step(Box::new(step))),
        // What proves nothing against the partner (a page out of order, a gap of our own) is asked for again.
        Outcome::Broken(evidence) if !evidence.kind.is_cryptographic() => Ok(Checked::Failed(evidence.summary)),
        Outcome::Broken(evidence) => Ok(Checked::Hold(Box::new(match view.db.tree(log)?.checkpoint {
            Some(ours) => evidence.with_ours(&ours),
            None => evidence,
        }))),
    }
}

/// What became of a step that was given to `receive`.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Kept,
    /// The replica had moved meanwhile: ask again at once.
    Moved,
    /// The partner is no longer active.
    Over,
    /// Two statements in one slot: the partner is to be held.
    Hold(Box<Evidence>),
    /// It could not be taken now: ask again later.
    Failed(String),
}

/// Reads what `receive` answered.
pub fn taken<R>(answer: Result<R, WriteError<ReceiveError>>) -> Taken {
    match answer {
        Ok(_) => Taken::Kept,
        Err(WriteError::Refused(ReceiveError::SlotConflict { origin, first, second, proofs })) => {
            let evidence = Evidence::slot_conflict(origin, first.index, second.index);
            let lane = journal::envelope::decode(&second.envelope).map_or(Lane::Workflow, |envelope| envelope.lane);
            let evidence = match proofs.as_deref() {
                Some([ours, theirs]) => evidence.with_ours(ours).with_theirs(theirs),
                None => evidence,
            };
            Taken::Hold(Box::new(evidence.with_openings(lane, &[*first, *second])))
        }
        Err(WriteError::Refused(ReceiveError::Moved)) => Taken::Moved,
        Err(WriteError::Refused(ReceiveError::NotActive)) => Taken::Over,
        Err(error) => Taken::Failed(error.to_string()),
    }
}
