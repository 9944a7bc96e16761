//! Purging here by command: what a spill and retention do to one statement or one object of intake.

use domain::said::Said;
use journal::envelope;
use store::{Fate, IntakeId, ObjectState, StatementId, StoreError};

use crate::body;
use crate::work::Work;

/// Erases a statement's body, and its words from the views. Envelope and commitment stay, so that the log verifies; of a
/// statement about sharing there remains what the fold needs. Says whether there was a body.
pub(crate) fn statement(work: &mut Work<'_, '_>, id: StatementId) -> Result<bool, StoreError> {
    let Some(row) = work.tx.statement(id)? else { return Ok(false) };
    if row.sealed.is_none() {
        return Ok(false);
    }
    // One that no longer opens is purged all the same.
    let bytes = body::open_row(work.tx, work.signer, &row).ok().flatten();
    let said = envelope::decode(&row.envelope)
        .ok()
        .zip(bytes)
        .and_then(|(envelope, bytes)| Said::read(envelope.media, &bytes).ok());
    let remains = said.as_ref().and_then(Said::without_words);
    work.tx.erase_body(id)?;
    work.tx.object_state(id, ObjectState::Erased)?;
    if let Some(Said::Audience(_, audience)) = &said {
        work.tx.rename_audience(id, &Said::nameless(audience))?;
    }
    if row.fate != Fate::Fit {
        // The reason may quote what it was about.
        work.tx.set_fate(id, &Fate::Fit)?;
    }
    work.tx.put_purged(id, work.now, remains.as_deref())?;
    work.note_purge();
    Ok(true)
}

/// Erases an object of intake, bytes, note and source. Says whether it was there.
pub(crate) fn intake(work: &mut Work<'_, '_>, id: IntakeId) -> Result<bool, StoreError> {
    work.note_purge();
    work.tx.intake_erase(id)
}
