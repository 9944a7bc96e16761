//! `/reserve`: our requests to the EU Cybersecurity Reserve. They go to ENISA outside, through the single point of contact;
//! here is what is filled in and what is missing, which clocks run, and what shows that each step was taken.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use domain::assist::reserve::{self, Clock, Standing};
use model::extension::assistance::{
    Dossier, IncidentScale, ReserveStep, ReserveTaken, ReserveUser, Sha256Digest, StepProof,
};
use model::{Citation, EntryRef, Timestamp};
use node::assist::{self, reserve as use_case};
use node::query::objects::ObjectError;
use node::query::reserve as query;
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::StoreError;
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment, Two};
use crate::server::session::Caller;

/// A new dossier.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenDossier {
    /// What it is about, in one line; of a call for help its own unless said otherwise.
    #[serde(default)]
    pub name: Option<String>,
    /// Our call for help to partners on the other path: what it says is taken over. `FR:12`.
    #[serde(default)]
    pub request: Option<String>,
    /// Who asks: `state` unless said otherwise, `cert-eu` or `third-country`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub user: Option<ReserveUser>,
}

/// What is new in a dossier; an empty text takes away what was written.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FillDossier {
    /// `significant`, `large-scale` or `large-scale-equivalent`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub scale: Option<IncidentScale>,
    /// The affected entity.
    #[serde(default)]
    pub entity: Option<String>,
    /// Potential impact.
    #[serde(default)]
    pub impact: Option<String>,
    /// The service that is requested.
    #[serde(default)]
    pub service: Option<String>,
    /// What it is to be used for.
    #[serde(default)]
    pub planned_use: Option<String>,
    /// How much is needed, and for how long.
    #[serde(default)]
    pub needs: Option<String>,
    /// What was done already.
    #[serde(default)]
    pub mitigation: Option<String>,
    /// What other support there is.
    #[serde(default)]
    pub other_support: Option<String>,
    /// The single point of contact: name and number.
    #[serde(default)]
    pub contact_point: Option<String>,
}

impl FillDossier {
    fn apply(self, dossier: &mut Dossier) {
        let put = |place: &mut Option<String>, new: Option<String>| {
            if let Some(text) = new {
                *place = Some(text).filter(|text| !text.trim().is_empty());
            }
        };
        dossier.scale = self.scale.or(dossier.scale);
        put(&mut dossier.entity, self.entity);
        put(&mut dossier.impact, self.impact);
        put(&mut dossier.service, self.service);
        put(&mut dossier.planned_use, self.planned_use);
        put(&mut dossier.needs, self.needs);
        put(&mut dossier.mitigation, self.mitigation);
        put(&mut dossier.other_support, self.other_support);
        put(&mut dossier.contact_point, self.contact_point);
    }
}

/// A file that shows a step.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Its name.
    pub name: String,
    /// The file in Base64, of at most 256 KiB.
    pub content: String,
}

/// A step that was taken outside.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenStep {
    /// `at-contact-point`, `submitted`, `eligibility`, `assessed`, `queued`, `granted`, `refused`, `agreement`, `deployed`,
    /// `ended`, `reported`, `withdrawn`, or `draft` if the single point of contact gave it back.
    #[schema(value_type = String)]
    pub step: ReserveStep,
    /// When it was taken; now unless said otherwise.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub at: Option<Timestamp>,
    /// What else is to be said: duration and nature of what was granted, why it was refused.
    #[serde(default)]
    pub note: Option<String>,
    /// What shows it; `submitted` and `reported` need it.
    #[serde(default)]
    pub proof: Option<Proof>,
}

/// A dossier that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct DossierKept {
    /// Its entry in our log, which nobody else can open.
    pub entry: String,
}

/// A dossier in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct DossierRow {
    /// Its newest version: `FR:40`.
    pub entry: String,
    /// Its number for people.
    pub number: String,
    /// What it is about: show it as it is.
    pub name: String,
    /// Who asks.
    pub user: &'static str,
    /// Where it stands.
    pub step: &'static str,
    /// How many fields that the law wants are missing.
    pub missing: usize,
    /// Periods that run or ran.
    pub clocks: Vec<ClockRow>,
}

/// A period.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockRow {
    /// Who owes what to whom.
    pub words: &'static str,
    /// Which rule says so.
    pub article: &'static str,
    /// When it began.
    pub since: String,
    /// The period exactly.
    pub target: String,
    /// The end by Reg. 1182/71.
    pub outer: String,
    /// When it was met.
    pub met: Option<String>,
    /// `running`, `past target`, `late`, `met` or `met late`.
    pub standing: &'static str,
}

/// A field of a dossier.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldRow {
    /// Its name.
    pub name: &'static str,
    /// What it is, for people.
    pub words: &'static str,
    /// Which rule wants it.
    pub article: &'static str,
    /// What is written: show it as it is.
    pub value: Option<String>,
    /// What is to be written, if nothing is.
    pub remedy: Option<&'static str>,
}

/// A step of a dossier.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepRow {
    /// Its number, from 1.
    pub number: usize,
    /// Which.
    pub step: &'static str,
    /// When it was taken.
    pub at: String,
    /// Who noted it.
    pub by: String,
    /// What else is said.
    pub note: Option<String>,
    /// What shows it.
    pub proof: Option<ProofRow>,
}

/// A file that shows a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofRow {
    /// Its name: show it as it is.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: String,
}

/// A dossier whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct DossierWhole {
    /// As in a list.
    #[serde(flatten)]
    pub row: DossierRow,
    /// Our call for help on the other path.
    pub request: Option<String>,
    /// Everything that the law wants to know.
    pub fields: Vec<FieldRow>,
    /// What was done with it.
    pub steps: Vec<StepRow>,
    /// What may be noted next.
    pub next: Vec<&'static str>,
    /// When this was read.
    pub now: String,
}

fn entry(place: &Citation) -> String {
    EntryRef::of(&place.origin, place.index).to_string()
}

impl ClockRow {
    fn of(clock: &Clock, now: Timestamp) -> Self {
        Self {
            words: clock.words,
            article: clock.article,
            since: clock.since.to_string(),
            target: clock.target.to_string(),
            outer: clock.outer.to_string(),
            met: clock.met.map(|at| at.to_string()),
            standing: match clock.at(now) {
                Standing::Running => "running",
                Standing::PastTarget => "past target",
                Standing::Late => "late",
                Standing::Met => "met",
                Standing::MetLate => "met late",
            },
        }
    }
}

impl DossierRow {
    fn of(me: &model::Origin, index: model::Index, dossier: &Dossier, now: Timestamp) -> Self {
        Self {
            entry: EntryRef::of(me, index).to_string(),
            number: dossier.number.clone(),
            name: dossier.title.clone(),
            user: dossier.user.word(),
            step: dossier.step().word(),
            missing: reserve::fields(dossier).iter().filter(|field| field.value.is_none()).count(),
            clocks: reserve::clocks(dossier).iter().map(|clock| ClockRow::of(clock, now)).collect(),
        }
    }
}

impl DossierWhole {
    fn of(row: DossierRow, dossier: &Dossier, now: Timestamp) -> Self {
        let field = |field: &reserve::Field<'_>| FieldRow {
            name: field.name,
            words: field.words,
            article: field.article,
            value: field.value.map(str::to_owned),
            remedy: if field.value.is_none() { Some(field.remedy) } else { None },
        };
        let step = |(at, taken): (usize, &ReserveTaken)| StepRow {
            number: at + 1,
            step: taken.step.word(),
            at: taken.at.to_string(),
            by: taken.by.clone(),
            note: taken.note.clone(),
            proof: taken.proof.as_ref().map(|proof| ProofRow {
                name: proof.name.clone(),
                size: proof.size,
                sha256: proof.sha256.to_string(),
            }),
        };
        let from = dossier.step();
        let next = ReserveStep::ALL.iter().filter(|step| reserve::next(from, **step).is_ok());
        Self {
            row,
            request: dossier.request.as_ref().map(entry),
            fields: reserve::fields(dossier).iter().map(field).collect(),
            steps: dossier.steps.iter().enumerate().map(step).collect(),
            next: next.map(|step| step.word()).collect(),
            now: now.to_string(),
        }
    }
}

/// Our dossiers for the Reserve, the newest first.
#[utoipa::path(get, path = "/reserve", tag = "assistance", responses((status = OK, body = Page<DossierRow>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<DossierRow>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let kept = query::all(view, &viewer)?;
        let rows = kept.iter().map(|(row, dossier)| DossierRow::of(&view.me.origin, row.index, dossier, view.now));
        Ok::<_, StoreError>(Page::whole(rows.collect()))
    });
    Ok(Json(made.await?))
}

/// One dossier as it stands, named by any version of it: fields filled and missing, clocks, and what was done.
#[utoipa::path(get, path = "/reserve/{entry}", tag = "assistance", params(("entry" = String, Path)), responses(
    (status = OK, body = DossierWhole),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
) -> Result<Json<DossierWhole>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let (row, dossier) = query::one(view, &viewer, name)?;
        let row = DossierRow::of(&view.me.origin, row.index, &dossier, view.now);
        Ok::<_, ObjectError>(DossierWhole::of(row, &dossier, view.now))
    });
    Ok(Json(made.await?))
}

/// Opens a dossier: a statement to ourselves alone, that nobody else can open.
#[utoipa::path(post, path = "/reserve", tag = "assistance", request_body = OpenDossier, responses(
    (status = OK, body = DossierKept),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn open(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    input: Input<OpenDossier>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let OpenDossier { name, request, user } = input.value;
    let request = request.map(|entry| entry.parse::<EntryRef>().map_err(Refusal::unreadable)).transpose()?;
    let command = move |work: &mut Work<'_, '_>| {
        let request = request.map(|entry| assist::place_of(work, entry)).transpose()?;
        let new = use_case::NewDossier { title: name, user: user.unwrap_or(ReserveUser::State), request };
        let appended = use_case::open(work, &new, &caller.actor.login)?;
        Ok(DossierKept { entry: EntryRef::of(&work.me.origin, appended.index).to_string() })
    };
    idempotency::once(&app, bound, command).await
}

/// Fills in what is known by now; each time is a version that can be proved later.
#[utoipa::path(post, path = "/reserve/{entry}/versions", tag = "assistance", params(("entry" = String, Path)),
    request_body = FillDossier, responses(
        (status = OK, body = DossierKept),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn fill(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<FillDossier>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name = seen(&app, &caller, &entry).await?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let new = input.value;
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let appended = use_case::fill(work, &place, |dossier| new.apply(dossier))?;
        Ok(DossierKept { entry: EntryRef::of(&work.me.origin, appended.index).to_string() })
    };
    idempotency::once(&app, bound, command).await
}

/// Notes a step that was taken outside, with what shows it.
#[utoipa::path(post, path = "/reserve/{entry}/steps", tag = "assistance", params(("entry" = String, Path)),
    request_body = TakenStep, responses(
        (status = OK, body = DossierKept),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn step(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<TakenStep>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name = seen(&app, &caller, &entry).await?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let TakenStep { step, at, note, proof } = input.value;
    let proof = proof.map(read_proof).transpose()?;
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let new = use_case::NewStep { step, at, note, proof };
        let appended = use_case::step(work, &place, &new, &caller.actor.login)?;
        Ok(DossierKept { entry: EntryRef::of(&work.me.origin, appended.index).to_string() })
    };
    idempotency::once(&app, bound, command).await
}

/// The file that shows a step, named by its number.
#[utoipa::path(get, path = "/reserve/{entry}/proofs/{number}", tag = "assistance",
    params(("entry" = String, Path), ("number" = usize, Path)), responses(
        (status = OK, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn proof(State(app): State<App>, caller: Caller, Two(entry, number): Two) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let number: usize = number.parse().map_err(Refusal::unreadable)?;
    let viewer = caller.actor.viewer(&app.node().me().origin);
    let (_, dossier) = app.node().read(move |view| query::one(view, &viewer, name)).await?;
    let taken = number.checked_sub(1).and_then(|at| dossier.steps.get(at));
    let proof = taken.and_then(|taken| taken.proof.as_ref()).ok_or_else(Refusal::not_found)?;
    let bytes = BASE64.decode(proof.content.as_bytes()).map_err(Refusal::unreadable)?;
    // A file of others is never shown in a browser.
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, "attachment")];
    Ok((headers, bytes).into_response())
}

/// A dossier that the caller may see: to whom it is not shown, it is not there.
async fn seen(app: &App, caller: &Caller, entry: &str) -> Result<EntryRef, Refusal> {
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let viewer = caller.actor.viewer(&app.node().me().origin);
    app.node().read(move |view| query::one(view, &viewer, name)).await?;
    Ok(name)
}

fn read_proof(proof: Proof) -> Result<StepProof, Refusal> {
    let bytes = BASE64
        .decode(proof.content.as_bytes())
        .map_err(|_| Refusal::unreadable("`proof.content` is the file in Base64 (RFC 4648 §4), with its padding"))?;
    let sha256 = Sha256Digest::new(Sha256::digest(&bytes).into());
    Ok(StepProof { name: proof.name, size: bytes.len() as u64, sha256, content: proof.content })
}
