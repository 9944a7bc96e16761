//! `/statements/{entry}/ledger`: who opened a statement's content on this node, and who carried it out.

use axum::Json;
use axum::extract::State;
use model::EntryRef;
use node::query::entries;
use node::query::objects::ObjectError;
use node::{Permission, WriteError, ledger as use_case};
use serde::Serialize;
use store::{Face, StatementId};
use utoipa::ToSchema;

use super::App;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Page, Segment};
use crate::server::session::{By, Caller};

/// Content that was given out once; of somebody who reads the same page again and again, once an hour.
#[derive(Debug, Serialize, ToSchema)]
pub struct Given {
    /// When.
    pub at: String,
    /// To whom: a login, or `machine`.
    pub who: String,
    /// `page`, `terminal`, `body`, `content` or `proof`.
    pub face: &'static str,
    /// Did it leave the node, rather than being shown on it?
    pub exported: bool,
    /// Can it be called back?
    pub recallable: bool,
}

/// Who opened a statement's content here, and who carried it out, newest first: the last 1,000 times. For those who
/// speak for the nation: it says what colleagues read.
#[utoipa::path(get, path = "/statements/{entry}/ledger", tag = "statements", params(("entry" = String, Path)),
    responses(
        (status = OK, body = Page<Given>),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
) -> Result<Json<Page<Given>>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let read = move |view: &node::View<'_, '_>| {
        let statement = entries::statement_of(view, name)?;
        Ok::<_, ObjectError>(view.db.ledger(statement.id, node::limits::PAGE_ROWS_MAX)?)
    };
    let rows = app.node().read(read).await?;
    Ok(Json(Page::whole(rows.into_iter().map(given).collect())))
}

pub(super) fn given(row: store::LedgerRow) -> Given {
    Given {
        at: row.at.to_string(),
        who: row.who,
        face: row.face.word(),
        exported: row.face.is_export(),
        recallable: row.recallable,
    }
}

/// By which face the whole object goes to a caller. A program elsewhere keeps what it is given, whatever it asked for.
pub(super) fn face_of(caller: &Caller, export: bool) -> Face {
    match (&caller.by, export) {
        (By::Token, _) | (_, true) => Face::Body,
        (By::Session { .. }, false) => Face::Page,
        (By::LocalSocket, false) => Face::Terminal,
    }
}

/// Notes that content is about to be given out. To be called after the gate and before the answer.
pub(super) async fn note(app: &App, caller: &Caller, statement: StatementId, face: Face) -> Result<(), Refusal> {
    let who = caller.actor.clone();
    let due = app.node().read(move |view| use_case::due(view, statement, &who, face)).await?;
    if due == use_case::Due::Known {
        return Ok(());
    }
    let who = caller.actor.clone();
    match app.node().write_quietly(move |work| use_case::note(work, statement, &who, face)).await {
        Ok(()) => Ok(()),
        // A full disk must not keep people from reading in the night in which they need it.
        Err(error @ (WriteError::Busy | WriteError::Stopped(_))) if due == use_case::Due::Wanted => {
            tracing::warn!(%error, who = %caller.actor.login, "a reading could not be noted in the ledger");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
