//! Ports that fail on command, around any other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use tidings_core::id::{EventId, TenantId, ThreadId, UserId};
use tidings_core::notice::StoredDecision;
use tidings_core::port::{
    Commit, DeliveryStore, EventLog, InboxEntry, Ledger, LogEntry, NotifierCursor, NotifierStep, PortError, Retry, Told,
};
use tidings_core::position::Position;
use tokio::sync::watch;

/// The switch of a failing port, shared with the test that holds it.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    counts: Arc<Counts>,
}

#[derive(Debug)]
struct Counts {
    later: AtomicUsize,
    never: AtomicUsize,
    unanswered: AtomicUsize,
    panics: AtomicBool,
    /// How many steps of a notifier are still taken.
    steps: AtomicUsize,
    taken: watch::Sender<Vec<TakenStep>>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            later: AtomicUsize::new(0),
            never: AtomicUsize::new(0),
            unanswered: AtomicUsize::new(0),
            panics: AtomicBool::new(false),
            steps: AtomicUsize::new(usize::MAX),
            taken: watch::Sender::default(),
        }
    }
}

/// A step of a notifier that took effect.
#[derive(Debug, Clone)]
pub struct TakenStep {
    /// Of each of its decisions, where the event is.
    pub events: Vec<Position>,
    /// Where the notifier was after it.
    pub cursor: NotifierCursor,
}

impl Faults {
    /// The next `count` calls do nothing and fail with `Retry::Later`.
    pub fn refuse_next(&self, count: usize) {
        self.counts.later.store(count, Ordering::SeqCst);
    }

    /// Every call from now on does nothing and fails with `Retry::Never`.
    pub fn break_for_good(&self) {
        self.counts.never.store(usize::MAX, Ordering::SeqCst);
    }

    /// The next `count` writes take effect and fail all the same, as if the answer was lost.
    pub fn lose_answers(&self, count: usize) {
        self.counts.unanswered.store(count, Ordering::SeqCst);
    }

    /// Every call from now on panics, as a port with a mistake in it does.
    pub fn panic_from_now_on(&self) {
        self.counts.panics.store(true, Ordering::SeqCst);
    }

    /// Whether every step of a notifier does nothing and fails with `Retry::Later`; reads go on.
    pub fn refuse_steps(&self, refuse: bool) {
        self.counts.steps.store(if refuse { 0 } else { usize::MAX }, Ordering::SeqCst);
    }

    /// Every step of a notifier after `count` more does nothing and fails with `Retry::Later`.
    pub fn refuse_steps_after(&self, count: usize) {
        self.counts.steps.store(count, Ordering::SeqCst);
    }

    /// The steps that took effect so far.
    pub fn taken(&self) -> watch::Receiver<Vec<TakenStep>> {
        self.counts.taken.subscribe()
    }

    fn before(&self, what: &str) -> Result<(), PortError> {
        assert!(!self.counts.panics.load(Ordering::SeqCst), "{what}: a panic on command");
        if take(&self.counts.never) {
            return Err(PortError { what: format!("{what}: broken on command"), retry: Retry::Never, source: None });
        }
        if take(&self.counts.later) {
            return Err(PortError { what: format!("{what}: refused on command"), retry: Retry::Later, source: None });
        }
        Ok(())
    }

    fn after(&self, what: &str) -> Result<(), PortError> {
        if take(&self.counts.unanswered) {
            return Err(PortError {
                what: format!("{what}: answer lost on command"),
                retry: Retry::Later,
                source: None,
            });
        }
        Ok(())
    }
}

fn take(count: &AtomicUsize) -> bool {
    let taken = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
        0 => None,
        usize::MAX => Some(usize::MAX),
        left => Some(left - 1),
    });
    taken.is_ok()
}

/// A port with a switch; it implements `Ledger`, `EventLog` and `DeliveryStore` where `P` does.
#[derive(Debug)]
pub struct Failing<P: ?Sized> {
    inner: Arc<P>,
    faults: Faults,
}

impl<P: ?Sized> Failing<P> {
    /// Wraps a port.
    pub fn new(inner: Arc<P>, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl<P: Ledger + ?Sized> Ledger for Failing<P> {
    async fn commit(&self, commit: Commit) -> Result<(), PortError> {
        self.faults.before("commit")?;
        self.inner.commit(commit).await?;
        self.faults.after("commit")
    }
}

#[async_trait]
impl<P: EventLog + ?Sized> EventLog for Failing<P> {
    async fn read(&self, after: Position, entries: usize, bytes: usize) -> Result<Vec<LogEntry>, PortError> {
        self.faults.before("read the log")?;
        self.inner.read(after, entries, bytes).await
    }

    fn head(&self) -> Position {
        self.inner.head()
    }

    fn tail(&self) -> Position {
        self.inner.tail()
    }

    async fn beyond(&self, position: Position) {
        self.inner.beyond(position).await;
    }
}

#[async_trait]
impl<P: DeliveryStore + ?Sized> DeliveryStore for Failing<P> {
    async fn notifier_cursor(&self) -> Result<NotifierCursor, PortError> {
        self.faults.before("read the notifier's cursor")?;
        self.inner.notifier_cursor().await
    }

    async fn commit_step(&self, step: NotifierStep) -> Result<(), PortError> {
        self.faults.before("commit a notifier step")?;
        if !take(&self.faults.counts.steps) {
            return Err(PortError::later("commit a notifier step", "refused on command"));
        }
        let events = step.decisions.iter().map(|decision| decision.position).collect();
        let taken = TakenStep { events, cursor: step.cursor.clone() };
        self.inner.commit_step(step).await?;
        self.faults.counts.taken.send_modify(|all| all.push(taken));
        self.faults.after("commit a notifier step")
    }

    async fn told_of(
        &self,
        thread_tenant: &TenantId,
        thread: ThreadId,
        after: Option<&(TenantId, UserId)>,
        limit: usize,
    ) -> Result<Vec<Told>, PortError> {
        self.faults.before("read who was told")?;
        self.inner.told_of(thread_tenant, thread, after, limit).await
    }

    async fn decision(
        &self,
        tenant: &TenantId,
        user: UserId,
        event: EventId,
    ) -> Result<Option<StoredDecision>, PortError> {
        self.faults.before("read a decision")?;
        self.inner.decision(tenant, user, event).await
    }

    async fn inbox_after(
        &self,
        tenant: &TenantId,
        user: UserId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, PortError> {
        self.faults.before("read an inbox")?;
        self.inner.inbox_after(tenant, user, after, limit).await
    }

    async fn inbox_before(
        &self,
        tenant: &TenantId,
        user: UserId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, PortError> {
        self.faults.before("read an inbox")?;
        self.inner.inbox_before(tenant, user, before, limit).await
    }

    async fn inbox_head(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError> {
        self.faults.before("read an inbox")?;
        self.inner.inbox_head(tenant, user).await
    }

    async fn inbox_heads(&self, inboxes: &[(TenantId, UserId)]) -> Result<Vec<u64>, PortError> {
        self.faults.before("read inboxes")?;
        self.inner.inbox_heads(inboxes).await
    }

    async fn read_mark(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError> {
        self.faults.before("read a read mark")?;
        self.inner.read_mark(tenant, user).await
    }

    async fn set_read_mark(&self, tenant: &TenantId, user: UserId, number: u64) -> Result<(), PortError> {
        self.faults.before("move a read mark")?;
        self.inner.set_read_mark(tenant, user, number).await
    }
}
