use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::id::{EventId, SubscriptionId, TenantId, ThreadId, UserId};
use crate::notice::StoredDecision;
use crate::port::PortError;
use crate::position::Position;
use crate::vocabulary::Severity;

/// What one recipient was told of one thread so far; a fixed layout in storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The recipient's tenant.
    pub tenant: TenantId,
    /// The recipient.
    pub user: UserId,
    /// The tenant whose thread it is.
    pub thread_tenant: TenantId,
    /// The thread.
    pub thread: ThreadId,
    /// The event of the last notice.
    pub event: EventId,
    /// Where that event is.
    pub position: Position,
    /// The highest severity told.
    pub severity: Severity,
    /// True once an end or a cancel was told.
    pub is_over: bool,
    /// True once "it moved away" was told, until a place is covered again.
    pub is_away: bool,
    /// For which subscriptions and which of their places.
    pub places: Vec<ToldPlace>,
}

/// What a recipient was told for one subscription: each decides alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldPlace {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Tells which places its filter asked for then, see [`Filter::places_mark`].
    ///
    /// [`Filter::places_mark`]: crate::filter::Filter::places_mark
    pub mark: u32,
    /// Which of those held, a bit each.
    pub leaves: u64,
    /// The highest severity told for it.
    pub severity: Severity,
    /// The type last told for it, as the first 8 bytes of its fingerprint.
    pub kind: [u8; 8],
}

/// Where a notifier is: everything up to `position` is decided, but for the rest of some broad
/// events and for what waits for them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotifierCursor {
    /// The last entry taken up.
    pub position: Position,
    /// Events of many recipients that are decided in part, and those that wait for one of the same
    /// thread, by position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Unfinished>,
}

/// An event that is decided in part or not at all, although the notifier has gone on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// Where it is.
    pub position: Position,
    /// The last recipient who is decided, all before in order of tenant and user being decided too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<(TenantId, UserId)>,
}

/// Everything that one step of the notifier makes durable, at once with its cursor.
#[derive(Debug, Clone, Default)]
pub struct NotifierStep {
    /// What was told, as it stands after the step.
    pub told: Vec<Told>,
    /// Decisions; those with a notice take the inbox place that it names.
    pub decisions: Vec<StoredDecision>,
    /// Where the notifier is after the step.
    pub cursor: NotifierCursor,
}

/// One place of an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxEntry {
    /// Its number, from 1, without gaps for one recipient.
    pub number: u64,
    /// The event it tells of.
    pub event: EventId,
    /// The tenant of that event is read through this position.
    pub position: Position,
}

/// Decisions, inboxes and what was told.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Where the notifier is.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn notifier_cursor(&self) -> Result<NotifierCursor, PortError>;

    /// Stores all of it or nothing, durably.
    ///
    /// # Errors
    /// `Retry::Later` when space is short and nothing was written; `Retry::Never` when the store
    /// can no longer be trusted.
    async fn commit_step(&self, step: NotifierStep) -> Result<(), PortError>;

    /// Those who were told of a thread, in order of the recipients' tenants, then users: at most
    /// `limit` of those that come after one of them.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn told_of(
        &self,
        thread_tenant: &TenantId,
        thread: ThreadId,
        after: Option<&(TenantId, UserId)>,
        limit: usize,
    ) -> Result<Vec<Told>, PortError>;

    /// What was decided for a recipient and an event.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn decision(
        &self,
        tenant: &TenantId,
        user: UserId,
        event: EventId,
    ) -> Result<Option<StoredDecision>, PortError>;

    /// Places of an inbox with numbers above `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn inbox_after(
        &self,
        tenant: &TenantId,
        user: UserId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, PortError>;

    /// Places of an inbox with numbers below `before`, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn inbox_before(
        &self,
        tenant: &TenantId,
        user: UserId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, PortError>;

    /// The number of an inbox's last place; 0 when it is empty.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn inbox_head(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError>;

    /// The numbers of the last places of many inboxes, in the order asked for.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn inbox_heads(&self, inboxes: &[(TenantId, UserId)]) -> Result<Vec<u64>, PortError>;

    /// Up to which place a recipient has read.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn read_mark(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError>;

    /// Moves the read mark forward; never back.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn set_read_mark(&self, tenant: &TenantId, user: UserId, number: u64) -> Result<(), PortError>;
}
