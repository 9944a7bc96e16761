//! The command line as people use it: the real binary, real directories, real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

mod program;
use program::{Did, Node, bundle, command, entraide, id, indicator, until, write};

#[test]
fn a_node_is_made_once_and_keeps_its_secrets_to_itself() {
    use std::os::unix::fs::PermissionsExt;
    let node = Node::new("FR");
    assert!(node.facts["origin"].as_str().unwrap().starts_with("entraide/FR/REAL/"));
    for name in ["fingerprint", "login", "password", "totp_secret", "totp_uri", "root_key", "log_key", "tls_pin"] {
        assert!(node.facts[name].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    let again = ["init", "--authority", "FR", "--name", "CERT-FR"];
    node.run(&again).refused(1, "choose another directory");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(node.dir.path()), 0o700);
    for entry in fs::read_dir(node.dir.path().join("keys")).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let doctor = node.run(&["doctor"]).good();
    assert!(doctor.contains("take it offline"), "{doctor}");
    fs::remove_file(node.facts["root_key"].as_str().unwrap()).unwrap();
    let doctor = node.run(&["doctor"]).good();
    assert!(!doctor.contains("take it offline"), "{doctor}");
    fs::set_permissions(node.dir.path().join("keys/log.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let doctor = node.run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains("WRONG") && doctor.out.contains("log.key"), "{}", doctor.out);
}

#[test]
fn what_is_imported_is_shown_and_can_be_taken_back() {
    let node = Node::new("FR");
    let file = write(node.dir.path(), "two.json", bundle(0..2));
    let file = file.to_str().unwrap();
    // Into intake first: received is not said.
    let took = node.run(&["import", file]).good();
    assert!(took.contains("1 files: 2 objects taken into intake, 0 there before"), "{took}");
    assert_eq!(node.log(&[]).len(), 0);
    node.run(&["import", file, "--assert", "--label", "amber", "--audience", "friends"]).refused(1, "friends");
    node.run(&["audience", "create", "friends"]).good();
    let said = node.run(&["import", file, "--assert", "--label", "amber", "--audience", "friends"]).good();
    assert!(said.contains("2 objects asserted"), "{said}");
    let again = node.run(&["import", file, "--assert", "--label", "amber", "--audience", "friends", "--json"]).good();
    // The batch's key is known, so its first answer comes again and nothing is said twice.
    assert_eq!(again.lines().count(), 3, "{again}");
    assert_eq!(node.log(&[]).len(), 3, "an audience and two indicators");
    // Byte for byte, by id and by entry.
    assert_eq!(node.run(&["show", &id(1), "--body"]).good(), indicator(1));
    let entry = node.run(&["show", &id(1), "--json"]).json()["object"]["entry"].as_str().unwrap().to_owned();
    assert_eq!(node.run(&["show", &entry, "--body"]).good(), indicator(1));
    let sheet = node.run(&["who-sees", &entry, "--json"]).json();
    assert_eq!((&sheet["audience"], &sheet["left_out"]), (&Value::from("friends"), &Value::from(0)));
    let ledger = node.run(&["ledger", &entry]).good();
    assert_eq!(
        ledger.lines().filter(|line| line.contains("left the node, can't be called back")).count(),
        3,
        "{ledger}"
    );
    let withdrawn = node.run(&["withdraw", &id(1), "--purge", "--reason", "a false alarm"]).good();
    assert!(withdrawn.contains(&entry) && withdrawn.contains("erased"), "{withdrawn}");
    assert_eq!(node.run(&["show", &entry, "--json"]).json()["object"]["state"], "erased");
    node.run(&["show", &entry, "--body"]).refused(1, "no body any more");
    node.run(&["withdraw", &id(1), "--reason", "again"]).refused(1, "nothing");
    node.run(&["show", "FR:99"]).refused(1, "not there, or not for you");
    node.run(&["verify"]).good();
}

#[test]
fn a_strict_object_is_refused_by_name_and_the_others_go_on() {
    let node = Node::new("FR");
    node.run(&["community", "create", "all"]).good();
    node.run(&["community", "tick", "all"]).good();
    let red = indicator(1).replace(
        r#""name""#,
        r#""object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"], "name""#,
    );
    let text = format!(
        r#"{{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[{},{red},{{"type":"tool"}}]}}"#,
        indicator(0)
    );
    let file = write(node.dir.path(), "mixed.json", text);
    let did = node.run(&["import", file.to_str().unwrap(), "--assert", "--label", "clear"]);
    assert_eq!(did.code, 1);
    let lines: Vec<&str> = did.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", did.err);
    assert!(lines.iter().all(|line| line.starts_with(file.to_str().unwrap())), "{}", did.err);
    assert!(lines[0].contains("object 3, at byte"), "{}", did.err);
    assert!(lines[1].contains(&format!("{}: ", id(1))) && lines[1].contains("RED"), "{}", did.err);
    assert!(did.out.contains("1 objects asserted") && did.out.contains("2 refused"), "{}", did.out);
}

#[test]
fn rubbish_gives_one_line_each_and_changes_nothing() {
    let node = Node::new("FR");
    let before = node.status();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let rubbish: [(&str, Vec<u8>); 9] = [
        ("empty.json", Vec::new()),
        ("text.json", b"not json at all".to_vec()),
        ("binary.json", vec![0xff, 0xfe, 0, 1, 2]),
        ("cut.json", bundle(0..3).into_bytes()[..400].to_vec()),
        ("number.json", b"7".to_vec()),
        ("shape.json", br#"{"hello":"world"}"#.to_vec()),
        ("old.json", br#"{"type":"bundle","spec_version":"2.0","objects":[]}"#.to_vec()),
        ("deep.json", deep.into_bytes()),
        ("terminal.json", b"{\"type\":\"tool\",\"id\":\"\x1b[2J\"}".to_vec()),
    ];
    for (name, bytes) in rubbish {
        let file = write(node.dir.path(), name, bytes);
        let did = node.run(&["import", file.to_str().unwrap()]);
        assert!(!did.err.contains('\u{1b}'), "{name}: the terminal is driven");
        assert!(did.err.starts_with(file.to_str().unwrap()), "{name}: {}", did.err);
        assert!(did.out.contains("1 refused"), "{name}: {}", did.out);
        did.refused(1, name);
    }
    node.run(&["import", "/nowhere/at/all.json"]).refused(1, "/nowhere/at/all.json");
    assert_eq!(node.status(), before);
}

#[test]
fn mistakes_on_the_command_line_are_one_line_and_code_2() {
    let node = Node::new("FR");
    let check = |args: &[&str], says: &str| node.run(args).refused(2, says);
    check(&["show", "nonsense"], "origin:index");
    check(&["import", "x.json", "--assert"], "--label");
    check(&["import", "x.json", "--assert", "--label", "pink"], "pink");
    check(&["withdraw", "FR:1"], "--reason");
    check(&["frobnicate"], "frobnicate");
    check(&["serve", "--plain-http", "--listen", "0.0.0.0:0"], "127.0.0.1");
    entraide(&["status"]).refused(2, "--dir");
    entraide(&[]).refused(2, "entraide help");
    entraide(&["status", "--url", "http://fr.example:1", "--pin", &"0".repeat(64)]).refused(2, "ENTRAIDE_TOKEN");
    entraide(&["status", "--dir", "/nowhere/at/all"]).refused(1, "entraide init");
    let help = entraide(&["--help"]).good();
    for word in ["init", "serve", "verify-proof", "Exit codes"] {
        assert!(help.contains(word), "{word}");
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_and_the_import_can_be_run_again() {
    const OBJECTS: usize = 12_000;
    let node = Node::new("FR");
    node.run(&["community", "create", "all"]).good();
    node.run(&["community", "tick", "all"]).good();
    let file = write(node.dir.path(), "many.json", bundle(0..OBJECTS));
    let args = ["import", file.to_str().unwrap(), "--assert", "--label", "green", "--json"];
    let served = node.serve(true);
    let mut import = node.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut acknowledged = BTreeMap::new();
    let mut lines = BufReader::new(import.stdout.take().unwrap()).lines();
    let mut note = |line: std::io::Result<String>| {
        let told: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let (Some(entry), Some(id)) = (told["entry"].as_str(), told["id"].as_str()) {
            acknowledged.insert(entry.to_owned(), format!("{id} live"));
        }
        acknowledged.len()
    };
    while note(lines.next().expect("the import goes on")) < 2_500 {}
    served.kill();
    lines.for_each(|line| {
        note(line);
    });
    let mut said = String::new();
    import.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(import.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("run the same command again") || said.contains("not reached"), "{said}");
    assert!(acknowledged.len() < OBJECTS, "the node was killed too late to show anything");

    let kept = node.log(&[]);
    let lost: Vec<_> = acknowledged.iter().filter(|(entry, said)| kept.get(*entry) != Some(*said)).take(3).collect();
    assert!(lost.is_empty(), "{lost:?}");
    node.run(&["verify"]).good();

    let again = node.run(&args).good();
    let summary: Value = serde_json::from_str(again.lines().last().unwrap()).unwrap();
    assert_eq!(summary["summary"]["refused"], 0, "{summary}");
    let log = node.log(&[]);
    assert_eq!(log.len(), OBJECTS + 1, "each was said once");
    for (entry, said) in &acknowledged {
        assert_eq!(log.get(entry), Some(said));
    }
    node.run(&["verify"]).good();
}

#[test]
fn rebuild_gives_the_same_rows() {
    let node = Node::new("FR");
    node.run(&["audience", "create", "friends"]).good();
    let file = write(node.dir.path(), "some.json", bundle(0..1_500));
    node.run(&["import", file.to_str().unwrap(), "--assert", "--label", "amber", "--audience", "friends"]).good();
    node.run(&["withdraw", &id(7), "--reason", "wrong"]).good();
    node.run(&["withdraw", &id(8), "--purge", "--reason", "personal data"]).good();
    let rows = || (node.status(), node.log(&[]), node.run(&["audience", "list", "--json"]).json());
    let before = rows();
    let rebuilt = node.run(&["rebuild", "--json"]).json();
    assert_eq!((&rebuilt["folded"], &rebuilt["unfit"]), (&Value::from(1_503), &Value::from(0)));
    assert_eq!(rows(), before);
    node.run(&["verify"]).good();
}

#[test]
fn a_proof_stands_alone_and_a_flipped_byte_fails() {
    let node = Node::new("FR");
    node.run(&["audience", "create", "friends"]).good();
    let file = write(node.dir.path(), "two.json", bundle(0..2));
    node.run(&["import", file.to_str().unwrap(), "--assert", "--label", "amber", "--audience", "friends"]).good();
    let keys = node.dir.path().join("log.pub");
    let keys = keys.to_str().unwrap();
    let open = node.run(&["proof", &id(0)]).good();
    let sealed = node.run(&["proof", "FR:1", "--sealed"]).good();
    assert!(sealed.len() < open.len());
    let dir = tempfile::tempdir().unwrap();
    for (name, text, body) in [("open", &open, "SHA-256"), ("sealed", &sealed, "left out")] {
        let path = write(dir.path(), name, text);
        let told = entraide(&["verify-proof", path.to_str().unwrap(), "--keys", keys]).good();
        assert!(told.contains("proven: FR:1") && told.contains(body), "{told}");
        let page = entraide(&["verify-proof", path.to_str().unwrap(), "--keys", keys, "--words"]).good();
        let says = if name == "open" { "word for word" } else { "and not what" };
        assert!(page.contains("Proof of statement FR:1") && page.replace('\n', " ").contains(says), "{page}");
        assert!(page.contains("What this does not show"), "{page}");
    }
    let other = Node::new("EE");
    let path = dir.path().join("open");
    let strange = other.dir.path().join("log.pub");
    entraide(&["verify-proof", path.to_str().unwrap(), "--keys", strange.to_str().unwrap()]).refused(1, "no key of");
    // One changed letter on each line: the head, the opening, the place, the way to the root, the checkpoint.
    let mut start = 0;
    for line in open.split_inclusive('\n') {
        let at = start + line.len() / 2;
        start += line.len();
        if line.len() < 3 {
            continue;
        }
        let mut bytes = open.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let path = write(dir.path(), "flipped", bytes);
        let did = entraide(&["verify-proof", path.to_str().unwrap(), "--keys", keys]);
        did.refused(1, "flipped");
    }
}

#[test]
fn a_database_that_was_restored_from_a_backup_does_not_speak() {
    let node = Node::new("FR");
    node.run(&["audience", "create", "friends"]).good();
    let backup = tempfile::tempdir().unwrap();
    let names = ["entraide.db", "entraide.db-wal", "entraide.db-shm"];
    for name in names {
        let from = node.dir.path().join(name);
        if from.exists() {
            fs::copy(from, backup.path().join(name)).unwrap();
        }
    }
    node.run(&["audience", "create", "others"]).good();
    for name in names {
        let _ = fs::remove_file(node.dir.path().join(name));
        if backup.path().join(name).exists() {
            fs::copy(backup.path().join(name), node.dir.path().join(name)).unwrap();
        }
    }
    node.run(&["audience", "create", "another history"]).refused(1, "does not speak until then");
    assert!(node.run(&["recover"]).good().contains("1 here, 2 signed"), "what is known is told");
    let verified = node.run(&["verify"]);
    assert_eq!(verified.code, 1);
    assert!(verified.out.contains("older than what was said"), "{}", verified.out);
    assert_eq!(node.run(&["doctor"]).code, 1);
}

#[test]
fn one_process_at_a_time_speaks_and_stops_when_told() {
    let node = Node::new("FR");
    let served = node.serve(true);
    node.run(&["serve", "--listen", "127.0.0.1:0"]).refused(1, "another process");
    // Commands go through the running node meanwhile.
    node.run(&["audience", "create", "friends"]).good();
    assert!(node.run(&["doctor"]).good().contains("runs, 1 entries signed"));
    node.run(&["verify"]).good();
    assert_eq!(served.stop(), Some(0));
    assert!(!node.dir.path().join("entraide.sock").exists());
    assert_eq!(node.log(&[]).len(), 1);
}

#[test]
fn a_program_elsewhere_comes_with_a_token_and_the_pin() {
    let node = Node::new("FR");
    let served = node.serve(false);
    let pin = node.facts["tls_pin"].as_str().unwrap();
    node.run(&["user", "add", "robot", "--name", "A robot", "--role", "viewer"]).good();
    let token = node.run(&["token", "add", "reader", "--login", "robot", "--days", "1"]).good();
    let ask = |pin: &str, token: &str, args: &[&str]| {
        let mut command = command(args);
        command.args(["--url", &served.url, "--pin", pin]).env("ENTRAIDE_TOKEN", token);
        Did::of(&command.output().unwrap())
    };
    let status = ask(pin, &token, &["status", "--json"]).json();
    assert_eq!(status["country"], "FR");
    ask(&"0".repeat(64), &token, &["status"]).refused(1, "not the pinned one");
    ask(pin, "entraide_wrong", &["status"]).refused(1, "log in");
    ask(pin, &token, &["audience", "create", "mine"]).refused(1, "roles");
    let file = write(node.dir.path(), "token", &token);
    let mut with_file = command(&["status", "--url", &served.url, "--pin", pin, "--token-file"]);
    assert!(with_file.arg(file).output().unwrap().status.success());
    node.run(&["token", "revoke", "reader"]).good();
    ask(pin, &token, &["status"]).refused(1, "log in");
    assert_eq!(node.run(&["user", "passkeys", "robot", "--json"]).json()["items"], serde_json::json!([]));
    node.run(&["user", "passkeys", "robot", "--revoke", "0123456789abcdef"]).refused(1, "no such passkey");
    node.run(&["user", "passkeys", "nobody"]).refused(1, "no account `nobody`");
    node.run(&["user", "lock", "robot"]).good();
    let users = node.run(&["user", "list"]).good();
    assert!(users.lines().any(|line| line.starts_with("robot") && line.ends_with("locked")), "{users}");
}

#[test]
fn two_nations_meet_over_the_telephone_and_exchange_statements() {
    let (fr, ee) = (Node::new("FR"), Node::new("EE"));
    let (_fr_serves, _ee_serves) = (fr.serve(true), ee.serve(true));
    let code = fr.run(&["partner", "invite", "--json"]).json()["code"].as_str().unwrap().to_owned();
    let joined = ee.run(&["partner", "accept", &code, "--json"]).json();
    let words: Vec<&str> = joined["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words.len(), 6);
    assert_eq!(joined["partner"]["address"], Value::from(fr.federation.clone()));
    // The other side shows the same six.
    let shown = fr.run(&["partner", "list"]).good();
    assert!(shown.contains(&words.join(" ")), "{shown}");
    fr.run(&["partner", "confirm", "EE"]).good();
    ee.run(&["partner", "confirm", "FR"]).good();
    fr.run(&["community", "create", "all", "--members", "EE"]).good();
    fr.run(&["community", "tick", "all"]).good();
    let file = write(fr.dir.path(), "two.json", bundle(0..2));
    fr.run(&["import", file.to_str().unwrap(), "--assert", "--label", "green"]).good();
    until("EE has it", || (ee.run(&["show", &id(1)]).code == 0).then_some(()));
    assert_eq!(ee.run(&["show", &id(1), "--body"]).good(), indicator(1));
    let sheet = fr.run(&["who-sees", &id(1), "--json"]).json();
    assert_eq!((&sheet["partners"][0]["country"], &sheet["partners"][0]["sees"]), (&"EE".into(), &true.into()));
    fr.run(&["withdraw", &id(1), "--reason", "a false alarm"]).good();
    until("EE obeys", || (ee.run(&["show", &id(1)]).code == 1).then_some(()));
    ee.run(&["show", &id(0), "--body"]).good();
    let receipts = || fr.run(&["show", &id(1), "--json"]).json()["receipts"].as_array().map_or(0, Vec::len);
    until("EE's receipt is back", || (receipts() == 1).then_some(()));
    ee.run(&["partner", "cut", "FR", "--reason", "an exercise of cutting"]).good();
    assert!(ee.run(&["partner", "list"]).good().contains("cut: an exercise of cutting"));
}
