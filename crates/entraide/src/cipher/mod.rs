//! Encrypting mail with the programs that the partner's people use too: `gpg` for PGP, `openssl` for S/MIME.
//!
//! Each call has a directory of its own, which is gone afterwards: no key of one partner is ever beside that of another
//! unless it is asked who has signed, and nothing of the machine's own keyring is read or trusted. Nothing goes through a
//! shell, and no argument is made of what somebody sent.

mod gpg;
mod openssl;
mod program;

use node::ports::{Boxed, CipherError, MailCipher, MailStandard};

/// `gpg` and `openssl` of this machine.
#[derive(Debug, Default)]
pub struct Programs;

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
}

fn refused(reason: impl Into<String>) -> CipherError {
    CipherError { reason: reason.into() }
}
