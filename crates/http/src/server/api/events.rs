//! `GET /events`: screens hear that something has changed, and ask for what they show.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use node::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::refusal::Refusal;
use crate::server::session::Caller;
use crate::server::{Closing, sse};

/// The data of an `event: change`.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Changed {
    /// Entries of the own log that are signed.
    pub signed: u64,
    /// Group commits since the node started.
    pub commits: u64,
}

/// The data of an `event: time`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Ticked {
    /// The node's time.
    pub now: String,
}

/// A stream of `event: change` (server-sent events), and every five seconds an `event: time` (`{"now": …}`). After a
/// reconnection with `Last-Event-ID` the first event comes at once if something was missed. It carries no content, and
/// ends after a while so that the caller is asked anew.
#[utoipa::path(get, path = "/events", tag = "status", responses(
    (status = OK, body = Changed, content_type = "text/event-stream"),
))]
pub async fn events(
    State(app): State<App>,
    caller: Caller,
    closing: Option<Extension<Closing>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Read)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    Ok(sse::changes(app.node(), closing.map(|Extension(closing)| closing), last))
}
