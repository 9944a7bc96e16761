//! Invitations to peer: what the host must still know of a code that it has given away.

use model::Timestamp;
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;

/// An invitation that is still open.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationRow {
    /// What names it on the wire: a hash of its secret.
    pub id: [u8; 32],
    /// What both sides prove to know.
    pub secret: [u8; 16],
    /// When it runs out.
    pub expires: Timestamp,
    /// Wrong proofs that it still bears.
    pub tries_left: u32,
}

impl std::fmt::Debug for InvitationRow {
    // The secret never reaches a log by way of a debug print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InvitationRow({}, {} tries left)", model::bytes::hex(&self.id), self.tries_left)
    }
}

fn invitation_row(row: &Row<'_>) -> Result<InvitationRow, StoreError> {
    Ok(InvitationRow { id: row.get(0)?, secret: row.get(1)?, expires: columns::time(row, 2)?, tries_left: row.get(3)? })
}

impl Db<'_> {
    /// One invitation, also one that has run out.
    ///
    /// # Errors
    /// The database.
    pub fn invitation(&self, id: &[u8; 32]) -> Result<Option<InvitationRow>, StoreError> {
        self.one("SELECT id, secret, expires, tries_left FROM invitation WHERE id = ?1", [id], invitation_row)
    }

    /// Every invitation, the next to run out first.
    ///
    /// # Errors
    /// The database.
    pub fn invitations(&self) -> Result<Vec<InvitationRow>, StoreError> {
        self.all("SELECT id, secret, expires, tries_left FROM invitation ORDER BY expires, id", [], invitation_row)
    }
}

impl Tx<'_> {
    /// Keeps a new invitation.
    ///
    /// # Errors
    /// The database.
    pub fn put_invitation(&self, row: &InvitationRow) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO invitation (id, secret, expires, tries_left) VALUES (?1, ?2, ?3, ?4)",
            params![row.id, row.secret, row.expires.micros(), row.tries_left],
        )?;
        Ok(())
    }

    /// Counts a wrong proof.
    ///
    /// # Errors
    /// The database.
    pub fn use_invitation_try(&self, id: &[u8; 32]) -> Result<(), StoreError> {
        self.run("UPDATE invitation SET tries_left = max(tries_left - 1, 0) WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Ends an invitation: it was used, or somebody took it back.
    ///
    /// # Errors
    /// The database.
    pub fn end_invitation(&self, id: &[u8; 32]) -> Result<(), StoreError> {
        self.run("DELETE FROM invitation WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Ends every invitation that has run out.
    ///
    /// # Errors
    /// The database.
    pub fn end_invitations_before(&self, at: Timestamp) -> Result<(), StoreError> {
        self.run("DELETE FROM invitation WHERE expires <= ?1", [at.micros()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn tries_run_out_and_invitations_end() {
        let world = World::new();
        world.write(|tx| {
            let row =
                |id, expires| InvitationRow { id: [id; 32], secret: [8; 16], expires: at(expires), tries_left: 2 };
            tx.put_invitation(&row(1, 20))?;
            tx.put_invitation(&row(2, 10))?;
            assert_eq!(tx.invitations()?, [row(2, 10), row(1, 20)]);
            for left in [1, 0, 0] {
                tx.use_invitation_try(&[1; 32])?;
                assert_eq!(tx.invitation(&[1; 32])?.unwrap().tries_left, left);
            }
            tx.end_invitations_before(at(10))?;
            assert_eq!(tx.invitation(&[2; 32])?, None);
            tx.end_invitation(&[1; 32])?;
            assert_eq!(tx.invitations()?, []);
            assert!(!format!("{:?}", row(1, 1)).contains("0808"));
            Ok(())
        });
    }
}
