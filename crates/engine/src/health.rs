//! Whether the parts do their work, and how far behind each is.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use tidings_core::port::{ControlChange, LogRecord, PortError};
use tidings_core::position::Position;
use tidings_core::time::Timestamp;

use crate::Engine;
use crate::metrics::{QueueLabels, ReaderLabels};
use crate::roles::Role;

/// A reader whose oldest entry waits for longer is said to be behind.
const BEHIND: Duration = Duration::from_secs(30);

/// One part and how it is.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Which part.
    pub name: &'static str,
    /// True where it does its work.
    pub ok: bool,
    /// How far behind it is, or what is wrong.
    pub detail: String,
}

/// How far a reader of the log is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lag {
    entries: u64,
    /// How long ago the oldest entry came in that it has not passed.
    age: Duration,
}

impl Engine {
    /// How each part is: the log, the owner, the notifier, the read view.
    pub async fn checks(&self) -> Vec<Check> {
        let head = self.ports.log.head();
        let log = match self.ports.log.read(head, 1, 1).await {
            Ok(_) => Check { name: "log", ok: true, detail: format!("up to {}", head.offset) },
            Err(error) => Check { name: "log", ok: false, detail: error.to_string() },
        };
        let waiting = format!("{} batches waiting", self.owner.depth());
        let owner = self.check("owner", Role::Owner, Check { name: "owner", ok: true, detail: waiting });
        let notifier = reader("notifier", self.notifier_lag().await, |lag| lag.age < BEHIND);
        let view_fails = self.roles.view_fails.load(Ordering::Relaxed);
        let view = reader("view", self.view_lag().await, |lag| !view_fails || lag.age < BEHIND);
        vec![log, owner, self.check("notifier", Role::Notifier, notifier), self.check("view", Role::Projector, view)]
    }

    /// A part whose task has ended does no work, whatever else is said of it.
    fn check(&self, name: &'static str, role: Role, check: Check) -> Check {
        if !self.roles.has_ended(role) {
            return check;
        }
        let detail = format!("the {role} has stopped, and nothing is taken in until the server has started anew");
        Check { name, ok: false, detail }
    }

    /// Sets the metrics that show how things stand, which nothing sets while things move.
    pub async fn sample(&self) {
        let metrics = &self.metrics;
        let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        metrics.subscriptions.set(gauge(self.control.subscription_count() as u64));
        let owner = metrics.queue_depth.get_or_create_owned(&QueueLabels { queue: "owner" });
        owner.set(gauge(self.owner.depth() as u64));
        for (reader, lag) in [("notifier", self.notifier_lag().await), ("projector", self.view_lag().await)] {
            // A store that cannot be read leaves the last value; health says what is wrong.
            let Ok(lag) = lag else { continue };
            let labels = ReaderLabels { reader };
            metrics.reader_lag_entries.get_or_create(&labels).set(gauge(lag.entries));
            metrics.reader_lag_seconds.get_or_create(&labels).set(lag.age.as_secs_f64());
            if reader == "notifier" {
                metrics.notify_stalled_seconds.set(lag.age.as_secs_f64());
            }
        }
    }

    async fn notifier_lag(&self) -> Result<Lag, PortError> {
        // The stored cursor may be behind: entries that come to nothing are not worth a sync each.
        let decided = *self.decided.borrow();
        match decided.held.filter(|position| position.offset > 0) {
            // It is behind the cursor and not decided for everyone yet.
            Some(oldest) => self.lag(Position { offset: oldest.offset - 1, ..oldest }).await,
            None => self.lag(decided.position).await,
        }
    }

    async fn view_lag(&self) -> Result<Lag, PortError> {
        self.lag(self.ports.projection.cursor().await?).await
    }

    async fn lag(&self, cursor: Position) -> Result<Lag, PortError> {
        let entries = self.ports.log.head().offset.saturating_sub(cursor.offset);
        let oldest = if entries == 0 { Vec::new() } else { self.ports.log.read(cursor, 1, 1).await? };
        let now = self.clock().now();
        let millis = oldest.first().map_or(0, |entry| now.millis_since(came_in(&entry.record)).max(0));
        Ok(Lag { entries, age: Duration::from_millis(millis.unsigned_abs()) })
    }
}

fn reader(name: &'static str, lag: Result<Lag, PortError>, is_well: impl FnOnce(&Lag) -> bool) -> Check {
    match lag {
        Ok(lag) => {
            let detail = match lag.entries {
                0 => "0 entries behind".to_owned(),
                entries => format!("{entries} entries behind, the oldest for {} s", lag.age.as_secs()),
            };
            Check { name, ok: is_well(&lag), detail }
        }
        Err(error) => Check { name, ok: false, detail: error.to_string() },
    }
}

/// When an entry came in.
fn came_in(record: &LogRecord) -> Timestamp {
    match record {
        LogRecord::Event { event, .. } => event.received,
        LogRecord::Form { form, .. } => form.received,
        LogRecord::DeadLetter { letter, .. } => letter.received,
        LogRecord::Control(ControlChange::Subscription(subscription)) => subscription.updated,
        LogRecord::Control(ControlChange::Key(key)) => key.created,
        LogRecord::Control(ControlChange::SubscriptionDeleted(gone)) => gone.at,
        LogRecord::Control(ControlChange::KeyRevoked(gone)) => gone.at,
        LogRecord::Control(ControlChange::Role(role)) => role.updated,
        LogRecord::Control(ControlChange::RoleDeleted(gone)) => gone.at,
        LogRecord::Control(ControlChange::Hook(hook)) => hook.updated,
        LogRecord::Control(ControlChange::HookDeleted(gone)) => gone.at,
        LogRecord::Control(ControlChange::ServiceAccount(account)) => account.updated,
        LogRecord::Control(ControlChange::ServiceAccountDeleted(gone)) => gone.at,
        LogRecord::Control(ControlChange::Tenant(record)) => record.updated,
    }
}
