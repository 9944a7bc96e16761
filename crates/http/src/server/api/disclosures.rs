//! `/statements/{entry}/disclose`: the explicit act by which a supervising desk sees one statement behind the wall.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::{Desk, EntryRef};
use node::disclose::{self as use_case, DiscloseError};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Segment};
use crate::server::session::Caller;

/// To which desk, and under which article.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Disclose {
    /// The desk: `competent-authority`.
    pub to_desk: String,
    /// The article of law under which it is done: `NIS2 Art 32(4)`.
    pub article: String,
    /// Why, in one line: the entity reads it.
    pub reason: String,
    /// Who decides, if the machine's own socket asks: the login of a person of the CSIRT desk.
    #[serde(default)]
    pub person: Option<String>,
}

/// An act by which a supervising desk sees a statement behind the wall.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Disclosed {
    /// The desk.
    pub to_desk: String,
    /// Under which article of law.
    pub article: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
    /// By whom: a login.
    pub by: String,
}

impl From<store::DisclosureRow> for Disclosed {
    fn from(row: store::DisclosureRow) -> Self {
        Self {
            to_desk: row.desk.to_string(),
            article: row.article,
            reason: row.reason,
            at: row.at.to_string(),
            by: row.who,
        }
    }
}

/// Discloses one of our statements behind the wall to a supervising desk. It needs a person of the CSIRT desk, is shown to
/// all who see the statement, and can't be undone.
#[utoipa::path(post, path = "/statements/{entry}/disclose", tag = "statements", params(("entry" = String, Path)),
    request_body = Disclose, responses(
        (status = OK, body = Disclosed),
        (status = FORBIDDEN, body = ProblemDetails, content_type = "application/problem+json"),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn disclose(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Disclose>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    // Nobody lets oneself through the wall, nor learns by trying what stands behind it.
    if caller.actor.desk != Desk::Csirt {
        return Err(DiscloseError::NotCsirt.into());
    }
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let Disclose { to_desk, article, reason, person } = input.value;
    let desk: Desk = to_desk.parse().map_err(Refusal::unreadable)?;
    let actor = caller.actor;
    let command = move |work: &mut Work<'_, '_>| {
        if name.country != work.me.origin.country() {
            return Err(DiscloseError::Unknown(name.index).into());
        }
        let act = use_case::Disclose { index: name.index, desk, article, reason, person };
        Ok(Disclosed::from(use_case::disclose(work, &actor, &act)?))
    };
    idempotency::once(&app, bound, command).await
}

impl From<DiscloseError> for Refusal {
    fn from(error: DiscloseError) -> Self {
        let (status, title) = match error {
            DiscloseError::Store(error) => return error.into(),
            DiscloseError::Unknown(_) => (StatusCode::NOT_FOUND, "Nothing of ours"),
            DiscloseError::NoWall(_) | DiscloseError::Withdrawn(_) | DiscloseError::Red(_) => {
                (StatusCode::CONFLICT, "It can't be disclosed")
            }
            DiscloseError::NotCsirt => (StatusCode::FORBIDDEN, "Not from this desk"),
            DiscloseError::Desk(_) | DiscloseError::Article(_) | DiscloseError::Reason | DiscloseError::Nobody => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The disclosure is not complete")
            }
        };
        Self::kind(status, "disclosure", title, &error)
    }
}
