use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::audit::{AuditEntry, ChainEnd};
use crate::draft::Format;
use crate::envelope::Coordinate;
use crate::event::{Event, Form};
use crate::id::{DeadLetterId, EventId, IncidentId, TenantId, ThreadId};
use crate::incident::{Report, Reporter};
use crate::port::{ControlChange, PortError, RecordRow};
use crate::position::Position;
use crate::rejection::{Reason, Stage};
use crate::stored::Outlook;
use crate::tenant::Usage;
use crate::time::Timestamp;
use crate::vocabulary::{Action, State};

/// What is known for good of one event, kept long after its body: at most 96 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityRow {
    /// Where the event is.
    pub position: Position,
    /// The thread it was committed to.
    pub thread: ThreadId,
    /// Hash of what its id derives from; another one under the same id is a collision.
    pub tuple_hash: [u8; 16],
    /// Hash of its canonical content; another one is a form, a revision or a conflict.
    pub content_hash: [u8; 16],
    /// When its sender made it, to tell a later version from a conflict.
    pub version_time: Option<Timestamp>,
    /// How its thread stood just after it.
    pub state: State,
    /// What it was read from, to tell another form from a conflict.
    pub format: Format,
    /// Which of the things that another form may add it says itself.
    pub says: Says,
}

/// What a form of a message says: a bit each for severity, area and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Says(pub u8);

impl Says {
    /// It gives a severity.
    pub const SEVERITY: u8 = 1;
    /// It gives a shape or area codes.
    pub const AREA: u8 = 2;
    /// It says when it holds.
    pub const TIME: u8 = 4;

    /// True where it says something that `other` does not.
    pub const fn adds_to(self, other: Self) -> bool {
        self.0 & !other.0 != 0
    }
}

/// One event as the head of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadHead {
    /// Which event.
    pub event: EventId,
    /// Where it is.
    pub position: Position,
    /// Its number in the thread.
    pub revision: u32,
    /// When its sender made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_time: Option<Timestamp>,
    /// What it is ordered by: its sender's time, else that of the message it came right after.
    pub order_time: Timestamp,
    /// What it does.
    pub action: Action,
    /// When its hazard is over.
    pub hazard_end: Timestamp,
}

/// A message in the zones where it is the last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadPart {
    /// The message; revision 0 where it is one of another thread, which took its place there.
    pub head: ThreadHead,
    /// True where it says that it is over there.
    pub is_over: bool,
    /// The zones, as UGC codes.
    pub zones: Vec<String>,
}

/// How a thread stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRow {
    /// Its id, derived from its first accepted event.
    pub id: ThreadId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// Which owner it belongs to.
    pub order_key: String,
    /// Where its first event is; of two that join, the lower survives.
    pub first: Position,
    /// Its highest revision number.
    pub revisions: u32,
    /// The event that counts now.
    pub current: ThreadHead,
    /// How it stands, expiry aside.
    pub state: State,
    /// Which message holds where, in threads that begin and end zone by zone (VTEC); each zone once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ThreadPart>,
    /// One line, for messages that only refer to it.
    pub title: String,
    /// The thread it was joined into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<ThreadId>,
    /// Threads joined into it, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<ThreadId>,
    /// The thread that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgraded_to: Option<ThreadId>,
    /// Until when the message of another thread that closed it speaks; a later message reopens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The incident it belongs to.
    pub incident: IncidentId,
}

impl ThreadRow {
    /// True where an event counts: it is the current one, or the last word in some zone.
    pub fn counts(&self, event: EventId) -> bool {
        self.current.event == event || self.parts.iter().any(|part| part.head.event == event)
    }

    /// How it stands at an instant: over by its own times once its hazard is.
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.state == State::Active && now > self.current.hazard_end { State::Expired } else { self.state }
    }
}

/// A thread's rows as an owner reads them while resolving.
pub trait ThreadRows {
    /// What is known of an event id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn identity(&self, tenant: &TenantId, event: EventId) -> Result<Option<IdentityRow>, PortError>;

    /// The thread that a native id or thread key leads to, before following merges.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn alias(&self, tenant: &TenantId, alias: &[u8; 16]) -> Result<Option<ThreadId>, PortError>;

    /// A thread's row.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn thread(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError>;

    /// Reports of happenings from one second to another, both included, by whom they are asked for:
    /// at most [`REPORTS_MAX`], in order of [`Report::second`].
    ///
    /// [`REPORTS_MAX`]: crate::incident::REPORTS_MAX
    ///
    /// # Errors
    /// When the store cannot be read.
    fn reports(&self, tenant: &TenantId, from: i64, to: i64, reporter: Reporter<'_>) -> Result<Vec<Report>, PortError>;
}

/// An envelope or a message set aside for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its id.
    pub id: DeadLetterId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// The route by which it came.
    pub source: String,
    /// When it came in.
    pub received: Timestamp,
    /// Where it was set aside.
    pub stage: Stage,
    /// Why.
    pub code: Reason,
    /// Where in the input.
    pub pointer: String,
    /// What was found and what would be right.
    pub detail: String,
    /// The media type of its bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// How many bytes are kept.
    pub bytes: u64,
    /// What a human did with it.
    pub state: DeadLetterState,
    /// What its envelope said besides the bytes; letters of older builds do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<LetterEnvelope>,
    /// Every replay: when, and how it ended.
    #[serde(default)]
    pub attempts: Vec<DeadLetterAttempt>,
    /// Follows the envelope everywhere.
    pub correlation_id: String,
}

/// What the envelope of a dead letter said besides its bytes: with it a replay is read as the first
/// attempt was, and gets the same identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterEnvelope {
    /// Headers and query members that carry meaning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The namespace of its bringer.
    pub namespace: String,
    /// What tells the envelope from one of equal bytes.
    pub coordinate: Coordinate,
    /// Its number among the messages of the envelope.
    pub item: u64,
}

/// What a human did with a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeadLetterState {
    /// Nothing yet.
    Parked,
    /// Sent again, and taken.
    Replayed,
    /// Given up.
    Discarded,
}

/// One replay of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterAttempt {
    /// When.
    pub at: Timestamp,
    /// `accepted`, `duplicate` or `rejected`.
    pub outcome: String,
    /// What was said.
    pub detail: String,
}

/// One entry of the log, with all that is stored of it.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// Where.
    pub position: Position,
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub record: LogRecord,
}

/// What an entry of the log is.
#[derive(Debug, Clone)]
pub enum LogRecord {
    /// An event in its thread.
    Event {
        /// The thread it was committed to.
        thread: ThreadId,
        /// Its number there.
        revision: u32,
        /// The thread just after it.
        outlook: Outlook,
        /// What we believe.
        event: Arc<Event>,
        /// The event as JSON: one object with the contract's names, encoded once.
        body: Bytes,
        /// The message as received; empty when read back from the log.
        raw: Bytes,
    },
    /// Another form of a known event, or other content under its identity.
    Form {
        /// The event.
        event: EventId,
        /// What came in.
        form: Form,
        /// True when its content contradicts the event's.
        conflict: bool,
        /// The message as received; empty when read back from the log.
        raw: Bytes,
    },
    /// A dead letter.
    DeadLetter {
        /// What and why.
        letter: DeadLetter,
        /// Its bytes; empty when read back from the log.
        raw: Bytes,
    },
    /// A change of subscriptions, keys or tenants.
    Control(ControlChange),
}

/// Everything that one step of an owner makes durable, at once.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// New entries of the log, consecutive.
    pub entries: Vec<LogEntry>,
    /// Identities, by tenant and event id.
    pub identities: Vec<(TenantId, EventId, IdentityRow)>,
    /// Names of threads, by tenant.
    pub aliases: Vec<(TenantId, [u8; 16], ThreadId)>,
    /// Threads as they stand after the step.
    pub threads: Vec<ThreadRow>,
    /// What threads report of happenings; the last one of a thread within a second counts.
    pub reports: Vec<Report>,
    /// Entries of audit logs, each at the end of its tenant's chain.
    pub audit: Vec<AuditEntry>,
    /// Records as they stand after the step, each once.
    pub records: Vec<RecordRow>,
    /// What tenants have used after the step.
    pub usage: Vec<(TenantId, Usage)>,
    /// When the step is taken, as its events keep it.
    pub at: Option<Timestamp>,
}

/// The system of record's one way in.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Stores all of it or nothing, durably; the positions of its entries follow the head.
    ///
    /// # Errors
    /// `Retry::Later` when space is short and nothing was written; `Retry::Never` when the store
    /// can no longer be trusted and the process must stop.
    async fn commit(&self, commit: Commit) -> Result<(), PortError>;
}

/// Who changed what, and who was refused.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Where a tenant's chain ends.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn audit_end(&self, tenant: &TenantId) -> Result<ChainEnd, PortError>;

    /// A tenant's entries with numbers above `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn audit(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, PortError>;
}

/// Dead letters to look at and act on.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// One dead letter of a tenant.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn dead_letter(&self, tenant: &TenantId, id: DeadLetterId) -> Result<Option<DeadLetter>, PortError>;

    /// Its bytes.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn dead_letter_raw(&self, tenant: &TenantId, id: DeadLetterId) -> Result<Option<Bytes>, PortError>;

    /// A tenant's dead letters, newest first, below position `before`; at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn dead_letters(
        &self,
        tenant: &TenantId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(Position, DeadLetter)>, PortError>;

    /// Replaces a dead letter's row (its state and attempts).
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn update_dead_letter(&self, letter: &DeadLetter) -> Result<(), PortError>;
}
