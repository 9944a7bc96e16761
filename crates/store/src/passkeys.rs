//! Passkeys (WebAuthn) of accounts, and the challenges that were answered already. Local truth, in no log.

use model::Timestamp;
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::PersonId;

/// A passkey: the public half of a key that an authenticator keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// The credential id, as the authenticator chose it.
    pub id: Vec<u8>,
    /// Whose.
    pub person: PersonId,
    /// For which host name (the RP id).
    pub host: String,
    /// What its person calls it.
    pub name: String,
    /// The COSE number of its algorithm.
    pub algorithm: i64,
    /// The public key.
    pub key: Vec<u8>,
    /// The authenticator's signature counter when it was last used.
    pub count: u32,
    /// May it be copied to other devices?
    pub backup_eligible: bool,
    /// Had it been copied when it was last used?
    pub backed_up: bool,
    /// When it was registered.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

macro_rules! select_passkey {
    ($rest:literal) => {
        concat!(
            "SELECT id, person, host, name, algorithm, key, count, backup_eligible, backed_up, created, last_used \
             FROM passkey ",
            $rest
        )
    };
}

fn passkey_row(row: &Row<'_>) -> Result<PasskeyRow, StoreError> {
    Ok(PasskeyRow {
        id: row.get(0)?,
        person: row.get(1)?,
        host: row.get(2)?,
        name: row.get(3)?,
        algorithm: row.get(4)?,
        key: row.get(5)?,
        count: row.get(6)?,
        backup_eligible: row.get(7)?,
        backed_up: row.get(8)?,
        created: columns::time(row, 9)?,
        last_used: columns::time_opt(row, 10)?,
    })
}

impl Db<'_> {
    /// The passkey of a credential id.
    ///
    /// # Errors
    /// The database.
    pub fn passkey(&self, id: &[u8]) -> Result<Option<PasskeyRow>, StoreError> {
        self.one(select_passkey!("WHERE id = ?1"), [id], passkey_row)
    }

    /// The passkeys of a person, the oldest first.
    ///
    /// # Errors
    /// The database.
    pub fn passkeys_of(&self, person: PersonId) -> Result<Vec<PasskeyRow>, StoreError> {
        self.all(select_passkey!("WHERE person = ?1 ORDER BY created, id"), [person], passkey_row)
    }

    /// How many answered challenges are remembered.
    ///
    /// # Errors
    /// The database.
    pub fn answered_challenges(&self) -> Result<u64, StoreError> {
        let count = self.one("SELECT count(*) FROM passkey_answered", [], |row| columns::count(row, 0))?;
        Ok(count.unwrap_or(0))
    }
}

impl Tx<'_> {
    /// Keeps a new passkey; `false` if its credential id is known already, whoever has it.
    ///
    /// # Errors
    /// The database.
    pub fn add_passkey(&self, row: &PasskeyRow) -> Result<bool, StoreError> {
        let made = self.run(
            "INSERT INTO passkey (id, person, host, name, algorithm, key, count, backup_eligible, backed_up, created,
               last_used) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
            params![
                row.id,
                row.person,
                row.host,
                row.name,
                row.algorithm,
                row.key,
                row.count,
                row.backup_eligible,
                row.backed_up,
                row.created.micros(),
                row.last_used.map(Timestamp::micros),
            ],
        )?;
        Ok(made == 1)
    }

    /// Notes that a passkey was used: its counter, whether it is copied now, and when.
    ///
    /// # Errors
    /// The database.
    pub fn passkey_used(&self, id: &[u8], count: u32, backed_up: bool, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE passkey SET count = ?2, backed_up = ?3, last_used = ?4 WHERE id = ?1";
        self.run(sql, params![id, count, backed_up, at.micros()])?;
        Ok(())
    }

    /// Deletes a passkey. Says whether it was there.
    ///
    /// # Errors
    /// The database.
    pub fn delete_passkey(&self, id: &[u8]) -> Result<bool, StoreError> {
        Ok(self.run("DELETE FROM passkey WHERE id = ?1", [id])? == 1)
    }

    /// Deletes every passkey of a person.
    ///
    /// # Errors
    /// The database.
    pub fn delete_passkeys_of(&self, person: PersonId) -> Result<(), StoreError> {
        self.run("DELETE FROM passkey WHERE person = ?1", [person])?;
        Ok(())
    }

    /// Notes that a challenge was answered; `false` if it was before. Forgets those that have run out by `now`.
    ///
    /// # Errors
    /// The database.
    pub fn answer_challenge(&self, nonce: &[u8], until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.run("DELETE FROM passkey_answered WHERE until <= ?1", [now.micros()])?;
        let sql = "INSERT INTO passkey_answered (nonce, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        Ok(self.run(sql, params![nonce, until.micros()])? == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    fn passkey(id: u8, person: i64) -> PasskeyRow {
        PasskeyRow {
            id: vec![id; 16],
            person: PersonId(person),
            host: "fr.example".to_owned(),
            name: "Key".to_owned(),
            algorithm: -7,
            key: vec![4; 65],
            count: 0,
            backup_eligible: true,
            backed_up: false,
            created: at(i64::from(id)),
            last_used: None,
        }
    }

    #[test]
    fn a_credential_id_stands_once_whoever_has_it() {
        let world = World::new();
        world.write(|tx| {
            assert!(tx.add_passkey(&passkey(1, 1))? && tx.add_passkey(&passkey(2, 1))?);
            assert!(!tx.add_passkey(&passkey(1, 2))?, "it is another's");
            tx.passkey_used(&[1; 16], u32::MAX, true, at(9))?;
            let used = tx.passkey(&[1; 16])?.unwrap();
            assert_eq!((used.count, used.backed_up, used.last_used), (u32::MAX, true, Some(at(9))));
            assert_eq!(tx.passkeys_of(PersonId(1))?, [used, passkey(2, 1)]);
            assert!(tx.delete_passkey(&[1; 16])? && !tx.delete_passkey(&[1; 16])?);
            tx.delete_passkeys_of(PersonId(1))?;
            assert_eq!(tx.passkeys_of(PersonId(1))?, []);
            Ok(())
        });
    }

    #[test]
    fn a_challenge_is_answered_once_and_forgotten_when_it_has_run_out() {
        let world = World::new();
        world.write(|tx| {
            assert!(tx.answer_challenge(&[1; 32], at(5), at(0))?);
            assert!(!tx.answer_challenge(&[1; 32], at(5), at(4))?);
            assert!(tx.answer_challenge(&[2; 32], at(9), at(4))?);
            assert_eq!(tx.answered_challenges()?, 2);
            assert!(tx.answer_challenge(&[3; 32], at(9), at(5))?);
            assert_eq!(tx.answered_challenges()?, 2, "the first has run out");
            Ok(())
        });
    }
}
