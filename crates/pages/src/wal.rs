//! The write-ahead file (SQLite, "WAL-mode File Format"): what a crash leaves is mended by the engine, which takes the
//! frames up to the first that does not fit. So a byte that was flipped in an early frame would take with it everything
//! that was acknowledged after. That is told apart here from a write that a power cut has torn.
//!
//! Each commit is synced before the next is written. So if frames of a later commit stand behind one that does not fit, it
//! was on the disk once as it was written, and is damaged. Within the last commit the two can't be told apart: there the
//! signer's mark says whether something that was signed is missing.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::scan::{AGAIN, Damage, PAUSE, fill};
use crate::{PAGE, sum};

/// Bytes before the first frame.
pub(crate) const HEADER: usize = 32;
/// Bytes of a frame before its page.
pub(crate) const FRAME_HEADER: usize = 24;
/// Bytes of a frame.
const FRAME: usize = FRAME_HEADER + PAGE;
/// First word of a file whose sums run over words of this machine.
const MAGIC: u32 = if cfg!(target_endian = "big") { 0x377f_0683 } else { 0x377f_0682 };

/// Where the sum stands that the sum of a frame begins with, by where the frame begins.
pub(crate) const fn seed_place(frame: u64) -> u64 {
    // In the header of the file, or in that of the frame before.
    if frame == HEADER as u64 { 24 } else { frame - FRAME as u64 + 16 }
}

/// Where does the frame begin whose page is at a place? `None` if no page is there.
pub(crate) fn frame_of(page: u64) -> Option<u64> {
    let frame = page.checked_sub(FRAME_HEADER as u64)?;
    let number = frame.checked_sub(HEADER as u64)?;
    (number % FRAME as u64 == 0).then_some(frame)
}

/// The number of a frame, from 1.
pub(crate) const fn number(frame: u64) -> u64 {
    (frame - HEADER as u64) / FRAME as u64 + 1
}

/// Two big-endian words.
pub(crate) fn pair(bytes: &[u8]) -> [u32; 2] {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes);
    [word(0), word(4)]
}

/// Is a frame what was written?
pub(crate) fn is_whole(seed: [u32; 2], header: &[u8], page: &[u8]) -> bool {
    sum::run(sum::run(seed, &header[..8]), page) == pair(&header[16..])
}

/// Looks at the write-ahead file beside a database, before anybody opens it: is there damage that the engine would take
/// for the end of what was written? Another process may be writing it: what does not fit is looked at again.
///
/// # Errors
/// The disk.
pub fn examine(database: &Path) -> std::io::Result<Option<Damage>> {
    let mut found = look(database)?;
    for _ in 0..AGAIN {
        if found.is_none() {
            break;
        }
        std::thread::sleep(PAUSE);
        let again = look(database)?;
        found = found.filter(|found| Some(found) == again.as_ref());
    }
    Ok(found)
}

fn look(database: &Path) -> std::io::Result<Option<Damage>> {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    let file = match File::open(PathBuf::from(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut file = std::io::BufReader::with_capacity(64 * FRAME, file);
    let mut header = [0; HEADER];
    let mut frame = [0; FRAME];
    let whole = fill(&mut file, &mut header)? == HEADER;
    if fill(&mut file, &mut frame)? < FRAME {
        // Nothing was committed here.
        return Ok(None);
    }
    let mut seed = sum::run([0; 2], &header[..24]);
    let written = pair(&header)[0] == MAGIC && pair(&header[8..])[0] as usize == PAGE && seed == pair(&header[24..]);
    if !whole || !written {
        return Ok(Some(Damage::WalHeader));
    }
    // The first frame that does not fit, and whether a commit has surely ended in it or after it.
    let (mut torn, mut ended) = (None, false);
    for at in (HEADER as u64..).step_by(FRAME) {
        let (head, page) = frame.split_at(FRAME_HEADER);
        let ours = head[8..16] == header[16..24];
        match torn {
            None if ours && is_whole(seed, head, page) => seed = pair(&head[16..]),
            None => {
                torn = Some(number(at));
                ended = ours && ends_a_commit(head) && lies_in_one_sector(at);
            }
            Some(torn) if ours && ended => return Ok(Some(Damage::Frame(torn))),
            Some(_) => ended = ended || ours && ends_a_commit(head),
        }
        if fill(&mut file, &mut frame)? < FRAME {
            break;
        }
    }
    Ok(None)
}

/// The last frame of a commit says how large the database is then.
fn ends_a_commit(head: &[u8]) -> bool {
    pair(head)[1] != 0
}

/// A disk writes a sector whole or not at all: such a header is of one write, also where its page is torn.
const fn lies_in_one_sector(at: u64) -> bool {
    at % 512 <= 512 - FRAME_HEADER as u64
}
