//! Sealing and opening files of any size, a chunk in memory at a time: `journal::age` says how they are written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use journal::age::{
    self, AgeError, CHUNK_BYTES, Chunks, FileKey, HEADER_BYTES, Header, Identity, NONCE_BYTES, TAG_BYTES,
};
use journal::pieces::{Digested, Digester};
use model::AgeRecipient;
use node::ports::{Random, random_bytes};
use zeroize::Zeroizing;

use crate::keys::{KeysError, io_error, read_small, rename};
use crate::limits;

/// Why a file was not sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// The disk.
    #[error(transparent)]
    Io(#[from] KeysError),
    /// What stands in it.
    #[error("`{path}`: {error}")]
    Age {
        /// Which file.
        path: String,
        /// Why.
        error: AgeError,
    },
    /// No key in a file of keys.
    #[error("`{0}` holds no key: it is a file as `entraide evidence key` or `age-keygen` writes it")]
    NoKey(String),
    /// Never written over.
    #[error("`{0}` is there already: name another file")]
    There(String),
}

fn of(path: &Path) -> impl Fn(io::Error) -> SealingError {
    let path = path.to_owned();
    move |error| io_error(&path, &error).into()
}

fn bad(path: &Path) -> impl Fn(AgeError) -> SealingError {
    let path = path.display().to_string();
    move |error| SealingError::Age { path: path.clone(), error }
}

/// Reads a file once, for its digests.
///
/// # Errors
/// The disk.
pub fn digested(path: &Path) -> Result<Digested, SealingError> {
    let mut file = File::open(path).map_err(of(path))?;
    let (mut digester, mut part) = (Digester::default(), vec![0; limits::COPY_BYTES]);
    loop {
        let count = filled(&mut file, &mut part).map_err(of(path))?;
        digester.update(part.get(..count).unwrap_or_default());
        if count < part.len() {
            return Ok(digester.finish());
        }
    }
}

/// Fills as much as there is.
fn filled(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while let Some(rest) = bytes.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// A file that gets its name once all of it is written; nothing is left of it before that.
struct Written {
    part: PathBuf,
    path: PathBuf,
    out: BufWriter<File>,
}

impl Written {
    fn begin(path: &Path) -> Result<Self, SealingError> {
        if path.symlink_metadata().is_ok() {
            return Err(SealingError::There(path.display().to_string()));
        }
        let part = beside(path, "part");
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let out = BufWriter::with_capacity(limits::COPY_BYTES, file.map_err(of(&part))?);
        Ok(Self { part, path: path.to_owned(), out })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SealingError> {
        self.out.write_all(bytes).map_err(of(&self.part))
    }

    fn end(mut self) -> Result<(), SealingError> {
        self.out.flush().and_then(|()| self.out.get_ref().sync_all()).map_err(of(&self.part))?;
        Ok(rename(&self.part, &self.path)?)
    }

    fn forget(self) {
        // What remains is named in the error of whoever could not go on.
        let _ = fs::remove_file(&self.part);
    }
}

/// `FILE.word` beside a file.
pub fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    PathBuf::from(name)
}

/// Seals a file to these people. `out` gets its name once it is whole.
///
/// # Errors
/// The disk, or a recipient that is no key; nothing is left then.
pub fn seal(path: &Path, out: &Path, recipients: &[AgeRecipient], random: &mut dyn Random) -> Result<(), SealingError> {
    let mut plain = File::open(path).map_err(of(path))?;
    let mut written = Written::begin(out)?;
    match sealing(&mut plain, path, &mut written, recipients, random) {
        Ok(()) => written.end(),
        Err(error) => {
            written.forget();
            Err(error)
        }
    }
}

fn sealing(
    plain: &mut File,
    path: &Path,
    out: &mut Written,
    recipients: &[AgeRecipient],
    random: &mut dyn Random,
) -> Result<(), SealingError> {
    let key = FileKey::new(random_bytes(random));
    let each: Vec<(AgeRecipient, [u8; 32])> = recipients.iter().map(|one| (*one, random_bytes(random))).collect();
    out.write(&age::header(&key, &each).map_err(bad(path))?)?;
    let nonce = random_bytes::<NONCE_BYTES>(random);
    out.write(&nonce)?;
    let mut chunks = Chunks::new(&key, &nonce).map_err(bad(path))?;
    let mut next = whole(plain, path, CHUNK_BYTES)?;
    loop {
        // The last chunk is sealed as the last: one more is read before it is known.
        let mut chunk = std::mem::take(&mut next);
        let is_last = chunk.len() < CHUNK_BYTES || {
            next = whole(plain, path, CHUNK_BYTES)?;
            next.is_empty()
        };
        chunks.seal(&mut chunk, is_last).map_err(bad(path))?;
        out.write(&chunk)?;
        if is_last {
            return Ok(());
        }
    }
}

/// The next chunk, whole or as much as there is.
fn whole(file: &mut impl Read, path: &Path, size: usize) -> Result<Vec<u8>, SealingError> {
    let mut chunk = vec![0; size];
    let count = filled(file, &mut chunk).map_err(of(path))?;
    chunk.truncate(count);
    Ok(chunk)
}

/// Opens a sealed file with one of these keys. `out` gets its name once the last byte has been checked.
///
/// # Errors
/// The disk, or none of the keys opens it, or it was changed or cut off; nothing is left then.
pub fn open(path: &Path, out: &Path, identities: &[Identity]) -> Result<(), SealingError> {
    let mut sealed = File::open(path).map_err(of(path))?;
    let mut written = Written::begin(out)?;
    match opening(&mut sealed, path, &mut written, identities) {
        Ok(()) => written.end(),
        Err(error) => {
            written.forget();
            Err(error)
        }
    }
}

fn opening(sealed: &mut File, path: &Path, out: &mut Written, identities: &[Identity]) -> Result<(), SealingError> {
    let head = whole(sealed, path, HEADER_BYTES)?;
    let header = Header::read(&head).map_err(bad(path))?;
    let opened = identities.iter().map(|identity| header.open(identity));
    let key = opened.reduce(|one, other| if one.is_ok() { one } else { other });
    let key = key.unwrap_or(Err(AgeError::NotForYou)).map_err(bad(path))?;
    let rest = head.get(header.length..).unwrap_or_default();
    let mut sealed = rest.chain(sealed);
    let nonce = whole(&mut sealed, path, NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| bad(path)(AgeError::Broken))?;
    let mut chunks = Chunks::new(&key, &nonce).map_err(bad(path))?;
    let mut next = whole(&mut sealed, path, CHUNK_BYTES + TAG_BYTES)?;
    loop {
        let mut chunk = std::mem::take(&mut next);
        let is_last = chunk.len() < CHUNK_BYTES + TAG_BYTES || {
            next = whole(&mut sealed, path, CHUNK_BYTES + TAG_BYTES)?;
            next.is_empty()
        };
        out.write(chunks.open(&mut chunk, is_last).map_err(bad(path))?)?;
        if is_last {
            return Ok(());
        }
    }
}

/// Reads a file of private keys: a line each, as `age-keygen` writes it; lines that begin with `#` say something else.
///
/// # Errors
/// The disk, or there is none in it.
pub fn identities(path: &Path) -> Result<Vec<Identity>, SealingError> {
    let bytes = Zeroizing::new(read_small(path)?);
    let none = || SealingError::NoKey(path.display().to_string());
    let text = std::str::from_utf8(&bytes).map_err(|_| none())?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Option<Vec<Identity>> = lines.map(Identity::read).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(none)
}

/// A file of private keys with a new one, and to whom others seal.
#[must_use]
pub fn new_key(random: &mut dyn Random) -> (Zeroizing<String>, AgeRecipient) {
    let identity = Identity::new(random_bytes(random));
    let recipient = identity.recipient();
    let text = format!("# public key: {recipient}\n{}\n", identity.to_text().as_str());
    (Zeroizing::new(text), recipient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::MachineRandom;

    #[test]
    fn a_file_of_any_size_is_opened_as_it_was_sealed_and_half_a_file_is_never_left() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mut random = MachineRandom::new().unwrap();
        let (key, recipient) = new_key(&mut random);
        let (other, _) = new_key(&mut random);
        fs::write(at("key"), key.as_bytes()).unwrap();
        fs::write(at("other"), other.as_bytes()).unwrap();
        fs::write(at("two"), format!("\n{}{}", other.as_str(), key.as_str())).unwrap();
        for size in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 200_000] {
            for name in ["sealed", "opened"] {
                let _ = fs::remove_file(at(name));
            }
            let plain: Vec<u8> = (0..size).map(|at| at.to_le_bytes()[0]).collect();
            fs::write(at("plain"), &plain).unwrap();
            seal(&at("plain"), &at("sealed"), &[recipient], &mut random).unwrap();
            let read = digested(&at("sealed")).unwrap();
            assert_eq!(read.size, age::sealed_size(size as u64, 1));
            open(&at("sealed"), &at("opened"), &identities(&at("two")).unwrap()).unwrap();
            assert_eq!(fs::read(at("opened")).unwrap(), plain);
            assert!(matches!(
                open(&at("sealed"), &at("opened"), &identities(&at("key")).unwrap()),
                Err(SealingError::There(_))
            ));
        }
        let check = |keys: &str, says: &str| {
            let refused = identities(&at(keys)).and_then(|keys| open(&at("sealed"), &at("x"), &keys)).unwrap_err();
            assert!(refused.to_string().contains(says), "{refused}");
            assert!(!at("x").exists() && !at("x.part").exists());
        };
        check("other", "sealed to others");
        check("plain", "holds no key");
        let sealed = fs::read(at("sealed")).unwrap();
        // Cut off after a whole chunk: what came before is not left as if it were all.
        fs::write(at("sealed"), &sealed[..sealed.len() - 1]).unwrap();
        check("key", "cut off");
        fs::write(at("sealed"), &sealed[..100]).unwrap();
        check("key", "no age file");
    }
}
