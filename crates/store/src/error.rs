//! What can go wrong with the database.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the database did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine, for any reason that has no variant of its own.
    #[error("the database failed: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// What is stored contradicts itself, or could not have been written by this program.
    #[error("the database is damaged: {what}: stop the node and run `entraide verify`")]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// Written by a newer version of this program.
    #[error("the database has schema {found}, this program knows up to {known}: start the newer version again")]
    NewerSchema {
        /// The schema in the file.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The file or its directory.
    #[error("`{}` cannot be used: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No space is left; nothing of the transaction was kept.
    #[error("the disk is full: make room, then try again")]
    Full,
}

impl StoreError {
    /// Must the node stop? After these nobody knows what the file holds; the others changed nothing and may be tried
    /// again.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::NewerSchema { .. } | Self::Io { .. } => true,
            Self::Full => false,
            Self::Sqlite(error) => error.sqlite_error_code().is_some_and(|code| {
                [
                    ErrorCode::SystemIoFailure,
                    ErrorCode::CannotOpen,
                    ErrorCode::ReadOnly,
                    ErrorCode::FileLockingProtocolFailed,
                ]
                .contains(&code)
            }),
        }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        if code == Some(ErrorCode::DiskFull) {
            return Self::Full;
        }
        let flipped = error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_DATA);
        if flipped {
            return Self::corrupt(pages::last_damage().unwrap_or_else(|| error.to_string()));
        }
        let damaged = code == Some(ErrorCode::DatabaseCorrupt) || code == Some(ErrorCode::NotADatabase);
        // A column of another type than the program writes is damage too, and never the caller's fault.
        let odd = matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        );
        if damaged || odd { Self::corrupt(error.to_string()) } else { Self::Sqlite(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_whether_the_node_must_stop() {
        let engine = |code| {
            let error = rusqlite::ffi::Error::new(code);
            StoreError::from(rusqlite::Error::SqliteFailure(error, None))
        };
        let check = |code, fatal: bool| assert_eq!(engine(code).is_fatal(), fatal, "{}", engine(code));
        check(rusqlite::ffi::SQLITE_IOERR, true);
        check(rusqlite::ffi::SQLITE_CORRUPT, true);
        check(rusqlite::ffi::SQLITE_NOTADB, true);
        check(rusqlite::ffi::SQLITE_FULL, false);
        check(rusqlite::ffi::SQLITE_BUSY, false);
        assert!(matches!(engine(rusqlite::ffi::SQLITE_FULL), StoreError::Full));
    }
}
