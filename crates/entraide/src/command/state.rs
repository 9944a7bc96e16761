//! `status`, `log`, `rebuild`.

use clap::Args;
use hyper::Method;
use model::Country;
use serde_json::Value;

use super::print::{clean, json, line, raw, table};
use super::shapes::{ClockAccepted, LogEntry, LogPage, Partner, Rebuilt, Status};
use super::{Failure, Session};
use crate::client::{Ask, read};

/// `log`: which part of which log.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Whose log, by two letters; without it our own
    #[arg(long, value_name = "CC")]
    country: Option<Country>,
    /// How many entries, newest first
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    limit: u64,
}

pub(super) async fn status(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/status")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let status: Status = read(&bytes)?;
    line(&format!("{} ({}) at {}", status.origin, clean(&status.name), status.now))?;
    if let Some(clock) = &status.clock {
        line(&format!("clock     {}", clean(&clock.words())))?;
    }
    line(&format!("log       {} entries signed, {} objects of ours", status.log.size, status.objects))?;
    if let Some(why) = &status.log.why {
        line(&format!("{:<9} {}", status.log.state, clean(why)))?;
    }
    if status.log.witnesses > 0 {
        let log = &status.log;
        let (witnessed, k, n) = (log.witnessed.unwrap_or(0), log.threshold, log.witnesses);
        line(&format!("witnessed {witnessed} entries by {k} of {n} witnesses"))?;
    }
    if let (Some(size), Some(at)) = (status.log.stamped, &status.log.stamped_at) {
        line(&format!("stamped   {size} entries by a time authority, at {at}"))?;
    }
    let intake = &status.intake;
    line(&format!(
        "intake    {} new, {} asserted, {} in conflict, {} dismissed",
        intake.new, intake.asserted, intake.conflict, intake.dismissed
    ))?;
    line(&format!("partners  {}", status.partners.len()))?;
    table(&partner_rows(&status.partners))?;
    for row in &status.evidence {
        line(&format!("evidence  {} {} {}: {}", row.at, row.partner, row.kind, clean(&row.summary)))?;
    }
    Ok(())
}

pub(super) fn partner_rows(partners: &[Partner]) -> Vec<Vec<String>> {
    let row = |partner: &Partner| {
        let missing: u64 = partner.incomplete.iter().map(|gap| gap.missing).sum();
        let mut incomplete = if missing == 0 { String::new() } else { format!("incomplete: {missing} missing") };
        for one in &partner.beyond {
            incomplete.push_str(&format!("  {} says that it has {} more", clean(&one.by), one.more));
        }
        let behind_us = match partner.behind_us {
            0 => "has all of ours".to_owned(),
            10_001.. => "has over 10,000 of ours to fetch".to_owned(),
            some => format!("has {some} of ours to fetch"),
        };
        vec![
            format!("  {}", partner.country),
            clean(&partner.name),
            partner.class.clone(),
            clean(&partner.standing()),
            format!("{} entries", partner.size),
            format!("{} objects", partner.objects),
            behind_us,
            incomplete,
        ]
    };
    partners.iter().map(row).collect()
}

pub(super) async fn log(session: &Session, args: &LogArgs) -> Result<(), Failure> {
    let mut rows = pages(session, args).await?;
    if session.json {
        return json(&rows);
    }
    let page: LogPage = serde_json::from_value(rows.take()).map_err(super::failure::refused)?;
    line(&format!("{}: {} entries", page.origin, page.size))?;
    table(&page.items.iter().map(entry_row).collect::<Vec<_>>())
}

/// As many pages as it takes, as one.
async fn pages(session: &Session, args: &LogArgs) -> Result<Value, Failure> {
    let country = args.country.map(|country| format!("&country={country}")).unwrap_or_default();
    let mut left = args.limit;
    let mut whole: Option<Value> = None;
    let mut before = String::new();
    loop {
        let rows = left.min(1_000);
        let ask = Ask::get(format!("/log?limit={rows}{country}{before}"));
        let mut page: Value = session.client.value(&ask).await?;
        let next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        let found = page.get("items").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        left = left.saturating_sub(found);
        let items = page.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        let whole = whole.get_or_insert_with(|| page.clone());
        if let Some(list) = whole.get_mut("items").and_then(Value::as_array_mut) {
            list.extend(items);
        }
        whole["next"] = next.clone().map_or(Value::Null, Value::from);
        match next {
            Some(next) if left > 0 && found > 0 => before = format!("&before={}", crate::client::encode(&next)),
            Some(_) | None => return Ok(whole.take()),
        }
    }
}

fn entry_row(entry: &LogEntry) -> Vec<String> {
    let commitment = entry.commitment.chars().take(16).collect();
    let arrived = entry.arrived.clone().unwrap_or_default();
    let said = match (&entry.object, &entry.unfit) {
        (Some(object), _) => {
            let title = object.title.as_deref().map(clean).unwrap_or_default();
            let state = if object.state == "live" { String::new() } else { format!("{} ", object.state) };
            format!("{state}{} {} {title}", object.tlp, object.stix_id)
        }
        (None, Some(reason)) => format!("kept raw: {}", clean(reason)),
        (None, None) if entry.lost => "lost, as its owner says".to_owned(),
        (None, None) if entry.arrived.is_some() => "taken back, or not for you".to_owned(),
        (None, None) => "not opened to us".to_owned(),
    };
    vec![entry.entry.clone(), commitment, arrived, said]
}

/// `clock`.
#[derive(Debug, Args)]
pub struct ClockArgs {
    /// Say that the machine's clock is right, after you have compared it with another: the node goes by it from now on, also
    /// where that is back
    #[arg(value_parser = ["accept"])]
    accept: Option<String>,
}

pub(super) async fn clock(session: &Session, args: &ClockArgs) -> Result<(), Failure> {
    if args.accept.is_none() {
        let bytes = session.client.bytes(&Ask::get("/status")).await?;
        let status: Status = read(&bytes)?;
        if session.json {
            let whole: Value = read(&bytes)?;
            return json(&serde_json::json!({ "now": status.now, "clock": whole["clock"] }));
        }
        line(&format!("now       {}", status.now))?;
        return match &status.clock {
            Some(clock) => line(&format!("clock     {}", clean(&clock.words()))),
            None => line("clock     goes on as it should"),
        };
    }
    let bytes = session.client.bytes(&Ask::json(Method::POST, "/operate/clock", &serde_json::json!({}))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let done: ClockAccepted = read(&bytes)?;
    line(&format!("the node goes by the machine's clock: {}", done.now))
}

pub(super) async fn rebuild(session: &Session) -> Result<(), Failure> {
    let ask = Ask::json(Method::POST, "/operate/rebuild", &serde_json::json!({}));
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let done: Rebuilt = read(&bytes)?;
    line(&format!(
        "rebuilt: {} statements folded, {} of those kept raw are read now, {} stay raw",
        done.folded, done.now_fit, done.unfit
    ))
}
