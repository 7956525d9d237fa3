//! A clock that stands still until a test turns it.

use std::sync::atomic::{AtomicI64, Ordering};

use tidings_core::port::{Clock, Randomness};
use tidings_core::time::Timestamp;

/// 2026-01-01T00:00:00Z, where every hand-turned clock starts unless told otherwise.
pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// A clock that shows what the test set.
#[derive(Debug)]
pub struct HandClock {
    millis: AtomicI64,
}

impl Default for HandClock {
    fn default() -> Self {
        Self::at(START)
    }
}

impl HandClock {
    /// A clock that shows this instant.
    pub fn at(instant: Timestamp) -> Self {
        Self { millis: AtomicI64::new(instant.as_millis()) }
    }

    /// Turns it to an instant, forward or back.
    pub fn set(&self, instant: Timestamp) {
        self.millis.store(instant.as_millis(), Ordering::SeqCst);
    }

    /// Turns it forward by `millis` milliseconds, and says what it shows then.
    pub fn advance_millis(&self, millis: i64) -> Timestamp {
        Timestamp::from_millis(self.millis.fetch_add(millis, Ordering::SeqCst) + millis)
    }

    /// Turns it forward by `hours` hours, and says what it shows then.
    pub fn advance_hours(&self, hours: i64) -> Timestamp {
        self.advance_millis(hours * 3_600_000)
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

/// Chance that repeats: every byte follows from the seed (SplitMix64). For tests only.
#[derive(Debug)]
pub struct SeededRandomness {
    state: std::sync::Mutex<u64>,
}

impl SeededRandomness {
    /// Chance that follows from a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: std::sync::Mutex::new(seed) }
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.state.lock().expect("no holder panics");
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            chunk.copy_from_slice(&mixed.to_be_bytes()[..chunk.len()]);
        }
    }
}
