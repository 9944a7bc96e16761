//! Guests: people without an account who may read one RED thread for a while. Links, codes and sessions come hashed.

use model::{ThreadId, Timestamp};
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;

/// A code that was given to a guest and not used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestCode {
    /// As Argon2 hashed it (PHC string).
    pub hash: String,
    /// Until when it opens.
    pub expires: Timestamp,
}

/// One guest.
#[derive(Clone, PartialEq, Eq)]
pub struct GuestRow {
    /// Which: random.
    pub id: [u8; 16],
    /// The one thread that the guest may read.
    pub thread: ThreadId,
    /// SHA-256 of the link's token.
    pub link: [u8; 32],
    /// The guest's name.
    pub name: String,
    /// How the guest is reached: a telephone number, an address.
    pub contact: String,
    /// Who invited: a login, or `machine`.
    pub invited_by: String,
    /// Since when.
    pub made: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// When the invitation was taken back.
    pub revoked: Option<Timestamp>,
    /// The code that opens next; each opens once.
    pub code: Option<GuestCode>,
    /// Wrong codes that the code still bears.
    pub tries_left: u32,
    /// SHA-256 of the cookie of the reading that is going on, and its end.
    pub session: Option<([u8; 32], Timestamp)>,
}

impl std::fmt::Debug for GuestRow {
    // Names of people and secrets never reach a log by way of a debug print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestRow").field("id", &model::bytes::hex(&self.id)).finish_non_exhaustive()
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, thread, link, name, contact, invited_by, made, expires, revoked, code, code_expires, tries_left, \
             session, session_expires FROM guest ",
            $rest
        )
    };
}

fn guest_row(row: &Row<'_>) -> Result<GuestRow, StoreError> {
    let code: Option<String> = row.get(9)?;
    let session: Option<[u8; 32]> = row.get(12)?;
    Ok(GuestRow {
        id: row.get(0)?,
        thread: columns::fixed(row, 1, "thread", ThreadId::from_slice)?,
        link: row.get(2)?,
        name: row.get(3)?,
        contact: row.get(4)?,
        invited_by: row.get(5)?,
        made: columns::time(row, 6)?,
        expires: columns::time(row, 7)?,
        revoked: columns::time_opt(row, 8)?,
        code: code.zip(columns::time_opt(row, 10)?).map(|(hash, expires)| GuestCode { hash, expires }),
        tries_left: row.get(11)?,
        session: session.zip(columns::time_opt(row, 13)?),
    })
}

impl Db<'_> {
    /// One guest, also one whose time is over.
    ///
    /// # Errors
    /// The database.
    pub fn guest(&self, id: &[u8; 16]) -> Result<Option<GuestRow>, StoreError> {
        self.one(select!("WHERE id = ?1"), [id], guest_row)
    }

    /// The guest of a link, by its hash.
    ///
    /// # Errors
    /// The database.
    pub fn guest_by_link(&self, link: &[u8; 32]) -> Result<Option<GuestRow>, StoreError> {
        self.one(select!("WHERE link = ?1"), [link], guest_row)
    }

    /// Every guest of a thread, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn guests_of(&self, thread: &ThreadId) -> Result<Vec<GuestRow>, StoreError> {
        self.all(select!("WHERE thread = ?1 ORDER BY made DESC, id"), [thread.as_bytes()], guest_row)
    }
}

impl Tx<'_> {
    /// Keeps a guest as the row says.
    ///
    /// # Errors
    /// The database.
    pub fn put_guest(&self, row: &GuestRow) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO guest (id, thread, link, name, contact, invited_by, made, expires, revoked, code,
               code_expires, tries_left, session, session_expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                row.id,
                row.thread.as_bytes(),
                row.link,
                row.name,
                row.contact,
                row.invited_by,
                row.made.micros(),
                row.expires.micros(),
                row.revoked.map(Timestamp::micros),
                row.code.as_ref().map(|code| &code.hash),
                row.code.as_ref().map(|code| code.expires.micros()),
                row.tries_left,
                row.session.map(|(hash, _)| hash),
                row.session.map(|(_, expires)| expires.micros()),
            ],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn a_guest_is_kept_found_by_its_link_and_changed() {
        let world = World::new();
        let thread = ThreadId::new([1; 16]);
        let mut row = GuestRow {
            id: [1; 16],
            thread,
            link: [2; 32],
            name: "Minister".to_owned(),
            contact: "+33 1".to_owned(),
            invited_by: "anna".to_owned(),
            made: at(0),
            expires: at(9),
            revoked: None,
            code: Some(GuestCode { hash: "$argon2id$x".to_owned(), expires: at(3) }),
            tries_left: 5,
            session: None,
        };
        world.write(|tx| {
            tx.put_guest(&row)?;
            assert_eq!(tx.guest_by_link(&[2; 32])?, Some(row.clone()));
            assert_eq!(tx.guest_by_link(&[3; 32])?, None);
            row.code = None;
            row.tries_left = 0;
            row.session = Some(([4; 32], at(5)));
            row.revoked = Some(at(6));
            tx.put_guest(&row)?;
            assert_eq!((tx.guest(&[1; 16])?, tx.guests_of(&thread)?), (Some(row.clone()), vec![row.clone()]));
            assert_eq!(tx.guests_of(&ThreadId::new([2; 16]))?, []);
            assert!(!format!("{row:?}").contains("Minister"));
            Ok(())
        });
    }
}
