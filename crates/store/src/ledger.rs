//! The ledger: who opened the content of a statement on this node, and who carried it out. Local truth, in no log.

use model::Timestamp;
use rusqlite::params;

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::StatementId;

coded_enum!(
    /// By which face content was given out.
    Face {
        /// Shown on a page.
        Page = (0, "page"),
        /// Shown by the command line on the node's own machine.
        Terminal = (1, "terminal"),
        /// The body as it was said, to a program or into a file.
        Body = (2, "body"),
        /// The marked object as a file.
        Content = (3, "content"),
        /// An open proof, which holds the body.
        Proof = (4, "proof"),
        /// Shown to a guest on the page of an invitation.
        Guest = (5, "guest"),
        /// In an export: many objects for one purpose, in one file.
        Export = (6, "export"),
        /// In a named list, which its detector pulls again and again: the next pull holds no more of what was withdrawn.
        List = (7, "list"),
        /// By encrypted mail to a partner without a node.
        Mail = (8, "mail"),
    }
);

impl Face {
    /// Does the content leave the node by it, rather than being shown on it?
    #[must_use]
    pub const fn is_export(self) -> bool {
        match self {
            Self::Page | Self::Terminal | Self::Guest => false,
            Self::Body | Self::Content | Self::Proof | Self::Export | Self::List | Self::Mail => true,
        }
    }
}

/// Content that was given out once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Of which statement.
    pub statement: StatementId,
    /// When.
    pub at: Timestamp,
    /// To whom: a login, `machine`, or `guest:` and the guest's name.
    pub who: String,
    /// By which face.
    pub face: Face,
    /// Can what was given out be called back?
    pub recallable: bool,
}

/// How often a statement was carried out of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exports {
    /// All of them.
    pub all: u32,
    /// Of those, the ones that nobody can call back.
    pub not_recallable: u32,
}

impl Db<'_> {
    /// To whom a statement's content was given, newest first.
    ///
    /// # Errors
    /// The database.
    pub fn ledger(&self, statement: StatementId, limit: usize) -> Result<Vec<LedgerRow>, StoreError> {
        self.all(
            "SELECT statement, at, who, face, recallable FROM ledger WHERE statement = ?1 ORDER BY id DESC LIMIT ?2",
            params![statement, columns::limit(limit)],
            |row| {
                Ok(LedgerRow {
                    statement: row.get(0)?,
                    at: columns::time(row, 1)?,
                    who: row.get(2)?,
                    face: columns::coded(row, 3, "face", Face::from_code)?,
                    recallable: row.get(4)?,
                })
            },
        )
    }

    /// When a statement's content was last given to somebody by a face.
    ///
    /// # Errors
    /// The database.
    pub fn last_given(&self, statement: StatementId, who: &str, face: Face) -> Result<Option<Timestamp>, StoreError> {
        self.one(
            "SELECT at FROM ledger WHERE statement = ?1 AND who = ?2 AND face = ?3 ORDER BY at DESC LIMIT 1",
            params![statement, who, face.code()],
            |row| columns::time(row, 0),
        )
    }

    /// How often a statement was carried out of the node.
    ///
    /// # Errors
    /// The database.
    pub fn exports(&self, statement: StatementId) -> Result<Exports, StoreError> {
        let counted = self.one(
            "SELECT count(*), count(*) FILTER (WHERE recallable = 0) FROM ledger WHERE statement = ?1 AND exported = 1",
            [statement],
            |row| Ok(Exports { all: row.get(0)?, not_recallable: row.get(1)? }),
        )?;
        Ok(counted.unwrap_or_default())
    }
}

impl Tx<'_> {
    /// Notes that content was given out.
    ///
    /// # Errors
    /// The database.
    pub fn put_ledger(&self, row: &LedgerRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO ledger (statement, at, who, face, exported, recallable) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![row.statement, row.at.micros(), row.who, row.face.code(), row.face.is_export(), row.recallable],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn exports_are_counted_and_readings_are_not() {
        let world = World::new();
        let row = |second, who: &str, face, recallable| LedgerRow {
            statement: StatementId(1),
            at: at(second),
            who: who.to_owned(),
            face,
            recallable,
        };
        let rows = [
            row(0, "anna", Face::Page, false),
            row(1, "anna", Face::Content, false),
            row(2, "anna", Face::Content, false),
            row(3, "machine", Face::Body, true),
        ];
        world.write(|tx| {
            rows.iter().try_for_each(|row| tx.put_ledger(row))?;
            tx.drop_views()
        });
        world.read(|db| {
            assert_eq!(db.exports(StatementId(1))?, Exports { all: 3, not_recallable: 2 });
            assert_eq!(db.exports(StatementId(2))?, Exports::default());
            assert_eq!(db.ledger(StatementId(1), 2)?, [rows[3].clone(), rows[2].clone()]);
            assert_eq!(db.last_given(StatementId(1), "anna", Face::Content)?, Some(at(2)));
            assert_eq!(db.last_given(StatementId(1), "anna", Face::Proof)?, None);
            Ok(())
        });
    }
}
