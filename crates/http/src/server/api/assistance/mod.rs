//! `/assistance`: a call for help, the answers to it, what was agreed, and the missions under it (workflows §3).

pub mod command;
pub mod evidence;
pub mod matches;
pub mod notes;
pub mod relay;
pub mod sealed;
mod shapes;
mod words;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::EntryRef;
use node::assist::{AssistError, Spoken};
use node::depot::DepotError;
use node::query::assist as query;
use node::query::objects::ObjectError;
use node::{Permission, Work};
use serde::Serialize;
use store::StatementId;
use utoipa::ToSchema;

use command::Command;
pub use matches::Matches;
pub use shapes::{Case, CaseRow, Helper, SaidRow};
pub use words::{Accept, Amend, AskFor, MissionNews, Next, Reply};

use super::App;
use super::acts::Awaiting;
use super::idempotency::Key;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, PageOf, Params, Segment, after, rows};
use crate::server::session::Caller;

/// What was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Said {
    /// The statement's own entry: `FR:12`.
    pub entry: String,
    /// The newest version of the call for help to which it belongs: `EE:7`.
    pub request: String,
}

/// Calls for help, the newest first.
#[utoipa::path(get, path = "/assistance", tag = "assistance", params(PageOf), responses((status = OK, body = Page<CaseRow>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<CaseRow>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let after = after(page.after.as_deref())?.and_then(|after| i64::try_from(after).ok()).map(StatementId);
    let limit = rows(page.limit)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let (cases, next) = query::page(view, &viewer, after, limit)?;
        let (here, now) = (&view.me.origin, view.now);
        let items = cases.into_iter().map(|case| CaseRow::of(&case.into_inner(), here, now)).collect();
        Ok::<_, ObjectError>(Page { items, next: next.map(|next| next.0.to_string()) })
    });
    Ok(Json(made.await?))
}

/// One call for help with everything that was answered to it, named by any statement of it.
#[utoipa::path(get, path = "/assistance/{entry}", tag = "assistance", params(("entry" = String, Path)), responses(
    (status = OK, body = Case),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(State(app): State<App>, caller: Caller, Segment(entry): Segment) -> Result<Json<Case>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let case = query::one(view, &viewer, name)?;
        Ok::<_, ObjectError>(Case::of(&case.into_inner(), &view.me.origin, view.now))
    });
    Ok(Json(made.await?))
}

/// Asks for help. Four fields are enough; the rest can follow.
#[utoipa::path(post, path = "/assistance", tag = "assistance", request_body = AskFor, responses(
    (status = OK, body = Said),
    (status = ACCEPTED, body = Awaiting),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn ask(State(app): State<App>, caller: Caller, key: Key, input: Input<AskFor>) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    command::say(&app, &caller, bound, Command::Ask(Box::new(input.value)), input.bytes).await
}

/// Says a new version of our own call for help: more of it, or that it is closed or withdrawn.
#[utoipa::path(post, path = "/assistance/{entry}/versions", tag = "assistance", params(("entry" = String, Path)),
    request_body = Amend, responses(
        (status = OK, body = Said),
        (status = ACCEPTED, body = Awaiting),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn amend(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Amend>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    command::say(&app, &caller, bound, Command::Amend(name, input.value), input.bytes).await
}

/// Answers a call for help, or changes our answer: yes, maybe, no, withdrawn.
#[utoipa::path(post, path = "/assistance/{entry}/reply", tag = "assistance", params(("entry" = String, Path)),
    request_body = Reply, responses(
        (status = OK, body = Said),
        (status = ACCEPTED, body = Awaiting),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn reply(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Reply>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    command::say(&app, &caller, bound, Command::Reply(name, input.value), input.bytes).await
}

/// Accepts an offer, named by its entry: the lines that are named, or all that serves what is still missing.
#[utoipa::path(post, path = "/assistance/{entry}/accept", tag = "assistance", params(("entry" = String, Path)),
    request_body = Accept, responses(
        (status = OK, body = Said),
        (status = ACCEPTED, body = Awaiting),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn accept(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Accept>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    command::say(&app, &caller, bound, Command::Accept(name, input.value), input.bytes).await
}

/// Takes the next step of an agreement, named by the entry of its acceptance.
#[utoipa::path(post, path = "/assistance/{entry}/step", tag = "assistance", params(("entry" = String, Path)),
    request_body = Next, responses(
        (status = OK, body = Said),
        (status = ACCEPTED, body = Awaiting),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn follow_up(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Next>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    command::say(&app, &caller, bound, Command::Step(name, input.value), input.bytes).await
}

/// Begins a mission under an agreement in force, named by the entry of its acceptance, or says how it goes on.
#[utoipa::path(post, path = "/assistance/{entry}/mission", tag = "assistance", params(("entry" = String, Path)),
    request_body = MissionNews, responses(
        (status = OK, body = Said),
        (status = ACCEPTED, body = Awaiting),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn mission(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<MissionNews>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    command::say(&app, &caller, bound, Command::Mission(name, input.value), input.bytes).await
}

pub(super) fn told(work: &Work<'_, '_>, spoken: &Spoken) -> Said {
    let entry = EntryRef::of(&work.me.origin, spoken.appended.index);
    let request = EntryRef::of(&spoken.request.origin, spoken.request.index);
    Said { entry: entry.to_string(), request: request.to_string() }
}

impl From<AssistError> for Refusal {
    fn from(error: AssistError) -> Self {
        let (status, title) = match error {
            AssistError::Store(error) => return error.into(),
            AssistError::Audience(error) => return error.into(),
            AssistError::Commit(error) => return error.into(),
            AssistError::Unknown => return Self::not_found(),
            AssistError::NoDossier => (StatusCode::NOT_FOUND, "There is no such dossier here"),
            AssistError::NoCapacity => (StatusCode::NOT_FOUND, "There is no such capacity here"),
            AssistError::NoDraft(_) => (StatusCode::NOT_FOUND, "There is no such draft"),
            AssistError::NoPartner(_) => (StatusCode::NOT_FOUND, "There is no such partner"),
            AssistError::HasNode(_) => (StatusCode::CONFLICT, "It is for another party"),
            AssistError::Unbooked(_) => (StatusCode::CONFLICT, "It would promise more than there is"),
            AssistError::Field(_) | AssistError::Red | AssistError::RedCard => {
                (StatusCode::UNPROCESSABLE_ENTITY, "A field is out of its range")
            }
            AssistError::NotYours(_) | AssistError::Reserve => (StatusCode::CONFLICT, "It is for another party"),
            AssistError::Depot(DepotError::Disk(_)) => {
                tracing::error!(%error, "the depot failed a request");
                (StatusCode::SERVICE_UNAVAILABLE, "The depot can't be used")
            }
            AssistError::Depot(DepotError::Full(_)) => (StatusCode::INSUFFICIENT_STORAGE, "There is no room for it"),
            AssistError::Depot(DepotError::Other(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "It is another file"),
            AssistError::Depot(DepotError::Unknown) => (StatusCode::NOT_FOUND, "There is no such file here"),
            AssistError::Incomplete(_) => (StatusCode::CONFLICT, "The file is not whole"),
            AssistError::Unfetched => (StatusCode::CONFLICT, "It is not said that you take it out"),
            AssistError::Elsewhere(_) => (StatusCode::BAD_GATEWAY, "The owner's node does not give it"),
            AssistError::Gone => (StatusCode::GONE, "Its bytes are gone"),
            AssistError::Kept(_) => (StatusCode::CONFLICT, "The law wants it kept"),
            AssistError::EvidenceOut(_) => (StatusCode::CONFLICT, "Evidence is still here"),
            AssistError::NotOpen(_) | AssistError::OfferGone(_) | AssistError::Stale(_) | AssistError::NoEffect(_) => {
                (StatusCode::CONFLICT, "It would have no effect")
            }
        };
        Self::kind(status, "assistance", title, &error)
    }
}
