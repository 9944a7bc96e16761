//! `realm`: exercises beside the real node.

use std::io::{self, BufRead, IsTerminal};

use clap::Subcommand;
use hyper::Method;
use model::{Realm, Timestamp};
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::shapes::{EndedExercise, Exercise, NewExercise, Page};
use super::{Failure, Session};
use crate::client::{Ask, read};

/// `realm …`.
#[derive(Debug, Subcommand)]
pub enum RealmCommand {
    /// Open an exercise beside REAL: its own keys, log, database, partners, accounts and clock
    Open {
        /// EX- and 1 to 32 capital letters, digits or hyphens: all who take part write it the same
        #[arg(value_name = "REALM")]
        which: Realm,
        /// Its name for people
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// Where partners reach our node in it [default: the next free port after that of REAL]
        #[arg(long, value_name = "HOST:PORT")]
        federation: Option<String>,
        /// What its clock shows at the beginning, such as 2026-12-01T06:00Z [default: the machine's time]
        #[arg(long, value_name = "TIME")]
        starts_at: Option<Timestamp>,
    },
    /// Show the exercises that are open on this node
    List,
    /// Set the clock of an exercise forward
    Clock {
        /// Which
        #[arg(value_name = "REALM")]
        which: Realm,
        /// What it is to show: later than it does
        #[arg(long, value_name = "TIME")]
        set: Timestamp,
    },
    /// Archive an exercise, then erase its files and destroy its keys
    End {
        /// Which
        #[arg(value_name = "REALM")]
        which: Realm,
        /// Its name once more; without it the name is asked for
        #[arg(long, value_name = "R")]
        confirm: Option<String>,
    },
}

pub(super) async fn realm(session: &Session, command: &RealmCommand) -> Result<(), Failure> {
    match command {
        RealmCommand::Open { which, name, federation, starts_at } => {
            let new = object_of!({ "realm": which, "name": name, "address": federation, "starts_at": starts_at });
            open(session, &new).await
        }
        RealmCommand::List => list(session).await,
        RealmCommand::Clock { which, set } => {
            let ask = Ask::json(Method::PUT, format!("/exercises/{which}/clock"), &object_of!({ "now": set }));
            let bytes = session.client.bytes(&ask).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let now: Exercise = read(&bytes)?;
            line(&format!("the clock of {} shows {}", now.realm, now.now))
        }
        RealmCommand::End { which, confirm } => end(session, which, confirm.as_deref()).await,
    }
}

async fn open(session: &Session, new: &serde_json::Value) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::json(Method::POST, "/exercises", new)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let made: NewExercise = read(&bytes)?;
    line(&format!("{} is open. Nothing in it is real, and nothing of it leaves it.", made.realm))?;
    line(&format!("origin       {}", made.origin))?;
    line(&format!("fingerprint  {}", made.fingerprint))?;
    line(&format!("address      {} (where partners reach it)", made.address))?;
    line(&format!("pages        {} below the node's own address", made.path))?;
    line(&format!("log key      {}", made.log_key))?;
    line("")?;
    line(&format!("login        {}", made.login))?;
    line(&format!("password     {}", made.password))?;
    line(&format!("one-time codes: secret {}", made.totp_secret))?;
    line(&made.totp_uri)?;
    line("")?;
    line("Password and secret are shown once, and never again.")?;
    line(&format!("Next: entraide partner invite --realm {}", made.realm))
}

async fn list(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/exercises")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let all: Page<Exercise> = read(&bytes)?;
    if all.items.is_empty() {
        return line("no exercise is open");
    }
    let row = |one: &Exercise| {
        let state = match (&one.why, one.running) {
            (Some(why), _) => format!("does not run: {}", clean(why)),
            (None, true) => "runs".to_owned(),
            (None, false) => "open".to_owned(),
        };
        let clock = match one.ahead_seconds {
            0 => one.now.clone(),
            ahead => format!("{} ({ahead:+} s, set {} times)", one.now, one.jumps),
        };
        vec![one.realm.clone(), clean(&one.name), state, clock, one.address.clone(), one.path.clone()]
    };
    table(&all.items.iter().map(row).collect::<Vec<_>>())
}

async fn end(session: &Session, realm: &Realm, confirm: Option<&str>) -> Result<(), Failure> {
    let confirm = match confirm {
        Some(confirm) => confirm.to_owned(),
        None if io::stdin().is_terminal() => typed(realm)?,
        None => return Err(Failure::Usage(format!("repeat the name to end the exercise: --confirm {realm}"))),
    };
    let ask = Ask::json(Method::POST, format!("/exercises/{realm}/end"), &object_of!({ "confirm": confirm.trim() }));
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let done: EndedExercise = read(&bytes)?;
    let EndedExercise { realm, archive, logs, proofs, evidence } = done;
    line(&format!("{realm} has ended: its files are erased and its keys destroyed"))?;
    line(&format!("archive      {}", clean(&archive)))?;
    line(&format!("in it        {logs} logs, {proofs} proofs, {evidence} pieces of evidence"))
}

fn typed(realm: &Realm) -> Result<String, Failure> {
    eprintln!("This archives {realm}, erases its files and destroys its keys. Type its name to go on:");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(super::failure::refused)?;
    Ok(answer)
}
