//! Evidence under an agreement: handed over under seal, and its chain of custody until it is returned or destroyed.

use domain::assist::InvalidTransition;
use domain::assist::room::{self, ArtefactCase, Fate};
use model::extension::Common;
use model::extension::assistance::{Artefact, ArtefactKind, Custody, CustodyAct, Sha256Digest, Way};
use model::{Citation, EntryRef, Origin, Timestamp, Tlp, Walled};

use super::note::room_at;
use super::{AssistError, Spoken, speak};
use crate::append::Appended;
use crate::depot::Depot;
use crate::work::Work;

/// A disk that goes to the other party by courier, or a sealed file that is fetched from here.
#[derive(Debug, Clone)]
pub struct NewArtefact {
    /// Its name for people.
    pub name: String,
    /// What is on it.
    pub kind: ArtefactKind,
    /// Bytes on it.
    pub size: u64,
    /// Their SHA-256, if it is known.
    pub sha256: Option<Sha256Digest>,
    /// How it travels.
    pub way: Way,
    /// It is destroyed by then.
    pub destroy_by: Option<Timestamp>,
    /// Is there a malicious program on it?
    pub malware: bool,
    /// Is there personal data on it?
    pub personal_data: bool,
    /// Does a court or prosecutor want it kept?
    pub judicial_hold: bool,
    /// Who may see that at the other party.
    pub tlp: Tlp,
}

/// Says that a disk was handed to a courier, or a sealed file put in, under an agreement in force.
///
/// # Errors
/// There is no such agreement in force, or a field is out of its range; nothing is said then.
pub fn hand_over(
    work: &mut Work<'_, '_>,
    acceptance: &Citation,
    new: &NewArtefact,
    by: &str,
) -> Result<Spoken, AssistError> {
    let (case, _) = room_at(work, acceptance)?;
    let (provider, agreed) = room::agreement(&case, acceptance).ok_or(AssistError::Unknown)?;
    if !agreed.state.is_in_force() {
        return Err(AssistError::NoEffect(InvalidTransition::NotInForce));
    }
    let to = if work.me.origin == case.place.origin { provider.clone() } else { case.place.origin.clone() };
    if let Way::Sealed { pieces, .. } = &new.way {
        super::sealed::is_new(work, *pieces)?;
    }
    let artefact = Artefact {
        common: speak::common::<Artefact>(work)?,
        agreement: acceptance.clone(),
        name: new.name.clone(),
        kind: new.kind,
        size: new.size,
        sha256: new.sha256,
        way: new.way.clone(),
        added_by: by.to_owned(),
        destroy_by: new.destroy_by,
        malware: new.malware,
        personal_data: new.personal_data,
        judicial_hold: new.judicial_hold,
    };
    let appended = speak::in_room(work, &to, new.tlp, Walled::Evidence, &artefact)?;
    took_effect(work, &case.place, &appended)?;
    Ok(Spoken { appended, request: case.place })
}

/// Says what was done with a piece of evidence, named by its entry: a link of its chain of custody. What is said to be
/// gone of a sealed file is deleted in `depot` first.
///
/// # Errors
/// It is not there, the law wants it kept, or the act has no place in the chain; nothing is said then.
pub fn custody(
    work: &mut Work<'_, '_>,
    place: &Citation,
    act: CustodyAct,
    by: &str,
    note: Option<String>,
    depot: Option<&dyn Depot>,
) -> Result<Spoken, AssistError> {
    let (case, room) = room_at(work, place)?;
    let known = room.artefacts.into_iter().find(|known| known.place == *place).ok_or(AssistError::Unknown)?;
    if let Some(why) = kept(work, &known, &act)? {
        return Err(AssistError::Kept(why));
    }
    let to = if work.me.origin == known.place.origin { known.other.clone() } else { known.place.origin.clone() };
    let common: Common = speak::common::<Custody>(work)?;
    let (act, leaves) = ending(&known, act, depot)?;
    let said = Custody { common, artefact: place.clone(), act, by: by.to_owned(), note };
    let statement = statement(work, place)?;
    let tlp = work.tx.object(statement)?.ok_or(AssistError::Unknown)?.tlp;
    let appended = speak::in_room(work, &to, tlp, Walled::Evidence, &said)?;
    took_effect(work, &case.place, &appended)?;
    if let Some((depot, name)) = leaves {
        // Last, since it is the one thing that can't be undone; and before the commit, so that it is never said first.
        depot.remove(name)?;
    }
    Ok(Spoken { appended, request: case.place })
}

/// A file that an act deletes, and where.
type Leaving<'d> = Option<(&'d dyn Depot, Sha256Digest)>;

/// An act with what this node deletes because of it.
fn ending<'d>(
    known: &ArtefactCase,
    act: CustodyAct,
    depot: Option<&'d dyn Depot>,
) -> Result<(CustodyAct, Leaving<'d>), AssistError> {
    let (Way::Sealed { pieces, .. }, Some(depot)) = (&known.artefact.way, depot) else { return Ok((act, None)) };
    let deleted = depot.kept(*pieces)?.is_some();
    let leaves = deleted.then_some((depot, *pieces));
    Ok(match act {
        CustodyAct::Destroyed { method, .. } => (CustodyAct::Destroyed { method, deleted }, leaves),
        CustodyAct::Returned { to, .. } => (CustodyAct::Returned { to, deleted }, leaves),
        CustodyAct::HandedOut
        | CustodyAct::Fetched
        | CustodyAct::Passed { .. }
        | CustodyAct::Delivered { .. }
        | CustodyAct::HoldLifted => (act, None),
    })
}

/// Why an act is not for now: a court's word, as the owner says, or a legal hold of this node.
fn kept(work: &Work<'_, '_>, known: &ArtefactCase, act: &CustodyAct) -> Result<Option<String>, AssistError> {
    let (destroys, leaves) = match act {
        CustodyAct::Destroyed { .. } => (true, true),
        CustodyAct::Returned { .. } => (false, true),
        CustodyAct::HandedOut
        | CustodyAct::Fetched
        | CustodyAct::Passed { .. }
        | CustodyAct::Delivered { .. }
        | CustodyAct::HoldLifted => (false, false),
    };
    if destroys && known.held {
        return Ok(Some("a court or prosecutor, as its owner says".to_owned()));
    }
    let statement = statement(work, &known.place)?;
    let hold = if leaves { work.tx.hold_on_statement(statement)? } else { None };
    Ok(hold.map(|hold| format!("legal hold {hold} of this node")))
}

fn statement(work: &Work<'_, '_>, place: &Citation) -> Result<store::StatementId, AssistError> {
    let log = work.tx.log_id(&place.origin)?.ok_or(AssistError::Unknown)?;
    Ok(work.tx.statement_at(log, place.index)?.ok_or(AssistError::Unknown)?.id)
}

/// Is nothing of the other party's evidence left here, but what the law wants kept?
///
/// # Errors
/// Something is: it is named.
pub(super) fn settled(work: &Work<'_, '_>, acceptance: &Citation) -> Result<(), AssistError> {
    let (_, room) = room_at(work, acceptance)?;
    let mut out = Vec::new();
    for known in room.artefacts.iter().filter(|known| known.artefact.agreement == *acceptance) {
        let is_kept = known.held || work.tx.hold_on_statement(statement(work, &known.place)?)?.is_some();
        if is_out(known, &work.me.origin) && !is_kept {
            out.push(EntryRef::of(&known.place.origin, known.place.index).to_string());
        }
    }
    if out.is_empty() { Ok(()) } else { Err(AssistError::EvidenceOut(out.join(", "))) }
}

/// Does a party have somebody else's evidence?
fn is_out(known: &ArtefactCase, party: &Origin) -> bool {
    known.place.origin != *party && known.fate(party) == Fate::Has
}

/// Refuses what would have no effect in the case room: it is undone with its savepoint.
fn took_effect(work: &Work<'_, '_>, case: &Citation, said: &Appended) -> Result<(), AssistError> {
    let (_, room) = room_at(work, case)?;
    let own = |place: &Citation| place.origin == work.me.origin && place.index == said.index;
    match room.unfit.iter().find(|(place, _)| own(place)) {
        Some((_, why)) => Err(AssistError::NoEffect(*why)),
        None => Ok(()),
    }
}
