//! One pass over a text: what could be a value, by masks, and whether anybody knows it.

use super::Found;
use crate::address;
use crate::classes::{BLOCK, Masks};
use crate::hashing::Begin;
use crate::index::{Index, Records, RecordsError};
use crate::limits;
use crate::wide::{self, Way};

/// What may be known, until its line of the filter is there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Candidate {
    pub(super) hash: u64,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The address, if it is one.
    pub(super) four: Option<u32>,
    /// Is something escaped beside it?
    pub(super) odd: bool,
}

/// The pass.
pub(super) struct Pass<'a> {
    pub(super) text: &'a [u8],
    masks: &'a [Masks],
    pub(super) index: &'a Index,
    pub(super) records: &'a dyn Records,
    /// How often what is looked at was decoded.
    pub(super) depth: u8,
    queue: [Candidate; limits::TOGETHER],
    queued: usize,
    /// Where the last run of hexadecimal letters that was looked at ends.
    hex_end: usize,
    /// Where the last text that was decoded ends.
    pub(super) decoded_end: usize,
    pub(super) found: Vec<Found>,
    pub(super) failure: Option<RecordsError>,
}

impl<'a> Pass<'a> {
    /// Everything that is found in `text`; `masks` has one place for each block of it.
    pub(super) fn over(
        way: Way,
        text: &'a [u8],
        masks: &'a mut [Masks],
        index: &'a Index,
        records: &'a dyn Records,
        depth: u8,
    ) -> Result<Vec<Found>, RecordsError> {
        wide::classify(way, text, masks);
        let mut pass = Self {
            text,
            masks,
            index,
            records,
            depth,
            queue: [Candidate::default(); limits::TOGETHER],
            queued: 0,
            hex_end: 0,
            decoded_end: 0,
            found: Vec::new(),
            failure: None,
        };
        pass.blocks();
        pass.flush();
        match pass.failure {
            Some(failure) => Err(failure),
            None => Ok(pass.found),
        }
    }

    fn blocks(&mut self) {
        let mut run_end = 0;
        let mut before = Masks::default();
        let masks = self.masks;
        for (block, now) in masks.iter().enumerate() {
            let after = masks.get(block + 1).copied().unwrap_or_default();
            let base = block * BLOCK;
            // Dots between two letters of a host.
            let mut dots = now.dot & (now.host << 1 | before.host >> 63) & (now.host >> 1 | after.host << 63);
            if run_end > base {
                dots &= u64::MAX.checked_shl(u32::try_from(run_end - base).unwrap_or(64)).unwrap_or(0);
            }
            while dots != 0 {
                let at = dots.trailing_zeros();
                let start = self.run_start(block, now, at);
                let end = self.run_end(block, now, at);
                self.host(start, end);
                run_end = end;
                dots &= u64::MAX.checked_shl(u32::try_from(end - base).unwrap_or(64)).unwrap_or(0);
            }
            let colons = now.colon & (now.colon << 1 | before.colon >> 63);
            let escapes = now.escape & (now.escaped >> 1 | after.escaped << 63);
            // A run of 15 or more has eight together that begin at a multiple of eight.
            let others = !now.hex;
            let eights = others.wrapping_sub(0x0101_0101_0101_0101) & !others & 0x8080_8080_8080_8080;
            if colons | escapes | eights != 0 {
                self.rare(base, colons, escapes, eights);
            }
            before = *now;
        }
    }

    /// Where the run of host letters around a letter of a block starts.
    #[inline]
    fn run_start(&self, block: usize, now: &Masks, at: u32) -> usize {
        let stops = !now.host & !(u64::MAX << at);
        if stops != 0 {
            return block * BLOCK + 64 - stops.leading_zeros() as usize;
        }
        let mut start = block * BLOCK;
        for masks in self.masks.get(..block).unwrap_or_default().iter().rev() {
            let run = masks.host.leading_ones() as usize;
            start -= run;
            if run < BLOCK {
                break;
            }
        }
        start
    }

    /// Where it ends.
    #[inline]
    fn run_end(&self, block: usize, now: &Masks, at: u32) -> usize {
        let stops = !now.host & (u64::MAX << at);
        if stops != 0 {
            return block * BLOCK + stops.trailing_zeros() as usize;
        }
        let mut end = (block + 1) * BLOCK;
        for masks in self.masks.get(block + 1..).unwrap_or_default() {
            let run = masks.host.trailing_ones() as usize;
            end += run;
            if run < BLOCK {
                break;
            }
        }
        end.min(self.text.len())
    }

    /// 64 bits of a mask that end before `end`, the last letter in the highest.
    #[inline]
    fn window(&self, end: usize, of: impl Fn(&Masks) -> u64) -> u64 {
        let (block, rest) = (end / BLOCK, end % BLOCK);
        let before = block.checked_sub(1).and_then(|block| self.masks.get(block)).map_or(0, &of);
        if rest == 0 {
            return before;
        }
        self.masks.get(block).map_or(0, of) << (BLOCK - rest) | before >> rest
    }

    #[inline]
    pub(super) fn letter(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b' ')
    }

    /// A run of letters of a host with a dot between two of them.
    #[inline]
    fn host(&mut self, start: usize, run_end: usize) {
        let mut end = run_end;
        while end > start && matches!(self.letter(end - 1), b'.' | b'-' | b'_') {
            end -= 1;
        }
        let dots = self.window(end, |masks| masks.dot);
        let Some(last) = end.checked_sub(dots.leading_zeros() as usize).filter(|last| dots != 0 && *last > start)
        else {
            return self.no_dot(start, run_end, end);
        };
        let before = if start == 0 { b' ' } else { self.letter(start - 1) };
        let after = self.letter(run_end);
        let odd_after =
            after == b'%' || after == b'\\' && matches!(self.letter(run_end + 1), b'u' | b'U' | b'x' | b'X');
        if odd_after || self.beyond(start, end) {
            self.odd(start, run_end);
        }
        let odd = odd_after || before == b'\\' || before == b'%';
        if self.letter(last).is_ascii_digit() {
            return self.numbers(start, end, dots, odd);
        }
        if !self.index.knows_label(self.text, last, end) {
            return;
        }
        let others = dots & !(1 << (63 - dots.leading_zeros()));
        let second = match end.checked_sub(others.leading_zeros() as usize) {
            Some(second) if others != 0 => second.max(start),
            _ if end - start > 64 => self.label_start(start, last),
            _ => start,
        };
        let key = self.index.key();
        let one = key.text(key.begin(Begin::Host), self.text, last, end);
        let hash = key.finish(key.text(one, self.text, second, last - 1));
        if odd && second == start {
            self.odd(start, run_end);
        }
        self.push(Candidate { hash, start, end, four: None, odd });
    }

    /// Where the label before a dot starts, if no mask shows it.
    #[cold]
    fn label_start(&self, start: usize, last: usize) -> usize {
        let before = self.text.get(start..last - 1).unwrap_or_default();
        memchr::memrchr(b'.', before).map_or(start, |dot| start + dot + 1)
    }

    /// The last label is longer than any that leads to a value, or what looked like a dot within was at the end; letters
    /// beyond ASCII may still make a name.
    #[cold]
    fn no_dot(&mut self, start: usize, run_end: usize, end: usize) {
        if self.beyond(start, end) {
            self.odd(start, run_end);
        }
    }

    /// Is a letter beyond ASCII in it?
    #[inline]
    fn beyond(&self, start: usize, end: usize) -> bool {
        let letters = (end - start).clamp(1, 64);
        self.window(end, |masks| masks.beyond) >> (64 - letters) != 0
            || end - start > 64 && !self.text.get(start..end).unwrap_or_default().is_ascii()
    }

    /// A run whose last label begins with a digit: an address of IPv4, or a number of another kind.
    #[inline]
    fn numbers(&mut self, start: usize, end: usize, dots: u64, odd: bool) {
        let letters = end - start;
        if letters > 64 {
            return;
        }
        let (count, dots) = ((dots >> (64 - letters)).count_ones(), dots);
        match count {
            0..=2 => {}
            3 => match address::four(self.text.get(start..end).unwrap_or_default()) {
                Some(address) => {
                    if start > 0 && self.letter(start - 1) == b':' {
                        self.six_around(start, end);
                    }
                    if odd {
                        self.odd(start, end);
                    }
                    self.push_four(address, start, end);
                }
                None => self.numbers_among(start, end, odd),
            },
            // As tcpdump writes it, the port is the fifth number.
            4 => match address::four(self.text.get(start..end - dots.leading_zeros() as usize - 1).unwrap_or_default())
            {
                Some(address) => self.push_four(address, start, end),
                None => self.numbers_among(start, end, odd),
            },
            5.. => self.numbers_among(start, end, odd),
        }
    }

    /// Addresses with something else before or between them: `ip-1.2.3.4`, `1.2.3.4-1.2.3.9`.
    #[cold]
    fn numbers_among(&mut self, start: usize, end: usize, odd: bool) {
        if odd {
            self.odd(start, end);
        }
        let mut from = start;
        for at in start..=end {
            let letter = self.letter(at);
            if at < end && (letter.is_ascii_digit() || letter == b'.') {
                continue;
            }
            if let Some(address) = address::four(self.text.get(from..at).unwrap_or_default()) {
                self.push_four(address, from, at);
            }
            from = at + 1;
        }
    }

    #[inline]
    fn push_four(&mut self, address: u32, start: usize, end: usize) {
        let hash = address::hash_four(self.index.key(), address, 32);
        self.push(Candidate { hash, start, end, four: Some(address), odd: false });
    }

    #[inline]
    fn push(&mut self, candidate: Candidate) {
        self.index.filter().prefetch(candidate.hash);
        if let Some(place) = self.queue.get_mut(self.queued) {
            *place = candidate;
            self.queued += 1;
        }
        if self.queued == self.queue.len() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        for at in 0..self.queued {
            let candidate = self.queue[at];
            if self.index.filter().may_hold(candidate.hash)
                || candidate.four.is_some_and(|address| self.index.may_hold_four(address))
            {
                self.resolve(&candidate);
            }
        }
        self.queued = 0;
    }

    /// What seldom stands in telemetry.
    #[cold]
    fn rare(&mut self, base: usize, mut colons: u64, mut escapes: u64, mut eights: u64) {
        while colons != 0 {
            let at = base + colons.trailing_zeros() as usize;
            self.six_around(at, at);
            colons &= colons - 1;
        }
        while eights != 0 {
            let at = base + eights.trailing_zeros() as usize;
            if at >= self.hex_end {
                self.hexadecimal(at);
            }
            eights &= eights - 1;
        }
        while escapes != 0 {
            let at = base + escapes.trailing_zeros() as usize;
            if at >= self.decoded_end && self.is_escape(at) {
                self.odd(at, at + 1);
            }
            escapes &= escapes - 1;
        }
    }

    /// Does what follows hide a letter that would separate or join? Most percent signs and brackets do not.
    fn is_escape(&self, at: usize) -> bool {
        let (second, third) = (self.letter(at + 1), self.letter(at + 2).to_ascii_lowercase());
        match self.letter(at) {
            b'%' => second == b'2' && matches!(third, b'e' | b'5'),
            b'\\' => matches!(second, b'u' | b'U' | b'x' | b'X') && third.is_ascii_hexdigit(),
            _ => match second {
                b'd' | b'D' => third == b'o',
                b'.' => third.is_ascii_alphanumeric() || matches!(third, b']' | b')' | b'}'),
                b':' => matches!(third, b']' | b')' | b'}' | b':' | b'/'),
                _ => false,
            },
        }
    }

    /// A long run of hexadecimal letters and colons: hashes, and addresses of IPv6 in full.
    fn hexadecimal(&mut self, at: usize) {
        let is_hex = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|byte| !is_hex(byte)).map_or(0, |stop| stop + 1);
        let rest = self.text.get(at..).unwrap_or_default();
        let end = at + rest.iter().position(|byte| !is_hex(byte)).unwrap_or(rest.len());
        self.hex_end = end;
        if start > 0 && matches!(self.letter(start - 1), b'\\' | b'%') {
            self.odd(start, end.min(start + 1));
        }
        // An escape such as `\u002f` before a digest, whose digits are hexadecimal letters themselves.
        if start > 1 && matches!(self.letter(start - 1), b'u' | b'x' | b'U' | b'X') && self.letter(start - 2) == b'\\' {
            self.odd(start, start + 1);
        }
        let run = self.text.get(start..end).unwrap_or_default();
        let mut from = start;
        for part in run.split(|byte| *byte == b':') {
            if crate::value::is_digest(part.len()) {
                self.digest(from, from + part.len());
            }
            from += part.len() + 1;
        }
        if memchr::memchr_iter(b':', run).take(8).count() >= 6 {
            self.six_around(start, end);
        }
    }
}
