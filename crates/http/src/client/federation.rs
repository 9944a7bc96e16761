//! One partner, one connection: HTTP/2 over TLS to exactly its key, kept open; the long-poll and the small questions
//! share it.

use std::fmt;
use std::time::Duration;

use axum::http::{Method, Request, Response, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use node::ports::WitnessAnswer;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::ClientError;
use crate::limits;
use crate::server::federation::{ADD_CHECKPOINT, CHECKPOINT, EVIDENCE, IDENTITY, PEER, RELEASES, TILE, YOURS};
use crate::tls::{self, NodeKey, PinBytes};

/// Stands where HTTP and TLS want a name. The key says who it is; a name says nothing (`.invalid`: RFC 2606 §2).
const NO_NAME: &str = "node.invalid";

/// A connection to one partner. Dropping it closes the connection and ends what is asked over it.
///
/// It does not connect again by itself: when [`FederationClient::is_closed`], or after an error, the caller pauses as
/// [`backoff`] says and makes a new one.
pub struct FederationClient {
    sender: SendRequest<Full<Bytes>>,
    exporter: [u8; 32],
    connection: JoinHandle<()>,
}

impl FederationClient {
    /// Connects to the listener at `address` (`host:port`), which must hold the key of `pin`; shows ours.
    ///
    /// # Errors
    /// [`ClientError`]: `Connect`, `WrongKey`, `TimedOut` or `Protocol`.
    pub async fn connect(address: &str, pin: PinBytes, key: &NodeKey) -> Result<Self, ClientError> {
        timeout(limits::CONNECT, Self::open(address, pin, key)).await.map_err(|_| timed_out(limits::CONNECT))?
    }

    /// Peers with a node that doesn't know our key yet: connects, lets `make_body` write the request for this TLS
    /// session's exporter, and gives back the answer with that exporter.
    ///
    /// # Errors
    /// [`ClientError`]; `Refused` if the code is unknown or used up.
    pub async fn peer(
        address: &str,
        pin: PinBytes,
        key: &NodeKey,
        make_body: impl FnOnce(&[u8; 32]) -> Vec<u8>,
    ) -> Result<(Bytes, [u8; 32]), ClientError> {
        let client = Self::connect(address, pin, key).await?;
        let body = Bytes::from(make_body(&client.exporter));
        let request = request(Method::POST, PEER, body)?;
        let answer = client.ask(request, limits::ANSWER, limits::SMALL_ANSWER_BYTES).await?;
        Ok((answer, client.exporter))
    }

    /// A page of releases, still compressed: what `query` asks for, waiting for news as long as it says.
    ///
    /// `wait` is that same time; the answer must begin within it and [`limits::WAIT_SLACK`].
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn releases(&self, query: &str, wait: Duration) -> Result<Bytes, ClientError> {
        let request = request(Method::GET, &format!("{RELEASES}?{query}"), Bytes::new())?;
        self.ask(request, wait.saturating_add(limits::WAIT_SLACK), limits::PAGE_BYTES).await
    }

    /// A page of our own log as the partner holds it, still compressed.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn yours(&self, query: &str) -> Result<Bytes, ClientError> {
        let request = request(Method::GET, &format!("{YOURS}?{query}"), Bytes::new())?;
        self.ask(request, limits::ANSWER, limits::PAGE_BYTES).await
    }

    /// The digests of all pieces of a sealed file of the partner's evidence, or one piece; not checked.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn evidence(&self, index: u64, piece: Option<u64>) -> Result<Bytes, ClientError> {
        let path = match piece {
            Some(piece) => format!("{EVIDENCE}{index}/{piece}"),
            None => format!("{EVIDENCE}{index}"),
        };
        let request = request(Method::GET, &path, Bytes::new())?;
        self.ask(request, limits::ANSWER, limits::EVIDENCE_ANSWER_BYTES).await
    }

    /// Asks the partner to cosign a checkpoint of ours: the request as `journal::witness` writes it.
    ///
    /// # Errors
    /// [`ClientError`]; a witness that is at another size says so in [`WitnessAnswer::Size`].
    pub async fn add_checkpoint(&self, body: String) -> Result<WitnessAnswer, ClientError> {
        let request = request(Method::POST, ADD_CHECKPOINT, Bytes::from(body))?;
        let response = self.send(request, limits::ANSWER).await?;
        let status = response.status();
        let told = read(response, limits::SMALL_ANSWER_BYTES).await?;
        let text = || std::str::from_utf8(&told).map_err(|_| ClientError::protocol("a witness's answer is no text"));
        match status {
            StatusCode::OK => Ok(WitnessAnswer::Lines(text()?.to_owned())),
            StatusCode::CONFLICT => {
                let size = text()?.strip_suffix('\n').and_then(|digits| digits.parse().ok());
                size.map(WitnessAnswer::Size).ok_or_else(|| ClientError::protocol("a witness's size is no number"))
            }
            refused => Err(ClientError::refused(refused, &told)),
        }
    }

    /// The newest checkpoint of the partner's log, not verified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn checkpoint(&self) -> Result<Bytes, ClientError> {
        self.fetch(CHECKPOINT).await
    }

    /// A tile of the partner's log by its path below `tile/`, not verified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tile(&self, path: &str) -> Result<Bytes, ClientError> {
        self.fetch(&format!("{TILE}{path}")).await
    }

    /// The partner's signed identity, not verified.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn identity(&self) -> Result<Bytes, ClientError> {
        self.fetch(IDENTITY).await
    }

    /// Tells the partner who we are now; answers with the version of our identity that it then holds.
    ///
    /// # Errors
    /// [`ClientError`]; `Refused` if it does not take it, or is too old to.
    pub async fn announce(&self, identity: Vec<u8>) -> Result<u64, ClientError> {
        let request = request(Method::POST, IDENTITY, Bytes::from(identity))?;
        let told = self.ask(request, limits::ANSWER, limits::SMALL_ANSWER_BYTES).await?;
        let version = std::str::from_utf8(&told).ok().and_then(|text| text.strip_suffix('\n')?.parse().ok());
        version.ok_or_else(|| ClientError::protocol("the version of an identity is no number"))
    }

    /// Has the connection ended?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// 32 bytes that only the two ends of this TLS session know.
    #[must_use]
    pub fn exporter(&self) -> &[u8; 32] {
        &self.exporter
    }

    async fn fetch(&self, path: &str) -> Result<Bytes, ClientError> {
        let request = request(Method::GET, path, Bytes::new())?;
        self.ask(request, limits::ANSWER, limits::SMALL_ANSWER_BYTES).await
    }

    async fn open(address: &str, pin: PinBytes, key: &NodeKey) -> Result<Self, ClientError> {
        let config = tls::client_config(key, pin).map_err(|error| ClientError::connect(&error))?;
        let name = ServerName::try_from(NO_NAME).map_err(|error| ClientError::connect(&error))?;
        let stream = TcpStream::connect(address).await.map_err(|error| ClientError::connect(&error))?;
        // Questions are small and wanted at once; Nagle's algorithm would hold them back (RFC 1122 §4.2.3.4).
        stream.set_nodelay(true).map_err(|error| ClientError::connect(&error))?;
        let stream = TlsConnector::from(config)
            .connect_with(name, stream, |tls| tls.set_buffer_limit(Some(limits::TLS_BUFFER_BYTES)))
            .await
            .map_err(|error| match tls::is_wrong_key(&error) {
                true => ClientError::WrongKey,
                false => ClientError::connect(&error),
            })?;
        Self::start(stream).await
    }

    async fn start(stream: TlsStream<TcpStream>) -> Result<Self, ClientError> {
        let session = stream.get_ref().1;
        if session.alpn_protocol() != Some(tls::ALPN_H2) {
            return Err(ClientError::protocol("no http/2"));
        }
        let exporter = tls::exporter(session).map_err(|error| ClientError::connect(&error))?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(HEAD_LIST)
            .initial_stream_window_size(limits::STREAM_WINDOW)
            .initial_connection_window_size(limits::CONNECTION_WINDOW)
            .max_send_buf_size(limits::SEND_BUFFER_BYTES)
            .keep_alive_interval(limits::PING_EVERY)
            .keep_alive_timeout(limits::PING_ANSWER)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| ClientError::connect(&error))?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "federation connection ended");
            }
        });
        Ok(Self { sender, exporter, connection })
    }

    async fn send(&self, request: Request<Full<Bytes>>, begin: Duration) -> Result<Response<Incoming>, ClientError> {
        let mut sender = self.sender.clone();
        let sent = async {
            sender.ready().await?;
            sender.send_request(request).await
        };
        timeout(begin, sent).await.map_err(|_| timed_out(begin))?.map_err(broken)
    }

    async fn ask(&self, request: Request<Full<Bytes>>, begin: Duration, limit: usize) -> Result<Bytes, ClientError> {
        let response = self.send(request, begin).await?;
        let status = response.status();
        if status.is_success() {
            return read(response, limit).await;
        }
        // What a refusal says is nice to have; that it was one is what counts.
        let told = read(response, limits::PROBLEM_BYTES).await.unwrap_or_default();
        Err(ClientError::refused(status, &told))
    }
}

impl Drop for FederationClient {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl fmt::Debug for FederationClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FederationClient").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// The pause before connecting again after `failures` failures in a row: anything up to a ceiling that doubles from
/// [`limits::BACKOFF_FIRST`] to [`limits::BACKOFF_LAST`], by `random` (evenly spread over all `u32`), so that
/// partners cut off together don't come back in one wave.
#[must_use]
pub fn backoff(failures: u32, random: u32) -> Duration {
    let doubled =
        limits::BACKOFF_FIRST.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let ceiling = doubled.min(limits::BACKOFF_LAST);
    ceiling.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// [`limits::HEAD_BYTES`], as HTTP/2 counts it (RFC 9113 §6.5.2).
const HEAD_LIST: u32 = 16 * 1024;
const _: () = assert!(HEAD_LIST as usize == limits::HEAD_BYTES);

fn request(method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, ClientError> {
    let mut request = Request::builder().method(method).uri(format!("https://{NO_NAME}{path}"));
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(Full::new(body)).map_err(|_| ClientError::protocol("the question can't be written as a request"))
}

/// Reads a body within `limit` bytes, each part within [`limits::BODY_IDLE`], all within [`limits::ANSWER_TOTAL`].
async fn read(response: Response<Incoming>, limit: usize) -> Result<Bytes, ClientError> {
    let mut body = response.into_body();
    let too_large = ClientError::TooLarge { limit };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large);
    }
    let end = Instant::now() + limits::ANSWER_TOTAL;
    let mut whole = BytesMut::new();
    loop {
        if Instant::now() >= end {
            return Err(timed_out(limits::ANSWER_TOTAL));
        }
        let part = timeout(limits::BODY_IDLE, body.frame()).await.map_err(|_| timed_out(limits::BODY_IDLE))?;
        let Some(part) = part else {
            return Ok(whole.freeze());
        };
        // Trailers carry nothing for us.
        let Ok(data) = part.map_err(broken)?.into_data() else {
            continue;
        };
        if whole.len() + data.len() > limit {
            return Err(too_large);
        }
        whole.extend_from_slice(&data);
    }
}

fn timed_out(after: Duration) -> ClientError {
    ClientError::TimedOut { seconds: after.as_secs() }
}

fn broken(error: hyper::Error) -> ClientError {
    if error.is_timeout() { timed_out(limits::PING_ANSWER) } else { ClientError::connect(&error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(failures: u32, random: u32, expect_ms: u128) {
        assert_eq!(backoff(failures, random).as_millis(), expect_ms, "{failures} {random}");
    }

    #[test]
    fn pauses_double_up_to_the_ceiling() {
        check(0, u32::MAX, 500);
        check(1, u32::MAX, 500);
        check(2, u32::MAX, 1_000);
        check(4, u32::MAX, 4_000);
        check(9, u32::MAX, 30_000);
        check(u32::MAX, u32::MAX, 30_000);
        check(9, 0, 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn pauses_stay_below_the_ceiling(failures: u32, random: u32) {
            prop_assert!(backoff(failures, random) <= limits::BACKOFF_LAST);
        }
    }
}
