//! Gossip about chains: a log that opens one of two statements in a place to each of two members of an audience is found
//! out by what these tell each other, and proved to a third; words alone hold nobody, and strangers learn nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use ed25519_dalek::SigningKey;
use journal::checkpoint::{self, Checkpoint};
use journal::commitment;
use journal::evidence_file::{EvidenceFile, Proven};
use journal::heads::{Head, Heads};
use journal::note::NoteVerifier;
use journal::proof::{Extra, ProofFile};
use journal::sync::Replica;
use journal::tree::Frontier;
use journal::wire::{FeedItem, FeedPage, ReleaseKind};
use model::extension::{Audience, AudienceKind, Common, Extension};
use model::{
    AudienceAt, AudienceId, Commitment, Envelope, Index, Label, Lane, MediaType, MemberSet, OpenBody, Opening, Realm,
    Slot, ThreadId, ThreadVersion, Timestamp, Tlp,
};
use node::pull::turn::{self, Checked};
use node::query::evidence;
use node::receive::ReceiveError;
use node::{View, WriteError, gossip, heads, receive};
use store::{LogId, PartnerState, StoreError};
use world::{Nation, origin, peer, signed_identity, state_of};

const SEED: u8 = 9;
const AUDIENCE: AudienceId = AudienceId::new([4; 16]);

/// Malta, which puts into its log what it wants and opens of it what it wants.
struct Malta {
    members: MemberSet,
    commitments: Vec<Commitment>,
    openings: Vec<Opening>,
}

impl Malta {
    /// It has said who is in its audience.
    fn new(members: &[&Nation]) -> Self {
        let members = members.iter().map(|nation| nation.node.me().origin.clone());
        let members = MemberSet::new(members).unwrap();
        let mut malta = Self { members: members.clone(), commitments: Vec::new(), openings: Vec::new() };
        let at = Timestamp::from_seconds(1_790_000_000);
        let common = Common::new(Audience::KIND, [1; 16], &origin("MT", SEED), at).unwrap();
        let (name, kind) = ("islands".to_owned(), AudienceKind::Named);
        let said = Audience { common, audience: AUDIENCE, version: 1, name, kind, members };
        malta.say(Lane::Workflow, 0, None, &said.to_bytes());
        malta
    }

    fn say(&mut self, lane: Lane, sequence: u64, previous: Option<Commitment>, body: &[u8]) -> Commitment {
        let salt = [u8::try_from(self.openings.len()).unwrap(); 32];
        let envelope = journal::envelope::encode(&Envelope {
            realm: Realm::Real,
            lane,
            thread: ThreadId::new([salt[0]; 16]),
            version: ThreadVersion(0),
            previous: None,
            audience: AudienceAt { id: AUDIENCE, version: 1, members: self.members.digest() },
            slot: Some(Slot { sequence, previous }),
            label: Label::from(Tlp::Amber),
            walled: None,
            media: MediaType::Stix,
        });
        let opening = Opening {
            index: Index(self.openings.len() as u64),
            entry_salt: salt,
            envelope,
            body_commitment: commitment::body_commitment(&salt, body),
            body: Some(OpenBody { salt, bytes: body.to_vec() }),
        };
        let committed = commitment::of_opening(&origin("MT", SEED), &opening).unwrap();
        self.commitments.push(committed);
        self.openings.push(opening);
        committed
    }

    fn indicator(&mut self, sequence: u64, previous: Option<Commitment>) -> Commitment {
        let number = self.openings.len();
        let body = format!(
            r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--{number:08x}-0000-4000-8000-000000000000",
"created":"2026-11-20T08:00:00.000Z","modified":"2026-11-20T08:00:00.000Z","name":"beacon {number}",
"pattern":"[domain-name:value = 'b{number}.example']","pattern_type":"stix","valid_from":"2026-11-20T08:00:00Z"}}"#
        );
        self.say(Lane::Intelligence, sequence, previous, body.as_bytes())
    }

    fn signed(&self) -> String {
        let mut frontier = Frontier::default();
        frontier.extend(&self.commitments);
        let size = self.commitments.len() as u64;
        let checkpoint = Checkpoint { origin: origin("MT", SEED), size, root: frontier.root() };
        checkpoint::sign(&checkpoint, &SigningKey::from_bytes(&[SEED; 32])).text().to_owned()
    }

    /// Everything that was said is committed to; only what is named is opened.
    fn page(&self, replica: &Replica, shown: &[usize]) -> FeedPage {
        let from = usize::try_from(replica.have()).unwrap();
        let item = |at: &usize| {
            let opening = self.openings[*at].clone();
            let lane = journal::envelope::decode(&opening.envelope).unwrap().lane;
            FeedItem { lane, kind: ReleaseKind::Open, index: opening.index, opening: Some(opening) }
        };
        FeedPage {
            checkpoint: self.signed(),
            start: replica.have(),
            commitments: self.commitments[from..].to_vec(),
            items: shown.iter().map(item).collect(),
            workflow_cursor: "w".to_owned(),
            intelligence_cursor: "i".to_owned(),
            more: false,
            notes: Vec::new(),
        }
    }

    async fn show(&self, to: &Nation, shown: &[usize]) {
        let start = to.node.read(|view| turn::start(view, malta_log(view), &origin("MT", SEED), None)).await.unwrap();
        let replica = start.expect("it is an active partner").replica;
        let page = self.page(&replica, shown);
        let checked = to.node.read(move |view| turn::check(view, malta_log(view), &replica, page)).await.unwrap();
        let Checked::Step(step) = checked else { panic!("{checked:?}") };
        to.node.write(move |work| receive::receive(work, malta_of(work.tx), *step)).await.unwrap();
    }
}

fn malta_of(db: &store::Db<'_>) -> LogId {
    db.log_id(&origin("MT", SEED)).unwrap().unwrap()
}

fn malta_log(view: &View<'_, '_>) -> LogId {
    malta_of(view.db)
}

async fn knows_malta(nation: &Nation) {
    let roster = journal::roster::Roster {
        title: "test".into(),
        entries: vec![signed_identity("MT", SEED)],
        issued: Timestamp::from_seconds(1_790_000_000),
    };
    let key = SigningKey::from_bytes(&[1; 32]);
    let text = journal::roster::sign(&roster, &key).unwrap();
    let known = nation.node.write(move |work| {
        node::partner::propose_roster(work, &text, key.verifying_key().as_bytes())?;
        node::partner::confirm(work, "MT")
    });
    known.await.unwrap();
}

/// Estonia and Latvia, partners of each other and of Malta.
async fn two() -> (Nation, Nation) {
    let (ee, lv) = (Nation::new("EE", 2), Nation::new("LV", 3));
    peer(&ee, &lv).await;
    knows_malta(&ee).await;
    knows_malta(&lv).await;
    (ee, lv)
}

async fn notes(at: &Nation, to: &'static str) -> Vec<String> {
    at.node.read(move |view| gossip::notes(view, &node::partner::find(view.db, to).unwrap())).await.unwrap()
}

async fn hear(at: &Nation, from: &'static str, notes: Vec<String>) {
    let heard = at.node.write(move |work| {
        let from = node::partner::find(work.tx, from).unwrap().log;
        gossip::hear(work, from, &notes)
    });
    heard.await.unwrap();
}

/// Each tells the other once.
async fn tell(from: &Nation, to: &Nation) {
    let (name, other) = if from.country() == "EE" { ("EE", "LV") } else { ("LV", "EE") };
    let told = notes(from, other).await;
    hear(to, name, told).await;
}

async fn is_held(at: &Nation) -> bool {
    let state = at.node.read(|view| Ok::<_, StoreError>(state_of(view, "MT"))).await.unwrap();
    state == Some(PartnerState::Held)
}

/// What a third party makes of the evidence: it has Malta's key and needs to believe nobody else.
async fn proved(at: &Nation) -> [Index; 2] {
    let file = at.node.read(|view| {
        let found = view.db.evidence(None, 9).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        evidence::file(view, found[0].id)
    });
    let file = EvidenceFile::read(&file.await.unwrap().write()).unwrap();
    let key = SigningKey::from_bytes(&[SEED; 32]).verifying_key();
    let key = NoteVerifier::new(&origin("MT", SEED).to_string(), key).unwrap();
    let Proven::Statements(proven) = file.verify(&[key]).unwrap().into_inner() else { panic!("another kind") };
    assert_eq!(proven.audience, AUDIENCE);
    proven.entries
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_statements_in_a_place_for_each_of_two_members_is_found_by_both_and_proved() {
    let (ee, lv) = two().await;
    let mut malta = Malta::new(&[&ee, &lv]);
    malta.indicator(0, None);
    malta.indicator(0, None);
    malta.show(&ee, &[0, 1]).await;
    malta.show(&lv, &[0, 2]).await;
    tell(&ee, &lv).await;
    assert!(!is_held(&lv).await, "Estonia's words alone accuse nobody");
    tell(&lv, &ee).await;
    assert!(is_held(&ee).await, "Latvia has shown what stands with it");
    tell(&ee, &lv).await;
    assert!(is_held(&lv).await, "and Estonia too");
    assert_eq!((proved(&ee).await, proved(&lv).await), ([Index(1), Index(2)], [Index(2), Index(1)]));
    for (at, other) in [(&ee, "LV"), (&lv, "EE")] {
        let state = at.node.read(move |view| Ok::<_, StoreError>(state_of(view, other))).await.unwrap();
        assert_eq!(state, Some(PartnerState::Active), "who tells is not blamed");
    }
    // People who have looked at it go on, and the same does not hold Malta again.
    ee.node.write(|work| node::partner::resume(work, "MT")).await.unwrap();
    tell(&lv, &ee).await;
    assert!(!is_held(&ee).await);
    let kept = ee.node.read(|view| view.db.evidence(None, 9)).await.unwrap();
    assert_eq!(kept.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_chains_of_other_lengths_are_compared_where_both_have_something() {
    let (ee, lv) = two().await;
    let mut malta = Malta::new(&[&ee, &lv]);
    // Two chains from the first place on: three statements for Estonia, and one for Latvia.
    let first = malta.indicator(0, None);
    let second = malta.indicator(1, Some(first));
    malta.indicator(2, Some(second));
    malta.indicator(0, None);
    // Estonia lacks the first, and knows from the second what must stand there.
    malta.show(&ee, &[0, 2, 3]).await;
    malta.show(&lv, &[0, 4]).await;
    tell(&lv, &ee).await;
    tell(&ee, &lv).await;
    assert!(is_held(&lv).await);
    assert_eq!(proved(&lv).await, [Index(4), Index(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_statements_that_are_made_up_hold_nobody() {
    let (ee, lv) = two().await;
    let mut malta = Malta::new(&[&ee, &lv]);
    malta.indicator(0, None);
    malta.show(&ee, &[0, 1]).await;
    malta.show(&lv, &[0, 1]).await;
    tell(&lv, &ee).await;
    let head = |sequence| Head {
        audience: AUDIENCE,
        version: 1,
        lane: Lane::Intelligence,
        sequence,
        commitment: Commitment::new([7; 32]),
    };
    let lie = |sequence| Heads { origin: origin("MT", SEED), heads: vec![head(sequence)] }.write();
    // A statement that Malta never made, under a tree that it never signed; and a true one, told again.
    let mut other = Malta::new(&[&ee, &lv]);
    other.indicator(0, None);
    other.openings[1].entry_salt = [77; 32];
    let mut true_one = malta.openings[1].clone();
    true_one.body = None;
    let file = |opening: &Opening| ProofFile {
        extra: Extra { origin: origin("MT", SEED), opening: Opening { body: None, ..opening.clone() } },
        index: opening.index,
        hashes: vec![journal::tree::leaf_hash(&malta.commitments[0])],
        checkpoint: malta.signed(),
    };
    let told = vec![lie(0), lie(7), file(&other.openings[1]).write(), file(&true_one).write(), "rubbish".to_owned()];
    hear(&ee, "LV", told).await;
    assert!(!is_held(&ee).await);
    assert_eq!(ee.node.read(|view| view.db.evidence(None, 9)).await.unwrap(), []);
    // Latvia is shown what it was owed anyway: the envelope that its claim is about, without the body.
    let shown: Vec<ProofFile> = notes(&ee, "LV").await.iter().filter_map(|note| ProofFile::read(note).ok()).collect();
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].index, &shown[0].extra.opening.body), (Index(1), &None));
    // Once it says what is true, there is nothing to show any more.
    tell(&lv, &ee).await;
    assert!(notes(&ee, "LV").await.iter().all(|note| ProofFile::read(note).is_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_in_an_audience_learns_nothing_of_it_and_is_not_listened_to() {
    let (ee, lv) = two().await;
    let mut malta = Malta::new(&[&ee]);
    malta.indicator(0, None);
    malta.show(&ee, &[0, 1]).await;
    malta.show(&lv, &[]).await;
    let about = |notes: &[String]| notes.iter().any(|note| note.contains("entraide/MT"));
    assert!(!about(&notes(&ee, "LV").await), "Latvia is not in it");
    let commitment = Commitment::new([7; 32]);
    let head = Head { audience: AUDIENCE, version: 1, lane: Lane::Intelligence, sequence: 0, commitment };
    let lie = |head| Heads { origin: origin("MT", SEED), heads: vec![head] }.write();
    hear(&ee, "LV", vec![lie(head), lie(Head { sequence: 5, ..head })]).await;
    assert!(!about(&notes(&ee, "LV").await), "and gets no envelope by asking");
    let beyond = |view: &View<'_, '_>| view.db.heard_heads(malta_log(view));
    assert_eq!(ee.node.read(beyond).await.unwrap(), [], "nor is its word of more kept");
    // Nor is what is said of an audience, or of a version of one, that nobody here has heard of.
    let unheard = [Head { audience: AudienceId::new([9; 16]), ..head }, Head { version: 2, sequence: 5, ..head }];
    hear(&ee, "LV", unheard.map(lie).to_vec()).await;
    assert_eq!(ee.node.read(beyond).await.unwrap(), []);
}

#[tokio::test]
async fn of_a_nation_that_is_held_or_cut_nothing_more_is_taken_in() {
    let (ee, lv) = two().await;
    let mut malta = Malta::new(&[&ee, &lv]);
    malta.show(&ee, &[0]).await;
    let start = ee.node.read(|view| turn::start(view, malta_log(view), &origin("MT", SEED), None)).await.unwrap();
    let replica = start.expect("it is an active partner").replica;
    malta.indicator(0, None);
    let page = malta.page(&replica, &[1]);
    let checked = ee.node.read(move |view| turn::check(view, malta_log(view), &replica, page)).await.unwrap();
    let Checked::Step(step) = checked else { panic!("{checked:?}") };
    ee.node.write(|work| node::partner::hold(work, "MT", "to be looked at")).await.unwrap();
    let late = ee.node.write(move |work| receive::receive(work, malta_of(work.tx), *step)).await;
    assert!(matches!(late, Err(WriteError::Refused(ReceiveError::NotActive))), "{late:?}");
    let commitment = Commitment::new([7; 32]);
    let head = Head { audience: AUDIENCE, version: 1, lane: Lane::Intelligence, sequence: 5, commitment };
    hear(&ee, "LV", vec![Heads { origin: origin("MT", SEED), heads: vec![head] }.write()]).await;
    assert_eq!(ee.node.read(|view| view.db.heard_heads(malta_log(view))).await.unwrap(), []);
}

#[tokio::test]
async fn a_step_that_was_taken_is_not_taken_again() {
    let (ee, lv) = two().await;
    let malta = Malta::new(&[&ee, &lv]);
    let start = ee.node.read(|view| turn::start(view, malta_log(view), &origin("MT", SEED), None)).await.unwrap();
    let replica = start.expect("it is an active partner").replica;
    let twice = [malta.page(&replica, &[0]), malta.page(&replica, &[0])];
    let mut taken = Vec::new();
    for page in twice {
        let replica = replica.clone();
        let checked = ee.node.read(move |view| turn::check(view, malta_log(view), &replica, page)).await.unwrap();
        let Checked::Step(step) = checked else { panic!("{checked:?}") };
        taken.push(ee.node.write(move |work| receive::receive(work, malta_of(work.tx), *step)).await);
    }
    assert!(taken[0].is_ok() && matches!(taken[1], Err(WriteError::Refused(ReceiveError::Moved))), "{taken:?}");
    let size = ee.node.read(|view| view.db.tree(malta_log(view)).map(|tree| tree.size)).await.unwrap();
    assert_eq!(size, 1);
}

/// What Latvia is shown of others' word after a time, seconds.
async fn pointed_out(at: &Nation, after: i64) -> Vec<(String, Lane, u64)> {
    let read = at.node.read(move |view| {
        let now = Timestamp::from_micros(view.now.micros() + after * 1_000_000);
        let later = View { db: view.db, me: view.me, now, wall: now, signed: view.signed.clone(), signer: view.signer };
        heads::beyond(&later, malta_log(view))
    });
    read.await.unwrap().into_iter().map(|one| (one.by.country().to_string(), one.lane, one.more)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_is_kept_from_one_member_is_pointed_out_after_a_while_and_compared_once_it_comes() {
    let (ee, lv) = two().await;
    let mut malta = Malta::new(&[&ee, &lv]);
    malta.indicator(0, None);
    malta.show(&ee, &[0, 1]).await;
    malta.show(&lv, &[0]).await;
    tell(&ee, &lv).await;
    let late = node::limits::BEYOND_SECONDS;
    assert_eq!(pointed_out(&lv, late / 2).await, [], "it may be on its way");
    assert_eq!(pointed_out(&lv, late + 1).await, [("EE".to_owned(), Lane::Intelligence, 1)]);
    assert!(!is_held(&lv).await);
    malta.show(&lv, &[1]).await;
    assert_eq!(pointed_out(&lv, late + 1).await, [], "it came");

    // What comes instead is another statement: found the moment it is here.
    let first = malta.commitments[1];
    malta.indicator(1, Some(first));
    malta.indicator(1, Some(first));
    malta.show(&ee, &[2]).await;
    tell(&ee, &lv).await;
    malta.show(&lv, &[3]).await;
    tell(&lv, &ee).await;
    assert!(is_held(&ee).await);
    assert_eq!(proved(&ee).await, [Index(2), Index(3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_statements_in_a_place_shown_to_one_member_are_proved_to_others_too() {
    let (ee, lv) = two().await;
    let mut malta = Malta::new(&[&ee, &lv]);
    malta.indicator(0, None);
    malta.indicator(0, None);
    let start = ee.node.read(|view| turn::start(view, malta_log(view), &origin("MT", SEED), None)).await.unwrap();
    let replica = start.unwrap().replica;
    let page = malta.page(&replica, &[0, 1, 2]);
    let checked = ee.node.read(move |view| turn::check(view, malta_log(view), &replica, page)).await.unwrap();
    let Checked::Step(step) = checked else { panic!("{checked:?}") };
    let taken = turn::taken(ee.node.write(move |work| receive::receive(work, malta_of(work.tx), *step)).await);
    let turn::Taken::Hold(evidence) = taken else { panic!("{taken:?}") };
    ee.node.write(move |work| receive::hold(work, malta_of(work.tx), &evidence)).await.unwrap();
    assert_eq!(proved(&ee).await, [Index(1), Index(2)]);
}

/// Workflow comes first, so that a withdrawal overtakes what it takes back.
#[tokio::test]
async fn what_is_taken_back_before_it_comes_never_stands() {
    let (ee, lv) = two().await;
    let mut malta = Malta::new(&[&ee, &lv]);
    let first = malta.indicator(0, None);
    malta.indicator(1, Some(first));
    let start = ee.node.read(|view| turn::start(view, malta_log(view), &origin("MT", SEED), None)).await.unwrap();
    let mut replica = start.expect("it is an active partner").replica;
    let taken =
        |index| FeedItem { lane: Lane::Intelligence, kind: ReleaseKind::Withdraw, index: Index(index), opening: None };
    let mut early = malta.page(&replica, &[0]);
    early.items.extend([taken(1), taken(2)]);
    let take = async |replica: &mut Replica, page: FeedPage| {
        let held = replica.clone();
        let checked = ee.node.read(move |view| turn::check(view, malta_log(view), &held, page)).await.unwrap();
        let Checked::Step(step) = checked else { panic!("{checked:?}") };
        replica.advance(&step);
        ee.node.write(move |work| receive::receive(work, malta_of(work.tx), *step)).await.unwrap();
    };
    take(&mut replica, early).await;
    let waits = ee.node.read(|view| view.db.pending_withdrawal(malta_log(view), Index(1))).await.unwrap();
    assert!(waits.is_some(), "it is remembered");
    // One of them comes whole, as by a page that was under way, and one without what it said, as it is served now.
    let mut late = malta.page(&replica, &[1, 2]);
    late.items[1].opening.as_mut().unwrap().body = None;
    take(&mut replica, late).await;
    let stands = |view: &View<'_, '_>| {
        let mut all = Vec::new();
        for index in [1, 2] {
            let row = view.db.statement_at(malta_log(view), Index(index))?.unwrap();
            let state = view.db.object(row.id)?.map(|object| object.state);
            all.push((state, view.db.withdrawal_of(row.id)?.is_some()));
        }
        Ok::<_, StoreError>(all)
    };
    let expect = [(Some(store::ObjectState::Withdrawn), true), (None, true)];
    assert_eq!(ee.node.read(stands).await.unwrap(), expect);
    let digest = ee.node.read(|view| view.db.views_digest()).await.unwrap();
    ee.node.write(node::rebuild::rebuild).await.unwrap();
    assert_eq!(ee.node.read(stands).await.unwrap(), expect);
    assert_eq!(ee.node.read(|view| view.db.views_digest()).await.unwrap(), digest);
}
