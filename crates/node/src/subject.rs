//! What a person names to purge it or to keep it: a statement, an object, or something in intake.

use std::fmt;
use std::str::FromStr;

use model::{EntryRef, StixId};
use store::{Db, IntakeId, StatementRow, StoreError};

use crate::me::Me;

/// The word that begins the name of something in intake.
const INTAKE: &str = "intake:";

/// What is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One statement: `FR:12`.
    Entry(EntryRef),
    /// Whatever is said of one object, and what intake has of it: its STIX id.
    Object(StixId),
    /// One object of intake: `intake:7`.
    Intake(IntakeId),
}

impl FromStr for Subject {
    type Err = model::ids::IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(number) = text.strip_prefix(INTAKE)
            && let Ok(number) = number.parse()
        {
            return Ok(Self::Intake(IntakeId(number)));
        }
        if text.contains("--") { text.parse().map(Self::Object) } else { text.parse().map(Self::Entry) }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => entry.fmt(f),
            Self::Object(id) => id.fmt(f),
            Self::Intake(id) => write!(f, "{INTAKE}{id}"),
        }
    }
}

/// The statement that a short name means; `None` if nothing that was opened to this node, or more than one.
///
/// # Errors
/// The database.
pub fn statement(db: &Db<'_>, me: &Me, name: EntryRef) -> Result<Option<StatementRow>, StoreError> {
    if me.origin.country() == name.country {
        return db.statement_at(me.log, name.index);
    }
    match db.log_of_country(name.country)?.as_slice() {
        [one] => db.statement_at(*one, name.index),
        _ => Ok(None),
    }
}

/// The short name of a statement.
///
/// # Errors
/// The database.
pub fn name(db: &Db<'_>, row: &StatementRow) -> Result<EntryRef, StoreError> {
    Ok(EntryRef::of(&db.origin(row.log)?, row.index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_read_and_print() {
        let check = |text: &str, good: bool| {
            let read = text.parse::<Subject>();
            assert_eq!(read.as_ref().ok().map(ToString::to_string).as_deref(), good.then_some(text), "{read:?}");
        };
        check("FR:12", true);
        check("intake:7", true);
        check("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", true);
        check("intake:", false);
        check("intake:x", false);
        check("nonsense", false);
    }
}
