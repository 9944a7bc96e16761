//! `roster`: whom the node can wake, who is on duty when, and files that change it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use model::Timestamp;
use model::duty::{Handle, Post};
use serde::Deserialize;
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::{Failure, Session, failure};
use crate::client::{Ask, encode, read};
use crate::keys::read_small;

/// `roster …`.
#[derive(Debug, Subcommand)]
pub enum RosterCommand {
    /// Show persons, shifts, gaps and overlaps
    Show {
        /// From then on [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<Timestamp>,
        /// For how many days
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=400))]
        days: u32,
    },
    /// Show who is on duty, and how each is reached
    Duty {
        /// At that moment [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
    /// Put a person into the roster, or change one
    Person(PersonArgs),
    /// Put a shift into the roster
    Shift {
        /// Who, by short name
        person: Handle,
        /// duty, on-call, deputy or crisis
        post: Post,
        /// From then on: 2026-11-28T20:00:00Z
        from: Timestamp,
        /// Until then
        until: Timestamp,
    },
    /// Take a person out, with every shift; or one shift, by its number
    Remove {
        /// Who, by short name; or the number of a shift
        what: String,
    },
    /// Show what a file would do (CSV or iCalendar), and do it with --apply
    Import {
        /// The file
        file: PathBuf,
        /// The time zone of times that name none: Europe/Paris
        #[arg(long, value_name = "ZONE")]
        zone: Option<String>,
        /// Shifts of that time that are not in the file give way
        #[arg(long)]
        replace: bool,
        /// Do it: all of it, or nothing
        #[arg(long)]
        apply: bool,
    },
}

/// `roster person`.
#[derive(Debug, Args)]
pub struct PersonArgs {
    /// The short name
    person: Handle,
    /// The name for people
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// The number that is called at any hour: +33 1 23 45 67 89
    #[arg(long, value_name = "NUMBER")]
    telephone: String,
    /// Where mail is read at any hour
    #[arg(long, value_name = "ADDRESS")]
    mail: Option<String>,
    /// Languages, separated by commas: fr,en
    #[arg(long, value_delimiter = ',', value_name = "fr,en")]
    languages: Vec<String>,
    /// The account under which the person logs in
    #[arg(long, value_name = "LOGIN")]
    login: Option<String>,
}

#[derive(Deserialize)]
struct Person {
    person: String,
    name: String,
    telephone: String,
    mail: Option<String>,
    languages: Vec<String>,
}

#[derive(Deserialize)]
struct Shift {
    number: Option<i64>,
    person: String,
    post: String,
    from: String,
    until: String,
}

#[derive(Deserialize)]
struct Finding {
    kind: String,
    post: String,
    from: String,
    until: String,
    persons: Vec<String>,
}

#[derive(Deserialize)]
struct Roster {
    persons: Vec<Person>,
    shifts: Vec<Shift>,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Duty {
    on_duty: Vec<DutyOf>,
}

#[derive(Deserialize)]
struct DutyOf {
    shift: Shift,
    contact: Person,
}

#[derive(Deserialize)]
struct FilePlan {
    new: Vec<Person>,
    changed: Vec<Person>,
    added: Vec<Shift>,
    removed: Vec<Shift>,
    kept: usize,
    findings: Vec<Finding>,
    digest: String,
}

pub(super) async fn roster(session: &Session, command: &RosterCommand) -> Result<(), Failure> {
    match command {
        RosterCommand::Show { from, days } => show(session, *from, *days).await,
        RosterCommand::Duty { at } => duty(session, *at).await,
        RosterCommand::Person(args) => person(session, args).await,
        RosterCommand::Shift { person, post, from, until } => {
            let new = object_of!({ "person": person, "post": post, "from": from, "until": until });
            let bytes = session.client.bytes(&Ask::json(Method::POST, "/roster/shifts", &new)).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let made: Shift = read(&bytes)?;
            line(&format!("shift {}", made.number.unwrap_or_default()))
        }
        RosterCommand::Remove { what } => {
            let path = match what.parse::<i64>() {
                Ok(number) => format!("/roster/shifts/{number}"),
                Err(_) => format!("/roster/persons/{}", encode(what)),
            };
            session.client.bytes(&Ask::delete(path)).await?;
            if session.json { raw(b"{}\n") } else { line(&format!("{} is out of the roster", clean(what))) }
        }
        RosterCommand::Import { file, zone, replace, apply } => {
            import(session, file, zone.as_deref(), *replace, *apply).await
        }
    }
}

async fn show(session: &Session, from: Option<Timestamp>, days: u32) -> Result<(), Failure> {
    let from = from.map(|from| format!("&from={}", encode(&from.to_string()))).unwrap_or_default();
    let bytes = session.client.bytes(&Ask::get(format!("/roster?days={days}{from}"))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let roster: Roster = read(&bytes)?;
    if roster.persons.is_empty() {
        return line("nobody is in the roster: add persons with `entraide roster person`");
    }
    table(&roster.persons.iter().map(reached).collect::<Vec<_>>())?;
    table(&roster.shifts.iter().map(times).collect::<Vec<_>>())?;
    findings(&roster.findings)
}

fn reached(person: &Person) -> Vec<String> {
    let mail = person.mail.as_deref().unwrap_or("no mail");
    vec![
        person.person.clone(),
        clean(&person.name),
        clean(&person.telephone),
        clean(mail),
        clean(&person.languages.join(" ")),
    ]
}

fn times(shift: &Shift) -> Vec<String> {
    let number = shift.number.map(|number| number.to_string()).unwrap_or_default();
    vec![number, shift.post.clone(), shift.person.clone(), shift.from.clone(), format!("until {}", shift.until)]
}

fn findings(findings: &[Finding]) -> Result<(), Failure> {
    for one in findings {
        let who = if one.persons.is_empty() { "nobody".to_owned() } else { one.persons.join(" and ") };
        line(&format!("{}: {} has {who} from {} until {}", one.kind, one.post, one.from, one.until))?;
    }
    Ok(())
}

async fn duty(session: &Session, at: Option<Timestamp>) -> Result<(), Failure> {
    let at = at.map(|at| format!("?at={}", encode(&at.to_string()))).unwrap_or_default();
    let bytes = session.client.bytes(&Ask::get(format!("/roster/duty{at}"))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let duty: Duty = read(&bytes)?;
    if duty.on_duty.is_empty() {
        return line("nobody is on duty");
    }
    let row = |one: &DutyOf| {
        let mut row = vec![one.shift.post.clone()];
        row.extend(reached(&one.contact));
        row.push(format!("until {}", one.shift.until));
        row
    };
    table(&duty.on_duty.iter().map(row).collect::<Vec<_>>())
}

async fn person(session: &Session, args: &PersonArgs) -> Result<(), Failure> {
    let PersonArgs { person, name, telephone, mail, languages, login } = args;
    let new = object_of!({
        "person": person, "name": name, "telephone": telephone, "mail": mail, "languages": languages, "login": login,
    });
    let path = format!("/roster/persons/{}", encode(person.as_str()));
    let bytes = session.client.bytes(&Ask::json(Method::PUT, path, &new)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    line(&format!("{person} is in the roster"))
}

async fn import(
    session: &Session,
    file: &std::path::Path,
    zone: Option<&str>,
    replace: bool,
    apply: bool,
) -> Result<(), Failure> {
    let bytes = read_small(file).map_err(failure::refused)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Refused(format!("{} is not UTF-8: save it as UTF-8", file.display())))?;
    let mut asked = object_of!({ "text": text, "zone": zone, "replace": replace });
    let bytes = session.client.bytes(&Ask::json(Method::POST, "/roster/preview", &asked)).await?;
    let plan: FilePlan = read(&bytes)?;
    let bytes = if apply {
        asked["digest"] = plan.digest.clone().into();
        session.client.bytes(&Ask::json(Method::POST, "/roster/import", &asked)).await?
    } else {
        bytes
    };
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    for (what, persons) in [("new", &plan.new), ("changed", &plan.changed)] {
        for one in persons {
            line(&format!("{what}  {}  {}  {}", one.person, clean(&one.name), clean(&one.telephone)))?;
        }
    }
    for (what, shifts) in [("comes", &plan.added), ("gives way", &plan.removed)] {
        for one in shifts {
            line(&format!("{what}  {}  {}  {}  until {}", one.post, one.person, one.from, one.until))?;
        }
    }
    findings(&plan.findings)?;
    let (come, go, kept) = (plan.added.len(), plan.removed.len(), plan.kept);
    let (new, changed) = (plan.new.len(), plan.changed.len());
    let counts =
        format!("{new} persons new, {changed} changed, {come} shifts come, {go} give way, {kept} stand already");
    if apply { line(&format!("done: {counts}")) } else { line(&format!("{counts}; nothing changed: --apply does it")) }
}
