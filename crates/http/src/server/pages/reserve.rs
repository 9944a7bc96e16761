//! `/reserve`: the dossiers for the Reserve; each is a page to print and hand to the single point of contact.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};

use super::super::api::App;
use super::super::api::refusal::Refusal;
use super::super::api::request::Segment;
use super::super::api::reserve::{self, ClockRow, DossierWhole};
use super::super::session::Caller;
use super::frame::{Frame, Place, scrolling};
use super::text::{plain, time};

/// All of them.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Status);
    let Json(page) = reserve::list(State(app), caller).await?;
    Ok(frame.page(
        "Reserve dossiers",
        &html! {
            h1 { "Reserve dossiers" }
            p { "Requests to the EU Cybersecurity Reserve go to ENISA outside, through the single point of contact \
                 (Reg. (EU) 2025/38 Art 15(3)). They are opened and filled in with " code { "entraide reserve" } "." }
            @if page.items.is_empty() { p class="quiet" { "There is none." } }
            @else {
                (scrolling("Reserve dossiers", &html! {
                    table {
                        thead { tr { th scope="col" { "Dossier" } th scope="col" { "What" } th scope="col" { "Step" }
                            th scope="col" { "Missing" } th scope="col" { "Clocks" } } }
                        tbody {
                            @for row in &page.items {
                                tr {
                                    td { a href={ "/reserve/" (row.entry) } { (plain(&row.number)) } }
                                    td { (plain(&row.name)) }
                                    td { (row.step) }
                                    td { (row.missing) }
                                    td { @for clock in &row.clocks { (short_clock(clock)) " " } }
                                }
                            }
                        }
                    }
                }))
            }
        },
    ))
}

/// One of them, to print.
pub async fn one(State(app): State<App>, caller: Caller, entry: Segment) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Status);
    let Json(dossier) = reserve::one(State(app), caller, entry).await?;
    let title = format!("Reserve dossier {}", dossier.row.number);
    Ok(frame.page(&title, &body(&dossier)))
}

fn body(dossier: &DossierWhole) -> Markup {
    let row = &dossier.row;
    html! {
        p class="crumbs" { a href="/reserve" { "Reserve dossiers" } " / " (plain(&row.number)) }
        div class="dossier" {
            h1 { "Reserve dossier " (plain(&row.number)) }
            p { strong { (plain(&row.name)) } }
            p {
                "Request for support from the EU Cybersecurity Reserve, Reg. (EU) 2025/38 Art 15. Step: "
                strong { (row.step) } ". Asked by: " (row.user) ". As of " (time(&dossier.now)) "."
                @if let Some(request) = &dossier.request {
                    " Partners were asked too: " a href={ "/objects/" (request) } { (request) } "."
                }
            }
            (fields(dossier))
            (clocks(dossier))
            (steps(dossier))
        }
    }
}

fn fields(dossier: &DossierWhole) -> Markup {
    html! {
        section class="card" aria-labelledby="fields-title" {
            div class="head" {
                h2 id="fields-title" { "What the law wants to know" }
                span class=(if dossier.row.missing > 0 { "warn" } else { "quiet" }) {
                    @if dossier.row.missing > 0 { (dossier.row.missing) " missing" } @else { "nothing missing" }
                }
            }
            dl class="facts inside" {
                @for field in &dossier.fields {
                    div {
                        dt { (field.words) " " span class="quiet" { "(" (field.article) ")" } }
                        @if let Some(value) = &field.value { dd { (plain(value)) } }
                        @else { dd { strong class="warn" { "Missing" } ": " (field.remedy.unwrap_or_default()) "." } }
                    }
                }
            }
        }
    }
}

fn short_clock(clock: &ClockRow) -> Markup {
    let is_bad = matches!(clock.standing, "late" | "past target");
    html! { span class=[is_bad.then_some("warn")] { (clock.words) ": " (clock.standing) ", by " (time(&clock.outer)) } }
}

fn clocks(dossier: &DossierWhole) -> Markup {
    html! {
        section class="card" aria-labelledby="clocks-title" {
            div class="head" { h2 id="clocks-title" { "Clocks" } }
            div class="inside" {
                @if dossier.row.clocks.is_empty() {
                    p class="quiet" { "None runs: 48 hours begin with the submission, two months with the end of the support." }
                }
                @for clock in &dossier.row.clocks {
                    p {
                        strong { (clock.words) } " (" (clock.article) "): "
                        span class=[matches!(clock.standing, "late" | "past target").then_some("warn")] { (clock.standing) }
                        ". Since " (time(&clock.since)) "; exactly " (time(&clock.target)) ", at the latest "
                        (time(&clock.outer)) @if let Some(met) = &clock.met { "; met " (time(met)) } "."
                    }
                }
            }
        }
    }
}

fn steps(dossier: &DossierWhole) -> Markup {
    html! {
        section class="card" aria-labelledby="steps-title" {
            div class="head" { h2 id="steps-title" { "What was done" } }
            ol class="inside" {
                @for step in &dossier.steps {
                    li {
                        strong { (step.step) } ", " (time(&step.at)) ", noted by " (plain(&step.by))
                        @if let Some(note) = &step.note { ": " (plain(note)) }
                        @if let Some(proof) = &step.proof {
                            ". Done outside, proof attached: "
                            a href={ "/api/v1/reserve/" (dossier.row.entry) "/proofs/" (step.number) } { (plain(&proof.name)) }
                            ", " (proof.size) " bytes, SHA-256 " code class="whole" { (proof.sha256) }
                        }
                    }
                }
            }
        }
    }
}
