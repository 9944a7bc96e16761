//! The console: the files that `make console` built, part of the program. They hold nothing of the node, so nobody has to
//! be logged in for them; everything that the console shows comes from the API.

use std::borrow::Cow;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use super::api::App;

/// Read from the disk by a debug build, and inside the program of a release (`build.rs`).
#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Built;

/// The files below `/console/`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/console", get(|| async { Redirect::permanent("/console/") }))
        .route("/console/", get(|headers: HeaderMap| async move { file("index.html", &headers) }))
        .route(
            "/console/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move { file(&path, &headers) }),
        )
}

/// The ending of a file that holds another one compressed.
const PACKED: &str = ".gz";

fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some(media) = media(path) else { return StatusCode::NOT_FOUND.into_response() };
    // A realm below a path changes the addresses of pages (`realms`), so they stand as they are; they are small.
    let packed = if unpacks(headers) && !path.ends_with(".html") { content(&format!("{path}{PACKED}")) } else { None };
    let is_packed = packed.is_some();
    let Some(bytes) = packed.or_else(|| content(path)) else { return missing(path) };
    // The names of assets change with their content; the page that names them is asked for each time.
    let keep = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let told = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, keep), (header::VARY, "accept-encoding")];
    let mut response = (told, bytes).into_response();
    if is_packed {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
    }
    response
}

fn content(path: &str) -> Option<Cow<'static, [u8]>> {
    Built::get(path).map(|file| file.data)
}

/// Does the caller read gzip (RFC 9110 §12.5.3)? Every browser does.
fn unpacks(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| one.trim() == "gzip")
}

/// What a file of the console is, by its ending; no other is served.
fn media(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    Some(match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

fn missing(path: &str) -> Response {
    if path != "index.html" {
        return StatusCode::NOT_FOUND.into_response();
    }
    let text = "The console is not built: run `make console` where the program is built, then load this page again.\n\
                The plain pages at / work without it.\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_files_of_the_console_are_served() {
        let check = |path: &str, expect: Option<&str>| assert_eq!(media(path), expect, "{path}");
        check("index.html", Some("text/html; charset=utf-8"));
        check("assets/a.js", Some("text/javascript; charset=utf-8"));
        check("assets/a.js.gz", None);
        check("assets/a", None);
        let none = HeaderMap::new();
        for path in ["../Cargo.toml", "assets/../../../Cargo.toml", "/etc/passwd", "../src/main.js", "nothing.js"] {
            assert_eq!(file(path, &none).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn a_console_that_is_not_built_says_so() {
        let response = missing("index.html");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(missing("assets/x.js").status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn who_reads_gzip_gets_it() {
        let check = |value: Option<&'static str>, expect: bool| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(unpacks(&headers), expect, "{value:?}");
        };
        check(None, false);
        check(Some("gzip, deflate, br"), true);
        check(Some("identity"), false);
        check(Some("br"), false);
    }
}
