//! `ladder`, `alert`, `drill`: who is woken by what, who was, and whether somebody wakes up.

use clap::Subcommand;
use hyper::Method;
use model::alert::{AlertClass, Channel, Rung};
use serde::Deserialize;
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::shapes::Page;
use super::{Failure, Session};
use crate::client::{Ask, read};
use crate::limits;

/// `ladder …`.
#[derive(Debug, Subcommand)]
pub enum LadderCommand {
    /// Set whom a class of events wakes, the first first; what is under way climbs the ladder as it was
    Set {
        /// call-for-help, answer, partner-held or recovery
        class: AlertClass,
        /// WHO:WAY:MINUTES, such as post:duty:mail+webhook:5 or anna:webhook:10, several times
        #[arg(long = "rung", required = true, value_name = "RUNG")]
        rungs: Vec<RungArg>,
    },
    /// Show every ladder
    List,
    /// Take a ladder away: nothing of its class wakes anybody
    Remove {
        /// Which
        class: AlertClass,
    },
}

/// `alert …`.
#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// List alerts, the newest first, with whom they were sent to and who answered
    List,
    /// Say that somebody is awake for it: nobody else is woken
    Acknowledge {
        /// Its number
        number: i64,
    },
}

/// `drill …`.
#[derive(Debug, Subcommand)]
pub enum DrillCommand {
    /// Wake people by a ladder, with texts that say that it is a drill, and report who answered in how long
    CallOut {
        /// Whose ladder is tried
        #[arg(long, default_value = "call-for-help")]
        class: AlertClass,
        /// Do not wait for the end of it: look later with `entraide alert list`
        #[arg(long)]
        no_wait: bool,
    },
}

/// `post:duty:mail+webhook:5`.
#[derive(Debug, Clone)]
pub struct RungArg(Rung);

impl std::str::FromStr for RungArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write WHO:WAY:MINUTES, such as post:duty:mail:5".to_owned();
        let mut parts = text.rsplitn(3, ':');
        let minutes = parts.next().and_then(|minutes| minutes.parse().ok()).ok_or_else(form)?;
        let ways = parts.next().ok_or_else(form)?;
        let who = parts.next().ok_or_else(form)?.parse().map_err(|error: model::duty::DutyError| error.to_string())?;
        let by: Result<Vec<Channel>, _> = ways.split('+').map(str::parse).collect();
        Ok(Self(Rung { who, by: by.map_err(|error| error.to_string())?, minutes }))
    }
}

#[derive(Deserialize)]
struct Ladder {
    class: String,
    rungs: Vec<RungRow>,
}

#[derive(Deserialize)]
struct RungRow {
    who: String,
    by: Vec<String>,
    minutes: u16,
}

#[derive(Deserialize)]
struct Alert {
    number: i64,
    class: String,
    label: String,
    state: String,
    started: String,
    about: Vec<String>,
    acknowledged_by: Option<String>,
    acknowledged: Option<String>,
    answered_in: Option<i64>,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
struct Notice {
    rung: usize,
    person: String,
    channel: String,
    at: String,
    fate: String,
    why: Option<String>,
}

pub(super) async fn ladder(session: &Session, command: &LadderCommand) -> Result<(), Failure> {
    match command {
        LadderCommand::Set { class, rungs } => {
            let rungs: Vec<&Rung> = rungs.iter().map(|rung| &rung.0).collect();
            let ask = Ask::json(Method::PUT, format!("/ladders/{class}"), &object_of!({ "rungs": rungs }));
            session.client.bytes(&ask).await?;
            if session.json { raw(b"{}\n") } else { line(&format!("{class} wakes {} rungs of people", rungs.len())) }
        }
        LadderCommand::Remove { class } => {
            session.client.bytes(&Ask::delete(format!("/ladders/{class}"))).await?;
            if session.json { raw(b"{}\n") } else { line(&format!("{class} wakes nobody")) }
        }
        LadderCommand::List => {
            let bytes = session.client.bytes(&Ask::get("/ladders")).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let page: Page<Ladder> = read(&bytes)?;
            if page.items.is_empty() {
                return line("no ladder is set: nothing wakes anybody");
            }
            let mut rows = Vec::new();
            for ladder in &page.items {
                for (at, rung) in (1..).zip(&ladder.rungs) {
                    let how = format!("by {}, {} minutes to answer", rung.by.join(" and "), rung.minutes);
                    rows.push(vec![ladder.class.clone(), format!("{at}"), clean(&rung.who), how]);
                }
            }
            table(&rows)
        }
    }
}

pub(super) async fn alert(session: &Session, command: &AlertCommand) -> Result<(), Failure> {
    match command {
        AlertCommand::List => {
            let bytes = session.client.bytes(&Ask::get("/alerts")).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let page: Page<Alert> = read(&bytes)?;
            if page.items.is_empty() {
                return line("nobody was woken");
            }
            page.items.iter().try_for_each(shown)
        }
        AlertCommand::Acknowledge { number } => {
            let path = format!("/alerts/{number}/acknowledge");
            let bytes = session.client.bytes(&Ask::json(Method::POST, path, &object_of!({}))).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            shown(&read(&bytes)?)
        }
    }
}

fn shown(alert: &Alert) -> Result<(), Failure> {
    let about = if alert.about.is_empty() { String::new() } else { format!(", about {}", alert.about.join(" ")) };
    let label = alert.label.to_ascii_uppercase();
    line(&format!(
        "alert {}  {}  TLP:{label}  {} since {}{about}",
        alert.number, alert.class, alert.state, alert.started
    ))?;
    for one in &alert.notices {
        let why = one.why.as_ref().map(|why| format!(" ({})", clean(why))).unwrap_or_default();
        line(&format!("  rung {}: {} by {} {}: {}{why}", one.rung, one.person, one.channel, one.at, one.fate))?;
    }
    if let (Some(by), Some(at), Some(seconds)) = (&alert.acknowledged_by, &alert.acknowledged, alert.answered_in) {
        line(&format!("  acknowledged by {} {at}, after {seconds} s", clean(by)))?;
    }
    Ok(())
}

pub(super) async fn drill(session: &Session, command: &DrillCommand) -> Result<(), Failure> {
    let DrillCommand::CallOut { class, no_wait } = command;
    if !session.client.is_served() {
        let told = "no node runs here, so that nobody is woken: begin with `entraide serve`";
        return Err(Failure::Refused(told.to_owned()));
    }
    let ask = Ask::json(Method::POST, "/drills", &object_of!({ "class": class }));
    let begun: Alert = read(&session.client.bytes(&ask).await?)?;
    let bytes = loop {
        let bytes = session.client.bytes(&Ask::get(format!("/alerts/{}", begun.number))).await?;
        let now: Alert = read(&bytes)?;
        if *no_wait || matches!(now.state.as_str(), "acknowledged" | "exhausted") {
            break bytes;
        }
        tokio::time::sleep(limits::DRILL_LOOK).await;
    };
    if session.json {
        raw(&[&bytes[..], b"\n"].concat())?;
    } else {
        shown(&read(&bytes)?)?;
    }
    let ended: Alert = read(&bytes)?;
    if ended.state == "exhausted" {
        return Err(Failure::Refused("nobody woke up: look at the roster, the ladder and the ways out".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_is_one_word() {
        let check = |text: &str, expect: Option<(&str, usize, u16)>| {
            let read = text.parse::<RungArg>().ok().map(|rung| rung.0);
            let read = read.as_ref().map(|rung| (rung.who.to_string(), rung.by.len(), rung.minutes));
            let read = read.as_ref().map(|(who, by, minutes)| (who.as_str(), *by, *minutes));
            assert_eq!(read, expect, "{text}");
        };
        check("post:duty:mail:5", Some(("post:duty", 1, 5)));
        check("anna:mail+webhook:10", Some(("anna", 2, 10)));
        check("anna:mail", None);
        check("post:boss:mail:5", None);
        check("anna:pigeon:5", None);
        check("anna:mail:soon", None);
    }
}
