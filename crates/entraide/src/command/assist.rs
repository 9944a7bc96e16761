//! `assist`: ask for help, answer, agree, and say how a mission goes.

mod evidence;
pub(super) mod relay;

use clap::{Args, Subcommand};
use hyper::Method;
use model::extension::assistance::{HelpKind, LegalBasis, Line, Mode, Payer, Quantity, Sector, Severity};
use model::{EntryRef, Timestamp, Tlp};
use serde_json::{Value, json as object_of};

use super::lending::MatchesOf;
use super::mandates::MandateRow;
use super::print::{clean, line, raw, table};
use super::shapes::{AgreementRow, CaseRow, CaseWhole, Page, SaidOf};
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// `assist …`.
#[derive(Debug, Subcommand)]
pub enum AssistCommand {
    /// Ask partners for help: what, how much, by when, whom to call
    Ask(AskArgs),
    /// List calls for help, the newest first
    List,
    /// Show a call for help with its answers, agreements and missions, and what is ours to do next
    Show {
        /// Any statement of it: FR:12
        entry: EntryRef,
    },
    /// Propose who could fill what is still missing, and say why nobody can fill the rest; nothing leaves the node
    Match {
        /// The call for help: FR:12
        entry: EntryRef,
    },
    /// Say that our call for help is over
    Close {
        /// The call for help: FR:12
        entry: EntryRef,
        /// It was a mistake, or is asked in another way
        #[arg(long)]
        withdrawn: bool,
    },
    /// Answer a call for help, or change our answer
    Reply(ReplyArgs),
    /// Take down what a partner without a node says over the telephone; nothing counts before it is confirmed
    Relay {
        /// The partner: two letters, the name that you gave it, or the whole origin
        partner: String,
        #[command(flatten)]
        args: relay::RelayArgs,
    },
    /// It was read back and is right: now it counts, marked as relayed
    RelayConfirm {
        /// The draft's number
        number: i64,
    },
    /// It is not what was said: nothing of it is kept
    RelayDrop {
        /// The draft's number
        number: i64,
    },
    /// Accept an offer: all that is still needed of it, or the lines that are named
    Accept(AcceptArgs),
    /// Sign what was accepted of our offer: from here on it is in force
    Sign {
        /// The acceptance: FR:14
        entry: EntryRef,
    },
    /// Do not sign what was accepted of our offer
    Decline(StepArgs),
    /// Take our acceptance back
    Retract(StepArgs),
    /// Say that we have read the retraction: it takes effect
    Acknowledge {
        /// The acceptance: FR:14
        entry: EntryRef,
    },
    /// End what is in force
    End {
        #[command(flatten)]
        step: StepArgs,
        /// Everything was done that was agreed
        #[arg(long)]
        fulfilled: bool,
    },
    /// Begin a mission under what is in force, or say how it goes on
    Mission(MissionArgs),
    /// Say something to the other party of a case, and to nobody else
    Note(NoteArgs),
    /// Show the messages of a case, in the order in which they came
    Notes {
        /// Any statement of the case: FR:12
        entry: EntryRef,
    },
    /// Say that a disk with evidence was handed to a courier, under seal
    Courier(evidence::CourierArgs),
    /// Say what was done with a piece of evidence: delivered, passed, returned, destroyed, hold-lifted
    Custody(evidence::CustodyArgs),
    /// Show the evidence of a case, and who had it
    Evidence {
        /// Any statement of the case: FR:12
        entry: EntryRef,
    },
}

/// `assist note`.
#[derive(Debug, Args)]
pub struct NoteArgs {
    /// Any statement of the case: FR:12
    entry: EntryRef,
    /// What is said: plain text
    text: String,
    /// To whom, when we asked and several have answered: EE
    #[arg(long, value_name = "COUNTRY")]
    to: Option<String>,
    /// Who may see it there: clear, green, amber, amber+strict
    #[arg(long, value_name = "TLP", default_value = "amber+strict")]
    label: Tlp,
}

/// `assist ask`.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// One line in English: what is wrong and what is wanted
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Whom to call, at any hour: name and number
    #[arg(long, value_name = "WHO")]
    call: String,
    /// By when somebody must be on the case: 2026-11-25T06:00:00Z
    #[arg(long, value_name = "TIME")]
    by: Timestamp,
    /// What is needed: KIND:QUANTITY[:remote|on-site|either], several times for several lines
    #[arg(long = "need", value_name = "NEED", required = true)]
    needs: Vec<NeedArg>,
    /// Who may see it: clear, green, amber, amber+strict
    #[arg(long, value_name = "TLP")]
    label: Tlp,
    /// To this audience; without it CLEAR and GREEN go to the ticked communities
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// Under which law: csirts-network, bilateral, art37, crrt, reserve, ask-counsel
    #[arg(long, value_name = "BASIS", default_value = "csirts-network")]
    basis: LegalBasis,
    /// Life or health is at risk
    #[arg(long)]
    life_at_risk: bool,
    /// Signed by one person in an emergency
    #[arg(long)]
    emergency: bool,
    /// How severe it is: incident, significant, large-scale
    #[arg(long, value_name = "HOW")]
    severity: Option<Severity>,
    /// An essential entity is hit: it comes first
    #[arg(long)]
    essential: bool,
    /// A sector that is hit, several times for several: health, energy …
    #[arg(long = "sector", value_name = "SECTOR")]
    sectors: Vec<Sector>,
    /// What happened, entities by sector and never by name
    #[arg(long, value_name = "TEXT")]
    situation: Option<String>,
}

/// `assist reply`.
#[derive(Debug, Args)]
pub struct ReplyArgs {
    /// The call for help: FR:12
    entry: EntryRef,
    /// yes, maybe, no or withdrawn
    #[arg(value_parser = ["yes", "maybe", "no", "withdrawn"])]
    answer: String,
    /// Whom to call: name and number
    #[arg(long, value_name = "WHO")]
    call: String,
    /// What is offered: LINE:QUANTITY[:MODE], with @EE:3 from an own capacity; with yes and none everything that is asked
    #[arg(long = "line", value_name = "LINE")]
    lines: Vec<LineArg>,
    /// With yes: offer what this own capacity can fill, several times for several: EE:3
    #[arg(long = "capacity", value_name = "ENTRY", conflicts_with = "lines")]
    capacities: Vec<EntryRef>,
    /// With yes: offer what all own capacities can fill, as `assist match` proposes
    #[arg(long, conflicts_with_all = ["lines", "capacities"])]
    matched: bool,
    /// Who pays: provider, requester, to-be-agreed
    #[arg(long, value_name = "PAYER", default_value = "provider")]
    payer: Payer,
    /// It may be accepted until then
    #[arg(long, value_name = "TIME")]
    valid_until: Option<Timestamp>,
    /// What else is to be said
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// `assist accept`.
#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// The offer: EE:7
    entry: EntryRef,
    /// Which lines, and how much of them: LINE:QUANTITY
    #[arg(long = "line", value_name = "LINE")]
    lines: Vec<LineArg>,
    /// What was settled beyond the offer
    #[arg(long, value_name = "TEXT")]
    terms: Option<String>,
    /// Paper follows within 30 days
    #[arg(long)]
    emergency: bool,
}

/// A step with a reason.
#[derive(Debug, Args)]
pub struct StepArgs {
    /// The acceptance: FR:14
    entry: EntryRef,
    /// Why, if it is to be said
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// `assist mission`.
#[derive(Debug, Args)]
pub struct MissionArgs {
    /// The acceptance under which it works: FR:14
    entry: EntryRef,
    /// Where it stands
    #[arg(value_parser = ["ordered", "mobilising", "travelling", "on-task", "handover", "demobilising", "reporting",
        "closed", "aborted"])]
    phase: String,
    /// Who leads it; needed when it begins
    #[arg(long, value_name = "WHO")]
    leader: Option<String>,
    /// What was done, or the summary
    #[arg(long, value_name = "TEXT")]
    report: Option<String>,
    /// Hours worked so far
    #[arg(long, value_name = "N")]
    hours: Option<u32>,
    /// What it has cost so far, euro
    #[arg(long, value_name = "EURO")]
    cost: Option<u32>,
}

/// `forensics:2:remote`.
#[derive(Debug, Clone)]
pub struct NeedArg {
    kind: HelpKind,
    quantity: Quantity,
    mode: Mode,
}

impl std::str::FromStr for NeedArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let kind = parts
            .next()
            .unwrap_or_default()
            .parse()
            .map_err(|error: model::extension::assistance::words::WordError| error.to_string())?;
        let (quantity, mode) = amount(parts)?;
        Ok(Self { kind, quantity, mode })
    }
}

/// `1:2:remote`, or from an own capacity `1:2:remote@EE:3`.
#[derive(Debug, Clone)]
pub struct LineArg {
    line: Line,
    quantity: Quantity,
    mode: Mode,
    capacity: Option<EntryRef>,
}

impl LineArg {
    fn offered(&self) -> Value {
        let draw = |entry: &EntryRef| object_of!({ "capacity": entry.to_string(), "quantity": self.quantity });
        let draws: Vec<Value> = self.capacity.iter().map(draw).collect();
        object_of!({ "line": self.line, "quantity": self.quantity, "mode": self.mode, "draws": draws })
    }
}

impl std::str::FromStr for LineArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (text, capacity) = match text.split_once('@') {
            Some((text, entry)) => {
                let entry = entry.parse().map_err(|_| format!("`{entry}` is not an entry such as EE:3"))?;
                (text, Some(entry))
            }
            None => (text, None),
        };
        let mut parts = text.split(':');
        let number: u16 = parts.next().unwrap_or_default().parse().map_err(|_| "write LINE:QUANTITY".to_owned())?;
        let (quantity, mode) = amount(parts)?;
        Ok(Self { line: Line::try_from(number)?, quantity, mode, capacity })
    }
}

fn amount<'a>(mut parts: impl Iterator<Item = &'a str>) -> Result<(Quantity, Mode), String> {
    let number = parts.next().ok_or("say how many: forensics:2")?;
    let number: u32 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    let mode = match parts.next() {
        None => Mode::Either,
        Some(word) => {
            word.parse().map_err(|error: model::extension::assistance::words::WordError| error.to_string())?
        }
    };
    if parts.next().is_some() {
        return Err("write KIND:QUANTITY:MODE".to_owned());
    }
    Ok((Quantity::try_from(number)?, mode))
}

/// A message of a case.
#[derive(Debug, serde::Deserialize)]
struct NoteRow {
    entry: String,
    from: String,
    to: String,
    at: String,
    text: String,
}

pub(super) async fn assist(session: &Session, command: &AssistCommand) -> Result<(), Failure> {
    match command {
        AssistCommand::Ask(args) => ask(session, args).await,
        AssistCommand::List => list(session).await,
        AssistCommand::Show { entry } => show(session, *entry).await,
        AssistCommand::Match { entry } => matches(session, *entry).await,
        AssistCommand::Close { entry, withdrawn } => {
            let phase = if *withdrawn { "withdrawn" } else { "closed" };
            say(session, *entry, "versions", &object_of!({ "phase": phase })).await
        }
        AssistCommand::Reply(args) => reply(session, args).await,
        AssistCommand::Relay { partner, args } => relay::take_down(session, partner, args).await,
        AssistCommand::RelayConfirm { number } => relay::confirm(session, *number).await,
        AssistCommand::RelayDrop { number } => relay::drop_draft(session, *number).await,
        AssistCommand::Accept(args) => {
            let lines: Vec<Value> =
                args.lines.iter().map(|one| object_of!({ "line": one.line, "quantity": one.quantity })).collect();
            let taken = object_of!({ "lines": lines, "terms": args.terms, "emergency": args.emergency });
            say(session, args.entry, "accept", &taken).await
        }
        AssistCommand::Sign { entry } => step(session, *entry, "countersign", None, false).await,
        AssistCommand::Decline(args) => step(session, args.entry, "decline", args.reason.as_deref(), false).await,
        AssistCommand::Retract(args) => step(session, args.entry, "retract", args.reason.as_deref(), false).await,
        AssistCommand::Acknowledge { entry } => step(session, *entry, "acknowledge", None, false).await,
        AssistCommand::End { step: args, fulfilled } => {
            step(session, args.entry, "end", args.reason.as_deref(), *fulfilled).await
        }
        AssistCommand::Mission(args) => {
            let news = object_of!({
                "phase": args.phase, "leader": args.leader, "report": args.report, "hours": args.hours,
                "cost_cents": args.cost.map(|euro| u64::from(euro) * 100),
            });
            say(session, args.entry, "mission", &news).await
        }
        AssistCommand::Note(args) => {
            let label = args.label.word().to_ascii_lowercase();
            let note = object_of!({ "text": args.text, "to": args.to, "label": label });
            say(session, args.entry, "notes", &note).await
        }
        AssistCommand::Notes { entry } => notes(session, *entry).await,
        AssistCommand::Courier(args) => evidence::courier(session, args).await,
        AssistCommand::Custody(args) => evidence::custody(session, args).await,
        AssistCommand::Evidence { entry } => evidence::list(session, *entry).await,
    }
}

async fn ask(session: &Session, args: &AskArgs) -> Result<(), Failure> {
    let needs: Vec<Value> = args
        .needs
        .iter()
        .map(|need| object_of!({ "kind": need.kind, "quantity": need.quantity, "mode": need.mode }))
        .collect();
    let asked = object_of!({
        "name": args.name, "call": args.call, "by_when": args.by, "lines": needs,
        "label": args.label.word().to_ascii_lowercase(), "audience": args.audience, "basis": args.basis,
        "life_at_risk": args.life_at_risk, "emergency": args.emergency, "situation": args.situation,
        "severity": args.severity, "essential": args.essential, "sectors": args.sectors,
    });
    told(session, &session.client.bytes(&Ask::json(Method::POST, "/assistance", &asked)).await?)
}

async fn reply(session: &Session, args: &ReplyArgs) -> Result<(), Failure> {
    let lines: Vec<Value> = args.lines.iter().map(LineArg::offered).collect();
    let reply = object_of!({
        "answer": args.answer, "call": args.call, "lines": lines, "payer": args.payer,
        "valid_until": args.valid_until, "note": args.note, "matched": args.matched,
        "capacities": args.capacities.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    say(session, args.entry, "reply", &reply).await
}

async fn step(
    session: &Session,
    entry: EntryRef,
    step: &str,
    reason: Option<&str>,
    fulfilled: bool,
) -> Result<(), Failure> {
    say(session, entry, "step", &object_of!({ "step": step, "reason": reason, "fulfilled": fulfilled })).await
}

async fn say(session: &Session, entry: EntryRef, what: &str, value: &Value) -> Result<(), Failure> {
    let path = format!("/assistance/{}/{what}", encode(&entry.to_string()));
    told(session, &session.client.bytes(&Ask::json(Method::POST, path, value)).await?)
}

pub(super) fn told(session: &Session, bytes: &bytes::Bytes) -> Result<(), Failure> {
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let said: SaidOf = read(bytes)?;
    if let Some(number) = said.awaiting {
        return line(&format!("not said yet: it waits for a second person; entraide act show {number}"));
    }
    line(&format!("said at {}; entraide assist show {}", said.entry, said.request))
}

async fn list(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/assistance")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let page: Page<CaseRow> = read(&bytes)?;
    if page.items.is_empty() {
        return line("nobody asks for help");
    }
    let row = |case: &CaseRow| {
        let covered = format!("{} of {} lines covered, {} offers", case.covered, case.lines, case.offers);
        vec![case.entry.clone(), clean(&case.number), case.state.clone(), covered, clean(&case.name)]
    };
    table(&page.items.iter().map(row).collect::<Vec<_>>())
}

async fn notes(session: &Session, entry: EntryRef) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get(format!("/assistance/{}/notes", encode(&entry.to_string())))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let page: Page<NoteRow> = read(&bytes)?;
    if page.items.is_empty() {
        return line("nothing was said in this case");
    }
    for note in &page.items {
        line(&format!("{}  {}  {} to {}: {}", note.entry, note.at, note.from, note.to, clean(&note.text)))?;
    }
    Ok(())
}

async fn show(session: &Session, entry: EntryRef) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get(format!("/assistance/{}", encode(&entry.to_string())))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let case: CaseWhole = read(&bytes)?;
    let row = &case.row;
    line(&format!("{}  {}  {}", clean(&row.number), row.state, clean(&row.name)))?;
    let life = if row.life_at_risk { "; life or health is at risk" } else { "" };
    line(&format!("{} asks; by {}{life}; call {}", row.owner, row.by_when, clean(&case.call)))?;
    let need = |need: &super::shapes::NeedRow| {
        let counts = format!(
            "{} asked, {} in force, {} done, {} accepted, {} more offered",
            need.asked, need.committed, need.fulfilled, need.accepted, need.offered
        );
        vec![format!("  line {}", need.line), format!("{} ({})", need.kind, need.mode), counts]
    };
    table(&case.needs.iter().map(need).collect::<Vec<_>>())?;
    for one in &case.awake {
        line(&format!("{} is awake for it since {}", one.country, one.at))?;
    }
    for offer in &case.answers {
        line(&format!("{}  {} says {}; call {}", offer.entry, offer.provider, offer.answer, clean(&offer.call)))?;
        if let Some(by) = &offer.relayed {
            let (partner, said_by, taken_by) = (clean(&by.partner), clean(&by.said_by), clean(&by.taken_by));
            line(&format!(
                "  relayed: {said_by} for {partner} at {}, by {}, taken down by {taken_by}",
                by.said_at, by.way
            ))?;
        }
        for agreed in &offer.agreements {
            agreement(agreed)?;
        }
    }
    for said in &case.timeline {
        let Some(signed) = &said.signed else { continue };
        let within = signed.authority.as_ref().map(|number| format!(" within {}", clean(number))).unwrap_or_default();
        let alone = signed.emergency.as_ref().map(|why| format!(" alone, in an emergency: {}", clean(why)));
        let by = clean(&signed.by.join(" and "));
        line(&format!("{}  {} is signed by {by}{within}{}", said.entry, said.what, alone.unwrap_or_default()))?;
    }
    for place in &case.missing {
        line(&format!("not here: {place}, which is answered: what is shown is not the whole"))?;
    }
    for one in &case.without_effect {
        line(&format!("without effect: {}: {}", one.entry, one.why))?;
    }
    for next in &case.next {
        line(&format!("next: {} {}", next.step, next.entry))?;
    }
    Ok(())
}

async fn matches(session: &Session, entry: EntryRef) -> Result<(), Failure> {
    let path = format!("/assistance/{}/matches", encode(&entry.to_string()));
    let bytes = session.client.bytes(&Ask::get(path)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let made: MatchesOf = read(&bytes)?;
    let number = clean(&made.number);
    line(&format!(
        "{number}: {} of {} missing could be filled, of {} looked at",
        made.fills, made.missing, made.looked_at
    ))?;
    for pair in &made.pairings {
        let what = format!("line {}: {} from {} ({})", pair.line, pair.quantity, pair.capacity, clean(&pair.name));
        line(&format!("{what}, {}, on the case {}: {}", pair.mode, pair.arrives, clean(&pair.why)))?;
    }
    for gap in &made.gaps {
        line(&format!("line {}: {}", gap.line, clean(&gap.why)))?;
    }
    Ok(())
}

fn agreement(agreed: &AgreementRow) -> Result<(), Failure> {
    let notice = agreed.notice.as_deref().map(|by| format!(", notice given by the {by}")).unwrap_or_default();
    line(&format!("  {}  {}{notice}", agreed.entry, agreed.state))?;
    for mandate in &agreed.mandates {
        let MandateRow { entry, standing, entity, access, .. } = mandate;
        line(&format!("    mandate {entry}  {standing}  {access} at {}", clean(entity)))?;
    }
    let Some(mission) = &agreed.mission else { return Ok(()) };
    let since = mission.on_task.as_deref().map(|at| format!(", on the case since {at}")).unwrap_or_default();
    let cost = mission.cost_cents / 100;
    line(&format!(
        "    mission {} led by {}{since}; {} h, {cost} EUR",
        mission.phase,
        clean(&mission.leader),
        mission.hours
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_and_lines_are_short_words() {
        let need: NeedArg = "forensics:2:remote".parse().unwrap();
        assert_eq!((need.kind, u32::from(need.quantity), need.mode), (HelpKind::Forensics, 2, Mode::Remote));
        assert_eq!("containment:1".parse::<NeedArg>().unwrap().mode, Mode::Either);
        let check = |text: &str| assert!(text.parse::<NeedArg>().is_err(), "{text}");
        check("forensics");
        check("forensics:0");
        check("forensics:2:afar");
        check("forensics:2:remote:x");
        check("magic:1");
        assert!("0:1".parse::<LineArg>().is_err() && "1:1".parse::<LineArg>().is_ok());
        let drawn: LineArg = "1:2:remote@EE:3".parse().unwrap();
        assert_eq!(drawn.offered()["draws"][0]["capacity"], "EE:3");
        assert!("1:2@EE".parse::<LineArg>().is_err());
    }
}
