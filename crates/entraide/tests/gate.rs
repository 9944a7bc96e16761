//! The gate behind a real sshd, with the real ssh: helpers come in within what their mandate says and nowhere else, and are
//! thrown out by revocation, by the kill switch, and by a node that is silent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod program;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use program::{Did, Node, Served, free_address, heard, peer, said, until, write};
use serde_json::Value;

fn can_run() -> bool {
    let missing: Vec<&str> =
        ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/sbin/useradd", "/usr/bin/setsid"]
            .into_iter()
            .filter(|program| !PathBuf::from(program).exists())
            .collect();
    if !missing.is_empty() {
        println!(
            "SKIPPED: {} is missing (Debian: openssh-server, openssh-client): no helper came in by ssh",
            missing[0]
        );
        return false;
    }
    let root = fs::read_to_string("/proc/self/status").unwrap().lines().any(|line| line.starts_with("Uid:\t0\t0\t"));
    if !root {
        println!("SKIPPED: not root: no sshd with accounts of its own could be run, so no helper came in");
    }
    root
}

#[expect(clippy::disallowed_methods, reason = "how long it takes until a helper is out is what is promised")]
fn now() -> Instant {
    Instant::now()
}

fn good(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn time(from_now: &str) -> String {
    good(Command::new("date").args(["-u", "-d", from_now, "+%Y-%m-%dT%H:%M:%SZ"])).trim().to_owned()
}

/// Accounts of this machine for as long as the test runs.
struct Accounts {
    group: String,
    names: Vec<String>,
}

impl Accounts {
    fn new(count: usize) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let group = format!("eg{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut made = Self { group: group.clone(), names: Vec::new() };
        // Other tests write the machine's lists of accounts too: whoever finds them locked tries again.
        let again = |program: &str, args: &[&str]| {
            until("an account", || Command::new(program).args(args).status().unwrap().success().then_some(()));
        };
        again("groupadd", &[&group]);
        for at in 0..count {
            let name = format!("{group}n{at}");
            again("useradd", &["-M", "-N", "-g", &group, "-d", "/", "-s", "/bin/sh", "-p", "*", &name]);
            made.names.push(name);
        }
        made
    }

    /// How many processes an account has.
    fn processes(&self, at: usize) -> usize {
        let listed = Command::new("ps").args(["-o", "pid=", "-u", &self.names[at]]).output().unwrap();
        String::from_utf8(listed.stdout).unwrap().lines().count()
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        for name in &self.names {
            // What a test that failed left running.
            let _ = Command::new("pkill").args(["-KILL", "-u", name]).status();
            let _ = Command::new("userdel").arg("-f").arg(name).stderr(Stdio::null()).status();
        }
        let _ = Command::new("groupdel").arg(&self.group).stderr(Stdio::null()).status();
    }
}

struct Sshd(Child);

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A mandate of the test: what its draft says, what the gate's file says of it.
struct Wanted {
    more: Vec<String>,
    ways: Vec<(&'static str, &'static str)>,
    signed: bool,
}

fn wanted(ways: &[(&'static str, &'static str)], from: Option<&str>, until: &str) -> Wanted {
    let mut more = vec!["--until".to_owned(), time(until)];
    if let Some(from) = from {
        more.extend(["--from".to_owned(), time(from)]);
    }
    Wanted { more, ways: ways.to_vec(), signed: true }
}

/// France is hit, Estonia helps, and the hospital has a gateway.
struct World {
    // The order in which they end: whoever is in, then the door, then the nodes, then the accounts.
    daemon: Option<Served>,
    _sshd: Sshd,
    fr_served: Option<Served>,
    _ee_served: Served,
    fr: Node,
    dir: tempfile::TempDir,
    port: String,
    mandates: Vec<(String, String)>,
    accounts: Accounts,
}

impl World {
    fn start(wanted: &[Wanted]) -> Self {
        let [fr, ee] = ["FR", "EE"].map(Node::new);
        let [fr_served, ee_served] = [&fr, &ee].map(|node| node.serve(true));
        peer(&fr, &ee);
        let taken = agreed(&fr, &ee);
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Accounts of the gateway run it, and can't enter the folder in which it was built.
        fs::copy(env!("CARGO_BIN_EXE_entraide"), dir.path().join("entraide")).unwrap();
        for name in ["id", "stranger"] {
            good(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(dir.path().join(name)));
        }
        let accounts = Accounts::new(wanted.iter().map(|one| one.ways.len()).sum());
        let mandates: Vec<(String, String)> = wanted.iter().map(|one| draft(&fr, &taken, one)).collect();
        let config = gate_file(&fr, &fr_served.url, dir.path(), &accounts, wanted, &mandates);
        let gate =
            |args: &[&str]| good(Command::new(dir.path().join("entraide")).args(args).args(["--config", &config]));
        let lines = gate(&["gate", "init"]);
        let port = free_address().rsplit(':').next().unwrap().to_owned();
        let sshd = sshd(dir.path(), &port, &lines);
        let key = fs::read_to_string(dir.path().join("id.pub")).unwrap();
        for (at, (entry, id)) in mandates.iter().enumerate() {
            heard(&ee, entry);
            ee.run(&["mandate", "helpers", entry, "--helper", &format!("forensics 1={}", key.trim())]).good();
            until("named", || (!mandate(&fr, entry)["named"][0].is_null()).then_some(()));
            if wanted[at].signed {
                assert!(gate(&["gate", "consent", id]).contains("nothing was signed"));
                let signed = write(dir.path(), "consent.json", gate(&["gate", "consent", id, "--by", "C. D., CISO"]));
                fr.run(&["mandate", "consent", entry, "--signed", &signed.display().to_string()]).good();
                assert_eq!(mandate(&fr, entry)["consent"]["how"], "signed");
            } else {
                fr.run(&["mandate", "consent", entry, "--by", "C. D.", "--recorded-by", "duty officer"]).good();
            }
            fr.run(&["mandate", "activate", entry]).good();
        }
        let mut world = Self {
            daemon: None,
            _sshd: sshd,
            fr_served: Some(fr_served),
            _ee_served: ee_served,
            fr,
            dir,
            port,
            mandates,
            accounts,
        };
        world.guard();
        world
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn guard(&mut self) {
        let config = self.path("gate.toml");
        let mut command = Command::new(self.dir.path().join("entraide"));
        self.daemon = Some(Served::of(command.args(["gate", "run", "--config", &config]).stderr(Stdio::null())));
    }

    fn gate(&self, args: &[&str]) -> Did {
        let config = self.path("gate.toml");
        let mut command = Command::new(self.dir.path().join("entraide"));
        Did::of(&command.arg("gate").args(args).args(["--config", &config]).output().unwrap())
    }

    /// Why nobody comes in by a mandate; `None` if helpers do.
    fn shut(&self, at: usize) -> Option<String> {
        let all = self.gate(&["show", "--json"]).json();
        (all[at]["stands"] != true).then(|| all[at]["says"].as_str().unwrap().to_owned())
    }

    fn stands(&self, at: usize) {
        until("the mandate stands", || self.shut(at).is_none().then_some(()));
    }

    fn ssh(&self, key: &str, account: usize) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-p", &self.port, "-i", &self.path(key), "-o", "IdentitiesOnly=yes"]);
        command.args(["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
        command.args(["-o", "LogLevel=ERROR", "-o", "ConnectTimeout=30"]);
        let certificate = self.path(&format!("{key}-cert.pub"));
        if PathBuf::from(&certificate).exists() {
            command.args(["-o", &format!("CertificateFile={certificate}")]);
        }
        command.arg(format!("{}@127.0.0.1", self.accounts.names[account]));
        command
    }

    /// Fetches a certificate, by which this test comes in from then on. One of before would open a session.
    fn certificate(&self, account: usize) -> Did {
        let file = self.dir.path().join("id-cert.pub");
        let _ = fs::remove_file(&file);
        let did = Did::of(&self.ssh("id", account).stdin(Stdio::null()).output().unwrap());
        if did.code == 0 {
            fs::write(file, &did.out).unwrap();
        }
        did
    }

    fn run(&self, account: usize, command: &str) -> Did {
        Did::of(&self.ssh("id", account).arg(command).stdin(Stdio::null()).output().unwrap())
    }

    /// A session that stays, and has left something running behind itself.
    fn stay(&self, account: usize) -> Inside {
        let mut command = self.ssh("id", account);
        command.arg("setsid sleep 600 </dev/null >/dev/null 2>&1 & echo inside; sleep 600");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert_eq!(line, "inside\n");
        assert!(self.accounts.processes(account) >= 3);
        Inside { child, account }
    }

    fn recordings(&self) -> String {
        let files = fs::read_dir(self.dir.path().join("state/sessions")).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("sshd says:\n{}", fs::read_to_string(self.path("sshd.log")).unwrap_or_default());
        }
    }
}

struct Inside {
    child: Child,
    account: usize,
}

impl Inside {
    /// It ends by itself, with everything that it left behind; how long that took.
    fn ends(mut self, world: &World, begun: Instant) -> Duration {
        until("the session ends", || self.child.try_wait().unwrap());
        until("what it left behind ends", || (world.accounts.processes(self.account) == 0).then_some(()));
        begun.elapsed()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn agreed(fr: &Node, ee: &Node) -> String {
    fr.run(&["audience", "create", "helpers", "--members", "EE"]).good();
    let base = ["assist", "ask", "--name", "Hospital group", "--call", "duty", "--by", "2099-01-01T00:00:00Z"];
    let to = ["--label", "amber", "--audience", "helpers", "--need", "forensics:2", "--json"];
    let request = said(&fr.run(&[&base[..], &to].concat()).json());
    heard(ee, &request);
    let offer = said(&ee.run(&["assist", "reply", &request, "yes", "--call", "EE duty", "--json"]).json());
    heard(fr, &offer);
    let taken = said(&fr.run(&["assist", "accept", &offer, "--json"]).json());
    heard(ee, &taken);
    ee.run(&["assist", "sign", &taken]).good();
    let state = || fr.run(&["assist", "show", &taken, "--json"]).json()["answers"][0]["agreements"][0]["state"].take();
    until("in force", || (state() == "in force").then_some(()));
    taken
}

/// The entry and the UUID of a drafted mandate.
fn draft(fr: &Node, taken: &str, one: &Wanted) -> (String, String) {
    let args = ["mandate", "draft", taken, "--entity", "hospital group", "--system", "mail1", "--action", "read"];
    let who = ["--revokers", "C. D., +33 1", "--team", "two analysts", "--send", "--json"];
    let more: Vec<&str> = one.more.iter().map(String::as_str).collect();
    let entry = said(&fr.run(&[&args[..], &who, &more].concat()).json());
    let id = mandate(fr, &entry)["mandate"].as_str().unwrap().to_owned();
    (entry, id)
}

fn mandate(node: &Node, entry: &str) -> Value {
    node.run(&["mandate", "show", entry, "--json"]).json()
}

fn gate_file(
    fr: &Node,
    url: &str,
    dir: &std::path::Path,
    accounts: &Accounts,
    wanted: &[Wanted],
    mandates: &[(String, String)],
) -> String {
    let at = |name: &str| dir.join(name).display().to_string();
    fs::write(at("nation.keys"), fr.run(&["witness", "keys"]).good()).unwrap();
    let origin = fr.facts["origin"].as_str().unwrap();
    let (keys, state, group) = (at("nation.keys"), at("state"), &accounts.group);
    let mut text = format!(
        "url = \"{url}\"\norigin = \"{origin}\"\nkeys = \"{keys}\"\nstate = \"{state}\"\ngroup = \"{group}\"\n"
    );
    let mut names = accounts.names.iter();
    for (one, (entry, id)) in wanted.iter().zip(mandates) {
        let token = fr.run(&["mandate", "token", entry, "--json"]).json()["token"].as_str().unwrap().to_owned();
        let file = write(dir, &format!("{id}.token"), token);
        text.push_str(&format!("[[mandate]]\nid = \"{id}\"\ntoken = \"{}\"\n", file.display()));
        for (system, action) in &one.ways {
            let account = names.next().unwrap();
            text.push_str(&format!(
                "[[mandate.way]]\nsystem = \"{system}\"\naction = \"{action}\"\naccount = \"{account}\"\n"
            ));
        }
    }
    write(dir, "gate.toml", text).display().to_string()
}

fn sshd(dir: &std::path::Path, port: &str, lines: &str) -> Sshd {
    fs::create_dir_all("/run/sshd").unwrap();
    let host = dir.join("host");
    good(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&host));
    // What sshd runs itself must lie where root alone writes, which the folder of a test is not.
    let lines = lines.replace("Command /", "Command /usr/bin/env /");
    let host = host.display();
    let config = format!("Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile none\nUsePAM no\n{lines}");
    let config = write(dir, "sshd_config", config);
    good(Command::new("/usr/sbin/sshd").arg("-t").arg("-f").arg(&config));
    let log = fs::File::create(dir.join("sshd.log")).unwrap();
    let sshd = Sshd(Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f"]).arg(&config).stderr(log).spawn().unwrap());
    let address = format!("127.0.0.1:{port}");
    until("sshd listens", || std::net::TcpStream::connect(&address).ok());
    sshd
}

#[test]
fn helpers_come_in_within_hours_and_actions_and_nowhere_else_and_revocation_throws_them_out() {
    if !can_run() {
        return;
    }
    let ways = [("mail1", "read"), ("mail1", "contain"), ("files", "read")];
    let mut unsigned = wanted(&[("mail1", "read")], None, "+1 day");
    unsigned.signed = false;
    let world = World::start(&[
        wanted(&ways, None, "+1 day"),
        unsigned,
        wanted(&[("mail1", "read")], Some("+1 hour"), "+1 day"),
        wanted(&[("mail1", "read")], None, "+90 seconds"),
    ]);
    let [open, contain, files, unsigned, early, short] = [0, 1, 2, 3, 4, 5];
    world.stands(0);
    world.stands(3);

    // A key alone opens nothing but the way to a certificate of ten minutes, for one mandate, without forwarding.
    let certificate = world.certificate(open).good();
    let shown = good(Command::new("ssh-keygen").arg("-L").arg("-f").arg(world.path("id-cert.pub")));
    assert!(certificate.starts_with("ssh-ed25519-cert-v01@openssh.com "), "{certificate}");
    let id = &world.mandates[0].1;
    assert!(shown.contains(&format!("{id}:mail1:read\n")) && !shown.contains("contain") && !shown.contains("files"));
    let extensions = shown.split("Extensions:").nth(1).unwrap();
    assert_eq!(extensions.split_whitespace().collect::<Vec<_>>(), ["permit-pty"]);
    let valid = shown.lines().find(|line| line.contains("Valid: from ")).unwrap();
    let seconds: Vec<i64> = [3, 5]
        .map(|at| valid.split_whitespace().nth(at - 1).unwrap())
        .map(|at| good(Command::new("date").args(["-d", at, "+%s"])).trim().parse().unwrap())
        .into();
    assert!(seconds[1] - seconds[0] <= 600, "{valid}");

    // In, by what is allowed; what was shown is written down on the entity's side.
    assert_eq!(
        world.run(open, "id -un; echo seen-$((40 + 2))").good(),
        format!("{}\nseen-42\n", world.accounts.names[open])
    );
    assert_eq!(world.run(open, "exit 7").code, 7);
    until("recorded", || world.recordings().contains("seen-42").then_some(()));
    let mut typed = world.ssh("id", open).arg("-tt").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    typed.stdin.take().unwrap().write_all(b"tty; echo typed-$((40 + 3))\nexit\n").unwrap();
    let mut shown = String::new();
    typed.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert!(typed.wait().unwrap().success() && shown.contains("/dev/pts/") && shown.contains("typed-43"), "{shown}");
    until("recorded", || world.recordings().contains("typed-43").then_some(()));

    // Not another action, not another system, not without the entity's signature, not before.
    for (account, why) in [(contain, "action"), (files, "system"), (unsigned, "consent"), (early, "time")] {
        assert_eq!(world.run(account, "id").code, 255, "{why}");
        assert_eq!(Did::of(&world.ssh("id", account).stdin(Stdio::null()).output().unwrap()).code, 255, "{why}");
    }
    assert!(world.shut(1).unwrap().contains("has not consented") && world.shut(2).unwrap().contains("not its time"));
    let stranger = Did::of(&world.ssh("stranger", open).arg("id").stdin(Stdio::null()).output().unwrap());
    assert_eq!((stranger.code, stranger.out.as_str()), (255, ""));
    // And from there nowhere: neither through the gateway nor back.
    let through = Did::of(&world.ssh("id", open).args(["-W", &format!("127.0.0.1:{}", world.port)]).output().unwrap());
    assert!(through.code == 255 && !through.out.contains("SSH-2.0"), "{}", through.out);
    let mut back = world.ssh("id", open);
    back.args(["-N", "-R", "0:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes"]);
    assert_eq!(Did::of(&back.stdin(Stdio::null()).output().unwrap()).code, 255);

    // Taken back: nobody comes in, whoever is in is thrown out, and what was left behind ends. Whoever comes by another
    // mandate stays.
    world.certificate(short).good();
    let other = world.stay(short);
    world.certificate(open).good();
    let inside = world.stay(open);
    let begun = now();
    world.fr.run(&["mandate", "revoke", &world.mandates[0].0, "--reason", "done"]).good();
    let took = inside.ends(&world, begun);
    println!("thrown out after {} ms", took.as_millis());
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert_eq!(world.run(open, "id").code, 255);
    assert_eq!(world.certificate(open).code, 255);
    assert!(world.shut(0).unwrap().contains("does not stand now"));
    assert!(world.accounts.processes(short) >= 3, "another mandate's helper was thrown out");
    // Its own time is over: nobody has to say so.
    until("its time is over", || {
        std::thread::sleep(Duration::from_millis(300));
        world.shut(3).filter(|shut| shut.contains("not its time"))
    });
    other.ends(&world, now());
    assert_eq!(world.certificate(short).code, 255);
}

#[test]
fn the_kill_switch_works_with_the_node_down_and_the_daemon_stopped() {
    if !can_run() {
        return;
    }
    let mut world = World::start(&[wanted(&[("mail1", "read")], None, "+1 day")]);
    world.stands(0);
    world.certificate(0).good();
    let inside = world.stay(0);
    let begun = now();
    world.fr_served.take().unwrap().kill();
    world.daemon.as_ref().unwrap().signal("-STOP");
    world.gate(&["kill", "no-such-mandate"]).refused(1, "not a mandate of this gate");
    assert!(world.gate(&["kill", &world.mandates[0].1]).good().contains("processes were ended"));
    inside.ends(&world, begun);
    assert_eq!(world.run(0, "id").code, 255);
    assert!(world.shut(0).unwrap().contains("kill switch"));

    // The switch of all is another than that of one, and each is taken back by itself.
    world.daemon.as_ref().unwrap().signal("-CONT");
    world.gate(&["kill", "--all"]).good();
    world.gate(&["allow", &world.mandates[0].1]).good();
    assert!(world.shut(0).unwrap().contains("kill switch"));
    world.gate(&["allow", "--all"]).good();
    assert!(!world.shut(0).is_some_and(|shut| shut.contains("kill switch")));
}

#[test]
fn nobody_comes_in_on_the_word_of_a_silent_node_nor_stays_longer_than_its_lease() {
    if !can_run() {
        return;
    }
    let mut world = World::start(&[wanted(&[("mail1", "read")], None, "+1 day")]);
    world.stands(0);
    world.certificate(0).good();
    let inside = world.stay(0);
    let begun = now();
    world.fr_served.take().unwrap().kill();
    // Within the lease, and yet no session begins: nobody knows whether it was taken back a moment ago.
    std::thread::sleep(Duration::from_secs(4));
    let refused = world.run(0, "id");
    assert!(refused.code != 0 && refused.out.is_empty(), "{}", refused.out);
    let took = inside.ends(&world, begun);
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert!(world.shut(0).unwrap().contains("the node is not reached"));

    // A daemon that stops leaves nobody inside, and where none runs nobody comes in.
    assert_eq!(world.daemon.take().unwrap().stop(), Some(0));
    assert_eq!(world.run(0, "id").code, 255);
}
