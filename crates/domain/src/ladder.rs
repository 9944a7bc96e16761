//! A ladder under way: who was woken, whether somebody answered, and what is due. No state depends on now.

use model::Timestamp;
use model::alert::Ladder;

/// Where an alert stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody was woken yet.
    Started,
    /// The persons of a rung were woken.
    Notified {
        /// Which rung, from 0.
        rung: usize,
        /// When.
        at: Timestamp,
    },
    /// The last rung did not answer in time. Somebody may still.
    Exhausted {
        /// Since when.
        at: Timestamp,
    },
    /// Somebody answered.
    Acknowledged {
        /// When.
        at: Timestamp,
        /// Who.
        by: String,
    },
}

/// What happens to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The persons of a rung are woken.
    Notify {
        /// Which, from 0.
        rung: usize,
        /// When.
        at: Timestamp,
    },
    /// Nobody is left to be woken.
    GiveUp {
        /// When.
        at: Timestamp,
    },
    /// Somebody answers.
    Acknowledge {
        /// When.
        at: Timestamp,
        /// Who.
        by: String,
    },
}

/// Why a step was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStep {
    /// It is answered already.
    #[error("{by} has acknowledged it already")]
    Answered {
        /// Who.
        by: String,
    },
    /// Rungs are climbed one by one, each once.
    #[error("this rung is not the next")]
    NotNext,
}

/// Takes a step.
///
/// # Errors
/// The state has no place for it; nothing changes then.
pub fn apply(state: &State, step: Step, ladder: &Ladder) -> Result<State, InvalidStep> {
    let last = ladder.rungs().len() - 1;
    match (state, step) {
        (State::Acknowledged { by, .. }, _) => Err(InvalidStep::Answered { by: by.clone() }),
        (State::Started | State::Notified { .. } | State::Exhausted { .. }, Step::Acknowledge { at, by }) => {
            Ok(State::Acknowledged { at, by })
        }
        (State::Started, Step::Notify { rung: 0, at }) => Ok(State::Notified { rung: 0, at }),
        (State::Notified { rung: before, .. }, Step::Notify { rung, at }) if rung == before + 1 && rung <= last => {
            Ok(State::Notified { rung, at })
        }
        (State::Notified { rung, .. }, Step::GiveUp { at }) if *rung == last => Ok(State::Exhausted { at }),
        (
            State::Started | State::Notified { .. } | State::Exhausted { .. },
            Step::Notify { .. } | Step::GiveUp { .. },
        ) => Err(InvalidStep::NotNext),
    }
}

/// What is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Wake the persons of this rung.
    Notify(usize),
    /// Nothing until then.
    Wait(Timestamp),
    /// Nobody is left.
    GiveUp,
    /// Nothing any more.
    Nothing,
}

/// What is due at a moment. `unreached`: it is known that nobody of the current rung was reached, so that waiting for them
/// is in vain.
#[must_use]
pub fn due(state: &State, ladder: &Ladder, unreached: bool, now: Timestamp) -> Due {
    match state {
        State::Started => Due::Notify(0),
        State::Exhausted { .. } | State::Acknowledged { .. } => Due::Nothing,
        State::Notified { rung, at } => {
            let minutes = ladder.rungs().get(*rung).map_or(0, |rung| rung.minutes);
            let until = at.plus_seconds(i64::from(minutes) * 60);
            if now < until && !unreached {
                return Due::Wait(until);
            }
            if rung + 1 < ladder.rungs().len() { Due::Notify(rung + 1) } else { Due::GiveUp }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::alert::{Channel, Rung};
    use proptest::prelude::*;

    use super::*;

    fn ladder(minutes: &[u16]) -> Ladder {
        let rung = |minutes: &u16| Rung { who: "anna".parse().unwrap(), by: vec![Channel::Mail], minutes: *minutes };
        Ladder::try_from(minutes.iter().map(rung).collect::<Vec<_>>()).unwrap()
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_seconds(minute * 60)
    }

    #[test]
    fn a_ladder_is_climbed_until_somebody_answers() {
        let ladder = ladder(&[5, 10]);
        let first = apply(&State::Started, Step::Notify { rung: 0, at: at(0) }, &ladder).unwrap();
        assert_eq!(due(&first, &ladder, false, at(4)), Due::Wait(at(5)));
        assert_eq!(due(&first, &ladder, true, at(0)), Due::Notify(1), "nobody was reached: the next at once");
        assert_eq!(due(&first, &ladder, false, at(5)), Due::Notify(1));
        let second = apply(&first, Step::Notify { rung: 1, at: at(5) }, &ladder).unwrap();
        assert_eq!(due(&second, &ladder, false, at(15)), Due::GiveUp);
        let over = apply(&second, Step::GiveUp { at: at(15) }, &ladder).unwrap();
        let late = Step::Acknowledge { at: at(40), by: "Ben".to_owned() };
        let answered = apply(&over, late.clone(), &ladder).unwrap();
        assert_eq!(due(&answered, &ladder, false, at(99)), Due::Nothing);
        assert_eq!(apply(&answered, late, &ladder), Err(InvalidStep::Answered { by: "Ben".to_owned() }));
    }

    fn any_step() -> impl Strategy<Value = (u8, usize, i64)> {
        (0..3_u8, 0..5_usize, 0..100_i64)
    }

    proptest! {
        #[test]
        fn no_rung_is_climbed_twice_or_left_out_whatever_comes(
            steps in proptest::collection::vec(any_step(), 0..30), minutes in proptest::collection::vec(1..30_u16, 1..5),
        ) {
            let ladder = ladder(&minutes);
            let (mut state, mut climbed) = (State::Started, Vec::new());
            for (kind, rung, minute) in steps {
                let step = match kind {
                    0 => Step::Notify { rung, at: at(minute) },
                    1 => Step::GiveUp { at: at(minute) },
                    _ => Step::Acknowledge { at: at(minute), by: "anna".to_owned() },
                };
                let answered = matches!(state, State::Acknowledged { .. });
                if let Ok(next) = apply(&state, step, &ladder) {
                    prop_assert!(!answered, "what is answered stays so");
                    if let State::Notified { rung, .. } = next {
                        climbed.push(rung);
                    }
                    state = next;
                }
            }
            prop_assert!(climbed.iter().copied().eq(0..climbed.len()) && climbed.len() <= minutes.len());
        }

        #[test]
        fn whoever_does_what_is_due_wakes_everybody_and_ends(minutes in proptest::collection::vec(1..30_u16, 1..5)) {
            let ladder = ladder(&minutes);
            let (mut state, mut now, mut woken) = (State::Started, at(0), 0);
            for _ in 0..30 {
                let step = match due(&state, &ladder, false, now) {
                    Due::Notify(rung) => { woken += 1; Step::Notify { rung, at: now } }
                    Due::GiveUp => Step::GiveUp { at: now },
                    Due::Wait(until) => { prop_assert!(until > now); now = until; continue; }
                    Due::Nothing => break,
                };
                state = apply(&state, step, &ladder).unwrap();
            }
            let whole: i64 = minutes.iter().map(|minutes| i64::from(*minutes)).sum();
            prop_assert_eq!((woken, state), (minutes.len(), State::Exhausted { at: at(whole) }));
        }
    }
}
