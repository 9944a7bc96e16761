//! The last line of a small text file: a check of what stands before it, so that a byte that a disk or an editor has
//! changed is found when the file is read. It is no secret, and keeps nobody out who writes the file anew.
//!
//! ```text
//! # check <SHA-256 of everything before this line, its first 16 hexadecimal digits>
//! ```
//!
//! Readers of keys and of PEM (RFC 7468) pass over the line. Files of before have none; then nothing may stand in its place.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const MARK: &str = "# check ";

/// A file that is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what stands in it is not what was written")]
pub(crate) struct Changed;

/// The text with its check. It may be a secret.
pub(crate) fn with_check(text: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{text}{MARK}{}\n", check(text)))
}

/// The text without its check, which must fit; of a file without one, the text.
///
/// # Errors
/// The check does not fit, or is not the last line.
pub(crate) fn checked(text: &str) -> Result<&str, Changed> {
    let Some(at) = text.rfind(MARK) else { return Ok(text) };
    let (before, line) = text.split_at(at);
    if *line == *format!("{MARK}{}\n", check(before)) { Ok(before) } else { Err(Changed) }
}

/// The check of a text.
pub(crate) fn check(text: &str) -> String {
    let sum: [u8; 32] = Sha256::chain_update(Sha256::new_with_prefix("entraide/check/v1\n"), text).finalize().into();
    model::bytes::hex(&sum[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_byte_shows_or_leaves_something_behind_the_text() {
        let text = "entraide/key/v1 cursor 00ff\n";
        let whole = with_check(text);
        assert_eq!(checked(&whole), Ok(text));
        assert_eq!(checked(text), Ok(text), "of before");
        for at in 0..whole.len() {
            for bit in 0..7 {
                let mut bytes = whole.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let flipped = String::from_utf8(bytes).unwrap();
                // Where the mark itself was hit it is a line too many, for whoever reads the text.
                match checked(&flipped) {
                    Err(Changed) => {}
                    Ok(read) => assert!(read.len() > text.len() && read != text, "{flipped}"),
                }
            }
        }
        assert_eq!(checked(&format!("{}more\n", *whole)), Err(Changed));
    }
}
