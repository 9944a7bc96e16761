//! A mandate with the real program: the entity consents, helpers are named, it runs, it is taken back, and it lives only
//! inside an agreement in force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use program::{Node, Served, heard, peer, said, until};
use serde_json::Value;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

/// France asks, Estonia helps, Latvia reads along.
struct World {
    fr: Node,
    ee: Node,
    lv: Node,
    served: Vec<Served>,
    /// The acceptance.
    taken: String,
}

impl World {
    fn start() -> Self {
        let [fr, ee, lv] = ["FR", "EE", "LV"].map(Node::new);
        let served = [&fr, &ee, &lv].map(|node| node.serve(true)).into();
        peer(&fr, &ee);
        peer(&fr, &lv);
        fr.run(&["audience", "create", "helpers", "--members", "EE,LV"]).good();
        let base = ["assist", "ask", "--name", "Hospital group", "--call", "duty", "--by", "2099-01-01T00:00:00Z"];
        let to = ["--label", "amber", "--audience", "helpers", "--need", "forensics:2", "--json"];
        let request = said(&fr.run(&[&base[..], &to].concat()).json());
        heard(&ee, &request);
        let offer = said(&ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty", "--json"]).json());
        heard(&fr, &offer);
        let taken = said(&fr.run(&["assist", "accept", &offer, "--json"]).json());
        heard(&ee, &taken);
        Self { fr, ee, lv, served, taken }
    }

    fn sign(&self) {
        self.ee.run(&["assist", "sign", &self.taken]).good();
        until("in force", || (case(&self.fr, &self.taken)["state"] == "in force").then_some(()));
    }

    fn draft(&self, more: &[&str]) -> program::Did {
        let args = ["mandate", "draft", &self.taken, "--entity", "hospital group", "--system", "mail1"];
        let what = ["--action", "read", "--action", "collect", "--until", &in_a_week(), "--revokers", "C. D., +33 1"];
        let who = ["--team", "two analysts", "--json"];
        self.fr.run(&[&args[..], &what, &who, more].concat())
    }

    fn stop(self) {
        for one in self.served {
            assert_eq!(one.stop(), Some(0));
        }
    }
}

/// The agreement, as a node shows it.
fn case(node: &Node, taken: &str) -> Value {
    node.run(&["assist", "show", taken, "--json"]).json()["answers"][0]["agreements"][0].take()
}

fn shown(node: &Node, entry: &str) -> Value {
    node.run(&["mandate", "show", entry, "--json"]).json()
}

fn standing(node: &Node, entry: &str, word: &str) {
    until(word, || {
        let did = node.run(&["mandate", "show", entry, "--json"]);
        (did.code == 0 && did.json()["standing"] == word).then_some(())
    });
}

fn in_a_week() -> String {
    let out = std::process::Command::new("date").args(["-u", "-d", "+7 days", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_mandate_is_consented_to_runs_with_named_helpers_and_is_taken_back() {
    let world = World::start();
    let World { fr, ee, lv, .. } = &world;
    // Only inside an agreement in force, and not before somebody has looked at who will see it.
    world.draft(&["--send"]).refused(1, "no agreement in force");
    world.sign();
    assert_eq!(world.draft(&[]).json()["sees"], serde_json::json!(["FR", "EE"]));
    assert_eq!(case(fr, &world.taken)["mandates"], serde_json::json!([]));
    let mandate = said(&world.draft(&["--send"]).json());

    // The provider's node sees it, and may say who comes; nobody else has it.
    standing(ee, &mandate, "drafted");
    assert_eq!(shown(ee, &mandate)["next"], serde_json::json!(["helpers"]));
    ee.run(&["mandate", "activate", &mandate]).refused(1, "for FR to say");
    lv.run(&["mandate", "show", &mandate]).refused(1, "not there, or not for you");

    // Nothing runs without the entity's consent.
    fr.run(&["mandate", "activate", &mandate]).refused(1, "does not follow");
    let consent =
        ["mandate", "consent", &mandate, "--by", "C. D., CISO", "--recorded-by", "duty officer, by telephone"];
    fr.run(&consent).good();
    fr.run(&consent).refused(1, "what was consented to is not changed");
    ee.run(&["mandate", "helpers", &mandate, "--helper", &format!("forensics 1={KEY}")]).good();
    until("named", || (shown(fr, &mandate)["named"][0]["role"] == "forensics 1").then_some(()));
    assert_eq!(shown(fr, &mandate)["helpers"], serde_json::json!([]));
    fr.run(&["mandate", "activate", &mandate]).good();
    let active = shown(fr, &mandate);
    assert_eq!((&active["standing"], &active["helpers"][0]["key"]), (&"active".into(), &KEY.into()));
    assert_eq!((&active["enforced"], &active["consent"]["how"]), (&true.into(), &"recorded".into()));
    standing(ee, &mandate, "active");

    for (step, word) in [("suspend", "suspended"), ("resume", "active"), ("revoke", "revoked")] {
        fr.run(&["mandate", step, &mandate]).good();
        standing(ee, &mandate, word);
    }
    fr.run(&["mandate", "resume", &mandate]).refused(1, "does not come back");
    for node in [fr, ee] {
        node.run(&["rebuild"]).good();
        assert_eq!(shown(node, &mandate)["standing"], "revoked");
    }
    world.stop();
}

#[test]
fn a_mandate_dies_at_handover_and_with_its_agreement_and_a_recorded_way_is_written_down() {
    let world = World::start();
    let World { fr, ee, .. } = &world;
    world.sign();
    let [by_telephone, by_gate] = [&["--send", "--access", "telephone-advice"][..], &["--send"]].map(|more| {
        let mandate = said(&world.draft(more).json());
        fr.run(&["mandate", "consent", &mandate, "--by", "C. D.", "--recorded-by", "duty officer"]).good();
        fr.run(&["mandate", "activate", &mandate]).good();
        standing(ee, &mandate, "active");
        mandate
    });
    // What nothing enforces is recorded; what a gate enforces is not.
    let at = "2026-11-25T08:00:00Z";
    fr.run(&["mandate", "opened", &by_telephone, "--at", at]).good();
    assert_eq!(shown(fr, &by_telephone)["opened"], "2026-11-25T08:00:00.000000Z");
    assert_eq!(shown(fr, &by_telephone)["enforced"], false);
    fr.run(&["mandate", "opened", &by_gate, "--at", at]).refused(1, "opened and closed by its gate");

    ee.run(&["assist", "mission", &world.taken, "on-task", "--leader", "M. Tamm"]).good();
    assert_eq!(shown(ee, &by_gate)["standing"], "active");
    ee.run(&["assist", "mission", &world.taken, "handover"]).good();
    standing(fr, &by_gate, "handed over");
    ee.run(&["assist", "end", &world.taken]).good();
    standing(fr, &by_gate, "without an agreement in force");
    fr.run(&["mandate", "suspend", &by_gate]).good();
    fr.run(&["mandate", "resume", &by_gate]).refused(1, "no agreement in force");
    // It can still be taken back, so that nobody has to wonder.
    fr.run(&["mandate", "revoke", &by_gate, "--reason", "over"]).good();
    world.draft(&["--send"]).refused(1, "no agreement in force");
    world.stop();
}
