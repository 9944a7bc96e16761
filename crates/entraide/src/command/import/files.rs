//! The files of an import: found below directories, in order, and read within the limit.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::limits;

/// A file to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// Something that can't be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) path: PathBuf,
    pub(super) reason: String,
}

/// What there is to import, and what can't be.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) files: Vec<Found>,
    pub(super) problems: Vec<Problem>,
}

/// Finds the files: those named, whatever their name; of directories those that end in `.json`.
pub(super) fn find(paths: &[PathBuf]) -> Files {
    let mut files = Files::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(facts) if facts.is_dir() => {
                let before = (files.files.len(), files.problems.len());
                files.walk(path, limits::DIRECTORY_DEPTH);
                if before == (files.files.len(), files.problems.len()) {
                    files.problem(path, "there is no .json file in it");
                }
            }
            Ok(facts) => files.files.push(Found { path: path.clone(), bytes: facts.len() }),
            Err(error) => files.problem(path, error),
        }
    }
    files
}

impl Files {
    fn problem(&mut self, path: &Path, reason: impl ToString) {
        self.problems.push(Problem { path: path.to_owned(), reason: reason.to_string() });
    }

    fn walk(&mut self, dir: &Path, depth: usize) {
        let listed = fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(error) => return self.problem(dir, error),
        };
        // In the order of names, so that the same import makes the same batches.
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            // Links are not followed: they could lead out of the directory, or in a circle.
            match entry.metadata() {
                Ok(_) if hidden => {}
                Ok(facts) if facts.is_dir() && depth > 0 => self.walk(&path, depth - 1),
                Ok(facts) if facts.is_dir() => self.problem(&path, "too many directories below one another"),
                Ok(facts) if facts.is_file() && is_json(&path) => self.files.push(Found { path, bytes: facts.len() }),
                Ok(_) => {}
                Err(error) => self.problem(&path, error),
            }
        }
    }
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// Reads a file of at most the size that one file may have.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let most = intake::limits::MAX_FILE_BYTES as u64;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    // One byte more than the limit tells a file that is too large; `split` says so in its own words.
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_give_their_json_files_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("b")).unwrap();
        for name in ["c.JSON", "a.json", "b/d.json", "notes.txt", ".hidden.json"] {
            fs::write(root.join(name), "{}").unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("b/loop")).unwrap();
        let found = find(&[root.to_owned(), root.join("notes.txt")]);
        let names: Vec<String> =
            found.files.iter().map(|file| file.path.strip_prefix(root).unwrap().display().to_string()).collect();
        assert_eq!(names, ["a.json", "b/d.json", "c.JSON", "notes.txt"]);
        assert!(found.problems.is_empty());
    }

    #[test]
    fn what_is_not_there_or_empty_is_a_problem_with_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing.json");
        let found = find(&[dir.path().to_owned(), missing.clone()]);
        assert!(found.files.is_empty());
        assert_eq!(found.problems.len(), 2);
        assert_eq!(found.problems[1].path, missing);
    }
}
