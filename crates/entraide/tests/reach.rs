//! Partners without a node: who they are, what goes to them by encrypted mail, and what they answer, with the real gpg and
//! openssl, a mail server and mailboxes of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use std::path::{Path, PathBuf};
use std::process::Command;

use program::{Node, peer, write};

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
