//! Witnesses with the real program: three nations, a statement that two partners cosign, and its proof checked offline.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use program::{Node, bundle, entraide, id, peer, until, write};

#[test]
fn a_statement_is_witnessed_by_two_partners_and_its_proof_says_when() {
    let nodes = [Node::new("FR"), Node::new("EE"), Node::new("LV")];
    let mut served: Vec<_> = nodes.iter().map(|node| node.serve(true)).collect();
    let [fr, ee, lv] = &nodes;
    peer(fr, ee);
    peer(fr, lv);
    // Estonia believes Latvia's cosignature because it knows Latvia's key.
    peer(ee, lv);
    fr.run(&["witness", "set", "EE", "NL"]).refused(1, "is not a partner");
    fr.run(&["witness", "set", "EE", "LV", "--threshold", "3"]).refused(1, "a number from 1 to 2");
    fr.run(&["witness", "set", "EE", "LV", "--threshold", "2"]).good();
    fr.run(&["audience", "create", "friends", "--members", "EE"]).good();
    let file = write(fr.dir.path(), "one.json", bundle(1..3));
    let file = file.display().to_string();
    fr.run(&["import", &file, "--assert", "--label", "amber", "--audience", "friends"]).good();
    let witnessed = |node: &Node| {
        let status = node.run(&["status", "--json"]).json();
        (status["log"]["witnessed"] == status["log"]["size"]).then_some(status["log"]["size"].as_u64().unwrap())
    };
    until("all of France's log witnessed", || witnessed(fr));
    assert!(fr.run(&["status"]).good().contains("by 2 of 2 witnesses"));
    assert!(fr.run(&["witness", "list"]).good().contains("cosigned"));

    // Estonia sees who has witnessed what it was told.
    until("word of the witnesses at Estonia", || {
        let shown = ee.run(&["show", &id(1), "--json"]).json();
        (shown["witnessed"].as_array().is_some_and(|lines| lines.len() == 2)).then_some(())
    });

    // The proof is checked with nothing but the file and the keys of those whom the reader believes.
    let proof = fr.run(&["proof", &id(1)]).good();
    let proof = write(fr.dir.path(), "proof.txt", proof).display().to_string();
    let keys = fr.run(&["witness", "keys"]).good();
    let all = write(fr.dir.path(), "keys.txt", &keys).display().to_string();
    let told = entraide(&["verify-proof", &proof, "--keys", &all, "--witnesses", "2", "--json"]).json();
    assert_eq!(told["witnesses"].as_array().unwrap().len(), 2, "{told}");
    assert!(entraide(&["verify-proof", &proof, "--keys", &all]).good().contains("witnessed   no later than 2"));
    let page = entraide(&["verify-proof", &proof, "--keys", &all, "--words"]).good();
    assert_eq!(page.replace('\n', " ").matches("clock of the witness entraide/").count(), 2, "{page}");
    // Without the witnesses' keys their lines count for nothing; a line that was changed refuses the whole proof.
    let own = format!("{}/log.pub", fr.path());
    entraide(&["verify-proof", &proof, "--keys", &own]).good();
    entraide(&["verify-proof", &proof, "--keys", &own, "--witnesses", "1"]).refused(1, "0 known witnesses");
    let text = std::fs::read_to_string(&proof).unwrap();
    let at = text.trim_end().len() - 8;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    let spoilt = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    let spoilt = write(fr.dir.path(), "spoilt.txt", spoilt).display().to_string();
    entraide(&["verify-proof", &spoilt, "--keys", &all]).refused(1, "no valid signature");

    // A witness that is gone leaves one of two: what is said then is received and not witnessed, until it is back.
    let lost = served.pop().unwrap();
    lost.kill();
    let file = write(fr.dir.path(), "two.json", bundle(3..4)).display().to_string();
    fr.run(&["import", &file, "--assert", "--label", "amber", "--audience", "friends"]).good();
    until("a witness that does not answer", || {
        let list = fr.run(&["witness", "list", "--json"]).json();
        list["items"].as_array().unwrap().iter().any(|one| !one["why"].is_null()).then_some(())
    });
    assert_eq!(witnessed(fr), None);
    served.push(lv.serve(true));
    until("all witnessed again", || witnessed(fr));
    for one in served {
        assert_eq!(one.stop(), Some(0));
    }
}
