//! From shift to shift, with the real program: a handover is taken item by item by another person, what changed is told to
//! whoever may see it, and a case and the crisis card fit on one page.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use program::{Did, Node, Served, command, heard, peer, said};

fn account(node: &Node, login: &str, role: &str, desk: &str) -> String {
    node.run(&["user", "add", login, "--name", login, "--role", role, "--desk", desk]).good();
    let made = node.run(&["token", "add", login, "--login", login, "--json"]).json();
    made["token"].as_str().unwrap().to_owned()
}

fn by(served: &Served, token: &str, args: &[&str]) -> Did {
    let mut command = command(args);
    command.args(["--url", &served.url]).env("ENTRAIDE_TOKEN", token);
    Did::of(&command.output().unwrap())
}

#[test]
fn a_shift_hands_over_item_by_item_and_whoever_was_away_catches_up_on_what_they_may_see() {
    let [fr, ee] = ["FR", "EE"].map(Node::new);
    let served = [&fr, &ee].map(|node| node.serve(true));
    peer(&fr, &ee);
    fr.run(&["audience", "create", "helpers", "--members", "EE"]).good();
    let [anna, bo] = ["anna", "bo"].map(|login| account(&fr, login, "duty-officer", "csirt"));
    let eve = account(&fr, "eve", "analyst", "competent-authority");
    let viewer = account(&fr, "vera", "viewer", "csirt");
    // Bo has read everything and goes home.
    assert_eq!(by(&served[0], &bo, &["catch-up", "--read"]).good().lines().nth(1), Some("nothing has changed"));
    fr.run(&["catch-up", "--read"]).refused(1, "each with an account");
    let ask = [
        "assist",
        "ask",
        "--name",
        "Port encrypted",
        "--call",
        "CERT-FR duty +33 1 00",
        "--by",
        "2099-01-01T00:00:00Z",
    ];
    let to = ["--label", "amber", "--audience", "helpers", "--need", "forensics:2", "--life-at-risk", "--json"];
    let request = said(&by(&served[0], &anna, &[&ask[..], &to].concat()).json());
    heard(&ee, &request);
    let offer = said(&ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty +372 600", "--json"]).json());
    heard(&fr, &offer);

    // Anna hands over: what is open is proposed, and what she promised is added.
    let draft = by(&served[0], &anna, &["handover", "draft"]).good();
    assert!(draft.contains(&format!("accept {offer}")), "{draft}");
    assert!(!draft.contains("Port encrypted"), "a handover copies nothing of what a statement says: {draft}");
    let give = ["handover", "give", "--note", "quiet until two", "--promised", "Bo calls Tallinn at 06:00Z", "--json"];
    let given = by(&served[0], &anna, &give).json();
    assert_eq!((given["state"].as_str(), given["items"].as_array().unwrap().len()), (Some("given"), 2));
    let number = given["number"].to_string();
    by(&served[0], &anna, &["handover", "take", &number, "--tick", "1", "--tick", "2"])
        .refused(1, "another person takes over");
    by(&served[0], &bo, &["handover", "take", &number, "--tick", "1"]).refused(1, "tick every item first: 2 is open");
    by(&served[0], &eve, &["handover", "take", &number]).refused(1, "no such handover");
    by(&served[0], &viewer, &["handover", "list"]).refused(1, "roles do not allow");
    assert!(by(&served[0], &bo, &["handover", "list"]).good().contains("anna stays on duty until somebody takes it"));
    let taken = by(&served[0], &bo, &["handover", "take", &number, "--tick", "1", "--tick", "2", "--json"]).json();
    assert_eq!((taken["taken_by"].as_str(), &taken["digest"]), (Some("bo"), &given["digest"]));
    by(&served[0], &bo, &["handover", "take", &number, "--tick", "1", "--tick", "2"]).refused(1, "taken already");
    fr.run(&["handover", "give", "--note", "x"]).refused(1, "each with an account");

    // Bo catches up: since he read it last, and no further once he has read this.
    let told = by(&served[0], &bo, &["catch-up", "--read"]).good();
    assert!(told.contains("FR asked") && told.contains(&format!("EE yes {offer}")), "{told}");
    assert!(told.contains(&format!("next: accept {offer}")), "{told}");
    assert!(by(&served[0], &bo, &["catch-up"]).good().contains("nothing has changed"));
    let since = by(&served[0], &bo, &["catch-up", "--since", "2020-01-01T00:00:00Z", "--json"]).json();
    assert_eq!(since["cases"][0]["said"].as_array().unwrap().len(), 2);
    // What is said behind the wall is told to nobody before it.
    fr.run(&["assist", "note", &request, "they were warned in June"]).good();
    let before = |token| by(&served[0], token, &["catch-up", "--since", "2020-01-01T00:00:00Z"]).good();
    assert!(before(&bo).contains("FR note") && !before(&eve).contains("note"));

    // One page for whoever only reads, and one for the night in which nothing works.
    let brief = by(&served[0], &viewer, &["brief", &request]).good();
    assert!(brief.starts_with("TLP:AMBER") && brief.trim_end().ends_with("TLP:AMBER"), "{brief}");
    for words in
        ["Port encrypted", "Life or health is at risk.", "CERT-FR duty +33 1 00", "2 × forensics", "EE says yes"]
    {
        assert!(brief.contains(words), "{words}: {brief}");
    }
    by(&served[0], &viewer, &["brief", "FR:9999"]).refused(1, "it is not there");
    fr.run(&["roster", "person", "anna", "--name", "Anna Test", "--telephone", "+33 1 23 45 67 89"]).good();
    let card = fr.run(&["card"]).good();
    let origins = [&fr, &ee].map(|node| node.facts["origin"].as_str().unwrap().to_owned());
    for words in ["Anna Test  +33 1 23 45 67 89", "EE duty +372 600", &origins[0], &origins[1], &request] {
        assert!(card.contains(words), "{words}: {card}");
    }
    assert!(!card.contains("Port encrypted"), "the card says numbers, and not what happened: {card}");
    for one in served {
        assert_eq!(one.stop(), Some(0));
    }
}
