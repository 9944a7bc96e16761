//! Encrypting mail with the programs that the partner's people use too: `gpg` for PGP, `openssl` for S/MIME.
//!
//! Each call has a directory of its own, which is gone afterwards: no key of one partner is ever beside that of another
//! unless it is asked who has signed, and nothing of the machine's own keyring is read or trusted. Nothing goes through a
//! shell, and no argument is made of what somebody sent.

mod gpg;
mod openssl;
pub(crate) mod people;
mod program;

use node::ports::{Boxed, CipherError, MailCipher, MailStandard, OpenedMail};

/// `gpg` and `openssl` of this machine.
#[derive(Default)]
pub struct Programs {
    /// The mailbox's own PGP key, armoured, without a passphrase.
    pub pgp: Option<Vec<u8>>,
    /// The mailbox's own S/MIME certificate and key, in PEM.
    pub smime: Option<(Vec<u8>, Vec<u8>)>,
}

impl MailCipher for Programs {
    fn key(&self, standard: MailStandard, key: Vec<u8>) -> Boxed<'_, Result<String, CipherError>> {
        Box::pin(async move {
            match standard {
                MailStandard::Pgp => gpg::key(&key).await,
                MailStandard::Smime => openssl::key(&key).await,
            }
        })
    }

    fn encrypt(&self, standard: MailStandard, key: Vec<u8>, plain: Vec<u8>) -> Boxed<'_, Result<Vec<u8>, CipherError>> {
        Box::pin(async move {
            match standard {
                MailStandard::Pgp => gpg::encrypt(&key, &plain).await,
                MailStandard::Smime => openssl::encrypt(&key, &plain).await,
            }
        })
    }

    fn open(
        &self,
        standard: MailStandard,
        sealed: Vec<u8>,
        keys: Vec<Vec<u8>>,
    ) -> Boxed<'_, Result<OpenedMail, CipherError>> {
        Box::pin(async move {
            match standard {
                MailStandard::Pgp => gpg::open(self.pgp.as_deref(), &sealed, &keys).await,
                MailStandard::Smime => openssl::open(self.smime.as_ref(), &sealed, &keys).await,
            }
        })
    }
}

fn refused(reason: impl Into<String>) -> CipherError {
    CipherError { reason: reason.into() }
}
