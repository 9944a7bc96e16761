//! The node running: one writer thread with group commit, a pool of readers, and the signature between COMMIT and answer.
//!
//! Order of a group commit (architecture §3): each command in a savepoint → COMMIT, synced → signer → answers, wake.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use journal::checkpoint::Checkpoint;
use journal::identity::SignedIdentity;
use store::{Batch, LogId, Reader, Store, StoreError, Writer};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::limits;
use crate::me::Me;
use crate::ports::{Clock, Random, Signer, SignerError};
use crate::work::{OwnLog, Signed, View, Work};

/// Why a node did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signer's file and the database disagree: read-only until people decide (architecture, "Going back in time").
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The identity is not one that its root key signed.
    #[error("the node's identity does not verify: {0}")]
    Identity(String),
    /// The writer's thread did not start.
    #[error("the writer could not be started: {0}")]
    Thread(String),
}

/// The node has stopped writing; the command's fate is unknown and its idempotency key resolves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node has stopped writing: restart it, then send the command again with the same idempotency key")]
pub struct Stopped;

/// Why a write did not answer with a result.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The use case refused, and changed nothing.
    #[error(transparent)]
    Refused(E),
    /// Too many wait already.
    #[error("the node is busy: try again in a second")]
    Busy,
    /// See [`Stopped`].
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

type Command = Box<dyn FnOnce(&mut Batch<'_>, &mut Turn<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(bool) + Send>;

/// What one command of a group commit needs beside the batch.
struct Turn<'a> {
    me: &'a Me,
    now: model::Timestamp,
    random: &'a mut dyn Random,
    signer: &'a dyn Signer,
    own: &'a mut OwnLog,
}

/// What changed, for those who wait: the newest release, the newest arrival, a count of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// Group commits since start.
    pub commits: u64,
    /// Entries of the own log that are signed.
    pub signed: u64,
}

struct Inner {
    me: Me,
    clock: Arc<dyn Clock>,
    signer: Arc<dyn Signer>,
    queue: mpsc::Sender<Command>,
    readers: Mutex<Vec<Reader>>,
    read_slots: Semaphore,
    signed: RwLock<Arc<Signed>>,
    changes: watch::Sender<Change>,
    partners: watch::Sender<u64>,
    lags: crate::pull::Lags,
}

/// A running node. Cloning shares it.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

/// What a node is opened with.
pub struct Deps {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for the writer's thread.
    pub random: Box<dyn Random>,
    /// The keys.
    pub signer: Arc<dyn Signer>,
    /// Who we are, as the root key signed it.
    pub identity: SignedIdentity,
}

impl Node {
    /// Opens the database in `dir`, compares it with the signer's mark, signs, and starts the writer.
    ///
    /// # Errors
    /// The database cannot be opened, or is not the one that the signer last spoke for.
    pub fn open(dir: &Path, deps: Deps) -> Result<Self, OpenError> {
        let Deps { clock, random, signer, identity } = deps;
        let store = Store::open(dir)?;
        let mut writer = store.writer()?;
        let verified = journal::identity::verify(&identity).map_err(|error| OpenError::Identity(error.to_string()))?;
        let known = verified.into_inner();
        let origin = known.origin.clone();
        let (log, own) = own_log(&mut writer, &origin)?;
        let me = Me { origin, log, name: known.name.clone(), identity: known, signed_identity: identity };
        let signed = sign_at_start(&mut writer, &me, &own, signer.as_ref())?;
        let mut readers = Vec::with_capacity(limits::READERS);
        for _ in 0..limits::READERS {
            readers.push(store.reader()?);
        }
        let (queue, commands) = mpsc::channel(limits::WRITE_QUEUE);
        let changes = watch::Sender::new(Change { commits: 0, signed: signed.size });
        let inner = Arc::new(Inner {
            me,
            clock,
            signer,
            queue,
            readers: Mutex::new(readers),
            read_slots: Semaphore::new(limits::READERS),
            signed: RwLock::new(Arc::new(signed)),
            changes,
            partners: watch::Sender::new(0),
            lags: crate::pull::Lags::default(),
        });
        let weak = Arc::downgrade(&inner);
        let run = Run { writer, random, own, commands };
        std::thread::Builder::new()
            .name(format!("writer-{}", inner.me.origin.country()))
            .stack_size(2 * 1024 * 1024)
            .spawn(move || run.run(&weak))
            .map_err(|error| OpenError::Thread(error.to_string()))?;
        Ok(Self { inner })
    }

    /// Who this node is.
    #[must_use]
    pub fn me(&self) -> &Me {
        &self.inner.me
    }

    /// Does the writer still take commands? It stops for good at the first doubt about what is durable.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        !self.inner.queue.is_closed()
    }

    /// The time by the node's clock.
    #[must_use]
    pub fn now(&self) -> model::Timestamp {
        self.inner.clock.now()
    }

    /// The keys.
    #[must_use]
    pub fn signer(&self) -> &dyn Signer {
        self.inner.signer.as_ref()
    }

    /// The newest signed state of the own log.
    #[must_use]
    pub fn signed(&self) -> Arc<Signed> {
        Arc::clone(&self.inner.signed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Wakes after every group commit.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// Says that partners were added or changed; whoever changes them calls it after the write.
    pub fn tell_partners_changed(&self) {
        self.inner.partners.send_modify(|count| *count += 1);
    }

    /// Wakes when partners are added or changed after this call.
    pub fn partners_changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut partners = self.inner.partners.subscribe();
        async move {
            // The sender lives as long as the node; an error means that it is gone, and waiting ends too.
            let _ = partners.changed().await;
        }
    }

    /// How far behind each partner's log we are, and why.
    #[must_use]
    pub fn lags(&self) -> &crate::pull::Lags {
        &self.inner.lags
    }

    /// Runs a use case that writes, in the next group commit. The answer comes after the sync and the signature.
    ///
    /// # Errors
    /// The use case refused (nothing changed); the queue is full; or the node has stopped.
    pub async fn write<R, E, F>(&self, use_case: F) -> Result<R, WriteError<E>>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Work<'_, '_>) -> Result<R, E> + Send + 'static,
    {
        let (tell, told) = oneshot::channel::<Result<R, WriteError<E>>>();
        let command: Command = Box::new(move |batch, turn| {
            let before = turn.own.clone();
            let result = batch.savepoint(|tx| {
                let mut work = Work::new(tx, turn.me, turn.now, &mut *turn.random, turn.signer, &mut *turn.own);
                let value = use_case(&mut work)?;
                work.finish()?;
                Ok::<R, E>(value)
            });
            if result.is_err() {
                *turn.own = before;
            }
            Box::new(move |durable| {
                // A caller that went away has no use for the answer; the idempotency key keeps it.
                let _ = tell.send(match result {
                    Ok(value) if durable => Ok(value),
                    Err(error) if durable => Err(WriteError::Refused(error)),
                    Ok(_) | Err(_) => Err(WriteError::Stopped(Stopped)),
                });
            })
        });
        self.inner.queue.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopped(Stopped),
        })?;
        told.await.unwrap_or(Err(WriteError::Stopped(Stopped)))
    }

    /// Runs a use case that reads, on a snapshot of its own.
    ///
    /// # Errors
    /// What the use case says, or the database.
    pub async fn read<R, E, F>(&self, use_case: F) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&View<'_, '_>) -> Result<R, E> + Send + 'static,
    {
        // The semaphore is never closed; a permit means that a reader is free.
        let _slot = self.inner.read_slots.acquire().await;
        let node = self.clone();
        let read = tokio::task::spawn_blocking(move || node.read_now(use_case));
        match read.await {
            Ok(result) => result,
            Err(join) => Err(E::from(StoreError::Corrupt { what: format!("a read ended early: {join}") })),
        }
    }

    fn read_now<R, E, F>(&self, use_case: F) -> Result<R, E>
    where
        E: From<StoreError>,
        F: FnOnce(&View<'_, '_>) -> Result<R, E>,
    {
        let lock = || self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = lock().pop();
        let mut reader = match reader {
            Some(reader) => reader,
            None => return Err(E::from(StoreError::Corrupt { what: "no reader is free".to_owned() })),
        };
        let signed = self.signed();
        let now = self.now();
        let result = reader
            .snapshot(|db| use_case(&View { db, me: &self.inner.me, now, signed, signer: self.inner.signer.as_ref() }));
        lock().push(reader);
        result
    }
}

fn own_log(writer: &mut Writer, origin: &model::Origin) -> Result<(LogId, OwnLog), StoreError> {
    let mut batch = writer.begin()?;
    let (log, tree) = batch.savepoint(|tx| {
        let log = tx.ensure_log(origin)?;
        Ok::<_, StoreError>((log, tx.tree(log)?))
    })?;
    batch.commit()?;
    Ok((log, OwnLog::new(tree.frontier)))
}

/// The first signature. The database must hold exactly what was signed last, or extend it.
fn sign_at_start(writer: &mut Writer, me: &Me, own: &OwnLog, signer: &dyn Signer) -> Result<Signed, OpenError> {
    let frontier = own.frontier();
    if let Some(mark) = signer.mark() {
        if mark.size > frontier.size() {
            return Err(SignerError::Behind { signed: mark.size, shown: frontier.size() }.into());
        }
        let mut batch = writer.begin()?;
        let root = batch.savepoint(|tx| {
            journal::tree::root_at(&tx.tiles(me.log), mark.size)
                .map_err(|error| StoreError::Corrupt { what: format!("own log: {error}") })
        })?;
        drop(batch);
        if root != mark.root {
            return Err(SignerError::Forked { size: mark.size }.into());
        }
    }
    let next = Checkpoint { origin: me.origin.clone(), size: frontier.size(), root: frontier.root() };
    let note = signer.sign(&next)?;
    Ok(Signed { size: next.size, text: note.text().to_owned() })
}

/// The writer's thread.
struct Run {
    writer: Writer,
    random: Box<dyn Random>,
    own: OwnLog,
    commands: mpsc::Receiver<Command>,
}

impl Run {
    fn run(mut self, node: &std::sync::Weak<Inner>) {
        while let Some(first) = self.commands.blocking_recv() {
            let Some(inner) = node.upgrade() else { return };
            if let Err(stop) = self.group_commit(&inner, first) {
                tracing::error!(reason = %stop, "the node stops writing");
                return;
            }
        }
    }

    fn group_commit(&mut self, inner: &Inner, first: Command) -> Result<(), OpenError> {
        let before = self.own.frontier().size();
        let mut answers: Vec<Answer> = Vec::new();
        let mut batch = self.writer.begin()?;
        let mut turn = Turn {
            me: &inner.me,
            now: inner.clock.now(),
            random: self.random.as_mut(),
            signer: inner.signer.as_ref(),
            own: &mut self.own,
        };
        answers.push(first(&mut batch, &mut turn));
        // Whoever has queued meanwhile shares this sync; nobody is waited for.
        while answers.len() < limits::BATCH_COMMANDS
            && turn.own.frontier().size() - before < limits::COMMAND_OBJECTS as u64
        {
            match self.commands.try_recv() {
                Ok(next) => answers.push(next(&mut batch, &mut turn)),
                Err(_) => break,
            }
        }
        let committed = batch.commit().map_err(OpenError::from).and_then(|()| self.sign(inner, before));
        let durable = committed.is_ok();
        if durable && self.own.take_purged() {
            self.forget_purged();
        }
        if durable {
            let signed = self.own.frontier().size();
            inner.changes.send_modify(|change| {
                change.commits += 1;
                change.signed = signed;
            });
        }
        for answer in answers {
            answer(durable);
        }
        committed
    }

    /// Erased bodies and keys still stand in the write-ahead file: it is folded in and emptied.
    fn forget_purged(&mut self) {
        match self.writer.truncate_wal() {
            Ok(true) => {}
            // A reader still looks at an older snapshot; the next commit tries again.
            Ok(false) => self.own.keep_purged(),
            Err(error) => {
                tracing::warn!(%error, "the write-ahead file could not be emptied after a purge");
                self.own.keep_purged();
            }
        }
    }

    fn sign(&mut self, inner: &Inner, before: u64) -> Result<(), OpenError> {
        let frontier = self.own.frontier();
        if frontier.size() == before {
            return Ok(());
        }
        let next = Checkpoint { origin: inner.me.origin.clone(), size: frontier.size(), root: frontier.root() };
        let note = inner.signer.sign(&next)?;
        let signed = Signed { size: next.size, text: note.text().to_owned() };
        *inner.signed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(signed);
        Ok(())
    }
}
