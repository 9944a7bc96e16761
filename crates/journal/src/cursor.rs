//! Feed cursors: opaque to the caller, signed by the node that gave them, good for one caller and one lane only.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use model::{Lane, Origin};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Longest cursor that is read, bytes; ours have 39, another version's may be longer.
pub const MAX_CURSOR_BYTES: usize = 128;

const VERSION: u8 = 1;
const LABEL: &[u8] = b"entraide/cursor/v1";
const STATE_BYTES: usize = 13;
/// 128 bits of the MAC: guessing one is hopeless, and the cursor stays short in the query (RFC 2104 §5).
const TAG_BYTES: usize = 16;

/// Where a caller stands in one lane of our releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedCursor {
    /// The epoch of our log; releases are numbered anew in a successor log.
    pub epoch: u32,
    /// The last release that the caller has, by its number.
    pub seq: u64,
}

/// The node's secret under which cursors are signed. It may change: callers then start their feed again.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct CursorKey {
    key: [u8; 32],
    /// The key of before: cursors that it signed are still read.
    before: Option<[u8; 32]>,
}

impl CursorKey {
    /// Takes 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self { key: bytes, before: None }
    }
    /// The same, which also reads what the key of before has signed.
    #[must_use]
    pub fn with_before(mut self, before: [u8; 32]) -> Self {
        self.before = Some(before);
        self
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(secret)")
    }
}

/// Why a cursor was refused. The caller starts its feed again without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not a cursor of this version.
    #[error("this is not a cursor of ours: start again without one")]
    Malformed,
    /// Made for another caller, lane or key, or altered.
    #[error("the cursor was not made for this caller and lane: start again without one")]
    Forged,
}

/// Makes the opaque form: `base64url(version ‖ epoch ‖ seq ‖ HMAC-SHA256[..16])`.
#[must_use]
pub fn seal(key: &CursorKey, cursor: &FeedCursor, caller: &Origin, lane: Lane) -> String {
    let mut bytes = Vec::with_capacity(STATE_BYTES + TAG_BYTES);
    bytes.push(VERSION);
    bytes.extend_from_slice(&cursor.epoch.to_be_bytes());
    bytes.extend_from_slice(&cursor.seq.to_be_bytes());
    let tag = tag(&key.key, &bytes, caller, lane);
    bytes.extend_from_slice(&tag);
    BASE64URL_NOPAD.encode(&bytes)
}

/// Reads a cursor that [`seal`] made for the same caller and lane.
///
/// # Errors
/// See [`CursorError`].
pub fn open(key: &CursorKey, text: &str, caller: &Origin, lane: Lane) -> Result<FeedCursor, CursorError> {
    if text.len() > MAX_CURSOR_BYTES {
        return Err(CursorError::Malformed);
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| CursorError::Malformed)?;
    let bytes: [u8; STATE_BYTES + TAG_BYTES] = bytes.try_into().map_err(|_| CursorError::Malformed)?;
    let (state, given) = bytes.split_at(STATE_BYTES);
    if state[0] != VERSION {
        return Err(CursorError::Malformed);
    }
    let signed = |key: &[u8; 32]| bool::from(tag(key, state, caller, lane).ct_eq(given));
    if !signed(&key.key) && !key.before.as_ref().is_some_and(signed) {
        return Err(CursorError::Forged);
    }
    let mut epoch = [0; 4];
    let mut seq = [0; 8];
    epoch.copy_from_slice(&state[1..5]);
    seq.copy_from_slice(&state[5..]);
    Ok(FeedCursor { epoch: u32::from_be_bytes(epoch), seq: u64::from_be_bytes(seq) })
}

/// The caller is named without its epoch, so that its feed goes on when it moves to a successor log.
fn tag(key: &[u8; 32], state: &[u8], caller: &Origin, lane: Lane) -> [u8; TAG_BYTES] {
    let mut tag = [0; TAG_BYTES];
    // HMAC takes keys of every length, so the error can't happen; the zero tag would fail on reading.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        // Label and state have fixed lengths and the origin comes last: no two inputs share one byte string.
        mac.update(LABEL);
        mac.update(&[lane.code()]);
        mac.update(state);
        mac.update(caller.base().to_string().as_bytes());
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin(country: &str) -> Origin {
        format!("entraide/{country}/REAL/0123456789abcdef").parse().unwrap()
    }

    #[test]
    fn cursors_of_the_key_of_before_are_read_while_it_is_known() {
        let cursor = FeedCursor { epoch: 0, seq: 7 };
        let text = seal(&CursorKey::new([1; 32]), &cursor, &origin("EE"), Lane::Workflow);
        let read = |key: &CursorKey| open(key, &text, &origin("EE"), Lane::Workflow);
        assert_eq!(read(&CursorKey::new([2; 32]).with_before([1; 32])), Ok(cursor));
        assert_eq!(read(&CursorKey::new([2; 32])), Err(CursorError::Forged));
        assert_eq!(read(&CursorKey::new([2; 32]).with_before([3; 32])), Err(CursorError::Forged));
    }

    #[test]
    fn a_cursor_is_for_one_caller_lane_and_key() {
        let (key, fr) = (CursorKey::new([7; 32]), origin("FR"));
        let cursor = FeedCursor { epoch: 2, seq: 1 << 40 };
        let text = seal(&key, &cursor, &fr, Lane::Workflow);
        let check = |key: &CursorKey, caller: &Origin, lane, expect| {
            assert_eq!(open(key, &text, caller, lane), expect);
        };
        check(&key, &fr, Lane::Workflow, Ok(cursor));
        check(&key, &fr.with_epoch(3), Lane::Workflow, Ok(cursor));
        check(&key, &fr, Lane::Intelligence, Err(CursorError::Forged));
        check(&key, &origin("EE"), Lane::Workflow, Err(CursorError::Forged));
        check(&CursorKey::new([8; 32]), &fr, Lane::Workflow, Err(CursorError::Forged));
        assert_eq!(open(&key, "", &fr, Lane::Workflow), Err(CursorError::Malformed));
        assert_eq!(open(&key, &"A".repeat(200), &fr, Lane::Workflow), Err(CursorError::Malformed));
        assert!(!format!("{key:?}").contains('7'));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn cursors_read_back_and_no_changed_letter_does(
            epoch: u32, seq: u64, at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_-]"
        ) {
            let (key, fr) = (CursorKey::new([1; 32]), origin("FR"));
            let cursor = FeedCursor { epoch, seq };
            let text = seal(&key, &cursor, &fr, Lane::Intelligence);
            prop_assert_eq!(open(&key, &text, &fr, Lane::Intelligence), Ok(cursor));
            let at = at.index(text.len());
            let changed = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
            prop_assert_eq!(open(&key, &changed, &fr, Lane::Intelligence).is_ok(), changed == text);
        }
    }
}
