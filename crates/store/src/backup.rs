//! What a backup takes of the database, and what is brought back from it.
//!
//! Truth is split in two. The *log part* is a database of the same schema with logs, sealed bodies and everything that
//! says nothing in the clear; it may be kept for years. The *secret part* is a stream of rows for an encrypted archive
//! with a short life: the wrapped keys of bodies, and every table with content or secrets in the clear. So a body that
//! was erased is gone from every backup once the archives that are older than the erasure are.
//!
//! ```text
//! stream  := table* 0
//! table   := 1 ‖ name: len8 ‖ bytes ‖ columns: n8 ‖ (len8 ‖ bytes)*n ‖ row* ‖ 0
//! row     := 1 ‖ value*n
//! value   := 0 | 1 ‖ i64 | 2 ‖ f64 | 3 ‖ text: len32 ‖ bytes | 4 ‖ blob: len32 ‖ bytes
//! ```

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params, params_from_iter};

use crate::connection::{Db, Store, Tx, create_private, run};
use crate::error::StoreError;
use crate::ids::LogId;
use crate::memo::Memo;
use crate::{limits, migrations};

/// Where a table goes in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The log part.
    Log,
    /// The secret part.
    Secret,
    /// Folded again.
    View,
    /// Nowhere: it means nothing on a restored node.
    Passing,
}

/// Every table. A new one that is forgotten here fails a test.
#[rustfmt::skip]
const TABLES: &[(&str, Part)] = &[
    ("log", Part::Log), ("leaf", Part::Log), ("subtree", Part::Log), ("statement", Part::Log),
    ("member_set", Part::Log), ("member", Part::Log), ("release", Part::Log), ("obeyed", Part::Log),
    ("erased", Part::Log), ("partner", Part::Log), ("partner_pin", Part::Log), ("served", Part::Log),
    ("setting", Part::Log), ("allocated", Part::Log), ("ticked", Part::Log), ("heard", Part::Log),
    ("ledger", Part::Log), ("witness", Part::Log), ("cosigned", Part::Log), ("witnessed", Part::Log),
    ("identity", Part::Log), ("announced", Part::Log), ("repudiated", Part::Log), ("export_list", Part::Log),
    ("heard_head", Part::Log), ("disputed", Part::Log), ("stamped", Part::Log), ("purged", Part::Log),
    ("successor", Part::Log), ("retention", Part::Log), ("retention_run", Part::Log), ("red_thread", Part::Log),
    ("letter", Part::Log),
    // Bytes as they came, excerpts of pages and remembered answers say in the clear what a body says.
    ("intake", Part::Secret), ("evidence", Part::Secret), ("idempotency", Part::Secret),
    ("person", Part::Secret), ("passkey", Part::Secret), ("token", Part::Secret),
    // Names of people and reasons in words.
    ("red_reader", Part::Secret), ("guest", Part::Secret), ("disclosure", Part::Secret), ("spill", Part::Secret),
    ("spilled", Part::Secret), ("spilled_intake", Part::Secret), ("hold", Part::Secret),
    ("contact", Part::Secret), ("shift", Part::Secret), ("ladder", Part::Secret), ("alert", Part::Secret),
    ("alert_event", Part::Secret), ("alert_notice", Part::Secret),
    // Where people of partners without a node are reached.
    ("reached", Part::Secret), ("mail_item", Part::Secret),
    ("act", Part::Secret), ("authority", Part::Secret), ("handover", Part::Secret),
    // Whoever was logged in logs in again; an invitation is for three days, a draft for an hour.
    ("session", Part::Passing), ("passkey_answered", Part::Passing), ("invitation", Part::Passing),
    ("relay_draft", Part::Passing), ("answer_link", Part::Passing),
    ("kind", Part::View), ("object", Part::View), ("object_ref", Part::View), ("tally", Part::View),
    ("chain", Part::View), ("slot", Part::View), ("audience", Part::View), ("withdrawal", Part::View),
    ("pending_withdrawal", Part::View), ("receipt", Part::View), ("lost", Part::View), ("cited", Part::View),
];

/// The name under which the wrapped keys of bodies stand in the secret part; no table has it.
const BODY_KEYS: &str = "body key";
/// Columns that name a log by its number, in tables of the secret part: they go as the log's origin, because a number
/// may mean another log in the database into which they are brought back.
const LOG_COLUMN: (&str, &str) = ("evidence", "log");

/// What the bodies of a restored database came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keyless {
    /// Bodies of our own for which there is no key.
    pub own: u64,
    /// Bodies of partners' for which there is no key; they are asked for again.
    pub partners: u64,
}

impl Store {
    /// Writes the log part as it is now into a new file, while others go on writing here, and reads something on the
    /// very same state.
    ///
    /// # Errors
    /// The file is there already, or the disk.
    pub fn back_up<R>(
        &self,
        path: &Path,
        read: impl FnOnce(&Db<'_>) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        create_private(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
        let mut copy = pages::connect(path)?;
        migrations::migrate(&mut copy)?;
        drop(copy);
        let conn = self.connect(limits::READER_CACHE_KIB)?;
        let name = path.to_str().ok_or_else(|| StoreError::corrupt(format!("`{}` is no text", path.display())))?;
        run(&conn, "ATTACH DATABASE ?1 AS copy", [name])?;
        // The file is worth nothing until it is whole: whoever asked for it syncs it then.
        conn.execute_batch("PRAGMA copy.journal_mode = OFF; PRAGMA copy.synchronous = OFF; BEGIN DEFERRED")?;
        let memo = Memo::default();
        let value = read(&Db { conn: &conn, memo: &memo })?;
        for (table, _) in TABLES.iter().filter(|(_, part)| *part == Part::Log) {
            let columns = columns_of(&conn, table)?;
            let shown: Vec<&str> = columns.iter().map(|column| shown(table, column)).collect();
            let (into, from) = (columns.join(", "), shown.join(", "));
            run(&conn, &format!("INSERT INTO copy.{table} ({into}) SELECT {from} FROM main.{table}"), [])?;
        }
        conn.execute_batch("COMMIT; DETACH DATABASE copy")?;
        Ok(value)
    }
}

/// The log part has no key of a body.
fn shown<'a>(table: &str, column: &'a str) -> &'a str {
    if (table, column) == ("statement", "wrapped_key") { "NULL" } else { column }
}

fn columns_of(conn: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let mut rows = statement.query([table])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        columns.push(row.get(0)?);
    }
    Ok(columns)
}

impl Db<'_> {
    /// The schema of the file, and how many statements are in it.
    ///
    /// # Errors
    /// The database.
    pub fn extent(&self) -> Result<(u32, u64), StoreError> {
        let schema = self.one("SELECT user_version FROM pragma_user_version()", [], |row| Ok(row.get(0)?))?;
        let statements = self.one("SELECT count(*) FROM statement", [], |row| crate::columns::count(row, 0))?;
        Ok((schema.unwrap_or(0), statements.unwrap_or(0)))
    }

    /// Writes the secret part, and says how many keys of bodies are in it.
    ///
    /// # Errors
    /// The database, or whatever takes the bytes.
    pub fn write_secrets(&self, out: &mut dyn Write) -> Result<u64, StoreError> {
        for (table, _) in TABLES.iter().filter(|(_, part)| *part == Part::Secret) {
            let columns = columns_of(self.conn, table)?;
            let from: Vec<String> = columns.iter().map(|column| by_origin(table, column)).collect();
            self.write_table(out, table, &columns, &format!("SELECT {} FROM {table}", from.join(", ")))?;
        }
        let columns = ["origin", "idx", "key"].map(str::to_owned);
        let keys = "SELECT log.origin, idx, wrapped_key FROM statement JOIN log ON log.id = statement.log
             WHERE wrapped_key IS NOT NULL ORDER BY statement.id";
        let keys = self.write_table(out, BODY_KEYS, &columns, keys)?;
        out.write_all(&[0]).map_err(written)?;
        Ok(keys)
    }

    fn write_table(&self, out: &mut dyn Write, table: &str, columns: &[String], sql: &str) -> Result<u64, StoreError> {
        let mut head = vec![1];
        put_name(&mut head, table);
        head.push(u8::try_from(columns.len()).unwrap_or(u8::MAX));
        for column in columns {
            put_name(&mut head, column);
        }
        out.write_all(&head).map_err(written)?;
        let mut statement = self.conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut count, mut bytes) = (0, Vec::new());
        while let Some(row) = rows.next()? {
            bytes.clear();
            bytes.push(1);
            for at in 0..columns.len() {
                put_value(&mut bytes, row.get_ref(at)?);
            }
            out.write_all(&bytes).map_err(written)?;
            count += 1;
        }
        out.write_all(&[0]).map_err(written)?;
        Ok(count)
    }
}

fn by_origin(table: &str, column: &str) -> String {
    if (table, column) == LOG_COLUMN {
        return format!("(SELECT origin FROM log WHERE log.id = {table}.{column})");
    }
    column.to_owned()
}

impl Tx<'_> {
    /// Brings the secret part back into the log part. Keys whose body is not here any more, and evidence against logs
    /// that are not known here, are passed over.
    ///
    /// # Errors
    /// The database, or bytes that are no secret part.
    pub fn read_secrets(&self, from: &mut dyn Read) -> Result<(), StoreError> {
        while one_byte(from)? == 1 {
            let table = name(from)?;
            let count = fixed::<1>(from)?[0];
            let columns = (0..count).map(|_| name(from)).collect::<Result<Vec<_>, _>>()?;
            if table == BODY_KEYS {
                self.read_body_keys(from, columns.len())?;
            } else {
                self.read_table(from, &table, &columns)?;
            }
        }
        Ok(())
    }

    fn read_table(&self, from: &mut dyn Read, table: &str, columns: &[String]) -> Result<(), StoreError> {
        let known = TABLES.iter().any(|(name, part)| *name == table && *part == Part::Secret);
        let here = columns_of(self.conn, table)?;
        if !known || columns.is_empty() || columns.iter().any(|column| !here.contains(column)) {
            return Err(unread(format!("its table `{table}` is not known here: use the newer version")));
        }
        let by_origin = columns.iter().position(|column| (table, column.as_str()) == LOG_COLUMN);
        let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
        let sql = format!("INSERT OR REPLACE INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "));
        let mut logs = HashMap::new();
        while one_byte(from)? == 1 {
            let mut values = (0..columns.len()).map(|_| value(from)).collect::<Result<Vec<_>, _>>()?;
            if let Some(at) = by_origin {
                let Some(log) = self.log_of(&mut logs, &values[at])? else { continue };
                values[at] = Value::Integer(log.0);
            }
            self.run(&sql, params_from_iter(values))?;
        }
        Ok(())
    }

    fn read_body_keys(&self, from: &mut dyn Read, columns: usize) -> Result<(), StoreError> {
        let mut logs = HashMap::new();
        while one_byte(from)? == 1 {
            let values = (0..columns).map(|_| value(from)).collect::<Result<Vec<_>, _>>()?;
            let [origin, index, key] = values.as_slice() else { return Err(no_archive()) };
            if let Some(log) = self.log_of(&mut logs, origin)? {
                let sql = "UPDATE statement SET wrapped_key = ?3 WHERE log = ?1 AND idx = ?2 AND salt IS NOT NULL";
                self.run(sql, params![log, index, key])?;
            }
        }
        Ok(())
    }

    fn log_of(&self, known: &mut HashMap<String, Option<LogId>>, origin: &Value) -> Result<Option<LogId>, StoreError> {
        let Value::Text(origin) = origin else { return Err(no_archive()) };
        if let Some(found) = known.get(origin) {
            return Ok(*found);
        }
        let found = self.one("SELECT id FROM log WHERE origin = ?1", [origin], |row| Ok(row.get(0)?))?;
        known.insert(origin.clone(), found);
        Ok(found)
    }

    /// Last step of bringing back: takes away what is sealed and has no key, so that it counts as a body that never came.
    /// The feeds of partners in whose logs that is so begin anew, so that they send it again. `own` is our log.
    ///
    /// # Errors
    /// The database.
    pub fn drop_keyless(&self, own: LogId) -> Result<Keyless, StoreError> {
        self.run(
            "UPDATE partner SET workflow_cursor = NULL, intelligence_cursor = NULL WHERE log <> ?1 AND log IN
               (SELECT log FROM statement WHERE salt IS NOT NULL AND wrapped_key IS NULL)",
            [own],
        )?;
        let drop = |which: &str| {
            let sql = format!(
                "UPDATE statement SET salt = NULL, ciphertext = NULL
                 WHERE log {which} ?1 AND salt IS NOT NULL AND wrapped_key IS NULL"
            );
            Ok::<_, StoreError>(self.run(&sql, [own])? as u64)
        };
        let keyless = Keyless { own: drop("=")?, partners: drop("<>")? };
        self.run(
            "UPDATE log SET bytes = (SELECT coalesce(sum(64 + length(envelope)
               + coalesce(length(salt) + length(wrapped_key) + length(ciphertext), 0)), 0)
             FROM statement WHERE statement.log = log.id)",
            [],
        )?;
        Ok(keyless)
    }
}

fn no_archive() -> StoreError {
    unread("it is of another form: use the version that made it, or a newer one".to_owned())
}

fn unread(what: String) -> StoreError {
    written(std::io::Error::new(std::io::ErrorKind::InvalidData, what))
}

fn written(error: std::io::Error) -> StoreError {
    StoreError::Io { path: "the archive of keys".into(), source: error }
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name.as_bytes());
}

fn put_value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    let mut long = |kind: u8, bytes: &[u8]| {
        out.push(kind);
        // SQLite's own limit is 10^9 bytes a value.
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        ValueRef::Null => out.push(0),
        ValueRef::Integer(number) => {
            out.push(1);
            out.extend_from_slice(&number.to_be_bytes());
        }
        ValueRef::Real(number) => {
            out.push(2);
            out.extend_from_slice(&number.to_bits().to_be_bytes());
        }
        ValueRef::Text(bytes) => long(3, bytes),
        ValueRef::Blob(bytes) => long(4, bytes),
    }
}

fn fixed<const N: usize>(from: &mut dyn Read) -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(written)?;
    Ok(bytes)
}

fn one_byte(from: &mut dyn Read) -> Result<u8, StoreError> {
    match fixed::<1>(from)?[0] {
        known @ (0 | 1) => Ok(known),
        _ => Err(no_archive()),
    }
}

fn name(from: &mut dyn Read) -> Result<String, StoreError> {
    let length = usize::from(fixed::<1>(from)?[0]);
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).map_err(written)?;
    String::from_utf8(bytes).map_err(|_| no_archive())
}

fn value(from: &mut dyn Read) -> Result<Value, StoreError> {
    Ok(match fixed::<1>(from)?[0] {
        0 => Value::Null,
        1 => Value::Integer(i64::from_be_bytes(fixed(from)?)),
        2 => Value::Real(f64::from_bits(u64::from_be_bytes(fixed(from)?))),
        3 => Value::Text(String::from_utf8(long(from)?).map_err(|_| no_archive())?),
        4 => Value::Blob(long(from)?),
        _ => return Err(no_archive()),
    })
}

fn long(from: &mut dyn Read) -> Result<Vec<u8>, StoreError> {
    let length = u32::from_be_bytes(fixed(from)?);
    if length > limits::ARCHIVED_BYTES {
        return Err(no_archive());
    }
    let mut bytes = Vec::new();
    let read = from.take(u64::from(length)).read_to_end(&mut bytes).map_err(written)?;
    if read as u64 == u64::from(length) { Ok(bytes) } else { Err(no_archive()) }
}

#[cfg(test)]
mod tests {
    use journal::tree::Frontier;
    use model::Index;

    use super::*;
    use crate::testing::{World, at, commitment, origin, say};

    #[test]
    fn every_table_has_its_part() {
        let world = World::new();
        world.read(|db| {
            let mut here: Vec<String> = db.all(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
                [],
                |row| Ok(row.get(0)?),
            )?;
            let mut told: Vec<&str> = TABLES.iter().map(|(name, _)| *name).collect();
            told.sort_unstable();
            here.sort_unstable();
            assert_eq!(here, told, "say in `TABLES` to which part of a backup each table belongs");
            Ok(())
        });
    }

    /// Two logs with three statements, an object of intake, and evidence.
    fn truth(world: &World) {
        world.write(|tx| {
            let own = tx.ensure_log(&origin("FR"))?;
            let other = tx.ensure_log(&origin("EE"))?;
            let all: Vec<_> = (0..3).map(commitment).collect();
            tx.extend(own, &mut Frontier::default(), &all)?;
            tx.extend(other, &mut Frontier::default(), &all)?;
            for (log, index) in [(own, 0), (other, 0), (own, 1)] {
                say(tx, log, index)?;
            }
            tx.put_evidence(other, at(0), "fork", "two roots", None, None, b"in the clear")
        });
    }

    fn holds(path: &Path, words: &[u8]) -> bool {
        std::fs::read(path).unwrap().windows(words.len()).any(|window| window == words)
    }

    #[test]
    fn the_log_part_has_no_key_and_the_secret_part_brings_it_back() {
        let world = World::new();
        truth(&world);
        let there = tempfile::tempdir().unwrap();
        let path = there.path().join(crate::connection::FILE);
        let size = world.store.back_up(&path, |db| Ok(db.tree(LogId(1))?.size)).unwrap();
        assert_eq!(size, 3);
        assert!(world.store.back_up(&path, |_| Ok(())).is_err(), "a backup is never written over");
        assert!(holds(&path, b"ciphertext") && !holds(&path, &[4; 72]) && !holds(&path, b"in the clear"));
        let mut secrets = Vec::new();
        assert_eq!(world.read(|db| db.write_secrets(&mut secrets)), 3);

        let restored = World { store: Store::open(there.path()).unwrap(), dir: there };
        let keyless = restored.write(|tx| {
            tx.read_secrets(&mut secrets.as_slice())?;
            tx.drop_keyless(LogId(1))
        });
        assert_eq!(keyless, Keyless::default());
        let all = |world: &World| {
            let bytes = world.read(|db| Ok((db.stored_bytes(LogId(1))?, db.stored_bytes(LogId(2))?)));
            let rows = world.read(|db| db.statements_after(crate::StatementId(0), 9));
            (rows, bytes, world.read(|db| db.evidence(None, 9)).len())
        };
        assert_eq!(all(&restored), all(&world));
        for cut in 0..secrets.len() {
            let mut writer = restored.store.writer().unwrap();
            let mut batch = writer.begin().unwrap();
            assert!(batch.savepoint(|tx| tx.read_secrets(&mut &secrets[..cut])).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn what_has_no_key_counts_as_never_come() {
        let world = World::new();
        truth(&world);
        let there = tempfile::tempdir().unwrap();
        world.store.back_up(&there.path().join(crate::connection::FILE), |_| Ok(())).unwrap();
        world.write(|tx| tx.erase_body(crate::StatementId(1)));
        let mut secrets = Vec::new();
        assert_eq!(world.read(|db| db.write_secrets(&mut secrets)), 2, "an erased body has no key");
        let restored = World { store: Store::open(there.path()).unwrap(), dir: there };
        let keyless = restored.write(|tx| {
            tx.read_secrets(&mut secrets.as_slice())?;
            tx.drop_keyless(LogId(1))
        });
        assert_eq!(keyless, Keyless { own: 1, partners: 0 });
        restored.read(|db| {
            assert_eq!(db.statement_at(LogId(1), Index(0))?.unwrap().sealed, None);
            assert!(db.statement_at(LogId(1), Index(1))?.unwrap().sealed.is_some());
            assert_eq!(db.check()?, Vec::<String>::new());
            Ok(())
        });
    }
}
