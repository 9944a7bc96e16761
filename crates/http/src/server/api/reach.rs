//! `/partners/reached` and `/partners/{partner}/reach`: partners without a node, and how each is reached.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::{Country, PartnerClass, Reach};
use node::guest::CodeDraw;
use node::ports::{CipherError, MailStandard};
use node::reach::answer::{self, AnswerError};
use node::reach::{self as use_case, NewPartner, PartnerKey, ReachError, Ways};
use node::{Permission, View, Work, partner};
use policy::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::idempotency::{self, Key};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Page, Segment, Two};
use super::session::hashing;
use crate::server::session::Caller;

/// How somebody without a node is reached.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaysOf {
    /// `mail+pgp`, `mail+smime` or `phone`.
    pub reach: String,
    /// The mail address.
    #[serde(default)]
    pub mail: Option<String>,
    /// The number that is called at any hour, with its country: `+373 22 …`.
    pub telephone: String,
    /// The PGP public key (armoured) or the S/MIME certificate (PEM). Without one a mail says only that there is something.
    #[serde(default)]
    pub key: Option<String>,
}

/// A partner without a node.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReached {
    /// Its country.
    pub country: String,
    /// Its name for people.
    pub name: String,
    /// What it is to us: `eu-state`, `third-country`, `provider` …
    pub class: String,
    /// How it is reached.
    pub ways: WaysOf,
}

/// A partner without a node, as it is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachedPartner {
    /// The name that stands for it in audiences.
    pub origin: String,
    /// Its country.
    pub country: String,
    /// Its name for people.
    pub name: String,
    /// `awaiting-confirmation` until a person has called it, then `active`.
    pub state: String,
    /// `mail+pgp`, `mail+smime` or `phone`.
    pub reach: String,
    /// The mail address.
    pub mail: Option<String>,
    /// The number.
    pub telephone: String,
    /// The fingerprint of its key, in hexadecimal digits: it is compared over the telephone.
    pub fingerprint: Option<String>,
}

/// Reads the ways; the key is looked at by the program that will encrypt with it.
async fn read(app: &App, told: WaysOf) -> Result<Ways, Refusal> {
    let reach: Reach = told.reach.parse().map_err(Refusal::unreadable)?;
    let key = match (told.key.filter(|key| !key.trim().is_empty()), standard(reach)) {
        (None, _) => None,
        (Some(_), None) => return Err(ReachError::NoUse.into()),
        (Some(text), Some(standard)) => {
            let bytes = text.into_bytes();
            let fingerprint = app.ctx.cipher.key(standard, bytes.clone()).await?;
            Some(PartnerKey { bytes, fingerprint })
        }
    };
    let mail = told.mail.filter(|mail| !mail.is_empty());
    Ok(Ways { reach, mail, telephone: told.telephone, key })
}

fn standard(reach: Reach) -> Option<MailStandard> {
    match reach {
        Reach::MailPgp => Some(MailStandard::Pgp),
        Reach::MailSmime => Some(MailStandard::Smime),
        Reach::Node | Reach::Misp | Reach::Taxii | Reach::Phone => None,
    }
}

fn shown(row: &store::PartnerRow, ways: &store::ReachedRow) -> ReachedPartner {
    ReachedPartner {
        origin: row.origin.to_string(),
        country: row.origin.country().to_string(),
        name: row.name.clone(),
        state: row.state.word().to_owned(),
        reach: row.reach.to_string(),
        mail: ways.mail.clone(),
        telephone: ways.telephone.clone(),
        fingerprint: ways.key.as_ref().map(|(_, fingerprint)| fingerprint.clone()),
    }
}

/// Adds a partner without a node. It gets nothing until its people were called, the fingerprint of the key was compared,
/// and it is confirmed.
#[utoipa::path(post, path = "/partners/reached", tag = "partners", request_body = NewReached, responses(
    (status = OK, body = ReachedPartner),
    (status = CONFLICT, body = ProblemDetails, content_type = "application/problem+json"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    input: Input<NewReached>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManagePartners)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let NewReached { country, name, class, ways } = input.value;
    let country: Country = country.parse().map_err(Refusal::unreadable)?;
    let class: PartnerClass = class.parse().map_err(Refusal::unreadable)?;
    let new = NewPartner { country, name, class, ways: read(&app, ways).await? };
    let command = move |work: &mut Work<'_, '_>| {
        let row = use_case::add(work, &new, &caller.actor)?;
        Ok(shown(&row, &use_case::of(work.tx, &row)?))
    };
    idempotency::once(&app, bound, command).await
}

/// How a partner without a node is reached.
#[utoipa::path(get, path = "/partners/{partner}/reach", tag = "partners", params(("partner" = String, Path)), responses(
    (status = OK, body = ReachedPartner),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn of(
    State(app): State<App>,
    caller: Caller,
    Segment(name): Segment,
) -> Result<Json<ReachedPartner>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let found = app.node().read(move |view| {
        let row = partner::find(view.db, &name)?;
        let ways = use_case::of(view.db, &row)?;
        Ok::<_, ReachError>(shown(&row, &ways))
    });
    Ok(Json(found.await?))
}

/// Changes how a partner without a node is reached. With another key, way or address it waits for a call again.
#[utoipa::path(put, path = "/partners/{partner}/reach", tag = "partners", params(("partner" = String, Path)),
    request_body = WaysOf, responses(
        (status = OK, body = ReachedPartner),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Segment(name): Segment,
    key: Key,
    input: Input<WaysOf>,
) -> Result<Response, Refusal> {
    caller.actor.require(Permission::ManagePartners)?;
    let bound = key.bind(&caller.actor.login, &input.bytes);
    let ways = read(&app, input.value).await?;
    let command = move |work: &mut Work<'_, '_>| {
        let row = use_case::change(work, &name, &ways, &caller.actor)?;
        Ok(shown(&row, &use_case::of(work.tx, &row)?))
    };
    idempotency::once(&app, bound, command).await
}

/// A letter to a partner without a node.
#[derive(Debug, Serialize, ToSchema)]
pub struct LetterOf {
    /// Its number, which the subject of the mail has too.
    pub number: i64,
    /// Which statement of ours: `FR:12`.
    pub entry: String,
    /// Since when it is to go out.
    pub queued: String,
    /// `waiting`, `sending`, `sent`, `noticed` (the mail says only that there is something), `failed`, `call` (there is no
    /// mail address), or `denied` (it was taken back, or is no longer for them).
    pub fate: &'static str,
    /// How often it was tried.
    pub tries: u32,
    /// Why it did not go out.
    pub why: Option<String>,
}

/// The newest letters to a partner without a node, at most a hundred.
#[utoipa::path(get, path = "/partners/{partner}/letters", tag = "partners", params(("partner" = String, Path)), responses(
    (status = OK, body = Page<LetterOf>),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn letters(
    State(app): State<App>,
    caller: Caller,
    Segment(name): Segment,
) -> Result<Json<Page<LetterOf>>, Refusal> {
    caller.actor.require(Permission::Read)?;
    let found = app.node().read(move |view| {
        let row = partner::find(view.db, &name)?;
        let viewer = caller.actor.viewer(&view.me.origin);
        letters_of(view, &viewer, &row)
    });
    Ok(Json(Page::whole(found.await?)))
}

/// Letters about what the viewer may see: of anything else not even that there is a letter.
fn letters_of(view: &View<'_, '_>, viewer: &Viewer, row: &store::PartnerRow) -> Result<Vec<LetterOf>, ReachError> {
    use_case::of(view.db, row)?;
    let shown = use_case::post::letters(view, viewer, row)?.into_inner();
    let letter = |(entry, letter): (model::EntryRef, store::LetterRow)| LetterOf {
        number: letter.id,
        entry: entry.to_string(),
        queued: letter.queued.to_string(),
        fate: letter.fate.word(),
        tries: letter.tries,
        why: letter.why,
    };
    Ok(shown.into_iter().map(letter).collect())
}

/// A code for the answer page, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerCode {
    /// The letter whose link it opens.
    pub number: i64,
    /// Eight digits, to be told over the telephone.
    pub code: String,
}

/// Gives the code that opens the answer page of a letter: for an hour, for one answer, bearing five mistakes. Tell it over
/// the telephone; the link is in the letter.
#[utoipa::path(post, path = "/partners/{partner}/letters/{number}/code", tag = "partners",
    params(("partner" = String, Path), ("number" = i64, Path)), responses(
        (status = OK, body = AnswerCode),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn code(State(app): State<App>, caller: Caller, Two(name, number): Two) -> Result<Json<AnswerCode>, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let number: i64 = number.parse().map_err(|_| Refusal::unreadable("a letter is named by its number"))?;
    let draw = app.write(|work| Ok(CodeDraw::new(work.random))).await?;
    let code = draw.code.clone();
    let hash = hashing(&app, move || draw.hash()).await??;
    app.write(move |work| Ok(answer::new_code(work, &name, number, &hash)?)).await?;
    Ok(Json(AnswerCode { number, code }))
}

impl From<AnswerError> for Refusal {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Store(error) => error.into(),
            AnswerError::Assist(error) => error.into(),
            AnswerError::Partner(error) => error.into(),
            AnswerError::NoLetter(_) => Self::kind(StatusCode::NOT_FOUND, "letter", "There is no such letter", &error),
            AnswerError::Code => Self::kind(StatusCode::UNAUTHORIZED, "letter", "It opens nothing", &error),
        }
    }
}

impl From<ReachError> for Refusal {
    fn from(error: ReachError) -> Self {
        let status = match error {
            ReachError::Partner(error) => return error.into(),
            ReachError::Taken(_) | ReachError::HasNode(_) | ReachError::TooMany => StatusCode::CONFLICT,
            ReachError::Name
            | ReachError::Way(_)
            | ReachError::Mail(_)
            | ReachError::Telephone(_)
            | ReachError::NoMail
            | ReachError::NoUse => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::kind(status, "partner", "The partner can't be reached so", &error)
    }
}

impl From<CipherError> for Refusal {
    fn from(error: CipherError) -> Self {
        Self::kind(StatusCode::UNPROCESSABLE_ENTITY, "key", "The key can't be used", &error)
    }
}
