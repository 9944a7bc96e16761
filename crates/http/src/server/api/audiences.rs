//! `/audiences`: to whom we speak, and who speaks to us together with whom.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::EntryRef;
use model::extension::AudienceKind;
use node::audience::{self, AudienceError, Target};
use node::query::audiences::{self as query, Listed};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::origins;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment};
use crate::server::session::Caller;

/// One audience or community, as its owner last said it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Audience {
    /// Its id, as envelopes name it.
    pub audience: String,
    /// Its name for people.
    pub name: String,
    /// `named`, `community`, `union` or `bilateral`.
    pub kind: &'static str,
    /// From 1.
    pub version: u32,
    /// Who is in it, the owner not counted.
    pub members: Vec<Member>,
    /// Do CLEAR and GREEN go to it without being told? Only our own communities.
    pub ticked: bool,
    /// Whose it is.
    pub origin: String,
    /// The statement that says so.
    pub entry: String,
}

/// One member.
#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    /// The name of its log.
    pub origin: String,
    /// Its country.
    pub country: String,
    /// Its name for people, if it is a partner.
    pub name: Option<String>,
}

/// A new audience or community.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewAudience {
    /// Its name: 1 to 200 bytes.
    pub name: String,
    /// `named` or `community`.
    pub kind: MadeByHand,
    /// Countries or whole origins of confirmed partners; `*` is all of them.
    #[serde(default)]
    pub members: Vec<String>,
}

/// The kinds that people make.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MadeByHand {
    /// For a matter.
    Named,
    /// A standing circle.
    Community,
}

/// The members that an audience shall have.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewMembers {
    /// Countries or whole origins of confirmed partners; `*` is all of them.
    pub members: Vec<String>,
}

/// A change of members.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChangeMembers {
    /// Countries or whole origins of confirmed partners; `*` is all of them.
    pub members: Vec<String>,
    /// Send the history to those who join: the number of older statements that a person saw in the preview.
    #[serde(default)]
    pub backfill: Option<u64>,
}

/// What a change would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// Who would be new.
    pub joining: Vec<String>,
    /// Who would no longer be in it.
    pub leaving: Vec<String>,
    /// How many older statements those who join could get.
    pub older: u64,
}

/// Does CLEAR and GREEN go to it without being told?
#[derive(Debug, Deserialize, ToSchema)]
pub struct Tick {
    /// Yes or no.
    pub ticked: bool,
}

/// What was said of an audience.
#[derive(Debug, Serialize, ToSchema)]
pub struct AudienceSaid {
    /// Its id.
    pub audience: String,
    /// Its name.
    pub name: String,
    /// The version that was said.
    pub version: u32,
    /// Who is in it now.
    pub members: Vec<String>,
}

/// Every audience that this node knows: its own, and those of partners in which it is.
#[utoipa::path(get, path = "/audiences", tag = "audiences", responses((status = OK, body = Page<Audience>)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<Audience>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let viewer = caller.viewer(&app);
    let released = app.node().read(move |view| query::all(view, &viewer)).await?;
    let page = released.map(|listed| Page::whole(listed.into_iter().map(audience).collect()));
    Ok(Json(page.into_inner()))
}

/// One own audience, by its name.
#[utoipa::path(get, path = "/audiences/{name}", tag = "audiences", params(("name" = String, Path)), responses(
    (status = OK, body = Audience),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(State(app): State<App>, caller: Caller, Segment(name): Segment) -> Result<Json<Audience>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let viewer = caller.viewer(&app);
    let released = app.node().read(move |view| query::own_by_name(view, &viewer, &name)).await?;
    Ok(Json(released.map(audience).into_inner()))
}

fn audience(listed: Listed) -> Audience {
    let member = |(origin, name): (model::Origin, Option<String>)| Member {
        country: origin.country().to_string(),
        origin: origin.to_string(),
        name,
    };
    Audience {
        audience: listed.row.audience.to_string(),
        kind: kind_word(listed.row.kind),
        version: listed.row.version,
        members: listed.members.into_iter().map(member).collect(),
        ticked: listed.ticked,
        entry: EntryRef::of(&listed.owner, listed.index).to_string(),
        origin: listed.owner.to_string(),
        name: listed.row.name,
    }
}

const fn kind_word(kind: AudienceKind) -> &'static str {
    match kind {
        AudienceKind::Named => "named",
        AudienceKind::Community => "community",
        AudienceKind::Union => "union",
        AudienceKind::Bilateral => "bilateral",
    }
}

/// Makes a named audience or a community, and says so to its members.
#[utoipa::path(post, path = "/audiences", tag = "audiences", request_body = NewAudience, responses(
    (status = OK, body = AudienceSaid),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    input: Input<NewAudience>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManageAudiences)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let NewAudience { name, kind, members } = input.value;
    let kind = match kind {
        MadeByHand::Named => AudienceKind::Named,
        MadeByHand::Community => AudienceKind::Community,
    };
    let command = move |work: &mut Work<'_, '_>| Ok(said(&audience::create(work, &name, kind, &members)?));
    idempotency::once(&app, bound, command).await
}

fn said(target: &Target) -> AudienceSaid {
    AudienceSaid {
        audience: target.at.id.to_string(),
        name: target.name.clone(),
        version: target.at.version,
        members: origins(&target.members),
    }
}

/// What would a change of members do? Shown to a person before anything goes.
#[utoipa::path(post, path = "/audiences/{name}/preview", tag = "audiences", params(("name" = String, Path)),
    request_body = NewMembers, responses(
        (status = OK, body = Preview),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn preview(
    State(app): State<App>,
    caller: Caller,
    Segment(name): Segment,
    input: Input<NewMembers>,
) -> Result<Json<Preview>, Refusal> {
    caller.actor.require(Permission::ManageAudiences)?;
    let members = input.value.members;
    let preview = app.write(move |work| Ok(audience::preview(work, &name, &members)?)).await?;
    let text = |origins: Vec<model::Origin>| origins.iter().map(ToString::to_string).collect();
    Ok(Json(Preview { joining: text(preview.joining), leaving: text(preview.leaving), older: preview.older }))
}

/// Changes the members; with `backfill`, those who join get the history.
#[utoipa::path(put, path = "/audiences/{name}/members", tag = "audiences", params(("name" = String, Path)),
    request_body = ChangeMembers, responses(
        (status = OK, body = AudienceSaid),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Segment(name): Segment,
    key: Key,
    input: Input<ChangeMembers>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManageAudiences)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let ChangeMembers { members, backfill } = input.value;
    let command = move |work: &mut Work<'_, '_>| Ok(said(&audience::change(work, &name, &members, backfill)?));
    idempotency::once(&app, bound, command).await
}

/// Says whether CLEAR and GREEN go to one of our communities without being told.
#[utoipa::path(put, path = "/audiences/{name}/tick", tag = "audiences", params(("name" = String, Path)),
    request_body = Tick, responses(
        (status = OK, body = AudienceSaid),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn tick(
    State(app): State<App>,
    caller: Caller,
    Segment(name): Segment,
    key: Key,
    input: Input<Tick>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManageAudiences)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let ticked = input.value.ticked;
    let command = move |work: &mut Work<'_, '_>| {
        let row = work.tx.audience_by_name(work.me.log, &name)?.ok_or(AudienceError::Unknown(name))?;
        if row.kind != AudienceKind::Community {
            let error =
                format!("`{}` is no community: only communities get CLEAR and GREEN without being told", row.name);
            return Err(Refusal::kind(StatusCode::CONFLICT, "audience", "It can't be ticked", &error));
        }
        work.tx.tick(row.audience, ticked)?;
        Ok(said(&audience::target(work.tx, &row)?))
    };
    idempotency::once(&app, bound, command).await
}

impl From<AudienceError> for Refusal {
    fn from(error: AudienceError) -> Self {
        let status = match error {
            AudienceError::Store(error) => return error.into(),
            AudienceError::Unknown(_)
            | AudienceError::Name(_)
            | AudienceError::Member(_)
            | AudienceError::Ambiguous(_)
            | AudienceError::Size(_)
            | AudienceError::NeedsName(_)
            | AudienceError::RedHasNone
            | AudienceError::NothingTicked => StatusCode::UNPROCESSABLE_ENTITY,
            AudienceError::Taken(_) | AudienceError::Backfill { .. } | AudienceError::NotByHand(_) => {
                StatusCode::CONFLICT
            }
        };
        Self::kind(status, "audience", "The audience does not fit", &error)
    }
}
