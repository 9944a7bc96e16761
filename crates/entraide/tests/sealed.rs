//! Sealed files of evidence with the real program: files of any size go from one nation to another under an agreement,
//! through cuts, with little memory, to nobody else, and are gone where somebody says that they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod agreed;
mod program;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use agreed::World;
use entraide::keys::{Keys, Layout};
use http_room::client::{ClientError, FederationClient};
use program::{Did, Node, Served, entraide, heard, said, until, write};
use serde_json::Value;

/// Bytes of the large file: 256 MB.
const LARGE: usize = 256 * 1_000_000;
/// Most memory that a node may have had at any time while such a file went through it, kB (VmHWM): less than half of the
/// file. A node through which nothing goes has 50 MiB, and each piece in memory is 1 MiB.
const MEMORY_KB: u64 = 96 * 1024;
/// Pieces after which a line is cut or a node is killed.
const CUT: usize = 40;

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// Makes a key; gives its file and to whom others seal.
fn key(dir: &Path, name: &str) -> (String, String) {
    let file = path(&dir.join(name));
    let made = entraide(&["evidence", "key", &file, "--json"]).json();
    (file, made["recipient"].as_str().unwrap().to_owned())
}

fn put<'a>(agreement: &'a str, file: &'a str, to: &'a str, scratch: &'a str) -> [&'a str; 12] {
    [
        "evidence",
        "put",
        agreement,
        file,
        "--to",
        to,
        "--kind",
        "logs",
        "--scratch",
        scratch,
        "--personal-data",
        "--json",
    ]
}

/// The directories in a node's depot.
fn depot(node: &Node) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(node.dir.path().join("depot")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// How many pieces of the one file in a node's depot are there.
fn pieces(node: &Node) -> usize {
    let present = depot(node).first().and_then(|dir| fs::read(dir.join("present")).ok());
    present.map_or(0, |bytes| bytes.iter().filter(|byte| **byte == 1).count())
}

fn chain(node: &Node, case: &str) -> Vec<String> {
    let page = node.run(&["assist", "evidence", case, "--json"]).json();
    let link = |link: &Value| format!("{} {}", link["party"].as_str().unwrap(), link["act"].as_str().unwrap());
    page["items"][0]["custody"].as_array().unwrap().iter().map(link).collect()
}

/// The most memory that a process has had, kB.
fn most_memory(served: &Served) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", served.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[track_caller]
fn had_little_memory(served: &Served) {
    let kb = most_memory(served);
    println!("VmHWM {kb} kB");
    assert!(kb < MEMORY_KB, "{kb} kB");
}

/// Kills a node while a command is at work with it, once so many pieces are at `look`; gives what the command said.
fn cut(served: Served, look: &Node, from: usize, running: Child) -> Did {
    until("the pieces", || (pieces(look) >= from).then_some(()));
    had_little_memory(&served);
    served.kill();
    Did::of(&running.wait_with_output().unwrap())
}

fn begin(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_large_file_goes_through_cuts_with_little_memory_and_is_destroyed_with_word() {
    let World { fr, ee, lv: _, served, request, agreement } = World::start();
    let [at_fr, at_ee, at_lv]: [Served; 3] = served.try_into().ok().unwrap();
    at_lv.kill();
    let scratch = tempfile::tempdir().unwrap();
    let (private, public) = key(scratch.path(), "key");
    let plain = scratch.path().join("memory.img");
    let mut out = fs::File::create(&plain).unwrap();
    let block: Vec<u8> = (0..1_000_000_u32).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
    (0..LARGE / block.len()).for_each(|_| out.write_all(&block).unwrap());
    drop(out);
    let (plain, at) = (path(&plain), path(scratch.path()));

    // In, with the node killed on the way: what it had acknowledged is not sent again.
    let args = put(&agreement, &plain, &public, &at);
    let interrupted = cut(at_fr, &fr, CUT, begin(&mut fr.command(&args)));
    assert_eq!(interrupted.code, 1, "{}", interrupted.err);
    let kept = pieces(&fr);
    assert!((CUT..LARGE >> 20).contains(&kept), "{kept}");
    let at_fr = fr.serve(true);
    assert_eq!(pieces(&fr), kept, "an upload is kept over a restart");
    let entry = said(&fr.run(&args).json());
    assert_eq!(depot(&fr).len(), 1, "it went on with the same sealed file");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2, "no sealed copy is left: the file and the key are");
    fs::remove_file(&plain).unwrap();
    heard(&ee, &entry);

    // Out, with first the owner's node killed, and then the one that fetches.
    let sealed = path(&scratch.path().join("fetched.age"));
    let args = ["evidence", "fetch", &entry, "--out", &sealed, "--json"];
    let interrupted = cut(at_fr, &ee, CUT, begin(&mut ee.command(&args)));
    interrupted.refused(1, "run the same command again");
    let at_fr = fr.serve(true);
    let interrupted = cut(at_ee, &ee, 2 * CUT, begin(&mut ee.command(&args)));
    assert_eq!(interrupted.code, 1, "{}", interrupted.err);
    let at_ee = ee.serve(true);
    ee.run(&args).good();
    let opened = path(&scratch.path().join("opened.img"));
    let read = entraide(&["evidence", "open", &sealed, "--key", &private, "--out", &opened, "--json"]).json();
    assert_eq!(read["size"], LARGE);
    let row = ee.run(&["assist", "evidence", &request, "--json"]).json()["items"][0].clone();
    assert_eq!(read["sha256"], row["sha256"]);
    until("what Estonia did", || (chain(&fr, &request) == ["FR handed out", "EE fetched"]).then_some(()));

    // Destroyed there, and then by its owner: the bytes are gone before it is said.
    ee.run(&["assist", "custody", &entry, "destroyed", "--method", "overwritten"]).good();
    assert_eq!(depot(&ee), Vec::<PathBuf>::new());
    until("that Estonia destroyed it", || {
        let text = fr.run(&["assist", "evidence", &request]).good();
        let said = text.lines().find(|line| line.contains("EE destroyed (overwritten)"));
        said.filter(|line| line.ends_with("; its node deleted the sealed bytes first")).map(|_| ())
    });
    assert_eq!(depot(&fr).len(), 1, "each party destroys its own");
    fr.run(&["assist", "custody", &entry, "destroyed", "--method", "no longer needed"]).good();
    assert_eq!(depot(&fr), Vec::<PathBuf>::new());
    until("that France destroyed it", || {
        ee.run(&["assist", "evidence", &request]).good().contains("its owner has destroyed it").then_some(())
    });
    let other = path(&scratch.path().join("again.age"));
    ee.run(&["evidence", "fetch", &entry, "--out", &other]).refused(1, "");
    for served in [at_fr, at_ee] {
        had_little_memory(&served);
        assert_eq!(served.stop(), Some(0));
    }
}

#[test]
fn the_age_program_opens_what_is_sealed_here_and_its_files_are_opened_here() {
    let Ok(_) = Command::new("age").arg("--version").output() else {
        println!("SKIPPED: age is not installed: no file was sealed or opened by another program");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| path(&dir.path().join(name));
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (ours, to_ours) = key(dir.path(), "ours");
    run("age-keygen", &["-o", &at("theirs")]);
    let to_theirs = run("age-keygen", &["-y", &at("theirs")]);
    assert_eq!(run("age-keygen", &["-y", &ours]), to_ours, "their program reads our keys");
    let node = Node::new("FR");
    for size in [1, 65_536, 65_537, 300_000] {
        let plain: Vec<u8> = (0..size).map(|at: u32| at.to_le_bytes()[0]).collect();
        let file = write(dir.path(), "plain", &plain);
        for name in ["sealed", "opened", "back"] {
            let _ = fs::remove_file(dir.path().join(name));
        }
        // Theirs, to both; opened here.
        run("age", &["-r", &to_theirs, "-r", &to_ours, "-o", &at("sealed"), &path(&file)]);
        entraide(&["evidence", "open", &at("sealed"), "--key", &ours, "--out", &at("opened")]).good();
        assert_eq!(fs::read(dir.path().join("opened")).unwrap(), plain);
        // Ours, to theirs: a put to a node that has no agreement seals, and is refused after that.
        fs::create_dir(dir.path().join("scratch")).unwrap();
        node.run(&put("FR:0", &path(&file), &to_theirs, &at("scratch"))).refused(1, "it is not there");
        let copy = fs::read_dir(dir.path().join("scratch")).unwrap().next().unwrap().unwrap().path();
        run("age", &["-d", "-i", &at("theirs"), "-o", &at("back"), &path(&copy)]);
        assert_eq!(fs::read(dir.path().join("back")).unwrap(), plain);
        fs::remove_dir_all(dir.path().join("scratch")).unwrap();
    }
}

/// Asks France's node on the wire for a sealed file, as another nation's node.
async fn asked(of: &Node, by: &Node, index: u64, piece: Option<u64>) -> Result<Vec<u8>, ClientError> {
    let shown = Keys::read(&Layout::new(by.dir.path())).unwrap().tls;
    let pin = Keys::read(&Layout::new(of.dir.path())).unwrap().tls.pin();
    let client = FederationClient::connect(&of.federation, pin, &shown).await.unwrap();
    client.evidence(index, piece).await.map(Vec::from)
}

#[test]
fn a_sealed_file_is_for_the_other_party_alone_on_every_way_and_each_taking_is_said() {
    let world = World::start();
    let World { fr, ee, lv, request, agreement, served } = &world;
    let scratch = tempfile::tempdir().unwrap();
    let (_, public) = key(scratch.path(), "key");
    let file = path(&write(scratch.path(), "auth.log", vec![b'x'; 1_500_000]));
    let at = path(scratch.path());
    fr.run(&put(request, &file, &public, &at)).refused(1, "it is not there");
    fr.run(&put(agreement, &path(&write(scratch.path(), "none", "")), &public, &at)).refused(1, "is empty");
    fr.run(&put(agreement, &file, "age1abc", &at)).refused(2, "no age recipient");
    lv.run(&put(agreement, &file, &public, &at)).refused(1, "it is not there");
    let entry = said(&fr.run(&put(agreement, &file, &public, &at)).json());
    heard(ee, &entry);
    let index: u64 = entry.strip_prefix("FR:").unwrap().parse().unwrap();
    let out = path(&scratch.path().join("out.age"));

    // Who is no party, and a desk before which the wall stands, get what is not there.
    lv.run(&["evidence", "fetch", &entry, "--out", &out]).refused(1, "it is not there");
    ee.run(&["evidence", "fetch", "FR:999", "--out", &out]).refused(1, "it is not there");
    let sara = ["user", "add", "sara", "--name", "Sara", "--role", "duty-officer", "--desk", "competent-authority"];
    ee.run(&sara).good();
    let token = ee.run(&["token", "add", "t", "--login", "sara", "--json"]).json()["token"].clone();
    let mut supervisor = program::command(&["evidence", "fetch", &entry, "--out", &out, "--url", &served[1].url]);
    supervisor.env("ENTRAIDE_TOKEN", token.as_str().unwrap());
    Did::of(&supervisor.output().unwrap()).refused(1, "it is not there");
    let wire = tokio::runtime::Runtime::new().unwrap();
    let refused = |by: &Node, index, piece| {
        let error = wire.block_on(asked(fr, by, index, piece)).unwrap_err();
        assert!(matches!(&error, ClientError::Refused { status: 404, .. }), "{error:?}");
        error.to_string()
    };
    assert_eq!(refused(lv, index, None), refused(ee, 999, None), "one answer");
    assert_eq!(refused(lv, index, Some(0)), refused(ee, index, Some(2)));
    assert_eq!(chain(fr, request), Vec::<String>::new(), "nothing was given, nothing is said");

    // The other party's node gets it, and that is said first, whatever it asks for.
    let piece = wire.block_on(asked(fr, ee, index, Some(1))).unwrap();
    assert_eq!(piece.len() as u64, journal::age::sealed_size(1_500_000, 1) - (1 << 20));
    assert_eq!(wire.block_on(asked(fr, ee, index, None)).unwrap().len(), 64);
    assert_eq!(chain(fr, request), ["FR handed out"]);
    // A piece is given to nobody who has not said that it is taken.
    let tilde = ["user", "add", "tilde", "--name", "T", "--role", "duty-officer"];
    ee.run(&tilde).good();
    let token = ee.run(&["token", "add", "u", "--login", "tilde", "--json"]).json()["token"].clone();
    let host = served[1].url.strip_prefix("http://").unwrap();
    let status = |piece: &str| {
        let path = format!("/api/v1/assistance/{entry}/pieces/{piece}");
        let token = token.as_str().unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n").unwrap();
        write!(stream, "connection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[9..12]).into_owned()
    };
    assert_eq!(status("0"), "409");
    let fetch = |by: &str| {
        let out = path(&scratch.path().join(by));
        let mut command = program::command(&["evidence", "fetch", &entry, "--out", &out, "--url", &served[1].url]);
        let token = token.as_str().unwrap();
        command.env("ENTRAIDE_TOKEN", token);
        Did::of(&command.output().unwrap()).good()
    };
    fetch("first");
    assert_eq!((status("0"), status("2"), status("x")), ("200".into(), "404".into(), "400".into()));
    ee.run(&["evidence", "fetch", &entry, "--out", &out]).good();
    ee.run(&["evidence", "fetch", &entry, "--out", &out]).refused(1, "is there already");
    assert_eq!(fs::read(&out).unwrap(), fs::read(scratch.path().join("first")).unwrap());
    until("both", || (chain(fr, request) == ["FR handed out", "EE fetched", "EE fetched"]).then_some(()));

    // What is purged anywhere is deleted there.
    ee.run(&["spill", &entry, "--reason", "not ours to have"]).good();
    until("that Estonia's bytes are gone", || depot(ee).is_empty().then_some(()));
    assert_eq!(depot(fr).len(), 1);
    fr.run(&["spill", &entry, "--reason", "a name in it"]).good();
    until("that France's bytes are gone", || depot(fr).is_empty().then_some(()));
    lv.run(&["evidence", "fetch", &entry, "--out", &out]).refused(1, "is there already");
    world.stop();
}
