//! The program as people run it: the real binary on a directory of its own, for tests to drive.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

/// One nation's node in a directory of its own.
pub struct Node {
    pub dir: tempfile::TempDir,
    pub facts: Value,
    pub federation: String,
}

/// What a command did.
pub struct Did {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Did {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
    #[track_caller]
    pub fn good(self) -> String {
        assert_eq!(self.code, 0, "{} {}", self.out, self.err);
        self.out
    }
    #[track_caller]
    pub fn json(self) -> Value {
        let out = self.good();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }
    /// Refused with this code and one line that says this.
    #[track_caller]
    pub fn refused(self, code: i32, says: &str) {
        assert_eq!(self.code, code, "{} {}", self.out, self.err);
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        assert!(self.err.contains(says), "`{}` does not say `{says}`", self.err);
    }
}

pub fn entraide(args: &[&str]) -> Did {
    Did::of(&command(args).output().unwrap())
}

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entraide"));
    command.args(args).env_remove("ENTRAIDE_DIR").env_remove("ENTRAIDE_TOKEN").env("ENTRAIDE_LOG", "warn");
    command
}

/// An address of this machine that is free, and stays so until a node takes it: no connection of anybody begins at a port
/// below 32,768 by itself, and each is given once.
pub fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let port = 10_000 + (std::process::id() * 97 + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        let address = format!("127.0.0.1:{port}");
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

impl Node {
    pub fn new(country: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let federation = free_address();
        let path = dir.path().display().to_string();
        let name = format!("CERT-{country}");
        let args =
            ["init", "--dir", &path, "--authority", country, "--name", &name, "--federation", &federation, "--json"];
        let facts = entraide(&args).json();
        Self { dir, facts, federation }
    }
    pub fn path(&self) -> String {
        self.dir.path().display().to_string()
    }
    pub fn run(&self, args: &[&str]) -> Did {
        Did::of(&self.command(args).output().unwrap())
    }
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.args(["--dir", &self.path()]);
        command
    }
    pub fn serve(&self, plain: bool) -> Served {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        if plain {
            command.arg("--plain-http");
        }
        Served::of(command.stderr(Stdio::null()))
    }
    /// Everything in the log: entry → STIX id and state.
    pub fn log(&self, extra: &[&str]) -> BTreeMap<String, String> {
        self.newest(100_000, extra)
    }
    /// The newest entries of the log, in the same form.
    pub fn newest(&self, count: usize, extra: &[&str]) -> BTreeMap<String, String> {
        let count = count.to_string();
        let args = [&["log", "--json", "--limit", &count][..], extra].concat();
        let page = self.run(&args).json();
        let row = |item: &Value| {
            let object = format!("{} {}", item["object"]["stix_id"], item["object"]["state"]);
            (item["entry"].as_str().unwrap().to_owned(), object.replace('"', ""))
        };
        page["items"].as_array().unwrap().iter().map(row).collect()
    }
    /// The status without what depends on the moment.
    pub fn status(&self) -> Value {
        let mut status = self.run(&["status", "--json"]).json();
        status["now"] = Value::Null;
        status
    }
}

/// A node that serves; stopped the hard way if a test ends early.
pub struct Served {
    pub child: Child,
    pub url: String,
    _out: BufReader<ChildStdout>,
}

impl Served {
    /// Starts a program that serves, and waits until it says that it is ready.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        let mut words = ready.split(' ').skip_while(|word| *word != "ready:").skip(1);
        let url = words.next().unwrap_or_else(|| panic!("not ready: `{ready}`")).trim().to_owned();
        Self { child, url, _out: out }
    }
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
    /// SIGTERM, and the exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().unwrap().code()
    }
    pub fn kill(mut self) {
        self.signal("-KILL");
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// By invitation, as two duty officers do it.
pub fn peer(host: &Node, joiner: &Node) {
    let code = host.run(&["partner", "invite", "--json"]).json()["code"].as_str().unwrap().to_owned();
    joiner.run(&["partner", "accept", &code]).good();
    for (at, other) in [(host, joiner), (joiner, host)] {
        at.run(&["partner", "confirm", other.facts["origin"].as_str().unwrap()]).good();
    }
}

/// The entry that a command said.
pub fn said(answer: &Value) -> String {
    answer["entry"].as_str().unwrap().to_owned()
}

/// Waits until a statement of a call for help is there.
pub fn heard(node: &Node, entry: &str) {
    until("the statement", || (node.run(&["assist", "show", entry]).code == 0).then_some(()));
}

/// Waits until `look` gives something; a minute is far more than any of this takes.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("did not come about: {what}");
}

pub fn indicator(number: usize) -> String {
    format!(
        r#"{{ "type": "indicator", "spec_version": "2.1", "id": "indicator--{number:08x}-0000-4000-8000-000000000000",
  "created": "2026-11-20T08:00:00.000Z", "modified": "2026-11-20T08:00:00.000Z", "name": "beacon {number} \u00e9",
  "pattern": "[domain-name:value = 'b{number}.example']", "pattern_type": "stix", "valid_from": "2026-11-20T08:00:00Z" }}"#
    )
}

pub fn bundle(numbers: std::ops::Range<usize>) -> String {
    let objects: Vec<String> = numbers.map(indicator).collect();
    let id = "bundle--00000000-0000-4000-8000-000000000000";
    format!(r#"{{"type":"bundle","id":"{id}","objects":[{}]}}"#, objects.join(","))
}

pub fn write(dir: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

pub fn id(number: usize) -> String {
    format!("indicator--{number:08x}-0000-4000-8000-000000000000")
}
