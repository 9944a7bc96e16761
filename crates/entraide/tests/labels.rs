//! Labels and classification as people use them: the real binary and real directories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::fs;

use serde_json::Value;

mod program;
use program::{Node, bundle, id, indicator, write};

const EVENT: &str = r#"{"Event":{"uuid":"5bad1b96-53bc-4148-87eb-50d50a016219","timestamp":"1539269641","info":"lynx",
    "date":"2018-10-11","Tag":[{"name":"tlp:green"}],"Attribute":[
    {"uuid":"1","type":"domain","category":"x","value":"green.example","to_ids":true},
    {"uuid":"2","type":"domain","category":"x","value":"amber.example","Tag":[{"name":"tlp:amber"}]}]}}"#;

#[test]
fn an_event_with_mixed_labels_is_imported_in_parts_and_exported_for_a_purpose() {
    let node = Node::new("FR");
    node.run(&["audience", "create", "friends"]).good();
    let file = write(node.dir.path(), "event.json", EVENT);
    let args = ["import", file.to_str().unwrap(), "--assert", "--label", "green", "--audience", "friends"];
    let did = node.run(&[&args[..], &["--pap", "green"]].concat());
    assert_eq!(did.code, 0, "{}", did.err);
    assert!(did.err.contains("said in parts, one for each label: FR:1 TLP:GREEN, FR:2 TLP:AMBER"), "{}", did.err);
    let green = node.run(&["show", "FR:1", "--body"]).good();
    assert!(green.contains("green.example") && !green.contains("amber.example"), "{green}");
    assert!(node.run(&["show", "FR:1"]).good().contains("FR:2 TLP:AMBER of the same event"));
    let csv = node.run(&["export", "--for", "block"]).good();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(lines[0].starts_with("entry,object,type,value") && lines[1].contains("\"green.example\""), "{csv}");
    let misp: Value = node.run(&["export", "--for", "read", "--format", "misp"]).json();
    assert_eq!(misp["response"].as_array().unwrap().len(), 2);
    assert_eq!(
        node.run(&["export", "--for", "read", "--format", "misp", "--label", "green"]).json()["response"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let stix: Value = node.run(&["export", "--for", "read", "--format", "stix"]).json();
    assert_eq!(stix["type"], "bundle");
    node.run(&["list", "put", "proxy", "--for", "detect"]).good();
    assert!(node.run(&["list", "show"]).good().contains("proxy"));
    assert!(node.run(&["export", "--list", "proxy"]).good().contains("green.example"));
    let ledger = node.run(&["ledger", "FR:1"]).good();
    assert!(
        ledger.lines().any(|line| line.contains("machine, list proxy") && line.ends_with("left the node")),
        "{ledger}"
    );
    node.run(&["export", "--list", "none"]).refused(1, "not there, or not for you");
    node.run(&["verify"]).good();
}

#[test]
fn what_was_told_in_confidence_is_disclosed_by_a_person_with_an_article() {
    let node = Node::new("FR");
    node.run(&["audience", "create", "friends"]).good();
    let file = write(node.dir.path(), "one.json", bundle(0..1));
    let args = ["import", file.to_str().unwrap(), "--assert", "--label", "amber", "--audience", "friends"];
    node.run(&[&args[..], &["--kind", "voluntary"]].concat()).good();
    assert!(node.run(&["show", "FR:1"]).good().contains("behind the wall as voluntary"));
    let act =
        ["disclose", "FR:1", "--to-desk", "competent-authority", "--article", "NIS2 Art 32(4)", "--reason", "asked"];
    node.run(&act).refused(1, "say which person decides");
    node.run(&["user", "add", "sara", "--name", "Sara", "--role", "duty-officer", "--desk", "competent-authority"])
        .good();
    node.run(&["user", "add", "carl", "--name", "Carl", "--role", "duty-officer"]).good();
    node.run(&[&act[..], &["--person", "sara"]].concat()).refused(1, "a person of the CSIRT desk discloses");
    let done = node.run(&[&act[..], &["--person", "carl"]].concat()).good();
    assert!(
        done.contains("disclosed to competent-authority under NIS2 Art 32(4)") && done.contains("by carl"),
        "{done}"
    );
    assert!(node.run(&["show", &id(0)]).good().contains("disclosed to competent-authority under NIS2 Art 32(4)"));
    node.run(&["rebuild"]).good();
    assert!(node.run(&["show", "FR:1"]).good().contains("behind the wall as voluntary"));
    node.run(&["verify"]).good();
}

#[test]
fn a_pointer_shows_who_will_see_it_before_it_says_whom_to_call() {
    let node = Node::new("FR");
    node.run(&["audience", "create", "friends"]).good();
    let pointer = |more: &[&str]| {
        let args = [
            "pointer",
            "--level",
            "eu-secret",
            "--held-at",
            "the registry",
            "--desk",
            "duty desk",
            "--telephone",
            "+33 1 23 45 67 89",
            "--label",
            "amber",
            "--audience",
            "friends",
        ];
        node.run(&[&args[..], more].concat())
    };
    let looked = pointer(&["--summary", "more on the lynx"]).good();
    assert!(looked.contains("partners see it") && looked.contains("nothing was sent"), "{looked}");
    assert_eq!(node.log(&[]).len(), 1);
    pointer(&["--summary", "SECRET UE/EU SECRET", "--send"]).refused(1, "a line is marked");
    let said = pointer(&["--summary", "more on the lynx", "--send"]).good();
    assert!(said.starts_with("FR:1 points to the annex "), "{said}");
    let shown = node.run(&["show", "FR:1"]).good();
    assert!(shown.contains("duty desk, +33 1 23 45 67 89: ask for "), "{shown}");
    // A program does not say one by importing it, and a person can take it back.
    let body = write(node.dir.path(), "pointer.json", node.run(&["show", "FR:1", "--body"]).good());
    let args = ["import", body.to_str().unwrap(), "--assert", "--label", "amber", "--audience", "friends"];
    node.run(&args).refused(1, "made by the node itself");
    node.run(&["withdraw", "FR:1", "--reason", "the annex is gone"]).good();
    node.run(&["rebuild"]).good();
    node.run(&["verify"]).good();
}

#[test]
fn the_ceiling_is_read_from_the_configuration_and_a_wrong_one_stops_the_node() {
    let node = Node::new("FR");
    let marked = indicator(1).replace("\"name\"", "\"description\": \"Annex\\nVS-NfD\\n\", \"name\"");
    let file = write(node.dir.path(), "marked.json", marked);
    let file = file.to_str().unwrap();
    node.run(&["import", file]).refused(1, "a line is marked `VS-NfD`: this node holds nothing classified");
    let configuration = node.dir.path().join("entraide.toml");
    fs::write(&configuration, "ceiling = \"eu-restricted\"\n").unwrap();
    assert!(node.run(&["import", file]).good().contains("1 objects taken into intake"));
    fs::write(&configuration, "ceiling = \"restricted\"\n").unwrap();
    node.run(&["status"]).refused(1, "write unclassified, eu-restricted, eu-confidential or eu-secret");
}
