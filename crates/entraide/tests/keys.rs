//! Every key is replaced while nodes speak to each other, a theft is answered, and the keys can be in another process or
//! in a token.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod nations;
mod program;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_room::server::api::keys::{Keyring, Wanted};
use journal::note;
use journal::proof::ProofFile;
use journal::seal::WrappingKey;
use model::extension::AudienceKind;
use model::{EntryRef, Index, MediaType, Tlp};
use nations::{Nation, peer, until};
use node::assert::{Assert, RawObject};
use node::audience::{self, Choice};
use node::pull::Lag;
use node::query::entries;
use policy::Purpose;
use store::{PartnerState, StatementId, StoreError};

fn wanted(kinds: &[&str]) -> Wanted {
    Wanted { kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(), stolen: false, from: None, since: None }
}

async fn say(nation: &Nation, number: usize) {
    let objects = vec![RawObject { media: MediaType::Stix, bytes: program::indicator(number).into_bytes() }];
    let command =
        Assert { objects, tlp: Tlp::Amber, pap: None, audience: Choice::Named("friends".to_owned()), walled: None };
    nation.node().write(move |work| node::assert::assert(work, &command)).await.unwrap();
}

/// France hears what Estonia says.
async fn friends() -> (Nation, Nation) {
    let (fr, ee) = (Nation::start("FR").await, Nation::start("EE").await);
    peer(&fr, &ee).await;
    let members = vec!["FR".to_owned()];
    ee.node().write(move |work| audience::create(work, "friends", AudienceKind::Named, &members)).await.unwrap();
    (fr, ee)
}

async fn heard(at: &Nation, number: usize) {
    let id = program::id(number).parse().unwrap();
    until(at, "a statement", move |view| !view.db.objects_by_id(&id).unwrap().is_empty()).await;
}

/// How a nation stands at another: state, evidence, version and number of pins of the identity that is held.
async fn standing(at: &Nation, of: &Nation) -> (PartnerState, usize, u64, usize) {
    let origin = of.facts.origin.clone();
    let read = at.node().read(move |view| {
        let log = view.db.log_id(&origin)?.unwrap();
        let row = view.db.partner(log)?.unwrap();
        Ok::<_, StoreError>((row.state, view.db.evidence(Some(log), 9)?.len(), row.identity_version, row.pins.len()))
    });
    read.await.unwrap()
}

async fn faults(at: &Nation) -> Vec<String> {
    let read = at.node().read(|view| {
        let keys = |origin: &model::Origin| {
            let log = view.db.log_id(origin).ok()??;
            let partner = view.db.partner(log).ok()??;
            node::identities::log_keys(view.db, &partner).ok()
        };
        node::verify::verify(view.db, view.signer, keys)
    });
    read.await.unwrap().faults
}

/// The proof of the first indicator of a nation, under the newest checkpoint that the other holds of it.
async fn first_proof(at: &Nation, of: &model::Origin) -> ProofFile {
    let name = EntryRef::of(of, Index(1));
    let viewer = node::Actor::machine().viewer(&at.facts.origin);
    at.node().read(move |view| entries::proof(view, &viewer, name, false)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_replaced_under_a_stream_of_statements_without_a_gap() {
    let (fr, ee) = friends().await;
    say(&ee, 0).await;
    heard(&fr, 0).await;
    let early = first_proof(&fr, &ee.facts.origin).await;
    let old_key = ee.node().me().identity.log_key;

    let (ee, stop) = (Arc::new(ee), Arc::new(AtomicBool::new(false)));
    let stream = tokio::spawn({
        let (ee, stop) = (Arc::clone(&ee), Arc::clone(&stop));
        async move {
            let mut number = 1;
            while !stop.load(Ordering::SeqCst) {
                say(&ee, number).await;
                number += 1;
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
            number
        }
    });
    let silent = tokio::spawn({
        // Longest silence of Estonia as France sees it, in looks of a few milliseconds.
        let (node, origin, stop) = (fr.node().clone(), ee.facts.origin.clone(), Arc::clone(&stop));
        async move {
            let log = node.read(move |view| view.db.log_id(&origin)).await.unwrap().unwrap();
            let mut whys = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                if let Some(Lag::NotHeard { why, .. }) = node.lags().of(log)
                    && whys.last() != Some(&why)
                {
                    whys.push(why);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            whys
        }
    });
    ee.rotate(wanted(&["log", "witness", "mandate", "tls"])).await;
    let keys = ee.settled().await;
    assert_eq!(keys.version, 3, "the overlap, and after it");
    ee.rotate(wanted(&["log"])).await;
    ee.settled().await;
    stop.store(true, Ordering::SeqCst);
    let said = stream.await.unwrap();
    let whys = silent.await.unwrap();
    assert!(whys.len() <= 2, "no poll fails beyond a retry: {whys:?}");
    for number in 0..said {
        heard(&fr, number).await;
    }
    until(&fr, "the last identity", |view| {
        node::partner::find(view.db, "EE").is_ok_and(|row| row.identity_version == 4 && row.pins.len() == 1)
    })
    .await;
    assert_eq!(standing(&fr, &ee).await, (PartnerState::Active, 0, 4, 1), "nobody is blamed, and the old pin is gone");
    assert_eq!(standing(&ee, &fr).await, (PartnerState::Active, 0, 1, 1));
    assert_eq!(faults(&fr).await, Vec::<String>::new());

    // What was proved before holds with the keys of now, each as far as it is believed.
    let lines = fr.node().read(node::witness::key_lines).await.unwrap();
    let keys = note::read_keys(&lines.join("\n")).unwrap();
    assert!(ProofFile::read(&early.write()).unwrap().verify(&keys).is_ok());
    let late = first_proof(&fr, &ee.facts.origin).await;
    let bound = keys.iter().find(|key| key.key().to_bytes() == old_key).unwrap().bound().unwrap();
    assert!(late.verify(&keys).is_ok() && !bound.stolen && bound.until < said as u64);

    // The files are those of a node that never replaced a key, and it starts from them.
    let ee = Arc::try_unwrap(ee).ok().unwrap().restart().await;
    let names: Vec<String> = std::fs::read_dir(ee.home.join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("next") || name.contains("rotation") || name.contains("writing"))
        .collect();
    assert_eq!(names, Vec::<String>::new());
    say(&ee, said).await;
    heard(&fr, said).await;
    for nation in [fr, ee] {
        assert!(nation.running.stop().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_ends_in_the_middle_of_a_rotation_goes_on_with_it() {
    let (fr, ee) = friends().await;
    say(&ee, 0).await;
    heard(&fr, 0).await;
    let home = fr.home.clone();
    assert!(fr.running.stop().await);
    // France is away: Estonia waits for it with both keys, over a restart.
    ee.rotate(wanted(&["log", "witness", "mandate", "tls"])).await;
    let ee = ee.restart().await;
    say(&ee, 1).await;
    let keys = ee.running.desk().keys().await.unwrap();
    assert_eq!((keys.version, keys.waiting.len(), keys.rotation.is_some()), (2, 1, true));
    assert_eq!(ee.node().signed().text.lines().filter(|line| line.starts_with('—')).count(), 2, "both keys sign");
    let again = ee.running.desk().request(wanted(&["log"])).await.map(|_| ());
    assert!(again.unwrap_err().to_string().contains("already"), "one at a time");
    let loopback = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    let config = entraide::serve::ServeConfig {
        dir: home,
        listen: loopback,
        federation: fr.facts.address.parse().unwrap(),
        plain_http: true,
        host: None,
        clock: Arc::new(entraide::machine::MachineClock),
    };
    let fr = nations::start_again(config).await;
    assert_eq!(ee.settled().await.version, 3);
    let id = program::id(1).parse().unwrap();
    for _ in 0..3_000 {
        let seen = fr.node().read({
            let id = model::StixId::clone(&id);
            move |view| Ok::<_, StoreError>(!view.db.objects_by_id(&id)?.is_empty())
        });
        if seen.await.unwrap() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let state = fr.node().read(|view| Ok::<_, StoreError>(node::partner::find(view.db, "EE").unwrap().state));
    assert_eq!(state.await.unwrap(), PartnerState::Active);
    assert!(fr.stop().await && ee.running.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_wrapped_anew_and_the_old_wrapping_key_opens_none_of_them() {
    let (fr, ee) = friends().await;
    for number in 0..5 {
        say(&ee, number).await;
    }
    let path = ee.home.join("keys/wrapping.key");
    let old = entraide::keys::read_key(&path, entraide::keys::Kind::Wrapping).unwrap();
    for kind in ["wrapping", "cursor"] {
        ee.running.desk().renew(kind.to_owned()).await.unwrap();
    }
    say(&ee, 5).await;
    for _ in 0..3_000 {
        if !ee.node().signer().wrapping_key().has_before() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!ee.home.join("keys/wrapping.before.key").exists());
    let opened = ee.node().read(move |view| {
        let old = WrappingKey::new(*old);
        let rows = view.db.wrapped_after(StatementId(0), 100)?;
        let opens = |row: &store::WrappedRow| {
            let place = view.db.commitment(row.log, row.index).unwrap().unwrap();
            old.unwrap(&row.wrapped, &place).is_ok()
        };
        Ok::<_, StoreError>((rows.len(), rows.iter().filter(|row| opens(row)).count()))
    });
    assert_eq!(opened.await.unwrap(), (7, 0), "an audience and six indicators");
    assert_eq!(faults(&ee).await, Vec::<String>::new());
    // France goes on where it was, with the cursor of before.
    for number in 0..=5 {
        heard(&fr, number).await;
    }
    let bad = ee.running.desk().renew("log".to_owned()).await.map(|_| ());
    assert!(bad.unwrap_err().to_string().contains("root key"));
    assert!(fr.running.stop().await && ee.running.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_thief_said_is_marked_and_used_for_nothing_and_the_nation_says_again_what_it_stands_by() {
    let (fr, ee) = friends().await;
    say(&ee, 0).await;
    let thief_from = ee.node().signed().size;
    say(&ee, 1).await;
    heard(&fr, 1).await;
    let early = ee.running.desk().request(Wanted { from: Some(99), ..wanted(&["log"]) }).await.map(|_| ());
    assert!(early.unwrap_err().to_string().contains("nothing was said from there on"));
    let all = wanted(&["log", "witness", "mandate", "tls"]);
    let keys = ee.rotate(Wanted { stolen: true, from: Some(thief_from), ..all }).await;
    assert_eq!(keys.repudiated.len(), 1);
    ee.settled().await;
    say(&ee, 2).await;
    heard(&fr, 2).await;
    for nation in [&fr, &ee] {
        let viewer = node::Actor::machine().viewer(&nation.facts.origin);
        let seen = nation.node().read(move |view| {
            let mut seen = Vec::new();
            for number in 0..3 {
                let released = node::query::objects::by_id(view, &viewer, &program::id(number).parse().unwrap())?;
                let object = &released.as_ref()[0];
                let statement = object.row.statement;
                let export = node::query::objects::detail(view, &viewer, statement, Purpose::Export).is_ok();
                let read = node::query::objects::detail(view, &viewer, statement, Purpose::Read).is_ok();
                let name = EntryRef::of(&object.origin, object.row.index);
                let proof = entries::proof(view, &viewer, name, false)?;
                seen.push((object.is_repudiated(), read, export, proof.extra.opening.body.is_some()));
            }
            Ok::<_, node::query::objects::ObjectError>(seen)
        });
        let (fine, thiefs) = ((false, true, true, true), (true, true, false, false));
        assert_eq!(seen.await.unwrap(), [fine, thiefs, fine], "{}", nation.facts.origin);
        let lines = nation.node().read(node::witness::key_lines).await.unwrap().join("\n");
        let span = (ee.facts.origin.to_string(), thief_from, thief_from + 1);
        assert_eq!(note::read_repudiated(&lines), [span]);
    }
    assert_eq!(standing(&fr, &ee).await, (PartnerState::Active, 0, 2, 1));
    assert_eq!(faults(&fr).await, Vec::<String>::new());
    assert!(fr.running.stop().await && ee.running.stop().await);
}

/// A signer that runs; ended with the test.
struct Signer(std::process::Child);

impl Signer {
    fn start(dir: &std::path::Path, extra: &[&str]) -> Self {
        let socket = dir.join("signer.sock").display().to_string();
        let mut command = program::command(&["signer", "--dir", &dir.display().to_string(), "--socket", &socket]);
        let mut child = command.args(extra).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut ready).unwrap();
        assert!(ready.starts_with("ready: entraide/FR/"), "{ready}");
        Self(child)
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Moves the keys and the mark of a node to a directory of the signer, as the operations page says.
fn move_to_signer(node: &program::Node) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("keys")).unwrap();
    for name in ["keys/log.key", "keys/witness.key", "keys/wrapping.key", "keys/cursor.key", "signer"] {
        std::fs::rename(node.dir.path().join(name), dir.path().join(name)).unwrap();
    }
    let line = format!("signer = \"{}\"\n", dir.path().join("signer.sock").display());
    program::write(node.dir.path(), "entraide.toml", line);
    dir
}

fn assert_one(node: &program::Node, number: usize) -> program::Did {
    let file = program::write(node.dir.path(), "one.json", program::bundle(number..number + 1));
    let audience = ["--label", "amber", "--audience", "alone"];
    node.run(&[&["import", &file.display().to_string(), "--assert"], &audience[..]].concat())
}

#[test]
fn a_signer_of_its_own_speaks_for_one_node_at_a_time_and_may_be_killed_at_any_instant() {
    let node = program::Node::new("FR");
    node.run(&["audience", "create", "alone"]).good();
    let dir = move_to_signer(&node);
    node.run(&["status"]).refused(1, "start it with `entraide signer`");
    let signer = Signer::start(dir.path(), &[]);
    let served = node.serve(true);
    assert_one(&node, 0).good();
    // A copy of the node's directory on another machine that reaches the signer.
    let copy = tempfile::tempdir().unwrap();
    let to = copy.path().display().to_string();
    assert!(Command::new("cp").args(["-a", &format!("{}/.", node.path()), &to]).status().unwrap().success());
    std::fs::remove_file(copy.path().join("entraide.sock")).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--plain-http", "--dir", &to];
    program::entraide(&serve).refused(1, "speaks for another node");
    node.run(&["verify"]).good();
    // The signer is killed: the node says nothing until it is back, and then goes on.
    drop(signer);
    let back = std::thread::spawn({
        let path = dir.path().to_owned();
        move || {
            std::thread::sleep(Duration::from_millis(600));
            Signer::start(&path, &[])
        }
    });
    assert_one(&node, 1).good();
    let _signer = back.join().unwrap();
    node.run(&["keys", "rotate", "wrapping,cursor"]).good();
    let root = node.facts["root_key"].as_str().unwrap();
    node.run(&["keys", "rotate", "log,witness", "--root-key", root]).good();
    assert_one(&node, 2).good();
    assert_eq!(served.stop(), Some(0));
    node.run(&["verify"]).good();
    assert_eq!(node.log(&[]).len(), 4);
}

#[test]
fn the_root_key_signs_on_a_machine_without_a_node() {
    let node = program::Node::new("FR");
    let root = node.facts["root_key"].as_str().unwrap();
    let request = node.run(&["keys", "request", "log,tls"]).good();
    let file = program::write(node.dir.path(), "request", &request);
    let signed = program::entraide(&["keys", "sign", &file.display().to_string(), "--root-key", root]).good();
    let file = program::write(node.dir.path(), "signed", &signed);
    let path = file.display().to_string();
    let old = node.run(&["keys", "list", "--json"]).json();
    assert_eq!(old["version"], 1, "a request changes nothing that partners see");
    let installed = node.run(&["keys", "install", &path, "--json"]).json();
    assert_eq!(installed["version"], 2);
    node.run(&["keys", "install", &path]).refused(1, "already");
    let other = program::Node::new("EE");
    let stranger = other.facts["root_key"].as_str().unwrap();
    let request = program::write(node.dir.path(), "request", &request).display().to_string();
    program::entraide(&["keys", "sign", &request, "--root-key", stranger]).refused(1, "not the one of");
    other.run(&["keys", "install", &path]).refused(1, "can't replace");
    other.run(&["keys", "rotate", "log"]).refused(2, "root key must sign");
    other.run(&["keys", "request", "root"]).refused(1, "not log, witness, mandate or tls");
    // Without partners the overlap ends as soon as the node runs.
    let served = node.serve(true);
    program::until("the old keys are gone", || {
        let keys = node.run(&["keys", "list", "--json"]).json();
        (keys["rotation"].is_null() && keys["version"] == 3).then_some(())
    });
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn a_node_whose_log_key_is_in_a_token_speaks_and_others_verify_it() {
    let Some(module) = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
    else {
        println!("SKIPPED: a log key in a PKCS#11 token: softhsm2 is missing");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("tokens")).unwrap();
    let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", home.path().join("tokens").display());
    let conf = program::write(home.path(), "softhsm.conf", text);
    let pin = program::write(home.path(), "pin", "1234\n").display().to_string();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "entraide", "--pin", "1234", "--so-pin", "5678"])
        .env("SOFTHSM2_CONF", &conf)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let node = program::Node::new("FR");
    node.run(&["audience", "create", "alone"]).good();
    let dir = move_to_signer(&node);
    let socket = dir.path().join("signer.sock").display().to_string();
    let mut signer = program::command(&[
        "signer",
        "--dir",
        &dir.path().display().to_string(),
        "--socket",
        &socket,
        "--pkcs11",
        module,
    ]);
    let child = signer.args(["--token", "entraide", "--pin-file", &pin]).env("SOFTHSM2_CONF", &conf).spawn().unwrap();
    let _signer = Signer(child);
    program::until("the signer listens", || std::path::Path::new(&socket).exists().then_some(()));
    // Going over to the token is a rotation: the next keys are made in it.
    let root = node.facts["root_key"].as_str().unwrap();
    let served = node.serve(true);
    node.run(&["keys", "rotate", "log,witness", "--root-key", root]).good();
    program::until("the keys of before are gone", || {
        node.run(&["keys", "list", "--json"]).json()["rotation"].is_null().then_some(())
    });
    assert!(!dir.path().join("keys/log.key").exists() && !dir.path().join("keys/witness.key").exists());
    assert_one(&node, 0).good();
    let proof = node.run(&["proof", "FR:1"]).good();
    let keys = node.run(&["witness", "keys"]).good();
    let (proof, keys) = (program::write(home.path(), "proof", proof), program::write(home.path(), "keys", keys));
    let (proof, keys) = (proof.display().to_string(), keys.display().to_string());
    program::entraide(&["verify-proof", &proof, "--keys", &keys]).good();
    assert_eq!(served.stop(), Some(0));
}
