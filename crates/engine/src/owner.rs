//! The owner's task: drains the waiting batches, resolves them and commits once for all.

use std::collections::HashMap;
use std::sync::Arc;

use tidings_core::audit::{AuditEntry, ChainEnd};
use tidings_core::id::TenantId;
use tidings_core::port::{
    AuditLog, Clock, ControlChange, EventLog, Fence, Ledger, LogRecord, PortError, RecordRow, RecordStore, RecordWrite,
    Retry, ThreadRows,
};
use tidings_core::rejection::Outcome;
use tidings_core::resolve::{Submission, Threads};
use tidings_core::tenant::TenantState;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tracing::{error, warn};

use crate::control::Control;
use crate::expected::{Expected, Judge};
use crate::metrics::{Metrics, observe};
use crate::pipeline::own;
use crate::quotas::UsageTable;
use crate::records::{Checked, KnownRecords, check};
use crate::roles::{Roles, restarting};

/// Bytes that may wait for the owner before intake answers "busy".
const WAITING_BYTES_MAX: usize = 128 << 20;
/// Batches that may wait, whatever their size.
const WAITING_BATCHES_MAX: usize = 4_096;
/// Submissions that one commit takes; more wait for the next.
const COMMIT_SUBMISSIONS_MAX: usize = 20_000;
/// Bytes that one commit takes.
const COMMIT_BYTES_MAX: usize = 32 << 20;
/// What a submission costs besides its bytes.
const SUBMISSION_BYTES: usize = 512;

/// A batch on its way to the owner.
struct Waiting {
    batch: Vec<Submission>,
    records: Vec<RecordWrite>,
    expected: Expected,
    bytes: usize,
    answer: oneshot::Sender<Result<Written, PortError>>,
    _room: OwnedSemaphorePermit,
}

/// What became of a batch that could be stored.
enum Written {
    /// It is durable; how each submission ended.
    Done(Vec<Option<Outcome>>),
    /// Nothing of it was stored: something is not as it was read.
    Conflict,
}

/// The way to the owner.
#[derive(Debug, Clone)]
pub(crate) struct OwnerHandle {
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    roles: Arc<Roles>,
}

/// The owner's end of the queue.
#[derive(Debug)]
pub(crate) struct OwnerQueue(mpsc::Receiver<Waiting>);

impl OwnerHandle {
    /// A queue to an owner that is yet to run.
    pub fn new(roles: Arc<Roles>) -> (Self, OwnerQueue) {
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES_MAX);
        (Self { queue: sender, room: Arc::new(Semaphore::new(WAITING_BYTES_MAX)), roles }, OwnerQueue(receiver))
    }

    /// Batches that wait for the owner.
    pub fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Makes a batch durable; returns when it is.
    ///
    /// # Errors
    /// `Retry::Later` when the queue is full or space is short, `Retry::After` once a task of the
    /// engine has ended; nothing was stored then.
    pub async fn append(&self, batch: Vec<Submission>) -> Result<Vec<Option<Outcome>>, PortError> {
        match self.send(batch, Vec::new(), Expected::default()).await? {
            Written::Done(outcomes) => Ok(outcomes),
            Written::Conflict => Err(PortError::later("store a batch", "there is no more room for what it makes")),
        }
    }

    /// Makes changes durable, with what audit logs say of them; all or nothing. False when a record is no
    /// longer as it was read, or something else is not as expected.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub async fn write(
        &self,
        records: Vec<RecordWrite>,
        batch: Vec<Submission>,
        expected: Expected,
    ) -> Result<bool, PortError> {
        Ok(matches!(self.send(batch, records, expected).await?, Written::Done(_)))
    }

    async fn send(
        &self,
        batch: Vec<Submission>,
        records: Vec<RecordWrite>,
        expected: Expected,
    ) -> Result<Written, PortError> {
        if batch.is_empty() && records.is_empty() {
            return Ok(Written::Done(Vec::new()));
        }
        self.roles.check()?;
        let of_records = records.iter().filter_map(|write| write.body.as_ref()).map(|(body, _)| body.len());
        let bytes = batch.iter().map(size).chain(of_records).sum::<usize>().min(WAITING_BYTES_MAX);
        let permits = u32::try_from(bytes).expect("bounded by the line above");
        let room = Arc::clone(&self.room).try_acquire_many_owned(permits);
        let room = room.map_err(|_| PortError::later("accept a batch: too much is waiting to be stored", "busy"))?;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { batch, records, expected, bytes, answer, _room: room };
        self.queue.try_send(waiting).map_err(|cause| match cause {
            mpsc::error::TrySendError::Full(_) => PortError::later("accept a batch: too many are waiting", "busy"),
            mpsc::error::TrySendError::Closed(_) => restarting("the server is stopping"),
        })?;
        answered.await.map_err(|_| restarting("the server is stopping"))?
    }
}

fn size(submission: &Submission) -> usize {
    SUBMISSION_BYTES
        + match submission {
            Submission::Event(believed, body) => body.len() + believed.raw.len(),
            Submission::DeadLetter(_, raw) => raw.len(),
            Submission::Control(..) | Submission::Audit(_) => 0,
        }
}

/// What the owner works with.
pub(crate) struct Owner {
    pub ledger: Arc<dyn Ledger>,
    pub rows: Arc<dyn ThreadRows + Send + Sync>,
    pub log: Arc<dyn EventLog>,
    pub control: Arc<Control>,
    pub audit: Arc<dyn AuditLog>,
    /// Records as they were last read, of which those written are forgotten.
    pub known: Arc<KnownRecords>,
    pub records: Arc<dyn RecordStore>,
    /// Where audit logs end, as far as they were written to since the start.
    pub chains: HashMap<TenantId, ChainEnd>,
    pub usage: Arc<UsageTable>,
    pub metrics: Arc<Metrics>,
    pub clock: Arc<dyn Clock>,
}

impl Owner {
    /// Serves batches until the queue is closed or the store can no longer be trusted.
    pub async fn run(mut self, mut queue: OwnerQueue) {
        let mut head = self.log.head();
        while let Some(first) = queue.0.recv().await {
            let waiting = drain(first, &mut queue.0);
            match self.serve(waiting, head).await {
                Ok(committed) => head = head.plus(committed),
                Err(Stopped) => return,
            }
        }
    }

    /// Commits and answers some batches, those last that do not find what they expect: when they look
    /// again, they see what was stored before them.
    async fn serve(&mut self, waiting: Vec<Waiting>, head: tidings_core::position::Position) -> Result<u64, Stopped> {
        let mut judge = Judge::new(&self.control);
        let (waiting, late): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|it| judge.admits(&it.batch, &it.expected));
        let served = self.serve_admitted(waiting, head).await;
        for it in late {
            // As with every answer: one who went away does not need it.
            let _ = it.answer.send(Ok(Written::Conflict));
        }
        served
    }

    /// Resolves, commits and answers some batches; how many entries the log grew by.
    async fn serve_admitted(
        &mut self,
        waiting: Vec<Waiting>,
        head: tidings_core::position::Position,
    ) -> Result<u64, Stopped> {
        let mut waiting = self.without_closed(waiting);
        let of_records = waiting.iter().map(|it| (&it.records[..], &it.expected.records[..]));
        let Checked { rows, conflicts } = match check(&*self.records, of_records, self.clock.now()).await {
            Ok(checked) => checked,
            Err(fault) => {
                report(&fault);
                refuse(waiting, &fault);
                return Ok(0);
            }
        };
        for index in conflicts.into_iter().rev() {
            let _ = waiting.remove(index).answer.send(Ok(Written::Conflict));
        }
        let sizes: Vec<usize> = waiting.iter().map(|it| it.batch.len()).collect();
        let all: Vec<Submission> = waiting.iter_mut().flat_map(|it| std::mem::take(&mut it.batch)).collect();
        let began = self.clock.elapsed();
        let resolved = {
            let mut threads = Threads::new(&*self.rows, head);
            own(all, &mut threads)
        };
        observe(&self.metrics.stages.resolve, self.clock.elapsed().saturating_sub(began));
        let (entries, mut outcomes) = match self.store(resolved, rows).await {
            Ok(stored) => stored,
            Err(fault) => {
                let stops = fault.retry == Retry::Never;
                report(&fault);
                refuse(waiting, &fault);
                return if stops { Err(Stopped) } else { Ok(0) };
            }
        };
        for (batch, size) in waiting.into_iter().zip(sizes) {
            let rest = outcomes.split_off(size);
            let own = std::mem::replace(&mut outcomes, rest);
            // A caller that went away gets its answer when it sends again.
            let _ = batch.answer.send(Ok(Written::Done(own)));
        }
        Ok(entries)
    }

    /// Refuses what comes behind the end of a tenant: nothing is ever written of one that is closed. Its
    /// audit log takes no more either.
    fn without_closed(&self, waiting: Vec<Waiting>) -> Vec<Waiting> {
        let mut closed = self.control.closed();
        let closes =
            |submission: &Submission| matches!(submission, Submission::Control(change, _) if closing(change).is_some());
        if closed.is_empty() && !waiting.iter().any(|it| it.batch.iter().any(closes)) {
            return waiting;
        }
        let mut kept = Vec::with_capacity(waiting.len());
        for mut it in waiting {
            it.batch
                .retain(|submission| !matches!(submission, Submission::Audit(entry) if closed.contains(&entry.tenant)));
            let writes = it.batch.iter().filter_map(writes_into).chain(it.records.iter().filter_map(fence_of));
            let writes = writes.chain(it.expected.within.as_ref());
            if writes.into_iter().any(|tenant| closed.contains(tenant)) {
                let fault = PortError::later("accept a batch: its tenant is closed", "closed");
                refuse(vec![it], &fault);
                continue;
            }
            let closing = it.batch.iter().filter_map(|submission| match submission {
                Submission::Control(change, _) => closing(change),
                _ => None,
            });
            Arc::make_mut(&mut closed).extend(closing.cloned());
            kept.push(it);
        }
        kept
    }

    async fn store(
        &mut self,
        resolved: Result<tidings_core::resolve::Resolved, PortError>,
        records: Vec<RecordRow>,
    ) -> Result<(u64, Vec<Option<Outcome>>), PortError> {
        let mut resolved = resolved?;
        let now = self.clock.now();
        resolved.commit.at = Some(now);
        resolved.commit.usage = self.usage.after(&resolved.commit.entries, now);
        let usage = resolved.commit.usage.clone();
        let written: Vec<_> = records.iter().map(|row| (row.key.clone(), row.record.is_none())).collect();
        resolved.commit.records = records;
        let entries = resolved.commit.entries.len() as u64;
        let changes: Vec<_> = (resolved.commit.entries.iter())
            .filter_map(|entry| match &entry.record {
                LogRecord::Control(change) => Some((entry.position, change.clone())),
                _ => None,
            })
            .collect();
        let chains = self.seal(&mut resolved.commit.audit).await?;
        if entries > 0 || !resolved.commit.audit.is_empty() || !written.is_empty() {
            let began = self.clock.elapsed();
            self.ledger.commit(resolved.commit).await?;
            observe(&self.metrics.stages.commit, self.clock.elapsed().saturating_sub(began));
        }
        self.chains.extend(chains);
        self.known.forget(&written);
        self.usage.extend(usage);
        for (_, change) in changes {
            if let Some(tenant) = closing(&change) {
                self.chains.remove(tenant);
                self.usage.forget(tenant);
                self.known.forget_tenant(tenant);
            }
            self.control.apply(change);
        }
        Ok((entries, resolved.outcomes))
    }

    /// Gives entries of audit logs their places; where the logs end once that is stored.
    async fn seal(&self, audit: &mut [AuditEntry]) -> Result<HashMap<TenantId, ChainEnd>, PortError> {
        let mut ends: HashMap<TenantId, ChainEnd> = HashMap::new();
        for entry in audit {
            if !ends.contains_key(&entry.tenant) {
                let end = match self.chains.get(&entry.tenant) {
                    Some(end) => end.clone(),
                    None => self.audit.audit_end(&entry.tenant).await?,
                };
                ends.insert(entry.tenant.clone(), end);
            }
            entry.seal(ends.get_mut(&entry.tenant).expect("put there by the lines above"));
        }
        Ok(ends)
    }
}

/// The tenant that a change closes for good.
fn closing(change: &ControlChange) -> Option<&TenantId> {
    match change {
        ControlChange::Tenant(record) if record.state.is_closed() => Some(&record.id),
        _ => None,
    }
}

/// The tenant that a submission writes rows of.
fn writes_into(submission: &Submission) -> Option<&TenantId> {
    match submission {
        Submission::Event(believed, _) => Some(&believed.event.tenant),
        Submission::DeadLetter(letter, _) => Some(&letter.tenant),
        // The one end of a tenant that is closed is that nothing is left of it.
        Submission::Control(change, tenant) => match &**change {
            ControlChange::Tenant(record) if record.state != TenantState::Erased => Some(&record.id),
            _ => Some(tenant),
        },
        Submission::Audit(_) => None,
    }
}

/// The tenant that a change of a record is within.
fn fence_of(write: &RecordWrite) -> Option<&TenantId> {
    match &write.key.fence {
        Fence::Tenant(tenant) => Some(tenant),
        Fence::Server => None,
    }
}

/// The store can no longer be trusted.
struct Stopped;

fn drain(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> Vec<Waiting> {
    let mut submissions = first.batch.len();
    let mut bytes = first.bytes;
    let mut waiting = vec![first];
    while submissions < COMMIT_SUBMISSIONS_MAX
        && bytes < COMMIT_BYTES_MAX
        && let Ok(next) = queue.try_recv()
    {
        submissions += next.batch.len();
        bytes += next.bytes;
        waiting.push(next);
    }
    waiting
}

fn report(fault: &PortError) {
    let cause = fault.source.as_ref().map(ToString::to_string).unwrap_or_default();
    match fault.retry {
        Retry::Never => error!(code = "store_failed", "intake ends: {fault}: {cause}"),
        Retry::Later | Retry::After(_) => warn!("nothing was stored, send again: {fault}: {cause}"),
    }
}

fn refuse(waiting: Vec<Waiting>, fault: &PortError) {
    for batch in waiting {
        let cause = fault.source.as_ref().map(ToString::to_string).unwrap_or_default();
        let copy = PortError { what: fault.what.clone(), retry: fault.retry, source: Some(cause.into()) };
        let _ = batch.answer.send(Err(copy));
    }
}
