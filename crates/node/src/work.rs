//! What a use case works with: a write (`Work`) or a read (`View`) of one transaction, with time and chance as arguments.

use std::sync::Arc;

use journal::tree::Frontier;
use model::{Commitment, Index, Lane, Timestamp};
use store::{Db, Tx};

use crate::me::Me;
use crate::ports::{Random, Signer};
use crate::ratchet::Moment;
use crate::standing::{self, Alarm, Recovered, Standing};

/// One write: everything in it commits together or not at all.
pub struct Work<'t, 'c> {
    /// The transaction.
    pub tx: &'t Tx<'c>,
    /// Who we are.
    pub me: &'t Me,
    /// The time of the transaction.
    pub now: Timestamp,
    /// The time on people's watches (see [`crate::ports::Clock::wall`]): what accounts go by.
    pub wall: Timestamp,
    /// The time on people's watches as the machine shows it: what one-time codes are compared with.
    pub watch: Timestamp,
    /// What deletes or drops for good goes by this: see [`crate::ratchet`].
    pub sure: Timestamp,
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
    resign: bool,
    standing: Standing,
    recovered: Recovered,
    alarm: Option<Alarm>,
}

impl OwnLog {
    /// The log as the last commit left it.
    #[must_use]
    pub fn new(frontier: Frontier, standing: Standing, recovered: Recovered) -> Self {
        Self {
            frontier,
            added: Vec::new(),
            purged: false,
            spilled: false,
            workflow: false,
            resign: false,
            standing,
            recovered,
            alarm: None,
        }
    }
    /// May it be written to?
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }
    /// Word that another speaks, which came in this group commit.
    pub(crate) fn take_alarm(&mut self) -> Option<Alarm> {
        self.alarm.take()
    }
    /// Stands so from now on; the caller keeps it in the database.
    pub(crate) fn stand(&mut self, standing: Standing) {
        self.standing = standing;
    }
    /// Has something been said in the workflow lane since this was last asked?
    pub(crate) fn take_workflow(&mut self) -> bool {
        std::mem::take(&mut self.workflow)
    }
    /// Are the keys others than those of the last signature?
    pub(crate) fn take_resign(&mut self) -> bool {
        std::mem::take(&mut self.resign)
    }
    /// Has a body been erased since this was last asked?
    pub(crate) fn take_purged(&mut self) -> bool {
        std::mem::take(&mut self.purged)
    }
    /// Is the file to be written anew since this was last asked?
    pub(crate) fn take_spilled(&mut self) -> bool {
        std::mem::take(&mut self.spilled)
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
        Self { tx, me, now, wall: now, watch: now, sure: now, random, signer, own }
    }

    /// The same where not all clocks show the same.
    #[must_use]
    pub fn at(self, moment: Moment) -> Self {
        let Moment { now, wall, watch, sure } = moment;
        Self { now, wall, watch, sure, ..self }
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

    /// Notes that the keys have changed: the newest checkpoint is signed again with those of now.
    pub fn note_keys_changed(&mut self) {
        self.own.resign = true;
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

    /// Does the running command add to the own log?
    pub(crate) fn is_speaking(&self) -> bool {
        !self.own.added.is_empty()
    }

    /// How this node stands with its own log.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.own.standing
    }

    /// What the last recovery left to be careful about.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        self.own.recovered
    }

    /// Stands so from now on, after a restart too.
    ///
    /// # Errors
    /// The database.
    pub(crate) fn stand(&mut self, standing: Standing) -> Result<(), store::StoreError> {
        standing::keep(self.tx, &standing)?;
        self.own.standing = standing;
        Ok(())
    }

    /// Notes what a recovery left.
    ///
    /// # Errors
    /// The database.
    pub(crate) fn note_recovered(&mut self, recovered: Recovered) -> Result<(), store::StoreError> {
        standing::keep_recovered(self.tx, &recovered)?;
        self.own.recovered = recovered;
        Ok(())
    }

    /// Another may be speaking: nothing more is signed, whatever else this group commit has written.
    ///
    /// # Errors
    /// The database.
    pub(crate) fn raise(&mut self, alarm: Alarm) -> Result<(), store::StoreError> {
        alarm.keep(self.tx, self.me.log, self.now)?;
        self.own.standing = alarm.standing.clone();
        self.own.alarm = Some(alarm);
        Ok(())
    }

    /// Takes back entries that this log had already: their commitments, as partners hold them under our signature.
    ///
    /// # Errors
    /// The database.
    pub(crate) fn take_back(&mut self, commitments: &[Commitment]) -> Result<(), store::StoreError> {
        self.tx.extend(self.me.log, &mut self.own.frontier, commitments)
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
    /// The time on people's watches (see [`crate::ports::Clock::wall`]): what accounts go by.
    pub wall: Timestamp,
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
    /// How this node stands with its own log.
    pub standing: Standing,
}
