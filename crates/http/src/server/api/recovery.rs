//! `/recovery`: how our own log stands after the database was set back or another copy spoke, and what two persons decide.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use node::Permission;
use node::query::recovery::{self as query, Holder};
use node::recovery::decide::{self, DecideError, Decided, Decision as Choice};
use node::recovery::merge::RecoverError;
use node::standing::Standing;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::refusal::{ProblemDetails, Refusal};
use super::request::Input;
use crate::server::session::Caller;

/// How our own log stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recovery {
    /// `speaking`, `recovering` or `stopped`.
    pub state: &'static str,
    /// Why it does not speak, and what to do.
    pub why: Option<String>,
    /// Entries that were signed last, if that is known.
    pub mark: Option<u64>,
    /// Is it unknown what was signed last, because the node was restored on another machine?
    pub unknown: bool,
    /// Entries in the database.
    pub size: u64,
    /// Entries that are known to have been signed, while the log is fetched back.
    pub needs: Option<u64>,
    /// Partner by partner.
    pub partners: Vec<Holding>,
    /// Entries that are lost.
    pub lost: Vec<LostRange>,
    /// What one person has proposed, and another may confirm.
    pub proposal: Option<LogProposal>,
}

/// What a partner holds of our log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holding {
    /// Its country.
    pub country: String,
    /// The name of its log.
    pub origin: String,
    /// When it answered, or did not; absent before it was asked in this run.
    pub at: Option<String>,
    /// How many entries of ours it holds.
    pub held: Option<u64>,
    /// Why it gave no answer.
    pub why: Option<String>,
}

/// Entries that follow each other.
#[derive(Debug, Serialize, ToSchema)]
pub struct LostRange {
    /// The index of the first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// What one person has proposed.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogProposal {
    /// `speak` or `resume`.
    pub decision: &'static str,
    /// By whom.
    pub by: String,
    /// When.
    pub at: String,
}

/// What is decided.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LogDecision {
    /// `speak` (a restored node speaks from what is here) or `resume` (the other copy is switched off).
    pub decision: String,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionTaken {
    /// `proposed` or `done`.
    pub outcome: &'static str,
    /// How our own log stands now.
    pub state: &'static str,
}

/// How our own log stands.
#[utoipa::path(get, path = "/recovery", tag = "log", responses((status = OK, body = Recovery)))]
pub async fn recovery(State(app): State<App>, caller: Caller) -> Result<Json<Recovery>, Refusal> {
    caller.actor.require(Permission::Read)?;
    Ok(Json(read(&app).await?))
}

/// The same, for a page.
pub(crate) async fn read(app: &App) -> Result<Recovery, Refusal> {
    let status = query::recovery(app.node()).await?;
    let needs = match &status.standing {
        Standing::Recovering { needs, .. } => Some(*needs),
        Standing::Speaking | Standing::Stopped { .. } => None,
    };
    Ok(Recovery {
        state: status.standing.word(),
        why: status.standing.why(),
        mark: status.mark,
        unknown: status.unknown,
        size: status.size,
        needs,
        partners: status.holders.into_iter().map(holding).collect(),
        lost: status.lost.iter().map(|range| LostRange { first: range.first, count: range.count }).collect(),
        proposal: status.proposal.map(|one| LogProposal {
            decision: one.decision.word(),
            by: one.login,
            at: model::Timestamp::from_micros(one.at).to_string(),
        }),
    })
}

fn holding(holder: Holder) -> Holding {
    let (at, held) = holder.answer.map(|answer| (answer.at.to_string(), answer.held)).unzip();
    let (held, why) = match held {
        Some(Ok(size)) => (Some(size), None),
        Some(Err(why)) => (None, Some(why)),
        None => (None, None),
    };
    Holding { country: holder.origin.country().to_string(), origin: holder.origin.to_string(), at, held, why }
}

/// Decides, as one of two persons: the first proposes, another one confirms with the same request.
#[utoipa::path(post, path = "/recovery/decision", tag = "log", request_body = LogDecision, responses(
    (status = OK, body = DecisionTaken),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = FORBIDDEN, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn decide(
    State(app): State<App>,
    caller: Caller,
    input: Input<LogDecision>,
) -> Result<Json<DecisionTaken>, Refusal> {
    caller.actor.require(Permission::DecideLog)?;
    let decision = Choice::of_word(&input.value.decision)
        .ok_or_else(|| Refusal::unreadable("a decision is `speak` or `resume`"))?;
    let actor = caller.actor.clone();
    let decided = app.write(move |work| Ok(decide::decide(work, &actor, decision)?)).await?;
    let outcome = match decided {
        Decided::Proposed => "proposed",
        Decided::Done(_) => "done",
    };
    Ok(Json(DecisionTaken { outcome, state: app.node().standing().word() }))
}

impl From<DecideError> for Refusal {
    fn from(error: DecideError) -> Self {
        let slug = "recovery";
        match error {
            DecideError::Recover(RecoverError::Store(error)) => error.into(),
            DecideError::Recover(RecoverError::Audience(error)) => error.into(),
            DecideError::Recover(RecoverError::Withdraw(error)) => error.into(),
            DecideError::NotAPerson => Self::kind(StatusCode::FORBIDDEN, slug, "Two persons decide this", &error),
            DecideError::NotNow(_) | DecideError::Recover(RecoverError::NotRecovering | RecoverError::Short { .. }) => {
                Self::kind(StatusCode::CONFLICT, slug, "This can't be decided now", &error)
            }
        }
    }
}
