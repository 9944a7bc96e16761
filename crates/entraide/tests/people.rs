//! People with the real program: who is on duty, files that change the roster, and whom an alert wakes, over a mail server and
//! a gateway of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;
mod sinks;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use hmac::{Hmac, KeyInit, Mac};
use model::Timestamp;
use program::{Did, Node, Served, peer, until, write};
use serde_json::Value;
use sha2::Sha256;

const PERSONS: &str = "person,name,telephone,mail,languages,login\n\
    anna,Anna Test,+33 1 00 00 00 01,anna@cert.example,fr en,\n\
    ben,Ben Test,+33 1 00 00 00 02,ben@cert.example,fr,\n";

#[test]
fn a_roster_comes_by_file_and_says_who_is_on_duty_in_the_night_in_which_clocks_change() {
    let node = Node::new("FR");
    assert_eq!(node.run(&["roster", "duty"]).good(), "nobody is on duty\n");
    let persons = write(node.dir.path(), "persons.csv", PERSONS);
    let looked = node.run(&["roster", "import", persons.to_str().unwrap()]).good();
    assert!(looked.contains("2 persons new") && looked.contains("nothing changed"), "{looked}");
    assert!(node.run(&["roster", "show"]).good().contains("nobody is in the roster"), "a look changes nothing");
    node.run(&["roster", "import", persons.to_str().unwrap(), "--apply"]).good();

    // Nights from Friday 26 March 2027 on, and a hole on Sunday: clocks go forward at 02:00 on the 28th.
    let calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Paris:20270326T200000\r\n\
        DTEND;TZID=Europe/Paris:20270327T080000\r\nSUMMARY:duty: anna\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:2\r\nDTSTART;TZID=Europe/Paris:20270327T080000\r\nDTEND;TZID=Europe/Paris:20270327T203000\r\n\
        SUMMARY:duty: ben\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let calendar = write(node.dir.path(), "nights.ics", calendar);
    let calendar = calendar.to_str().unwrap();
    let done = node.run(&["roster", "import", calendar, "--apply"]).good();
    assert!(done.contains("overlap: duty has anna and ben from 2027-03-27T19:00:00.000000Z"), "{done}");
    assert!(done.contains("done: 0 persons new, 0 changed, 3 shifts come"), "{done}");
    let duty = |at: &str| {
        let duty = node.run(&["roster", "duty", "--at", at, "--json"]).json();
        let names =
            duty["on_duty"].as_array().unwrap().iter().map(|one| one["shift"]["person"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(duty("2027-03-26T18:59:59Z"), "");
    assert_eq!(duty("2027-03-26T19:00:00Z"), "anna");
    assert_eq!(duty("2027-03-27T07:00:00Z"), "ben");
    assert_eq!(duty("2027-03-28T05:59:59Z"), "anna", "08:00 in Paris is 06:00 in UTC from that night on");
    assert_eq!(duty("2027-03-28T06:00:00Z"), "");

    // The same file again changes nothing; another one takes the place of what it covers.
    let again = node.run(&["roster", "import", calendar, "--apply"]).good();
    assert!(again.contains("0 shifts come, 0 give way, 3 stand already"), "{again}");
    let other = "post,person,from,until\nduty,ben,2027-03-26T19:00:00Z,2027-03-28T06:00:00Z\n";
    let other = write(node.dir.path(), "other.csv", other);
    let looked = node.run(&["roster", "import", other.to_str().unwrap(), "--replace", "--apply"]).good();
    assert!(looked.contains("1 shifts come, 3 give way"), "{looked}");
    assert_eq!(duty("2027-03-27T23:00:00Z"), "ben");
    node.run(&["roster", "remove", "ben"]).good();
    assert_eq!(duty("2027-03-27T23:00:00Z"), "", "whoever is taken out takes every shift along");
    assert_eq!(node.status()["log"]["size"], 0, "nothing of a roster is in the log");
    node.run(&["verify"]).good();
}

#[test]
fn a_roster_that_is_not_understood_is_refused_by_its_line_and_changes_nothing() {
    let node = Node::new("FR");
    let persons = write(node.dir.path(), "persons.csv", PERSONS);
    node.run(&["roster", "import", persons.to_str().unwrap(), "--apply"]).good();
    let before = node.run(&["roster", "show", "--json"]).good();
    let check = |name: &str, text: &str, says: &str| {
        let file = write(node.dir.path(), name, text);
        for apply in [&[][..], &["--apply"]] {
            node.run(&[&["roster", "import", file.to_str().unwrap()], apply].concat()).refused(1, says);
        }
    };
    let head = "post,person,from,until\nduty,anna,2027-01-01T08:00:00Z,2027-01-01T20:00:00Z\n";
    check(
        "cy.csv",
        &format!("{head}duty,cy,2027-01-01T20:00:00Z,2027-01-02T08:00:00Z\n"),
        "line 3: `cy` is not in the roster",
    );
    check(
        "zone.csv",
        &format!("{head}duty,anna,2027-01-01T20:00,2027-01-02T08:00\n"),
        "line 3: `2027-01-01T20:00` is a local",
    );
    check(
        "month.ics",
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nRRULE:FREQ=MONTHLY\nEND:VEVENT\nEND:VCALENDAR\n",
        "line 3",
    );
    check("rubbish", "\u{0}\u{1}", "line 1");
    node.run(&["roster", "person", "dora", "--name", "Dora", "--telephone", "112"])
        .refused(1, "is not a telephone number");
    node.run(&["roster", "shift", "dora", "duty", "2027-01-01T08:00:00Z", "2027-01-01T20:00:00Z"])
        .refused(1, "`dora` is not");
    node.run(&["roster", "shift", "anna", "duty", "2027-01-01T08:00:00Z", "2027-01-01T08:00:00Z"])
        .refused(1, "ends after");
    node.run(&["roster", "remove", "dora"]).refused(1, "`dora` is not in the roster");
    assert_eq!(node.run(&["roster", "show", "--json"]).good().len(), before.len());
}

use sinks::{Manners, Sink};

const SECRET: &str = "8f1d3a5c7e9b2d4f6a8c0e1f3b5d7a9c";

/// A node with Anna on duty, Ben behind her, and its ways out.
fn awake(country: &str, mail: &Sink, gateway: &Sink) -> Node {
    use std::os::unix::fs::PermissionsExt;
    let node = Node::new(country);
    let secret = write(node.dir.path(), "webhook.secret", format!("{SECRET}\n"));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let told = format!(
        "[alerts]\ncall = \"+372 600\"\naddress = \"https://ee.example\"\n[alerts.mail]\nserver = \"{}\"\nsecurity = \"none\"\n\
         from = \"node@ee.example\"\n[alerts.webhook]\nurl = \"http://{}/alert\"\nsecret = \"webhook.secret\"\n",
        mail.address, gateway.address
    );
    write(node.dir.path(), "entraide.toml", told);
    let persons = write(node.dir.path(), "persons.csv", PERSONS);
    node.run(&["roster", "import", persons.to_str().unwrap(), "--apply"]).good();
    let now: Timestamp = node.run(&["status", "--json"]).json()["now"].as_str().unwrap().parse().unwrap();
    let (from, until) = (now.plus_seconds(-60).to_string(), now.plus_seconds(86_400).to_string());
    node.run(&["roster", "shift", "anna", "duty", &from, &until]).good();
    node
}

fn alerts(node: &Node) -> Vec<Value> {
    node.run(&["alert", "list", "--json"]).json()["items"].as_array().unwrap().clone()
}

/// Waits until the newest alert stands so.
fn alert(node: &Node, state: &str) -> Value {
    until(state, || alerts(node).into_iter().next().filter(|alert| alert["state"] == state))
}

/// Each notice: person and fate.
fn fates(alert: &Value) -> Vec<String> {
    let row = |one: &Value| format!("{} {}", one["person"].as_str().unwrap(), one["fate"].as_str().unwrap());
    alert["notices"].as_array().unwrap().iter().map(row).collect()
}

/// The code in a notice.
fn code(notice: &str) -> String {
    let at = notice.find("/acknowledge/").unwrap() + "/acknowledge/".len();
    notice[at..at + 14].to_owned()
}

/// What a browser gets, by a plain request.
fn browse(served: &Served, method: &str, path: &str) -> String {
    let address = served.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n{head}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn ask(fr: &Node, name: &str) -> String {
    let args = ["assist", "ask", "--name", name, "--call", "CERT-FR duty +33 1", "--by", "2099-01-01T00:00:00Z"];
    let more = ["--need", "forensics:2", "--label", "amber", "--audience", "helpers", "--json"];
    fr.run(&[&args[..], &more].concat()).json()["entry"].as_str().unwrap().to_owned()
}

#[test]
fn a_call_for_help_climbs_the_ladder_until_somebody_answers_and_no_notice_says_what_happened() {
    let (mail, gateway) = (Sink::mail(Manners::Refuses), Sink::gateway());
    let (fr, ee) = (Node::new("FR"), awake("EE", &mail, &gateway));
    let served = [fr.serve(true), ee.serve(true)];
    peer(&fr, &ee);
    fr.run(&["audience", "create", "helpers", "--members", "EE"]).good();
    ask(&fr, "Before any ladder was set");
    until("the first call", || (ee.run(&["assist", "list"]).good().contains("Before any ladder")).then_some(()));
    let ladder = ["--rung", "post:duty:mail:60", "--rung", "ben:webhook:60"];
    ee.run(&[&["ladder", "set", "call-for-help"][..], &ladder].concat()).good();
    let request = ask(&fr, "Hospital group encrypted");
    // The mail server refuses Anna's notice, so that Ben is woken without waiting an hour.
    let woken = until("Ben", || {
        let newest = alerts(&ee).into_iter().next()?;
        fates(&newest).contains(&"ben sent".to_owned()).then_some(newest)
    });
    assert_eq!(fates(&woken), ["anna failed", "ben sent"]);
    assert_eq!(
        (alerts(&ee).len(), woken["number"].as_i64(), woken["about"][0].as_str()),
        (1, Some(1), Some(&*request))
    );
    let told = gateway.heard().remove(0);
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    for word in ["Hospital", "encrypted", "FR", "forensics", "help", "helpers", &request] {
        assert!(!told.contains(word), "`{word}` left the node: {told}");
    }
    let said: Value = serde_json::from_str(body).unwrap();
    assert_eq!(said["text"], "Entraide EE: alert 1, TLP:AMBER. Log in or call +372 600.");
    assert_eq!((said["person"].as_str(), said["telephone"].as_str()), (Some("ben"), Some("+33 1 00 00 00 02")));
    let field = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name)).unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{}.{body}", field("x-entraide-timestamp")).as_bytes());
    let signature = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
    assert_eq!(field("x-entraide-signature"), format!("v1={signature}"));
    // Opening the link wakes nobody up for it; the button does, once.
    let page = format!("/acknowledge/{}", code(&told));
    let shown = browse(&served[1], "GET", &page);
    assert!(shown.contains("I am awake for it") && !shown.contains("Hospital"), "{shown}");
    assert_eq!(alerts(&ee)[0]["state"], "notified");
    assert!(browse(&served[1], "POST", "/acknowledge/AAAA-AAAA-AAAA").starts_with("HTTP/1.1 404"));
    assert!(browse(&served[1], "POST", &page).contains("Ben Test"));
    assert!(browse(&served[1], "POST", &page).starts_with("HTTP/1.1 409"));
    let answered = alert(&ee, "acknowledged");
    assert_eq!((answered["acknowledged_by"].as_str(), answered["how"].as_str()), (Some("Ben Test"), Some("code")));
    ee.run(&["alert", "acknowledge", "1"]).refused(1, "Ben Test has acknowledged it already");
    // Whoever asked sees that somebody is awake, and nothing of who it is.
    let case = until("word that somebody is awake", || {
        let case = fr.run(&["assist", "show", &request, "--json"]).json();
        (case["awake"][0]["country"] == "EE").then_some(case)
    });
    assert_eq!(
        (&case["awake"][0]["at"], &case["without_effect"]),
        (&answered["acknowledged"], &Value::Array(Vec::new()))
    );
    assert!(fr.run(&["assist", "show", &request]).good().contains("EE is awake for it since"));
    assert!(!fr.run(&["assist", "show", &request, "--json"]).good().contains("Ben"));
    for node in [&fr, &ee] {
        node.run(&["rebuild"]).good();
        assert_eq!(node.run(&["assist", "show", &request, "--json"]).json()["awake"].as_array().unwrap().len(), 1);
    }
    for one in served {
        one.stop();
    }
    assert_eq!(mail.heard(), Vec::<String>::new());
}

#[test]
fn a_drill_says_that_it_is_one_and_reports_who_answered() {
    let (mail, gateway) = (Sink::mail(Manners::Takes), Sink::gateway());
    let ee = awake("EE", &mail, &gateway);
    ee.run(&["drill", "call-out"]).refused(1, "no node runs here");
    let served = ee.serve(true);
    ee.run(&["drill", "call-out"]).refused(1, "`call-for-help` has no ladder");
    ee.run(&["ladder", "set", "drill", "--rung", "anna:mail:5"])
        .refused(1, "a drill climbs the ladder of what it tries");
    ee.run(&["ladder", "set", "call-for-help", "--rung", "cy:mail:5"]).refused(1, "`cy` is not in the roster");
    ee.run(&["ladder", "set", "call-for-help", "--rung", "post:duty:mail:5"]).good();
    let drill = ee.command(&["drill", "call-out"]).stdout(Stdio::piped()).spawn().unwrap();
    let told = until("a mail", || mail.heard().into_iter().next());
    assert!(
        told.contains("Subject: DRILL: Entraide EE: alert 1") && told.contains("Auto-Submitted: auto-generated"),
        "{told}"
    );
    assert!(told.contains("DRILL DRILL DRILL. Entraide EE: alert 1, TLP:CLEAR. Log in or call +372 600."), "{told}");
    assert!(told.contains("RCPT TO:<anna@cert.example>"), "{told}");
    assert!(browse(&served, "POST", &format!("/acknowledge/{}", code(&told))).contains("Anna Test"));
    let report = Did::of(&drill.wait_with_output().unwrap()).good();
    assert!(report.contains("rung 1: anna by mail") && report.contains("acknowledged by Anna Test"), "{report}");
    // Nobody is there: the drill says so.
    ee.run(&["roster", "remove", "anna"]).good();
    let failed = ee.run(&["drill", "call-out"]);
    assert!(failed.code == 1 && failed.err.contains("nobody woke up"), "{}", failed.err);
    served.stop();
}

#[test]
fn after_a_kill_the_ladder_goes_on_and_nobody_is_woken_twice_for_a_rung() {
    let (mail, gateway) = (Sink::mail(Manners::Hangs), Sink::gateway());
    let ee = awake("EE", &mail, &gateway);
    let served = ee.serve(true);
    let ladder = ["ladder", "set", "answer", "--rung", "post:duty:mail:60", "--rung", "ben:webhook:60"];
    ee.run(&ladder).good();
    ee.run(&["drill", "call-out", "--class", "answer", "--no-wait"]).good();
    until("the mail", || (mail.heard().len() == 1).then_some(()));
    // The server has the mail and has not said so: the node can't know, and dies.
    served.kill();
    assert_eq!(fates(&alerts(&ee)[0]), ["anna sending"]);
    let served = ee.serve(true);
    until("Ben", || (gateway.heard().len() == 1).then_some(()));
    until("the note of it", || (fates(&alerts(&ee)[0]) == ["anna unknown", "ben sent"]).then_some(()));
    served.kill();
    let served = ee.serve(true);
    ee.run(&["alert", "acknowledge", "1"]).good();
    alert(&ee, "acknowledged");
    assert_eq!((mail.heard().len(), gateway.heard().len()), (1, 1), "each rung woke its person once");
    served.stop();
}

#[test]
fn an_exercise_climbs_its_ladder_by_its_own_clock_and_wakes_nobody_real() {
    let (mail, gateway) = (Sink::mail(Manners::Takes), Sink::gateway());
    let fr = awake("FR", &mail, &gateway);
    let served = fr.serve(true);
    let port = program::free_address();
    fr.run(&["realm", "open", "EX-NIGHT", "--name", "Night", "--federation", &port]).good();
    let ex = |args: &[&str]| fr.run(&[args, &["--realm", "EX-NIGHT"]].concat());
    for person in ["anna", "ben"] {
        let mail = format!("{person}@cert.example");
        ex(&["roster", "person", person, "--name", person, "--telephone", "+33 1 00 00 00", "--mail", &mail]).good();
    }
    let ladder = ["ladder", "set", "call-for-help", "--rung", "anna:mail+webhook:60", "--rung", "ben:mail:60"];
    ex(&ladder).good();
    ex(&["drill", "call-out", "--no-wait"]).good();
    let newest = || ex(&["alert", "list", "--json"]).json()["items"][0].clone();
    until("the first rung", || (fates(&newest()) == ["anna sent", "anna sent"]).then_some(()));
    // An hour passes in the exercise, and nobody has answered.
    let now: Timestamp = ex(&["status", "--json"]).json()["now"].as_str().unwrap().parse().unwrap();
    fr.run(&["realm", "clock", "EX-NIGHT", "--set", &now.plus_seconds(3_660).to_string()]).good();
    ex(&["roster", "person", "cy", "--name", "Cy", "--telephone", "+33 1 00 00 01"]).good();
    until("the second rung", || fates(&newest()).contains(&"ben sent".to_owned()).then_some(()));
    assert!(mail.heard().is_empty() && gateway.heard().is_empty(), "an exercise reached somebody");
    assert!(alerts(&fr).is_empty(), "and reality was not told");
    served.stop();
}

#[test]
fn an_answer_wakes_whoever_asked_six_times_an_hour_and_a_message_of_the_case_room_wakes_nobody() {
    let (mail, gateway) = (Sink::mail(Manners::Takes), Sink::gateway());
    let (fr, ee) = (awake("FR", &mail, &gateway), Node::new("EE"));
    let served = [fr.serve(true), ee.serve(true)];
    peer(&fr, &ee);
    fr.run(&["audience", "create", "helpers", "--members", "EE"]).good();
    fr.run(&["ladder", "set", "answer", "--rung", "anna:mail:60"]).good();
    let request = ask(&fr, "Hospital group encrypted");
    let heard =
        |node: &Node, entry: &str| until(entry, || (node.run(&["assist", "show", entry]).code == 0).then_some(()));
    heard(&ee, &request);
    let said = |args: &[&str]| {
        let answer = ee.run(&[&["assist"], args, &["--json"]].concat()).json();
        let entry = answer["entry"].as_str().unwrap().to_owned();
        heard(&fr, &entry);
        entry
    };
    // A drill that was sent shows that whatever came before it was looked at.
    let looked = |number: i64| {
        fr.run(&["drill", "call-out", "--class", "answer", "--no-wait"]).good();
        until("the drill", || {
            let newest = alerts(&fr).into_iter().next()?;
            (newest["number"] == number && fates(&newest) == ["anna sent"]).then_some(newest)
        })
    };
    said(&["note", &request, "which gateway is it?"]);
    assert_eq!(looked(1)["class"], "drill", "a message woke somebody");
    for number in 2..8_i64 {
        let offer = said(&["reply", &request, "maybe", "--call", &format!("EE duty {number}")]);
        let woken = until("an alert", || alerts(&fr).into_iter().next().filter(|alert| alert["number"] == number));
        assert_eq!((woken["class"].as_str(), woken["about"][0].as_str()), (Some("answer"), Some(&*offer)));
        fr.run(&["alert", "acknowledge", &number.to_string()]).good();
    }
    // The seventh within the hour is shown, and waits: nobody sleeps through a flood.
    said(&["reply", &request, "yes", "--call", "EE duty"]);
    assert_eq!(looked(8)["class"], "drill", "a flood woke somebody a seventh time");
    assert_eq!(alerts(&fr).len(), 8);
    for one in served {
        one.stop();
    }
}
