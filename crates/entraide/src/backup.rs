//! Backups: the log part as a directory of its own, and an archive of keys that is kept apart and for a short time.
//!
//! A backup is a directory `<country>-<time>` with the log part (`truth.db`), the identity (`identity.txt`) and the
//! `manifest`. The archive of keys is one sealed file: its head, the files of keys, and the secret part of the database
//! (`store`'s `backup` says what is where). docs/decisions/0007-backups.md says why.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use journal::manifest::{Manifest, ManifestError, Part, is_name};
use journal::tree::root_at;
use model::{Origin, Timestamp};
use node::ports::Random;
use sha2::{Digest, Sha256};
use store::{Store, StoreError};

use crate::keys::{KeysError, Layout, io_error, make_private_dir, read_small, remove, rename, sync_dir, write_private};
use crate::limits;
use crate::sealed_archive::{Opener, Sealer, VaultError};
use crate::signer::Onlooker;

/// The name of the log part in a backup.
pub const LOG_PART: &str = "truth.db";
/// The name of the identity in a backup.
pub const IDENTITY: &str = "identity.txt";
/// The name of the manifest.
pub const MANIFEST: &str = "manifest";
/// First words of an archive of keys, inside the seal.
const ARCHIVE: &str = "entraide/keys/v1";

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file, or the keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest.
    #[error("`{path}`: {reason}: use another backup, and move this one away")]
    Manifest {
        /// The backup.
        path: String,
        /// Why.
        reason: ManifestError,
    },
    /// A file that is not what the manifest says.
    #[error("`{path}` is not what the manifest says: {what}: use another backup")]
    Changed {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Nothing fits.
    #[error("there is no backup in `{path}`{which}: name the directory that `entraide backup --to` was given")]
    None {
        /// Where.
        path: String,
        /// What was asked for.
        which: String,
    },
    /// The archive of keys.
    #[error("the archive of keys `{path}`: {reason}")]
    Archive {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Takes a backup of the node in a directory, whether it runs or not, into a new directory below `to`.
///
/// # Errors
/// No node, or a disk.
pub fn back_up(
    layout: &Layout,
    onlooker: &Onlooker,
    to: &Path,
    now: Timestamp,
) -> Result<(PathBuf, Manifest), BackupError> {
    let store = open_store(layout)?;
    make_private_dir(to)?;
    let name = format!("{}-{}", onlooker.identity.origin.country(), compact(now));
    let (unfinished, whole) = (to.join(format!(".{name}.unfinished")), to.join(&name));
    if whole.exists() {
        return Err(io_error(&whole, &io::Error::other("there is a backup of this second already")).into());
    }
    if unfinished.exists() {
        // A process that was killed left it.
        fs::remove_dir_all(&unfinished).map_err(|error| io_error(&unfinished, &error))?;
    }
    make_private_dir(&unfinished)?;
    let made = write_parts(&store, layout, onlooker, &unfinished, now);
    let done = made.and_then(|manifest| {
        fs::rename(&unfinished, &whole).map_err(|error| io_error(&whole, &error))?;
        sync_dir(to)?;
        Ok((whole, manifest))
    });
    if done.is_err() {
        // Half a backup helps nobody; one that can't be removed is never taken for a whole one, by its name.
        let _ = fs::remove_dir_all(&unfinished);
    }
    done
}

fn write_parts(
    store: &Store,
    layout: &Layout,
    onlooker: &Onlooker,
    dir: &Path,
    now: Timestamp,
) -> Result<Manifest, BackupError> {
    let origin = &onlooker.identity.origin;
    let truth = dir.join(LOG_PART);
    let (size, root, (schema, statements)) = store.back_up(&truth, |db| {
        let log = db.log_id(origin)?.ok_or_else(|| StoreError::Corrupt { what: format!("{origin} is not in it") })?;
        let size = db.tree(log)?.size;
        let root = root_at(&db.tiles(log), size).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
        Ok((size, root, db.extent()?))
    })?;
    File::open(&truth).and_then(|file| file.sync_all()).map_err(|error| io_error(&truth, &error))?;
    write_private(&dir.join(IDENTITY), &read_small(&layout.identity())?)?;
    let parts = [LOG_PART, IDENTITY].into_iter().map(|name| part(dir, name)).collect::<Result<Vec<_>, _>>()?;
    let manifest = Manifest { origin: origin.clone(), made: now, schema, size, root, statements, parts };
    write_private(&dir.join(MANIFEST), manifest.write().as_bytes())?;
    sync_dir(dir)?;
    Ok(manifest)
}

/// Opens the database of a node that is there; one that is not is never made by the way.
pub(crate) fn open_store(layout: &Layout) -> Result<Store, BackupError> {
    if !layout.database().is_file() {
        let missing = io::Error::other("the database is missing: restore it");
        return Err(io_error(&layout.database(), &missing).into());
    }
    Ok(Store::open(layout.dir())?)
}

/// `2026-11-25T02:00:00.000000Z` as a name that sorts by time: `20261125T020000Z`.
fn compact(now: Timestamp) -> String {
    let text = now.to_string();
    let second = text.split('.').next().unwrap_or_default();
    format!("{}Z", second.replace(['-', ':'], ""))
}

fn part(dir: &Path, name: &str) -> Result<Part, KeysError> {
    let (bytes, sha256) = digest(&dir.join(name), &mut io::sink())?;
    Ok(Part { name: name.to_owned(), bytes, sha256 })
}

/// Length and SHA-256 of a file, copied to `to` on the way.
fn digest(path: &Path, to: &mut dyn Write) -> Result<(u64, [u8; 32]), KeysError> {
    let told = |error: io::Error| io_error(path, &error);
    let mut file = File::open(path).map_err(told)?;
    let (mut hash, mut length, mut bytes) = (Sha256::new(), 0, vec![0; limits::COPY_BYTES]);
    loop {
        let read = file.read(&mut bytes).map_err(told)?;
        if read == 0 {
            return Ok((length, hash.finalize().into()));
        }
        hash.update(&bytes[..read]);
        to.write_all(&bytes[..read]).map_err(told)?;
        length += read as u64;
    }
}

/// A backup that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its directory.
    pub path: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
}

/// Which backup is wanted: the newest of those.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Taken at this moment or before.
    pub at: Option<Timestamp>,
    /// With at most as many entries of the own log.
    pub size: Option<u64>,
}

/// Finds the backup that is wanted: `from` is one, or a directory of some.
///
/// # Errors
/// There is none, or one of them has a manifest that cannot be believed.
pub fn find(from: &Path, wanted: Wanted) -> Result<Found, BackupError> {
    let mut all = Vec::new();
    if from.join(MANIFEST).is_file() {
        all.push(manifest_of(from)?);
    } else {
        let told = |error: io::Error| BackupError::from(io_error(from, &error));
        for entry in fs::read_dir(from).map_err(told)?.take(limits::BACKUPS) {
            let path = entry.map_err(told)?.path();
            if !is_unfinished(&path) && path.join(MANIFEST).is_file() {
                all.push(manifest_of(&path)?);
            }
        }
    }
    let fits = |found: &Found| {
        wanted.at.is_none_or(|at| found.manifest.made <= at)
            && wanted.size.is_none_or(|size| found.manifest.size <= size)
    };
    let newest = all.into_iter().filter(fits).max_by_key(|found| found.manifest.made);
    newest.ok_or_else(|| {
        let at = wanted.at.map(|at| format!(" of {at} or before")).unwrap_or_default();
        let size = wanted.size.map(|size| format!(" with at most {size} entries")).unwrap_or_default();
        BackupError::None { path: from.display().to_string(), which: at + &size }
    })
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn manifest_of(path: &Path) -> Result<Found, BackupError> {
    let text = String::from_utf8_lossy(&read_small(&path.join(MANIFEST))?).into_owned();
    let told = |reason| BackupError::Manifest { path: path.display().to_string(), reason };
    let manifest = Manifest::read(&text).map_err(told)?;
    Ok(Found { path: path.to_owned(), manifest })
}

impl Found {
    /// Copies one of its files into a directory under another name, comparing it with the manifest.
    ///
    /// # Errors
    /// It is not what the manifest says, or a disk.
    pub fn copy(&self, name: &str, to: &Path) -> Result<(), BackupError> {
        let path = self.path.join(name);
        let changed = |what| BackupError::Changed { path: path.display().to_string(), what };
        let told =
            self.manifest.parts.iter().find(|part| part.name == name).ok_or_else(|| changed("it is not in it"))?;
        let failed = |error: io::Error| io_error(to, &error);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed)?;
        let (bytes, sha256) = digest(&path, &mut file)?;
        if bytes != told.bytes {
            return Err(changed("its length differs"));
        }
        if sha256 != told.sha256 {
            return Err(changed("a byte of it has changed"));
        }
        Ok(file.sync_all().map_err(failed)?)
    }
}

/// The head of an archive of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveHead {
    /// Whose keys.
    pub origin: Origin,
    /// Of when.
    pub made: Timestamp,
    /// After this it is to be deleted.
    pub delete: Timestamp,
}

/// An archive of keys, opened as far as the secret part of the database, which is read from it last.
pub struct Archive {
    /// What it says of itself.
    pub head: ArchiveHead,
    /// The files of keys, by name.
    pub files: Vec<(String, zeroize::Zeroizing<Vec<u8>>)>,
    /// What follows: the secret part.
    pub secrets: BufReader<Opener<BufReader<File>>>,
}

/// Writes an archive of keys into a new file, and says how many keys of bodies are in it.
///
/// # Errors
/// The file is there already, or the disk.
pub fn archive_keys(
    layout: &Layout,
    head: &ArchiveHead,
    to: &Path,
    passphrase: &[u8],
    random: &mut dyn Random,
) -> Result<u64, BackupError> {
    let store = open_store(layout)?;
    let told = |error: io::Error| BackupError::from(io_error(to, &error));
    // Under its own name only once it is whole: half an archive is never taken for one, and stands in nobody's way.
    let name = to.file_name().ok_or_else(|| told(io::Error::other("it is no name of a file")))?.to_string_lossy();
    let unfinished = to.with_file_name(format!(".{name}.unfinished"));
    // Which file it is, until it is known to last: one that an attempt left which was told as failed is no archive.
    let note = to.with_file_name(format!(".{name}.attempt"));
    if let Ok(found) = to.symlink_metadata() {
        if !fs::read_to_string(&note).is_ok_and(|text| text == file_id(&found)) {
            return Err(told(io::Error::other("there is something already: choose another name")));
        }
        remove(to)?;
    }
    remove(&unfinished)?;
    remove(&note)?;
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(told)?;
    let written = (|| {
        write_private(&note, file_id(&file.metadata().map_err(told)?).as_bytes())?;
        let sealer = Sealer::new(BufWriter::new(&file), passphrase, random).map_err(|error| refused(to, &error))?;
        let mut out = BufWriter::with_capacity(limits::COPY_BYTES, sealer);
        out.write_all(format!("{ARCHIVE}\n{}\n{}\n{}\n", head.origin, head.made, head.delete).as_bytes())
            .map_err(told)?;
        write_files(layout, &mut out).map_err(told)?;
        let keys = store.reader()?.snapshot(|db| db.write_secrets(&mut out))?;
        let sealer = out.into_inner().map_err(|error| told(error.into_error()))?;
        sealer.end().and_then(|mut inner| inner.flush()).and_then(|()| file.sync_all()).map_err(told)?;
        rename(&unfinished, to)?;
        remove(&note)?;
        Ok(keys)
    })();
    if written.is_err() {
        // Half an archive does not open; the error says what went wrong. One that has its name already is taken away by
        // the next attempt, which knows it by the note.
        let _ = fs::remove_file(&unfinished);
        if to.symlink_metadata().is_err() {
            let _ = fs::remove_file(&note);
        }
    }
    written
}

/// Which file it is, whatever its name.
fn file_id(of: &fs::Metadata) -> String {
    format!("{} {}\n", of.dev(), of.ino())
}

/// `keys/`, file by file: name, length, bytes; then an empty name.
fn write_files(layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    for entry in fs::read_dir(layout.keys())?.take(limits::KEY_FILES) {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().filter(|name| is_name(name)).map(str::to_owned) else { continue };
        if !entry.file_type()?.is_file() {
            continue;
        }
        let bytes = zeroize::Zeroizing::new(read_small(&entry.path()).map_err(io::Error::other)?);
        out.write_all(&[u8::try_from(name.len()).unwrap_or(u8::MAX)])?;
        out.write_all(name.as_bytes())?;
        out.write_all(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes())?;
        out.write_all(&bytes)?;
    }
    out.write_all(&[0])
}

fn refused(path: &Path, reason: &dyn std::fmt::Display) -> BackupError {
    BackupError::Archive { path: path.display().to_string(), reason: reason.to_string() }
}

impl Archive {
    /// Opens an archive.
    ///
    /// # Errors
    /// It is none, does not open under this passphrase, or a byte of what was read so far has changed.
    pub fn open(path: &Path, passphrase: &[u8]) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(|error| io_error(path, &error))?;
        let opener =
            Opener::new(BufReader::new(file), passphrase).map_err(|error: VaultError| refused(path, &error))?;
        let mut secrets = BufReader::with_capacity(limits::COPY_BYTES, opener);
        let none = || io::Error::other("it is no archive of keys");
        let mut word = || text_line(&mut secrets);
        let head = (|| {
            if word()? != ARCHIVE {
                return Err(none());
            }
            let origin = word()?.parse().map_err(|_| none())?;
            let made = word()?.parse().map_err(|_| none())?;
            let delete = word()?.parse().map_err(|_| none())?;
            Ok(ArchiveHead { origin, made, delete })
        })();
        let head = head.map_err(|error: io::Error| refused(path, &error))?;
        let files = read_files(&mut secrets).map_err(|error| refused(path, &error))?;
        Ok(Self { head, files, secrets })
    }

    /// One file of it.
    ///
    /// # Errors
    /// It is not there.
    pub fn file(&self, name: &str) -> Result<&[u8], BackupError> {
        let found = self.files.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.as_slice());
        found.ok_or_else(|| refused(Path::new(name), &"this file is not in it"))
    }
}

fn text_line(from: &mut dyn io::BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    io::BufRead::read_until(&mut from.take(256), b'\n', &mut line)?;
    let line = line.strip_suffix(b"\n").ok_or_else(|| io::Error::other("it ends within its head"))?;
    Ok(String::from_utf8_lossy(line).into_owned())
}

type Files = Vec<(String, zeroize::Zeroizing<Vec<u8>>)>;

fn read_files(from: &mut dyn Read) -> io::Result<Files> {
    let mut files = Vec::new();
    loop {
        let mut length = [0; 1];
        from.read_exact(&mut length)?;
        if length[0] == 0 {
            return Ok(files);
        }
        let mut name = vec![0; usize::from(length[0])];
        from.read_exact(&mut name)?;
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        let name = String::from_utf8(name).ok().filter(|name| is_name(name));
        let (Some(name), true) =
            (name, u64::from(length) <= limits::SMALL_FILE_BYTES && files.len() < limits::KEY_FILES)
        else {
            return Err(io::Error::other("a file in it is none of a node's"));
        };
        let mut bytes = zeroize::Zeroizing::new(vec![0; usize::try_from(length).unwrap_or(0)]);
        from.read_exact(&mut bytes)?;
        files.push((name, bytes));
    }
}
