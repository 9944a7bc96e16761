//! The paths and bytes of tiles as C2SP tlog-tiles serves them.

use model::Commitment;

use super::TILE;

/// Which tile a path means: `0/x001/234`, `entries/000.p/17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TilePath {
    /// Hashes: of leaves at level 0, of full subtrees above.
    Hashes {
        /// The level, at most 7.
        level: u8,
        /// The tile.
        tile: u64,
        /// How many hashes, 1 to 256.
        width: usize,
    },
    /// Entries.
    Entries {
        /// The tile.
        tile: u64,
        /// How many entries, 1 to 256.
        width: usize,
    },
}

impl TilePath {
    /// Reads a path below `tile/`; `None` for every spelling but the standard's.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            None => (rest, TILE),
            Some((number, width)) => {
                let read: usize = width.parse().ok()?;
                if read == 0 || read >= TILE || read.to_string() != width {
                    return None;
                }
                (number, read)
            }
        };
        let tile = tile_number(number)?;
        if kind == "entries" {
            return Some(Self::Entries { tile, width });
        }
        let level: u8 = kind.parse().ok()?;
        (level < 8 && level.to_string() == kind).then_some(Self::Hashes { level, tile, width })
    }

    /// Does a log of `size` entries have all of this tile?
    #[must_use]
    pub const fn is_covered_by(self, size: u64) -> bool {
        let (level, tile, width) = match self {
            Self::Hashes { level, tile, width } => (level, tile, width),
            Self::Entries { tile, width } => (0, tile, width),
        };
        let available = size >> (8 * level as u32);
        match tile.checked_mul(TILE as u64) {
            Some(first) => first.saturating_add(width as u64) <= available,
            None => false,
        }
    }
}

/// Groups of three digits, all but the last after an `x`: 1234067 is `x001/x234/067`.
fn tile_number(text: &str) -> Option<u64> {
    let groups: Vec<&str> = text.split('/').collect();
    let mut number = 0_u64;
    for (at, group) in groups.iter().enumerate() {
        let last = at + 1 == groups.len();
        let digits = if last { *group } else { group.strip_prefix('x')? };
        if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        number = number.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
    }
    // One spelling only: no leading group of zeros.
    (groups.len() == 1 || groups.first() != Some(&"x000")).then_some(number)
}

/// Entries as an entry bundle: each with its length in two bytes.
#[must_use]
pub fn entry_bundle(entries: &[Commitment]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() * 34);
    for entry in entries {
        out.extend_from_slice(&32_u16.to_be_bytes());
        out.extend_from_slice(entry.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_standard() {
        let check = |path: &str, expect: Option<TilePath>| assert_eq!(TilePath::parse(path), expect, "{path}");
        check("0/000", Some(TilePath::Hashes { level: 0, tile: 0, width: 256 }));
        check("1/x001/234", Some(TilePath::Hashes { level: 1, tile: 1_234, width: 256 }));
        check("0/x001/x234/067", Some(TilePath::Hashes { level: 0, tile: 1_234_067, width: 256 }));
        check("entries/000.p/17", Some(TilePath::Entries { tile: 0, width: 17 }));
        for wrong in
            ["0/0", "0/x000/001", "00/000", "8/000", "0/000.p/0", "0/000.p/256", "0/000.p/017", "a/000", "0/1234", ""]
        {
            check(wrong, None);
        }
    }

    #[test]
    fn a_tile_is_covered_when_all_of_it_is_there() {
        let check = |path: &str, size: u64, expect: bool| {
            assert_eq!(TilePath::parse(path).unwrap().is_covered_by(size), expect, "{path} of {size}");
        };
        check("0/000", 255, false);
        check("0/000", 256, true);
        check("0/000.p/17", 17, true);
        check("1/000.p/1", 255, false);
        check("1/000.p/1", 256, true);
        check("7/x999/x999/x999/x999/x999/999", u64::MAX, false);
    }

    #[test]
    fn bundles_have_lengths() {
        assert_eq!(entry_bundle(&[Commitment::new([7; 32])])[..3], [0, 32, 7]);
    }
}
