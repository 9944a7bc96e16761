//! A statement opened: everything that turns 32 committed bytes back into words.

use crate::ids::Index;

crate::hex_newtype!(
    /// `SHA-256("entraide/body/v1" ‖ salt_b ‖ body)`: outlives the body, so that an envelope verifies after a purge.
    BodyCommitment,
    32
);

/// A body with the salt that hides it in its commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenBody {
    /// 32 random bytes.
    pub salt: [u8; 32],
    /// The bytes as they came, never re-serialised.
    pub bytes: Vec<u8>,
}

/// What opens one entry of a log. Without `body`, the statement was withdrawn or erased and its envelope still verifies.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// Where in the log.
    pub index: Index,
    /// 32 random bytes.
    pub entry_salt: [u8; 32],
    /// The envelope in its binary form.
    pub envelope: Vec<u8>,
    /// The commitment to the body.
    pub body_commitment: BodyCommitment,
    /// The body, if it is still said.
    pub body: Option<OpenBody>,
}

impl std::fmt::Debug for OpenBody {
    // Content never reaches a log by way of a debug print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenBody({} bytes)", self.bytes.len())
    }
}
impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opening({}, {:?})", self.index, self.body)
    }
}
