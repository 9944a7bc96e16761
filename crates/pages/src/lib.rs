//! A database file whose every page is checked whenever it is read.
//!
//! SQLite checks the frames of its write-ahead file when it recovers, and nothing else: a byte that a disk has flipped in a
//! name, a role or a label is served as if it had been written. Here each page ends with a check word of eight bytes, in
//! the format of SQLite's own checksum extension, so that its tools can check the file too. It is written with the page
//! and compared whenever the page is read; a frame of the write-ahead file is compared with the sum that is in it.
//!
//! This finds what breaks. Whoever can write the file can write check words too: that nobody has changed what was said is
//! for the log and its signatures.

mod connect;
mod scan;
mod shim;
mod sum;
mod wal;

pub use connect::connect;
pub use scan::{Damage, scan};
pub use shim::last_damage;
pub use wal::examine;

/// Bytes of a page: what SQLite makes by default, and the only size that is read here.
pub const PAGE: usize = 4096;
/// Bytes at the end of a page that the engine leaves alone, where the check word is.
pub const RESERVED: usize = 8;
