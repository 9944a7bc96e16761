//! `recover`: how our own log stands after the database was set back, and what two persons decide about it.

use clap::Args;
use hyper::Method;
use serde_json::json as object_of;

use super::print::{clean, line, raw, table};
use super::shapes::{DecisionTaken, Holding, Recovery};
use super::{Failure, Session};
use crate::client::{Ask, read};

/// `recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// Decide, as one of two persons with an account (--url and a token): `speak` from what is here, when a restored
    /// node does not know what it signed last and nobody has more; `resume`, when the other copy is switched off
    #[arg(value_parser = ["speak", "resume"])]
    decision: Option<String>,
}

pub(super) async fn recover(session: &Session, args: &RecoverArgs) -> Result<(), Failure> {
    if let Some(decision) = &args.decision {
        return decide(session, decision).await;
    }
    let bytes = session.client.bytes(&Ask::get("/recovery")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let found: Recovery = read(&bytes)?;
    line(&format!("log       {}", found.state))?;
    if let Some(why) = &found.why {
        line(&format!("why       {}", clean(why)))?;
    }
    let mark = match found.mark {
        Some(mark) => format!("{mark} signed"),
        None if found.unknown => "not known what was signed last".to_owned(),
        None => "nothing signed".to_owned(),
    };
    let needs = found.needs.map(|needs| format!(", {needs} known to have been signed")).unwrap_or_default();
    line(&format!("entries   {} here, {mark}{needs}", found.size))?;
    table(&found.partners.iter().map(row).collect::<Vec<_>>())?;
    for range in &found.lost {
        line(&format!("lost      {} entries from {}", range.count, range.first))?;
    }
    if let Some(proposal) = &found.proposal {
        line(&format!(
            "proposed  {} by {} at {}: another person confirms",
            proposal.decision, proposal.by, proposal.at
        ))?;
    }
    match found.state.as_str() {
        "speaking" => Ok(()),
        _ if !session.client.is_served() => line("next      start the node (`entraide serve`): it asks its partners"),
        "recovering" if found.unknown => line("next      wait for partners, or two persons: entraide recover speak"),
        "recovering" => line(
            "next      wait for the partners that hold more; if nobody does, telephone them: the nation goes on with a \
             successor log (`entraide successor`)",
        ),
        _ => line("next      switch the other copy off for good, then two persons: entraide recover resume"),
    }
}

async fn decide(session: &Session, decision: &str) -> Result<(), Failure> {
    let ask = Ask::json(Method::POST, "/recovery/decision", &object_of!({ "decision": decision }));
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let taken: DecisionTaken = read(&bytes)?;
    match taken.outcome.as_str() {
        "proposed" => line("proposed: another person confirms with the same command, within an hour"),
        _ => line(&format!("done: the log is {} now", taken.state)),
    }
}

fn row(one: &Holding) -> Vec<String> {
    let held = match (&one.why, one.held) {
        (Some(why), _) => clean(why),
        (None, Some(held)) => format!("holds {held} entries of ours"),
        (None, None) => "not asked yet".to_owned(),
    };
    vec![format!("  {}", one.country), held, one.at.clone().unwrap_or_default()]
}
