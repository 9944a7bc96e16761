//! `/tokens`: what machines show instead of a password and a code. A token is shown once and kept as a hash.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use node::account::{self, AccountError};
use node::{Actor, Permission};
use serde::{Deserialize, Serialize};
use store::TokenRow;
use utoipa::ToSchema;

use super::App;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment};
use crate::server::session::{By, Caller};

/// One token.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// The account as which it acts.
    pub login: String,
    /// Since when there is one.
    pub created: String,
    /// When it runs out.
    pub expires: Option<String>,
    /// When it was last used, to the hour.
    pub last_used: Option<String>,
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateToken {
    /// Its name: 1 to 64 of a-z, 0-9, dot, hyphen and underscore.
    pub name: String,
    /// The account as which it acts; without one the caller's own.
    #[serde(default)]
    pub login: Option<String>,
    /// How many days it lives: 1 to 366.
    pub days: u32,
}

/// A token, shown once.
#[derive(Serialize, ToSchema)]
pub struct NewToken {
    /// For the header `Authorization: Bearer …`.
    pub token: String,
    /// Its name.
    pub name: String,
    /// The account as which it acts.
    pub login: String,
}

/// The caller's own tokens; all of them for those who manage accounts.
#[utoipa::path(get, path = "/tokens", tag = "accounts", responses((status = OK, body = Page<Token>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<Token>>, Refusal> {
    let all = manages(&caller.actor);
    if !all {
        caller.actor.require(Permission::Read)?;
    }
    let rows = app.node().read(account::tokens).await?;
    let own = rows.into_iter().filter(|(_, login)| all || *login == caller.actor.login);
    Ok(Json(Page::whole(own.map(token).collect())))
}

fn manages(actor: &Actor) -> bool {
    actor.require(Permission::ManageAccounts).is_ok()
}

fn token((row, login): (TokenRow, String)) -> Token {
    Token {
        name: row.name,
        login,
        created: row.created.to_string(),
        expires: row.expires.map(|at| at.to_string()),
        last_used: row.last_used.map(|at| at.to_string()),
    }
}

/// Makes a token for the caller's own account, or for another by those who manage accounts. A token makes no tokens.
#[utoipa::path(post, path = "/tokens", tag = "accounts", request_body = CreateToken, responses(
    (status = OK, body = NewToken),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    input: Input<CreateToken>,
) -> Result<Json<NewToken>, Refusal> {
    if caller.by == By::Token {
        // A stolen token must not outlive its own revocation.
        let error = "log in to make a token: tokens make none";
        return Err(Refusal::kind(StatusCode::FORBIDDEN, "token", "A token makes no tokens", &error));
    }
    let CreateToken { name, login, days } = input.value;
    let login = login.unwrap_or_else(|| caller.actor.login.clone());
    let permission = if login == caller.actor.login { Permission::Read } else { Permission::ManageAccounts };
    caller.actor.require(permission)?;
    let (named, of) = (name.clone(), login.clone());
    let token = app.write(move |work| Ok(account::create_token(work, &named, &of, days)?)).await?;
    tracing::info!(by = %caller.actor.login, %login, %name, "a token was made");
    Ok(Json(NewToken { token, name, login }))
}

/// Revokes a token by its name.
#[utoipa::path(delete, path = "/tokens/{name}", tag = "accounts", params(("name" = String, Path)), responses(
    (status = NO_CONTENT),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn revoke(State(app): State<App>, caller: Caller, Segment(name): Segment) -> Result<StatusCode, Refusal> {
    let owner = if manages(&caller.actor) {
        None
    } else {
        let unknown = || Refusal::from(AccountError::TokenUnknown(name.clone()));
        Some(caller.actor.person.ok_or_else(unknown)?)
    };
    let of = name.clone();
    app.write(move |work| Ok(account::revoke_token(work, &of, owner)?)).await?;
    tracing::info!(by = %caller.actor.login, %name, "a token was revoked");
    Ok(StatusCode::NO_CONTENT)
}
