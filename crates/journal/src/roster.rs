//! A roster: many identities proposed at once, in a text signed by anybody whom the reader chooses to believe.
//! Each is still confirmed by a person.

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use model::{Origin, Timestamp};
use std::collections::HashSet;

use crate::identity::{self, IdentityError, MAX_IDENTITY_BYTES, SignedIdentity};
use crate::verified::Verified;

/// Most entries: as many as an audience may have members.
pub const MAX_ENTRIES: usize = model::limits::MEMBERS;
/// Largest roster, bytes: every entry at its largest in base64, and the other lines.
pub const MAX_ROSTER_BYTES: usize = MAX_ENTRIES * (MAX_IDENTITY_BYTES.div_ceil(3) * 4 + 1) + 1_024;

const HEADER: &str = "entraide/roster/v1";
/// What is signed is this label and then the text, so that no other signature of that key can pass for one.
const LABEL: &[u8] = b"entraide/roster/v1\0";
/// Signature lines of a C2SP signed note begin so; a reader of notes recognises the shape.
const SIGNATURE_MARK: &str = "— ";

/// Who somebody says that the nodes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// What the list is, for people: `CSIRTs network, November 2026`.
    pub title: String,
    /// The identities, one an origin.
    pub entries: Vec<SignedIdentity>,
    /// When it was signed.
    pub issued: Timestamp,
}

/// Why a roster was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// More than [`MAX_ROSTER_BYTES`] or [`MAX_ENTRIES`].
    #[error("the roster is too large: it may have {MAX_ENTRIES} entries and {MAX_ROSTER_BYTES} bytes, so split it")]
    Size,
    /// The title is empty, too long or has line breaks.
    #[error("the roster's title is refused: write 1 to 200 bytes of text without line breaks")]
    Title,
    /// A line isn't what a roster has there.
    #[error("line {line} of the roster can't be read: expected {expected}")]
    Format {
        /// Counted from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// The key that the reader believes didn't sign this text.
    #[error("the roster is not signed by this key: check the key, or get the roster again")]
    Signature,
    /// An identity in it is refused.
    #[error("entry {entry} of the roster is refused: {reason}")]
    Entry {
        /// Counted from 1.
        entry: usize,
        /// Why.
        reason: IdentityError,
    },
    /// One origin stands there twice.
    #[error("entry {entry} of the roster repeats `{origin}`: one identity an origin")]
    Repeated {
        /// Counted from 1.
        entry: usize,
        /// Which.
        origin: Origin,
    },
}

/// Writes and signs a roster. Identities that a reader would refuse are refused here already.
///
/// # Errors
/// A title, a number of entries or an entry that [`verify`] would refuse.
pub fn sign(roster: &Roster, key: &SigningKey) -> Result<String, RosterError> {
    check_title(&roster.title)?;
    check_entries(&roster.entries)?;
    let mut text = format!("{HEADER}\ntitle: {}\nissued: {}\n", roster.title, roster.issued);
    for entry in &roster.entries {
        text.push_str(&entry.to_base64());
        text.push('\n');
    }
    let signature = key.sign(&signed_bytes(&text)).to_bytes();
    text.push_str(&format!("\n{SIGNATURE_MARK}{}\n", BASE64.encode(&signature)));
    Ok(text)
}

/// Reads a roster that `key` signed, and checks every identity in it.
///
/// # Errors
/// See [`RosterError`].
pub fn verify(text: &str, key: &VerifyingKey) -> Result<Verified<Roster>, RosterError> {
    if text.len() > MAX_ROSTER_BYTES {
        return Err(RosterError::Size);
    }
    // The signature comes before everything else: nothing of a text that nobody signed is looked at.
    let (body, signature) = split(text)?;
    key.verify_strict(&signed_bytes(body), &Signature::from_bytes(&signature)).map_err(|_| RosterError::Signature)?;
    let roster = read(body)?;
    check_title(&roster.title)?;
    check_entries(&roster.entries)?;
    Ok(Verified::new(roster))
}

fn signed_bytes(text: &str) -> Vec<u8> {
    [LABEL, text.as_bytes()].concat()
}

fn split(text: &str) -> Result<(&str, [u8; 64]), RosterError> {
    let wrong = || RosterError::Format {
        line: text.lines().count(),
        expected: "an empty line and then a signature line to end the file",
    };
    let (body, last) = text.strip_suffix('\n').and_then(|rest| rest.rsplit_once("\n\n")).ok_or_else(wrong)?;
    let signature = last.strip_prefix(SIGNATURE_MARK).ok_or_else(wrong)?;
    let signature = crate::identity::decoded(signature).ok_or_else(wrong)?;
    let signature = signature.try_into().map_err(|_| wrong())?;
    Ok((&text[..=body.len()], signature))
}

fn read(body: &str) -> Result<Roster, RosterError> {
    let mut lines = body.lines();
    let format = |line, expected| RosterError::Format { line, expected };
    if lines.next() != Some(HEADER) {
        return Err(format(1, "`entraide/roster/v1`"));
    }
    let title = lines.next().and_then(|line| line.strip_prefix("title: ")).ok_or(format(2, "`title: …`"))?;
    let issued = lines
        .next()
        .and_then(|line| line.strip_prefix("issued: "))
        .and_then(|time| time.parse().ok())
        .ok_or(format(3, "`issued: ` and a time in UTC"))?;
    let mut entries = Vec::new();
    for line in lines {
        if entries.len() == MAX_ENTRIES {
            return Err(RosterError::Size);
        }
        let entry = SignedIdentity::from_base64(line)
            .map_err(|reason| RosterError::Entry { entry: entries.len() + 1, reason })?;
        entries.push(entry);
    }
    Ok(Roster { title: title.to_owned(), entries, issued })
}

fn check_title(title: &str) -> Result<(), RosterError> {
    let fits = title.len() <= model::limits::NAME_BYTES;
    if title.trim().is_empty() || !fits || title.chars().any(char::is_control) {
        return Err(RosterError::Title);
    }
    Ok(())
}

fn check_entries(entries: &[SignedIdentity]) -> Result<(), RosterError> {
    if entries.len() > MAX_ENTRIES {
        return Err(RosterError::Size);
    }
    let mut seen = HashSet::new();
    for (at, signed) in entries.iter().enumerate() {
        let entry = at + 1;
        let identity = identity::verify(signed).map_err(|reason| RosterError::Entry { entry, reason })?;
        if !seen.insert(identity.origin.base()) {
            return Err(RosterError::Repeated { entry, origin: identity.origin.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::sample;
    use proptest::prelude::*;

    fn roster() -> Roster {
        let entry = |country, seed| {
            let (root, identity) = sample(country, seed);
            identity::sign(&identity, &root)
        };
        Roster {
            title: "CSIRTs network".to_owned(),
            entries: vec![entry("FR", 1), entry("EE", 2)],
            issued: Timestamp::from_seconds(1_795_000_000),
        }
    }
    fn key() -> SigningKey {
        SigningKey::from_bytes(&[42; 32])
    }

    #[test]
    fn a_roster_reads_back_under_its_key_only() {
        let text = sign(&roster(), &key()).unwrap();
        assert_eq!(*verify(&text, &key().verifying_key()).unwrap(), roster());
        let other = SigningKey::from_bytes(&[43; 32]).verifying_key();
        assert_eq!(verify(&text, &other).unwrap_err(), RosterError::Signature);
        let empty = Roster { entries: Vec::new(), ..roster() };
        assert_eq!(*verify(&sign(&empty, &key()).unwrap(), &key().verifying_key()).unwrap(), empty);
    }

    #[test]
    fn what_a_reader_would_refuse_is_not_signed() {
        let check = |change: fn(&mut Roster), part: &str| {
            let mut roster = roster();
            change(&mut roster);
            let error = sign(&roster, &key()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(|r| r.title = "two\nlines".to_owned(), "title");
        check(|r| r.title.clear(), "title");
        check(|r| r.entries.push(r.entries[0].clone()), "entry 3 of the roster repeats");
        check(|r| r.entries = vec![r.entries[0].clone(); MAX_ENTRIES + 1], "too large");
        let forged = identity::sign(&sample("LT", 5).1, &key());
        let roster = Roster { entries: vec![forged], ..roster() };
        assert!(matches!(sign(&roster, &key()), Err(RosterError::Entry { entry: 1, .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_changed_byte_passes(at in any::<prop::sample::Index>(), mask in 1_u8..) {
            let mut bytes = sign(&roster(), &key()).unwrap().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            if let Ok(text) = String::from_utf8(bytes) {
                prop_assert!(verify(&text, &key().verifying_key()).is_err());
            }
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,80}(\n\n)?(— )?\\PC{0,40}\n?") {
            prop_assert!(verify(&text, &key().verifying_key()).is_err());
        }
    }
}
