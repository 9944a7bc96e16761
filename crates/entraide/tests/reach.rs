//! Partners without a node: who they are, what goes to them by encrypted mail, and what they answer, with the real gpg and
//! openssl, a mail server and mailboxes of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;
mod sinks;

use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Node, heard, peer, said, until, write};
use sinks::{Manners, Sink};

/// The people of a partner without a node: their own keyring, and their own certificate.
struct People {
    dir: tempfile::TempDir,
}

impl People {
    fn new() -> Self {
        let people = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::set_permissions(people.dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        people
    }

    fn run(&self, program: &str, args: &[&str]) -> Vec<u8> {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.dir.path()).env("GNUPGHOME", self.dir.path());
        let out = command.output().unwrap();
        assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    }

    fn gpg(&self, args: &[&str]) -> Vec<u8> {
        self.run(
            "gpg",
            &[&["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""][..], args].concat(),
        )
    }

    /// Makes a key for an address; `expires` as gpg writes it.
    fn pgp(&self, address: &str, expires: &str) -> PathBuf {
        self.gpg(&["--quick-generate-key", address, "future-default", "default", expires]);
        write(self.dir.path(), "public.asc", self.gpg(&["--armor", "--export", address]))
    }

    fn certificate(&self, address: &str) -> PathBuf {
        let subject = format!("/CN=CERT/emailAddress={address}");
        let args = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.pem", "-days", "2",
            "-subj", &subject,
        ];
        self.run("openssl", &args);
        self.dir.path().join("own.pem")
    }
}

impl Drop for People {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", self.dir.path()).status();
    }
}

/// Both programs, or a line that says that the test is skipped.
fn programs() -> bool {
    let there = |program: &str| Command::new(program).arg("version").output().is_ok();
    let both = there("gpg") && there("openssl");
    if !both {
        println!("SKIPPED: gpg or openssl is not installed: no mail for a partner without a node was encrypted");
    }
    both
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_partner_without_a_node_gets_nothing_before_its_key_was_compared() {
    if !programs() {
        return;
    }
    let (fr, ee, people) = (Node::new("FR"), Node::new("EE"), People::new());
    let _served = (fr.serve(true), ee.serve(true));
    peer(&fr, &ee);
    let key = people.pgp("cert@cert.example", "1y");
    let with = [
        "--class",
        "third-country",
        "--by",
        "mail+pgp",
        "--mail",
        "cert@cert.example",
        "--telephone",
        "+373 22 123456",
    ];
    let add = |country: &str, name: &str, key: &Path| {
        fr.run(&[&["partner", "add", country, "--name", name, "--key", text(key)][..], &with].concat())
    };
    let added = add("MD", "CERT-MD", &key).good();
    let shown = String::from_utf8(people.gpg(&["--with-colons", "--fingerprint"])).unwrap();
    let fingerprint = shown.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).unwrap().trim_end_matches(':');
    let told = added.lines().find_map(|line| line.strip_prefix("key    ")).unwrap().replace(' ', "");
    assert_eq!(told, fingerprint, "what gpg says at the partner's");
    add("MD", "CERT-MD", &key).refused(1, "there is a partner `CERT-MD`");

    // Not before it is confirmed; then by name or country, and never by `*`.
    let create = ["audience", "create", "helpers", "--members", "EE,MD"];
    fr.run(&create).refused(1, "`MD` is not a confirmed partner");
    fr.run(&["partner", "confirm", "MD"]).good();
    fr.run(&create).good();
    fr.run(&["audience", "create", "all", "--members", "*"]).good();
    let sees = |audience: &str| {
        let sheet = fr.run(&["who-sees", "--label", "amber", "--audience", audience, "--json"]).json();
        let sees = |country: &str| {
            let mut lines = sheet["partners"].as_array().unwrap().iter();
            lines.any(|line| line["country"] == country && line["sees"] == true)
        };
        (sees("EE"), sees("MD"))
    };
    assert_eq!((sees("helpers"), sees("all")), ((true, true), (true, false)));
    assert!(fr.run(&["partner", "list"]).good().contains("no node: by PGP mail"));

    // Another key is another party until somebody has called.
    let other = People::new();
    let another = other.pgp("cert@cert.example", "1y");
    let changed =
        ["--by", "mail+pgp", "--mail", "cert@cert.example", "--telephone", "+373 22 123456", "--key", text(&another)];
    let changed = fr.run(&[&["partner", "reach", "CERT-MD"][..], &changed].concat()).good();
    assert!(changed.contains("awaiting-confirmation"), "{changed}");
    assert_eq!(sees("helpers"), (true, false));
    fr.run(&["partner", "reach", "EE"]).refused(1, "has a node");
    fr.run(&["verify"]).good();
}

#[test]
fn a_key_to_which_nothing_can_be_encrypted_is_refused() {
    if !programs() {
        return;
    }
    let (fr, people) = (Node::new("FR"), People::new());
    let key = people.pgp("cert@cert.example", "1y");
    let check = |name: &str, way: &str, bytes: Vec<u8>, says: &str| {
        let file = write(fr.dir.path(), name, bytes);
        let args = [
            "partner",
            "add",
            "MD",
            "--name",
            "CERT-MD",
            "--class",
            "third-country",
            "--by",
            way,
            "--mail",
            "c@cert.example",
            "--telephone",
            "+373 22 123456",
            "--key",
            text(&file),
        ];
        fr.run(&args).refused(1, says);
    };
    let public = std::fs::read(&key).unwrap();
    check("rubbish", "mail+pgp", b"hello".to_vec(), "this is not a PGP public key");
    check("secret", "mail+pgp", people.gpg(&["--armor", "--export-secret-keys"]), "this is a secret key");
    let other = People::new();
    other.pgp("other@cert.example", "1y");
    check("two", "mail+pgp", [public.clone(), other.gpg(&["--armor", "--export"])].concat(), "exactly one");
    people.gpg(&["--quick-generate-key", "sign@cert.example", "ed25519", "sign", "1y"]);
    check("sign", "mail+pgp", people.gpg(&["--armor", "--export", "sign@cert.example"]), "nothing can be encrypted");
    check("pgp as certificate", "mail+smime", public, "exactly one certificate");
    let certificate = people.certificate("cert@cert.example");
    let whole =
        [std::fs::read(&certificate).unwrap(), std::fs::read(people.dir.path().join("own.key")).unwrap()].concat();
    check("private", "mail+smime", whole, "private key");
    check("large", "mail+pgp", vec![b'A'; 70_000], "larger than");
    assert_eq!(fr.run(&["partner", "list", "--json"]).json()["items"].as_array().unwrap().len(), 0);
}

/// A node whose mail goes to a server of the test's own.
fn mailing(country: &str, mail: &Sink) -> Node {
    let node = Node::new(country);
    let told = format!(
        "[alerts]\naddress = \"https://fr.example:7442\"\ncall = \"+33 1 00 00 00 00\"\n[alerts.mail]\nserver = \"{}\"\n\
         security = \"none\"\nfrom = \"node@cert.example\"\n",
        mail.address
    );
    write(node.dir.path(), "entraide.toml", told);
    node
}

fn add(node: &Node, country: &str, way: &[&str]) {
    let name = format!("CERT-{country}");
    let head =
        ["partner", "add", country, "--name", &name, "--class", "third-country", "--telephone", "+373 22 123456"];
    node.run(&[&head[..], way].concat()).good();
    node.run(&["partner", "confirm", country]).good();
}

const SECRET: &str = "Hospital group encrypted";

fn ask(node: &Node, audience: &str) -> String {
    let by = later(node, 3_600);
    let args = [
        "assist",
        "ask",
        "--name",
        SECRET,
        "--call",
        "CERT-FR duty",
        "--by",
        &by,
        "--need",
        "forensics:2:remote",
        "--label",
        "amber",
        "--audience",
        audience,
        "--json",
    ];
    said(&node.run(&args).json())
}

/// The node's time and so many seconds.
fn later(node: &Node, seconds: i64) -> String {
    let now: model::Timestamp = node.run(&["status", "--json"]).json()["now"].as_str().unwrap().parse().unwrap();
    now.plus_seconds(seconds).to_string()
}

/// The one mail to an address.
fn mail_to(sink: &Sink, address: &str) -> String {
    let rcpt = format!("RCPT TO:<{address}>");
    until(address, || sink.heard().into_iter().find(|mail| mail.contains(&rcpt)))
}

/// The parts of a decrypted mail: its words, and the attached file.
fn parts(mime: &[u8]) -> (String, Vec<u8>) {
    let text = String::from_utf8(mime.to_vec()).unwrap().replace("\r\n", "\n");
    let bodies: Vec<Vec<u8>> = text
        .split("--entraide\n")
        .skip(1)
        .map(|part| {
            let body = part.split_once("\n\n").unwrap().1.split("--entraide--").next().unwrap();
            let letters: String = body.split_whitespace().collect();
            data_encoding::BASE64.decode(letters.as_bytes()).unwrap()
        })
        .collect();
    assert!(text.contains("filename=\"FR-"), "{text}");
    (String::from_utf8(bodies[0].clone()).unwrap(), bodies[1].clone())
}

#[test]
fn a_call_for_help_reaches_whoever_has_no_node_encrypted_with_a_file_that_proves_itself() {
    if !programs() {
        return;
    }
    let sink = Sink::mail(Manners::Takes);
    let (fr, pgp, smime, apart) = (mailing("FR", &sink), People::new(), People::new(), People::new());
    let served = fr.serve(true);
    let (key, certificate) = (pgp.pgp("cert@md.example", "1y"), smime.certificate("cert@ua.example"));
    add(&fr, "MD", &["--by", "mail+pgp", "--mail", "cert@md.example", "--key", text(&key)]);
    add(&fr, "UA", &["--by", "mail+smime", "--mail", "cert@ua.example", "--key", text(&certificate)]);
    add(&fr, "MK", &["--by", "mail+pgp", "--mail", "cert@mk.example"]);
    add(&fr, "AL", &["--by", "phone"]);
    // Confirmed, with a key, and not in the audience.
    add(
        &fr,
        "RS",
        &["--by", "mail+pgp", "--mail", "cert@rs.example", "--key", text(&apart.pgp("cert@rs.example", "1y"))],
    );
    fr.run(&["audience", "create", "helpers", "--members", "MD,UA,MK,AL"]).good();
    let entry = ask(&fr, "helpers");

    let mail = mail_to(&sink, "cert@md.example");
    assert!(!mail.contains(SECRET) && mail.contains("multipart/encrypted"), "{mail}");
    let begin = mail.find("-----BEGIN PGP MESSAGE-----").unwrap();
    let end = mail.find("-----END PGP MESSAGE-----").unwrap();
    let sealed = write(pgp.dir.path(), "in.asc", format!("{}-----END PGP MESSAGE-----\n", &mail[begin..end]));
    let (words, file) = parts(&pgp.gpg(&["--decrypt", text(&sealed)]));
    for part in [SECRET, "TLP:AMBER", "2 x forensics", "CERT-FR duty", &entry] {
        assert!(words.contains(part), "`{part}` is not in {words}");
    }
    let file = write(pgp.dir.path(), "FR.tlog-proof", file);
    opens(&fr, &file, &entry);

    let mail = mail_to(&sink, "cert@ua.example");
    assert!(!mail.contains(SECRET) && mail.contains("authEnveloped-data"), "{mail}");
    let body = mail.rsplit_once("\n\n").unwrap().1;
    let letters: String = body.split_whitespace().collect();
    let der = data_encoding::BASE64.decode(letters.as_bytes()).unwrap();
    write(smime.dir.path(), "in.der", der);
    let args = ["cms", "-decrypt", "-inform", "DER", "-in", "in.der", "-recip", "own.pem", "-inkey", "own.key"];
    let (words, other) = parts(&smime.run("openssl", &args));
    assert!(words.contains(SECRET), "{words}");
    assert_eq!(other, std::fs::read(&file).unwrap(), "one statement, one file");

    // Without a key there is a notice; without an address somebody calls; outside the audience there is nothing.
    let notice = mail_to(&sink, "cert@mk.example");
    assert!(notice.contains("TLP:AMBER") && notice.contains("+33 1 00 00 00 00"), "{notice}");
    assert!(!notice.contains(SECRET) && !notice.contains("forensics"), "{notice}");
    let fate = |country: &str| {
        let letters = fr.run(&["partner", "letters", country, "--json"]).json();
        letters["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["fate"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    until("all letters have gone", || (fate("UA") == ["sent"] && fate("MK") == ["noticed"]).then_some(()));
    assert_eq!((fate("MD"), fate("AL"), fate("RS").len()), (vec!["sent".to_owned()], vec!["call".to_owned()], 0));
    let ledger = fr.run(&["ledger", &entry]).good();
    assert_eq!(ledger.matches("mail").count(), 2, "content left twice, and a notice is no content: {ledger}");

    // After a restart nothing goes out again; a new version does.
    let before = sink.heard().len();
    assert_eq!(served.stop(), Some(0));
    let _again = fr.serve(true);
    fr.run(&["assist", "close", &entry]).good();
    until("the new version", || (fate("MD").len() == 2 && fate("MD")[0] == "sent").then_some(()));
    until("three more mails", || (sink.heard().len() >= before + 3).then_some(()));
    assert_eq!(sink.heard().len(), before + 3);
    assert!(!sink.heard().iter().any(|mail| mail.contains("rs.example")));
    fr.run(&["verify"]).good();
}

/// The attached file says who said what, and proves itself with the key of that nation alone.
fn opens(fr: &Node, file: &Path, entry: &str) {
    let keys = fr.dir.path().join("log.pub");
    let open = |file: &Path, more: &[&str]| program::entraide(&[&["open", text(file)][..], more].concat());
    let good = open(file, &["--keys", text(&keys)]).good();
    for part in [SECRET, entry, "PROVEN: it stands in that log", "TLP:AMBER"] {
        assert!(good.contains(part), "`{part}` is not in {good}");
    }
    let claimed = open(file, &[]);
    assert!(claimed.code == 1 && claimed.out.contains("NOT PROVEN: no key was given"), "{}", claimed.out);
    let other = Node::new("EE");
    let wrong = open(file, &["--keys", text(&other.dir.path().join("log.pub"))]);
    assert!(wrong.code == 1 && wrong.out.contains("NOT PROVEN: no key of"), "{}", wrong.out);
    // Another word in the statement, at the same place.
    let whole = std::fs::read_to_string(file).unwrap();
    let extra = whole.lines().nth(1).unwrap().strip_prefix("extra ").unwrap();
    let mut bytes = data_encoding::BASE64.decode(extra.as_bytes()).unwrap();
    let at = bytes.windows(8).position(|window| window == b"Hospital").unwrap();
    bytes[at] = b'h';
    let forged = whole.replace(extra, &data_encoding::BASE64.encode(&bytes));
    let forged = write(other.dir.path(), "forged", forged);
    let forged = open(&forged, &["--keys", text(&keys)]);
    assert!(forged.code == 1 && forged.out.contains("NOT PROVEN"), "{}", forged.out);
}

#[test]
fn a_letter_that_no_server_takes_waits_and_says_why() {
    if !programs() {
        return;
    }
    let sink = Sink::mail(Manners::Refuses);
    let (fr, people) = (mailing("FR", &sink), People::new());
    let _served = fr.serve(true);
    let key = people.pgp("cert@md.example", "1y");
    add(&fr, "MD", &["--by", "mail+pgp", "--mail", "cert@md.example", "--key", text(&key)]);
    fr.run(&["audience", "create", "helpers", "--members", "MD"]).good();
    ask(&fr, "helpers");
    let letter = until("a try", || {
        let letters = fr.run(&["partner", "letters", "MD", "--json"]).json()["items"].clone();
        letters.get(0).filter(|one| one["tries"] == 1 && one["fate"] == "waiting").cloned()
    });
    assert!(letter["why"].as_str().unwrap().contains("the mail server refuses it"), "{letter}");
    assert!(fr.run(&["partner", "list"]).good().contains("has 1 of ours to fetch"));
}

#[test]
fn what_is_said_over_the_telephone_counts_once_it_was_read_back_and_stays_marked() {
    let (fr, ee) = (Node::new("FR"), Node::new("EE"));
    let _served = (fr.serve(true), ee.serve(true));
    peer(&fr, &ee);
    add(&fr, "AL", &["--by", "phone"]);
    fr.run(&["audience", "create", "helpers", "--members", "AL,EE"]).good();
    let entry = ask(&fr, "helpers");
    let relay = |entry: &str, says: &[&str]| {
        let head = ["assist", "relay", "AL", entry];
        fr.run(&[&head[..], says, &["--said-by", "A. Hoxha, duty officer"]].concat())
    };
    let answers = || fr.run(&["assist", "show", &entry, "--json"]).json()["answers"].as_array().unwrap().clone();
    let yes = ["yes", "--call", "+355 4 222222", "--line", "1:2:remote", "--note", "two analysts tonight"];
    let told = relay(&entry, &yes).good();
    for part in [
        "You are A. Hoxha, duty officer",
        "CERT-AL",
        "YES",
        "line 1: 2, remote",
        "two analysts tonight",
        "+355 4 222222",
    ] {
        assert!(told.contains(part), "`{part}` is not read back: {told}");
    }
    let number = told.lines().find_map(|line| line.rsplit_once("relay-confirm ")).unwrap().1.to_owned();
    assert!(answers().is_empty(), "nothing counts before it was read back");
    // It was not right: dropped, and never said.
    let wrong = relay(&entry, &["no", "--call", "x"]).good();
    let dropped = wrong.lines().find_map(|line| line.rsplit_once("relay-drop ")).unwrap().1.to_owned();
    fr.run(&["assist", "relay-drop", &dropped]).good();
    fr.run(&["assist", "relay-confirm", &dropped]).refused(1, "there is no draft");
    fr.run(&["assist", "relay-confirm", &number]).good();
    fr.run(&["assist", "relay-confirm", &number]).refused(1, "there is no draft");
    let answer = answers().remove(0);
    assert_eq!((&answer["provider"], &answer["answer"]), (&"AL".into(), &"yes".into()));
    assert_eq!(answer["relayed"]["way"], "telephone");
    assert_eq!(answer["relayed"]["said_by"], "A. Hoxha, duty officer");
    assert!(fr.run(&["assist", "show", &entry]).good().contains("relayed: A. Hoxha"));

    // It is accepted like every offer, and signed over the telephone; the partner may hear of it by telephone alone.
    let offer = answer["entry"].as_str().unwrap();
    let accepted = said(&fr.run(&["assist", "accept", offer, "--json"]).json());
    let sign = relay(&accepted, &["sign"]).good();
    assert!(sign.contains("You SIGN"), "{sign}");
    assert_eq!(answers()[0]["agreements"][0]["state"], "proposed");
    let number = sign.lines().find_map(|line| line.rsplit_once("relay-confirm ")).unwrap().1.to_owned();
    fr.run(&["assist", "relay-confirm", &number]).good();
    assert_eq!(answers()[0]["agreements"][0]["state"], "in force");
    relay(&accepted, &["yes"]).refused(1, "`call` says whom to call");
    relay(&entry, &["sign"]).refused(1, "it is not there");

    // Whoever has a node speaks for itself, and a call of another nation is answered by that nation's partners.
    let args = ["assist", "relay", "EE", &entry, "yes", "--said-by", "M. Tamm", "--call", "+372 1"];
    fr.run(&args).refused(1, "has a node");
    heard(&ee, &entry);
    let shown = ee.run(&["assist", "show", &entry, "--json"]).json();
    assert_eq!(shown["answers"].as_array().unwrap().len(), 0, "what was relayed is between the two");
    fr.run(&["verify"]).good();
}

/// Asks the page of a served node: the status line, and the body.
fn page(served: &program::Served, path: &str, form: Option<&str>) -> (String, String) {
    use std::io::{Read, Write};
    let host = served.url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let (method, body) = form.map_or(("GET", ""), |form| ("POST", form));
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.lines().next().unwrap().to_owned();
    (status, answer)
}

#[test]
fn a_link_and_a_code_told_by_telephone_give_one_answer() {
    if !programs() {
        return;
    }
    let sink = Sink::mail(Manners::Takes);
    let fr = mailing("FR", &sink);
    let served = fr.serve(true);
    // Without a key there is a notice, with the link and nothing of the call.
    add(&fr, "MK", &["--by", "mail+pgp", "--mail", "cert@mk.example"]);
    fr.run(&["audience", "create", "helpers", "--members", "MK"]).good();
    let entry = ask(&fr, "helpers");
    let mail = mail_to(&sink, "cert@mk.example").replace("=\n", "");
    let link = mail.split("https://fr.example:7442").nth(1).unwrap().lines().next().unwrap().trim().to_owned();
    assert!(link.starts_with("/answer/"), "{link}");
    let letter = until("a letter", || {
        let letters = fr.run(&["partner", "letters", "MK", "--json"]).json()["items"].clone();
        letters.get(0).filter(|one| one["fate"] == "noticed").map(|one| one["number"].to_string())
    });
    let code = || {
        let told = fr.run(&["partner", "code", "MK", &letter, "--json"]).json()["code"].as_str().unwrap().to_owned();
        told.replace(' ', "")
    };
    let opens = |link: &str, code: &str| {
        let (status, body) = page(&served, link, Some(&format!("code={code}")));
        assert_eq!(status.contains("200"), body.contains(SECRET), "{body}");
        status.contains("200")
    };
    // The link alone opens nothing, a made-up one looks the same, and before a code was given none fits.
    let (status, form) = page(&served, &link, None);
    assert!(status.contains("200") && !form.contains(SECRET) && !form.contains("FR:"), "{form}");
    let made_up = "/answer/aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let body_of = |answer: String| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body_of(form), body_of(page(&served, made_up, None).1));
    assert!(!opens(&link, "00000000"));
    // Five mistakes use a code up.
    let first = code();
    let wrong = if first == "11111111" { "22222222" } else { "11111111" };
    for _ in 0..5 {
        assert!(!opens(&link, wrong));
    }
    assert!(!opens(&link, &first), "its tries are used up");
    let second = code();
    assert!(!opens(made_up, &second) && opens(&link, &second) && opens(&link, &second));
    let answers = || fr.run(&["assist", "show", &entry, "--json"]).json()["answers"].as_array().unwrap().clone();
    assert!(answers().is_empty(), "reading is no answer");
    let ledger = fr.run(&["ledger", &entry]).good();
    assert!(ledger.contains("guest"), "who reads by the page stands in the ledger: {ledger}");
    // What can't be said is told beside the form, and the code stays good.
    let form = |says: &str, who: &str| format!("code={second}&says={says}&said_by={who}&call=%2B389+2&note=tonight");
    let (_, body) = page(&served, &link, Some(&form("maybe", "%20")));
    assert!(body.contains("said_by") && answers().is_empty(), "{body}");
    let (status, body) = page(&served, &link, Some(&form("yes", "Duty+MK")));
    assert!(status.contains("200") && body.contains("Thank you"), "{body}");
    let answer = answers().remove(0);
    assert_eq!((&answer["provider"], &answer["answer"]), (&"MK".into(), &"yes".into()));
    assert_eq!((&answer["relayed"]["way"], &answer["relayed"]["said_by"]), (&"link".into(), &"Duty MK".into()));
    assert_eq!(answer["relayed"]["taken_by"], "answer page");
    // Once.
    assert!(page(&served, &link, Some(&form("no", "Duty+MK"))).0.contains("401") && !opens(&link, &second));
    assert_eq!(answers()[0]["answer"], "yes");
    fr.run(&["partner", "code", "MK", "99"]).refused(1, "there is no letter 99");
    fr.run(&["verify"]).good();
}

/// Puts a mail into a maildir, as a delivery agent does.
fn deliver(maildir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = write(&maildir.join("tmp"), name, bytes);
    std::fs::rename(path, maildir.join("new").join(name)).unwrap();
}

/// A PGP/MIME mail (RFC 3156 §4) around what gpg gave.
fn pgp_mail(from: &str, armoured: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: <{from}>\r\nSubject: Re: Entraide FR: letter 1\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n\
         --b\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), armoured, b"\r\n--b--\r\n"].concat()
}

#[test]
fn mail_comes_in_is_checked_by_its_key_and_counts_when_a_person_says_so() {
    if !programs() {
        return;
    }
    let sink = Sink::mail(Manners::Takes);
    let (fr, own, md, thief) = (mailing("FR", &sink), People::new(), People::new(), People::new());
    let maildir = fr.dir.path().join("Maildir");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(maildir.join(part)).unwrap();
    }
    own.pgp("node@cert.example", "1y");
    let secret =
        write(fr.dir.path(), "mailbox.key", own.gpg(&["--armor", "--export-secret-keys", "node@cert.example"]));
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let told = std::fs::read_to_string(fr.dir.path().join("entraide.toml")).unwrap();
    write(
        fr.dir.path(),
        "entraide.toml",
        format!("{told}[mailbox]\nmaildir = \"Maildir\"\npgp_key = \"mailbox.key\"\n"),
    );
    let key = md.pgp("cert@md.example", "1y");
    thief.pgp("cert@md.example", "1y");
    let served = fr.serve(true);
    add(&fr, "MD", &["--by", "mail+pgp", "--mail", "cert@md.example", "--key", text(&key)]);
    fr.run(&["audience", "create", "helpers", "--members", "MD"]).good();
    let entry = ask(&fr, "helpers");

    let public = own.gpg(&["--armor", "--export", "node@cert.example"]);
    let seal = |people: &People, more: &[&str], words: &str| {
        let public = write(people.dir.path(), "node.asc", &public);
        people.gpg(&["--import", text(&public)]);
        let plain = write(people.dir.path(), "plain", words);
        let _ = std::fs::remove_file(people.dir.path().join("plain.asc"));
        let to = ["--trust-model", "always", "--armor", "--recipient", "node@cert.example"];
        people.gpg(&[&to[..], more, &["--encrypt", text(&plain)]].concat());
        std::fs::read(people.dir.path().join("plain.asc")).unwrap()
    };
    // The file that came with the letter comes back with the answer.
    let proof = fr.run(&["proof", &entry]).good();
    let inner = format!(
        "Content-Type: multipart/mixed; boundary=\"i\"\n\n--i\nContent-Type: text/plain\n\nYes, two analysts tonight.\n--i\n\
         Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"f\"\n\
         Content-Transfer-Encoding: base64\n\n{}\n--i--\n",
        data_encoding::BASE64.encode(proof.as_bytes())
    );
    deliver(&maildir, "1.good", pgp_mail("cert@md.example", &seal(&md, &["--sign"], &inner)));
    deliver(&maildir, "2.thief", pgp_mail("cert@md.example", &seal(&thief, &["--sign"], "Yes, send us everything.")));
    deliver(&maildir, "3.unsigned", pgp_mail("cert@md.example", &seal(&md, &[], "Yes, but not signed.")));
    deliver(&maildir, "4.plain", "From: cert@md.example\r\nSubject: hi\r\n\r\nYes, in the clear.\r\n");
    deliver(&maildir, "5.large", vec![b'a'; 3 * 1024 * 1024]);
    let mails = || fr.run(&["mailbox", "list", "--json"]).json()["items"].as_array().unwrap().clone();
    until("five mails", || (mails().len() == 5).then_some(()));
    let mail = |signature: &str| mails().into_iter().find(|one| one["signature"] == signature).unwrap();
    let good = mail("good");
    assert_eq!((&good["partner"], &good["encrypted"], &good["state"]), (&"MD".into(), &true.into(), &"waiting".into()));
    assert!(good["text"].as_str().unwrap().contains("two analysts tonight"), "{good}");
    assert!(good["files"][0].as_str().unwrap().starts_with(&format!("{entry}, proven: HELP IS ASKED")), "{good}");
    let stolen = mail("unknown-key");
    assert!(
        stolen["partner"].is_null() && stolen["claims"] == "cert@md.example",
        "the key counts, not the name: {stolen}"
    );
    assert!(mail("unread")["text"].as_str().unwrap().contains("larger than"));
    assert_eq!(mails().iter().filter(|one| one["signature"] == "none").count(), 2);
    assert_eq!(
        (
            std::fs::read_dir(maildir.join("new")).unwrap().count(),
            std::fs::read_dir(maildir.join("cur")).unwrap().count()
        ),
        (0, 5)
    );

    // Nothing was done by itself; what no compared key signed becomes nobody's word.
    let answers = || fr.run(&["assist", "show", &entry, "--json"]).json()["answers"].as_array().unwrap().clone();
    assert!(answers().is_empty());
    let number = |one: &serde_json::Value| one["number"].to_string();
    let relay = |one: &serde_json::Value| {
        let says = ["yes", "--said-by", "I. Popescu", "--call", "+373 22 1", "--line", "1:2:remote"];
        fr.run(&[&["mailbox", "relay", &number(one), &entry][..], &says].concat())
    };
    relay(&stolen).refused(1, "no key that was compared by telephone");
    relay(&mail("none")).refused(1, "no key that was compared by telephone");
    relay(&good).good();
    relay(&good).refused(1, "was relayed already");
    let answer = answers().remove(0);
    assert_eq!((&answer["provider"], &answer["relayed"]["way"]), (&"MD".into(), &"pgp-mail".into()));
    fr.run(&["mailbox", "dismiss", &number(&stolen), "--reason", "not their key"]).good();
    fr.run(&["mailbox", "dismiss", &number(&stolen), "--reason", "again"]).refused(1, "was dismissed already");
    assert_eq!(mails().iter().filter(|one| one["state"] == "waiting").count(), 3);

    // The same mail again is the same mail; the partner gets a letter with what was taken down.
    deliver(&maildir, "6.again", std::fs::read(maildir.join("cur/1.good:2,S")).unwrap());
    until("it was looked at", || maildir.join("cur/6.again:2,S").exists().then_some(()));
    assert_eq!(mails().len(), 5);
    until("the letter", || {
        (fr.run(&["partner", "letters", "MD", "--json"]).json()["items"].as_array().unwrap().len() == 2).then_some(())
    });
    fr.run(&["verify"]).good();
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn mail_under_smime_is_believed_for_the_certificate_that_was_compared() {
    if !programs() {
        return;
    }
    let sink = Sink::mail(Manners::Takes);
    let (fr, own, ua, thief) = (mailing("FR", &sink), People::new(), People::new(), People::new());
    let maildir = fr.dir.path().join("Maildir");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(maildir.join(part)).unwrap();
    }
    let certificate = own.certificate("node@cert.example");
    write(fr.dir.path(), "mailbox.pem", std::fs::read(&certificate).unwrap());
    let secret = write(fr.dir.path(), "mailbox-smime.key", std::fs::read(own.dir.path().join("own.key")).unwrap());
    let told = std::fs::read_to_string(fr.dir.path().join("entraide.toml")).unwrap();
    let more =
        "[mailbox]\nmaildir = \"Maildir\"\nsmime_certificate = \"mailbox.pem\"\nsmime_key = \"mailbox-smime.key\"\n";
    write(fr.dir.path(), "entraide.toml", format!("{told}{more}"));
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let address = program::free_address();
    fr.run(&["serve", "--plain-http", "--listen", &address]).refused(1, "chmod 600");
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let theirs = ua.certificate("cert@ua.example");
    thief.certificate("cert@ua.example");
    let _served = fr.serve(true);
    add(&fr, "UA", &["--by", "mail+smime", "--mail", "cert@ua.example", "--key", text(&theirs)]);
    fr.run(&["audience", "create", "helpers", "--members", "UA"]).good();
    let entry = ask(&fr, "helpers");
    let seal = |people: &People| {
        write(people.dir.path(), "node.pem", std::fs::read(&certificate).unwrap());
        write(people.dir.path(), "plain", "Content-Type: text/plain\r\n\r\nMaybe, call us.\r\n");
        people.run(
            "openssl",
            &["cms", "-sign", "-in", "plain", "-signer", "own.pem", "-inkey", "own.key", "-out", "signed"],
        );
        people.run("openssl", &["cms", "-encrypt", "-aes-256-cbc", "-in", "signed", "-out", "mail", "node.pem"]);
        [
            b"From: <cert@ua.example>\r\nSubject: answer\r\n".to_vec(),
            std::fs::read(people.dir.path().join("mail")).unwrap(),
        ]
        .concat()
    };
    deliver(&maildir, "1.good", seal(&ua));
    deliver(&maildir, "2.thief", seal(&thief));
    let mails = || fr.run(&["mailbox", "list", "--json"]).json()["items"].as_array().unwrap().clone();
    until("two mails", || (mails().len() == 2).then_some(()));
    let by = |partner: serde_json::Value| mails().into_iter().find(|one| one["partner"] == partner).unwrap();
    let (good, stolen) = (by("UA".into()), by(serde_json::Value::Null));
    assert_eq!((&good["signature"], &good["encrypted"]), (&"good".into(), &true.into()), "{good}");
    assert!(good["text"].as_str().unwrap().contains("Maybe, call us"), "{good}");
    assert_eq!(stolen["signature"], "unknown-key", "{stolen}");
    let says = ["maybe", "--said-by", "O. Koval", "--call", "+380 44 1"];
    fr.run(&[&["mailbox", "relay", &good["number"].to_string(), &entry][..], &says].concat()).good();
    let shown = fr.run(&["assist", "show", &entry, "--json"]).json();
    assert_eq!(
        (&shown["answers"][0]["relayed"]["way"], &shown["answers"][0]["answer"]),
        (&"smime-mail".into(), &"maybe".into())
    );
}
