//! A clock that shows the greatest time any sender has put on a message so far.

use std::sync::atomic::{AtomicI64, Ordering};

use tidings_core::port::Clock;
use tidings_core::time::Timestamp;

/// Shows 1990 until the first message with a time.
#[derive(Debug)]
pub struct DataClock(AtomicI64);

impl Default for DataClock {
    fn default() -> Self {
        Self(AtomicI64::new(Timestamp::EARLIEST_USED.as_millis()))
    }
}

impl DataClock {
    /// What it shows.
    pub fn shown(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// Turns it forward to a sender's time, never back; what it shows then.
    pub fn turn(&self, time: Option<Timestamp>) -> Timestamp {
        if let Some(time) = time {
            self.0.fetch_max(time.as_millis(), Ordering::SeqCst);
        }
        self.shown()
    }
}

impl Clock for DataClock {
    fn now(&self) -> Timestamp {
        self.shown()
    }
}
