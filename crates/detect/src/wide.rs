//! The masks of 64 letters with wide registers, and the one prefetch: the only module that may use `unsafe`. Without these
//! registers `classes::scalar` does the same; `the_wide_way_is_the_scalar_way` compares them.
#![expect(unsafe_code, reason = "wide registers are reached by it alone; measured in docs/benchmarks.md")]

use crate::classes::{self, BLOCK, Masks};

/// The way that this machine can go, chosen once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Letter by letter: everywhere.
    Scalar,
    /// 32 letters at once.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 64 letters at once.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Way {
    /// The fastest that the machine has.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Scalar
    }

    /// All that the machine has.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                all.push(Self::Avx2);
            }
            if Self::best() == Self::Avx512 {
                all.push(Self::Avx512);
            }
        }
        all
    }
}

/// The masks of every block of `bytes`; `out` has one place for each.
pub(crate) fn classify(way: Way, bytes: &[u8], out: &mut [Masks]) {
    match way {
        Way::Scalar => classes::scalar(bytes, out),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Way::best` and `Way::all` give this one only where the machine has AVX2.
        Way::Avx2 => unsafe { x86::avx2(bytes, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Way::best` gives this one only where the machine has AVX-512 BW and VBMI.
        Way::Avx512 => unsafe { x86::avx512(bytes, out) },
    }
}

/// Asks for a word before it is read, so that many reads wait together.
#[inline]
pub(crate) fn prefetch(words: &[u64], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(word) = words.get(at) {
        // SAFETY: a hint about an address that is in the slice; it reads nothing.
        unsafe {
            core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(core::ptr::from_ref(word).cast())
        };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (words, at);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::*;

    use super::{BLOCK, Masks};
    use crate::classes::{self, BITS, TABLE};

    /// 64 letters: the whole table is two registers.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn avx512(bytes: &[u8], out: &mut [Masks]) {
        // SAFETY: the table has 128 bytes, twice a register.
        let low = unsafe { _mm512_loadu_si512(TABLE.as_ptr().cast()) };
        // SAFETY: as above.
        let high = unsafe { _mm512_loadu_si512(TABLE.as_ptr().add(64).cast()) };
        let bits = BITS.map(|bit| _mm512_set1_epi8(bit.cast_signed()));
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for (block, masks) in blocks.iter().zip(out.iter_mut()) {
            // SAFETY: a block has 64 bytes, and any address will do.
            let letters = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            let beyond = _mm512_movepi8_mask(letters);
            // Only seven bits of a letter choose from the table; letters beyond ASCII are masked out.
            let class = _mm512_permutex2var_epi8(low, letters, high);
            let class = _mm512_maskz_mov_epi8(!beyond, class);
            masks.host = _mm512_test_epi8_mask(class, bits[0]) | beyond;
            masks.dot = _mm512_test_epi8_mask(class, bits[1]);
            masks.hex = _mm512_test_epi8_mask(class, bits[2]);
            masks.colon = _mm512_test_epi8_mask(class, bits[3]);
            masks.escape = _mm512_test_epi8_mask(class, bits[4]);
            masks.escaped = _mm512_test_epi8_mask(class, bits[5]);
            masks.beyond = beyond;
        }
        last(rest, out.get_mut(blocks.len()..).unwrap_or_default());
    }

    /// 32 letters: a class is where what the two halves of a letter allow meets.
    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(bytes: &[u8], out: &mut [Masks]) {
        let (first, second) = (Halves::new(&FIRST), Halves::new(&SECOND));
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for (block, masks) in blocks.iter().zip(out.iter_mut()) {
            let (mut m, mut shift) = (Masks::default(), 0);
            for half in block.as_chunks::<32>().0 {
                // SAFETY: half a block has 32 bytes, and any address will do.
                let letters = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
                let (one, two) = (first.class(letters), second.class(letters));
                let beyond = bits(letters);
                m.host |= (some(one, 0b0001_1111) | beyond) << shift;
                m.hex |= some(one, 0b0110_0001) << shift;
                m.escape |= some(two, 0b0000_0111) << shift;
                m.escaped |= some(two, 0b1111_1000) << shift;
                m.beyond |= beyond << shift;
                m.dot |= bits(_mm256_cmpeq_epi8(letters, _mm256_set1_epi8(b'.'.cast_signed()))) << shift;
                m.colon |= bits(_mm256_cmpeq_epi8(letters, _mm256_set1_epi8(b':'.cast_signed()))) << shift;
                shift += 32;
            }
            *masks = m;
        }
        last(rest, out.get_mut(blocks.len()..).unwrap_or_default());
    }

    /// What is less than a block.
    fn last(rest: &[u8], out: &mut [Masks]) {
        if !rest.is_empty() {
            classes::scalar(rest, out);
        }
    }

    /// Letters of one class: high halves that it has, low halves that it has.
    type Rectangle = (u16, u16);

    /// Digits; a to o; p to z; dot and hyphen; underscore; a to f; colon.
    const FIRST: [Rectangle; 7] = [
        (1 << 3, 0x03ff),
        (1 << 4 | 1 << 6, 0xfffe),
        (1 << 5 | 1 << 7, 0x07ff),
        (1 << 2, 1 << 0xd | 1 << 0xe),
        (1 << 5, 1 << 0xf),
        (1 << 4 | 1 << 6, 0x007e),
        (1 << 3, 1 << 0xa),
    ];
    /// `%` and `(`; `[` and `{`; backslash. Then what follows: dot; colon and 2; u and U; x and X; d and D.
    const SECOND: [Rectangle; 8] = [
        (1 << 2, 1 << 5 | 1 << 8),
        (1 << 5 | 1 << 7, 1 << 0xb),
        (1 << 5, 1 << 0xc),
        (1 << 2, 1 << 0xe),
        (1 << 3, 1 << 0xa | 1 << 2),
        (1 << 5 | 1 << 7, 1 << 5),
        (1 << 5 | 1 << 7, 1 << 8),
        (1 << 4 | 1 << 6, 1 << 4),
    ];

    /// For each half of a letter the classes that it allows.
    struct Halves {
        high: __m256i,
        low: __m256i,
    }

    impl Halves {
        #[target_feature(enable = "avx2")]
        fn new(classes: &[Rectangle]) -> Self {
            let (mut high, mut low) = ([0_u8; 32], [0_u8; 32]);
            for (class, (rows, columns)) in classes.iter().enumerate() {
                for half in 0..16 {
                    for at in [half, half + 16] {
                        high[at] |= u8::from(rows >> half & 1 == 1) << class;
                        low[at] |= u8::from(columns >> half & 1 == 1) << class;
                    }
                }
            }
            // SAFETY: both arrays have 32 bytes.
            unsafe {
                Self { high: _mm256_loadu_si256(high.as_ptr().cast()), low: _mm256_loadu_si256(low.as_ptr().cast()) }
            }
        }

        #[target_feature(enable = "avx2")]
        #[inline]
        fn class(&self, letters: __m256i) -> __m256i {
            let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(letters), _mm256_set1_epi8(0x0f));
            // A letter beyond ASCII chooses nothing here: a shuffle gives zero where the highest bit is set.
            _mm256_and_si256(_mm256_shuffle_epi8(self.high, upper), _mm256_shuffle_epi8(self.low, letters))
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn some(class: __m256i, wanted: u8) -> u64 {
        let none =
            _mm256_cmpeq_epi8(_mm256_and_si256(class, _mm256_set1_epi8(wanted.cast_signed())), _mm256_setzero_si256());
        !bits(none) & 0xffff_ffff
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn bits(letters: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(letters).cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_wide_way_is_the_scalar_way(bytes: Vec<u8>, text in "[ -~]{0,300}") {
            let every: Vec<u8> = (0..=255).collect();
            for bytes in [bytes.as_slice(), text.as_bytes(), &every] {
                let mut expect = vec![Masks::default(); bytes.len().div_ceil(BLOCK)];
                classes::scalar(bytes, &mut expect);
                for way in Way::all() {
                    let mut masks = vec![Masks::default(); expect.len()];
                    classify(way, bytes, &mut masks);
                    prop_assert_eq!(&masks, &expect, "{:?}", way);
                }
            }
        }
    }
}
