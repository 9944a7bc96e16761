//! Sealed files of evidence: put in by pieces, stated, and taken out by pieces. The node never sees what is in them.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use journal::pieces;
use model::extension::assistance::{ArtefactKind, Sha256Digest, Way};
use model::{AgeRecipient, EntryRef, Timestamp, Tlp};
use node::assist::sealed::{self, SealedFile};
use node::assist::{self, AssistError, evidence};
use node::depot::{self, Kept};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::App;
use super::super::idempotency::{self, Key};
use super::super::limits;
use super::super::refusal::{ProblemDetails, Refusal};
use super::super::request::{Input, Params, Raw, Segment, Two};
use super::{Said, told};
use crate::server::session::Caller;

/// How large a file is that is put in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Sized {
    /// Bytes of the sealed file.
    pub size: u64,
}

/// A file on its way into the depot.
#[derive(Debug, Serialize, ToSchema)]
pub struct Upload {
    /// Its name: the root over the digests of its pieces.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// How many pieces it has, of 1 MiB each.
    pub pieces: u64,
    /// Which are not there: the first and the last of each gap. Of many gaps some: ask again.
    pub missing: Vec<(u64, u64)>,
}

impl Upload {
    fn of(kept: &Kept) -> Self {
        Self {
            name: kept.name.to_string(),
            size: kept.size,
            pieces: pieces::count(kept.size),
            missing: kept.gaps(node::limits::UPLOAD_GAPS),
        }
    }
}

/// A sealed file that is evidence.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedEvidence {
    /// The name under which it was put in.
    #[schema(value_type = String)]
    pub pieces: Sha256Digest,
    /// Bytes of the sealed file.
    pub sealed_size: u64,
    /// SHA-256 of the sealed file.
    #[schema(value_type = String)]
    pub sealed_sha256: Sha256Digest,
    /// To whom it is sealed: `age1…`.
    #[schema(value_type = Vec<String>)]
    pub recipients: Vec<AgeRecipient>,
    /// Its name for people: one line.
    pub name: String,
    /// `disk-image`, `memory-image`, `logs`, `network-capture`, `malware-sample`, `findings`, `document` or `other`.
    #[schema(value_type = String)]
    pub kind: ArtefactKind,
    /// Bytes of the evidence itself.
    pub size: u64,
    /// SHA-256 of the evidence itself.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub sha256: Option<Sha256Digest>,
    /// It is destroyed by then, unless the law wants it kept.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub destroy_by: Option<Timestamp>,
    /// Is there a malicious program in it?
    #[serde(default)]
    pub malware: bool,
    /// Is there personal data in it?
    #[serde(default)]
    pub personal_data: bool,
    /// Does a court or prosecutor want it kept? Then nobody destroys it until its owner says that this is lifted.
    #[serde(default)]
    pub judicial_hold: bool,
    /// `amber+strict` unless said otherwise; never `red`.
    #[serde(default)]
    pub label: Option<String>,
}

/// A sealed file that is being taken out.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fetching {
    /// The link of the chain of custody that says so: `EE:31`.
    pub entry: String,
    /// Its name for people: show it as it is.
    pub name: String,
    /// Bytes of the sealed file.
    pub sealed_size: u64,
    /// SHA-256 of the sealed file.
    pub sealed_sha256: String,
    /// How many pieces it has, of 1 MiB each.
    pub pieces: u64,
}

/// Reads the name of a file.
fn name_of(text: &str) -> Result<Sha256Digest, Refusal> {
    Sha256Digest::from_hex(text).ok_or_else(Refusal::not_found)
}

/// Begins to put a sealed file in, or goes on: the body is the digests (SHA-256) of its pieces of 1 MiB, one after the
/// other. Says which pieces are missing. The entry is the acceptance under which it is given.
#[utoipa::path(put, path = "/assistance/{entry}/uploads/{name}", tag = "assistance",
    params(("entry" = String, Path), ("name" = String, Path), Sized),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = OK, body = Upload),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
        (status = INSUFFICIENT_STORAGE, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn begin(
    State(app): State<App>,
    caller: Caller,
    Two(entry, name): Two,
    Params(Sized { size }): Params<Sized>,
    Raw(digests): Raw<{ limits::DIGESTS_BYTES }>,
) -> Result<Json<Upload>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let acceptance: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let name = name_of(&name)?;
    let viewer = caller.actor.viewer(&app.node().me().origin);
    let read = app.node().read(move |view| sealed::may_give(view, &viewer, acceptance).map(|()| view.now));
    let now = read.await?;
    let begun = app.ctx.files.with(move |depot| depot::begin(depot, name, size, &digests, Some(now))).await;
    Ok(Json(Upload::of(&begun.map_err(AssistError::from)?)))
}

/// Puts one piece of a sealed file in: 1 MiB, the last one what is left. Once it is answered, it is kept.
#[utoipa::path(put, path = "/uploads/{name}/{piece}", tag = "assistance",
    params(("name" = String, Path), ("piece" = u64, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = NO_CONTENT),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    piece: Two,
    body: axum::body::Body,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let Two(name, piece) = piece;
    let name = name_of(&name)?;
    let piece: u64 = piece.parse().map_err(Refusal::unreadable)?;
    // The turn comes before the piece is read: so many are in memory, whoever sends.
    let files = &app.ctx.files;
    let _turn = files.turn().await.map_err(AssistError::from)?;
    let bytes = crate::server::accept::read_body(body, pieces::PIECE_BYTES).await?;
    files.with(move |depot| depot::put(depot, name, piece, &bytes)).await.map_err(AssistError::from)?;
    Ok(axum::http::StatusCode::NO_CONTENT.into_response())
}

/// Says that a sealed file that was put in is evidence, under an agreement in force, named by the entry of its acceptance.
#[utoipa::path(post, path = "/assistance/{entry}/sealed", tag = "assistance", params(("entry" = String, Path)),
    request_body = SealedEvidence, responses(
        (status = OK, body = Said),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn state(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<SealedEvidence>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let file = input.value;
    let label = file.label.as_deref().map_or(Ok(Tlp::AmberStrict), |label| label.parse::<Tlp>());
    let tlp = label.map_err(Refusal::unreadable)?;
    let depot = app.ctx.files.depot();
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        sealed::is_whole(depot.as_ref(), file.pieces, file.sealed_size)?;
        let way = Way::Sealed {
            sealed_size: file.sealed_size,
            sealed_sha256: file.sealed_sha256,
            pieces: file.pieces,
            recipients: file.recipients,
        };
        let new = evidence::NewArtefact {
            name: file.name,
            kind: file.kind,
            size: file.size,
            sha256: file.sha256,
            way,
            destroy_by: file.destroy_by,
            malware: file.malware,
            personal_data: file.personal_data,
            judicial_hold: file.judicial_hold,
            tlp,
        };
        let spoken = evidence::hand_over(work, &place, &new, &caller.actor.login)?;
        depot.settle(file.pieces).map_err(AssistError::from)?;
        Ok(told(work, &spoken))
    };
    idempotency::once(&app, bound, command).await
}

/// Begins to take a sealed file out, named by the entry of the evidence: a link of its chain of custody says so. Pieces
/// are given for a day from then on.
#[utoipa::path(post, path = "/assistance/{entry}/fetch", tag = "assistance", params(("entry" = String, Path)),
    responses(
        (status = OK, body = Fetching),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = GONE, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn fetch(State(app): State<App>, caller: Caller, Segment(entry): Segment) -> Result<Json<Fetching>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let file = seen(&app, &caller, &entry).await?;
    // Nothing is said of what can't be had.
    app.ctx.files.ready(app.node(), &file).await.map_err(AssistError::from)?;
    let (place, by) = (file.known.place.clone(), caller.actor.login.clone());
    let said = app.write(move |work| Ok::<_, Refusal>(sealed::fetch(work, &place, &by)?)).await?;
    Ok(Json(Fetching {
        entry: EntryRef::of(&app.node().me().origin, said).to_string(),
        name: file.known.artefact.name.clone(),
        sealed_size: file.size,
        sealed_sha256: file.sha256.to_string(),
        pieces: pieces::count(file.size),
    }))
}

/// One piece of a sealed file that is being taken out. Of a partner's file, it is fetched from there and kept here.
#[utoipa::path(get, path = "/assistance/{entry}/pieces/{piece}", tag = "assistance",
    params(("entry" = String, Path), ("piece" = u64, Path)), responses(
        (status = OK, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
        (status = BAD_GATEWAY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn piece(State(app): State<App>, caller: Caller, Two(entry, piece): Two) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let piece: u64 = piece.parse().map_err(Refusal::unreadable)?;
    let file = seen(&app, &caller, &entry).await?;
    if pieces::length(file.size, piece).is_none() {
        return Err(Refusal::not_found());
    }
    let now = app.node().now();
    if file.open_fetch(&app.node().me().origin, &caller.actor.login, now).is_none() {
        return Err(AssistError::Unfetched.into());
    }
    let _turn = app.ctx.files.turn().await.map_err(AssistError::from)?;
    let bytes = app.ctx.files.piece(app.node(), &file, piece).await.map_err(AssistError::from)?;
    // It is never shown in a browser.
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, "attachment")];
    Ok((headers, bytes).into_response())
}

async fn seen(app: &App, caller: &Caller, entry: &str) -> Result<SealedFile, Refusal> {
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let viewer = caller.actor.viewer(&app.node().me().origin);
    Ok(app.node().read(move |view| sealed::seen(view, &viewer, name)).await?)
}
