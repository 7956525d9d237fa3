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
use tidings_core::event::{Event, Outlook};
use tidings_core::filter::Subject;
use tidings_core::id::{SubscriptionId, ThreadId};
use tidings_core::matcher::{self, Matcher};
use tidings_core::port::{
    ControlChange, ControlStore, DeliveryStore, EventLog, EventStore, LogEntry, LogRecord, NotifierCursor, PortError,
    Retry,
};
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

/// An event of the log, held as long as it is being decided.
#[derive(Debug, Clone)]
struct Stored {
    position: tidings_core::position::Position,
    thread: ThreadId,
    revision: u32,
    outlook: Outlook,
    event: Arc<Event>,
    /// The event that is told in place of its own: see [`Outlook::told_instead`].
    counting: Option<Box<Stored>>,
    /// The other messages of its thread that hold in zones of their own, cut to those.
    standing: Vec<Event>,
}

impl Stored {
    fn entry<'a>(
        &'a self,
        subject: &'a Subject<'a>,
        counting: Option<&'a Subject<'a>>,
        standing: &'a [Subject<'a>],
    ) -> Entry<'a> {
        let counting = self.counting.as_ref().zip(counting);
        Entry {
            position: self.position,
            thread: self.thread,
            revision: self.revision,
            outlook: &self.outlook,
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
            let Some(mut stored) = entry.and_then(stored_event) else { continue };
            self.find_others(&mut stored).await?;
            let recipients = self.gather(&stored, &mut standing, &Step::default()).await?;
            standing.broad.push(Broad::resumed(stored, recipients, unfinished.done));
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
            } else if let Some(mut stored) = stored_event(entry) {
                self.find_others(&mut stored).await?;
                self.finish_thread(&stored, standing, &mut step).await?;
                let began = self.clock.elapsed();
                let recipients = self.gather(&stored, standing, &step).await?;
                standing.spent.entries += 1;
                standing.spent.matching += self.clock.elapsed().saturating_sub(began);
                if recipients.len() > STEP {
                    standing.broad.push(Broad::new(stored, recipients));
                } else {
                    self.decide(&stored, &recipients, standing, &mut step).await?;
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
    async fn find_others(&self, stored: &mut Stored) -> Result<(), PortError> {
        let tenant = &stored.event.tenant;
        if let Some(id) = stored.outlook.told_instead() {
            stored.counting = self.events.event(tenant, id).await?.and_then(stored_event).map(Box::new);
        }
        for standing in &stored.outlook.standing {
            let entry = self.events.event(tenant, standing.event).await?;
            let other = entry.and_then(stored_event);
            stored.standing.extend(other.map(|other| zones::cut(&other.event, &standing.zones, &stored.event)));
        }
        Ok(())
    }

    /// Decides some recipients of one event.
    async fn decide(
        &self,
        stored: &Stored,
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
        let subject = Subject::new(&stored.event, stored.outlook.state);
        // Judged by how the joined thread stands now, not by how its own stood then.
        let counting = stored.counting.as_ref().map(|it| Subject::new(&it.event, stored.outlook.state));
        let others: Vec<Subject<'_>> =
            stored.standing.iter().map(|event| Subject::new(event, stored.outlook.state)).collect();
        let case = Case { entry: stored.entry(&subject, counting.as_ref(), &others), recipients };
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
            ControlChange::Key(_) | ControlChange::KeyRevoked(_) => {}
        }
    }
}

fn stored_event(entry: LogEntry) -> Option<Stored> {
    match entry.record {
        LogRecord::Event { thread, revision, outlook, event, .. } => Some(Stored {
            position: entry.position,
            thread,
            revision,
            outlook,
            event,
            counting: None,
            standing: Vec::new(),
        }),
        _ => None,
    }
}
