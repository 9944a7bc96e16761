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
/// Most directories below one another that an import walks into: a loop of mounts must end.
pub const DIRECTORY_DEPTH: usize = 32;
