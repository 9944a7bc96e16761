//! Gossip about chains: which of them a partner shares, what partners say that they hold, and where they differ from us.

use model::{AudienceId, Commitment, Lane, Timestamp};
use rusqlite::{Row, params};

use crate::audiences::AudienceRow;
use crate::chains::ChainTail;
use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{LogId, StatementId};

/// One chain: an audience and a lane of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainOf {
    /// Whose log.
    pub log: LogId,
    /// The audience.
    pub audience: AudienceId,
    /// The feed.
    pub lane: Lane,
}

/// What a partner says of a chain, and reaches further than what we hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeardHead {
    /// Which chain.
    pub chain: ChainOf,
    /// Who says so.
    pub sender: LogId,
    /// The place that it says it holds.
    pub sequence: u64,
    /// The version of the audience to which that was said.
    pub version: u32,
    /// What it says stands there.
    pub commitment: Commitment,
    /// Since when it says that it holds more than we.
    pub since: Timestamp,
}

/// A place of a chain where a partner says that something else stands than with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disputed {
    /// Which chain.
    pub chain: ChainOf,
    /// Who says so.
    pub partner: LogId,
    /// Which place.
    pub sequence: u64,
}

fn chain_of(row: &Row<'_>) -> Result<ChainOf, StoreError> {
    Ok(ChainOf {
        log: row.get(0)?,
        audience: columns::fixed(row, 1, "audience", AudienceId::from_slice)?,
        lane: columns::coded(row, 2, "lane", Lane::from_code)?,
    })
}

fn heard_head(row: &Row<'_>) -> Result<HeardHead, StoreError> {
    Ok(HeardHead {
        chain: chain_of(row)?,
        sender: row.get(3)?,
        sequence: columns::count(row, 4)?,
        version: row.get(5)?,
        commitment: columns::fixed(row, 6, "commitment", Commitment::from_slice)?,
        since: columns::time(row, 7)?,
    })
}

impl Db<'_> {
    /// The chains of audiences in which a partner is, as far as we know, with their last places, by log, audience and
    /// lane.
    ///
    /// # Errors
    /// The database.
    pub fn chains_shared_with(&self, partner: LogId, limit: usize) -> Result<Vec<(ChainOf, ChainTail)>, StoreError> {
        self.settle()?;
        let base = self.base(partner)?;
        self.all(
            "SELECT chain.log, chain.audience, chain.lane, chain.high, chain.tail FROM chain
             JOIN audience ON audience.log = chain.log AND audience.audience = chain.audience AND audience.version =
               (SELECT max(version) FROM audience AS other
                WHERE other.log = chain.log AND other.audience = chain.audience)
             JOIN member ON member.set_id = audience.set_id AND member.log = ?1
             ORDER BY chain.log, chain.audience, chain.lane LIMIT ?2",
            params![base, columns::limit(limit)],
            |row| {
                let commitment = columns::fixed(row, 4, "commitment", Commitment::from_slice)?;
                Ok((chain_of(row)?, ChainTail { sequence: columns::count(row, 3)?, commitment }))
            },
        )
    }

    /// The statement at a place of a chain, if it is here.
    ///
    /// # Errors
    /// The database.
    pub fn at_place(&self, chain: &ChainOf, sequence: u64) -> Result<Option<StatementId>, StoreError> {
        self.one(
            "SELECT slot.statement FROM slot JOIN chain ON chain.id = slot.chain
             WHERE chain.log = ?1 AND chain.audience = ?2 AND chain.lane = ?3 AND slot.sequence = ?4",
            params![chain.log, chain.audience.as_bytes(), chain.lane.code(), columns::int(sequence)],
            |row| Ok(row.get(0)?),
        )
    }

    /// One version of an audience, as its log said it.
    ///
    /// # Errors
    /// The database.
    pub fn audience_version(&self, chain: &ChainOf, version: u32) -> Result<Option<AudienceRow>, StoreError> {
        let all = self.audience_history(chain.log, &chain.audience)?;
        Ok(all.into_iter().find(|row| row.version == version))
    }

    /// What partners say of a log's chains, and reaches further than what we held when they said it.
    ///
    /// # Errors
    /// The database.
    pub fn heard_heads(&self, log: LogId) -> Result<Vec<HeardHead>, StoreError> {
        self.all(
            "SELECT log, audience, lane, sender, sequence, version, commitment, since FROM heard_head WHERE log = ?1",
            [log],
            heard_head,
        )
    }

    /// Where a partner says that something else stands than with us.
    ///
    /// # Errors
    /// The database.
    pub fn disputed_with(&self, partner: LogId, limit: usize) -> Result<Vec<Disputed>, StoreError> {
        self.all(
            "SELECT log, audience, lane, partner, sequence FROM disputed WHERE partner = ?1
             ORDER BY log, audience, lane LIMIT ?2",
            params![partner, columns::limit(limit)],
            |row| Ok(Disputed { chain: chain_of(row)?, partner: row.get(3)?, sequence: columns::count(row, 4)? }),
        )
    }
}

impl Tx<'_> {
    /// Keeps what a partner says of a chain; since when, stays as it was.
    ///
    /// # Errors
    /// The database.
    pub fn put_heard_head(&self, row: &HeardHead) -> Result<(), StoreError> {
        let HeardHead { chain, sender, sequence, version, commitment, since } = row;
        self.run(
            "INSERT INTO heard_head (log, audience, lane, sender, sequence, version, commitment, since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (log, audience, lane, sender) DO UPDATE SET sequence = excluded.sequence,
               version = excluded.version, commitment = excluded.commitment",
            params![
                chain.log,
                chain.audience.as_bytes(),
                chain.lane.code(),
                sender,
                columns::int(*sequence),
                version,
                commitment.as_bytes(),
                since.micros(),
            ],
        )?;
        Ok(())
    }

    /// Forgets what a partner said of a chain: it is compared.
    ///
    /// # Errors
    /// The database.
    pub fn forget_heard_head(&self, chain: &ChainOf, sender: LogId) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM heard_head WHERE log = ?1 AND audience = ?2 AND lane = ?3 AND sender = ?4",
            params![chain.log, chain.audience.as_bytes(), chain.lane.code(), sender],
        )?;
        Ok(())
    }

    /// Notes where a partner says that something else stands; one place a chain and partner, the newest that it named.
    ///
    /// # Errors
    /// The database.
    pub fn put_disputed(&self, row: &Disputed) -> Result<(), StoreError> {
        let Disputed { chain, partner, sequence } = row;
        self.run(
            "INSERT INTO disputed (log, audience, lane, partner, sequence) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (log, audience, lane, partner) DO UPDATE SET sequence = excluded.sequence",
            params![chain.log, chain.audience.as_bytes(), chain.lane.code(), partner, columns::int(*sequence)],
        )?;
        Ok(())
    }

    /// Forgets that a partner differed: it says what we say.
    ///
    /// # Errors
    /// The database.
    pub fn forget_disputed(&self, chain: &ChainOf, partner: LogId) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM disputed WHERE log = ?1 AND audience = ?2 AND lane = ?3 AND partner = ?4",
            params![chain.log, chain.audience.as_bytes(), chain.lane.code(), partner],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at, audience, commitment};

    #[test]
    fn what_was_heard_keeps_since_when_and_goes_once_it_is_compared() {
        let world = World::new();
        let chain = ChainOf { log: LogId(2), audience: audience(1), lane: Lane::Workflow };
        let row = |sequence, since| HeardHead {
            chain,
            sender: LogId(3),
            sequence,
            version: 1,
            commitment: commitment(sequence),
            since: at(since),
        };
        world.write(|tx| {
            tx.put_heard_head(&row(5, 1))?;
            tx.put_heard_head(&row(7, 2))?;
            assert_eq!(tx.heard_heads(LogId(2))?, [row(7, 1)]);
            tx.forget_heard_head(&chain, LogId(4))?;
            assert_eq!(tx.heard_heads(LogId(2))?.len(), 1, "what another says stays");
            tx.forget_heard_head(&chain, LogId(3))?;
            assert_eq!(tx.heard_heads(LogId(2))?, []);
            let disputed = |sequence| Disputed { chain, partner: LogId(3), sequence };
            tx.put_disputed(&disputed(5))?;
            tx.put_disputed(&disputed(4))?;
            assert_eq!(tx.disputed_with(LogId(3), 9)?, [disputed(4)]);
            tx.forget_disputed(&chain, LogId(3))?;
            assert_eq!(tx.disputed_with(LogId(3), 9)?, []);
            Ok(())
        });
    }
}
