//! Nations over the real wire: peering by invitation with the six words, real files byte for byte at an admitted partner
//! and at no other, and a node that was away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod nations;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use intake::{Limits, split};
use model::extension::AudienceKind;
use model::{StixId, Tlp};
use nations::{Nation, peer, until};
use node::assert::{Assert, ObjectFate, RawObject};
use node::audience::{self, Choice};
use node::partner;
use store::{ObjectState, StatementId, StoreError};

/// What France says, and what Estonia says: two versions of ATT&CK for ICS share one id and version with other bytes, and
/// one nation can say only one of them.
fn files() -> [Vec<(PathBuf, Tlp)>; 2] {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut france =
        vec![(samples.join("small-bundle.json"), Tlp::Green), (samples.join("misp-event.json"), Tlp::Amber)];
    let mut estonia = vec![(samples.join("small-bundle.json"), Tlp::Green)];
    match std::env::var_os("ENTRAIDE_DATA").map(PathBuf::from) {
        None => println!("SKIPPED: ENTRAIDE_DATA is not set: real files did not travel, only the samples"),
        Some(data) => {
            france.push((data.join("attack/ics-attack-18.json"), Tlp::Clear));
            france.push((data.join("attack/mobile-attack-17.1.json"), Tlp::Green));
            estonia.push((data.join("attack/ics-attack-14.1.json"), Tlp::Clear));
            let events = std::fs::read_dir(data.join("misp")).unwrap().map(|entry| entry.unwrap().path());
            france.extend(events.filter(|path| path.extension().is_some_and(|e| e == "json")).map(|p| (p, Tlp::Amber)));
        }
    }
    [france, estonia]
}

/// Asserts each file's objects, and gives back every span that became our word.
async fn assert_files(nation: &Nation, files: Vec<(PathBuf, Tlp)>) -> HashMap<StixId, Vec<Vec<u8>>> {
    let mut said: HashMap<StixId, Vec<Vec<u8>>> = HashMap::new();
    for (path, tlp) in files {
        let file = std::fs::read(&path).unwrap();
        let parts = split(&file, Limits::default()).unwrap();
        for lot in parts.items.chunks(500) {
            let objects: Vec<RawObject> = lot
                .iter()
                .map(|item| RawObject { media: item.head.as_ref().unwrap().media, bytes: item.span.to_vec() })
                .collect();
            let spans: Vec<Vec<u8>> = objects.iter().map(|object| object.bytes.clone()).collect();
            let command =
                Assert { objects, tlp, pap: None, walled: None, audience: Choice::Named("friends".to_owned()) };
            let fates = nation.node().write(move |work| node::assert::assert(work, &command)).await.unwrap();
            for (fate, span) in fates.into_iter().zip(spans) {
                match fate {
                    ObjectFate::Asserted { id, .. } => said.entry(id).or_default().push(span),
                    ObjectFate::Already { id, .. } => {
                        assert!(said[&id].contains(&span), "{id} was said with other bytes");
                    }
                    ObjectFate::Parts { id, .. } => panic!("{}: {id} has several labels", path.display()),
                    ObjectFate::Refused { id, reason } => panic!("{}: {id:?}: {reason}", path.display()),
                }
            }
        }
    }
    said
}

/// Everything that was said is there, as often as it was said, and each is the bytes of its file.
async fn check_arrived(holder: &Nation, owner: &Nation, said: HashMap<StixId, Vec<Vec<u8>>>) {
    assert!(said.len() > 10);
    let objects: u64 = said.values().map(|spans| spans.len() as u64).sum();
    let origin = owner.facts.origin.clone();
    until(holder, "everything that was said", move |view| {
        let log = view.db.log_id(&origin).unwrap().unwrap();
        // One more than the objects: the audience itself.
        view.db.object_counts().unwrap().iter().any(|(of, count)| *of == log && *count == objects + 1)
    })
    .await;
    let origin = owner.facts.origin.clone();
    let read = holder.node().read(move |view| {
        let log = view.db.log_id(&origin)?;
        for (id, spans) in &said {
            let mut rows = view.db.objects_by_id(id)?;
            rows.retain(|row| Some(row.log) == log);
            assert_eq!(rows.len(), spans.len(), "{id}");
            for row in rows {
                assert_eq!(row.state, ObjectState::Live);
                let bytes = node::body::open(view.db, view.signer, row.statement)?.unwrap();
                assert!(spans.contains(&bytes), "{id} is not the bytes of its file");
            }
        }
        Ok::<_, StoreError>(())
    });
    read.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_arrives_byte_for_byte_at_the_admitted_partner_and_at_no_other() {
    let (france, estonia, germany) = (Nation::start("FR").await, Nation::start("EE").await, Nation::start("DE").await);
    peer(&france, &estonia).await;
    peer(&germany, &france).await;
    for (nation, friend) in [(&france, "EE"), (&estonia, "FR")] {
        let members = vec![friend.to_owned()];
        let made = nation.node().write(move |work| audience::create(work, "friends", AudienceKind::Named, &members));
        made.await.unwrap();
    }
    let [of_france, of_estonia] = files();
    let said = assert_files(&france, of_france).await;
    check_arrived(&estonia, &france, said).await;
    let said = assert_files(&estonia, of_estonia).await;
    check_arrived(&france, &estonia, said).await;

    let (origin, size) = (france.facts.origin.clone(), france.node().signed().size);
    until(&germany, "France's log", move |view| {
        let log = view.db.log_id(&origin).unwrap().unwrap();
        view.db.tree(log).unwrap().size == size
    })
    .await;
    let statements = germany.node().read(|view| view.db.statements_after(StatementId(0), 10)).await.unwrap();
    assert_eq!(statements, Vec::new(), "Germany was opened nothing");
    for nation in [france, estonia, germany] {
        assert!(nation.running.stop().await, "the node ends in time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_and_a_wrong_invitation_get_nowhere() {
    let (france, estonia) = (Nation::start("FR").await, Nation::start("EE").await);
    let invited = france.node().write(partner::invite).await.unwrap();
    let key = estonia.running.tls();
    let mut wrong = journal::peering::Invitation::decode(&invited.code).unwrap();
    wrong.secret = [9; 16];
    let refused = http_room::client::join::join(estonia.node(), key, &wrong.encode()).await;
    assert!(refused.is_err());
    let client = http_room::client::FederationClient::connect(&france.facts.address, france.running.tls().pin(), key);
    let client = client.await.unwrap();
    assert!(client.identity().await.is_err(), "a stranger is shown nothing");
    assert!(client.releases("have=0&wait=0", Duration::from_secs(1)).await.is_err());
    let partners = france.node().read(|view| view.db.partners()).await.unwrap();
    assert!(partners.is_empty());
    // The honest code still works after a wrong one.
    http_room::client::join::join(estonia.node(), key, &invited.code).await.unwrap();
}
