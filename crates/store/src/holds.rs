//! Legal holds: what the law wants kept, though its time is over or its owner wants it erased. Local truth.

use model::bytes::hex;
use model::{StixId, ThreadId, Timestamp};
use rusqlite::{Row, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{HoldId, IntakeId, StatementId};

coded_enum!(
    /// On what a legal hold lies.
    HoldKind {
        /// One statement.
        Statement = (0, "statement"),
        /// Whatever anybody says, or has said, of one object; and what intake has of it.
        Object = (1, "object"),
        /// Every version of one thread.
        Thread = (2, "thread"),
        /// One object of intake.
        Intake = (3, "intake"),
    }
);

/// What a legal hold lies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldOn {
    /// One statement.
    Statement(StatementId),
    /// One object.
    Object(StixId),
    /// One thread.
    Thread(ThreadId),
    /// One object of intake.
    Intake(IntakeId),
}

impl HoldOn {
    /// Its kind, and the key by which it is kept.
    #[must_use]
    pub fn key(&self) -> (HoldKind, String) {
        match self {
            Self::Statement(id) => (HoldKind::Statement, id.to_string()),
            Self::Object(id) => (HoldKind::Object, id.to_string()),
            Self::Thread(id) => (HoldKind::Thread, hex(id.as_bytes())),
            Self::Intake(id) => (HoldKind::Intake, id.to_string()),
        }
    }
}

/// One legal hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Its number.
    pub id: HoldId,
    /// Since when.
    pub at: Timestamp,
    /// Who laid it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When it is expected to end. It ends when somebody releases it: no state depends on now.
    pub until: Option<Timestamp>,
    /// On what kind of thing.
    pub kind: HoldKind,
    /// On which: see [`HoldOn::key`].
    pub key: String,
    /// When it was released, and by whom.
    pub released: Option<(Timestamp, String)>,
}

fn hold_row(row: &Row<'_>) -> Result<HoldRow, StoreError> {
    let released = columns::time_opt(row, 7)?;
    let by: Option<String> = row.get(8)?;
    Ok(HoldRow {
        id: row.get(0)?,
        at: columns::time(row, 1)?,
        who: row.get(2)?,
        reason: row.get(3)?,
        until: columns::time_opt(row, 4)?,
        kind: columns::coded(row, 5, "kind of legal hold", HoldKind::from_code)?,
        key: row.get(6)?,
        released: released.map(|at| (at, by.unwrap_or_default())),
    })
}

const SELECT: &str = "SELECT id, at, who, reason, until, kind, key, released, released_by FROM hold";

impl Db<'_> {
    /// Legal holds, newest first; those that are released as well, or not.
    ///
    /// # Errors
    /// The database.
    pub fn holds(&self, released_too: bool, limit: usize) -> Result<Vec<HoldRow>, StoreError> {
        self.all(
            &format!("{SELECT} WHERE ?1 OR released IS NULL ORDER BY id DESC LIMIT ?2"),
            params![released_too, columns::limit(limit)],
            hold_row,
        )
    }

    /// One legal hold.
    ///
    /// # Errors
    /// The database.
    pub fn hold(&self, id: HoldId) -> Result<Option<HoldRow>, StoreError> {
        self.one(&format!("{SELECT} WHERE id = ?1"), [id], hold_row)
    }

    /// The oldest legal hold that lies on one thing itself.
    ///
    /// # Errors
    /// The database.
    pub fn hold_on(&self, on: &HoldOn) -> Result<Option<HoldId>, StoreError> {
        let (kind, key) = on.key();
        self.one(
            "SELECT id FROM hold WHERE kind = ?1 AND key = ?2 AND released IS NULL ORDER BY id LIMIT 1",
            params![kind.code(), key],
            |row| Ok(row.get(0)?),
        )
    }

    /// A legal hold that lies on a statement: on itself, its object or its thread.
    ///
    /// # Errors
    /// The database.
    pub fn hold_on_statement(&self, statement: StatementId) -> Result<Option<HoldId>, StoreError> {
        if let Some(found) = self.hold_on(&HoldOn::Statement(statement))? {
            return Ok(Some(found));
        }
        let Some(object) = self.object(statement)? else { return Ok(None) };
        match self.hold_on(&HoldOn::Object(object.stix_id))? {
            Some(found) => Ok(Some(found)),
            None => self.hold_on(&HoldOn::Thread(object.thread)),
        }
    }

    /// A legal hold that lies on an object of intake: on itself, or on the object that it is about.
    ///
    /// # Errors
    /// The database.
    pub fn hold_on_intake(&self, intake: IntakeId, object: &StixId) -> Result<Option<HoldId>, StoreError> {
        match self.hold_on(&HoldOn::Intake(intake))? {
            Some(found) => Ok(Some(found)),
            None => self.hold_on(&HoldOn::Object(object.clone())),
        }
    }

    /// The statements that were to be erased and still have their body: legal holds kept it.
    ///
    /// # Errors
    /// The database.
    pub fn unerased(&self) -> Result<Vec<StatementId>, StoreError> {
        self.all(
            "SELECT target FROM withdrawal JOIN statement ON statement.id = withdrawal.target
             WHERE purge = 1 AND ciphertext IS NOT NULL ORDER BY target",
            [],
            |row| Ok(row.get(0)?),
        )
    }
}

impl Tx<'_> {
    /// Lays a legal hold.
    ///
    /// # Errors
    /// The database.
    pub fn put_hold(
        &self,
        on: &HoldOn,
        at: Timestamp,
        who: &str,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<HoldId, StoreError> {
        let (kind, key) = on.key();
        let id = self.insert(
            "INSERT INTO hold (at, who, reason, until, kind, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![at.micros(), who, reason, until.map(Timestamp::micros), kind.code(), key],
        )?;
        Ok(HoldId(id))
    }

    /// Releases a legal hold. Says whether it was there and not released yet.
    ///
    /// # Errors
    /// The database.
    pub fn release_hold(&self, id: HoldId, at: Timestamp, by: &str) -> Result<bool, StoreError> {
        let changed = self.run(
            "UPDATE hold SET released = ?2, released_by = ?3 WHERE id = ?1 AND released IS NULL",
            params![id, at.micros(), by],
        )?;
        Ok(changed == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogId;
    use crate::objects::tests::object;
    use crate::testing::{World, at, indicator};

    #[test]
    fn a_hold_lies_until_somebody_releases_it() {
        let world = World::new();
        world.write(|tx| {
            let row = object(LogId(1), 3, &indicator(1));
            tx.put_object(&row, &[])?;
            let held = |tx: &Tx<'_>| tx.hold_on_statement(StatementId(3));
            for on in [HoldOn::Statement(StatementId(3)), HoldOn::Object(indicator(1)), HoldOn::Thread(row.thread)] {
                assert_eq!(held(tx)?, None);
                let id = tx.put_hold(&on, at(0), "anna", "case 7", Some(at(1)))?;
                assert_eq!(held(tx)?, Some(id), "{on:?}");
                assert!(tx.release_hold(id, at(9), "bert")? && !tx.release_hold(id, at(9), "bert")?);
            }
            let id = tx.put_hold(&HoldOn::Intake(IntakeId(5)), at(0), "anna", "case 7", None)?;
            assert_eq!(tx.hold_on_intake(IntakeId(5), &indicator(1))?, Some(id));
            assert_eq!(tx.hold_on_intake(IntakeId(6), &indicator(1))?, None);
            assert_eq!((tx.holds(false, 9)?.len(), tx.holds(true, 9)?.len()), (1, 4));
            assert_eq!(tx.hold(HoldId(1))?.unwrap().released, Some((at(9), "bert".to_owned())));
            Ok(())
        });
    }
}
