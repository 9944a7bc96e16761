//! Keyed hashes of values. Whoever writes the logs must not be able to choose values that meet in one place, so that every
//! index has a key of its own.

/// The key of an index: drawn at random by whoever makes it.
#[derive(Clone, Copy)]
pub struct Key([u64; 4]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What a hash begins with, so that one kind never meets another.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(crate) enum Begin {
    Host = 1,
    Ip4 = 2,
    Ip6 = 3,
    Digest = 4,
    Url = 5,
    Mail = 6,
    Last = 7,
}

/// Bit 5 of each letter: with it a capital letter is the small one, and digits, dot and hyphen stay as they are.
const SMALL: u64 = 0x2020_2020_2020_2020;

impl Key {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |at: usize| words.get(at).map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Self([word(0), word(1), word(2), word(3)])
    }

    /// The 32 bytes of it.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *to = word.to_le_bytes();
        }
        bytes
    }

    /// The hash of nothing, of one kind.
    #[inline]
    pub(crate) fn begin(&self, begin: Begin) -> u64 {
        self.0[0] ^ (begin as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// One word more.
    #[inline]
    pub(crate) fn word(&self, hash: u64, word: u64) -> u64 {
        fold(hash ^ self.0[1], word ^ self.0[2])
    }

    /// Text more, its length with it; capitals count as small letters. `text` lies in `around` from `start` to `end`.
    #[inline]
    pub(crate) fn text(&self, mut hash: u64, around: &[u8], start: usize, end: usize) -> u64 {
        let mut at = start;
        while end - at >= 8 {
            hash = self.word(hash, load(around, at) | SMALL);
            at += 8;
        }
        let rest = end - at;
        let mask = (1_u64 << (8 * rest)) - 1;
        hash = self.word(hash, ((load(around, at) | SMALL) & mask) | (rest as u64) << 56);
        hash
    }

    /// Text more as it is: where capitals matter.
    pub(crate) fn exact(&self, mut hash: u64, text: &[u8]) -> u64 {
        let (words, rest) = text.as_chunks::<8>();
        for word in words {
            hash = self.word(hash, u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(self.word(hash, u64::from_le_bytes(last)), text.len() as u64)
    }

    /// The last step: every bit of it depends on every letter.
    #[inline]
    pub(crate) fn finish(&self, hash: u64) -> u64 {
        fold(hash ^ self.0[3], 0xa076_1d64_78bd_642f ^ self.0[0])
    }
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let halves = (product as u64, (product >> 64) as u64);
    halves.0 ^ halves.1
}

/// Eight bytes from `at` on; beyond the end there are zeros.
#[inline]
pub(crate) fn load(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        Some(word) => u64::from_le_bytes(*word),
        None => {
            let mut word = [0; 8];
            let rest = bytes.get(at..).unwrap_or_default();
            word[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(word)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new(std::array::from_fn(|at| u8::try_from(at * 7 + 1).unwrap()))
    }

    #[test]
    fn text_hashes_alike_wherever_it_lies_and_however_it_is_capitalised() {
        let key = key();
        let hash = |around: &[u8], start, end| key.text(key.begin(Begin::Host), around, start, end);
        for text in ["a", "example", "examples", "a-label-that-is-longer-than-a-word"] {
            let alone = hash(text.as_bytes(), 0, text.len());
            let inside = format!("xx{}yyyyyyyyyy", text.to_uppercase());
            assert_eq!(hash(inside.as_bytes(), 2, 2 + text.len()), alone);
            assert_ne!(hash(inside.as_bytes(), 1, 2 + text.len()), alone);
            assert_ne!(hash(inside.as_bytes(), 2, 3 + text.len()), alone);
        }
        assert_eq!(Key::new(key.bytes()).bytes(), key.bytes());
    }

    #[test]
    fn another_key_is_another_hash() {
        let other = Key::new([9; 32]);
        assert_ne!(key().exact(0, b"x"), other.exact(0, b"x"));
        assert_ne!(key().exact(0, b"x"), key().exact(0, b"x\0"));
    }
}
