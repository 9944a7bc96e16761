//! Idempotency keys: the answer to a command that may be sent again because nobody heard it.

use model::Timestamp;
use rusqlite::params;

use crate::connection::{Db, Tx};
use crate::error::StoreError;

/// What was answered to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// SHA-256 of the command: another command under the same key is refused.
    pub digest: [u8; 32],
    /// The answer, as it was given.
    pub answer: String,
}

impl Db<'_> {
    /// What was answered to a key of a caller.
    ///
    /// # Errors
    /// The database.
    pub fn remembered(&self, who: &str, key: &str) -> Result<Option<Remembered>, StoreError> {
        self.one("SELECT digest, answer FROM idempotency WHERE who = ?1 AND key = ?2", [who, key], |row| {
            Ok(Remembered { digest: row.get(0)?, answer: row.get(1)? })
        })
    }
}

impl Tx<'_> {
    /// Remembers an answer. The first one stays: whoever asks again gets what was said then.
    ///
    /// # Errors
    /// The database.
    pub fn remember(
        &self,
        who: &str,
        key: &str,
        digest: &[u8; 32],
        answer: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO idempotency (who, key, digest, answer, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![who, key, digest, answer, at.micros()],
        )?;
        Ok(())
    }

    /// Forgets what was answered before a time.
    ///
    /// # Errors
    /// The database.
    pub fn forget_before(&self, at: Timestamp) -> Result<(), StoreError> {
        self.run("DELETE FROM idempotency WHERE at < ?1", [at.micros()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{World, at};

    #[test]
    fn answers_are_remembered_for_a_while() {
        let world = World::new();
        world.write(|tx| {
            tx.remember("anna", "k", &[1; 32], "first", at(0))?;
            tx.remember("anna", "k", &[2; 32], "second", at(1))?;
            tx.remember("bert", "k", &[3; 32], "his", at(1))?;
            assert_eq!(tx.remembered("anna", "k")?.unwrap().answer, "first");
            tx.forget_before(at(1))?;
            assert_eq!(tx.remembered("anna", "k")?, None);
            assert_eq!(tx.remembered("bert", "k")?.unwrap().digest, [3; 32]);
            Ok(())
        });
    }
}
