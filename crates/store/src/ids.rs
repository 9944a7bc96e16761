//! The surrogate keys: one type per table, so that a statement's number is never taken for a log's.

use std::fmt;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.0))
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    )+};
}

ids!(
    /// One log that this node knows. The own log is 1, because it is ensured first.
    LogId,
    /// One statement, in the order of arrival at this node.
    StatementId,
    /// One interned member set.
    SetId,
    /// One account.
    PersonId,
    /// One object in intake, in the order in which it was taken in.
    IntakeId,
    /// One piece of evidence, in the order in which it was kept.
    EvidenceId,
    /// One spill, in the order in which they were ordered.
    SpillId,
    /// One legal hold, in the order in which they were laid.
    HoldId,
    /// One alert: the number that people say.
    AlertId,
    /// One act that commits the nation: the number that people say.
    ActId,
    /// One standing authority.
    AuthorityId,
    /// One handover between shifts.
    HandoverId,
    /// One shift of the duty roster.
    ShiftId,
    /// One purge of what retention had let run out.
    RunId,
);

/// The place of a release among all releases of this node: rises with every one and is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseSeq(pub u64);

impl fmt::Display for ReleaseSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
