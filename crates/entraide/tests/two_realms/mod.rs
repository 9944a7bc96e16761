//! One real node with one exercise beside it in this process, and people in both over real HTTP.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use entraide::init;
use entraide::machine::MachineClock;
use entraide::serve::{self, Running, ServeConfig};
use http_body_util::{BodyExt, Full};
use http_room::server::api::exercises::{Exercises, NewExercise};
use hyper::{HeaderMap, Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use model::Realm;
use node::account;
use node::ports::Clock;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub const REALM: &str = "EX-BLUE-26";

/// A node in a directory of its own.
pub struct World {
    pub running: Running,
    pub dir: PathBuf,
    pub real: Access,
    _temp: tempfile::TempDir,
}

/// What the first administrator of a realm logs in with.
#[derive(Clone)]
pub struct Access {
    pub prefix: String,
    pub login: String,
    pub password: String,
    pub totp_secret: String,
}

/// Somebody who is logged in, at the path of their realm.
#[derive(Clone)]
pub struct Person {
    pub at: SocketAddr,
    pub prefix: String,
    pub cookie: String,
    pub csrf: String,
    pub token: Option<String>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self
    }
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.ok().text;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
    #[track_caller]
    pub fn refused(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

pub async fn serve(dir: &Path, federation: SocketAddr) -> Running {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    serve::start(ServeConfig { dir: dir.to_owned(), listen, federation, plain_http: true, host: None, clock })
        .await
        .unwrap()
}

impl World {
    pub async fn start(country: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let federation = crate::program::free_address();
        let country = country.parse().unwrap();
        let request = init::Request {
            country,
            realm: Realm::Real,
            name: format!("CERT-{country}"),
            class: init::default_class(country),
            address: federation.clone(),
        };
        let dir = temp.path().join("node");
        let made = init::init(&dir, &request, Arc::new(MachineClock)).await.unwrap();
        let real =
            Access { prefix: String::new(), login: made.login, password: made.password, totp_secret: made.totp_secret };
        let running = serve(&dir, federation.parse().unwrap()).await;
        Self { running, dir, real, _temp: temp }
    }

    /// Opens the exercise, a week ahead of the machine.
    pub async fn open(&self) -> Access {
        let starts_at = Some(MachineClock.now().plus_seconds(7 * 86_400));
        let new = NewExercise {
            realm: REALM.parse().unwrap(),
            name: "Blue 2026".to_owned(),
            address: Some(crate::program::free_address()),
            starts_at,
        };
        let made = self.running.exercises().open(new).await.unwrap();
        assert_eq!(made.path, format!("/ex/{REALM}/"));
        Access {
            prefix: format!("/ex/{REALM}"),
            login: made.login,
            password: made.password,
            totp_secret: made.totp_secret,
        }
    }

    pub fn web(&self) -> SocketAddr {
        self.running.addresses().web_addr
    }

    pub async fn log_in(&self, access: &Access) -> Person {
        let nobody = Person {
            at: self.web(),
            prefix: access.prefix.clone(),
            cookie: String::new(),
            csrf: String::new(),
            token: None,
        };
        let answer = nobody.post("/api/v1/session", &access.credentials()).await.ok();
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        let csrf = answer.json()["csrf"].as_str().unwrap().to_owned();
        Person { cookie, csrf, ..nobody }
    }
}

impl Access {
    /// What is typed: the code is the one that an authenticator shows by its own clock.
    pub fn credentials(&self) -> Value {
        let secret = data_encoding::BASE32_NOPAD.decode(self.totp_secret.as_bytes()).unwrap();
        let step = u64::try_from(MachineClock.now().micros() / 30_000_000).unwrap();
        json!({"login": self.login, "password": self.password, "code": account::totp_code(&secret, step)})
    }
}

impl Person {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Vec::new(), &[]).await
    }
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body.to_string().into_bytes(), &[]).await
    }
    /// Takes the prefix away or puts another on: the same person at the other realm's door.
    pub fn knocking_at(&self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self.clone() }
    }
    pub async fn send(&self, method: Method, path: &str, body: Vec<u8>, more: &[(&str, &str)]) -> Answer {
        self.send_to(method, &format!("{}{path}", self.prefix), body, more).await
    }
    /// By the whole path, as a browser follows a link.
    pub async fn send_to(&self, method: Method, path: &str, body: Vec<u8>, more: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        match &self.token {
            Some(token) => request = request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request = request.header(header::COOKIE, &self.cookie).header("x-csrf", &self.csrf),
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let stream = TcpStream::connect(self.at).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        driver.abort();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
}
