//! The log from a cursor, and single reads of what was stored.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use tidings_core::event::Form;
use tidings_core::id::{EventId, TenantId, ThreadId};
use tidings_core::port::{EventLog, EventStore, LogEntry, LogRecord, PortError, RawForm, ThreadRow};
use tidings_core::position::Position;
use tidings_core::time::Timestamp;
use tidings_core::upcast;

use super::recent::Limit;
use super::spaces::Space;
use super::values::{FormRow, LogRow, damaged};
use super::{Core, FjallStore, keys, values};

#[async_trait]
impl EventLog for FjallStore {
    async fn read(&self, after: Position, entries: usize, bytes: usize) -> Result<Vec<LogEntry>, PortError> {
        // The head first: what it covers is durable, and in the recent entries too.
        let head = self.head();
        if after >= head || entries == 0 {
            return Ok(Vec::new());
        }
        if let Some(found) = self.core.recent.read().expect("no holder panics").read(after, entries, bytes) {
            return Ok(found);
        }
        self.blocking(move |core| core.read_log(after, head, Limit::new(entries, bytes))).await
    }

    fn head(&self) -> Position {
        *self.core.head.borrow()
    }

    fn tail(&self) -> Position {
        self.core.tail
    }

    async fn beyond(&self, position: Position) {
        let mut head = self.core.head.subscribe();
        head.wait_for(|head| *head > position).await.expect("the store that is asked holds the sender");
    }
}

#[async_trait]
impl EventStore for FjallStore {
    async fn event(&self, tenant: &TenantId, event: EventId) -> Result<Option<LogEntry>, PortError> {
        match self.core.identity(tenant, event)? {
            Some(row) => self.entry(row.position).await,
            None => Ok(None),
        }
    }

    async fn entry(&self, position: Position) -> Result<Option<LogEntry>, PortError> {
        let recent = self.core.recent.read().expect("no holder panics").entry(position);
        if recent.is_some() || position > self.head() {
            return Ok(recent);
        }
        self.blocking(move |core| core.entry(position)).await
    }

    async fn stored_at(&self, position: Position) -> Result<Option<Timestamp>, PortError> {
        let Some(value) = self.core.get(Space::Log, &keys::position(position))? else { return Ok(None) };
        match values::read_json("a log row", &value)? {
            LogRow::Event { stored, .. } => Ok(stored),
            LogRow::Form { .. } | LogRow::DeadLetter { .. } | LogRow::Control { .. } | LogRow::Erased => Ok(None),
        }
    }

    async fn thread(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        self.core.thread(tenant, thread)
    }

    async fn versions(&self, tenant: &TenantId, thread: ThreadId) -> Result<Vec<Position>, PortError> {
        let prefix = keys::thread(tenant, thread);
        self.blocking(move |core| {
            let rows = core.prefix(Space::Version, &prefix);
            rows.map(|row| keys::ending_position(&row?.0).ok_or_else(|| damaged("a version row"))).collect()
        })
        .await
    }

    async fn raw(&self, tenant: &TenantId, event: EventId) -> Result<Option<RawForm>, PortError> {
        let Some(row) = self.core.identity(tenant, event)? else { return Ok(None) };
        let Some(entry) = self.entry(row.position).await? else { return Ok(None) };
        let LogRecord::Event { event, .. } = &entry.record else { return Ok(None) };
        let media_type = event.forms.first().map(|form| form.media_type.clone()).unwrap_or_default();
        let bytes = self.blocking(move |core| core.raw(row.position)).await?;
        Ok(bytes.map(|bytes| RawForm { media_type, bytes }))
    }

    async fn forms(&self, tenant: &TenantId, event: EventId) -> Result<Vec<(Form, bool)>, PortError> {
        let prefix = keys::event(tenant, event);
        self.blocking(move |core| {
            let rows = core.prefix(Space::Form, &prefix);
            rows.map(|row| values::read_json::<FormRow>("a form", &row?.1).map(|row| (row.form, row.conflict)))
                .collect()
        })
        .await
    }
}

impl Core {
    fn read_log(&self, after: Position, head: Position, mut limit: Limit) -> Result<Vec<LogEntry>, PortError> {
        let (from, to) = (keys::position(after.plus(1)), keys::position(head));
        let mut found = Vec::new();
        for row in self.range(Space::Log, &from, &to) {
            let (key, value) = row?;
            let position = keys::ending_position(&key).ok_or_else(|| damaged("a log row"))?;
            let Some(entry) = self.entry_of(position, &value)? else { continue };
            limit.admits(&entry);
            found.push(entry);
            if limit.is_reached() {
                break;
            }
        }
        Ok(found)
    }

    fn entry(&self, position: Position) -> Result<Option<LogEntry>, PortError> {
        match self.get(Space::Log, &keys::position(position))? {
            Some(value) => self.entry_of(position, &value),
            None => Ok(None),
        }
    }

    /// Puts an entry together; `None` where retention has removed the rest of it, or it was erased.
    fn entry_of(&self, position: Position, log_value: &[u8]) -> Result<Option<LogEntry>, PortError> {
        let (tenant, record) = match values::read_json("a log row", log_value)? {
            LogRow::Event { tenant, .. } => {
                let Some(value) = self.get(Space::Event, &keys::position(position))? else { return Ok(None) };
                let (head, body) = values::read_event(&value)?;
                let event =
                    upcast::read_event(&body).map_err(|error| PortError::never("read a stored event", error))?;
                let record = LogRecord::Event {
                    thread: head.thread_id,
                    revision: head.revision,
                    outlook: head.outlook,
                    event: Arc::new(event),
                    body,
                    raw: Bytes::new(),
                };
                (tenant, record)
            }
            LogRow::Form { tenant, event_id } => {
                let Some(value) = self.get(Space::Form, &keys::form(&tenant, event_id, position))? else {
                    return Ok(None);
                };
                let FormRow { form, conflict } = values::read_json("a form", &value)?;
                (tenant, LogRecord::Form { event: event_id, form, conflict, raw: Bytes::new() })
            }
            LogRow::DeadLetter { tenant, .. } => {
                let Some(value) = self.get(Space::Dead, &keys::dead(&tenant, position))? else { return Ok(None) };
                let letter = values::read_json("a dead letter", &value)?;
                (tenant, LogRecord::DeadLetter { letter, raw: Bytes::new() })
            }
            LogRow::Control { tenant } => {
                let Some(value) = self.get(Space::Control, &keys::position(position))? else { return Ok(None) };
                (tenant, LogRecord::Control(values::read_json("a control change", &value)?))
            }
            LogRow::Erased => return Ok(None),
        };
        Ok(Some(LogEntry { position, tenant, record }))
    }

    /// The bytes as received at a position, put together from their parts.
    pub(super) fn raw(&self, position: Position) -> Result<Option<Bytes>, PortError> {
        let (mut bytes, mut is_there) = (Vec::new(), false);
        for row in self.prefix(Space::Raw, &keys::position(position)) {
            bytes.extend_from_slice(values::after_format("raw bytes", &row?.1)?);
            is_there = true;
        }
        Ok(is_there.then(|| Bytes::from(bytes)))
    }
}
