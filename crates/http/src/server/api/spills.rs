//! `/spills`: something that must not be here is purged and withdrawn, and a report says where it went. No report holds
//! content.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use node::Permission;
use node::spill::{self as use_case, Order, Report, SpillError};
use node::subject::Subject;
use serde::{Deserialize, Serialize};
use store::SpillId;
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::ledger::{self, Given};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment};
use crate::server::session::Caller;

/// What must not be here.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Spill {
    /// A statement (`FR:12`), an object (its STIX id: whatever anybody says of it), or something in intake (`intake:7`).
    pub id: String,
    /// Why, without the secret: partners read it.
    pub reason: String,
    /// The logins of those who agree to purge what the law holds: with the caller, two persons.
    #[serde(default)]
    pub despite_hold: Vec<String>,
}

/// What would be spilled.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SpillSubject {
    /// As in a spill.
    pub id: String,
}

/// What a spill reached and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpillReport {
    /// Its number; `null` before it is ordered.
    pub number: Option<i64>,
    /// When it was ordered.
    pub at: Option<String>,
    /// By whom.
    pub who: Option<String>,
    /// Who agreed as well, because the law held some of it.
    pub second: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Statement by statement.
    pub statements: Vec<SpilledStatement>,
    /// What was in intake.
    pub intake: Vec<SpilledIntake>,
    /// What the law holds of it; only before it is ordered.
    pub held: Vec<String>,
    /// Times that it left this node or a partner's by hand, as far as they are counted, and can't be recalled.
    pub not_recalled: u64,
    /// Partners that have not said that they purged it.
    pub open: u64,
}

/// A statement that a spill reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpilledStatement {
    /// Its name.
    pub entry: String,
    /// Is its body gone from here?
    pub purged: bool,
    /// Our withdrawal of it.
    pub withdrawal: Option<String>,
    /// Ours, and about sharing: partners are not told by us and keep it until they purge it themselves. Call them.
    pub kept_by_partners: bool,
    /// To whom it was given here, newest first: the last 1,000 times.
    pub given: Vec<Given>,
    /// The partners that had it, if it is ours.
    pub holders: Vec<Holder>,
    /// Its owner, if it is a partner's: nothing is relayed, somebody calls.
    pub call: Option<Called>,
}

/// A partner that had a spilled statement of ours.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holder {
    /// Its log.
    pub partner: String,
    /// Its name, if it is a partner now.
    pub name: Option<String>,
    /// `no receipt yet`, `stopped`, `held by law` or `purged`.
    pub standing: &'static str,
    /// How often it was carried out there; `null` if it has not said.
    pub exports: Option<u32>,
    /// How many of those can't be recalled.
    pub not_recalled: Option<u32>,
}

/// Whom to call.
#[derive(Debug, Serialize, ToSchema)]
pub struct Called {
    /// The owner's log.
    pub origin: String,
    /// Its name, if it is a partner now.
    pub name: Option<String>,
}

/// Something in intake that a spill reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpilledIntake {
    /// Its number there.
    pub intake: i64,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// When it was taken in.
    pub taken: String,
    /// By whom; `null` for the machine's own socket.
    pub who: Option<String>,
}

/// One spill in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpillLine {
    /// Its number.
    pub number: i64,
    /// When it was ordered.
    pub at: String,
    /// By whom.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// What a spill would reach: whom it was given to, who has it, what the law holds. It changes nothing.
#[utoipa::path(post, path = "/spills/preview", tag = "spills", request_body = SpillSubject, responses(
    (status = OK, body = SpillReport),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn preview(
    State(app): State<App>,
    caller: Caller,
    Input { value, .. }: Input<SpillSubject>,
) -> Result<Json<SpillReport>, Refusal> {
    caller.actor.require(Permission::Spill)?;
    let subject: Subject = value.id.parse().map_err(Refusal::unreadable)?;
    Ok(Json(shown(app.node().read(move |view| use_case::preview(view.db, view.me, &subject)).await?)))
}

/// Purges what must not be here, with everything derived from it, and withdraws it from everyone to whom we said it.
#[utoipa::path(post, path = "/spills", tag = "spills", request_body = Spill, responses(
    (status = OK, body = SpillReport),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn spill(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Input { value, bytes }: Input<Spill>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Spill)?;
    let subject: Subject = value.id.parse().map_err(Refusal::unreadable)?;
    let order = Order { subject, reason: value.reason, despite_hold: value.despite_hold };
    let bound = key.bind(&caller.actor.login, &bytes);
    let actor = caller.actor;
    let command = move |work: &mut node::Work<'_, '_>| {
        let id = use_case::spill(work, &order, &actor)?;
        let report = use_case::report(work.tx, work.me, id)?.ok_or_else(Refusal::not_found)?;
        Ok(shown(report))
    };
    idempotency::once(&app, bound, command).await
}

/// The spills, newest first: the last 1,000.
#[utoipa::path(get, path = "/spills", tag = "spills", responses((status = OK, body = Page<SpillLine>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<SpillLine>>, Refusal> {
    caller.actor.require(Permission::Spill)?;
    let rows = app.node().read(|view| view.db.spills(node::limits::PAGE_ROWS_MAX)).await?;
    let line =
        |row: store::SpillRow| SpillLine { number: row.id.0, at: row.at.to_string(), who: row.who, reason: row.reason };
    Ok(Json(Page::whole(rows.into_iter().map(line).collect())))
}

/// The report of a spill as it stands now: receipts come in while people wait for them.
#[utoipa::path(get, path = "/spills/{number}", tag = "spills", params(("number" = i64, Path)), responses(
    (status = OK, body = SpillReport),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    Segment(number): Segment,
) -> Result<Json<SpillReport>, Refusal> {
    caller.actor.require(Permission::Spill)?;
    let id = SpillId(number.parse().map_err(|_| Refusal::not_found())?);
    let report = app.node().read(move |view| use_case::report(view.db, view.me, id)).await?;
    Ok(Json(shown(report.ok_or_else(Refusal::not_found)?)))
}

fn shown(report: Report) -> SpillReport {
    let order = report.order;
    let statements: Vec<SpilledStatement> = report.statements.into_iter().map(statement).collect();
    let taken = |(row, who): (store::SpilledIntakeRow, Option<String>)| SpilledIntake {
        intake: row.intake.0,
        sha256: model::bytes::hex(&row.digest),
        taken: row.taken.to_string(),
        who,
    };
    let lost = |one: &SpilledStatement| {
        let here = one.given.iter().filter(|given| given.exported && !given.recallable).count() as u64;
        here + one.holders.iter().filter_map(|holder| holder.not_recalled).map(u64::from).sum::<u64>()
    };
    let open = |one: &SpilledStatement| one.holders.iter().filter(|holder| holder.standing != PURGED).count() as u64;
    SpillReport {
        number: order.as_ref().map(|order| order.id.0),
        at: order.as_ref().map(|order| order.at.to_string()),
        who: order.as_ref().map(|order| order.who.clone()),
        second: order.as_ref().and_then(|order| order.second.clone()),
        reason: order.map(|order| order.reason),
        not_recalled: statements.iter().map(lost).sum(),
        open: statements.iter().map(open).sum(),
        statements,
        intake: report.intake.into_iter().map(taken).collect(),
        held: report.held,
    }
}

const PURGED: &str = "purged";

fn statement(one: use_case::Spilled) -> SpilledStatement {
    let holder = |holder: use_case::Holder| Holder {
        partner: holder.origin.to_string(),
        name: holder.name,
        standing: match &holder.receipt {
            None => "no receipt yet",
            Some(receipt) if receipt.erased => PURGED,
            Some(receipt) if receipt.held => "held by law",
            Some(_) => "stopped",
        },
        exports: holder.receipt.and_then(|receipt| receipt.exports),
        not_recalled: holder.receipt.and_then(|receipt| receipt.not_recalled),
    };
    SpilledStatement {
        entry: one.entry.to_string(),
        purged: one.purged,
        withdrawal: one.withdrawal.map(|entry| entry.to_string()),
        kept_by_partners: one.kept_by_partners,
        given: one.given.into_iter().map(ledger::given).collect(),
        holders: one.holders.into_iter().map(holder).collect(),
        call: one.call.map(|call| Called { origin: call.origin.to_string(), name: call.name }),
    }
}

impl From<SpillError> for Refusal {
    fn from(error: SpillError) -> Self {
        let (status, title) = match error {
            SpillError::Store(error) => return error.into(),
            SpillError::Withdraw(error) => return error.into(),
            SpillError::Unknown(_) => (StatusCode::NOT_FOUND, "Nothing here has that name"),
            SpillError::TooMany(_) => (StatusCode::PAYLOAD_TOO_LARGE, "Too many statements"),
            SpillError::Reason => (StatusCode::UNPROCESSABLE_ENTITY, "The reason is missing or too long"),
            SpillError::Held(_) => (StatusCode::CONFLICT, "It is under legal hold"),
            SpillError::Person(_) => (StatusCode::UNPROCESSABLE_ENTITY, "That person can't agree"),
        };
        Self::kind(status, "spill", title, &error)
    }
}
