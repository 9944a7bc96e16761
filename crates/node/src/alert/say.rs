//! Telling whoever asks for help that somebody is awake for it: the one thing of an alert that goes into the log.

use model::alert::AlertClass;
use model::{Citation, Timestamp};
use store::StoreError;

use crate::assist::{self, AssistError};
use crate::limits;
use crate::work::{View, Work};

/// A call for help that somebody is awake for, and of which our log does not say so.
#[derive(Debug, Clone)]
pub(super) struct Unsaid {
    event: i64,
    place: Option<Citation>,
    at: Timestamp,
}

/// Where an event stands of which nothing is to be said.
const NOTHING: u64 = 1 << 53;

/// What is to be said; nothing while the log does not speak.
pub(super) fn unsaid(view: &View<'_, '_>) -> Result<Vec<Unsaid>, StoreError> {
    if !view.signed.standing.speaks() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for event in view.db.unsaid_events(AlertClass::CallForHelp, limits::ALERT_EVENTS)? {
        let alert = event.alert.map(|id| view.db.alert(id)).transpose()?.flatten();
        let Some((at, _, _)) = alert.and_then(|alert| alert.acknowledged) else { continue };
        let object = event.statement.map(|statement| view.db.object(statement)).transpose()?.flatten();
        let cite = |row: store::ObjectRow| {
            let origin = view.db.origin(row.log)?;
            Ok::<_, StoreError>(Citation { origin, index: row.index, commitment: row.commitment })
        };
        all.push(Unsaid { event: event.id, place: object.map(cite).transpose()?, at });
    }
    Ok(all)
}

/// Says one of them.
pub(super) fn say(work: &mut Work<'_, '_>, unsaid: &Unsaid) -> Result<(), AssistError> {
    let place = match &unsaid.place {
        Some(place) => {
            let spoken = assist::acknowledge(work, place, unsaid.at)?;
            spoken.appended.index.0
        }
        None => NOTHING,
    };
    Ok(work.tx.event_said(unsaid.event, place)?)
}

/// Notes that it can't be said, so that it is not tried for ever.
pub(super) fn pass_over(work: &mut Work<'_, '_>, unsaid: &Unsaid) -> Result<(), StoreError> {
    work.tx.event_said(unsaid.event, NOTHING)
}
