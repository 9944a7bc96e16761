//! `/partners`: invitation, six words, confirmation; hold, resume and cut.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::partners::{self, Code, Reason};
use super::super::api::refusal::Refusal;
use super::super::api::request::Segment;
use super::super::api::status::Partner;
use super::super::session::Caller;
use super::frame::{Frame, Place, chip, notice, scrolling};
use super::posted::Posted;
use super::text::{plain, time};

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    shown(&app, caller, &html! {}).await
}

async fn shown(app: &App, caller: Caller, above: &Markup) -> Result<Markup, Refusal> {
    let frame = Frame::of(app, &caller, Place::Partners);
    let Json(page) = partners::list(State(app.clone()), caller).await?;
    let (waiting, known): (Vec<Partner>, Vec<Partner>) = page
        .items
        .into_iter()
        .partition(|partner| matches!(partner.state.as_str(), "awaiting-confirmation" | "proposed"));
    let manages = frame.may(Permission::ManagePartners);
    let body = html! {
        h1 { "Partners" }
        (above)
        @for partner in &waiting { (to_confirm(&frame, partner, manages)) }
        @for partner in &known { (to_succeed(&frame, partner, manages)) }
        @if manages { (invitations(&frame)) }
        section class="card" aria-labelledby="known-title" {
            div class="head" { h2 id="known-title" { "Known" } span class="quiet" { (known.len()) } }
            @if known.is_empty() {
                p class="inside" { "None yet." }
            } @else { (scrolling("Known partners", &table(&frame, &known, manages))) }
        }
    };
    Ok(frame.page("Partners", &body))
}

fn invitations(frame: &Frame) -> Markup {
    html! {
        div class="columns" {
            section class="card" aria-labelledby="invite-title" {
                div class="head" { h2 id="invite-title" { "Invite a nation" } }
                form class="inside stacked" method="post" action="/partners/invite" {
                    (frame.csrf())
                    p {
                        "Makes a code for one nation: 72 hours, one use, five tries. Give it to its people over a \
                         channel that you trust."
                    }
                    button { "Make an invitation" }
                }
            }
            section class="card" aria-labelledby="accept-title" {
                div class="head" { h2 id="accept-title" { "Accept an invitation" } }
                form class="inside stacked" method="post" action="/partners/accept" {
                    (frame.csrf())
                    label for="code" { "The code that you were given" }
                    textarea id="code" name="code" rows="3" autocomplete="off" spellcheck="false" required {}
                    button { "Call the other node" }
                }
            }
        }
    }
}

fn to_confirm(frame: &Frame, partner: &Partner, manages: bool) -> Markup {
    html! {
        section class="card alarm" aria-label={ "To confirm: " (plain(&partner.name)) } {
            div class="head" {
                h2 { (chip(&partner.country)) " " (plain(&partner.name)) " waits for you" }
                span class="quiet" { (partner.state.replace('-', " ")) " since " (time(&partner.since)) }
            }
            div class="inside" {
                @if let Some(words) = &partner.words {
                    p {
                        "Call its people. Read these six words to each other. If one differs, somebody is in \
                         between: do not confirm."
                    }
                    ol class="words" { @for word in words.split(' ') { li { (plain(word)) } } }
                } @else {
                    p { "It was proposed by a roster. Confirm it if you believe who signed that roster." }
                }
                p class="quiet" { code { (partner.origin) } ", " (partner.class) ", " (plain(&partner.address)) }
                @if manages {
                    form class="stacked" method="post" action="/partners/change" {
                        (frame.csrf())
                        input type="hidden" name="partner" value=(partner.origin);
                        @if partner.words.is_some() {
                            label {
                                input type="checkbox" name="sure" value="yes" required;
                                " All six words were the same on the telephone"
                            }
                        } @else {
                            label {
                                input type="checkbox" name="sure" value="yes" required;
                                " I believe the signer of the roster"
                            }
                        }
                        button name="to" value="confirm" { "Confirm " (partner.country) }
                    }
                    details { summary { "It is not them…" } (cut_form(frame, &partner.origin, &partner.country)) }
                }
            }
        }
    }
}

/// A partner goes on with a successor log: what a person compares before it is taken.
fn to_succeed(frame: &Frame, partner: &Partner, manages: bool) -> Markup {
    let Some(successor) = &partner.successor else { return html! {} };
    html! {
        section class="card alarm" aria-label={ "Successor log of " (plain(&partner.name)) } {
            div class="head" {
                h2 { (chip(&partner.country)) " " (plain(&partner.name)) " goes on with a successor log" }
                span class="quiet" { "waits for a telephone call" }
            }
            div class="inside" {
                p { (successor.says) "." }
                p { "Call its people at a number that you know. Read these six words to each other." }
                ol class="words" { @for word in successor.words.split(' ') { li { (word) } } }
                p class="quiet" { code { (successor.origin) } }
                @if manages && !successor.contradicts {
                    form class="stacked" method="post" action="/partners/change" {
                        (frame.csrf())
                        input type="hidden" name="partner" value=(partner.origin);
                        label {
                            input type="checkbox" name="sure" value="yes" required;
                            " All six words were the same on the telephone"
                        }
                        button name="to" value="confirm-successor" { "Take the new log of " (partner.country) }
                    }
                }
            }
        }
    }
}

fn table(frame: &Frame, partners: &[Partner], manages: bool) -> Markup {
    html! {
        table class="cards" {
            caption { "Partners that were confirmed, held or cut" }
            thead {
                tr {
                    th scope="col" { "Partner" }
                    th scope="col" { "Class" }
                    th scope="col" { "State" }
                    th scope="col" { "Reached by" }
                    th scope="col" { "Since" }
                    th scope="col" { "Decide" }
                }
            }
            tbody {
                @for partner in partners {
                    tr {
                        th scope="row" {
                            (chip(&partner.country))
                            " "
                            (plain(&partner.name))
                            div class="quiet" { code { (partner.origin) } }
                        }
                        td data-l="Class" { (partner.class) }
                        td data-l="State" {
                            (partner.state) @if let Some(reason) = &partner.held_reason { ": " (plain(reason)) }
                        }
                        td data-l="Reached by" { (partner.reach) " " span class="quiet" { (plain(&partner.address)) } }
                        td data-l="Since" { (time(&partner.since)) }
                        td data-l="Decide" {
                            @if manages { (decisions(frame, partner)) } @else { span class="quiet" { "not your role" } }
                        }
                    }
                }
            }
        }
    }
}

fn decisions(frame: &Frame, partner: &Partner) -> Markup {
    html! {
        @match partner.state.as_str() {
            "active" => {
                details {
                    summary { "Hold…" }
                    form class="stacked" method="post" action="/partners/change" {
                        (frame.csrf())
                        input type="hidden" name="partner" value=(partner.origin);
                        label for={ "hold-" (partner.country) } { "Why" }
                        input id={ "hold-" (partner.country) } name="reason" maxlength="1000" required;
                        button class="secondary" name="to" value="hold" { "Hold " (partner.country) }
                    }
                }
            },
            "held" => form method="post" action="/partners/change" {
                (frame.csrf())
                input type="hidden" name="partner" value=(partner.origin);
                button class="secondary" name="to" value="resume" { "Resume " (partner.country) }
            },
            _ => span class="quiet" { "peer with it anew" },
        }
        @if partner.state != "cut" {
            details { summary { "Cut…" } (cut_form(frame, &partner.origin, &partner.country)) }
        }
    }
}

/// The form that cuts a partner: a reason and a tick, so that it is never one key.
pub fn cut_form(frame: &Frame, origin: &str, country: &str) -> Markup {
    html! {
        form class="stacked" method="post" action="/partners/change" {
            (frame.csrf())
            input type="hidden" name="partner" value=(origin);
            label for={ "cut-" (country) } { "Why" }
            input id={ "cut-" (country) } name="reason" maxlength="1000" required;
            label {
                input type="checkbox" name="sure" value="yes" required;
                " It gets nothing more from us, and nothing of it is taken"
            }
            button class="danger" name="to" value="cut" { "Cut " (country) }
        }
    }
}

/// The address of a form that was opened without sending it leads to the list.
pub async fn back() -> Redirect {
    Redirect::to("/partners")
}

/// Makes an invitation and shows its code once.
pub async fn invite(State(app): State<App>, posted: Posted) -> Result<Markup, Refusal> {
    let Json(invitation) = partners::invite(State(app.clone()), posted.caller.clone()).await?;
    let above = html! {
        section class="card" aria-labelledby="made-title" {
            div class="head" {
                h2 id="made-title" { "An invitation was made" }
                span class="quiet" { "until " (time(&invitation.expires)) }
            }
            div class="inside" {
                p {
                    "It is shown this once. Whoever has it can knock; nobody is a partner before both sides have \
                     compared the six words."
                }
                pre class="note code" tabindex="0" role="region" aria-label="Invitation code" { (invitation.code) }
            }
        }
    };
    shown(&app, posted.caller, &above).await
}

/// Takes up another nation's invitation: calls its node.
pub async fn accept(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let code = posted.fields.text("code").to_owned();
    let done = partners::accept(State(app.clone()), posted.caller.clone(), posted.fields.input(Code { code })).await;
    told(&app, posted.caller, done.map(|_| ())).await
}

/// Confirms, holds, resumes or cuts.
pub async fn change(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let to = fields.text("to");
    if matches!(to, "confirm" | "confirm-successor" | "cut") && fields.text("sure") != "yes" {
        let refusal = Refusal::unreadable("tick the box first: this step is never taken by one key alone");
        return told(&app, caller, Err(refusal)).await;
    }
    let partner = Segment(fields.text("partner").to_owned());
    let reason = Some(fields.text("reason").to_owned()).filter(|reason| !reason.is_empty());
    let input = fields.input(Reason { reason });
    let (state, who) = (State(app.clone()), caller.clone());
    let done = match to {
        "confirm" => partners::confirm(state, who, partner, key, input).await,
        "confirm-successor" => partners::confirm_successor(state, who, partner, key, input).await,
        "hold" => partners::hold(state, who, partner, key, input).await,
        "resume" => partners::resume(state, who, partner, key, input).await,
        "cut" => partners::cut(state, who, partner, key, input).await,
        _ => Err(Refusal::unreadable("choose confirm, hold, resume or cut")),
    };
    told(&app, caller, done.map(|_| ())).await
}

/// Back to the list: by a new request if it was done, so that a reload does not send the form again; with the reason on
/// top if it was refused.
async fn told(app: &App, caller: Caller, done: Result<(), Refusal>) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(Redirect::to("/partners").into_response()),
        Err(Refusal(problem)) if problem.status == 403 || problem.status == 500 => Err(Refusal(problem)),
        Err(Refusal(problem)) => {
            let status =
                axum::http::StatusCode::from_u16(problem.status).unwrap_or(axum::http::StatusCode::BAD_REQUEST);
            let above = notice("bad", problem.detail.as_deref().unwrap_or(&problem.title));
            Ok((status, shown(app, caller, &above).await?).into_response())
        }
    }
}
