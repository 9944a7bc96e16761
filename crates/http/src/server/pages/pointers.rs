//! `/pointers`: says that a classified annex exists and whom to call. Two steps: the first shows who will see it.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use model::party::AnnexLevel;
use node::Permission;

use super::super::api::App;
use super::super::api::pointers::{self, NewPointer, Said};
use super::super::api::refusal::Refusal;
use super::super::api::who_sees::{self, Planned, Sheet};
use super::super::session::Caller;
use super::frame::{Frame, Place, notice, tlp};
use super::object::sheet_lines;
use super::posted::{Fields, Posted};
use super::text::plain;
use crate::server::accept::read_body;

/// The fields of the form, in their order, with what stands beside each.
const LINES: [(&str, &str, &str); 4] = [
    ("held_at", "In which accredited system or registry it is kept", "200"),
    ("desk", "Whom to ask for", "200"),
    ("telephone", "Telephone", "40"),
    ("summary", "What it is about, in one line of English that is not classified itself", "500"),
];
const LABELS: [&str; 4] = ["amber+strict", "amber", "green", "clear"];

/// The empty form.
pub async fn page(State(app): State<App>, caller: Caller) -> Result<Markup, Refusal> {
    caller.actor.require(Permission::Speak)?;
    let frame = Frame::of(&app, &caller, Place::Objects);
    Ok(frame.page("Point to an annex", &form(&frame, &Fields::default(), None)))
}

/// The first step shows the sheet, the second says it.
pub async fn say(State(app): State<App>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { caller, key, fields } = posted;
    caller.actor.require(Permission::Speak)?;
    let frame = Frame::of(&app, &caller, Place::Objects);
    let audience = Some(fields.text("audience").to_owned()).filter(|name| !name.is_empty());
    let planned = Planned { label: fields.text("label").to_owned(), audience: audience.clone() };
    let told = if fields.text("sure") == "yes" {
        let new = NewPointer {
            level: fields.text("level").to_owned(),
            held_at: fields.text("held_at").to_owned(),
            desk: fields.text("desk").to_owned(),
            telephone: fields.text("telephone").to_owned(),
            summary: fields.text("summary").to_owned(),
            label: planned.label,
            audience,
        };
        match pointers::say(State(app), caller, key, fields.input(new)).await {
            Ok(answer) => {
                let bytes = read_body(answer.into_body(), super::limits::FORM_BYTES).await?;
                let said: Said = serde_json::from_slice(&bytes).map_err(Refusal::unreadable)?;
                return Ok(Redirect::to(&format!("/objects/{}", said.entry)).into_response());
            }
            Err(refusal) => Err(refusal),
        }
    } else {
        who_sees::of_choice(State(app), caller, fields.input(planned)).await.map(|sheet| sheet.0)
    };
    let body = match told {
        Ok(sheet) => confirm(&frame, &fields, &sheet),
        Err(Refusal(problem)) if problem.status < 500 => {
            form(&frame, &fields, Some(&problem.detail.unwrap_or(problem.title)))
        }
        Err(other) => return Err(other),
    };
    Ok(frame.page("Point to an annex", &body).into_response())
}

fn form(frame: &Frame, fields: &Fields, wrong: Option<&str>) -> Markup {
    html! {
        p class="crumbs" { a href="/objects" { "Objects" } " / Point to an annex" }
        h1 { "Point to a classified annex" }
        section class="card" aria-label="Point to a classified annex" {
            form class="inside stacked" method="post" action="/pointers" {
                (frame.csrf())
                @if let Some(wrong) = wrong { (notice("bad", wrong)) }
                p { "Partners read that an annex exists and whom to call. Its number is made of chance." }
                label for="level" { "How high the annex is classified" }
                select id="level" name="level" {
                    @for level in AnnexLevel::ALL {
                        option value=(level.word()) selected[fields.text("level") == level.word()] { (level.word()) }
                    }
                }
                @for (name, label, most) in LINES {
                    label for=(name) { (label) }
                    input id=(name) name=(name) value=(fields.text(name)) maxlength=(most) required;
                }
                label for="label" { "Who may see the pointer" }
                select id="label" name="label" {
                    @for label in LABELS {
                        option value=(label) selected[fields.text("label") == label] {
                            "TLP:" (label.to_ascii_uppercase())
                        }
                    }
                }
                label for="audience" { "Audience; CLEAR and GREEN go to the ticked communities without one" }
                input id="audience" name="audience" value=(fields.text("audience")) maxlength="200";
                button class="secondary" { "Look who will see it" }
            }
        }
    }
}

fn confirm(frame: &Frame, fields: &Fields, sheet: &Sheet) -> Markup {
    let seeing = sheet.partners.iter().filter(|line| line.sees).count();
    html! {
        p class="crumbs" { a href="/objects" { "Objects" } " / Point to an annex" }
        h1 { "Who will see this?" }
        section class="card alarm" aria-labelledby="sure-title" {
            div class="head" { h2 id="sure-title" { "Nothing has been sent yet" } }
            div class="inside" {
                p { (tlp(fields.text("label"))) " " (plain(fields.text("level"))) ": " q { (plain(fields.text("summary"))) } }
                p {
                    "Call " (plain(fields.text("desk"))) ", " (plain(fields.text("telephone")))
                    ", kept at " (plain(fields.text("held_at")))
                }
                p { strong { (seeing) } " of " (sheet.partners.len()) " partners" }
                (sheet_lines(sheet))
                form class="buttons" method="post" action="/pointers" {
                    (frame.csrf())
                    @for name in ["level", "label", "audience"] { input type="hidden" name=(name) value=(fields.text(name)); }
                    @for (name, _, _) in LINES { input type="hidden" name=(name) value=(fields.text(name)); }
                    button class="danger" name="sure" value="yes" { "Say it now" }
                    a class="button secondary" href="/pointers" { "Leave it" }
                }
            }
        }
    }
}
