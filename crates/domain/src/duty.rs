//! Who is on duty at a moment, and where the roster has a gap or two at once: pure functions of its shifts.

use std::collections::BTreeSet;

use model::Timestamp;
use model::duty::{Handle, Post, Shift};

/// Who is on duty at a moment: by post, then by when the shift began.
#[must_use]
pub fn on_duty(shifts: &[Shift], at: Timestamp) -> Vec<&Shift> {
    let mut here: Vec<&Shift> = shifts.iter().filter(|shift| shift.from <= at && at < shift.until).collect();
    here.sort();
    here
}

/// Something in a roster that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Of which post.
    pub post: Post,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Nobody, which is a gap, or several at once.
    pub persons: Vec<Handle>,
}

impl Finding {
    /// Is nobody on duty?
    #[must_use]
    pub fn is_gap(&self) -> bool {
        self.persons.is_empty()
    }
}

/// Where a post has nobody or several persons between two moments. A post that nobody ever has is not looked at: not every
/// nation has every post.
#[must_use]
pub fn findings(shifts: &[Shift], post: Post, from: Timestamp, until: Timestamp) -> Vec<Finding> {
    let of_post: Vec<&Shift> = shifts.iter().filter(|shift| shift.post == post).collect();
    if of_post.is_empty() || until <= from {
        return Vec::new();
    }
    let mut edges: BTreeSet<Timestamp> = of_post.iter().flat_map(|shift| [shift.from, shift.until]).collect();
    edges.retain(|edge| from < *edge && *edge < until);
    edges.insert(until);
    let mut begins: Vec<&Shift> = of_post.clone();
    begins.sort_by_key(|shift| shift.from);
    let (mut next, mut here): (usize, Vec<&Shift>) = (0, Vec::new());
    let mut found: Vec<Finding> = Vec::new();
    let mut start = from;
    for end in edges {
        while begins.get(next).is_some_and(|shift| shift.from <= start) {
            here.push(begins[next]);
            next += 1;
        }
        here.retain(|shift| shift.until > start);
        let persons: BTreeSet<&Handle> = here.iter().map(|shift| &shift.person).collect();
        let persons: Vec<Handle> = persons.into_iter().cloned().collect();
        if persons.len() != 1 {
            match found.last_mut() {
                Some(last) if last.until == start && last.persons == persons => last.until = end,
                Some(_) | None => found.push(Finding { post, from: start, until: end, persons }),
            }
        }
        start = end;
    }
    found
}

/// Every finding between two moments, by time.
#[must_use]
pub fn all_findings(shifts: &[Shift], from: Timestamp, until: Timestamp) -> Vec<Finding> {
    let mut found: Vec<Finding> = Post::ALL.iter().flat_map(|post| findings(shifts, *post, from, until)).collect();
    found.sort_by_key(|one| (one.from, one.post));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_seconds(hour * 3_600)
    }

    fn shift(person: &str, post: Post, from: i64, until: i64) -> Shift {
        Shift::new(person.parse().unwrap(), post, at(from), at(until)).unwrap()
    }

    #[test]
    fn a_shift_begins_and_does_not_include_its_end() {
        let shifts =
            [shift("anna", Post::Duty, 0, 8), shift("ben", Post::Duty, 8, 16), shift("cy", Post::Deputy, 0, 16)];
        let check = |hour: i64, expect: &[&str]| {
            let here: Vec<&str> = on_duty(&shifts, at(hour)).iter().map(|shift| shift.person.as_str()).collect();
            assert_eq!(here, expect, "{hour}");
        };
        check(-1, &[]);
        check(0, &["anna", "cy"]);
        check(8, &["ben", "cy"]);
        check(16, &[]);
    }

    #[test]
    fn gaps_and_overlaps_are_named() {
        let shifts = [
            shift("anna", Post::Duty, 0, 8),
            shift("ben", Post::Duty, 7, 12),
            shift("anna", Post::Duty, 12, 13),
            shift("anna", Post::Duty, 12, 14),
            shift("cy", Post::Duty, 20, 24),
        ];
        let found = findings(&shifts, Post::Duty, at(-1), at(22));
        let seen: Vec<(i64, i64, usize)> = found
            .iter()
            .map(|one| (one.from.micros() / 3_600_000_000, one.until.micros() / 3_600_000_000, one.persons.len()))
            .collect();
        assert_eq!(seen, [(-1, 0, 0), (7, 8, 2), (14, 20, 0)]);
        assert_eq!(findings(&shifts, Post::Crisis, at(0), at(9)), [], "a post that nobody has is not looked at");
    }

    fn any_shifts() -> impl Strategy<Value = Vec<Shift>> {
        let one = (0..3_usize, 0..2_usize, 0..40_i64, 1..12_i64).prop_map(|(person, post, from, length)| {
            shift(["anna", "ben", "cy"][person], [Post::Duty, Post::Deputy][post], from, from + length)
        });
        proptest::collection::vec(one, 0..14)
    }

    proptest! {
        #[test]
        fn at_every_moment_the_findings_say_what_the_shifts_say(shifts in any_shifts(), from in 0..30_i64, long in 1..40_i64) {
            for post in [Post::Duty, Post::Deputy] {
                let found = findings(&shifts, post, at(from), at(from + long));
                // Hours are the finest step of these shifts, so that half past each of them says it all.
                for hour in from..from + long {
                    let moment = at(hour).plus_seconds(1_800);
                    let mut here: Vec<&Handle> = shifts
                        .iter()
                        .filter(|shift| shift.post == post && shift.from <= moment && moment < shift.until)
                        .map(|shift| &shift.person)
                        .collect();
                    here.sort();
                    here.dedup();
                    let told = found.iter().find(|one| one.from <= moment && moment < one.until);
                    let looked_at = shifts.iter().any(|shift| shift.post == post);
                    match told {
                        Some(one) => prop_assert_eq!(one.persons.iter().collect::<Vec<_>>(), here),
                        None => prop_assert!(here.len() == 1 || !looked_at),
                    }
                }
                for pair in found.windows(2) {
                    prop_assert!(pair[0].until < pair[1].from || pair[0].persons != pair[1].persons);
                }
            }
        }

        #[test]
        fn who_is_on_duty_does_not_depend_on_the_order_of_the_shifts(shifts in any_shifts(), hour in 0..50_i64) {
            let mut turned = shifts.clone();
            turned.reverse();
            prop_assert_eq!(on_duty(&shifts, at(hour)), on_duty(&turned, at(hour)));
        }
    }
}
