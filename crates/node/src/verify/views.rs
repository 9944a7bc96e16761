//! Are the views what the statements give? Told by folding a copy of the database again.

use std::path::Path;

use journal::identity::SignedIdentity;
use model::Timestamp;
use store::{Store, StoreError};

use crate::engine::OpenError;
use crate::me::Me;
use crate::ports::{NoChance, Signer};
use crate::rebuild;
use crate::standing::{Recovered, Standing};
use crate::work::{OwnLog, Work};

/// Folds the copy in `copy` again and compares each view with what stood there. What differs is named; empty is good.
/// The copy is not changed.
///
/// # Errors
/// The copy cannot be read, or the identity does not verify.
pub fn verify(copy: &Path, signed: SignedIdentity, signer: &dyn Signer) -> Result<Vec<String>, OpenError> {
    let verified = journal::identity::verify(&signed).map_err(|error| OpenError::Identity(error.to_string()))?;
    let identity = verified.into_inner();
    let mut writer = Store::open(copy)?.writer()?;
    let origin = identity.origin.clone();
    let mut batch = writer.begin()?;
    // The batch is never committed: dropping it undoes the fold.
    let faults = batch.savepoint(|tx| {
        let log = tx.ensure_log(&origin)?;
        let mut own = OwnLog::new(tx.tree(log)?.frontier, Standing::default(), Recovered::default());
        let me = Me { origin, log, name: identity.name.clone(), identity, signed_identity: signed };
        let before = tx.view_digests()?;
        let mut random = NoChance;
        let now = Timestamp::from_micros(0);
        rebuild::rebuild(&mut Work::new(tx, &me, now, &mut random, signer, &mut own))?;
        let differs = before.into_iter().zip(tx.view_digests()?).filter(|(before, after)| before != after);
        Ok::<_, StoreError>(
            differs
                .map(|((name, _), _)| {
                    format!("the view `{name}` is not what the statements give: run `entraide rebuild`")
                })
                .collect(),
        )
    })?;
    Ok(faults)
}
