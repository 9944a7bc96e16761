//! `partner`: peering by invitation or roster, and how a partner stands.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hyper::Method;
use serde_json::json as object_of;

use super::failure::refused;
use super::objects::countries;
use super::print::{clean, line, raw, table};
use super::reached::{self, AddArgs, ReachArgs};
use super::shapes::{Changed, Invitation, Joined, Page, Partner, Proposed};
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// `partner …`.
#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// Make an invitation for another nation: 72 hours, one use, five tries
    Invite,
    /// Take up an invitation of another nation; then read the six words to each other over the telephone
    Accept {
        /// The code; without it, or with -, it is read from standard input
        code: Option<String>,
    },
    /// The six words are the same on both sides, or you believe the roster: it is a partner from now on
    Confirm {
        /// Two letters, or the whole origin
        partner: String,
    },
    /// Its people have told you the six words of its successor log: that is its log from now on
    ConfirmSuccessor {
        /// Two letters, or the whole origin
        partner: String,
    },
    /// Add a partner that has no node: it is reached by encrypted mail or telephone
    Add(AddArgs),
    /// Show how a partner without a node is reached, or change it
    Reach(ReachArgs),
    /// Show the letters to a partner without a node, and what became of each
    Letters {
        /// Two letters, the name that you gave it, or the whole origin
        partner: String,
    },
    /// Make the code that opens the answer page of a letter once; tell it over the telephone
    Code {
        /// Two letters, the name that you gave it, or the whole origin
        partner: String,
        /// The letter's number
        letter: i64,
    },
    /// Show every partner
    List,
    /// Take nothing of it until it is resumed
    Hold {
        /// Two letters, or the whole origin
        partner: String,
        /// Why, in one line
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take up again with a partner that was held, after looking at the evidence
    Resume {
        /// Two letters, or the whole origin
        partner: String,
    },
    /// End it: it gets nothing more, and nothing of it is taken
    Cut {
        /// Two letters, or the whole origin
        partner: String,
        /// Why, in one line
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Propose every node of a signed roster; each is still confirmed
    Roster {
        /// The roster's file
        file: PathBuf,
        /// The public key of who signed it: 64 hexadecimal digits
        #[arg(long, value_name = "HEX")]
        key: String,
    },
}

pub(super) async fn partner(session: &Session, command: &PartnerCommand) -> Result<(), Failure> {
    match command {
        PartnerCommand::Invite => invite(session).await,
        PartnerCommand::Accept { code } => accept(session, code.as_deref()).await,
        PartnerCommand::Confirm { partner } => change(session, partner, "confirm", None).await,
        PartnerCommand::ConfirmSuccessor { partner } => change(session, partner, "confirm-successor", None).await,
        PartnerCommand::Hold { partner, reason } => change(session, partner, "hold", Some(reason)).await,
        PartnerCommand::Resume { partner } => change(session, partner, "resume", None).await,
        PartnerCommand::Cut { partner, reason } => change(session, partner, "cut", Some(reason)).await,
        PartnerCommand::Roster { file, key } => roster(session, file, key).await,
        PartnerCommand::Add(args) => reached::add(session, args).await,
        PartnerCommand::Reach(args) => reached::reach(session, args).await,
        PartnerCommand::Letters { partner } => reached::letters(session, partner).await,
        PartnerCommand::Code { partner, letter } => reached::code(session, partner, *letter).await,
        PartnerCommand::List => list(session).await,
    }
}

async fn invite(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::json(Method::POST, "/partners/invitations", &object_of!({}))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let invitation: Invitation = read(&bytes)?;
    line(&invitation.code)?;
    line(&format!(
        "Give this line to the other nation over a channel that people trust, before {}.",
        invitation.expires
    ))
}

async fn accept(session: &Session, code: Option<&str>) -> Result<(), Failure> {
    let code = match code {
        Some(code) if code != "-" => code.to_owned(),
        Some(_) | None => {
            let mut text = String::new();
            // A code takes about 300 letters.
            std::io::stdin().lock().take(8 * 1024).read_to_string(&mut text).map_err(refused)?;
            text.trim().to_owned()
        }
    };
    let bytes =
        session.client.bytes(&Ask::json(Method::POST, "/partners/accept", &object_of!({ "code": code }))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let joined: Joined = read(&bytes)?;
    let partner = &joined.partner;
    line(&format!("{} {} ({})", partner.country, clean(&partner.name), partner.origin))?;
    line(&format!("words  {}", clean(&joined.words.join(" "))))?;
    line("Telephone them at a number that you know, and read the words to each other.")?;
    line(&format!("If they are the same: entraide partner confirm {}", partner.country))
}

async fn change(session: &Session, partner: &str, act: &str, reason: Option<&String>) -> Result<(), Failure> {
    let path = format!("/partners/{}/{act}", encode(partner));
    let bytes = session.client.bytes(&Ask::json(Method::POST, path, &object_of!({ "reason": reason }))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let changed: Changed = read(&bytes)?;
    line(&format!("{} {} is {}", changed.country, clean(&changed.name), changed.state))
}

async fn roster(session: &Session, file: &Path, key: &str) -> Result<(), Failure> {
    let text = crate::keys::read_small(file).map_err(refused)?;
    let ask = Ask::post(format!("/partners/roster?key={}", encode(key)), text).text();
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let proposed = read::<Proposed>(&bytes)?.proposed;
    line(&format!("{} proposed, each to be confirmed: {}", proposed.len(), countries(&proposed)))
}

async fn list(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/partners")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let partners = read::<Page<Partner>>(&bytes)?.items;
    table(&super::state::partner_rows(&partners))?;
    for partner in &partners {
        if let Some(successor) = &partner.successor {
            line(&format!("{} goes on with {}: {}", partner.country, successor.origin, successor.says))?;
            line(&format!("  telephone: {}", clean(&successor.words)))?;
            line(&format!("  if the words are the same: entraide partner confirm-successor {}", partner.country))?;
        }
        if partner.lag.state == "no-node" && partner.state == "awaiting-confirmation" {
            let key = partner.words.as_deref().map(|words| format!(", key {}", clean(words))).unwrap_or_default();
            line(&format!("{} at {} waits for a telephone call{key}", partner.country, clean(&partner.address)))?;
        } else if partner.state == "awaiting-confirmation"
            && let Some(words) = &partner.words
        {
            line(&format!("{} at {} waits for a telephone call: {}", partner.country, partner.address, clean(words)))?;
        }
    }
    Ok(())
}
