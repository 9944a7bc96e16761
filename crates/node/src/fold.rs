//! The fold: what a statement changes in the views. Pure of time and chance, so that `rebuild` gives the same rows.
//!
//! It runs on own statements as they are appended, on partners' as they arrive, and on all of them in a rebuild.

use domain::assist::Word;
use domain::said::Said;
use domain::warn::sharing::{self, Event, Sharing};
use model::extension::{Audience, Lost, Receipt, Withdrawal, WithdrawalAction};
use model::{Citation, Commitment, Envelope, Index, Lane};
use store::{
    AudienceRow, HoldOn, LogId, ObjectRow, ObjectState, PendingWithdrawal, ReceiptRow, SetId, SlotOutcome, StatementId,
    StoreError, Tx, WithdrawalRow,
};

use crate::me::Me;

/// A statement that is in the database and is to be folded.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// In the database; the order of arrival.
    pub statement: StatementId,
    /// Whose log.
    pub log: LogId,
    /// Where in it.
    pub index: Index,
    /// What stands there.
    pub commitment: Commitment,
    /// Its envelope.
    pub envelope: &'a Envelope,
    /// The member set, known for own statements only.
    pub set: Option<SetId>,
    /// Was its body erased here by command, so that what is folded is what remains of a statement about sharing?
    pub purged: bool,
}

/// Why a statement was not folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It says what it may not say, or what this version does not know: kept raw, and folded again after an upgrade.
    #[error("{0}")]
    Unfit(String),
    /// Another statement stands in its slot: evidence against the owner.
    #[error("two statements stand in one slot of an audience")]
    SlotConflict {
        /// The one that was there first.
        other: StatementId,
    },
}

/// Folds one statement. `said` is `None` when the body was withdrawn or erased: then only its place in the chain is noted.
///
/// # Errors
/// See [`FoldError`]; nothing of a statement that fails is left in the views if the caller rolls back.
pub fn fold(tx: &Tx<'_>, me: &Me, arrived: &Arrived<'_>, said: Option<&Said>) -> Result<(), FoldError> {
    put_slot(tx, arrived)?;
    match said {
        None => Ok(()),
        Some(said) => {
            admissible(tx, me, arrived, said)?;
            let state = if arrived.purged { ObjectState::Erased } else { taken_before(tx, arrived, said)? };
            put_object(tx, arrived, said, state)?;
            if state == ObjectState::Erased && !arrived.purged {
                tx.erase_body(arrived.statement)?;
                return Ok(());
            }
            match said {
                Said::Object(_) | Said::Pointer(..) | Said::Capacity(..) | Said::Card(..) | Said::Dossier(..) => Ok(()),
                Said::Audience(_, audience) => fold_audience(tx, arrived, audience),
                Said::Withdrawal(_, withdrawal) => fold_withdrawal(tx, arrived, withdrawal),
                Said::Receipt(_, receipt) => fold_receipt(tx, me, arrived, receipt),
                Said::Lost(_, lost) => fold_lost(tx, arrived, lost),
                Said::Assist(_, word) => fold_assist(tx, arrived, word),
            }
        }
    }
}

/// Notes the place of a statement in its audience's chain. One that is kept raw has its place too, so that a receiver
/// does not take it for a gap.
///
/// # Errors
/// The database, or another statement has the place.
pub fn put_slot(tx: &Tx<'_>, arrived: &Arrived<'_>) -> Result<(), FoldError> {
    if let Some(slot) = &arrived.envelope.slot {
        let audience = &arrived.envelope.audience.id;
        let lane = arrived.envelope.lane;
        match tx.put_slot(arrived.log, audience, lane, slot, arrived.statement, &arrived.commitment)? {
            SlotOutcome::New | SlotOutcome::Same => {}
            SlotOutcome::Conflict { other } => return Err(FoldError::SlotConflict { other }),
        }
    }
    Ok(())
}

/// Takes back by a content-free *Withdraw* row: the owner no longer says it, and we were not shown why.
///
/// # Errors
/// The database.
pub fn fold_withdraw_row(tx: &Tx<'_>, log: LogId, index: Index) -> Result<(), StoreError> {
    if lane_of(tx, log, index)? == Some(Lane::Workflow) {
        return Ok(());
    }
    take_back(tx, log, index, None, WithdrawalAction::StopSharing)
}

/// A statement that leaves no object row (without a body, or kept raw) may have been taken back before it came, too:
/// its withdrawal no longer waits, and what a purge took is not kept raw either.
///
/// # Errors
/// The database.
pub fn obey_earlier(tx: &Tx<'_>, log: LogId, index: Index) -> Result<(), StoreError> {
    match tx.pending_withdrawal(log, index)? {
        Some(pending) => take_back(tx, log, index, pending.by, action(pending.purge)),
        None => Ok(()),
    }
}

/// A withdrawal may have come first (workflow goes first): then what arrives is withdrawn already. What is about sharing
/// itself can't be withdrawn: audiences and receipts are superseded, never unsaid. What a legal hold lies on keeps its
/// sealed body.
fn taken_before(tx: &Tx<'_>, arrived: &Arrived<'_>, said: &Said) -> Result<ObjectState, StoreError> {
    if arrived.envelope.lane == Lane::Workflow {
        return Ok(ObjectState::Live);
    }
    let opened = sharing::apply(Sharing::Unheard, Event::Opened { with_body: true });
    let state = match tx.pending_withdrawal(arrived.log, arrived.index)? {
        Some(pending) => {
            tx.put_withdrawal(&WithdrawalRow { target: arrived.statement, by: pending.by, purge: pending.purge })?;
            sharing::apply(
                sharing::apply(Sharing::Unheard, Event::Taken(action(pending.purge))),
                Event::Opened { with_body: true },
            )
        }
        None => match tx.withdrawal_of(arrived.statement)? {
            Some(known) => sharing::apply(opened, Event::Taken(action(known.purge))),
            None => opened,
        },
    };
    let state = object_state(state);
    if state == ObjectState::Erased && is_held(tx, arrived, said)? {
        return Ok(ObjectState::Withdrawn);
    }
    Ok(state)
}

/// Does a legal hold lie on a statement that has no row of its object yet?
fn is_held(tx: &Tx<'_>, arrived: &Arrived<'_>, said: &Said) -> Result<bool, StoreError> {
    for on in [
        HoldOn::Statement(arrived.statement),
        HoldOn::Thread(arrived.envelope.thread),
        HoldOn::Object(said.head().id.clone()),
    ] {
        if tx.hold_on(&on)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

const fn action(purge: bool) -> WithdrawalAction {
    if purge { WithdrawalAction::Purge } else { WithdrawalAction::StopSharing }
}

const fn object_state(sharing: Sharing) -> ObjectState {
    match sharing {
        Sharing::Unheard | Sharing::Said => ObjectState::Live,
        Sharing::Withdrawn => ObjectState::Withdrawn,
        Sharing::Erased => ObjectState::Erased,
    }
}

const fn sharing_of(state: ObjectState) -> Sharing {
    match state {
        ObjectState::Live => Sharing::Said,
        ObjectState::Withdrawn => Sharing::Withdrawn,
        ObjectState::Erased => Sharing::Erased,
    }
}

fn put_object(tx: &Tx<'_>, arrived: &Arrived<'_>, said: &Said, state: ObjectState) -> Result<(), StoreError> {
    let head = said.head();
    let envelope = arrived.envelope;
    let dependent = head.is_dependent();
    let row = ObjectRow {
        statement: arrived.statement,
        log: arrived.log,
        index: arrived.index,
        stix_id: head.id.clone(),
        version: head.version,
        media: envelope.media,
        tlp: envelope.label.tlp,
        pap: envelope.label.pap,
        walled: envelope.walled,
        set: arrived.set,
        audience: envelope.audience.id,
        lane: envelope.lane,
        thread: envelope.thread,
        thread_version: envelope.version.0,
        commitment: arrived.commitment,
        title: head.title.clone(),
        revoked: head.revoked,
        dependent,
        state,
    };
    tx.put_object(&row, if dependent { &head.refs } else { &[] })
}

/// What a statement may say at all, checked before anything of it but its place is written.
fn admissible(tx: &Tx<'_>, me: &Me, arrived: &Arrived<'_>, said: &Said) -> Result<(), FoldError> {
    match said {
        Said::Object(_) | Said::Pointer(..) => Ok(()),
        Said::Lost(_, lost) if lost.recovered > arrived.index.0 => {
            Err(FoldError::Unfit("entries that are lost must come before the statement that says so".to_owned()))
        }
        Said::Lost(..) => Ok(()),
        Said::Audience(_, audience) => check_audience(arrived, audience),
        Said::Withdrawal(_, withdrawal) => check_withdrawal(tx, arrived, withdrawal),
        Said::Receipt(_, receipt) => receipt_target(tx, me, arrived, receipt).map(|_| ()),
        Said::Assist(_, word) => check_assist(tx, arrived, word),
        Said::Capacity(..) => check_lane(arrived, Lane::Workflow, "a capacity is said in the workflow lane"),
        Said::Dossier(..) => check_lane(arrived, Lane::Workflow, "a dossier is said in the workflow lane"),
        // There it can be withdrawn, and whoever had it answers with a receipt.
        Said::Card(..) => check_lane(arrived, Lane::Intelligence, "a card is said in the intelligence lane"),
    }
}

fn check_lane(arrived: &Arrived<'_>, lane: Lane, otherwise: &str) -> Result<(), FoldError> {
    if arrived.envelope.lane == lane { Ok(()) } else { Err(FoldError::Unfit(otherwise.to_owned())) }
}

fn check_audience(arrived: &Arrived<'_>, audience: &Audience) -> Result<(), FoldError> {
    let at = &arrived.envelope.audience;
    if at.id != audience.audience || at.version != audience.version || at.members != audience.members.digest() {
        return Err(FoldError::Unfit(
            "an audience statement must be said to the audience that it describes".to_owned(),
        ));
    }
    Ok(())
}

fn fold_audience(tx: &Tx<'_>, arrived: &Arrived<'_>, audience: &Audience) -> Result<(), FoldError> {
    let set = tx.intern_set(&audience.members)?;
    tx.put_audience(&AudienceRow {
        log: arrived.log,
        audience: audience.audience,
        version: audience.version,
        name: audience.name.clone(),
        kind: audience.kind,
        set,
        statement: arrived.statement,
    })?;
    Ok(())
}

fn check_withdrawal(tx: &Tx<'_>, arrived: &Arrived<'_>, withdrawal: &Withdrawal) -> Result<(), FoldError> {
    let target = &withdrawal.target;
    let log = withdrawn_log(tx, arrived.log, target)?;
    check_citation(tx, log, target, "a nation can withdraw only what stands in its own log")?;
    if lane_of(tx, log, target.index)? == Some(Lane::Workflow) {
        return Err(FoldError::Unfit("a statement about sharing is superseded, not withdrawn".to_owned()));
    }
    if log == arrived.log && target.index >= arrived.index {
        return Err(FoldError::Unfit("a withdrawal must come after what it withdraws".to_owned()));
    }
    Ok(())
}

/// In which log a withdrawal takes something back: in its own, or in one of the same nation that this one has succeeded.
pub(crate) fn withdrawn_log(tx: &Tx<'_>, log: LogId, target: &Citation) -> Result<LogId, StoreError> {
    let speaker = tx.origin(log)?;
    let is_before = target.origin.base() == speaker.base() && target.origin.epoch() < speaker.epoch();
    if !is_before {
        return Ok(log);
    }
    Ok(tx.log_id(&target.origin)?.unwrap_or(log))
}

fn fold_withdrawal(tx: &Tx<'_>, arrived: &Arrived<'_>, withdrawal: &Withdrawal) -> Result<(), FoldError> {
    let log = withdrawn_log(tx, arrived.log, &withdrawal.target)?;
    Ok(take_back(tx, log, withdrawal.target.index, Some(arrived.statement), withdrawal.action)?)
}

/// Help is arranged in the workflow lane, and answers a log that this node knows. Whether the step has its place is
/// for the joint state to say (`domain::assist`), since what comes before it may arrive later.
fn check_assist(tx: &Tx<'_>, arrived: &Arrived<'_>, word: &Word) -> Result<(), FoldError> {
    if arrived.envelope.lane != Lane::Workflow {
        return Err(FoldError::Unfit("help is arranged in the workflow lane".to_owned()));
    }
    let Some(answers) = word.answers() else { return Ok(()) };
    match tx.log_id(&answers.origin)? {
        Some(_) => Ok(()),
        None => Err(FoldError::Unfit("it answers a log that this node does not know".to_owned())),
    }
}

fn fold_assist(tx: &Tx<'_>, arrived: &Arrived<'_>, word: &Word) -> Result<(), FoldError> {
    if let Some(answers) = word.answers()
        && let Some(log) = tx.log_id(&answers.origin)?
    {
        tx.put_cited(arrived.statement, log, answers.index)?;
    }
    if let Word::Offer(offer) = word {
        let owner = tx.origin(arrived.log)?;
        for draw in offer.lines.iter().flat_map(|line| &line.draws) {
            // Nobody draws on what is another's.
            if draw.capacity.origin == owner {
                tx.put_cited(arrived.statement, arrived.log, draw.capacity.index)?;
            }
        }
    }
    Ok(())
}

fn lane_of(tx: &Tx<'_>, log: LogId, index: Index) -> Result<Option<Lane>, StoreError> {
    let Some(row) = tx.statement_at(log, index)? else { return Ok(None) };
    Ok(journal::envelope::decode(&row.envelope).ok().map(|envelope| envelope.lane))
}

/// The citation must name a log that we know, and the commitment that really stands there.
fn check_citation(tx: &Tx<'_>, log: LogId, target: &Citation, otherwise: &str) -> Result<(), FoldError> {
    if tx.origin(log)? != target.origin {
        return Err(FoldError::Unfit(otherwise.to_owned()));
    }
    match tx.commitment(log, target.index)? {
        Some(found) if found == target.commitment => Ok(()),
        // Own entries of the running command are not in the tree yet; the caller has made the citation itself.
        None if tx.statement_at(log, target.index)?.is_some() => Ok(()),
        Some(_) | None => Err(FoldError::Unfit("the citation does not match the log that it names".to_owned())),
    }
}

fn take_back(
    tx: &Tx<'_>,
    log: LogId,
    index: Index,
    by: Option<StatementId>,
    action: WithdrawalAction,
) -> Result<(), StoreError> {
    let purge = action == WithdrawalAction::Purge;
    let Some(target) = tx.statement_at(log, index)? else {
        return tx.put_pending_withdrawal(&PendingWithdrawal { log, index, by, purge });
    };
    tx.put_withdrawal(&WithdrawalRow { target: target.id, by, purge })?;
    // What the law holds is out of every view, and its sealed body stays until the hold is released.
    let erases = purge && tx.hold_on_statement(target.id)?.is_none();
    let action = if erases { action } else { WithdrawalAction::StopSharing };
    if let Some(object) = tx.object(target.id)? {
        let state = object_state(sharing::apply(sharing_of(object.state), Event::Taken(action)));
        tx.object_state(target.id, state)?;
    }
    if erases {
        tx.erase_body(target.id)?;
    }
    Ok(())
}

/// The statement that a receipt is about: ours, or for our own receipts the partner's.
fn receipt_target(tx: &Tx<'_>, me: &Me, arrived: &Arrived<'_>, receipt: &Receipt) -> Result<StatementId, FoldError> {
    let unfit = |reason: &str| FoldError::Unfit(reason.to_owned());
    let is_ours = crate::successor::is_own(tx, me, arrived.log)? || receipt.target.origin.base() == me.origin.base();
    let owner = if is_ours { tx.log_id(&receipt.target.origin)? } else { Some(me.log) };
    let owner = owner.ok_or_else(|| unfit("the receipt names a log that this node does not know"))?;
    check_citation(tx, owner, &receipt.target, "a receipt is for the owner of what was withdrawn alone")?;
    let target = tx.statement_at(owner, receipt.target.index)?;
    Ok(target.ok_or_else(|| unfit("the receipt names a statement that this node does not hold"))?.id)
}

fn fold_receipt(tx: &Tx<'_>, me: &Me, arrived: &Arrived<'_>, receipt: &Receipt) -> Result<(), FoldError> {
    tx.put_receipt(&ReceiptRow {
        target: receipt_target(tx, me, arrived, receipt)?,
        from: arrived.log,
        statement: arrived.statement,
        erased: receipt.erased,
        exports: receipt.exports,
        not_recalled: receipt.exports_not_recalled,
        held: receipt.held,
    })?;
    Ok(())
}

fn fold_lost(tx: &Tx<'_>, arrived: &Arrived<'_>, lost: &Lost) -> Result<(), FoldError> {
    for range in &lost.lost {
        tx.put_lost(arrived.log, *range, arrived.statement)?;
    }
    Ok(())
}
