//! People with the real program: who is on duty, and files that change the roster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use program::{Node, write};

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
