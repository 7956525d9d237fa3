use std::time::Duration;

use crate::time::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, which never goes back: for measuring how long things take.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.now().as_millis()).unwrap_or_default())
    }
}

/// Where chance comes from.
pub trait Randomness: Send + Sync + std::fmt::Debug {
    /// Fills the buffer with bytes nobody can guess.
    fn fill(&self, buffer: &mut [u8]);
}
