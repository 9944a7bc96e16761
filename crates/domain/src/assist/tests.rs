//! One nation asks, two answer, and statements cross: each acts on what it holds, and what it holds lags behind.

use std::collections::BTreeMap;

use model::extension::assistance::{
    AgreedLine, Agreement, AgreementStep, Answer, Funding, HelpKind, LegalBasis, Line, Mission, MissionPhase, Mode,
    Offer, OfferLine, Payer, Quantity, Request, RequestLine, RequestPhase,
};
use model::extension::{Common, Extension};
use model::{Citation, Commitment, Index, Origin, Timestamp};
use proptest::prelude::*;

use super::agreement::State;
use super::case::{self, Case, RequestState};
use super::{Heard, InvalidTransition, Word};

mod room;

pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

pub(super) fn origin(country: &str) -> Origin {
    format!("entraide/{country}/REAL/0123456789abcdef").parse().unwrap()
}

pub(super) fn common(kind: &str, owner: &Origin, number: u8) -> Common {
    Common::new(kind, [number; 16], owner, NOW).unwrap()
}

pub(super) fn line(number: u16) -> Line {
    Line::try_from(number).unwrap()
}

pub(super) fn quantity(number: u32) -> Quantity {
    Quantity::try_from(number).unwrap()
}

pub(super) fn request(wanted: u32, phase: RequestPhase) -> Request {
    Request {
        common: common("x-entraide-assistance-request", &origin("FR"), 1),
        number: "FR-2026-001".into(),
        title: "Hospital group encrypted; forensics wanted".into(),
        phase,
        call: "CERT-FR duty, +33 1 00 00 00 00".into(),
        by_when: NOW.plus_seconds(3_600),
        basis: LegalBasis::CsirtsNetwork,
        funding: Funding::Own,
        life_at_risk: true,
        emergency: false,
        severity: None,
        essential: false,
        sectors: Vec::new(),
        situation: None,
        mitigation: None,
        answer_by: None,
        expires: NOW.plus_seconds(86_400),
        lines: vec![RequestLine {
            line: line(1),
            kind: HelpKind::Forensics,
            quantity: quantity(wanted),
            mode: Mode::Remote,
            place: None,
            from: None,
            until: None,
            languages: vec!["en".into()],
            clearance: None,
            level: None,
            priority: 1,
            planned_use: None,
        }],
    }
}

pub(super) fn offer(by: &Origin, cites: &Citation, answer: Answer, many: u32) -> Offer {
    let lines = OfferLine {
        line: line(1),
        quantity: quantity(many),
        mode: Mode::Remote,
        from: None,
        until: None,
        conditions: None,
        draws: Vec::new(),
    };
    Offer {
        common: common("x-entraide-assistance-offer", by, 2),
        request: cites.clone(),
        answer,
        call: "duty".into(),
        payer: Payer::Provider,
        recall_hours: Some(24),
        valid_until: NOW.plus_seconds(7_200),
        note: None,
        lines: if answer == Answer::Yes { vec![lines] } else { Vec::new() },
    }
}

pub(super) fn agreement(by: &Origin, answers: &Citation, step: AgreementStep) -> Word {
    let common = common("x-entraide-assistance-agreement", by, 3);
    Word::Agreement(Agreement { common, answers: answers.clone(), step })
}

pub(super) fn accept(by: &Origin, of: &Citation, many: u32) -> Word {
    let lines = vec![AgreedLine { line: line(1), quantity: quantity(many) }];
    agreement(by, of, AgreementStep::Accept { lines, terms: None, emergency: false })
}

pub(super) fn mission(by: &Origin, under: &Citation, phase: MissionPhase) -> Word {
    Word::Mission(Mission {
        common: common("x-entraide-mission", by, 4),
        agreement: under.clone(),
        phase,
        leader: "lead".into(),
        report: Some("done".into()),
        hours: 1,
        cost_cents: 0,
    })
}

/// Logs, and how much of each log each nation holds.
struct World {
    logs: BTreeMap<Origin, Vec<Heard>>,
    held: BTreeMap<(Origin, Origin), usize>,
}

impl World {
    fn new() -> Self {
        Self { logs: BTreeMap::new(), held: BTreeMap::new() }
    }

    fn say(&mut self, by: &Origin, word: Word) -> Citation {
        let log = self.logs.entry(by.clone()).or_default();
        let number = u8::try_from(log.len()).unwrap();
        let place =
            Citation { origin: by.clone(), index: Index(log.len() as u64), commitment: Commitment::new([number; 32]) };
        log.push(Heard { place: place.clone(), word });
        place
    }

    fn sync(&mut self, to: &Origin, from: &Origin, many: usize) {
        let all = self.logs.get(from).map_or(0, Vec::len);
        let held = self.held.entry((to.clone(), from.clone())).or_default();
        *held = (*held + many).min(all);
    }

    /// What a nation holds, its own log whole.
    fn view(&self, of: &Origin) -> Vec<Heard> {
        let mut all = Vec::new();
        for (origin, log) in &self.logs {
            let held = if origin == of {
                log.len()
            } else {
                self.held.get(&(of.clone(), origin.clone())).copied().unwrap_or(0)
            };
            all.extend(log[..held].iter().cloned());
        }
        all
    }

    fn case(&self, of: &Origin) -> Option<Case> {
        case::fold(&self.view(of))
    }
}

/// One move, drawn by proptest. Who cannot make it as things stand for it does nothing.
#[derive(Debug, Clone, Copy)]
enum Move {
    Ask(u8),
    Offer(u8, u8),
    TakeBack(u8),
    Accept(u8, u8),
    Retract(u8),
    Sign(u8),
    Decline(u8),
    Acknowledge(u8),
    End(u8, bool),
    Work(u8, u8),
    Hear(u8, u8),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        1 => (1_u8..4).prop_map(Move::Ask),
        3 => (0_u8..2, 1_u8..4).prop_map(|(who, many)| Move::Offer(who, many)),
        1 => (0_u8..2).prop_map(Move::TakeBack),
        3 => (0_u8..2, 1_u8..4).prop_map(|(who, many)| Move::Accept(who, many)),
        1 => (0_u8..4).prop_map(Move::Retract),
        3 => (0_u8..2).prop_map(Move::Sign),
        1 => (0_u8..2).prop_map(Move::Decline),
        1 => (0_u8..2).prop_map(Move::Acknowledge),
        1 => (0_u8..2, any::<bool>()).prop_map(|(who, fulfilled)| Move::End(who, fulfilled)),
        2 => (0_u8..2, 0_u8..6).prop_map(|(who, phase)| Move::Work(who, phase)),
        6 => (0_u8..6, 1_u8..3).prop_map(|(pair, many)| Move::Hear(pair, many)),
    ];
    proptest::collection::vec(one, 1..60)
}

const PHASES: [MissionPhase; 6] = [
    MissionPhase::Ordered,
    MissionPhase::Travelling,
    MissionPhase::OnTask,
    MissionPhase::Handover,
    MissionPhase::Reporting,
    MissionPhase::Closed,
];

/// Makes a move without asking whether it is allowed, as a hostile or hasty node would: the fold must cope.
fn play(world: &mut World, one: Move) {
    let fr = origin("FR");
    let providers = [origin("EE"), origin("LV")];
    let who = |number: u8| providers[usize::from(number)].clone();
    let own = |case: &Case, by: &Origin| case.offers.iter().find(|offer| offer.provider() == by).cloned();
    let newest = |world: &World, by: &Origin| {
        let offer = own(&world.case(by)?, by)?;
        offer.agreements.last().cloned()
    };
    match one {
        Move::Ask(many) => {
            world.say(&fr, Word::Request(request(many.into(), RequestPhase::Open)));
        }
        Move::Offer(by, many) => {
            let by = who(by);
            if let Some(case) = world.case(&by) {
                world.say(&by, Word::Offer(offer(&by, &case.place, Answer::Yes, many.into())));
            }
        }
        Move::TakeBack(by) => {
            let by = who(by);
            if let Some(case) = world.case(&by) {
                world.say(&by, Word::Offer(offer(&by, &case.place, Answer::Withdrawn, 1)));
            }
        }
        Move::Accept(of, many) => {
            if let Some(known) = world.case(&fr).and_then(|case| own(&case, &who(of))) {
                world.say(&fr, accept(&fr, &known.place, many.into()));
            }
        }
        Move::Retract(which) => {
            let Some(case) = world.case(&fr) else { return };
            let all: Vec<Citation> =
                case.offers.iter().flat_map(|offer| &offer.agreements).map(|agreed| agreed.place.clone()).collect();
            if let Some(place) = all.get(usize::from(which)) {
                world.say(&fr, agreement(&fr, place, AgreementStep::Retract { reason: None }));
            }
        }
        Move::Sign(by) => {
            let by = who(by);
            if let Some(agreed) = newest(world, &by) {
                world.say(&by, agreement(&by, &agreed.place, AgreementStep::Countersign));
            }
        }
        Move::Decline(by) => {
            let by = who(by);
            if let Some(agreed) = newest(world, &by) {
                world.say(&by, agreement(&by, &agreed.place, AgreementStep::Decline { reason: None }));
            }
        }
        Move::Acknowledge(by) => {
            let by = who(by);
            if let Some(place) = newest(world, &by).and_then(|agreed| agreed.retraction) {
                world.say(&by, agreement(&by, &place, AgreementStep::Acknowledge));
            }
        }
        Move::End(by, fulfilled) => {
            let by = who(by);
            if let Some(agreed) = newest(world, &by) {
                world.say(&by, agreement(&by, &agreed.place, AgreementStep::End { fulfilled, reason: None }));
            }
        }
        Move::Work(by, phase) => {
            let by = who(by);
            if let Some(agreed) = newest(world, &by) {
                world.say(&by, mission(&by, &agreed.place, PHASES[usize::from(phase)]));
            }
        }
        Move::Hear(pair, many) => {
            let nations = [fr, providers[0].clone(), providers[1].clone()];
            let (to, from) = [(0, 1), (0, 2), (1, 0), (2, 0), (1, 2), (2, 1)][usize::from(pair)];
            world.sync(&nations[to], &nations[from], many.into());
        }
    }
}

fn signatures_come_first(case: &Case) {
    for agreed in case.offers.iter().flat_map(|offer| &offer.agreements) {
        assert_eq!(agreed.signed.is_some(), matches!(agreed.state, State::InForce { .. } | State::Ended { .. }));
        assert!(agreed.mission.is_none() || agreed.signed.is_some(), "a mission without a signature");
    }
}

fn of_line(lines: &[AgreedLine]) -> u32 {
    lines.iter().map(|agreed| u32::from(agreed.quantity)).sum()
}

/// Reads a provider's log entry by entry: whenever a signature takes effect, what holds by then was offered by then.
fn nothing_is_signed_beyond_what_is_offered(world: &World, provider: &Origin) {
    let fr = origin("FR");
    let own = world.logs.get(provider).map_or(&[][..], Vec::as_slice);
    let mut in_force_before = Vec::new();
    for end in 1..=own.len() {
        let heard: Vec<Heard> = world.logs[&fr].iter().chain(&own[..end]).cloned().collect();
        let case = case::fold(&heard).unwrap();
        let Some(known) = case.offers.first() else { continue };
        let in_force: Vec<Index> =
            known.agreements.iter().filter(|one| one.state.is_in_force()).map(|one| one.place.index).collect();
        if in_force.iter().any(|index| !in_force_before.contains(index)) {
            let newest = own[..end].iter().rev().find_map(|one| match &one.word {
                Word::Offer(offer) => Some(offer.lines.iter().map(|line| u32::from(line.quantity)).sum::<u32>()),
                Word::Request(_) | Word::Agreement(_) | Word::Mission(_) | Word::Room(_) | Word::Acknowledgement(_) => {
                    None
                }
            });
            let held = known
                .agreements
                .iter()
                .filter(|one| matches!(one.state, State::InForce { .. } | State::Ended { fulfilled: true }));
            let held: u32 = held.map(|one| of_line(&one.lines)).sum();
            assert!(held <= newest.unwrap(), "{held} signed of {newest:?}");
        }
        in_force_before = in_force;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn however_statements_cross_all_nodes_end_alike(moves in moves(), shuffle in any::<u64>()) {
        let mut world = World::new();
        let nations = [origin("FR"), origin("EE"), origin("LV")];
        world.say(&nations[0], Word::Request(request(2, RequestPhase::Open)));
        for one in moves {
            play(&mut world, one);
            for nation in &nations {
                world.case(nation).iter().for_each(signatures_come_first);
            }
        }
        for to in &nations {
            for from in &nations {
                world.sync(to, from, usize::MAX / 2);
            }
        }
        let cases: Vec<Case> = nations.iter().map(|nation| world.case(nation).unwrap()).collect();
        prop_assert_eq!(&cases[0], &cases[1]);
        prop_assert_eq!(&cases[1], &cases[2]);
        nothing_is_signed_beyond_what_is_offered(&world, &nations[1]);
        nothing_is_signed_beyond_what_is_offered(&world, &nations[2]);
        // Order of arrival and doubling change nothing.
        let mut heard = world.view(&nations[0]);
        let length = heard.len() as u64;
        for at in 0..heard.len() {
            let other = usize::try_from((shuffle.wrapping_mul(at as u64 + 7)) % length).unwrap();
            heard.swap(at, other);
        }
        heard.extend(heard.clone());
        prop_assert_eq!(&case::fold(&heard).unwrap(), &cases[0]);
        prop_assert!(cases[0].missing.is_empty(), "{:?}", cases[0].missing);
    }
}

fn asked() -> (World, Origin, Origin, Citation) {
    let (fr, ee) = (origin("FR"), origin("EE"));
    let mut world = World::new();
    let place = world.say(&fr, Word::Request(request(2, RequestPhase::Open)));
    (world, fr, ee, place)
}

fn whole(world: &World) -> Case {
    let all: Vec<Heard> = world.logs.values().flatten().cloned().collect();
    case::fold(&all).unwrap()
}

#[test]
fn a_withdrawal_that_crosses_an_acceptance_ends_by_the_order_of_the_providers_log() {
    let check = |sign_first: bool, expect: State| {
        let (mut world, fr, ee, place) = asked();
        let made = world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 2)));
        let accepted = world.say(&fr, accept(&fr, &made, 2));
        let sign = agreement(&ee, &accepted, AgreementStep::Countersign);
        let back = Word::Offer(offer(&ee, &place, Answer::Withdrawn, 1));
        for word in if sign_first { [sign, back] } else { [back, sign] } {
            world.say(&ee, word);
        }
        let case = whole(&world);
        assert_eq!(case.offers[0].agreements[0].state, expect);
        assert_eq!(case.unfit.len(), usize::from(!sign_first));
    };
    check(true, State::InForce { recalled: true });
    check(false, State::Lapsed);
}

#[test]
fn what_is_offered_once_is_signed_once() {
    let (mut world, fr, ee, place) = asked();
    let made = world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 2)));
    let first = world.say(&fr, accept(&fr, &made, 2));
    let second = world.say(&fr, accept(&fr, &made, 1));
    let beyond = world.say(&fr, accept(&fr, &made, 3));
    world.say(&ee, agreement(&ee, &first, AgreementStep::Countersign));
    world.say(&ee, agreement(&ee, &second, AgreementStep::Countersign));
    let case = whole(&world);
    let states: Vec<State> = case.offers[0].agreements.iter().map(|agreed| agreed.state).collect();
    assert_eq!(states, [State::InForce { recalled: false }, State::Proposed]);
    assert!(case.unfit.iter().any(|(at, _)| *at == beyond) && case.unfit.len() == 2, "{:?}", case.unfit);
    let have = case.coverage(&case.request.lines[0], NOW);
    assert_eq!((have.asked, have.offered, have.accepted, have.committed), (2, 0, 1, 2));
    assert!(case.is_covered(NOW));
}

#[test]
fn a_changed_need_makes_an_offer_stale_for_its_line_alone_and_a_changed_title_does_not() {
    let (mut world, fr, ee, place) = asked();
    world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 2)));
    let mut reworded = request(2, RequestPhase::Open);
    reworded.title = "Two hospital groups".into();
    world.say(&fr, Word::Request(reworded));
    assert!(whole(&world).offers[0].stale.is_empty());
    let newest = world.say(&fr, Word::Request(request(3, RequestPhase::Open)));
    assert_eq!(whole(&world).offers[0].stale.iter().copied().collect::<Vec<_>>(), [line(1)]);
    world.say(&ee, Word::Offer(offer(&ee, &newest, Answer::Yes, 2)));
    assert!(whole(&world).offers[0].stale.is_empty());
}

#[test]
fn strangers_and_missing_statements_change_nothing_and_are_named() {
    let (mut world, fr, ee, place) = asked();
    let made = world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 1)));
    let accepted = world.say(&fr, accept(&fr, &made, 1));
    // Somebody else signs, and somebody else accepts.
    let lv = origin("LV");
    world.say(&lv, agreement(&lv, &accepted, AgreementStep::Countersign));
    let foreign = world.say(&lv, accept(&lv, &made, 1));
    let case = whole(&world);
    assert_eq!(case.unfit, [(foreign, InvalidTransition::NotYours)]);
    assert_eq!(case.offers.len(), 1);
    assert_eq!(case.offers[0].agreements.len(), 1);
    assert_eq!(case.offers[0].agreements[0].state, State::Proposed);
    // Without the offer the acceptance is not lost: what is missing is named.
    let without: Vec<Heard> = world.logs[&fr].clone();
    let case = case::fold(&without).unwrap();
    assert!(case.missing.contains(&(ee, made.index)), "{:?}", case.missing);
}

#[test]
fn a_mission_needs_both_signatures_and_somebody_is_on_the_case_from_then() {
    let (mut world, fr, ee, place) = asked();
    let made = world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 1)));
    let accepted = world.say(&fr, accept(&fr, &made, 1));
    world.say(&ee, mission(&ee, &accepted, MissionPhase::OnTask));
    assert!(whole(&world).offers[0].agreements[0].mission.is_none());
    world.say(&ee, agreement(&ee, &accepted, AgreementStep::Countersign));
    world.say(&ee, mission(&ee, &accepted, MissionPhase::OnTask));
    let case = whole(&world);
    let begun = case.offers[0].agreements[0].mission.as_ref().unwrap();
    assert_eq!((begun.mission.phase, begun.on_task), (MissionPhase::OnTask, Some(NOW)));
}

#[test]
fn a_nation_offers_once_and_never_to_itself() {
    let (mut world, fr, ee, place) = asked();
    let own = world.say(&fr, Word::Offer(offer(&fr, &place, Answer::Yes, 1)));
    let first = world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 1)));
    let other = Offer { common: common(Offer::KIND, &ee, 9), ..offer(&ee, &place, Answer::Yes, 2) };
    let second = world.say(&ee, Word::Offer(other));
    let case = whole(&world);
    assert_eq!(case.offers.iter().map(|offer| &offer.place).collect::<Vec<_>>(), [&first]);
    let unfit: BTreeMap<Index, InvalidTransition> = case.unfit.iter().map(|(at, why)| (at.index, *why)).collect();
    assert_eq!(unfit.get(&own.index), Some(&InvalidTransition::NotYours), "{unfit:?}");
    assert!(case.unfit.contains(&(second, InvalidTransition::Twice)), "{unfit:?}");
}

#[test]
fn an_offer_is_open_until_it_says_and_counts_no_longer() {
    let (mut world, _, ee, place) = asked();
    world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 2)));
    let case = whole(&world);
    let until = case.offers[0].offer.valid_until;
    for (at, offered) in [(until.plus_seconds(-1), 2), (until, 0)] {
        assert_eq!(case.offers[0].is_open(at), offered > 0);
        assert_eq!(case.coverage(&case.request.lines[0], at).offered, offered);
    }
}

#[test]
fn time_alone_lets_a_request_lapse_and_moves_no_deadline() {
    let (world, ..) = asked();
    let case = whole(&world);
    assert_eq!(case.state_at(NOW), RequestState::Said(RequestPhase::Open));
    assert_eq!(case.state_at(case.request.expires), RequestState::Lapsed);
    assert_eq!(case.state_at(NOW), RequestState::Said(RequestPhase::Open));
}
