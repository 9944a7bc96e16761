//! `/intake`: what is received lands here, local and deduplicated, until somebody makes it our word.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use intake::{Fate, Kind, Limits, SplitError};
use model::{Label, Lane, Origin, Tlp, Walled};
use node::Permission;
use node::intake_desk::{self, Arrival, Received};
use policy::{Facts, Governed, PolicyVersion, Purpose, Viewer};
use serde::{Deserialize, Serialize};
use store::{IntakeId, IntakeRow, IntakeState};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::idempotency::{self, Key};
use super::limits;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Page, Params, Raw, after, rows};
use super::statements::read_kind;
use crate::problem::Problem;
use crate::server::session::Caller;

/// Where a file came from.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Source {
    /// A name for people, at most 200 bytes: a feed, a file, a person.
    pub source: Option<String>,
    /// What was told in confidence says so: `voluntary`, `help`, `evidence` or `finding`. Supervising desks don't see it.
    pub kind: Option<String>,
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenIn {
    /// `stix-bundle`, `stix-object`, `misp-event` or `misp-export`.
    pub kind: String,
    /// Object by object, in the order of the file.
    pub items: Vec<TakenItem>,
}

/// What became of one object of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenItem {
    /// Its STIX id, if it could be read.
    pub id: Option<String>,
    /// Its number in intake.
    pub intake: Option<i64>,
    /// `new`, `duplicate`, `conflict` or `refused`.
    pub fate: &'static str,
    /// Why it was refused, and what to do.
    pub reason: Option<String>,
}

/// One object in intake.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntakeItem {
    /// Its number.
    pub intake: i64,
    /// Its STIX id.
    pub stix_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its own version.
    pub version: String,
    /// The strictest label on it or in it; `null` without any.
    pub tlp: Option<String>,
    /// Do its parts carry other labels than itself?
    pub mixed: bool,
    /// `voluntary`, `help`, `evidence` or `finding`, if it was told in confidence.
    pub wall: Option<&'static str>,
    /// Its name for people; `null` if it has none, or if the policy keeps it from this viewer.
    pub title: Option<String>,
    /// Where it came from.
    pub source: String,
    /// `new`, `asserted`, `conflict` or `dismissed`.
    pub state: &'static str,
    /// Why it is still here.
    pub note: Option<String>,
    /// When it was taken in.
    pub taken: String,
}

/// Which rows of intake.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// `new`, `asserted`, `conflict` or `dismissed`.
    pub state: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows of the page: 1 to 1,000, else 100.
    pub limit: Option<usize>,
}

/// Takes a STIX bundle or object, or a MISP event or export, into intake. One bad object beside good ones is one
/// refusal.
#[utoipa::path(post, path = "/intake", tag = "intake", params(Source), request_body(content_type = "application/json"),
    responses(
        (status = OK, body = TakenIn),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn take(
    State(app): State<App>,
    caller: Caller,
    Params(source): Params<Source>,
    key: Key,
    Raw(body): Raw<{ limits::INTAKE_BYTES }>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::TakeIn)?;
    let walled = read_kind(source.kind.as_deref())?;
    let source = source_name(source.source)?;
    let bound = key.bind(&caller.actor.login, &body);
    let known = bound.clone();
    // A file goes in by several transactions: whoever repeats it is told what the first time gave.
    if let Some(answer) = app.write(move |work| known.answered(work)).await? {
        return Ok(idempotency::json(answer));
    }
    let (kind, objects) = cut(&app, body, Limits { ceiling: app.ctx.ceiling, ..Limits::default() }).await?;
    let mut taken = TakenIn { kind: kind.to_owned(), items: Vec::with_capacity(objects.len()) };
    let mut objects = objects.into_iter().peekable();
    while objects.peek().is_some() {
        let part: Vec<Cut> = objects.by_ref().take(node::limits::COMMAND_OBJECTS).collect();
        let (actor, source) = (caller.actor.clone(), source.clone());
        let items = app
            .write(move |work| {
                let mut items = Vec::with_capacity(part.len());
                for object in part {
                    items.push(match object {
                        Ok(object) => {
                            let arrival = Arrival { source: &source, by: &actor, note: None, walled };
                            item(&intake_desk::take_one(work, &object, &arrival)?)
                        }
                        Err(reason) => refused(reason),
                    });
                }
                Ok(items)
            })
            .await?;
        taken.items.extend(items);
    }
    idempotency::once(&app, bound, move |_| Ok(taken)).await
}

fn source_name(source: Option<String>) -> Result<String, Refusal> {
    let source = source.unwrap_or_else(|| "api".to_owned());
    let good = !source.is_empty() && source.len() <= model::limits::NAME_BYTES && !source.chars().any(char::is_control);
    if good {
        Ok(source)
    } else {
        Err(Refusal::unreadable("a source has 1 to 200 bytes without control characters: shorten it"))
    }
}

/// One object of a file, or why it is refused.
pub(super) type Cut = Result<Received, String>;

/// Takes a file apart where blocking is allowed: 50 MB take half a second.
///
/// What carries the mark of an exercise is refused in reality, object by object.
pub(super) async fn cut(app: &App, file: Bytes, limits: Limits) -> Result<(&'static str, Vec<Cut>), Refusal> {
    let is_real = app.node().me().realm().is_real();
    let cut = tokio::task::spawn_blocking(move || {
        let split = intake::split(&file, limits)?;
        let objects = split.items.iter().map(|item| match (&item.head, Received::of_item(item)) {
            (Ok(head), Some(received)) if is_real => {
                let kept_out = intake::exercise::check(head.media, item.span);
                kept_out.map(|()| received).map_err(|error| error.to_string())
            }
            (Ok(_), Some(received)) => Ok(received),
            (Err(refusal), _) => Err(refusal.to_string()),
            (Ok(_), None) => Err("it could not be read".to_owned()),
        });
        Ok::<_, SplitError>((kind_word(split.kind), objects.collect()))
    });
    match cut.await {
        Ok(done) => Ok(done?),
        Err(error) => {
            tracing::error!(%error, "taking a file apart ended early");
            Err(Problem::internal().into())
        }
    }
}

impl From<SplitError> for Refusal {
    fn from(error: SplitError) -> Self {
        let (status, slug, title) = match &error {
            SplitError::TooLarge { .. } | SplitError::TooManyObjects { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The file is too large")
            }
            SplitError::Encoding { .. }
            | SplitError::Syntax { .. }
            | SplitError::SpecVersion { .. }
            | SplitError::UnknownShape => (StatusCode::UNPROCESSABLE_ENTITY, "file", "The file can't be read"),
        };
        Self::kind(status, slug, title, &error)
    }
}

const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::StixBundle => "stix-bundle",
        Kind::StixObject => "stix-object",
        Kind::MispEvent => "misp-event",
        Kind::MispExport => "misp-export",
    }
}

fn item(taken: &intake_desk::Taken) -> TakenItem {
    let fate = match taken.fate {
        Fate::New => "new",
        Fate::Duplicate => "duplicate",
        Fate::Conflict => "conflict",
    };
    TakenItem { id: Some(taken.id.to_string()), intake: Some(taken.intake.0), fate, reason: None }
}

fn refused(reason: String) -> TakenItem {
    TakenItem { id: None, intake: None, fate: "refused", reason: Some(reason) }
}

/// What is in intake, newest first. Without a label on it, or under RED, an object's name is not shown.
#[utoipa::path(get, path = "/intake", tag = "intake", params(Filter),
    responses((status = OK, body = Page<IntakeItem>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<IntakeItem>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let place = after(filter.after.as_deref())?.map(|id| IntakeId(i64::try_from(id).unwrap_or(i64::MAX)));
    let limit = rows(filter.limit)?;
    let state = filter.state.as_deref().map(state_of).transpose()?;
    let found = app.node().read(move |view| view.db.intake_page(place, state, limit)).await?;
    let next = if found.len() == limit { found.last().map(|row| row.id.0.to_string()) } else { None };
    let viewer = caller.viewer(&app);
    let here = &app.node().me().origin;
    Ok(Json(Page { items: found.into_iter().filter_map(|row| listed(row, here, &viewer)).collect(), next }))
}

/// The name of an object in intake, under the policy.
struct Titled<'a> {
    here: &'a Origin,
    label: Option<Label>,
    walled: Option<Walled>,
    title: Option<String>,
}

impl Governed for Titled<'_> {
    fn facts(&self) -> Facts {
        Facts::of_intake(self.here, policy::Kind::of_envelope(Lane::Intelligence, self.walled), self.label)
    }
}

/// A row as this viewer sees it; `None` if the wall keeps even its being there.
fn listed(row: IntakeRow, here: &Origin, viewer: &Viewer) -> Option<IntakeItem> {
    let admitted = |label: Option<Label>, title: Option<String>| {
        let titled = Titled { here, label, walled: row.walled, title };
        policy::release(titled, viewer, Purpose::Read, &PolicyVersion::CURRENT).ok()
    };
    // Whatever the label of what was told in confidence, and if it has none yet, the wall is asked first.
    if row.walled.is_some() {
        admitted(Some(Tlp::Amber.into()), None)?;
    }
    let title = admitted(row.tlp.map(Label::from), row.title.clone());
    Some(IntakeItem {
        intake: row.id.0,
        kind: row.stix_id.type_name().to_owned(),
        stix_id: row.stix_id.to_string(),
        version: row.version.0.to_string(),
        tlp: row.tlp.map(|tlp| tlp.word().to_ascii_lowercase()),
        mixed: row.mixed,
        wall: row.walled.map(Walled::word),
        source: row.source,
        state: state_word(row.state),
        note: row.note,
        taken: row.taken.to_string(),
        title: title.and_then(|released| released.map(|titled| titled.title).into_inner()),
    })
}

fn state_of(word: &str) -> Result<IntakeState, Refusal> {
    [IntakeState::New, IntakeState::Asserted, IntakeState::Conflict, IntakeState::Dismissed]
        .into_iter()
        .find(|state| state_word(*state) == word)
        .ok_or_else(|| {
            let shown: String = word.chars().take(40).collect();
            Refusal::unreadable(format!("`{shown}` is not a state: write new, asserted, conflict or dismissed"))
        })
}

const fn state_word(state: IntakeState) -> &'static str {
    match state {
        IntakeState::New => "new",
        IntakeState::Asserted => "asserted",
        IntakeState::Conflict => "conflict",
        IntakeState::Dismissed => "dismissed",
    }
}
