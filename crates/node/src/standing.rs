//! How this node stands with its own log: it speaks, it fetches its log back, or it has stopped because another copy
//! speaks (architecture §3, "Going back in time"). It is local truth, kept in the database, so that a restart forgets
//! nothing.

use journal::sync::Evidence;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Db, LogId, StoreError, Tx};

/// Why a node does not speak for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The signer has signed more than the database has: an older database was put back.
    Behind,
    /// Nobody knows what was signed: the node was restored on another machine.
    Unknown,
    /// A partner holds more, signed with our key: this node was set back with its signer, or another copy speaks.
    Ahead,
}

/// How this node stands with its own log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Standing {
    /// It speaks.
    #[default]
    Speaking,
    /// It reads and serves, and fetches its log back.
    Recovering {
        /// Why.
        cause: Cause,
        /// How many entries it had when that began: what lies beyond comes from partners.
        from: u64,
        /// How many entries are known to have been signed.
        needs: u64,
    },
    /// It reads and serves, and waits for people.
    Stopped {
        /// Why, in words.
        why: String,
    },
}

/// A command was refused because the node does not speak; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Silent(String);

impl Standing {
    /// May commands write to the own log?
    #[must_use]
    pub const fn speaks(&self) -> bool {
        matches!(self, Self::Speaking)
    }

    /// One word for machines: `speaking`, `recovering` or `stopped`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Speaking => "speaking",
            Self::Recovering { .. } => "recovering",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// Why the node does not speak and what to do, in one line; `None` while it speaks.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let cause = match self {
            Self::Speaking => return None,
            Self::Stopped { why } => {
                return Some(format!(
                    "this node has stopped speaking ({why}): find the other copy and switch it off, then look at \
                     `entraide recover`"
                ));
            }
            Self::Recovering { cause: Cause::Behind, from, needs } => {
                format!("{needs} entries were signed, and the database that was put back has {from}")
            }
            Self::Recovering { cause: Cause::Unknown, from, .. } => {
                format!("it was restored with {from} entries, and what was signed last is not known")
            }
            Self::Recovering { cause: Cause::Ahead, from, needs } => {
                format!("a partner holds {needs} entries that our key signed, and this node has {from}")
            }
        };
        Some(format!(
            "this node fetches its own log back from partners and does not speak until then ({cause}): people can \
             read; look at `entraide recover`"
        ))
    }

    /// The refusal of a command; `None` while the node speaks.
    #[must_use]
    pub fn silence(&self) -> Option<Silent> {
        self.why().map(Silent)
    }
}

/// What a completed recovery left to be careful about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// Entries when it was complete.
    pub size: u64,
    /// How many places of a chain or versions of an audience may be taken by entries that were lost, although somebody
    /// who was not asked may hold them: new ones begin beyond.
    pub gap: u64,
    /// Had a partner more than our signer knew? Then a second time means that another copy lives.
    pub ahead: bool,
}

/// The setting that holds the standing.
const STANDING: &str = "own-log";
/// The setting that holds what the last recovery left.
const RECOVERED: &str = "own-log-recovered";

fn read<T: Default + for<'de> Deserialize<'de>>(db: &Db<'_>, name: &str) -> Result<T, StoreError> {
    let Some(text) = db.setting(name)? else { return Ok(T::default()) };
    serde_json::from_str(&text).map_err(|error| StoreError::Corrupt { what: format!("setting {name}: {error}") })
}

fn write<T: Serialize>(tx: &Tx<'_>, name: &str, value: &T) -> Result<(), StoreError> {
    let text = serde_json::to_string(value)
        .map_err(|error| StoreError::Corrupt { what: format!("setting {name}: {error}") })?;
    tx.set_setting(name, &text)
}

/// The standing as it was kept.
///
/// # Errors
/// The database.
pub(crate) fn kept(db: &Db<'_>) -> Result<Standing, StoreError> {
    read(db, STANDING)
}

/// Keeps the standing.
///
/// # Errors
/// The database.
pub(crate) fn keep(tx: &Tx<'_>, standing: &Standing) -> Result<(), StoreError> {
    write(tx, STANDING, standing)
}

/// What the last recovery left.
///
/// # Errors
/// The database.
pub fn recovered(db: &Db<'_>) -> Result<Recovered, StoreError> {
    read(db, RECOVERED)
}

/// Keeps what a recovery left.
///
/// # Errors
/// The database.
pub(crate) fn keep_recovered(tx: &Tx<'_>, recovered: &Recovered) -> Result<(), StoreError> {
    write(tx, RECOVERED, recovered)
}

/// Word of our own log that this node cannot have said: the standing that follows, and what shows it.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) standing: Standing,
    pub(crate) evidence: Evidence,
}

impl Alarm {
    /// Keeps both.
    pub(crate) fn keep(&self, tx: &Tx<'_>, log: LogId, now: Timestamp) -> Result<(), StoreError> {
        let Evidence { kind, summary, checkpoint_ours: ours, checkpoint_theirs: theirs, .. } = &self.evidence;
        let told = tx.evidence(Some(log), KEPT)?;
        if !told.iter().any(|row| row.theirs == *theirs && row.summary == *summary) {
            tx.put_evidence(log, now, kind.word(), summary, ours.as_deref(), theirs.as_deref(), b"")?;
        }
        keep(tx, &self.standing)
    }
}

/// Newest pieces of evidence about ourselves that are looked through before the same is kept again.
const KEPT: usize = 100;
