//! How a refusal is told: problem details (RFC 9457), made in this one file for every route.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// Media type of a problem (RFC 9457 §3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One refusal or failure, as told to the caller. RFC 9457 §3.1 names the members.
///
/// "Not found" and "not for you" are the same answer: use [`Problem::not_found`] for both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// The kind of problem; `about:blank` says that the status is all there is to know.
    #[serde(rename = "type", default = "about_blank")]
    pub type_: String,
    /// The kind in a few words, the same for every problem of that kind.
    #[serde(default)]
    pub title: String,
    /// The HTTP status, repeated.
    #[serde(default)]
    pub status: u16,
    /// What happened this time and what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// More members, by kind (RFC 9457 §3.2).
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
    /// Seconds after which trying again makes sense; sent as `Retry-After` (RFC 9110 §10.2.3).
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem with the status' own words as title.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self {
            type_: about_blank(),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            detail: None,
            more: serde_json::Map::new(),
            retry_after: None,
        }
    }

    /// Names the kind: `urn:entraide:problem:<slug>`, with its title.
    #[must_use]
    pub fn kind(mut self, slug: &str, title: &str) -> Self {
        self.type_ = format!("urn:entraide:problem:{slug}");
        title.clone_into(&mut self.title);
        self
    }

    /// Says what happened this time and what to do next.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a member of the kind. The five members of RFC 9457 can't be replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        if !["type", "title", "status", "detail"].contains(&name) {
            self.more.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Says after how many seconds trying again makes sense.
    #[must_use]
    pub fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// It isn't there, or it isn't for the caller: one answer.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND)
    }

    /// The caller may not; the same text whatever was asked.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN)
    }

    /// The caller has not said who it is.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED)
    }

    /// The request can't be read; `detail` says why and what to write instead.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST).detail(detail)
    }

    /// The request was read, and what it says does not hold; `detail` says why.
    #[must_use]
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY).detail(detail)
    }

    /// The route doesn't know this method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED)
    }

    /// The request's body is larger than `limit` bytes.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE).detail(format!("send at most {limit} bytes")).with("limit", limit)
    }

    /// The request's body came too slowly.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT)
    }

    /// Too many requests; try again after so many seconds.
    #[must_use]
    pub fn too_many(retry_after: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS).after(retry_after)
    }

    /// The node can't do that now; `detail` says why.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE).detail(detail).after(1)
    }

    /// Something failed here. The reason stays in this node's own journal of events.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        // What is refused now may be allowed in a minute, and must not be answered by a cache then.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(problem: &Problem, expect: &str) {
        assert_eq!(serde_json::to_string(problem).unwrap(), expect);
        let again: Problem = serde_json::from_str(expect).unwrap();
        assert_eq!((again.status, &again.title, &again.more), (problem.status, &problem.title, &problem.more));
    }

    #[test]
    fn problems_are_told_as_rfc_9457_says() {
        check(&Problem::not_found(), r#"{"type":"about:blank","title":"Not Found","status":404}"#);
        check(
            &Problem::too_large(9),
            concat!(
                r#"{"type":"about:blank","title":"Payload Too Large","status":413,"#,
                r#""detail":"send at most 9 bytes","limit":9}"#
            ),
        );
        check(
            &Problem::new(StatusCode::CONFLICT).kind("held", "The partner is held").with("status", 200),
            r#"{"type":"urn:entraide:problem:held","title":"The partner is held","status":409}"#,
        );
    }

    #[test]
    fn the_answer_carries_status_type_and_pause() {
        let response = Problem::too_many(7).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}
