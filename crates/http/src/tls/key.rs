//! The node's own TLS key and self-signed certificate: made, written, read.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use data_encoding::BASE64;
use model::Origin;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::{PinBytes, TlsError, pin_of_certificate, provider};

/// Why a node key can't be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The library could not make a key or certificate.
    #[error("the node's tls key can't be made: `{0}`")]
    Make(String),
    /// The certificate is missing or can't be read.
    #[error("the node's certificate can't be read: restore the key file, or make a new key and tell your partners")]
    Certificate,
    /// The private key is missing, can't be read, or is of a kind that we don't use.
    #[error("the node's private tls key can't be read: restore the key file, or make a new key and tell your partners")]
    Private,
    /// The two don't belong together.
    #[error("the node's certificate and private key don't belong together: restore both from the same backup")]
    Mismatch,
}

/// The key with which a node proves who it is on the federation's connections, and its certificate.
///
/// Cheap to clone: all clones are one key, and take another together ([`NodeKey::turn_into`]). The private key is wiped
/// when it is let go of; it is never printed.
#[derive(Clone)]
pub struct NodeKey(Arc<RwLock<Arc<Held>>>);

/// One key and its certificate.
#[derive(Debug)]
struct Held {
    pin: PinBytes,
    private: Zeroizing<Vec<u8>>,
    certified: Arc<CertifiedKey>,
}

impl NodeKey {
    /// Makes a new ECDSA P-256 key and a certificate for it that names `origin`.
    ///
    /// Not Ed25519: browsers refuse it in certificates, and the same key serves the console's HTTPS.
    ///
    /// The certificate's dates are as wide as can be: pins decide, and a node must not fall silent on a birthday.
    ///
    /// # Errors
    /// [`KeyError::Make`] if the machine has no randomness.
    pub fn generate(origin: &Origin) -> Result<Self, KeyError> {
        let make = |error: rcgen::Error| KeyError::Make(error.to_string());
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(make)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, origin.to_string());
        let certificate = params.self_signed(&pair).map_err(make)?;
        Self::from_der(certificate.der(), &Zeroizing::new(pair.serialize_der()))
    }

    /// Reads the DER of a certificate and of its private key (PKCS #8, RFC 5958): Ed25519 or ECDSA P-256.
    ///
    /// # Errors
    /// [`KeyError`] if one of them can't be read, or they don't belong together.
    pub fn from_der(certificate: &[u8], private: &[u8]) -> Result<Self, KeyError> {
        let certificate = CertificateDer::from(certificate.to_vec());
        let pin = pin_of_certificate(&certificate).map_err(|_: TlsError| KeyError::Certificate)?;
        let signing = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private.to_vec()));
        let signing = provider().key_provider.load_private_key(signing).map_err(|_| KeyError::Private)?;
        let certified = CertifiedKey::new(vec![certificate], signing);
        certified.keys_match().map_err(|_| KeyError::Mismatch)?;
        let held = Held { pin, private: Zeroizing::new(private.to_vec()), certified: Arc::new(certified) };
        Ok(Self(Arc::new(RwLock::new(Arc::new(held)))))
    }

    /// From now on every new connection, on either side, is made with the key of `other`. Those that are open stay.
    pub fn turn_into(&self, other: &Self) {
        let next = other.held();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what [`NodeKey::to_pem`] wrote: a certificate and a private key (RFC 7468), in either order.
    ///
    /// # Errors
    /// [`KeyError`] if one of them is missing or can't be read, or they don't belong together.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let certificate = CertificateDer::from_pem_slice(pem).map_err(|_| KeyError::Certificate)?;
        let private = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| KeyError::Private)?;
        Self::from_der(&certificate, private.secret_pkcs8_der())
    }

    /// The certificate and the private key as one PEM text (RFC 7468). It is a secret.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2_048));
        let held = self.held();
        push_pem(&mut text, "CERTIFICATE", held.certified.cert.first().map_or(&[], |der| der.as_ref()));
        push_pem(&mut text, "PRIVATE KEY", &held.private);
        text
    }

    /// The certificate, DER.
    #[must_use]
    pub fn certificate_der(&self) -> Vec<u8> {
        self.held().certified.cert.first().map_or(Vec::new(), |certificate| certificate.to_vec())
    }

    /// The private key, PKCS #8 DER. It is a secret.
    #[must_use]
    pub fn private_der(&self) -> Zeroizing<Vec<u8>> {
        self.held().private.clone()
    }

    /// The pin that partners know this node by.
    #[must_use]
    pub fn pin(&self) -> PinBytes {
        self.held().pin
    }

    /// What hands this key, as it then is, to a handshake on either side.
    pub(super) fn resolver(&self) -> Arc<Shown> {
        Arc::new(Shown(self.clone()))
    }
}

/// Shows the certificate that the node has at the moment of the handshake, whatever name it is called by.
#[derive(Debug)]
pub(super) struct Shown(NodeKey);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.held().certified))
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.held().certified))
    }
    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", model::bytes::hex(&self.pin()))
    }
}

/// Writes one block: RFC 7468 §2, 64 letters a line.
fn push_pem(text: &mut String, label: &str, der: &[u8]) {
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    // 48 bytes are 64 letters, so every line is a base64 text of its own and no copy of the whole is left behind.
    for line in der.chunks(48) {
        BASE64.encode_append(line, text);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        "entraide/FR/REAL/0123456789abcdef".parse().unwrap()
    }

    fn check(pem: &str, expect: Result<PinBytes, KeyError>) {
        assert_eq!(NodeKey::from_pem(pem.as_bytes()).map(|key| key.pin()), expect);
    }

    #[test]
    fn keys_are_written_and_read_back() {
        let key = NodeKey::generate(&origin()).unwrap();
        let other = NodeKey::generate(&origin()).unwrap();
        let pem = key.to_pem();
        check(&pem, Ok(key.pin()));
        let (certificate, private) = pem.split_at(pem.find("-----BEGIN PRIVATE").unwrap());
        check(&format!("{private}{certificate}"), Ok(key.pin()));
        check(certificate, Err(KeyError::Private));
        check(private, Err(KeyError::Certificate));
        check("", Err(KeyError::Certificate));
        let stranger = other.to_pem();
        let foreign = stranger.split_at(stranger.find("-----BEGIN PRIVATE").unwrap()).1;
        check(&format!("{certificate}{foreign}"), Err(KeyError::Mismatch));
        assert_eq!(NodeKey::from_der(b"no", &key.private_der()).map(|_| ()), Err(KeyError::Certificate));
        assert_eq!(NodeKey::from_der(&key.certificate_der(), b"no").map(|_| ()), Err(KeyError::Private));
    }

    #[test]
    fn the_certificate_names_the_origin_and_keeps_the_key_to_itself() {
        let key = NodeKey::generate(&origin()).unwrap();
        let name = origin().to_string();
        assert!(key.certificate_der().windows(name.len()).any(|bytes| bytes == name.as_bytes()));
        assert_eq!(format!("{key:?}"), format!("NodeKey({})", model::bytes::hex(&key.pin())));
    }

    #[test]
    fn all_clones_take_another_key_together() {
        let (key, next) = (NodeKey::generate(&origin()).unwrap(), NodeKey::generate(&origin()).unwrap());
        let clone = key.clone();
        key.turn_into(&next);
        assert_eq!((clone.pin(), clone.certificate_der()), (next.pin(), next.certificate_der()));
        assert_eq!(*clone.private_der(), *next.private_der());
    }

    #[test]
    fn ed25519_keys_are_read_too() {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let certificate = CertificateParams::default().self_signed(&pair).unwrap();
        let key = NodeKey::from_der(certificate.der(), &pair.serialize_der()).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&pair);
        assert_eq!(key.pin(), super::super::pin_of_spki(&spki));
    }
}
