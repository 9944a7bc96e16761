//! `/exports`: many objects at once, for one purpose. An export is a file in somebody's hands; a named list is pulled by its
//! detector again and again, so that the next pull no longer holds what was withdrawn.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{EntryRef, Label, MediaType, StixId, Tlp};
use node::Permission;
use node::export_list::{self, ListError};
use node::query::exports::{self as query, Exported};
use policy::Released;
use render::Rendered;
use render::csv::Listed;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{ExportPurpose, Face, ListRow, StatementId};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::idempotency::{self, Key};
use super::ledger;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Params, Segment, after, rows};
use crate::server::session::Caller;

/// Where the next page goes on, in its header.
const NEXT: HeaderName = HeaderName::from_static("entraide-next");
/// How often what the list is for was changed.
const VERSION: HeaderName = HeaderName::from_static("entraide-list-version");
/// How many objects of the page can't carry their marking, and stayed.
const LEFT_OUT: HeaderName = HeaderName::from_static("entraide-left-out");

/// What to export.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `read`, `detect` or `block`: PAP limits detection and blocking.
    #[serde(rename = "for")]
    pub purpose: String,
    /// The strictest label in it: `clear`, `green`, `amber` or `amber+strict`; else `amber+strict`.
    pub label: Option<String>,
    /// `stix` (a bundle), `misp` (events) or `csv`; else `stix`. Nothing is converted: STIX has the STIX objects, MISP the
    /// MISP events, CSV a line for each value of both.
    pub format: Option<String>,
    /// The header `Entraide-Next` of the page before.
    pub after: Option<String>,
    /// Objects that are looked at for the page: 1 to 1,000, else 100.
    pub limit: Option<usize>,
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Pull {
    /// `stix`, `misp` or `csv`; else `csv`.
    pub format: Option<String>,
    /// The header `Entraide-Next` of the page before.
    pub after: Option<String>,
    /// Objects that are looked at for the page: 1 to 1,000, else 100.
    pub limit: Option<usize>,
}

/// What a list is for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewList {
    /// `read`, `detect` or `block`.
    #[serde(rename = "for")]
    pub purpose: String,
    /// The strictest label in it; else `amber+strict`.
    #[serde(default)]
    pub label: Option<String>,
}

/// One list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List {
    /// Its name.
    pub name: String,
    /// How often what it is for was changed, from 1.
    pub version: u32,
    /// `read`, `detect` or `block`.
    #[serde(rename = "for")]
    pub purpose: &'static str,
    /// The strictest label in it.
    pub label: String,
    /// When it was last changed.
    pub at: String,
    /// By whom.
    pub by: String,
}

impl From<ListRow> for List {
    fn from(row: ListRow) -> Self {
        Self {
            name: row.name,
            version: row.version,
            purpose: row.purpose.word(),
            label: row.strictest.word().to_ascii_lowercase(),
            at: row.at.to_string(),
            by: row.who,
        }
    }
}

/// The shapes in which an export leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Stix,
    Misp,
    Csv,
}

impl Format {
    fn parse(word: Option<&str>, otherwise: Self) -> Result<Self, Refusal> {
        match word {
            None | Some("") => Ok(otherwise),
            Some("stix") => Ok(Self::Stix),
            Some("misp") => Ok(Self::Misp),
            Some("csv") => Ok(Self::Csv),
            Some(other) => {
                let shown: String = other.chars().take(40).collect();
                Err(Refusal::unreadable(format!("`{shown}` is not a format: write stix, misp or csv")))
            }
        }
    }

    /// The shape in the log that it has room for.
    const fn media(self) -> Option<MediaType> {
        match self {
            Self::Stix => Some(MediaType::Stix),
            Self::Misp => Some(MediaType::MispEvent),
            Self::Csv => None,
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Stix => "application/stix+json;version=2.1",
            Self::Misp => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// A page of an export, newest first: a file in somebody's hands, which nobody calls back. The header `Entraide-Next` says
/// where the next page goes on; without it the export is complete.
#[utoipa::path(get, path = "/exports", tag = "exports", params(Wanted), responses(
    (status = OK, content(
        (serde_json::Value = "application/stix+json;version=2.1"), (serde_json::Value = "application/json"),
        (String = "text/csv"),
    )),
    (status = BAD_REQUEST, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn export(
    State(app): State<App>,
    caller: Caller,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Read)?;
    let format = Format::parse(wanted.format.as_deref(), Format::Stix)?;
    let wanted = query::Wanted {
        purpose: purpose_of(&wanted.purpose)?,
        media: format.media(),
        strictest: strictest_of(wanted.label.as_deref())?,
        after: place(wanted.after.as_deref())?,
        limit: rows(wanted.limit)?,
    };
    let who = caller.actor.login.clone();
    page(&app, &caller, wanted, format, (who, Face::Export)).await
}

/// Every list, by name.
#[utoipa::path(get, path = "/exports/lists", tag = "exports", responses((status = OK, body = Page<List>)))]
pub async fn lists(State(app): State<App>, caller: Caller) -> Result<Json<Page<List>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let found = app.node().read(|view| view.db.export_lists()).await?;
    Ok(Json(Page::whole(found.into_iter().map(List::from).collect())))
}

/// Makes a list, or changes what it is for.
#[utoipa::path(put, path = "/exports/lists/{name}", tag = "exports", params(("name" = String, Path)),
    request_body = NewList, responses(
        (status = OK, body = List),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Segment(name): Segment,
    key: Key,
    input: Input<NewList>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::TakeIn)?;
    let purpose = purpose_of(&input.value.purpose)?;
    let strictest = strictest_of(input.value.label.as_deref())?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let actor = caller.actor;
    let command =
        move |work: &mut node::Work<'_, '_>| Ok(List::from(export_list::put(work, &actor, &name, purpose, strictest)?));
    idempotency::once(&app, bound, command).await
}

/// A page of a list as it stands now: what was withdrawn is in no page any more, so whoever pulls it all has called it
/// back. With `If-None-Match`, a page that has not changed is `304`.
#[utoipa::path(get, path = "/exports/lists/{name}", tag = "exports", params(("name" = String, Path), Pull), responses(
    (status = OK, content(
        (serde_json::Value = "application/stix+json;version=2.1"), (serde_json::Value = "application/json"),
        (String = "text/csv"),
    )),
    (status = NOT_MODIFIED),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn pull(
    State(app): State<App>,
    caller: Caller,
    Segment(name): Segment,
    Params(wanted): Params<Pull>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Read)?;
    let format = Format::parse(wanted.format.as_deref(), Format::Csv)?;
    let (place, limit) = (place(wanted.after.as_deref())?, rows(wanted.limit)?);
    let list = app.node().read(move |view| view.db.export_list(&name)).await?.ok_or_else(Refusal::not_found)?;
    let wanted =
        query::Wanted { purpose: list.purpose, media: format.media(), strictest: list.strictest, after: place, limit };
    let who = format!("{}, list {}", caller.actor.login, list.name);
    let mut answer = page(&app, &caller, wanted, format, (who, Face::List)).await?;
    answer.headers_mut().insert(VERSION, HeaderValue::from(list.version));
    let same = |known: &HeaderValue| Some(known) == answer.headers().get(header::ETAG);
    if headers.get(header::IF_NONE_MATCH).is_some_and(same) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.body_mut() = axum::body::Body::empty();
    }
    Ok(answer)
}

/// One page: through the gate, into the ledger, and only then out.
async fn page(
    app: &App,
    caller: &Caller,
    wanted: query::Wanted,
    format: Format,
    (who, face): (String, Face),
) -> Result<Response, Refusal> {
    let viewer = caller.viewer(app);
    let (released, next) = app.node().read(move |view| query::page(view, &viewer, &wanted)).await?;
    let statements = released.as_ref().iter().map(|one| one.object.row.statement).collect();
    let given = ledger::note_all(app, who, statements, face).await?;
    let released = released
        .map(|objects| objects.into_iter().filter(|one| given.contains(&one.object.row.statement)).collect::<Vec<_>>());
    let matchable = wanted.purpose != ExportPurpose::Read;
    let (bytes, left_out) = shaped(&released, format, matchable)?;
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    let tag = HeaderValue::try_from(format!("\"{}\"", model::bytes::hex(&digest)));
    headers.insert(header::ETAG, tag.map_err(Refusal::unreadable)?);
    headers.insert(LEFT_OUT, HeaderValue::from(left_out));
    if let Some(next) = next {
        headers.insert(NEXT, HeaderValue::from(next.0));
    }
    Ok((headers, bytes).into_response())
}

/// The bytes of a page, by `render`, and how many objects can't carry their marking.
fn shaped(released: &Released<Vec<Exported>>, format: Format, matchable: bool) -> Result<(Vec<u8>, usize), Refusal> {
    let broken = |error: render::RenderError| {
        Refusal::kind(StatusCode::UNPROCESSABLE_ENTITY, "marking", "It can't be marked", &error)
    };
    let rendered = released.clone().map(|objects| objects.iter().map(rendered).collect::<Vec<_>>());
    match format {
        Format::Stix => {
            let mut digest = Sha256::new();
            for one in released.as_ref() {
                digest.update(one.object.row.commitment.as_bytes());
            }
            let digest: [u8; 32] = digest.finalize().into();
            let mut id = [0; 16];
            id.copy_from_slice(&digest[..16]);
            // The same objects are the same bundle, so that a page that has not changed is the same bytes.
            let id = StixId::from_random("bundle", id).map_err(Refusal::unreadable)?;
            let bundle = render::stix::bundle(&rendered, &id).map_err(broken)?;
            Ok((bundle.bytes, bundle.left_out.len()))
        }
        Format::Misp => Ok(render::misp::events(&rendered)),
        Format::Csv => {
            let listed = released.clone().map(|objects| objects.iter().map(listed).collect::<Vec<_>>());
            Ok((render::csv::table(&listed, matchable), 0))
        }
    }
}

fn rendered(one: &Exported) -> Rendered {
    let row = &one.object.row;
    let label = Label { tlp: row.tlp, pap: row.pap };
    Rendered { realm: one.object.origin.realm().clone(), label, media: row.media, body: one.body.clone() }
}

fn listed(one: &Exported) -> Listed {
    let row = &one.object.row;
    Listed {
        entry: EntryRef::of(&one.object.origin, row.index).to_string(),
        object: row.stix_id.clone(),
        title: row.title.clone(),
        version: row.version.0,
        rendered: rendered(one),
    }
}

fn purpose_of(word: &str) -> Result<ExportPurpose, Refusal> {
    ExportPurpose::of_word(word).ok_or_else(|| {
        let shown: String = word.chars().take(40).collect();
        Refusal::unreadable(format!("`{shown}` is not a purpose: write read, detect or block"))
    })
}

fn strictest_of(label: Option<&str>) -> Result<Tlp, Refusal> {
    label.filter(|label| !label.is_empty()).map_or(Ok(Tlp::AmberStrict), str::parse).map_err(Refusal::unreadable)
}

fn place(text: Option<&str>) -> Result<Option<StatementId>, Refusal> {
    Ok(after(text)?.map(|id| StatementId(i64::try_from(id).unwrap_or(i64::MAX))))
}

impl From<ListError> for Refusal {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Store(error) => error.into(),
            ListError::Name(_) | ListError::TooMany => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, "list", "No such list can be made", &error)
            }
        }
    }
}
