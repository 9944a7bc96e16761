//! "Who will see this?": asked before anything is sent, and of what was sent, nation by nation.

use axum::Json;
use axum::extract::State;
use model::Tlp;
use node::audience::Choice;
use node::query::objects::{self, ObjectError};
use node::query::who_sees::{self as query, WhoSees};
use node::{Permission, View};
use policy::{Purpose, Viewer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::objects::Name;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Segment};
use crate::server::session::Caller;

/// A statement that is not made yet.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Planned {
    /// `clear`, `green`, `amber`, `amber+strict` or `red`.
    pub label: String,
    /// The audience's name; without one CLEAR and GREEN go to the ticked communities.
    #[serde(default)]
    pub audience: Option<String>,
}

/// Who sees it, and who does not.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sheet {
    /// The audience's name.
    pub audience: Option<String>,
    /// Partner by partner, with the reason.
    pub partners: Vec<Line>,
    /// Members of the audience that are no active partner now: they get it when they are.
    pub unreachable: Vec<String>,
    /// How many partners will not see it.
    pub left_out: u64,
}

/// One partner's line.
#[derive(Debug, Serialize, ToSchema)]
pub struct Line {
    /// Its country.
    pub country: String,
    /// Its name for people.
    pub name: String,
    /// The name of its log.
    pub origin: String,
    /// Will it see it?
    pub sees: bool,
    /// Why, or why not.
    pub because: String,
}

/// Who sees one of our own statements.
#[utoipa::path(get, path = "/objects/{id}/who-sees", tag = "objects", params(("id" = String, Path)), responses(
    (status = OK, body = Sheet),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn of_object(State(app): State<App>, caller: Caller, Segment(id): Segment) -> Result<Json<Sheet>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name = Name::parse(&id)?;
    let viewer = caller.viewer(&app);
    let (audience, answer) = app.node().read(move |view| of(view, &viewer, &name)).await?;
    Ok(Json(sheet(audience, answer)))
}

fn of(view: &View<'_, '_>, viewer: &Viewer, name: &Name) -> Result<(Option<String>, WhoSees), ObjectError> {
    let statement = match name {
        // Of several nations' statements about one id, ours is the one whose audience we know.
        Name::Id(id) => query::own_statement(view, id)?.ok_or(ObjectError::NotFound)?,
        Name::Entry(_) => name.statement(view, viewer)?,
    };
    // To whom something was said is told to those only who may read it.
    let seen = objects::detail(view, viewer, statement, Purpose::Read)?;
    let row = &seen.as_ref().object.row;
    let audience = view.db.audience(row.log, &row.audience)?.map(|row| row.name);
    let answer = query::of_statement(view, statement)?.ok_or(ObjectError::NotFound)?;
    Ok((audience, answer))
}

/// Who would see a statement with this label to this audience.
#[utoipa::path(post, path = "/who-sees", tag = "objects", request_body = Planned, responses(
    (status = OK, body = Sheet),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn of_choice(State(app): State<App>, caller: Caller, input: Input<Planned>) -> Result<Json<Sheet>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let tlp: Tlp = input.value.label.parse().map_err(Refusal::unreadable)?;
    let choice = input.value.audience.map_or(Choice::Default, Choice::Named);
    let (name, members) = app.write(move |work| Ok(query::of_choice(work, &choice, tlp)?)).await?;
    let answer = app.node().read(move |view| query::of_members(view, members, tlp)).await?;
    let audience = (tlp != Tlp::Red).then_some(name);
    Ok(Json(sheet(audience, answer)))
}

fn sheet(audience: Option<String>, answer: WhoSees) -> Sheet {
    let line = |(name, sees): (String, policy::Sees)| Line {
        country: sees.origin.country().to_string(),
        name,
        origin: sees.origin.to_string(),
        sees: sees.verdict.is_allowed(),
        because: sees.verdict.because().to_string(),
    };
    let partners: Vec<Line> = answer.partners.into_iter().map(line).collect();
    Sheet {
        audience,
        left_out: partners.iter().filter(|line| !line.sees).count() as u64,
        partners,
        unreachable: answer.unreachable.iter().map(ToString::to_string).collect(),
    }
}
