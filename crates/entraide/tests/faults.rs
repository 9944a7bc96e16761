//! What was acknowledged is never lost, and what a disk changed is never said: the real binary is killed at random
//! instants while it is spoken to, and a view is changed under it.
//! `ENTRAIDE_KILLS` says how often (50 without it), `ENTRAIDE_SEED` repeats a run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

mod program;
use program::{Node, bundle, write};

/// Clients that speak at once, so that commits follow each other closely.
const CLIENTS: usize = 4;
/// Objects that each of them says in one command.
const OBJECTS: usize = 100;
/// Every so many kills the whole directory is verified; the last time always.
const VERIFIED_EVERY: usize = 10;
/// The latest instant of a kill, milliseconds after the client starts: an import ends within it.
const LATEST: u64 = 80;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}: `{text}`")))
}

/// SplitMix64: the instants of a run come from its seed.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A client of a running node: what was acknowledged to it, and whether it was cut short.
fn client(node: &Node, file: &str) -> impl FnOnce() -> (BTreeMap<String, String>, bool) + use<> {
    let mut import = node.command(&import(file)).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(import.stdout.take().unwrap()).lines();
    let reader = std::thread::spawn(move || {
        let mut acknowledged = BTreeMap::new();
        for line in lines {
            let told: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if let (Some(entry), Some(id)) = (told["entry"].as_str(), told["id"].as_str()) {
                acknowledged.insert(entry.to_owned(), format!("{id} live"));
            }
        }
        acknowledged
    });
    move || {
        let cut_short = !import.wait().unwrap().success();
        (reader.join().unwrap(), cut_short)
    }
}

fn import(file: &str) -> [&str; 6] {
    ["import", file, "--assert", "--label", "green", "--json"]
}

/// What was acknowledged and is not in the log.
fn lost(acknowledged: &BTreeMap<String, String>, log: &BTreeMap<String, String>) -> Vec<String> {
    let missing = acknowledged.iter().filter(|(entry, said)| log.get(*entry) != Some(*said));
    missing.map(|(entry, said)| format!("{entry} {said}")).take(3).collect()
}

#[test]
fn what_was_acknowledged_survives_kills_at_random_instants_and_nothing_is_said_twice() {
    let kills = usize::try_from(number("ENTRAIDE_KILLS", 50)).unwrap();
    let seed = number("ENTRAIDE_SEED", 20_261_124);
    let mut state = seed;
    println!("{kills} kills from ENTRAIDE_SEED={seed}");
    let node = Node::new("FR");
    node.run(&["community", "create", "all"]).good();
    node.run(&["community", "tick", "all"]).good();
    let mut acknowledged = BTreeMap::new();
    let mut cut_short = 0;
    for kill in 0..kills {
        let file = |part: usize| {
            let first = (kill * CLIENTS + part) * OBJECTS;
            let path = write(node.dir.path(), &format!("part-{part}.json"), bundle(first..first + OBJECTS));
            path.to_str().unwrap().to_owned()
        };
        let files: Vec<String> = (0..CLIENTS).map(file).collect();
        let served = node.serve(true);
        let clients: Vec<_> = files.iter().map(|file| client(&node, file)).collect();
        std::thread::sleep(Duration::from_millis(next(&mut state) % LATEST));
        served.kill();
        let mut told = BTreeMap::new();
        for client in clients {
            let (said, short) = client();
            cut_short += usize::from(short);
            told.extend(said);
        }
        // Before the clients come back: what they say again would stand in the place of what was lost.
        let kept = node.newest(CLIENTS * OBJECTS, &[]);
        assert!(lost(&told, &kept).is_empty(), "kill {kill} of seed {seed}: {:?}", lost(&told, &kept));
        acknowledged.extend(told);
        if (kill + 1) % VERIFIED_EVERY == 0 || kill + 1 == kills {
            node.run(&["verify"]).good();
        }
        // The clients come back with the same commands: what was in doubt is resolved, nothing is doubled.
        for file in &files {
            let again = node.run(&import(file)).good();
            let summary: Value = serde_json::from_str(again.lines().last().unwrap()).unwrap();
            assert_eq!(summary["summary"]["refused"], 0, "kill {kill} of seed {seed}: {summary}");
        }
    }
    assert!(cut_short * 5 >= kills, "most kills came too late to show anything: seed {seed}");
    // One place more than there should be, so that an entry too many would show.
    let expect = kills * CLIENTS * OBJECTS + 1;
    let log = node.newest(expect + 1, &[]);
    assert!(lost(&acknowledged, &log).is_empty(), "seed {seed}: {:?}", lost(&acknowledged, &log));
    assert_eq!(log.len(), expect, "seed {seed}: each was said once");
    let before = (node.status(), log);
    node.run(&["rebuild"]).good();
    assert!((node.status(), node.newest(expect + 1, &[])) == before, "seed {seed}: a rebuild gives other rows");
    node.run(&["verify"]).good();
    println!(
        "{cut_short} of {} clients were cut short; {} acknowledged entries are there",
        kills * CLIENTS,
        acknowledged.len()
    );
}

/// A length of bytes that is found again in a file by no chance.
const WINDOW: usize = 16;

#[test]
fn a_flipped_byte_of_what_was_said_is_found_and_no_proof_is_made_of_it() {
    let node = Node::new("FR");
    node.run(&["community", "create", "all"]).good();
    node.run(&["community", "tick", "all"]).good();
    let file = write(node.dir.path(), "some.json", bundle(0..20));
    node.run(&import(file.to_str().unwrap())).good();
    let proof = node.run(&["proof", "FR:7"]).good();
    let extra = proof.lines().find_map(|line| line.strip_prefix("extra ")).expect("a proof carries the opening");
    let said = data_encoding::BASE64.decode(extra.as_bytes()).unwrap();
    let database = node.dir.path().join("entraide.db");
    let whole = std::fs::read(&database).unwrap();
    let mut flipped = 0;
    // The parts of the opening that stand in the database as they are: both salts, the envelope, the body's commitment.
    for window in said.windows(WINDOW).step_by(WINDOW / 2) {
        let places = whole.windows(WINDOW).enumerate().filter(|(_, found)| *found == window).map(|(at, _)| at);
        for at in places.collect::<Vec<_>>() {
            let mut changed = whole.clone();
            changed[at + WINDOW / 2] ^= 1;
            std::fs::write(&database, &changed).unwrap();
            let again = node.run(&["proof", "FR:7"]);
            assert!(again.code != 0 || again.out == proof, "byte {at}: a proof of something else was made");
            if again.code != 0 {
                assert_ne!(node.run(&["verify"]).code, 0, "byte {at}: not found");
                flipped += 1;
            }
        }
    }
    assert!(flipped >= 8, "only {flipped} places of the opening were changed");
    std::fs::write(&database, &whole).unwrap();
    assert_eq!(node.run(&["proof", "FR:7"]).good(), proof);
}

#[test]
fn a_view_that_says_something_else_is_found_by_name_and_a_rebuild_mends_it() {
    let node = Node::new("FR");
    node.run(&["community", "create", "all"]).good();
    node.run(&["community", "tick", "all"]).good();
    let file = write(node.dir.path(), "some.json", bundle(0..20));
    node.run(&import(file.to_str().unwrap())).good();
    node.run(&["verify"]).good();
    // Written like any row, so that no check word tells; the statement says something else.
    let books = pages::connect(&node.dir.path().join("entraide.db")).unwrap();
    let changed = books.execute("UPDATE object SET title = 'deacon' WHERE title LIKE 'beacon 7 %'", []).unwrap();
    assert_eq!(changed, 1, "titles stand in the clear in a view alone");
    drop(books);
    let told = node.run(&["verify"]);
    assert!(told.code == 1 && told.out.contains("the view `object`"), "{} {}", told.out, told.err);
    assert!(!node.dir.path().join("verifying").exists(), "no copy is left");
    node.run(&["rebuild"]).good();
    node.run(&["verify"]).good();
}
