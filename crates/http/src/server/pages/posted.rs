//! Forms: who sends one, whether it comes from our own page, and what it says.

use std::collections::BTreeMap;

use axum::Form;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;

use super::super::api::App;
use super::super::api::idempotency::Key;
use super::super::api::refusal::Refusal;
use super::super::api::request::Input;
use super::super::session::{CSRF_HEADER, Caller};
use super::limits;
use crate::problem::Problem;
use crate::server::accept::read_body;

/// The field in which a form repeats the session's value: a form can't set the API's header.
pub const CSRF_FIELD: &str = "csrf";

/// What a form says.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    named: BTreeMap<String, String>,
    bytes: Bytes,
}

impl Fields {
    /// A field, without white space around it; empty if it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.named.get(name).map_or("", |value| value.trim())
    }

    /// A field as it was typed.
    pub fn raw(&self, name: &str) -> String {
        self.named.get(name).cloned().unwrap_or_default()
    }

    /// The value in the shape in which the API's handlers take theirs, bound to the form's bytes.
    pub fn input<T>(&self, value: T) -> Input<T> {
        Input { value, bytes: self.bytes.clone() }
    }
}

/// A form that was sent from one of our own pages by somebody who is logged in.
pub struct Posted {
    /// Who.
    pub caller: Caller,
    /// For the API's handlers.
    pub key: Key,
    /// What it says.
    pub fields: Fields,
}

impl FromRequest<App> for Posted {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let (mut parts, fields) = read(request).await?;
        // The one check of the API does for forms too, after the field has taken the header's place.
        let repeated = HeaderValue::try_from(fields.text(CSRF_FIELD)).unwrap_or(HeaderValue::from_static(""));
        parts.headers.insert(CSRF_HEADER, repeated);
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let key = Key::from_request_parts(&mut parts, app).await?;
        Ok(Self { caller, key, fields })
    }
}

/// A form that anybody may send: the login.
pub struct Open(pub Fields);

impl FromRequest<App> for Open {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &App) -> Result<Self, Refusal> {
        Ok(Self(read(request).await?.1))
    }
}

async fn read(request: Request) -> Result<(Parts, Fields), Refusal> {
    let (parts, body) = request.into_parts();
    if !is_ours(&parts.headers) {
        let problem =
            Problem::forbidden().detail("the form was sent by another site: open this page itself, and send it there");
        return Err(Refusal(problem));
    }
    let bytes = read_body(body, limits::FORM_BYTES).await?;
    let again = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let Form(named) = Form::<BTreeMap<String, String>>::from_request(again, &()).await.map_err(|error| {
        let status = StatusCode::from_u16(error.status().as_u16()).unwrap_or(StatusCode::BAD_REQUEST);
        Refusal(Problem::new(status).detail("the form can't be read: go back, and send it again"))
    })?;
    Ok((parts, Fields { named, bytes }))
}

/// Was the form sent by a page of this node? Browsers say so (Fetch Metadata §2.3); what says nothing is no browser,
/// and has no cookie that it didn't set itself. This guards the login, which has no session yet whose value it could
/// repeat.
fn is_ours(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_are_refused() {
        let check = |site: Option<&'static str>, expect| {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            assert_eq!(is_ours(&headers), expect, "{site:?}");
        };
        check(None, true);
        check(Some("same-origin"), true);
        check(Some("none"), true);
        check(Some("same-site"), false);
        check(Some("cross-site"), false);
    }
}
