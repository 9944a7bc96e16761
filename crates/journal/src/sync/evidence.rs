//! What is kept when a partner's log does what no honest log does, for people on both sides to look at.

use ed25519_dalek::VerifyingKey;
use model::{Index, Lane, Opening, Origin};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, Checkpoint};
use crate::wire::{self, FeedItem, ReleaseKind};

/// Largest excerpt that is kept as evidence, bytes: an opening of nearly every object whole, and a flood cut short.
pub const MAX_EVIDENCE_BYTES: usize = 64 * 1024;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum EvidenceKind {
    /// The log's key didn't sign the checkpoint.
    BadSignature,
    /// A signed checkpoint is smaller than one that was verified before.
    Rollback,
    /// A signed root isn't the root of the entries: two histories of one log.
    Fork,
    /// The checkpoint is another log's.
    OriginMismatch,
    /// An opening doesn't open the commitment at its index.
    WrongOpening {
        /// Where in the log.
        index: Index,
    },
    /// Two openings stand at one place of an audience's chain.
    SlotConflict {
        /// The one that we held.
        first: Index,
        /// The one that came.
        second: Index,
    },
    /// An opening of an entry that the checkpoint doesn't cover.
    BeyondCheckpoint {
        /// Where in the log it would be.
        index: Index,
    },
    /// Our own replica doesn't hold the commitment of an older entry: verify the replica before accusing anybody.
    Missing {
        /// Where in the log.
        index: Index,
    },
    /// The answer breaks the protocol in a way that no signature is needed for.
    Malformed,
}

impl EvidenceKind {
    /// Is it a cryptographic failure, for which the origin is held (architecture §4)?
    /// The others are refused and tried again: they prove nothing against the log.
    #[must_use]
    pub const fn is_cryptographic(self) -> bool {
        match self {
            Self::BadSignature
            | Self::Rollback
            | Self::Fork
            | Self::OriginMismatch
            | Self::WrongOpening { .. }
            | Self::SlotConflict { .. } => true,
            Self::BeyondCheckpoint { .. } | Self::Missing { .. } | Self::Malformed => false,
        }
    }

    /// One word for the store and for screens.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::Rollback => "rollback",
            Self::Fork => "fork",
            Self::OriginMismatch => "origin-mismatch",
            Self::WrongOpening { .. } => "wrong-opening",
            Self::SlotConflict { .. } => "slot-conflict",
            Self::BeyondCheckpoint { .. } => "beyond-checkpoint",
            Self::Missing { .. } => "missing",
            Self::Malformed => "malformed",
        }
    }
}

/// One piece of evidence about one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Whose log.
    pub origin: Origin,
    /// What is wrong.
    pub kind: EvidenceKind,
    /// One sentence for people.
    pub summary: String,
    /// The newest checkpoint that we had verified, as its log signed it.
    pub checkpoint_ours: Option<String>,
    /// The checkpoint that came.
    pub checkpoint_theirs: Option<String>,
    /// What came, cut at [`MAX_EVIDENCE_BYTES`]: items and commitments in their wire form.
    pub bytes: Vec<u8>,
}

impl Evidence {
    /// A fault with its sentence and nothing else yet.
    #[must_use]
    pub fn new(origin: &Origin, kind: EvidenceKind, summary: impl Into<String>) -> Self {
        Self {
            origin: origin.clone(),
            kind,
            summary: summary.into(),
            checkpoint_ours: None,
            checkpoint_theirs: None,
            bytes: Vec::new(),
        }
    }

    /// Two openings at one place of an audience's chain; the node finds them against its database.
    #[must_use]
    pub fn slot_conflict(origin: Origin, first: Index, second: Index) -> Self {
        let summary = format!("entries {first} and {second} stand at one place of an audience's chain");
        Self::new(&origin, EvidenceKind::SlotConflict { first, second }, summary)
    }

    /// Adds openings as they came, in their wire form: whoever has the log can recompute the commitments.
    #[must_use]
    pub fn with_openings<'a>(self, lane: Lane, openings: impl IntoIterator<Item = &'a Opening>) -> Self {
        let mut bytes = Vec::new();
        for opening in openings {
            let (index, opening) = (opening.index, Some(opening.clone()));
            wire::encode_item(&mut bytes, &FeedItem { lane, kind: ReleaseKind::Open, index, opening });
        }
        self.with_bytes(&bytes)
    }

    /// Two checkpoints of one log that can't both be true, both signed by its key; `None` if they can.
    /// Checkpoints of different sizes need the entries between them, which [`super::Replica::gossip`] has.
    #[must_use]
    pub fn fork(origin: &Origin, key: &VerifyingKey, ours: &str, theirs: &str) -> Option<Self> {
        let first = checkpoint::verify(ours, origin, key).ok()?;
        let second = checkpoint::verify(theirs, origin, key).ok()?;
        (first.size == second.size && first.root != second.root)
            .then(|| Self::two_roots(origin, second.size).with_ours(ours).with_theirs(theirs))
    }

    /// Adds the newest checkpoint that we had verified, which the store keeps.
    #[must_use]
    pub fn with_ours(mut self, checkpoint: &str) -> Self {
        self.checkpoint_ours = Some(checkpoint.to_owned());
        self
    }

    /// Adds the checkpoint that came.
    #[must_use]
    pub fn with_theirs(mut self, checkpoint: &str) -> Self {
        self.checkpoint_theirs = Some(checkpoint.to_owned());
        self
    }

    /// Adds an excerpt of what came.
    #[must_use]
    pub fn with_bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes = bytes[..bytes.len().min(MAX_EVIDENCE_BYTES)].to_vec();
        self
    }

    /// Two signed roots of one size.
    pub(super) fn two_roots(origin: &Origin, size: u64) -> Self {
        let summary = format!("the log signed a root for {size} entries that is not the root of its entries");
        Self::new(origin, EvidenceKind::Fork, summary)
    }

    /// Why `text` isn't a checkpoint of this log: called once its verification has failed.
    pub(super) fn of_checkpoint(origin: &Origin, text: &str) -> Self {
        let body = text.rsplit_once("\n\n").map_or(text, |(body, _)| body);
        let (kind, summary) = match Checkpoint::parse(&format!("{body}\n")) {
            Err(_) => (EvidenceKind::Malformed, "the answer's checkpoint can't be read".to_owned()),
            Ok(other) if other.origin != *origin => {
                (EvidenceKind::OriginMismatch, format!("the checkpoint is of `{}`", other.origin))
            }
            Ok(_) => (EvidenceKind::BadSignature, "the log's key did not sign the checkpoint".to_owned()),
        };
        Self::new(origin, kind, summary).with_theirs(text)
    }
}
