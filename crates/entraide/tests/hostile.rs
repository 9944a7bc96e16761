//! Hostile partners over the real wire: a real node, an honest partner, and one nation after another that lies.
//!
//! Every lie ends *held with evidence*, *unfit* (kept raw), or refused within bounds; and after each of them what the
//! honest partner says arrives as before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod liar;
mod nations;

use std::time::Duration;

use http_room::client::{ClientError, FederationClient};
use http_room::server::api::keys::Wanted;
use journal::checkpoint::Checkpoint;
use journal::tree::TreeHash;
use journal::wire::{self, FeedPage};
use liar::{Liar, Script, envelope};
use model::extension::{Audience, AudienceKind, Common, Extension, Withdrawal, WithdrawalAction};
use model::{
    AudienceAt, AudienceId, Citation, Commitment, Index, Label, Lane, MediaType, MemberSet, StixId, Timestamp, Tlp,
};
use nations::{Nation, peer, until};
use node::assert::{Assert, RawObject};
use node::audience::{self, Choice};
use node::pull::Lag;
use store::{Fate, ObjectState, PartnerState, StoreError};

/// What becomes of a lie.
enum Ends {
    /// Held, with evidence of this kind.
    Held(&'static str),
    /// Refused with a reason that contains this; the liar is not held, and asked again later.
    Refused(&'static str),
    /// Its one statement is kept raw, for a reason that contains this.
    Unfit(&'static str),
    /// So many of its statements taken, as if nothing were wrong: the lie had no effect.
    Taken(u64),
    /// Taken, and the gap is shown.
    Incomplete,
}

fn indicator(number: usize) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{}","created":"2026-11-20T08:00:00.000Z",
"modified":"2026-11-20T08:00:00.000Z","name":"beacon {number}","pattern":"[domain-name:value = 'b{number}.example']",
"pattern_type":"stix","valid_from":"2026-11-20T08:00:00Z"}}"#,
        id_of(number)
    )
}

fn id_of(number: usize) -> StixId {
    format!("indicator--{number:08x}-0000-4000-8000-000000000000").parse().unwrap()
}

async fn say(nation: &Nation, number: usize) {
    let objects = vec![RawObject { media: MediaType::Stix, bytes: indicator(number).into_bytes() }];
    let command =
        Assert { objects, tlp: Tlp::Amber, pap: None, walled: None, audience: Choice::Named("friends".to_owned()) };
    nation.node().write(move |work| node::assert::assert(work, &command)).await.unwrap();
}

/// Is it there, live, as this nation said it?
fn is_live(view: &node::View<'_, '_>, number: usize, of: &model::Origin) -> bool {
    let log = view.db.log_id(of).unwrap();
    let rows = view.db.objects_by_id(&id_of(number)).unwrap();
    rows.iter().any(|row| Some(row.log) == log && row.state == ObjectState::Live)
}

/// Everything that stands in a liar's log goes out in one page.
fn everything(liar: &mut Liar) -> Script {
    Script::honest(liar)
}

/// The first answer is honest, and the next is another.
fn then(liar: &Liar, next: impl Fn(FeedPage) -> Vec<u8> + Send + Sync + 'static) -> Script {
    let honest = liar.page(0);
    let empty = liar.page(liar.size());
    Script::new(move |nth, _| Some(if nth == 0 { liar::pack(&honest) } else { next(empty.clone()) }))
}

fn spoilt(liar: &Liar, spoil: impl Fn(&mut FeedPage)) -> Script {
    let mut page = liar.page(0);
    spoil(&mut page);
    let bytes = liar::pack(&page);
    Script::new(move |_, _| Some(bytes.clone()))
}

fn other_root(liar: &Liar, size: u64) -> String {
    let root = TreeHash::new([9; 32]);
    liar.sign(&Checkpoint { origin: liar.origin.clone(), size, root })
}

/// A log of two indicators, in two slots of one audience.
fn two(liar: &mut Liar) {
    for slot in 0..2 {
        liar.say(&liar::at_slot(slot, liar.last()), indicator(9_000 + slot).as_bytes());
    }
}

type Lie = fn(&mut Liar, &Nation) -> Script;

/// Name, what becomes of it, and how it is told.
fn lies() -> Vec<(&'static str, Ends, Lie)> {
    vec![
        ("nothing at all", Ends::Taken(2), |liar, _| {
            two(liar);
            everything(liar)
        }),
        ("forged signature", Ends::Held("bad-signature"), |liar, _| {
            two(liar);
            let forged = liar.signed_by_another();
            spoilt(liar, move |page| page.checkpoint.clone_from(&forged))
        }),
        ("another key that the root key has named", Ends::Taken(2), |liar, _| {
            two(liar);
            liar.with_another_log_key(true);
            everything(liar)
        }),
        ("another key that somebody else has named", Ends::Held("bad-signature"), |liar, _| {
            two(liar);
            liar.with_another_log_key(false);
            everything(liar)
        }),
        ("checkpoint of another log", Ends::Held("origin-mismatch"), |liar, honest| {
            two(liar);
            let size = liar.size();
            let other = Checkpoint { origin: honest.facts.origin.clone(), size, root: liar.root() };
            let signed = liar.sign(&other);
            spoilt(liar, move |page| page.checkpoint.clone_from(&signed))
        }),
        ("rolled-back checkpoint", Ends::Held("rollback"), |liar, _| {
            two(liar);
            let back = other_root(liar, 1);
            then(liar, move |page| liar::pack(&FeedPage { checkpoint: back.clone(), ..page }))
        }),
        ("forked tree", Ends::Held("fork"), |liar, _| {
            two(liar);
            let fork = other_root(liar, 2);
            then(liar, move |page| liar::pack(&FeedPage { checkpoint: fork.clone(), ..page }))
        }),
        ("entries that do not give the signed root", Ends::Held("fork"), |liar, _| {
            two(liar);
            spoilt(liar, |page| page.commitments[0] = Commitment::new([1; 32]))
        }),
        ("reordered entries", Ends::Held("fork"), |liar, _| {
            two(liar);
            spoilt(liar, |page| page.commitments.swap(0, 1))
        }),
        ("reordered openings", Ends::Taken(2), |liar, _| {
            two(liar);
            spoilt(liar, |page| page.items.reverse())
        }),
        ("an opening that does not fit", Ends::Held("wrong-opening"), |liar, _| {
            two(liar);
            spoilt(liar, |page| {
                let body = page.items[1].opening.as_mut().unwrap().body.as_mut().unwrap();
                body.bytes.push(b' ');
            })
        }),
        ("a commitment copied from another log", Ends::Held("wrong-opening"), |liar, honest| {
            liar.say_as(&honest.facts.origin, &liar::at_slot(0, None), indicator(9_100).as_bytes());
            everything(liar)
        }),
        ("two openings in one slot", Ends::Held("slot-conflict"), |liar, _| {
            for number in 0..2 {
                liar.say(&liar::at_slot(0, None), indicator(9_200 + number).as_bytes());
            }
            everything(liar)
        }),
        ("a gap in an audience", Ends::Incomplete, |liar, _| {
            two(liar);
            liar.say(&liar::at_slot(3, liar.last()), indicator(9_300).as_bytes());
            everything(liar)
        }),
        ("another nation's object id", Ends::Taken(1), |liar, _| {
            liar.say(&liar::at_slot(0, None), indicator(0).as_bytes());
            everything(liar)
        }),
        ("replay of a page", Ends::Refused("starts at 0"), |liar, _| {
            two(liar);
            let again = liar::pack(&liar.page(0));
            Script::new(move |_, _| Some(again.clone()))
        }),
        (
            "withdrawal of another's statement",
            Ends::Unfit("a nation can withdraw only what stands in its own log"),
            |liar, honest| {
                let common =
                    Common::new(Withdrawal::KIND, [5; 16], &liar.origin, Timestamp::from_seconds(1_790_000_000));
                let target = Citation {
                    origin: honest.facts.origin.clone(),
                    index: Index(1),
                    commitment: Commitment::new([3; 32]),
                };
                let action = WithdrawalAction::Purge;
                let body =
                    Withdrawal { common: common.unwrap(), target, action, reason: "mine now".to_owned() }.to_bytes();
                let workflow = model::Envelope { lane: Lane::Workflow, ..envelope(0, None) };
                liar.say(&journal::envelope::encode(&workflow), &body);
                everything(liar)
            },
        ),
        ("deep JSON", Ends::Unfit("nested"), |liar, _| {
            let deep = format!(r#"{{"type":"indicator","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
            liar.say(&liar::at_slot(0, None), deep.as_bytes());
            everything(liar)
        }),
        ("RED over the wire", Ends::Unfit("TLP:RED"), |liar, _| {
            let red = model::Envelope { label: Label::from(Tlp::Red), slot: None, ..envelope(0, None) };
            liar.say(&journal::envelope::encode(&red), indicator(9_400).as_bytes());
            everything(liar)
        }),
        ("an envelope of a later form", Ends::Unfit("the envelope has form 99"), |liar, _| {
            let mut later = liar::at_slot(0, None);
            later[0] = 99;
            liar.say(&later, indicator(9_500).as_bytes());
            everything(liar)
        }),
        ("a page of a later version", Ends::Refused("wire version 9"), |liar, _| {
            two(liar);
            let mut page = wire::encode(&liar.page(0));
            page[1] = 9;
            let bytes = wire::compress(page).unwrap();
            Script::new(move |_, _| Some(bytes.clone()))
        }),
        ("a page beyond the limit", Ends::Refused("larger than"), |_, _| {
            let bytes = vec![7; http_room::limits::PAGE_BYTES + 1];
            Script::new(move |_, _| Some(bytes.clone()))
        }),
        ("a decompression bomb", Ends::Refused("too many bytes"), |_, _| {
            // Whoever unpacks more than is allowed comes to the rubbish at the end, and says something else.
            let mut bytes = wire::compress(vec![0; 2 * wire::MAX_PAGE_BYTES]).unwrap();
            bytes.extend_from_slice(b"no zstd");
            assert!(bytes.len() < 64 * 1024);
            Script::new(move |_, _| Some(bytes.clone()))
        }),
        ("rubbish", Ends::Refused("could not be read"), |_, _| {
            Script::new(|nth, _| Some(vec![u8::try_from(nth % 250).unwrap(); 5_000]))
        }),
        ("notes that are none", Ends::Taken(2), |liar, _| {
            two(liar);
            spoilt(liar, |page| page.notes = vec!["no checkpoint\n\n— x y\n".to_owned(); wire::MAX_NOTES])
        }),
        ("an item that the checkpoint does not cover", Ends::Refused("does not cover"), |liar, _| {
            two(liar);
            spoilt(liar, |page| {
                page.items[1].index = Index(7);
                page.items[1].opening.as_mut().unwrap().index = Index(7);
            })
        }),
        ("silence", Ends::Taken(0), |_, _| Script::new(|_, _| None)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_ends_held_unfit_or_refused_and_hinders_nobody() {
    let (victim, honest) = (Nation::start("FR").await, Nation::start("EE").await);
    peer(&victim, &honest).await;
    let members = vec!["FR".to_owned()];
    honest.node().write(move |work| audience::create(work, "friends", AudienceKind::Named, &members)).await.unwrap();
    say(&honest, 0).await;
    let countries = "AT BE BG HR CY CZ DK FI DE EL HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE NO IS LI CH GB";
    let mut countries = countries.split(' ');
    for (number, (name, ends, lie)) in (1..).zip(lies()) {
        println!("{name}");
        let mut liar = Liar::new(countries.next().expect("a nation for each lie"));
        let script = lie(&mut liar, &honest);
        let served = liar.serve(script).await;
        liar.known_to(&victim).await;
        check(&victim, &liar, name, &ends).await;
        // What others say arrives, and what was there before is as it was.
        say(&honest, number).await;
        let origin = honest.facts.origin.clone();
        until(&victim, name, move |view| is_live(view, number, &origin) && is_live(view, 0, &origin)).await;
        let state = victim.node().read(|view| Ok::<_, StoreError>(node::partner::find(view.db, "EE").unwrap().state));
        assert_eq!(state.await.unwrap(), PartnerState::Active, "{name}: the honest partner is not blamed");
        served.abort();
    }
    let report = victim.node().read(|view| node::verify::verify(view.db, view.signer, |_| None)).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    for nation in [victim, honest] {
        assert!(nation.running.stop().await, "the node ends in time");
    }
}

async fn check(victim: &Nation, liar: &Liar, name: &'static str, ends: &Ends) {
    let origin = liar.origin.clone();
    match *ends {
        Ends::Held(kind) => {
            let of = origin.clone();
            until(victim, name, move |view| state_of(view, &of) == PartnerState::Held).await;
            let found = victim.node().read(move |view| view.db.evidence(view.db.log_id(&origin)?, 10)).await.unwrap();
            assert_eq!(found.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), [kind], "{name}");
        }
        Ends::Refused(says) => {
            let why = reason(victim, liar).await;
            assert!(why.contains(says), "{name}: `{why}` does not say `{says}`");
            check_not_blamed(victim, liar, name).await;
        }
        Ends::Unfit(says) => {
            until(victim, name, move |view| fates(view, &origin) == (0, 1)).await;
            let origin = liar.origin.clone();
            let kept = victim.node().read(move |view| {
                let log = view.db.log_id(&origin)?.unwrap();
                Ok::<_, StoreError>(view.db.statement_at(log, Index(0))?.unwrap().fate)
            });
            let Fate::Unfit { reason } = kept.await.unwrap() else { panic!("{name}: it was taken") };
            assert!(reason.contains(says), "{name}: `{reason}` does not say `{says}`");
            check_not_blamed(victim, liar, name).await;
        }
        Ends::Taken(count) => {
            until(victim, name, move |view| fates(view, &origin) == (count, 0)).await;
            check_not_blamed(victim, liar, name).await;
        }
        Ends::Incomplete => {
            let gap = move |view: &node::View<'_, '_>| {
                let log = view.db.log_id(&origin).unwrap().unwrap();
                view.db.chains(log).unwrap().iter().any(store::ChainRow::is_incomplete)
            };
            until(victim, name, gap).await;
            check_not_blamed(victim, liar, name).await;
        }
    }
}

fn state_of(view: &node::View<'_, '_>, origin: &model::Origin) -> PartnerState {
    view.db.partner(view.db.log_id(origin).unwrap().unwrap()).unwrap().unwrap().state
}

/// How many statements of a log were taken, and how many are kept raw.
fn fates(view: &node::View<'_, '_>, origin: &model::Origin) -> (u64, u64) {
    let log = view.db.log_id(origin).unwrap().unwrap();
    let mut counts = (0, 0);
    for index in 0..10 {
        match view.db.statement_at(log, Index(index)).unwrap().map(|row| row.fate) {
            Some(Fate::Fit) => counts.0 += 1,
            Some(Fate::Unfit { .. }) => counts.1 += 1,
            None => {}
        }
    }
    counts
}

async fn check_not_blamed(victim: &Nation, liar: &Liar, name: &str) {
    let origin = liar.origin.clone();
    let read = victim.node().read(move |view| {
        let log = view.db.log_id(&origin)?;
        Ok::<_, StoreError>((state_of(view, &origin), view.db.evidence(log, 10)?))
    });
    let (state, evidence) = read.await.unwrap();
    assert_eq!((state, evidence), (PartnerState::Active, Vec::new()), "{name}: it proves nothing against anybody");
}

/// Waits until this is why the victim does not hear the liar.
async fn said_why(victim: &Nation, liar: &Liar, says: &str) {
    for _ in 0..500 {
        if reason(victim, liar).await.contains(says) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("`{}` does not say `{says}`", reason(victim, liar).await);
}

/// Why the victim does not hear the liar.
async fn reason(victim: &Nation, liar: &Liar) -> String {
    let origin = liar.origin.clone();
    let log = victim.node().read(move |view| view.db.log_id(&origin)).await.unwrap().unwrap();
    for _ in 0..3_000 {
        if let Some(Lag::NotHeard { why, .. }) = victim.node().lags().of(log) {
            return why;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{}: {:?}", liar.origin, victim.node().lags().of(log));
}

/// The page of a liar for one of two partners: one statement of its log is not opened to it.
fn without(liar: &Liar, hidden: u64) -> Vec<u8> {
    let mut page = liar.page(0);
    page.items.retain(|item| item.index != Index(hidden));
    liar::pack(&page)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_statements_in_a_slot_for_each_of_two_members_ends_held_at_both() {
    let (one, other) = (Nation::start("FR").await, Nation::start("EE").await);
    let mut liar = Liar::new("MT");
    let members = MemberSet::new([one.facts.origin.clone(), other.facts.origin.clone()]).unwrap();
    let at = AudienceAt { id: AudienceId::new([4; 16]), version: 1, members: members.digest() };
    let common = Common::new(Audience::KIND, [5; 16], &liar.origin, Timestamp::from_seconds(1_790_000_000)).unwrap();
    let (name, kind) = ("islands".to_owned(), AudienceKind::Named);
    let said = Audience { common, audience: at.id, version: 1, name, kind, members };
    let placed = |lane| journal::envelope::encode(&model::Envelope { lane, audience: at, ..envelope(0, None) });
    liar.say(&placed(Lane::Workflow), &said.to_bytes());
    for number in 0..2 {
        liar.say(&placed(Lane::Intelligence), indicator(9_600 + number).as_bytes());
    }
    let (first, second) = (without(&liar, 2), without(&liar, 1));
    let pin = one.running.tls().pin();
    let script = Script::to_each(move |caller, _, request| {
        (request.have == 0).then(|| if caller == pin { first.clone() } else { second.clone() })
    });
    let _served = liar.serve(script).await;
    for (nation, index) in [(&one, 1), (&other, 2)] {
        liar.known_to(nation).await;
        let origin = liar.origin.clone();
        until(nation, "what it is shown", move |view| {
            let log = view.db.log_id(&origin).unwrap().unwrap();
            view.db.statement_at(log, Index(index)).unwrap().is_some()
        })
        .await;
    }
    peer(&one, &other).await;
    for (nation, member) in [(&one, "EE"), (&other, "FR")] {
        let members = vec![member.to_owned()];
        nation
            .node()
            .write(move |work| audience::create(work, "friends", AudienceKind::Named, &members))
            .await
            .unwrap();
    }
    for (nation, honest) in [(&one, "EE"), (&other, "FR")] {
        let origin = liar.origin.clone();
        until(nation, "the liar held", move |view| state_of(view, &origin) == PartnerState::Held).await;
        let read = nation.node().read(move |view| {
            let found = view.db.evidence(None, 10)?;
            assert_eq!(found.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["slot-conflict"]);
            let file = node::query::evidence::file(view, found[0].id);
            Ok::<_, StoreError>((file, node::partner::find(view.db, honest).unwrap().state))
        });
        let (file, state) = read.await.unwrap();
        assert!(file.is_ok(), "anybody can check it: {file:?}");
        assert_eq!(state, PartnerState::Active, "who tells is not blamed");
    }
    for nation in [one, other] {
        assert!(nation.running.stop().await, "the node ends in time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_fills_the_disk_is_refused_at_its_limit_and_goes_on_below_it() {
    let (victim, honest) = (Nation::start("FR").await, Nation::start("EE").await);
    peer(&victim, &honest).await;
    let mut liar = Liar::new("MT");
    two(&mut liar);
    liar.known_to(&victim).await;
    // It has filled what it may use: written into the books, since 20 GiB are too many for a test.
    let origin = liar.origin.clone();
    let fill = |bytes: u64| {
        let books = pages::connect(&victim.database()).unwrap();
        books.busy_timeout(Duration::from_secs(10)).unwrap();
        let bytes = i64::try_from(bytes).unwrap();
        let changed =
            books.execute("UPDATE log SET bytes = ?1 WHERE origin = ?2", (bytes, origin.to_string())).unwrap();
        assert_eq!(changed, 1);
    };
    fill(node::limits::PARTNER_BYTES + 1);
    let _served = liar.serve(Script::honest(&liar)).await;
    said_why(&victim, &liar, "fill the 20 GiB").await;
    check_not_blamed(&victim, &liar, "a full disk").await;
    let of = liar.origin.clone();
    let taken = victim.node().read(move |view| Ok::<_, StoreError>(fates(view, &of))).await.unwrap();
    assert_eq!(taken, (0, 0), "nothing of it is taken");
    let members = vec!["FR".to_owned()];
    honest.node().write(move |work| audience::create(work, "friends", AudienceKind::Named, &members)).await.unwrap();
    say(&honest, 1).await;
    let of = honest.facts.origin.clone();
    until(&victim, "what the honest partner says", move |view| is_live(view, 1, &of)).await;
    fill(node::limits::PARTNER_BYTES / 2);
    let of = liar.origin.clone();
    until(&victim, "what the partner says, now that there is room", move |view| fates(view, &of) == (2, 0)).await;
    for nation in [victim, honest] {
        assert!(nation.running.stop().await, "the node ends in time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_node_key_is_worth_nothing_once_the_keys_were_replaced() {
    let (victim, robbed) = (Nation::start("FR").await, Nation::start("EE").await);
    peer(&victim, &robbed).await;
    let members = vec!["FR".to_owned()];
    robbed.node().write(move |work| audience::create(work, "friends", AudienceKind::Named, &members)).await.unwrap();
    say(&robbed, 0).await;
    let origin = robbed.facts.origin.clone();
    until(&victim, "what it said", {
        let origin = origin.clone();
        move |view| is_live(view, 0, &origin)
    })
    .await;

    // The thief takes every key of the node, and the identity of then.
    let read = |name: &str| std::fs::read(robbed.home.join("keys").join(name)).unwrap();
    let tls = http_room::tls::NodeKey::from_pem(&[read("tls.crt"), read("tls.key")].concat()).unwrap();
    let log = entraide::keys::read_key(&robbed.home.join("keys/log.key"), entraide::keys::Kind::Log).unwrap();
    let (before, until_size) = (robbed.node().me(), robbed.node().signed().size);
    let kinds = ["log", "witness", "mandate", "tls"].map(str::to_owned).to_vec();
    robbed.rotate(Wanted { kinds, stolen: true, from: None, since: None }).await;
    robbed.settled().await;
    say(&robbed, 1).await;
    until(&victim, "what it said after", {
        let origin = origin.clone();
        move |view| is_live(view, 1, &origin)
    })
    .await;

    // With the old TLS key nothing is read or cosigned, and the old identity does not come back.
    let client = FederationClient::connect(&victim.facts.address, victim.running.tls().pin(), &tls).await.unwrap();
    let mut thief = Liar::impostor(
        &before.identity,
        tls.clone(),
        ed25519_dalek::SigningKey::from_bytes(&log),
        std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    for number in 0..20 {
        liar_says(&mut thief, number);
    }
    let forbidden = |answer: Result<(), ClientError>| matches!(answer, Err(ClientError::Refused { status: 403, .. }));
    assert!(forbidden(client.releases("have=0&wait=0", Duration::ZERO).await.map(|_| ())));
    assert!(forbidden(client.checkpoint().await.map(|_| ())));
    let longer = thief.page(0).checkpoint;
    let ask = journal::witness::AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: longer.clone() };
    assert!(forbidden(client.add_checkpoint(ask.write()).await.map(|_| ())));
    assert_eq!(client.announce(before.signed_identity.to_bytes()).await.unwrap(), 2, "version 2 stays");

    // An accomplice tells of the longer history, and of another one of before, both signed with the old key.
    let mut accomplice = Liar::new("MT");
    two(&mut accomplice);
    let forked = thief.sign(&Checkpoint { origin: origin.clone(), size: until_size, root: TreeHash::new([9; 32]) });
    let notes = vec![longer, forked];
    let page = liar::pack(&FeedPage { notes, ..accomplice.page(0) });
    let asked_again = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let script = Script::new({
        let asked_again = std::sync::Arc::clone(&asked_again);
        move |nth, _| {
            asked_again.store(nth > 0, std::sync::atomic::Ordering::SeqCst);
            (nth == 0).then(|| page.clone())
        }
    });
    let served = accomplice.serve(script).await;
    accomplice.known_to(&victim).await;
    until(&victim, "what the accomplice tells", move |_| asked_again.load(std::sync::atomic::Ordering::SeqCst)).await;
    served.abort();

    // The thief answers at the nation's own address.
    let (address, size) = (robbed.facts.address.clone(), robbed.node().signed().size);
    assert!(robbed.running.stop().await, "the node ends in time");
    let listener = std::net::TcpListener::bind(address).unwrap();
    let mut thief = Liar::impostor(&before.identity, tls, ed25519_dalek::SigningKey::from_bytes(&log), listener);
    for number in 0..20 {
        liar_says(&mut thief, number);
    }
    let served = thief.serve(Script::honest(&thief)).await;
    let said = wrong_key(&victim, &thief).await;
    assert!(said.contains("not the pinned one"), "{said}");
    let kept = victim.node().read(move |view| {
        let log = view.db.log_id(&origin)?.unwrap();
        Ok::<_, StoreError>((view.db.tree(log)?.size, view.db.heard(log)?, view.db.evidence(Some(log), 9)?.len()))
    });
    assert_eq!(kept.await.unwrap(), (size, None, 0), "nothing of the thief's is kept");
    let state = victim.node().read(|view| Ok::<_, StoreError>(node::partner::find(view.db, "EE").unwrap().state));
    assert_eq!(state.await.unwrap(), PartnerState::Active, "whoever was robbed is not blamed");
    served.abort();
    assert!(victim.running.stop().await, "the node ends in time");
}

fn liar_says(liar: &mut Liar, number: usize) {
    liar.say(&liar::at_slot(number, liar.last()), indicator(8_000 + number).as_bytes());
}

/// Why the victim does not hear whoever answers with another key; a connection that fails is not what is asked for.
async fn wrong_key(victim: &Nation, liar: &Liar) -> String {
    let mut said = String::new();
    for _ in 0..3_000 {
        said = reason(victim, liar).await;
        if said.contains("pinned") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_polls_is_answered_within_a_rate_and_slows_nobody() {
    let (victim, honest) = (Nation::start("FR").await, Nation::start("EE").await);
    peer(&victim, &honest).await;
    let flooder = Liar::new("MT");
    flooder.known_to(&victim).await;
    let pin = victim.running.tls().pin();
    // The listener learns a moment later that somebody was confirmed; until then it is a stranger.
    let mut known = None;
    for _ in 0..500 {
        let client = FederationClient::connect(&victim.facts.address, pin, &flooder.tls).await.unwrap();
        match client.releases("have=0&wait=0", Duration::ZERO).await {
            Ok(_) => known = Some(client),
            Err(ClientError::Refused { status: 403, .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
        if known.is_some() {
            break;
        }
    }
    let client = known.expect("the listener does not learn of a partner");
    let (mut answered, mut refused) = (0_u32, 0_u32);
    let began = tokio::time::Instant::now();
    // Faster than a person or an honest node would ask, for as long as it takes to be told so.
    while refused < 20 && began.elapsed() < Duration::from_secs(30) {
        match client.releases("have=0&wait=0", Duration::ZERO).await {
            Ok(_) => answered += 1,
            Err(ClientError::Refused { status: 429, .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused >= 20, "{answered} answered, {refused} refused");
    let seconds = u32::try_from(began.elapsed().as_secs()).unwrap() + 1;
    assert!(answered <= node::limits::PARTNER_POLLS_PER_SECOND * (seconds + 1), "{answered} in {seconds} s");
    // The victim hears and is heard by others meanwhile.
    let members = vec!["FR".to_owned()];
    honest.node().write(move |work| audience::create(work, "friends", AudienceKind::Named, &members)).await.unwrap();
    say(&honest, 1).await;
    let origin = honest.facts.origin.clone();
    until(&victim, "what the honest partner says", move |view| is_live(view, 1, &origin)).await;
    for nation in [victim, honest] {
        assert!(nation.running.stop().await, "the node ends in time");
    }
}
