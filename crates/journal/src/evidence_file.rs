//! Evidence files: what a log signed and cannot both be true, in one text that anybody checks with the log's key.
//!
//! Two histories:
//!
//! ```text
//! entraide/evidence/v1
//! origin <origin>
//! root <base64: root of the first entries of `ours`, as many as `theirs` covers>
//! <base64 hash>…
//! ours <base64 of a signed note>
//! theirs <base64 of a signed note>
//! ```
//!
//! `theirs` covers no more entries than `ours`. The hashes are the consistency proof (RFC 6962 §2.1.2) from that root to
//! the root of `ours`, which the log signed: so the log has said which root its first entries have, and in `theirs` it
//! has signed another.
//!
//! Two statements in one place of an audience's chain, each as a sealed proof file ([`crate::proof`]):
//!
//! ```text
//! entraide/evidence/v1
//! origin <origin>
//! first <base64 of a proof file>
//! second <base64 of a proof file>
//! ```

mod slot;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Origin;

use crate::checkpoint::{self, Checkpoint, CheckpointError};
use crate::limits;
use crate::note::{Algorithm, NoteVerifier};
use crate::proof::{ProofFile, ProofFileError};
use crate::tree::{self, TreeHash};
use crate::verified::Verified;
pub use slot::{OnePlace, TwoStatements};

const HEADER: &str = "entraide/evidence/v1";
/// Largest file, bytes: two of the largest notes, each with the longest proof and the largest envelope, in base64 twice.
pub const MAX_BYTES: usize = (limits::NOTE_BYTES + limits::PROOF_HASHES * 64 + limits::ENVELOPE_BYTES) * 4;

/// What a log signed and cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one file is read, checked and dropped at a time")]
pub enum EvidenceFile {
    /// Two histories.
    Histories(Histories),
    /// Two statements in one place of an audience's chain.
    Statements(TwoStatements),
}

/// What a file proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proven {
    /// The log has signed two histories.
    Histories(TwoHistories),
    /// The log has put two statements into one place.
    Statements(OnePlace),
}

/// Two histories of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histories {
    /// Whose log.
    pub origin: Origin,
    /// The root of as many entries of `ours` as `theirs` covers.
    pub root: TreeHash,
    /// From that root to the root of `ours`; empty if both cover as many.
    pub proof: Vec<TreeHash>,
    /// A signed checkpoint.
    pub ours: String,
    /// Another, which covers no more entries.
    pub theirs: String,
}

/// Why a file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceFileError {
    /// Not the shape of an evidence file.
    #[error("this is not an evidence file: {0}")]
    Shape(&'static str),
    /// No key of the log among those given.
    #[error("no key of `{0}` is among the keys: get it from that nation, not from this file")]
    NoKey(Origin),
    /// One of the checkpoints.
    #[error("the log did not sign this: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// One of the statements.
    #[error(transparent)]
    Proof(#[from] ProofFileError),
    /// Both may be true.
    #[error("it proves nothing: {0}")]
    Nothing(&'static str),
}

/// What is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoHistories {
    /// What the log signed, whose first entries have another root than `theirs`.
    pub ours: Checkpoint,
    /// What it signed too.
    pub theirs: Checkpoint,
}

impl EvidenceFile {
    /// Whose log.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        match self {
            Self::Histories(file) => &file.origin,
            Self::Statements(file) => &file.first.extra.origin,
        }
    }

    /// The file's text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = format!("{HEADER}\norigin {}\n", self.origin());
        match self {
            Self::Histories(file) => file.write(&mut out),
            Self::Statements(file) => {
                for (name, proof) in [("first", &file.first), ("second", &file.second)] {
                    out.push_str(&format!("{name} {}\n", STANDARD.encode(proof.write())));
                }
            }
        }
        out
    }

    /// Reads a file; nothing is checked but its shape.
    ///
    /// # Errors
    /// [`EvidenceFileError::Shape`].
    pub fn read(text: &str) -> Result<Self, EvidenceFileError> {
        let shape = EvidenceFileError::Shape;
        if text.len() > MAX_BYTES {
            return Err(shape("it is too large"));
        }
        let mut lines = text.strip_suffix('\n').ok_or(shape("it has no line feed at the end"))?.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(shape("its first line is not entraide/evidence/v1"));
        }
        let origin = named(lines.next(), "origin", "its second line does not begin with `origin`")?;
        let origin = origin.parse().map_err(|_| shape("its origin is none"))?;
        let rest: Vec<&str> = lines.collect();
        match rest.as_slice() {
            [first, second] if first.starts_with("first ") => {
                let first = unpacked(named(Some(first), "first", "its third line does not begin with `first`")?)?;
                let second = unpacked(named(Some(second), "second", "its fourth line does not begin with `second`")?)?;
                let (first, second) = (ProofFile::read(&first)?, ProofFile::read(&second)?);
                let file = TwoStatements::new(first, second).filter(|file| file.first.extra.origin == origin);
                Ok(Self::Statements(file.ok_or(shape("its proofs are of other logs, or not sealed"))?))
            }
            rest => Ok(Self::Histories(Histories::read(origin, rest)?)),
        }
    }

    /// Checks with the keys that the reader trusts that the log did what no honest log does.
    ///
    /// # Errors
    /// The first thing that does not hold, in words.
    pub fn verify(&self, keys: &[NoteVerifier]) -> Result<Verified<Proven>, EvidenceFileError> {
        Ok(Verified::new(match self {
            Self::Histories(file) => Proven::Histories(file.verify(keys)?.into_inner()),
            Self::Statements(file) => Proven::Statements(file.verify(keys)?.into_inner()),
        }))
    }
}

impl Histories {
    fn write(&self, out: &mut String) {
        out.push_str(&format!("root {}\n", STANDARD.encode(self.root.as_bytes())));
        for hash in &self.proof {
            out.push_str(&STANDARD.encode(hash.as_bytes()));
            out.push('\n');
        }
        for (name, note) in [("ours", &self.ours), ("theirs", &self.theirs)] {
            out.push_str(&format!("{name} {}\n", STANDARD.encode(note)));
        }
    }

    fn read(origin: Origin, lines: &[&str]) -> Result<Self, EvidenceFileError> {
        let shape = EvidenceFileError::Shape;
        let [root, proof @ .., ours, theirs] = lines else { return Err(shape("lines are missing")) };
        let root = hash(named(Some(root), "root", "its third line does not begin with `root`")?)?;
        let theirs = unpacked(named(Some(theirs), "theirs", "its last line does not begin with `theirs`")?)?;
        let ours = unpacked(named(Some(ours), "ours", "its last line but one does not begin with `ours`")?)?;
        if proof.len() > limits::PROOF_HASHES {
            return Err(shape("too many hashes"));
        }
        let proof = proof.iter().copied().map(hash).collect::<Result<_, _>>()?;
        Ok(Self { origin, root, proof, ours, theirs })
    }

    /// Checks with the keys that the reader trusts that the log has signed two histories.
    ///
    /// # Errors
    /// The first thing that does not hold, in words.
    pub fn verify(&self, keys: &[NoteVerifier]) -> Result<Verified<TwoHistories>, EvidenceFileError> {
        let name = self.origin.to_string();
        // Whoever stole a key can sign anything with it: that is no evidence against the log.
        let is_stolen = |key: &NoteVerifier| key.bound().is_some_and(|bound| bound.stolen);
        let own = |key: &&NoteVerifier| key.name() == name && key.algorithm() == Algorithm::Ed25519 && !is_stolen(key);
        let own: Vec<&NoteVerifier> = keys.iter().filter(own).collect();
        let signed = |note: &str| {
            let mut last = EvidenceFileError::NoKey(self.origin.clone());
            for key in &own {
                match checkpoint::verify(note, &self.origin, key.key()).map(Verified::into_inner) {
                    Ok(signed) if key.reaches(signed.size) => return Ok(signed),
                    Ok(_) => last = EvidenceFileError::Nothing("a checkpoint is signed with a key that was replaced"),
                    Err(error) => last = error.into(),
                }
            }
            Err(last)
        };
        let (ours, theirs) = (signed(&self.ours)?, signed(&self.theirs)?);
        if theirs.size == 0 || theirs.size > ours.size {
            return Err(EvidenceFileError::Nothing("the second checkpoint covers more than the first, or nothing"));
        }
        tree::verify_consistency(theirs.size, &self.root, ours.size, &ours.root, &self.proof)
            .map_err(|_| EvidenceFileError::Nothing("the root is not of the beginning of the first checkpoint"))?;
        if self.root == theirs.root {
            return Err(EvidenceFileError::Nothing("the second checkpoint is of the beginning of the first"));
        }
        Ok(Verified::new(TwoHistories { ours, theirs }))
    }
}

/// What stands on a line after its name.
fn named<'a>(line: Option<&'a str>, name: &str, wrong: &'static str) -> Result<&'a str, EvidenceFileError> {
    line.and_then(|line| line.strip_prefix(name)?.strip_prefix(' ')).ok_or(EvidenceFileError::Shape(wrong))
}

/// A text in base64.
fn unpacked(text: &str) -> Result<String, EvidenceFileError> {
    let bytes = STANDARD.decode(text).map_err(|_| EvidenceFileError::Shape("what it holds is not base64"))?;
    String::from_utf8(bytes).map_err(|_| EvidenceFileError::Shape("what it holds is no text"))
}

fn hash(text: &str) -> Result<TreeHash, EvidenceFileError> {
    let bytes = STANDARD.decode(text).map_err(|_| EvidenceFileError::Shape("a hash is not base64"))?;
    TreeHash::from_slice(&bytes).ok_or(EvidenceFileError::Shape("a hash has not 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Frontier;
    use ed25519_dalek::SigningKey;
    use model::Commitment;
    use proptest::prelude::*;

    struct Log(Vec<Commitment>);

    impl tree::Tiles for Log {
        type Error = std::convert::Infallible;
        fn leaves(&self, _: u64, width: usize) -> Result<Vec<Commitment>, Self::Error> {
            Ok(self.0[..self.0.len().min(width)].to_vec())
        }
        fn roots(&self, _: u8, _: u64, _: usize) -> Result<Vec<TreeHash>, Self::Error> {
            Ok(Vec::new())
        }
    }

    fn origin() -> Origin {
        "entraide/MT/REAL/0123456789abcdef".parse().unwrap()
    }
    fn key() -> SigningKey {
        SigningKey::from_bytes(&[5; 32])
    }
    fn keys() -> Vec<NoteVerifier> {
        vec![NoteVerifier::new(&origin().to_string(), key().verifying_key()).unwrap()]
    }
    fn log(size: usize, twist: u8) -> Log {
        Log((0..size).map(|n| Commitment::new([u8::try_from(n).unwrap() ^ twist; 32])).collect())
    }
    fn root(log: &Log, size: usize) -> TreeHash {
        let mut frontier = Frontier::default();
        frontier.extend(&log.0[..size]);
        frontier.root()
    }
    fn signed(log: &Log, size: usize, key: &SigningKey) -> String {
        let checkpoint = Checkpoint { origin: origin(), size: size as u64, root: root(log, size) };
        checkpoint::sign(&checkpoint, key).text().to_owned()
    }
    fn file(ours: (&Log, usize), theirs: (&Log, usize)) -> Histories {
        let (small, large) = (theirs.1 as u64, ours.1 as u64);
        Histories {
            origin: origin(),
            root: root(ours.0, theirs.1.min(ours.1)),
            proof: tree::consistency_proof(ours.0, small.min(large), large).unwrap(),
            ours: signed(ours.0, ours.1, &key()),
            theirs: signed(theirs.0, theirs.1, &key()),
        }
    }

    #[test]
    fn two_histories_are_proved_and_one_is_not() {
        let (one, other) = (log(200, 0), log(200, 1));
        for size in [1, 7, 64, 200] {
            let evidence = file((&one, 200), (&other, size));
            let whole = EvidenceFile::Histories(evidence.clone());
            assert_eq!(EvidenceFile::read(&whole.write()), Ok(whole));
            assert_eq!(evidence.verify(&keys()).unwrap().theirs.size, size as u64);
            let honest = file((&one, 200), (&one, size)).verify(&keys());
            assert!(matches!(honest, Err(EvidenceFileError::Nothing(_))), "{honest:?}");
        }
        let evidence = file((&one, 200), (&other, 7));
        let check = |change: &dyn Fn(&mut Histories)| {
            let mut file = evidence.clone();
            change(&mut file);
            file.verify(&keys()).unwrap_err()
        };
        // A root that is made up, or a checkpoint that somebody else signed, accuses nobody.
        let mine = SigningKey::from_bytes(&[6; 32]);
        assert!(matches!(check(&|file| file.root = TreeHash::new([1; 32])), EvidenceFileError::Nothing(_)));
        assert!(matches!(check(&|file| file.theirs = signed(&other, 7, &mine)), EvidenceFileError::Checkpoint(_)));
        assert!(matches!(
            check(&|file| std::mem::swap(&mut file.ours, &mut file.theirs)),
            EvidenceFileError::Nothing(_)
        ));
        assert_eq!(evidence.verify(&[]).unwrap_err(), EvidenceFileError::NoKey(origin()));
    }

    /// Whoever has the key signs what he likes: that accuses the thief and not the nation.
    #[test]
    fn what_a_stolen_or_replaced_key_signed_accuses_nobody() {
        let (one, other) = (log(200, 0), log(200, 1));
        let evidence = file((&one, 200), (&other, 7));
        let check = |until: u64, stolen: bool, good: bool| {
            let bounded: Vec<NoteVerifier> =
                keys().into_iter().map(|key| key.bounded(crate::note::Bound { until, stolen })).collect();
            assert_eq!(evidence.verify(&bounded).is_ok(), good, "{until} {stolen}");
        };
        check(200, false, true);
        check(199, false, false);
        check(200, true, false);
    }

    proptest! {
        #[test]
        fn honest_checkpoints_are_never_evidence(
            large in 1..200_usize, small in 1..200_usize, root in any::<[u8; 32]>(), hashes in 0..9_usize,
        ) {
            let one = log(200, 0);
            let mut file = file((&one, large.max(small)), (&one, small.min(large)));
            prop_assert!(file.verify(&keys()).is_err());
            file.root = TreeHash::new(root);
            file.proof.truncate(hashes);
            prop_assert!(file.verify(&keys()).is_err());
        }

        #[test]
        fn rubbish_is_refused_without_panic(text in "\\PC{0,200}") {
            prop_assert!(EvidenceFile::read(&text).is_err());
            let with_head = format!("{HEADER}\norigin {}\nroot {text}\n{text}\nours {text}\ntheirs {text}\n", origin());
            let _ = EvidenceFile::read(&with_head).map(|file| file.verify(&keys()).is_err());
        }
    }
}
