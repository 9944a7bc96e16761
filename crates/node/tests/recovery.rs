//! Going back in time: what partners hold comes back, what nobody holds is said to be lost, a lie stops nobody, and two
//! persons decide where nobody knows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use model::extension::{AudienceKind, WithdrawalAction};
use model::{Desk, Index, MediaType, Role, Tlp};
use node::assert::{Assert, RawObject};
use node::audience::{self, Choice};
use node::recovery::decide::{self, DecideError, Decided, Decision};
use node::recovery::merge::{self, RecoverError};
use node::recovery::turn::{self, Weighed};
use node::{Actor, WriteError, gossip};
use store::{ObjectState, PersonId, Store, StoreError};
use tokio::sync::watch;
use world::{Local, MemorySigner, Nation, peer, state_of, until};

async fn make(nation: &Nation, name: &'static str, members: &[&str]) {
    let members: Vec<String> = members.iter().map(ToString::to_string).collect();
    let made = nation.node.write(move |work| audience::create(work, name, AudienceKind::Named, &members).map(|_| ()));
    made.await.unwrap();
}

async fn say(nation: &Nation, number: u32, tlp: Tlp, choice: Choice) {
    let text = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-{number:012x}",
 "created":"2026-11-01T00:00:00Z","modified":"2026-11-02T00:00:00Z","name":"beacon {number}",
 "pattern":"[domain-name:value = 'c2.example']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z"}}"#
    );
    let objects = vec![RawObject { media: MediaType::Stix, bytes: text.into_bytes() }];
    let command = Assert { objects, tlp, pap: None, audience: choice, walled: None };
    nation.node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
}

fn backup(nation: &Nation) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    Store::open(nation.dir.path()).unwrap().copy_into(dir.path()).unwrap();
    dir
}

/// The nation again, from another directory.
fn again(nation: &Nation, dir: tempfile::TempDir, signer: MemorySigner) -> Nation {
    let node = world::open(dir.path(), &nation.country(), nation.seed, signer).unwrap();
    Nation { node, dir, seed: nation.seed }
}

fn pull(nation: &Nation, from: &[&Nation]) -> watch::Sender<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(node::pull::run(nation.node.clone(), Local::of(nation, from), stopped));
    stop
}

fn recover(nation: &Nation, from: &[&Nation]) -> watch::Sender<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(node::recovery::run(nation.node.clone(), Local::of(nation, from), stopped));
    stop
}

#[tokio::test(flavor = "multi_thread")]
async fn what_partners_hold_comes_back_and_what_nobody_holds_is_said_to_be_lost() {
    let (fr, ee, lv) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("LV", 3));
    peer(&fr, &ee).await;
    peer(&fr, &lv).await;
    make(&fr, "a", &["EE"]).await;
    let old = backup(&fr);
    say(&fr, 1, Tlp::Amber, Choice::Named("a".into())).await; // 1
    say(&fr, 2, Tlp::Red, Choice::Default).await; // 2
    make(&fr, "b", &["LV"]).await; // 3
    say(&fr, 3, Tlp::Amber, Choice::Named("b".into())).await; // 4
    let whole = fr.node.signed().size;
    let (_ee, _lv) = (pull(&ee, &[&fr]), pull(&lv, &[&fr]));
    for other in [&ee, &lv] {
        until(other, "all of France's log", move |view| {
            let log = node::partner::find(view.db, "FR").unwrap().log;
            view.db.tree(log).unwrap().size == whole && view.db.log_between(log, 0, 9, 9).unwrap().len() >= 2
        })
        .await;
    }
    let mark = fr.node.signer().mark();
    // Latvia is away at first: what it alone holds is lost, until it is back.
    let fr = again(&fr, old, MemorySigner::new(1, mark));
    assert_eq!((fr.node.standing().word(), fr.node.signed().size), ("recovering", 0));
    let asking = recover(&fr, &[&ee]);
    until(&fr, "France speaks", |view| view.signed.standing.speaks()).await;
    let there = |view: &node::View<'_, '_>| {
        let rows = view.db.log_between(view.me.log, 0, 99, 99)?;
        Ok::<_, StoreError>(rows.iter().map(|row| row.index.0).collect::<Vec<_>>())
    };
    assert_eq!(fr.node.read(there).await.unwrap(), [0, 1, 5, 6], "and what says that the rest is lost");
    let lost = fr.node.read(|view| view.db.lost(view.me.log)).await.unwrap();
    assert_eq!(lost.iter().map(|range| (range.first, range.count)).collect::<Vec<_>>(), [(2, 3)]);
    let members = fr.node.read(|view| {
        let row = view.db.statement_at(view.me.log, Index(1))?.unwrap();
        let (_, set) = view.db.released_sets(row.id)?[0];
        view.db.set_members(set)
    });
    assert_eq!(members.await.unwrap().as_slice().len(), 1, "it is open to Estonia again");
    asking.send_replace(true);

    // Latvia is back: what it alone held is taken, and nothing of it stands where something was said meanwhile.
    make(&fr, "c", &["EE", "LV"]).await;
    let _asking = recover(&fr, &[&ee, &lv]);
    until(&fr, "what Latvia held", |view| view.db.statement_at(view.me.log, Index(4)).unwrap().is_some()).await;
    let still = fr.node.read(|view| turn::missing(view, 0, 5)).await.unwrap().0;
    assert_eq!(still, [2], "RED was opened to nobody");
    let (_ee, _lv) = (pull(&ee, &[&fr]), pull(&lv, &[&fr]));
    let size = fr.node.signed().size;
    for other in [&ee, &lv] {
        until(other, "France's new word, and what it lost", move |view| {
            let log = node::partner::find(view.db, "FR").unwrap().log;
            view.db.tree(log).unwrap().size == size && view.db.lost_at(log, Index(2)).unwrap().is_some()
        })
        .await;
        let held = other.node.read(|view| Ok::<_, StoreError>(state_of(view, "FR"))).await.unwrap();
        assert_eq!(held, Some(store::PartnerState::Active));
    }
    fr.node.write(node::rebuild::rebuild).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_purged_is_taken_back_again_when_its_withdrawal_is_lost() {
    let list: Arc<Mutex<Vec<journal::purge::Purged>>> = Arc::default();
    let open = |dir: tempfile::TempDir, mark| {
        let signer = MemorySigner::new(1, mark);
        let node = world::open_with(dir.path(), "FR", 1, signer, Arc::<Mutex<_>>::clone(&list) as _).unwrap();
        Nation { node, dir, seed: 1 }
    };
    let fr = open(tempfile::tempdir().unwrap(), None);
    let (ee, lv) = (Nation::new("EE", 2), Nation::new("LV", 3));
    peer(&fr, &ee).await;
    peer(&fr, &lv).await;
    make(&fr, "a", &["EE"]).await;
    say(&fr, 1, Tlp::Amber, Choice::Named("a".into())).await; // 1
    let stop = pull(&ee, &[&fr]);
    let state = |view: &node::View<'_, '_>| {
        let log = node::partner::find(view.db, "FR").unwrap().log;
        let row = view.db.statement_at(log, Index(1)).unwrap()?;
        Some((view.db.object(row.id).unwrap()?.state, row.sealed.is_some()))
    };
    until(&ee, "what France said", move |view| state(view) == Some((ObjectState::Live, true))).await;
    stop.send_replace(true);
    let old = backup(&fr);
    let taken = |work: &mut node::Work<'_, '_>| {
        node::withdraw::withdraw(work, Index(1), WithdrawalAction::Purge, "x").map(|_| ())
    };
    fr.node.write(taken).await.unwrap(); // 2
    // Latvia sees that something stands there, and is not shown what.
    let _lv = pull(&lv, &[&fr]);
    until(&lv, "all of France's log", |view| {
        view.db.tree(node::partner::find(view.db, "FR").unwrap().log).unwrap().size == 3
    })
    .await;
    let fr = open(old, fr.node.signer().mark());
    let _asking = recover(&fr, &[&ee, &lv]);
    until(&fr, "France speaks", |view| view.signed.standing.speaks()).await;
    let lost = fr.node.read(|view| view.db.lost(view.me.log)).await.unwrap();
    assert_eq!(lost.iter().map(|range| (range.first, range.count)).collect::<Vec<_>>(), [(2, 1)]);
    let again = |view: &node::View<'_, '_>| {
        let row = view.db.statement_at(view.me.log, Index(1))?.unwrap();
        Ok::<_, StoreError>((row.sealed.is_some(), view.db.withdrawal_of(row.id)?.map(|row| row.purge)))
    };
    assert_eq!(fr.node.read(again).await.unwrap(), (false, Some(true)), "the purge list outlived the withdrawal");
    let _ee = pull(&ee, &[&fr]);
    until(&ee, "that it is taken back", move |view| state(view) == Some((ObjectState::Erased, false))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_lies_about_our_log_stops_nobody_and_two_signed_histories_do() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    make(&fr, "a", &["EE"]).await;
    let old = backup(&fr);
    let twin = backup(&fr);
    make(&fr, "b", &["EE"]).await;
    let stop = pull(&ee, &[&fr]);
    until(&ee, "two entries", |view| view.db.tree(node::partner::find(view.db, "FR").unwrap().log).unwrap().size == 2)
        .await;
    stop.send_replace(true);
    let page = || {
        ee.node.read(|view| {
            let partner = node::partner::find(view.db, "FR").unwrap();
            let request = journal::wire::FeedRequest { have: 1, ..Default::default() };
            node::yours::page(view, &partner, &request)
        })
    };
    let behind = again(&fr, old, MemorySigner::new(1, fr.node.signer().mark()));
    let weigh = |page| behind.node.read(|view| turn::weigh(view, &turn::start(view)?, page));
    assert!(matches!(weigh(page().await.unwrap()).await.unwrap(), Weighed::Ahead(_)));
    let mut lie = page().await.unwrap();
    lie.commitments[0] = model::Commitment::new([7; 32]);
    assert!(matches!(weigh(lie).await.unwrap(), Weighed::Elsewhere), "no signature is on that");
    let mut lie = page().await.unwrap();
    lie.checkpoint = lie.checkpoint.replace("\n2\n", "\n3\n");
    assert!(matches!(weigh(lie).await.unwrap(), Weighed::Unfounded(_)));

    // A copy that has said something else in the same place is stopped by the first partner that shows it.
    let twin = again(&fr, twin, MemorySigner::new(1, None));
    make(&twin, "c", &["EE"]).await;
    let _asking = recover(&twin, &[&ee]);
    until(&twin, "the copy stops", |view| view.signed.standing.word() == "stopped").await;
    let refused = twin.node.write(|work| audience::create(work, "d", AudienceKind::Named, &[]).map(|_| ())).await;
    assert!(matches!(refused, Err(WriteError::Silent(_))), "{refused:?}");
    assert_eq!(twin.node.read(|view| view.db.evidence(Some(view.me.log), 9)).await.unwrap().len(), 1);
    let dir = twin.dir.path().to_owned();
    let mark = twin.node.signer().mark();
    drop(twin.node);
    let node = world::open(&dir, "FR", 1, MemorySigner::new(1, mark)).unwrap();
    assert_eq!(node.standing().word(), "stopped", "a restart forgets nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_behind_fetches_what_the_other_said_once_and_stops_the_second_time() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    make(&fr, "a", &["EE"]).await;
    let twin = backup(&fr);
    let twin = again(&fr, twin, MemorySigner::new(1, fr.node.signer().mark()));
    make(&fr, "b", &["EE"]).await;
    let _pull = pull(&ee, &[&fr]);
    until(&ee, "two entries", |view| view.db.tree(node::partner::find(view.db, "FR").unwrap().log).unwrap().size == 2)
        .await;
    let stop = recover(&twin, &[&ee]);
    until(&twin, "the copy has what the first said", |view| {
        view.signed.standing.speaks() && view.signed.size == 2 && view.db.audiences().unwrap().len() == 2
    })
    .await;
    stop.send_replace(true);
    make(&fr, "c", &["EE"]).await;
    let (note, ee_log) = (fr.node.signed().text.clone(), |view: &node::View<'_, '_>| {
        Ok::<_, StoreError>(node::partner::find(view.db, "EE").unwrap().log)
    });
    let from = twin.node.read(ee_log).await.unwrap();
    twin.node.write(move |work| gossip::hear(work, from, &[note])).await.unwrap();
    assert_eq!(twin.node.standing().word(), "stopped", "the other copy lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_persons_and_no_machine_say_that_a_restored_node_speaks_from_here() {
    let fr = Nation::new("FR", 1);
    make(&fr, "a", &[]).await;
    let old = backup(&fr);
    let fr = again(&fr, old, MemorySigner::unknown(1));
    assert_eq!(fr.node.standing().word(), "recovering");
    let _asking = recover(&fr, &[]);
    let node = Arc::new(fr.node.clone());
    let decide = |person: Option<i64>, decision| {
        let (login, desk, roles) = (format!("{person:?}"), Desk::Csirt, vec![Role::DutyOfficer]);
        let actor = Actor { person: person.map(PersonId), login, desk, roles };
        let node = Arc::clone(&node);
        async move { node.write(move |work| decide::decide(work, &actor, decision)).await }
    };
    let machine = decide(None, Decision::Speak).await;
    assert!(matches!(machine, Err(WriteError::Refused(DecideError::NotAPerson))), "{machine:?}");
    assert!(matches!(decide(Some(1), Decision::Resume).await, Err(WriteError::Refused(DecideError::NotNow(_)))));
    for _ in 0..2 {
        assert_eq!(decide(Some(1), Decision::Speak).await.unwrap(), Decided::Proposed, "one person alone, twice");
    }
    assert_eq!(fr.node.standing().word(), "recovering");
    assert!(matches!(decide(Some(2), Decision::Speak).await.unwrap(), Decided::Done(Some(_))));
    assert_eq!(fr.node.standing().word(), "speaking");
    make(&fr, "b", &[]).await;
    assert_eq!((fr.node.signer().is_unknown(), fr.node.signed().size), (false, 2));
}

/// One node that was copied, and each copy has said something: whichever partner answers first, two signed histories stop
/// it.
#[tokio::test(flavor = "multi_thread")]
async fn two_histories_that_two_partners_hold_stop_a_restored_node() {
    for knows_mark in [false, true] {
        let (fr, ee, lv) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("LV", 3));
        peer(&fr, &ee).await;
        peer(&fr, &lv).await;
        make(&fr, "a", &["EE", "LV"]).await;
        let (old, twin) = (backup(&fr), backup(&fr));
        let twin = again(&fr, twin, MemorySigner::new(1, None));
        make(&fr, "b", &["EE"]).await;
        make(&twin, "c", &["LV"]).await;
        make(&twin, "d", &["LV"]).await;
        let pulls = [pull(&ee, &[&fr]), pull(&lv, &[&twin])];
        for (nation, size) in [(&ee, 2), (&lv, 3)] {
            until(nation, "its France", move |view| {
                view.db.tree(node::partner::find(view.db, "FR").unwrap().log).unwrap().size == size
            })
            .await;
        }
        for stop in pulls {
            stop.send_replace(true);
        }
        // With the mark of the first copy it is enough that one partner shows the other's history.
        let signer = if knows_mark { MemorySigner::new(1, fr.node.signer().mark()) } else { MemorySigner::unknown(1) };
        let restored = again(&fr, old, signer);
        let asked: &[&Nation] = if knows_mark { &[&lv] } else { &[&ee, &lv] };
        let _asking = recover(&restored, asked);
        until(&restored, "it stops", |view| view.signed.standing.word() == "stopped").await;
        assert_eq!(restored.node.read(|view| view.db.evidence(Some(view.me.log), 9)).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_knows_no_mark_signs_nothing_until_enough_witnesses_have_answered() {
    let (fr, ee, lv) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("LV", 3));
    peer(&fr, &ee).await;
    peer(&fr, &lv).await;
    let both = ["EE".to_owned(), "LV".to_owned()];
    fr.node.write(move |work| node::witness::choose(work, &both, Some(2))).await.unwrap();
    make(&fr, "a", &["EE"]).await;
    let old = backup(&fr);
    make(&fr, "b", &["EE"]).await;
    let stop = pull(&ee, &[&fr]);
    until(&ee, "two entries", |view| view.db.tree(node::partner::find(view.db, "FR").unwrap().log).unwrap().size == 2)
        .await;
    stop.send_replace(true);
    let fr = again(&fr, old, MemorySigner::unknown(1));
    let asking = recover(&fr, &[&ee]);
    until(&fr, "what Estonia holds", |view| view.db.tree(view.me.log).unwrap().size == 2).await;
    let log = fr.node.read(|view| Ok::<_, StoreError>(node::partner::find(view.db, "EE").unwrap().log)).await.unwrap();
    for _ in 0..3 {
        // It has asked again, and Latvia may still hold more.
        let before = fr.node.recovery().of(log);
        until(&fr, "another round", |_| true).await;
        while fr.node.recovery().of(log) == before {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    assert_eq!((fr.node.standing().word(), fr.node.signer().is_unknown()), ("recovering", true));
    asking.send_replace(true);
    let _asking = recover(&fr, &[&ee, &lv]);
    until(&fr, "France speaks", |view| view.signed.standing.speaks()).await;
    assert_eq!((fr.node.signed().size, fr.node.signer().is_unknown()), (2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_that_a_node_speaks_while_more_is_known_to_have_been_signed() {
    let fr = Nation::new("FR", 1);
    make(&fr, "a", &[]).await;
    let old = backup(&fr);
    make(&fr, "b", &[]).await;
    let spoken = fr.node.write(|work| merge::extend(work, Vec::new())).await;
    assert!(matches!(spoken, Err(WriteError::Refused(RecoverError::NotRecovering))), "{spoken:?}");
    let fr = again(&fr, old, MemorySigner::new(1, fr.node.signer().mark()));
    let short = fr.node.write(merge::finish).await;
    assert!(matches!(short, Err(WriteError::Refused(RecoverError::Short { needs: 2, known: 1 }))), "{short:?}");
    for person in [1, 2] {
        let (login, desk, roles) = (person.to_string(), Desk::Csirt, vec![Role::DutyOfficer]);
        let actor = Actor { person: Some(PersonId(person)), login, desk, roles };
        let refused = fr.node.write(move |work| decide::decide(work, &actor, Decision::Speak)).await;
        assert!(matches!(refused, Err(WriteError::Refused(DecideError::NotNow(_)))), "{refused:?}");
    }
    assert_eq!(fr.node.standing().word(), "recovering");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_proposed_is_forgotten_after_a_while() {
    let fr = Nation::new("FR", 1);
    make(&fr, "a", &[]).await;
    let (old, clock) = (backup(&fr), Arc::new(world::StandingClock::new()));
    let node = world::open_at(old.path(), "FR", 1, MemorySigner::unknown(1), Arc::clone(&clock)).unwrap();
    let decide = |person: i64| {
        let (login, desk, roles) = (person.to_string(), Desk::Csirt, vec![Role::DutyOfficer]);
        let actor = Actor { person: Some(PersonId(person)), login, desk, roles };
        let node = node.clone();
        async move { node.write(move |work| decide::decide(work, &actor, Decision::Speak)).await.unwrap() }
    };
    assert_eq!(decide(1).await, Decided::Proposed);
    clock.0.fetch_add(node::limits::PROPOSAL_SECONDS * 1_000_000, Ordering::Relaxed);
    assert_eq!(decide(2).await, Decided::Proposed, "nobody remembers what the first one saw");
    assert!(matches!(decide(1).await, Decided::Done(Some(_))));
}

/// The list of what was purged is stronger than a partner that still has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_spilled_does_not_come_back_from_a_partner() {
    let list: Arc<Mutex<Vec<journal::purge::Purged>>> = Arc::default();
    let open = |dir: tempfile::TempDir, mark| {
        let signer = MemorySigner::new(1, mark);
        let node = world::open_with(dir.path(), "FR", 1, signer, Arc::<Mutex<_>>::clone(&list) as _).unwrap();
        Nation { node, dir, seed: 1 }
    };
    let (fr, ee) = (open(tempfile::tempdir().unwrap(), None), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    make(&fr, "a", &["EE"]).await;
    let old = backup(&fr);
    make(&fr, "operation nightfall", &["EE"]).await; // 1
    let stop = pull(&ee, &[&fr]);
    until(&ee, "both", |view| view.db.audiences().unwrap().len() == 2).await;
    stop.send_replace(true);
    let subject =
        node::subject::Subject::Entry(model::EntryRef { country: "FR".parse().unwrap(), epoch: 0, index: Index(1) });
    let order = node::spill::Order { subject, reason: "x".to_owned(), despite_hold: Vec::new() };
    fr.node.write(move |work| node::spill::spill(work, &order, &Actor::machine())).await.unwrap();
    assert_eq!(list.lock().unwrap().len(), 1);
    let fr = open(old, fr.node.signer().mark());
    let _asking = recover(&fr, &[&ee]);
    until(&fr, "France speaks", |view| view.signed.standing.speaks()).await;
    let back = fr.node.read(|view| view.db.statement_at(view.me.log, Index(1))).await.unwrap();
    assert!(back.is_some_and(|row| row.sealed.is_none()), "the place is known, and what it said is gone");
}
