//! Witnesses of a log: enough of them make it witnessed, one that lies counts for nothing, and a log that shows a
//! witness another history is held with evidence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ed25519_dalek::SigningKey;
use journal::checkpoint::{self, Checkpoint};
use journal::note;
use journal::tree::TreeHash;
use journal::witness::{AddCheckpoint, WitnessError};
use model::extension::AudienceKind;
use model::{MediaType, Tlp};
use node::assert::{Assert, RawObject};
use node::audience::{self, Choice};
use node::cosign::{self, CosignError, Cosigned};
use node::{WriteError, witness};
use store::{PartnerState, StoreError};
use tokio::sync::watch;
use world::{Local, Nation, peer, state_of, until};

fn ask_witnesses(nation: &Nation, transport: &Arc<Local>) -> watch::Sender<bool> {
    let (stop, stopping) = watch::channel(false);
    let transport: Arc<dyn node::ports::Transport> = transport.clone();
    tokio::spawn(witness::run(nation.node.clone(), transport, stopping));
    stop
}

async fn choose(nation: &Nation, names: &[&str], threshold: Option<usize>) -> Result<(), String> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let chosen = nation.node.write(move |work| witness::choose(work, &names, threshold)).await;
    nation.node.tell_partners_changed();
    chosen.map_err(|error| error.to_string())
}

async fn say(nation: &Nation, name: &'static str) {
    let members = vec!["EE".to_owned()];
    nation.node.write(move |work| audience::create(work, name, AudienceKind::Named, &members)).await.unwrap();
}

fn all_witnessed(view: &node::View<'_, '_>) -> bool {
    view.db.witnessed(view.me.log).unwrap().is_some_and(|row| row.size == view.signed.size)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_enough_witnesses_cosigned_is_witnessed_and_a_liar_counts_for_nothing() {
    let (fr, ee, lv) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("LV", 3));
    peer(&fr, &ee).await;
    peer(&fr, &lv).await;
    say(&fr, "one").await;
    let local = Local::of(&fr, &[&ee, &lv]);
    let running = ask_witnesses(&fr, &local);
    assert_eq!(choose(&fr, &["EE", "LV"], Some(2)).await, Ok(()));
    until(&fr, "a witnessed checkpoint", all_witnessed).await;
    let row = fr.node.read(|view| view.db.witnessed(view.me.log)).await.unwrap().unwrap();
    assert_eq!(row.witnesses, 2);
    let by = fr.node.read(move |view| witness::cosigners(view, &row)).await.unwrap();
    let mut by: Vec<String> = by.into_iter().map(|(origin, _)| origin.country().to_string()).collect();
    by.sort();
    assert_eq!(by, ["EE", "LV"]);
    // What is said later is witnessed too, from where the witnesses stand; and after a restart of the asking side,
    // which does not know any more where that is.
    say(&fr, "two").await;
    until(&fr, "the second statement witnessed", all_witnessed).await;
    running.send_replace(true);
    let running = ask_witnesses(&fr, &local);
    say(&fr, "three").await;
    until(&fr, "the third statement witnessed", all_witnessed).await;

    running.send_replace(true);

    // One of two is not enough.
    let alone = ask_witnesses(&fr, &Local::of(&fr, &[&ee]));
    say(&fr, "four").await;
    let signed = fr.node.signed().size;
    standing(&fr, "EE", |standing| standing.cosigned.is_some_and(|(size, _)| size == signed)).await;
    check_not_witnessed(&fr).await;
    alone.send_replace(true);

    // Nor are two whose lines do not hold, whatever they say.
    *local.spoil_lines.lock().unwrap() = Some(|line| line.replace('A', "B"));
    let lied_to = ask_witnesses(&fr, &local);
    standing(&fr, "LV", |standing| standing.why.as_deref() == Some("its cosignature does not hold")).await;
    check_not_witnessed(&fr).await;
    lied_to.send_replace(true);
    *local.spoil_lines.lock().unwrap() = None;
    let _running = ask_witnesses(&fr, &local);
    until(&fr, "the fourth statement witnessed", all_witnessed).await;
}

async fn standing(nation: &Nation, of: &'static str, holds: impl Fn(&witness::Standing) -> bool) {
    let found = nation.node.read(move |view| Ok::<_, StoreError>(node::partner::find(view.db, of).unwrap().log));
    let log = found.await.unwrap();
    for _ in 0..1_000 {
        if holds(&nation.node.witnessing().of(log)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{of}: {:?}", nation.node.witnessing().of(log));
}

async fn check_not_witnessed(nation: &Nation) {
    let witnessed = nation.node.read(|view| Ok::<_, StoreError>(all_witnessed(view))).await.unwrap();
    assert!(!witnessed, "too few have cosigned it");
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_is_witnessed_together_and_not_entry_by_entry() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    say(&fr, "friends").await;
    let local = Local::of(&fr, &[&ee]);
    let _running = ask_witnesses(&fr, &local);
    assert_eq!(choose(&fr, &["EE"], None).await, Ok(()));
    until(&fr, "a witnessed checkpoint", all_witnessed).await;
    let (before, began) = (local.asked.load(Ordering::SeqCst), tokio::time::Instant::now());
    for number in 0..20 {
        let bytes = format!(
            r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--{number:08x}-0000-4000-8000-000000000000",
"created":"2026-11-20T08:00:00.000Z","modified":"2026-11-20T08:00:00.000Z","pattern":"[domain-name:value = 'b.example']",
"pattern_type":"stix","valid_from":"2026-11-20T08:00:00Z"}}"#
        );
        let objects = vec![RawObject { media: MediaType::Stix, bytes: bytes.into_bytes() }];
        let audience = Choice::Named("friends".to_owned());
        let command = Assert { objects, tlp: Tlp::Amber, pap: None, audience, walled: None };
        fr.node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
        // Long enough for a round of one entry, if there were one.
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    }
    let rounds = local.asked.load(Ordering::SeqCst) - before;
    let due = began.elapsed().as_secs() / node::limits::WITNESS_BULK_SECONDS + 1;
    assert!(rounds as u64 <= due, "{rounds} rounds for 20 entries, where {due} were due");
    // The workflow lane does not wait, and takes with it what was waiting.
    say(&fr, "others").await;
    until(&fr, "everything witnessed", all_witnessed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn witnesses_are_active_partners_and_a_threshold_can_be_reached() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    let check = |got: Result<(), String>, says: &str| assert!(got.as_ref().is_err_and(|e| e.contains(says)), "{got:?}");
    check(choose(&fr, &["XX"], None).await, "is not a partner");
    check(choose(&fr, &["EE"], Some(2)).await, "a number from 1 to 1");
    check(choose(&fr, &["EE"], Some(0)).await, "a number from 1 to 1");
    fr.node.write(|work| node::partner::hold(work, "EE", "to be looked at")).await.unwrap();
    check(choose(&fr, &["EE"], None).await, "not an active partner");
    assert_eq!(fr.node.read(|view| view.db.witnesses()).await.unwrap(), [], "nothing of a refused choice stays");
    assert_eq!(choose(&fr, &[], None).await, Ok(()));
    let many = ["LV", "LT", "DE", "ES", "IT", "PL"];
    for (seed, country) in (3..).zip(many) {
        peer(&fr, &Nation::new(country, seed)).await;
    }
    let most = node::limits::WITNESSES;
    assert_eq!(choose(&fr, &many[..most], None).await, Ok(()));
    check(choose(&fr, &many[..=most], None).await, "at most");
}

/// A checkpoint of France, signed with its key, over entries that France never had.
fn forged(fr: &Nation, size: u64) -> String {
    let root = TreeHash::new([9; 32]);
    let lie = Checkpoint { origin: fr.node.me().origin.clone(), size, root };
    checkpoint::sign(&lie, &SigningKey::from_bytes(&[fr.seed; 32])).text().to_owned()
}

async fn cosign(at: &Nation, caller: &str, request: AddCheckpoint) -> Result<Cosigned, WriteError<CosignError>> {
    let caller = caller.to_owned();
    let found = at.node.read(move |view| Ok::<_, StoreError>(node::partner::find(view.db, &caller).unwrap().log));
    let log = found.await.unwrap();
    at.node.write(move |work| cosign::cosign(work, log, &request)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_shows_a_witness_two_histories_is_held_with_both() {
    let (fr, ee, de) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("DE", 3));
    peer(&fr, &ee).await;
    peer(&de, &ee).await;
    say(&fr, "one").await;
    let honest = fr.node.signed();
    let ask = |checkpoint: String| AddCheckpoint { old: 0, proof: Vec::new(), checkpoint };
    // Nobody else asks for France, and what France did not sign is not cosigned.
    let stranger = cosign(&ee, "DE", ask(honest.text.clone())).await;
    assert!(matches!(stranger, Err(WriteError::Refused(CosignError::Unknown))), "{stranger:?}");
    let spoilt = honest.text.replacen(&format!("\n{}\n", honest.size), "\n77\n", 1);
    let unsigned = cosign(&ee, "FR", ask(spoilt)).await;
    let refused = CosignError::Request(WitnessError::Unsigned).to_string();
    assert_eq!(unsigned.unwrap_err().to_string(), refused);

    let first = cosign(&ee, "FR", ask(honest.text.clone())).await.unwrap();
    let Cosigned::Line(line) = first else { panic!("{first:?}") };
    let key = ee.node.read(|view| witness::own_keys(view.me).map(|keys| keys[0].clone())).await.unwrap();
    let cosigned = format!("{}{line}", honest.text);
    assert_eq!(note::open(&cosigned, &[key]).unwrap().cosigned.len(), 1);
    let behind = cosign(&ee, "FR", ask(forged(&fr, honest.size + 5))).await.unwrap();
    assert_eq!(behind, Cosigned::Size(honest.size), "it must show where the other history comes from");
    assert_eq!(
        ee.node.read(|view| Ok::<_, StoreError>(state_of(view, "FR"))).await.unwrap(),
        Some(PartnerState::Active)
    );

    let forked = cosign(&ee, "FR", ask(forged(&fr, honest.size))).await.unwrap();
    assert_eq!(forked, Cosigned::Forked(honest.size));
    let (state, evidence) =
        ee.node.read(|view| Ok::<_, StoreError>((state_of(view, "FR"), view.db.evidence(None, 10)?))).await.unwrap();
    assert_eq!(state, Some(PartnerState::Held));
    assert_eq!(evidence.len(), 1);
    assert_eq!(evidence[0].ours.as_deref(), Some(honest.text.as_str()));
    assert_eq!(evidence[0].theirs, Some(forged(&fr, honest.size)));
    // Of a held log nothing more is cosigned.
    let held = cosign(&ee, "FR", ask(honest.text.clone())).await;
    assert!(matches!(held, Err(WriteError::Refused(CosignError::Unknown))), "{held:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_cosigns_no_other_history_than_the_one_that_it_holds() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    say(&fr, "one").await;
    let (_stop, stopping) = watch::channel(false);
    let transport: Arc<dyn node::ports::Transport> = Local::of(&ee, &[&fr]);
    tokio::spawn(node::pull::run(ee.node.clone(), transport, stopping));
    let size = fr.node.signed().size;
    until(&ee, "France's log", move |view| {
        view.db.tree(node::partner::find(view.db, "FR").unwrap().log).unwrap().size == size
    })
    .await;
    // It has cosigned nothing of France yet: what it holds is what tells.
    let request = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: forged(&fr, size) };
    assert_eq!(cosign(&ee, "FR", request).await.unwrap(), Cosigned::Forked(0));
    let state = ee.node.read(|view| Ok::<_, StoreError>(state_of(view, "FR"))).await.unwrap();
    assert_eq!(state, Some(PartnerState::Held));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_what_it_cosigned_cosigns_nothing() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    say(&fr, "one").await;
    let dir = tempfile::tempdir().unwrap();
    store::Store::open(ee.dir.path()).unwrap().copy_into(dir.path()).unwrap();
    let restored = world::open(dir.path(), "EE", 2, world::MemorySigner::unknown(2)).unwrap();
    let restored = Nation { node: restored, dir, seed: 2 };
    let request = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: fr.node.signed().text.clone() };
    let refused = cosign(&restored, "FR", request).await;
    assert!(matches!(refused, Err(WriteError::Refused(CosignError::Silent(_)))), "{refused:?}");
}

/// A copy of a node that knows less than a witness has cosigned is told so, and asks its partners again.
#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_has_cosigned_more_makes_a_node_doubt_itself() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    say(&fr, "one").await;
    assert_eq!(choose(&fr, &["EE"], None).await, Ok(()));
    let dir = tempfile::tempdir().unwrap();
    store::Store::open(fr.dir.path()).unwrap().copy_into(dir.path()).unwrap();
    let copy = world::open(dir.path(), "FR", 1, world::MemorySigner::new(1, fr.node.signer().mark())).unwrap();
    let copy = Nation { node: copy, dir, seed: 1 };
    say(&fr, "two").await;
    let request = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: fr.node.signed().text.clone() };
    assert!(matches!(cosign(&ee, "FR", request).await, Ok(Cosigned::Line(_))));
    let mut doubts = copy.node.doubts();
    let _asking = ask_witnesses(&copy, &Local::of(&copy, &[&ee]));
    tokio::time::timeout(std::time::Duration::from_secs(20), doubts.changed()).await.expect("it doubts").unwrap();
}
