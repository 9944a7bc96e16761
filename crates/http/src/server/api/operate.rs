//! `/operate`: what an administrator does to the node itself.

use axum::Json;
use axum::extract::State;
use node::{Permission, ratchet, rebuild as use_case};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::refusal::Refusal;
use crate::server::session::Caller;

/// What a rebuild did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rebuilt {
    /// Statements that were folded.
    pub folded: u64,
    /// Of those kept raw before, how many this version reads.
    pub now_fit: u64,
    /// Statements that stay raw.
    pub unfit: u64,
}

/// Drops the views and folds truth again, to the same rows. The node answers no other command meanwhile.
#[utoipa::path(post, path = "/operate/rebuild", tag = "operate", responses((status = OK, body = Rebuilt)))]
pub async fn rebuild(State(app): State<App>, caller: Caller) -> Result<Json<Rebuilt>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    let done = app.write(|work| Ok(use_case::rebuild(work)?)).await?;
    Ok(Json(Rebuilt { folded: done.folded, now_fit: done.now_fit, unfit: done.unfit }))
}

/// The machine's clock is right, as somebody said who has looked.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockAccepted {
    /// What the node goes by from now on.
    pub now: String,
}

/// Takes the machine's clock as right: the node goes by it from now on, also where that is back, and drops what has run out
/// by it. To be sent after somebody has compared it with another clock.
#[utoipa::path(post, path = "/operate/clock", tag = "operate", responses((status = OK, body = ClockAccepted)))]
pub async fn clock(State(app): State<App>, caller: Caller) -> Result<Json<ClockAccepted>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    let now = ratchet::accept(app.node()).await?;
    tracing::warn!(%now, by = %caller.actor.login, "the machine's clock was accepted");
    Ok(Json(ClockAccepted { now: now.to_string() }))
}
