//! Events of very many recipients, a chunk at a time.

use tidings_core::decide::Recipient;
use tidings_core::port::{PortError, Unfinished};
use tidings_core::stored::Stored;

use super::{Notifier, Pending, Standing, Step};

/// Recipients of a broad event that are decided in one step. An event to few waits for one such
/// step at most, in the notifier and at the disk.
const CHUNK: usize = 500;

/// An event that is decided in part. Its recipients are those of its own position.
#[derive(Debug)]
pub(super) struct Broad {
    pending: Pending,
    recipients: Vec<Recipient>,
    done: usize,
}

impl Broad {
    pub fn new(pending: Pending, recipients: Vec<Recipient>) -> Self {
        Self { pending, recipients, done: 0 }
    }

    /// After a restart: the same recipients in the same order, those decided left out.
    pub fn resumed(pending: Pending, recipients: Vec<Recipient>, done: u64) -> Self {
        Self { pending, recipients, done: usize::try_from(done).unwrap_or(usize::MAX) }
    }

    pub fn unfinished(&self) -> Unfinished {
        Unfinished { position: self.pending.stored.position, done: self.done as u64 }
    }

    fn is_done(&self) -> bool {
        self.done >= self.recipients.len()
    }

    /// True where an entry must wait for this event: same thread or incident, or a thread that
    /// either joins or closes.
    fn concerns(&self, other: &Stored) -> bool {
        let threads_of = |stored: &Stored| {
            let outlook = &stored.outlook;
            let closed = outlook.closed.iter().map(|closed| closed.thread);
            let others = outlook.merged_from.iter().chain(&outlook.incident_threads).copied();
            closed.chain(others).chain([stored.thread]).collect::<Vec<_>>()
        };
        let own = threads_of(&self.pending.stored);
        threads_of(other).iter().any(|thread| own.contains(thread))
    }
}

impl Notifier {
    /// Decides the next chunk of the broad event whose turn it is: the gravest, then the oldest.
    pub(super) async fn advance_broad(&self, standing: &mut Standing) -> Result<(), PortError> {
        let turn =
            |broad: &Broad| (std::cmp::Reverse(broad.pending.stored.event.severity), broad.pending.stored.position);
        let Some(index) = (0..standing.broad.len()).min_by_key(|index| turn(&standing.broad[*index])) else {
            return Ok(());
        };
        self.advance(index, standing).await
    }

    async fn advance(&self, index: usize, standing: &mut Standing) -> Result<(), PortError> {
        let mut broad = standing.broad.swap_remove(index);
        let end = broad.recipients.len().min(broad.done.saturating_add(CHUNK));
        let start = broad.done.min(end);
        let mut step = Step::default();
        self.decide(&broad.pending, &broad.recipients[start..end], standing, &mut step).await?;
        broad.done = end;
        if !broad.is_done() {
            standing.broad.push(broad);
        }
        self.commit(&mut step, standing).await
    }

    /// Decides the rest of every broad event that an entry must wait for, what is decided so far
    /// first.
    pub(super) async fn finish_thread(
        &self,
        stored: &Stored,
        standing: &mut Standing,
        step: &mut Step,
    ) -> Result<(), PortError> {
        while let Some(index) = standing.broad.iter().position(|broad| broad.concerns(stored)) {
            self.commit(step, standing).await?;
            self.advance(index, standing).await?;
        }
        Ok(())
    }
}
