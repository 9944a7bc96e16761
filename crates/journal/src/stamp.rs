//! Time stamps (RFC 3161) over checkpoints: an authority that nobody here runs says by when a log had said something.
//!
//! A token stands under the note of a checkpoint as one more signature line, of the name `rfc3161`; who does not know it
//! leaves it alone (C2SP signed-note, "unknown signatures are ignored"). What is stamped is SHA-256 of the note's text:
//! the bytes that the log and its witnesses sign.
//!
//! ```text
//! — rfc3161 <base64: id[4] ‖ the token, DER>
//! ```

mod der;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use sha2::{Digest, Sha256, Sha384, Sha512};
use webpki::ring as algorithms;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use self::der::{Reader, Value};
use crate::note;

/// The name of the signature line.
const NAME: &str = "rfc3161";
/// Largest token, bytes: the signature with a chain of three certificates takes half of it, and a note of 16 KiB holds
/// one in base64 beside every cosignature.
pub const TOKEN_BYTES: usize = 9 * 1024;
/// Largest answer of an authority, bytes: a token, and the words of a refusal.
pub const REPLY_BYTES: usize = TOKEN_BYTES + 1_024;
/// Most certificates in a token or a file of authorities.
const CERTIFICATES: usize = 16;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const TIME: u8 = 0x18;
const SUB_0: u8 = 0xa0;
const SUB_1: u8 = 0xa1;

/// 2.16.840.1.101.3.4.2.1 to 3.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
/// 1.2.840.113549.1.7.2, signedData (RFC 5652 §5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4, id-ct-TSTInfo (RFC 3161 §2.4.2).
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 1.2.840.113549.1.9.3 and 4: what is signed, and its digest (RFC 5652 §11).
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// 1.3.6.1.5.5.7.3.8, id-kp-timeStamping (RFC 3161 §2.3).
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
/// 2.5.4.3, a common name.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Why a time stamp counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// Not an answer, or not a token.
    #[error("this is not a time stamp: {0}")]
    Shape(&'static str),
    /// The authority refused.
    #[error("the authority gave no time stamp: its status is {0}")]
    Refused(u8),
    /// The token is of something else.
    #[error("the time stamp is of another checkpoint")]
    Imprint,
    /// The token answers another request.
    #[error("the time stamp answers another request")]
    Nonce,
    /// The certificates.
    #[error("the time stamp is not by an authority that you named: {0}")]
    Authority(String),
    /// The signature.
    #[error("the signature of the time stamp does not hold")]
    Signature,
    /// The file of authorities.
    #[error("this is not a file of certificates: {0}")]
    Certificates(String),
}

/// A time stamp that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// What was stamped existed no later.
    pub at: Timestamp,
    /// The authority, by the name in its certificate.
    pub authority: String,
}

/// The authorities that a reader believes.
#[derive(Debug, Clone)]
pub struct Authorities(Vec<TrustAnchor<'static>>);

impl Authorities {
    /// Reads certificates in PEM: of the authorities above those that stamp.
    ///
    /// # Errors
    /// No certificate, too many, or one that is none.
    pub fn read(pem: &[u8]) -> Result<Self, StampError> {
        let wrong = |error: &dyn std::fmt::Display| StampError::Certificates(error.to_string());
        let mut anchors = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            let anchor = anchor_from_trusted_cert(&certificate).map_err(|error| wrong(&error))?;
            anchors.push(anchor.to_owned());
            if anchors.len() > CERTIFICATES {
                return Err(wrong(&"it holds too many"));
            }
        }
        if anchors.is_empty() { Err(wrong(&"it holds none")) } else { Ok(Self(anchors)) }
    }
}

/// A request for a stamp of a note's text (RFC 3161 §2.4.1). `nonce` is new each time.
#[must_use]
pub fn request(text: &str, nonce: u64) -> Vec<u8> {
    let digest: [u8; 32] = Sha256::digest(text).into();
    let algorithm = der::short(SEQUENCE, &[der::short(OBJECT, SHA256), vec![0x05, 0x00]].concat());
    let imprint = der::short(SEQUENCE, &[algorithm, der::short(OCTETS, &digest)].concat());
    let with_certificate = vec![0x01, 0x01, 0xff];
    der::short(SEQUENCE, &[der::number(1), imprint, der::number(nonce), with_certificate].concat())
}

/// The token in an authority's answer (RFC 3161 §2.4.2), not verified.
///
/// # Errors
/// It refused, or this is no answer.
pub fn token(reply: &[u8]) -> Result<&[u8], StampError> {
    let shape = |what| StampError::Shape(what);
    if reply.len() > REPLY_BYTES {
        return Err(shape("the answer is too large"));
    }
    let mut reply = Reader(reply).inside(SEQUENCE).ok_or(shape("the answer is not DER"))?;
    let status = reply.inside(SEQUENCE).and_then(|mut status| status.expect(INTEGER));
    match status.ok_or(shape("the answer has no status"))?.body {
        // Granted, and granted with changes.
        [0 | 1] => {}
        [other] => return Err(StampError::Refused(*other)),
        _ => return Err(shape("the status is no number")),
    }
    let token = reply.expect(SEQUENCE).ok_or(shape("the answer has no token"))?.whole;
    if token.len() > TOKEN_BYTES { Err(shape("the token is too large")) } else { Ok(token) }
}

/// A token as it stands under a note.
#[must_use]
pub fn line(token: &[u8]) -> String {
    format!("— {NAME} {}\n", STANDARD.encode([&id()[..], token].concat()))
}

/// As C2SP signed-note makes the id of a key: its name, and the type `ff` for types without a number, with our own name.
fn id() -> [u8; 4] {
    let digest = Sha256::digest([NAME.as_bytes(), b"\n\xffentraide/rfc3161/v1"].concat());
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Does a note hold a time stamp, whatever it is worth?
#[must_use]
pub fn is_stamped(note: &str) -> bool {
    note.lines().any(|line| line.strip_prefix("— ").is_some_and(|rest| rest.starts_with(NAME)))
}

/// The stamps under a note by authorities that the reader believes.
///
/// # Errors
/// A token that does not hold: the first, in words. A note without tokens has none, which is no error.
pub fn verify_note(note: &str, authorities: &Authorities) -> Result<Vec<Stamp>, StampError> {
    let Some(text) = note::text_of(note) else { return Ok(Vec::new()) };
    let mut stamps = Vec::new();
    for line in note.get(text.len()..).unwrap_or_default().lines() {
        let Some(encoded) = line.strip_prefix("— ").and_then(|rest| rest.strip_prefix(NAME)?.strip_prefix(' '))
        else {
            continue;
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| StampError::Shape("it is not base64"))?;
        if let Some(token) = bytes.strip_prefix(&id()) {
            stamps.push(verify(token, text, None, authorities)?);
        }
    }
    Ok(stamps)
}

/// Checks a token: of this text, in answer to this nonce, by a certificate for time stamping that one of these
/// authorities vouches for and that was valid then.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(token: &[u8], text: &str, nonce: Option<u64>, authorities: &Authorities) -> Result<Stamp, StampError> {
    if token.len() > TOKEN_BYTES {
        return Err(StampError::Shape("the token is too large"));
    }
    let signed = SignedData::read(token).ok_or(StampError::Shape("it is not signed data of one signer"))?;
    let info = Info::read(signed.content).ok_or(StampError::Shape("what is signed is no time stamp"))?;
    if info.imprint != Sha256::digest(text).as_slice() {
        return Err(StampError::Imprint);
    }
    if nonce.is_some_and(|nonce| info.nonce != Some(der::number(nonce).as_slice())) {
        return Err(StampError::Nonce);
    }
    let at = info.at().ok_or(StampError::Shape("its time is none"))?;
    signed.check_digest()?;
    let certificate = signed.signer().ok_or(StampError::Shape("the certificate of its signer is not in it"))?;
    let others: Vec<CertificateDer<'_>> =
        signed.certificates.iter().map(|one| CertificateDer::from(one.whole)).collect();
    let der = CertificateDer::from(certificate.whole);
    let told = |error: webpki::Error| StampError::Authority(error.to_string());
    let signer = EndEntityCert::try_from(&der).map_err(told)?;
    let seconds = u64::try_from(at.micros() / 1_000_000).unwrap_or(0);
    let then = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let usage = KeyUsage::required(TIME_STAMPING);
    let all = webpki::ALL_VERIFICATION_ALGS;
    signer.verify_for_usage(all, &authorities.0, &others, then, usage, None, None).map_err(told)?;
    // The attributes are signed as the set that they are, and stand in the token under another tag (RFC 5652 §5.4).
    let mut message = signed.attributes.whole.to_vec();
    if let Some(tag) = message.first_mut() {
        *tag = SET;
    }
    let holds = signed
        .hash
        .algorithms()
        .iter()
        .any(|algorithm| signer.verify_signature(*algorithm, &message, signed.signature).is_ok());
    if !holds {
        return Err(StampError::Signature);
    }
    let authority = name_of(certificate).unwrap_or_else(|| "an authority without a name".to_owned());
    Ok(Stamp { at, authority })
}

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(algorithm: Value<'_>) -> Option<Self> {
        let oid = Reader(algorithm.body).expect(OBJECT)?.body;
        let known = [(SHA256, Self::Sha256), (SHA384, Self::Sha384), (SHA512, Self::Sha512)];
        known.into_iter().find(|(known, _)| *known == oid).map(|(_, hash)| hash)
    }
    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
    /// The signatures over such a digest, whatever the key.
    fn algorithms(self) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
        match self {
            Self::Sha256 => vec![
                algorithms::RSA_PKCS1_2048_8192_SHA256,
                algorithms::ECDSA_P256_SHA256,
                algorithms::ECDSA_P384_SHA256,
            ],
            Self::Sha384 => vec![
                algorithms::RSA_PKCS1_2048_8192_SHA384,
                algorithms::ECDSA_P256_SHA384,
                algorithms::ECDSA_P384_SHA384,
            ],
            Self::Sha512 => vec![algorithms::RSA_PKCS1_2048_8192_SHA512, algorithms::ED25519],
        }
    }
}

/// CMS SignedData (RFC 5652 §5.1) of one signer, as RFC 3161 §2.4.2 wants it.
struct SignedData<'a> {
    content: &'a [u8],
    certificates: Vec<Value<'a>>,
    /// The issuer and the number of the signer's certificate, as they stand there.
    issuer: &'a [u8],
    serial: &'a [u8],
    hash: Hash,
    attributes: Value<'a>,
    signature: &'a [u8],
}

impl<'a> SignedData<'a> {
    fn read(token: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(token);
        let mut info = outer.inside(SEQUENCE)?;
        if !outer.0.is_empty() || info.expect(OBJECT)?.body != SIGNED_DATA {
            return None;
        }
        let mut data = info.inside(SUB_0)?.inside(SEQUENCE)?;
        data.expect(INTEGER)?;
        data.expect(SET)?;
        let mut content = data.inside(SEQUENCE)?;
        if content.expect(OBJECT)?.body != TST_INFO {
            return None;
        }
        let content = content.inside(SUB_0)?.expect(OCTETS)?.body;
        let certificates: Vec<_> = Reader(data.optional(SUB_0)?.body).rest().take(CERTIFICATES).collect();
        data.optional(SUB_1);
        let mut signers = data.inside(SET)?;
        let mut signer = signers.inside(SEQUENCE)?;
        if !signers.0.is_empty() {
            return None;
        }
        signer.expect(INTEGER)?;
        let mut id = signer.inside(SEQUENCE)?;
        let (issuer, serial) = (id.expect(SEQUENCE)?.whole, id.expect(INTEGER)?.whole);
        let hash = Hash::of(signer.expect(SEQUENCE)?)?;
        let attributes = signer.expect(SUB_0)?;
        signer.expect(SEQUENCE)?;
        let signature = signer.expect(OCTETS)?.body;
        Some(Self { content, certificates, issuer, serial, hash, attributes, signature })
    }

    /// Is what is signed the time stamp, and its digest that of this one?
    fn check_digest(&self) -> Result<(), StampError> {
        let attribute = |oid: &[u8]| {
            let mut found = Reader(self.attributes.body).rest().filter_map(|attribute| {
                let mut inside = Reader(attribute.body);
                (inside.expect(OBJECT)?.body == oid).then(|| inside.inside(SET)?.next()).flatten()
            });
            // Once and not again (RFC 5652 §11).
            found.next().filter(|_| found.next().is_none())
        };
        let kind = attribute(CONTENT_TYPE).is_some_and(|value| value.tag == OBJECT && value.body == TST_INFO);
        let expected = self.hash.digest(self.content);
        let digest = attribute(MESSAGE_DIGEST).is_some_and(|value| value.tag == OCTETS && value.body == expected);
        if kind && digest { Ok(()) } else { Err(StampError::Signature) }
    }

    /// The certificate that the signer names.
    fn signer(&self) -> Option<Value<'a>> {
        self.certificates.iter().copied().find(|one| {
            Certificate::read(*one).is_some_and(|found| found.issuer == self.issuer && found.serial == self.serial)
        })
    }
}

/// What is needed of a certificate to find and name it (RFC 5280 §4.1); `webpki` judges it.
struct Certificate<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: Value<'a>,
}

impl<'a> Certificate<'a> {
    fn read(whole: Value<'a>) -> Option<Self> {
        let mut body = Reader(whole.body).inside(SEQUENCE)?;
        body.optional(SUB_0);
        let serial = body.expect(INTEGER)?.whole;
        body.expect(SEQUENCE)?;
        let issuer = body.expect(SEQUENCE)?.whole;
        body.expect(SEQUENCE)?;
        let subject = body.expect(SEQUENCE)?;
        Some(Self { serial, issuer, subject })
    }
}

/// The common name of a certificate, as text.
fn name_of(certificate: Value<'_>) -> Option<String> {
    let subject = Certificate::read(certificate)?.subject;
    for part in Reader(subject.body).rest() {
        let mut pair = Reader(part.body).inside(SEQUENCE)?;
        if pair.expect(OBJECT)?.body == COMMON_NAME {
            let text = std::str::from_utf8(pair.next()?.body).ok()?;
            return Some(text.chars().filter(|letter| !letter.is_control()).take(200).collect());
        }
    }
    None
}

/// TSTInfo (RFC 3161 §2.4.2).
struct Info<'a> {
    imprint: &'a [u8],
    time: &'a [u8],
    nonce: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let mut info = Reader(content).inside(SEQUENCE)?;
        if info.expect(INTEGER)?.body != [1] {
            return None;
        }
        info.expect(OBJECT)?;
        let mut imprint = info.inside(SEQUENCE)?;
        if Reader(imprint.expect(SEQUENCE)?.body).expect(OBJECT)?.body != SHA256 {
            return None;
        }
        let imprint = imprint.expect(OCTETS)?.body;
        info.expect(INTEGER)?;
        let time = info.expect(TIME)?.body;
        info.optional(SEQUENCE);
        info.optional(0x01);
        let nonce = info.optional(INTEGER).map(|nonce| nonce.whole);
        Some(Self { imprint, time, nonce })
    }

    /// `YYYYMMDDhhmmss[.s…]Z`, in whole seconds (RFC 3161 §2.4.2).
    fn at(&self) -> Option<Timestamp> {
        let text = std::str::from_utf8(self.time).ok()?.strip_suffix('Z')?;
        let whole = text.split('.').next()?;
        if whole.len() != 14 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let part = |from: usize, to: usize| whole.get(from..to);
        let (day, time) = (
            format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?),
            format!("{}:{}:{}", part(8, 10)?, part(10, 12)?, part(12, 14)?),
        );
        format!("{day}T{time}Z").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn authorities() -> Authorities {
        Authorities(Vec::new())
    }

    #[test]
    fn a_request_is_what_the_standard_says() {
        let made = request("text\n", 0x8001);
        let mut inside = Reader(&made).inside(SEQUENCE).unwrap();
        assert_eq!(inside.expect(INTEGER).unwrap().body, [1]);
        let mut imprint = inside.inside(SEQUENCE).unwrap();
        assert_eq!(Reader(imprint.expect(SEQUENCE).unwrap().body).expect(OBJECT).unwrap().body, SHA256);
        assert_eq!(imprint.expect(OCTETS).unwrap().body, Sha256::digest("text\n").as_slice());
        assert_eq!(inside.expect(INTEGER).unwrap().body, [0, 0x80, 1]);
        assert_eq!(inside.0, [0x01, 0x01, 0xff], "the certificate is asked for");
    }

    /// Made by OpenSSL 3.0: `openssl ts -query -data … -sha256 -cert`, `openssl ts -reply`.
    #[test]
    fn an_answer_of_another_program_is_read_and_holds_for_its_text_alone() {
        let token = token(include_bytes!("../tests/stamp/reply")).unwrap();
        let trusted = Authorities::read(include_bytes!("../tests/stamp/ca.pem")).unwrap();
        let stamp = verify(token, "a checkpoint\n", Some(0x113c_cb99_932a_ad26), &trusted).unwrap();
        assert_eq!(stamp.at, "2026-11-25T03:18:37Z".parse().unwrap());
        assert_eq!(stamp.authority, "Stamps of the test");
        assert_eq!(verify(token, "a checkpoint", None, &trusted), Err(StampError::Imprint));
        assert_eq!(verify(token, "a checkpoint\n", Some(1), &trusted), Err(StampError::Nonce));
        let nobody = verify(token, "a checkpoint\n", None, &authorities());
        assert!(matches!(nobody, Err(StampError::Authority(_))), "{nobody:?}");
        let mut other = token.to_vec();
        if let Some(last) = other.last_mut() {
            *last ^= 1;
        }
        assert_eq!(verify(&other, "a checkpoint\n", None, &trusted), Err(StampError::Signature));
    }

    /// What says when is the stamp: that its authority's certificate has run out since changes nothing. Made as above, by
    /// an authority whose certificate was good for the 25th of November 2026 alone.
    #[test]
    fn a_stamp_outlives_the_certificate_of_its_authority() {
        let token = token(include_bytes!("../tests/stamp/short-reply")).unwrap();
        let trusted = Authorities::read(include_bytes!("../tests/stamp/short-ca.pem")).unwrap();
        let stamp = verify(token, "a checkpoint\n", Some(0x826b_b444_c6ae_0d2e), &trusted).unwrap();
        assert_eq!(stamp.authority, "Stamps of a day");
        assert_eq!(stamp.at, "2026-11-25T08:16:45Z".parse().unwrap());
    }

    #[test]
    fn refusals_and_notes_without_a_stamp_are_told_apart() {
        assert_eq!(token(&[0x30, 5, 0x30, 3, 2, 1, 2]), Err(StampError::Refused(2)));
        assert!(matches!(token(&[0x30, 5, 0x30, 3, 2, 1, 0]), Err(StampError::Shape(_))));
        assert_eq!(token(&[0x30; REPLY_BYTES + 1]), Err(StampError::Shape("the answer is too large")));
        let large = verify(&[0x30; TOKEN_BYTES + 1], "text\n", None, &authorities());
        assert_eq!(large, Err(StampError::Shape("the token is too large")));
        assert_eq!(verify_note("text\n\n— other AAAA\n", &authorities()), Ok(Vec::new()));
        let with = format!("text\n\n— other AAAA\n{}", line(&[0x30, 0]));
        assert!(matches!(verify_note(&with, &authorities()), Err(StampError::Shape(_))));
        assert!(Authorities::read(b"no certificate").is_err());
    }

    proptest! {
        #[test]
        fn rubbish_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(token(&bytes).is_err() || bytes.len() > 8);
            prop_assert!(verify(&bytes, "text\n", None, &authorities()).is_err());
        }
    }
}
