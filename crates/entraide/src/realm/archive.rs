//! What is left of an exercise that was ended: a directory that verifies without the node, for the review afterwards.
//!
//! ```text
//! EX-BLUE-26-20261202T100000Z/
//!   README.txt  exercise.json  identity.txt  keys.txt  SHA256SUMS
//!   FR/  checkpoint.txt  commitments.txt  EX-BLUE-26-FR-0.proof …
//!   evidence/EX-BLUE-26-evidence-1.txt …
//! ```
//!
//! It is made through the same gate as any export: what the machine's own socket may not read is not in it. Accounts,
//! sessions, tokens and private keys are not in it either; they go with the realm.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use model::bytes::hex;
use model::{EntryRef, Index};
use node::query::{entries, evidence};
use node::{Actor, View, witness};
use policy::Viewer;
use sha2::{Digest, Sha256};
use store::{LogId, StoreError};

use super::Record;
use crate::keys::{KeysError, io_error, make_private_dir, sync_dir, write_private};
use crate::limits;
use crate::open::Opened;

/// Why there is no archive. The exercise stays open then.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The exercise's database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk.
    #[error(transparent)]
    File(#[from] KeysError),
    /// The record.
    #[error(transparent)]
    Record(#[from] super::RecordError),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The archive's directory.
    pub path: PathBuf,
    /// Logs in it: ours and our partners'.
    pub logs: usize,
    /// Statements with a proof of their own.
    pub proofs: u64,
    /// Pieces of evidence.
    pub evidence: u64,
}

/// Writes the archive of an exercise below `into`, whole or not at all.
///
/// # Errors
/// The database or the disk.
pub async fn write(opened: &Opened, record: &Record, into: &Path) -> Result<Written, ArchiveError> {
    make_private_dir(into)?;
    let ended: String =
        opened.node.wall().to_string().chars().take(19).filter(|letter| !matches!(letter, '-' | ':')).collect();
    let name = format!("{}-{ended}Z", record.realm);
    let (making, path) = (into.join(format!(".new-{name}")), into.join(name));
    let _ = fs::remove_dir_all(&making);
    make_private_dir(&making)?;
    let (record, place) = (record.clone(), making.clone());
    // One snapshot; nothing else runs in the realm any more.
    let written = opened.node.read(move |view| in_full(view, &record, Files::new(place))).await?;
    fs::rename(&making, &path).map_err(|error| io_error(&path, &error))?;
    sync_dir(into)?;
    Ok(Written { path, ..written })
}

fn in_full(view: &View<'_, '_>, record: &Record, mut files: Files) -> Result<Written, ArchiveError> {
    let viewer = Actor::machine().viewer(&view.me.origin);
    let mut written = Written { path: files.root.clone(), logs: 0, proofs: 0, evidence: 0 };
    record.write(&files.root)?;
    files.note("exercise.json")?;
    files.put("identity.txt", &view.me.signed_identity.to_bytes())?;
    let keys: String = witness::keys(view)?.iter().map(|key| format!("{key}\n")).collect();
    files.put("keys.txt", keys.as_bytes())?;
    for (log, origin) in view.db.logs()? {
        written.logs += 1;
        let place = if log == view.me.log {
            origin.country().to_string()
        } else {
            format!("{}-{}", origin.country(), origin.root())
        };
        files.dir(&place)?;
        written.proofs += one_log(view, &viewer, log, &place, record, &mut files)?;
    }
    files.dir("evidence")?;
    for row in view.db.evidence(None, limits::ARCHIVED_EVIDENCE)? {
        // What convinces nobody but us has no file of its own; the statements that it is about are here.
        if let Ok(file) = evidence::file(view, row.id) {
            let name = format!("evidence/{}-evidence-{}.txt", record.realm, row.id.0);
            files.put(&name, file.write().as_bytes())?;
            written.evidence += 1;
        }
    }
    files.put("README.txt", readme(view, record, &written).as_bytes())?;
    files.finish()?;
    Ok(written)
}

/// Checkpoint, every commitment, and a proof of each statement that the machine may carry out.
fn one_log(
    view: &View<'_, '_>,
    viewer: &Viewer,
    log: LogId,
    place: &str,
    record: &Record,
    files: &mut Files,
) -> Result<u64, ArchiveError> {
    let origin = view.db.origin(log)?;
    let country = origin.country();
    let own = log == view.me.log;
    let tree = view.db.tree(log)?;
    let size = if own { view.signed.size } else { tree.size };
    if let Some(checkpoint) = if own { Some(view.signed.text.clone()) } else { tree.checkpoint } {
        files.put(&format!("{place}/checkpoint.txt"), checkpoint.as_bytes())?;
    }
    let (mut commitments, mut proofs) = (String::new(), 0);
    for start in (0..size).step_by(limits::ARCHIVE_STEP) {
        let count = usize::try_from(size - start).unwrap_or(usize::MAX).min(limits::ARCHIVE_STEP);
        for (index, commitment) in (start..).zip(view.db.commitments(log, start, count)?) {
            // Writing into a string cannot fail.
            let _ = writeln!(commitments, "{commitment}");
            let name = EntryRef::of(&origin, Index(index));
            let there = view.db.statement_at(log, name.index)?.is_some();
            // Not for the machine, or never opened to us: its commitment is all that there is of it here.
            if let Some(proof) = there.then(|| entries::proof(view, viewer, name, false).ok()).flatten() {
                files.put(&format!("{place}/{}-{country}-{index}.proof", record.realm), proof.write().as_bytes())?;
                proofs += 1;
            }
        }
    }
    files.put(&format!("{place}/commitments.txt"), commitments.as_bytes())?;
    Ok(proofs)
}

fn readme(view: &View<'_, '_>, record: &Record, written: &Written) -> String {
    format!(
        "EXERCISE EXERCISE EXERCISE - {realm} - nothing here is real\n\n\
         {name}\n{origin}\nopened {opened}, ended {ended} by the machine's clock; {now} by the exercise's.\n\
         {logs} logs, {proofs} proofs, {evidence} pieces of evidence.\n\n\
         Nothing was changed:    sha256sum -c SHA256SUMS\n\
         A statement was said:   entraide verify-proof {cc}/{realm}-{cc}-0.proof --keys keys.txt\n\
         A log told two stories: entraide verify-evidence evidence/FILE --keys keys.txt\n",
        realm = record.realm,
        name = record.name,
        origin = view.me.origin,
        opened = record.opened,
        ended = view.wall,
        now = view.now,
        logs = written.logs,
        proofs = written.proofs,
        evidence = written.evidence,
        cc = view.me.origin.country(),
    )
}

/// The files of an archive, with the sums of what was written.
struct Files {
    root: PathBuf,
    sums: String,
}

impl Files {
    fn new(root: PathBuf) -> Self {
        Self { root, sums: String::new() }
    }
    fn dir(&self, name: &str) -> Result<(), KeysError> {
        make_private_dir(&self.root.join(name))
    }
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), KeysError> {
        write_private(&self.root.join(name), bytes)?;
        self.sum(name, bytes);
        Ok(())
    }
    /// Notes a file that somebody else wrote.
    fn note(&mut self, name: &str) -> Result<(), KeysError> {
        let bytes = crate::keys::read_small(&self.root.join(name))?;
        self.sum(name, &bytes);
        Ok(())
    }
    fn sum(&mut self, name: &str, bytes: &[u8]) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.sums, "{}  {name}", hex(&Sha256::digest(bytes)));
    }
    fn finish(self) -> Result<(), KeysError> {
        write_private(&self.root.join("SHA256SUMS"), self.sums.as_bytes())?;
        sync_dir(&self.root)
    }
}

/// Destroys the keys of an exercise, then erases its directory. Keys are overwritten first: a disk that keeps old blocks
/// may still hold them, but no file does.
///
/// # Errors
/// The disk; what is left is erased at the next start.
pub fn erase(dir: &Path) -> Result<(), KeysError> {
    let told = |error: io::Error| io_error(dir, &error);
    let in_place = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let keys = fs::read_dir(dir.join("keys")).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in keys.chain(in_place.filter(|path| path.extension().is_some_and(|ending| ending == "key"))) {
        let length = fs::metadata(&path).map_err(told)?.len().min(limits::SMALL_FILE_BYTES);
        let mut file = OpenOptions::new().write(true).open(&path).map_err(told)?;
        let zeros = vec![0; usize::try_from(length).unwrap_or(0)];
        file.write_all(&zeros).and_then(|()| file.sync_all()).map_err(told)?;
    }
    fs::remove_dir_all(dir).map_err(told)?;
    if let Some(above) = dir.parent() { sync_dir(above) } else { Ok(()) }
}
