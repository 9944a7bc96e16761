//! Chains: the places of each (audience, lane) of a log, by which a receiver sees what it is entitled to and lacks.

use model::{AudienceId, Commitment, Lane, Slot};
use rusqlite::{OptionalExtension, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, StatementId};
use crate::limits;
use crate::memo::{ChainKey, ChainState};

/// The newest place of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainTail {
    /// Its number.
    pub sequence: u64,
    /// What stands there.
    pub commitment: Commitment,
}

/// What a place said when a statement was put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotOutcome {
    /// It was free.
    New,
    /// The same statement stood there.
    Same,
    /// Another one stands there, or stands before it where the slot names a third: evidence against the owner.
    Conflict {
        /// The one that was there first.
        other: StatementId,
    },
}

/// How much of a chain is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainRow {
    /// The audience.
    pub audience: AudienceId,
    /// The feed.
    pub lane: Lane,
    /// The first place that is here: a member's chain starts where its admission says.
    pub low: u64,
    /// The last place that is here.
    pub high: u64,
    /// How many places are here.
    pub count: u64,
}

impl ChainRow {
    /// Does a place between the first and the last lack?
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        self.missing() > 0
    }
    /// How many places between the first and the last lack.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        // The last place may be any number that a partner wrote: adding one to it first could overflow.
        self.high.saturating_sub(self.low).saturating_sub(self.count.saturating_sub(1))
    }
}

impl Db<'_> {
    /// The newest place of a chain; `None` before the first.
    ///
    /// # Errors
    /// The database.
    pub fn chain_tail(&self, log: LogId, audience: &AudienceId, lane: Lane) -> Result<Option<ChainTail>, StoreError> {
        let state = self.chain(&(log, *audience, lane))?;
        Ok(state.map(|state| ChainTail { sequence: state.high, commitment: state.tail }))
    }

    /// The statement at the newest place of a chain; `None` before the first.
    ///
    /// # Errors
    /// The database.
    pub fn chain_end(&self, log: LogId, audience: &AudienceId, lane: Lane) -> Result<Option<StatementId>, StoreError> {
        let Some(state) = self.chain(&(log, *audience, lane))? else { return Ok(None) };
        self.one(
            "SELECT statement FROM slot WHERE chain = ?1 AND sequence = ?2",
            params![state.id, columns::int(state.high)],
            |row| Ok(row.get(0)?),
        )
    }

    /// Every chain of a log, by audience and lane.
    ///
    /// # Errors
    /// The database.
    pub fn chains(&self, log: LogId) -> Result<Vec<ChainRow>, StoreError> {
        self.settle()?;
        self.all(
            "SELECT audience, lane, low, high, count FROM chain WHERE log = ?1 ORDER BY audience, lane",
            [log],
            |row| {
                Ok(ChainRow {
                    audience: columns::fixed(row, 0, "audience", AudienceId::from_slice)?,
                    lane: columns::coded(row, 1, "lane", Lane::from_code)?,
                    low: columns::count(row, 2)?,
                    high: columns::count(row, 3)?,
                    count: columns::count(row, 4)?,
                })
            },
        )
    }

    /// The statements of a chain, in its order.
    ///
    /// # Errors
    /// The database.
    pub fn chain_statements(
        &self,
        log: LogId,
        audience: &AudienceId,
        lane: Lane,
    ) -> Result<Vec<StatementId>, StoreError> {
        let Some(state) = self.chain(&(log, *audience, lane))? else { return Ok(Vec::new()) };
        self.all("SELECT statement FROM slot WHERE chain = ?1 ORDER BY sequence", [state.id], |row| Ok(row.get(0)?))
    }

    fn chain(&self, key: &ChainKey) -> Result<Option<ChainState>, StoreError> {
        if let Some(known) = self.memo.chains.borrow().get(key) {
            return Ok(Some(known.clone()));
        }
        let (log, audience, lane) = key;
        self.one(
            "SELECT id, low, high, count, tail FROM chain WHERE log = ?1 AND audience = ?2 AND lane = ?3",
            params![log, audience.as_bytes(), lane.code()],
            |row| {
                Ok(ChainState {
                    id: row.get(0)?,
                    low: columns::count(row, 1)?,
                    high: columns::count(row, 2)?,
                    count: columns::count(row, 3)?,
                    tail: columns::fixed(row, 4, "commitment", Commitment::from_slice)?,
                    dirty: false,
                })
            },
        )
    }

    /// Writes back what the running savepoint has counted: chains and counters of logs. On a reader there is nothing.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        let mut chains = self.memo.chains.borrow_mut();
        for state in chains.values_mut().filter(|state| state.dirty) {
            self.run(
                "UPDATE chain SET low = ?2, high = ?3, count = ?4, tail = ?5 WHERE id = ?1",
                params![
                    state.id,
                    columns::int(state.low),
                    columns::int(state.high),
                    columns::int(state.count),
                    state.tail.as_bytes(),
                ],
            )?;
            state.dirty = false;
        }
        if chains.len() > limits::MEMO {
            chains.clear();
        }
        for (log, tally) in self.memo.tallies.borrow_mut().drain() {
            if tally.bytes != 0 {
                self.run("UPDATE log SET bytes = bytes + ?2 WHERE id = ?1", params![log, tally.bytes])?;
            }
            if tally.objects != 0 {
                self.run(
                    "INSERT INTO tally (log, objects) VALUES (?1, ?2)
                     ON CONFLICT (log) DO UPDATE SET objects = objects + excluded.objects",
                    params![log, tally.objects],
                )?;
            }
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// Puts a statement at its place in a chain.
    ///
    /// # Errors
    /// The database. A place that is taken is an outcome, not an error, and changes nothing.
    pub fn put_slot(
        &self,
        log: LogId,
        audience: &AudienceId,
        lane: Lane,
        slot: &Slot,
        statement: StatementId,
        commitment: &Commitment,
    ) -> Result<SlotOutcome, StoreError> {
        let key = (log, *audience, lane);
        let Some(mut state) = self.chain(&key)? else {
            let state = self.begin_chain(&key, slot.sequence, commitment)?;
            return self.take_slot(key, state, slot.sequence, statement);
        };
        // The usual case, the next place after the last, is decided without reading anything.
        let follows = state.high.checked_add(1) == Some(slot.sequence);
        if !follows && let Some(other) = self.slot(state.id, slot.sequence)? {
            let same = other == statement || self.commitment_of(other)?.as_ref() == Some(commitment);
            return Ok(if same { SlotOutcome::Same } else { SlotOutcome::Conflict { other } });
        }
        if let Some(other) = self.contradicted(&state, slot, follows)? {
            return Ok(SlotOutcome::Conflict { other });
        }
        if slot.sequence > state.high {
            state.high = slot.sequence;
            state.tail = *commitment;
        }
        state.low = state.low.min(slot.sequence);
        state.count += 1;
        state.dirty = true;
        self.take_slot(key, state, slot.sequence, statement)
    }

    fn begin_chain(&self, key: &ChainKey, sequence: u64, commitment: &Commitment) -> Result<ChainState, StoreError> {
        let (log, audience, lane) = key;
        let id = self.insert(
            "INSERT INTO chain (log, audience, lane, low, high, count, tail) VALUES (?1, ?2, ?3, ?4, ?4, 1, ?5)",
            params![log, audience.as_bytes(), lane.code(), columns::int(sequence), commitment.as_bytes()],
        )?;
        Ok(ChainState { id, low: sequence, high: sequence, count: 1, tail: *commitment, dirty: false })
    }

    fn take_slot(
        &self,
        key: ChainKey,
        state: ChainState,
        sequence: u64,
        statement: StatementId,
    ) -> Result<SlotOutcome, StoreError> {
        self.run(
            "INSERT INTO slot (chain, sequence, statement) VALUES (?1, ?2, ?3)",
            params![state.id, columns::int(sequence), statement],
        )?;
        self.memo.chains.borrow_mut().insert(key, state);
        Ok(SlotOutcome::New)
    }

    /// The statement one place before, if it is here and is not the one that the slot says stands there.
    fn contradicted(&self, state: &ChainState, slot: &Slot, follows: bool) -> Result<Option<StatementId>, StoreError> {
        let (Some(previous), Some(before)) = (slot.previous, slot.sequence.checked_sub(1)) else { return Ok(None) };
        if follows && state.tail == previous {
            return Ok(None);
        }
        let Some(other) = self.slot(state.id, before)? else { return Ok(None) };
        let stands = if follows { Some(state.tail) } else { self.commitment_of(other)? };
        Ok(stands.is_some_and(|stands| stands != previous).then_some(other))
    }

    fn slot(&self, chain: i64, sequence: u64) -> Result<Option<StatementId>, StoreError> {
        let mut statement =
            self.conn.prepare_cached("SELECT statement FROM slot WHERE chain = ?1 AND sequence = ?2")?;
        Ok(statement.query_row(params![chain, columns::int(sequence)], |row| row.get(0)).optional()?)
    }

    /// What the log commits to for a statement; `None` for an own one that the tree does not have yet.
    fn commitment_of(&self, statement: StatementId) -> Result<Option<Commitment>, StoreError> {
        match self.statement(statement)? {
            Some(row) => self.commitment(row.log, row.index),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use journal::tree::Frontier;

    use super::*;
    use crate::testing::{World, audience, commitment, origin, say};

    /// A log whose entries 0 to 9 are statements 1 to 10 with the commitments 0 to 9.
    fn with_log(run: impl FnOnce(&Tx<'_>, LogId) -> Result<(), StoreError>) {
        let world = World::new();
        world.write(|tx| {
            let log = tx.ensure_log(&origin("EE"))?;
            let all: Vec<Commitment> = (0..10).map(commitment).collect();
            tx.extend(log, &mut Frontier::default(), &all)?;
            for index in 0..10 {
                say(tx, log, index)?;
            }
            run(tx, log)
        });
    }

    /// Puts the statement with commitment `number` at `sequence`, after the one with commitment `previous`.
    fn put(
        tx: &Tx<'_>,
        log: LogId,
        sequence: u64,
        previous: Option<u64>,
        number: u64,
    ) -> Result<SlotOutcome, StoreError> {
        let slot = Slot { sequence, previous: previous.map(commitment) };
        let statement = StatementId(number.cast_signed() + 1);
        tx.put_slot(log, &audience(1), Lane::Workflow, &slot, statement, &commitment(number))
    }

    #[test]
    fn a_chain_grows_and_its_tail_follows() {
        with_log(|tx, log| {
            assert_eq!(tx.chain_tail(log, &audience(1), Lane::Workflow)?, None);
            assert_eq!(put(tx, log, 0, None, 0)?, SlotOutcome::New);
            assert_eq!(put(tx, log, 1, Some(0), 1)?, SlotOutcome::New);
            assert_eq!(put(tx, log, 1, Some(0), 1)?, SlotOutcome::Same);
            let tail = tx.chain_tail(log, &audience(1), Lane::Workflow)?.unwrap();
            assert_eq!((tail.sequence, tail.commitment), (1, commitment(1)));
            assert_eq!(tx.chain_tail(log, &audience(1), Lane::Intelligence)?, None);
            assert_eq!(tx.chain_statements(log, &audience(1), Lane::Workflow)?, [StatementId(1), StatementId(2)]);
            let chains = tx.chains(log)?;
            assert_eq!((chains[0].low, chains[0].high, chains[0].count, chains.len()), (0, 1, 2, 1));
            Ok(())
        });
    }

    #[test]
    fn a_gap_shows_until_it_is_filled() {
        with_log(|tx, log| {
            put(tx, log, 5, Some(4), 5)?;
            put(tx, log, 8, Some(7), 8)?;
            let told = |tx: &Tx<'_>| tx.chains(log).unwrap()[0];
            assert_eq!((told(tx).is_incomplete(), told(tx).missing()), (true, 2));
            put(tx, log, 7, Some(6), 7)?;
            put(tx, log, 6, Some(5), 6)?;
            assert!(!told(tx).is_incomplete());
            put(tx, log, 4, Some(3), 4)?;
            assert_eq!((told(tx).low, told(tx).high, told(tx).count), (4, 8, 5));
            put(tx, log, u64::MAX, None, 9)?;
            assert_eq!(told(tx).missing(), u64::MAX - 4 - 5, "an absurd number is only a gap");
            Ok(())
        });
    }

    #[test]
    fn two_statements_in_one_slot_are_evidence() {
        with_log(|tx, log| {
            for number in 0..3 {
                put(tx, log, number, number.checked_sub(1), number)?;
            }
            let conflict = |other| SlotOutcome::Conflict { other: StatementId(other) };
            assert_eq!(put(tx, log, 1, Some(0), 7)?, conflict(2), "the place is taken");
            assert_eq!(put(tx, log, 3, Some(8), 3)?, conflict(3), "another is said to stand before it, at the end");
            assert_eq!(put(tx, log, 5, Some(4), 5)?, SlotOutcome::New);
            assert_eq!(put(tx, log, 6, Some(5), 6)?, SlotOutcome::New);
            assert_eq!(put(tx, log, 3, Some(9), 3)?, conflict(3), "and in the middle");
            assert_eq!(put(tx, log, 3, Some(2), 3)?, SlotOutcome::New);
            Ok(())
        });
    }
}
