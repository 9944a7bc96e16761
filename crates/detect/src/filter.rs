//! A Bloom filter in which a look-up reads one cache line: most of what telemetry holds is known to nobody, and is done with
//! here.

use crate::wide;

/// Words in a cache line.
const LINE: usize = 8;
/// Bits for each value: some six in a thousand others pass.
const BITS: usize = 12;

/// The filter.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// With room for so many values.
    pub(crate) fn new(values: usize) -> Self {
        let lines = (values * BITS).div_ceil(LINE * 64).max(1);
        Self { words: vec![0; lines * LINE] }
    }

    /// From the words of another.
    pub(crate) fn from_words(words: Vec<u64>) -> Option<Self> {
        (!words.is_empty() && words.len().is_multiple_of(LINE)).then_some(Self { words })
    }

    /// Its words.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Where the line of a value begins.
    #[inline]
    fn line(&self, hash: u64) -> usize {
        let line = ((u128::from(hash) * (self.words.len() / LINE) as u128) >> 64) as usize;
        line * LINE
    }

    /// The two words of the line, and the bits in them.
    #[inline]
    fn bits(hash: u64) -> (usize, u64, usize, u64) {
        // The upper bits choose the line, so that these are stirred again.
        let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bit = |at: u32| 1_u64 << (mixed >> at & 63);
        let first = (mixed >> 61) as usize;
        let second = first ^ (1 + (mixed >> 58 & 7).min(6)) as usize;
        (first, bit(52) | bit(46) | bit(40), second & 7, bit(34) | bit(28) | bit(22))
    }

    /// Puts a value in.
    pub(crate) fn insert(&mut self, hash: u64) {
        let line = self.line(hash);
        let (first, some, second, others) = Self::bits(hash);
        if let Some(words) = self.words.get_mut(line..line + LINE) {
            words[first] |= some;
            words[second] |= others;
        }
    }

    /// Asks for the line of a value before it is read.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        wide::prefetch(&self.words, self.line(hash));
    }

    /// False is certain.
    #[inline]
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let line = self.line(hash);
        let (first, some, second, others) = Self::bits(hash);
        match self.words.get(line..).and_then(<[u64]>::first_chunk::<LINE>) {
            Some(words) => words[first] & some == some && words[second] & others == others,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look like chance, the same in each run.
    fn hashes(count: u64, seed: u64) -> impl Iterator<Item = u64> {
        (0..count).map(move |at| {
            let mut x = (at + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ x >> 31
        })
    }

    #[test]
    fn what_is_in_is_found_and_little_else() {
        let mut filter = Filter::new(10_000);
        hashes(10_000, 0).for_each(|hash| filter.insert(hash));
        assert!(hashes(10_000, 0).all(|hash| filter.may_hold(hash)));
        let others = hashes(100_000, 1 << 40).filter(|hash| filter.may_hold(*hash)).count();
        assert!(others < 1_500, "{others} of 100,000 pass");
        let again = Filter::from_words(filter.words().to_vec()).unwrap();
        assert!(hashes(10_000, 0).all(|hash| again.may_hold(hash)));
    }
}
