//! The clock of an exercise: the machine's and an offset, which only grows while the exercise runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::Timestamp;
use node::ports::Clock;

/// A clock that is ahead of the machine's (or behind, if the exercise plays in the past).
pub struct ExerciseClock {
    machine: Arc<dyn Clock>,
    ahead: AtomicI64,
}

impl ExerciseClock {
    /// A clock that is `ahead` microseconds ahead of the machine's.
    #[must_use]
    pub fn new(machine: Arc<dyn Clock>, ahead: i64) -> Self {
        Self { machine, ahead: AtomicI64::new(ahead) }
    }

    /// How far it is ahead, microseconds.
    #[must_use]
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Is ahead by `ahead` from now on. Never less than before: what was said would lie in the future.
    pub fn advance(&self, ahead: i64) {
        self.ahead.fetch_max(ahead, Ordering::Relaxed);
    }
}

impl Clock for ExerciseClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.machine.now().micros().saturating_add(self.ahead()))
    }
    fn wall(&self) -> Timestamp {
        self.machine.wall()
    }
    fn steady(&self) -> Option<i64> {
        self.machine.steady()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Standing;

    impl Clock for Standing {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(1_000)
        }
    }

    #[test]
    fn an_exercises_clock_goes_forward_alone_and_watches_show_the_machines() {
        let clock = ExerciseClock::new(Arc::new(Standing), -500_000_000);
        let check = |now| {
            assert_eq!((clock.now(), clock.wall()), (Timestamp::from_seconds(now), Timestamp::from_seconds(1_000)))
        };
        check(500);
        clock.advance(60_000_000);
        check(1_060);
        clock.advance(0);
        check(1_060);
    }
}
