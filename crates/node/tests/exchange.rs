//! Nations exchange statements: what is said arrives where it may and nowhere else, can be taken back, and a forged page
//! ends held with evidence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod world;

use std::sync::Arc;

use model::extension::{AudienceKind, WithdrawalAction};
use model::{Index, MediaType, StixId, Tlp};
use node::Actor;
use node::assert::{Assert, ObjectFate, RawObject};
use node::audience::{self, Choice};
use store::{Face, ObjectState, PartnerState, StatementId, StoreError};
use tokio::sync::watch;
use world::{Local, Nation, peer, state_of, until};

fn indicator(number: u32) -> RawObject {
    let text = format!(
        r#"{{ "type":"indicator", "spec_version":"2.1",
  "id":"indicator--8e2e2d2b-17d4-4cbf-938f-{number:012x}", "created":"2026-11-01T00:00:00Z",
  "modified":"2026-11-02T00:00:00Z", "name":"beacon {number}", "pattern":"[domain-name:value = 'c2-{number}.example']",
  "pattern_type":"stix", "valid_from":"2026-11-01T00:00:00Z" }}"#
    );
    RawObject { media: MediaType::Stix, bytes: text.into_bytes() }
}

fn id_of(number: u32) -> StixId {
    format!("indicator--8e2e2d2b-17d4-4cbf-938f-{number:012x}").parse().unwrap()
}

async fn say(nation: &Nation, numbers: std::ops::Range<u32>, tlp: Tlp, audience: Choice) -> Vec<ObjectFate> {
    let command = Assert { objects: numbers.map(indicator).collect(), tlp, pap: None, walled: None, audience };
    nation.node.write(move |work| node::assert::assert(work, &command)).await.unwrap()
}

async fn make(nation: &Nation, name: &'static str, kind: AudienceKind, members: &[&str]) {
    let members: Vec<String> = members.iter().map(|&m| m.to_owned()).collect();
    nation.node.write(move |work| audience::create(work, name, kind, &members)).await.unwrap();
}

fn pull(nation: &Nation, transport: &Arc<Local>) -> watch::Sender<bool> {
    let (stop, stopping) = watch::channel(false);
    let transport: Arc<dyn node::ports::Transport> = transport.clone();
    tokio::spawn(node::pull::run(nation.node.clone(), transport, stopping));
    stop
}

fn holds(view: &node::View<'_, '_>, number: u32) -> Option<Vec<u8>> {
    let rows = view.db.objects_by_id(&id_of(number)).unwrap();
    let row = rows.iter().find(|row| row.state == ObjectState::Live)?;
    node::body::open(view.db, view.signer, row.statement).unwrap()
}

async fn check_whole(nation: &Nation) {
    let before = nation.node.read(|view| view.db.views_digest()).await.unwrap();
    let rebuilt = nation.node.write(node::rebuild::rebuild).await.unwrap();
    assert_eq!(rebuilt.unfit, 0, "{rebuilt:?}");
    let after = nation.node.read(|view| view.db.views_digest()).await.unwrap();
    assert_eq!(before, after, "{}: a rebuild gives other rows", nation.country());
    let report = nation.node.read(|view| node::verify::verify(view.db, view.signer, |_| None)).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(report.statements > 0);
}

fn stands_in_a_file(nation: &Nation, words: &[u8]) -> bool {
    ["entraide.db", "entraide.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(nation.dir.path().join(name)).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words)
    })
}

/// No file of a nation's directory has the words of what was purged, the write-ahead file included.
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
async fn what_is_said_arrives_byte_for_byte_at_its_audience_and_nowhere_else() {
    let (fr, ee, de) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("DE", 3));
    peer(&fr, &ee).await;
    peer(&fr, &de).await;
    make(&fr, "two", AudienceKind::Named, &["EE"]).await;
    let _ee = pull(&ee, &Local::of(&ee, &[&fr]));
    let _de = pull(&de, &Local::of(&de, &[&fr]));

    let fates = say(&fr, 0..50, Tlp::Amber, Choice::Named("two".into())).await;
    assert!(fates.iter().all(|fate| matches!(fate, ObjectFate::Asserted { .. })), "{fates:?}");
    until(&ee, "fifty indicators", |view| (0..50).all(|n| holds(view, n) == Some(indicator(n).bytes))).await;
    // Germany verifies the same log and holds none of its content.
    let size = fr.node.signed().size;
    let fr_origin = fr.node.me().origin.clone();
    until(&de, "the log's commitments", move |view| {
        let log = view.db.log_id(&fr_origin).unwrap().unwrap();
        view.db.tree(log).unwrap().size == size
    })
    .await;
    let statements = de.node.read(|view| view.db.statements_after(StatementId(0), 1_000)).await.unwrap();
    assert_eq!(statements.len(), 0, "nothing was said to Germany");
    for nation in [&fr, &ee] {
        check_whole(nation).await;
    }
    let again = say(&fr, 0..1, Tlp::Amber, Choice::Named("two".into())).await;
    assert!(matches!(again[0], ObjectFate::Already { .. }), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_is_obeyed_and_receipted_to_the_owner_alone() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    make(&fr, "two", AudienceKind::Named, &["EE"]).await;
    let _ee = pull(&ee, &Local::of(&ee, &[&fr]));
    let _fr = pull(&fr, &Local::of(&fr, &[&ee]));
    let fates = say(&fr, 0..3, Tlp::Green, Choice::Named("two".into())).await;
    let ObjectFate::Asserted { index, .. } = fates[1] else { panic!("{fates:?}") };
    until(&ee, "three indicators", |view| (0..3).all(|n| holds(view, n).is_some())).await;

    assert!(
        stands_in_a_file(&fr, b"beacon 1") && stands_in_a_file(&ee, b"beacon 1"),
        "titles are looked up in the clear"
    );

    for (action, erased) in [(WithdrawalAction::StopSharing, false), (WithdrawalAction::Purge, true)] {
        fr.node.write(move |work| node::withdraw::withdraw(work, index, action, "false positive")).await.unwrap();
        until(&ee, "the withdrawal", move |view| {
            let rows = view.db.objects_by_id(&id_of(1)).unwrap();
            let wanted = if erased { ObjectState::Erased } else { ObjectState::Withdrawn };
            rows[0].state == wanted && holds(view, 0).is_some()
        })
        .await;
    }
    until(&fr, "the receipt", move |view| {
        let target = view.db.statement_at(view.me.log, index).unwrap().unwrap();
        let receipts = view.db.receipts_of(target.id).unwrap();
        receipts.len() == 1
            && receipts[0].erased
            && (receipts[0].exports, receipts[0].not_recalled) == (Some(0), Some(0))
    })
    .await;
    for nation in [&fr, &ee] {
        check_forgotten(nation, b"beacon 1").await;
        check_whole(nation).await;
    }
    let taken: Result<_, _> =
        fr.node.write(|work| node::withdraw::withdraw(work, Index(9_999), WithdrawalAction::StopSharing, "")).await;
    assert!(taken.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_counts_what_was_carried_out_and_nothing_is_carried_out_after_it() {
    use node::query::objects::ObjectError;
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    make(&fr, "two", AudienceKind::Named, &["EE"]).await;
    let _ee = pull(&ee, &Local::of(&ee, &[&fr]));
    let _fr = pull(&fr, &Local::of(&fr, &[&ee]));
    let fates = say(&fr, 0..2, Tlp::Green, Choice::Named("two".into())).await;
    let ObjectFate::Asserted { index, .. } = fates[1] else { panic!("{fates:?}") };
    until(&ee, "two indicators", |view| (0..2).all(|n| holds(view, n).is_some())).await;
    let target = ee.node.read(|view| view.db.objects_by_id(&id_of(1))).await.unwrap()[0].statement;
    let give = async |face| ee.node.write(move |work| node::ledger::note(work, target, &Actor::machine(), face)).await;
    for face in [Face::Page, Face::Content, Face::Proof] {
        give(face).await.unwrap();
    }
    fr.node.write(move |work| node::withdraw::withdraw(work, index, WithdrawalAction::Purge, "x")).await.unwrap();
    until(&fr, "a receipt that counts two exports", move |view| {
        let target = view.db.statement_at(view.me.log, index).unwrap().unwrap();
        let receipts = view.db.receipts_of(target.id).unwrap();
        receipts.first().is_some_and(|receipt| (receipt.exports, receipt.not_recalled) == (Some(2), Some(2)))
    })
    .await;
    // Whoever had read the bytes already when the withdrawal came gets no row, and so no bytes.
    let late = give(Face::Content).await;
    assert!(matches!(late, Err(node::WriteError::Refused(ObjectError::NotFound))), "{late:?}");
    check_whole(&ee).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_member_gets_its_history_after_a_person_saw_the_number() {
    let (fr, ee, de) = (Nation::new("FR", 1), Nation::new("EE", 2), Nation::new("DE", 3));
    peer(&fr, &ee).await;
    peer(&fr, &de).await;
    make(&fr, "case", AudienceKind::Named, &["EE"]).await;
    say(&fr, 0..20, Tlp::Amber, Choice::Named("case".into())).await;
    let members = vec!["EE".to_owned(), "DE".to_owned()];
    let wanted = members.clone();
    let preview = fr.node.write(move |work| audience::preview(work, "case", &wanted)).await.unwrap();
    assert_eq!((preview.joining.len(), preview.older), (1, 21));
    let wanted = members.clone();
    let wrong = fr.node.write(move |work| audience::change(work, "case", &wanted, Some(3))).await;
    assert!(wrong.is_err(), "another number than the person saw is refused");
    fr.node.write(move |work| audience::change(work, "case", &members, Some(21))).await.unwrap();
    let _de = pull(&de, &Local::of(&de, &[&fr]));
    until(&de, "the history", |view| (0..20).all(|n| holds(view, n) == Some(indicator(n).bytes))).await;
    until(&de, "a chain without gaps", |view| {
        view.db.logs().unwrap().iter().all(|(log, _)| {
            let chains = view.db.chains(*log).unwrap();
            chains.iter().all(|chain| !chain.is_incomplete() && chain.low == 0)
        })
    })
    .await;
    check_whole(&de).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_page_ends_held_with_evidence_and_nothing_of_it_is_taken() {
    let (fr, mt) = (Nation::new("FR", 1), Nation::new("MT", 4));
    peer(&fr, &mt).await;
    make(&mt, "all", AudienceKind::Community, &["*"]).await;
    let transport = Local::of(&fr, &[&mt]);
    *transport.spoil.lock().unwrap() = Some(|page| {
        for item in &mut page.items {
            if let Some(body) = item.opening.as_mut().and_then(|opening| opening.body.as_mut()) {
                body.bytes[0] ^= 1;
            }
        }
    });
    let _fr = pull(&fr, &transport);
    say(&mt, 0..5, Tlp::Green, Choice::Named("all".into())).await;
    until(&fr, "Malta held", |view| state_of(view, "MT") == Some(PartnerState::Held)).await;
    let (evidence, statements) = fr
        .node
        .read(|view| Ok::<_, StoreError>((view.db.evidence(None, 10)?, view.db.statements_after(StatementId(0), 100)?)))
        .await
        .unwrap();
    assert_eq!(evidence.len(), 1);
    assert!(!evidence[0].summary.is_empty());
    assert!(statements.is_empty(), "nothing of a forged page is taken");
    // A person looks, and resumes; the honest page is taken.
    *transport.spoil.lock().unwrap() = None;
    fr.node.write(|work| node::partner::resume(work, "MT")).await.unwrap();
    fr.node.tell_partners_changed();
    until(&fr, "five indicators", |view| (0..5).all(|n| holds(view, n).is_some())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn red_is_opened_to_no_node_and_labels_inside_are_ceilings() {
    let (fr, ee) = (Nation::new("FR", 1), Nation::new("EE", 2));
    peer(&fr, &ee).await;
    make(&fr, "two", AudienceKind::Named, &["EE"]).await;
    let fates = say(&fr, 0..1, Tlp::Red, Choice::Default).await;
    assert!(matches!(fates[0], ObjectFate::Asserted { .. }), "{fates:?}");
    let mut red = indicator(7);
    let text = String::from_utf8(red.bytes).unwrap();
    let marking = format!("\"object_marking_refs\":[\"{}\"], \"name\"", Tlp::Red.marking_id());
    red.bytes = text.replace("\"name\"", &marking).into_bytes();
    let command =
        Assert { objects: vec![red], tlp: Tlp::Green, pap: None, walled: None, audience: Choice::Named("two".into()) };
    let fates = fr.node.write(move |work| node::assert::assert(work, &command)).await.unwrap();
    assert!(matches!(&fates[0], ObjectFate::Refused { reason, .. } if !reason.is_empty()), "{fates:?}");
    let _ee = pull(&ee, &Local::of(&ee, &[&fr]));
    say(&fr, 1..2, Tlp::Green, Choice::Named("two".into())).await;
    until(&ee, "the green one", |view| holds(view, 1).is_some()).await;
    let red = ee.node.read(|view| Ok::<_, StoreError>(holds(view, 0))).await.unwrap();
    assert_eq!(red, None);
}

#[tokio::test]
async fn a_database_older_than_what_was_said_does_not_speak() {
    let fr = Nation::new("FR", 1);
    make(&fr, "a", AudienceKind::Named, &[]).await;
    let mark = journal::checkpoint::Checkpoint {
        origin: fr.node.me().origin.clone(),
        size: 5,
        root: journal::tree::TreeHash::new([7; 32]),
    };
    let dir = fr.dir.path().to_owned();
    drop(fr.node);
    let forked = journal::checkpoint::Checkpoint { size: 1, ..mark.clone() };
    for (mark, word) in [(mark, "recovering"), (forked, "stopped")] {
        let node = world::open(&dir, "FR", 1, world::MemorySigner::new(1, Some(mark))).unwrap();
        assert_eq!(node.standing().word(), word);
        let refused = node.write(|work| audience::create(work, "b", AudienceKind::Named, &[]).map(|_| ())).await;
        assert!(matches!(refused, Err(node::WriteError::Silent(_))), "{refused:?}");
        let names = node.read(|view| Ok::<_, StoreError>(view.db.audiences()?.len())).await.unwrap();
        assert_eq!(names, 1, "people read, and nothing was added");
    }
}
