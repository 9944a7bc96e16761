//! Which entries of a log its owner says it lost: a view of `x-entraide-lost`.

use model::Index;
use model::extension::LostRange;
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, StatementId};

impl Db<'_> {
    /// The statement that says that a place of a log was lost; `None` if none does.
    ///
    /// # Errors
    /// The database.
    pub fn lost_at(&self, log: LogId, index: Index) -> Result<Option<StatementId>, StoreError> {
        self.one(
            "SELECT statement FROM lost WHERE log = ?1 AND first <= ?2 AND ?2 < first + count
             ORDER BY first DESC LIMIT 1",
            params![log, columns::int(index.0)],
            |row| Ok(row.get(0)?),
        )
    }

    /// What a log's owner says it lost, by place.
    ///
    /// # Errors
    /// The database.
    pub fn lost(&self, log: LogId) -> Result<Vec<LostRange>, StoreError> {
        self.all("SELECT first, count FROM lost WHERE log = ?1 ORDER BY first", [log], |row| {
            Ok(LostRange { first: columns::count(row, 0)?, count: columns::count(row, 1)? })
        })
    }
}

impl Tx<'_> {
    /// Notes that entries of a log were lost, as a statement says.
    ///
    /// # Errors
    /// The database.
    pub fn put_lost(&self, log: LogId, range: LostRange, statement: StatementId) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO lost (log, first, count, statement) VALUES (?1, ?2, ?3, ?4)",
            params![log, columns::int(range.first), columns::int(range.count), statement],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, origin};

    #[test]
    fn lost_places_are_found_by_their_range() {
        let world = World::new();
        world.write(|tx| {
            let log = tx.ensure_log(&origin("FR"))?;
            for (first, count) in [(5, 2), (9, 1)] {
                tx.put_lost(log, LostRange { first, count }, StatementId(i64::try_from(first).unwrap()))?;
            }
            let at = |index| tx.lost_at(log, Index(index));
            assert_eq!((at(4)?, at(5)?, at(6)?, at(7)?), (None, Some(StatementId(5)), Some(StatementId(5)), None));
            assert_eq!((at(9)?, at(10)?), (Some(StatementId(9)), None));
            assert_eq!(tx.lost(log)?.len(), 2);
            Ok(())
        });
    }
}
