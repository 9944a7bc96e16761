//! Disclosures: the acts by which a supervising desk sees a statement behind the wall. Local truth, only ever added to.

use model::{Desk, Timestamp};
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::StatementId;

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisclosureRow {
    /// Of which statement.
    pub statement: StatementId,
    /// To which desk.
    pub desk: Desk,
    /// Under which article of law.
    pub article: String,
    /// Why, in one line.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// By whom: a login.
    pub who: String,
}

impl Db<'_> {
    /// The acts by which a statement was disclosed, in their order.
    ///
    /// # Errors
    /// The database.
    pub fn disclosures(&self, statement: StatementId) -> Result<Vec<DisclosureRow>, StoreError> {
        self.all(
            "SELECT statement, desk, article, reason, at, who FROM disclosure WHERE statement = ?1 ORDER BY id",
            [statement],
            |row| {
                Ok(DisclosureRow {
                    statement: row.get(0)?,
                    desk: columns::parsed(row, 1, "desk")?,
                    article: row.get(2)?,
                    reason: row.get(3)?,
                    at: columns::time(row, 4)?,
                    who: row.get(5)?,
                })
            },
        )
    }
}

impl Tx<'_> {
    /// Notes an act. Nothing takes it away again.
    ///
    /// # Errors
    /// The database.
    pub fn put_disclosure(&self, row: &DisclosureRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO disclosure (statement, desk, article, reason, at, who) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![row.statement, row.desk.word(), row.article, row.reason, row.at.micros(), row.who],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn a_disclosure_outlives_a_rebuild_and_is_neither_changed_nor_taken_away() {
        let world = World::new();
        let row = DisclosureRow {
            statement: StatementId(7),
            desk: Desk::CompetentAuthority,
            article: "NIS2 Art 32(4)".to_owned(),
            reason: "the entity asked for it".to_owned(),
            at: at(3),
            who: "anna".to_owned(),
        };
        world.write(|tx| {
            tx.put_disclosure(&row)?;
            tx.drop_views()?;
            for undo in ["DELETE FROM disclosure", "UPDATE disclosure SET statement = 8"] {
                assert!(tx.run(undo, []).is_err(), "{undo}");
            }
            assert_eq!(tx.disclosures(StatementId(7))?, std::slice::from_ref(&row));
            assert_eq!(tx.disclosures(StatementId(8))?, []);
            Ok(())
        });
    }
}
