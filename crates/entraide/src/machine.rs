//! The machine: its clock and its randomness. The only file of the project that reads either.

use std::sync::OnceLock;
use std::time::{Instant, UNIX_EPOCH};

use model::Timestamp;
use node::ports::{Clock, Random};
use rand::rngs::{StdRng, SysError, SysRng};
use rand::{Rng, SeedableRng};

/// The machine's clock, which an administrator keeps right (NTP).
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the machine's clock is read")]
    fn now(&self) -> Timestamp {
        let micros = match std::time::SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
        };
        Timestamp::from_micros(micros)
    }
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the machine's clock is read")]
    fn steady(&self) -> Option<i64> {
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        let since = BEGUN.get_or_init(Instant::now).elapsed();
        Some(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no randomness (`{0}`): nothing can be kept secret on this machine")]
pub struct NoRandomness(SysError);

/// Randomness: ChaCha12, seeded by the operating system. A bulk command draws 100 KB, which would be 4,000 system calls.
pub struct MachineRandom(StdRng);

impl MachineRandom {
    /// Seeds a generator.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn new() -> Result<Self, NoRandomness> {
        StdRng::try_from_rng(&mut SysRng).map(Self).map_err(NoRandomness)
    }
}

impl Random for MachineRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::ports::random_bytes;

    #[test]
    fn the_clock_goes_on_and_chance_does_not_repeat() {
        let first = MachineClock.now();
        assert!(first <= MachineClock.now());
        assert!(MachineClock.steady() <= MachineClock.steady());
        // The first commit of the project was in 2026.
        assert!(first > "2026-01-01T00:00:00.000000Z".parse().unwrap());
        let (mut one, mut two) = (MachineRandom::new().unwrap(), MachineRandom::new().unwrap());
        assert_ne!(random_bytes::<32>(&mut one), random_bytes::<32>(&mut one));
        assert_ne!(random_bytes::<32>(&mut one), random_bytes::<32>(&mut two));
    }
}
