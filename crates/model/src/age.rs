//! To whom an age file can be sealed: a public X25519 key as people write it, `age1…` (C2SP age, "The X25519 recipient
//! type"; Bech32, BIP 173).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Before the `1` of a recipient.
const PREFIX: &str = "age";
/// The letters of Bech32 (BIP 173).
const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Groups of five bits of 32 bytes.
const GROUPS: usize = 52;
/// Groups of the checksum.
const CHECK: usize = 6;

/// Somebody to whom an age file can be sealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgeRecipient([u8; 32]);

/// Why a recipient was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no age recipient: write `age1` and 58 letters, as `age-keygen` prints them")]
pub struct AgeRecipientError;

impl AgeRecipient {
    /// From the bytes of a public X25519 key.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The public X25519 key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for AgeRecipient {
    type Err = AgeRecipientError;
    fn from_str(text: &str) -> Result<Self, AgeRecipientError> {
        bech32_key(PREFIX, text).map(Self).ok_or(AgeRecipientError)
    }
}

/// Reads 32 bytes in Bech32 after a prefix in lower-case letters; `None` if a letter is wrong, or it is another spelling.
#[must_use]
pub fn bech32_key(prefix: &str, text: &str) -> Option<[u8; 32]> {
    let letters = text.strip_prefix(prefix)?.strip_prefix('1').filter(|letters| letters.len() == GROUPS + CHECK)?;
    let mut groups = [0_u8; GROUPS + CHECK];
    for (group, letter) in groups.iter_mut().zip(letters.bytes()) {
        let at = LETTERS.iter().position(|known| *known == letter)?;
        *group = u8::try_from(at).ok()?;
    }
    if polymod(prefix, &groups) != 1 {
        return None;
    }
    let (mut key, mut at, mut bits, mut held) = ([0_u8; 32], 0, 0_u32, 0_u32);
    for group in &groups[..GROUPS] {
        held = (held << 5) | u32::from(*group);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *key.get_mut(at)? = (held >> bits).to_be_bytes()[3];
            held &= (1 << bits) - 1;
            at += 1;
        }
    }
    // What is left over of the last group is zero, so that a key has one spelling.
    (held == 0).then_some(key)
}

/// Writes 32 bytes in Bech32 after a prefix in lower-case letters.
#[must_use]
pub fn bech32(prefix: &str, key: &[u8; 32]) -> String {
    let mut groups = Vec::with_capacity(GROUPS + CHECK);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in key {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            groups.push((held >> bits).to_be_bytes()[3] & 31);
        }
        held &= (1 << bits) - 1;
    }
    groups.push((held << (5 - bits)).to_be_bytes()[3] & 31);
    let check = polymod(prefix, &[&groups[..], &[0; CHECK]].concat()) ^ 1;
    groups.extend((0..CHECK).map(|at| (check >> (5 * (CHECK - 1 - at))).to_be_bytes()[3] & 31));
    let letters = groups.iter().map(|group| char::from(LETTERS[usize::from(*group)]));
    prefix.chars().chain(['1']).chain(letters).collect()
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32(PREFIX, &self.0))
    }
}

impl fmt::Debug for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for AgeRecipient {
    type Error = AgeRecipientError;
    fn try_from(text: String) -> Result<Self, AgeRecipientError> {
        text.parse()
    }
}
impl From<AgeRecipient> for String {
    fn from(recipient: AgeRecipient) -> Self {
        recipient.to_string()
    }
}

/// The checksum of BIP 173, over a prefix and these groups.
fn polymod(prefix: &str, groups: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let high = prefix.bytes().map(|letter| letter >> 5);
    let low = prefix.bytes().map(|letter| letter & 31);
    let all = high.chain([0]).chain(low).chain(groups.iter().copied());
    all.fold(1, |sum: u32, group| {
        let top = sum >> 25;
        let next = ((sum & 0x01ff_ffff) << 5) ^ u32::from(group);
        GENERATOR.iter().enumerate().filter(|(bit, _)| (top >> bit) & 1 == 1).fold(next, |sum, (_, term)| sum ^ term)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recipients_are_read_as_the_age_program_writes_them() {
        // The example of C2SP age, "The X25519 recipient type".
        let text = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        let read: AgeRecipient = text.parse().unwrap();
        assert_eq!(read.to_string(), text);
        let check = |text: &str| assert_eq!(text.parse::<AgeRecipient>(), Err(AgeRecipientError), "{text}");
        check("");
        check("age1");
        check(&text.to_ascii_uppercase());
        check(&text.replace("zvky", "zvkz"));
        check(&text[..text.len() - 1]);
        check(&format!("{text}q"));
        check(&text.replacen("age1", "agé", 1));
    }

    proptest! {
        #[test]
        fn a_key_has_one_spelling_and_no_changed_letter_passes(key: [u8; 32], at in 4_usize..62, letter in 0_usize..32) {
            let text = AgeRecipient::new(key).to_string();
            prop_assert_eq!(text.parse(), Ok(AgeRecipient::new(key)));
            let mut other = text.clone().into_bytes();
            other[at] = LETTERS[letter];
            let other = String::from_utf8(other).unwrap();
            prop_assert_eq!(other.parse::<AgeRecipient>().is_ok(), other == text);
        }
    }
}
