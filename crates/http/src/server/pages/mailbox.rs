//! `/mailbox`: mail of partners without a node, and what a person makes of it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::super::api::App;
use super::super::api::assistance::relay::ToldBy;
use super::super::api::mailbox::{self, MailOf, ReadAs, SetAside};
use super::super::api::refusal::Refusal;
use super::super::api::request::Segment;
use super::super::session::Caller;
use super::frame::{Frame, Place, notice};
use super::posted::Posted;
use super::text::{plain, time};

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    shown(&app, caller, &html! {}).await
}

async fn shown(app: &App, caller: Caller, above: &Markup) -> Result<Markup, Refusal> {
    let frame = Frame::of(app, &caller, Place::Partners);
    let Json(page) = mailbox::list(State(app.clone()), caller).await?;
    let body = html! {
        h1 { "Mailbox" }
        (above)
        p class="quiet" { "Mail of partners without a node. Nothing of it is done by itself." }
        @if page.items.is_empty() { p { "No mail." } }
        @for mail in &page.items { (card(&frame, mail)) }
    };
    Ok(frame.page("Mailbox", &body))
}

fn card(frame: &Frame, mail: &MailOf) -> Markup {
    let signed = mail.signature == "good";
    html! {
        section class="card" aria-label={ "Mail " (mail.number) } {
            div class="head" {
                h2 {
                    "Mail " (mail.number) ": "
                    @if let (true, Some(partner)) = (signed, &mail.partner) { "signed by " (partner) }
                    @else { "claims to be of " (plain(&mail.claims)) }
                }
                span class="quiet" { (mail.state) ", " (time(&mail.received)) }
            }
            div class="inside" {
                p {
                    "Subject: " (plain(&mail.subject)) ". Signature: " strong { (mail.signature) }
                    @if mail.encrypted { ", encrypted" } @else { ", not encrypted" } "."
                }
                @if !signed {
                    p { "No key that was compared by telephone has signed it. Call them before you believe it." }
                }
                pre class="note" tabindex="0" role="region" aria-label={ "Text of mail " (mail.number) } { (plain(&mail.text)) }
                @if !mail.files.is_empty() { ul { @for file in &mail.files { li { (plain(file)) } } } }
                @if let Some(outcome) = &mail.outcome {
                    p class="quiet" {
                        (plain(outcome)) @if let Some(by) = &mail.decided_by { ", decided by " (plain(by)) }
                    }
                }
                @if mail.state == "waiting" {
                    @if signed { (relay_form(frame, mail)) }
                    (dismiss_form(frame, mail))
                }
            }
        }
    }
}

fn relay_form(frame: &Frame, mail: &MailOf) -> Markup {
    let id = |name: &str| format!("{name}-{}", mail.number);
    html! {
        details {
            summary { "Take it down as their answer…" }
            form class="stacked" method="post" action={ "/mailbox/" (mail.number) "/relay" } {
                (frame.csrf())
                label for=(id("entry")) { "Our call for help, or the acceptance that it is about" }
                input id=(id("entry")) name="entry" placeholder="FR:12" maxlength="40" required;
                label for=(id("says")) { "What it says" }
                select id=(id("says")) name="says" {
                    @for word in ["yes", "maybe", "no", "withdrawn", "sign", "decline", "acknowledge", "done", "end"] {
                        option value=(word) { (word) }
                    }
                }
                label for=(id("said-by")) { "Who says it there: name and office" }
                input id=(id("said-by")) name="said_by" maxlength="200" required;
                label for=(id("call")) { "Whom to call; of an answer" }
                input id=(id("call")) name="call" maxlength="200";
                button { "It says so" }
            }
        }
    }
}

fn dismiss_form(frame: &Frame, mail: &MailOf) -> Markup {
    html! {
        details {
            summary { "Set it aside…" }
            form class="stacked" method="post" action={ "/mailbox/" (mail.number) "/dismiss" } {
                (frame.csrf())
                label for={ "reason-" (mail.number) } { "Why" }
                input id={ "reason-" (mail.number) } name="reason" maxlength="200" required;
                button class="secondary" { "Set aside" }
            }
        }
    }
}

/// The address of a form that was opened without sending it leads to the list.
pub async fn back() -> Redirect {
    Redirect::to("/mailbox")
}

/// Makes a mail the relayed word of its partner.
pub async fn relay(State(app): State<App>, number: Segment, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let read_as = ReadAs {
        entry: fields.text("entry").to_owned(),
        told: ToldBy {
            partner: String::new(),
            said_by: fields.text("said_by").to_owned(),
            said_at: None,
            says: fields.text("says").to_owned(),
            call: Some(fields.text("call").to_owned()).filter(|call| !call.is_empty()),
            payer: None,
            valid_until: None,
            note: None,
            lines: Vec::new(),
        },
    };
    let done = mailbox::relay(State(app.clone()), caller.clone(), number, key, fields.input(read_as)).await;
    told(&app, caller, done.map(|_| ())).await
}

/// Sets a mail aside.
pub async fn dismiss(State(app): State<App>, number: Segment, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let aside = SetAside { reason: fields.text("reason").to_owned() };
    let done = mailbox::dismiss(State(app.clone()), caller.clone(), number, key, fields.input(aside)).await;
    told(&app, caller, done.map(|_| ())).await
}

async fn told(app: &App, caller: Caller, done: Result<(), Refusal>) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(Redirect::to("/mailbox").into_response()),
        Err(Refusal(problem)) if problem.status == 403 || problem.status == 500 => Err(Refusal(problem)),
        Err(Refusal(problem)) => {
            let status =
                axum::http::StatusCode::from_u16(problem.status).unwrap_or(axum::http::StatusCode::BAD_REQUEST);
            let above = notice("bad", problem.detail.as_deref().unwrap_or(&problem.title));
            Ok((status, shown(app, caller, &above).await?).into_response())
        }
    }
}
