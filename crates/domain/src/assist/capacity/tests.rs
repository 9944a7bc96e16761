//! One capacity, two who ask: however offers, acceptances, signatures, ends and changes of the capacity follow each other,
//! it is never booked beyond what it has, and what is over is free again.

use model::extension::Extension;
use model::extension::assistance::{Answer, Draw, HelpKind, Level, MissionPhase, Mode, RequestPhase, Window};
use proptest::prelude::*;

use super::super::tests::{NOW, accept, agreement, common, mission, offer, origin, quantity, request};
use super::*;
use model::Commitment;

pub(in super::super) fn capacity(many: u32) -> Capacity {
    Capacity {
        common: common(Capacity::KIND, &origin("EE"), 9),
        name: "night team".into(),
        kind: HelpKind::Forensics,
        level: Level::Expert,
        quantity: quantity(many),
        mode: Mode::Either,
        windows: Vec::new(),
        stood_down: false,
        ready_hours: 2,
        travel_hours: 8,
        duration_hours: None,
        recovery_hours: 0,
        team_size: None,
        skills: Vec::new(),
        tools: Vec::new(),
        sectors: Vec::new(),
        languages: vec!["en".into()],
        clearance: None,
        certifications: Vec::new(),
        host_needs: None,
        rate: None,
        call: "duty".into(),
        limits: None,
        provider: None,
    }
}

/// Estonia's log, and the logs of two who ask.
struct World {
    at: Timestamp,
    own: Vec<Own>,
    theirs: [Vec<Heard>; 2],
}

enum Own {
    Version(Version),
    Case(usize, Heard),
}

const ASKING: [&str; 2] = ["FR", "LV"];

impl World {
    fn new() -> Self {
        let mut world = Self { at: NOW, own: Vec::new(), theirs: [Vec::new(), Vec::new()] };
        for (asking, country) in ASKING.into_iter().enumerate() {
            let mut asked = request(4, RequestPhase::Open);
            asked.common = common("x-entraide-assistance-request", &origin(country), 1);
            asked.expires = NOW.plus_seconds(80 * 86_400);
            world.hears(asking, Word::Request(asked));
        }
        world
    }

    fn place(by: &str, at: usize) -> Citation {
        let number = u8::try_from(at % 200).unwrap();
        Citation { origin: origin(by), index: Index(at as u64), commitment: Commitment::new([number; 32]) }
    }

    fn hears(&mut self, asking: usize, word: Word) -> Citation {
        let place = Self::place(ASKING[asking], self.theirs[asking].len());
        self.theirs[asking].push(Heard { place: place.clone(), word });
        place
    }

    fn says(&mut self, asking: usize, mut word: Word) -> Citation {
        let at = self.at;
        match &mut word {
            Word::Request(said) => said.common.modified = at,
            Word::Offer(said) => said.common.modified = at,
            Word::Agreement(said) => said.common.modified = at,
            Word::Mission(said) => said.common.modified = at,
            Word::Mandate(_) | Word::Helpers(_) | Word::Room(_) | Word::Acknowledgement(_) | Word::Relayed(_) => {}
        }
        // An object of its own for each case.
        if let Word::Offer(said) = &mut word {
            said.common.id =
                common("x-entraide-assistance-offer", &origin("EE"), 20 + u8::try_from(asking).unwrap()).id;
        }
        let place = Self::place("EE", self.own.len());
        self.own.push(Own::Case(asking, Heard { place: place.clone(), word }));
        place
    }

    fn has(&mut self, mut capacity: Capacity) -> Citation {
        capacity.common.modified = self.at;
        let place = Self::place("EE", self.own.len());
        self.own.push(Own::Version(Version { place: place.clone(), capacity }));
        place
    }

    fn offers(&mut self, asking: usize, draw: &Citation, many: u32, span: (Option<i64>, Option<i64>)) -> Citation {
        let cites = self.theirs[asking][0].place.clone();
        let mut made = offer(&origin("EE"), &cites, Answer::Yes, many);
        let seconds = |hours: Option<i64>| hours.map(|hours| NOW.plus_seconds(hours * 3_600));
        made.lines[0].from = seconds(span.0);
        made.lines[0].until = seconds(span.1);
        made.lines[0].draws = vec![Draw { capacity: draw.clone(), quantity: quantity(many) }];
        made.valid_until = self.at.plus_seconds(4 * 3_600);
        self.says(asking, Word::Offer(made))
    }

    fn takes_back(&mut self, asking: usize) -> Citation {
        let cites = self.theirs[asking][0].place.clone();
        self.says(asking, Word::Offer(offer(&origin("EE"), &cites, Answer::Withdrawn, 1)))
    }

    fn accepts(&mut self, asking: usize, of: &Citation, many: u32) -> Citation {
        self.hears(asking, accept(&origin(ASKING[asking]), of, many))
    }

    fn signs(&mut self, asking: usize, acceptance: &Citation) -> Citation {
        self.says(asking, agreement(&origin("EE"), acceptance, AgreementStep::Countersign))
    }

    fn ends(&mut self, asking: usize, acceptance: &Citation, fulfilled: bool) -> Citation {
        self.says(asking, agreement(&origin("EE"), acceptance, AgreementStep::End { fulfilled, reason: None }))
    }

    fn works(&mut self, asking: usize, acceptance: &Citation, phase: MissionPhase) -> Citation {
        self.says(asking, mission(&origin("EE"), acceptance, phase))
    }

    fn versions(&self) -> Vec<Version> {
        let version = |own: &Own| match own {
            Own::Version(version) => Some(version.clone()),
            Own::Case(..) => None,
        };
        self.own.iter().filter_map(version).collect()
    }

    fn cases(&self) -> Vec<Vec<Heard>> {
        let case = |asking: usize| {
            let own = self.own.iter().filter_map(move |own| match own {
                Own::Case(which, heard) if *which == asking => Some(heard.clone()),
                Own::Case(..) | Own::Version(_) => None,
            });
            self.theirs[asking].iter().cloned().chain(own).collect()
        };
        vec![case(0), case(1)]
    }

    fn pool(&self) -> Pool {
        fold(&origin("EE"), &self.versions(), &self.cases())
    }

    fn counts(&self) -> [u32; 4] {
        Phase::ALL.map(|phase| self.pool().capacities[0].count(phase, self.at))
    }
}

const NONE: (Option<i64>, Option<i64>) = (None, None);

#[test]
fn what_is_offered_is_reserved_then_committed_deployed_and_free_again() {
    let mut world = World::new();
    let team = world.has(capacity(3));
    assert_eq!(world.counts(), [0, 0, 0, 0]);
    let made = world.offers(0, &team, 2, NONE);
    assert_eq!(world.counts(), [2, 0, 0, 0]);
    let taken = world.accepts(0, &made, 1);
    assert_eq!(world.counts(), [2, 0, 0, 0], "an acceptance is the requester's word");
    world.signs(0, &taken);
    assert_eq!(world.counts(), [1, 1, 0, 0]);
    world.works(0, &taken, MissionPhase::Mobilising);
    assert_eq!(world.counts(), [1, 1, 0, 0]);
    world.works(0, &taken, MissionPhase::OnTask);
    assert_eq!(world.counts(), [1, 0, 1, 0]);
    world.works(0, &taken, MissionPhase::Handover);
    world.works(0, &taken, MissionPhase::Reporting);
    assert_eq!(world.counts(), [1, 0, 0, 1]);
    world.at = world.at.plus_seconds(60);
    world.works(0, &taken, MissionPhase::Closed);
    world.ends(0, &taken, true);
    assert_eq!(world.counts(), [1, 0, 0, 0], "no rest is asked for");
    world.takes_back(0);
    assert_eq!(world.counts(), [0, 0, 0, 0]);
    let one = &world.pool().capacities[0];
    assert_eq!(one.free(&Span { from: world.at, until: None }, world.at), 3);
}

#[test]
fn one_capacity_is_not_promised_to_two() {
    let mut world = World::new();
    let team = world.has(capacity(3));
    world.offers(0, &team, 2, NONE);
    let second = world.offers(1, &team, 2, NONE);
    assert_eq!(world.pool().unbooked, [(second, Unbooked::NoRoom)]);
    assert_eq!(world.counts(), [2, 0, 0, 0]);
    // What the first gives back the second can have, said anew.
    world.takes_back(0);
    world.offers(1, &team, 3, NONE);
    assert_eq!(world.counts(), [3, 0, 0, 0]);
}

#[test]
fn times_that_do_not_meet_do_not_stand_in_each_others_way() {
    let mut world = World::new();
    let team = world.has(capacity(3));
    world.offers(0, &team, 3, (Some(10), Some(20)));
    let meets = world.offers(1, &team, 1, (Some(19), Some(30)));
    assert_eq!(world.pool().unbooked, [(meets, Unbooked::NoRoom)]);
    world.offers(1, &team, 3, (Some(20), Some(30)));
    assert_eq!(world.pool().unbooked.len(), 1);
    let pool = world.pool();
    let free = |from, until| {
        let at = |hours: i64| NOW.plus_seconds(hours * 3_600);
        pool.capacities[0].free(&Span { from: at(from), until: Some(at(until)) }, NOW)
    };
    assert_eq!((free(0, 10), free(0, 11), free(30, 40), free(25, 26)), (3, 0, 3, 0));
}

#[test]
fn people_rest_before_they_are_lent_again() {
    let mut world = World::new();
    let mut tired = capacity(2);
    tired.recovery_hours = 24;
    let team = world.has(tired);
    let made = world.offers(0, &team, 2, (Some(0), Some(10)));
    let at_once = world.offers(1, &team, 2, (Some(10), Some(20)));
    assert_eq!(world.pool().unbooked, [(at_once, Unbooked::NoRoom)]);
    let taken = world.accepts(0, &made, 2);
    world.signs(0, &taken);
    world.at = NOW.plus_seconds(2 * 3_600);
    world.works(0, &taken, MissionPhase::OnTask);
    world.works(0, &taken, MissionPhase::Aborted);
    assert_eq!(world.counts(), [0, 0, 0, 2], "until an hour 26 from now");
    world.offers(1, &team, 2, (Some(26), Some(30)));
    assert_eq!(world.counts(), [2, 0, 0, 2]);
    assert_eq!(world.pool().unbooked.len(), 1);
    world.at = NOW.plus_seconds(27 * 3_600);
    assert_eq!(world.counts()[3], 0, "time alone ends the rest, on reading");
}

#[test]
fn a_reservation_lapses_with_its_offer_and_a_late_signature_books_anew_or_not_at_all() {
    let mut world = World::new();
    let team = world.has(capacity(2));
    let made = world.offers(0, &team, 2, NONE);
    let taken = world.accepts(0, &made, 2);
    world.at = NOW.plus_seconds(5 * 3_600);
    assert_eq!(world.counts(), [0, 0, 0, 0]);
    // Nobody else came meanwhile: a late signature books what is free.
    let mut late = World { at: world.at, own: Vec::new(), theirs: world.theirs.clone() };
    std::mem::swap(&mut late.own, &mut world.own);
    let signed = late.signs(0, &taken);
    assert_eq!(late.counts(), [0, 2, 0, 0]);
    // With somebody in between it books nothing.
    late.own.pop();
    late.offers(1, &team, 1, NONE);
    assert_eq!(late.counts(), [1, 0, 0, 0]);
    let signed_late = late.signs(0, &taken);
    assert_ne!(signed, signed_late);
    assert_eq!(late.pool().unbooked, [(signed_late, Unbooked::NoRoom)]);
    assert_eq!(late.counts(), [1, 0, 0, 0]);
}

#[test]
fn stood_down_takes_on_nothing_new_and_keeps_what_is_promised() {
    let mut world = World::new();
    let team = world.has(capacity(3));
    let made = world.offers(0, &team, 1, NONE);
    let mut down = capacity(3);
    down.stood_down = true;
    world.has(down);
    let new = world.offers(1, &team, 1, NONE);
    assert_eq!(world.pool().unbooked, [(new, Unbooked::StoodDown)]);
    let taken = world.accepts(0, &made, 1);
    world.signs(0, &taken);
    assert_eq!(world.counts(), [0, 1, 0, 0]);
    assert_eq!(world.pool().capacities[0].free(&Span { from: world.at, until: None }, world.at), 0);
}

#[test]
fn a_capacity_does_not_shrink_below_what_it_promised_and_is_lent_in_its_calendar_alone() {
    let mut world = World::new();
    let team = world.has(capacity(3));
    world.offers(0, &team, 2, (None, Some(5)));
    let less = world.has(capacity(1));
    let mut nights = capacity(3);
    nights.windows = vec![Window { from: NOW, until: NOW.plus_seconds(3 * 3_600) }];
    let never = world.has(nights.clone());
    assert_eq!(world.pool().unbooked, [(less, Unbooked::BelowPromises), (never, Unbooked::BelowPromises)]);
    world.takes_back(0);
    world.has(nights);
    let outside = world.offers(0, &team, 1, (None, Some(5)));
    assert_eq!(world.pool().unbooked[2], (outside, Unbooked::OutsideCalendar));
    world.offers(0, &team, 1, (None, Some(3)));
    assert_eq!(world.counts(), [1, 0, 0, 0]);
    assert_eq!(world.pool().capacities[0].versions, 2);
}

#[test]
fn what_is_drawn_from_nowhere_or_from_anothers_log_books_nothing() {
    let mut world = World::new();
    let team = world.has(capacity(3));
    let mut elsewhere = team.clone();
    elsewhere.origin = origin("LV");
    let mut other = team;
    other.commitment = Commitment::new([250; 32]);
    for wrong in [elsewhere, other] {
        let place = world.offers(0, &wrong, 1, NONE);
        assert_eq!(world.pool().unbooked.last(), Some(&(place, Unbooked::NoSuchCapacity)));
    }
    assert_eq!(world.counts(), [0, 0, 0, 0]);
}

/// One move. Who can't make it does nothing; nobody asks whether there is room.
#[derive(Debug, Clone, Copy)]
enum Move {
    Offer(usize, u32, i64, i64),
    TakeBack(usize),
    Accept(usize, u32),
    Sign(usize, usize),
    Retract(usize, usize),
    Acknowledge(usize, usize),
    End(usize, usize, bool),
    Work(usize, usize, usize),
    Change(u32, u8),
    Wait(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        5 => (0_usize..2, 1_u32..5, 0_i64..12, 0_i64..24).prop_map(|(who, many, from, long)| Move::Offer(who, many, from, long)),
        1 => (0_usize..2).prop_map(Move::TakeBack),
        4 => (0_usize..2, 1_u32..4).prop_map(|(who, many)| Move::Accept(who, many)),
        5 => (0_usize..2, 0_usize..3).prop_map(|(who, which)| Move::Sign(who, which)),
        1 => (0_usize..2, 0_usize..3).prop_map(|(who, which)| Move::Retract(who, which)),
        1 => (0_usize..2, 0_usize..3).prop_map(|(who, which)| Move::Acknowledge(who, which)),
        2 => (0_usize..2, 0_usize..3, any::<bool>()).prop_map(|(who, which, done)| Move::End(who, which, done)),
        2 => (0_usize..2, 0_usize..3, 0_usize..4).prop_map(|(who, which, phase)| Move::Work(who, which, phase)),
        2 => (1_u32..5, 0_u8..8).prop_map(|(many, how)| Move::Change(many, how)),
        2 => (0_i64..8).prop_map(Move::Wait),
    ];
    proptest::collection::vec(one, 1..50)
}

const PHASES: [MissionPhase; 4] =
    [MissionPhase::OnTask, MissionPhase::Handover, MissionPhase::Closed, MissionPhase::Aborted];

fn play(world: &mut World, team: &Citation, one: Move) {
    let acceptances = |world: &World, who: usize| -> Vec<Citation> {
        let all = world.theirs[who].iter().filter(
            |heard| matches!(&heard.word, Word::Agreement(said) if matches!(said.step, AgreementStep::Accept { .. })),
        );
        all.map(|heard| heard.place.clone()).collect()
    };
    let newest = |world: &World, who: usize, which: usize| acceptances(world, who).into_iter().rev().nth(which);
    match one {
        Move::Offer(who, many, from, long) => {
            let until = (long > 0).then_some(from + long);
            world.offers(who, team, many, ((from > 0).then_some(from), until));
        }
        Move::TakeBack(who) => {
            world.takes_back(who);
        }
        Move::Accept(who, many) => {
            let of = world.own.iter().rev().find_map(|own| match own {
                Own::Case(which, heard) if *which == who && matches!(heard.word, Word::Offer(_)) => {
                    Some(heard.place.clone())
                }
                Own::Case(..) | Own::Version(_) => None,
            });
            if let Some(of) = of {
                world.accepts(who, &of, many);
            }
        }
        Move::Sign(who, which) => {
            if let Some(taken) = newest(world, who, which) {
                world.signs(who, &taken);
            }
        }
        Move::Retract(who, which) => {
            if let Some(taken) = newest(world, who, which) {
                world.hears(who, agreement(&origin(ASKING[who]), &taken, AgreementStep::Retract { reason: None }));
            }
        }
        Move::Acknowledge(who, which) => {
            let retracted = world.theirs[who].iter().rev().filter(|heard| {
                matches!(&heard.word, Word::Agreement(said) if matches!(said.step, AgreementStep::Retract { .. }))
            });
            if let Some(place) = retracted.map(|heard| heard.place.clone()).nth(which) {
                world.says(who, agreement(&origin("EE"), &place, AgreementStep::Acknowledge));
            }
        }
        Move::End(who, which, fulfilled) => {
            if let Some(taken) = newest(world, who, which) {
                world.ends(who, &taken, fulfilled);
            }
        }
        Move::Work(who, which, phase) => {
            if let Some(taken) = newest(world, who, which) {
                world.works(who, &taken, PHASES[phase]);
            }
        }
        Move::Change(many, how) => {
            let mut changed = capacity(many);
            changed.stood_down = how % 4 == 1;
            changed.recovery_hours = u16::from(how / 4) * 3;
            if how % 4 == 2 {
                changed.windows = vec![Window { from: NOW, until: NOW.plus_seconds(20 * 3_600) }];
            }
            world.has(changed);
        }
        Move::Wait(hours) => world.at = world.at.plus_seconds(hours * 3_600),
    }
}

/// The promise itself, checked instant by instant over three days, by another way than the fold's own.
fn never_beyond(pool: &Pool, now: Timestamp) {
    for one in &pool.capacities {
        for hour in 0..72 {
            for second in [0, 1] {
                let at = now.plus_seconds(hour * 3_600 + second);
                let live = one.holds.iter().filter(|hold| hold.valid_until.is_none_or(|until| now < until));
                let held: u32 = live.filter(|hold| hold.span.holds(at)).map(|hold| hold.quantity).sum();
                assert!(held <= u32::from(one.capacity.quantity), "{held} at hour {hour}: {:#?}", one.holds);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_capacity_is_never_booked_beyond_its_quantity(moves in moves(), shuffle in any::<u64>()) {
        let mut world = World::new();
        let team = world.has(capacity(3));
        for one in moves {
            play(&mut world, &team, one);
            never_beyond(&world.pool(), world.at);
        }
        let pool = world.pool();
        // Order of arrival and doubling change nothing.
        let mut cases = world.cases();
        let mut versions = world.versions();
        for case in &mut cases {
            let length = case.len() as u64;
            for at in 0..case.len() {
                let other = usize::try_from((shuffle.wrapping_mul(at as u64 + 7)) % length).unwrap();
                case.swap(at, other);
            }
            case.extend(case.clone());
        }
        versions.reverse();
        prop_assert_eq!(&fold(&origin("EE"), &versions, &cases), &pool);
        cases.reverse();
        let mut again = fold(&origin("EE"), &versions, &cases);
        let mut first = pool;
        for pool in [&mut again, &mut first] {
            for one in &mut pool.capacities {
                one.holds.sort_by_key(|hold| (hold.request.origin.to_string(), format!("{hold:?}")));
            }
        }
        prop_assert_eq!(again, first);
    }
}

#[test]
fn what_has_no_effect_in_its_case_books_nothing() {
    let mut world = World::new();
    let team = world.has(capacity(3));
    let made = world.offers(0, &team, 2, NONE);
    let taken = world.accepts(0, &made, 2);
    world.takes_back(0);
    // It comes after the withdrawal in the provider's log: the case has lapsed.
    world.signs(0, &taken);
    assert_eq!(world.counts(), [0, 0, 0, 0]);
    world.works(0, &taken, MissionPhase::OnTask);
    assert_eq!(world.counts(), [0, 0, 0, 0]);
}
