//! The reference of every storage port: everything in memory, nothing clever.

mod delivery;
mod ledger;
mod reads;
mod tenants;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::watch;

use tidings_core::audit::AuditEntry;
use tidings_core::event::Form;
use tidings_core::id::{DeadLetterId, EventId, SubscriptionId, TenantId, ThreadId, UserId};
use tidings_core::incident::Report;
use tidings_core::notice::StoredDecision;
use tidings_core::port::{
    DeadLetter, Erasure, IdentityRow, InboxEntry, LogEntry, LogRecord, NotifierCursor, PortError, Record, RecordKey,
    Retry, StoredChange, ThreadRow, Told,
};
use tidings_core::position::Position;
use tidings_core::tenant::Usage;
use tidings_core::time::Timestamp;

/// The epoch of a store in memory that is not given another.
const EPOCH: u32 = 1;

/// Implements every storage port in memory. Clones share what they hold.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    head: watch::Sender<Position>,
}

/// Who an inbox belongs to.
type Recipient = (TenantId, UserId);

#[derive(Debug, Default, Clone)]
struct State {
    epoch: u32,
    /// Entries without their raw bytes, the first at offset 1; none where one was erased.
    log: Vec<Option<LogEntry>>,
    raw: BTreeMap<Position, Bytes>,
    stored: BTreeMap<Position, Timestamp>,
    identities: BTreeMap<(TenantId, EventId), IdentityRow>,
    aliases: BTreeMap<(TenantId, [u8; 16]), ThreadId>,
    threads: BTreeMap<(TenantId, ThreadId), ThreadRow>,
    reports: BTreeMap<(TenantId, i64, ThreadId), Report>,
    versions: BTreeMap<(TenantId, ThreadId), Vec<Position>>,
    forms: BTreeMap<(TenantId, EventId), Vec<(Form, bool)>>,
    audit: BTreeMap<(TenantId, u64), AuditEntry>,
    records: BTreeMap<RecordKey, Record>,
    changes: Vec<StoredChange>,
    revisions: BTreeMap<SubscriptionId, Vec<Position>>,
    letters: BTreeMap<Position, DeadLetter>,
    letter_positions: BTreeMap<(TenantId, DeadLetterId), Position>,
    told: BTreeMap<(TenantId, ThreadId), BTreeMap<Recipient, Told>>,
    decisions: BTreeMap<(TenantId, UserId, EventId), StoredDecision>,
    inboxes: BTreeMap<Recipient, BTreeMap<u64, InboxEntry>>,
    read_marks: BTreeMap<Recipient, u64>,
    cursor: NotifierCursor,
    erasures: BTreeMap<TenantId, Erasure>,
    usage: BTreeMap<TenantId, Usage>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::of_epoch(EPOCH)
    }

    /// An empty store whose log has this epoch.
    pub fn of_epoch(epoch: u32) -> Self {
        let start = Position::start(epoch);
        let cursor = NotifierCursor { position: start, unfinished: Vec::new() };
        let state = State { epoch, cursor, ..State::default() };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), head: watch::Sender::new(start) }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no holder panics")
    }
}

impl State {
    fn tail(&self) -> Position {
        Position::start(self.epoch)
    }

    fn head(&self) -> Position {
        self.tail().plus(self.log.len() as u64)
    }

    fn entry(&self, position: Position) -> Option<&LogEntry> {
        self.log.get(self.index_of(position)?)?.as_ref()
    }

    fn record_mut(&mut self, position: Position) -> Option<&mut LogRecord> {
        let index = self.index_of(position)?;
        Some(&mut self.log.get_mut(index)?.as_mut()?.record)
    }

    fn index_of(&self, position: Position) -> Option<usize> {
        let is_here = position.epoch == self.epoch && position.partition == 0;
        position.offset.checked_sub(1).filter(|_| is_here).and_then(|index| usize::try_from(index).ok())
    }
}

/// The mistake of a caller, which no repeat cures.
fn misuse(what: impl Into<String>) -> PortError {
    PortError { what: what.into(), retry: Retry::Never, source: None }
}
