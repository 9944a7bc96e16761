//! Releases: the rows that let an audience see an entry, and the feed that each caller reads of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use model::{Lane, MemberSet, MemberSetDigest, Timestamp};
use rusqlite::{Row, params};

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, ReleaseSeq, SetId, StatementId};
use crate::limits;

/// One release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseRow {
    /// Its place among all releases.
    pub seq: ReleaseSeq,
    /// Open, backfill or withdraw, as the wire numbers them (`journal::wire::ReleaseKind`).
    pub kind: u8,
    /// In which feed.
    pub lane: Lane,
    /// What is released.
    pub statement: StatementId,
    /// To whom.
    pub set: SetId,
    /// When.
    pub at: Timestamp,
}

impl Db<'_> {
    /// The members of a set.
    ///
    /// # Errors
    /// No such set, or the database.
    pub fn set_members(&self, set: SetId) -> Result<MemberSet, StoreError> {
        if let Some(known) = self.memo.sets.borrow().get(&set) {
            return Ok(known.clone());
        }
        let damaged = || StoreError::corrupt(format!("member set {set} is not there or damaged"));
        let packed: Vec<u8> = self
            .one("SELECT members FROM member_set WHERE id = ?1", [set], |row| Ok(row.get(0)?))?
            .ok_or_else(damaged)?;
        let (logs, []) = packed.as_chunks::<8>() else { return Err(damaged()) };
        let origins: Vec<_> =
            logs.iter().map(|log| self.origin(LogId(i64::from_be_bytes(*log)))).collect::<Result<_, _>>()?;
        let members = MemberSet::new(origins).map_err(|_| damaged())?;
        self.memo.note_set(set, &members);
        Ok(members)
    }

    /// The sets that a nation is in, whatever its log's epoch.
    ///
    /// # Errors
    /// No such log, or the database.
    pub fn sets_of(&self, log: LogId) -> Result<Vec<SetId>, StoreError> {
        let base = self.base(log)?;
        self.all("SELECT set_id FROM member WHERE log = ?1 ORDER BY set_id", [base], |row| Ok(row.get(0)?))
    }

    /// The set of a digest, if it was interned.
    ///
    /// # Errors
    /// The database.
    pub fn set_by_digest(&self, digest: &MemberSetDigest) -> Result<Option<SetId>, StoreError> {
        self.one("SELECT id FROM member_set WHERE digest = ?1", [digest.as_bytes()], |row| Ok(row.get(0)?))
    }

    /// What a caller may see of one lane, in order: the merge of the feeds of every set that it is in.
    ///
    /// It reads as many rows as it gives, and one more for each set: never what lies behind the page.
    ///
    /// # Errors
    /// No such log, or the database.
    pub fn feed(
        &self,
        caller: LogId,
        lane: Lane,
        after: ReleaseSeq,
        limit: usize,
    ) -> Result<Vec<ReleaseRow>, StoreError> {
        let mut page = Vec::new();
        let mut heads = BinaryHeap::new();
        for set in self.sets_of(caller)? {
            let head: Option<i64> = self.one(
                "SELECT seq FROM release WHERE set_id = ?1 AND lane = ?2 AND seq > ?3 ORDER BY seq LIMIT 1",
                params![set, lane.code(), columns::int(after.0)],
                |row| Ok(row.get(0)?),
            )?;
            heads.extend(head.map(|seq| Reverse((seq, set))));
        }
        while page.len() < limit
            && let Some(Reverse((from, set))) = heads.pop()
        {
            let bound = heads.peek().map_or(i64::MAX, |Reverse((seq, _))| *seq);
            if let Some(head) = self.feed_run(set, lane, from, bound, limit, &mut page)? {
                heads.push(Reverse((head, set)));
            }
        }
        Ok(page)
    }

    /// Takes rows of one set until another set has an older one, or the page is full. Gives where the set goes on.
    fn feed_run(
        &self,
        set: SetId,
        lane: Lane,
        from: i64,
        bound: i64,
        limit: usize,
        page: &mut Vec<ReleaseRow>,
    ) -> Result<Option<i64>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT seq, kind, lane, statement, set_id, at FROM release
             WHERE set_id = ?1 AND lane = ?2 AND seq >= ?3 ORDER BY seq",
        )?;
        let mut rows = statement.query(params![set, lane.code(), from])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            if seq > bound || page.len() >= limit {
                return Ok(Some(seq));
            }
            page.push(release_row(row)?);
        }
        Ok(None)
    }

    /// The newest release of this node; 0 before the first.
    ///
    /// # Errors
    /// The database.
    pub fn latest_release(&self) -> Result<ReleaseSeq, StoreError> {
        let newest = self.one("SELECT max(seq) FROM release", [], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten();
        Ok(ReleaseSeq(newest.unwrap_or(0).cast_unsigned()))
    }

    /// How many releases a caller has not read of one lane, at most [`limits::BEHIND`].
    ///
    /// # Errors
    /// No such log, or the database.
    pub fn feed_behind(&self, caller: LogId, lane: Lane, after: ReleaseSeq) -> Result<u64, StoreError> {
        let mut behind = 0;
        for set in self.sets_of(caller)? {
            let room = limits::BEHIND - behind;
            let more = self.one(
                "SELECT count(*) FROM (SELECT 1 FROM release WHERE set_id = ?1 AND lane = ?2 AND seq > ?3 LIMIT ?4)",
                params![set, lane.code(), columns::int(after.0), columns::int(room)],
                |row| columns::count(row, 0),
            )?;
            behind += more.unwrap_or(0);
            if behind >= limits::BEHIND {
                break;
            }
        }
        Ok(behind)
    }

    /// To which sets a statement was released, and how, in order.
    ///
    /// # Errors
    /// The database.
    pub fn released_sets(&self, statement: StatementId) -> Result<Vec<(u8, SetId)>, StoreError> {
        self.all("SELECT kind, set_id FROM release WHERE statement = ?1 ORDER BY seq", [statement], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }
}

fn release_row(row: &Row<'_>) -> Result<ReleaseRow, StoreError> {
    Ok(ReleaseRow {
        seq: ReleaseSeq(columns::count(row, 0)?),
        kind: row.get(1)?,
        lane: columns::coded(row, 2, "lane", Lane::from_code)?,
        statement: row.get(3)?,
        set: row.get(4)?,
        at: columns::time(row, 5)?,
    })
}

impl Tx<'_> {
    /// The number of a member set, made if it is new. Its members' logs are made too.
    ///
    /// # Errors
    /// The database.
    pub fn intern_set(&self, members: &MemberSet) -> Result<SetId, StoreError> {
        let digest = members.digest();
        if let Some(known) = self.set_by_digest(&digest)? {
            return Ok(known);
        }
        let logs = members.as_slice().iter().map(|origin| self.ensure_log(origin)).collect::<Result<Vec<_>, _>>()?;
        let packed: Vec<u8> = logs.iter().flat_map(|log| log.0.to_be_bytes()).collect();
        let set =
            SetId(self.insert(
                "INSERT INTO member_set (digest, members) VALUES (?1, ?2)",
                params![digest.as_bytes(), packed],
            )?);
        for log in logs {
            self.run("INSERT INTO member (log, set_id) VALUES (?1, ?2)", params![log, set])?;
        }
        Ok(set)
    }

    /// Lets a set see a statement, or tells it that it is taken back.
    ///
    /// # Errors
    /// The database.
    pub fn release(
        &self,
        kind: u8,
        lane: Lane,
        statement: StatementId,
        set: SetId,
        at: Timestamp,
    ) -> Result<ReleaseSeq, StoreError> {
        let seq = self.insert(
            "INSERT INTO release (kind, lane, statement, set_id, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![kind, lane.code(), statement, set, at.micros()],
        )?;
        Ok(ReleaseSeq(seq.cast_unsigned()))
    }
}

impl Tx<'_> {
    /// Numbers all further releases from far beyond those that are here. A database that was set back has forgotten
    /// numbers that partners hold as cursors: what is released under such a number again would be passed over.
    ///
    /// # Errors
    /// The database.
    pub fn jump_releases(&self, statement: StatementId, at: Timestamp) -> Result<(), StoreError> {
        let seq = self.latest_release()?.0.saturating_add(limits::RELEASE_JUMP);
        // A row that nobody is told of keeps the number: a set without members is in no feed.
        let nobody = self.intern_set(&MemberSet::empty())?;
        self.insert(
            "INSERT INTO release (seq, kind, lane, statement, set_id, at) VALUES (?1, 2, ?2, ?3, ?4, ?5)",
            params![columns::int(seq), Lane::Workflow.code(), statement, nobody, at.micros()],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{World, at, origin};

    const COUNTRIES: [&str; 5] = ["AT", "BE", "BG", "CY", "CZ"];

    fn set_of(mask: u8) -> MemberSet {
        let chosen = COUNTRIES.iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0);
        MemberSet::new(chosen.map(|(_, country)| origin(country))).unwrap()
    }

    #[test]
    fn sets_are_interned_by_their_members() {
        let world = World::new();
        world.write(|tx| {
            let own = tx.ensure_log(&origin("FR"))?;
            let one = tx.intern_set(&set_of(0b011))?;
            assert_eq!(tx.intern_set(&set_of(0b011))?, one);
            assert_ne!(tx.intern_set(&set_of(0b110))?, one);
            assert_eq!(tx.set_members(one)?, set_of(0b011));
            let empty = tx.intern_set(&MemberSet::empty())?;
            assert_eq!(tx.set_members(empty)?, MemberSet::empty());
            assert_eq!(tx.set_by_digest(&set_of(0b011).digest())?, Some(one));
            assert_eq!(tx.set_by_digest(&set_of(0b111).digest())?, None);
            assert_eq!(tx.sets_of(own)?, []);
            Ok(())
        });
        world.read(|db| {
            let at_epoch = db.log_id(&origin("BE"))?.unwrap();
            assert_eq!(db.sets_of(at_epoch)?, [SetId(1), SetId(2)]);
            assert_eq!(db.set_members(SetId(1))?, set_of(0b011));
            assert!(db.set_members(SetId(99)).is_err());
            Ok(())
        });
    }

    #[test]
    fn a_successor_reads_the_feed_of_its_nation() {
        let world = World::new();
        world.write(|tx| {
            let set = tx.intern_set(&set_of(0b001))?;
            tx.release(1, Lane::Workflow, StatementId(1), set, at(0))?;
            let successor = tx.ensure_log(&origin("AT").with_epoch(1))?;
            assert_eq!(tx.feed(successor, Lane::Workflow, ReleaseSeq(0), 10)?.len(), 1);
            assert_eq!(tx.feed(successor, Lane::Intelligence, ReleaseSeq(0), 10)?, []);
            Ok(())
        });
    }

    #[test]
    fn what_a_partner_has_not_read_is_counted_up_to_a_cap() {
        let world = World::new();
        world.write(|tx| {
            let sets = [tx.intern_set(&set_of(0b001))?, tx.intern_set(&set_of(0b011))?];
            let at_log = tx.log_id(&origin("AT"))?.unwrap();
            for number in 0..12_000 {
                tx.release(1, Lane::Intelligence, StatementId(number), sets[usize::from(number % 2 == 0)], at(0))?;
            }
            assert_eq!(tx.latest_release()?, ReleaseSeq(12_000));
            let behind = |after| tx.feed_behind(at_log, Lane::Intelligence, ReleaseSeq(after));
            assert_eq!((behind(0)?, behind(5_000)?, behind(12_000)?), (limits::BEHIND, 7_000, 0));
            assert_eq!(tx.feed_behind(at_log, Lane::Workflow, ReleaseSeq(0))?, 0);
            assert_eq!(tx.released_sets(StatementId(3))?, [(1, sets[0])]);
            Ok(())
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The merge gives what a filter over all releases gives, page by page and in order.
        #[test]
        fn the_feed_is_the_filter(
            releases in prop::collection::vec((0_u8..32, 0_u8..2, 1_u8..4), 0..120),
            caller in 0_usize..5,
            lane in 0_u8..2,
            step in 1_usize..9,
        ) {
            let lane = Lane::from_code(lane).unwrap();
            let world = World::new();
            let (log, expect) = world.write(|tx| {
                let log = tx.ensure_log(&origin(COUNTRIES[caller]))?;
                let mut expect = Vec::new();
                for (number, (mask, release_lane, kind)) in (0..).zip(&releases) {
                    let set = tx.intern_set(&set_of(*mask))?;
                    let released = Lane::from_code(*release_lane).unwrap();
                    let seq = tx.release(*kind, released, StatementId(number), set, at(number))?;
                    if mask & (1 << caller) != 0 && released == lane {
                        expect.push(ReleaseRow {
                            seq, kind: *kind, lane, statement: StatementId(number), set, at: at(number),
                        });
                    }
                }
                Ok((log, expect))
            });
            let paged = world.read(|db| {
                let mut all: Vec<ReleaseRow> = Vec::new();
                loop {
                    let after = all.last().map_or(ReleaseSeq(0), |row| row.seq);
                    let page = db.feed(log, lane, after, step)?;
                    let ended = page.len() < step;
                    all.extend(page);
                    if ended {
                        return Ok(all);
                    }
                }
            });
            prop_assert_eq!(paged, expect);
        }
    }
}
