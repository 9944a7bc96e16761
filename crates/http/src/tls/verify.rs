//! The two verifiers of certificates: any key (listener), exactly one key (client). Both check that the other end
//! holds the private key, by the handshake's signature (RFC 8446 §4.4.3).

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use subtle::ConstantTimeEq;

use super::{PinBytes, pin_of_certificate};
use crate::limits;

/// What the client's handshake fails with when the key is not the pinned one, and for no other reason.
pub(super) const WRONG_KEY: Error = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

/// The kinds of key that a node may have: what [`super::NodeKey`] makes and reads.
const SCHEMES: [SignatureScheme; 2] = [SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256];

/// Accepts every caller that shows one well-formed certificate and holds its key.
#[derive(Debug)]
pub(super) struct AnyKey {
    algorithms: WebPkiSupportedAlgorithms,
}

impl AnyKey {
    pub(super) fn new(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms }
    }
}

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        read_pin(end_entity, intermediates).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}

/// Accepts exactly one key.
#[derive(Debug)]
pub(super) struct PinnedKey {
    pin: PinBytes,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedKey {
    pub(super) fn new(pin: PinBytes, provider: &CryptoProvider) -> Self {
        Self { pin, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = read_pin(end_entity, intermediates)?;
        if bool::from(shown.ct_eq(&self.pin)) { Ok(ServerCertVerified::assertion()) } else { Err(WRONG_KEY) }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}

/// One bounded certificate and no chain: nobody vouches for a node's key but people.
fn read_pin(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<PinBytes, Error> {
    if !intermediates.is_empty() || end_entity.len() > limits::CERTIFICATE_BYTES {
        return Err(CertificateError::BadEncoding.into());
    }
    pin_of_certificate(end_entity).map_err(|_| CertificateError::BadEncoding.into())
}

fn no_tls12() -> Error {
    Error::General("tls 1.2 is switched off".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{NodeKey, provider};

    fn key() -> NodeKey {
        NodeKey::generate(&"entraide/EE/REAL/0123456789abcdef".parse().unwrap()).unwrap()
    }

    fn check(pin: PinBytes, shown: &[u8], chain: &[CertificateDer<'_>], expect: Result<(), Error>) {
        let name = ServerName::try_from("node.invalid").unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1));
        let verifier = PinnedKey::new(pin, &provider());
        let got = verifier.verify_server_cert(&CertificateDer::from(shown), chain, &name, &[], now);
        assert_eq!(got.map(|_| ()), expect);
    }

    #[test]
    fn only_the_pinned_key_passes() {
        let (ours, other) = (key(), key());
        let chain = [CertificateDer::from(other.certificate_der().to_vec())];
        let garbled = || Err(CertificateError::BadEncoding.into());
        check(ours.pin(), &ours.certificate_der(), &[], Ok(()));
        check(ours.pin(), &other.certificate_der(), &[], Err(WRONG_KEY));
        check(ours.pin(), &ours.certificate_der(), &chain, garbled());
        check(ours.pin(), &[0x30; 40], &[], garbled());
        check(ours.pin(), &vec![0x30; limits::CERTIFICATE_BYTES + 1], &[], garbled());
        let mut longer = ours.certificate_der().to_vec();
        longer.push(0);
        check(ours.pin(), &longer, &[], garbled());
    }
}
