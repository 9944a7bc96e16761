//! Reading columns as the words of `model`. What does not read is damage: this program wrote every row itself.

use std::str::FromStr;

use model::{Timestamp, bytes};
use rusqlite::Row;

use crate::error::StoreError;

/// An unsigned number as SQLite keeps it. Numbers from partners may be absurd, so this wraps instead of failing:
/// equality holds for all of them, order for all below 2^63.
pub(crate) const fn int(number: u64) -> i64 {
    number.cast_signed()
}

/// A page's limit as SQLite takes it.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Reads what [`int`] wrote.
pub(crate) fn count(row: &Row<'_>, at: usize) -> Result<u64, StoreError> {
    Ok(row.get::<_, i64>(at)?.cast_unsigned())
}

/// A moment, kept in microseconds.
pub(crate) fn time(row: &Row<'_>, at: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_micros(row.get(at)?))
}

/// A moment that may be missing.
pub(crate) fn time_opt(row: &Row<'_>, at: usize) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp::from_micros))
}

/// A value that is kept as its text.
pub(crate) fn parsed<T: FromStr>(row: &Row<'_>, at: usize, what: &str) -> Result<T, StoreError> {
    let text = row.get_ref(at)?.as_str().map_err(|_| StoreError::corrupt(format!("{what} is no text")))?;
    text.parse().map_err(|_| StoreError::corrupt(format!("`{text}` is not a {what}")))
}

/// A value that is kept as one byte.
pub(crate) fn coded<T>(row: &Row<'_>, at: usize, what: &str, read: impl Fn(u8) -> Option<T>) -> Result<T, StoreError> {
    let code: u8 = row.get(at)?;
    read(code).ok_or_else(|| StoreError::corrupt(format!("{code} is not a {what}")))
}

/// 32 bytes and the like, as one of `model`'s fixed byte strings.
pub(crate) fn fixed<T>(
    row: &Row<'_>,
    at: usize,
    what: &str,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, StoreError> {
    let blob = row.get_ref(at)?.as_blob().map_err(|_| StoreError::corrupt(format!("{what} is no blob")))?;
    read(blob)
        .ok_or_else(|| StoreError::corrupt(format!("`{}` is not a {what}", bytes::hex(&blob[..blob.len().min(64)]))))
}

/// Makes an enum that is kept as one byte, with its words for screens and logs.
macro_rules! coded_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = ($code:literal, $word:literal)),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }
        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word on screens and in the API.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// The value of a word; `None` for any other.
            #[must_use]
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
            pub(crate) const fn code(self) -> u8 {
                match self { $(Self::$variant => $code),+ }
            }
            pub(crate) fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }
    };
}
pub(crate) use coded_enum;
