//! `/partners`: peering by invitation or roster, confirmation by people, hold, resume and cut.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::bytes::unhex;
use node::partner::{self, PartnerError};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::idempotency::{self, Key};
use super::limits;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Params, Raw, Segment};
use super::status::{self, Partner};
use crate::client::join::JoinError;
use crate::server::session::Caller;

/// An invitation, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// One line for the other nation, over a channel that people trust.
    pub code: String,
    /// When it runs out.
    pub expires: String,
}

/// Another nation's invitation.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Code {
    /// The line as it was given to us.
    pub code: String,
}

/// A partner that waits for a person to compare the words.
#[derive(Debug, Serialize, ToSchema)]
pub struct Joined {
    /// The partner.
    pub partner: Partner,
    /// The six words that the other side's screen shows too: read them to each other over the telephone.
    pub words: Vec<String>,
}

/// Why a partner is held or cut.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Reason {
    /// In one line.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Who signed a roster.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SignedBy {
    /// The Ed25519 public key that you choose to believe: 64 hexadecimal digits.
    pub key: String,
}

/// What a roster proposes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Proposed {
    /// The new partners, each still to be confirmed.
    pub proposed: Vec<String>,
}

/// A partner after a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartnerChanged {
    /// The name of its log.
    pub origin: String,
    /// Its country.
    pub country: String,
    /// Its name for people.
    pub name: String,
    /// `active`, `held` or `cut`.
    pub state: String,
}

/// Every partner, and how we stand with it.
#[utoipa::path(get, path = "/partners", tag = "partners", responses((status = OK, body = Page<Partner>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<Partner>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    Ok(Json(Page::whole(status::read(&app).await?.partners)))
}

/// Makes an invitation: 72 hours, one use, five tries. Its code is a secret, so no answer of it is kept for an
/// idempotency key; an invitation that nobody uses runs out.
#[utoipa::path(post, path = "/partners/invitations", tag = "partners", responses((status = OK, body = Invitation)))]
pub async fn invite(State(app): State<App>, caller: Caller) -> Result<Json<Invitation>, Refusal> {
    caller.actor.require(Permission::ManagePartners)?;
    let invited = app.write(|work| Ok(partner::invite(work)?)).await?;
    Ok(Json(Invitation { code: invited.code, expires: invited.expires.to_string() }))
}

/// Takes up another nation's invitation: calls its node, and shows the six words.
#[utoipa::path(post, path = "/partners/accept", tag = "partners", request_body = Code, responses(
    (status = OK, body = Joined),
    (status = BAD_GATEWAY, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn accept(State(app): State<App>, caller: Caller, input: Input<Code>) -> Result<Json<Joined>, Refusal> {
    caller.actor.require(Permission::ManagePartners)?;
    let joined = app.ctx.joiner.accept(input.value.code).await?;
    app.node().tell_partners_changed();
    let origin = joined.origin.to_string();
    let partners = status::read(&app).await?.partners;
    let partner = partners.into_iter().find(|partner| partner.origin == origin).ok_or_else(Refusal::not_found)?;
    Ok(Json(Joined { partner, words: joined.words }))
}

/// Proposes every node of a signed roster that is not known yet.
#[utoipa::path(post, path = "/partners/roster", tag = "partners", params(SignedBy),
    request_body(content = String, content_type = "text/plain"), responses(
        (status = OK, body = Proposed),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn roster(
    State(app): State<App>,
    caller: Caller,
    Params(by): Params<SignedBy>,
    key: Key,
    Raw(body): Raw<{ limits::ROSTER_BYTES }>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManagePartners)?;
    let signer = unhex::<32>(&by.key)
        .ok_or_else(|| Refusal::unreadable("`key` is the public key of the roster's signer: 64 hexadecimal digits"))?;
    let bound = key.bind(&caller.actor.login, &body);
    let text = String::from_utf8(body.to_vec()).map_err(|_| Refusal::unreadable("a roster is text in UTF-8"))?;
    let command = move |work: &mut Work<'_, '_>| {
        let proposed = partner::propose_roster(work, &text, &signer)?;
        Ok(Proposed { proposed: proposed.iter().map(ToString::to_string).collect() })
    };
    let answer = idempotency::once(&app, bound, command).await?;
    app.node().tell_partners_changed();
    Ok(answer)
}

/// A person has compared the six words: the partner is active.
#[utoipa::path(post, path = "/partners/{partner}/confirm", tag = "partners", params(("partner" = String, Path)),
    request_body = Reason, responses(
        (status = OK, body = PartnerChanged),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Segment(partner): Segment,
    key: Key,
    input: Input<Reason>,
) -> Result<Response, Refusal> {
    change(&app, &caller, key, partner, input, To::Active).await
}

/// A person has telephoned and compared the six words of a successor log: it is the partner's log from now on.
#[utoipa::path(post, path = "/partners/{partner}/confirm-successor", tag = "partners",
    params(("partner" = String, Path)), request_body = Reason, responses(
        (status = OK, body = PartnerChanged),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn confirm_successor(
    State(app): State<App>,
    caller: Caller,
    Segment(partner): Segment,
    key: Key,
    input: Input<Reason>,
) -> Result<Response, Refusal> {
    change(&app, &caller, key, partner, input, To::Succeeded).await
}

/// A person holds a partner: nothing of it is taken until it is resumed.
#[utoipa::path(post, path = "/partners/{partner}/hold", tag = "partners", params(("partner" = String, Path)),
    request_body = Reason, responses(
        (status = OK, body = PartnerChanged),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn hold(
    State(app): State<App>,
    caller: Caller,
    Segment(partner): Segment,
    key: Key,
    input: Input<Reason>,
) -> Result<Response, Refusal> {
    change(&app, &caller, key, partner, input, To::Held).await
}

/// A person resumes a partner that was held.
#[utoipa::path(post, path = "/partners/{partner}/resume", tag = "partners", params(("partner" = String, Path)),
    request_body = Reason, responses(
        (status = OK, body = PartnerChanged),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn resume(
    State(app): State<App>,
    caller: Caller,
    Segment(partner): Segment,
    key: Key,
    input: Input<Reason>,
) -> Result<Response, Refusal> {
    change(&app, &caller, key, partner, input, To::Resumed).await
}

/// A person cuts a partner: it gets nothing more, and nothing of it is taken.
#[utoipa::path(post, path = "/partners/{partner}/cut", tag = "partners", params(("partner" = String, Path)),
    request_body = Reason, responses(
        (status = OK, body = PartnerChanged),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn cut(
    State(app): State<App>,
    caller: Caller,
    Segment(partner): Segment,
    key: Key,
    input: Input<Reason>,
) -> Result<Response, Refusal> {
    change(&app, &caller, key, partner, input, To::Cut).await
}

#[derive(Clone, Copy)]
enum To {
    Active,
    Succeeded,
    Held,
    Resumed,
    Cut,
}

async fn change(
    app: &App,
    caller: &Caller,
    key: Key,
    name: String,
    input: Input<Reason>,
    to: To,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManagePartners)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let reason = input.value.reason.filter(|reason| !reason.is_empty());
    let reason = reason.unwrap_or_else(|| format!("decided by {}", caller.actor.login));
    if reason.len() > model::limits::TEXT_BYTES {
        return Err(Refusal::unreadable("the reason is longer than 4,000 bytes: shorten it"));
    }
    let command = move |work: &mut Work<'_, '_>| {
        let row = match to {
            To::Active => partner::confirm(work, &name)?,
            To::Succeeded => node::successor::confirm(work, &name)?,
            To::Held => partner::hold(work, &name, &reason)?,
            To::Resumed => partner::resume(work, &name)?,
            To::Cut => partner::cut(work, &name, &reason)?,
        };
        Ok(PartnerChanged {
            country: row.origin.country().to_string(),
            origin: row.origin.to_string(),
            name: row.name,
            state: row.state.word().to_owned(),
        })
    };
    let answer = idempotency::once(app, bound, command).await?;
    app.node().tell_partners_changed();
    Ok(answer)
}

impl From<PartnerError> for Refusal {
    fn from(error: PartnerError) -> Self {
        let status = match error {
            PartnerError::Store(error) => return error.into(),
            PartnerError::Unknown(_) => StatusCode::NOT_FOUND,
            PartnerError::State { .. } | PartnerError::Ambiguous(_) | PartnerError::Identity(_, _) => {
                StatusCode::CONFLICT
            }
            PartnerError::Peering(_)
            | PartnerError::Invitation
            | PartnerError::Tries
            | PartnerError::Self_
            | PartnerError::Realm(_)
            | PartnerError::Roster(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::kind(status, "partner", "The partner can't be changed so", &error)
    }
}

impl From<JoinError> for Refusal {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Partner(error) => error.into(),
            JoinError::Client(_) => {
                Self::kind(StatusCode::BAD_GATEWAY, "not-reached", "The other node was not reached", &error)
            }
        }
    }
}
