//! Everything a server keeps, in one directory: a log-structured store that runs in the process.
//!
//! `DIR/store` is fjall's, `DIR/head` the number of the last synced commit, `DIR/lock` held while
//! a process uses the directory. One thread writes: it puts what waits into one atomic batch and
//! one sync, and only then tells readers.

mod keys;
mod values;
mod layouts;
mod spaces;
mod head;
mod space;
mod names;
mod journal;
mod recent;
mod writer;
mod open;
mod ledger;
mod log;
mod delivery;
mod control;
mod audit;
mod record;
mod dead;
mod erase;

pub use open::OpenError;

use std::num::NonZeroU32;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use ::fjall::{Database, UserKey, UserValue};
use tokio::sync::watch;

use tidings_core::port::PortError;
use tidings_core::position::Position;

use keys::Key;
use recent::Recent;
use spaces::{Space, Spaces};
use writer::{Queue, Rows};

/// How the store behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// False skips every sync: for the test that shows what would be lost without them.
    pub sync: bool,
    /// Bytes of free space below which nothing is committed; 64 MiB by default.
    pub reserve_bytes: u64,
    /// Bytes of memory for blocks read from disk; 16 MiB by default.
    pub cache_bytes: u64,
    /// Bytes of memory for the newest entries of the log, parsed; 16 MiB by default.
    pub recent_bytes: usize,
    /// True opens a directory that has lost commits, and takes what is left as all there was.
    pub accept_truncation: bool,
    /// The epoch of a log that is made; drawn at random by default, so that a cursor of another
    /// directory is not taken for one of this.
    pub epoch: Option<NonZeroU32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sync: true,
            reserve_bytes: 64 << 20,
            cache_bytes: 16 << 20,
            recent_bytes: 16 << 20,
            accept_truncation: false,
            epoch: None,
        }
    }
}

/// Implements every storage port over one directory. Clones share it; it closes with the last.
#[derive(Debug, Clone)]
pub struct FjallStore {
    core: Arc<Core>,
    /// Dropped after `core`'s clone here, it ends the writer, which holds the other.
    queue: Arc<Queue>,
}

/// What readers and the writer share.
struct Core {
    spaces: Spaces,
    recent: RwLock<Recent>,
    head: watch::Sender<Position>,
    tail: Position,
    store_dir: PathBuf,
    /// Set by a failed commit or sync, for good.
    is_broken: AtomicBool,
    database: Database,
    /// Held until everything above is closed.
    _lock: open::DirectoryLock,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("head", &*self.head.borrow()).finish_non_exhaustive()
    }
}

impl FjallStore {
    /// Opens the store in a directory, making both where they are not there yet. Blocks on the disk.
    ///
    /// # Errors
    /// [`OpenError`], each kind with what to do about it.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        open::open(dir, &options)
    }

    /// Writes what memory holds into tables. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn settle(&self) -> Result<(), PortError> {
        self.core.settle()
    }

    /// Closes the directory so that the next open has nothing to replay: what memory holds goes into
    /// tables, and then the journal is emptied, if nobody else has a clone of this. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be written. Nothing is lost then, the next open takes longer.
    pub fn close(self) -> Result<(), PortError> {
        let Self { core, queue } = self;
        drop(queue);
        match Arc::try_unwrap(core) {
            Ok(core) => core.close(),
            Err(shared) => shared.settle(),
        }
    }

    /// True once a commit or a sync has failed: every later commit is refused, reads go on.
    pub fn is_broken(&self) -> bool {
        self.core.is_broken.load(Ordering::Acquire)
    }

    /// Runs a read that may wait for the disk where waiting is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Core) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let core = Arc::clone(&self.core);
        let done = tokio::task::spawn_blocking(move || read(&core)).await;
        done.map_err(|error| PortError::later("read the store", error))?
    }

    async fn write(&self, rows: Rows, kind: writer::Kind) -> Result<(), PortError> {
        self.queue.write(rows, kind).await
    }
}

/// A row read, or why it could not be.
type Row = Result<(UserKey, UserValue), PortError>;

impl Core {
    fn settle(&self) -> Result<(), PortError> {
        for keyspace in self.spaces.iter() {
            keyspace.rotate_memtable_and_wait().map_err(|error| PortError::later("settle the store", error))?;
        }
        Ok(())
    }

    fn close(self) -> Result<(), PortError> {
        if self.is_broken.load(Ordering::Acquire) {
            return Ok(());
        }
        self.settle()?;
        let Self { spaces, database, store_dir, _lock, .. } = self;
        drop(spaces);
        drop(database);
        journal::empty(&store_dir).map_err(|error| PortError::later("empty the journal", error))
    }

    fn get(&self, space: Space, key: &Key) -> Result<Option<UserValue>, PortError> {
        self.spaces.get(space).get(key).map_err(|error| read_fault(space, error))
    }

    /// Rows whose keys begin with a prefix, in order of keys or against it.
    fn prefix(&self, space: Space, prefix: &Key) -> impl DoubleEndedIterator<Item = Row> + use<> {
        let found = self.spaces.get(space).prefix(prefix);
        found.map(move |guard| guard.into_inner().map_err(|error| read_fault(space, error)))
    }

    /// Rows whose keys begin with a prefix and come after one that does, in order of keys.
    fn prefix_after(&self, space: Space, prefix: &Key, after: &Key) -> impl Iterator<Item = Row> + use<> {
        let from = Bound::Excluded(after.as_slice());
        let found = self.spaces.get(space).range::<&[u8], _>((from, Bound::Unbounded));
        let prefix = prefix.as_slice().to_vec();
        let rows = found.map(move |guard| guard.into_inner().map_err(|error| read_fault(space, error)));
        rows.take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix)))
    }

    /// Rows after a key, in order of keys; all of them after an empty one.
    fn rows_after(&self, space: Space, after: &[u8]) -> impl Iterator<Item = Row> + use<> {
        let from = if after.is_empty() { Bound::Unbounded } else { Bound::Excluded(after) };
        let found = self.spaces.get(space).range::<&[u8], _>((from, Bound::Unbounded));
        found.map(move |guard| guard.into_inner().map_err(|error| read_fault(space, error)))
    }

    /// Rows from one key up to another, both included, in order of keys or against it.
    fn range(&self, space: Space, from: &Key, to: &Key) -> impl DoubleEndedIterator<Item = Row> + use<> {
        let found = self.spaces.get(space).range(from.as_slice()..=to.as_slice());
        found.map(move |guard| guard.into_inner().map_err(|error| read_fault(space, error)))
    }
}

fn read_fault(space: Space, error: ::fjall::Error) -> PortError {
    PortError::later(format!("read keyspace {space:?}"), error)
}
