//! What one holder of allowances has spent of them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::rate::Rate;

/// A token bucket, kept as the moment at which it is full again, in nanoseconds of the clock. What is
/// spent moves that moment on; beyond a whole window it is a debt.
///
/// Two that ask at the same moment may both get the last token: then the next waits the longer.
#[derive(Debug, Default)]
struct Bucket(AtomicU64);

/// The three allowances of one holder: requests, bytes, and events or attempts to sign in.
#[derive(Debug, Default)]
pub(super) struct Account([Bucket; 3]);

impl Account {
    /// Nanoseconds until the allowance is whole again.
    pub(super) fn owed(&self, kind: usize, now: u64) -> u64 {
        self.0[kind].0.load(Ordering::Relaxed).saturating_sub(now)
    }

    /// Nanoseconds until so many can be spent; 0 where they can be now.
    pub(super) fn wait(&self, kind: usize, rate: Rate, units: u64, now: u64) -> u64 {
        let after = self.owed(kind, now).saturating_add(rate.cost(units));
        after.saturating_sub(rate.window())
    }

    /// Spends so many, into debt where they are not there.
    pub(super) fn spend(&self, kind: usize, rate: Rate, units: u64, now: u64) {
        let cost = rate.cost(units);
        let later = |full: u64| Some(full.max(now).saturating_add(cost));
        let _always = self.0[kind].0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// How much is spent of the allowance that is spent most, in parts of 1,024.
    pub(super) fn spent(&self, rates: &[Rate; 3], now: u64) -> u64 {
        let part = |kind: usize| self.owed(kind, now).saturating_mul(1_024) / rates[kind].window();
        part(0).max(part(1)).max(part(2))
    }
}
