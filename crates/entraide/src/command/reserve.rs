//! `reserve`: our requests to the EU Cybersecurity Reserve, which go to ENISA outside.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use data_encoding::BASE64;
use hyper::Method;
use model::extension::assistance::{IncidentScale, ReserveStep, ReserveUser};
use model::{EntryRef, Timestamp};
use serde::Deserialize;
use serde_json::json as object_of;

use super::failure::refused;
use super::print::{clean, line, raw, table};
use super::shapes::Page;
use super::{Failure, Session};
use crate::client::{Ask, encode, read};
use crate::keys::read_small;

/// `reserve …`.
#[derive(Debug, Subcommand)]
pub enum ReserveCommand {
    /// Open a dossier, for one of our calls for help or by itself
    Open(OpenArgs),
    /// Fill in what is known by now
    Fill(FillArgs),
    /// Note a step that was taken outside, with the file that shows it
    Step(StepArgs),
    /// List the dossiers, the newest first
    List,
    /// Show a dossier: what is filled in and missing, the clocks, what was done and may be done next
    Show {
        /// Any version of it: FR:40
        entry: EntryRef,
    },
    /// Write the file that shows a step to standard output
    Proof {
        /// Any version of the dossier: FR:40
        entry: EntryRef,
        /// The step's number
        number: u32,
    },
}

/// `reserve open`.
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// What it is about, in one line
    #[arg(long, value_name = "TEXT", required_unless_present = "request")]
    name: Option<String>,
    /// Our call for help to partners: what it says is taken over
    #[arg(long = "for", value_name = "ENTRY")]
    request: Option<EntryRef>,
    /// Who asks: state, cert-eu, third-country
    #[arg(long, value_name = "WHO", default_value = "state")]
    user: ReserveUser,
}

/// `reserve fill`.
#[derive(Debug, Args)]
pub struct FillArgs {
    /// Any version of the dossier: FR:40
    entry: EntryRef,
    /// significant, large-scale, large-scale-equivalent
    #[arg(long, value_name = "SCALE")]
    scale: Option<IncidentScale>,
    /// The affected entity
    #[arg(long, value_name = "TEXT")]
    entity: Option<String>,
    /// States and users that may be hit, and what may spill over
    #[arg(long, value_name = "TEXT")]
    impact: Option<String>,
    /// The service that is requested
    #[arg(long, value_name = "TEXT")]
    service: Option<String>,
    /// What it is to be used for
    #[arg(long, value_name = "TEXT")]
    planned_use: Option<String>,
    /// How much is needed, and for how long
    #[arg(long, value_name = "TEXT")]
    needs: Option<String>,
    /// What was done already
    #[arg(long, value_name = "TEXT")]
    mitigation: Option<String>,
    /// Contracts for response, insurance, what partners offer
    #[arg(long, value_name = "TEXT")]
    other_support: Option<String>,
    /// The single point of contact: name and number
    #[arg(long, value_name = "WHO")]
    contact_point: Option<String>,
}

/// `reserve step`.
#[derive(Debug, Args)]
pub struct StepArgs {
    /// Any version of the dossier: FR:40
    entry: EntryRef,
    /// at-contact-point, submitted, eligibility, assessed, queued, granted, refused, agreement, deployed, ended, reported,
    /// withdrawn; or draft, if it was given back
    step: ReserveStep,
    /// When it was taken; now unless said otherwise
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Duration and nature of what was granted, why it was refused
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The file that shows it; submitted and reported need one, of at most 256 KiB
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Kept {
    entry: String,
}

#[derive(Debug, Deserialize)]
struct DossierRow {
    entry: String,
    number: String,
    name: String,
    step: String,
    missing: usize,
    clocks: Vec<ClockRow>,
}

#[derive(Debug, Deserialize)]
struct ClockRow {
    words: String,
    article: String,
    target: String,
    outer: String,
    met: Option<String>,
    standing: String,
}

#[derive(Debug, Deserialize)]
struct DossierWhole {
    #[serde(flatten)]
    row: DossierRow,
    fields: Vec<FieldRow>,
    steps: Vec<StepRow>,
    next: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct FieldRow {
    name: String,
    article: String,
    value: Option<String>,
    remedy: Option<String>,
}

#[derive(Debug, Deserialize)]
struct StepRow {
    number: usize,
    step: String,
    at: String,
    by: String,
    note: Option<String>,
    proof: Option<ProofRow>,
}

#[derive(Debug, Deserialize)]
struct ProofRow {
    name: String,
    sha256: String,
}

pub(super) async fn reserve(session: &Session, command: &ReserveCommand) -> Result<(), Failure> {
    match command {
        ReserveCommand::Open(args) => {
            let request = args.request.map(|entry| entry.to_string());
            let new = object_of!({ "name": args.name, "request": request, "user": args.user });
            kept(session, &session.client.bytes(&Ask::json(Method::POST, "/reserve", &new)).await?)
        }
        ReserveCommand::Fill(args) => {
            let new = object_of!({
                "scale": args.scale, "entity": args.entity, "impact": args.impact, "service": args.service,
                "planned_use": args.planned_use, "needs": args.needs, "mitigation": args.mitigation,
                "other_support": args.other_support, "contact_point": args.contact_point,
            });
            let path = format!("/reserve/{}/versions", encode(&args.entry.to_string()));
            kept(session, &session.client.bytes(&Ask::json(Method::POST, path, &new)).await?)
        }
        ReserveCommand::Step(args) => step(session, args).await,
        ReserveCommand::List => list(session).await,
        ReserveCommand::Show { entry } => show(session, *entry).await,
        ReserveCommand::Proof { entry, number } => {
            let path = format!("/reserve/{}/proofs/{number}", encode(&entry.to_string()));
            raw(&session.client.bytes(&Ask::get(path)).await?)
        }
    }
}

async fn step(session: &Session, args: &StepArgs) -> Result<(), Failure> {
    let proof = match &args.proof {
        Some(path) => {
            let bytes = read_small(path).map_err(refused)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Some(object_of!({ "name": name, "content": BASE64.encode(&bytes) }))
        }
        None => None,
    };
    let new = object_of!({ "step": args.step, "at": args.at, "note": args.note, "proof": proof });
    let path = format!("/reserve/{}/steps", encode(&args.entry.to_string()));
    kept(session, &session.client.bytes(&Ask::json(Method::POST, path, &new)).await?)
}

fn kept(session: &Session, bytes: &bytes::Bytes) -> Result<(), Failure> {
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let kept: Kept = read(bytes)?;
    line(&format!("kept at {}; entraide reserve show {}", kept.entry, kept.entry))
}

async fn list(session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get("/reserve")).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let page: Page<DossierRow> = read(&bytes)?;
    if page.items.is_empty() {
        return line("there is no dossier for the Reserve");
    }
    let row = |row: &DossierRow| {
        let missing = format!("{} fields missing", row.missing);
        vec![row.entry.clone(), clean(&row.number), row.step.clone(), missing, clean(&row.name)]
    };
    table(&page.items.iter().map(row).collect::<Vec<_>>())
}

async fn show(session: &Session, entry: EntryRef) -> Result<(), Failure> {
    let bytes = session.client.bytes(&Ask::get(format!("/reserve/{}", encode(&entry.to_string())))).await?;
    if session.json {
        return raw(&[&bytes[..], b"\n"].concat());
    }
    let dossier: DossierWhole = read(&bytes)?;
    let row = &dossier.row;
    line(&format!("{}  {}  {}", clean(&row.number), row.step, clean(&row.name)))?;
    for field in &dossier.fields {
        let text = match (&field.value, &field.remedy) {
            (Some(value), _) => clean(value),
            (None, Some(remedy)) => format!("MISSING: {remedy}"),
            (None, None) => "MISSING".to_owned(),
        };
        line(&format!("  {} ({}): {text}", field.name, field.article))?;
    }
    for clock in &row.clocks {
        let met = clock.met.as_deref().map(|at| format!(", met {at}")).unwrap_or_default();
        let (words, article, standing) = (&clock.words, &clock.article, &clock.standing);
        line(&format!(
            "{words} ({article}): {standing}; exactly {}, at the latest {}{met}",
            clock.target, clock.outer
        ))?;
    }
    for step in &dossier.steps {
        let note = step.note.as_deref().map(|note| format!(": {}", clean(note))).unwrap_or_default();
        let shown = |proof: &ProofRow| format!("; proof {}, SHA-256 {}", clean(&proof.name), proof.sha256);
        let proof = step.proof.as_ref().map(shown).unwrap_or_default();
        line(&format!("{}. {}  {} by {}{note}{proof}", step.number, step.at, step.step, clean(&step.by)))?;
    }
    if dossier.next.is_empty() { Ok(()) } else { line(&format!("next: {}", dossier.next.join(", "))) }
}
