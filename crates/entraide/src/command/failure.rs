//! How a command ends other than well: with one line that says what to do, and an exit code.

use std::fmt::Display;

use model::Realm;

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Refused or failed: exit code 1.
    Refused(String),
    /// The command line can't be meant so: exit code 2.
    Usage(String),
    /// What was refused has been told line by line already: exit code 1.
    Told,
    /// Whoever read the output has gone, as `head` does: exit code 0.
    Gone,
}

impl Failure {
    /// 0, 1 (refused) or 2 (usage).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Gone => 0,
            Self::Refused(_) | Self::Told => 1,
            Self::Usage(_) => 2,
        }
    }

    /// The same, said of an exercise.
    #[must_use]
    pub fn of(self, realm: &Realm) -> Self {
        match self {
            Self::Refused(text) => Self::Refused(format!("[{realm}] {text}")),
            Self::Usage(text) => Self::Usage(format!("[{realm}] {text}")),
            Self::Told => Self::Told,
            Self::Gone => Self::Gone,
        }
    }

    /// The one line for standard error, if there is something left to say.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        match self {
            Self::Refused(text) | Self::Usage(text) => Some(super::print::clean(text)),
            Self::Told | Self::Gone => None,
        }
    }
}

/// A refusal, in the words of an error.
pub(super) fn refused(error: impl Display) -> Failure {
    Failure::Refused(error.to_string())
}

impl From<crate::client::ClientError> for Failure {
    fn from(error: crate::client::ClientError) -> Self {
        match error {
            crate::client::ClientError::Url { .. } => Self::Usage(error.to_string()),
            crate::client::ClientError::Open(_)
            | crate::client::ClientError::Held(_)
            | crate::client::ClientError::Unreachable(_)
            | crate::client::ClientError::Lost(_)
            | crate::client::ClientError::Refused(_)
            | crate::client::ClientError::OtherRealm { .. }
            | crate::client::ClientError::Answer(_) => Self::Refused(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_one_line_and_a_code() {
        let check = |failure: Failure, code: u8, line: Option<&str>| {
            assert_eq!((failure.exit_code(), failure.line().as_deref()), (code, line));
        };
        check(refused("no\nway"), 1, Some("no way"));
        check(Failure::Usage("say which".to_owned()), 2, Some("say which"));
        check(Failure::Told, 1, None);
        check(Failure::Gone, 0, None);
        check(refused("no").of(&"EX-BLUE".parse().unwrap()), 1, Some("[EX-BLUE] no"));
    }
}
