//! Gossip: partners tell each other the newest checkpoints that they hold of common logs, so that a log which shows
//! different histories to different partners is found out (architecture §3).
//!
//! What a partner says of another's log is only what that log signed: a made-up checkpoint does not verify, so nobody
//! can get somebody else held. A log is common when the partner is in an audience of it that we know: telling that we
//! follow it then tells nothing new.

use journal::checkpoint;
use journal::heads::{self as told, Heads};
use journal::proof::{self, ProofFile};
use journal::sync::{Evidence, EvidenceKind, Gossip, Replica};
use journal::tree;
use journal::verified::Verified;
use journal::wire::{MAX_NOTE_BYTES, MAX_NOTES};
use store::{HeardRow, LogId, PartnerRow, PartnerState, StoreError, WitnessedRow};

use crate::heads;
use crate::identities;
use crate::receive;
use crate::standing::{Alarm, Cause, Standing};
use crate::witness;
use crate::work::{View, Work};

/// What we tell a partner: our newest witnessed checkpoint, its own newest one as we hold it, those of common logs, and
/// where the chains of common audiences end.
///
/// # Errors
/// The database.
pub fn notes(view: &View<'_, '_>, partner: &PartnerRow) -> Result<Vec<String>, StoreError> {
    let mut notes: Vec<String> = view.db.witnessed(view.me.log)?.map(|row| row.note).into_iter().collect();
    notes.extend(view.db.tree(partner.log)?.checkpoint);
    for log in view.db.logs_shared_with(partner.log, MAX_NOTES)? {
        if log != view.me.log && log != partner.log {
            notes.extend(view.db.tree(log)?.checkpoint);
        }
    }
    notes.extend(heads::notes(view, partner)?);
    notes.retain(|note| note.len() <= MAX_NOTE_BYTES);
    notes.truncate(MAX_NOTES);
    Ok(notes)
}

/// Takes what a partner told us. What does not verify, or is of logs that we do not follow, says nothing.
///
/// # Errors
/// The database.
pub fn hear(work: &mut Work<'_, '_>, from: LogId, notes: &[String]) -> Result<(), StoreError> {
    for note in notes.iter().take(MAX_NOTES) {
        if told::is_heads(note) {
            if let Ok(heads) = Heads::read(note) {
                heads::hear(work, from, &heads)?;
            }
            continue;
        }
        if proof::is_proof(note) {
            if let Ok(theirs) = ProofFile::read(note) {
                heads::hear_proof(work, from, &theirs)?;
            }
            continue;
        }
        let Ok(claimed) = checkpoint::claimed(note) else { continue };
        if claimed.origin == work.me.origin {
            own(work, from, note)?;
            continue;
        }
        let Some(log) = work.tx.log_id(&claimed.origin)? else { continue };
        let Some(partner) = work.tx.partner(log)?.filter(|row| row.state == PartnerState::Active) else { continue };
        if log == from {
            witnessed(work, &partner, note)?;
        } else {
            of_another(work, &partner, from, note)?;
        }
    }
    Ok(())
}

/// A partner's own witnessed checkpoint: kept with the cosignatures of witnesses whom we know, if it is of the history
/// that we hold.
fn witnessed(work: &mut Work<'_, '_>, partner: &PartnerRow, note: &str) -> Result<(), StoreError> {
    let mut keys = vec![witness::key_of_me(work.me)?];
    for other in work.tx.partners()? {
        if other.log != partner.log {
            keys.extend(identities::witness_keys(&other)?);
        }
    }
    let Ok(signed) = identities::log_keys(work.tx, partner)?.verify(note, &partner.origin) else { return Ok(()) };
    let Ok(cosigned) = journal::note::open(note, &keys).map(|opened| opened.cosigned) else { return Ok(()) };
    if cosigned.is_empty() || signed.size > work.tx.tree(partner.log)?.size {
        return Ok(());
    }
    if root_at(work, partner.log, signed.size)? != signed.root {
        return two_histories(work, partner, note, "its own witnessed checkpoint");
    }
    let (size, witnesses) = (signed.size, cosigned.len() as u64);
    work.tx.put_witnessed(partner.log, &WitnessedRow { size, note: note.to_owned(), witnesses, at: work.now })
}

/// What a partner holds of another's log.
fn of_another(work: &mut Work<'_, '_>, partner: &PartnerRow, from: LogId, note: &str) -> Result<(), StoreError> {
    let frontier = work.tx.tree(partner.log)?.frontier;
    let replica = Replica::with_keys(partner.origin.clone(), identities::log_keys(work.tx, partner)?, frontier);
    match replica.gossip(note, |size| root_at(work, partner.log, size).ok()) {
        Gossip::Consistent | Gossip::Unfounded => Ok(()),
        Gossip::Ahead(ahead) => {
            let row = HeardRow { size: ahead.size, note: note.to_owned(), sender: from };
            work.tx.put_heard(partner.log, &row)
        }
        Gossip::Broken(_) => {
            let who = work.tx.origin(from)?;
            two_histories(work, partner, note, &format!("what it showed to {}", who.country()))
        }
    }
}

/// Once we hold as much of a log as was heard of it: is it the same history? Called whenever a replica has grown.
///
/// # Errors
/// The database.
pub(crate) fn settle(work: &mut Work<'_, '_>, partner: &PartnerRow, size: u64) -> Result<(), StoreError> {
    let Some(heard) = work.tx.heard(partner.log)?.filter(|heard| heard.size <= size) else { return Ok(()) };
    work.tx.forget_heard(partner.log)?;
    // It verified when it was heard; a key that was changed since says nothing of that log any more.
    let signed = identities::log_keys(work.tx, partner)?.verify(&heard.note, &partner.origin);
    let Ok(signed) = signed.map(Verified::into_inner) else { return Ok(()) };
    if root_at(work, partner.log, signed.size)? == signed.root {
        return Ok(());
    }
    let who = work.tx.origin(heard.sender)?;
    two_histories(work, partner, &heard.note, &format!("what it showed to {}", who.country()))
}

fn two_histories(work: &mut Work<'_, '_>, partner: &PartnerRow, theirs: &str, what: &str) -> Result<(), StoreError> {
    tracing::warn!(partner = %partner.origin, "it shows different histories to different partners: held, with evidence");
    let summary = format!("the log shows two histories: what it showed to us, and {what}");
    let evidence = Evidence::new(&partner.origin, EvidenceKind::Fork, summary).with_theirs(theirs);
    let evidence = match work.tx.tree(partner.log)?.checkpoint {
        Some(ours) => evidence.with_ours(&ours),
        None => evidence,
    };
    receive::hold(work, partner.log, &evidence)
}

/// What a partner holds of our own log. Signed with our key and not what this node signed: another copy of it speaks,
/// somebody has the key, or the database was set back. Nothing more is signed until that is known.
fn own(work: &mut Work<'_, '_>, from: LogId, note: &str) -> Result<(), StoreError> {
    let (origin, log) = (work.me.origin.clone(), work.me.log);
    let Ok(signed) = identities::own_log_keys(work.me)?.verify(note, &origin) else { return Ok(()) };
    let size = work.next_index().0;
    let known = signed.size <= size;
    if known && root_at(work, log, signed.size)? == signed.root {
        return Ok(());
    }
    let who = work.tx.origin(from)?.country();
    let more = format!("{who} holds {} entries that our key signed and that this node never had", signed.size);
    let again = work.recovered().ahead;
    let standing = match work.standing().clone() {
        stopped @ Standing::Stopped { .. } => stopped,
        _ if known => {
            Standing::Stopped { why: format!("{who} holds another history of {} entries by our key", signed.size) }
        }
        Standing::Recovering { cause, from, needs } => {
            Standing::Recovering { cause, from, needs: needs.max(signed.size) }
        }
        Standing::Speaking if again => Standing::Stopped { why: format!("{more}, for the second time") },
        Standing::Speaking => Standing::Recovering { cause: Cause::Ahead, from: size, needs: signed.size },
    };
    if !known && standing == *work.standing() {
        return Ok(());
    }
    let summary = format!("{more}: another copy of it speaks, or it was set back");
    tracing::error!(%summary, "our own log has another history");
    let evidence = Evidence::new(&origin, EvidenceKind::Fork, summary).with_theirs(note);
    let evidence = match work.tx.tree(log)?.checkpoint {
        Some(ours) => evidence.with_ours(&ours),
        None => evidence,
    };
    work.raise(Alarm { standing, evidence })
}

fn root_at(work: &Work<'_, '_>, log: LogId, size: u64) -> Result<tree::TreeHash, StoreError> {
    tree::root_at(&work.tx.tiles(log), size)
        .map_err(|error| StoreError::Corrupt { what: format!("tree of log {log}: {error}") })
}
