use async_trait::async_trait;

use crate::filter::Filter;
use crate::id::{EventId, TenantId};
use crate::port::{LogEntry, PortError};
use crate::position::Position;
use crate::time::Timestamp;

/// A structured or full-text read of stored events.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose events.
    pub tenants: Vec<TenantId>,
    /// Which of them.
    pub filter: Filter,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Received before.
    pub until: Option<Timestamp>,
    /// True for the current revision of each thread only.
    pub latest: bool,
    /// In which order.
    pub sort: Sort,
    /// At most how many.
    pub limit: usize,
    /// The last item of the page before: its sort time and its position.
    pub after: Option<(Timestamp, Position)>,
}

/// In which order events are listed; newest first, equal times by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// By when we received them.
    Received,
    /// By when they happened; those that do not say come last.
    Occurred,
}

/// A page of ids in order.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// What was found, with the sort time of each.
    pub found: Vec<Found>,
    /// True when there is more.
    pub has_more: bool,
    /// Everything up to here was taken into account.
    pub as_of: Position,
}

/// One event that a query found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub event: EventId,
    /// Where it is.
    pub position: Position,
    /// The time it was sorted by.
    pub time: Timestamp,
}

/// A read view that follows the log.
#[async_trait]
pub trait Projection: Send + Sync {
    /// Applies entries in order and moves the cursor to the last of them, at once; entries at or
    /// below the cursor change nothing. `now` is kept as the time they came into the view.
    ///
    /// # Errors
    /// `Retry::Later` when the view may recover; the entries are offered again.
    async fn apply(&self, entries: &[LogEntry], now: Timestamp) -> Result<(), PortError>;

    /// When the event at this position came into the view, as far as reads of the view show it: a
    /// view that was built anew gives the later time.
    ///
    /// # Errors
    /// When the view cannot be read.
    async fn applied_at(&self, position: Position) -> Result<Option<Timestamp>, PortError>;

    /// The last entry applied and kept.
    ///
    /// # Errors
    /// When the view cannot be read.
    async fn cursor(&self) -> Result<Position, PortError>;

    /// Takes every event of a tenant out of the view, and out of its files. Durable when it returns.
    ///
    /// # Errors
    /// When the view cannot be changed, or its files are still read by somebody; it is asked again.
    async fn forget(&self, tenant: &TenantId) -> Result<(), PortError>;
}

/// Structured and full-text reads.
#[async_trait]
pub trait EventQuery: Send + Sync {
    /// Finds events. `state` in the filter is judged as of `now`.
    ///
    /// # Errors
    /// When the view cannot be read.
    async fn search(&self, query: &Query, now: Timestamp) -> Result<Page, PortError>;
}
