//! Why a partner could not be asked, in words fit for its lag line.

use std::error::Error;

use crate::limits;
use crate::problem::Problem;

/// Why a partner could not be asked. Its text goes on the partner's lag line as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// No connection, or it broke.
    #[error("can't connect: {reason}")]
    Connect {
        /// What the network said.
        reason: String,
    },
    /// The other end holds another key than people confirmed: a changed key, or somebody between us.
    #[error("certificate is not the pinned one")]
    WrongKey,
    /// No answer in time.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// How long we waited.
        seconds: u64,
    },
    /// It answered, but not with what was asked.
    #[error("refused: {status} {title}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem's title, without anything that a screen could trip over.
        title: String,
    },
    /// The answer is larger than we read.
    #[error("answer is larger than {limit} bytes")]
    TooLarge {
        /// What we read at most.
        limit: usize,
    },
    /// What came is not what the federation speaks.
    #[error("does not speak the federation's protocol: {reason}")]
    Protocol {
        /// What was wrong.
        reason: String,
    },
}

impl ClientError {
    pub(super) fn connect(error: &(dyn Error + 'static)) -> Self {
        Self::Connect { reason: root_cause(error) }
    }

    pub(super) fn protocol(reason: &str) -> Self {
        Self::Protocol { reason: plain(reason) }
    }

    /// A refusal, from its status and body.
    pub(super) fn refused(status: axum::http::StatusCode, body: &[u8]) -> Self {
        let told = serde_json::from_slice::<Problem>(body).map(|problem| plain(&problem.title)).unwrap_or_default();
        let title = if told.is_empty() { status.canonical_reason().unwrap_or_default().to_owned() } else { told };
        Self::Refused { status: status.as_u16(), title }
    }
}

/// The innermost reason: the outer ones say "connection error" and no more.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    plain(&innermost.to_string())
}

/// Bounded, and without control letters: some of this text was written by the other end.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(limits::REASON_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    fn check(status: u16, body: &str, expect: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(ClientError::refused(status, body.as_bytes()).to_string(), expect);
    }

    #[test]
    fn refusals_read_well_whatever_the_other_end_wrote() {
        check(403, r#"{"title":"Forbidden","status":403}"#, "refused: 403 Forbidden");
        check(429, "slow down", "refused: 429 Too Many Requests");
        check(503, r#"{"title":"\u001b[31mgone\n"}"#, "refused: 503 [31mgone");
        let long = format!(r#"{{"title":"{}"}}"#, "é".repeat(1_000));
        check(500, &long, &format!("refused: 500 {}", "é".repeat(limits::REASON_LETTERS)));
    }
}
