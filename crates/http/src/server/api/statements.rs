//! `/statements`: asserting makes objects our word; withdrawing takes it back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use intake::Limits;
use model::extension::WithdrawalAction;
use model::{EntryRef, Pap, Tlp, Walled};
use node::assert::{self, Assert, AssertError, ObjectFate, PartFate, RawObject};
use node::audience::Choice;
use node::intake_desk::{self, Arrival, Received};
use node::withdraw::{self, WithdrawError};
use node::{Actor, Permission, Work, red};
use serde::{Deserialize, Serialize};
use store::{IntakeId, IntakeState, LogId};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::idempotency::{self, Key};
use super::intake::{Cut, cut};
use super::limits;
use super::refusal::{ProblemDetails, Refusal};
use super::request::{self, Input, Params, Raw, Segment};
use crate::server::session::Caller;

/// With which label, and to whom.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// `clear`, `green`, `amber`, `amber+strict` or `red`.
    pub label: String,
    /// The audience's name; without one CLEAR and GREEN go to the ticked communities.
    pub audience: Option<String>,
    /// `clear`, `green`, `amber` or `red`; else what each object says of itself.
    pub pap: Option<String>,
    /// Of RED, the logins of those who may read it, separated by commas; whoever asserts it may, too.
    pub readers: Option<String>,
    /// What was told in confidence says so: `voluntary`, `help`, `evidence` or `finding`. Supervising desks don't see it.
    pub kind: Option<String>,
}

/// Objects of intake to assert.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FromIntake {
    /// Their numbers, at most 1,000.
    pub intake: Vec<i64>,
    /// `clear`, `green`, `amber`, `amber+strict` or `red`.
    pub label: String,
    /// The audience's name; without one CLEAR and GREEN go to the ticked communities.
    #[serde(default)]
    pub audience: Option<String>,
    /// `clear`, `green`, `amber` or `red`; else what each object says of itself.
    #[serde(default)]
    pub pap: Option<String>,
    /// Of RED, the logins of those who may read it; whoever asserts it may, too.
    #[serde(default)]
    pub readers: Vec<String>,
    /// `voluntary`, `help`, `evidence` or `finding`: supervising desks don't see it.
    #[serde(default)]
    pub kind: Option<String>,
}

/// What became of a bulk command.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssertedAll {
    /// Object by object, in the order of the command.
    pub items: Vec<AssertedItem>,
}

/// What became of one object.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssertedItem {
    /// Its STIX id, if it could be read.
    pub id: Option<String>,
    /// Its entry in our log: `FR:12`; of an event with mixed labels, that of its most open part.
    pub entry: Option<String>,
    /// `asserted`, `already` or `refused`.
    pub fate: &'static str,
    /// Why it was refused, and what to do.
    pub reason: Option<String>,
    /// Of an event with mixed labels: one statement per label, from open to strict.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<AssertedPart>,
}

/// One part of an event with mixed labels.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssertedPart {
    /// Its label.
    pub tlp: String,
    /// Its entry in our log.
    pub entry: String,
    /// `asserted` or `already`.
    pub fate: &'static str,
}

/// How a command says its label, its audience and its kind, read.
struct Said {
    tlp: Tlp,
    pap: Option<Pap>,
    audience: Choice,
    walled: Option<Walled>,
}

/// Asserts the objects of a STIX bundle or a MISP file, at most 1,000. Those that are refused stay in intake, with the
/// reason as their note.
#[utoipa::path(post, path = "/statements", tag = "statements", params(How),
    request_body(content_type = "application/json"), responses(
        (status = OK, body = AssertedAll),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn assert(
    State(app): State<App>,
    caller: Caller,
    Params(how): Params<How>,
    key: Key,
    Raw(body): Raw<{ limits::INTAKE_BYTES }>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let said = read_how(&how.label, how.pap.as_deref(), how.audience, how.kind.as_deref())?;
    let readers: Vec<String> = how
        .readers
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|login| !login.is_empty())
        .map(str::to_owned)
        .collect();
    let bound = key.bind(&caller.actor.login, &body);
    let bounds = Limits { objects: node::limits::COMMAND_OBJECTS, ceiling: app.ctx.ceiling, ..Limits::default() };
    let (_, objects) = cut(&app, body, bounds).await?;
    let actor = caller.actor;
    let command = move |work: &mut Work<'_, '_>| {
        let (tlp, walled) = (said.tlp, said.walled);
        let (command, readable) = command_of(objects, said);
        let fates = assert::assert_as(work, &command, &actor, &readers)?;
        let mut fates = fates.into_iter().zip(command.objects);
        let mut items = Vec::with_capacity(readable.len());
        for object in readable {
            items.push(match object {
                Err(reason) => refused(None, reason),
                Ok(head) => match fates.next() {
                    Some((fate, raw)) => {
                        let received = Received { bytes: raw.bytes, head };
                        // Everybody reads intake: what was to be RED stays with whoever sent it.
                        if tlp != Tlp::Red {
                            keep_if_refused(work, &fate, &received, &actor, walled)?;
                        }
                        item(work, fate)
                    }
                    None => refused(None, "it was not looked at: send it again".to_owned()),
                },
            });
        }
        Ok(AssertedAll { items })
    };
    idempotency::once(&app, bound, command).await
}

/// Parts what can be read from what can't: bytes go into the command, heads stay in the order of the file.
fn command_of(objects: Vec<Cut>, said: Said) -> (Assert, Vec<Result<model::Head, String>>) {
    let mut raw = Vec::with_capacity(objects.len());
    let mut readable = Vec::with_capacity(objects.len());
    for object in objects {
        readable.push(object.map(|received| {
            raw.push(RawObject { media: received.head.media, bytes: received.bytes });
            received.head
        }));
    }
    let Said { tlp, pap, audience, walled } = said;
    (Assert { objects: raw, tlp, pap, audience, walled }, readable)
}

fn keep_if_refused(
    work: &mut Work<'_, '_>,
    fate: &ObjectFate,
    received: &Received,
    by: &Actor,
    walled: Option<Walled>,
) -> Result<(), Refusal> {
    let ObjectFate::Refused { reason, .. } = fate else { return Ok(()) };
    let arrival = Arrival { source: "statements", by, note: Some(reason), walled };
    intake_desk::take_one(work, received, &arrival)?;
    Ok(())
}

fn read_how(label: &str, pap: Option<&str>, audience: Option<String>, kind: Option<&str>) -> Result<Said, Refusal> {
    let tlp = label.parse().map_err(Refusal::unreadable)?;
    let pap = pap.filter(|pap| !pap.is_empty()).map(str::parse).transpose().map_err(Refusal::unreadable)?;
    let audience = request::audience(audience);
    let walled = read_kind(kind)?;
    Ok(Said { tlp, pap, audience, walled })
}

/// The kind of what was told in confidence; nothing, if it says none.
pub(super) fn read_kind(kind: Option<&str>) -> Result<Option<Walled>, Refusal> {
    kind.filter(|kind| !kind.is_empty()).map(str::parse).transpose().map_err(Refusal::unreadable)
}

fn item(work: &Work<'_, '_>, fate: ObjectFate) -> AssertedItem {
    let entry = |index| Some(EntryRef::of(&work.me.origin, index).to_string());
    match fate {
        ObjectFate::Asserted { id, index } => AssertedItem { entry: entry(index), fate: "asserted", ..whole(id) },
        ObjectFate::Already { id, index } => AssertedItem { entry: entry(index), fate: "already", ..whole(id) },
        ObjectFate::Parts { id, parts } => {
            let part = |part: &PartFate| AssertedPart {
                tlp: part.tlp.word().to_ascii_lowercase(),
                entry: EntryRef::of(&work.me.origin, part.index).to_string(),
                fate: if part.already { "already" } else { "asserted" },
            };
            let fate = if parts.iter().all(|part| part.already) { "already" } else { "asserted" };
            let first = parts.first().and_then(|part| entry(part.index));
            AssertedItem { entry: first, fate, parts: parts.iter().map(part).collect(), ..whole(id) }
        }
        ObjectFate::Refused { id, reason } => refused(id.map(|id| id.to_string()), reason),
    }
}

fn whole(id: model::StixId) -> AssertedItem {
    AssertedItem { id: Some(id.to_string()), entry: None, fate: "asserted", reason: None, parts: Vec::new() }
}

fn refused(id: Option<String>, reason: String) -> AssertedItem {
    AssertedItem { id, entry: None, fate: "refused", reason: Some(reason), parts: Vec::new() }
}

/// Asserts objects of intake, by their numbers.
#[utoipa::path(post, path = "/statements/from-intake", tag = "statements", request_body = FromIntake, responses(
    (status = OK, body = AssertedAll),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn assert_from_intake(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    input: Input<FromIntake>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let Input { value, bytes } = input;
    let said = read_how(&value.label, value.pap.as_deref(), value.audience, value.kind.as_deref())?;
    if value.intake.len() > node::limits::COMMAND_OBJECTS {
        return Err(AssertError::TooMany(value.intake.len()).into());
    }
    let bound = key.bind(&caller.actor.login, &bytes);
    let supervises = caller.actor.desk.supervises();
    let (numbers, readers, actor) = (value.intake, value.readers, caller.actor);
    let command = move |work: &mut Work<'_, '_>| {
        let Said { tlp, pap, audience, walled } = said;
        let mut command = Assert { objects: Vec::new(), tlp, pap, audience, walled };
        let mut found = Vec::with_capacity(numbers.len());
        for number in numbers {
            // What stands behind the wall is not there for a supervising desk.
            let row = work.tx.intake(IntakeId(number))?.filter(|row| row.walled.is_none() || !supervises);
            found.push(match row {
                None => Err(format!("there is nothing at `{number}` in intake: list it anew")),
                Some(row) if row.walled.is_some() && row.walled != walled => {
                    let kind = row.walled.map_or("", Walled::word);
                    Err(format!("`{number}` was told in confidence: assert it with the kind `{kind}`"))
                }
                Some(row) => {
                    command.objects.push(RawObject { media: row.media, bytes: row.bytes });
                    Ok(row.id)
                }
            });
        }
        let mut fates = assert::assert_as(work, &command, &actor, &readers)?.into_iter();
        let mut items = Vec::with_capacity(found.len());
        for found in found {
            items.push(match (found, fates.as_slice().is_empty()) {
                (Ok(id), false) => settled(work, id, tlp, fates.next())?,
                (Ok(_), true) => refused(None, "it was not looked at: send it again".to_owned()),
                (Err(reason), _) => refused(None, reason),
            });
        }
        Ok(AssertedAll { items })
    };
    idempotency::once(&app, bound, command).await
}

/// Writes into intake what became of one of its objects. What is RED now goes from there: everybody reads intake.
fn settled(work: &mut Work<'_, '_>, id: IntakeId, tlp: Tlp, fate: Option<ObjectFate>) -> Result<AssertedItem, Refusal> {
    let fate = fate.unwrap_or(ObjectFate::Refused { id: None, reason: "it was not looked at".to_owned() });
    match &fate {
        ObjectFate::Asserted { .. } | ObjectFate::Already { .. } if tlp == Tlp::Red => {
            work.tx.intake_erase(id)?;
        }
        ObjectFate::Asserted { .. } | ObjectFate::Already { .. } | ObjectFate::Parts { .. } => {
            work.tx.intake_state(id, IntakeState::Asserted, None)?;
        }
        ObjectFate::Refused { reason, .. } => intake_desk::note(work, id, reason)?,
    }
    Ok(item(work, fate))
}

/// How far to take back, and why.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Withdraw {
    /// `stop-sharing`, or `purge` to erase the body as well.
    #[schema(value_type = String)]
    pub action: WithdrawalAction,
    /// Why, in one line of English.
    pub reason: String,
}

/// What a withdrawal did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Withdrawn {
    /// The withdrawal's own entry.
    pub entry: String,
    /// Everyone who ever had the statement and is told.
    pub told: Vec<String>,
}

/// Takes back one of our own statements from everyone who ever had it.
#[utoipa::path(post, path = "/statements/{entry}/withdraw", tag = "statements", params(("entry" = String, Path)),
    request_body = Withdraw, responses(
        (status = OK, body = Withdrawn),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    key: Key,
    input: Input<Withdraw>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    behind_no_wall(&app, &caller, name).await?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let Withdraw { action, reason } = input.value;
    let actor = caller.actor;
    let command = move |work: &mut Work<'_, '_>| {
        let unknown = || WithdrawError::Unknown(name.index);
        // One of our logs: that of now, or one that it succeeded.
        let ours = Some(&work.me.origin).filter(|me| me.country() == name.country && name.epoch <= me.epoch());
        let origin = ours.ok_or_else(unknown)?.with_epoch(name.epoch);
        let log = work.tx.log_id(&origin)?.ok_or_else(unknown)?;
        if !may_know(work, log, name, &actor)? {
            return Err(unknown().into());
        }
        let done = withdraw::withdraw_from(work, log, name.index, action, &reason)?;
        let entry = EntryRef::of(&work.me.origin, done.appended.index);
        Ok(Withdrawn { entry: entry.to_string(), told: done.told.iter().map(ToString::to_string).collect() })
    };
    idempotency::once(&app, bound, command).await
}

/// What is RED is not there for those who are not named for it, whatever they want of it.
fn may_know(work: &Work<'_, '_>, log: LogId, name: EntryRef, by: &Actor) -> Result<bool, Refusal> {
    let Some(statement) = work.tx.statement_at(log, name.index)? else { return Ok(true) };
    match work.tx.object(statement.id)? {
        Some(row) => Ok(red::knows(work.tx, &row, by)?),
        None => Ok(true),
    }
}

/// To a supervising desk, a statement behind the wall is not there, whatever it wants to do with it.
pub(super) async fn behind_no_wall(app: &App, caller: &Caller, name: EntryRef) -> Result<(), Refusal> {
    if !caller.actor.desk.supervises() {
        return Ok(());
    }
    let viewer = caller.viewer(app);
    let read = move |view: &node::View<'_, '_>| {
        let Ok(statement) = node::query::entries::statement_of(view, name) else { return Ok(true) };
        let Some(row) = view.db.object(statement.id)?.filter(|row| row.walled.is_some()) else { return Ok(true) };
        Ok::<_, store::StoreError>(
            node::query::objects::detail(view, &viewer, row.statement, policy::Purpose::Read).is_ok(),
        )
    };
    if app.node().read(read).await? { Ok(()) } else { Err(WithdrawError::Unknown(name.index).into()) }
}

impl From<AssertError> for Refusal {
    fn from(error: AssertError) -> Self {
        match error {
            AssertError::Store(error) => error.into(),
            AssertError::Audience(error) => error.into(),
            AssertError::Red(error) => error.into(),
            AssertError::Readers(_) => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, "reader", "Readers are named for RED alone", &error)
            }
            AssertError::TooMany(_) => {
                Self::kind(StatusCode::PAYLOAD_TOO_LARGE, "too-many", "Too many objects", &error)
            }
        }
    }
}

impl From<WithdrawError> for Refusal {
    fn from(error: WithdrawError) -> Self {
        let (status, title) = match error {
            WithdrawError::Store(error) => return error.into(),
            WithdrawError::Audience(error) => return error.into(),
            WithdrawError::Unknown(_) => (StatusCode::NOT_FOUND, "Nothing of ours"),
            WithdrawError::Already(_) => (StatusCode::CONFLICT, "It is withdrawn already"),
            WithdrawError::Held(..) => (StatusCode::CONFLICT, "It is under legal hold"),
            WithdrawError::Workflow(_) => (StatusCode::CONFLICT, "It can't be withdrawn"),
            WithdrawError::Reason => (StatusCode::UNPROCESSABLE_ENTITY, "The reason is too long"),
        };
        Self::kind(status, "withdrawal", title, &error)
    }
}
