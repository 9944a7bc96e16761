//! Restore: from the two parts of a backup to a database that can be served, with what was purged since left out.

use std::io::Read;
use std::path::Path;

use journal::identity::SignedIdentity;
use journal::purge::Purged;
use model::{Origin, Timestamp};
use store::{Keyless, LogId, Store, StoreError, Writer};

use crate::body;
use crate::engine::OpenError;
use crate::me::Me;
use crate::ports::{NoChance, Signer};
use crate::purged;
use crate::rebuild::{self, Rebuilt};
use crate::standing;
use crate::work::{OwnLog, Work};

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// What was folded.
    pub rebuilt: Rebuilt,
    /// Bodies without a key.
    pub keyless: Keyless,
    /// Bodies that stood in the backup and on the purge list.
    pub purged: u64,
    /// Entries of our own log.
    pub size: u64,
}

/// Brings the secret part into the log part that lies in `dir`, erases what stands on the purge list, and folds the
/// views. One transaction: after an error the directory is worth nothing.
///
/// # Errors
/// The database, the secret part, or an identity that does not verify.
pub fn restore(
    dir: &Path,
    signed: SignedIdentity,
    signer: &dyn Signer,
    secrets: Option<&mut dyn Read>,
    purges: &[Purged],
) -> Result<Restored, OpenError> {
    let verified = journal::identity::verify(&signed).map_err(|error| OpenError::Identity(error.to_string()))?;
    let identity = verified.into_inner();
    let mut writer = Store::open(dir)?.writer()?;
    let origin = identity.origin.clone();
    let (log, mut own) = own_log(&mut writer, &origin)?;
    let me = Me { origin, log, name: identity.name.clone(), identity, signed_identity: signed };
    let size = own.frontier().size();
    let mut batch = writer.begin()?;
    let restored = batch.savepoint(|tx| {
        if let Some(secrets) = secrets {
            tx.read_secrets(secrets)?;
        }
        // First what has no key, so that every sealed body that is left can be opened.
        let keyless = tx.drop_keyless(me.log)?;
        let mut chance = NoChance;
        let mut work = Work::new(tx, &me, Timestamp::from_micros(0), &mut chance, signer, &mut own);
        let purged = purge(&mut work, purges)?;
        let rebuilt = rebuild::rebuild(&mut work)?;
        Ok::<_, StoreError>(Restored { rebuilt, keyless, purged, size })
    })?;
    batch.commit()?;
    Ok(restored)
}

/// The own log of a database, noted in it if it is new.
fn own_log(writer: &mut Writer, origin: &Origin) -> Result<(LogId, OwnLog), StoreError> {
    let mut batch = writer.begin()?;
    let found = batch.savepoint(|tx| {
        let log = tx.ensure_log(origin)?;
        Ok::<_, StoreError>((log, OwnLog::new(tx.tree(log)?.frontier, standing::kept(tx)?, standing::recovered(tx)?)))
    })?;
    batch.commit()?;
    Ok(found)
}

/// Erases what stands on the list, and its like in intake, which an older archive of keys has brought back.
fn purge(work: &mut Work<'_, '_>, list: &[Purged]) -> Result<u64, StoreError> {
    for purged in list {
        let Some(log) = work.tx.log_id(&purged.origin)? else { continue };
        let Some(row) = work.tx.statement_at(log, purged.index)? else { continue };
        // One that no longer opens is purged all the same.
        if let Ok(Some(bytes)) = body::open_row(work.tx, work.signer, &row) {
            work.tx.intake_forget(&intake::digest(&bytes))?;
        }
    }
    purged::apply(work.tx, list)
}
