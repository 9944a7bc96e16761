//! The time that a node goes by: the machine's clock, but never back; and beside it a time that no jump hurries.
//!
//! A deadline is a fact and is compared with a time as it is read. So what a clock that is set back would extend (a session,
//! an invitation, a deadline) is kept by one rule: the time that the node has gone by never goes back, neither while it
//! runs, where it goes on with the machine's steady clock, nor after a restart, where it begins at the latest time that a
//! commit has kept. A clock that jumps forward ends nothing for good: what deletes or drops goes by the *sure* time, which
//! moves as the steady clock does and no faster. docs/decisions/0013-time.md says why.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::Timestamp;
use sha2::{Digest, Sha256};
use store::{Db, StoreError};
use tokio::sync::watch;

use crate::limits;
use crate::ports::Clock;
use crate::work::Work;
use crate::writer::{Node, WriteError};

/// The setting in which the latest times are kept.
const SETTING: &str = "clock";

/// The times of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// In the realm of the node: what statements, arrivals and deadlines go by. Never back.
    pub now: Timestamp,
    /// On people's watches: what sessions, tokens and pauses go by. Never back.
    pub wall: Timestamp,
    /// As the machine shows it: what one-time codes are compared with, since their device is set right by itself. That
    /// none is used twice is kept by its number.
    pub watch: Timestamp,
    /// At most `now`, and no jump hurries it: what deletes or drops for good goes by it.
    pub sure: Timestamp,
}

impl Moment {
    /// The same for all four: for folds and tests.
    #[must_use]
    pub const fn of(now: Timestamp) -> Self {
        Self { now, wall: now, watch: now, sure: now }
    }
}

/// What an operator should know of the machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// What the machine shows, in the realm of the node.
    pub shows: Timestamp,
    /// What the node goes by.
    pub goes_by: Timestamp,
    /// By how many seconds the machine is behind it: it was set back, or was wrong before.
    pub behind: u64,
    /// By how many seconds it jumped forward since the node was started, or the machine slept.
    pub jumped: u64,
}

/// One hand: how far it is ahead of the steady clock. It only grows.
struct Hand(AtomicI64);

impl Hand {
    fn read(&self, shown: Timestamp, steady: i64) -> Timestamp {
        let ahead = shown.micros().saturating_sub(steady);
        let before = self.0.fetch_max(ahead, Ordering::Relaxed);
        Timestamp::from_micros(steady.saturating_add(before.max(ahead)))
    }
    fn set(&self, shown: Timestamp, steady: i64) {
        self.0.store(shown.micros().saturating_sub(steady), Ordering::Relaxed);
    }
    fn ahead(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The latest times that a commit has kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    now: Timestamp,
    wall: Timestamp,
    sure: Timestamp,
}

impl Kept {
    /// What a database has kept, if it was ever written to by a version that keeps it.
    ///
    /// # Errors
    /// The database, or a value that was changed: with a wrong time every deadline would be wrong.
    pub(crate) fn read(db: &Db<'_>) -> Result<Option<Self>, StoreError> {
        let Some(text) = db.setting(SETTING)? else { return Ok(None) };
        let kept = Self::parsed(&text);
        let what = || format!("the setting `{SETTING}` is not what was written");
        kept.map(Some).ok_or_else(|| StoreError::Corrupt { what: what() })
    }

    fn parsed(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut time = || words.next()?.parse::<i64>().ok().map(Timestamp::from_micros);
        let kept = Self { now: time()?, wall: time()?, sure: time()? };
        (kept.text() == text).then_some(kept)
    }

    /// One spelling, with a check at its end.
    fn text(self) -> String {
        let times = format!("{} {} {}", self.now.micros(), self.wall.micros(), self.sure.micros());
        let sum: [u8; 32] = Sha256::digest(format!("entraide/clock/v1 {times}")).into();
        format!("{times} {}", model::bytes::hex(&sum[..8]))
    }
}

/// A clock that never goes back.
pub struct Ratchet {
    clock: Arc<dyn Clock>,
    now: Hand,
    wall: Hand,
    /// How far the sure time is ahead of the steady clock.
    sure: AtomicI64,
    /// How far the machine's clock was ahead of the steady one when this was made, or accepted.
    begun: AtomicI64,
}

impl Ratchet {
    /// Goes on from what was kept.
    pub(crate) fn new(clock: Arc<dyn Clock>, kept: Option<Kept>) -> Self {
        let steady = clock.steady().unwrap_or(0);
        let kept = kept.unwrap_or(Kept { now: clock.now(), wall: clock.wall(), sure: clock.wall() });
        let begun = AtomicI64::new(kept.wall.max(clock.wall()).micros().saturating_sub(steady));
        let hand = |at: Timestamp| Hand(AtomicI64::new(at.micros().saturating_sub(steady)));
        let sure = AtomicI64::new(kept.sure.micros().saturating_sub(steady));
        Self { now: hand(kept.now), wall: hand(kept.wall), sure, begun, clock }
    }

    /// The times of now.
    #[must_use]
    pub fn moment(&self) -> Moment {
        let (shown, watch, steady) = (self.clock.now(), self.clock.wall(), self.clock.steady());
        let now = self.now.read(shown, steady.unwrap_or(0));
        let wall = self.wall.read(watch, steady.unwrap_or(0));
        // Without a steady clock nothing tells a jump from time that has passed. The clock of an exercise is set forward by
        // a person, who is sure of it.
        let sure = steady.map_or(now, |steady| {
            let set = shown.micros().saturating_sub(watch.micros());
            let sure = steady.saturating_add(self.sure.load(Ordering::Relaxed)).saturating_add(set);
            now.min(Timestamp::from_micros(sure))
        });
        Moment { now, wall, watch, sure }
    }

    /// What is to be kept with a commit at a moment, if that is so far from what was kept that it matters.
    pub(crate) fn to_keep(&self, moment: Moment, kept: Option<Timestamp>) -> Option<(&'static str, String)> {
        let far = |kept: Timestamp| {
            kept.micros().abs_diff(moment.now.micros()) >= limits::CLOCK_KEPT_MILLIS.unsigned_abs() * 1_000
        };
        let Moment { now, wall, watch, sure } = moment;
        // By people's watches, wherever the clock of an exercise is set to next.
        let set = self.clock.now().micros().saturating_sub(watch.micros());
        let sure = Timestamp::from_micros(sure.micros().saturating_sub(set)).min(wall);
        kept.is_none_or(far).then(|| (SETTING, Kept { now, wall, sure }.text()))
    }

    /// What an operator should look at: `None` if the machine's clock goes on as it should.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        let Moment { now: goes_by, wall, watch, sure: _ } = self.moment();
        let seconds = |micros: i64| u64::try_from(micros / 1_000_000).unwrap_or(0);
        let behind = seconds(wall.micros().saturating_sub(watch.micros()));
        let jumped = self.wall.ahead().saturating_sub(self.begun.load(Ordering::Relaxed));
        // Without a steady clock it is all time that has passed.
        let jumped = if self.clock.steady().is_some() { seconds(jumped) } else { 0 };
        let tells = behind >= limits::CLOCK_DOUBT_SECONDS || jumped >= limits::CLOCK_DOUBT_SECONDS;
        tells.then(|| Doubt { shows: self.clock.now(), goes_by, behind, jumped })
    }

    fn accept(&self) -> Kept {
        let (now, wall, steady) = (self.clock.now(), self.clock.wall(), self.clock.steady().unwrap_or(0));
        self.now.set(now, steady);
        self.wall.set(wall, steady);
        self.sure.store(wall.micros().saturating_sub(steady), Ordering::Relaxed);
        self.begun.store(wall.micros().saturating_sub(steady), Ordering::Relaxed);
        Kept { now, wall, sure: wall }
    }
}

impl Clock for Ratchet {
    fn now(&self) -> Timestamp {
        self.now.read(self.clock.now(), self.clock.steady().unwrap_or(0))
    }
    fn wall(&self) -> Timestamp {
        self.wall.read(self.clock.wall(), self.clock.steady().unwrap_or(0))
    }
    fn steady(&self) -> Option<i64> {
        self.clock.steady()
    }
}

/// Takes the machine's clock as right, after a person has looked at it: the node goes by it from now on, also where it is
/// behind, and what has run out by it may be dropped.
///
/// # Errors
/// The node is busy or has stopped.
pub async fn accept(node: &Node) -> Result<Timestamp, WriteError<StoreError>> {
    let ratchet = Arc::clone(node.ratchet());
    let accepted = node.write(move |work: &mut Work<'_, '_>| {
        // Before the commit: what follows it in the same group goes by it already.
        let kept = ratchet.accept();
        work.tx.set_setting(SETTING, &kept.text())?;
        Ok(kept.now)
    });
    accepted.await
}

/// Keeps the time while nobody writes, until `stop` says so: a restart then goes on from there.
pub async fn keep(node: Node, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(limits::CLOCK_KEPT_EVERY) => {}
        }
        // A node that has stopped writing says so wherever that matters.
        let _ = node.write_quietly(|_| Ok::<_, StoreError>(())).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    /// A machine whose clock jumps while its steady clock does not: (shown, steady), seconds.
    struct Machine(Mutex<(i64, i64)>);

    impl Machine {
        fn at(shown: i64, steady: i64) -> Arc<Self> {
            Arc::new(Self(Mutex::new((shown, steady))))
        }
        fn set(&self, shown: i64, steady: i64) {
            *self.0.lock().unwrap() = (shown, steady);
        }
    }

    impl Clock for Machine {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(self.0.lock().unwrap().0)
        }
        fn steady(&self) -> Option<i64> {
            Some(self.0.lock().unwrap().1 * 1_000_000)
        }
    }

    fn seconds(at: Timestamp) -> i64 {
        at.micros() / 1_000_000
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_hold_up_what_runs_out() {
        let machine = Machine::at(1_000, 0);
        let ratchet = Ratchet::new(machine.clone(), None);
        machine.set(400, 60);
        assert_eq!(seconds(ratchet.now()), 1_060, "a minute has passed, whatever the clock shows");
        assert_eq!(ratchet.doubt().map(|doubt| (doubt.behind, doubt.jumped)), Some((660, 0)));
        assert_eq!(seconds(ratchet.moment().watch), 400);
        machine.set(1_070, 70);
        assert_eq!((seconds(ratchet.now()), ratchet.doubt()), (1_070, None));
    }

    #[test]
    fn a_clock_that_jumps_forward_runs_out_at_once_and_deletes_nothing() {
        let machine = Machine::at(1_000, 0);
        let ratchet = Ratchet::new(machine.clone(), None);
        machine.set(9_000_060, 60);
        let moment = ratchet.moment();
        assert_eq!((seconds(moment.now), seconds(moment.sure)), (9_000_060, 1_060));
        assert_eq!(ratchet.doubt().map(|doubt| (doubt.behind, doubt.jumped)), Some((0, 8_999_000)));
        // A person has looked: it is right.
        ratchet.accept();
        assert_eq!((seconds(ratchet.moment().sure), ratchet.doubt()), (9_000_060, None));
        // Another has looked, and set it right.
        machine.set(1_120, 120);
        assert_eq!(seconds(ratchet.now()), 9_000_120);
        ratchet.accept();
        assert_eq!((seconds(ratchet.now()), ratchet.doubt()), (1_120, None));
    }

    #[test]
    fn what_was_kept_is_gone_on_from_and_a_changed_byte_of_it_is_refused() {
        let kept = Kept {
            now: Timestamp::from_seconds(5_000),
            wall: Timestamp::from_seconds(4_000),
            sure: Timestamp::from_seconds(3_000),
        };
        assert_eq!(Kept::parsed(&kept.text()), Some(kept));
        let text = kept.text();
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                assert_eq!(Kept::parsed(&changed), None, "{changed}");
            }
        }
        let ratchet = Ratchet::new(Machine::at(1_000, 50), Some(kept));
        let Moment { now, wall, watch, sure } = ratchet.moment();
        assert_eq!([now, wall, watch, sure].map(seconds), [5_000, 4_000, 1_000, 3_000]);
        assert_eq!(ratchet.doubt().map(|doubt| (doubt.behind, doubt.jumped)), Some((3_000, 0)));
    }

    proptest! {
        #[test]
        fn however_a_clock_jumps_nothing_runs_out_later_than_time_has_passed(
            turns in prop::collection::vec((-1_000_000_i64..1_000_000, 0_i64..10_000, any::<bool>()), 1..40),
            term in 0_i64..50_000,
        ) {
            let machine = Machine::at(2_000_000, 0);
            let mut ratchet = Ratchet::new(machine.clone(), None);
            let deadline = seconds(ratchet.now()) + term;
            let (mut shown, mut steady, mut last, mut sure) = (2_000_000, 0, ratchet.moment(), ratchet.moment().sure);
            for (jump, passed, restarts) in turns {
                shown += jump + passed;
                steady += passed;
                machine.set(shown, steady);
                let moment = ratchet.moment();
                // It never goes back, time that has passed has passed, and nothing is deleted before its time.
                prop_assert!(moment.now.micros() - last.now.micros() >= passed * 1_000_000);
                prop_assert!(moment.sure >= sure && moment.sure <= moment.now);
                prop_assert!(moment.sure.micros() - sure.micros() <= passed * 1_000_000);
                prop_assert!(steady < term || seconds(moment.now) >= deadline);
                if restarts {
                    let (_, text) = ratchet.to_keep(moment, None).unwrap();
                    ratchet = Ratchet::new(machine.clone(), Kept::parsed(&text));
                }
                (last, sure) = (moment, moment.sure);
            }
        }
    }
}
