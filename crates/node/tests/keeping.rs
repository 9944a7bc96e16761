//! What must not be here, what must stay, and how long the rest is kept: spills, legal holds and retention between nations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::extension::{AudienceKind, WithdrawalAction};
use model::{Desk, EntryRef, Index, MediaType, Role, StixId, Timestamp, Tlp};
use node::assert::{Assert, ObjectFate, RawObject};
use node::audience::{self, Choice};
use node::hold::{self, HoldError};
use node::intake_desk::{self, Arrival, Received};
use node::retention::{self, Apply, RetentionError};
use node::spill::{self, Order, Report, SpillError};
use node::subject::Subject;
use node::{Actor, Permission, WriteError};
use store::{Face, IntakeId, NewPerson, ObjectState, PersonId, SpillId, StatementId};
use tokio::sync::watch;
use world::{Local, MemorySigner, Nation, peer, until};

fn body(number: u32) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-{number:012x}",
  "created":"2026-11-01T00:00:00Z","modified":"2026-11-02T00:00:00Z","name":"nightfall {number}",
  "pattern":"[domain-name:value = 'c2-{number}.example']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"}}"#
    )
}

fn id_of(number: u32) -> StixId {
    format!("indicator--8e2e2d2b-17d4-4cbf-938f-{number:012x}").parse().unwrap()
}

async fn say(nation: &Nation, numbers: std::ops::Range<u32>, tlp: Tlp, audience: Choice) -> Vec<Index> {
    let raw = |number| RawObject { media: MediaType::Stix, bytes: body(number).into_bytes() };
    let command = Assert { objects: numbers.map(raw).collect(), tlp, pap: None, audience, walled: None };
    let fates = nation.node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
    let index = |fate| match fate {
        ObjectFate::Asserted { index, .. } => index,
        other @ (ObjectFate::Already { .. } | ObjectFate::Parts { .. } | ObjectFate::Refused { .. }) => {
            panic!("{other:?}")
        }
    };
    fates.into_iter().map(index).collect()
}

async fn make(nation: &Nation, name: &'static str, members: &[&str]) {
    let members: Vec<String> = members.iter().map(|&m| m.to_owned()).collect();
    nation.node.write(move |work| audience::create(work, name, AudienceKind::Named, &members)).await.unwrap();
}

fn pull(nation: &Nation, transport: &Arc<Local>) -> watch::Sender<bool> {
    let (stop, stopping) = watch::channel(false);
    let transport: Arc<dyn node::ports::Transport> = transport.clone();
    tokio::spawn(node::pull::run(nation.node.clone(), transport, stopping));
    stop
}

/// France and Estonia, each of which pulls the other, and an audience of Estonia.
async fn two() -> (Nation, Nation, Vec<watch::Sender<bool>>) {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    make(&fr, "two", &["EE"]).await;
    let pulls = vec![pull(&ee, &Local::of(&ee, &[&fr])), pull(&fr, &Local::of(&fr, &[&ee]))];
    (fr, ee, pulls)
}

fn state(view: &node::View<'_, '_>, number: u32) -> Option<ObjectState> {
    view.db.objects_by_id(&id_of(number)).unwrap().first().map(|row| row.state)
}

fn has_body(view: &node::View<'_, '_>, number: u32) -> bool {
    let rows = view.db.objects_by_id(&id_of(number)).unwrap();
    rows.iter().any(|row| view.db.statement(row.statement).unwrap().unwrap().sealed.is_some())
}

fn entry(country: &str, index: Index) -> Subject {
    Subject::Entry(EntryRef { country: country.parse().unwrap(), epoch: 0, index })
}

fn order(subject: Subject) -> Order {
    Order { subject, reason: "it was marked after all".to_owned(), despite_hold: Vec::new() }
}

async fn spilled(nation: &Nation, order: Order) -> Result<SpillId, WriteError<SpillError>> {
    nation.node.write(move |work| spill::spill(work, &order, &Actor::machine())).await
}

async fn report(nation: &Nation, id: SpillId) -> Report {
    nation.node.read(move |view| spill::report(view.db, view.me, id)).await.unwrap().unwrap()
}

async fn check_whole(nation: &Nation) {
    let before = nation.node.read(|view| view.db.view_digests()).await.unwrap();
    nation.node.write(node::rebuild::rebuild).await.unwrap();
    let after = nation.node.read(|view| view.db.view_digests()).await.unwrap();
    assert_eq!(before, after, "{}: a rebuild gives other rows", nation.country());
    let report = nation.node.read(|view| node::verify::verify(view.db, view.signer, |_| None)).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
}

fn stands_in_a_file(nation: &Nation, words: &[u8]) -> bool {
    std::fs::read_dir(nation.dir.path()).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(words.len()).any(|window| window == words)
    })
}

async fn check_forgotten(nation: &Nation, words: &[u8]) {
    for _ in 0..100 {
        if !stands_in_a_file(nation, words) {
            return;
        }
        // A reader was in the way: the next commit tries again.
        nation.node.write(|work| work.tx.set_setting("test", "another commit")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{}: what was purged still stands in a file", nation.country());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spill_is_withdrawn_from_everyone_and_its_report_follows_the_receipts() {
    let (fr, ee, _pulls) = two().await;
    let indices = say(&fr, 0..3, Tlp::Green, Choice::Named("two".into())).await;
    until(&ee, "three indicators", |view| (0..3).all(|n| has_body(view, n))).await;
    for (nation, face) in [(&fr, Face::Page), (&fr, Face::Body), (&ee, Face::Content)] {
        let target = nation.node.read(|view| view.db.objects_by_id(&id_of(1))).await.unwrap()[0].statement;
        nation.node.write(move |work| node::ledger::note(work, target, &Actor::machine(), face)).await.unwrap();
    }
    assert!(stands_in_a_file(&fr, b"nightfall 1") && stands_in_a_file(&ee, b"nightfall 1"));
    let on = entry("FR", indices[1]);
    let preview = fr.node.read(move |view| spill::preview(view.db, view.me, &on)).await.unwrap();
    assert!(!preview.statements[0].purged && preview.statements[0].given.len() == 2);
    assert!(preview.statements[0].holders[0].receipt.is_none(), "{preview:?}");

    let id = spilled(&fr, order(entry("FR", indices[1]))).await.unwrap();
    until(&ee, "the purge", |view| state(view, 1) == Some(ObjectState::Erased) && !has_body(view, 1)).await;
    until(&fr, "the receipt", move |view| {
        let report = spill::report(view.db, view.me, id).unwrap().unwrap();
        report.statements[0].holders[0].receipt.is_some_and(|receipt| receipt.erased && receipt.not_recalled == Some(1))
    })
    .await;
    let report = report(&fr, id).await;
    assert!(report.statements[0].purged && report.statements[0].withdrawal.is_some());
    assert_eq!(report.order.as_ref().map(|order| order.who.as_str()), Some("machine"));
    assert_eq!(report.statements[0].given.len(), 2, "who opened it is still known");
    let anew = fr.node.read(|view| view.db.setting("compaction")).await.unwrap();
    assert_eq!(anew.as_deref(), Some("done"), "the file was written anew");
    for nation in [&fr, &ee] {
        check_forgotten(nation, b"nightfall 1").await;
        check_whole(nation).await;
        assert!(nation.node.read(|view| Ok::<_, store::StoreError>(has_body(view, 0))).await.unwrap());
    }
    let again = spilled(&fr, order(entry("FR", Index(9_999)))).await;
    assert!(matches!(again, Err(WriteError::Refused(SpillError::Unknown(_)))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partners_statement_is_purged_here_its_owner_is_to_be_called_and_it_does_not_come_back() {
    let (fr, ee, mut pulls) = two().await;
    let indices = say(&fr, 0..2, Tlp::Green, Choice::Named("two".into())).await;
    until(&ee, "two indicators", |view| (0..2).all(|n| has_body(view, n))).await;
    let size = ee.node.signed().size;
    let id = spilled(&ee, order(entry("FR", indices[1]))).await.unwrap();
    assert_eq!(ee.node.signed().size, size, "nothing is relayed");
    let told = report(&ee, id).await;
    let call = told.statements[0].call.clone().unwrap();
    assert_eq!((call.name.as_deref(), told.statements[0].purged), (Some("CERT-FR"), true));
    check_forgotten(&ee, b"nightfall 1").await;
    check_whole(&ee).await;

    // The feed begins again, as after a restore: everything is said once more.
    pulls.remove(0).send(true).unwrap();
    ee.node
        .write(|work| {
            let mut partner = work.tx.partners()?.remove(0);
            partner.workflow_cursor = None;
            partner.intelligence_cursor = None;
            work.tx.put_partner(&partner)
        })
        .await
        .unwrap();
    let _again = pull(&ee, &Local::of(&ee, &[&fr]));
    until(&ee, "the feed again", |view| view.db.partners().unwrap()[0].intelligence_cursor.is_some()).await;
    let back = ee.node.read(|view| Ok::<_, store::StoreError>(has_body(view, 1))).await.unwrap();
    assert!(!back, "what was purged came back");
    // Its owner takes it back later: the receipt says that it is gone.
    let index = indices[1];
    fr.node
        .write(move |work| node::withdraw::withdraw(work, index, WithdrawalAction::StopSharing, "spilled there"))
        .await
        .unwrap();
    until(&fr, "the receipt", move |view| {
        let target = view.db.statement_at(view.me.log, index).unwrap().unwrap();
        view.db.receipts_of(target.id).unwrap().first().is_some_and(|receipt| receipt.erased)
    })
    .await;
    check_whole(&ee).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_about_sharing_loses_its_words_and_still_does_what_it_said() {
    let (fr, ee, _pulls) = two().await;
    make(&fr, "operation nightfall", &["EE"]).await;
    let indices = say(&fr, 0..1, Tlp::Green, Choice::Named("operation nightfall".into())).await;
    let withdrawn = say(&fr, 7..8, Tlp::Green, Choice::Named("two".into())).await[0];
    // What is taken back before it comes has no row at the receiver.
    until(&ee, "what is taken back next", |view| has_body(view, 7)).await;
    let by = fr
        .node
        .write(move |work| node::withdraw::withdraw(work, withdrawn, WithdrawalAction::StopSharing, "about nightfall"))
        .await
        .unwrap();
    until(&ee, "both", |view| has_body(view, 0) && state(view, 7) == Some(ObjectState::Withdrawn)).await;
    let (named, why) = (Index(indices[0].0 - 1), by.appended.index);
    for nation in [&fr, &ee] {
        assert!(stands_in_a_file(nation, b"operation nightfall"));
        let first = spilled(nation, order(entry("FR", named))).await.unwrap();
        spilled(nation, order(entry("FR", why))).await.unwrap();
        let told = report(nation, first).await.statements.remove(0);
        let own = nation.country() == "FR";
        assert_eq!((told.purged, told.withdrawal, told.kept_by_partners), (true, None, own));
        check_forgotten(nation, b"operation nightfall").await;
        check_whole(nation).await;
        let still = nation.node.read(|view| Ok::<_, store::StoreError>(state(view, 7))).await.unwrap();
        assert_eq!(still, Some(ObjectState::Withdrawn), "what it took back stays taken back");
    }
    let name = fr.node.read(|view| view.db.audiences()).await.unwrap();
    let name = name.into_iter().find(|row| row.name.starts_with("purged-")).expect("it has another name").name;
    say(&fr, 1..2, Tlp::Green, Choice::Named(name)).await;
    until(&ee, "what is said to it under that name", |view| has_body(view, 1)).await;
    check_whole(&fr).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_red_is_spilled_too() {
    let (fr, ee, _pulls) = two().await;
    let index = say(&fr, 0..1, Tlp::Red, Choice::Default).await[0];
    let id = spilled(&fr, order(Subject::Object(id_of(0)))).await.unwrap();
    let told = report(&fr, id).await.statements.remove(0);
    assert_eq!((told.entry.index, told.purged, told.holders.len()), (index, true, 0));
    check_forgotten(&fr, b"nightfall 0").await;
    check_whole(&fr).await;
    drop(ee);
}

/// Somebody with one role.
async fn person(nation: &Nation, login: &'static str, role: Role) -> Actor {
    let add = move |work: &mut node::Work<'_, '_>| -> Result<Option<PersonId>, store::StoreError> {
        work.tx.add_person(&NewPerson {
            login,
            name: login,
            password_hash: "",
            totp_secret: None,
            desk: Desk::Csirt,
            roles: &[role],
            created: work.now,
        })
    };
    let id = nation.node.write(add).await.unwrap().unwrap();
    Actor { person: Some(id), login: login.to_owned(), desk: Desk::Csirt, roles: vec![role] }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_law_holds_stays_sealed_the_receipt_says_so_and_a_release_erases_it() {
    let (fr, ee, _pulls) = two().await;
    let indices = say(&fr, 0..2, Tlp::Green, Choice::Named("two".into())).await;
    until(&ee, "two indicators", |view| (0..2).all(|n| has_body(view, n))).await;
    let on = entry("FR", indices[1]);
    let lay = move |work: &mut node::Work<'_, '_>| {
        let until = Some(work.now);
        hold::add(work, &on, true, "case 7", until, &Actor::machine())
    };
    let laid = ee.node.write(lay).await.unwrap();
    let index = indices[1];
    fr.node.write(move |work| node::withdraw::withdraw(work, index, WithdrawalAction::Purge, "x")).await.unwrap();
    let answered = move |view: &node::View<'_, '_>| {
        let target = view.db.statement_at(view.me.log, index).unwrap().unwrap();
        view.db.receipts_of(target.id).unwrap().first().map(|receipt| (receipt.erased, receipt.held))
    };
    until(&fr, "a receipt that says that the law holds it", move |view| answered(view) == Some((false, true))).await;
    let kept = |view: &node::View<'_, '_>| Ok::<_, store::StoreError>((state(view, 1), has_body(view, 1)));
    assert_eq!(ee.node.read(kept).await.unwrap(), (Some(ObjectState::Withdrawn), true), "out of every view, and kept");
    check_whole(&ee).await;
    assert_eq!(ee.node.read(kept).await.unwrap(), (Some(ObjectState::Withdrawn), true));
    let list = ee.node.read(|view| hold::list(view.db, view.me, view.now, false, 9)).await.unwrap();
    assert!(list[0].is_due && list[0].on.starts_with("thread "), "its time is over, and it lies: {list:?}");

    let released = ee.node.write(move |work| hold::release(work, laid, &Actor::machine())).await.unwrap();
    assert_eq!(released, 1);
    until(&fr, "a receipt that says that it is erased", move |view| answered(view) == Some((true, false))).await;
    assert_eq!(ee.node.read(kept).await.unwrap(), (Some(ObjectState::Erased), false));
    check_forgotten(&ee, b"nightfall 1").await;
    check_whole(&ee).await;
    let again = ee.node.write(move |work| hold::release(work, laid, &Actor::machine())).await;
    assert!(matches!(again, Err(WriteError::Refused(HoldError::NotHeld(_)))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spill_of_what_the_law_holds_takes_two_persons() {
    let (fr, ee, _pulls) = two().await;
    let index = say(&fr, 0..1, Tlp::Green, Choice::Named("two".into())).await[0];
    until(&ee, "the indicator", |view| has_body(view, 0)).await;
    let on = Subject::Object(id_of(0));
    fr.node.write(move |work| hold::add(work, &on, false, "case 7", None, &Actor::machine())).await.unwrap();
    let refused = fr.node.write(move |work| node::withdraw::withdraw(work, index, WithdrawalAction::Purge, "x")).await;
    assert!(matches!(refused, Err(WriteError::Refused(node::withdraw::WithdrawError::Held(..)))), "{refused:?}");
    let anna = person(&fr, "anna", Role::DutyOfficer).await;
    person(&fr, "bert", Role::CrisisOfficer).await;
    person(&fr, "viki", Role::Viewer).await;
    let with = async |by: &Actor, despite: &[&str]| {
        let despite_hold = despite.iter().map(|&login| login.to_owned()).collect();
        let (order, by) = (Order { despite_hold, ..order(entry("FR", index)) }, by.clone());
        fr.node.write(move |work| spill::spill(work, &order, &by)).await
    };
    for (by, despite, held) in [
        (&anna, &[][..], true),
        (&anna, &["anna"][..], true),
        (&anna, &["viki"][..], false),
        (&anna, &["nobody"][..], false),
        (&Actor::machine(), &["anna", "anna"][..], true),
    ] {
        let refused = with(by, despite).await;
        let WriteError::Refused(error) = refused.unwrap_err() else { panic!("stopped") };
        assert_eq!(matches!(error, SpillError::Held(_)), held, "{despite:?}: {error}");
        assert_eq!(matches!(error, SpillError::Person(_)), !held, "{despite:?}: {error}");
    }
    let id = with(&anna, &["bert"]).await.unwrap();
    let told = report(&fr, id).await;
    let order = told.order.unwrap();
    assert_eq!((order.who.as_str(), order.second.as_deref()), ("anna", Some("bert")));
    assert!(told.statements[0].purged);
    until(&ee, "the purge", |view| state(view, 0) == Some(ObjectState::Erased)).await;
    // What still arrives would stand between the two digests of a rebuild.
    until(&fr, "the receipt", |view| {
        let target = view.db.objects_by_id(&id_of(0)).unwrap()[0].statement;
        !view.db.receipts_of(target).unwrap().is_empty()
    })
    .await;
    for nation in [&fr, &ee] {
        check_forgotten(nation, b"nightfall 0").await;
        check_whole(nation).await;
    }
    assert!(anna.require(Permission::Spill).is_ok());
}

/// A node whose clock the test moves.
fn with_clock() -> (Nation, Arc<world::StandingClock>) {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(world::StandingClock::new());
    let node = world::open_at(dir.path(), "FR", 1, MemorySigner::new(1, None), clock.clone()).unwrap();
    (Nation { node, dir, seed: 1 }, clock)
}

async fn take_in(nation: &Nation, number: u32) -> IntakeId {
    let head = model::stix::head(body(number).as_bytes()).unwrap();
    let received = Received { bytes: body(number).into_bytes(), head };
    let take = move |work: &mut node::Work<'_, '_>| {
        let arrival = Arrival { source: "nightfall.json", by: &Actor::machine(), note: None, walled: None };
        intake_desk::take_one(work, &received, &arrival)
    };
    nation.node.write(take).await.unwrap().intake
}

async fn plan(nation: &Nation) -> retention::Plan {
    nation.node.read(|view| retention::plan(view.db, view.me, view.now)).await.unwrap()
}

async fn apply(nation: &Nation, plan: &retention::Plan, today: &str) -> Result<usize, RetentionError> {
    let apply = Apply { at: plan.at, digest: plan.digest, today: today.to_owned() };
    let begun = nation.node.write(move |work| retention::begin(work, &apply, &Actor::machine())).await;
    let (run, items) = match begun {
        Ok(begun) => begun,
        Err(WriteError::Refused(error)) => return Err(error),
        Err(other) => panic!("{other:?}"),
    };
    Ok(nation.node.write(move |work| retention::purge(work, run, &items, true)).await.unwrap())
}

const DAY: i64 = 24 * 3600 * 1_000_000;
/// The day on which the standing clock stands, and two days later.
const FIRST: &str = "2026-09-21";
const THIRD: &str = "2026-09-23";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_due_until_somebody_decides_and_only_the_plan_that_was_seen_is_applied() {
    let (fr, clock) = with_clock();
    let old = take_in(&fr, 0).await;
    let kept = take_in(&fr, 1).await;
    let on = Subject::Intake(kept);
    fr.node.write(move |work| hold::add(work, &on, false, "case 7", None, &Actor::machine())).await.unwrap();
    clock.0.fetch_add(2 * DAY, Ordering::Relaxed);
    let new = take_in(&fr, 2).await;
    assert_eq!(plan(&fr).await.items, [], "without a rule everything is kept");
    let days = |days| fr.node.write(move |work| retention::set(work, "intake/new", days));
    assert!(days(Some(0)).await.is_err() && fr.node.write(|work| retention::set(work, "x", None)).await.is_err());
    days(Some(1)).await.unwrap();
    let seen = plan(&fr).await;
    let names: Vec<&str> = seen.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, [format!("intake:{old}")], "neither what the law holds nor what is new");
    assert_eq!((seen.rules[0].due, seen.rules[0].oldest), (1, Some(seen.items[0].since)));
    assert!(stands_in_a_file(&fr, b"nightfall 0"), "a plan changes nothing");

    let mut other = seen.clone();
    other.digest[0] ^= 1;
    assert!(matches!(apply(&fr, &other, THIRD).await, Err(RetentionError::Changed)));
    assert_eq!(apply(&fr, &seen, THIRD).await.unwrap(), 1);
    check_forgotten(&fr, b"nightfall 0").await;
    for (id, there) in [(old, false), (kept, true), (new, true)] {
        assert_eq!(fr.node.read(move |view| view.db.intake(id)).await.unwrap().is_some(), there, "{id}");
    }
    let run = fr.node.read(|view| view.db.retention_runs(9)).await.unwrap().remove(0);
    assert_eq!((run.planned, run.purged, run.digest, run.who.as_str()), (1, 1, seen.digest, "machine"));
    assert!(matches!(apply(&fr, &seen, THIRD).await, Err(RetentionError::Changed)), "what is purged is not due again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumped_purges_nothing() {
    let (fr, clock) = with_clock();
    take_in(&fr, 0).await;
    fr.node.write(|work| retention::set(work, "intake/new", Some(1))).await.unwrap();
    let start = clock.0.load(Ordering::Relaxed);
    let stale = plan(&fr).await;
    // Two years ahead: what has come in last is as far off as whatever a person reads from a watch.
    clock.0.fetch_add(730 * DAY, Ordering::Relaxed);
    let jumped = plan(&fr).await;
    assert_eq!(jumped.items.len(), 1);
    assert!(matches!(apply(&fr, &jumped, FIRST).await, Err(RetentionError::Day { .. })));
    let today: String = jumped.at.to_string().chars().take(10).collect();
    let refused = apply(&fr, &jumped, &today).await;
    assert!(matches!(refused, Err(RetentionError::Clock { .. })), "{refused:?}");
    assert!(matches!(apply(&fr, &stale, &today).await, Err(RetentionError::Stale)));
    // And back before what is here already: the node does not go back with it.
    clock.0.store(start - 3 * DAY, Ordering::Relaxed);
    assert!(plan(&fr).await.at > jumped.at);
    // Somebody says that this is right; what is here says that it is not.
    node::ratchet::accept(&fr.node).await.unwrap();
    let before = plan(&fr).await;
    let today: String = before.at.to_string().chars().take(10).collect();
    assert!(matches!(apply(&fr, &before, &today).await, Err(RetentionError::Clock { .. })));
    assert!(matches!(apply(&fr, &jumped, &today).await, Err(RetentionError::Stale)), "a plan of a time to come");
    clock.0.store(start + 2 * DAY, Ordering::Relaxed);
    node::ratchet::accept(&fr.node).await.unwrap();
    assert_eq!(apply(&fr, &plan(&fr).await, THIRD).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_due_by_the_closest_rule_and_what_is_purged_stays_purged() {
    let (fr, ee, _pulls) = two().await;
    let indices = say(&fr, 0..3, Tlp::Green, Choice::Named("two".into())).await;
    until(&ee, "three indicators", |view| (0..3).all(|n| has_body(view, n))).await;
    let (live, index) = (indices[0], indices[1]);
    for nation in [&fr, &ee] {
        for rule in ["partner", "partner/*/malware", "own-withdrawn", "partner-withdrawn"] {
            nation.node.write(move |work| retention::set(work, rule, Some(9))).await.unwrap();
        }
    }
    fr.node.write(move |work| node::withdraw::withdraw(work, index, WithdrawalAction::StopSharing, "x")).await.unwrap();
    until(&ee, "the withdrawal", |view| state(view, 1) == Some(ObjectState::Withdrawn)).await;
    let on = entry("FR", indices[2]);
    ee.node.write(move |work| hold::add(work, &on, false, "case 7", None, &Actor::machine())).await.unwrap();
    let after = async |nation: &Nation, days: i64| {
        let of = move |view: &node::View<'_, '_>| {
            let at = Timestamp::from_micros(view.now.micros() + days * DAY);
            retention::plan(view.db, view.me, at)
        };
        let plan = nation.node.read(of).await.unwrap();
        plan.items.into_iter().map(|item| (item.rule, item.name)).collect::<Vec<_>>()
    };
    let name = |index: Index| format!("FR:{index}");
    let due = |rule: &str, index| (rule.to_owned(), name(index));
    assert_eq!(after(&fr, 8).await, []);
    assert_eq!(after(&fr, 10).await, [due("own-withdrawn", index)]);
    assert_eq!(after(&ee, 10).await, [due("partner", live), due("partner-withdrawn", index)]);
    ee.node.write(|work| retention::set(work, "partner/green/indicator", Some(30))).await.unwrap();
    assert_eq!(after(&ee, 10).await, [due("partner-withdrawn", index)], "the closest rule keeps it longer");
    assert_eq!(after(&ee, 31).await, [due("partner-withdrawn", index), due("partner/green/indicator", live)]);

    let purge = move |work: &mut node::Work<'_, '_>| {
        let at = Timestamp::from_micros(work.now.micros() + 31 * DAY);
        let plan = retention::plan(work.tx, work.me, at)?;
        let run = work.tx.begin_run(work.now, "machine", at, &plan.digest, plan.items.len())?;
        retention::purge(work, run, &plan.items, true).map_err(RetentionError::from)
    };
    assert_eq!(ee.node.write(purge).await.unwrap(), 2);
    assert_eq!(after(&ee, 31).await, []);
    check_forgotten(&ee, b"nightfall 0").await;
    check_whole(&ee).await;
    let kept = ee.node.read(|view| Ok::<_, store::StoreError>((has_body(view, 0), has_body(view, 2)))).await.unwrap();
    assert_eq!(kept, (false, true));
    let first = ee.node.read(|view| view.db.statement(StatementId(1))).await.unwrap();
    assert!(first.is_some(), "envelopes stay");
}

/// What people are answered, and what is kept of a partner's lie, repeats words too.
#[tokio::test]
async fn a_spill_reaches_answers_that_are_remembered_and_excerpts_of_evidence() {
    let fr = Nation::new("FR", 1);
    make(&fr, "two", &[]).await;
    let title = r#"operation \"nightfall\" 7"#;
    let text = body(7).replace("nightfall 7", title);
    let objects = vec![RawObject { media: MediaType::Stix, bytes: text.into_bytes() }];
    let audience = Choice::Named("two".into());
    let command = Assert { objects, tlp: Tlp::Green, pap: None, audience, walled: None };
    fr.node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
    let remember = move |work: &mut node::Work<'_, '_>| {
        let said = work.tx.object(work.tx.objects_by_id(&id_of(7))?[0].statement)?.unwrap();
        let row = work.tx.statement(said.statement)?.unwrap();
        work.tx.remember("anna", "plain", &[1; 32], &format!("{{\"id\":\"{}\"}}", id_of(7)), work.now)?;
        work.tx.remember("anna", "escaped", &[2; 32], &format!("{{\"title\":\"{title}\"}}"), work.now)?;
        work.tx.remember("anna", "other", &[3; 32], "{\"title\":\"daybreak\"}", work.now)?;
        let excerpt = [b"page".as_slice(), &row.entry_salt, b"nightfall"].concat();
        work.tx.put_evidence(row.log, work.now, "wrong-opening", "x", None, None, &excerpt)?;
        Ok::<_, store::StoreError>(said.title)
    };
    assert_eq!(fr.node.write(remember).await.unwrap().as_deref(), Some("operation \"nightfall\" 7"));
    spilled(&fr, order(Subject::Object(id_of(7)))).await.unwrap();
    let kept = fr.node.read(|view| {
        let mut kept = Vec::new();
        for key in ["plain", "escaped", "other"] {
            kept.push(view.db.remembered("anna", key)?.unwrap().answer);
        }
        Ok::<_, store::StoreError>((kept, view.db.evidence(None, 9)?.remove(0).bytes))
    });
    let (kept, excerpt) = kept.await.unwrap();
    assert_eq!((kept[0].as_str(), kept[1].as_str(), kept[2].contains("daybreak")), ("", "", true));
    assert_eq!(excerpt, Vec::<u8>::new());
    check_forgotten(&fr, b"nightfall").await;
}

#[tokio::test]
async fn what_a_witness_said_of_the_time_is_compared_before_anything_is_purged() {
    let (fr, clock) = with_clock();
    let ee = Nation::new("EE", 2);
    peer(&fr, &ee).await;
    take_in(&fr, 0).await;
    fr.node.write(|work| retention::set(work, "intake/new", Some(1))).await.unwrap();
    clock.0.fetch_add(2 * DAY, Ordering::Relaxed);
    let now = clock.0.load(Ordering::Relaxed) / 1_000_000;
    let cosigned = |size: u64, seconds: i64| {
        let (text, name) = ("x\n", ee.node.me().origin.to_string());
        let key = ed25519_dalek::SigningKey::from_bytes(&[ee.seed; 32]);
        let line = journal::note::cosign(text, &name, u64::try_from(seconds).unwrap(), &key);
        let note = format!("{text}\n{line}");
        fr.node.write(move |work| {
            let row = store::WitnessedRow { size, note, witnesses: 1, at: work.now };
            work.tx.put_witnessed(work.me.log, &row)
        })
    };
    cosigned(1, now - 40 * 24 * 3600).await.unwrap();
    let refused = apply(&fr, &plan(&fr).await, THIRD).await;
    assert!(
        matches!(&refused, Err(RetentionError::Clock { what, .. }) if what.contains("witness")),
        "this clock runs ahead of a witness's: {refused:?}"
    );
    cosigned(2, now).await.unwrap();
    assert_eq!(apply(&fr, &plan(&fr).await, THIRD).await.unwrap(), 1);
}

/// Between the plan and the purge somebody lays a hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_comes_after_the_plan_still_counts() {
    let (fr, ee, _pulls) = two().await;
    let index = say(&fr, 0..1, Tlp::Green, Choice::Named("two".into())).await[0];
    until(&ee, "the indicator", |view| has_body(view, 0)).await;
    let taken = take_in(&ee, 5).await;
    for rule in ["partner", "intake/new"] {
        ee.node.write(move |work| retention::set(work, rule, Some(9))).await.unwrap();
    }
    let purge = move |work: &mut node::Work<'_, '_>| {
        let at = Timestamp::from_micros(work.now.micros() + 31 * DAY);
        let plan = retention::plan(work.tx, work.me, at)?;
        for on in [entry("FR", index), Subject::Intake(taken)] {
            hold::add(work, &on, false, "case 7", None, &Actor::machine()).map_err(|_| RetentionError::Changed)?;
        }
        let run = work.tx.begin_run(work.now, "machine", at, &plan.digest, plan.items.len())?;
        Ok::<_, RetentionError>((plan.items.len(), retention::purge(work, run, &plan.items, true)?))
    };
    assert_eq!(ee.node.write(purge).await.unwrap(), (2, 0));
    let kept = move |view: &node::View<'_, '_>| {
        Ok::<_, store::StoreError>((has_body(view, 0), view.db.intake(taken)?.is_some()))
    };
    assert_eq!(ee.node.read(kept).await.unwrap(), (true, true));
}

/// A process that is killed in the middle of a spill leaves words in its files: the next start sees to them.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_kill_left_of_a_purge_is_done_at_the_next_start() {
    let fr = Nation::new("FR", 1);
    make(&fr, "two", &[]).await;
    say(&fr, 0..1, Tlp::Green, Choice::Named("two".into())).await;
    // A reader keeps the write-ahead file from being emptied, as long as it takes to copy both files.
    let (reading, begun) = std::sync::mpsc::channel();
    let (copied, done) = std::sync::mpsc::channel::<()>();
    let path = fr.dir.path().to_owned();
    let reader = std::thread::spawn(move || {
        store::Store::open(&path).unwrap().reader().unwrap().snapshot(|db| {
            db.setting("compaction")?;
            reading.send(()).unwrap();
            done.recv().unwrap();
            Ok::<_, store::StoreError>(())
        })
    });
    begun.recv().unwrap();
    let purge = |work: &mut node::Work<'_, '_>| {
        node::withdraw::withdraw(work, Index(1), WithdrawalAction::Purge, "x").map(|_| ())
    };
    fr.node.write(purge).await.unwrap();
    fr.node.write(|work| work.tx.set_setting("compaction", "due")).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    for name in ["entraide.db", "entraide.db-wal"] {
        std::fs::copy(fr.dir.path().join(name), dir.path().join(name)).unwrap();
    }
    copied.send(()).unwrap();
    reader.join().unwrap().unwrap();
    let holds = |name: &str| {
        let bytes = std::fs::read(dir.path().join(name)).unwrap_or_default();
        bytes.windows(11).any(|window| window == b"nightfall 0")
    };
    assert!(holds("entraide.db-wal"), "it was killed before the file was emptied");
    let node = world::open(dir.path(), "FR", 1, MemorySigner::new(1, fr.node.signer().mark())).unwrap();
    assert!(!holds("entraide.db-wal") && !holds("entraide.db"));
    assert_eq!(node.read(|view| view.db.setting("compaction")).await.unwrap().as_deref(), Some("done"));
}
