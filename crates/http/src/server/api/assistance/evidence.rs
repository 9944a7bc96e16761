//! `/assistance/{entry}/evidence`: what was handed over under seal, and who had it until it was returned or destroyed.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::assist::room::{ArtefactCase, Fate};
use model::extension::assistance::{ArtefactKind, Custody as Link, CustodyAct, Sha256Digest, Way};
use model::{Citation, EntryRef, Timestamp, Tlp};
use node::assist::{self, evidence};
use node::query::assist as query;
use node::query::objects::ObjectError;
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::App;
use super::super::idempotency::{self, Key};
use super::super::refusal::{ProblemDetails, Refusal};
use super::super::request::{Input, Page, Segment};
use super::{Said, told};
use crate::server::session::Caller;

/// A disk that was handed to a courier.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Its name for people: one line.
    pub name: String,
    /// `disk-image`, `memory-image`, `logs`, `network-capture`, `malware-sample`, `findings`, `document` or `other`.
    #[schema(value_type = String)]
    pub kind: ArtefactKind,
    /// Bytes of the evidence on it.
    pub size: u64,
    /// SHA-256 of the evidence, if it is known.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub sha256: Option<Sha256Digest>,
    /// The numbers of the seals on it.
    pub seals: Vec<String>,
    /// Who carries it.
    pub carrier: String,
    /// Who handed it over.
    pub from: String,
    /// To whom it goes.
    pub to: String,
    /// When it was handed over; now unless said otherwise.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub handed_over: Option<Timestamp>,
    /// It is destroyed by then, unless the law wants it kept.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub destroy_by: Option<Timestamp>,
    /// Is there a malicious program on it?
    #[serde(default)]
    pub malware: bool,
    /// Is there personal data on it?
    #[serde(default)]
    pub personal_data: bool,
    /// Does a court or prosecutor want it kept? Then nobody destroys it until its owner says that this is lifted.
    #[serde(default)]
    pub judicial_hold: bool,
    /// `amber+strict` unless said otherwise; never `red`.
    #[serde(default)]
    pub label: Option<String>,
}

/// What was done with a piece of evidence.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What.
    pub act: ActWord,
    /// To whom it was passed or returned.
    #[serde(default)]
    pub to: Option<String>,
    /// How it was destroyed.
    #[serde(default)]
    pub method: Option<String>,
    /// The numbers on the seals, as it came.
    #[serde(default)]
    pub seals: Vec<String>,
    /// Were the seals whole, as it came?
    #[serde(default)]
    pub intact: bool,
    /// Who did it; the caller unless said otherwise.
    #[serde(default)]
    pub by: Option<String>,
    /// What else is to be said.
    #[serde(default)]
    pub note: Option<String>,
}

/// An act in a chain of custody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActWord {
    /// It came.
    Delivered,
    /// It was given to somebody else at the same party, or to a helper.
    Passed,
    /// It went back to its owner; no copy is left.
    Returned,
    /// It was destroyed; no copy is left.
    Destroyed,
    /// No court or prosecutor wants it kept any longer.
    HoldLifted,
}

impl Act {
    fn read(&self) -> Result<CustodyAct, Refusal> {
        let needs = |what: &Option<String>, name: &str| {
            what.clone().ok_or_else(|| Refusal::unreadable(format!("say `{name}`: one line")))
        };
        Ok(match self.act {
            ActWord::Delivered => CustodyAct::Delivered { seals: self.seals.clone(), intact: self.intact },
            ActWord::Passed => CustodyAct::Passed { to: needs(&self.to, "to")? },
            // Whether the node deletes anything is for the node to find out.
            ActWord::Returned => CustodyAct::Returned { to: needs(&self.to, "to")?, deleted: false },
            ActWord::Destroyed => CustodyAct::Destroyed { method: needs(&self.method, "method")?, deleted: false },
            ActWord::HoldLifted => CustodyAct::HoldLifted,
        })
    }
}

/// A piece of evidence and its chain of custody.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceRow {
    /// Where it stands: `FR:20`.
    pub entry: String,
    /// The acceptance under which it was handed over.
    pub agreement: String,
    /// Whose it is.
    pub owner: String,
    /// To whom it was handed over.
    pub other: String,
    /// Its name for people: show it as it is.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// Bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Option<String>,
    /// The sealed file, if it does not go by courier.
    pub sealed: Option<SealedRow>,
    /// The numbers of the seals as it left, by courier.
    pub seals: Vec<String>,
    /// Who carried it, by courier.
    pub carrier: Option<String>,
    /// When it was handed over, by courier.
    pub handed_over: Option<String>,
    /// Who wrote that down.
    pub added_by: String,
    /// It is destroyed by then.
    pub destroy_by: Option<String>,
    /// Is that time over, while somebody still has it?
    pub is_due: bool,
    /// A malicious program is on it.
    pub malware: bool,
    /// Personal data is on it.
    pub personal_data: bool,
    /// A court or prosecutor wants it kept, as its owner says.
    pub held: bool,
    /// What the other party has of it: `on its way` or `not fetched`, `has it`, `returned` or `destroyed`.
    pub state: &'static str,
    /// Who had it, in the order in which it was heard.
    pub custody: Vec<LinkRow>,
}

/// A sealed file.
#[derive(Debug, Serialize, ToSchema)]
pub struct SealedRow {
    /// Bytes of the sealed file.
    pub size: u64,
    /// SHA-256 of the sealed file.
    pub sha256: String,
    /// The root over its pieces.
    pub pieces: String,
    /// To whom it is sealed.
    pub recipients: Vec<String>,
    /// Its owner says that it is destroyed: nobody fetches it any more.
    pub destroyed_by_owner: bool,
}

/// A link of a chain of custody.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkRow {
    /// Where it stands: `EE:31`.
    pub entry: String,
    /// Who says it.
    pub party: String,
    /// `handed out`, `fetched`, `delivered`, `passed`, `returned`, `destroyed` or `hold lifted`.
    pub act: &'static str,
    /// Who did it.
    pub by: String,
    /// When, by the clock of who says it.
    pub at: String,
    /// To whom, how, or the seals as they came.
    pub detail: Option<String>,
    /// Are the seals those with which it left, and whole? Of a delivery alone.
    pub seals_good: Option<bool>,
    /// Did the node delete its sealed bytes before it said so? Of a sealed file that was returned or destroyed alone.
    pub deleted: Option<bool>,
    /// What else is said.
    pub note: Option<String>,
}

fn entry(place: &Citation) -> String {
    EntryRef::of(&place.origin, place.index).to_string()
}

const fn state(fate: Fate, way: &Way) -> &'static str {
    match fate {
        Fate::NotHad => match way {
            Way::Sealed { .. } => "not fetched",
            Way::Courier { .. } => "on its way",
        },
        Fate::Has => "has it",
        Fate::Returned => "returned",
        Fate::Destroyed => "destroyed",
    }
}

impl EvidenceRow {
    fn of(known: &ArtefactCase, now: Timestamp) -> Self {
        let artefact = &known.artefact;
        let fate = known.fate(&known.other);
        let (seals, carrier, handed_over) = match &artefact.way {
            Way::Courier { seals, carrier, handed_over, from: _, to: _ } => {
                (seals.as_slice(), Some(carrier.clone()), Some(handed_over.to_string()))
            }
            Way::Sealed { .. } => (&[][..], None, None),
        };
        Self {
            entry: entry(&known.place),
            agreement: entry(&artefact.agreement),
            owner: known.place.origin.country().to_string(),
            other: known.other.country().to_string(),
            name: artefact.name.clone(),
            kind: artefact.kind.word(),
            size: artefact.size,
            sha256: artefact.sha256.map(|digest| digest.to_string()),
            sealed: sealed(known),
            seals: seals.to_vec(),
            carrier,
            handed_over,
            added_by: artefact.added_by.clone(),
            destroy_by: artefact.destroy_by.map(|at| at.to_string()),
            is_due: fate == Fate::Has && !known.held && artefact.destroy_by.is_some_and(|at| at <= now),
            malware: artefact.malware,
            personal_data: artefact.personal_data,
            held: known.held,
            state: state(fate, &artefact.way),
            custody: known.custody.iter().map(|(place, link)| link_row(known, place, link, seals)).collect(),
        }
    }
}

fn sealed(known: &ArtefactCase) -> Option<SealedRow> {
    let Way::Sealed { sealed_size, sealed_sha256, pieces, recipients } = &known.artefact.way else { return None };
    Some(SealedRow {
        size: *sealed_size,
        sha256: sealed_sha256.to_string(),
        pieces: pieces.to_string(),
        recipients: recipients.iter().map(ToString::to_string).collect(),
        destroyed_by_owner: known.fate(&known.place.origin) == Fate::Destroyed,
    })
}

fn link_row(known: &ArtefactCase, place: &Citation, link: &Link, left: &[String]) -> LinkRow {
    let is_sealed = matches!(known.artefact.way, Way::Sealed { .. });
    let (detail, seals_good, deleted) = match &link.act {
        CustodyAct::Passed { to } => (Some(to.clone()), None, None),
        CustodyAct::Returned { to, deleted } => (Some(to.clone()), None, is_sealed.then_some(*deleted)),
        CustodyAct::Destroyed { method, deleted } => (Some(method.clone()), None, is_sealed.then_some(*deleted)),
        CustodyAct::Delivered { seals, intact } => (Some(seals.join(", ")), Some(*intact && same(seals, left)), None),
        CustodyAct::HandedOut | CustodyAct::Fetched | CustodyAct::HoldLifted => (None, None, None),
    };
    LinkRow {
        entry: entry(place),
        party: place.origin.country().to_string(),
        act: link.act.word(),
        by: link.by.clone(),
        at: link.common.created.to_string(),
        detail,
        seals_good,
        deleted,
        note: link.note.clone(),
    }
}

/// The same numbers in any order.
fn same(one: &[String], other: &[String]) -> bool {
    let sorted = |seals: &[String]| seals.iter().cloned().collect::<std::collections::BTreeSet<_>>();
    sorted(one) == sorted(other)
}

/// The evidence of a case, named by any statement of it, with its chains of custody.
#[utoipa::path(get, path = "/assistance/{entry}/evidence", tag = "assistance", params(("entry" = String, Path)),
    responses(
        (status = OK, body = Page<EvidenceRow>),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
) -> Result<Json<Page<EvidenceRow>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let (_, room) = query::room(view, &viewer, name)?.into_inner();
        let rows = room.artefacts.iter().map(|known| EvidenceRow::of(known, view.now));
        Ok::<_, ObjectError>(Page::whole(rows.collect()))
    });
    Ok(Json(made.await?))
}

/// Says that a disk was handed to a courier, under an agreement in force, named by the entry of its acceptance.
#[utoipa::path(post, path = "/assistance/{entry}/evidence", tag = "assistance", params(("entry" = String, Path)),
    request_body = Disk, responses(
        (status = OK, body = Said),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn hand_over(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Disk>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let disk = input.value;
    let label = disk.label.as_deref().map_or(Ok(Tlp::AmberStrict), |label| label.parse::<Tlp>());
    let tlp = label.map_err(Refusal::unreadable)?;
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let handed_over = disk.handed_over.unwrap_or(work.now);
        let way = Way::Courier { seals: disk.seals, carrier: disk.carrier, from: disk.from, to: disk.to, handed_over };
        let new = evidence::NewArtefact {
            name: disk.name,
            kind: disk.kind,
            size: disk.size,
            sha256: disk.sha256,
            way,
            destroy_by: disk.destroy_by,
            malware: disk.malware,
            personal_data: disk.personal_data,
            judicial_hold: disk.judicial_hold,
            tlp,
        };
        let spoken = evidence::hand_over(work, &place, &new, &caller.actor.login)?;
        Ok(told(work, &spoken))
    };
    idempotency::once(&app, bound, command).await
}

/// Says what was done with a piece of evidence, named by its entry: a link of its chain of custody.
#[utoipa::path(post, path = "/assistance/{entry}/custody", tag = "assistance", params(("entry" = String, Path)),
    request_body = Act, responses(
        (status = OK, body = Said),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn custody(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Act>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    // A desk before which the wall stands learns nothing of evidence by acting on it either.
    let viewer = caller.actor.viewer(&app.node().me().origin);
    app.node().read(move |view| query::room(view, &viewer, name)).await?;
    let act = input.value.read()?;
    let depot = app.ctx.files.depot();
    let by = input.value.by.unwrap_or_else(|| caller.actor.login.clone());
    let note = input.value.note;
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let spoken = evidence::custody(work, &place, act, &by, note, Some(depot.as_ref()))?;
        Ok(told(work, &spoken))
    };
    idempotency::once(&app, bound, command).await
}
