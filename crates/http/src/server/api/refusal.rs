//! Why a request was refused or failed, on its way to a problem. Each resource adds its own errors beside its handlers.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use node::WriteError;
use node::actor::Forbidden;
use node::query::objects::ObjectError;
use store::StoreError;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A problem that ends a handler.
#[derive(Debug)]
pub struct Refusal(pub Problem);

/// Problem details (RFC 9457), as every refusal is told.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it only describes `Problem` to the contract")]
pub struct ProblemDetails {
    /// The kind of problem.
    #[schema(rename = "type", example = "urn:entraide:problem:audience")]
    r#type: String,
    /// The kind in a few words.
    title: String,
    /// The HTTP status, repeated.
    status: u16,
    /// What happened this time and what to do next.
    detail: Option<String>,
}

impl Refusal {
    /// A refusal of a kind: told with the error's own words, which say what to do next.
    pub fn kind(status: StatusCode, slug: &str, title: &str, error: &dyn std::fmt::Display) -> Self {
        Self(Problem::new(status).kind(slug, title).detail(error.to_string()))
    }

    /// The request can't be read.
    pub fn unreadable(error: impl std::fmt::Display) -> Self {
        Self(Problem::bad_request(error.to_string()))
    }

    /// It isn't there, or it isn't for the caller.
    #[must_use]
    pub fn not_found() -> Self {
        Self(Problem::not_found())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Forbidden> for Refusal {
    fn from(error: Forbidden) -> Self {
        Self(Problem::forbidden().detail(error.to_string()))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        // The reason may quote the database: it stays here, once.
        tracing::error!(%error, "the database failed a request");
        if matches!(error, StoreError::Corrupt { .. }) {
            let detail = "the database is not what was written: stop the node and run `entraide verify`";
            return Self(Problem::internal().kind("damaged", "The database is damaged").detail(detail));
        }
        Self(Problem::internal())
    }
}

impl From<ObjectError> for Refusal {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Store(error) => error.into(),
            ObjectError::NotFound => Self::not_found(),
        }
    }
}

impl<E> From<WriteError<E>> for Refusal
where
    Self: From<E>,
{
    fn from(error: WriteError<E>) -> Self {
        match error {
            WriteError::Refused(error) => error.into(),
            WriteError::Silent(silent) => {
                Self::kind(StatusCode::CONFLICT, "silent", "The node does not speak", &silent)
            }
            WriteError::Busy => {
                Self(Problem::unavailable("the node is busy: try again in a second").kind("busy", "Busy"))
            }
            WriteError::Stopped(stopped) => {
                Self(Problem::unavailable(stopped.to_string()).kind("stopped", "The node has stopped writing"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_there_and_not_for_you_are_one_answer() {
        let denied = Refusal::from(ObjectError::NotFound).0;
        assert_eq!(denied, Problem::not_found());
        assert_eq!(denied, Refusal::not_found().0);
    }

    #[test]
    fn failures_keep_their_reason_to_themselves() {
        let failed = Refusal::from(StoreError::Corrupt { what: "secret".to_owned() }).0;
        assert_eq!(failed.status, 500);
        assert!(failed.detail.is_some_and(|detail| detail.contains("verify") && !detail.contains("secret")));
        let path = std::path::PathBuf::from("secret");
        let failed = Refusal::from(StoreError::Io { path, source: std::io::Error::other("secret") }).0;
        assert_eq!((failed.status, failed.detail), (500, None));
    }
}
