//! Looking at every page of a file, also those that the engine would not read today.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use crate::{PAGE, sum, wal};

/// Most pages that are named: enough to see the pattern.
const NAMED: usize = 100;
/// How often something that does not fit is looked at again, since it may just be being written.
pub(crate) const AGAIN: u32 = 3;
/// How long after: a page is written in microseconds.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// What a file holds that was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A page whose check word is another.
    #[error("page {0} is not what was written")]
    Page(u64),
    /// The file does not end where a page does.
    #[error("{0} bytes stand after the last page")]
    Rest(usize),
    /// The first page says that the pages are of another size or have no check words.
    #[error("the first page is not that of a database with check words")]
    Header,
    /// A frame of the write-ahead file, before what was written after it.
    #[error("frame {0} of the write-ahead file is not what was written")]
    Frame(u64),
    /// The header of the write-ahead file.
    #[error("the header of the write-ahead file is not what was written")]
    WalHeader,
}

/// Reads a database file and its write-ahead file from end to end, and names what is not what was written. A node may go
/// on writing meanwhile: what does not fit is looked at again before it is named.
///
/// # Errors
/// The disk.
pub fn scan(path: &Path) -> std::io::Result<Vec<Damage>> {
    let mut damage = Vec::new();
    let file = File::open(path)?;
    let mut page = [0; PAGE];
    for number in 1_u64.. {
        let (mut read, mut fault) = look(&file, number, &mut page)?;
        for _ in 0..AGAIN {
            if fault.is_none() {
                break;
            }
            std::thread::sleep(PAUSE);
            (read, fault) = look(&file, number, &mut page)?;
        }
        damage.extend(fault.filter(|_| damage.len() < NAMED));
        if read < PAGE {
            break;
        }
    }
    damage.extend(wal::examine(path)?);
    Ok(damage)
}

/// Reads one page; how much of it there was, and what is wrong with it.
fn look(file: &File, number: u64, page: &mut [u8; PAGE]) -> std::io::Result<(usize, Option<Damage>)> {
    let read = fill(&mut At { file, place: (number - 1) * PAGE as u64 }, page)?;
    let fault = match read {
        0 => None,
        PAGE if number == 1 && !is_header(page) => Some(Damage::Header),
        PAGE => (!sum::is_whole(page)).then_some(Damage::Page(number)),
        rest => Some(Damage::Rest(rest)),
    };
    Ok((read, fault))
}

/// A file, read from a place on.
struct At<'a> {
    file: &'a File,
    place: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

/// Does a first page say what each of ours says?
pub(crate) fn is_header(page: &[u8]) -> bool {
    page.starts_with(b"SQLite format 3\0") && page.get(16..18) == Some(&[16, 0]) && page.get(20) == Some(&8)
}

/// Reads until the buffer is full or the file ends.
pub(crate) fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
