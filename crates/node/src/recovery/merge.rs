//! What partners gave back becomes our own log again: commitments, statements with their releases, and what is lost.

use std::collections::BTreeMap;

use domain::said::Said;
use journal::sync::{Content, Evidence, EvidenceKind, Step, StepItem};
use journal::verified::Verified;
use journal::wire::ReleaseKind;
use model::extension::{AudienceKind, Common, Extension, Lost, LostRange, WithdrawalAction};
use model::{AudienceId, Commitment, Envelope, MemberSet, Opening, Tlp};
use sha2::{Digest, Sha256};
use store::{Fate, PartnerState, SetId, StatementRow, StoreError};

use crate::audience::{self, AudienceError};
use crate::engine::{other_than_signed, root_at};
use crate::fold::{self, Arrived, FoldError};
use crate::ports::random_bytes;
use crate::rebuild;
use crate::receive::{self, Sealed};
use crate::standing::{Alarm, Cause, Recovered, Standing};
use crate::withdraw::{self, WithdrawError};
use crate::work::Work;

/// Why a recovery did not go on.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The statement about what is lost could not be addressed.
    #[error(transparent)]
    Audience(#[from] AudienceError),
    /// What was purged, and whose withdrawal is lost, could not be taken back again.
    #[error("what was purged could not be taken back again: {0}")]
    Withdraw(#[from] WithdrawError),
    /// The node does not recover, or not any more.
    #[error("this node does not fetch its log back: nothing is to be decided about that")]
    NotRecovering,
    /// More was signed than is here.
    #[error(
        "{needs} entries were signed and {known} are known: ask the partners that did not answer; if nobody has the \
         rest, the nation goes on with a successor log (`entraide successor`)"
    )]
    Short {
        /// Entries that are known to have been signed.
        needs: u64,
        /// Entries that are here.
        known: u64,
    },
}

/// Stops: our key signed two histories.
///
/// # Errors
/// The database.
pub fn stop(work: &mut Work<'_, '_>, evidence: Evidence) -> Result<(), StoreError> {
    work.raise(Alarm { standing: Standing::Stopped { why: evidence.summary.clone() }, evidence })
}

/// A partner holds more than we signed, and it goes on from ours: nothing is said until it is here.
///
/// # Errors
/// The database.
pub fn note_ahead(work: &mut Work<'_, '_>, from: store::LogId, note: &str) -> Result<(), StoreError> {
    crate::gossip::hear(work, from, &[note.to_owned()])
}

/// Takes the commitments of whoever is furthest ahead, if everybody else's are a part of them. Says how many entries are
/// known then.
///
/// # Errors
/// The database, or the node does not recover.
pub fn extend(work: &mut Work<'_, '_>, steps: Vec<Verified<Step>>) -> Result<u64, RecoverError> {
    if !matches!(work.standing(), Standing::Recovering { .. }) {
        return Err(RecoverError::NotRecovering);
    }
    let held = work.next_index().0;
    let steps = steps.into_iter().map(Verified::into_inner).filter(|step| step.first == held);
    let mut steps: Vec<Step> = steps.collect();
    steps.sort_by_key(|step| step.checkpoint.size);
    let Some(furthest) = steps.pop() else { return Ok(held) };
    prepare(work)?;
    work.take_back(&furthest.commitments)?;
    work.tx.set_checkpoint(work.me.log, &furthest.checkpoint_text)?;
    for other in steps {
        if root_at(work.tx, work.me, other.checkpoint.size)? != other.checkpoint.root {
            let summary = format!("our key signed two histories of {} entries", other.checkpoint.size);
            let evidence = Evidence::new(&work.me.origin, EvidenceKind::Fork, summary);
            stop(work, evidence.with_ours(&furthest.checkpoint_text).with_theirs(&other.checkpoint_text))?;
            return Ok(furthest.checkpoint.size);
        }
    }
    if let Some(mark) = work.signer.mark().filter(|mark| mark.size <= furthest.checkpoint.size)
        && root_at(work.tx, work.me, mark.size)? != mark.root
    {
        let alarm = other_than_signed(work.tx, work.me, mark.size)?;
        work.raise(alarm)?;
    }
    Ok(furthest.checkpoint.size)
}

/// Openings of several partners, one a place: one with its body before one without.
#[derive(Debug, Default)]
pub struct Openings(BTreeMap<u64, StepItem>);

impl Openings {
    /// Adds what one partner gave.
    pub fn add(&mut self, items: Verified<Vec<StepItem>>) {
        for item in items.into_inner() {
            let has_body = |item: &StepItem| match &item.content {
                Content::Statement { opening, .. } | Content::Unfit { opening, .. } => opening.body.is_some(),
                Content::Withdrawn => false,
            };
            let better = self.0.get(&item.index.0).is_none_or(|known| has_body(&item) && !has_body(known));
            if better {
                self.0.insert(item.index.0, item);
            }
        }
    }
    /// Is there one with a body at a place?
    #[must_use]
    pub fn is_whole(&self, index: u64) -> bool {
        self.0.get(&index).is_some_and(|item| match &item.content {
            Content::Statement { opening, .. } | Content::Unfit { opening, .. } => opening.body.is_some(),
            Content::Withdrawn => false,
        })
    }
    /// Is there none at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes statements as our own again, in the order of the log, and opens them to whom they were opened. Says how many
/// stay unreleased, because who was meant is not known here.
///
/// # Errors
/// The database.
pub fn restore(work: &mut Work<'_, '_>, openings: Openings) -> Result<u64, RecoverError> {
    let mut unreleased = 0;
    for item in openings.0.into_values() {
        let released = match item.content {
            Content::Statement { envelope, opening } => one(work, &envelope, &opening, item.commitment)?,
            Content::Unfit { opening, reason } => {
                if work.tx.statement_at(work.me.log, opening.index)?.is_none() {
                    let fate = Fate::Unfit { reason: reason.to_string() };
                    receive::insert(work, work.me.log, &opening, item.commitment, fate)?;
                }
                false
            }
            Content::Withdrawn => true,
        };
        unreleased += u64::from(!released);
    }
    for (log, _) in work.tx.logs()? {
        rebuild::fold_unfit(work, log)?;
    }
    // One that comes back only now: `finish` did not know it.
    if work.standing().speaks() {
        withdraw::again_after_purge(work)?;
    }
    Ok(unreleased)
}

/// Restores one statement; `false` if it stays unreleased.
fn one(
    work: &mut Work<'_, '_>,
    envelope: &Envelope,
    opening: &Opening,
    commitment: Commitment,
) -> Result<bool, StoreError> {
    let log = work.me.log;
    // What was purged here comes back from no partner either.
    let erased = opening.body.is_some() && work.tx.is_erased(log, opening.index)?;
    let bare = Opening { body: None, ..opening.clone() };
    let opening = if erased { &bare } else { opening };
    let said = match &opening.body {
        None => None,
        Some(body) => Said::read(envelope.media, &body.bytes).ok(),
    };
    let known = work.tx.statement_at(log, opening.index)?;
    let is_new = known.is_none();
    let (statement, set) = match known {
        Some(row) => {
            let Some(body) = opening.body.as_ref().filter(|_| row.sealed.is_none()) else { return Ok(true) };
            if work.tx.withdrawal_of(row.id)?.is_some() {
                return Ok(true);
            }
            let sealed = Sealed::new(work, &body.bytes, &commitment);
            work.tx.restore_body(row.id, &sealed.row(body.salt))?;
            (row.id, opened_to(work, row.id)?)
        }
        None => {
            let set = members_of(work, envelope, said.as_ref())?;
            let statement = receive::insert(work, log, opening, commitment, Fate::Fit)?;
            // A database without any statement had nothing to keep the first jump by.
            if work.tx.latest_release()?.0 == 0 {
                prepare(work)?;
            }
            if let Some(set) = set {
                work.tx.release(ReleaseKind::Open.code(), envelope.lane, statement, set, work.now)?;
            }
            (statement, set)
        }
    };
    let arrived = Arrived { statement, log, index: opening.index, commitment, envelope, set, purged: false };
    match fold::fold(work.tx, work.me, &arrived, said.as_ref()) {
        Ok(()) => {}
        Err(FoldError::Store(error)) => return Err(error),
        Err(FoldError::Unfit(reason)) => work.tx.set_fate(statement, &Fate::Unfit { reason })?,
        Err(FoldError::SlotConflict { .. }) => {
            let reason = "two statements of ours stand in one slot of an audience".to_owned();
            work.tx.set_fate(statement, &Fate::Unfit { reason })?;
        }
    }
    if said.is_none() {
        fold::obey_earlier(work.tx, log, opening.index)?;
    }
    if let Some(Said::Withdrawal(_, withdrawal)) = &said
        && is_new
    {
        if withdrawal.action == WithdrawalAction::Purge {
            work.note_purge();
        }
        if let Some(target) = work.tx.statement_at(log, withdrawal.target.index)? {
            tell_again(work, &target)?;
        }
    }
    // What took it back came first, and could not tell anybody yet.
    if is_new
        && work.tx.withdrawal_of(statement)?.is_some()
        && let Some(target) = work.tx.statement(statement)?
    {
        tell_again(work, &target)?;
    }
    Ok(set.is_some() || envelope.label.tlp == Tlp::Red)
}

/// The set to which a statement is opened: an audience's own statement names its members, and from then on they are
/// found by their digest.
fn members_of(work: &Work<'_, '_>, envelope: &Envelope, said: Option<&Said>) -> Result<Option<SetId>, StoreError> {
    if envelope.label.tlp == Tlp::Red {
        return Ok(None);
    }
    if let Some(Said::Audience(_, audience)) = said
        && audience.members.digest() == envelope.audience.members
    {
        return Ok(Some(work.tx.intern_set(&audience.members)?));
    }
    work.tx.set_by_digest(&envelope.audience.members)
}

fn opened_to(work: &Work<'_, '_>, statement: store::StatementId) -> Result<Option<SetId>, StoreError> {
    let open = ReleaseKind::Open.code();
    Ok(work.tx.released_sets(statement)?.into_iter().find(|(kind, _)| *kind == open).map(|(_, set)| set))
}

/// The content-free rows of a withdrawal, for everyone who may have had the statement.
fn tell_again(work: &Work<'_, '_>, target: &StatementRow) -> Result<(), StoreError> {
    let Ok(envelope) = journal::envelope::decode(&target.envelope) else { return Ok(()) };
    let had = withdraw::ever_reached(work, target.id, &envelope)?;
    if !had.as_slice().is_empty() {
        let set = work.tx.intern_set(&had)?;
        work.tx.release(ReleaseKind::Withdraw.code(), envelope.lane, target.id, set, work.now)?;
    }
    Ok(())
}

/// Prepares the database for what is released from now on: cursors that partners hold reach beyond it.
fn prepare(work: &mut Work<'_, '_>) -> Result<(), StoreError> {
    match work.tx.log_between(work.me.log, 0, u64::MAX >> 1, 1)?.first() {
        Some(first) => work.tx.jump_releases(first.id, work.now),
        None => Ok(()),
    }
}

/// What a finished recovery brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Entries that are known now.
    pub size: u64,
    /// What nobody gave back.
    pub lost: Vec<LostRange>,
}

/// Speaks again from what is known, says what is lost, and takes back again what the purge list says was purged.
/// Places of what is lost stay free, though every partner was heard: a page that left before the database was set back may
/// still be on its way to one of them.
///
/// # Errors
/// More was signed than is known, or the node does not recover.
pub fn finish(work: &mut Work<'_, '_>) -> Result<Finished, RecoverError> {
    let Standing::Recovering { cause, from, needs } = *work.standing() else { return Err(RecoverError::NotRecovering) };
    let size = work.next_index().0;
    if needs > size {
        return Err(RecoverError::Short { needs, known: size });
    }
    prepare(work)?;
    let lost = lost(work, from, size)?;
    let count: u64 = lost.iter().map(|range| range.count).sum();
    work.note_recovered(Recovered { size, gap: count, ahead: cause == Cause::Ahead })?;
    work.stand(Standing::Speaking)?;
    say_lost(work, from, size, &lost)?;
    withdraw::again_after_purge(work)?;
    Ok(Finished { size, lost })
}

/// Places without a statement in `[from, until)`.
fn lost(work: &Work<'_, '_>, from: u64, until: u64) -> Result<Vec<LostRange>, StoreError> {
    let mut lost: Vec<LostRange> = Vec::new();
    let mut next = from;
    let mut note = |first: u64, end: u64| {
        if first < end {
            lost.push(LostRange { first, count: end - first });
        }
    };
    loop {
        let rows = work.tx.log_between(work.me.log, next, until, crate::limits::FEED_ITEMS)?;
        for row in &rows {
            note(next, row.index.0);
            next = row.index.0 + 1;
        }
        if rows.len() < crate::limits::FEED_ITEMS {
            note(next, until);
            return Ok(lost);
        }
    }
}

/// Says to every partner which places of our log are lost: numbers that they see in it anyway.
fn say_lost(work: &mut Work<'_, '_>, had: u64, recovered: u64, lost: &[LostRange]) -> Result<(), RecoverError> {
    let partners = work.tx.partners()?.into_iter();
    let partners = partners.filter(|row| matches!(row.state, PartnerState::Active | PartnerState::Held));
    let members = MemberSet::new(partners.map(|row| row.origin)).map_err(AudienceError::from)?;
    for ranges in lost.chunks(model::limits::LOST_RANGES) {
        let target = audience::of_own_making(work, lost_id(), "all partners", AudienceKind::Union, &members)?;
        let Some(set) = target.set else { continue };
        let common = Common::new(Lost::KIND, random_bytes(work.random), &work.me.origin, work.now)
            .map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
        let said = Lost { common, had, recovered, lost: ranges.to_vec() };
        audience::say_workflow(work, target.at, set, None, None, &said.to_bytes())?;
    }
    Ok(())
}

/// The audience of all partners, made by the node when it is first needed.
fn lost_id() -> AudienceId {
    let digest: [u8; 32] = Sha256::digest(b"entraide/all-partners/v1").into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    AudienceId::new(id)
}
