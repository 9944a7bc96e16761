//! Receiving: a verified step of a partner's log becomes arrivals and views, in one transaction, idempotent by place.

use domain::said::Said;
use journal::sync::{Content, Step, StepItem, UnfitReason};
use journal::verified::Verified;
use journal::{envelope, seal};
use model::extension::{Common, Extension, Receipt, WithdrawalAction};
use model::{Citation, Commitment, Envelope, Index, Opening, Origin};
use store::{Fate, LogId, NewStatement, PartnerState, SealedBody, StatementId, StatementRow, StoreError};

use crate::audience::{self, AudienceError};
use crate::body;
use crate::fold::{self, Arrived, FoldError};
use crate::gossip;
use crate::heads;
use crate::limits;
use crate::ports::random_bytes;
use crate::rebuild;
use crate::work::Work;

/// Why a verified step was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A receipt could not be addressed.
    #[error(transparent)]
    Audience(#[from] AudienceError),
    /// Another worker was here first: the replica has moved. Harmless, asked again.
    #[error("the replica has moved meanwhile")]
    Moved,
    /// The partner is held or cut meanwhile.
    #[error("the partner is not active")]
    NotActive,
    /// Its statements fill the disk that it may use.
    #[error("its statements fill the {} GiB that one partner may use here", limits::PARTNER_BYTES >> 30)]
    Quota,
    /// Two openings in one slot: evidence.
    #[error("two statements of `{origin}` stand in one slot of an audience: {} and {}", first.index, second.index)]
    SlotConflict {
        /// Whose log.
        origin: Origin,
        /// The one that was there.
        first: Box<Opening>,
        /// The one that came now.
        second: Box<Opening>,
        /// Both without their bodies, proved to stand in the log, for third parties.
        proofs: Option<Box<[String; 2]>>,
    },
}

/// What a step brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Statements that were new.
    pub statements: usize,
    /// Statements kept raw, because this version does not read them.
    pub unfit: usize,
    /// Statements taken back.
    pub withdrawn: usize,
}

/// Takes a verified step of one partner.
///
/// # Errors
/// See [`ReceiveError`]; nothing of the step is left then.
pub fn receive(work: &mut Work<'_, '_>, log: LogId, step: Verified<Step>) -> Result<Received, ReceiveError> {
    let step = step.into_inner();
    let partner = work.tx.partner(log)?.ok_or(ReceiveError::NotActive)?;
    if partner.state != PartnerState::Active {
        return Err(ReceiveError::NotActive);
    }
    let tree = work.tx.tree(log)?;
    if tree.size != step.first {
        return Err(ReceiveError::Moved);
    }
    if work.tx.stored_bytes(log)? > limits::PARTNER_BYTES && !step.items.is_empty() {
        return Err(ReceiveError::Quota);
    }
    if !step.commitments.is_empty() {
        let mut frontier = tree.frontier;
        work.tx.extend(log, &mut frontier, &step.commitments)?;
    }
    // One that the commitments do not reach yet is signed, but nothing here shows that it is of this log.
    if step.frontier.size() == step.checkpoint.size {
        work.tx.set_checkpoint(log, &step.checkpoint_text)?;
        gossip::settle(work, &partner, step.frontier.size())?;
    }
    let mut desk = Desk { log, origin: partner.origin.clone(), received: Received::default() };
    let opened = !step.items.is_empty();
    for item in step.items {
        desk.item(work, item)?;
    }
    if desk.received.statements > 0 {
        fold_recovered(work)?;
    }
    if opened {
        heads::settle(work, log)?;
    }
    work.tx.partner_progress(log, &step.workflow_cursor, &step.intelligence_cursor, work.now)?;
    Ok(desk.received)
}

/// Receipts of ours that came back before what they are about did: with it, they count again, and are not said twice.
fn fold_recovered(work: &mut Work<'_, '_>) -> Result<(), StoreError> {
    if work.recovered().size == 0 { Ok(()) } else { rebuild::fold_unfit(work, work.me.log) }
}

struct Desk {
    log: LogId,
    origin: Origin,
    received: Received,
}

impl Desk {
    fn item(&mut self, work: &mut Work<'_, '_>, item: StepItem) -> Result<(), ReceiveError> {
        match item.content {
            Content::Statement { envelope, mut opening } => {
                self.leave_out_erased(work, &mut opening)?;
                self.statement(work, &envelope, &opening, item.commitment)
            }
            Content::Unfit { mut opening, reason } => {
                self.leave_out_erased(work, &mut opening)?;
                self.unfit(work, &opening, item.commitment, &reason)
            }
            Content::Withdrawn => self.withdraw_row(work, item.index),
        }
    }

    /// What was erased here once is not taken again, whoever sends it.
    fn leave_out_erased(&self, work: &Work<'_, '_>, opening: &mut Opening) -> Result<(), StoreError> {
        if opening.body.is_some() && work.tx.is_erased(self.log, opening.index)? {
            opening.body = None;
        }
        Ok(())
    }

    fn statement(
        &mut self,
        work: &mut Work<'_, '_>,
        envelope: &Envelope,
        opening: &Opening,
        commitment: Commitment,
    ) -> Result<(), ReceiveError> {
        if let Some(known) = work.tx.statement_at(self.log, opening.index)? {
            return self.again(work, &known, opening, commitment);
        }
        let said = match &opening.body {
            None => None,
            Some(body) => match Said::read(envelope.media, &body.bytes) {
                Ok(said) => Some(said),
                Err(error) => {
                    let statement = self.keep_raw(work, opening, commitment, error.to_string())?;
                    return self.place(work, envelope, opening, commitment, statement);
                }
            },
        };
        let statement = insert(work, self.log, opening, commitment, Fate::Fit)?;
        let arrived =
            Arrived { statement, log: self.log, index: opening.index, commitment, envelope, set: None, purged: false };
        match fold::fold(work.tx, work.me, &arrived, said.as_ref()) {
            Ok(()) => self.received.statements += 1,
            Err(FoldError::Store(error)) => return Err(error.into()),
            Err(FoldError::Unfit(reason)) => {
                work.tx.set_fate(statement, &Fate::Unfit { reason })?;
                self.received.unfit += 1;
                fold::obey_earlier(work.tx, self.log, opening.index)?;
                return Ok(());
            }
            Err(FoldError::SlotConflict { other }) => return Err(self.conflict(work, other, opening)?),
        }
        if said.is_none() {
            fold::obey_earlier(work.tx, self.log, opening.index)?;
        }
        if let Some(Said::Withdrawal(_, withdrawal)) = &said {
            self.received.withdrawn += 1;
            if withdrawal.action == WithdrawalAction::Purge {
                work.note_purge();
            }
            let log = fold::withdrawn_log(work.tx, self.log, &withdrawal.target)?;
            answer(work, log, withdrawal.target.index)?;
        }
        Ok(())
    }

    /// The same place again: nothing, unless the body comes now (a backfill after an envelope alone).
    fn again(
        &mut self,
        work: &mut Work<'_, '_>,
        known: &StatementRow,
        opening: &Opening,
        commitment: Commitment,
    ) -> Result<(), ReceiveError> {
        let Some(body) = &opening.body else { return Ok(()) };
        // What was purged here by command does not come back because a partner says it again.
        if known.sealed.is_some() || work.tx.withdrawal_of(known.id)?.is_some() || work.tx.is_purged(known.id)? {
            return Ok(());
        }
        let sealed = Sealed::new(work, &body.bytes, &commitment);
        work.tx.restore_body(known.id, &sealed.row(body.salt))?;
        let Ok(envelope) = envelope::decode(&opening.envelope) else { return Ok(()) };
        if let Ok(said) = Said::read(envelope.media, &body.bytes) {
            let arrived = Arrived {
                statement: known.id,
                log: self.log,
                index: known.index,
                commitment,
                envelope: &envelope,
                set: None,
                purged: false,
            };
            match fold::fold(work.tx, work.me, &arrived, Some(&said)) {
                Ok(()) => self.received.statements += 1,
                Err(FoldError::Store(error)) => return Err(error.into()),
                Err(FoldError::Unfit(reason)) => work.tx.set_fate(known.id, &Fate::Unfit { reason })?,
                Err(FoldError::SlotConflict { .. }) => {}
            }
        }
        Ok(())
    }

    fn unfit(
        &mut self,
        work: &mut Work<'_, '_>,
        opening: &Opening,
        commitment: Commitment,
        reason: &UnfitReason,
    ) -> Result<(), ReceiveError> {
        if work.tx.statement_at(self.log, opening.index)?.is_none() {
            self.keep_raw(work, opening, commitment, reason.to_string())?;
        }
        Ok(())
    }

    /// Notes the place in the chain of a statement whose body is kept raw.
    fn place(
        &self,
        work: &Work<'_, '_>,
        envelope: &Envelope,
        opening: &Opening,
        commitment: Commitment,
        statement: StatementId,
    ) -> Result<(), ReceiveError> {
        let index = opening.index;
        let arrived = Arrived { statement, log: self.log, index, commitment, envelope, set: None, purged: false };
        match fold::put_slot(work.tx, &arrived) {
            Ok(()) | Err(FoldError::Unfit(_)) => Ok(()),
            Err(FoldError::Store(error)) => Err(error.into()),
            Err(FoldError::SlotConflict { other }) => Err(self.conflict(work, other, opening)?),
        }
    }

    /// What proves that two statements stand in one slot: both, as they were opened.
    fn conflict(&self, work: &Work<'_, '_>, other: StatementId, second: &Opening) -> Result<ReceiveError, StoreError> {
        let rows = [work.tx.statement(other)?, work.tx.statement_at(self.log, second.index)?];
        let proofs = match &rows {
            [Some(one), Some(another)] => {
                let proof = |row| heads::sealed_proof(work.tx, work.signer, row);
                proof(one)?.zip(proof(another)?).map(|(one, another)| Box::new([one.write(), another.write()]))
            }
            _ => None,
        };
        let [first, _] = rows;
        let first = match first {
            Some(row) => body::opening(work.tx, work.signer, &row, true)?,
            None => second.clone(),
        };
        Ok(ReceiveError::SlotConflict {
            origin: self.origin.clone(),
            first: Box::new(first),
            second: Box::new(second.clone()),
            proofs,
        })
    }

    fn keep_raw(
        &mut self,
        work: &mut Work<'_, '_>,
        opening: &Opening,
        commitment: Commitment,
        reason: String,
    ) -> Result<StatementId, ReceiveError> {
        let statement = insert(work, self.log, opening, commitment, Fate::Unfit { reason })?;
        fold::obey_earlier(work.tx, self.log, opening.index)?;
        self.received.unfit += 1;
        Ok(statement)
    }

    fn withdraw_row(&mut self, work: &mut Work<'_, '_>, index: Index) -> Result<(), ReceiveError> {
        work.tx.put_obeyed(self.log, index)?;
        fold::fold_withdraw_row(work.tx, self.log, index)?;
        self.received.withdrawn += 1;
        answer(work, self.log, index)
    }
}

/// Says to the owner, alone and once, that a withdrawal was obeyed and what that covers.
pub(crate) fn answer(work: &mut Work<'_, '_>, log: LogId, index: Index) -> Result<(), ReceiveError> {
    let Some(target) = work.tx.statement_at(log, index)? else { return Ok(()) };
    let erased = target.sealed.is_none();
    let to_be_erased = work.tx.withdrawal_of(target.id)?.is_some_and(|withdrawal| withdrawal.purge);
    let held = !erased && to_be_erased;
    fold_recovered(work)?;
    let receipts = work.tx.receipts_of(target.id)?;
    // Once for stopping, once for holding and once for erasing, whichever rows and statements say it again.
    let says_it = |receipt: &store::ReceiptRow| receipt.erased || (!erased && receipt.held == held);
    if receipts.iter().any(|receipt| receipt.from == work.me.log && says_it(receipt)) {
        return Ok(());
    }
    let Some(commitment) = work.tx.commitment(log, index)? else { return Ok(()) };
    let origin = work.tx.origin(log)?;
    let only_owner = audience::bilateral(work, &origin)?;
    let Some(set) = only_owner.set else { return Ok(()) };
    let common = Common::new(Receipt::KIND, random_bytes(work.random), &work.me.origin, work.now)
        .map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    // Content goes out after its row in the ledger, and not at all once this transaction is committed: the count is final.
    let exports = work.tx.exports(target.id)?;
    let receipt = Receipt {
        common,
        target: Citation { origin, index, commitment },
        store: true,
        erased,
        exports: Some(exports.all),
        exports_not_recalled: Some(exports.not_recallable),
        held,
    };
    let body = receipt.to_bytes();
    let walled = work.tx.object(target.id)?.and_then(|object| object.walled);
    audience::say_workflow(work, only_owner.at, set, None, walled, &body)?;
    Ok(())
}

/// A body sealed for this node, whoever said it.
pub(crate) struct Sealed {
    wrapped: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Sealed {
    pub(crate) fn new(work: &mut Work<'_, '_>, body: &[u8], commitment: &Commitment) -> Self {
        let key = seal::BodyKey::new(random_bytes(work.random));
        let wrapped = work.signer.wrapping_key().wrap(&key, random_bytes(work.random), commitment).to_vec();
        Self { wrapped, ciphertext: seal::seal_body(&key, commitment, body) }
    }
    pub(crate) fn row(&self, salt: [u8; 32]) -> SealedBody<'_> {
        SealedBody { salt, wrapped_key: &self.wrapped, ciphertext: &self.ciphertext }
    }
}

/// Keeps one opening.
///
/// # Errors
/// One stands there already, or the database.
pub(crate) fn insert(
    work: &mut Work<'_, '_>,
    log: LogId,
    opening: &Opening,
    commitment: Commitment,
    fate: Fate,
) -> Result<StatementId, StoreError> {
    let sealed = opening.body.as_ref().map(|body| (Sealed::new(work, &body.bytes, &commitment), body.salt));
    work.tx.insert_statement(&NewStatement {
        log,
        index: opening.index,
        arrived: work.now,
        commitment,
        entry_salt: opening.entry_salt,
        envelope: &opening.envelope,
        body_commitment: opening.body_commitment,
        sealed: sealed.as_ref().map(|(sealed, salt)| sealed.row(*salt)),
        fate,
    })
}

/// Holds a partner with the evidence: what it says is no longer taken until a person releases or cuts it.
///
/// # Errors
/// The database.
pub fn hold(work: &mut Work<'_, '_>, log: LogId, evidence: &journal::sync::Evidence) -> Result<(), StoreError> {
    let excerpt = &evidence.bytes[..evidence.bytes.len().min(limits::EVIDENCE_BYTES)];
    work.tx.put_evidence(
        log,
        work.now,
        evidence.kind.word(),
        &evidence.summary,
        evidence.checkpoint_ours.as_deref(),
        evidence.checkpoint_theirs.as_deref(),
        excerpt,
    )?;
    work.tx.partner_state(log, PartnerState::Held, Some(&evidence.summary))
}
