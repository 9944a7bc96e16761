//! Being a witness: a partner's checkpoint is cosigned if it extends the one that was cosigned last, and our replica.

use journal::checkpoint;
use journal::note;
use journal::sync::{Evidence, EvidenceKind};
use journal::tree;
use journal::witness::{AddCheckpoint, WitnessError};
use model::Origin;
use store::{CosignedRow, LogId, PartnerRow, PartnerState, StoreError};

use crate::identities;
use crate::ports::SignerError;
use crate::receive;
use crate::standing::Silent;
use crate::work::Work;

/// What a request ends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cosigned {
    /// One signature line, and a second while our key is being replaced.
    Line(String),
    /// The last size that was cosigned is another: ask from there.
    Size(u64),
    /// The log signed two histories. The evidence is kept and the partner is held; the size that was cosigned last.
    Forked(u64),
}

/// Why nothing is cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The checkpoint is not of the log of an active partner that asks for itself.
    #[error("only the log of an active partner is cosigned here, and only if it asks itself")]
    Unknown,
    /// This node was set back: it may have forgotten what it cosigned.
    #[error(transparent)]
    Silent(Silent),
    /// The request.
    #[error(transparent)]
    Request(#[from] WitnessError),
    /// The witness's key.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// Cosigns a checkpoint of the log of `caller`. The signature may leave once this is committed: from then on no other
/// history of that log is cosigned here, whatever happens to this process.
///
/// # Errors
/// See [`CosignError`]; nothing changes then.
pub fn cosign(work: &mut Work<'_, '_>, caller: LogId, request: &AddCheckpoint) -> Result<Cosigned, CosignError> {
    if let Some(silent) = work.standing().silence() {
        return Err(CosignError::Silent(silent));
    }
    let claimed = checkpoint::claimed(&request.checkpoint)
        .map_err(|_| WitnessError::Shape("what follows the empty line is not a checkpoint"))?;
    let partner = work.tx.partner(caller)?.filter(|row| row.state == PartnerState::Active);
    let partner = partner.filter(|row| row.origin == claimed.origin).ok_or(CosignError::Unknown)?;
    let keys = identities::log_keys(work.tx, &partner)?;
    let last = work.tx.cosigned(partner.log)?;
    let known = last.as_ref().map_or((0, tree::empty_root()), |row| (row.size, row.root));
    let checked = match request.check(&partner.origin, &keys, known) {
        Ok(checked) => checked.into_inner(),
        Err(WitnessError::Size { size }) => return Ok(Cosigned::Size(size)),
        Err(WitnessError::Forked { size }) => {
            let ours = last.map(|row| row.note);
            return forked(work, &partner, size, ours.as_deref(), &request.checkpoint);
        }
        Err(error) => return Err(error.into()),
    };
    // What its feed has shown us is a second, and usually a longer memory than what we cosigned.
    let held = work.tx.tree(partner.log)?;
    if checked.size <= held.size {
        let root = tree::root_at(&work.tx.tiles(partner.log), checked.size)
            .map_err(|error| StoreError::Corrupt { what: format!("replica of {}: {error}", partner.origin) })?;
        if root != checked.root {
            return forked(work, &partner, known.0, held.checkpoint.as_deref(), &request.checkpoint);
        }
    }
    let text = note::text_of(&request.checkpoint).unwrap_or_default();
    let seconds = u64::try_from(work.now.micros() / 1_000_000).unwrap_or(0);
    let line = work.signer.cosign(text, seconds)?;
    let row = CosignedRow { size: checked.size, root: checked.root, note: request.checkpoint.clone(), at: work.now };
    work.tx.note_cosigned(partner.log, &row)?;
    Ok(Cosigned::Line(line))
}

fn forked(
    work: &mut Work<'_, '_>,
    partner: &PartnerRow,
    size: u64,
    ours: Option<&str>,
    theirs: &str,
) -> Result<Cosigned, CosignError> {
    let evidence = fork_evidence(&partner.origin, ours, theirs);
    tracing::warn!(partner = %partner.origin, "it asked to cosign another history: held, with evidence");
    receive::hold(work, partner.log, &evidence)?;
    Ok(Cosigned::Forked(size))
}

fn fork_evidence(origin: &Origin, ours: Option<&str>, theirs: &str) -> Evidence {
    let summary = "the log asked a witness to cosign another history than it had signed before";
    let evidence = Evidence::new(origin, EvidenceKind::Fork, summary).with_theirs(theirs);
    match ours {
        Some(ours) => evidence.with_ours(ours),
        None => evidence,
    }
}
