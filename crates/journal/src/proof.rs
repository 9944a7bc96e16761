//! Proof files (C2SP tlog-proof): one statement, its way to the root, and the signed checkpoint, in one text that
//! verifies without any node.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64: origin, opening>
//! index <decimal>
//! <base64 hash>…
//!
//! <checkpoint, a signed note>
//! ```

mod words;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{BodyCommitment, Commitment, Index, OpenBody, Opening, Origin};

use crate::checkpoint::{self, Checkpoint, CheckpointError};
use crate::commitment::{self, CommitmentError};
use crate::limits;
use crate::note::{Algorithm, Cosigned, NoteVerifier};
use crate::tree::{self, ProofError, TreeHash};
use crate::verified::Verified;
pub use words::Words;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The version of what `extra` holds.
const EXTRA_VERSION: u8 = 1;

/// Does a text claim to be a proof file? What it is then is said by [`ProofFile::read`].
#[must_use]
pub fn is_proof(text: &str) -> bool {
    text.strip_prefix(HEADER).is_some_and(|rest| rest.starts_with('\n'))
}

/// What the `extra` line carries: whose log, and what opens the entry. A sealed proof leaves the body out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Whose log.
    pub origin: Origin,
    /// The opening; its index is that of the proof.
    pub opening: Opening,
}

/// A proof file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// What opens the entry.
    pub extra: Extra,
    /// Where it stands.
    pub index: Index,
    /// The way to the root.
    pub hashes: Vec<TreeHash>,
    /// The checkpoint, as a note.
    pub checkpoint: String,
}

/// Why a proof file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// Too large.
    #[error("the proof is larger than {} bytes", limits::PROOF_BYTES)]
    Size,
    /// Not the shape of a proof.
    #[error("this is not a proof file: {0}")]
    Shape(&'static str),
    /// No key of the log among those given.
    #[error("no key of `{0}` is among the keys: get it from that nation, not from this file")]
    NoKey(Origin),
    /// Signed with a key of before.
    #[error("the checkpoint is signed with a key that was replaced before the log had so many entries")]
    Replaced,
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The body.
    #[error(transparent)]
    Commitment(#[from] CommitmentError),
    /// The way to the root.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// What a proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenStatement {
    /// The log as it was signed.
    pub checkpoint: Checkpoint,
    /// What stands there.
    pub commitment: Commitment,
    /// What opens it.
    pub opening: Opening,
    /// The known witnesses that cosigned the checkpoint: the statement existed no later than the earliest of them says.
    pub cosigned: Vec<Cosigned>,
}

impl ProofFile {
    /// The file's text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = format!("{HEADER}\nextra {}\nindex {}\n", STANDARD.encode(encode(&self.extra)), self.index);
        for hash in &self.hashes {
            out.push_str(&STANDARD.encode(hash.as_bytes()));
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.checkpoint);
        out
    }

    /// Reads a file; nothing is checked but its shape.
    ///
    /// # Errors
    /// Too large, or another shape.
    pub fn read(text: &str) -> Result<Self, ProofFileError> {
        if text.len() > limits::PROOF_BYTES {
            return Err(ProofFileError::Size);
        }
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(ProofFileError::Shape("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(ProofFileError::Shape("its first line is not c2sp.org/tlog-proof@v1"));
        }
        let mut line = |prefix: &str, wrong| {
            lines.next().and_then(|line| line.strip_prefix(prefix)).ok_or(ProofFileError::Shape(wrong))
        };
        // The standard lets `extra` out; without an opening, a file of ours would prove nothing that can be read.
        let extra = line("extra ", "its second line does not begin with `extra`")?;
        let index = line("index ", "its third line does not begin with `index`")?;
        let number: u64 = index.parse().map_err(|_| ProofFileError::Shape("the index is not a number"))?;
        if number.to_string() != index {
            return Err(ProofFileError::Shape("the index is not a number"));
        }
        let mut hashes = Vec::new();
        for line in lines {
            let bytes = STANDARD.decode(line).map_err(|_| ProofFileError::Shape("a hash is not base64"))?;
            hashes.push(TreeHash::from_slice(&bytes).ok_or(ProofFileError::Shape("a hash has not 32 bytes"))?);
            if hashes.len() > limits::PROOF_HASHES {
                return Err(ProofFileError::Shape("too many hashes"));
            }
        }
        let extra = STANDARD.decode(extra).map_err(|_| ProofFileError::Shape("`extra` is not base64"))?;
        let index = Index(number);
        let extra = decode(&extra, index).ok_or(ProofFileError::Shape("`extra` does not hold an opening"))?;
        Ok(Self { extra, index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Checks everything with the keys that the reader trusts: the body, the entry, the way to the root, the signature.
    ///
    /// # Errors
    /// The first that does not hold, in words.
    pub fn verify(&self, keys: &[NoteVerifier]) -> Result<Verified<ProvenStatement>, ProofFileError> {
        // What is handed back as verified names its place: it must be the place that is proved.
        if self.extra.opening.index != self.index {
            return Err(ProofFileError::Shape("its opening is of another index"));
        }
        let origin = &self.extra.origin;
        let name = origin.to_string();
        let mut last = ProofFileError::NoKey(origin.clone());
        let (logs, witnesses): (Vec<_>, Vec<_>) =
            keys.iter().cloned().partition(|key| key.algorithm() == Algorithm::Ed25519);
        for key in logs.iter().filter(|key| key.name() == name) {
            match checkpoint::verify_cosigned(&self.checkpoint, origin, key.key(), &witnesses) {
                Err(error) => last = error.into(),
                // What a replaced key signed of entries that it had nothing to do with is not the log's word.
                Ok((signed, _)) if !key.reaches(signed.size) => last = ProofFileError::Replaced,
                Ok((signed, cosigned)) => {
                    let commitment = commitment::of_opening(origin, &self.extra.opening)?;
                    tree::verify_inclusion(&commitment, self.index.0, signed.size, &self.hashes, &signed.root)?;
                    let opening = self.extra.opening.clone();
                    let checkpoint = signed.into_inner();
                    return Ok(Verified::new(ProvenStatement { checkpoint, commitment, opening, cosigned }));
                }
            }
        }
        Err(last)
    }
}

/// `version u8 ‖ len16‖origin ‖ salt_e 32 ‖ len16‖envelope ‖ body_c 32 ‖ [salt_b 32 ‖ body]`, big-endian.
fn encode(extra: &Extra) -> Vec<u8> {
    let mut out = vec![EXTRA_VERSION];
    let origin = extra.origin.to_string();
    let mut put = |bytes: &[u8]| {
        out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    put(origin.as_bytes());
    put(&extra.opening.envelope);
    out.extend_from_slice(&extra.opening.entry_salt);
    out.extend_from_slice(extra.opening.body_commitment.as_bytes());
    if let Some(body) = &extra.opening.body {
        out.extend_from_slice(&body.salt);
        out.extend_from_slice(&body.bytes);
    }
    out
}

fn decode(bytes: &[u8], index: Index) -> Option<Extra> {
    let (version, rest) = bytes.split_first()?;
    if *version != EXTRA_VERSION {
        return None;
    }
    let mut rest = rest;
    let mut take = |length: usize| {
        let (head, tail) = rest.split_at_checked(length)?;
        rest = tail;
        Some(head)
    };
    let length = usize::from(u16::from_be_bytes(take(2)?.try_into().ok()?));
    let origin = std::str::from_utf8(take(length)?).ok()?.parse().ok()?;
    let length = usize::from(u16::from_be_bytes(take(2)?.try_into().ok()?));
    let envelope = take(length)?.to_vec();
    let entry_salt = take(32)?.try_into().ok()?;
    let body_commitment = BodyCommitment::from_slice(take(32)?)?;
    let body = match rest.split_at_checked(32) {
        Some((salt, bytes)) => Some(OpenBody { salt: salt.try_into().ok()?, bytes: bytes.to_vec() }),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Extra { origin, opening: Opening { index, entry_salt, envelope, body_commitment, body } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Frontier;
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    fn example(sealed: bool) -> (ProofFile, NoteVerifier) {
        let origin: Origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let key = SigningKey::from_bytes(&[5; 32]);
        let bytes = br#"{"type":"indicator"}"#.to_vec();
        let opening = Opening {
            index: Index(0),
            entry_salt: [1; 32],
            envelope: vec![9; 20],
            body_commitment: commitment::body_commitment(&[2; 32], &bytes),
            body: (!sealed).then_some(OpenBody { salt: [2; 32], bytes }),
        };
        let entry = commitment::of_opening(&origin, &opening).unwrap();
        let other = Commitment::new([3; 32]);
        let mut frontier = Frontier::default();
        frontier.extend(&[entry, other]);
        let signed = checkpoint::sign(&Checkpoint { origin: origin.clone(), size: 2, root: frontier.root() }, &key);
        let verifier = NoteVerifier::new(&origin.to_string(), key.verifying_key()).unwrap();
        let file = ProofFile {
            extra: Extra { origin, opening },
            index: Index(0),
            hashes: vec![tree::leaf_hash(&other)],
            checkpoint: signed.text().to_owned(),
        };
        (file, verifier)
    }

    #[test]
    fn a_proof_stands_alone_open_or_sealed() {
        for sealed in [false, true] {
            let (file, key) = example(sealed);
            let read = ProofFile::read(&file.write()).unwrap();
            assert_eq!(read, file);
            assert_eq!(read.verify(&[key]).unwrap().opening.body.is_none(), sealed);
            assert!(matches!(read.verify(&[]), Err(ProofFileError::NoKey(_))));
        }
    }

    #[test]
    fn what_does_not_hold_is_said() {
        let (file, key) = example(false);
        let keys = [key];
        let check = |change: &dyn Fn(&mut ProofFile), expect: &dyn Fn(&ProofFileError) -> bool| {
            let mut file = file.clone();
            change(&mut file);
            let error = file.verify(&keys).unwrap_err();
            assert!(expect(&error), "{error:?}");
        };
        let wrong = |error: &ProofFileError| matches!(error, ProofFileError::Proof(ProofError::Wrong));
        check(&|file| file.extra.opening.entry_salt = [9; 32], &wrong);
        check(&|file| file.extra.opening.envelope.push(0), &wrong);
        check(&|file| file.hashes.clear(), &wrong);
        check(&|file| file.extra.opening.body.as_mut().unwrap().bytes.push(b' '), &|error| {
            matches!(error, ProofFileError::Commitment(_))
        });
        // The right statement at a wrong place, said at one of the two places where a file has it, or at both.
        check(&|file| file.extra.opening.index = Index(1), &|error| matches!(error, ProofFileError::Shape(_)));
        check(&|file| file.index = Index(1), &|error| matches!(error, ProofFileError::Shape(_)));
        let at = |file: &mut ProofFile, index| (file.index, file.extra.opening.index) = (index, index);
        check(&|file| at(file, Index(1)), &wrong);
        check(&|file| at(file, Index(2)), &|error| {
            matches!(error, ProofFileError::Proof(ProofError::Range { index: 2, size: 2 }))
        });
        check(&|file| file.checkpoint = file.checkpoint.replace("\n2\n", "\n3\n"), &|error| {
            matches!(error, ProofFileError::Checkpoint(_))
        });
        check(&|file| file.extra.origin = "entraide/EE/REAL/0123456789abcdef".parse().unwrap(), &|error| {
            matches!(error, ProofFileError::NoKey(_))
        });
    }

    #[test]
    fn a_key_that_was_replaced_proves_up_to_its_size_alone() {
        let (file, key) = example(false);
        let check = |until: u64, good: bool| {
            let bound = crate::note::Bound { until, stolen: false };
            let outcome = file.verify(&[key.clone().bounded(bound)]).map(Verified::into_inner);
            assert_eq!(outcome.is_ok(), good, "{outcome:?}");
            assert!(good || matches!(outcome, Err(ProofFileError::Replaced)), "{outcome:?}");
        };
        check(2, true);
        check(1, false);
    }

    #[test]
    fn files_of_another_shape_are_refused() {
        let text = example(false).0.write();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra "));
        let check = |text: &str, expect: &'static str| {
            assert_eq!(ProofFile::read(text), Err(ProofFileError::Shape(expect)), "{text}");
        };
        let extra = text.lines().nth(1).unwrap();
        check(&text.replace("@v1", "@v2"), "its first line is not c2sp.org/tlog-proof@v1");
        check(&text.replace(&format!("{extra}\n"), ""), "its second line does not begin with `extra`");
        check(&text.replace("\nindex 0\n", "\n"), "its third line does not begin with `index`");
        check(&text.replace("\nindex 0\n", "\nindex 00\n"), "the index is not a number");
        check(&text.replace("\nindex 0\n", "\nindex +0\n"), "the index is not a number");
        check(&text.replace("\nindex 0\n", "\nindex 0\nAAAA\n"), "a hash has not 32 bytes");
        check(&text.replace("\nindex 0\n", "\nindex 0\n-\n"), "a hash is not base64");
        let hashes = format!("\nindex 0\n{}", format!("{}\n", STANDARD.encode([0; 32])).repeat(limits::PROOF_HASHES));
        check(&text.replace("\nindex 0\n", &hashes), "too many hashes");
        check(&text.replace(extra, "extra AAAA"), "`extra` does not hold an opening");
        check(&text.replace("\n\n", "\n"), "no empty line before the checkpoint");
        assert_eq!(ProofFile::read(&"a".repeat(limits::PROOF_BYTES + 1)), Err(ProofFileError::Size));
    }

    proptest! {
        #[test]
        fn a_changed_letter_never_proves_something_else(at in any::<prop::sample::Index>(), to in 32..127_u8) {
            let (file, key) = example(false);
            let mut text = file.write().into_bytes();
            let at = at.index(text.len());
            text[at] = to;
            let Ok(text) = String::from_utf8(text) else { return Ok(()) };
            if let Ok(read) = ProofFile::read(&text)
                && let Ok(proven) = read.verify(std::slice::from_ref(&key))
            {
                let honest = file.verify(&[key]).unwrap();
                prop_assert_eq!(&proven.opening, &honest.opening);
                prop_assert_eq!(&proven.checkpoint, &honest.checkpoint);
            }
        }

        #[test]
        fn rubbish_is_refused_without_panic(text in "\\PC{0,300}") {
            prop_assert!(ProofFile::read(&text).is_err());
            let with_head = format!("{HEADER}\nextra {text}\nindex 0\n\n{text}");
            let _ = ProofFile::read(&with_head).map(|read| read.verify(&[]).is_err());
        }
    }
}
