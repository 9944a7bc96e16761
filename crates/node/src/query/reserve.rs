//! Dossiers for the Reserve as a viewer may see them.

use model::EntryRef;
use model::extension::assistance::Dossier;
use policy::{Facts, Governed, PolicyVersion, Purpose, Viewer};
use store::{ObjectRow, StoreError};

use super::facts_of_row;
use super::objects::ObjectError;
use crate::assist::reserve;
use crate::work::View;

struct Governing {
    kept: (ObjectRow, Dossier),
    facts: Facts,
}

impl Governed for Governing {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// Our dossiers, the newest first.
///
/// # Errors
/// The database.
pub fn all(view: &View<'_, '_>, viewer: &Viewer) -> Result<Vec<(ObjectRow, Dossier)>, StoreError> {
    let kept = reserve::all(view.db, view.signer, view.me.log)?;
    released(view, viewer, kept)
}

/// One of our dossiers as it stands, named by any version of it.
///
/// # Errors
/// There is none that the viewer may see.
pub fn one(view: &View<'_, '_>, viewer: &Viewer, name: EntryRef) -> Result<(ObjectRow, Dossier), ObjectError> {
    if name.country != view.me.origin.country() {
        return Err(ObjectError::NotFound);
    }
    let found = reserve::one(view.db, view.signer, view.me.log, name.index)?;
    let mut seen = released(view, viewer, found.into_iter().collect())?;
    seen.pop().ok_or(ObjectError::NotFound)
}

fn released(
    view: &View<'_, '_>,
    viewer: &Viewer,
    kept: Vec<(ObjectRow, Dossier)>,
) -> Result<Vec<(ObjectRow, Dossier)>, StoreError> {
    let mut governed = Vec::new();
    for kept in kept {
        governed.push(Governing { facts: facts_of_row(view, &kept.0)?, kept });
    }
    let released = policy::release_all(governed, viewer, Purpose::Read, &PolicyVersion::CURRENT);
    Ok(released.into_inner().into_iter().map(|one| one.kept).collect())
}
