//! The views as a whole: dropping them for a rebuild, a digest that tells whether two folds agree, an integrity check.

use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::limits;

/// Every view as logical rows in a defined order: names and digests in place of the surrogate keys that a rebuild may
/// give anew. Only a statement's number stays, which is truth.
const LOGICAL: [(&str, &str); 11] = [
    (
        "object",
        "SELECT statement, log.origin, idx, kind.name, uuid, version, media, tlp, pap, member_set.digest, audience, lane,
       thread, thread_version, revoked, dependent, state, commitment, title, walled
     FROM object JOIN log ON log.id = object.log JOIN kind ON kind.id = object.kind
       LEFT JOIN member_set ON member_set.id = object.set_id ORDER BY statement",
    ),
    (
        "object_ref",
        "SELECT kind.name, uuid, statement FROM object_ref JOIN kind ON kind.id = object_ref.kind
     ORDER BY statement, kind.name, uuid",
    ),
    (
        "chain",
        "SELECT log.origin, audience, lane, low, high, count, tail FROM chain JOIN log ON log.id = chain.log
     ORDER BY log.origin, audience, lane",
    ),
    (
        "slot",
        "SELECT log.origin, audience, lane, sequence, statement FROM slot JOIN chain ON chain.id = slot.chain
       JOIN log ON log.id = chain.log ORDER BY log.origin, audience, lane, sequence",
    ),
    (
        "audience",
        "SELECT log.origin, audience, version, name, kind, member_set.digest, statement
     FROM audience JOIN log ON log.id = audience.log JOIN member_set ON member_set.id = audience.set_id
     ORDER BY log.origin, audience, version",
    ),
    (
        "withdrawal",
        "SELECT target, by_statement, purge FROM withdrawal ORDER BY target",
    ),
    (
        "pending_withdrawal",
        "SELECT log.origin, pending_withdrawal.idx, by_statement, purge
     FROM pending_withdrawal JOIN log ON log.id = pending_withdrawal.log
     WHERE NOT EXISTS (SELECT 1 FROM statement AS come
       WHERE come.log = pending_withdrawal.log AND come.idx = pending_withdrawal.idx)
     ORDER BY log.origin, pending_withdrawal.idx",
    ),
    (
        "receipt",
        "SELECT target, log.origin, statement, erased, exports, not_recalled, held
     FROM receipt JOIN log ON log.id = receipt.sender
     ORDER BY target, log.origin",
    ),
    (
        "lost",
        "SELECT log.origin, first, count, statement FROM lost JOIN log ON log.id = lost.log
     ORDER BY log.origin, first, statement",
    ),
    (
        "cited",
        "SELECT log.origin, idx, statement FROM cited JOIN log ON log.id = cited.log ORDER BY log.origin, idx, statement",
    ),
    (
        "tally",
        "SELECT log.origin, objects FROM tally JOIN log ON log.id = tally.log WHERE objects > 0 ORDER BY log.origin",
    ),
];

impl Db<'_> {
    /// SHA-256 over every row of every view, the same for two folds of the same truth.
    ///
    /// # Errors
    /// The database.
    pub fn views_digest(&self) -> Result<[u8; 32], StoreError> {
        let mut hash = Sha256::new();
        hash.update(b"entraide/views/v3");
        for (_, digest) in self.view_digests()? {
            hash.update(digest);
        }
        Ok(hash.finalize().into())
    }

    /// The same, view by view, each with its name.
    ///
    /// # Errors
    /// The database.
    pub fn view_digests(&self) -> Result<Vec<(&'static str, [u8; 32])>, StoreError> {
        self.settle()?;
        let mut digests = Vec::with_capacity(LOGICAL.len());
        for (name, sql) in LOGICAL {
            let mut hash = Sha256::new();
            let mut statement = self.conn.prepare(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                hash.update(b"row");
                for column in 0..columns {
                    update(&mut hash, row.get_ref(column)?);
                }
            }
            digests.push((name, hash.finalize().into()));
        }
        Ok(digests)
    }

    /// What is wrong with the database, in words; empty is good. It reads the whole file.
    ///
    /// # Errors
    /// The database cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.settle()?;
        let most = columns::limit(limits::FAULTS);
        let mut faults: Vec<String> =
            self.all(&format!("PRAGMA integrity_check({most})"), [], |row| Ok(row.get(0)?))?;
        faults.retain(|fault| fault != "ok");
        faults.extend(self.all(
            "SELECT origin, idx, size FROM statement JOIN log ON log.id = statement.log WHERE idx >= size
             ORDER BY statement.id LIMIT ?1",
            [most],
            |row| {
                let (origin, index, size): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(format!("{origin}: a statement stands at {index}, and the tree has {size} entries"))
            },
        )?);
        faults.extend(self.all(
            "SELECT seq, statement FROM release WHERE statement NOT IN (SELECT id FROM statement) LIMIT ?1",
            [most],
            |row| {
                let (seq, statement): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(format!("release {seq} names statement {statement}, which is not there"))
            },
        )?);
        Ok(faults)
    }
}

/// A value with its type and length, so that no two rows hash alike.
fn update(hash: &mut Sha256, value: ValueRef<'_>) {
    let mut bytes = |kind: u8, bytes: &[u8]| {
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    match value {
        ValueRef::Null => bytes(0, &[]),
        ValueRef::Integer(number) => bytes(1, &number.to_be_bytes()),
        ValueRef::Real(number) => bytes(2, &number.to_be_bytes()),
        ValueRef::Text(text) => bytes(3, text),
        ValueRef::Blob(blob) => bytes(4, blob),
    }
}

impl Tx<'_> {
    /// Empties every view, so that a rebuild folds truth again. What is left of an erased object stays: its body is
    /// gone, so that no fold could make the row again, and that it was erased is truth.
    ///
    /// # Errors
    /// The database.
    pub fn drop_views(&self) -> Result<(), StoreError> {
        self.settle()?;
        self.memo.begin();
        for sql in [
            "DELETE FROM object WHERE state <> 2",
            "DELETE FROM object_ref",
            "DELETE FROM tally",
            // RED (4) and what stands behind the wall are not counted, here as in `put_object`.
            "INSERT INTO tally (log, objects)
               SELECT log, count(*) FROM object WHERE tlp <> 4 AND walled = 0 GROUP BY log",
            "DELETE FROM chain",
            "DELETE FROM slot",
            "DELETE FROM audience",
            "DELETE FROM withdrawal",
            "DELETE FROM pending_withdrawal",
            "DELETE FROM receipt",
            "DELETE FROM lost",
            "DELETE FROM cited",
        ] {
            self.run(sql, [])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use journal::tree::Frontier;
    use model::extension::AudienceKind;
    use model::{Index, Lane, MemberSet, Slot};

    use super::*;
    use crate::objects::tests::object;
    use crate::testing::{World, at, audience, commitment, indicator, origin, say};
    use crate::{AudienceRow, LogId, ObjectState, PendingWithdrawal, ReceiptRow, StatementId, WithdrawalRow};

    /// Truth: two logs, five statements, a release.
    fn truth(tx: &Tx<'_>) -> Result<(), StoreError> {
        let own = tx.ensure_log(&origin("FR"))?;
        let other = tx.ensure_log(&origin("EE"))?;
        let all: Vec<_> = (0..3).map(commitment).collect();
        tx.extend(own, &mut Frontier::default(), &all)?;
        tx.extend(other, &mut Frontier::default(), &all)?;
        for (log, index) in [(own, 0), (other, 0), (own, 1), (other, 1), (own, 2)] {
            say(tx, log, index)?;
        }
        let set = tx.intern_set(&MemberSet::new([origin("EE")]).unwrap())?;
        tx.release(1, Lane::Workflow, StatementId(1), set, at(0))?;
        Ok(())
    }

    /// A fold of some kind; `order` is that in which things independent of each other are put.
    fn fold(tx: &Tx<'_>, order: [usize; 3]) -> Result<(), StoreError> {
        let (own, other) = (LogId(1), LogId(2));
        for step in order {
            let (log, number) = (if step == 1 { other } else { own }, i64::try_from(step).unwrap() + 1);
            let mut row = object(log, number, &indicator(1));
            row.dependent = true;
            tx.put_object(&row, &[indicator(8), indicator(9)])?;
            let slot = Slot { sequence: 0, previous: None };
            let chain = audience(u8::try_from(step).unwrap());
            tx.put_slot(log, &chain, Lane::Workflow, &slot, StatementId(number), &commitment(0))?;
            tx.put_audience(&AudienceRow {
                log,
                audience: chain,
                version: 1,
                name: format!("audience {step}"),
                kind: AudienceKind::Named,
                set: tx.intern_set(&MemberSet::new([origin("EE")]).unwrap())?,
                statement: StatementId(number),
            })?;
        }
        tx.put_withdrawal(&WithdrawalRow { target: StatementId(2), by: Some(StatementId(4)), purge: false })?;
        let by = Some(StatementId(4));
        tx.put_pending_withdrawal(&PendingWithdrawal { log: other, index: Index(9), by, purge: true })?;
        tx.put_receipt(&ReceiptRow {
            target: StatementId(1),
            from: other,
            statement: StatementId(4),
            erased: true,
            exports: None,
            not_recalled: None,
            held: false,
        })
    }

    #[test]
    fn a_rebuild_gives_the_same_digest_whatever_keys_it_gives() {
        let world = World::new();
        world.write(truth);
        let empty = world.read(|db| db.views_digest());
        world.write(|tx| fold(tx, [0, 1, 2]));
        let folded = world.read(|db| db.views_digest());
        assert_ne!(folded, empty);
        world.write(|tx| {
            tx.drop_views()?;
            assert_eq!(tx.views_digest()?, empty);
            assert_eq!(tx.chain_tail(LogId(1), &audience(0), Lane::Workflow)?, None);
            assert_eq!(tx.object_counts()?, []);
            fold(tx, [2, 1, 0])?;
            assert_eq!(tx.views_digest()?, folded);
            assert_eq!(tx.object_counts()?, [(LogId(1), 2), (LogId(2), 1)]);
            Ok(())
        });
        assert_eq!(world.read(|db| db.views_digest()), folded);
        world.write(|tx| tx.object_state(StatementId(1), ObjectState::Withdrawn));
        assert_ne!(world.read(|db| db.views_digest()), folded, "one column tells them apart");
    }

    #[test]
    fn dropping_the_views_leaves_truth_and_what_was_erased() {
        let world = World::new();
        world.write(truth);
        world.write(|tx| {
            fold(tx, [0, 1, 2])?;
            tx.object_state(StatementId(3), ObjectState::Erased)?;
            tx.drop_views()?;
            assert_eq!(tx.object(StatementId(1))?, None);
            assert_eq!(tx.object(StatementId(3))?.unwrap().state, ObjectState::Erased);
            assert_eq!(tx.object_counts()?, [(LogId(1), 1)]);
            assert_eq!(tx.dependents_of(LogId(1), &indicator(8))?, []);
            assert_eq!(tx.audiences()?, []);
            assert_eq!(tx.withdrawal_of(StatementId(2))?, None);
            assert_eq!(tx.statements_after(StatementId(0), 9)?.len(), 5);
            assert_eq!(tx.latest_release()?.0, 1);
            assert_eq!(tx.tree(LogId(1))?.size, 3);
            Ok(())
        });
    }

    #[test]
    fn a_check_names_what_does_not_hold() {
        let world = World::new();
        world.write(truth);
        assert_eq!(world.read(|db| db.check()), Vec::<String>::new());
        world.write(|tx| {
            say(tx, LogId(2), 7)?;
            tx.release(1, Lane::Workflow, StatementId(99), crate::SetId(1), at(0))
        });
        let faults = world.read(|db| db.check());
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("at 7") && faults[1].contains("statement 99"), "{faults:?}");
    }
}
