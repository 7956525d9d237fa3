//! The system's clock and its source of chance.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use tidings_core::port::{Clock, Randomness};
use tidings_core::time::Timestamp;

/// The wall clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        // Moving from 1970 keeps a broken clock within the years that have a text form.
        Timestamp::from_millis(0).plus_millis(millis)
    }

    fn elapsed(&self) -> Duration {
        static FIRST_ASKED: LazyLock<Instant> = LazyLock::new(Instant::now);
        FIRST_ASKED.elapsed()
    }
}

/// The operating system's random numbers, through AWS-LC.
#[derive(Debug, Default)]
pub struct SystemRandomness {
    source: SystemRandom,
}

impl Randomness for SystemRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        self.source.fill(buffer).expect("AWS-LC aborts the process itself when the system has no randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_differ_and_time_is_past_2026() {
        let (mut first, mut second) = ([0; 16], [0; 16]);
        SystemRandomness::default().fill(&mut first);
        SystemRandomness::default().fill(&mut second);
        assert_ne!(first, second);
        assert!(SystemClock.now() > Timestamp::from_millis(1_767_225_600_000));
        let earlier = SystemClock.elapsed();
        assert!(SystemClock.elapsed() >= earlier);
    }
}
