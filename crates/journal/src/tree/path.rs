//! The paths and bytes of tiles as C2SP tlog-tiles serves them.

use std::fmt;

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

impl fmt::Display for TilePath {
    /// The path below `tile/`, as [`TilePath::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tile, width) = match *self {
            Self::Hashes { level, tile, width } => {
                write!(f, "{level}/")?;
                (tile, width)
            }
            Self::Entries { tile, width } => {
                f.write_str("entries/")?;
                (tile, width)
            }
        };
        write_groups(f, tile / 1_000)?;
        write!(f, "{:03}", tile % 1_000)?;
        if width < TILE { write!(f, ".p/{width}") } else { Ok(()) }
    }
}

/// All groups of digits but the last; at most six, since a tile's number has at most twenty digits.
fn write_groups(f: &mut fmt::Formatter<'_>, number: u64) -> fmt::Result {
    if number == 0 {
        return Ok(());
    }
    write_groups(f, number / 1_000)?;
    write!(f, "x{:03}/", number % 1_000)
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
    use proptest::prelude::*;

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
        let bundle = entry_bundle(&[Commitment::new([7; 32]), Commitment::new([8; 32])]);
        assert_eq!(bundle, [&[0, 32][..], &[7; 32], &[0, 32], &[8; 32]].concat());
        assert!(entry_bundle(&[]).is_empty());
    }

    #[test]
    fn a_log_covers_the_tiles_that_another_implementation_publishes_and_no_wider_ones() {
        for size in [1, 255, 256, 257, 65_535, 65_536, 70_000, 16_777_216, 16_777_217] {
            let published = tlog_tiles::Tile::new_tiles(8, 0, size);
            assert!(!published.is_empty());
            let last = published.len() - 1;
            // Full tiles in the middle are like their neighbours: both ends are enough.
            for tile in published.iter().take(300).chain(&published[last.saturating_sub(300)..]) {
                let (level, number, width) = (tile.level(), tile.level_index(), tile.width() as usize);
                let path = TilePath::Hashes { level, tile: number, width };
                assert!(path.is_covered_by(size), "{path} of {size}");
                if width < TILE {
                    let wider = TilePath::Hashes { level, tile: number, width: width + 1 };
                    assert!(!wider.is_covered_by(size), "{wider} of {size}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn paths_read_back_and_are_those_of_another_implementation(
            level in 0..8_u8,
            tile in prop_oneof![0..2_000_u64, any::<u64>()],
            width in 1..=TILE,
            entries: bool,
        ) {
            let hashes = TilePath::Hashes { level, tile, width };
            let ours = if entries { TilePath::Entries { tile, width } } else { hashes };
            prop_assert_eq!(TilePath::parse(&ours.to_string()), Some(ours));
            let level = if entries { 0 } else { level };
            let theirs = tlog_tiles::Tile::new(8, level, tile, u32::try_from(width).unwrap(), entries);
            // Theirs are of the standard's predecessor: with the tile's height, and `data` for entries.
            let theirs = theirs.path().replace("/data/", "/entries/");
            prop_assert_eq!(format!("tile/8/{ours}"), theirs);
        }

        #[test]
        fn a_path_has_one_spelling(path in "(entries|[0-9a]{1,2})(/x?[0-9]{0,4}){1,8}(\\.p/[0-9]{0,4})?") {
            if let Some(read) = TilePath::parse(&path) {
                prop_assert_eq!(read.to_string(), path);
            }
        }
    }
}
