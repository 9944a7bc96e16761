//! Evidence against partners: what did not verify, kept for people on both sides.

use model::Timestamp;
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{EvidenceId, LogId};

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRow {
    /// The order in which it was kept.
    pub id: EvidenceId,
    /// Against whom.
    pub log: LogId,
    /// When it was found.
    pub at: Timestamp,
    /// What it shows, as `journal::sync` words it.
    pub kind: String,
    /// The same for people.
    pub summary: String,
    /// The checkpoint that we hold.
    pub ours: Option<String>,
    /// The checkpoint that was shown to us.
    pub theirs: Option<String>,
    /// An excerpt of what was sent.
    pub bytes: Vec<u8>,
}

fn evidence_row(row: &Row<'_>) -> Result<EvidenceRow, StoreError> {
    Ok(EvidenceRow {
        id: row.get(0)?,
        log: row.get(1)?,
        at: columns::time(row, 2)?,
        kind: row.get(3)?,
        summary: row.get(4)?,
        ours: row.get(5)?,
        theirs: row.get(6)?,
        bytes: row.get(7)?,
    })
}

impl Db<'_> {
    /// The newest evidence, against one log or all.
    ///
    /// # Errors
    /// The database.
    pub fn evidence(&self, log: Option<LogId>, limit: usize) -> Result<Vec<EvidenceRow>, StoreError> {
        self.all(
            "SELECT id, log, at, kind, summary, ours, theirs, bytes FROM evidence
             WHERE ?1 IS NULL OR log = ?1 ORDER BY id DESC LIMIT ?2",
            params![log, columns::limit(limit)],
            evidence_row,
        )
    }
}

impl Db<'_> {
    /// One piece of evidence.
    ///
    /// # Errors
    /// The database.
    pub fn evidence_by_id(&self, id: EvidenceId) -> Result<Option<EvidenceRow>, StoreError> {
        self.one(
            "SELECT id, log, at, kind, summary, ours, theirs, bytes FROM evidence WHERE id = ?1",
            [id],
            evidence_row,
        )
    }
}

impl Tx<'_> {
    /// Keeps evidence: the two checkpoints that disagree, if it is about them, and an excerpt of what was sent.
    ///
    /// # Errors
    /// The database.
    #[expect(clippy::too_many_arguments, reason = "the columns of one row, each written in one place")]
    pub fn put_evidence(
        &self,
        log: LogId,
        at: Timestamp,
        kind: &str,
        summary: &str,
        ours: Option<&str>,
        theirs: Option<&str>,
        bytes: &[u8],
    ) -> Result<EvidenceId, StoreError> {
        let id = self.insert(
            "INSERT INTO evidence (log, at, kind, summary, ours, theirs, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![log, at.micros(), kind, summary, ours, theirs, bytes],
        )?;
        Ok(EvidenceId(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    #[test]
    fn evidence_is_kept_and_read_newest_first() {
        let world = World::new();
        world.write(|tx| {
            tx.put_evidence(LogId(2), at(0), "fork", "two roots", Some("ours"), Some("theirs"), b"page")?;
            tx.put_evidence(LogId(3), at(1), "signature", "not signed", None, None, b"")?;
            Ok(())
        });
        world.read(|db| {
            let kinds = |log| -> Result<Vec<String>, StoreError> {
                Ok(db.evidence(log, 10)?.into_iter().map(|row| row.kind).collect())
            };
            assert_eq!(kinds(None)?, ["signature", "fork"]);
            assert_eq!(kinds(Some(LogId(2)))?, ["fork"]);
            let row = db.evidence(Some(LogId(2)), 1)?.remove(0);
            assert_eq!(db.evidence_by_id(row.id)?, Some(row.clone()));
            assert_eq!(db.evidence_by_id(EvidenceId(99))?, None);
            assert_eq!((row.ours.as_deref(), row.bytes.as_slice()), (Some("ours"), b"page".as_slice()));
            Ok(())
        });
    }
}
