//! The plain listener and the local socket, over real sockets.
#![allow(clippy::unwrap_used, reason = "tests may panic; these helpers are outside the test functions")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::routing::{get, post};
use bytes::Bytes;
use http_room::server::accept::{
    Bounds, Caller, LocalSocket, RemoteAddr, read_body, serve_https, serve_plain, serve_unix,
};
use http_room::server::{Close, Closing, shutdown};
use http_room::tls::{self, NodeKey};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);
const BIG: usize = 32 * 1024 * 1024;

type Marks = (Option<Extension<LocalSocket>>, Option<Extension<RemoteAddr>>, Option<Extension<Caller>>);

fn router() -> Router {
    Router::new()
        .route(
            "/who",
            get(async |(local, remote, caller): Marks| {
                let uid = local.is_some_and(|Extension(local)| local.uid.is_some());
                format!("local={uid} remote={} caller={}", remote.is_some(), caller.is_some())
            }),
        )
        .route("/length", post(async |body: Bytes| body.len().to_string()))
        .route("/read", post(async |body: Body| read_body(body, 6).await.map(|bytes| bytes.len().to_string())))
        .route("/big", get(async || vec![0_u8; BIG]))
        .route(
            "/wait",
            get(async |Extension(closing): Extension<Closing>| {
                closing.wait().await;
                "the node is going down"
            }),
        )
}

struct Plain {
    addr: std::net::SocketAddr,
    close: Close,
    served: JoinHandle<()>,
}

async fn plain(bounds: Bounds) -> Plain {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (close, closing) = shutdown();
    let served = tokio::spawn(serve_plain(listener, router(), bounds, closing));
    Plain { addr, close, served }
}

/// Sends `request` as it stands and reads until the other end closes.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is as good an end as a proper one.
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn check(plain: &Plain, request: &str, first_line: &str, last_line: &str) {
    let answer = exchange(TcpStream::connect(plain.addr).await.unwrap(), request).await;
    assert_eq!(answer.lines().next().unwrap_or_default(), first_line, "{answer}");
    assert!(answer.ends_with(last_line), "{answer}");
}

#[tokio::test]
async fn requests_know_which_door_they_came_through() {
    let plain = plain(Bounds::plain()).await;
    let who = "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    check(&plain, who, "HTTP/1.1 200 OK", "local=false remote=true caller=false").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let (_close, closing) = shutdown();
    tokio::spawn(serve_unix(UnixListener::bind(&path).unwrap(), router(), Bounds::plain(), closing));
    let answer = exchange(UnixStream::connect(&path).await.unwrap(), who).await;
    assert!(answer.ends_with("local=true remote=false caller=false"), "{answer}");
}

#[tokio::test]
async fn browsers_get_through_without_a_certificate() {
    let key = NodeKey::generate(&"entraide/FR/REAL/0123456789abcdef".parse().unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (_close, closing) = shutdown();
    let config = tls::web_config(&key).unwrap();
    tokio::spawn(serve_https(listener, config, router(), Bounds::plain(), closing));
    let mut browser = rustls::ClientConfig::clone(&tls::client_config(&key, key.pin()).unwrap());
    browser.alpn_protocols.clear();
    let stream = TcpStream::connect(addr).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(browser));
    let stream = connector.connect("node.invalid".try_into().unwrap(), stream).await.unwrap();
    let answer = exchange(stream, "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.ends_with("local=false remote=true caller=false"), "{answer}");
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_announced_or_not() {
    let plain = plain(Bounds { request_body: 8, ..Bounds::plain() }).await;
    let head = "POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let small = format!("{head}content-length: 8\r\n\r\n12345678");
    check(&plain, &small, "HTTP/1.1 200 OK", "8").await;
    let announced = format!("{head}content-length: 9\r\n\r\n123456789");
    check(&plain, &announced, "HTTP/1.1 413 Payload Too Large", r#""limit":8}"#).await;
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n");
    check(&plain, &chunked, "HTTP/1.1 413 Payload Too Large", "").await;
    let read = |request: &str| request.replace("/length", "/read");
    check(&plain, &read(&chunked), "HTTP/1.1 413 Payload Too Large", r#""limit":6}"#).await;
    check(&plain, &read(&small), "HTTP/1.1 413 Payload Too Large", r#""limit":6}"#).await;
    check(&plain, &read(&small.replace("length: 8", "length: 6")), "HTTP/1.1 200 OK", "6").await;
}

#[tokio::test]
async fn slow_writers_and_long_heads_are_dropped() {
    let short = Duration::from_millis(300);
    let plain = plain(Bounds { head: short, body_idle: short, ..Bounds::plain() }).await;
    assert_eq!(exchange(TcpStream::connect(plain.addr).await.unwrap(), "").await, "", "an idle connection");
    let half = exchange(TcpStream::connect(plain.addr).await.unwrap(), "GET /who HT").await;
    assert!(!half.contains("200"), "half a head: {half}");
    let body = "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\n1234";
    check(&plain, body, "HTTP/1.1 400 Bad Request", "").await;
    let long = format!("GET /who HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "a".repeat(64 * 1024));
    check(&plain, &long, "HTTP/1.1 431 Request Header Fields Too Large", "").await;
    let many = format!("GET /who HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(100));
    check(&plain, &many, "HTTP/1.1 431 Request Header Fields Too Large", "").await;
}

#[tokio::test]
async fn a_trickle_does_not_outlive_the_total() {
    let total = Duration::from_millis(200);
    let plain = plain(Bounds { body_total: total, ..Bounds::plain() }).await;
    let mut stream = TcpStream::connect(plain.addr).await.unwrap();
    stream.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
    let trickle = async {
        // Writing fails once the other end has closed.
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, trickle).await.unwrap();
}

#[tokio::test]
async fn a_reader_who_does_not_read_is_cut_off() {
    let plain = plain(Bounds { stall: Duration::from_millis(200), ..Bounds::plain() }).await;
    let mut stream = TcpStream::connect(plain.addr).await.unwrap();
    stream.write_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut answer = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK") && answer.len() < BIG, "{}", answer.len());
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let plain = plain(Bounds { connections: 1, ..Bounds::plain() }).await;
    let mut first = TcpStream::connect(plain.addr).await.unwrap();
    first.write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(timeout(SOON, first.read(&mut [0; 64])).await.unwrap().unwrap() > 0, "the first has the only place");
    let who = "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let second = tokio::spawn(exchange(TcpStream::connect(plain.addr).await.unwrap(), who));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!second.is_finished(), "it waits");
    drop(first);
    assert!(second.await.unwrap().starts_with("HTTP/1.1 200 OK"), "and then it is its turn");
}

#[tokio::test]
async fn going_down_ends_who_waits_and_cuts_off_who_stays() {
    let wait = "GET /wait HTTP/1.1\r\nhost: x\r\n\r\n";
    let plain = plain(Bounds { drain: Duration::from_millis(200), ..Bounds::plain() }).await;
    let waiting = tokio::spawn(exchange(TcpStream::connect(plain.addr).await.unwrap(), wait));
    let mut staying = TcpStream::connect(plain.addr).await.unwrap();
    staying.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\n1").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    plain.close.now();
    assert!(waiting.await.unwrap().ends_with("the node is going down"));
    timeout(SOON, plain.served).await.unwrap().unwrap();
    let mut left = Vec::new();
    let _ = timeout(SOON, staying.read_to_end(&mut left)).await.unwrap();
    assert_eq!(left, b"");
}
