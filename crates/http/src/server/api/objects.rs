//! `/objects`: what nations have said and what this viewer may see of it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use model::{Country, EntryRef, Label, Lane, MediaType, StixId, Walled};
use node::Permission;
use node::View;
use node::query::entries;
use node::query::objects::{self as query, ObjectDetail, ObjectError};
use policy::{Purpose, Released, Viewer};
use render::Rendered;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Face, ObjectFilter, ObjectState, StatementId};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::disclosures::Disclosed;
use super::ledger;
use super::pointers::Call;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Page, Params, Segment, after, rows};
use super::status::lane_word;
use crate::server::session::Caller;

/// One statement about an object.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Statement {
    /// How a person names the statement: `FR:12`.
    pub entry: String,
    /// Whose log it stands in.
    pub origin: String,
    /// Where in that log.
    pub index: u64,
    /// The object's id; of a MISP event `x-misp-event--uuid`.
    pub stix_id: String,
    /// The object's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The object's own version: `modified`, else `created`, else 1970.
    pub version: String,
    /// What the bytes are.
    pub media: String,
    /// `clear`, `green`, `amber`, `amber+strict` or `red`.
    pub tlp: String,
    /// `clear`, `green`, `amber` or `red`.
    pub pap: Option<String>,
    /// `voluntary`, `help`, `evidence` or `finding`, if it stands behind the wall.
    pub wall: Option<&'static str>,
    /// The object's name for people.
    pub title: Option<String>,
    /// `live`, `withdrawn` or `erased`.
    pub state: &'static str,
    /// Has its maker revoked it?
    pub revoked: bool,
    /// Does its owner no longer stand by it, because somebody else said it with stolen keys? It is used for nothing.
    pub repudiated: bool,
    /// `workflow` or `intelligence`.
    pub lane: &'static str,
    /// The audience's id.
    pub audience: String,
    /// The thread: the versions of one thing.
    pub thread: String,
    /// The how-manieth version of the thread, from 0.
    pub thread_version: u32,
    /// What the log commits to.
    pub commitment: String,
    /// When it reached this node.
    pub arrived: String,
}

/// One statement whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Detail {
    /// The statement; for a STIX id, the newest version that the viewer may see.
    pub object: Statement,
    /// All statements about the same id that the viewer may see, newest version first.
    pub statements: Vec<Statement>,
    /// The bytes as they came; `null` if it was withdrawn or erased.
    #[schema(value_type = Option<serde_json::Value>)]
    pub body: Option<Box<RawValue>>,
    /// Which witnesses cosigned the first checkpoint that covers it; `null` while too few have, or none is known.
    pub witnessed: Option<Vec<Cosignature>>,
    /// To whom we said it; only for our own.
    pub members: Vec<String>,
    /// Who has answered a withdrawal; only for our own.
    pub receipts: Vec<Receipt>,
    /// Of a pointer to a classified annex: whom to call.
    pub call: Option<Call>,
    /// By which acts supervising desks see it behind the wall.
    pub disclosed: Vec<Disclosed>,
    /// Of a MISP event that its owner said in parts, one per label: the other parts that the viewer may see.
    pub parts: Vec<Statement>,
    /// The same event put together from the parts that the viewer may see; `null` without others.
    #[schema(value_type = Option<serde_json::Value>)]
    pub joined: Option<Box<RawValue>>,
}

/// A witness's word that the statement existed no later than a time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cosignature {
    /// The witness's log.
    pub by: String,
    /// The time by the witness's clock.
    pub at: String,
}

/// A partner's answer to a withdrawal.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipt {
    /// Who answers.
    pub partner: String,
    /// Is the body erased too?
    pub erased: bool,
    /// How many exports had carried it out of the partner's node; `null` if it does not count them.
    pub exports: Option<u32>,
    /// How many of those can't be recalled.
    pub not_recalled: Option<u32>,
    /// Does the law of its place keep the body sealed, though it was to be erased?
    pub held: bool,
    /// The answer's own entry.
    pub entry: Option<String>,
}

/// Which objects.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Whose: two letters.
    pub country: Option<String>,
    /// Of which STIX type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Part of the name or the id.
    pub q: Option<String>,
    /// `live`, `withdrawn` or `erased`.
    pub state: Option<String>,
    /// `intelligence` (what is said of the world) or `workflow` (what is said about sharing).
    pub lane: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows of the page: 1 to 1,000, else 100.
    pub limit: Option<usize>,
}

/// Objects that the viewer may see, newest first. A page may be short: what is not for the viewer is left out.
#[utoipa::path(get, path = "/objects", tag = "objects", params(Filter), responses(
    (status = OK, body = Page<Statement>),
    (status = BAD_REQUEST, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<Statement>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let place = after(filter.after.as_deref())?.map(|id| StatementId(i64::try_from(id).unwrap_or(i64::MAX)));
    let limit = rows(filter.limit)?;
    let country = filter.country.as_deref().map(str::parse::<Country>).transpose().map_err(Refusal::unreadable)?;
    let state = filter.state.as_deref().map(state_of).transpose()?;
    let lane = filter.lane.as_deref().map(lane_of).transpose()?;
    let (kind, text) = (filter.kind, filter.q.filter(|text| !text.is_empty()));
    let viewer = caller.viewer(&app);
    let read = move |view: &View<'_, '_>| {
        let log = country.map(|country| entries::log_of(view, country)).transpose()?;
        let wanted = ObjectFilter { log, type_name: kind, text, state, lane };
        Ok::<_, ObjectError>(query::page(view, &viewer, &wanted, place, limit)?)
    };
    let (page, next) = match app.node().read(read).await {
        Ok(found) => found,
        // A country of which we hold no log has said nothing to us.
        Err(ObjectError::NotFound) => return Ok(Json(Page::whole(Vec::new()))),
        Err(error) => return Err(error.into()),
    };
    let released = page.map(|objects| objects.iter().map(object).collect());
    Ok(Json(Page { items: released.into_inner(), next: next.map(|id| id.0.to_string()) }))
}

fn state_of(word: &str) -> Result<ObjectState, Refusal> {
    [ObjectState::Live, ObjectState::Withdrawn, ObjectState::Erased]
        .into_iter()
        .find(|state| state_word(*state) == word)
        .ok_or_else(|| {
            let shown: String = word.chars().take(40).collect();
            Refusal::unreadable(format!("`{shown}` is not a state: write live, withdrawn or erased"))
        })
}

fn lane_of(word: &str) -> Result<Lane, Refusal> {
    Lane::ALL.into_iter().find(|lane| lane_word(*lane) == word).ok_or_else(|| {
        let shown: String = word.chars().take(40).collect();
        Refusal::unreadable(format!("`{shown}` is not a lane: write intelligence or workflow"))
    })
}

const fn state_word(state: ObjectState) -> &'static str {
    match state {
        ObjectState::Live => "live",
        ObjectState::Withdrawn => "withdrawn",
        ObjectState::Erased => "erased",
    }
}

/// What is to become of the body.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// It leaves the node: the ledger notes an export, not a reading. Of a caller with a token that is always so.
    #[serde(default)]
    pub export: bool,
}

/// One statement whole, by its entry (`FR:12`) or by its object's STIX id. The ledger notes who was given the body.
#[utoipa::path(get, path = "/objects/{id}", tag = "objects", params(("id" = String, Path), Wanted), responses(
    (status = OK, body = Detail),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    Params(Wanted { export }): Params<Wanted>,
) -> Result<Json<Detail>, Refusal> {
    let face = ledger::face_of(&caller, export);
    Ok(Json(given(&app, &caller, &id, face).await?))
}

/// One statement whole, with its body noted in the ledger.
pub(in crate::server) async fn given(app: &App, caller: &Caller, id: &str, face: Face) -> Result<Detail, Refusal> {
    let (statements, released) = read(app, caller, id).await?;
    if released.as_ref().body.is_some() {
        for statement in statements {
            ledger::note(app, caller, statement, face).await?;
        }
    }
    Ok(released.into_inner())
}

/// One statement whole, for a page that does not show the body.
pub(in crate::server) async fn without_body(app: &App, caller: &Caller, id: &str) -> Result<Detail, Refusal> {
    let (_, released) = read(app, caller, id).await?;
    Ok(released.map(|detail| Detail { body: None, joined: None, ..detail }).into_inner())
}

async fn read(app: &App, caller: &Caller, id: &str) -> Result<(Vec<StatementId>, Released<Detail>), Refusal> {
    caller.actor.require(Permission::Read)?;
    let name = Name::parse(id)?;
    let viewer = caller.viewer(app);
    Ok(app.node().read(move |view| whole(view, &viewer, &name)).await?)
}

/// One statement whole, and every statement whose body is in the answer.
fn whole(
    view: &View<'_, '_>,
    viewer: &Viewer,
    name: &Name,
) -> Result<(Vec<StatementId>, Released<Detail>), ObjectError> {
    let statement = name.statement(view, viewer)?;
    let detail = query::detail(view, viewer, statement, Purpose::Read)?;
    let statements = query::by_id(view, viewer, &detail.as_ref().object.row.stix_id)?.into_inner();
    let row = &detail.as_ref().object.row;
    let witnessed = node::query::witnesses::of_entry(view, row.log, row.index)?.map(|lines| {
        let line = |(by, at): (model::Origin, model::Timestamp)| Cosignature { by: by.to_string(), at: at.to_string() };
        lines.into_iter().map(line).collect()
    });
    let mut receipts = Vec::new();
    for (origin, row) in &detail.as_ref().receipts {
        let entry = view.db.statement(row.statement)?.map(|answer| EntryRef::of(origin, answer.index).to_string());
        receipts.push(Receipt {
            partner: origin.to_string(),
            erased: row.erased,
            exports: row.exports,
            not_recalled: row.not_recalled,
            held: row.held,
            entry,
        });
    }
    let mut given = vec![statement];
    given.extend(detail.as_ref().parts.iter().map(|part| part.row.statement));
    let detail = detail.map(|detail| Detail {
        call: detail.body.as_deref().and_then(Call::of_body),
        object: object(&detail.object),
        statements: statements.iter().map(object).collect(),
        body: detail.body.and_then(raw),
        witnessed,
        members: detail.members.iter().map(ToString::to_string).collect(),
        receipts,
        disclosed: detail.disclosed.into_iter().map(Disclosed::from).collect(),
        parts: detail.parts.iter().map(object).collect(),
        joined: detail.joined.and_then(raw),
    });
    Ok((given, detail))
}

/// Bytes that were checked to be one JSON value when they came, embedded as they are.
fn raw(bytes: Vec<u8>) -> Option<Box<RawValue>> {
    String::from_utf8(bytes).ok().and_then(|text| RawValue::from_string(text).ok())
}

/// The bytes of one statement with the envelope's marking, as they leave the node. The header `Entraide-Entry` names
/// the statement.
#[utoipa::path(get, path = "/objects/{id}/content", tag = "objects", params(("id" = String, Path)), responses(
    (status = OK, content(
        (serde_json::Value = "application/stix+json;version=2.1"),
        (serde_json::Value = "application/vnd.entraide.misp-event+json"),
    )),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn content(State(app): State<App>, caller: Caller, Segment(id): Segment) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Read)?;
    let name = Name::parse(&id)?;
    let viewer = caller.viewer(&app);
    let released = app
        .node()
        .read(move |view| {
            let statement = name.statement(view, &viewer)?;
            query::detail(view, &viewer, statement, Purpose::Export)
        })
        .await?;
    let entry = entry_of(&released.as_ref().object);
    let row = &released.as_ref().object.row;
    let (media, statement) = (row.media, row.statement);
    let bytes = marked(released)?;
    ledger::note(&app, &caller, statement, Face::Content).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media.as_str())),
        (HeaderName::from_static("entraide-entry"), HeaderValue::try_from(entry).map_err(Refusal::unreadable)?),
    ];
    Ok((headers, bytes).into_response())
}

/// The bytes with the envelope's marking, by `render`: the last line at which they are `Released`.
fn marked(released: Released<ObjectDetail>) -> Result<Vec<u8>, Refusal> {
    if released.as_ref().body.is_none() {
        return Err(Refusal::not_found());
    }
    let media = released.as_ref().object.row.media;
    let rendered = released.map(|detail| Rendered {
        realm: detail.object.origin.realm().clone(),
        label: Label { tlp: detail.object.row.tlp, pap: detail.object.row.pap },
        media,
        body: detail.body.unwrap_or_default(),
    });
    let bytes = match media {
        MediaType::Stix => render::stix::object(&rendered),
        MediaType::MispEvent => render::misp::event(&rendered),
    };
    bytes.map_err(|error| {
        Refusal::kind(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "marking", "It can't be marked", &error)
    })
}

/// How a caller names a statement.
#[derive(Debug, Clone)]
pub(super) enum Name {
    Entry(EntryRef),
    Id(StixId),
}

impl Name {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.contains("--") {
            text.parse().map(Self::Id).map_err(Refusal::unreadable)
        } else {
            text.parse().map(Self::Entry).map_err(Refusal::unreadable)
        }
    }

    /// The statement that is meant; of a STIX id, the newest version that the viewer may see.
    pub(super) fn statement(&self, view: &View<'_, '_>, viewer: &Viewer) -> Result<StatementId, ObjectError> {
        match self {
            Self::Entry(name) => Ok(entries::statement_of(view, *name)?.id),
            Self::Id(id) => {
                let visible = query::by_id(view, viewer, id)?;
                visible.as_ref().first().map(|object| object.row.statement).ok_or(ObjectError::NotFound)
            }
        }
    }
}

fn entry_of(object: &query::Object) -> String {
    EntryRef::of(&object.origin, object.row.index).to_string()
}

/// A statement in the API's shape.
pub(super) fn object(object: &query::Object) -> Statement {
    let row = &object.row;
    Statement {
        entry: entry_of(object),
        origin: object.origin.to_string(),
        index: row.index.0,
        stix_id: row.stix_id.to_string(),
        kind: row.stix_id.type_name().to_owned(),
        version: row.version.0.to_string(),
        media: row.media.as_str().to_owned(),
        tlp: row.tlp.word().to_ascii_lowercase(),
        pap: row.pap.map(|pap| pap.word().to_ascii_lowercase()),
        wall: row.walled.map(Walled::word),
        title: row.title.clone(),
        state: state_word(row.state),
        revoked: row.revoked,
        repudiated: object.is_repudiated(),
        lane: lane_word(row.lane),
        audience: row.audience.to_string(),
        thread: row.thread.to_string(),
        thread_version: row.thread_version,
        commitment: row.commitment.to_string(),
        arrived: object.arrived.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_named_by_entry_or_id() {
        assert!(matches!(Name::parse("FR:12"), Ok(Name::Entry(_))));
        assert!(matches!(Name::parse("indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2"), Ok(Name::Id(_))));
        for bad in ["", "FR", "fr:1", "FR:-1", "indicator--x", "../.."] {
            assert_eq!(Name::parse(bad).unwrap_err().0.status, 400, "{bad}");
        }
    }

    #[test]
    fn states_are_words() {
        assert!(matches!(state_of("withdrawn"), Ok(ObjectState::Withdrawn)));
        assert_eq!(state_of("gone").unwrap_err().0.status, 400);
    }

    #[test]
    fn bodies_are_embedded_byte_for_byte() {
        let bytes = br#"{ "b":1.50, "a" :"\u00e9" }"#;
        assert_eq!(raw(bytes.to_vec()).unwrap().get().as_bytes(), bytes);
        assert!(raw(b"{".to_vec()).is_none());
    }
}
