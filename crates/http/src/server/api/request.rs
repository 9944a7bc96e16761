//! What handlers read from a request: parameters, segments, JSON and raw bodies, each bounded, each refusal a problem.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use bytes::Bytes;
use node::audience::Choice;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::limits;
use super::refusal::Refusal;
use crate::problem::Problem;
use crate::server::accept::read_body;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it as `after` to go on; `null` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that is short enough to be given whole.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageOf {
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows of the page: 1 to 1,000, else 100.
    pub limit: Option<usize>,
}

/// Reads where a page goes on.
///
/// # Errors
/// Not what a page before gave.
pub fn after(text: Option<&str>) -> Result<Option<u64>, Refusal> {
    let wrong = |text: &str| {
        let shown: String = text.chars().take(40).collect();
        Refusal::unreadable(format!("`{shown}` is not a place in this list: pass `next` of the page before"))
    };
    text.map(|text| text.parse().map_err(|_| wrong(text))).transpose()
}

/// Rows of a page.
///
/// # Errors
/// Not 1 to 1,000.
pub fn rows(limit: Option<usize>) -> Result<usize, Refusal> {
    match limit {
        None => Ok(node::limits::PAGE_ROWS),
        Some(rows @ 1..=node::limits::PAGE_ROWS_MAX) => Ok(rows),
        Some(rows) => Err(Refusal::unreadable(format!("a page has 1 to 1,000 rows, not {rows}"))),
    }
}

/// The audience that a body names; none and an empty name are the ticked communities.
pub fn audience(name: Option<String>) -> Choice {
    name.filter(|name| !name.is_empty()).map_or(Choice::Default, Choice::Named)
}

/// The query of a request.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = Query::try_from_uri(&parts.uri).map_err(|error| Refusal::unreadable(error.body_text()))?;
        Ok(Self(query.0))
    }
}

/// The one variable segment of a path.
#[derive(Debug)]
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            // A segment that is no UTF-8 names nothing.
            Err(_) => Err(Refusal::not_found()),
        }
    }
}

/// The two variable segments of a path, in their order.
#[derive(Debug)]
pub struct Two(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Two {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((first, second))) => Ok(Self(first, second)),
            Err(_) => Err(Refusal::not_found()),
        }
    }
}

/// A JSON body with its bytes, whose digest an idempotency key is bound to. No body reads as `{}`.
#[derive(Debug)]
pub struct Input<T> {
    /// What it says.
    pub value: T,
    /// As it came.
    pub bytes: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let is_json = is_json(&request);
        let bytes = read_body(request.into_body(), limits::COMMAND_BYTES).await?;
        if bytes.is_empty() {
            let value = serde_json::from_slice(b"{}").map_err(Refusal::unreadable)?;
            return Ok(Self { value, bytes });
        }
        // A form of another site can't set this type without asking first (Fetch standard, CORS-safelisted types).
        if !is_json {
            let problem = Problem::new(axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE);
            return Err(Refusal(problem.detail("send JSON, with the header `Content-Type: application/json`")));
        }
        let value = serde_json::from_slice(&bytes).map_err(Refusal::unreadable)?;
        Ok(Self { value, bytes })
    }
}

fn is_json(request: &Request) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// A body of bytes, of at most `LIMIT` of them.
#[derive(Debug)]
pub struct Raw<const LIMIT: usize>(pub Bytes);

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for Raw<LIMIT> {
    type Rejection = Refusal;
    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        Ok(Self(read_body(request.into_body(), LIMIT).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded() {
        let check = |limit, expect| assert_eq!(rows(limit).ok(), expect, "{limit:?}");
        check(None, Some(100));
        check(Some(0), None);
        check(Some(1), Some(1));
        check(Some(1_000), Some(1_000));
        check(Some(1_001), None);
        assert_eq!(after(Some("12")).unwrap(), Some(12));
        assert_eq!(after(None).unwrap(), None);
        assert!(after(Some("-1")).is_err());
    }
}
