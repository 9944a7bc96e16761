//! `/exercises`: the exercise realms beside REAL in this process. Opened, moved on and ended from reality alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{Realm, Timestamp};
use node::Permission;
use node::ports::{Boxed, RealOnly};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment};
use crate::problem::Problem;
use crate::server::session::Caller;

/// What opens, lists, moves on and ends exercises: it needs the node's directory, which this API never holds.
pub trait Exercises: Send + Sync {
    /// The exercises that are open here.
    fn list(&self) -> Boxed<'_, Result<Vec<Exercise>, ExerciseError>>;
    /// Opens one.
    fn open(&self, new: NewExercise) -> Boxed<'_, Result<Opened, ExerciseError>>;
    /// Sets the clock of one forward; `by` is who did so.
    fn set_clock(&self, realm: Realm, now: Timestamp, by: String) -> Boxed<'_, Result<Exercise, ExerciseError>>;
    /// Archives one and drops it.
    fn end(&self, realm: Realm) -> Boxed<'_, Result<Ended, ExerciseError>>;
}

/// The exercises that one node rules over. Made by a node that speaks in reality: an exercise opens no exercise.
#[derive(Clone)]
pub struct Ruled(Arc<dyn Exercises>);

impl Ruled {
    /// By proof that the node is real.
    #[must_use]
    pub fn new(_: RealOnly, exercises: Arc<dyn Exercises>) -> Self {
        Self(exercises)
    }
}

/// Why nothing was done with an exercise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExerciseError {
    /// There is none of that name.
    #[error("no exercise `{0}` is open on this node: `entraide realm list` shows those that are")]
    NotFound(Realm),
    /// It can't be meant so; the text says what to do.
    #[error("{0}")]
    Refused(String),
    /// The machine failed; the text says what it said.
    #[error("{0}")]
    Failed(String),
}

/// An exercise that is open here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Exercise {
    /// `EX-…`.
    pub realm: String,
    /// Its name for people.
    pub name: String,
    /// The name of our log in it.
    pub origin: String,
    /// Where partners reach our node in it.
    pub address: String,
    /// Below which path of this node's own address its pages and its API are.
    pub path: String,
    /// Does it run?
    pub running: bool,
    /// Why it does not, if it was to.
    pub why: Option<String>,
    /// When it was opened, by the machine's clock.
    pub opened: String,
    /// What its clock shows.
    pub now: String,
    /// How far that is ahead of the machine's clock, in seconds; negative if it is behind.
    pub ahead_seconds: i64,
    /// How often its clock was set forward.
    pub jumps: usize,
}

/// Which exercise is to be opened.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct NewExercise {
    /// `EX-` and 1 to 32 capital letters, digits or hyphens: all who take part write it the same.
    #[schema(value_type = String)]
    pub realm: Realm,
    /// Its name for people.
    pub name: String,
    /// Where partners reach our node in it: another `host:port` than in reality, and than in other exercises. Without
    /// one the next free port after that of reality.
    #[serde(default)]
    pub address: Option<String>,
    /// What its clock shows at the beginning; without it the machine's time.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub starts_at: Option<Timestamp>,
}

/// An exercise that was opened. What is secret in it is shown once.
#[derive(Clone, Serialize, ToSchema)]
pub struct Opened {
    /// `EX-…`.
    pub realm: String,
    /// The name of our log in it.
    pub origin: String,
    /// SHA-256 of the exercise's own root key.
    pub fingerprint: String,
    /// The login of its first administrator.
    pub login: String,
    /// Its password.
    pub password: String,
    /// The secret of its one-time codes, in base32.
    pub totp_secret: String,
    /// The same as an `otpauth:` address.
    pub totp_uri: String,
    /// The public key of our log in it.
    pub log_key: String,
    /// Where partners reach our node in it.
    pub address: String,
    /// Below which path of this node's own address its pages and its API are.
    pub path: String,
}

/// What an exercise's clock is to show.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetClock {
    /// Later than what it shows.
    #[schema(value_type = String)]
    pub now: Timestamp,
}

/// Ends an exercise.
#[derive(Debug, Deserialize, ToSchema)]
pub struct End {
    /// Its name once more, as typed by whoever ends it.
    #[serde(default)]
    pub confirm: String,
}

/// What is left of an exercise that was ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Ended {
    /// `EX-…`.
    pub realm: String,
    /// The directory of its archive on the node's machine.
    pub archive: String,
    /// How many logs are in it.
    pub logs: usize,
    /// How many proofs of statements.
    pub proofs: u64,
    /// How many pieces of evidence.
    pub evidence: u64,
}

/// The exercises that are open on this node.
#[utoipa::path(get, path = "/exercises", tag = "exercises", responses(
    (status = OK, body = Page<Exercise>),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<Exercise>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    Ok(Json(Page::whole(ruled(&app)?.list().await?)))
}

/// Opens an exercise beside reality: a database, keys, log, partners, accounts and a clock of its own. Repeating it is
/// refused: its answer is a secret.
#[utoipa::path(post, path = "/exercises", tag = "exercises", request_body = NewExercise, responses(
    (status = OK, body = Opened),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn open(State(app): State<App>, caller: Caller, input: Input<NewExercise>) -> Result<Json<Opened>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    Ok(Json(ruled(&app)?.open(input.value).await?))
}

/// Sets an exercise's clock forward. Reality's clock is the machine's, and there is no way to set it.
#[utoipa::path(put, path = "/exercises/{realm}/clock", tag = "exercises", params(("realm" = String, Path)),
    request_body = SetClock, responses(
    (status = OK, body = Exercise),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn set_clock(
    State(app): State<App>,
    caller: Caller,
    Segment(realm): Segment,
    input: Input<SetClock>,
) -> Result<Json<Exercise>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    let realm = exercise(&realm)?;
    Ok(Json(ruled(&app)?.set_clock(realm, input.value.now, caller.actor.login).await?))
}

/// Archives an exercise, then erases its files and destroys its keys.
#[utoipa::path(post, path = "/exercises/{realm}/end", tag = "exercises", params(("realm" = String, Path)),
    request_body = End, responses(
    (status = OK, body = Ended),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn end(
    State(app): State<App>,
    caller: Caller,
    Segment(realm): Segment,
    input: Input<End>,
) -> Result<Json<Ended>, Refusal> {
    caller.actor.require(Permission::Operate)?;
    let realm = exercise(&realm)?;
    let ruled = ruled(&app)?;
    if input.value.confirm != realm.to_string() {
        return Err(ExerciseError::Refused(format!("repeat the name of the exercise to end it: `{realm}`")).into());
    }
    Ok(Json(ruled.end(realm).await?))
}

fn ruled(app: &App) -> Result<Arc<dyn Exercises>, Refusal> {
    let elsewhere = || ExerciseError::Refused("exercises are opened and ended from the real realm alone".to_owned());
    Ok(app.exercises.as_ref().map(|ruled| Arc::clone(&ruled.0)).ok_or_else(elsewhere)?)
}

/// The exercises for the status page; none where this node rules over none.
pub(crate) async fn beside(app: &App) -> Result<Vec<Exercise>, Refusal> {
    match &app.exercises {
        Some(ruled) => Ok(ruled.0.list().await?),
        None => Ok(Vec::new()),
    }
}

fn exercise(name: &str) -> Result<Realm, Refusal> {
    let realm: Realm = name.parse().map_err(Refusal::unreadable)?;
    if realm.is_real() {
        return Err(
            ExerciseError::Refused("reality is no exercise: it has no other clock and no end".to_owned()).into()
        );
    }
    Ok(realm)
}

impl From<ExerciseError> for Refusal {
    fn from(error: ExerciseError) -> Self {
        match &error {
            ExerciseError::NotFound(_) => Self(Problem::not_found().detail(error.to_string())),
            ExerciseError::Refused(_) => {
                Self::kind(StatusCode::CONFLICT, "exercise", "Not done with this exercise", &error)
            }
            ExerciseError::Failed(_) => {
                tracing::error!(%error, "an exercise failed");
                Self::kind(StatusCode::INTERNAL_SERVER_ERROR, "exercise-failed", "The exercise failed", &error)
            }
        }
    }
}
