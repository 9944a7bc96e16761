//! The limits of this room, each with its reason. Bytes and counts; times are `Duration`s.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

// Connections.

/// Most connections of one listener, handshakes included: 512 partners (`model::limits::MEMBERS`) twice over.
pub const CONNECTIONS: usize = 1_024;
/// Most connections that one partner may hold: it needs one; the rest is room for reconnecting while the old one dies.
pub const CONNECTIONS_PER_PARTNER: usize = 8;
/// Most handshakes in flight from one address: 27 nodes of an exercise start together on one machine.
pub const HANDSHAKES_PER_ADDRESS: usize = 64;
/// Most connections of callers whose key we don't know. They come to peer, which people do one at a time; a flood of
/// them must not take a partner's place.
pub const STRANGERS: usize = 32;
/// Longest life of a stranger's connection: one `POST peer` and its answer over a slow line.
pub const STRANGER_LIFE: Duration = Duration::from_secs(60);
/// Longest TLS handshake, seen from the listener: three flights over a satellite link take 2 s.
pub const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long requests in flight may go on after the node was told to stop. Long-polls end at once.
pub const DRAIN: Duration = Duration::from_secs(10);
/// Pause after the machine refused a new connection (no file descriptors left), so that the loop doesn't spin.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

// Requests.

/// Most header fields of a request: browsers send about 20.
pub const HEADERS: usize = 64;
/// Largest head of a request, bytes: a session cookie and a long query fit four times.
pub const HEAD_BYTES: usize = 16 * KIB;
/// Longest time to send a request's head, and longest idle time of an HTTP/1.1 connection.
pub const HEAD_READ: Duration = Duration::from_secs(20);
/// Longest query of the federation's routes, bytes: two sealed cursors take 300.
pub const QUERY_BYTES: usize = 4 * KIB;
/// Longest path below `log/tile/`, bytes: `entries/x999/…/999.p/255` for 2^64 entries takes 50.
pub const TILE_PATH_BYTES: usize = 64;
/// Largest request body on the federation's listener: a peer request with a signed identity takes 4 KiB.
pub const FEDERATION_BODY_BYTES: usize = 64 * KIB;
/// Largest request body on the plain listener and the local socket: a bulk command of 1,000 objects, or one body of
/// the largest size (`model::limits::BODY_BYTES`) in base64 with room to spare.
pub const PLAIN_BODY_BYTES: usize = 32 * MIB;
/// Longest silence inside a body: a link that loses that much isn't one.
pub const BODY_IDLE: Duration = Duration::from_secs(20);
/// Longest time to send a whole request body: 32 MiB at 1 Mbit/s.
pub const BODY_TOTAL: Duration = Duration::from_secs(300);

// Answers.

/// Largest piece in which an answer's body is handed to the connection: progress is seen piece by piece, and this is
/// what stays buffered of an answer that nobody reads.
pub const PIECE_BYTES: usize = 16 * KIB;
/// How long a reader may leave one piece lying before its connection is closed (4 kbit/s).
pub const STALL: Duration = Duration::from_secs(30);

// HTTP/2 and TLS memory, per connection. An exercise holds 756 connections in one process.

/// Most requests at once on one connection: a long-poll, and beside it what an auditor or a person asks.
pub const STREAMS: u32 = 32;
/// Flow-control window of one stream, bytes: 10 Mbit/s at a round trip of 200 ms.
pub const STREAM_WINDOW: u32 = 256 * 1024;
/// Flow-control window of one connection, bytes: two busy streams.
pub const CONNECTION_WINDOW: u32 = 512 * 1024;
/// Most bytes waiting to be sent on one stream.
pub const SEND_BUFFER_BYTES: usize = 64 * KIB;
/// Most bytes waiting inside TLS for the socket.
pub const TLS_BUFFER_BYTES: usize = 32 * KIB;
/// How often a quiet HTTP/2 connection is asked whether it still lives. Below the 30 s after which some firewalls
/// forget a connection.
pub const PING_EVERY: Duration = Duration::from_secs(20);
/// How long the answer to that may take.
pub const PING_ANSWER: Duration = Duration::from_secs(20);

// Exercises.

/// Most requests at once into one exercise: beyond them it is busy, and reality has the rest of the process. 27 nations
/// have a handful of people each at their screens.
pub const EXERCISE_REQUESTS: usize = 64;

// TLS.

/// Largest certificate, bytes: ours take 300; a stranger's is parsed before we know who it is.
pub const CERTIFICATE_BYTES: usize = 4 * KIB;

// The client.

/// Longest time for address lookup, TCP and TLS together.
pub const CONNECT: Duration = Duration::from_secs(10);
/// Longest time until an answer begins that does not wait for news.
pub const ANSWER: Duration = Duration::from_secs(20);
/// What a long-poll may take beyond its agreed wait: two slow round trips and the partner's database.
pub const WAIT_SLACK: Duration = Duration::from_secs(15);
/// Longest time to receive a whole answer once it has begun: the largest page at 500 kbit/s.
pub const ANSWER_TOTAL: Duration = Duration::from_secs(600);
/// Largest page of releases on the wire: the federation's page limit of 32 MiB, and what zstd adds to what it can't
/// compress.
pub const PAGE_BYTES: usize = 33 * MIB;
/// Largest identity, checkpoint, tile or peer answer: a full tile is 8 KiB, a checkpoint with 5 cosignatures 2 KiB.
pub const SMALL_ANSWER_BYTES: usize = 64 * KIB;
/// Largest problem that is read from a partner.
pub const PROBLEM_BYTES: usize = 8 * KIB;
/// Longest text from a partner or from the network stack that goes on a lag line, letters.
pub const REASON_LETTERS: usize = 160;
/// Shortest ceiling of the pause before connecting again.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// Longest ceiling of that pause: after a night without network a partner is back in half a minute.
pub const BACKOFF_LAST: Duration = Duration::from_secs(30);
/// Shortest secret that signs what a gateway is told, bytes: 128 bits in hexadecimal.
pub const WEBHOOK_SECRET_BYTES: usize = 32;
/// Pauses before each try to reach a gateway: at once, and twice more while whoever is woken next still sleeps.
pub const WEBHOOK_PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(8)];
/// Most bytes of a file with the certificates of a gateway's authorities that are looked at.
pub const AUTHORITIES: usize = 64;
/// Pieces of sealed files that one listener holds in memory at once, of 1 MiB each: more than that many at a time are no
/// faster on one disk.
pub const PIECES_AT_ONCE: usize = 8;
/// Largest piece of a sealed file, or list of the digests of all its pieces: 100 GB are 95,368 pieces.
pub const EVIDENCE_ANSWER_BYTES: usize = 4 * MIB;
