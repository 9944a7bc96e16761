//! `/acts`: what awaits a second person, with every field that it would say; what was signed alone; who may act alone.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::acts::{self, ActOf, AuthorityOf, DecideAct, DecisionWord, TwoPersons};
use super::super::api::refusal::Refusal;
use super::super::api::request::{Page, Segment};
use super::super::session::Caller;
use super::frame::{Frame, Place, scrolling};
use super::posted::Posted;
use super::text::{plain, time};

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Acts);
    let Json(rules) = acts::rules(State(app.clone()), caller.clone()).await?;
    let Json(Page { items: authorities, .. }) = acts::authorities(State(app.clone()), caller.clone()).await?;
    let waiting = if frame.may(Permission::Speak) {
        let Json(Page { items, .. }) = acts::waiting(State(app), caller).await?;
        Some(items)
    } else {
        None
    };
    let body = html! {
        h1 { "Second signature" }
        (rules_line(&rules))
        @if let Some(waiting) = &waiting {
            section class="card" aria-labelledby="waiting-title" {
                div class="head" { h2 id="waiting-title" { "What awaits a decision" } span class="quiet" { (waiting.len()) } }
                @if waiting.is_empty() { p class="inside" { "Nothing." } }
                @for act in waiting { (one(&frame, act)) }
            }
        }
        (authorities_card(&frame, &authorities))
    };
    Ok(frame.page("Second signature", &body))
}

/// The address of a form that was opened without sending it leads to the page.
pub async fn back() -> Redirect {
    Redirect::to("/acts")
}

fn rules_line(rules: &TwoPersons) -> Markup {
    let words: Vec<&str> = rules.acts.iter().map(|act| act.word()).collect();
    html! {
        @if words.is_empty() {
            p { strong class="warn" { "One person commits the nation alone on this node." } " entraide two-persons set" }
        } @else { p { "Two persons sign here: " strong { (words.join(", ")) } "." } }
    }
}

fn one(frame: &Frame, act: &ActOf) -> Markup {
    html! {
        div class="inside" {
            h3 {
                "Act " (act.number) ": " (act.act)
                @if let Some(entry) = &act.entry { " about " a href={ "/objects/" (entry) } { (entry) } }
            }
            p {
                "Begun by " strong { (plain(&act.by)) } " " (time(&act.at)) "; "
                @if let Some(by) = &act.ratify_by {
                    "signed alone in an emergency: " (plain(act.emergency.as_deref().unwrap_or_default()))
                    "; to be ratified until " (time(by))
                    @if act.overdue { " " strong class="warn" { "overdue" } }
                } @else { "may be decided until " (time(&act.expires)) }
                "."
            }
            @if !act.says.is_empty() {
                (scrolling("What it would say", &html! {
                    table {
                        caption { "What act " (act.number) " would say" }
                        thead { tr { th scope="col" { "Field" } th scope="col" { "Says" } } }
                        tbody {
                            @for field in &act.says {
                                tr { th scope="row" { (plain(&field.field)) } td { (plain(&field.value)) } }
                            }
                        }
                    }
                }))
            }
            @if !act.may.is_empty() {
                form class="stacked" method="post" action="/acts/decide" {
                    (frame.csrf())
                    input type="hidden" name="number" value=(act.number);
                    label for={ "reason-" (act.number) } { "Reason" }
                    input id={ "reason-" (act.number) } name="reason" maxlength="4000" autocomplete="off";
                    p {
                        @for word in &act.may {
                            button class=[(*word != "approve" && *word != "ratify").then_some("secondary")]
                                name="decision" value=(word) { (button(word)) " act " (act.number) }
                            " "
                        }
                    }
                }
            }
        }
    }
}

fn button(word: &str) -> &'static str {
    match word {
        "approve" => "Approve",
        "decline" => "Decline (with a reason)",
        "take-back" => "Take back",
        "sign-alone" => "Sign alone in an emergency (with a reason)",
        "ratify" => "Ratify",
        _ => "Do not ratify (with a reason)",
    }
}

fn authorities_card(frame: &Frame, authorities: &[AuthorityOf]) -> Markup {
    let rows = html! {
        table class="cards" {
            caption { "Standing authorities, newest first" }
            thead {
                tr {
                    th scope="col" { "Number" }
                    th scope="col" { "Who" }
                    th scope="col" { "May" }
                    th scope="col" { "Used" }
                    th scope="col" { "Until" }
                }
            }
            tbody {
                @for one in authorities {
                    tr {
                        th scope="row" { (one.number) " " span class="quiet" { (one.state) } }
                        td data-l="Who" { (plain(&one.to)) " by " (plain(&one.by)) ": " (plain(&one.reason)) }
                        td data-l="May" {
                            (one.acts.join(", ")) " of "
                            @if one.kinds.is_empty() { "any kind" } @else { (one.kinds.join(", ")) }
                        }
                        td data-l="Used" { (one.used) " of " (one.quantity) }
                        td data-l="Until" {
                            (time(&one.until))
                            @if one.state == "in-force" && frame.may(Permission::Authorise) {
                                form method="post" action="/acts/revoke" {
                                    (frame.csrf())
                                    input type="hidden" name="number" value=(one.number);
                                    button class="secondary" { "Revoke " (one.number) }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    html! {
        section class="card" aria-labelledby="authorities-title" {
            div class="head" { h2 id="authorities-title" { "Who may act alone" } span class="quiet" { (authorities.len()) } }
            @if authorities.is_empty() { p class="inside" { "Nobody." } }
            @else { (scrolling("Standing authorities", &rows)) }
        }
    }
}

/// Takes one person's decision.
pub async fn decide(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let decision = DecisionWord::of_word(fields.text("decision"))
        .ok_or_else(|| Refusal::unreadable("choose one of the buttons of the act"))?;
    let reason = Some(fields.text("reason").to_owned()).filter(|reason| !reason.is_empty());
    let input = fields.input(DecideAct { decision, reason });
    acts::decide(State(app), caller, Segment(fields.text("number").to_owned()), key, input).await?;
    Ok(Redirect::to("/acts").into_response())
}

/// Takes an authority back.
pub async fn revoke(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    acts::revoke(State(app), caller, Segment(fields.text("number").to_owned())).await?;
    Ok(Redirect::to("/acts").into_response())
}
