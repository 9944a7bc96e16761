//! `/red`: a named person opens what is RED, one statement at a time. Each opening is a row of the ledger before anything
//! is shown; those who speak for the nation name readers and invite guests here.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::EntryRef;
use node::Permission;
use node::query::objects::{Object, ObjectDetail};
use node::red;

use super::super::api::App;
use super::super::api::ledger::Given;
use super::super::api::red::{self as api, GuestAccess, InviteGuest, NameReader, RedStanding, untoken};
use super::super::api::refusal::Refusal;
use super::super::api::request::{Segment, Two};
use super::super::session::{By, Caller};
use super::frame::{Frame, commitment, notice, scrolling, tlp};
use super::json::indented;
use super::posted::Posted;
use super::text::{plain, time};

/// A person at a screen: a program with a token is nobody who reads in its own name.
fn at_a_screen(caller: &Caller) -> Result<(), Refusal> {
    match caller.by {
        By::Session { .. } => Ok(()),
        By::Token | By::LocalSocket => Err(Refusal::not_found()),
    }
}

/// Leads to the first statement that is for the caller; there is no list.
pub async fn first(State(app): State<App>, caller: Caller) -> Result<Redirect, Refusal> {
    at_a_screen(&caller)?;
    let actor = caller.actor;
    let addresses = app.node().read(move |view| red::addresses(view, &actor)).await?;
    let address = addresses.first().ok_or_else(Refusal::not_found)?;
    Ok(Redirect::to(&api::path_of(address)))
}

/// What stands around one statement.
struct Cover {
    path: String,
    entry: String,
    commitment: String,
    arrived: String,
    /// Which of how many for this person, from 1; and where the next one is.
    place: (usize, usize),
    next: Option<String>,
    standing: Option<RedStanding>,
}

/// The cover: that there is a statement, and what opening it means. Nothing of it is shown or noted yet.
pub async fn cover(State(app): State<App>, caller: Caller, Segment(address): Segment) -> Result<Markup, Refusal> {
    let cover = covering(&app, &caller, &address).await?;
    let frame = Frame::of_nowhere(&app, &caller);
    Ok(frame.page("RED statement", &cover_body(&frame, &cover, None)))
}

async fn covering(app: &App, caller: &Caller, address: &str) -> Result<Cover, Refusal> {
    at_a_screen(caller)?;
    let address = untoken(address)?;
    let actor = caller.actor.clone();
    let read = move |view: &node::View<'_, '_>| {
        Ok::<_, red::RedError>((red::cover(view, &address, &actor)?, red::addresses(view, &actor)?))
    };
    let (object, addresses) = app.node().read(read).await?;
    let at = addresses.iter().position(|one| *one == address).unwrap_or(0);
    let next = addresses.get((at + 1) % addresses.len().max(1)).filter(|next| **next != address);
    let object = object.into_inner();
    let name = EntryRef::of(&object.origin, object.row.index);
    let speaks = caller.actor.require(Permission::Speak).is_ok();
    Ok(Cover {
        path: api::path_of(&address),
        entry: name.to_string(),
        commitment: object.row.commitment.to_string(),
        arrived: object.arrived.to_string(),
        place: (at + 1, addresses.len()),
        next: next.map(api::path_of),
        standing: if speaks { Some(api::read(app, caller, name).await?) } else { None },
    })
}

/// The address of a form that was opened without sending it leads to the cover.
pub async fn back(Segment(address): Segment) -> Result<Redirect, Refusal> {
    Ok(Redirect::to(&api::path_of(&untoken(&address)?)))
}

/// The same, of a guest's form.
pub async fn back_from_guest(Two(address, _): Two) -> Result<Redirect, Refusal> {
    back(Segment(address)).await
}

/// The statement itself, after the row of the ledger.
pub async fn open(State(app): State<App>, Segment(address): Segment, posted: Posted) -> Result<Markup, Refusal> {
    let caller = posted.caller;
    at_a_screen(&caller)?;
    let frame = Frame::of_nowhere(&app, &caller);
    let (wanted, actor) = (untoken(&address)?, caller.actor.clone());
    let found = app.node().read(move |view| red::read(view, &wanted, &actor)).await?;
    if found.as_ref().body.is_none() {
        return Err(Refusal::not_found());
    }
    let (statement, actor) = (found.as_ref().object.row.statement, caller.actor.clone());
    app.node().write_quietly(move |work| red::note(work, statement, &actor)).await?;
    let name = match &caller.by {
        By::Session { name, .. } => name.clone(),
        By::Token | By::LocalSocket => caller.actor.login.clone(),
    };
    let now = app.node().now().to_string();
    let mark = html! { "Shown to " strong { (plain(&name)) } " (" (caller.actor.login) ") at " (time(&now)) };
    let detail = found.into_inner();
    let body = html! {
        p class="crumbs" { a href=(api::path_of(&wanted)) { "RED statement" } " / opened" }
        (content(&detail, &mark))
        form method="get" action=(api::path_of(&wanted)) { button class="plain" { "Close it" } }
    };
    Ok(frame.page("RED statement, opened", &body))
}

/// A RED statement as a reader sees it: marked with the reader above and below, as text, with nothing to take along.
pub fn content(detail: &ObjectDetail, mark: &Markup) -> Markup {
    let Object { row, .. } = &detail.object;
    let text = detail.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    html! {
        h1 { bdi { (plain(row.title.as_deref().unwrap_or(row.stix_id.type_name()))) } }
        p class="labels" { (tlp("red")) " " (row.stix_id.type_name()) }
        section class="card red" aria-labelledby="red-title" {
            div class="head" { h2 id="red-title" { "What it says" } span class="quiet" { (row.media.as_str()) } }
            p class="watermark inside" { (mark) }
            pre class="body" tabindex="0" role="region" aria-label="The statement as it was said" { (indented(&text)) }
            p class="watermark inside" { (mark) }
            p class="inside quiet" {
                "For your eyes and ears: do not copy, print or pass it on. This opening is in the ledger of its owner."
            }
        }
    }
}

fn cover_body(frame: &Frame, cover: &Cover, told: Option<&Markup>) -> Markup {
    let (at, all) = cover.place;
    html! {
        h1 { "A RED statement is for you" }
        p class="labels" { (tlp("red")) @if all > 1 { " " span class="quiet" { (at) " of " (all) } } }
        @if let Some(told) = told { (told) }
        section class="card" aria-labelledby="open-title" {
            div class="head" { h2 id="open-title" { "Open it" } }
            dl class="facts inside" {
                div { dt { "Entry" } dd { code { (cover.entry) } } }
                div { dt { "Commitment" } dd { (commitment(&cover.commitment)) } }
                div { dt { "Said" } dd { (time(&cover.arrived)) } }
            }
            form class="inside" method="post" action={ (cover.path) "/open" } {
                (frame.csrf())
                p { "Opening it is noted with your name and the time. It is for you alone: nobody else sees that it exists." }
                button { "Open it now" }
            }
            @if let Some(next) = &cover.next { p class="inside" { a href=(next) { "The next one that is for you" } } }
        }
        @if let Some(standing) = &cover.standing { (standing_cards(frame, &cover.path, standing)) }
    }
}

fn standing_cards(frame: &Frame, path: &str, standing: &RedStanding) -> Markup {
    html! {
        (readers(frame, path, standing))
        (guests(frame, path, standing))
        section class="card" aria-labelledby="openings-title" {
            div class="head" { h2 id="openings-title" { "Who has opened it" } span class="quiet" { (standing.openings.len()) } }
            @if standing.openings.is_empty() { p class="inside" { "Nobody yet." } } @else { (openings(&standing.openings)) }
        }
    }
}

fn readers(frame: &Frame, path: &str, standing: &RedStanding) -> Markup {
    html! {
        section class="card" aria-labelledby="readers-title" {
            div class="head" { h2 id="readers-title" { "Named readers" } span class="quiet" { (standing.readers.len()) } }
            ul class="inside" {
                @for reader in &standing.readers {
                    li {
                        form method="post" action={ (path) "/readers" } {
                            (frame.csrf())
                            input type="hidden" name="login" value=(reader.login);
                            strong { (plain(&reader.name)) } " (" (reader.login) "), named by " (plain(&reader.named_by)) " "
                            (time(&reader.at)) " "
                            button class="plain" name="to" value="remove" aria-label={ "Remove " (reader.login) } { "Remove" }
                        }
                    }
                }
            }
            form class="inside stacked" method="post" action={ (path) "/readers" } {
                (frame.csrf())
                label for="login" { "Login of one more reader" }
                input id="login" name="login" autocapitalize="none" spellcheck="false" required;
                button class="secondary" name="to" value="add" { "Name this reader" }
            }
        }
    }
}

fn guests(frame: &Frame, path: &str, standing: &RedStanding) -> Markup {
    html! {
        section class="card" aria-labelledby="guests-title" {
            div class="head" { h2 id="guests-title" { "Guests" } span class="quiet" { "by link and one-time code" } }
            ul class="inside" {
                @for guest in &standing.guests {
                    li {
                        strong { (plain(&guest.name)) } ", " (plain(&guest.contact)) ", invited by " (plain(&guest.invited_by))
                        @if let Some(at) = &guest.revoked { ", revoked " (time(at)) } @else {
                            ", until " (time(&guest.expires))
                            form class="buttons" method="post" action={ (path) "/guests/" (guest.id) } {
                                (frame.csrf())
                                button class="plain" name="to" value="code" aria-label={ "New code for " (plain(&guest.name)) } {
                                    "New code"
                                }
                                button class="plain" name="to" value="revoke" aria-label={ "Revoke " (plain(&guest.name)) } {
                                    "Revoke"
                                }
                            }
                        }
                    }
                }
            }
            form class="inside stacked" method="post" action={ (path) "/guests" } {
                (frame.csrf())
                label for="guest-name" { "Name of a guest" }
                input id="guest-name" name="name" maxlength="200" autocomplete="off" required;
                label for="guest-contact" { "Telephone number or address that you know" }
                input id="guest-contact" name="contact" maxlength="200" autocomplete="off" required;
                label for="guest-hours" { "For how many hours" }
                input id="guest-hours" name="hours" type="number" min="1" max="720" value="24" required;
                button class="secondary" { "Invite this guest" }
            }
        }
    }
}

fn openings(rows: &[Given]) -> Markup {
    scrolling(
        "Table of openings",
        &html! {
            table {
                caption { "Newest first" }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Where" } } }
                tbody {
                    @for row in rows { tr { td { (time(&row.at)) } th scope="row" { (plain(&row.who)) } td { (row.face) } } }
                }
            }
        },
    )
}

/// The statement that is managed at an address.
async fn managed(app: &App, caller: &Caller, address: &str) -> Result<(Cover, String), Refusal> {
    let cover = covering(app, caller, address).await?;
    let entry = cover.standing.as_ref().map(|standing| standing.entry.clone()).ok_or_else(Refusal::not_found)?;
    Ok((cover, entry))
}

/// Names or removes a reader.
pub async fn change_readers(
    State(app): State<App>,
    Segment(address): Segment,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    let (cover, entry) = managed(&app, &caller, &address).await?;
    let login = fields.text("login").to_owned();
    let done = if fields.text("to") == "remove" {
        api::remove_reader(State(app.clone()), caller.clone(), Two(entry, login)).await.map(|_| ())
    } else {
        let input = fields.input(NameReader { login });
        api::add_reader(State(app.clone()), caller.clone(), Segment(entry), input).await.map(|_| ())
    };
    match done {
        Ok(()) => Ok(Redirect::to(&cover.path).into_response()),
        Err(refusal) => again(&app, &caller, &cover, refusal),
    }
}

/// A refusal above the form that it came from; whatever is no mistake of the form is a page of its own.
fn again(app: &App, caller: &Caller, cover: &Cover, Refusal(problem): Refusal) -> Result<Response, Refusal> {
    if problem.status != 422 {
        return Err(Refusal(problem));
    }
    let told = notice("bad", problem.detail.as_deref().unwrap_or(&problem.title));
    let frame = Frame::of_nowhere(app, caller);
    let page = frame.page("RED statement", &cover_body(&frame, cover, Some(&told)));
    Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// Invites a guest: link and code are shown once.
pub async fn invite(
    State(app): State<App>,
    Segment(address): Segment,
    asked: Asked,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    let (cover, entry) = managed(&app, &caller, &address).await?;
    let (name, contact) = (fields.text("name").to_owned(), fields.text("contact").to_owned());
    let hours = fields.text("hours").parse().unwrap_or(0);
    let input = fields.input(InviteGuest { name: name.clone(), contact, hours });
    match api::invite(State(app.clone()), caller.clone(), Segment(entry), input).await {
        Ok(made) => shown_once(&app, &caller, &address, &access(&asked, &name, &made.0)).await,
        Err(refusal) => again(&app, &caller, &cover, refusal),
    }
}

/// Gives a guest a new code, or revokes the guest.
pub async fn change_guest(
    State(app): State<App>,
    Two(address, id): Two,
    asked: Asked,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    let (cover, entry) = managed(&app, &caller, &address).await?;
    if fields.text("to") == "code" {
        let made = api::code(State(app.clone()), caller.clone(), Two(entry, id)).await?;
        return shown_once(&app, &caller, &address, &access(&asked, "the guest", &made.0)).await;
    }
    api::revoke(State(app.clone()), caller.clone(), Two(entry, id)).await?;
    Ok(Redirect::to(&cover.path).into_response())
}

async fn shown_once(app: &App, caller: &Caller, address: &str, told: &Markup) -> Result<Response, Refusal> {
    let cover = covering(app, caller, address).await?;
    let frame = Frame::of_nowhere(app, caller);
    Ok(frame.page("RED statement", &cover_body(&frame, &cover, Some(told))).into_response())
}

/// The address by which the person reached this node: a guest is sent to the same.
pub struct Asked(String);

impl FromRequestParts<App> for Asked {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        // HTTP/2 says it in the request itself, HTTP/1.1 in a header (RFC 9110 §7.2).
        let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = parts.uri.authority().map(|authority| authority.as_str()).or(named).unwrap_or_default();
        let scheme = if app.ctx.plain_http { "http" } else { "https" };
        Ok(Self(format!("{scheme}://{host}")))
    }
}

/// Link and code, for the one time at which they are shown.
fn access(asked: &Asked, name: &str, made: &GuestAccess) -> Markup {
    html! {
        section class="card" role="status" aria-labelledby="access-title" {
            div class="head" { h2 id="access-title" { "For " (plain(name)) ", shown once" } }
            dl class="facts inside" {
                @if let Some(path) = &made.path {
                    div { dt { "Link, to be sent" } dd { code class="whole" { (plain(&asked.0)) (path) } } }
                }
                div { dt { "Code, to be told over the telephone" } dd { strong { (made.code) } } }
                div { dt { "The code opens once, until" } dd { (time(&made.code_expires)) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Role;

    use super::super::frame::tests::frame;
    use super::*;

    #[test]
    fn what_strangers_call_themselves_is_never_markup() {
        let guest = api::Guest {
            id: "00".repeat(16),
            name: "<script>x\u{202e}".to_owned(),
            contact: "\"><img src=x>".to_owned(),
            invited_by: "anna".to_owned(),
            made: "2026-11-24T13:54:00.000000Z".to_owned(),
            expires: "2026-11-25T13:54:00.000000Z".to_owned(),
            revoked: None,
            code_waits: true,
        };
        let standing = RedStanding {
            entry: "FR:1".to_owned(),
            path: None,
            readers: Vec::new(),
            guests: vec![guest],
            openings: Vec::new(),
        };
        let text = standing_cards(&frame(Role::DutyOfficer), "/red/x", &standing).into_string();
        assert!(text.contains("&lt;script&gt;") && !text.contains("<script") && !text.contains("<img"), "{text}");
        assert!(!text.contains('\u{202e}') && text.contains("Nobody yet"), "{text}");
    }
}
