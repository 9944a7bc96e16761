//! What a log commits to for one statement: 32 bytes, in two steps, so that a body can be purged and the envelope still
//! verifies (architecture §3). Test vectors: `tests/vectors.json`.
//!
//! ```text
//! body_c = SHA-256("entraide/body/v1" ‖ salt_b[32] ‖ body)
//! entry  = SHA-256("entraide/statement/v1" ‖ len16‖origin ‖ salt_e[32] ‖ len32‖envelope ‖ body_c)      (big-endian)
//! ```

use model::{BodyCommitment, Commitment, Opening, Origin};
use sha2::{Digest, Sha256};

/// An opening does not open what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not the one that the statement commits to")]
pub struct CommitmentError;

/// The commitment to a body.
#[must_use]
pub fn body_commitment(salt: &[u8; 32], body: &[u8]) -> BodyCommitment {
    let hash = Sha256::new().chain_update(b"entraide/body/v1").chain_update(salt).chain_update(body);
    BodyCommitment::new(hash.finalize().into())
}

/// The commitment to a statement: what stands in the log.
#[must_use]
pub fn commitment(origin: &Origin, entry_salt: &[u8; 32], envelope: &[u8], body: &BodyCommitment) -> Commitment {
    let origin = origin.to_string();
    // An origin has at most 90 bytes and an envelope at most 1,024: both lengths fit.
    let hash = Sha256::new()
        .chain_update(b"entraide/statement/v1")
        .chain_update(u16::try_from(origin.len()).unwrap_or(u16::MAX).to_be_bytes())
        .chain_update(origin.as_bytes())
        .chain_update(entry_salt)
        .chain_update(u32::try_from(envelope.len()).unwrap_or(u32::MAX).to_be_bytes())
        .chain_update(envelope)
        .chain_update(body.as_bytes());
    Commitment::new(hash.finalize().into())
}

/// The commitment that an opening opens, after checking its body, if it has one.
///
/// # Errors
/// The body is another one.
pub fn of_opening(origin: &Origin, opening: &Opening) -> Result<Commitment, CommitmentError> {
    if let Some(body) = &opening.body
        && body_commitment(&body.salt, &body.bytes) != opening.body_commitment
    {
        return Err(CommitmentError);
    }
    Ok(commitment(origin, &opening.entry_salt, &opening.envelope, &opening.body_commitment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Index, OpenBody};

    #[test]
    fn an_opening_without_its_body_opens_the_same_entry() {
        let origin: Origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let bytes = b"{}".to_vec();
        let mut opening = Opening {
            index: Index(0),
            entry_salt: [1; 32],
            envelope: vec![1, 2],
            body_commitment: body_commitment(&[2; 32], &bytes),
            body: Some(OpenBody { salt: [2; 32], bytes }),
        };
        let whole = of_opening(&origin, &opening).unwrap();
        let body = opening.body.take();
        assert_eq!(of_opening(&origin, &opening), Ok(whole));
        opening.body = body.map(|body| OpenBody { salt: [3; 32], ..body });
        assert_eq!(of_opening(&origin, &opening), Err(CommitmentError));
        let other: Origin = "entraide/EE/REAL/0123456789abcdef".parse().unwrap();
        opening.body = None;
        assert_ne!(of_opening(&other, &opening), Ok(whole));
    }
}
