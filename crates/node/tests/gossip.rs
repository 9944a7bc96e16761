//! Gossip: a nation that shows different histories to different partners is found out by what these tell each other,
//! and what they can prove to others; and nobody is accused by words alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use journal::checkpoint::{self, Checkpoint};
use journal::evidence_file::{EvidenceFile, TwoHistories};
use journal::note::NoteVerifier;
use journal::tree::TreeHash;
use model::extension::AudienceKind;
use node::query::evidence;
use node::{audience, gossip};
use store::{EvidenceRow, PartnerState, StoreError};
use tokio::sync::watch;
use world::{Local, Nation, peer, state_of, until};

fn pull(nation: &Nation, from: &[&Nation]) -> watch::Sender<bool> {
    let (stop, stopping) = watch::channel(false);
    let transport: Arc<dyn node::ports::Transport> = Local::of(nation, from);
    tokio::spawn(node::pull::run(nation.node.clone(), transport, stopping));
    stop
}

async fn say(nation: &Nation, name: &'static str, members: &'static [&'static str]) {
    let members: Vec<String> = members.iter().map(|&member| member.to_owned()).collect();
    nation.node.write(move |work| audience::create(work, name, AudienceKind::Named, &members)).await.unwrap();
}

async fn evidence_of(nation: &Nation) -> Vec<EvidenceRow> {
    nation.node.read(|view| view.db.evidence(None, 100)).await.unwrap()
}

fn log_key(nation: &Nation) -> NoteVerifier {
    let key = SigningKey::from_bytes(&[nation.seed; 32]).verifying_key();
    NoteVerifier::new(&nation.node.me().origin.to_string(), key).unwrap()
}

/// One nation, run twice with the same keys; each copy speaks to one partner.
#[tokio::test(flavor = "multi_thread")]
async fn two_histories_shown_to_two_partners_are_found_and_proved_to_a_third() {
    let (one, two) = (Nation::new("FR", 1), Nation::new("FR", 1));
    let (ee, lv) = (Nation::new("EE", 2), Nation::new("LV", 3));
    for (france, partner) in [(&one, &ee), (&two, &lv)] {
        peer(france, partner).await;
    }
    for (france, other, country) in [(&one, &lv, "LV"), (&two, &ee, "EE")] {
        // France knows both of them, wherever it runs.
        let _ = (other, country);
        peer_one_way(france, other).await;
    }
    peer(&ee, &lv).await;
    say(&one, "both", &["EE", "LV"]).await;
    say(&two, "both", &["EE", "LV"]).await;
    say(&ee, "friends", &["LV"]).await;
    let _pulls = [pull(&ee, &[&one, &lv]), pull(&lv, &[&two, &ee])];
    let knows = |view: &node::View<'_, '_>| {
        let france = node::partner::find(view.db, "FR").unwrap();
        view.db.tree(france.log).unwrap().size > 0
    };
    until(&ee, "France's log", knows).await;
    until(&lv, "France's log", knows).await;
    // From here on they differ.
    say(&one, "to-estonia", &["EE"]).await;
    say(&two, "to-latvia", &["LV"]).await;
    // Word of it goes with pages: each must hold its own history before it says something to the other.
    for nation in [&ee, &lv] {
        let grown = |view: &node::View<'_, '_>| {
            let france = node::partner::find(view.db, "FR").unwrap();
            view.db.tree(france.log).unwrap().size > 1
        };
        until(nation, "France's log beyond the common part", grown).await;
    }
    say(&ee, "more friends", &["LV"]).await;
    say(&lv, "friends too", &["EE"]).await;
    until(&lv, "France held", |view| state_of(view, "FR") == Some(PartnerState::Held)).await;
    assert_eq!(
        lv.node.read(|view| Ok::<_, StoreError>(state_of(view, "EE"))).await.unwrap(),
        Some(PartnerState::Active)
    );
    let found = evidence_of(&lv).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].summary.contains("two histories") && found[0].summary.contains("EE"), "{}", found[0].summary);
    // Whoever has France's key can check it, and needs to believe neither Latvia nor Estonia.
    let id = found[0].id;
    let file = lv.node.read(move |view| evidence::file(view, id)).await.unwrap();
    histories(&file, &one);
}

/// What a file proves of a nation to whoever has its key.
fn histories(file: &EvidenceFile, of: &Nation) -> TwoHistories {
    let EvidenceFile::Histories(file) = file else { panic!("another kind") };
    let proven = file.verify(&[log_key(of)]).unwrap().into_inner();
    assert_ne!(proven.theirs.root, file.root);
    proven
}

/// The owner's copy knows a partner that does not speak with this copy.
async fn peer_one_way(at: &Nation, to: &Nation) {
    let roster = journal::roster::Roster {
        title: "test".into(),
        entries: vec![world::signed_identity(&to.country(), to.seed)],
        issued: model::Timestamp::from_seconds(1_790_000_000),
    };
    let key = SigningKey::from_bytes(&[1; 32]);
    let text = journal::roster::sign(&roster, &key).unwrap();
    let country = to.country();
    let known = at.node.write(move |work| {
        node::partner::propose_roster(work, &text, key.verifying_key().as_bytes())?;
        node::partner::confirm(work, &country)
    });
    known.await.unwrap();
}

/// A checkpoint of a nation over entries that it never had, signed by a key.
fn lie(of: &Nation, size: u64, key: u8) -> String {
    let checkpoint = Checkpoint { origin: of.node.me().origin.clone(), size, root: TreeHash::new([9; 32]) };
    checkpoint::sign(&checkpoint, &SigningKey::from_bytes(&[key; 32])).text().to_owned()
}

async fn hear(at: &Nation, from: &'static str, notes: Vec<String>) {
    let heard = at.node.write(move |work| {
        let from = node::partner::find(work.tx, from).unwrap().log;
        gossip::hear(work, from, &notes)
    });
    heard.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn words_alone_accuse_nobody_and_what_lies_ahead_is_compared_once_it_is_there() {
    let (fr, ee, lv) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("LV", 3));
    peer(&fr, &lv).await;
    peer(&ee, &lv).await;
    say(&fr, "one", &["LV"]).await;
    let _pull = pull(&lv, &[&fr]);
    let size = fr.node.signed().size;
    let has = move |view: &node::View<'_, '_>, size: u64| {
        let france = node::partner::find(view.db, "FR").unwrap();
        view.db.tree(france.log).unwrap().size >= size
    };
    until(&lv, "France's log", move |view| has(view, size)).await;
    let unknown = Nation::new("DE", 7);
    let words = vec![
        lie(&fr, size, 99),  // not France's key
        lie(&unknown, 5, 7), // a log that nobody here follows
        "rubbish".to_owned(),
        fr.node.signed().text.clone(), // the truth
    ];
    hear(&lv, "EE", words).await;
    let state = |view: &node::View<'_, '_>| Ok::<_, StoreError>(state_of(view, "FR"));
    assert_eq!(lv.node.read(state).await.unwrap(), Some(PartnerState::Active));
    assert_eq!(evidence_of(&lv).await, []);

    // Signed by France, and longer than what Latvia holds: remembered, shown as a lag, and compared when it is reached.
    hear(&lv, "EE", vec![lie(&fr, size + 1, 1)]).await;
    assert_eq!(lv.node.read(state).await.unwrap(), Some(PartnerState::Active), "it may yet turn out to be true");
    let heard = |view: &node::View<'_, '_>| view.db.heard(node::partner::find(view.db, "FR").unwrap().log);
    assert_eq!(lv.node.read(heard).await.unwrap().map(|row| row.size), Some(size + 1));
    say(&fr, "two", &["LV"]).await;
    until(&lv, "France held", |view| state_of(view, "FR") == Some(PartnerState::Held)).await;
    assert_eq!(lv.node.read(heard).await.unwrap(), None);
    let found = evidence_of(&lv).await;
    assert_eq!(found.len(), 1);
    let id = found[0].id;
    let file = lv.node.read(move |view| evidence::file(view, id)).await.unwrap();
    assert_eq!(histories(&file, &fr).theirs.size, size + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_told_of_to_those_alone_who_are_in_its_audiences() {
    let (fr, ee, lv, de) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("LV", 3), Nation::new("DE", 4));
    for other in [&ee, &lv] {
        peer(&fr, other).await;
    }
    peer(&lv, &ee).await;
    peer(&lv, &de).await;
    say(&fr, "three of us", &["EE", "LV"]).await;
    let _pull = pull(&lv, &[&fr]);
    until(&lv, "France's audience", |view| view.db.audiences().unwrap().iter().any(|row| row.name == "three of us"))
        .await;
    let told =
        |to: &'static str| lv.node.read(move |view| gossip::notes(view, &node::partner::find(view.db, to).unwrap()));
    let heads = "entraide/heads/v1\norigin entraide/FR";
    let told_ee = told("EE").await.unwrap();
    assert_eq!(told_ee[0], fr.node.signed().text);
    assert!(told_ee.len() == 2 && told_ee[1].starts_with(heads), "{told_ee:?}");
    assert_eq!(told("DE").await.unwrap(), Vec::<String>::new(), "Germany need not know that Latvia follows France");
    assert_eq!(told("FR").await.unwrap(), [fr.node.signed().text.clone()], "its own, as we hold it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_key_speaks_elsewhere_is_told() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    say(&fr, "one", &["EE"]).await;
    let size = fr.node.signed().size;
    hear(&fr, "EE", vec![fr.node.signed().text.clone(), lie(&fr, size, 99)]).await;
    assert_eq!(evidence_of(&fr).await, [], "the truth, and what our key did not sign");
    for _ in 0..2 {
        hear(&fr, "EE", vec![lie(&fr, size, 1), lie(&fr, size + 7, 1)]).await;
    }
    let found = evidence_of(&fr).await;
    assert_eq!(found.len(), 1, "once: {found:?}");
    assert!(found.iter().all(|row| row.summary.contains("another copy of it speaks")));
    assert_eq!(fr.node.standing().word(), "stopped");
}

/// What a partner says of itself counts as little as what others say of it: a cosignature makes no history.
#[tokio::test(flavor = "multi_thread")]
async fn a_nation_that_shows_another_history_with_cosignatures_is_held() {
    let (fr, ee, lv) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("LV", 3));
    peer(&fr, &lv).await;
    peer(&ee, &lv).await;
    say(&fr, "one", &["LV"]).await;
    let _pull = pull(&lv, &[&fr]);
    let size = fr.node.signed().size;
    until(&lv, "France's log", move |view| {
        view.db.tree(node::partner::find(view.db, "FR").unwrap().log).unwrap().size == size
    })
    .await;
    let cosigned = |note: &str| {
        let text = journal::note::text_of(note).unwrap();
        let line =
            journal::note::cosign(text, &ee.node.me().origin.to_string(), 1, &SigningKey::from_bytes(&[ee.seed; 32]));
        format!("{note}{line}")
    };
    hear(&lv, "FR", vec![cosigned(&fr.node.signed().text)]).await;
    let witnessed = |view: &node::View<'_, '_>| view.db.witnessed(node::partner::find(view.db, "FR").unwrap().log);
    assert_eq!(lv.node.read(witnessed).await.unwrap().map(|row| (row.size, row.witnesses)), Some((size, 1)));
    hear(&lv, "FR", vec![cosigned(&lie(&fr, size, 1))]).await;
    let state = lv.node.read(|view| Ok::<_, StoreError>(state_of(view, "FR"))).await.unwrap();
    assert_eq!(state, Some(PartnerState::Held));
    assert_eq!(evidence_of(&lv).await.len(), 1);
}
