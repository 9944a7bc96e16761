//! `/guest/…`: a guest reads one RED statement, by a link and a one-time code. Every link has the same form, and whatever
//! is wrong has one answer: who tries learns nothing, not even whether there ever was such a link.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::BASE64URL_NOPAD;
use maud::{Markup, html};
use node::guest::{self, Reading};
use node::red::RedError;

use super::super::api::App;
use super::super::api::limits;
use super::super::api::red::untoken;
use super::super::api::refusal::Refusal;
use super::super::api::request::Segment;
use super::super::api::session::hashing;
use super::super::session::{cookie, cookie_name};
use super::frame::{Frame, brand, notice};
use super::posted::Open;
use super::red::content;
use super::text::{plain, time};

/// The form for the code; with the cookie of a running reading, the statement.
pub async fn page(State(app): State<App>, Segment(link): Segment, headers: HeaderMap) -> Result<Response, Refusal> {
    let token = cookie(&headers, &name_of(&app));
    if let (Ok(link), Some(token)) = (untoken(&link), token) {
        match reading(&app, link, token).await {
            Ok(shown) => return Ok(shown.into_response()),
            Err(Refusal(problem)) if problem.status == 404 => {}
            Err(other) => return Err(other),
        }
    }
    Ok(form(&app, false).into_response())
}

/// Begins a reading.
pub async fn begin(State(app): State<App>, Segment(link): Segment, Open(fields): Open) -> Result<Response, Refusal> {
    let code = fields.text("code").to_owned();
    let (Ok(wanted), true) = (untoken(&link), code.len() <= limits::CREDENTIAL_BYTES) else { return Ok(wrong(&app)) };
    let candidate = app.node().read(move |view| guest::candidate(view, &wanted)).await?;
    let checked = hashing(&app, move || candidate.check(&code)).await?;
    let begun = app.node().write_quietly(move |work| guest::begin(work, &checked)).await?;
    let Some(token) = begun else { return Ok(wrong(&app)) };
    let set = set_cookie(&app, &token);
    let back = format!("/guest/{}", link.to_ascii_lowercase());
    Ok(([(header::SET_COOKIE, set)], Redirect::to(&back)).into_response())
}

fn wrong(app: &App) -> Response {
    (StatusCode::UNAUTHORIZED, form(app, true)).into_response()
}

/// The statement, after the row of the ledger.
async fn reading(app: &App, link: [u8; 16], token: [u8; 32]) -> Result<Markup, Refusal> {
    let found = app.node().read(move |view| guest::read(view, &link, &token)).await?;
    if found.statement.as_ref().body.is_none() {
        return Err(RedError::NotFound.into());
    }
    let statement = found.statement.as_ref().object.row.statement;
    app.node().write_quietly(move |work| guest::note(work, &link, &token, statement)).await?;
    let Reading { guest, invited_by, statement } = found;
    let mark = html! { "Shown to " strong { (plain(&guest.name)) } " at " (time(&app.node().now().to_string())) };
    let until = guest.session.map_or(guest.expires, |(_, until)| until.min(guest.expires));
    let body = html! {
        p class="inside" {
            strong { (plain(&invited_by)) } " of " (plain(&app.node().me().name)) " invited you, until "
            (time(&guest.expires.to_string())) ". This page can be read until " (time(&until.to_string()))
            "; after that ask for another code."
        }
        (content(&statement.into_inner(), &mark))
    };
    Ok(Frame::outside(app).page("For one guest", &body))
}

fn form(app: &App, failed: bool) -> Markup {
    let body = html! {
        div class="card narrow login" {
            p class="brand dark" { (brand()) "Entraide" }
            h1 { "You were invited to read" }
            @if failed {
                (notice("bad", "That did not fit: the link or the code is wrong, was used or taken back, or its time is \
                                over. Telephone whoever invited you, and ask for a new code."))
            }
            form method="post" {
                label for="code" { "One-time code" }
                input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 \\-]{8,12}"
                    aria-describedby="code-hint" required autofocus;
                p id="code-hint" class="quiet" { "Eight digits, told to you over the telephone. They open once." }
                button { "Read" }
            }
            p class="quiet" { "Each opening is noted with your name and the time." }
        }
    };
    Frame::outside(app).page("For one guest", &body)
}

/// A cookie of its own: a guest is never a session of a person.
fn name_of(app: &App) -> String {
    format!("{}_guest", cookie_name(app))
}

fn set_cookie(app: &App, token: &[u8; 32]) -> String {
    let (name, value, seconds) = (name_of(app), BASE64URL_NOPAD.encode(token), node::limits::GUEST_READING_SECONDS);
    let secure = if app.ctx.plain_http { "" } else { "; Secure" };
    format!("{name}={value}; Path=/guest; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}
