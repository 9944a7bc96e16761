//! Capacities: what we can lend, said to ourselves alone; cards of them for others; and the check that nothing is promised
//! twice.
//!
//! A capacity is a statement of the own log like any other, so that history, `rebuild`, backups and proofs hold of it. Its
//! audience has no members: it is opened to nobody, and after a database was set back nobody can give it back.

use std::collections::BTreeSet;

use domain::assist::Heard;
use domain::assist::capacity::{self, CapacityCase, Phase, Pool, Unbooked, Version};
use domain::assist::case::Case;
use domain::said::Said;
use model::extension::assistance::{Capacity, Card, OfferLine};
use model::extension::{AudienceKind, Common, Extension};
use model::{AudienceId, Citation, MemberSet, StixId, Tlp};
use sha2::{Digest, Sha256};
use store::{Db, ObjectFilter, ObjectRow, StoreError};

use super::{AssistError, gather, speak};
use crate::append::Appended;
use crate::audience::{self, Choice, Target};
use crate::body;
use crate::limits;
use crate::me::Me;
use crate::ports::Signer;
use crate::work::Work;

/// Everything from which our pool is derived, each statement with its row.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Versions of our capacities.
    pub versions: Vec<(ObjectRow, Version)>,
    /// The cases in which we offer some of them.
    pub cases: Vec<Vec<(ObjectRow, Heard)>>,
}

impl Holdings {
    /// What is derived from all of it.
    #[must_use]
    pub fn pool(&self, me: &Me) -> Pool {
        let versions: Vec<Version> = self.versions.iter().map(|(_, version)| version.clone()).collect();
        let heard = |case: &Vec<(ObjectRow, Heard)>| case.iter().map(|(_, heard)| heard.clone()).collect();
        let cases: Vec<Vec<Heard>> = self.cases.iter().map(heard).collect();
        capacity::fold(&me.origin, &versions, &cases)
    }
}

/// Reads our capacities, and the cases that draw on them.
///
/// # Errors
/// The database.
pub fn holdings(db: &Db<'_>, signer: &dyn Signer, me: &Me) -> Result<Holdings, StoreError> {
    let mut found = Holdings::default();
    let mut roots = BTreeSet::new();
    for row in of_type(db, me, Capacity::KIND)? {
        if let Some(capacity) = read(db, signer, &row)? {
            for statement in db.citing(row.log, row.index, limits::CAPACITY_OFFERS)? {
                let Some(offer) = db.object(statement)? else { continue };
                let heard = gather::heard(db, signer, offer.log, offer.index)?;
                if let Some((first, _)) = heard.first()
                    && roots.insert(first.statement)
                {
                    found.cases.push(heard);
                }
            }
            let place = Citation { origin: me.origin.clone(), index: row.index, commitment: row.commitment };
            found.versions.push((row, Version { place, capacity }));
        }
    }
    Ok(found)
}

/// All own statements of a type, the oldest first.
fn of_type(db: &Db<'_>, me: &Me, kind: &str) -> Result<Vec<ObjectRow>, StoreError> {
    let filter = ObjectFilter { log: Some(me.log), type_name: Some(kind.to_owned()), ..ObjectFilter::default() };
    let mut rows = db.objects_page(&filter, None, limits::CAPACITY_VERSIONS)?;
    rows.reverse();
    Ok(rows)
}

fn read(db: &Db<'_>, signer: &dyn Signer, row: &ObjectRow) -> Result<Option<Capacity>, StoreError> {
    let Some(bytes) = body::open(db, signer, row.statement)? else { return Ok(None) };
    match Said::read(row.media, &bytes) {
        Ok(Said::Capacity(_, capacity)) => Ok(Some(*capacity)),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The audience of ourselves alone, made when it is first needed. It has no members, and nobody can give it some.
pub(super) fn ourselves(work: &mut Work<'_, '_>) -> Result<Target, AssistError> {
    let id = id_of(b"entraide/ourselves/v1", &work.me.origin.base().to_string());
    let members = MemberSet::empty();
    Ok(audience::of_own_making(work, AudienceId::new(id), "this node alone", AudienceKind::Bilateral, &members)?)
}

fn id_of(what: &[u8], of: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(what);
    hash.update(of);
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

/// Says a new capacity, to ourselves alone. `make` gets its common properties.
///
/// # Errors
/// A field is out of its range; nothing is said then.
pub fn add(work: &mut Work<'_, '_>, make: impl FnOnce(Common) -> Capacity) -> Result<Appended, AssistError> {
    if of_type(work.tx, work.me, Capacity::KIND)?.len() >= limits::CAPACITY_VERSIONS {
        let most = limits::CAPACITY_VERSIONS;
        return Err(AssistError::Field(format!("this node keeps at most {most} versions of capacities")));
    }
    let capacity = make(speak::common::<Capacity>(work)?);
    let target = ourselves(work)?;
    speak::to(work, &target, Tlp::AmberStrict, None, &capacity)
}

/// Says a new version of a capacity. `change` is what is new in it.
///
/// # Errors
/// It is not there, a field is out of its range, or more is promised than it would have; nothing is said then.
pub fn amend(
    work: &mut Work<'_, '_>,
    place: &Citation,
    change: impl FnOnce(&mut Capacity),
) -> Result<Appended, AssistError> {
    let known = one(work, place)?;
    if of_type(work.tx, work.me, Capacity::KIND)?.len() >= limits::CAPACITY_VERSIONS {
        let most = limits::CAPACITY_VERSIONS;
        return Err(AssistError::Field(format!("this node keeps at most {most} versions of capacities")));
    }
    let mut capacity = known.capacity.clone();
    change(&mut capacity);
    let before = known.capacity.common;
    capacity.common = Common { modified: speak::later(work.now, before.modified), ..before };
    let appended = speak::next_version(work, &capacity)?;
    refuse(work, &appended)?;
    Ok(appended)
}

/// One of our capacities as it stands, named by any version of it.
///
/// # Errors
/// It is not there.
pub fn one(work: &Work<'_, '_>, place: &Citation) -> Result<CapacityCase, AssistError> {
    let holdings = holdings(work.tx, work.signer, work.me)?;
    let versions: Vec<Version> = holdings.versions.iter().map(|(_, version)| version.clone()).collect();
    holdings.pool(work.me).at(&versions, place).cloned().ok_or(AssistError::NoCapacity)
}

/// Publishes a capacity in bands. The card is a statement of its own: it can be withdrawn, and published again.
///
/// # Errors
/// It is not there, or the label and audience do not fit; nothing is said then.
pub fn publish(
    work: &mut Work<'_, '_>,
    place: &Citation,
    with_languages: bool,
    tlp: Tlp,
    audience: &Choice,
) -> Result<(Appended, Card), AssistError> {
    if tlp == Tlp::Red {
        return Err(AssistError::RedCard);
    }
    let capacity = one(work, place)?.capacity;
    let mut common = speak::common::<Card>(work)?;
    common.id = card_id(&capacity)?;
    // Said again, it is a later version of the same card.
    if let Some(last) = work.tx.objects_by_id(&common.id)?.into_iter().find(|row| row.log == work.me.log) {
        common.modified = speak::later(work.now, last.version.0);
    }
    let card = capacity.card(common, with_languages);
    let target = audience::resolve(work, audience, tlp)?;
    Ok((speak::withdrawably(work, &target, tlp, &card)?, card))
}

/// The id of a capacity's card: made of the capacity's own, which nobody else knows, so that it tells nothing.
fn card_id(capacity: &Capacity) -> Result<StixId, StoreError> {
    let id = id_of(b"entraide/capacity-card/v1", capacity.common.id.uuid());
    StixId::from_random(Card::KIND, id).map_err(|error| StoreError::Corrupt { what: error.to_string() })
}

/// Is this a card of that capacity?
#[must_use]
pub fn is_card_of(capacity: &Capacity, id: &StixId) -> bool {
    card_id(capacity).is_ok_and(|its| its == *id)
}

/// Refuses an offer that draws on a capacity beyond what is free: it is undone with its savepoint.
pub(super) fn booked(work: &Work<'_, '_>, said: &Appended, lines: &[OfferLine]) -> Result<(), AssistError> {
    if lines.iter().all(|line| line.draws.is_empty()) { Ok(()) } else { refuse(work, said) }
}

/// The same of a countersignature, if anything was ever drawn in the case.
pub(super) fn booked_by_signing(work: &Work<'_, '_>, case: &Case, said: &Appended) -> Result<(), AssistError> {
    let ours = case.offers.iter().filter(|offer| *offer.provider() == work.me.origin);
    if ours.count() == 0 { Ok(()) } else { refuse(work, said) }
}

fn refuse(work: &Work<'_, '_>, said: &Appended) -> Result<(), AssistError> {
    let pool = holdings(work.tx, work.signer, work.me)?.pool(work.me);
    let here = |place: &Citation| place.index == said.index;
    match pool.unbooked.iter().find(|(place, _)| here(place)) {
        None => Ok(()),
        Some((_, why)) => Err(AssistError::Unbooked(in_words(work, &pool, *why))),
    }
}

/// Why, and who has it: a duty officer at night needs both.
fn in_words(work: &Work<'_, '_>, pool: &Pool, why: Unbooked) -> String {
    let mut held = Vec::new();
    for one in &pool.capacities {
        for hold in one.holds.iter().filter(|hold| hold.is_live(work.now)) {
            let until = hold.span.until.map_or_else(String::new, |until| format!(" until {}", until.short()));
            held.push(format!(
                "{} of {} {} for {} line {}{until}",
                hold.quantity,
                one.capacity.name,
                hold.phase.word(),
                hold.number,
                hold.line
            ));
        }
    }
    match why {
        Unbooked::NoRoom | Unbooked::BelowPromises if !held.is_empty() => format!("{why}: {}", held.join("; ")),
        Unbooked::NoRoom
        | Unbooked::BelowPromises
        | Unbooked::NoSuchCapacity
        | Unbooked::StoodDown
        | Unbooked::OutsideCalendar => format!("{why}: look at it with `entraide capacity list`"),
    }
}

/// Leaves out what is reserved for a call: the answer that is being written takes its place.
pub(super) fn without_reserved_for(pool: &mut Pool, request: &Citation) {
    for one in &mut pool.capacities {
        one.holds.retain(|hold| hold.phase != Phase::Reserved || hold.request != *request);
    }
}
