//! What a nation can lend, and what of it is promised: derived from its own log alone, in the order of that log.
//!
//! | The provider's log says | The units drawn are |
//! |---|---|
//! | an offer of *yes* that draws on the capacity | reserved, until the offer's time is over or it is taken back |
//! | a countersignature | committed |
//! | a mission that travels, is on task or hands over | deployed |
//! | a mission that goes home, reports, is closed or broken off | recovering; from *closed* on for its hours of rest |
//! | an end, or an acknowledged retraction | recovering for its hours of rest, then available |
//!
//! Nothing is said twice: an offer names the capacity, and everything else follows. What would take a capacity beyond its
//! quantity at any instant of its calendar books nothing, whatever the statement does in its own case; the command that
//! would say so is refused. A version of a capacity that no longer holds what is promised of it has no effect either:
//! first the promise is taken back, then the capacity shrinks. Time alone ends a reservation on reading; a
//! countersignature that comes after it books anew.

use std::collections::{BTreeMap, BTreeSet};

use model::extension::assistance::{
    AgreedLine, AgreementStep, Answer, Capacity, Line, Mission, MissionPhase, Offer, OfferLine,
};
use model::{Citation, Index, Origin, StixId, Timestamp};

use super::case::{self, Case};
use super::{Heard, Word};

/// A version of a capacity, and where it stands in the provider's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Where.
    pub place: Citation,
    /// What it says.
    pub capacity: Capacity,
}

/// From when until when; without an end until somebody says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From then on.
    pub from: Timestamp,
    /// Until then, not included.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Is there anything in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.until.is_some_and(|until| until <= self.from)
    }
    /// Does it hold this instant?
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
    /// Is the other one inside?
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.from <= other.from
            && match (self.until, other.until) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(mine), Some(its)) => its <= mine,
            }
    }
    /// What of it lies at or after a moment.
    #[must_use]
    pub fn after(&self, at: Timestamp) -> Self {
        Self { from: self.from.max(at), until: self.until }
    }
}

/// What units of a capacity are, while they are not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Offered.
    Reserved,
    /// In force.
    Committed,
    /// On a mission.
    Deployed,
    /// On the way home, or at rest.
    Recovering,
}

impl Phase {
    /// All of them, in the order of a mission.
    pub const ALL: [Self; 4] = [Self::Reserved, Self::Committed, Self::Deployed, Self::Recovering];

    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Committed => "committed",
            Self::Deployed => "deployed",
            Self::Recovering => "recovering",
        }
    }
}

/// Units of a capacity that are not available for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The call for help for which they are held: a version of it.
    pub request: Citation,
    /// Its number for people.
    pub number: String,
    /// Which line of it.
    pub line: Line,
    /// How many.
    pub quantity: u32,
    /// When they work.
    pub work: Span,
    /// When they are not available: the work, and the rest after it.
    pub span: Span,
    /// What they are.
    pub phase: Phase,
    /// A reservation lapses then unless it was signed.
    pub valid_until: Option<Timestamp>,
}

impl Hold {
    /// Does it count at that moment? A reservation whose time is over does not.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| now < until) && self.span.until.is_none_or(|until| now < until)
    }
}

/// Why nothing was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unbooked {
    /// No capacity of the provider's stands there.
    #[error("it names a capacity that this log does not have")]
    NoSuchCapacity,
    /// It takes on nothing new.
    #[error("the capacity is stood down")]
    StoodDown,
    /// It can't be lent then.
    #[error("the capacity can't be lent for the whole of that time")]
    OutsideCalendar,
    /// Others have it.
    #[error("not enough of the capacity is free for the whole of that time")]
    NoRoom,
    /// A version that no longer holds what is promised.
    #[error("more is promised than it would have: take an offer back first")]
    BelowPromises,
}

/// A capacity as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityCase {
    /// Where its newest version that has effect stands.
    pub place: Citation,
    /// That version.
    pub capacity: Capacity,
    /// How many versions have effect.
    pub versions: usize,
    /// What is held of it, in the order of the log; those whose time is over are among them.
    pub holds: Vec<Hold>,
}

impl CapacityCase {
    /// How many units are in a phase at a moment, whenever their time begins.
    #[must_use]
    pub fn count(&self, phase: Phase, now: Timestamp) -> u32 {
        self.holds.iter().filter(|hold| hold.phase == phase && hold.is_live(now)).map(|hold| hold.quantity).sum()
    }

    /// One word for where it stands: of what is promised, what weighs most.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> &'static str {
        let busy = [Phase::Deployed, Phase::Committed, Phase::Recovering, Phase::Reserved];
        match busy.into_iter().find(|phase| self.count(*phase, now) > 0) {
            _ if self.capacity.stood_down => "stood down",
            Some(phase) => phase.word(),
            None => "available",
        }
    }

    /// How many units are free for the whole of a time, as things stand at `now`. A stood-down capacity has none.
    #[must_use]
    pub fn free(&self, span: &Span, now: Timestamp) -> u32 {
        if self.capacity.stood_down || !in_calendar(&self.capacity, span) {
            return 0;
        }
        let live: Vec<&Hold> = self.holds.iter().filter(|hold| hold.is_live(now)).collect();
        u32::from(self.capacity.quantity).saturating_sub(most_held(&live, span))
    }
}

/// All capacities of a nation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pool {
    /// In the order in which they were first said.
    pub capacities: Vec<CapacityCase>,
    /// Statements that book nothing or change nothing, and why.
    pub unbooked: Vec<(Citation, Unbooked)>,
}

impl Pool {
    /// The capacity of which a version stands at a place.
    #[must_use]
    pub fn at(&self, versions: &[Version], place: &Citation) -> Option<&CapacityCase> {
        let id = &versions.iter().find(|version| version.place == *place)?.capacity.common.id;
        self.capacities.iter().find(|one| one.capacity.common.id == *id)
    }
}

fn hold(known: &Known, units: &Units, phase: Phase, valid_until: Option<Timestamp>) -> Hold {
    Hold {
        request: known.request.clone(),
        number: known.number.clone(),
        line: units.line,
        quantity: units.quantity,
        work: units.work,
        span: units.span(),
        phase,
        valid_until,
    }
}

/// Can it be lent for the whole of a time?
fn in_calendar(capacity: &Capacity, span: &Span) -> bool {
    let inside = |window: &model::extension::assistance::Window| {
        Span { from: window.from, until: Some(window.until) }.contains(span)
    };
    capacity.windows.is_empty() || capacity.windows.iter().any(inside)
}

/// Most units that are held at any instant of a time. The sum rises only where a hold begins.
fn most_held(live: &[&Hold], span: &Span) -> u32 {
    let begins = live.iter().map(|hold| hold.span.from).filter(|at| span.holds(*at));
    let sum = |at: Timestamp| -> u32 { live.iter().filter(|hold| hold.span.holds(at)).map(|hold| hold.quantity).sum() };
    begins.chain([span.from]).map(sum).max().unwrap_or(0)
}

/// All capacities of `provider` and what is held of them, from every version that it said and from every case in which it
/// offers, each heard in any order.
#[must_use]
pub fn fold(provider: &Origin, versions: &[Version], cases: &[Vec<Heard>]) -> Pool {
    let mut events: BTreeMap<Index, Event<'_>> = BTreeMap::new();
    for version in versions.iter().filter(|version| version.place.origin == *provider) {
        events.insert(version.place.index, Event::Version(version));
    }
    let mut known = Vec::new();
    for heard in cases {
        let Some(case) = case::fold(heard) else { continue };
        let unfit: BTreeSet<Index> =
            case.unfit.iter().filter(|(place, _)| place.origin == *provider).map(|(place, _)| place.index).collect();
        let number = known.len();
        for one in heard.iter().filter(|one| one.place.origin == *provider && !unfit.contains(&one.place.index)) {
            events.insert(one.place.index, Event::Case(number, one));
        }
        known.push(Known::of(case, heard));
    }
    let mut booking = Booking::new(known);
    for event in events.values() {
        booking.read(event);
    }
    booking.pool()
}

enum Event<'a> {
    Version(&'a Version),
    Case(usize, &'a Heard),
}

/// What a case says of its acceptances, whichever log they stand in.
struct Known {
    request: Citation,
    number: String,
    /// By acceptance: which version of the offer it takes, and what of it.
    accepted: BTreeMap<Index, (Index, Vec<AgreedLine>)>,
    /// By retraction: the acceptance.
    retracted: BTreeMap<Index, Index>,
    offer: Option<Offered>,
}

impl Known {
    fn of(case: Case, heard: &[Heard]) -> Self {
        let effective: BTreeSet<Index> =
            case.offers.iter().flat_map(|offer| &offer.agreements).map(|agreed| agreed.place.index).collect();
        let (mut accepted, mut retracted) = (BTreeMap::new(), BTreeMap::new());
        for one in heard.iter().filter(|one| one.place.origin == case.place.origin) {
            let Word::Agreement(said) = &one.word else { continue };
            match &said.step {
                AgreementStep::Accept { lines, .. } if effective.contains(&one.place.index) => {
                    accepted.insert(one.place.index, (said.answers.index, lines.clone()));
                }
                AgreementStep::Retract { .. } => {
                    retracted.insert(one.place.index, said.answers.index);
                }
                AgreementStep::Accept { .. }
                | AgreementStep::Countersign
                | AgreementStep::Decline { .. }
                | AgreementStep::Acknowledge
                | AgreementStep::End { .. } => {}
            }
        }
        Self { request: case.place, number: case.request.number, accepted, retracted, offer: None }
    }
}

/// The provider's answer to one call for help, and what it draws.
#[derive(Default)]
struct Offered {
    /// Every version by place, with the time at which it was said.
    versions: BTreeMap<Index, (Timestamp, Vec<OfferLine>)>,
    /// Reserved, and not signed yet.
    reserved: Vec<Units>,
    /// A reservation lapses then.
    valid_until: Option<Timestamp>,
    /// What was signed, by acceptance.
    signed: BTreeMap<Index, Signed>,
}

/// Units of one capacity for one line.
#[derive(Clone)]
struct Units {
    line: Line,
    capacity: StixId,
    quantity: u32,
    work: Span,
    /// The rest that they need afterwards, as it was when they were booked, seconds.
    rest: i64,
}

impl Units {
    fn span(&self) -> Span {
        Span { until: self.work.until.map(|until| until.plus_seconds(self.rest)), ..self.work }
    }
}

struct Signed {
    units: Vec<Units>,
    /// What was asked of each capacity, booked or not: it has used the offer up.
    drawn: Vec<Units>,
    phase: Phase,
    /// Given back to the offer: it was terminated.
    given_back: bool,
}

impl Signed {
    /// From now on there is rest, for as long as the people need it.
    fn rest(&mut self, now: Timestamp) {
        self.phase = Phase::Recovering;
        for units in &mut self.units {
            units.work.until = Some(units.work.until.map_or(now, |until| until.min(now)));
        }
    }
}

impl Offered {
    /// What of a drawing is in force or done.
    fn taken(&self, line: Line, capacity: &StixId) -> u32 {
        let of = |units: &&Units| units.line == line && units.capacity == *capacity;
        let signed = self.signed.values().filter(|signed| !signed.given_back);
        signed.flat_map(|signed| &signed.drawn).filter(of).map(|units| units.quantity).sum()
    }
}

struct Booking {
    known: Vec<Known>,
    /// The newest time that the log has said: it never goes back.
    clock: Timestamp,
    versions: BTreeMap<Index, (Citation, StixId)>,
    order: Vec<StixId>,
    capacities: BTreeMap<StixId, (Citation, Capacity, usize)>,
    unbooked: Vec<(Citation, Unbooked)>,
}

impl Booking {
    fn new(known: Vec<Known>) -> Self {
        Self {
            known,
            clock: Timestamp::from_micros(i64::MIN),
            versions: BTreeMap::new(),
            order: Vec::new(),
            capacities: BTreeMap::new(),
            unbooked: Vec::new(),
        }
    }

    fn drawn(&self, capacity: &Citation) -> Option<&StixId> {
        self.versions.get(&capacity.index).filter(|(place, _)| place == capacity).map(|(_, id)| id)
    }

    /// Units of a line as it was offered at a time.
    fn units(&self, line: &OfferLine, id: &StixId, quantity: u32, said: Timestamp) -> Units {
        let hours = self.capacities.get(id).map_or(0, |(_, capacity, _)| capacity.recovery_hours);
        // What is past when it is said can't be lent.
        let work = Span { from: line.from.map_or(said, |from| from.max(said)), until: line.until };
        Units { line: line.line, capacity: id.clone(), quantity, work, rest: i64::from(hours) * 3_600 }
    }

    fn read(&mut self, event: &Event<'_>) {
        match event {
            Event::Version(version) => {
                self.tick(version.capacity.common.modified);
                self.version(version);
            }
            Event::Case(at, heard) => match &heard.word {
                Word::Request(_)
                | Word::Mandate(_)
                | Word::Helpers(_)
                | Word::Room(_)
                | Word::Acknowledgement(_)
                | Word::Relayed(_) => {}
                Word::Offer(offer) => {
                    self.tick(offer.common.modified);
                    self.offer(*at, &heard.place, offer);
                }
                Word::Agreement(said) => {
                    self.tick(said.common.modified);
                    match said.step {
                        AgreementStep::Countersign => self.sign(*at, &heard.place, said.answers.index),
                        AgreementStep::Acknowledge => {
                            let acceptance = self.known[*at].retracted.get(&said.answers.index).copied();
                            if let Some(acceptance) = acceptance {
                                self.end(*at, acceptance, false);
                            }
                        }
                        AgreementStep::End { fulfilled, .. } => self.end(*at, said.answers.index, fulfilled),
                        AgreementStep::Accept { .. }
                        | AgreementStep::Decline { .. }
                        | AgreementStep::Retract { .. } => {}
                    }
                }
                Word::Mission(mission) => {
                    self.tick(mission.common.modified);
                    self.mission(*at, mission);
                }
            },
        }
    }

    fn tick(&mut self, said: Timestamp) {
        self.clock = self.clock.max(said);
    }

    fn version(&mut self, version: &Version) {
        let (place, capacity) = (&version.place, &version.capacity);
        let id = &capacity.common.id;
        self.versions.insert(place.index, (place.clone(), id.clone()));
        let Some((_, _, versions)) = self.capacities.get(id) else {
            self.order.push(id.clone());
            self.capacities.insert(id.clone(), (place.clone(), capacity.clone(), 1));
            return;
        };
        let versions = versions + 1;
        let holds = self.live(id);
        let whole = |hold: &&Hold| {
            let ahead = hold.work.after(self.clock);
            ahead.is_empty() || in_calendar(capacity, &ahead)
        };
        let always = Span { from: self.clock, until: None };
        let live: Vec<&Hold> = holds.iter().collect();
        if live.iter().all(whole) && most_held(&live, &always) <= capacity.quantity.into() {
            self.capacities.insert(id.clone(), (place.clone(), capacity.clone(), versions));
        } else {
            self.unbooked.push((place.clone(), Unbooked::BelowPromises));
        }
    }

    fn offer(&mut self, at: usize, place: &Citation, offer: &Offer) {
        let now = self.clock;
        let known = self.known[at].offer.get_or_insert_default();
        known.versions.insert(place.index, (now, offer.lines.clone()));
        let before = std::mem::take(&mut known.reserved);
        let lapsed = known.valid_until.is_none_or(|until| until <= now);
        known.valid_until = Some(offer.valid_until);
        if offer.answer != Answer::Yes {
            return;
        }
        for line in &offer.lines {
            for draw in &line.draws {
                let Some(id) = self.drawn(&draw.capacity).cloned() else {
                    self.unbooked.push((place.clone(), Unbooked::NoSuchCapacity));
                    continue;
                };
                let known = self.known[at].offer.get_or_insert_default();
                let quantity = u32::from(draw.quantity).saturating_sub(known.taken(line.line, &id));
                let units = self.units(line, &id, quantity, now);
                if units.quantity == 0 || units.work.is_empty() {
                    continue;
                }
                let had = |old: &Units| {
                    old.line == units.line
                        && old.capacity == units.capacity
                        && old.quantity >= units.quantity
                        && old.work.contains(&units.work)
                };
                let kept = !lapsed && before.iter().any(had);
                match self.room(at, &units, kept, &[]) {
                    Ok(()) => self.known[at].offer.get_or_insert_default().reserved.push(units),
                    Err(why) => self.unbooked.push((place.clone(), why)),
                }
            }
        }
    }

    fn sign(&mut self, at: usize, place: &Citation, acceptance: Index) {
        let now = self.clock;
        let Some((version, lines)) = self.known[at].accepted.get(&acceptance).cloned() else { return };
        let Some(offer) = &self.known[at].offer else { return };
        let Some((said, offered)) = offer.versions.get(&version) else { return };
        let mut drawn = Vec::new();
        for agreed in &lines {
            let Some(line) = offered.iter().find(|line| line.line == agreed.line) else { continue };
            let mut rest = u32::from(agreed.quantity);
            for draw in &line.draws {
                let Some(id) = self.drawn(&draw.capacity) else { continue };
                let left = u32::from(draw.quantity).saturating_sub(offer.taken(line.line, id));
                let quantity = left.min(rest);
                rest -= quantity;
                let mut units = self.units(line, id, quantity, *said);
                units.work = units.work.after(now);
                if quantity > 0 && !units.work.is_empty() {
                    drawn.push(units);
                }
            }
        }
        let lapsed = offer.valid_until.is_none_or(|until| until <= now);
        let mut units = Vec::new();
        for one in &drawn {
            let was_reserved = self.unreserve(at, one) && !lapsed;
            match self.room(at, one, was_reserved, &units) {
                Ok(()) => units.push(one.clone()),
                Err(why) => self.unbooked.push((place.clone(), why)),
            }
        }
        if let Some(offer) = &mut self.known[at].offer {
            offer.signed.insert(acceptance, Signed { units, drawn, phase: Phase::Committed, given_back: false });
        }
    }

    /// Takes units out of what is reserved for the same; `true` if all of them were.
    fn unreserve(&mut self, at: usize, units: &Units) -> bool {
        let Some(offer) = &mut self.known[at].offer else { return false };
        let same = |old: &&mut Units| old.line == units.line && old.capacity == units.capacity;
        let Some(old) = offer.reserved.iter_mut().find(same) else { return false };
        let whole = old.quantity >= units.quantity && old.work.contains(&units.work);
        old.quantity = old.quantity.saturating_sub(units.quantity);
        offer.reserved.retain(|old| old.quantity > 0);
        whole
    }

    /// Lets people rest, and then be lent again.
    fn end(&mut self, at: usize, acceptance: Index, fulfilled: bool) {
        let now = self.clock;
        let Some(signed) = self.known[at].offer.as_mut().and_then(|offer| offer.signed.get_mut(&acceptance)) else {
            return;
        };
        signed.given_back = !fulfilled;
        signed.rest(now);
    }

    fn mission(&mut self, at: usize, mission: &Mission) {
        let now = self.clock;
        let signed = self.known[at].offer.as_mut().and_then(|offer| offer.signed.get_mut(&mission.agreement.index));
        let Some(signed) = signed else { return };
        signed.phase = match mission.phase {
            MissionPhase::Ordered | MissionPhase::Mobilising => Phase::Committed,
            MissionPhase::Travelling | MissionPhase::OnTask | MissionPhase::Handover => Phase::Deployed,
            MissionPhase::Demobilising | MissionPhase::Reporting => Phase::Recovering,
            MissionPhase::Closed | MissionPhase::Aborted => return signed.rest(now),
        };
    }

    /// Is there room for units beside what is held, and beside some of the same case that are not noted yet?
    fn room(&self, at: usize, units: &Units, kept: bool, beside: &[Units]) -> Result<(), Unbooked> {
        let (_, capacity, _) = self.capacities.get(&units.capacity).ok_or(Unbooked::NoSuchCapacity)?;
        if capacity.stood_down && !kept {
            return Err(Unbooked::StoodDown);
        }
        if !in_calendar(capacity, &units.work) {
            return Err(Unbooked::OutsideCalendar);
        }
        let mut holds = self.live(&units.capacity);
        let same = beside.iter().filter(|other| other.capacity == units.capacity);
        holds.extend(same.map(|other| hold(&self.known[at], other, Phase::Committed, None)));
        if most_held(&holds.iter().collect::<Vec<_>>(), &units.span()) + units.quantity > capacity.quantity.into() {
            return Err(Unbooked::NoRoom);
        }
        Ok(())
    }

    /// What is held of a capacity and counts at the log's time.
    fn live(&self, id: &StixId) -> Vec<Hold> {
        let mut holds = self.holds(id);
        holds.retain(|hold| hold.is_live(self.clock));
        holds
    }

    fn holds(&self, id: &StixId) -> Vec<Hold> {
        let mut holds = Vec::new();
        for known in &self.known {
            let Some(offer) = &known.offer else { continue };
            for signed in offer.signed.values() {
                holds.extend(signed.units.iter().map(|units| (units, hold(known, units, signed.phase, None))));
            }
            let reserved = |units| (units, hold(known, units, Phase::Reserved, offer.valid_until));
            holds.extend(offer.reserved.iter().map(reserved));
        }
        // Who never began does not need to rest.
        holds.retain(|(units, _)| units.capacity == *id && !units.work.is_empty());
        holds.into_iter().map(|(_, hold)| hold).collect()
    }

    fn pool(self) -> Pool {
        let mut capacities = Vec::new();
        for id in &self.order {
            let Some((place, capacity, versions)) = self.capacities.get(id) else { continue };
            let (place, capacity) = (place.clone(), capacity.clone());
            capacities.push(CapacityCase { place, capacity, versions: *versions, holds: self.holds(id) });
        }
        Pool { capacities, unbooked: self.unbooked }
    }
}

#[cfg(test)]
pub(in crate::assist) mod tests;
