//! The node without threads: the database's writer, the own log and the keys, one group commit at a time.
//!
//! Order of a group commit (architecture §3): each command in a savepoint → COMMIT, synced → signer → answers.
//! The writer's thread drives it (`writer`), and the simulator, on one thread for 27 nations.

use std::path::Path;
use std::sync::Arc;

use journal::checkpoint::Checkpoint;
use journal::identity::SignedIdentity;
use store::{Batch, LogId, Reader, Store, StoreError, Writer};

use crate::me::Me;
use crate::ports::{Clock, PurgeList, PurgeListError, Random, Signer, SignerError};
use crate::purged;
use crate::work::{OwnLog, Signed, View, Work};
use crate::writer::{Stopped, WriteError};

/// Why a node did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signer's file and the database disagree: read-only until people decide (architecture, "Going back in time").
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The purge list.
    #[error(transparent)]
    PurgeList(#[from] PurgeListError),
    /// The identity is not one that its root key signed.
    #[error("the node's identity does not verify: {0}")]
    Identity(String),
    /// The node stopped writing earlier.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The writer's thread did not start.
    #[error("the writer could not be started: {0}")]
    Thread(String),
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
    /// What was erased here.
    pub purges: Arc<dyn PurgeList>,
}

/// What one command of a group commit needs beside the batch.
pub(crate) struct Turn<'a> {
    me: &'a Me,
    now: model::Timestamp,
    random: &'a mut dyn Random,
    signer: &'a dyn Signer,
    own: &'a mut OwnLog,
    /// Has a command done something that screens and partners wait for?
    pub(crate) news: bool,
}

impl Turn<'_> {
    /// Runs one use case in a savepoint. One that refuses is rolled back alone.
    pub(crate) fn run<R, E: From<StoreError>>(
        &mut self,
        batch: &mut Batch<'_>,
        use_case: impl FnOnce(&mut Work<'_, '_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let before = self.own.clone();
        let result = batch.savepoint(|tx| {
            let mut work = Work::new(tx, self.me, self.now, &mut *self.random, self.signer, &mut *self.own);
            let value = use_case(&mut work)?;
            work.finish()?;
            Ok::<R, E>(value)
        });
        if result.is_err() {
            *self.own = before;
        }
        result
    }

    /// Entries that the commands so far have added, on top of `before`.
    pub(crate) fn added_since(&self, before: u64) -> u64 {
        self.own.frontier().size() - before
    }
}

/// A node's write side. Nothing in it waits, sleeps or starts a thread.
pub struct Engine {
    me: Me,
    clock: Arc<dyn Clock>,
    random: Box<dyn Random>,
    signer: Arc<dyn Signer>,
    store: Store,
    writer: Writer,
    own: OwnLog,
    signed: Arc<Signed>,
    purges: Arc<dyn PurgeList>,
    stopped: bool,
}

impl Engine {
    /// Opens the database in `dir`, compares it with the signer's mark, and signs.
    ///
    /// # Errors
    /// The database cannot be opened, or is not the one that the signer last spoke for.
    pub fn open(dir: &Path, deps: Deps) -> Result<Self, OpenError> {
        let Deps { clock, random, signer, identity, purges } = deps;
        let store = Store::open(dir)?;
        let mut writer = store.writer()?;
        let verified = journal::identity::verify(&identity).map_err(|error| OpenError::Identity(error.to_string()))?;
        let known = verified.into_inner();
        let origin = known.origin.clone();
        let (log, own) = own_log(&mut writer, &origin)?;
        let me = Me { origin, log, name: known.name.clone(), identity: known, signed_identity: identity };
        let now = clock.now();
        erase_listed(&mut writer, purges.as_ref(), now)?;
        let signed = Arc::new(sign_at_start(&mut writer, &me, &own, signer.as_ref())?);
        Ok(Self { me, clock, random, signer, store, writer, own, signed, purges, stopped: false })
    }

    /// Who this node is.
    #[must_use]
    pub fn me(&self) -> &Me {
        &self.me
    }

    /// The node's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The keys.
    #[must_use]
    pub fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    /// The newest signed state of the own log.
    #[must_use]
    pub fn signed(&self) -> &Arc<Signed> {
        &self.signed
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        self.store.reader()
    }

    /// Entries of the own log, as the last commit left it.
    pub(crate) fn size(&self) -> u64 {
        self.own.frontier().size()
    }

    /// Runs one use case that writes, in a group commit of its own.
    ///
    /// # Errors
    /// The use case refused (nothing changed), or the node has stopped.
    pub fn write<R, E: From<StoreError>>(
        &mut self,
        use_case: impl FnOnce(&mut Work<'_, '_>) -> Result<R, E>,
    ) -> Result<R, WriteError<E>> {
        match self.group_commit(|batch, turn| turn.run(batch, use_case)) {
            (Some(result), Ok(())) => result.map_err(WriteError::Refused),
            (Some(_) | None, _) => Err(Stopped.into()),
        }
    }

    /// Runs a use case that reads, on a snapshot.
    ///
    /// # Errors
    /// What the use case says, or the database.
    pub fn read<R, E: From<StoreError>>(
        &self,
        reader: &mut Reader,
        use_case: impl FnOnce(&View<'_, '_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let (now, signed) = (self.clock.now(), Arc::clone(&self.signed));
        reader.snapshot(|db| use_case(&View { db, me: &self.me, now, signed, signer: self.signer.as_ref() }))
    }

    /// One group commit: what `commands` does in the batch, the synced COMMIT, the signature.
    /// After an error nothing is written any more: what became of the commands is unknown.
    pub(crate) fn group_commit<T>(
        &mut self,
        commands: impl FnOnce(&mut Batch<'_>, &mut Turn<'_>) -> T,
    ) -> (Option<T>, Result<(), OpenError>) {
        if self.stopped {
            return (None, Err(OpenError::Stopped(Stopped)));
        }
        let before = self.size();
        let mut batch = match self.writer.begin() {
            Ok(batch) => batch,
            Err(error) => {
                self.stopped = true;
                return (None, Err(error.into()));
            }
        };
        let now = self.clock.now();
        let mut turn = Turn {
            me: &self.me,
            now,
            random: self.random.as_mut(),
            signer: self.signer.as_ref(),
            own: &mut self.own,
            news: false,
        };
        let done = commands(&mut batch, &mut turn);
        let committed = batch.commit().map_err(OpenError::from).and_then(|()| self.list_purged(now));
        let committed = committed.and_then(|()| self.sign(before));
        self.stopped = committed.is_err();
        if committed.is_ok() && self.own.take_purged() {
            self.forget_purged();
        }
        (Some(done), committed)
    }

    /// What was erased goes onto the purge list before anybody is told that it was.
    fn list_purged(&mut self, now: model::Timestamp) -> Result<(), OpenError> {
        if self.writer.take_erased() && purged::tell(&mut self.writer, self.purges.as_ref(), now)? {
            self.own.keep_purged();
        }
        Ok(())
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

    fn sign(&mut self, before: u64) -> Result<(), OpenError> {
        let frontier = self.own.frontier();
        if frontier.size() == before {
            return Ok(());
        }
        let next = Checkpoint { origin: self.me.origin.clone(), size: frontier.size(), root: frontier.root() };
        let note = self.signer.sign(&next)?;
        let workflow = if self.own.take_workflow() { next.size } else { self.signed.workflow };
        self.signed = Arc::new(Signed { size: next.size, workflow, text: note.text().to_owned() });
        Ok(())
    }
}

/// Tells the list what a crash kept from it, and erases what an older database has again. Before anything is served.
fn erase_listed(writer: &mut Writer, list: &dyn PurgeList, now: model::Timestamp) -> Result<(), OpenError> {
    purged::tell(writer, list, now)?;
    let all = list.all()?;
    let mut batch = writer.begin()?;
    let erased = batch.savepoint(|tx| purged::apply(tx, &all))?;
    batch.commit()?;
    // What was erased is on the list: nobody need be told.
    let _ = writer.take_erased();
    if erased > 0 {
        tracing::warn!(erased, "the database was older than the purge list: what had been purged is erased again");
        writer.truncate_wal()?;
    }
    Ok(())
}

/// The own log of a database, noted in it if it is new.
pub(crate) fn own_log(writer: &mut Writer, origin: &model::Origin) -> Result<(LogId, OwnLog), StoreError> {
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
    // Which of them were in the workflow lane is not looked up: witnesses are asked at once.
    Ok(Signed { size: next.size, workflow: next.size, text: note.text().to_owned() })
}
