//! Capacities as a viewer may see them, partners' cards, and what could be filled with them: what passes the gate is
//! folded, so that no count shows anything else.

use std::collections::{BTreeMap, BTreeSet};

use domain::assist::Heard;
use domain::assist::capacity::{self, CapacityCase, Pool, Version};
use domain::assist::case::{self, Case, RequestState};
use domain::assist::matching::{self, Need, Proposal, Source};
use domain::said::Said;
use model::extension::Extension;
use model::extension::assistance::{Card, Request, RequestPhase};
use model::{Citation, EntryRef, Tlp};
use policy::{Facts, Governed, PolicyVersion, Purpose, Released, Viewer};
use store::{ObjectFilter, ObjectRow, ObjectState, StoreError};

use super::objects::ObjectError;
use super::{assist, entries, facts_of_row};
use crate::assist::capacity as held;
use crate::body;
use crate::limits;
use crate::work::View;

enum Word {
    Version(Version),
    Heard(usize, Heard),
}

struct Governing<T> {
    word: T,
    facts: Facts,
}

impl<T> Governed for Governing<T> {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// Our capacities with what is promised of them.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// As they stand.
    pub pool: Pool,
    /// Every version.
    pub versions: Vec<Version>,
}

impl Own {
    /// The capacity of which a version stands at a place of our log.
    #[must_use]
    pub fn named(&self, place: &Citation) -> Option<&CapacityCase> {
        self.pool.at(&self.versions, place)
    }
}

/// Our capacities, of those statements that the viewer may see.
///
/// # Errors
/// The database.
pub fn own(view: &View<'_, '_>, viewer: &Viewer) -> Result<Released<Own>, StoreError> {
    let holdings = held::holdings(view.db, view.signer, view.me)?;
    let mut governed = Vec::new();
    for (row, version) in holdings.versions {
        governed.push(Governing { facts: facts_of_row(view, &row)?, word: Word::Version(version) });
    }
    for (number, case) in holdings.cases.into_iter().enumerate() {
        for (row, heard) in case {
            governed.push(Governing { facts: facts_of_row(view, &row)?, word: Word::Heard(number, heard) });
        }
    }
    let released = policy::release_all(governed, viewer, Purpose::Read, &PolicyVersion::CURRENT);
    let me = view.me.origin.clone();
    Ok(policy::derive(released, |words| {
        let mut versions = Vec::new();
        let mut cases: BTreeMap<usize, Vec<Heard>> = BTreeMap::new();
        for one in words {
            match one.word {
                Word::Version(version) => versions.push(version),
                Word::Heard(number, heard) => cases.entry(number).or_default().push(heard),
            }
        }
        let cases: Vec<Vec<Heard>> = cases.into_values().collect();
        Own { pool: capacity::fold(&me, &versions, &cases), versions }
    }))
}

/// One of our capacities with all its versions, named by any of them.
///
/// # Errors
/// It is not there, or not for the viewer.
pub fn one(view: &View<'_, '_>, viewer: &Viewer, name: EntryRef) -> Result<Released<(Own, Citation)>, ObjectError> {
    let log = entries::log_of(view, name.country)?;
    if log != view.me.log {
        return Err(ObjectError::NotFound);
    }
    let commitment = view.db.commitment(log, name.index)?.ok_or(ObjectError::NotFound)?;
    let place = Citation { origin: view.me.origin.clone(), index: name.index, commitment };
    let own = own(view, viewer)?;
    if own.as_ref().named(&place).is_none() {
        return Err(ObjectError::NotFound);
    }
    Ok(own.map(|own| (own, place)))
}

/// A card that somebody says.
#[derive(Debug, Clone)]
pub struct Published {
    /// Where it stands.
    pub place: Citation,
    /// What it says.
    pub card: Card,
    /// To whom, by its name; of our own alone.
    pub audience: Option<String>,
    /// At which label.
    pub tlp: Tlp,
}

/// Cards that are said now: the newest version of each that was not withdrawn, ours and partners'.
///
/// # Errors
/// The database.
pub fn cards(view: &View<'_, '_>, viewer: &Viewer) -> Result<Released<Vec<Published>>, StoreError> {
    let filter = ObjectFilter {
        type_name: Some(Card::KIND.to_owned()),
        state: Some(ObjectState::Live),
        ..ObjectFilter::default()
    };
    let mut governed = Vec::new();
    for row in view.db.objects_page(&filter, None, limits::CARDS)? {
        if let Some(card) = card(view, &row)? {
            let own = row.log == view.me.log;
            let audience = if own { view.db.audience(row.log, &row.audience)?.map(|row| row.name) } else { None };
            let place = Citation { origin: view.db.origin(row.log)?, index: row.index, commitment: row.commitment };
            let word = Published { place, card, audience, tlp: row.tlp };
            governed.push(Governing { facts: facts_of_row(view, &row)?, word });
        }
    }
    let released = policy::release_all(governed, viewer, Purpose::Read, &PolicyVersion::CURRENT);
    let me = view.me.origin.clone();
    Ok(policy::derive(released, |cards| {
        // Of a partner's card the newest version stands; of ours each, since each went to an audience of its own.
        let mut seen = BTreeSet::new();
        let mut kept: Vec<Published> = cards.into_iter().map(|one| one.word).collect();
        let mut newest = |one: &Published| seen.insert((one.place.origin.clone(), one.card.common.id.to_string()));
        kept.retain(|one| one.place.origin == me || newest(one));
        kept
    }))
}

fn card(view: &View<'_, '_>, row: &ObjectRow) -> Result<Option<Card>, StoreError> {
    let Some(bytes) = body::open(view.db, view.signer, row.statement)? else { return Ok(None) };
    match Said::read(row.media, &bytes) {
        Ok(Said::Card(_, card)) => Ok(Some(card)),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// What could be filled, and what not.
#[derive(Debug, Clone)]
pub struct Matches {
    /// Of which call for help.
    pub case: Case,
    /// What is missing, of all open calls; those of this one are named by `request`.
    pub needs: Vec<Need>,
    /// What was looked at.
    pub sources: Vec<Source>,
    /// What is proposed for all of them together.
    pub proposal: Proposal,
}

/// What could be filled of a call for help, if all open calls are served from one pool: own capacities for partners' calls,
/// partners' cards for ours.
///
/// # Errors
/// The call is not there, or not for the viewer.
pub fn matches(view: &View<'_, '_>, viewer: &Viewer, name: EntryRef) -> Result<Released<Matches>, ObjectError> {
    let asked = assist::one(view, viewer, name)?;
    let open = open_cases(view, viewer)?;
    let own = own(view, viewer)?;
    let cards = cards(view, viewer)?;
    let (me, now) = (view.me.origin.clone(), view.now);
    Ok(asked.with(open).with(own).with(cards).map(|(((shown, open), own), cards)| {
        let case = shown.case;
        let mut needs: Vec<Need> = open
            .iter()
            .filter(|other| {
                other.place.origin != case.place.origin || other.request.common.id != case.request.common.id
            })
            .chain([&case])
            .flat_map(|case| case.request.lines.iter().filter_map(|line| Need::of(case, line, &me, now)))
            .collect();
        let here = |need: &Need| need.request == case.place;
        // What is asked about is looked at whatever else is open.
        needs.sort_by_key(|need| (!here(need), std::cmp::Reverse(need.weight)));
        needs.truncate(domain::limits::MATCH_LINES);
        let capacities = own.pool.capacities.into_iter().map(|one| Source::Own(Box::new(one)));
        let cards = cards.into_iter().filter(|one| one.place.origin.base() != me.base());
        let cards = cards.map(|one| Source::Card { place: one.place, card: Box::new(one.card) });
        let sources: Vec<Source> = capacities.chain(cards).take(domain::limits::MATCH_SOURCES).collect();
        let proposal = matching::propose(&needs, &sources, now);
        Matches { case, needs, sources, proposal }
    }))
}

/// Calls for help that are open now, the newest first.
fn open_cases(view: &View<'_, '_>, viewer: &Viewer) -> Result<Released<Vec<Case>>, StoreError> {
    let filter = ObjectFilter { type_name: Some(Request::KIND.to_owned()), ..ObjectFilter::default() };
    let rows = view.db.objects_page(&filter, None, limits::OPEN_CASES)?;
    let now = view.now;
    let mut governed = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        if !seen.insert((row.log, row.stix_id.to_string())) {
            continue;
        }
        for (row, heard) in crate::assist::gather::heard(view.db, view.signer, row.log, row.index)? {
            governed.push(Governing { facts: facts_of_row(view, &row)?, word: (seen.len(), heard) });
        }
    }
    let released = policy::release_all(governed, viewer, Purpose::Read, &PolicyVersion::CURRENT);
    Ok(policy::derive(released, |words| {
        let mut by_case: BTreeMap<usize, Vec<Heard>> = BTreeMap::new();
        for one in words {
            by_case.entry(one.word.0).or_default().push(one.word.1);
        }
        let cases = by_case.into_values().filter_map(|heard| case::fold(&heard));
        cases.filter(|case| is_open(case.state_at(now))).collect()
    }))
}

const fn is_open(state: RequestState) -> bool {
    matches!(state, RequestState::Said(RequestPhase::Open | RequestPhase::Anticipated))
}
