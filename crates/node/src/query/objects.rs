//! Objects: pages, one by id with its provenance, and their bytes.

use model::{Origin, StixId, Timestamp};
use policy::{Denied, Facts, Governed, PolicyVersion, Purpose, Released, Viewer};
use store::{ObjectFilter, ObjectRow, ObjectState, ReceiptRow, StatementId, StoreError};

use super::facts_of_row;
use crate::body;
use crate::work::View;

/// Why an object was not shown.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not there, or not for you: one answer.
    #[error("not found")]
    NotFound,
}

impl From<Denied> for ObjectError {
    fn from(_: Denied) -> Self {
        Self::NotFound
    }
}

/// One statement about an object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its row.
    pub row: ObjectRow,
    /// Who says it.
    pub origin: Origin,
    /// When it reached this node.
    pub arrived: Timestamp,
    facts: Facts,
}

impl Governed for Object {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

impl Object {
    /// Does its owner no longer stand by it, because somebody else said it with stolen keys?
    #[must_use]
    pub const fn is_repudiated(&self) -> bool {
        self.facts.repudiated
    }
}

/// One object whole: this statement, its bytes, and the other statements about the same id.
#[derive(Debug, Clone)]
pub struct ObjectDetail {
    /// The statement.
    pub object: Object,
    /// Its bytes; `None` if it was withdrawn or erased.
    pub body: Option<Vec<u8>>,
    /// To whom we said it, nation by nation; only for our own.
    pub members: Vec<Origin>,
    /// Who has answered a withdrawal; only for our own.
    pub receipts: Vec<(Origin, ReceiptRow)>,
}

impl Governed for ObjectDetail {
    fn facts(&self) -> Facts {
        self.object.facts.clone()
    }
}

/// A page of objects, newest first. What the viewer may not see is not there, and not counted.
///
/// # Errors
/// The database.
pub fn page(
    view: &View<'_, '_>,
    viewer: &Viewer,
    filter: &ObjectFilter,
    after: Option<StatementId>,
    limit: usize,
) -> Result<(Released<Vec<Object>>, Option<StatementId>), StoreError> {
    let rows = view.db.objects_page(filter, after, limit)?;
    let next = if rows.len() == limit { rows.last().map(|row| row.statement) } else { None };
    let mut objects = Vec::with_capacity(rows.len());
    for row in rows {
        objects.push(object_of(view, row)?);
    }
    Ok((policy::release_all(objects, viewer, Purpose::Read, &PolicyVersion::CURRENT), next))
}

/// Every statement about one STIX id that the viewer may see, newest version first.
///
/// # Errors
/// The database, or nothing that the viewer may see.
pub fn by_id(view: &View<'_, '_>, viewer: &Viewer, id: &StixId) -> Result<Released<Vec<Object>>, ObjectError> {
    let mut objects = Vec::new();
    for row in view.db.objects_by_id(id)? {
        objects.push(object_of(view, row)?);
    }
    let released = policy::release_all(objects, viewer, Purpose::Read, &PolicyVersion::CURRENT);
    if released.as_ref().is_empty() { Err(ObjectError::NotFound) } else { Ok(released) }
}

/// One statement with its bytes.
///
/// # Errors
/// Not there, or not for the viewer.
pub fn detail(
    view: &View<'_, '_>,
    viewer: &Viewer,
    statement: StatementId,
    purpose: Purpose,
) -> Result<Released<ObjectDetail>, ObjectError> {
    let row = view.db.object(statement)?.ok_or(ObjectError::NotFound)?;
    let own = crate::successor::is_own(view.db, view.me, row.log)?;
    let members = if own { Vec::from(super::reached(view.db, &row)?) } else { Vec::new() };
    let object = object_of(view, row)?;
    let live = object.row.state == ObjectState::Live;
    let body = if live { body::open(view.db, view.signer, statement)? } else { None };
    let mut receipts = Vec::new();
    if own {
        for receipt in view.db.receipts_of(statement)? {
            receipts.push((view.db.origin(receipt.from)?, receipt));
        }
    }
    let detail = ObjectDetail { object, body, members, receipts };
    Ok(policy::release(detail, viewer, purpose, &PolicyVersion::CURRENT)?)
}

pub(crate) fn object_of(view: &View<'_, '_>, row: ObjectRow) -> Result<Object, StoreError> {
    let facts = facts_of_row(view, &row)?;
    let arrived = view.db.arrived(row.statement)?.unwrap_or(Timestamp::from_micros(0));
    Ok(Object { origin: facts.owner.clone(), row, arrived, facts })
}
