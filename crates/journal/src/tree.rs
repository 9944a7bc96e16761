//! The Merkle tree of a log (RFC 6962 §2.1), kept as tiles of 256 (C2SP tlog-tiles) and a frontier of at most 64
//! hashes.

use model::Commitment;
use sha2::{Digest, Sha256};

pub use crate::tree::path::{TilePath, entry_bundle};

mod path;

model::hex_newtype!(
    /// A hash of the tree: of a leaf, a node, or the root.
    TreeHash,
    32
);

/// Entries or hashes a tile.
pub const TILE: usize = 256;
/// Levels of the tree that one level of tiles spans.
const TILE_HEIGHT: u32 = 8;

/// The hash of a leaf: `SHA-256(0x00 ‖ entry)`.
#[must_use]
pub fn leaf_hash(entry: &Commitment) -> TreeHash {
    TreeHash::new(Sha256::new().chain_update([0]).chain_update(entry.as_bytes()).finalize().into())
}

/// The hash of a node: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    let hash = Sha256::new().chain_update([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    TreeHash::new(hash.finalize().into())
}

/// The root of the tree without entries: `SHA-256("")`.
#[must_use]
pub fn empty_root() -> TreeHash {
    TreeHash::new(Sha256::digest(b"").into())
}

/// The right edge of a tree: the roots of its full subtrees, largest first. Enough to append and to know the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<TreeHash>,
}

impl Frontier {
    /// How many entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one entry.
    pub fn append(&mut self, entry: &Commitment) {
        self.append_with(entry, &mut |_, _, _| {});
    }

    /// Appends entries.
    pub fn extend(&mut self, entries: &[Commitment]) {
        self.extend_with(entries, |_, _, _| {});
    }

    /// Appends entries, and says which subtrees of height 8, 16, 24 … became full: tile level (1 for height 8), index,
    /// root. A store keeps those.
    pub fn extend_with(&mut self, entries: &[Commitment], mut on_full: impl FnMut(u8, u64, TreeHash)) {
        for entry in entries {
            self.append_with(entry, &mut on_full);
        }
    }

    fn append_with(&mut self, entry: &Commitment, on_full: &mut impl FnMut(u8, u64, TreeHash)) {
        let mut hash = leaf_hash(entry);
        let mut height = 0_u32;
        let mut carry = self.size;
        while carry & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
            carry >>= 1;
            height += 1;
            if height.is_multiple_of(TILE_HEIGHT) {
                // At most eight levels of tiles: 2^64 entries.
                on_full(u8::try_from(height / TILE_HEIGHT).unwrap_or(u8::MAX), self.size >> height, hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> TreeHash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => empty_root(),
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// As bytes: size, then peaks.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.peaks.len() * 32);
        out.extend_from_slice(&self.size.to_be_bytes());
        for peak in &self.peaks {
            out.extend_from_slice(peak.as_bytes());
        }
        out
    }

    /// Reads what `encode` wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (size, rest) = bytes.split_at_checked(8)?;
        let size = u64::from_be_bytes(size.try_into().ok()?);
        if rest.len() != size.count_ones() as usize * 32 {
            return None;
        }
        let peaks = rest.chunks_exact(32).map(TreeHash::from_slice).collect::<Option<Vec<_>>>()?;
        Some(Self { size, peaks })
    }
}

/// Where the hashes of a stored log come from.
pub trait Tiles {
    /// What can go wrong with the storage.
    type Error;
    /// The first `width` entries of tile `tile`.
    ///
    /// # Errors
    /// The storage.
    fn leaves(&self, tile: u64, width: usize) -> Result<Vec<Commitment>, Self::Error>;
    /// The first `width` roots of full subtrees of height `8 · level` in tile `tile` of that level, from level 1.
    ///
    /// # Errors
    /// The storage.
    fn roots(&self, level: u8, tile: u64, width: usize) -> Result<Vec<TreeHash>, Self::Error>;
}

/// Why a proof was not made or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E = std::convert::Infallible> {
    /// The storage.
    #[error("the log could not be read: {0}")]
    Storage(E),
    /// The storage gave fewer hashes than the log has.
    #[error("the log is incomplete on disk: run `entraide verify`")]
    Missing,
    /// No such entry or size.
    #[error("there is no entry {index} in a log of {size}")]
    Range {
        /// The entry, or the older size.
        index: u64,
        /// The size.
        size: u64,
    },
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the signed root")]
    Wrong,
}

/// The root of the first `size` entries.
///
/// # Errors
/// The storage, or fewer entries than `size`.
pub fn root_at<T: Tiles>(tiles: &T, size: u64) -> Result<TreeHash, ProofError<T::Error>> {
    if size == 0 { Ok(empty_root()) } else { subtree(tiles, 0, size) }
}

/// The hashes from entry `index` up to the root of the first `size` entries (RFC 6962 §2.1.1).
///
/// # Errors
/// No such entry, or the storage.
pub fn inclusion_proof<T: Tiles>(tiles: &T, index: u64, size: u64) -> Result<Vec<TreeHash>, ProofError<T::Error>> {
    if index >= size {
        return Err(ProofError::Range { index, size });
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(subtree(tiles, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(tiles, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show that the first `old` entries are a prefix of the first `new` (RFC 6962 §2.1.2).
///
/// # Errors
/// `old` is 0 or larger than `new`, or the storage.
pub fn consistency_proof<T: Tiles>(tiles: &T, old: u64, new: u64) -> Result<Vec<TreeHash>, ProofError<T::Error>> {
    if old == 0 || old > new {
        return Err(ProofError::Range { index: old, size: new });
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, new);
    // Is the old tree, within this range, a subtree whose hash the verifier has already?
    let mut known = true;
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(subtree(tiles, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(tiles, start, middle)?);
            start = middle;
            known = false;
        }
    }
    if !known {
        proof.push(subtree(tiles, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The largest power of two below `size`, which is at least 2.
const fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

/// The hash of entries `start..end`, where `start` is a multiple of the largest power of two in the range.
fn subtree<T: Tiles>(tiles: &T, start: u64, end: u64) -> Result<TreeHash, ProofError<T::Error>> {
    let width = end - start;
    if width.is_power_of_two() {
        let height = width.trailing_zeros();
        let level = height / TILE_HEIGHT;
        // The hashes of one tile, from which the subtree's root follows in at most eight steps.
        let count = 1_usize << (height % TILE_HEIGHT);
        let first = start >> (level * TILE_HEIGHT);
        return fold_tile(tiles, level, first, count);
    }
    let middle = start + split(width);
    let left = subtree(tiles, start, middle)?;
    let right = subtree(tiles, middle, end)?;
    Ok(node_hash(&left, &right))
}

fn fold_tile<T: Tiles>(tiles: &T, level: u32, first: u64, count: usize) -> Result<TreeHash, ProofError<T::Error>> {
    let (tile, at) = (first / TILE as u64, usize::try_from(first % TILE as u64).unwrap_or(0));
    let width = at + count;
    let mut hashes: Vec<TreeHash> = if level == 0 {
        tiles.leaves(tile, width).map_err(ProofError::Storage)?.iter().skip(at).map(leaf_hash).collect()
    } else {
        let level = u8::try_from(level).map_err(|_| ProofError::Missing)?;
        tiles.roots(level, tile, width).map_err(ProofError::Storage)?.into_iter().skip(at).collect()
    };
    if hashes.len() != count {
        return Err(ProofError::Missing);
    }
    while hashes.len() > 1 {
        hashes = hashes.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    hashes.pop().ok_or(ProofError::Missing)
}

/// Checks that `entry` stands at `index` of the tree of `size` entries with that root (RFC 9162 §2.1.3.2).
///
/// # Errors
/// It does not, or the proof has another length than it must.
pub fn verify_inclusion(
    entry: &Commitment,
    index: u64,
    size: u64,
    proof: &[TreeHash],
    root: &TreeHash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range { index, size });
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf_hash(entry));
    for step in proof {
        if last == 0 {
            return Err(ProofError::Wrong);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(step, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(ProofError::Wrong) }
}

/// Checks that the tree of `old` entries is a prefix of the tree of `new` entries (RFC 9162 §2.1.4.2).
///
/// # Errors
/// It is not, or the proof has another length than it must.
pub fn verify_consistency(
    old: u64,
    old_root: &TreeHash,
    new: u64,
    new_root: &TreeHash,
    proof: &[TreeHash],
) -> Result<(), ProofError> {
    if old == 0 || old > new {
        return Err(ProofError::Range { index: old, size: new });
    }
    if old == new {
        return if proof.is_empty() && old_root == new_root { Ok(()) } else { Err(ProofError::Wrong) };
    }
    let with_old: Vec<TreeHash> = old.is_power_of_two().then_some(*old_root).into_iter().collect();
    let mut steps = with_old.iter().chain(proof);
    let first = steps.next().ok_or(ProofError::Wrong)?;
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut to_old, mut to_new) = (*first, *first);
    for step in steps {
        if last == 0 {
            return Err(ProofError::Wrong);
        }
        if at & 1 == 1 || at == last {
            to_old = node_hash(step, &to_old);
            to_new = node_hash(step, &to_new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            to_new = node_hash(&to_new, step);
        }
        at >>= 1;
        last >>= 1;
    }
    let holds = last == 0 && to_old == *old_root && to_new == *new_root;
    if holds { Ok(()) } else { Err(ProofError::Wrong) }
}

#[cfg(test)]
mod tests;
