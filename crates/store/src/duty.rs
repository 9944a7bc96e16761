//! The duty roster: persons whom the node can wake, and their shifts. Local truth.

use model::Timestamp;
use model::duty::{Contact, Handle, Shift};
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::ShiftId;

/// A shift with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftRow {
    /// Its number.
    pub id: ShiftId,
    /// What it says.
    pub shift: Shift,
}

fn contact_row(row: &Row<'_>) -> Result<Contact, StoreError> {
    let languages: String = row.get(4)?;
    Ok(Contact {
        person: columns::parsed(row, 0, "short name")?,
        name: row.get(1)?,
        telephone: row.get(2)?,
        mail: row.get(3)?,
        languages: languages.split(' ').filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        login: row.get(5)?,
    })
}

fn shift_row(row: &Row<'_>) -> Result<ShiftRow, StoreError> {
    let (person, post) = (columns::parsed(row, 1, "short name")?, columns::parsed(row, 2, "post")?);
    let shift = Shift { post, from: columns::time(row, 3)?, until: columns::time(row, 4)?, person };
    Ok(ShiftRow { id: row.get(0)?, shift })
}

impl Db<'_> {
    /// Everybody in the roster, by short name.
    ///
    /// # Errors
    /// The database.
    pub fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        let sql = "SELECT person, name, telephone, mail, languages, login FROM contact ORDER BY person";
        self.all(sql, [], contact_row)
    }

    /// One person of the roster.
    ///
    /// # Errors
    /// The database.
    pub fn contact(&self, person: &Handle) -> Result<Option<Contact>, StoreError> {
        let sql = "SELECT person, name, telephone, mail, languages, login FROM contact WHERE person = ?1";
        self.one(sql, [person.as_str()], contact_row)
    }

    /// Shifts of which some part lies between two moments, by when they begin.
    ///
    /// # Errors
    /// The database.
    pub fn shifts(&self, from: Timestamp, until: Timestamp) -> Result<Vec<ShiftRow>, StoreError> {
        self.all(
            "SELECT id, person, post, starts, ends FROM shift WHERE ends > ?1 AND starts < ?2
             ORDER BY starts, post, person",
            [from.micros(), until.micros()],
            shift_row,
        )
    }
}

impl Tx<'_> {
    /// Keeps a person as the row says.
    ///
    /// # Errors
    /// The database.
    pub fn put_contact(&self, contact: &Contact) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO contact (person, name, telephone, mail, languages, login)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                contact.person.as_str(),
                contact.name,
                contact.telephone,
                contact.mail,
                contact.languages.join(" "),
                contact.login,
            ],
        )?;
        Ok(())
    }

    /// Takes a person out of the roster, with every shift; says whether there was one.
    ///
    /// # Errors
    /// The database.
    pub fn remove_contact(&self, person: &Handle) -> Result<bool, StoreError> {
        self.run("DELETE FROM shift WHERE person = ?1", [person.as_str()])?;
        Ok(self.run("DELETE FROM contact WHERE person = ?1", [person.as_str()])? > 0)
    }

    /// Keeps a shift. One of the same person and post that begins at the same moment gets this end.
    ///
    /// # Errors
    /// The database.
    pub fn put_shift(&self, shift: &Shift) -> Result<ShiftId, StoreError> {
        let id = self.one(
            "INSERT INTO shift (person, post, starts, ends) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (person, post, starts) DO UPDATE SET ends = excluded.ends RETURNING id",
            params![shift.person.as_str(), shift.post.word(), shift.from.micros(), shift.until.micros()],
            |row| Ok(row.get(0)?),
        )?;
        id.ok_or_else(|| StoreError::corrupt("a shift that was kept has no number"))
    }

    /// Takes a shift away; says whether there was one.
    ///
    /// # Errors
    /// The database.
    pub fn remove_shift(&self, id: ShiftId) -> Result<bool, StoreError> {
        Ok(self.run("DELETE FROM shift WHERE id = ?1", [id])? > 0)
    }

    /// Forgets shifts that ended before a moment: who worked when is nobody's business for longer than it is needed.
    ///
    /// # Errors
    /// The database.
    pub fn forget_shifts(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.run("DELETE FROM shift WHERE ends < ?1", [before.micros()])
    }
}

#[cfg(test)]
mod tests {
    use model::duty::Post;

    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn persons_and_shifts_are_kept_changed_and_forgotten() {
        let world = World::new();
        let contact = |name: &str| Contact {
            person: "anna".parse().unwrap(),
            name: name.to_owned(),
            telephone: "+33 1 00 00".to_owned(),
            mail: None,
            languages: vec!["fr".to_owned(), "en".to_owned()],
            login: Some("anna".to_owned()),
        };
        let shift = |from, until| Shift::new("anna".parse().unwrap(), Post::Duty, at(from), at(until)).unwrap();
        world.write(|tx| {
            tx.put_contact(&contact("Anna"))?;
            tx.put_contact(&contact("Anna B"))?;
            assert_eq!(tx.contacts()?, [contact("Anna B")]);
            let first = tx.put_shift(&shift(0, 8))?;
            assert_eq!(tx.put_shift(&shift(0, 9))?, first);
            let second = tx.put_shift(&shift(9, 20))?;
            let found = |from, until| -> Result<Vec<ShiftId>, StoreError> {
                Ok(tx.shifts(at(from), at(until))?.into_iter().map(|row| row.id).collect())
            };
            assert_eq!((found(0, 9)?, found(9, 10)?, found(20, 30)?), (vec![first], vec![second], vec![]));
            assert_eq!(tx.forget_shifts(at(10))?, 1);
            assert!(tx.remove_shift(second)? && !tx.remove_shift(second)?);
            tx.put_shift(&shift(0, 8))?;
            assert!(tx.remove_contact(&"anna".parse().unwrap())? && tx.contacts()?.is_empty());
            assert_eq!(found(0, 9)?, []);
            Ok(())
        });
    }
}
