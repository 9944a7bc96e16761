//! `spill`, `hold`, `retention`: what must not be here, what must stay, and how long the rest is kept.

use clap::{Args, Subcommand};
use hyper::Method;
use node::subject::Subject;
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::shapes::keeping::{
    Applied, HoldLine, Holder, Holds, Laid, Plan, Released, Retention, Rule, SpillReport, SpilledStatement, Spills,
};
use super::{Failure, Session};
use crate::client::{Ask, read};

/// `spill`.
#[derive(Debug, Args)]
pub struct SpillArgs {
    #[command(subcommand)]
    command: Option<SpillCommand>,
    /// FR:1234 (origin:index), a STIX id (whatever anybody says of it), or intake:7
    #[arg(required = true)]
    id: Option<Subject>,
    /// Why, in one line of English. Partners read it: do not repeat the secret
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Show what it would reach, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The login of somebody who agrees to purge what is under legal hold; it takes two persons
    #[arg(long, value_name = "LOGIN")]
    despite_hold: Vec<String>,
}

/// `spill …`.
#[derive(Debug, Subcommand)]
pub enum SpillCommand {
    /// Show the report of a spill as it stands now
    Show {
        /// Its number
        number: i64,
    },
    /// Show the spills, newest first
    List,
}

/// `hold …`.
#[derive(Debug, Subcommand)]
pub enum HoldCommand {
    /// Lay a legal hold
    Add {
        /// FR:1234 (origin:index), a STIX id (also what is still to come of it), or intake:7
        id: Subject,
        /// Every version of the statement's thread
        #[arg(long)]
        thread: bool,
        /// Why: the case, the article
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// When it is expected to end, such as 2027-01-31; it ends when somebody releases it
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
    },
    /// Release a legal hold: what owners wanted erased meanwhile is erased now
    Release {
        /// Its number
        number: i64,
    },
    /// Show the legal holds, newest first
    List {
        /// Those that are released as well
        #[arg(long)]
        all: bool,
    },
}

/// `retention …`.
#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Show the rules, and the last purges
    Show,
    /// Set how long one kind of data is kept; it purges nothing
    #[command(group = clap::ArgGroup::new("how-long").required(true))]
    Set {
        /// intake/STATE, partner, partner/LABEL, partner/LABEL/TYPE, partner/*/TYPE, partner-withdrawn, own-withdrawn,
        /// sessions, idempotency, ledger or evidence
        rule: String,
        /// For so many days
        #[arg(long, value_name = "N", group = "how-long")]
        days: Option<u32>,
        /// For ever, as without a rule
        #[arg(long, group = "how-long")]
        forever: bool,
    },
    /// List exactly what is due now; it changes nothing
    Plan,
    /// Purge what a plan lists
    Apply {
        /// The plan's time
        #[arg(long, value_name = "TIME")]
        at: String,
        /// The plan's digest
        #[arg(long, value_name = "HEX")]
        digest: String,
        /// The day as you read it from your own watch, such as 2026-11-25: this node's clock may have jumped
        #[arg(long, value_name = "DAY")]
        today: String,
    },
}

pub(super) async fn spill(session: &Session, args: &SpillArgs) -> Result<(), Failure> {
    let ask = match (&args.command, &args.id) {
        (Some(SpillCommand::List), _) => return spills(session).await,
        (Some(SpillCommand::Show { number }), _) => Ask::get(format!("/spills/{number}")),
        (None, Some(id)) if args.dry_run => {
            Ask::json(Method::POST, "/spills/preview", &object_of!({ "id": id.to_string() }))
        }
        (None, Some(id)) => {
            let order = object_of!({
                "id": id.to_string(), "reason": args.reason, "despite_hold": args.despite_hold,
            });
            Ask::json(Method::POST, "/spills", &order)
        }
        (None, None) => return Err(Failure::Usage("say what must not be here: see --help".to_owned())),
    };
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    report(&read(&bytes)?)
}

async fn spills(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/spills")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let list: Spills = read(&bytes)?;
    let rows =
        list.items.iter().map(|one| vec![one.number.to_string(), one.at.clone(), clean(&one.who), clean(&one.reason)]);
    table(&rows.collect::<Vec<_>>())
}

/// The report as people print it.
fn report(report: &SpillReport) -> Result<(), Failure> {
    if let (Some(number), Some(at), Some(who)) = (report.number, &report.at, &report.who) {
        let second = report.second.as_deref().map(|second| format!(", agreed by {}", clean(second)));
        line(&format!("spill {number} at {at} by {}{}", clean(who), second.unwrap_or_default()))?;
        line(&format!("because: {}", clean(report.reason.as_deref().unwrap_or_default())))?;
    } else {
        line("nothing is purged yet; a spill would reach:")?;
    }
    for held in &report.held {
        line(&format!("under legal hold: {}", clean(held)))?;
    }
    for statement in &report.statements {
        of_statement(statement)?;
    }
    for row in &report.intake {
        let who = row.who.as_deref().unwrap_or("the machine");
        line(&format!("intake:{} taken in at {} by {}", row.intake, row.taken, clean(who)))?;
    }
    line(&format!(
        "{} partners have not said that they purged it; {} copies that left by hand can't be recalled",
        report.open, report.not_recalled
    ))
}

fn of_statement(statement: &SpilledStatement) -> Result<(), Failure> {
    let purged = if statement.purged { "purged here" } else { "not purged" };
    let by = statement.withdrawal.as_deref().map(|entry| format!(", withdrawn by {entry}")).unwrap_or_default();
    line(&format!("{} {purged}{by}", statement.entry))?;
    if let Some(call) = &statement.call {
        let name = clean(call.name.as_deref().unwrap_or("its owner"));
        line(&format!("  CALL {name} ({}): it is theirs, and nothing of this is relayed to them", call.origin))?;
    }
    if statement.kept_by_partners {
        line(
            "  CALL each partner below: it is about sharing, can't be withdrawn, and they keep it until they purge it",
        )?;
    }
    let holder = |holder: &Holder| {
        let counted = match (holder.exports, holder.not_recalled) {
            (Some(exports), lost) => format!("{exports} exports, {} can't be recalled", lost.unwrap_or(0)),
            (None, _) => String::new(),
        };
        let name = clean(holder.name.as_deref().unwrap_or(&holder.partner));
        vec![format!("  {name}"), holder.standing.clone(), counted]
    };
    table(&statement.holders.iter().map(holder).collect::<Vec<_>>())?;
    let given = statement.given.iter().map(|given| {
        let left = match (given.exported, given.recallable) {
            (false, _) => "shown here",
            (true, true) => "left the node",
            (true, false) => "left the node, can't be called back",
        };
        vec![format!("  {}", given.at), clean(&given.who), given.face.clone(), left.to_owned()]
    });
    table(&given.collect::<Vec<_>>())
}

pub(super) async fn hold(session: &Session, command: &HoldCommand) -> Result<(), Failure> {
    let ask = match command {
        HoldCommand::Add { id, thread, reason, until } => {
            // A day alone is its beginning; a time is taken as it stands.
            let until =
                until.as_ref().map(|day| if day.contains('T') { day.clone() } else { format!("{day}T00:00:00Z") });
            let hold = object_of!({ "id": id.to_string(), "thread": thread, "reason": reason, "until": until });
            Ask::json(Method::POST, "/holds", &hold)
        }
        HoldCommand::Release { number } => Ask::json(Method::POST, format!("/holds/{number}/release"), &object_of!({})),
        HoldCommand::List { all } => Ask::get(format!("/holds?all={all}")),
    };
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    match command {
        HoldCommand::Add { id, .. } => line(&format!("legal hold {} lies on {id}", read::<Laid>(&bytes)?.number)),
        HoldCommand::Release { .. } => {
            let done: Released = read(&bytes)?;
            line(&format!("legal hold {} is released; {} statements are erased now", done.number, done.erased))
        }
        HoldCommand::List { .. } => {
            let list: Holds = read(&bytes)?;
            table(&list.items.iter().map(hold_row).collect::<Vec<_>>())
        }
    }
}

fn hold_row(hold: &HoldLine) -> Vec<String> {
    let ends = match (&hold.released, &hold.until) {
        (Some(at), _) => format!("released {at} by {}", clean(hold.released_by.as_deref().unwrap_or_default())),
        (None, Some(until)) if hold.due => format!("was expected to end {until}: release it, or leave it"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "lies".to_owned(),
    };
    vec![hold.number.to_string(), clean(&hold.on), hold.at.clone(), clean(&hold.who), ends, clean(&hold.reason)]
}

pub(super) async fn retention(session: &Session, command: &RetentionCommand) -> Result<(), Failure> {
    let ask = match command {
        RetentionCommand::Show => Ask::get("/retention"),
        RetentionCommand::Set { rule, days, forever: _ } => {
            Ask::json(Method::POST, "/retention/rules", &object_of!({ "rule": rule, "days": days }))
        }
        RetentionCommand::Plan => Ask::get("/retention/plan"),
        RetentionCommand::Apply { at, digest, today } => {
            let plan = object_of!({ "at": at, "digest": digest, "today": today });
            Ask::json(Method::POST, "/retention/apply", &plan)
        }
    };
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    match command {
        RetentionCommand::Show => shown(&read(&bytes)?),
        RetentionCommand::Set { .. } => {
            let rule: Rule = read(&bytes)?;
            let long = if rule.days == 0 { "for ever".to_owned() } else { format!("for {} days", rule.days) };
            line(&format!("{} is kept {long}", rule.rule))
        }
        RetentionCommand::Plan => planned(&read(&bytes)?),
        RetentionCommand::Apply { .. } => {
            let done: Applied = read(&bytes)?;
            line(&format!("run {}: {} of {} planned items are purged", done.run, done.purged, done.planned))
        }
    }
}

fn shown(kept: &Retention) -> Result<(), Failure> {
    line("kept for ever, but for:")?;
    table(&kept.rules.iter().map(|rule| vec![rule.rule.clone(), format!("{} days", rule.days)]).collect::<Vec<_>>())?;
    for run in &kept.runs {
        let done = format!("{} of {} planned items purged", run.purged, run.planned);
        line(&format!("run {} at {} by {}: {done}", run.number, run.at, clean(&run.who)))?;
    }
    Ok(())
}

fn planned(plan: &Plan) -> Result<(), Failure> {
    for rule in &plan.rules {
        let oldest = rule.oldest.as_deref().map(|oldest| format!(", the oldest of {oldest}")).unwrap_or_default();
        line(&format!("{} ({} days): {} due{oldest}", rule.rule, rule.days, rule.due))?;
    }
    let row = |item: &super::shapes::keeping::PlannedItem| {
        vec![format!("  {}", clean(&item.name)), item.since.clone(), item.rule.clone()]
    };
    table(&plan.items.iter().map(row).collect::<Vec<_>>())?;
    if plan.items.is_empty() {
        return line("nothing is due");
    }
    if plan.more {
        line("more is due: it comes with the next plan")?;
    }
    let (at, digest) = (&plan.at, &plan.digest);
    line(&format!("nothing is purged yet: entraide retention apply --at {at} --digest {digest} --today YYYY-MM-DD"))
}
