//! A node in a directory of its own behind the API's routes: what the tests of the API share.
#![allow(dead_code, reason = "each test uses a part of the world")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use ed25519_dalek::SigningKey;
use http_body_util::BodyExt;
use http_room::client::join::{JoinError, Joined};
use http_room::server::accept::LocalSocket;
use http_room::server::api::keys::{self, Keyring, KeyringError};
use http_room::server::api::{self, Ctx, Joiner};
use http_room::server::sealed_files::SealedFiles;
use journal::checkpoint::{self, Checkpoint, SignedCheckpoint};
use journal::cursor::CursorKey;
use journal::identity::{self, Identity, Pin, SignedIdentity};
use journal::seal::WrappingKey;
use model::{Origin, PartnerClass, RootId, Timestamp};
use node::depot::MemoryDepot;
use node::engine::Deps;
use node::partner::PartnerError;
use node::passkey::ceremony::HostName;
use node::ports::{
    Boxed, CipherError, Clock, MailCipher, MailStandard, OpenedMail, PartnerAddress, Random, Signer, SignerError,
    Transport, TransportError, WitnessAnswer,
};
use node::{Node, WriteError, account};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// 2026-11-24T13:54:00Z.
pub const START: i64 = 1_795_528_440;

/// A clock that the test moves.
pub struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

struct Dice(u64);

impl Random for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

struct Keys {
    log: SigningKey,
    mark: Mutex<Option<Checkpoint>>,
    wrapping: Arc<WrappingKey>,
    cursor: Arc<CursorKey>,
}

impl Signer for Keys {
    fn sign(&self, next: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        *self.mark.lock().unwrap() = Some(next.clone());
        Ok(checkpoint::sign(next, &self.log))
    }
    fn cosign(&self, _: &str, _: u64) -> Result<String, SignerError> {
        Err(SignerError::Io("nobody asks this node to witness".into()))
    }
    fn mark(&self) -> Option<Checkpoint> {
        self.mark.lock().unwrap().clone()
    }
    fn wrapping_key(&self) -> Arc<WrappingKey> {
        Arc::clone(&self.wrapping)
    }
    fn cursor_key(&self) -> Arc<CursorKey> {
        Arc::clone(&self.cursor)
    }
}

struct Nobody;

impl Joiner for Nobody {
    fn accept(&self, _: String) -> Boxed<'_, Result<Joined, JoinError>> {
        Box::pin(async { Err(JoinError::Partner(WriteError::Refused(PartnerError::Invitation))) })
    }
}

impl MailCipher for Nobody {
    fn key(&self, _: MailStandard, key: Vec<u8>) -> Boxed<'_, Result<String, CipherError>> {
        Box::pin(async move {
            let refused = || CipherError { reason: "this is not a key".to_owned() };
            if key == b"key" { Ok("0123456789abcdef0123456789ABCDEF01234567".to_owned()) } else { Err(refused()) }
        })
    }
    fn encrypt(&self, _: MailStandard, _: Vec<u8>, _: Vec<u8>) -> Boxed<'_, Result<Vec<u8>, CipherError>> {
        Box::pin(async { Err(CipherError { reason: "nothing is encrypted here".to_owned() }) })
    }
    fn open(&self, _: MailStandard, _: Vec<u8>, _: Vec<Vec<u8>>) -> Boxed<'_, Result<OpenedMail, CipherError>> {
        Box::pin(async { Err(CipherError { reason: "nothing is opened here".to_owned() }) })
    }
}

/// A depot in memory; nobody is reached from it.
pub fn files() -> Arc<SealedFiles> {
    Arc::new(SealedFiles::new(Arc::new(MemoryDepot::default()), Arc::new(Nobody)))
}

fn unreached<T>() -> Boxed<'static, Result<T, TransportError>> {
    Box::pin(async { Err(TransportError { reason: "nobody is there".to_owned() }) })
}

impl Transport for Nobody {
    fn releases(&self, _: &PartnerAddress, _: String) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        unreached()
    }
    fn yours(&self, _: &PartnerAddress, _: String) -> Boxed<'_, Result<Vec<u8>, TransportError>> {
        unreached()
    }
    fn add_checkpoint(&self, _: &PartnerAddress, _: String) -> Boxed<'_, Result<WitnessAnswer, TransportError>> {
        unreached()
    }
}

impl Keyring for Nobody {
    fn keys(&self) -> Boxed<'_, Result<keys::Keys, KeyringError>> {
        Box::pin(async { Err(KeyringError::Refused("this node has no keys".to_owned())) })
    }
    fn request(&self, _: keys::Wanted) -> Boxed<'_, Result<keys::Request, KeyringError>> {
        Box::pin(async { Err(KeyringError::Refused("this node has no keys".to_owned())) })
    }
    fn install(&self, _: keys::Signed) -> Boxed<'_, Result<keys::Keys, KeyringError>> {
        Box::pin(async { Err(KeyringError::Refused("this node has no keys".to_owned())) })
    }
    fn renew(&self, _: String) -> Boxed<'_, Result<keys::Keys, KeyringError>> {
        Box::pin(async { Err(KeyringError::Refused("this node has no keys".to_owned())) })
    }
}

/// The identity of a made-up nation whose keys are made of one byte.
pub fn signed_identity(country: &str, seed: u8) -> SignedIdentity {
    let key = |add: u8| SigningKey::from_bytes(&[seed.wrapping_add(add); 32]);
    let root = key(0);
    let root_key = root.verifying_key().to_bytes();
    let origin = Origin::new(country.parse().unwrap(), "REAL".parse().unwrap(), RootId::of_key(&root_key));
    let identity = Identity {
        origin,
        name: format!("CERT-{country}"),
        version: 1,
        root_key,
        log_key: key(1).verifying_key().to_bytes(),
        tls_pins: vec![Pin::new([seed; 32])],
        witness_key: key(2).verifying_key().to_bytes(),
        mandate_key: key(3).verifying_key().to_bytes(),
        address: "127.0.0.1:7443".to_owned(),
        class: PartnerClass::EuState,
        wire: vec![1],
        issued: Timestamp::from_seconds(START - 86_400),
        past: journal::log_keys::Past::default(),
        succeeds: None,
    };
    identity::sign(&identity, &root)
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }
    /// The same, if it is as it should be.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }
    /// Checks that it is a problem of that status.
    #[track_caller]
    pub fn refused(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.json()["status"], status);
        self
    }
}

/// Who sends a request.
#[derive(Clone, Default)]
pub struct Client {
    pub local: bool,
    pub cookie: Option<String>,
    pub csrf: Option<String>,
    pub token: Option<String>,
    pub key: Option<String>,
    pub host: Option<String>,
}

/// The machine's own socket.
pub fn machine() -> Client {
    Client { local: true, ..Client::default() }
}

impl Client {
    /// The same with an idempotency key.
    pub fn keyed(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }
}

/// A node behind its API.
pub struct World {
    pub node: Node,
    pub app: Router,
    clock: Arc<Hand>,
    _dir: TempDir,
}

impl World {
    /// France, with an empty log.
    pub fn new() -> Self {
        Self::made(intake::Classification::Unclassified, None)
    }

    /// The same, accredited for more.
    pub fn with_ceiling(ceiling: intake::Classification) -> Self {
        Self::made(ceiling, None)
    }

    /// The same, reached by a host name.
    pub fn at(host: Option<&str>) -> Self {
        Self::made(intake::Classification::Unclassified, host)
    }

    fn made(ceiling: intake::Classification, host: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(START * 1_000_000)));
        let keys = Keys {
            log: SigningKey::from_bytes(&[12; 32]),
            mark: Mutex::new(None),
            wrapping: Arc::new(WrappingKey::new([1; 32])),
            cursor: Arc::new(CursorKey::new([2; 32])),
        };
        let deps = Deps {
            clock: clock.clone(),
            random: Box::new(Dice(1)),
            signer: Arc::new(keys),
            identity: signed_identity("FR", 11),
            purges: Arc::new(std::sync::Mutex::new(Vec::new())),
        };
        let node = Node::open(dir.path(), deps).unwrap();
        let app = api::router(Ctx {
            node: node.clone(),
            joiner: Arc::new(Nobody),
            keyring: Arc::new(Nobody),
            cipher: Arc::new(Nobody),
            files: files(),
            plain_http: true,
            ceiling,
            host: host.map(|host| HostName::new(host).unwrap()),
            seats: None,
        });
        Self { node, app, clock, _dir: dir }
    }

    /// Moves the clock.
    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Sends one request and gives the answer as it comes.
    pub async fn raw(&self, client: &Client, method: Method, path: &str, body: Vec<u8>) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let mut set = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                request = std::mem::take(&mut request).header(name, value);
            }
        };
        set("cookie", &client.cookie);
        set("x-csrf", &client.csrf);
        set("host", &client.host);
        set("idempotency-key", &client.key);
        set("authorization", &client.token.as_ref().map(|token| format!("Bearer {token}")));
        let mut request = request.body(Body::from(body)).unwrap();
        if client.local {
            request.extensions_mut().insert(LocalSocket { uid: None });
        }
        self.app.clone().oneshot(request).await.unwrap()
    }

    async fn send(&self, client: &Client, method: Method, path: &str, body: Vec<u8>) -> Answer {
        let response = self.raw(client, method, path, body).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub async fn get(&self, client: &Client, path: &str) -> Answer {
        self.send(client, Method::GET, path, Vec::new()).await
    }

    pub async fn post(&self, client: &Client, path: &str, body: &Value) -> Answer {
        self.send(client, Method::POST, path, body.to_string().into_bytes()).await
    }

    pub async fn post_bytes(&self, client: &Client, path: &str, body: &[u8]) -> Answer {
        self.send(client, Method::POST, path, body.to_vec()).await
    }

    pub async fn put(&self, client: &Client, path: &str, body: &Value) -> Answer {
        self.send(client, Method::PUT, path, body.to_string().into_bytes()).await
    }

    pub async fn delete(&self, client: &Client, path: &str) -> Answer {
        self.send(client, Method::DELETE, path, Vec::new()).await
    }

    /// Makes an account with one role; the answer holds its secrets.
    pub async fn user(&self, login: &str, role: &str) -> Value {
        let user = json!({"login": login, "name": "Anna", "desk": "csirt", "roles": [role]});
        self.post(&machine(), "/api/v1/users", &user).await.ok().json()
    }

    /// The code that an authenticator shows now.
    pub fn code(&self, access: &Value) -> String {
        let secret = access["totp_secret"].as_str().unwrap();
        let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
        let step = u64::try_from(self.node.now().micros() / 30_000_000).unwrap();
        account::totp_code(&secret, step)
    }

    /// What a person sends to log in.
    pub fn credentials(&self, access: &Value) -> Value {
        json!({"login": access["login"], "password": access["password"], "code": self.code(access)})
    }

    /// Logs in.
    pub async fn log_in(&self, access: &Value) -> Client {
        let answer = self.post(&Client::default(), "/api/v1/session", &self.credentials(access)).await.ok();
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        Client {
            cookie: Some(cookie.split(';').next().unwrap().to_owned()),
            csrf: answer.json()["csrf"].as_str().map(str::to_owned),
            ..Client::default()
        }
    }

    /// Makes a confirmed partner by a roster, as two people would after a telephone call.
    pub async fn partner(&self, country: &str, seed: u8) {
        let signer = SigningKey::from_bytes(&[200; 32]);
        let roster = journal::roster::Roster {
            title: "Test".to_owned(),
            entries: vec![signed_identity(country, seed)],
            issued: Timestamp::from_seconds(START),
        };
        let text = journal::roster::sign(&roster, &signer).unwrap();
        let key = model::bytes::hex(&signer.verifying_key().to_bytes());
        let path = format!("/api/v1/partners/roster?key={key}");
        let proposed = self.post_bytes(&machine(), &path, text.as_bytes()).await.ok().json();
        assert_eq!(proposed["proposed"].as_array().unwrap().len(), 1);
        let confirm = format!("/api/v1/partners/{country}/confirm");
        self.post(&machine(), &confirm, &json!({})).await.ok();
    }
}
