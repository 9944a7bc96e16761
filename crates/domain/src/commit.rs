//! Who may commit the nation (workflows §0): two persons; or one within a standing authority that another has signed
//! before; or one alone in an emergency, which another ratifies afterwards.
//!
//! The life of an act that waits:
//!
//! | State ╲ decision | approve | decline | take back | sign alone | ratify | refuse |
//! |---|---|---|---|---|---|---|
//! | awaiting | approved (another) | declined (another) | taken back (the same) | signed alone (the same) | – | – |
//! | signed alone | – | – | – | – | ratified (another) | not ratified (another) |
//! | approved, declined, taken back, ratified, not ratified | – | – | – | – | – | – |
//!
//! *Another* and *the same* are said of whoever began it. Time alone says *expired*, on reading.

use std::collections::BTreeSet;

use model::Timestamp;
use model::commit::{Act, Bounds, Extent};
use model::extension::assistance::{AgreementStep, Answer, HelpKind, Line};

use crate::assist::case::Case;
use crate::assist::{Heard, Word};

/// Where an act stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// One person has begun it; another decides.
    Awaiting,
    /// Another approved it: it is said.
    Approved,
    /// Another declined it.
    Declined,
    /// Whoever began it took it back.
    TakenBack,
    /// Whoever began it signed alone, in an emergency: it is said, and another ratifies it or not.
    Alone,
    /// Another stands behind what one had signed alone.
    Ratified,
    /// Another does not. What was said stands: it never ends a running mission by itself.
    NotRatified,
    /// One person signed within a standing authority.
    WithinAuthority,
}

/// What somebody decides about an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It is said, in the names of both.
    Approve,
    /// It is not said.
    Decline,
    /// Whoever began it wants it no more.
    TakeBack,
    /// Whoever began it can't wait.
    SignAlone,
    /// What was signed alone is right.
    Ratify,
    /// What was signed alone is not.
    Refuse,
}

/// Why a decision has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// The second person is another than the first.
    #[error("whoever began it can't be the second person: another account decides")]
    SamePerson,
    /// Only whoever began it.
    #[error("only whoever began it may do this")]
    AnotherPerson,
    /// It is over.
    #[error("it is decided already")]
    Over,
    /// Nobody decided in time.
    #[error("it has expired: begin it again")]
    Expired,
    /// It was not signed alone.
    #[error("only what one person has signed alone is ratified")]
    NotAlone,
}

impl State {
    /// The word in the API and for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::TakenBack => "taken-back",
            Self::Alone => "signed-alone",
            Self::Ratified => "ratified",
            Self::NotRatified => "not-ratified",
            Self::WithinAuthority => "within-authority",
        }
    }

    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Awaiting,
        Self::Approved,
        Self::Declined,
        Self::TakenBack,
        Self::Alone,
        Self::Ratified,
        Self::NotRatified,
        Self::WithinAuthority,
    ];

    /// Does somebody still have to decide?
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Awaiting | Self::Alone)
    }
}

/// The next state by the table above. `same` says that whoever decides is who began it; `expired`, that its time is over.
///
/// # Errors
/// The decision has no place here: it changes nothing.
pub fn apply(state: State, decision: Decision, same: bool, expired: bool) -> Result<State, Misplaced> {
    let by_another = |next: State| if same { Err(Misplaced::SamePerson) } else { Ok(next) };
    let by_the_same = |next: State| if same { Ok(next) } else { Err(Misplaced::AnotherPerson) };
    match (state, decision) {
        (State::Awaiting, _) if expired => Err(Misplaced::Expired),
        (State::Awaiting, Decision::Approve) => by_another(State::Approved),
        (State::Awaiting, Decision::Decline) => by_another(State::Declined),
        (State::Awaiting, Decision::TakeBack) => by_the_same(State::TakenBack),
        (State::Awaiting, Decision::SignAlone) => by_the_same(State::Alone),
        (State::Alone, Decision::Ratify) => by_another(State::Ratified),
        (State::Alone, Decision::Refuse) => by_another(State::NotRatified),
        (State::Awaiting, Decision::Ratify | Decision::Refuse) => Err(Misplaced::NotAlone),
        (State::Alone, Decision::Approve | Decision::Decline | Decision::TakeBack | Decision::SignAlone)
        | (
            State::Approved
            | State::Declined
            | State::TakenBack
            | State::Ratified
            | State::NotRatified
            | State::WithinAuthority,
            _,
        ) => Err(Misplaced::Over),
    }
}

/// What was done under an authority so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// People or pieces.
    pub quantity: u32,
    /// Cents.
    pub cost_cents: u64,
}

/// Why an authority does not cover an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Beyond {
    /// It is not for such acts.
    Act,
    /// It is not for such help.
    Kind,
    /// It would be more than it allows, with what was done under it.
    Quantity,
    /// It would cost more than it allows.
    Cost,
    /// Its time is over.
    Time,
}

/// Does an authority cover one more act at a moment?
///
/// # Errors
/// It does not, and why.
pub fn covers(bounds: &Bounds, act: Act, extent: &Extent, used: Used, now: Timestamp) -> Result<(), Beyond> {
    if !act.is_ruled() || !bounds.acts.contains(&act) {
        return Err(Beyond::Act);
    }
    if now >= bounds.until {
        return Err(Beyond::Time);
    }
    if !bounds.kinds.is_empty() && !extent.kinds.is_subset(&bounds.kinds) {
        return Err(Beyond::Kind);
    }
    if used.quantity.saturating_add(extent.quantity) > bounds.quantity {
        return Err(Beyond::Quantity);
    }
    if bounds.cost_cents.is_some_and(|most| used.cost_cents.saturating_add(extent.cost_cents) > most) {
        return Err(Beyond::Cost);
    }
    Ok(())
}

/// Which act a statement is; `None` for those that commit to nothing: a maybe, a no, taking back, declining, a message.
#[must_use]
pub fn act_of(word: &Word) -> Option<Act> {
    match word {
        Word::Request(request) if request.common.created == request.common.modified => Some(Act::Ask),
        Word::Request(_) => Some(Act::Amend),
        Word::Offer(offer) => (offer.answer == Answer::Yes).then_some(Act::Offer),
        Word::Agreement(agreement) => match agreement.step {
            AgreementStep::Accept { .. } => Some(Act::Accept),
            AgreementStep::Countersign => Some(Act::Countersign),
            AgreementStep::Decline { .. } => None,
            AgreementStep::Retract { .. } | AgreementStep::Acknowledge | AgreementStep::End { .. } => Some(Act::End),
        },
        Word::Mission(_) => Some(Act::Mission),
        // A mandate is the entity's consent, and what its nation says by it: `assist::mandate`.
        Word::Room(_) | Word::Acknowledgement(_) | Word::Mandate(_) | Word::Helpers(_) | Word::Relayed(_) => None,
    }
}

/// What a statement of a case commits to.
#[must_use]
pub fn extent(case: &Case, heard: &Heard) -> Extent {
    match &heard.word {
        Word::Request(request) => of(request.lines.iter().map(|line| (Some(line.kind), line.quantity.into()))),
        Word::Offer(offer) => of(offer.lines.iter().map(|line| (kind(case, line.line), line.quantity.into()))),
        Word::Agreement(agreement) => match &agreement.step {
            AgreementStep::Accept { lines, .. } => {
                of(lines.iter().map(|line| (kind(case, line.line), line.quantity.into())))
            }
            AgreementStep::Countersign => {
                let all = case.offers.iter().flat_map(|offer| &offer.agreements);
                let lines = all.filter(|agreed| agreed.place == agreement.answers).flat_map(|agreed| &agreed.lines);
                of(lines.map(|line| (kind(case, line.line), line.quantity.into())))
            }
            AgreementStep::Decline { .. }
            | AgreementStep::Retract { .. }
            | AgreementStep::Acknowledge
            | AgreementStep::End { .. } => Extent::default(),
        },
        Word::Mission(mission) => Extent { cost_cents: mission.cost_cents, ..Extent::default() },
        Word::Room(_) | Word::Acknowledgement(_) | Word::Mandate(_) | Word::Helpers(_) | Word::Relayed(_) => {
            Extent::default()
        }
    }
}

fn kind(case: &Case, line: Line) -> Option<HelpKind> {
    case.request.lines.iter().find(|need| need.line == line).map(|need| need.kind)
}

fn of(lines: impl Iterator<Item = (Option<HelpKind>, u32)>) -> Extent {
    let mut extent = Extent::default();
    for (kind, quantity) in lines {
        extent.kinds.extend(kind);
        extent.quantity = extent.quantity.saturating_add(quantity);
    }
    extent
}

/// Do fewer acts need a second person than before? Then two persons decide it.
#[must_use]
pub fn weakens(before: &BTreeSet<Act>, after: &BTreeSet<Act>) -> bool {
    !before.is_subset(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn decision() -> impl Strategy<Value = Decision> {
        use Decision::{Approve, Decline, Ratify, Refuse, SignAlone, TakeBack};
        prop_oneof![Just(Approve), Just(Decline), Just(TakeBack), Just(SignAlone), Just(Ratify), Just(Refuse)]
    }

    proptest! {
        #[test]
        fn whatever_is_decided_nothing_is_approved_or_ratified_by_who_began_it(
            decisions in proptest::collection::vec((decision(), any::<bool>(), any::<bool>()), 0..12),
        ) {
            let mut state = State::Awaiting;
            let mut others = 0;
            for (decision, same, expired) in decisions {
                let Ok(next) = apply(state, decision, same, expired) else { continue };
                prop_assert!(state.is_open(), "{state:?} is over");
                others += u32::from(!same);
                let needs_another = matches!(next, State::Approved | State::Ratified);
                prop_assert!(!needs_another || !same);
                prop_assert!(next != State::Alone || (same && !expired));
                state = next;
            }
            prop_assert!(others <= 1);
        }

        #[test]
        fn an_authority_is_never_used_beyond_its_bounds(
            acts in proptest::collection::vec((0_u32..6, 0_u64..600, any::<bool>(), -2_i64..3), 0..20),
        ) {
            let bounds = bounds();
            let mut used = Used::default();
            for (quantity, cost_cents, forensics, late) in acts {
                let kind = if forensics { HelpKind::Forensics } else { HelpKind::Recovery };
                let extent = Extent { kinds: [kind].into(), quantity, cost_cents };
                if covers(&bounds, Act::Offer, &extent, used, bounds.until.plus_seconds(late)).is_ok() {
                    prop_assert!(forensics && late < 0);
                    used.quantity += quantity;
                    used.cost_cents += cost_cents;
                }
            }
            prop_assert!(used.quantity <= 10 && used.cost_cents <= 1_000);
        }
    }

    fn bounds() -> Bounds {
        Bounds {
            acts: [Act::Offer].into(),
            kinds: [HelpKind::Forensics].into(),
            quantity: 10,
            cost_cents: Some(1_000),
            until: NOW.plus_seconds(60),
        }
    }

    #[test]
    fn an_authority_says_what_is_beyond_it() {
        let check = |act, kind, quantity, cost_cents, expect| {
            let extent = Extent { kinds: [kind].into(), quantity, cost_cents };
            assert_eq!(covers(&bounds(), act, &extent, Used { quantity: 4, cost_cents: 100 }, NOW), expect);
        };
        check(Act::Offer, HelpKind::Forensics, 6, 900, Ok(()));
        check(Act::Offer, HelpKind::Forensics, 7, 0, Err(Beyond::Quantity));
        check(Act::Offer, HelpKind::Forensics, 1, 901, Err(Beyond::Cost));
        check(Act::Offer, HelpKind::Recovery, 1, 0, Err(Beyond::Kind));
        check(Act::Accept, HelpKind::Forensics, 1, 0, Err(Beyond::Act));
        let any = Bounds { acts: [Act::Rules].into(), kinds: BTreeSet::new(), ..bounds() };
        assert_eq!(covers(&any, Act::Rules, &Extent::default(), Used::default(), NOW), Err(Beyond::Act));
    }

    #[test]
    fn an_act_that_nobody_decided_in_time_is_begun_again() {
        assert_eq!(apply(State::Awaiting, Decision::Approve, false, true), Err(Misplaced::Expired));
        assert_eq!(apply(State::Awaiting, Decision::SignAlone, true, true), Err(Misplaced::Expired));
        assert_eq!(apply(State::Alone, Decision::Ratify, false, true), Ok(State::Ratified), "late, and yet");
        assert_eq!(apply(State::Awaiting, Decision::Ratify, false, false), Err(Misplaced::NotAlone));
    }

    #[test]
    fn only_what_asks_less_weakens() {
        let set = |acts: &[Act]| acts.iter().copied().collect::<BTreeSet<_>>();
        assert!(!weakens(&set(&[]), &set(&[Act::Offer])));
        assert!(weakens(&set(&[Act::Offer]), &set(&[Act::Accept])));
        assert!(!weakens(&set(&[Act::Offer]), &set(&[Act::Accept, Act::Offer])));
    }
}
