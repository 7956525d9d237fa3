//! The notifier: follows the log, finds who asked to know, decides, and stores decisions, inbox
//! places and its cursor in one step.
//!
//! An event of very many recipients is held and taken a piece at a time, from finding them to telling
//! them; between pieces events of other threads go on, those of the same thread wait for its end.

mod index;
mod shelf;
mod gather;
mod roll;
mod held;
mod broad;
mod step;
mod commit;

use std::sync::Arc;
use std::time::Duration;

use tidings_core::decide::{Counting, Entry, Recipient, zones};
use tidings_core::event::Event;
use tidings_core::filter::Subject;
use tidings_core::port::{
    ControlChange, ControlStore, DeliveryStore, EventLog, EventStore, LogEntry, LogRecord, NotifierCursor, PortError,
    Retry,
};
use tidings_core::position::Position;
use tidings_core::stored::Stored;
use tokio::sync::watch;
use tracing::{error, warn};

use crate::control::{Control, each_change, wish_of};
use crate::inbox::InboxWatch;
use crate::metrics::Metrics;
use crate::pipeline::notify;

use commit::{After, InFlight};
use held::{Held, HeldEvents};
use index::{Index, Since};
use roll::Roll;
use shelf::Shelf;
use step::{Heads, Step};

/// Entries read from the log at once.
const ENTRIES_AT_ONCE: usize = 512;
/// Bytes of bodies read at once.
const BYTES_AT_ONCE: usize = 8 << 20;
/// Recipients of one event that are decided at once; more make it a broad event.
const BROAD: usize = 1_000;
/// Decisions of events to few that are stored in one step.
const STEP: usize = 10_000;
/// How long the cursor may wait to be stored when nothing comes.
const SAVE_AFTER: Duration = Duration::from_millis(250);
/// How long to wait after a failure that may pass.
const PAUSE: Duration = Duration::from_millis(250);

/// One entry and everyone it may concern.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub entry: Entry<'a>,
    pub recipients: &'a [Recipient],
}

/// An event of the log with the others that it is judged by, held as long as it is being decided.
#[derive(Debug, Clone)]
struct Pending {
    stored: Stored,
    /// The event that is told in place of its own: see [`Outlook::told_instead`].
    ///
    /// [`Outlook::told_instead`]: tidings_core::stored::Outlook::told_instead
    counting: Option<Stored>,
    /// The other messages of its thread that hold in zones of their own, cut to those.
    standing: Vec<Event>,
}

impl Pending {
    fn entry<'a>(
        &'a self,
        subject: &'a Subject<'a>,
        counting: Option<&'a Subject<'a>>,
        standing: &'a [Subject<'a>],
    ) -> Entry<'a> {
        let Stored { position, thread, revision, outlook, .. } = &self.stored;
        let counting = self.counting.as_ref().zip(counting);
        Entry {
            position: *position,
            thread: *thread,
            revision: *revision,
            outlook,
            subject,
            counting: counting.map(|(it, subject)| Counting { thread: it.thread, revision: it.revision, subject }),
            standing,
        }
    }
}

/// What the notifier works with.
pub(crate) struct Notifier {
    pub log: Arc<dyn EventLog>,
    pub events: Arc<dyn EventStore>,
    pub control_store: Arc<dyn ControlStore>,
    pub deliveries: Arc<dyn DeliveryStore>,
    pub control: Arc<Control>,
    pub inboxes: Arc<InboxWatch>,
    pub metrics: Arc<Metrics>,
    pub clock: Arc<dyn tidings_core::port::Clock>,
}

/// How far decisions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decided {
    /// Everything up to here is decided and stored, but for what is held.
    pub position: Position,
    /// The first event that is held: one of very many recipients, or one that waits for such.
    pub held: Option<Position>,
}

impl From<&NotifierCursor> for Decided {
    fn from(cursor: &NotifierCursor) -> Self {
        Self { position: cursor.position, held: cursor.unfinished.iter().map(|it| it.position).min() }
    }
}

/// Where the notifier stands, all of it made anew from the stores at a start.
struct Standing {
    cursor: NotifierCursor,
    /// The cursor as it was when the last step was stored.
    settled: Position,
    /// Entries and pieces since the cursor was stored.
    unsaved: u64,
    index: Index,
    shelf: Shelf,
    held: HeldEvents,
    heads: Heads,
    in_flight: Option<InFlight>,
    spent: Spent,
}

/// Time spent on the entries of the step in hand.
#[derive(Debug, Default)]
struct Spent {
    entries: u64,
    matching: Duration,
    deciding: Duration,
}

impl Notifier {
    /// Runs until told to stop or until the store can no longer be trusted. After a failure it
    /// begins again from its stored cursor, so nothing is skipped.
    pub async fn run(self, decided: watch::Sender<Decided>, mut stop: watch::Receiver<bool>) {
        loop {
            let Err(fault) = self.follow(&decided, &mut stop).await else { return };
            let cause = fault.source.as_ref().map(ToString::to_string).unwrap_or_default();
            if fault.retry == Retry::Never {
                error!(code = "notifier_stopped", "notification ends: {fault}: {cause}");
                return;
            }
            warn!("notification pauses and begins again from its cursor: {fault}: {cause}");
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Returns when told to stop.
    async fn follow(
        &self,
        decided: &watch::Sender<Decided>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), PortError> {
        let mut standing = self.stand().await?;
        let result = self.go_on(&mut standing, decided, stop).await;
        // Nothing may begin again from a stored cursor that is about to change. A fault is that of
        // the step or says the same.
        let settled = self.settle(&mut standing).await;
        result.and(settled)
    }

    async fn go_on(
        &self,
        standing: &mut Standing,
        decided: &watch::Sender<Decided>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), PortError> {
        loop {
            let is_told_to_stop = *stop.borrow() || stop.has_changed().is_err();
            if is_told_to_stop {
                return self.save(standing).await;
            }
            let position = standing.cursor.position;
            let entries = match standing.held.has_room() {
                true => self.log.read(position, ENTRIES_AT_ONCE, BYTES_AT_ONCE).await?,
                false => Vec::new(),
            };
            let is_idle = entries.is_empty() && standing.held.is_empty();
            self.take(entries, standing).await?;
            self.advance(standing).await?;
            if standing.held.is_empty() {
                self.settle(standing).await?;
            }
            let position = if standing.in_flight.is_some() { standing.settled } else { standing.cursor.position };
            decided.send_replace(Decided { position, held: standing.held.oldest() });
            if is_idle {
                let waits = tokio::select! {
                    () = self.log.beyond(position) => false,
                    _ = stop.changed() => false,
                    () = tokio::time::sleep(SAVE_AFTER), if standing.unsaved > 0 => true,
                };
                if waits {
                    self.save(standing).await?;
                }
            }
        }
    }

    /// The subscriptions and the unfinished events as they were at the stored cursor.
    async fn stand(&self) -> Result<Standing, PortError> {
        let cursor = self.deliveries.notifier_cursor().await?;
        let start = Position::start(cursor.position.epoch);
        let mut standing = Standing {
            cursor: cursor.clone(),
            settled: cursor.position,
            unsaved: 0,
            index: Index::default(),
            shelf: Shelf::default(),
            held: HeldEvents::default(),
            heads: Heads::default(),
            in_flight: None,
            spent: Spent::default(),
        };
        let mut changes = Vec::new();
        each_change(&*self.control_store, start, |change| changes.push(change)).await?;
        let mut changes = changes.into_iter().peekable();
        let stops = cursor.unfinished.into_iter().map(Some).chain([None]);
        for unfinished in stops {
            let until = unfinished.as_ref().map_or(cursor.position, |it| it.position);
            while let Some(change) = changes.next_if(|change| change.position <= until) {
                self.govern(change.position, change.change, &mut standing);
            }
            let Some(unfinished) = unfinished else { break };
            let entry = self.events.entry(unfinished.position).await?;
            let Some(stored) = entry.and_then(Stored::of) else { continue };
            let found = standing.index.matching(&stored);
            standing.held.push(Held::new(&stored, found, unfinished.after));
        }
        Ok(standing)
    }

    /// Decides entries in order; broad ones and those that wait for them are held for their turn.
    async fn take(&self, entries: Vec<LogEntry>, standing: &mut Standing) -> Result<(), PortError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.settle_to_read(standing).await?;
        let mut step = Step::default();
        for entry in entries {
            if !standing.held.has_room() {
                break;
            }
            let position = entry.position;
            if let LogRecord::Control(change) = entry.record {
                self.govern(position, change, standing);
            } else if let Some(stored) = Stored::of(entry) {
                self.take_event(stored, standing, &mut step).await?;
            }
            standing.cursor.position = position;
            if step.len() >= STEP {
                self.commit(&mut step, standing, After::Settling).await?;
                self.settle(standing).await?;
            }
            if standing.heads.is_full() && step.is_empty() {
                self.settle(standing).await?;
                standing.heads.clear();
            }
        }
        self.commit(&mut step, standing, After::Settling).await
    }

    async fn take_event(&self, stored: Stored, standing: &mut Standing, step: &mut Step) -> Result<(), PortError> {
        let began = self.clock.elapsed();
        let found = standing.index.matching(&stored);
        standing.spent.entries += 1;
        if found.len() > BROAD || standing.held.concern(&stored) {
            standing.held.push(Held::new(&stored, found, None));
            return Ok(());
        }
        let mut told = self.told_before(&stored, None, BROAD, step).await?;
        told.leave_out(|tenant| standing.shelf.is_shut_before(tenant, stored.position));
        if !told.are_all() {
            standing.held.push(Held::new(&stored, found, None));
            return Ok(());
        }
        let (index, mut roll, now) = (&standing.index, Roll::default(), Since::default());
        roll.add(found.into_iter().filter_map(|slot| index.wish_at(slot, &now).cloned()).collect());
        let recipients = gather::recipients(&mut roll, told, usize::MAX, index, &now).recipients;
        standing.spent.matching += self.clock.elapsed().saturating_sub(began);
        if recipients.is_empty() {
            return Ok(());
        }
        let pending = self.with_others(stored).await?;
        self.decide(&pending, &recipients, standing, step).await
    }

    /// Reads the other events that an entry is judged with: the one that counts in threads that it
    /// joined, and those that hold in other zones of its thread.
    async fn with_others(&self, stored: Stored) -> Result<Pending, PortError> {
        let tenant = &stored.event.tenant;
        let counting = match stored.outlook.told_instead() {
            Some(id) => self.events.event(tenant, id).await?.and_then(Stored::of),
            None => None,
        };
        let mut standing = Vec::with_capacity(stored.outlook.standing.len());
        for other in &stored.outlook.standing {
            let entry = self.events.event(tenant, other.event).await?;
            standing.extend(entry.and_then(Stored::of).map(|it| zones::cut(&it.event, &other.zones, &stored.event)));
        }
        Ok(Pending { stored, counting, standing })
    }

    /// Decides some recipients of one event.
    async fn decide(
        &self,
        pending: &Pending,
        recipients: &[Recipient],
        standing: &mut Standing,
        step: &mut Step,
    ) -> Result<(), PortError> {
        let missing = standing.heads.missing(recipients);
        if !missing.is_empty() {
            let heads = self.deliveries.inbox_heads(&missing).await?;
            standing.heads.extend(missing.into_iter().zip(heads));
        }
        let began = self.clock.elapsed();
        let state = pending.stored.outlook.state;
        let subject = Subject::new(&pending.stored.event, state);
        // Judged by how the joined thread stands now, not by how its own stood then.
        let counting = pending.counting.as_ref().map(|it| Subject::new(&it.event, state));
        let others: Vec<Subject<'_>> = pending.standing.iter().map(|event| Subject::new(event, state)).collect();
        let case = Case { entry: pending.entry(&subject, counting.as_ref(), &others), recipients };
        let now = self.clock.now();
        for ruling in notify(&case) {
            step.add(ruling, now, &mut standing.heads);
        }
        standing.spent.deciding += self.clock.elapsed().saturating_sub(began);
        Ok(())
    }

    /// A control change takes effect for every entry after it.
    fn govern(&self, position: Position, change: ControlChange, standing: &mut Standing) {
        match change {
            ControlChange::Subscription(subscription) => {
                let shared = self.control.wish(subscription.id);
                let same = shared.filter(|wish| wish.subscription.revision == subscription.revision);
                let Some(wish) = same.or_else(|| wish_of(*subscription)) else { return };
                if let Some(wish) = standing.shelf.takes(wish) {
                    let replaced = standing.index.insert(wish);
                    standing.held.note(&replaced);
                }
            }
            ControlChange::Tenant(record) => {
                for replaced in standing.shelf.govern(&record, position, &mut standing.index) {
                    standing.held.note(&replaced);
                }
            }
            ControlChange::SubscriptionDeleted(gone) => {
                standing.shelf.remove(&gone);
                if let Some(replaced) = standing.index.remove(gone.id) {
                    standing.held.note(&replaced);
                }
            }
            ControlChange::Key(_)
            | ControlChange::KeyRevoked(_)
            | ControlChange::Role(_)
            | ControlChange::RoleDeleted(_)
            | ControlChange::Hook(_)
            | ControlChange::HookDeleted(_)
            | ControlChange::ServiceAccount(_)
            | ControlChange::ServiceAccountDeleted(_) => {}
        }
    }
}
