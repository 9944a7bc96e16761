//! A candidate that the filter lets pass: the values themselves are compared, and what surrounds it is read as an URL or a
//! mail address. Also what has to be decoded first.

use core::net::Ipv4Addr;

use super::pass::{Candidate, Pass};
use super::{Found, How};
use crate::classes::{BLOCK, Masks};
use crate::hashing::Begin;
use crate::host::Suffixes;
use crate::index::Record;
use crate::value::{self, Kind, Value};
use crate::wide::Way;
use crate::{address, decode, limits, text};

/// Texts that are decoded from decoded ones, at most.
const DEPTH: u8 = 2;
/// Rounds of undoing percent signs.
const ROUNDS: usize = 3;
/// Ends that are tried of an URL whose end can't be told from the text that follows.
const ENDS: usize = 12;
/// Letters of a run that is tried as an address of IPv6.
const SIX: usize = 64;

impl Pass<'_> {
    /// Compares a candidate with the values that it may be.
    #[cold]
    #[inline(never)]
    pub(super) fn resolve(&mut self, candidate: &Candidate) {
        let (start, end) = (candidate.start, candidate.end);
        if candidate.odd {
            self.odd(start, end);
        }
        if let Some(address) = candidate.four {
            self.four(address, start, end);
            return self.url(&Ipv4Addr::from_bits(address).to_string(), start, end);
        }
        let (text, index) = (self.text, self.index);
        for (from, hash) in Suffixes::new(index.key(), text, start, end).skip(1) {
            let how = if from == start { How::Exact } else { How::Below };
            let name = text.get(from..end).unwrap_or_default();
            self.known(hash, start, end, how, |record| {
                record.kind == Kind::Domain && record.text.as_bytes().eq_ignore_ascii_case(name)
            });
        }
        let name = String::from_utf8_lossy(text.get(start..end).unwrap_or_default()).to_ascii_lowercase();
        self.mail(&name, start, end);
        self.url(&name, start, end);
    }

    /// Takes down every value of a hash that is what was found.
    fn known(&mut self, hash: u64, start: usize, end: usize, how: How, is_it: impl Fn(&Record) -> bool) {
        let index = self.index;
        for place in index.places(hash).take(limits::SAME) {
            match self.records.record(place) {
                Ok(record) if is_it(&record) => {
                    self.found.push(Found { start, end, place, decoded: false, how, record });
                }
                Ok(_) => {}
                Err(failure) => {
                    self.failure.get_or_insert(failure);
                }
            }
        }
    }

    fn four(&mut self, address: u32, start: usize, end: usize) {
        let index = self.index;
        for (length, hash) in index.hashes_four(address) {
            let how = if length == 32 { How::Exact } else { How::Within };
            self.known(hash, start, end, how, |record| Value::network_four(address, length).is(record));
        }
    }

    /// An address of IPv6 somewhere in the run of its letters: what stands before and behind may be of it or not
    /// (`src:2001:db8::1`), so that each part is tried.
    pub(super) fn six_around(&mut self, from: usize, to: usize) {
        let is_six = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        let before = self.text.get(from.saturating_sub(SIX)..from).unwrap_or_default();
        let start = from - before.iter().rev().take_while(|byte| is_six(byte)).count();
        let after = self.text.get(to..(to + SIX).min(self.text.len())).unwrap_or_default();
        let end = to + after.iter().take_while(|byte| is_six(byte)).count();
        let run = self.text.get(start..end).unwrap_or_default();
        let cuts: Vec<usize> = memchr::memchr_iter(b':', run).collect();
        if cuts.len() < 2 {
            return;
        }
        let starts = [0].into_iter().chain(cuts.iter().flat_map(|cut| [*cut, cut + 1]));
        for one in starts {
            let dots = run.iter().rposition(|byte| *byte != b'.').map(|last| last + 1);
            let ends = [Some(run.len()), dots].into_iter().flatten().chain(cuts.iter().flat_map(|cut| [*cut, cut + 1]));
            for other in ends {
                if let Some(address) = run.get(one..other).and_then(address::six) {
                    self.six(address, start + one, start + other);
                }
            }
        }
    }

    fn six(&mut self, address: core::net::Ipv6Addr, start: usize, end: usize) {
        if let Some(four) = address::mapped(address) {
            return self.four(four, start, end);
        }
        let index = self.index;
        for (length, hash) in index.hashes_six(address.to_bits()) {
            let how = if length == 128 { How::Exact } else { How::Within };
            self.known(hash, start, end, how, |record| Value::network_six(address, length).is(record));
        }
        if self.letter(end) == b']' {
            self.url_after(&format!("[{address}]"), start, end, end + 1);
        }
    }

    pub(super) fn digest(&mut self, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default();
        let hash = value::digest_hash(self.index.key(), text);
        self.known(hash, start, end, How::Exact, |record| {
            record.kind == Kind::Digest && record.text.as_bytes().eq_ignore_ascii_case(text)
        });
    }

    fn mail(&mut self, name: &str, start: usize, end: usize) {
        if start == 0 || self.letter(start - 1) != b'@' {
            return;
        }
        let before = self.text.get((start - 1).saturating_sub(limits::LOCAL)..start - 1).unwrap_or_default();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
        // Most addresses are of few letters; what may stand in one may also stand before one (`from=user@…`).
        let few = before.iter().rev().take_while(|byte| plain(byte)).count();
        let all = before.iter().rev().take_while(|byte| text::is_local(**byte)).count();
        for letters in if few == all { vec![few] } else { vec![few, all] } {
            let from = start - 1 - letters;
            let local =
                String::from_utf8_lossy(self.text.get(from..start - 1).unwrap_or_default()).to_ascii_lowercase();
            let address = format!("{local}@{name}");
            let key = self.index.key();
            let hash = key.finish(key.exact(key.begin(Begin::Mail), address.as_bytes()));
            self.known(hash, from, end, How::Exact, |record| record.kind == Kind::Mail && record.text == address);
        }
    }

    fn url(&mut self, host: &str, start: usize, end: usize) {
        let mut after = end;
        while after < self.text.len() && matches!(self.letter(after), b'.') {
            after += 1;
        }
        self.url_after(host, start, end, after);
    }

    /// What follows a host, as an URL. Where it ends can't always be told (`see http://a.example/x, and`), so that each end is
    /// tried that a reader would.
    fn url_after(&mut self, host: &str, start: usize, end: usize, after: usize) {
        let scheme = self.text.get(start.saturating_sub(3)..start).is_some_and(|before| before.ends_with(b"//"));
        let rest = self.text.get(after..(after + limits::URL).min(self.text.len())).unwrap_or_default();
        let rest = rest.split(|byte| !text::goes_on(*byte)).next().unwrap_or_default();
        if !scheme && !matches!(rest, [b'/' | b':' | b'?' | b'#', ..] | [b'\\', b'/', ..]) {
            return;
        }
        let plain = decode::unescape(rest);
        let Ok(plain) = std::str::from_utf8(&plain) else { return };
        let (port, path) = port_and_path(plain);
        let mut ends =
            vec![path.len(), path.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'', '*']).len()];
        ends.extend(
            path.char_indices().filter(|(_, letter)| ",;'()[]{}\\&".contains(*letter)).map(|(at, _)| at).take(ENDS),
        );
        ends.sort_unstable();
        ends.dedup();
        for cut in ends {
            let Some(form) = path.get(..cut).and_then(|path| text::one_form(host, port, path)) else { continue };
            let key = self.index.key();
            let hash = key.finish(key.exact(key.begin(Begin::Url), form.as_bytes()));
            let until = (after + rest.len()).max(end);
            self.known(hash, start, until, How::Exact, |record| record.kind == Kind::Url && record.text == form);
        }
    }

    /// Decodes what surrounds a place, and looks at the result.
    #[cold]
    #[inline(never)]
    pub(super) fn odd(&mut self, start: usize, end: usize) {
        if self.depth >= DEPTH || end <= self.decoded_end {
            return;
        }
        let goes_on = |byte: &u8| text::goes_on(*byte) && !matches!(byte, b',' | b';' | b'\'');
        let before = self.text.get(start.saturating_sub(limits::HOST + 47)..start).unwrap_or_default();
        let from = start - before.iter().rev().take_while(|byte| goes_on(byte)).count();
        let after = self.text.get(end..(start + limits::WINDOW).max(end).min(self.text.len())).unwrap_or_default();
        let to = end + after.iter().take_while(|byte| goes_on(byte)).count();
        self.decoded_end = to;
        let window = self.text.get(from..to).unwrap_or_default();
        let decoded = decode::decode(window, ROUNDS);
        let changed = *decoded != *window;
        let named = names(&decoded);
        if !changed && named.is_none() {
            return;
        }
        for text in [Some(decoded.into_owned()).filter(|_| changed), named].into_iter().flatten() {
            let mut masks = vec![Masks::default(); text.len().div_ceil(BLOCK)];
            match Pass::over(Way::Scalar, &text, &mut masks, self.index, self.records, self.depth + 1) {
                Ok(found) => {
                    self.found.extend(found.into_iter().map(|found| Found {
                        start: from,
                        end: to,
                        decoded: true,
                        ..found
                    }));
                }
                Err(failure) => {
                    self.failure.get_or_insert(failure);
                }
            }
        }
    }
}

/// The same text with every name beyond ASCII in punycode; `None` if there is none.
fn names(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_ascii() {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    let is_host = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '。' | '．' | '｡') || !letter.is_ascii()
    };
    let mut out = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while !rest.is_empty() {
        let run = rest.find(|letter| !is_host(letter)).unwrap_or(rest.len());
        let (name, others) = rest.split_at(run);
        match idna::domain_to_ascii(name) {
            Ok(ascii) if !name.is_ascii() => out.push_str(&ascii),
            Ok(_) | Err(_) => out.push_str(name),
        }
        let next = others.chars().next().map_or(0, char::len_utf8);
        let (stop, others) = others.split_at(next);
        out.push_str(stop);
        rest = others;
    }
    Some(out.into_bytes())
}

/// The port of what follows a host, and what follows it.
fn port_and_path(rest: &str) -> (Option<u16>, &str) {
    let Some(after) = rest.strip_prefix(':') else { return (None, rest) };
    let digits = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
    let (port, path) = after.split_at(digits);
    (port.parse().ok(), path)
}
