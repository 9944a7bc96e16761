//! What a use case works with: a write (`Work`) or a read (`View`) of one transaction, with time and chance as arguments.

use std::sync::Arc;

use journal::tree::Frontier;
use model::{Commitment, Index, Lane, Timestamp};
use store::{Db, Tx};

use crate::me::Me;
use crate::ports::{Random, Signer};

/// One write: everything in it commits together or not at all.
pub struct Work<'t, 'c> {
    /// The transaction.
    pub tx: &'t Tx<'c>,
    /// Who we are.
    pub me: &'t Me,
    /// The time of the transaction.
    pub now: Timestamp,
    /// Chance.
    pub random: &'t mut dyn Random,
    /// The keys.
    pub signer: &'t dyn Signer,
    own: &'t mut OwnLog,
}

/// The own log within a group commit: its frontier, and the entries that the current command has added.
#[derive(Debug, Clone)]
pub struct OwnLog {
    frontier: Frontier,
    added: Vec<Commitment>,
    purged: bool,
    spilled: bool,
    workflow: bool,
}

impl OwnLog {
    /// The log as the last commit left it.
    #[must_use]
    pub fn new(frontier: Frontier) -> Self {
        Self { frontier, added: Vec::new(), purged: false, spilled: false, workflow: false }
    }
    /// Has something been said in the workflow lane since this was last asked?
    pub(crate) fn take_workflow(&mut self) -> bool {
        std::mem::take(&mut self.workflow)
    }
    /// Has a body been erased since this was last asked?
    pub(crate) fn take_purged(&mut self) -> bool {
        std::mem::take(&mut self.purged)
    }
    /// Is the file to be written anew since this was last asked?
    pub(crate) fn take_spilled(&mut self) -> bool {
        std::mem::take(&mut self.spilled)
    }
    /// Notes that the file is to be written anew.
    pub(crate) fn keep_spilled(&mut self) {
        self.spilled = true;
    }
    /// Asks again later.
    pub(crate) fn keep_purged(&mut self) {
        self.purged = true;
    }
    /// The frontier, without entries that are still being added.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }
}

impl<'t, 'c> Work<'t, 'c> {
    /// Begins a use case inside a transaction.
    pub fn new(
        tx: &'t Tx<'c>,
        me: &'t Me,
        now: Timestamp,
        random: &'t mut dyn Random,
        signer: &'t dyn Signer,
        own: &'t mut OwnLog,
    ) -> Self {
        Self { tx, me, now, random, signer, own }
    }

    /// The place that the next own entry takes.
    #[must_use]
    pub fn next_index(&self) -> Index {
        Index(self.own.frontier.size() + self.own.added.len() as u64)
    }

    /// Notes that a body was erased: once this is committed, what the write-ahead file still holds of it goes too.
    pub(crate) fn note_purge(&mut self) {
        self.own.purged = true;
    }

    /// Notes a purge of which no page of the file may keep a stale copy: if it is the `last` of several, the file is
    /// written anew once this is committed; and if the process ends before that, when the node is opened again.
    ///
    /// # Errors
    /// The database.
    pub(crate) fn note_spill(&mut self, last: bool) -> Result<(), store::StoreError> {
        self.note_purge();
        self.own.spilled |= last;
        self.tx.set_setting(COMPACTION, COMPACTION_DUE)
    }

    /// Notes an own entry; `finish` writes all of a command at once.
    pub(crate) fn add_entry(&mut self, commitment: Commitment, lane: Lane) {
        self.own.added.push(commitment);
        self.own.workflow |= lane == Lane::Workflow;
    }

    /// The commitment of an own entry, also of one that this command has just added.
    ///
    /// # Errors
    /// The database.
    pub fn own_commitment(&self, index: Index) -> Result<Option<Commitment>, store::StoreError> {
        match index.0.checked_sub(self.own.frontier.size()) {
            Some(at) => Ok(usize::try_from(at).ok().and_then(|at| self.own.added.get(at)).copied()),
            None => self.tx.commitment(self.me.log, index),
        }
    }

    /// Writes the entries that were added to the tree. Called once, last, by whoever runs the use case.
    ///
    /// # Errors
    /// The database.
    pub fn finish(self) -> Result<(), store::StoreError> {
        if !self.own.added.is_empty() {
            let added = std::mem::take(&mut self.own.added);
            self.tx.extend(self.me.log, &mut self.own.frontier, &added)?;
        }
        Ok(())
    }
}

/// The setting that says whether the file is still to be written anew after a spill.
pub(crate) const COMPACTION: &str = "compaction";
/// See [`COMPACTION`].
pub(crate) const COMPACTION_DUE: &str = "due";

/// One read: a snapshot.
pub struct View<'t, 'c> {
    /// The snapshot.
    pub db: &'t Db<'c>,
    /// Who we are.
    pub me: &'t Me,
    /// The time of the read: `state_at(now)` is computed from it.
    pub now: Timestamp,
    /// What the last signature covers: nothing beyond it may be shown to a partner.
    pub signed: Arc<Signed>,
    /// The keys (bodies are sealed at rest).
    pub signer: &'t dyn Signer,
}

/// The newest signed state of the own log.
#[derive(Debug, Clone, Default)]
pub struct Signed {
    /// Entries that it covers.
    pub size: u64,
    /// Where the newest of them in the workflow lane ends, at most: its witnesses are asked at once.
    pub workflow: u64,
    /// The note as it is served.
    pub text: String,
}
