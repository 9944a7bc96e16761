//! What somebody without a node said over the telephone, as it is taken down: a draft until it was read back.

use model::Timestamp;
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayDraftRow {
    /// Its number.
    pub id: i64,
    /// What was said, as JSON.
    pub said: String,
    /// When it was taken down.
    pub made: Timestamp,
    /// By whom.
    pub made_by: String,
}

impl Db<'_> {
    /// A draft.
    ///
    /// # Errors
    /// The database.
    pub fn relay_draft(&self, id: i64) -> Result<Option<RelayDraftRow>, StoreError> {
        self.one("SELECT id, said, made, made_by FROM relay_draft WHERE id = ?1", [id], |row| {
            Ok(RelayDraftRow { id: row.get(0)?, said: row.get(1)?, made: columns::time(row, 2)?, made_by: row.get(3)? })
        })
    }
}

impl Tx<'_> {
    /// Keeps a draft, and gives it its number.
    ///
    /// # Errors
    /// The database.
    pub fn put_relay_draft(&self, said: &str, made: Timestamp, made_by: &str) -> Result<i64, StoreError> {
        self.run(
            "INSERT INTO relay_draft (said, made, made_by) VALUES (?1, ?2, ?3)",
            params![said, made.micros(), made_by],
        )?;
        Ok(self.conn.last_insert_rowid())
    }

    /// Drops a draft; says whether it was there.
    ///
    /// # Errors
    /// The database.
    pub fn drop_relay_draft(&self, id: i64) -> Result<bool, StoreError> {
        Ok(self.run("DELETE FROM relay_draft WHERE id = ?1", [id])? == 1)
    }

    /// Drops drafts that are older.
    ///
    /// # Errors
    /// The database.
    pub fn drop_relay_drafts_before(&self, at: Timestamp) -> Result<usize, StoreError> {
        self.run("DELETE FROM relay_draft WHERE made < ?1", [at.micros()])
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{World, at};

    #[test]
    fn a_draft_is_kept_until_it_is_taken_or_old() {
        let world = World::new();
        world.write(|tx| {
            let first = tx.put_relay_draft("{}", at(1), "anna")?;
            let second = tx.put_relay_draft("{}", at(5), "anna")?;
            assert_eq!(tx.relay_draft(first)?.map(|row| row.made_by), Some("anna".to_owned()));
            assert_eq!(tx.drop_relay_drafts_before(at(2))?, 1);
            assert_eq!(tx.relay_draft(first)?, None);
            assert_eq!((tx.drop_relay_draft(second)?, tx.drop_relay_draft(second)?), (true, false));
            Ok(())
        });
    }
}
