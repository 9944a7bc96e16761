//! `handover`, `catch-up`, `brief` and `card`: from shift to shift, and on one page.

use clap::{Args, Subcommand};
use hyper::Method;
use model::{EntryRef, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json as object_of};

use super::print::{clean, line, raw};
use super::shapes::Page;
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// `handover …`.
#[derive(Debug, Subcommand)]
pub enum HandoverCommand {
    /// List the handovers of the own desk, the newest first
    List,
    /// Show what a handover would say now: every open case, and every act that waits
    Draft,
    /// Give a handover; until somebody has taken it, whoever gives it stays on duty
    Give(GiveArgs),
    /// Take over, with every item ticked
    Take(TakeArgs),
}

/// `handover give`.
#[derive(Debug, Args)]
pub struct GiveArgs {
    /// What was done, and what else is to be known
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// An open item beside those of the draft, several times for several: what is to be done next
    #[arg(long = "item", value_name = "TEXT")]
    items: Vec<String>,
    /// What was promised by telephone, several times for several
    #[arg(long = "promised", value_name = "TEXT")]
    promised: Vec<String>,
    /// Without the items of the draft
    #[arg(long)]
    bare: bool,
}

/// `handover take`.
#[derive(Debug, Args)]
pub struct TakeArgs {
    /// Its number
    number: i64,
    /// An item that you have gone through, several times for several: 1, 2 …
    #[arg(long = "tick", value_name = "N")]
    ticked: Vec<usize>,
}

/// `catch-up`.
#[derive(Debug, Args)]
pub struct CatchUpArgs {
    /// From then on; without it, since you have last said --read
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// You have read it: the next time begins here
    #[arg(long)]
    read: bool,
}

/// `brief`.
#[derive(Debug, Args)]
pub struct BriefArgs {
    /// Any statement of the case: FR:12
    entry: EntryRef,
}

#[derive(Debug, Deserialize)]
struct Handover {
    number: i64,
    state: String,
    by: String,
    at: String,
    items: Vec<Item>,
    note: String,
    digest: String,
    taken_by: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Item {
    entry: Option<String>,
    next: String,
    owner: Option<String>,
    due: Option<String>,
    promised: Option<String>,
}

pub(super) async fn handover(session: &Session, command: &HandoverCommand) -> Result<(), Failure> {
    match command {
        HandoverCommand::List => {
            let bytes = session.client.bytes(&Ask::get("/handovers")).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let page: Page<Handover> = read(&bytes)?;
            if page.items.is_empty() {
                return line("nothing was handed over");
            }
            page.items.iter().try_for_each(show)
        }
        HandoverCommand::Draft => {
            let bytes = session.client.bytes(&Ask::get("/handovers/draft")).await?;
            if session.json {
                return raw(&[&bytes[..], b"\n"].concat());
            }
            let page: Page<Item> = read(&bytes)?;
            if page.items.is_empty() {
                return line("nothing is open");
            }
            items(&page.items)
        }
        HandoverCommand::Give(args) => give(session, args).await,
        HandoverCommand::Take(args) => take(session, args).await,
    }
}

async fn give(session: &Session, args: &GiveArgs) -> Result<(), Failure> {
    let mut items: Vec<Value> = Vec::new();
    if !args.bare {
        let page: Page<Value> = read(&session.client.bytes(&Ask::get("/handovers/draft")).await?)?;
        items.extend(page.items);
    }
    items.extend(args.items.iter().map(|next| object_of!({ "next": next })));
    items.extend(args.promised.iter().map(|text| object_of!({ "next": "keep what was promised", "promised": text })));
    let given = object_of!({ "items": items, "note": args.note });
    told(session, &Ask::json(Method::POST, "/handovers", &given)).await
}

async fn take(session: &Session, args: &TakeArgs) -> Result<(), Failure> {
    let page: Page<Handover> = read(&session.client.bytes(&Ask::get("/handovers")).await?)?;
    let Some(found) = page.items.iter().find(|one| one.number == args.number) else {
        return Err(Failure::Refused("there is no such handover: list them with `entraide handover list`".to_owned()));
    };
    let taken = object_of!({ "ticked": args.ticked, "digest": found.digest });
    told(session, &Ask::json(Method::POST, format!("/handovers/{}/take", args.number), &taken)).await
}

async fn told(session: &Session, ask: &Ask) -> Result<(), Failure> {
    let bytes = session.client.bytes(ask).await?;
    if session.json { raw(&[&bytes[..], b"\n"].concat()) } else { show(&read(&bytes)?) }
}

fn show(one: &Handover) -> Result<(), Failure> {
    let taken = match &one.taken_by {
        Some(by) => format!("taken by {}", clean(by)),
        None => format!("{}: {} stays on duty until somebody takes it", one.state, clean(&one.by)),
    };
    line(&format!("handover {} by {} at {}: {taken}", one.number, clean(&one.by), one.at))?;
    items(&one.items)?;
    if !one.note.is_empty() {
        line(&format!("  {}", clean(&one.note)))?;
    }
    line(&format!("  signed {}", one.digest))
}

fn items(items: &[Item]) -> Result<(), Failure> {
    for (number, item) in (1_usize..).zip(items) {
        let mut text = format!("  {number}. {}", clean(&item.next));
        for (what, value) in
            [("", &item.entry), ("by ", &item.owner), ("due ", &item.due), ("promised: ", &item.promised)]
        {
            if let Some(value) = value {
                text = format!("{text}; {what}{}", clean(value));
            }
        }
        line(&text)?;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct CatchUp {
    since: String,
    until: String,
    cases: Vec<ChangedCase>,
    alerts: Vec<ChangedAlert>,
    partners: Vec<String>,
    waiting: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct ChangedCase {
    number: String,
    owner: String,
    name: String,
    state: String,
    covered: String,
    said: Vec<ChangedSaid>,
    next: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ChangedSaid {
    at: String,
    owner: String,
    what: String,
    entry: String,
}

#[derive(Debug, Deserialize)]
struct ChangedAlert {
    number: i64,
    class: String,
    started: String,
    state: String,
    acknowledged_by: Option<String>,
}

pub(super) async fn catch_up(session: &Session, args: &CatchUpArgs) -> Result<(), Failure> {
    let path = match args.since {
        Some(since) => format!("/catch-up?since={}", encode(&since.to_string())),
        None => "/catch-up".to_owned(),
    };
    let bytes = session.client.bytes(&Ask::get(path)).await?;
    let made: CatchUp = read(&bytes)?;
    if args.read {
        let until = object_of!({ "until": made.until });
        session.client.bytes(&Ask::json(Method::POST, "/catch-up", &until)).await?;
    }
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    line(&format!("from {} until {}", made.since, made.until))?;
    for one in &made.partners {
        line(&clean(one))?;
    }
    for case in &made.cases {
        let name = clean(&case.name);
        line(&format!(
            "{} {}, {}: {} lines covered: {name}",
            case.owner,
            clean(&case.number),
            case.state,
            case.covered
        ))?;
        for said in &case.said {
            line(&format!("  {}  {} {} {}", said.at, said.owner, said.what, said.entry))?;
        }
        for next in &case.next {
            line(&format!("  next: {next}"))?;
        }
    }
    for alert in &made.alerts {
        let by = alert.acknowledged_by.as_deref().map(|by| format!(" by {}", clean(by))).unwrap_or_default();
        line(&format!("{}  alert {} ({}): {}{by}", alert.started, alert.number, alert.class, alert.state))?;
    }
    if !made.waiting.is_empty() {
        line(&format!("{} acts await a decision: entraide act list", made.waiting.len()))?;
    }
    if made.cases.is_empty() && made.alerts.is_empty() && made.partners.is_empty() && made.waiting.is_empty() {
        return line("nothing has changed");
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Brief {
    number: String,
    title: String,
    label: String,
    made: String,
    by: String,
    entry: String,
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    heading: String,
    lines: Vec<String>,
}

pub(super) async fn brief(session: &Session, args: &BriefArgs) -> Result<(), Failure> {
    let bytes =
        session.client.bytes(&Ask::get(format!("/assistance/{}/brief", encode(&args.entry.to_string())))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let brief: Brief = read(&bytes)?;
    let label = brief.label.to_uppercase();
    line(&format!("TLP:{label}  {}  {}", clean(&brief.number), clean(&brief.title)))?;
    line(&format!("made {} by {} of {}", brief.made, clean(&brief.by), brief.entry))?;
    for part in &brief.parts {
        line(&part.heading)?;
        part.lines.iter().try_for_each(|text| line(&format!("  {}", clean(text))))?;
    }
    line(&format!("TLP:{label}"))
}

#[derive(Debug, Deserialize)]
struct Card {
    name: String,
    origin: String,
    log_key: String,
    address: String,
    made: String,
    people: Vec<CardPerson>,
    partners: Vec<CardPartner>,
    open: Vec<CardCase>,
}

#[derive(Debug, Deserialize)]
struct CardPerson {
    name: String,
    telephone: String,
    posts: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct CardPartner {
    country: String,
    name: String,
    origin: String,
    state: String,
    address: String,
    telephone: Option<String>,
    mail: Option<String>,
    fingerprint: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CardCase {
    number: String,
    entry: String,
    owner: String,
    state: String,
    by_when: String,
    call: String,
    helpers: Vec<String>,
}

pub(super) async fn card(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/card")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let card: Card = read(&bytes)?;
    line(&format!("CRISIS CARD  {}  made {}", clean(&card.name), card.made))?;
    line(&format!("our log  {}", card.origin))?;
    line(&format!("its key  {}", card.log_key))?;
    line(&format!("our node {}", clean(&card.address)))?;
    line("whom to call here")?;
    for one in &card.people {
        let posts: String = one.posts.iter().map(|post| format!("; {}", clean(post))).collect();
        line(&format!("  {}  {}{posts}", clean(&one.name), clean(&one.telephone)))?;
    }
    line("how partners are reached")?;
    for one in &card.partners {
        let number = one.telephone.as_deref().map_or_else(|| "telephone: __________".to_owned(), clean);
        let mail = one.mail.as_deref().map(|mail| format!("  {}", clean(mail))).unwrap_or_default();
        let print = one.fingerprint.as_deref().map(|print| format!("  key {}", clean(print))).unwrap_or_default();
        line(&format!("  {} {} ({})  {number}{mail}{print}", one.country, clean(&one.name), one.state))?;
        line(&format!("     {}  {}", one.origin, clean(&one.address)))?;
    }
    line("what is open")?;
    for one in &card.open {
        let helpers = one.helpers.join(", ");
        let call = clean(&one.call);
        line(&format!(
            "  {} {} ({}), {}, by {}; call {call}; {helpers}",
            one.owner,
            clean(&one.number),
            one.entry,
            one.state,
            one.by_when
        ))?;
    }
    line(
        "when the network is down: call, call back on the number of this card, read each other the last sixteen digits",
    )?;
    line("of the log, compare them with this card, and write down who said what and when (UTC)")
}
