//! `/alerts`: whom the node has woken, and who answered; and `/acknowledge`, for a telephone in the night: one button, no
//! account. Opening the link acknowledges nothing, since mail servers open links too.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node::Permission;
use node::alert::{self as use_case, AlertError};

use super::super::api::App;
use super::super::api::alerts::{self, AlertOf, LadderOf, NewDrill};
use super::super::api::refusal::Refusal;
use super::super::api::request::{Page, PageOf, Params, Segment};
use super::super::session::Caller;
use super::frame::{Frame, Place, notice, scrolling, tlp};
use super::limits;
use super::posted::{Open, Posted};
use super::text::{plain, time};

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Roster);
    let Json(ladders) = alerts::ladders(State(app.clone()), caller.clone()).await?;
    let Json(Page { items, .. }) = alerts::list(State(app), caller, Params(PageOf::default())).await?;
    let body = html! {
        h1 { "Alerts" }
        p { a href="/roster" { "The duty roster" } }
        section class="card" aria-labelledby="alerts-title" {
            div class="head" { h2 id="alerts-title" { "Who was woken" } span class="quiet" { (items.len()) } }
            div id="alerts-live" data-live {
                @if items.is_empty() { p class="inside" { "Nobody yet." } }
                @else { (scrolling("Alerts, newest first", &table(&frame, &items))) }
            }
        }
        (ladder_card(&frame, &ladders.items))
    };
    Ok(frame.page("Alerts", &body))
}

/// The address of a form that was opened without sending it leads to the page.
pub async fn back() -> Redirect {
    Redirect::to("/alerts")
}

fn table(frame: &Frame, alerts: &[AlertOf]) -> Markup {
    html! {
        table class="cards" {
            caption { "Alerts, newest first" }
            thead {
                tr {
                    th scope="col" { "Alert" }
                    th scope="col" { "Began" }
                    th scope="col" { "About" }
                    th scope="col" { "Sent to" }
                    th scope="col" { "Answered" }
                }
            }
            tbody {
                @for alert in alerts {
                    tr {
                        th scope="row" {
                            "Alert " (alert.number) ": " (alert.class)
                            @if let Some(tries) = &alert.tries { " of " (plain(tries)) }
                            " " (tlp(&alert.label))
                        }
                        td data-l="Began" { (time(&alert.started)) }
                        td data-l="About" {
                            @for entry in &alert.about { a href={ "/objects/" (entry) } { (entry) } " " }
                            @if alert.about.is_empty() { span class="quiet" { "–" } }
                        }
                        td data-l="Sent to" { (sent_to(alert)) }
                        td data-l="Answered" { (answered(frame, alert)) }
                    }
                }
            }
        }
    }
}

fn sent_to(alert: &AlertOf) -> Markup {
    html! {
        @if alert.notices.is_empty() { span class="quiet" { "nobody yet" } }
        @else {
            ul {
                @for one in &alert.notices {
                    li {
                        "rung " (one.rung) ": " (plain(&one.person)) " by " (one.channel) " " (time(&one.at)) ", " (one.fate)
                        @if let Some(why) = &one.why { ": " (plain(why)) }
                    }
                }
            }
        }
    }
}

fn answered(frame: &Frame, alert: &AlertOf) -> Markup {
    html! {
        @match (&alert.acknowledged_by, &alert.acknowledged) {
            (Some(by), Some(at)) => { (plain(by)) " " (time(at)) }
            _ => {
                @if alert.state == "exhausted" { strong class="warn" { "nobody: the ladder is at its end" } }
                @else { "not yet" }
                @if frame.may(Permission::TakeIn) {
                    form method="post" action="/alerts/acknowledge" {
                        (frame.csrf())
                        input type="hidden" name="number" value=(alert.number);
                        button { "I am awake for alert " (alert.number) }
                    }
                }
            }
        }
    }
}

fn ladder_card(frame: &Frame, ladders: &[LadderOf]) -> Markup {
    html! {
        section class="card" aria-labelledby="ladders-title" {
            div class="head" { h2 id="ladders-title" { "Ladders" } span class="quiet" { (ladders.len()) } }
            @if ladders.is_empty() {
                p class="inside" { strong class="warn" { "None: nothing wakes anybody." } " Set one: entraide ladder set" }
            }
            @for ladder in ladders {
                div class="inside" {
                    h3 { (ladder.class) }
                    ol {
                        @for rung in &ladder.rungs {
                            li { (plain(&rung.who)) " by " (rung.by.join(" and ")) ", " (rung.minutes) " minutes to answer" }
                        }
                    }
                    @if frame.may(Permission::ManageRoster) {
                        form method="post" action="/alerts/drill" {
                            (frame.csrf())
                            input type="hidden" name="class" value=(ladder.class);
                            button class="secondary" { "Try it with a drill: " (ladder.class) }
                        }
                    }
                }
            }
        }
    }
}

/// Somebody who is logged in is awake for it.
pub async fn acknowledge(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    let Json(_) = alerts::acknowledge(State(app), caller, Segment(fields.text("number").to_owned())).await?;
    Ok(Redirect::to("/alerts").into_response())
}

/// Begins a drill.
pub async fn drill(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let input = fields.input(NewDrill { class: fields.text("class").to_owned() });
    alerts::drill(State(app), caller, key, input).await?;
    Ok(Redirect::to("/alerts").into_response())
}

/// For whoever types a code.
pub async fn code_page(State(app): State<App>) -> Markup {
    code_form(&app, None)
}

/// Takes a typed code to its page.
pub async fn code(State(app): State<App>, Open(fields): Open) -> Result<Response, Refusal> {
    answer(&app, fields.text("code")).await
}

/// What a link leads to: number, label, and the button.
pub async fn link(State(app): State<App>, Segment(code): Segment) -> Result<Response, Refusal> {
    let wanted = code.clone();
    let found = match bounded(&wanted) {
        true => app.node().read(move |view| use_case::of_code(view, &wanted)).await,
        false => Err(AlertError::Code),
    };
    let alert = match found {
        Ok(alert) => AlertOf::of(&alert),
        Err(AlertError::Code) => return Ok(wrong(&app)),
        Err(other) => return Err(other.into()),
    };
    let body = html! {
        div class="card narrow login" {
            h1 { "Alert " (alert.number) " " (tlp(&alert.label)) }
            @if alert.class == "drill" { p { strong { "DRILL DRILL DRILL" } } }
            p { "Began " (time(&alert.started)) "." }
            @if let Some(by) = &alert.acknowledged_by { p { strong { (plain(by)) } " has answered it already." } }
            @else { form method="post" { button { "I am awake for it" } } }
            p { a href="/login" { "Log in" } " to see what it is about." }
        }
    };
    Ok(Frame::outside(&app).page("Alert", &body).into_response())
}

/// The button of a link.
pub async fn press(State(app): State<App>, Segment(code): Segment, Open(_): Open) -> Result<Response, Refusal> {
    answer(&app, &code).await
}

fn bounded(code: &str) -> bool {
    (1..=limits::CODE_BYTES).contains(&code.len())
}

async fn answer(app: &App, code: &str) -> Result<Response, Refusal> {
    if !bounded(code) {
        return Ok(wrong(app));
    }
    let typed = code.to_owned();
    match app.node().write(move |work| use_case::acknowledge_by_code(work, &typed)).await {
        Ok(alert) => {
            let alert = AlertOf::of(&alert);
            let by = alert.acknowledged_by.as_deref().unwrap_or_default();
            let body = html! {
                div class="card narrow login" {
                    h1 { "Thank you" }
                    p role="status" {
                        "Alert " (alert.number) ": " strong { (plain(by)) } " is awake for it. Nobody else is woken."
                    }
                    p { a href="/login" { "Log in" } " to see what it is about." }
                }
            };
            Ok(Frame::outside(app).page("Alert", &body).into_response())
        }
        Err(node::WriteError::Refused(AlertError::Code)) => Ok(wrong(app)),
        Err(node::WriteError::Refused(answered @ AlertError::Step(_))) => {
            Ok((StatusCode::CONFLICT, code_form(app, Some(&answered.to_string()))).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

fn wrong(app: &App) -> Response {
    let told = AlertError::Code.to_string();
    (StatusCode::NOT_FOUND, code_form(app, Some(&told))).into_response()
}

fn code_form(app: &App, told: Option<&str>) -> Markup {
    let body = html! {
        div class="card narrow login" {
            h1 { "I am awake" }
            @if let Some(told) = told { (notice("bad", told)) }
            form method="post" action="/acknowledge" {
                label for="code" { "Code of the notice" }
                input id="code" name="code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="40"
                    aria-describedby="code-hint" required;
                p id="code-hint" class="quiet" { "Twelve letters and digits, such as K7QF-2M9X-4TRA. It acknowledges once." }
                button { "I am awake for it" }
            }
            p { a href="/login" { "Log in" } }
        }
    };
    Frame::outside(app).page("I am awake", &body)
}
