//! The purge list: told of every erasure before anybody is answered, and stronger than what a database or a partner says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::{Arc, Mutex};

use journal::purge::Purged;
use model::extension::{AudienceKind, WithdrawalAction};
use model::{Index, MediaType, Tlp};
use node::assert::{Assert, ObjectFate, RawObject};
use node::audience::{self, Choice};
use node::ports::{PurgeList, PurgeListError};
use store::StoreError;
use tokio::sync::watch;
use world::{Local, MemorySigner, Nation, peer, until};

type List = Arc<Mutex<Vec<Purged>>>;

/// A list on a disk that is full.
struct Full;

impl PurgeList for Full {
    fn add(&self, _: &[Purged]) -> Result<(), PurgeListError> {
        Err(PurgeListError("no space".to_owned()))
    }
    fn all(&self) -> Result<Vec<Purged>, PurgeListError> {
        Ok(Vec::new())
    }
}

fn nation(country: &str, seed: u8, purges: Arc<dyn PurgeList>) -> Nation {
    let dir = tempfile::tempdir().unwrap();
    let node = world::open_with(dir.path(), country, seed, MemorySigner::new(seed, None), purges).unwrap();
    Nation { node, dir, seed }
}

async fn make(nation: &Nation, members: &[&str]) {
    let members: Vec<String> = members.iter().map(|&member| member.to_owned()).collect();
    nation.node.write(move |work| audience::create(work, "two", AudienceKind::Named, &members)).await.unwrap();
}

async fn say(nation: &Nation, number: u32) -> Index {
    let text = format!(
        r#"{{ "type":"indicator", "spec_version":"2.1", "id":"indicator--8e2e2d2b-17d4-4cbf-938f-{number:012x}",
  "created":"2026-11-01T00:00:00Z", "modified":"2026-11-02T00:00:00Z", "name":"beacon {number}",
  "pattern":"[domain-name:value = 'c2.example']", "pattern_type":"stix", "valid_from":"2026-11-01T00:00:00Z" }}"#
    );
    let object = RawObject { media: MediaType::Stix, bytes: text.into_bytes() };
    let audience = Choice::Named("two".into());
    let command = Assert { objects: vec![object], tlp: Tlp::Green, pap: None, walled: None, audience };
    let fates = nation.node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
    let ObjectFate::Asserted { index, .. } = fates[0] else { panic!("{fates:?}") };
    index
}

/// Has a nation the body at a place of a log? `None` if it has not even the statement.
async fn has_body(at: &Nation, origin: &model::Origin, index: Index) -> Option<bool> {
    let origin = origin.clone();
    let read = move |view: &node::View<'_, '_>| {
        let Some(log) = view.db.log_id(&origin)? else { return Ok(None) };
        Ok::<_, StoreError>(view.db.statement_at(log, index)?.map(|row| row.sealed.is_some()))
    };
    at.node.read(read).await.unwrap()
}

fn places(list: &List) -> Vec<u64> {
    list.lock().unwrap().iter().map(|purged| purged.index.0).collect()
}

#[tokio::test]
async fn a_purge_that_a_crash_kept_from_the_list_is_told_at_the_next_start() {
    let fr = nation("FR", 1, Arc::new(Full));
    make(&fr, &[]).await;
    let (kept, gone) = (say(&fr, 1).await, say(&fr, 2).await);
    let purge = move |work: &mut node::Work<'_, '_>| {
        node::withdraw::withdraw(work, gone, WithdrawalAction::Purge, "x").map(|_| ())
    };
    let told = fr.node.write(purge).await;
    assert!(matches!(told, Err(node::WriteError::Stopped(_))), "nobody is told that it was purged: {told:?}");
    let (dir, origin) = (fr.dir, fr.node.me().origin.clone());
    drop(fr.node);
    let list = List::default();
    let purges: Arc<dyn PurgeList> = list.clone();
    let node = world::open_with(dir.path(), "FR", 1, MemorySigner::new(1, None), purges).unwrap();
    let fr = Nation { node, dir, seed: 1 };
    assert_eq!(places(&list), [gone.0]);
    let commitment = fr.node.read(move |view| view.db.commitment(view.me.log, gone)).await.unwrap();
    assert_eq!(Some(list.lock().unwrap()[0].commitment), commitment);
    assert_eq!((has_body(&fr, &origin, kept).await, has_body(&fr, &origin, gone).await), (Some(true), Some(false)));
    // What is listed is not listed again.
    let again = say(&fr, 3).await;
    fr.node.write(move |work| node::withdraw::withdraw(work, again, WithdrawalAction::Purge, "x")).await.unwrap();
    assert_eq!(places(&list), [gone.0, again.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_here_is_not_taken_again() {
    let fr = nation("FR", 1, List::default());
    make(&fr, &[]).await;
    let (first, second) = (say(&fr, 1).await, say(&fr, 2).await);
    let origin = fr.node.me().origin.clone();
    let commitment = fr.node.read(move |view| view.db.commitment(view.me.log, first)).await.unwrap().unwrap();
    let purged = Purged { at: fr.node.now(), origin: origin.clone(), index: first, commitment };
    // Estonia erased it before its database was lost, and starts with an empty one.
    let ee = nation("EE", 2, Arc::new(Mutex::new(vec![purged])));
    peer(&fr, &ee).await;
    let (members, older) = (vec!["EE".to_owned()], 3);
    fr.node.write(move |work| audience::change(work, "two", &members, Some(older))).await.unwrap();
    let (_stop, stopping) = watch::channel(false);
    let transport: Arc<dyn node::ports::Transport> = Local::of(&ee, &[&fr]);
    tokio::spawn(node::pull::run(ee.node.clone(), transport, stopping));
    let from = origin.clone();
    until(&ee, "the second statement", move |view| {
        let log = view.db.log_id(&from).unwrap();
        log.is_some_and(|log| view.db.statement_at(log, second).unwrap().is_some_and(|row| row.sealed.is_some()))
    })
    .await;
    assert_eq!(has_body(&ee, &origin, first).await, Some(false), "the place is known, the body was not taken");
    let digest = ee.node.read(|view| view.db.views_digest()).await.unwrap();
    ee.node.write(node::rebuild::rebuild).await.unwrap();
    assert_eq!(ee.node.read(|view| view.db.views_digest()).await.unwrap(), digest);
}

#[tokio::test]
async fn a_line_about_another_history_erases_nothing() {
    let fr = nation("FR", 1, List::default());
    make(&fr, &[]).await;
    let index = say(&fr, 1).await;
    let origin = fr.node.me().origin.clone();
    let commitment = fr.node.read(move |view| view.db.commitment(view.me.log, index)).await.unwrap().unwrap();
    let (mark, dir) = (fr.node.signer().mark(), fr.dir);
    drop(fr.node);
    for (commitment, kept) in [(model::Commitment::new([7; 32]), true), (commitment, false)] {
        let purged =
            Purged { at: model::Timestamp::from_seconds(1_790_000_000), origin: origin.clone(), index, commitment };
        let list: Arc<dyn PurgeList> = Arc::new(Mutex::new(vec![purged]));
        let node = world::open_with(dir.path(), "FR", 1, MemorySigner::new(1, mark.clone()), list).unwrap();
        let held = node.read(move |view| view.db.statement_at(view.me.log, index)).await.unwrap().unwrap();
        assert_eq!(held.sealed.is_some(), kept);
        drop(node);
    }
}
