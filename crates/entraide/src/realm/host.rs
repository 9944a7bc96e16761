//! Opens, lists, moves on and ends the exercises beside a real node, whether it serves or not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_room::server::api::exercises::{Ended, Exercise, ExerciseError, Exercises, NewExercise, Opened, Ruled};
use http_room::server::realms::{Beside, prefix};
use http_room::tls::NodeKey;
use journal::identity::Identity;
use model::{Realm, Timestamp};
use node::Node;
use node::passkey::ceremony::HostName;
use node::ports::{Boxed, Clock, RealOnly};

use super::instance::Instance;
use super::{Jump, Record, archive, dir_of, ended, identity_of, open_ones, realms};
use crate::init::{self, Initialised, Request};
use crate::keys::{Layout, make_private_dir, sync_dir};
use crate::limits;
use crate::open::open;

/// Rules over the exercises of one real node.
pub struct Host {
    dir: PathBuf,
    /// Of the real node: who we are, and where its partners reach it.
    real: Identity,
    machine: Arc<dyn Clock>,
    /// Where exercises are served; `None` in a command that only opened the directory.
    serving: Option<Serving>,
    /// Whoever opens, moves on or ends one does so alone.
    turn: tokio::sync::Mutex<()>,
    /// Held for a moment at a time, so that reality's pages never wait for an exercise.
    state: Mutex<State>,
}

/// The listener that all realms share.
pub struct Serving {
    /// Who serves which path of it.
    pub beside: Beside,
    /// Is it served without TLS, on the machine itself?
    pub plain_http: bool,
    /// The host name by which people reach it.
    pub host: Option<HostName>,
    /// Where the seats of a demonstration are chosen, if it belongs to one.
    pub seats: Option<String>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<Realm, Instance>,
    /// Why an exercise that was to run does not.
    faults: BTreeMap<Realm, String>,
}

fn refused(error: impl std::fmt::Display) -> ExerciseError {
    ExerciseError::Refused(error.to_string())
}

fn failed(error: impl std::fmt::Display) -> ExerciseError {
    ExerciseError::Failed(error.to_string())
}

impl Host {
    /// Rules over the exercises in the directory of a real node.
    #[must_use]
    pub fn new(dir: &Path, real: Identity, machine: Arc<dyn Clock>, serving: Option<Serving>) -> Arc<Self> {
        Arc::new(Self {
            dir: dir.to_owned(),
            real,
            machine,
            serving,
            turn: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        })
    }

    /// The same for the API; `None` if the node is itself of an exercise.
    #[must_use]
    pub fn ruled(self: &Arc<Self>) -> Option<Ruled> {
        let real = RealOnly::of(self.real.origin.realm())?;
        Some(Ruled::new(real, Arc::clone(self) as Arc<dyn Exercises>))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node of an exercise that runs here, and its TLS key. Whoever keeps them keeps the exercise from ending.
    #[must_use]
    pub fn node_of(&self, realm: &Realm) -> Option<(Node, NodeKey)> {
        self.state().running.get(realm).map(Instance::node)
    }

    /// Runs every exercise that is open. One that does not start is told, and stops neither reality nor another.
    pub async fn start_all(&self) {
        let _turn = self.turn.lock().await;
        self.forget_dropped();
        match open_ones(&self.dir) {
            Ok(found) => {
                for realm in found {
                    self.start(&realm).await;
                }
            }
            Err(error) => tracing::error!(%error, "the exercises can't be listed"),
        }
    }

    async fn start(&self, realm: &Realm) -> bool {
        let Some(serving) = &self.serving else { return true };
        let dir = dir_of(&self.dir, realm);
        match Instance::start(&dir, Arc::clone(&self.machine), serving).await {
            Ok(instance) => {
                let mut state = self.state();
                state.faults.remove(realm);
                state.running.insert(realm.clone(), instance);
                true
            }
            Err(error) => {
                tracing::error!(%realm, %error, "an exercise does not start; reality goes on");
                self.state().faults.insert(realm.clone(), error.to_string());
                false
            }
        }
    }

    /// Stops every exercise, all at once. Returns whether all ended in time.
    pub async fn stop_all(&self) -> bool {
        let _turn = self.turn.lock().await;
        let running = std::mem::take(&mut self.state().running);
        let mut stopping = tokio::task::JoinSet::new();
        for (_, instance) in running {
            stopping.spawn(instance.stop());
        }
        let mut all = true;
        while let Some(stopped) = stopping.join_next().await {
            all &= stopped.unwrap_or(false);
        }
        all
    }

    /// What an interrupted opening or ending left is no exercise, and goes.
    fn forget_dropped(&self) {
        for entry in fs::read_dir(realms(&self.dir)).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with('.')) {
                let _ = archive::erase(&entry.path());
            }
        }
    }

    fn record(&self, realm: &Realm) -> Result<Record, ExerciseError> {
        let dir = dir_of(&self.dir, realm);
        if realm.is_real() || !Layout::new(&dir).is_node() {
            return Err(ExerciseError::NotFound(realm.clone()));
        }
        Record::read(&dir).map_err(failed)?.ok_or_else(|| ExerciseError::NotFound(realm.clone()))
    }

    /// One exercise as it is listed.
    fn shown(&self, realm: &Realm) -> Result<Exercise, ExerciseError> {
        let record = self.record(realm)?;
        let known = identity_of(&Layout::new(&dir_of(&self.dir, realm))).map_err(failed)?;
        let state = self.state();
        let running = state.running.get(realm);
        let machine = self.machine.now();
        let stopped = "its writer has stopped: end the program and start it again".to_owned();
        let why = match running {
            Some(instance) if !instance.is_writing() => Some(stopped),
            Some(_) => None,
            None => state.faults.get(realm).cloned(),
        };
        Ok(Exercise {
            realm: realm.to_string(),
            name: record.name,
            origin: known.origin.to_string(),
            address: known.address,
            path: format!("{}/", prefix(realm)),
            running: running.is_some_and(Instance::is_writing),
            why,
            opened: record.opened.to_string(),
            now: running.map_or_else(|| shifted(machine, record.ahead_micros), Instance::now).to_string(),
            ahead_seconds: record.ahead_micros / 1_000_000,
            jumps: record.jumps.len(),
        })
    }

    async fn open_one(&self, new: NewExercise) -> Result<Opened, ExerciseError> {
        let _turn = self.turn.lock().await;
        let record = self.new_record(&new)?;
        let address = self.address(new.address)?;
        let making = realms(&self.dir).join(format!(".new-{}", new.realm));
        let dir = dir_of(&self.dir, &new.realm);
        if making.exists() {
            archive::erase(&making).map_err(failed)?;
        }
        let made = self.make(&making, &record, address).await;
        let made = made.and_then(|made| {
            fs::rename(&making, &dir).map_err(failed)?;
            sync_dir(&realms(&self.dir)).map_err(failed)?;
            Ok(made)
        });
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                let _ = archive::erase(&making);
                return Err(error);
            }
        };
        if !self.start(&new.realm).await {
            // Nobody has seen it, so nothing is lost: an address that is taken is told now and not at the next start.
            let _ = archive::erase(&dir);
            return Err(refused(self.state().faults.remove(&new.realm).unwrap_or_default()));
        }
        Ok(opened(&new.realm, made))
    }

    fn new_record(&self, new: &NewExercise) -> Result<Record, ExerciseError> {
        if new.realm.is_real() {
            return Err(refused("reality is open already: an exercise is called EX-…"));
        }
        if dir_of(&self.dir, &new.realm).exists() {
            return Err(refused(format!("`{}` is open already: end it first, or choose another name", new.realm)));
        }
        if open_ones(&self.dir).map_err(failed)?.len() >= limits::EXERCISES {
            return Err(refused(format!("{} exercises are open: end one first", limits::EXERCISES)));
        }
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > limits::EXERCISE_NAME || name.chars().any(char::is_control) {
            return Err(refused(format!("an exercise's name has 1 to {} letters on one line", limits::EXERCISE_NAME)));
        }
        let opened = self.machine.now();
        let ahead = new.starts_at.map_or(0, |at| at.micros().saturating_sub(opened.micros()));
        within(ahead)?;
        Ok(Record { realm: new.realm.clone(), name: name.to_owned(), opened, ahead_micros: ahead, jumps: Vec::new() })
    }

    /// Where partners reach the exercise: as asked, or the next port after reality's that no realm of ours has.
    fn address(&self, asked: Option<String>) -> Result<String, ExerciseError> {
        let mut taken = vec![self.real.address.clone()];
        for realm in open_ones(&self.dir).map_err(failed)? {
            taken.extend(identity_of(&Layout::new(&dir_of(&self.dir, &realm))).ok().map(|known| known.address));
        }
        if let Some(asked) = asked {
            if taken.contains(&asked) {
                return Err(refused(format!("`{asked}` is the address of another realm: give each its own port")));
            }
            return Ok(asked);
        }
        let split = self.real.address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let (host, port) = split.ok_or_else(|| refused("say where partners reach it: --federation HOST:PORT"))?;
        let free = (1..=u16::try_from(limits::EXERCISES + 1).unwrap_or(u16::MAX))
            .filter_map(|more| port.checked_add(more))
            .map(|port| format!("{host}:{port}"))
            .find(|address| !taken.contains(address));
        free.ok_or_else(|| refused("say where partners reach it: --federation HOST:PORT"))
    }

    async fn make(&self, dir: &Path, record: &Record, address: String) -> Result<Initialised, ExerciseError> {
        make_private_dir(&realms(&self.dir)).map_err(failed)?;
        make_private_dir(dir).map_err(failed)?;
        record.write(dir).map_err(failed)?;
        let request = Request {
            country: self.real.origin.country(),
            realm: record.realm.clone(),
            name: self.real.name.clone(),
            class: self.real.class,
            address,
        };
        init::init(dir, &request, Arc::clone(&self.machine)).await.map_err(refused)
    }

    async fn move_clock(&self, realm: Realm, to: Timestamp, by: String) -> Result<Exercise, ExerciseError> {
        let _turn = self.turn.lock().await;
        let mut record = self.record(&realm)?;
        let machine = self.machine.now();
        let from = shifted(machine, record.ahead_micros);
        if to <= from {
            return Err(refused(format!("the clock of `{realm}` shows {from} already: it only goes forward")));
        }
        if record.jumps.len() >= limits::EXERCISE_JUMPS {
            return Err(refused(format!("the clock of `{realm}` was set {} times already", limits::EXERCISE_JUMPS)));
        }
        record.ahead_micros = to.micros().saturating_sub(machine.micros());
        within(record.ahead_micros)?;
        record.jumps.push(Jump { at: machine, from, to, by });
        // Written first: a clock that went back after a restart would be worse than one that never went on.
        record.write(&dir_of(&self.dir, &realm)).map_err(failed)?;
        if let Some(instance) = self.state().running.get(&realm) {
            instance.clock().advance(record.ahead_micros);
        }
        tracing::info!(%realm, %from, %to, "an exercise's clock was set forward");
        self.shown(&realm)
    }

    async fn end_one(&self, realm: Realm) -> Result<Ended, ExerciseError> {
        let _turn = self.turn.lock().await;
        let record = self.record(&realm)?;
        let running = self.state().running.remove(&realm);
        if let Some(instance) = running
            && !instance.stop().await
        {
            self.state().faults.insert(realm.clone(), "it did not stop in time".to_owned());
            return Err(failed(format!("`{realm}` did not stop in time: something in it still runs; try again")));
        }
        let dir = dir_of(&self.dir, &realm);
        let written = self.archived(&dir, &record).await;
        let done = match written {
            Ok(done) => done,
            Err(error) => {
                // What can't be kept is not dropped.
                self.start(&realm).await;
                return Err(error);
            }
        };
        self.state().faults.remove(&realm);
        let dropping = realms(&self.dir).join(format!(".ended-{realm}"));
        fs::rename(&dir, &dropping).map_err(failed)?;
        archive::erase(&dropping).map_err(failed)?;
        tracing::info!(%realm, archive = %done.archive, "an exercise was archived and dropped");
        Ok(done)
    }

    /// Opens it without listeners, and writes its archive.
    async fn archived(&self, dir: &Path, record: &Record) -> Result<Ended, ExerciseError> {
        let opened = open(&Layout::new(dir), Arc::clone(&self.machine)).map_err(refused)?;
        let written = archive::write(&opened, record, &ended(&self.dir)).await;
        opened.close().await;
        let written = written.map_err(failed)?;
        Ok(Ended {
            realm: record.realm.to_string(),
            archive: written.path.display().to_string(),
            logs: written.logs,
            proofs: written.proofs,
            evidence: written.evidence,
        })
    }
}

fn shifted(machine: Timestamp, ahead: i64) -> Timestamp {
    Timestamp::from_micros(machine.micros().saturating_add(ahead))
}

fn within(ahead: i64) -> Result<(), ExerciseError> {
    if ahead.unsigned_abs() > limits::EXERCISE_AHEAD_MICROS.unsigned_abs() {
        return Err(refused("an exercise plays within ten years of now: choose a nearer time"));
    }
    Ok(())
}

fn opened(realm: &Realm, made: Initialised) -> Opened {
    Opened {
        realm: realm.to_string(),
        origin: made.origin.to_string(),
        fingerprint: made.fingerprint,
        login: made.login,
        password: made.password,
        totp_secret: made.totp_secret,
        totp_uri: made.totp_uri,
        log_key: made.log_key,
        address: made.address,
        path: format!("{}/", prefix(realm)),
    }
}

impl Exercises for Host {
    fn list(&self) -> Boxed<'_, Result<Vec<Exercise>, ExerciseError>> {
        Box::pin(async move { open_ones(&self.dir).map_err(failed)?.iter().map(|realm| self.shown(realm)).collect() })
    }
    fn open(&self, new: NewExercise) -> Boxed<'_, Result<Opened, ExerciseError>> {
        Box::pin(self.open_one(new))
    }
    fn set_clock(&self, realm: Realm, now: Timestamp, by: String) -> Boxed<'_, Result<Exercise, ExerciseError>> {
        Box::pin(self.move_clock(realm, now, by))
    }
    fn end(&self, realm: Realm) -> Boxed<'_, Result<Ended, ExerciseError>> {
        Box::pin(self.end_one(realm))
    }
}
