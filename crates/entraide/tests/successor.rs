//! A nation whose log can't be extended goes on with another: partners take nothing of it before a person has telephoned.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod nations;
mod program;

use std::path::Path;

use ed25519_dalek::SigningKey;
use entraide::keys::{Kind, Layout, read_key};
use entraide::machine::MachineClock;
use entraide::successor::{self, Made, SuccessorError, Wanted};
use journal::checkpoint::{self, Checkpoint};
use journal::identity::{self, Identity, SignedIdentity};
use journal::note;
use journal::proof::ProofFile;
use journal::successor::Succeeds;
use journal::tree::TreeHash;
use model::extension::{AudienceKind, WithdrawalAction};
use model::{EntryRef, Index, MediaType, Origin, Tlp};
use nations::{Nation, peer, until};
use node::assert::{Assert, RawObject};
use node::audience::{self, Choice};
use node::partner::PartnerError;
use node::query::entries;
use node::successor::Pending;
use node::{WriteError, identities};
use store::{ObjectState, PartnerState, StoreError};

async fn say(nation: &Nation, number: usize) {
    let objects = vec![RawObject { media: MediaType::Stix, bytes: program::indicator(number).into_bytes() }];
    let command =
        Assert { objects, tlp: Tlp::Amber, pap: None, audience: Choice::Named("friends".to_owned()), walled: None };
    nation.node().write(move |work| node::assert::assert(work, &command)).await.unwrap();
}

async fn befriend(nation: &Nation, members: &[&str]) {
    let members: Vec<String> = members.iter().map(|&name| name.to_owned()).collect();
    nation.node().write(move |work| audience::create(work, "friends", AudienceKind::Named, &members)).await.unwrap();
}

async fn heard(at: &Nation, number: usize) {
    let id = program::id(number).parse().unwrap();
    until(at, "a statement", move |view| !view.db.objects_by_id(&id).unwrap().is_empty()).await;
}

async fn has_heard(at: &Nation, number: usize) -> bool {
    let id = program::id(number).parse().unwrap();
    at.node().read(move |view| Ok::<_, StoreError>(!view.db.objects_by_id(&id)?.is_empty())).await.unwrap()
}

/// What waits for a telephone call about France.
async fn pending(at: &Nation) -> Pending {
    let find = |view: &node::View<'_, '_>| {
        let row = node::partner::find(view.db, "FR").unwrap();
        node::successor::pending(view.db, &row)
    };
    until(at, "a successor that waits", move |view| find(view).unwrap().is_some()).await;
    at.node().read(find).await.unwrap().unwrap()
}

/// How a log stands at a nation: state, and pieces of evidence; `None` if it is not known at all.
async fn standing(at: &Nation, origin: &Origin) -> Option<(PartnerState, usize)> {
    let origin = origin.clone();
    let read = at.node().read(move |view| {
        let Some(log) = view.db.log_id(&origin)? else { return Ok::<_, StoreError>(None) };
        let Some(row) = view.db.partner(log)? else { return Ok(None) };
        Ok(Some((row.state, view.db.evidence(Some(log), 9)?.len())))
    });
    read.await.unwrap()
}

async fn confirm(at: &Nation) -> Result<store::PartnerRow, WriteError<PartnerError>> {
    let done = at.node().write(|work| node::successor::confirm(work, "FR")).await;
    at.node().tell_partners_changed();
    done
}

async fn take(at: &Nation, signed: SignedIdentity) -> Result<u64, WriteError<PartnerError>> {
    at.node().write(move |work| identities::take(work, &signed)).await
}

async fn proof(at: &Nation, name: EntryRef) -> String {
    let viewer = node::Actor::machine().viewer(&at.node().me().origin);
    at.node().read(move |view| entries::proof(view, &viewer, name, false)).await.unwrap().write()
}

/// Everything that a nation's database claims is recomputed, and its views are folded again.
fn verified(at: &Nation) {
    program::entraide(&["verify", "--dir", &at.home.display().to_string()]).good();
}

/// The database with what stands in its write-ahead file, in place of whatever is there.
fn copy_database(from: &Path, to: &Path) {
    for rest in ["entraide.db", "entraide.db-wal", "entraide.db-shm"] {
        let _ = std::fs::remove_file(to.join(rest));
    }
    std::fs::copy(from.join("entraide.db"), to.join("entraide.db")).unwrap();
    let _ = std::fs::copy(from.join("entraide.db-wal"), to.join("entraide.db-wal"));
}

fn make(home: &Path, root_key: &Path, although_it_speaks: bool) -> Result<Made, SuccessorError> {
    let wanted = Wanted { root_key, at: None, although_it_speaks };
    successor::make(&Layout::new(home), &wanted, &MachineClock)
}

fn secret(path: &Path, kind: Kind) -> SigningKey {
    SigningKey::from_bytes(&read_key(path, kind).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_log_is_taken_by_whoever_telephoned_and_by_nobody_else() {
    let (fr, ee, lv) = (Nation::start("FR").await, Nation::start("EE").await, Nation::start("LV").await);
    peer(&fr, &ee).await;
    peer(&fr, &lv).await;
    befriend(&fr, &["EE", "LV"]).await;
    befriend(&ee, &["FR"]).await;
    say(&fr, 0).await;
    for nation in [&ee, &lv] {
        heard(nation, 0).await;
    }
    let old = fr.facts.origin.clone();
    let new = old.with_epoch(1);
    let early = proof(&ee, EntryRef::of(&old, Index(1))).await;

    // An old database is put back, and what was said since is lost.
    let backup = tempfile::tempdir().unwrap();
    let fr = fr.restart_after(|home| copy_database(home, backup.path())).await;
    say(&fr, 1).await;
    for nation in [&ee, &lv] {
        heard(nation, 1).await;
    }
    let root_key = fr.facts.root_key.clone();
    let old_key = secret(&fr.home.join("keys/log.key"), Kind::Log);
    let stranger = ee.facts.root_key.clone();
    let mut made = None;
    let fr = fr
        .restart_after(|home| {
            assert!(matches!(make(home, &root_key, false), Err(SuccessorError::Speaks)));
            copy_database(backup.path(), home);
            assert!(matches!(make(home, &stranger, false), Err(SuccessorError::Root(_))));
            let (dir, key) = (home.display().to_string(), root_key.display().to_string());
            made = Some(program::entraide(&["successor", "--dir", &dir, "--root-key", &key, "--json"]).json());
        })
        .await;
    let made = made.unwrap();
    assert_eq!(made["old"], old.to_string());
    assert_eq!((&made["new"], &made["vouched"]), (&new.to_string().into(), &2.into()));
    let words = made["words"].as_str().unwrap().to_owned();
    assert_eq!(fr.node().me().origin, new);
    say(&fr, 2).await;

    // Both hear of it, with the words that France shows; nothing of it is taken.
    for nation in [&ee, &lv] {
        let waits = pending(nation).await;
        assert_eq!((&waits.origin, waits.vouched, waits.held, waits.contradicts), (&new, 2, 3, false));
        assert_eq!(waits.words, words);
        let listed = program::entraide(&["partner", "list", "--dir", &nation.home.display().to_string()]).good();
        for told in [words.as_str(), "FR vouches for 2 entries of its old log; we hold 3"] {
            assert!(listed.contains(told), "{listed}");
        }
        assert_eq!(
            (standing(nation, &old).await, standing(nation, &new).await),
            (Some((PartnerState::Active, 0)), None)
        );
        assert!(!has_heard(nation, 2).await);
    }

    // Estonia telephones.
    let dir = ee.home.display().to_string();
    program::entraide(&["partner", "confirm-successor", "FR", "--dir", &dir]).good();
    heard(&ee, 2).await;
    assert_eq!(standing(&ee, &old).await, Some((PartnerState::Cut, 0)));
    assert_eq!(standing(&ee, &new).await, Some((PartnerState::Active, 0)));
    assert!(confirm(&ee).await.is_err(), "nothing waits any more");
    say(&ee, 3).await;
    heard(&fr, 3).await;
    say(&fr, 4).await;
    heard(&ee, 4).await;

    // Latvia does not.
    assert_eq!(standing(&lv, &new).await, None);
    assert!(!has_heard(&lv, 2).await && !has_heard(&lv, 4).await);
    assert_eq!(standing(&lv, &old).await, Some((PartnerState::Active, 0)), "nobody is blamed for it");

    // What was said in the old log is named, proved and kept on both sides.
    let lines = ee.node().read(node::witness::key_lines).await.unwrap();
    let keys = note::read_keys(&lines.join("\n")).unwrap();
    assert!(ProofFile::read(&early).unwrap().verify(&keys).is_ok());
    for at in [&fr, &ee] {
        for origin in [&old, &new] {
            let text = proof(at, EntryRef::of(origin, Index(1))).await;
            assert!(ProofFile::read(&text).unwrap().verify(&keys).is_ok(), "{origin} at {}", at.facts.origin);
        }
    }
    let lines = fr.node().read(node::witness::key_lines).await.unwrap();
    assert!(ProofFile::read(&early).unwrap().verify(&note::read_keys(&lines.join("\n")).unwrap()).is_ok());

    // The new log takes back what the old one said; the old one's place in the new one is another statement.
    let origin = old.clone();
    let taken = fr.node().write(move |work| {
        let log = work.tx.log_id(&origin)?.unwrap();
        node::withdraw::withdraw_from(work, log, Index(1), WithdrawalAction::StopSharing, "false positive")
    });
    taken.await.unwrap();
    let gone = program::id(0).parse().unwrap();
    let is_withdrawn = move |view: &node::View<'_, '_>| {
        view.db.objects_by_id(&gone).unwrap().iter().all(|row| row.state == ObjectState::Withdrawn)
    };
    until(&ee, "a withdrawal", is_withdrawn).await;
    let origin = old.clone();
    until(&fr, "a receipt", move |view| {
        let log = view.db.log_id(&origin).unwrap().unwrap();
        let target = view.db.statement_at(log, Index(1)).unwrap().unwrap();
        view.db.receipts_of(target.id).unwrap().len() == 1
    })
    .await;
    for nation in [&fr, &ee, &lv] {
        verified(nation);
    }

    // It goes on over a restart, and says its audiences once.
    let size = fr.node().signed().size;
    let fr = fr.restart().await;
    assert_eq!(fr.node().signed().size, size);

    // What nobody but a thief or a liar would send.
    let root = secret(&root_key, Kind::Root);
    let known = fr.node().me().identity.clone();
    let forged = Identity { version: 9, ..known.clone() };
    assert!(take(&lv, identity::sign(&forged, &old_key)).await.is_err(), "the root key has not signed it");
    let last = |size, key: &SigningKey| {
        let one = Checkpoint { origin: old.clone(), size, root: TreeHash::new([7; 32]) };
        Some(Succeeds { origin: old.clone(), last: checkpoint::sign(&one, key).text().to_owned() })
    };
    let unsigned = Identity { version: 9, succeeds: last(2, &root), ..known.clone() };
    assert!(take(&lv, identity::sign(&unsigned, &root)).await.is_err(), "no key of the old log signed its end");
    let earlier = Identity { version: 1, ..known.clone() };
    assert_eq!(take(&lv, identity::sign(&earlier, &root)).await.unwrap(), 2, "it is no news");
    assert_eq!(standing(&lv, &old).await, Some((PartnerState::Active, 0)));
    let liar = Identity { version: 9, succeeds: last(2, &old_key), ..known };
    let liar = identity::sign(&liar, &root);
    for _ in 0..2 {
        take(&lv, liar.clone()).await.unwrap();
        assert_eq!(standing(&lv, &old).await, Some((PartnerState::Held, 1)), "two histories are evidence, once");
    }
    assert!(pending(&lv).await.contradicts);
    assert!(confirm(&lv).await.is_err(), "and are not confirmed");
    for nation in [fr, ee, lv] {
        assert!(nation.running.stop().await);
    }
}
