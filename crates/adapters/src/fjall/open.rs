//! Opens a directory: takes its lock, recovers the store, and refuses what would go wrong later.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};

use ::fjall::{Database, PersistMode};
use tokio::sync::watch;
use tracing::{info, warn};

use tidings_core::port::{PortError, Randomness};
use tidings_core::position::Position;

use super::head::{Found, Head};
use super::recent::Recent;
use super::space::Space as FreeSpace;
use super::spaces::{Space, Spaces};
use super::writer::Queue;
use super::{Core, FjallStore, Options, keys, names, values};
use crate::clock::SystemRandomness;

/// The format of the whole store that this build writes, and the newest it reads.
const STORE_FORMAT: u32 = 1;
/// The epoch of a log that does not say it.
const UNSAID_EPOCH: u32 = 1;
/// Sealed journals beyond this make fjall flush what keeps them; it takes no less. It bounds what
/// an open after kill -9 has to replay.
const JOURNAL_BYTES: u64 = 64 << 20;
/// Threads that flush and compact. Of several, fjall 3.1 keeps one free for flushes, and while it is
/// free it takes each waiting compaction from the queue and puts it back, without a pause: it burns a core
/// for as long as another one compacts.
const WORKERS: usize = 1;

/// Why a directory cannot be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{} is in use by {holder}; stop that one, or use another directory with --data", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Which process, as far as it is known.
        holder: String,
    },
    /// It cannot be made or written.
    #[error("{} cannot be written; check that it is a directory, who owns it, and that the disk is not read-only", dir.display())]
    NotWritable {
        /// The directory.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A newer build wrote it.
    #[error("{} has format {found}, and this build reads up to {STORE_FORMAT}; start a newer build on it", dir.display())]
    NewerFormat {
        /// The directory.
        dir: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Commits that were synced are not there any more.
    #[error(
        "{} is damaged: {expected} commits were made durable and {found} are left; put a copy of the directory in its \
         place, or keep it as it is for support and start on a new one with --data", dir.display()
    )]
    LogTruncated {
        /// The directory.
        dir: PathBuf,
        /// The last commit noted in the head file.
        expected: u64,
        /// The last commit found.
        found: u64,
    },
    /// What is there cannot be read.
    #[error(
        "{} is damaged; put a copy of the directory in its place, or keep it as it is for support and start on a new one \
         with --data", dir.display()
    )]
    Damaged {
        /// The directory.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk failed.
    #[error("open the store in {}", dir.display())]
    Disk {
        /// The directory.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// Its stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "directory_in_use",
            Self::NotWritable { .. } => "directory_not_writable",
            Self::NewerFormat { .. } => "format_too_new",
            Self::LogTruncated { .. } => "log_truncated",
            Self::Damaged { .. } => "store_damaged",
            Self::Disk { .. } => "disk_failed",
        }
    }
}

pub(super) fn open(dir: &Path, options: &Options) -> Result<FjallStore, OpenError> {
    let disk = |source| OpenError::Disk { dir: dir.to_owned(), source };
    let lock = DirectoryLock::take(dir)?;
    let (head_file, noted) = Head::open(&dir.join("head")).map_err(not_writable(dir))?;
    let store_dir = dir.join("store");
    if !store_dir.try_exists().map_err(disk)? {
        create(dir, &store_dir, options)?;
    }

    let (database, spaces) = recover(dir, &store_dir, options)?;
    if options.sync {
        // fjall has synced the journal that it recovered; the names are left to us.
        names::sync_store(&store_dir).map_err(disk)?;
    }

    let damaged = |error: PortError| OpenError::Damaged { dir: dir.to_owned(), source: Box::new(error) };
    let meta = |name: &str| read_meta(&spaces, name).map_err(damaged);
    let format = meta("format")?;
    if let Some(found) = format.and_then(|found| u32::try_from(found).ok()).filter(|found| *found > STORE_FORMAT) {
        return Err(OpenError::NewerFormat { dir: dir.to_owned(), found });
    }
    let commit = meta("commit")?.unwrap_or(0);
    check_head(dir, noted, commit, options.accept_truncation)?;
    if format.is_none() {
        begin(&database, &spaces, options).map_err(|error| open_fault(dir, error))?;
    }
    if options.sync {
        head_file.note(commit).map_err(disk)?;
    }

    let epoch = meta("epoch")?.and_then(|epoch| u32::try_from(epoch).ok()).unwrap_or(UNSAID_EPOCH);
    let last = last_position(&spaces, epoch).map_err(damaged)?;
    info!("opened the store in {}: {commit} commits, log up to {last}", dir.display());
    let core = Arc::new(Core {
        spaces,
        recent: RwLock::new(Recent::new(options.recent_bytes)),
        head: watch::Sender::new(last),
        tail: Position::start(epoch),
        store_dir: store_dir.clone(),
        is_broken: AtomicBool::new(false),
        database,
        _lock: lock,
    });
    let free = FreeSpace::new(store_dir, options.reserve_bytes);
    let queue = Queue::start(Arc::clone(&core), head_file, commit, free, options.sync).map_err(disk)?;
    Ok(FjallStore { core, queue: Arc::new(queue) })
}

/// Held while a process uses a directory; the file names the process.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    file: File,
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Closing is not enough: a child between fork and exec holds a copy of the file, and with
        // it the lock.
        let _ = self.file.unlock();
    }
}

impl DirectoryLock {
    fn take(dir: &Path) -> Result<Self, OpenError> {
        let open = || {
            names::make_dir(dir)?;
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(dir.join("lock"))
        };
        let mut file = open().map_err(not_writable(dir))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let named = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if named { holder.trim().to_owned() } else { "another process".to_owned() };
                return Err(OpenError::InUse { dir: dir.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(not_writable(dir)(source)),
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "process {}", std::process::id())
        };
        note(&mut file).map_err(not_writable(dir))?;
        Ok(Self { file })
    }
}

/// Makes the store beside its place and moves it there when it is whole: fjall cannot open one that
/// it was cut off from making, and loses what goes into keyspaces whose names are not durable.
fn create(dir: &Path, store_dir: &Path, options: &Options) -> Result<(), OpenError> {
    let disk = |source| OpenError::Disk { dir: dir.to_owned(), source };
    let making = dir.join("store.new");
    if making.try_exists().map_err(disk)? {
        fs::remove_dir_all(&making).map_err(disk)?;
    }
    drop(recover(dir, &making, options)?);
    if options.sync {
        names::sync_store(&making).map_err(disk)?;
    }
    fs::rename(&making, store_dir).map_err(disk)
}

fn recover(dir: &Path, store_dir: &Path, options: &Options) -> Result<(Database, Spaces), OpenError> {
    let builder = Database::builder(store_dir)
        .cache_size(options.cache_bytes)
        .max_journaling_size(JOURNAL_BYTES)
        .worker_threads(WORKERS);
    let open = || {
        let database = builder.open()?;
        let spaces = Spaces::open(&database)?;
        Ok((database, spaces))
    };
    // fjall asserts what a flipped bit in its files can make untrue.
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened.map_err(|error| open_fault(dir, error)),
        Err(_) => {
            let source = "fjall stopped at an assertion, printed above".into();
            Err(OpenError::Damaged { dir: dir.to_owned(), source })
        }
    }
}

fn check_head(dir: &Path, noted: Found, found: u64, accept: bool) -> Result<(), OpenError> {
    match noted {
        Found::Commit(expected) if expected > found => {
            if !accept {
                return Err(OpenError::LogTruncated { dir: dir.to_owned(), expected, found });
            }
            warn!("{expected} commits were made durable and {found} are left; going on with what is left, as told");
        }
        Found::Missing if found > 0 => {
            warn!("the head file is missing: whether all commits are there cannot be told, going on");
        }
        Found::Torn => warn!("the head file is torn: whether all commits are there cannot be told, going on"),
        Found::Missing | Found::Commit(_) => {}
    }
    Ok(())
}

/// The first rows of a new store.
fn begin(database: &Database, spaces: &Spaces, options: &Options) -> ::fjall::Result<()> {
    let epoch = options.epoch.unwrap_or_else(drawn_epoch).get();
    let mode = if options.sync { PersistMode::SyncAll } else { PersistMode::Buffer };
    let mut batch = database.batch().durability(Some(mode));
    for (name, number) in [("format", STORE_FORMAT), ("epoch", epoch)] {
        batch.insert(spaces.get(Space::Meta), keys::meta(name), values::json(&number));
    }
    batch.commit()
}

/// An epoch that no other log has, but for one in four billion.
fn drawn_epoch() -> NonZeroU32 {
    let mut drawn = [0; 4];
    SystemRandomness::default().fill(&mut drawn);
    NonZeroU32::new(u32::from_be_bytes(drawn)).unwrap_or(NonZeroU32::MIN)
}

fn read_meta(spaces: &Spaces, name: &str) -> Result<Option<u64>, PortError> {
    let value = spaces.get(Space::Meta).get(keys::meta(name)).map_err(|error| PortError::never("read meta", error))?;
    value.map(|value| values::read_json("meta", &value)).transpose()
}

fn last_position(spaces: &Spaces, epoch: u32) -> Result<Position, PortError> {
    let Some(last) = spaces.get(Space::Log).last_key_value() else { return Ok(Position::start(epoch)) };
    let key = last.key().map_err(|error| PortError::never("read the log's last entry", error))?;
    keys::ending_position(&key).ok_or_else(|| values::damaged("the log's last entry"))
}

fn not_writable(dir: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| match source.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::AlreadyExists => OpenError::NotWritable { dir: dir.to_owned(), source },
        _ => OpenError::Disk { dir: dir.to_owned(), source },
    }
}

fn open_fault(dir: &Path, error: ::fjall::Error) -> OpenError {
    match error {
        ::fjall::Error::Io(source) => not_writable(dir)(source),
        ::fjall::Error::Locked => OpenError::InUse { dir: dir.to_owned(), holder: "another process".to_owned() },
        other => OpenError::Damaged { dir: dir.to_owned(), source: Box::new(other) },
    }
}
