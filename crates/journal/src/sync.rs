//! The receiver's machine of the federation, sans-I/O: what we verified of a partner's log goes in with one page of its
//! feed, and either a verified step comes out or evidence.
//!
//! A page carries all commitments since the receiver's size and a signed checkpoint, so that the root is recomputed
//! here and no tile is fetched on the way (architecture §4). Nothing is opened before the root matches.

mod evidence;

use ed25519_dalek::VerifyingKey;
use model::{Commitment, Envelope, Index, Lane, Opening, Origin, Realm, Tlp};

pub use self::evidence::{Evidence, EvidenceKind, MAX_EVIDENCE_BYTES};
use crate::checkpoint::Checkpoint;
use crate::commitment;
use crate::envelope::{self, EnvelopeError};
use crate::log_keys::LogKeys;
use crate::tree::{Frontier, TreeHash};
use crate::verified::Verified;
use crate::wire::{self, FeedItem, FeedPage, FeedRequest, MAX_WAIT_SECONDS, ReleaseKind};

/// Most commitments that wait for a checkpoint to cover them: 128 MiB, four million entries behind.
/// A server with more to catch up serves a checkpoint in between.
pub const MAX_PENDING: usize = 4 * 1024 * 1024;

/// What is verified of a partner's log, and what waits for a checkpoint to cover it.
#[derive(Debug, Clone)]
pub struct Replica {
    /// Whose log.
    pub origin: Origin,
    /// The keys that sign and have signed its checkpoints.
    pub keys: LogKeys,
    /// The verified part, as a compact range.
    pub frontier: Frontier,
    /// The commitments after it that came in pages below their checkpoint's size; at most [`MAX_PENDING`].
    pub pending: Vec<Commitment>,
}

/// Why there is no replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplicaError {
    /// The log's key is none.
    #[error("the log's key is not an Ed25519 public key: take the partner's identity again")]
    Key,
}

/// What became of a page.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// All of it is what the log signed.
    Verified(Verified<Step>),
    /// Some of it isn't; nothing of it is taken. [`EvidenceKind::is_cryptographic`] says whether the origin is held.
    /// A replica with `pending` commitments then forgets those: they came from the same partner, unverified.
    Broken(Evidence),
}

/// What the node writes in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The page's checkpoint. Its size is the frontier's, unless the page ended below it.
    pub checkpoint: Checkpoint,
    /// The same as it was signed.
    pub checkpoint_text: String,
    /// The index of the first of `commitments`.
    pub first: u64,
    /// The commitments that are verified now, those that were pending included.
    pub commitments: Vec<Commitment>,
    /// The verified part afterwards.
    pub frontier: Frontier,
    /// What waits for a checkpoint afterwards.
    pub pending: Vec<Commitment>,
    /// What the page opened or took back, in its order.
    pub items: Vec<StepItem>,
    /// Where we then stand in the workflow lane.
    pub workflow_cursor: String,
    /// Where we then stand in the intelligence lane.
    pub intelligence_cursor: String,
    /// There is more: ask again at once.
    pub more: bool,
    /// Checkpoints that the partner knows, not verified: see [`Replica::gossip`].
    pub notes: Vec<String>,
}

/// One release, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepItem {
    /// The feed in which it stood.
    pub lane: Lane,
    /// Why it stood there.
    pub kind: ReleaseKind,
    /// The entry.
    pub index: Index,
    /// What the log committed to there.
    pub commitment: Commitment,
    /// What it says.
    pub content: Content,
}

/// What a release says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A statement whose envelope we understand. Without a body it was purged or withdrawn before we got it:
    /// its place in the audience's chain is still known.
    Statement {
        /// What the statement says of itself.
        envelope: Envelope,
        /// The bytes, which open exactly the commitment.
        opening: Opening,
    },
    /// Rightly opened, but nothing that this version may use: kept raw, and folded again after an upgrade.
    Unfit {
        /// The bytes, which open exactly the commitment.
        opening: Opening,
        /// Why not.
        reason: UnfitReason,
    },
    /// Taken back.
    Withdrawn,
}

/// Why a statement is kept raw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitReason {
    /// The envelope can't be read.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Citations and statements can't cross realms.
    #[error("the statement is of realm `{0}`, not of its log's")]
    Realm(Realm),
    /// It came in the other feed than it says.
    #[error("the statement came in the other lane than it names")]
    Lane,
    /// RED is read on the owner's node only (architecture §5); the sender made a mistake.
    #[error("the statement is TLP:RED, which is never opened to a node: tell its owner")]
    Red,
    /// Larger than a body may be.
    #[error("the body has {0} bytes, more than {max}", max = model::limits::BODY_BYTES)]
    Size(usize),
}

/// What another node's word of this log's newest checkpoint means (architecture §3, "Gossip").
#[derive(Debug)]
#[must_use]
pub enum Gossip {
    /// The same history as ours.
    Consistent,
    /// Signed, and longer than what we have verified: the next page must reach at least its size.
    Ahead(Checkpoint),
    /// Not signed by this log, or older than what we can check: it says nothing.
    Unfounded,
    /// Signed, and another history than ours.
    Broken(Evidence),
}

impl Replica {
    /// A replica from what the store holds; `Frontier::default()` for a new partner.
    ///
    /// # Errors
    /// `key` is not an Ed25519 public key.
    pub fn new(origin: Origin, key: &[u8; 32], frontier: Frontier) -> Result<Self, ReplicaError> {
        let key = VerifyingKey::from_bytes(key).map_err(|_| ReplicaError::Key)?;
        Ok(Self::with_keys(origin, LogKeys::only(key), frontier))
    }

    /// The same of a log that has had several keys.
    #[must_use]
    pub fn with_keys(origin: Origin, keys: LogKeys, frontier: Frontier) -> Self {
        Self { origin, keys, frontier, pending: Vec::new() }
    }

    /// How many entries of the log are verified.
    #[must_use]
    pub fn verified_size(&self) -> u64 {
        self.frontier.size()
    }

    /// The commitments that we hold, verified or waiting.
    #[must_use]
    pub fn have(&self) -> u64 {
        self.frontier.size().saturating_add(count(&self.pending))
    }

    /// What to ask for next, with both lanes' cursors as the partner gave them last.
    /// `wait_seconds` is shortened to [`MAX_WAIT_SECONDS`].
    #[must_use]
    pub fn request(&self, workflow: Option<String>, intelligence: Option<String>, wait_seconds: u32) -> FeedRequest {
        let wait_seconds = wait_seconds.min(MAX_WAIT_SECONDS);
        FeedRequest { have: self.have(), workflow, intelligence, wait_seconds, wire: wire::WIRE_VERSION }
    }

    /// Goes on to where a step of this replica ended.
    pub fn advance(&mut self, step: &Verified<Step>) {
        self.frontier = step.frontier.clone();
        self.pending.clone_from(&step.pending);
    }

    /// Checks a page. `known` is the store's word for the commitments that were verified before.
    pub fn accept(&self, page: FeedPage, known: impl Fn(Index) -> Option<Commitment>) -> Outcome {
        match self.check(page, known) {
            Ok(step) => Outcome::Verified(Verified::new(step)),
            Err(evidence) => Outcome::Broken(*evidence),
        }
    }

    /// Checks openings of places that are verified already: what the log committed to there comes out, the rest is left
    /// behind and accuses nobody, since no signature is on it. A log's own node takes its word back from others so.
    #[must_use]
    pub fn openings(
        &self,
        items: Vec<FeedItem>,
        known: impl Fn(Index) -> Option<Commitment>,
    ) -> Verified<Vec<StepItem>> {
        let covered = Covered { from: self.frontier.size(), commitments: &[], size: self.frontier.size() };
        let items = items.into_iter().filter_map(|item| self.check_item(item, &covered, &known).ok()).collect();
        Verified::new(items)
    }

    /// Compares a checkpoint of this log that another node gave us. `root_at` is the store's root of an earlier size.
    pub fn gossip(&self, text: &str, root_at: impl Fn(u64) -> Option<TreeHash>) -> Gossip {
        let Ok(theirs) = self.keys.verify(text, &self.origin) else {
            return Gossip::Unfounded;
        };
        if theirs.size > self.frontier.size() {
            return Gossip::Ahead(theirs.into_inner());
        }
        let ours = if theirs.size == self.frontier.size() { Some(self.frontier.root()) } else { root_at(theirs.size) };
        match ours {
            None => Gossip::Unfounded,
            Some(root) if root == theirs.root => Gossip::Consistent,
            Some(_) => Gossip::Broken(Evidence::two_roots(&self.origin, theirs.size).with_theirs(text)),
        }
    }

    fn check(&self, mut page: FeedPage, known: impl Fn(Index) -> Option<Commitment>) -> Result<Step, Box<Evidence>> {
        let items = std::mem::take(&mut page.items);
        let checkpoint = self
            .keys
            .verify(&page.checkpoint, &self.origin)
            .map_err(|_| Box::new(Evidence::of_checkpoint(&self.origin, &page.checkpoint)))?
            .into_inner();
        let reached = self.check_span(&page, &checkpoint, items.len())?;
        let mut commitments = self.pending.clone();
        commitments.extend_from_slice(&page.commitments);
        let mut frontier = self.frontier.clone();
        let mut pending = Vec::new();
        if reached {
            frontier.extend(&commitments);
            if frontier.root() != checkpoint.root {
                let evidence = Evidence::two_roots(&self.origin, checkpoint.size);
                return Err(self.about(&page, evidence));
            }
        } else {
            pending = std::mem::take(&mut commitments);
        }
        let covered = Covered { from: self.frontier.size(), commitments: &commitments, size: checkpoint.size };
        let items = items
            .into_iter()
            .map(|item| {
                self.check_item(item, &covered, &known)
                    .map_err(|evidence| Box::new(evidence.with_theirs(&page.checkpoint)))
            })
            .collect::<Result<_, _>>()?;
        Ok(Step {
            checkpoint,
            checkpoint_text: page.checkpoint,
            first: self.frontier.size(),
            commitments,
            frontier,
            pending,
            items,
            workflow_cursor: page.workflow_cursor,
            intelligence_cursor: page.intelligence_cursor,
            more: page.more,
            notes: page.notes,
        })
    }

    /// Does the page go on from where we are, up to the checkpoint or part of the way? `true` if it reaches it.
    fn check_span(&self, page: &FeedPage, checkpoint: &Checkpoint, items: usize) -> Result<bool, Box<Evidence>> {
        let verified = self.frontier.size();
        if checkpoint.size < verified {
            let summary = format!("the log signed {} entries after {verified} were verified", checkpoint.size);
            return Err(self.about(page, Evidence::new(&self.origin, EvidenceKind::Rollback, summary)));
        }
        // With the verified size signed again, the roots are compared whatever else the page says.
        if checkpoint.size == verified && checkpoint.root != self.frontier.root() {
            return Err(self.about(page, Evidence::two_roots(&self.origin, verified)));
        }
        let have = self.have();
        if page.start != have {
            return Err(self.malformed(page, format!("the page starts at {}, but {have} was asked for", page.start)));
        }
        let end = have.saturating_add(count(&page.commitments));
        if end > checkpoint.size {
            let summary = format!("the page has {end} commitments, but the checkpoint covers {}", checkpoint.size);
            return Err(self.malformed(page, summary));
        }
        if end == checkpoint.size {
            return Ok(true);
        }
        if page.commitments.is_empty() || items > 0 {
            return Err(
                self.malformed(page, "the page brings items or nothing before it reaches its checkpoint".to_owned())
            );
        }
        if self.pending.len() + page.commitments.len() > MAX_PENDING {
            return Err(self.malformed(page, format!("more than {MAX_PENDING} commitments wait for a checkpoint")));
        }
        Ok(false)
    }

    fn check_item(
        &self,
        item: FeedItem,
        covered: &Covered<'_>,
        known: impl Fn(Index) -> Option<Commitment>,
    ) -> Result<StepItem, Box<Evidence>> {
        let FeedItem { lane, kind, index, opening } = item;
        let fault =
            |kind, summary: &str| Box::new(Evidence::new(&self.origin, kind, format!("entry {index}: {summary}")));
        if index.0 >= covered.size {
            let kind = EvidenceKind::BeyondCheckpoint { index };
            return Err(fault(kind, "it was released, but the checkpoint does not cover it"));
        }
        let commitment = covered
            .at(index)
            .or_else(|| known(index))
            .ok_or_else(|| fault(EvidenceKind::Missing { index }, "our replica does not hold its commitment"))?;
        if let Some(opening) = &opening
            && !self.opens(opening, index, &commitment)
        {
            let kind = EvidenceKind::WrongOpening { index };
            let evidence = fault(kind, "its opening is not what the log committed to");
            return Err(Box::new(evidence.with_openings(lane, [opening])));
        }
        let content = match (kind, opening) {
            (ReleaseKind::Withdraw, _) => Content::Withdrawn,
            (ReleaseKind::Open | ReleaseKind::Backfill, Some(opening)) => match self.fit(&opening, lane) {
                Ok(envelope) => Content::Statement { envelope, opening },
                Err(reason) => Content::Unfit { opening, reason },
            },
            (ReleaseKind::Open | ReleaseKind::Backfill, None) => {
                return Err(fault(EvidenceKind::Malformed, "it was released without an opening"));
            }
        };
        Ok(StepItem { lane, kind, index, commitment, content })
    }

    /// Is it, with its body if it has one, exactly what the log committed to at `index`?
    fn opens(&self, opening: &Opening, index: Index, commitment: &Commitment) -> bool {
        let opened = commitment::of_opening(&self.origin, opening);
        opening.index == index && opened.is_ok_and(|opened| opened == *commitment)
    }

    /// The envelope of an opening that this version may use.
    fn fit(&self, opening: &Opening, lane: Lane) -> Result<Envelope, UnfitReason> {
        let envelope = envelope::decode(&opening.envelope)?;
        let body = opening.body.as_ref().map_or(0, |body| body.bytes.len());
        if envelope.realm != *self.origin.realm() {
            Err(UnfitReason::Realm(envelope.realm))
        } else if envelope.lane != lane {
            Err(UnfitReason::Lane)
        } else if envelope.label.tlp == Tlp::Red {
            Err(UnfitReason::Red)
        } else if body > model::limits::BODY_BYTES {
            Err(UnfitReason::Size(body))
        } else {
            Ok(envelope)
        }
    }

    fn malformed(&self, page: &FeedPage, summary: String) -> Box<Evidence> {
        self.about(page, Evidence::new(&self.origin, EvidenceKind::Malformed, summary))
    }

    /// Adds the page's checkpoint and commitments; its items, which may be under a label, are not part of `page` here.
    fn about(&self, page: &FeedPage, evidence: Evidence) -> Box<Evidence> {
        Box::new(evidence.with_theirs(&page.checkpoint).with_bytes(&wire::encode(page)))
    }
}

/// The commitments that a page's checkpoint newly covers.
struct Covered<'a> {
    from: u64,
    commitments: &'a [Commitment],
    size: u64,
}

impl Covered<'_> {
    fn at(&self, index: Index) -> Option<Commitment> {
        let at = usize::try_from(index.0.checked_sub(self.from)?).ok()?;
        self.commitments.get(at).copied()
    }
}

fn count(commitments: &[Commitment]) -> u64 {
    u64::try_from(commitments.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
