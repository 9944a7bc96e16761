//! Every write refused in turn (no space, an I/O error, a short write) until the command goes through: what was
//! acknowledged is there afterwards, what was refused is not, what is unknown is resolved once, and nothing that was signed
//! goes back. `ENTRAIDE_REFUSALS=all` tries every call of every command in every way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

mod program;
mod refuse;
use program::{Did, Node, Served, bundle, command, entraide, free_address, id, write};
use refuse::{Refusal, copy_all, in_turn, library, meet, scratch};

/// A node that has said three things, as a template; each attempt runs on a copy of it.
struct Template {
    dir: tempfile::TempDir,
}

/// One attempt: its own copy of everything.
struct Attempt {
    dir: tempfile::TempDir,
}

impl Template {
    fn new() -> Self {
        let dir = scratch();
        let node = dir.path().join("node");
        let path = node.to_str().unwrap();
        entraide(&["init", "--dir", path, "--authority", "FR", "--name", "CERT-FR"]).good();
        entraide(&["community", "create", "all", "--dir", path]).good();
        entraide(&["community", "tick", "all", "--dir", path]).good();
        let file = write(dir.path(), "first.json", bundle(0..3));
        entraide(&["import", file.to_str().unwrap(), "--assert", "--label", "green", "--dir", path]).good();
        write(dir.path(), "second.json", bundle(3..6));
        write(dir.path(), "passphrase", "five words by chance alone\n");
        Self { dir }
    }
    fn copy(&self) -> Attempt {
        let dir = scratch();
        copy_all(self.dir.path(), dir.path());
        Attempt { dir }
    }
}

impl Attempt {
    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    fn text(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }
    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.args(["--dir", &self.text("node")]).env("TMPDIR", self.dir.path());
        command
    }
    fn run(&self, args: &[&str]) -> Did {
        Did::of(&self.command(args).output().unwrap())
    }
    fn log(&self) -> BTreeMap<String, String> {
        let page = self.run(&["log", "--json", "--limit", "1000"]).json();
        let row = |item: &Value| (item["entry"].to_string(), item["object"].to_string());
        page["items"].as_array().unwrap().iter().map(row).collect()
    }
    /// What the signer has signed: it never goes back, and is never ahead of a database that is whole.
    fn signed(&self) -> u64 {
        let bytes = fs::read(self.at("node/signer")).unwrap();
        let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
        let slots = [0, 4096].into_iter().filter(|at| &bytes[*at..at + 8] == b"entrmrk1");
        slots.max_by_key(|at| number(at + 8)).map_or(0, |at| number(at + 17))
    }
}

/// A command that failed says why on one line, and nothing else.
#[track_caller]
fn one_line(refusal: Refusal, did: &Did) {
    assert_eq!(did.err.lines().count(), 1, "{refusal:?}: {}", did.err);
    assert!(did.err.starts_with("entraide: ") && !did.err.contains("panicked"), "{refusal:?}: {}", did.err);
}

/// Is it unknown what became of the command?
fn is_unknown(did: &Did) -> bool {
    did.err.contains("has stopped writing") || did.err.contains("stopped answering")
}

#[test]
fn every_write_of_an_assertion_is_refused_in_turn_and_nothing_acknowledged_is_lost_or_said_twice() {
    if library().is_none() {
        return;
    }
    let template = Template::new();
    let (mut refused, mut unknown) = (0, 0);
    let met = in_turn(5, |refusal| {
        let attempt = template.copy();
        let (before, signed) = (attempt.log(), attempt.signed());
        let file = attempt.text("second.json");
        let import = ["import", &file, "--assert", "--label", "green", "--json"];
        let (did, calls) = meet(&mut attempt.command(&import), &attempt.at("node"), Some(refusal));
        let told: Vec<Value> = did.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let acknowledged: Vec<String> =
            told.iter().filter(|line| line["entry"].is_string()).map(|line| line["entry"].to_string()).collect();
        if did.code != 0 {
            one_line(refusal, &did);
            assert_eq!(acknowledged, Vec::<String>::new(), "{refusal:?}");
        }
        let moved = attempt.signed();
        assert!(moved >= signed, "{refusal:?}: the mark went back from {signed} to {moved}");
        // The disk is sound again, and the node starts.
        let after = attempt.log();
        assert!(before.iter().all(|(entry, said)| after.get(entry) == Some(said)), "{refusal:?}: something is lost");
        assert!(acknowledged.iter().all(|entry| after.contains_key(entry)), "{refusal:?}: acknowledged and not there");
        if did.code != 0 && is_unknown(&did) {
            unknown += 1;
        } else if did.code != 0 {
            refused += 1;
            assert_eq!(after, before, "{refusal:?}: refused, and there all the same");
        }
        attempt.run(&["verify"]).good();
        assert!(attempt.signed() >= moved, "{refusal:?}: what partners may have seen went back");
        // The same command again says what is missing, and nothing twice.
        let again = attempt.run(&import).good();
        let summary: Value = serde_json::from_str(again.lines().last().unwrap()).unwrap();
        assert_eq!(summary["summary"]["refused"], 0, "{refusal:?}");
        assert_eq!(attempt.log().len(), before.len() + 3, "{refusal:?}: each is said once");
        calls
    });
    println!("{met} refusals met: {refused} refused, {unknown} unknown");
    assert!(met >= 10 && refused > 0 && unknown > 0, "{met} {refused} {unknown}");
}

#[test]
fn every_write_of_a_purge_is_refused_in_turn_and_whoever_was_told_of_it_may_rely_on_it() {
    if library().is_none() {
        return;
    }
    let template = Template::new();
    let met = in_turn(9, |refusal| {
        let attempt = template.copy();
        let purge = ["withdraw", &id(1), "--purge", "--reason", "must not be here"];
        let (did, calls) = meet(&mut attempt.command(&purge), &attempt.at("node"), Some(refusal));
        if did.code != 0 {
            one_line(refusal, &did);
        }
        let state = || attempt.log().values().find(|said| said.contains(&id(1))).cloned().unwrap_or_default();
        let found = state();
        if did.code == 0 {
            assert!(found.contains("erased"), "{refusal:?}: acknowledged, and {found}");
        } else if !is_unknown(&did) {
            assert!(found.contains("live"), "{refusal:?}: refused, and {found}");
        }
        attempt.run(&["verify"]).good();
        if !found.contains("erased") {
            attempt.run(&purge).good();
        }
        assert!(state().contains("erased"), "{refusal:?}");
        // It stands on the purge list once a node runs, whatever happened before.
        let list = fs::read_to_string(attempt.at("node/purged")).unwrap();
        assert!(list.lines().count() >= 2, "{refusal:?}: {list}");
        attempt.run(&["verify"]).good();
        calls
    });
    assert!(met >= 10, "{met}");
}

#[test]
fn every_write_of_a_new_node_is_refused_in_turn_and_a_second_attempt_makes_it() {
    if library().is_none() {
        return;
    }
    let met = in_turn(13, |refusal| {
        let dir = scratch();
        let node = dir.path().join("node");
        let path = node.to_str().unwrap();
        let init = ["init", "--dir", path, "--authority", "FR", "--name", "CERT-FR", "--json"];
        let (did, calls) = meet(&mut command(&init), &node, Some(refusal));
        if did.code == 0 {
            let made: Value = serde_json::from_str(&did.out).unwrap();
            entraide(&init).refused(1, "there is a node");
            assert!(entraide(&["status", "--dir", path]).good().contains(made["origin"].as_str().unwrap()));
        } else {
            one_line(refusal, &did);
            assert_eq!(did.out, "", "{refusal:?}: told of a node that is not there");
            again_unless_whole(refusal, &did, path, &init);
        }
        entraide(&["verify", "--dir", path]).good();
        calls
    });
    assert!(met >= 10, "{met}");
}

#[test]
fn every_write_of_a_backup_is_refused_in_turn_and_half_of_one_is_never_taken_for_a_whole_one() {
    if library().is_none() {
        return;
    }
    let template = Template::new();
    let met = in_turn(11, |refusal| {
        let attempt = template.copy();
        let (to, keys, passphrase) = (attempt.text("backups"), attempt.text("archive"), attempt.text("passphrase"));
        let backup = ["backup", "--to", &to];
        let archive = ["backup", "--keys", "--to", &keys, "--passphrase-file", &passphrase];
        // The disk of the backups refuses, and the node's own with it.
        let (first, calls) = meet(&mut attempt.command(&backup), attempt.dir.path(), Some(refusal));
        let (second, more) = meet(&mut attempt.command(&archive), attempt.dir.path(), Some(refusal));
        for (did, args) in [(&first, &backup[..]), (&second, &archive[..])] {
            if did.code != 0 {
                one_line(refusal, did);
                attempt.run(args).good();
            }
        }
        let check = ["restore", "--check", "--from", &to, "--keys", &keys, "--passphrase-file", &passphrase];
        attempt.run(&check).good();
        attempt.run(&["verify"]).good();
        calls.max(more)
    });
    assert!(met >= 5, "{met}");
}

#[test]
fn every_write_of_a_restore_is_refused_in_turn_and_a_second_attempt_brings_the_node_back() {
    if library().is_none() {
        return;
    }
    let template = Template::new();
    let away = |name: &str| template.dir.path().join(name).display().to_string();
    let node = away("node");
    let passphrase = away("passphrase");
    let (to, keys) = (away("backups"), away("archive"));
    entraide(&["backup", "--to", &to, "--dir", &node]).good();
    entraide(&["backup", "--keys", "--to", &keys, "--passphrase-file", &passphrase, "--dir", &node]).good();
    let (list, mark) = (away("node/purged"), away("node/signer"));
    let met = in_turn(29, |refusal| {
        let dir = scratch();
        let back = dir.path().join("back");
        let path = back.to_str().unwrap();
        let parts = ["--from", &to, "--keys", &keys, "--passphrase-file", &passphrase];
        let restore = [&["restore", "--dir", path, "--purge-list", &list, "--signer", &mark][..], &parts].concat();
        let (did, calls) = meet(command(&restore).env("TMPDIR", dir.path()), &back, Some(refusal));
        if did.code == 0 {
            entraide(&restore).refused(1, "there is a node");
        } else {
            one_line(refusal, &did);
            again_unless_whole(refusal, &did, path, &restore);
        }
        assert_eq!(files(&back, "restoring"), 0, "{refusal:?}");
        entraide(&["verify", "--dir", path]).good();
        calls
    });
    assert!(met >= 5, "{met}");
}

/// What a refused command left is no node, and the same command makes it; or the last sync of all was refused by a disk
/// that takes nothing more, then the command said that the node is whole.
#[track_caller]
fn again_unless_whole(refusal: Refusal, did: &Did, path: &str, args: &[&str]) {
    if did.err.contains("the node is whole") {
        assert_eq!(refusal.how, "dead", "{refusal:?}: {}", did.err);
        entraide(&["status", "--dir", path]).good();
        entraide(args).refused(1, "there is a node");
    } else {
        entraide(&["status", "--dir", path]).refused(1, "there is no node");
        entraide(args).good();
    }
}

fn files(dir: &Path, name: &str) -> usize {
    fs::read_dir(dir).unwrap().filter(|entry| entry.as_ref().unwrap().file_name() == name).count()
}

#[test]
fn every_write_of_a_rotation_is_refused_in_turn_and_the_node_speaks_on_with_one_set_of_keys() {
    if library().is_none() {
        return;
    }
    let template = Template::new();
    let root = fs::read_dir(template.dir.path().join("node")).unwrap().map(|entry| entry.unwrap().path());
    let root = root.into_iter().find(|path| path.to_string_lossy().ends_with(".key")).unwrap();
    let root = root.file_name().unwrap().to_str().unwrap().to_owned();
    let met = in_turn(13, |refusal| {
        let attempt = template.copy();
        let key = attempt.at("node").join(&root).display().to_string();
        let rotate = ["keys", "rotate", "log,witness,mandate,tls", "--root-key", &key];
        let (did, calls) = meet(&mut attempt.command(&rotate), &attempt.at("node"), Some(refusal));
        if did.code != 0 {
            one_line(refusal, &did);
        }
        // Whatever was half done: the node starts, speaks, and what it says is proved by the keys that it shows.
        let file = attempt.text("second.json");
        attempt.run(&["import", &file, "--assert", "--label", "green"]).good();
        attempt.run(&["verify"]).good();
        // And the rotation goes on from where it was.
        let again = attempt.run(&rotate);
        assert!(again.code == 0 || again.err.contains("being replaced already"), "{refusal:?}: {}", again.err);
        attempt.run(&["verify"]).good();
        calls
    });
    assert!(met >= 5, "{met}");
}

/// Tells libfiu in a running process what fails from now on.
fn fiu_ctrl(control: &str, pid: u32, order: &str) {
    let did = Command::new("fiu-ctrl").args(["-f", control, "-c", order, &pid.to_string()]).output().unwrap();
    assert!(did.status.success(), "{}", String::from_utf8_lossy(&did.stderr));
}

#[test]
fn a_disk_that_fails_under_a_node_that_serves_loses_nothing_and_the_node_is_read_until_it_is_started_again() {
    if Command::new("fiu-run").arg("-h").output().is_err() {
        println!("SKIPPED: fiu-run is missing (Debian: fiu-utils): no disk failed under a node that serves");
        return;
    }
    for (turn, (point, errno)) in [
        ("posix/io/rw/pwrite", 28),
        ("posix/io/rw/pwrite", 5),
        ("posix/io/rw/pwrite/reduce", 0),
        ("posix/io/sync/fdatasync", 5),
        ("posix/io/sync/*", 28),
    ]
    .into_iter()
    .enumerate()
    {
        let node = Node::new("FR");
        node.run(&["community", "create", "all"]).good();
        node.run(&["community", "tick", "all"]).good();
        let control = node.dir.path().join("fiu").display().to_string();
        let mut fiu = Command::new("fiu-run");
        fiu.args(["-x", "-f", &control, env!("CARGO_BIN_EXE_entraide"), "serve", "--listen", "127.0.0.1:0"]);
        fiu.args(["--plain-http", "--federation", &free_address(), "--dir", &node.path()]);
        let served = Served::of(fiu.env("ENTRAIDE_LOG", "warn").stderr(Stdio::null()));
        let say = |first: usize| {
            let file = write(node.dir.path(), &format!("{first}.json"), bundle(first..first + 3));
            node.run(&["import", file.to_str().unwrap(), "--assert", "--label", "green", "--json"])
        };
        say(0).good();
        let before = node.log(&[]);
        fiu_ctrl(&control, served.child.id(), &format!("enable name={point},failinfo={errno}"));
        let met = say(3);
        // Writes that are cut short are gone on with, as the system allows; the others are refused or unknown.
        assert_eq!(met.code == 0, point.ends_with("reduce"), "{point} {errno}: {} {}", met.out, met.err);
        let seen = node.log(&[]);
        assert!(before.iter().all(|(entry, said)| seen.get(entry) == Some(said)), "{point} {errno}: it is still read");
        fiu_ctrl(&control, served.child.id(), &format!("disable name={point}"));
        // The disk is sound again. A node that has stopped writing says so until it is started again.
        let later = say(6);
        if met.err.contains("has stopped writing") {
            later.refused(1, "has stopped writing");
        } else {
            later.good();
        }
        served.stop();
        node.run(&["verify"]).good();
        say(3).good();
        say(6).good();
        assert_eq!(node.log(&[]).len(), before.len() + 6, "{turn}: {point} {errno}: each is said once");
        node.run(&["verify"]).good();
    }
}
