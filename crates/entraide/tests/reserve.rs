//! Dossiers for the EU Cybersecurity Reserve with the real program: filled in, handed on outside with proof, and seen by
//! nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use program::{Did, Node, entraide, heard, peer, said, write};
use serde_json::Value;

fn show(node: &Node, entry: &str) -> Value {
    node.run(&["reserve", "show", entry, "--json"]).json()
}

fn missing(dossier: &Value) -> Vec<String> {
    let fields = dossier["fields"].as_array().unwrap().iter();
    fields.filter(|field| field["value"].is_null()).map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

fn clock(dossier: &Value) -> (String, String) {
    let clock = &dossier["clocks"].as_array().unwrap().last().unwrap();
    (clock["article"].as_str().unwrap().to_owned(), clock["standing"].as_str().unwrap().to_owned())
}

#[test]
fn a_dossier_is_filled_in_goes_to_enisa_outside_with_proof_and_its_clocks_run() {
    let [fr, ee] = ["FR", "EE"].map(Node::new);
    let served = [&fr, &ee].map(|node| node.serve(true));
    peer(&fr, &ee);
    fr.run(&["audience", "create", "helpers", "--members", "EE"]).good();
    let ask = ["assist", "ask", "--name", "Hospital group encrypted", "--call", "duty", "--need", "forensics:2:remote"];
    let to = ["--by", "2099-01-01T00:00:00Z", "--label", "amber", "--audience", "helpers", "--json"];
    let request = said(&fr.run(&[&ask[..], &to].concat()).json());
    fr.run(&["reserve", "open"]).refused(2, "--name");
    fr.run(&["reserve", "open", "--for", "FR:0"]).refused(1, "it is not there");
    let first = said(&fr.run(&["reserve", "open", "--for", &request, "--json"]).json());
    let opened = show(&fr, &first);
    assert_eq!((&opened["name"], &opened["step"]), (&"Hospital group encrypted".into(), &"draft".into()));
    assert_eq!(
        missing(&opened),
        ["scale", "entity", "impact", "planned_use", "mitigation", "other_support", "contact_point"]
    );
    assert!(fr.run(&["reserve", "show", &first]).good().contains("entity (Art 15(5)): MISSING: name who is hit"));

    // Nobody hands on what has no contact point, and nothing skips it.
    let step = |step: &str, more: &[&str]| fr.run(&[&["reserve", "step", &first, step][..], more].concat());
    step("at-contact-point", &[]).refused(1, "contact_point");
    step("submitted", &[]).refused(1, "does not follow");
    let fill = ["--entity", "Hospital group, essential", "--scale", "significant", "--contact-point", "SPOC, number"];
    let second = said(&fr.run(&[&["reserve", "fill", &first, "--json"][..], &fill].concat()).json());
    assert_ne!(first, second);
    fr.run(&["reserve", "fill", &second, "--entity", &"x".repeat(5_000)]).refused(1, "`entity`");
    step("at-contact-point", &["--at", "2026-11-20T10:00:00Z"]).good();
    assert_eq!(
        missing(&show(&fr, &second)),
        ["impact", "planned_use", "mitigation", "other_support"],
        "named by any version"
    );

    // What was done outside needs what shows it, and is in the past.
    let dir = tempfile::tempdir().unwrap();
    let proof = write(dir.path(), "receipt.pdf", b"%PDF-1.7 received by ENISA");
    let proof = proof.display().to_string();
    step("submitted", &["--at", "2026-11-20T16:45:00Z"]).refused(1, "attach what shows it");
    step("submitted", &["--at", "2099-01-01T00:00:00Z", "--proof", &proof]).refused(1, "between the last step and now");
    step("submitted", &["--at", "2026-11-19T00:00:00Z", "--proof", &proof]).refused(1, "between the last step and now");
    let large = write(dir.path(), "large", vec![0; 256 * 1024 + 1]).display().to_string();
    step("submitted", &["--at", "2026-11-20T16:45:00Z", "--proof", &large]).refused(1, "a proof has 1 to");
    step("submitted", &["--at", "2026-11-20T16:45:00Z", "--proof", &proof]).good();
    assert_eq!(fr.run(&["reserve", "proof", &first, "3"]).good(), "%PDF-1.7 received by ENISA");
    fr.run(&["reserve", "proof", &first, "2"]).refused(1, "it is not there");
    let text = fr.run(&["reserve", "show", &first]).good();
    assert!(text.contains("ENISA answers (Art 16(1)): late; exactly 2026-11-22T16:45:00.000000Z"), "{text}");
    assert!(text.contains("at the latest 2026-11-22T17:00:00.000000Z") && text.contains("proof receipt.pdf, SHA-256"));
    step("granted", &["--at", "2026-11-22T09:00:00Z", "--note", "two teams, three weeks"]).good();
    assert_eq!(clock(&show(&fr, &first)), ("Art 16(1)".into(), "met".into()));
    for (name, at) in [("agreement", "22T10"), ("deployed", "22T12"), ("ended", "24T18")] {
        step(name, &["--at", &format!("2026-11-{at}:00:00Z")]).good();
    }
    assert_eq!(clock(&show(&fr, &first)), ("Art 16(9)".into(), "running".into()));
    step("reported", &[]).refused(1, "attach what shows it");
    step("reported", &["--proof", &proof]).good();
    assert_eq!(clock(&show(&fr, &first)), ("Art 16(9)".into(), "met".into()));
    step("withdrawn", &[]).refused(1, "came first");
    assert_eq!(show(&fr, &first)["next"], serde_json::json!([]));

    // It is for ourselves alone, behind the wall, and a rebuild shows the same.
    let marker = said(&fr.run(&["assist", "note", &request, "x", "--to", "EE", "--json"]).json());
    heard(&ee, &marker);
    ee.run(&["reserve", "show", &first]).refused(1, "it is not there");
    ee.run(&["show", &first]).refused(1, "it is not there");
    assert_eq!(ee.run(&["reserve", "list"]).good(), "there is no dossier for the Reserve\n");
    let sara = ["user", "add", "sara", "--name", "Sara", "--role", "duty-officer", "--desk", "competent-authority"];
    fr.run(&sara).good();
    let token = fr.run(&["token", "add", "t", "--login", "sara", "--json"]).json()["token"].clone();
    let supervisor = |args: &[&str]| {
        let mut command = program::command(args);
        command.args(["--url", &served[0].url]).env("ENTRAIDE_TOKEN", token.as_str().unwrap());
        Did::of(&command.output().unwrap())
    };
    supervisor(&["reserve", "show", &first]).refused(1, "it is not there");
    supervisor(&["reserve", "step", &first, "withdrawn"]).refused(1, "it is not there");
    assert_eq!(supervisor(&["reserve", "list"]).good(), "there is no dossier for the Reserve\n");
    let before = show(&fr, &first)["steps"].clone();
    fr.run(&["rebuild"]).good();
    assert_eq!(show(&fr, &first)["steps"], before);
    for served in served {
        assert_eq!(served.stop(), Some(0));
    }
    entraide(&["reserve", "step", &first, "lost"]).refused(2, "not one of");
}

#[test]
fn nobody_can_offer_to_a_call_for_help_that_is_for_the_reserve() {
    let [fr, ee] = ["FR", "EE"].map(Node::new);
    let served = [&fr, &ee].map(|node| node.serve(true));
    peer(&fr, &ee);
    fr.run(&["audience", "create", "helpers", "--members", "EE"]).good();
    let ask = |basis: &str| {
        let ask = ["assist", "ask", "--name", "Hospital group", "--call", "duty", "--need", "forensics:2", "--json"];
        let to = ["--by", "2099-01-01T00:00:00Z", "--label", "amber", "--audience", "helpers", "--basis", basis];
        said(&fr.run(&[&ask[..], &to].concat()).json())
    };
    let (reserve, partners) = (ask("reserve"), ask("bilateral"));
    heard(&ee, &reserve);
    heard(&ee, &partners);
    let next = |entry: &str| ee.run(&["assist", "show", entry, "--json"]).json()["next"].clone();
    assert_eq!(next(&reserve), serde_json::json!([]), "no button says offer");
    assert_eq!(next(&partners)[0]["step"], "reply");
    ee.run(&["assist", "reply", &reserve, "yes", "--call", "EE duty"]).refused(1, "partners can't offer to it");
    for served in served {
        assert_eq!(served.stop(), Some(0));
    }
}
