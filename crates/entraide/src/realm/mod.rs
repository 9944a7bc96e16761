//! Exercises beside REAL in one node's directory: `realms/EX-…/`, each laid out like a node of its own.
//!
//! What is shared is the process and the listener for people. Nothing else is: each exercise has its own root key,
//! identity, log, database, partners, accounts, signer's file, socket, federation listener and clock (`clock`). `host`
//! opens, runs and ends them, `instance` is one that runs, `archive` is what is left of one.

pub mod archive;
pub mod clock;
pub mod host;
mod instance;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::identity::{self, Identity, SignedIdentity};
use model::{Realm, Timestamp};
use node::ports::Clock;
use serde::{Deserialize, Serialize};

use crate::checked::check;
use crate::keys::{KeysError, Layout, io_error, read_small, sync_dir, write_private};
use crate::limits;
use clock::ExerciseClock;

/// What is noted of an exercise beside its node: truth of its clock, and who moved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `EX-…`.
    pub realm: Realm,
    /// Its name for people.
    pub name: String,
    /// When it was opened, by the machine's clock.
    pub opened: Timestamp,
    /// How far its clock is ahead of the machine's, microseconds.
    pub ahead_micros: i64,
    /// Each time its clock was set forward, oldest first.
    #[serde(default)]
    pub jumps: Vec<Jump>,
}

/// An exercise's clock was set forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// When, by the machine's clock.
    pub at: Timestamp,
    /// What the exercise's clock showed.
    pub from: Timestamp,
    /// What it showed afterwards.
    pub to: Timestamp,
    /// Who set it.
    pub by: String,
}

/// Why the record of an exercise was refused.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The disk.
    #[error(transparent)]
    File(#[from] KeysError),
    /// Not such a record.
    #[error("`{path}` is not the record of an exercise ({reason}): bring it back from the exercise's backup")]
    Format {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Of another realm, or of an exercise in a real node's directory.
    #[error("`{path}` is of `{found}`, and the node is of `{realm}`: reality has no other clock than the machine's")]
    Foreign {
        /// The file.
        path: String,
        /// Which realm it names.
        found: Realm,
        /// Which realm the node is of.
        realm: Realm,
    },
}

/// The directory of the exercises in a node's directory.
#[must_use]
pub fn realms(dir: &Path) -> PathBuf {
    dir.join("realms")
}

/// The directory of one realm in a node's directory: REAL is the directory itself.
#[must_use]
pub fn dir_of(dir: &Path, realm: &Realm) -> PathBuf {
    if realm.is_real() { dir.to_owned() } else { realms(dir).join(realm.to_string()) }
}

/// Where the archives of ended exercises are.
#[must_use]
pub fn ended(dir: &Path) -> PathBuf {
    dir.join("ended")
}

fn record_path(dir: &Path) -> PathBuf {
    dir.join("exercise.json")
}

/// As it stands in the file.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    record: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<String>,
}

impl Record {
    /// Reads the record of the exercise in a directory; `None` if there is none.
    ///
    /// # Errors
    /// The disk, or not such a record.
    pub fn read(dir: &Path) -> Result<Option<Self>, RecordError> {
        let path = record_path(dir);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let told = |reason: String| RecordError::Format { path: path.display().to_string(), reason };
        let bytes = read_small(&path)?;
        let record: Self = serde_json::from_slice(&bytes).map_err(|error| told(error.to_string()))?;
        // A record of before has no check.
        let whole = [record.text(true), record.text(false)].into_iter().flatten().any(|text| text == bytes);
        if whole { Ok(Some(record)) } else { Err(told("what stands in it is not what was written".to_owned())) }
    }

    /// The record as it is written, with a check of everything in it, by which a changed byte shows.
    fn text(&self, with_check: bool) -> serde_json::Result<Vec<u8>> {
        let check = with_check.then(|| Ok::<_, serde_json::Error>(check(&serde_json::to_string(self)?))).transpose()?;
        serde_json::to_vec_pretty(&Kept { record: self, check })
    }

    /// Writes it in place of what was there: whole or not at all.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, dir: &Path) -> Result<(), RecordError> {
        let (path, new) = (record_path(dir), dir.join("exercise.json.new"));
        let told = |error: std::io::Error| RecordError::File(io_error(&path, &error));
        let text = self.text(true).map_err(|error| told(error.into()))?;
        // One that a killed process left is no record.
        let _ = fs::remove_file(&new);
        write_private(&new, &text)?;
        fs::rename(&new, &path).map_err(told)?;
        Ok(sync_dir(dir)?)
    }
}

/// The clock of a node: the machine's in reality, and in an exercise that of its record.
///
/// # Errors
/// The record can't be read, or is of another realm than the node.
pub fn clock_of(layout: &Layout, realm: &Realm, machine: Arc<dyn Clock>) -> Result<Arc<ExerciseClock>, RecordError> {
    let ahead = match Record::read(layout.dir())? {
        None => 0,
        Some(record) if record.realm == *realm && !realm.is_real() => record.ahead_micros,
        Some(record) => {
            let path = record_path(layout.dir()).display().to_string();
            return Err(RecordError::Foreign { path, found: record.realm, realm: realm.clone() });
        }
    };
    Ok(Arc::new(ExerciseClock::new(machine, ahead)))
}

/// Who the node of a directory is, without a look at its private keys.
///
/// # Errors
/// There is no node, or its identity can't be read.
pub fn identity_of(layout: &Layout) -> Result<Identity, KeysError> {
    if !layout.is_node() {
        return Err(KeysError::NoNode(layout.dir().display().to_string()));
    }
    let path = layout.identity();
    let refused = |reason: String| KeysError::Identity { path: path.display().to_string(), reason };
    let signed = SignedIdentity::from_bytes(&read_small(&path)?).map_err(|error| refused(error.to_string()))?;
    Ok(identity::verify(&signed).map_err(|error| refused(error.to_string()))?.into_inner())
}

/// The exercises in a node's directory, by name; at most [`limits::EXERCISES`].
///
/// # Errors
/// The directory can't be read.
pub fn open_ones(dir: &Path) -> Result<Vec<Realm>, KeysError> {
    let path = realms(dir);
    let told = |error: std::io::Error| io_error(&path, &error);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(told(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        // Names that begin with a dot are of exercises that are being made or dropped.
        let name = entry.map_err(told)?.file_name();
        if let Some(realm) = name.to_str().and_then(|name| name.parse::<Realm>().ok()).filter(|realm| !realm.is_real())
        {
            found.push(realm);
        }
    }
    found.sort();
    found.truncate(limits::EXERCISES);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::MachineClock;

    fn record(realm: &str) -> Record {
        let opened = "2026-11-25T08:00:00Z".parse().unwrap();
        Record { realm: realm.parse().unwrap(), name: "Blue".to_owned(), opened, ahead_micros: 5, jumps: Vec::new() }
    }

    #[test]
    fn records_read_back_and_are_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(dir.path()).unwrap(), None);
        let mut kept = record("EX-BLUE");
        kept.write(dir.path()).unwrap();
        let (at, by) = (kept.opened, "anna".to_owned());
        kept.jumps.push(Jump { at, from: at, to: at.plus_seconds(60), by });
        kept.write(dir.path()).unwrap();
        assert_eq!(Record::read(dir.path()).unwrap(), Some(kept));
        fs::write(record_path(dir.path()), "{}").unwrap();
        assert!(matches!(Record::read(dir.path()), Err(RecordError::Format { .. })));
    }

    #[test]
    fn reality_has_the_machines_clock_alone() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let of =
            |realm: &str| clock_of(&layout, &realm.parse().unwrap(), Arc::new(MachineClock)).map(|clock| clock.ahead());
        assert_eq!(of("REAL").unwrap(), 0);
        record("EX-BLUE").write(dir.path()).unwrap();
        assert_eq!(of("EX-BLUE").unwrap(), 5);
        assert!(matches!(of("EX-GREEN"), Err(RecordError::Foreign { .. })));
        assert!(matches!(of("REAL"), Err(RecordError::Foreign { .. })));
        record("REAL").write(dir.path()).unwrap();
        assert!(matches!(of("REAL"), Err(RecordError::Foreign { .. })), "not even a record that says so moves it");
    }

    #[test]
    fn only_names_of_exercises_are_exercises() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(open_ones(dir.path()).unwrap(), []);
        for name in ["EX-GREEN", "EX-BLUE", ".new-EX-RED", "REAL", "ex-low", "notes"] {
            fs::create_dir_all(realms(dir.path()).join(name)).unwrap();
        }
        let names: Vec<String> = open_ones(dir.path()).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["EX-BLUE", "EX-GREEN"]);
    }
}
