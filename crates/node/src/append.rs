//! The one way into the own log: envelope, commitment, sealed body, chain, release and view rows, in one transaction.

use domain::said::Said;
use journal::{commitment, envelope, seal};
use model::{
    AudienceAt, Commitment, Envelope, Index, Label, Lane, MediaType, Slot, ThreadId, ThreadVersion, Tlp, Walled,
};
use store::{Fate, NewStatement, SealedBody, SetId, StatementId, StoreError};

use crate::fold::{self, Arrived};
use crate::ports::random_bytes;
use crate::work::Work;

/// What an own statement is made of.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// Which feed.
    pub lane: Lane,
    /// The thread, and the commitment of its last version; `None` begins a thread.
    pub after: Option<(ThreadId, ThreadVersion, Commitment)>,
    /// To whom it is said.
    pub audience: AudienceAt,
    /// The same as the interned set; `None` exactly for RED.
    pub set: Option<SetId>,
    /// Who may see it.
    pub label: Label,
    /// Does it stand behind the wall, and as what?
    pub walled: Option<Walled>,
    /// What the body is.
    pub media: MediaType,
    /// The bytes as they came.
    pub body: &'a [u8],
}

/// Where an own statement went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// In the database.
    pub statement: StatementId,
    /// In the log.
    pub index: Index,
    /// What the log commits to.
    pub commitment: Commitment,
}

/// Appends one statement to the own log and opens it to its audience.
///
/// # Errors
/// The database; a view that the statement breaks is a programming error of ours and is reported as corruption.
pub fn append(work: &mut Work<'_, '_>, entry: &NewEntry<'_>, said: &Said) -> Result<Appended, StoreError> {
    let index = work.next_index();
    let envelope = envelope_of(work, entry)?;
    let envelope_bytes = envelope::encode(&envelope);
    let entry_salt = random_bytes(work.random);
    let body_salt = random_bytes(work.random);
    let body_commitment = commitment::body_commitment(&body_salt, entry.body);
    let commitment = commitment::commitment(&work.me.origin, &entry_salt, &envelope_bytes, &body_commitment);
    let key = seal::BodyKey::new(random_bytes(work.random));
    let wrapped = work.signer.wrapping_key().wrap(&key, random_bytes(work.random), &commitment);
    let ciphertext = seal::seal_body(&key, &commitment, entry.body);
    let statement = work.tx.insert_statement(&NewStatement {
        log: work.me.log,
        index,
        arrived: work.now,
        commitment,
        entry_salt,
        envelope: &envelope_bytes,
        body_commitment,
        sealed: Some(SealedBody { salt: body_salt, wrapped_key: &wrapped, ciphertext: &ciphertext }),
        fate: Fate::Fit,
    })?;
    work.add_entry(commitment, entry.lane);
    if let Some(set) = entry.set {
        work.tx.release(journal::wire::ReleaseKind::Open.code(), entry.lane, statement, set, work.now)?;
    }
    let arrived =
        Arrived { statement, log: work.me.log, index, commitment, envelope: &envelope, set: entry.set, purged: false };
    fold::fold(work.tx, work.me, &arrived, Some(said)).map_err(|error| match error {
        fold::FoldError::Store(error) => error,
        fold::FoldError::Unfit(reason) => {
            StoreError::Corrupt { what: format!("an own statement does not fold: {reason}") }
        }
        fold::FoldError::SlotConflict { .. } => {
            StoreError::Corrupt { what: "an own statement would take a slot that is taken".to_owned() }
        }
    })?;
    Ok(Appended { statement, index, commitment })
}

fn envelope_of(work: &mut Work<'_, '_>, entry: &NewEntry<'_>) -> Result<Envelope, StoreError> {
    let (thread, version, previous) = match entry.after {
        Some((thread, ThreadVersion(last), commitment)) => (thread, ThreadVersion(last + 1), Some(commitment)),
        None => (ThreadId::new(random_bytes(work.random)), ThreadVersion(0), None),
    };
    let slot = if entry.label.tlp == Tlp::Red {
        None
    } else {
        let tail = work.tx.chain_tail(work.me.log, &entry.audience.id, entry.lane)?;
        let gap = gap_in_chain(work, entry)?;
        Some(match tail {
            Some(tail) => Slot { sequence: tail.sequence + 1 + gap, previous: Some(tail.commitment) },
            None if gap > 0 => Slot { sequence: gap, previous: Some(Commitment::new([0; 32])) },
            None => Slot { sequence: 0, previous: None },
        })
    };
    Ok(Envelope {
        realm: work.me.realm().clone(),
        lane: entry.lane,
        thread,
        version,
        previous,
        audience: entry.audience,
        slot,
        label: entry.label,
        walled: entry.walled,
        media: entry.media,
    })
}

/// How many places are left free before the next one of a chain. After a recovery some of its places may be taken by
/// entries that were lost here and that somebody who was not asked holds: two statements in one place would be
/// evidence against us. The place before the new one stays free as well, so that nothing there contradicts it.
fn gap_in_chain(work: &Work<'_, '_>, entry: &NewEntry<'_>) -> Result<u64, StoreError> {
    let recovered = work.recovered();
    if recovered.gap == 0 {
        return Ok(0);
    }
    let end = match work.tx.chain_end(work.me.log, &entry.audience.id, entry.lane)? {
        Some(statement) => work.tx.statement(statement)?,
        None => None,
    };
    let is_new = end.is_some_and(|row| row.index.0 >= recovered.size);
    Ok(if is_new { 0 } else { recovered.gap + 1 })
}
