//! Refusals as pages: the same problem that the API would tell, in words; whoever is not logged in is sent to log in.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::super::api::App;
use super::frame::Frame;
use super::limits;
use super::link::{local, with_query};
use super::text::plain;
use crate::problem::{MEDIA_TYPE, Problem};

/// Turns the problems of pages into pages.
pub async fn as_page(State(app): State<App>, request: Request, next: Next) -> Response {
    let asked = request.uri().path_and_query().map(|path| path.as_str().to_owned());
    let reads = *request.method() == Method::GET;
    let response = next.run(request).await;
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|media| media == MEDIA_TYPE);
    if !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, limits::PROBLEM_BYTES).await.unwrap_or_default();
    let problem = serde_json::from_slice(&bytes).unwrap_or_else(|_| Problem::new(parts.status));
    if problem.status == 401 {
        // A form's address can't be opened again: whoever sent one starts at the first page.
        let back = local(asked.as_deref().filter(|_| reads));
        return Redirect::to(&with_query("/login", &[("to", Some(back).filter(|back| *back != "/"))])).into_response();
    }
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let words = words(&problem);
    (parts.status, parts.headers, Frame::outside(&app).page(heading(problem.status), &words)).into_response()
}

fn heading(status: u16) -> &'static str {
    match status {
        403 => "You may not do this",
        404 => "Nothing here",
        405 => "This page takes no such request",
        500 => "The node failed",
        503 => "The node is busy, or has stopped",
        _ => "This was refused",
    }
}

fn words(problem: &Problem) -> Markup {
    html! {
        div class="card narrow" {
            h1 { (heading(problem.status)) }
            @if problem.status == 404 {
                p { "There is nothing at this address, or it isn’t for you: both have this one answer." }
            } @else if problem.status >= 500 && problem.detail.is_none() {
                p { "The reason is in the node’s own records. Nothing that was acknowledged is lost." }
            } @else if problem.title != heading(problem.status) {
                p { (plain(&problem.title)) "." }
            }
            @if let Some(detail) = &problem.detail {
                p { (plain(detail)) }
            }
            p { a class="button" href="/" { "To the status page" } }
            p class="quiet" { "HTTP status " (problem.status) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_words_and_never_markup() {
        let problem = Problem::bad_request("`<script>alert(1)</script>` is not a country");
        let text = words(&problem).into_string();
        assert!(text.contains("&lt;script&gt;") && !text.contains("<script"), "{text}");
        let missing = words(&Problem::not_found()).into_string();
        assert!(missing.contains("isn’t for you"), "{missing}");
    }
}
