//! Every face of the node against the second, naive policy: on random worlds, what leaves is exactly what it admits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::collections::BTreeSet;

use journal::wire::FeedRequest;
use model::extension::{AudienceKind, WithdrawalAction};
use model::{Desk, EntryRef, Index, Lane, MediaType, Pap, Role, Tlp, Walled};
use node::Actor;
use node::assert::{Assert, ObjectFate, RawObject};
use node::audience::{self, Choice};
use node::query::{entries, exports, objects, reached, who_sees};
use policy::{Facts, Kind, Purpose, Viewer, WallException, oracle};
use proptest::prelude::*;
use store::{DisclosureRow, ExportPurpose, ObjectFilter, ObjectRow, ObjectState, StoreError};
use world::{Nation, peer};

/// One statement of a random world.
#[derive(Debug, Clone)]
struct Saying {
    tlp: Tlp,
    pap: Option<Pap>,
    walled: Option<Walled>,
    disclosed: bool,
    audience: usize,
    withdrawn: bool,
}

/// A random world: who is in which audience, and what is said.
#[derive(Debug, Clone)]
struct World {
    audiences: Vec<Vec<bool>>,
    sayings: Vec<Saying>,
    roles: Vec<Role>,
    desk: Desk,
}

const PARTNERS: [&str; 3] = ["EE", "DE", "MT"];

fn worlds() -> impl Strategy<Value = World> {
    let audiences = prop::collection::vec(prop::collection::vec(any::<bool>(), PARTNERS.len()), 1..4);
    let wall = (0..5_u8, 0..5_u8, prop::bool::weighted(0.3));
    let saying = (0..5_u8, any::<prop::sample::Index>(), prop::bool::weighted(0.2), wall);
    let sayings = prop::collection::vec(saying, 1..12);
    let roles = prop::collection::vec(prop::sample::select(Role::ALL), 1..3);
    (audiences, sayings, roles, prop::sample::select(Desk::ALL)).prop_map(|(audiences, sayings, roles, desk)| {
        let count = audiences.len();
        let sayings = sayings
            .into_iter()
            .map(|(tlp, audience, withdrawn, (pap, walled, disclosed))| Saying {
                tlp: Tlp::from_code(tlp).unwrap(),
                pap: Pap::from_code(pap).unwrap(),
                walled: Walled::from_code(walled).unwrap(),
                disclosed,
                audience: audience.index(count),
                withdrawn,
            })
            .collect();
        World { audiences, sayings, roles, desk }
    })
}

fn indicator(number: usize) -> RawObject {
    let text = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-{number:012x}","created":"2026-11-01T00:00:00Z","modified":"2026-11-02T00:00:00Z","pattern":"[url:value = 'x']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"}}"#
    );
    RawObject { media: MediaType::Stix, bytes: text.into_bytes() }
}

async fn build(world: &World) -> (Nation, Vec<Nation>) {
    let france = Nation::new("FR", 1);
    let partners: Vec<Nation> = PARTNERS.iter().zip(2..).map(|(country, seed)| Nation::new(country, seed)).collect();
    for partner in &partners {
        peer(&france, partner).await;
    }
    for (number, members) in world.audiences.iter().enumerate() {
        let members: Vec<String> = PARTNERS
            .iter()
            .zip(members)
            .filter(|(_, is_member)| **is_member)
            .map(|(country, _)| (*country).to_owned())
            .collect();
        let name = format!("audience {number}");
        let made = france.node.write(move |work| audience::create(work, &name, AudienceKind::Named, &members));
        made.await.unwrap();
    }
    for (number, saying) in world.sayings.iter().enumerate() {
        let audience = match saying.tlp {
            Tlp::Red => Choice::Default,
            Tlp::Clear | Tlp::Green | Tlp::Amber | Tlp::AmberStrict => {
                Choice::Named(format!("audience {}", saying.audience))
            }
        };
        let (tlp, pap, walled) = (saying.tlp, saying.pap, saying.walled);
        let command = Assert { objects: vec![indicator(number)], tlp, pap, audience, walled };
        let fates = france.node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
        let ObjectFate::Asserted { index, .. } = fates[0] else { panic!("{fates:?}") };
        if saying.disclosed && walled.is_some() && tlp != Tlp::Red {
            disclose(&france, index).await;
        }
        if saying.withdrawn {
            let taken = france
                .node
                .write(move |work| node::withdraw::withdraw(work, index, WithdrawalAction::StopSharing, "a test"));
            taken.await.unwrap();
        }
    }
    (france, partners)
}

async fn disclose(france: &Nation, index: Index) {
    let act = node::disclose::Disclose {
        index,
        desk: Desk::CompetentAuthority,
        article: "NIS2 Art 32(4)".to_owned(),
        reason: "a test".to_owned(),
        person: None,
    };
    let person = Some(store::PersonId(1));
    let by = Actor { person, login: "anna".to_owned(), desk: Desk::Csirt, roles: vec![Role::DutyOfficer] };
    france.node.write(move |work| node::disclose::disclose(work, &by, &act)).await.unwrap();
}

/// The facts of every own object, read past the gate: what the oracle judges. What was said and disclosed is taken from the
/// rows and the table of acts, not from what the gate was told.
async fn facts(france: &Nation) -> Vec<(ObjectRow, Facts)> {
    let read = france.node.read(|view| {
        let mut all = Vec::new();
        for row in view.db.objects_page(&ObjectFilter::default(), None, 1_000)? {
            let mut facts = node::query::facts_of_row(view, &row)?;
            facts.member_set = reached(view.db, row.statement)?.into();
            facts.kind = match (row.walled, row.lane) {
                (Some(Walled::VoluntaryNotice), _) => Kind::VoluntaryNotice,
                (Some(Walled::HelpConversation), _) => Kind::HelpConversation,
                (Some(Walled::Evidence), _) => Kind::Evidence,
                (Some(Walled::HelperFinding), _) => Kind::HelperFinding,
                (None, Lane::Workflow) => Kind::Workflow,
                (None, Lane::Intelligence) => Kind::Intelligence,
            };
            let exception =
                |act: DisclosureRow| WallException { desk: act.desk, article: act.article.parse().unwrap() };
            facts.disclosed_to = view.db.disclosures(row.statement)?.into_iter().map(exception).collect();
            facts.voluntary = facts.kind == Kind::VoluntaryNotice;
            all.push((row, facts));
        }
        Ok::<_, StoreError>(all)
    });
    read.await.unwrap()
}

/// Walks a partner's whole feed, page by page, and notes what was opened with a body.
async fn opened_to(france: &Nation, partner: &Nation) -> BTreeSet<Index> {
    let (pin, mut have, mut cursors) = ([partner.seed; 32], 0, (None, None));
    let mut opened = BTreeSet::new();
    loop {
        let request = FeedRequest { have, workflow: cursors.0, intelligence: cursors.1, ..FeedRequest::default() };
        let answer = france.node.read(move |view| {
            let caller = node::feed::caller(view, &pin)?;
            node::feed::page(view, &caller, &request)
        });
        let answer = answer.await.unwrap();
        let done = answer.is_empty();
        for item in answer.page.items {
            if let Some(opening) = item.opening.filter(|opening| opening.body.is_some()) {
                opened.insert(opening.index);
            }
        }
        have += answer.page.commitments.len() as u64;
        cursors = (Some(answer.page.workflow_cursor), Some(answer.page.intelligence_cursor));
        if done {
            return opened;
        }
    }
}

async fn check(world: World) {
    let (france, partners) = build(&world).await;
    let all = facts(&france).await;
    for partner in &partners {
        let me = partner.node.me();
        let viewer = Viewer::Partner { origin: me.origin.clone(), class: me.identity.class };
        let admitted =
            |(row, facts): &(ObjectRow, Facts)| oracle::may(facts, &viewer, Purpose::Feed).then_some(row.index);
        let admitted: BTreeSet<Index> = all.iter().filter_map(admitted).collect();
        assert_eq!(opened_to(&france, partner).await, admitted, "the feed of {}", partner.country());
    }
    said_as_it_was_meant(&world, &all);
    check_persons(&france, &world, &all).await;
    check_exports(&france, &world, &all).await;
    check_counts(&france, &all).await;
    check_who_sees(&france, &all).await;
}

/// Pages, single objects, the log and proofs, as one person sees them.
async fn check_persons(france: &Nation, world: &World, all: &[(ObjectRow, Facts)]) {
    let actor = Actor { person: None, login: "test".to_owned(), desk: world.desk, roles: world.roles.clone() };
    let viewer = actor.viewer(&france.node.me().origin);
    let may = |facts: &Facts, purpose| oracle::may(facts, &viewer, purpose);
    let readable: BTreeSet<Index> =
        all.iter().filter(|(_, facts)| may(facts, Purpose::Read)).map(|(row, _)| row.index).collect();
    let asking = viewer.clone();
    let (page, log) = france
        .node
        .read(move |view| {
            let (page, _) = objects::page(view, &asking, &ObjectFilter::default(), None, 1_000)?;
            let log = entries::page(view, &asking, view.me.log, None, 1_000)?;
            Ok::<_, objects::ObjectError>((page.into_inner(), log))
        })
        .await
        .unwrap();
    let shown: BTreeSet<Index> = page.iter().map(|object| object.row.index).collect();
    assert_eq!(shown, readable, "the page of objects for {:?} at {}", world.roles, world.desk);
    let named = log.entries.iter().filter(|entry| entry.object.is_some()).map(|entry| entry.index);
    assert_eq!(named.collect::<BTreeSet<_>>(), readable, "the log");
    for (row, facts) in all {
        let (asking, statement) = (viewer.clone(), row.statement);
        let name = EntryRef::of(&france.node.me().origin, row.index);
        let (detail, proof) = france
            .node
            .read(move |view| {
                let detail = objects::detail(view, &asking, statement, Purpose::Read).is_ok();
                let proof = entries::proof(view, &asking, name, false).is_ok();
                Ok::<_, StoreError>((detail, proof))
            })
            .await
            .unwrap();
        assert_eq!(detail, may(facts, Purpose::Read), "one object: {facts:?}");
        assert_eq!(proof, may(facts, Purpose::Export), "a proof: {facts:?}");
    }
}

/// The rows carry the kinds with which they were said, and what is about something behind the wall stands there too.
fn said_as_it_was_meant(world: &World, all: &[(ObjectRow, Facts)]) {
    let mut walled: Vec<_> = world.sayings.iter().map(|saying| saying.walled).collect();
    walled.extend(world.sayings.iter().filter(|saying| saying.withdrawn).map(|saying| saying.walled));
    let about = |row: &&(ObjectRow, Facts)| row.0.stix_id.type_name() != "x-entraide-audience";
    let mut told: Vec<_> = all.iter().filter(about).map(|(row, _)| row.walled).collect();
    walled.sort();
    told.sort();
    assert_eq!(told, walled);
}

/// Exports for each purpose: exactly what the second policy admits of what is still said, page by page.
async fn check_exports(france: &Nation, world: &World, all: &[(ObjectRow, Facts)]) {
    let actor = Actor { person: None, login: "test".to_owned(), desk: world.desk, roles: world.roles.clone() };
    let viewer = actor.viewer(&france.node.me().origin);
    for purpose in ExportPurpose::ALL {
        let judged = match purpose {
            ExportPurpose::Read => Purpose::Export,
            ExportPurpose::Detect => Purpose::Detect,
            ExportPurpose::Block => Purpose::Block,
        };
        for strictest in [Tlp::Green, Tlp::AmberStrict, Tlp::Red] {
            let mut exported = BTreeSet::new();
            let mut after = None;
            loop {
                let wanted = exports::Wanted { purpose: *purpose, media: None, strictest, after, limit: 3 };
                let asking = viewer.clone();
                let page = france.node.read(move |view| exports::page(view, &asking, &wanted)).await.unwrap();
                exported.extend(page.0.into_inner().iter().map(|one| one.object.row.index));
                after = page.1;
                if after.is_none() {
                    break;
                }
            }
            let wanted = |row: &ObjectRow| row.lane == Lane::Intelligence && row.tlp <= strictest;
            let admitted = all.iter().filter(|(row, facts)| {
                wanted(row) && row.state == ObjectState::Live && oracle::may(facts, &viewer, judged)
            });
            let admitted: BTreeSet<Index> = admitted.map(|(row, _)| row.index).collect();
            assert_eq!(exported, admitted, "an export for {} up to {strictest}", purpose.word());
        }
    }
}

/// Counts are shown to every desk and so know nothing of RED nor of what stands behind the wall.
async fn check_counts(france: &Nation, all: &[(ObjectRow, Facts)]) {
    let told = node::query::status::status(&france.node).await.unwrap();
    let counted = all.iter().filter(|(row, _)| row.tlp != Tlp::Red && row.walled.is_none()).count();
    assert_eq!(told.objects, counted as u64);
}

/// The answer to "who will see this?" is what the feeds then do.
async fn check_who_sees(france: &Nation, all: &[(ObjectRow, Facts)]) {
    for (row, facts) in all.iter().filter(|(row, _)| row.lane == Lane::Intelligence) {
        let statement = row.statement;
        let answer = france.node.read(move |view| who_sees::of_statement(view, statement)).await.unwrap().unwrap();
        assert_eq!(answer.partners.len(), PARTNERS.len());
        for (_, sees) in answer.partners {
            let viewer = Viewer::Partner { origin: sees.origin.clone(), class: model::PartnerClass::EuState };
            assert_eq!(sees.verdict.is_allowed(), oracle::may(facts, &viewer, Purpose::Feed), "{}", sees.origin);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_leaves_is_exactly_what_the_second_policy_admits(world in worlds()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(check(world));
    }
}
