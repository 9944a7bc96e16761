//! Three nations, two of them under an agreement, as real programs: for tests of what is said and given in a case.

use crate::program::{Node, Served, heard, peer, said, until};

/// France has asked, Estonia is on the case, Latvia knows of the call for help alone.
pub struct World {
    pub fr: Node,
    pub ee: Node,
    pub lv: Node,
    pub served: Vec<Served>,
    /// The call for help.
    pub request: String,
    /// What France accepted of Estonia's offer, and Estonia signed.
    pub agreement: String,
}

impl World {
    pub fn start() -> Self {
        let [fr, ee, lv] = ["FR", "EE", "LV"].map(Node::new);
        let served = [&fr, &ee, &lv].map(|node| node.serve(true)).into();
        peer(&fr, &ee);
        peer(&fr, &lv);
        fr.run(&["audience", "create", "helpers", "--members", "EE,LV"]).good();
        let ask = ["assist", "ask", "--name", "Hospital group encrypted", "--call", "duty", "--need", "forensics:2"];
        let to = ["--by", "2099-01-01T00:00:00Z", "--label", "amber", "--audience", "helpers", "--json"];
        let request = said(&fr.run(&[&ask[..], &to].concat()).json());
        heard(&ee, &request);
        heard(&lv, &request);
        let offer = said(&ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty", "--json"]).json());
        heard(&fr, &offer);
        let agreement = said(&fr.run(&["assist", "accept", &offer, "--json"]).json());
        heard(&ee, &agreement);
        ee.run(&["assist", "sign", &agreement]).good();
        until("in force at France", || fr.run(&["assist", "show", &request]).good().contains("in force").then_some(()));
        Self { fr, ee, lv, served, request, agreement }
    }

    pub fn stop(self) {
        for one in self.served {
            assert_eq!(one.stop(), Some(0));
        }
    }
}
