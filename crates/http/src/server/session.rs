//! Who calls: by session cookie, bearer token or the machine's own socket. Every handler of the API starts here.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use data_encoding::BASE64URL_NOPAD;
use model::Origin;
use model::bytes::unhex;
use node::{Actor, account};
use policy::Viewer;
use subtle::ConstantTimeEq;

use super::accept::LocalSocket;
use super::api::App;
use super::api::refusal::Refusal;
use crate::problem::Problem;

/// The header that repeats a session's value on unsafe methods.
pub const CSRF_HEADER: &str = "x-csrf";

/// How a caller has said who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// By a session cookie: a browser, whose other pages can send requests too.
    Session {
        /// The cookie's value.
        token: [u8; 32],
        /// What unsafe methods repeat.
        csrf: [u8; 32],
        /// The account's name for people.
        name: String,
    },
    /// By a token in the header `Authorization`.
    Token,
    /// By the socket in the node's own directory.
    LocalSocket,
}

/// Who calls, and how that is known.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who acts. Handlers ask it for a permission.
    pub actor: Actor,
    /// How that is known.
    pub by: By,
}

impl Caller {
    /// The caller as policy sees it.
    #[must_use]
    pub fn viewer(&self, app: &App) -> Viewer {
        self.actor.viewer(&app.node().me().origin)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        if parts.extensions.get::<LocalSocket>().is_some() {
            return Ok(Self { actor: Actor::machine(), by: By::LocalSocket });
        }
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let token = value.to_str().ok().and_then(bearer).ok_or_else(unknown)?;
            return by_token(app, token.to_owned()).await;
        }
        let token = cookie(&parts.headers, &cookie_name(app)).ok_or_else(unknown)?;
        let found = app.node().read(move |view| account::by_session(view, &token)).await?.ok_or_else(unknown)?;
        if !is_safe(&parts.method) && !repeats(&parts.headers, &found.csrf) {
            let error = "repeat the session's `csrf` in the header `X-CSRF`, or log in again";
            return Err(Refusal::kind(StatusCode::FORBIDDEN, "csrf", "The request may come from another page", &error));
        }
        let by = By::Session { token, csrf: found.csrf, name: found.name };
        Ok(Self { actor: found.actor, by })
    }
}

fn unknown() -> Refusal {
    Refusal(Problem::unauthorized().detail("log in (`POST /api/v1/session`), or send a token that has not run out"))
}

/// The token of `Bearer …` (RFC 6750 §2.1); the scheme is read in any case (RFC 9110 §11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn by_token(app: &App, token: String) -> Result<Caller, Refusal> {
    let found = app.node().read(move |view| account::by_token(view, &token)).await?.ok_or_else(unknown)?;
    if found.is_stale {
        let app = app.clone();
        // The request does not wait for this; if it fails, the next one tries again.
        tokio::spawn(async move { app.write(move |work| Ok(account::touch_token(work, &found.hash)?)).await });
    }
    Ok(Caller { actor: found.actor, by: By::Token })
}

/// Methods that change nothing (RFC 9110 §9.2.1).
fn is_safe(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD || *method == Method::OPTIONS
}

fn repeats(headers: &HeaderMap, csrf: &[u8; 32]) -> bool {
    let said = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).and_then(unhex::<32>);
    said.is_some_and(|said| said.ct_eq(csrf).into())
}

/// The name of the session cookie: of this node alone, since several may be served from one host.
pub fn cookie_name(app: &App) -> String {
    name_of(&app.node().me().origin)
}

fn name_of(origin: &Origin) -> String {
    let root = origin.root().to_string();
    format!("entraide_{}", &root[..8])
}

/// The 32 bytes of a cookie of ours, if the caller sent it.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<[u8; 32]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| BASE64URL_NOPAD.decode(value.as_bytes()).ok())
        .and_then(|bytes| bytes.try_into().ok())
}

/// The cookie of a session that lasts `seconds` (RFC 6265bis); 0 takes it away.
pub fn set_cookie(app: &App, token: &[u8; 32], seconds: i64) -> String {
    line(&app.node().me().origin, token, seconds, "/", app.ctx.plain_http)
}

/// The cookie of a session at the node `origin`, which is served below `path`.
pub(super) fn line(origin: &Origin, token: &[u8; 32], seconds: i64, path: &str, plain_http: bool) -> String {
    let (name, value) = (name_of(origin), BASE64URL_NOPAD.encode(token));
    let secure = if plain_http { "" } else { "; Secure" };
    format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearers_are_read() {
        let check = |value, expect| assert_eq!(bearer(value), expect, "{value}");
        check("Bearer entraide_x", Some("entraide_x"));
        check("bearer  entraide_x", Some("entraide_x"));
        check("Basic eDp5", None);
        check("Bearer", None);
    }

    #[test]
    fn cookies_are_found_among_others() {
        let token = [9; 32];
        let value = BASE64URL_NOPAD.encode(&token);
        let check = |line: String, expect: Option<[u8; 32]>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, line.parse().unwrap());
            assert_eq!(cookie(&headers, "entraide_ab"), expect, "{line}");
        };
        check(format!("entraide_ab={value}"), Some(token));
        check(format!("a=b; entraide_ab={value}; c=d"), Some(token));
        check(format!("entraide_abc={value}"), None);
        check("entraide_ab=short".to_owned(), None);
        check("entraide_ab".to_owned(), None);
    }

    #[test]
    fn the_csrf_value_must_be_repeated() {
        let check = |said: Option<&str>, expect| {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(CSRF_HEADER, said.parse().unwrap());
            }
            assert_eq!(repeats(&headers, &[0xab; 32]), expect, "{said:?}");
        };
        check(Some(&"ab".repeat(32)), true);
        check(Some(&"ac".repeat(32)), false);
        check(Some("ab"), false);
        check(None, false);
    }
}
