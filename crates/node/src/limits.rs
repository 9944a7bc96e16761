//! The limits of the conductor, each with its reason.

/// Most objects of one bulk command (architecture §3): bounds the time that one client holds the writer.
pub const COMMAND_OBJECTS: usize = 1_000;
/// Most commands of one group commit: bounds how long the first waits for the others.
pub const BATCH_COMMANDS: usize = 256;
/// Most commands that wait for the writer before callers are told to come back.
pub const WRITE_QUEUE: usize = 1_024;
/// Read connections kept open: two cores read, and a long page must not block a login.
pub const READERS: usize = 4;
/// Most items of one page of the releases feed.
pub const FEED_ITEMS: usize = 1_000;
/// A page of the feed stops growing at this many bytes of openings (one object may exceed it alone).
pub const FEED_BYTES: usize = 4 * 1024 * 1024;
/// Most commitments of one page: 1 MiB of them.
pub const FEED_COMMITMENTS: usize = 32_768;
/// How long a long-poll waits for something new, seconds. Below the idle time-outs of common middleboxes.
pub const POLL_SECONDS: u32 = 45;
/// New commitments that open nothing for the caller wait this long for company, milliseconds: most polls would
/// otherwise wake for receipts between others.
pub const QUIET_MILLIS: u64 = 2_000;
/// First and last pause after a failed poll, milliseconds; doubled each time, with jitter.
pub const BACKOFF_MILLIS: (u64, u64) = (250, 30_000);
/// Disk that one partner's statements may take, bytes: 100 times ATT&CK for every nation fits ten times over.
pub const PARTNER_BYTES: u64 = 20 * 1024 * 1024 * 1024;
/// Polls of one partner that are answered a second; an honest one long-polls.
pub const PARTNER_POLLS_PER_SECOND: u32 = 50;
/// Most statements of one call for help that are read: 27 answers with some hundred steps each.
pub const CASE_STATEMENTS: usize = 4_096;
/// Longest way from a statement to the call for help that it belongs to: acknowledgement, retraction, acceptance, offer,
/// request.
pub const CASE_DEPTH: usize = 6;
/// Rows of one page on screens and in the API (style §6).
pub const PAGE_ROWS: usize = 100;
/// Largest page that a client may ask for.
pub const PAGE_ROWS_MAX: usize = 1_000;
/// Statements folded again in one step of a rebuild.
pub const REBUILD_STEP: usize = 1_000;
/// Wrong passwords before an account waits, and for how long, seconds.
pub const LOGIN_TRIES: u32 = 8;
/// See [`LOGIN_TRIES`].
pub const LOGIN_PAUSE_SECONDS: i64 = 300;
/// A session ends this long after login, seconds: one shift.
pub const SESSION_SECONDS: i64 = 12 * 3600;
/// Most excerpt of a bad page that is kept as evidence, bytes.
pub const EVIDENCE_BYTES: usize = 64 * 1024;
/// Somebody who opens the same page again within this time, seconds, has read it once: a screen that refreshes itself
/// must not fill the ledger.
pub const READING_SECONDS: i64 = 3600;
/// Answers to idempotency keys are remembered this long, seconds.
pub const IDEMPOTENCY_SECONDS: i64 = 7 * 24 * 3600;
/// Longest idempotency key, bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 128;
/// A partner is told what we know of common logs this often, seconds: a fork is found within two of these, and the
/// checkpoints of 27 logs are 7 kB.
pub const GOSSIP_SECONDS: u64 = 30;
/// What a partner tells of common logs is looked at this often at most, milliseconds: each time is a transaction, and
/// a partner that floods must not keep the disk busy. What is passed over is told again.
pub const HEAR_MILLIS: u64 = 1_000;
/// Most witnesses of a log (architecture §3: three to five).
pub const WITNESSES: usize = 5;
/// Entries of the intelligence lane are witnessed together, at most this long after they were said, seconds: the
/// workflow lane does not wait. It bounds what is kept of witnessed checkpoints to a few megabytes a day.
pub const WITNESS_BULK_SECONDS: u64 = 10;
/// A round that too few witnesses have answered gives way to a newer checkpoint after this, seconds.
pub const WITNESS_ROUND_SECONDS: u64 = 5;
/// A witness that refused or did not answer is asked again after this, seconds.
pub const WITNESS_PAUSE_SECONDS: u64 = 5;
/// Most signature lines that are looked at in a witness's answer: one is ours to check.
pub const WITNESS_LINES: usize = 8;
