//! Labels between nations: the wall travels with the statement, the parts of an event reach whom they may, and a pointer
//! says whom to call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::Arc;

use model::extension::{AudienceKind, WithdrawalAction};
use model::party::AnnexLevel;
use model::{Desk, Index, MediaType, Role, StixId, Tlp, Walled};
use node::Actor;
use node::assert::{Assert, ObjectFate, RawObject};
use node::audience::{self, Choice};
use node::query::objects;
use policy::Purpose;
use store::{ObjectState, StoreError};
use tokio::sync::watch;
use world::{Local, Nation, peer, until};

const EVENT: &str = r#"{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016219","timestamp":"1539269641","info":"lynx",
    "Tag":[{"name":"tlp:green"}],"Attribute":[{"value":"green.example"},
    {"value":"amber.example","Tag":[{"name":"tlp:amber"}]},{"value":"red.example","Tag":[{"name":"tlp:red"}]}]}"#;

fn event() -> StixId {
    "x-misp-event--5bad1b96-53bc-4148-87eb-50d50a016219".parse().unwrap()
}

async fn two() -> (Nation, Nation, watch::Sender<bool>, watch::Sender<bool>) {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    fr.node.write(|work| audience::create(work, "two", AudienceKind::Named, &["EE".to_owned()])).await.unwrap();
    let at_ee = pull(&ee, &Local::of(&ee, &[&fr]));
    let at_fr = pull(&fr, &Local::of(&fr, &[&ee]));
    (fr, ee, at_ee, at_fr)
}

fn pull(nation: &Nation, transport: &Arc<Local>) -> watch::Sender<bool> {
    let (stop, stopping) = watch::channel(false);
    let transport: Arc<dyn node::ports::Transport> = transport.clone();
    tokio::spawn(node::pull::run(nation.node.clone(), transport, stopping));
    stop
}

async fn say(fr: &Nation, media: MediaType, body: &str, tlp: Tlp, walled: Option<Walled>) -> ObjectFate {
    let objects = vec![RawObject { media, bytes: body.as_bytes().to_vec() }];
    let command = Assert { objects, tlp, pap: None, walled, audience: Choice::Named("two".into()) };
    fr.node.write(move |work| node::assert::assert(work, &command)).await.unwrap().remove(0)
}

/// What a person at a desk of a nation sees of an object: the bodies.
async fn seen(nation: &Nation, desk: Desk, id: &StixId) -> Vec<String> {
    let actor = Actor { person: None, login: "x".to_owned(), desk, roles: vec![Role::Analyst] };
    let viewer = actor.viewer(&nation.node.me().origin);
    let id = id.clone();
    let read = nation.node.read(move |view| {
        let mut bodies = Vec::new();
        for row in view.db.objects_by_id(&id)? {
            if let Ok(detail) = objects::detail(view, &viewer, row.statement, Purpose::Read) {
                bodies.push(String::from_utf8(detail.into_inner().body.unwrap_or_default()).unwrap());
            }
        }
        Ok::<_, StoreError>(bodies)
    });
    read.await.unwrap()
}

async fn rebuilds_alike(nation: &Nation) {
    let before = nation.node.read(|view| view.db.views_digest()).await.unwrap();
    let rebuilt = nation.node.write(node::rebuild::rebuild).await.unwrap();
    assert_eq!(rebuilt.unfit, 0, "{rebuilt:?}");
    assert_eq!(nation.node.read(|view| view.db.views_digest()).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_in_confidence_stands_behind_the_wall_of_every_nation_that_gets_it() {
    let (fr, ee, _at_ee, _at_fr) = two().await;
    let body = r#"{"type":"indicator","id":"indicator--8e2e2d2b-17d4-4cbf-938f-000000000001",
        "modified":"2026-11-02T00:00:00Z","name":"told in confidence"}"#;
    let id: StixId = "indicator--8e2e2d2b-17d4-4cbf-938f-000000000001".parse().unwrap();
    let fate = say(&fr, MediaType::Stix, body, Tlp::Amber, Some(Walled::HelpConversation)).await;
    let ObjectFate::Asserted { index, .. } = fate else { panic!("{fate:?}") };
    let wanted = id.clone();
    until(&ee, "the statement", move |view| !view.db.objects_by_id(&wanted).unwrap().is_empty()).await;
    for nation in [&fr, &ee] {
        assert_eq!(seen(nation, Desk::Csirt, &id).await.len(), 1);
        assert_eq!(seen(nation, Desk::CompetentAuthority, &id).await, Vec::<String>::new());
        rebuilds_alike(nation).await;
    }
    // Whoever did not say it does not let anybody through the wall.
    let act = node::disclose::Disclose {
        index,
        desk: Desk::CompetentAuthority,
        article: "x".to_owned(),
        reason: "y".to_owned(),
        person: None,
    };
    let person = Some(store::PersonId(1));
    let by = Actor { person, login: "x".to_owned(), desk: Desk::Csirt, roles: vec![Role::DutyOfficer] };
    let refused = ee.node.write(move |work| node::disclose::disclose(work, &by, &act)).await;
    assert!(refused.is_err());
    // Its withdrawal and the answer to it stand there too.
    fr.node
        .write(move |work| node::withdraw::withdraw(work, index, WithdrawalAction::StopSharing, "wrong"))
        .await
        .unwrap();
    let receipt = |view: &node::View<'_, '_>| {
        let rows = view.db.objects_page(&store::ObjectFilter::default(), None, 100).unwrap();
        let about: Vec<_> = rows
            .iter()
            .filter(|row| ["x-entraide-withdrawal", "x-entraide-receipt"].contains(&row.stix_id.type_name()))
            .map(|row| row.walled)
            .collect();
        about == [Some(Walled::HelpConversation); 2]
    };
    until(&fr, "the withdrawal and its receipt, behind the wall", receipt).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_an_event_reach_whom_they_may_and_red_stays() {
    let (fr, ee, _at_ee, _at_fr) = two().await;
    let fate = say(&fr, MediaType::MispEvent, EVENT, Tlp::Green, None).await;
    let ObjectFate::Parts { parts, .. } = &fate else { panic!("{fate:?}") };
    assert_eq!(parts.iter().map(|part| part.tlp).collect::<Vec<_>>(), [Tlp::Green, Tlp::Amber, Tlp::Red]);
    until(&ee, "two parts", |view| view.db.objects_by_id(&event()).unwrap().len() == 2).await;
    let bodies = seen(&ee, Desk::Csirt, &event()).await;
    assert_eq!(bodies.len(), 2);
    assert!(bodies.iter().all(|body| !body.contains("red.example")));
    let first = parts[0].index;
    let joined = ee.node.read(move |view| {
        let viewer = Actor::machine().viewer(&view.me.origin);
        let row = view.db.objects_by_id(&event())?.into_iter().find(|row| row.index == first).unwrap();
        let detail = objects::detail(view, &viewer, row.statement, Purpose::Read).unwrap();
        Ok::<_, StoreError>(String::from_utf8(detail.into_inner().joined.unwrap()).unwrap())
    });
    let joined = joined.await.unwrap();
    assert!(joined.contains("green.example") && joined.contains("amber.example"), "{joined}");
    for nation in [&fr, &ee] {
        rebuilds_alike(nation).await;
    }
    // A later version of the event makes later versions of its parts, each in its own thread.
    let later = EVENT.replace("1539269641", "1539269642").replace("green.example", "green2.example");
    let fate = say(&fr, MediaType::MispEvent, &later, Tlp::Green, None).await;
    assert!(matches!(fate, ObjectFate::Parts { .. }), "{fate:?}");
    let threads = fr.node.read(|view| {
        let rows = view.db.objects_by_id(&event())?;
        let mut threads: Vec<_> = rows.iter().map(|row| (row.tlp, row.thread, row.thread_version)).collect();
        threads.sort();
        Ok::<_, StoreError>(threads)
    });
    let threads = threads.await.unwrap();
    assert_eq!(threads.iter().map(|one| one.2).collect::<Vec<_>>(), [0, 1, 0, 1, 0, 1]);
    assert!(threads.chunks(2).all(|pair| pair[0].1 == pair[1].1) && threads[0].1 != threads[2].1);
    // Each part is taken back by itself.
    let amber: Index = parts[1].index;
    fr.node
        .write(move |work| node::withdraw::withdraw(work, amber, WithdrawalAction::StopSharing, "wrong"))
        .await
        .unwrap();
    until(&ee, "one part taken back", |view| {
        let rows = view.db.objects_by_id(&event()).unwrap();
        rows.iter().filter(|row| row.state == ObjectState::Withdrawn).count() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pointer_arrives_says_whom_to_call_and_is_taken_back_like_any_statement() {
    let (fr, ee, _at_ee, _at_fr) = two().await;
    let new = |summary: &str, tlp: Tlp| node::pointer::NewPointer {
        level: AnnexLevel::EuSecret,
        held_at: "the registry".to_owned(),
        desk: "duty desk".to_owned(),
        telephone: "+33 1 23 45 67 89".to_owned(),
        summary: summary.to_owned(),
        tlp,
        audience: Choice::Named("two".into()),
    };
    for (summary, tlp) in [("SECRET UE/EU SECRET", Tlp::Amber), ("", Tlp::Amber), ("x", Tlp::Red)] {
        let wrong = new(summary, tlp);
        let refused = fr.node.write(move |work| node::pointer::say(work, &wrong)).await;
        assert!(refused.is_err(), "{summary} {tlp}");
    }
    let good = new("more on the lynx", Tlp::Amber);
    let (index, reference) = fr.node.write(move |work| node::pointer::say(work, &good)).await.unwrap();
    let arrived = move |view: &node::View<'_, '_>| {
        let rows = view.db.objects_page(&store::ObjectFilter::default(), None, 100).unwrap();
        let row = rows.iter().find(|row| row.stix_id.type_name() == "x-entraide-pointer");
        row.is_some_and(|row| row.title.as_deref() == Some(format!("Classified annex {reference}").as_str()))
    };
    until(&ee, "the pointer", arrived).await;
    rebuilds_alike(&ee).await;
    fr.node
        .write(move |work| node::withdraw::withdraw(work, index, WithdrawalAction::Purge, "the annex is gone"))
        .await
        .unwrap();
    until(&ee, "the pointer erased", |view| {
        let rows = view.db.objects_page(&store::ObjectFilter::default(), None, 100).unwrap();
        rows.iter().any(|row| row.stix_id.type_name() == "x-entraide-pointer" && row.state == ObjectState::Erased)
    })
    .await;
}
