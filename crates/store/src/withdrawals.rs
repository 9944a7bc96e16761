//! Withdrawals and receipts: the view of what was taken back, and who has answered. Taking back by a content-free row
//! is in no statement, so it is truth of its own: the places that were *obeyed*.

use model::Index;
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, StatementId};

/// A statement that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithdrawalRow {
    /// What was taken back.
    pub target: StatementId,
    /// The first statement that says so; `None` if we were told by a content-free row alone.
    pub by: Option<StatementId>,
    /// Was its body to be erased as well?
    pub purge: bool,
}

/// A place of a log that was taken back before what stands there came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingWithdrawal {
    /// Whose log.
    pub log: LogId,
    /// Where in it.
    pub index: Index,
    /// The first statement that says so; `None` if we were told by a content-free row alone.
    pub by: Option<StatementId>,
    /// Is the body to be erased as well?
    pub purge: bool,
}

/// A place that an owner took back by a content-free row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObeyedRow {
    /// Whose log.
    pub log: LogId,
    /// Where in it.
    pub index: Index,
}

/// What a node answered to a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptRow {
    /// What was taken back.
    pub target: StatementId,
    /// Who answers.
    pub from: LogId,
    /// The answer.
    pub statement: StatementId,
    /// Is the body erased from its store?
    pub erased: bool,
    /// How often it was exported there.
    pub exports: Option<u32>,
    /// How many of those cannot be called back.
    pub not_recalled: Option<u32>,
    /// Does the law of the place keep the body sealed, though it was to be erased?
    pub held: bool,
}

fn pending_row(row: &Row<'_>) -> Result<PendingWithdrawal, StoreError> {
    Ok(PendingWithdrawal {
        log: row.get(0)?,
        index: Index(columns::count(row, 1)?),
        by: row.get(2)?,
        purge: row.get(3)?,
    })
}

impl Db<'_> {
    /// Was a statement taken back, and by what?
    ///
    /// # Errors
    /// The database.
    pub fn withdrawal_of(&self, target: StatementId) -> Result<Option<WithdrawalRow>, StoreError> {
        self.one("SELECT target, by_statement, purge FROM withdrawal WHERE target = ?1", [target], |row| {
            Ok(WithdrawalRow { target: row.get(0)?, by: row.get(1)?, purge: row.get(2)? })
        })
    }

    /// Was a place taken back before what stands there came?
    ///
    /// # Errors
    /// The database.
    pub fn pending_withdrawal(&self, log: LogId, index: Index) -> Result<Option<PendingWithdrawal>, StoreError> {
        let place = params![log, columns::int(index.0)];
        let sql = "SELECT log, idx, by_statement, purge FROM pending_withdrawal WHERE log = ?1 AND idx = ?2";
        let said = self.one(sql, place, pending_row)?;
        let obeyed = self.one("SELECT 1 FROM obeyed WHERE log = ?1 AND idx = ?2", place, |_| Ok(()))?;
        Ok(said.or(obeyed.map(|()| PendingWithdrawal { log, index, by: None, purge: false })))
    }

    /// Every place that an owner took back by a content-free row. This is truth: a rebuild takes them back again.
    ///
    /// # Errors
    /// The database.
    pub fn obeyed(&self) -> Result<Vec<ObeyedRow>, StoreError> {
        self.all("SELECT log, idx FROM obeyed ORDER BY log, idx", [], |row| {
            Ok(ObeyedRow { log: row.get(0)?, index: Index(columns::count(row, 1)?) })
        })
    }

    /// Who has answered the withdrawal of a statement, by log.
    ///
    /// # Errors
    /// The database.
    pub fn receipts_of(&self, target: StatementId) -> Result<Vec<ReceiptRow>, StoreError> {
        self.all(
            "SELECT target, sender, statement, erased, exports, not_recalled, held FROM receipt
             WHERE target = ?1 ORDER BY sender",
            [target],
            |row| {
                Ok(ReceiptRow {
                    target: row.get(0)?,
                    from: row.get(1)?,
                    statement: row.get(2)?,
                    erased: row.get(3)?,
                    exports: row.get(4)?,
                    not_recalled: row.get(5)?,
                    held: row.get(6)?,
                })
            },
        )
    }
}

impl Tx<'_> {
    /// Notes that a statement was taken back. Said twice, the first statement stands for both, a statement stands for a
    /// content-free row, and a purge stays one: the row is the same in whatever order they come. Without
    /// a statement, the place is noted as obeyed: nothing else would tell a rebuild.
    ///
    /// # Errors
    /// The target is not there, or the database.
    pub fn put_withdrawal(&self, row: &WithdrawalRow) -> Result<(), StoreError> {
        if row.by.is_none() {
            let place = self.one("SELECT log, idx FROM statement WHERE id = ?1", [row.target], |found| {
                Ok((found.get(0)?, Index(columns::count(found, 1)?)))
            })?;
            let (log, index) =
                place.ok_or_else(|| StoreError::corrupt(format!("statement {} is not there", row.target)))?;
            self.put_obeyed(log, index)?;
        }
        self.run(
            "INSERT INTO withdrawal (target, by_statement, purge) VALUES (?1, ?2, ?3)
             ON CONFLICT (target) DO UPDATE SET purge = max(purge, excluded.purge),
               by_statement = min(coalesce(by_statement, excluded.by_statement),
                 coalesce(excluded.by_statement, by_statement))",
            params![row.target, row.by, row.purge],
        )?;
        Ok(())
    }

    /// Notes that a place was taken back before what stands there came. Said twice, see [`Tx::put_withdrawal`].
    ///
    /// # Errors
    /// The database.
    pub fn put_pending_withdrawal(&self, row: &PendingWithdrawal) -> Result<(), StoreError> {
        let Some(by) = row.by else { return self.put_obeyed(row.log, row.index) };
        self.run(
            "INSERT INTO pending_withdrawal (log, idx, by_statement, purge) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (log, idx) DO UPDATE SET purge = max(purge, excluded.purge),
               by_statement = min(by_statement, excluded.by_statement)",
            params![row.log, columns::int(row.index.0), by, row.purge],
        )?;
        Ok(())
    }

    /// Notes as truth that an owner took a place back by a content-free row, whether or not what stands there has come.
    ///
    /// # Errors
    /// The database.
    pub fn put_obeyed(&self, log: LogId, index: Index) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO obeyed (log, idx) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![log, columns::int(index.0)],
        )?;
        Ok(())
    }

    /// Notes what a node answered. Of several answers, the last statement counts.
    ///
    /// # Errors
    /// The database.
    pub fn put_receipt(&self, row: &ReceiptRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO receipt (target, sender, statement, erased, exports, not_recalled, held)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (target, sender) DO UPDATE SET statement = excluded.statement, erased = excluded.erased,
               exports = excluded.exports, not_recalled = excluded.not_recalled, held = excluded.held
             WHERE excluded.statement >= statement",
            params![row.target, row.from, row.statement, row.erased, row.exports, row.not_recalled, row.held],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, origin, say};

    /// Every order of `all`.
    fn orders<T: Copy>(all: &[T]) -> Vec<Vec<T>> {
        if all.is_empty() {
            return vec![Vec::new()];
        }
        let mut found = Vec::new();
        for (at, first) in all.iter().enumerate() {
            let rest: Vec<T> = all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, one)| *one).collect();
            for mut order in orders(&rest) {
                order.insert(0, *first);
                found.push(order);
            }
        }
        found
    }

    #[test]
    fn whatever_the_order_the_withdrawal_is_one() {
        let told = [(None, false), (Some(StatementId(5)), false), (Some(StatementId(3)), true)];
        for order in orders(&told) {
            let world = World::new();
            world.write(|tx| {
                let log = tx.ensure_log(&origin("EE"))?;
                let target = say(tx, log, 0)?;
                let index = Index(4);
                for (by, purge) in &order {
                    tx.put_withdrawal(&WithdrawalRow { target, by: *by, purge: *purge })?;
                    tx.put_pending_withdrawal(&PendingWithdrawal { log, index, by: *by, purge: *purge })?;
                }
                let by = Some(StatementId(3));
                assert_eq!(tx.withdrawal_of(target)?, Some(WithdrawalRow { target, by, purge: true }), "{order:?}");
                let pending = PendingWithdrawal { log, index, by, purge: true };
                assert_eq!(tx.pending_withdrawal(log, index)?, Some(pending), "{order:?}");
                Ok(())
            });
        }
    }

    #[test]
    fn content_free_rows_outlive_the_views() {
        let world = World::new();
        world.write(|tx| {
            let log = tx.ensure_log(&origin("EE"))?;
            let target = say(tx, log, 0)?;
            tx.put_withdrawal(&WithdrawalRow { target, by: None, purge: false })?;
            tx.put_pending_withdrawal(&PendingWithdrawal { log, index: Index(7), by: None, purge: false })?;
            let missing = WithdrawalRow { target: StatementId(99), by: None, purge: false };
            assert!(tx.put_withdrawal(&missing).is_err());
            tx.drop_views()?;
            assert_eq!(tx.withdrawal_of(target)?, None);
            let places: Vec<u64> = tx.obeyed()?.iter().map(|row| row.index.0).collect();
            assert_eq!(places, [0, 7]);
            assert_eq!(
                tx.pending_withdrawal(log, Index(7))?.unwrap().by,
                None,
                "what comes later is taken back at once"
            );
            assert_eq!(tx.pending_withdrawal(log, Index(8))?, None);
            Ok(())
        });
    }

    #[test]
    fn the_last_receipt_of_a_node_counts() {
        let world = World::new();
        world.write(|tx| {
            let receipt = |from, statement, erased| ReceiptRow {
                target: StatementId(1),
                from: LogId(from),
                statement: StatementId(statement),
                erased,
                exports: Some(3),
                not_recalled: Some(1),
                held: false,
            };
            for row in [receipt(2, 8, false), receipt(2, 9, true), receipt(2, 7, false), receipt(1, 5, true)] {
                tx.put_receipt(&row)?;
            }
            assert_eq!(tx.receipts_of(StatementId(1))?, [receipt(1, 5, true), receipt(2, 9, true)]);
            assert_eq!(tx.receipts_of(StatementId(2))?, []);
            Ok(())
        });
    }
}
