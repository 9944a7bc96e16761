//! Named lists that detectors pull: what each is for. What is in one is read through the gate when it is pulled.

use model::{Timestamp, Tlp};
use rusqlite::{Row, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;

coded_enum!(
    /// What an export is for.
    ExportPurpose {
        /// People read it elsewhere.
        Read = (0, "read"),
        /// Telemetry is matched against it.
        Detect = (1, "detect"),
        /// Traffic is blocked by it.
        Block = (2, "block"),
    }
);

/// One list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// Its name.
    pub name: String,
    /// How often it was made or changed: whoever pulls it sees that it means something else now.
    pub version: u32,
    /// What it is for.
    pub purpose: ExportPurpose,
    /// The strictest label in it.
    pub strictest: Tlp,
    /// When it was last changed.
    pub at: Timestamp,
    /// By whom: a login, or `machine`.
    pub who: String,
}

fn list_row(row: &Row<'_>) -> Result<ListRow, StoreError> {
    Ok(ListRow {
        name: row.get(0)?,
        version: row.get(1)?,
        purpose: columns::coded(row, 2, "purpose", ExportPurpose::from_code)?,
        strictest: columns::coded(row, 3, "label", Tlp::from_code)?,
        at: columns::time(row, 4)?,
        who: row.get(5)?,
    })
}

impl Db<'_> {
    /// Every list, by name.
    ///
    /// # Errors
    /// The database.
    pub fn export_lists(&self) -> Result<Vec<ListRow>, StoreError> {
        self.all("SELECT name, version, purpose, strictest, at, who FROM export_list ORDER BY name", [], list_row)
    }

    /// One list.
    ///
    /// # Errors
    /// The database.
    pub fn export_list(&self, name: &str) -> Result<Option<ListRow>, StoreError> {
        self.one("SELECT name, version, purpose, strictest, at, who FROM export_list WHERE name = ?1", [name], list_row)
    }
}

impl Tx<'_> {
    /// Makes a list, or changes it.
    ///
    /// # Errors
    /// The database.
    pub fn put_export_list(&self, row: &ListRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO export_list (name, version, purpose, strictest, at, who) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE SET version = ?2, purpose = ?3, strictest = ?4, at = ?5, who = ?6",
            params![row.name, row.version, row.purpose.code(), row.strictest.code(), row.at.micros(), row.who],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn lists_are_kept_by_name_and_the_last_change_stands() {
        let world = World::new();
        let row = |name: &str, version, purpose| ListRow {
            name: name.to_owned(),
            version,
            purpose,
            strictest: Tlp::Green,
            at: at(1),
            who: "anna".to_owned(),
        };
        world.write(|tx| {
            tx.put_export_list(&row("proxy", 1, ExportPurpose::Detect))?;
            tx.put_export_list(&row("dns", 1, ExportPurpose::Block))?;
            tx.put_export_list(&row("proxy", 2, ExportPurpose::Block))
        });
        world.read(|db| {
            let expect = [row("dns", 1, ExportPurpose::Block), row("proxy", 2, ExportPurpose::Block)];
            assert_eq!(db.export_lists()?, expect);
            assert_eq!(db.export_list("proxy")?, Some(expect[1].clone()));
            assert_eq!(db.export_list("ntp")?, None);
            Ok(())
        });
    }
}
