//! Statements: the openings of entries, own ones and partners', in the order in which they reached this node.

use model::{BodyCommitment, Commitment, Index, Timestamp};
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, StatementId};

/// What became of a statement when it was folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is in the views.
    Fit,
    /// It is kept raw: this version does not read it, or it says what it may not say.
    Unfit {
        /// Why.
        reason: String,
    },
}

/// A body as it lies on the disk.
#[derive(Debug, Clone, Copy)]
pub struct SealedBody<'a> {
    /// The salt of the body's commitment.
    pub salt: [u8; 32],
    /// The body's key, under the node's wrapping key.
    pub wrapped_key: &'a [u8],
    /// The body under its key.
    pub ciphertext: &'a [u8],
}

/// A statement to be kept.
#[derive(Debug, Clone)]
pub struct NewStatement<'a> {
    /// Whose log.
    pub log: LogId,
    /// Where in it.
    pub index: Index,
    /// When it reached this node.
    pub arrived: Timestamp,
    /// What the log commits to. It stands in the log's tiles and is not kept twice.
    pub commitment: Commitment,
    /// The salt of the entry.
    pub entry_salt: [u8; 32],
    /// The envelope in its binary form.
    pub envelope: &'a [u8],
    /// The commitment to the body.
    pub body_commitment: BodyCommitment,
    /// The body; `None` if it was withdrawn before it came.
    pub sealed: Option<SealedBody<'a>>,
    /// What became of it.
    pub fate: Fate,
}

/// A body as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// The salt of the body's commitment.
    pub salt: [u8; 32],
    /// The body's key, under the node's wrapping key.
    pub wrapped_key: Vec<u8>,
    /// The body under its key.
    pub ciphertext: Vec<u8>,
}

/// A statement as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// The order of arrival.
    pub id: StatementId,
    /// Whose log.
    pub log: LogId,
    /// Where in it.
    pub index: Index,
    /// When it reached this node.
    pub arrived: Timestamp,
    /// The salt of the entry.
    pub entry_salt: [u8; 32],
    /// The envelope in its binary form.
    pub envelope: Vec<u8>,
    /// The commitment to the body.
    pub body_commitment: BodyCommitment,
    /// The body; `None` if it was erased, or never came.
    pub sealed: Option<SealedRow>,
    /// What became of it.
    pub fate: Fate,
}

/// The wrapped key of one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedRow {
    /// Its statement.
    pub statement: StatementId,
    /// In which log it stands.
    pub log: LogId,
    /// Where.
    pub index: Index,
    /// The key of the body, wrapped.
    pub wrapped: Vec<u8>,
}

/// Every read of a statement begins so; the numbers of the columns are those of [`statement_row`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, log, idx, arrived, fate, reason, entry_salt, body_commitment, envelope, salt, \
             wrapped_key, ciphertext FROM statement ",
            $rest
        )
    };
}

fn statement_row(row: &Row<'_>) -> Result<StatementRow, StoreError> {
    let sealed = match row.get::<_, Option<[u8; 32]>>(9)? {
        Some(salt) => Some(SealedRow { salt, wrapped_key: row.get(10)?, ciphertext: row.get(11)? }),
        None => None,
    };
    Ok(StatementRow {
        id: row.get(0)?,
        log: row.get(1)?,
        index: Index(columns::count(row, 2)?),
        arrived: columns::time(row, 3)?,
        fate: fate_of(row.get(4)?, row.get(5)?)?,
        entry_salt: row.get(6)?,
        body_commitment: columns::fixed(row, 7, "body commitment", BodyCommitment::from_slice)?,
        envelope: row.get(8)?,
        sealed,
    })
}

impl Fate {
    const fn code(&self) -> u8 {
        match self {
            Self::Fit => 0,
            Self::Unfit { .. } => 1,
        }
    }
    fn reason(&self) -> Option<&str> {
        match self {
            Self::Unfit { reason } => Some(reason),
            Self::Fit => None,
        }
    }
}

fn fate_of(code: u8, reason: Option<String>) -> Result<Fate, StoreError> {
    match (code, reason) {
        (0, _) => Ok(Fate::Fit),
        (1, reason) => Ok(Fate::Unfit { reason: reason.unwrap_or_default() }),
        (code, _) => Err(StoreError::corrupt(format!("{code} is not a fate"))),
    }
}

impl SealedBody<'_> {
    fn size(&self) -> i64 {
        columns::limit(self.salt.len() + self.wrapped_key.len() + self.ciphertext.len())
    }
}

impl Db<'_> {
    /// One statement.
    ///
    /// # Errors
    /// The database.
    pub fn statement(&self, statement: StatementId) -> Result<Option<StatementRow>, StoreError> {
        self.one(select!("WHERE id = ?1"), [statement], statement_row)
    }

    /// The statement at a place of a log; `None` if it was not opened to this node.
    ///
    /// # Errors
    /// The database.
    pub fn statement_at(&self, log: LogId, index: Index) -> Result<Option<StatementRow>, StoreError> {
        self.one(select!("WHERE log = ?1 AND idx = ?2"), params![log, columns::int(index.0)], statement_row)
    }

    /// When a statement reached this node.
    ///
    /// # Errors
    /// The database.
    pub fn arrived(&self, statement: StatementId) -> Result<Option<Timestamp>, StoreError> {
        self.one("SELECT arrived FROM statement WHERE id = ?1", [statement], |row| columns::time(row, 0))
    }

    /// Statements in the order of arrival, after one of them.
    ///
    /// # Errors
    /// The database.
    pub fn statements_after(&self, after: StatementId, limit: usize) -> Result<Vec<StatementRow>, StoreError> {
        self.all(select!("WHERE id > ?1 ORDER BY id LIMIT ?2"), params![after, columns::limit(limit)], statement_row)
    }

    /// The wrapped keys of bodies in the order of arrival, after a statement: without the bodies, which are large.
    ///
    /// # Errors
    /// The database.
    pub fn wrapped_after(&self, after: StatementId, limit: usize) -> Result<Vec<WrappedRow>, StoreError> {
        self.all(
            "SELECT id, log, idx, wrapped_key FROM statement WHERE id > ?1 AND wrapped_key IS NOT NULL
             ORDER BY id LIMIT ?2",
            params![after, columns::limit(limit)],
            |row| {
                let index = Index(columns::count(row, 2)?);
                Ok(WrappedRow { statement: row.get(0)?, log: row.get(1)?, index, wrapped: row.get(3)? })
            },
        )
    }

    /// The statements of a log that were opened to this node, newest first, before a place.
    ///
    /// # Errors
    /// The database.
    pub fn log_page(&self, log: LogId, before: Option<Index>, limit: usize) -> Result<Vec<StatementRow>, StoreError> {
        let limit = columns::limit(limit);
        match before {
            Some(before) => self.all(
                select!("WHERE log = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT ?3"),
                params![log, columns::int(before.0), limit],
                statement_row,
            ),
            None => self.all(select!("WHERE log = ?1 ORDER BY idx DESC LIMIT ?2"), params![log, limit], statement_row),
        }
    }

    /// The statements of a log that were opened to this node, by place, within `[from, until)`.
    ///
    /// # Errors
    /// The database.
    pub fn log_between(
        &self,
        log: LogId,
        from: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<StatementRow>, StoreError> {
        self.all(
            select!("WHERE log = ?1 AND idx >= ?2 AND idx < ?3 ORDER BY idx LIMIT ?4"),
            params![log, columns::int(from), columns::int(until), columns::limit(limit)],
            statement_row,
        )
    }

    /// Statements of a log that are kept raw, in the order of arrival, after one of them.
    ///
    /// # Errors
    /// The database.
    pub fn unfit_after(&self, log: LogId, after: StatementId, limit: usize) -> Result<Vec<StatementRow>, StoreError> {
        self.all(
            select!("WHERE fate = 1 AND log = ?1 AND id > ?2 ORDER BY id LIMIT ?3"),
            params![log, after, columns::limit(limit)],
            statement_row,
        )
    }

    /// Was the body at a place erased here? Then it is not taken again, whoever sends it.
    ///
    /// # Errors
    /// The database.
    pub fn is_erased(&self, log: LogId, index: Index) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM erased WHERE log = ?1 AND idx = ?2";
        Ok(self.one(sql, params![log, columns::int(index.0)], |_| Ok(()))?.is_some())
    }

    /// Statements of a log after a place whose body was erased here though nothing took them back, in order.
    ///
    /// # Errors
    /// The database.
    pub fn erased_unwithdrawn(
        &self,
        log: LogId,
        after: Option<Index>,
        limit: usize,
    ) -> Result<Vec<StatementRow>, StoreError> {
        self.all(
            select!(
                "WHERE log = ?1 AND idx > ?2 AND ciphertext IS NULL
                   AND EXISTS (SELECT 1 FROM erased WHERE erased.log = statement.log AND erased.idx = statement.idx)
                   AND NOT EXISTS (SELECT 1 FROM withdrawal WHERE target = statement.id) ORDER BY idx LIMIT ?3"
            ),
            params![log, after.map_or(-1, |index| columns::int(index.0)), columns::limit(limit)],
            statement_row,
        )
    }

    /// Places whose body was erased and that do not stand on the purge list yet.
    ///
    /// # Errors
    /// The database.
    pub fn unlisted(&self, limit: usize) -> Result<Vec<(LogId, Index)>, StoreError> {
        self.all(
            "SELECT log, idx FROM erased WHERE listed = 0 ORDER BY log, idx LIMIT ?1",
            [columns::limit(limit)],
            |row| Ok((row.get(0)?, Index(columns::count(row, 1)?))),
        )
    }

    /// Places that stand on the purge list, as far as the database knows, from one on.
    ///
    /// # Errors
    /// The database.
    pub fn listed(&self, after: Option<(LogId, Index)>, limit: usize) -> Result<Vec<(LogId, Index)>, StoreError> {
        let (log, index) = after.map_or((0, -1), |(log, index)| (log.0, columns::int(index.0)));
        self.all(
            "SELECT log, idx FROM erased WHERE listed = 1 AND (log, idx) > (?1, ?2) ORDER BY log, idx LIMIT ?3",
            params![log, index, columns::limit(limit)],
            |row| Ok((row.get(0)?, Index(columns::count(row, 1)?))),
        )
    }

    /// Bytes that the statements of a log take here, for its quota: envelopes, sealed bodies and their keys.
    ///
    /// # Errors
    /// No such log, or the database.
    pub fn stored_bytes(&self, log: LogId) -> Result<u64, StoreError> {
        self.settle()?;
        let bytes: i64 = self
            .one("SELECT bytes FROM log WHERE id = ?1", [log], |row| Ok(row.get(0)?))?
            .ok_or_else(|| crate::logs::missing(log))?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }
}

impl Tx<'_> {
    /// Keeps a statement; its number is its place in the order of arrival.
    ///
    /// # Errors
    /// One stands at that place of the log already, or the database.
    pub fn insert_statement(&self, new: &NewStatement<'_>) -> Result<StatementId, StoreError> {
        let sealed = new.sealed.as_ref();
        let id = self.insert(
            "INSERT INTO statement (log, idx, arrived, fate, reason, entry_salt, body_commitment, envelope, salt,
               wrapped_key, ciphertext) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                new.log,
                columns::int(new.index.0),
                new.arrived.micros(),
                new.fate.code(),
                new.fate.reason(),
                new.entry_salt,
                new.body_commitment.as_bytes(),
                new.envelope,
                sealed.map(|body| body.salt),
                sealed.map(|body| body.wrapped_key),
                sealed.map(|body| body.ciphertext),
            ],
        )?;
        // 64 bytes are the salt of the entry and the commitment to the body.
        let bytes = columns::limit(new.envelope.len()) + 64 + sealed.map_or(0, SealedBody::size);
        self.memo.tally(new.log, bytes, 0);
        Ok(StatementId(id))
    }

    /// Notes what became of a statement.
    ///
    /// # Errors
    /// No such statement, or the database.
    pub fn set_fate(&self, statement: StatementId, fate: &Fate) -> Result<(), StoreError> {
        let changed = self.run(
            "UPDATE statement SET fate = ?2, reason = ?3 WHERE id = ?1",
            params![statement, fate.code(), fate.reason()],
        )?;
        touched(changed, statement)
    }

    /// Erases a body: its salt, its key and its ciphertext. The envelope and what the log commits to stay.
    ///
    /// # Errors
    /// No such statement, or the database.
    pub fn erase_body(&self, statement: StatementId) -> Result<(), StoreError> {
        let (log, bytes) = self.body_size(statement)?;
        let changed = self.run(
            "UPDATE statement SET salt = NULL, wrapped_key = NULL, ciphertext = NULL WHERE id = ?1",
            [statement],
        )?;
        self.memo.tally(log, -bytes, 0);
        touched(changed, statement)?;
        if bytes > 0 {
            self.run(
                "INSERT INTO erased (log, idx, listed) SELECT log, idx, 0 FROM statement WHERE id = ?1
                 ON CONFLICT DO NOTHING",
                [statement],
            )?;
            self.memo.erased.set(true);
        }
        Ok(())
    }

    /// Notes that a place stands on the purge list: its body is not taken again.
    ///
    /// # Errors
    /// The database.
    pub fn put_listed(&self, log: LogId, index: Index) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO erased (log, idx, listed) VALUES (?1, ?2, 1) ON CONFLICT (log, idx)
               DO UPDATE SET listed = 1 WHERE listed = 0",
            params![log, columns::int(index.0)],
        )?;
        Ok(())
    }

    /// Notes that a place is to be put on the purge list again, which has lost it.
    ///
    /// # Errors
    /// The database.
    pub fn put_unlisted(&self, log: LogId, index: Index) -> Result<(), StoreError> {
        self.run("UPDATE erased SET listed = 0 WHERE log = ?1 AND idx = ?2", params![log, columns::int(index.0)])?;
        Ok(())
    }

    /// Keeps the body of a statement that came without one.
    ///
    /// # Errors
    /// No such statement, or the database.
    pub fn restore_body(&self, statement: StatementId, sealed: &SealedBody<'_>) -> Result<(), StoreError> {
        let (log, bytes) = self.body_size(statement)?;
        let changed = self.run(
            "UPDATE statement SET salt = ?2, wrapped_key = ?3, ciphertext = ?4 WHERE id = ?1",
            params![statement, sealed.salt, sealed.wrapped_key, sealed.ciphertext],
        )?;
        self.memo.tally(log, sealed.size() - bytes, 0);
        touched(changed, statement)
    }

    /// Keeps the key of a body as it is wrapped now.
    ///
    /// # Errors
    /// No such statement, or the database.
    pub fn set_wrapped(&self, statement: StatementId, wrapped: &[u8]) -> Result<(), StoreError> {
        let sql = "UPDATE statement SET wrapped_key = ?2 WHERE id = ?1";
        touched(self.run(sql, params![statement, wrapped])?, statement)
    }

    fn body_size(&self, statement: StatementId) -> Result<(LogId, i64), StoreError> {
        self.one(
            "SELECT log, coalesce(length(salt) + length(wrapped_key) + length(ciphertext), 0)
             FROM statement WHERE id = ?1",
            [statement],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .ok_or_else(|| missing(statement))
    }
}

fn missing(statement: StatementId) -> StoreError {
    StoreError::corrupt(format!("statement {statement} is not there"))
}

fn touched(rows: usize, statement: StatementId) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(missing(statement)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, origin, say};

    const BYTES: u64 = 8 + 64 + 32 + 72 + 10;

    #[test]
    fn statements_are_read_by_arrival_and_by_place() {
        let world = World::new();
        let (fr, ee) = world.write(|tx| {
            let fr = tx.ensure_log(&origin("FR"))?;
            let ee = tx.ensure_log(&origin("EE"))?;
            for (log, index) in [(fr, 0), (ee, 7), (fr, 1), (ee, 3)] {
                say(tx, log, index)?;
            }
            assert!(say(tx, ee, 7).is_err(), "one place, one statement");
            assert_eq!(tx.stored_bytes(fr)?, 2 * BYTES);
            Ok((fr, ee))
        });
        world.read(|db| {
            let places = |rows: Vec<StatementRow>| rows.iter().map(|row| (row.log, row.index.0)).collect::<Vec<_>>();
            assert_eq!(places(db.statements_after(StatementId(0), 10)?), [(fr, 0), (ee, 7), (fr, 1), (ee, 3)]);
            assert_eq!(places(db.statements_after(StatementId(1), 2)?), [(ee, 7), (fr, 1)]);
            assert_eq!(places(db.log_page(ee, None, 10)?), [(ee, 7), (ee, 3)]);
            assert_eq!(places(db.log_page(ee, Some(Index(7)), 10)?), [(ee, 3)]);
            assert_eq!(places(db.log_between(ee, 3, 7, 10)?), [(ee, 3)]);
            assert_eq!(places(db.log_between(ee, 3, 8, 10)?), [(ee, 3), (ee, 7)]);
            let row = db.statement_at(ee, Index(7))?.unwrap();
            assert_eq!((row.id, row.envelope.as_slice()), (StatementId(2), b"envelope".as_slice()));
            assert_eq!(row.sealed.as_ref().unwrap().ciphertext, b"ciphertext");
            assert_eq!(db.statement(row.id)?, Some(row));
            assert_eq!(db.arrived(StatementId(2))?, Some(at(0)));
            assert_eq!(db.statement_at(ee, Index(8))?, None);
            Ok(())
        });
    }

    #[test]
    fn bodies_come_and_go_and_are_counted() {
        let world = World::new();
        world.write(|tx| {
            let log = tx.ensure_log(&origin("FR"))?;
            let statement = say(tx, log, 0)?;
            tx.erase_body(statement)?;
            assert_eq!(tx.stored_bytes(log)?, 72);
            tx.erase_body(statement)?;
            assert_eq!(tx.stored_bytes(log)?, 72, "erasing twice is erasing once");
            assert_eq!(tx.unlisted(9)?, [(log, Index(0))]);
            tx.put_listed(log, Index(0))?;
            tx.erase_body(statement)?;
            assert_eq!(tx.unlisted(9)?, [], "what is erased already is not listed again");
            assert!(tx.is_erased(log, Index(0))? && !tx.is_erased(log, Index(1))?);
            assert_eq!(tx.statement(statement)?.unwrap().sealed, None);
            tx.restore_body(
                statement,
                &SealedBody { salt: [9; 32], wrapped_key: &[4; 72], ciphertext: b"ciphertext" },
            )?;
            assert_eq!(tx.statement(statement)?.unwrap().sealed.unwrap().salt, [9; 32]);
            assert_eq!(tx.stored_bytes(log)?, BYTES);
            for fate in [Fate::Unfit { reason: "odd".to_owned() }, Fate::Fit] {
                tx.set_fate(statement, &fate)?;
                let raw = tx.unfit_after(log, StatementId(0), 9)?.len();
                assert_eq!(raw, usize::from(fate != Fate::Fit));
                assert_eq!(tx.statement(statement)?.unwrap().fate, fate);
            }
            assert!(tx.set_fate(StatementId(9), &Fate::Fit).is_err());
            assert!(tx.erase_body(StatementId(9)).is_err());
            Ok(())
        });
        world.read(|db| {
            assert_eq!(db.stored_bytes(LogId(1))?, BYTES, "the count is committed with the rest");
            Ok(())
        });
    }
}
