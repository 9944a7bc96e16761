//! `/keys`: the keys of this node, and how they are replaced. The root key never comes here: what it signs is asked for
//! with a request, signed elsewhere, and brought back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use node::Permission;
use node::ports::Boxed;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::refusal::{ProblemDetails, Refusal};
use super::request::Input;
use crate::server::session::Caller;

/// The keys behind the API: the binary has them.
pub trait Keyring: Send + Sync {
    /// The keys as they are now.
    fn keys(&self) -> Boxed<'_, Result<Keys, KeyringError>>;
    /// Makes the next keys and what the root key is to sign.
    fn request(&self, wanted: Wanted) -> Boxed<'_, Result<Request, KeyringError>>;
    /// Puts in force what the root key has signed.
    fn install(&self, signed: Signed) -> Boxed<'_, Result<Keys, KeyringError>>;
    /// Replaces a key that no identity names.
    fn renew(&self, kind: String) -> Boxed<'_, Result<Keys, KeyringError>>;
}

/// Why keys were not replaced, in words that say what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// It can't be meant so, or not now.
    #[error("{0}")]
    Refused(String),
    /// The signer or the disk.
    #[error("{0}")]
    Failed(String),
}

/// The keys of this node.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Keys {
    /// The version of the identity that names them.
    pub version: u64,
    /// When the root key signed it.
    pub issued: String,
    /// One by one.
    pub items: Vec<Key>,
    /// What is under way; `null` when nothing is.
    pub rotation: Option<Rotation>,
    /// Active partners that do not hold this version yet.
    pub waiting: Vec<String>,
    /// What we no longer stand by.
    pub repudiated: Vec<Span>,
}

/// One key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Key {
    /// `log`, `witness`, `mandate`, `tls`, `wrapping` or `cursor`.
    pub kind: String,
    /// `in force`, `next`, `former` or `stolen`.
    pub state: String,
    /// The public key, or of TLS its pin; `null` for keys that have no public half.
    pub public: Option<String>,
    /// How far a former one is believed: a size of the log, or a time.
    pub until: Option<String>,
}

/// What is under way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Rotation {
    /// When the keys of before are let go of, whoever has not heard by then.
    pub deadline: String,
}

/// Entries from one to before another.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Span {
    /// The first.
    pub from: u64,
    /// The entry after the last.
    pub to: u64,
}

/// What is to be replaced.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Wanted {
    /// `log`, `witness`, `mandate` and `tls`; any of them.
    pub kinds: Vec<String>,
    /// Somebody else has them: partners believe the old ones no more, and there is no overlap.
    #[serde(default)]
    pub stolen: bool,
    /// We no longer stand by the entries of our log from this one on, up to now.
    pub from: Option<u64>,
    /// The same by the time at which they were said.
    pub since: Option<String>,
}

/// What the root key is to sign.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Request {
    /// The request's text: a file for `entraide keys sign`.
    pub request: String,
    /// The version that is asked for.
    pub version: u64,
}

/// What the root key has signed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Signed {
    /// The text that `entraide keys sign` wrote.
    pub signed: String,
    /// How long the keys of before go on beside the new ones at most, seconds; without it a day.
    pub overlap: Option<u32>,
}

/// Which key.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Renewal {
    /// `wrapping` or `cursor`.
    pub kind: String,
}

/// The keys of this node, and what is under way.
#[utoipa::path(get, path = "/keys", tag = "operate", responses((status = OK, body = Keys)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Keys>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    Ok(Json(app.ctx.keyring.keys().await?))
}

/// Makes the next keys, and what the root key is to sign so that partners take them.
#[utoipa::path(post, path = "/keys/requests", tag = "operate", request_body = Wanted, responses(
    (status = OK, body = Request),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn request(State(app): State<App>, caller: Caller, input: Input<Wanted>) -> Result<Json<Request>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    Ok(Json(app.ctx.keyring.request(input.value).await?))
}

/// Puts in force what the root key has signed, and tells partners.
#[utoipa::path(post, path = "/keys/identity", tag = "operate", request_body = Signed, responses(
    (status = OK, body = Keys),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn install(State(app): State<App>, caller: Caller, input: Input<Signed>) -> Result<Json<Keys>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    Ok(Json(app.ctx.keyring.install(input.value).await?))
}

/// Replaces the wrapping or the cursor key, which no identity names.
#[utoipa::path(post, path = "/keys/renewals", tag = "operate", request_body = Renewal, responses(
    (status = OK, body = Keys),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn renew(State(app): State<App>, caller: Caller, input: Input<Renewal>) -> Result<Json<Keys>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    Ok(Json(app.ctx.keyring.renew(input.value.kind).await?))
}

impl From<KeyringError> for Refusal {
    fn from(error: KeyringError) -> Self {
        let status = match error {
            KeyringError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            KeyringError::Failed(_) => {
                tracing::error!(%error, "keys could not be replaced");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::kind(status, "keys", "The keys were not replaced", &error)
    }
}
