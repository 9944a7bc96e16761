//! `/pointers`: a classified annex exists, and whom to call for it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::EntryRef;
use model::extension::{Extension, Pointer};
use model::party::AnnexLevel;
use node::pointer::{self as use_case, PointerError};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{self, Input};
use crate::server::session::Caller;

/// What a pointer says, and to whom. Nothing in it is classified itself.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct NewPointer {
    /// How high the annex is: `eu-restricted`, `nato-secret`, `national-confidential`, …
    pub level: String,
    /// The accredited system or the registry in which it is kept.
    pub held_at: String,
    /// Whom to ask for.
    pub desk: String,
    /// The telephone number.
    pub telephone: String,
    /// What it is about, in one line of English.
    pub summary: String,
    /// `clear`, `green`, `amber` or `amber+strict`.
    pub label: String,
    /// The audience's name; without one CLEAR and GREEN go to the ticked communities.
    #[serde(default)]
    pub audience: Option<String>,
}

/// A pointer that was said.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Said {
    /// Its entry in our log.
    pub entry: String,
    /// The number by which both sides speak of the annex: made of chance.
    pub reference: String,
}

/// A pointer as it is shown: whom to call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Call {
    /// The number by which both sides speak of the annex.
    pub reference: String,
    /// How high the annex is classified, as its owner states it.
    pub level: &'static str,
    /// The system or registry in which it is kept.
    pub held_at: String,
    /// Whom to ask for.
    pub desk: String,
    /// The telephone number.
    pub telephone: String,
    /// What it is about.
    pub summary: String,
}

impl Call {
    /// Whom to call, if the body is a pointer.
    pub(super) fn of_body(body: &[u8]) -> Option<Self> {
        let pointer = Pointer::read(body).ok()?;
        Some(Self {
            reference: pointer.reference.to_string(),
            level: pointer.level.word(),
            held_at: pointer.held_at,
            desk: pointer.desk,
            telephone: pointer.telephone,
            summary: pointer.summary,
        })
    }
}

/// Says that a classified annex exists and whom to call. Ask `POST /who-sees` first: nothing takes the call back.
#[utoipa::path(post, path = "/pointers", tag = "statements", request_body = NewPointer, responses(
    (status = OK, body = Said),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn say(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    input: Input<NewPointer>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let NewPointer { level, held_at, desk, telephone, summary, label, audience } = input.value;
    let level: AnnexLevel = level.parse().map_err(Refusal::unreadable)?;
    let tlp = label.parse().map_err(Refusal::unreadable)?;
    let audience = request::audience(audience);
    let new = use_case::NewPointer { level, held_at, desk, telephone, summary, tlp, audience };
    let command = move |work: &mut Work<'_, '_>| {
        let (index, reference) = use_case::say(work, &new)?;
        let entry = EntryRef::of(&work.me.origin, index);
        Ok(Said { entry: entry.to_string(), reference: reference.to_string() })
    };
    idempotency::once(&app, bound, command).await
}

impl From<PointerError> for Refusal {
    fn from(error: PointerError) -> Self {
        match error {
            PointerError::Store(error) => error.into(),
            PointerError::Audience(error) => error.into(),
            PointerError::Classified(_) | PointerError::Shape(_) | PointerError::Red => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, "pointer", "The pointer can't be said", &error)
            }
        }
    }
}
