//! The notifier: follows the log, finds who asked to know, decides, and stores decisions, inbox
//! places and its cursor in one step.
//!
//! An event of very many recipients is taken in chunks; between them events of other threads go
//! on, those of the same thread wait for its end.

mod broad;
mod gather;
mod step;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tidings_core::decide::{Counting, Entry, Recipient, Wish, zones};
use tidings_core::event::Event;
use tidings_core::filter::Subject;
use tidings_core::id::SubscriptionId;
use tidings_core::matcher::{self, Matcher};
use tidings_core::port::{
    ControlChange, ControlStore, DeliveryStore, EventLog, EventStore, LogEntry, LogRecord, NotifierCursor, PortError,
    Retry,
};
use tidings_core::stored::Stored;
use tokio::sync::watch;
use tracing::{error, warn};

use crate::control::{Control, each_change, wish_of};
use crate::inbox::InboxWatch;
use crate::metrics::{AttemptLabels, ChannelLabels, Metrics, observe};
use crate::pipeline::notify;

use broad::Broad;
use step::Step;

/// Entries read from the log at once.
const ENTRIES_AT_ONCE: usize = 512;
/// Bytes of bodies read at once.
const BYTES_AT_ONCE: usize = 8 << 20;
/// Recipients of one event that are decided in one step; more make it a broad event.
const STEP: usize = 10_000;
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

/// Where the notifier stands, all of it made anew from the stores at a start.
struct Standing {
    cursor: NotifierCursor,
    matcher: Matcher,
    wishes: HashMap<SubscriptionId, Wish>,
    broad: Vec<Broad>,
    heads: HashMap<step::Inbox, u64>,
    scratch: matcher::Scratch,
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
    pub async fn run(self, decided: watch::Sender<tidings_core::position::Position>, mut stop: watch::Receiver<bool>) {
        loop {
            let fault = tokio::select! {
                result = self.follow(&decided) => match result { Ok(never) => match never {}, Err(fault) => fault },
                _ = stop.wait_for(|stop| *stop) => return,
            };
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

    async fn follow(
        &self,
        decided: &watch::Sender<tidings_core::position::Position>,
    ) -> Result<std::convert::Infallible, PortError> {
        let mut standing = self.stand().await?;
        loop {
            let position = standing.cursor.position;
            let entries = self.log.read(position, ENTRIES_AT_ONCE, BYTES_AT_ONCE).await?;
            if entries.is_empty() && standing.broad.is_empty() {
                decided.send_replace(position);
                self.log.beyond(position).await;
                continue;
            }
            self.take(entries, &mut standing).await?;
            if !standing.broad.is_empty() {
                self.advance_broad(&mut standing).await?;
            }
            decided.send_replace(standing.cursor.position);
        }
    }

    /// The matcher and the unfinished events as they were at the stored cursor.
    async fn stand(&self) -> Result<Standing, PortError> {
        let cursor = self.deliveries.notifier_cursor().await?;
        let start = tidings_core::position::Position::start(cursor.position.epoch);
        let mut standing = Standing {
            cursor: cursor.clone(),
            matcher: Matcher::new(),
            wishes: HashMap::new(),
            broad: Vec::new(),
            heads: HashMap::new(),
            scratch: matcher::Scratch::default(),
            spent: Spent::default(),
        };
        let mut changes = Vec::new();
        each_change(&*self.control_store, start, |change| changes.push(change)).await?;
        let mut changes = changes.into_iter().peekable();
        let stops = cursor.unfinished.iter().map(|it| Some(*it)).chain([None]);
        for unfinished in stops {
            let until = unfinished.map_or(cursor.position, |it| it.position);
            while let Some(change) = changes.next_if(|change| change.position <= until) {
                self.govern(change.change, &mut standing);
            }
            let Some(unfinished) = unfinished else { break };
            let entry = self.events.entry(unfinished.position).await?;
            let Some(stored) = entry.and_then(Stored::of) else { continue };
            let pending = self.with_others(stored).await?;
            let recipients = self.gather(&pending.stored, &mut standing, &Step::default()).await?;
            standing.broad.push(Broad::resumed(pending, recipients, unfinished.done));
        }
        Ok(standing)
    }

    /// Decides entries in order; broad ones are set beside for their turn.
    async fn take(&self, entries: Vec<LogEntry>, standing: &mut Standing) -> Result<(), PortError> {
        let mut step = Step::default();
        for entry in entries {
            let position = entry.position;
            if let LogRecord::Control(change) = entry.record {
                self.govern(change, standing);
            } else if let Some(stored) = Stored::of(entry) {
                let pending = self.with_others(stored).await?;
                self.finish_thread(&pending.stored, standing, &mut step).await?;
                let began = self.clock.elapsed();
                let recipients = self.gather(&pending.stored, standing, &step).await?;
                standing.spent.entries += 1;
                standing.spent.matching += self.clock.elapsed().saturating_sub(began);
                if recipients.len() > STEP {
                    standing.broad.push(Broad::new(pending, recipients));
                } else {
                    self.decide(&pending, &recipients, standing, &mut step).await?;
                }
            }
            standing.cursor.position = position;
            if step.len() >= STEP {
                self.commit(&mut step, standing).await?;
            }
        }
        self.commit(&mut step, standing).await
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
        let heads_missing = recipients.iter().map(step::inbox_of).filter(|inbox| !standing.heads.contains_key(inbox));
        let heads_missing: Vec<step::Inbox> = heads_missing.collect();
        for (tenant, user) in heads_missing {
            let head = self.deliveries.inbox_head(&tenant, user).await?;
            standing.heads.insert((tenant, user), head);
        }
        let began = self.clock.elapsed();
        let state = pending.stored.outlook.state;
        let subject = Subject::new(&pending.stored.event, state);
        // Judged by how the joined thread stands now, not by how its own stood then.
        let counting = pending.counting.as_ref().map(|it| Subject::new(&it.event, state));
        let others: Vec<Subject<'_>> = pending.standing.iter().map(|event| Subject::new(event, state)).collect();
        let case = Case { entry: pending.entry(&subject, counting.as_ref(), &others), recipients };
        for ruling in notify(&case) {
            step.add(ruling, &mut standing.heads);
        }
        standing.spent.deciding += self.clock.elapsed().saturating_sub(began);
        Ok(())
    }

    /// Stores what is decided together with the cursor, then wakes whoever waits for it.
    async fn commit(&self, step: &mut Step, standing: &mut Standing) -> Result<(), PortError> {
        standing.cursor.unfinished = standing.broad.iter().map(Broad::unfinished).collect();
        let (told, notices) = (step.told_inboxes(), step.notices());
        let began = self.clock.elapsed();
        self.deliveries.commit_step(step.take(standing.cursor.clone())).await?;
        let delivering = self.clock.elapsed().saturating_sub(began);
        self.count(std::mem::take(&mut standing.spent), delivering, notices);
        let now = self.clock.now();
        let inbox = self.metrics.event_to_notification.get_or_create_owned(&ChannelLabels { channel: "inbox" });
        for (_, _, received) in &told {
            inbox.observe(now.millis_since(*received).max(0) as f64 / 1_000.0);
        }
        for (inbox, number, _) in told {
            self.inboxes.wake(&inbox, number);
        }
        if standing.heads.len() > step::HEADS_MAX {
            standing.heads.clear();
        }
        Ok(())
    }

    /// Counts what a step took and told.
    fn count(&self, spent: Spent, delivering: Duration, notices: u64) {
        if spent.entries > 0 {
            observe(&self.metrics.match_duration, spent.matching);
            observe(&self.metrics.stages.matching, spent.matching);
            observe(&self.metrics.stages.decide, spent.deciding);
        }
        observe(&self.metrics.stages.deliver, delivering);
        self.metrics.notifications.inc_by(notices);
        let inbox = AttemptLabels { channel: "inbox", result: "delivered" };
        self.metrics.delivery_attempts.get_or_create(&inbox).inc_by(notices);
    }

    /// A control change takes effect for every entry after it.
    fn govern(&self, change: ControlChange, standing: &mut Standing) {
        match change {
            ControlChange::Subscription(subscription) => {
                let shared = self.control.wish(subscription.id);
                let same = shared.filter(|wish| wish.subscription.revision == subscription.revision);
                let Some(wish) = same.or_else(|| wish_of(*subscription)) else { return };
                standing.matcher.insert(gather::matcher_entry(&wish));
                standing.wishes.insert(wish.subscription.id, wish);
            }
            ControlChange::SubscriptionDeleted(gone) => {
                standing.matcher.remove(gone.id);
                standing.wishes.remove(&gone.id);
            }
            ControlChange::Key(_)
            | ControlChange::KeyRevoked(_)
            | ControlChange::Role(_)
            | ControlChange::RoleDeleted(_) => {}
        }
    }
}
