//! Who reads what is RED: own people, named thread by thread. Local truth, in no log.

use model::{ThreadId, Timestamp};
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, PersonId, StatementId};

/// A person who was named to read a RED thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderRow {
    /// Who.
    pub person: PersonId,
    /// By whom: a login, or `machine`.
    pub named_by: String,
    /// Since when.
    pub at: Timestamp,
}

impl Db<'_> {
    /// Who was named to read a thread, in the order of their accounts.
    ///
    /// # Errors
    /// The database.
    pub fn red_readers(&self, thread: &ThreadId) -> Result<Vec<ReaderRow>, StoreError> {
        let sql = "SELECT person, named_by, at FROM red_reader WHERE thread = ?1 ORDER BY person";
        self.all(sql, [thread.as_bytes()], |row| {
            Ok(ReaderRow { person: row.get(0)?, named_by: row.get(1)?, at: columns::time(row, 2)? })
        })
    }

    /// The threads for which a person was named, the newest naming first.
    ///
    /// # Errors
    /// The database.
    pub fn red_threads_of(&self, person: PersonId) -> Result<Vec<ThreadId>, StoreError> {
        let sql = "SELECT thread FROM red_reader WHERE person = ?1 ORDER BY at DESC, thread";
        self.all(sql, [person], |row| columns::fixed(row, 0, "thread", ThreadId::from_slice))
    }

    /// The RED statements of a thread of one log, the newest version first.
    ///
    /// # Errors
    /// The database.
    pub fn red_statements(&self, log: LogId, thread: &ThreadId) -> Result<Vec<StatementId>, StoreError> {
        let sql = "SELECT statement FROM object WHERE thread = ?1 AND tlp = 4 AND log = ?2
             ORDER BY thread_version DESC, statement DESC";
        self.all(sql, params![thread.as_bytes(), log], |row| Ok(row.get(0)?))
    }

    /// The thread at an address.
    ///
    /// # Errors
    /// The database.
    pub fn red_thread_at(&self, address: &[u8; 16]) -> Result<Option<ThreadId>, StoreError> {
        self.one("SELECT thread FROM red_thread WHERE address = ?1", [address], |row| {
            columns::fixed(row, 0, "thread", ThreadId::from_slice)
        })
    }

    /// The address of a thread; `None` before somebody was named for it.
    ///
    /// # Errors
    /// The database.
    pub fn red_address(&self, thread: &ThreadId) -> Result<Option<[u8; 16]>, StoreError> {
        self.one("SELECT address FROM red_thread WHERE thread = ?1", [thread.as_bytes()], |row| Ok(row.get(0)?))
    }
}

impl Tx<'_> {
    /// Gives a thread its address. One that has an address keeps it.
    ///
    /// # Errors
    /// The database.
    pub fn put_red_address(&self, thread: &ThreadId, address: &[u8; 16]) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO red_thread (thread, address) VALUES (?1, ?2) ON CONFLICT (thread) DO NOTHING",
            params![thread.as_bytes(), address],
        )?;
        Ok(())
    }

    /// Names a reader. Says whether that is new.
    ///
    /// # Errors
    /// The database.
    pub fn put_red_reader(&self, thread: &ThreadId, row: &ReaderRow) -> Result<bool, StoreError> {
        let made = self.run(
            "INSERT INTO red_reader (thread, person, named_by, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![thread.as_bytes(), row.person, row.named_by, row.at.micros()],
        )?;
        Ok(made == 1)
    }

    /// Takes a reader's name away. Says whether it was there.
    ///
    /// # Errors
    /// The database.
    pub fn delete_red_reader(&self, thread: &ThreadId, person: PersonId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM red_reader WHERE thread = ?1 AND person = ?2";
        Ok(self.run(sql, params![thread.as_bytes(), person])? == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn readers_are_named_once_and_removed_and_no_rebuild_forgets_them() {
        let world = World::new();
        let (one, two) = (ThreadId::new([1; 16]), ThreadId::new([2; 16]));
        let row = |person, second| ReaderRow { person: PersonId(person), named_by: "anna".to_owned(), at: at(second) };
        world.write(|tx| {
            assert!(tx.put_red_reader(&one, &row(7, 1))? && !tx.put_red_reader(&one, &row(7, 2))?);
            tx.put_red_reader(&one, &row(8, 3))?;
            tx.put_red_reader(&two, &row(7, 4))?;
            tx.put_red_address(&one, &[9; 16])?;
            tx.put_red_address(&one, &[8; 16])?;
            tx.drop_views()
        });
        world.write(|tx| {
            assert_eq!(tx.red_readers(&one)?, [row(7, 1), row(8, 3)]);
            assert_eq!(tx.red_threads_of(PersonId(7))?, [two, one]);
            assert_eq!((tx.red_address(&one)?, tx.red_address(&two)?), (Some([9; 16]), None));
            assert_eq!((tx.red_thread_at(&[9; 16])?, tx.red_thread_at(&[8; 16])?), (Some(one), None));
            assert!(tx.delete_red_reader(&one, PersonId(7))? && !tx.delete_red_reader(&one, PersonId(7))?);
            assert_eq!(tx.red_threads_of(PersonId(7))?, [two]);
            Ok(())
        });
    }
}
