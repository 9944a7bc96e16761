//! The command line's way to a node. Whichever it is, it is the same API with the same answers: the socket of the node
//! that runs in a directory, the node of that directory opened here, or a node elsewhere with a token.

mod remote;
mod wire;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use http_room::problem::Problem;
use http_room::server::accept::LocalSocket;
use http_room::server::realms::{REALM_HEADER, prefix};
use hyper::{Method, Request, Response, StatusCode, header};
use model::Realm;
use node::ports::Clock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

use crate::keys::{KeysError, Layout};
use crate::limits;
use crate::open::{OpenError, Opened, open};
use crate::realm::host::Host;
use crate::serve;
pub use remote::Remote;

/// Below which the API is.
const API: &str = "/api/v1";

/// Why a command got no answer that it can use.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The node of the directory.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Another process holds the directory and does not answer on its socket.
    #[error(
        "another process has the node in `{0}` open and its socket does not answer: wait until it ends, or stop it"
    )]
    Held(String),
    /// `--url`.
    #[error("`{url}` can't be asked: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What to do.
        reason: &'static str,
    },
    /// No connection.
    #[error("the node was not reached: {0}")]
    Unreachable(String),
    /// The connection ended before the answer.
    #[error("the node stopped answering ({0}): what it acknowledged is kept; run the same command again")]
    Lost(String),
    /// The node refused; in its words.
    #[error("{0}")]
    Refused(String),
    /// Another realm answers than was asked.
    #[error("`{asked}` was asked, and `{answers}` answers: name the realm with --realm, or leave it out for REAL")]
    OtherRealm {
        /// Which was named.
        asked: Realm,
        /// Which answers.
        answers: Realm,
    },
    /// Not what the contract says.
    #[error("the node's answer can't be read ({0}): is this program of the same version?")]
    Answer(String),
}

impl From<KeysError> for ClientError {
    fn from(error: KeysError) -> Self {
        Self::Open(error.into())
    }
}

/// How a node is reached.
pub enum Via {
    /// By the socket of the node that runs there.
    Socket(std::path::PathBuf),
    /// No node runs there: it is opened here, without listeners.
    InProcess(Box<InProcess>),
    /// Over the network.
    Url(Box<Remote>),
}

/// A node opened by the command itself.
pub struct InProcess {
    opened: Opened,
    router: Router,
}

/// One request to the API.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    /// Path and query below the API.
    path: String,
    content_type: &'static str,
    body: Bytes,
    key: Option<String>,
}

impl Ask {
    /// Reads.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path.into(), Bytes::new())
    }
    /// Commands, with bytes.
    #[must_use]
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, path.into(), body.into())
    }
    /// Takes away.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path.into(), Bytes::new())
    }
    /// A command in JSON.
    #[must_use]
    pub fn json(method: Method, path: impl Into<String>, value: &impl Serialize) -> Self {
        // Structs of strings and numbers always serialise; an empty body would be refused by name.
        Self::new(method, path.into(), serde_json::to_vec(value).unwrap_or_default().into())
    }
    /// With a key, so that sending it again is answered alike and done once.
    #[must_use]
    pub fn idempotent(mut self, key: String) -> Self {
        self.key = Some(key);
        self
    }
    /// Puts bytes in a place.
    #[must_use]
    pub fn put(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(Method::PUT, path.into(), body.into())
    }
    /// The body is bytes, not JSON.
    #[must_use]
    pub fn octets(mut self) -> Self {
        self.content_type = "application/octet-stream";
        self
    }
    /// The body is text, not JSON.
    #[must_use]
    pub fn text(mut self) -> Self {
        self.content_type = "text/plain; charset=utf-8";
        self
    }

    fn new(method: Method, path: String, body: Bytes) -> Self {
        Self { method, path, content_type: "application/json", body, key: None }
    }

    fn request(&self, prefix: &str) -> Result<Request<Body>, ClientError> {
        let mut request = Request::builder().method(&self.method).uri(format!("{prefix}{API}{}", self.path));
        if !self.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, self.content_type);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        let built = request.body(Body::from(self.body.clone()));
        built.map_err(|error| ClientError::Refused(format!("`{}` can't be asked for: {error}", self.path)))
    }
}

/// A way to a node.
pub struct Client {
    via: Via,
    /// The realm that was named; without a name whichever answers.
    asked: Option<Realm>,
    /// The realm that answered.
    answers: OnceLock<Realm>,
}

/// An answer, read whole.
struct Answer {
    status: StatusCode,
    realm: Option<Realm>,
    /// Where the next page goes on.
    next: Option<String>,
    bytes: Bytes,
}

impl Client {
    /// The node of a directory: asked by its socket if it runs, else opened here.
    ///
    /// # Errors
    /// There is no node, it does not open, or another process holds it and does not answer.
    pub async fn of_dir(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        let made = |via| Self { via, asked: None, answers: OnceLock::new() };
        let layout = Layout::new(dir);
        if !layout.is_node() {
            return Err(KeysError::NoNode(dir.display().to_string()).into());
        }
        let begun = Instant::now();
        loop {
            if UnixStream::connect(layout.socket()).await.is_ok() {
                return Ok(made(Via::Socket(layout.socket())));
            }
            match open(&layout, Arc::clone(&clock)) {
                Ok(opened) => {
                    let identity = opened.node.me().identity.clone();
                    let host = Host::new(dir, identity, Arc::clone(&clock), None);
                    let router = serve::ruling(&opened, true, host.ruled());
                    return Ok(made(Via::InProcess(Box::new(InProcess { opened, router }))));
                }
                // A node that is just starting has the lock before it has the socket; another command lets go soon.
                Err(error) if error.is_locked() && begun.elapsed() < limits::LOCK_WAIT => {
                    sleep(limits::LOCK_PAUSE).await;
                }
                Err(error) if error.is_locked() => return Err(ClientError::Held(dir.display().to_string())),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A node elsewhere.
    #[must_use]
    pub fn of_url(remote: Remote) -> Self {
        Self { via: Via::Url(Box::new(remote)), asked: None, answers: OnceLock::new() }
    }

    /// The same for one realm: an answer of another is refused.
    #[must_use]
    pub fn in_realm(self, realm: Option<Realm>) -> Self {
        Self { asked: realm, ..self }
    }

    /// The realm that answered, once one has.
    #[must_use]
    pub fn realm(&self) -> Option<&Realm> {
        self.answers.get()
    }

    /// Does the node serve, rather than having been opened here?
    #[must_use]
    pub fn is_served(&self) -> bool {
        match self.via {
            Via::Socket(_) | Via::Url(_) => true,
            Via::InProcess(_) => false,
        }
    }

    /// Asks once.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn bytes(&self, ask: &Ask) -> Result<Bytes, ClientError> {
        Ok(self.page(ask).await?.0)
    }

    /// Asks once for a page; with it where the next page goes on, if there is one.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn page(&self, ask: &Ask) -> Result<(Bytes, Option<String>), ClientError> {
        let Answer { status, next, bytes, .. } = self.send(ask).await?;
        if status.is_success() { Ok((bytes, next)) } else { Err(refusal(status, &bytes)) }
    }

    /// Asks again while the node says that it is too busy. Only for what may be sent twice.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn bytes_patiently(&self, ask: &Ask) -> Result<Bytes, ClientError> {
        let mut tries = 0;
        loop {
            let Answer { status, bytes, .. } = self.send(ask).await?;
            // One that has stopped writing stays so until it is started again: there is nothing to wait for.
            let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
                && !is_stopped(&bytes);
            if status.is_success() {
                return Ok(bytes);
            }
            tries += 1;
            if !busy || tries >= limits::BUSY_TRIES {
                return Err(refusal(status, &bytes));
            }
            sleep(limits::BUSY_PAUSE).await;
        }
    }

    /// Asks once, and reads the answer.
    ///
    /// # Errors
    /// No answer, a refusal, or another shape than the contract's.
    pub async fn value<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, ClientError> {
        read(&self.bytes(ask).await?)
    }

    /// Lets go of the node, if it was opened here.
    pub async fn close(self) {
        match self.via {
            Via::InProcess(inside) => {
                let InProcess { opened, router } = *inside;
                drop(router);
                opened.close().await;
            }
            Via::Socket(_) | Via::Url(_) => {}
        }
    }

    async fn send(&self, ask: &Ask) -> Result<Answer, ClientError> {
        // Elsewhere a realm is a path of the node's one address; here it is a directory and a socket of its own.
        let prefix = match &self.via {
            Via::Url(_) => self.asked.as_ref().map(prefix).unwrap_or_default(),
            Via::Socket(_) | Via::InProcess(_) => String::new(),
        };
        let mut request = ask.request(&prefix)?;
        let asked = async {
            match &self.via {
                Via::Socket(path) => wire::over_socket(path, request).await,
                Via::Url(remote) => remote.send(request).await,
                Via::InProcess(inside) => {
                    request.extensions_mut().insert(LocalSocket { uid: None });
                    let answer = match inside.router.clone().oneshot(request).await {
                        Ok(answer) => answer,
                        Err(never) => match never {},
                    };
                    gathered(answer).await
                }
            }
        };
        let timed = tokio::time::timeout(limits::ANSWER, asked).await;
        let answer = timed.unwrap_or_else(|_| Err(ClientError::Lost("no answer in ten minutes".to_owned())))?;
        self.note(answer.realm.clone())?;
        Ok(answer)
    }

    /// Notes which realm answers. A command that was meant for one is never carried on with another.
    fn note(&self, answers: Option<Realm>) -> Result<(), ClientError> {
        let Some(answers) = answers else { return Ok(()) };
        match &self.asked {
            Some(asked) if *asked != answers => Err(ClientError::OtherRealm { asked: asked.clone(), answers }),
            Some(_) | None => {
                self.answers.get_or_init(|| answers);
                Ok(())
            }
        }
    }
}

/// Reads an answer.
///
/// # Errors
/// Another shape than the contract's.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| ClientError::Answer(error.to_string()))
}

async fn gathered<B>(answer: Response<B>) -> Result<Answer, ClientError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = answer.into_parts();
    let realm =
        parts.headers.get(REALM_HEADER).and_then(|value| value.to_str().ok()).and_then(|name| name.parse().ok());
    let next = parts.headers.get("entraide-next").and_then(|next| next.to_str().ok()).map(str::to_owned);
    let body = Limited::new(body, limits::ANSWER_BYTES).collect().await;
    let bytes = body.map_err(|error| ClientError::Lost(error.to_string()))?.to_bytes();
    Ok(Answer { status: parts.status, realm, next, bytes })
}

/// Does a problem say that the node has stopped writing?
fn is_stopped(problem: &[u8]) -> bool {
    serde_json::from_slice::<Problem>(problem).is_ok_and(|problem| problem.type_ == "urn:entraide:problem:stopped")
}

/// A problem (RFC 9457) in one line.
fn refusal(status: StatusCode, bytes: &[u8]) -> ClientError {
    let problem = serde_json::from_slice::<Problem>(bytes).ok();
    let (title, detail) = problem.map_or((String::new(), None), |problem| (problem.title, problem.detail));
    let told = match detail.filter(|detail| !detail.is_empty()) {
        Some(detail) => detail,
        None if status == StatusCode::NOT_FOUND => "it is not there, or not for you: check what you named".to_owned(),
        None if title.is_empty() => format!("the node refused with status {}", status.as_u16()),
        None => title,
    };
    ClientError::Refused(told)
}

/// Writes text into a path or query: everything but what RFC 3986 §2.3 leaves unreserved becomes %XX.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&model::bytes::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_into_addresses() {
        let check = |text: &str, expect: &str| assert_eq!(encode(text), expect);
        check("FR:12", "FR:12");
        check("amber+strict", "amber%2Bstrict");
        check("a b/c?d&é", "a%20b%2Fc%3Fd%26%C3%A9");
    }

    #[test]
    fn refusals_are_told_in_the_nodes_words() {
        let problem = br#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"it needs liaison"}"#;
        assert_eq!(refusal(StatusCode::FORBIDDEN, problem).to_string(), "it needs liaison");
        let title = br#"{"title":"Not Found","status":404}"#;
        assert_eq!(
            refusal(StatusCode::NOT_FOUND, title).to_string(),
            "it is not there, or not for you: check what you named"
        );
        let stopped = Problem::unavailable("it stopped").kind("stopped", "Stopped");
        assert!(is_stopped(&serde_json::to_vec(&stopped).unwrap()) && !is_stopped(problem) && !is_stopped(b"<html>"));
        assert_eq!(refusal(StatusCode::BAD_GATEWAY, b"<html>").to_string(), "the node refused with status 502");
    }
}
