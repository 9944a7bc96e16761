//! A node's directory: where its database, keys, signer's file and socket are, and how keys are written and read.
//!
//! Directories are 0700 and files 0600. Private keys are wiped from memory when they are dropped, and never printed.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use http_room::tls::{KeyError, NodeKey};
use journal::cursor::CursorKey;
use journal::identity::{self, Identity, SignedIdentity};
use journal::note::NoteVerifier;
use journal::seal::WrappingKey;
use model::RootId;
use node::ports::{Random, random_bytes};
use zeroize::Zeroizing;

use crate::limits;

/// First word of a key file, before the kind and the key.
const KEY_HEADER: &str = "entraide/key/v1";

/// Why keys were not written or read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file or directory.
    #[error("`{path}` can't be used: {reason}")]
    Io {
        /// Which.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// There is no node.
    #[error("there is no node in `{0}`: make one with `entraide init --dir {0} --authority FR --name \"CERT-FR\"`")]
    NoNode(String),
    /// Not a key file.
    #[error("`{0}` is not a key file of this kind: restore it from the backup of keys")]
    Format(String),
    /// A key that the identity does not name.
    #[error("the {kind} key in `{path}` is not the one that the identity names: restore all keys from one backup")]
    Mismatch {
        /// Which key.
        kind: &'static str,
        /// The directory of keys.
        path: String,
    },
    /// The identity.
    #[error("the identity in `{path}` is refused: {reason}")]
    Identity {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The TLS key.
    #[error(transparent)]
    Tls(#[from] KeyError),
}

/// Where things are in a node's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    dir: PathBuf,
}

/// The private keys that a node keeps, by the name of their file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Signs the log's checkpoints.
    Log,
    /// Wraps the keys of bodies.
    Wrapping,
    /// Signs the cursors of the feed.
    Cursor,
    /// Cosigns partners' checkpoints.
    Witness,
    /// Signs mandates.
    Mandate,
    /// Signs the identity; its file is to be taken offline.
    Root,
}

impl Kind {
    /// The kinds that stay on the machine.
    pub const ONLINE: [Self; 5] = [Self::Log, Self::Wrapping, Self::Cursor, Self::Witness, Self::Mandate];

    /// The word in files and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Wrapping => "wrapping",
            Self::Cursor => "cursor",
            Self::Witness => "witness",
            Self::Mandate => "mandate",
            Self::Root => "root",
        }
    }
}

impl Layout {
    /// The layout of a node's directory, whether there is a node or not.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }
    /// The directory itself.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
    /// The directory of keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }
    /// One private key.
    #[must_use]
    pub fn key(&self, kind: Kind) -> PathBuf {
        self.keys().join(format!("{}.key", kind.word()))
    }
    /// The private TLS key.
    #[must_use]
    pub fn tls_key(&self) -> PathBuf {
        self.keys().join("tls.key")
    }
    /// The TLS certificate, which browsers are shown.
    #[must_use]
    pub fn tls_certificate(&self) -> PathBuf {
        self.keys().join("tls.crt")
    }
    /// The signed identity: header, JSON and signature, a line each.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.keys().join("identity.txt")
    }
    /// The public key of the log as a note key: what whoever checks a proof needs.
    #[must_use]
    pub fn log_public_key(&self) -> PathBuf {
        self.dir.join("log.pub")
    }
    /// The signer's file.
    #[must_use]
    pub fn signer(&self) -> PathBuf {
        self.dir.join("signer")
    }
    /// The purge list, unless the configuration puts it elsewhere.
    #[must_use]
    pub fn purge_list(&self) -> PathBuf {
        self.dir.join("purged")
    }
    /// Where a restore folds the views before the node is there.
    #[must_use]
    pub fn restoring(&self) -> PathBuf {
        self.dir.join("restoring")
    }
    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.dir.join("entraide.db")
    }
    /// Where `verify` folds a copy of the database again.
    #[must_use]
    pub fn verifying(&self) -> PathBuf {
        self.dir.join("verifying")
    }
    /// The local socket of a running node.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.dir.join("entraide.sock")
    }
    /// The configuration, which need not be there.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.dir.join("entraide.toml")
    }
    /// The root key as `init` leaves it, until it is taken offline.
    #[must_use]
    pub fn root_key(&self, root: RootId) -> PathBuf {
        self.dir.join(format!("root-{root}.key"))
    }
    /// Is there a node?
    #[must_use]
    pub fn is_node(&self) -> bool {
        self.identity().is_file()
    }
}

/// What is made by `init`: every private key, before the identity is signed.
pub struct NewKeys {
    /// The keys of [`Kind::ONLINE`], in that order.
    secrets: Vec<(Kind, Zeroizing<[u8; 32]>)>,
    /// The root key.
    pub root: SigningKey,
}

impl NewKeys {
    /// Draws them.
    pub fn draw(random: &mut dyn Random) -> Self {
        let mut draw = || Zeroizing::new(random_bytes::<32>(random));
        let secrets = Kind::ONLINE.iter().map(|kind| (*kind, draw())).collect();
        Self { secrets, root: SigningKey::from_bytes(&draw()) }
    }

    /// The public half of a key that signs.
    #[must_use]
    pub fn public(&self, kind: Kind) -> [u8; 32] {
        let secret = self.secrets.iter().find(|(of, _)| *of == kind).map(|(_, secret)| secret);
        secret.map_or([0; 32], |secret| public(secret))
    }

    /// Writes everything into a new directory of keys; the identity last, since it is what makes a node.
    ///
    /// # Errors
    /// A file is there already, or the disk.
    pub fn write(&self, layout: &Layout, tls: &NodeKey, identity: &SignedIdentity) -> Result<(), KeysError> {
        make_private_dir(&layout.keys())?;
        for (kind, secret) in &self.secrets {
            write_private(&layout.key(*kind), key_text(*kind, secret).as_bytes())?;
        }
        let pem = tls.to_pem();
        let (certificate, private) = pem.split_at(pem.find("-----BEGIN PRIVATE KEY-----").unwrap_or(pem.len()));
        write_private(&layout.tls_certificate(), certificate.as_bytes())?;
        write_private(&layout.tls_key(), private.as_bytes())?;
        write_private(&layout.identity(), &identity.to_bytes())?;
        sync_dir(&layout.keys())
    }

    /// Writes the root key into the node's directory, with what to do with it.
    ///
    /// # Errors
    /// A file is there already, or the disk.
    pub fn write_root(&self, layout: &Layout, known: &Identity) -> Result<PathBuf, KeysError> {
        let path = layout.root_key(known.origin.root());
        let secret = Zeroizing::new(self.root.to_bytes());
        let text = Zeroizing::new(format!(
            "# The root key of {}.\n# Take this file offline now: copy it to two storage devices that are kept apart \
             under lock, check both copies, and delete it here.\n# It alone can say which keys speak for this node.\n{}",
            known.origin,
            *key_text(Kind::Root, &secret)
        ));
        write_private(&path, text.as_bytes())?;
        sync_dir(layout.dir())?;
        Ok(path)
    }
}

fn public(secret: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(secret).verifying_key().to_bytes()
}

fn key_text(kind: Kind, secret: &[u8; 32]) -> Zeroizing<String> {
    let hex = Zeroizing::new(model::bytes::hex(secret));
    Zeroizing::new(format!("{KEY_HEADER} {} {}\n", kind.word(), *hex))
}

/// The keys with which a node speaks, as read from its directory.
pub struct Keys {
    /// Signs checkpoints.
    pub log: SigningKey,
    /// Wraps the keys of bodies.
    pub wrapping: WrappingKey,
    /// Signs cursors.
    pub cursor: CursorKey,
    /// Cosigns partners' checkpoints.
    pub witness: SigningKey,
    /// Proves who the node is on connections.
    pub tls: NodeKey,
    /// Who the node is, as its root key signed it.
    pub signed: SignedIdentity,
    /// The same, checked.
    pub identity: Identity,
}

impl Keys {
    /// Reads the keys of the node in a directory, and checks that the identity names them.
    ///
    /// # Errors
    /// There is no node, a file is missing or damaged, or the keys are of two nodes.
    pub fn read(layout: &Layout) -> Result<Self, KeysError> {
        if !layout.is_node() {
            return Err(KeysError::NoNode(layout.dir().display().to_string()));
        }
        let path = layout.identity();
        let refused = |reason: String| KeysError::Identity { path: path.display().to_string(), reason };
        let signed = SignedIdentity::from_bytes(&read_small(&path)?).map_err(|error| refused(error.to_string()))?;
        let identity = identity::verify(&signed).map_err(|error| refused(error.to_string()))?.into_inner();
        let mut pem = read_small(&layout.tls_certificate())?;
        pem.extend_from_slice(&read_small(&layout.tls_key())?);
        let tls = NodeKey::from_pem(&pem)?;
        let secret = |kind| read_key(&layout.key(kind), kind);
        let log = secret(Kind::Log)?;
        let witness = secret(Kind::Witness)?;
        let named = [
            (Kind::Log.word(), public(&log) == identity.log_key),
            (Kind::Witness.word(), public(&witness) == identity.witness_key),
            (Kind::Mandate.word(), public(&*secret(Kind::Mandate)?) == identity.mandate_key),
            ("TLS", identity.tls_pins.iter().any(|pin| *pin.as_bytes() == tls.pin())),
        ];
        if let Some((kind, _)) = named.iter().find(|(_, good)| !good) {
            return Err(KeysError::Mismatch { kind, path: layout.keys().display().to_string() });
        }
        Ok(Self {
            log: SigningKey::from_bytes(&log),
            wrapping: WrappingKey::new(*secret(Kind::Wrapping)?),
            cursor: CursorKey::new(*secret(Kind::Cursor)?),
            witness: SigningKey::from_bytes(&witness),
            tls,
            signed,
            identity,
        })
    }
}

/// The public key of a log as a note key, on one line.
#[must_use]
pub fn note_key(identity: &Identity) -> Option<NoteVerifier> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(&identity.log_key).ok()?;
    NoteVerifier::new(&identity.origin.to_string(), key).ok()
}

/// Reads one key file; lines that begin with `#` are for people.
///
/// # Errors
/// The file is not there, or is not a key of this kind.
pub fn read_key(path: &Path, kind: Kind) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    key_of(&Zeroizing::new(read_small(path)?), path, kind)
}

/// The same, of a file's bytes.
pub(crate) fn key_of(text: &[u8], path: &Path, kind: Kind) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let wrong = || KeysError::Format(path.display().to_string());
    let text = std::str::from_utf8(text).map_err(|_| wrong())?;
    let line = text.lines().find(|line| !line.starts_with('#')).ok_or_else(wrong)?;
    let mut words = line.split(' ');
    let head = (words.next(), words.next());
    let secret = words.next().and_then(model::bytes::unhex::<32>).map(Zeroizing::new).ok_or_else(wrong)?;
    if head == (Some(KEY_HEADER), Some(kind.word())) && words.next().is_none() { Ok(secret) } else { Err(wrong()) }
}

/// Names the path in what the system says.
pub(crate) fn io_error(path: &Path, error: &io::Error) -> KeysError {
    KeysError::Io { path: path.display().to_string(), reason: error.to_string() }
}

/// Reads a file of at most [`limits::SMALL_FILE_BYTES`].
pub(crate) fn read_small(path: &Path) -> Result<Vec<u8>, KeysError> {
    let told = |error: io::Error| io_error(path, &error);
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(told)?.take(limits::SMALL_FILE_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > limits::SMALL_FILE_BYTES {
        return Err(KeysError::Io { path: path.display().to_string(), reason: "it is larger than 1 MiB".to_owned() });
    }
    Ok(bytes)
}

/// Makes a directory that its owner alone may enter.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), KeysError> {
    let told = |error: io::Error| io_error(path, &error);
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(told)?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(told)
}

/// Writes a file that its owner alone may read, and makes it durable. One that is there already is never replaced.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    let told = |error: io::Error| io_error(path, &error);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(told)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(told)
}

/// Makes names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), KeysError> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(|error| io_error(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::MachineRandom;

    #[test]
    fn key_files_read_back_as_their_own_kind_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        write_private(&path, key_text(Kind::Cursor, &[7; 32]).as_bytes()).unwrap();
        assert_eq!(*read_key(&path, Kind::Cursor).unwrap(), [7; 32]);
        assert!(matches!(read_key(&path, Kind::Log), Err(KeysError::Format(_))));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(write_private(&path, b"again").is_err(), "a key is never replaced");
        for text in ["", "\n", "# only a comment\n", "entraide/key/v1 cursor 00\n", "entraide/key/v2 cursor 00\n"] {
            let path = dir.path().join("bad.key");
            fs::write(&path, text).unwrap();
            assert!(matches!(read_key(&path, Kind::Cursor), Err(KeysError::Format(_))), "{text}");
        }
    }

    #[test]
    fn new_keys_are_all_different() {
        let keys = NewKeys::draw(&mut MachineRandom::new().unwrap());
        let publics: Vec<[u8; 32]> = Kind::ONLINE.iter().map(|kind| keys.public(*kind)).collect();
        for (at, one) in publics.iter().enumerate() {
            assert!(!publics[..at].contains(one));
        }
    }
}
