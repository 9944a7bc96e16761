//! The node without threads: the database's writer, the own log and the keys, one group commit at a time.
//!
//! Order of a group commit (architecture §3): each command in a savepoint → COMMIT, synced → signer → answers.
//! The writer's thread drives it (`writer`), and the simulator, on one thread for 27 nations.

use std::path::Path;
use std::sync::Arc;

use journal::checkpoint::{self, Checkpoint};
use journal::identity::SignedIdentity;
use journal::sync::{Evidence, EvidenceKind};
use store::{Batch, Db, Reader, Store, StoreError, Tx, Writer};

use crate::audience::AudienceError;
use crate::identities;
use crate::me::{Me, Myself};
use crate::ports::{Clock, PurgeList, PurgeListError, Random, Signer, SignerError};
use crate::purged;
use crate::ratchet::{Kept, Moment, Ratchet};
use crate::standing::{self, Alarm, Cause, Silent, Standing};
use crate::successor;
use crate::work::{COMPACTION, COMPACTION_DUE, OwnLog, Signed, View, Work};
use crate::writer::{Stopped, WriteError};

/// Why a node did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signer did not sign, although its mark and the database agree.
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
    moment: Moment,
    random: &'a mut dyn Random,
    signer: &'a dyn Signer,
    own: &'a mut OwnLog,
    /// Has a command done something that screens and partners wait for?
    pub(crate) news: bool,
}

/// Why one command of a group commit was undone.
pub(crate) enum Undone<E> {
    /// It refused.
    Refused(E),
    /// It would have written to a log that does not speak.
    Silent(Silent),
}

impl<E: From<StoreError>> From<StoreError> for Undone<E> {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl<E> From<Undone<E>> for WriteError<E> {
    fn from(undone: Undone<E>) -> Self {
        match undone {
            Undone::Refused(error) => Self::Refused(error),
            Undone::Silent(silent) => Self::Silent(silent),
        }
    }
}

/// What became of a group commit as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Committed {
    /// It is durable, and signed if the node speaks.
    Kept,
    /// Word came in it that another may be speaking, after something had been said: nothing of it is left.
    Undone,
}

impl Turn<'_> {
    /// Runs one use case in a savepoint. One that refuses is rolled back alone.
    pub(crate) fn run<R, E: From<StoreError>>(
        &mut self,
        batch: &mut Batch<'_>,
        use_case: impl FnOnce(&mut Work<'_, '_>) -> Result<R, E>,
    ) -> Result<R, Undone<E>> {
        let before = self.own.clone();
        let result = batch.savepoint(|tx| {
            let work = Work::new(tx, self.me, self.moment.now, &mut *self.random, self.signer, &mut *self.own);
            let mut work = work.at(self.moment);
            let value = use_case(&mut work).map_err(Undone::Refused)?;
            // Whatever a command is: nothing is added to a log that does not speak.
            if work.is_speaking()
                && let Some(silent) = work.standing().silence()
            {
                return Err(Undone::Silent(silent));
            }
            work.finish()?;
            Ok(value)
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
    me: Arc<Myself>,
    clock: Arc<Ratchet>,
    /// The time that the database has kept.
    kept: Option<model::Timestamp>,
    random: Box<dyn Random>,
    signer: Arc<dyn Signer>,
    store: Store,
    writer: Writer,
    own: OwnLog,
    signed: Arc<Signed>,
    /// The signed size whose checkpoint the database has.
    noted: u64,
    purges: Arc<dyn PurgeList>,
    stopped: bool,
}

impl Engine {
    /// Opens the database in `dir`, compares it with the signer's mark, and signs if the two agree. If they don't, the
    /// node opens and does not speak: see [`Standing`].
    ///
    /// # Errors
    /// The database cannot be opened, or the signer fails.
    pub fn open(dir: &Path, deps: Deps) -> Result<Self, OpenError> {
        let Deps { clock, random, signer, identity, purges } = deps;
        let store = Store::open(dir)?;
        let clock = Arc::new(Ratchet::new(clock, store.reader()?.snapshot(Kept::read)?));
        let mut writer = store.writer()?;
        let verified = journal::identity::verify(&identity).map_err(|error| OpenError::Identity(error.to_string()))?;
        let known = verified.into_inner();
        let origin = known.origin.clone();
        let mut batch = writer.begin()?;
        let (me, own, signed, due) = batch.savepoint(|tx| {
            let log = tx.ensure_log(&origin)?;
            successor::begin(tx, &known)?;
            let me = Me { origin, log, name: known.name.clone(), identity: known, signed_identity: identity };
            let standing = standing_at_start(tx, &me, signer.as_ref(), clock.now())?;
            let own = OwnLog::new(tx.tree(log)?.frontier, standing, standing::recovered(tx)?);
            let signed = signed_before(tx, &me, own.standing())?;
            let due = tx.setting(COMPACTION)?.as_deref() == Some(COMPACTION_DUE);
            Ok::<_, StoreError>((me, own, signed, due))
        })?;
        batch.commit()?;
        erase_listed(&mut writer, purges.as_ref(), clock.now())?;
        if due {
            compact(&mut writer)?;
        }
        // A process that was killed after a purge has left it in the write-ahead file.
        writer.truncate_wal()?;
        identities::note_own_at_start(&mut writer, &me, clock.now())?;
        let mut engine = Self {
            me: Arc::new(Myself::new(me)),
            clock,
            kept: None,
            random,
            signer,
            store,
            writer,
            own,
            purges,
            noted: signed.size,
            signed: Arc::new(signed),
            stopped: false,
        };
        if engine.own.standing().speaks() {
            engine.sign()?;
            // Which entries were in the workflow lane is not looked up: witnesses are asked at once.
            let signed = Signed { workflow: engine.signed.size, ..engine.signed.as_ref().clone() };
            engine.signed = Arc::new(signed);
            engine.go_on_after_the_old_log()?;
        }
        Ok(engine)
    }

    /// The first thing that a successor log says is to whom the nation speaks.
    fn go_on_after_the_old_log(&mut self) -> Result<(), OpenError> {
        if !self.store.reader()?.snapshot(successor::has_audiences_to_say)? {
            return Ok(());
        }
        match self.write(successor::say_audiences) {
            Ok(()) => Ok(()),
            Err(WriteError::Refused(AudienceError::Store(error))) => Err(error.into()),
            Err(error) => {
                tracing::error!(%error, "the audiences of the log before were not said anew");
                Ok(())
            }
        }
    }

    /// Who this node is.
    #[must_use]
    pub fn me(&self) -> Arc<Me> {
        self.me.now()
    }

    /// The same for whoever outlives this identity.
    pub(crate) fn myself(&self) -> &Arc<Myself> {
        &self.me
    }

    /// The node's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<Ratchet> {
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
    /// The use case refused (nothing changed), or the node does not speak or has stopped.
    pub fn write<R, E: From<StoreError>>(
        &mut self,
        use_case: impl FnOnce(&mut Work<'_, '_>) -> Result<R, E>,
    ) -> Result<R, WriteError<E>> {
        match self.group_commit(|batch, turn| turn.run(batch, use_case)) {
            (Some(result), Ok(Committed::Kept)) => Ok(result?),
            (Some(_), Ok(Committed::Undone)) => Err(WriteError::Busy),
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
        let (Moment { now, wall, .. }, signed) = (self.clock.moment(), Arc::clone(&self.signed));
        let me = self.me.now();
        reader.snapshot(|db| use_case(&View { db, me: &me, now, wall, signed, signer: self.signer.as_ref() }))
    }

    /// One group commit: what `commands` does in the batch, the synced COMMIT, the signature.
    /// After an error nothing is written any more: what became of the commands is unknown.
    pub(crate) fn group_commit<T>(
        &mut self,
        commands: impl FnOnce(&mut Batch<'_>, &mut Turn<'_>) -> T,
    ) -> (Option<T>, Result<Committed, OpenError>) {
        if self.stopped {
            return (None, Err(OpenError::Stopped(Stopped)));
        }
        let (done, committed) = match self.commit(commands) {
            Ok((done, committed)) => (Some(done), committed),
            Err(error) => (None, Err(error.into())),
        };
        self.stopped = committed.is_err();
        if committed.is_ok() && self.own.take_spilled() {
            self.forget_spilled();
        }
        if committed.is_ok() && self.own.take_purged() {
            self.forget_purged();
        }
        (done, committed)
    }

    /// The error outside is one before anything was done.
    fn commit<T>(
        &mut self,
        commands: impl FnOnce(&mut Batch<'_>, &mut Turn<'_>) -> T,
    ) -> Result<(T, Result<Committed, OpenError>), StoreError> {
        let before = self.own.clone();
        let me = self.me.now();
        let moment = self.clock.moment();
        let now = moment.now;
        let mut batch = self.writer.begin()?;
        if let Some((setting, value)) = self.clock.to_keep(moment, self.kept) {
            // Before the commands: one of them may set it.
            batch.savepoint(|tx| tx.set_setting(setting, &value))?;
            self.kept = Some(now);
        }
        if self.noted != self.signed.size {
            // So that whoever puts this database back finds what it may show to partners.
            batch.savepoint(|tx| tx.set_checkpoint(me.log, &self.signed.text))?;
        }
        let mut turn = Turn {
            me: &me,
            moment,
            random: self.random.as_mut(),
            signer: self.signer.as_ref(),
            own: &mut self.own,
            news: false,
        };
        let done = commands(&mut batch, &mut turn);
        let alarm = self.own.take_alarm();
        if let Some(alarm) = alarm.filter(|_| self.own.frontier().size() > before.frontier().size()) {
            drop(batch);
            self.own = before;
            return Ok((done, self.keep_alarm(&alarm).map(|()| Committed::Undone)));
        }
        if let Err(error) = batch.commit() {
            return Ok((done, Err(error.into())));
        }
        // Before anybody is answered, so that what is purged comes back from no backup.
        if let Err(error) = self.list_purged(now) {
            return Ok((done, Err(error)));
        }
        self.noted = self.signed.size;
        let grown = self.own.frontier().size() > before.frontier().size();
        let other = self.own.standing() != before.standing();
        let with_other_keys = self.own.take_resign();
        let speaks = self.own.standing().speaks();
        let signed = if speaks && (grown || other || with_other_keys) { self.sign() } else { Ok(()) };
        if other {
            tracing::warn!(standing = self.own.standing().word(), "the own log stands otherwise");
            let standing = self.own.standing().clone();
            self.signed = Arc::new(Signed { standing, ..self.signed.as_ref().clone() });
        }
        Ok((done, signed.map(|()| Committed::Kept)))
    }

    /// Somebody else may speak with our key, and this group commit was about to: it is undone, and this stays.
    fn keep_alarm(&mut self, alarm: &Alarm) -> Result<(), OpenError> {
        let (log, now) = (self.me.now().log, self.clock.now());
        let mut batch = self.writer.begin()?;
        batch.savepoint(|tx| alarm.keep(tx, log, now))?;
        batch.commit()?;
        self.own.stand(alarm.standing.clone());
        self.signed = Arc::new(Signed { standing: alarm.standing.clone(), ..self.signed.as_ref().clone() });
        Ok(())
    }

    /// Pages may still hold stale copies of what a spill purged: the file is written anew.
    fn forget_spilled(&mut self) {
        if let Err(error) = compact(&mut self.writer) {
            tracing::warn!(%error, "the database could not be written anew after a spill: it is tried at the next start");
        }
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

    fn sign(&mut self) -> Result<(), OpenError> {
        let frontier = self.own.frontier();
        let next = Checkpoint { origin: self.me.now().origin.clone(), size: frontier.size(), root: frontier.root() };
        if self.signer.is_unknown() {
            self.signer.settle(&next)?;
        }
        let note = self.signer.sign(&next)?;
        let workflow = if self.own.take_workflow() { next.size } else { self.signed.workflow };
        let (text, standing) = (note.text().to_owned(), self.own.standing().clone());
        self.signed = Arc::new(Signed { size: next.size, workflow, text, standing });
        Ok(())
    }
}

/// Tells the list what a crash kept from it, and erases what an older database has again. Before anything is served.
fn erase_listed(writer: &mut Writer, list: &dyn PurgeList, now: model::Timestamp) -> Result<(), OpenError> {
    purged::tell(writer, list, now)?;
    let all = list.all()?;
    let mut batch = writer.begin()?;
    let (erased, forgotten) = batch.savepoint(|tx| {
        let erased = purged::apply(tx, &all)?;
        let forgotten = purged::forgotten(tx, &all)?;
        forgotten.iter().try_for_each(|(log, index)| tx.put_unlisted(*log, *index))?;
        Ok::<_, StoreError>((erased, forgotten.len()))
    })?;
    batch.commit()?;
    if forgotten > 0 {
        tracing::warn!(forgotten, "the purge list has lost places that were erased: it is told of them again");
        purged::tell(writer, list, now)?;
    }
    // What was erased is on the list: nobody need be told.
    let _ = writer.take_erased();
    if erased > 0 {
        tracing::warn!(erased, "the database was older than the purge list: what had been purged is erased again");
        writer.truncate_wal()?;
    }
    Ok(())
}

/// Writes the file anew, and notes that this is done.
fn compact(writer: &mut Writer) -> Result<(), StoreError> {
    writer.compact()?;
    let mut batch = writer.begin()?;
    batch.savepoint(|tx| tx.set_setting(COMPACTION, "done"))?;
    batch.commit()
}

/// Does the database hold exactly what was signed last, or extend it? Then the node speaks.
fn standing_at_start(tx: &Tx<'_>, me: &Me, signer: &dyn Signer, now: model::Timestamp) -> Result<Standing, StoreError> {
    let kept = standing::kept(tx)?;
    let size = tx.tree(me.log)?.size;
    let from = |of: &Standing| match of {
        Standing::Recovering { from, .. } => *from,
        Standing::Speaking | Standing::Stopped { .. } => size,
    };
    let mark = signer.mark();
    let standing = match (&kept, mark) {
        (Standing::Stopped { .. }, _) => kept.clone(),
        (_, _) if signer.is_unknown() => {
            let needs = if let Standing::Recovering { needs, .. } = kept { needs.max(size) } else { size };
            Standing::Recovering { cause: Cause::Unknown, from: from(&kept), needs }
        }
        (_, Some(mark)) if mark.size > size => {
            Standing::Recovering { cause: Cause::Behind, from: from(&kept), needs: mark.size }
        }
        (_, Some(mark)) if root_at(tx, me, mark.size)? != mark.root => {
            let alarm = other_than_signed(tx, me, mark.size)?;
            alarm.keep(tx, me.log, now)?;
            alarm.standing
        }
        (Standing::Speaking | Standing::Recovering { .. }, _) => kept.clone(),
    };
    if standing != kept {
        standing::keep(tx, &standing)?;
    }
    Ok(standing)
}

/// The database holds other entries than the signer signed.
pub(crate) fn other_than_signed(db: &Db<'_>, me: &Me, size: u64) -> Result<Alarm, StoreError> {
    let why = SignerError::Forked { size }.to_string();
    let evidence = Evidence::new(&me.origin, EvidenceKind::Fork, why.clone());
    let evidence = match db.tree(me.log)?.checkpoint {
        Some(ours) => evidence.with_ours(&ours),
        None => evidence,
    };
    Ok(Alarm { standing: Standing::Stopped { why }, evidence })
}

/// The root of the own log at an earlier size.
pub(crate) fn root_at(db: &Db<'_>, me: &Me, size: u64) -> Result<journal::tree::TreeHash, StoreError> {
    journal::tree::root_at(&db.tiles(me.log), size)
        .map_err(|error| StoreError::Corrupt { what: format!("own log: {error}") })
}

/// The newest checkpoint that is in the database, if it is of this log as it stands here: what a node that does not
/// speak may still show.
fn signed_before(db: &Db<'_>, me: &Me, standing: &Standing) -> Result<Signed, StoreError> {
    let none = Signed { standing: standing.clone(), ..Signed::default() };
    let tree = db.tree(me.log)?;
    let Some(text) = tree.checkpoint else { return Ok(none) };
    let Ok(signed) = checkpoint::verify_with_key(&text, &me.origin, &me.identity.log_key) else { return Ok(none) };
    if signed.size > tree.size || root_at(db, me, signed.size)? != signed.root {
        return Ok(none);
    }
    Ok(Signed { size: signed.size, workflow: signed.size, text, standing: standing.clone() })
}
