//! Commits: order, all or nothing, read at once.

use std::sync::Arc;

use tidings_core::id::TenantId;
use tidings_core::port::{Commit, Retry};
use tidings_core::position::Position;

use super::{Storage, observe};
use crate::sample;

pub(super) async fn positions_follow_the_head(store: &dyn Storage) {
    let start = store.head();
    assert_eq!(start, Position::start(start.epoch), "an empty log's head is its start");
    assert_eq!(store.tail(), start, "nothing was removed");
    for round in 0..3 {
        let commit = sample::commit_of(store.head(), &TenantId::public(), round * 10..round * 10 + 10);
        store.commit(commit).await.unwrap();
        assert_eq!(store.head(), start.plus((round + 1) * 10));
    }
    let entries = store.read(start, 100, usize::MAX).await.unwrap();
    let positions: Vec<u64> = entries.iter().map(|entry| entry.position.offset).collect();
    assert_eq!(positions, (1..=30).collect::<Vec<_>>());
    store.commit(Commit::default()).await.unwrap();
    assert_eq!(store.head(), start.plus(30), "an empty commit takes no position");
}

pub(super) async fn a_refused_commit_changes_nothing(store: &dyn Storage) {
    let tenant = TenantId::public();
    store.commit(sample::commit_of(store.head(), &tenant, 0..3)).await.unwrap();
    let before = observe(store).await;
    let mut repeated = sample::commit_of(store.head(), &tenant, 3..6);
    repeated.entries[2].position = repeated.entries[1].position;
    let wrong = [
        sample::commit_of(Position::start(store.head().epoch), &tenant, 3..6),
        sample::commit_of(store.head().plus(1), &tenant, 3..6),
        repeated,
    ];
    for commit in wrong {
        let fault = store.commit(commit).await.unwrap_err();
        assert_eq!(fault.retry, Retry::Never, "{fault}");
        assert_eq!(observe(store).await, before);
    }
    store.commit(sample::commit_of(store.head(), &tenant, 3..6)).await.unwrap();
}

pub(super) async fn what_was_written_is_read(store: &dyn Storage) {
    let tenant = TenantId::public();
    for number in 1..20 {
        store.commit(sample::commit_of(store.head(), &tenant, number..number + 1)).await.unwrap();
        let position = store.head();
        let row = store.identity(&tenant, sample::event_id(number)).unwrap();
        assert_eq!(row, Some(sample::identity(position, number)));
        let thread = store.alias(&tenant, &sample::alias(number)).unwrap();
        assert_eq!(thread, Some(sample::thread_id(number)));
        let row = tidings_core::port::ThreadRows::thread(store, &tenant, sample::thread_id(number)).unwrap();
        assert_eq!(row, Some(sample::thread(position, &tenant, number)));
        let entry = store.event(&tenant, sample::event_id(number)).await.unwrap().unwrap();
        assert_eq!(format!("{entry:?}"), format!("{:?}", without_raw(sample::event_entry(position, &tenant, number))));
    }
}

pub(super) async fn waiting_ends_with_a_commit(store: Arc<dyn Storage>) {
    let (start, waiting) = (store.head(), Arc::clone(&store));
    let waiter = tokio::spawn(async move {
        waiting.beyond(start.plus(1)).await;
        waiting.read(start, 10, usize::MAX).await.unwrap().len()
    });
    store.commit(sample::commit_of(store.head(), &TenantId::public(), 0..1)).await.unwrap();
    tokio::task::yield_now().await;
    assert!(!waiter.is_finished(), "the head is at the position, and not beyond it");
    store.commit(sample::commit_of(store.head(), &TenantId::public(), 1..2)).await.unwrap();
    assert_eq!(waiter.await.unwrap(), 2);
    store.beyond(start).await;
}

pub(super) async fn many_callers_write_at_once(store: Arc<dyn Storage>) {
    let tenant = TenantId::public();
    store.commit(sample::commit_of(store.head(), &tenant, 0..1)).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for user in 0..50 {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        writers.spawn(async move {
            let position = store.head();
            store.commit_step(sample::step_of(&tenant, user..user + 1, 0, position, 1)).await.unwrap();
            for number in [2, 5, 3] {
                store.set_read_mark(&tenant, sample::user_id(user), number).await.unwrap();
            }
        });
    }
    for number in 1..20 {
        store.commit(sample::commit_of(store.head(), &tenant, number..number + 1)).await.unwrap();
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
    for user in 0..50 {
        assert_eq!(store.read_mark(&tenant, sample::user_id(user)).await.unwrap(), 5);
        assert_eq!(store.inbox_head(&tenant, sample::user_id(user)).await.unwrap(), 1);
    }
    assert_eq!(store.head().offset, 20);
}

/// The entry as it is read back.
pub(super) fn without_raw(mut entry: tidings_core::port::LogEntry) -> tidings_core::port::LogEntry {
    use tidings_core::port::LogRecord::{Control, DeadLetter, Event, Form};
    match &mut entry.record {
        Event { raw, .. } | Form { raw, .. } | DeadLetter { raw, .. } => raw.clear(),
        Control(_) => {}
    }
    entry
}
