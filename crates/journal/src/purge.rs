//! The purge list: which bodies were erased on a node, a line each, in a file outside its database and its backups. What
//! is brought back from an old backup is purged again by it, before anything is served.
//!
//! ```text
//! entraide/purge-list/v1
//! <time> <origin> <index> <commitment: 64 hexadecimal digits> <check: 16 hexadecimal digits>
//! ```
//!
//! The check is the beginning of SHA-256 over the check of the line before (of the first line: eight zero bytes) and the
//! line itself: a line that was changed, taken out or put in shows. It is no secret and keeps nobody out who writes anew
//! the whole file; it finds what a disk or an editor did. A list that ends within a line was torn by a power cut: what
//! stands there was not acknowledged, and is cut off.

use model::{Commitment, Index, Origin, Timestamp};
use sha2::{Digest, Sha256};

/// The first line of the file.
pub const HEADER: &str = "entraide/purge-list/v1\n";

/// A body that was erased. What stands of it is what the log shows anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purged {
    /// When.
    pub at: Timestamp,
    /// In whose log.
    pub origin: Origin,
    /// Where in it.
    pub index: Index,
    /// What the log commits to there.
    pub commitment: Commitment,
}

/// The check of one line, on which the next one's builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Check([u8; 8]);

impl Check {
    fn after(self, line: &str) -> Self {
        let sum = Sha256::new().chain_update(b"entraide/purge/v1").chain_update(self.0).chain_update(line).finalize();
        let mut check = [0; 8];
        check.copy_from_slice(&sum[..8]);
        Self(check)
    }
}

/// A list as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeList {
    /// Every line that is whole, in order.
    pub purged: Vec<Purged>,
    /// The check on which the next line builds.
    pub check: Check,
    /// Bytes up to the end of the last whole line; what follows was torn.
    pub whole: usize,
}

/// A list that cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PurgeListError {
    /// Not a purge list.
    #[error("its first line is not `entraide/purge-list/v1`")]
    Header,
    /// A line that was not written so.
    #[error("line {0} was changed, or lines before it were taken out")]
    Line(usize),
}

impl Purged {
    /// The line to be added after the one with `check`, and its own check.
    #[must_use]
    pub fn line(&self, check: Check) -> (String, Check) {
        let text = self.text();
        let own = check.after(&text);
        (format!("{text} {}\n", model::bytes::hex(&own.0)), own)
    }

    fn text(&self) -> String {
        let commitment = model::bytes::hex(self.commitment.as_bytes());
        format!("{} {} {} {commitment}", self.at, self.origin, self.index.0)
    }
}

/// Reads a list. One that was torn within its first line is empty.
///
/// # Errors
/// It is not one, or a line of it was changed.
pub fn read(bytes: &[u8]) -> Result<PurgeList, PurgeListError> {
    let mut list = PurgeList { purged: Vec::new(), check: Check::default(), whole: 0 };
    if HEADER.as_bytes().starts_with(bytes) && bytes.len() < HEADER.len() {
        return Ok(list);
    }
    let mut rest = bytes.strip_prefix(HEADER.as_bytes()).ok_or(PurgeListError::Header)?;
    list.whole = HEADER.len();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let wrong = PurgeListError::Line(list.purged.len() + 2);
        let line = std::str::from_utf8(&rest[..=end]).map_err(|_| wrong)?;
        let purged = parsed(line).ok_or(wrong)?;
        let (written, check) = purged.line(list.check);
        if written != line {
            return Err(wrong);
        }
        list.purged.push(purged);
        list.check = check;
        list.whole += line.len();
        rest = &rest[end + 1..];
    }
    Ok(list)
}

fn parsed(line: &str) -> Option<Purged> {
    let mut words = line.split(' ');
    let at = words.next()?.parse().ok()?;
    let origin = words.next()?.parse().ok()?;
    let index = Index(words.next()?.parse().ok()?);
    let commitment = Commitment::new(model::bytes::unhex(words.next()?)?);
    Some(Purged { at, origin, index, commitment })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn purged(index: u64) -> Purged {
        Purged {
            at: Timestamp::from_seconds(1_790_000_000),
            origin: "entraide/FR/REAL/0123456789abcdef/2".parse().unwrap(),
            index: Index(index),
            commitment: Commitment::new([7; 32]),
        }
    }

    fn written(all: &[Purged]) -> String {
        let mut check = Check::default();
        let mut text = HEADER.to_owned();
        for one in all {
            let (line, next) = one.line(check);
            text.push_str(&line);
            check = next;
        }
        text
    }

    #[test]
    fn lines_read_back_and_a_torn_end_is_cut_off() {
        let all: Vec<Purged> = (0..3).map(purged).collect();
        let text = written(&all);
        let list = read(text.as_bytes()).unwrap();
        assert_eq!((list.purged, list.whole), (all.clone(), text.len()));
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        for cut in 0..text.len() {
            let list = read(&text.as_bytes()[..cut]).unwrap();
            let whole = ends.iter().rfind(|end| **end <= cut).copied().unwrap_or(0);
            assert_eq!(list.whole, whole, "cut at {cut}");
            assert_eq!(list.purged.len(), ends.iter().filter(|end| **end <= cut).count().saturating_sub(1));
        }
    }

    #[test]
    fn a_line_taken_out_or_swapped_shows() {
        let text = written(&(0..3).map(purged).collect::<Vec<_>>());
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let check = |order: &[usize], expect: PurgeListError| {
            let text: String = order.iter().map(|at| lines[*at]).collect();
            assert_eq!(read(text.as_bytes()), Err(expect), "{order:?}");
        };
        check(&[0, 2, 3], PurgeListError::Line(2));
        check(&[0, 1, 3], PurgeListError::Line(3));
        check(&[0, 2, 1, 3], PurgeListError::Line(2));
        check(&[1, 2, 3], PurgeListError::Header);
    }

    proptest! {
        #[test]
        fn no_changed_byte_passes(at: prop::sample::Index, bit in 0..8_u8) {
            let all: Vec<Purged> = (0..3).map(purged).collect();
            let mut bytes = written(&all).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            // A line feed that went at the very end leaves a torn line, which was not acknowledged.
            let torn = at + 1 == bytes.len() && read(&bytes).map(|list| list.purged.len()) == Ok(2);
            prop_assert!(torn || read(&bytes).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
            let _ = read(&[HEADER.as_bytes(), &bytes].concat());
        }
    }
}
