//! The intake desk: what is received lands here, local and deduplicated, until someone makes it our word.

use intake::{Fate as IntakeFate, Item, Known};
use model::{Head, MediaType, StixId, Walled};
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

/// How an object came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// From where: a file, a feed.
    pub source: &'a str,
    /// Who took it in.
    pub by: &'a Actor,
    /// Why it is in intake, if not to be decided on.
    pub note: Option<&'a str>,
    /// Was it told in confidence, and as what? Then it stands behind the wall here already.
    pub walled: Option<Walled>,
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
        all.push(take_one(work, object, &Arrival { source, by, note: None, walled: None })?);
    }
    Ok(all)
}

/// Keeps one object in intake.
///
/// # Errors
/// The database.
pub fn take_one(work: &mut Work<'_, '_>, object: &Received, arrival: &Arrival<'_>) -> Result<Taken, StoreError> {
    let Arrival { source, by, note, walled } = *arrival;
    // A note on why it was refused may speak of what stands behind the wall.
    let walled = match note {
        Some(_) if walled.is_none() => wall_about(work, &object.head)?,
        Some(_) | None => walled,
    };
    let digest = intake::digest(&object.bytes);
    let known = work.tx.intake_known(&object.head.id)?;
    if let Some(same) = known.iter().find(|row| row.digest == digest) {
        if let Some(walled) = walled {
            work.tx.intake_wall(same.id, walled)?;
        }
        if let Some(note) = note {
            self::note(work, same.id, note)?;
        }
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
        walled,
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

/// Notes why an object of intake is still there, and puts it behind the wall if it is about what stands there. What is our
/// word by now keeps its own note.
///
/// # Errors
/// The database.
pub fn note(work: &mut Work<'_, '_>, id: IntakeId, reason: &str) -> Result<(), StoreError> {
    let Some(row) = work.tx.intake(id)?.filter(|row| row.state != IntakeState::Asserted) else { return Ok(()) };
    let head = match row.media {
        MediaType::Stix => model::stix::head(&row.bytes),
        MediaType::MispEvent => model::misp::head(&row.bytes),
    };
    if let Ok(head) = head
        && let Some(walled) = wall_about(work, &head)?
    {
        work.tx.intake_wall(id, walled)?;
    }
    work.tx.intake_state(id, row.state, Some(reason))?;
    Ok(())
}

/// Is the object, or something that it refers to, said behind the wall already?
fn wall_about(work: &Work<'_, '_>, head: &Head) -> Result<Option<Walled>, StoreError> {
    for id in std::iter::once(&head.id).chain(&head.refs) {
        let rows = work.tx.objects_by_id(id)?;
        if let Some(walled) = rows.iter().filter(|row| row.log == work.me.log).find_map(|row| row.walled) {
            return Ok(Some(walled));
        }
    }
    Ok(None)
}
