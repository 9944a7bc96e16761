//! Hand over between shifts (workflows §0): each open item with its next step, when it is due and what was promised by
//! telephone. Whoever comes ticks item by item; until then whoever gives it stays on duty.

use std::collections::BTreeSet;

use model::bytes::hex;
use model::{EntryRef, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{HandoverId, HandoverRow, Signatory, StoreError};

use crate::actor::Actor;
use crate::limits;
use crate::work::{View, Work};

/// One open item. What a statement says is not copied: whoever may see it opens the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What it is about: `FR:12`.
    pub entry: Option<String>,
    /// What is to be done next.
    pub next: String,
    /// Who does it, if not whoever takes over.
    pub owner: Option<String>,
    /// By when.
    pub due: Option<Timestamp>,
    /// What was promised by telephone.
    pub promised: Option<String>,
}

/// Why nothing was handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine itself.
    #[error("two persons hand over, each with an account: log in, or use --url with a token of yours")]
    NotAPerson,
    /// Not there, or another desk's.
    #[error("there is no such handover: list them with `entraide handover list`")]
    Unknown,
    /// A field is out of its range.
    #[error("{0}")]
    Field(String),
    /// Nobody relieves themselves.
    #[error("whoever gives a handover can't take it: another person takes over")]
    Own,
    /// Somebody has taken it.
    #[error("it is taken already: list them with `entraide handover list`")]
    Taken,
    /// Not every item was ticked.
    #[error("tick every item first: {0} is open")]
    Unticked(usize),
    /// It is another than the one that was looked at.
    #[error("this is not the handover that you looked at: look again")]
    Changed,
}

fn signatory(db: &store::Db<'_>, actor: &Actor) -> Result<Signatory, HandoverError> {
    let person = actor.person.ok_or(HandoverError::NotAPerson)?;
    let row = db.person(person)?.ok_or(HandoverError::NotAPerson)?;
    Ok(Signatory { person, name: row.name })
}

fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect()
}

fn line(what: &str, text: &str) -> Result<(), HandoverError> {
    let good = text.len() <= model::limits::TEXT_BYTES && !text.chars().any(|c| c.is_control() && c != '\n');
    if good { Ok(()) } else { Err(HandoverError::Field(format!("`{what}` has at most 4,000 bytes of text"))) }
}

/// Gives a handover.
///
/// # Errors
/// A field is out of its range, or whoever gives it has no account.
pub fn give(work: &mut Work<'_, '_>, actor: &Actor, items: &[Item], note: &str) -> Result<HandoverRow, HandoverError> {
    let by = signatory(work.tx, actor)?;
    if items.len() > limits::HANDOVER_ITEMS {
        return Err(HandoverError::Field("a handover has at most 200 items: say the rest in the cases".to_owned()));
    }
    for item in items {
        if item.next.trim().is_empty() {
            return Err(HandoverError::Field("each item says what is to be done next (`next`)".to_owned()));
        }
        for entry in item.entry.iter() {
            entry
                .parse::<EntryRef>()
                .map_err(|_| HandoverError::Field(format!("`{}` is not an entry", shown(entry))))?;
        }
        line("next", &item.next)?;
        item.owner.iter().try_for_each(|text| line("owner", text))?;
        item.promised.iter().try_for_each(|text| line("promised", text))?;
    }
    line("note", note)?;
    if items.is_empty() && note.trim().is_empty() {
        return Err(HandoverError::Field("say at least that nothing is open (`note`)".to_owned()));
    }
    work.tx.forget_handovers(work.now.plus_seconds(-limits::HANDOVER_KEPT_SECONDS))?;
    let items = serde_json::to_string(items).map_err(|error| HandoverError::Field(error.to_string()))?;
    let (at, note) = (work.now, note.to_owned());
    let row = HandoverRow { id: HandoverId(0), desk: actor.desk, by, at, items, note, taken: None };
    let id = work.tx.add_handover(&row)?;
    Ok(HandoverRow { id, ..row })
}

/// The handovers of one's own desk, the newest first.
///
/// # Errors
/// The database.
pub fn list(view: &View<'_, '_>, actor: &Actor, limit: usize) -> Result<Vec<HandoverRow>, StoreError> {
    view.db.handovers(actor.desk, limit)
}

/// Takes over: every item was ticked, and what was looked at is what is taken.
///
/// # Errors
/// It is one's own, or taken, or not every item is ticked.
pub fn take(
    work: &mut Work<'_, '_>,
    actor: &Actor,
    id: HandoverId,
    ticked: &BTreeSet<usize>,
    looked_at: &str,
) -> Result<HandoverRow, HandoverError> {
    let by = signatory(work.tx, actor)?;
    let row = work.tx.handover(actor.desk, id)?.ok_or(HandoverError::Unknown)?;
    if row.by.person == by.person {
        return Err(HandoverError::Own);
    }
    if row.taken.is_some() {
        return Err(HandoverError::Taken);
    }
    if digest(&row) != looked_at {
        return Err(HandoverError::Changed);
    }
    if let Some(open) = (1..=items(&row)?.len()).find(|number| !ticked.contains(number)) {
        return Err(HandoverError::Unticked(open));
    }
    if !work.tx.take_handover(id, &by, work.now)? {
        return Err(HandoverError::Taken);
    }
    Ok(HandoverRow { taken: Some((by, work.now)), ..row })
}

/// What is open, item by item.
///
/// # Errors
/// The database was damaged.
pub fn items(row: &HandoverRow) -> Result<Vec<Item>, StoreError> {
    serde_json::from_str(&row.items)
        .map_err(|error| StoreError::Corrupt { what: format!("handover {}: {error}", row.id) })
}

/// What both have signed: a digest over who gave it, when, and every word of it.
#[must_use]
pub fn digest(row: &HandoverRow) -> String {
    let mut digest = Sha256::new();
    let at = row.at.to_string();
    for part in [row.by.name.as_str(), at.as_str(), row.items.as_str(), row.note.as_str()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    hex(&digest.finalize())
}

/// Until when somebody has caught up, if they said so.
///
/// # Errors
/// The database.
pub fn caught_up(view: &View<'_, '_>, actor: &Actor) -> Result<Option<Timestamp>, StoreError> {
    let Some(person) = actor.person else { return Ok(None) };
    let kept = view.db.setting(&format!("caught-up.{person}"))?;
    Ok(kept.and_then(|text| text.parse().ok()))
}

/// Notes until when somebody has caught up.
///
/// # Errors
/// Whoever asks has no account, or the moment has not come yet.
pub fn catch_up(work: &mut Work<'_, '_>, actor: &Actor, until: Timestamp) -> Result<(), HandoverError> {
    let person = actor.person.ok_or(HandoverError::NotAPerson)?;
    if until > work.now {
        return Err(HandoverError::Field("nobody has caught up with what has not happened yet".to_owned()));
    }
    Ok(work.tx.set_setting(&format!("caught-up.{person}"), &until.to_string())?)
}
