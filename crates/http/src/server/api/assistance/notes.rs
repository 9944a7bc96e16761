//! `/assistance/{entry}/notes`: the thread of a case. Plain text, in the order in which it came.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use model::{EntryRef, Tlp};
use node::assist::{self, note};
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

/// A new message to the other party of a case.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SayNote {
    /// What is said: plain text.
    pub text: String,
    /// To whom: `EE`. Needed when we asked, and several have answered.
    #[serde(default)]
    pub to: Option<String>,
    /// `amber+strict` unless said otherwise; never `red`.
    #[serde(default)]
    pub label: Option<String>,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteRow {
    /// Where it stands: `EE:9`.
    pub entry: String,
    /// Who says it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// When, by the clock of who says it.
    pub at: String,
    /// Plain text: show it as it is.
    pub text: String,
}

/// The messages of a case, named by any statement of it, in the order in which they came.
#[utoipa::path(get, path = "/assistance/{entry}/notes", tag = "assistance", params(("entry" = String, Path)), responses(
    (status = OK, body = Page<NoteRow>),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
) -> Result<Json<Page<NoteRow>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let (_, room) = query::room(view, &viewer, name)?.into_inner();
        let row = |(place, note): &(model::Citation, model::extension::assistance::Note)| NoteRow {
            entry: EntryRef::of(&place.origin, place.index).to_string(),
            from: place.origin.country().to_string(),
            to: note.to.country().to_string(),
            at: note.common.created.to_string(),
            text: note.text.clone(),
        };
        Ok::<_, ObjectError>(Page::whole(room.notes.iter().map(row).collect()))
    });
    Ok(Json(made.await?))
}

/// Says something to the other party of a case, and to nobody else.
#[utoipa::path(post, path = "/assistance/{entry}/notes", tag = "assistance", params(("entry" = String, Path)),
    request_body = SayNote, responses(
        (status = OK, body = Said),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn say(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<SayNote>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let SayNote { text, to, label } = input.value;
    let tlp = label.map_or(Ok(Tlp::AmberStrict), |label| label.parse::<Tlp>().map_err(Refusal::unreadable))?;
    let new = note::NewNote { text, to, tlp };
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let spoken = note::say(work, &place, &new)?;
        Ok(told(work, &spoken))
    };
    idempotency::once(&app, bound, command).await
}
