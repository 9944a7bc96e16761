//! The mailbox: mail that came in from partners without a node, which people work through. Local truth, in no log.

use model::{Origin, Timestamp};
use rusqlite::{Row, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;

coded_enum!(
    /// What became of a mail.
    MailState {
        /// Nobody has decided yet.
        Waiting = (0, "waiting"),
        /// A person has made it the relayed word of the partner.
        Relayed = (1, "relayed"),
        /// A person has set it aside.
        Dismissed = (2, "dismissed"),
    }
);

coded_enum!(
    /// What the signature of a mail is worth.
    MailSignature {
        /// There is none.
        Nothing = (0, "none"),
        /// It is of a key that was compared by telephone.
        Good = (1, "good"),
        /// It does not fit what came.
        Bad = (2, "bad"),
        /// It is of a key that we do not have.
        Unknown = (3, "unknown-key"),
        /// It could not be opened, so that nothing is known of it.
        Unread = (4, "unread"),
    }
);

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRow {
    /// Its number; 0 before it is kept.
    pub id: i64,
    /// The SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// When it came here.
    pub received: Timestamp,
    /// From whom it claims to be.
    pub sender: String,
    /// Its subject.
    pub subject: String,
    /// The partner whose key has signed it.
    pub origin: Option<Origin>,
    /// Was it encrypted?
    pub encrypted: bool,
    /// What its signature is worth.
    pub signature: MailSignature,
    /// The fingerprint of the key that signed it.
    pub fingerprint: Option<String>,
    /// What it says, as plain text; or why it could not be read.
    pub body: String,
    /// What each attached signed file says and whether it is proven, a line each.
    pub files: String,
    /// What became of it.
    pub state: MailState,
    /// When a person decided.
    pub decided: Option<Timestamp>,
    /// Who.
    pub decided_by: Option<String>,
    /// The entry at which it is relayed, or why it was set aside.
    pub outcome: Option<String>,
}

const COLUMNS: &str = "SELECT id, digest, received, sender, subject, origin, encrypted, signature, fingerprint, body, files, \
                       state, decided, decided_by, outcome FROM mail_item";

fn mail_row(row: &Row<'_>) -> Result<MailRow, StoreError> {
    let origin: Option<String> = row.get(5)?;
    let damaged = |_| StoreError::corrupt("a mail names an origin that is none");
    Ok(MailRow {
        id: row.get(0)?,
        digest: row.get(1)?,
        received: columns::time(row, 2)?,
        sender: row.get(3)?,
        subject: row.get(4)?,
        origin: origin.map(|text| text.parse().map_err(damaged)).transpose()?,
        encrypted: row.get(6)?,
        signature: columns::coded(row, 7, "signature of a mail", MailSignature::from_code)?,
        fingerprint: row.get(8)?,
        body: row.get(9)?,
        files: row.get(10)?,
        state: columns::coded(row, 11, "state of a mail", MailState::from_code)?,
        decided: columns::time_opt(row, 12)?,
        decided_by: row.get(13)?,
        outcome: row.get(14)?,
    })
}

impl Db<'_> {
    /// One mail.
    ///
    /// # Errors
    /// The database.
    pub fn mail(&self, id: i64) -> Result<Option<MailRow>, StoreError> {
        self.one(&format!("{COLUMNS} WHERE id = ?1"), [id], mail_row)
    }

    /// Mail, what waits first, then the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn mails(&self, limit: usize) -> Result<Vec<MailRow>, StoreError> {
        self.all(&format!("{COLUMNS} ORDER BY state <> 0, id DESC LIMIT ?1"), [columns::limit(limit)], mail_row)
    }

    /// How many wait.
    ///
    /// # Errors
    /// The database.
    pub fn mails_waiting(&self) -> Result<u64, StoreError> {
        let count = self.one("SELECT count(*) FROM mail_item WHERE state = 0", [], |row| columns::count(row, 0))?;
        Ok(count.unwrap_or(0))
    }

    /// Is the mail with these bytes here already?
    ///
    /// # Errors
    /// The database.
    pub fn has_mail(&self, digest: &[u8; 32]) -> Result<bool, StoreError> {
        let found = self.one("SELECT 1 FROM mail_item WHERE digest = ?1", [digest], |row| Ok(row.get::<_, i64>(0)?))?;
        Ok(found.is_some())
    }
}

impl Tx<'_> {
    /// Keeps a mail with its bytes; the same bytes twice stand once. Says whether it was new.
    ///
    /// # Errors
    /// The database.
    pub fn put_mail(&self, row: &MailRow, original: &[u8]) -> Result<bool, StoreError> {
        let added = self.run(
            "INSERT INTO mail_item (digest, received, sender, subject, origin, encrypted, signature, fingerprint, body, files,
               original, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0) ON CONFLICT DO NOTHING",
            params![
                row.digest,
                row.received.micros(),
                row.sender,
                row.subject,
                row.origin.as_ref().map(ToString::to_string),
                row.encrypted,
                row.signature.code(),
                row.fingerprint,
                row.body,
                row.files,
                original
            ],
        )?;
        Ok(added == 1)
    }

    /// Notes what a person decided about a mail.
    ///
    /// # Errors
    /// The database.
    pub fn decide_mail(
        &self,
        id: i64,
        state: MailState,
        outcome: &str,
        by: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "UPDATE mail_item SET state = ?2, outcome = ?3, decided_by = ?4, decided = ?5 WHERE id = ?1",
            params![id, state.code(), outcome, by, at.micros()],
        )?;
        Ok(())
    }

    /// Drops mails that were decided before a moment.
    ///
    /// # Errors
    /// The database.
    pub fn drop_mails_before(&self, at: Timestamp) -> Result<usize, StoreError> {
        self.run("DELETE FROM mail_item WHERE state <> 0 AND decided < ?1", [at.micros()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, origin};

    #[test]
    fn a_mail_is_kept_once_and_waits_until_somebody_decides() {
        let world = World::new();
        world.write(|tx| {
            let row = MailRow {
                id: 1,
                digest: [7; 32],
                received: at(1),
                sender: "cert@md.example".to_owned(),
                subject: "Re: letter 1".to_owned(),
                origin: Some(origin("MD")),
                encrypted: true,
                signature: MailSignature::Good,
                fingerprint: Some("ABCD".to_owned()),
                body: "yes".to_owned(),
                files: String::new(),
                state: MailState::Waiting,
                decided: None,
                decided_by: None,
                outcome: None,
            };
            assert_eq!((tx.put_mail(&row, b"bytes")?, tx.put_mail(&row, b"bytes")?), (true, false));
            assert_eq!((tx.mails(9)?, tx.mails_waiting()?), (vec![row.clone()], 1));
            assert!(tx.has_mail(&[7; 32])? && !tx.has_mail(&[8; 32])?);
            tx.decide_mail(1, MailState::Dismissed, "spam", "anna", at(2))?;
            let decided = tx.mail(1)?.unwrap();
            assert_eq!((decided.state, decided.outcome.as_deref()), (MailState::Dismissed, Some("spam")));
            assert_eq!((tx.mails_waiting()?, tx.drop_mails_before(at(2))?, tx.drop_mails_before(at(3))?), (0, 0, 1));
            Ok(())
        });
    }
}
