//! Storing what was decided, together with the cursor.

use std::sync::Arc;
use std::time::Duration;

use tidings_core::port::{PortError, Retry};
use tidings_core::position::Position;
use tokio::task::JoinHandle;

use super::step::{Step, Told};
use super::{Notifier, Spent, Standing};
use crate::inbox::InboxWatch;
use crate::metrics::{AttemptLabels, ChannelLabels, Metrics, observe};

/// Entries and pieces without anything to store, after which the cursor is stored all the same.
const UNSAVED_MAX: u64 = 4_096;

/// What may be done while a step is on its way to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Anything: the threads it speaks of are held back until their event is done.
    GoingOn,
    /// Nothing that reads what was told: it is waited for before that.
    Settling,
}

/// A step on its way to the disk. There is never more than one, so a fault undoes the newest only.
#[derive(Debug)]
pub(super) struct InFlight {
    task: JoinHandle<Result<(), PortError>>,
    /// Where the notifier stood.
    position: Position,
    after: After,
}

impl Notifier {
    /// Stores what is decided together with the cursor, which wakes whoever waits for it. Without
    /// anything to store the cursor is stored later: after a crash the same entries come to nothing
    /// again.
    pub(super) async fn commit(&self, step: &mut Step, standing: &mut Standing, after: After) -> Result<(), PortError> {
        if step.is_empty() && standing.unsaved < UNSAVED_MAX {
            standing.unsaved += 1;
            if let (Some(in_flight), After::Settling) = (&mut standing.in_flight, after) {
                in_flight.after = after;
            }
            return Ok(());
        }
        self.store(step, standing, after).await
    }

    /// Stores the cursor alone, where it is not stored yet.
    pub(super) async fn save(&self, standing: &mut Standing) -> Result<(), PortError> {
        if standing.unsaved > 0 {
            self.store(&mut Step::default(), standing, After::Settling).await?;
        }
        self.settle(standing).await
    }

    async fn store(&self, step: &mut Step, standing: &mut Standing, after: After) -> Result<(), PortError> {
        self.settle(standing).await?;
        standing.unsaved = 0;
        standing.cursor.unfinished = standing.held.unfinished();
        let (told, notices) = (step.told_inboxes(), step.notices());
        let step = step.take(standing.cursor.clone());
        let (metrics, inboxes) = (Arc::clone(&self.metrics), Arc::clone(&self.inboxes));
        let (deliveries, clock) = (Arc::clone(&self.deliveries), Arc::clone(&self.clock));
        let spent = std::mem::take(&mut standing.spent);
        let task = tokio::spawn(async move {
            let began = clock.elapsed();
            deliveries.commit_step(step).await?;
            count(&metrics, spent, clock.elapsed().saturating_sub(began), notices);
            wake(&metrics, &inboxes, &told, clock.now());
            Ok(())
        });
        standing.in_flight = Some(InFlight { task, position: standing.cursor.position, after });
        Ok(())
    }

    /// Waits for the step on its way.
    pub(super) async fn settle(&self, standing: &mut Standing) -> Result<(), PortError> {
        let Some(InFlight { task, position, .. }) = standing.in_flight.take() else { return Ok(()) };
        let ended = |cause| PortError { what: "commit a step".to_owned(), retry: Retry::Never, source: Some(cause) };
        task.await.map_err(|cause| ended(Box::new(cause)))??;
        standing.settled = position;
        Ok(())
    }

    /// Waits for the step on its way where what was told is read next.
    pub(super) async fn settle_to_read(&self, standing: &mut Standing) -> Result<(), PortError> {
        if standing.in_flight.as_ref().is_some_and(|step| step.after == After::Settling) {
            self.settle(standing).await?;
        }
        Ok(())
    }
}

/// Counts what a step took and told.
fn count(metrics: &Metrics, spent: Spent, delivering: Duration, notices: u64) {
    if spent.entries > 0 {
        observe(&metrics.match_duration, spent.matching);
        observe(&metrics.stages.matching, spent.matching);
        observe(&metrics.stages.decide, spent.deciding);
    }
    observe(&metrics.stages.deliver, delivering);
    metrics.notifications.inc_by(notices);
    let inbox = AttemptLabels { channel: "inbox", result: "delivered" };
    metrics.delivery_attempts.get_or_create(&inbox).inc_by(notices);
}

fn wake(metrics: &Metrics, inboxes: &InboxWatch, told: &[Told], now: tidings_core::time::Timestamp) {
    let inbox = metrics.event_to_notification.get_or_create_owned(&ChannelLabels { channel: "inbox" });
    for (_, _, received) in told {
        inbox.observe(now.millis_since(*received).max(0) as f64 / 1_000.0);
    }
    for (inbox, number, _) in told {
        inboxes.wake(inbox, *number);
    }
}
