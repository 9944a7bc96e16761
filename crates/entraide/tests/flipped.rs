//! A byte is flipped in each file of a node, as a disk does it: the real program finds it, names the file, and serves nothing
//! that was not written. The pages of the database, every place of them: `crates/pages/tests/flips.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

mod program;
use program::{Did, Node, bundle, command, id, peer, write};

/// Places that are tried in a small file: the first, the last, and between.
const PLACES: usize = 7;
/// Pages of the database that are tried.
const PAGES: usize = 24;
const PAGE: usize = 4096;
const REALM: &str = "EX-FLIP";

/// A nation with something in each of its files: statements, a purge, a partner, accounts, keys that were replaced, a
/// configuration, an exercise.
fn nation() -> Node {
    let (node, other) = (Node::new("FR"), Node::new("EE"));
    node.run(&["community", "create", "all"]).good();
    node.run(&["community", "tick", "all"]).good();
    let file = write(node.dir.path(), "some.json", bundle(0..40));
    node.run(&["import", file.to_str().unwrap(), "--assert", "--label", "green"]).good();
    fs::remove_file(&file).unwrap();
    node.run(&["withdraw", &id(3), "--purge", "--reason", "must not be here"]).good();
    node.run(&["user", "add", "anna", "--name", "Anna", "--role", "analyst"]).good();
    fs::write(node.dir.path().join("entraide.toml"), "ceiling = \"unclassified\"\n").unwrap();
    let (served, partner) = (node.serve(true), other.serve(true));
    peer(&node, &other);
    let address = program::free_address();
    node.run(&["realm", "open", REALM, "--name", "Blue", "--federation", &address]).good();
    assert_eq!((served.stop(), partner.stop()), (Some(0), Some(0)));
    node.run(&["verify"]).good();
    node
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        // The index of the write-ahead file is memory, and is made anew at each start.
        .filter(|path| path.is_file() && !path.to_string_lossy().ends_with("-shm"))
        .collect();
    found.sort();
    found
}

/// Places in a file of this length, spread over all of it.
fn places(length: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(length);
    (0..count).map(move |nth| nth * (length - 1) / (count - 1).max(1))
}

/// The file with one bit of a byte changed, for as long as `look` takes.
fn flipped<T>(path: &Path, at: usize, look: impl FnOnce() -> T) -> T {
    let whole = fs::read(path).unwrap();
    let mut bytes = whole.clone();
    bytes[at] ^= 1 << (at % 7);
    fs::write(path, &bytes).unwrap();
    let seen = look();
    fs::write(path, &whole).unwrap();
    seen
}

/// `verify` of the realm in whose directory the file is.
fn verify(node: &Node, path: &Path) -> Did {
    let inside = path.components().any(|part| part.as_os_str() == REALM);
    node.run(if inside { &["verify", "--realm", REALM] } else { &["verify"] })
}

#[test]
fn a_flipped_byte_of_any_file_is_found_and_named() {
    let node = nation();
    let all = files(node.dir.path());
    let names: Vec<String> = all.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let expected = [
        "entraide.db",
        "entraide.toml",
        "exercise.json",
        "identity.txt",
        "log.pub",
        "log.key",
        "wrapping.key",
        "cursor.key",
        "witness.key",
        "mandate.key",
        "tls.key",
        "tls.crt",
        "purged",
        "signer",
    ];
    for name in expected {
        assert!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
    }
    for (path, name) in all.iter().zip(&names) {
        let length = usize::try_from(fs::metadata(path).unwrap().len()).unwrap();
        let count = if name == "entraide.db" { PAGES } else { PLACES };
        for at in places(length, count) {
            let told = flipped(path, at, || verify(&node, path));
            let words = format!("{}{}", told.out, told.err);
            // People write the configuration: a change of it is told, and may be meant.
            assert!(told.code == 1 || name == "entraide.toml", "byte {at} of {name}: {words}");
            assert!(words.contains(name.as_str()), "byte {at} of {name} is not named: {words}");
        }
    }
    node.run(&["verify"]).good();
    node.run(&["verify", "--realm", REALM]).good();
}

/// What people and partners are shown of the node, by as many tables as commands reach.
const SHOWN: &[&[&str]] = &[
    &["log", "--json", "--limit", "100"],
    &["user", "list", "--json"],
    &["partner", "list", "--json"],
    &["community", "list", "--json"],
    &["export", "--for", "detect"],
];

/// What each command says, without what depends on the moment.
fn shown(dir: &str) -> Vec<Result<Value, String>> {
    let ask = |args: &&[&str]| {
        let did = Did::of(&command(args).args(["--dir", dir]).output().unwrap());
        if did.code != 0 {
            return Err(did.err);
        }
        let mut lines: Vec<Value> = did.out.lines().map(|line| Value::String(line.to_owned())).collect();
        if let Ok(mut whole) = serde_json::from_str::<Value>(&did.out) {
            forget_moments(&mut whole);
            lines = vec![whole];
        }
        Ok(Value::Array(lines))
    };
    SHOWN.iter().map(ask).collect()
}

/// Times and random names of an answer, which differ from one call to the next.
fn forget_moments(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget_moments),
        Value::Object(fields) => {
            for (name, field) in fields {
                if ["now", "last_seen", "id"].contains(&name.as_str())
                    && field.as_str().is_some_and(|id| id.starts_with("bundle--"))
                {
                    *field = Value::Null;
                } else {
                    forget_moments(field);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn what_is_flipped_in_the_database_is_never_served() {
    let node = nation();
    let truth = shown(&node.path());
    assert_eq!(shown(&node.path()), truth, "the same is shown twice");
    assert!(truth.iter().all(Result::is_ok), "{truth:?}");
    let database = node.dir.path().join("entraide.db");
    let pages = usize::try_from(fs::metadata(&database).unwrap().len()).unwrap() / PAGE;
    let mut refused = 0;
    for page in places(pages, PAGES) {
        let seen = flipped(&database, page * PAGE + 2_000 + page % 2_000, || shown(&node.path()));
        for (seen, truth) in seen.iter().zip(&truth) {
            match seen {
                Ok(_) => assert_eq!(seen, truth, "a byte of page {} is served", page + 1),
                Err(why) => {
                    assert!(why.contains("not what was written") && why.contains("verify"), "page {}: {why}", page + 1);
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0, "no page was read at all");
    assert_eq!(shown(&node.path()), truth, "and changed nothing");
}

#[test]
fn a_purge_list_that_has_lost_a_line_is_written_again() {
    let node = nation();
    let list = node.dir.path().join("purged");
    let whole = fs::read_to_string(&list).unwrap();
    assert!(whole.lines().count() >= 2, "{whole}");
    // Its last newline flipped: as if a power cut had torn it.
    fs::write(&list, whole.trim_end()).unwrap();
    let told = node.run(&["verify"]);
    assert!(told.code == 1 && told.out.contains("purged` has lost 1 place"), "{} {}", told.out, told.err);
    assert_eq!(node.serve(true).stop(), Some(0));
    let again = fs::read_to_string(&list).unwrap();
    let place = |text: &str| text.lines().last().unwrap().split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ");
    assert_eq!(place(&again), place(&whole));
    node.run(&["verify"]).good();
}
