//! Restore: from a backup, an archive of keys and the purge list to a node's directory, or to a rehearsal of one.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::checkpoint::{Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::identity::{self, Identity, SignedIdentity};
use journal::purge::Purged;
use journal::seal::WrappingKey;
use journal::signer_wire::Pair;
use journal::tree::root_at;
use model::Origin;
use node::ports::{Signer, SignerError};
use node::restore::Restored;
use node::verify::Report;
use store::{Db, Store, StoreError};

use crate::backup::{Archive, BackupError, Found, IDENTITY, LOG_PART};
use crate::keys::{
    KeysError, Kind, Layout, io_error, key_of, make_private_dir, note_key, read_small, sync_dir, write_private,
};
use crate::purge_list;
use crate::{signer, vault};

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup, or the archive of keys.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The disk.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not become a database that can be served.
    #[error(transparent)]
    Open(#[from] node::engine::OpenError),
    /// There is something already.
    #[error("there is a node in `{0}` already, or what is left of one: choose a new directory")]
    Exists(String),
    /// Two nodes' parts.
    #[error("the {what} is of `{origin}`, the backup of `{backup}`: give the parts of one node")]
    Foreign {
        /// Which part.
        what: &'static str,
        /// Whose it is.
        origin: String,
        /// Whose the backup is.
        backup: String,
    },
    /// The identity.
    #[error("the identity in the backup is refused: {0}")]
    Identity(String),
    /// What was restored does not hold.
    #[error("nothing was restored, because the backup does not hold: {0}")]
    Faults(String),
}

/// What is restored, and with what.
pub struct Parts<'a> {
    /// The backup.
    pub found: &'a Found,
    /// The archive of keys; without it a rehearsal looks at the log alone.
    pub archive: Option<Archive>,
    /// What was erased.
    pub purges: &'a [Purged],
}

/// What came of it.
pub struct Outcome {
    /// What was brought back.
    pub restored: Restored,
    /// What was checked, with what does not hold.
    pub report: Report,
    /// Who the node is.
    pub identity: Identity,
    files: Vec<(String, zeroize::Zeroizing<Vec<u8>>)>,
}

/// A directory that goes, whatever happens: it holds what a node holds.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it; one that a killed process left goes first.
    ///
    /// # Errors
    /// The disk.
    pub fn new(path: PathBuf) -> Result<Self, KeysError> {
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|error| io_error(&path, &error))?;
        }
        make_private_dir(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "a directory with a restored database is left: remove it");
        }
    }
}

/// The keys that a fold needs; it never signs.
struct Holder {
    wrapping: Arc<WrappingKey>,
    cursor: Arc<CursorKey>,
}

impl Signer for Holder {
    fn sign(&self, _: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        Err(SignerError::Io("a restore signs nothing".to_owned()))
    }
    fn cosign(&self, _: &str, _: u64) -> Result<String, SignerError> {
        Err(SignerError::Io("a restore signs nothing".to_owned()))
    }
    fn mark(&self) -> Option<Checkpoint> {
        None
    }
    fn wrapping_key(&self) -> Arc<WrappingKey> {
        Arc::clone(&self.wrapping)
    }
    fn cursor_key(&self) -> Arc<CursorKey> {
        Arc::clone(&self.cursor)
    }
}

/// Restores into a scratch directory and checks everything: each file against the manifest, the log, every statement and
/// body, the views, and that nothing is there that stands on the purge list.
///
/// # Errors
/// Parts that do not belong together or do not open. What opens and does not hold is in the report.
pub fn rehearse(parts: Parts<'_>, scratch: &Scratch) -> Result<Outcome, RestoreError> {
    let Parts { found, archive, purges } = parts;
    let dir = scratch.path();
    found.copy(LOG_PART, &Layout::new(dir).database())?;
    found.copy(IDENTITY, &dir.join(IDENTITY))?;
    let named = read_small(&dir.join(IDENTITY))?;
    let signed = match &archive {
        // The identity may have been renewed since the backup: that of the keys names the keys.
        Some(archive) => archive.file(IDENTITY)?.to_vec(),
        None => named,
    };
    let refused = |error: &dyn std::fmt::Display| RestoreError::Identity(error.to_string());
    let signed = SignedIdentity::from_bytes(&signed).map_err(|error| refused(&error))?;
    let identity = identity::verify(&signed).map_err(|error| refused(&error))?.into_inner();
    belongs("identity", &identity.origin, found)?;
    let holder = holder(archive.as_ref(), found)?;
    let mut archive = archive;
    let secrets = archive.as_mut().map(|archive| &mut archive.secrets as &mut dyn Read);
    let restored = node::restore::restore(dir, signed, &holder, secrets, purges)?;
    if let Some(archive) = &mut archive {
        ends(&mut archive.secrets)?;
    }
    let report = check(dir, &holder, &identity, found, purges)?;
    let files = archive.map(|archive| archive.files).unwrap_or_default();
    Ok(Outcome { restored, report, identity, files })
}

fn belongs(what: &'static str, origin: &Origin, found: &Found) -> Result<(), RestoreError> {
    if *origin == found.manifest.origin {
        return Ok(());
    }
    let backup = found.manifest.origin.to_string();
    Err(RestoreError::Foreign { what, origin: origin.to_string(), backup })
}

fn holder(archive: Option<&Archive>, found: &Found) -> Result<Holder, RestoreError> {
    let Some(archive) = archive else {
        let (wrapping, cursor) = (WrappingKey::new([0; 32]), CursorKey::new([0; 32]));
        return Ok(Holder { wrapping: Arc::new(wrapping), cursor: Arc::new(cursor) });
    };
    belongs("archive of keys", &archive.head.origin, found)?;
    let key = |kind: Kind| {
        let name = format!("{}.key", kind.word());
        Ok::<_, RestoreError>(key_of(archive.file(&name)?, Path::new(&name), kind)?)
    };
    // While keys of bodies are wrapped anew, some are still wrapped with the key of before.
    let name = format!("{}.before.key", Kind::Wrapping.word());
    let before = match archive.file(&name) {
        Ok(bytes) => Some(*key_of(bytes, Path::new(&name), Kind::Wrapping)?),
        Err(_) => None,
    };
    let wrapping = vault::wrapping(&Pair { key: *key(Kind::Wrapping)?, before });
    Ok(Holder { wrapping: Arc::new(wrapping), cursor: Arc::new(CursorKey::new(*key(Kind::Cursor)?)) })
}

/// An archive that was cut off behind its content does not open to the end.
fn ends(from: &mut dyn Read) -> Result<(), RestoreError> {
    let told = |error: io::Error| RestoreError::from(io_error(Path::new("the archive of keys"), &error));
    match from.read(&mut [0; 1]).map_err(told)? {
        0 => Ok(()),
        _ => Err(told(io::Error::other("something follows its content"))),
    }
}

fn check(
    dir: &Path,
    holder: &Holder,
    identity: &Identity,
    found: &Found,
    purges: &[Purged],
) -> Result<Report, RestoreError> {
    let read = |db: &Db<'_>| {
        let keys = node::identities::all_log_keys(db, identity)?;
        let mut report = node::verify::verify(db, holder, |origin| keys.get(origin).cloned())?;
        report.faults.extend(against_manifest(db, found)?);
        report.faults.extend(node::purged::remaining(db, purges)?);
        Ok::<_, StoreError>(report)
    };
    Ok(Store::open(dir)?.reader()?.snapshot(read)?)
}

fn against_manifest(db: &Db<'_>, found: &Found) -> Result<Option<String>, StoreError> {
    let told = &found.manifest;
    let Some(log) = db.log_id(&told.origin)? else { return Ok(Some(format!("{} is not in it", told.origin))) };
    let tree = db.tree(log)?;
    let root = root_at(&db.tiles(log), tree.size).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    if (tree.size, root, db.extent()?.1) == (told.size, told.root, told.statements) {
        return Ok(None);
    }
    Ok(Some(format!("{}: size, root or statements are not those of the manifest", told.origin)))
}

/// Makes the node in a new directory. Its signer's file says that what was signed last is not known, unless the file of
/// this machine is given.
///
/// # Errors
/// There is something already, the parts do not hold, or the disk.
pub fn restore(
    parts: Parts<'_>,
    layout: &Layout,
    purge_list: Option<&Path>,
    signer: Option<&Path>,
) -> Result<Outcome, RestoreError> {
    let taken = [layout.keys(), layout.signer(), layout.database(), layout.purge_list()];
    let begun = layout.unfinished().symlink_metadata().is_ok();
    if !begun && taken.iter().any(|path| path.symlink_metadata().is_ok()) {
        return Err(RestoreError::Exists(layout.dir().display().to_string()));
    }
    layout.begin()?;
    let outcome = bring_back(parts, layout, purge_list, signer);
    if outcome.is_err() {
        layout.abandon();
    }
    outcome
}

fn bring_back(
    parts: Parts<'_>,
    layout: &Layout,
    purge_list: Option<&Path>,
    signer: Option<&Path>,
) -> Result<Outcome, RestoreError> {
    let scratch = Scratch::new(layout.restoring())?;
    let outcome = rehearse(parts, &scratch)?;
    if let Some(fault) = outcome.report.faults.first() {
        return Err(RestoreError::Faults(fault.clone()));
    }
    // Written anew: the scratch may have, on pages that are free now, keys of what is purged.
    Store::open(scratch.path())?.copy_into(layout.dir())?;
    drop(scratch);
    if let Some(list) = purge_list {
        write_private(&layout.purge_list(), &fs::read(list).map_err(|error| io_error(list, &error))?)?;
        purge_list::read(&layout.purge_list())?;
    }
    match signer {
        Some(file) => write_private(&layout.signer(), &read_small(file)?)?,
        None => signer::create_unknown(layout, &outcome.identity.origin)?,
    }
    let log_key = note_key(&outcome.identity).map(|key| format!("{key}\n")).unwrap_or_default();
    write_private(&layout.log_public_key(), log_key.as_bytes())?;
    write_keys(layout, &outcome)?;
    layout.finish()?;
    Ok(outcome)
}

/// The identity last: it is what makes a node.
fn write_keys(layout: &Layout, outcome: &Outcome) -> Result<(), KeysError> {
    make_private_dir(&layout.keys())?;
    let last = |name: &str| name == IDENTITY;
    for first in [true, false] {
        for (name, bytes) in outcome.files.iter().filter(|(name, _)| last(name) != first) {
            write_private(&layout.keys().join(name), bytes)?;
        }
    }
    sync_dir(&layout.keys())
}
