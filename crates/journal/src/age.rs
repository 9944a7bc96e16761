//! Files sealed to people: age v1 with X25519 recipients (C2SP age, <https://c2sp.org/age>), so that whatever opens age
//! files opens ours. A header gives the key of the file to each recipient; the rest are chunks of 64 KiB.

use curve25519_dalek::montgomery::MontgomeryPoint;
use data_encoding::BASE64_NOPAD;
use model::AgeRecipient;
use model::age::{bech32, bech32_key};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

/// Bytes of a chunk of the evidence itself; the last may be shorter.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// What sealing adds to a chunk.
pub const TAG_BYTES: usize = 16;
/// Bytes before the chunks, after the header.
pub const NONCE_BYTES: usize = 16;
/// Largest header that is read, bytes: some hundred recipients, or some of kinds that we don't know with long keys.
pub const HEADER_BYTES: usize = 64 * 1024;
/// Bytes of the key of a file.
pub const FILE_KEY_BYTES: usize = 16;

const VERSION: &str = "age-encryption.org/v1";
const WRAP_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const SECRET_PREFIX: &str = "age-secret-key-";
/// Letters of one whole line of a stanza's body.
const COLUMNS: usize = 64;
/// Letters of 32 bytes in Base64 without padding.
const LETTERS_32: usize = 43;

/// Why a file was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// No age file, or none of version 1.
    #[error("it is no age file: it begins with another line, or its header is broken or too long")]
    Shape,
    /// Sealed to others.
    #[error("it is sealed to others: none of these keys opens it")]
    NotForYou,
    /// The header was changed.
    #[error("its header was changed since it was sealed")]
    Changed,
    /// A chunk was changed, or the file is cut off.
    #[error("it was changed since it was sealed, or it is cut off")]
    Broken,
    /// A recipient with whom no secret can be shared.
    #[error("this recipient is no key of anybody: ask for it again")]
    Recipient,
}

/// A private key: whoever has it opens what is sealed to its recipient.
pub struct Identity(Zeroizing<[u8; 32]>);

impl Identity {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// Reads a line as `age-keygen` writes it: `AGE-SECRET-KEY-1…`.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let lower = Zeroizing::new(line.to_ascii_lowercase());
        // Bech32 is written in letters of one case.
        let upper = line.bytes().all(|letter| !letter.is_ascii_lowercase());
        bech32_key(SECRET_PREFIX, &lower).filter(|_| upper).map(Self::new)
    }

    /// As `age-keygen` writes it.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let lower = Zeroizing::new(bech32(SECRET_PREFIX, &self.0));
        Zeroizing::new(lower.to_ascii_uppercase())
    }

    /// To whom others seal.
    #[must_use]
    pub fn recipient(&self) -> AgeRecipient {
        AgeRecipient::new(MontgomeryPoint::mul_base_clamped(*self.0).to_bytes())
    }
}

/// The key of one file.
pub struct FileKey(Zeroizing<[u8; FILE_KEY_BYTES]>);

impl FileKey {
    /// From random bytes.
    #[must_use]
    pub fn new(key: [u8; FILE_KEY_BYTES]) -> Self {
        Self(Zeroizing::new(key))
    }
}

/// Bytes of a sealed file, from those of the evidence and the number of its recipients.
#[must_use]
pub const fn sealed_size(size: u64, recipients: usize) -> u64 {
    // The version, two lines a recipient, and the line of the header's MAC.
    let header = VERSION.len() + 1 + recipients * ("-> X25519 ".len() + 2 * (LETTERS_32 + 1)) + 4 + LETTERS_32 + 1;
    let chunks = if size == 0 { 1 } else { size.div_ceil(CHUNK_BYTES as u64) };
    header as u64 + NONCE_BYTES as u64 + size + chunks * TAG_BYTES as u64
}

/// The header of a file for these recipients, each with 32 random bytes of its own.
///
/// # Errors
/// A recipient that is no key.
pub fn header(key: &FileKey, recipients: &[(AgeRecipient, [u8; 32])]) -> Result<Vec<u8>, AgeError> {
    let mut text = format!("{VERSION}\n");
    for (recipient, random) in recipients {
        let share = MontgomeryPoint::mul_base_clamped(*random).to_bytes();
        let wrap = wrapping(&MontgomeryPoint(*recipient.as_bytes()), *random, &share, recipient)?;
        let mut body = key.0.to_vec();
        wrap.seal_in_place_append_tag(nonce(0, false), Aad::empty(), &mut body).map_err(|_| AgeError::Recipient)?;
        text += &format!("-> X25519 {}\n{}\n", BASE64_NOPAD.encode(&share), BASE64_NOPAD.encode(&body));
    }
    text += "---";
    let mac = hmac::sign(&mac_key(key)?, text.as_bytes());
    text += &format!(" {}\n", BASE64_NOPAD.encode(mac.as_ref()));
    Ok(text.into_bytes())
}

/// A header, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The X25519 stanzas: a share and a wrapped key each.
    stanzas: Vec<([u8; 32], Vec<u8>)>,
    /// What the MAC is over.
    signed: Vec<u8>,
    mac: Vec<u8>,
    /// Bytes of the whole header.
    pub length: usize,
}

impl Header {
    /// Reads the header at the beginning of a file. Stanzas of kinds that this version does not know are passed over.
    ///
    /// # Errors
    /// It is no header, or longer than is read.
    pub fn read(bytes: &[u8]) -> Result<Self, AgeError> {
        let bytes = &bytes[..bytes.len().min(HEADER_BYTES)];
        let mut at = 0;
        if next_line(bytes, &mut at)? != VERSION {
            return Err(AgeError::Shape);
        }
        let mut stanzas = Vec::new();
        loop {
            let begun = at;
            let line = next_line(bytes, &mut at)?;
            if let Some(mac) = line.strip_prefix("--- ") {
                let mac = decode(mac).filter(|mac| mac.len() == 32).ok_or(AgeError::Shape)?;
                let signed = bytes.get(..begun + "---".len()).ok_or(AgeError::Shape)?.to_vec();
                return if at == 0 || signed.is_empty() {
                    Err(AgeError::Shape)
                } else {
                    Ok(Self { stanzas, signed, mac, length: at })
                };
            }
            let words: Vec<&str> = line.strip_prefix("-> ").ok_or(AgeError::Shape)?.split(' ').collect();
            let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
            if !words.iter().all(is_word) {
                return Err(AgeError::Shape);
            }
            let body = stanza_body(bytes, &mut at)?;
            if let ["X25519", rest @ ..] = words.as_slice() {
                let [share] = rest else { return Err(AgeError::Shape) };
                let share = decode(share).and_then(|share| share.try_into().ok()).ok_or(AgeError::Shape)?;
                if body.len() != FILE_KEY_BYTES + TAG_BYTES {
                    return Err(AgeError::Shape);
                }
                stanzas.push((share, body));
            }
        }
    }

    /// The key of the file, for one of whoever it is sealed to.
    ///
    /// # Errors
    /// It is sealed to others, or was changed.
    pub fn open(&self, identity: &Identity) -> Result<FileKey, AgeError> {
        for (share, body) in &self.stanzas {
            let point = MontgomeryPoint(*share);
            let Ok(wrap) = wrapping(&point, *identity.0, share, &identity.recipient()) else { continue };
            let mut body = Zeroizing::new(body.clone());
            let Ok(opened) = wrap.open_in_place(nonce(0, false), Aad::empty(), &mut body) else { continue };
            let key = FileKey::new(opened.try_into().map_err(|_| AgeError::Shape)?);
            hmac::verify(&mac_key(&key)?, &self.signed, &self.mac).map_err(|_| AgeError::Changed)?;
            return Ok(key);
        }
        Err(AgeError::NotForYou)
    }
}

/// A line without its end; of a file of bytes, only what is ASCII is one.
fn next_line<'b>(bytes: &'b [u8], at: &mut usize) -> Result<&'b str, AgeError> {
    let rest = bytes.get(*at..).ok_or(AgeError::Shape)?;
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or(AgeError::Shape)?;
    *at += end + 1;
    rest.get(..end)
        .filter(|line| line.is_ascii())
        .and_then(|line| std::str::from_utf8(line).ok())
        .ok_or(AgeError::Shape)
}

/// Whole lines of 64 letters, and a last one that is shorter.
fn stanza_body(bytes: &[u8], at: &mut usize) -> Result<Vec<u8>, AgeError> {
    let mut body = Vec::new();
    loop {
        let line = next_line(bytes, at)?;
        if line.len() > COLUMNS {
            return Err(AgeError::Shape);
        }
        body.extend(decode(line).ok_or(AgeError::Shape)?);
        if line.len() < COLUMNS {
            return Ok(body);
        }
    }
}

/// Base64 without padding, in its one spelling.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(text.as_bytes()).ok()
}

/// The cipher that wraps the key of a file for one recipient.
fn wrapping(
    other: &MontgomeryPoint,
    secret: [u8; 32],
    share: &[u8; 32],
    recipient: &AgeRecipient,
) -> Result<LessSafeKey, AgeError> {
    let shared = Zeroizing::new(other.mul_clamped(secret).to_bytes());
    // A point of low order shares no secret (RFC 7748 §6.1).
    if *shared == [0; 32] {
        return Err(AgeError::Recipient);
    }
    let salt = [share.as_slice(), recipient.as_bytes()].concat();
    cipher(&derived(&*shared, &salt, WRAP_INFO)?)
}

fn mac_key(key: &FileKey) -> Result<hmac::Key, AgeError> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &*derived(&*key.0, &[], b"header")?))
}

struct Thirty2;

impl hkdf::KeyType for Thirty2 {
    fn len(&self) -> usize {
        32
    }
}

fn derived(secret: &[u8], salt: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, AgeError> {
    let mut out = Zeroizing::new([0; 32]);
    let known = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    known.expand(&[info], Thirty2).and_then(|made| made.fill(&mut *out)).map_err(|_| AgeError::Shape)?;
    Ok(out)
}

fn cipher(key: &Zeroizing<[u8; 32]>) -> Result<LessSafeKey, AgeError> {
    UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).map(LessSafeKey::new).map_err(|_| AgeError::Shape)
}

/// Eleven bytes of a count, and whether it is the last.
fn nonce(count: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[3..11].copy_from_slice(&count.to_be_bytes());
    bytes[11] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

/// Seals or opens the chunks of a file, one after the other, and never two at once.
pub struct Chunks {
    cipher: LessSafeKey,
    count: u64,
    ended: bool,
}

impl Chunks {
    /// Begins: `random` stands between the header and the chunks, and a file key is used with one alone.
    ///
    /// # Errors
    /// The keys can't be derived.
    pub fn new(key: &FileKey, random: &[u8; NONCE_BYTES]) -> Result<Self, AgeError> {
        let cipher = cipher(&derived(&*key.0, random, b"payload")?)?;
        Ok(Self { cipher, count: 0, ended: false })
    }

    /// Seals one chunk in place. All but the last are whole; the last of a file is empty if the file is.
    ///
    /// # Errors
    /// A chunk of another size, or after the last.
    pub fn seal(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), AgeError> {
        self.is_due(chunk.len(), last)?;
        let sealed = self.cipher.seal_in_place_append_tag(nonce(self.count, last), Aad::empty(), chunk);
        sealed.map_err(|_| AgeError::Broken)?;
        self.went(last);
        Ok(())
    }

    /// Opens one chunk in place.
    ///
    /// # Errors
    /// It was changed, or is not the next of its file.
    pub fn open<'c>(&mut self, chunk: &'c mut [u8], last: bool) -> Result<&'c [u8], AgeError> {
        self.is_due(chunk.len().checked_sub(TAG_BYTES).ok_or(AgeError::Broken)?, last)?;
        let opened = self.cipher.open_in_place(nonce(self.count, last), Aad::empty(), chunk);
        let opened = opened.map_err(|_| AgeError::Broken)?;
        self.went(last);
        Ok(opened)
    }

    fn is_due(&self, size: usize, last: bool) -> Result<(), AgeError> {
        let fits = if last { size <= CHUNK_BYTES && (size > 0 || self.count == 0) } else { size == CHUNK_BYTES };
        if fits && !self.ended && self.count < u64::MAX { Ok(()) } else { Err(AgeError::Broken) }
    }

    fn went(&mut self, last: bool) {
        self.count += 1;
        self.ended = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn identity(seed: u8) -> Identity {
        Identity::new([seed; 32])
    }

    fn sealed(plain: &[u8], to: &[u8]) -> Vec<u8> {
        let key = FileKey::new([7; 16]);
        let recipients: Vec<_> = to.iter().map(|seed| (identity(*seed).recipient(), [seed ^ 0x55; 32])).collect();
        let mut out = header(&key, &recipients).unwrap();
        out.extend([3; NONCE_BYTES]);
        let mut chunks = Chunks::new(&key, &[3; NONCE_BYTES]).unwrap();
        let mut parts: Vec<&[u8]> = plain.chunks(CHUNK_BYTES).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for (at, part) in parts.iter().enumerate() {
            let mut part = part.to_vec();
            chunks.seal(&mut part, at + 1 == parts.len()).unwrap();
            out.extend(part);
        }
        out
    }

    fn opened(bytes: &[u8], by: u8) -> Result<Vec<u8>, AgeError> {
        let header = Header::read(bytes)?;
        let key = header.open(&identity(by))?;
        let rest = &bytes[header.length..];
        let (random, rest) = rest.split_at_checked(NONCE_BYTES).ok_or(AgeError::Broken)?;
        let mut chunks = Chunks::new(&key, random.try_into().unwrap())?;
        let mut out = Vec::new();
        let mut parts: Vec<&[u8]> = rest.chunks(CHUNK_BYTES + TAG_BYTES).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for (at, part) in parts.iter().enumerate() {
            let mut part = part.to_vec();
            out.extend(chunks.open(&mut part, at + 1 == parts.len())?);
        }
        Ok(out)
    }

    #[test]
    fn keys_are_written_as_age_writes_them() {
        // The test vector of C2SP age, "The X25519 recipient type".
        let text = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
        let read = Identity::read(text).unwrap();
        assert_eq!(read.to_text().as_str(), text);
        assert_eq!(read.recipient().to_string(), "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj");
        let none = |text: &str| assert!(Identity::read(text).is_none(), "{text}");
        none("");
        none(&text.to_lowercase());
        none(&text[1..]);
        none(&text.replace("GAEX", "GAEQ"));
    }

    #[test]
    fn whoever_it_is_sealed_to_opens_it_and_nobody_else() {
        for size in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let plain = vec![b'x'; size];
            let file = sealed(&plain, &[1, 2]);
            assert_eq!(file.len() as u64, sealed_size(size as u64, 2));
            assert_eq!(opened(&file, 1), Ok(plain.clone()));
            assert_eq!(opened(&file, 2), Ok(plain));
            assert_eq!(opened(&file, 3), Err(AgeError::NotForYou));
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_carried_on_is_not_opened_whole() {
        let file = sealed(&vec![b'x'; 2 * CHUNK_BYTES], &[1]);
        let first = file.len() - CHUNK_BYTES - TAG_BYTES;
        // At the end of a chunk, in a chunk, in the header; and with more behind it.
        for cut in [first, file.len() - 1, 100, 10, 0] {
            assert!(opened(&file[..cut], 1).is_err(), "{cut}");
        }
        assert_eq!(opened(&[file.clone(), file[first..].to_vec()].concat(), 1), Err(AgeError::Broken));
        let mut long = Chunks::new(&FileKey::new([1; 16]), &[0; 16]).unwrap();
        long.seal(&mut vec![1], true).unwrap();
        assert_eq!(long.seal(&mut vec![1], true), Err(AgeError::Broken));
    }

    #[test]
    fn a_key_with_which_nothing_is_shared_is_refused() {
        let nobody = (AgeRecipient::new([0; 32]), [4; 32]);
        assert_eq!(header(&FileKey::new([1; 16]), &[nobody]), Err(AgeError::Recipient));
    }

    #[test]
    fn stanzas_of_other_kinds_are_passed_over() {
        let file = sealed(b"x", &[1]);
        let text = String::from_utf8_lossy(&file[..Header::read(&file).unwrap().length]).into_owned();
        let with = text.replacen("\n", &format!("\n-> ssh-rsa AbC d\n{}\n\n", "A".repeat(64)), 1);
        let read = Header::read(with.as_bytes()).unwrap();
        assert_eq!(read.stanzas.len(), 1);
        // The MAC is over all of them.
        assert_eq!(read.open(&identity(1)).err(), Some(AgeError::Changed));
        let shape = |text: &str| assert_eq!(Header::read(text.as_bytes()), Err(AgeError::Shape), "{text}");
        shape(&text.replace("v1", "v2"));
        shape(&text.replace("-> X25519 ", "->  X25519 "));
        shape(&text.replace("-> X25519 ", "-> X25519 x "));
        shape(&text.replace("--- ", "--- ="));
        shape(&text.replace("--- ", "-- "));
    }

    proptest! {
        #[test]
        fn no_changed_byte_is_opened(at in 0_usize..400, change in 1_u8..) {
            let mut file = sealed(b"evidence of something, a hundred bytes of it", &[1]);
            let at = at % file.len();
            file[at] ^= change;
            prop_assert!(opened(&file, 1).is_err());
        }

        #[test]
        fn no_bytes_make_a_header_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Header::read(&bytes);
        }
    }
}
