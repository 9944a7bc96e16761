//! Retention: how long each kind of data is kept, what is older, and who has purged it. Local truth.

use model::Timestamp;
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{IntakeId, LogId, RunId, StatementId};
use crate::intake::IntakeState;
use crate::objects::ObjectState;

/// A rule of retention that somebody has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRow {
    /// For which data, as `node` words it.
    pub rule: String,
    /// For how many days it is kept.
    pub days: u32,
}

/// A purge of what was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub id: RunId,
    /// When it began.
    pub at: Timestamp,
    /// By whom.
    pub who: String,
    /// The time for which the plan was made.
    pub planned_at: Timestamp,
    /// The plan's digest.
    pub digest: [u8; 32],
    /// How many items the plan had.
    pub planned: u64,
    /// How many of them are purged.
    pub purged: u64,
}

/// Local data that is no statement and no object of intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// A session that has ended.
    Session,
    /// An answer to an idempotency key.
    Answer,
    /// A row of the ledger. Those of a spilled statement stay: its report is made of them.
    Ledger,
    /// A piece of evidence. While its partner is held, it stays.
    Evidence,
}

fn run_row(row: &Row<'_>) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        id: row.get(0)?,
        at: columns::time(row, 1)?,
        who: row.get(2)?,
        planned_at: columns::time(row, 3)?,
        digest: row.get(4)?,
        planned: columns::count(row, 5)?,
        purged: columns::count(row, 6)?,
    })
}

impl Db<'_> {
    /// The rules that somebody has set, by name.
    ///
    /// # Errors
    /// The database.
    pub fn retention(&self) -> Result<Vec<RuleRow>, StoreError> {
        self.all("SELECT rule, days FROM retention ORDER BY rule", [], |row| {
            Ok(RuleRow { rule: row.get(0)?, days: row.get(1)? })
        })
    }

    /// Purges of what was due, newest first.
    ///
    /// # Errors
    /// The database.
    pub fn retention_runs(&self, limit: usize) -> Result<Vec<RunRow>, StoreError> {
        self.all(
            "SELECT id, at, who, planned_at, digest, planned, purged FROM retention_run ORDER BY id DESC LIMIT ?1",
            [columns::limit(limit)],
            run_row,
        )
    }

    /// Objects of intake in a state that were taken in before a time, oldest first, after one of them.
    ///
    /// # Errors
    /// The database.
    pub fn intake_before(
        &self,
        state: IntakeState,
        before: Timestamp,
        after: (Timestamp, IntakeId),
        limit: usize,
    ) -> Result<Vec<(IntakeId, Timestamp)>, StoreError> {
        self.all(
            "SELECT id, taken FROM intake WHERE state = ?1 AND taken < ?2 AND (taken, id) > (?3, ?4)
             ORDER BY taken, id LIMIT ?5",
            params![state.code(), before.micros(), after.0.micros(), after.1, columns::limit(limit)],
            |row| Ok((row.get(0)?, columns::time(row, 1)?)),
        )
    }

    /// Statements of the world in a state that still have their body and are older than a time, oldest first and after
    /// one of them: our own (those of `own`) or partners'. What is live is as old as its arrival, what is withdrawn as
    /// the arrival of the statement that says so; what was taken back by a content-free row alone has no such time, and
    /// is left out.
    ///
    /// # Errors
    /// The database.
    pub fn statements_before(
        &self,
        own: LogId,
        of_own: bool,
        state: ObjectState,
        before: Timestamp,
        after: (Timestamp, StatementId),
        limit: usize,
    ) -> Result<Vec<(StatementId, Timestamp)>, StoreError> {
        self.all(
            "SELECT object.statement, since FROM object JOIN (
               SELECT statement.id, CASE ?3 WHEN 0 THEN statement.arrived ELSE said.arrived END AS since
               FROM statement LEFT JOIN withdrawal ON withdrawal.target = statement.id
                 LEFT JOIN statement AS said ON said.id = withdrawal.by_statement
               WHERE statement.ciphertext IS NOT NULL) AS aged ON aged.id = object.statement
             WHERE (object.log = ?1) = ?2 AND object.state = ?3 AND object.lane = 1 AND since < ?4
               AND (since, object.statement) > (?5, ?6) ORDER BY since, object.statement LIMIT ?7",
            params![own, of_own, state.code(), before.micros(), after.0.micros(), after.1, columns::limit(limit)],
            |row| Ok((row.get(0)?, columns::time(row, 1)?)),
        )
    }

    /// Records older than a time, oldest first, each by its key.
    ///
    /// # Errors
    /// The database.
    pub fn records_before(
        &self,
        record: Record,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let sql = match record {
            Record::Session => {
                "SELECT lower(hex(hash)), expires FROM session WHERE expires < ?1 ORDER BY expires, hash LIMIT ?2"
            }
            Record::Answer => {
                "SELECT who || ' ' || key, at FROM idempotency WHERE at < ?1 ORDER BY at, who, key LIMIT ?2"
            }
            Record::Ledger => {
                "SELECT CAST(id AS TEXT), at FROM ledger WHERE at < ?1
                 AND statement NOT IN (SELECT statement FROM spilled) ORDER BY at, id LIMIT ?2"
            }
            Record::Evidence => {
                "SELECT CAST(id AS TEXT), at FROM evidence WHERE at < ?1 AND log NOT IN
                 (SELECT log FROM partner WHERE held_reason IS NOT NULL) ORDER BY at, id LIMIT ?2"
            }
        };
        self.all(sql, params![before.micros(), columns::limit(limit)], |row| Ok((row.get(0)?, columns::time(row, 1)?)))
    }

    /// The newest moment that this database has noted of anything that came in; `None` while nothing has.
    ///
    /// # Errors
    /// The database.
    pub fn newest_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest = self.one(
            "SELECT max((SELECT coalesce(max(arrived), 0) FROM statement WHERE id IN (SELECT max(id) FROM statement)),
               (SELECT coalesce(max(taken), 0) FROM intake WHERE id IN (SELECT max(id) FROM intake)),
               (SELECT coalesce(max(heard), 0) FROM partner),
               (SELECT coalesce(max(at), 0) FROM retention_run),
               (SELECT coalesce(max(at), 0) FROM ledger WHERE id IN (SELECT max(id) FROM ledger)))",
            [],
            |row| columns::time(row, 0),
        )?;
        Ok(newest.filter(|at| at.micros() > 0))
    }
}

impl Tx<'_> {
    /// Sets a rule; `None` keeps that data for ever.
    ///
    /// # Errors
    /// The database.
    pub fn set_retention(&self, rule: &str, days: Option<u32>) -> Result<(), StoreError> {
        match days {
            Some(days) => {
                self.run("INSERT OR REPLACE INTO retention (rule, days) VALUES (?1, ?2)", params![rule, days])?
            }
            None => self.run("DELETE FROM retention WHERE rule = ?1", [rule])?,
        };
        Ok(())
    }

    /// Notes that a purge of what is due begins.
    ///
    /// # Errors
    /// The database.
    pub fn begin_run(
        &self,
        at: Timestamp,
        who: &str,
        planned_at: Timestamp,
        digest: &[u8; 32],
        planned: usize,
    ) -> Result<RunId, StoreError> {
        let id = self.insert(
            "INSERT INTO retention_run (at, who, planned_at, digest, planned, purged) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
            params![at.micros(), who, planned_at.micros(), digest, columns::limit(planned)],
        )?;
        Ok(RunId(id))
    }

    /// Notes how many more items a run has purged.
    ///
    /// # Errors
    /// The database.
    pub fn count_run(&self, id: RunId, purged: usize) -> Result<(), StoreError> {
        let sql = "UPDATE retention_run SET purged = purged + ?2 WHERE id = ?1";
        self.run(sql, params![id, columns::limit(purged)])?;
        Ok(())
    }

    /// Erases a record by the key that [`Db::records_before`] gave. Says whether it was there.
    ///
    /// # Errors
    /// The database.
    pub fn erase_record(&self, record: Record, key: &str) -> Result<bool, StoreError> {
        let sql = match record {
            Record::Session => "DELETE FROM session WHERE lower(hex(hash)) = ?1",
            Record::Answer => "DELETE FROM idempotency WHERE who || ' ' || key = ?1",
            Record::Ledger => "DELETE FROM ledger WHERE id = CAST(?1 AS INTEGER)",
            Record::Evidence => "DELETE FROM evidence WHERE id = CAST(?1 AS INTEGER)",
        };
        Ok(self.run(sql, [key])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};
    use crate::{Face, LedgerRow, SpilledRow};

    const START: Timestamp = Timestamp::from_micros(i64::MIN);

    #[test]
    fn rules_and_runs_read_back() {
        let world = World::new();
        world.write(|tx| {
            tx.set_retention("partner", Some(365))?;
            tx.set_retention("partner", Some(30))?;
            tx.set_retention("ledger", Some(9))?;
            tx.set_retention("ledger", None)?;
            assert_eq!(tx.retention()?, [RuleRow { rule: "partner".to_owned(), days: 30 }]);
            let run = tx.begin_run(at(5), "anna", at(4), &[7; 32], 3)?;
            tx.count_run(run, 2)?;
            tx.count_run(run, 1)?;
            let row = tx.retention_runs(9)?.remove(0);
            assert_eq!((row.planned, row.purged, row.planned_at, row.digest), (3, 3, at(4), [7; 32]));
            assert_eq!(tx.newest_moment()?, Some(at(5)));
            Ok(())
        });
    }

    #[test]
    fn what_is_older_is_found_once_and_a_spills_ledger_stays() {
        let world = World::new();
        world.write(|tx| {
            assert_eq!(tx.newest_moment()?, None);
            for (statement, seconds) in [(1, 0), (2, 1), (3, 9)] {
                tx.put_ledger(&LedgerRow {
                    statement: StatementId(statement),
                    at: at(seconds),
                    who: "anna".to_owned(),
                    face: Face::Page,
                    recallable: false,
                })?;
                tx.remember("anna", &statement.to_string(), &[0; 32], "answer", at(seconds))?;
            }
            let spill = tx.put_spill(at(2), "anna", None, "secret")?;
            tx.put_spilled(spill, &SpilledRow { statement: StatementId(1), withdrawal: None })?;
            assert_eq!(tx.records_before(Record::Ledger, at(9), 9)?, [("2".to_owned(), at(1))]);
            assert!(tx.erase_record(Record::Ledger, "2")? && !tx.erase_record(Record::Ledger, "2")?);
            let answers = tx.records_before(Record::Answer, at(9), 9)?;
            assert_eq!(answers, [("anna 1".to_owned(), at(0)), ("anna 2".to_owned(), at(1))]);
            assert!(tx.erase_record(Record::Answer, "anna 1")?);
            assert_eq!(tx.records_before(Record::Answer, at(1), 9)?, []);
            assert_eq!(tx.intake_before(IntakeState::New, at(9), (START, IntakeId(0)), 9)?, []);
            Ok(())
        });
    }
}
