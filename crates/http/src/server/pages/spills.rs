//! `/spills`: what a spill would reach, the order, and its report, which people print.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::refusal::Refusal;
use super::super::api::request::Segment;
use super::super::api::spills::{self, Spill, SpillReport, SpillSubject, SpilledStatement};
use super::super::session::Caller;
use super::frame::{Frame, Place, notice, origin_chip, scrolling};
use super::posted::{Fields, Posted};
use super::text::{plain, time};

/// The report of one spill, as it stands now.
pub async fn page(State(app): State<App>, caller: Caller, number: Segment) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Keeping);
    let Json(report) = spills::one(State(app), caller, number).await?;
    let title = format!("Spill {}", report.number.unwrap_or_default());
    Ok(frame.page(
        &title,
        &html! {
            p class="crumbs" { a href="/keeping" { "Keeping" } " / " (title) }
            h1 { (title) }
            (order(&report))
            (summary(&report))
            (reached(&report))
        },
    ))
}

fn order(report: &SpillReport) -> Markup {
    html! {
        section class="card" aria-labelledby="order-title" {
            div class="head" { h2 id="order-title" { "The order" } }
            dl class="facts inside" {
                @if let Some(at) = &report.at { div { dt { "When" } dd { (time(at)) } } }
                @if let Some(who) = &report.who { div { dt { "By" } dd { (plain(who)) } } }
                @if let Some(second) = &report.second {
                    div { dt { "Agreed, despite a legal hold" } dd { (plain(second)) } }
                }
                @if let Some(reason) = &report.reason { div { dt { "Why" } dd { (plain(reason)) } } }
            }
        }
    }
}

fn summary(report: &SpillReport) -> Markup {
    html! {
        p {
            strong { (report.statements.len()) } " statements and " strong { (report.intake.len()) }
            " objects of intake; " strong class=[(report.open > 0).then_some("warn")] { (report.open) }
            " partners have not said that they purged it; "
            strong class=[(report.not_recalled > 0).then_some("warn")] { (report.not_recalled) }
            " copies that left by hand can’t be recalled."
        }
    }
}

/// Statement by statement, then intake.
fn reached(report: &SpillReport) -> Markup {
    html! {
        @for statement in &report.statements { (one(statement)) }
        @if !report.intake.is_empty() {
            section class="card" aria-labelledby="intake-title" {
                div class="head" { h2 id="intake-title" { "In intake" } }
                ul class="inside" {
                    @for row in &report.intake {
                        li {
                            "intake:" (row.intake) ", taken in " (time(&row.taken)) " by "
                            (plain(row.who.as_deref().unwrap_or("the machine")))
                            ", SHA-256 " code class="whole" { (row.sha256) }
                        }
                    }
                }
            }
        }
    }
}

fn one(statement: &SpilledStatement) -> Markup {
    let id = format!("of-{}", statement.entry.replace(':', "-"));
    html! {
        section class="card" aria-labelledby=(id) {
            div class="head" {
                h2 id=(id) { a href={ "/objects/" (statement.entry) } { (statement.entry) } }
                span class="quiet" { @if statement.purged { "purged here" } @else { "not purged" } }
            }
            div class="inside" {
                @if let Some(call) = &statement.call {
                    p class="notice bad" {
                        "Call " (origin_chip(&call.origin)) " " (plain(call.name.as_deref().unwrap_or("its owner")))
                        ": it is theirs, and nothing of this is relayed to them."
                    }
                }
                @if let Some(entry) = &statement.withdrawal { p { "Withdrawn by " code { (entry) } "." } }
                @if statement.kept_by_partners {
                    p class="notice bad" {
                        "It is about sharing, and can’t be withdrawn: each partner below keeps it until its people \
                         purge it. Call them."
                    }
                }
                @if !statement.holders.is_empty() {
                    h3 { "Partners that had it" }
                    ul {
                        @for holder in &statement.holders {
                            li {
                                (origin_chip(&holder.partner)) " " (plain(holder.name.as_deref().unwrap_or("")))
                                ": " strong { (holder.standing) }
                                @if let Some(exports) = holder.exports { ", exports " (exports) }
                                @if let Some(lost) = holder.not_recalled.filter(|lost| *lost > 0) {
                                    ", of which " strong class="warn" { (lost) } " can’t be recalled"
                                }
                            }
                        }
                    }
                }
                h3 { "Given to people here" }
                @if statement.given.is_empty() { p { "Nobody opened it here." } }
                @else { (given(statement)) }
            }
        }
    }
}

fn given(statement: &SpilledStatement) -> Markup {
    let name = format!("Who was given {}", statement.entry);
    scrolling(
        &name,
        &html! {
            table {
                caption { (name) }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "How" } } }
                tbody {
                    @for row in &statement.given {
                        tr {
                            td { (time(&row.at)) }
                            th scope="row" { (plain(&row.who)) }
                            td {
                                (row.face)
                                @if row.exported { ", left the node" }
                                @if row.exported && !row.recallable { ", can’t be recalled" }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// Two steps: the first shows what it would reach, the second does it.
pub async fn spill(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    caller.actor.require(Permission::Spill)?;
    let frame = Frame::of(&app, &caller, Place::Keeping);
    let id = fields.text("id").to_owned();
    let mut wrong = None;
    if fields.text("sure") == "yes" {
        let agreed = fields.text("despite_hold").split([',', ' ']).filter(|login| !login.is_empty());
        let command = Spill {
            id: id.clone(),
            reason: fields.text("reason").to_owned(),
            despite_hold: agreed.map(str::to_owned).collect(),
        };
        match spills::spill(State(app.clone()), caller.clone(), key, fields.input(command)).await {
            Ok(_) => {
                let login = caller.actor.login.clone();
                let Json(page) = spills::list(State(app), caller).await?;
                let newest = page.items.iter().find(|line| line.who == login).map_or(0, |line| line.number);
                return Ok(Redirect::to(&format!("/spills/{newest}")).into_response());
            }
            Err(Refusal(problem)) if problem.status < 500 => wrong = Some(problem.detail.unwrap_or(problem.title)),
            Err(other) => return Err(other),
        }
    }
    let Json(report) = spills::preview(State(app), caller, fields.input(SpillSubject { id })).await?;
    Ok(frame.page("Spill", &confirm(&frame, &report, &fields, wrong.as_deref())).into_response())
}

fn confirm(frame: &Frame, report: &SpillReport, fields: &Fields, wrong: Option<&str>) -> Markup {
    let id = fields.text("id");
    html! {
        p class="crumbs" { a href="/keeping" { "Keeping" } " / Spill" }
        h1 { "Purge " (plain(id)) "?" }
        section class="card alarm" aria-labelledby="sure-title" {
            div class="head" { h2 id="sure-title" { "Nothing has been purged yet" } }
            div class="inside" {
                @if let Some(wrong) = wrong { (notice("bad", wrong)) }
                (summary(report))
                p {
                    "It is " strong { "erased" }
                    " here with everything derived from it, and every partner to whom we said it is told to erase it. \
                     This can’t be undone."
                }
                form class="stacked" method="post" action="/spills" {
                    (frame.csrf())
                    input type="hidden" name="id" value=(id);
                    label for="reason" { "Why, in one line of English. Partners read it: do not repeat the secret" }
                    input id="reason" name="reason" value=(fields.text("reason")) maxlength="1000" required;
                    @if !report.held.is_empty() {
                        p class="notice bad" { "Under legal hold: " (plain(&report.held.join(", "))) }
                        label for="despite" { "Login of the second person who agrees to purge it all the same" }
                        input id="despite" name="despite_hold" value=(fields.text("despite_hold")) autocomplete="off";
                    }
                    button class="danger" name="sure" value="yes" { "Purge it now" }
                    a class="button secondary" href="/keeping" { "Leave it as it is" }
                }
            }
        }
        (reached(report))
    }
}
