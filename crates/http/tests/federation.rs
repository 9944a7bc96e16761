//! The federation's server and client against each other, over real sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic; these helpers are outside the test functions")]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use http_room::client::{ClientError, FederationClient};
use http_room::limits;
use http_room::server::accept::{Bounds, Caller};
use http_room::server::federation::{Answer, Cosigned, Cosigning, FederationService, ServiceError, serve};
use http_room::server::{Close, shutdown};
use http_room::tls::{self, NodeKey, PinBytes};
use hyper_util::rt::{TokioExecutor, TokioIo};
use node::ports::WitnessAnswer;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const SOON: Duration = Duration::from_secs(5);
const BIG: usize = 1024 * 1024;

/// A node reduced to what the routes can be told apart by.
#[derive(Default)]
struct Desk {
    partners: Mutex<HashSet<PinBytes>>,
    waiting: Arc<AtomicUsize>,
    waiting_from: Mutex<Option<SocketAddr>>,
}

/// Counts a long-poll while it waits.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FederationService for Desk {
    fn identity(&self, _caller: Caller) -> Answer<'_> {
        Box::pin(async { Err(ServiceError::TooMany { retry_after: 7 }) })
    }
    fn checkpoint(&self, caller: Caller) -> Answer<'_> {
        Box::pin(async move { Ok(Bytes::from(caller.addr.to_string())) })
    }
    fn tile(&self, _caller: Caller, path: String) -> Answer<'_> {
        Box::pin(async move { if path == "0/000" { Ok(Bytes::from(path)) } else { Err(ServiceError::NotFound) } })
    }
    fn releases(&self, caller: Caller, query: String) -> Answer<'_> {
        Box::pin(async move {
            if query == "big" {
                return Ok(Bytes::from(vec![1; BIG]));
            }
            if query != "wait" {
                return Ok(Bytes::from(query));
            }
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let _waiting = Waiting(Arc::clone(&self.waiting));
            *self.waiting_from.lock().unwrap() = Some(caller.addr);
            std::future::pending().await
        })
    }
    fn add_checkpoint(&self, _: Caller, body: Bytes) -> Cosigning<'_> {
        Box::pin(async move {
            match &body[..] {
                b"behind" => Ok(Cosigned::Size(7)),
                b"wrong" => Err(ServiceError::Unprocessable("it does not lead there".to_owned())),
                other => Ok(Cosigned::Lines(String::from_utf8_lossy(other).into_owned())),
            }
        })
    }
    fn peer(&self, caller: Caller, body: Bytes) -> Answer<'_> {
        Box::pin(async move { Ok(Bytes::from([&caller.exporter[..], &caller.pin[..], &body[..]].concat())) })
    }
    fn known(&self, pin: &PinBytes) -> bool {
        self.partners.lock().unwrap().contains(pin)
    }
}

/// A node that listens, and a partner of it.
struct World {
    addr: String,
    host: NodeKey,
    partner: NodeKey,
    desk: Arc<Desk>,
    close: Close,
    served: JoinHandle<()>,
}

async fn world(bounds: Bounds) -> World {
    let (host, partner) = (key(), key());
    let desk = Arc::new(Desk::default());
    desk.partners.lock().unwrap().insert(partner.pin());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (close, closing) = shutdown();
    let (serving, service) = (host.clone(), Arc::clone(&desk));
    let served = tokio::spawn(async move { serve(listener, &serving, service, bounds, closing).await.unwrap() });
    World { addr, host, partner, desk, close, served }
}

impl World {
    async fn connect(&self, key: &NodeKey) -> FederationClient {
        FederationClient::connect(&self.addr, self.host.pin(), key).await.unwrap()
    }

    /// Starts a long-poll and waits until the node holds it.
    async fn long_poll(&self, client: Arc<FederationClient>) -> JoinHandle<Result<Bytes, ClientError>> {
        let poll = tokio::spawn(async move { client.releases("wait", SOON).await });
        self.waiting_is(1).await;
        poll
    }

    async fn waiting_is(&self, count: usize) {
        let until = async {
            while self.desk.waiting.load(Ordering::SeqCst) != count {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(SOON, until).await.unwrap();
    }
}

fn key() -> NodeKey {
    NodeKey::generate(&"entraide/FR/REAL/0123456789abcdef".parse().unwrap()).unwrap()
}

fn refused(status: u16, title: &str) -> ClientError {
    ClientError::Refused { status, title: title.to_owned() }
}

#[tokio::test]
async fn a_pinned_partner_gets_through() {
    let world = world(Bounds::federation()).await;
    let client = world.connect(&world.partner).await;
    assert_eq!(client.releases("cursor=a&wait=0", Duration::ZERO).await.unwrap(), "cursor=a&wait=0");
    assert_eq!(client.releases("big", Duration::ZERO).await.unwrap().len(), BIG);
    assert_eq!(client.tile("0/000").await.unwrap(), "0/000");
    assert_eq!(client.tile("0/001").await.unwrap_err(), refused(404, "Not Found"));
    assert_eq!(client.tile("etc/passwd").await.unwrap_err(), refused(404, "Not Found"));
    assert_eq!(client.identity().await.unwrap_err(), refused(429, "Too Many Requests"));
    let long = "a".repeat(limits::QUERY_BYTES + 1);
    assert_eq!(client.releases(&long, Duration::ZERO).await.unwrap_err(), refused(400, "Bad Request"));
    assert!(!client.is_closed());
}

#[tokio::test]
async fn a_listener_with_another_key_is_not_the_partner() {
    let world = world(Bounds::federation()).await;
    let error = FederationClient::connect(&world.addr, key().pin(), &world.partner).await.unwrap_err();
    assert_eq!(error, ClientError::WrongKey);
    assert_eq!(error.to_string(), "certificate is not the pinned one");
}

#[tokio::test]
async fn nobody_at_the_address_is_a_reason() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let error = FederationClient::connect(&free, key().pin(), &key()).await.unwrap_err();
    assert!(error.to_string().starts_with("can't connect: Connection refused"), "{error}");
}

#[tokio::test]
async fn a_stranger_reaches_peer_and_nothing_else() {
    let world = world(Bounds::federation()).await;
    let stranger = key();
    let client = world.connect(&stranger).await;
    let no = refused(403, "Forbidden");
    assert_eq!(client.identity().await.unwrap_err(), no);
    assert_eq!(client.checkpoint().await.unwrap_err(), no);
    assert_eq!(client.tile("0/000").await.unwrap_err(), no);
    assert_eq!(client.tile("../../../nothing").await.unwrap_err(), no, "what doesn't exist looks the same");
    assert_eq!(client.releases("wait", SOON).await.unwrap_err(), no);
    // Who brings an identity does not count; this desk knows nobody's.
    assert!(matches!(client.announce(b"x".to_vec()).await, Err(ClientError::Refused { status: 404, .. })));
    let make = |_: &[u8; 32]| b"hello".to_vec();
    let (answer, exporter) = FederationClient::peer(&world.addr, world.host.pin(), &stranger, make).await.unwrap();
    assert_eq!(answer, [&exporter[..], &stranger.pin()[..], b"hello"].concat());
    world.desk.partners.lock().unwrap().insert(stranger.pin());
    assert!(client.checkpoint().await.is_ok(), "confirmed by people, it is no stranger any more");
    world.desk.partners.lock().unwrap().clear();
    assert_eq!(client.checkpoint().await.unwrap_err(), no, "and cut, it is one again, on the same connection");
}

#[tokio::test]
async fn both_ends_of_a_peering_see_the_same_exporter() {
    let world = world(Bounds::federation()).await;
    let mut written = [0; 32];
    let make = |exporter: &[u8; 32]| {
        written = *exporter;
        exporter.to_vec()
    };
    let (answer, exporter) = FederationClient::peer(&world.addr, world.host.pin(), &key(), make).await.unwrap();
    assert_eq!(written, exporter);
    assert_eq!(answer[..32], exporter, "the host saw it in the session");
    assert_eq!(answer[64..], exporter, "and in the body");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let world = world(Bounds::federation()).await;
    let peer =
        |size: usize| FederationClient::peer(&world.addr, world.host.pin(), &world.partner, move |_| vec![b'a'; size]);
    assert_eq!(peer(limits::FEDERATION_BODY_BYTES + 1).await.unwrap_err(), refused(413, "Payload Too Large"));
    let largest = peer(limits::FEDERATION_BODY_BYTES - 64).await.unwrap();
    assert_eq!(largest.0.len(), limits::FEDERATION_BODY_BYTES);
    let beyond = ClientError::TooLarge { limit: limits::SMALL_ANSWER_BYTES };
    assert_eq!(peer(limits::FEDERATION_BODY_BYTES).await.unwrap_err(), beyond, "the client has limits too");
}

#[tokio::test]
async fn a_slow_handshake_is_dropped() {
    let world = world(Bounds { handshake: Duration::from_millis(500), ..Bounds::federation() }).await;
    let mut silent = TcpStream::connect(&world.addr).await.unwrap();
    assert!(world.connect(&world.partner).await.checkpoint().await.is_ok(), "it holds nobody up");
    let read = timeout(SOON, silent.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn a_long_poll_leaves_room_for_other_questions() {
    let world = world(Bounds::federation()).await;
    let client = Arc::new(world.connect(&world.partner).await);
    let poll = world.long_poll(Arc::clone(&client)).await;
    let from = client.checkpoint().await.unwrap();
    let waiting_from = world.desk.waiting_from.lock().unwrap().unwrap();
    assert_eq!(from, waiting_from.to_string(), "both came over one connection");
    assert!(!poll.is_finished());
    poll.abort();
    world.waiting_is(0).await;
}

#[tokio::test]
async fn a_caller_who_goes_takes_its_long_poll_along() {
    let world = world(Bounds::federation()).await;
    let client = Arc::new(world.connect(&world.partner).await);
    let poll = world.long_poll(Arc::clone(&client)).await;
    poll.abort();
    drop(client);
    world.waiting_is(0).await;
}

#[tokio::test]
async fn going_down_ends_long_polls() {
    let world = world(Bounds::federation()).await;
    let client = Arc::new(world.connect(&world.partner).await);
    let poll = world.long_poll(Arc::clone(&client)).await;
    world.close.now();
    let answer = timeout(SOON, poll).await.unwrap().unwrap();
    assert_eq!(answer.unwrap_err(), refused(503, "Service Unavailable"));
    timeout(SOON, world.served).await.unwrap().unwrap();
    let error = FederationClient::connect(&world.addr, world.host.pin(), &world.partner).await.unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
    assert!(client.checkpoint().await.is_err());
    assert!(client.is_closed());
}

#[tokio::test]
async fn strangers_take_no_partners_place() {
    let world = world(Bounds { strangers: 1, ..Bounds::federation() }).await;
    let first = world.connect(&key()).await;
    assert_eq!(first.checkpoint().await.unwrap_err(), refused(403, "Forbidden"));
    let second = key();
    let turned_away = match FederationClient::connect(&world.addr, world.host.pin(), &second).await {
        Ok(client) => client.checkpoint().await,
        Err(error) => Err(error),
    };
    assert!(matches!(turned_away, Err(ClientError::Connect { .. })), "{turned_away:?}");
    assert!(world.connect(&world.partner).await.checkpoint().await.is_ok());
}

/// Whoever opens connections and says nothing takes the places of his own address alone, and for a short while.
#[tokio::test]
async fn one_address_begins_a_bounded_number_of_handshakes() {
    let world = world(Bounds::federation()).await;
    let mut silent = Vec::new();
    for _ in 0..limits::HANDSHAKES_PER_ADDRESS {
        silent.push(TcpStream::connect(&world.addr).await.unwrap());
    }
    let beyond = FederationClient::connect(&world.addr, world.host.pin(), &world.partner).await;
    assert!(matches!(beyond, Err(ClientError::Connect { .. })), "{beyond:?}");
    drop(silent);
    let until = async {
        while FederationClient::connect(&world.addr, world.host.pin(), &world.partner).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, until).await.unwrap();
}

#[tokio::test]
async fn a_strangers_time_is_short() {
    let world = world(Bounds { stranger_life: Duration::from_millis(100), ..Bounds::federation() }).await;
    let partner = world.connect(&world.partner).await;
    let stranger = world.connect(&key()).await;
    let until = async {
        while !stranger.is_closed() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, until).await.unwrap();
    assert!(partner.checkpoint().await.is_ok());
}

#[tokio::test]
async fn one_partner_holds_a_bounded_number_of_connections() {
    let world = world(Bounds::federation()).await;
    let mut held = Vec::new();
    for _ in 0..limits::CONNECTIONS_PER_PARTNER {
        let client = world.connect(&world.partner).await;
        assert!(client.checkpoint().await.is_ok());
        held.push(client);
    }
    let beyond = FederationClient::connect(&world.addr, world.host.pin(), &world.partner).await;
    let beyond = match beyond {
        Ok(client) => client.checkpoint().await,
        Err(error) => Err(error),
    };
    assert!(matches!(beyond, Err(ClientError::Connect { .. })), "{beyond:?}");
    assert!(held[0].checkpoint().await.is_ok());
}

#[tokio::test]
async fn a_reader_who_opens_no_window_is_cut_off() {
    let world = world(Bounds { stall: Duration::from_millis(200), ..Bounds::federation() }).await;
    let config = tls::client_config(&world.partner, world.host.pin()).unwrap();
    let stream = TcpStream::connect(&world.addr).await.unwrap();
    let name = "node.invalid".try_into().unwrap();
    let stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(64 * 1024)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get("https://node.invalid/federation/v1/releases?big");
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    // The first window arrives and nothing more is asked for: pings are answered, yet nobody reads.
    let ended = timeout(SOON, connection).await.unwrap();
    assert!(ended.unwrap().is_err());
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_witness_answers_as_the_standard_says() {
    let world = world(Bounds::federation()).await;
    let client = world.connect(&world.partner).await;
    let ask = |text: &str| client.add_checkpoint(text.to_owned());
    assert_eq!(ask("behind").await, Ok(WitnessAnswer::Size(7)), "409 with text/x.tlog.size");
    assert_eq!(ask("a line\n").await, Ok(WitnessAnswer::Lines("a line\n".to_owned())));
    assert_eq!(ask("wrong").await, Err(refused(422, "Unprocessable Entity")));
    let large = "a".repeat(journal::witness::MAX_REQUEST_BYTES + 1);
    assert!(matches!(ask(&large).await, Err(ClientError::Refused { status: 413, .. })));
    let stranger = world.connect(&key()).await;
    assert_eq!(stranger.add_checkpoint("a line\n".to_owned()).await, Err(refused(403, "Forbidden")));
}
