//! One nation of the simulation: a real engine on a real database, a clock that drifts and jumps, and a signer whose mark
//! outlives every crash.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use ed25519_dalek::SigningKey;
use journal::checkpoint::{self, Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::seal::WrappingKey;
use journal::sync::Replica;
use model::Timestamp;
use node::engine::{Deps, OpenError};
use node::ports::{Clock, Signer, SignerError};
use node::{Engine, View};
use store::{LogId, Reader, StoreError};
use tempfile::TempDir;

use super::commands::Command;
use crate::world::{self, Seeded};

/// What the signer does next.
pub const HONEST: u8 = 0;
/// The machine goes down after COMMIT and before the mark moves.
pub const FAIL_BEFORE_MARK: u8 = 1;
/// The machine goes down after the mark moved and before anybody was answered.
pub const FAIL_AFTER_MARK: u8 = 2;

/// The time of the simulation, and how far this nation's clock is from it.
pub struct SkewedClock {
    pub time: Arc<AtomicI64>,
    pub offset: AtomicI64,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.time.load(Ordering::Relaxed) + self.offset.load(Ordering::Relaxed))
    }
}

/// The signer's file: it is on another disk, and is never restored from a backup.
#[derive(Default)]
pub struct Mark {
    pub signed: Mutex<Option<Checkpoint>>,
    pub unknown: AtomicBool,
    pub next: AtomicU8,
}

pub struct MarkedSigner {
    log_key: SigningKey,
    wrapping: Arc<WrappingKey>,
    cursor: Arc<CursorKey>,
    mark: Arc<Mark>,
    name: String,
}

impl Signer for MarkedSigner {
    fn sign(&self, next: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        let fails = self.mark.next.swap(HONEST, Ordering::Relaxed);
        if fails == FAIL_BEFORE_MARK {
            return Err(SignerError::Io("the machine went down".into()));
        }
        if self.is_unknown() {
            return Err(SignerError::Unknown);
        }
        let mut signed = self.mark.signed.lock().unwrap();
        if let Some(mark) = signed.as_ref() {
            if mark.size > next.size {
                return Err(SignerError::Behind { signed: mark.size, shown: next.size });
            }
            if mark.size == next.size && mark.root != next.root {
                return Err(SignerError::Forked { size: next.size });
            }
        }
        *signed = Some(next.clone());
        if fails == FAIL_AFTER_MARK {
            return Err(SignerError::Io("the machine went down".into()));
        }
        Ok(checkpoint::sign(next, &self.log_key))
    }
    fn cosign(&self, text: &str, seconds: u64) -> Result<String, SignerError> {
        Ok(journal::note::cosign(text, &self.name, seconds, &self.log_key))
    }
    fn mark(&self) -> Option<Checkpoint> {
        self.mark.signed.lock().unwrap().clone()
    }
    fn is_unknown(&self) -> bool {
        self.mark.unknown.load(Ordering::Relaxed)
    }
    fn settle(&self, found: &Checkpoint) -> Result<(), SignerError> {
        *self.mark.signed.lock().unwrap() = Some(found.clone());
        self.mark.unknown.store(false, Ordering::Relaxed);
        Ok(())
    }
    fn wrapping_key(&self) -> Arc<WrappingKey> {
        Arc::clone(&self.wrapping)
    }
    fn cursor_key(&self) -> Arc<CursorKey> {
        Arc::clone(&self.cursor)
    }
}

/// How one nation stands with pulling one other.
#[derive(Default)]
pub struct Link {
    /// Counts turns; an answer to an earlier one begins no new one.
    pub turn: u64,
    pub kept: Option<Replica>,
}

/// A node that runs.
pub struct Up {
    pub engine: Engine,
    reader: Reader,
}

impl Up {
    pub fn read<R>(&mut self, use_case: impl FnOnce(&View<'_, '_>) -> Result<R, StoreError>) -> R {
        self.engine.read(&mut self.reader, use_case).unwrap()
    }
    pub fn log_of(&mut self, origin: &model::Origin) -> LogId {
        self.read(|view| view.db.log_id(origin)).expect("every partner is known")
    }
}

pub struct Nation {
    pub country: &'static str,
    pub seed: u8,
    pub clock: Arc<SkewedClock>,
    pub mark: Arc<Mark>,
    /// Outside the database: it outlives crashes and backups.
    pub purges: Arc<std::sync::Mutex<Vec<journal::purge::Purged>>>,
    pub up: Option<Up>,
    pub boots: u64,
    pub links: Vec<Link>,
    /// Commands that nobody has acknowledged yet, oldest first.
    pub todo: std::collections::VecDeque<Command>,
    pub dir: TempDir,
    backup: Option<TempDir>,
    /// The database that an old backup took the place of.
    newest: Option<TempDir>,
    rng: u64,
}

/// Memory where there is some to write files to: what is simulated is the order of things, not the disk.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// The files as a machine that went down leaves them: database and write-ahead file, no clean close.
fn copy(from: &Path) -> TempDir {
    let to = directory();
    for name in ["entraide.db", "entraide.db-wal"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.path().join(name)).unwrap();
        }
    }
    to
}

impl Nation {
    pub fn new(country: &'static str, seed: u8, of: usize, time: &Arc<AtomicI64>, skew: i64, rng: u64) -> Self {
        let clock = Arc::new(SkewedClock { time: Arc::clone(time), offset: AtomicI64::new(skew) });
        let mut nation = Self {
            country,
            seed,
            clock,
            mark: Arc::default(),
            purges: Arc::default(),
            up: None,
            boots: 0,
            links: (0..of).map(|_| Link::default()).collect(),
            todo: std::collections::VecDeque::new(),
            dir: directory(),
            backup: None,
            newest: None,
            rng,
        };
        nation.boot().unwrap();
        nation
    }

    pub fn origin(&self) -> model::Origin {
        world::origin(self.country, self.seed)
    }

    fn open(&self, dir: &Path, mark: &Arc<Mark>) -> Result<Up, OpenError> {
        let engine = Engine::open(
            dir,
            Deps {
                clock: self.clock.clone(),
                random: Box::new(Seeded(self.rng ^ (self.boots << 40))),
                signer: Arc::new(MarkedSigner {
                    log_key: SigningKey::from_bytes(&[self.seed; 32]),
                    wrapping: Arc::new(WrappingKey::new([self.seed ^ 0x55; 32])),
                    cursor: Arc::new(CursorKey::new([self.seed ^ 0x33; 32])),
                    mark: Arc::clone(mark),
                    name: self.origin().to_string(),
                }),
                identity: world::signed_identity(self.country, self.seed),
                purges: Arc::clone(&self.purges) as _,
            },
        )?;
        let reader = engine.reader()?;
        Ok(Up { engine, reader })
    }

    pub fn boot(&mut self) -> Result<(), OpenError> {
        self.boots += 1;
        self.mark.next.store(HONEST, Ordering::Relaxed);
        self.up = Some(self.open(self.dir.path(), &self.mark)?);
        for link in &mut self.links {
            link.turn += 1;
            link.kept = None;
        }
        Ok(())
    }

    pub fn crash(&mut self) {
        if self.up.is_some() {
            let left = copy(self.dir.path());
            self.up = None;
            self.dir = left;
        }
    }

    pub fn back_up(&mut self) {
        self.backup = Some(copy(self.dir.path()));
    }

    /// Somebody puts an old backup in place of the database, and at times loses the signer's file; `false` if there is
    /// none.
    pub fn restore_backup(&mut self, forget: bool) -> bool {
        let Some(backup) = self.backup.take() else { return false };
        self.crash();
        self.newest = Some(std::mem::replace(&mut self.dir, backup));
        if forget {
            *self.mark.signed.lock().unwrap() = None;
            self.mark.unknown.store(true, Ordering::Relaxed);
        }
        self.boot().unwrap();
        true
    }

    pub fn forget_newest(&mut self) {
        self.newest = None;
    }

    pub fn put_newest_back(&mut self) {
        self.crash();
        self.dir = self.newest.take().expect("it was set back");
        self.boot().unwrap();
        assert!(self.up.as_ref().unwrap().engine.signed().standing.speaks());
    }

    /// A second copy of the node that does not know of the first: what a thief, or a hostile nation, would run.
    pub fn twin(&self) -> (TempDir, Up) {
        let dir = copy(self.dir.path());
        let mark = Arc::new(Mark::default());
        *mark.signed.lock().unwrap() = self.mark.signed.lock().unwrap().clone();
        let up = self.open(dir.path(), &mark).unwrap();
        (dir, up)
    }
}
