//! `capacity`: what we can lend, for ourselves alone; stood down and back; and the card that shows some of it in bands.

use clap::{Args, Subcommand};
use hyper::Method;
use model::extension::assistance::{Clearance, HelpKind, Level, Mode, Quantity, Sector};
use model::{EntryRef, Timestamp, Tlp};
use serde_json::{Value, json as object_of};

use super::lending::{CapacityRow, CapacityWhole, CardRow, CardSaid, KeptAt};
use super::print::{clean, line, raw, table};
use super::shapes::Page;
use super::{Failure, Session, objects};
use crate::client::{Ask, encode, read};

/// `capacity …`.
#[derive(Debug, Subcommand)]
pub enum CapacityCommand {
    /// Keep a capacity: for this node alone, nothing of it leaves before it is offered
    Add(Box<AddArgs>),
    /// List our capacities, and the cards that partners have published
    List,
    /// Show a capacity, what is promised of it, and what its card would say
    Show {
        /// Any version of it: EE:3
        entry: EntryRef,
    },
    /// Change how many there are, or when they can be lent
    Change(ChangeArgs),
    /// Take on nothing new; what is promised stays
    StandDown {
        /// Any version of it: EE:3
        entry: EntryRef,
        /// Take on new work again
        #[arg(long)]
        back: bool,
    },
    /// Publish a card in bands; shows what it says and who will see it, and sends it with --send
    Publish(PublishArgs),
}

/// `capacity add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its name for people at home
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// What kind of help: forensics, malware-analysis, threat-hunting, containment, recovery …
    #[arg(long, value_name = "KIND")]
    kind: HelpKind,
    /// How many people or pieces at most at one time
    #[arg(long, value_name = "N", value_parser = quantity)]
    quantity: Quantity,
    /// Whom to call at any hour
    #[arg(long, value_name = "WHO")]
    call: String,
    /// How experienced: basic, experienced, expert
    #[arg(long, value_name = "LEVEL", default_value = "experienced")]
    level: Level,
    /// remote, on-site or either
    #[arg(long, value_name = "MODE", default_value = "either")]
    mode: Mode,
    /// When it can be lent, FROM/UNTIL, several times for several; without it at any time
    #[arg(long = "window", value_name = "FROM/UNTIL")]
    windows: Vec<WindowArg>,
    /// Hours from the call until somebody acts from afar
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    ready: u16,
    /// Hours more until somebody is at a place abroad
    #[arg(long, value_name = "HOURS", default_value_t = 0)]
    travel: u16,
    /// Hours for which one mission may last
    #[arg(long, value_name = "HOURS")]
    duration: Option<u16>,
    /// Hours of rest after a mission
    #[arg(long, value_name = "HOURS", default_value_t = 0)]
    recovery: u16,
    /// A language that its people speak, several times for several: en
    #[arg(long = "language", value_name = "TAG")]
    languages: Vec<String>,
    /// What its people can do, several times for several
    #[arg(long = "skill", value_name = "WORD")]
    skills: Vec<String>,
    /// A tool that it brings, several times for several
    #[arg(long = "tool", value_name = "WORD")]
    tools: Vec<String>,
    /// The clearance of its people: restricted, confidential, secret, top-secret
    #[arg(long, value_name = "LEVEL")]
    clearance: Option<Clearance>,
    /// What it costs, euro a day for one
    #[arg(long, value_name = "EURO")]
    rate: Option<u32>,
    /// What the host must have ready
    #[arg(long, value_name = "TEXT")]
    host_needs: Option<String>,
    /// What it does not do
    #[arg(long, value_name = "TEXT")]
    limits: Option<String>,
    /// The company behind it, if it is not our own people
    #[arg(long, value_name = "NAME", requires = "contract")]
    provider: Option<String>,
    /// The contract under which the company works for us
    #[arg(long, value_name = "TEXT", requires = "provider")]
    contract: Option<String>,
    /// A nation for which the company does not work, several times for several
    #[arg(long = "not-for-nation", value_name = "CC", requires = "provider")]
    not_for_nations: Vec<String>,
    /// A sector for which the company does not work, several times for several
    #[arg(long = "not-for-sector", value_name = "SECTOR", requires = "provider")]
    not_for_sectors: Vec<Sector>,
}

/// `capacity change`.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// Any version of it: EE:3
    entry: EntryRef,
    /// How many people or pieces at most at one time
    #[arg(long, value_name = "N", value_parser = quantity)]
    quantity: Option<Quantity>,
    /// When it can be lent, FROM/UNTIL: all windows anew
    #[arg(long = "window", value_name = "FROM/UNTIL")]
    windows: Vec<WindowArg>,
    /// At any time
    #[arg(long, conflicts_with = "windows")]
    always: bool,
    /// Hours from the call until somebody acts from afar
    #[arg(long, value_name = "HOURS")]
    ready: Option<u16>,
}

/// `capacity publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Any version of it: EE:3
    entry: EntryRef,
    /// Who may see the card: clear, green, amber or amber+strict
    #[arg(long, value_name = "TLP")]
    label: Tlp,
    /// To whom; without it CLEAR and GREEN go to the ticked communities
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// Say the languages too
    #[arg(long)]
    languages: bool,
    /// Say it, after a look at who will see it
    #[arg(long)]
    send: bool,
}

fn quantity(text: &str) -> Result<Quantity, String> {
    let number: u32 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    Quantity::try_from(number)
}

/// `2026-11-25T18:00:00Z/2026-11-26T06:00:00Z`.
#[derive(Debug, Clone, Copy)]
pub struct WindowArg {
    from: Timestamp,
    until: Timestamp,
}

impl std::str::FromStr for WindowArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (from, until) =
            text.split_once('/').ok_or("write FROM/UNTIL: 2026-11-25T18:00:00Z/2026-11-26T06:00:00Z")?;
        let time = |text: &str| text.parse().map_err(|error: <Timestamp as std::str::FromStr>::Err| error.to_string());
        Ok(Self { from: time(from)?, until: time(until)? })
    }
}

fn windows(windows: &[WindowArg]) -> Vec<Value> {
    windows.iter().map(|window| object_of!({ "from": window.from, "until": window.until })).collect()
}

pub(super) async fn capacity(session: &Session, command: &CapacityCommand) -> Result<(), Failure> {
    match command {
        CapacityCommand::Add(args) => add(session, args).await,
        CapacityCommand::List => list(session).await,
        CapacityCommand::Show { entry } => show(session, *entry).await,
        CapacityCommand::Change(args) => {
            let windows = if args.windows.is_empty() && !args.always { None } else { Some(windows(&args.windows)) };
            let change = object_of!({ "quantity": args.quantity, "windows": windows, "ready_hours": args.ready });
            changed(session, args.entry, &change).await
        }
        CapacityCommand::StandDown { entry, back } => {
            changed(session, *entry, &object_of!({ "stood_down": !back })).await
        }
        CapacityCommand::Publish(args) => publish(session, args).await,
    }
}

async fn add(session: &Session, args: &AddArgs) -> Result<(), Failure> {
    let provider = args.provider.as_ref().map(|name| {
        object_of!({ "name": name, "contract": args.contract, "not_for_nations": args.not_for_nations,
            "not_for_sectors": args.not_for_sectors })
    });
    let new = object_of!({
        "name": args.name, "kind": args.kind, "quantity": args.quantity, "call": args.call, "level": args.level,
        "mode": args.mode, "windows": windows(&args.windows), "ready_hours": args.ready, "travel_hours": args.travel,
        "duration_hours": args.duration, "recovery_hours": args.recovery, "languages": args.languages,
        "skills": args.skills, "tools": args.tools, "clearance": args.clearance, "host_needs": args.host_needs,
        "limits": args.limits, "day_cents": args.rate.map(|euro| u64::from(euro) * 100), "provider": provider,
    });
    kept(session, &session.client.bytes(&Ask::json(Method::POST, "/capacities", &new)).await?)
}

async fn changed(session: &Session, entry: EntryRef, change: &Value) -> Result<(), Failure> {
    let path = format!("/capacities/{}/versions", encode(&entry.to_string()));
    kept(session, &session.client.bytes(&Ask::json(Method::POST, path, change)).await?)
}

fn kept(session: &Session, bytes: &bytes::Bytes) -> Result<(), Failure> {
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let kept: KeptAt = read(bytes)?;
    line(&format!("kept at {}, for this node alone; entraide capacity show {}", kept.entry, kept.entry))
}

async fn list(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/capacities")).await?;
    let cards = session.client.bytes(&Ask::get("/capacities/cards")).await?;
    if session.json {
        let own: Value = read(&bytes)?;
        let cards: Value = read(&cards)?;
        let both = object_of!({ "capacities": own["items"], "cards": cards["items"] });
        return raw(format!("{both}\n").as_bytes());
    }
    let page: Page<CapacityRow> = read(&bytes)?;
    if page.items.is_empty() {
        line("no capacity is kept here: entraide capacity add")?;
    }
    let row = |one: &CapacityRow| {
        let free = format!("{} of {} free", one.free, one.quantity);
        let what = format!("{} ({}), {} h", one.kind, one.mode, one.ready_hours);
        vec![one.entry.clone(), one.state.clone(), free, what, clean(&one.name)]
    };
    table(&page.items.iter().map(row).collect::<Vec<_>>())?;
    let cards: Page<CardRow> = read(&cards)?;
    for card in &cards.items {
        let to = card.audience.as_deref().map(|name| format!(", to {}", clean(name))).unwrap_or_default();
        line(&format!("{}  {} says: {}{to}", card.entry, card.owner, card.words))?;
    }
    Ok(())
}

async fn show(session: &Session, entry: EntryRef) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get(format!("/capacities/{}", encode(&entry.to_string())))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let one: CapacityWhole = read(&bytes)?;
    let row = &one.row;
    line(&format!("{}  {}  {}", row.entry, row.state, clean(&row.name)))?;
    let what = format!("{} ({}), ready in {} h", row.kind, row.mode, row.ready_hours);
    line(&format!("{} of {} free now; {what}; call {}", row.free, row.quantity, clean(&one.call)))?;
    if let (Some(name), Some(contract)) = (&one.provider, &one.contract) {
        line(&format!("by {} under {}", clean(name), clean(contract)))?;
    }
    for window in &one.windows {
        line(&format!("can be lent {} to {}", window.from, window.until))?;
    }
    for hold in &one.holds {
        let until = hold.until.as_deref().map(|until| format!(" until {until}")).unwrap_or_default();
        let which = format!("{} line {} ({})", clean(&hold.number), hold.line, hold.request);
        line(&format!("{} {} for {which}, from {}{until}", hold.quantity, hold.phase, hold.from))?;
    }
    for card in &row.published {
        let to = card.audience.as_deref().map(|name| format!(" to {}", clean(name))).unwrap_or_default();
        line(&format!("published{to}: {}; entraide withdraw {}", card.words, card.entry))?;
    }
    line(&format!("a card would say: {}", one.card))
}

async fn publish(session: &Session, args: &PublishArgs) -> Result<(), Failure> {
    let label = args.label.word().to_ascii_lowercase();
    let path = format!("/capacities/{}", encode(&args.entry.to_string()));
    if !args.send {
        let one: CapacityWhole = read(&session.client.bytes(&Ask::get(path)).await?)?;
        let planned = object_of!({ "label": label, "audience": args.audience });
        let bytes = session.client.bytes(&Ask::json(Method::POST, "/who-sees", &planned)).await?;
        if session.json {
            return raw(&[&bytes[..], b"\n"].concat());
        }
        line(&format!("it says: {}{}", one.card, if args.languages { ", and the languages" } else { "" }))?;
        objects::sheet(&read(&bytes)?)?;
        return line("nothing was sent: the same command with --send says it");
    }
    let new = object_of!({ "label": label, "audience": args.audience, "languages": args.languages });
    let bytes = session.client.bytes(&Ask::json(Method::POST, format!("{path}/publish"), &new)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let said: CardSaid = read(&bytes)?;
    line(&format!("{} says: {}; take it back with entraide withdraw {}", said.entry, said.words, said.entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_two_times() {
        let check = |text: &str, good: bool| assert_eq!(text.parse::<WindowArg>().is_ok(), good, "{text}");
        check("2026-11-25T18:00:00Z/2026-11-26T06:00:00Z", true);
        check("2026-11-25T18:00:00Z", false);
        check("tonight/tomorrow", false);
        assert!(quantity("0").is_err() && quantity("two").is_err() && quantity("2").is_ok());
    }
}
