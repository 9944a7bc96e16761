//! `/log`: what stands in a log. `/proofs/{entry}`: what a proof proves, in words, and the file.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use model::EntryRef;

use super::super::api::App;
use super::super::api::log::{self, LogEntry, LogPage, Sealed, Which};
use super::super::api::objects;
use super::super::api::refusal::Refusal;
use super::super::api::request::{Params, Segment};
use super::super::api::status;
use super::super::session::Caller;
use super::frame::{Frame, Place, chip, commitment, origin_chip, scrolling, tlp, verbatim};
use super::link::with_query;
use super::text::{number, plain, time};

/// A page of a log.
pub async fn page(State(app): State<App>, caller: Caller, Params(which): Params<Which>) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Log);
    let country = which.country.map(|country| country.trim().to_ascii_uppercase()).filter(|text| !text.is_empty());
    let is_newest = which.before.is_none();
    let asked = Which { country: country.clone(), before: which.before, limit: None };
    let own = app.node().me().origin.country().to_string();
    let partners = status::read(&app).await?.partners;
    let Json(page) = log::page(State(app), caller, Params(asked)).await?;
    let mut countries: Vec<String> = partners.into_iter().map(|partner| partner.country).collect();
    countries.dedup();
    let shown = country.unwrap_or_else(|| own.clone());
    let body = html! {
        h1 { "Log of " (origin_chip(&page.origin)) }
        nav class="tabs" aria-label="Whose log" {
            @for country in std::iter::once(&own).chain(&countries) {
                a href=(with_query("/log", &[("country", Some(country))]))
                    aria-current=[(*country == shown).then_some("true")] {
                    (chip(country))
                }
            }
        }
        (checkpoint(&page))
        (entries(&page, &shown, is_newest))
    };
    Ok(frame.page("Log", &body))
}

fn checkpoint(page: &LogPage) -> Markup {
    html! {
        section class="card" aria-labelledby="checkpoint-title" {
            div class="head" {
                h2 id="checkpoint-title" { "Checkpoint" }
                span class="quiet" { (number(page.size)) " entries verified here" }
            }
            div class="inside" id="checkpoint-live" data-live {
                @match &page.checkpoint {
                    Some(note) => (verbatim("Checkpoint note", note)),
                    None => p { "None yet: nothing of this log has reached us." },
                }
            }
        }
    }
}

fn entries(page: &LogPage, country: &str, is_newest: bool) -> Markup {
    let to = |before: Option<&str>| with_query("/log", &[("country", Some(country)), ("before", before)]);
    html! {
        section class="card" aria-label="Entries" {
            div id="entries-live" data-live[is_newest] {
                @if page.items.is_empty() { p class="inside" { "No entries." } }
                @else { (scrolling("Entries of the log", &table(&page.items))) }
            }
            @if !is_newest || page.next.is_some() {
                nav class="pager inside" aria-label="Pages of this log" {
                    @if !is_newest { a href=(to(None)) { "Newest" } }
                    @if let Some(next) = &page.next { a rel="next" href=(to(Some(next))) { "Older" } }
                }
            }
        }
    }
}

fn table(items: &[LogEntry]) -> Markup {
    html! {
        table {
            caption { "Newest first. Every place has a commitment; what it says is shown if it was opened to you" }
            thead {
                tr {
                    th scope="col" { "Entry" }
                    th scope="col" { "Commitment" }
                    th scope="col" { "What it says" }
                    th scope="col" { "Arrived" }
                    th scope="col" { "Proof" }
                }
            }
            tbody { @for entry in items { (row(entry)) } }
        }
    }
}

fn row(entry: &LogEntry) -> Markup {
    html! {
        tr {
            th scope="row" { code { (entry.entry) } }
            td { (commitment(&entry.commitment)) }
            td {
                @match (&entry.object, &entry.unfit) {
                    (Some(object), _) => {
                        (tlp(&object.tlp))
                        " "
                        a href={ "/objects/" (object.entry) } { bdi { (super::objects::title(object)) } }
                        " "
                        span class="quiet" { (object.kind) @if object.state != "live" { ", " (object.state) } }
                    },
                    (None, Some(reason)) => { span class="state" { "unfit" } " kept raw: " (plain(reason)) },
                    (None, None) if entry.lost => { span class="state" { "lost" } " as its owner says" },
                    (None, None) => span class="quiet" { "not opened to you" },
                }
            }
            td { @match &entry.arrived { Some(at) => (time(at)), None => span class="quiet" { "commitment only" } } }
            td { @if entry.object.is_some() { a href={ "/proofs/" (entry.entry) } { "Proof of " (entry.entry) } } }
        }
    }
}

/// What a proof proves, in words.
pub async fn proof_page(State(app): State<App>, caller: Caller, Segment(entry): Segment) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Log);
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let detail = objects::without_body(&app, &caller, &name.to_string()).await?;
    let object = detail.object;
    let file = format!("{}-{}.proof", name.country, name.index);
    let body = html! {
        p class="crumbs" {
            a href={ "/log?country=" (name.country) } { "Log" } " / " a href={ "/objects/" (name) } { code { (name) } }
        }
        h1 { "Proof of " (name) }
        section class="card" aria-labelledby="proves-title" {
            div class="head" { h2 id="proves-title" { "What it proves" } }
            div class="inside prose" {
                p {
                    "That "
                    (chip(&name.country.to_string()))
                    " said this, in this wording, as entry "
                    strong { (object.index) }
                    " of its log, and that its log of the size in the checkpoint holds it."
                }
                ul {
                    li {
                        "The file opens the commitment of the entry: envelope, salts and, unless sealed, the body."
                    }
                    li {
                        "It shows the way from the entry to the root of the log (RFC 6962), and the checkpoint \
                         that the nation signed over that root."
                    }
                    li { "It does not prove that what was said is true, nor that nothing else was said." }
                    li {
                        "A nation can’t take it back unnoticed: another entry at the same place would be a second \
                         signed checkpoint that does not fit."
                    }
                }
                dl class="facts" {
                    div { dt { "Commitment" } dd { (commitment(&object.commitment)) } }
                    div { dt { "Arrived here" } dd { (time(&object.arrived)) } }
                }
            }
        }
        section class="card" aria-labelledby="download-title" {
            div class="head" { h2 id="download-title" { "Download" } }
            ul class="inside" {
                @if object.state == "live" {
                    li {
                        a href={ "/proofs/" (name) "/file" } download=(file) { "Open proof" }
                        ": with the body. Its label holds for the file too: "
                        (tlp(&object.tlp))
                    }
                }
                li {
                    a href={ "/proofs/" (name) "/file?sealed=true" } download=(file) { "Sealed proof" }
                    ": without the body"
                }
                li {
                    a href={ "/proofs/" (name) "/words?sealed=true" } { "The sealed proof in words" }
                    @if object.state == "live" {
                        ", or "
                        a href={ "/proofs/" (name) "/words" } { "the open one" }
                    }
                    ": one page to print, for people who will not run a program"
                }
            }
        }
        (verify(&file))
    };
    Ok(frame.page(&format!("Proof of {name}"), &body))
}

fn verify(file: &str) -> Markup {
    html! {
        section class="card" aria-labelledby="verify-title" {
            div class="head" { h2 id="verify-title" { "Verify it without this node" } }
            div class="inside prose" {
                p {
                    "On any machine that has the program, with no network, and with the nation’s public \
                     log key, which you have from its people and not from this file:"
                }
                pre class="note" tabindex="0" role="region" aria-label="Command" {
                    "entraide verify-proof " (file) " --keys KEYS"
                }
                p {
                    "It answers with what was said, by whom, and under which checkpoint, or with the first \
                     thing that does not hold."
                }
            }
        }
    }
}

/// A proof in words, to print: checked here with the keys that this node knows.
pub async fn proof_words(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    Params(Sealed { sealed }): Params<Sealed>,
) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Log);
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let words = log::words(&app, &caller, name, sealed).await?;
    let body = html! {
        p class="crumbs" { a href={ "/proofs/" (name) } { "Proof of " (name) } }
        h1 { (words.title) }
        @for (heading, paragraphs) in &words.parts {
            section class="card" {
                div class="head" { h2 { (heading) } }
                div class="inside prose" { @for paragraph in paragraphs { p { (plain(paragraph)) } } }
            }
        }
    };
    Ok(frame.page(&words.title, &body))
}

/// The file.
pub async fn proof_file(
    State(app): State<App>,
    caller: Caller,
    Segment(entry): Segment,
    sealed: Params<Sealed>,
) -> Result<Response, Refusal> {
    let name: EntryRef = entry.parse().map_err(Refusal::unreadable)?;
    let mut response = log::proof(State(app), caller, Segment(name.to_string()), sealed).await?.into_response();
    // Two letters and digits: nothing in it can end the header's string.
    let disposition = format!("attachment; filename=\"{}-{}.proof\"", name.country, name.index);
    let value = HeaderValue::try_from(disposition).map_err(Refusal::unreadable)?;
    response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::super::objects::tests::object;
    use super::*;

    #[test]
    fn entries_say_as_much_as_the_reader_may_see() {
        let entry = |object, unfit: Option<&str>| LogEntry {
            entry: "EE:7".to_owned(),
            index: 7,
            commitment: "ab".repeat(32),
            arrived: None,
            object,
            unfit: unfit.map(str::to_owned),
            lost: false,
        };
        let check = |entry: LogEntry, expect: &str| {
            let text = row(&entry).into_string();
            assert!(text.contains(expect) && !text.contains("<script"), "{text}");
        };
        check(entry(None, None), "not opened to you");
        check(LogEntry { lost: true, ..entry(None, None) }, "as its owner says");
        check(entry(None, Some("<script>")), "kept raw: &lt;script&gt;");
        check(entry(Some(object(Some("<script>x"))), None), "&lt;script&gt;x");
    }
}
