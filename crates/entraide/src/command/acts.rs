//! `act`: what waits for a second person; `authority`: who may act alone within bounds; `two-persons`: which acts need two.

use clap::{Args, Subcommand};
use hyper::Method;
use model::Timestamp;
use model::commit::Act;
use model::extension::assistance::HelpKind;
use serde::Deserialize;
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::shapes::Page;
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// `act …`.
#[derive(Debug, Subcommand)]
pub enum ActCommand {
    /// List what awaits a decision, and with --all what was decided
    List {
        /// What was decided, too: the newest first
        #[arg(long)]
        all: bool,
    },
    /// Show an act with every field that it would say
    Show {
        /// Its number
        number: u64,
    },
    /// Approve what somebody else has begun: it is said, in the names of both
    Approve {
        /// Its number
        number: u64,
    },
    /// Decline what somebody else has begun
    Decline(WhyArgs),
    /// Take back what you have begun yourself
    TakeBack {
        /// Its number
        number: u64,
    },
    /// Sign alone, in an emergency, what you have begun yourself: every party sees that, and why
    SignAlone(WhyArgs),
    /// Stand behind what somebody else has signed alone
    Ratify {
        /// Its number
        number: u64,
    },
    /// Do not stand behind it: what was said stands, and this is on record
    Refuse(WhyArgs),
    /// Note that the paper for an agreement that was signed alone is there
    Paper {
        /// Its number
        number: u64,
    },
}

/// A decision with a reason.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// Its number
    number: u64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `authority …`.
#[derive(Debug, Subcommand)]
pub enum AuthorityCommand {
    /// List standing authorities, and what was done under each
    List,
    /// Let somebody act alone, within bounds, until a time
    Grant(GrantArgs),
    /// Take an authority back; what was done under it stands
    Revoke {
        /// Its number: SA-2026-001
        number: String,
    },
}

/// `authority grant`.
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// The account that may act alone
    login: String,
    /// Which act, several times for several: offer, accept, countersign …
    #[arg(long = "act", value_name = "ACT", required = true)]
    acts: Vec<Act>,
    /// Which kind of help, several times for several; without it any
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<HelpKind>,
    /// People or pieces of all acts under it together
    #[arg(long, value_name = "N")]
    quantity: u32,
    /// Euro of all missions under it together
    #[arg(long, value_name = "EURO")]
    cost: Option<u32>,
    /// Until then, a year at most
    #[arg(long, value_name = "TIME")]
    until: Timestamp,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `two-persons …`.
#[derive(Debug, Subcommand)]
pub enum TwoPersonsCommand {
    /// Show which acts need a second person on this node
    Show,
    /// Say which acts do from now on; that fewer do waits for a second person itself
    Set {
        /// ask, amend, offer, accept, countersign, end, mission; none of them is none
        acts: Vec<Act>,
    },
}

#[derive(Debug, Deserialize)]
struct ActRow {
    number: i64,
    act: String,
    entry: Option<String>,
    state: String,
    by: String,
    at: String,
    expires: String,
    other: Option<String>,
    reason: Option<String>,
    emergency: Option<String>,
    ratify_by: Option<String>,
    overdue: bool,
    paper_by: Option<String>,
    paper: Option<String>,
    authority: Option<String>,
    said: Option<String>,
    says: Vec<SaysField>,
    may: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct SaysField {
    field: String,
    value: String,
}

#[derive(Debug, Deserialize)]
struct AuthorityRow {
    number: String,
    to: String,
    by: String,
    until: String,
    state: String,
    acts: Vec<String>,
    kinds: Vec<String>,
    quantity: u32,
    used: u32,
}

#[derive(Debug, Deserialize)]
struct Rules {
    acts: Vec<String>,
    #[serde(default)]
    awaiting: Option<i64>,
}

pub(super) async fn act(session: &Session, command: &ActCommand) -> Result<(), Failure> {
    match command {
        ActCommand::List { all } => list(session, if *all { "/acts" } else { "/acts/waiting" }).await,
        ActCommand::Show { number } => show(session, &Ask::get(format!("/acts/{number}"))).await,
        ActCommand::Approve { number } => decide(session, *number, "approve", None).await,
        ActCommand::Decline(args) => decide(session, args.number, "decline", Some(&args.reason)).await,
        ActCommand::TakeBack { number } => decide(session, *number, "take-back", None).await,
        ActCommand::SignAlone(args) => decide(session, args.number, "sign-alone", Some(&args.reason)).await,
        ActCommand::Ratify { number } => decide(session, *number, "ratify", None).await,
        ActCommand::Refuse(args) => decide(session, args.number, "refuse", Some(&args.reason)).await,
        ActCommand::Paper { number } => {
            show(session, &Ask::json(Method::POST, format!("/acts/{number}/paper"), &object_of!({}))).await
        }
    }
}

async fn decide(session: &Session, number: u64, decision: &str, reason: Option<&str>) -> Result<(), Failure> {
    let said = object_of!({ "decision": decision, "reason": reason });
    show(session, &Ask::json(Method::POST, format!("/acts/{number}/decision"), &said)).await
}

async fn list(session: &Session, path: &str) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get(path)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let page: Page<ActRow> = read(&bytes)?;
    if page.items.is_empty() {
        return line("nothing waits for a decision");
    }
    let row = |act: &ActRow| {
        let may = if act.may.is_empty() { String::new() } else { format!("you may: {}", act.may.join(", ")) };
        let about = act.entry.clone().unwrap_or_default();
        let late = if act.overdue { ", overdue" } else { "" };
        vec![act.number.to_string(), act.act.clone(), about, format!("{}{late}", act.state), clean(&act.by), may]
    };
    table(&page.items.iter().map(row).collect::<Vec<_>>())
}

async fn show(session: &Session, ask: &Ask) -> Result<(), Failure> {
    let bytes = session.client.bytes(ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let act: ActRow = read(&bytes)?;
    let about = act.entry.as_deref().map(|entry| format!(" about {entry}")).unwrap_or_default();
    line(&format!("act {}: {}{about}: {}", act.number, act.act, act.state))?;
    line(&format!("begun by {} at {}, decided until {}", clean(&act.by), act.at, act.expires))?;
    let told = |what: &str, value: &Option<String>| match value {
        Some(value) => line(&format!("{what} {}", clean(value))),
        None => Ok(()),
    };
    told("decided by", &act.other)?;
    told("reason:", &act.reason)?;
    told("signed alone:", &act.emergency)?;
    told("to be ratified until", &act.ratify_by)?;
    told("paper is due until", &act.paper_by)?;
    told("the paper was there", &act.paper)?;
    told("within", &act.authority)?;
    told("said at", &act.said)?;
    for one in &act.says {
        line(&format!("  {}: {}", clean(&one.field), clean(&one.value)))?;
    }
    if act.may.is_empty() { Ok(()) } else { line(&format!("you may: {}", act.may.join(", "))) }
}

pub(super) async fn authority(session: &Session, command: &AuthorityCommand) -> Result<(), Failure> {
    match command {
        AuthorityCommand::List => authorities(session).await,
        AuthorityCommand::Grant(args) => {
            let granted = object_of!({
                "login": args.login, "acts": args.acts, "kinds": args.kinds, "quantity": args.quantity,
                "cost_cents": args.cost.map(|euro| u64::from(euro) * 100), "until": args.until, "reason": args.reason,
            });
            let bytes = session.client.bytes(&Ask::json(Method::POST, "/authorities", &granted)).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let made: serde_json::Value = read(&bytes)?;
            let number = made["number"].as_str().unwrap_or_default();
            line(&format!("{number} is in force; take it back with entraide authority revoke {number}"))
        }
        AuthorityCommand::Revoke { number } => {
            let path = format!("/authorities/{}", encode(number));
            session.client.bytes(&Ask::delete(path)).await?;
            line(&format!("{} is revoked", clean(number)))
        }
    }
}

async fn authorities(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/authorities")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let page: Page<AuthorityRow> = read(&bytes)?;
    if page.items.is_empty() {
        return line("nobody may act alone");
    }
    let row = |one: &AuthorityRow| {
        let kinds = if one.kinds.is_empty() { "any kind".to_owned() } else { one.kinds.join(", ") };
        let what = format!("{} of {kinds}, {} of {} used", one.acts.join(", "), one.used, one.quantity);
        let who = format!("{}, by {}", clean(&one.to), clean(&one.by));
        vec![one.number.clone(), one.state.clone(), who, what, format!("until {}", one.until)]
    };
    table(&page.items.iter().map(row).collect::<Vec<_>>())
}

pub(super) async fn two_persons(session: &Session, command: &TwoPersonsCommand) -> Result<(), Failure> {
    let ask = match command {
        TwoPersonsCommand::Show => Ask::get("/two-persons"),
        TwoPersonsCommand::Set { acts } => Ask::json(Method::PUT, "/two-persons", &object_of!({ "acts": acts })),
    };
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let rules: Rules = read(&bytes)?;
    let acts = if rules.acts.is_empty() { "no act".to_owned() } else { rules.acts.join(", ") };
    line(&format!("two persons sign: {acts}"))?;
    match rules.awaiting {
        Some(number) => line(&format!("the change waits for a second person: entraide act show {number}")),
        None => Ok(()),
    }
}
