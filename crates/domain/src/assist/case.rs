//! One call for help with everything that was answered to it: the joint state of all logs that speak in it.

use std::collections::{BTreeMap, BTreeSet};

use model::extension::Extension;
use model::extension::assistance::{
    Acknowledgement, AgreedLine, Agreement, AgreementStep, Answer, Line, Mandate, MandateHelpers, Mission,
    MissionPhase, Offer, OfferLine, RelayWay, Relayed, RelayedWord, Request, RequestLine, RequestPhase,
};
use model::{Citation, Index, Origin, StixId, Timestamp};

use super::agreement::{self, Notice, State, Step};
use super::mandate::{self, MandateCase};
use super::{Heard, InvalidTransition, Word, mission};

/// A call for help as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Where its newest version stands.
    pub place: Citation,
    /// Its newest version.
    pub request: Request,
    /// How many versions there were.
    pub versions: usize,
    /// The answers, by provider, in the order of their logs.
    pub offers: Vec<OfferCase>,
    /// Who has said that somebody is awake for it, in the order of origins.
    pub awake: Vec<Awake>,
    /// Statements that change nothing, and why.
    pub unfit: Vec<(Citation, InvalidTransition)>,
    /// Places that are cited and that this node does not hold: what is shown is then not the whole.
    pub missing: BTreeSet<(Origin, Index)>,
}

/// Somebody of a partner is awake for the call for help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awake {
    /// Where the partner says so.
    pub place: Citation,
    /// Since when.
    pub at: Timestamp,
}

/// One provider's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferCase {
    /// Where its newest version stands.
    pub place: Citation,
    /// Its newest version.
    pub offer: Offer,
    /// Lines whose need has changed since it was offered: to be confirmed again.
    pub stale: BTreeSet<Line>,
    /// What the requester has accepted of it, in the order of the requester's log.
    pub agreements: Vec<AgreementCase>,
    /// Of a partner without a node: who took its newest answer down, and how. Then the order of the requester's log decides,
    /// because the partner has none.
    pub relayed: Option<RelayedBy>,
}

/// How a partner without a node gave its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayedBy {
    /// The name that stands for the partner in audiences.
    pub partner: Origin,
    /// Its name for people.
    pub name: String,
    /// By which way.
    pub way: RelayWay,
    /// Who said it there.
    pub said_by: String,
    /// When.
    pub said_at: Timestamp,
    /// Who took it down.
    pub taken_by: String,
}

impl RelayedBy {
    fn of(said: &Relayed) -> Self {
        Self {
            partner: said.partner.clone(),
            name: said.partner_name.clone(),
            way: said.way,
            said_by: said.said_by.clone(),
            said_at: said.said_at,
            taken_by: said.taken_by.clone(),
        }
    }
}

/// One acceptance and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AgreementCase {
    /// Where the acceptance stands.
    pub place: Citation,
    /// What was accepted.
    pub lines: Vec<AgreedLine>,
    /// What was settled beyond the offer.
    pub terms: Option<String>,
    /// Does paper follow?
    pub emergency: bool,
    /// Where it stands by the provider's log.
    pub state: State,
    /// Where the provider's countersignature stands.
    pub signed: Option<Citation>,
    /// Where the requester's retraction stands.
    pub retraction: Option<Citation>,
    /// Who is on the case.
    pub mission: Option<MissionCase>,
    /// What helpers may touch, in the order in which it was drafted.
    pub mandates: Vec<MandateCase>,
}

/// A mission as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct MissionCase {
    /// Where its newest version stands.
    pub place: Citation,
    /// Its newest version that has effect.
    pub mission: Mission,
    /// When somebody was first on the case.
    pub on_task: Option<Timestamp>,
}

/// Where a request stands at a moment: what its owner says, and what time alone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// As its owner says.
    Said(RequestPhase),
    /// Its time is over; the owner has not closed it.
    Lapsed,
}

/// What is asked, offered and agreed of one line. Counters are derived, never states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Wanted.
    pub asked: u32,
    /// Offered by those who still offer, without what is agreed already.
    pub offered: u32,
    /// Accepted, and not answered yet.
    pub accepted: u32,
    /// In force.
    pub committed: u32,
    /// Done.
    pub fulfilled: u32,
}

impl AgreementCase {
    /// Who wants out of it, while it is in force.
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        match (self.state, &self.retraction) {
            (State::InForce { recalled: true }, _) => Some(Notice::Provider),
            (State::InForce { recalled: false }, Some(_)) => Some(Notice::Requester),
            (
                State::InForce { recalled: false }
                | State::Proposed
                | State::Declined
                | State::Lapsed
                | State::Retracted
                | State::Ended { .. },
                _,
            ) => None,
        }
    }

    fn of(&self, line: Line) -> u32 {
        self.lines.iter().filter(|agreed| agreed.line == line).map(|agreed| u32::from(agreed.quantity)).sum()
    }
}

impl OfferCase {
    /// Whose offer.
    #[must_use]
    pub fn provider(&self) -> &Origin {
        self.relayed.as_ref().map_or(&self.place.origin, |by| &by.partner)
    }

    /// Can it be accepted at that moment?
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.offer.answer == Answer::Yes && now < self.offer.valid_until
    }

    /// What is still to be had of one line: what is offered, without what is in force or accepted.
    #[must_use]
    pub fn left(&self, line: Line) -> u32 {
        if self.offer.answer != Answer::Yes {
            return 0;
        }
        offered(&self.offer, line).saturating_sub(self.taken(line, |state| state == State::Proposed || holds(state)))
    }

    fn taken(&self, line: Line, counts: impl Fn(State) -> bool) -> u32 {
        self.agreements.iter().filter(|agreed| counts(agreed.state)).map(|agreed| agreed.of(line)).sum()
    }
}

/// Does it still take from the offer? What was fulfilled has used it up; what was terminated gives it back.
const fn holds(state: State) -> bool {
    matches!(state, State::InForce { .. } | State::Ended { fulfilled: true })
}

fn offered(offer: &Offer, line: Line) -> u32 {
    offer.lines.iter().find(|other| other.line == line).map_or(0, |line| u32::from(line.quantity))
}

impl Case {
    /// Where the request stands at a moment.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> RequestState {
        match self.request.phase {
            RequestPhase::Open | RequestPhase::Anticipated if now >= self.request.expires => RequestState::Lapsed,
            phase @ (RequestPhase::Open
            | RequestPhase::Anticipated
            | RequestPhase::Closed
            | RequestPhase::Withdrawn) => RequestState::Said(phase),
        }
    }

    /// What is asked, offered and agreed of a line at a moment.
    #[must_use]
    pub fn coverage(&self, line: &RequestLine, now: Timestamp) -> Coverage {
        let mut sum = Coverage { asked: line.quantity.into(), ..Coverage::default() };
        for offer in &self.offers {
            if offer.is_open(now) {
                sum.offered += offer.left(line.line);
            }
            sum.accepted += offer.taken(line.line, |state| state == State::Proposed);
            sum.committed += offer.taken(line.line, State::is_in_force);
            sum.fulfilled += offer.taken(line.line, |state| state == State::Ended { fulfilled: true });
        }
        sum
    }

    /// Is nobody missing for any line, as far as what is in force or done says?
    #[must_use]
    pub fn is_covered(&self, now: Timestamp) -> bool {
        self.request.lines.iter().all(|line| {
            let have = self.coverage(line, now);
            have.committed + have.fulfilled >= have.asked
        })
    }
}

/// The joint state of one call for help from everything that is heard of it, in any order.
/// `None` if no version of the request itself is among it.
#[must_use]
pub fn fold(heard: &[Heard]) -> Option<Case> {
    let sorted = in_order(heard);
    let mut case = newest_request(&sorted)?;
    let owner = case.place.origin.clone();
    let requests = requests_by_place(&sorted, &owner, &case.request.common.id);
    let acceptances: Vec<(&Citation, &Agreement)> = sorted
        .values()
        .filter(|one| one.place.origin == owner)
        .filter_map(|one| match &one.word {
            Word::Agreement(said) => Some((&one.place, said)),
            Word::Request(_)
            | Word::Offer(_)
            | Word::Mission(_)
            | Word::Mandate(_)
            | Word::Helpers(_)
            | Word::Room(_)
            | Word::Acknowledgement(_)
            | Word::Relayed(_) => None,
        })
        .collect();
    let providers: BTreeSet<&Origin> = sorted.values().map(|one| &one.place.origin).collect();
    for provider in providers {
        let own: Vec<&Heard> = sorted.values().filter(|one| one.place.origin == *provider).copied().collect();
        let mut reading = Reading {
            case: &mut case,
            requests: &requests,
            acceptances: &acceptances,
            versions: BTreeMap::new(),
            id: None,
            offer: None,
            relayed: None,
        };
        for one in own {
            reading.one(one);
        }
        let offer = reading.offer.take();
        case.offers.extend(offer);
    }
    for (_, said) in relayed(&sorted, &mut case) {
        let mut reading = Reading {
            case: &mut case,
            requests: &requests,
            acceptances: &acceptances,
            versions: BTreeMap::new(),
            id: None,
            offer: None,
            relayed: None,
        };
        for (place, one) in said {
            reading.relayed(place, one);
        }
        let offer = reading.offer.take();
        case.offers.extend(offer);
    }
    mandate::fold(&mut case, sorted.values().copied());
    note_strays(&mut case, &acceptances);
    Some(case)
}

/// What partners without a node said, by partner, in the order in which it was taken down. Only whoever asks takes it down,
/// and for nobody who speaks in the case with a log of its own.
fn relayed<'a>(
    sorted: &BTreeMap<(&Origin, Index), &'a Heard>,
    case: &mut Case,
) -> BTreeMap<&'a Origin, Vec<(&'a Citation, &'a Relayed)>> {
    let mut said: BTreeMap<&Origin, Vec<(&Citation, &Relayed)>> = BTreeMap::new();
    for one in sorted.values() {
        let Word::Relayed(word) = &one.word else { continue };
        let speaks = sorted.keys().any(|(origin, _)| **origin == word.partner);
        if one.place.origin == case.place.origin && !speaks {
            said.entry(&word.partner).or_default().push((&one.place, word));
        } else {
            case.unfit.push((one.place.clone(), InvalidTransition::NotYours));
        }
    }
    said
}

/// Statements by log and place; the same one heard twice stands once.
fn in_order(heard: &[Heard]) -> BTreeMap<(&Origin, Index), &Heard> {
    heard.iter().map(|one| ((&one.place.origin, one.place.index), one)).collect()
}

/// The newest version of the request, which is that of the log that speaks of it first: a case is of one request.
fn newest_request(sorted: &BTreeMap<(&Origin, Index), &Heard>) -> Option<Case> {
    let mut newest: Option<(&Citation, &Request)> = None;
    let mut versions = 0;
    for one in sorted.values() {
        let Word::Request(request) = &one.word else { continue };
        if newest.is_none_or(|(place, known)| place.origin == one.place.origin && known.common.id == request.common.id)
        {
            newest = Some((&one.place, request));
            versions += 1;
        }
    }
    newest.map(|(place, request)| Case {
        place: place.clone(),
        request: request.clone(),
        versions,
        offers: Vec::new(),
        awake: Vec::new(),
        unfit: Vec::new(),
        missing: BTreeSet::new(),
    })
}

type Requests<'a> = BTreeMap<Index, &'a Request>;

fn requests_by_place<'a>(sorted: &BTreeMap<(&Origin, Index), &'a Heard>, owner: &Origin, id: &StixId) -> Requests<'a> {
    let versions = sorted.values().filter(|one| one.place.origin == *owner).filter_map(|one| match &one.word {
        Word::Request(request) if request.common.id == *id => Some((one.place.index, request)),
        Word::Request(_)
        | Word::Offer(_)
        | Word::Agreement(_)
        | Word::Mission(_)
        | Word::Mandate(_)
        | Word::Helpers(_)
        | Word::Room(_)
        | Word::Acknowledgement(_)
        | Word::Relayed(_) => None,
    });
    versions.collect()
}

/// Acceptances that answer no offer that is here.
fn note_strays(case: &mut Case, acceptances: &[(&Citation, &Agreement)]) {
    let known: BTreeSet<Index> =
        case.offers.iter().flat_map(|offer| &offer.agreements).map(|agreed| agreed.place.index).collect();
    let told: BTreeSet<Citation2> = case.unfit.iter().map(|(place, _)| key(place)).collect();
    for (place, said) in acceptances {
        if matches!(said.step, AgreementStep::Accept { .. })
            && !known.contains(&place.index)
            && !told.contains(&key(place))
        {
            case.missing.insert((said.answers.origin.clone(), said.answers.index));
        }
    }
}

type Citation2 = (Origin, Index);

fn key(place: &Citation) -> Citation2 {
    (place.origin.clone(), place.index)
}

/// Reading one provider's log from its beginning.
struct Reading<'a> {
    case: &'a mut Case,
    requests: &'a Requests<'a>,
    acceptances: &'a [(&'a Citation, &'a Agreement)],
    /// Versions of the offer by place: what an acceptance cites.
    versions: BTreeMap<Index, Citation>,
    /// The id of the provider's offer: one a provider.
    id: Option<StixId>,
    offer: Option<OfferCase>,
    /// Who took down the statement that is read, if the partner has no node.
    relayed: Option<RelayedBy>,
}

impl Reading<'_> {
    fn one(&mut self, one: &Heard) {
        let done = match &one.word {
            // The case room is read beside the case (`room`), and mandates when all agreements are known.
            Word::Request(_) | Word::Room(_) | Word::Mandate(_) | Word::Helpers(_) | Word::Relayed(_) => Ok(()),
            Word::Offer(offer) => self.offer(&one.place, offer),
            Word::Agreement(said) => self.step(&one.place, said),
            Word::Mission(mission) => self.mission(&one.place, mission),
            Word::Acknowledgement(said) => self.awake(&one.place, said),
        };
        if let Err(why) = done {
            self.case.unfit.push((one.place.clone(), why));
        }
    }

    fn relayed(&mut self, place: &Citation, said: &Relayed) {
        self.relayed = Some(RelayedBy::of(said));
        let done = match &said.said {
            RelayedWord::Offer(offer) => self.offer(place, &offer.to_offer(&said.common, &said.answers)),
            RelayedWord::Agreement(step) => {
                let (common, answers) = (said.common.clone(), said.answers.clone());
                self.step(place, &Agreement { common, answers, step: step.clone() })
            }
        };
        if let Err(why) = done {
            self.case.unfit.push((place.clone(), why));
        }
    }

    fn awake(&mut self, place: &Citation, said: &Acknowledgement) -> Result<(), InvalidTransition> {
        if place.origin == self.case.place.origin {
            return Err(InvalidTransition::NotYours);
        }
        if self.case.awake.iter().any(|known| known.place.origin == place.origin) {
            return Err(InvalidTransition::Twice);
        }
        if said.answers.origin != self.case.place.origin || !self.requests.contains_key(&said.answers.index) {
            self.case.missing.insert((said.answers.origin.clone(), said.answers.index));
        }
        self.case.awake.push(Awake { place: place.clone(), at: said.at });
        Ok(())
    }

    fn offer(&mut self, place: &Citation, offer: &Offer) -> Result<(), InvalidTransition> {
        if place.origin == self.case.place.origin && self.relayed.is_none() {
            return Err(InvalidTransition::NotYours);
        }
        if self.id.as_ref().is_some_and(|id| *id != offer.common.id) {
            return Err(InvalidTransition::Twice);
        }
        let answered =
            self.requests.get(&offer.request.index).filter(|_| offer.request.origin == self.case.place.origin);
        if answered.is_none() {
            self.case.missing.insert((offer.request.origin.clone(), offer.request.index));
        }
        let stale = answered.map_or_else(BTreeSet::new, |answered| stale(answered, &self.case.request, &offer.lines));
        self.id = Some(offer.common.id.clone());
        self.versions.insert(place.index, place.clone());
        let agreements = self.offer.take().map_or_else(Vec::new, |known| known.agreements);
        let relayed = self.relayed.clone();
        let mut next = OfferCase { place: place.clone(), offer: offer.clone(), stale, agreements, relayed };
        if offer.answer == Answer::Withdrawn || offer.answer == Answer::No {
            for agreed in &mut next.agreements {
                if let Ok(state) = agreement::apply(agreed.state, Step::OfferWithdrawn) {
                    agreed.state = state;
                }
            }
        }
        self.offer = Some(next);
        self.accepted(place);
        Ok(())
    }

    /// Takes up what the requester accepted of a version of the offer.
    fn accepted(&mut self, version: &Citation) {
        let Some(offer) = &mut self.offer else { return };
        for (place, said) in self.acceptances {
            let AgreementStep::Accept { lines, terms, emergency } = &said.step else { continue };
            if said.answers != *version {
                continue;
            }
            if lines.iter().any(|agreed| u32::from(agreed.quantity) > offered(&offer.offer, agreed.line)) {
                let unknown = lines.iter().any(|agreed| offered(&offer.offer, agreed.line) == 0);
                let why = if unknown { InvalidTransition::NoSuchLine } else { InvalidTransition::BeyondOffer };
                self.case.unfit.push(((*place).clone(), why));
                continue;
            }
            let retraction = self
                .acceptances
                .iter()
                .find(|(_, other)| other.answers == **place && matches!(other.step, AgreementStep::Retract { .. }));
            offer.agreements.push(AgreementCase {
                place: (*place).clone(),
                lines: lines.clone(),
                terms: terms.clone(),
                emergency: *emergency,
                state: State::Proposed,
                signed: None,
                retraction: retraction.map(|(place, _)| (*place).clone()),
                mission: None,
                mandates: Vec::new(),
            });
        }
        offer.agreements.sort_by_key(|agreed| agreed.place.index);
    }

    fn step(&mut self, place: &Citation, said: &Agreement) -> Result<(), InvalidTransition> {
        let step = match &said.step {
            AgreementStep::Accept { .. } | AgreementStep::Retract { .. } => {
                return if place.origin == self.case.place.origin { Ok(()) } else { Err(InvalidTransition::NotYours) };
            }
            AgreementStep::Countersign => Step::Countersign,
            AgreementStep::Decline { .. } => Step::Decline,
            AgreementStep::Acknowledge => Step::Acknowledge,
            AgreementStep::End { fulfilled, .. } => Step::End { fulfilled: *fulfilled },
        };
        let Some(at) = self.agreement(&said.answers, step) else {
            self.case.missing.insert((said.answers.origin.clone(), said.answers.index));
            return Ok(());
        };
        let Some(offer) = &mut self.offer else { return Err(InvalidTransition::Misplaced) };
        let next = agreement::apply(offer.agreements[at].state, step)?;
        if step == Step::Countersign && !fits(offer, at) {
            return Err(InvalidTransition::BeyondOffer);
        }
        let agreed = &mut offer.agreements[at];
        agreed.state = next;
        if step == Step::Countersign {
            agreed.signed = Some(place.clone());
        }
        Ok(())
    }

    /// Which acceptance a step answers. An acknowledgement cites the retraction; everything else the acceptance.
    fn agreement(&self, answers: &Citation, step: Step) -> Option<usize> {
        let agreements = &self.offer.as_ref()?.agreements;
        agreements.iter().position(|agreed| match step {
            Step::Acknowledge => agreed.retraction.as_ref() == Some(answers),
            Step::Countersign | Step::Decline | Step::OfferWithdrawn | Step::End { .. } => agreed.place == *answers,
        })
    }

    fn mission(&mut self, place: &Citation, said: &Mission) -> Result<(), InvalidTransition> {
        let Some(at) = self.agreement(&said.agreement, Step::Countersign) else {
            self.case.missing.insert((said.agreement.origin.clone(), said.agreement.index));
            return Ok(());
        };
        let Some(offer) = &mut self.offer else { return Err(InvalidTransition::Misplaced) };
        let agreed = &mut offer.agreements[at];
        let on_task = (said.phase == MissionPhase::OnTask).then_some(said.common.modified);
        match &mut agreed.mission {
            // What has ended can still be reported on, and no new mission begins under it.
            None if !agreed.state.is_in_force() => Err(InvalidTransition::NotInForce),
            None => {
                mission::next(MissionPhase::Ordered, said.phase)?;
                agreed.mission = Some(MissionCase { place: place.clone(), mission: said.clone(), on_task });
                Ok(())
            }
            Some(known) if known.mission.common.id != said.common.id => Err(InvalidTransition::Twice),
            Some(known) => {
                mission::next(known.mission.phase, said.phase)?;
                *known =
                    MissionCase { place: place.clone(), mission: said.clone(), on_task: known.on_task.or(on_task) };
                Ok(())
            }
        }
    }
}

/// Is there room for what is to be signed, beside what is signed already?
fn fits(offer: &OfferCase, at: usize) -> bool {
    let agreed = &offer.agreements[at];
    agreed
        .lines
        .iter()
        .all(|line| offer.taken(line.line, holds) + u32::from(line.quantity) <= offered(&offer.offer, line.line))
}

/// The lines of an offer whose need is another now.
fn stale(answered: &Request, newest: &Request, offered: &[OfferLine]) -> BTreeSet<Line> {
    let need = |request: &Request, line: Line| request.lines.iter().find(|need| need.line == line).cloned();
    offered.iter().map(|line| line.line).filter(|line| need(answered, *line) != need(newest, *line)).collect()
}

/// The type names of a case's statements.
pub const TYPES: [&str; 8] = [
    Request::KIND,
    Offer::KIND,
    Agreement::KIND,
    Mission::KIND,
    Acknowledgement::KIND,
    Mandate::KIND,
    MandateHelpers::KIND,
    Relayed::KIND,
];
