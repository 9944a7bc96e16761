//! Saying one of Assist's objects: a new thread, or the next version of one of ours.

use domain::assist::case;
use domain::said::Said;
use model::extension::{Common, Extension};
use model::{Citation, Label, Lane, MediaType, Origin, ThreadVersion, Timestamp, Tlp, Walled};
use store::StoreError;

use super::{AssistError, gather};
use crate::append::{self, Appended, NewEntry};
use crate::audience::{self, Target};
use crate::commit::Signature;
use crate::ports::random_bytes;
use crate::work::Work;

/// The common properties of a new object of ours.
pub(super) fn common<T: Extension>(work: &mut Work<'_, '_>) -> Result<Common, AssistError> {
    let made = Common::new(T::KIND, random_bytes(work.random), &work.me.origin, work.now);
    Ok(made.map_err(|error| StoreError::Corrupt { what: error.to_string() })?)
}

/// The same of what commits the nation.
pub(super) fn signed<T: Extension>(work: &mut Work<'_, '_>, signature: &Signature) -> Result<Common, AssistError> {
    Ok(Common { signatures: signature.written(), ..common::<T>(work)? })
}

/// The common properties of the next version of what commits the nation: who signed the last one has not signed this.
pub(super) fn later_version(work: &Work<'_, '_>, before: &Common, signature: &Signature) -> Common {
    let modified = later(work.now, before.modified);
    Common { modified, signatures: signature.written(), ..before.clone() }
}

/// A later version's time: now, and later than the one before even if the clock went back.
pub(super) fn later(now: Timestamp, before: Timestamp) -> Timestamp {
    now.max(Timestamp::from_micros(before.micros() + 1))
}

/// Where an own statement went, as others cite it.
pub(super) fn place(work: &Work<'_, '_>, appended: &Appended) -> Citation {
    Citation { origin: work.me.origin.clone(), index: appended.index, commitment: appended.commitment }
}

/// Begins a thread to an audience.
pub(super) fn to<T: Extension>(
    work: &mut Work<'_, '_>,
    target: &Target,
    tlp: Tlp,
    after: Option<After>,
    object: &T,
) -> Result<Appended, AssistError> {
    said_to(work, target, tlp, after, (Lane::Workflow, None, object))
}

/// The thread that a version goes on with, and the commitment of the last one.
pub(super) type After = (model::ThreadId, ThreadVersion, model::Commitment);

/// Begins a thread in the intelligence lane, where what is said can be withdrawn.
pub(super) fn withdrawably<T: Extension>(
    work: &mut Work<'_, '_>,
    target: &Target,
    tlp: Tlp,
    object: &T,
) -> Result<Appended, AssistError> {
    said_to(work, target, tlp, None, (Lane::Intelligence, None, object))
}

/// The same in either lane, and of what may stand behind the wall.
fn said_to<T: Extension>(
    work: &mut Work<'_, '_>,
    target: &Target,
    tlp: Tlp,
    after: Option<After>,
    (lane, walled, object): (Lane, Option<Walled>, &T),
) -> Result<Appended, AssistError> {
    object.common().validate().and_then(|()| object.validate()).map_err(AssistError::Field)?;
    let body = object.to_bytes();
    // Whatever this node may hold: it goes to partners who may hold less.
    intake::classified::check(&body, intake::Classification::Unclassified)
        .map_err(|error| AssistError::Field(error.to_string()))?;
    let said = Said::read(MediaType::Stix, &body).map_err(|error| AssistError::Field(error.to_string()))?;
    let entry = NewEntry {
        lane,
        after,
        audience: target.at,
        set: target.set,
        label: Label::from(tlp),
        walled,
        media: MediaType::Stix,
        body: &body,
    };
    Ok(append::append(work, &entry, &said)?)
}

/// Says something to ourselves alone that stands behind the wall.
pub(super) fn to_ourselves<T: Extension>(
    work: &mut Work<'_, '_>,
    target: &Target,
    after: Option<After>,
    object: &T,
) -> Result<Appended, AssistError> {
    said_to(work, target, Tlp::AmberStrict, after, (Lane::Workflow, Some(Walled::HelpConversation), object))
}

/// Begins a thread to one partner alone: answers and agreements are between the two.
pub(super) fn to_partner<T: Extension>(
    work: &mut Work<'_, '_>,
    partner: &Origin,
    object: &T,
) -> Result<Appended, AssistError> {
    let target = audience::bilateral(work, partner)?;
    to(work, &target, Tlp::AmberStrict, None, object)
}

/// Says something in a case room: to one partner alone, and behind the wall, so that help feeds no sanction.
pub(super) fn in_room<T: Extension>(
    work: &mut Work<'_, '_>,
    partner: &Origin,
    tlp: Tlp,
    wall: Walled,
    object: &T,
) -> Result<Appended, AssistError> {
    if tlp == Tlp::Red {
        return Err(AssistError::Red);
    }
    let target = audience::bilateral(work, partner)?;
    said_to(work, &target, tlp, None, (Lane::Workflow, Some(wall), object))
}

/// Says the next version of an object of ours, to its audience as that is now and with its label.
pub(super) fn next_version<T: Extension>(work: &mut Work<'_, '_>, object: &T) -> Result<Appended, AssistError> {
    let last = work.tx.own_latest(work.me.log, &object.common().id)?.ok_or(AssistError::Unknown)?;
    let row = work.tx.audience(work.me.log, &last.audience)?.ok_or(AssistError::Unknown)?;
    let target = audience::target(work.tx, &row)?;
    let after = Some((last.thread, ThreadVersion(last.thread_version), last.commitment));
    to(work, &target, last.tlp, after, object)
}

/// Refuses a command whose statement has no effect in the joint state: it is undone with its savepoint.
pub(super) fn took_effect(work: &Work<'_, '_>, request: &Citation, said: &Appended) -> Result<(), AssistError> {
    let log = work.tx.log_id(&request.origin)?.ok_or(AssistError::Unknown)?;
    let heard = gather::heard(work.tx, work.signer, log, request.index)?;
    let heard: Vec<_> = heard.into_iter().map(|(_, heard)| heard).collect();
    let case = case::fold(&heard).ok_or(AssistError::Unknown)?;
    let own = |place: &Citation| place.origin == work.me.origin && place.index == said.index;
    match case.unfit.iter().find(|(place, _)| own(place)) {
        Some((_, why)) => Err(AssistError::NoEffect(*why)),
        None => Ok(()),
    }
}
