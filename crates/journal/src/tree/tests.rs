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
        prop_assert!(verify_inclusion(&entry(index), (index + 1) % (size + 1), size, &proof, &root).is_err() || size == 1);
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
}
