//! Who is woken by what: classes of events, and the ladder of persons and posts that each goes up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::duty::{DutyError, Handle, Post};
use crate::extension::assistance::words::{WordError, words};
use crate::limits;

words! {
    /// What wakes somebody.
    AlertClass {
        /// A partner asks for help.
        CallForHelp = "call-for-help",
        /// A partner answers, accepts, signs, or says how a mission goes.
        Answer = "answer",
        /// A partner is held with evidence.
        PartnerHeld = "partner-held",
        /// Our own log does not speak.
        Recovery = "recovery",
        /// Nothing happened: it is tried whether somebody wakes up.
        Drill = "drill",
    }
}

words! {
    /// How an alert goes out.
    Channel {
        /// By mail.
        Mail = "mail",
        /// To a gateway that sends a short message or calls.
        Webhook = "webhook",
    }
}

/// Whom a rung wakes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// Whoever has the post at that moment: `post:duty`.
    Post(Post),
    /// One person of the roster: `anna`.
    Person(Handle),
}

impl FromStr for Who {
    type Err = DutyError;
    fn from_str(text: &str) -> Result<Self, DutyError> {
        match text.strip_prefix("post:") {
            Some(post) => post.parse().map(Self::Post).map_err(|_| DutyError::Handle(text.chars().take(60).collect())),
            None => text.parse().map(Self::Person),
        }
    }
}
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post(post) => write!(f, "post:{post}"),
            Self::Person(person) => person.fmt(f),
        }
    }
}
impl Serialize for Who {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One rung of a ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Who is woken.
    pub who: Who,
    /// How.
    pub by: Vec<Channel>,
    /// After so many minutes without an acknowledgement the next rung is tried.
    pub minutes: u16,
}

/// A ladder: its rungs, the first first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Rung>", into = "Vec<Rung>")]
pub struct Ladder(Vec<Rung>);

/// Why a ladder was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// None, or too many.
    #[error("a ladder has 1 to 8 rungs: write whom to wake first, second, …")]
    Rungs,
    /// Out of range.
    #[error("a rung waits 1 to 120 minutes, not {0}")]
    Minutes(u16),
    /// No way, or one twice.
    #[error("a rung goes out by mail, by webhook, or both")]
    Channels,
}

impl TryFrom<Vec<Rung>> for Ladder {
    type Error = LadderError;
    fn try_from(rungs: Vec<Rung>) -> Result<Self, LadderError> {
        if rungs.is_empty() || rungs.len() > limits::RUNGS {
            return Err(LadderError::Rungs);
        }
        for rung in &rungs {
            if rung.minutes == 0 || rung.minutes > limits::RUNG_MINUTES {
                return Err(LadderError::Minutes(rung.minutes));
            }
            if rung.by.is_empty() || rung.by.len() > 2 || (rung.by.len() == 2 && rung.by[0] == rung.by[1]) {
                return Err(LadderError::Channels);
            }
        }
        Ok(Self(rungs))
    }
}
impl From<Ladder> for Vec<Rung> {
    fn from(ladder: Ladder) -> Self {
        ladder.0
    }
}
impl Ladder {
    /// Its rungs, the first first; at least one.
    #[must_use]
    pub fn rungs(&self) -> &[Rung] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_is_short_and_every_rung_goes_out() {
        let rung = |who: &str, by: &[Channel], minutes| Rung { who: who.parse().unwrap(), by: by.to_vec(), minutes };
        let check = |rungs: Vec<Rung>, good: bool| assert_eq!(Ladder::try_from(rungs).is_ok(), good);
        let good = || rung("post:duty", &[Channel::Mail, Channel::Webhook], 5);
        check(vec![good(), rung("anna", &[Channel::Mail], 120)], true);
        check(Vec::new(), false);
        check(vec![good(); limits::RUNGS + 1], false);
        check(vec![rung("anna", &[], 5)], false);
        check(vec![rung("anna", &[Channel::Mail, Channel::Mail], 5)], false);
        check(vec![rung("anna", &[Channel::Mail], 0)], false);
        check(vec![rung("anna", &[Channel::Mail], 121)], false);
        for who in ["post:boss", "", "Anna", "post:"] {
            assert!(who.parse::<Who>().is_err(), "{who}");
        }
        let text = serde_json::to_string(&Ladder::try_from(vec![good()]).unwrap()).unwrap();
        assert_eq!(text, r#"[{"who":"post:duty","by":["mail","webhook"],"minutes":5}]"#);
        assert!(serde_json::from_str::<Ladder>("[]").is_err());
    }
}
