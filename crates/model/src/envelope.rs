//! The envelope: what a statement says of itself beside its body. Its fixed binary form is `journal::envelope`.

use serde::{Deserialize, Serialize};

use crate::ids::{AudienceId, Commitment, ThreadId};
use crate::label::Label;
use crate::members::MemberSetDigest;
use crate::origin::Realm;
use crate::party::Walled;

/// Which of the two feeds a statement travels in. Workflow always goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Requests, agreements, withdrawals, receipts, audiences: few, and urgent.
    Workflow,
    /// Indicators and what belongs to them: bulk.
    Intelligence,
}

impl Lane {
    /// Both, in the order in which they are served.
    pub const ALL: [Self; 2] = [Self::Workflow, Self::Intelligence];
    /// One byte in an envelope and on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Workflow => 0,
            Self::Intelligence => 1,
        }
    }
    /// The lane of a byte.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// How many versions a thread had before this one, from 0. A count, not the STIX version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThreadVersion(pub u32);

/// One version of an audience, with the digest of the members that it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AudienceAt {
    /// Which audience.
    pub id: AudienceId,
    /// Its version, from 1; 0 only for the audience without members of a RED statement.
    pub version: u32,
    /// Who was in it.
    pub members: MemberSetDigest,
}

/// The place in the chain of one (audience, lane): a receiver sees a gap in what it is entitled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// Count within (audience, lane), from 0.
    pub sequence: u64,
    /// The commitment that stands one place before; `None` at 0.
    pub previous: Option<Commitment>,
}

/// What the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// One STIX 2.1 object.
    #[serde(rename = "application/stix+json;version=2.1")]
    Stix,
    /// One MISP event (the value of `Event`).
    #[serde(rename = "application/vnd.entraide.misp-event+json")]
    MispEvent,
}

impl MediaType {
    /// The media type as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stix => "application/stix+json;version=2.1",
            Self::MispEvent => "application/vnd.entraide.misp-event+json",
        }
    }
    /// One byte in an envelope.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Stix => 1,
            Self::MispEvent => 2,
        }
    }
    /// The media type of an envelope's byte.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Stix),
            2 => Some(Self::MispEvent),
            _ => None,
        }
    }
}

/// Everything that a statement says of itself beside its body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// Reality or one exercise; must be the log's own.
    pub realm: Realm,
    /// Which feed.
    pub lane: Lane,
    /// What it is a version of.
    pub thread: ThreadId,
    /// The how-manieth version.
    pub version: ThreadVersion,
    /// The commitment of the version before; `None` exactly at version 0.
    pub previous: Option<Commitment>,
    /// To whom it is said.
    pub audience: AudienceAt,
    /// Its place in the audience's chain; `None` exactly for RED, which has no chain.
    pub slot: Option<Slot>,
    /// Who may see it and what may be done with it.
    pub label: Label,
    /// Does it stand behind the wall, and as what?
    pub walled: Option<Walled>,
    /// What the body is.
    pub media: MediaType,
}
