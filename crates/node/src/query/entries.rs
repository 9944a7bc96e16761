//! Logs, entry by entry, and proofs that verify without this node.

use journal::proof::{Extra, ProofFile};
use journal::tree;
use model::{Commitment, Country, EntryRef, Index, Origin, Timestamp};
use policy::{Facts, Governed, PolicyVersion, Purpose, Released, Viewer};
use store::{LogId, StatementRow, StoreError};

use super::objects::{self, Object, ObjectError};
use crate::body;
use crate::limits;
use crate::work::View;

/// One place of a log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where.
    pub index: Index,
    /// What stands there.
    pub commitment: Commitment,
    /// When it reached this node, if it was opened to it.
    pub arrived: Option<Timestamp>,
    /// What it says, if the viewer may see it.
    pub object: Option<Object>,
    /// Why it was kept raw, if it was.
    pub unfit: Option<String>,
    /// Does its owner say that it is lost, and has it not come back?
    pub lost: bool,
}

/// One log as this node holds it.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// Whose.
    pub origin: Origin,
    /// Entries that are verified here.
    pub size: u64,
    /// The checkpoint that covers them, as a note; `None` before the first.
    pub checkpoint: Option<String>,
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// Where the next page goes on.
    pub next: Option<Index>,
}

/// A page of a log, newest first. Numbers and commitments are no content; what is said is shown through the gate.
///
/// # Errors
/// No such log, or the database.
pub fn page(
    view: &View<'_, '_>,
    viewer: &Viewer,
    log: LogId,
    before: Option<Index>,
    limit: usize,
) -> Result<LogPage, ObjectError> {
    let tree = view.db.tree(log)?;
    let own = log == view.me.log;
    let size = if own { view.signed.size } else { tree.size };
    let checkpoint = if own { Some(view.signed.text.clone()) } else { tree.checkpoint };
    let end = before.map_or(size, |index| index.0.min(size));
    let limit = limit.clamp(1, limits::PAGE_ROWS_MAX) as u64;
    let start = end.saturating_sub(limit);
    let wanted = usize::try_from(end - start).unwrap_or(0);
    let commitments = view.db.commitments(log, start, wanted)?;
    let mut entries = Vec::with_capacity(commitments.len());
    for (index, commitment) in (start..).zip(commitments) {
        entries.push(entry(view, viewer, log, Index(index), commitment)?);
    }
    entries.reverse();
    let next = (start > 0).then_some(Index(start));
    Ok(LogPage { origin: view.db.origin(log)?, size, checkpoint, entries, next })
}

fn entry(
    view: &View<'_, '_>,
    viewer: &Viewer,
    log: LogId,
    index: Index,
    commitment: Commitment,
) -> Result<Entry, StoreError> {
    let statement = view.db.statement_at(log, index)?;
    let mut entry = Entry { index, commitment, arrived: None, object: None, unfit: None, lost: false };
    entry.lost = statement.is_none() && view.db.lost_at(log, index)?.is_some();
    if let Some(statement) = statement {
        entry.arrived = Some(statement.arrived);
        if let store::Fate::Unfit { reason } = &statement.fate {
            entry.unfit = Some(reason.clone());
        }
        if let Some(row) = view.db.object(statement.id)? {
            let object = objects::object_of(view, row)?;
            let released = policy::release(object, viewer, Purpose::Read, &PolicyVersion::CURRENT);
            entry.object = released.ok().map(policy::Released::into_inner);
        }
    }
    Ok(entry)
}

/// The log of a country, or the only log that an entry's short name can mean.
///
/// # Errors
/// No such log.
pub fn log_of(view: &View<'_, '_>, country: Country) -> Result<LogId, ObjectError> {
    if view.me.origin.country() == country {
        return Ok(view.me.log);
    }
    let mut found = Vec::new();
    for log in view.db.log_of_country(country)? {
        found.push((view.db.origin(log)?, log));
    }
    let Some((newest, log)) = found.iter().max_by_key(|(origin, _)| origin.epoch()) else {
        return Err(ObjectError::NotFound);
    };
    // A log and its successors are one nation's: the newest is meant. Two nations of one country are not told apart.
    if found.iter().all(|(origin, _)| origin.base() == newest.base()) { Ok(*log) } else { Err(ObjectError::NotFound) }
}

/// The one log of a country with an epoch.
fn log_at(view: &View<'_, '_>, name: EntryRef) -> Result<LogId, ObjectError> {
    let me = &view.me.origin;
    if (me.country(), me.epoch()) == (name.country, name.epoch) {
        return Ok(view.me.log);
    }
    let mut found = Vec::new();
    for log in view.db.log_of_country(name.country)? {
        if view.db.origin(log)?.epoch() == name.epoch {
            found.push(log);
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        _ => Err(ObjectError::NotFound),
    }
}

/// The statement that a short name means.
///
/// # Errors
/// Nothing there that was opened to this node.
pub fn statement_of(view: &View<'_, '_>, name: EntryRef) -> Result<StatementRow, ObjectError> {
    let log = log_at(view, name)?;
    view.db.statement_at(log, name.index)?.ok_or(ObjectError::NotFound)
}

/// A statement on its way into a proof file.
struct Proved {
    facts: Facts,
    statement: StatementRow,
}

impl Governed for Proved {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// The checkpoint that proves most of an entry: of our own, the first with a time stamp, and with the cosignatures that
/// it had; else the first that enough witnesses have cosigned; else the newest.
fn covering(view: &View<'_, '_>, log: LogId, index: Index) -> Result<(u64, String), ObjectError> {
    if log == view.me.log
        && let Some(row) = view.db.stamped_entry(index)?
    {
        return Ok((row.size, row.note));
    }
    if let Some(row) = view.db.witnessed_entry(log, index)? {
        return Ok((row.size, row.note));
    }
    if log == view.me.log {
        return Ok((view.signed.size, view.signed.text.clone()));
    }
    let tree = view.db.tree(log)?;
    Ok((tree.size, tree.checkpoint.ok_or(ObjectError::NotFound)?))
}

/// A proof file of one statement: its opening, its way to the root, and the signed checkpoint. Sealed, it leaves the
/// body out: it proves when and that something was said, not what.
///
/// # Errors
/// Not there, not for the viewer, or the log is damaged.
pub fn proof(view: &View<'_, '_>, viewer: &Viewer, name: EntryRef, sealed: bool) -> Result<ProofFile, ObjectError> {
    Ok(released_proof(view, viewer, name, sealed)?.into_inner())
}

/// The same, still marked as what the gate released.
///
/// # Errors
/// As [`proof`].
pub(crate) fn released_proof(
    view: &View<'_, '_>,
    viewer: &Viewer,
    name: EntryRef,
    sealed: bool,
) -> Result<Released<ProofFile>, ObjectError> {
    let statement = statement_of(view, name)?;
    let log = statement.log;
    let row = view.db.object(statement.id)?.ok_or(ObjectError::NotFound)?;
    let facts = super::facts_of_row(view, &row)?;
    // What a thief said stands in the log, and a proof may show that; its content is nothing that anybody carries out.
    let (purpose, sealed) = if facts.repudiated { (Purpose::Read, true) } else { (Purpose::Export, sealed) };
    let proved = Proved { facts, statement };
    let proved = policy::release(proved, viewer, purpose, &PolicyVersion::CURRENT)?;
    let (size, checkpoint) = covering(view, log, name.index)?;
    let broken = |error: &dyn std::fmt::Display| StoreError::Corrupt { what: format!("proof of {name}: {error}") };
    let hashes = tree::inclusion_proof(&view.db.tiles(log), name.index.0, size).map_err(|error| broken(&error))?;
    let opening = body::opening(view.db, view.signer, &proved.as_ref().statement, !sealed)?;
    let origin = view.db.origin(log)?;
    Ok(proved.map(|_| ProofFile { extra: Extra { origin, opening }, index: name.index, hashes, checkpoint }))
}
