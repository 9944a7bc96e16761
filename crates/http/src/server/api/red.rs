//! `/red`: who may read what is RED, and who has. The content itself is read on a page alone, one statement at a time.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use data_encoding::BASE32_NOPAD;
use model::EntryRef;
use node::guest::{self, CodeDraw, GuestError, NewGuest};
use node::red::{self, RedError};
use policy::GuestId;
use serde::{Deserialize, Serialize};
use store::GuestRow;
use utoipa::ToSchema;

use super::App;
use super::ledger::{Given, given};
use super::refusal::{ProblemDetails, Refusal};
use super::request::{Input, Segment, Two};
use super::session::hashing;
use crate::server::session::Caller;

/// How many RED statements the caller may read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForYou {
    /// The number, and nothing else: they are opened one at a time at `/red`.
    pub count: usize,
}

/// Who may read a RED statement, and who has.
#[derive(Debug, Serialize, ToSchema)]
pub struct RedStanding {
    /// The statement: `FR:12`.
    pub entry: String,
    /// The page on which its readers open it; `null` before somebody was named.
    pub path: Option<String>,
    /// Own people who are named.
    pub readers: Vec<NamedReader>,
    /// Guests, also those whose time is over.
    pub guests: Vec<Guest>,
    /// Who opened it, newest first.
    pub openings: Vec<Given>,
}

/// An own person who is named.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedReader {
    /// The login.
    pub login: String,
    /// The name for people.
    pub name: String,
    /// By whom: a login, or `machine`.
    pub named_by: String,
    /// Since when.
    pub at: String,
}

/// Somebody to name.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NameReader {
    /// The login of an account that reads content.
    pub login: String,
}

/// A person without an account who may read one RED statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct Guest {
    /// By what the guest is revoked.
    pub id: String,
    /// The guest's name.
    pub name: String,
    /// How the guest is reached.
    pub contact: String,
    /// Who invited: a login, or `machine`.
    pub invited_by: String,
    /// Since when.
    pub made: String,
    /// Until when.
    pub expires: String,
    /// When the invitation was taken back.
    pub revoked: Option<String>,
    /// Does a code wait to be used?
    pub code_waits: bool,
}

/// Somebody to invite.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InviteGuest {
    /// The guest's name, as the page shows it.
    pub name: String,
    /// How the guest is reached: a telephone number that you know, an address.
    pub contact: String,
    /// For how many hours: 1 to 720.
    pub hours: u32,
}

/// What a guest needs, shown once.
#[derive(Serialize, ToSchema)]
pub struct GuestAccess {
    /// By what the guest is revoked.
    pub id: String,
    /// Below this node's address; to be sent. It opens nothing without the code. `null` if only the code is new.
    pub path: Option<String>,
    /// Eight digits, to be told over the telephone; they open once.
    pub code: String,
    /// Until when the code opens.
    pub code_expires: String,
    /// Until when the guest may read.
    pub expires: String,
}

/// How many RED statements the caller may read. Everybody else is told 0.
#[utoipa::path(get, path = "/red", tag = "red", responses((status = OK, body = ForYou)))]
pub async fn for_you(State(app): State<App>, caller: Caller) -> Result<Json<ForYou>, Refusal> {
    let actor = caller.actor;
    let addresses = app.node().read(move |view| red::addresses(view, &actor)).await?;
    Ok(Json(ForYou { count: addresses.len() }))
}

/// Who may read a RED statement, and who has: for its named readers who speak for the nation.
#[utoipa::path(get, path = "/red/{entry}", tag = "red", params(("entry" = String, Path)), responses(
    (status = OK, body = RedStanding),
    (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn standing(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
) -> Result<Json<RedStanding>, Refusal> {
    let name = own(&app, &entry)?;
    Ok(Json(read(&app, &caller, name).await?))
}

/// The own entry that is meant; another nation's RED never came here.
fn own(app: &App, entry: &str) -> Result<EntryRef, Refusal> {
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    if name == EntryRef::of(&app.node().me().origin, name.index) { Ok(name) } else { Err(Refusal::not_found()) }
}

/// See [`standing`].
pub(crate) async fn read(app: &App, caller: &Caller, name: EntryRef) -> Result<RedStanding, Refusal> {
    let actor = caller.actor.clone();
    let found = app.node().read(move |view| red::standing(view, name.index, &actor)).await?;
    let reader = |reader: red::Reader| NamedReader {
        login: reader.login,
        name: reader.name,
        named_by: reader.row.named_by,
        at: reader.row.at.to_string(),
    };
    Ok(RedStanding {
        entry: name.to_string(),
        path: found.address.map(|address| path_of(&address)),
        readers: found.readers.into_iter().map(reader).collect(),
        guests: found.guests.into_iter().map(shown).collect(),
        openings: found.openings.into_iter().map(given).collect(),
    })
}

/// The page of a RED statement.
pub(crate) fn path_of(address: &[u8; 16]) -> String {
    format!("/red/{}", token(address))
}

/// Sixteen bytes as people may have to type them.
fn token(bytes: &[u8; 16]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

/// Reads what [`token`] wrote; nothing else is at any address.
pub(crate) fn untoken(text: &str) -> Result<[u8; 16], Refusal> {
    let upper = text.to_ascii_uppercase();
    let bytes = BASE32_NOPAD.decode(upper.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(Refusal::not_found)
}

fn shown(row: GuestRow) -> Guest {
    Guest {
        id: GuestId::new(row.id).to_string(),
        name: row.name,
        contact: row.contact,
        invited_by: row.invited_by,
        made: row.made.to_string(),
        expires: row.expires.to_string(),
        revoked: row.revoked.map(|at| at.to_string()),
        code_waits: row.code.is_some() && row.tries_left > 0,
    }
}

/// Names a reader of a RED statement.
#[utoipa::path(post, path = "/red/{entry}/readers", tag = "red", params(("entry" = String, Path)),
    request_body = NameReader, responses(
        (status = OK, body = RedStanding),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn add_reader(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    input: Input<NameReader>,
) -> Result<Json<RedStanding>, Refusal> {
    let name = own(&app, &entry)?;
    let (by, login) = (caller.actor.clone(), input.value.login);
    app.write(move |work| Ok(red::add_reader(work, name.index, &login, &by)?)).await?;
    Ok(Json(read(&app, &caller, name).await?))
}

/// Takes a reader's name away: access ends at once.
#[utoipa::path(delete, path = "/red/{entry}/readers/{login}", tag = "red",
    params(("entry" = String, Path), ("login" = String, Path)), responses(
        (status = NO_CONTENT),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn remove_reader(
    State(app): State<App>,
    caller: Caller,
    Two(entry, login): Two,
) -> Result<StatusCode, Refusal> {
    let name = own(&app, &entry)?;
    let by = caller.actor;
    app.write(move |work| Ok(red::remove_reader(work, name.index, &login, &by)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invites a guest to read a RED statement. The answer is shown once and kept nowhere.
#[utoipa::path(post, path = "/red/{entry}/guests", tag = "red", params(("entry" = String, Path)),
    request_body = InviteGuest, responses(
        (status = OK, body = GuestAccess),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn invite(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    input: Input<InviteGuest>,
) -> Result<Json<GuestAccess>, Refusal> {
    let name = own(&app, &entry)?;
    let (code, code_hash) = new_code(&app, &caller, name).await?;
    let InviteGuest { name: guest, contact, hours } = input.value;
    let new = NewGuest { name: guest.trim().to_owned(), contact: contact.trim().to_owned(), hours, code_hash };
    let by = caller.actor;
    let made = app.write(move |work| Ok(guest::invite(work, name.index, &new, &by)?)).await?;
    let path = format!("/guest/{}", token(&made.link));
    Ok(Json(GuestAccess { path: Some(path), ..access(code, &made.row) }))
}

fn access(code: String, row: &GuestRow) -> GuestAccess {
    GuestAccess {
        id: GuestId::new(row.id).to_string(),
        path: None,
        code,
        code_expires: row.code.as_ref().map_or(row.expires, |code| code.expires.min(row.expires)).to_string(),
        expires: row.expires.to_string(),
    }
}

/// A code and its hash, made for those alone who may give it: hashing is dear.
async fn new_code(app: &App, caller: &Caller, name: EntryRef) -> Result<(String, String), Refusal> {
    let actor = caller.actor.clone();
    let draw = app
        .write(move |work| {
            red::managed(work.tx, work.me, name.index, &actor)?;
            Ok(CodeDraw::new(work.random))
        })
        .await?;
    let code = draw.code.clone();
    Ok((code, hashing(app, move || draw.hash()).await??))
}

/// Gives a guest the next code; a reading that goes on ends.
#[utoipa::path(post, path = "/red/{entry}/guests/{id}/code", tag = "red",
    params(("entry" = String, Path), ("id" = String, Path)), responses(
        (status = OK, body = GuestAccess),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn code(State(app): State<App>, caller: Caller, Two(entry, id): Two) -> Result<Json<GuestAccess>, Refusal> {
    let (name, id) = (own(&app, &entry)?, GuestId::from_hex(&id).ok_or_else(Refusal::not_found)?);
    let (code, hash) = new_code(&app, &caller, name).await?;
    let by = caller.actor;
    let row = app.write(move |work| Ok(guest::new_code(work, name.index, id, &hash, &by)?)).await?;
    Ok(Json(access(code, &row)))
}

/// Takes an invitation back: access ends at once.
#[utoipa::path(delete, path = "/red/{entry}/guests/{id}", tag = "red",
    params(("entry" = String, Path), ("id" = String, Path)), responses(
        (status = NO_CONTENT),
        (status = NOT_FOUND, body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub async fn revoke(State(app): State<App>, caller: Caller, Two(entry, id): Two) -> Result<StatusCode, Refusal> {
    let (name, id) = (own(&app, &entry)?, GuestId::from_hex(&id).ok_or_else(Refusal::not_found)?);
    let by = caller.actor;
    app.write(move |work| Ok(guest::revoke(work, name.index, id, &by)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<RedError> for Refusal {
    fn from(error: RedError) -> Self {
        match error {
            RedError::Store(error) => error.into(),
            RedError::NotFound => Self::not_found(),
            RedError::Unknown(_) | RedError::ReadsNothing(_) | RedError::NotNamed(_) | RedError::TooMany => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, "reader", "The reader can't be so", &error)
            }
        }
    }
}

impl From<GuestError> for Refusal {
    fn from(error: GuestError) -> Self {
        match error {
            GuestError::Red(error) => error.into(),
            GuestError::Text { .. } | GuestError::Hours(_) | GuestError::TooMany => {
                Self::kind(StatusCode::UNPROCESSABLE_ENTITY, "guest", "The guest can't be so", &error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_length_and_read_back() {
        let bytes = [0xc7; 16];
        assert_eq!(untoken(&token(&bytes)).unwrap(), bytes);
        for bad in ["", "short", "../../etc/passwd", &"a".repeat(27), &"1".repeat(26)] {
            assert_eq!(untoken(bad).unwrap_err().0.status, 404, "{bad}");
        }
    }
}
