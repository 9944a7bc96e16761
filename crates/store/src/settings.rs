//! Small truths: settings, numbers that were given away, and the communities that are ticked for CLEAR and GREEN.

use model::AudienceId;
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;

impl Db<'_> {
    /// The value of a setting.
    ///
    /// # Errors
    /// The database.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.one("SELECT value FROM setting WHERE name = ?1", [name], |row| Ok(row.get(0)?))
    }

    /// The communities that are ticked, by id.
    ///
    /// # Errors
    /// The database.
    pub fn ticked(&self) -> Result<Vec<AudienceId>, StoreError> {
        self.all("SELECT audience FROM ticked ORDER BY audience", [], |row| {
            columns::fixed(row, 0, "audience", AudienceId::from_slice)
        })
    }
}

impl Tx<'_> {
    /// Sets a setting.
    ///
    /// # Errors
    /// The database.
    pub fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.run("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)", [name, value])?;
        Ok(())
    }

    /// The next number of a series, from 1. A number that was given away is truth: it is never given again.
    ///
    /// # Errors
    /// The database.
    pub fn allocate(&self, name: &str) -> Result<u64, StoreError> {
        let given = self.one(
            "INSERT INTO allocated (name, last) VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1
             RETURNING last",
            [name],
            |row| columns::count(row, 0),
        )?;
        given.ok_or_else(|| StoreError::corrupt(format!("no number was given for `{name}`")))
    }

    /// Ticks a community, or takes the tick away.
    ///
    /// # Errors
    /// The database.
    pub fn tick(&self, audience: AudienceId, ticked: bool) -> Result<(), StoreError> {
        let sql = if ticked {
            "INSERT INTO ticked (audience) VALUES (?1) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM ticked WHERE audience = ?1"
        };
        self.run(sql, params![audience.as_bytes()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{World, audience};

    #[test]
    fn settings_numbers_and_ticks_are_kept() {
        let world = World::new();
        world.write(|tx| {
            tx.set_setting("a", "1")?;
            tx.set_setting("a", "2")?;
            assert_eq!((tx.allocate("case")?, tx.allocate("case")?, tx.allocate("other")?), (1, 2, 1));
            tx.tick(audience(2), true)?;
            tx.tick(audience(1), true)?;
            tx.tick(audience(1), true)?;
            Ok(())
        });
        world.write(|tx| {
            assert_eq!(tx.setting("a")?.as_deref(), Some("2"));
            assert_eq!(tx.setting("b")?, None);
            assert_eq!(tx.allocate("case")?, 3);
            assert_eq!(tx.ticked()?, [audience(1), audience(2)]);
            tx.tick(audience(1), false)?;
            assert_eq!(tx.ticked()?, [audience(2)]);
            Ok(())
        });
    }
}
