//! `/assistance/{entry}/relay` and `/relays/{number}`: what a partner without a node says over the telephone, taken down,
//! read back, and only then our word that it was said.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::extension::assistance::{AgreementStep, Answer, OfferLine, Payer};
use model::{EntryRef, Timestamp};
use node::assist;
use node::assist::relay::{self, Saying, Source};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::App;
use super::super::idempotency::{self, Key};
use super::super::refusal::{ProblemDetails, Refusal};
use super::super::request::{Input, Segment};
use super::words::{self, Have};
use super::{Said, told};
use crate::server::session::Caller;

/// What somebody says for a partner without a node.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldBy {
    /// The partner: two letters, its name, or its origin.
    #[serde(default)]
    pub partner: String,
    /// Who says it there: name and office.
    pub said_by: String,
    /// When it was said; now unless said otherwise.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub said_at: Option<Timestamp>,
    /// `yes`, `maybe`, `no` or `withdrawn`; or of an acceptance `sign`, `decline`, `acknowledge`, `done` or `end`.
    pub says: String,
    /// Whom to call; with an answer alone.
    #[serde(default)]
    pub call: Option<String>,
    /// `provider` unless said otherwise; `requester`, `to-be-agreed`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub payer: Option<Payer>,
    /// It may be accepted until then.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub valid_until: Option<Timestamp>,
    /// What else is said, or why.
    #[serde(default)]
    pub note: Option<String>,
    /// What is offered; with `yes` and none of them everything that is asked.
    #[serde(default)]
    pub lines: Vec<Have>,
}

/// A draft: nothing counts before it is confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftOf {
    /// Its number.
    pub number: i64,
    /// Read this to whoever said it, word for word.
    pub read_back: String,
    /// It is dropped then.
    pub until: String,
}

impl ToldBy {
    /// Who said it, and what.
    ///
    /// # Errors
    /// A word that is not in its list, or a field that does not go with it.
    pub fn read(self) -> Result<(Source, Saying), Refusal> {
        let source = Source { partner: self.partner, said_by: self.said_by, said_at: self.said_at };
        let step = match self.says.as_str() {
            "sign" => AgreementStep::Countersign,
            "decline" => AgreementStep::Decline { reason: self.note },
            "acknowledge" => AgreementStep::Acknowledge,
            "done" => AgreementStep::End { fulfilled: true, reason: self.note },
            "end" => AgreementStep::End { fulfilled: false, reason: self.note },
            word => {
                let answer = match word {
                    "yes" => Answer::Yes,
                    "maybe" => Answer::Maybe,
                    "no" => Answer::No,
                    "withdrawn" => Answer::Withdrawn,
                    _ => {
                        let words = "yes, maybe, no, withdrawn, sign, decline, acknowledge, done, end";
                        return Err(Refusal::unreadable(format!("`says` is one of {words}")));
                    }
                };
                let call = self.call.ok_or_else(|| Refusal::unreadable("`call` says whom to call: name and number"))?;
                let lines = self.lines.iter().map(plain).collect::<Result<_, _>>()?;
                let payer = self.payer.unwrap_or(Payer::Provider);
                let (valid_until, note) = (self.valid_until, self.note);
                return Ok((source, Saying::Answer { answer, call, payer, valid_until, note, lines }));
            }
        };
        if self.call.is_some() || !self.lines.is_empty() || self.valid_until.is_some() || self.payer.is_some() {
            return Err(Refusal::unreadable("`call`, `lines`, `payer` and `valid_until` go with an answer alone"));
        }
        Ok((source, Saying::Step(step)))
    }
}

fn plain(have: &Have) -> Result<OfferLine, Refusal> {
    if !have.draws.is_empty() {
        return Err(Refusal::unreadable("`draws` are of a log, and the partner has none"));
    }
    Ok(words::line(have))
}

/// Takes down what a partner without a node says over the telephone to our call for help, or of an acceptance of its offer.
/// The answer holds what is to be read back; nothing counts before it is confirmed.
#[utoipa::path(post, path = "/assistance/{entry}/relay", tag = "assistance", params(("entry" = String, Path)),
    request_body = ToldBy, responses(
        (status = OK, body = DraftOf),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn take_down(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<ToldBy>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let (source, saying) = input.value.read()?;
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let draft = relay::take_down(work, &place, &source, &saying, &caller.actor)?;
        Ok(DraftOf { number: draft.id, read_back: draft.read_back, until: draft.until.to_string() })
    };
    idempotency::once(&app, bound, command).await
}

/// It was read back, and whoever said it says that it is right: now it is said, marked as relayed.
#[utoipa::path(post, path = "/relays/{number}/confirm", tag = "assistance", params(("number" = i64, Path)), responses(
    (status = OK, body = Said),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Segment(number): Segment,
    key: Key,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let number = numbered(&number)?;
    let bound = key.bind(&caller.actor.login, number.to_string().as_bytes());
    let command = move |work: &mut Work<'_, '_>| {
        let spoken = relay::confirm(work, number, &caller.actor)?;
        Ok(told(work, &spoken))
    };
    idempotency::once(&app, bound, command).await
}

/// It is not what was said: the draft is dropped.
#[utoipa::path(delete, path = "/relays/{number}", tag = "assistance", params(("number" = i64, Path)), responses(
    (status = NO_CONTENT),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn drop_draft(State(app): State<App>, caller: Caller, Segment(number): Segment) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let number = numbered(&number)?;
    app.write(move |work| Ok(relay::drop_draft(work, number)?)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn numbered(text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| Refusal::unreadable("a draft is named by its number"))
}
