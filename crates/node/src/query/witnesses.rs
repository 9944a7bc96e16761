//! The witnesses of our log: who they are, how far our log is witnessed, and who cosigned an entry.

use model::{Index, Origin, Timestamp};
use store::{LogId, PartnerState, StoreError};

use crate::witness::{self, Standing};
use crate::work::View;
use crate::writer::Node;

/// One witness, as a person looks at it.
#[derive(Debug, Clone)]
pub struct WitnessStatus {
    /// Its log.
    pub origin: Origin,
    /// Its name for people.
    pub name: String,
    /// How it stands with us as a partner: one that is not active is not asked.
    pub state: PartnerState,
    /// How it stands as a witness, in this run.
    pub standing: Standing,
    log: LogId,
}

/// How our log is witnessed.
#[derive(Debug, Clone)]
pub struct WitnessesStatus {
    /// One by one; empty if the log has none.
    pub witnesses: Vec<WitnessStatus>,
    /// k of k-of-n.
    pub threshold: usize,
    /// Entries that so many have cosigned; `None` before the first time.
    pub witnessed: Option<(u64, Timestamp)>,
    /// The keys of every log and witness that we know, ours first: a file with them checks proofs.
    pub keys: Vec<String>,
}

/// Reads how our log is witnessed.
///
/// # Errors
/// The database.
pub async fn witnesses(node: &Node) -> Result<WitnessesStatus, StoreError> {
    let mut status = node.read(read).await?;
    for witness in &mut status.witnesses {
        witness.standing = node.witnessing().of(witness.log);
    }
    Ok(status)
}

/// The same, without what only the running worker knows.
pub(crate) fn read(view: &View<'_, '_>) -> Result<WitnessesStatus, StoreError> {
    let quorum = witness::quorum(view.db)?;
    let of = |one: witness::Witness| WitnessStatus {
        log: one.partner.log,
        origin: one.partner.origin,
        name: one.partner.name,
        state: one.partner.state,
        standing: Standing::default(),
    };
    Ok(WitnessesStatus {
        witnesses: quorum.witnesses.into_iter().map(of).collect(),
        threshold: quorum.threshold,
        witnessed: view.db.witnessed(view.me.log)?.map(|row| (row.size, row.at)),
        keys: witness::key_lines(view)?,
    })
}

/// Who cosigned the first checkpoint that covers an entry and that enough witnesses have cosigned, and when;
/// `None` while it is received and not witnessed.
///
/// # Errors
/// The database.
pub fn of_entry(view: &View<'_, '_>, log: LogId, index: Index) -> Result<Option<Vec<(Origin, Timestamp)>>, StoreError> {
    view.db.witnessed_entry(log, index)?.map(|row| witness::cosigners(view, &row)).transpose()
}
