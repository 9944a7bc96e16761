//! The check words: of a page (SQLite, "The Checksum VFS Shim"), and of a frame (SQLite, "WAL-mode File Format" §4.2). Both
//! are the same two running sums, which a single changed word always changes, since each step can be undone.

use crate::{PAGE, RESERVED};

/// Runs the sums over bytes, a multiple of eight, read as words of the machine.
pub(crate) fn run(seed: [u32; 2], bytes: &[u8]) -> [u32; 2] {
    let (mut first, mut second) = (seed[0], seed[1]);
    for pair in bytes.chunks_exact(8) {
        let word = |at: usize| u32::from_ne_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
        first = first.wrapping_add(word(0)).wrapping_add(second);
        second = second.wrapping_add(word(4)).wrapping_add(first);
    }
    [first, second]
}

/// The check word of a page, over all but its place. Little-endian, whatever the machine.
fn word(page: &[u8; PAGE]) -> [u8; RESERVED] {
    let (mut first, mut second) = (0_u32, 0_u32);
    for pair in page[..PAGE - RESERVED].chunks_exact(8) {
        let word = |at: usize| u32::from_le_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
        first = first.wrapping_add(word(0)).wrapping_add(second);
        second = second.wrapping_add(word(4)).wrapping_add(first);
    }
    let mut bytes = [0; RESERVED];
    bytes[..4].copy_from_slice(&first.to_le_bytes());
    bytes[4..].copy_from_slice(&second.to_le_bytes());
    bytes
}

/// Puts the check word into a page.
pub(crate) fn seal(page: &mut [u8; PAGE]) {
    let word = word(page);
    page[PAGE - RESERVED..].copy_from_slice(&word);
}

/// Is a page what was written? One that was never written is all zeros, and so is its check word.
pub(crate) fn is_whole(page: &[u8; PAGE]) -> bool {
    page[PAGE - RESERVED..] == word(page)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_changed_byte_is_found(seed in any::<u64>(), at in 0..PAGE, flip in 1_u8..) {
            let mut state = seed;
            let mut page = [0_u8; PAGE];
            for byte in &mut page {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = state.to_be_bytes()[0];
            }
            seal(&mut page);
            prop_assert!(is_whole(&page));
            page[at] ^= flip;
            prop_assert!(!is_whole(&page));
        }
    }
}
