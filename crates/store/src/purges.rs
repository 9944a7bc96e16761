//! What was purged here by command: statements, what remains of those about sharing, and the spills that ordered it.
//! Local truth: no log says it, and a rebuild leaves it alone.

use model::{Index, Timestamp};
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{IntakeId, LogId, PersonId, SpillId, StatementId};

/// One spill: something that must not be here was purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpillRow {
    /// Its number.
    pub id: SpillId,
    /// When it was ordered.
    pub at: Timestamp,
    /// By whom.
    pub who: String,
    /// Who agreed as well, because the law held some of it.
    pub second: Option<String>,
    /// Why.
    pub reason: String,
}

/// A statement that a spill purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpilledRow {
    /// Which.
    pub statement: StatementId,
    /// Where in our log it was taken back; `None` for what is not ours to withdraw.
    pub withdrawal: Option<Index>,
}

/// An object of intake that a spill purged. Nothing of what it said is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpilledIntakeRow {
    /// Its number in intake.
    pub intake: IntakeId,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// When it had been taken in.
    pub taken: Timestamp,
    /// By whom; `None` for the machine's own socket.
    pub person: Option<PersonId>,
}

fn spill_row(row: &Row<'_>) -> Result<SpillRow, StoreError> {
    Ok(SpillRow {
        id: row.get(0)?,
        at: columns::time(row, 1)?,
        who: row.get(2)?,
        second: row.get(3)?,
        reason: row.get(4)?,
    })
}

impl Db<'_> {
    /// Was a statement's body erased here by command?
    ///
    /// # Errors
    /// The database.
    pub fn is_purged(&self, statement: StatementId) -> Result<bool, StoreError> {
        Ok(self.one("SELECT 1 FROM purged WHERE statement = ?1", [statement], |_| Ok(()))?.is_some())
    }

    /// What a fold still needs of a statement about sharing whose body was erased here by command.
    ///
    /// # Errors
    /// The database.
    pub fn remains(&self, statement: StatementId) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.one("SELECT remains FROM purged WHERE statement = ?1", [statement], |row| Ok(row.get(0)?))?;
        Ok(found.flatten())
    }

    /// The spills, newest first.
    ///
    /// # Errors
    /// The database.
    pub fn spills(&self, limit: usize) -> Result<Vec<SpillRow>, StoreError> {
        self.all(
            "SELECT id, at, who, second, reason FROM spill ORDER BY id DESC LIMIT ?1",
            [columns::limit(limit)],
            spill_row,
        )
    }

    /// One spill.
    ///
    /// # Errors
    /// The database.
    pub fn spill(&self, id: SpillId) -> Result<Option<SpillRow>, StoreError> {
        self.one("SELECT id, at, who, second, reason FROM spill WHERE id = ?1", [id], spill_row)
    }

    /// The statements that a spill purged.
    ///
    /// # Errors
    /// The database.
    pub fn spilled(&self, id: SpillId) -> Result<Vec<SpilledRow>, StoreError> {
        self.all("SELECT statement, withdrawal FROM spilled WHERE spill = ?1 ORDER BY statement", [id], |row| {
            let withdrawal: Option<i64> = row.get(1)?;
            let withdrawal = withdrawal.map(|index| Index(index.cast_unsigned()));
            Ok(SpilledRow { statement: row.get(0)?, withdrawal })
        })
    }

    /// The objects of intake that a spill purged.
    ///
    /// # Errors
    /// The database.
    pub fn spilled_intake(&self, id: SpillId) -> Result<Vec<SpilledIntakeRow>, StoreError> {
        self.all(
            "SELECT intake, digest, taken, person FROM spilled_intake WHERE spill = ?1 ORDER BY intake",
            [id],
            |row| {
                Ok(SpilledIntakeRow {
                    intake: row.get(0)?,
                    digest: row.get(1)?,
                    taken: columns::time(row, 2)?,
                    person: row.get(3)?,
                })
            },
        )
    }
}

impl Tx<'_> {
    /// Notes that a statement's body was erased here by command, with what remains of one about sharing. Said twice, the
    /// first stands: the second found no body any more.
    ///
    /// # Errors
    /// The database.
    pub fn put_purged(&self, statement: StatementId, at: Timestamp, remains: Option<&[u8]>) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO purged (statement, at, remains) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![statement, at.micros(), remains],
        )?;
        Ok(())
    }

    /// Notes that a spill was ordered.
    ///
    /// # Errors
    /// The database.
    pub fn put_spill(
        &self,
        at: Timestamp,
        who: &str,
        second: Option<&str>,
        reason: &str,
    ) -> Result<SpillId, StoreError> {
        let sql = "INSERT INTO spill (at, who, second, reason) VALUES (?1, ?2, ?3, ?4)";
        Ok(SpillId(self.insert(sql, params![at.micros(), who, second, reason])?))
    }

    /// Notes that a spill purged a statement.
    ///
    /// # Errors
    /// The database.
    pub fn put_spilled(&self, id: SpillId, row: &SpilledRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO spilled (spill, statement, withdrawal) VALUES (?1, ?2, ?3)",
            params![id, row.statement, row.withdrawal.map(|index| columns::int(index.0))],
        )?;
        Ok(())
    }

    /// Notes that a spill purged an object of intake.
    ///
    /// # Errors
    /// The database.
    pub fn put_spilled_intake(&self, id: SpillId, row: &SpilledIntakeRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO spilled_intake (spill, intake, digest, taken, person) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, row.intake, row.digest, row.taken.micros(), row.person],
        )?;
        Ok(())
    }

    /// Blanks every remembered answer in which some words stand: an answer may quote what it is about. It reads all of
    /// them. That the command was answered stays known.
    ///
    /// # Errors
    /// The database.
    pub fn forget_answers(&self, words: &str) -> Result<usize, StoreError> {
        self.run("UPDATE idempotency SET answer = '' WHERE instr(answer, ?1) > 0", [words])
    }

    /// Blanks the excerpts of evidence against a log in which an opening stands, found by the salt of its entry: the body
    /// comes after it. What they prove by their checkpoints stays.
    ///
    /// # Errors
    /// The database.
    pub fn forget_excerpts(&self, log: LogId, entry_salt: &[u8; 32]) -> Result<usize, StoreError> {
        self.run(
            "UPDATE evidence SET bytes = x'' WHERE log = ?1 AND instr(bytes, ?2) > 0",
            params![log, &entry_salt[..]],
        )
    }

    /// Takes the name of an audience away, in the version that a statement made.
    ///
    /// # Errors
    /// The database.
    pub fn rename_audience(&self, statement: StatementId, name: &str) -> Result<(), StoreError> {
        self.run("UPDATE audience SET name = ?2 WHERE statement = ?1", params![statement, name])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn a_purge_outlives_the_views_and_the_first_remains_stand() {
        let world = World::new();
        world.write(|tx| {
            tx.put_purged(StatementId(1), at(0), Some(b"remains"))?;
            tx.put_purged(StatementId(1), at(1), None)?;
            tx.put_purged(StatementId(2), at(1), None)?;
            tx.drop_views()?;
            assert_eq!(tx.remains(StatementId(1))?.as_deref(), Some(b"remains".as_slice()));
            assert!(tx.is_purged(StatementId(2))? && !tx.is_purged(StatementId(3))?);
            assert_eq!((tx.remains(StatementId(2))?, tx.remains(StatementId(3))?), (None, None));
            Ok(())
        });
    }

    #[test]
    fn a_spill_reads_back() {
        let world = World::new();
        world.write(|tx| {
            let id = tx.put_spill(at(0), "anna", Some("bert"), "marked secret")?;
            let statement = SpilledRow { statement: StatementId(4), withdrawal: Some(Index(9)) };
            let taken =
                SpilledIntakeRow { intake: IntakeId(7), digest: [3; 32], taken: at(-5), person: Some(PersonId(1)) };
            tx.put_spilled(id, &statement)?;
            tx.put_spilled_intake(id, &taken)?;
            let row = tx.spill(id)?.unwrap();
            assert_eq!((row.who.as_str(), row.second.as_deref()), ("anna", Some("bert")));
            assert_eq!(tx.spills(9)?, [row]);
            assert_eq!((tx.spilled(id)?, tx.spilled_intake(id)?), (vec![statement], vec![taken]));
            assert_eq!(tx.spill(SpillId(99))?, None);
            Ok(())
        });
    }

    #[test]
    fn answers_and_excerpts_lose_the_words_and_nothing_else() {
        let world = World::new();
        world.write(|tx| {
            tx.remember("anna", "one", &[1; 32], r#"{"entry":"FR:7"}"#, at(0))?;
            tx.remember("anna", "two", &[1; 32], r#"{"entry":"FR:8"}"#, at(0))?;
            tx.put_evidence(
                LogId(2),
                at(0),
                "fork",
                "two roots",
                Some("ours"),
                None,
                &[&[9; 32][..], b"body"].concat(),
            )?;
            tx.put_evidence(LogId(2), at(0), "fork", "two roots", None, None, b"other")?;
            assert_eq!(tx.forget_answers("FR:7")?, 1);
            assert_eq!(tx.forget_excerpts(LogId(2), &[9; 32])?, 1);
            assert_eq!(tx.remembered("anna", "one")?.unwrap().answer, "");
            assert_eq!(tx.remembered("anna", "two")?.unwrap().answer, r#"{"entry":"FR:8"}"#);
            let kept = tx.evidence(None, 9)?;
            assert_eq!((kept[0].bytes.as_slice(), kept[1].bytes.as_slice()), (b"other".as_slice(), b"".as_slice()));
            assert_eq!(kept[1].ours.as_deref(), Some("ours"));
            Ok(())
        });
    }
}
