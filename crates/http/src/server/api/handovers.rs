//! `/handovers`: from one shift to the next, item by item, until whoever comes has ticked all of them.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::Timestamp;
use node::handover::{self as use_case, HandoverError, Item};
use node::query::assist as cases;
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use store::{HandoverId, HandoverRow};
use utoipa::ToSchema;

use super::App;
use super::acts;
use super::assistance::CaseRow;
use super::idempotency::{self, Key};
use super::limits;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment};
use crate::server::session::Caller;

/// One open item.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemOf {
    /// What it is about: `FR:12`. What that says is not copied: whoever may see it opens it.
    #[serde(default)]
    pub entry: Option<String>,
    /// What is to be done next.
    pub next: String,
    /// Who does it, if not whoever takes over.
    #[serde(default)]
    pub owner: Option<String>,
    /// By when (RFC 3339).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub due: Option<Timestamp>,
    /// What was promised by telephone.
    #[serde(default)]
    pub promised: Option<String>,
}

/// A handover to give.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveHandover {
    /// What is open; `GET /handovers/draft` proposes it.
    #[serde(default)]
    pub items: Vec<ItemOf>,
    /// What was done, and what else is to be known.
    #[serde(default)]
    pub note: String,
}

/// Taking over.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeHandover {
    /// The numbers of the items that were gone through: all of them, from 1.
    #[serde(default)]
    pub ticked: BTreeSet<usize>,
    /// The digest of the handover that was looked at.
    pub digest: String,
}

/// A handover.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandoverOf {
    /// Its number.
    pub number: i64,
    /// `given`: whoever gave it is still on duty; `taken`.
    pub state: &'static str,
    /// Who gave it.
    pub by: String,
    /// When.
    pub at: String,
    /// Item by item, numbered from 1.
    pub items: Vec<ItemOf>,
    /// What was done, and what else is to be known.
    pub note: String,
    /// What both sign: SHA-256 over who gave it, when, and every word of it.
    pub digest: String,
    /// Who took it.
    pub taken_by: Option<String>,
    /// When.
    pub taken: Option<String>,
    /// May the caller take it?
    pub may_take: bool,
}

impl HandoverOf {
    fn of(row: &HandoverRow, caller: &Caller) -> Result<Self, store::StoreError> {
        let items = use_case::items(row)?.into_iter().map(|item| ItemOf {
            entry: item.entry,
            next: item.next,
            owner: item.owner,
            due: item.due,
            promised: item.promised,
        });
        let other = caller.actor.person.is_some_and(|person| person != row.by.person);
        Ok(Self {
            number: row.id.0,
            state: if row.taken.is_some() { "taken" } else { "given" },
            by: row.by.name.clone(),
            at: row.at.to_string(),
            items: items.collect(),
            note: row.note.clone(),
            digest: use_case::digest(row),
            taken_by: row.taken.as_ref().map(|(by, _)| by.name.clone()),
            taken: row.taken.as_ref().map(|(_, at)| at.to_string()),
            may_take: row.taken.is_none() && other && caller.actor.require(Permission::TakeIn).is_ok(),
        })
    }
}

fn item(told: ItemOf) -> Item {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let (entry, owner, promised) = (given(told.entry), given(told.owner), given(told.promised));
    Item { entry, next: told.next, owner, due: told.due, promised }
}

/// The handovers of one's own desk, the newest first.
#[utoipa::path(get, path = "/handovers", tag = "people", responses((status = OK, body = Page<HandoverOf>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<HandoverOf>>, Refusal> {
    caller.actor.require(Permission::TakeIn)?;
    let read = app.node().read(move |view| {
        let rows = use_case::list(view, &caller.actor, limits::HANDOVERS)?;
        let items = rows.iter().map(|row| HandoverOf::of(row, &caller)).collect::<Result<_, store::StoreError>>()?;
        Ok::<_, store::StoreError>(Page::whole(items))
    });
    Ok(Json(read.await?))
}

/// What a handover would say now: every open case with what is ours to do next, and every act that waits.
#[utoipa::path(get, path = "/handovers/draft", tag = "people", responses((status = OK, body = Page<ItemOf>)))]
pub async fn draft(State(app): State<App>, caller: Caller) -> Result<Json<Page<ItemOf>>, Refusal> {
    caller.actor.require(Permission::TakeIn)?;
    let who = caller.clone();
    let rows = app.node().read(move |view| {
        let viewer = who.actor.viewer(&view.me.origin);
        let (cases, _) = cases::page(view, &viewer, None, limits::HANDOVERS)?;
        let (here, now) = (&view.me.origin, view.now);
        let rows = cases.into_iter().map(|case| CaseRow::of(&case.into_inner(), here, now));
        Ok::<_, store::StoreError>(rows.collect::<Vec<_>>())
    });
    let mut items: Vec<ItemOf> = rows.await?.iter().filter_map(open).collect();
    if caller.actor.require(Permission::Speak).is_ok() {
        let Json(waiting) = acts::waiting(State(app), caller).await?;
        items.extend(waiting.items.iter().map(|act| ItemOf {
            entry: act.entry.clone(),
            next: format!("act {} ({}) is {}: {}", act.number, act.act, act.state, act.may.join(", ")),
            owner: None,
            due: act.ratify_by.clone().unwrap_or_else(|| act.expires.clone()).parse().ok(),
            promised: None,
        }));
    }
    Ok(Json(Page::whole(items)))
}

/// An open case as an item: its number and steps, and nothing of what it says.
fn open(case: &CaseRow) -> Option<ItemOf> {
    let is_open = matches!(case.state, "open" | "anticipated");
    let steps: Vec<String> = case.next.iter().map(|next| format!("{} {}", next.step, next.entry)).collect();
    if !is_open && steps.is_empty() {
        return None;
    }
    let next = if steps.is_empty() { "watch it".to_owned() } else { steps.join("; ") };
    let next = format!("{}, {}: {next}", case.number, case.state);
    Some(ItemOf { entry: Some(case.entry.clone()), next, owner: None, due: case.by_when.parse().ok(), promised: None })
}

/// Gives a handover: until somebody has taken it, whoever gives it stays on duty.
#[utoipa::path(post, path = "/handovers", tag = "people", request_body = GiveHandover, responses(
    (status = OK, body = HandoverOf),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn give(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Input { value, bytes }: Input<GiveHandover>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::TakeIn)?;
    let bound = key.bind(&caller.actor.login, &bytes);
    let items = value.items.into_iter().map(item).collect::<Vec<_>>();
    let command = move |work: &mut Work<'_, '_>| {
        let row = use_case::give(work, &caller.actor, &items, &value.note)?;
        Ok(HandoverOf::of(&row, &caller)?)
    };
    idempotency::once(&app, bound, command).await
}

/// Takes over, with every item ticked.
#[utoipa::path(post, path = "/handovers/{number}/take", tag = "people", params(("number" = i64, Path)),
    request_body = TakeHandover, responses(
        (status = OK, body = HandoverOf),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn take(
    State(app): State<App>,
    caller: Caller,
    Segment(number): Segment,
    key: Key,
    Input { value, bytes }: Input<TakeHandover>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::TakeIn)?;
    let id = HandoverId(number.parse().map_err(|_| Refusal::not_found())?);
    let bound = key.bind(&caller.actor.login, &bytes);
    let command = move |work: &mut Work<'_, '_>| {
        let row = use_case::take(work, &caller.actor, id, &value.ticked, &value.digest)?;
        Ok(HandoverOf::of(&row, &caller)?)
    };
    idempotency::once(&app, bound, command).await
}

impl From<HandoverError> for Refusal {
    fn from(error: HandoverError) -> Self {
        let slug = "handover";
        match error {
            HandoverError::Store(error) => error.into(),
            HandoverError::Unknown => Self::not_found(),
            HandoverError::NotAPerson | HandoverError::Own => {
                Self::kind(StatusCode::CONFLICT, slug, "Two persons hand over", &error)
            }
            HandoverError::Taken | HandoverError::Changed => {
                Self::kind(StatusCode::CONFLICT, slug, "It can't be taken", &error)
            }
            HandoverError::Field(_) | HandoverError::Unticked(_) => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, slug, "A field is out of its range", &error)
            }
        }
    }
}
