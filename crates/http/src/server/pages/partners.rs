//! `/partners`: invitation, six words, confirmation; hold, resume and cut.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::{PartnerClass, Reach};
use node::Permission;

use super::super::api::App;
use super::super::api::partners::{self, Code, Reason};
use super::super::api::reach::{self, LetterOf, NewReached, WaysOf};
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
    let who = caller.clone();
    let Json(page) = partners::list(State(app.clone()), caller).await?;
    let (waiting, known): (Vec<Partner>, Vec<Partner>) = page
        .items
        .into_iter()
        .partition(|partner| matches!(partner.state.as_str(), "awaiting-confirmation" | "proposed"));
    let manages = frame.may(Permission::ManagePartners);
    let mut letters = Vec::new();
    for partner in known.iter().filter(|partner| partner.lag.state == "no-node") {
        let Json(page) = reach::letters(State(app.clone()), who.clone(), Segment(partner.origin.clone())).await?;
        letters.extend(page.items.into_iter().map(|letter| (partner.name.clone(), letter)));
    }
    let body = html! {
        h1 { "Partners" }
        (above)
        @for partner in &waiting {
            @if partner.lag.state == "no-node" { (to_call(&frame, partner, manages)) }
            @else { (to_confirm(&frame, partner, manages)) }
        }
        @for partner in &known { (to_succeed(&frame, partner, manages)) }
        @if manages { (invitations(&frame)) (without_node(&frame)) }
        section class="card" aria-labelledby="known-title" {
            div class="head" { h2 id="known-title" { "Known" } span class="quiet" { (known.len()) } }
            @if known.is_empty() {
                p class="inside" { "None yet." }
            } @else { (scrolling("Known partners", &table(&frame, &known, manages))) }
        }
        @if !letters.is_empty() { (letters_table(&letters)) }
        @if frame.may(Permission::Speak) { p { a href="/mailbox" { "Mail of partners without a node" } } }
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

/// A partner without a node: what a person compares over the telephone before anything goes to it.
fn to_call(frame: &Frame, partner: &Partner, manages: bool) -> Markup {
    html! {
        section class="card alarm" aria-label={ "To confirm: " (plain(&partner.name)) } {
            div class="head" {
                h2 { (chip(&partner.country)) " " (plain(&partner.name)) " waits for you" }
                span class="quiet" { "no node: " (partner.lag.why.as_deref().unwrap_or_default()) }
            }
            div class="inside" {
                @if let Some(words) = &partner.words {
                    p {
                        "Call its people at a number that you know. Have them read the fingerprint of their key. If one \
                         group differs, the key is not theirs: do not confirm."
                    }
                    ol class="words" { @for group in words.split(' ') { li { (plain(group)) } } }
                } @else {
                    p { "Call its people at a number that you know, and make sure that they are who they say." }
                }
                p class="quiet" { (partner.class) ", " (plain(&partner.address)) }
                @if manages {
                    form class="stacked" method="post" action="/partners/change" {
                        (frame.csrf())
                        input type="hidden" name="partner" value=(partner.origin);
                        label {
                            input type="checkbox" name="sure" value="yes" required;
                            @if partner.words.is_some() { " Every group was the same on the telephone" }
                            @else { " I have talked to them" }
                        }
                        button name="to" value="confirm" { "Confirm " (partner.country) }
                    }
                    details { summary { "It is not them…" } (cut_form(frame, &partner.origin, &partner.country)) }
                }
            }
        }
    }
}

/// What went to partners without a node, and what became of it.
fn letters_table(letters: &[(String, LetterOf)]) -> Markup {
    let table = html! {
        table class="cards" {
            caption { "The newest letters to partners without a node" }
            thead {
                tr {
                    th scope="col" { "Letter" }
                    th scope="col" { "To" }
                    th scope="col" { "Statement" }
                    th scope="col" { "Since" }
                    th scope="col" { "What became of it" }
                }
            }
            tbody {
                @for (name, letter) in letters {
                    tr {
                        th scope="row" { (letter.number) }
                        td data-l="To" { (plain(name)) }
                        td data-l="Statement" { code { (letter.entry) } }
                        td data-l="Since" { (time(&letter.queued)) }
                        td data-l="What became of it" {
                            (fate(letter.fate)) @if let Some(why) = &letter.why { ": " (plain(why)) }
                        }
                    }
                }
            }
        }
    };
    html! {
        section class="card" aria-labelledby="letters-title" {
            div class="head" { h2 id="letters-title" { "Letters" } span class="quiet" { (letters.len()) } }
            (scrolling("Letters", &table))
        }
    }
}

fn fate(word: &str) -> &str {
    match word {
        "sent" => "sent, encrypted",
        "noticed" => "a notice without content was sent: there is no key",
        "call" => "somebody has to call",
        other => other,
    }
}

/// The form for somebody who has no node.
fn without_node(frame: &Frame) -> Markup {
    html! {
        section class="card" aria-labelledby="reached-title" {
            div class="head" { h2 id="reached-title" { "Add a partner without a node" } }
            form class="inside stacked" method="post" action="/partners/reached" {
                (frame.csrf())
                p {
                    "It gets calls for help by encrypted mail, or is called. Nothing goes to it before its people were \
                     called and the fingerprint of the key was compared."
                }
                label for="reached-country" { "Country, two letters" }
                input id="reached-country" name="country" maxlength="2" required;
                label for="reached-name" { "Name" }
                input id="reached-name" name="name" maxlength="200" required;
                label for="reached-class" { "What it is to us" }
                select id="reached-class" name="class" {
                    @for class in PartnerClass::ALL { option value=(class.word()) { (class.word()) } }
                }
                label for="reached-by" { "Reached by" }
                select id="reached-by" name="reach" {
                    @for way in [Reach::MailPgp, Reach::MailSmime, Reach::Phone] {
                        option value=(way.word()) { (way.word()) }
                    }
                }
                label for="reached-mail" { "Mail address" }
                input id="reached-mail" name="mail" type="email" maxlength="254";
                label for="reached-telephone" { "Number at any hour, with + and the country" }
                input id="reached-telephone" name="telephone" type="tel" maxlength="40" required;
                label for="reached-key" { "PGP public key or S/MIME certificate" }
                textarea id="reached-key" name="key" rows="4" autocomplete="off" spellcheck="false"
                    aria-describedby="reached-key-hint" {}
                p id="reached-key-hint" class="quiet" { "Without one a mail says that there is something, and nothing of it." }
                button { "Add" }
            }
        }
    }
}

/// Adds a partner without a node.
pub async fn add_reached(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let given = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.is_empty());
    let ways = WaysOf {
        reach: fields.text("reach").to_owned(),
        mail: given("mail"),
        telephone: fields.text("telephone").to_owned(),
        key: given("key"),
    };
    let new = NewReached {
        country: fields.text("country").to_owned(),
        name: fields.text("name").to_owned(),
        class: fields.text("class").to_owned(),
        ways,
    };
    let done = reach::add(State(app.clone()), caller.clone(), key, fields.input(new)).await;
    told(&app, caller, done.map(|_| ())).await
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
                        td data-l="Reached by" {
                            @if partner.lag.state == "no-node" { "no node: " (partner.lag.why.as_deref().unwrap_or_default()) }
                            @else { (partner.reach) }
                            " " span class="quiet" { (plain(&partner.address)) }
                        }
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
            _ if partner.reach != "node" => span class="quiet" { "add it anew" },
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
