//! Letters: what goes to partners without a node, one a statement and partner, and what became of it.

use model::{Origin, Timestamp};
use rusqlite::{Row, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::StatementId;

coded_enum!(
    /// What became of a letter.
    LetterFate {
        /// It goes out when its time has come.
        Waiting = (0, "waiting"),
        /// It is on its way to the mail server.
        Sending = (1, "sending"),
        /// The mail server has taken it, encrypted and with the signed file.
        Sent = (2, "sent"),
        /// The mail server has taken a notice that says only that there is something.
        Noticed = (3, "noticed"),
        /// It did not go out, and is not tried again.
        Failed = (4, "failed"),
        /// Somebody has to call: there is no mail address.
        Call = (5, "call"),
        /// The statement is no longer for that partner, or no longer there.
        Denied = (6, "denied"),
    }
);

/// One letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterRow {
    /// Its number.
    pub id: i64,
    /// To whom: the name that stands for the partner in audiences.
    pub origin: Origin,
    /// About which statement of ours.
    pub statement: StatementId,
    /// Since when it is to go out.
    pub queued: Timestamp,
    /// What became of it.
    pub fate: LetterFate,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next.
    pub next: Timestamp,
    /// Why it did not go out, without content.
    pub why: Option<String>,
}

const COLUMNS: &str = "SELECT id, origin, statement, queued, fate, tries, next, why FROM letter";

fn letter_row(row: &Row<'_>) -> Result<LetterRow, StoreError> {
    Ok(LetterRow {
        id: row.get(0)?,
        origin: columns::parsed(row, 1, "origin")?,
        statement: row.get(2)?,
        queued: columns::time(row, 3)?,
        fate: columns::coded(row, 4, "fate of a letter", LetterFate::from_code)?,
        tries: row.get(5)?,
        next: columns::time(row, 6)?,
        why: row.get(7)?,
    })
}

impl Db<'_> {
    /// One letter.
    ///
    /// # Errors
    /// The database.
    pub fn letter(&self, id: i64) -> Result<Option<LetterRow>, StoreError> {
        self.one(&format!("{COLUMNS} WHERE id = ?1"), [id], letter_row)
    }

    /// The letters to a partner, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn letters(&self, origin: &Origin, limit: usize) -> Result<Vec<LetterRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE origin = ?1 ORDER BY id DESC LIMIT ?2");
        self.all(&sql, params![origin.to_string(), columns::limit(limit)], letter_row)
    }

    /// The letters that wait, by when they are tried next.
    ///
    /// # Errors
    /// The database.
    pub fn waiting_letters(&self, limit: usize) -> Result<Vec<LetterRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE fate = 0 ORDER BY next, id LIMIT ?1");
        self.all(&sql, [columns::limit(limit)], letter_row)
    }
}

impl Tx<'_> {
    /// Has a letter go out; the same one twice stands once.
    ///
    /// # Errors
    /// The database.
    pub fn queue_letter(&self, origin: &Origin, statement: StatementId, at: Timestamp) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO letter (origin, statement, queued, fate, tries, next) VALUES (?1, ?2, ?3, 0, 0, ?3)
             ON CONFLICT DO NOTHING",
            params![origin.to_string(), statement, at.micros()],
        )?;
        Ok(())
    }

    /// Notes what became of a letter.
    ///
    /// # Errors
    /// The database.
    pub fn put_letter(&self, row: &LetterRow) -> Result<(), StoreError> {
        self.run(
            "UPDATE letter SET fate = ?2, tries = ?3, next = ?4, why = ?5 WHERE id = ?1",
            params![row.id, row.fate.code(), row.tries, row.next.micros(), row.why],
        )?;
        Ok(())
    }

    /// Letters that were on their way when the node stopped: they go out again, under the same name, because a call for
    /// help that is lost is worse than one that comes twice.
    ///
    /// # Errors
    /// The database.
    pub fn letters_again(&self) -> Result<usize, StoreError> {
        self.run("UPDATE letter SET fate = 0 WHERE fate = 1", [])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, origin};

    #[test]
    fn a_letter_is_queued_once_and_goes_out_again_if_it_was_on_its_way() {
        let world = World::new();
        world.write(|tx| {
            let to = origin("MD");
            for second in [1, 2] {
                tx.queue_letter(&to, StatementId(7), at(second))?;
            }
            let waiting = tx.waiting_letters(9)?;
            assert_eq!(waiting.len(), 1);
            let sending = LetterRow { fate: LetterFate::Sending, tries: 1, ..waiting[0].clone() };
            tx.put_letter(&sending)?;
            assert_eq!(tx.waiting_letters(9)?, []);
            assert_eq!(tx.letters_again()?, 1);
            assert_eq!(tx.letter(sending.id)?, Some(LetterRow { fate: LetterFate::Waiting, ..sending.clone() }));
            let failed = LetterRow { fate: LetterFate::Failed, why: Some("too slow".to_owned()), ..sending };
            tx.put_letter(&failed)?;
            assert_eq!((tx.letters_again()?, tx.letters(&to, 9)?), (0, vec![failed]));
            Ok(())
        });
    }
}
