//! `/acts`: what waits for a second person, what one person signed alone, and what was decided; `/two-persons`: which acts
//! need a second person; `/authorities`: within which bounds somebody may act alone.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::commit::{self as rules, Decision, Used};
use model::Timestamp;
use model::commit::{Act, Bounds};
use model::extension::assistance::HelpKind;
use node::commit::{self as use_case, Grant};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use store::{ActId, ActRow, AuthorityRow};
use utoipa::ToSchema;

use super::App;
use super::assistance::command::Command;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, PageOf, Params, Segment, after, rows};
use crate::server::session::Caller;

/// It was not said: it waits for a second person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Awaiting {
    /// The number of the act: `GET /acts/{number}`.
    pub awaiting: i64,
    /// What kind of act.
    pub act: &'static str,
    /// Until when somebody may decide.
    pub expires: String,
}

impl Awaiting {
    /// Of an act that was kept.
    #[must_use]
    pub fn of(row: &ActRow) -> Self {
        Self { awaiting: row.id.0, act: row.act.word(), expires: row.expires.to_string() }
    }
}

/// One act that commits the nation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActOf {
    /// Its number.
    pub number: i64,
    /// `ask`, `amend`, `offer`, `accept`, `countersign`, `end`, `mission` or `rules`.
    pub act: &'static str,
    /// What it is about: `FR:12`.
    pub entry: Option<String>,
    /// `awaiting`, `expired`, `approved`, `declined`, `taken-back`, `signed-alone`, `ratified`, `not-ratified` or
    /// `within-authority`.
    pub state: &'static str,
    /// Who began it.
    pub by: String,
    /// When.
    pub at: String,
    /// Until when somebody may decide.
    pub expires: String,
    /// Who decided.
    pub other: Option<String>,
    /// When.
    pub decided: Option<String>,
    /// Why it was declined or not ratified.
    pub reason: Option<String>,
    /// Why one person signed alone.
    pub emergency: Option<String>,
    /// Until when that is to be ratified.
    pub ratify_by: Option<String>,
    /// Nobody has ratified it in time.
    pub overdue: bool,
    /// Until when paper is due.
    pub paper_by: Option<String>,
    /// When the paper was there.
    pub paper: Option<String>,
    /// The authority within which it was done: `SA-2026-001`.
    pub authority: Option<String>,
    /// Where it was said.
    pub said: Option<String>,
    /// People or pieces, of all lines together.
    pub quantity: u32,
    /// What it would say, field by field; nothing once it is decided.
    pub says: Vec<SaysField>,
    /// Which decisions the caller may take: `approve`, `decline`, `take-back`, `sign-alone`, `ratify`, `refuse`.
    pub may: Vec<&'static str>,
}

/// One field of what an act would say.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SaysField {
    /// Which: `lines.1.kind`.
    pub field: String,
    /// What it says.
    pub value: String,
}

/// A decision about an act.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideAct {
    /// `approve`, `decline`, `take-back`, `sign-alone`, `ratify` or `refuse`.
    pub decision: DecisionWord,
    /// Why; needed to decline, to refuse and to sign alone.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Which decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionWord {
    /// It is said, in the names of both.
    Approve,
    /// It is not said.
    Decline,
    /// Whoever began it wants it no more.
    TakeBack,
    /// Whoever began it can't wait.
    SignAlone,
    /// What was signed alone is right.
    Ratify,
    /// What was signed alone is not.
    Refuse,
}

impl DecisionWord {
    const ALL: [(Self, Decision, &'static str); 6] = [
        (Self::Approve, Decision::Approve, "approve"),
        (Self::Decline, Decision::Decline, "decline"),
        (Self::TakeBack, Decision::TakeBack, "take-back"),
        (Self::SignAlone, Decision::SignAlone, "sign-alone"),
        (Self::Ratify, Decision::Ratify, "ratify"),
        (Self::Refuse, Decision::Refuse, "refuse"),
    ];

    /// The decision of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, _, known)| *known == word).map(|(one, ..)| *one)
    }

    fn decision(self) -> Decision {
        match self {
            Self::Approve => Decision::Approve,
            Self::Decline => Decision::Decline,
            Self::TakeBack => Decision::TakeBack,
            Self::SignAlone => Decision::SignAlone,
            Self::Ratify => Decision::Ratify,
            Self::Refuse => Decision::Refuse,
        }
    }
}

/// Which acts need a second person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TwoPersons {
    /// `ask`, `amend`, `offer`, `accept`, `countersign`, `end`, `mission`.
    #[schema(value_type = Vec<String>)]
    pub acts: BTreeSet<Act>,
}

/// Which acts need a second person, and the change that waits for one.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwoPersonsNow {
    /// As it is.
    #[serde(flatten)]
    pub now: TwoPersons,
    /// The act that would make them fewer, if it waits for a second person.
    pub awaiting: Option<i64>,
}

/// A new standing authority.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuthority {
    /// The login of whoever may act alone.
    pub login: String,
    /// Which acts: `offer`, `countersign` …
    #[schema(value_type = Vec<String>)]
    pub acts: BTreeSet<Act>,
    /// Which kinds of help; none of them is any.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub kinds: BTreeSet<HelpKind>,
    /// People or pieces of all acts under it together.
    pub quantity: u32,
    /// Cents of all missions under it together; left out, there is no bound.
    #[serde(default)]
    pub cost_cents: Option<u64>,
    /// Until then (RFC 3339), a year at most.
    #[schema(value_type = String)]
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// A standing authority.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorityOf {
    /// Its number: `SA-2026-001`.
    pub number: String,
    /// Who may act alone.
    pub to: String,
    /// Who signed it.
    pub by: String,
    /// Since when.
    pub at: String,
    /// Until when.
    pub until: String,
    /// `in-force`, `over` or `revoked`.
    pub state: &'static str,
    /// Which acts.
    pub acts: Vec<&'static str>,
    /// Which kinds of help; none of them is any.
    pub kinds: Vec<&'static str>,
    /// People or pieces that it allows.
    pub quantity: u32,
    /// Of those, how many were committed under it.
    pub used: u32,
    /// Cents that it allows.
    pub cost_cents: Option<u64>,
    /// Of those, how many were spent under it.
    pub used_cents: u64,
    /// Why.
    pub reason: String,
    /// Who revoked it.
    pub revoked_by: Option<String>,
}

impl ActOf {
    fn of(row: &ActRow, caller: &Caller, now: Timestamp, authority: Option<String>) -> Self {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let expired = use_case::is_expired(row, now);
        let same = caller.actor.person == Some(row.by.person);
        let allowed = |decision| {
            let place = rules::apply(row.state, decision, same, expired).is_ok();
            place && caller.actor.person.is_some() && !(row.act == Act::Rules && decision == Decision::SignAlone)
        };
        let may = DecisionWord::ALL.iter().filter(|(_, decision, _)| allowed(*decision)).map(|(_, _, word)| *word);
        let ratify_by = use_case::ratify_by(row);
        Self {
            number: row.id.0,
            act: row.act.word(),
            entry: row.entry.clone(),
            state: if expired { "expired" } else { row.state.word() },
            by: row.by.name.clone(),
            at: row.at.to_string(),
            expires: row.expires.to_string(),
            other: row.other.as_ref().map(|other| other.name.clone()),
            decided: time(row.decided),
            reason: row.reason.clone(),
            emergency: row.emergency.clone(),
            overdue: row.state == rules::State::Alone && ratify_by.is_some_and(|by| by <= now),
            ratify_by: time(ratify_by),
            paper_by: time(use_case::paper_by(row)),
            paper: time(row.paper),
            authority,
            said: row.said.clone(),
            quantity: row.quantity,
            says: row.body.as_deref().map(says).unwrap_or_default(),
            may: may.collect(),
        }
    }
}

/// What a body says, field by field, as it was sent: nothing is left out of what the second person signs.
fn says(body: &[u8]) -> Vec<SaysField> {
    fn go(at: &str, value: &serde_json::Value, out: &mut Vec<SaysField>) {
        let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| go(&below(name), value, out)),
            serde_json::Value::Array(items) => {
                (1_usize..).zip(items).for_each(|(number, value)| go(&below(&number.to_string()), value, out));
            }
            serde_json::Value::String(text) => out.push(SaysField { field: at.to_owned(), value: text.clone() }),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
                out.push(SaysField { field: at.to_owned(), value: value.to_string() });
            }
        }
    }
    let mut out = Vec::new();
    if let Ok(value) = serde_json::from_slice(body) {
        go("", &value, &mut out);
    }
    out
}

/// What a supervising desk's people see: what they began themselves. Help feeds no sanction (NIS2 Art 30(2)).
fn is_seen(row: &ActRow, caller: &Caller) -> bool {
    !caller.actor.desk.supervises() || caller.actor.person == Some(row.by.person)
}

/// Acts, the newest first.
#[utoipa::path(get, path = "/acts", tag = "acts", params(PageOf), responses((status = OK, body = Page<ActOf>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<ActOf>>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let before = after(page.after.as_deref())?.and_then(|before| i64::try_from(before).ok()).map(ActId);
    let limit = rows(page.limit)?;
    let read = app.node().read(move |view| {
        let found = use_case::list(view, before, limit)?;
        let next = if found.len() == limit { found.last().map(|row| row.id.to_string()) } else { None };
        let items = found.iter().filter(|row| is_seen(row, &caller)).map(|row| {
            let authority = row.authority.map(|id| use_case::number_of(view, id)).transpose()?.flatten();
            Ok(ActOf::of(row, &caller, view.now, authority))
        });
        Ok::<_, store::StoreError>(Page { items: items.collect::<Result<_, store::StoreError>>()?, next })
    });
    Ok(Json(read.await?))
}

/// What awaits a decision, the oldest first: approve or decline, take back or sign alone, ratify or refuse.
#[utoipa::path(get, path = "/acts/waiting", tag = "acts", responses((status = OK, body = Page<ActOf>)))]
pub async fn waiting(State(app): State<App>, caller: Caller) -> Result<Json<Page<ActOf>>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let read = app.node().read(move |view| {
        let found = use_case::awaiting(view)?;
        let items = found.iter().filter(|row| is_seen(row, &caller)).map(|row| ActOf::of(row, &caller, view.now, None));
        Ok::<_, store::StoreError>(Page::whole(items.collect()))
    });
    Ok(Json(read.await?))
}

fn act_id(number: &str) -> Result<ActId, Refusal> {
    number.parse().map(ActId).map_err(|_| Refusal::not_found())
}

/// One act.
#[utoipa::path(get, path = "/acts/{number}", tag = "acts", params(("number" = i64, Path)), responses(
    (status = OK, body = ActOf),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(State(app): State<App>, caller: Caller, Segment(number): Segment) -> Result<Json<ActOf>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let id = act_id(&number)?;
    let read = app.node().read(move |view| {
        let row = use_case::act(view, id)?;
        if !is_seen(&row, &caller) {
            return Err(use_case::CommitError::Unknown);
        }
        let authority = row.authority.map(|id| use_case::number_of(view, id)).transpose()?.flatten();
        Ok(ActOf::of(&row, &caller, view.now, authority))
    });
    Ok(Json(read.await?))
}

/// Decides about an act. What is approved, or signed alone, is said at once.
#[utoipa::path(post, path = "/acts/{number}/decision", tag = "acts", params(("number" = i64, Path)),
    request_body = DecideAct, responses(
        (status = OK, body = ActOf),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn decide(
    State(app): State<App>,
    caller: Caller,
    Segment(number): Segment,
    key: Key,
    input: Input<DecideAct>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let id = act_id(&number)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let DecideAct { decision, reason } = input.value;
    let command = move |work: &mut Work<'_, '_>| {
        if work.tx.act(id)?.is_none_or(|row| !is_seen(&row, &caller)) {
            return Err(Refusal::not_found());
        }
        let say = |work: &mut Work<'_, '_>, row: &ActRow, body: &[u8], signature: &use_case::Signature| {
            Command::kept(row.act, row.entry.as_deref(), body)?.perform(work, signature)
        };
        let row = if decision == DecisionWord::SignAlone {
            use_case::sign_alone(work, &caller.actor, id, reason.unwrap_or_default(), say)?
        } else {
            use_case::decide(work, &caller.actor, (id, decision.decision()), reason, say)?
        };
        Ok(ActOf::of(&row, &caller, work.now, None))
    };
    idempotency::once(&app, bound, command).await
}

/// Notes that the paper for an agreement that one person signed in an emergency is there.
#[utoipa::path(post, path = "/acts/{number}/paper", tag = "acts", params(("number" = i64, Path)), responses(
    (status = OK, body = ActOf),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn paper(State(app): State<App>, caller: Caller, Segment(number): Segment) -> Result<Json<ActOf>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let id = act_id(&number)?;
    let done = app.write(move |work| {
        if work.tx.act(id)?.is_none_or(|row| !is_seen(&row, &caller)) {
            return Err(Refusal::not_found());
        }
        let row = use_case::paper(work, &caller.actor, id)?;
        Ok(ActOf::of(&row, &caller, work.now, None))
    });
    Ok(Json(done.await?))
}

/// Which acts need a second person.
#[utoipa::path(get, path = "/two-persons", tag = "acts", responses((status = OK, body = TwoPersons)))]
pub async fn rules(State(app): State<App>, caller: Caller) -> Result<Json<TwoPersons>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let acts = app.node().read(|view| use_case::two_persons(view.db)).await?;
    Ok(Json(TwoPersons { acts }))
}

/// Says which acts need a second person from now on. That fewer do waits for a second person itself.
#[utoipa::path(put, path = "/two-persons", tag = "acts", request_body = TwoPersons, responses(
    (status = OK, body = TwoPersonsNow),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn change_rules(
    State(app): State<App>,
    caller: Caller,
    Input { value, .. }: Input<TwoPersons>,
) -> Result<Json<TwoPersonsNow>, Refusal> {
    caller.actor.require(Permission::Authorise)?;
    let done = app.write(move |work| {
        let waits = use_case::change_rules(work, &caller.actor, &value.acts)?;
        let now = TwoPersons { acts: use_case::two_persons(work.tx)? };
        Ok::<_, Refusal>(TwoPersonsNow { now, awaiting: waits.map(|row| row.id.0) })
    });
    Ok(Json(done.await?))
}

/// Standing authorities, the newest first.
#[utoipa::path(get, path = "/authorities", tag = "acts", responses((status = OK, body = Page<AuthorityOf>)))]
pub async fn authorities(State(app): State<App>, caller: Caller) -> Result<Json<Page<AuthorityOf>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let read = app.node().read(|view| {
        let rows = use_case::granted(view)?;
        Ok::<_, store::StoreError>(Page::whole(rows.iter().map(|row| authority(row, view.now)).collect()))
    });
    Ok(Json(read.await?))
}

fn authority((row, bounds, used): &(AuthorityRow, Bounds, Used), now: Timestamp) -> AuthorityOf {
    AuthorityOf {
        number: row.number.clone(),
        to: row.to.name.clone(),
        by: row.by.name.clone(),
        at: row.at.to_string(),
        until: bounds.until.to_string(),
        state: match (&row.revoked, now >= bounds.until) {
            (Some(_), _) => "revoked",
            (None, true) => "over",
            (None, false) => "in-force",
        },
        acts: bounds.acts.iter().map(|act| act.word()).collect(),
        kinds: bounds.kinds.iter().map(|kind| kind.word()).collect(),
        quantity: bounds.quantity,
        used: used.quantity,
        cost_cents: bounds.cost_cents,
        used_cents: used.cost_cents,
        reason: row.reason.clone(),
        revoked_by: row.revoked.as_ref().map(|(_, by)| by.clone()),
    }
}

/// The number of an authority.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorityNumber {
    /// `SA-2026-001`.
    pub number: String,
}

/// Lets somebody act alone, within bounds, until a time. Nobody lets themselves.
#[utoipa::path(post, path = "/authorities", tag = "acts", request_body = NewAuthority, responses(
    (status = OK, body = AuthorityNumber),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn grant(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Input { value, bytes }: Input<NewAuthority>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Authorise)?;
    let bound = key.bind(&caller.actor.login, &bytes);
    let NewAuthority { login, acts, kinds, quantity, cost_cents, until, reason } = value;
    let grant = Grant { login, bounds: Bounds { acts, kinds, quantity, cost_cents, until }, reason };
    let command =
        move |work: &mut Work<'_, '_>| Ok(AuthorityNumber { number: use_case::grant(work, &caller.actor, &grant)? });
    idempotency::once(&app, bound, command).await
}

/// Takes an authority back. What was done under it stands.
#[utoipa::path(delete, path = "/authorities/{number}", tag = "acts", params(("number" = String, Path)), responses(
    (status = NO_CONTENT),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn revoke(State(app): State<App>, caller: Caller, Segment(number): Segment) -> Result<StatusCode, Refusal> {
    caller.actor.require(Permission::Authorise)?;
    app.write(move |work| Ok(use_case::revoke(work, &caller.actor, &number)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_person_sees_every_field_that_is_said() {
        let shown = says(br#"{"lines":[{"line":1,"kind":"forensics"}],"terms":null,"emergency":false,"name":"x"}"#);
        let text: Vec<String> = shown.iter().map(|one| format!("{}={}", one.field, one.value)).collect();
        assert_eq!(text, ["emergency=false", "lines.1.kind=forensics", "lines.1.line=1", "name=x"]);
        assert_eq!(says(b"nonsense"), []);
    }

    #[test]
    fn decisions_have_one_word_each() {
        for (one, decision, word) in DecisionWord::ALL {
            assert_eq!((DecisionWord::of_word(word), one.decision()), (Some(one), decision));
            assert_eq!(serde_json::from_value::<DecisionWord>(serde_json::json!(word)).unwrap(), one);
        }
        assert_eq!(DecisionWord::of_word("perhaps"), None);
    }
}
