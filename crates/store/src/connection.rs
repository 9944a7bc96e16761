//! Opening the file, and its transactions: a batch of savepoints on the writer, a snapshot on a reader.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::error::StoreError;
use crate::limits;
use crate::memo::Memo;
use crate::migrations;

/// The name of the file in the node's directory.
pub(crate) const FILE: &str = "entraide.db";

/// A database that is there and has the newest schema. Connections are made from it.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
}

/// The connection that writes. One at a time: a second one waits for the first one's batch.
#[derive(Debug)]
pub struct Writer {
    conn: Connection,
    memo: Memo,
}

/// A connection that only reads.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
    memo: Memo,
}

/// One group commit. Dropped without [`Batch::commit`], it is rolled back.
#[derive(Debug)]
pub struct Batch<'w> {
    writer: &'w mut Writer,
}

/// Every read, on one consistent state of the database.
#[derive(Debug)]
pub struct Db<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) memo: &'c Memo,
}

/// Every write, within one savepoint; and every read of [`Db`], which sees them.
#[derive(Debug)]
pub struct Tx<'c> {
    db: Db<'c>,
}

impl<'c> Deref for Tx<'c> {
    type Target = Db<'c>;
    fn deref(&self) -> &Self::Target {
        &self.db
    }
}

impl Store {
    /// Opens `entraide.db` in a directory that is there, making the file or bringing its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the directory cannot be used, [`StoreError::NewerSchema`] for a file of a newer program.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        create_private(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
        let store = Self { path };
        let damaged = pages::examine(&store.path);
        if let Some(damage) = damaged.map_err(|source| StoreError::Io { path: store.path.clone(), source })? {
            return Err(StoreError::corrupt(format!("`{}`: {damage}", store.path.display())));
        }
        let mut conn = store.connect(limits::READER_CACHE_KIB)?;
        migrations::migrate(&mut conn)?;
        Ok(store)
    }

    /// Reads the file in a directory from end to end, and names what a disk has changed in it, also where nobody would look
    /// today. A node may go on meanwhile.
    ///
    /// # Errors
    /// The disk.
    pub fn damage(dir: &Path) -> Result<Vec<String>, StoreError> {
        let path = dir.join(FILE);
        let damage = pages::scan(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
        Ok(damage.iter().map(|damage| format!("`{}`: {damage}", path.display())).collect())
    }

    /// The connection that writes.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn writer(&self) -> Result<Writer, StoreError> {
        Ok(Writer { conn: self.connect(limits::WRITER_CACHE_KIB)?, memo: Memo::default() })
    }

    /// One more connection that reads.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        let conn = self.connect(limits::READER_CACHE_KIB)?;
        conn.pragma_update(None, "query_only", "ON")?;
        Ok(Reader { conn, memo: Memo::default() })
    }

    /// Writes the database as it is now into a directory without one, while others go on writing here.
    ///
    /// # Errors
    /// The directory or the disk.
    pub fn copy_into(&self, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(FILE);
        create_private(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
        let path = path.to_str().ok_or_else(|| StoreError::corrupt(format!("`{}` is no text", path.display())))?;
        let conn = self.connect(limits::READER_CACHE_KIB)?;
        run(&conn, "VACUUM INTO ?1", [path])?;
        Ok(())
    }

    pub(crate) fn connect(&self, cache_kib: i64) -> Result<Connection, StoreError> {
        let conn = pages::connect(&self.path)?;
        conn.busy_timeout(Duration::from_millis(limits::BUSY_MILLIS))?;
        conn.set_prepared_statement_cache_capacity(limits::PREPARED);
        // One plan a statement, whatever is bound: otherwise the engine plans anew for bound values, a third of the time
        // of an assertion.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::corrupt(format!(
                "write-ahead mode is not to be had on this file system, only `{mode}`"
            )));
        }
        // Acknowledged means durable: the write-ahead file is synced at every COMMIT.
        conn.pragma_update(None, "synchronous", "FULL")?;
        // What is purged is overwritten, in the file as in the log of it.
        conn.pragma_update(None, "secure_delete", "ON")?;
        // References are kept right by this room's code and checked by `entraide verify`; the hot path has no time for
        // the engine to look each of them up again.
        conn.pragma_update(None, "foreign_keys", "OFF")?;
        conn.pragma_update(None, "trusted_schema", "OFF")?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        // A mapped file turns a failing disk into a killed process; a read that fails is an error that can be told.
        conn.pragma_update(None, "mmap_size", 0)?;
        conn.pragma_update(None, "cache_size", -cache_kib)?;
        conn.pragma_update(None, "wal_autocheckpoint", limits::WAL_PAGES)?;
        conn.pragma_update(None, "journal_size_limit", limits::WAL_BYTES)?;
        Ok(conn)
    }
}

/// Makes the file if it is not there, readable for the node's own account alone: titles stand in it in the clear.
/// SQLite gives its side files the same rights.
pub(crate) fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

impl Writer {
    /// Begins a group commit.
    ///
    /// # Errors
    /// Another writer did not end its own within the time-out.
    pub fn begin(&mut self) -> Result<Batch<'_>, StoreError> {
        self.memo.begin();
        run(&self.conn, "BEGIN IMMEDIATE", [])?;
        Ok(Batch { writer: self })
    }

    /// Was a body erased since this was last asked, so that the purge list has to be told?
    #[must_use]
    pub fn take_erased(&mut self) -> bool {
        self.memo.erased.take()
    }

    /// Copies the write-ahead file back and empties it, so that what was purged stands in no file any more. Called
    /// after the commit of a purge; says whether no reader was in the way, else it is to be called again.
    ///
    /// # Errors
    /// The disk.
    pub fn truncate_wal(&mut self) -> Result<bool, StoreError> {
        let busy: i64 = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(busy == 0)
    }
}

impl Writer {
    /// Writes the whole file anew, so that no page keeps a stale copy of what was purged: where rows move from page to
    /// page, `secure_delete` leaves what stood there before. Nothing may be read from this connection meanwhile. To be
    /// followed by [`Writer::truncate_wal`].
    ///
    /// # Errors
    /// The disk: it needs the room of the file once more.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let size: i64 = self.conn.query_row(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            [],
            |row| row.get(0),
        )?;
        // The new file is built in memory if it fits there, as everything temporary is: it holds titles in the clear.
        let large = size > limits::COMPACT_BYTES;
        if large {
            self.conn.pragma_update(None, "temp_store", "FILE")?;
        }
        let compacted = run(&self.conn, "VACUUM", []);
        if large {
            self.conn.pragma_update(None, "temp_store", "MEMORY")?;
        }
        self.memo.clear();
        compacted.map(|_| ())
    }
}

impl Batch<'_> {
    /// Runs one command. On an error everything that it did is undone, and the batch goes on with the next.
    ///
    /// # Errors
    /// What the command says; or the database.
    pub fn savepoint<R, E: From<StoreError>>(&mut self, command: impl FnOnce(&Tx<'_>) -> Result<R, E>) -> Result<R, E> {
        self.still_open()?;
        let Writer { conn, memo } = &*self.writer;
        run(conn, "SAVEPOINT command", [])?;
        let guard = Undo { conn, memo };
        let tx = Tx { db: Db { conn, memo } };
        let value = command(&tx)?;
        tx.settle()?;
        run(conn, "RELEASE command", [])?;
        std::mem::forget(guard);
        Ok(value)
    }

    /// Makes everything durable: when this returns, the disk has it.
    ///
    /// # Errors
    /// The disk; whether the batch is kept is unknown then, and the node must stop.
    pub fn commit(self) -> Result<(), StoreError> {
        self.still_open()?;
        run(&self.writer.conn, "COMMIT", [])?;
        Ok(())
    }

    /// On a full disk or a failed read SQLite may undo the whole transaction by itself. Whatever came after would be
    /// kept one by one, and what went before would be acknowledged though it is gone.
    fn still_open(&self) -> Result<(), StoreError> {
        if self.writer.conn.is_autocommit() {
            return Err(StoreError::corrupt("the running transaction was undone by the database after an error"));
        }
        Ok(())
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.writer.conn.is_autocommit() {
            // If even that fails, the next BEGIN fails, and says so.
            let _ = run(&self.writer.conn, "ROLLBACK", []);
            self.writer.memo.clear();
        }
    }
}

/// Undoes a savepoint when it is dropped: on an error, and when a command panics.
struct Undo<'a> {
    conn: &'a Connection,
    memo: &'a Memo,
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        self.memo.clear();
        let undone = run(self.conn, "ROLLBACK TO command", []).and_then(|_| run(self.conn, "RELEASE command", []));
        if undone.is_err() && !self.conn.is_autocommit() {
            // Half a command must not be kept: without its savepoint the whole batch goes, and `commit` says so.
            let _ = run(self.conn, "ROLLBACK", []);
        }
    }
}

impl Reader {
    /// Runs a read on one state of the database: what is committed meanwhile is not seen.
    ///
    /// # Errors
    /// What the read says; or the database.
    pub fn snapshot<R, E: From<StoreError>>(&mut self, read: impl FnOnce(&Db<'_>) -> Result<R, E>) -> Result<R, E> {
        run(&self.conn, "BEGIN DEFERRED", [])?;
        let _end = EndRead { conn: &self.conn };
        read(&Db { conn: &self.conn, memo: &self.memo })
    }
}

struct EndRead<'a> {
    conn: &'a Connection,
}

impl Drop for EndRead<'_> {
    fn drop(&mut self) {
        // Nothing was written: ending a read either way gives the snapshot back.
        let _ = run(self.conn, "ROLLBACK", []);
    }
}

pub(crate) fn run(conn: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    Ok(conn.prepare_cached(sql)?.execute(params)?)
}

impl<'c> Db<'c> {
    /// The first row, if there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        statement.query_row(params, |row| Ok(read(row))).optional()?.transpose()
    }

    /// Every row. Callers bound them by `LIMIT`, or by what the table is.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    /// Runs a change, and says how many rows it touched.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        run(self.conn, sql, params)
    }

    /// Inserts one row, and gives its key.
    pub(crate) fn insert(&self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.insert(params)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    use crate::testing::{World, at, origin};

    #[test]
    fn a_failed_savepoint_leaves_the_others() {
        let world = World::new();
        let mut writer = world.store.writer().unwrap();
        let mut batch = writer.begin().unwrap();
        batch.savepoint(|tx| tx.set_setting("a", "1")).unwrap();
        let failed: Result<(), StoreError> = batch.savepoint(|tx| {
            tx.set_setting("a", "2")?;
            tx.ensure_log(&origin("FR"))?;
            Err(StoreError::Full)
        });
        assert!(matches!(failed, Err(StoreError::Full)));
        let log = batch.savepoint(|tx| {
            tx.set_setting("b", "3")?;
            tx.ensure_log(&origin("EE"))
        });
        assert_eq!(log.unwrap().0, 1, "the undone log took no number and is not remembered");
        batch.commit().unwrap();
        world.read(|db| {
            assert_eq!(db.setting("a")?.as_deref(), Some("1"));
            assert_eq!(db.setting("b")?.as_deref(), Some("3"));
            assert_eq!(db.logs()?.len(), 1);
            Ok(())
        });
    }

    #[test]
    fn every_connection_is_set_as_durability_and_erasure_need_it() {
        let world = World::new();
        let (writer, reader) = (world.store.writer().unwrap(), world.store.reader().unwrap());
        let asked = |conn: &Connection, name: &str| -> String {
            conn.query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0)).unwrap()
        };
        for conn in [&writer.conn, &reader.conn] {
            let check = |name: &str, value: &str| assert_eq!(asked(conn, name), value, "{name}");
            check("journal_mode", "wal");
            check("synchronous", "2");
            check("secure_delete", "1");
            check("trusted_schema", "0");
            check("temp_store", "2");
        }
        assert_eq!((&*asked(&writer.conn, "query_only"), &*asked(&reader.conn, "query_only")), ("0", "1"));
    }

    #[test]
    fn what_an_undone_command_had_learnt_is_forgotten() {
        let world = World::new();
        let mut writer = world.store.writer().unwrap();
        let mut batch = writer.begin().unwrap();
        let undone: Result<(), StoreError> = batch.savepoint(|tx| {
            let log = tx.ensure_log(&origin("FR"))?;
            assert_eq!(tx.origin(log)?, origin("FR"));
            Err(StoreError::Full)
        });
        assert!(undone.is_err());
        // Its number is given to another log now.
        let log = batch.savepoint(|tx| tx.ensure_log(&origin("EE"))).unwrap();
        assert_eq!(batch.savepoint(|tx| tx.origin(log)).unwrap(), origin("EE"));
    }

    #[test]
    fn a_dropped_batch_leaves_nothing_and_a_panic_no_half() {
        let world = World::new();
        let mut writer = world.store.writer().unwrap();
        let mut batch = writer.begin().unwrap();
        batch.savepoint(|tx| tx.set_setting("a", "1")).unwrap();
        drop(batch);
        let mut batch = writer.begin().unwrap();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            batch.savepoint(|tx| -> Result<(), StoreError> {
                tx.set_setting("b", "1")?;
                panic!("a bug in a command")
            })
        }));
        assert!(caught.is_err());
        batch.savepoint(|tx| tx.set_setting("c", "1")).unwrap();
        batch.commit().unwrap();
        world.read(|db| {
            assert_eq!((db.setting("a")?, db.setting("b")?, db.setting("c")?), (None, None, Some("1".to_owned())));
            Ok(())
        });
    }

    #[test]
    fn a_batch_that_the_database_undid_cannot_be_committed() {
        let world = World::new();
        let mut writer = world.store.writer().unwrap();
        let mut batch = writer.begin().unwrap();
        batch.savepoint(|tx| tx.set_setting("a", "1")).unwrap();
        let undone: Result<(), StoreError> = batch.savepoint(|tx| {
            tx.run("ROLLBACK", [])?;
            Err(StoreError::Full)
        });
        assert!(undone.is_err());
        assert!(batch.savepoint(|tx| tx.set_setting("b", "1")).is_err());
        assert!(matches!(batch.commit(), Err(StoreError::Corrupt { .. })));
        world.read(|db| {
            assert_eq!((db.setting("a")?, db.setting("b")?), (None, None));
            Ok(())
        });
    }

    #[test]
    fn a_snapshot_does_not_move_and_a_reader_does_not_write() {
        let world = World::new();
        world.write(|tx| tx.set_setting("a", "1"));
        let mut reader = world.store.reader().unwrap();
        reader
            .snapshot(|db| {
                assert_eq!(db.setting("a")?.as_deref(), Some("1"));
                world.write(|tx| tx.set_setting("a", "2"));
                assert_eq!(db.setting("a")?.as_deref(), Some("1"));
                assert!(db.run("DELETE FROM setting", []).is_err());
                Ok::<_, StoreError>(())
            })
            .unwrap();
        world.read(|db| {
            assert_eq!(db.setting("a")?.as_deref(), Some("2"));
            Ok(())
        });
    }

    #[test]
    fn a_purge_leaves_no_bytes_in_any_file() {
        let world = World::new();
        // Open all the while, so that closing the others does not empty the write-ahead file.
        let mut writer = world.store.writer().unwrap();
        world.write(|tx| tx.set_setting("secret", "the-bytes-that-must-go"));
        world.write(|tx| tx.set_setting("secret", "x"));
        assert!(writer.truncate_wal().unwrap());
        for entry in std::fs::read_dir(world.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(22).any(|window| window == b"the-bytes-that-must-go"), "{}", path.display());
        }
    }

    #[test]
    fn a_file_that_is_written_anew_holds_no_stale_copy() {
        let world = World::new();
        let mut writer = world.store.writer().unwrap();
        let word = "zirkelmond";
        // Keys in no order, so that rows move from page to page while they are put.
        world.write(|tx| {
            for number in 0..3_000_u64 {
                let key = model::bytes::hex(&Sha256::digest(number.to_be_bytes()));
                let answer = format!("{word} ").repeat(usize::try_from(number % 12).unwrap() + 1);
                tx.remember("anna", &key, &[0; 32], &answer, at(0))?;
            }
            Ok(())
        });
        world.write(|tx| tx.forget_answers(word).map(|_| ()));
        assert!(writer.truncate_wal().unwrap());
        let copies = |world: &World| {
            let bytes = std::fs::read(world.dir.path().join(FILE)).unwrap();
            bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()
        };
        println!("{} stale copies before the file is written anew", copies(&world));
        writer.compact().unwrap();
        assert!(writer.truncate_wal().unwrap());
        assert_eq!(copies(&world), 0);
        assert_eq!(world.read(|db| db.check()), Vec::<String>::new());
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let refused = Store::open(Path::new("/nonexistent/node")).unwrap_err();
        assert!(matches!(refused, StoreError::Io { .. }) && refused.is_fatal(), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_the_nodes_account_alone() {
        use std::os::unix::fs::PermissionsExt;
        let world = World::new();
        let mut writer = world.store.writer().unwrap();
        let _batch = writer.begin().unwrap();
        let rights = |name: &str| std::fs::metadata(world.dir.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((rights(FILE), rights("entraide.db-wal")), (0o600, 0o600));
    }
}
