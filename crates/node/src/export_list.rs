//! Named lists that detectors pull: making and changing them. What is in one is read when it is pulled (`query::exports`).

use model::Tlp;
use store::{ExportPurpose, ListRow, StoreError};

use crate::actor::Actor;
use crate::limits;
use crate::work::Work;

/// Why a list was not made.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No name for a list.
    #[error("`{0}` is not a name for a list: write 1 to 60 small letters, digits and hyphens")]
    Name(String),
    /// There are as many as there may be.
    #[error("there are {} lists already: change one of them", limits::EXPORT_LISTS)]
    TooMany,
}

/// Makes a list, or changes what it is for. Its version counts the changes.
///
/// # Errors
/// See [`ListError`].
pub fn put(
    work: &mut Work<'_, '_>,
    by: &Actor,
    name: &str,
    purpose: ExportPurpose,
    strictest: Tlp,
) -> Result<ListRow, ListError> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > limits::LIST_NAME_BYTES || !name.chars().all(letters) {
        let shown = name.chars().filter(|c| !c.is_control()).take(limits::LIST_NAME_BYTES).collect();
        return Err(ListError::Name(shown));
    }
    let known = work.tx.export_list(name)?;
    if let Some(known) = &known
        && known.purpose == purpose
        && known.strictest == strictest
    {
        return Ok(known.clone());
    }
    if known.is_none() && work.tx.export_lists()?.len() >= limits::EXPORT_LISTS {
        return Err(ListError::TooMany);
    }
    let version = known.map_or(1, |known| known.version + 1);
    let row = ListRow { name: name.to_owned(), version, purpose, strictest, at: work.now, who: by.login.clone() };
    work.tx.put_export_list(&row)?;
    Ok(row)
}
