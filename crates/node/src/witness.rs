//! Having witnesses: which partners cosign our checkpoints, and the worker that asks them.
//!
//! One round at a time: the newest checkpoint goes to every witness at once, and each has one request in flight. What
//! is said meanwhile waits for the next round, so that load makes rounds larger and not more frequent. A checkpoint
//! that k witnesses have cosigned is kept with their lines: its entries are *witnessed*.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use journal::log_keys::LogKeys;
use journal::note::{self, NoteVerifier};
use journal::tree::{self, ProofError};
use journal::witness::AddCheckpoint;
use model::{Origin, Timestamp};
use store::{Db, LogId, PartnerRow, PartnerState, StoreError, WitnessedRow};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;

use crate::identities;
use crate::limits;
use crate::me::Me;
use crate::partner::{self, PartnerError};
use crate::ports::{PartnerAddress, Transport, WitnessAnswer};
use crate::work::{View, Work};
use crate::writer::Node;

/// The setting that holds k of k-of-n.
const THRESHOLD: &str = "witness-threshold";

/// Why witnesses were not chosen.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such partner.
    #[error(transparent)]
    Partner(#[from] PartnerError),
    /// Not confirmed, held or cut.
    #[error("{0} is not an active partner: a witness must be one")]
    NotActive(String),
    /// Too many.
    #[error("a log has at most {} witnesses", limits::WITNESSES)]
    TooMany,
    /// A threshold that nothing can reach, or that everything reaches.
    #[error("the threshold is a number from 1 to {0}, the number of witnesses")]
    Threshold(usize),
}

/// One witness of our log.
#[derive(Debug, Clone)]
pub struct Witness {
    /// The partner.
    pub partner: PartnerRow,
    /// The key with which it cosigns.
    pub key: NoteVerifier,
}

/// The witnesses of our log, and how many of them must have cosigned.
#[derive(Debug, Clone)]
pub struct Quorum {
    /// In the order in which they became known; those that are no longer active too.
    pub witnesses: Vec<Witness>,
    /// k of k-of-n, at least 1.
    pub threshold: usize,
}

/// The witnesses of our log as they are chosen now.
///
/// # Errors
/// The database.
pub fn quorum(db: &Db<'_>) -> Result<Quorum, StoreError> {
    let mut witnesses = Vec::new();
    for log in db.witnesses()? {
        if let Some(partner) = db.partner(log)? {
            witnesses.push(Witness { key: key_of(&partner)?, partner });
        }
    }
    let chosen = db.setting(THRESHOLD)?.and_then(|text| text.parse().ok());
    let threshold = chosen.unwrap_or(majority(witnesses.len()));
    Ok(Quorum { witnesses, threshold })
}

/// More than half: two groups that cosign different histories must then share a witness.
const fn majority(of: usize) -> usize {
    of / 2 + 1
}

/// The key with which a partner cosigns, as its identity says.
///
/// # Errors
/// The identity in the database does not verify.
pub fn key_of(partner: &PartnerRow) -> Result<NoteVerifier, StoreError> {
    let broken = |why: String| StoreError::Corrupt { what: format!("identity of {}: {why}", partner.origin) };
    let known = identities::identity_of(&partner.identity, partner)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&known.witness_key).map_err(|error| broken(error.to_string()))?;
    NoteVerifier::witness(&partner.origin.to_string(), key).map_err(|error| broken(error.to_string()))
}

/// Chooses the witnesses of our log by name, and k of k-of-n; without it more than half.
///
/// # Errors
/// See [`ChooseError`]; nothing changes then.
pub fn choose(work: &mut Work<'_, '_>, names: &[String], threshold: Option<usize>) -> Result<(), ChooseError> {
    let mut logs = Vec::new();
    for name in names {
        let row = partner::find(work.tx, name)?;
        if row.state != PartnerState::Active {
            return Err(ChooseError::NotActive(row.origin.country().to_string()));
        }
        if !logs.contains(&row.log) {
            logs.push(row.log);
        }
    }
    if logs.len() > limits::WITNESSES {
        return Err(ChooseError::TooMany);
    }
    let threshold = threshold.unwrap_or(majority(logs.len()));
    if !logs.is_empty() && (threshold == 0 || threshold > logs.len()) {
        return Err(ChooseError::Threshold(logs.len()));
    }
    work.tx.set_witnesses(&logs)?;
    work.tx.set_setting(THRESHOLD, &threshold.to_string())?;
    Ok(())
}

/// Who cosigned a checkpoint, by the keys of our partners' identities and our own, and when.
///
/// # Errors
/// The database.
pub fn cosigners(view: &View<'_, '_>, row: &WitnessedRow) -> Result<Vec<(Origin, Timestamp)>, StoreError> {
    cosigners_of(view.db, view.me, row)
}

/// The same, for whoever is writing.
pub(crate) fn cosigners_of(db: &Db<'_>, me: &Me, row: &WitnessedRow) -> Result<Vec<(Origin, Timestamp)>, StoreError> {
    let mut keys = own_keys(me)?;
    for partner in db.partners()? {
        keys.extend(identities::witness_keys(&partner)?);
    }
    // Every line was verified before it was kept; a key that was changed since no longer counts.
    let Ok(opened) = note::open(&row.note, &keys) else { return Ok(Vec::new()) };
    let read = |one: note::Cosigned| {
        let at = Timestamp::from_seconds(i64::try_from(one.seconds).unwrap_or(i64::MAX / 1_000_000));
        one.witness.parse().ok().map(|origin| (origin, at))
    };
    Ok(opened.cosigned.into_iter().filter_map(read).collect())
}

/// The keys with which we cosign and have cosigned, the newest first.
///
/// # Errors
/// The identity names no key.
pub fn own_keys(me: &Me) -> Result<Vec<NoteVerifier>, StoreError> {
    let broken = |why: String| StoreError::Corrupt { what: format!("own witness key: {why}") };
    journal::log_keys::witness_keys(&me.identity).map_err(|error| broken(error.to_string()))
}

pub(crate) fn key_of_me(me: &Me) -> Result<NoteVerifier, StoreError> {
    let broken = |why: String| StoreError::Corrupt { what: format!("own witness key: {why}") };
    let key = ed25519_dalek::VerifyingKey::from_bytes(&me.identity.witness_key);
    let key = key.map_err(|error| broken(error.to_string()))?;
    NoteVerifier::witness(&me.origin.to_string(), key).map_err(|error| broken(error.to_string()))
}

/// The keys of every log and witness that we know, ours first, as lines of a file that checks proofs.
///
/// # Errors
/// The database.
pub fn keys(view: &View<'_, '_>) -> Result<Vec<NoteVerifier>, StoreError> {
    let of_log = |origin: &Origin, keys: LogKeys| {
        let broken = |why: String| StoreError::Corrupt { what: format!("log key of {origin}: {why}") };
        keys.verifiers(origin).map_err(|error| broken(error.to_string()))
    };
    let mut keys = of_log(&view.me.origin, identities::own_log_keys(view.me)?)?;
    keys.extend(own_keys(view.me)?);
    for (log, origin) in view.db.logs()? {
        if let Some(of) = identities::former_log_keys(view.db, &view.me.identity, log)? {
            keys.extend(of_log(&origin, of)?);
        }
    }
    let partners = view.db.partners()?;
    let is_succeeded = |row: &PartnerRow| crate::partner::is_succeeded(row, &partners);
    for partner in &partners {
        if is_succeeded(partner) {
            // Its successor has its witness key; what the old log said is proved with the old log's keys.
            keys.extend(of_log(&partner.origin, identities::log_keys(view.db, partner)?)?);
        } else if matches!(partner.state, PartnerState::Active | PartnerState::Held) {
            keys.extend(of_log(&partner.origin, identities::log_keys(view.db, partner)?)?);
            keys.extend(identities::witness_keys(partner)?);
        }
    }
    Ok(keys)
}

/// The same as lines of a file that checks proofs, and what the owners of those logs no longer stand by.
///
/// # Errors
/// The database.
pub fn key_lines(view: &View<'_, '_>) -> Result<Vec<String>, StoreError> {
    let mut lines: Vec<String> = keys(view)?.iter().map(ToString::to_string).collect();
    for (log, origin) in view.db.logs()? {
        let spans = view.db.repudiations(log)?;
        lines.extend(spans.iter().map(|(from, to)| format!("{}{origin} {from} {to}", note::REPUDIATED)));
    }
    Ok(lines)
}

/// How one witness stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The size that it cosigned last, and when it answered.
    pub cosigned: Option<(u64, Timestamp)>,
    /// Why its last answer was none.
    pub why: Option<String>,
}

/// How the witnesses stand, kept by the worker and read by screens. Memory only: it is about this run.
#[derive(Debug, Default)]
pub struct Witnessing(Mutex<HashMap<LogId, Standing>>);

impl Witnessing {
    /// How one witness stands; the default before it was first asked.
    #[must_use]
    pub fn of(&self, log: LogId) -> Standing {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&log).cloned().unwrap_or_default()
    }
    fn note(&self, log: LogId, told: Result<(u64, Timestamp), String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = all.entry(log).or_default();
        match told {
            Ok(cosigned) => *standing = Standing { cosigned: Some(cosigned), why: None },
            Err(why) => standing.why = Some(why),
        }
    }
}

/// Asks the witnesses of our log until `stop` says so.
pub async fn run(node: Node, transport: Arc<dyn Transport>, mut stop: watch::Receiver<bool>) {
    let mut changes = node.changes();
    let mut worker = Worker {
        node: node.clone(),
        transport,
        quorum: Quorum { witnesses: Vec::new(), threshold: 1 },
        round: None,
        sizes: HashMap::new(),
        busy: HashSet::new(),
        rest: HashMap::new(),
        tasks: JoinSet::new(),
    };
    let mut partners = Box::pin(node.partners_changed());
    worker.reload().await;
    loop {
        changes.mark_unchanged();
        worker.ask_all();
        let pause = worker.pause();
        tokio::select! {
            () = stopped(&mut stop) => return,
            Some(told) = worker.tasks.join_next() => match told {
                Ok(told) => worker.hear(told).await,
                Err(error) => tracing::error!(%error, "asking a witness ended early"),
            },
            () = &mut partners => {
                partners = Box::pin(node.partners_changed());
                worker.reload().await;
            }
            _ = changes.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Ends when the worker is to end. The guard that `wait_for` gives must not outlive it: it cannot cross threads.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A checkpoint that the witnesses are asked to cosign.
struct Round {
    size: u64,
    note: String,
    began: Instant,
    /// Signature lines, and whose.
    lines: Vec<(LogId, String)>,
    witnessed: bool,
}

struct Worker {
    node: Node,
    transport: Arc<dyn Transport>,
    quorum: Quorum,
    round: Option<Round>,
    /// What each witness cosigned last, as far as we know.
    sizes: HashMap<LogId, u64>,
    busy: HashSet<LogId>,
    /// Until when a witness is left alone after a failure.
    rest: HashMap<LogId, Instant>,
    tasks: JoinSet<Told>,
}

/// What came of asking one witness.
struct Told {
    log: LogId,
    size: u64,
    outcome: Result<String, String>,
}

impl Worker {
    /// Reads who the witnesses are, and begins anew: what the chosen ones have cosigned may not be enough any more.
    async fn reload(&mut self) {
        match self.node.read(|view| quorum(view.db)).await {
            Ok(quorum) => {
                self.quorum = quorum;
                self.round = None;
            }
            Err(error) => tracing::error!(%error, "the witnesses could not be read"),
        }
    }

    /// Begins a round if one is due, and asks every witness that is free and has not cosigned it.
    fn ask_all(&mut self) {
        if self.quorum.witnesses.is_empty() {
            return;
        }
        self.begin();
        let Some(round) = &self.round else { return };
        let now = Instant::now();
        for witness in &self.quorum.witnesses {
            let log = witness.partner.log;
            let done = round.lines.iter().any(|(of, _)| *of == log);
            let resting = self.rest.get(&log).is_some_and(|until| *until > now);
            if done || resting || witness.partner.state != PartnerState::Active || !self.busy.insert(log) {
                continue;
            }
            let ask = Ask {
                node: self.node.clone(),
                transport: Arc::clone(&self.transport),
                witness: witness.clone(),
                size: round.size,
                note: round.note.clone(),
                last: self.sizes.get(&log).copied().unwrap_or(0),
            };
            self.tasks.spawn(ask.run().in_current_span());
        }
    }

    /// Takes the newest checkpoint as the next round, if it is due: at once for the workflow lane, else when enough
    /// time has passed; and never while a round is under way that may still succeed.
    fn begin(&mut self) {
        let signed = self.node.signed();
        let due = match &self.round {
            None => signed.size > 0,
            Some(round) if signed.size <= round.size => false,
            Some(round) => {
                let age = round.began.elapsed();
                let free = round.witnessed || age >= Duration::from_secs(limits::WITNESS_ROUND_SECONDS);
                free && (signed.workflow > round.size || age >= Duration::from_secs(limits::WITNESS_BULK_SECONDS))
            }
        };
        if due {
            let (size, note) = (signed.size, signed.text.clone());
            self.round = Some(Round { size, note, began: Instant::now(), lines: Vec::new(), witnessed: false });
        }
    }

    /// How long nothing will be due unless something happens.
    fn pause(&self) -> Duration {
        match &self.round {
            // Somebody may have to be asked again, or a bulk round becomes due.
            Some(round) if !round.witnessed || self.node.signed().size > round.size => Duration::from_secs(1),
            Some(_) | None => Duration::from_secs(limits::WITNESS_BULK_SECONDS),
        }
    }

    async fn hear(&mut self, told: Told) {
        let Told { log, size, outcome } = told;
        self.busy.remove(&log);
        let line = match outcome {
            Ok(line) => line,
            Err(why) => {
                tracing::debug!(%why, "a witness did not cosign");
                self.rest.insert(log, Instant::now() + Duration::from_secs(limits::WITNESS_PAUSE_SECONDS));
                return self.node.witnessing().note(log, Err(why));
            }
        };
        self.sizes.insert(log, size);
        self.node.witnessing().note(log, Ok((size, self.node.now())));
        if let Some(round) = self.round.as_mut().filter(|round| round.size == size) {
            round.lines.push((log, line));
            self.keep().await;
        }
    }

    /// Keeps the round's checkpoint once enough witnesses have cosigned it, and each further line.
    async fn keep(&mut self) {
        let Some(round) = self.round.as_mut() else { return };
        if round.lines.len() < self.quorum.threshold {
            return;
        }
        let lines: String = round.lines.iter().map(|(_, line)| line.as_str()).collect();
        let (size, note, witnesses) = (round.size, format!("{}{lines}", round.note), round.lines.len() as u64);
        let kept = self.node.write(move |work| {
            let row = WitnessedRow { size, note, witnesses, at: work.now };
            work.tx.put_witnessed(work.me.log, &row)
        });
        match kept.await {
            Ok(()) => round.witnessed = true,
            Err(error) => tracing::warn!(%error, "a witnessed checkpoint was not kept"),
        }
    }
}

/// One request to one witness.
struct Ask {
    node: Node,
    transport: Arc<dyn Transport>,
    witness: Witness,
    size: u64,
    note: String,
    last: u64,
}

impl Ask {
    async fn run(self) -> Told {
        Told { log: self.witness.partner.log, size: self.size, outcome: self.cosignature().await }
    }

    /// Asks from where the witness is, as far as we know; told better, once more from there.
    async fn cosignature(&self) -> Result<String, String> {
        let mut old = self.last;
        for _ in 0..2 {
            let request = self.request(old).await?;
            let address = &self.witness.partner.address;
            let to = PartnerAddress { address: address.clone(), pins: self.witness.partner.pins.clone() };
            match self.transport.add_checkpoint(&to, request.write()).await.map_err(|error| error.reason)? {
                WitnessAnswer::Lines(lines) => return self.line(&lines),
                WitnessAnswer::Size(size) if size > self.node.signed().size => {
                    // A number is no proof: what the witness holds of our log is looked at.
                    self.node.tell_doubt();
                    return Err(format!(
                        "it has cosigned {size} entries of our log, and this node has signed fewer: another copy of \
                         it speaks, or it was set back"
                    ));
                }
                WitnessAnswer::Size(size) if size > self.size => {
                    return Err(format!("it has cosigned {size} entries already"));
                }
                WitnessAnswer::Size(size) => old = size,
            }
        }
        Err("it names another last size each time".to_owned())
    }

    async fn request(&self, old: u64) -> Result<AddCheckpoint, String> {
        let (size, note) = (self.size, self.note.clone());
        let made = self.node.read(move |view| {
            let proof = match old {
                0 => Ok(Vec::new()),
                old => tree::consistency_proof(&view.db.tiles(view.me.log), old, size),
            };
            let proof =
                proof.map_err(|error: ProofError<StoreError>| StoreError::Corrupt { what: error.to_string() })?;
            Ok::<_, StoreError>(AddCheckpoint { old, proof, checkpoint: note })
        });
        made.await.map_err(|error| error.to_string())
    }

    /// The line of this witness, once it is verified.
    fn line(&self, lines: &str) -> Result<String, String> {
        let mine = |line: &&str| {
            let note = format!("{}{line}\n", self.note);
            note::open(&note, std::slice::from_ref(&self.witness.key)).is_ok_and(|opened| !opened.cosigned.is_empty())
        };
        let found = lines.lines().take(limits::WITNESS_LINES).find(mine);
        found.map(|line| format!("{line}\n")).ok_or_else(|| "its cosignature does not hold".to_owned())
    }
}
