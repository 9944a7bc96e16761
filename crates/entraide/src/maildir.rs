//! A mailbox in a folder (maildir, as qmail, Postfix and Dovecot deliver into): new mail is in `new`, and goes to `cur` once it
//! is kept. Files alone are read; a link is not followed.

use std::path::{Path, PathBuf};

use node::ports::{Boxed, Mailbox, MailboxError, RawMail};
use tokio::io::AsyncReadExt;

/// The folder.
#[derive(Debug)]
pub struct Maildir(PathBuf);

impl Maildir {
    /// A maildir at a path.
    ///
    /// # Errors
    /// It has no `new` and `cur`.
    pub fn open(path: &Path) -> Result<Self, String> {
        for part in ["new", "cur"] {
            if !path.join(part).is_dir() {
                return Err(format!("`{}` is not a maildir: there is no folder `{part}` in it", path.display()));
            }
        }
        Ok(Self(path.to_owned()))
    }

    async fn read(&self, most: usize) -> std::io::Result<Vec<RawMail>> {
        let mut names = Vec::new();
        let mut folder = tokio::fs::read_dir(self.0.join("new")).await?;
        while let Some(entry) = folder.next_entry().await? {
            // Names that are no text are of no delivery agent.
            if entry.file_type().await?.is_file()
                && let Ok(name) = entry.file_name().into_string()
                && names.len() < crate::limits::MAILDIR_NAMES
            {
                names.push(name);
            }
        }
        // A delivery's name begins with its time.
        names.sort();
        let mut mails = Vec::new();
        for name in names.into_iter().take(most) {
            let file = tokio::fs::File::open(self.0.join("new").join(&name)).await?;
            let mut bytes = Vec::new();
            file.take(intake::limits::MAIL_BYTES as u64 + 1).read_to_end(&mut bytes).await?;
            mails.push(RawMail { name, bytes });
        }
        Ok(mails)
    }
}

impl Mailbox for Maildir {
    fn fetch(&self, most: usize) -> Boxed<'_, Result<Vec<RawMail>, MailboxError>> {
        Box::pin(async move {
            let told = |error: std::io::Error| MailboxError { reason: format!("`{}`: {error}", self.0.display()) };
            self.read(most).await.map_err(told)
        })
    }

    fn kept(&self, name: &str) -> Boxed<'_, Result<(), MailboxError>> {
        // `:2,S` says that it was seen.
        let (from, to) = (self.0.join("new").join(name), self.0.join("cur").join(format!("{name}:2,S")));
        Box::pin(async move {
            let told = |error: std::io::Error| MailboxError { reason: format!("`{}`: {error}", from.display()) };
            tokio::fs::rename(&from, &to).await.map_err(told)
        })
    }
}
