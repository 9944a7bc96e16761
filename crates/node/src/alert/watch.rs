//! What happened that wakes somebody: what partners say, partners that are held, our own log that does not speak.

use model::alert::AlertClass;
use model::extension::Extension;
use model::extension::assistance::{Agreement, Mission, Offer, Request};
use model::{Timestamp, Tlp};
use store::{AlertRow, Db, ObjectState, PartnerState, StatementId, StoreError};

use super::{event, ladder_of};
use crate::limits;
use crate::me::Me;
use crate::standing::Standing;
use crate::work::Work;

/// What a partner says that wakes somebody. Not that somebody else is awake, and nothing of the case room: a message or a
/// disk on its way has no time by which it is answered, and whoever is woken by each line of a talk no longer gets up for a
/// call for help. What can't wait is told over the telephone; its number is in the call.
const WAKING: [&str; 4] = [Request::KIND, Offer::KIND, Agreement::KIND, Mission::KIND];

/// The setting that says up to which statement was looked.
const CURSOR: &str = "alert-cursor";

/// Looks at what comes from now on, and not at what is there.
pub(super) fn from_now_on(work: &Work<'_, '_>) -> Result<(), StoreError> {
    let last = work.tx.last_statement()?;
    work.tx.set_setting(CURSOR, &last.to_string())
}

fn cursor(db: &Db<'_>) -> Result<StatementId, StoreError> {
    let kept = db.setting(CURSOR)?.and_then(|text| text.parse().ok());
    Ok(StatementId(kept.unwrap_or(0)))
}

/// Something that happened.
struct Happened {
    class: AlertClass,
    subject: String,
    origin: String,
    statement: Option<StatementId>,
    tlp: Tlp,
}

/// What has happened since it was last looked, and up to which statement everything is in it.
fn happened(
    db: &Db<'_>,
    me: &Me,
    standing: &Standing,
    limit: usize,
) -> Result<(Vec<Happened>, StatementId), StoreError> {
    let after = cursor(db)?;
    let mut whole = db.last_statement()?;
    let mut all = Vec::new();
    for kind in WAKING {
        let said = db.said_by_others(me.log, kind, after, limit)?;
        // Of what is cut off here nothing is passed over: the next look begins behind the last that was seen.
        if let Some(last) = said.last().filter(|_| said.len() >= limit) {
            whole = whole.min(*last);
        }
        for statement in said {
            let Some(row) = db.object(statement)?.filter(|row| row.state == ObjectState::Live) else { continue };
            let origin = db.origin(row.log)?.to_string();
            // A new version of a call for help wakes nobody again; an answer is news each time.
            let (class, subject) = if kind == Request::KIND {
                (AlertClass::CallForHelp, format!("{origin} {}", row.stix_id))
            } else {
                (AlertClass::Answer, format!("{origin} {}", row.index))
            };
            all.push(Happened { class, subject, origin, statement: Some(statement), tlp: row.tlp });
        }
    }
    for partner in db.partners()?.into_iter().filter(|partner| partner.state == PartnerState::Held) {
        // Whoever held a partner by hand is awake.
        if let Some(evidence) = db.evidence(Some(partner.log), 1)?.first() {
            let origin = partner.origin.to_string();
            let subject = format!("{origin} {}", evidence.id);
            all.push(Happened {
                class: AlertClass::PartnerHeld,
                subject,
                origin,
                statement: None,
                tlp: Tlp::AmberStrict,
            });
        }
    }
    let silent = match standing {
        Standing::Speaking => None,
        Standing::Recovering { from, needs, .. } => Some(format!("recovering {from} {needs}")),
        Standing::Stopped { why } => Some(format!("stopped {why}")),
    };
    if let Some(subject) = silent {
        let origin = me.origin.to_string();
        all.push(Happened { class: AlertClass::Recovery, subject, origin, statement: None, tlp: Tlp::AmberStrict });
    }
    Ok((all, whole))
}

/// Is there anything to be noted or begun?
pub(super) fn is_due(db: &Db<'_>, me: &Me, standing: &Standing, now: Timestamp) -> Result<bool, StoreError> {
    if db.ladders()?.is_empty() {
        return Ok(false);
    }
    let (new, whole) = happened(db, me, standing, limits::ALERT_EVENTS)?;
    for one in new {
        if !db.has_event(one.class, &one.subject)? && ladder_of(db, one.class)?.is_some() {
            return Ok(true);
        }
    }
    // What is of no interest is passed over from time to time, so that the next look is short.
    if whole.0 - cursor(db)?.0 > limits::ALERT_PASSED_OVER {
        return Ok(true);
    }
    let open = db.open_alerts()?;
    for waiting in db.waiting_events(limits::ALERT_EVENTS)? {
        if may_begin(db, &open, waiting.class, &waiting.origin, now)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn may_begin(
    db: &Db<'_>,
    open: &[AlertRow],
    class: AlertClass,
    origin: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if open.iter().any(|alert| alert.class == class) {
        return Ok(true);
    }
    let hour = now.plus_seconds(-3_600);
    Ok(ladder_of(db, class)?.is_some() && db.alerts_since(class, origin, hour)? < limits::ALERTS_AN_HOUR)
}

/// Notes what has happened, and begins alerts for it. While an alert of a class climbs, more of the class joins it: nobody
/// is woken by the dozen, and whoever acknowledges sees them all.
pub(super) fn look(work: &Work<'_, '_>) -> Result<(), StoreError> {
    let (new, whole) = happened(work.tx, work.me, work.standing(), limits::ALERT_EVENTS)?;
    for one in new {
        let Happened { class, subject, origin, statement, tlp } = one;
        if ladder_of(work.tx, class)?.is_some() {
            work.tx.put_event(&event(class, subject, &origin, statement, tlp, work.now, None))?;
        }
    }
    work.tx.set_setting(CURSOR, &whole.to_string())?;
    let mut open: Vec<AlertRow> = work.tx.open_alerts()?;
    for waiting in work.tx.waiting_events(limits::ALERT_EVENTS)? {
        if !may_begin(work.tx, &open, waiting.class, &waiting.origin, work.now)? {
            continue;
        }
        if let Some(alert) = open.iter_mut().find(|alert| alert.class == waiting.class) {
            work.tx.tell_event(waiting.id, alert.id)?;
            alert.tlp = alert.tlp.max(waiting.tlp);
            work.tx.put_alert(alert)?;
            continue;
        }
        let Some(ladder) = ladder_of(work.tx, waiting.class)? else { continue };
        let rungs = serde_json::to_string(&ladder).unwrap_or_default();
        let id = work.tx.add_alert(waiting.class, waiting.tlp, &rungs, work.now)?;
        work.tx.tell_event(waiting.id, id)?;
        open.extend(work.tx.alert(id)?);
    }
    work.tx.forget_alerts(work.now.plus_seconds(-limits::ALERT_KEPT_SECONDS))
}
