//! Evidence as a file that anybody can check with the log's key.

use journal::checkpoint;
use journal::evidence_file::EvidenceFile;
use journal::tree;
use store::{EvidenceId, StoreError};

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
    #[error("this evidence proves nothing to others: it is not two checkpoints, both signed, that cannot both be true")]
    OursAlone,
}

/// The file of one piece of evidence, checked as whoever gets it will.
///
/// # Errors
/// See [`EvidenceError`].
pub fn file(view: &View<'_, '_>, id: EvidenceId) -> Result<EvidenceFile, EvidenceError> {
    let row = view.db.evidence_by_id(id)?.ok_or(EvidenceError::NotFound)?;
    let origin = view.db.origin(row.log)?;
    let (Some(ours), Some(theirs)) = (row.ours, row.theirs) else { return Err(EvidenceError::OursAlone) };
    let read = |note: &str| checkpoint::claimed(note).map_err(|_| EvidenceError::OursAlone);
    let (large, small) = (read(&ours)?, read(&theirs)?);
    let held = view.db.tree(row.log)?.size;
    if small.size == 0 || small.size > large.size || large.size > held {
        return Err(EvidenceError::OursAlone);
    }
    let tiles = view.db.tiles(row.log);
    let broken = |error: tree::ProofError<StoreError>| StoreError::Corrupt { what: format!("{origin}: {error}") };
    let root = tree::root_at(&tiles, small.size).map_err(broken)?;
    let proof = tree::consistency_proof(&tiles, small.size, large.size).map_err(broken)?;
    let keys = if row.log == view.me.log {
        identities::own_log_keys(view.me)?
    } else {
        let partner = view.db.partner(row.log)?.ok_or(EvidenceError::NotFound)?;
        identities::log_keys(view.db, &partner)?
    };
    let file = EvidenceFile { origin: origin.clone(), root, proof, ours, theirs };
    let keys = keys.verifiers(&origin).map_err(|_| EvidenceError::OursAlone)?;
    if file.verify(&keys).is_ok() { Ok(file) } else { Err(EvidenceError::OursAlone) }
}
