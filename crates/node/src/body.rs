//! Bodies at rest: sealed each under its own key, opened through the signer's wrapping key.

use journal::commitment;
use journal::seal;
use model::{Commitment, OpenBody, Opening};
use store::{Db, StatementId, StatementRow, StoreError};

use crate::ports::Signer;

/// The bytes of a statement's body; `None` if it was erased, or never came.
///
/// # Errors
/// The database, or a body that its key no longer opens: a flipped byte is named, never served.
pub fn open(db: &Db<'_>, signer: &dyn Signer, statement: StatementId) -> Result<Option<Vec<u8>>, StoreError> {
    match db.statement(statement)? {
        Some(row) => open_row(db, signer, &row),
        None => Ok(None),
    }
}

/// The same, of a row that was read already.
///
/// # Errors
/// As [`open`].
pub fn open_row(db: &Db<'_>, signer: &dyn Signer, row: &StatementRow) -> Result<Option<Vec<u8>>, StoreError> {
    open_sealed(signer, row, &committed(db, row)?)
}

/// The body of a row whose commitment is computed already.
fn open_sealed(
    signer: &dyn Signer,
    row: &StatementRow,
    commitment: &Commitment,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(sealed) = &row.sealed else { return Ok(None) };
    let broken =
        |error: seal::SealError| StoreError::Corrupt { what: format!("the body of statement {}: {error}", row.index) };
    let key = signer.wrapping_key().unwrap(&sealed.wrapped_key, commitment).map_err(broken)?;
    seal::open_body(&key, commitment, &sealed.ciphertext).map(Some).map_err(broken)
}

/// The opening of a statement as it is served or proved, with its body if `with_body` and if it is still there.
/// It is compared with the log first: whoever served a changed one would be held for a lie that only a disk told.
///
/// # Errors
/// As [`open`], or a row that is not what the log commits to.
pub fn opening(db: &Db<'_>, signer: &dyn Signer, row: &StatementRow, with_body: bool) -> Result<Opening, StoreError> {
    let changed = || StoreError::Corrupt { what: format!("statement {} is not what the log commits to", row.index) };
    let commitment = committed(db, row)?;
    if db.commitment(row.log, row.index)? != Some(commitment) {
        return Err(changed());
    }
    let bytes = if with_body { open_sealed(signer, row, &commitment)? } else { None };
    let body = match (bytes, &row.sealed) {
        (Some(bytes), Some(sealed)) => Some(OpenBody { salt: sealed.salt, bytes }),
        (_, _) => None,
    };
    if body.as_ref().is_some_and(|body| commitment::body_commitment(&body.salt, &body.bytes) != row.body_commitment) {
        return Err(changed());
    }
    Ok(Opening {
        index: row.index,
        entry_salt: row.entry_salt,
        envelope: row.envelope.clone(),
        body_commitment: row.body_commitment,
        body,
    })
}

/// What the log commits to for a row, computed from the row itself: a statement that was changed on disk shows here.
fn committed(db: &Db<'_>, row: &StatementRow) -> Result<Commitment, StoreError> {
    let origin = db.origin(row.log)?;
    Ok(commitment::commitment(&origin, &row.entry_salt, &row.envelope, &row.body_commitment))
}
