//! The command line. Every command on data speaks to a node through the API; what it prints is what the API answered.

mod accounts;
mod assist;
mod audiences;
mod doctor;
mod evidence;
mod failure;
mod import;
mod objects;
mod partners;
mod print;
mod proofs;
mod setup;
mod shapes;
mod state;
mod witnesses;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand};
use node::ports::Clock;
use secrecy::SecretString;

use crate::client::{Client, Remote};
use crate::keys::read_small;
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
    /// Ask for help, answer, agree, and say how a mission goes
    #[command(subcommand)]
    Assist(assist::AssistCommand),
    /// Take files into intake, or assert what is in them
    Import(import::ImportArgs),
    /// Show a statement or an object
    Show(objects::ShowArgs),
    /// Show nation by nation who sees a statement, or would see one
    WhoSees(objects::WhoSeesArgs),
    /// Show who opened a statement on this node, and who carried it out
    Ledger(objects::LedgerArgs),
    /// Take back what we said, from everyone who has it
    Withdraw(objects::WithdrawArgs),
    /// Show a log, newest first
    Log(state::LogArgs),
    /// Show how the node stands, and how it stands with each partner
    Status,
    /// Check the machine, the keys, the signer, the disk and the partners
    Doctor,
    /// Recompute everything that the database claims, offline
    Verify,
    /// Write the proof of a statement to standard output
    Proof(objects::ProofArgs),
    /// Check a proof offline, with keys that you trust
    VerifyProof(proofs::VerifyProofArgs),
    /// Show evidence against logs, or write it to a file for others
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Check a file of evidence offline, with keys that you trust
    VerifyEvidence(evidence::VerifyEvidenceArgs),
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
        Command::Init(args) => setup::init(target.local("init")?, args, clock, target.json).await,
        Command::Serve(args) => setup::serve(target.local("serve")?, &args, clock).await,
        Command::Doctor => doctor::doctor(target.local("doctor")?, clock, target.json).await,
        Command::Verify => proofs::verify(target.local("verify")?, target.json),
        Command::VerifyProof(args) => proofs::verify_proof(&args, target.json),
        Command::VerifyEvidence(args) => evidence::verify(&args, target.json),
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
        | Command::Assist(_)
        | Command::Import(_)
        | Command::Show(_)
        | Command::WhoSees(_)
        | Command::Ledger(_)
        | Command::Withdraw(_)
        | Command::Log(_)
        | Command::Status
        | Command::Proof(_)
        | Command::Evidence(_)
        | Command::Rebuild) => {
            let session = Session { client: target.client(clock).await?, json: target.json };
            let done = ask(&session, &on_a_node).await;
            session.client.close().await;
            done
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
        Command::Assist(command) => assist::assist(session, command).await,
        Command::Import(args) => import::import(session, args).await,
        Command::Show(args) => objects::show(session, args).await,
        Command::WhoSees(args) => objects::who_sees(session, args).await,
        Command::Ledger(args) => objects::ledger(session, args).await,
        Command::Withdraw(args) => objects::withdraw(session, args).await,
        Command::Proof(args) => objects::proof(session, args).await,
        Command::Evidence(command) => evidence::evidence(session, command).await,
        Command::Log(args) => state::log(session, args).await,
        Command::Status => state::status(session).await,
        Command::Rebuild => state::rebuild(session).await,
        Command::Init(_)
        | Command::Serve(_)
        | Command::Doctor
        | Command::Verify
        | Command::VerifyProof(_)
        | Command::VerifyEvidence(_)
        | Command::Demo(_) => Err(Failure::Usage("this command is not asked of a node".to_owned())),
    }
}

impl Target {
    /// The directory, for commands that need it itself.
    fn local(&self, command: &str) -> Result<&Path, Failure> {
        self.dir.as_deref().ok_or_else(|| Failure::Usage(format!("`{command}` needs the node's directory: --dir D")))
    }

    async fn client(&self, clock: Arc<dyn Clock>) -> Result<Client, Failure> {
        match (&self.url, &self.dir) {
            (Some(url), _) => Ok(Client::of_url(Remote::new(url, self.pin, self.token()?)?)),
            (None, Some(dir)) => Ok(Client::of_dir(dir, clock).await?),
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
        check("entraide status --dir d --url https://x", false);
        check("entraide show --dir d nonsense", false);
        check("entraide who-sees --dir d", false);
        check("entraide who-sees --dir d --label green", true);
        check("entraide init --dir d --authority fr --name x", false);
        check("entraide user add --dir d x --name y --role viewer,analyst", true);
        check("entraide user add --dir d x --name y --role boss", false);
        check("entraide status --url https://x --pin 12", false);
    }
}
