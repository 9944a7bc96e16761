//! `/passkeys` and `/session/passkey`: registering keys that prove who one is, and logging in with one (WebAuthn).
//!
//! Bytes are base64url without padding, as browsers and libraries write them.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use node::Permission;
use node::passkey::ceremony::{HostName, PublicKey, Purpose};
use node::passkey::{self, Assertion, NewPasskey, PasskeyError};
use serde::{Deserialize, Serialize};
use store::PasskeyRow;
use utoipa::ToSchema;

use super::App;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment, Two};
use super::session::{self, Session};
use crate::server::session::{By, Caller};

/// By which address a request came: what passkeys may be bound to, and the address for a hint.
#[derive(Debug, Clone)]
pub struct Reached {
    /// The host that passkeys are bound to: the configured one, or `localhost` for who came by it.
    pub host: Option<HostName>,
    /// The port of the request's own address.
    pub port: Option<u16>,
}

impl FromRequestParts<App> for Reached {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        // HTTP/2 says it in the address, HTTP/1.1 in a header (RFC 9113 §8.3.1).
        let said = || parts.headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
        let authority = parts.uri.authority().cloned().or_else(said);
        let port = authority.as_ref().and_then(Authority::port_u16);
        let local = authority.filter(|authority| authority.host() == "localhost").and(HostName::new("localhost"));
        Ok(Self { host: app.ctx.host.clone().or(local), port })
    }
}

impl Reached {
    fn named(self) -> Result<HostName, Refusal> {
        self.host.ok_or_else(|| {
            let error = "passkeys are bound to a name, and no address is one: open the node by `localhost` on its own \
                         machine, or write `host = \"fr.example\"` into entraide.toml";
            Refusal::kind(StatusCode::CONFLICT, "passkey-host", "Passkeys need a host name", &error)
        })
    }
}

/// What a browser needs to ask for a passkey.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogInOptions {
    /// To be signed: good once, for five minutes.
    pub challenge: String,
    /// The host that the passkey is bound to.
    pub rp_id: String,
    /// How long it is good, milliseconds.
    pub timeout: i64,
}

/// A login by passkey.
#[derive(Deserialize, ToSchema)]
pub struct LogInByPasskey {
    /// The credential id.
    pub id: String,
    /// The account as the authenticator knows it.
    pub user_handle: String,
    /// `clientDataJSON`.
    pub client_data: String,
    /// The authenticator data.
    pub authenticator_data: String,
    /// The signature.
    pub signature: String,
}

/// What a browser needs to make a passkey.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisterOptions {
    /// To be answered: good once, for five minutes, in this session.
    pub challenge: String,
    /// The host that the passkey will be bound to.
    pub rp_id: String,
    /// The node for people.
    pub rp_name: String,
    /// The account as authenticators know it.
    pub user_id: String,
    /// The account for people who choose between several.
    pub user_name: String,
    /// The person's name.
    pub display_name: String,
    /// COSE algorithms that are taken, the best first.
    pub algorithms: Vec<i64>,
    /// Credential ids that the account has already.
    pub exclude: Vec<String>,
    /// How long the challenge is good, milliseconds.
    pub timeout: i64,
}

/// A new passkey.
#[derive(Deserialize, ToSchema)]
pub struct RegisterPasskey {
    /// What the person calls it.
    pub name: String,
    /// `clientDataJSON`.
    pub client_data: String,
    /// `getAuthenticatorData()`.
    pub authenticator_data: String,
    /// `getPublicKey()`: `SubjectPublicKeyInfo` in DER.
    pub public_key: String,
    /// `getPublicKeyAlgorithm()`: -7 or -8.
    pub algorithm: i64,
}

/// A passkey of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Passkey {
    /// By which it is removed.
    pub id: String,
    /// What its person calls it.
    pub name: String,
    /// The host that it is bound to.
    pub host: String,
    /// May it be copied to other devices of its person?
    pub can_be_copied: bool,
    /// Since when.
    pub created: String,
    /// When it was last used.
    pub last_used: Option<String>,
}

fn shown(row: PasskeyRow) -> Passkey {
    Passkey {
        id: passkey::short_id(&row.id),
        name: row.name,
        host: row.host,
        can_be_copied: row.backup_eligible,
        created: row.created.to_string(),
        last_used: row.last_used.map(|at| at.to_string()),
    }
}

const MILLIS: i64 = node::limits::PASSKEY_SECONDS * 1_000;

fn bytes(name: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    let wrong = |_| Refusal::unreadable(format!("`{name}` is not base64url without padding: send it so"));
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(wrong)
}

/// Begins a login by passkey. No account is named: the authenticator finds its own.
#[utoipa::path(post, path = "/session/passkey/options", tag = "session", security(()), responses(
    (status = OK, body = LogInOptions),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn log_in_options(State(app): State<App>, reached: Reached) -> Result<Json<LogInOptions>, Refusal> {
    let host = reached.named()?;
    let challenge = app.write(|work| Ok(passkey::challenge(work, Purpose::LogIn)?)).await?;
    let challenge = BASE64URL_NOPAD.encode(&challenge);
    Ok(Json(LogInOptions { challenge, rp_id: host.as_str().to_owned(), timeout: MILLIS }))
}

/// Logs in by passkey: sets the session cookie. One answer whatever was wrong.
#[utoipa::path(post, path = "/session/passkey", tag = "session", request_body = LogInByPasskey, security(()), responses(
    (status = OK, body = Session),
    (status = UNAUTHORIZED, body = ProblemDetails, content_type = "application/problem+json"),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn log_in(
    State(app): State<App>,
    reached: Reached,
    input: Input<LogInByPasskey>,
) -> Result<Response, Refusal> {
    let host = reached.named()?;
    let said = Assertion {
        id: bytes("id", &input.value.id)?,
        handle: bytes("user_handle", &input.value.user_handle)?,
        client_data: bytes("client_data", &input.value.client_data)?,
        authenticator_data: bytes("authenticator_data", &input.value.authenticator_data)?,
        signature: bytes("signature", &input.value.signature)?,
    };
    let session = app.write(move |work| Ok(passkey::log_in(work, &host, &said)?)).await?;
    Ok(session::begun(&app, session))
}

/// A person in a session of a browser, with the session's token.
fn in_session(caller: &Caller) -> Result<[u8; 32], Refusal> {
    match &caller.by {
        By::Session { token, .. } => Ok(*token),
        By::Token | By::LocalSocket => {
            let error = "log in as a person: a token or the machine has no passkeys";
            Err(Refusal::kind(StatusCode::FORBIDDEN, "session", "Only for people who have logged in", &error))
        }
    }
}

/// The caller's own passkeys.
#[utoipa::path(get, path = "/passkeys", tag = "session", responses((status = OK, body = Page<Passkey>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<Passkey>>, Refusal> {
    let Some(person) = caller.actor.person else { return Ok(Json(Page::whole(Vec::new()))) };
    let rows = app.node().read(move |view| passkey::of(view, person)).await?;
    Ok(Json(Page::whole(rows.into_iter().map(shown).collect())))
}

/// Begins to add a passkey to the caller's account, at most 15 minutes after logging in.
#[utoipa::path(post, path = "/passkeys/options", tag = "session", responses(
    (status = OK, body = RegisterOptions),
    (status = FORBIDDEN, body = ProblemDetails, content_type = "application/problem+json"),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn register_options(
    State(app): State<App>,
    reached: Reached,
    caller: Caller,
) -> Result<Json<RegisterOptions>, Refusal> {
    let token = in_session(&caller)?;
    let host = reached.named()?;
    let begun = app.write(move |work| Ok(passkey::begin(work, &token)?)).await?;
    let me = app.node().me();
    let place = format!("{} {}", me.origin.country(), me.realm());
    Ok(Json(RegisterOptions {
        challenge: BASE64URL_NOPAD.encode(&begun.challenge),
        rp_id: host.as_str().to_owned(),
        rp_name: format!("Entraide {place}"),
        user_id: BASE64URL_NOPAD.encode(&begun.handle),
        // Whoever chooses between reality and an exercise on one host sees which is which.
        user_name: format!("{} ({place})", caller.actor.login),
        display_name: begun.name,
        algorithms: PublicKey::ALGORITHMS.to_vec(),
        exclude: begun.known.iter().map(|id| BASE64URL_NOPAD.encode(id)).collect(),
        timeout: MILLIS,
    }))
}

/// Adds a passkey to the caller's account.
#[utoipa::path(post, path = "/passkeys", tag = "session", request_body = RegisterPasskey, responses(
    (status = OK, body = Passkey),
    (status = FORBIDDEN, body = ProblemDetails, content_type = "application/problem+json"),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn register(
    State(app): State<App>,
    reached: Reached,
    caller: Caller,
    input: Input<RegisterPasskey>,
) -> Result<Json<Passkey>, Refusal> {
    let token = in_session(&caller)?;
    let host = reached.named()?;
    let new = NewPasskey {
        client_data: bytes("client_data", &input.value.client_data)?,
        authenticator_data: bytes("authenticator_data", &input.value.authenticator_data)?,
        public_key: bytes("public_key", &input.value.public_key)?,
        algorithm: input.value.algorithm,
        name: input.value.name,
    };
    let row = app.write(move |work| Ok(passkey::register(work, &token, &host, &new)?)).await?;
    let passkey = shown(row);
    tracing::info!(by = %caller.actor.login, id = %passkey.id, "a passkey was added");
    Ok(Json(passkey))
}

/// Removes a passkey of the caller's account, and ends the account's other sessions.
#[utoipa::path(delete, path = "/passkeys/{id}", tag = "session", params(("id" = String, Path)), responses(
    (status = NO_CONTENT),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn remove(State(app): State<App>, caller: Caller, Segment(id): Segment) -> Result<StatusCode, Refusal> {
    let token = in_session(&caller)?;
    let person = caller.actor.person.ok_or_else(Refusal::not_found)?;
    let which = id.clone();
    app.write(move |work| Ok(passkey::remove(work, person, &which, &token)?)).await?;
    tracing::info!(by = %caller.actor.login, %id, "a passkey was removed");
    Ok(StatusCode::NO_CONTENT)
}

/// The passkeys of an account.
#[utoipa::path(get, path = "/users/{login}/passkeys", tag = "accounts", params(("login" = String, Path)), responses(
    (status = OK, body = Page<Passkey>),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn of_user(
    State(app): State<App>,
    caller: Caller,
    Segment(login): Segment,
) -> Result<Json<Page<Passkey>>, Refusal> {
    caller.actor.require(Permission::ManageAccounts)?;
    let rows = app.node().read(move |view| passkey::of_login(view, &login)).await?;
    Ok(Json(Page::whole(rows.into_iter().map(shown).collect())))
}

/// Revokes a passkey of an account, and ends the account's sessions.
#[utoipa::path(delete, path = "/users/{login}/passkeys/{id}", tag = "accounts",
    params(("login" = String, Path), ("id" = String, Path)), responses(
        (status = NO_CONTENT),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn revoke(State(app): State<App>, caller: Caller, Two(login, id): Two) -> Result<StatusCode, Refusal> {
    caller.actor.require(Permission::ManageAccounts)?;
    let (of, which) = (login.clone(), id.clone());
    app.write(move |work| Ok(passkey::revoke(work, &of, &which)?)).await?;
    tracing::info!(by = %caller.actor.login, %login, %id, "a passkey was revoked");
    Ok(StatusCode::NO_CONTENT)
}

impl From<PasskeyError> for Refusal {
    fn from(error: PasskeyError) -> Self {
        let status = match error {
            PasskeyError::Account(error) => return error.into(),
            PasskeyError::LogIn(reason) => {
                // A counter that went back is a copied key: an administrator must see it.
                tracing::warn!(%reason, "a login by passkey was refused");
                let error = "this passkey does not fit here, was removed, or its account is locked: log in with \
                             password and code, or ask an administrator";
                return Self::kind(StatusCode::UNAUTHORIZED, "login", "Not logged in", &error);
            }
            PasskeyError::Stale => StatusCode::FORBIDDEN,
            PasskeyError::TooMany | PasskeyError::Known => StatusCode::CONFLICT,
            PasskeyError::Register(_) => StatusCode::UNPROCESSABLE_ENTITY,
            PasskeyError::Unknown => StatusCode::NOT_FOUND,
        };
        Self::kind(status, "passkey", "The passkey can't be so", &error)
    }
}
