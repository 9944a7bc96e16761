//! Peering: the invitation that two people exchange, the proofs that bind it to one TLS session, and the six words.
//!
//! The joiner holds the invitation; the host made it. Both compute their proofs over the same exporter (RFC 8446 §7.5),
//! so that somebody in the middle, who has two sessions, can't pass one side's proof to the other.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::identity::{self, Identity, IdentityError, MAX_ADDRESS_BYTES, MAX_IDENTITY_BYTES, Pin, SignedIdentity};
use crate::verified::Verified;

/// How long an invitation is good for, seconds: a weekend passes between two people's telephone calls.
pub const VALID_SECONDS: i64 = 72 * 3600;
/// How many failed proofs an invitation survives: mistakes are few, and 128 bits are not guessed in five.
pub const TRIES: u32 = 5;
/// The label of the TLS exporter that both sides use, with no context and 32 bytes (RFC 8446 §7.5).
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-entraide-peering-v1";
/// Largest body of a peering request or answer, bytes: an identity in base64 and two short fields.
pub const MAX_BODY_BYTES: usize = MAX_IDENTITY_BYTES.div_ceil(3) * 4 + 1_024;
/// Longest invitation that is read, letters: the longest address and the keys fit twice.
pub const MAX_INVITATION_BYTES: usize = 1_024;

const PREFIX: &str = "entraide-invite-1";
const CHECKSUM_LABEL: &[u8] = b"entraide/invite/v1";
const ID_LABEL: &[u8] = b"entraide/invite-id/v1";
const JOIN_LABEL: &[u8] = b"entraide/peer/join/v1";
const HOST_LABEL: &[u8] = b"entraide/peer/host/v1";
const WORDS_LABEL: &[u8] = b"entraide/peer/words/v1";
/// Pin, root hash, secret and checksum.
const FIXED_BYTES: usize = 32 + 32 + 16 + CHECKSUM_BYTES;
/// 32 bits: a typing error passes once in four thousand million.
const CHECKSUM_BYTES: usize = 4;

model::hex_newtype!(
    /// Names an invitation without giving its secret away, so that the host counts tries against the right one.
    InvitationId,
    32
);

/// What the host's person gives to the joiner's person. Whoever holds it may ask to peer, once.
#[derive(Clone)]
pub struct Invitation {
    /// `host:port` of the host's federation listener.
    pub address: String,
    /// The key that the host's TLS certificate has.
    pub pin: Pin,
    /// SHA-256 of the host's root key.
    pub root_hash: [u8; 32],
    /// 128 random bits that both sides prove to know and neither sends.
    pub secret: [u8; 16],
}

/// Why a peering didn't come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeeringError {
    /// Not an invitation at all.
    #[error("this is not an invitation: it begins with `{PREFIX}`, so copy the whole line")]
    NotAnInvitation,
    /// Letters are missing, added or changed.
    #[error("the invitation has a typing error: copy the whole line again")]
    Typing,
    /// Well typed, but its address is none.
    #[error("the invitation's address is refused: ask the partner for a new invitation")]
    Address,
    /// A body too large or not of its shape.
    #[error("the peering message can't be read: {0}")]
    Body(String),
    /// The other side's identity is refused.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The TLS key in use isn't one that the identity or the invitation names.
    #[error("the connection's key is not the one that was promised: somebody may stand between, so stop and telephone")]
    Pin,
    /// Another nation answered.
    #[error("another root key answered than the invitation names: somebody may stand between, so stop and telephone")]
    Root,
    /// The other side doesn't know the secret, or stands on another TLS session.
    #[error("the proof is wrong: the invitation is another one, or somebody stands between")]
    Proof,
}

/// The TLS session as both sides see it: what the proofs bind.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// 32 bytes of [`EXPORTER_LABEL`].
    pub exporter: [u8; 32],
    /// The key of the joiner's certificate.
    pub joiner: Pin,
    /// The key of the host's certificate.
    pub host: Pin,
}

/// An HMAC-SHA256 by which one side shows that it knows the invitation's secret.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Proof(ProofBytes);

model::hex_newtype!(
    /// The bytes of a proof as JSON carries them.
    ProofBytes,
    32
);

/// The joiner's body of `POST /federation/v1/peer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRequest {
    /// Which invitation is taken up.
    pub invitation: InvitationId,
    /// Who the joiner is.
    pub identity: SignedIdentity,
    /// [`join_proof`].
    pub proof: Proof,
}

/// The host's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerAnswer {
    /// Who the host is.
    pub identity: SignedIdentity,
    /// [`host_proof`].
    pub proof: Proof,
}

impl Invitation {
    /// The invitation on one line: the prefix and lower-case base32 with a checksum.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = Zeroizing::new(Vec::with_capacity(FIXED_BYTES + self.address.len()));
        bytes.extend_from_slice(self.pin.as_bytes());
        bytes.extend_from_slice(&self.root_hash);
        bytes.extend_from_slice(&self.secret);
        bytes.extend_from_slice(self.address.as_bytes());
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        let letters = Zeroizing::new(BASE32_NOPAD.encode(&bytes));
        format!("{PREFIX}-{}", letters.to_ascii_lowercase())
    }

    /// Reads an invitation in either case, also when a mail program has wrapped the line.
    ///
    /// # Errors
    /// [`PeeringError::NotAnInvitation`], [`PeeringError::Typing`] or [`PeeringError::Address`].
    pub fn decode(text: &str) -> Result<Self, PeeringError> {
        if text.len() > MAX_INVITATION_BYTES {
            return Err(PeeringError::NotAnInvitation);
        }
        let text: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect());
        let letters = text.strip_prefix(PREFIX).ok_or(PeeringError::NotAnInvitation)?;
        let letters = letters.strip_prefix('-').ok_or(PeeringError::Typing)?;
        let letters = Zeroizing::new(letters.to_ascii_uppercase());
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(letters.as_bytes()).map_err(|_| PeeringError::Typing)?);
        if bytes.len() <= FIXED_BYTES || bytes.len() > FIXED_BYTES + MAX_ADDRESS_BYTES {
            return Err(PeeringError::Typing);
        }
        let (payload, sum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
        if checksum(payload) != sum {
            return Err(PeeringError::Typing);
        }
        let (mut pin, mut root_hash, mut secret) = ([0; 32], [0; 32], [0; 16]);
        pin.copy_from_slice(&payload[..32]);
        root_hash.copy_from_slice(&payload[32..64]);
        secret.copy_from_slice(&payload[64..80]);
        let invitation = Self {
            address: String::from_utf8_lossy(&payload[80..]).into_owned(),
            pin: Pin::new(pin),
            root_hash,
            secret,
        };
        secret.zeroize();
        if identity::is_address(&invitation.address) { Ok(invitation) } else { Err(PeeringError::Address) }
    }

    /// The name under which the host keeps it.
    #[must_use]
    pub fn id(&self) -> InvitationId {
        invitation_id(&self.secret)
    }
}

impl Drop for Invitation {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl PartialEq for Invitation {
    fn eq(&self, other: &Self) -> bool {
        let public = self.address == other.address && self.pin == other.pin && self.root_hash == other.root_hash;
        bool::from(self.secret.ct_eq(&other.secret)) && public
    }
}
impl Eq for Invitation {}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invitation({}, {}, secret)", self.address, self.pin)
    }
}

/// The name of the invitation that has this secret.
#[must_use]
pub fn invitation_id(secret: &[u8; 16]) -> InvitationId {
    InvitationId::new(Sha256::new().chain_update(ID_LABEL).chain_update(secret).finalize().into())
}

/// The joiner's proof. It doesn't know the host's identity yet, so it binds the root key's hash and the pin
/// that the invitation promised.
#[must_use]
pub fn join_proof(secret: &[u8; 16], session: &Session, joiner: &SignedIdentity, host_root_hash: &[u8; 32]) -> Proof {
    proof(secret, JOIN_LABEL, session, &joiner.digest(), host_root_hash)
}

/// The host's proof: binds both identities.
#[must_use]
pub fn host_proof(secret: &[u8; 16], session: &Session, joiner: &SignedIdentity, host: &SignedIdentity) -> Proof {
    proof(secret, HOST_LABEL, session, &joiner.digest(), &host.digest())
}

/// The host's check of a request: identity, the key of the connection, and the proof.
///
/// # Errors
/// The first that fails. [`PeeringError::Proof`] counts as one of the invitation's [`TRIES`].
pub fn accept_request(
    request: &PeerRequest,
    secret: &[u8; 16],
    session: &Session,
    host: &Identity,
) -> Result<Verified<Identity>, PeeringError> {
    // The proof comes first: whoever doesn't know the secret learns nothing else.
    if request.proof != join_proof(secret, session, &request.identity, &host.root_hash()) {
        return Err(PeeringError::Proof);
    }
    let joiner = identity::verify(&request.identity)?;
    if !joiner.tls_pins.contains(&session.joiner) {
        return Err(PeeringError::Pin);
    }
    Ok(joiner)
}

/// The joiner's check of the answer: the promised key and root key, the identity, and the proof.
///
/// # Errors
/// The first that fails.
pub fn accept_answer(
    answer: &PeerAnswer,
    invitation: &Invitation,
    session: &Session,
    joiner: &SignedIdentity,
) -> Result<Verified<Identity>, PeeringError> {
    if session.host != invitation.pin {
        return Err(PeeringError::Pin);
    }
    if answer.proof != host_proof(&invitation.secret, session, joiner, &answer.identity) {
        return Err(PeeringError::Proof);
    }
    let host = identity::verify(&answer.identity)?;
    if host.root_hash() != invitation.root_hash {
        return Err(PeeringError::Root);
    }
    if !host.tls_pins.contains(&session.host) {
        return Err(PeeringError::Pin);
    }
    Ok(host)
}

/// The six words that both people read over the telephone before *confirm*: the same on both sides in either order.
///
/// They are 48 bits of a hash over the session's exporter and both identities, a second lock beside the secret.
#[must_use]
pub fn words(exporter: &[u8; 32], one: &SignedIdentity, other: &SignedIdentity) -> [&'static str; 6] {
    let mut digests = [one.digest(), other.digest()];
    digests.sort_unstable();
    let digest: [u8; 32] = Sha256::new()
        .chain_update(WORDS_LABEL)
        .chain_update(exporter)
        .chain_update(digests[0])
        .chain_update(digests[1])
        .finalize()
        .into();
    let mut six = [0; 6];
    six.copy_from_slice(&digest[..6]);
    crate::words::six(six)
}

impl Proof {
    /// Takes 32 bytes as they are.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(ProofBytes::new(bytes))
    }
}

impl PartialEq for Proof {
    // In constant time: a comparison that stops early tells how much of a guess was right.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}
impl Eq for Proof {}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(…)")
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session(joiner {}, host {})", self.joiner, self.host)
    }
}

macro_rules! json_body {
    ($($name:ident),*) => {$(
        impl $name {
            /// The JSON body.
            #[must_use]
            pub fn to_json(&self) -> Vec<u8> {
                // Strings only, which always serialise; an empty body would be refused by the reader anyway.
                serde_json::to_vec(self).unwrap_or_default()
            }
            /// Reads the JSON body; says nothing of its truth.
            ///
            /// # Errors
            /// [`PeeringError::Body`].
            pub fn from_json(bytes: &[u8]) -> Result<Self, PeeringError> {
                if bytes.len() > MAX_BODY_BYTES {
                    return Err(PeeringError::Body(format!("it has {} bytes, more than {MAX_BODY_BYTES}", bytes.len())));
                }
                serde_json::from_slice(bytes).map_err(|error| PeeringError::Body(error.to_string()))
            }
        }
    )*};
}
json_body!(PeerRequest, PeerAnswer);

fn checksum(payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest: [u8; 32] = Sha256::new().chain_update(CHECKSUM_LABEL).chain_update(payload).finalize().into();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn proof(secret: &[u8; 16], label: &[u8], session: &Session, joiner: &[u8; 32], host: &[u8; 32]) -> Proof {
    // HMAC takes keys of every length (RFC 2104 §2), so there is always a MAC; every part below has a fixed length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return Proof::new(Sha256::digest(secret).into());
    };
    mac.update(label);
    mac.update(&session.exporter);
    mac.update(session.joiner.as_bytes());
    mac.update(session.host.as_bytes());
    mac.update(joiner);
    mac.update(host);
    Proof::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::sample;
    use proptest::prelude::*;

    struct Scene {
        host: Identity,
        host_signed: SignedIdentity,
        joiner_signed: SignedIdentity,
        invitation: Invitation,
        session: Session,
    }

    fn scene() -> Scene {
        let (host_root, host) = sample("FR", 1);
        let (joiner_root, joiner) = sample("EE", 2);
        let session = Session { exporter: [9; 32], joiner: joiner.tls_pins[0], host: host.tls_pins[0] };
        Scene {
            invitation: Invitation {
                address: host.address.clone(),
                pin: session.host,
                root_hash: host.root_hash(),
                secret: [5; 16],
            },
            host_signed: identity::sign(&host, &host_root),
            joiner_signed: identity::sign(&joiner, &joiner_root),
            host,
            session,
        }
    }

    fn ask(scene: &Scene) -> PeerRequest {
        PeerRequest {
            invitation: scene.invitation.id(),
            identity: scene.joiner_signed.clone(),
            proof: join_proof(
                &scene.invitation.secret,
                &scene.session,
                &scene.joiner_signed,
                &scene.invitation.root_hash,
            ),
        }
    }
    fn answer(scene: &Scene) -> PeerAnswer {
        PeerAnswer {
            identity: scene.host_signed.clone(),
            proof: host_proof(&scene.invitation.secret, &scene.session, &scene.joiner_signed, &scene.host_signed),
        }
    }

    #[test]
    fn two_nodes_with_one_invitation_and_one_session_peer() {
        let scene = scene();
        let request = PeerRequest::from_json(&ask(&scene).to_json()).unwrap();
        assert_eq!(request.invitation, invitation_id(&[5; 16]));
        let joiner = accept_request(&request, &[5; 16], &scene.session, &scene.host).unwrap();
        assert_eq!(joiner.origin.country().as_str(), "EE");
        let answer = PeerAnswer::from_json(&answer(&scene).to_json()).unwrap();
        let host = accept_answer(&answer, &scene.invitation, &scene.session, &scene.joiner_signed).unwrap();
        assert_eq!(*host, scene.host);
    }

    #[test]
    fn a_request_from_elsewhere_is_refused() {
        let check = |change: fn(&mut PeerRequest, &mut Scene), expect: PeeringError| {
            let mut scene = scene();
            let mut request = ask(&scene);
            change(&mut request, &mut scene);
            let secret = scene.invitation.secret;
            assert_eq!(accept_request(&request, &secret, &scene.session, &scene.host).unwrap_err(), expect);
        };
        check(|_, scene| scene.session.exporter = [8; 32], PeeringError::Proof);
        check(|_, scene| scene.session.joiner = Pin::new([77; 32]), PeeringError::Proof);
        check(|_, scene| scene.invitation.secret[0] ^= 1, PeeringError::Proof);
        check(|_, scene| scene.session.host = Pin::new([77; 32]), PeeringError::Proof);
        // Meant for another nation: somebody hands on what it was sent.
        check(|_, scene| scene.host = sample("FR", 3).1, PeeringError::Proof);
        check(|request, scene| request.identity = scene.host_signed.clone(), PeeringError::Proof);
        check(|request, _| request.proof = Proof::new([0; 32]), PeeringError::Proof);
        // Knows the secret, but speaks over a key that its identity doesn't name.
        check(
            |request, scene| {
                scene.session.joiner = Pin::new([77; 32]);
                *request = ask(scene);
            },
            PeeringError::Pin,
        );
    }

    #[test]
    fn an_answer_from_elsewhere_is_refused() {
        let check = |change: fn(&mut PeerAnswer, &mut Scene), expect: PeeringError| {
            let mut scene = scene();
            let mut given = answer(&scene);
            change(&mut given, &mut scene);
            let outcome = accept_answer(&given, &scene.invitation, &scene.session, &scene.joiner_signed);
            assert_eq!(outcome.unwrap_err(), expect);
        };
        check(|_, scene| scene.session.host = Pin::new([77; 32]), PeeringError::Pin);
        check(|_, scene| scene.session.exporter = [8; 32], PeeringError::Proof);
        check(|_, scene| scene.joiner_signed = scene.host_signed.clone(), PeeringError::Proof);
        // The joiner's own proof can't be sent back to it.
        check(|given, scene| given.proof = ask(scene).proof, PeeringError::Proof);
        check(
            |given, scene| {
                let (root, other) = sample("FR", 3);
                scene.host_signed = identity::sign(&other, &root);
                *given = answer(scene);
            },
            PeeringError::Root,
        );
        // The invited nation, and it knows the secret, but it speaks over a key that its identity does not name.
        check(
            |given, scene| {
                scene.session.host = Pin::new([77; 32]);
                scene.invitation.pin = scene.session.host;
                *given = answer(scene);
            },
            PeeringError::Pin,
        );
    }

    /// Written a second time from `docs/federation.md`: what other programs must make to peer with this one.
    #[test]
    fn a_proof_is_what_the_document_says() {
        let scene = scene();
        let Session { exporter, joiner, host } = scene.session.clone();
        let check = |label: &[u8], last: [u8; 32], made: Proof| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&scene.invitation.secret).unwrap();
            let digest = scene.joiner_signed.digest();
            for part in [label, &exporter, joiner.as_bytes(), host.as_bytes(), &digest, &last] {
                mac.update(part);
            }
            assert!(made == Proof::new(mac.finalize().into_bytes().into()));
        };
        check(b"entraide/peer/join/v1", scene.host.root_hash(), ask(&scene).proof);
        check(b"entraide/peer/host/v1", scene.host_signed.digest(), answer(&scene).proof);
    }

    #[test]
    fn both_sides_read_the_same_six_words() {
        let scene = scene();
        let (host, joiner) = (&scene.host_signed, &scene.joiner_signed);
        assert_eq!(words(&[9; 32], host, joiner), words(&[9; 32], joiner, host));
        assert_ne!(words(&[9; 32], host, joiner), words(&[8; 32], joiner, host));
        // Somebody in the middle, who shows each side an identity of its own.
        for seed in 3..9 {
            let (root, middle) = sample("LT", seed);
            let middle = identity::sign(&middle, &root);
            assert_ne!(words(&[9; 32], host, joiner), words(&[9; 32], host, &middle));
            assert_ne!(words(&[9; 32], host, joiner), words(&[9; 32], &middle, joiner));
        }
    }

    #[test]
    fn invitations_tell_typing_errors_from_other_lines() {
        let invitation = scene().invitation.clone();
        let line = invitation.encode();
        let check = |text: &str, expect: Result<(), PeeringError>| {
            assert_eq!(Invitation::decode(text).map(|read| assert_eq!(read, invitation)), expect, "{text}");
        };
        check(&line, Ok(()));
        check(&format!("  {}\r\n{}\n", &line[..60].to_ascii_uppercase(), &line[60..]), Ok(()));
        check(&line[..line.len() - 1], Err(PeeringError::Typing));
        check("entraide-invite-1", Err(PeeringError::Typing));
        check("entraide-invite-2-abc", Err(PeeringError::NotAnInvitation));
        check("", Err(PeeringError::NotAnInvitation));
        let odd = Invitation { address: "not an address".to_owned(), ..invitation.clone() };
        check(&odd.encode(), Err(PeeringError::Address));
        assert!(!format!("{invitation:?}").contains("5, 5") && !format!("{invitation:?}").contains("0505"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn invitations_read_back(
            pin: [u8; 32], root_hash: [u8; 32], secret: [u8; 16], host in "[a-z]{1,20}", port: u16
        ) {
            let invitation =
                Invitation { address: format!("{host}:{}", port.max(1)), pin: Pin::new(pin), root_hash, secret };
            prop_assert_eq!(Invitation::decode(&invitation.encode()), Ok(invitation.clone()));
        }

        #[test]
        fn one_wrong_letter_is_a_typing_error(at in any::<prop::sample::Index>(), letter in "[a-z2-7]") {
            let line = scene().invitation.encode();
            let at = PREFIX.len() + 1 + at.index(line.len() - PREFIX.len() - 1);
            let wrong = format!("{}{letter}{}", &line[..at], &line[at + 1..]);
            let expect = if wrong == line { Ok(scene().invitation.clone()) } else { Err(PeeringError::Typing) };
            prop_assert_eq!(Invitation::decode(&wrong), expect);
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}", body in prop::collection::vec(any::<u8>(), 0..200)) {
            let line = format!("entraide-invite-1-{text}");
            prop_assert!(Invitation::decode(&line).is_err());
            prop_assert!(PeerRequest::from_json(&body).is_err());
        }
    }
}
