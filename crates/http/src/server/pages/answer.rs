//! `/answer/…`: a partner without a node reads our call for help and answers it, by the link in its letter and a code that
//! was told over the telephone. Every link has the same form, and whatever is wrong has one answer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use model::extension::assistance::{Answer, Payer};
use node::assist::relay::Saying;
use node::reach::answer::{self, AnswerError, Checked};
use node::reach::letter;

use super::super::api::App;
use super::super::api::limits;
use super::super::api::red::untoken;
use super::super::api::refusal::Refusal;
use super::super::api::request::Segment;
use super::super::api::session::hashing;
use super::frame::{Frame, brand, notice};
use super::posted::{Fields, Open};
use super::text::plain;

/// The form for the code.
pub async fn page(State(app): State<App>, Segment(_): Segment) -> Markup {
    form(&app, false)
}

/// Shows the call for help to whoever has the code, or takes its answer.
pub async fn post(State(app): State<App>, Segment(link): Segment, Open(fields): Open) -> Result<Response, Refusal> {
    let code = fields.text("code").to_owned();
    let (Ok(wanted), true) = (untoken(&link), code.len() <= limits::CREDENTIAL_BYTES) else { return Ok(wrong(&app)) };
    let candidate = app.node().read(move |view| answer::candidate(view, &wanted)).await?;
    let checked = hashing(&app, move || candidate.check(&code)).await?;
    if fields.text("says").is_empty() {
        show(&app, checked, &fields, None).await
    } else {
        answered(&app, checked, &fields).await
    }
}

async fn show(app: &App, checked: Checked, fields: &Fields, above: Option<String>) -> Result<Response, Refusal> {
    let opened = app.node().write_quietly(move |work| answer::open(work, &checked)).await?;
    let Some(row) = opened else { return Ok(wrong(app)) };
    let shown = app.node().read(move |view| answer::shown(view, &row)).await?;
    let Some(shown) = shown else { return Ok(wrong(app)) };
    let shown = shown.into_inner();
    let body = html! {
        div class="card narrow" {
            h1 { (plain(&app.node().me().name)) " asks for help" }
            @if let Some(above) = above { (notice("bad", &above)) }
            p class="quiet" { "TLP:" (shown.tlp.word()) ", entry " code { (shown.entry) } }
            pre class="note" tabindex="0" role="region" aria-label="What is asked" { (letter::in_words(&shown.file)) }
            form method="post" class="stacked" {
                input type="hidden" name="code" value=(fields.text("code"));
                fieldset {
                    legend { "Your answer" }
                    @for (word, says) in [("yes", "Yes, we help with everything that is asked"), ("maybe", "Maybe, call us"),
                        ("no", "No, not this time")] {
                        label { input type="radio" name="says" value=(word) required; " " (says) }
                    }
                }
                label for="said-by" { "Who answers: your name and office" }
                input id="said-by" name="said_by" value=(fields.text("said_by")) maxlength="200" required;
                label for="call" { "Whom we call: name and number" }
                input id="call" name="call" value=(fields.text("call")) maxlength="200" required;
                label for="note" { "What else you want to say" }
                textarea id="note" name="note" rows="3" maxlength="4000" { (fields.text("note")) }
                p class="quiet" { "Your answer counts at once and once; to change it, call." }
                button { "Answer" }
            }
        }
    };
    Ok(Frame::outside(app).page("A call for help", &body).into_response())
}

async fn answered(app: &App, checked: Checked, fields: &Fields) -> Result<Response, Refusal> {
    let given = match fields.text("says") {
        "yes" => Answer::Yes,
        "maybe" => Answer::Maybe,
        "no" => Answer::No,
        _ => return Err(Refusal::unreadable("choose yes, maybe or no")),
    };
    let saying = Saying::Answer {
        answer: given,
        call: fields.text("call").to_owned(),
        payer: Payer::ToBeAgreed,
        valid_until: None,
        note: Some(fields.text("note").to_owned()).filter(|note| !note.is_empty()),
        lines: Vec::new(),
    };
    let (who, again) = (fields.text("said_by").to_owned(), checked.clone());
    let done = app.node().write(move |work| answer::answer(work, &checked, &who, &saying)).await;
    match done {
        Ok(Some(_)) => {
            let body = html! {
                div class="card narrow" {
                    h1 { "Thank you" }
                    p { "Your answer was taken down and stands in our log as what you said. Close this page." }
                }
            };
            Ok(Frame::outside(app).page("A call for help", &body).into_response())
        }
        Ok(None) => Ok(wrong(app)),
        // What can't be said is told beside the form, which loses nothing.
        Err(node::WriteError::Refused(error @ AnswerError::Assist(_))) => {
            let refusal = Refusal::from(error);
            let told = refusal.0.detail.clone().unwrap_or_else(|| refusal.0.title.clone());
            show(app, again, fields, Some(told)).await
        }
        Err(error) => Err(error.into()),
    }
}

fn wrong(app: &App) -> Response {
    (StatusCode::UNAUTHORIZED, form(app, true)).into_response()
}

fn form(app: &App, failed: bool) -> Markup {
    let body = html! {
        div class="card narrow login" {
            p class="brand dark" { (brand()) "Entraide" }
            h1 { "You are asked for help" }
            @if failed {
                (notice("bad", "That did not fit: the link or the code is wrong, was used, or its time is over. Telephone \
                                whoever wrote to you, and ask for a new code."))
            }
            form method="post" {
                label for="code" { "One-time code" }
                input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 \\-]{8,12}"
                    aria-describedby="code-hint" required autofocus;
                p id="code-hint" class="quiet" { "Eight digits, told to you over the telephone. They are good for one answer." }
                button { "Read and answer" }
            }
        }
    };
    Frame::outside(app).page("A call for help", &body)
}
