//! One nation asks, two answer, and statements cross: each acts on what it holds, and what it holds lags behind.

use std::collections::BTreeMap;

use model::extension::assistance::{
    AccessKind, AgreedLine, Agreement, AgreementStep, Answer, Consent, ConsentProof, Funding, HelpKind, Helper,
    LegalBasis, Line, Mandate, MandateAction, MandateHelpers, MandatePhase, Mission, MissionPhase, Mode, Offer,
    OfferLine, Payer, Quantity, Request, RequestLine, RequestPhase,
};
use model::extension::{Common, Extension};
use model::{Citation, Commitment, Index, Origin, Timestamp};
use proptest::prelude::*;

use super::agreement::State;
use super::case::{self, Case, RequestState};
use super::mandate::Standing;
use super::{Heard, InvalidTransition, Word};

mod relayed;
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

fn mandate(by: &Origin, under: &Citation, phase: MandatePhase) -> Mandate {
    let consent = Consent {
        by: "security officer of the hospital group".into(),
        at: NOW,
        proof: ConsentProof::Recorded { by: "duty officer, by telephone".into() },
    };
    Mandate {
        common: common("x-entraide-mandate", by, u8::try_from(under.index.0 % 250).unwrap()),
        agreement: under.clone(),
        phase,
        entity: "hospital group".into(),
        access: AccessKind::Ssh,
        systems: vec!["mail1".parse().unwrap()],
        actions: vec![MandateAction::Read],
        from: NOW,
        until: NOW.plus_seconds(3_600),
        hours: None,
        data_limits: None,
        revokers: "security officer".into(),
        team: "two analysts".into(),
        consent: (phase != MandatePhase::Drafted).then_some(consent),
        helpers: Vec::new(),
        opened: None,
        closed: None,
        gate: None,
        reason: None,
    }
}

fn helpers(by: &Origin, mandate: &Citation) -> Word {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ".parse().unwrap();
    let helpers = vec![Helper { role: "forensics 1".into(), key }];
    Word::Helpers(MandateHelpers {
        common: common("x-entraide-mandate-helpers", by, 9),
        mandate: mandate.clone(),
        helpers,
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
    Mandate(u8, u8, bool),
    Helpers(u8),
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
        3 => (0_u8..2, 0_u8..6, any::<bool>()).prop_map(|(of, phase, same)| Move::Mandate(of, phase, same)),
        1 => (0_u8..2).prop_map(Move::Helpers),
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
        Move::Mandate(of, phase, same) => {
            let Some(agreed) = world.case(&fr).and_then(|case| own(&case, &who(of))?.agreements.first().cloned())
            else {
                return;
            };
            let mut said = mandate(&fr, &agreed.place, MandatePhase::ALL[usize::from(phase)]);
            if !same {
                said.entity = "another hospital".into();
            }
            world.say(&fr, Word::Mandate(said));
        }
        Move::Helpers(by) => {
            let by = who(by);
            let drafted = newest(world, &by).and_then(|agreed| Some(agreed.mandates.first()?.place.clone()));
            if let Some(place) = drafted {
                world.say(&by, helpers(&by, &place));
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
        for mandate in &agreed.mandates {
            let acts = mandate.standing(agreed, NOW).may_act();
            assert!(!acts || (agreed.state.is_in_force() && mandate.mandate.consent.is_some()), "{mandate:?}");
            assert!(!acts || mandate.mandate.entity == "hospital group" || mandate.versions.len() > 1, "{mandate:?}");
        }
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
                Word::Request(_)
                | Word::Agreement(_)
                | Word::Mission(_)
                | Word::Mandate(_)
                | Word::Helpers(_)
                | Word::Room(_)
                | Word::Acknowledgement(_)
                | Word::Relayed(_) => None,
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

/// Estonia's signature is in force; what France says of a mandate under it, and Estonia meanwhile.
fn under_mandate(of_fr: &[MandatePhase], of_ee: impl Fn(&Origin, &Citation) -> Vec<Word>) -> (Case, Standing) {
    let (mut world, fr, ee, place) = asked();
    let made = world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 2)));
    let accepted = world.say(&fr, accept(&fr, &made, 2));
    world.say(&ee, agreement(&ee, &accepted, AgreementStep::Countersign));
    for phase in of_fr {
        world.say(&fr, Word::Mandate(mandate(&fr, &accepted, *phase)));
    }
    for word in of_ee(&ee, &accepted) {
        world.say(&ee, word);
    }
    let case = whole(&world);
    let agreed = &case.offers[0].agreements[0];
    let standing = agreed.mandates[0].standing(agreed, NOW);
    (case, standing)
}

#[test]
fn a_mandate_dies_with_its_agreement_and_at_handover_whatever_its_own_log_says() {
    use MandatePhase::{Active, Consented, Drafted, Ended, Revoked, Suspended};
    let check = |of_fr: &[MandatePhase], expect: Standing| {
        assert_eq!(under_mandate(of_fr, |_, _| Vec::new()).1, expect, "{of_fr:?}");
    };
    check(&[Drafted], Standing::Drafted);
    check(&[Drafted, Active], Standing::Drafted);
    check(&[Drafted, Consented], Standing::Consented);
    check(&[Drafted, Consented, Active], Standing::Active);
    check(&[Drafted, Consented, Active, Suspended], Standing::Suspended);
    check(&[Drafted, Consented, Active, Suspended, Active], Standing::Active);
    check(&[Drafted, Consented, Active, Revoked, Active], Standing::Revoked);
    check(&[Drafted, Consented, Active, Ended], Standing::Ended);
    let running = [Drafted, Consented, Active];
    let ended = |ee: &Origin, accepted: &Citation| {
        vec![agreement(ee, accepted, AgreementStep::End { fulfilled: false, reason: None })]
    };
    assert_eq!(under_mandate(&running, ended).1, Standing::NoAgreement);
    let handed = |ee: &Origin, accepted: &Citation| {
        [MissionPhase::OnTask, MissionPhase::Handover].map(|phase| mission(ee, accepted, phase)).into()
    };
    assert_eq!(under_mandate(&running, handed).1, Standing::HandedOver);
    let (case, _) = under_mandate(&running, |_, _| Vec::new());
    let agreed = &case.offers[0].agreements[0];
    assert_eq!(agreed.mandates[0].standing(agreed, NOW.plus_seconds(-1)), Standing::OutOfHours);
    assert_eq!(agreed.mandates[0].standing(agreed, NOW.plus_seconds(3_600)), Standing::Expired);
}

#[test]
fn helpers_are_named_by_the_provider_alone_and_terms_are_those_that_were_drafted() {
    let (mut world, fr, ee, place) = asked();
    let made = world.say(&ee, Word::Offer(offer(&ee, &place, Answer::Yes, 2)));
    let accepted = world.say(&fr, accept(&fr, &made, 2));
    world.say(&ee, agreement(&ee, &accepted, AgreementStep::Countersign));
    let drafted = world.say(&fr, Word::Mandate(mandate(&fr, &accepted, MandatePhase::Drafted)));
    let mut wider = mandate(&fr, &accepted, MandatePhase::Consented);
    wider.actions.push(MandateAction::Rebuild);
    let wider = world.say(&fr, Word::Mandate(wider));
    let by_another = world.say(&ee, Word::Mandate(mandate(&ee, &accepted, MandatePhase::Drafted)));
    let strangers = world.say(&origin("LV"), helpers(&origin("LV"), &drafted));
    let named = world.say(&ee, helpers(&ee, &drafted));
    let case = whole(&world);
    let known = &case.offers[0].agreements[0].mandates[0];
    assert_eq!((known.versions.len(), &known.named.as_ref().unwrap().0), (1, &named));
    let unfit: Vec<&Citation> = case.unfit.iter().map(|(place, _)| place).collect();
    for place in [&wider, &by_another, &strangers] {
        assert!(unfit.contains(&place), "{:?}", case.unfit);
    }
}
