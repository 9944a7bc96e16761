//! Audiences: our own, and those of partners in which we are.

use model::{Index, Origin};
use policy::{Facts, Governed, PolicyVersion, Purpose, Released, Viewer};
use store::{AudienceRow, StoreError};

use super::facts_of_row;
use super::objects::ObjectError;
use crate::work::View;

/// One audience as its owner last said it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its row.
    pub row: AudienceRow,
    /// Whose it is.
    pub owner: Origin,
    /// Who is in it, with the names of those that are partners.
    pub members: Vec<(Origin, Option<String>)>,
    /// Do CLEAR and GREEN go to it without being told?
    pub ticked: bool,
    /// Where its owner says so.
    pub index: Index,
    facts: Facts,
}

impl Governed for Listed {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// Every audience that the viewer may know of: own ones first, then by owner, each by name.
///
/// # Errors
/// The database.
pub fn all(view: &View<'_, '_>, viewer: &Viewer) -> Result<Released<Vec<Listed>>, StoreError> {
    let mut found = Vec::new();
    for row in view.db.audiences()? {
        found.extend(listed(view, row)?);
    }
    let own = &view.me.origin;
    found.sort_by(|a, b| (&a.owner != own, &a.owner, &a.row.name).cmp(&(&b.owner != own, &b.owner, &b.row.name)));
    Ok(policy::release_all(found, viewer, Purpose::Read, &PolicyVersion::CURRENT))
}

/// One own audience, by its name.
///
/// # Errors
/// Not there, or not for the viewer.
pub fn own_by_name(view: &View<'_, '_>, viewer: &Viewer, name: &str) -> Result<Released<Listed>, ObjectError> {
    let row = view.db.audience_by_name(view.me.log, name)?.ok_or(ObjectError::NotFound)?;
    let listed = listed(view, row)?.ok_or(ObjectError::NotFound)?;
    Ok(policy::release(listed, viewer, Purpose::Read, &PolicyVersion::CURRENT)?)
}

fn listed(view: &View<'_, '_>, row: AudienceRow) -> Result<Option<Listed>, StoreError> {
    let Some(object) = view.db.object(row.statement)? else { return Ok(None) };
    let facts = facts_of_row(view, &object)?;
    let mut members = Vec::new();
    for member in Vec::from(view.db.set_members(row.set)?) {
        let name = match view.db.log_id(&member)? {
            Some(log) => view.db.partner(log)?.map(|partner| partner.name),
            None => None,
        };
        members.push((member, name));
    }
    let ticked = row.log == view.me.log && view.db.ticked()?.contains(&row.audience);
    Ok(Some(Listed { owner: facts.owner.clone(), members, ticked, index: object.index, row, facts }))
}
