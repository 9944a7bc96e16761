//! Capacities with the real program: what a nation can lend stays at home until it is offered, nothing is promised twice,
//! and its node proposes what it could fill.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use program::{Node, Served, heard, peer, said, until};
use serde_json::Value;

/// France and Latvia ask, Estonia helps.
struct World {
    fr: Node,
    ee: Node,
    lv: Node,
    served: Vec<Served>,
}

impl World {
    fn start() -> Self {
        let [fr, ee, lv] = ["FR", "EE", "LV"].map(Node::new);
        let served = [&fr, &ee, &lv].map(|node| node.serve(true)).into();
        peer(&fr, &ee);
        peer(&lv, &ee);
        for (node, to) in [(&fr, "EE"), (&lv, "EE"), (&ee, "FR,LV")] {
            node.run(&["audience", "create", "helpers", "--members", to]).good();
        }
        Self { fr, ee, lv, served }
    }

    fn stop(self) {
        for one in self.served {
            assert_eq!(one.stop(), Some(0));
        }
    }
}

fn ask(node: &Node, needs: &[&str]) -> String {
    let base =
        ["assist", "ask", "--name", "Hospital group encrypted", "--call", "duty", "--by", "2099-01-01T00:00:00Z"];
    let mut args = [&base[..], &["--label", "amber", "--audience", "helpers", "--json"]].concat();
    for need in needs {
        args.extend(["--need", need]);
    }
    said(&node.run(&args).json())
}

fn team(node: &Node, quantity: &str) -> String {
    let args = ["capacity", "add", "--name", "night team", "--kind", "forensics", "--quantity", quantity, "--call"];
    said(&node.run(&[&args[..], &["EE duty", "--ready", "2", "--language", "en", "--json"]].concat()).json())
}

fn capacity(node: &Node, entry: &str) -> Value {
    node.run(&["capacity", "show", entry, "--json"]).json()
}

fn counts(node: &Node, entry: &str) -> [u64; 5] {
    let one = capacity(node, entry);
    ["free", "reserved", "committed", "deployed", "recovering"].map(|word| one[word].as_u64().unwrap())
}

#[test]
fn a_capacity_is_offered_signed_sent_and_free_again_and_is_never_promised_to_two() {
    let world = World::start();
    let World { fr, ee, lv, .. } = &world;
    let capacity_at = team(ee, "3");
    assert_eq!(counts(ee, &capacity_at), [3, 0, 0, 0, 0]);
    let [first, second] = [ask(fr, &["forensics:2:remote", "recovery:1"]), ask(lv, &["forensics:2:remote"])];
    for request in [&first, &second] {
        heard(ee, request);
    }
    // The node says what it could fill, and why not the rest, before anything leaves it.
    let matches = ee.run(&["assist", "match", &first, "--json"]).json();
    assert_eq!((&matches["fills"], &matches["missing"]), (&2.into(), &3.into()), "{matches}");
    assert_eq!(matches["gaps"][0]["excluded"][0]["constraint"], "kind");
    let words = ee.run(&["assist", "match", &first]).good();
    assert!(words.contains("2 of 3 missing could be filled"), "{words}");
    assert!(words.contains("1 of 1 open: of 1 capacities, 1 of another kind"), "{words}");

    let offer = said(&ee.run(&["assist", "reply", &first, "yes", "--call", "EE duty", "--matched", "--json"]).json());
    assert_eq!(counts(ee, &capacity_at), [1, 2, 0, 0, 0]);
    // Nobody can have what another has: what is left is offered, more is refused and changes nothing.
    let size = ee.status()["log"]["size"].clone();
    let more = ["assist", "reply", &second, "yes", "--call", "EE duty", "--capacity", &capacity_at];
    let drawn = format!("1:2:remote@{capacity_at}");
    let refused = ee.run(&["assist", "reply", &second, "yes", "--call", "EE duty", "--line", &drawn]);
    refused
        .refused(1, "not enough of the capacity is free for the whole of that time: 2 of night team reserved for FR-");
    assert_eq!(ee.status()["log"]["size"], size);
    let other = said(&ee.run(&[&more[..], &["--json"]].concat()).json());
    assert_eq!(counts(ee, &capacity_at), [0, 3, 0, 0, 0]);
    let fewer = ["capacity", "change", &capacity_at, "--quantity", "2"];
    ee.run(&fewer).refused(1, "take an offer back first");

    heard(fr, &offer);
    let taken = said(&fr.run(&["assist", "accept", &offer, "--json"]).json());
    heard(ee, &taken);
    ee.run(&["assist", "sign", &taken]).good();
    assert_eq!(counts(ee, &capacity_at), [0, 1, 2, 0, 0]);
    ee.run(&["assist", "mission", &taken, "on-task", "--leader", "M. Tamm"]).good();
    assert_eq!(counts(ee, &capacity_at), [0, 1, 0, 2, 0]);
    ee.run(&["assist", "mission", &taken, "aborted", "--report", "no longer needed"]).good();
    ee.run(&["assist", "reply", &second, "withdrawn", "--call", "EE duty"]).good();
    assert_eq!(counts(ee, &capacity_at), [3, 0, 0, 0, 0]);
    ee.run(&fewer).good();

    // The requester sees that its offer draws on something, and nothing of it; Latvia sees nothing of France's.
    for node in [fr, lv] {
        node.run(&["capacity", "show", &capacity_at]).refused(1, "not there");
        assert!(!node.run(&["log", "--country", "EE", "--json"]).good().contains("night team"));
    }
    lv.run(&["assist", "show", &offer]).refused(1, "not there");
    heard(lv, &other);
    for node in [fr, ee, lv] {
        node.run(&["rebuild"]).good();
    }
    assert_eq!(counts(ee, &capacity_at), [2, 0, 0, 0, 0]);
    world.stop();
}

/// The acceptance is of a version whose drawing was given to somebody else meanwhile: signing it would promise it twice.
#[test]
fn a_signature_that_would_promise_a_team_twice_is_refused() {
    let world = World::start();
    let World { fr, ee, lv, .. } = &world;
    let capacity_at = team(ee, "2");
    let [first, second] = [ask(fr, &["forensics:2:remote"]), ask(lv, &["forensics:2:remote"])];
    for request in [&first, &second] {
        heard(ee, request);
    }
    let reply = |request: &str, line: &str| {
        let args = ["assist", "reply", request, "yes", "--call", "EE duty", "--line", line, "--json"];
        said(&ee.run(&args).json())
    };
    let drawn = format!("1:2:remote@{capacity_at}");
    let offer = reply(&first, &drawn);
    heard(fr, &offer);
    let taken = said(&fr.run(&["assist", "accept", &offer, "--json"]).json());
    heard(ee, &taken);
    // The offer stands, from elsewhere; the team goes to Latvia.
    reply(&first, "1:2:remote");
    reply(&second, &drawn);
    assert_eq!(counts(ee, &capacity_at), [0, 2, 0, 0, 0]);
    ee.run(&["assist", "sign", &taken]).refused(1, "not enough of the capacity is free");
    assert_eq!(ee.run(&["assist", "show", &first, "--json"]).json()["needs"][0]["committed"], 0);
    ee.run(&["assist", "reply", &second, "withdrawn", "--call", "EE duty"]).good();
    ee.run(&["assist", "sign", &taken]).good();
    assert_eq!(counts(ee, &capacity_at), [0, 0, 2, 0, 0]);
    world.stop();
}

#[test]
fn a_card_says_bands_to_those_who_are_chosen_serves_their_own_calls_and_is_taken_back() {
    let world = World::start();
    let World { fr, ee, lv, .. } = &world;
    ee.run(&["audience", "create", "fr-only", "--members", "FR"]).good();
    let capacity_at = team(ee, "4");
    let publish = ["capacity", "publish", &capacity_at, "--label", "amber", "--audience", "fr-only"];
    let preview = ee.run(&publish).good();
    assert!(preview.contains("it says: forensics, medium, 6 h") && preview.contains("nothing was sent"), "{preview}");
    assert!(preview.contains("1 of 2 partners see it"), "{preview}");
    let card = said(&ee.run(&[&publish[..], &["--send", "--json"]].concat()).json());
    let shown = |node: &Node| node.run(&["capacity", "list", "--json"]).json()["cards"].clone();
    until("the card", || (shown(fr)[0]["words"] == "forensics, medium, 6 h").then_some(()));
    assert_eq!(capacity(ee, &capacity_at)["published"][0]["audience"], "fr-only");
    // Its own call is where a nation looks at partners' cards.
    let request = ask(fr, &["forensics:5"]);
    let matches = fr.run(&["assist", "match", &request, "--json"]).json();
    assert_eq!(
        (&matches["fills"], &matches["pairings"][0]["capacity"]),
        (&3.into(), &card.clone().into()),
        "{matches}"
    );
    assert_eq!(shown(lv), serde_json::json!([]), "Latvia was not chosen");

    ee.run(&["withdraw", &card, "--reason", "the team is away"]).good();
    assert_eq!(capacity(ee, &capacity_at)["published"], serde_json::json!([]));
    until("taken back", || (shown(fr) == serde_json::json!([])).then_some(()));
    assert_eq!(fr.run(&["assist", "match", &request, "--json"]).json()["fills"], 0);
    // It can be published again, and stands once.
    ee.run(&[&publish[..], &["--send", "--languages"]].concat()).good();
    until("the card again", || (shown(fr)[0]["languages"][0] == "en").then_some(()));
    world.stop();
}

#[test]
fn what_cannot_be_kept_is_refused_and_changes_nothing() {
    let ee = Node::new("EE");
    let refused = |args: &[&str], code: i32, says: &str| ee.run(args).refused(code, says);
    let base = ["capacity", "add", "--name", "x", "--call", "y", "--kind", "forensics"];
    let with = |more: &[&'static str]| [&base[..], more].concat();
    refused(&with(&["--quantity", "0"]), 2, "a quantity is 1 to 10000");
    refused(&with(&["--quantity", "1", "--window", "tonight"]), 2, "write FROM/UNTIL");
    refused(
        &with(&["--quantity", "1", "--window", "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"]),
        1,
        "`until` comes after",
    );
    refused(&with(&["--quantity", "1", "--language", "x"]), 1, "languages");
    refused(&with(&["--quantity", "1", "--provider", "firm"]), 2, "--contract");
    refused(&["capacity", "show", "EE:0"], 1, "not there");
    refused(&["capacity", "show", "FR:0"], 1, "not there");
    refused(&["capacity", "stand-down", "EE:0"], 1, "not there");
    assert_eq!(ee.status()["log"]["size"], 0);
    let capacity_at = team(&ee, "2");
    refused(&["capacity", "publish", &capacity_at, "--label", "red", "--send"], 1, "another label than TLP:RED");
    refused(&["capacity", "publish", &capacity_at, "--label", "amber", "--send"], 1, "named audience");
    ee.run(&["capacity", "stand-down", &capacity_at]).good();
    assert_eq!(capacity(&ee, &capacity_at)["state"], "stood down");
    ee.run(&["capacity", "stand-down", &capacity_at, "--back"]).good();
    assert_eq!(capacity(&ee, &capacity_at)["state"], "available");
    // The audience of ourselves alone has no members, and nobody gives it some by hand.
    ee.run(&["audience", "members", "this node alone", "*"]).refused(1, "kept by the node itself");
}
