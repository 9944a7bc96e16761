//! People of a partner without a node, as the demonstration plays them: a key of their own, and mail that it signs.

use node::ports::CipherError;

use super::gpg::gpg;
use super::program::{Home, run};
use super::refused;

/// Somebody with a keyring.
pub(crate) struct People {
    home: Home,
    address: &'static str,
}

impl People {
    /// Makes a key for an address, good for a day.
    pub(crate) async fn new(address: &'static str) -> Result<Self, CipherError> {
        let people = Self { home: Home::new()?, address };
        people.gpg(&["--quick-generate-key", address, "future-default", "default", "1d"], &[]).await?;
        Ok(people)
    }

    /// The public key, armoured.
    pub(crate) async fn public(&self) -> Result<Vec<u8>, CipherError> {
        self.gpg(&["--armor", "--export", self.address], &[]).await
    }

    /// The secret key, armoured: that of a mailbox.
    pub(crate) async fn secret(&self) -> Result<Vec<u8>, CipherError> {
        self.gpg(&["--armor", "--export-secret-keys", self.address], &[]).await
    }

    /// A mail (RFC 3156 §6.2) that is signed, and encrypted to another's key.
    pub(crate) async fn mail(&self, to: &Self, text: &str) -> Result<Vec<u8>, CipherError> {
        self.gpg(&["--import"], &to.public().await?).await?;
        let seal = ["--trust-model", "always", "--armor", "--sign", "--recipient", to.address, "--encrypt"];
        let sealed = self.gpg(&seal, text.as_bytes()).await?;
        let head = format!(
            "From: <{}>\r\nTo: <{}>\r\nSubject: your call for help\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n\
             --b\r\nContent-Type: application/octet-stream\r\n\r\n",
            self.address, to.address
        );
        Ok([head.as_bytes(), &sealed, b"\r\n--b--\r\n"].concat())
    }

    /// Ends the agent that keeps the secret key.
    pub(crate) async fn end(self) {
        // One that is not there any more has ended.
        let _ = run(&self.home, "gpgconf", &["--kill", "gpg-agent"], &[]).await;
    }

    async fn gpg(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, CipherError> {
        let whole = [&["--pinentry-mode", "loopback", "--passphrase", ""][..], arguments].concat();
        let ran = gpg(&self.home, &whole, input).await?;
        if ran.good { Ok(ran.out) } else { Err(refused("gpg refuses what the demonstration asks of it")) }
    }
}
