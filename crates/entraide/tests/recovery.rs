//! A database older than what it signed is put back on a real node: it fetches its log back from partners over the real
//! wire, and nobody holds it for that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use entraide::keys::Layout;
use program::{Node, Served, bundle, id, peer, until, write};

fn say(node: &Node, numbers: std::ops::Range<usize>) -> program::Did {
    let file = write(node.dir.path(), &format!("{}.json", numbers.start), bundle(numbers));
    node.run(&["import", file.to_str().unwrap(), "--assert", "--label", "amber", "--audience", "friends"])
}

/// The old database in place of the new one; the signer's file is kept, or replaced by one that knows nothing.
fn put_back(node: &Node, backup: &Path, forget: bool) {
    for name in ["entraide.db", "entraide.db-wal", "entraide.db-shm"] {
        let _ = std::fs::remove_file(node.dir.path().join(name));
    }
    std::fs::copy(backup.join("entraide.db"), node.dir.path().join("entraide.db")).unwrap();
    if forget {
        let layout = Layout::new(node.dir.path());
        std::fs::remove_file(layout.signer()).unwrap();
        let origin = node.facts["origin"].as_str().unwrap().parse().unwrap();
        entraide::signer::create_unknown(&layout, &origin).unwrap();
    }
}

fn state(node: &Node) -> String {
    node.run(&["recover", "--json"]).json()["state"].as_str().unwrap().to_owned()
}

fn entries_at(node: &Node, country: &str) -> u64 {
    let status = node.run(&["status", "--json"]).json();
    let partners = status["partners"].as_array().unwrap().clone();
    partners.iter().find(|one| one["country"] == country).map_or(0, |one| one["size"].as_u64().unwrap())
}

/// Nothing is missing, nothing is held, and what is said next arrives.
fn all_is_well(fr: &Node, others: &[&Node], before: &std::collections::BTreeMap<String, String>, next: usize) {
    let after = fr.log(&[]);
    for (entry, said) in before {
        assert_eq!(after.get(entry), Some(said), "{entry}");
    }
    say(fr, next..next + 1).good();
    for other in others {
        until("what is said after the recovery", || (other.run(&["show", &id(next)]).code == 0).then_some(()));
        let status = other.run(&["status", "--json"]).json();
        assert!(status["evidence"].as_array().unwrap().is_empty(), "{status}");
        assert!(status["partners"].as_array().unwrap().iter().all(|one| one["state"] == "active"), "{status}");
    }
    fr.run(&["verify"]).good();
}

#[test]
fn a_database_that_is_put_back_under_load_gets_its_log_back_from_partners() {
    let nodes = [Node::new("FR"), Node::new("EE"), Node::new("LV")];
    let mut served: Vec<Served> = nodes.iter().map(|node| node.serve(true)).collect();
    let [fr, ee, lv] = &nodes;
    peer(fr, ee);
    peer(fr, lv);
    fr.run(&["audience", "create", "friends", "--members", "EE,LV"]).good();
    say(fr, 0..3).good();

    // Load, and a copy of the database at some instant of it.
    let over = Arc::new(AtomicBool::new(false));
    let backup = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut next = 10;
            while !over.load(Ordering::Relaxed) || next < 40 {
                say(fr, next..next + 2).good();
                next += 2;
            }
        });
        until("some load", || (fr.log(&[]).len() > 10).then_some(()));
        store::Store::open(fr.dir.path()).unwrap().copy_into(backup.path()).unwrap();
        over.store(true, Ordering::Relaxed);
        load.join().unwrap();
    });
    let before = fr.log(&[]);
    let size = u64::try_from(before.len()).unwrap();
    until("everything is with the partners", || {
        (entries_at(ee, "FR") >= size && entries_at(lv, "FR") >= size).then_some(())
    });

    // Nobody is there: it does not speak, and says so.
    for one in served.drain(..) {
        one.kill();
    }
    put_back(fr, backup.path(), false);
    served.push(fr.serve(true));
    assert_eq!(state(fr), "recovering");
    say(fr, 900..901).refused(1, "does not speak");
    assert!(fr.run(&["status"]).good().contains("recovering"));
    fr.run(&["log"]).good();
    served.extend([ee, lv].map(|node| node.serve(true)));
    until("France speaks again", || (state(fr) == "speaking").then_some(()));
    all_is_well(fr, &[ee, lv], &before, 901);

    // Once more, and nobody knows what was signed last.
    let before = fr.log(&[]);
    served.remove(0).kill();
    put_back(fr, backup.path(), true);
    served.insert(0, fr.serve(true));
    until("France speaks again", || (state(fr) == "speaking").then_some(()));
    all_is_well(fr, &[ee, lv], &before, 902);
    for one in served {
        assert_eq!(one.stop(), Some(0));
    }
}
