//! Does a capacity fit a line at all? The hard constraints, in the order in which people would ask, and what an offer of
//! the two would say: when, how, how soon and for how much.

use model::Timestamp;
use model::extension::assistance::{Capacity, Card, Mode};

use super::{Need, Source};
use crate::assist::capacity::{CapacityCase, Span};

/// Why a capacity does not fit a line: the first constraint that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Exclusion {
    /// Own capacities are for what partners ask, partners' cards for what we ask.
    #[error("not lent for this call")]
    Elsewhere,
    /// Another kind of help.
    #[error("of another kind")]
    Kind,
    /// Stood down.
    #[error("stood down")]
    StoodDown,
    /// At the place against from afar.
    #[error("not in that mode")]
    Mode,
    /// Not experienced enough.
    #[error("not experienced enough")]
    Level,
    /// Without the clearance.
    #[error("without the clearance")]
    Clearance,
    /// None of the languages.
    #[error("without the language")]
    Language,
    /// A conflict of interest of a private provider.
    #[error("in conflict of interest")]
    Conflict,
    /// It can't be lent then.
    #[error("not to be had at that time")]
    Calendar,
    /// Promised to others then.
    #[error("promised to others")]
    Promised,
}

impl Exclusion {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 10] = [
        Self::Elsewhere,
        Self::Kind,
        Self::StoodDown,
        Self::Mode,
        Self::Level,
        Self::Clearance,
        Self::Language,
        Self::Conflict,
        Self::Calendar,
        Self::Promised,
    ];

    /// The word for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Kind => "kind",
            Self::StoodDown => "stood-down",
            Self::Mode => "mode",
            Self::Level => "level",
            Self::Clearance => "clearance",
            Self::Language => "language",
            Self::Conflict => "conflict",
            Self::Calendar => "calendar",
            Self::Promised => "promised",
        }
    }
}

/// How a capacity fits a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// How many it can give at most.
    pub free: u32,
    /// How it would work.
    pub mode: Mode,
    /// When it would work.
    pub span: Span,
    /// When somebody is on the case.
    pub arrives: Timestamp,
    /// Minutes until then.
    pub minutes: u32,
    /// Cents of a euro for one unit.
    pub cents: u64,
    /// What is not known and should be asked.
    pub ask: Vec<&'static str>,
}

/// Does a source fit a need, as things stand at `now`?
///
/// # Errors
/// The first constraint that excludes it.
pub fn fit(need: &Need, source: &Source, now: Timestamp) -> Result<Fit, Exclusion> {
    match source {
        Source::Own(own) => of_own(need, own, now),
        Source::Card { place, card } => {
            // Another nation's card is looked at for our own calls alone: for a partner's, that nation is asked itself.
            if need.request.origin.base() == place.origin.base() || !need.ours {
                return Err(Exclusion::Elsewhere);
            }
            of_card(need, card, now)
        }
    }
}

fn of_own(need: &Need, own: &CapacityCase, now: Timestamp) -> Result<Fit, Exclusion> {
    let capacity = &own.capacity;
    if need.ours {
        return Err(Exclusion::Elsewhere);
    }
    excluded(need, capacity)?;
    let work = at_the_place(capacity.mode, need.mode);
    let hours = capacity.ready_hours.saturating_add(if work == Mode::OnSite { capacity.travel_hours } else { 0 });
    let ready = now.plus_seconds(i64::from(hours) * 3_600);
    let span = lendable(capacity, &need.span).ok_or(Exclusion::Calendar)?;
    let arrives = ready.max(span.from);
    if span.until.is_some_and(|until| until <= arrives) {
        return Err(Exclusion::Calendar);
    }
    let free = own.free(&span, now);
    if free == 0 {
        return Err(Exclusion::Promised);
    }
    let days = span.until.map_or(1, |until| days(arrives, until));
    let cents = capacity.rate.map_or(0, |rate| rate.day_cents.saturating_mul(days).saturating_add(rate.once_cents));
    let mut ask = Vec::new();
    if span.until != need.span.until {
        ask.push("it can stay for a part of the time only");
    }
    Ok(Fit { free, mode: work, span, arrives, minutes: minutes(now, arrives), cents, ask })
}

fn excluded(need: &Need, capacity: &Capacity) -> Result<(), Exclusion> {
    if capacity.kind != need.kind {
        return Err(Exclusion::Kind);
    }
    if capacity.stood_down {
        return Err(Exclusion::StoodDown);
    }
    if !capacity.mode.serves(need.mode) {
        return Err(Exclusion::Mode);
    }
    if need.level.is_some_and(|least| capacity.level < least) {
        return Err(Exclusion::Level);
    }
    if need.clearance.is_some_and(|least| capacity.clearance.is_none_or(|has| has < least)) {
        return Err(Exclusion::Clearance);
    }
    if !speak(&capacity.languages, &need.languages) {
        return Err(Exclusion::Language);
    }
    let conflict = capacity.provider.as_ref().is_some_and(|provider| {
        provider.not_for_nations.iter().any(|code| code == need.owner().as_str())
            || provider.not_for_sectors.iter().any(|sector| need.sectors.contains(sector))
    });
    if conflict { Err(Exclusion::Conflict) } else { Ok(()) }
}

/// A card says little: what it does not say is no reason to leave it out, and is asked on the telephone.
fn of_card(need: &Need, card: &Card, now: Timestamp) -> Result<Fit, Exclusion> {
    if card.kind != need.kind {
        return Err(Exclusion::Kind);
    }
    if !card.mode.serves(need.mode) {
        return Err(Exclusion::Mode);
    }
    if !card.languages.is_empty() && !speak(&card.languages, &need.languages) {
        return Err(Exclusion::Language);
    }
    let arrives = now.plus_seconds(i64::from(card.ready.most()) * 3_600).max(need.span.from);
    if need.span.until.is_some_and(|until| until <= arrives) {
        return Err(Exclusion::Calendar);
    }
    let mut ask = vec!["a card promises nothing: call them"];
    if need.clearance.is_some() {
        ask.push("ask for the clearance");
    }
    if need.level.is_some() {
        ask.push("ask how experienced they are");
    }
    if card.languages.is_empty() && !need.languages.is_empty() {
        ask.push("ask for the language");
    }
    let mode = at_the_place(card.mode, need.mode);
    let minutes = minutes(now, arrives);
    Ok(Fit { free: card.size.least(), mode, span: need.span, arrives, minutes, cents: 0, ask })
}

/// Any of the languages, compared by their first part: `fr-BE` is `fr`.
fn speak(has: &[String], wants: &[String]) -> bool {
    let first = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    wants.is_empty() || wants.iter().any(|want| has.iter().any(|tag| first(tag) == first(want)))
}

/// How the two would work together: from afar wherever that is enough.
const fn at_the_place(has: Mode, wants: Mode) -> Mode {
    match (has, wants) {
        (Mode::OnSite, _) | (_, Mode::OnSite) => Mode::OnSite,
        (Mode::Remote | Mode::Either, Mode::Remote | Mode::Either) => Mode::Remote,
    }
}

/// The first time within the need in which the capacity can be lent, and no longer than it stays.
fn lendable(capacity: &Capacity, need: &Span) -> Option<Span> {
    let (mut from, mut until) = (need.from, need.until);
    if !capacity.windows.is_empty() {
        let window = capacity.windows.iter().find(|window| window.until > from)?;
        from = from.max(window.from);
        until = Some(until.map_or(window.until, |until| until.min(window.until)));
    }
    if let Some(hours) = capacity.duration_hours {
        let longest = from.plus_seconds(i64::from(hours) * 3_600);
        until = Some(until.map_or(longest, |until| until.min(longest)));
    }
    let span = Span { from, until };
    (!span.is_empty()).then_some(span)
}

fn minutes(now: Timestamp, then: Timestamp) -> u32 {
    u32::try_from((then.micros() - now.micros()).max(0) / 60_000_000).unwrap_or(u32::MAX)
}

/// Days that are paid, each begun one whole.
fn days(from: Timestamp, until: Timestamp) -> u64 {
    let seconds = u64::try_from((until.micros() - from.micros()).max(0) / 1_000_000).unwrap_or(0);
    seconds.div_ceil(86_400).max(1)
}
