//! Reads: events, threads, inboxes.

use std::sync::Arc;

use tidings_core::filter::Filter;
use tidings_core::id::{EventId, TenantId, ThreadId};
use tidings_core::port::{PortError, Query, RawForm, Sort, ThreadRow};
use tidings_core::position::Position;
use tidings_core::principal::Principal;
use tidings_core::stored::Stored;
use tidings_core::time::Timestamp;

use crate::engine::Engine;
use crate::view::{EventView, NotificationView, Step};

/// Joined threads are followed at most this far.
const MERGES_FOLLOWED: usize = 64;
/// How often a page is read again because its reader may not see what was found.
const PAGE_READS_MAX: usize = 20;

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

impl Engine {
    /// An event that the principal may see, as of now, with every form it was received in.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn event(&self, principal: &Principal, id: EventId) -> Result<Option<EventView>, PortError> {
        let Some(found) = self.find(principal, id).await? else { return Ok(None) };
        let mut view = self.view(&found).await?;
        let forms = self.ports.events.forms(&found.event.tenant, id).await?;
        if !forms.is_empty() {
            let mut event = (*view.event).clone();
            event.forms.extend(forms.into_iter().map(|(form, _)| form));
            view.body = serde_json::to_vec(&event).expect("an event is plain data and memory takes it").into();
            view.event = Arc::new(event);
        }
        Ok(Some(view))
    }

    /// Every revision of the event's thread, oldest position first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn versions(&self, principal: &Principal, id: EventId) -> Result<Option<Vec<EventView>>, PortError> {
        let Some(found) = self.find(principal, id).await? else { return Ok(None) };
        let mut views = Vec::new();
        for found in self.thread_of(&found).await? {
            if principal.may_see(&found.event) {
                views.push(self.view(&found).await?);
            }
        }
        Ok(Some(views))
    }

    /// Every event of an event's thread and of those joined with it, oldest position first.
    pub(crate) async fn thread_of(&self, found: &Stored) -> Result<Vec<Stored>, PortError> {
        let tenant = &found.event.tenant;
        let row = self.survivor(tenant, found.thread).await?;
        let threads = row.iter().flat_map(|row| std::iter::once(row.id).chain(row.merged_from.iter().copied()));
        let mut positions = Vec::new();
        for thread in threads {
            positions.extend(self.ports.events.versions(tenant, thread).await?);
        }
        positions.sort_unstable();
        let mut events = Vec::with_capacity(positions.len());
        for position in positions {
            events.extend(self.ports.events.entry(position).await?.and_then(Stored::of));
        }
        Ok(events)
    }

    /// The steps in the life of an event, with the principal's own notices of it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn timeline(&self, principal: &Principal, id: EventId) -> Result<Option<Vec<Step>>, PortError> {
        let Some(found) = self.find(principal, id).await? else { return Ok(None) };
        let event = &found.event;
        let mut steps = Vec::new();
        let mut add = |step, at: Option<Timestamp>, detail: Option<String>| {
            steps.extend(at.map(|at| Step { step, at, detail }));
        };
        add("occurred", event.occurred, None);
        add("sent", event.sent, None);
        add("received", Some(event.received), Some(format!("by {}, {}", event.source, event.correlation_id)));
        let stored = format!("position {}, revision {} of {}", found.position, found.revision, found.thread);
        add("stored", self.ports.events.stored_at(found.position).await?, Some(stored));
        add("indexed", self.ports.projection.applied_at(found.position).await?, None);
        for (form, conflicts) in self.ports.events.forms(&event.tenant, id).await? {
            let kind = if conflicts { "contradicting_form" } else { "further_form" };
            add(kind, Some(form.received), Some(format!("{}, {}", form.media_type, form.correlation_id)));
        }
        if let Some(decision) = self.ports.deliveries.decision(&principal.tenant, principal.user, id).await? {
            for verdict in &decision.verdicts {
                let detail = format!("{}: {}", verdict.subscription, verdict.decision.as_str());
                add("matched", Some(decision.decided), Some(detail));
            }
            for notice in &decision.notices {
                let detail = format!("{} {} in the inbox as number {}", notice.kind.as_str(), notice.id, notice.number);
                add("notified", Some(decision.decided), Some(detail));
            }
        }
        steps.sort_by_key(|step| step.at);
        Ok(Some(steps))
    }

    /// The bytes an event was read from.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn raw(&self, principal: &Principal, id: EventId) -> Result<Option<RawForm>, PortError> {
        let Some(found) = self.find(principal, id).await? else { return Ok(None) };
        self.ports.events.raw(&found.event.tenant, id).await
    }

    /// A page of events that the principal may see.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub async fn events(&self, principal: &Principal, request: PageRequest) -> Result<EventPage, PortError> {
        let tenants = std::iter::once(&principal.tenant).chain(&principal.reads).cloned().collect();
        let limit = request.limit.clamp(1, 1_000);
        let mut query = Query {
            tenants,
            filter: request.filter,
            since: request.since,
            until: request.until,
            latest: request.latest,
            sort: request.sort,
            limit,
            after: request.after,
        };
        let now = self.ports.clock.now();
        let mut page = EventPage { events: Vec::new(), next: None, as_of: Position::default() };
        for _ in 0..PAGE_READS_MAX {
            query.limit = limit - page.events.len();
            let found = self.ports.query.search(&query, now).await?;
            page.as_of = found.as_of;
            for hit in &found.found {
                let Some(entry) = self.ports.events.entry(hit.position).await?.and_then(Stored::of) else { continue };
                if principal.may_see(&entry.event) {
                    page.events.push(self.view(&entry).await?);
                }
            }
            query.after = found.found.last().map(|hit| (hit.time, hit.position)).or(query.after);
            page.next = query.after.filter(|_| found.has_more);
            if page.next.is_none() || page.events.len() >= limit {
                break;
            }
        }
        Ok(page)
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
        let before = before.unwrap_or(u64::MAX);
        let (tenant, user) = (&principal.tenant, principal.user);
        let places = self.ports.deliveries.inbox_before(tenant, user, before, limit).await?;
        let read = self.ports.deliveries.read_mark(tenant, user).await?;
        let mut views = Vec::with_capacity(places.len());
        for place in places {
            views.extend(self.notification(principal, place, read).await?);
        }
        Ok(views)
    }

    pub(crate) async fn find(&self, principal: &Principal, id: EventId) -> Result<Option<Stored>, PortError> {
        for tenant in std::iter::once(&principal.tenant).chain(&principal.reads) {
            if let Some(found) = self.ports.events.event(tenant, id).await?.and_then(Stored::of) {
                return Ok(principal.may_see(&found.event).then_some(found));
            }
        }
        Ok(None)
    }

    /// An event with what its thread and the clock say of it now.
    pub(crate) async fn view(&self, found: &Stored) -> Result<EventView, PortError> {
        let row = self.survivor(&found.event.tenant, found.thread).await?;
        let mut view = as_of_entry(found);
        let Some(row) = row else { return Ok(view) };
        view.merged_into = (row.id != found.thread).then_some(row.id);
        view.thread_id = row.id;
        view.state = row.state_at(self.ports.clock.now());
        view.superseded_by = (!row.counts(found.event.id)).then_some(row.current.event);
        view.upgraded_to = row.upgraded_to;
        view.incident_id = row.incident;
        Ok(view)
    }

    /// The thread that a thread is part of by now.
    pub(crate) async fn survivor(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        let mut next = thread;
        for _ in 0..MERGES_FOLLOWED {
            let Some(row) = self.ports.events.thread(tenant, next).await? else { return Ok(None) };
            match row.merged_into {
                Some(into) => next = into,
                None => return Ok(Some(row)),
            }
        }
        Ok(None)
    }
}

/// An event as it stood at its own entry.
pub(crate) fn as_of_entry(stored: &Stored) -> EventView {
    EventView {
        event: stored.event.clone(),
        position: stored.position,
        thread_id: stored.thread,
        revision: stored.revision,
        incident_id: stored.outlook.incident,
        state: stored.outlook.state,
        superseded_by: (!stored.outlook.is_current).then_some(stored.outlook.current),
        merged_into: None,
        upgraded_to: None,
        body: stored.body.clone(),
    }
}
