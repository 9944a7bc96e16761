//! Witnesses: whom we ask to cosign our log, what we cosigned of partners' logs, and which checkpoints were witnessed.

use journal::tree::TreeHash;
use model::{Index, Timestamp};
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::LogId;

/// What we cosigned last of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedRow {
    /// Entries.
    pub size: u64,
    /// The root over them.
    pub root: TreeHash,
    /// The checkpoint as its log signed it.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// A checkpoint with the cosignatures of enough witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessedRow {
    /// Entries that it covers.
    pub size: u64,
    /// The note, cosignatures included.
    pub note: String,
    /// How many cosignatures of known witnesses it has.
    pub witnesses: u64,
    /// When the last of them was noted here.
    pub at: Timestamp,
}

fn witnessed_row(row: &Row<'_>) -> Result<WitnessedRow, StoreError> {
    Ok(WitnessedRow {
        size: columns::count(row, 0)?,
        note: row.get(1)?,
        witnesses: columns::count(row, 2)?,
        at: columns::time(row, 3)?,
    })
}

impl Db<'_> {
    /// The partners that we ask to cosign our log, in the order in which their logs became known.
    ///
    /// # Errors
    /// The database.
    pub fn witnesses(&self) -> Result<Vec<LogId>, StoreError> {
        self.all("SELECT log FROM witness ORDER BY log", [], |row| Ok(row.get(0)?))
    }

    /// What we cosigned last of a partner's log.
    ///
    /// # Errors
    /// The database.
    pub fn cosigned(&self, log: LogId) -> Result<Option<CosignedRow>, StoreError> {
        self.one("SELECT size, root, note, at FROM cosigned WHERE log = ?1", [log], |row| {
            Ok(CosignedRow {
                size: columns::count(row, 0)?,
                root: columns::fixed(row, 1, "root", TreeHash::from_slice)?,
                note: row.get(2)?,
                at: columns::time(row, 3)?,
            })
        })
    }

    /// The newest witnessed checkpoint of a log.
    ///
    /// # Errors
    /// The database.
    pub fn witnessed(&self, log: LogId) -> Result<Option<WitnessedRow>, StoreError> {
        self.one(
            "SELECT size, note, witnesses, at FROM witnessed WHERE log = ?1 ORDER BY size DESC LIMIT 1",
            [log],
            witnessed_row,
        )
    }

    /// The first witnessed checkpoint that covers an entry: it proves the earliest time.
    ///
    /// # Errors
    /// The database.
    pub fn witnessed_entry(&self, log: LogId, index: Index) -> Result<Option<WitnessedRow>, StoreError> {
        self.one(
            "SELECT size, note, witnesses, at FROM witnessed WHERE log = ?1 AND size > ?2 ORDER BY size LIMIT 1",
            params![log, columns::int(index.0)],
            witnessed_row,
        )
    }
}

impl Tx<'_> {
    /// Replaces the partners that we ask to cosign our log.
    ///
    /// # Errors
    /// The database.
    pub fn set_witnesses(&self, logs: &[LogId]) -> Result<(), StoreError> {
        self.run("DELETE FROM witness", [])?;
        for log in logs {
            self.run("INSERT INTO witness (log) VALUES (?1) ON CONFLICT DO NOTHING", [log])?;
        }
        Ok(())
    }

    /// Notes what we cosign of a partner's log, before the cosignature leaves. Whoever calls it has checked that it
    /// extends what was noted before; a smaller size than that is never noted.
    ///
    /// # Errors
    /// The database.
    pub fn note_cosigned(&self, log: LogId, row: &CosignedRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO cosigned (log, size, root, note, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note,
               at = excluded.at WHERE excluded.size >= cosigned.size",
            params![log, columns::int(row.size), row.root.as_bytes(), row.note, row.at.micros()],
        )?;
        Ok(())
    }

    /// Keeps a witnessed checkpoint; one of the same size is replaced if it has fewer cosignatures.
    ///
    /// # Errors
    /// The database.
    pub fn put_witnessed(&self, log: LogId, row: &WitnessedRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO witnessed (log, size, note, witnesses, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (log, size) DO UPDATE SET note = excluded.note, witnesses = excluded.witnesses,
               at = excluded.at WHERE excluded.witnesses > witnessed.witnesses",
            params![log, columns::int(row.size), row.note, columns::int(row.witnesses), row.at.micros()],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    fn witnessed(size: u64, witnesses: u64) -> WitnessedRow {
        WitnessedRow { size, note: format!("{size} by {witnesses}"), witnesses, at: at(0) }
    }

    #[test]
    fn an_entry_is_witnessed_by_the_first_checkpoint_that_covers_it() {
        let world = World::new();
        world.write(|tx| {
            for (size, by) in [(10, 2), (4, 2), (4, 3), (4, 1)] {
                tx.put_witnessed(LogId(1), &witnessed(size, by))?;
            }
            tx.put_witnessed(LogId(2), &witnessed(99, 2))
        });
        world.read(|db| {
            let size = |index| Ok::<_, StoreError>(db.witnessed_entry(LogId(1), Index(index))?.map(|row| row.size));
            assert_eq!(
                (size(0)?, size(3)?, size(4)?, size(9)?, size(10)?),
                (Some(4), Some(4), Some(10), Some(10), None)
            );
            assert_eq!(db.witnessed_entry(LogId(1), Index(0))?.unwrap().note, "4 by 3", "the most cosignatures stay");
            assert_eq!(db.witnessed(LogId(1))?.map(|row| row.size), Some(10));
            assert_eq!(db.witnessed(LogId(3))?, None);
            Ok(())
        });
    }

    #[test]
    fn what_was_cosigned_never_goes_back() {
        let world = World::new();
        let row = |size| CosignedRow { size, root: TreeHash::new([7; 32]), note: format!("{size}"), at: at(0) };
        world.write(|tx| {
            for size in [5, 9, 7] {
                tx.note_cosigned(LogId(2), &row(size))?;
            }
            tx.set_witnesses(&[LogId(4), LogId(2), LogId(4)])
        });
        world.read(|db| {
            assert_eq!(db.cosigned(LogId(2))?, Some(row(9)));
            assert_eq!(db.witnesses()?, [LogId(2), LogId(4)]);
            Ok(())
        });
    }
}
