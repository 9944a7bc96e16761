//! Signed notes (C2SP signed-note): a text, and lines of signatures that name who signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::limits;

/// What a note key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 over the text: a log's own key (C2SP signed-note, "Signatures").
    Ed25519,
    /// Ed25519 over a time and the text: a witness (C2SP tlog-cosignature, "Ed25519 signatures").
    Cosignature,
}

impl Algorithm {
    /// Its byte in key ids and note keys.
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::Cosignature => 4,
        }
    }
    fn of_byte(byte: u8) -> Option<Self> {
        [Self::Ed25519, Self::Cosignature].into_iter().find(|algorithm| algorithm.byte() == byte)
    }
}

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
    algorithm: Algorithm,
    key: VerifyingKey,
    bound: Option<Bound>,
}

/// How far a key that was replaced is still believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Of a log's key the size of the largest checkpoint; of a witness's the last second since 1970.
    pub until: u64,
    /// Somebody else has it: what it signed proves nothing against its log.
    pub stolen: bool,
}

impl NoteVerifier {
    /// Names a log's key.
    ///
    /// # Errors
    /// The name is empty, or has spaces or `+`.
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        Self::of(name, Algorithm::Ed25519, key)
    }
    /// Names a witness's key.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn witness(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        Self::of(name, Algorithm::Cosignature, key)
    }
    fn of(name: &str, algorithm: Algorithm, key: VerifyingKey) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::Key(name.chars().take(80).collect()));
        }
        Ok(Self { name: name.to_owned(), algorithm, key, bound: None })
    }
    /// The same key, believed no further than this.
    #[must_use]
    pub fn bounded(self, bound: Bound) -> Self {
        Self { bound: Some(bound), ..self }
    }
    /// How far it is believed, if it was replaced.
    #[must_use]
    pub fn bound(&self) -> Option<Bound> {
        self.bound
    }
    /// Is it believed for a checkpoint of this size, or at this second?
    #[must_use]
    pub fn reaches(&self, at: u64) -> bool {
        self.bound.is_none_or(|bound| at <= bound.until)
    }
    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
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
    /// The first four bytes of SHA-256(name ‖ "\n" ‖ algorithm ‖ key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.algorithm, &self.key)
    }
}

impl std::fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![self.algorithm.byte()];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, model::bytes::hex(&self.id()), STANDARD.encode(key))?;
        match self.bound {
            None => Ok(()),
            Some(Bound { until, stolen: false }) => write!(f, " until={until}"),
            Some(Bound { until, stolen: true }) => write!(f, " stolen={until}"),
        }
    }
}

impl std::str::FromStr for NoteVerifier {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = || NoteError::Key(text.chars().take(120).collect());
        let (vkey, bound) = match text.split_once(' ') {
            None => (text, None),
            Some((vkey, bound)) => (vkey, Some(read_bound(bound).ok_or_else(wrong)?)),
        };
        let mut parts = vkey.splitn(3, '+');
        let (name, id, key) =
            (parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?);
        let bytes = STANDARD.decode(key).map_err(|_| wrong())?;
        let (byte, key) = bytes.split_first().ok_or_else(wrong)?;
        let algorithm = Algorithm::of_byte(*byte).ok_or_else(wrong)?;
        let key = <[u8; 32]>::try_from(key).map_err(|_| wrong())?;
        let verifier = Self::of(name, algorithm, VerifyingKey::from_bytes(&key).map_err(|_| wrong())?)?;
        // One spelling only: the standard's hexadecimal is lower case, and the id must be that of the key.
        if model::bytes::hex(&verifier.id()) != id {
            return Err(wrong());
        }
        Ok(Self { bound, ..verifier })
    }
}

fn read_bound(text: &str) -> Option<Bound> {
    let (stolen, digits) = match text.strip_prefix("until=") {
        Some(digits) => (false, digits),
        None => (true, text.strip_prefix("stolen=")?),
    };
    let until: u64 = digits.parse().ok()?;
    (until.to_string() == digits).then_some(Bound { until, stolen })
}

/// Not empty, without spaces and `+` (signed-note, "Format"), and without control characters.
fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+' || c.is_control())
}

fn key_id(name: &str, algorithm: Algorithm, key: &VerifyingKey) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(name.as_bytes())
        .chain_update(b"\n")
        .chain_update([algorithm.byte()])
        .chain_update(key.as_bytes())
        .finalize()
        .into();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Signs a text that ends in a line feed, under a name that [`NoteVerifier::new`] takes.
#[must_use]
pub fn sign(text: &str, name: &str, key: &SigningKey) -> String {
    format!("{text}\n{}", line(name, &key.verifying_key(), &key.sign(text.as_bytes()).to_bytes()))
}

/// One signature line of a log's key, with its line feed: `signature` is over the note's text, made wherever the key is.
#[must_use]
pub fn line(name: &str, key: &VerifyingKey, signature: &[u8; 64]) -> String {
    let mut signed = Vec::with_capacity(68);
    signed.extend_from_slice(&key_id(name, Algorithm::Ed25519, key));
    signed.extend_from_slice(signature);
    format!("— {name} {}\n", STANDARD.encode(signed))
}

/// Cosigns the text of a checkpoint: one signature line, with its line feed, to be added to the note (C2SP
/// tlog-cosignature). `seconds` since 1970 is when the witness saw no other history.
#[must_use]
pub fn cosign(text: &str, name: &str, seconds: u64, key: &SigningKey) -> String {
    let signature = key.sign(cosigned_message(text, seconds).as_bytes()).to_bytes();
    cosigned_line(name, seconds, &key.verifying_key(), &signature)
}

/// One line of a cosignature, with its line feed: `signature` is over [`cosigned_message`], made wherever the key is.
#[must_use]
pub fn cosigned_line(name: &str, seconds: u64, key: &VerifyingKey, signature: &[u8; 64]) -> String {
    let mut signed = Vec::with_capacity(76);
    signed.extend_from_slice(&key_id(name, Algorithm::Cosignature, key));
    signed.extend_from_slice(&seconds.to_be_bytes());
    signed.extend_from_slice(signature);
    format!("— {name} {}\n", STANDARD.encode(signed))
}

/// What a cosignature is over.
#[must_use]
pub fn cosigned_message(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

/// The text of a note, with its last line feed; no signature is looked at.
#[must_use]
pub fn text_of(note: &str) -> Option<&str> {
    note.rfind("\n\n").map(|split| &note[..=split])
}

/// A witness's word: it had seen no other history of the log at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness's name, as its key names it.
    pub witness: String,
    /// Seconds since 1970.
    pub seconds: u64,
}

/// A note that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The text, with its last line feed.
    pub text: &'a str,
    /// The names of the known logs whose signatures hold.
    pub signers: Vec<String>,
    /// The known witnesses whose cosignatures hold.
    pub cosigned: Vec<Cosigned>,
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
    let mut opened = Opened { text, signers: Vec::new(), cosigned: Vec::new() };
    for (number, line) in lines.split('\n').enumerate() {
        if number >= limits::NOTE_SIGNATURES {
            return Err(NoteError::Shape("too many signatures"));
        }
        let (name, bytes) = signature_line(line)?;
        let (id, signature) = match bytes.split_at_checked(4) {
            Some((id, signature)) if !signature.is_empty() => (id, signature),
            _ => return Err(NoteError::Shape("a signature is too short")),
        };
        let Some(verifier) = known.iter().find(|known| known.name == name && known.id() == id) else { continue };
        // A cosignature of after the key was replaced counts like one of a stranger.
        let at = signature.first_chunk::<8>().map_or(u64::MAX, |time| u64::from_be_bytes(*time));
        if verifier.algorithm == Algorithm::Cosignature && !verifier.reaches(at) {
            continue;
        }
        if !opened.note(verifier, signature) {
            return Err(NoteError::Unsigned(name.to_owned()));
        }
    }
    match (opened.signers.is_empty() && opened.cosigned.is_empty(), known.first()) {
        (false, _) => Ok(opened),
        (true, first) => Err(NoteError::Unsigned(first.map_or_else(String::new, |known| known.name.clone()))),
    }
}

impl Opened<'_> {
    /// Notes who signed, if the signature holds.
    fn note(&mut self, by: &NoteVerifier, signature: &[u8]) -> bool {
        let holds = |message: &str, signature: &[u8]| {
            Signature::from_slice(signature)
                .is_ok_and(|signature| by.key.verify_strict(message.as_bytes(), &signature).is_ok())
        };
        match by.algorithm {
            Algorithm::Ed25519 => {
                let good = holds(self.text, signature);
                if good && !self.signers.contains(&by.name) {
                    self.signers.push(by.name.clone());
                }
                good
            }
            Algorithm::Cosignature => {
                let Some((time, signature)) = signature.split_first_chunk::<8>() else { return false };
                let seconds = u64::from_be_bytes(*time);
                let good = holds(&cosigned_message(self.text, seconds), signature);
                if good && self.cosigned.iter().all(|one| one.witness != by.name) {
                    self.cosigned.push(Cosigned { witness: by.name.clone(), seconds });
                }
                good
            }
        }
    }
}

fn signature_line(line: &str) -> Result<(&str, Vec<u8>), NoteError> {
    let shape = NoteError::Shape("a signature line has another form");
    let rest = line.strip_prefix("— ").ok_or_else(|| shape.clone())?;
    let (name, encoded) = rest.split_once(' ').ok_or_else(|| shape.clone())?;
    if !is_key_name(name) {
        return Err(shape);
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| shape)?;
    Ok((name, bytes))
}

/// Before an origin, a first and an end: a line of a file of keys that says what is no longer a nation's word.
pub const REPUDIATED: &str = "repudiated ";

/// The lines of a file of keys that name what nations no longer stand by: origin, first entry, entry after the last.
#[must_use]
pub fn read_repudiated(text: &str) -> Vec<(String, u64, u64)> {
    let read = |line: &str| {
        let mut words = line.strip_prefix(REPUDIATED)?.split(' ');
        let span = (words.next()?.to_owned(), words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().is_none().then_some(span)
    };
    text.lines().map(str::trim).filter_map(read).take(limits::KEYS).collect()
}

/// Reads a file of keys: one note key a line, empty lines, `#` comments and [`REPUDIATED`] lines between.
///
/// # Errors
/// A line that is no key, or too many.
pub fn read_keys(text: &str) -> Result<Vec<NoteVerifier>, NoteError> {
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| is_key_line(line)) {
        if keys.len() >= limits::KEYS {
            return Err(NoteError::Size);
        }
        keys.push(line.parse()?);
    }
    Ok(keys)
}

fn is_key_line(line: &str) -> bool {
    !line.is_empty() && !line.starts_with('#') && !line.starts_with(REPUDIATED)
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
        let id = model::bytes::hex(&verifier("example/FR", 1).id());
        assert_ne!(id, id.to_uppercase());
        assert!(text.replace(&id, &id.to_uppercase()).parse::<NoteVerifier>().is_err());
        assert_eq!(read_keys(&format!("# nations\n\n{text}\n")).unwrap().len(), 1);
        assert!(read_keys(&format!("{text}\nFR\n")).is_err());
        assert_eq!(read_keys(&format!("{text}\n").repeat(limits::KEYS)).unwrap().len(), limits::KEYS);
        assert_eq!(read_keys(&format!("{text}\n").repeat(limits::KEYS + 1)), Err(NoteError::Size));
    }

    #[test]
    fn a_key_that_was_replaced_says_how_far_it_is_believed() {
        for (stolen, word) in [(false, "until"), (true, "stolen")] {
            let key = verifier("example/FR", 1).bounded(Bound { until: 7, stolen });
            let text = key.to_string();
            assert!(text.ends_with(&format!(" {word}=7")), "{text}");
            assert_eq!(text.parse::<NoteVerifier>(), Ok(key.clone()));
            assert!(key.reaches(7) && !key.reaches(8));
            assert!(text.replace("=7", "=07").parse::<NoteVerifier>().is_err());
            let file = format!("{text}\nrepudiated example/FR 3 9\n");
            assert_eq!(read_keys(&file).unwrap(), [key]);
            assert_eq!(read_repudiated(&file), [("example/FR".to_owned(), 3, 9)]);
        }
    }

    #[test]
    fn a_cosignature_of_after_the_key_was_replaced_counts_for_nothing() {
        let text = "example/FR\n1\n";
        let note = format!("{text}\n{}", cosign(text, "example/EE", 50, &key(2)));
        let witness = NoteVerifier::witness("example/EE", key(2).verifying_key()).unwrap();
        let check = |until, good: bool| {
            let known = [witness.clone().bounded(Bound { until, stolen: false })];
            assert_eq!(open(&note, &known).is_ok(), good, "{until}");
        };
        check(50, true);
        check(49, false);
    }

    #[test]
    fn a_witness_counts_once_however_often_it_cosigned() {
        let text = "example/FR\n1\n";
        let lines = [50, 60, 50].map(|seconds| cosign(text, "example/EE", seconds, &key(2))).concat();
        let witness = NoteVerifier::witness("example/EE", key(2).verifying_key()).unwrap();
        let note = format!("{text}\n{lines}");
        let expect = [Cosigned { witness: "example/EE".to_owned(), seconds: 50 }];
        assert_eq!(open(&note, &[witness]).unwrap().cosigned, expect);
    }

    #[test]
    fn what_is_too_large_or_cannot_be_printed_is_refused_whoever_signed_it() {
        let check = |text: &str, expect: Option<NoteError>| {
            let note = sign(text, "example/FR", &key(1));
            assert_eq!(open(&note, &[verifier("example/FR", 1)]).err(), expect, "{} bytes", note.len());
        };
        check("hello\n", None);
        check("hel\tlo\n", Some(NoteError::Shape("it has control characters")));
        check("hel\rlo\n", Some(NoteError::Shape("it has control characters")));
        check(&format!("{}\n", "x".repeat(limits::NOTE_BYTES)), Some(NoteError::Size));
    }

    #[test]
    fn the_example_of_the_standard_opens() {
        let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        let note = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncA\
                    lTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        let verifier: NoteVerifier = vkey.parse().unwrap();
        assert_eq!(verifier.to_string(), vkey);
        assert_eq!(open(note, &[verifier]).unwrap().text, "This is an example message.\n");
    }

    #[test]
    fn signatures_of_strangers_are_ignored_and_a_wrong_one_of_a_known_key_is_not() {
        let line = |name: &str, seed: u8, text: &str| {
            sign(text, name, &key(seed)).rsplit_once("\n\n").map(|(_, line)| line.to_owned()).unwrap()
        };
        let text = "hello\n\nworld\n";
        let known = [verifier("log", 1), verifier("witness", 2)];
        let check = |lines: &[String], expect: Result<&[&str], NoteError>| {
            let note = format!("{text}\n{}", lines.concat());
            let opened = open(&note, &known);
            let signers = expect.map(|signers| signers.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(opened, signers.map(|signers| Opened { text, signers, cosigned: Vec::new() }), "{note}");
        };
        let (log, witness) = (line("log", 1, text), line("witness", 2, text));
        check(&[log.clone(), witness.clone()], Ok(&["log", "witness"]));
        check(&[log.clone(), log.clone()], Ok(&["log"]));
        // The same name with another key, and another name with the same key, are strangers.
        check(&[line("log", 3, text), line("other", 1, text), witness.clone()], Ok(&["witness"]));
        check(&[line("log", 3, text)], Err(NoteError::Unsigned("log".to_owned())));
        check(&[log.clone(), line("witness", 2, "other\n")], Err(NoteError::Unsigned("witness".to_owned())));
        let stranger = line("stranger", 9, text);
        check(
            &vec![stranger.clone(); limits::NOTE_SIGNATURES - 1].into_iter().chain([log.clone()]).collect::<Vec<_>>(),
            Ok(&["log"]),
        );
        let many = vec![stranger; limits::NOTE_SIGNATURES].into_iter().chain([log]).collect::<Vec<_>>();
        check(&many, Err(NoteError::Shape("too many signatures")));
        let form = || Err(NoteError::Shape("a signature line has another form"));
        check(&["— a+b AAAAAAA=\n".to_owned()], form());
        check(&["—  AAAAAAA=\n".to_owned()], form());
        check(&["- log AAAAAAA=\n".to_owned()], form());
        check(&["— log AAAAAA==\n".to_owned()], Err(NoteError::Shape("a signature is too short")));
        check(&[witness.replace('\n', "")], Err(NoteError::Shape("no line feed at the end")));
    }

    /// What `signed_note`, another implementation of the standard, says of a note that FR's key 1 should have signed.
    fn another_implementation_opens(note: &str) -> bool {
        use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
        let theirs = StandardVerifier::new(&verifier("example/FR", 1).to_string()).unwrap();
        let list = VerifierList::new(vec![Box::new(theirs) as Box<dyn Verifier>]);
        Note::from_bytes(note.as_bytes()).is_ok_and(|note| note.verify(&list).is_ok())
    }

    proptest! {
        #[test]
        fn another_implementation_reads_our_notes(lines in "[^\\p{C}]{0,80}(\n[^\\p{C}]{0,80}){0,4}\n") {
            let note = sign(&lines, "example/FR", &key(1));
            prop_assert_eq!(open(&note, &[verifier("example/FR", 1)]).unwrap().text, lines.as_str());
            prop_assert!(another_implementation_opens(&note));
        }

        #[test]
        fn a_strangers_line_is_taken_where_another_implementation_takes_it(
            name in "[a+/= \u{a0}é—]{0,3}",
            signature in "([A-Za-z0-9+/]{4}){0,3}([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEI]=|[A-Z=]{1,2})?",
        ) {
            let note = format!("{}— {name} {signature}\n", sign("hello\n", "example/FR", &key(1)));
            let opens = open(&note, &[verifier("example/FR", 1)]).is_ok();
            prop_assert_eq!(opens, another_implementation_opens(&note), "{}", note);
        }

        #[test]
        fn rubbish_is_refused_without_panic(text in "\\PC{0,200}\n\n(— [a-z]{1,5} [A-Za-z0-9+/=]{0,100}\n){0,3}") {
            prop_assert!(open(&text, &[verifier("example/FR", 1)]).is_err());
        }
    }
}
