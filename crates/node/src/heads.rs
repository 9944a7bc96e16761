//! Gossip about chains: the members of an audience compare where its chains end for each of them, so that a log which
//! shows one of two statements in a place to each of two members is found out (architecture §3, "Gossip").
//!
//! What a partner says of a chain is not signed and accuses nobody. Where it names another statement than stands with us,
//! each shows the other its own: envelope, salt and commitment, never the body, with the proof that it stands in the log.
//! An envelope is shown only to a partner that was in the audience to which it was said: its log owed it the same.

use journal::evidence_file::TwoStatements;
use journal::heads::{Head, Heads};
use journal::note::NoteVerifier;
use journal::proof::{Extra, ProofFile};
use journal::sync::{Evidence, EvidenceKind};
use journal::wire::MAX_NOTE_BYTES;
use journal::{envelope, tree};
use model::{AudienceId, Commitment, Envelope, Index, Lane, Origin, Timestamp};
use store::{ChainOf, ChainTail, Db, Disputed, HeardHead, LogId, PartnerRow, PartnerState, StatementRow, StoreError};

use crate::body;
use crate::limits;
use crate::ports::Signer;
use crate::receive;
use crate::work::{View, Work};

/// What we tell a partner: what stands with us where it said that something else stands, and where the chains of the
/// audiences end in which both of us are.
///
/// # Errors
/// The database.
pub(crate) fn notes(view: &View<'_, '_>, partner: &PartnerRow) -> Result<Vec<String>, StoreError> {
    let mut notes = Vec::new();
    for disputed in view.db.disputed_with(partner.log, limits::DISPUTES)? {
        if let Some(row) = our_side(view.db, &disputed.chain, disputed.sequence)?
            && let Some(envelope) = envelope_of(&row)
            && both_in(view.db, &view.me.origin, &disputed.chain, envelope.audience.version, &partner.origin)?
            && let Some(proof) = sealed_proof(view.db, view.signer, &row)?
        {
            notes.push(proof.write());
        }
    }
    let mut heads: Vec<(LogId, Head)> = Vec::new();
    for (chain, tail) in window(view, partner)? {
        if let Some(row) = at(view.db, &chain, tail.sequence)?
            && let Some(envelope) = envelope_of(&row)
            && both_in(view.db, &view.me.origin, &chain, envelope.audience.version, &partner.origin)?
        {
            let ChainOf { log, audience, lane } = chain;
            let ChainTail { sequence, commitment } = tail;
            heads.push((log, Head { audience, version: envelope.audience.version, lane, sequence, commitment }));
        }
    }
    for of_one in heads.chunk_by(|a, b| a.0 == b.0) {
        let Some((log, _)) = of_one.first() else { continue };
        let origin = view.db.origin(*log)?;
        for some in of_one.chunks(journal::limits::HEADS) {
            // The note wants them by lane code, as the database sorts them, each once.
            let heads = some.iter().map(|(_, head)| *head).collect();
            notes.push(Heads { origin: origin.clone(), heads }.write());
        }
    }
    notes.retain(|note| note.len() <= MAX_NOTE_BYTES);
    Ok(notes)
}

/// The chains whose ends are told this time: when there are too many for one page, others the next time.
fn window(view: &View<'_, '_>, partner: &PartnerRow) -> Result<Vec<(ChainOf, ChainTail)>, StoreError> {
    let mut shared = view.db.chains_shared_with(partner.log, limits::CHAINS)?;
    shared.retain(|(chain, _)| chain.log != view.me.log && chain.log != partner.log);
    if shared.len() > limits::HEADS_TOLD {
        let seconds = view.now.micros().unsigned_abs() / 1_000_000;
        let turn = usize::try_from(seconds / limits::GOSSIP_SECONDS).unwrap_or(0);
        let from = turn.wrapping_mul(limits::HEADS_TOLD) % shared.len();
        let rest = shared.len() - from;
        shared = shared.into_iter().skip(from).take(limits::HEADS_TOLD.min(rest)).collect();
    }
    Ok(shared)
}

/// How a place that a partner names stands to what we hold.
enum Compared {
    /// The same stands there with us.
    Same,
    /// Something else stands there with us, or must.
    Other,
    /// It lies beyond what we hold.
    Beyond,
    /// We do not hold that part of the chain.
    Unknown,
}

/// Takes what a partner says of chains.
///
/// # Errors
/// The database.
pub(crate) fn hear(work: &mut Work<'_, '_>, from: LogId, heads: &Heads) -> Result<(), StoreError> {
    let Some(partner) = followed(work, from, &heads.origin)? else { return Ok(()) };
    let sender = work.tx.origin(from)?;
    for head in &heads.heads {
        let Head { audience, version, lane, sequence, commitment } = *head;
        let chain = ChainOf { log: partner.log, audience, lane };
        if !both_in(work.tx, &work.me.origin, &chain, version, &sender)? {
            continue;
        }
        match compare(work.tx, &chain, sequence, &commitment)? {
            Compared::Same => {
                work.tx.forget_heard_head(&chain, from)?;
                work.tx.forget_disputed(&chain, from)?;
            }
            Compared::Other => dispute(work, chain, from, sequence)?,
            Compared::Beyond => {
                let since = work.now;
                work.tx.put_heard_head(&HeardHead { chain, sender: from, sequence, version, commitment, since })?;
            }
            Compared::Unknown => {}
        }
    }
    Ok(())
}

/// From now on this partner is shown what stands with us, so that it can prove that the log shows two chains.
fn dispute(work: &Work<'_, '_>, chain: ChainOf, with: LogId, sequence: u64) -> Result<(), StoreError> {
    tracing::warn!(%with, log = %chain.log, sequence, "a partner holds another statement in a place of an audience");
    work.tx.forget_heard_head(&chain, with)?;
    work.tx.put_disputed(&Disputed { chain, partner: with, sequence })
}

/// Once more of a log is here: is it what partners said? Called after statements were taken.
///
/// # Errors
/// The database.
pub(crate) fn settle(work: &Work<'_, '_>, log: LogId) -> Result<(), StoreError> {
    for heard in work.tx.heard_heads(log)? {
        match compare(work.tx, &heard.chain, heard.sequence, &heard.commitment)? {
            Compared::Beyond => {}
            Compared::Other => dispute(work, heard.chain, heard.sender, heard.sequence)?,
            Compared::Same | Compared::Unknown => work.tx.forget_heard_head(&heard.chain, heard.sender)?,
        }
    }
    Ok(())
}

/// Takes a statement of another's log that a partner shows us: the log is held if it excludes one that we hold.
///
/// # Errors
/// The database.
pub(crate) fn hear_proof(work: &mut Work<'_, '_>, from: LogId, theirs: &ProofFile) -> Result<(), StoreError> {
    let Some(partner) = followed(work, from, &theirs.extra.origin)? else { return Ok(()) };
    let Ok(said) = envelope::decode(&theirs.extra.opening.envelope) else { return Ok(()) };
    let Some(slot) = said.slot else { return Ok(()) };
    let Some(key) = note_key(&partner) else { return Ok(()) };
    let chain = ChainOf { log: partner.log, audience: said.audience.id, lane: said.lane };
    let places = [Some(slot.sequence), slot.sequence.checked_add(1), slot.sequence.checked_sub(1)];
    for sequence in places.into_iter().flatten() {
        let Some(row) = at(work.tx, &chain, sequence)? else { continue };
        let Some(ours) = sealed_proof(work.tx, work.signer, &row)? else { continue };
        let Some(two) = TwoStatements::new(ours, theirs.clone()) else { return Ok(()) };
        if two.verify(std::slice::from_ref(&key)).is_ok() {
            return two_statements(work, &partner, from, &two, sequence, &chain);
        }
    }
    Ok(())
}

fn two_statements(
    work: &mut Work<'_, '_>,
    partner: &PartnerRow,
    from: LogId,
    two: &TwoStatements,
    sequence: u64,
    chain: &ChainOf,
) -> Result<(), StoreError> {
    dispute(work, *chain, from, sequence)?;
    let who = work.tx.origin(from)?;
    let (first, second): (Index, Index) = (two.first.index, two.second.index);
    let kind = EvidenceKind::SlotConflict { first, second };
    let summary = format!(
        "the log shows two statements in one place of an audience: entry {first} to us, and entry {second} to {}",
        who.country()
    );
    // People who resumed the partner knew of it: the same is not held against it again.
    let told = work.tx.evidence(Some(partner.log), KNOWN_EVIDENCE)?;
    if told.iter().any(|row| row.kind == kind.word() && row.summary == summary) {
        return Ok(());
    }
    tracing::warn!(partner = %partner.origin, "it shows two statements in one place: held, with evidence");
    let evidence = Evidence::new(&partner.origin, kind, summary);
    let evidence = evidence.with_ours(&two.first.write()).with_theirs(&two.second.write());
    receive::hold(work, partner.log, &evidence)
}

/// Newest pieces of evidence about a log that are looked through before the same is kept again.
const KNOWN_EVIDENCE: usize = 100;

/// A chain that reaches further at a partner than here, as it says, for longer than a delay explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beyond {
    /// Who says so.
    pub by: Origin,
    /// The audience.
    pub audience: AudienceId,
    /// The feed.
    pub lane: Lane,
    /// How many places it says that it holds beyond ours.
    pub more: u64,
    /// Since when.
    pub since: Timestamp,
}

/// What partners say that they hold of a log's audiences, beyond what was shown to us, for longer than
/// [`limits::BEYOND_SECONDS`].
///
/// # Errors
/// The database.
pub fn beyond(view: &View<'_, '_>, log: LogId) -> Result<Vec<Beyond>, StoreError> {
    let mut all = Vec::new();
    for heard in view.db.heard_heads(log)? {
        let ChainOf { log, audience, lane } = heard.chain;
        let tail = view.db.chain_tail(log, &audience, lane)?;
        let ours = tail.map_or(0, |tail| tail.sequence.saturating_add(1));
        let more = heard.sequence.saturating_add(1).saturating_sub(ours);
        let waited = view.now.micros().saturating_sub(heard.since.micros());
        let active = view.db.partner(heard.sender)?.is_some_and(|row| row.state == PartnerState::Active);
        if more > 0 && active && waited >= limits::BEYOND_SECONDS * 1_000_000 {
            all.push(Beyond { by: view.db.origin(heard.sender)?, audience, lane, more, since: heard.since });
        }
    }
    Ok(all)
}

/// The log that a note is about, if it is of an active partner other than the one that tells.
fn followed(work: &Work<'_, '_>, from: LogId, origin: &Origin) -> Result<Option<PartnerRow>, StoreError> {
    match work.tx.log_id(origin)? {
        Some(log) if log != from && log != work.me.log => {
            Ok(work.tx.partner(log)?.filter(|row| row.state == PartnerState::Active))
        }
        Some(_) | None => Ok(None),
    }
}

/// Were this partner and we in the audience at that version, as its log said it to us?
fn both_in(db: &Db<'_>, me: &Origin, chain: &ChainOf, version: u32, other: &Origin) -> Result<bool, StoreError> {
    let Some(row) = db.audience_version(chain, version)? else { return Ok(false) };
    let members = db.set_members(row.set)?;
    Ok(members.contains(me) && members.contains(other))
}

fn compare(db: &Db<'_>, chain: &ChainOf, sequence: u64, named: &Commitment) -> Result<Compared, StoreError> {
    let tail = db.chain_tail(chain.log, &chain.audience, chain.lane)?;
    if tail.is_none_or(|tail| sequence > tail.sequence) {
        return Ok(Compared::Beyond);
    }
    let stands = match at(db, chain, sequence)? {
        Some(row) => db.commitment(chain.log, row.index)?,
        // In a gap: the next one says what must stand before it.
        None => match sequence.checked_add(1) {
            Some(next) => at(db, chain, next)?.and_then(|row| envelope_of(&row)?.slot?.previous),
            None => None,
        },
    };
    Ok(match stands {
        None => Compared::Unknown,
        Some(stands) if stands == *named => Compared::Same,
        Some(_) => Compared::Other,
    })
}

/// What stands with us at a place, or right after it and says what must stand there.
fn our_side(db: &Db<'_>, chain: &ChainOf, sequence: u64) -> Result<Option<StatementRow>, StoreError> {
    match (at(db, chain, sequence)?, sequence.checked_add(1)) {
        (None, Some(next)) => at(db, chain, next),
        (found, _) => Ok(found),
    }
}

fn at(db: &Db<'_>, chain: &ChainOf, sequence: u64) -> Result<Option<StatementRow>, StoreError> {
    match db.at_place(chain, sequence)? {
        Some(statement) => db.statement(statement),
        None => Ok(None),
    }
}

fn envelope_of(row: &StatementRow) -> Option<Envelope> {
    envelope::decode(&row.envelope).ok()
}

fn note_key(partner: &PartnerRow) -> Option<NoteVerifier> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(&partner.log_key).ok()?;
    NoteVerifier::new(&partner.origin.to_string(), key).ok()
}

/// A statement of a partner's log without its body, with the proof that it stands there; `None` while no checkpoint
/// covers it.
///
/// # Errors
/// The database, or a row that is not what the log commits to.
pub(crate) fn sealed_proof(
    db: &Db<'_>,
    signer: &dyn Signer,
    row: &StatementRow,
) -> Result<Option<ProofFile>, StoreError> {
    let held = db.tree(row.log)?;
    let Some(checkpoint) = held.checkpoint.filter(|_| row.index.0 < held.size) else { return Ok(None) };
    let origin = db.origin(row.log)?;
    let hashes = tree::inclusion_proof(&db.tiles(row.log), row.index.0, held.size)
        .map_err(|error| StoreError::Corrupt { what: format!("replica of {origin}: {error}") })?;
    let opening = body::opening(db, signer, row, false)?;
    Ok(Some(ProofFile { extra: Extra { origin, opening }, index: row.index, hashes, checkpoint }))
}
