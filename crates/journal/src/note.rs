//! Signed notes (C2SP signed-note): a text, and lines of signatures that name who signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::limits;

/// The algorithm byte of an Ed25519 note key.
const ED25519: u8 = 1;

/// Why a note was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Larger than a note may be.
    #[error("the note is larger than {} bytes", limits::NOTE_BYTES)]
    Size,
    /// Not the shape of a note.
    #[error("this is not a signed note: {0}")]
    Shape(&'static str),
    /// No signature of a known key.
    #[error("the note has no valid signature of `{0}`")]
    Unsigned(String),
    /// A key's text.
    #[error("`{0}` is not a note key: write name+hash+key")]
    Key(String),
}

/// A public key with its name, as notes name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    key: VerifyingKey,
}

impl NoteVerifier {
    /// Names a key.
    ///
    /// # Errors
    /// The name is empty, or has spaces or `+`.
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c == '+' || c.is_control()) {
            return Err(NoteError::Key(name.chars().take(80).collect()));
        }
        Ok(Self { name: name.to_owned(), key })
    }
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The key.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }
    /// The first four bytes of SHA-256(name ‖ "\n" ‖ 0x01 ‖ key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, &self.key)
    }
}

impl std::fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, model::bytes::hex(&self.id()), STANDARD.encode(key))
    }
}

impl std::str::FromStr for NoteVerifier {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = || NoteError::Key(text.chars().take(120).collect());
        let mut parts = text.splitn(3, '+');
        let (name, id, key) =
            (parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?);
        let bytes = STANDARD.decode(key).map_err(|_| wrong())?;
        let key = match bytes.split_first() {
            Some((&ED25519, key)) => <[u8; 32]>::try_from(key).map_err(|_| wrong())?,
            _ => return Err(wrong()),
        };
        let verifier = Self::new(name, VerifyingKey::from_bytes(&key).map_err(|_| wrong())?)?;
        if model::bytes::unhex::<4>(id) != Some(verifier.id()) {
            return Err(wrong());
        }
        Ok(verifier)
    }
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(name.as_bytes())
        .chain_update(b"\n")
        .chain_update([ED25519])
        .chain_update(key.as_bytes())
        .finalize()
        .into();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Signs a text that ends in a line feed.
#[must_use]
pub fn sign(text: &str, name: &str, key: &SigningKey) -> String {
    let mut signed = Vec::with_capacity(68);
    signed.extend_from_slice(&key_id(name, &key.verifying_key()));
    signed.extend_from_slice(&key.sign(text.as_bytes()).to_bytes());
    format!("{text}\n— {name} {}\n", STANDARD.encode(signed))
}

/// A note that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The text, with its last line feed.
    pub text: &'a str,
    /// The names of the known keys whose signatures hold.
    pub signers: Vec<String>,
}

/// Checks the signatures of the known keys. Those of others are ignored; a wrong one of a known key refuses the note.
///
/// # Errors
/// Not a note, or no valid signature of a known key.
pub fn open<'a>(note: &'a str, known: &[NoteVerifier]) -> Result<Opened<'a>, NoteError> {
    if note.len() > limits::NOTE_BYTES {
        return Err(NoteError::Size);
    }
    if note.chars().any(|c| c.is_control() && c != '\n') {
        return Err(NoteError::Shape("it has control characters"));
    }
    let split = note.rfind("\n\n").ok_or(NoteError::Shape("no empty line before the signatures"))?;
    let text = &note[..=split];
    let lines = note[split + 2..].strip_suffix('\n').ok_or(NoteError::Shape("no line feed at the end"))?;
    let mut signers = Vec::new();
    for (number, line) in lines.split('\n').enumerate() {
        if number >= limits::NOTE_SIGNATURES {
            return Err(NoteError::Shape("too many signatures"));
        }
        let (name, bytes) = signature_line(line)?;
        let Some((id, signature)) = bytes.split_at_checked(4) else {
            return Err(NoteError::Shape("a signature is too short"));
        };
        let Some(verifier) = known.iter().find(|known| known.name == name && known.id() == id) else { continue };
        let holds = Signature::from_slice(signature)
            .is_ok_and(|signature| verifier.key.verify_strict(text.as_bytes(), &signature).is_ok());
        if !holds {
            return Err(NoteError::Unsigned(name.to_owned()));
        }
        if !signers.iter().any(|signer| signer == name) {
            signers.push(name.to_owned());
        }
    }
    match (signers.is_empty(), known.first()) {
        (false, _) => Ok(Opened { text, signers }),
        (true, first) => Err(NoteError::Unsigned(first.map_or_else(String::new, |known| known.name.clone()))),
    }
}

fn signature_line(line: &str) -> Result<(&str, Vec<u8>), NoteError> {
    let shape = NoteError::Shape("a signature line has another form");
    let rest = line.strip_prefix("— ").ok_or_else(|| shape.clone())?;
    let (name, encoded) = rest.split_once(' ').ok_or_else(|| shape.clone())?;
    let bytes = STANDARD.decode(encoded).map_err(|_| shape)?;
    Ok((name, bytes))
}

/// Reads a file of keys: one note key a line, empty lines and `#` comments between.
///
/// # Errors
/// A line that is no key, or too many.
pub fn read_keys(text: &str) -> Result<Vec<NoteVerifier>, NoteError> {
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if keys.len() >= limits::KEYS {
            return Err(NoteError::Size);
        }
        keys.push(line.parse()?);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }
    fn verifier(name: &str, seed: u8) -> NoteVerifier {
        NoteVerifier::new(name, key(seed).verifying_key()).unwrap()
    }

    #[test]
    fn a_note_opens_with_the_key_that_signed_it() {
        let note = sign("hello\nworld\n", "example/FR", &key(1));
        let opened = open(&note, &[verifier("example/FR", 1)]).unwrap();
        assert_eq!(opened.text, "hello\nworld\n");
        assert!(open(&note, &[verifier("example/FR", 2)]).is_err());
        assert!(open(&note, &[verifier("example/EE", 1)]).is_err());
        assert!(open(&note.replace("world", "World"), &[verifier("example/FR", 1)]).is_err());
    }

    #[test]
    fn keys_read_back_and_a_changed_one_is_refused() {
        let text = verifier("example/FR", 1).to_string();
        assert_eq!(text.parse::<NoteVerifier>(), Ok(verifier("example/FR", 1)));
        assert!(text.replace("FR", "EE").parse::<NoteVerifier>().is_err());
        assert_eq!(read_keys(&format!("# nations\n\n{text}\n")).unwrap().len(), 1);
    }

    #[test]
    fn another_implementation_reads_our_notes_and_keys() {
        use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
        let ours = verifier("example/FR", 1);
        let theirs = StandardVerifier::new(&ours.to_string()).unwrap();
        let list = VerifierList::new(vec![Box::new(theirs) as Box<dyn Verifier>]);
        let note = sign("hello\n", "example/FR", &key(1));
        let read = Note::from_bytes(note.as_bytes()).unwrap();
        let (verified, _) = read.verify(&list).unwrap();
        assert_eq!(verified.len(), 1);
    }

    proptest! {
        #[test]
        fn rubbish_is_refused_without_panic(text in "\\PC{0,200}\n\n(— [a-z]{1,5} [A-Za-z0-9+/=]{0,100}\n){0,3}") {
            prop_assert!(open(&text, &[verifier("example/FR", 1)]).is_err());
        }
    }
}
