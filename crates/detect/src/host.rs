//! Host names: their labels from the right, with the hash of each suffix.

use crate::hashing::{Begin, Key};
use crate::limits;

/// The suffixes of a host name from the right, each with where it starts and its hash: `com`, `example.com`, …. It ends at an
/// empty label or one that is too long.
pub(crate) struct Suffixes<'a> {
    key: &'a Key,
    around: &'a [u8],
    start: usize,
    next: Option<usize>,
    hash: u64,
}

impl<'a> Suffixes<'a> {
    /// Of what lies in `around` from `start` to `end`, where no dot is at the end.
    pub(crate) fn new(key: &'a Key, around: &'a [u8], start: usize, end: usize) -> Self {
        Self { key, around, start, next: Some(end), hash: key.begin(Begin::Host) }
    }
}

impl Iterator for Suffixes<'_> {
    type Item = (usize, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let end = self.next.take()?;
        let before = self.around.get(self.start..end)?;
        let start = memchr::memrchr(b'.', before).map_or(self.start, |dot| self.start + dot + 1);
        if start == end || end - start > limits::LABEL {
            return None;
        }
        self.hash = self.key.text(self.hash, self.around, start, end);
        self.next = (start > self.start).then(|| start - 1);
        Some((start, self.key.finish(self.hash)))
    }
}

/// The hash of a whole name, and that of its last two labels; `None` for a name of one label.
pub(crate) fn hashes(key: &Key, name: &[u8]) -> Option<(u64, u64)> {
    let mut suffixes = Suffixes::new(key, name, 0, name.len()).skip(1).map(|(_, hash)| hash);
    let two = suffixes.next()?;
    Some((suffixes.last().unwrap_or(two), two))
}

/// A name as it is kept: small letters, punycode, without the root's dot; `None` if it is none, or has one label alone.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let name = if text.is_ascii() { text.to_ascii_lowercase() } else { idna::domain_to_ascii(text).ok()? };
    let fits = name.len() <= limits::HOST && name.contains('.') && name.split('.').all(is_label);
    let last = name.rsplit('.').next()?;
    (fits && !last.starts_with(|first: char| first.is_ascii_digit())).then_some(name)
}

fn is_label(label: &str) -> bool {
    (1..=limits::LABEL).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !label.ends_with(['-', '_'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(canonical(text).as_deref(), expect, "{text}");
        check("WWW.Example.COM.", Some("www.example.com"));
        check("münchen.example", Some("xn--mnchen-3ya.example"));
        check("_dmarc.example.com", Some("_dmarc.example.com"));
        check("example", None);
        check("a..example", None);
        check("1.2.3.4", None);
        check("a b.example", None);
        check(&format!("{}.example", "a".repeat(64)), None);
    }

    #[test]
    fn suffixes_come_from_the_right_and_hash_as_names_do() {
        let key = Key::new([3; 32]);
        let text = b"..www.Example.com";
        let found: Vec<_> = Suffixes::new(&key, text, 0, text.len()).collect();
        let starts: Vec<usize> = found.iter().map(|found| found.0).collect();
        assert_eq!(starts, [14, 6, 2]);
        assert_eq!(hashes(&key, b"example.com").unwrap().0, found[1].1);
        assert_eq!(hashes(&key, b"www.example.com").unwrap(), (found[2].1, found[1].1));
        assert_eq!(hashes(&key, b"com"), None);
    }
}
