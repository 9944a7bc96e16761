//! After a spill no file of the node's directory holds the words: the real binary, every byte of every file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::path::Path;

mod program;
use program::{Node, until, write};

/// Words that stand nowhere else: in the name, in the body, in the file's name (and so in the source), in the id.
const TITLE: &str = "zirkelmond";
const BODY: &str = "quarzbruecke";
const SOURCE: &str = "nebelhorn";
const ID: &str = "5a5a5a5a-1111-4222-8333-444444444444";

fn object(modified: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--{ID}","created":"2026-11-20T08:00:00.000Z",
  "modified":"{modified}","name":"{TITLE}","description":"{BODY}","pattern":"[domain-name:value = 'x.example']",
  "pattern_type":"stix","valid_from":"2026-11-20T08:00:00Z"}}"#
    )
}

/// The files of a directory, and of those below it, in which a word stands.
fn files_with(dir: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with(&entry.path(), word));
        } else if entry.file_type().unwrap().is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            if bytes.windows(word.len()).any(|window| window == word.as_bytes()) {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found
}

fn nation() -> Node {
    let node = Node::new("FR");
    node.run(&["community", "create", "all"]).good();
    node.run(&["community", "tick", "all"]).good();
    node
}

#[test]
fn after_a_spill_no_byte_of_the_directory_holds_the_words() {
    let node = nation();
    let outside = tempfile::tempdir().unwrap();
    let file = |name: &str, modified: &str| write(outside.path(), name, object(modified)).to_str().unwrap().to_owned();
    // Much else around it, so that rows move from page to page.
    let others = write(outside.path(), "others.json", program::bundle(0..400)).to_str().unwrap().to_owned();
    node.run(&["import", &others]).good();
    let served = node.serve(true);
    let first = file(&format!("{SOURCE}.json"), "2026-11-20T08:00:00.000Z");
    let second = file("second.json", "2026-11-21T08:00:00.000Z");
    node.run(&["import", &first]).good();
    node.run(&["import", &first, "--assert", "--label", "green"]).good();
    node.run(&["import", &others, "--assert", "--label", "green"]).good();
    node.run(&["import", &second, "--assert", "--label", "green"]).good();
    node.run(&["import", &second]).good();
    node.run(&["show", &format!("indicator--{ID}")]).good();
    let id = format!("indicator--{ID}");
    assert!(!files_with(node.dir.path(), TITLE).is_empty(), "titles are looked up in the clear");
    assert!(!files_with(node.dir.path(), BODY).is_empty(), "intake holds bytes in the clear");
    assert!(!files_with(node.dir.path(), SOURCE).is_empty(), "intake names its source");
    let seen = node.run(&["spill", &id, "--dry-run"]).good();
    assert!(seen.contains("nothing is purged yet") && seen.contains("shown here"), "{seen}");
    assert!(!files_with(node.dir.path(), TITLE).is_empty(), "a dry run changes nothing");

    let done = node.run(&["spill", &id, "--reason", "it was marked after all"]).good();
    assert!(done.starts_with("spill 1 ") && done.contains("intake:") && done.contains("purged here"), "{done}");
    // A reader may have stood in the way of the write-ahead file for a moment: the next commit empties it.
    let gone = |word: &str| {
        until("no file holds the word", || {
            node.run(&["user", "list"]).good();
            let left = files_with(node.dir.path(), word);
            if left.is_empty() {
                Some(())
            } else {
                node.run(&["community", "tick", "all"]).good();
                None
            }
        });
    };
    for word in [TITLE, BODY, SOURCE] {
        gone(word);
    }
    let report = node.run(&["spill", "show", "1"]).good();
    assert!(report.contains("terminal") && report.contains("0 partners have not said"), "{report}");
    assert!(!report.contains(TITLE) && !done.contains(TITLE), "{report}");
    assert!(node.run(&["spill", "list"]).good().contains("it was marked after all"));
    served.kill();
    assert_eq!(files_with(node.dir.path(), TITLE), Vec::<String>::new());
    node.run(&["verify"]).good();
    node.run(&["rebuild"]).good();
    node.run(&["verify"]).good();
    for word in [TITLE, BODY, SOURCE] {
        assert_eq!(files_with(node.dir.path(), word), Vec::<String>::new(), "{word}");
    }
    assert!(node.run(&["show", "FR:2"]).good().contains("beacon"), "the others are still there");
}

#[test]
fn a_spill_from_intake_takes_what_was_said_from_it_and_refusals_are_one_line() {
    let node = nation();
    let outside = tempfile::tempdir().unwrap();
    let file = write(outside.path(), &format!("{SOURCE}.json"), object("2026-11-20T08:00:00.000Z"));
    let file = file.to_str().unwrap();
    node.run(&["import", file]).good();
    node.run(&["import", file, "--assert", "--label", "green"]).good();
    node.run(&["spill", "intake:9", "--reason", "x"]).refused(1, "nothing here is named");
    node.run(&["spill", "FR:77", "--reason", "x"]).refused(1, "nothing here is named");
    node.run(&["spill", "FR:1"]).refused(2, "--reason");
    node.run(&["spill", "show", "7"]).refused(1, "not there");
    node.run(&["hold", "add", "intake:1", "--reason", "case 7"]).good();
    node.run(&["spill", "intake:1", "--reason", "x"]).refused(1, "under legal hold");
    node.run(&["spill", "intake:1", "--reason", "x", "--despite-hold", "nobody"]).refused(1, "can't agree");
    node.run(&["hold", "release", "1"]).good();
    let done = node.run(&["spill", "intake:1", "--reason", "x", "--json"]).json();
    assert_eq!(done["statements"].as_array().map(Vec::len), Some(1), "{done}");
    assert_eq!((&done["statements"][0]["purged"], done["intake"].as_array().map(Vec::len)), (&true.into(), Some(1)));
    for word in [TITLE, BODY, SOURCE] {
        assert_eq!(files_with(node.dir.path(), word), Vec::<String>::new(), "{word}");
    }
    node.run(&["verify"]).good();
}

#[test]
fn retention_goes_by_the_command_line_and_keeps_everything_without_a_rule() {
    let node = nation();
    let outside = tempfile::tempdir().unwrap();
    let file = write(outside.path(), "one.json", object("2026-11-20T08:00:00.000Z"));
    node.run(&["import", file.to_str().unwrap()]).good();
    let plan = node.run(&["retention", "plan", "--json"]).json();
    assert_eq!(plan["items"], serde_json::json!([]));
    node.run(&["retention", "set", "everything", "--days", "1"]).refused(1, "is no rule");
    node.run(&["retention", "set", "ledger"]).refused(2, "--days");
    assert!(node.run(&["retention", "set", "intake/new", "--days", "30"]).good().contains("for 30 days"));
    assert!(node.run(&["retention", "show"]).good().contains("intake/new"));
    let plan = node.run(&["retention", "plan", "--json"]).json();
    let (at, digest) = (plan["at"].as_str().unwrap(), plan["digest"].as_str().unwrap());
    let day: String = at.chars().take(10).collect();
    let apply =
        |digest: &str, day: &str| node.run(&["retention", "apply", "--at", at, "--digest", digest, "--today", day]);
    apply(&"0".repeat(64), &day).refused(1, "another digest");
    apply(digest, "2020-01-01").refused(1, "set the clock right");
    assert!(apply(digest, &day).good().contains("0 of 0"));
    assert!(node.run(&["retention", "set", "intake/new", "--forever"]).good().contains("for ever"));
    assert!(!files_with(node.dir.path(), BODY).is_empty());
}
