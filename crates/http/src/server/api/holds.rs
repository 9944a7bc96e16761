//! `/holds`: what the law wants kept is left out of retention and of purges.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::Timestamp;
use node::Permission;
use node::hold::{self as use_case, HoldError};
use node::subject::Subject;
use serde::{Deserialize, Serialize};
use store::HoldId;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Params, Segment};
use crate::server::session::Caller;

/// A legal hold to lay.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewHold {
    /// A statement (`FR:12`), an object (its STIX id: also what is still to come of it), or something in intake
    /// (`intake:7`).
    pub id: String,
    /// Not the statement alone, but every version of its thread.
    #[serde(default)]
    pub thread: bool,
    /// Why: the case, the article.
    pub reason: String,
    /// When it is expected to end (RFC 3339). It ends when somebody releases it.
    #[serde(default)]
    pub until: Option<String>,
}

/// Which holds.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Those that are released as well.
    #[serde(default)]
    pub all: bool,
}

/// A legal hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hold {
    /// Its number.
    pub number: i64,
    /// On what: `FR:12`, a STIX id, a thread, or `intake:7`.
    pub on: String,
    /// Since when.
    pub at: String,
    /// Who laid it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When it is expected to end.
    pub until: Option<String>,
    /// Is that time over? It still lies until somebody releases it.
    pub due: bool,
    /// When it was released.
    pub released: Option<String>,
    /// By whom.
    pub released_by: Option<String>,
}

/// A hold that was laid.
#[derive(Debug, Serialize, ToSchema)]
pub struct Laid {
    /// Its number.
    pub number: i64,
}

/// A hold that was released.
#[derive(Debug, Serialize, ToSchema)]
pub struct Released {
    /// Its number.
    pub number: i64,
    /// Statements that owners had wanted erased meanwhile, and that are erased now.
    pub erased: usize,
}

/// Legal holds, newest first: the last 1,000.
#[utoipa::path(get, path = "/holds", tag = "holds", params(Which), responses((status = OK, body = Page<Hold>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(Which { all }): Params<Which>,
) -> Result<Json<Page<Hold>>, Refusal> {
    caller.actor.require(Permission::Hold)?;
    let most = node::limits::PAGE_ROWS_MAX;
    let held = app.node().read(move |view| use_case::list(view.db, view.me, view.now, all, most)).await?;
    Ok(Json(Page::whole(held.into_iter().map(shown).collect())))
}

fn shown(held: use_case::Held) -> Hold {
    let row = held.row;
    let (released, released_by) = row.released.map(|(at, by)| (at.to_string(), by)).unzip();
    Hold {
        number: row.id.0,
        on: held.on,
        at: row.at.to_string(),
        who: row.who,
        reason: row.reason,
        until: row.until.map(|until| until.to_string()),
        due: held.is_due,
        released,
        released_by,
    }
}

/// Lays a legal hold: its subject is purged by nobody, until it is released.
#[utoipa::path(post, path = "/holds", tag = "holds", request_body = NewHold, responses(
    (status = OK, body = Laid),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Input { value, bytes }: Input<NewHold>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Hold)?;
    let subject: Subject = value.id.parse().map_err(Refusal::unreadable)?;
    let until = value.until.as_deref().filter(|until| !until.is_empty());
    let until: Option<Timestamp> = until.map(str::parse).transpose().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &bytes);
    let actor = caller.actor;
    let command = move |work: &mut node::Work<'_, '_>| {
        let id = use_case::add(work, &subject, value.thread, &value.reason, until, &actor)?;
        Ok(Laid { number: id.0 })
    };
    idempotency::once(&app, bound, command).await
}

/// Releases a legal hold. What owners wanted erased meanwhile is erased now, and they are told.
#[utoipa::path(post, path = "/holds/{number}/release", tag = "holds", params(("number" = i64, Path)), responses(
    (status = OK, body = Released),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    Segment(number): Segment,
    key: Key,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Hold)?;
    let id = HoldId(number.parse().map_err(|_| Refusal::not_found())?);
    let bound = key.bind(&caller.actor.login, &[]);
    let actor = caller.actor;
    let command = move |work: &mut node::Work<'_, '_>| {
        Ok(Released { number: id.0, erased: use_case::release(work, id, &actor)? })
    };
    idempotency::once(&app, bound, command).await
}

impl From<HoldError> for Refusal {
    fn from(error: HoldError) -> Self {
        let (status, title) = match error {
            HoldError::Store(error) => return error.into(),
            HoldError::Unknown(_) | HoldError::NotHeld(_) => (StatusCode::NOT_FOUND, "Nothing here has that name"),
            HoldError::Thread(_) => (StatusCode::UNPROCESSABLE_ENTITY, "It has no thread"),
            HoldError::Reason => (StatusCode::UNPROCESSABLE_ENTITY, "The reason is missing or too long"),
            HoldError::Answer(_) => (StatusCode::CONFLICT, "An owner could not be told"),
        };
        Self::kind(status, "hold", title, &error)
    }
}
