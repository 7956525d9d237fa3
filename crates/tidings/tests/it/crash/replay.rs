//! What a run without faults tells over the same log, beside what the recovered store has told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidings_adapters::fjall::{FjallStore, Options};
use tidings_core::id::{EventId, NotificationId, TenantId, UserId};
use tidings_core::notice::StoredDecision;
use tidings_core::port::{Commit, ControlChange, DeliveryStore, EventLog, Ledger, LogEntry, LogRecord, PortError};
use tidings_core::position::Position;
use tidings_core::time::Timestamp;
use tidings_engine::Engine;
use tidings_testkit::{HandClock, MemoryStore};

use super::Fault;

/// Entries read or written at once.
const AT_ONCE: usize = 1_000;
/// How long a replay may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was compared.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Entries of the log.
    pub entries: usize,
    /// Changes of what governs judgments among them.
    pub changes: usize,
    /// Inboxes.
    pub inboxes: usize,
    /// Notices in them, by kind.
    pub notices: BTreeMap<String, usize>,
}

/// Opens the store of a stopped server and compares what it told with what a fault-free run tells;
/// every id of `accepted` must be in its log.
pub async fn compare(data: &Path, accepted: &BTreeSet<String>) -> Result<Replayed, Fault> {
    let store = FjallStore::open(data, Options::default()).map_err(|fault| Fault::Refused(fault.to_string()))?;
    let log = whole_log(&store).await?;
    let events: BTreeMap<String, EventId> = log.iter().filter_map(event_of).map(|id| (id.to_string(), id)).collect();
    if let Some(lost) = accepted.iter().find(|id| !events.contains_key(*id)) {
        return Err(Fault::Lost(format!("{lost} was accepted and is gone")));
    }
    let cursor = store.notifier_cursor().await?;
    if cursor.position < store.head() || !cursor.unfinished.is_empty() {
        return Err(Fault::Wrong(format!("the notifier stopped at {} of {}", cursor.position, store.head())));
    }
    let replay = fault_free(&log).await?;
    let mut done = Replayed { entries: log.len(), ..Replayed::default() };
    done.changes = log.iter().filter(|entry| matches!(entry.record, LogRecord::Control(_))).count();
    let mut seen = BTreeSet::new();
    for (tenant, user) in recipients(&log) {
        let told = Told::read(&store, &tenant, user, events.values()).await?;
        let expected = Told::read(&replay, &tenant, user, events.values()).await?;
        told.must_be(&expected, user)?;
        for decision in told.inbox.values() {
            for notice in &decision.notices {
                *done.notices.entry(format!("{:?}", notice.kind)).or_default() += 1;
                if !seen.insert(notice.id) {
                    return Err(Fault::Wrong(format!("{} was told twice", notice.id)));
                }
            }
        }
        done.inboxes += 1;
    }
    Ok(done)
}

async fn whole_log(store: &FjallStore) -> Result<Vec<LogEntry>, Fault> {
    let mut log = Vec::new();
    let mut after = store.tail();
    while after < store.head() {
        let entries = store.read(after, AT_ONCE, usize::MAX).await?;
        let Some(last) = entries.last() else {
            return Err(Fault::Wrong(format!("the log ends at {after}, its head is {}", store.head())));
        };
        after = last.position;
        log.extend(entries);
    }
    let expected = (1..).map(|count| store.tail().plus(count));
    if let Some((entry, expected)) = log.iter().zip(expected).find(|(entry, expected)| entry.position != *expected) {
        return Err(Fault::Wrong(format!("the log goes on at {} where {expected} was to come", entry.position)));
    }
    Ok(log)
}

fn event_of(entry: &LogEntry) -> Option<EventId> {
    match &entry.record {
        LogRecord::Event { event, .. } => Some(event.id),
        _ => None,
    }
}

/// Everyone who ever had a subscription.
fn recipients(log: &[LogEntry]) -> BTreeSet<(TenantId, UserId)> {
    let owner = |entry: &LogEntry| match &entry.record {
        LogRecord::Control(ControlChange::Subscription(it)) => Some((it.tenant.clone(), it.owner)),
        _ => None,
    };
    log.iter().filter_map(owner).collect()
}

/// Decides the whole log once, over a store in memory.
async fn fault_free(log: &[LogEntry]) -> Result<MemoryStore, Fault> {
    let store = log.first().map_or_else(MemoryStore::new, |first| MemoryStore::of_epoch(first.position.epoch));
    for entries in log.chunks(AT_ONCE) {
        // Thread rows matter to the notifier only where threads were joined.
        let is_joined =
            |entry: &LogEntry| matches!(&entry.record, LogRecord::Event { outlook, .. } if !outlook.merged.is_empty());
        if let Some(entry) = entries.iter().find(|entry| is_joined(entry)) {
            return Err(Fault::Wrong(format!("{} joins threads, which this replay cannot follow", entry.position)));
        }
        store.commit(Commit { entries: entries.to_vec(), ..Commit::default() }).await?;
    }
    let ports = tidings_testkit::ports(&store, &Arc::new(HandClock::default()), 1);
    let (engine, running) = Engine::start(ports, tidings_engine::Options::default()).await?;
    let decided = tokio::time::timeout(PATIENCE, engine.decided(engine.head())).await;
    running.stop().await;
    decided.map_err(|_| Fault::Wrong("the replay does not end".to_owned()))?;
    Ok(store)
}

/// All that one recipient was told, and all that was decided for them.
#[derive(Debug, PartialEq)]
struct Told {
    /// By inbox number: the decision that took the place, with the notice of that number alone.
    inbox: BTreeMap<u64, StoredDecision>,
    decisions: BTreeMap<Position, StoredDecision>,
}

impl Told {
    async fn read(
        store: &dyn DeliveryStore,
        tenant: &TenantId,
        user: UserId,
        events: impl Iterator<Item = &EventId>,
    ) -> Result<Self, Fault> {
        let mut told = Self { inbox: BTreeMap::new(), decisions: BTreeMap::new() };
        for place in store.inbox_after(tenant, user, 0, usize::MAX).await? {
            let decision = decision_of(store, tenant, user, place.event).await?;
            let decision = decision.map(|mut decision| {
                decision.notices.retain(|notice| notice.number == place.number);
                decision
            });
            match decision {
                Some(decision) if decision.notices.len() == 1 => told.inbox.insert(place.number, decision),
                _ => return Err(Fault::Wrong(format!("place {} of {user} has no notice of its own", place.number))),
            };
        }
        for event in events {
            if let Some(decision) = decision_of(store, tenant, user, *event).await? {
                told.decisions.insert(decision.position, decision);
            }
        }
        Ok(told)
    }

    fn must_be(&self, expected: &Self, user: UserId) -> Result<(), Fault> {
        let numbers = self.inbox.keys().copied();
        if !numbers.eq(1..=self.inbox.len() as u64) {
            return Err(Fault::Wrong(format!("the inbox of {user} has gaps")));
        }
        let notices = |told: &Self| told.inbox.values().flat_map(|it| it.notices.clone()).collect::<Vec<_>>();
        let (told, wanted) = (notices(self), notices(expected));
        if told != wanted {
            let ids: BTreeSet<NotificationId> = told.iter().map(|notice| notice.id).collect();
            let missing: Vec<_> = wanted.iter().filter(|notice| !ids.contains(&notice.id)).collect();
            let first = told.iter().zip(&wanted).find(|(told, wanted)| told != wanted);
            return Err(Fault::Wrong(format!(
                "{user} was told {} notices and a run without faults tells {}; missing {missing:?}; first difference {first:?}",
                told.len(),
                wanted.len(),
            )));
        }
        match self == expected {
            true => Ok(()),
            false => Err(Fault::Wrong(format!("the decisions for {user} are not those of a run without faults"))),
        }
    }
}

/// A decision without the time at which it was made, which differs from run to run.
async fn decision_of(
    store: &dyn DeliveryStore,
    tenant: &TenantId,
    user: UserId,
    event: EventId,
) -> Result<Option<StoredDecision>, PortError> {
    let decision = store.decision(tenant, user, event).await?;
    Ok(decision.map(|decision| StoredDecision { decided: Timestamp::MIN, ..decision }))
}

impl From<PortError> for Fault {
    fn from(error: PortError) -> Self {
        Self::Wrong(format!("{error}: {:?}", error.source))
    }
}
