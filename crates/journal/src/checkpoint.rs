//! Signed checkpoints (C2SP tlog-checkpoint): origin, size and root of a log, signed under the origin's name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use model::Origin;

use crate::note::{self, Cosigned, NoteError, NoteVerifier};
use crate::tree::TreeHash;
use crate::verified::Verified;

/// A log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log.
    pub origin: Origin,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: TreeHash,
}

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not three lines of a checkpoint.
    #[error("this is not a checkpoint: it has an origin, a size and a root, a line each")]
    Shape,
    /// Another log's.
    #[error("this is a checkpoint of `{0}`")]
    Origin(Origin),
    /// The key is no Ed25519 key.
    #[error("the log's key is not an Ed25519 public key")]
    Key,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    /// Reads the text that is signed. Extension lines are allowed by the standard and ignored.
    ///
    /// # Errors
    /// Not a checkpoint, or a number with another spelling than ours.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Shape)?.split('\n');
        let mut line = || lines.next().ok_or(CheckpointError::Shape);
        let origin = line()?.parse().map_err(|_| CheckpointError::Shape)?;
        let digits = line()?;
        let size: u64 = digits.parse().map_err(|_| CheckpointError::Shape)?;
        let root = STANDARD.decode(line()?).map_err(|_| CheckpointError::Shape)?;
        let root = TreeHash::from_slice(&root).ok_or(CheckpointError::Shape)?;
        if size.to_string() != digits {
            return Err(CheckpointError::Shape);
        }
        Ok(Self { origin, size, root })
    }
}

/// A checkpoint as it is served: a signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint(String);

impl SignedCheckpoint {
    /// Takes a note as it came; it is not checked.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }
    /// The note.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Signs a checkpoint under its origin's name.
#[must_use]
pub fn sign(checkpoint: &Checkpoint, key: &SigningKey) -> SignedCheckpoint {
    SignedCheckpoint(note::sign(&checkpoint.text(), &checkpoint.origin.to_string(), key))
}

/// Checks that a note is a checkpoint of `origin`, signed by its key.
///
/// # Errors
/// Another key, another log, or not a checkpoint.
pub fn verify(text: &str, origin: &Origin, key: &VerifyingKey) -> Result<Verified<Checkpoint>, CheckpointError> {
    let verifier = NoteVerifier::new(&origin.to_string(), *key)?;
    let opened = note::open(text, &[verifier])?;
    let checkpoint = Checkpoint::parse(opened.text)?;
    if checkpoint.origin != *origin {
        return Err(CheckpointError::Origin(checkpoint.origin));
    }
    Ok(Verified::new(checkpoint))
}

/// The same, and which of `witnesses` cosigned it. A wrong cosignature of one of them refuses the note.
///
/// # Errors
/// As [`verify`].
pub fn verify_cosigned(
    text: &str,
    origin: &Origin,
    key: &VerifyingKey,
    witnesses: &[NoteVerifier],
) -> Result<(Verified<Checkpoint>, Vec<Cosigned>), CheckpointError> {
    let checkpoint = verify(text, origin, key)?;
    let mut known = vec![NoteVerifier::new(&origin.to_string(), *key)?];
    known.extend_from_slice(witnesses);
    Ok((checkpoint, note::open(text, &known)?.cosigned))
}

/// What a note claims to be, before anything of it is checked: to find out whose key must have signed it.
///
/// # Errors
/// Not the shape of a checkpoint.
pub fn claimed(text: &str) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::parse(note::text_of(text).ok_or(CheckpointError::Shape)?)
}

/// The same as [`verify`], with the key as 32 bytes.
///
/// # Errors
/// As [`verify`], or the bytes are no key.
pub fn verify_with_key(text: &str, origin: &Origin, key: &[u8; 32]) -> Result<Verified<Checkpoint>, CheckpointError> {
    verify(text, origin, &VerifyingKey::from_bytes(key).map_err(|_| CheckpointError::Key)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_verifies_for_its_log_alone() {
        let origin: Origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let other: Origin = "entraide/EE/REAL/0123456789abcdef".parse().unwrap();
        let key = SigningKey::from_bytes(&[1; 32]);
        let checkpoint = Checkpoint { origin: origin.clone(), size: 7, root: TreeHash::new([9; 32]) };
        let signed = sign(&checkpoint, &key);
        assert_eq!(verify(signed.text(), &origin, &key.verifying_key()).unwrap().into_inner(), checkpoint);
        assert!(verify(signed.text(), &other, &key.verifying_key()).is_err());
        assert!(verify(&signed.text().replace("\n7\n", "\n8\n"), &origin, &key.verifying_key()).is_err());
        // Signed under the right name, about another log.
        let lie = note::sign(&checkpoint.text(), &other.to_string(), &key);
        assert_eq!(verify(&lie, &other, &key.verifying_key()), Err(CheckpointError::Origin(origin)));
    }

    #[test]
    fn sizes_have_one_spelling() {
        let root = STANDARD.encode([0; 32]);
        let text = |size: &str| format!("entraide/FR/REAL/0123456789abcdef\n{size}\n{root}\n");
        assert!(Checkpoint::parse(&text("7")).is_ok());
        assert!(Checkpoint::parse(&text("07")).is_err());
        assert!(Checkpoint::parse(&text("+7")).is_err());
        assert!(Checkpoint::parse(text("7").trim_end()).is_err());
    }

    #[test]
    fn another_implementation_reads_our_checkpoints() {
        for (size, root) in [(0, crate::tree::empty_root()), (u64::MAX, TreeHash::new([255; 32]))] {
            let origin: Origin = "entraide/FR/EX-BLUE-26/0123456789abcdef/2".parse().unwrap();
            let ours = Checkpoint { origin, size, root };
            let theirs = tlog_tiles::Checkpoint::from_bytes(ours.text().as_bytes()).unwrap();
            assert_eq!((theirs.origin(), theirs.size()), (ours.origin.to_string().as_str(), size));
            assert_eq!(theirs.hash().0, *root.as_bytes());
            assert_eq!(theirs.to_bytes(), ours.text().into_bytes());
            assert_eq!(Checkpoint::parse(&ours.text()), Ok(ours));
        }
    }
}
