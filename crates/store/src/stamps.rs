//! Checkpoints of the own log that an authority has stamped with the time (RFC 3161).

use model::{Index, Timestamp};
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;

/// A checkpoint with a time stamp under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampedRow {
    /// Entries that it covers.
    pub size: u64,
    /// The note, cosignatures and the time stamp included.
    pub note: String,
    /// The time that the authority says.
    pub at: Timestamp,
}

fn stamped_row(row: &Row<'_>) -> Result<StampedRow, StoreError> {
    Ok(StampedRow { size: columns::count(row, 0)?, note: row.get(1)?, at: columns::time(row, 2)? })
}

impl Db<'_> {
    /// The newest stamped checkpoint.
    ///
    /// # Errors
    /// The database.
    pub fn stamped(&self) -> Result<Option<StampedRow>, StoreError> {
        self.one("SELECT size, note, at FROM stamped ORDER BY size DESC LIMIT 1", [], stamped_row)
    }

    /// The first stamped checkpoint that covers an own entry: it proves the earliest time.
    ///
    /// # Errors
    /// The database.
    pub fn stamped_entry(&self, index: Index) -> Result<Option<StampedRow>, StoreError> {
        self.one(
            "SELECT size, note, at FROM stamped WHERE size > ?1 ORDER BY size LIMIT 1",
            [columns::int(index.0)],
            stamped_row,
        )
    }
}

impl Tx<'_> {
    /// Keeps a stamped checkpoint; of two of one size the first stays.
    ///
    /// # Errors
    /// The database.
    pub fn put_stamped(&self, row: &StampedRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO stamped (size, note, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![columns::int(row.size), row.note, row.at.micros()],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn an_entry_is_stamped_by_the_first_checkpoint_that_covers_it() {
        let world = World::new();
        let row = |size, note: &str| StampedRow { size, note: note.to_owned(), at: at(1) };
        world.write(|tx| {
            [row(9, "late"), row(4, "early"), row(4, "again")].iter().try_for_each(|row| tx.put_stamped(row))
        });
        world.read(|db| {
            assert_eq!(db.stamped()?, Some(row(9, "late")));
            assert_eq!(db.stamped_entry(Index(3))?, Some(row(4, "early")));
            assert_eq!(db.stamped_entry(Index(4))?, Some(row(9, "late")));
            assert_eq!(db.stamped_entry(Index(9))?, None);
            Ok(())
        });
    }
}
