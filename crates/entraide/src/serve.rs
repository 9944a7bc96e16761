//! A running node: its listeners for people (HTTPS, or plain HTTP on the machine itself), for partners (mutual TLS) and
//! for the command line (a socket in its directory), and the worker that pulls from partners.

use std::fs::Permissions;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use http_room::client::join::{JoinError, Joined, join};
use http_room::client::stamp::HttpTimeAuthority;
use http_room::client::transport::PinnedTransport;
use http_room::server::accept::{self, Bounds};
use http_room::server::api::exercises::Ruled;
use http_room::server::api::keys::Keyring;
use http_room::server::api::{self, Ctx, Joiner};
use http_room::server::federating::Federating;
use http_room::server::federation::{self, FederationService};
use http_room::server::realms::{self, Beside};
use http_room::server::{Close, shutdown};
use http_room::tls::{NodeKey, TlsError, web_config};
use journal::stamp::Authorities;
use node::Node;
use node::passkey::ceremony::HostName;
use node::ports::{Boxed, Clock, MailCipher, RealOnly, Transport};
use node::stamp::Every;
use store::StoreError;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::alerting::{self, Ways};
use crate::cipher::Programs;
use crate::configuration::{self, ConfigurationError, Often};
use crate::keys::{Layout, read_small};
use crate::limits;
use crate::open::{OpenError, Opened, open};
use crate::realm::host::{Host, Serving};

/// Why a node does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Passwords and cookies would cross a network in clear.
    #[error(
        "plain HTTP is served on the machine itself only: listen on 127.0.0.1 or [::1] instead of `{0}`, or use HTTPS"
    )]
    NotLoopback(SocketAddr),
    /// An address is taken, or not ours.
    #[error("`{address}` can't be listened on: {reason}")]
    Listen {
        /// Which.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The file of the configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// What it says of waking people.
    #[error("`[alerts]` of the configuration: {0}")]
    Alerting(String),
    /// What it says of the mailbox.
    #[error("`[mailbox]` of the configuration: {0}")]
    Mailbox(String),
    /// What it says of the time authority.
    #[error("`[timestamp]` of the configuration: {0}")]
    Stamping(String),
}

/// What a node serves on.
#[derive(Clone)]
pub struct ServeConfig {
    /// Its directory.
    pub dir: PathBuf,
    /// For people; port 0 takes a free one.
    pub listen: SocketAddr,
    /// For partners; port 0 takes a free one.
    pub federation: SocketAddr,
    /// Serve people without TLS: on the machine itself only.
    pub plain_http: bool,
    /// The host name by which people reach the node; without one passkeys work at `localhost` alone.
    pub host: Option<HostName>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Where a running node listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// For people, as a browser takes it: `https://127.0.0.1:7442`.
    pub web: String,
    /// The same as an address.
    pub web_addr: SocketAddr,
    /// For partners.
    pub federation: SocketAddr,
    /// For the command line.
    pub socket: PathBuf,
}

/// Listeners that stop together.
pub struct Faces {
    close: Close,
    tasks: Vec<JoinHandle<()>>,
}

impl Faces {
    fn new() -> (Self, http_room::server::Closing) {
        let (close, closing) = shutdown();
        (Self { close, tasks: Vec::new() }, closing)
    }

    /// Takes no new connections, and ends long-polls.
    pub fn close(&self) {
        self.close.now();
    }

    /// Takes no new connections, ends long-polls, and waits until what is in flight has ended.
    pub async fn stop(self) {
        self.close.now();
        for task in self.tasks {
            // A listener that has panicked has stopped too.
            let _ = task.await;
        }
    }
}

/// A node that serves.
pub struct Running {
    opened: Opened,
    addresses: Addresses,
    faces: Vec<Faces>,
    asking: Asking,
    exercises: Arc<Host>,
}

/// What asks partners: for what they say, for what they hold of our log, and as witnesses of what we say.
pub(crate) struct Asking {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Asking {
    /// Asks nothing more.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A task that has panicked has stopped too.
            let _ = task.await;
        }
    }
}

impl Running {
    /// The node.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.opened.node
    }
    /// Its TLS key.
    #[must_use]
    pub fn tls(&self) -> &NodeKey {
        &self.opened.tls
    }
    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Where its keys are replaced.
    #[must_use]
    pub fn desk(&self) -> &Arc<crate::rotate::Desk> {
        &self.opened.desk
    }

    /// The exercises beside it.
    #[must_use]
    pub fn exercises(&self) -> &Arc<Host> {
        &self.exercises
    }

    /// Stops the exercises, then pulling, then the listeners, then the writer. Returns whether all ended in time.
    pub async fn stop(self) -> bool {
        let Self { opened, addresses, faces, asking, exercises } = self;
        asking.stop.send_replace(true);
        // Said to all before the first is waited for.
        for face in &faces {
            face.close();
        }
        let ended = exercises.stop_all().await;
        for face in faces {
            face.stop().await;
        }
        asking.stop().await;
        // Another node may only bind it once we are gone; a socket that can't be removed is stale and harmless.
        let _ = std::fs::remove_file(&addresses.socket);
        opened.close().await && ended
    }
}

fn forget_copy(layout: &Layout) {
    let copy = layout.verifying();
    if let Err(error) = std::fs::remove_dir_all(&copy)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %copy.display(), "the copy of a verification could not be removed: remove it");
    }
}

/// People write the configuration, so the node can't tell what a disk has changed in it: that it has changed is what it says.
async fn note_configuration(node: &Node, layout: &Layout) -> Result<(), ServeError> {
    let now = configuration::digest(layout).map_err(ConfigurationError::from)?;
    let told = now.clone();
    let noted = node.write(move |work| {
        let before = work.tx.setting(configuration::NOTED)?;
        if before.as_ref() != Some(&told) {
            work.tx.set_setting(configuration::NOTED, &told)?;
        }
        Ok::<_, StoreError>(before)
    });
    match noted.await {
        Ok(Some(before)) if before != now => {
            let path = layout.configuration();
            tracing::warn!(path = %path.display(), before, now, "the configuration is not the one of the last start");
        }
        Ok(_) => {}
        // A node that can't write is served all the same, and says so itself.
        Err(error) => tracing::warn!(%error, "the configuration of this start was not noted"),
    }
    Ok(())
}

/// Opens the node of a directory and starts everything that it serves.
///
/// # Errors
/// The node does not open, an address can't be listened on, or plain HTTP would leave the machine.
pub async fn start(config: ServeConfig) -> Result<Running, ServeError> {
    if config.plain_http && !config.listen.ip().is_loopback() {
        return Err(ServeError::NotLoopback(config.listen));
    }
    let layout = Layout::new(&config.dir);
    let mut opened = open(&layout, Arc::clone(&config.clock))?;
    opened.host.clone_from(&config.host);
    // A `verify` that was killed has left a copy of the database: what is purged from now on must not stand in it.
    forget_copy(&layout);
    note_configuration(&opened.node, &layout).await?;
    // No exercise has a time stamp: what asks the world for something is made from what reality alone has.
    let stamping = match RealOnly::of(opened.node.me().realm()) {
        Some(real) => stamping(&layout, real)?,
        None => None,
    };
    let ways = match RealOnly::of(opened.node.me().realm()) {
        Some(real) => {
            let told = configuration::read(&layout)?;
            let ways = alerting::ways(&layout, told.alerts, real).map_err(ServeError::Alerting)?;
            ways.with_mailbox(&layout, told.mailbox).map_err(ServeError::Mailbox)?
        }
        None => alerting::none(),
    };
    let web_listener = listen(config.listen).await?;
    let federation_listener = listen(config.federation).await?;
    let web_addr = local(&web_listener, config.listen)?;
    let federation_addr = local(&federation_listener, config.federation)?;
    let scheme = if config.plain_http { "http" } else { "https" };
    let addresses = Addresses {
        web: format!("{scheme}://{web_addr}"),
        web_addr,
        federation: federation_addr,
        socket: layout.socket(),
    };
    let beside = Beside::default();
    let serving = Serving { beside: beside.clone(), plain_http: config.plain_http, host: config.host, seats: None };
    let identity = opened.node.me().identity.clone();
    let exercises = Host::new(&config.dir, identity, Arc::clone(&config.clock), Some(serving));
    let faces = vec![
        local_socket(&opened, &layout, exercises.ruled())?,
        web(&opened, web_listener, config.plain_http, exercises.ruled(), beside)?,
        federate(&opened, federation_listener).await?,
    ];
    let asking = ask(&opened, stamping, ways);
    if opened.node.me().realm().is_real() {
        exercises.start_all().await;
    }
    Ok(Running { opened, addresses, faces, asking, exercises })
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let told = |error: std::io::Error| ServeError::Listen { address: address.to_string(), reason: error.to_string() };
    TcpListener::bind(address).await.map_err(told)
}

fn local(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, ServeError> {
    let told = |error: std::io::Error| ServeError::Listen { address: asked.to_string(), reason: error.to_string() };
    listener.local_addr().map_err(told)
}

/// Everything that is served to people and their programs.
pub fn router(opened: &Opened, plain_http: bool) -> Router {
    ruling(opened, plain_http, None)
}

/// The same for a real node that rules over exercises.
pub fn ruling(opened: &Opened, plain_http: bool, exercises: Option<Ruled>) -> Router {
    let joiner = Arc::new(PinnedJoiner { node: opened.node.clone(), key: opened.tls.clone() });
    let keyring: Arc<dyn Keyring> = Arc::clone(&opened.desk) as Arc<dyn Keyring>;
    let cipher: Arc<dyn MailCipher> = Arc::new(Programs::default());
    let (host, ceiling, seats) = (opened.host.clone(), opened.ceiling, opened.seats.clone());
    let files = Arc::clone(&opened.files);
    let node = opened.node.clone();
    api::ruling(Ctx { node, joiner, keyring, files, cipher, plain_http, ceiling, host, seats }, exercises)
}

/// Serves people on `listener`: by TLS with the node's own certificate, or plainly on the machine itself. Exercises are
/// served beside it, each below its own path.
///
/// # Errors
/// TLS can't be set up, or plain HTTP would leave the machine.
pub fn web(
    opened: &Opened,
    listener: TcpListener,
    plain_http: bool,
    exercises: Option<Ruled>,
    beside: Beside,
) -> Result<Faces, ServeError> {
    let unknown = SocketAddr::from((IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
    let address = local(&listener, unknown)?;
    if plain_http && !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let router = realms::router(ruling(opened, plain_http, exercises), beside);
    let (mut faces, closing) = Faces::new();
    let bounds = Bounds::plain();
    faces.tasks.push(if plain_http {
        tokio::spawn(accept::serve_plain(listener, router, bounds, closing))
    } else {
        tokio::spawn(accept::serve_https(listener, web_config(&opened.tls)?, router, bounds, closing))
    });
    Ok(faces)
}

/// Serves partners on `listener`.
///
/// # Errors
/// The partners can't be read.
pub async fn federate(opened: &Opened, listener: TcpListener) -> Result<Faces, ServeError> {
    let files = Arc::clone(&opened.files);
    let service: Arc<dyn FederationService> = Federating::new(opened.node.clone(), opened.tls.clone(), files).await?;
    let key = opened.tls.clone();
    let (mut faces, closing) = Faces::new();
    let serving = async move {
        if let Err(error) = federation::serve(listener, &key, service, Bounds::federation(), closing).await {
            tracing::error!(%error, "the federation listener has ended");
        }
    };
    faces.tasks.push(tokio::spawn(serving.instrument(span(opened))));
    Ok(faces)
}

/// Serves the command line on the socket in the node's directory.
pub(crate) fn local_socket(opened: &Opened, layout: &Layout, exercises: Option<Ruled>) -> Result<Faces, ServeError> {
    let listener = bind_socket(&layout.socket())?;
    // Whoever opens this socket may open the directory: they act for the machine.
    let router = ruling(opened, true, exercises);
    let (mut faces, closing) = Faces::new();
    faces.tasks.push(tokio::spawn(accept::serve_unix(listener, router, Bounds::plain(), closing)));
    Ok(faces)
}

fn bind_socket(path: &Path) -> Result<UnixListener, ServeError> {
    let told =
        |error: std::io::Error| ServeError::Listen { address: path.display().to_string(), reason: error.to_string() };
    // We hold the signer's lock, so a socket that is there was left by a process that is gone.
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(told(error)),
    }
    let listener = UnixListener::bind(path).map_err(told)?;
    // Nobody else can reach it before this: the directory is 0700.
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(told)?;
    Ok(listener)
}

/// The time authority that the configuration names.
pub(crate) struct Stamper {
    authority: HttpTimeAuthority,
    trusted: Authorities,
    every: Every,
}

fn stamping(layout: &Layout, real: RealOnly) -> Result<Option<Stamper>, ServeError> {
    let Some(told) = configuration::read(layout)?.timestamp else { return Ok(None) };
    let authority = HttpTimeAuthority::new(real, &told.url, limits::STAMP).map_err(ServeError::Stamping)?;
    let path = layout.dir().join(&told.certificate);
    let pem = read_small(&path).map_err(|error| ServeError::Stamping(error.to_string()))?;
    let wrong = |error| ServeError::Stamping(format!("`{}`: {error}", path.display()));
    let trusted = Authorities::read(&pem).map_err(wrong)?;
    let every = match told.every {
        Often::Witnessed => Every::Witnessed,
        Often::Hours(hours) => Every::Hours(hours.get()),
    };
    Ok(Some(Stamper { authority, trusted, every }))
}

/// What a realm logs names it: several run in one process.
fn span(opened: &Opened) -> tracing::Span {
    tracing::info_span!("realm", realm = %opened.node.me().realm())
}

/// Asks partners, until it is stopped.
pub(crate) fn ask(opened: &Opened, stamper: Option<Stamper>, ways: Ways) -> Asking {
    let (stop, stopping) = watch::channel(false);
    let transport = Arc::new(PinnedTransport::new(opened.tls.clone()));
    let pulling = node::pull::run(opened.node.clone(), Arc::clone(&transport) as Arc<dyn Transport>, stopping.clone());
    let recovered =
        node::recovery::run(opened.node.clone(), Arc::clone(&transport) as Arc<dyn Transport>, stopping.clone());
    let witnessed =
        node::witness::run(opened.node.clone(), Arc::clone(&transport) as Arc<dyn Transport>, stopping.clone());
    let announced = node::announce::run(opened.node.clone(), transport, stopping.clone());
    let replaced = Arc::clone(&opened.desk).drive(stopping.clone());
    let Ways { outlets, post, mailbox, programs, words } = ways;
    let programs: Arc<dyn MailCipher> = Arc::new(programs);
    let lettered =
        node::reach::post::run(opened.node.clone(), post, Arc::clone(&programs), words.clone(), stopping.clone());
    let woken = node::alert::run::run(opened.node.clone(), outlets, words, stopping.clone());
    let spawn = |task: Boxed<'static, ()>| tokio::spawn(task.instrument(span(opened)));
    let mut tasks = vec![
        spawn(Box::pin(pulling)),
        spawn(Box::pin(recovered)),
        spawn(Box::pin(witnessed)),
        spawn(Box::pin(announced)),
        spawn(Box::pin(replaced)),
        spawn(Box::pin(woken)),
        spawn(Box::pin(node::depot::run(opened.node.clone(), opened.files.depot(), stopping.clone()))),
        spawn(Box::pin(lettered)),
        spawn(Box::pin(node::ratchet::keep(opened.node.clone(), stopping.clone()))),
    ];
    if let Some(mailbox) = mailbox {
        let (node, stop) = (opened.node.clone(), stopping.clone());
        tasks.push(spawn(Box::pin(node::reach::mailbox::run(node, mailbox, programs, stop))));
    }
    if let Some(Stamper { authority, trusted, every }) = stamper {
        let node = opened.node.clone();
        tasks.push(spawn(Box::pin(node::stamp::run(node, Arc::new(authority), trusted, every, stopping))));
    }
    Asking { stop, tasks }
}

/// Makes the outgoing call of peering with the node's own key.
struct PinnedJoiner {
    node: Node,
    key: NodeKey,
}

impl Joiner for PinnedJoiner {
    fn accept(&self, code: String) -> Boxed<'_, Result<Joined, JoinError>> {
        Box::pin(async move { join(&self.node, &self.key, &code).await })
    }
}
