//! Who commits the nation, with the real program: a second person approves, a standing authority is enough within its bounds,
//! one person signs alone in an emergency, and none of it can be gone round.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use program::{Did, Node, Served, command, heard, peer, said};
use serde_json::Value;

/// France with three accounts: two duty officers and the crisis officer.
struct World {
    fr: Node,
    ee: Node,
    served: Vec<Served>,
    tokens: Vec<(&'static str, String)>,
}

impl World {
    fn start() -> Self {
        let [fr, ee] = ["FR", "EE"].map(Node::new);
        let served = [&fr, &ee].map(|node| node.serve(true)).into();
        peer(&fr, &ee);
        fr.run(&["audience", "create", "helpers", "--members", "EE"]).good();
        let people = [
            ("anna", "Anna Martin", "duty-officer"),
            ("bo", "Bo Durand", "duty-officer"),
            ("cleo", "Cleo", "crisis-officer"),
        ];
        let token = |(login, name, role): (&'static str, &str, &str)| {
            fr.run(&["user", "add", login, "--name", name, "--role", role]).good();
            let made = fr.run(&["token", "add", login, "--login", login, "--json"]).json();
            (login, made["token"].as_str().unwrap().to_owned())
        };
        let tokens = people.map(token).into();
        Self { fr, ee, served, tokens }
    }

    fn by(&self, login: &str, args: &[&str]) -> Did {
        let (_, token) = self.tokens.iter().find(|(known, _)| *known == login).unwrap();
        let mut command = command(args);
        command.args(["--url", &self.served[0].url]).env("ENTRAIDE_TOKEN", token);
        Did::of(&command.output().unwrap())
    }

    fn stop(self) {
        for one in self.served {
            assert_eq!(one.stop(), Some(0));
        }
    }
}

const ASK: [&str; 13] = [
    "assist",
    "ask",
    "--name",
    "Port authority encrypted",
    "--call",
    "CERT-FR duty",
    "--by",
    "2099-01-01T00:00:00Z",
    "--label",
    "amber",
    "--audience",
    "helpers",
    "--json",
];

fn ask(need: &str) -> Vec<&str> {
    [&ASK[..], &["--need", need]].concat()
}

fn waits(answer: &Value) -> String {
    answer["awaiting"].as_i64().unwrap_or_else(|| panic!("it does not wait: {answer}")).to_string()
}

/// Who signed, as the partner sees it in the case.
fn signed(node: &Node, request: &str, entry: &str) -> Value {
    let case = node.run(&["assist", "show", request, "--json"]).json();
    let found = case["timeline"].as_array().unwrap().iter().find(|row| row["entry"] == entry);
    found.unwrap_or_else(|| panic!("{entry} is not in {case}"))["signed"].clone()
}

#[test]
fn two_persons_commit_the_nation_and_the_first_is_never_the_second() {
    let world = World::start();
    let World { fr, ee, .. } = &world;
    fr.run(&["two-persons", "set", "ask"]).refused(1, "crisis-officer");
    world.by("anna", &["two-persons", "set", "ask"]).refused(1, "crisis-officer");
    world.by("cleo", &["two-persons", "set", "ask", "accept"]).good();
    // The machine has no name that could stand under it, and what would have no effect is refused before it waits.
    fr.run(&ask("forensics:2")).refused(1, "each with an account");
    let beyond = [&ASK[..10], &["--audience", "nobody-knows", "--need", "forensics:2"]].concat();
    assert_eq!(world.by("anna", &beyond).code, 1);
    assert_eq!(world.by("bo", &["act", "list"]).good(), "nothing waits for a decision\n");

    let first = waits(&world.by("anna", &ask("forensics:2")).json());
    assert!(fr.run(&["assist", "list"]).good().contains("nobody asks"), "nothing is said before the second signs");
    let shown = world.by("bo", &["act", "show", &first]).good();
    assert!(shown.contains("begun by Anna Martin") && shown.contains("lines.1.kind: forensics"), "{shown}");
    assert!(shown.contains("you may: approve, decline\n"), "{shown}");
    world.by("anna", &["act", "approve", &first]).refused(1, "can't be the second person");
    fr.run(&["act", "approve", &first]).refused(1, "each with an account");
    world.by("bo", &["act", "sign-alone", &first, "--reason", "x"]).refused(1, "only whoever began it");
    let approved = world.by("bo", &["act", "approve", &first, "--json"]).json();
    assert_eq!((approved["state"].as_str(), approved["says"].as_array().unwrap().len()), (Some("approved"), 0));
    let request = approved["said"].as_str().unwrap().to_owned();
    world.by("bo", &["act", "approve", &first]).refused(1, "decided already");
    heard(ee, &request);
    assert_eq!(signed(ee, &request, &request)["by"], serde_json::json!(["Anna Martin", "Bo Durand"]));
    assert!(ee.run(&["assist", "show", &request]).good().contains("asked is signed by Anna Martin and Bo Durand"));

    // Declined with a reason; taken back; an acceptance that has become void stays waiting and says why.
    let second = waits(&world.by("anna", &ask("recovery:1")).json());
    assert_eq!(world.by("bo", &["act", "decline", &second]).code, 2, "a reason is needed");
    world.by("bo", &["act", "decline", &second, "--reason", "ask Latvia first"]).good();
    assert!(world.by("anna", &["act", "show", &second]).good().contains("reason: ask Latvia first"));
    let third = waits(&world.by("anna", &ask("recovery:1")).json());
    world.by("anna", &["act", "take-back", &third]).good();
    let offer = said(&ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty", "--json"]).json());
    heard(fr, &offer);
    let fourth = waits(&world.by("anna", &["assist", "accept", &offer, "--json"]).json());
    ee.run(&["assist", "reply", &request, "withdrawn", "--call", "EE duty"]).good();
    program::until("the withdrawal", || {
        let case = fr.run(&["assist", "show", &request, "--json"]).json();
        (case["answers"][0]["answer"] == "withdrawn").then_some(())
    });
    world.by("bo", &["act", "approve", &fourth]).refused(1, "taken back");
    assert_eq!(world.by("bo", &["act", "show", &fourth, "--json"]).json()["state"], "awaiting");
    // That fewer acts need two persons is itself for two.
    let fewer = world.by("cleo", &["two-persons", "set", "accept", "--json"]).json();
    assert!(world.by("cleo", &["two-persons", "show"]).good().contains("ask, accept"));
    world.by("cleo", &["act", "sign-alone", &waits(&fewer), "--reason", "now"]).refused(1, "never signed alone");
    world.by("anna", &["act", "approve", &waits(&fewer)]).good();
    assert_eq!(world.by("cleo", &["two-persons", "show"]).good(), "two persons sign: accept\n");
    said(&fr.run(&ask("recovery:1")).json());
    world.stop();
}

#[test]
fn a_standing_authority_is_enough_within_its_bounds_and_not_beyond_them_nor_once_it_is_revoked() {
    let world = World::start();
    let World { ee, .. } = &world;
    world.by("cleo", &["two-persons", "set", "ask"]).good();
    let granted = |login: &'static str, quantity: &'static str| {
        let bounds = ["--act", "ask", "--kind", "forensics", "--quantity", quantity, "--until", "2026-12-31T00:00:00Z"];
        world.by("cleo", &[&["authority", "grant", login][..], &bounds, &["--reason", "nights", "--json"]].concat())
    };
    granted("cleo", "3").refused(1, "nobody lets themselves act alone");
    let far = ["authority", "grant", "anna", "--act", "ask", "--quantity", "3", "--until", "2099-01-01T00:00:00Z"];
    world.by("cleo", &[&far[..], &["--reason", "for ever"]].concat()).refused(1, "within a year");
    world.by("anna", &[&far[..], &["--reason", "x"]].concat()).refused(1, "crisis-officer");
    let number = granted("anna", "3").json()["number"].as_str().unwrap().to_owned();

    let request = said(&world.by("anna", &ask("forensics:2")).json());
    heard(ee, &request);
    let shown = signed(ee, &request, &request);
    assert_eq!((&shown["by"], shown["authority"].as_str()), (&serde_json::json!(["Anna Martin"]), Some(&*number)));
    // Two of three are used: another two are beyond it, one is not; another kind and another person never were within it.
    waits(&world.by("anna", &ask("forensics:2")).json());
    waits(&world.by("anna", &ask("recovery:1")).json());
    waits(&world.by("bo", &ask("forensics:1")).json());
    said(&world.by("anna", &ask("forensics:1")).json());
    let listed = world.by("bo", &["authority", "list"]).good();
    assert!(listed.contains("3 of 3 used"), "{listed}");
    let second = granted("anna", "9").json()["number"].as_str().unwrap().to_owned();
    world.by("bo", &["authority", "revoke", &second]).refused(1, "crisis-officer");
    world.by("cleo", &["authority", "revoke", &second]).good();
    world.by("cleo", &["authority", "revoke", &second]).refused(1, "it is not there");
    waits(&world.by("anna", &ask("forensics:1")).json());
    world.stop();
}

#[test]
fn one_person_signs_alone_in_an_emergency_and_every_party_sees_it_until_paper_and_ratification_follow() {
    let world = World::start();
    let World { fr, ee, .. } = &world;
    world.by("cleo", &["two-persons", "set", "ask", "accept"]).good();
    let first = waits(&world.by("anna", &ask("forensics:2")).json());
    let why = "nobody else answers, patients at risk";
    let alone = world.by("anna", &["act", "sign-alone", &first, "--reason", why, "--json"]).json();
    let request = alone["said"].as_str().unwrap().to_owned();
    assert_eq!((alone["state"].as_str(), alone["paper_by"].as_str()), (Some("signed-alone"), None));
    heard(ee, &request);
    let shown = ee.run(&["assist", "show", &request, "--json"]).json();
    assert_eq!((&shown["emergency"], &shown["timeline"][0]["signed"]["emergency"]), (&true.into(), &why.into()));
    world.by("anna", &["act", "ratify", &first]).refused(1, "can't be the second person");
    let ratified = world.by("bo", &["act", "ratify", &first, "--json"]).json();
    assert_eq!((ratified["state"].as_str(), ratified["other"].as_str()), (Some("ratified"), Some("Bo Durand")));

    let offer = said(&ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty", "--json"]).json());
    heard(fr, &offer);
    let second = waits(&world.by("anna", &["assist", "accept", &offer, "--json"]).json());
    let alone = world.by("anna", &["act", "sign-alone", &second, "--reason", why, "--json"]).json();
    let days = |text: &Value| text.as_str().unwrap().parse::<model::Timestamp>().unwrap();
    let (begun, paper, ratify) = (days(&alone["at"]), days(&alone["paper_by"]), days(&alone["ratify_by"]));
    assert!(paper > begun.plus_seconds(30 * 86_400 - 1) && ratify < begun.plus_seconds(13 * 3_600));
    let taken = alone["said"].as_str().unwrap().to_owned();
    heard(ee, &taken);
    let shown = ee.run(&["assist", "show", &request, "--json"]).json();
    assert_eq!(shown["answers"][0]["agreements"][0]["emergency"], true, "paper follows, and the provider knows");
    // Not ratified: it is on record, and what was said stands.
    world.by("bo", &["act", "refuse", &second, "--reason", "too many"]).good();
    world.by("bo", &["act", "paper", &second]).good();
    world.by("bo", &["act", "paper", &second]).refused(1, "decided already");
    ee.run(&["assist", "sign", &taken]).good();
    let all = world.by("bo", &["act", "list", "--all"]).good();
    assert!(all.contains("not-ratified") && all.contains("ratified"), "{all}");
    world.stop();
}
