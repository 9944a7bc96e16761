//! The limits of the binary, each with its reason.

use std::time::Duration;

/// Most bytes of one batch of an import: below the listener's 32 MiB, and a second's work for the node.
pub const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long a command waits for another process to let go of a node's directory.
pub const LOCK_WAIT: Duration = Duration::from_secs(3);
/// Pause between two looks at such a directory.
pub const LOCK_PAUSE: Duration = Duration::from_millis(100);
/// How often a command that the node was too busy for is sent again.
pub const BUSY_TRIES: u32 = 20;
/// Pause before it is sent again.
pub const BUSY_PAUSE: Duration = Duration::from_millis(500);
/// Longest time for a TCP connection and its handshake to a node elsewhere.
pub const CONNECT: Duration = Duration::from_secs(10);
/// Longest time for a time stamp, connection and answer together: an authority answers in a second or two.
pub const STAMP: Duration = Duration::from_secs(20);
/// Longest time for one mail or one call of a gateway: whoever is next sleeps on meanwhile.
pub const OUTLET: Duration = Duration::from_secs(20);
/// Longest time for one call of gpg or openssl: they take some hundredths of a second.
pub const CIPHER: Duration = Duration::from_secs(20);
/// Largest mail that they give back, and that is given to them: the largest body, its encoding and its encryption.
pub const CIPHER_BYTES: usize = 24 * 1024 * 1024;
/// Largest public key or certificate: one with many signatures of others is exported minimal.
pub const KEY_BYTES: usize = 64 * 1024;
/// Most names of a maildir that are looked at in one turn: what lies beyond comes later.
pub const MAILDIR_NAMES: usize = 10_000;
/// How often a drill that goes on is looked at.
pub const DRILL_LOOK: Duration = Duration::from_millis(500);
/// Longest time for one answer: that of the API itself, and a little for the way.
pub const ANSWER: Duration = Duration::from_secs(620);
/// Largest answer that is held in memory: a page of 1,000 rows, or one object of the largest size with its versions.
pub const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Largest file of keys, of a token, of a key or of a configuration.
pub const SMALL_FILE_BYTES: u64 = 1024 * 1024;
/// How long a node that stops may take until its last connection and its writer have ended.
pub const STOP: Duration = Duration::from_secs(15);
/// Free disk below which `doctor` speaks up: an hour of the fastest import.
pub const FREE_BYTES: u64 = 1024 * 1024 * 1024;
/// Most exercises beside reality in one process: each takes a writer, eight readers and a port.
pub const EXERCISES: usize = 16;
/// Longest name of an exercise for people, letters.
pub const EXERCISE_NAME: usize = 100;
/// How far an exercise's clock may be from the machine's, microseconds: ten years either way.
pub const EXERCISE_AHEAD_MICROS: i64 = 10 * 366 * 86_400 * 1_000_000;
/// How often an exercise's clock may be set forward: its record is read whole.
pub const EXERCISE_JUMPS: usize = 1_000;
/// Entries that an archive reads at once: 32 KiB of commitments.
pub const ARCHIVE_STEP: usize = 1_024;
/// Most pieces of evidence in an archive: a partner that lies is held at the first.
pub const ARCHIVED_EVIDENCE: usize = 10_000;
/// Most directories below one another that an import walks into: a loop of mounts must end.
pub const DIRECTORY_DEPTH: usize = 32;
/// Most connections to a signer at once: the node, and a few commands that look.
pub const SIGNER_CONNECTIONS: usize = 8;
/// How long a signer waits for a reader of its answers: they are small and the reader is on the same machine.
pub const SIGNER_WRITE: Duration = Duration::from_secs(10);
/// How long a node waits for one answer of its signer: a token may take a second, its user's card ten.
pub const SIGNER_ANSWER: Duration = Duration::from_secs(30);
/// How often a node tries to reach a signer that is gone before it stops writing for good: a restart takes seconds.
pub const SIGNER_TRIES: u32 = 60;
/// Pause before it is tried again.
pub const SIGNER_PAUSE: Duration = Duration::from_millis(250);
/// How often a rotation that is under way is looked at.
pub const ROTATION_LOOK: Duration = Duration::from_millis(500);
/// A request for the root key's signature is good for this long, seconds: the safe is opened within a week.
pub const REQUEST_SECONDS: i64 = 7 * 86_400;
/// Longest overlap of old and new keys, seconds. A partner that was down for longer fetches the identity when it is back.
pub const OVERLAP_SECONDS: u32 = 7 * 86_400;
/// Most pages of one export: a page of 1,000 rows each, so more than any node's log of today.
pub const EXPORT_PAGES: usize = 100_000;
/// Memory for the key of a vault, KiB, and passes over it: RFC 9106 §4, second choice, half a second on a small machine.
pub const VAULT_KIB: u32 = 64 * 1024;
/// See [`VAULT_KIB`].
pub const VAULT_PASSES: u32 = 3;
/// Most that the head of a vault may ask for: a file from elsewhere must not take all memory or all day.
pub const VAULT_KIB_MAX: u32 = 1024 * 1024;
/// See [`VAULT_KIB_MAX`].
pub const VAULT_PASSES_MAX: u32 = 16;
/// Shortest passphrase, bytes: with the work above, five words by chance last for the archive's life.
pub const PASSPHRASE_BYTES: usize = 16;
/// Days after which an archive of keys is to be deleted, unless its maker says otherwise: what was erased can be read by
/// nobody after that.
pub const ARCHIVE_DAYS: u16 = 30;
/// Most files of keys in an archive: a node has ten.
pub const KEY_FILES: usize = 64;
/// Most backups in one directory: one every quarter of an hour for a year.
pub const BACKUPS: usize = 40_000;
/// Bytes that are hashed and copied at a time.
pub const COPY_BYTES: usize = 1024 * 1024;
/// Largest purge list, bytes: a million lines.
pub const PURGE_LIST_BYTES: u64 = 256 * 1024 * 1024;
/// A lease is worth this long, seconds, by its signature's time and by when it came.
pub const LEASE_SECONDS: i64 = 30;
/// A lease may be signed so far in the future of the gate's clock, seconds: two clocks kept by NTP are nearer.
pub const LEASE_AHEAD_SECONDS: i64 = 10;
/// Between two questions of a gate about one mandate: an open session ends within this and a second.
pub const LEASE_PAUSE: Duration = Duration::from_secs(3);
/// A session begins on a word that is no older than this, so that none begins 5 s after a mandate was taken back.
pub const LEASE_FRESH: Duration = Duration::from_secs(3);
/// Longest that a node takes to give a lease.
pub const LEASE_ANSWER: Duration = Duration::from_secs(4);
/// How often a gate looks for processes that may not be there.
pub const GATE_TICK: Duration = Duration::from_secs(1);
/// Most sessions at a time at one gate: a hundred helpers with one each, and those who fetch a certificate.
pub const GATE_SESSIONS: usize = 128;
/// How often processes are looked for in one go: one that forks faster is found a second later, with fewer left.
pub const END_PASSES: usize = 8;
/// Life of a helper's certificate, as `ssh-keygen -V` reads it: ten minutes, with one behind for a clock that is slow.
pub const CERTIFICATE_LIFE: &str = "-1m:+9m";
/// Most bytes of the line with which a session begins, and of the answer: a command, or a certificate.
pub const HELLO_BYTES: u64 = 64 * 1024;
/// Longest that a session takes to say it.
pub const HELLO_TIME: Duration = Duration::from_secs(5);
/// Most bytes that a session sends in one piece.
pub const FRAME_BYTES: usize = 64 * 1024;
/// Most bytes of one recording: days of typing. A session that shows more ends.
pub const RECORDING_BYTES: u64 = 256 * 1024 * 1024;
/// How often a session looks whether what it runs has ended.
pub const SESSION_LOOK: Duration = Duration::from_millis(50);
/// How often a session looks whether the helper's window has another size.
pub const SESSION_RESIZE: Duration = Duration::from_millis(500);
/// Longest that a session waits for the last words of what has ended.
pub const SESSION_DRAIN: Duration = Duration::from_secs(2);
