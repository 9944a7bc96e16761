//! `/mailbox`: mail of partners without a node. A person makes it their relayed word, or sets it aside.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::EntryRef;
use node::assist;
use node::reach::mailbox::{self as use_case, MailboxError};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use store::MailRow;
use utoipa::ToSchema;

use super::App;
use super::assistance::relay::ToldBy;
use super::assistance::{Said, told};
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment};
use crate::server::session::Caller;

/// A mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailOf {
    /// Its number.
    pub number: i64,
    /// When it came here.
    pub received: String,
    /// From whom it claims to be; anybody can write that.
    pub claims: String,
    /// Its subject.
    pub subject: String,
    /// The partner whose key has signed it.
    pub partner: Option<String>,
    /// Was it encrypted?
    pub encrypted: bool,
    /// `good` (of a key that was compared by telephone), `none`, `bad`, `unknown-key`, or `unread` (it could not be opened).
    pub signature: &'static str,
    /// The fingerprint of the key that signed it.
    pub fingerprint: Option<String>,
    /// What it says, as plain text; or why it could not be read.
    pub text: String,
    /// What each attached file is, and whether it is proven; one a line.
    pub files: Vec<String>,
    /// `waiting`, `relayed` or `dismissed`.
    pub state: &'static str,
    /// Who decided.
    pub decided_by: Option<String>,
    /// The entry at which it is relayed, or why it was set aside.
    pub outcome: Option<String>,
}

impl MailOf {
    fn of(row: MailRow) -> Self {
        Self {
            number: row.id,
            received: row.received.to_string(),
            claims: row.sender,
            subject: row.subject,
            partner: row.origin.map(|origin| origin.country().to_string()),
            encrypted: row.encrypted,
            signature: row.signature.word(),
            fingerprint: row.fingerprint,
            text: row.body,
            files: row.files.lines().map(str::to_owned).collect(),
            state: row.state.word(),
            decided_by: row.decided_by,
            outcome: row.outcome,
        }
    }
}

/// What a person reads a mail as.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadAs {
    /// Our call for help, or the acceptance that it is about: `FR:12`.
    pub entry: String,
    /// Who says what there; the partner is that of the key.
    pub told: ToldBy,
}

/// Why a mail is set aside.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAside {
    /// In one line.
    pub reason: String,
}

/// The mailbox, what waits first: at most a hundred.
#[utoipa::path(get, path = "/mailbox", tag = "mailbox", responses((status = OK, body = Page<MailOf>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<MailOf>>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let rows = app.node().read(|view| view.db.mails(node::limits::PAGE_ROWS)).await?;
    Ok(Json(Page::whole(rows.into_iter().map(MailOf::of).collect())))
}

/// Makes a mail the relayed word of the partner whose key has signed it.
#[utoipa::path(post, path = "/mailbox/{number}/relay", tag = "mailbox", params(("number" = i64, Path)),
    request_body = ReadAs, responses(
        (status = OK, body = Said),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn relay(
    State(app): State<App>,
    caller: Caller,
    Segment(number): Segment,
    key: Key,
    input: Input<ReadAs>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let number = numbered(&number)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let name: EntryRef = input.value.entry.parse().map_err(Refusal::unreadable)?;
    let (source, saying) = input.value.told.read()?;
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let spoken = use_case::relay(work, number, &place, &source.said_by, &saying, &caller.actor)?;
        Ok(told(work, &spoken))
    };
    idempotency::once(&app, bound, command).await
}

/// Sets a mail aside.
#[utoipa::path(post, path = "/mailbox/{number}/dismiss", tag = "mailbox", params(("number" = i64, Path)),
    request_body = SetAside, responses(
        (status = OK, body = MailOf),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn dismiss(
    State(app): State<App>,
    caller: Caller,
    Segment(number): Segment,
    key: Key,
    input: Input<SetAside>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let number = numbered(&number)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let reason = input.value.reason;
    let command = move |work: &mut Work<'_, '_>| {
        use_case::dismiss(work, number, &reason, &caller.actor)?;
        let row = work.tx.mail(number)?.ok_or(MailboxError::Unknown(number))?;
        Ok(MailOf::of(row))
    };
    idempotency::once(&app, bound, command).await
}

fn numbered(text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| Refusal::unreadable("a mail is named by its number"))
}

impl From<MailboxError> for Refusal {
    fn from(error: MailboxError) -> Self {
        let status = match error {
            MailboxError::Store(error) => return error.into(),
            MailboxError::Assist(error) => return error.into(),
            MailboxError::Unknown(_) => StatusCode::NOT_FOUND,
            MailboxError::Decided(..) | MailboxError::Unsigned(_) => StatusCode::CONFLICT,
            MailboxError::Reason => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::kind(status, "mailbox", "Nothing is done with the mail", &error)
    }
}
