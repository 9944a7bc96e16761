//! A byte is flipped in a file, at every place that is tried: what is read then is what was written, or an error that
//! names the place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use pages::{Damage, PAGE};
use rusqlite::Connection;

/// Bytes between two places that are tried: prime, so that over some pages every place of a page is.
const STEP: usize = 997;

fn open(path: &Path) -> Connection {
    let conn = pages::connect(path).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON").unwrap();
    conn
}

fn write(conn: &Connection, numbers: std::ops::Range<i64>) {
    for number in numbers {
        let text = format!("{number}:{}", "what was said ".repeat(60));
        conn.execute("INSERT INTO said VALUES (?1, ?2)", (number, text)).unwrap();
    }
}

/// A new file with rows, some of them deleted again, and an index.
fn make(path: &Path) -> Connection {
    std::fs::File::create_new(path).unwrap();
    let conn = open(path);
    conn.execute_batch(
        "CREATE TABLE said (number INTEGER PRIMARY KEY, text TEXT); CREATE INDEX by_text ON said (text)",
    )
    .unwrap();
    write(&conn, 0..60);
    conn.execute("DELETE FROM said WHERE number % 3 = 1", []).unwrap();
    conn
}

fn read(path: &Path) -> rusqlite::Result<Vec<(i64, String)>> {
    let conn = pages::connect(path)?;
    // The table itself, and then by the index: both are read.
    let mut rows = Vec::new();
    for order in ["number", "text"] {
        let mut statement = conn.prepare(&format!("SELECT number, text FROM said ORDER BY {order}"))?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            rows.push((row.get(0)?, row.get(1)?));
        }
    }
    Ok(rows)
}

fn wal(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

/// The files of a node that was killed, in a directory of their own.
fn copy(from: &Path, to: &Path) -> PathBuf {
    let path = to.join("copy.db");
    for side in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(path.with_extension(side));
    }
    std::fs::copy(from, &path).unwrap();
    if wal(from).exists() {
        std::fs::copy(wal(from), wal(&path)).unwrap();
    }
    path
}

#[test]
fn a_flipped_byte_of_the_file_is_an_error_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("said.db");
    drop(make(&path));
    assert!(!wal(&path).exists());
    let (bytes, truth) = (std::fs::read(&path).unwrap(), read(&path).unwrap());
    let into = tempfile::tempdir().unwrap();
    let mut named = 0;
    for at in (0..bytes.len()).step_by(STEP).chain((0..100).step_by(3)) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let copied = copy(&path, into.path());
        std::fs::write(&copied, &flipped).unwrap();
        let page = (at / PAGE + 1) as u64;
        let damage = pages::scan(&copied).unwrap();
        assert!(matches!(damage[..], [Damage::Header | Damage::Page(_)]), "byte {at}: {damage:?}");
        assert!(damage == [Damage::Page(page)] || page == 1, "byte {at}: {damage:?}");
        match read(&copied) {
            // In a page that holds nothing now.
            Ok(rows) => assert_eq!(rows, truth, "byte {at} is served"),
            Err(error) => {
                named += usize::from(
                    pages::last_damage().is_some_and(|told| told.contains("copy.db")) || !error.to_string().is_empty(),
                )
            }
        }
    }
    assert!(named > bytes.len() / STEP / 2, "most pages are read: {named}");
}

#[test]
fn a_flipped_byte_of_the_write_ahead_file_takes_nothing_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("said.db");
    let conn = make(&path);
    let before_last = read(&path).unwrap();
    write(&conn, 100..101);
    let truth = read(&path).unwrap();
    // Killed: what it wrote last is in the write-ahead file alone.
    let held = tempfile::tempdir().unwrap();
    let killed = copy(&path, held.path());
    drop(conn);
    let bytes = std::fs::read(wal(&killed)).unwrap();
    assert!(bytes.len() > 100 * PAGE, "{}", bytes.len());
    let into = tempfile::tempdir().unwrap();
    let (mut found, mut last) = (0, 0);
    for at in (0..bytes.len()).step_by(STEP * 3).chain(0..32).chain(bytes.len() - 300..bytes.len()) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let copied = copy(&killed, into.path());
        std::fs::write(wal(&copied), &flipped).unwrap();
        if pages::examine(&copied).unwrap().is_some() {
            found += 1;
            continue;
        }
        // What a power cut may have torn: the last commit is there whole, or not at all.
        let rows = read(&copied).unwrap();
        assert!(rows == truth || rows == before_last, "byte {at} is served");
        last += usize::from(rows == before_last);
    }
    assert!(found > last && last > 0, "{found} found, {last} in the last commit");
}

#[test]
fn a_frame_that_is_flipped_while_it_is_used_is_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("said.db");
    let conn = make(&path);
    let truth = read(&path).unwrap();
    let bytes = std::fs::read(wal(&path)).unwrap();
    let mut refused = 0;
    for frame in 0..(bytes.len() - 32) / (PAGE + 24) {
        let at = 32 + frame * (PAGE + 24) + 24 + 1_000;
        let file = std::fs::File::options().write(true).open(wal(&path)).unwrap();
        let put = |byte: u8| std::os::unix::fs::FileExt::write_all_at(&file, &[byte], at as u64).unwrap();
        put(bytes[at] ^ 4);
        match read(&path) {
            Ok(rows) => assert_eq!(rows, truth, "frame {frame} is served"),
            Err(error) => {
                assert!(pages::last_damage().is_some_and(|told| told.starts_with("frame ")), "{error}");
                refused += 1;
            }
        }
        put(bytes[at]);
    }
    assert!(refused > 10, "{refused}");
    drop(conn);
}

#[test]
fn a_torn_last_commit_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("said.db");
    let conn = make(&path);
    let before = read(&path).unwrap();
    write(&conn, 200..201);
    let whole = read(&path).unwrap();
    let held = tempfile::tempdir().unwrap();
    let killed = copy(&path, held.path());
    let bytes = std::fs::read(wal(&killed)).unwrap();
    let earlier = bytes.len() - 3 * (PAGE + 24);
    let into = tempfile::tempdir().unwrap();
    for end in (earlier..bytes.len()).step_by(STEP / 8) {
        let copied = copy(&killed, into.path());
        std::fs::write(wal(&copied), &bytes[..end]).unwrap();
        assert_eq!(pages::examine(&copied).unwrap(), None, "cut at {end}");
        let rows = read(&copied).unwrap();
        assert!(rows == before || rows == whole || rows.len() < before.len(), "cut at {end}");
    }
    drop(conn);
}

#[test]
fn a_commit_larger_than_the_cache_is_read_back_while_it_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("said.db");
    let conn = make(&path);
    conn.execute_batch("PRAGMA cache_size = 10; BEGIN").unwrap();
    for round in 0..3 {
        write(&conn, 1_000 + round * 1_000..1_300 + round * 1_000);
        conn.execute("UPDATE said SET text = text || ?1", [format!(" {round}")]).unwrap();
        let rows: i64 =
            conn.query_row("SELECT count(*) FROM said WHERE text LIKE '% ' || ?1", [round], |row| row.get(0)).unwrap();
        assert_eq!(rows, 40 + 300 * (round + 1));
    }
    conn.execute_batch("COMMIT").unwrap();
    assert_eq!(read(&path).unwrap().len(), 2 * 940);
    drop(conn);
    assert_eq!(pages::scan(&path).unwrap(), vec![]);
}

#[test]
fn the_engines_own_ways_of_writing_a_file_anew_keep_check_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("said.db");
    let conn = make(&path);
    let copied = dir.path().join("copied.db");
    conn.execute("VACUUM INTO ?1", [copied.to_str().unwrap()]).unwrap();
    conn.execute_batch("VACUUM").unwrap();
    let truth = read(&path).unwrap();
    drop(conn);
    for file in [&path, &copied] {
        assert_eq!(pages::scan(file).unwrap(), vec![]);
        assert_eq!(read(file).unwrap(), truth);
    }
}
