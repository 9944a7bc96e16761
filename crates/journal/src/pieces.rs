//! The pieces of a file that is too large for the log: each is checked by itself, and one digest stands for all of them.

use model::extension::assistance::Sha256Digest;
use ring::digest::{Context, SHA256, digest};

/// Bytes of a piece; the last may be shorter. Small enough to be held in memory by everybody on its way, large enough
/// that a hundred gigabytes are a hundred thousand of them.
pub const PIECE_BYTES: usize = 1024 * 1024;
/// Bytes of one digest in a list of them.
pub const DIGEST_BYTES: usize = 32;
/// Before what is hashed for the root.
const DOMAIN: &[u8] = b"entraide/pieces/v1";

/// In how many pieces a file of this size goes.
#[must_use]
pub const fn count(size: u64) -> u64 {
    size.div_ceil(PIECE_BYTES as u64)
}

/// Bytes of one piece of a file of this size; `None` if it has no such piece.
#[must_use]
pub fn length(size: u64, piece: u64) -> Option<usize> {
    let begin = piece.checked_mul(PIECE_BYTES as u64).filter(|begin| *begin < size)?;
    usize::try_from((size - begin).min(PIECE_BYTES as u64)).ok()
}

/// The one digest over the digests of all pieces, in their order: `SHA-256("entraide/pieces/v1" ‖ size as eight bytes,
/// the highest first ‖ the digests)`. `None` if there are not as many as a file of this size has.
#[must_use]
pub fn root(size: u64, digests: &[u8]) -> Option<Sha256Digest> {
    if size == 0 || Some(digests.len() as u64) != count(size).checked_mul(DIGEST_BYTES as u64) {
        return None;
    }
    let mut all = Context::new(&SHA256);
    all.update(DOMAIN);
    all.update(&size.to_be_bytes());
    all.update(digests);
    Sha256Digest::from_slice(all.finish().as_ref())
}

/// Is this the piece with that digest?
#[must_use]
pub fn is_piece(bytes: &[u8], expected: &[u8]) -> bool {
    digest(&SHA256, bytes).as_ref() == expected
}

/// Reads a file once, for all of its digests.
pub struct Digester {
    whole: Context,
    piece: Context,
    filled: usize,
    size: u64,
    digests: Vec<u8>,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the whole.
    pub sha256: Sha256Digest,
    /// The digests of its pieces, one after the other.
    pub digests: Vec<u8>,
}

impl Default for Digester {
    fn default() -> Self {
        let fresh = || Context::new(&SHA256);
        Self { whole: fresh(), piece: fresh(), filled: 0, size: 0, digests: Vec::new() }
    }
}

impl Digester {
    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.whole.update(bytes);
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE_BYTES - self.filled));
            self.piece.update(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == PIECE_BYTES {
                self.end_piece();
            }
        }
    }

    /// What it was.
    #[must_use]
    pub fn finish(mut self) -> Digested {
        if self.filled > 0 {
            self.end_piece();
        }
        let mut sha256 = [0; DIGEST_BYTES];
        sha256.copy_from_slice(self.whole.finish().as_ref());
        Digested { size: self.size, sha256: Sha256Digest::new(sha256), digests: self.digests }
    }

    fn end_piece(&mut self) {
        let ended = std::mem::replace(&mut self.piece, Context::new(&SHA256));
        self.digests.extend_from_slice(ended.finish().as_ref());
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_cover_a_file_and_nothing_else() {
        let check = |size, piece, expect| assert_eq!(length(size, piece), expect, "{size} {piece}");
        let mib = PIECE_BYTES as u64;
        check(0, 0, None);
        check(1, 0, Some(1));
        check(mib, 0, Some(PIECE_BYTES));
        check(mib, 1, None);
        check(2 * mib + 5, 2, Some(5));
        check(2 * mib + 5, 3, None);
        check(u64::MAX, u64::MAX, None);
        assert_eq!((count(0), count(1), count(mib), count(mib + 1)), (0, 1, 1, 2));
        assert_eq!(root(0, &[]), None);
        assert_eq!(root(1, &[0; 31]), None);
        assert_ne!(root(1, &[0; 32]), root(2, &[0; 32]));
        // Made with: printf 'entraide/pieces/v1' and so on | sha256sum
        let one = digest(&SHA256, b"x");
        let said = [DOMAIN, &1_u64.to_be_bytes(), one.as_ref()].concat();
        assert_eq!(root(1, one.as_ref()).unwrap().as_bytes(), digest(&SHA256, &said).as_ref());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn digests_are_the_same_however_a_file_is_read(parts in proptest::collection::vec(0_usize..900_000, 0..6)) {
            let bytes: Vec<u8> = (0..parts.iter().sum::<usize>()).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
            let (mut digester, mut at) = (Digester::default(), 0);
            for part in parts {
                digester.update(&bytes[at..at + part]);
                at += part;
            }
            let read = digester.finish();
            prop_assert_eq!(read.size, bytes.len() as u64);
            prop_assert!(is_piece(&bytes, read.sha256.as_bytes()));
            for (piece, expected) in bytes.chunks(PIECE_BYTES).zip(read.digests.chunks(DIGEST_BYTES)) {
                prop_assert!(is_piece(piece, expected));
            }
            prop_assert_eq!(read.digests.len(), bytes.len().div_ceil(PIECE_BYTES) * DIGEST_BYTES);
        }
    }
}
