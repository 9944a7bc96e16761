//! The daemon: it renews each mandate's lease, ends every process of an account whose mandate does not stand, begins
//! sessions and writes them down. Where it does not run nobody comes in, and when it starts nobody is in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::sync::{Arc, Mutex, PoisonError};

use journal::note::NoteVerifier;
use model::extension::assistance::{Helper, Mandate};
use node::ports::Clock;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::GateError;
use super::authority::{Authority, helper_word};
use super::config::{Config, Guarded, Way};
use super::end;
use super::lease::{Shut, may_act, opened};
use super::recording::{Answer, Hello, Recording, read_head};
use crate::client::{Ask, Client};
use crate::keys::{io_error, replace_private};
use crate::limits;

/// What the node said last.
struct Held {
    note: String,
    /// When it signed, by its clock.
    seconds: i64,
    /// When it came, by a clock that nobody sets.
    came: Instant,
}

/// The daemon.
pub struct Daemon {
    config: Config,
    authority: Authority,
    own: NoteVerifier,
    clock: Arc<dyn Clock>,
    clients: BTreeMap<String, Client>,
    held: Mutex<BTreeMap<String, Held>>,
    sessions: Semaphore,
}

impl Daemon {
    /// Of a gate that `init` has made.
    ///
    /// # Errors
    /// A key or a token is missing.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, GateError> {
        let authority = Authority::of(&config);
        let own = authority.own()?;
        let made = config.mandates.iter().map(|one| Ok((one.id.clone(), config.client(one)?)));
        let clients = made.collect::<Result<_, GateError>>()?;
        let sessions = Semaphore::new(limits::GATE_SESSIONS);
        Ok(Self { config, authority, own, clock, clients, held: Mutex::default(), sessions })
    }

    /// Runs until it is told to stop; then nobody is in any more.
    ///
    /// # Errors
    /// Its socket can't be made.
    pub async fn run(self, stop: impl Future<Output = ()>, ready: impl FnOnce()) -> Result<(), GateError> {
        // Before anything is heard nothing stands: what an earlier daemon left behind ends here.
        self.end(&self.shut());
        let socket = self.config.socket();
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&socket, &error).into()),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&socket).map_err(|error| io_error(&socket, &error))?;
        // Whoever connects is known by the account that the system names.
        fs::set_permissions(&socket, Permissions::from_mode(0o666)).map_err(|error| io_error(&socket, &error))?;
        let gate = Arc::new(self);
        let renewing = gate.config.mandates.iter().map(|one| tokio::spawn(Arc::clone(&gate).renew_always(one.clone())));
        let renewing: Vec<_> = renewing.collect();
        let listening = tokio::spawn(Arc::clone(&gate).listen(listener));
        ready();
        let mut tick = interval(limits::GATE_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = tick.tick() => {
                    let (gate, shut) = (Arc::clone(&gate), gate.shut());
                    let _ = tokio::task::spawn_blocking(move || gate.end(&shut)).await;
                }
            }
        }
        listening.abort();
        renewing.iter().for_each(tokio::task::JoinHandle::abort);
        let all = gate.config.mandates.iter().flat_map(|one| &one.ways).map(|way| way.uid).collect();
        gate.end(&all);
        Ok(())
    }

    fn end(&self, uids: &BTreeSet<u32>) {
        if !uids.is_empty() {
            let ended = end::processes_of(uids);
            if ended > 0 {
                tracing::warn!(ended, "processes of accounts were ended whose mandate does not stand");
            }
        }
    }

    /// The accounts in which nobody may be now.
    fn shut(&self) -> BTreeSet<u32> {
        let mut uids = BTreeSet::new();
        for one in &self.config.mandates {
            let mandate = self.standing(&one.id).ok();
            let closed = one.ways.iter().filter(|way| !mandate.as_ref().is_some_and(|mandate| way.is_within(mandate)));
            uids.extend(closed.map(|way| way.uid));
        }
        uids
    }

    fn standing(&self, id: &str) -> Result<Mandate, Shut> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let one = held.get(id).ok_or(Shut::Nothing)?;
        // By both clocks: the machine's own may be set back.
        let age = i64::try_from(one.came.elapsed().as_secs()).unwrap_or(i64::MAX);
        if age > limits::LEASE_SECONDS {
            return Err(Shut::Old(age));
        }
        may_act(&self.config, &self.own, id, &one.note, self.clock.now())
    }

    async fn renew_always(self: Arc<Self>, one: Guarded) {
        let mut said = String::new();
        loop {
            let now = match self.renew(&one.id).await {
                Ok(()) => self.standing(&one.id).map_or_else(|shut| shut.to_string(), |_| "it stands".to_owned()),
                Err(error) => error,
            };
            // Each change once.
            if now != said {
                tracing::info!(mandate = one.id, "{now}");
                said = now;
            }
            sleep(limits::LEASE_PAUSE).await;
        }
    }

    /// Asks the node once. What is older than what is here is not taken.
    async fn renew(&self, id: &str) -> Result<(), String> {
        let client = self.clients.get(id).ok_or("no such mandate")?;
        let ask = Ask::get(format!("/leases/{id}"));
        let asked = timeout(limits::LEASE_ANSWER, client.bytes(&ask)).await.map_err(|_| "the node is too slow")?;
        let note = String::from_utf8(asked.map_err(|error| error.to_string())?.to_vec()).map_err(|_| "not text")?;
        let (.., seconds) = opened(&self.config, id, &note).map_err(|error| error.to_string())?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.get(id).is_some_and(|one| one.seconds > seconds) {
            return Err("the node's lease is older than the one before".to_owned());
        }
        replace_private(&self.config.lease(id), note.as_bytes()).map_err(|error| error.to_string())?;
        held.insert(id.to_owned(), Held { note, seconds, came: Instant::now() });
        Ok(())
    }

    /// Renews unless the node has just answered: no session begins on an old word.
    async fn fresh(&self, id: &str) -> Result<(), String> {
        let is_fresh = {
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(id).is_some_and(|one| one.came.elapsed() < limits::LEASE_FRESH)
        };
        if is_fresh { Ok(()) } else { self.renew(id).await }
    }

    async fn listen(self: Arc<Self>, listener: UnixListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let gate = Arc::clone(&self);
                    tokio::spawn(async move { gate.serve(stream).await });
                }
                Err(_) => sleep(limits::LEASE_PAUSE).await,
            }
        }
    }

    async fn serve(&self, stream: UnixStream) {
        let Ok(uid) = stream.peer_cred().map(|peer| peer.uid()) else { return };
        let Ok(_room) = self.sessions.try_acquire() else { return };
        let (from, mut to) = stream.into_split();
        let mut from = BufReader::new(from);
        let mut line = String::new();
        let mut first = (&mut from).take(limits::HELLO_BYTES);
        if !matches!(timeout(limits::HELLO_TIME, first.read_line(&mut line)).await, Ok(Ok(1..))) {
            return;
        }
        let Ok(hello) = serde_json::from_str::<Hello>(&line) else { return };
        let begun = match self.begin(uid, &hello).await {
            Ok(begun) => begun,
            Err(why) => {
                let _ = to.write_all(&line_of(&Answer::No(why))).await;
                return;
            }
        };
        let (answer, recording) = begun;
        if to.write_all(&line_of(&answer)).await.is_err() {
            return;
        }
        if let Some(recording) = recording {
            // The writing half stays open: its end is what ends the session.
            record(from, recording).await;
            drop(to);
        }
    }

    async fn begin(&self, uid: u32, hello: &Hello) -> Result<(Answer, Option<Recording<File>>), String> {
        let none = || "this account is not one of the gate's".to_owned();
        let (one, way) = self.config.way(|way| way.uid == uid).ok_or_else(none)?;
        self.fresh(&one.id).await.map_err(|why| format!("nobody comes in without the node's word of now: {why}"))?;
        let mandate = self.standing(&one.id).map_err(|shut| shut.to_string())?;
        if !way.is_within(&mandate) {
            return Err(format!("the mandate does not let helpers {} on {}", way.action, way.system));
        }
        let helper = mandate.helpers.iter().find(|helper| helper_word(&helper.key) == hello.key);
        let helper = helper.ok_or("that key is not one of the mandate's helpers")?;
        if hello.session {
            let recording = self.recording(one, way, helper, hello)?;
            return Ok((Answer::Go { command: way.command.clone() }, Some(recording)));
        }
        let (authority, one, key) = (self.authority.clone(), one.clone(), helper.key.clone());
        let made = tokio::task::spawn_blocking(move || authority.certify(&one, &mandate, &key)).await;
        let made = made.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        Ok((Answer::Certificate(made), None))
    }

    fn recording(&self, one: &Guarded, way: &Way, helper: &Helper, hello: &Hello) -> Result<Recording<File>, String> {
        let now = self.clock.now();
        let stamp: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("{stamp}-{}-{}-{}.cast", one.id, way.system, way.action);
        let path = self.config.sessions().join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let told = |error: std::io::Error| format!("the session can't be recorded: {error}");
        let title = format!("{} as {}: {}", way.principal(&one.id), way.account, helper.role);
        Recording::begin(file.map_err(told)?, &title, hello, now.micros() / 1_000_000).map_err(told)
    }
}

/// Writes down what a session sends, until it ends or can't be written down any more.
async fn record(mut from: impl AsyncReadExt + Unpin, mut recording: Recording<File>) {
    let begun = Instant::now();
    let mut head = [0; 5];
    while from.read_exact(&mut head).await.is_ok() {
        let Some((stream, length)) = read_head(head) else { return };
        let mut bytes = vec![0; length];
        if from.read_exact(&mut bytes).await.is_err() {
            return;
        }
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let written = tokio::task::spawn_blocking(move || {
            let done = recording.add(stream, &bytes, micros);
            done.map(|()| recording)
        });
        match written.await {
            Ok(Ok(same)) => recording = same,
            Ok(Err(error)) => {
                tracing::warn!("a session ends because it can't be recorded: {error}");
                return;
            }
            Err(_) => return,
        }
    }
}

fn line_of(answer: &Answer) -> Vec<u8> {
    // Strings alone: it can't fail.
    let mut line = serde_json::to_vec(answer).unwrap_or_default();
    line.push(b'\n');
    line
}
