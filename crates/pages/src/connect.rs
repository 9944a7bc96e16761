//! Opening a file whose pages are checked.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::shim;

/// Opens the file at a path, which must be there and may be empty. A file of before pages had check words is given them
/// first: it is written anew, once.
///
/// # Errors
/// What SQLite says; `SQLITE_IOERR_DATA` for a page that is not what was written (see [`crate::last_damage`]).
pub fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let name = shim::register()?;
    if is_without(path) {
        give(path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags_and_vfs(path, flags, name)?;
    shim::reserve(&conn)?;
    Ok(conn)
}

/// Is there a database of before in the file? One with a damaged header is none: it is not written anew.
fn is_without(path: &Path) -> bool {
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut header));
    read.is_ok() && header.starts_with(b"SQLite format 3\0") && header[16..18] == [16, 0] && header[20] == 0
}

/// Writes a file of before anew beside it, with check words, and puts that in its place: a process that is killed meanwhile
/// leaves the file of before.
fn give(path: &Path) -> rusqlite::Result<()> {
    let anew = path.with_extension("anew");
    let failed = |error: std::io::Error| {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_WRITE);
        rusqlite::Error::SqliteFailure(code, Some(format!("`{}`: {error}", anew.display())))
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(path, flags)?;
    // What is in the write-ahead file goes into the file, and the side files go.
    conn.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    shim::reserve(&conn)?;
    create_private(&anew).map_err(failed)?;
    conn.execute("VACUUM INTO ?1", [format!("file:{}?vfs={}", encoded(&anew), shim::NAME)])?;
    drop(conn);
    let replaced = File::open(&anew).and_then(|file| file.sync_all()).and_then(|()| std::fs::rename(&anew, path));
    replaced.map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// An empty file for the node's own account alone. What an attempt of before has left of it goes.
fn create_private(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

/// A path as it stands in an address.
fn encoded(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => text.push(char::from(*byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_before_is_given_check_words_and_keeps_what_it_holds() {
        let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = |side: &str| format!("a name?with#signs %.db{side}");
        let before = Connection::open(dir.path().join(name(""))).unwrap();
        let rows = "CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(50000)), (7)";
        before.execute_batch(&format!("PRAGMA journal_mode=WAL; {rows}")).unwrap();
        let all = "SELECT hex(max(a)) || sum(typeof(a) = 'integer') FROM t";
        let sum: String = before.query_row(all, [], |row| row.get(0)).unwrap();
        // Killed: what it wrote is still in the write-ahead file.
        for side in ["", "-wal"] {
            std::fs::copy(dir.path().join(name(side)), killed.path().join(name(side))).unwrap();
        }
        let path = killed.path().join(name(""));
        assert!(is_without(&path));
        let conn = connect(&path).unwrap();
        let read: String =
            conn.query_row("SELECT hex(max(a)) || sum(typeof(a) = 'integer') FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(read, sum);
        drop(conn);
        assert!(!is_without(&path));
        assert_eq!(crate::scan(&path).unwrap(), vec![]);
        let left: Vec<_> = std::fs::read_dir(killed.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
