//! `openssl`: reading a partner's S/MIME certificate, and encrypting to it.

use node::ports::CipherError;

use super::program::{Home, run};
use super::refused;
use crate::limits;

/// The SHA-256 fingerprint of a certificate in PEM that is good now.
pub(super) async fn key(key: &[u8]) -> Result<String, CipherError> {
    if key.len() > limits::KEY_BYTES {
        return Err(refused(format!("the certificate is larger than {} bytes", limits::KEY_BYTES)));
    }
    let home = Home::new()?;
    let wrong = || refused("this is not a certificate in PEM: it begins with -----BEGIN CERTIFICATE-----");
    let text = std::str::from_utf8(key).map_err(|_| wrong())?;
    if text.contains("PRIVATE KEY") {
        return Err(refused("this holds a private key, which must stay with its owner: give the certificate alone"));
    }
    if text.matches("-----BEGIN CERTIFICATE-----").count() != 1 {
        return Err(refused("give exactly one certificate in PEM"));
    }
    let ran = run(&home, "openssl", &["x509", "-noout", "-fingerprint", "-sha256"], key).await?;
    let out = String::from_utf8_lossy(&ran.out).into_owned();
    let hex: String =
        out.trim().rsplit('=').next().unwrap_or_default().chars().filter(char::is_ascii_hexdigit).collect();
    if !ran.good || hex.len() != 64 {
        return Err(wrong());
    }
    if !run(&home, "openssl", &["x509", "-noout", "-checkend", "0"], key).await?.good {
        return Err(refused("the certificate has expired: ask its owner for the one that is in use"));
    }
    Ok(hex.to_uppercase())
}

/// Encrypts to one certificate, AES-256 in GCM (RFC 5083, RFC 5084).
pub(super) async fn encrypt(key: &[u8], plain: &[u8]) -> Result<Vec<u8>, CipherError> {
    self::key(key).await?;
    let home = Home::new()?;
    home.put("to.pem", key)?;
    let to = ["cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", "DER", "-recip", "to.pem"];
    let ran = run(&home, "openssl", &to, plain).await?;
    if ran.good && !ran.out.is_empty() {
        Ok(ran.out)
    } else {
        Err(refused("openssl could not encrypt to the partner's certificate: ask its owner for another"))
    }
}
