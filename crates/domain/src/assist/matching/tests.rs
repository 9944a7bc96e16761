//! Matching against every other way to do it, on small cases; and what is proposed against the calendar.

use model::Commitment;
use model::extension::Extension;
use model::extension::assistance::{Capacity, PrivateProvider, RateCard, ReadyBand, SizeBand, Window};
use model::{Index, Origin};
use proptest::prelude::*;

use super::super::capacity::{Hold, Phase, tests::capacity};
use super::super::tests::{NOW, common, line, origin, quantity};
use super::*;

fn place(origin: &Origin, index: u64) -> Citation {
    Citation { origin: origin.clone(), index: Index(index), commitment: Commitment::new([7; 32]) }
}

fn need(number: u64, missing: u32, weight: u32) -> Need {
    Need {
        request: place(&origin("FR"), number),
        number: format!("FR-2026-{number:03}"),
        ours: false,
        line: line(1),
        kind: HelpKind::Forensics,
        missing,
        mode: Mode::Either,
        span: Span { from: NOW, until: Some(NOW.plus_seconds(48 * 3_600)) },
        languages: Vec::new(),
        clearance: None,
        level: None,
        sectors: Vec::new(),
        weight,
    }
}

fn own(number: u64, change: impl FnOnce(&mut Capacity)) -> Source {
    let mut capacity = capacity(2);
    capacity.name = format!("team {number}");
    change(&mut capacity);
    Source::Own(Box::new(CapacityCase {
        place: place(&origin("EE"), number),
        capacity,
        versions: 1,
        holds: Vec::new(),
    }))
}

fn held(source: &mut Source, quantity: u32, hours: (i64, i64)) {
    let at = |hours: i64| NOW.plus_seconds(hours * 3_600);
    let span = Span { from: at(hours.0), until: Some(at(hours.1)) };
    let Source::Own(own) = source else { unreachable!() };
    own.holds.push(Hold {
        request: place(&origin("LV"), 1),
        number: "LV-2026-001".into(),
        line: line(1),
        quantity,
        work: span,
        span,
        phase: Phase::Committed,
        valid_until: None,
    });
}

fn words(proposal: &Proposal) -> Vec<&str> {
    proposal
        .pairings
        .iter()
        .map(|one| one.why.as_str())
        .chain(proposal.gaps.iter().map(|gap| gap.why.as_str()))
        .collect()
}

#[test]
fn each_constraint_excludes_and_says_so() {
    let check = |want: fn(&mut Need), have: fn(&mut Capacity), expect: Option<Exclusion>| {
        let mut need = need(1, 1, 1);
        want(&mut need);
        let source = own(1, have);
        assert_eq!(fit(&need, &source, NOW).err(), expect);
        if let Some(why) = expect {
            let proposal = propose(&[need], &[source], NOW);
            assert_eq!(words(&proposal), [format!("1 of 1 open: of 1 capacities, 1 {why}")]);
            assert_eq!(proposal.gaps[0].excluded, [(why, 1)].into());
        }
    };
    check(|_| (), |_| (), None);
    check(|need| need.ours = true, |_| (), Some(Exclusion::Elsewhere));
    check(|need| need.kind = HelpKind::Recovery, |_| (), Some(Exclusion::Kind));
    check(|_| (), |have| have.stood_down = true, Some(Exclusion::StoodDown));
    check(|need| need.mode = Mode::OnSite, |have| have.mode = Mode::Remote, Some(Exclusion::Mode));
    check(|need| need.level = Some(Level::Expert), |have| have.level = Level::Basic, Some(Exclusion::Level));
    check(|need| need.level = Some(Level::Basic), |_| (), None);
    check(|need| need.clearance = Some(Clearance::Restricted), |_| (), Some(Exclusion::Clearance));
    let secret = |have: &mut Capacity| have.clearance = Some(Clearance::Secret);
    check(|need| need.clearance = Some(Clearance::TopSecret), secret, Some(Exclusion::Clearance));
    check(|need| need.clearance = Some(Clearance::Restricted), secret, None);
    check(|need| need.languages = vec!["fr".into()], |_| (), Some(Exclusion::Language));
    check(|need| need.languages = vec!["fr".into(), "en-GB".into()], |_| (), None);
    let firm = |have: &mut Capacity| {
        have.provider = Some(PrivateProvider {
            name: "firm".into(),
            contract: "1".into(),
            not_for_nations: vec!["FR".into()],
            not_for_sectors: vec![Sector::Health],
        });
    };
    check(|_| (), firm, Some(Exclusion::Conflict));
    check(
        |need| need.sectors = vec![Sector::Health],
        |have| {
            have.provider = Some(PrivateProvider {
                name: "firm".into(),
                contract: "1".into(),
                not_for_nations: Vec::new(),
                not_for_sectors: vec![Sector::Health],
            });
        },
        Some(Exclusion::Conflict),
    );
    let later = |have: &mut Capacity| {
        have.windows = vec![Window { from: NOW.plus_seconds(90 * 3_600), until: NOW.plus_seconds(99 * 3_600) }];
    };
    check(|_| (), later, Some(Exclusion::Calendar));
    check(|need| need.span.until = Some(NOW.plus_seconds(3_600)), |_| (), Some(Exclusion::Calendar));
    let mut busy = own(1, |_| ());
    held(&mut busy, 2, (1, 2));
    assert_eq!(fit(&need(1, 1, 1), &busy, NOW), Err(Exclusion::Promised));
}

#[test]
fn who_comes_first_gets_what_there_is_and_the_others_are_told() {
    let needs = [need(1, 2, 1), need(2, 2, 9)];
    let sources =
        [own(1, |have| have.ready_hours = 1), own(2, |have| (have.quantity, have.ready_hours) = (quantity(1), 6))];
    let proposal = propose(&needs, &sources, NOW);
    let pairs: Vec<_> = proposal.pairings.iter().map(|one| (one.need, one.source, one.quantity)).collect();
    assert_eq!(pairs, [(0, 1, 1), (1, 0, 2)]);
    assert_eq!(
        words(&proposal),
        [
            "of 2 that fit, 1 would be sooner or cheaper and goes to FR-2026-002 line 1",
            "of 2 that fit, it arrives first",
            "1 of 2 open: of 2 capacities, 2 fit and go to FR-2026-002 line 1",
        ]
    );
}

#[test]
fn a_part_of_the_time_is_said_and_travel_counts_at_the_place() {
    let mut there = need(1, 1, 1);
    there.mode = Mode::OnSite;
    let rated = own(1, |have| {
        have.duration_hours = Some(24);
        have.rate = Some(RateCard { day_cents: 10, once_cents: 5 });
    });
    let fit = fit(&there, &rated, NOW).unwrap();
    assert_eq!((fit.minutes, fit.mode, fit.cents), (600, Mode::OnSite, 15));
    assert_eq!(fit.span.until, Some(NOW.plus_seconds(24 * 3_600)));
    let proposal = propose(&[there], &[rated], NOW);
    assert_eq!(words(&proposal), ["the only one of 1 that fits; it can stay for a part of the time only"]);
}

#[test]
fn cards_are_looked_at_for_our_own_call_and_say_what_to_ask() {
    let card = Card {
        common: common(Card::KIND, &origin("LV"), 3),
        kind: HelpKind::Forensics,
        size: SizeBand::Medium,
        ready: ReadyBand::Hours24,
        mode: Mode::Remote,
        languages: Vec::new(),
    };
    let source = Source::Card { place: place(&origin("LV"), 4), card: Box::new(card) };
    let mut ours = need(1, 5, 1);
    (ours.ours, ours.clearance, ours.languages) = (true, Some(Clearance::Secret), vec!["fr".into()]);
    let proposal = propose(&[ours.clone()], &[source.clone(), own(1, |_| ())], NOW);
    assert_eq!(proposal.pairings[0].quantity, 3);
    assert_eq!(
        words(&proposal),
        [
            "the only one of 2 that fits; a card promises nothing: call them; ask for the clearance; ask for the language",
            "2 of 5 open: of 2 capacities, 1 not lent for this call, 1 fits and give all they have",
        ]
    );
    ours.ours = false;
    assert_eq!(fit(&ours, &source, NOW), Err(Exclusion::Elsewhere));
}

/// What a proposal is worth: weight covered, then minutes and cents to wait and pay.
fn worth(
    needs: &[Need],
    fits: &[Vec<Result<Fit, Exclusion>>],
    units: &BTreeMap<(usize, usize), u32>,
) -> (u64, i64, i64) {
    let (mut weight, mut minutes, mut cents) = (0, 0, 0);
    for ((need, source), quantity) in units {
        let fit = fits[*need][*source].as_ref().unwrap();
        weight += u64::from(needs[*need].weight * quantity);
        minutes -= i64::from(fit.minutes) * i64::from(*quantity);
        cents -= i64::try_from(fit.cents).unwrap() * i64::from(*quantity);
    }
    (weight, minutes, cents)
}

/// The rule of the file's head, read plainly: for each bound, what goes to needs of at most that bound is at most it.
fn allowed(
    needs: &[Need],
    fits: &[Vec<Result<Fit, Exclusion>>],
    units: &BTreeMap<(usize, usize), u32>,
    sources: usize,
) -> bool {
    let over = (0..needs.len()).any(|at| {
        units.iter().filter(|((need, _), _)| *need == at).map(|(_, quantity)| *quantity).sum::<u32>()
            > needs[at].missing
    });
    let beyond = (0..sources).any(|source| {
        let bounds: Vec<u32> = fits.iter().filter_map(|row| row[source].as_ref().ok()).map(|fit| fit.free).collect();
        bounds.iter().any(|bound| {
            let below = units.iter().filter(|((need, other), _)| {
                *other == source && fits[*need][source].as_ref().is_ok_and(|fit| fit.free <= *bound)
            });
            below.map(|(_, quantity)| *quantity).sum::<u32>() > *bound
        })
    });
    !over && !beyond
}

/// Every way to give units, pair by pair.
fn best(needs: &[Need], fits: &[Vec<Result<Fit, Exclusion>>], sources: usize) -> (u64, i64, i64) {
    let pairs: Vec<(usize, usize, u32)> = fits
        .iter()
        .enumerate()
        .flat_map(|(need, row)| row.iter().enumerate().map(move |(source, fit)| (need, source, fit)))
        .filter_map(|(need, source, fit)| {
            fit.as_ref().ok().map(|fit| (need, source, fit.free.min(needs[need].missing)))
        })
        .collect();
    let mut best = (0, 0, 0);
    let mut units = vec![0; pairs.len()];
    loop {
        let chosen: BTreeMap<(usize, usize), u32> = pairs
            .iter()
            .zip(&units)
            .filter(|(_, units)| **units > 0)
            .map(|((n, s, _), units)| ((*n, *s), *units))
            .collect();
        if allowed(needs, fits, &chosen, sources) {
            best = best.max(worth(needs, fits, &chosen));
        }
        let Some(at) = (0..pairs.len()).find(|at| units[*at] < pairs[*at].2) else { return best };
        units[at] += 1;
        units[..at].fill(0);
    }
}

fn worlds() -> impl Strategy<Value = (Vec<Need>, Vec<Source>)> {
    let want = (1_u32..4, 1_u32..4, 0_u8..3, 0_i64..2).prop_map(|(missing, weight, mode, later)| {
        let mut need = need(0, missing, weight);
        need.mode = [Mode::Remote, Mode::OnSite, Mode::Either][usize::from(mode)];
        need.span.from = NOW.plus_seconds(later * 20 * 3_600);
        need.span.until = Some(NOW.plus_seconds((later * 20 + 20) * 3_600));
        need
    });
    let have = (1_u32..4, 0_u16..4, 0_u64..3, 0_u8..3, 0_u32..4).prop_map(|(many, ready, cents, mode, busy)| {
        let mut source = own(0, |have| {
            (have.quantity, have.ready_hours) = (quantity(many), ready);
            have.rate = Some(RateCard { day_cents: cents, once_cents: 0 });
            have.mode = [Mode::Remote, Mode::OnSite, Mode::Either][usize::from(mode)];
        });
        if busy > 0 {
            held(&mut source, busy.min(many), (0, 10));
        }
        source
    });
    let lists = (proptest::collection::vec(want, 1..4), proptest::collection::vec(have, 0..4));
    // Every way is tried below: more pairs than these take too long.
    let few = lists.prop_filter("few pairs", |(needs, sources)| needs.len() * sources.len() <= 6);
    few.prop_map(|(mut needs, mut sources)| {
        for (number, need) in (1..).zip(&mut needs) {
            need.request.index = Index(number);
        }
        for (number, source) in (1..).zip(&mut sources) {
            if let Source::Own(own) = source {
                own.place.index = Index(number);
            }
        }
        (needs, sources)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn nothing_better_is_possible_and_nothing_is_booked_beyond_what_is_free((needs, sources) in worlds()) {
        let proposal = propose(&needs, &sources, NOW);
        let fits: Vec<Vec<_>> =
            needs.iter().map(|need| sources.iter().map(|source| fit(need, source, NOW)).collect()).collect();
        let units: BTreeMap<(usize, usize), u32> =
            proposal.pairings.iter().map(|one| ((one.need, one.source), one.quantity)).collect();
        prop_assert!(allowed(&needs, &fits, &units, sources.len()), "{units:?}");
        prop_assert_eq!(worth(&needs, &fits, &units), best(&needs, &fits, sources.len()));
        for gap in &proposal.gaps {
            prop_assert!(!gap.why.is_empty());
        }
        // Hour by hour, whatever is proposed fits beside what is held.
        for (at, source) in sources.iter().enumerate() {
            let Source::Own(own) = source else { continue };
            for hour in 0..48 {
                let then = NOW.plus_seconds(hour * 3_600);
                let held: u32 = own.holds.iter().filter(|hold| hold.span.holds(then)).map(|hold| hold.quantity).sum();
                let given = proposal.pairings.iter().filter(|one| one.source == at && one.fit.span.holds(then));
                let given: u32 = given.map(|one| one.quantity).sum();
                prop_assert!(held + given <= own.capacity.quantity.into(), "{held} + {given} at hour {hour}");
            }
        }
    }

    #[test]
    fn the_order_of_the_lists_does_not_matter((needs, sources) in worlds()) {
        let named = |needs: &[Need], sources: &[Source]| {
            let proposal = propose(needs, sources, NOW);
            let mut pairs: Vec<_> = proposal
                .pairings
                .iter()
                .map(|one| (needs[one.need].request.index, sources[one.source].place().index, one.quantity))
                .collect();
            pairs.sort_unstable();
            pairs
        };
        let mut other_needs = needs.clone();
        let mut other_sources = sources.clone();
        other_needs.reverse();
        other_sources.reverse();
        prop_assert_eq!(named(&needs, &sources), named(&other_needs, &other_sources));
    }
}
