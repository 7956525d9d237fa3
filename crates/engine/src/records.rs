//! Records as types: read, kept at hand, and changed together, only if they are still as they were read.

use std::any::Any;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use hashbrown::DefaultHashBuilder;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidings_core::id::TenantId;
use tidings_core::port::{Fence, PortError, Record, RecordKey, RecordRow, RecordStore, RecordWrite, Shelf};
use tidings_core::resolve::Submission;
use tidings_core::time::Timestamp;
use tokio::sync::watch;
use tracing::warn;

use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Expected;

/// Bytes of records kept at hand, about.
const KNOWN_BYTES_MAX: u64 = 32 << 20;
/// What a record takes besides its body, roughly.
const ENTRY_BYTES: usize = 256;
/// Records that are expected to be at hand.
const ITEMS_EXPECTED: usize = 20_000;
/// Counts that records share by the hash of their key, so that a change of one says nothing of most others.
const COUNTS: usize = 1_024;
/// How often ended records are taken away.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// Records that a sweep removes in one commit.
const SWEPT_AT_ONCE: usize = 500;

/// What is kept on a shelf.
pub(crate) trait Shelved: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Which shelf.
    const SHELF: Shelf;
}

/// A record as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Loaded<T> {
    pub key: RecordKey,
    pub revision: u64,
    pub ends: Option<Timestamp>,
    pub value: T,
}

impl<T: Shelved> Loaded<T> {
    fn read(key: RecordKey, record: &Record) -> Result<Self, PortError> {
        let value = serde_json::from_slice(&record.body);
        let value =
            value.map_err(|error| PortError::never(format!("read a record ({})", key.shelf.as_str()), error))?;
        Ok(Self { key, revision: record.revision, ends: record.ends, value })
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }
}

/// Changes of records that hold together or not at all.
#[derive(Debug, Default)]
pub(crate) struct RecordChanges(Vec<RecordWrite>);

impl RecordChanges {
    /// A record where there is none.
    pub fn create<T: Shelved>(mut self, key: RecordKey, value: &T, ends: Option<Timestamp>) -> Self {
        self.0.push(RecordWrite { key, expected: None, body: Some((body_of(value), ends)) });
        self
    }

    /// Another value in place of one that was read, with the same end.
    pub fn replace<T: Shelved>(self, was: &Loaded<T>, value: &T) -> Self {
        self.replace_until(was, value, was.ends)
    }

    /// Another value in place of one that was read, with another end.
    pub fn replace_until<T: Shelved>(mut self, was: &Loaded<T>, value: &T, ends: Option<Timestamp>) -> Self {
        let (key, expected) = (was.key.clone(), Some(was.revision));
        self.0.push(RecordWrite { key, expected, body: Some((body_of(value), ends)) });
        self
    }

    /// Takes away a record that was read.
    pub fn remove<T: Shelved>(mut self, was: &Loaded<T>) -> Self {
        self.0.push(RecordWrite { key: was.key.clone(), expected: Some(was.revision), body: None });
        self
    }

    /// These and those.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

fn body_of<T: Shelved>(value: &T) -> Bytes {
    serde_json::to_vec(value).expect("records have text keys, and memory takes every byte").into()
}

/// What the owner makes of the record changes of waiting batches.
pub(crate) struct Checked {
    /// The records as they are to be.
    pub rows: Vec<RecordRow>,
    /// Which batches met a record that is not as it was read, in order.
    pub conflicts: Vec<usize>,
}

/// Holds the changes of several batches, and what else they expect, in order, against the records as they
/// stand.
pub(crate) async fn check(
    store: &dyn RecordStore,
    batches: impl Iterator<Item = (&[RecordWrite], &[(RecordKey, u64)])>,
    now: Timestamp,
) -> Result<Checked, PortError> {
    let mut changed: HashMap<RecordKey, Option<Record>> = HashMap::new();
    let mut conflicts = Vec::new();
    for (index, (batch, expected)) in batches.enumerate() {
        let mut own: HashMap<RecordKey, Option<Record>> = HashMap::new();
        let mut holds = true;
        let is_there = |record: &&Record| record.ends.is_none_or(|ends| ends > now);
        for (key, revision) in expected {
            let current = match changed.get(key) {
                Some(record) => record.clone(),
                None => store.record(key).await?,
            };
            holds &= current.as_ref().filter(is_there).map(|record| record.revision) == Some(*revision);
        }
        for write in batch {
            let current = match own.get(&write.key).or_else(|| changed.get(&write.key)) {
                Some(record) => record.clone(),
                None => store.record(&write.key).await?,
            };
            let read_at = current.as_ref().filter(is_there).map(|record| record.revision);
            holds &= read_at == write.expected;
            // Revisions go on where an ended record is replaced, so that no reader takes one for the other.
            let revision = current.map_or(1, |record| record.revision + 1);
            let body = write.body.clone();
            own.insert(write.key.clone(), body.map(|(body, ends)| Record { revision, ends, body }));
        }
        if holds {
            changed.extend(own);
        } else {
            conflicts.push(index);
        }
    }
    let mut rows: Vec<_> = changed.into_iter().map(|(key, record)| RecordRow { key, record }).collect();
    rows.sort_by(|left, right| left.key.cmp(&right.key));
    Ok(Checked { rows, conflicts })
}

/// Records as they were last read, parsed. Those that are written are forgotten, so nobody is let in by
/// what no longer holds.
pub(crate) struct KnownRecords {
    entries: Cache<RecordKey, Known, BySize>,
    /// How many times something was forgotten. It is held to be read while something is put in, so that nothing
    /// is put in that was read before it was forgotten.
    forgotten: RwLock<u64>,
    /// How many times accounts, members, clients and providers were changed.
    rights: AtomicU64,
    /// How many times records were changed whose keys share a place in it.
    changes: Box<[AtomicU64]>,
    hasher: DefaultHashBuilder,
    /// How many times someone's rights may have been cut.
    cut: watch::Sender<u64>,
}

/// A record at hand, with the bytes that it takes.
#[derive(Clone)]
struct Known {
    value: Arc<dyn Any + Send + Sync>,
    size_bytes: usize,
}

/// One tenant's many large records must not push out everyone's small ones.
#[derive(Debug, Clone)]
struct BySize;

impl Weighter<RecordKey, Known> for BySize {
    fn weight(&self, key: &RecordKey, known: &Known) -> u64 {
        (ENTRY_BYTES + key.name().len() + known.size_bytes) as u64
    }
}

impl std::fmt::Debug for KnownRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownRecords").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Default for KnownRecords {
    fn default() -> Self {
        Self {
            entries: Cache::with_weighter(ITEMS_EXPECTED, KNOWN_BYTES_MAX, BySize),
            forgotten: RwLock::new(0),
            rights: AtomicU64::new(0),
            changes: (0..COUNTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: DefaultHashBuilder::default(),
            cut: watch::Sender::new(0),
        }
    }
}

impl KnownRecords {
    /// Forgets records that were written, each with whether it is gone.
    pub fn forget(&self, written: &[(RecordKey, bool)]) {
        if written.is_empty() {
            return;
        }
        {
            let mut forgotten = self.forgotten.write().unwrap_or_else(PoisonError::into_inner);
            *forgotten += 1;
            written.iter().for_each(|(key, _)| drop(self.entries.remove(key)));
        }
        // Whoever sees these counts finds nothing at hand from before them.
        for (key, _) in written {
            self.changes[self.place_of(key)].fetch_add(1, Ordering::SeqCst);
            if matches!(key.shelf, Shelf::Account | Shelf::Member | Shelf::Client | Shelf::Provider) {
                self.rights.fetch_add(1, Ordering::SeqCst);
            }
        }
        let cuts = |(key, is_gone): &(RecordKey, bool)| match key.shelf {
            Shelf::Account | Shelf::Member | Shelf::Client | Shelf::Provider => true,
            Shelf::Session | Shelf::Grant | Shelf::Login => *is_gone,
            _ => false,
        };
        if written.iter().any(cuts) {
            self.cut.send_modify(|count| *count += 1);
        }
    }

    /// Forgets everything within a tenant that is erased.
    pub fn forget_tenant(&self, tenant: &TenantId) {
        let fence = Fence::Tenant(tenant.clone());
        {
            let mut forgotten = self.forgotten.write().unwrap_or_else(PoisonError::into_inner);
            *forgotten += 1;
            self.entries.retain(|key, _| key.fence != fence);
        }
        self.rights.fetch_add(1, Ordering::SeqCst);
    }

    fn forgotten(&self) -> u64 {
        *self.forgotten.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts in what was read when so many times something had been forgotten, unless more has been since.
    fn put(&self, key: RecordKey, entry: Known, read_at: u64) {
        let forgotten = self.forgotten.read().unwrap_or_else(PoisonError::into_inner);
        if *forgotten == read_at {
            self.entries.insert(key, entry);
        }
    }

    /// How many times accounts, members, clients and providers were changed, whosever.
    pub fn rights_count(&self) -> u64 {
        self.rights.load(Ordering::SeqCst)
    }

    fn place_of(&self, key: &RecordKey) -> usize {
        self.hasher.hash_one(key) as usize % COUNTS
    }

    /// How a record stands now, to be read before it is.
    pub fn mark_of(&self, key: &RecordKey) -> Mark {
        let place = self.place_of(key);
        Mark { place, count: self.changes[place].load(Ordering::SeqCst) }
    }

    /// True where the record has not been changed since.
    pub fn is_as_of(&self, mark: Mark) -> bool {
        self.changes[mark.place].load(Ordering::SeqCst) == mark.count
    }

    /// Changes whenever someone's rights may have been cut.
    pub fn cut(&self) -> watch::Receiver<u64> {
        self.cut.subscribe()
    }
}

/// How often a record, or another that shares its count, had been changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    place: usize,
    count: u64,
}

/// Why records were not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteFault {
    /// One of them is not as it was read.
    #[error("a record was changed meanwhile")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] PortError),
}

impl Engine {
    /// A record as it stands, unless its end has passed.
    pub(crate) async fn load<T: Shelved>(&self, key: RecordKey) -> Result<Option<Loaded<T>>, PortError> {
        debug_assert_eq!(key.shelf, T::SHELF);
        let Some(record) = self.ports.records.record(&key).await? else { return Ok(None) };
        Ok(Some(Loaded::read(key, &record)?).filter(|loaded| !loaded.has_ended(self.ports.clock.now())))
    }

    /// The same for one that is asked for again and again.
    pub(crate) async fn load_known<T: Shelved>(&self, key: RecordKey) -> Result<Option<Arc<Loaded<T>>>, PortError> {
        let now = self.ports.clock.now();
        let known = self.known.entries.get(&key).and_then(|known| known.value.downcast::<Loaded<T>>().ok());
        if let Some(known) = known {
            return Ok(Some(known).filter(|known| !known.has_ended(now)));
        }
        let before = self.known.forgotten();
        debug_assert_eq!(key.shelf, T::SHELF);
        let Some(record) = self.ports.records.record(&key).await? else { return Ok(None) };
        let loaded = Arc::new(Loaded::<T>::read(key.clone(), &record)?);
        if loaded.has_ended(now) {
            return Ok(None);
        }
        self.known.put(key, Known { value: loaded.clone(), size_bytes: record.body.len() }, before);
        Ok(Some(loaded))
    }

    /// Records of a shelf whose names begin with `prefix` and come after `after`; those whose end has
    /// passed are left out, so fewer than `limit` may be the end or not: ask on after `last`.
    pub(crate) async fn load_all<T: Shelved>(
        &self,
        fence: &Fence,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Loaded<T>>, PortError> {
        let now = self.ports.clock.now();
        let mut found = Vec::new();
        let mut after = after.map(str::to_owned);
        while found.len() < limit {
            let page =
                self.ports.records.records(fence, T::SHELF, prefix, after.as_deref(), limit - found.len()).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.name().to_owned());
            for (key, record) in &page {
                found.extend(Some(Loaded::read(key.clone(), record)?).filter(|loaded| !loaded.has_ended(now)));
            }
        }
        Ok(found)
    }

    /// Makes changes of records durable, in one commit with what the audit log says of them.
    pub(crate) async fn write_records(
        &self,
        asker: Option<Asker<'_>>,
        changes: RecordChanges,
        audited: Option<Change<'_>>,
    ) -> Result<(), WriteFault> {
        self.write_records_if(asker, changes, audited, Expected::default()).await
    }

    /// The same, where something else is as expected besides.
    pub(crate) async fn write_records_if(
        &self,
        asker: Option<Asker<'_>>,
        changes: RecordChanges,
        audited: Option<Change<'_>>,
        expected: Expected,
    ) -> Result<(), WriteFault> {
        let said = audited.map(|change| self.audited(asker, &change)).unwrap_or_default();
        self.write_records_saying(said, changes, expected).await
    }

    /// The same with entries of audit logs that were made before.
    pub(crate) async fn write_records_saying(
        &self,
        said: Vec<Submission>,
        changes: RecordChanges,
        expected: Expected,
    ) -> Result<(), WriteFault> {
        let is_stored = self.owner.write(changes.0, said, expected).await?;
        if is_stored { Ok(()) } else { Err(WriteFault::Conflict) }
    }

    /// Takes away records whose end has passed; how many.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(crate) async fn sweep_records(&self) -> Result<usize, PortError> {
        let mut swept = 0;
        for shelf in Shelf::ENDING {
            let mut after: Option<String> = None;
            loop {
                let page =
                    self.ports.records.records(&Fence::Server, shelf, "", after.as_deref(), SWEPT_AT_ONCE).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.name().to_owned());
                let now = self.ports.clock.now();
                let ended = page.into_iter().filter(|(_, record)| record.ends.is_some_and(|ends| ends <= now));
                // An ended record is as if it were not there.
                let writes: Vec<_> = ended.map(|(key, _)| RecordWrite { key, expected: None, body: None }).collect();
                let count = writes.len();
                if count > 0 && self.owner.write(writes, Vec::new(), Expected::default()).await? {
                    swept += count;
                }
            }
        }
        Ok(swept)
    }
}

/// Takes away ended records every while, as long as there is an engine.
pub(crate) async fn sweep(engine: Weak<Engine>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let Some(engine) = engine.upgrade() else { return };
        if let Err(fault) = engine.sweep_records().await {
            warn!("ended sessions, links and codes are still stored: {fault}");
        }
    }
}
