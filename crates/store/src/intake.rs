//! Intake: what was received, local and deduplicated, until somebody makes it our word or dismisses it.

use model::{MediaType, StixId, StixVersion, Timestamp, Tlp, Walled};
use rusqlite::{Row, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{IntakeId, PersonId};

coded_enum!(
    /// Where an object in intake stands.
    IntakeState {
        /// Nobody has decided on it.
        New = (0, "new"),
        /// It is our word now.
        Asserted = (1, "asserted"),
        /// Another object has the same owner, id and version, and other bytes.
        Conflict = (2, "conflict"),
        /// Somebody has laid it aside.
        Dismissed = (3, "dismissed"),
    }
);

/// An object to take in.
#[derive(Debug, Clone)]
pub struct NewIntake<'a> {
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
    /// What the bytes are.
    pub media: MediaType,
    /// The object's id.
    pub stix_id: &'a StixId,
    /// Its version.
    pub version: StixVersion,
    /// The strictest label on it.
    pub tlp: Option<Tlp>,
    /// Do its parts have other labels than itself?
    pub mixed: bool,
    /// Does it stand behind the wall, and as what?
    pub walled: Option<Walled>,
    /// Its name for people.
    pub title: Option<&'a str>,
    /// Where it came from: a file, a feed.
    pub source: &'a str,
    /// The bytes as they came.
    pub bytes: &'a [u8],
    /// Where it stands.
    pub state: IntakeState,
    /// Why it stands there.
    pub note: Option<&'a str>,
    /// When it was taken in.
    pub taken: Timestamp,
    /// By whom; `None` for the machine's own socket.
    pub person: Option<PersonId>,
}

/// An object in intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeRow {
    /// The order in which it was taken in.
    pub id: IntakeId,
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
    /// What the bytes are.
    pub media: MediaType,
    /// The object's id.
    pub stix_id: StixId,
    /// Its version.
    pub version: StixVersion,
    /// The strictest label on it.
    pub tlp: Option<Tlp>,
    /// Do its parts have other labels than itself?
    pub mixed: bool,
    /// Does it stand behind the wall, and as what?
    pub walled: Option<Walled>,
    /// Its name for people.
    pub title: Option<String>,
    /// Where it came from.
    pub source: String,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// Where it stands.
    pub state: IntakeState,
    /// Why it stands there.
    pub note: Option<String>,
    /// When it was taken in.
    pub taken: Timestamp,
    /// By whom; `None` for the machine's own socket.
    pub person: Option<PersonId>,
}

/// What intake knows of one id, for finding repetitions and conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeKnown {
    /// Which row.
    pub id: IntakeId,
    /// The version that it has.
    pub version: StixVersion,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// Where it stands.
    pub state: IntakeState,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, digest, media, stix_id, version, tlp, mixed, title, source, state, note, taken, person, bytes, walled \
             FROM intake ",
            $rest
        )
    };
}

fn intake_row(row: &Row<'_>) -> Result<IntakeRow, StoreError> {
    let tlp = match row.get::<_, Option<u8>>(5)? {
        Some(_) => Some(columns::coded(row, 5, "label", Tlp::from_code)?),
        None => None,
    };
    Ok(IntakeRow {
        id: row.get(0)?,
        digest: row.get(1)?,
        media: columns::coded(row, 2, "media type", MediaType::from_code)?,
        stix_id: columns::parsed(row, 3, "STIX id")?,
        version: StixVersion(columns::time(row, 4)?),
        tlp,
        mixed: row.get(6)?,
        title: row.get(7)?,
        source: row.get(8)?,
        state: columns::coded(row, 9, "state of intake", IntakeState::from_code)?,
        note: row.get(10)?,
        taken: columns::time(row, 11)?,
        person: row.get(12)?,
        bytes: row.get(13)?,
        walled: columns::coded(row, 14, "kind", Walled::from_code)?,
    })
}

impl Db<'_> {
    /// What intake knows of one id, in the order in which it came.
    ///
    /// # Errors
    /// The database.
    pub fn intake_known(&self, id: &StixId) -> Result<Vec<IntakeKnown>, StoreError> {
        let sql = "SELECT id, version, digest, state FROM intake WHERE stix_id = ?1 ORDER BY id";
        self.all(sql, [id.as_str()], |row| {
            Ok(IntakeKnown {
                id: row.get(0)?,
                version: StixVersion(columns::time(row, 1)?),
                digest: row.get(2)?,
                state: columns::coded(row, 3, "state of intake", IntakeState::from_code)?,
            })
        })
    }

    /// One object of intake.
    ///
    /// # Errors
    /// The database.
    pub fn intake(&self, id: IntakeId) -> Result<Option<IntakeRow>, StoreError> {
        self.one(select!("WHERE id = ?1"), [id], intake_row)
    }

    /// A page of intake, newest first, after a row of the page before; of one state or of all.
    ///
    /// # Errors
    /// The database.
    pub fn intake_page(
        &self,
        after: Option<IntakeId>,
        state: Option<IntakeState>,
        limit: usize,
    ) -> Result<Vec<IntakeRow>, StoreError> {
        let before = after.map_or(i64::MAX, |id| id.0);
        let limit = columns::limit(limit);
        match state {
            Some(state) => self.all(
                select!("WHERE state = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"),
                params![state.code(), before, limit],
                intake_row,
            ),
            None => self.all(select!("WHERE id < ?1 ORDER BY id DESC LIMIT ?2"), params![before, limit], intake_row),
        }
    }

    /// How many objects of intake are in each state, every state once. What stands behind the wall is not counted:
    /// supervising desks are shown the number too.
    ///
    /// # Errors
    /// The database.
    pub fn intake_counts(&self) -> Result<Vec<(IntakeState, u64)>, StoreError> {
        let sql = "SELECT count(*) FROM intake WHERE state = ?1 AND walled = 0";
        let count = |state: &IntakeState| {
            let counted = self.one(sql, [state.code()], |row| columns::count(row, 0))?;
            Ok((*state, counted.unwrap_or(0)))
        };
        IntakeState::ALL.iter().map(count).collect()
    }
}

impl Tx<'_> {
    /// Takes the objects with these bytes out of intake, and says how many those were.
    ///
    /// # Errors
    /// The database.
    pub fn intake_forget(&self, digest: &[u8; 32]) -> Result<usize, StoreError> {
        self.run("DELETE FROM intake WHERE digest = ?1", [digest])
    }
}

impl Tx<'_> {
    /// Takes an object in.
    ///
    /// # Errors
    /// The database.
    pub fn intake_put(&self, new: &NewIntake<'_>) -> Result<IntakeId, StoreError> {
        let id = self.insert(
            "INSERT INTO intake (digest, media, stix_id, version, tlp, mixed, title, source, state, note, taken, person,
               bytes, walled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                new.digest,
                new.media.code(),
                new.stix_id.as_str(),
                new.version.0.micros(),
                new.tlp.map(Tlp::code),
                new.mixed,
                new.title,
                new.source,
                new.state.code(),
                new.note,
                new.taken.micros(),
                new.person,
                new.bytes,
                Walled::code(new.walled),
            ],
        )?;
        Ok(IntakeId(id))
    }

    /// Notes where an object of intake stands, and why. Says whether it is there.
    ///
    /// # Errors
    /// The database.
    pub fn intake_state(&self, id: IntakeId, state: IntakeState, note: Option<&str>) -> Result<bool, StoreError> {
        let changed =
            self.run("UPDATE intake SET state = ?2, note = ?3 WHERE id = ?1", params![id, state.code(), note])?;
        Ok(changed == 1)
    }

    /// Puts an object of intake behind the wall. Nothing takes it out again: what was told in confidence stays so.
    ///
    /// # Errors
    /// The database.
    pub fn intake_wall(&self, id: IntakeId, walled: Walled) -> Result<(), StoreError> {
        self.run(
            "UPDATE intake SET walled = ?2 WHERE id = ?1 AND walled = 0",
            params![id, Walled::code(Some(walled))],
        )?;
        Ok(())
    }

    /// Erases an object of intake, bytes and all: a purge reaches what was received as well. Says whether it was there.
    ///
    /// # Errors
    /// The database.
    pub fn intake_erase(&self, id: IntakeId) -> Result<bool, StoreError> {
        Ok(self.run("DELETE FROM intake WHERE id = ?1", [id])? == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, indicator};

    fn put(tx: &Tx<'_>, number: u32, digest: u8, state: IntakeState) -> Result<IntakeId, StoreError> {
        tx.intake_put(&NewIntake {
            digest: [digest; 32],
            media: MediaType::Stix,
            stix_id: &indicator(number),
            version: StixVersion(at(1)),
            tlp: Some(Tlp::Amber),
            mixed: true,
            walled: None,
            title: Some("beacon"),
            source: "feed.json",
            bytes: b"{}",
            state,
            note: None,
            taken: at(2),
            person: Some(PersonId(4)),
        })
    }

    #[test]
    fn what_is_taken_in_is_found_again() {
        let world = World::new();
        world.write(|tx| {
            put(tx, 1, 1, IntakeState::New)?;
            put(tx, 1, 2, IntakeState::Conflict)?;
            put(tx, 2, 3, IntakeState::New)?;
            assert!(tx.intake_state(IntakeId(3), IntakeState::Asserted, Some("FR:7"))?);
            assert!(!tx.intake_state(IntakeId(9), IntakeState::Asserted, None)?);
            Ok(())
        });
        world.read(|db| {
            let known = db.intake_known(&indicator(1))?;
            let told: Vec<_> = known.iter().map(|row| (row.id.0, row.digest[0], row.state)).collect();
            assert_eq!(told, [(1, 1, IntakeState::New), (2, 2, IntakeState::Conflict)]);
            let row = db.intake(IntakeId(3))?.unwrap();
            assert_eq!((row.stix_id.clone(), row.tlp, row.person), (indicator(2), Some(Tlp::Amber), Some(PersonId(4))));
            assert_eq!((row.note.as_deref(), row.bytes.as_slice(), row.mixed), (Some("FR:7"), b"{}".as_slice(), true));
            let ids = |rows: Vec<IntakeRow>| rows.iter().map(|row| row.id.0).collect::<Vec<_>>();
            assert_eq!(ids(db.intake_page(None, None, 2)?), [3, 2]);
            assert_eq!(ids(db.intake_page(Some(IntakeId(2)), None, 2)?), [1]);
            assert_eq!(ids(db.intake_page(None, Some(IntakeState::New), 9)?), [1]);
            let counts: Vec<u64> = db.intake_counts()?.iter().map(|(_, count)| *count).collect();
            assert_eq!(counts, [1, 1, 1, 0]);
            Ok(())
        });
        world.write(|tx| {
            tx.intake_wall(IntakeId(1), Walled::Evidence)?;
            tx.intake_wall(IntakeId(1), Walled::HelperFinding)?;
            assert_eq!(tx.intake(IntakeId(1))?.unwrap().walled, Some(Walled::Evidence));
            let counts: Vec<u64> = tx.intake_counts()?.iter().map(|(_, count)| *count).collect();
            assert_eq!(counts, [0, 1, 1, 0], "what stands behind the wall is not counted");
            assert!(tx.intake_erase(IntakeId(3))? && !tx.intake_erase(IntakeId(3))?);
            assert_eq!(tx.intake(IntakeId(3))?, None);
            Ok(())
        });
    }
}
