//! Backups with the real program: taken while the node speaks, rehearsed, brought back; and what was purged comes back
//! from none of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

mod program;
use program::{Node, bundle, entraide, id, write};

/// Stands in the name of one indicator, which is purged.
const WORD: &str = "violet-zebra-crossing";
/// The number of that indicator.
const SECRET: usize = 7_777;

/// A nation that has said some things, one of them with the word; and a place for what is taken from it.
struct Home {
    node: Node,
    away: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { node: Node::new("FR"), away: tempfile::tempdir().unwrap() };
        home.node.run(&["community", "create", "all"]).good();
        home.node.run(&["community", "tick", "all"]).good();
        home.say(&bundle(1..20));
        home.say(&bundle(SECRET..SECRET + 1).replace("beacon 7777", WORD));
        write(home.away.path(), "passphrase", "five words by chance alone\n");
        fs::create_dir(home.tmp()).unwrap();
        home
    }
    fn say(&self, bundle: &str) {
        let file = write(self.away.path(), "said.json", bundle).display().to_string();
        self.node.run(&["import", &file, "--assert", "--label", "green"]).good();
    }
    fn purge(&self) {
        self.node.run(&["withdraw", &id(SECRET), "--purge", "--reason", "must not be here"]).good();
    }
    /// A path for what is taken away.
    fn at(&self, name: &str) -> String {
        self.away.path().join(name).display().to_string()
    }
    fn back_up(&self, to: &str) -> Value {
        self.node.run(&["backup", "--to", &self.at(to), "--json"]).json()
    }
    fn keys(&self, to: &str) -> Value {
        let passphrase = self.at("passphrase");
        self.node.run(&["backup", "--keys", "--to", &self.at(to), "--passphrase-file", &passphrase, "--json"]).json()
    }
    fn restore(&self, from: &str, keys: &str, extra: &[&str]) -> program::Did {
        let (from, keys, passphrase) = (self.at(from), self.at(keys), self.at("passphrase"));
        let args = ["restore", "--from", &from, "--keys", &keys, "--passphrase-file", &passphrase, "--json"];
        self.with_tmp(&[&args[..], extra].concat())
    }
    /// Runs with a directory for temporary files of its own.
    fn with_tmp(&self, args: &[&str]) -> program::Did {
        program::Did::of(&program::command(args).env("TMPDIR", self.tmp()).output().unwrap())
    }
    fn tmp(&self) -> PathBuf {
        self.away.path().join("tmp")
    }
    /// Brings a node back into a new directory of its own, on the machine that still has the signer's file.
    fn bring_back(&self, from: &str, keys: &str, extra: &[&str]) -> Node {
        let dir = tempfile::tempdir().unwrap();
        let (path, signer) =
            (dir.path().display().to_string(), self.node.dir.path().join("signer").display().to_string());
        let told = self.restore(from, keys, &[&["--dir", &path, "--signer", &signer][..], extra].concat()).json();
        assert_eq!(told["faults"], Value::Array(Vec::new()), "{told}");
        Node { dir, facts: self.node.facts.clone(), federation: self.node.federation.clone() }
    }
    fn purge_list(&self) -> String {
        self.node.dir.path().join("purged").display().to_string()
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.is_file())
        .collect()
}

/// The files in which the word stands.
fn said_in(dir: &Path) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| fs::read(path).unwrap().windows(WORD.len()).any(|window| window == WORD.as_bytes());
    files(dir).into_iter().filter(holds).collect()
}

/// Changes one byte in the middle of a file, or changes it back.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_backup_taken_while_the_node_speaks_comes_back_to_the_byte() {
    let home = Home::new();
    let served = home.node.serve(true);
    let speaking = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for part in 0.. {
                home.say(&bundle(1_000 + part * 50..1_050 + part * 50));
                if !speaking.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let told = home.back_up("backups");
        home.keys("keys-1");
        speaking.store(false, Ordering::Relaxed);
        assert!(told["size"].as_u64().unwrap() > 20, "{told}");
    });
    assert_eq!(
        said_in(home.away.path()),
        Vec::<PathBuf>::new(),
        "nothing of what is said stands in a backup in the clear"
    );
    // What was taken while it spoke is whole: every file, the log, each statement and body.
    let told = home.restore("backups", "keys-1", &["--check", "--dir", &home.node.path()]).json();
    assert_eq!((&told["faults"], &told["without_key"]), (&Value::Array(Vec::new()), &Value::from(0)), "{told}");
    assert!(told["to_recover"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(served.stop(), Some(0));

    // What was taken last comes back as it was, and speaks, on the machine that knows what was signed.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let last = home.back_up("backups");
    home.keys("keys-2");
    let back = home.bring_back("backups", "keys-2", &["--purge-list", &home.purge_list()]);
    assert_eq!(back.log(&[]), home.node.log(&[]));
    assert_eq!(back.run(&["show", &id(3), "--json"]).json(), home.node.run(&["show", &id(3), "--json"]).json());
    assert!(back.run(&["verify"]).good().contains("0 faults"));
    let served = back.serve(true);
    let file = write(back.dir.path(), "more.json", bundle(9_000..9_001)).display().to_string();
    back.run(&["import", &file, "--assert", "--label", "green"]).good();
    assert_eq!(back.status()["log"]["size"].as_u64(), last["size"].as_u64().map(|size| size + 1));
    assert_eq!(served.stop(), Some(0));
    // Without the signer's file of this machine it does not know what it said last, and does not speak.
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("node").display().to_string();
    home.restore("backups", "keys-2", &["--dir", &path, "--purge-list", &home.purge_list()]).good();
    let refused = entraide(&["import", &file, "--assert", "--label", "green", "--dir", &path]);
    assert_eq!(refused.code, 1, "{} {}", refused.out, refused.err);
    // A directory that has something in it is not written over.
    home.restore("backups", "keys-2", &["--dir", &path, "--without-purge-list"]).refused(1, "new directory");
}

#[test]
fn what_was_purged_comes_back_from_no_backup() {
    let home = Home::new();
    home.back_up("backups");
    home.keys("before");
    assert_eq!(said_in(home.node.dir.path()).len(), 1, "its title, in the database");
    fs::copy(home.node.dir.path().join("entraide.db"), home.at("old.db")).unwrap();
    home.purge();
    home.keys("after");
    fs::remove_file(home.at("said.json")).unwrap();
    assert_eq!(said_in(home.node.dir.path()), Vec::<PathBuf>::new());
    assert!(home.node.run(&["verify"]).good().contains("0 faults"));

    // The old keys bring it back if nobody says what was purged: the look is one that finds it.
    let back = home.bring_back("backups", "before", &["--without-purge-list"]);
    assert_eq!(said_in(back.dir.path()).len(), 1);
    // With the list it does not come back, nor with keys that were taken since.
    let list = home.purge_list();
    for (keys, extra) in [("before", &["--purge-list", list.as_str()][..]), ("after", &["--without-purge-list"])] {
        let back = home.bring_back("backups", keys, extra);
        assert_eq!(said_in(back.dir.path()), Vec::<PathBuf>::new(), "{keys}");
    }
    let told = home.restore("backups", "before", &["--check", "--purge-list", &list]).json();
    assert_eq!(told["purged"], 1, "{told}");
    let refused = home.restore("backups", "before", &["--dir", &home.at("new")]);
    refused.refused(2, "--purge-list");

    // An old database that is put in place is found out by `verify`, and purged by whatever opens the node first.
    for side in ["-wal", "-shm"] {
        let _ = fs::remove_file(home.node.dir.path().join(format!("entraide.db{side}")));
    }
    fs::copy(home.at("old.db"), home.node.dir.path().join("entraide.db")).unwrap();
    let told = home.node.run(&["verify"]);
    assert!(told.code == 1 && told.out.contains("was purged on"), "{}", told.out);
    home.node.run(&["status"]);
    assert!(!home.node.run(&["verify"]).out.contains("was purged on"));
    fs::remove_file(home.at("old.db")).unwrap();
    assert_eq!(said_in(home.node.dir.path()), Vec::<PathBuf>::new());
}

#[test]
fn the_state_of_a_moment_comes_back() {
    let home = Home::new();
    let first = home.back_up("backups");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    home.say(&bundle(100..110));
    let second = home.back_up("backups");
    home.keys("keys");
    let check = |extra: &[&str], expect: &Value| {
        let told = home.restore("backups", "keys", &[&["--check"][..], extra].concat()).json();
        assert_eq!((&told["size"], &told["faults"]), (&expect["size"], &Value::Array(Vec::new())), "{extra:?}: {told}");
    };
    let (first_at, size) = (first["made"].as_str().unwrap(), first["size"].to_string());
    check(&[], &second);
    check(&["--at", first_at], &first);
    check(&["--at", second["made"].as_str().unwrap()], &second);
    check(&["--size", &size], &first);
    home.restore("backups", "keys", &["--check", "--at", "2026-01-01T00:00Z"]).refused(1, "no backup");
    let back = home.bring_back("backups", "keys", &["--size", &size, "--purge-list", &home.purge_list()]);
    let told = back.run(&["verify"]);
    assert!(
        told.code == 1 && told.out.contains("older than what was said"),
        "it never speaks from there: {}",
        told.out
    );
}

#[test]
fn a_changed_byte_is_found_by_name_and_half_a_backup_is_none() {
    let home = Home::new();
    let path = PathBuf::from(home.back_up("backups")["path"].as_str().unwrap());
    home.keys("keys");
    for name in ["truth.db", "identity.txt", "manifest"] {
        flip(&path.join(name));
        let shown = if name == "manifest" { path.file_name().unwrap().to_str().unwrap() } else { name };
        home.restore("backups", "keys", &["--check"]).refused(1, shown);
        flip(&path.join(name));
    }
    let keys = PathBuf::from(home.at("keys"));
    flip(&keys);
    let told = home.restore("backups", "keys", &["--check"]);
    assert!(told.code == 1 && told.err.contains("keys"), "{}", told.err);
    flip(&keys);
    write(home.away.path(), "passphrase", "another five words by chance\n");
    home.restore("backups", "keys", &["--check"]).refused(1, "passphrase");
    write(home.away.path(), "passphrase", "short\n");
    home.restore("backups", "keys", &["--check"]).refused(1, "longer passphrase");
    write(home.away.path(), "passphrase", "five words by chance alone\n");
    home.restore("backups", "keys", &["--check"]).good();
    // A rehearsal without keys looks at files, log and statements.
    let told = home.with_tmp(&["restore", "--from", &home.at("backups"), "--check", "--json"]).json();
    assert_eq!(told["faults"], Value::Array(Vec::new()), "{told}");
    // One that was interrupted has another name, and is not found.
    fs::rename(&path, path.with_file_name(".FR-20261125T020000Z.unfinished")).unwrap();
    home.restore("backups", "keys", &["--check"]).refused(1, "no backup");
    assert_eq!(fs::read_dir(home.tmp()).unwrap().count(), 0, "a rehearsal leaves nothing");
}
