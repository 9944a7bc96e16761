//! The links in letters by which a partner without a node answers: kept as hashes, as their codes are.

use model::Timestamp;
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;

/// The link of one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerLinkRow {
    /// Of which letter.
    pub letter: i64,
    /// The SHA-256 of what the link ends in.
    pub link: [u8; 32],
    /// The hash of the code that opens it, and until when; `None` if none was given, or it was used.
    pub code: Option<(String, Timestamp)>,
    /// Wrong codes that it still bears.
    pub tries_left: u32,
}

const COLUMNS: &str = "SELECT letter, link, code, code_until, tries_left FROM answer_link";

fn link_row(row: &Row<'_>) -> Result<AnswerLinkRow, StoreError> {
    let (code, until): (Option<String>, Option<Timestamp>) = (row.get(2)?, columns::time_opt(row, 3)?);
    Ok(AnswerLinkRow { letter: row.get(0)?, link: row.get(1)?, code: code.zip(until), tries_left: row.get(4)? })
}

impl Db<'_> {
    /// The link of a letter.
    ///
    /// # Errors
    /// The database.
    pub fn answer_link(&self, letter: i64) -> Result<Option<AnswerLinkRow>, StoreError> {
        self.one(&format!("{COLUMNS} WHERE letter = ?1"), [letter], link_row)
    }

    /// What a link leads to, by its hash.
    ///
    /// # Errors
    /// The database.
    pub fn answer_link_by(&self, link: &[u8; 32]) -> Result<Option<AnswerLinkRow>, StoreError> {
        self.one(&format!("{COLUMNS} WHERE link = ?1"), [link], link_row)
    }
}

impl Tx<'_> {
    /// Keeps the link of a letter in place of an earlier one.
    ///
    /// # Errors
    /// The database.
    pub fn put_answer_link(&self, row: &AnswerLinkRow) -> Result<(), StoreError> {
        let (code, until) = row.code.as_ref().map(|(code, until)| (code, until.micros())).unzip();
        self.run(
            "INSERT OR REPLACE INTO answer_link (letter, link, code, code_until, tries_left) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![row.letter, row.link, code, until, row.tries_left],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn a_letter_has_one_link_and_the_newest_counts() {
        let world = World::new();
        world.write(|tx| {
            let first = AnswerLinkRow { letter: 1, link: [1; 32], code: None, tries_left: 0 };
            let code = Some(("hash".to_owned(), at(5)));
            let second = AnswerLinkRow { link: [2; 32], code, tries_left: 5, ..first.clone() };
            tx.put_answer_link(&first)?;
            assert_eq!(tx.answer_link_by(&[1; 32])?, Some(first));
            tx.put_answer_link(&second)?;
            assert_eq!((tx.answer_link_by(&[1; 32])?, tx.answer_link(1)?), (None, Some(second.clone())));
            assert_eq!(tx.answer_link_by(&[2; 32])?, Some(second));
            Ok(())
        });
    }
}
