//! The projector: feeds a read view from the log, from the view's own cursor.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidings_core::port::{Clock, EventLog, PortError, Projection};
use tokio::sync::watch;
use tracing::warn;

use crate::metrics::{Metrics, observe};
use crate::roles::Roles;

/// Entries offered at once.
const ENTRIES_AT_ONCE: usize = 2_000;
/// Bytes of bodies read at once.
const BYTES_AT_ONCE: usize = 16 << 20;
/// How long a view may hold back what it was given before it is asked to show it.
const FLUSH_AFTER: Duration = Duration::from_millis(500);
/// How long entries may gather before they are offered together: whoever searches sees them a little
/// later, and intake is not disturbed at each of its steps.
const GATHER: Duration = Duration::from_millis(50);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// What the projector works with.
pub(crate) struct Projector {
    pub log: Arc<dyn EventLog>,
    pub view: Arc<dyn Projection>,
    pub metrics: Arc<Metrics>,
    pub roles: Arc<Roles>,
    pub clock: Arc<dyn Clock>,
}

impl Projector {
    /// Runs until told to stop. A view that fails is offered the same entries again.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            let fault = tokio::select! {
                result = self.follow() => match result { Ok(never) => match never {}, Err(fault) => fault },
                _ = stop.wait_for(|stop| *stop) => break,
            };
            self.roles.view_fails.store(true, Ordering::Relaxed);
            let cause = fault.source.as_ref().map(ToString::to_string).unwrap_or_default();
            warn!("the read view falls behind and is tried again: {fault}: {cause}");
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        // What the view holds back is found again from its cursor, so a failure here costs nothing.
        let _ = self.view.apply(&[], self.clock.now()).await;
    }

    async fn follow(&self) -> Result<std::convert::Infallible, PortError> {
        let mut cursor = self.view.cursor().await?;
        let mut shown = true;
        loop {
            let entries = self.log.read(cursor, ENTRIES_AT_ONCE, BYTES_AT_ONCE).await?;
            let Some(last) = entries.last() else {
                let more = self.log.beyond(cursor);
                if shown {
                    more.await;
                } else if tokio::time::timeout(FLUSH_AFTER, more).await.is_err() {
                    self.view.apply(&[], self.clock.now()).await?;
                    shown = true;
                }
                continue;
            };
            let last = last.position;
            let is_all = entries.len() < ENTRIES_AT_ONCE;
            let began = self.clock.elapsed();
            self.view.apply(&entries, self.clock.now()).await?;
            self.roles.view_fails.store(false, Ordering::Relaxed);
            observe(&self.metrics.stages.project, self.clock.elapsed().saturating_sub(began));
            (cursor, shown) = (last, false);
            if is_all {
                tokio::time::sleep(GATHER).await;
            }
        }
    }
}
