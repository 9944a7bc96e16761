//! Running another program on bytes: without a shell, in a directory of its own, within a time and a size.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use node::ports::CipherError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::refused;
use crate::limits;

/// A directory that nobody else reads and that goes away with the call.
pub(super) struct Home(PathBuf);

impl Home {
    /// Makes one among the machine's temporary files.
    pub(super) fn new() -> Result<Self, CipherError> {
        use std::os::unix::fs::DirBuilderExt;
        let name: [u8; 8] = rand::random();
        let path = std::env::temp_dir().join(format!("entraide-{}", model::bytes::hex(&name)));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| refused(format!("no directory for the mail program could be made: {error}")))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Puts a file into it that nobody else reads.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, CipherError> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let path = self.0.join(name);
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| refused(format!("a file for the mail program could not be written: {error}")))?;
        Ok(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "a directory of the mail program could not be removed");
        }
    }
}

/// What a program said.
pub(super) struct Ran {
    /// Did it end well?
    pub(super) good: bool,
    /// Its standard output.
    pub(super) out: Vec<u8>,
}

/// Runs a program on bytes. It is ended when its time is over or it says more than is wanted.
///
/// # Errors
/// It is not installed, too slow, or says too much.
pub(super) async fn run(home: &Home, program: &str, arguments: &[&str], input: &[u8]) -> Result<Ran, CipherError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(home.path())
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("GNUPGHOME", home.path())
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What it complains about may hold names: the status line says enough.
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            refused(format!("`{program}` is not installed on the node's machine"))
        } else {
            refused(format!("`{program}` could not be started: {error}"))
        }
    })?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let whole = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that has heard enough closes its end: its status says whether that was well.
                let _ = stdin.write_all(input).await;
            }
        };
        let read = async {
            let mut out = Vec::new();
            if let Some(stdout) = stdout {
                let most = limits::CIPHER_BYTES as u64 + 1;
                stdout.take(most).read_to_end(&mut out).await?;
            }
            Ok::<_, std::io::Error>(out)
        };
        let ((), out) = tokio::join!(write, read);
        let out = out?;
        if out.len() > limits::CIPHER_BYTES {
            return Ok(None);
        }
        Ok(Some(Ran { good: child.wait().await?.success(), out }))
    };
    let ran: Result<Option<Ran>, std::io::Error> = tokio::time::timeout(limits::CIPHER, whole)
        .await
        .map_err(|_| refused(format!("`{program}` took longer than {} seconds", limits::CIPHER.as_secs())))?;
    ran.map_err(|error| refused(format!("`{program}` broke off: {error}")))?
        .ok_or_else(|| refused(format!("`{program}` gave back more than a mail may hold")))
}
