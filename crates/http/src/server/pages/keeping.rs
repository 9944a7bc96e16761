//! `/keeping`: what must not be here (spills), what must stay (legal holds), and how long the rest is kept (retention).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::holds::{self, Hold, NewHold, Which};
use super::super::api::refusal::Refusal;
use super::super::api::request::{Params, Segment};
use super::super::api::retention::{self, ApplyPlan, Plan, Retention, SetRule};
use super::super::api::spills::{self, SpillLine};
use super::super::session::Caller;
use super::frame::{Frame, Place, notice, scrolling};
use super::limits;
use super::posted::Posted;
use super::text::{plain, time};

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    shown(&app, caller, &html! {}).await
}

/// The address of a form that was opened without sending it leads to the page.
pub async fn back() -> Redirect {
    Redirect::to("/keeping")
}

async fn shown(app: &App, caller: Caller, above: &Markup) -> Result<Markup, Refusal> {
    let frame = Frame::of(app, &caller, Place::Keeping);
    let state = || State(app.clone());
    let mut cards = Vec::new();
    if frame.may(Permission::Spill) {
        let Json(list) = spills::list(state(), caller.clone()).await?;
        cards.push(spill_card(&frame, &list.items));
    }
    if frame.may(Permission::Hold) {
        let Json(list) = holds::list(state(), caller.clone(), Params(Which { all: true })).await?;
        cards.push(hold_card(&frame, &list.items));
    }
    if frame.may(Permission::Retain) {
        let Json(kept) = retention::show(state(), caller.clone()).await?;
        let Json(plan) = retention::plan(state(), caller).await?;
        cards.push(rules_card(&frame, &kept));
        cards.push(plan_card(&frame, &plan));
    }
    Ok(frame.page("Keeping", &html! {
        h1 { "Keeping" }
        (above)
        @if cards.is_empty() {
            p class="card narrow" { "Your roles neither purge nor keep: this is for duty officers and administrators." }
        }
        @for card in &cards { (card) }
    }))
}

fn spill_card(frame: &Frame, spills: &[SpillLine]) -> Markup {
    html! {
        section class="card" aria-labelledby="spills-title" {
            div class="head" { h2 id="spills-title" { "Spills" } span class="quiet" { (spills.len()) } }
            form class="inside stacked" method="post" action="/spills" {
                (frame.csrf())
                label for="spill-id" { "What must not be here: FR:12, a STIX id, or intake:7" }
                input id="spill-id" name="id" autocomplete="off" spellcheck="false" required;
                button class="secondary" { "Look at what a spill would reach" }
            }
            @if !spills.is_empty() {
                (scrolling("Spills so far", &html! {
                    table {
                        caption { "Spills so far, newest first" }
                        thead {
                            tr {
                                th scope="col" { "Report" }
                                th scope="col" { "When" }
                                th scope="col" { "By" }
                                th scope="col" { "Why" }
                            }
                        }
                        tbody {
                            @for one in spills {
                                tr {
                                    th scope="row" { a href={ "/spills/" (one.number) } { "Spill " (one.number) } }
                                    td { (time(&one.at)) }
                                    td { (plain(&one.who)) }
                                    td { (plain(&one.reason)) }
                                }
                            }
                        }
                    }
                }))
            }
        }
    }
}

fn hold_card(frame: &Frame, holds: &[Hold]) -> Markup {
    html! {
        section class="card" aria-labelledby="holds-title" {
            div class="head" { h2 id="holds-title" { "Legal holds" } span class="quiet" { (holds.len()) } }
            form class="inside stacked" method="post" action="/keeping/hold" {
                (frame.csrf())
                label for="hold-id" { "What must stay: FR:12, a STIX id, or intake:7" }
                input id="hold-id" name="id" autocomplete="off" spellcheck="false" required;
                label { input type="checkbox" name="thread" value="yes"; " Every version of its thread" }
                label for="hold-reason" { "Why: the case, the article" }
                input id="hold-reason" name="reason" maxlength="1000" required;
                label for="hold-until" { "Expected to end (may stay empty), such as 2027-01-31" }
                input id="hold-until" name="until" type="date";
                button { "Lay the hold" }
            }
            @if !holds.is_empty() { (scrolling("Legal holds", &hold_table(frame, holds))) }
        }
    }
}

fn hold_table(frame: &Frame, holds: &[Hold]) -> Markup {
    html! {
        table class="cards" {
            caption { "Legal holds, newest first" }
            thead {
                tr {
                    th scope="col" { "On" }
                    th scope="col" { "Since" }
                    th scope="col" { "By" }
                    th scope="col" { "Why" }
                    th scope="col" { "Ends" }
                }
            }
            tbody {
                @for hold in holds {
                    tr {
                        th scope="row" { code { (plain(&hold.on)) } }
                        td data-l="Since" { (time(&hold.at)) }
                        td data-l="By" { (plain(&hold.who)) }
                        td data-l="Why" { (plain(&hold.reason)) }
                        td data-l="Ends" {
                            @if let Some(released) = &hold.released {
                                "released " (time(released)) " by " (plain(hold.released_by.as_deref().unwrap_or("")))
                            } @else {
                                @if let Some(until) = &hold.until {
                                    "expected " (time(until)) @if hold.due { strong class="warn" { ", which is over" } }
                                }
                                form method="post" action="/keeping/release" {
                                    (frame.csrf())
                                    input type="hidden" name="number" value=(hold.number);
                                    button class="secondary" { "Release hold " (hold.number) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn rules_card(frame: &Frame, kept: &Retention) -> Markup {
    html! {
        section class="card" aria-labelledby="rules-title" {
            div class="head" { h2 id="rules-title" { "How long data is kept" } }
            div class="inside" {
                p { "What has no rule is kept for ever. A rule purges nothing by itself: somebody applies a plan." }
                @if kept.rules.is_empty() { p { "No rule is set." } }
                ul {
                    @for rule in &kept.rules { li { code { (rule.rule) } ": " (rule.days) " days" } }
                }
                form class="stacked" method="post" action="/keeping/rule" {
                    (frame.csrf())
                    label for="rule" { "Rule, such as intake/dismissed, partner/amber or ledger" }
                    input id="rule" name="rule" autocomplete="off" spellcheck="false" required;
                    label for="days" { "Days (empty: for ever)" }
                    input id="days" name="days" inputmode="numeric" pattern="[0-9]*" maxlength="5";
                    button { "Set the rule" }
                }
                @if !kept.runs.is_empty() {
                    h3 { "Purges so far" }
                    ul {
                        @for run in &kept.runs {
                            li {
                                (time(&run.at)) " by " (plain(&run.who)) ": " (run.purged) " of " (run.planned)
                                " planned"
                            }
                        }
                    }
                }
            }
        }
    }
}

fn plan_card(frame: &Frame, plan: &Plan) -> Markup {
    html! {
        section class="card" aria-labelledby="plan-title" {
            div class="head" { h2 id="plan-title" { "What is due now" } span class="quiet" { (plan.items.len()) } }
            div class="inside" {
                @if plan.items.is_empty() { p { "Nothing is due." } }
                @else {
                    ul {
                        @for rule in &plan.rules {
                            li {
                                code { (rule.rule) } ": " (rule.due)
                                @if let Some(oldest) = &rule.oldest { ", the oldest of " (time(oldest)) }
                            }
                        }
                    }
                    details {
                        summary { "Item by item" @if plan.more { ": more is due, and comes with the next plan" } }
                        ul {
                            @for item in plan.items.iter().take(limits::PLAN_ROWS) {
                                li { code { (plain(&item.name)) } " since " (time(&item.since)) " (" (item.rule) ")" }
                            }
                            @if plan.items.len() > limits::PLAN_ROWS {
                                li { "The others are in " code { "entraide retention plan" } "." }
                            }
                        }
                    }
                    form class="stacked" method="post" action="/keeping/apply" {
                        (frame.csrf())
                        input type="hidden" name="at" value=(plan.at);
                        input type="hidden" name="digest" value=(plan.digest);
                        label for="today" { "Today’s date, read from your own watch: 2026-11-25" }
                        input id="today" name="today" autocomplete="off" required;
                        button class="danger" { "Purge these " (plan.items.len()) " now" }
                    }
                }
            }
        }
    }
}

/// Lays a hold.
pub async fn hold(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let until = Some(fields.text("until")).filter(|day| !day.is_empty()).map(|day| format!("{day}T00:00:00Z"));
    let command = NewHold {
        id: fields.text("id").to_owned(),
        thread: fields.text("thread") == "yes",
        reason: fields.text("reason").to_owned(),
        until,
    };
    let done = holds::add(State(app.clone()), caller.clone(), key, fields.input(command)).await;
    told(&app, caller, done.map(|_| ())).await
}

/// Releases a hold.
pub async fn release(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let number = Segment(fields.text("number").to_owned());
    let done = holds::release(State(app.clone()), caller.clone(), number, key).await;
    told(&app, caller, done.map(|_| ())).await
}

/// Sets a rule.
pub async fn rule(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let days = Some(fields.text("days")).filter(|days| !days.is_empty());
    // What is no number is refused as one out of range.
    let days = days.map(|days| days.parse().unwrap_or(0));
    let command = SetRule { rule: fields.text("rule").to_owned(), days };
    let done = retention::set(State(app.clone()), caller.clone(), key, fields.input(command)).await;
    told(&app, caller, done.map(|_| ())).await
}

/// Applies the plan that was seen.
pub async fn apply(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key: _, fields } = posted;
    let field = |name: &str| fields.text(name).to_owned();
    let command = ApplyPlan { at: field("at"), digest: field("digest"), today: field("today") };
    let done = retention::apply(State(app.clone()), caller.clone(), fields.input(command)).await;
    told(&app, caller, done.map(|_| ())).await
}

/// Back to the page by a new request if it was done; with the reason on top if it was refused.
async fn told(app: &App, caller: Caller, done: Result<(), Refusal>) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(Redirect::to("/keeping").into_response()),
        Err(Refusal(problem)) if problem.status == 403 || problem.status >= 500 => Err(Refusal(problem)),
        Err(Refusal(problem)) => {
            let status =
                axum::http::StatusCode::from_u16(problem.status).unwrap_or(axum::http::StatusCode::BAD_REQUEST);
            let above = notice("bad", problem.detail.as_deref().unwrap_or(&problem.title));
            Ok((status, shown(app, caller, &above).await?).into_response())
        }
    }
}
