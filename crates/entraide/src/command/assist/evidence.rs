//! `assist courier`, `assist custody`, `assist evidence`: evidence under seal, and who had it.

use clap::Args;
use model::extension::assistance::{ArtefactKind, Sha256Digest};
use model::{EntryRef, Timestamp, Tlp};
use serde::Deserialize;
use serde_json::json as object_of;

use super::super::print::{clean, line, raw};
use super::super::shapes::Page;
use super::super::{Failure, Session};
use crate::client::{Ask, encode, read};

/// `assist courier`.
#[derive(Debug, Args)]
pub struct CourierArgs {
    /// The acceptance under which it is handed over: FR:14
    entry: EntryRef,
    /// Its name for people
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// disk-image, memory-image, logs, network-capture, malware-sample, findings, document, other
    #[arg(long, value_name = "KIND")]
    kind: ArtefactKind,
    /// Bytes of the evidence on it
    #[arg(long, value_name = "BYTES")]
    size: u64,
    /// SHA-256 of the evidence, if it is known
    #[arg(long, value_name = "HEX", value_parser = digest)]
    sha256: Option<Sha256Digest>,
    /// The number of a seal on it; several times for several seals
    #[arg(long = "seal", value_name = "NUMBER", required = true)]
    seals: Vec<String>,
    /// Who carries it
    #[arg(long, value_name = "WHO")]
    carrier: String,
    /// Who handed it over
    #[arg(long, value_name = "WHO")]
    from: String,
    /// To whom it goes
    #[arg(long, value_name = "WHO")]
    to: String,
    /// When it was handed over; now unless said otherwise
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// It is destroyed by then, unless the law wants it kept
    #[arg(long, value_name = "TIME")]
    destroy_by: Option<Timestamp>,
    /// A malicious program is on it
    #[arg(long)]
    malware: bool,
    /// Personal data is on it
    #[arg(long)]
    personal_data: bool,
    /// A court or prosecutor wants it kept
    #[arg(long)]
    judicial_hold: bool,
    /// Who may see that there: clear, green, amber, amber+strict
    #[arg(long, value_name = "TLP", default_value = "amber+strict")]
    label: Tlp,
}

fn digest(text: &str) -> Result<Sha256Digest, String> {
    Sha256Digest::from_hex(text).ok_or_else(|| "a SHA-256 is 64 hexadecimal digits".to_owned())
}

/// `assist custody`.
#[derive(Debug, Args)]
pub struct CustodyArgs {
    /// The evidence: FR:20
    entry: EntryRef,
    /// What was done
    #[arg(value_parser = ["delivered", "passed", "returned", "destroyed", "hold-lifted"])]
    act: String,
    /// To whom it was passed or returned
    #[arg(long, value_name = "WHO")]
    to: Option<String>,
    /// How it was destroyed
    #[arg(long, value_name = "HOW")]
    method: Option<String>,
    /// The number on a seal, as it came; several times for several seals
    #[arg(long = "seal", value_name = "NUMBER")]
    seals: Vec<String>,
    /// The seals were whole, as it came
    #[arg(long)]
    intact: bool,
    /// Who did it; whoever runs the command unless said otherwise
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// What else is to be said
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Deserialize)]
struct EvidenceRow {
    entry: String,
    owner: String,
    other: String,
    name: String,
    kind: String,
    size: u64,
    seals: Vec<String>,
    sealed: Option<SealedRow>,
    is_due: bool,
    malware: bool,
    personal_data: bool,
    held: bool,
    state: String,
    custody: Vec<LinkRow>,
}

#[derive(Debug, Deserialize)]
struct SealedRow {
    size: u64,
    sha256: String,
    recipients: Vec<String>,
    destroyed_by_owner: bool,
}

#[derive(Debug, Deserialize)]
struct LinkRow {
    entry: String,
    party: String,
    act: String,
    by: String,
    at: String,
    detail: Option<String>,
    seals_good: Option<bool>,
    deleted: Option<bool>,
}

pub(super) async fn courier(session: &Session, args: &CourierArgs) -> Result<(), Failure> {
    let label = args.label.word().to_ascii_lowercase();
    let disk = object_of!({
        "name": args.name, "kind": args.kind, "size": args.size, "sha256": args.sha256, "seals": args.seals,
        "carrier": args.carrier, "from": args.from, "to": args.to, "handed_over": args.at,
        "destroy_by": args.destroy_by, "malware": args.malware, "personal_data": args.personal_data,
        "judicial_hold": args.judicial_hold, "label": label,
    });
    super::say(session, args.entry, "evidence", &disk).await
}

pub(super) async fn custody(session: &Session, args: &CustodyArgs) -> Result<(), Failure> {
    let act = object_of!({
        "act": args.act, "to": args.to, "method": args.method, "seals": args.seals, "intact": args.intact,
        "by": args.by, "note": args.note,
    });
    super::say(session, args.entry, "custody", &act).await
}

pub(super) async fn list(session: &Session, entry: EntryRef) -> Result<(), Failure> {
    let path = format!("/assistance/{}/evidence", encode(&entry.to_string()));
    let bytes = session.client.bytes(&Ask::get(path)).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let page: Page<EvidenceRow> = read(&bytes)?;
    if page.items.is_empty() {
        return line("no evidence was handed over in this case");
    }
    page.items.iter().try_for_each(shown)
}

fn shown(known: &EvidenceRow) -> Result<(), Failure> {
    let marks = [
        (known.malware, "malware"),
        (known.personal_data, "personal data"),
        (known.held, "a court wants it kept"),
        (known.is_due, "to be destroyed now"),
    ];
    let marks: String =
        marks.iter().filter(|(is, _)| *is).map(|(_, word)| format!(", {word}")).collect::<Vec<_>>().concat();
    let way = match &known.sealed {
        Some(_) => "sealed file".to_owned(),
        None => format!("seals {}", clean(&known.seals.join(", "))),
    };
    line(&format!(
        "{}  {} to {}: {}  {}, {} bytes, {way}{marks}: {}",
        known.entry,
        known.owner,
        known.other,
        known.state,
        known.kind,
        known.size,
        clean(&known.name)
    ))?;
    if let Some(sealed) = &known.sealed {
        let gone = if sealed.destroyed_by_owner { "; its owner has destroyed it" } else { "" };
        let to = sealed.recipients.join(", ");
        line(&format!("  sealed to {to}: {} bytes, SHA-256 {}{gone}", sealed.size, sealed.sha256))?;
    }
    for link in &known.custody {
        let detail = link.detail.as_deref().map(|detail| format!(" ({})", clean(detail))).unwrap_or_default();
        let warned = if link.seals_good == Some(false) { "; NOT the seals with which it left, or broken" } else { "" };
        let deleted = match link.deleted {
            Some(true) => "; its node deleted the sealed bytes first",
            Some(false) => "; there were no sealed bytes at its node",
            None => "",
        };
        let by = clean(&link.by);
        line(&format!("  {}  {}  {} {}{detail} by {by}{warned}{deleted}", link.entry, link.at, link.party, link.act))?;
    }
    Ok(())
}
