//! Matching (workflows §3.3): which capacity for which open line. It proposes; people decide.
//!
//! As much as can be is covered, each unit counted by the weight of its line; then whoever arrives soonest; then whoever
//! costs least: one least-cost flow for each kind of help (`flow`), the same for the same pool in any order. Every pairing
//! and every gap says why in words.
//!
//! A capacity is counted as if all lines of one proposal that it could serve ran at the same time, so that what is
//! proposed can be offered as it stands; two lines that do not meet in time may get more when it is asked again.

mod fit;
mod flow;

use std::collections::{BTreeMap, BTreeSet};

use model::extension::assistance::{
    Card, Clearance, HelpKind, Level, Line, Mode, Request, RequestLine, Sector, Severity,
};
use model::{Citation, Country, Origin, Timestamp};

use super::capacity::{CapacityCase, Span};
use super::case::Case;
pub use fit::{Exclusion, Fit, fit};
use flow::{Edge, Flow};

/// What is still missing of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The newest version of the call for help.
    pub request: Citation,
    /// Its number for people.
    pub number: String,
    /// Is it this node's own call? Then partners' cards are looked at, and own capacities are not.
    pub ours: bool,
    /// Which line.
    pub line: Line,
    /// What kind of help.
    pub kind: HelpKind,
    /// How many are missing.
    pub missing: u32,
    /// From afar, at the place, or either.
    pub mode: Mode,
    /// When.
    pub span: Span,
    /// Any of these languages is needed; none is any.
    pub languages: Vec<String>,
    /// The clearance without which nobody can work on it.
    pub clearance: Option<Clearance>,
    /// How experienced they must be at least.
    pub level: Option<Level>,
    /// The sectors of those that are hit.
    pub sectors: Vec<Sector>,
    /// What one unit counts.
    pub weight: u32,
}

impl Need {
    /// What is missing of a line of a case, as the node `here` sees it; `None` if nothing is.
    #[must_use]
    pub fn of(case: &Case, line: &RequestLine, here: &Origin, now: Timestamp) -> Option<Self> {
        let have = case.coverage(line, now);
        let missing = have.asked.saturating_sub(have.offered + have.accepted + have.committed + have.fulfilled);
        let from = line.from.map_or(now, |from| from.max(now));
        let span = Span { from, until: line.until };
        if missing == 0 || span.is_empty() {
            return None;
        }
        Some(Self {
            request: case.place.clone(),
            number: case.request.number.clone(),
            ours: case.place.origin == *here,
            line: line.line,
            kind: line.kind,
            missing,
            mode: line.mode,
            span,
            languages: line.languages.clone(),
            clearance: line.clearance,
            level: line.level,
            sectors: case.request.sectors.clone(),
            weight: weight(&case.request, line),
        })
    }

    /// Who asks.
    #[must_use]
    pub fn owner(&self) -> Country {
        self.request.origin.country()
    }

    fn words(&self) -> String {
        format!("{} line {}", self.number, self.line)
    }
}

/// What one unit of a line counts: its priority, then how severe it is, essential entities double (Reg. (EU) 2025/38
/// Art 16(3)), and fourfold where life or health is at risk.
fn weight(request: &Request, line: &RequestLine) -> u32 {
    let priority = u32::from(6_u8.saturating_sub(line.priority.clamp(1, 5)));
    let severity = match request.severity {
        None | Some(Severity::Incident) => 1,
        Some(Severity::Significant) => 2,
        Some(Severity::LargeScale) => 3,
    };
    let essential = if request.essential { 2 } else { 1 };
    let life = if request.life_at_risk { 4 } else { 1 };
    priority * severity * essential * life
}

/// Where help can come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// An own capacity: for what partners ask.
    Own(Box<CapacityCase>),
    /// A partner's published card: for what we ask.
    Card {
        /// Where it stands.
        place: Citation,
        /// What it says.
        card: Box<Card>,
    },
}

impl Source {
    /// Where it stands.
    #[must_use]
    pub const fn place(&self) -> &Citation {
        match self {
            Self::Own(own) => &own.place,
            Self::Card { place, .. } => place,
        }
    }
    /// Its name for people: of a partner's, its bands.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Own(own) => own.capacity.name.clone(),
            Self::Card { place, card } => format!("{}: {}", place.origin.country(), card.words()),
        }
    }
    const fn kind(&self) -> HelpKind {
        match self {
            Self::Own(own) => own.capacity.kind,
            Self::Card { card, .. } => card.kind,
        }
    }
}

/// Which capacity for which line, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairing {
    /// Which need, by its place in the list that was given.
    pub need: usize,
    /// Which source, by its place in the list that was given.
    pub source: usize,
    /// How many.
    pub quantity: u32,
    /// How the two fit.
    pub fit: Fit,
    /// Why this one, in words.
    pub why: String,
}

/// What nobody covers, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Which need, by its place in the list that was given.
    pub need: usize,
    /// How many are missing.
    pub quantity: u32,
    /// How many sources each constraint excluded; the first that does counts.
    pub excluded: BTreeMap<Exclusion, usize>,
    /// Why nobody, in words.
    pub why: String,
}

/// What is proposed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proposal {
    /// Who for what.
    pub pairings: Vec<Pairing>,
    /// What stays open.
    pub gaps: Vec<Gap>,
}

/// Proposes the best use of the sources for the needs, as things stand at `now`.
#[must_use]
pub fn propose(needs: &[Need], sources: &[Source], now: Timestamp) -> Proposal {
    let fits: Vec<Vec<Result<Fit, Exclusion>>> =
        needs.iter().map(|need| sources.iter().map(|source| fit(need, source, now)).collect()).collect();
    let kinds: BTreeSet<HelpKind> = needs.iter().map(|need| need.kind).collect();
    let mut units = BTreeMap::new();
    for kind in kinds {
        let of_kind = of_kind(kind, needs, sources);
        assign(&of_kind, needs, &fits, &mut units);
    }
    let mut serves = vec![Vec::new(); sources.len()];
    for (need, source) in units.keys() {
        serves[*source].push(*need);
    }
    let picture = Picture { needs, sources, fits: &fits, units: &units, serves };
    let mut proposal = Proposal::default();
    for ((need, source), quantity) in &units {
        let Ok(fit) = &fits[*need][*source] else { continue };
        let why = picture.why_this(*need, *source, fit);
        let fit = fit.clone();
        proposal.pairings.push(Pairing { need: *need, source: *source, quantity: *quantity, fit, why });
    }
    for (at, need) in needs.iter().enumerate() {
        let given: u32 = units.iter().filter(|((other, _), _)| *other == at).map(|(_, quantity)| *quantity).sum();
        if given < need.missing {
            proposal.gaps.push(picture.gap(at, need.missing - given));
        }
    }
    proposal
}

/// The needs and sources of one kind, each in an order that does not depend on that of the lists.
fn of_kind(kind: HelpKind, needs: &[Need], sources: &[Source]) -> (Vec<usize>, Vec<usize>) {
    let key = |place: &Citation| (place.origin.clone(), place.index);
    let mut some: Vec<usize> = (0..needs.len()).filter(|at| needs[*at].kind == kind).collect();
    some.sort_by_cached_key(|at| (key(&needs[*at].request), needs[*at].line));
    let mut have: Vec<usize> = (0..sources.len()).filter(|at| sources[*at].kind() == kind).collect();
    have.sort_by_cached_key(|at| key(sources[*at].place()));
    (some, have)
}

/// Units by need and source.
type Units = BTreeMap<(usize, usize), u32>;

/// Solves one kind of help. Where a source can give more to one need than to another (others have it in part of the time),
/// what goes to needs of at most a bound is together at most that bound: at any instant the free units are at least the
/// largest bound of the needs that run then, so nothing is booked beyond them.
fn assign(
    (some, have): &(Vec<usize>, Vec<usize>),
    needs: &[Need],
    fits: &[Vec<Result<Fit, Exclusion>>],
    units: &mut Units,
) {
    let mut flow = Flow::new(some.len());
    let start: Vec<usize> =
        some.iter().enumerate().map(|(node, at)| flow.supply(node, needs[*at].missing, needs[*at].weight)).collect();
    // By source and bound, the node of its chain.
    let mut links: Vec<BTreeMap<u32, usize>> = Vec::with_capacity(have.len());
    for source in have {
        let free = |need: &usize| fits[*need][*source].as_ref().ok().map(|fit| fit.free);
        let bounds: BTreeSet<u32> = some.iter().filter_map(free).collect();
        let chain = flow.chain(bounds.iter().copied());
        links.push(bounds.into_iter().zip(chain).collect());
    }
    // Need by need, and of each the best first: what is looked at together stands together, and most is left out early.
    let mut pairs: Vec<(Edge, usize, usize)> = Vec::new();
    for (node, need) in some.iter().enumerate() {
        let fitting = have.iter().zip(&links).filter_map(|(source, links)| {
            let fit = fits[*need][*source].as_ref().ok()?;
            Some((fit, links.get(&fit.free)?, source))
        });
        let mut fitting: Vec<_> = fitting.collect();
        fitting.sort_by_key(|(fit, ..)| (fit.minutes, fit.cents));
        for (fit, link, source) in fitting {
            let edge = flow.pair(start[node], *link, fit.free, fit.minutes, fit.cents);
            pairs.push((edge, *need, *source));
        }
    }
    flow.solve();
    for (edge, need, source) in pairs {
        let quantity = flow.through(edge);
        if quantity > 0 {
            units.insert((need, source), quantity);
        }
    }
}

/// What the words are made of.
struct Picture<'a> {
    needs: &'a [Need],
    sources: &'a [Source],
    fits: &'a [Vec<Result<Fit, Exclusion>>],
    units: &'a Units,
    /// The needs that each source serves.
    serves: Vec<Vec<usize>>,
}

impl Picture<'_> {
    fn why_this(&self, need: usize, source: usize, fit: &Fit) -> String {
        let others = self.fits[need].iter().enumerate().filter(|(at, _)| *at != source);
        let others: Vec<(usize, &Fit)> =
            others.filter_map(|(at, fit)| fit.as_ref().ok().map(|fit| (at, fit))).collect();
        let mut words = if others.is_empty() {
            format!("the only one of {} that fits", self.sources.len())
        } else {
            let sooner: Vec<usize> = others
                .iter()
                .filter(|(at, other)| {
                    (other.minutes, other.cents) < (fit.minutes, fit.cents) && !self.units.contains_key(&(need, *at))
                })
                .map(|(at, _)| *at)
                .collect();
            let many = others.len() + 1;
            if sooner.is_empty() {
                let tie = others.iter().any(|(_, other)| other.minutes == fit.minutes);
                format!("of {many} that fit, it arrives first{}", if tie { " and costs least" } else { "" })
            } else {
                let gone = self.gone(need, &sooner);
                format!("of {many} that fit, {} would be sooner or cheaper{gone}", sooner.len())
            }
        };
        for ask in &fit.ask {
            words.push_str("; ");
            words.push_str(ask);
        }
        words
    }

    /// Where some sources go instead.
    fn gone(&self, need: usize, which: &[usize]) -> String {
        let others = which.iter().flat_map(|source| &self.serves[*source]).filter(|other| **other != need);
        let others: BTreeSet<usize> = others.copied().collect();
        let lines: BTreeSet<String> = others.into_iter().map(|other| self.needs[other].words()).collect();
        if lines.is_empty() {
            return String::new();
        }
        let some: Vec<&str> = lines.iter().take(3).map(String::as_str).collect();
        let more = if lines.len() > some.len() { " and others" } else { "" };
        format!(" and {} to {}{more}", if which.len() == 1 { "goes" } else { "go" }, some.join(", "))
    }

    fn gap(&self, need: usize, quantity: u32) -> Gap {
        let mut excluded: BTreeMap<Exclusion, usize> = BTreeMap::new();
        let mut fitting = Vec::new();
        for (at, fit) in self.fits[need].iter().enumerate() {
            match fit {
                Ok(_) => fitting.push(at),
                Err(why) => *excluded.entry(*why).or_default() += 1,
            }
        }
        let mut parts: Vec<String> = excluded.iter().map(|(why, many)| format!("{many} {why}")).collect();
        if !fitting.is_empty() {
            let gone = self.gone(need, &fitting);
            let all = if gone.is_empty() { " and give all they have" } else { "" };
            let verb = if fitting.len() == 1 { "fits" } else { "fit" };
            parts.push(format!("{} {verb}{all}{gone}", fitting.len()));
        }
        let asked = self.needs[need].missing;
        let why = if parts.is_empty() {
            format!("{quantity} of {asked} open: there is no capacity to look at")
        } else {
            format!("{quantity} of {asked} open: of {} capacities, {}", self.sources.len(), parts.join(", "))
        };
        Gap { need, quantity, excluded, why }
    }
}

#[cfg(test)]
mod tests;
