//! A nation's identity: what its root key, kept offline, says of its log, its keys and its address.

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use model::{Origin, PartnerClass, RootId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::log_keys::Past;
use crate::successor::Succeeds;
use crate::verified::Verified;

/// Largest signed identity, bytes: four pins, sixteen versions and the longest names fit four times.
pub const MAX_IDENTITY_BYTES: usize = 8 * 1024;
/// Most TLS pins: the current key, its successor, and the same again for a second listener.
pub const MAX_PINS: usize = 4;
/// Most wire versions: a node speaks its own and those of two releases before.
pub const MAX_WIRE_VERSIONS: usize = 16;
/// Longest address, bytes: a DNS name of 253 (RFC 1035 §2.3.4), a colon and a port.
pub const MAX_ADDRESS_BYTES: usize = 259;

/// What is signed is this label and then the payload, so that no other signature of the root key can pass for one.
const LABEL: &[u8] = b"entraide/identity/v1";
/// First line of the file.
const HEADER: &str = "entraide/identity/v1";

model::hex_newtype!(
    /// The SHA-256 of a TLS certificate's SubjectPublicKeyInfo (as RFC 7469 §2.4 pins keys).
    Pin,
    32
);

/// Everything that a partner must know of a node before it listens to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The log's name; its root id is the hash of `root_key`.
    pub origin: Origin,
    /// The authority's name in its own language.
    pub name: String,
    /// Counts up with every change, from 1; receivers take only higher ones.
    pub version: u64,
    /// The Ed25519 root public key, whose private half is offline.
    #[serde(with = "key_hex")]
    pub root_key: [u8; 32],
    /// The Ed25519 public key that signs the log's checkpoints.
    #[serde(with = "key_hex")]
    pub log_key: [u8; 32],
    /// The keys that the node's TLS certificates may have.
    pub tls_pins: Vec<Pin>,
    /// The Ed25519 public key with which the node cosigns partners' checkpoints.
    #[serde(with = "key_hex")]
    pub witness_key: [u8; 32],
    /// The Ed25519 public key that signs mandates.
    #[serde(with = "key_hex")]
    pub mandate_key: [u8; 32],
    /// `host:port` of the federation listener.
    pub address: String,
    /// What the node says that it is; the receiver's own people decide what it is to them.
    pub class: PartnerClass,
    /// The wire versions that it speaks.
    pub wire: Vec<u16>,
    /// When the root key signed it.
    pub issued: Timestamp,
    /// Keys that were replaced, and what is no longer the nation's word. Left out where there is nothing to say: readers
    /// of before do not know it.
    #[serde(default, skip_serializing_if = "Past::is_empty")]
    pub past: Past,
    /// The log that this one takes the place of; left out for a nation's first log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeds: Option<Succeeds>,
}

/// An identity as it was signed: the exact bytes, never re-serialised.
///
/// As bytes it is a text of three lines: the header, the payload (JSON on one line), the signature in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIdentity {
    payload: String,
    signature: [u8; 64],
}

/// Why an identity was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// More than [`MAX_IDENTITY_BYTES`].
    #[error("the identity has {0} bytes, more than {MAX_IDENTITY_BYTES}: ask the partner for its identity file")]
    Size(usize),
    /// Not the three lines of an identity file.
    #[error("this is not an identity file: expected `{HEADER}`, one line of JSON and one line of signature")]
    Format,
    /// The payload isn't an identity.
    #[error("the identity can't be read: {0}")]
    Payload(String),
    /// A field is empty, too long, or not what it should be.
    #[error("the identity's {field} is refused: {why}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What it must be.
        why: &'static str,
    },
    /// The origin isn't named after the root key.
    #[error("the origin `{0}` is not named after the identity's root key: the file is forged or damaged")]
    Root(Origin),
    /// The country can't be of that class.
    #[error("`{country}` can't be of class `{class}`: ask the partner to correct its identity")]
    Country {
        /// The country that the origin names.
        country: model::Country,
        /// The class that the identity claims.
        class: PartnerClass,
    },
    /// The root key didn't sign this payload.
    #[error("the root key did not sign this identity: the file is forged or damaged")]
    Signature,
    /// Another nation's identity.
    #[error("`{new}` can't replace `{old}`: another origin needs its own peering")]
    Origin {
        /// Whose identity we hold.
        old: Origin,
        /// Whose identity came.
        new: Origin,
    },
    /// Not newer than what is held.
    #[error("version {new} does not supersede version {old}: only a higher version is taken")]
    Version {
        /// The version that we hold.
        old: u64,
        /// The version that came.
        new: u64,
    },
}

/// Signs an identity with the root key.
#[must_use]
pub fn sign(identity: &Identity, root: &SigningKey) -> SignedIdentity {
    // A struct of strings and numbers always serialises; an empty payload would be refused by every reader anyway.
    let payload = serde_json::to_string(identity).unwrap_or_default();
    let signature = root.sign(&signed_bytes(&payload)).to_bytes();
    SignedIdentity { payload, signature }
}

/// Checks an identity against its own root key: from then on its fields are what the root key said.
///
/// Whether this root key is the nation's is for people to decide (invitation, roster, telephone).
///
/// # Errors
/// Anything that an honest root key would not have signed; see [`IdentityError`].
pub fn verify(signed: &SignedIdentity) -> Result<Verified<Identity>, IdentityError> {
    let identity: Identity =
        serde_json::from_str(&signed.payload).map_err(|error| IdentityError::Payload(error.to_string()))?;
    if identity.origin.root() != RootId::of_key(&identity.root_key) {
        return Err(IdentityError::Root(identity.origin));
    }
    let root = public_key("root_key", &identity.root_key)?;
    let signature = Signature::from_bytes(&signed.signature);
    root.verify_strict(&signed_bytes(&signed.payload), &signature).map_err(|_| IdentityError::Signature)?;
    check_fields(&identity)?;
    check_country(&identity)?;
    Ok(Verified::new(identity))
}

/// May `new` take the place of `old`? Same country, realm and root key, a higher version, no earlier epoch.
///
/// # Errors
/// [`IdentityError::Origin`] or [`IdentityError::Version`].
pub fn supersedes(old: &Identity, new: &Identity) -> Result<(), IdentityError> {
    let same = old.origin.base() == new.origin.base() && old.root_key == new.root_key;
    if !same || new.origin.epoch() < old.origin.epoch() {
        return Err(IdentityError::Origin { old: old.origin.clone(), new: new.origin.clone() });
    }
    if new.version <= old.version {
        return Err(IdentityError::Version { old: old.version, new: new.version });
    }
    Ok(())
}

impl SignedIdentity {
    /// The file: header, payload, signature, a line each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("{HEADER}\n{}\n{}\n", self.payload, BASE64.encode(&self.signature)).into_bytes()
    }
    /// Reads the file; says nothing of who signed it, which [`verify`] does.
    ///
    /// # Errors
    /// [`IdentityError::Size`] or [`IdentityError::Format`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() > MAX_IDENTITY_BYTES {
            return Err(IdentityError::Size(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| IdentityError::Format)?;
        let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n')).ok_or(IdentityError::Format)?;
        let lines = rest.strip_suffix('\n').ok_or(IdentityError::Format)?;
        let (payload, signature) = lines.split_once('\n').ok_or(IdentityError::Format)?;
        let signature = decoded(signature).and_then(|bytes| bytes.try_into().ok()).ok_or(IdentityError::Format)?;
        Ok(Self { payload: payload.to_owned(), signature })
    }
    /// SHA-256 of the file: what the proofs of a peering bind.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.to_bytes()).into()
    }
}

impl Identity {
    /// SHA-256 of the root key: what an invitation names, so that nobody else can answer it.
    #[must_use]
    pub fn root_hash(&self) -> [u8; 32] {
        Sha256::digest(self.root_key).into()
    }
}

impl Serialize for SignedIdentity {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&BASE64.encode(&self.to_bytes()))
    }
}
impl<'de> Deserialize<'de> for SignedIdentity {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::from_base64(&text).map_err(serde::de::Error::custom)
    }
}

impl SignedIdentity {
    /// The file in base64, on one line: how rosters and peering bodies carry it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        BASE64.encode(&self.to_bytes())
    }
    /// Reads [`Self::to_base64`].
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn from_base64(text: &str) -> Result<Self, IdentityError> {
        if text.len() > MAX_IDENTITY_BYTES.div_ceil(3) * 4 {
            return Err(IdentityError::Size(text.len()));
        }
        Self::from_bytes(&decoded(text).ok_or(IdentityError::Format)?)
    }
}

/// Base64 in its one spelling: the library also reads several padded texts one after the other.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok().filter(|bytes| BASE64.encode(bytes) == text)
}

fn signed_bytes(payload: &str) -> Vec<u8> {
    [LABEL, payload.as_bytes()].concat()
}

pub(crate) fn refuse(field: &'static str, why: &'static str) -> IdentityError {
    IdentityError::Field { field, why }
}

pub(crate) fn public_key(field: &'static str, bytes: &[u8; 32]) -> Result<VerifyingKey, IdentityError> {
    // A key of small order would accept signatures that nobody made (RFC 8032 §8.4 leaves that check to us).
    VerifyingKey::from_bytes(bytes)
        .ok()
        .filter(|key| !key.is_weak())
        .ok_or_else(|| refuse(field, "it is not an Ed25519 public key"))
}

fn check_fields(identity: &Identity) -> Result<(), IdentityError> {
    for (field, key) in
        [("log_key", &identity.log_key), ("witness_key", &identity.witness_key), ("mandate_key", &identity.mandate_key)]
    {
        public_key(field, key)?;
    }
    let name = &identity.name;
    if name.trim().is_empty() || name.len() > model::limits::NAME_BYTES || name.chars().any(char::is_control) {
        return Err(refuse("name", "write 1 to 200 bytes of text without line breaks"));
    }
    if identity.version == 0 {
        return Err(refuse("version", "versions count from 1"));
    }
    if identity.tls_pins.is_empty() || identity.tls_pins.len() > MAX_PINS {
        return Err(refuse("tls_pins", "name 1 to 4 keys"));
    }
    identity.past.check()?;
    if let Some(succeeds) = &identity.succeeds {
        succeeds.check(&identity.origin)?;
    }
    if identity.wire.is_empty() || identity.wire.len() > MAX_WIRE_VERSIONS {
        return Err(refuse("wire", "name 1 to 16 versions"));
    }
    if !is_address(&identity.address) {
        return Err(refuse("address", "write host:port"));
    }
    Ok(())
}

/// Can the country be of the class that it claims? Bodies and hubs of any country are left to people.
fn check_country(identity: &Identity) -> Result<(), IdentityError> {
    let country = identity.origin.country();
    let member = country.is_member_state();
    let plausible = match identity.class {
        PartnerClass::EuState => member,
        PartnerClass::EuBody => country.as_str() == "EU",
        PartnerClass::Eea => matches!(country.as_str(), "IS" | "LI" | "NO"),
        PartnerClass::Associated | PartnerClass::ThirdCountry => !member && country.as_str() != "EU",
        PartnerClass::Provider | PartnerClass::Hub => true,
    };
    if plausible { Ok(()) } else { Err(IdentityError::Country { country, class: identity.class }) }
}

/// Is it `host:port`, the host being a DNS name, an IPv4 address, or an IPv6 address in brackets?
pub(crate) fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let plain_port = !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
    let good_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse::<core::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && !host.starts_with(['-', '.'])
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
        }
    };
    text.len() <= MAX_ADDRESS_BYTES && plain_port && port.parse::<u16>().is_ok() && good_host
}

/// Public keys in JSON as hexadecimal.
pub(crate) mod key_hex {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(key: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&model::bytes::hex(key))
    }
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        model::bytes::unhex(&text).ok_or_else(|| serde::de::Error::custom("expected 32 bytes of hexadecimal"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use model::Realm;
    use proptest::prelude::*;

    /// A key and an identity that its holder would sign; `seed` makes them different.
    pub(crate) fn sample(country: &str, seed: u8) -> (SigningKey, Identity) {
        let root = SigningKey::from_bytes(&[seed; 32]);
        let key = |n: u8| SigningKey::from_bytes(&[seed ^ n; 32]).verifying_key().to_bytes();
        let root_key = root.verifying_key().to_bytes();
        let identity = Identity {
            origin: Origin::new(country.parse().unwrap(), Realm::Real, RootId::of_key(&root_key)),
            name: "Équipe nationale".to_owned(),
            version: 1,
            root_key,
            log_key: key(1),
            tls_pins: vec![Pin::new([seed; 32])],
            witness_key: key(2),
            mandate_key: key(3),
            address: "node.example:8443".to_owned(),
            class: PartnerClass::EuState,
            wire: vec![1],
            issued: Timestamp::from_seconds(1_795_000_000),
            past: Past::default(),
            succeeds: None,
        };
        (root, identity)
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let (root, identity) = sample("FR", 7);
        let text = String::from_utf8(sign(&identity, &root).to_bytes()).unwrap();
        let line = text.lines().last().unwrap();
        let bytes = BASE64.decode(line.as_bytes()).unwrap();
        // Two padded texts, one after the other, are the same bytes to the library.
        let (head, tail) = bytes.split_at(61);
        let twice = format!("{}{}", BASE64.encode(head), BASE64.encode(tail));
        assert_eq!(BASE64.decode(twice.as_bytes()).unwrap(), bytes);
        let other = text.replace(line, &twice);
        assert_eq!(SignedIdentity::from_bytes(other.as_bytes()), Err(IdentityError::Format));
        assert!(SignedIdentity::from_bytes(text.as_bytes()).is_ok());
    }

    fn check(change: impl FnOnce(&mut Identity), expect: Option<&str>) {
        let (root, mut identity) = sample("FR", 7);
        change(&mut identity);
        let signed = sign(&identity, &root);
        let read = SignedIdentity::from_bytes(&signed.to_bytes()).unwrap();
        match (verify(&read), expect) {
            (Ok(verified), None) => assert_eq!(*verified, identity),
            (Err(error), Some(part)) => assert!(error.to_string().contains(part), "{error}"),
            (outcome, _) => panic!("{outcome:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn an_identity_is_checked_field_by_field() {
        check(|_| {}, None);
        check(|id| id.address = "[2001:db8::1]:443".to_owned(), None);
        check(|id| id.name = "a\nb".to_owned(), Some("name"));
        check(|id| id.name = "x".repeat(201), Some("name"));
        check(|id| id.version = 0, Some("version"));
        check(|id| id.tls_pins.clear(), Some("tls_pins"));
        check(|id| id.tls_pins = vec![Pin::new([0; 32]); 5], Some("tls_pins"));
        check(|id| id.wire.clear(), Some("wire"));
        check(|id| id.address = "node.example".to_owned(), Some("address"));
        check(|id| id.address = "node.example/x:80".to_owned(), Some("address"));
        check(|id| id.address = "node.example:070".to_owned(), Some("address"));
        check(|id| id.log_key = [0; 32], Some("log_key"));
        check(|id| id.root_key = id.log_key, Some("not named after"));
        check(|id| id.class = PartnerClass::ThirdCountry, Some("`FR`"));
        check(|id| id.class = PartnerClass::Hub, None);
    }

    #[test]
    fn what_is_larger_than_an_identity_is_not_read() {
        let (root, identity) = sample("FR", 7);
        let text = String::from_utf8(sign(&identity, &root).to_bytes()).unwrap();
        let check = |bytes: usize, expect: Result<(), IdentityError>| {
            let padded = text.replacen('{', &format!("{{{}", " ".repeat(bytes - text.len())), 1);
            assert_eq!(SignedIdentity::from_bytes(padded.as_bytes()).map(|_| ()), expect);
        };
        check(MAX_IDENTITY_BYTES, Ok(()));
        check(MAX_IDENTITY_BYTES + 1, Err(IdentityError::Size(MAX_IDENTITY_BYTES + 1)));
    }

    #[test]
    fn only_the_root_key_signs() {
        let (_, identity) = sample("FR", 7);
        let (other, _) = sample("FR", 8);
        assert_eq!(verify(&sign(&identity, &other)).unwrap_err(), IdentityError::Signature);
    }

    #[test]
    fn only_higher_versions_of_the_same_nation_are_taken() {
        let (_, old) = sample("FR", 7);
        let newer = Identity { version: 2, ..old.clone() };
        let stranger = Identity { version: 2, ..sample("FR", 8).1 };
        let successor = Identity { origin: old.origin.with_epoch(1), ..newer.clone() };
        assert_eq!(supersedes(&old, &newer), Ok(()));
        assert_eq!(supersedes(&old, &successor), Ok(()));
        assert!(matches!(supersedes(&old, &old), Err(IdentityError::Version { old: 1, new: 1 })));
        assert!(matches!(supersedes(&old, &stranger), Err(IdentityError::Origin { .. })));
        assert!(matches!(supersedes(&successor, &Identity { version: 3, ..newer }), Err(IdentityError::Origin { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_changed_byte_passes(at in any::<prop::sample::Index>(), mask in 1_u8..) {
            let (root, identity) = sample("EE", 9);
            let mut bytes = sign(&identity, &root).to_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            prop_assert!(SignedIdentity::from_bytes(&bytes).map_or(true, |read| verify(&read).is_err()));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = SignedIdentity::from_bytes(&bytes);
            let _ = SignedIdentity::from_bytes(&[b"entraide/identity/v1\n", &bytes[..]].concat());
        }
    }
}
