//! Somebody wakes up: what happened becomes an alert, an alert climbs its ladder, and somebody acknowledges it (workflows
//! §0). Local truth: nothing of it is in the log but, for a call for help, that somebody is awake.
//!
//! A rung is noted before anything of it is sent, and is never noted twice: after a crash nobody is woken again for it, and
//! whoever may not have been reached is passed over for the next.

mod climb;
pub mod run;
mod say;
mod watch;

use data_encoding::BASE32_NOPAD;
use domain::ladder::{self, InvalidStep, State, Step};
use model::alert::{AlertClass, Ladder, LadderError, Who};
use model::duty::Handle;
use model::{EntryRef, Origin, Timestamp, Tlp};
use policy::{Facts, Governed, PolicyVersion, Purpose, Viewer};
use sha2::{Digest, Sha256};
use store::{
    AcknowledgedBy, AlertEventRow, AlertId, AlertRow, Db, LadderRow, NoticeFate, NoticeRow, StatementId, StoreError,
};

use crate::actor::Actor;
use crate::limits;
use crate::ports::{Random, random_bytes};
use crate::query::facts_of_row;
use crate::work::{View, Work};

pub use run::Words;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ladder.
    #[error(transparent)]
    Ladder(#[from] LadderError),
    /// Its rung wakes nobody.
    #[error("`{0}` is not in the roster: add the person first")]
    Person(Handle),
    /// There is none.
    #[error("`{0}` has no ladder: set one with `entraide ladder set`")]
    NoLadder(AlertClass),
    /// A drill has the ladder of what it tries.
    #[error("a drill climbs the ladder of what it tries: name that class")]
    OfDrill,
    /// No such alert.
    #[error("there is no alert {0}: list them with `entraide alert list`")]
    Unknown(AlertId),
    /// It is answered.
    #[error(transparent)]
    Step(#[from] InvalidStep),
    /// Wrong, used, or too old: one answer.
    #[error("that code acknowledges nothing: log in, or call")]
    Code,
    /// Too many.
    #[error("there were six drills within the hour: wait, so that people still come when it is real")]
    TooMany,
}

/// An alert as it stands.
#[derive(Debug, Clone)]
pub struct Alert {
    /// As it is kept.
    pub row: AlertRow,
    /// The ladder that it climbs.
    pub ladder: Ladder,
    /// Where it stands.
    pub state: State,
    /// What it is about.
    pub events: Vec<AlertEventRow>,
    /// Whom it was sent to.
    pub notices: Vec<NoticeRow>,
    /// The statements that it is about, `FR:12`, as far as a viewer may know of them; none where there is no viewer.
    pub about: Vec<EntryRef>,
}

impl Alert {
    /// Is it known that nobody of the current rung was reached?
    fn is_unreached(&self) -> bool {
        let State::Notified { rung, .. } = self.state else { return false };
        let reached = |notice: &NoticeRow| matches!(notice.fate, NoticeFate::Sent | NoticeFate::Sending);
        !self.notices.iter().any(|notice| notice.rung == rung && reached(notice))
    }

    fn due(&self, now: Timestamp) -> ladder::Due {
        ladder::due(&self.state, &self.ladder, self.is_unreached(), now)
    }

    /// What a drill tries: the class whose ladder it climbs.
    #[must_use]
    pub fn tries(&self) -> Option<&str> {
        let event = self.events.first().filter(|_| self.row.class == AlertClass::Drill)?;
        event.subject.split(' ').next()
    }
}

/// A partner without a node has answered where nobody was looking: it wakes as every partner's answer does.
pub(crate) fn answered_without_node(
    work: &Work<'_, '_>,
    origin: &Origin,
    subject: String,
    tlp: Tlp,
) -> Result<(), StoreError> {
    if ladder_of(work.tx, AlertClass::Answer)?.is_some() {
        let origin = origin.to_string();
        work.tx.put_event(&event(AlertClass::Answer, subject, &origin, None, tlp, work.now, None))?;
    }
    Ok(())
}

/// Everything about one alert.
pub(crate) fn load(db: &Db<'_>, row: AlertRow) -> Result<Alert, StoreError> {
    let (events, notices) = (db.alert_events(row.id)?, db.notices(row.id)?);
    Ok(Alert { ladder: read(&row.rungs)?, state: state_of(&row), events, notices, about: Vec::new(), row })
}

fn find(db: &Db<'_>, id: AlertId) -> Result<Alert, AlertError> {
    let row = db.alert(id)?.ok_or(AlertError::Unknown(id))?;
    Ok(load(db, row)?)
}

struct About {
    entry: EntryRef,
    facts: Facts,
}

impl Governed for About {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// An alert with what it is about, filtered: whoever may not see a statement is not told that it is there.
fn shown(view: &View<'_, '_>, viewer: &Viewer, row: AlertRow) -> Result<Alert, StoreError> {
    let alert = load(view.db, row)?;
    let mut about = Vec::new();
    for statement in alert.events.iter().filter_map(|event| event.statement) {
        if let Some(object) = view.db.object(statement)? {
            let entry = EntryRef::of(&view.db.origin(object.log)?, object.index);
            about.push(About { entry, facts: facts_of_row(view, &object)? });
        }
    }
    let about = policy::release_all(about, viewer, Purpose::Read, &PolicyVersion::CURRENT).into_inner();
    Ok(Alert { about: about.into_iter().map(|about| about.entry).collect(), ..alert })
}

fn read(rungs: &str) -> Result<Ladder, StoreError> {
    serde_json::from_str(rungs).map_err(|error| StoreError::Corrupt { what: format!("a ladder: {error}") })
}

fn state_of(row: &AlertRow) -> State {
    match (&row.acknowledged, row.exhausted, row.notified) {
        (Some((at, by, _)), _, _) => State::Acknowledged { at: *at, by: by.clone() },
        (None, Some(at), _) => State::Exhausted { at },
        (None, None, Some((rung, at))) => State::Notified { rung, at },
        (None, None, None) => State::Started,
    }
}

/// Every ladder.
///
/// # Errors
/// The database.
pub fn ladders(db: &Db<'_>) -> Result<Vec<(LadderRow, Ladder)>, StoreError> {
    db.ladders()?.into_iter().map(|row| read(&row.rungs).map(|ladder| (row, ladder))).collect()
}

fn ladder_of(db: &Db<'_>, class: AlertClass) -> Result<Option<Ladder>, StoreError> {
    let found = db.ladders()?.into_iter().find(|row| row.class == class);
    found.map(|row| read(&row.rungs)).transpose()
}

/// Sets the ladder of a class. What has happened before the first ladder was set wakes nobody.
///
/// # Errors
/// A drill has none of its own; or a rung names somebody who is not in the roster.
pub fn set_ladder(work: &mut Work<'_, '_>, class: AlertClass, to: &Ladder, by: &Actor) -> Result<(), AlertError> {
    if class == AlertClass::Drill {
        return Err(AlertError::OfDrill);
    }
    for rung in to.rungs() {
        if let Who::Person(person) = &rung.who
            && work.tx.contact(person)?.is_none()
        {
            return Err(AlertError::Person(person.clone()));
        }
    }
    if work.tx.ladders()?.is_empty() {
        watch::from_now_on(work)?;
    }
    let rungs = serde_json::to_string(to).unwrap_or_default();
    work.tx.put_ladder(&LadderRow { class, rungs, changed: work.now, changed_by: by.login.clone() })?;
    Ok(())
}

/// Takes the ladder of a class away: from now on nothing of it wakes anybody.
///
/// # Errors
/// There is none.
pub fn remove_ladder(work: &mut Work<'_, '_>, class: AlertClass) -> Result<(), AlertError> {
    if work.tx.remove_ladder(class)? { Ok(()) } else { Err(AlertError::NoLadder(class)) }
}

/// A page of alerts, the newest first.
///
/// # Errors
/// The database.
pub fn list(
    view: &View<'_, '_>,
    viewer: &Viewer,
    before: Option<AlertId>,
    limit: usize,
) -> Result<Vec<Alert>, StoreError> {
    view.db.alerts(before, limit)?.into_iter().map(|row| shown(view, viewer, row)).collect()
}

/// One alert.
///
/// # Errors
/// Not there.
pub fn one(view: &View<'_, '_>, viewer: &Viewer, id: AlertId) -> Result<Alert, AlertError> {
    let row = view.db.alert(id)?.ok_or(AlertError::Unknown(id))?;
    Ok(shown(view, viewer, row)?)
}

/// Tries whether somebody wakes up, by the ladder of a class and with texts that say that it is a drill.
///
/// # Errors
/// The class has no ladder, or there were too many drills.
pub fn drill(work: &mut Work<'_, '_>, class: AlertClass, by: &Actor) -> Result<Alert, AlertError> {
    if class == AlertClass::Drill {
        return Err(AlertError::OfDrill);
    }
    let ladder = ladder_of(work.tx, class)?.ok_or(AlertError::NoLadder(class))?;
    let hour = work.now.plus_seconds(-3_600);
    if work.tx.alerts_since(AlertClass::Drill, DRILLS, hour)? >= limits::ALERTS_AN_HOUR {
        return Err(AlertError::TooMany);
    }
    let rungs = serde_json::to_string(&ladder).unwrap_or_default();
    let id = work.tx.add_alert(AlertClass::Drill, Tlp::Clear, &rungs, work.now)?;
    let subject = format!("{class} {} {}", by.login, id);
    work.tx.put_event(&event(AlertClass::Drill, subject, DRILLS, None, Tlp::Clear, work.now, Some(id)))?;
    find(work.tx, id)
}

/// Whose doing drills are, for the limit on them.
const DRILLS: &str = "drill";

fn event(
    class: AlertClass,
    subject: String,
    origin: &str,
    statement: Option<StatementId>,
    tlp: Tlp,
    at: Timestamp,
    alert: Option<AlertId>,
) -> AlertEventRow {
    AlertEventRow { id: 0, class, subject, origin: origin.to_owned(), statement, tlp, at, alert, said: None }
}

/// Somebody who is logged in is awake for it.
///
/// # Errors
/// Not there, or answered.
pub fn acknowledge(work: &mut Work<'_, '_>, id: AlertId, by: &Actor) -> Result<Alert, AlertError> {
    answered(work, id, by.login.clone(), AcknowledgedBy::Login)
}

/// Somebody who was told a code is awake for it.
///
/// # Errors
/// The code acknowledges nothing, or somebody was faster.
pub fn acknowledge_by_code(work: &mut Work<'_, '_>, code: &str) -> Result<Alert, AlertError> {
    let notice = notice_of(work.tx, code, work.now)?;
    let contact = work.tx.contact(&notice.person)?;
    let name = contact.map_or_else(|| notice.person.to_string(), |contact| contact.name);
    answered(work, notice.alert, name, AcknowledgedBy::Code)
}

/// The alert that a code acknowledges; it shows nothing else of it.
///
/// # Errors
/// The code acknowledges nothing.
pub fn of_code(view: &View<'_, '_>, code: &str) -> Result<Alert, AlertError> {
    let notice = notice_of(view.db, code, view.now)?;
    find(view.db, notice.alert)
}

fn notice_of(db: &Db<'_>, code: &str, now: Timestamp) -> Result<NoticeRow, AlertError> {
    let notice = db.notice_by_code(&digest(code))?.ok_or(AlertError::Code)?;
    if notice.at.plus_seconds(limits::ALERT_CODE_SECONDS) < now { Err(AlertError::Code) } else { Ok(notice) }
}

fn answered(work: &mut Work<'_, '_>, id: AlertId, by: String, how: AcknowledgedBy) -> Result<Alert, AlertError> {
    let mut alert = find(work.tx, id)?;
    let step = Step::Acknowledge { at: work.now, by: by.clone() };
    alert.state = ladder::apply(&alert.state, step, &alert.ladder)?;
    alert.row.acknowledged = Some((work.now, by, how));
    work.tx.put_alert(&alert.row)?;
    Ok(alert)
}

/// A code of sixty bits in three groups: `K7QF-2M9X-4TRA`. So many that guessing over the network is in vain.
fn draw_code(random: &mut dyn Random) -> String {
    let letters = BASE32_NOPAD.encode(&random_bytes::<8>(random));
    format!("{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..12])
}

/// A code as it is compared: people type it in small letters, with spaces or without.
fn digest(code: &str) -> [u8; 32] {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).take(limits::ALERT_CODE_LETTERS);
    let plain: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
    Sha256::digest(plain).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = draw_code(&mut Fixed(0x5a));
        assert_eq!(code.len(), 14, "{code}");
        let typed = [code.clone(), code.replace('-', ""), code.replace('-', " ").to_lowercase(), format!(" {code} ")];
        for typed in typed {
            assert_eq!(digest(&typed), digest(&code), "{typed}");
        }
        assert_ne!(digest(&code), digest(&draw_code(&mut Fixed(0x5b))));
        assert_ne!(digest(""), digest(&code));
    }
}
