//! `/operate`: what an administrator does to the node itself.

use axum::Json;
use axum::extract::State;
use node::{Permission, rebuild as use_case};
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
