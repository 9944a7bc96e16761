//! The life of a shared statement: said → withdrawn → erased. It only ever goes forward, and time alone changes nothing.
//!
//! A withdrawal may arrive before what it withdraws (two lanes, workflow first), so the machine starts at `Unheard`.

use model::extension::WithdrawalAction;

/// Where a statement stands, as its owner's log and this node's store say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Not arrived yet.
    Unheard,
    /// Said and in force.
    Said,
    /// Taken back; the body is sealed and out of every view.
    Withdrawn,
    /// Taken back and the body erased; only envelope and commitment are left.
    Erased,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its opening arrived, with or without a body.
    Opened {
        /// Did the body come with it? A withdrawn statement is served as an envelope alone.
        with_body: bool,
    },
    /// Its owner took it back.
    Taken(WithdrawalAction),
}

/// The next state. Total: every event has a meaning in every state, so that order of arrival never matters.
#[must_use]
pub fn apply(state: Sharing, event: Event) -> Sharing {
    match (state, event) {
        (Sharing::Unheard, Event::Opened { with_body: true }) | (Sharing::Said, Event::Opened { .. }) => Sharing::Said,
        (Sharing::Unheard, Event::Opened { with_body: false })
        | (Sharing::Withdrawn, Event::Opened { .. })
        | (Sharing::Unheard | Sharing::Said | Sharing::Withdrawn, Event::Taken(WithdrawalAction::StopSharing)) => {
            Sharing::Withdrawn
        }
        (Sharing::Unheard | Sharing::Said | Sharing::Withdrawn, Event::Taken(WithdrawalAction::Purge))
        | (Sharing::Erased, Event::Opened { .. } | Event::Taken(_)) => Sharing::Erased,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: [Sharing; 4] = [Sharing::Unheard, Sharing::Said, Sharing::Withdrawn, Sharing::Erased];

    fn rank(state: Sharing) -> usize {
        STATES.iter().position(|other| *other == state).unwrap()
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::Opened { with_body: true }),
            Just(Event::Opened { with_body: false }),
            Just(Event::Taken(WithdrawalAction::StopSharing)),
            Just(Event::Taken(WithdrawalAction::Purge)),
        ]
    }

    proptest! {
        #[test]
        fn a_life_only_goes_forward_and_ends_alike_in_any_order(events in proptest::collection::vec(event(), 1..8)) {
            let mut state = Sharing::Unheard;
            for event in &events {
                let next = apply(state, *event);
                prop_assert!(rank(next) >= rank(state));
                state = next;
            }
            let backwards = events.iter().rev().fold(Sharing::Unheard, |state, event| apply(state, *event));
            let taken = events.iter().any(|event| matches!(event, Event::Taken(_)));
            if taken {
                prop_assert_eq!(state, backwards);
            }
        }
    }

    #[test]
    fn what_was_taken_back_first_never_appears() {
        let taken = apply(Sharing::Unheard, Event::Taken(WithdrawalAction::StopSharing));
        assert_eq!(apply(taken, Event::Opened { with_body: true }), Sharing::Withdrawn);
    }
}
