//! `/log` and `/proofs`: what stands in a log, and proofs that verify without this node.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use journal::proof::Words;
use model::{Country, EntryRef, Index};
use node::Permission;
use node::query::entries::{self as query, Entry};
use node::query::objects::ObjectError;
use serde::{Deserialize, Serialize};
use store::{Face, StoreError};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::ledger;
use super::objects::{self, Statement};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Params, Segment, after, rows};
use crate::server::session::Caller;

/// A page of a log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogPage {
    /// Whose.
    pub origin: String,
    /// Entries that are verified here.
    pub size: u64,
    /// The checkpoint that covers them, as a note.
    pub checkpoint: Option<String>,
    /// The entries.
    pub items: Vec<LogEntry>,
    /// Pass it as `before` to go on; `null` at the start of the log.
    pub next: Option<String>,
}

/// One place of a log.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogEntry {
    /// How a person names it: `FR:12`.
    pub entry: String,
    /// Where.
    pub index: u64,
    /// What stands there.
    pub commitment: String,
    /// When it reached this node, if it was opened to it.
    pub arrived: Option<String>,
    /// What it says, if the viewer may see it.
    pub object: Option<Statement>,
    /// Why it was kept raw, if it was.
    pub unfit: Option<String>,
    /// Does its owner say that it is lost?
    pub lost: bool,
}

/// Which part of which log.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Whose: two letters; without them our own.
    pub country: Option<String>,
    /// `next` of the page before.
    pub before: Option<String>,
    /// Rows of the page: 1 to 1,000, else 100.
    pub limit: Option<usize>,
}

/// A page of a log. Numbers and commitments are no content; what is said is shown as far as the viewer may see it.
#[utoipa::path(get, path = "/log", tag = "log", params(Which), responses(
    (status = OK, body = LogPage),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn page(
    State(app): State<App>,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Json<LogPage>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let country = which.country.as_deref().map(str::parse::<Country>).transpose().map_err(Refusal::unreadable)?;
    let before = after(which.before.as_deref())?.map(Index);
    let limit = rows(which.limit)?;
    let viewer = caller.viewer(&app);
    let page = app
        .node()
        .read(move |view| {
            let log = country.map_or(Ok(view.me.log), |country| query::log_of(view, country))?;
            query::page(view, &viewer, log, before, limit)
        })
        .await?;
    let entry = |entry: Entry| LogEntry {
        entry: EntryRef::of(&page.origin, entry.index).to_string(),
        index: entry.index.0,
        commitment: entry.commitment.to_string(),
        arrived: entry.arrived.map(|at| at.to_string()),
        object: entry.object.as_ref().map(objects::object),
        unfit: entry.unfit,
        lost: entry.lost,
    };
    Ok(Json(LogPage {
        origin: page.origin.to_string(),
        size: page.size,
        checkpoint: page.checkpoint,
        items: page.entries.into_iter().map(entry).collect(),
        next: page.next.map(|index| index.to_string()),
    }))
}

/// What a proof shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Sealed {
    /// Leave the body out: prove when and that something was said, not what.
    #[serde(default)]
    pub sealed: bool,
}

/// What a proof shows, in words. The words of the statement are not in it: who may not have its file is refused alike.
pub(in crate::server) async fn words(
    app: &App,
    caller: &Caller,
    name: EntryRef,
    sealed: bool,
) -> Result<Words, Refusal> {
    caller.actor.require(Permission::Read)?;
    let viewer = caller.viewer(app);
    let read = move |view: &node::View<'_, '_>| {
        let file = query::proof(view, &viewer, name, sealed)?;
        let keys = node::witness::keys(view)?;
        let proven = file.verify(&keys).map_err(|error| StoreError::Corrupt { what: format!("{name}: {error}") })?;
        Ok(Words::of(&file, &proven, None))
    };
    Ok(app.node().read::<_, ObjectError, _>(read).await?)
}

/// A proof in words: what it shows, and what it does not.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofWords {
    /// What it is a proof of.
    pub title: String,
    /// Headings, each with its paragraphs.
    pub parts: Vec<ProofPart>,
}

/// One heading of a proof in words.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofPart {
    /// The heading.
    pub heading: &'static str,
    /// Its paragraphs.
    pub paragraphs: Vec<String>,
}

/// What the proof of one statement shows, in words; checked with the keys that this node knows.
#[utoipa::path(get, path = "/proofs/{entry}/words", tag = "log", params(("entry" = String, Path), Sealed), responses(
    (status = OK, body = ProofWords),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn proof_words(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    Params(Sealed { sealed }): Params<Sealed>,
) -> Result<Json<ProofWords>, Refusal> {
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let words = words(&app, &caller, name, sealed).await?;
    let part = |(heading, paragraphs)| ProofPart { heading, paragraphs };
    Ok(Json(ProofWords { title: words.title, parts: words.parts.into_iter().map(part).collect() }))
}

/// A proof file (C2SP tlog-proof) of one statement.
#[utoipa::path(get, path = "/proofs/{entry}", tag = "log", params(("entry" = String, Path), Sealed), responses(
    (status = OK, body = String, content_type = "text/plain"),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn proof(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    Params(Sealed { sealed }): Params<Sealed>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let viewer = caller.viewer(&app);
    let read = move |view: &node::View<'_, '_>| {
        let proof = query::proof(view, &viewer, name, sealed)?;
        Ok((query::statement_of(view, name)?.id, proof))
    };
    let (statement, proof) = app.node().read::<_, ObjectError, _>(read).await?;
    if !sealed {
        ledger::note(&app, &caller, statement, Face::Proof).await?;
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], proof.write()).into_response())
}
