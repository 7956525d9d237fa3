//! Reads of threads, log, events, control changes and dead letters.

use async_trait::async_trait;
use bytes::Bytes;

use tidings_core::event::Form;
use tidings_core::id::{DeadLetterId, EventId, SubscriptionId, TenantId, ThreadId};
use tidings_core::incident::{REPORTS_MAX, Report, Reporter};
use tidings_core::port::{
    ControlStore, DeadLetter, DeadLetters, EventLog, EventStore, IdentityRow, LogEntry, LogRecord, PortError, RawForm,
    StoredChange, ThreadRow, ThreadRows,
};
use tidings_core::position::Position;
use tidings_core::time::Timestamp;

use super::{MemoryStore, misuse};

impl ThreadRows for MemoryStore {
    fn identity(&self, tenant: &TenantId, event: EventId) -> Result<Option<IdentityRow>, PortError> {
        Ok(self.state().identities.get(&(tenant.clone(), event)).copied())
    }

    fn alias(&self, tenant: &TenantId, alias: &[u8; 16]) -> Result<Option<ThreadId>, PortError> {
        Ok(self.state().aliases.get(&(tenant.clone(), *alias)).copied())
    }

    fn thread(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        Ok(self.state().threads.get(&(tenant.clone(), thread)).cloned())
    }

    fn reports(&self, tenant: &TenantId, from: i64, to: i64, reporter: Reporter<'_>) -> Result<Vec<Report>, PortError> {
        let state = self.state();
        let own = state.reports.iter().filter(|((of, second, _), _)| of == tenant && (from..=to).contains(second));
        let asked = own.map(|(_, report)| report).filter(|report| reporter.asks_for(report));
        Ok(asked.take(REPORTS_MAX).cloned().collect())
    }
}

#[async_trait]
impl EventLog for MemoryStore {
    async fn read(&self, after: Position, entries: usize, bytes: usize) -> Result<Vec<LogEntry>, PortError> {
        let state = self.state();
        let (mut found, mut read_bytes, mut next) = (Vec::new(), 0, after.max(state.tail()).plus(1));
        while found.len() < entries && (found.is_empty() || read_bytes < bytes) {
            if next > state.head() || next.epoch != state.epoch || next.partition != 0 {
                break;
            }
            if let Some(entry) = state.entry(next) {
                if let LogRecord::Event { body, .. } = &entry.record {
                    read_bytes += body.len();
                }
                found.push(entry.clone());
            }
            next = next.plus(1);
        }
        Ok(found)
    }

    fn head(&self) -> Position {
        *self.shared.head.borrow()
    }

    fn tail(&self) -> Position {
        self.state().tail()
    }

    async fn beyond(&self, position: Position) {
        let mut head = self.shared.head.subscribe();
        head.wait_for(|head| *head > position).await.expect("the store that is asked holds the sender");
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn event(&self, tenant: &TenantId, event: EventId) -> Result<Option<LogEntry>, PortError> {
        let state = self.state();
        let row = state.identities.get(&(tenant.clone(), event));
        Ok(row.and_then(|row| state.entry(row.position)).cloned())
    }

    async fn entry(&self, position: Position) -> Result<Option<LogEntry>, PortError> {
        Ok(self.state().entry(position).cloned())
    }

    async fn stored_at(&self, position: Position) -> Result<Option<Timestamp>, PortError> {
        Ok(self.state().stored.get(&position).copied())
    }

    async fn thread(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        ThreadRows::thread(self, tenant, thread)
    }

    async fn versions(&self, tenant: &TenantId, thread: ThreadId) -> Result<Vec<Position>, PortError> {
        Ok(self.state().versions.get(&(tenant.clone(), thread)).cloned().unwrap_or_default())
    }

    async fn raw(&self, tenant: &TenantId, event: EventId) -> Result<Option<RawForm>, PortError> {
        let state = self.state();
        let Some(row) = state.identities.get(&(tenant.clone(), event)) else { return Ok(None) };
        let Some(bytes) = state.raw.get(&row.position).cloned() else { return Ok(None) };
        let Some(LogRecord::Event { event, .. }) = state.entry(row.position).map(|entry| &entry.record) else {
            return Ok(None);
        };
        let media_type = event.forms.first().map(|form| form.media_type.clone()).unwrap_or_default();
        Ok(Some(RawForm { media_type, bytes }))
    }

    async fn forms(&self, tenant: &TenantId, event: EventId) -> Result<Vec<(Form, bool)>, PortError> {
        Ok(self.state().forms.get(&(tenant.clone(), event)).cloned().unwrap_or_default())
    }
}

#[async_trait]
impl ControlStore for MemoryStore {
    async fn changes(&self, after: Position, limit: usize) -> Result<Vec<StoredChange>, PortError> {
        let state = self.state();
        let from = state.changes.partition_point(|change| change.position <= after);
        Ok(state.changes[from..].iter().take(limit).cloned().collect())
    }

    async fn history(&self, subscription: SubscriptionId) -> Result<Vec<StoredChange>, PortError> {
        let state = self.state();
        let positions = state.revisions.get(&subscription).map(Vec::as_slice).unwrap_or_default();
        let at = |position: &Position| state.changes.binary_search_by_key(position, |change| change.position).ok();
        Ok(positions.iter().filter_map(at).map(|index| state.changes[index].clone()).collect())
    }
}

#[async_trait]
impl DeadLetters for MemoryStore {
    async fn dead_letter(&self, tenant: &TenantId, id: DeadLetterId) -> Result<Option<DeadLetter>, PortError> {
        let state = self.state();
        let position = state.letter_positions.get(&(tenant.clone(), id));
        Ok(position.and_then(|position| state.letters.get(position)).cloned())
    }

    async fn dead_letter_raw(&self, tenant: &TenantId, id: DeadLetterId) -> Result<Option<Bytes>, PortError> {
        let state = self.state();
        let position = state.letter_positions.get(&(tenant.clone(), id));
        Ok(position.and_then(|position| state.raw.get(position)).cloned())
    }

    async fn dead_letters(
        &self,
        tenant: &TenantId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(Position, DeadLetter)>, PortError> {
        let state = self.state();
        let older = state.letters.iter().rev().filter(|(position, _)| before.is_none_or(|before| **position < before));
        let own = older.filter(|(_, letter)| letter.tenant == *tenant);
        Ok(own.take(limit).map(|(position, letter)| (*position, letter.clone())).collect())
    }

    async fn update_dead_letter(&self, letter: &DeadLetter) -> Result<(), PortError> {
        let mut state = self.state();
        let Some(position) = state.letter_positions.get(&(letter.tenant.clone(), letter.id)).copied() else {
            return Err(misuse(format!("update dead letter {}: there is none", letter.id)));
        };
        state.letters.insert(position, letter.clone());
        // The log shows a dead letter as it stands.
        if let Some(LogRecord::DeadLetter { letter: shown, .. }) = state.record_mut(position) {
            *shown = letter.clone();
        }
        Ok(())
    }
}
