//! The one thread that writes. What waits goes into one atomic batch and one sync; readers hear of
//! it after that.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use ::fjall::{PersistMode, UserKey, UserValue};
use tokio::sync::oneshot;
use tracing::{error, warn};

use tidings_core::id::{TenantId, UserId};
use tidings_core::port::{LogEntry, PortError, Retry};
use tidings_core::position::Position;

use super::head::Head;
use super::space::Space as FreeSpace;
use super::spaces::Space;
use super::values::ReadMarkRow;
use super::{Core, keys, values};

/// Jobs are put into one batch up to about this size; a larger one goes alone, so that a small one
/// does not wait for it.
const GROUP_BYTES: u64 = 256 << 10;
/// What fjall's journal adds to a row.
const ROW_OVERHEAD: u64 = 24;

/// Rows to write, with their size.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// What each row is to hold; `None` removes it.
    rows: Vec<(Space, UserKey, Option<UserValue>)>,
    bytes: u64,
}

impl Rows {
    /// Room for so many.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { rows: Vec::with_capacity(count), bytes: 0 }
    }

    /// Adds a row.
    pub(super) fn put(&mut self, space: Space, key: keys::Key, value: UserValue) {
        let key = UserKey::from(key);
        self.bytes += (key.len() + value.len()) as u64 + ROW_OVERHEAD;
        self.rows.push((space, key, Some(value)));
    }

    /// Takes a row away.
    pub(super) fn remove(&mut self, space: Space, key: impl Into<UserKey>) {
        let key = key.into();
        self.bytes += key.len() as u64 + ROW_OVERHEAD;
        self.rows.push((space, key, None));
    }

    /// True where there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// What is written, beside its rows. Two jobs of a kind never share a batch: they may write the
/// same row.
#[derive(Debug)]
pub(super) enum Kind {
    /// A step of an owner, with its log entries as readers get them.
    Commit(Vec<LogEntry>),
    /// A step of the notifier.
    Step,
    /// A dead letter that was handled; where it stands in the log.
    Letter(Position),
    /// A read mark to move forward.
    ReadMark(TenantId, UserId, u64),
    /// A step in the erasure of a tenant; the last place of the log that says nothing from then on.
    Erase(Option<Position>),
}

#[derive(Debug)]
struct Job {
    rows: Rows,
    kind: Kind,
    answer: oneshot::Sender<Result<(), PortError>>,
}

/// The way to the writer; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Queue {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    /// Starts the writer of a store whose last commit has this number.
    pub(super) fn start(
        core: Arc<Core>,
        head: Head,
        commit: u64,
        space: FreeSpace,
        sync: bool,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        let next = *core.head.borrow();
        let writer = Writer { core, head, commit, last: next, space, sync, pending: VecDeque::new() };
        let thread = std::thread::Builder::new().name("tidings-store".into()).spawn(move || writer.run(&waiting))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Returns once the rows are durable.
    pub(super) async fn write(&self, rows: Rows, kind: Kind) -> Result<(), PortError> {
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().expect("it is taken only by drop");
        if jobs.send(Job { rows, kind, answer }).is_err() {
            return Err(broken());
        }
        answered.await.unwrap_or_else(|_| Err(broken()))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and nothing is left to close.
            let _ = thread.join();
        }
    }
}

struct Writer {
    core: Arc<Core>,
    head: Head,
    /// The number of the last batch of any kind.
    commit: u64,
    /// The last entry of the log.
    last: Position,
    space: FreeSpace,
    sync: bool,
    pending: VecDeque<Job>,
}

impl Writer {
    fn run(mut self, waiting: &mpsc::Receiver<Job>) {
        loop {
            if self.pending.is_empty() {
                match waiting.recv() {
                    Ok(job) => self.pending.push_back(job),
                    Err(mpsc::RecvError) => return,
                }
            }
            self.pending.extend(waiting.try_iter());
            let group = self.next_group();
            self.write(group);
        }
    }

    /// An owner's step first, since people wait for it; then what fits beside it.
    fn next_group(&mut self) -> Vec<Job> {
        let first = self.pending.iter().position(|job| matches!(job.kind, Kind::Commit(_))).unwrap_or(0);
        let Some(first) = self.pending.remove(first) else { return Vec::new() };
        let mut bytes = first.rows.bytes;
        let mut group = vec![first];
        let mut index = 0;
        while let Some(job) = self.pending.get(index) {
            let is_mark = matches!(job.kind, Kind::ReadMark(..));
            let is_new =
                group.iter().all(|other| std::mem::discriminant(&other.kind) != std::mem::discriminant(&job.kind));
            if (is_mark || is_new) && bytes + job.rows.bytes <= GROUP_BYTES {
                bytes += job.rows.bytes;
                group.extend(self.pending.remove(index));
            } else {
                index += 1;
            }
        }
        group
    }

    fn write(&mut self, mut group: Vec<Job>) {
        group = self.keep_in_order(group);
        if group.is_empty() {
            return;
        }
        match self.commit(&mut group) {
            Ok(()) => {
                self.announce(&mut group);
                for job in group {
                    // One who no longer waits does not need the answer.
                    let _ = job.answer.send(Ok(()));
                }
            }
            Err(fault) => {
                for job in group {
                    let _ = job.answer.send(Err(copy_of(&fault)));
                }
            }
        }
    }

    /// Refuses entries that do not follow the head: their sender has lost track.
    fn keep_in_order(&self, group: Vec<Job>) -> Vec<Job> {
        let mut kept = Vec::with_capacity(group.len());
        for job in group {
            let Kind::Commit(entries) = &job.kind else {
                kept.push(job);
                continue;
            };
            let expected = (1..).map(|count| self.last.plus(count));
            let wrong = entries.iter().zip(expected).find(|(entry, expected)| entry.position != *expected);
            match wrong
                .map(|(entry, expected)| format!("commit an entry at {}: the next is {expected}", entry.position))
            {
                None => kept.push(job),
                Some(what) => {
                    let _ = job.answer.send(Err(PortError { what, retry: Retry::Never, source: None }));
                }
            }
        }
        kept
    }

    /// One batch, one sync.
    fn commit(&mut self, group: &mut [Job]) -> Result<(), PortError> {
        if self.core.is_broken.load(Ordering::Acquire) {
            return Err(broken());
        }
        self.space.take(group.iter().map(|job| job.rows.bytes).sum())?;
        let marks = self.read_marks(group)?;
        let number = self.commit + 1;
        let mut batch = self.core.database.batch().durability(Some(if self.sync {
            PersistMode::SyncData
        } else {
            PersistMode::Buffer
        }));
        let put_own = [(Space::Meta, keys::meta("commit"), values::json(&number))];
        let own = put_own.into_iter().chain(marks).map(|(space, key, value)| (space, UserKey::from(key), Some(value)));
        for (space, key, value) in own.chain(group.iter_mut().flat_map(|job| std::mem::take(&mut job.rows.rows))) {
            match value {
                Some(value) => batch.insert(self.core.spaces.get(space), key, value),
                None => batch.remove(self.core.spaces.get(space), key),
            }
        }
        if let Err(fault) = batch.commit() {
            self.core.is_broken.store(true, Ordering::Release);
            error!("commit to the store failed, it takes no more: {fault}");
            return Err(PortError::never("commit to the store", fault));
        }
        self.commit = number;
        if self.sync
            && let Err(fault) = self.head.note(number)
        {
            // It only guards against damage that nothing else shows; the commit itself is safe.
            warn!("note commit {number} in the head file: {fault}");
        }
        Ok(())
    }

    /// The read marks of a group as they stand after it.
    fn read_marks(&self, group: &[Job]) -> Result<Vec<(Space, keys::Key, UserValue)>, PortError> {
        let mut marks: HashMap<(&TenantId, UserId), u64> = HashMap::new();
        for job in group {
            if let Kind::ReadMark(tenant, user, number) = &job.kind {
                let mark = marks.entry((tenant, *user)).or_default();
                *mark = (*mark).max(*number);
            }
        }
        let mut rows = Vec::with_capacity(marks.len());
        for ((tenant, user), number) in marks {
            if number > self.core.read_mark(tenant, user)? {
                let row = values::json(&ReadMarkRow { read: number });
                rows.push((Space::Cursor, keys::recipient(tenant, user), row));
            }
        }
        Ok(rows)
    }

    /// Lets readers see what is durable now.
    fn announce(&mut self, group: &mut [Job]) {
        for job in group {
            match &mut job.kind {
                Kind::Commit(entries) => {
                    self.last = entries.last().map_or(self.last, |entry| entry.position);
                    self.core.recent.write().expect("no holder panics").extend(std::mem::take(entries));
                }
                Kind::Letter(position) | Kind::Erase(Some(position)) => {
                    self.core.recent.write().expect("no holder panics").forget_up_to(*position);
                }
                Kind::Step | Kind::ReadMark(..) | Kind::Erase(None) => {}
            }
        }
        self.core.head.send_if_modified(|head| std::mem::replace(head, self.last) != self.last);
    }
}

fn broken() -> PortError {
    let what = "the store takes no more commits since one failed; restart the process".to_owned();
    PortError { what, retry: Retry::Never, source: None }
}

/// The same fault for another caller.
fn copy_of(fault: &PortError) -> PortError {
    let source = fault.source.as_ref().map(|source| source.to_string().into());
    PortError { what: fault.what.clone(), retry: fault.retry, source }
}
