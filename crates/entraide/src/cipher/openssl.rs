//! `openssl`: reading a partner's S/MIME certificate, and encrypting to it.

use node::ports::{CipherError, OpenedMail, Signed};

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

/// Decrypts with the mailbox's own certificate, and says which of the partners' certificates has signed what was inside.
pub(super) async fn open(
    own: Option<&(Vec<u8>, Vec<u8>)>,
    sealed: &[u8],
    keys: &[Vec<u8>],
) -> Result<OpenedMail, CipherError> {
    let home = Home::new()?;
    let Some((certificate, key)) = own else { return Err(refused("the mailbox has no S/MIME certificate of its own")) };
    home.put("own.pem", certificate)?;
    home.put("own.key", key)?;
    let args = ["cms", "-decrypt", "-inform", "DER", "-recip", "own.pem", "-inkey", "own.key"];
    let ran = run(&home, "openssl", &args, sealed).await?;
    if !ran.good {
        return Err(refused("it is not encrypted to the mailbox's certificate, or is damaged"));
    }
    let inside = ran.out;
    let head = String::from_utf8_lossy(&inside[..inside.len().min(4_096)]).to_ascii_lowercase();
    let head = head.split("\r\n\r\n").next().unwrap_or_default().split("\n\n").next().unwrap_or_default().to_owned();
    let is_signed = head.contains("multipart/signed") || head.contains("signed-data");
    if !is_signed {
        return Ok(OpenedMail { plain: inside, encrypted: true, signed: Signed::Nothing });
    }
    home.put("partners.pem", &keys.join(&b'\n'))?;
    let args = [
        "cms",
        "-verify",
        "-inform",
        "SMIME",
        "-CAfile",
        "partners.pem",
        "-partial_chain",
        "-purpose",
        "any",
        "-no-CApath",
        "-no-CAstore",
        "-signer",
        "signer.pem",
    ];
    let ran = run(&home, "openssl", &args, &inside).await?;
    if !ran.good {
        return Ok(OpenedMail { plain: inside, encrypted: true, signed: Signed::Unknown });
    }
    let signer = std::fs::read(home.path().join("signer.pem")).unwrap_or_default();
    let signed = self::key(&signer).await.map_or(Signed::Bad, Signed::By);
    Ok(OpenedMail { plain: ran.out, encrypted: true, signed })
}
