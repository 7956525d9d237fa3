//! How long many things took.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Durations in a histogram of three significant digits, up to a minute.
#[derive(Debug, Clone)]
pub(super) struct Times(Histogram<u64>);

impl Times {
    pub(super) fn new() -> Self {
        let a_minute_ns = 60_000_000_000;
        Self(Histogram::new_with_bounds(1, a_minute_ns, 3).expect("the bounds are in order"))
    }

    pub(super) fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1));
    }

    pub(super) fn join(&mut self, others: &Self) {
        self.0.add(&others.0).expect("they have the same bounds");
    }

    /// The time that this share of all took at most.
    pub(super) fn at(&self, share: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(share))
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(super) fn mean(&self) -> Duration {
        Duration::from_nanos(self.0.mean() as u64)
    }
}

/// How many a second.
pub(super) fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}
