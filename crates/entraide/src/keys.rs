//! A node's directory: where its database, keys, signer's file and socket are, and how keys are written and read.
//!
//! Directories are 0700 and files 0600. Private keys are wiped from memory when they are dropped, and never printed.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use http_room::tls::{KeyError, NodeKey};
use journal::identity::{self, Identity, SignedIdentity};
use journal::note::NoteVerifier;
use model::RootId;
use node::ports::{Random, random_bytes};
use zeroize::Zeroizing;

use crate::checked::{checked, with_check};
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
    /// Is it used by whoever makes the node, so that one that is not finished is one?
    in_the_making: bool,
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
    /// Shows who the node is on connections; its file is a certificate's.
    Tls,
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
            Self::Tls => "tls",
            Self::Root => "root",
        }
    }
}

impl Layout {
    /// The layout of a node's directory, whether there is a node or not.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), in_the_making: false }
    }
    /// The same for whoever makes the node.
    #[must_use]
    pub fn in_the_making(&self) -> Self {
        Self { dir: self.dir.clone(), in_the_making: true }
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
    /// The key that takes the place of one, once the identity names it.
    #[must_use]
    pub fn next_key(&self, kind: Kind) -> PathBuf {
        self.keys().join(format!("{}.next.key", kind.word()))
    }
    /// The certificate of the TLS key that takes the place of the one of now.
    #[must_use]
    pub fn next_tls_certificate(&self) -> PathBuf {
        self.keys().join("tls.next.crt")
    }
    /// What is left to do of a rotation that is under way.
    #[must_use]
    pub fn rotation(&self) -> PathBuf {
        self.keys().join("rotation.txt")
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
    /// What the root key signed when the log took the place of another: the identity of then, to show to people.
    #[must_use]
    pub fn successor(&self) -> PathBuf {
        self.dir.join("successor.txt")
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
    /// The sealed files of evidence; it need not be there.
    #[must_use]
    pub fn depot(&self) -> PathBuf {
        self.dir.join("depot")
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
    /// Is there while a node is being made: what stands beside it was told to nobody, and is made anew.
    #[must_use]
    pub fn unfinished(&self) -> PathBuf {
        self.dir.join("unfinished")
    }
    /// Is there a node, and was it made to the end?
    #[must_use]
    pub fn is_node(&self) -> bool {
        self.identity().is_file() && (self.in_the_making || self.unfinished().symlink_metadata().is_err())
    }

    /// Notes that a node is being made. What an earlier attempt left that did not come to its end goes first: nobody was
    /// told of its keys. It is for the caller to have refused a directory with anything else in it.
    ///
    /// # Errors
    /// The disk.
    pub fn begin(&self) -> Result<(), KeysError> {
        make_private_dir(&self.dir)?;
        if self.unfinished().symlink_metadata().is_ok() {
            self.forget_attempt()?;
        } else {
            let text =
                "A node is being made here, or was not finished: run the same command again, which begins anew.\n";
            write_private(&self.unfinished(), text.as_bytes())?;
        }
        sync_dir(&self.dir)
    }

    /// The node is there: from here on it can be used, and nothing of it is ever made anew.
    ///
    /// # Errors
    /// The disk; it is not there then, unless the disk took the note away and refuses to take it back: then it is whole.
    pub fn finish(&self) -> Result<(), KeysError> {
        sync_dir(&self.dir)?;
        remove(&self.unfinished())?;
        let Err(error) = sync_dir(&self.dir) else { return Ok(()) };
        // The note may come back with a power cut, and with it the node would go: so it is not there yet.
        let _ = write_private(&self.unfinished(), b"");
        if self.unfinished().symlink_metadata().is_ok() {
            return Err(error);
        }
        let reason =
            format!("{error}; the node is whole, but a power cut may undo it: check it with `entraide verify`");
        Err(KeysError::Io { path: self.dir.display().to_string(), reason })
    }

    /// Takes away what a failed attempt has made, as far as the disk lets it: what is left is no node. The note goes last,
    /// and where it is gone already everything stays: half a node without it could be neither used nor made anew.
    pub fn abandon(&self) {
        if self.unfinished().symlink_metadata().is_err() {
            return;
        }
        let forgotten = self.forget_attempt().and_then(|()| sync_dir(&self.dir));
        if let Err(error) = forgotten.and_then(|()| remove(&self.unfinished())) {
            tracing::warn!(%error, "what is left of a node that was not finished goes with the next attempt");
        }
    }

    fn forget_attempt(&self) -> Result<(), KeysError> {
        let told = |path: &Path, error: &io::Error| io_error(path, error);
        for dir in [self.keys(), self.restoring()] {
            match fs::remove_dir_all(&dir) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(&dir, &error)),
                Ok(()) | Err(_) => {}
            }
        }
        let side = |ending: &str| self.dir.join(format!("entraide.db-{ending}"));
        for path in [self.signer(), self.database(), side("wal"), side("shm"), self.log_public_key(), self.purge_list()]
        {
            remove(&path)?;
        }
        self.root_keys()?.iter().try_for_each(|path| remove(path))
    }

    /// The root keys that were not taken offline yet.
    ///
    /// # Errors
    /// The directory can't be read.
    pub fn root_keys(&self) -> Result<Vec<PathBuf>, KeysError> {
        let told = |error: io::Error| io_error(&self.dir, &error);
        let mut keys = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(told)?.take(limits::KEY_FILES) {
            let path = entry.map_err(told)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("root-") && name.ends_with(".key") {
                keys.push(path);
            }
        }
        Ok(keys)
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
        write_tls(&layout.tls_certificate(), &layout.tls_key(), tls)?;
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
        let keep = if known.origin.realm().is_real() {
            "Take this file offline now: copy it to two storage devices that are kept apart under lock, check both \
             copies, and delete it here."
        } else {
            "It signs for this exercise alone, and is destroyed with it."
        };
        let hex = Zeroizing::new(model::bytes::hex(&*secret));
        let text = with_check(&Zeroizing::new(format!(
            "# The root key of {}.\n# {keep}\n# It alone can say which keys speak for this node.\n{KEY_HEADER} {} {}\n",
            known.origin,
            Kind::Root.word(),
            *hex
        )));
        write_private(&path, text.as_bytes())?;
        sync_dir(layout.dir())?;
        Ok(path)
    }
}

pub(crate) fn public(secret: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(secret).verifying_key().to_bytes()
}

pub(crate) fn key_text(kind: Kind, secret: &[u8; 32]) -> Zeroizing<String> {
    let hex = Zeroizing::new(model::bytes::hex(secret));
    with_check(&Zeroizing::new(format!("{KEY_HEADER} {} {}\n", kind.word(), *hex)))
}

/// Who a node is, as read from its directory: its identity, and the keys that stay with it whoever signs for it.
pub struct Keys {
    /// Proves who the node is on connections.
    pub tls: NodeKey,
    /// The TLS key that takes its place, if one was made.
    pub next_tls: Option<NodeKey>,
    /// Who the node is, as its root key signed it.
    pub signed: SignedIdentity,
    /// The same, checked.
    pub identity: Identity,
}

impl Keys {
    /// Reads who the node of a directory is, and checks that the identity names its TLS and mandate keys.
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
        let wrong = |kind| KeysError::Mismatch { kind, path: layout.keys().display().to_string() };
        let (tls, next_tls) = read_tls(layout, &identity)?.ok_or_else(|| wrong("TLS"))?;
        let mandate = [layout.key(Kind::Mandate), layout.next_key(Kind::Mandate)];
        let is_named =
            |path: &PathBuf| read_key(path, Kind::Mandate).is_ok_and(|key| public(&key) == identity.mandate_key);
        if !mandate.iter().any(is_named) {
            // The reason why the file of now is not read is told first.
            read_key(&layout.key(Kind::Mandate), Kind::Mandate)?;
            return Err(wrong(Kind::Mandate.word()));
        }
        Ok(Self { tls, next_tls, signed, identity })
    }
}

/// The TLS key that the identity names first, and the one that takes its place, if there is one. While the second takes
/// the first one's place the files of both may be mixed: what belongs together is found by trying.
fn read_tls(layout: &Layout, identity: &Identity) -> Result<Option<(NodeKey, Option<NodeKey>)>, KeysError> {
    let certificates = [layout.tls_certificate(), layout.next_tls_certificate()];
    let keys = [layout.tls_key(), layout.next_key(Kind::Tls)];
    let mut found: Vec<NodeKey> = Vec::new();
    let (mut refused, mut next) = (None, None);
    for (certificate, key) in certificates.iter().flat_map(|certificate| keys.iter().map(move |key| (certificate, key)))
    {
        let pem = read_pem(certificate).and_then(|pem| Ok((pem, read_pem(key)?)));
        let both = pem.map(|(pem, key)| Zeroizing::new([pem.as_bytes(), key.as_bytes()].concat()));
        match both.and_then(|both| Ok(NodeKey::from_pem(&both)?)) {
            Ok(pair) => {
                if *key == keys[1] {
                    next = Some(pair.clone());
                }
                found.push(pair);
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let place = |key: &NodeKey| identity.tls_pins.iter().position(|pin| *pin.as_bytes() == key.pin());
    found.sort_by_key(|key| place(key).unwrap_or(usize::MAX));
    match (found.first().map(|first| place(first).is_some()), refused) {
        (Some(true), _) => Ok(found.into_iter().next().map(|first| (first, next))),
        (None, Some(error)) => Err(error),
        (Some(false) | None, _) => Ok(None),
    }
}

/// Writes a certificate and its private key.
///
/// # Errors
/// A file is there already, or the disk.
pub(crate) fn write_tls(certificate: &Path, key: &Path, tls: &NodeKey) -> Result<(), KeysError> {
    let pem = tls.to_pem();
    let (public, private) = pem.split_at(pem.find("-----BEGIN PRIVATE KEY-----").unwrap_or(pem.len()));
    write_private(certificate, with_check(public).as_bytes())?;
    write_private(key, with_check(private).as_bytes())
}

/// Reads a certificate or its key, which must be what [`write_tls`] wrote.
pub(crate) fn read_pem(path: &Path) -> Result<Zeroizing<String>, KeysError> {
    let wrong = || KeysError::Format(path.display().to_string());
    let bytes = Zeroizing::new(read_small(path)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
    let text = checked(text).map_err(|_| wrong())?;
    // A mark of the check that was hit is a line too many.
    let ends = text.starts_with("-----BEGIN ") && text.trim_end().ends_with("-----");
    if ends { Ok(Zeroizing::new(text.to_owned())) } else { Err(wrong()) }
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
    let text = checked(text).map_err(|_| wrong())?;
    // One line that is no remark, and it is the last: a mark of the check that was hit is a line too many.
    let mut lines = text.lines().skip_while(|line| line.starts_with('#'));
    let (line, rest) = (lines.next().ok_or_else(wrong)?, lines.next());
    let mut words = line.split(' ');
    let head = (words.next(), words.next());
    let hex = words.next().ok_or_else(wrong)?;
    let secret = model::bytes::unhex::<32>(hex).map(Zeroizing::new).ok_or_else(wrong)?;
    let is_ours = head == (Some(KEY_HEADER), Some(kind.word())) && words.next().is_none() && rest.is_none();
    if is_ours && *Zeroizing::new(model::bytes::hex(&*secret)) == *hex { Ok(secret) } else { Err(wrong()) }
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
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a file helps nobody, and would stand in the way of whoever tries again.
        let _ = fs::remove_file(path);
        told(error)
    })
}

/// Puts a file in place of another at once, and makes it durable: whoever reads sees the one or the other.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    let beside = path.with_extension("writing");
    remove(&beside)?;
    write_private(&beside, bytes)?;
    rename(&beside, path)
}

/// Gives a file another name, in place of what had it, and makes that durable.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), KeysError> {
    fs::rename(from, to).map_err(|error| io_error(to, &error))?;
    // A name without a directory is in the one of now.
    to.parent().map_or(Ok(()), |dir| sync_dir(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), KeysError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
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
    fn half_a_node_is_never_left_without_the_note_that_it_is_unfinished() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        layout.begin().unwrap();
        fs::write(layout.signer(), "").unwrap();
        layout.finish().unwrap();
        layout.abandon();
        assert!(layout.signer().exists(), "where the note is gone everything stays");
        fs::write(layout.unfinished(), "").unwrap();
        layout.abandon();
        assert!(!layout.signer().exists() && !layout.unfinished().exists());
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
