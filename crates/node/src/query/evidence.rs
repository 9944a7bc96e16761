//! Evidence as a file that anybody can check with the log's key.

use journal::checkpoint;
use journal::evidence_file::{EvidenceFile, Histories, TwoStatements};
use journal::proof::{self, ProofFile};
use journal::tree;
use model::Origin;
use store::{EvidenceId, LogId, StoreError};

use crate::identities;
use crate::work::View;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such evidence.
    #[error("not found")]
    NotFound,
    /// It convinces us and nobody else.
    #[error("this evidence proves nothing to others: it is not two signed things that cannot both be true")]
    OursAlone,
}

/// The file of one piece of evidence, checked as whoever gets it will.
///
/// # Errors
/// See [`EvidenceError`].
pub fn file(view: &View<'_, '_>, id: EvidenceId) -> Result<EvidenceFile, EvidenceError> {
    let row = view.db.evidence_by_id(id)?.ok_or(EvidenceError::NotFound)?;
    let keys = if row.log == view.me.log {
        identities::own_log_keys(view.me)?
    } else {
        let partner = view.db.partner(row.log)?.ok_or(EvidenceError::NotFound)?;
        identities::log_keys(view.db, &partner)?
    };
    let origin = view.db.origin(row.log)?;
    let (Some(ours), Some(theirs)) = (row.ours, row.theirs) else { return Err(EvidenceError::OursAlone) };
    let file = if proof::is_proof(&ours) {
        statements(&ours, &theirs).ok_or(EvidenceError::OursAlone)?
    } else {
        histories(view, row.log, origin.clone(), ours, theirs)?
    };
    let keys = keys.verifiers(&origin).map_err(|_| EvidenceError::OursAlone)?;
    if *file.origin() == origin && file.verify(&keys).is_ok() { Ok(file) } else { Err(EvidenceError::OursAlone) }
}

/// Two statements in one place, as they were kept.
fn statements(ours: &str, theirs: &str) -> Option<EvidenceFile> {
    let (ours, theirs) = (ProofFile::read(ours).ok()?, ProofFile::read(theirs).ok()?);
    TwoStatements::new(ours, theirs).map(EvidenceFile::Statements)
}

/// Two checkpoints, and the proof that the smaller is not of the beginning of the larger.
fn histories(
    view: &View<'_, '_>,
    log: LogId,
    origin: Origin,
    ours: String,
    theirs: String,
) -> Result<EvidenceFile, EvidenceError> {
    let read = |note: &str| checkpoint::claimed(note).map_err(|_| EvidenceError::OursAlone);
    let (large, small) = (read(&ours)?, read(&theirs)?);
    let held = view.db.tree(log)?.size;
    if small.size == 0 || small.size > large.size || large.size > held {
        return Err(EvidenceError::OursAlone);
    }
    let tiles = view.db.tiles(log);
    let broken = |error: tree::ProofError<StoreError>| StoreError::Corrupt { what: format!("{origin}: {error}") };
    let root = tree::root_at(&tiles, small.size).map_err(broken)?;
    let proof = tree::consistency_proof(&tiles, small.size, large.size).map_err(broken)?;
    Ok(EvidenceFile::Histories(Histories { origin, root, proof, ours, theirs }))
}
