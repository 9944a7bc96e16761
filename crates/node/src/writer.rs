//! The node running: one writer thread that drives the engine, a pool of readers, and those who wait for a change.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use journal::identity::SignedIdentity;
use store::{Batch, Reader, StoreError};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::engine::{Committed, Deps, Engine, OpenError, Turn};
use crate::identities;
use crate::limits;
use crate::me::{Me, Myself};
use crate::partner::PartnerError;
use crate::ports::{Clock, Signer};
use crate::ratchet::{Moment, Ratchet};
use crate::standing::{Silent, Standing};
use crate::work::{Signed, View, Work};

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
    /// It would have written to the own log, and the node does not speak: nothing changed.
    #[error(transparent)]
    Silent(Silent),
    /// See [`Stopped`].
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

type Command = Box<dyn FnOnce(&mut Batch<'_>, &mut Turn<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Ended) + Send>;

/// How the group commit of a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Durable,
    Undone,
    Unknown,
}

/// What changed, for those who wait: the newest release, the newest arrival, a count of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// Group commits since start, those apart that nobody waits for.
    pub commits: u64,
    /// Entries of the own log that are signed.
    pub signed: u64,
}

struct Inner {
    me: Arc<Myself>,
    clock: Arc<Ratchet>,
    signer: Arc<dyn Signer>,
    queue: mpsc::Sender<Command>,
    readers: Mutex<Vec<Reader>>,
    read_slots: Semaphore,
    signed: RwLock<Arc<Signed>>,
    changes: watch::Sender<Change>,
    partners: watch::Sender<u64>,
    lags: crate::pull::Lags,
    witnessing: crate::witness::Witnessing,
    recovery: crate::recovery::Asked,
    doubts: watch::Sender<u64>,
}

/// A running node. Cloning shares it.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

impl Node {
    /// Opens the engine in `dir` (see [`Engine::open`]) and starts the writer.
    ///
    /// # Errors
    /// The engine does not open, or the thread does not start.
    pub fn open(dir: &Path, deps: Deps) -> Result<Self, OpenError> {
        let engine = Engine::open(dir, deps)?;
        let mut readers = Vec::with_capacity(limits::READERS);
        for _ in 0..limits::READERS {
            readers.push(engine.reader()?);
        }
        let (queue, commands) = mpsc::channel(limits::WRITE_QUEUE);
        let changes = watch::Sender::new(Change { commits: 0, signed: engine.signed().size });
        let inner = Arc::new(Inner {
            me: Arc::clone(engine.myself()),
            clock: Arc::clone(engine.clock()),
            signer: Arc::clone(engine.signer()),
            queue,
            readers: Mutex::new(readers),
            read_slots: Semaphore::new(limits::READERS),
            signed: RwLock::new(Arc::clone(engine.signed())),
            changes,
            partners: watch::Sender::new(0),
            lags: crate::pull::Lags::default(),
            witnessing: crate::witness::Witnessing::default(),
            recovery: crate::recovery::Asked::default(),
            doubts: watch::Sender::new(0),
        });
        let weak = Arc::downgrade(&inner);
        let run = Run { engine, commands };
        std::thread::Builder::new()
            .name(format!("writer-{}", inner.me.now().origin.country()))
            .stack_size(2 * 1024 * 1024)
            .spawn({
                // What this thread logs names its realm: several may run in one process.
                let span = tracing::info_span!("realm", realm = %inner.me.now().realm());
                move || span.in_scope(|| run.run(&weak))
            })
            .map_err(|error| OpenError::Thread(error.to_string()))?;
        Ok(Self { inner })
    }

    /// Who this node is.
    #[must_use]
    pub fn me(&self) -> Arc<Me> {
        self.inner.me.now()
    }

    /// Goes on under another identity of the same log, which is signed and supersedes the one of now. From the commit on
    /// the newest checkpoint is signed with the keys of now; whoever calls it has put them in place.
    ///
    /// # Errors
    /// It is not signed, is another log's or no newer; or the node is busy or has stopped.
    pub async fn adopt(&self, identity: SignedIdentity) -> Result<(), WriteError<PartnerError>> {
        let (known, signed) = self.write(move |work| identities::adopt(work, identity)).await?;
        self.inner.me.turn_into(known, signed);
        self.tell_partners_changed();
        Ok(())
    }

    /// Does the writer still take commands? It stops for good at the first doubt about what is durable.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        !self.inner.queue.is_closed()
    }

    /// The clock that the node goes by.
    #[must_use]
    pub fn ratchet(&self) -> &Arc<Ratchet> {
        &self.inner.clock
    }

    /// The time by the node's clock.
    #[must_use]
    pub fn now(&self) -> model::Timestamp {
        self.inner.clock.now()
    }

    /// The time on people's watches: see [`Clock::wall`].
    #[must_use]
    pub fn wall(&self) -> model::Timestamp {
        self.inner.clock.wall()
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

    /// How this node stands with its own log.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.signed().standing.clone()
    }

    /// What partners answered when they were asked for our own log, in this run.
    #[must_use]
    pub fn recovery(&self) -> &crate::recovery::Asked {
        &self.inner.recovery
    }

    /// Says that somebody claims to know more of our log than we signed: every partner is asked for what it holds.
    pub fn tell_doubt(&self) {
        self.inner.doubts.send_modify(|count| *count += 1);
    }

    /// Wakes at every doubt.
    #[must_use]
    pub fn doubts(&self) -> watch::Receiver<u64> {
        self.inner.doubts.subscribe()
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

    /// How each witness of our log stands, in this run.
    #[must_use]
    pub fn witnessing(&self) -> &crate::witness::Witnessing {
        &self.inner.witnessing
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
        self.command(use_case, true).await
    }

    /// The same for what nobody waits for, such as a note that somebody read something: no screen loads anew for it.
    ///
    /// # Errors
    /// As [`Node::write`].
    pub async fn write_quietly<R, E, F>(&self, use_case: F) -> Result<R, WriteError<E>>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Work<'_, '_>) -> Result<R, E> + Send + 'static,
    {
        self.command(use_case, false).await
    }

    async fn command<R, E, F>(&self, use_case: F, news: bool) -> Result<R, WriteError<E>>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Work<'_, '_>) -> Result<R, E> + Send + 'static,
    {
        let (tell, told) = oneshot::channel::<Result<R, WriteError<E>>>();
        let command: Command = Box::new(move |batch, turn| {
            let result = turn.run(batch, use_case);
            turn.news |= news;
            Box::new(move |ended| {
                // A caller that went away has no use for the answer; the idempotency key keeps it.
                let _ = tell.send(match ended {
                    Ended::Durable => result.map_err(WriteError::from),
                    // Asked again, it is told why the node does not speak.
                    Ended::Undone => Err(WriteError::Busy),
                    Ended::Unknown => Err(WriteError::Stopped(Stopped)),
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
        let Moment { now, wall, .. } = self.inner.clock.moment();
        let me = self.me();
        let signer = self.inner.signer.as_ref();
        let result = reader.snapshot(|db| use_case(&View { db, me: &me, now, wall, signed, signer }));
        lock().push(reader);
        result
    }
}

/// The writer's thread.
struct Run {
    engine: Engine,
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
        let before = self.engine.size();
        let stood = self.engine.signed().standing.clone();
        let commands = &mut self.commands;
        let (done, committed) = self.engine.group_commit(|batch, turn| {
            let mut answers = vec![first(batch, turn)];
            // Whoever has queued meanwhile shares this sync; nobody is waited for.
            while answers.len() < limits::BATCH_COMMANDS && turn.added_since(before) < limits::COMMAND_OBJECTS as u64 {
                match commands.try_recv() {
                    Ok(next) => answers.push(next(batch, turn)),
                    Err(_) => break,
                }
            }
            (answers, turn.news)
        });
        let (answers, news) = done.unwrap_or_default();
        let ended = match committed {
            Ok(Committed::Kept) => Ended::Durable,
            Ok(Committed::Undone) => Ended::Undone,
            Err(_) => Ended::Unknown,
        };
        if ended != Ended::Unknown {
            let signed = self.engine.signed();
            *inner.signed.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(signed);
            if news || signed.standing != stood {
                inner.changes.send_modify(|change| {
                    change.commits += 1;
                    change.signed = signed.size;
                });
            }
        }
        for answer in answers {
            answer(ended);
        }
        committed.map(|_| ())
    }
}
