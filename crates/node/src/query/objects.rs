//! Objects: pages, one by id with its provenance, and their bytes.

use model::{MediaType, Origin, StixId, Timestamp};
use policy::{Denied, Facts, Governed, PolicyVersion, Purpose, Released, Viewer};
use store::{DisclosureRow, ObjectFilter, ObjectRow, ObjectState, ReceiptRow, StatementId, StoreError};

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
    /// By which acts supervising desks see it behind the wall.
    pub disclosed: Vec<DisclosureRow>,
    /// Of an event that its owner said in parts: the other parts that the viewer may see, from open to strict.
    pub parts: Vec<Object>,
    /// The same event put together from them; `None` without others.
    pub joined: Option<Vec<u8>>,
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
    let members = if own { Vec::from(super::reached(view.db, row.statement)?) } else { Vec::new() };
    let object = object_of(view, row)?;
    let live = object.row.state == ObjectState::Live;
    let body = if live { body::open(view.db, view.signer, statement)? } else { None };
    let mut receipts = Vec::new();
    if own {
        for receipt in view.db.receipts_of(statement)? {
            receipts.push((view.db.origin(receipt.from)?, receipt));
        }
    }
    let disclosed = view.db.disclosures(statement)?;
    let mut detail = ObjectDetail { object, body, members, receipts, disclosed, parts: Vec::new(), joined: None };
    if detail.body.is_some() {
        (detail.parts, detail.joined) = parts(view, viewer, purpose, &detail)?;
    }
    Ok(policy::release(detail, viewer, purpose, &PolicyVersion::CURRENT)?)
}

/// The other parts of an event that its owner said in parts (same log, UUID and version, another label), each through
/// the gate, and the event that they make together.
fn parts(
    view: &View<'_, '_>,
    viewer: &Viewer,
    purpose: Purpose,
    detail: &ObjectDetail,
) -> Result<(Vec<Object>, Option<Vec<u8>>), StoreError> {
    let this = &detail.object.row;
    if this.media != MediaType::MispEvent {
        return Ok((Vec::new(), None));
    }
    let mut others = Vec::new();
    for row in view.db.objects_by_id(&this.stix_id)? {
        let is_part = row.log == this.log && row.version == this.version && row.media == this.media;
        if is_part && row.tlp != this.tlp && row.state == ObjectState::Live {
            others.push(object_of(view, row)?);
        }
    }
    let mut others = policy::release_all(others, viewer, purpose, &PolicyVersion::CURRENT).into_inner();
    // The newest statement of each label: an event that was widened stands there twice.
    others.sort_by_key(|other| (other.row.tlp, std::cmp::Reverse(other.row.statement)));
    others.dedup_by_key(|other| other.row.tlp);
    let mut bodies = vec![(this.tlp, detail.body.clone().unwrap_or_default())];
    for other in &others {
        bodies.extend(body::open(view.db, view.signer, other.row.statement)?.map(|body| (other.row.tlp, body)));
    }
    bodies.sort_by_key(|(tlp, _)| *tlp);
    let spans: Vec<&[u8]> = bodies.iter().map(|(_, body)| body.as_slice()).collect();
    let joined = intake::join(&spans);
    Ok((others, joined))
}

pub(crate) fn object_of(view: &View<'_, '_>, row: ObjectRow) -> Result<Object, StoreError> {
    let facts = facts_of_row(view, &row)?;
    let arrived = view.db.arrived(row.statement)?.unwrap_or(Timestamp::from_micros(0));
    Ok(Object { origin: facts.owner.clone(), row, arrived, facts })
}
