//! Where a partner without a node is reached, and the key to which mail for it is encrypted. Local truth, in no log.

use model::{Origin, Timestamp};
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;

/// How a partner without a node is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedRow {
    /// The name that stands for it in audiences.
    pub origin: Origin,
    /// Its mail address.
    pub mail: Option<String>,
    /// Its number, at any hour.
    pub telephone: String,
    /// Its PGP public key or S/MIME certificate, as it was given, and the fingerprint that people compare.
    pub key: Option<(Vec<u8>, String)>,
    /// When this was last changed.
    pub changed: Timestamp,
    /// By whom.
    pub changed_by: String,
}

const COLUMNS: &str = "SELECT origin, mail, telephone, key, fingerprint, changed, changed_by FROM reached";

fn reached_row(row: &rusqlite::Row<'_>) -> Result<ReachedRow, StoreError> {
    let (key, fingerprint): (Option<Vec<u8>>, Option<String>) = (row.get(3)?, row.get(4)?);
    Ok(ReachedRow {
        origin: columns::parsed(row, 0, "origin")?,
        mail: row.get(1)?,
        telephone: row.get(2)?,
        key: key.zip(fingerprint),
        changed: columns::time(row, 5)?,
        changed_by: row.get(6)?,
    })
}

impl Db<'_> {
    /// How a partner without a node is reached; `None` for every other.
    ///
    /// # Errors
    /// The database.
    pub fn reached(&self, origin: &Origin) -> Result<Option<ReachedRow>, StoreError> {
        self.one(&format!("{COLUMNS} WHERE origin = ?1"), [origin.to_string()], reached_row)
    }

    /// Everybody who is reached without a node.
    ///
    /// # Errors
    /// The database.
    pub fn all_reached(&self) -> Result<Vec<ReachedRow>, StoreError> {
        self.all(&format!("{COLUMNS} ORDER BY origin"), [], reached_row)
    }
}

impl Tx<'_> {
    /// Keeps how a partner without a node is reached, in place of what was known.
    ///
    /// # Errors
    /// The database.
    pub fn put_reached(&self, row: &ReachedRow) -> Result<(), StoreError> {
        let (key, fingerprint) = row.key.as_ref().map(|(key, fingerprint)| (key, fingerprint)).unzip();
        self.run(
            "INSERT OR REPLACE INTO reached (origin, mail, telephone, key, fingerprint, changed, changed_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row.origin.to_string(),
                row.mail,
                row.telephone,
                key,
                fingerprint,
                row.changed.micros(),
                row.changed_by
            ],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, origin};

    #[test]
    fn how_somebody_is_reached_is_kept_and_changed() {
        let world = World::new();
        world.write(|tx| {
            let key = Some((b"key".to_vec(), "ABCD".to_owned()));
            let row = ReachedRow {
                origin: origin("MD"),
                mail: Some("cert@cert.example".to_owned()),
                telephone: "+373 1".to_owned(),
                key,
                changed: at(1),
                changed_by: "anna".to_owned(),
            };
            tx.put_reached(&row)?;
            assert_eq!(tx.reached(&row.origin)?, Some(row.clone()));
            let other = ReachedRow { key: None, mail: None, ..row };
            tx.put_reached(&other)?;
            assert_eq!(tx.all_reached()?, [other]);
            assert_eq!(tx.reached(&origin("EE"))?, None);
            Ok(())
        });
    }
}
