//! `/users`: accounts of people. Answers with secrets are given once and kept nowhere.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::{Desk, Role};
use node::Permission;
use node::account::{self, AccountError, Change, Draw, Enrolment, NewUser};
use serde::{Deserialize, Serialize};
use store::{PersonRow, PersonState};
use utoipa::ToSchema;

use super::App;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment};
use super::session::hashing;
use crate::server::session::Caller;

/// One account.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// By which it logs in.
    pub login: String,
    /// The name for people.
    pub name: String,
    /// At which desk.
    pub desk: String,
    /// With which roles.
    pub roles: Vec<String>,
    /// `active` or `locked`.
    pub state: Standing,
    /// Since when there is one.
    pub created: String,
    /// Until when it waits after wrong passwords.
    pub locked_until: Option<String>,
}

/// May an account log in?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = UserState)]
pub enum Standing {
    /// Yes.
    Active,
    /// No, until a person unlocks it.
    Locked,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
pub struct CreateUser {
    /// By which it logs in.
    pub login: String,
    /// The name for people.
    pub name: String,
    /// At which desk.
    #[schema(value_type = String)]
    pub desk: Desk,
    /// With which roles.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
    /// Without one the node makes it.
    #[serde(default)]
    pub password: Option<String>,
}

/// What a person needs to log in, shown once.
#[derive(Serialize, ToSchema)]
pub struct Access {
    /// The login.
    pub login: String,
    /// The password, if the node made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The secret of the one-time codes in base32, to be typed.
    pub totp_secret: String,
    /// The same as an `otpauth:` address, to be shown as a code.
    pub totp_uri: String,
}

/// A change of an account; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChangeUser {
    /// `active` or `locked`.
    #[serde(default)]
    pub state: Option<Standing>,
    /// Its roles.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub roles: Option<Vec<Role>>,
    /// Its desk.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub desk: Option<Desk>,
}

/// Every account, by login.
#[utoipa::path(get, path = "/users", tag = "accounts", responses((status = OK, body = Page<User>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<User>>, Refusal> {
    caller.actor.require(Permission::ManageAccounts)?;
    let rows = app.node().read(account::users).await?;
    Ok(Json(Page::whole(rows.into_iter().map(user).collect())))
}

fn user(row: PersonRow) -> User {
    User {
        login: row.login,
        name: row.name,
        desk: row.desk.to_string(),
        roles: row.roles.iter().map(ToString::to_string).collect(),
        state: match row.state {
            PersonState::Active => Standing::Active,
            PersonState::Locked => Standing::Locked,
        },
        created: row.created.to_string(),
        locked_until: row.locked_until.map(|at| at.to_string()),
    }
}

/// Makes an account. Repeating it is refused, whatever the idempotency key: its answer is a secret.
#[utoipa::path(post, path = "/users", tag = "accounts", request_body = CreateUser, responses(
    (status = OK, body = Access),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn create(State(app): State<App>, caller: Caller, input: Input<CreateUser>) -> Result<Json<Access>, Refusal> {
    caller.actor.require(Permission::ManageAccounts)?;
    let CreateUser { login, name, desk, roles, password } = input.value;
    let hashed = hash(&app, password).await?;
    let new = NewUser { login: login.clone(), name, desk, roles, password_hash: hashed.hash };
    let enrolment = app.write(move |work| Ok(account::create_user(work, &new)?)).await?;
    tracing::info!(by = %caller.actor.login, %login, "an account was made");
    Ok(Json(access(login, hashed.made, enrolment)))
}

/// A password's hash, and the password if the node made it.
struct Hashed {
    hash: String,
    made: Option<String>,
}

async fn hash(app: &App, given: Option<String>) -> Result<Hashed, Refusal> {
    let draw = app.write(|work| Ok(Draw::new(work.random))).await?;
    let made = given.is_none().then(|| draw.password.clone());
    let password = given.unwrap_or(draw.password);
    let hash = hashing(app, move || account::hash_password(password.as_bytes(), &draw.salt)).await??;
    Ok(Hashed { hash, made })
}

fn access(login: String, password: Option<String>, enrolment: Enrolment) -> Access {
    Access { login, password, totp_secret: enrolment.secret, totp_uri: enrolment.uri }
}

/// Locks or unlocks an account, or changes its roles or desk. Locking ends its sessions.
#[utoipa::path(put, path = "/users/{login}", tag = "accounts", params(("login" = String, Path)),
    request_body = ChangeUser, responses(
        (status = OK, body = User),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Segment(login): Segment,
    input: Input<ChangeUser>,
) -> Result<Json<User>, Refusal> {
    caller.actor.require(Permission::ManageAccounts)?;
    let state = input.value.state.map(|state| match state {
        Standing::Active => PersonState::Active,
        Standing::Locked => PersonState::Locked,
    });
    let change = Change { state, roles: input.value.roles, desk: input.value.desk };
    let row = app.write(move |work| Ok(account::change_user(work, &login, &change)?)).await?;
    tracing::info!(by = %caller.actor.login, login = %row.login, "an account was changed");
    Ok(Json(user(row)))
}

/// Gives an account a new password and a new second factor, takes its passkeys away, and ends its sessions.
#[utoipa::path(post, path = "/users/{login}/reset", tag = "accounts", params(("login" = String, Path)), responses(
    (status = OK, body = Access),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn reset(State(app): State<App>, caller: Caller, Segment(login): Segment) -> Result<Json<Access>, Refusal> {
    caller.actor.require(Permission::ManageAccounts)?;
    let hashed = hash(&app, None).await?;
    let (of, hash) = (login.clone(), hashed.hash);
    let enrolment = app.write(move |work| Ok(account::reset(work, &of, &hash)?)).await?;
    tracing::info!(by = %caller.actor.login, %login, "an account was reset");
    Ok(Json(access(login, hashed.made, enrolment)))
}

impl From<AccountError> for Refusal {
    fn from(error: AccountError) -> Self {
        let status = match error {
            AccountError::Store(error) => return error.into(),
            AccountError::Hash(reason) => {
                tracing::error!(%reason, "a password could not be hashed");
                return crate::problem::Problem::internal().into();
            }
            AccountError::Unknown(_) | AccountError::TokenUnknown(_) => StatusCode::NOT_FOUND,
            AccountError::Taken(_) | AccountError::TokenTaken(_) => StatusCode::CONFLICT,
            AccountError::Login(_)
            | AccountError::Name(_)
            | AccountError::Password
            | AccountError::NoRoles
            | AccountError::TokenName(_)
            | AccountError::Days(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::kind(status, "account", "The account can't be so", &error)
    }
}
