//! The secret keys with which a node is spoken for: of the log and of the witness, in files or in a token, and those that
//! wrap and that sign cursors. While a key is being replaced both sign, so that whoever knows either is satisfied.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use journal::checkpoint::{Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::identity::Identity;
use journal::note;
use journal::seal::WrappingKey;
use journal::signer_wire::{KeyKind, Pair};
use node::ports::{Signer, SignerError, random_bytes};
use zeroize::Zeroizing;

use crate::keys::{self, KeysError, Kind, Layout, key_text, read_key, remove, rename, write_private};
use crate::machine::MachineRandom;

/// One secret key that signs, wherever it is.
pub trait SecretKey: Send + Sync {
    /// Its public half.
    fn public(&self) -> [u8; 32];
    /// Signs a message with Ed25519.
    ///
    /// # Errors
    /// The key can't be used now.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError>;
}

/// Where keys are that leave no token.
pub trait Token: Send + Sync {
    /// The keys of a kind, in no order.
    ///
    /// # Errors
    /// The token does not answer.
    fn keys(&self, kind: KeyKind) -> Result<Vec<Arc<dyn SecretKey>>, SignerError>;
    /// Makes a key of a kind.
    ///
    /// # Errors
    /// The token does not make it.
    fn make(&self, kind: KeyKind) -> Result<[u8; 32], SignerError>;
    /// Destroys a key of a kind.
    ///
    /// # Errors
    /// The token does not.
    fn destroy(&self, kind: KeyKind, public: &[u8; 32]) -> Result<(), SignerError>;
}

struct FileKey(SigningKey);

impl SecretKey for FileKey {
    fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError> {
        Ok(self.0.sign(message).to_bytes())
    }
}

/// The public halves of the keys that sign, and whether something is still wrapped with a key of before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publics {
    /// Of the log: the one of now, and the next.
    pub log: Vec<[u8; 32]>,
    /// Of the witness.
    pub witness: Vec<[u8; 32]>,
    /// Is something still to be wrapped anew?
    pub before: bool,
}

/// A signer whose keys can be replaced.
pub trait KeyStore: Signer {
    /// Which signing keys there are.
    ///
    /// # Errors
    /// The signer does not answer.
    fn publics(&self) -> Result<Publics, SignerError>;
    /// Makes the next key of the log or the witness; from then on both sign.
    ///
    /// # Errors
    /// It could not be made durable.
    fn prepare(&self, kind: KeyKind) -> Result<[u8; 32], SignerError>;
    /// Keeps one key of the log or the witness, and destroys the others of its kind.
    ///
    /// # Errors
    /// There is no such key, or the disk.
    fn keep_only(&self, kind: KeyKind, key: &[u8; 32]) -> Result<(), SignerError>;
    /// Goes over to another wrapping or cursor key; what the one of before has made is still read.
    ///
    /// # Errors
    /// It could not be made durable.
    fn renew(&self, kind: KeyKind) -> Result<(), SignerError>;
    /// Lets go of the wrapping key of before.
    ///
    /// # Errors
    /// The disk.
    fn forget(&self) -> Result<(), SignerError>;
}

/// The keys of one signer.
pub struct Vault {
    layout: Layout,
    token: Option<Box<dyn Token>>,
    held: RwLock<Held>,
}

struct Held {
    log: Vec<Arc<dyn SecretKey>>,
    witness: Vec<Arc<dyn SecretKey>>,
    wrapping: Pair,
    cursor: Pair,
}

impl Vault {
    /// Reads the keys in a directory and those of a token.
    ///
    /// # Errors
    /// A file is missing or damaged, or the token does not answer.
    pub fn open(layout: &Layout, token: Option<Box<dyn Token>>) -> Result<Self, KeysError> {
        let held = Held {
            log: signing(layout, token.as_deref(), KeyKind::Log)?,
            witness: signing(layout, token.as_deref(), KeyKind::Witness)?,
            wrapping: pair(layout, Kind::Wrapping)?,
            cursor: pair(layout, Kind::Cursor)?,
        };
        Ok(Self { layout: layout.clone(), token, held: RwLock::new(held) })
    }

    /// Are the keys those that an identity names?
    ///
    /// # Errors
    /// Which one is not.
    pub fn check(&self, identity: &Identity) -> Result<(), KeysError> {
        let publics = self.publics();
        let wrong =
            |kind: Kind| KeysError::Mismatch { kind: kind.word(), path: self.layout.keys().display().to_string() };
        if !publics.log.contains(&identity.log_key) {
            return Err(wrong(Kind::Log));
        }
        if publics.witness.contains(&identity.witness_key) { Ok(()) } else { Err(wrong(Kind::Witness)) }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs a checkpoint, a line for each key of the log.
    ///
    /// # Errors
    /// A key can't be used.
    pub fn sign(&self, next: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        let (text, name) = (next.text(), next.origin.to_string());
        let mut note = format!("{text}\n");
        for key in &self.read().log {
            let signature = key.sign(text.as_bytes())?;
            note.push_str(&note::line(&name, &verifying(&key.public())?, &signature));
        }
        Ok(SignedCheckpoint::from_text(note))
    }

    /// Cosigns a text, a line for each key of the witness.
    ///
    /// # Errors
    /// A key can't be used.
    pub fn cosign(&self, text: &str, name: &str, seconds: u64) -> Result<String, SignerError> {
        let message = note::cosigned_message(text, seconds);
        let mut lines = String::new();
        for key in &self.read().witness {
            let signature = key.sign(message.as_bytes())?;
            lines.push_str(&note::cosigned_line(name, seconds, &verifying(&key.public())?, &signature));
        }
        Ok(lines)
    }

    /// The key that wraps the keys of bodies.
    #[must_use]
    pub fn wrapping(&self) -> Arc<WrappingKey> {
        Arc::new(wrapping(&self.read().wrapping))
    }

    /// The key that signs cursors.
    #[must_use]
    pub fn cursor(&self) -> Arc<CursorKey> {
        Arc::new(cursor(&self.read().cursor))
    }

    /// Both as they are handed to a node.
    #[must_use]
    pub fn pairs(&self) -> (Pair, Pair) {
        let held = self.read();
        (held.wrapping.clone(), held.cursor.clone())
    }

    /// The public halves of the keys that sign.
    #[must_use]
    pub fn publics(&self) -> Publics {
        let held = self.read();
        let of = |keys: &[Arc<dyn SecretKey>]| keys.iter().map(|key| key.public()).collect();
        Publics { log: of(&held.log), witness: of(&held.witness), before: held.wrapping.before.is_some() }
    }

    /// See [`KeyStore::prepare`]. With a token, the key is made there.
    ///
    /// # Errors
    /// As there.
    pub fn prepare(&self, kind: KeyKind) -> Result<[u8; 32], SignerError> {
        let public = match &self.token {
            Some(token) => token.make(kind)?,
            None => {
                let secret = Zeroizing::new(draw()?);
                let path = self.layout.next_key(of(kind));
                remove(&path).map_err(failed)?;
                write_private(&path, key_text(of(kind), &secret).as_bytes()).map_err(failed)?;
                keys::sync_dir(&self.layout.keys()).map_err(failed)?;
                keys::public(&secret)
            }
        };
        self.load(kind)?;
        Ok(public)
    }

    /// See [`KeyStore::keep_only`].
    ///
    /// # Errors
    /// As there.
    pub fn keep_only(&self, kind: KeyKind, public: &[u8; 32]) -> Result<(), SignerError> {
        let known = self.publics();
        let known = if kind == KeyKind::Log { known.log } else { known.witness };
        if !known.contains(public) {
            return Err(SignerError::Io("the signer does not have the key that is to stay".to_owned()));
        }
        let (now, next) = (self.layout.key(of(kind)), self.layout.next_key(of(kind)));
        let is = |path: &PathBuf| read_key(path, of(kind)).is_ok_and(|secret| keys::public(&secret) == *public);
        if is(&next) {
            rename(&next, &now).map_err(failed)?;
        } else {
            remove(&next).map_err(failed)?;
            if !is(&now) {
                remove(&now).map_err(failed)?;
            }
        }
        if let Some(token) = &self.token {
            for key in token.keys(kind)?.iter().filter(|key| key.public() != *public) {
                token.destroy(kind, &key.public())?;
            }
        }
        self.load(kind)
    }

    /// See [`KeyStore::renew`]. The order of the steps leaves a key of now whenever the process ends.
    ///
    /// # Errors
    /// As there.
    pub fn renew(&self, kind: KeyKind) -> Result<(), SignerError> {
        if self.read().wrapping.before.is_some() && kind == KeyKind::Wrapping {
            return Err(SignerError::Io("bodies are still being wrapped anew: wait until that is done".to_owned()));
        }
        let secret = Zeroizing::new(draw()?);
        let (now, next, before) = (self.layout.key(of(kind)), self.layout.next_key(of(kind)), self.before(of(kind)));
        for path in [&next, &before] {
            remove(path).map_err(failed)?;
        }
        write_private(&next, key_text(of(kind), &secret).as_bytes()).map_err(failed)?;
        std::fs::hard_link(&now, &before).map_err(|error| failed(keys::io_error(&before, &error)))?;
        rename(&next, &now).map_err(failed)?;
        self.load(kind)
    }

    /// See [`KeyStore::forget`].
    ///
    /// # Errors
    /// As there.
    pub fn forget(&self) -> Result<(), SignerError> {
        remove(&self.before(Kind::Wrapping)).map_err(failed)?;
        keys::sync_dir(&self.layout.keys()).map_err(failed)?;
        self.load(KeyKind::Wrapping)
    }

    fn before(&self, kind: Kind) -> PathBuf {
        before(&self.layout, kind)
    }

    fn load(&self, kind: KeyKind) -> Result<(), SignerError> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        match kind {
            KeyKind::Log => held.log = signing(&self.layout, self.token.as_deref(), kind).map_err(failed)?,
            KeyKind::Witness => held.witness = signing(&self.layout, self.token.as_deref(), kind).map_err(failed)?,
            KeyKind::Wrapping => held.wrapping = pair(&self.layout, Kind::Wrapping).map_err(failed)?,
            KeyKind::Cursor => held.cursor = pair(&self.layout, Kind::Cursor).map_err(failed)?,
        }
        Ok(())
    }
}

/// The wrapping key that a pair stands for.
#[must_use]
pub fn wrapping(pair: &Pair) -> WrappingKey {
    let key = WrappingKey::new(pair.key);
    match pair.before {
        Some(before) => key.with_before(before),
        None => key,
    }
}

/// The cursor key that a pair stands for.
#[must_use]
pub fn cursor(pair: &Pair) -> CursorKey {
    let key = CursorKey::new(pair.key);
    match pair.before {
        Some(before) => key.with_before(before),
        None => key,
    }
}

fn before(layout: &Layout, kind: Kind) -> PathBuf {
    layout.keys().join(format!("{}.before.key", kind.word()))
}

fn pair(layout: &Layout, kind: Kind) -> Result<Pair, KeysError> {
    let key = *read_key(&layout.key(kind), kind)?;
    let path = before(layout, kind);
    let before = if path.exists() { Some(*read_key(&path, kind)?) } else { None };
    // Between two steps of a renewal both are the same.
    Ok(Pair { key, before: before.filter(|before| *before != key) })
}

/// The keys of a kind that sign: that of now, the next one, and those of the token.
fn signing(layout: &Layout, token: Option<&dyn Token>, kind: KeyKind) -> Result<Vec<Arc<dyn SecretKey>>, KeysError> {
    let mut keys: Vec<Arc<dyn SecretKey>> = Vec::new();
    let (now, next) = (layout.key(of(kind)), layout.next_key(of(kind)));
    for path in [&now, &next].into_iter().filter(|path| path.exists()) {
        match read_key(path, of(kind)) {
            Ok(secret) => keys.push(Arc::new(FileKey(SigningKey::from_bytes(&secret)))),
            // A rotation that the disk refused left half of it, and the next one replaces it. Should the identity name
            // it nevertheless, the key that it names is missing, and the node says so.
            Err(error @ KeysError::Format(_)) if path == &next => {
                tracing::warn!(%error, "a next key that is not whole is left aside");
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(token) = token {
        let told = |error: SignerError| KeysError::Io { path: "the token".to_owned(), reason: error.to_string() };
        keys.extend(token.keys(kind).map_err(told)?);
    }
    if keys.is_empty() {
        // Says which file is missing.
        read_key(&now, of(kind))?;
    }
    Ok(keys)
}

const fn of(kind: KeyKind) -> Kind {
    match kind {
        KeyKind::Log => Kind::Log,
        KeyKind::Witness => Kind::Witness,
        KeyKind::Wrapping => Kind::Wrapping,
        KeyKind::Cursor => Kind::Cursor,
    }
}

fn draw() -> Result<[u8; 32], SignerError> {
    let mut random = MachineRandom::new().map_err(|error| SignerError::Io(error.to_string()))?;
    Ok(random_bytes(&mut random))
}

fn verifying(public: &[u8; 32]) -> Result<VerifyingKey, SignerError> {
    VerifyingKey::from_bytes(public).map_err(|_| SignerError::Io("a key is no Ed25519 key".to_owned()))
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err, which hands over the value")]
fn failed(error: KeysError) -> SignerError {
    SignerError::Io(error.to_string())
}
