//! Several realms behind one listener: REAL at the root, and each open exercise below `/ex/<realm>/`.
//!
//! A realm's own routes know nothing of the prefix. It is taken off what comes in, and put onto whatever an answer leads
//! to: redirects, the cookie's path, and the links, forms and sources of pages. So no page can forget it, and no address
//! of an exercise's page leads into reality.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use model::Realm;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::limits;
use crate::problem::Problem;

/// Below which the exercises are.
const BELOW: &str = "/ex/";
/// The attributes of a page that lead somewhere.
const LEADING: [&str; 5] = ["href", "src", "action", "formaction", "data-events"];

/// Says below which path a request's realm is served: an extension of requests that came by way of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(pub Arc<str>);

/// The path below which a realm is served: empty for REAL.
#[must_use]
pub fn prefix(realm: &Realm) -> String {
    if realm.is_real() { String::new() } else { format!("{BELOW}{realm}") }
}

/// The exercises that are served beside REAL. Cloning shares them.
#[derive(Clone, Default)]
pub struct Beside(Arc<RwLock<BTreeMap<String, Arc<Mounted>>>>);

/// One exercise.
struct Mounted {
    realm: Realm,
    prefix: Arc<str>,
    router: Router,
    /// An exercise under load leaves the rest of the process to reality.
    places: Arc<Semaphore>,
}

impl Beside {
    /// Serves an exercise from now on. REAL has no place here, and none is made for it.
    pub fn put(&self, realm: &Realm, router: Router) {
        if realm.is_real() {
            return;
        }
        let places = Arc::new(Semaphore::new(limits::EXERCISE_REQUESTS));
        let mounted = Mounted { realm: realm.clone(), prefix: prefix(realm).into(), router, places };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(realm.to_string(), Arc::new(mounted));
    }

    /// Serves it no more; requests in flight go on to their end.
    pub fn take(&self, realm: &Realm) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&realm.to_string());
    }

    fn of(&self, path: &str) -> Option<Arc<Mounted>> {
        let name = path.strip_prefix(BELOW)?.split('/').next()?;
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// One router for all realms of a process: an exercise's path leads to that exercise, everything else to `real`.
pub fn router(real: Router, beside: Beside) -> Router {
    Router::new().fallback(move |request: Request| {
        let (real, mounted) = (real.clone(), beside.of(request.uri().path()));
        async move {
            match mounted {
                Some(mounted) => told(mounted.answer(request).await, &mounted.realm),
                None => called(real, request).await,
            }
        }
    })
}

async fn called(router: Router, request: Request) -> Response {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

impl Mounted {
    async fn answer(&self, mut request: Request) -> Response {
        let Some(inside) = inside(request.uri(), &self.prefix) else {
            return Redirect::permanent(&format!("{}/", self.prefix)).into_response();
        };
        let Ok(_place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Problem::unavailable("the exercise is busy: try again in a second").into_response();
        };
        *request.uri_mut() = inside;
        request.extensions_mut().insert(Prefix(Arc::clone(&self.prefix)));
        let response = called(self.router.clone(), request).await;
        outside(response, &self.prefix).await
    }
}

/// The address as the realm knows it; `None` if the prefix stands alone.
fn inside(uri: &Uri, prefix: &str) -> Option<Uri> {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = whole.strip_prefix(prefix).filter(|rest| rest.starts_with('/'))?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// The answer as the world outside knows its addresses.
async fn outside(response: Response, prefix: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    lead(&mut parts.headers, header::LOCATION, |value| {
        let is_local = value.starts_with('/') && !value.starts_with("//");
        is_local.then(|| format!("{prefix}{value}"))
    });
    lead(&mut parts.headers, header::SET_COOKIE, |value| {
        value.contains("; Path=/;").then(|| value.replace("; Path=/;", &format!("; Path={prefix}/;")))
    });
    let is_page =
        parts.headers.get(header::CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"text/html"));
    if !is_page {
        return Response::from_parts(parts, body);
    }
    let page = match to_bytes(body, limits::PAGE_BYTES).await {
        Ok(bytes) => localised(&String::from_utf8_lossy(&bytes), prefix),
        Err(error) => {
            tracing::error!(%error, "a page of an exercise could not be read");
            return Problem::internal().into_response();
        }
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(page))
}

fn lead(headers: &mut HeaderMap, name: header::HeaderName, change: impl Fn(&str) -> Option<String>) {
    let Some(changed) = headers.get(&name).and_then(|value| value.to_str().ok()).and_then(change) else { return };
    if let Ok(value) = HeaderValue::try_from(changed) {
        headers.insert(name, value);
    }
}

/// Puts the prefix onto every local address that the page leads to. Templates escape quotation marks in all that is not
/// their own, so `="/` can only be an attribute of ours.
fn localised(page: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(page.len() + 1024);
    let mut rest = page;
    while let Some(at) = rest.find("=\"/") {
        let (before, after) = rest.split_at(at + 2);
        out.push_str(before);
        let name = before[..at].rsplit(|letter: char| letter.is_ascii_whitespace() || letter == '<').next();
        if name.is_some_and(|name| LEADING.contains(&name)) && !after.starts_with("//") {
            out.push_str(prefix);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What every answer of a realm says: which realm it is, and of an exercise's files that they are an exercise's.
pub fn told(mut response: Response, realm: &Realm) -> Response {
    let headers = response.headers_mut();
    // A realm has capital letters, digits and hyphens: it is always a header's value.
    if let Ok(value) = HeaderValue::try_from(realm.to_string()) {
        headers.insert(REALM_HEADER, value);
    }
    if !realm.is_real() {
        lead(headers, header::CONTENT_DISPOSITION, |value| {
            let (before, name) = value.split_once("filename=\"")?;
            let starts = name.starts_with(&format!("{realm}-"));
            (!starts).then(|| format!("{before}filename=\"{realm}-{name}"))
        });
    }
    response
}

/// The header that names the realm of an answer.
pub const REALM_HEADER: &str = "x-entraide-realm";

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use http_body_util::BodyExt;

    use super::*;

    fn realm(name: &str) -> Realm {
        name.parse().unwrap()
    }

    async fn asked(router: &Router, path: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        (parts.status, parts.headers, text)
    }

    #[test]
    fn a_prefix_ends_where_a_name_does() {
        let told = |path: &str| inside(&path.parse().unwrap(), "/ex/EX-BLUE").map(|uri| uri.to_string());
        assert_eq!(told("/ex/EX-BLUE/a?b").as_deref(), Some("/a?b"));
        assert_eq!([told("/ex/EX-BLUE-26/a"), told("/ex/EX-BLUE")], [None, None]);
    }

    #[tokio::test]
    async fn each_path_leads_to_one_realm() {
        let says =
            |word: &'static str| Router::new().route("/a", get(move || async move { word })).fallback(|| async { "?" });
        let beside = Beside::default();
        let router = router(says("real"), beside.clone());
        beside.put(&realm("EX-BLUE"), says("blue"));
        beside.put(&realm("EX-BLUE-26"), says("blue 26"));
        beside.put(&Realm::Real, says("never"));
        let check = async |path: &str, expect: &str| assert_eq!(asked(&router, path).await.2, expect, "{path}");
        check("/a", "real").await;
        check("/ex/EX-BLUE/a", "blue").await;
        check("/ex/EX-BLUE/a?b=/ex/EX-BLUE-26/a", "blue").await;
        check("/ex/EX-BLUE-26/a", "blue 26").await;
        check("/ex/EX-BLUE/ex/EX-BLUE-26/a", "?").await;
        for real in
            ["/ex/REAL/a", "/ex/EX-GREEN/a", "/ex/ex-blue/a", "/ex/EX%2DBLUE/a", "/ex/", "/ex", "//ex/EX-BLUE/a"]
        {
            check(real, "?").await;
        }
        let (status, headers, _) = asked(&router, "/ex/EX-BLUE").await;
        assert_eq!(
            (status, &headers[header::LOCATION]),
            (StatusCode::PERMANENT_REDIRECT, &HeaderValue::from_static("/ex/EX-BLUE/"))
        );
        beside.take(&realm("EX-BLUE"));
        check("/ex/EX-BLUE/a", "?").await;
        check("/ex/EX-BLUE-26/a", "blue 26").await;
    }

    #[tokio::test]
    async fn an_exercise_answers_a_bounded_number_of_requests_at_once_and_reality_answers_beside_it() {
        let never = Router::new().route("/a", get(|| async { std::future::pending::<()>().await }));
        let beside = Beside::default();
        beside.put(&realm("EX-BLUE"), never);
        let router = router(Router::new().route("/a", get(|| async { "real" })), beside);
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..limits::EXERCISE_REQUESTS {
            let router = router.clone();
            waiting.spawn(async move { asked(&router, "/ex/EX-BLUE/a").await.0 });
        }
        // The scheduler lets us go on before all of them had their turn: each gets one.
        for _ in 0..limits::EXERCISE_REQUESTS {
            tokio::task::yield_now().await;
        }
        assert_eq!(asked(&router, "/ex/EX-BLUE/a").await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(asked(&router, "/a").await.2, "real");
        assert!(waiting.try_join_next().is_none(), "the others still wait");
    }

    #[tokio::test]
    async fn whatever_an_exercises_answer_leads_to_is_in_the_exercise() {
        let cookie = [(header::SET_COOKIE, "entraide_ab=x; Path=/; Max-Age=1; HttpOnly")];
        let page = "<a href=\"/log\">=&quot;/x</a><form action=\"/out\"><img src=\"//e\"><p title=\"/no\" data-events=\"/api\">";
        let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        let inside = Router::new()
            .route("/in", get(move || async move { (cookie, Redirect::to("/objects?a=/b")) }))
            .route("/away", get(|| async { Redirect::to("//elsewhere/") }))
            .route("/page", get(move || async move { (html, page) }))
            .route("/text", get(move || async move { page }))
            .route("/post", post(|| async {}));
        let beside = Beside::default();
        beside.put(&realm("EX-BLUE"), inside);
        let router = router(Router::new(), beside);
        let (_, headers, _) = asked(&router, "/ex/EX-BLUE/in").await;
        assert_eq!(headers[header::LOCATION], "/ex/EX-BLUE/objects?a=/b");
        assert_eq!(headers[header::SET_COOKIE], "entraide_ab=x; Path=/ex/EX-BLUE/; Max-Age=1; HttpOnly");
        assert_eq!(asked(&router, "/ex/EX-BLUE/away").await.1[header::LOCATION], "//elsewhere/");
        let expect = "<a href=\"/ex/EX-BLUE/log\">=&quot;/x</a><form action=\"/ex/EX-BLUE/out\"><img src=\"//e\">\
                      <p title=\"/no\" data-events=\"/ex/EX-BLUE/api\">";
        assert_eq!(asked(&router, "/ex/EX-BLUE/page").await.2, expect);
        assert_eq!(asked(&router, "/ex/EX-BLUE/text").await.2, page);
    }

    #[test]
    fn files_of_an_exercise_are_named_after_it() {
        let check = |name: &str, disposition: &'static str, expect: &str| {
            let mut response = Response::new(Body::empty());
            response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
            let told = told(response, &realm(name));
            assert_eq!(told.headers()[header::CONTENT_DISPOSITION], expect);
            assert_eq!(told.headers()[REALM_HEADER], name);
        };
        let (plain, named) = ("attachment; filename=\"FR-1.proof\"", "attachment; filename=\"EX-BLUE-FR-1.proof\"");
        check("REAL", plain, plain);
        check("EX-BLUE", plain, named);
        check("EX-BLUE", named, named);
        check("EX-BLUE", "inline", "inline");
    }
}
