//! `/handover`, `/catch-up`, `/brief/{entry}` and `/card`: pages to read, to tick and to print on one sheet.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node::Permission;

use super::super::api::App;
use super::super::api::handovers::{self, GiveHandover, HandoverOf, ItemOf, TakeHandover};
use super::super::api::refusal::Refusal;
use super::super::api::request::{Page, Params, Segment};
use super::super::api::sheets::{self, Brief, Card, CatchUp, CaughtUp, ChangedCase, Since};
use super::super::session::Caller;
use super::frame::{Frame, Place, chip, scrolling, tlp};
use super::limits;
use super::posted::Posted;
use super::text::{plain, time};

/// Hand over between shifts.
pub async fn handover(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Roster);
    let Json(Page { items, .. }) = handovers::list(State(app.clone()), caller.clone()).await?;
    let Json(Page { items: draft, .. }) = handovers::draft(State(app), caller).await?;
    let body = html! {
        h1 { "Hand over" }
        p {
            a href="/roster" { "The duty roster" } " · " a href="/catch-up" { "Catch me up" } " · "
            a href="/card" { "Crisis card" }
        }
        @for one in &items { (given(&frame, one)) }
        (give_form(&frame, &draft))
    };
    Ok(frame.page("Hand over", &body))
}

/// The address of a form that was opened without sending it leads to the page.
pub async fn back() -> Redirect {
    Redirect::to("/handover")
}

fn given(frame: &Frame, one: &HandoverOf) -> Markup {
    html! {
        section class="card" aria-labelledby={ "handover-" (one.number) } {
            div class="head" {
                h2 id={ "handover-" (one.number) } { "Handover " (one.number) " by " (plain(&one.by)) }
                span class="quiet" { (time(&one.at)) }
            }
            form class="inside stacked" method="post" action="/handover/take" {
                (frame.csrf())
                input type="hidden" name="number" value=(one.number);
                input type="hidden" name="digest" value=(one.digest);
                input type="hidden" name="items" value=(one.items.len());
                @for (number, item) in (1_usize..).zip(&one.items) { (item_line(one, number, item)) }
                @if !one.note.is_empty() { p { (plain(&one.note)) } }
                p class="quiet" { "Signed: " code { (one.digest.get(..16).unwrap_or_default()) } "…" }
                @match (&one.taken_by, &one.taken) {
                    (Some(by), Some(at)) => p { "Taken by " strong { (plain(by)) } " " (time(at)) "." },
                    _ => {
                        p { strong class="warn" { (plain(&one.by)) " stays on duty until somebody takes over." } }
                        @if one.may_take { button { "I take over handover " (one.number) } }
                    }
                }
            }
        }
    }
}

fn item_line(one: &HandoverOf, number: usize, item: &ItemOf) -> Markup {
    let said = html! {
        (plain(&item.next))
        @if let Some(entry) = &item.entry { " " a href={ "/objects/" (entry) } { (entry) } }
        @if let Some(owner) = &item.owner { "; " (plain(owner)) }
        @if let Some(due) = &item.due { "; due " (time(&due.to_string())) }
        @if let Some(promised) = &item.promised { "; promised by telephone: " (plain(promised)) }
    };
    html! {
        @if one.may_take {
            label { input type="checkbox" name={ "tick-" (number) } value="yes" required; " " (number) ". " (said) }
        } @else { p { (number) ". " (said) } }
    }
}

fn give_form(frame: &Frame, draft: &[ItemOf]) -> Markup {
    html! {
        section class="card" aria-labelledby="give-title" {
            div class="head" { h2 id="give-title" { "Give a handover" } span class="quiet" { (draft.len()) " items are open" } }
            form class="inside stacked" method="post" action="/handover/give" {
                (frame.csrf())
                @for (number, item) in (1_usize..).zip(draft) {
                    fieldset {
                        legend { "Item " (number) }
                        input type="hidden" name={ "entry-" (number) } value=(item.entry.as_deref().unwrap_or_default());
                        @let due = item.due.map(|at| at.to_string()).unwrap_or_default();
                        input type="hidden" name={ "due-" (number) } value=(due);
                        label for={ "next-" (number) } { "Next step (empty: leave it out)" }
                        input id={ "next-" (number) } name={ "next-" (number) } maxlength="4000" value=(plain(&item.next));
                        label for={ "promised-" (number) } { "Promised by telephone" }
                        input id={ "promised-" (number) } name={ "promised-" (number) } maxlength="4000" autocomplete="off";
                    }
                }
                label for="note" { "What was done, and what else is to be known" }
                textarea id="note" name="note" maxlength="4000" rows="4" {}
                button { "Give it" }
            }
        }
    }
}

/// Gives a handover.
pub async fn give(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let optional = |name: String| Some(fields.text(&name).to_owned()).filter(|text| !text.is_empty());
    let mut items = Vec::new();
    for number in 1..=limits::HANDOVER_FIELDS {
        let Some(next) = optional(format!("next-{number}")) else { continue };
        let due =
            optional(format!("due-{number}")).map(|text| text.parse()).transpose().map_err(Refusal::unreadable)?;
        let (entry, promised) = (optional(format!("entry-{number}")), optional(format!("promised-{number}")));
        items.push(ItemOf { entry, next, owner: None, due, promised });
    }
    let input = fields.input(GiveHandover { items, note: fields.text("note").to_owned() });
    handovers::give(State(app), caller, key, input).await?;
    Ok(Redirect::to("/handover").into_response())
}

/// Takes over.
pub async fn take(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    let ticked: BTreeSet<usize> =
        (1..=limits::HANDOVER_FIELDS).filter(|number| fields.text(&format!("tick-{number}")) == "yes").collect();
    let input = fields.input(TakeHandover { ticked, digest: fields.text("digest").to_owned() });
    handovers::take(State(app), caller, Segment(fields.text("number").to_owned()), key, input).await?;
    Ok(Redirect::to("/handover").into_response())
}

/// What changed since one was last here.
pub async fn catch_up(State(app): State<App>, caller: Caller, Params(since): Params<Since>) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Roster);
    let Json(made) = sheets::catch_up(State(app), caller, Params(since)).await?;
    Ok(frame.page("Catch me up", &caught(&frame, &made)))
}

fn caught(frame: &Frame, made: &CatchUp) -> Markup {
    html! {
        h1 { "Catch me up" }
        p { "From " (time(&made.since)) " until " (time(&made.until)) ", as far as you may see it." }
        form method="post" action="/catch-up" {
            (frame.csrf())
            input type="hidden" name="until" value=(made.until);
            button { "I have read it" }
        }
        @if !made.partners.is_empty() {
            section class="card" aria-labelledby="partners-title" {
                div class="head" { h2 id="partners-title" { "Partners" } }
                ul class="inside" { @for one in &made.partners { li { (plain(one)) } } }
            }
        }
        section class="card" aria-labelledby="cases-title" {
            div class="head" { h2 id="cases-title" { "Calls for help" } span class="quiet" { (made.cases.len()) } }
            @if made.cases.is_empty() { p class="inside" { "Nothing was said." } }
            @for case in &made.cases { (changed(case)) }
        }
        section class="card" aria-labelledby="alerts-title" {
            div class="head" { h2 id="alerts-title" { "Alerts" } span class="quiet" { (made.alerts.len()) } }
            ul class="inside" {
                @for alert in &made.alerts {
                    li {
                        (time(&alert.started)) " alert " (alert.number) " (" (alert.class) "): " (alert.state)
                        @if let Some(by) = &alert.acknowledged_by { " by " (plain(by)) }
                    }
                }
                @if made.alerts.is_empty() { li { "None began." } }
            }
        }
        @if frame.may(Permission::Speak) {
            p { a href="/acts" { (made.waiting.len()) " acts await a decision" } }
        }
    }
}

fn changed(case: &ChangedCase) -> Markup {
    html! {
        div class="inside" {
            h3 { (chip(&case.owner)) " " a href={ "/brief/" (case.entry) } { (plain(&case.number)) } " " (plain(&case.name)) }
            p { (case.state) "; " (case.covered) " lines are covered" }
            ul { @for said in &case.said { li { (time(&said.at)) " " (chip(&said.owner)) " " (said.what) " " (said.entry) } } }
            @if !case.next.is_empty() { p { strong { "Ours to do: " } (case.next.join("; ")) } }
        }
    }
}

/// Notes that it was read.
pub async fn caught_up(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, fields, .. } = posted;
    let until = fields.text("until").parse().map_err(Refusal::unreadable)?;
    sheets::caught_up(State(app), caller, fields.input(CaughtUp { until })).await?;
    Ok(Redirect::to("/catch-up").into_response())
}

/// A case on one sheet.
pub async fn brief(State(app): State<App>, caller: Caller, entry: Segment) -> Result<Markup, Refusal> {
    let frame = Frame::of_nowhere(&app, &caller);
    let Json(Brief { number, title, label, made, by, entry, parts }) = sheets::brief(State(app), caller, entry).await?;
    let body = html! {
        h1 { (plain(&number)) ": " (plain(&title)) " " (tlp(&label)) }
        p { "Made " (time(&made)) " by " (plain(&by)) " of " (entry) "; what came later is not on it." }
        @for part in &parts {
            section { h2 { (part.heading) } ul { @for line in &part.lines { li { (plain(line)) } } } }
        }
    };
    Ok(frame.page("Brief", &body))
}

/// What is needed when nothing works.
pub async fn card(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of_nowhere(&app, &caller);
    let Json(card) = sheets::card(State(app), caller).await?;
    Ok(frame.page("Crisis card", &crisis(&card)))
}

fn crisis(card: &Card) -> Markup {
    html! {
        h1 { "Crisis card of " (plain(&card.name)) }
        p { "Made " (time(&card.made)) ". Print it, keep it where people work; print it anew when somebody or a key changes." }
        section {
            h2 { "Who we are" }
            p { "Our log: " code { (card.origin) } }
            p { "Its key: " code { (card.log_key) } }
            p { "Our node: " code { (plain(&card.address)) } }
            p {
                "Read the last sixteen digits of the log to whoever calls: they are the digest of the root key, "
                "and theirs stand below."
            }
        }
        section {
            h2 { "Whom to call here" }
            ul {
                @for one in &card.people {
                    li {
                        strong { (plain(&one.name)) } " " (plain(&one.telephone))
                        @for post in &one.posts { "; " (plain(post)) }
                    }
                }
                @if card.people.is_empty() { li { strong class="warn" { "Nobody is in the roster." } } }
            }
        }
        section {
            h2 { "How partners are reached" }
            (scrolling("Partners", &partners(card)))
        }
        section {
            h2 { "What is open" }
            ul {
                @for one in &card.open {
                    li {
                        (chip(&one.owner)) " " (plain(&one.number)) " (" (one.entry) "), " (one.state)
                        ", by " (time(&one.by_when))
                        "; call " (plain(&one.call))
                        @if !one.helpers.is_empty() { "; " (one.helpers.join(", ")) }
                    }
                }
                @if card.open.is_empty() { li { "No call for help." } }
            }
        }
        section {
            h2 { "When the network is down" }
            ol {
                li { "Call by telephone, and call back on the number of this card before anything is believed." }
                li { "Both read the last sixteen digits of their log to each other, and compare them with this card." }
                li { "Write down who said what and when (UTC); what was promised is said in the log once it speaks again." }
                li { "Nothing marked TLP:AMBER or stricter is told over a line that others hear." }
            }
        }
    }
}

fn partners(card: &Card) -> Markup {
    html! {
        table class="cards" {
            caption { "Partners" }
            thead { tr { th scope="col" { "Partner" } th scope="col" { "Telephone and mail" } th scope="col" { "Log" } } }
            tbody {
                @for one in &card.partners {
                    tr {
                        th scope="row" { (chip(&one.country)) " " (plain(&one.name)) " " span class="quiet" { (one.state) } }
                        td data-l="Telephone and mail" {
                            @match &one.telephone {
                                Some(number) => (plain(number)),
                                None => span class="warn" { "write it here by hand: __________" },
                            }
                            @if let Some(mail) = &one.mail { " " (plain(mail)) }
                            @if let Some(print) = &one.fingerprint { " key " code { (plain(print)) } }
                        }
                        td data-l="Log" { code { (one.origin) } " " (plain(&one.address)) }
                    }
                }
            }
        }
    }
}
