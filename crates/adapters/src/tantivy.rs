//! Lists and full-text search over stored events, in an embedded tantivy index.
//!
//! A view: it follows the log with a cursor of its own, which is kept in the same commit as the
//! documents, and is built anew from the log whenever it is lost. Commits go by time, not by event:
//! [`Projection::apply`] holds changes back for up to half a second, `apply(&[])` commits what
//! waits, and so does a search that comes a fifth of a second later. So lists are behind by half a
//! second at most, as long as the projector keeps up.
//!
//! Every revision is a document among *all*, and the current one of each thread a second document
//! among the *latest*, taken out by its thread's term when another takes its place. Searches gather
//! candidates by what is indexed, newest first; each is then read from the event store and judged
//! by the compiled filter, so what is found is what the filter says, whatever the index leaves out.

mod numbers;
mod terms;
mod document;
mod candidates;
mod newest;
mod applied;
mod index;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tidings_core::event::Event;
use tidings_core::filter::{Compiled, Leaf, Subject};
use tidings_core::id::{EventId, TenantId, ThreadId};
use tidings_core::port::{
    EventQuery, EventStore, Found, LogEntry, LogRecord, Page, PortError, Projection, Query, ThreadRow,
};
use tidings_core::position::Position;
use tidings_core::stored::Outlook;
use tidings_core::time::Timestamp;
use tidings_core::vocabulary::State;

use document::{Standing, described, latest, revision};
use index::{Change, Shelf, Shown, fault};
use newest::{Key, Newest, item_of, key_of};
use terms::{Fact, Fields};

/// Merges followed from a thread to the one it was joined into.
const MERGES_MAX: usize = 64;
/// How much threads that write the index give way: beside one that does not they get a third of its time.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;
/// Candidates gathered at once, at most.
const GATHERED_MAX: usize = 8_192;

/// The embedded read view.
pub struct TantivyView {
    shelf: Arc<Shelf>,
    fields: Arc<Fields>,
    events: Arc<dyn EventStore>,
    /// One apply at a time: reading from the store and changing the index are one step.
    applying: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for TantivyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TantivyView").field("applied", &self.shelf.applied()).finish_non_exhaustive()
    }
}

/// Opens the index in a directory, which is made if need be; one that cannot be read is begun anew
/// with its cursor at the start. Events are read from `events`.
///
/// # Errors
/// When the directory cannot be written.
pub fn open(dir: &Path, events: Arc<dyn EventStore>) -> Result<TantivyView, PortError> {
    let fields = Arc::new(Fields::new());
    let shelf = Arc::new(Shelf::open(dir, &fields)?);
    Ok(TantivyView { shelf, fields, events, applying: tokio::sync::Mutex::new(()) })
}

#[async_trait]
impl Projection for TantivyView {
    async fn apply(&self, entries: &[LogEntry], now: Timestamp) -> Result<(), PortError> {
        let _alone = self.applying.lock().await;
        let applied = self.shelf.applied();
        let mut steps = Vec::with_capacity(entries.len());
        for entry in entries.iter().filter(|entry| entry.position > applied) {
            if let LogRecord::Event { thread, outlook, event, revision, .. } = &entry.record {
                steps.push(Step::Revision {
                    event: event.clone(),
                    position: entry.position,
                    latest_of: (outlook.current == event.id).then(|| Standing {
                        thread: *thread,
                        state: outlook.state,
                        hazard_end: event.hazard_end,
                    }),
                    is_first: *revision == 1,
                });
                self.follow_up(&entry.tenant, *thread, event.id, outlook, &mut steps).await?;
            }
        }
        let up_to = entries.last().map_or(applied, |entry| entry.position).max(applied);
        let at_once = entries.is_empty();
        let (shelf, fields) = (self.shelf.clone(), self.fields.clone());
        giving_way("change the search index", move || {
            let changes = steps.iter().flat_map(|step| step.changes(&fields, now)).collect();
            shelf.change(changes, up_to, at_once)
        })
        .await
    }

    async fn applied_at(&self, position: Position) -> Result<Option<Timestamp>, PortError> {
        let (shelf, fields) = (self.shelf.clone(), self.fields.clone());
        blocking("show the search index", move || {
            shelf.fresh().and_then(|shown| applied::at(&shown, &fields, position))
        })
        .await
    }

    async fn cursor(&self) -> Result<Position, PortError> {
        Ok(self.shelf.applied())
    }

    async fn forget(&self, tenant: &TenantId) -> Result<(), PortError> {
        let _alone = self.applying.lock().await;
        let (shelf, term) = (self.shelf.clone(), self.fields.fact(&Fact::Tenant(tenant)));
        giving_way("take a tenant out of the search index", move || shelf.forget(term)).await
    }
}

/// What one entry does to the index.
enum Step {
    /// A new revision, perhaps the current one of its thread.
    Revision { event: Arc<Event>, position: Position, latest_of: Option<Standing>, is_first: bool },
    /// An older revision is the current one of its thread, or its thread stands otherwise.
    Latest { event: Arc<Event>, position: Position, standing: Standing },
    /// The thread was joined into another one.
    Gone(ThreadId),
}

impl Step {
    fn changes(&self, fields: &Fields, now: Timestamp) -> Vec<Change> {
        let gone = |thread: ThreadId| Change::Delete(fields.fact(&Fact::LatestOf(thread)));
        let add = |document| Change::Add(Box::new(document));
        match self {
            Self::Revision { event, position, latest_of, is_first } => {
                let described = described(fields, event, *position);
                let mut changes = vec![add(revision(fields, &described, now))];
                if let Some(standing) = latest_of {
                    changes.extend((!is_first).then(|| gone(standing.thread)));
                    changes.push(add(latest(fields, described, standing)));
                }
                changes
            }
            Self::Latest { event, position, standing } => {
                let described = described(fields, event, *position);
                vec![gone(standing.thread), add(latest(fields, described, standing))]
            }
            Self::Gone(thread) => vec![gone(*thread)],
        }
    }
}

impl TantivyView {
    /// What an entry changes besides adding its event: threads joined or closed by it, and, where
    /// its event came late, what is current now.
    ///
    /// Rows are read as they stand now, which may be after later entries; those change the same
    /// documents again.
    async fn follow_up(
        &self,
        tenant: &TenantId,
        thread: ThreadId,
        event: EventId,
        outlook: &Outlook,
        steps: &mut Vec<Step>,
    ) -> Result<(), PortError> {
        steps.extend(outlook.merged.iter().map(|merged| Step::Gone(*merged)));
        let mut again: Vec<ThreadId> = outlook.closed.iter().map(|closed| closed.thread).collect();
        if outlook.current != event {
            again.push(thread);
        }
        for thread in again {
            let Some(row) = self.surviving(tenant, thread).await? else { continue };
            if row.id != thread {
                steps.push(Step::Gone(thread));
            }
            let Some(entry) = self.events.entry(row.current.position).await? else { continue };
            let LogRecord::Event { event, .. } = entry.record else { continue };
            let standing = Standing { thread: row.id, state: row.state, hazard_end: row.current.hazard_end };
            steps.push(Step::Latest { event, position: entry.position, standing });
        }
        Ok(())
    }

    /// The row of a thread, or of the one it was joined into.
    async fn surviving(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        let mut row = self.events.thread(tenant, thread).await?;
        for _ in 0..MERGES_MAX {
            match row.as_ref().and_then(|row| row.merged_into) {
                Some(into) => row = self.events.thread(tenant, into).await?,
                None => break,
            }
        }
        Ok(row)
    }
}

#[async_trait]
impl EventQuery for TantivyView {
    async fn search(&self, query: &Query, now: Timestamp) -> Result<Page, PortError> {
        let filter = Compiled::new(&query.filter).map_err(|faults| {
            let told: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
            PortError::never("search by a filter with faults", told.join("; "))
        })?;
        let candidates: Arc<dyn ::tantivy::query::Query> =
            candidates::candidates(&self.fields, query, &filter, now).into();
        let shelf = self.shelf.clone();
        let shown = blocking("show the search index", move || shelf.fresh()).await?;
        let mut judge = Judge { view: self, filter: &filter, query, now, states: HashMap::new() };
        let mut page = Page { as_of: shown.cursor, ..Page::default() };
        let mut before = query.after.map(|(time, position)| key_of(time, position));
        let mut gathered = (2 * query.limit).clamp(64, GATHERED_MAX);
        loop {
            let newest = Newest { sort: query.sort, before, limit: gathered };
            let keys = gather(&shown, candidates.clone(), newest).await?;
            for key in &keys {
                let Some(found) = judge.found(*key).await? else { continue };
                if page.found.len() == query.limit {
                    page.has_more = true;
                    return Ok(page);
                }
                page.found.push(found);
            }
            if keys.len() < gathered {
                return Ok(page);
            }
            before = keys.last().copied();
            gathered = (gathered * 4).min(GATHERED_MAX);
        }
    }
}

/// The newest candidates below a key.
async fn gather(
    shown: &Shown,
    candidates: Arc<dyn ::tantivy::query::Query>,
    newest: Newest,
) -> Result<Vec<Key>, PortError> {
    let searcher = shown.searcher.clone();
    blocking("search", move || searcher.search(&*candidates, &newest).map_err(fault("search the index"))).await
}

/// Judges candidates by what the store holds.
struct Judge<'a> {
    view: &'a TantivyView,
    filter: &'a Compiled,
    query: &'a Query,
    now: Timestamp,
    /// How threads stand, read once for each.
    states: HashMap<ThreadId, State>,
}

impl Judge<'_> {
    /// The candidate, if it is there and the filter holds.
    async fn found(&mut self, key: Key) -> Result<Option<Found>, PortError> {
        let (time, position) = item_of(key);
        let Some(entry) = self.view.events.entry(position).await? else { return Ok(None) };
        let LogRecord::Event { event, thread, outlook, .. } = entry.record else { return Ok(None) };
        if !self.query.tenants.contains(&entry.tenant) {
            return Ok(None);
        }
        let state = self.state(&entry.tenant, thread, &outlook).await?;
        let holds = self.filter.matches(&Subject::new(&event, state));
        Ok(holds.then(|| Found { event: event.id, position, time }))
    }

    /// How a thread stands now, where the filter asks for it.
    async fn state(&mut self, tenant: &TenantId, thread: ThreadId, outlook: &Outlook) -> Result<State, PortError> {
        let literals = self.filter.program().literals();
        if !literals.iter().any(|literal| matches!(literal.leaf, Leaf::State(_))) {
            return Ok(outlook.state);
        }
        if let Some(state) = self.states.get(&thread) {
            return Ok(*state);
        }
        let row = self.view.surviving(tenant, thread).await?;
        let state = row.map_or(outlook.state, |row| row.state_at(self.now));
        self.states.insert(thread, state);
        Ok(state)
    }
}

/// Runs work on a thread that gives way to others, as do those that tantivy starts from it: people wait
/// for what is taken in and told, a list may be a little behind.
async fn giving_way<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let run = move || {
        give_way();
        // One who no longer waits does not need the answer.
        let _ = answer.send(work());
    };
    let thread = std::thread::Builder::new().name("tidings-search".into()).spawn(run);
    thread.map_err(|error| PortError::later(what, error))?;
    answered.await.map_err(|error| PortError::later(what, error))?
}

/// Makes the calling thread nicer. Elsewhere than on Linux that would be the whole process.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!("the search index is written at the priority of everything else: {error}");
    }
}

/// Runs work that waits for the disk beside the tasks that must not.
async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| PortError::later(what, error))?
}
