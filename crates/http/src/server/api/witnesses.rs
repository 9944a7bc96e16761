//! `/witnesses`: which partners cosign our log, how many of them must, and how each stands.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use node::query::witnesses::{self as query, WitnessStatus};
use node::witness::{self, ChooseError};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::Input;
use crate::server::session::Caller;

/// How our log is witnessed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Witnesses {
    /// One by one.
    pub items: Vec<Witness>,
    /// How many of them must have cosigned.
    pub threshold: usize,
    /// Entries that so many have cosigned.
    pub witnessed: Option<u64>,
    /// When the last of those cosignatures came.
    pub at: Option<String>,
    /// The keys of every log and witness that this node knows, its own first: a file with them checks proofs.
    pub keys: Vec<String>,
}

/// One witness.
#[derive(Debug, Serialize, ToSchema)]
pub struct Witness {
    /// Its country.
    pub country: String,
    /// The name of its log.
    pub origin: String,
    /// Its name for people.
    pub name: String,
    /// How it stands with us as a partner; one that is not `active` is not asked.
    pub state: String,
    /// What it cosigned last, since this node started.
    pub size: Option<u64>,
    /// When.
    pub at: Option<String>,
    /// Why it did not cosign when it was last asked.
    pub why: Option<String>,
}

/// Which partners are to be witnesses.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Choice {
    /// Two letters, or the whole origin, each; three to five are usual, none ends it.
    pub partners: Vec<String>,
    /// How many of them must have cosigned; without it more than half.
    pub threshold: Option<usize>,
}

/// What was chosen.
#[derive(Debug, Serialize, ToSchema)]
pub struct Chosen {
    /// Origins.
    pub witnesses: Vec<String>,
    /// How many of them must have cosigned.
    pub threshold: usize,
}

/// How our log is witnessed.
#[utoipa::path(get, path = "/witnesses", tag = "log", responses((status = OK, body = Witnesses)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Witnesses>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let status = query::witnesses(app.node()).await?;
    let (witnessed, at) = status.witnessed.unzip();
    Ok(Json(Witnesses {
        items: status.witnesses.into_iter().map(shape).collect(),
        threshold: status.threshold,
        witnessed,
        at: at.map(|at| at.to_string()),
        keys: status.keys,
    }))
}

fn shape(one: WitnessStatus) -> Witness {
    let (size, at) = one.standing.cosigned.unzip();
    Witness {
        country: one.origin.country().to_string(),
        origin: one.origin.to_string(),
        name: one.name,
        state: one.state.word().to_owned(),
        size,
        at: at.map(|at| at.to_string()),
        why: one.standing.why,
    }
}

/// Chooses the witnesses of our log: all of them at once, in place of those before.
#[utoipa::path(put, path = "/witnesses", tag = "log", request_body = Choice, responses(
    (status = OK, body = Chosen),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn choose(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    input: Input<Choice>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManagePartners)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let Choice { partners, threshold } = input.value;
    let command = move |work: &mut Work<'_, '_>| {
        witness::choose(work, &partners, threshold)?;
        let quorum = witness::quorum(work.tx)?;
        let witnesses = quorum.witnesses.iter().map(|one| one.partner.origin.to_string()).collect();
        Ok(Chosen { witnesses, threshold: quorum.threshold })
    };
    let answer = idempotency::once(&app, bound, command).await?;
    app.node().tell_partners_changed();
    Ok(answer)
}

impl From<ChooseError> for Refusal {
    fn from(error: ChooseError) -> Self {
        match error {
            ChooseError::Store(error) => error.into(),
            ChooseError::Partner(error) => error.into(),
            ChooseError::NotActive(_) | ChooseError::TooMany | ChooseError::Threshold(_) => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, "witnesses", "These can't be the witnesses", &error)
            }
        }
    }
}
