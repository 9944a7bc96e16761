//! `/capacities`: what we can lend, for ourselves alone; and the cards by which nations show some of it in bands.

mod shapes;
mod words;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use model::EntryRef;
use model::extension::assistance::Capacity as Said;
use node::assist::{self, capacity as use_case};
use node::query::capacities as query;
use node::query::objects::ObjectError;
use node::{Permission, Work};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

pub use shapes::{Capacity, CapacityRow, CardRow};
pub use words::{ChangeCapacity, NewCapacity, Publish};

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment};
use crate::server::session::Caller;

/// A capacity that was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kept {
    /// Its entry in our log, which nobody else can open.
    pub entry: String,
}

/// A card that was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardSaid {
    /// Its entry in our log: withdraw it by this name.
    pub entry: String,
    /// What it says: `forensics, small, 24 h`.
    pub words: String,
}

/// Our capacities, with what is promised of them.
#[utoipa::path(get, path = "/capacities", tag = "assistance", responses((status = OK, body = Page<CapacityRow>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<CapacityRow>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let (own, cards) = query::own(view, &viewer)?.with(query::cards(view, &viewer)?).into_inner();
        let rows = own.pool.capacities.iter().map(|one| CapacityRow::of(one, &cards, &view.me.origin, view.now));
        Ok::<_, StoreError>(Page::whole(rows.collect()))
    });
    Ok(Json(made.await?))
}

/// The cards that partners and we have published and not withdrawn.
#[utoipa::path(get, path = "/capacities/cards", tag = "assistance", responses((status = OK, body = Page<CardRow>)))]
pub async fn cards(State(app): State<App>, caller: Caller) -> Result<Json<Page<CardRow>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let cards = query::cards(view, &viewer)?.into_inner();
        Ok::<_, StoreError>(Page::whole(cards.iter().map(CardRow::of).collect()))
    });
    Ok(Json(made.await?))
}

/// One of our capacities, with its calendar, what is promised of it, and what its card would say.
#[utoipa::path(get, path = "/capacities/{entry}", tag = "assistance", params(("entry" = String, Path)), responses(
    (status = OK, body = Capacity),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(State(app): State<App>, caller: Caller, Segment(entry): Segment) -> Result<Json<Capacity>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let made = app.node().read(move |view| {
        let viewer = caller.actor.viewer(&view.me.origin);
        let found = query::one(view, &viewer, name)?.with(query::cards(view, &viewer)?);
        let ((own, place), cards) = found.into_inner();
        let known = own.named(&place).ok_or(ObjectError::NotFound)?;
        Ok::<_, ObjectError>(Capacity::of(known, &cards, &view.me.origin, view.now))
    });
    Ok(Json(made.await?))
}

/// Keeps a capacity: a statement to ourselves alone, that nobody else can open.
#[utoipa::path(post, path = "/capacities", tag = "assistance", request_body = NewCapacity, responses(
    (status = OK, body = Kept),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    input: Input<NewCapacity>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let new = input.value;
    let command = move |work: &mut Work<'_, '_>| {
        let appended = use_case::add(work, |common| new.read(common))?;
        Ok(Kept { entry: EntryRef::of(&work.me.origin, appended.index).to_string() })
    };
    idempotency::once(&app, bound, command).await
}

/// Keeps a new version of a capacity: more or fewer, another calendar, stood down or back. It is refused while more is
/// promised than it would have.
#[utoipa::path(post, path = "/capacities/{entry}/versions", tag = "assistance", params(("entry" = String, Path)),
    request_body = ChangeCapacity, responses(
        (status = OK, body = Kept),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn amend(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<ChangeCapacity>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let change = input.value;
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let appended = use_case::amend(work, &place, |capacity: &mut Said| change.apply(capacity))?;
        Ok(Kept { entry: EntryRef::of(&work.me.origin, appended.index).to_string() })
    };
    idempotency::once(&app, bound, command).await
}

/// Publishes a capacity in bands to an audience that we choose. Ask `POST /who-sees` first; `DELETE` nothing: withdraw the
/// card like any other statement.
#[utoipa::path(post, path = "/capacities/{entry}/publish", tag = "assistance", params(("entry" = String, Path)),
    request_body = Publish, responses(
        (status = OK, body = CardSaid),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Publish>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let with_languages = input.value.languages;
    let (tlp, choice) = input.value.read()?;
    let command = move |work: &mut Work<'_, '_>| {
        let place = assist::place_of(work, name)?;
        let (appended, card) = use_case::publish(work, &place, with_languages, tlp, &choice)?;
        let entry = EntryRef::of(&work.me.origin, appended.index).to_string();
        Ok(CardSaid { entry, words: card.words() })
    };
    idempotency::once(&app, bound, command).await
}
