//! `/session`: logging in with a password and a one-time code, and out again.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::bytes::hex;
use node::Permission;
use node::account::{self, Candidate, Checked};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::limits;
use super::refusal::{ProblemDetails, Refusal};
use super::request::Input;
use crate::problem::Problem;
use crate::server::session::{By, Caller, set_cookie};

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
pub struct Credentials {
    /// The login.
    pub login: String,
    /// The password.
    pub password: String,
    /// The six digits of the authenticator (RFC 6238).
    #[serde(default)]
    pub code: String,
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// The login; `machine` on the local socket.
    pub login: String,
    /// The name for people.
    pub name: String,
    /// At which desk.
    pub desk: String,
    /// With which roles.
    pub roles: Vec<String>,
    /// What the roles allow: `read`, `take-in`, `speak`, `manage-audiences`, `manage-partners` …
    pub may: Vec<&'static str>,
    /// Where the seats of a demonstration are chosen; `null` on every other node.
    pub seats: Option<String>,
    /// Repeat it in the header `X-CSRF` on unsafe methods; `null` for tokens and the local socket.
    pub csrf: Option<String>,
}

/// Logs in: sets the session cookie. One answer whatever was wrong, after the same work.
#[utoipa::path(post, path = "/session", tag = "session", request_body = Credentials, security(()), responses(
    (status = OK, body = Session),
    (status = UNAUTHORIZED, body = ProblemDetails, content_type = "application/problem+json"),
    (status = TOO_MANY_REQUESTS, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn log_in(State(app): State<App>, input: Input<Credentials>) -> Result<Response, Refusal> {
    let Credentials { login, password, code } = input.value;
    if login.len() > limits::CREDENTIAL_BYTES || password.len() > limits::CREDENTIAL_BYTES {
        return Err(wrong());
    }
    let candidate = app.node().read(move |view| account::candidate(view, &login)).await?;
    let checked = check(&app, candidate, password).await?;
    let session = app.write(move |work| Ok(account::log_in(work, &checked, &code)?)).await?.ok_or_else(wrong)?;
    Ok(begun(&app, session))
}

/// The answer to whoever has just proved who they are.
pub(super) fn begun(app: &App, session: account::Session) -> Response {
    let seconds = node::limits::SESSION_SECONDS;
    let cookie = set_cookie(app, &session.token, seconds);
    let body = Session {
        login: session.person.login,
        name: session.person.name,
        desk: session.person.desk.to_string(),
        may: may(|permission| session.person.roles.iter().any(|role| permission.is_carried_by(*role))),
        roles: session.person.roles.iter().map(ToString::to_string).collect(),
        seats: app.ctx.seats.clone(),
        csrf: Some(hex(&session.csrf)),
    };
    ([(header::SET_COOKIE, cookie)], Json(body)).into_response()
}

/// What somebody may do, in the API's words.
fn may(able: impl Fn(Permission) -> bool) -> Vec<&'static str> {
    Permission::ALL.into_iter().filter(|permission| able(*permission)).map(Permission::word).collect()
}

fn wrong() -> Refusal {
    let error = "login, password or code is wrong, the code was used already, or the account waits: \
                 try again with a new code, or ask an administrator";
    Refusal::kind(StatusCode::UNAUTHORIZED, "login", "Not logged in", &error)
}

async fn check(app: &App, candidate: Candidate, password: String) -> Result<Checked, Refusal> {
    hashing(app, move || candidate.check(password.as_bytes())).await
}

/// Hashes where blocking is allowed, a few at once.
pub(crate) async fn hashing<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let Ok(Ok(place)) = tokio::time::timeout(limits::HASHING_WAIT, app.hashing.acquire()).await else {
        return Err(Problem::too_many(5).detail("too many log in at once: try again in 5 seconds").into());
    };
    let done = tokio::task::spawn_blocking(work).await;
    drop(place);
    done.map_err(|error| {
        tracing::error!(%error, "hashing a password ended early");
        Problem::internal().into()
    })
}

/// Who is logged in.
#[utoipa::path(get, path = "/session", tag = "session", responses(
    (status = OK, body = Session),
    (status = UNAUTHORIZED, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn whoami(State(app): State<App>, caller: Caller) -> Json<Session> {
    let (csrf, name) = match caller.by {
        By::Session { csrf, name, .. } => (Some(hex(&csrf)), name),
        By::Token | By::LocalSocket => (None, caller.actor.login.clone()),
    };
    Json(Session {
        may: may(|permission| caller.actor.require(permission).is_ok()),
        login: caller.actor.login,
        name,
        desk: caller.actor.desk.to_string(),
        roles: caller.actor.roles.iter().map(ToString::to_string).collect(),
        seats: app.ctx.seats.clone(),
        csrf,
    })
}

/// Logs out: ends the session and takes the cookie away.
#[utoipa::path(delete, path = "/session", tag = "session", responses(
    (status = NO_CONTENT),
    (status = UNAUTHORIZED, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn log_out(State(app): State<App>, caller: Caller) -> Result<Response, Refusal> {
    let By::Session { token, .. } = caller.by else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    app.write(move |work| Ok(account::log_out(work, &token)?)).await?;
    let cookie = set_cookie(&app, &[0; 32], 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
