//! What check words cost: the same work on a file with them and on one without, in turn. `cargo run --release -p pages
//! --example cost`. Ratios of medians; each work is done on both in turn, so that what else runs here weighs on both.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, and ends where it fails"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

const ROUNDS: usize = 15;

fn plain(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).unwrap()
}

fn checked(path: &Path) -> Connection {
    pages::connect(path).unwrap()
}

/// Commits of ten rows of 600 bytes, synced.
fn commits(conn: &Connection, round: usize) {
    for commit in 0..20 {
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        for row in 0..10 {
            let key = ((round * 20 + commit) * 10 + row) as u64;
            let scattered = i64::from_ne_bytes(key.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_ne_bytes());
            conn.execute("INSERT OR REPLACE INTO said VALUES (?1, zeroblob(600))", [scattered]).unwrap();
        }
        conn.execute_batch("COMMIT").unwrap();
    }
}

/// Every page once, through a cache that holds none of it.
fn scan(conn: &Connection, _: usize) {
    let rows: i64 = conn.query_row("SELECT sum(length(text)) FROM said", [], |row| row.get(0)).unwrap();
    assert!(rows > 0);
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, open: fn(&Path) -> Connection| {
        let path = dir.path().join(name);
        std::fs::File::create_new(&path).unwrap();
        let conn = open(&path);
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -64;
             CREATE TABLE said (number INTEGER PRIMARY KEY, text BLOB)",
        )
        .unwrap();
        conn
    };
    let (without, with) = (make("plain.db", plain), make("checked.db", checked));
    let report = |what: &str, work: fn(&Connection, usize), prepare: &str| {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            for (conn, times) in [(&without, &mut a), (&with, &mut b)] {
                conn.execute_batch(prepare).unwrap();
                let begun = Instant::now();
                work(conn, round);
                times.push(begun.elapsed());
            }
        }
        let median = |times: &mut Vec<Duration>| {
            times.sort();
            times[times.len() / 2]
        };
        let (a, b) = (median(&mut a), median(&mut b));
        println!("{what}: {a:?} without, {b:?} with: {:.2} times", b.as_secs_f64() / a.as_secs_f64());
    };
    report("20 synced commits of 10 rows", commits, "");
    report("a scan of what stands in the write-ahead file", scan, "PRAGMA shrink_memory");
    report("a scan of the file", scan, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory");
}
