//! `red`: who may read what is RED, own people and guests, and who has.

use clap::Subcommand;
use hyper::Method;
use model::EntryRef;
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::shapes::{GuestAccess, RedStanding};
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// `red …`.
#[derive(Debug, Subcommand)]
pub enum RedCommand {
    /// Name the own people who may read it
    Readers {
        /// The statement, FR:1234
        id: EntryRef,
        #[command(subcommand)]
        change: ReaderCommand,
    },
    /// Invite a guest: a link to be sent, and a code to be told over the telephone; both are shown once
    Invite {
        /// The statement, FR:1234
        id: EntryRef,
        /// The guest's name, as the page shows it
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// How the guest is reached: a telephone number that you know, an address
        #[arg(long, value_name = "TEXT")]
        contact: String,
        /// For how long: 1 to 720
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
        hours: u32,
    },
    /// Give a guest the next code; each opens once
    Code {
        /// The statement, FR:1234
        id: EntryRef,
        /// The guest, as `red show` names it
        guest: String,
    },
    /// Take a guest's invitation back
    Revoke {
        /// The statement, FR:1234
        id: EntryRef,
        /// The guest, as `red show` names it
        guest: String,
    },
    /// Show who may read it and who has
    Show {
        /// The statement, FR:1234
        id: EntryRef,
    },
}

/// `red readers ID …`.
#[derive(Debug, Subcommand)]
pub enum ReaderCommand {
    /// Name a reader
    Add {
        /// The login of an account that reads content
        login: String,
    },
    /// Take a reader's name away: access ends at once
    Remove {
        /// Which
        login: String,
    },
    /// Show who is named
    List,
}

pub(super) async fn red(session: &Session, command: &RedCommand) -> Result<(), Failure> {
    match command {
        RedCommand::Readers { id, change } => readers(session, id, change).await,
        RedCommand::Show { id } => show(session, &Ask::get(path(id, "")), Shown::All).await,
        RedCommand::Invite { id, name, contact, hours } => {
            let new = object_of!({ "name": name, "contact": contact, "hours": hours });
            access(session, &Ask::json(Method::POST, path(id, "/guests"), &new)).await
        }
        RedCommand::Code { id, guest } => {
            let ask = Ask::json(Method::POST, path(id, &format!("/guests/{}/code", encode(guest))), &object_of!({}));
            access(session, &ask).await
        }
        RedCommand::Revoke { id, guest } => {
            session.client.bytes(&Ask::delete(path(id, &format!("/guests/{}", encode(guest))))).await?;
            if session.json { raw(b"{}\n") } else { line("revoked: the link opens nothing any more") }
        }
    }
}

fn path(id: &EntryRef, rest: &str) -> String {
    format!("/red/{}{rest}", encode(&id.to_string()))
}

async fn readers(session: &Session, id: &EntryRef, change: &ReaderCommand) -> Result<(), Failure> {
    match change {
        ReaderCommand::List => show(session, &Ask::get(path(id, "")), Shown::Readers).await,
        ReaderCommand::Add { login } => {
            let ask = Ask::json(Method::POST, path(id, "/readers"), &object_of!({ "login": login }));
            show(session, &ask, Shown::Readers).await
        }
        ReaderCommand::Remove { login } => {
            session.client.bytes(&Ask::delete(path(id, &format!("/readers/{}", encode(login))))).await?;
            if session.json { raw(b"{}\n") } else { line(&format!("{login} is no longer named for {id}")) }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Readers,
    All,
}

async fn show(session: &Session, ask: &Ask, what: Shown) -> Result<(), Failure> {
    let bytes = session.client.bytes(ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let standing: RedStanding = read(&bytes)?;
    if standing.readers.is_empty() {
        line("no reader is named")?;
    }
    let mut rows = Vec::new();
    for reader in &standing.readers {
        let named = format!("named by {} {}", clean(&reader.named_by), reader.at);
        rows.push(vec!["reader".to_owned(), reader.login.clone(), clean(&reader.name), named]);
    }
    if what == Shown::All {
        for guest in &standing.guests {
            let state = match (&guest.revoked, guest.code_waits) {
                (Some(at), _) => format!("revoked {at}"),
                (None, true) => format!("until {}, a code waits", guest.expires),
                (None, false) => format!("until {}", guest.expires),
            };
            let who = format!("{}, {}", clean(&guest.name), clean(&guest.contact));
            rows.push(vec!["guest".to_owned(), guest.id.clone(), who, state]);
        }
        for opening in &standing.openings {
            rows.push(vec!["opened".to_owned(), opening.at.clone(), clean(&opening.who), opening.face.clone()]);
        }
    }
    table(&rows)?;
    match &standing.path {
        Some(path) if what == Shown::All => line(&format!("its readers open it at {path}, one at a time")),
        Some(_) | None => Ok(()),
    }
}

async fn access(session: &Session, ask: &Ask) -> Result<(), Failure> {
    let bytes = session.client.bytes(ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let made: GuestAccess = read(&bytes)?;
    line(&format!("guest  {}", made.id))?;
    if let Some(path) = &made.path {
        line(&format!("link   {path} below this node's address for people; send it"))?;
    }
    line(&format!("code   {} to be told over the telephone; it opens once, until {}", made.code, made.code_expires))?;
    line(&format!("The guest may read until {}. This is shown once.", made.expires))
}
