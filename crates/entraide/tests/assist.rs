//! Help between nations with the real program: France asks, Estonia and Latvia answer, statements cross while a node is
//! down, and everybody ends alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use program::{Node, Served, heard, peer, said, until};
use serde_json::Value;

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
        peer(&fr, &lv);
        fr.run(&["audience", "create", "helpers", "--members", "EE,LV"]).good();
        Self { fr, ee, lv, served }
    }

    fn stop(self) {
        for one in self.served {
            assert_eq!(one.stop(), Some(0));
        }
    }
}

fn ask(fr: &Node, needs: &[&str]) -> String {
    let mut args = vec![
        "assist",
        "ask",
        "--name",
        "Hospital group encrypted",
        "--call",
        "CERT-FR duty +33 1 00 00 00 00",
        "--by",
        "2099-01-01T00:00:00Z",
        "--label",
        "amber",
        "--audience",
        "helpers",
        "--life-at-risk",
        "--json",
    ];
    for need in needs {
        args.extend(["--need", need]);
    }
    said(&fr.run(&args).json())
}

fn case(node: &Node, entry: &str) -> Value {
    node.run(&["assist", "show", entry, "--json"]).json()
}

/// What is the same on every node of a case: all but what is each one's own to do next.
fn shared(node: &Node, entry: &str) -> Value {
    let mut case = case(node, entry);
    case["next"] = Value::Null;
    case
}

/// Waits until a node shows an agreement in this state.
fn agreed(node: &Node, request: &str, offer: usize, state: &str) -> Value {
    until(state, || {
        let case = case(node, request);
        (case["answers"][offer]["agreements"][0]["state"] == state).then_some(case)
    })
}

fn next(case: &Value) -> Vec<&str> {
    case["next"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect()
}

#[test]
fn a_nation_asks_a_partner_offers_both_sign_and_somebody_is_on_the_case() {
    let world = World::start();
    let World { fr, ee, lv, .. } = &world;
    let request = ask(fr, &["forensics:2:remote", "containment:1"]);
    for partner in [ee, lv] {
        heard(partner, &request);
    }
    let seen = case(ee, &request);
    assert_eq!((seen["owner"].as_str(), seen["life_at_risk"].as_bool()), (Some("FR"), Some(true)));
    assert_eq!(next(&seen), ["reply"]);
    assert!(lv.run(&["assist", "list"]).good().contains("Hospital group encrypted"));

    // One tap of yes offers everything; a no is for the requester alone.
    let offer = said(&ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty", "--json"]).json());
    lv.run(&["assist", "reply", &request, "no", "--call", "LV duty"]).good();
    heard(fr, &offer);
    until("Latvia's no", || (case(fr, &request)["answers"].as_array().unwrap().len() == 2).then_some(()));
    assert_eq!(case(lv, &request)["answers"].as_array().unwrap().len(), 1, "Latvia sees its own answer alone");

    // Accepting takes what is needed; a second acceptance has nothing left to take.
    let taken = said(&fr.run(&["assist", "accept", &offer, "--json"]).json());
    fr.run(&["assist", "accept", &offer]).refused(1, "more than is still offered");
    fr.run(&["assist", "sign", &taken]).refused(1, "for EE to say");
    heard(ee, &taken);
    assert_eq!(next(&agreed(ee, &request, 0, "proposed")), ["countersign"]);
    ee.run(&["assist", "mission", &taken, "on-task", "--leader", "M. Tamm"]).refused(1, "no agreement in force");
    ee.run(&["assist", "sign", &taken]).good();
    ee.run(&["assist", "sign", &taken]).refused(1, "came first");
    agreed(fr, &request, 0, "in force");

    // The mission begins, goes on, and ends with hours, costs and a summary; then both close.
    ee.run(&["assist", "mission", &taken, "on-task", "--leader", "M. Tamm +372 600"]).good();
    let on_case = until("somebody on the case", || {
        let case = case(fr, &request);
        (!case["answers"][0]["agreements"][0]["mission"]["on_task"].is_null()).then_some(case)
    });
    assert_eq!(on_case["covered"], 2);
    ee.run(&["assist", "mission", &taken, "closed", "--report", "done"]).refused(1, "does not go back");
    for phase in ["handover", "reporting"] {
        ee.run(&["assist", "mission", &taken, phase]).good();
    }
    ee.run(&["assist", "mission", &taken, "closed"]).refused(1, "a mission ends with a `report`");
    let closing =
        ["assist", "mission", &taken, "closed", "--report", "Entry by VPN; contained", "--hours", "61", "--cost"];
    ee.run(&[&closing[..], &["4200"]].concat()).good();
    ee.run(&["assist", "end", &taken, "--fulfilled"]).good();
    let ended = agreed(fr, &request, 0, "ended");
    assert_eq!(ended["answers"][0]["agreements"][0]["mission"]["cost_cents"], 420_000);
    assert_eq!(next(&ended), ["close"]);
    fr.run(&["assist", "close", &request]).good();
    until("closed at Latvia", || (case(lv, &request)["state"] == "closed").then_some(()));
    lv.run(&["assist", "reply", &request, "yes", "--call", "LV duty"]).refused(1, "is closed");
    assert!(ee.run(&["assist", "show", &request]).good().contains("61 h, 4200 EUR"));
    for node in [fr, ee, lv] {
        node.run(&["rebuild"]).good();
        assert_eq!(case(node, &request)["state"], "closed");
    }
    world.stop();
}

#[test]
fn an_offer_that_is_taken_back_while_it_is_accepted_ends_alike_on_both_sides() {
    let mut world = World::start();
    let request = ask(&world.fr, &["forensics:2"]);
    heard(&world.ee, &request);
    let offer = said(&world.ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty", "--json"]).json());
    heard(&world.fr, &offer);
    // Estonia is cut off, and takes its offer back; France, which has not heard it, accepts.
    let cut_off = world.served.remove(1);
    cut_off.kill();
    let taken = said(&world.fr.run(&["assist", "accept", &offer, "--json"]).json());
    world.ee.run(&["assist", "reply", &request, "withdrawn", "--call", "EE duty"]).good();
    world.served.insert(1, world.ee.serve(true));
    heard(&world.ee, &taken);
    world.ee.run(&["assist", "sign", &taken]).refused(1, "came first in the provider's log");
    let lapsed = agreed(&world.fr, &request, 0, "lapsed");
    assert_eq!(lapsed["needs"][0]["committed"], 0);
    until("the same at both", || (shared(&world.fr, &request) == shared(&world.ee, &request)).then_some(()));
    // Nothing is lost: Estonia may offer again, and it is signed this time, although France wanted out meanwhile.
    let again = said(&world.ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty", "--json"]).json());
    until("the new offer", || (case(&world.fr, &request)["answers"][0]["answer"] == "yes").then_some(()));
    let taken = said(&world.fr.run(&["assist", "accept", &again, "--json"]).json());
    heard(&world.ee, &taken);
    let cut_off = world.served.remove(0);
    cut_off.kill();
    world.fr.run(&["assist", "retract", &taken]).good();
    world.ee.run(&["assist", "sign", &taken]).good();
    world.served.insert(0, world.fr.serve(true));
    let notice = until("notice of termination at both", || {
        let [fr, ee] = [&world.fr, &world.ee].map(|node| shared(node, &request));
        let agreed = &fr["answers"][0]["agreements"][1];
        (fr == ee && agreed["state"] == "in force" && agreed["notice"] == "requester").then_some(fr)
    });
    assert_eq!(notice["needs"][0]["committed"], 2);
    world.ee.run(&["assist", "acknowledge", &taken]).good();
    until("terminated", || {
        (case(&world.fr, &request)["answers"][0]["agreements"][1]["state"] == "terminated").then_some(())
    });
    world.stop();
}

#[test]
fn what_cannot_be_meant_is_refused_and_changes_nothing() {
    let fr = Node::new("FR");
    let refused = |args: &[&str], code: i32, says: &str| fr.run(args).refused(code, says);
    let base = ["assist", "ask", "--name", "x", "--call", "y", "--by", "2099-01-01T00:00:00Z"];
    let with = |more: &[&'static str]| [&base[..], more].concat();
    refused(&with(&["--need", "forensics:0", "--label", "amber"]), 2, "a quantity is 1 to 10000");
    refused(&with(&["--need", "magic:1", "--label", "amber"]), 2, "is not one of");
    refused(&with(&["--need", "forensics:1", "--label", "red"]), 1, "another label than TLP:RED");
    refused(&with(&["--need", "forensics:1", "--label", "amber"]), 1, "goes to a named audience");
    refused(&["assist", "show", "FR:0"], 1, "it is not there");
    refused(&["assist", "reply", "EE:3", "yes", "--call", "x"], 1, "it is not there");
    assert_eq!(fr.run(&["assist", "list"]).good(), "nobody asks for help\n");
    assert_eq!(fr.status()["log"]["size"], 0);
}
