//! The depot on disk: a directory a file, with its pieces in one sparse file. What stands in it is sealed: whoever takes
//! the disk reads nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use journal::pieces::{self, DIGEST_BYTES, PIECE_BYTES};
use model::Timestamp;
use model::extension::assistance::Sha256Digest;
use node::depot::{Depot, DepotError, Kept};

use crate::keys::{KeysError, make_private_dir, read_small, rename, replace_private, sync_dir, write_private};

/// The size, and when its upload began; `-` once a statement names it.
const ABOUT: &str = "about";
/// The digests of all pieces.
const DIGESTS: &str = "digests";
/// A byte a piece: 1 if it is there. It is written after the piece is durable.
const PRESENT: &str = "present";
/// The sealed bytes.
const SEALED: &str = "sealed";
/// Before the name of a directory that is being made, or taken away: none of either is a file.
const HALF: &str = ".half-";

/// The depot of one node. Its directory is made with the first file.
pub struct FileDepot {
    dir: PathBuf,
}

fn told(error: impl std::fmt::Display) -> DepotError {
    DepotError::Disk(error.to_string())
}

impl From<KeysError> for DepotError {
    fn from(error: KeysError) -> Self {
        told(error)
    }
}

impl FileDepot {
    /// The depot in a directory, which need not be there. What a crash left half made or half deleted goes.
    ///
    /// # Errors
    /// The disk.
    pub fn open(dir: &Path) -> Result<Self, DepotError> {
        let depot = Self { dir: dir.to_owned() };
        for name in depot.names()? {
            if name.starts_with(HALF) {
                fs::remove_dir_all(depot.dir.join(&name)).map_err(told)?;
            }
        }
        Ok(depot)
    }

    fn at(&self, name: Sha256Digest) -> PathBuf {
        self.dir.join(name.to_string())
    }

    /// One name more than there may be ends nothing: the limits of `node::depot::begin` bound what is begun.
    fn names(&self) -> Result<Vec<String>, DepotError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(told(error)),
        };
        entries.map(|entry| Ok(entry.map_err(told)?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// Opens a part of a file for reading; `None` if there is no such file.
    fn part(&self, name: Sha256Digest, part: &str) -> Result<Option<File>, DepotError> {
        match File::open(self.at(name).join(part)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(error)),
        }
    }

    fn about(&self, name: Sha256Digest) -> Result<Option<(u64, Option<Timestamp>)>, DepotError> {
        let path = self.at(name).join(ABOUT);
        if !path.is_file() {
            return Ok(None);
        }
        let broken = || DepotError::Disk(format!("`{}` can't be read: it was changed", path.display()));
        let bytes = read_small(&path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| broken())?;
        let (size, begun) = text.trim_end().split_once(' ').ok_or_else(broken)?;
        let begun = if begun == "-" { None } else { Some(begun.parse().map_err(|_| broken())?) };
        Ok(Some((size.parse().map_err(|_| broken())?, begun)))
    }
}

fn about(size: u64, begun: Option<Timestamp>) -> String {
    format!("{size} {}\n", begun.map_or_else(|| "-".to_owned(), |at| at.to_string()))
}

/// Reads from a place on, as much as there is.
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> Result<usize, DepotError> {
    let mut filled = 0;
    while filled < bytes.len() {
        let Some(rest) = bytes.get_mut(filled..) else { break };
        match file.read_at(rest, at + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(told(error)),
        }
    }
    Ok(filled)
}

impl Depot for FileDepot {
    fn begin(&self, name: Sha256Digest, size: u64, digests: &[u8], begun: Option<Timestamp>) -> Result<(), DepotError> {
        make_private_dir(&self.dir)?;
        let half = self.dir.join(format!("{HALF}{name}"));
        match fs::remove_dir_all(&half) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(told(error)),
            Ok(()) | Err(_) => {}
        }
        make_private_dir(&half)?;
        let count = usize::try_from(pieces::count(size)).map_err(told)?;
        write_private(&half.join(ABOUT), about(size, begun).as_bytes())?;
        write_private(&half.join(DIGESTS), digests)?;
        write_private(&half.join(PRESENT), &vec![0; count])?;
        write_private(&half.join(SEALED), &[])?;
        sync_dir(&half)?;
        Ok(rename(&half, &self.at(name))?)
    }

    fn settle(&self, name: Sha256Digest) -> Result<(), DepotError> {
        let (size, begun) = self.about(name)?.ok_or(DepotError::Unknown)?;
        match begun {
            None => Ok(()),
            Some(_) => Ok(replace_private(&self.at(name).join(ABOUT), about(size, None).as_bytes())?),
        }
    }

    fn kept(&self, name: Sha256Digest) -> Result<Option<Kept>, DepotError> {
        let (Some((size, begun)), Some(file)) = (self.about(name)?, self.part(name, PRESENT)?) else {
            return Ok(None);
        };
        let count = usize::try_from(pieces::count(size)).map_err(told)?;
        let mut bytes = Vec::with_capacity(count);
        file.take(count as u64).read_to_end(&mut bytes).map_err(told)?;
        bytes.resize(count, 0);
        Ok(Some(Kept { name, size, begun, present: bytes.into_iter().map(|byte| byte == 1).collect() }))
    }

    fn digests(&self, name: Sha256Digest) -> Result<Option<Vec<u8>>, DepotError> {
        let Some((size, _)) = self.about(name)? else { return Ok(None) };
        let Some(file) = self.part(name, DIGESTS)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(pieces::count(size) * DIGEST_BYTES as u64).read_to_end(&mut bytes).map_err(told)?;
        Ok(Some(bytes))
    }

    fn digest(&self, name: Sha256Digest, piece: u64) -> Result<Option<[u8; DIGEST_BYTES]>, DepotError> {
        let Some(file) = self.part(name, DIGESTS)? else { return Ok(None) };
        let mut digest = [0; DIGEST_BYTES];
        let Some(at) = piece.checked_mul(DIGEST_BYTES as u64) else { return Ok(None) };
        Ok((read_at(&file, &mut digest, at)? == DIGEST_BYTES).then_some(digest))
    }

    fn write(&self, name: Sha256Digest, piece: u64, bytes: &[u8]) -> Result<(), DepotError> {
        let (size, _) = self.about(name)?.ok_or(DepotError::Unknown)?;
        if pieces::length(size, piece) != Some(bytes.len()) {
            return Err(DepotError::Other(format!("piece {piece} has another size: send it again")));
        }
        let open = |part: &str| OpenOptions::new().write(true).mode(0o600).open(self.at(name).join(part)).map_err(told);
        let sealed = open(SEALED)?;
        sealed.write_all_at(bytes, piece * PIECE_BYTES as u64).and_then(|()| sealed.sync_data()).map_err(told)?;
        // After the piece is durable: whoever finds this byte finds the piece.
        let present = open(PRESENT)?;
        present.write_all_at(&[1], piece).and_then(|()| present.sync_data()).map_err(told)
    }

    fn read(&self, name: Sha256Digest, piece: u64) -> Result<Option<Vec<u8>>, DepotError> {
        let Some(length) = self.about(name)?.and_then(|(size, _)| pieces::length(size, piece)) else { return Ok(None) };
        let (Some(present), Some(sealed)) = (self.part(name, PRESENT)?, self.part(name, SEALED)?) else {
            return Ok(None);
        };
        let mut there = [0];
        if read_at(&present, &mut there, piece)? != 1 || there != [1] {
            return Ok(None);
        }
        let mut bytes = vec![0; length];
        let read = read_at(&sealed, &mut bytes, piece * PIECE_BYTES as u64)?;
        let expected = self.digest(name, piece)?;
        // A disk that gives other bytes than were written is told, and nobody gets them.
        if read != length || !expected.is_some_and(|expected| pieces::is_piece(&bytes, &expected)) {
            return Err(DepotError::Disk(format!(
                "piece {piece} of {name} is not what was written: the disk changed it"
            )));
        }
        Ok(Some(bytes))
    }

    fn remove(&self, name: Sha256Digest) -> Result<bool, DepotError> {
        let half = self.dir.join(format!("{HALF}gone-{name}"));
        match fs::rename(self.at(name), &half) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(told(error)),
        }
        fs::remove_dir_all(&half).map_err(told)?;
        sync_dir(&self.dir)?;
        Ok(true)
    }

    fn all(&self) -> Result<Vec<Kept>, DepotError> {
        let mut all = Vec::new();
        for name in self.names()? {
            if let Some(name) = Sha256Digest::from_hex(&name) {
                all.extend(self.kept(name)?);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::pieces::Digester;
    use node::depot;

    const AT: Timestamp = Timestamp::from_micros(1_000_000);

    fn file(size: usize) -> (Vec<u8>, Sha256Digest, Vec<u8>) {
        let bytes: Vec<u8> = (0..size).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[2]).collect();
        let mut digester = Digester::default();
        digester.update(&bytes);
        let read = digester.finish();
        (bytes, pieces::root(read.size, &read.digests).unwrap(), read.digests)
    }

    #[test]
    fn what_was_put_is_there_after_it_is_opened_again_in_whatever_order_it_came() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("depot");
        let (bytes, name, digests) = file(2 * PIECE_BYTES + 7);
        let parts: Vec<&[u8]> = bytes.chunks(PIECE_BYTES).collect();
        {
            let depot = FileDepot::open(&dir).unwrap();
            assert_eq!((depot.all().unwrap(), dir.exists()), (Vec::new(), false), "nothing is made for nothing");
            depot::begin(&depot, name, bytes.len() as u64, &digests, Some(AT)).unwrap();
            depot::put(&depot, name, 2, parts[2]).unwrap();
        }
        // A crash left these.
        fs::create_dir(dir.join(format!("{HALF}x"))).unwrap();
        let depot = FileDepot::open(&dir).unwrap();
        assert!(!dir.join(format!("{HALF}x")).exists());
        let kept = depot.kept(name).unwrap().unwrap();
        assert_eq!((kept.begun, kept.gaps(9)), (Some(AT), vec![(0, 1)]));
        assert_eq!(depot.read(name, 0).unwrap(), None);
        depot::put(&depot, name, 0, parts[0]).unwrap();
        depot::put(&depot, name, 1, parts[1]).unwrap();
        for (at, part) in (0..).zip(&parts) {
            assert_eq!(depot.read(name, at).unwrap().as_deref(), Some(*part));
        }
        assert_eq!((depot.read(name, 3).unwrap(), depot.digest(name, 3).unwrap()), (None, None));
        assert_eq!(depot.digests(name).unwrap(), Some(digests));
        depot.settle(name).unwrap();
        assert_eq!(depot.kept(name).unwrap().unwrap().begun, None);
        assert!(depot.kept(name).unwrap().unwrap().is_whole());
        assert!(depot.remove(name).unwrap());
        assert_eq!((depot.remove(name).unwrap(), fs::read_dir(&dir).unwrap().count()), (false, 0));
    }

    #[test]
    fn a_disk_that_changes_a_piece_is_found_out() {
        let place = tempfile::tempdir().unwrap();
        let depot = FileDepot::open(place.path()).unwrap();
        let (bytes, name, digests) = file(100);
        depot::begin(&depot, name, 100, &digests, None).unwrap();
        depot::put(&depot, name, 0, &bytes).unwrap();
        let sealed = depot.at(name).join(SEALED);
        let mut changed = bytes.clone();
        changed[50] ^= 1;
        fs::write(&sealed, &changed).unwrap();
        assert!(depot.read(name, 0).unwrap_err().to_string().contains("the disk changed it"));
        fs::write(&sealed, &bytes[..99]).unwrap();
        assert!(depot.read(name, 0).is_err(), "cut off");
        fs::write(depot.at(name).join(ABOUT), "many -\n").unwrap();
        assert!(depot.kept(name).unwrap_err().to_string().contains("it was changed"));
    }
}
