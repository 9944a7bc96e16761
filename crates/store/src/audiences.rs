//! Audiences: the view of who is in which, version by version, our own and what partners say of theirs.

use model::AudienceId;
use model::extension::AudienceKind;
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, SetId, StatementId};

/// One version of an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRow {
    /// Whose.
    pub log: LogId,
    /// Its id.
    pub audience: AudienceId,
    /// Its version, from 1.
    pub version: u32,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub kind: AudienceKind,
    /// Who is in it.
    pub set: SetId,
    /// The statement that says so.
    pub statement: StatementId,
}

const fn kind_code(kind: AudienceKind) -> u8 {
    match kind {
        AudienceKind::Named => 0,
        AudienceKind::Community => 1,
        AudienceKind::Union => 2,
        AudienceKind::Bilateral => 3,
    }
}

fn kind_of(code: u8) -> Option<AudienceKind> {
    [AudienceKind::Named, AudienceKind::Community, AudienceKind::Union, AudienceKind::Bilateral]
        .into_iter()
        .find(|kind| kind_code(*kind) == code)
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT log, audience, version, name, kind, set_id, statement FROM audience AS one ", $rest)
    };
}

fn audience_row(row: &Row<'_>) -> Result<AudienceRow, StoreError> {
    Ok(AudienceRow {
        log: row.get(0)?,
        audience: columns::fixed(row, 1, "audience", AudienceId::from_slice)?,
        version: row.get(2)?,
        name: row.get(3)?,
        kind: columns::coded(row, 4, "kind of audience", kind_of)?,
        set: row.get(5)?,
        statement: row.get(6)?,
    })
}

impl Db<'_> {
    /// The newest version of an audience of a log.
    ///
    /// # Errors
    /// The database.
    pub fn audience(&self, log: LogId, audience: &AudienceId) -> Result<Option<AudienceRow>, StoreError> {
        self.one(
            select!("WHERE log = ?1 AND audience = ?2 ORDER BY version DESC LIMIT 1"),
            params![log, audience.as_bytes()],
            audience_row,
        )
    }

    /// The audience of a log that has a name now.
    ///
    /// # Errors
    /// The database.
    pub fn audience_by_name(&self, log: LogId, name: &str) -> Result<Option<AudienceRow>, StoreError> {
        self.one(
            select!(
                "WHERE log = ?1 AND name = ?2 AND version =
                   (SELECT max(version) FROM audience WHERE log = one.log AND audience = one.audience)
                 ORDER BY statement LIMIT 1"
            ),
            params![log, name],
            audience_row,
        )
    }

    /// Every audience as it is now, by log and name.
    ///
    /// # Errors
    /// The database.
    pub fn audiences(&self) -> Result<Vec<AudienceRow>, StoreError> {
        self.all(
            select!(
                "WHERE version = (SELECT max(version) FROM audience WHERE log = one.log AND audience = one.audience)
                 ORDER BY log, name, audience"
            ),
            [],
            audience_row,
        )
    }

    /// Every version of an audience, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn audience_history(&self, log: LogId, audience: &AudienceId) -> Result<Vec<AudienceRow>, StoreError> {
        self.all(
            select!("WHERE log = ?1 AND audience = ?2 ORDER BY version DESC"),
            params![log, audience.as_bytes()],
            audience_row,
        )
    }
}

impl Tx<'_> {
    /// Puts one version of an audience. Of two statements about the same version, the first stands.
    ///
    /// # Errors
    /// The database.
    pub fn put_audience(&self, row: &AudienceRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO audience (log, audience, version, name, kind, set_id, statement)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            params![
                row.log,
                row.audience.as_bytes(),
                row.version,
                row.name,
                kind_code(row.kind),
                row.set,
                row.statement
            ],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, audience};

    fn version(log: i64, id: u8, version: u32, name: &str, statement: i64) -> AudienceRow {
        AudienceRow {
            log: LogId(log),
            audience: audience(id),
            version,
            name: name.to_owned(),
            kind: AudienceKind::Community,
            set: SetId(1),
            statement: StatementId(statement),
        }
    }

    #[test]
    fn the_newest_version_counts() {
        let world = World::new();
        world.write(|tx| {
            let old = version(1, 1, 1, "energy", 1);
            let new = version(1, 1, 2, "power", 2);
            let other = version(2, 1, 1, "energy", 3);
            for row in [&new, &old, &other] {
                tx.put_audience(row)?;
            }
            tx.put_audience(&version(1, 1, 2, "changed", 4))?;
            assert_eq!(tx.audience(LogId(1), &audience(1))?, Some(new.clone()), "the first statement stands");
            assert_eq!(tx.audience_by_name(LogId(1), "power")?, Some(new.clone()));
            assert_eq!(tx.audience_by_name(LogId(1), "energy")?, None, "that was its name");
            assert_eq!(tx.audience_by_name(LogId(2), "energy")?, Some(other.clone()));
            assert_eq!(tx.audiences()?, [new.clone(), other]);
            assert_eq!(tx.audience_history(LogId(1), &audience(1))?, [new, old]);
            assert_eq!(tx.audience(LogId(1), &audience(9))?, None);
            Ok(())
        });
    }

    #[test]
    fn kinds_have_codes() {
        for code in 0..4 {
            assert_eq!(kind_of(code).map(kind_code), Some(code));
        }
        assert_eq!(kind_of(4), None);
    }
}
