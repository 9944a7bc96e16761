//! Calls for help as a viewer may see them: what passes the gate is folded, so that a count shows nothing else.

use domain::assist::Heard;
use domain::assist::case::{self, Case};
use domain::assist::room::{self, Room};
use model::extension::Extension;
use model::extension::assistance::Request;
use model::{EntryRef, Tlp};
use policy::{Facts, Governed, PolicyVersion, Purpose, Released, Viewer};
use store::{LogId, ObjectFilter, StatementId, StoreError};

use super::objects::ObjectError;
use super::{entries, facts_of_row};
use crate::assist::gather;
use crate::work::View;

struct Governing {
    heard: Heard,
    facts: Facts,
}

impl Governed for Governing {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// A case as a viewer may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// How it stands.
    pub case: Case,
    /// The label of the newest version of the request.
    pub tlp: Tlp,
    /// What was said in it, in the order of arrival.
    pub said: Vec<Heard>,
}

/// The call for help to which a statement belongs.
///
/// # Errors
/// Nothing there that the viewer may see.
pub fn one(view: &View<'_, '_>, viewer: &Viewer, name: EntryRef) -> Result<Released<Shown>, ObjectError> {
    let log = entries::log_of(view, name.country)?;
    case_at(view, viewer, log, name.index)?.ok_or(ObjectError::NotFound)
}

fn case_at(
    view: &View<'_, '_>,
    viewer: &Viewer,
    log: LogId,
    index: model::Index,
) -> Result<Option<Released<Shown>>, StoreError> {
    let folded = policy::derive(governed(view, viewer, log, index)?, |words| {
        let labels: Vec<_> = words.iter().map(|one| one.facts.label.map(|label| label.tlp)).collect();
        let said = without_facts(words);
        let case = case::fold(&said)?;
        let newest = said.iter().position(|heard| heard.place == case.place)?;
        // What has no label is for nobody else: the strictest stands for it.
        let tlp = labels.get(newest).copied().flatten().unwrap_or(Tlp::Red);
        Some(Shown { case, tlp, said })
    });
    Ok(folded.transpose())
}

/// Everything of a case that the viewer may see, in the order in which it came. It is named by a statement that the viewer
/// sees: to which case another belongs is no less hidden than the statement.
fn governed(
    view: &View<'_, '_>,
    viewer: &Viewer,
    log: LogId,
    index: model::Index,
) -> Result<Released<Vec<Governing>>, StoreError> {
    let mut governed = Vec::new();
    for (row, heard) in gather::heard(view.db, view.signer, log, index)? {
        governed.push(Governing { heard, facts: facts_of_row(view, &row)? });
    }
    let released = policy::release_all(governed, viewer, Purpose::Read, &PolicyVersion::CURRENT);
    let named = view.db.origin(log)?;
    Ok(released.map(|words| {
        let is_seen = words.iter().any(|one| one.heard.place.index == index && one.heard.place.origin == named);
        if is_seen { words } else { Vec::new() }
    }))
}

fn without_facts(words: Vec<Governing>) -> Vec<Heard> {
    words.into_iter().map(|governed| governed.heard).collect()
}

/// The case room of the case to which a statement belongs, as far as the viewer may see it.
///
/// # Errors
/// Nothing there that the viewer may see.
pub fn room(view: &View<'_, '_>, viewer: &Viewer, name: EntryRef) -> Result<Released<(Case, Room)>, ObjectError> {
    let log = entries::log_of(view, name.country)?;
    let folded = policy::derive(governed(view, viewer, log, name.index)?, |words| {
        let words = without_facts(words);
        let case = case::fold(&words)?;
        let room = room::fold(&case, &words);
        Some((case, room))
    });
    folded.transpose().ok_or(ObjectError::NotFound)
}

/// A page of calls for help, the newest first, each once.
///
/// # Errors
/// The database.
pub fn page(
    view: &View<'_, '_>,
    viewer: &Viewer,
    after: Option<StatementId>,
    limit: usize,
) -> Result<(Vec<Released<Shown>>, Option<StatementId>), StoreError> {
    let filter = ObjectFilter { type_name: Some(Request::KIND.to_owned()), ..ObjectFilter::default() };
    let rows = view.db.objects_page(&filter, after, limit)?;
    let next = if rows.len() == limit { rows.last().map(|row| row.statement) } else { None };
    let mut cases = Vec::new();
    for row in rows {
        // Each version has a row: the case stands where its newest does.
        let newest = view.db.objects_by_id(&row.stix_id)?.into_iter().find(|other| other.log == row.log);
        if newest.is_some_and(|newest| newest.statement == row.statement) {
            cases.extend(case_at(view, viewer, row.log, row.index)?);
        }
    }
    Ok((cases, next))
}
