//! The purge list on disk: appended and synced, one line an erased body (`journal::purge` says how a line is written).

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use journal::purge::{self, Check, HEADER, Purged};
use node::ports::{PurgeList, PurgeListError};

use crate::keys::{KeysError, io_error, sync_dir};
use crate::limits;

/// The list of one node. Whoever holds the signer's lock is the only one who appends.
pub struct FilePurgeList {
    path: PathBuf,
    end: Mutex<End>,
}

struct End {
    file: File,
    /// Of the last line; `None` once a write has failed: what stands in the file is not known then.
    check: Option<Check>,
}

impl FilePurgeList {
    /// Opens a list, or makes an empty one. A line that was torn by a power cut is cut off: nobody was told of it.
    ///
    /// # Errors
    /// The disk, or a list that was changed.
    pub fn open(path: &Path) -> Result<Self, KeysError> {
        let told = |error: std::io::Error| io_error(path, &error);
        let new = !path.exists();
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(path).map_err(told)?;
        let list = purge::read(&bytes_of(path)?).map_err(|error| changed(path, error))?;
        file.set_len(list.whole as u64).map_err(told)?;
        if list.whole == 0 {
            file.write_all(HEADER.as_bytes()).map_err(told)?;
        }
        file.sync_all().map_err(told)?;
        if new {
            sync_dir(path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        }
        Ok(Self { path: path.to_owned(), end: Mutex::new(End { file, check: Some(list.check) }) })
    }
}

impl PurgeList for FilePurgeList {
    fn add(&self, purged: &[Purged]) -> Result<(), PurgeListError> {
        let told = |what: String| PurgeListError(format!("`{}`: {what}", self.path.display()));
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let mut check = end.check.take().ok_or_else(|| told("an earlier write failed: restart the node".to_owned()))?;
        let mut text = String::new();
        for one in purged {
            let (line, next) = one.line(check);
            text.push_str(&line);
            check = next;
        }
        let written = end.file.write_all(text.as_bytes()).and_then(|()| end.file.sync_data());
        written.map_err(|error| told(error.to_string()))?;
        end.check = Some(check);
        Ok(())
    }

    fn all(&self) -> Result<Vec<Purged>, PurgeListError> {
        read(&self.path).map_err(|error| PurgeListError(error.to_string()))
    }
}

/// Reads a list to look at.
///
/// # Errors
/// It is not there, or was changed.
pub fn read(path: &Path) -> Result<Vec<Purged>, KeysError> {
    Ok(purge::read(&bytes_of(path)?).map_err(|error| changed(path, error))?.purged)
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, KeysError> {
    let told = |error: std::io::Error| io_error(path, &error);
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(told)?.take(limits::PURGE_LIST_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > limits::PURGE_LIST_BYTES {
        return Err(told(std::io::Error::other("it is larger than any purge list")));
    }
    Ok(bytes)
}

fn changed(path: &Path, error: purge::PurgeListError) -> KeysError {
    io_error(path, &std::io::Error::other(format!("as a purge list: {error}; bring back a copy of it")))
}

#[cfg(test)]
mod tests {
    use model::{Commitment, Index, Timestamp};

    use super::*;

    fn purged(index: u64) -> Purged {
        let origin = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        Purged { at: Timestamp::from_seconds(0), origin, index: Index(index), commitment: Commitment::new([7; 32]) }
    }

    #[test]
    fn a_list_grows_outlives_the_process_and_loses_a_torn_line_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("purged");
        let list = FilePurgeList::open(&path).unwrap();
        assert_eq!(list.all().unwrap(), []);
        list.add(&[purged(1), purged(2)]).unwrap();
        list.add(&[purged(3)]).unwrap();
        drop(list);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let list = FilePurgeList::open(&path).unwrap();
        assert_eq!(list.all().unwrap(), [purged(1), purged(2)]);
        list.add(&[purged(4)]).unwrap();
        assert_eq!(read(&path).unwrap(), [purged(1), purged(2), purged(4)]);
    }

    #[test]
    fn a_changed_list_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("purged");
        FilePurgeList::open(&path).unwrap().add(&[purged(1), purged(2)]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen(" 1 ", " 9 ", 1)).unwrap();
        let told = FilePurgeList::open(&path).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains("purged") && told.contains("line 2"), "{told}");
    }
}
