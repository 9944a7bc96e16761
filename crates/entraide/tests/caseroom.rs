//! The case room with the real program: two nations under an agreement write to each other and hand evidence over,
//! and nobody else reads it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod agreed;
mod program;

use agreed::World;
use program::{Node, heard, said, until};
use serde_json::Value;

fn notes(node: &Node, case: &str) -> Vec<String> {
    let page = node.run(&["assist", "notes", case, "--json"]).json();
    let text = |note: &Value| format!("{}: {}", note["from"].as_str().unwrap(), note["text"].as_str().unwrap());
    page["items"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn two_parties_write_to_each_other_in_a_case_and_nobody_else_reads_it() {
    let world = World::start();
    let World { fr, ee, lv, request, agreement, .. } = &world;
    let first = said(&fr.run(&["assist", "note", request, "the <b>gateway</b> is up again", "--json"]).json());
    heard(ee, &first);
    let answer = said(&ee.run(&["assist", "note", agreement, "we see\nit", "--label", "amber", "--json"]).json());
    heard(fr, &answer);
    for node in [fr, ee] {
        assert_eq!(notes(node, request), ["FR: the <b>gateway</b> is up again", "EE: we see\nit"]);
    }
    assert!(fr.run(&["assist", "notes", request]).good().contains("EE to FR: we see it\n"));
    // Latvia has the call for help, and none of its case room; it can speak to France, and to nobody else.
    lv.run(&["assist", "note", request, "x", "--to", "EE"]).refused(1, "for FR to say");
    let third = said(&lv.run(&["assist", "note", request, "we could, on Friday", "--json"]).json());
    heard(fr, &third);
    assert_eq!(notes(lv, request), ["LV: we could, on Friday"]);
    assert_eq!(notes(fr, request).len(), 3);
    assert_eq!(notes(ee, request).len(), 2);
    fr.run(&["assist", "note", request, "thank you", "--to", "LV"]).good();
    until("the answer at Latvia", || (notes(lv, request).len() == 2).then_some(()));
    for node in [fr, ee, lv] {
        let before = notes(node, request);
        node.run(&["rebuild"]).good();
        assert_eq!(notes(node, request), before);
    }
    let size = fr.status()["log"]["size"].clone();
    fr.run(&["assist", "note", request, " "]).refused(1, "`text` has 1 to 4000 bytes");
    fr.run(&["assist", "note", request, "x", "--label", "red"]).refused(1, "another label than TLP:RED");
    fr.run(&["assist", "note", request, "x", "--to", "PL"]).refused(1, "PL");
    fr.run(&["assist", "note", "FR:0", "x"]).refused(1, "it is not there");
    assert_eq!(fr.status()["log"]["size"], size);
    world.stop();
}

/// The one piece of evidence of the case, as a node shows it.
fn evidence(node: &Node, case: &str) -> Value {
    let page = node.run(&["assist", "evidence", case, "--json"]).json();
    page["items"][0].clone()
}

fn chain(row: &Value) -> Vec<String> {
    let link = |link: &Value| {
        let word = |name: &str| link[name].as_str().unwrap().to_owned();
        format!("{} {} {}", word("party"), word("act"), word("by"))
    };
    row["custody"].as_array().unwrap().iter().map(link).collect()
}

/// Waits until a node knows of so many links of the chain.
fn links(node: &Node, case: &str, count: usize) -> Value {
    until("the link", || {
        let row = evidence(node, case);
        (row["custody"].as_array()?.len() == count).then_some(row)
    })
}

fn disk<'a>(agreement: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let to = ["--carrier", "courier 7", "--from", "A. Martin", "--to", "M. Tamm", "--personal-data", "--json"];
    let what = ["assist", "courier", agreement, "--name", "mail server", "--kind", "disk-image", "--size", "2000"];
    [&what[..], &to, more].concat()
}

#[test]
fn a_sealed_disk_has_a_chain_of_custody_until_it_is_returned_or_destroyed() {
    let world = World::start();
    let World { fr, ee, lv, request, agreement, .. } = &world;
    fr.run(&disk(agreement, &[])).refused(2, "--seal");
    fr.run(&disk(request, &["--seal", "A 1"])).refused(1, "it is not there");
    let held = ["--seal", "A 1", "--seal", "A 2", "--judicial-hold", "--destroy-by", "2020-01-01T00:00:00Z"];
    let entry = said(&fr.run(&disk(agreement, &held)).json());
    heard(ee, &entry);
    assert_eq!(evidence(ee, request)["state"], "on its way");
    let custody = |node: &Node, act: &[&str]| node.run(&[&["assist", "custody", &entry][..], act].concat());
    custody(ee, &["passed", "--to", "the laboratory"]).refused(1, "does not follow");
    custody(ee, &["delivered", "--seal", "A 1", "--seal", "B 9", "--intact", "--by", "M. Tamm"]).good();
    custody(ee, &["passed", "--to", "the laboratory", "--by", "M. Tamm"]).good();
    let row = links(fr, request, 2);
    assert_eq!(chain(&row), ["EE delivered M. Tamm", "EE passed M. Tamm"]);
    assert_eq!((&row["state"], &row["custody"][0]["seals_good"]), (&"has it".into(), &false.into()), "other seals");
    assert!(fr.run(&["assist", "evidence", request]).good().contains("NOT the seals with which it left"));

    // What the law wants kept is destroyed by nobody: by its owner's word, and by a hold of this node.
    custody(ee, &["destroyed", "--method", "shredded"]).refused(1, "a court or prosecutor");
    custody(ee, &["hold-lifted"]).refused(1, "another party's");
    custody(fr, &["hold-lifted", "--by", "A. Martin"]).good();
    assert_eq!(links(ee, request, 3)["is_due"], true, "its time is over");
    ee.run(&["hold", "add", &entry, "--reason", "our own prosecutor"]).good();
    custody(ee, &["destroyed", "--method", "shredded"]).refused(1, "legal hold");
    custody(ee, &["returned", "--to", "CERT-FR"]).refused(1, "legal hold");
    ee.run(&["hold", "release", "1"]).good();

    // No mission is closed while somebody else's evidence is there, and nobody says what became of it.
    for phase in ["on-task", "handover", "reporting"] {
        ee.run(&["assist", "mission", agreement, phase, "--leader", "M. Tamm"]).good();
    }
    let closing = ["assist", "mission", agreement, "closed", "--report", "done"];
    ee.run(&closing).refused(1, &format!("neither returned nor destroyed ({entry})"));
    custody(ee, &["destroyed"]).refused(1, "say `method`");
    custody(ee, &["destroyed", "--method", "shredded, NIST SP 800-88", "--by", "M. Tamm"]).good();
    custody(ee, &["destroyed", "--method", "again"]).refused(1, "came first");
    ee.run(&closing).good();
    let row = links(fr, request, 4);
    assert_eq!(row["state"], "destroyed");
    assert_eq!(chain(&row)[2..], ["FR hold lifted A. Martin", "EE destroyed M. Tamm"]);

    // Latvia sees nothing of it, and a rebuild shows the same.
    assert!(lv.run(&["assist", "evidence", request]).good().starts_with("no evidence"));
    custody(lv, &["delivered", "--intact"]).refused(1, "it is not there");
    for node in [fr, ee] {
        let before = evidence(node, request);
        node.run(&["rebuild"]).good();
        assert_eq!(evidence(node, request), before);
    }
    ee.run(&["assist", "end", agreement, "--fulfilled"]).good();
    ee.run(&disk(agreement, &["--seal", "C 1"])).refused(1, "no agreement in force");
    world.stop();
}

#[test]
fn messages_and_evidence_stand_behind_the_wall_at_both_parties() {
    let world = World::start();
    let World { fr, ee, request, agreement, served, .. } = &world;
    let note = said(&fr.run(&["assist", "note", request, "they were warned in June", "--json"]).json());
    let entry = said(&fr.run(&disk(agreement, &["--seal", "A 1"])).json());
    heard(ee, &note);
    heard(ee, &entry);
    for (node, served) in [(fr, &served[0]), (ee, &served[1])] {
        for place in [&note, &entry] {
            let shown = node.run(&["show", place, "--json"]).json();
            assert!(matches!(shown["object"]["wall"].as_str(), Some("help" | "evidence")), "{shown}");
        }
        let sara = ["user", "add", "sara", "--name", "Sara", "--role", "duty-officer", "--desk", "competent-authority"];
        node.run(&sara).good();
        let token = node.run(&["token", "add", "t", "--login", "sara", "--json"]).json()["token"].clone();
        let supervisor = |args: &[&str]| {
            let mut command = program::command(args);
            command.args(["--url", &served.url]).env("ENTRAIDE_TOKEN", token.as_str().unwrap());
            program::Did::of(&command.output().unwrap())
        };
        assert!(
            supervisor(&["assist", "show", request]).good().contains("Hospital group"),
            "the call itself is not walled"
        );
        assert_eq!(supervisor(&["assist", "notes", request]).good(), "nothing was said in this case\n");
        assert_eq!(supervisor(&["assist", "evidence", request]).good(), "no evidence was handed over in this case\n");
        supervisor(&["assist", "custody", &entry, "delivered", "--intact"]).refused(1, "it is not there");
        supervisor(&["assist", "notes", &note]).refused(1, "it is not there");
    }
    world.stop();
}
