//! Taking back: a `withdrawal` statement is truth; *Withdraw* rows go to whoever ever had the entry.

use journal::envelope;
use model::extension::{Common, Extension, Withdrawal, WithdrawalAction};
use model::{Citation, Commitment, Envelope, Index, Lane, MemberSet, Origin, Tlp};
use store::{LogId, ObjectState, StatementId, StatementRow, StoreError};

use crate::append::Appended;
use crate::audience::{self, AudienceError};
use crate::limits;
use crate::ports::random_bytes;
use crate::query;
use crate::work::Work;

/// Why a withdrawal was refused.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not an own statement.
    #[error("this node has said nothing at `{0}`: only the owner can withdraw, ask the partner that said it")]
    Unknown(Index),
    /// Already taken back.
    #[error("statement {0} is withdrawn already")]
    Already(Index),
    /// Its kind cannot be withdrawn.
    #[error("statement {0} is itself about sharing: say a new one instead of withdrawing it")]
    Workflow(Index),
    /// The law holds it.
    #[error("statement {0} is under legal hold {1}: stop sharing it, or release the hold first")]
    Held(Index, store::HoldId),
    /// A reason that is too long.
    #[error("the reason is longer than 4,000 bytes: shorten it")]
    Reason,
    /// The audience could not be addressed.
    #[error(transparent)]
    Audience(#[from] AudienceError),
}

/// What a withdrawal did.
#[derive(Debug, Clone)]
pub struct Withdrawn {
    /// The withdrawal's own entry.
    pub appended: Appended,
    /// Everyone who ever had the statement and is told.
    pub told: Vec<Origin>,
}

/// Takes back a statement of the own log.
///
/// # Errors
/// It is not ours, not there, taken back already, or to be erased though the law holds it.
pub fn withdraw(
    work: &mut Work<'_, '_>,
    index: Index,
    action: WithdrawalAction,
    reason: &str,
) -> Result<Withdrawn, WithdrawError> {
    withdraw_from(work, work.me.log, index, action, reason)
}

/// Takes back a statement of the own log, or of a log of ours before it. That one says nothing any more, so only the
/// audience as it is now hears of it.
///
/// # Errors
/// As [`withdraw`].
pub fn withdraw_from(
    work: &mut Work<'_, '_>,
    log: LogId,
    index: Index,
    action: WithdrawalAction,
    reason: &str,
) -> Result<Withdrawn, WithdrawError> {
    let target = work.tx.statement_at(log, index)?.ok_or(WithdrawError::Unknown(index))?;
    if action == WithdrawalAction::Purge
        && let Some(hold) = work.tx.hold_on_statement(target.id)?
    {
        return Err(WithdrawError::Held(index, hold));
    }
    take_back(work, log, index, action, reason)
}

/// The same, whatever the law holds: the fold then keeps what it does.
pub(crate) fn take_back(
    work: &mut Work<'_, '_>,
    log: LogId,
    index: Index,
    action: WithdrawalAction,
    reason: &str,
) -> Result<Withdrawn, WithdrawError> {
    if reason.len() > model::limits::TEXT_BYTES {
        return Err(WithdrawError::Reason);
    }
    let target = work.tx.statement_at(log, index)?.ok_or(WithdrawError::Unknown(index))?;
    let object = work.tx.object(target.id)?.ok_or(WithdrawError::Unknown(index))?;
    let purge_after_stop = object.state == ObjectState::Withdrawn && action == WithdrawalAction::Purge;
    if object.state != ObjectState::Live && !purge_after_stop {
        return Err(WithdrawError::Already(index));
    }
    if object.lane == Lane::Workflow {
        return Err(WithdrawError::Workflow(index));
    }
    let is_current = log == work.me.log;
    let commitment = if is_current { work.own_commitment(index)? } else { work.tx.commitment(log, index)? };
    let commitment = commitment.ok_or(WithdrawError::Unknown(index))?;
    if action == WithdrawalAction::Purge {
        work.note_purge();
    }
    let had = query::reached(work.tx, target.id)?;
    tell(work, &target, had, commitment, action, reason)
}

/// Says again, after a recovery, that what was purged is taken back: the purge list outlived the withdrawal, which went
/// with the database and with nobody who could give it back. Else whoever holds the statement would go on believing it,
/// though its owner was told that it is taken back, and has no body left to say anything about.
///
/// # Errors
/// The database, or the audience could not be addressed.
pub(crate) fn again_after_purge(work: &mut Work<'_, '_>) -> Result<u64, WithdrawError> {
    let (mut said, mut after) = (0, None);
    loop {
        let rows = work.tx.erased_unwithdrawn(work.me.log, after, limits::REBUILD_STEP)?;
        let Some(last) = rows.last() else { return Ok(said) };
        after = Some(last.index);
        for target in &rows {
            let envelope = own_envelope(target)?;
            let Some(commitment) = work.own_commitment(target.index)? else { continue };
            if envelope.lane == Lane::Workflow {
                continue;
            }
            let had = ever_reached(work, target.id, &envelope)?;
            let reason = "it was purged, and what said so was lost with a database";
            tell(work, target, had, commitment, WithdrawalAction::Purge, reason)?;
            said += 1;
        }
    }
}

/// Everyone who may have had a statement of a log that was fetched back: whoever was ever in its audience, since who was
/// given its history went with the database.
///
/// # Errors
/// The database.
pub(crate) fn ever_reached(
    work: &Work<'_, '_>,
    statement: StatementId,
    envelope: &Envelope,
) -> Result<MemberSet, StoreError> {
    let mut had = Vec::from(query::reached(work.tx, statement)?);
    if envelope.label.tlp != Tlp::Red {
        for version in work.tx.audience_history(work.me.log, &envelope.audience.id)? {
            had.extend(Vec::from(work.tx.set_members(version.set)?));
        }
    }
    MemberSet::new(had).map_err(|error| StoreError::Corrupt { what: error.to_string() })
}

fn own_envelope(row: &StatementRow) -> Result<Envelope, StoreError> {
    envelope::decode(&row.envelope)
        .map_err(|error| StoreError::Corrupt { what: format!("own envelope at {}: {error}", row.index) })
}

/// Says the withdrawal, and tells everyone who had what is withdrawn.
fn tell(
    work: &mut Work<'_, '_>,
    target: &StatementRow,
    had: MemberSet,
    commitment: Commitment,
    action: WithdrawalAction,
    reason: &str,
) -> Result<Withdrawn, WithdrawError> {
    let envelope = own_envelope(target)?;
    let lane = envelope.lane;
    let is_current = target.log == work.me.log;
    let citation = Citation { origin: work.tx.origin(target.log)?, index: target.index, commitment };
    let appended = say(work, envelope, &had, citation, action, reason)?;
    // The rows come after the statement, so that a receiver knows who took it back before it is told to obey.
    let set = work.tx.intern_set(&had)?;
    let kind = journal::wire::ReleaseKind::Withdraw.code();
    if is_current && !had.as_slice().is_empty() {
        work.tx.release(kind, lane, target.id, set, work.now)?;
    }
    Ok(Withdrawn { appended, told: Vec::from(had) })
}

fn say(
    work: &mut Work<'_, '_>,
    envelope: Envelope,
    had: &MemberSet,
    citation: Citation,
    action: WithdrawalAction,
    reason: &str,
) -> Result<Appended, WithdrawError> {
    let walled = envelope.walled;
    let common = Common::new(Withdrawal::KIND, random_bytes(work.random), &work.me.origin, work.now)
        .map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    let withdrawal = Withdrawal { common, target: citation, action, reason: reason.to_owned() };
    let body = withdrawal.to_bytes();
    if envelope.label.tlp == Tlp::Red {
        return Ok(audience::say_red(work, envelope.audience, walled, &body)?);
    }
    // To the audience as it is now; those who have left it since are told by the content-free row alone.
    let now = work.tx.audience(work.me.log, &envelope.audience.id)?;
    let (at, set) = match now {
        Some(row) => {
            let target = audience::target(work.tx, &row)?;
            (target.at, row.set)
        }
        None => (envelope.audience, work.tx.intern_set(had)?),
    };
    Ok(audience::say_workflow(work, at, set, None, walled, &body)?)
}
