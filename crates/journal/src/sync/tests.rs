//! The receiver against honest servers, in any split of pages, and against hostile ones.

use ed25519_dalek::SigningKey;
use model::{AudienceAt, AudienceId, Label, MediaType, MemberSet, OpenBody, RootId, Slot, ThreadId, ThreadVersion};
use proptest::prelude::*;

use super::*;
use crate::checkpoint;
use crate::wire::WireError;

#[test]
fn openings_of_known_places_are_taken_one_by_one_and_lies_are_left_behind() {
    let server = Server::with(12);
    let mut replica = server.replica();
    let Outcome::Verified(step) = replica.accept(server.page(0, 100, []), |_| None) else { panic!("honest") };
    replica.advance(&step);
    let mut items: Vec<FeedItem> = [2, 5, 7].map(|index| server.item(index)).to_vec();
    items[1].opening = server.item(6).opening;
    let mut beyond = server.item(3);
    beyond.index = Index(12);
    items.push(beyond);
    let taken = replica.openings(items, |index| server.known(index));
    assert_eq!(taken.iter().map(|item| item.index.0).collect::<Vec<_>>(), [2, 7]);
}

/// A partner's node: its log, what opens it, and its key.
struct Server {
    origin: Origin,
    key: SigningKey,
    commitments: Vec<Commitment>,
    openings: Vec<Opening>,
}

fn envelope(lane: Lane) -> Envelope {
    let members = MemberSet::empty().digest();
    Envelope {
        realm: Realm::Real,
        lane,
        thread: ThreadId::new([3; 16]),
        version: ThreadVersion(0),
        previous: None,
        audience: AudienceAt { id: AudienceId::new([4; 16]), version: 1, members },
        slot: Some(Slot { sequence: 0, previous: None }),
        label: Label::from(Tlp::Amber),
        walled: None,
        media: MediaType::Stix,
    }
}

fn lane_of(index: usize) -> Lane {
    if index.is_multiple_of(5) { Lane::Workflow } else { Lane::Intelligence }
}

impl Server {
    fn new() -> Self {
        let key = SigningKey::from_bytes(&[11; 32]);
        let root = RootId::of_key(key.verifying_key().as_bytes());
        let origin = Origin::new("EE".parse().unwrap(), Realm::Real, root);
        Self { origin, key, commitments: Vec::new(), openings: Vec::new() }
    }

    fn with(entries: usize) -> Self {
        let mut server = Self::new();
        server.grow(entries);
        server
    }

    fn grow(&mut self, entries: usize) {
        for _ in 0..entries {
            let at = self.openings.len();
            self.say(&envelope::encode(&envelope(lane_of(at))), at.to_string().as_bytes());
        }
    }

    fn say(&mut self, envelope: &[u8], body: &[u8]) {
        let at = self.openings.len();
        let salt = [u8::try_from(at % 251).unwrap(); 32];
        let opening = Opening {
            index: Index(at as u64),
            entry_salt: salt,
            envelope: envelope.to_vec(),
            body_commitment: commitment::body_commitment(&salt, body),
            body: Some(OpenBody { salt, bytes: body.to_vec() }),
        };
        self.commitments.push(commitment::of_opening(&self.origin, &opening).unwrap());
        self.openings.push(opening);
    }

    fn size(&self) -> usize {
        self.commitments.len()
    }

    fn frontier(&self) -> Frontier {
        let mut frontier = Frontier::default();
        frontier.extend(&self.commitments);
        frontier
    }

    fn checkpoint(&self) -> String {
        let (size, root) = (self.size() as u64, self.frontier().root());
        self.sign(&Checkpoint { origin: self.origin.clone(), size, root })
    }

    fn sign(&self, checkpoint: &Checkpoint) -> String {
        checkpoint::sign(checkpoint, &self.key).text().to_owned()
    }

    fn item(&self, index: usize) -> FeedItem {
        FeedItem {
            lane: lane_of(index),
            kind: ReleaseKind::Open,
            index: Index(index as u64),
            opening: Some(self.openings[index].clone()),
        }
    }

    /// An honest page: at most `most` commitments from `have`, and the items once they reach the checkpoint.
    fn page(&self, have: u64, most: usize, items: impl IntoIterator<Item = usize>) -> FeedPage {
        let from = usize::try_from(have).unwrap();
        let to = self.size().min(from + most);
        let complete = to == self.size();
        FeedPage {
            checkpoint: self.checkpoint(),
            start: have,
            commitments: self.commitments[from..to].to_vec(),
            items: items.into_iter().filter(|_| complete).map(|index| self.item(index)).collect(),
            workflow_cursor: "w".to_owned(),
            intelligence_cursor: "i".to_owned(),
            more: !complete,
            notes: Vec::new(),
        }
    }

    fn replica(&self) -> Replica {
        Replica::new(self.origin.clone(), self.key.verifying_key().as_bytes(), Frontier::default()).unwrap()
    }

    /// A replica that has verified everything so far.
    fn in_step(&self) -> Replica {
        Replica { frontier: self.frontier(), ..self.replica() }
    }

    fn known(&self, index: Index) -> Option<Commitment> {
        self.commitments.get(usize::try_from(index.0).unwrap()).copied()
    }
}

fn verified(outcome: Outcome) -> Verified<Step> {
    match outcome {
        Outcome::Verified(step) => step,
        Outcome::Broken(evidence) => panic!("{evidence:?}"),
    }
}

fn broken(outcome: Outcome) -> Evidence {
    match outcome {
        Outcome::Broken(evidence) => evidence,
        Outcome::Verified(step) => panic!("verified: {step:?}"),
    }
}

fn only_content(server: &Server, page: FeedPage) -> Content {
    let step = verified(server.replica().accept(page, |_| None)).into_inner();
    step.items.into_iter().next().unwrap().content
}

#[test]
fn a_page_becomes_a_step() {
    let server = Server::with(7);
    let mut replica = server.replica();
    assert_eq!(
        replica.request(None, Some("x".to_owned()), 600),
        FeedRequest {
            have: 0,
            workflow: None,
            intelligence: Some("x".to_owned()),
            wait_seconds: MAX_WAIT_SECONDS,
            wire: wire::WIRE_VERSION,
        }
    );
    let step = verified(replica.accept(server.page(0, 100, [0, 3]), |_| None));
    assert_eq!((step.first, step.commitments.len(), step.pending.len()), (0, 7, 0));
    assert_eq!(step.frontier, server.frontier());
    assert_eq!((step.items[1].index, step.items[1].commitment), (Index(3), server.commitments[3]));
    let expect = Content::Statement { envelope: envelope(Lane::Intelligence), opening: server.openings[3].clone() };
    assert_eq!(step.items[1].content, expect);
    replica.advance(&step);
    assert_eq!((replica.verified_size(), replica.have()), (7, 7));
    // Nothing new, an older entry opened later (backfill), and one taken back.
    let mut page = server.page(7, 100, [2, 4]);
    page.items[0].kind = ReleaseKind::Backfill;
    page.items[1] = FeedItem { kind: ReleaseKind::Withdraw, opening: None, ..page.items[1].clone() };
    let step = verified(replica.accept(page, |index| server.known(index)));
    assert!(step.commitments.is_empty() && matches!(step.items[0].content, Content::Statement { .. }));
    assert_eq!((&step.items[1].content, step.items[1].commitment), (&Content::Withdrawn, server.commitments[4]));
}

#[test]
fn an_opening_without_its_body_keeps_its_place() {
    let server = Server::with(3);
    let mut page = server.page(0, 100, [1]);
    if let Some(opening) = &mut page.items[0].opening {
        opening.body = None;
    }
    assert!(matches!(only_content(&server, page), Content::Statement { opening, .. } if opening.body.is_none()));
}

#[test]
fn what_is_rightly_opened_but_of_no_use_is_kept_raw() {
    let check = |envelope: &[u8], lane: Lane, expect: fn(&UnfitReason) -> bool| {
        let mut server = Server::with(2);
        server.say(envelope, b"{}");
        let mut page = server.page(0, 100, [2]);
        page.items[0].lane = lane;
        match only_content(&server, page) {
            Content::Unfit { opening, reason } => {
                assert!(expect(&reason), "{reason}");
                assert_eq!(opening, server.openings[2]);
            }
            other @ (Content::Statement { .. } | Content::Withdrawn) => panic!("{other:?}"),
        }
    };
    let with = |change: fn(&mut Envelope)| {
        let mut envelope = envelope(Lane::Workflow);
        change(&mut envelope);
        envelope::encode(&envelope)
    };
    check(&with(|_| {}), Lane::Intelligence, |reason| matches!(reason, UnfitReason::Lane));
    let exercise = with(|e| e.realm = "EX-BLUE".parse().unwrap());
    check(&exercise, Lane::Workflow, |reason| matches!(reason, UnfitReason::Realm(_)));
    let red = with(|e| {
        e.label = Label::from(Tlp::Red);
        e.slot = None;
    });
    check(&red, Lane::Workflow, |reason| matches!(reason, UnfitReason::Red));
    check(&[], Lane::Workflow, |reason| matches!(reason, UnfitReason::Envelope(_)));
    check(&[200, 1, 2], Lane::Workflow, |reason| matches!(reason, UnfitReason::Envelope(EnvelopeError::Newer { .. })));
}

#[test]
fn a_log_that_lies_is_evidence() {
    let check = |change: fn(&mut FeedPage, &Server), expect: EvidenceKind| {
        let mut server = Server::with(6);
        let replica = server.in_step();
        let known = server.commitments.clone();
        server.grow(4);
        let mut page = server.page(6, 100, [8]);
        change(&mut page, &server);
        let evidence = broken(replica.accept(page, |index| known.get(usize::try_from(index.0).unwrap()).copied()));
        assert_eq!(evidence.kind, expect, "{}", evidence.summary);
        assert!(evidence.checkpoint_theirs.is_some() && evidence.origin == server.origin);
    };
    let wrong = EvidenceKind::WrongOpening { index: Index(8) };
    // Signed, but not the root of these entries.
    check(|page, _| page.commitments[1] = Commitment::new([9; 32]), EvidenceKind::Fork);
    check(|page, _| page.commitments.swap(0, 1), EvidenceKind::Fork);
    // Another history of the size that was verified.
    check(
        |page, server| {
            let root = TreeHash::new([1; 32]);
            page.checkpoint = server.sign(&Checkpoint { origin: server.origin.clone(), size: 6, root });
        },
        EvidenceKind::Fork,
    );
    check(|page, _| page.checkpoint = Server::with(5).checkpoint(), EvidenceKind::Rollback);
    check(
        |page, server| {
            let other = Server { key: SigningKey::from_bytes(&[12; 32]), ..Server::with(10) };
            assert_eq!(other.origin, server.origin);
            page.checkpoint = other.checkpoint();
        },
        EvidenceKind::BadSignature,
    );
    check(
        |page, server| {
            let other = Server { origin: server.origin.with_epoch(1), ..Server::with(10) };
            page.checkpoint = other.checkpoint();
        },
        EvidenceKind::OriginMismatch,
    );
    check(
        |page, server| page.items[0].opening = Some(Opening { index: Index(8), ..server.openings[7].clone() }),
        wrong,
    );
    check(|page, _| page.items[0].opening.as_mut().unwrap().entry_salt[0] ^= 1, wrong);
    check(|page, _| page.items[0].opening.as_mut().unwrap().body.as_mut().unwrap().bytes.push(b' '), wrong);
    check(|page, _| page.items[0].index = Index(7), EvidenceKind::WrongOpening { index: Index(7) });
    check(|page, _| page.items[0].opening.as_mut().unwrap().index = Index(7), wrong);
    // An older entry, against what was verified before.
    check(|page, _| page.items[0].index = Index(2), EvidenceKind::WrongOpening { index: Index(2) });
}

#[test]
fn an_answer_that_breaks_the_protocol_accuses_nobody() {
    let check = |change: fn(&mut FeedPage), expect: EvidenceKind| {
        let mut server = Server::with(6);
        let replica = server.in_step();
        server.grow(4);
        let mut page = server.page(6, 100, [8]);
        change(&mut page);
        let evidence = broken(replica.accept(page, |_| None));
        assert_eq!(evidence.kind, expect, "{}", evidence.summary);
        assert!(!evidence.kind.is_cryptographic() && evidence.bytes.len() <= MAX_EVIDENCE_BYTES);
    };
    check(|page| page.start = 5, EvidenceKind::Malformed);
    check(|page| page.checkpoint.clear(), EvidenceKind::Malformed);
    check(|page| page.commitments.push(Commitment::new([0; 32])), EvidenceKind::Malformed);
    check(|page| page.commitments.truncate(2), EvidenceKind::Malformed);
    check(
        |page| {
            page.commitments.push(Commitment::new([0; 32]));
            page.items.clear();
        },
        EvidenceKind::Malformed,
    );
    check(
        |page| {
            page.commitments.clear();
            page.items.clear();
        },
        EvidenceKind::Malformed,
    );
    check(|page| page.items[0].opening = None, EvidenceKind::Malformed);
    check(|page| page.items[0].index = Index(10), EvidenceKind::BeyondCheckpoint { index: Index(10) });
    check(|page| page.items[0].index = Index(u64::MAX), EvidenceKind::BeyondCheckpoint { index: Index(u64::MAX) });
    check(|page| page.items[0].index = Index(3), EvidenceKind::Missing { index: Index(3) });
}

#[test]
fn no_more_commitments_wait_for_a_checkpoint_than_the_limit() {
    let server = Server::with(1);
    let has = MAX_PENDING as u64;
    let check = |waiting: u64, good: bool| {
        let pending = vec![Commitment::new([0; 32]); usize::try_from(waiting).unwrap()];
        let replica = Replica { pending, ..server.replica() };
        let far = Checkpoint { origin: server.origin.clone(), size: has + 9, root: TreeHash::new([1; 32]) };
        let page = FeedPage { checkpoint: server.sign(&far), start: waiting, ..server.page(0, 1, []) };
        match replica.accept(page, |_| None) {
            Outcome::Verified(step) => assert!(good && step.pending.len() as u64 == waiting + 1),
            Outcome::Broken(evidence) => assert!(!good && evidence.kind == EvidenceKind::Malformed, "{evidence:?}"),
        }
    };
    check(has - 1, true);
    check(has, false);
}

#[test]
fn a_body_beyond_the_limit_is_kept_raw() {
    for (bytes, fits) in [(model::limits::BODY_BYTES, true), (model::limits::BODY_BYTES + 1, false)] {
        let mut server = Server::new();
        server.say(&envelope::encode(&envelope(lane_of(0))), &vec![b' '; bytes]);
        match only_content(&server, server.page(0, 1, [0])) {
            Content::Unfit { reason, .. } => {
                assert!(!fits && matches!(reason, UnfitReason::Size(size) if size == bytes))
            }
            Content::Statement { .. } => assert!(fits, "{bytes}"),
            Content::Withdrawn => panic!("it was opened"),
        }
    }
}

#[test]
fn what_others_say_of_a_log_is_compared() {
    let mut server = Server::with(6);
    let replica = server.in_step();
    let earlier = Server::with(4);
    let root_at = |size| (size == 4).then(|| earlier.frontier().root());
    assert!(matches!(replica.gossip(&server.checkpoint(), root_at), Gossip::Consistent));
    assert!(matches!(replica.gossip(&earlier.checkpoint(), root_at), Gossip::Consistent));
    assert!(matches!(replica.gossip(&Server::with(3).checkpoint(), root_at), Gossip::Unfounded));
    assert!(matches!(replica.gossip("nonsense", root_at), Gossip::Unfounded));
    let split = |size| server.sign(&Checkpoint { origin: server.origin.clone(), size, root: TreeHash::new([1; 32]) });
    for size in [4, 6] {
        assert!(matches!(replica.gossip(&split(size), root_at), Gossip::Broken(e) if e.kind == EvidenceKind::Fork));
    }
    let key = server.key.verifying_key();
    let ours = server.checkpoint();
    let fork = Evidence::fork(&server.origin, &key, &ours, &split(6)).unwrap();
    assert_eq!((fork.checkpoint_ours, fork.checkpoint_theirs), (Some(ours.clone()), Some(split(6))));
    assert_eq!(Evidence::fork(&server.origin, &key, &ours, &earlier.checkpoint()), None);
    server.grow(1);
    assert!(matches!(replica.gossip(&server.checkpoint(), root_at), Gossip::Ahead(c) if c.size == 7));
}

#[test]
fn a_slot_conflict_keeps_both_openings() {
    let server = Server::with(3);
    let evidence = Evidence::slot_conflict(server.origin.clone(), Index(1), Index(2))
        .with_openings(Lane::Workflow, &server.openings[1..])
        .with_ours(&server.checkpoint());
    assert_eq!(evidence.kind.word(), "slot-conflict");
    assert!(evidence.kind.is_cryptographic());
    let expect: usize = server.openings[1..]
        .iter()
        .map(|opening| 77 + opening.envelope.len() + 36 + opening.body.as_ref().unwrap().bytes.len())
        .sum();
    assert_eq!(evidence.bytes.len(), expect);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A log that grows while it is fetched, in pages of any size, always ends at the same frontier.
    #[test]
    fn every_split_ends_at_the_same_frontier(turns in prop::collection::vec((0..30_usize, 1..20_usize), 1..12)) {
        let mut server = Server::new();
        let mut replica = server.replica();
        let mut kept = Vec::new();
        for (growth, most) in turns.into_iter().chain(std::iter::repeat_n((0, 20), 20)) {
            server.grow(growth);
            let have = replica.request(None, None, 0).have;
            let page = server.page(have, most, 0..server.size());
            let page = wire::decode(&wire::encode(&page)).unwrap();
            let step = verified(replica.accept(page, |index| kept.get(usize::try_from(index.0).unwrap()).copied()));
            prop_assert_eq!(step.first, kept.len() as u64);
            prop_assert_eq!(step.items.len(), if step.more { 0 } else { server.size() });
            kept.extend_from_slice(&step.commitments);
            replica.advance(&step);
        }
        prop_assert_eq!(kept, server.commitments.clone());
        prop_assert_eq!(replica.frontier.clone(), server.frontier());
        prop_assert!(replica.pending.is_empty());
    }

    /// One changed byte: refused, evidence, or a step with the same commitments whose openings are all true.
    #[test]
    fn no_changed_byte_changes_what_is_verified(
        before in 0..4_usize, growth in 1..5_usize, at in any::<prop::sample::Index>(), mask in 1_u8..
    ) {
        let mut server = Server::with(before);
        let replica = server.in_step();
        let known = server.commitments.clone();
        server.grow(growth);
        let mut bytes = wire::encode(&server.page(before as u64, 100, 0..server.size()));
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        let page: Result<FeedPage, WireError> = wire::decode(&bytes);
        let Ok(page) = page else { return Ok(()) };
        let outcome = replica.accept(page, |index| known.get(usize::try_from(index.0).unwrap()).copied());
        let Outcome::Verified(step) = outcome else { return Ok(()) };
        prop_assert_eq!(&step.commitments[..], &server.commitments[before..]);
        prop_assert_eq!(&step.frontier, &server.frontier());
        for item in &step.items {
            let at = usize::try_from(item.index.0).unwrap();
            prop_assert_eq!(item.commitment, server.commitments[at]);
            match &item.content {
                Content::Statement { envelope, opening } => {
                    prop_assert_eq!(opening, &server.openings[at]);
                    prop_assert_eq!(envelope.lane, lane_of(at));
                }
                Content::Unfit { opening, reason } => {
                    prop_assert_eq!(opening, &server.openings[at]);
                    prop_assert_eq!(reason, &UnfitReason::Lane);
                }
                Content::Withdrawn => prop_assert_eq!(item.kind, ReleaseKind::Withdraw),
            }
        }
    }
}
