//! RED against the second, naive policy: in random worlds it shows on no face but to those whom the oracle admits, and
//! each of them finds it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::collections::BTreeSet;

use model::{Desk, Index, MediaType, Role, Tlp};
use node::Actor;
use node::account::{self, NewUser};
use node::assert::{Assert, ObjectFate, RawObject};
use node::audience::Choice;
use node::query::{entries, objects, status};
use node::red;
use policy::{Facts, Purpose, ReaderId, Roles, Viewer, oracle};
use proptest::prelude::*;
use store::{ObjectFilter, ObjectRow, StoreError};
use world::Nation;

/// Who says a RED statement, who else is named and removed again, and whether it is taken back.
#[derive(Debug, Clone)]
struct Saying {
    by: usize,
    named: Vec<bool>,
    removed: Vec<bool>,
    withdrawn: bool,
}

const PEOPLE: [(&str, Role); 4] =
    [("anna", Role::DutyOfficer), ("bob", Role::Analyst), ("eve", Role::CrisisOfficer), ("root", Role::Administrator)];
/// Those whose roles read content: the others can't be named.
const READERS: usize = 3;

fn sayings() -> impl Strategy<Value = Vec<Saying>> {
    let flags = || prop::collection::vec(any::<bool>(), READERS);
    let saying = (prop::sample::select(vec![0_usize, 2]), flags(), flags(), prop::bool::weighted(0.2));
    let saying = saying.prop_map(|(by, named, removed, withdrawn)| Saying { by, named, removed, withdrawn });
    prop::collection::vec(saying, 1..6)
}

fn indicator(number: usize) -> RawObject {
    let text = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-{number:012x}","created":"2026-11-01T00:00:00Z","modified":"2026-11-02T00:00:00Z","pattern":"[url:value = 'x']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"}}"#
    );
    RawObject { media: MediaType::Stix, bytes: text.into_bytes() }
}

async fn people(france: &Nation) -> Vec<Actor> {
    let mut actors = Vec::new();
    for (login, role) in PEOPLE {
        let new = NewUser {
            login: login.to_owned(),
            name: login.to_owned(),
            desk: Desk::Csirt,
            roles: vec![role],
            password_hash: String::new(),
        };
        france.node.write(move |work| account::create_user(work, &new)).await.unwrap();
        let person = france.node.read(move |view| view.db.person_by_login(login)).await.unwrap().unwrap();
        actors.push(Actor { person: Some(person.id), login: login.to_owned(), desk: Desk::Csirt, roles: vec![role] });
    }
    actors
}

async fn say(france: &Nation, people: &[Actor], number: usize, saying: &Saying) {
    let by = people[saying.by].clone();
    let named = |flags: &[bool]| -> Vec<String> {
        people.iter().zip(flags).filter(|(_, is)| **is).map(|(actor, _)| actor.login.clone()).collect()
    };
    let (readers, removed) = (named(&saying.named), named(&saying.removed));
    let command =
        Assert { objects: vec![indicator(number)], tlp: Tlp::Red, pap: None, audience: Choice::Default, walled: None };
    let speaker = by.clone();
    let fates =
        france.node.write(move |work| node::assert::assert_as(work, &command, &speaker, &readers)).await.unwrap();
    let ObjectFate::Asserted { index, .. } = fates[0] else { panic!("{fates:?}") };
    for login in removed {
        // Who was never named can't be removed: that refusal is as good.
        let machine = Actor::machine();
        let _ = france.node.write(move |work| red::remove_reader(work, index, &login, &machine)).await;
    }
    if saying.withdrawn {
        let action = model::extension::WithdrawalAction::StopSharing;
        france.node.write(move |work| node::withdraw::withdraw(work, index, action, "a test")).await.unwrap();
    }
}

/// The facts of every own object, read past the gate: what the oracle judges.
async fn facts(france: &Nation) -> Vec<(ObjectRow, Facts)> {
    let read = france.node.read(|view| {
        let mut all = Vec::new();
        for row in view.db.objects_page(&ObjectFilter::default(), None, 1_000)? {
            let facts = node::query::facts_of_row(view, &row)?;
            all.push((row, facts));
        }
        Ok::<_, StoreError>(all)
    });
    read.await.unwrap()
}

async fn check(sayings: Vec<Saying>) {
    let france = Nation::new("FR", 1);
    let people = people(&france).await;
    for (number, saying) in sayings.iter().enumerate() {
        say(&france, &people, number, saying).await;
    }
    let all = facts(&france).await;
    assert!(all.len() >= sayings.len());
    for actor in &people {
        found_by(&france, actor, &all).await;
        hidden_from(&france, actor, &all).await;
    }
    assert_eq!(status::status(&france.node).await.unwrap().objects, 0, "a count ignores that there is RED");
}

/// In its own name a person finds exactly what the oracle admits and is still said.
async fn found_by(france: &Nation, actor: &Actor, all: &[(ObjectRow, Facts)]) {
    let viewer = Viewer::NamedPerson {
        reader: ReaderId(actor.person.unwrap().0),
        authority: france.node.me().origin.clone(),
        desk: actor.desk,
        roles: Roles::new(actor.roles.iter().copied()),
    };
    let admitted = |(row, facts): &(ObjectRow, Facts)| {
        (oracle::may(facts, &viewer, Purpose::Read) && !facts.withdrawn).then_some(row.index)
    };
    let admitted: BTreeSet<Index> = all.iter().filter_map(admitted).collect();
    let asking = actor.clone();
    let opened = france
        .node
        .read(move |view| {
            let mut opened = BTreeSet::new();
            for address in red::addresses(view, &asking)? {
                let detail = red::read(view, &address, &asking)?;
                assert!(detail.as_ref().body.is_some());
                opened.insert(detail.as_ref().object.row.index);
            }
            Ok::<_, red::RedError>(opened)
        })
        .await
        .unwrap();
    assert_eq!(opened, admitted, "{}", actor.login);
    for (row, _) in all {
        let (asking, statement) = (actor.clone(), row.statement);
        let noted = france.node.write(move |work| red::note(work, statement, &asking)).await.is_ok();
        assert_eq!(noted, admitted.contains(&row.index), "a row of the ledger for {}", actor.login);
    }
}

/// On every other face it is not there, for those who are named neither.
async fn hidden_from(france: &Nation, actor: &Actor, all: &[(ObjectRow, Facts)]) {
    let viewer = actor.viewer(&france.node.me().origin);
    for (_, facts) in all {
        assert!(Purpose::ALL.iter().all(|purpose| !oracle::may(facts, &viewer, *purpose)));
    }
    let statements: Vec<(store::StatementId, model::StixId)> =
        all.iter().map(|(row, _)| (row.statement, row.stix_id.clone())).collect();
    france
        .node
        .read(move |view| {
            let (page, _) = objects::page(view, &viewer, &ObjectFilter::default(), None, 1_000)?;
            assert!(page.as_ref().is_empty());
            let log = entries::page(view, &viewer, view.me.log, None, 1_000)?;
            assert!(log.entries.iter().all(|entry| entry.object.is_none()));
            for (statement, id) in &statements {
                for purpose in Purpose::ALL {
                    assert!(objects::detail(view, &viewer, *statement, purpose).is_err());
                }
                assert!(objects::by_id(view, &viewer, id).is_err());
            }
            Ok::<_, objects::ObjectError>(())
        })
        .await
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn red_shows_on_no_face_but_to_its_readers(sayings in sayings()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(check(sayings));
    }
}
