//! `witness`: which partners cosign our log.

use clap::Subcommand;
use hyper::Method;
use serde_json::json as object_of;

use super::objects::countries;
use super::print::{clean, line, raw, table};
use super::shapes::{Chosen, Witness, Witnesses};
use super::{Failure, Session};
use crate::client::{Ask, read};

/// `witness …`.
#[derive(Debug, Subcommand)]
pub enum WitnessCommand {
    /// Choose the partners that cosign our log, in place of those before; none ends it
    Set {
        /// Two letters, or the whole origin, each
        partners: Vec<String>,
        /// How many of them must have cosigned; without it more than half
        #[arg(long, value_name = "K")]
        threshold: Option<usize>,
    },
    /// Show the witnesses, and how far each has cosigned our log
    List,
    /// Print the keys of every log and witness that this node knows: a file with them checks proofs
    Keys,
}

pub(super) async fn witness(session: &Session, command: &WitnessCommand) -> Result<(), Failure> {
    match command {
        WitnessCommand::Set { partners, threshold } => set(session, partners, *threshold).await,
        WitnessCommand::List => list(session).await,
        WitnessCommand::Keys => keys(session).await,
    }
}

async fn set(session: &Session, partners: &[String], threshold: Option<usize>) -> Result<(), Failure> {
    let choice = object_of!({ "partners": partners, "threshold": threshold });
    let bytes = session.client.bytes(&Ask::json(Method::PUT, "/witnesses", &choice)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let chosen: Chosen = read(&bytes)?;
    if chosen.witnesses.is_empty() {
        return line("no partner cosigns our log");
    }
    line(&format!("{} of {} must cosign: {}", chosen.threshold, chosen.witnesses.len(), countries(&chosen.witnesses)))
}

async fn list(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/witnesses")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let all: Witnesses = read(&bytes)?;
    match (all.items.len(), all.witnessed) {
        (0, _) => line("no partner cosigns our log: entraide witness set EE LV NL")?,
        (n, None) => line(&format!("nothing is witnessed yet; {} of {n} must cosign", all.threshold))?,
        (n, Some(size)) => {
            let at = all.at.unwrap_or_default();
            line(&format!("{size} entries witnessed since {at}; {} of {n} must cosign", all.threshold))?;
        }
    }
    table(&all.items.iter().map(row).collect::<Vec<_>>())
}

fn row(one: &Witness) -> Vec<String> {
    let standing = match (&one.why, one.size, &one.at) {
        _ if one.state != "active" => format!("not asked: {}", one.state.replace('-', " ")),
        (Some(why), _, _) => clean(why),
        (None, Some(size), Some(at)) => format!("cosigned {size} at {at}"),
        (None, _, _) => "not asked yet".to_owned(),
    };
    vec![format!("  {}", one.country), clean(&one.name), standing]
}

async fn keys(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/witnesses")).await?;
    let all: Witnesses = read(&bytes)?;
    if session.json {
        return super::print::json(&object_of!({ "keys": all.keys }));
    }
    for key in &all.keys {
        line(key)?;
    }
    Ok(())
}
