//! Identities: every one that was taken of a nation, which version of ours a partner has, and what nations no longer
//! stand by.

use model::{Index, Timestamp};
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::LogId;

/// One identity of a nation, as its root key signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRow {
    /// Its version.
    pub version: u64,
    /// The signed bytes.
    pub identity: Vec<u8>,
    /// When it was taken here.
    pub at: Timestamp,
}

impl Db<'_> {
    /// Every identity that was taken of a nation, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn identities(&self, log: LogId) -> Result<Vec<IdentityRow>, StoreError> {
        self.all("SELECT version, identity, at FROM identity WHERE log = ?1 ORDER BY version DESC", [log], |row| {
            Ok(IdentityRow { version: columns::count(row, 0)?, identity: row.get(1)?, at: columns::time(row, 2)? })
        })
    }

    /// The identity of the successor log that the owner of a log has announced, until a person confirms it.
    ///
    /// # Errors
    /// The database.
    pub fn successor(&self, log: LogId) -> Result<Option<IdentityRow>, StoreError> {
        self.one("SELECT version, identity, at FROM successor WHERE log = ?1", [log], |row| {
            Ok(IdentityRow { version: columns::count(row, 0)?, identity: row.get(1)?, at: columns::time(row, 2)? })
        })
    }

    /// Which version of our identity a partner has said that it holds; `None` if it never said.
    ///
    /// # Errors
    /// The database.
    pub fn announced(&self, log: LogId) -> Result<Option<u64>, StoreError> {
        self.one("SELECT version FROM announced WHERE log = ?1", [log], |row| columns::count(row, 0))
    }

    /// The entries of a log that its owner no longer stands by, each from the first to before the last.
    ///
    /// # Errors
    /// The database.
    pub fn repudiations(&self, log: LogId) -> Result<Vec<(Index, Index)>, StoreError> {
        self.all("SELECT low, high FROM repudiated WHERE log = ?1 ORDER BY low", [log], |row| {
            Ok((Index(columns::count(row, 0)?), Index(columns::count(row, 1)?)))
        })
    }

    /// Does the owner of a log no longer stand by an entry of it?
    ///
    /// # Errors
    /// The database.
    pub fn is_repudiated(&self, log: LogId, index: Index) -> Result<bool, StoreError> {
        let found = self.one(
            "SELECT 1 FROM repudiated WHERE log = ?1 AND low <= ?2 AND high > ?2 LIMIT 1",
            params![log, columns::int(index.0)],
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        Ok(found.is_some())
    }

    /// The place of the first entry of a log that reached this node at a time or later; `None` if there is none.
    ///
    /// # Errors
    /// The database.
    pub fn first_since(&self, log: LogId, since: Timestamp) -> Result<Option<Index>, StoreError> {
        self.one(
            "SELECT idx FROM statement WHERE log = ?1 AND arrived >= ?2 ORDER BY idx LIMIT 1",
            params![log, since.micros()],
            |row| Ok(Index(columns::count(row, 0)?)),
        )
    }
}

impl Tx<'_> {
    /// Takes down the successor log that the owner of a log has announced, in place of what it announced before.
    ///
    /// # Errors
    /// The database.
    pub fn put_successor(&self, log: LogId, row: &IdentityRow) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO successor (log, version, identity, at) VALUES (?1, ?2, ?3, ?4)",
            params![log, columns::int(row.version), row.identity, row.at.micros()],
        )?;
        Ok(())
    }

    /// Forgets a successor log that was announced.
    ///
    /// # Errors
    /// The database.
    pub fn forget_successor(&self, log: LogId) -> Result<(), StoreError> {
        self.run("DELETE FROM successor WHERE log = ?1", [log])?;
        Ok(())
    }

    /// Keeps an identity of a nation, and what it repudiates in place of what the one before did.
    ///
    /// # Errors
    /// The database.
    pub fn put_identity(
        &self,
        log: LogId,
        row: &IdentityRow,
        repudiated: impl IntoIterator<Item = (u64, u64)>,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO identity (log, version, identity, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![log, columns::int(row.version), row.identity, row.at.micros()],
        )?;
        self.run("DELETE FROM repudiated WHERE log = ?1", [log])?;
        for (low, high) in repudiated {
            self.run(
                "INSERT OR REPLACE INTO repudiated (log, low, high) VALUES (?1, ?2, ?3)",
                params![log, columns::int(low), columns::int(high)],
            )?;
        }
        Ok(())
    }

    /// Notes which version of our identity a partner holds.
    ///
    /// # Errors
    /// The database.
    pub fn set_announced(&self, log: LogId, version: u64, at: Timestamp) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO announced (log, version, at) VALUES (?1, ?2, ?3)",
            params![log, columns::int(version), at.micros()],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, origin};

    #[test]
    fn every_identity_is_kept_and_the_newest_says_what_is_repudiated() {
        let world = World::new();
        let row = |version| IdentityRow { version, identity: vec![u8::try_from(version).unwrap()], at: at(5) };
        world.write(|tx| {
            let log = tx.ensure_log(&origin("FR"))?;
            assert_eq!((tx.identities(log)?, tx.announced(log)?), (Vec::new(), None));
            tx.put_identity(log, &row(1), [])?;
            tx.put_identity(log, &row(2), [(3, 5), (9, 10)])?;
            assert_eq!(tx.identities(log)?, [row(2), row(1)]);
            let said = |index| tx.is_repudiated(log, Index(index)).unwrap();
            assert_eq!([2, 3, 4, 5, 9, 10].map(said), [false, true, true, false, true, false]);
            assert!(!tx.is_repudiated(LogId(99), Index(3))?);
            tx.put_identity(log, &row(3), [(9, 10)])?;
            assert_eq!(tx.repudiations(log)?, [(Index(9), Index(10))]);
            tx.set_announced(log, 2, at(1))?;
            tx.set_announced(log, 3, at(2))?;
            assert_eq!(tx.announced(log)?, Some(3));
            Ok(())
        });
    }
}
