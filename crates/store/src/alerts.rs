//! Alerts: ladders, what waits to wake somebody, what is under way, and whom it was sent to. Local truth.

use model::alert::{AlertClass, Channel};
use model::duty::Handle;
use model::{Timestamp, Tlp};
use rusqlite::{Row, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::{AlertId, LogId, StatementId};

coded_enum!(
    /// What became of one notice.
    NoticeFate {
        /// On its way; after a crash nobody knows.
        Sending = (0, "sending"),
        /// The server or the gateway took it.
        Sent = (1, "sent"),
        /// It did not go out.
        Failed = (2, "failed"),
        /// The node ended while it was on its way.
        Unknown = (3, "unknown"),
    }
);

coded_enum!(
    /// How an alert was acknowledged.
    AcknowledgedBy {
        /// By somebody who is logged in.
        Login = (0, "login"),
        /// By the code of a notice, on paper, in a link or over the telephone.
        Code = (1, "code"),
    }
);

/// The ladder of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LadderRow {
    /// Of which class.
    pub class: AlertClass,
    /// Its rungs as JSON.
    pub rungs: String,
    /// When it was set.
    pub changed: Timestamp,
    /// By whom.
    pub changed_by: String,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// Its number.
    pub id: AlertId,
    /// Of which class.
    pub class: AlertClass,
    /// The strictest label of what it is about.
    pub tlp: Tlp,
    /// The rungs as they were when it began, as JSON.
    pub rungs: String,
    /// When it began.
    pub started: Timestamp,
    /// The last rung that was climbed, from 0, and when.
    pub notified: Option<(usize, Timestamp)>,
    /// When the last rung had not answered.
    pub exhausted: Option<Timestamp>,
    /// When it was acknowledged, by whom and how.
    pub acknowledged: Option<(Timestamp, String, AcknowledgedBy)>,
}

/// Something that wakes somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEventRow {
    /// Its number.
    pub id: i64,
    /// Of which class.
    pub class: AlertClass,
    /// What it is, once a class.
    pub subject: String,
    /// Whose doing, for the limit on each: an origin, or nothing.
    pub origin: String,
    /// The statement, if it is one.
    pub statement: Option<StatementId>,
    /// Its label.
    pub tlp: Tlp,
    /// Since when.
    pub at: Timestamp,
    /// The alert that tells it; `None` while it waits.
    pub alert: Option<AlertId>,
    /// Where our log says that somebody is awake for it.
    pub said: Option<u64>,
}

/// One notice to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Of which alert.
    pub alert: AlertId,
    /// Of which rung, from 0.
    pub rung: usize,
    /// To whom.
    pub person: Handle,
    /// How.
    pub channel: Channel,
    /// When.
    pub at: Timestamp,
    /// What became of it.
    pub fate: NoticeFate,
    /// Why it failed.
    pub why: Option<String>,
    /// SHA-256 of the code that acknowledges.
    pub code: [u8; 32],
}

const ALERT: &str = "SELECT id, class, tlp, rungs, started, rung, notified, exhausted, acknowledged, acknowledged_by, how \
                     FROM alert";
const EVENT: &str = "SELECT id, class, subject, origin, statement, tlp, at, alert, said FROM alert_event";
const NOTICE: &str = "SELECT alert, rung, person, channel, at, fate, why, code FROM alert_notice";

fn alert_row(row: &Row<'_>) -> Result<AlertRow, StoreError> {
    let rung: Option<i64> = row.get(5)?;
    let rung = rung.and_then(|rung| usize::try_from(rung).ok());
    let by: Option<String> = row.get(9)?;
    let how: Option<u8> = row.get(10)?;
    let how = how.and_then(AcknowledgedBy::from_code);
    Ok(AlertRow {
        id: row.get(0)?,
        class: columns::parsed(row, 1, "class of alerts")?,
        tlp: columns::parsed(row, 2, "label")?,
        rungs: row.get(3)?,
        started: columns::time(row, 4)?,
        notified: rung.zip(columns::time_opt(row, 6)?),
        exhausted: columns::time_opt(row, 7)?,
        acknowledged: columns::time_opt(row, 8)?.zip(by).zip(how).map(|((at, by), how)| (at, by, how)),
    })
}

fn event_row(row: &Row<'_>) -> Result<AlertEventRow, StoreError> {
    let said: Option<i64> = row.get(8)?;
    Ok(AlertEventRow {
        id: row.get(0)?,
        class: columns::parsed(row, 1, "class of alerts")?,
        subject: row.get(2)?,
        origin: row.get(3)?,
        statement: row.get(4)?,
        tlp: columns::parsed(row, 5, "label")?,
        at: columns::time(row, 6)?,
        alert: row.get(7)?,
        said: said.map(i64::cast_unsigned),
    })
}

fn notice_row(row: &Row<'_>) -> Result<NoticeRow, StoreError> {
    let rung: i64 = row.get(1)?;
    Ok(NoticeRow {
        alert: row.get(0)?,
        rung: usize::try_from(rung).unwrap_or(0),
        person: columns::parsed(row, 2, "short name")?,
        channel: columns::parsed(row, 3, "channel")?,
        at: columns::time(row, 4)?,
        fate: columns::coded(row, 5, "fate of a notice", NoticeFate::from_code)?,
        why: row.get(6)?,
        code: row.get(7)?,
    })
}

fn label(tlp: Tlp) -> String {
    tlp.word().to_ascii_lowercase()
}

fn position(rung: usize) -> i64 {
    i64::try_from(rung).unwrap_or(i64::MAX)
}

impl Db<'_> {
    /// Every ladder.
    ///
    /// # Errors
    /// The database.
    pub fn ladders(&self) -> Result<Vec<LadderRow>, StoreError> {
        self.all("SELECT class, rungs, changed, changed_by FROM ladder ORDER BY class", [], |row| {
            Ok(LadderRow {
                class: columns::parsed(row, 0, "class of alerts")?,
                rungs: row.get(1)?,
                changed: columns::time(row, 2)?,
                changed_by: row.get(3)?,
            })
        })
    }

    /// Alerts, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn alerts(&self, before: Option<AlertId>, limit: usize) -> Result<Vec<AlertRow>, StoreError> {
        let before = before.map_or(i64::MAX, |before| before.0);
        let sql = format!("{ALERT} WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        self.all(&sql, params![before, columns::limit(limit)], alert_row)
    }

    /// Alerts that still climb, the oldest first.
    ///
    /// # Errors
    /// The database.
    pub fn open_alerts(&self) -> Result<Vec<AlertRow>, StoreError> {
        let sql = format!("{ALERT} WHERE acknowledged IS NULL AND exhausted IS NULL ORDER BY id");
        self.all(&sql, [], alert_row)
    }

    /// One alert.
    ///
    /// # Errors
    /// The database.
    pub fn alert(&self, id: AlertId) -> Result<Option<AlertRow>, StoreError> {
        self.one(&format!("{ALERT} WHERE id = ?1"), [id], alert_row)
    }

    /// What an alert is about.
    ///
    /// # Errors
    /// The database.
    pub fn alert_events(&self, id: AlertId) -> Result<Vec<AlertEventRow>, StoreError> {
        self.all(&format!("{EVENT} WHERE alert = ?1 ORDER BY id"), [id], event_row)
    }

    /// What waits for an alert of its own, the oldest first; at most so much of each origin and class, so that what one
    /// partner has waiting hides nobody else's.
    ///
    /// # Errors
    /// The database.
    pub fn waiting_events(&self, limit: usize) -> Result<Vec<AlertEventRow>, StoreError> {
        let sql = format!(
            "{EVENT} WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY class, origin ORDER BY id)
               AS place FROM alert_event WHERE alert IS NULL) WHERE place <= ?1) ORDER BY id"
        );
        self.all(&sql, [columns::limit(limit)], event_row)
    }

    /// Is this event known?
    ///
    /// # Errors
    /// The database.
    pub fn has_event(&self, class: AlertClass, subject: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM alert_event WHERE class = ?1 AND subject = ?2";
        Ok(self.one(sql, [class.word(), subject], |_| Ok(()))?.is_some())
    }

    /// How many alerts of a class began since a moment about something of one origin's doing.
    ///
    /// # Errors
    /// The database.
    pub fn alerts_since(&self, class: AlertClass, origin: &str, since: Timestamp) -> Result<u64, StoreError> {
        let counted = self.one(
            "SELECT count(DISTINCT alert.id) FROM alert JOIN alert_event ON alert_event.alert = alert.id
             WHERE alert.class = ?1 AND alert_event.origin = ?2 AND alert.started > ?3",
            params![class.word(), origin, since.micros()],
            |row| columns::count(row, 0),
        )?;
        Ok(counted.unwrap_or(0))
    }

    /// The notices of an alert, by rung.
    ///
    /// # Errors
    /// The database.
    pub fn notices(&self, id: AlertId) -> Result<Vec<NoticeRow>, StoreError> {
        self.all(&format!("{NOTICE} WHERE alert = ?1 ORDER BY rung, person, channel"), [id], notice_row)
    }

    /// The notice of a code, by its hash.
    ///
    /// # Errors
    /// The database.
    pub fn notice_by_code(&self, code: &[u8; 32]) -> Result<Option<NoticeRow>, StoreError> {
        self.one(&format!("{NOTICE} WHERE code = ?1"), [code], notice_row)
    }

    /// The newest statement that arrived here.
    ///
    /// # Errors
    /// The database.
    pub fn last_statement(&self) -> Result<StatementId, StoreError> {
        let last = self.one("SELECT coalesce(max(id), 0) FROM statement", [], |row| Ok(row.get(0)?))?;
        Ok(last.unwrap_or(StatementId(0)))
    }

    /// Objects of one type that others said and that arrived after a statement, in the order in which they did.
    ///
    /// # Errors
    /// The database.
    pub fn said_by_others(
        &self,
        own: LogId,
        kind: &str,
        after: StatementId,
        limit: usize,
    ) -> Result<Vec<StatementId>, StoreError> {
        self.all(
            "SELECT statement FROM object JOIN kind ON kind.id = object.kind
             WHERE kind.name = ?1 AND statement > ?2 AND log <> ?3 ORDER BY statement LIMIT ?4",
            params![kind, after, own, columns::limit(limit)],
            |row| Ok(row.get(0)?),
        )
    }

    /// Events that somebody has acknowledged and of which our log does not say so yet.
    ///
    /// # Errors
    /// The database.
    pub fn unsaid_events(&self, class: AlertClass, limit: usize) -> Result<Vec<AlertEventRow>, StoreError> {
        let sql = format!(
            "{EVENT} WHERE class = ?1 AND said IS NULL AND statement IS NOT NULL AND alert IN
             (SELECT id FROM alert WHERE acknowledged IS NOT NULL) ORDER BY id LIMIT ?2"
        );
        self.all(&sql, params![class.word(), columns::limit(limit)], event_row)
    }
}

impl Tx<'_> {
    /// Sets the ladder of a class.
    ///
    /// # Errors
    /// The database.
    pub fn put_ladder(&self, row: &LadderRow) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO ladder (class, rungs, changed, changed_by) VALUES (?1, ?2, ?3, ?4)",
            params![row.class.word(), row.rungs, row.changed.micros(), row.changed_by],
        )?;
        Ok(())
    }

    /// Takes the ladder of a class away; says whether there was one.
    ///
    /// # Errors
    /// The database.
    pub fn remove_ladder(&self, class: AlertClass) -> Result<bool, StoreError> {
        Ok(self.run("DELETE FROM ladder WHERE class = ?1", [class.word()])? > 0)
    }

    /// Notes something that wakes somebody, once; says whether it is new.
    ///
    /// # Errors
    /// The database.
    pub fn put_event(&self, row: &AlertEventRow) -> Result<bool, StoreError> {
        let changed = self.run(
            "INSERT INTO alert_event (class, subject, origin, statement, tlp, at, alert) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO NOTHING",
            params![
                row.class.word(),
                row.subject,
                row.origin,
                row.statement,
                label(row.tlp),
                row.at.micros(),
                row.alert,
            ],
        )?;
        Ok(changed > 0)
    }

    /// Has an alert tell an event.
    ///
    /// # Errors
    /// The database.
    pub fn tell_event(&self, event: i64, alert: AlertId) -> Result<(), StoreError> {
        self.run("UPDATE alert_event SET alert = ?2 WHERE id = ?1", params![event, alert])?;
        Ok(())
    }

    /// Notes where our log says that somebody is awake for an event.
    ///
    /// # Errors
    /// The database.
    pub fn event_said(&self, event: i64, place: u64) -> Result<(), StoreError> {
        self.run("UPDATE alert_event SET said = ?2 WHERE id = ?1", params![event, columns::int(place)])?;
        Ok(())
    }

    /// Begins an alert. Its number is never given again, also once it is forgotten.
    ///
    /// # Errors
    /// The database.
    pub fn add_alert(
        &self,
        class: AlertClass,
        tlp: Tlp,
        rungs: &str,
        started: Timestamp,
    ) -> Result<AlertId, StoreError> {
        let id = AlertId(columns::int(self.allocate("alert")?));
        let sql = "INSERT INTO alert (id, class, tlp, rungs, started) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.run(sql, params![id, class.word(), label(tlp), rungs, started.micros()])?;
        Ok(id)
    }

    /// Keeps how an alert stands.
    ///
    /// # Errors
    /// The database.
    pub fn put_alert(&self, row: &AlertRow) -> Result<(), StoreError> {
        let acknowledged = row.acknowledged.as_ref();
        self.run(
            "UPDATE alert SET tlp = ?2, rung = ?3, notified = ?4, exhausted = ?5, acknowledged = ?6, acknowledged_by = ?7,
               how = ?8 WHERE id = ?1",
            params![
                row.id,
                label(row.tlp),
                row.notified.map(|(rung, _)| position(rung)),
                row.notified.map(|(_, at)| at.micros()),
                row.exhausted.map(Timestamp::micros),
                acknowledged.map(|(at, _, _)| at.micros()),
                acknowledged.map(|(_, by, _)| by),
                acknowledged.map(|(_, _, how)| how.code()),
            ],
        )?;
        Ok(())
    }

    /// Keeps a notice; one that is there gets this fate.
    ///
    /// # Errors
    /// The database.
    pub fn put_notice(&self, row: &NoticeRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO alert_notice (alert, rung, person, channel, at, fate, why, code)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (alert, rung, person, channel) DO UPDATE SET fate = excluded.fate, why = excluded.why",
            params![
                row.alert,
                position(row.rung),
                row.person.as_str(),
                row.channel.word(),
                row.at.micros(),
                row.fate.code(),
                row.why,
                row.code,
            ],
        )?;
        Ok(())
    }

    /// Says of every notice that was on its way when the node ended that nobody knows; says how many.
    ///
    /// # Errors
    /// The database.
    pub fn notices_unknown(&self) -> Result<usize, StoreError> {
        let (sending, unknown) = (NoticeFate::Sending.code(), NoticeFate::Unknown.code());
        self.run("UPDATE alert_notice SET fate = ?2 WHERE fate = ?1", [sending, unknown])
    }

    /// Forgets alerts that began before a moment, with their events and notices.
    ///
    /// # Errors
    /// The database.
    pub fn forget_alerts(&self, before: Timestamp) -> Result<(), StoreError> {
        let before = before.micros();
        let old = "IN (SELECT id FROM alert WHERE started < ?1)";
        self.run(&format!("DELETE FROM alert_notice WHERE alert {old}"), [before])?;
        self.run(&format!("DELETE FROM alert_event WHERE alert {old}"), [before])?;
        self.run("DELETE FROM alert WHERE started < ?1", [before])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    fn event(subject: &str, origin: &str) -> AlertEventRow {
        AlertEventRow {
            id: 0,
            class: AlertClass::Answer,
            subject: subject.to_owned(),
            origin: origin.to_owned(),
            statement: None,
            tlp: Tlp::AmberStrict,
            at: at(0),
            alert: None,
            said: None,
        }
    }

    #[test]
    fn an_alert_tells_events_once_and_remembers_whom_it_was_sent_to() {
        let world = World::new();
        world.write(|tx| {
            assert!(tx.put_event(&event("a", "x"))? && !tx.put_event(&event("a", "x"))?);
            assert!(tx.put_event(&event("b", "y"))?);
            let waiting = tx.waiting_events(9)?;
            assert_eq!(waiting.iter().map(|row| row.subject.as_str()).collect::<Vec<_>>(), ["a", "b"]);
            assert!(tx.put_event(&event("c", "x"))?);
            let of_each: Vec<String> = tx.waiting_events(1)?.into_iter().map(|row| row.subject).collect();
            assert_eq!(of_each, ["a", "b"], "what one has waiting hides nobody else's");
            let id = tx.add_alert(AlertClass::Answer, Tlp::Amber, "[]", at(5))?;
            tx.tell_event(waiting[0].id, id)?;
            assert_eq!((tx.waiting_events(9)?.len(), tx.alert_events(id)?.len()), (2, 1));
            assert_eq!(tx.alerts_since(AlertClass::Answer, "x", at(0))?, 1);
            assert_eq!(tx.alerts_since(AlertClass::Answer, "x", at(5))?, 0);
            assert_eq!(tx.alerts_since(AlertClass::Answer, "y", at(0))?, 0);
            let notice = NoticeRow {
                alert: id,
                rung: 0,
                person: "anna".parse().unwrap(),
                channel: Channel::Mail,
                at: at(6),
                fate: NoticeFate::Sending,
                why: None,
                code: [7; 32],
            };
            tx.put_notice(&notice)?;
            assert_eq!(tx.notices_unknown()?, 1);
            let sent = NoticeRow { fate: NoticeFate::Sent, ..notice };
            tx.put_notice(&sent)?;
            assert!(tx.notices(id)? == [sent.clone()] && tx.notice_by_code(&[7; 32])? == Some(sent));
            let mut row = tx.alert(id)?.unwrap();
            row.notified = Some((0, at(6)));
            row.acknowledged = Some((at(9), "Anna".to_owned(), AcknowledgedBy::Code));
            tx.put_alert(&row)?;
            assert_eq!((tx.alert(id)?, tx.open_alerts()?.len()), (Some(row.clone()), 0));
            assert_eq!(tx.alerts(None, 9)?, [row]);
            tx.forget_alerts(at(9))?;
            assert!(tx.alerts(None, 9)?.is_empty() && !tx.has_event(AlertClass::Answer, "a")?);
            Ok(())
        });
    }
}
