//! The limits of this room, each with its reason.

/// Letters of a host name (RFC 1035 §2.3.4, without the root's dot).
pub const HOST: usize = 253;
/// Letters of one label of it.
pub const LABEL: usize = 63;
/// Letters of an URL that is known or looked up: what proxies and browsers write at most by default.
pub const URL: usize = 8_192;
/// Letters of a mail address before its `@` (RFC 5321 §4.5.3.1.1).
pub const LOCAL: usize = 64;
/// Letters around an escape that are decoded together: an URL in a query of another URL.
pub const WINDOW: usize = 1_024;
/// Bytes of telemetry that are read at once: they stay in the second cache while they are worked on.
pub const CHUNK: usize = 128 * 1024;
/// Bytes of one line that are kept until its end comes; a longer line is cut between words.
pub const LINE: usize = 1024 * 1024;
/// Candidates whose look-ups wait for memory together.
pub const TOGETHER: usize = 32;
/// Hits of one value at one place: so many nations say the same. What is beyond is in the node anyway.
pub const SAME: usize = 64;
/// Values of one index.
pub const VALUES: usize = 64_000_000;
