//! The tree against a naive reading of RFC 6962, and the paths of its tiles.

use std::collections::HashMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// A log in memory that keeps what a store keeps.
#[derive(Default)]
struct Memory {
    leaves: Vec<Commitment>,
    roots: HashMap<(u8, u64), TreeHash>,
    frontier: Frontier,
}

impl Memory {
    fn of(size: u64) -> Self {
        let mut memory = Self::default();
        for number in 0..size {
            memory.leaves.push(entry(number));
        }
        let roots = &mut memory.roots;
        memory.frontier.extend_with(&memory.leaves, |level, index, hash| {
            roots.insert((level, index), hash);
        });
        memory
    }
}

impl Tiles for Memory {
    type Error = Infallible;
    fn leaves(&self, tile: u64, width: usize) -> Result<Vec<Commitment>, Infallible> {
        let start = usize::try_from(tile).unwrap() * TILE;
        Ok(self.leaves.iter().skip(start).take(width).copied().collect())
    }
    fn roots(&self, level: u8, tile: u64, width: usize) -> Result<Vec<TreeHash>, Infallible> {
        let first = tile * TILE as u64;
        Ok((first..first + width as u64).map_while(|index| self.roots.get(&(level, index)).copied()).collect())
    }
}

fn entry(number: u64) -> Commitment {
    Commitment::new(Sha256::digest(number.to_be_bytes()).into())
}

/// MTH of RFC 6962 §2.1, word for word.
fn naive(entries: &[Commitment]) -> TreeHash {
    match entries {
        [] => empty_root(),
        [one] => leaf_hash(one),
        many => {
            let mut k = 1;
            while k * 2 < many.len() {
                k *= 2;
            }
            node_hash(&naive(&many[..k]), &naive(&many[k..]))
        }
    }
}

#[test]
fn roots_are_those_of_the_rfc() {
    for size in (0..70).chain([255, 256, 257, 511, 512, 513, 1000]) {
        let memory = Memory::of(size);
        assert_eq!(memory.frontier.root(), naive(&memory.leaves), "size {size}");
        assert_eq!(root_at(&memory, size), Ok(naive(&memory.leaves)), "size {size}");
        assert_eq!(Frontier::decode(&memory.frontier.encode()), Some(memory.frontier.clone()));
    }
}

#[test]
fn a_log_of_three_levels_of_tiles_proves_its_entries() {
    let size = 66_000;
    let memory = Memory::of(size);
    assert_eq!(root_at(&memory, size), Ok(memory.frontier.root()));
    for index in [0, 255, 256, 65_535, 65_536, 65_999] {
        let proof = inclusion_proof(&memory, index, size).unwrap();
        assert_eq!(verify_inclusion(&entry(index), index, size, &proof, &memory.frontier.root()), Ok(()));
    }
    for old in [1, 256, 40_000, 65_536, 65_999] {
        let proof = consistency_proof(&memory, old, size).unwrap();
        let old_root = root_at(&memory, old).unwrap();
        assert_eq!(verify_consistency(old, &old_root, size, &memory.frontier.root(), &proof), Ok(()));
    }
}

/// The same log as `tlog_tiles`, another implementation of the standard, keeps it.
#[derive(Default)]
struct Theirs(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Theirs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

impl Theirs {
    fn of(entries: &[Commitment]) -> Self {
        let mut theirs = Self::default();
        for (number, entry) in (0..).zip(entries) {
            let hashes = tlog_tiles::stored_hashes(number, entry.as_bytes(), &theirs).unwrap();
            theirs.0.extend(hashes);
        }
        theirs
    }
}

fn theirs(hash: &TreeHash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<TreeHash> {
    hashes.iter().map(|hash| TreeHash::new(hash.0)).collect()
}

/// Roots, proofs of entry `index` and of the first `old` entries, made by one and checked by the other.
fn agree(log: &Memory, other: &Theirs, size: u64, index: u64, old: u64) {
    let root = root_at(log, size).unwrap();
    assert_eq!(tlog_tiles::tree_hash(size, other).unwrap(), theirs(&root), "size {size}");
    let proof = inclusion_proof(log, index, size).unwrap();
    assert_eq!(ours(&tlog_tiles::prove_record(size, index, other).unwrap()), proof, "entry {index} of {size}");
    let leaf = theirs(&leaf_hash(&entry(index)));
    let handed = proof.iter().map(theirs).collect();
    tlog_tiles::check_record(&handed, size, theirs(&root), index, leaf).unwrap();
    let proof = consistency_proof(log, old, size).unwrap();
    assert_eq!(ours(&tlog_tiles::prove_tree(size, old, other).unwrap()), proof, "{old} of {size}");
    let old_root = root_at(log, old).unwrap();
    let handed = proof.iter().map(theirs).collect();
    tlog_tiles::check_tree(&handed, size, theirs(&root), old, theirs(&old_root)).unwrap();
}

#[test]
fn another_implementation_has_the_same_tiles_of_three_levels() {
    use tlog_tiles::Tile;
    let size = 66_000;
    let log = Memory::of(size);
    let other = Theirs::of(&log.leaves);
    for (index, old) in [(0, 1), (255, 256), (65_535, 65_536), (65_536, 65_537), (65_999, 66_000), (40_000, 40_001)] {
        agree(&log, &other, size, index, old);
    }
    let published = Tile::new_tiles(8, 0, size);
    assert_eq!(published.iter().map(Tile::level).max(), Some(2));
    for tile in published.iter().filter(|tile| tile.level() > 0 || tile.level_index() % 64 == 0) {
        let (level, number, width) = (tile.level(), tile.level_index(), tile.width() as usize);
        let hashes = match level {
            0 => log.leaves(number, width).unwrap().iter().map(leaf_hash).collect(),
            _ => log.roots(level, number, width).unwrap(),
        };
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        assert_eq!(bytes, tile.read_data(&other).unwrap(), "level {level}, tile {number}");
    }
}

#[test]
fn a_frontier_reads_back_and_no_other_bytes_do() {
    let frontier = Memory::of(7).frontier;
    let bytes = frontier.encode();
    assert_eq!(bytes.len(), 8 + 3 * 32);
    for length in 0..bytes.len() {
        assert_eq!(Frontier::decode(&bytes[..length]), None);
    }
    assert_eq!(Frontier::decode(&[&bytes[..], &[0; 32]].concat()), None);
    assert_eq!(Frontier::decode(&[0; 8]), Some(Frontier::default()));
    assert_eq!(Frontier::default().root(), empty_root());
}

#[test]
fn what_a_log_does_not_have_is_not_proved() {
    let log = Memory::of(300);
    let range = |index, size| Err(ProofError::Range { index, size });
    assert_eq!(inclusion_proof(&log, 300, 300), range(300, 300));
    assert_eq!(inclusion_proof(&log, 0, 0), range(0, 0));
    assert_eq!(consistency_proof(&log, 0, 300), range(0, 300));
    assert_eq!(consistency_proof(&log, 301, 300), range(301, 300));
    // Said to be larger than what is stored.
    assert_eq!(root_at(&log, 301), Err(ProofError::Missing));
    assert_eq!(inclusion_proof(&log, 3, 600), Err(ProofError::Missing));
    assert_eq!(consistency_proof(&log, 3, 600), Err(ProofError::Missing));
    let root = log.frontier.root();
    assert_eq!(verify_consistency(300, &root, 300, &root, &[]), Ok(()));
    assert_eq!(verify_consistency(300, &root, 300, &root, &[root]), Err(ProofError::Wrong));
    assert_eq!(verify_consistency(300, &root, 300, &empty_root(), &[]), Err(ProofError::Wrong));
    assert_eq!(verify_consistency(3, &root, 300, &root, &[]), Err(ProofError::Wrong));
    assert_eq!(
        verify_consistency(0, &empty_root(), 300, &root, &[root]),
        Err(ProofError::Range { index: 0, size: 300 })
    );
    let shrunk = Err(ProofError::Range { index: 300, size: 256 });
    assert_eq!(verify_consistency(300, &root, 256, &root_at(&log, 256).unwrap(), &[root]), shrunk);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_entry_is_proved_and_no_other(size in 1..600_u64, seed in any::<u64>()) {
        let memory = Memory::of(size);
        let index = seed % size;
        let root = naive(&memory.leaves);
        let proof = inclusion_proof(&memory, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&entry(index), index, size, &proof, &root), Ok(()));
        prop_assert!(verify_inclusion(&entry(size), index, size, &proof, &root).is_err());
        prop_assert!(verify_inclusion(&entry(index), index + 1, size, &proof, &root).is_err());
        let mut longer = proof.clone();
        longer.push(root);
        prop_assert!(verify_inclusion(&entry(index), index, size, &longer, &root).is_err());
        for at in 0..proof.len() {
            let mut shorter = proof.clone();
            shorter.remove(at);
            prop_assert!(verify_inclusion(&entry(index), index, size, &shorter, &root).is_err());
        }
    }

    #[test]
    fn a_prefix_is_proved_and_a_fork_is_not(new in 1..600_u64, seed in any::<u64>()) {
        let memory = Memory::of(new);
        let old = seed % new + 1;
        let old_root = naive(&memory.leaves[..usize::try_from(old).unwrap()]);
        let new_root = naive(&memory.leaves);
        let proof = consistency_proof(&memory, old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, &old_root, new, &new_root, &proof), Ok(()));
        let mut fork = memory.leaves.clone();
        fork[0] = entry(new + 1);
        prop_assert!(verify_consistency(old, &old_root, new, &naive(&fork), &proof).is_err());
        prop_assert!(verify_consistency(old, &naive(&fork), new, &new_root, &proof).is_err());
    }

    #[test]
    fn another_implementation_agrees(size in 1..1_200_u64, a in any::<u64>(), b in any::<u64>()) {
        let log = Memory::of(size);
        agree(&log, &Theirs::of(&log.leaves), size, a % size, b % size + 1);
    }

    #[test]
    fn a_frontier_grows_alike_in_any_steps(sizes in proptest::collection::vec(0..400_usize, 0..6)) {
        let log = Memory::of(sizes.iter().sum::<usize>() as u64);
        let mut frontier = Frontier::default();
        let mut full = HashMap::new();
        let mut rest = &log.leaves[..];
        for size in sizes {
            let (now, later) = rest.split_at(size);
            frontier = Frontier::decode(&frontier.encode()).unwrap();
            frontier.extend_with(now, |level, index, hash| {
                full.insert((level, index), hash);
            });
            rest = later;
        }
        prop_assert_eq!(&frontier, &log.frontier);
        prop_assert_eq!(&full, &log.roots);
        for (tile, root) in (0..).zip(log.leaves.chunks_exact(TILE).map(naive)) {
            prop_assert_eq!(full.get(&(1, tile)), Some(&root));
        }
    }
}
