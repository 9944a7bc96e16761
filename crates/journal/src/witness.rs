//! What a witness cosigns (C2SP tlog-witness, "add-checkpoint"): a checkpoint that extends the one it cosigned last.
//!
//! ```text
//! old <size>
//! <base64 hash>…
//!
//! <checkpoint, a signed note>
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Origin;

use crate::checkpoint::Checkpoint;
use crate::limits;
use crate::log_keys::LogKeys;
use crate::tree::{self, TreeHash};
use crate::verified::Verified;

/// Largest request, bytes: the longest proof and the largest note.
pub const MAX_REQUEST_BYTES: usize = limits::NOTE_BYTES + limits::PROOF_HASHES * 64 + 64;
/// Most hashes of a consistency proof (C2SP tlog-witness: "MUST NOT exceed 63").
const MAX_HASHES: usize = 63;

/// What a log asks of a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness cosigned last, as far as the log knows.
    pub old: u64,
    /// Shows that the tree of `old` entries is the beginning of the checkpoint's; empty from nothing.
    pub proof: Vec<TreeHash>,
    /// The checkpoint, as its log signed it.
    pub checkpoint: String,
}

/// Why nothing is cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// Not a request of the protocol.
    #[error("this is not a request to cosign: {0}")]
    Shape(&'static str),
    /// The log's key did not sign the checkpoint.
    #[error("the log's key did not sign this checkpoint")]
    Unsigned,
    /// The witness is elsewhere: go on from there.
    #[error("the last size that was cosigned is {size}")]
    Size {
        /// What the witness cosigned last.
        size: u64,
    },
    /// Signed at a size that was cosigned with another root: two histories of one log.
    #[error("the log signed two roots for {size} entries")]
    Forked {
        /// The size.
        size: u64,
    },
    /// The proof does not lead from the old tree to the new one.
    #[error("the proof does not show that {old} entries are the beginning of {new}")]
    Inconsistent {
        /// What was cosigned last.
        old: u64,
        /// What was to be cosigned.
        new: u64,
    },
}

impl AddCheckpoint {
    /// The request's text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = format!("old {}\n", self.old);
        for hash in &self.proof {
            out.push_str(&STANDARD.encode(hash.as_bytes()));
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.checkpoint);
        out
    }

    /// Reads a request; nothing is checked but its shape.
    ///
    /// # Errors
    /// [`WitnessError::Shape`].
    pub fn read(text: &str) -> Result<Self, WitnessError> {
        if text.len() > MAX_REQUEST_BYTES {
            return Err(WitnessError::Shape("it is too large"));
        }
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(WitnessError::Shape("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let digits = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .ok_or(WitnessError::Shape("its first line is not `old` and a size"))?;
        let old: u64 = digits.parse().map_err(|_| WitnessError::Shape("the old size is not a number"))?;
        if old.to_string() != digits {
            return Err(WitnessError::Shape("the old size is not a number"));
        }
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() >= MAX_HASHES {
                return Err(WitnessError::Shape("too many hashes"));
            }
            let bytes = STANDARD.decode(line).map_err(|_| WitnessError::Shape("a hash is not base64"))?;
            proof.push(TreeHash::from_slice(&bytes).ok_or(WitnessError::Shape("a hash has not 32 bytes"))?);
        }
        Ok(Self { old, proof, checkpoint: checkpoint.to_owned() })
    }

    /// May this be cosigned, after `last` (size and root that were cosigned last; size 0 before the first)?
    /// In the order of the standard: signature, sizes, then consistency.
    ///
    /// # Errors
    /// See [`WitnessError`].
    pub fn check(
        &self,
        origin: &Origin,
        keys: &LogKeys,
        last: (u64, TreeHash),
    ) -> Result<Verified<Checkpoint>, WitnessError> {
        let signed = keys.verify(&self.checkpoint, origin).map_err(|_| WitnessError::Unsigned)?;
        let (size, root) = last;
        if signed.size == size && size > 0 && signed.root != root {
            return Err(WitnessError::Forked { size });
        }
        if self.old > signed.size {
            return Err(WitnessError::Shape("the old size is larger than the checkpoint's"));
        }
        if self.old != size {
            return Err(WitnessError::Size { size });
        }
        let holds = if size == 0 {
            self.proof.is_empty()
        } else {
            tree::verify_consistency(size, &root, signed.size, &signed.root, &self.proof).is_ok()
        };
        if holds { Ok(signed) } else { Err(WitnessError::Inconsistent { old: size, new: signed.size }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint;
    use crate::note::{self, NoteVerifier};
    use crate::tree::{Frontier, empty_root};
    use ed25519_dalek::SigningKey;
    use model::Commitment;
    use proptest::prelude::*;

    struct Log(Vec<Commitment>);

    impl tree::Tiles for Log {
        type Error = std::convert::Infallible;
        fn leaves(&self, tile: u64, width: usize) -> Result<Vec<Commitment>, Self::Error> {
            let first = usize::try_from(tile).unwrap() * tree::TILE;
            Ok(self.0[first.min(self.0.len())..self.0.len().min(first + width)].to_vec())
        }
        fn roots(&self, _: u8, _: u64, _: usize) -> Result<Vec<TreeHash>, Self::Error> {
            Ok(Vec::new())
        }
    }

    fn origin() -> Origin {
        "entraide/FR/REAL/0123456789abcdef".parse().unwrap()
    }
    fn key() -> SigningKey {
        SigningKey::from_bytes(&[5; 32])
    }
    fn log(size: u64, twist: u8) -> Log {
        Log((0..size).map(|n| Commitment::new([u8::try_from(n % 200).unwrap() ^ twist; 32])).collect())
    }
    fn root(log: &Log, size: u64) -> TreeHash {
        let mut frontier = Frontier::default();
        frontier.extend(&log.0[..usize::try_from(size).unwrap()]);
        frontier.root()
    }
    fn ask(log: &Log, old: u64, size: u64) -> AddCheckpoint {
        let signed = checkpoint::sign(&Checkpoint { origin: origin(), size, root: root(log, size) }, &key());
        let proof = if old == 0 { Vec::new() } else { tree::consistency_proof(log, old, size).unwrap() };
        AddCheckpoint { old, proof, checkpoint: signed.text().to_owned() }
    }

    #[test]
    fn only_what_extends_the_last_is_cosigned() {
        let honest = log(20, 0);
        let verifier = LogKeys::only(key().verifying_key());
        let check = |request: &AddCheckpoint, last: u64| {
            request.check(&origin(), &verifier, (last, root(&honest, last))).map(|good| good.size)
        };
        assert_eq!(check(&ask(&honest, 0, 7), 0), Ok(7));
        assert_eq!(check(&ask(&honest, 7, 20), 7), Ok(20));
        assert_eq!(check(&ask(&honest, 20, 20), 20), Ok(20), "the same again is no news and no lie");
        assert_eq!(check(&ask(&honest, 5, 20), 7), Err(WitnessError::Size { size: 7 }));
        assert_eq!(check(&ask(&honest, 0, 20), 7), Err(WitnessError::Size { size: 7 }));
        assert_eq!(check(&ask(&honest, 7, 9), 20), Err(WitnessError::Size { size: 20 }), "never backwards");
        let other = log(20, 1);
        assert_eq!(check(&ask(&other, 7, 20), 7), Err(WitnessError::Inconsistent { old: 7, new: 20 }));
        assert_eq!(check(&ask(&other, 7, 7), 7), Err(WitnessError::Forked { size: 7 }));
        let mut padded = ask(&honest, 0, 7);
        padded.proof.push(empty_root());
        assert_eq!(check(&padded, 0), Err(WitnessError::Inconsistent { old: 0, new: 7 }));
        let mut larger = ask(&honest, 7, 9);
        larger.old = 10;
        assert!(matches!(check(&larger, 10), Err(WitnessError::Shape(_))));
        let stranger = LogKeys::only(SigningKey::from_bytes(&[6; 32]).verifying_key());
        let refused = ask(&honest, 0, 7).check(&origin(), &stranger, (0, empty_root()));
        assert_eq!(refused.unwrap_err(), WitnessError::Unsigned);
    }

    #[test]
    fn a_cosignature_holds_for_its_text_time_and_witness_alone() {
        let note = ask(&log(9, 0), 0, 9).checkpoint;
        let witness = SigningKey::from_bytes(&[9; 32]);
        let name = "entraide/EE/REAL/fedcba9876543210";
        let text = note::text_of(&note).unwrap();
        let line = note::cosign(text, name, 1_790_000_000, &witness);
        let known = NoteVerifier::witness(name, witness.verifying_key()).unwrap();
        assert_eq!(known.to_string().parse::<NoteVerifier>().unwrap(), known);
        let verify = |note: &str, known: &[NoteVerifier]| {
            checkpoint::verify_cosigned(note, &origin(), &key().verifying_key(), known).map(|(_, by)| by)
        };
        let cosigned = format!("{note}{line}");
        let by = verify(&cosigned, std::slice::from_ref(&known)).unwrap();
        assert_eq!(by, [note::Cosigned { witness: name.to_owned(), seconds: 1_790_000_000 }]);
        assert_eq!(verify(&cosigned, &[]).unwrap(), [], "a witness that nobody believes counts for nothing");
        let as_log = NoteVerifier::new(name, witness.verifying_key()).unwrap();
        assert_eq!(verify(&cosigned, &[as_log]).unwrap(), [], "a cosignature is no signature of a log");
        let other = ask(&log(10, 0), 0, 10).checkpoint;
        assert!(verify(&format!("{other}{line}"), std::slice::from_ref(&known)).is_err());
        // The form of the standard: key id, eight bytes of time, 64 of signature.
        let bytes = STANDARD.decode(line.trim_end().rsplit(' ').next().unwrap()).unwrap();
        assert_eq!((bytes.len(), &bytes[4..12]), (76, 1_790_000_000_u64.to_be_bytes().as_slice()));
        let mut later = bytes.clone();
        later[11] ^= 1;
        let forged = format!("{note}— {name} {}\n", STANDARD.encode(later));
        assert!(verify(&forged, &[known]).is_err(), "the time is signed");
    }

    #[test]
    fn requests_of_another_shape_are_refused() {
        let good = ask(&log(20, 0), 7, 20).write();
        let check = |text: &str, expect: &'static str| {
            assert_eq!(AddCheckpoint::read(text), Err(WitnessError::Shape(expect)), "{text}");
        };
        check(&good.replacen("old 7", "old +7", 1), "the old size is not a number");
        check(&good.replacen("old 7", "old 07", 1), "the old size is not a number");
        check(&good.replacen("old 7", "new 7", 1), "its first line is not `old` and a size");
        check(&good.replacen("old 7\n", "old 7\n-\n", 1), "a hash is not base64");
        check(&good.replacen("old 7\n", "old 7\nAAAA\n", 1), "a hash has not 32 bytes");
        let many = format!("old 7\n{}", format!("{}\n", STANDARD.encode([0; 32])).repeat(64));
        check(&good.replacen("old 7\n", &many, 1), "too many hashes");
        check("old 7\n", "no empty line before the checkpoint");
        check(&"a".repeat(MAX_REQUEST_BYTES + 1), "it is too large");
    }

    proptest! {
        #[test]
        fn any_step_forward_is_cosigned_and_requests_read_back(old in 0..60_u64, more in 0..200_u64) {
            let log = log(old + more, 0);
            let request = ask(&log, old, old + more);
            prop_assert_eq!(AddCheckpoint::read(&request.write()), Ok(request.clone()));
            let last = (old, root(&log, old));
            let size = request.check(&origin(), &LogKeys::only(key().verifying_key()), last).map(|good| good.size);
            prop_assert_eq!(size, Ok(old + more));
        }

        #[test]
        fn rubbish_is_refused_without_panic(text in "\\PC{0,200}") {
            prop_assert!(AddCheckpoint::read(&text).is_err());
            let _ = AddCheckpoint::read(&format!("old 1\n{text}\n\n{text}"));
        }
    }
}
