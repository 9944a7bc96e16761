//! The life of one acceptance. The provider's log decides; what the requester says meanwhile is an overlay.
//!
//! | State ╲ provider says | countersign | decline | offer withdrawn | acknowledge | end |
//! |---|---|---|---|---|---|
//! | proposed | in force | declined | lapsed | retracted | – |
//! | in force | – | – | notice (provider) | ended | ended |
//! | declined, lapsed, retracted, ended | – | – | stays | – | – |
//!
//! A dash is an invalid transition. An acknowledgement needs the requester's retraction.

use super::InvalidTransition;

/// Who wants out of what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The provider took its offer back after it had signed: it wants its people home.
    Provider,
    /// The requester took its acceptance back after the provider had signed.
    Requester,
}

/// Where an acceptance stands by the provider's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The requester accepted; the provider has not answered.
    Proposed,
    /// Both signed.
    InForce {
        /// The provider took its offer back afterwards.
        recalled: bool,
    },
    /// The provider did not sign.
    Declined,
    /// The provider had taken its offer back before it signed.
    Lapsed,
    /// The requester took it back before the provider signed.
    Retracted,
    /// It was in force, and is over.
    Ended {
        /// Was everything done that was agreed?
        fulfilled: bool,
    },
}

/// What the provider's log says next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// It signs.
    Countersign,
    /// It does not sign.
    Decline,
    /// It takes the offer back.
    OfferWithdrawn,
    /// It has read the requester's retraction.
    Acknowledge,
    /// It ends what is in force.
    End {
        /// Was everything done that was agreed?
        fulfilled: bool,
    },
}

/// The next state by the table above.
///
/// # Errors
/// The step has no place here: it changes nothing.
pub fn apply(state: State, step: Step) -> Result<State, InvalidTransition> {
    match (state, step) {
        (State::Proposed, Step::Countersign) => Ok(State::InForce { recalled: false }),
        (State::Proposed, Step::Decline) => Ok(State::Declined),
        (State::Proposed, Step::OfferWithdrawn) => Ok(State::Lapsed),
        (State::Proposed, Step::Acknowledge) => Ok(State::Retracted),
        (State::Proposed, Step::End { .. }) => Err(InvalidTransition::NotInForce),
        (State::InForce { .. }, Step::OfferWithdrawn) => Ok(State::InForce { recalled: true }),
        (State::InForce { .. }, Step::Acknowledge) => Ok(State::Ended { fulfilled: false }),
        (State::InForce { .. }, Step::End { fulfilled }) => Ok(State::Ended { fulfilled }),
        (State::Declined | State::Lapsed | State::Retracted | State::Ended { .. }, Step::OfferWithdrawn) => Ok(state),
        (State::InForce { .. }, Step::Countersign | Step::Decline)
        | (
            State::Declined | State::Lapsed | State::Retracted | State::Ended { .. },
            Step::Countersign | Step::Decline | Step::Acknowledge | Step::End { .. },
        ) => Err(InvalidTransition::TooLate),
    }
}

impl State {
    /// Is it in force?
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::InForce { .. })
    }
    /// Is there nothing more to come?
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Declined | Self::Lapsed | Self::Retracted | Self::Ended { .. })
    }
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::InForce { .. } => "in force",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
            Self::Retracted => "retracted",
            Self::Ended { fulfilled: true } => "ended",
            Self::Ended { fulfilled: false } => "terminated",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Countersign),
            Just(Step::Decline),
            Just(Step::OfferWithdrawn),
            Just(Step::Acknowledge),
            any::<bool>().prop_map(|fulfilled| Step::End { fulfilled }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_over_stays_over_and_nothing_is_signed_twice(steps in proptest::collection::vec(step(), 0..12)) {
            let (mut state, mut signed) = (State::Proposed, 0);
            for step in steps {
                if let Ok(next) = apply(state, step) {
                    signed += u32::from(step == Step::Countersign);
                    prop_assert!(!state.is_over() || next == state);
                    state = next;
                }
            }
            prop_assert!(signed <= 1);
            prop_assert!(signed == 1 || !state.is_in_force());
        }
    }

    #[test]
    fn whichever_comes_first_in_the_providers_log_decides() {
        let after = |steps: &[Step]| steps.iter().try_fold(State::Proposed, |state, step| apply(state, *step));
        assert_eq!(after(&[Step::OfferWithdrawn]), Ok(State::Lapsed));
        assert_eq!(after(&[Step::OfferWithdrawn, Step::Countersign]), Err(InvalidTransition::TooLate));
        assert_eq!(after(&[Step::Countersign, Step::OfferWithdrawn]), Ok(State::InForce { recalled: true }));
        assert_eq!(after(&[Step::Acknowledge, Step::Countersign]), Err(InvalidTransition::TooLate));
        assert_eq!(after(&[Step::Countersign, Step::Acknowledge]), Ok(State::Ended { fulfilled: false }));
    }
}
