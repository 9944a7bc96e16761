//! One step up a ladder: who is woken is decided and noted here, and sent by whoever called, once this is durable.

use domain::ladder::{self, Due, Step};
use model::alert::{AlertClass, Channel, Who};
use model::duty::Contact;
use store::{AlertId, NoticeFate, NoticeRow, StoreError};

use super::{Alert, digest, draw_code, load};
use crate::duty;
use crate::ports::Notice;
use crate::work::Work;

use super::run::Words;

/// A notice to be sent, and its row.
pub(super) struct Outgoing {
    pub(super) channel: Channel,
    pub(super) notice: Notice,
    pub(super) row: NoticeRow,
}

/// Takes every step that is due, of every alert that climbs.
pub(super) fn climb(work: &mut Work<'_, '_>, words: &Words) -> Result<Vec<Outgoing>, StoreError> {
    let mut out = Vec::new();
    for row in work.tx.open_alerts()? {
        let alert = load(work.tx, row)?;
        step(work, alert, words, &mut out)?;
    }
    Ok(out)
}

fn step(work: &mut Work<'_, '_>, mut alert: Alert, words: &Words, out: &mut Vec<Outgoing>) -> Result<(), StoreError> {
    let at = work.now;
    let (next, rung) = match alert.due(at) {
        Due::Notify(rung) => (Step::Notify { rung, at }, Some(rung)),
        Due::GiveUp => (Step::GiveUp { at }, None),
        Due::Wait(_) | Due::Nothing => return Ok(()),
    };
    let state = ladder::apply(&alert.state, next, &alert.ladder);
    alert.state = state.map_err(|error| StoreError::Corrupt { what: format!("alert {}: {error}", alert.row.id) })?;
    match rung {
        Some(rung) => alert.row.notified = Some((rung, at)),
        None => alert.row.exhausted = Some(at),
    }
    work.tx.put_alert(&alert.row)?;
    if let Some(rung) = rung {
        notify(work, &alert, rung, words, out)?;
    } else {
        tracing::error!(alert = %alert.row.id, "nobody has acknowledged an alert, and its ladder is at its end");
    }
    Ok(())
}

fn notify(
    work: &mut Work<'_, '_>,
    alert: &Alert,
    rung: usize,
    words: &Words,
    out: &mut Vec<Outgoing>,
) -> Result<(), StoreError> {
    let Some(of) = alert.ladder.rungs().get(rung).cloned() else { return Ok(()) };
    for contact in woken(work, &of.who)? {
        for channel in &of.by {
            let code = draw_code(work.random);
            let mut row = NoticeRow {
                alert: alert.row.id,
                rung,
                person: contact.person.clone(),
                channel: *channel,
                at: work.now,
                fate: NoticeFate::Sending,
                why: None,
                code: digest(&code),
            };
            if *channel == Channel::Mail && contact.mail.is_none() {
                (row.fate, row.why) = (NoticeFate::Failed, Some("the roster has no mail address".to_owned()));
            }
            work.tx.put_notice(&row)?;
            if row.fate == NoticeFate::Sending {
                let notice = notice(work, alert, &contact, code, words, &row);
                out.push(Outgoing { channel: *channel, notice, row });
            }
        }
    }
    Ok(())
}

/// Whoever a rung wakes at this moment.
fn woken(work: &Work<'_, '_>, who: &Who) -> Result<Vec<Contact>, StoreError> {
    match who {
        Who::Person(person) => Ok(work.tx.contact(person)?.into_iter().collect()),
        Who::Post(post) => {
            let here = duty::on_duty(work.tx, work.now)?;
            let mut contacts: Vec<Contact> =
                here.into_iter().filter(|one| one.shift.post == *post).map(|one| one.contact).collect();
            contacts.dedup();
            Ok(contacts)
        }
    }
}

fn notice(
    work: &Work<'_, '_>,
    alert: &Alert,
    contact: &Contact,
    code: String,
    words: &Words,
    row: &NoticeRow,
) -> Notice {
    let (country, realm) = (work.me.origin.country().to_string(), work.me.realm().to_string());
    let drill = alert.row.class == AlertClass::Drill;
    let number = alert.row.id;
    let link = words.address.as_ref().map(|address| format!("{}/acknowledge/{code}", address.trim_end_matches('/')));
    let label = alert.row.tlp;
    Notice {
        key: format!("{country}-{realm}-{number}-{}-{}-{}", row.rung, contact.person, row.channel),
        text: text(&country, &realm, number, label, drill, words.call.as_deref()),
        number: number.0,
        country,
        realm,
        label,
        drill,
        contact: contact.clone(),
        code,
        link,
        at: work.now,
    }
}

/// What a notice says: number, label, log in or call. Nothing of what happened.
fn text(country: &str, realm: &str, number: AlertId, label: model::Tlp, drill: bool, call: Option<&str>) -> String {
    let drill = if drill { "DRILL DRILL DRILL. " } else { "" };
    let realm = if realm == "REAL" { String::new() } else { format!(" {realm}") };
    let call = call.map(|call| format!(" or call {call}")).unwrap_or_default();
    format!("{drill}Entraide {country}{realm}: alert {number}, TLP:{}. Log in{call}.", label.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_its_number_and_label_and_nothing_else() {
        let check = |realm, drill, call, expect: &str| {
            assert_eq!(text("FR", realm, AlertId(17), model::Tlp::AmberStrict, drill, call), expect);
        };
        check("REAL", false, Some("+33 1 00"), "Entraide FR: alert 17, TLP:AMBER+STRICT. Log in or call +33 1 00.");
        check("REAL", true, None, "DRILL DRILL DRILL. Entraide FR: alert 17, TLP:AMBER+STRICT. Log in.");
        check("EX-BLUE", false, None, "Entraide FR EX-BLUE: alert 17, TLP:AMBER+STRICT. Log in.");
    }
}
