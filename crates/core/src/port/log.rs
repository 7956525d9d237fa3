use async_trait::async_trait;
use bytes::Bytes;

use crate::event::Form;
use crate::id::{EventId, TenantId, ThreadId};
use crate::port::{LogEntry, PortError, ThreadRow};
use crate::position::Position;
use crate::time::Timestamp;

/// The log of everything accepted, read from a cursor.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Entries after a position, in order: at most `entries`, and no more once `bytes` of bodies
    /// are read. Raw bytes are left out. Empty at the head.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn read(&self, after: Position, entries: usize, bytes: usize) -> Result<Vec<LogEntry>, PortError>;

    /// The last entry's position; the start of the epoch when there is none.
    fn head(&self) -> Position;

    /// The position before the oldest entry that is kept.
    fn tail(&self) -> Position;

    /// Returns once the head is beyond a position.
    async fn beyond(&self, position: Position);
}

/// The bytes of a message as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawForm {
    /// Their media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// Single reads of what was stored.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// An event of a tenant, as the log holds it.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn event(&self, tenant: &TenantId, event: EventId) -> Result<Option<LogEntry>, PortError>;

    /// The entry at a position.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn entry(&self, position: Position) -> Result<Option<LogEntry>, PortError>;

    /// When the event at a position was committed, where that is kept.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn stored_at(&self, position: Position) -> Result<Option<Timestamp>, PortError>;

    /// A thread's row, without following merges.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn thread(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError>;

    /// The positions of the events committed to a thread, oldest first, merges not followed.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn versions(&self, tenant: &TenantId, thread: ThreadId) -> Result<Vec<Position>, PortError>;

    /// The bytes an event was read from.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn raw(&self, tenant: &TenantId, event: EventId) -> Result<Option<RawForm>, PortError>;

    /// Further forms in which an event was received, oldest first, with whether each contradicts it.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn forms(&self, tenant: &TenantId, event: EventId) -> Result<Vec<(Form, bool)>, PortError>;
}
