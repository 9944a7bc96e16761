//! What an authenticator and a browser say in a ceremony of WebAuthn (Level 3, W3C), read and checked: pure functions of
//! bytes, keys and time.
//!
//! No attestation is asked for, so a registration needs no CBOR: the page sends the key as `SubjectPublicKeyInfo`
//! (`getPublicKey()`), and the authenticator data as they are. That the two belong together is proved at the first login.

use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use model::Timestamp;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::limits;

/// Why an answer to a challenge counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `clientDataJSON` is too long, or no JSON of that shape.
    #[error("the client data can't be read")]
    ClientData,
    /// Made for another purpose: `webauthn.create` or `webauthn.get`.
    #[error("the client data are of another ceremony")]
    Ceremony,
    /// Not a challenge of ours, for another purpose or session, or one that has run out.
    #[error("the challenge is not ours, is for something else, or has run out")]
    Challenge,
    /// A page elsewhere, or in a frame of another site.
    #[error("a page of another origin asked")]
    Origin,
    /// Authenticator data that are too short, too long, or contradict themselves.
    #[error("the authenticator data can't be read")]
    AuthenticatorData,
    /// For another host.
    #[error("the authenticator answered to another host")]
    Host,
    /// Nobody touched the authenticator.
    #[error("nobody was present at the authenticator")]
    Presence,
    /// The authenticator did not ask for PIN or finger.
    #[error("the authenticator did not verify its person")]
    Verification,
    /// Neither ES256 nor Ed25519, or a key that is none.
    #[error("the key is of an algorithm that is not taken, or is none")]
    Key,
    /// The signature.
    #[error("the signature does not fit")]
    Signature,
}

/// A host name that passkeys can be bound to (the RP id): DNS names, which an address is not (WebAuthn Level 3 §5.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Reads a host name in small letters; `None` if it is none, or an address.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(letter)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let last = text.rsplit('.').next().unwrap_or_default();
        // A last label of digits is read as an IPv4 address (URL standard, "ends in a number"), and so is `0x7f`.
        let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
        let good = text.len() <= limits::HOST_BYTES && text.split('.').all(label) && !is_number;
        good.then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is this the origin of a page of that host? By HTTPS on any port; without TLS on the machine itself alone, where
    /// browsers hold it for as safe (W3C Secure Contexts §3.1).
    fn is_origin(&self, origin: &str) -> bool {
        let rest = match origin.strip_prefix("https://") {
            Some(rest) => rest,
            None if self.0 == "localhost" => origin.strip_prefix("http://").unwrap_or_default(),
            None => return false,
        };
        match rest.strip_prefix(self.0.as_str()) {
            Some("") => true,
            Some(port) => port
                .strip_prefix(':')
                .is_some_and(|port| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit())),
            None => false,
        }
    }
}

/// What a challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// Logging in.
    LogIn,
    /// Registering a passkey, within the session of that token.
    Register(&'a [u8; 32]),
}

impl Purpose<'_> {
    fn ceremony(self) -> &'static str {
        match self {
            Self::LogIn => "webauthn.get",
            Self::Register(_) => "webauthn.create",
        }
    }
}

/// Bytes of a challenge: until when, 32 bytes of chance, and a code that only this node makes.
pub const CHALLENGE_BYTES: usize = 8 + 32 + 32;

/// A challenge that needs no memory until it is answered: a flood of questions takes no room.
#[must_use]
pub fn challenge(key: &[u8; 32], purpose: Purpose<'_>, until: Timestamp, nonce: &[u8; 32]) -> [u8; CHALLENGE_BYTES] {
    let mut bytes = [0; CHALLENGE_BYTES];
    bytes[..8].copy_from_slice(&until.micros().to_be_bytes());
    bytes[8..40].copy_from_slice(nonce);
    let code = code(key, purpose, &bytes[..40]);
    bytes[40..].copy_from_slice(&code);
    bytes
}

fn code(key: &[u8; 32], purpose: Purpose<'_>, said: &[u8]) -> [u8; 32] {
    // HMAC takes keys of every length (RFC 2104 §2), so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(purpose.ceremony().as_bytes());
    mac.update(&[0]);
    mac.update(said);
    if let Purpose::Register(session) = purpose {
        mac.update(session);
    }
    mac.finalize().into_bytes().into()
}

/// A challenge of ours that has not run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// What makes it the only one.
    pub nonce: [u8; 32],
    /// Until when it is good.
    pub until: Timestamp,
}

fn open(key: &[u8; 32], purpose: Purpose<'_>, bytes: &[u8], now: Timestamp) -> Result<Opened, Fault> {
    let bytes: &[u8; CHALLENGE_BYTES] = bytes.try_into().map_err(|_| Fault::Challenge)?;
    let (said, mac) = bytes.split_at(40);
    if !bool::from(code(key, purpose, said).ct_eq(mac)) {
        return Err(Fault::Challenge);
    }
    let (mut until, mut nonce) = ([0; 8], [0; 32]);
    until.copy_from_slice(&said[..8]);
    nonce.copy_from_slice(&said[8..]);
    let until = Timestamp::from_micros(i64::from_be_bytes(until));
    if until <= now { Err(Fault::Challenge) } else { Ok(Opened { nonce, until }) }
}

/// The members of `clientDataJSON` that are checked (WebAuthn Level 3 §5.8.1). Others may be there, and more may come.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientData {
    /// The ceremony.
    pub r#type: String,
    /// The challenge, in base64url without padding.
    pub challenge: String,
    /// Which page asked.
    pub origin: String,
    /// Did it ask out of a frame of another site?
    #[serde(default)]
    pub cross_origin: bool,
}

impl ClientData {
    /// Reads what a browser serialised.
    ///
    /// # Errors
    /// Too long, no JSON, a member missing, double or of another type.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() > limits::CLIENT_DATA_BYTES {
            return Err(Fault::ClientData);
        }
        serde_json::from_slice(bytes).map_err(|_| Fault::ClientData)
    }
}

/// Authenticator data (WebAuthn Level 3 §6.1) as far as they are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the host name that the authenticator answers to.
    pub host: [u8; 32],
    /// Was somebody there?
    pub present: bool,
    /// Has the authenticator checked who?
    pub verified: bool,
    /// May the key be copied?
    pub backup_eligible: bool,
    /// Is it copied?
    pub backed_up: bool,
    /// Signatures so far; 0 from authenticators that don't count.
    pub count: u32,
    /// The new credential's id, in a registration.
    pub credential: Option<Vec<u8>>,
}

const FIXED_BYTES: usize = 37;
const ATTESTED_BYTES: usize = FIXED_BYTES + 18;

impl AuthenticatorData {
    /// Reads the fixed part, and the credential id if one is there. What follows is a key that the page sends in another
    /// form, and extensions, none of which is asked for.
    ///
    /// # Errors
    /// Too short, too long, longer than its flags say, or copied though it can't be.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() < FIXED_BYTES || bytes.len() > limits::AUTHENTICATOR_DATA_BYTES {
            return Err(Fault::AuthenticatorData);
        }
        let flags = bytes[32];
        let is_set = |bit: u8| flags & (1 << bit) != 0;
        let (attested, extended) = (is_set(6), is_set(7));
        if (!attested && !extended && bytes.len() != FIXED_BYTES) || (is_set(4) && !is_set(3)) {
            return Err(Fault::AuthenticatorData);
        }
        let (mut host, mut count) = ([0; 32], [0; 4]);
        host.copy_from_slice(&bytes[..32]);
        count.copy_from_slice(&bytes[33..FIXED_BYTES]);
        Ok(Self {
            host,
            present: is_set(0),
            verified: is_set(2),
            backup_eligible: is_set(3),
            backed_up: is_set(4),
            count: u32::from_be_bytes(count),
            credential: if attested { Some(credential(bytes)?) } else { None },
        })
    }
}

fn credential(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let length = bytes.get(ATTESTED_BYTES - 2..ATTESTED_BYTES).ok_or(Fault::AuthenticatorData)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let id = bytes.get(ATTESTED_BYTES..ATTESTED_BYTES + length).ok_or(Fault::AuthenticatorData)?;
    let good = (1..=limits::CREDENTIAL_ID_BYTES).contains(&length);
    if good { Ok(id.to_vec()) } else { Err(Fault::AuthenticatorData) }
}

/// A public key of one of the two algorithms that are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA with SHA-256 on P-256: an uncompressed point (SEC 1 §2.3.3).
    Es256([u8; 65]),
    /// Ed25519 (RFC 8032).
    Ed25519([u8; 32]),
}

/// `SubjectPublicKeyInfo` up to the key: `id-ecPublicKey` with `prime256v1` (RFC 5480 §2).
const P256_HEAD: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/// The same of `id-Ed25519` (RFC 8410 §4).
const ED25519_HEAD: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

impl PublicKey {
    /// ES256 and `EdDSA`, as COSE numbers them (RFC 9053 §2), in the order in which they are asked for.
    pub const ALGORITHMS: [i64; 2] = [-7, -8];

    /// Reads what `getPublicKey()` gives. DER has one spelling, so both heads are compared whole.
    ///
    /// # Errors
    /// Another algorithm than was said, one that is not taken, or bytes that are no key.
    pub fn read(algorithm: i64, der: &[u8]) -> Result<Self, Fault> {
        let head = if algorithm == Self::ALGORITHMS[0] { P256_HEAD } else { ED25519_HEAD };
        Self::stored(algorithm, der.strip_prefix(head).ok_or(Fault::Key)?)
    }

    /// Reads what [`bytes`](Self::bytes) gave.
    ///
    /// # Errors
    /// Not a key of that algorithm.
    pub fn stored(algorithm: i64, bytes: &[u8]) -> Result<Self, Fault> {
        match algorithm {
            -7 => {
                let point: [u8; 65] = bytes.try_into().map_err(|_| Fault::Key)?;
                if point[0] == 4 { Ok(Self::Es256(point)) } else { Err(Fault::Key) }
            }
            -8 => {
                let key: [u8; 32] = bytes.try_into().map_err(|_| Fault::Key)?;
                let is_weak = VerifyingKey::from_bytes(&key).map_err(|_| Fault::Key)?.is_weak();
                if is_weak { Err(Fault::Key) } else { Ok(Self::Ed25519(key)) }
            }
            _ => Err(Fault::Key),
        }
    }

    /// The COSE number of the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => Self::ALGORITHMS[0],
            Self::Ed25519(_) => Self::ALGORITHMS[1],
        }
    }

    /// The key without what is around it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Es256(point) => point,
            Self::Ed25519(key) => key,
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Fault> {
        let fits = match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
            }
            Self::Ed25519(key) => match (VerifyingKey::from_bytes(key), Signature::from_slice(signature)) {
                (Ok(key), Ok(signature)) => key.verify_strict(message, &signature).is_ok(),
                _ => false,
            },
        };
        if fits { Ok(()) } else { Err(Fault::Signature) }
    }
}

/// What an answer is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The host that people reach.
    pub host: &'a HostName,
    /// What the challenge was for.
    pub purpose: Purpose<'a>,
    /// The key of challenges.
    pub key: &'a [u8; 32],
    /// The time on people's watches.
    pub now: Timestamp,
}

/// Checks what both ceremonies share (WebAuthn Level 3 §7.1 steps 7 to 17, §7.2 steps 11 to 18).
///
/// # Errors
/// The first thing that is not as it must be.
pub fn check(
    expected: &Expected<'_>,
    client_data: &[u8],
    authenticator_data: &[u8],
) -> Result<(Opened, AuthenticatorData), Fault> {
    let client = ClientData::read(client_data)?;
    if client.r#type != expected.purpose.ceremony() {
        return Err(Fault::Ceremony);
    }
    let said = data_encoding::BASE64URL_NOPAD.decode(client.challenge.as_bytes()).map_err(|_| Fault::Challenge)?;
    let opened = open(expected.key, expected.purpose, &said, expected.now)?;
    if client.cross_origin || !expected.host.is_origin(&client.origin) {
        return Err(Fault::Origin);
    }
    let data = AuthenticatorData::read(authenticator_data)?;
    let host: [u8; 32] = Sha256::digest(expected.host.as_str().as_bytes()).into();
    if data.host != host {
        return Err(Fault::Host);
    }
    if !data.present {
        return Err(Fault::Presence);
    }
    if !data.verified {
        return Err(Fault::Verification);
    }
    Ok((opened, data))
}

/// Does the signature of a login fit (WebAuthn Level 3 §7.2 steps 19 and 20)?
///
/// # Errors
/// It does not.
pub fn check_signature(
    key: &PublicKey,
    client_data: &[u8],
    authenticator_data: &[u8],
    signature: &[u8],
) -> Result<(), Fault> {
    let mut message = authenticator_data.to_vec();
    message.extend_from_slice(&Sha256::digest(client_data));
    key.verify(&message, signature)
}

#[cfg(test)]
mod tests;
