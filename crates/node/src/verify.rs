//! Verify: recompute from the bytes on disk everything that they claim, and name what does not hold.

use journal::commitment;
use journal::log_keys::LogKeys;
use journal::tree::Frontier;
use model::{Index, Origin};
use store::{Db, LogId, StatementId, StoreError};

use crate::body;
use crate::limits;
use crate::ports::Signer;

pub mod views;

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Logs that were checked.
    pub logs: u64,
    /// Entries whose tree was recomputed.
    pub entries: u64,
    /// Statements whose opening was recomputed.
    pub statements: u64,
    /// What does not hold, in words; empty is good.
    pub faults: Vec<String>,
}

/// Most faults that are listed: enough to see the pattern.
const FAULTS: usize = 1_000;

/// Checks every log, statement and sealed body of a database. `keys` finds the keys that sign and have signed the
/// checkpoints of a log.
///
/// # Errors
/// The database cannot be read at all. What is read and wrong is in the report.
pub fn verify(
    db: &Db<'_>,
    signer: &dyn Signer,
    keys: impl Fn(&Origin) -> Option<LogKeys>,
) -> Result<Report, StoreError> {
    let mut report = Report { faults: db.check()?, ..Report::default() };
    for (log, origin) in db.logs()? {
        verify_log(db, log, &origin, keys(&origin), &mut report)?;
    }
    let mut after = StatementId(0);
    loop {
        let rows = db.statements_after(after, limits::REBUILD_STEP)?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in &rows {
            report.statements += 1;
            let origin = db.origin(row.log)?;
            let computed = commitment::commitment(&origin, &row.entry_salt, &row.envelope, &row.body_commitment);
            if db.commitment(row.log, row.index)? != Some(computed) {
                fault(
                    &mut report,
                    format!("{origin}, entry {}: the statement is not what the log commits to", row.index),
                );
                continue;
            }
            if let Err(error) = verify_body(db, signer, row) {
                fault(&mut report, format!("{origin}, entry {}: {error}", row.index));
            }
        }
    }
    Ok(report)
}

fn verify_body(db: &Db<'_>, signer: &dyn Signer, row: &store::StatementRow) -> Result<(), String> {
    let Some(sealed) = &row.sealed else { return Ok(()) };
    let bytes = body::open_row(db, signer, row).map_err(|error| error.to_string())?;
    match bytes {
        Some(bytes) if commitment::body_commitment(&sealed.salt, &bytes) == row.body_commitment => Ok(()),
        Some(_) | None => Err("the body is not what the statement commits to".to_owned()),
    }
}

fn verify_log(
    db: &Db<'_>,
    log: LogId,
    origin: &Origin,
    keys: Option<LogKeys>,
    report: &mut Report,
) -> Result<(), StoreError> {
    report.logs += 1;
    let tree = db.tree(log)?;
    let mut frontier = Frontier::default();
    while frontier.size() < tree.size {
        let wanted = usize::try_from(tree.size - frontier.size()).unwrap_or(usize::MAX).min(limits::FEED_COMMITMENTS);
        let commitments = db.commitments(log, frontier.size(), wanted)?;
        if commitments.is_empty() {
            fault(report, format!("{origin}: entries from {} on are missing", frontier.size()));
            return Ok(());
        }
        report.entries += commitments.len() as u64;
        frontier.extend(&commitments);
    }
    if frontier.root() != tree.frontier.root() {
        fault(report, format!("{origin}: the tree of {} entries has another root than was kept", Index(tree.size)));
    }
    let (Some(text), Some(keys)) = (tree.checkpoint, keys) else { return Ok(()) };
    match keys.verify_kept(&text, origin) {
        Err(error) => fault(report, format!("{origin}: its checkpoint does not verify: {error}")),
        Ok(signed) if signed.size > tree.size => {
            fault(report, format!("{origin}: its checkpoint covers {} entries, here are {}", signed.size, tree.size));
        }
        Ok(signed) => {
            let root = journal::tree::root_at(&db.tiles(log), signed.size)
                .map_err(|error| StoreError::Corrupt { what: format!("{origin}: {error}") })?;
            if root != signed.root {
                fault(report, format!("{origin}: its checkpoint of {} entries has another root", signed.size));
            }
        }
    }
    Ok(())
}

fn fault(report: &mut Report, text: String) {
    if report.faults.len() < FAULTS {
        report.faults.push(text);
    }
}
