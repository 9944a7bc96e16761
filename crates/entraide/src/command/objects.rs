//! `show`, `who-sees`, `withdraw`, `proof`: one statement, or all of one object.

use clap::Args;
use hyper::Method;
use model::{EntryRef, StixId, Tlp};
use serde_json::json as object_of;

use super::print::{clean, clean_lines, json, line, raw, table};
use super::shapes::{Call, Detail, Disclosed, Given, GivenRow, LogPage, Object, Sheet, Withdrawn};
use super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// A statement (`FR:1234`) or an object (its STIX id).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// One statement.
    Entry(EntryRef),
    /// Whatever is said of one object.
    Object(StixId),
}

impl std::str::FromStr for Name {
    type Err = model::ids::IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains("--") { text.parse().map(Self::Object) } else { text.parse().map(Self::Entry) }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entry(entry) => entry.fmt(f),
            Self::Object(id) => id.fmt(f),
        }
    }
}

/// `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// FR:1234 (origin:index), or a STIX id
    id: Name,
    /// Write the body alone, byte for byte as it was said
    #[arg(long)]
    body: bool,
}

/// `who-sees`.
#[derive(Debug, Args)]
pub struct WhoSeesArgs {
    /// FR:1234 (origin:index), or a STIX id; or say --label for what is not said yet
    #[arg(required_unless_present = "label")]
    id: Option<Name>,
    /// Who would see a statement with this label: clear, green, amber, amber+strict, red
    #[arg(long, value_name = "TLP", conflicts_with = "id")]
    label: Option<Tlp>,
    /// To this audience; without it CLEAR and GREEN go to the ticked communities
    #[arg(long, value_name = "NAME", requires = "label")]
    audience: Option<String>,
}

/// `withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// FR:1234 takes back that statement; a STIX id takes back all that we say of the object
    id: Name,
    /// Erase the body as well, here and at everyone who has it
    #[arg(long)]
    purge: bool,
    /// Why, in one line of English
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `proof`.
#[derive(Debug, Args)]
pub struct ProofArgs {
    /// FR:1234 (origin:index), or a STIX id
    id: Name,
    /// Leave the body out: prove that and when something was said, not what
    #[arg(long)]
    sealed: bool,
}

async fn detail(session: &Session, id: &Name) -> Result<bytes::Bytes, Failure> {
    wanted(session, id, false).await
}

/// `ledger`: of which statement.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    /// FR:1234 (origin:index)
    entry: model::EntryRef,
}

pub(super) async fn ledger(session: &Session, args: &LedgerArgs) -> Result<(), Failure> {
    let bytes =
        session.client.bytes(&Ask::get(format!("/statements/{}/ledger", encode(&args.entry.to_string())))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let rows: Given = read(&bytes)?;
    if rows.items.is_empty() {
        return line("nobody has opened it here");
    }
    let row = |given: &GivenRow| {
        let left = match (given.exported, given.recallable) {
            (false, _) => "shown here",
            (true, true) => "left the node",
            (true, false) => "left the node, can't be called back",
        };
        vec![given.at.clone(), clean(&given.who), given.face.clone(), left.to_owned()]
    };
    table(&rows.items.iter().map(row).collect::<Vec<_>>())
}

/// What is written into a pipe or a file leaves the node, and its ledger says so.
async fn wanted(session: &Session, id: &Name, export: bool) -> Result<bytes::Bytes, Failure> {
    Ok(session.client.bytes(&Ask::get(format!("/objects/{}?export={export}", encode(&id.to_string())))).await?)
}

pub(super) async fn show(session: &Session, args: &ShowArgs) -> Result<(), Failure> {
    let bytes = wanted(session, &args.id, args.body || session.json).await?;
    let shown: Detail = read(&bytes)?;
    if args.body {
        let gone = || Failure::Refused(format!("`{}` has no body any more: it is {}", args.id, shown.object.state));
        return raw(shown.body.as_ref().ok_or_else(gone)?.get().as_bytes());
    }
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let object = &shown.object;
    line(&clean(object.title.as_deref().unwrap_or(&object.kind)))?;
    let pap = object.pap.as_deref().map(|pap| format!(" PAP:{}", pap.to_ascii_uppercase())).unwrap_or_default();
    table(&[
        vec!["entry".to_owned(), format!("{} of {}", object.entry, object.origin)],
        vec!["object".to_owned(), object.stix_id.clone()],
        vec!["version".to_owned(), object.version.clone()],
        vec!["label".to_owned(), format!("TLP:{}{pap}", object.tlp.to_ascii_uppercase())],
        vec!["state".to_owned(), object.state.clone()],
        vec!["arrived".to_owned(), object.arrived.clone()],
        vec!["commitment".to_owned(), object.commitment.clone()],
    ])?;
    if !shown.members.is_empty() {
        line(&format!("said to     {}", countries(&shown.members)))?;
    }
    if let Some(call) = &shown.call {
        let Call { reference, level, held_at, desk, telephone, summary } = call;
        line(&clean(&format!(
            "call        {desk}, {telephone}: ask for {reference} ({level}, kept at {held_at}): {summary}"
        )))?;
    }
    if let Some(wall) = &object.wall {
        line(&format!("behind the wall as {}: supervising desks do not see it", clean(wall)))?;
    }
    for act in &shown.disclosed {
        line(&disclosed_line(act))?;
    }
    for part in &shown.parts {
        line(&format!("part        {} TLP:{} of the same event", part.entry, part.tlp.to_ascii_uppercase()))?;
    }
    for other in shown.statements.iter().filter(|other| other.entry != object.entry) {
        line(&format!("also said   {} {} {}", other.entry, other.version, other.state))?;
    }
    for receipt in &shown.receipts {
        let erased = match (receipt.erased, receipt.held) {
            (true, _) => "erased",
            (false, true) => "no longer shared, kept sealed: held by law",
            (false, false) => "no longer shared",
        };
        let exports = match (receipt.exports, receipt.not_recalled) {
            (Some(exports), lost) => format!("exports {exports}, {} can't be recalled", lost.unwrap_or(0)),
            (None, _) => "exports not counted there".to_owned(),
        };
        line(&format!("receipt     {}: {erased}; {exports}", country(&receipt.partner)))?;
    }
    match &shown.body {
        Some(body) => line(&clean_lines(body.get())),
        None => line("the body is gone"),
    }
}

/// `disclose`.
#[derive(Debug, Args)]
pub struct DiscloseArgs {
    /// FR:1234 (origin:index), a statement of ours behind the wall
    entry: EntryRef,
    /// To which supervising desk: competent-authority
    #[arg(long, value_name = "DESK")]
    to_desk: model::Desk,
    /// Under which article of law, such as "NIS2 Art 32(4)"
    #[arg(long, value_name = "ARTICLE")]
    article: String,
    /// Why, in one line: the entity reads it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides, if asked on the node's own machine: the login of a person of the CSIRT desk
    #[arg(long, value_name = "LOGIN")]
    person: Option<String>,
}

pub(super) async fn disclose(session: &Session, args: &DiscloseArgs) -> Result<(), Failure> {
    let path = format!("/statements/{}/disclose", encode(&args.entry.to_string()));
    let act = object_of!({ "to_desk": args.to_desk.word(), "article": args.article, "reason": args.reason,
        "person": args.person });
    let bytes = session.client.bytes(&Ask::json(Method::POST, path, &act)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let act: Disclosed = read(&bytes)?;
    line(&format!("{}: {}", args.entry, disclosed_line(&act)))
}

fn disclosed_line(act: &Disclosed) -> String {
    let Disclosed { to_desk, article, reason, at, by } = act;
    clean(&format!("disclosed to {to_desk} under {article}, {at} by {by}: {reason}"))
}

/// The country of an origin's name.
pub(super) fn country(origin: &str) -> &str {
    origin.split('/').nth(1).unwrap_or(origin)
}

pub(super) fn countries(origins: &[String]) -> String {
    let names: Vec<&str> = origins.iter().map(|origin| country(origin)).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
}

pub(super) async fn who_sees(session: &Session, args: &WhoSeesArgs) -> Result<(), Failure> {
    let ask = match (&args.id, args.label) {
        (Some(id), _) => Ask::get(format!("/objects/{}/who-sees", encode(&id.to_string()))),
        (None, Some(label)) => {
            let label = label.word().to_ascii_lowercase();
            Ask::json(Method::POST, "/who-sees", &object_of!({ "label": label, "audience": args.audience }))
        }
        (None, None) => return Err(Failure::Usage("say an id, or --label".to_owned())),
    };
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    sheet(&read(&bytes)?)
}

/// Prints who will see something.
pub(super) fn sheet(sheet: &Sheet) -> Result<(), Failure> {
    let seeing = sheet.partners.iter().filter(|partner| partner.sees).count();
    let audience = sheet.audience.as_deref().map(|name| format!(" (audience {})", clean(name))).unwrap_or_default();
    line(&format!("{seeing} of {} partners see it{audience}, {} left out", sheet.partners.len(), sheet.left_out))?;
    let row = |partner: &super::shapes::SheetLine| {
        let sees = if partner.sees { "sees" } else { "-" };
        let country = format!("  {}", partner.country);
        vec![country, clean(&partner.name), sees.to_owned(), clean(&partner.because)]
    };
    table(&sheet.partners.iter().map(row).collect::<Vec<_>>())?;
    for origin in &sheet.unreachable {
        line(&format!("  {} is in the audience but no active partner now: it gets it when it is", country(origin)))?;
    }
    Ok(())
}

pub(super) async fn withdraw(session: &Session, args: &WithdrawArgs) -> Result<(), Failure> {
    let entries = match &args.id {
        Name::Entry(entry) => vec![entry.to_string()],
        Name::Object(_) => own_live(session, &args.id).await?,
    };
    let action = if args.purge { "purge" } else { "stop-sharing" };
    for entry in entries {
        let path = format!("/statements/{}/withdraw", encode(&entry));
        let ask = Ask::json(Method::POST, path, &object_of!({ "action": action, "reason": args.reason }));
        let bytes = session.client.bytes(&ask).await?;
        if session.json {
            raw(&[&bytes[..], b"\n"].concat())?;
            continue;
        }
        let done: Withdrawn = read(&bytes)?;
        let what = if args.purge { "withdrawn and erased" } else { "withdrawn" };
        line(&format!("{entry} is {what} by {}; told: {}", done.entry, countries(&done.told)))?;
    }
    Ok(())
}

/// Every own statement of an object that is not taken back yet: whoever names the object means all its versions.
async fn own_live(session: &Session, id: &Name) -> Result<Vec<String>, Failure> {
    let own: LogPage = session.client.value(&Ask::get("/log?limit=1")).await?;
    let shown: Detail = read(&detail(session, id).await?)?;
    let live = |object: &&Object| object.origin == own.origin && object.state == "live";
    let entries: Vec<String> = shown.statements.iter().filter(live).map(|object| object.entry.clone()).collect();
    if entries.is_empty() {
        return Err(Failure::Refused(format!("we say nothing of `{id}` that could be taken back: look with `show`")));
    }
    Ok(entries)
}

pub(super) async fn proof(session: &Session, args: &ProofArgs) -> Result<(), Failure> {
    let entry = match &args.id {
        Name::Entry(entry) => entry.to_string(),
        Name::Object(_) => read::<Detail>(&detail(session, &args.id).await?)?.object.entry,
    };
    let ask = Ask::get(format!("/proofs/{}?sealed={}", encode(&entry), args.sealed));
    let bytes = session.client.bytes(&ask).await?;
    if session.json {
        let text = String::from_utf8_lossy(&bytes);
        return json(&object_of!({ "entry": entry, "sealed": args.sealed, "proof": text }));
    }
    raw(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_entries_or_objects() {
        let check = |text: &str, good: bool| assert_eq!(text.parse::<Name>().is_ok(), good, "{text}");
        check("FR:12", true);
        check("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", true);
        check("FR12", false);
        check("indicator--1", false);
        check("", false);
        assert_eq!("FR:12".parse::<Name>().unwrap().to_string(), "FR:12");
    }

    #[test]
    fn origins_are_shown_by_country() {
        assert_eq!(country("entraide/EE/REAL/0123456789abcdef"), "EE");
        assert_eq!(countries(&[]), "nobody");
    }
}
