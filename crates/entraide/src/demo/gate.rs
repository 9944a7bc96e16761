//! The gate in the demonstration: where sshd is there and the demonstration is root, a helper of Estonia's comes in by ssh
//! under a mandate, and is thrown out when France takes it back.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use journal::mandate::{GATE_NAME, consent_text};
use journal::note::{self, NoteVerifier};
use model::Citation;
use model::extension::assistance::{AccessKind, Consent, ConsentProof, Helper, Mandate, MandateAction};
use node::Node;
use node::assist::mandate::{self, Draft, MandateStep};
use tokio::time::Instant;

use super::fleet::Member;
use super::report::say;
use super::{DemoError, help, measure};
use crate::gate::authority::Authority;
use crate::gate::config::{Config, is_plain};
use crate::gate::daemon::Daemon;
use crate::gate::door;
use crate::machine::MachineRandom;

/// What sshd and an account of its own need on this machine.
const PROGRAMS: [&str; 5] =
    ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/sbin/useradd", "/usr/bin/setsid"];

/// Plays it under an agreement in force, and says how long it took until the helper was in; `None` where it can't be.
pub(super) async fn play(france: &Member, estonia: &Node, taken: &Citation) -> Result<Option<Duration>, DemoError> {
    if !can_play() {
        say(
            "    left out: a helper who comes in by ssh (it needs root, openssh-server, a TMPDIR that others may pass)",
        );
        return Ok(None);
    }
    let begun = Instant::now();
    let at = DemoError::at("a helper comes in by ssh");
    let gateway = blocking(Gateway::open).await?;
    let place = drafted(france.node(), taken).await?;
    let config = asked(france, estonia, &place, &gateway).await?;
    let daemon = Daemon::new(config.clone(), france.machine()).map_err(|error| at(&error))?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let guarding = tokio::spawn(daemon.run(async move { drop(stopped.await) }, || {}));
    measure::until("the gate hears that the mandate stands", || async {
        let id = &config.mandates[0].id;
        Ok(door::standing(&config, id, france.node().now()).is_ok())
    })
    .await?;
    let (gateway, mut inside) = blocking(move || enters(gateway, &config)).await?;
    let access = begun.elapsed();
    say(&format!(
        "    by a mandate that the hospital has signed, Estonia's helper is in its gateway by ssh after {} ms",
        access.as_millis()
    ));
    let begun = Instant::now();
    step(france.node(), &place, MandateStep::Revoke(Some("done".to_owned()))).await?;
    blocking(move || inside.wait().map_err(|error| error.to_string())).await?;
    say(&format!(
        "    France takes the mandate back: the helper is thrown out after {} ms",
        begun.elapsed().as_millis()
    ));
    // Its other end is the daemon's; when that has gone there is nobody to tell.
    let _ = stop.send(());
    guarding.await.map_err(|error| at(&error))?.map_err(|error| at(&error))?;
    blocking(move || {
        drop(gateway);
        Ok(())
    })
    .await?;
    Ok(Some(access))
}

fn can_play() -> bool {
    let root = fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t0\t")));
    let place = std::env::temp_dir();
    // The helper's account has to reach the program there, and a folder of root's own lets nobody pass.
    let passable =
        place.ancestors().all(|dir| fs::metadata(dir).is_ok_and(|dir| dir.permissions().mode() & 0o001 != 0));
    root && is_plain(&place) && passable && PROGRAMS.iter().all(|program| Path::new(program).exists())
}

/// Programs of the system are waited for beside the nodes, which share this process.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, DemoError> {
    let at = DemoError::at("a helper comes in by ssh");
    tokio::task::spawn_blocking(work).await.map_err(|error| at(&error))?.map_err(|error| at(&error))
}

async fn drafted(france: &Node, taken: &Citation) -> Result<Citation, DemoError> {
    let at = DemoError::at("France drafts a mandate");
    let draft = Draft {
        entity: "hospital group (invented)".to_owned(),
        access: AccessKind::Ssh,
        systems: vec!["mail1".parse().map_err(|error: String| at(&error))?],
        actions: vec![MandateAction::Read],
        from: None,
        until: france.now().plus_seconds(8 * 3_600),
        hours: None,
        data_limits: Some("nothing leaves the gateway".to_owned()),
        revokers: "security officer (invented)".to_owned(),
        team: "one analyst".to_owned(),
    };
    let taken = taken.clone();
    let said = france.write(move |work| mandate::draft(work, &taken, &draft)).await.map_err(|error| at(&error))?;
    help::own(france, &said)
}

async fn step(france: &Node, place: &Citation, next: MandateStep) -> Result<Option<String>, DemoError> {
    let place = place.clone();
    let said = france.write(move |work| mandate::step(work, &place, next)).await;
    Ok(said.map_err(|error| DemoError::at("France says a mandate")(&error))?.token)
}

/// The mandate as a node sees it, once it does.
async fn seen(node: &Node, place: &Citation) -> Result<Option<(Mandate, bool)>, DemoError> {
    let case = help::case(node, place).await?;
    let agreements = case.iter().flat_map(|case| &case.offers).flat_map(|offer| &offer.agreements);
    let known = agreements.flat_map(|agreed| &agreed.mandates).find(|known| known.stands_at(place));
    Ok(known.map(|known| (known.mandate.clone(), known.named.is_some())))
}

/// Estonia names its helper, the hospital signs, France activates.
async fn asked(france: &Member, estonia: &Node, place: &Citation, gateway: &Gateway) -> Result<Config, DemoError> {
    let at = DemoError::at("a mandate runs");
    measure::until("the mandate arrives", || async { Ok(seen(estonia, place).await?.is_some()) }).await?;
    let key = fs::read_to_string(gateway.dir.join("id.pub")).map_err(|error| at(&error))?;
    let key = key.parse().map_err(|error: String| at(&error))?;
    let (cited, helpers) = (place.clone(), [Helper { role: "forensics 1".to_owned(), key }]);
    let named = estonia.write(move |work| mandate::name_helpers(work, &cited, &helpers)).await;
    named.map_err(|error| at(&error))?;
    let node = france.node();
    measure::until("the helper is named", || async { Ok(seen(node, place).await?.is_some_and(|(_, named)| named)) })
        .await?;
    let token = step(node, place, MandateStep::Gate).await?.ok_or_else(|| at(&"no token came"))?;
    let (drafted, _) = seen(node, place).await?.ok_or_else(|| at(&"it is not there"))?;
    let config = gateway.write(france, drafted.word(), &token).map_err(|error| at(&error))?;
    let authority = Authority::of(&config);
    let mut random = MachineRandom::new().map_err(|error| at(&error))?;
    authority.make(&mut random).map_err(|error| at(&error))?;
    let by = "security officer (invented)".to_owned();
    let text = consent_text(drafted.word(), &drafted.terms(), &by);
    let note = note::sign(&text, GATE_NAME, &authority.consent_key().map_err(|error| at(&error))?);
    let key = authority.own().map_err(|error| at(&error))?.to_string();
    let consent = Consent { by, at: node.now(), proof: ConsentProof::Signed { key, note } };
    step(node, place, MandateStep::Consent(consent)).await?;
    step(node, place, MandateStep::Activate).await?;
    Ok(config)
}

/// The gateway of the hospital group: sshd with an account of its own, for as long as this takes.
struct Gateway {
    dir: PathBuf,
    /// Of the account and of its group.
    name: String,
    port: u16,
    sshd: Option<Child>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(sshd) = &mut self.sshd {
            let _ = sshd.kill();
            let _ = sshd.wait();
        }
        for (program, how) in [("userdel", &["-f"][..]), ("groupdel", &[])] {
            let _ = Command::new(program).args(how).arg(&self.name).stderr(Stdio::null()).status();
        }
        // The directory is the demonstration's own; what can't be removed is left to the system's clean-up.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl Gateway {
    fn open() -> Result<Self, String> {
        let told = |error: std::io::Error| error.to_string();
        let dir = std::env::temp_dir().join(format!("entraide-gate-{}", std::process::id()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(told)?;
        let port = listener.local_addr().map_err(told)?.port();
        let name = format!("entraide-demo{}", std::process::id());
        let made = Self { dir, name, port, sshd: None };
        fs::create_dir(&made.dir).map_err(told)?;
        fs::set_permissions(&made.dir, fs::Permissions::from_mode(0o755)).map_err(told)?;
        // The account runs the program, and may not enter the folder where it was built.
        let program = std::env::current_exe().map_err(told)?;
        fs::copy(program, made.program()).map_err(told)?;
        run(Command::new("groupadd").arg(&made.name))?;
        let account = ["-M", "-N", "-g", &made.name, "-d", "/", "-s", "/bin/sh", "-p", "*", &made.name];
        run(Command::new("useradd").args(account))?;
        for key in ["id", "host"] {
            let file = made.dir.join(key);
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file))?;
        }
        Ok(made)
    }

    fn program(&self) -> PathBuf {
        self.dir.join("entraide")
    }

    /// Writes the gate's file, as an administrator does.
    fn write(&self, france: &Member, id: &str, token: &str) -> Result<Config, String> {
        let identity = &france.node().me().identity;
        let origin = identity.origin.to_string();
        let key = ed25519_dalek::VerifyingKey::from_bytes(&identity.witness_key).map_err(|error| error.to_string())?;
        let key = NoteVerifier::witness(&origin, key).map_err(|error| error.to_string())?;
        let (dir, name, url) = (self.dir.display(), &self.name, france.web);
        let text = format!(
            "url = \"http://{url}\"\norigin = \"{origin}\"\nkeys = \"{dir}/nation.keys\"\nstate = \"{dir}/state\"\n\
             group = \"{name}\"\n[[mandate]]\nid = \"{id}\"\ntoken = \"{dir}/token\"\n[[mandate.way]]\n\
             system = \"mail1\"\naction = \"read\"\naccount = \"{name}\"\n"
        );
        let file = self.dir.join("gate.toml");
        for (path, text) in [("nation.keys", key.to_string()), ("token", token.to_owned()), ("gate.toml", text)] {
            let path = self.dir.join(path);
            fs::write(&path, text).map_err(|error| error.to_string())?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(|error| error.to_string())?;
        }
        Config::read(&file).map_err(|error| error.to_string())
    }

    fn listen(&mut self, config: &Config) -> Result<(), String> {
        let told = |error: std::io::Error| error.to_string();
        fs::create_dir_all("/run/sshd").map_err(told)?;
        // What sshd runs itself must lie where root alone writes, which a folder for what passes is not.
        let lines = door::sshd_lines(config, &self.program()).replace("Command /", "Command /usr/bin/env /");
        let (port, host) = (self.port, self.dir.join("host"));
        let head =
            format!("Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM no\n", host.display());
        let file = self.dir.join("sshd_config");
        fs::write(&file, head + &lines).map_err(told)?;
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        self.sshd = Some(command.spawn().map_err(told)?);
        for _ in 0..200 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err("sshd does not listen".to_owned())
    }

    fn ssh(&self) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-p", &self.port.to_string(), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]);
        command.args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=QUIET"]);
        command.arg("-i").arg(self.dir.join("id")).stdin(Stdio::null());
        command
    }
}

/// The helper fetches a certificate and comes in.
fn enters(mut gateway: Gateway, config: &Config) -> Result<(Gateway, Child), String> {
    gateway.listen(config)?;
    let at = format!("{}@127.0.0.1", gateway.name);
    let certificate = run(gateway.ssh().arg(&at))?;
    let file = gateway.dir.join("id-cert.pub");
    fs::write(&file, certificate).map_err(|error| error.to_string())?;
    let mut command = gateway.ssh();
    command.args(["-o", &format!("CertificateFile={}", file.display()), &at, "echo inside; sleep 600"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line).map_err(|error| error.to_string())?;
    }
    if line == "inside\n" { Ok((gateway, child)) } else { Err("the helper did not come in".to_owned()) }
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
