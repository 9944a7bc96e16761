//! Hand over between shifts: what was given, and who took it. Local truth.

use model::{Desk, Timestamp};
use rusqlite::{Row, params};

use crate::acts::Signatory;
use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::HandoverId;

/// One handover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoverRow {
    /// Its number; 0 before it is kept.
    pub id: HandoverId,
    /// Of which desk.
    pub desk: Desk,
    /// Who was on duty.
    pub by: Signatory,
    /// When.
    pub at: Timestamp,
    /// What is open, as JSON.
    pub items: String,
    /// What else is to be known.
    pub note: String,
    /// Who took it, and when.
    pub taken: Option<(Signatory, Timestamp)>,
}

const HANDOVER: &str =
    "SELECT id, desk, given_by, given_name, at, items, note, taken_by, taken_name, taken FROM handover";

fn handover_row(row: &Row<'_>) -> Result<HandoverRow, StoreError> {
    let (person, name): (Option<_>, Option<String>) = (row.get(7)?, row.get(8)?);
    let taker = person.zip(name).map(|(person, name)| Signatory { person, name });
    Ok(HandoverRow {
        id: row.get(0)?,
        desk: columns::parsed(row, 1, "desk")?,
        by: Signatory { person: row.get(2)?, name: row.get(3)? },
        at: columns::time(row, 4)?,
        items: row.get(5)?,
        note: row.get(6)?,
        taken: taker.zip(columns::time_opt(row, 9)?),
    })
}

impl Db<'_> {
    /// The handovers of a desk, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn handovers(&self, desk: Desk, limit: usize) -> Result<Vec<HandoverRow>, StoreError> {
        let sql = format!("{HANDOVER} WHERE desk = ?1 ORDER BY id DESC LIMIT ?2");
        self.all(&sql, params![desk.to_string(), columns::limit(limit)], handover_row)
    }

    /// One handover of a desk.
    ///
    /// # Errors
    /// The database.
    pub fn handover(&self, desk: Desk, id: HandoverId) -> Result<Option<HandoverRow>, StoreError> {
        self.one(&format!("{HANDOVER} WHERE desk = ?1 AND id = ?2"), params![desk.to_string(), id], handover_row)
    }
}

impl Tx<'_> {
    /// Keeps a handover, and gives it its number.
    ///
    /// # Errors
    /// The database.
    pub fn add_handover(&self, row: &HandoverRow) -> Result<HandoverId, StoreError> {
        let id = self.one(
            "INSERT INTO handover (desk, given_by, given_name, at, items, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             RETURNING id",
            params![row.desk.to_string(), row.by.person, row.by.name, row.at.micros(), row.items, row.note],
            |row| Ok(row.get(0)?),
        )?;
        id.ok_or_else(|| StoreError::corrupt("a handover that was kept has no number"))
    }

    /// Notes who took a handover; says whether it was still to be taken.
    ///
    /// # Errors
    /// The database.
    pub fn take_handover(&self, id: HandoverId, by: &Signatory, at: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE handover SET taken_by = ?2, taken_name = ?3, taken = ?4 WHERE id = ?1 AND taken IS NULL";
        Ok(self.run(sql, params![id, by.person, by.name, at.micros()])? > 0)
    }

    /// Forgets handovers from before a moment.
    ///
    /// # Errors
    /// The database.
    pub fn forget_handovers(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.run("DELETE FROM handover WHERE at < ?1", [before.micros()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PersonId;
    use crate::testing::{World, at};

    #[test]
    fn a_handover_is_of_one_desk_and_taken_once() {
        let world = World::new();
        world.write(|tx| {
            let person = |number, name: &str| Signatory { person: PersonId(number), name: name.into() };
            let row = HandoverRow {
                id: HandoverId(0),
                desk: Desk::Csirt,
                by: person(1, "Anna"),
                at: at(0),
                items: "[]".into(),
                note: "quiet".into(),
                taken: None,
            };
            let id = tx.add_handover(&row)?;
            assert_eq!(tx.handovers(Desk::Csirt, 9)?, [HandoverRow { id, ..row.clone() }]);
            assert!(tx.handovers(Desk::CompetentAuthority, 9)?.is_empty());
            assert_eq!(tx.handover(Desk::CompetentAuthority, id)?, None);
            assert!(tx.take_handover(id, &person(2, "Bo"), at(5))? && !tx.take_handover(id, &person(3, "Cy"), at(6))?);
            assert_eq!(tx.handover(Desk::Csirt, id)?.unwrap().taken, Some((person(2, "Bo"), at(5))));
            assert_eq!((tx.forget_handovers(at(0))?, tx.forget_handovers(at(1))?), (0, 1));
            Ok(())
        });
    }
}
