//! `init` and `serve`: a node comes to be, and runs.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use http_room::server::api::exercises::Exercises;
use model::{Country, PartnerClass, Realm};
use node::ports::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Failure;
use super::failure::refused;
use super::print::{json, line};
use crate::configuration::{self, DEFAULT_LISTEN, federation_default};
use crate::init::{self, DEFAULT_ADDRESS, Initialised, Request, default_class};
use crate::keys::{Keys, Layout};
use crate::serve::{Running, ServeConfig, ServeError, start};

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Whose node: two capital letters, as the EU writes them (EL for Greece, EU for its bodies)
    #[arg(long, value_name = "CC")]
    authority: Country,
    /// The authority's name
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// eu-state, eu-body, eea, associated, third-country, provider or hub; without it as the country suggests
    #[arg(long)]
    class: Option<PartnerClass>,
    /// Where partners reach this node: it is part of the signed identity
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_ADDRESS)]
    federation: String,
}

/// `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where people and programs reach the node, by HTTPS [default: 127.0.0.1:7442, or what entraide.toml says]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where partners reach the node [default: the identity's address, or what entraide.toml says]
    #[arg(long, value_name = "ADDR")]
    federation: Option<SocketAddr>,
    /// Serve people without TLS: on the machine itself only
    #[arg(long)]
    plain_http: bool,
}

pub(super) async fn init(
    dir: &Path,
    realm: Realm,
    args: InitArgs,
    clock: Arc<dyn Clock>,
    as_json: bool,
) -> Result<(), Failure> {
    let request = Request {
        country: args.authority,
        realm,
        name: args.name,
        class: args.class.unwrap_or_else(|| default_class(args.authority)),
        address: args.federation,
    };
    let made = init::init(dir, &request, clock).await.map_err(refused)?;
    if as_json { json(&made) } else { tell(dir, &made) }
}

fn tell(dir: &Path, made: &Initialised) -> Result<(), Failure> {
    line(&format!("origin       {}", made.origin))?;
    line(&format!("fingerprint  {}", made.fingerprint))?;
    line(&format!("address      {} (where partners reach it)", made.address))?;
    line(&format!("TLS pin      {}", made.tls_pin))?;
    line(&format!("log key      {}", made.log_key))?;
    line("")?;
    line(&format!("login        {}", made.login))?;
    line(&format!("password     {}", made.password))?;
    line(&format!("one-time codes: secret {}", made.totp_secret))?;
    line(&made.totp_uri)?;
    line("")?;
    line(&format!("The root key is in {}: take it offline now.", made.root_key.display()))?;
    line("Password, secret and root key are shown or written once, and never again.")?;
    if made.address == DEFAULT_ADDRESS {
        line("No partner can reach that address: for a node that is to federate, init with --federation HOST:PORT.")?;
    }
    line(&format!("Next: entraide serve --dir {}", dir.display()))
}

pub(super) async fn serve(dir: &Path, args: &ServeArgs, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    listen_to_traces()?;
    // A partner takes a connection each way; the usual limit of 1,024 files is too near.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let layout = Layout::new(dir);
    let told = configuration::read(&layout).map_err(refused)?;
    let address = Keys::read(&layout).map_err(refused)?.identity.address;
    let config = ServeConfig {
        dir: dir.to_owned(),
        listen: args.listen.or(told.listen).unwrap_or(DEFAULT_LISTEN),
        federation: args.federation.or(told.federation).unwrap_or_else(|| federation_default(&address)),
        plain_http: args.plain_http || told.plain_http,
        host: told.host,
        clock,
    };
    let mut stop = Stop::new()?;
    let running = start(config).await.map_err(|error| match error {
        ServeError::NotLoopback(_) => Failure::Usage(error.to_string()),
        ServeError::Open(_)
        | ServeError::Listen { .. }
        | ServeError::Tls(_)
        | ServeError::Store(_)
        | ServeError::Configuration(_)
        | ServeError::Alerting(_)
        | ServeError::Mailbox(_)
        | ServeError::Stamping(_) => refused(error),
    })?;
    let at = running.addresses();
    let country = running.node().me().origin.country();
    let ready = line(&format!("entraide {country} ready: {} federation {}", at.web, at.federation));
    tell_exercises(&running).await;
    // Whoever reads the line may go away; the node serves on.
    if !matches!(ready, Ok(()) | Err(Failure::Gone)) {
        tracing::warn!("standard output can't be written");
    }
    stop.wait().await;
    tracing::info!("stopping");
    if running.stop().await { Ok(()) } else { Err(Failure::Refused("the node was cut off while stopping".to_owned())) }
}

/// A line of traces for each exercise: where it is, or why it does not run.
async fn tell_exercises(running: &Running) {
    let open = running.exercises().list().await.unwrap_or_default();
    for one in open {
        let web = format!("{}{}", running.addresses().web, one.path);
        match one.why {
            None => tracing::info!(realm = %one.realm, %web, federation = %one.address, "exercise"),
            Some(why) => tracing::warn!(realm = %one.realm, %why, "an exercise does not run"),
        }
    }
}

/// SIGINT or SIGTERM. Asked for before the node is ready, so that neither is missed.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(refused)?,
            terminate: signal(SignalKind::terminate()).map_err(refused)?,
        })
    }
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Traces go to standard error: for people at a terminal, as JSON for a collector. `ENTRAIDE_LOG` says how much.
fn listen_to_traces() -> Result<(), Failure> {
    let filter = match std::env::var("ENTRAIDE_LOG") {
        Ok(text) => EnvFilter::try_new(&text)
            .map_err(|error| Failure::Usage(format!("ENTRAIDE_LOG=`{text}` can't be read: {error}")))?,
        Err(_) => EnvFilter::new("info"),
    };
    let traces = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        traces.compact().init()
    } else {
        traces.json().init()
    }
    Ok(())
}
