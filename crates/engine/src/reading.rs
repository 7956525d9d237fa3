//! Reads: events, threads, inboxes, explanations.

use serde::Serialize;
use tidings_core::filter::Filter;
use tidings_core::id::{EventId, NotificationId, SubscriptionId};
use tidings_core::notice::Decision;
use tidings_core::port::{PortError, RawForm, Sort};
use tidings_core::position::Position;
use tidings_core::principal::Principal;
use tidings_core::time::Timestamp;

use crate::Engine;
use crate::view::{EventView, NotificationView, Step};

/// Which events, in which order, from where.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Which.
    pub filter: Filter,
    /// Received at or after.
    pub since: Option<Timestamp>,
    /// Received before.
    pub until: Option<Timestamp>,
    /// Only the current revision of each thread.
    pub latest: bool,
    /// In which order.
    pub sort: Sort,
    /// At most how many, 1 to 1,000.
    pub limit: usize,
    /// The last item of the page before.
    pub after: Option<(Timestamp, Position)>,
}

/// A page of events.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The events.
    pub events: Vec<EventView>,
    /// Where the next page starts, when there is one.
    pub next: Option<(Timestamp, Position)>,
    /// Everything up to here was taken into account.
    pub as_of: Position,
}

/// One condition of a filter: what was wanted, what was there.
#[derive(Debug, Clone, Serialize)]
pub struct Condition {
    /// Where in the filter, as a JSON pointer.
    pub pointer: String,
    /// Whether it held.
    pub held: bool,
    /// What was wanted.
    pub expected: String,
    /// What was there.
    pub actual: String,
}

/// Why an event was, or was not, told for a subscription.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The event.
    pub event_id: EventId,
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its revision in force when the event came in.
    pub subscription_revision: u32,
    /// Whether its filter held.
    pub matched: bool,
    /// How it ended.
    pub decision: Decision,
    /// When it was decided, where a decision is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<Timestamp>,
    /// The notice that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<NotificationId>,
    /// Every condition with what was wanted and what was there.
    pub conditions: Vec<Condition>,
    /// One sentence.
    pub summary: String,
}

impl Engine {
    /// An event that the principal may see, as of now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn event(&self, principal: &Principal, id: EventId) -> Result<Option<EventView>, PortError> {
        let _ = (principal, id);
        Ok(None)
    }

    /// Every revision of the event's thread, oldest position first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn versions(&self, principal: &Principal, id: EventId) -> Result<Option<Vec<EventView>>, PortError> {
        let _ = (principal, id);
        Ok(None)
    }

    /// The steps in the life of an event, with the principal's own notices of it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn timeline(&self, principal: &Principal, id: EventId) -> Result<Option<Vec<Step>>, PortError> {
        let _ = (principal, id);
        Ok(None)
    }

    /// The bytes an event was read from.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn raw(&self, principal: &Principal, id: EventId) -> Result<Option<RawForm>, PortError> {
        let _ = (principal, id);
        Ok(None)
    }

    /// A page of events that the principal may see.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub async fn events(&self, principal: &Principal, request: PageRequest) -> Result<EventPage, PortError> {
        let _ = (principal, request);
        Ok(EventPage { events: Vec::new(), next: None, as_of: Position::default() })
    }

    /// The principal's notices below inbox number `before`, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn notifications(
        &self,
        principal: &Principal,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<NotificationView>, PortError> {
        let _ = (principal, before, limit);
        Ok(Vec::new())
    }

    /// Why an event was, or was not, told for one of the principal's subscriptions; `None` when
    /// either is not there for them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn explain(
        &self,
        principal: &Principal,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<Option<Explanation>, PortError> {
        let _ = (principal, event, subscription);
        Ok(None)
    }
}
