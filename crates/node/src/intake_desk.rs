//! The intake desk: what is received lands here, local and deduplicated, until someone makes it our word.

use intake::{Fate as IntakeFate, Item, Known};
use model::{Head, StixId};
use store::{IntakeId, IntakeState, NewIntake, StoreError};

use crate::actor::Actor;
use crate::work::Work;

/// Something to take in, split already (`intake::split`): a span of the file and what it says of itself.
#[derive(Debug, Clone)]
pub struct Received {
    /// The bytes of the span.
    pub bytes: Vec<u8>,
    /// Its head.
    pub head: Head,
}

impl Received {
    /// Copies an item out of the file that it stands in; `None` if its head was refused.
    #[must_use]
    pub fn of_item(item: &Item<'_>) -> Option<Self> {
        item.head.as_ref().ok().map(|head| Self { bytes: item.span.to_vec(), head: head.clone() })
    }
}

/// What became of one received object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its STIX id.
    pub id: StixId,
    /// Where it is in intake.
    pub intake: IntakeId,
    /// New, known, or in conflict with a known one.
    pub fate: IntakeFate,
}

/// Takes objects into intake. The same bytes twice are one; other bytes under a known id and version are a named conflict.
///
/// # Errors
/// The database.
pub fn take_in(
    work: &mut Work<'_, '_>,
    received: &[Received],
    source: &str,
    by: &Actor,
) -> Result<Vec<Taken>, StoreError> {
    let mut all = Vec::with_capacity(received.len());
    for object in received {
        all.push(take_one(work, object, source, by, None)?);
    }
    Ok(all)
}

/// Keeps one object in intake, with a note on why it is there.
///
/// # Errors
/// The database.
pub fn take_one(
    work: &mut Work<'_, '_>,
    object: &Received,
    source: &str,
    by: &Actor,
    note: Option<&str>,
) -> Result<Taken, StoreError> {
    let digest = intake::digest(&object.bytes);
    let known = work.tx.intake_known(&object.head.id)?;
    if let Some(same) = known.iter().find(|row| row.digest == digest) {
        return Ok(Taken { id: object.head.id.clone(), intake: same.id, fate: IntakeFate::Duplicate });
    }
    let existing: Vec<Known> = known.iter().map(|row| Known { version: row.version, digest: row.digest }).collect();
    let fate = intake::fate(&existing, Known { version: object.head.version, digest });
    let state = match fate {
        IntakeFate::New | IntakeFate::Duplicate => IntakeState::New,
        IntakeFate::Conflict => IntakeState::Conflict,
    };
    let conflict = (fate == IntakeFate::Conflict).then_some("same id and version as an earlier one, with other bytes");
    let intake = work.tx.intake_put(&NewIntake {
        digest,
        media: object.head.media,
        stix_id: &object.head.id,
        version: object.head.version,
        tlp: object.head.tlp,
        mixed: object.head.mixed,
        title: object.head.title.as_deref(),
        source,
        bytes: &object.bytes,
        state,
        note: note.or(conflict),
        taken: work.now,
        person: by.person,
    })?;
    Ok(Taken { id: object.head.id.clone(), intake, fate })
}
