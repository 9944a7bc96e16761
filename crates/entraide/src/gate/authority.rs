//! The entity's own keys: the authority that signs certificates of helpers, made and used by `ssh-keygen` as sshd's
//! machine has it, and the key with which the entity consents.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::SigningKey;
use journal::mandate::GATE_NAME;
use journal::note::NoteVerifier;
use model::extension::assistance::{HelperKey, Mandate};
use node::ports::{Random, random_bytes};
use zeroize::Zeroizing;

use super::GateError;
use super::config::{Config, Guarded};
use crate::keys::{io_error, make_private_dir, read_small, write_private};
use crate::limits;

/// The keys in the gate's directory.
#[derive(Debug, Clone)]
pub struct Authority {
    state: PathBuf,
}

impl Authority {
    /// Those of a gate.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self { state: config.state.clone() }
    }

    /// Makes the directory and the keys that are not there yet; what is there stays.
    ///
    /// # Errors
    /// A file can't be written, or `ssh-keygen` is missing.
    pub fn make(&self, random: &mut dyn Random) -> Result<(), GateError> {
        fs::create_dir_all(&self.state).map_err(|error| io_error(&self.state, &error))?;
        for name in ["leases", "sessions", "issued"] {
            make_private_dir(&self.state.join(name))?;
        }
        let killed = self.state.join("killed");
        fs::create_dir_all(&killed).map_err(|error| io_error(&killed, &error))?;
        // Accounts reach the socket through it; every secret in it is its owner's alone.
        for dir in [&self.state, &killed] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).map_err(|error| io_error(dir, &error))?;
        }
        if !self.signing().exists() {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-C", "entraide gate", "-f"]).arg(self.signing());
            run(&mut command)?;
        }
        if !self.consenting().exists() {
            let secret = Zeroizing::new(random_bytes::<32>(random));
            let text = Zeroizing::new(format!("{}\n", model::bytes::hex(&*secret)));
            write_private(&self.consenting(), text.as_bytes())?;
        }
        Ok(())
    }

    /// The public key that sshd trusts.
    #[must_use]
    pub fn trusted(&self) -> PathBuf {
        self.state.join("ca.pub")
    }
    fn signing(&self) -> PathBuf {
        self.state.join("ca")
    }
    fn consenting(&self) -> PathBuf {
        self.state.join("consent.key")
    }

    /// The key with which the entity consents.
    ///
    /// # Errors
    /// It is not there, or no key.
    pub fn consent_key(&self) -> Result<SigningKey, GateError> {
        let path = self.consenting();
        let wrong = || GateError::Config { path: path.display().to_string(), reason: "it is no key".to_owned() };
        let bytes = Zeroizing::new(read_small(&path)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
        let secret = model::bytes::unhex::<32>(text.trim()).map(Zeroizing::new).ok_or_else(wrong)?;
        Ok(SigningKey::from_bytes(&secret))
    }

    /// Its public half, as a note names it.
    ///
    /// # Errors
    /// As [`Self::consent_key`].
    pub fn own(&self) -> Result<NoteVerifier, GateError> {
        let key = self.consent_key()?.verifying_key();
        let wrong = |error: journal::note::NoteError| GateError::Refused(error.to_string());
        NoteVerifier::new(GATE_NAME, key).map_err(wrong)
    }

    /// A certificate of a helper for the ways of a mandate that stands: at most ten minutes, without forwarding. Its id is
    /// the helper's key, so that sshd's command knows who comes.
    ///
    /// # Errors
    /// `ssh-keygen` refuses, or a file can't be written.
    pub fn certify(&self, one: &Guarded, mandate: &Mandate, helper: &HelperKey) -> Result<String, GateError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = self.state.join("issued").join(format!("{}-{number}", std::process::id()));
        make_private_dir(&dir)?;
        let made = self.certify_in(&dir, one, mandate, helper);
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error(&dir, &error).into()),
            Ok(()) | Err(_) => made,
        }
    }

    fn certify_in(
        &self,
        dir: &Path,
        one: &Guarded,
        mandate: &Mandate,
        helper: &HelperKey,
    ) -> Result<String, GateError> {
        let within = one.ways.iter().filter(|way| way.is_within(mandate));
        let principals: Vec<String> = within.map(|way| way.principal(&one.id)).collect();
        let public = dir.join("id.pub");
        write_private(&public, format!("{}\n", helper.as_str()).as_bytes())?;
        let mut command = Command::new("ssh-keygen");
        command.arg("-q").arg("-s").arg(self.signing());
        command.args(["-I", helper_word(helper), "-n", &principals.join(","), "-V", limits::CERTIFICATE_LIFE]);
        // `clear` takes every permission away, forwarding among them; a terminal alone is given back.
        command.args(["-O", "clear", "-O", "permit-pty"]).arg(&public);
        run(&mut command)?;
        // Without the comment, which names a file of this machine.
        let made = String::from_utf8_lossy(&read_small(&dir.join("id-cert.pub"))?).into_owned();
        Ok(made.split_whitespace().take(2).collect::<Vec<_>>().join(" ") + "\n")
    }
}

/// The base64 of a helper's key, by which it is named in certificates and recordings.
#[must_use]
pub fn helper_word(helper: &HelperKey) -> &str {
    helper.as_str().rsplit(' ').next().unwrap_or_default()
}

fn run(command: &mut Command) -> Result<(), GateError> {
    let failed = |reason: String| GateError::Program { program: "ssh-keygen", reason };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("it failed").to_owned()))
}
