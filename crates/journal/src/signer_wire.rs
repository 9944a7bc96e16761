//! How a node speaks to a signer that is a process of its own: one frame asks, one answers, over a local socket.
//!
//! ```text
//! frame: length u32 ‖ code u8 ‖ fields        numbers big-endian; texts len16‖bytes; a list of keys count u8 ‖ 32 each
//! ```
//!
//! The connection is the lease: whoever has said *lease* on one that lives is the node, and nobody else is.

use zeroize::Zeroize;

use crate::limits;
use crate::tree::TreeHash;

/// Largest frame, bytes: the text of the largest note, and room.
pub const MAX_FRAME_BYTES: usize = limits::NOTE_BYTES + 1_024;
/// Most keys of one kind: that of now, the next one, and what a token still holds of before.
pub const MAX_KEYS: usize = 16;

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Signs checkpoints.
    Log,
    /// Cosigns partners' checkpoints.
    Witness,
    /// Wraps the keys of bodies.
    Wrapping,
    /// Signs cursors.
    Cursor,
}

impl KeyKind {
    const ALL: [Self; 4] = [Self::Log, Self::Witness, Self::Wrapping, Self::Cursor];

    const fn code(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Witness => 2,
            Self::Wrapping => 3,
            Self::Cursor => 4,
        }
    }
    fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What a node asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// To be the one node of this origin that is spoken for.
    Lease {
        /// The name of the log.
        origin: String,
    },
    /// To see the mark and the keys that are no signing keys, without being that node.
    Look,
    /// To move the mark there and sign.
    Sign {
        /// Entries.
        size: u64,
        /// The root of the tree over them.
        root: TreeHash,
    },
    /// To cosign a text at a time.
    Cosign {
        /// Seconds since 1970.
        seconds: u64,
        /// The text of a checkpoint.
        text: String,
    },
    /// Which signing keys there are.
    Publics,
    /// To make the next key of a kind.
    Prepare(KeyKind),
    /// To keep only this key of a kind.
    Settle(KeyKind, [u8; 32]),
    /// To go over to another wrapping or cursor key at once, and still read what the one of before has made.
    Renew(KeyKind),
    /// To let go of the wrapping key of before.
    Forget,
    /// To set an unknown mark to what was found out.
    Found {
        /// Entries.
        size: u64,
        /// The root of the tree over them.
        root: TreeHash,
    },
}

/// What is known of what was signed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// Nothing was signed yet.
    Nothing,
    /// This.
    At(u64, TreeHash),
    /// The node was restored without its mark: nothing is signed until it is found out.
    Unknown,
}

/// A secret that the node works with itself, and the one of before.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: [u8; 32],
    /// The key of before, while something is still read with it.
    pub before: Option<[u8; 32]>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.key.zeroize();
        self.before.zeroize();
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pair(secret)")
    }
}

/// What the signer answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Where the mark is, and the keys that the node works with itself.
    State {
        /// Whose log.
        origin: String,
        /// Size and root that were signed last.
        mark: Marked,
        /// The wrapping key.
        wrapping: Pair,
        /// The cursor key.
        cursor: Pair,
    },
    /// Signature lines.
    Lines(String),
    /// The public signing keys, of the log and of the witness, and whether there is a wrapping key of before.
    Publics {
        /// Of the log.
        log: Vec<[u8; 32]>,
        /// Of the witness.
        witness: Vec<[u8; 32]>,
        /// Is something still to be wrapped anew?
        before: bool,
    },
    /// The public half of a key that was made.
    Key([u8; 32]),
    /// Done.
    Done,
    /// Not the node: another one has the lease.
    Leased,
    /// The mark is beyond what was to be signed.
    Behind {
        /// What was signed.
        signed: u64,
    },
    /// The mark is of another log of that size.
    Forked,
    /// Anything else, in words.
    Failed(String),
}

/// A frame that is none of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end does not speak the signer's protocol: are both programs of one version?")]
pub struct WireError;

impl Ask {
    /// The frame's body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Lease { origin } => {
                out.push(1);
                put_text(&mut out, origin);
            }
            Self::Look => out.push(2),
            Self::Sign { size, root } => {
                out.push(3);
                out.extend_from_slice(&size.to_be_bytes());
                out.extend_from_slice(root.as_bytes());
            }
            Self::Cosign { seconds, text } => {
                out.push(4);
                out.extend_from_slice(&seconds.to_be_bytes());
                put_text(&mut out, text);
            }
            Self::Publics => out.push(5),
            Self::Prepare(kind) => out.extend_from_slice(&[6, kind.code()]),
            Self::Settle(kind, key) => {
                out.extend_from_slice(&[7, kind.code()]);
                out.extend_from_slice(key);
            }
            Self::Renew(kind) => out.extend_from_slice(&[8, kind.code()]),
            Self::Forget => out.push(9),
            Self::Found { size, root } => {
                out.push(10);
                out.extend_from_slice(&size.to_be_bytes());
                out.extend_from_slice(root.as_bytes());
            }
        }
        out
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut from = Reader(bytes);
        let ask = match from.byte()? {
            1 => Self::Lease { origin: from.text()? },
            2 => Self::Look,
            3 => Self::Sign { size: from.number()?, root: TreeHash::new(from.array()?) },
            4 => Self::Cosign { seconds: from.number()?, text: from.text()? },
            5 => Self::Publics,
            6 => Self::Prepare(from.kind()?),
            7 => Self::Settle(from.kind()?, from.array()?),
            8 => Self::Renew(from.kind()?),
            9 => Self::Forget,
            10 => Self::Found { size: from.number()?, root: TreeHash::new(from.array()?) },
            _ => return Err(WireError),
        };
        from.end(ask)
    }
}

impl Answer {
    /// The frame's body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::State { origin, mark, wrapping, cursor } => {
                out.push(1);
                put_text(&mut out, origin);
                match mark {
                    Marked::Nothing => out.push(0),
                    Marked::At(size, root) => {
                        out.push(1);
                        out.extend_from_slice(&size.to_be_bytes());
                        out.extend_from_slice(root.as_bytes());
                    }
                    Marked::Unknown => out.push(2),
                }
                for pair in [wrapping, cursor] {
                    out.extend_from_slice(&pair.key);
                    out.push(u8::from(pair.before.is_some()));
                    out.extend_from_slice(pair.before.as_ref().map_or(&[], |key| &key[..]));
                }
            }
            Self::Lines(text) => {
                out.push(2);
                put_text(&mut out, text);
            }
            Self::Publics { log, witness, before } => {
                out.push(3);
                for keys in [log, witness] {
                    let keys = &keys[..keys.len().min(MAX_KEYS)];
                    out.push(u8::try_from(keys.len()).unwrap_or(0));
                    out.extend(keys.iter().flatten());
                }
                out.push(u8::from(*before));
            }
            Self::Key(key) => {
                out.push(4);
                out.extend_from_slice(key);
            }
            Self::Done => out.push(5),
            Self::Leased => out.push(6),
            Self::Behind { signed } => {
                out.push(7);
                out.extend_from_slice(&signed.to_be_bytes());
            }
            Self::Forked => out.push(8),
            Self::Failed(why) => {
                out.push(9);
                put_text(&mut out, why);
            }
        }
        out
    }

    /// Reads a frame's body.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut from = Reader(bytes);
        let answer = match from.byte()? {
            1 => {
                let origin = from.text()?;
                let mark = match from.byte()? {
                    0 => Marked::Nothing,
                    1 => Marked::At(from.number()?, TreeHash::new(from.array()?)),
                    2 => Marked::Unknown,
                    _ => return Err(WireError),
                };
                Self::State { origin, mark, wrapping: from.pair()?, cursor: from.pair()? }
            }
            2 => Self::Lines(from.text()?),
            3 => Self::Publics { log: from.keys()?, witness: from.keys()?, before: from.flag()? },
            4 => Self::Key(from.array()?),
            5 => Self::Done,
            6 => Self::Leased,
            7 => Self::Behind { signed: from.number()? },
            8 => Self::Forked,
            9 => Self::Failed(from.text()?),
            _ => return Err(WireError),
        };
        from.end(answer)
    }
}

/// A text of at most a note's size; a longer one is cut, which no note and no reason is.
fn put_text(out: &mut Vec<u8>, text: &str) {
    let bytes = &text.as_bytes()[..text.len().min(limits::NOTE_BYTES)];
    out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(bytes);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Result<&[u8], WireError> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(WireError)?;
        self.0 = tail;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.take(N)?.try_into().map_err(|_| WireError)
    }
    fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.array::<1>()?[0])
    }
    fn flag(&mut self) -> Result<bool, WireError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError),
        }
    }
    fn number(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_be_bytes(self.array()?))
    }
    fn text(&mut self) -> Result<String, WireError> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        if length > limits::NOTE_BYTES {
            return Err(WireError);
        }
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| WireError)
    }
    fn kind(&mut self) -> Result<KeyKind, WireError> {
        KeyKind::of_code(self.byte()?).ok_or(WireError)
    }
    fn keys(&mut self) -> Result<Vec<[u8; 32]>, WireError> {
        let count = usize::from(self.byte()?);
        if count > MAX_KEYS {
            return Err(WireError);
        }
        (0..count).map(|_| self.array()).collect()
    }
    fn pair(&mut self) -> Result<Pair, WireError> {
        let key = self.array()?;
        let before = if self.flag()? { Some(self.array()?) } else { None };
        Ok(Pair { key, before })
    }
    fn end<T>(&self, value: T) -> Result<T, WireError> {
        if self.0.is_empty() { Ok(value) } else { Err(WireError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asks() -> Vec<Ask> {
        vec![
            Ask::Lease { origin: "entraide/FR/REAL/0123456789abcdef".to_owned() },
            Ask::Look,
            Ask::Sign { size: 7, root: TreeHash::new([9; 32]) },
            Ask::Cosign { seconds: 8, text: "a\n1\n".to_owned() },
            Ask::Publics,
            Ask::Prepare(KeyKind::Log),
            Ask::Settle(KeyKind::Witness, [3; 32]),
            Ask::Renew(KeyKind::Cursor),
            Ask::Forget,
            Ask::Found { size: 6, root: TreeHash::new([7; 32]) },
        ]
    }
    fn answers() -> Vec<Answer> {
        let pair = |before| Pair { key: [1; 32], before };
        let state =
            |mark, before| Answer::State { origin: "o".into(), mark, wrapping: pair(before), cursor: pair(None) };
        vec![
            state(Marked::Nothing, None),
            state(Marked::Unknown, None),
            state(Marked::At(9, TreeHash::new([8; 32])), Some([2; 32])),
            Answer::Lines("— x y\n".to_owned()),
            Answer::Publics { log: vec![[1; 32], [2; 32]], witness: vec![], before: true },
            Answer::Key([4; 32]),
            Answer::Done,
            Answer::Leased,
            Answer::Behind { signed: 5 },
            Answer::Forked,
            Answer::Failed("no".to_owned()),
        ]
    }

    #[test]
    fn frames_read_back_and_have_one_spelling() {
        for ask in asks() {
            let bytes = ask.encode();
            assert_eq!(Ask::decode(&bytes), Ok(ask));
            assert_eq!(Ask::decode(&[&bytes[..], b"x"].concat()), Err(WireError));
            assert!(bytes.len() < 2 || Ask::decode(&bytes[..bytes.len() - 1]).is_err());
        }
        for answer in answers() {
            let bytes = answer.encode();
            assert_eq!(Answer::decode(&bytes), Ok(answer));
            assert!(bytes.len() <= MAX_FRAME_BYTES);
            assert_eq!(Answer::decode(&[&bytes[..], b"x"].concat()), Err(WireError));
        }
        let most = u8::try_from(MAX_KEYS).unwrap();
        for (count, good) in [(most, true), (most + 1, false)] {
            let keys = [&[3, count][..], &vec![1; usize::from(count) * 32], &[0, 0]].concat();
            assert_eq!(Answer::decode(&keys).is_ok(), good, "{count} keys");
        }
        assert_eq!(format!("{:?}", Pair { key: [1; 32], before: None }), "Pair(secret)");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(ask) = Ask::decode(&bytes) {
                prop_assert_eq!(ask.encode(), bytes.clone());
            }
            if let Ok(answer) = Answer::decode(&bytes) {
                prop_assert_eq!(answer.encode(), bytes);
            }
        }
    }
}
