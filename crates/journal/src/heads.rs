//! Heads: where the chains of one log's audiences end for a partner, so that the members of an audience find out a log
//! that does not show all of them the same chain (architecture §3, "Gossip").
//!
//! ```text
//! entraide/heads/v1
//! origin <origin>
//! <audience, hex> <its version> <lane> <sequence> <commitment, hex>
//! …
//! ```
//!
//! A line a chain, in the order of audience and lane. Nobody signs it: what a partner says of another's chain proves
//! nothing, and only tells where to look.

use model::{AudienceId, Commitment, Lane, Origin};

use crate::limits;

const HEADER: &str = "entraide/heads/v1";

/// The last place of one chain, as somebody holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The audience.
    pub audience: AudienceId,
    /// The version of the audience to which the last statement was said.
    pub version: u32,
    /// The feed.
    pub lane: Lane,
    /// The number of the last place.
    pub sequence: u64,
    /// What stands there.
    pub commitment: Commitment,
}

/// Heads of one log's chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// Whose log.
    pub origin: Origin,
    /// By audience and lane, each once; 1 to [`limits::HEADS`].
    pub heads: Vec<Head>,
}

/// It is no list of heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these are no heads of chains: {0}")]
pub struct HeadsError(&'static str);

/// Does a note claim to be one? What it is then is said by [`Heads::read`].
#[must_use]
pub fn is_heads(note: &str) -> bool {
    note.strip_prefix(HEADER).is_some_and(|rest| rest.starts_with('\n'))
}

impl Head {
    const fn place(&self) -> (AudienceId, u8) {
        (self.audience, self.lane.code())
    }

    fn read(line: &str) -> Result<Self, HeadsError> {
        let mut fields = line.split(' ');
        let mut next = || fields.next().ok_or(HeadsError("a line has five fields"));
        let lower = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let audience = AudienceId::from_hex(next()?);
        let head = Self {
            audience: audience.ok_or(HeadsError("an audience is 32 hexadecimal digits"))?,
            version: number(next()?)?,
            lane: Lane::from_code(number(next()?)?).ok_or(HeadsError("a lane is 0 or 1"))?,
            sequence: number(next()?)?,
            commitment: Commitment::from_hex(next()?).ok_or(HeadsError("a commitment is 64 hexadecimal digits"))?,
        };
        if fields.next().is_some() || !lower(line) {
            return Err(HeadsError("a line has five fields, in lower case"));
        }
        Ok(head)
    }
}

impl Heads {
    /// The note's text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = format!("{HEADER}\norigin {}\n", self.origin);
        for head in &self.heads {
            let Head { audience, version, lane, sequence, commitment } = head;
            out.push_str(&format!("{audience} {version} {} {sequence} {commitment}\n", lane.code()));
        }
        out
    }

    /// Reads a note; it has one spelling.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, HeadsError> {
        let mut lines = text.strip_suffix('\n').ok_or(HeadsError("no line feed at the end"))?.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(HeadsError("the first line is another"));
        }
        let origin = lines.next().and_then(|line| line.strip_prefix("origin ")?.parse().ok());
        let origin = origin.ok_or(HeadsError("the second line is not an origin"))?;
        let mut heads: Vec<Head> = Vec::new();
        for line in lines {
            if heads.len() == limits::HEADS {
                return Err(HeadsError("more than fit"));
            }
            let head = Head::read(line)?;
            if heads.last().is_some_and(|last| last.place() >= head.place()) {
                return Err(HeadsError("they are not in order, each once"));
            }
            heads.push(head);
        }
        if heads.is_empty() { Err(HeadsError("there is none")) } else { Ok(Self { origin, heads }) }
    }
}

/// A number without sign or leading zero.
fn number<T: std::str::FromStr + ToString>(text: &str) -> Result<T, HeadsError> {
    let read = text.parse::<T>().ok().filter(|number| number.to_string() == text);
    read.ok_or(HeadsError("a number is not written as one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(audience: u8, lane: Lane, sequence: u64) -> Head {
        let (audience, commitment) = (AudienceId::new([audience; 16]), Commitment::new([7; 32]));
        Head { audience, version: 3, lane, sequence, commitment }
    }

    fn heads(heads: Vec<Head>) -> Heads {
        Heads { origin: "entraide/MT/REAL/0123456789abcdef".parse().unwrap(), heads }
    }

    #[test]
    fn heads_have_one_spelling() {
        let good = heads(vec![
            head(0xaa, Lane::Workflow, 0),
            head(0xaa, Lane::Intelligence, u64::MAX),
            head(0xbb, Lane::Workflow, 5),
        ]);
        assert_eq!(Heads::read(&good.write()), Ok(good.clone()));
        assert!(is_heads(&good.write()) && !is_heads("entraide/heads/v11\n"));
        let check = |from: &str, to: &str| {
            let text = good.write().replacen(from, to, 1);
            assert_ne!(text, good.write(), "{from}");
            assert!(Heads::read(&text).is_err(), "{text}");
        };
        check("heads/v1", "heads/v2");
        check("origin ", "origin  ");
        check(" 3 0 0 ", " 3 0 00 ");
        check(" 3 0 0 ", " +3 0 0 ");
        check(" 3 0 0 ", " 3 2 0 ");
        check(" 3 0 0 ", " 3  0 0 ");
        check("aa", "AA");
        check("0707\n", "0707 \n");
        check("0707\n", "07\n");
        check(&"bb".repeat(16), &"aa".repeat(16));
        assert!(Heads::read(good.write().trim_end()).is_err(), "no line feed");
        let swapped = heads(vec![head(2, Lane::Workflow, 0), head(1, Lane::Workflow, 0)]);
        assert!(Heads::read(&swapped.write()).is_err(), "out of order");
        assert!(Heads::read(&heads(vec![head(1, Lane::Workflow, 0); 2]).write()).is_err(), "twice");
        assert!(Heads::read(&heads(Vec::new()).write()).is_err(), "none");
    }

    #[test]
    fn as_many_as_are_allowed_fit_into_a_note() {
        let most = |count: usize| {
            heads((0..count).map(|n| head(u8::try_from(n).unwrap(), Lane::Workflow, u64::MAX)).collect()).write()
        };
        assert!(Heads::read(&most(limits::HEADS)).is_ok());
        assert!(most(limits::HEADS).len() <= crate::wire::MAX_NOTE_BYTES);
        assert!(Heads::read(&most(limits::HEADS + 1)).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_the_same(text in "\\PC{0,200}", at in 0..200_usize, to in any::<char>()) {
            let mut changed = heads(vec![head(0xaa, Lane::Workflow, 9)]).write();
            let at = at % changed.len();
            changed.replace_range(at..=at, &to.to_string());
            for text in [text, changed] {
                if let Ok(read) = Heads::read(&text) {
                    prop_assert_eq!(read.write(), text);
                }
            }
        }
    }
}
