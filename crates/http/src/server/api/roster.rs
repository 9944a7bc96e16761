//! `/roster`: whom the node can wake, who is on duty when, and a file that changes it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::duty::Finding;
use model::Timestamp;
use model::bytes::{hex, unhex};
use model::duty::{Contact, Handle, Post, Shift};
use node::duty::{self as use_case, Import, ImportPlan, OnDuty, RosterError};
use node::{Permission, Work};
use serde::{Deserialize, Serialize};
use store::{ShiftId, StoreError};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Params, Segment};
use crate::server::session::Caller;

/// A person of the roster.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// The short name.
    pub person: String,
    /// The name for people.
    pub name: String,
    /// The number that is called at any hour, with its country: `+33 1 …`.
    pub telephone: String,
    /// Where mail is read at any hour.
    #[serde(default)]
    pub mail: Option<String>,
    /// Languages, as BCP 47 tags.
    #[serde(default)]
    pub languages: Vec<String>,
    /// The account under which the person logs in.
    #[serde(default)]
    pub login: Option<String>,
}

/// A shift of the roster.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShiftOf {
    /// Its number; none in a preview.
    pub number: Option<i64>,
    /// Who.
    pub person: String,
    /// `duty`, `on-call`, `deputy` or `crisis`.
    pub post: &'static str,
    /// From then on.
    pub from: String,
    /// Until then.
    pub until: String,
}

/// A shift to add.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct NewShift {
    /// Who, by short name.
    pub person: String,
    /// `duty`, `on-call`, `deputy` or `crisis`.
    pub post: String,
    /// From then on (RFC 3339).
    pub from: String,
    /// Until then (RFC 3339).
    pub until: String,
}

/// Where a post has nobody, or several persons at once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FindingOf {
    /// `gap` or `overlap`.
    pub kind: &'static str,
    /// Of which post.
    pub post: &'static str,
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Who, if several.
    pub persons: Vec<String>,
}

/// The roster.
#[derive(Debug, Serialize, ToSchema)]
pub struct Roster {
    /// Everybody, by short name.
    pub persons: Vec<Person>,
    /// Shifts, by when they begin.
    pub shifts: Vec<ShiftOf>,
    /// Gaps and overlaps.
    pub findings: Vec<FindingOf>,
}

/// Who is on duty.
#[derive(Debug, Serialize, ToSchema)]
pub struct Duty {
    /// At which moment.
    pub at: String,
    /// Who, by post.
    pub on_duty: Vec<DutyOf>,
}

/// Somebody on duty.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyOf {
    /// The shift.
    pub shift: ShiftOf,
    /// How the person is reached.
    pub contact: Person,
}

/// Which part of the roster.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// From then on (RFC 3339), else from now.
    pub from: Option<String>,
    /// For how many days: 1 to 400, else 14.
    pub days: Option<u32>,
}

/// At which moment.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Moment {
    /// RFC 3339, else now.
    pub at: Option<String>,
}

/// A file for the roster.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct RosterFile {
    /// CSV or iCalendar, as text.
    pub text: String,
    /// The time zone of times that name none: `Europe/Paris`.
    #[serde(default)]
    pub zone: Option<String>,
    /// Shifts of the roster that begin within the time of the file give way to it.
    #[serde(default)]
    pub replace: bool,
    /// The digest of the preview that somebody looked at; an import needs it.
    #[serde(default)]
    pub digest: Option<String>,
}

/// What a file does to the roster.
#[derive(Debug, Serialize, ToSchema)]
pub struct FilePlan {
    /// Persons who are new.
    pub new: Vec<Person>,
    /// Persons who change.
    pub changed: Vec<Person>,
    /// Shifts that are new, or have another end.
    pub added: Vec<ShiftOf>,
    /// Shifts that give way.
    pub removed: Vec<ShiftOf>,
    /// What stands in the roster as it is.
    pub kept: usize,
    /// Gaps and overlaps of the roster as it is then, over the time of the file.
    pub findings: Vec<FindingOf>,
    /// Names file and roster: pass it to `POST /roster/import`.
    pub digest: String,
}

impl From<Contact> for Person {
    fn from(contact: Contact) -> Self {
        let Contact { person, name, telephone, mail, languages, login } = contact;
        Self { person: person.to_string(), name, telephone, mail, languages, login }
    }
}

impl Person {
    fn read(self) -> Result<Contact, Refusal> {
        let person: Handle = self.person.parse().map_err(Refusal::unreadable)?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let Self { name, telephone, mail, languages, login, .. } = self;
        Ok(Contact { person, name, telephone, mail: given(mail), languages, login: given(login) })
    }
}

impl ShiftOf {
    fn of(number: Option<ShiftId>, shift: &Shift) -> Self {
        Self {
            number: number.map(|number| number.0),
            person: shift.person.to_string(),
            post: shift.post.word(),
            from: shift.from.to_string(),
            until: shift.until.to_string(),
        }
    }
}

impl DutyOf {
    pub(crate) fn of(one: OnDuty) -> Self {
        Self { shift: ShiftOf::of(None, &one.shift), contact: one.contact.into() }
    }
}

fn finding(finding: &Finding) -> FindingOf {
    FindingOf {
        kind: if finding.is_gap() { "gap" } else { "overlap" },
        post: finding.post.word(),
        from: finding.from.to_string(),
        until: finding.until.to_string(),
        persons: finding.persons.iter().map(ToString::to_string).collect(),
    }
}

fn people(contacts: Vec<Contact>) -> Vec<Person> {
    contacts.into_iter().map(Person::from).collect()
}

/// The roster with its gaps and overlaps.
#[utoipa::path(get, path = "/roster", tag = "roster", params(Which), responses((status = OK, body = Roster)))]
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Json<Roster>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let from: Option<Timestamp> = which.from.as_deref().map(str::parse).transpose().map_err(Refusal::unreadable)?;
    let days = which.days.unwrap_or(14);
    if !(1..=node::limits::ROSTER_DAYS).contains(&days) {
        return Err(Refusal::unreadable(format!("the roster is shown for 1 to 400 days, not {days}")));
    }
    let read = app.node().read(move |view| use_case::shown(view, from.unwrap_or(view.now), days));
    let roster = read.await.map_err(|error: StoreError| Refusal::from(error))?;
    Ok(Json(Roster {
        persons: people(roster.contacts),
        shifts: roster.shifts.iter().map(|row| ShiftOf::of(Some(row.id), &row.shift)).collect(),
        findings: roster.findings.iter().map(finding).collect(),
    }))
}

/// Who is on duty, and how each is reached.
#[utoipa::path(get, path = "/roster/duty", tag = "roster", params(Moment), responses((status = OK, body = Duty)))]
pub async fn duty(
    State(app): State<App>,
    caller: Caller,
    Params(moment): Params<Moment>,
) -> Result<Json<Duty>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let at: Option<Timestamp> = moment.at.as_deref().map(str::parse).transpose().map_err(Refusal::unreadable)?;
    let read = app.node().read(move |view| {
        let at = at.unwrap_or(view.now);
        Ok::<_, StoreError>((at, use_case::on_duty(view.db, at)?))
    });
    let (at, here) = read.await?;
    Ok(Json(Duty { at: at.to_string(), on_duty: here.into_iter().map(DutyOf::of).collect() }))
}

/// Puts a person into the roster, or changes one.
#[utoipa::path(put, path = "/roster/persons/{person}", tag = "roster", params(("person" = String, Path)),
    request_body = Person, responses(
        (status = OK, body = Person),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn put_person(
    State(app): State<App>,
    caller: Caller,
    Segment(person): Segment,
    Input { value, .. }: Input<Person>,
) -> Result<Json<Person>, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    if value.person != person {
        return Err(Refusal::unreadable("the path and `person` name two persons: name one"));
    }
    let contact = value.read()?;
    let kept = contact.clone();
    app.write(move |work| Ok(use_case::put_contact(work, kept)?)).await?;
    Ok(Json(contact.into()))
}

/// Takes a person out of the roster, with every shift.
#[utoipa::path(delete, path = "/roster/persons/{person}", tag = "roster", params(("person" = String, Path)), responses(
    (status = NO_CONTENT),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn remove_person(
    State(app): State<App>,
    caller: Caller,
    Segment(person): Segment,
) -> Result<StatusCode, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    let person: Handle = person.parse().map_err(|_| Refusal::not_found())?;
    app.write(move |work| Ok(use_case::remove_contact(work, &person)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a shift into the roster.
#[utoipa::path(post, path = "/roster/shifts", tag = "roster", request_body = NewShift, responses(
    (status = OK, body = ShiftOf),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn add_shift(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Input { value, bytes }: Input<NewShift>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    let person: Handle = value.person.parse().map_err(Refusal::unreadable)?;
    let post: Post = value.post.parse().map_err(Refusal::unreadable)?;
    let from = value.from.parse().map_err(Refusal::unreadable)?;
    let until = value.until.parse().map_err(Refusal::unreadable)?;
    let shift = Shift::new(person, post, from, until).map_err(RosterError::from)?;
    let bound = key.bind(&caller.actor.login, &bytes);
    let command = move |work: &mut Work<'_, '_>| {
        let id = use_case::add_shift(work, &shift)?;
        Ok(ShiftOf::of(Some(id), &shift))
    };
    idempotency::once(&app, bound, command).await
}

/// Takes a shift out of the roster.
#[utoipa::path(delete, path = "/roster/shifts/{number}", tag = "roster", params(("number" = i64, Path)), responses(
    (status = NO_CONTENT),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn remove_shift(
    State(app): State<App>,
    caller: Caller,
    Segment(number): Segment,
) -> Result<StatusCode, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    let id = ShiftId(number.parse().map_err(|_| Refusal::not_found())?);
    app.write(move |work| Ok(use_case::remove_shift(work, id)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl RosterFile {
    fn read(self) -> (Import, Option<String>) {
        let zone = self.zone.filter(|zone| !zone.is_empty());
        (Import { text: self.text, zone, replace: self.replace }, self.digest)
    }
}

fn told(plan: ImportPlan) -> FilePlan {
    FilePlan {
        new: people(plan.new),
        changed: people(plan.changed),
        added: plan.added.iter().map(|shift| ShiftOf::of(None, shift)).collect(),
        removed: plan.removed.iter().map(|row| ShiftOf::of(Some(row.id), &row.shift)).collect(),
        kept: plan.kept,
        findings: plan.findings.iter().map(finding).collect(),
        digest: hex(&plan.digest),
    }
}

/// What a file would do to the roster; nothing changes.
#[utoipa::path(post, path = "/roster/preview", tag = "roster", request_body = RosterFile, responses(
    (status = OK, body = FilePlan),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn preview(
    State(app): State<App>,
    caller: Caller,
    Input { value, .. }: Input<RosterFile>,
) -> Result<Json<FilePlan>, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    let (import, _) = value.read();
    let plan = app.node().read(move |view| use_case::plan(view.db, &import, view.now)).await?;
    Ok(Json(told(plan)))
}

/// Does what a preview showed: all of it, or nothing.
#[utoipa::path(post, path = "/roster/import", tag = "roster", request_body = RosterFile, responses(
    (status = OK, body = FilePlan),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn import(
    State(app): State<App>,
    caller: Caller,
    Input { value, .. }: Input<RosterFile>,
) -> Result<Json<FilePlan>, Refusal> {
    caller.actor.require(Permission::ManageRoster)?;
    let (import, digest) = value.read();
    let digest: [u8; 32] = digest
        .as_deref()
        .and_then(unhex)
        .ok_or_else(|| Refusal::unreadable("pass the `digest` of a preview: a roster is not changed unseen"))?;
    let plan = app.write(move |work| Ok(use_case::import(work, &import, &digest)?)).await?;
    Ok(Json(told(plan)))
}

impl From<RosterError> for Refusal {
    fn from(error: RosterError) -> Self {
        let (status, title) = match error {
            RosterError::Store(error) => return error.into(),
            RosterError::Field(_) | RosterError::File(_) | RosterError::UnknownAt { .. } | RosterError::TooMany(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The roster can't be so")
            }
            RosterError::Unknown(_) => (StatusCode::NOT_FOUND, "It is not in the roster"),
            RosterError::Changed => (StatusCode::CONFLICT, "The roster has changed"),
        };
        Self::kind(status, "roster", title, &error)
    }
}
