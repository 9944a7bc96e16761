//! The second kind of evidence: two statements of one log that stand in one place of an audience's chain.

use model::{AudienceId, Envelope, Index, Lane, Slot};

use super::EvidenceFileError;
use crate::envelope;
use crate::note::NoteVerifier;
use crate::proof::{ProofFile, ProvenStatement};
use crate::verified::Verified;

/// Two statements that exclude each other, each with the proof that it stands in the log. The bodies are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoStatements {
    /// A sealed proof.
    pub first: ProofFile,
    /// Another, of the same log.
    pub second: ProofFile,
}

/// What is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnePlace {
    /// The audience.
    pub audience: AudienceId,
    /// The feed.
    pub lane: Lane,
    /// The place: of both, or of the one that the other says to follow.
    pub sequence: u64,
    /// Where in the log they stand.
    pub entries: [Index; 2],
}

/// One of the two, checked.
struct Placed {
    proven: ProvenStatement,
    envelope: Envelope,
    slot: Slot,
}

impl TwoStatements {
    /// Both proofs, for third parties; `None` unless they are of one log and without bodies.
    #[must_use]
    pub fn new(first: ProofFile, second: ProofFile) -> Option<Self> {
        let sealed = first.extra.opening.body.is_none() && second.extra.opening.body.is_none();
        (sealed && first.extra.origin == second.extra.origin).then_some(Self { first, second })
    }

    /// Checks with the keys that the reader trusts that both stand in the log and exclude each other.
    ///
    /// # Errors
    /// The first thing that does not hold, in words.
    pub fn verify(&self, keys: &[NoteVerifier]) -> Result<Verified<OnePlace>, EvidenceFileError> {
        let (first, second) = (placed(&self.first, keys)?, placed(&self.second, keys)?);
        let place = |one: &Placed| (one.envelope.audience.id, one.envelope.lane);
        if place(&first) != place(&second) {
            return Err(EvidenceFileError::Nothing("the statements are not of one audience and lane"));
        }
        let sequence = if first.slot.sequence == second.slot.sequence {
            (first.proven.commitment != second.proven.commitment).then_some(first.slot.sequence)
        } else {
            contradicts(&first, &second).or_else(|| contradicts(&second, &first))
        };
        let sequence = sequence.ok_or(EvidenceFileError::Nothing("both statements may stand in one chain"))?;
        let (audience, lane) = place(&first);
        let entries = [first.proven.opening.index, second.proven.opening.index];
        Ok(Verified::new(OnePlace { audience, lane, sequence, entries }))
    }
}

/// The place of `before`, if `after` says to follow there and names another statement.
fn contradicts(after: &Placed, before: &Placed) -> Option<u64> {
    let follows = before.slot.sequence.checked_add(1) == Some(after.slot.sequence);
    let named = after.slot.previous?;
    (follows && named != before.proven.commitment).then_some(before.slot.sequence)
}

fn placed(file: &ProofFile, keys: &[NoteVerifier]) -> Result<Placed, EvidenceFileError> {
    let proven = file.verify(keys)?.into_inner();
    let nothing = EvidenceFileError::Nothing;
    let envelope = envelope::decode(&proven.opening.envelope)
        .map_err(|_| nothing("an envelope cannot be read by this version"))?;
    let slot = envelope.slot.ok_or(nothing("a statement stands in no chain"))?;
    Ok(Placed { proven, envelope, slot })
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use model::{
        AudienceAt, Commitment, Label, MediaType, MemberSet, OpenBody, Opening, Origin, Realm, ThreadId, ThreadVersion,
        Tlp,
    };
    use proptest::prelude::*;

    use super::super::EvidenceFile;
    use super::*;
    use crate::checkpoint::{self, Checkpoint};
    use crate::proof::Extra;
    use crate::tree::{self, Frontier};
    use crate::{commitment, envelope};

    fn origin() -> Origin {
        "entraide/MT/REAL/0123456789abcdef".parse().unwrap()
    }
    fn keys() -> Vec<NoteVerifier> {
        let key = SigningKey::from_bytes(&[5; 32]).verifying_key();
        vec![NoteVerifier::new(&origin().to_string(), key).unwrap()]
    }

    /// A statement of a log: audience, lane, place, what it says stands before, and what tells it from others.
    #[derive(Clone, Copy)]
    struct Said(u8, Lane, u64, Option<Commitment>, u8);

    fn opening(index: u64, said: Said) -> Opening {
        let Said(audience, lane, sequence, previous, salt) = said;
        let envelope = envelope::encode(&Envelope {
            realm: Realm::Real,
            lane,
            thread: ThreadId::new([salt; 16]),
            version: ThreadVersion(0),
            previous: None,
            audience: AudienceAt {
                id: AudienceId::new([audience; 16]),
                version: 1,
                members: MemberSet::empty().digest(),
            },
            slot: Some(Slot { sequence, previous }),
            label: Label::from(Tlp::Amber),
            walled: None,
            media: MediaType::Stix,
        });
        let body_commitment = commitment::body_commitment(&[salt; 32], b"{}");
        Opening { index: Index(index), entry_salt: [salt; 32], envelope, body_commitment, body: None }
    }

    fn committed(said: Said) -> Commitment {
        commitment::of_opening(&origin(), &opening(0, said)).unwrap()
    }

    /// A log of two statements, and what proves both.
    fn two(first: Said, second: Said) -> TwoStatements {
        let commitments = [committed(first), committed(second)];
        let mut frontier = Frontier::default();
        frontier.extend(&commitments);
        let key = SigningKey::from_bytes(&[5; 32]);
        let signed = checkpoint::sign(&Checkpoint { origin: origin(), size: 2, root: frontier.root() }, &key);
        let proof = |index: u64, said, other: &Commitment| ProofFile {
            extra: Extra { origin: origin(), opening: opening(index, said) },
            index: Index(index),
            hashes: vec![tree::leaf_hash(other)],
            checkpoint: signed.text().to_owned(),
        };
        TwoStatements::new(proof(0, first, &commitments[1]), proof(1, second, &commitments[0])).unwrap()
    }

    #[test]
    fn two_statements_in_one_place_are_proved_and_a_chain_is_not() {
        let flow = Lane::Workflow;
        let at = |sequence, previous, salt| Said(4, flow, sequence, previous, salt);
        let first = at(0, None, 1);
        let check = |second: Said, expect: Option<u64>| {
            for evidence in [two(first, second), two(second, first)] {
                let told = evidence.verify(&keys()).map(|proven| proven.sequence).ok();
                assert_eq!(told, expect);
                let file = EvidenceFile::Statements(evidence);
                assert_eq!(EvidenceFile::read(&file.write()), Ok(file));
            }
        };
        check(at(0, None, 2), Some(0));
        check(at(1, Some(committed(first)), 2), None);
        check(at(1, Some(Commitment::new([9; 32])), 2), Some(0));
        check(at(2, Some(Commitment::new([9; 32])), 2), None);
        check(Said(5, flow, 0, None, 2), None);
        check(Said(4, Lane::Intelligence, 0, None, 2), None);
    }

    #[test]
    fn what_is_not_proved_accuses_nobody_and_no_body_is_handed_on() {
        let good = two(Said(4, Lane::Workflow, 0, None, 1), Said(4, Lane::Workflow, 0, None, 2));
        assert!(good.verify(&keys()).is_ok());
        let twice = TwoStatements::new(good.first.clone(), good.first.clone()).unwrap();
        assert!(matches!(twice.verify(&keys()), Err(EvidenceFileError::Nothing(_))), "one statement, told twice");
        let mut made_up = good.clone();
        made_up.second.extra.opening.entry_salt = [9; 32];
        assert!(matches!(made_up.verify(&keys()), Err(EvidenceFileError::Proof(_))), "it does not stand in the log");
        assert!(good.verify(&[]).is_err(), "no key");
        let mut open = good.first.clone();
        open.extra.opening.body = Some(OpenBody { salt: [1; 32], bytes: b"{}".to_vec() });
        assert_eq!(TwoStatements::new(open, good.second.clone()), None);
        let mut other = good.second.clone();
        other.extra.origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        assert_eq!(TwoStatements::new(good.first.clone(), other), None);
        let text = EvidenceFile::Statements(good).write();
        let renamed = text.replacen("origin entraide/MT/", "origin entraide/FR/", 1);
        assert!(EvidenceFile::read(&text).is_ok() && renamed != text);
        assert!(matches!(EvidenceFile::read(&renamed), Err(EvidenceFileError::Shape(_))), "it names another nation");
    }

    proptest! {
        #[test]
        fn an_honest_chain_is_never_evidence(length in 2..20_u64, one in 0..20_u64, other in 0..20_u64) {
            let mut chain: Vec<Said> = Vec::new();
            for sequence in 0..length {
                let previous = chain.last().map(|last| committed(*last));
                chain.push(Said(4, Lane::Workflow, sequence, previous, u8::try_from(sequence).unwrap()));
            }
            let at = |number: u64| chain[usize::try_from(number % length).unwrap()];
            prop_assert!(two(at(one), at(other)).verify(&keys()).is_err());
        }
    }
}
