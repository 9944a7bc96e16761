//! `/retention`: how long each kind of data is kept, what is due, and its purge by whoever has seen the plan.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::Timestamp;
use model::bytes::{hex, unhex};
use node::Permission;
use node::retention::{self as use_case, Apply, RetentionError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::Input;
use crate::server::session::Caller;

/// The rules and what was done by them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Retention {
    /// The rules that somebody has set; what has none is kept for ever.
    pub rules: Vec<Rule>,
    /// The last 100 purges of what was due, newest first.
    pub runs: Vec<Run>,
}

/// How long one kind of data is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rule {
    /// `intake/STATE`, `partner`, `partner/LABEL`, `partner/LABEL/TYPE`, `partner/*/TYPE`, `partner-withdrawn`,
    /// `own-withdrawn`, `sessions`, `idempotency`, `ledger` or `evidence`.
    pub rule: String,
    /// For how many days.
    pub days: u32,
}

/// One purge of what was due.
#[derive(Debug, Serialize, ToSchema)]
pub struct Run {
    /// Its number.
    pub number: i64,
    /// When it began.
    pub at: String,
    /// By whom.
    pub who: String,
    /// The time for which the plan was made.
    pub planned_at: String,
    /// The plan's digest.
    pub digest: String,
    /// How many items the plan had.
    pub planned: u64,
    /// How many of them are purged: fewer if some were held or gone meanwhile, or if it was cut short.
    pub purged: u64,
}

/// A rule to set.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetRule {
    /// As [`Rule::rule`].
    pub rule: String,
    /// For how many days, 1 to 36,525; `null` keeps that data for ever.
    pub days: Option<u32>,
}

/// Exactly what would be purged.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plan {
    /// The time for which it was made: repeat it to apply the plan.
    pub at: String,
    /// Its digest: repeat it to apply the plan.
    pub digest: String,
    /// Rule by rule.
    pub rules: Vec<PlannedRule>,
    /// Item by item, at most 10,000.
    pub items: Vec<PlannedItem>,
    /// Is more due than that? It comes with the next plan.
    pub more: bool,
}

/// What one rule makes due.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlannedRule {
    /// The rule.
    pub rule: String,
    /// For how many days it keeps.
    pub days: u32,
    /// How many items are due by it.
    pub due: usize,
    /// Since when the time of the oldest runs.
    pub oldest: Option<String>,
}

/// One thing that is due.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlannedItem {
    /// By which rule.
    pub rule: String,
    /// `EE:12`, `intake:7`, or the key of a record.
    pub name: String,
    /// Since when its time runs.
    pub since: String,
}

/// A plan to apply.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ApplyPlan {
    /// The plan's time.
    pub at: String,
    /// Its digest.
    pub digest: String,
    /// The day as you read it elsewhere than from this node, such as `2026-11-25`.
    pub today: String,
}

/// What was purged.
#[derive(Debug, Serialize, ToSchema)]
pub struct Applied {
    /// Number of the run.
    pub run: i64,
    /// How many items the plan had.
    pub planned: usize,
    /// How many of them are purged.
    pub purged: usize,
}

/// The rules, and the last purges.
#[utoipa::path(get, path = "/retention", tag = "retention", responses((status = OK, body = Retention)))]
pub async fn show(State(app): State<App>, caller: Caller) -> Result<Json<Retention>, Refusal> {
    caller.actor.require(Permission::Retain)?;
    let read = |view: &node::View<'_, '_>| {
        Ok::<_, store::StoreError>((view.db.retention()?, view.db.retention_runs(node::limits::PAGE_ROWS)?))
    };
    let (rules, runs) = app.node().read(read).await?;
    let run = |row: store::RunRow| Run {
        number: row.id.0,
        at: row.at.to_string(),
        who: row.who,
        planned_at: row.planned_at.to_string(),
        digest: hex(&row.digest),
        planned: row.planned,
        purged: row.purged,
    };
    Ok(Json(Retention {
        rules: rules.into_iter().map(|row| Rule { rule: row.rule, days: row.days }).collect(),
        runs: runs.into_iter().map(run).collect(),
    }))
}

/// Sets how long one kind of data is kept. It purges nothing.
#[utoipa::path(post, path = "/retention/rules", tag = "retention", request_body = SetRule, responses(
    (status = OK, body = Rule),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn set(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Input { value, bytes }: Input<SetRule>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Retain)?;
    let bound = key.bind(&caller.actor.login, &bytes);
    let command = move |work: &mut node::Work<'_, '_>| {
        let rule = use_case::set(work, &value.rule, value.days)?;
        Ok(Rule { rule: rule.to_string(), days: value.days.unwrap_or(0) })
    };
    idempotency::once(&app, bound, command).await
}

/// Exactly what is due now. It changes nothing, and what the law holds is left out.
#[utoipa::path(get, path = "/retention/plan", tag = "retention", responses((status = OK, body = Plan)))]
pub async fn plan(State(app): State<App>, caller: Caller) -> Result<Json<Plan>, Refusal> {
    caller.actor.require(Permission::Retain)?;
    let plan = app.node().read(|view| use_case::plan(view.db, view.me, view.now)).await?;
    let rule = |one: use_case::Summary| PlannedRule {
        rule: one.rule,
        days: one.days,
        due: one.due,
        oldest: one.oldest.map(|oldest| oldest.to_string()),
    };
    let item = |one: use_case::Item| PlannedItem { rule: one.rule, name: one.name, since: one.since.to_string() };
    Ok(Json(Plan {
        at: plan.at.to_string(),
        digest: hex(&plan.digest),
        rules: plan.rules.into_iter().map(rule).collect(),
        items: plan.items.into_iter().map(item).collect(),
        more: plan.more,
    }))
}

/// Purges what a plan lists, in transactions of 500 items. Refused if the plan is another one now, or if this node's clock
/// may have jumped.
#[utoipa::path(post, path = "/retention/apply", tag = "retention", request_body = ApplyPlan, responses(
    (status = OK, body = Applied),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn apply(
    State(app): State<App>,
    caller: Caller,
    Input { value, .. }: Input<ApplyPlan>,
) -> Result<Json<Applied>, Refusal> {
    caller.actor.require(Permission::Retain)?;
    let at: Timestamp = value.at.parse().map_err(Refusal::unreadable)?;
    let digest = unhex(&value.digest)
        .ok_or_else(|| Refusal::unreadable("a digest has 64 hexadecimal digits: copy it from the plan"))?;
    let apply = Apply { at, digest, today: value.today };
    let actor = caller.actor;
    let (run, items) = app.write(move |work| Ok(use_case::begin(work, &apply, &actor)?)).await?;
    let planned = items.len();
    let mut purged = 0;
    let mut left = items.into_iter().peekable();
    while left.peek().is_some() {
        let part: Vec<use_case::Item> = left.by_ref().take(node::limits::PURGE_BATCH).collect();
        let last = left.peek().is_none();
        purged += app.write(move |work| Ok(use_case::purge(work, run, &part, last)?)).await?;
    }
    Ok(Json(Applied { run: run.0, planned, purged }))
}

impl From<RetentionError> for Refusal {
    fn from(error: RetentionError) -> Self {
        let (status, title) = match error {
            RetentionError::Store(error) => return error.into(),
            RetentionError::Rule(_) => (StatusCode::UNPROCESSABLE_ENTITY, "There is no such rule"),
            RetentionError::Days => (StatusCode::UNPROCESSABLE_ENTITY, "The days are out of range"),
            RetentionError::Changed => (StatusCode::CONFLICT, "The plan has changed"),
            RetentionError::Stale => (StatusCode::CONFLICT, "The plan is not of this day"),
            RetentionError::Day { .. } | RetentionError::Clock { .. } => {
                (StatusCode::CONFLICT, "The clock may be wrong")
            }
        };
        Self::kind(status, "retention", title, &error)
    }
}
