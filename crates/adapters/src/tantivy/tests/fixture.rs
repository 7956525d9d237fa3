//! A store, the view over it, and threads made up as an owner would make them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use tidings_core::draft::Format;
use tidings_core::filter::Filter;
use tidings_core::id::{EventId, IncidentId};
use tidings_core::port::{Commit, EventLog, IdentityRow, Ledger, Says, Sort, ThreadHead};
use tidings_core::stored::ClosedThread;
use tidings_core::vocabulary::Action;
use tidings_testkit::MemoryStore;

use super::super::*;
use super::random::{Random, random_event};

/// A small world: a store, the view over it, and the threads as the owner sees them.
pub(super) struct Fixture {
    pub(super) dir: tempfile::TempDir,
    pub(super) store: MemoryStore,
    pub(super) view: TantivyView,
    pub(super) threads: BTreeMap<ThreadId, ThreadRow>,
    pub(super) random: Random,
}

pub(super) fn at(minutes: i64) -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus_millis(minutes * 60_000)
}

pub(super) fn event(number: u64, with: Value) -> Event {
    let mut event = json!({
        "id": EventId::derived(&[&number.to_be_bytes()]), "tenant": "default", "source": "api", "sender": "", "issuer": "x",
        "official": false, "action": "new", "status": "actual", "category": "other", "type": "other",
        "severity": "Unknown", "severity_origin": "given", "urgency": "Unknown", "certainty": "Unknown",
        "confidence": 0.5, "title": format!("event {number}"), "geometry_origin": "none", "place_precision": "none",
        "forms": [], "received": at(number as i64), "hazard_end": at(number as i64 + 600), "schema_version": 1,
        "correlation_id": "c"
    });
    event.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    serde_json::from_value(event).unwrap()
}

pub(super) fn row(thread: ThreadId, event: &Event, position: Position, state: State) -> ThreadRow {
    let current = ThreadHead {
        event: event.id,
        position,
        revision: 1,
        version_time: None,
        order_time: event.received,
        action: Action::New,
        hazard_end: event.hazard_end,
    };
    ThreadRow {
        id: thread,
        tenant: event.tenant.clone(),
        order_key: "x".to_owned(),
        first: position,
        revisions: 1,
        current,
        state,
        parts: Vec::new(),
        title: event.title.clone(),
        merged_into: None,
        merged_from: Vec::new(),
        upgraded_to: None,
        closed_at: None,
        incident: IncidentId::derived(&[thread.to_string().as_bytes()]),
    }
}

impl Fixture {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = MemoryStore::new();
        let view = open(dir.path(), Arc::new(store.clone())).unwrap();
        Self { dir, store, view, threads: BTreeMap::new(), random: Random(1) }
    }

    /// Closes the view and opens it again, as a restart does.
    pub(super) fn reopen(self) -> Self {
        let Self { dir, store, view, threads, random } = self;
        drop(view);
        let view = open(dir.path(), Arc::new(store.clone())).unwrap();
        Self { dir, store, view, threads, random }
    }

    /// Commits one event: to a new thread, or as the next revision of one, current or late, perhaps
    /// joining or closing others.
    pub(super) async fn commit(
        &mut self,
        event: Event,
        thread: Option<ThreadId>,
        is_current: bool,
        others: Others,
    ) -> ThreadId {
        let position = EventLog::head(&self.store).plus(1);
        let id = thread.unwrap_or_else(|| ThreadId::derived(&[event.id.to_string().as_bytes()]));
        let tenant = event.tenant.clone();
        let state = if event.action == Action::End { State::Ended } else { State::Active };
        let mut of_thread = row(id, &event, position, state);
        if let Some(before) = self.threads.get(&id) {
            of_thread.first = before.first;
            of_thread.revisions = before.revisions + 1;
            of_thread.current.revision = of_thread.revisions;
            if !is_current {
                (of_thread.current, of_thread.state) = (before.current.clone(), before.state);
            }
        }
        let (mut merged, mut closed, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        match others {
            Others::None => {}
            Others::Join(other) => {
                merged.push(other);
                changed.push(ThreadRow { merged_into: Some(id), ..self.threads[&other].clone() });
            }
            Others::Close(other) => {
                closed.push(ClosedThread {
                    thread: other,
                    merged_from: Vec::new(),
                    upgraded: false,
                    lives_elsewhere: false,
                });
                changed.push(ThreadRow { state: State::Ended, ..self.threads[&other].clone() });
            }
        }
        let outlook = Outlook {
            state: of_thread.state,
            is_current: of_thread.current.event == event.id,
            current: of_thread.current.event,
            merged,
            merged_from: Vec::new(),
            standing: Vec::new(),
            closed,
            incident: of_thread.incident,
            incident_threads: Vec::new(),
        };
        let identity = IdentityRow { position, ..identity(id) };
        let record = LogRecord::Event {
            thread: id,
            revision: of_thread.revisions,
            outlook,
            body: Bytes::new(),
            raw: Bytes::new(),
            event: Arc::new(event.clone()),
        };
        changed.push(of_thread);
        let commit = Commit {
            entries: vec![LogEntry { position, tenant: tenant.clone(), record }],
            identities: vec![(tenant, event.id, identity)],
            aliases: Vec::new(),
            threads: changed.clone(),
            ..Commit::default()
        };
        self.store.commit(commit).await.unwrap();
        self.threads.extend(changed.into_iter().map(|row| (row.id, row)));
        id
    }

    /// Brings the view up to the log, in steps of a few entries, and shows it.
    pub(super) async fn project(&mut self) {
        loop {
            let count = 1 + self.random.below(40) as usize;
            let entries = self.store.read(self.view.cursor().await.unwrap(), count, usize::MAX).await.unwrap();
            self.view.apply(&entries, at(9)).await.unwrap();
            if entries.is_empty() {
                return;
            }
        }
    }

    /// What a query should find, by looking at everything.
    pub(super) async fn scan(&self, query: &Query, now: Timestamp) -> Vec<EventId> {
        let filter = Compiled::new(&query.filter).unwrap();
        let mut found = Vec::new();
        for entry in self.store.read(Position::default(), usize::MAX, usize::MAX).await.unwrap() {
            let LogRecord::Event { thread, event, .. } = entry.record else { continue };
            let mut row = &self.threads[&thread];
            while let Some(into) = row.merged_into {
                row = &self.threads[&into];
            }
            let in_time = query.since.is_none_or(|since| event.received >= since)
                && query.until.is_none_or(|until| event.received < until);
            let is_shown = !query.latest || row.current.event == event.id;
            let subject = Subject::new(&event, row.state_at(now));
            if in_time && is_shown && query.tenants.contains(&event.tenant) && filter.matches(&subject) {
                let time = match query.sort {
                    Sort::Received => event.received,
                    Sort::Occurred => event.occurred.unwrap_or(Timestamp::MIN),
                };
                found.push((time, entry.position, event.id));
            }
        }
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.into_iter().map(|(_, _, id)| id).collect()
    }

    /// Every page of a query in turn.
    pub(super) async fn pages(&self, query: &Query, now: Timestamp) -> Vec<EventId> {
        let (mut found, mut query) = (Vec::new(), query.clone());
        loop {
            let page = self.view.search(&query, now).await.unwrap();
            assert!(page.found.len() <= query.limit);
            assert!(!page.has_more || page.found.len() == query.limit);
            query.after = page.found.last().map(|last| (last.time, last.position));
            found.extend(page.found.iter().map(|found| found.event));
            if !page.has_more {
                return found;
            }
        }
    }
}

/// What a committed event does to other threads.
#[derive(Clone, Copy)]
pub(super) enum Others {
    None,
    Join(ThreadId),
    Close(ThreadId),
}

pub(super) fn identity(thread: ThreadId) -> IdentityRow {
    IdentityRow {
        position: Position::default(),
        thread,
        tuple_hash: [0; 16],
        content_hash: [0; 16],
        version_time: None,
        state: State::Active,
        format: Format::Native,
        says: Says::default(),
    }
}

pub(super) fn everything(filter: Filter) -> Query {
    Query {
        tenants: vec![TenantId::default_tenant()],
        filter,
        since: None,
        until: None,
        latest: true,
        sort: Sort::Received,
        limit: 10,
        after: None,
    }
}

pub(super) async fn filled(count: u64) -> Fixture {
    let mut fixture = Fixture::new();
    for number in 0..count {
        let event = random_event(&mut fixture.random, number);
        let open: Vec<ThreadId> = fixture
            .threads
            .values()
            .filter(|row| row.merged_into.is_none() && row.tenant == event.tenant)
            .map(|row| row.id)
            .collect();
        let some = |random: &mut Random| open.get(random.below(open.len().max(1) as u64) as usize).copied();
        let thread = if fixture.random.below(2) == 0 { some(&mut fixture.random) } else { None };
        let other = some(&mut fixture.random).filter(|other| Some(*other) != thread);
        let others = match (fixture.random.below(12), other) {
            (0, Some(other)) => Others::Join(other),
            (1, Some(other)) => Others::Close(other),
            _ => Others::None,
        };
        let is_current = thread.is_none() || fixture.random.below(4) > 0;
        fixture.commit(event, thread, is_current, others).await;
        if fixture.random.below(50) == 0 {
            fixture.project().await;
        }
    }
    fixture.project().await;
    fixture
}
