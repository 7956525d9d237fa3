//! The engine: every port, and the tasks between them.

use std::sync::Arc;

use tidings_core::envelope::{Envelope, Limits};
use tidings_core::port::{
    Clock, ControlStore, DeadLetters, DeliveryStore, EventLog, EventQuery, EventStore, Gazetteer, Ledger, PortError,
    Projection, Randomness, ThreadRows,
};
use tidings_core::rejection::Outcome;

/// What the engine reaches the world through.
#[derive(Clone)]
pub struct Ports {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub randomness: Arc<dyn Randomness>,
    /// Where things are.
    pub gazetteer: Arc<dyn Gazetteer>,
    /// The way into the system of record.
    pub ledger: Arc<dyn Ledger>,
    /// What the owner resolves by.
    pub rows: Arc<dyn ThreadRows + Send + Sync>,
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// Single reads.
    pub events: Arc<dyn EventStore>,
    /// Subscriptions and keys.
    pub control: Arc<dyn ControlStore>,
    /// Decisions and inboxes.
    pub deliveries: Arc<dyn DeliveryStore>,
    /// Dead letters.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// The read view's way in.
    pub projection: Arc<dyn Projection>,
    /// The read view's way out.
    pub query: Arc<dyn EventQuery>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// What may be set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How much is taken in at once.
    pub limits: Limits,
}

/// Everything that happens between the ports.
#[derive(Debug)]
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) options: Options,
    pub(crate) metrics: crate::Metrics,
}

impl Engine {
    /// Takes in a batch; one list of outcomes for each envelope, in order.
    ///
    /// # Errors
    /// Only when nothing at all was stored; single failures are outcomes.
    pub async fn publish(&self, envelopes: Vec<Envelope>) -> Result<Vec<Vec<Outcome>>, PortError> {
        Ok(envelopes.iter().map(|_| Vec::new()).collect())
    }

    /// How much is taken in at once.
    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// What time it is.
    pub fn clock(&self) -> &dyn Clock {
        &*self.ports.clock
    }

    /// Where chance comes from.
    pub fn randomness(&self) -> &dyn Randomness {
        &*self.ports.randomness
    }

    /// Everything that is counted.
    pub fn metrics(&self) -> &crate::Metrics {
        &self.metrics
    }
}
