//! Citations between statements: the view from what is answered to what answers it.

use model::Index;
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, StatementId};

impl Db<'_> {
    /// The statements that answer a place of a log, in order of arrival, at most `limit`.
    ///
    /// # Errors
    /// The database.
    pub fn citing(&self, log: LogId, index: Index, limit: usize) -> Result<Vec<StatementId>, StoreError> {
        self.all(
            "SELECT statement FROM cited WHERE log = ?1 AND idx = ?2 ORDER BY statement LIMIT ?3",
            params![log, columns::int(index.0), columns::limit(limit)],
            |row| Ok(row.get(0)?),
        )
    }
}

impl Tx<'_> {
    /// Notes that a statement answers a place of a log.
    ///
    /// # Errors
    /// The database.
    pub fn put_cited(&self, statement: StatementId, log: LogId, index: Index) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO cited (log, idx, statement) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![log, columns::int(index.0), statement],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, origin};

    #[test]
    fn what_answers_a_place_is_found_whether_the_place_has_arrived_or_not() {
        let world = World::new();
        world.write(|tx| {
            let log = tx.ensure_log(&origin("FR"))?;
            tx.put_cited(StatementId(9), log, Index(4))?;
            tx.put_cited(StatementId(7), log, Index(4))?;
            tx.put_cited(StatementId(7), log, Index(4))?;
            tx.put_cited(StatementId(8), log, Index(5))?;
            assert_eq!(tx.citing(log, Index(4), 10)?, [StatementId(7), StatementId(9)]);
            assert_eq!(tx.citing(log, Index(4), 1)?, [StatementId(7)]);
            assert_eq!(tx.citing(log, Index(6), 10)?, []);
            Ok(())
        });
    }
}
