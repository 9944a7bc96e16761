//! Idempotency keys: a command that was answered is answered the same way again, and done once.
//!
//! The answer is written in the transaction of the command itself, so an answer that got lost on the way is found, and
//! one that was never reached was never done. Answers that hold secrets (passwords, tokens) are not kept.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use node::Work;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::App;
use super::refusal::Refusal;

/// The header that carries the key.
pub const HEADER: &str = "idempotency-key";

/// The key of a request, if it has one, and what it is bound to beside the body.
#[derive(Debug, Clone)]
pub struct Key {
    key: Option<String>,
    route: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let route = format!("{} {}", parts.method, parts.uri);
        let Some(value) = parts.headers.get(HEADER) else { return Ok(Self { key: None, route }) };
        let good = |text: &&str| !text.is_empty() && text.len() <= node::limits::IDEMPOTENCY_KEY_BYTES;
        let key = value.to_str().ok().filter(good).ok_or_else(|| {
            Refusal::unreadable("an idempotency key has 1 to 128 visible ASCII characters: send another one")
        })?;
        Ok(Self { key: Some(key.to_owned()), route })
    }
}

impl Key {
    /// Binds the key to its caller and the whole command.
    #[must_use]
    pub fn bind(self, who: &str, body: &[u8]) -> Bound {
        let mut digest = Sha256::new();
        digest.update(self.route.as_bytes());
        digest.update([0]);
        digest.update(body);
        Bound { who: who.to_owned(), key: self.key, digest: digest.finalize().into() }
    }
}

/// A key bound to one caller and one command.
#[derive(Debug, Clone)]
pub struct Bound {
    who: String,
    key: Option<String>,
    digest: [u8; 32],
}

impl Bound {
    /// The answer that was given before, if there is one.
    ///
    /// # Errors
    /// The key was used for another command, or the database.
    pub fn answered(&self, work: &Work<'_, '_>) -> Result<Option<String>, Refusal> {
        let Some(key) = &self.key else { return Ok(None) };
        match work.tx.remembered(&self.who, key)? {
            None => Ok(None),
            Some(known) if known.digest == self.digest && known.answer.is_empty() => Err(Refusal::kind(
                StatusCode::GONE,
                "purged",
                "The answer was purged",
                &"this command was done, and its answer was purged with a spill: do not send it again",
            )),
            Some(known) if known.digest == self.digest => Ok(Some(known.answer)),
            Some(_) => Err(Refusal::kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key",
                "The key belongs to another command",
                &"this idempotency key was used with another body: make a new key for each command",
            )),
        }
    }

    /// Writes the answer down.
    ///
    /// # Errors
    /// The database.
    pub fn remember(&self, work: &Work<'_, '_>, answer: &str) -> Result<(), Refusal> {
        if let Some(key) = &self.key {
            work.tx.remember(&self.who, key, &self.digest, answer, work.now)?;
        }
        Ok(())
    }
}

/// Runs a command once for each key, and answers with JSON.
///
/// # Errors
/// What the command says; a key of another command.
pub async fn once<T, F>(app: &App, bound: Bound, command: F) -> Result<Response, Refusal>
where
    T: Serialize,
    F: FnOnce(&mut Work<'_, '_>) -> Result<T, Refusal> + Send + 'static,
{
    let forgets = bound.key.is_some() && app.forgets_now();
    let answer = app
        .write(move |work| {
            if forgets {
                work.tx.forget_before(work.sure.plus_seconds(-node::limits::IDEMPOTENCY_SECONDS))?;
            }
            if let Some(answer) = bound.answered(work)? {
                return Ok(answer);
            }
            let answer = to_json(&command(work)?);
            bound.remember(work, &answer)?;
            Ok(answer)
        })
        .await?;
    Ok(json(answer))
}

/// One of our shapes as text.
pub fn to_json<T: Serialize>(value: &T) -> String {
    // Our own structs have string keys and no maps: serialising them cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// An answer that is JSON already.
pub fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
