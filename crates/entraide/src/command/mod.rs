//! The command line. Every command on data speaks to a node through the API; what it prints is what the API answered.

mod accounts;
mod acts;
mod alerts;
mod assist;
mod audiences;
mod backup;
mod capacities;
mod doctor;
mod evidence;
mod exports;
mod failure;
mod gate;
mod import;
mod keeping;
mod keys;
mod lending;
mod mailbox;
mod mandates;
mod objects;
mod open_file;
mod partners;
mod people;
mod pointers;
mod print;
mod proofs;
mod reached;
mod realms;
mod recover;
mod red;
mod reserve;
mod roster;
mod scan;
mod sealed;
mod setup;
mod shapes;
mod state;
mod successor;
mod witnesses;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand};
use model::Realm;
use node::ports::Clock;
use secrecy::SecretString;

use crate::client::{Client, Remote};
use crate::keys::{Layout, read_small};
use crate::machine::MachineClock;
pub use failure::Failure;

/// Mutual aid in cyber security between nations: one nation's node.
#[derive(Debug, Parser)]
#[command(name = "entraide", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 refused (or, of an import, something in it was), 2 the command line is wrong.\n\
    An ID is FR:1234 (origin:index) or a STIX id."
)]
pub struct Cli {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

/// Which node a command is for.
#[derive(Debug, clap::Args)]
struct Target {
    /// The node's directory: asked by its socket if it runs, else opened by the command
    #[arg(long, global = true, env = "ENTRAIDE_DIR", value_name = "D")]
    dir: Option<PathBuf>,
    /// Which realm: REAL, or EX- and the name of an exercise; the two never meet [default: REAL]
    #[arg(long, global = true, value_name = "R")]
    realm: Option<Realm>,
    /// A node elsewhere, https://host:port; its token is read from ENTRAIDE_TOKEN or --token-file
    #[arg(long, global = true, value_name = "U", conflicts_with = "dir")]
    url: Option<String>,
    /// A file that holds the token
    #[arg(long, global = true, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// The pin of that node's TLS key, as `init` showed it: 64 hexadecimal digits
    #[arg(long, global = true, value_name = "HEX", requires = "url", value_parser = pin)]
    pin: Option<Pin>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

type Pin = [u8; 32];

fn pin(text: &str) -> Result<Pin, String> {
    model::bytes::unhex(text).ok_or_else(|| "a pin is 64 hexadecimal digits".to_owned())
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Make a node: keys, root key (to be taken offline), database, first administrator
    Init(setup::InitArgs),
    /// Run a node
    Serve(setup::ServeArgs),
    /// Manage the people who work on the node
    #[command(subcommand)]
    User(accounts::UserCommand),
    /// Manage the tokens of programs
    #[command(subcommand)]
    Token(accounts::TokenCommand),
    /// Manage audiences: to whom a statement is opened
    #[command(subcommand)]
    Audience(audiences::AudienceCommand),
    /// Manage communities: standing circles of partners
    #[command(subcommand)]
    Community(audiences::CommunityCommand),
    /// Manage partners: invite, accept, confirm, hold, cut
    #[command(subcommand)]
    Partner(partners::PartnerCommand),
    /// Choose the partners that cosign our log, and see how far they have
    #[command(subcommand)]
    Witness(witnesses::WitnessCommand),
    /// Show the keys, replace them without a gap, or say that they were stolen
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Go on with a new log where ours can't be extended; the node does not run meanwhile
    Successor(successor::SuccessorArgs),
    /// Run the signer as a process of its own, with the keys in --dir and the mark beside them
    Signer(keys::SignerArgs),
    /// Mail of partners without a node: read it, make it their relayed word, or set it aside
    #[command(subcommand)]
    Mailbox(mailbox::MailboxCommand),
    /// Ask for help, answer, agree, and say how a mission goes
    #[command(subcommand)]
    Assist(assist::AssistCommand),
    /// Say whom the node can wake and who is on duty when, by hand or by a file
    #[command(subcommand)]
    Roster(roster::RosterCommand),
    /// Hand over between shifts: what is open, item by item, until somebody takes it
    #[command(subcommand)]
    Handover(people::HandoverCommand),
    /// Catch me up: what changed since I was last here, as far as I may see it
    CatchUp(people::CatchUpArgs),
    /// A case on one page, for whoever only reads
    Brief(people::BriefArgs),
    /// The crisis card: whom to call, fingerprints and open cases on one page of paper
    Card,
    /// Second signatures: what awaits one, approve, decline, sign alone in an emergency, ratify
    #[command(subcommand)]
    Act(acts::ActCommand),
    /// Standing authorities: who may act alone, within which bounds, until when
    #[command(subcommand)]
    Authority(acts::AuthorityCommand),
    /// Which acts need two persons on this node
    #[command(subcommand)]
    TwoPersons(acts::TwoPersonsCommand),
    /// Say whom what wakes
    #[command(subcommand)]
    Ladder(alerts::LadderCommand),
    /// Show who was woken and who answered, or answer
    #[command(subcommand)]
    Alert(alerts::AlertCommand),
    /// Try whether somebody wakes up
    #[command(subcommand)]
    Drill(alerts::DrillCommand),
    /// Keep what we can lend, for ourselves alone, and publish some of it in bands
    #[command(subcommand)]
    Capacity(capacities::CapacityCommand),
    /// Keep requests to the EU Cybersecurity Reserve: fields filled and missing, clocks, and what was done outside
    #[command(subcommand)]
    Reserve(reserve::ReserveCommand),
    /// Say what a partner's helpers may touch at an entity, and that they may no more
    #[command(subcommand)]
    Mandate(mandates::MandateCommand),
    /// Guard an entity's own gateway: who comes in by ssh under a mandate; it needs no node here
    #[command(subcommand)]
    Gate(gate::GateCommand),
    /// Take files into intake, or assert what is in them
    Import(import::ImportArgs),
    /// Say who reads what is RED, own people and guests, and see who has
    #[command(subcommand)]
    Red(red::RedCommand),
    /// Show a statement or an object
    Show(objects::ShowArgs),
    /// Show nation by nation who sees a statement, or would see one
    WhoSees(objects::WhoSeesArgs),
    /// Show who opened a statement on this node, and who carried it out
    Ledger(objects::LedgerArgs),
    /// Take back what we said, from everyone who has it
    Withdraw(objects::WithdrawArgs),
    /// Let a supervising desk see a statement behind the wall: an act with its article, that is never undone
    Disclose(objects::DiscloseArgs),
    /// Say that a classified annex exists and whom to call; shows who will see it, and sends it with --send
    Pointer(pointers::PointerArgs),
    /// Write what may be used for a purpose to standard output, as STIX, MISP or CSV
    Export(exports::ExportArgs),
    /// Look for known values in telemetry: logs of any form, which stay where they are
    Scan(scan::ScanArgs),
    /// Manage the lists that detectors pull
    #[command(subcommand)]
    List(exports::ListCommand),
    /// Purge what must not be here, and withdraw it from everyone to whom we said it
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Spill(keeping::SpillArgs),
    /// Lay and release legal holds: what the law wants kept is purged by nobody
    #[command(subcommand)]
    Hold(keeping::HoldCommand),
    /// Say how long data is kept, see what is due, and purge it
    #[command(subcommand)]
    Retention(keeping::RetentionCommand),
    /// Show a log, newest first
    Log(state::LogArgs),
    /// Show how the node stands, and how it stands with each partner
    Status,
    /// Show how our own log stands after the database was set back, or decide about it
    Recover(recover::RecoverArgs),
    /// Show the clock that the node goes by, or say that the machine's is right
    Clock(state::ClockArgs),
    /// Check the machine, the keys, the signer, the disk and the partners
    Doctor,
    /// Recompute everything that the database claims, offline
    Verify,
    /// Back up the log with its sealed bodies, or the keys apart; a running node goes on
    Backup(backup::BackupArgs),
    /// Make a node from its backup, its archive of keys and its purge list, or rehearse that with --check
    Restore(backup::RestoreArgs),
    /// Write the proof of a statement to standard output
    Proof(objects::ProofArgs),
    /// Check a proof offline, with keys that you trust
    VerifyProof(proofs::VerifyProofArgs),
    /// Read a signed file that came by mail: what it says, by whom, and whether that is proven; needs no node
    Open(open_file::OpenArgs),
    /// Give and take sealed files of evidence in a case; show evidence against logs, or write it to a file for others
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Check a file of evidence offline, with keys that you trust
    VerifyEvidence(evidence::VerifyEvidenceArgs),
    /// Open, list, move on and end exercises beside the real node
    #[command(subcommand)]
    Realm(realms::RealmCommand),
    /// Drop the views and fold truth again
    Rebuild,
    /// Play 27 nations and an EU node on this machine: a short story on real nodes, then they stay up
    Demo(crate::demo::Options),
}

/// A node to ask, and how to print its answers.
struct Session {
    client: Client,
    json: bool,
}

/// Runs one command to its end.
///
/// # Errors
/// What was refused, or can't be meant so.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failure::refused)?;
    let done = runtime.block_on(execute(cli));
    // What still blocks (a read of standard input) must not keep the process alive.
    runtime.shutdown_background();
    done
}

/// What the command line could not be read as: help that was asked for is shown whole, a mistake is one line.
///
/// # Errors
/// A mistake, or standard output.
pub fn usage(error: &clap::Error) -> Result<(), Failure> {
    use clap::error::ErrorKind;
    let text = error.render().to_string();
    let kind = error.kind();
    if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return print::raw(text.as_bytes());
    }
    if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Err(Failure::Usage("say which command: `entraide help` lists them".to_owned()));
    }
    let said = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let words: Vec<&str> = said.flat_map(str::split_whitespace).collect();
    let line = words.join(" ");
    Err(Failure::Usage(format!("{}: see --help", line.strip_prefix("error: ").unwrap_or(&line))))
}

async fn execute(cli: Cli) -> Result<(), Failure> {
    let Cli { target, command } = cli;
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    match command {
        Command::Init(args) => {
            let realm = target.realm.clone().unwrap_or(Realm::Real);
            setup::init(target.local("init")?, realm, args, clock, target.json).await
        }
        Command::Serve(args) => {
            target.without_realm("serve", "it serves REAL and every exercise that is open")?;
            setup::serve(target.local("serve")?, &args, clock).await
        }
        Command::Doctor => {
            let dir = target.of_realm("doctor")?;
            marked(realm_in(&dir), doctor::doctor(&dir, clock, target.json).await)
        }
        Command::Verify => {
            let dir = target.of_realm("verify")?;
            marked(realm_in(&dir), proofs::verify(&dir, target.json))
        }
        Command::Backup(args) => backup::backup(&target.of_realm("backup")?, &args, clock.as_ref(), target.json),
        Command::Restore(args) => {
            target.without_realm("restore", "it makes a directory of its own: name it with --dir")?;
            backup::restore(target.dir.as_deref(), &args, &clock, target.json)
        }
        Command::VerifyProof(args) => proofs::verify_proof(&args, target.json),
        Command::Open(args) => open_file::open(&args, target.json),
        Command::VerifyEvidence(args) => evidence::verify(&args, target.json),
        Command::Evidence(evidence::EvidenceCommand::Key { file }) => sealed::key(&file, target.json),
        Command::Evidence(evidence::EvidenceCommand::Open(args)) => sealed::open(&args, target.json),
        Command::Keys(keys::KeysCommand::Sign { request, root_key }) => keys::sign(&request, &root_key),
        Command::Successor(args) => {
            let dir = target.of_realm("successor")?;
            marked(realm_in(&dir), successor::successor(&dir, &args, clock.as_ref(), target.json))
        }
        Command::Signer(args) => keys::signer(target.local("signer")?, &args),
        Command::Gate(command) => gate::gate(&command, clock, target.json).await,
        Command::Demo(options) => match crate::demo::run(&options).await {
            Ok(_) => Ok(()),
            Err(error @ crate::demo::DemoError::Nations(_)) => Err(Failure::Usage(error.to_string())),
            Err(error) => Err(failure::refused(error)),
        },
        on_a_node @ (Command::User(_)
        | Command::Token(_)
        | Command::Audience(_)
        | Command::Community(_)
        | Command::Partner(_)
        | Command::Witness(_)
        | Command::Keys(_)
        | Command::Mailbox(_)
        | Command::Assist(_)
        | Command::Roster(_)
        | Command::Handover(_)
        | Command::CatchUp(_)
        | Command::Brief(_)
        | Command::Card
        | Command::Act(_)
        | Command::Authority(_)
        | Command::TwoPersons(_)
        | Command::Ladder(_)
        | Command::Alert(_)
        | Command::Drill(_)
        | Command::Capacity(_)
        | Command::Reserve(_)
        | Command::Mandate(_)
        | Command::Import(_)
        | Command::Red(_)
        | Command::Show(_)
        | Command::WhoSees(_)
        | Command::Ledger(_)
        | Command::Withdraw(_)
        | Command::Disclose(_)
        | Command::Export(_)
        | Command::Scan(_)
        | Command::Pointer(_)
        | Command::List(_)
        | Command::Spill(_)
        | Command::Hold(_)
        | Command::Retention(_)
        | Command::Log(_)
        | Command::Status
        | Command::Recover(_)
        | Command::Clock(_)
        | Command::Proof(_)
        | Command::Evidence(_)
        | Command::Realm(_)
        | Command::Rebuild) => {
            if matches!(on_a_node, Command::Realm(_)) {
                target.without_realm("realm", "exercises are opened and ended from REAL")?;
            }
            let session = Session { client: target.client(clock).await?, json: target.json };
            let done = ask(&session, &on_a_node).await;
            let realm = session.client.realm().cloned();
            session.client.close().await;
            marked(realm, done)
        }
    }
}

/// Which realm the node of a directory is of, if there is one.
fn realm_in(dir: &Path) -> Option<Realm> {
    crate::realm::identity_of(&Layout::new(dir)).ok().map(|known| known.origin.realm().clone())
}

/// Says of whatever an exercise answered that it is an exercise's: standard output stays what the node said.
fn marked(realm: Option<Realm>, done: Result<(), Failure>) -> Result<(), Failure> {
    let Some(realm) = realm.filter(|realm| !realm.is_real()) else { return done };
    match done {
        Err(failure) => Err(failure.of(&realm)),
        Ok(()) => {
            eprintln!("[{realm}] EXERCISE EXERCISE EXERCISE: nothing of this is real");
            Ok(())
        }
    }
}

async fn ask(session: &Session, command: &Command) -> Result<(), Failure> {
    match command {
        Command::User(command) => accounts::user(session, command).await,
        Command::Token(command) => accounts::token(session, command).await,
        Command::Audience(command) => audiences::audience(session, command).await,
        Command::Community(command) => audiences::community(session, command).await,
        Command::Partner(command) => partners::partner(session, command).await,
        Command::Witness(command) => witnesses::witness(session, command).await,
        Command::Keys(command) => keys::keys(session, command).await,
        Command::Mailbox(command) => mailbox::mailbox(session, command).await,
        Command::Assist(command) => assist::assist(session, command).await,
        Command::Ladder(command) => alerts::ladder(session, command).await,
        Command::Alert(command) => alerts::alert(session, command).await,
        Command::Drill(command) => alerts::drill(session, command).await,
        Command::Roster(command) => roster::roster(session, command).await,
        Command::Handover(command) => people::handover(session, command).await,
        Command::CatchUp(args) => people::catch_up(session, args).await,
        Command::Brief(args) => people::brief(session, args).await,
        Command::Card => people::card(session).await,
        Command::Act(command) => acts::act(session, command).await,
        Command::Authority(command) => acts::authority(session, command).await,
        Command::TwoPersons(command) => acts::two_persons(session, command).await,
        Command::Capacity(command) => capacities::capacity(session, command).await,
        Command::Reserve(command) => reserve::reserve(session, command).await,
        Command::Mandate(command) => mandates::mandate(session, command).await,
        Command::Import(args) => import::import(session, args).await,
        Command::Red(command) => red::red(session, command).await,
        Command::Show(args) => objects::show(session, args).await,
        Command::WhoSees(args) => objects::who_sees(session, args).await,
        Command::Ledger(args) => objects::ledger(session, args).await,
        Command::Withdraw(args) => objects::withdraw(session, args).await,
        Command::Disclose(args) => objects::disclose(session, args).await,
        Command::Pointer(args) => pointers::pointer(session, args).await,
        Command::Export(args) => exports::export(session, args).await,
        Command::Scan(args) => scan::scan(session, args).await,
        Command::List(command) => exports::list(session, command).await,
        Command::Spill(args) => keeping::spill(session, args).await,
        Command::Hold(command) => keeping::hold(session, command).await,
        Command::Retention(command) => keeping::retention(session, command).await,
        Command::Proof(args) => objects::proof(session, args).await,
        Command::Evidence(command) => evidence::evidence(session, command).await,
        Command::Log(args) => state::log(session, args).await,
        Command::Status => state::status(session).await,
        Command::Recover(args) => recover::recover(session, args).await,
        Command::Clock(args) => state::clock(session, args).await,
        Command::Realm(command) => realms::realm(session, command).await,
        Command::Rebuild => state::rebuild(session).await,
        Command::Init(_)
        | Command::Serve(_)
        | Command::Doctor
        | Command::Verify
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::VerifyProof(_)
        | Command::Open(_)
        | Command::VerifyEvidence(_)
        | Command::Signer(_)
        | Command::Successor(_)
        | Command::Gate(_)
        | Command::Demo(_) => Err(Failure::Usage("this command is not asked of a node".to_owned())),
    }
}

impl Target {
    /// The directory, for commands that need it itself.
    fn local(&self, command: &str) -> Result<&Path, Failure> {
        self.dir.as_deref().ok_or_else(|| Failure::Usage(format!("`{command}` needs the node's directory: --dir D")))
    }

    /// The directory of the realm, for commands that need it itself.
    fn of_realm(&self, command: &str) -> Result<PathBuf, Failure> {
        let dir = self.local(command)?;
        let Some(realm) = self.realm.as_ref().filter(|realm| !realm.is_real()) else { return Ok(dir.to_owned()) };
        // A directory may be an exercise's own, made by `init --realm`.
        if realm_in(dir).as_ref() == Some(realm) {
            return Ok(dir.to_owned());
        }
        let inside = crate::realm::dir_of(dir, realm);
        if !Layout::new(&inside).is_node() {
            let shown = dir.display();
            return Err(Failure::Refused(format!(
                "no exercise `{realm}` is open in `{shown}`: see entraide realm list"
            )));
        }
        Ok(inside)
    }

    fn without_realm(&self, command: &str, why: &str) -> Result<(), Failure> {
        match &self.realm {
            Some(realm) if !realm.is_real() => Err(Failure::Usage(format!("`{command}` takes no --realm: {why}"))),
            Some(_) | None => Ok(()),
        }
    }

    async fn client(&self, clock: Arc<dyn Clock>) -> Result<Client, Failure> {
        match (&self.url, &self.dir) {
            (Some(url), _) => {
                let client = Client::of_url(Remote::new(url, self.pin, self.token()?)?);
                Ok(client.in_realm(self.realm.clone()))
            }
            (None, Some(_)) => {
                let dir = self.of_realm("a command")?;
                Ok(Client::of_dir(&dir, clock).await?.in_realm(self.realm.clone()))
            }
            (None, None) => Err(Failure::Usage("say which node: --dir D, or --url U with a token".to_owned())),
        }
    }

    /// The token: never on the command line, which every process of the machine can read.
    fn token(&self) -> Result<SecretString, Failure> {
        let text = match &self.token_file {
            Some(file) => {
                let bytes = read_small(file).map_err(failure::refused)?;
                String::from_utf8(bytes).unwrap_or_default()
            }
            None => std::env::var("ENTRAIDE_TOKEN").unwrap_or_default(),
        };
        let token = text.trim();
        if token.is_empty() {
            return Err(Failure::Usage("a node elsewhere needs a token: ENTRAIDE_TOKEN, or --token-file".to_owned()));
        }
        Ok(SecretString::from(token.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_every_part_of_it_is_explained() {
        Cli::command().debug_assert();
        fn explained(command: &clap::Command, missing: &mut Vec<String>) {
            if command.get_about().is_none() {
                missing.push(command.get_name().to_owned());
            }
            let named = command.get_arguments().filter(|arg| arg.get_help().is_none() && !arg.is_hide_set());
            missing.extend(named.map(|arg| format!("{} {}", command.get_name(), arg.get_id())));
            command.get_subcommands().for_each(|sub| explained(sub, missing));
        }
        let mut missing = Vec::new();
        explained(&Cli::command(), &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn arguments_that_contradict_each_other_are_usage_errors() {
        let check = |line: &str, good: bool| {
            assert_eq!(Cli::try_parse_from(line.split(' ')).is_ok(), good, "{line}");
        };
        check("entraide import --dir d a.json", true);
        check("entraide import --dir d a.json --assert --label amber --audience x", true);
        check("entraide import --dir d a.json --assert", false);
        check("entraide import --dir d a.json --label amber", false);
        check("entraide import --dir d --assert --label pink a.json", false);
        check("entraide import --dir d --reader anna a.json", false);
        check("entraide red invite FR:1 --dir d --name A --contact B --hours 721", false);
        check("entraide import --dir d a.json --kind evidence", true);
        check("entraide import --dir d a.json --kind secret", false);
        check("entraide disclose --dir d FR:1 --to-desk competent-authority --article x --reason y", true);
        check("entraide disclose --dir d FR:1 --to-desk competent-authority --reason y", false);
        check("entraide export --dir d --for detect --format csv --label green", true);
        check("entraide export --dir d --for enforce", false);
        check("entraide export --dir d", false);
        check("entraide export --dir d --list proxy --for detect", false);
        check("entraide status --dir d --url https://x", false);
        check("entraide show --dir d nonsense", false);
        check("entraide who-sees --dir d", false);
        check("entraide who-sees --dir d --label green", true);
        check("entraide init --dir d --authority fr --name x", false);
        check("entraide user add --dir d x --name y --role viewer,analyst", true);
        check("entraide user add --dir d x --name y --role boss", false);
        check("entraide status --url https://x --pin 12", false);
        check("entraide status --dir d --realm EX-BLUE-26", true);
        check("entraide status --dir d --realm blue", false);
        check("entraide init --dir d --authority FR --name x --realm EX-BLUE", true);
        check("entraide realm open EX-BLUE --dir d --name Blue --starts-at 2026-12-01T06:00Z", true);
        check("entraide realm open EX-BLUE --dir d --name Blue --starts-at tomorrow", false);
        check("entraide realm clock EX-BLUE --dir d", false);
        check("entraide spill --dir d FR:1 --reason secret", true);
        check("entraide spill --dir d intake:1 --reason secret --dry-run", true);
        check("entraide spill --dir d intake:1 --dry-run", true);
        check("entraide spill --dir d FR:1", false);
        check("entraide spill --dir d nonsense --reason secret", false);
        check("entraide spill show 1 --dir d", true);
        check("entraide --dir d spill list", true);
        check("entraide hold --dir d add FR:1 --reason case --until 2027-01-31", true);
        check("entraide hold --dir d add FR:1", false);
        check("entraide retention --dir d set partner/amber --days 90", true);
        check("entraide retention --dir d set partner/amber --forever", true);
        check("entraide retention --dir d set partner/amber", false);
        check("entraide retention --dir d apply --at 2026-11-25T00:00:00Z --digest 00 --today 2026-11-25", true);
        check("entraide backup --dir d --to b", true);
        check("entraide backup --dir d --to f --keys", false);
        check("entraide backup --dir d --to f --keys --passphrase-file p --days 7", true);
        check("entraide restore --from b --check", true);
        check("entraide restore --from b --check --signer s", false);
        check("entraide restore --dir d --from b --at 2026-11-25T02:00Z --size 9", true);
        check("entraide restore --dir d --from b --keys k", false);
    }
}
