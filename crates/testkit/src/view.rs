//! A read view without any index: the reference of `Projection` and `EventQuery`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tidings_core::event::Event;
use tidings_core::filter::{Compiled, Subject};
use tidings_core::id::{TenantId, ThreadId};
use tidings_core::port::{
    EventQuery, EventStore, Found, LogEntry, LogRecord, Page, PortError, Projection, Query, Sort,
};
use tidings_core::position::Position;
use tidings_core::stored::Outlook;
use tidings_core::time::Timestamp;

/// Every event it was given, looked at one by one.
#[derive(Clone)]
pub struct MemoryView {
    rows: Arc<Mutex<BTreeMap<Position, Row>>>,
    cursor: Arc<Mutex<Position>>,
    events: Arc<dyn EventStore>,
}

#[derive(Clone)]
struct Row {
    thread: ThreadId,
    outlook: Outlook,
    event: Arc<Event>,
    applied: Timestamp,
}

impl std::fmt::Debug for MemoryView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryView").finish_non_exhaustive()
    }
}

impl MemoryView {
    /// An empty view over a store that knows the threads.
    pub fn new(events: Arc<dyn EventStore>) -> Self {
        let cursor = Arc::new(Mutex::new(Position::start(1)));
        Self { rows: Arc::default(), cursor, events }
    }
}

#[async_trait]
impl Projection for MemoryView {
    async fn apply(&self, entries: &[LogEntry], now: Timestamp) -> Result<(), PortError> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries.iter().filter(|entry| entry.position > *cursor) {
            if let LogRecord::Event { thread, outlook, event, .. } = &entry.record {
                let row = Row { thread: *thread, outlook: outlook.clone(), event: event.clone(), applied: now };
                rows.insert(entry.position, row);
            }
        }
        if let Some(last) = entries.last() {
            *cursor = last.position.max(*cursor);
        }
        Ok(())
    }

    async fn applied_at(&self, position: Position) -> Result<Option<Timestamp>, PortError> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.get(&position).map(|row| row.applied))
    }

    async fn cursor(&self) -> Result<Position, PortError> {
        Ok(*self.cursor.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn forget(&self, tenant: &TenantId) -> Result<(), PortError> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|_, row| row.event.tenant != *tenant);
        Ok(())
    }
}

#[async_trait]
impl EventQuery for MemoryView {
    async fn search(&self, query: &Query, now: Timestamp) -> Result<Page, PortError> {
        let compiled = Compiled::new(&query.filter)
            .map_err(|faults| PortError::never("compile a query", format!("{} faults", faults.len())))?;
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut found = Vec::new();
        for (position, row) in rows {
            let event = &row.event;
            let in_span = query.since.is_none_or(|since| event.received >= since)
                && query.until.is_none_or(|until| event.received < until);
            if !query.tenants.contains(&event.tenant) || !in_span {
                continue;
            }
            let mut thread = self.events.thread(&event.tenant, row.thread).await?;
            while let Some(into) = thread.as_ref().and_then(|thread| thread.merged_into) {
                thread = self.events.thread(&event.tenant, into).await?;
            }
            let is_current = thread.as_ref().is_none_or(|thread| thread.current.event == event.id);
            let state = thread.map_or(row.outlook.state, |thread| thread.state_at(now));
            if query.latest && !is_current || !compiled.matches(&Subject::new(event, state)) {
                continue;
            }
            let time = match query.sort {
                Sort::Received => event.received,
                Sort::Occurred => event.occurred.unwrap_or(Timestamp::MIN),
            };
            if query.after.is_none_or(|after| (time, position) < after) {
                found.push(Found { event: event.id, position, time });
            }
        }
        found.sort_by_key(|hit| std::cmp::Reverse((hit.time, hit.position)));
        let has_more = found.len() > query.limit;
        found.truncate(query.limit);
        let as_of = self.cursor().await?;
        Ok(Page { found, has_more, as_of })
    }
}
