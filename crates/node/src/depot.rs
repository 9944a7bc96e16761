//! The depot: where the sealed bytes of evidence are, outside the log. Files come and go in pieces, each checked by itself
//! against digests that the file's name commits to; a file that no statement names any more is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use journal::pieces::{self, DIGEST_BYTES};
use model::Timestamp;
use model::extension::assistance::Sha256Digest;
use tokio::sync::watch;

use crate::assist::sealed;
use crate::limits;
use crate::writer::Node;

/// The depot could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DepotError {
    /// The disk.
    #[error("the depot of sealed files can't be used: {0}")]
    Disk(String),
    /// It has taken as much as it may.
    #[error("{0}")]
    Full(String),
    /// The digests or the piece are not those of the file.
    #[error("{0}")]
    Other(String),
    /// No such file.
    #[error("no file of this name was begun here: put it from its beginning")]
    Unknown,
}

/// A file in the depot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name: the root over the digests of its pieces (`journal::pieces::root`).
    pub name: Sha256Digest,
    /// Bytes.
    pub size: u64,
    /// When its upload began, until a statement names it.
    pub begun: Option<Timestamp>,
    /// Which pieces are there.
    pub present: Vec<bool>,
}

impl Kept {
    /// Is all of it there?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.present.iter().all(|there| *there)
    }

    /// Which pieces are not there: the first and the last of each gap, of at most so many gaps.
    #[must_use]
    pub fn gaps(&self, most: usize) -> Vec<(u64, u64)> {
        let mut gaps: Vec<(u64, u64)> = Vec::new();
        for (piece, there) in (0_u64..).zip(&self.present) {
            let room = gaps.len() < most;
            match gaps.last_mut() {
                Some(_) | None if *there => {}
                Some((_, last)) if *last + 1 == piece => *last = piece,
                Some(_) | None if room => gaps.push((piece, piece)),
                Some(_) | None => break,
            }
        }
        gaps
    }
}

/// A place for sealed files. The machine has one on its disk; whatever it acknowledges is durable.
pub trait Depot: Send + Sync {
    /// Makes a file without pieces. `begun` is `None` if a statement names it already.
    ///
    /// # Errors
    /// The disk.
    fn begin(&self, name: Sha256Digest, size: u64, digests: &[u8], begun: Option<Timestamp>) -> Result<(), DepotError>;
    /// Notes that a statement names a file: from now on it is kept for as long as one does, and no longer.
    ///
    /// # Errors
    /// The disk.
    fn settle(&self, name: Sha256Digest) -> Result<(), DepotError>;
    /// What is there of a file.
    ///
    /// # Errors
    /// The disk.
    fn kept(&self, name: Sha256Digest) -> Result<Option<Kept>, DepotError>;
    /// The digests of all pieces.
    ///
    /// # Errors
    /// The disk.
    fn digests(&self, name: Sha256Digest) -> Result<Option<Vec<u8>>, DepotError>;
    /// The digest of one piece.
    ///
    /// # Errors
    /// The disk.
    fn digest(&self, name: Sha256Digest, piece: u64) -> Result<Option<[u8; DIGEST_BYTES]>, DepotError>;
    /// Writes a piece that was checked. When this returns, it is durable.
    ///
    /// # Errors
    /// The disk.
    fn write(&self, name: Sha256Digest, piece: u64, bytes: &[u8]) -> Result<(), DepotError>;
    /// A piece; `None` if it is not there.
    ///
    /// # Errors
    /// The disk.
    fn read(&self, name: Sha256Digest, piece: u64) -> Result<Option<Vec<u8>>, DepotError>;
    /// Deletes a file. Says whether there was one.
    ///
    /// # Errors
    /// The disk; nothing is known of the file then.
    fn remove(&self, name: Sha256Digest) -> Result<bool, DepotError>;
    /// All files.
    ///
    /// # Errors
    /// The disk.
    fn all(&self) -> Result<Vec<Kept>, DepotError>;
}

/// Begins a file, or goes on with one: its name, size and digests belong together, and there is room for it.
///
/// # Errors
/// They don't, there is none, or the disk; nothing was begun then.
pub fn begin(
    depot: &dyn Depot,
    name: Sha256Digest,
    size: u64,
    digests: &[u8],
    begun: Option<Timestamp>,
) -> Result<Kept, DepotError> {
    if size > model::limits::SEALED_BYTES {
        let most = model::limits::SEALED_BYTES;
        let why = format!("a sealed file has at most {most} bytes: what is larger goes on a disk by courier");
        return Err(DepotError::Other(why));
    }
    if pieces::root(size, digests) != Some(name) {
        let why = "the digests of the pieces don't give this name: read the file again";
        return Err(DepotError::Other(why.to_owned()));
    }
    if let Some(kept) = depot.kept(name)? {
        return Ok(kept);
    }
    let all = depot.all()?;
    let open = all.iter().filter(|kept| !kept.is_whole()).count();
    if open >= limits::DEPOT_OPEN {
        let why = format!("{open} files are on their way already: let one of them end, or wait until it lapses");
        return Err(DepotError::Full(why));
    }
    let used: u64 = all.iter().map(|kept| kept.size).sum();
    if used.saturating_add(size) > limits::DEPOT_BYTES {
        let most = limits::DEPOT_BYTES;
        let why = format!("{used} of {most} bytes are taken by evidence: destroy what is over, or use a courier");
        return Err(DepotError::Full(why));
    }
    depot.begin(name, size, digests, begun)?;
    depot.kept(name)?.ok_or(DepotError::Unknown)
}

/// Takes one piece, if it is the one that was announced. Doing it twice does no harm.
///
/// # Errors
/// It is another, or the disk; it is not there then.
pub fn put(depot: &dyn Depot, name: Sha256Digest, piece: u64, bytes: &[u8]) -> Result<(), DepotError> {
    let expected = depot.digest(name, piece)?.ok_or(DepotError::Unknown)?;
    if !pieces::is_piece(bytes, &expected) {
        return Err(DepotError::Other(format!("piece {piece} is not the one that was announced: send it again")));
    }
    depot.write(name, piece, bytes)
}

/// Deletes what nothing wants: files that no statement names any more, and uploads that were left lying.
///
/// # Errors
/// The disk.
pub fn sweep(depot: &dyn Depot, wanted: &BTreeSet<Sha256Digest>, now: Timestamp) -> Result<usize, DepotError> {
    let mut deleted = 0;
    for kept in depot.all()? {
        let is_fresh = kept.begun.is_some_and(|at| at.plus_seconds(limits::UPLOAD_SECONDS) > now);
        if !wanted.contains(&kept.name) && !is_fresh && depot.remove(kept.name)? {
            deleted += 1;
        }
    }
    Ok(deleted)
}

/// Sweeps at the start, and after whatever may have taken a statement away, until `stop` says so.
pub async fn run(node: Node, depot: Arc<dyn Depot>, mut stop: watch::Receiver<bool>) {
    let mut changes = node.changes();
    loop {
        changes.mark_unchanged();
        if let Err(error) = sweep_once(&node, &depot).await {
            tracing::warn!(error, "sealed files that nothing names could not be deleted: it is tried again");
        }
        let pause = tokio::time::sleep(Duration::from_secs(limits::SWEEP_SECONDS));
        tokio::select! {
            _ = stop.changed() => return,
            () = pause => {}
        }
        let lapse = tokio::time::sleep(Duration::from_secs(limits::SWEEP_LAPSE_SECONDS));
        tokio::select! {
            _ = stop.changed() => return,
            changed = changes.changed() => if changed.is_err() { return },
            () = lapse => {}
        }
    }
}

async fn sweep_once(node: &Node, depot: &Arc<dyn Depot>) -> Result<(), String> {
    let looked = Arc::clone(depot);
    let any = tokio::task::spawn_blocking(move || looked.all().map(|all| !all.is_empty()));
    if !any.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())? {
        return Ok(());
    }
    let read = node.read(|view| Ok::<_, store::StoreError>((sealed::wanted(view)?, view.now)));
    let (wanted, now) = read.await.map_err(|error| error.to_string())?;
    let swept = Arc::clone(depot);
    let deleted = tokio::task::spawn_blocking(move || sweep(swept.as_ref(), &wanted, now));
    let deleted = deleted.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if deleted > 0 {
        tracing::info!(deleted, "sealed files that nothing names were deleted");
    }
    Ok(())
}

/// In memory, for nodes without a disk of their own: tests and the simulator.
#[derive(Default)]
pub struct MemoryDepot(Mutex<BTreeMap<Sha256Digest, Held>>);

#[derive(Clone)]
struct Held {
    size: u64,
    begun: Option<Timestamp>,
    digests: Vec<u8>,
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl MemoryDepot {
    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<Sha256Digest, Held>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn kept_of(name: Sha256Digest, held: &Held) -> Kept {
    let present = (0..pieces::count(held.size)).map(|piece| held.pieces.contains_key(&piece)).collect();
    Kept { name, size: held.size, begun: held.begun, present }
}

impl Depot for MemoryDepot {
    fn begin(&self, name: Sha256Digest, size: u64, digests: &[u8], begun: Option<Timestamp>) -> Result<(), DepotError> {
        let held = Held { size, begun, digests: digests.to_vec(), pieces: BTreeMap::new() };
        self.with(|all| all.insert(name, held));
        Ok(())
    }
    fn settle(&self, name: Sha256Digest) -> Result<(), DepotError> {
        self.with(|all| all.get_mut(&name).map(|held| held.begun = None)).ok_or(DepotError::Unknown)
    }
    fn kept(&self, name: Sha256Digest) -> Result<Option<Kept>, DepotError> {
        Ok(self.with(|all| all.get(&name).map(|held| kept_of(name, held))))
    }
    fn digests(&self, name: Sha256Digest) -> Result<Option<Vec<u8>>, DepotError> {
        Ok(self.with(|all| all.get(&name).map(|held| held.digests.clone())))
    }
    fn digest(&self, name: Sha256Digest, piece: u64) -> Result<Option<[u8; DIGEST_BYTES]>, DepotError> {
        let at = usize::try_from(piece).unwrap_or(usize::MAX);
        let found = |held: &Held| held.digests.as_chunks().0.get(at).copied();
        Ok(self.with(|all| all.get(&name).and_then(found)))
    }
    fn write(&self, name: Sha256Digest, piece: u64, bytes: &[u8]) -> Result<(), DepotError> {
        let known = self.with(|all| all.get_mut(&name).map(|held| held.pieces.insert(piece, bytes.to_vec())));
        known.map(|_| ()).ok_or(DepotError::Unknown)
    }
    fn read(&self, name: Sha256Digest, piece: u64) -> Result<Option<Vec<u8>>, DepotError> {
        Ok(self.with(|all| all.get(&name).and_then(|held| held.pieces.get(&piece).cloned())))
    }
    fn remove(&self, name: Sha256Digest) -> Result<bool, DepotError> {
        Ok(self.with(|all| all.remove(&name).is_some()))
    }
    fn all(&self) -> Result<Vec<Kept>, DepotError> {
        Ok(self.with(|all| all.iter().map(|(name, held)| kept_of(*name, held)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::pieces::{Digester, PIECE_BYTES};

    const AT: Timestamp = Timestamp::from_micros(0);

    fn file(seed: u8, size: usize) -> (Vec<u8>, Sha256Digest, Vec<u8>) {
        let bytes = vec![seed; size];
        let mut digester = Digester::default();
        digester.update(&bytes);
        let read = digester.finish();
        (bytes, pieces::root(read.size, &read.digests).unwrap(), read.digests)
    }

    /// A file of whose bytes nothing comes.
    fn announced(seed: u8, size: u64) -> (Sha256Digest, Vec<u8>) {
        let digests = vec![seed; usize::try_from(pieces::count(size)).unwrap() * DIGEST_BYTES];
        (pieces::root(size, &digests).unwrap(), digests)
    }

    #[test]
    fn a_file_is_whole_once_every_piece_that_was_announced_is_there() {
        let depot = MemoryDepot::default();
        let (bytes, name, digests) = file(1, 2 * PIECE_BYTES + 5);
        assert_eq!(put(&depot, name, 0, &bytes[..PIECE_BYTES]), Err(DepotError::Unknown), "before it began");
        let begun = begin(&depot, name, bytes.len() as u64, &digests, Some(AT)).unwrap();
        assert_eq!((begun.is_whole(), begun.gaps(9)), (false, vec![(0, 2)]));
        put(&depot, name, 1, &bytes[PIECE_BYTES..2 * PIECE_BYTES]).unwrap();
        assert_eq!(depot.kept(name).unwrap().unwrap().gaps(9), [(0, 0), (2, 2)]);
        assert_eq!(depot.kept(name).unwrap().unwrap().gaps(1), [(0, 0)], "bounded");
        let refused = |piece, bytes: &[u8], says: &str| {
            let error = put(&depot, name, piece, bytes).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        };
        refused(2, &bytes[..PIECE_BYTES], "not the one that was announced");
        refused(2, &[], "not the one that was announced");
        refused(3, &[], "from its beginning");
        put(&depot, name, 2, &bytes[2 * PIECE_BYTES..]).unwrap();
        put(&depot, name, 0, &bytes[..PIECE_BYTES]).unwrap();
        put(&depot, name, 0, &bytes[..PIECE_BYTES]).unwrap();
        let again = begin(&depot, name, bytes.len() as u64, &digests, Some(AT)).unwrap();
        assert!(again.is_whole(), "going on changes nothing");
    }

    #[test]
    fn what_does_not_belong_together_or_has_no_room_is_not_begun() {
        let depot = MemoryDepot::default();
        let refused = |size, (name, digests): (Sha256Digest, Vec<u8>), says: &str| {
            let error = begin(&depot, name, size, &digests, Some(AT)).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        };
        refused(2, announced(1, 1), "don't give this name");
        refused(0, announced(1, 1), "don't give this name");
        let large = model::limits::SEALED_BYTES;
        refused(large + 1, announced(1, large + 1), "by courier");
        // One of the largest less than there is room for, and some small ones.
        let most = u8::try_from(limits::DEPOT_OPEN).unwrap();
        let fit = u8::try_from(limits::DEPOT_BYTES / large).unwrap() - 1;
        for seed in 0..most {
            if seed == most - 1 {
                refused(large, announced(99, large), "bytes are taken");
            }
            let size = if seed < fit { large } else { 1 };
            let (name, digests) = announced(seed, size);
            begin(&depot, name, size, &digests, None).unwrap();
        }
        refused(1, announced(99, 1), "on their way already");
        assert_eq!(depot.all().unwrap().len(), limits::DEPOT_OPEN);
    }

    #[test]
    fn what_nothing_names_is_deleted_and_an_upload_has_its_time() {
        let depot = MemoryDepot::default();
        let put_in = |seed, begun| {
            let (name, digests) = announced(seed, 1);
            begin(&depot, name, 1, &digests, begun).unwrap();
            name
        };
        let (wanted, fresh, left) = (put_in(1, None), put_in(2, Some(AT)), put_in(3, None));
        let settled = put_in(4, Some(AT));
        depot.settle(settled).unwrap();
        assert_eq!(sweep(&depot, &BTreeSet::from([wanted]), AT), Ok(2));
        let there = |name| depot.kept(name).unwrap().is_some();
        assert_eq!([wanted, fresh, left, settled].map(there), [true, true, false, false]);
        assert_eq!(sweep(&depot, &BTreeSet::from([wanted]), AT.plus_seconds(limits::UPLOAD_SECONDS)), Ok(1));
        assert_eq!([wanted, fresh].map(there), [true, false]);
    }
}
