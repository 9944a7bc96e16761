//! Exports: what may leave for one purpose, page by page, as it stands now.

use model::{Lane, MediaType, Tlp};
use policy::{PolicyVersion, Purpose, Released, Viewer};
use store::{ExportPurpose, ObjectFilter, ObjectRow, ObjectState, StatementId, StoreError};

use super::objects::{self, Object};
use crate::body;
use crate::limits;
use crate::work::View;

/// Which objects, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// For what they leave the node.
    pub purpose: ExportPurpose,
    /// In which shape they stand in the log: nothing is converted. `None` takes both.
    pub media: Option<MediaType>,
    /// The strictest label among them.
    pub strictest: Tlp,
    /// The last statement of the page before.
    pub after: Option<StatementId>,
    /// Rows that are looked at, at most.
    pub limit: usize,
}

/// One object of an export.
#[derive(Clone)]
pub struct Exported {
    /// The statement.
    pub object: Object,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Exported {
    // Content never reaches a log by way of a debug print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exported({}, {} bytes)", self.object.row.index, self.body.len())
    }
}

/// What the policy is asked for.
#[must_use]
pub const fn purpose(purpose: ExportPurpose) -> Purpose {
    match purpose {
        ExportPurpose::Read => Purpose::Export,
        ExportPurpose::Detect => Purpose::Detect,
        ExportPurpose::Block => Purpose::Block,
    }
}

/// A page of an export, newest first: the newest version of each object that its owner still says, through the gate for
/// the purpose. `next` is where the next page goes on; a page may be short or empty and still have one.
///
/// # Errors
/// The database.
pub fn page(
    view: &View<'_, '_>,
    viewer: &Viewer,
    wanted: &Wanted,
) -> Result<(Released<Vec<Exported>>, Option<StatementId>), StoreError> {
    let filter =
        ObjectFilter { state: Some(ObjectState::Live), lane: Some(Lane::Intelligence), ..ObjectFilter::default() };
    let rows = view.db.objects_page(&filter, wanted.after, wanted.limit)?;
    let mut next = if rows.len() == wanted.limit { rows.last().map(|row| row.statement) } else { None };
    let mut chosen = Vec::new();
    for row in rows {
        if matches(&row, wanted) && is_latest(view, viewer, &row)? {
            chosen.push(objects::object_of(view, row)?);
        }
    }
    let released = policy::release_all(chosen, viewer, purpose(wanted.purpose), &PolicyVersion::CURRENT);
    // What fits is counted before it is opened into the page: the rest is the next page's.
    let mut bodies = Vec::with_capacity(released.as_ref().len());
    let mut bytes = 0_usize;
    for object in released.as_ref() {
        let body = body::open(view.db, view.signer, object.row.statement)?;
        bytes = bytes.saturating_add(body.as_ref().map_or(0, Vec::len));
        if bytes > limits::EXPORT_BYTES && !bodies.is_empty() {
            next = released.as_ref().get(bodies.len() - 1).map(|object| object.row.statement);
            break;
        }
        bodies.push(body);
    }
    let page = released.map(|objects| {
        let with_body = objects.into_iter().zip(bodies);
        with_body.filter_map(|(object, body)| Some(Exported { object, body: body? })).collect()
    });
    Ok((page, next))
}

fn matches(row: &ObjectRow, wanted: &Wanted) -> bool {
    let usable = match wanted.purpose {
        ExportPurpose::Read => true,
        // Detectors take what can be matched: indicators, and events, whose attributes say it one by one.
        ExportPurpose::Detect | ExportPurpose::Block => {
            !row.revoked && (row.media == MediaType::MispEvent || row.stix_id.type_name() == "indicator")
        }
    };
    usable && row.tlp <= wanted.strictest && wanted.media.is_none_or(|media| row.media == media)
}

/// Is there no newer version of the same owner that the viewer may see? "Latest" is the latest visible; the parts of one
/// event are of one version.
fn is_latest(view: &View<'_, '_>, viewer: &Viewer, row: &ObjectRow) -> Result<bool, StoreError> {
    for other in view.db.objects_by_id(&row.stix_id)? {
        let same_label = other.tlp == row.tlp || other.media != MediaType::MispEvent;
        let newer = other.version > row.version
            || (other.version == row.version && same_label && other.statement > row.statement);
        if !newer || other.log != row.log || other.state != ObjectState::Live {
            continue;
        }
        let other = objects::object_of(view, other)?;
        if policy::release(other, viewer, Purpose::Read, &PolicyVersion::CURRENT).is_ok() {
            return Ok(false);
        }
    }
    Ok(true)
}
