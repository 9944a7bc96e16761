//! Who is at the other end of a connection: the node's own key, the pin of the other one, and the two TLS set-ups.
//!
//! TLS 1.3 only (RFC 8446). Both sides show a self-signed certificate; names, dates and issuers in it mean nothing.
//! What counts is the key: both sides prove in the handshake that they hold it, and its pin (SHA-256 of the
//! `SubjectPublicKeyInfo`, as in RFC 7469 §2.4) is compared with what people confirmed at peering.

mod key;
mod verify;

use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::{ClientConfig, ConnectionCommon, RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};

pub use key::{KeyError, NodeKey};
use verify::{AnyKey, PinnedKey};

use crate::limits;

/// The SHA-256 of a key's `SubjectPublicKeyInfo`.
pub type PinBytes = [u8; 32];

/// Label under which both ends derive the bytes that bind a peering to its TLS session (RFC 8446 §7.5): the journal's
/// `peering::EXPORTER_LABEL`, whose proofs are made over these bytes.
pub use journal::peering::EXPORTER_LABEL;

/// HTTP/2, by its name in ALPN (RFC 9113 §3.2).
pub const ALPN_H2: &[u8] = b"h2";
const ALPN_HTTP1: &[u8] = b"http/1.1";

/// Why a connection's TLS can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The handshake has ended without a certificate that can be read.
    #[error("the other end showed no certificate that can be read")]
    Certificate,
    /// The session gives no exporter: the handshake is not over.
    #[error("the tls session is not finished: connect again")]
    Exporter,
    /// The library refused our configuration.
    #[error("tls can't be set up (`{0}`): check the node's key file")]
    Setup(String),
}

/// The pin of a public key, from the DER of its `SubjectPublicKeyInfo`.
#[must_use]
pub fn pin_of_spki(spki_der: &[u8]) -> PinBytes {
    Sha256::digest(spki_der).into()
}

/// The pin of a certificate's key.
///
/// The parser is the one that the handshake's signature is verified with, so that both look at the same key.
///
/// # Errors
/// [`TlsError::Certificate`] if it is not an X.509 certificate.
pub fn pin_of_certificate(certificate: &CertificateDer<'_>) -> Result<PinBytes, TlsError> {
    let parsed = ParsedCertificate::try_from(certificate).map_err(|_| TlsError::Certificate)?;
    Ok(pin_of_spki(parsed.subject_public_key_info().as_ref()))
}

/// The pin of the key that the other end has proved to hold in this handshake.
///
/// # Errors
/// [`TlsError::Certificate`] if it showed none, or the handshake is not over.
pub fn pin_of_other_end<Side>(connection: &ConnectionCommon<Side>) -> Result<PinBytes, TlsError> {
    let shown = connection.peer_certificates().and_then(|chain| chain.first());
    pin_of_certificate(shown.ok_or(TlsError::Certificate)?)
}

/// 32 bytes that only the two ends of this session know, equal on both (RFC 8446 §7.5).
///
/// # Errors
/// [`TlsError::Exporter`] if the handshake is not over.
pub fn exporter<Side>(connection: &ConnectionCommon<Side>) -> Result<[u8; 32], TlsError> {
    connection.export_keying_material([0; 32], EXPORTER_LABEL, None).map_err(|_| TlsError::Exporter)
}

/// The set-up of the federation's listener: our certificate, and a certificate required from every caller.
///
/// Any key is accepted here, because peering begins with an unknown one; the routes decide by its pin.
/// No session is ever resumed: every connection proves its key anew.
///
/// # Errors
/// [`TlsError::Setup`] if the library refuses.
pub fn server_config(key: &NodeKey) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(setup)?
        .with_client_cert_verifier(Arc::new(AnyKey::new(&provider())))
        .with_cert_resolver(key.resolver());
    config.alpn_protocols = vec![ALPN_H2.to_vec(), ALPN_HTTP1.to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// The set-up of a listener for browsers and programs of one's own house: our certificate, and none from the caller.
///
/// # Errors
/// [`TlsError::Setup`] if the library refuses.
pub fn web_config(key: &NodeKey) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(setup)?
        .with_no_client_auth()
        .with_cert_resolver(key.resolver());
    config.alpn_protocols = vec![ALPN_H2.to_vec(), ALPN_HTTP1.to_vec()];
    Ok(Arc::new(config))
}

/// The set-up of a connection to one partner: our certificate, and exactly its key.
///
/// # Errors
/// [`TlsError::Setup`] if the library refuses.
pub fn client_config(key: &NodeKey, pin: PinBytes) -> Result<Arc<ClientConfig>, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedKey::new(pin, &provider())))
        .with_client_cert_resolver(key.resolver());
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    config.resumption = Resumption::disabled();
    // The name means nothing, and would tell a listener on the line who is being called.
    config.enable_sni = false;
    Ok(Arc::new(config))
}

/// A client that asks for a server's certificate alone: those of `authorities` in PEM vouch for it, else those that the
/// machine trusts.
///
/// # Errors
/// There is no certificate to trust, in words.
pub fn trusting(authorities: Option<&[u8]>) -> Result<Arc<ClientConfig>, String> {
    let certificates = match authorities {
        Some(pem) => {
            let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).take(limits::AUTHORITIES).collect();
            read.map_err(|error| format!("the certificates in `ca` can't be read: {error}"))?
        }
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (known, _) = roots.add_parsable_certificates(certificates);
    if known == 0 {
        return Err("no certificate vouches for it: name a file of them with `ca`".to_owned());
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Did a handshake fail because the other end's key is not the pinned one?
#[must_use]
pub fn is_wrong_key(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    inner == Some(&verify::WRONG_KEY)
}

/// The ciphers, in one place: `ring`'s.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    Arc::clone(&PROVIDER)
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err, which hands over the value")]
fn setup(error: rustls::Error) -> TlsError {
    TlsError::Setup(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::{CertificateError, ClientConnection, Error, ServerConnection};

    fn key() -> NodeKey {
        NodeKey::generate(&"entraide/EE/REAL/0123456789abcdef".parse().unwrap()).unwrap()
    }

    /// Shakes hands in memory; gives back both ends, and the first error of either side, the server's first.
    fn shake(
        server: Arc<ServerConfig>,
        client: Arc<ClientConfig>,
    ) -> Result<(ServerConnection, ClientConnection), Error> {
        let name = ServerName::try_from("node.invalid").unwrap();
        let mut server = ServerConnection::new(server).unwrap();
        let mut client = ClientConnection::new(client, name).unwrap();
        for _ in 0..8 {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            let mut read = wire.as_slice();
            while !read.is_empty() {
                server.read_tls(&mut read).unwrap();
                server.process_new_packets()?;
            }
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            let mut read = wire.as_slice();
            while !read.is_empty() {
                client.read_tls(&mut read).unwrap();
                client.process_new_packets()?;
            }
        }
        Ok((server, client))
    }

    /// Another's certificate with a key of one's own.
    fn stolen(certificate: &NodeKey) -> Arc<SingleCertAndKey> {
        let own = key();
        let signing = rustls::pki_types::PrivateKeyDer::try_from(own.private_der().to_vec()).unwrap();
        let signing = provider().key_provider.load_private_key(signing).unwrap();
        let chain = vec![CertificateDer::from(certificate.certificate_der().to_vec())];
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, signing)))
    }

    fn check(server: Arc<ServerConfig>, client: Arc<ClientConfig>, expect: &Error) {
        assert_eq!(shake(server, client).map(|_| ()), Err(expect.clone()));
    }

    #[test]
    fn both_ends_see_the_other_key_and_the_same_exporter() {
        let (host, guest) = (key(), key());
        let ends = shake(server_config(&host).unwrap(), client_config(&guest, host.pin()).unwrap());
        let (server, client) = ends.unwrap();
        assert_eq!(pin_of_other_end(&server).unwrap(), guest.pin());
        assert_eq!(pin_of_other_end(&client).unwrap(), host.pin());
        assert_eq!(exporter(&server).unwrap(), exporter(&client).unwrap());
        assert_eq!(server.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
        assert_eq!(server.alpn_protocol(), Some(ALPN_H2));
        let again = shake(server_config(&host).unwrap(), client_config(&guest, host.pin()).unwrap()).unwrap();
        assert_ne!(exporter(&server).unwrap(), exporter(&again.0).unwrap(), "every session has its own");
    }

    #[test]
    fn a_connection_that_is_made_after_a_key_was_replaced_shows_the_new_one() {
        let (host, guest) = (key(), key());
        let (old, config) = (host.pin(), server_config(&host).unwrap());
        let open = shake(Arc::clone(&config), client_config(&guest, old).unwrap()).unwrap();
        let next = key();
        host.turn_into(&next);
        assert_eq!(pin_of_other_end(&open.1).unwrap(), old, "what is open stays");
        check(Arc::clone(&config), client_config(&guest, old).unwrap(), &verify::WRONG_KEY);
        let ends = shake(config, client_config(&guest, next.pin()).unwrap()).unwrap();
        assert_eq!(pin_of_other_end(&ends.1).unwrap(), next.pin());
    }

    #[test]
    fn the_web_asks_for_no_certificate() {
        let host = key();
        let ends = shake(web_config(&host).unwrap(), client_config(&key(), host.pin()).unwrap()).unwrap();
        assert_eq!(pin_of_other_end(&ends.0), Err(TlsError::Certificate));
        assert_eq!(pin_of_other_end(&ends.1), Ok(host.pin()));
    }

    #[test]
    fn an_unfinished_handshake_has_neither() {
        let server = ServerConnection::new(server_config(&key()).unwrap()).unwrap();
        assert_eq!(exporter(&server), Err(TlsError::Exporter));
        assert_eq!(pin_of_other_end(&server), Err(TlsError::Certificate));
    }

    #[test]
    fn a_certificate_without_its_key_is_refused_on_both_sides() {
        let (host, guest) = (key(), key());
        let bad = Error::InvalidCertificate(CertificateError::BadSignature);
        let mut thief = ClientConfig::clone(&client_config(&guest, host.pin()).unwrap());
        thief.client_auth_cert_resolver = stolen(&guest);
        check(server_config(&host).unwrap(), Arc::new(thief), &bad);
        let mut thief = ServerConfig::clone(&server_config(&host).unwrap());
        thief.cert_resolver = stolen(&host);
        check(Arc::new(thief), client_config(&guest, host.pin()).unwrap(), &bad);
    }

    #[test]
    fn callers_without_certificate_or_with_tls12_only_are_refused() {
        let host = key();
        let client = |version| {
            ClientConfig::builder_with_provider(provider())
                .with_protocol_versions(&[version])
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(PinnedKey::new(host.pin(), &provider())))
                .with_no_client_auth()
        };
        let server = || server_config(&host).unwrap();
        check(server(), Arc::new(client(&rustls::version::TLS13)), &Error::NoCertificatesPresented);
        let old = shake(server(), Arc::new(client(&rustls::version::TLS12))).map(|_| ()).unwrap_err();
        assert!(matches!(old, Error::PeerIncompatible(_)), "{old}");
    }
}
