//! Logs: who speaks, how far their trees are verified here, and under which checkpoint.

use journal::tree::Frontier;
use model::{Country, Origin};
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::LogId;

/// A log's tree as it is held here.
#[derive(Debug, Clone)]
pub struct TreeState {
    /// Entries.
    pub size: u64,
    /// The compact range over all of them.
    pub frontier: Frontier,
    /// The newest checkpoint that covers them, as a note; `None` before the first.
    pub checkpoint: Option<String>,
}

/// A signed checkpoint of a log, heard from somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardRow {
    /// Entries that it covers: more than we hold.
    pub size: u64,
    /// The note.
    pub note: String,
    /// Who told us.
    pub sender: LogId,
}

impl Db<'_> {
    /// The number of a log; `None` if this node does not know it.
    ///
    /// # Errors
    /// The database.
    pub fn log_id(&self, origin: &Origin) -> Result<Option<LogId>, StoreError> {
        self.one("SELECT id FROM log WHERE origin = ?1", [origin.to_string()], |row| Ok(row.get(0)?))
    }

    /// Whose log it is.
    ///
    /// # Errors
    /// No such log, or the database.
    pub fn origin(&self, log: LogId) -> Result<Origin, StoreError> {
        if let Some(known) = self.memo.origins.borrow().get(&log) {
            return Ok(known.clone());
        }
        let found = self
            .one("SELECT origin FROM log WHERE id = ?1", [log], |row| columns::parsed(row, 0, "origin"))?
            .ok_or_else(|| missing(log))?;
        self.memo.note_origin(log, &found);
        Ok(found)
    }

    /// Every log that this node knows, the own one first.
    ///
    /// # Errors
    /// The database.
    pub fn logs(&self) -> Result<Vec<(LogId, Origin)>, StoreError> {
        self.all("SELECT id, origin FROM log ORDER BY id", [], |row| {
            Ok((row.get(0)?, columns::parsed(row, 1, "origin")?))
        })
    }

    /// The logs of a country. The bare name of a log that goes on under an epoch is left out while it is empty: it
    /// stands for the same nation. A partner without a node has a name in audiences, and no log.
    ///
    /// # Errors
    /// The database.
    pub fn log_of_country(&self, country: Country) -> Result<Vec<LogId>, StoreError> {
        self.all(
            "SELECT id FROM log AS one WHERE country = ?1 AND NOT (size = 0 AND base = id
               AND EXISTS (SELECT 1 FROM log WHERE base = one.id AND id <> one.id))
               AND NOT EXISTS (SELECT 1 FROM partner WHERE partner.log = one.id AND reach <> 'node') ORDER BY id",
            [country.as_str()],
            |row| Ok(row.get(0)?),
        )
    }

    /// The tree of a log.
    ///
    /// # Errors
    /// No such log, or the database.
    pub fn tree(&self, log: LogId) -> Result<TreeState, StoreError> {
        self.one("SELECT size, frontier, checkpoint FROM log WHERE id = ?1", [log], |row| {
            let size = columns::count(row, 0)?;
            let frontier = match row.get_ref(1)?.as_blob_or_null() {
                Ok(Some(bytes)) => Frontier::decode(bytes),
                Ok(None) => Some(Frontier::default()),
                Err(_) => None,
            };
            match frontier {
                Some(frontier) if frontier.size() == size => Ok(TreeState { size, frontier, checkpoint: row.get(2)? }),
                Some(_) | None => {
                    Err(StoreError::corrupt(format!("the tree of log {log} does not have its {size} entries")))
                }
            }
        })?
        .ok_or_else(|| missing(log))
    }

    /// What was heard of a log from others and lies beyond what we hold of it.
    ///
    /// # Errors
    /// The database.
    pub fn heard(&self, log: LogId) -> Result<Option<HeardRow>, StoreError> {
        self.one("SELECT size, note, sender FROM heard WHERE log = ?1", [log], |row| {
            Ok(HeardRow { size: columns::count(row, 0)?, note: row.get(1)?, sender: row.get(2)? })
        })
    }

    /// The logs that have an audience, as far as we know it, in which a partner is: what we know of them is no secret
    /// to it.
    ///
    /// # Errors
    /// The database.
    pub fn logs_shared_with(&self, partner: LogId, limit: usize) -> Result<Vec<LogId>, StoreError> {
        let base = self.base(partner)?;
        self.all(
            "SELECT DISTINCT audience.log FROM audience JOIN member ON member.set_id = audience.set_id
             WHERE member.log = ?1 ORDER BY audience.log LIMIT ?2",
            params![base, columns::limit(limit)],
            |row| Ok(row.get(0)?),
        )
    }

    /// The log that stands for a nation in member sets: the one without an epoch.
    pub(crate) fn base(&self, log: LogId) -> Result<LogId, StoreError> {
        self.one("SELECT base FROM log WHERE id = ?1", [log], |row| Ok(row.get(0)?))?.ok_or_else(|| missing(log))
    }
}

impl Tx<'_> {
    /// The number of a log, made if it is new. The own log is ensured first and is 1.
    ///
    /// # Errors
    /// The database.
    pub fn ensure_log(&self, origin: &Origin) -> Result<LogId, StoreError> {
        if let Some(known) = self.log_id(origin)? {
            return Ok(known);
        }
        let log = LogId(self.insert(
            "INSERT INTO log (origin, base, country) VALUES (?1, 0, ?2)",
            params![origin.to_string(), origin.country().as_str()],
        )?);
        let base = if origin.epoch() == 0 { log } else { self.ensure_log(&origin.base())? };
        self.run("UPDATE log SET base = ?2 WHERE id = ?1", params![log, base])?;
        Ok(log)
    }

    /// Keeps what was heard of a log, if it reaches further than what was heard before.
    ///
    /// # Errors
    /// The database.
    pub fn put_heard(&self, log: LogId, row: &HeardRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO heard (log, size, note, sender) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (log) DO UPDATE SET size = excluded.size, note = excluded.note, sender = excluded.sender
               WHERE excluded.size > heard.size",
            params![log, columns::int(row.size), row.note, row.sender],
        )?;
        Ok(())
    }

    /// Forgets what was heard of a log.
    ///
    /// # Errors
    /// The database.
    pub fn forget_heard(&self, log: LogId) -> Result<(), StoreError> {
        self.run("DELETE FROM heard WHERE log = ?1", [log])?;
        Ok(())
    }

    /// Keeps the newest checkpoint of a log, as the note that was verified.
    ///
    /// # Errors
    /// No such log, or the database.
    pub fn set_checkpoint(&self, log: LogId, note: &str) -> Result<(), StoreError> {
        match self.run("UPDATE log SET checkpoint = ?2 WHERE id = ?1", params![log, note])? {
            1 => Ok(()),
            _ => Err(missing(log)),
        }
    }
}

pub(crate) fn missing(log: LogId) -> StoreError {
    StoreError::corrupt(format!("log {log} is not there"))
}

#[cfg(test)]
mod tests {
    use crate::testing::{World, origin};

    #[test]
    fn what_reaches_furthest_is_remembered() {
        let world = World::new();
        let row = |size| super::HeardRow { size, note: format!("{size}"), sender: crate::LogId(3) };
        world.write(|tx| {
            let log = tx.ensure_log(&origin("FR"))?;
            for size in [5, 9, 7] {
                tx.put_heard(log, &row(size))?;
            }
            assert_eq!(tx.heard(log)?, Some(row(9)));
            tx.forget_heard(log)?;
            assert_eq!(tx.heard(log)?, None);
            Ok(())
        });
    }

    #[test]
    fn the_first_log_is_one_and_each_is_kept_once() {
        let world = World::new();
        let own = origin("FR").with_epoch(2);
        world.write(|tx| {
            assert_eq!(tx.ensure_log(&own)?.0, 1, "also with an epoch");
            let other = tx.ensure_log(&origin("EE"))?;
            assert_eq!(tx.ensure_log(&origin("EE"))?, other);
            assert_eq!(tx.base(other)?, other);
            assert_eq!(Some(tx.base(crate::LogId(1))?), tx.log_id(&origin("FR"))?);
            tx.set_checkpoint(other, "note")?;
            assert!(tx.set_checkpoint(crate::LogId(99), "note").is_err());
            Ok(())
        });
        world.read(|db| {
            let names: Vec<String> = db.logs()?.iter().map(|(_, origin)| origin.to_string()).collect();
            assert_eq!(names, [own.to_string(), origin("FR").to_string(), origin("EE").to_string()]);
            assert_eq!(db.origin(crate::LogId(1))?, own);
            assert_eq!(db.log_id(&origin("DE"))?, None);
            assert_eq!(db.log_of_country("FR".parse().unwrap())?, [crate::LogId(1)], "its empty base is not meant");
            let tree = db.tree(db.log_id(&origin("EE"))?.unwrap())?;
            assert_eq!((tree.size, tree.frontier.size(), tree.checkpoint.as_deref()), (0, 0, Some("note")));
            assert!(db.tree(crate::LogId(99)).is_err());
            Ok(())
        });
    }
}
