//! `/evidence/{id}`: evidence as a file that anybody can check with the log's key.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use node::Permission;
use node::query::evidence::{self as query, EvidenceError};
use store::EvidenceId;

use super::App;
use super::refusal::{ProblemDetails, Refusal};
use super::request::Segment;
use crate::server::session::Caller;

/// Two checkpoints or two statements of one log that cannot both be true, as a file that is checked offline.
#[utoipa::path(get, path = "/evidence/{id}", tag = "log", params(("id" = String, Path)), responses(
    (status = OK, body = String, content_type = "text/plain"),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn file(State(app): State<App>, caller: Caller, Segment(id): Segment) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Read)?;
    let id = EvidenceId(id.parse().map_err(|_| Refusal::not_found())?);
    let file = app.node().read(move |view| query::file(view, id)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], file.write()).into_response())
}

impl From<EvidenceError> for Refusal {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Store(error) => error.into(),
            EvidenceError::NotFound => Self::not_found(),
            EvidenceError::OursAlone => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, "evidence", "There is no file of this evidence", &error)
            }
        }
    }
}
