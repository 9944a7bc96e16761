//! The head of an object: the few facts that the node needs, read beside the bytes and never instead of them.

use serde::{Deserialize, Serialize};

use crate::envelope::MediaType;
use crate::ids::StixId;
use crate::label::{Pap, Tlp};
use crate::time::Timestamp;

/// The version of an object by its own word: `modified`, else `created`, else the start of time (STIX 2.1 §3.2, §3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StixVersion(pub Timestamp);

impl StixVersion {
    /// Of objects that carry no time of their own (cyber-observable objects).
    pub const NONE: Self = Self(Timestamp::from_micros(0));
}

/// What an object says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What the bytes are.
    pub media: MediaType,
    /// Its id; of a MISP event `x-misp-event--<uuid>`.
    pub id: StixId,
    /// Its version.
    pub version: StixVersion,
    /// Who made it, if it says so.
    pub created_by: Option<StixId>,
    /// Has its maker revoked it?
    pub revoked: bool,
    /// The strictest TLP label on it or on any part of it; `None` without any.
    pub tlp: Option<Tlp>,
    /// The labels of its parts differ from its own (granular markings; tags on a MISP event's attributes).
    pub mixed: bool,
    /// The strictest PAP on it.
    pub pap: Option<Pap>,
    /// Every object it refers to, in order, each once (`*_ref`, `*_refs`), without markings and creator.
    pub refs: Vec<StixId>,
    /// Its name for people (`name`, `info`, a pattern, or the like), at most 200 bytes.
    pub title: Option<String>,
}

impl Head {
    /// Is it one of those that may not be asserted more widely than what it refers to (architecture §5)?
    #[must_use]
    pub fn is_dependent(&self) -> bool {
        matches!(self.id.type_name(), "relationship" | "sighting" | "note" | "opinion" | "grouping" | "report")
    }
}
