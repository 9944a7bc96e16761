//! RED as people run it: named readers and guests by the real command line on a real node.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;
use program::{Node, indicator, write};
use serde_json::Value;

#[test]
fn readers_are_named_and_guests_invited_by_the_command_line() {
    let node = Node::new("FR");
    node.run(&["user", "add", "bob", "--name", "Bob", "--role", "analyst"]).good();
    let file = write(node.dir.path(), "one.json", indicator(1));
    let file = file.to_str().unwrap();
    node.run(&["import", file, "--assert", "--label", "red", "--reader", "nobody"])
        .refused(1, "no active account `nobody`");
    let said = node.run(&["import", file, "--assert", "--label", "red", "--reader", "bob", "--json"]).good();
    let said: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let entry = said["entry"].as_str().unwrap();
    node.run(&["show", entry]).refused(1, "not there, or not for you");
    let readers = node.run(&["red", "readers", entry, "list"]).good();
    assert!(readers.contains("bob") && readers.contains("named by machine"), "{readers}");
    node.run(&["red", "readers", entry, "remove", "bob"]).good();
    assert!(node.run(&["red", "readers", entry, "list"]).good().contains("no reader is named"));
    assert!(node.run(&["red", "readers", entry, "add", "bob"]).good().contains("bob"));
    node.run(&["red", "show", "FR:99"]).refused(1, "not there, or not for you");
    let invited = node.run(&["red", "invite", entry, "--name", "Minister", "--contact", "+33 1", "--json"]).json();
    let guest = invited["id"].as_str().unwrap();
    assert!(invited["path"].as_str().unwrap().starts_with("/guest/") && invited["code"].as_str().unwrap().len() == 9);
    assert!(node.run(&["red", "code", entry, guest]).good().contains("told over the telephone"));
    node.run(&["red", "revoke", entry, guest]).good();
    let shown = node.run(&["red", "show", entry]).good();
    assert!(shown.contains("Minister, +33 1") && shown.contains("revoked") && shown.contains("/red/"), "{shown}");
    node.run(&["withdraw", entry, "--purge", "--reason", "wrong"]).good();
    node.run(&["verify"]).good();
    node.run(&["rebuild"]).good();
    node.run(&["verify"]).good();
}
