//! The tree's tiles: commitments, 256 a row, and the roots of full subtrees (C2SP tlog-tiles), for proofs and replicas.

use journal::tree::{Frontier, TILE, Tiles, TreeHash};
use model::{Commitment, Index};
use rusqlite::params;

use crate::columns;
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::LogId;
use crate::logs;

/// Bytes of one commitment and of one hash.
const WIDTH: usize = 32;
const PER_TILE: u64 = TILE as u64;

/// The tiles of one log, as `journal::tree` reads them to make proofs.
#[derive(Debug)]
pub struct LogTiles<'d, 'c> {
    db: &'d Db<'c>,
    log: LogId,
}

impl Tiles for LogTiles<'_, '_> {
    type Error = StoreError;

    fn leaves(&self, tile: u64, width: usize) -> Result<Vec<Commitment>, StoreError> {
        let read = self.db.one(
            "SELECT hashes FROM leaf WHERE log = ?1 AND tile = ?2",
            params![self.log, columns::int(tile)],
            |row| hashes(row.get_ref(0)?, Commitment::from_slice),
        )?;
        self.exactly(read, width, 0, tile)
    }

    fn roots(&self, level: u8, tile: u64, width: usize) -> Result<Vec<TreeHash>, StoreError> {
        let read = self.db.one(
            "SELECT hashes FROM subtree WHERE log = ?1 AND level = ?2 AND tile = ?3",
            params![self.log, level, columns::int(tile)],
            |row| hashes(row.get_ref(0)?, TreeHash::from_slice),
        )?;
        self.exactly(read, width, level, tile)
    }
}

impl LogTiles<'_, '_> {
    fn exactly<T>(&self, read: Option<Vec<T>>, width: usize, level: u8, tile: u64) -> Result<Vec<T>, StoreError> {
        match read {
            Some(mut all) if all.len() >= width => {
                all.truncate(width);
                Ok(all)
            }
            None if width == 0 => Ok(Vec::new()),
            Some(_) | None => {
                let log = self.log;
                Err(StoreError::corrupt(format!(
                    "tile {tile} at level {level} of log {log} has fewer than {width} hashes"
                )))
            }
        }
    }
}

fn hashes<T>(value: rusqlite::types::ValueRef<'_>, read: impl Fn(&[u8]) -> Option<T>) -> Result<Vec<T>, StoreError> {
    let odd = || StoreError::corrupt("a tile is not a row of hashes");
    let bytes = value.as_blob().map_err(|_| odd())?;
    if bytes.len() % WIDTH != 0 {
        return Err(odd());
    }
    bytes.chunks_exact(WIDTH).map(|chunk| read(chunk).ok_or_else(odd)).collect()
}

impl<'c> Db<'c> {
    /// The tiles of a log.
    #[must_use]
    pub fn tiles(&self, log: LogId) -> LogTiles<'_, 'c> {
        LogTiles { db: self, log }
    }

    /// What stands at a place of a log; `None` beyond its end.
    ///
    /// # Errors
    /// The database.
    pub fn commitment(&self, log: LogId, index: Index) -> Result<Option<Commitment>, StoreError> {
        let found = self.one(
            "SELECT hashes FROM leaf WHERE log = ?1 AND tile = ?2",
            params![log, columns::int(index.0 / PER_TILE)],
            |row| {
                let bytes = row.get_ref(0)?.as_blob().map_err(|_| StoreError::corrupt("a tile is no blob"))?;
                Ok(bytes.chunks_exact(WIDTH).nth(place(index.0)).and_then(Commitment::from_slice))
            },
        )?;
        Ok(found.flatten())
    }

    /// What stands from a place on, at most `limit` entries, fewer at the end.
    ///
    /// # Errors
    /// The database.
    pub fn commitments(&self, log: LogId, start: u64, limit: usize) -> Result<Vec<Commitment>, StoreError> {
        let Some(last) = (limit as u64).checked_sub(1).map(|more| start.saturating_add(more)) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let tiles = self.all(
            "SELECT tile, hashes FROM leaf WHERE log = ?1 AND tile BETWEEN ?2 AND ?3 ORDER BY tile",
            params![log, columns::int(start / PER_TILE), columns::int(last / PER_TILE)],
            |row| Ok((columns::count(row, 0)?, hashes(row.get_ref(1)?, Commitment::from_slice)?)),
        )?;
        for (tile, commitments) in tiles {
            // A tile that is missing would shift all that follow: stop before the hole.
            if tile * PER_TILE != start + found.len() as u64 && (tile != start / PER_TILE || !found.is_empty()) {
                break;
            }
            let skip = if found.is_empty() { place(start) } else { 0 };
            found.extend(commitments.into_iter().skip(skip).take(limit - found.len()));
        }
        Ok(found)
    }
}

impl Tx<'_> {
    /// Appends commitments to a log: its tiles, its tree, and the caller's frontier, which must be the stored one.
    ///
    /// # Errors
    /// The frontier is not at the stored size, or the database; the frontier is unchanged then.
    pub fn extend(&self, log: LogId, frontier: &mut Frontier, added: &[Commitment]) -> Result<(), StoreError> {
        let stored = self
            .one("SELECT size FROM log WHERE id = ?1", [log], |row| columns::count(row, 0))?
            .ok_or_else(|| logs::missing(log))?;
        if stored != frontier.size() {
            let shown = frontier.size();
            return Err(StoreError::corrupt(format!(
                "log {log} has {stored} entries and was to be extended after {shown}"
            )));
        }
        let mut next = frontier.clone();
        let mut full: Vec<(u8, u64, TreeHash)> = Vec::new();
        next.extend_with(added, |level, index, root| full.push((level, index, root)));
        self.append_leaves(log, stored, added)?;
        self.append_roots(log, &full)?;
        self.run(
            "UPDATE log SET size = ?2, frontier = ?3 WHERE id = ?1",
            params![log, columns::int(next.size()), next.encode()],
        )?;
        *frontier = next;
        Ok(())
    }

    fn append_leaves(&self, log: LogId, size: u64, added: &[Commitment]) -> Result<(), StoreError> {
        let mut size = size;
        let mut rest = added;
        while !rest.is_empty() {
            let room = TILE - place(size);
            let (now, later) = rest.split_at(room.min(rest.len()));
            let tile = columns::int(size / PER_TILE);
            let mut bytes = if place(size) == 0 {
                Vec::with_capacity(now.len() * WIDTH)
            } else {
                self.one("SELECT hashes FROM leaf WHERE log = ?1 AND tile = ?2", params![log, tile], |row| {
                    Ok(row.get(0)?)
                })?
                .unwrap_or_default()
            };
            whole(&bytes, place(size), log)?;
            bytes.extend(now.iter().flat_map(|commitment| commitment.as_bytes()));
            self.run("INSERT OR REPLACE INTO leaf (log, tile, hashes) VALUES (?1, ?2, ?3)", params![log, tile, bytes])?;
            size += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    fn append_roots(&self, log: LogId, full: &[(u8, u64, TreeHash)]) -> Result<(), StoreError> {
        for (level, index, root) in full {
            let tile = columns::int(index / PER_TILE);
            let mut bytes: Vec<u8> = self
                .one(
                    "SELECT hashes FROM subtree WHERE log = ?1 AND level = ?2 AND tile = ?3",
                    params![log, level, tile],
                    |row| Ok(row.get(0)?),
                )?
                .unwrap_or_default();
            whole(&bytes, place(*index), log)?;
            bytes.extend(root.as_bytes());
            self.run(
                "INSERT OR REPLACE INTO subtree (log, level, tile, hashes) VALUES (?1, ?2, ?3, ?4)",
                params![log, level, tile, bytes],
            )?;
        }
        Ok(())
    }
}

/// The place within a tile.
fn place(index: u64) -> usize {
    usize::from((index % PER_TILE) as u8)
}

fn whole(bytes: &[u8], hashes: usize, log: LogId) -> Result<(), StoreError> {
    if bytes.len() == hashes * WIDTH {
        return Ok(());
    }
    let found = bytes.len();
    Err(StoreError::corrupt(format!("a tile of log {log} has {found} bytes where {hashes} hashes belong")))
}

#[cfg(test)]
mod tests {
    use journal::tree;

    use super::*;
    use crate::testing::{World, commitment, origin};

    #[test]
    fn tiles_give_the_root_that_the_frontier_has() {
        let world = World::new();
        let sizes = [0_u64, 1, 2, 255, 256, 257, 511, 513, 4_096, 65_535, 65_536, 65_537, 66_048, 70_000];
        let log = world.write(|tx| tx.ensure_log(&origin("FR")));
        let mut frontier = Frontier::default();
        let mut roots = Vec::new();
        for (before, size) in sizes.iter().zip(&sizes[1..]) {
            let added: Vec<Commitment> = (*before..*size).map(commitment).collect();
            world.write(|tx| tx.extend(log, &mut frontier, &added));
            assert_eq!(frontier.size(), *size);
            roots.push((*size, frontier.root()));
        }
        world.read(|db| {
            let stored = db.tree(log)?;
            assert_eq!((stored.size, stored.frontier.root()), (70_000, frontier.root()));
            for (size, root) in &roots {
                assert_eq!(tree::root_at(&db.tiles(log), *size).unwrap(), *root, "at {size}");
            }
            Ok(())
        });
    }

    #[test]
    fn commitments_are_read_from_anywhere() {
        let world = World::new();
        let all: Vec<Commitment> = (0..700).map(commitment).collect();
        let log = world.write(|tx| {
            let log = tx.ensure_log(&origin("FR"))?;
            let mut frontier = Frontier::default();
            for part in all.chunks(97) {
                tx.extend(log, &mut frontier, part)?;
            }
            Ok(log)
        });
        world.read(|db| {
            for (start, limit) in [(0, 700), (0, 0), (255, 2), (256, 256), (511, 1_000), (699, 1), (700, 5), (9_999, 5)]
            {
                let end = all.len().min(start + limit);
                let expect = all.get(start..end).unwrap_or_default();
                assert_eq!(db.commitments(log, start as u64, limit)?, expect, "{limit} from {start}");
            }
            for index in [0, 255, 256, 699] {
                assert_eq!(db.commitment(log, Index(index as u64))?, Some(all[index]));
            }
            assert_eq!(db.commitment(log, Index(700))?, None);
            assert_eq!(db.commitments(LogId(9), 0, 10)?, []);
            assert!(db.tiles(log).leaves(2, 189).is_err(), "the last tile has 188");
            Ok(())
        });
    }

    #[test]
    fn a_frontier_that_is_elsewhere_is_refused() {
        let world = World::new();
        world.write(|tx| {
            let log = tx.ensure_log(&origin("FR"))?;
            let mut frontier = Frontier::default();
            tx.extend(log, &mut frontier, &[commitment(0)])?;
            let mut old = Frontier::default();
            assert!(matches!(tx.extend(log, &mut old, &[commitment(1)]), Err(StoreError::Corrupt { .. })));
            assert_eq!(old.size(), 0);
            Ok(())
        });
    }
}
