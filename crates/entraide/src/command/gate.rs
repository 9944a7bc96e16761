//! `gate`: what an entity runs at its own gateway behind sshd. None of it needs a node's directory.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use journal::mandate::consent_text;
use journal::note;
use model::extension::assistance::Mandate;
use node::ports::Clock;
use serde_json::{Value, json as object_of};
use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use super::failure::refused;
use super::print::{clean, json, line, raw};
use crate::client::Ask;
use crate::gate::authority::Authority;
use crate::gate::config::{Config, PATH};
use crate::gate::daemon::Daemon;
use crate::gate::{GateError, door, lease, session};
use crate::machine::MachineRandom;

/// `gate …`.
#[derive(Debug, Subcommand)]
pub enum GateCommand {
    /// Make the gate's keys, and print what goes into sshd's own file; keys that are there stay
    Init(FileArgs),
    /// Show the terms of a mandate; with --by sign the entity's consent to them, on standard output
    Consent(ConsentArgs),
    /// Run the daemon: renew leases, begin and record sessions, end those whose mandate does not stand
    Run(FileArgs),
    /// Say of each mandate whether helpers may act now, or why not
    Show(FileArgs),
    /// Let nobody in and end every session; needs neither node nor daemon
    Kill(SwitchArgs),
    /// Take the kill switch back
    Allow(SwitchArgs),
    /// For sshd: which keys may fetch a certificate into an account
    #[command(hide = true)]
    Keys(AskedArgs),
    /// For sshd: by which principal an account is entered
    #[command(hide = true)]
    Principals(AskedArgs),
    /// For sshd: a helper's session
    #[command(hide = true)]
    Session(ForcedArgs),
    /// For sshd: a helper's certificate
    #[command(hide = true)]
    Certificate(ForcedArgs),
}

/// Which gate.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The gate's file
    #[arg(long, value_name = "FILE", default_value = PATH)]
    config: PathBuf,
}

/// `gate consent`.
#[derive(Debug, Args)]
pub struct ConsentArgs {
    #[command(flatten)]
    file: FileArgs,
    /// The mandate's UUID
    mandate: String,
    /// Who consents for the entity: name and function
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
}

/// `gate kill`, `gate allow`.
#[derive(Debug, Args)]
pub struct SwitchArgs {
    #[command(flatten)]
    file: FileArgs,
    /// The mandate's UUID
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    mandate: Option<String>,
    /// Every mandate
    #[arg(long)]
    all: bool,
}

/// What sshd names.
#[derive(Debug, Args)]
pub struct AskedArgs {
    #[command(flatten)]
    file: FileArgs,
    /// The account
    account: String,
    /// The key, or the id of the certificate
    key: String,
}

/// What a key's options name.
#[derive(Debug, Args)]
pub struct ForcedArgs {
    /// The daemon's socket
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// The helper's key
    key: String,
}

impl From<GateError> for Failure {
    fn from(error: GateError) -> Self {
        refused(error)
    }
}

pub(super) async fn gate(command: &GateCommand, clock: Arc<dyn Clock>, as_json: bool) -> Result<(), Failure> {
    match command {
        GateCommand::Init(args) => init(args),
        GateCommand::Consent(args) => consent(args).await,
        GateCommand::Run(args) => run(args, clock).await,
        GateCommand::Show(args) => show(args, clock.as_ref(), as_json),
        GateCommand::Kill(args) => {
            let ended = door::kill(&Config::read(&args.file.config)?, args.mandate.as_deref())?;
            line(&format!("nobody comes in until `entraide gate allow`; {ended} processes were ended"))
        }
        GateCommand::Allow(args) => {
            door::allow(&Config::read(&args.file.config)?, args.mandate.as_deref())?;
            line("helpers come in again as far as the mandate stands")
        }
        GateCommand::Keys(args) => {
            let config = Config::read(&args.file.config)?;
            line(&door::keys(&config, &program()?, &args.account, &args.key, clock.now())?)
        }
        GateCommand::Principals(args) => {
            let config = Config::read(&args.file.config)?;
            line(&door::principals(&config, &program()?, &args.account, &args.key, clock.now())?)
        }
        GateCommand::Certificate(args) => raw(session::certificate(&args.socket, &args.key)?.as_bytes()),
        GateCommand::Session(args) => {
            let asked = std::env::var("SSH_ORIGINAL_COMMAND").ok().filter(|asked| !asked.is_empty());
            let shell = std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned());
            let code = session::run(&args.socket, &args.key, asked, &shell)?;
            // The helper's ssh ends as what it ran did; nothing is left to be tidied here.
            std::process::exit(i32::from(code))
        }
    }
}

fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(refused)
}

fn init(args: &FileArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let authority = Authority::of(&config);
    authority.make(&mut MachineRandom::new().map_err(refused)?)?;
    line(&format!("# The key with which the entity consents: {}", authority.own()?))?;
    line("# Into sshd's own file; then: sshd -t, and let sshd read it again.")?;
    raw(door::sshd_lines(&config, &program()?).as_bytes())
}

async fn consent(args: &ConsentArgs) -> Result<(), Failure> {
    let config = Config::read(&args.file.config)?;
    let one = config.mandate(&args.mandate)?;
    let bytes = config.client(one)?.bytes(&Ask::get(format!("/leases/{}", one.id))).await?;
    let (_, mandate, _) = lease::opened(&config, &one.id, &String::from_utf8_lossy(&bytes)).map_err(refused)?;
    let Some(by) = &args.by else { return terms(&mandate) };
    let authority = Authority::of(&config);
    let text = consent_text(&one.id, &mandate.terms(), by);
    let note = note::sign(&text, journal::mandate::GATE_NAME, &authority.consent_key()?);
    json(&object_of!({ "by": by, "key": authority.own()?.to_string(), "note": note }))
}

fn terms(mandate: &Mandate) -> Result<(), Failure> {
    let words = |words: Vec<String>| words.join(", ");
    let systems = words(mandate.systems.iter().map(ToString::to_string).collect());
    let actions = words(mandate.actions.iter().map(ToString::to_string).collect());
    line(&format!("{}, {} at {}", mandate.word(), mandate.phase, clean(&mandate.entity)))?;
    line(&format!("  {}: {actions} on {systems}", mandate.access))?;
    let hours = mandate.hours.map(|hours| format!(", {hours} UTC")).unwrap_or_default();
    line(&format!("  {} to {}{hours}", mandate.from, mandate.until))?;
    line(&format!("  who comes: {}; who may take it back: {}", clean(&mandate.team), clean(&mandate.revokers)))?;
    if let Some(limits) = &mandate.data_limits {
        line(&format!("  of the data: {}", clean(limits)))?;
    }
    line("nothing was signed: the same command with --by \"name, function\" signs the entity's consent to this")
}

async fn run(args: &FileArgs, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    let daemon = Daemon::new(Config::read(&args.config)?, clock)?;
    let mut term = signal(SignalKind::terminate()).map_err(refused)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    let stop = async move {
        tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
    };
    daemon.run(stop, || println!("ready: the gate is guarded")).await?;
    Ok(())
}

fn show(args: &FileArgs, clock: &dyn Clock, as_json: bool) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let mut all = Vec::new();
    for one in &config.mandates {
        let standing = door::standing(&config, &one.id, clock.now());
        let says = standing.as_ref().map_or_else(ToString::to_string, |_| "helpers may act".to_owned());
        if !as_json {
            line(&format!("{}  {says}", one.id))?;
        }
        let mut ways = Vec::new();
        for way in &one.ways {
            let open = standing.as_ref().is_ok_and(|mandate| way.is_within(mandate));
            if !as_json {
                let word = if open { "open" } else { "shut" };
                line(&format!("  {word}  {}  {} on {}", way.account, way.action, way.system))?;
            }
            ways.push(object_of!({ "account": way.account, "system": way.system, "action": way.action, "open": open }));
        }
        all.push(object_of!({ "mandate": one.id, "stands": standing.is_ok(), "says": says, "ways": ways }));
    }
    if as_json { json(&Value::Array(all)) } else { Ok(()) }
}
