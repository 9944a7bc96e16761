//! What passes between a node and the gateway of an entity beside the mandate itself: the lease, by which a node says that a
//! mandate still stands, and the entity's signed consent. Both are signed notes, so that they travel as files too.
//!
//! ```text
//! entraide/lease/v1
//! <origin of the nation>
//! <UUID of the mandate>
//! <index of its newest version>
//! active | over
//! <the mandate of that version, JSON on one line>
//!
//! — <origin> <cosignature: the time of the word, and the signature>
//! ```
//!
//! A lease is signed with the node's witness key, whose signatures carry a time (C2SP tlog-cosignature). Its first line is
//! that of no checkpoint, so neither is ever taken for the other. It carries the mandate, so that a gate needs nothing else.

use model::{Index, Origin};

use crate::note::{self, NoteVerifier};

const LEASE: &str = "entraide/lease/v1";
const CONSENT: &str = "entraide/consent/v1";
/// The name under which a gate's own key signs consents.
pub const GATE_NAME: &str = "entraide-gate";

/// A node's word that a mandate stood, or did not, at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The nation whose log has the mandate.
    pub origin: Origin,
    /// The UUID of the mandate.
    pub mandate: String,
    /// The newest version of it.
    pub index: Index,
    /// May helpers act?
    pub active: bool,
    /// The body of that version, as its log commits to it.
    pub body: String,
}

/// Why a lease or a consent counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// Not signed, or not by that key.
    #[error(transparent)]
    Note(#[from] note::NoteError),
    /// Another shape.
    #[error("it is not such a word: {0}")]
    Shape(&'static str),
}

impl Lease {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let word = if self.active { "active" } else { "over" };
        format!("{LEASE}\n{}\n{}\n{}\n{word}\n{}\n", self.origin, self.mandate, self.index, self.body)
    }

    /// Opens a signed lease with the keys of the nation; the second value is when it was said, seconds since 1970.
    ///
    /// # Errors
    /// Another shape, or no signature of the witness key of the nation that it names.
    pub fn open(text: &str, keys: &[NoteVerifier]) -> Result<(Self, u64), WordError> {
        let opened = note::open(text, keys)?;
        let mut lines = opened.text.split('\n');
        if lines.next() != Some(LEASE) {
            return Err(WordError::Shape("its first line is another"));
        }
        let mut line = || lines.next().unwrap_or_default();
        let origin: Origin = line().parse().map_err(|_| WordError::Shape("its second line names no log"))?;
        let mandate = line().to_owned();
        let index = line().parse().map(Index).map_err(|_| WordError::Shape("its fourth line is no index"))?;
        let active = match line() {
            "active" => true,
            "over" => false,
            _ => return Err(WordError::Shape("its fifth line is neither `active` nor `over`")),
        };
        let lease = Self { origin, mandate, index, active, body: line().to_owned() };
        // One spelling: what was read is all that was signed.
        if lease.text() != opened.text {
            return Err(WordError::Shape("it has another spelling"));
        }
        let name = lease.origin.to_string();
        let by = opened.cosigned.iter().find(|one| one.witness == name);
        let by = by.ok_or(WordError::Shape("its nation has not signed it"))?;
        Ok((lease, by.seconds))
    }
}

/// The text to which an entity consents: the terms of one mandate.
#[must_use]
pub fn consent_text(mandate: &str, terms: &str, by: &str) -> String {
    format!("{CONSENT}\n{mandate}\n{terms}\n{}\n", by.replace(char::is_control, " "))
}

/// Checks a signed consent to terms by a key.
///
/// # Errors
/// Not signed by that key, or to something else.
pub fn verify_consent(signed: &str, key: &NoteVerifier, mandate: &str, terms: &str, by: &str) -> Result<(), WordError> {
    let opened = note::open(signed, std::slice::from_ref(key))?;
    if opened.text != consent_text(mandate, terms, by) {
        return Err(WordError::Shape("it consents to something else, or somebody else does"));
    }
    if opened.signers.is_empty() {
        return Err(WordError::Shape("its key is not a gate's"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    fn lease() -> Lease {
        let origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let mandate = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".to_owned();
        Lease { origin, mandate, index: Index(7), active: true, body: r#"{"type":"x-entraide-mandate"}"#.into() }
    }

    fn signed(lease: &Lease, seconds: u64) -> (String, NoteVerifier) {
        let key = SigningKey::from_bytes(&[3; 32]);
        let name = "entraide/FR/REAL/0123456789abcdef";
        let text = lease.text();
        let note = format!("{text}\n{}", note::cosign(&text, name, seconds, &key));
        (note, NoteVerifier::witness(name, key.verifying_key()).unwrap())
    }

    #[test]
    fn a_lease_says_one_thing_at_one_time() {
        let (note, key) = signed(&lease(), 1_790_000_000);
        assert_eq!(Lease::open(&note, std::slice::from_ref(&key)), Ok((lease(), 1_790_000_000)));
        assert!(Lease::open(&note, &[]).is_err());
        assert!(Lease::open(&note.replace("\nactive\n", "\nover\n"), std::slice::from_ref(&key)).is_err());
        // Another nation's word about this nation's mandate.
        let of_another = Lease { origin: "entraide/EE/REAL/0123456789abcdef".parse().unwrap(), ..lease() };
        assert!(Lease::open(&signed(&of_another, 1).0, &[key]).is_err());
    }

    #[test]
    fn a_consent_is_to_these_terms_by_this_person_with_this_key() {
        let key = SigningKey::from_bytes(&[4; 32]);
        let verifier = NoteVerifier::new(GATE_NAME, key.verifying_key()).unwrap();
        let note = note::sign(&consent_text("m", "t", "A. B., CISO"), GATE_NAME, &key);
        assert_eq!(verify_consent(&note, &verifier, "m", "t", "A. B., CISO"), Ok(()));
        let other = NoteVerifier::new(GATE_NAME, SigningKey::from_bytes(&[5; 32]).verifying_key()).unwrap();
        assert!(verify_consent(&note, &other, "m", "t", "A. B., CISO").is_err());
        for (mandate, terms, by) in [("n", "t", "A. B., CISO"), ("m", "u", "A. B., CISO"), ("m", "t", "C. D.")] {
            assert!(verify_consent(&note, &verifier, mandate, terms, by).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_changed_letter_never_says_something_else(at in any::<prop::sample::Index>(), to in 32..127_u8) {
            let (note, key) = signed(&lease(), 1_790_000_000);
            let mut bytes = note.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = to;
            let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
            if let Ok(read) = Lease::open(&text, std::slice::from_ref(&key)) {
                prop_assert_eq!(read, (lease(), 1_790_000_000));
            }
        }
    }
}
