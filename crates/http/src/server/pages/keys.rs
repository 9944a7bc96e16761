//! `/keys`: which keys are in force, what is under way, and who has not heard yet. Keys are replaced from the command line,
//! where the root key's signature comes in.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};

use super::super::api::App;
use super::super::api::keys::{self, Keys};
use super::super::api::refusal::Refusal;
use super::super::session::Caller;
use super::frame::{Frame, Place, origin_chip, scrolling};
use super::text::{number, plain, time};

/// The page.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    let frame = Frame::of(&app, &caller, Place::Status);
    let Json(keys) = keys::list(State(app), caller).await?;
    Ok(frame.page("Keys", &body(&keys)))
}

fn body(keys: &Keys) -> Markup {
    html! {
        p class="crumbs" { a href="/" { "Status" } " / Keys" }
        h1 { "Keys" }
        section class="card" aria-labelledby="keys-title" {
            div class="head" {
                h2 id="keys-title" { "Identity, version " (number(keys.version)) }
                span class="quiet" { "signed by the root key at " (time(&keys.issued)) }
            }
            (scrolling("Keys", &table(keys)))
        }
        section class="card" aria-labelledby="way-title" {
            div class="head" { h2 id="way-title" { "Under way" } }
            div class="inside" { (under_way(keys)) }
        }
    }
}

fn table(keys: &Keys) -> Markup {
    html! {
        table {
            thead { tr { th { "Key" } th { "State" } th { "Public key, or pin" } th { "Believed up to" } } }
            tbody {
                @for key in &keys.items {
                    tr {
                        td { (plain(&key.kind)) }
                        td { (plain(&key.state)) }
                        td { @if let Some(public) = &key.public { code { (public) } } }
                        td { @if let Some(until) = &key.until { (plain(until)) } }
                    }
                }
            }
        }
    }
}

fn under_way(keys: &Keys) -> Markup {
    html! {
        @match &keys.rotation {
            Some(rotation) => p {
                "Old keys go once every active partner knows the new ones, at the latest at "
                (time(&rotation.deadline)) "."
            },
            None => p { "Nothing: no key is being replaced." },
        }
        @if !keys.waiting.is_empty() {
            p { "Not heard of this identity yet: " @for origin in &keys.waiting { (origin_chip(origin)) " " } }
        }
        @for span in &keys.repudiated {
            p {
                "We do not stand by the entries from " (number(span.from)) " to before " (number(span.to))
                ": they were said with stolen keys."
            }
        }
        p class="quiet" { "Keys are replaced with " code { "entraide keys" } ", where the root key signs." }
    }
}
