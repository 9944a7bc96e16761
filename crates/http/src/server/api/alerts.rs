//! `/ladders`, `/alerts`, `/drills`: who is woken by what, who was, and who has answered.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ladder::State as Standing;
use model::alert::{AlertClass, Ladder, Rung};
use node::alert::{self as use_case, Alert, AlertError};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use store::{AlertId, NoticeRow, StoreError};
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, PageOf, Params, Segment, after, rows};
use crate::server::session::Caller;

/// One rung of a ladder.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RungOf {
    /// A person of the roster (`anna`), or whoever has a post then (`post:duty`).
    pub who: String,
    /// `mail`, `webhook`, or both.
    pub by: Vec<String>,
    /// After so many minutes without an answer the next rung is tried: 1 to 120.
    pub minutes: u16,
}

/// The ladder of a class of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LadderOf {
    /// `call-for-help`, `answer`, `partner-held` or `recovery`.
    pub class: &'static str,
    /// The first first.
    pub rungs: Vec<RungOf>,
    /// Who set it.
    pub changed_by: String,
    /// When.
    pub changed: String,
}

/// A ladder to set.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct NewLadder {
    /// 1 to 8, the first first.
    pub rungs: Vec<RungOf>,
}

/// A drill.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct NewDrill {
    /// Whose ladder it climbs: `call-for-help`, …
    pub class: String,
}

/// A notice to one person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NoticeOf {
    /// On which rung, from 1.
    pub rung: usize,
    /// Whom.
    pub person: String,
    /// `mail` or `webhook`.
    pub channel: &'static str,
    /// When.
    pub at: String,
    /// `sending`, `sent`, `failed`, or `unknown` if the node ended meanwhile.
    pub fate: &'static str,
    /// Why it failed.
    pub why: Option<String>,
}

/// An alert.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertOf {
    /// Its number.
    pub number: i64,
    /// `call-for-help`, `answer`, `partner-held`, `recovery` or `drill`.
    pub class: &'static str,
    /// Of a drill: whose ladder it climbs.
    pub tries: Option<String>,
    /// The strictest label of what it is about.
    pub label: String,
    /// `started`, `notified`, `exhausted` or `acknowledged`.
    pub state: &'static str,
    /// When it began.
    pub started: String,
    /// The last rung that was climbed, from 1.
    pub rung: Option<usize>,
    /// The ladder as it was when it began.
    pub rungs: Vec<RungOf>,
    /// Statements that it is about and that the caller may see: `FR:12`.
    pub about: Vec<String>,
    /// Who answered.
    pub acknowledged_by: Option<String>,
    /// When.
    pub acknowledged: Option<String>,
    /// By `login` or by `code`.
    pub how: Option<&'static str>,
    /// Seconds from its beginning until somebody answered.
    pub answered_in: Option<i64>,
    /// Whom it was sent to.
    pub notices: Vec<NoticeOf>,
}

fn rungs(ladder: &Ladder) -> Vec<RungOf> {
    let rung = |rung: &Rung| RungOf {
        who: rung.who.to_string(),
        by: rung.by.iter().map(|channel| channel.word().to_owned()).collect(),
        minutes: rung.minutes,
    };
    ladder.rungs().iter().map(rung).collect()
}

impl NewLadder {
    fn read(self) -> Result<Ladder, Refusal> {
        let rung = |rung: RungOf| {
            let by = rung.by.iter().map(|word| word.parse().map_err(Refusal::unreadable)).collect::<Result<_, _>>()?;
            Ok::<_, Refusal>(Rung { who: rung.who.parse().map_err(Refusal::unreadable)?, by, minutes: rung.minutes })
        };
        let rungs: Vec<Rung> = self.rungs.into_iter().map(rung).collect::<Result<_, _>>()?;
        Ok(Ladder::try_from(rungs).map_err(AlertError::from)?)
    }
}

impl AlertOf {
    pub(crate) fn of(alert: &Alert) -> Self {
        let row = &alert.row;
        let state = match &alert.state {
            Standing::Started => "started",
            Standing::Notified { .. } => "notified",
            Standing::Exhausted { .. } => "exhausted",
            Standing::Acknowledged { .. } => "acknowledged",
        };
        let seconds = |at: model::Timestamp| (at.micros() - row.started.micros()) / 1_000_000;
        Self {
            number: row.id.0,
            class: row.class.word(),
            tries: alert.tries().map(str::to_owned),
            label: row.tlp.word().to_ascii_lowercase(),
            state,
            started: row.started.to_string(),
            rung: row.notified.map(|(rung, _)| rung + 1),
            rungs: rungs(&alert.ladder),
            about: alert.about.iter().map(ToString::to_string).collect(),
            acknowledged_by: row.acknowledged.as_ref().map(|(_, by, _)| by.clone()),
            acknowledged: row.acknowledged.as_ref().map(|(at, _, _)| at.to_string()),
            how: row.acknowledged.as_ref().map(|(_, _, how)| how.word()),
            answered_in: row.acknowledged.as_ref().map(|(at, _, _)| seconds(*at)),
            notices: alert.notices.iter().map(notice).collect(),
        }
    }
}

fn notice(row: &NoticeRow) -> NoticeOf {
    NoticeOf {
        rung: row.rung + 1,
        person: row.person.to_string(),
        channel: row.channel.word(),
        at: row.at.to_string(),
        fate: row.fate.word(),
        why: row.why.clone(),
    }
}

fn number(text: &str) -> Result<AlertId, Refusal> {
    text.parse().map(AlertId).map_err(|_| Refusal::not_found())
}

/// Every ladder.
#[utoipa::path(get, path = "/ladders", tag = "alerts", responses((status = OK, body = Page<LadderOf>)))]
pub async fn ladders(State(app): State<App>, caller: Caller) -> Result<Json<Page<LadderOf>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let found = app.node().read(|view| use_case::ladders(view.db)).await?;
    let row = |(row, ladder): (store::LadderRow, Ladder)| LadderOf {
        class: row.class.word(),
        rungs: rungs(&ladder),
        changed_by: row.changed_by,
        changed: row.changed.to_string(),
    };
    Ok(Json(Page::whole(found.into_iter().map(row).collect())))
}

/// Sets the ladder of a class. What is under way climbs the ladder as it was.
#[utoipa::path(put, path = "/ladders/{class}", tag = "alerts", params(("class" = String, Path)), request_body = NewLadder,
    responses(
        (status = NO_CONTENT),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn set_ladder(
    State(app): State<App>,
    caller: Caller,
    Segment(class): Segment,
    Input { value, .. }: Input<NewLadder>,
) -> Result<StatusCode, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    let class: AlertClass = class.parse().map_err(Refusal::unreadable)?;
    let ladder = value.read()?;
    app.write(move |work| Ok(use_case::set_ladder(work, class, &ladder, &caller.actor)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the ladder of a class away: from now on nothing of it wakes anybody.
#[utoipa::path(delete, path = "/ladders/{class}", tag = "alerts", params(("class" = String, Path)), responses(
    (status = NO_CONTENT),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn remove_ladder(
    State(app): State<App>,
    caller: Caller,
    Segment(class): Segment,
) -> Result<StatusCode, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    let class: AlertClass = class.parse().map_err(Refusal::unreadable)?;
    app.write(move |work| Ok(use_case::remove_ladder(work, class)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Alerts, the newest first.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(PageOf), responses((status = OK, body = Page<AlertOf>)))]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(page): Params<PageOf>,
) -> Result<Json<Page<AlertOf>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let before = after(page.after.as_deref())?.and_then(|before| i64::try_from(before).ok()).map(AlertId);
    let limit = rows(page.limit)?;
    let viewer = caller.viewer(&app);
    let found = app.node().read(move |view| use_case::list(view, &viewer, before, limit)).await;
    let found = found.map_err(|error: StoreError| Refusal::from(error))?;
    let next = if found.len() == limit { found.last().map(|alert| alert.row.id.to_string()) } else { None };
    Ok(Json(Page { items: found.iter().map(AlertOf::of).collect(), next }))
}

/// One alert.
#[utoipa::path(get, path = "/alerts/{number}", tag = "alerts", params(("number" = i64, Path)), responses(
    (status = OK, body = AlertOf),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn one(State(app): State<App>, caller: Caller, Segment(id): Segment) -> Result<Json<AlertOf>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let id = number(&id)?;
    let viewer = caller.viewer(&app);
    let alert = app.node().read(move |view| use_case::one(view, &viewer, id)).await?;
    Ok(Json(AlertOf::of(&alert)))
}

/// Says that the caller is awake for it: nobody else is woken.
#[utoipa::path(post, path = "/alerts/{number}/acknowledge", tag = "alerts", params(("number" = i64, Path)), responses(
    (status = OK, body = AlertOf),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn acknowledge(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
) -> Result<Json<AlertOf>, Refusal> {
    caller.actor.require(Permission::TakeIn)?;
    let (id, viewer) = (number(&id)?, caller.viewer(&app));
    app.write(move |work| Ok(use_case::acknowledge(work, id, &caller.actor)?)).await?;
    let alert = app.node().read(move |view| use_case::one(view, &viewer, id)).await?;
    Ok(Json(AlertOf::of(&alert)))
}

/// Tries whether somebody wakes up: the ladder of a class is climbed with texts that say that it is a drill.
#[utoipa::path(post, path = "/drills", tag = "alerts", request_body = NewDrill, responses(
    (status = OK, body = AlertOf),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn drill(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Input { value, bytes }: Input<NewDrill>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    let class: AlertClass = value.class.parse().map_err(Refusal::unreadable)?;
    let bound = key.bind(&caller.actor.login, &bytes);
    let command = move |work: &mut Work<'_, '_>| Ok(AlertOf::of(&use_case::drill(work, class, &caller.actor)?));
    idempotency::once(&app, bound, command).await
}

impl From<AlertError> for Refusal {
    fn from(error: AlertError) -> Self {
        let (status, title) = match error {
            AlertError::Store(error) => return error.into(),
            AlertError::Ladder(_) | AlertError::Person(_) | AlertError::OfDrill => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The ladder can't be so")
            }
            AlertError::Unknown(_) | AlertError::Code => (StatusCode::NOT_FOUND, "There is no such alert"),
            AlertError::NoLadder(_) | AlertError::Step(_) | AlertError::TooMany => {
                (StatusCode::CONFLICT, "It is not as you think")
            }
        };
        Self::kind(status, "alert", title, &error)
    }
}
