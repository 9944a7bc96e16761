//! The accept loops: federation (TLS, both certificates), plain HTTP, local socket. What comes in is bounded here, for
//! every route: connections, handshake, head, body, and readers that don't read.

mod body;
mod connection;
mod places;
mod steady;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Closing;
use crate::limits;
use crate::tls::{self, PinBytes, TlsError};
pub use body::read_body;
use connection::{Driver, Protocol};
use places::Places;
use steady::Steady;

/// Who calls on the federation's listener: an extension of every request that came over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The pin of the key that it has proved to hold.
    pub pin: PinBytes,
    /// 32 bytes that only the two ends of this TLS session know; peering binds its proofs to them.
    pub exporter: [u8; 32],
    /// The address that it calls from.
    pub addr: SocketAddr,
}

/// The address of a caller on the plain listener: an extension of every request that came over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteAddr(pub SocketAddr);

/// Marks a request that came over the local socket: an extension that no other listener sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalSocket {
    /// The system's number for the user at the other end; `None` if the system doesn't say.
    pub uid: Option<u32>,
}

/// Says whether a pin belongs to a partner. It is asked once per connection and once per request.
pub type Known = Arc<dyn Fn(&PinBytes) -> bool + Send + Sync>;

/// What one listener allows. The numbers and their reasons are in [`crate::limits`].
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Most connections at once.
    pub connections: usize,
    /// Longest TLS handshake.
    pub handshake: Duration,
    /// Longest time to send a request's head, and longest idle time of an HTTP/1.1 connection.
    pub head: Duration,
    /// Largest request body, bytes.
    pub request_body: usize,
    /// Longest silence inside a request body.
    pub body_idle: Duration,
    /// Longest time for a whole request body.
    pub body_total: Duration,
    /// How long a reader may leave what it was sent lying.
    pub stall: Duration,
    /// How long requests in flight may go on after [`super::Close::now`].
    pub drain: Duration,
    /// Most connections of callers with an unknown key.
    pub strangers: usize,
    /// Longest life of such a connection.
    pub stranger_life: Duration,
}

impl Bounds {
    /// For the federation's listener.
    #[must_use]
    pub fn federation() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            handshake: limits::HANDSHAKE,
            head: limits::HEAD_READ,
            request_body: limits::FEDERATION_BODY_BYTES,
            body_idle: limits::BODY_IDLE,
            body_total: limits::BODY_TOTAL,
            stall: limits::STALL,
            drain: limits::DRAIN,
            strangers: limits::STRANGERS,
            stranger_life: limits::STRANGER_LIFE,
        }
    }

    /// For the plain listener and the local socket.
    #[must_use]
    pub fn plain() -> Self {
        Self { request_body: limits::PLAIN_BODY_BYTES, ..Self::federation() }
    }
}

/// Serves `router` over TLS to callers that show a certificate; each request carries a [`Caller`] and a [`Closing`].
///
/// Returns when `closing` was heard and the connections have ended, at the latest after `bounds.drain`.
pub async fn serve_tls(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    known: Known,
    router: Router,
    bounds: Bounds,
    closing: Closing,
) {
    let listener_state = Arc::new(Federation {
        acceptor: TlsAcceptor::from(config),
        known,
        handshakes: Places::new(limits::HANDSHAKES_PER_ADDRESS),
        partners: Places::new(limits::CONNECTIONS_PER_PARTNER),
        strangers: Places::new(bounds.strangers),
        driver: Driver::new(router, bounds.clone(), closing.clone()),
    });
    run(listener, &bounds, &closing, |stream, addr| Arc::clone(&listener_state).connection(stream, addr)).await;
}

/// Serves `router` over TLS to browsers, which show no certificate; each request carries a [`RemoteAddr`] and a
/// [`Closing`]. `config` is [`tls::web_config`].
///
/// Returns when `closing` was heard and the connections have ended, at the latest after `bounds.drain`.
pub async fn serve_https(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    router: Router,
    bounds: Bounds,
    closing: Closing,
) {
    let driver = Driver::new(router, bounds.clone(), closing.clone());
    let acceptor = TlsAcceptor::from(config);
    run(listener, &bounds, &closing, |stream, addr| {
        let (driver, acceptor) = (driver.clone(), acceptor.clone());
        async move {
            let Some(stream) = handshake(&acceptor, stream, addr, &driver.bounds).await else {
                return;
            };
            let protocol = protocol(&stream);
            driver.drive(stream, protocol, RemoteAddr(addr), None).await;
        }
    })
    .await;
}

/// Serves `router` over plain HTTP/1.1; each request carries a [`RemoteAddr`] and a [`Closing`].
///
/// Returns when `closing` was heard and the connections have ended, at the latest after `bounds.drain`.
pub async fn serve_plain(listener: TcpListener, router: Router, bounds: Bounds, closing: Closing) {
    let driver = Driver::new(router, bounds.clone(), closing.clone());
    run(listener, &bounds, &closing, |stream, addr| {
        let driver = driver.clone();
        async move {
            let stream = Steady::new(stream, driver.bounds.stall);
            driver.drive(stream, Protocol::Http1, RemoteAddr(addr), None).await;
        }
    })
    .await;
}

/// Serves `router` on a Unix socket, HTTP/1.1; each request carries a [`LocalSocket`] and a [`Closing`].
///
/// Returns when `closing` was heard and the connections have ended, at the latest after `bounds.drain`.
pub async fn serve_unix(listener: UnixListener, router: Router, bounds: Bounds, closing: Closing) {
    let driver = Driver::new(router, bounds.clone(), closing.clone());
    run(listener, &bounds, &closing, |stream, local| {
        let driver = driver.clone();
        async move {
            let stream = Steady::new(stream, driver.bounds.stall);
            driver.drive(stream, Protocol::Http1, local, None).await;
        }
    })
    .await;
}

/// The state of one federation listener.
struct Federation {
    acceptor: TlsAcceptor,
    known: Known,
    handshakes: Places<std::net::IpAddr>,
    partners: Places<PinBytes>,
    strangers: Places<()>,
    driver: Driver,
}

impl Federation {
    async fn connection(self: Arc<Self>, stream: TcpStream, addr: SocketAddr) {
        let Some(shaking) = self.handshakes.take(addr.ip()) else {
            tracing::debug!(%addr, "too many handshakes from one address");
            return;
        };
        let bounds = &self.driver.bounds;
        let Some(stream) = handshake(&self.acceptor, stream, addr, bounds).await else {
            return;
        };
        drop(shaking);
        let caller = match caller(&stream, addr) {
            Ok(caller) => caller,
            Err(error) => return tracing::debug!(%addr, %error, "no caller"),
        };
        // A stranger's place is no partner's place, and the other way round.
        let is_known = (self.known)(&caller.pin);
        let (partner, stranger) =
            if is_known { (self.partners.take(caller.pin), None) } else { (None, self.strangers.take(())) };
        if partner.is_none() && stranger.is_none() {
            tracing::debug!(%addr, is_known, "too many connections of this kind");
            return;
        }
        let protocol = protocol(&stream);
        let life = (!is_known).then_some(bounds.stranger_life);
        self.driver.drive(stream, protocol, caller, life).await;
        drop((partner, stranger));
    }
}

async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    addr: SocketAddr,
    bounds: &Bounds,
) -> Option<TlsStream<Steady<TcpStream>>> {
    let stream = Steady::new(stream, bounds.stall);
    let accept = acceptor.accept_with(stream, |tls| tls.set_buffer_limit(Some(limits::TLS_BUFFER_BYTES)));
    match timeout(bounds.handshake, accept).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%addr, %error, "handshake failed"),
        Err(_) => tracing::debug!(%addr, "handshake too slow"),
    }
    None
}

/// What the handshake agreed to speak.
fn protocol<S>(stream: &TlsStream<S>) -> Protocol {
    let h2 = stream.get_ref().1.alpn_protocol() == Some(tls::ALPN_H2);
    if h2 { Protocol::Http2 } else { Protocol::Http1 }
}

fn caller<S>(stream: &TlsStream<S>, addr: SocketAddr) -> Result<Caller, TlsError> {
    let connection = stream.get_ref().1;
    Ok(Caller { pin: tls::pin_of_other_end(connection)?, exporter: tls::exporter(connection)?, addr })
}

/// A listening socket: hands out a stream and who is at its other end.
trait Listen {
    type Stream;
    type From;
    fn next(&self) -> impl Future<Output = io::Result<(Self::Stream, Self::From)>> + Send;
}

impl Listen for TcpListener {
    type Stream = TcpStream;
    type From = SocketAddr;
    async fn next(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, addr) = self.accept().await?;
        // Statements are small and wanted at once; Nagle's algorithm would hold them back (RFC 1122 §4.2.3.4).
        stream.set_nodelay(true)?;
        Ok((stream, addr))
    }
}

impl Listen for UnixListener {
    type Stream = UnixStream;
    type From = LocalSocket;
    async fn next(&self) -> io::Result<(UnixStream, LocalSocket)> {
        let (stream, _) = self.accept().await?;
        let uid = stream.peer_cred().ok().map(|cred| cred.uid());
        Ok((stream, LocalSocket { uid }))
    }
}

/// Accepts until told to stop, then lets what is in flight end.
async fn run<L, F>(listener: L, bounds: &Bounds, closing: &Closing, each: impl Fn(L::Stream, L::From) -> F)
where
    L: Listen,
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut tasks = JoinSet::new();
    loop {
        let place = tokio::select! {
            () = closing.wait() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = closing.wait() => break,
            accepted = listener.next() => accepted,
        };
        // Connections that have ended leave the set here, so it holds at most `bounds.connections` of them.
        while tasks.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => {
                let connection = each(stream, from);
                tasks.spawn(async move {
                    let _place = place;
                    connection.await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
    // New callers are refused at once, while the old ones are let out.
    drop(listener);
    let out = async { while tasks.join_next().await.is_some() {} };
    if timeout(bounds.drain, out).await.is_err() {
        tracing::info!(left = tasks.len(), "connections cut off at shutdown");
        tasks.shutdown().await;
    }
}
