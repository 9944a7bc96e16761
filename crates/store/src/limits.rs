//! The limits of the store, each with its reason.

/// Page cache of the writer, KiB: the right edges of every table and the hot part of the one random index.
pub const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// Page cache of one reader, KiB. Small, because 28 nodes with some readers each may live in one process.
pub const READER_CACHE_KIB: i64 = 2 * 1024;
/// Statements kept prepared by one connection: this room has fewer than that, so that none is ever prepared twice.
pub const PREPARED: usize = 224;
/// How long a connection waits for another process's lock, milliseconds: longer than the longest group commit.
pub const BUSY_MILLIS: u64 = 5_000;
/// Pages in the write-ahead file before it is copied back (16 MiB): a bulk command of 1,000 objects fits several times.
pub const WAL_PAGES: i64 = 4_096;
/// Size to which the write-ahead file shrinks after it was copied back, bytes.
pub const WAL_BYTES: i64 = 32 * 1024 * 1024;
/// Lag of a partner is counted up to here: beyond it, "more than 10,000" says as much, and counting costs.
pub const BEHIND: u64 = 10_001;
/// Entries that one connection remembers of a kind (names of types, member sets, chains) before it forgets them all.
pub const MEMO: usize = 4_096;
/// Member sets that one connection remembers; a set of 512 members takes some 40 KiB.
pub const MEMO_SETS: usize = 64;
/// Largest file, bytes, that is written anew in memory after a spill; a larger one goes by a file beside the system's
/// temporary ones, so that no node is killed for want of memory in the night of a spill.
pub const COMPACT_BYTES: i64 = 1024 * 1024 * 1024;
/// Faults of an integrity check that are listed: enough to see the pattern.
pub const FAULTS: usize = 100;
/// By how much the numbers of releases jump when a database was set back: no node makes as many between a backup and its
/// restore, and eight million restores fit below 2^63.
pub const RELEASE_JUMP: u64 = 1 << 40;
/// Largest value of a row that is brought back from an archive of keys, bytes: an object of intake of the largest size
/// is half of that.
pub const ARCHIVED_BYTES: u32 = 64 * 1024 * 1024;
