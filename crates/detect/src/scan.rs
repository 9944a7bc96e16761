//! The stream: bytes in, hits out. What is looked at together always ends where a line does, so that nothing is missed where
//! a buffer ends.

mod pass;
mod resolve;

#[cfg(test)]
mod tests;

use crate::classes::{BLOCK, Masks};
use crate::index::{Index, Record, Records, RecordsError};
use crate::limits;
use crate::wide::Way;
use pass::Pass;

/// How what stands in the line leads to the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is the value.
    Exact,
    /// It is a name below the domain.
    Below,
    /// It is an address in the network.
    Within,
}

impl How {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Below => "below",
            Self::Within => "within",
        }
    }
}

/// A value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit<'a> {
    /// The line, from 1.
    pub line: u64,
    /// The line itself, without its end; of a line beyond [`limits::LINE`] a part.
    pub text: &'a [u8],
    /// Where in the line what was found starts and ends.
    pub start: usize,
    /// See `start`.
    pub end: usize,
    /// How it leads to the value.
    pub how: How,
    /// Was it escaped, defanged or percent-encoded, or in letters beyond ASCII?
    pub decoded: bool,
    /// The value.
    pub record: Record,
}

/// What was found in a buffer.
#[derive(Debug, Clone)]
struct Found {
    start: usize,
    end: usize,
    place: u32,
    decoded: bool,
    how: How,
    record: Record,
}

/// A stream that is read.
#[derive(Debug)]
pub struct Scanner {
    way: Way,
    buffer: Vec<u8>,
    /// What of the buffer is filled.
    filled: usize,
    /// What of its beginning was looked at before already: of a line that had to be cut.
    seen: usize,
    masks: Vec<Masks>,
    /// Lines before the buffer.
    lines: u64,
    bytes: u64,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// At the beginning of a stream, in the fastest way that the machine has.
    #[must_use]
    pub fn new() -> Self {
        Self::by(Way::best())
    }

    /// The same letter by letter, to compare with.
    #[must_use]
    pub fn scalar() -> Self {
        Self::by(Way::Scalar)
    }

    fn by(way: Way) -> Self {
        Self { way, buffer: Vec::new(), filled: 0, seen: 0, masks: Vec::new(), lines: 0, bytes: 0 }
    }

    /// Bytes that were given.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Room for what is read next: fill some of it, then call [`Scanner::advance`].
    pub fn room(&mut self) -> &mut [u8] {
        if self.buffer.len() < self.filled + limits::CHUNK {
            self.buffer.resize(self.filled + limits::CHUNK, 0);
        }
        self.buffer.get_mut(self.filled..self.filled + limits::CHUNK).unwrap_or_default()
    }

    /// Looks at what was filled of the room, as far as lines are complete. The index may be another each time.
    ///
    /// # Errors
    /// The values can't be read.
    pub fn advance(
        &mut self,
        filled: usize,
        index: &Index,
        records: &dyn Records,
        hit: &mut dyn FnMut(&Hit<'_>),
    ) -> Result<(), RecordsError> {
        let before = self.filled;
        self.filled = (self.filled + filled).min(self.buffer.len());
        self.bytes += (self.filled - before) as u64;
        let new = self.buffer.get(before..self.filled).unwrap_or_default();
        if let Some(end) = memchr::memrchr(b'\n', new) {
            let end = before + end + 1;
            return self.take(end, end, 0, index, records, hit);
        }
        if self.filled <= limits::LINE {
            return Ok(());
        }
        let text = self.buffer.get(self.filled / 2..self.filled).unwrap_or_default();
        match text.iter().rposition(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'\r')) {
            Some(word) => {
                let end = self.filled / 2 + word + 1;
                self.take(end, end, 0, index, records, hit)
            }
            // One word without an end: what may have begun is looked at again with what follows.
            None => {
                let end = self.filled - limits::URL;
                self.take(self.filled, end, limits::HOST, index, records, hit)
            }
        }
    }

    /// Takes bytes from elsewhere.
    ///
    /// # Errors
    /// The values can't be read.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        index: &Index,
        records: &dyn Records,
        hit: &mut dyn FnMut(&Hit<'_>),
    ) -> Result<(), RecordsError> {
        while !bytes.is_empty() {
            let room = self.room();
            let some = bytes.len().min(room.len());
            let (now, later) = bytes.split_at(some);
            if let Some(room) = room.get_mut(..some) {
                room.copy_from_slice(now);
            }
            self.advance(some, index, records, hit)?;
            bytes = later;
        }
        Ok(())
    }

    /// Looks at what is left, since the stream has ended.
    ///
    /// # Errors
    /// The values can't be read.
    pub fn finish(
        &mut self,
        index: &Index,
        records: &dyn Records,
        hit: &mut dyn FnMut(&Hit<'_>),
    ) -> Result<(), RecordsError> {
        self.take(self.filled, self.filled, 0, index, records, hit)
    }

    /// Looks at the first `look` bytes, tells what starts before `until`, and keeps what comes `back` bytes before that.
    fn take(
        &mut self,
        look: usize,
        until: usize,
        back: usize,
        index: &Index,
        records: &dyn Records,
        hit: &mut dyn FnMut(&Hit<'_>),
    ) -> Result<(), RecordsError> {
        let blocks = look.div_ceil(BLOCK);
        if self.masks.len() < blocks {
            self.masks.resize(blocks, Masks::default());
        }
        let text = self.buffer.get(..look).unwrap_or_default();
        let masks = self.masks.get_mut(..blocks).unwrap_or_default();
        let mut found = Pass::over(self.way, text, masks, index, records, 0)?;
        found.retain(|found| found.start >= self.seen && found.start < until);
        let told = self.buffer.get(..until).unwrap_or_default();
        let mut lines = Lines { text, at: 0, line: self.lines };
        for found in once(found) {
            hit(&lines.hit(found));
        }
        self.lines += memchr::memchr_iter(b'\n', told).count() as u64;
        let keep = until - back.min(until);
        self.buffer.copy_within(keep..self.filled, 0);
        self.filled -= keep;
        self.seen = until - keep;
        Ok(())
    }
}

/// Each value once at each place, in the order of the text.
fn once(mut found: Vec<Found>) -> Vec<Found> {
    if found.len() > 1 {
        found.sort_by_key(|found| (found.place, found.decoded, found.start, found.end));
        let mut kept: Vec<Found> = Vec::with_capacity(found.len());
        for one in found {
            let of_it = kept.iter().rev().take_while(|kept| kept.place == one.place);
            if of_it.take(limits::SAME).all(|kept| kept.end <= one.start || one.end <= kept.start) {
                kept.push(one);
            }
        }
        kept.sort_by(|one, other| {
            (one.start, &one.record.text, one.place).cmp(&(other.start, &other.record.text, other.place))
        });
        found = kept;
    }
    found
}

/// Finds the line of each hit, going forward.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn hit(&mut self, found: Found) -> Hit<'a> {
        let before = self.text.get(self.at..found.start).unwrap_or_default();
        let newlines = memchr::memchr_iter(b'\n', before).count() as u64;
        if newlines > 0 {
            self.at += memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
            self.line += newlines;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Hit {
            line: self.line + 1,
            text,
            start: found.start - self.at,
            end: (found.end - self.at).min(text.len()),
            how: found.how,
            decoded: found.decoded,
            record: found.record,
        }
    }
}
