//! Reads of log, events, control changes and dead letters.

use bytes::Bytes;

use tidings_core::audit::ChainEnd;
use tidings_core::id::TenantId;
use tidings_core::port::{Commit, ControlChange, DeadLetterAttempt, DeadLetterState, LogEntry, LogRecord};
use tidings_core::position::Position;

use super::Storage;
use crate::{START, sample};

async fn store_entries(store: &dyn Storage, entries: Vec<LogEntry>) {
    store.commit(Commit { entries, ..Commit::default() }).await.unwrap();
}

pub(super) async fn log_is_bounded(store: &dyn Storage) {
    let (tenant, start) = (TenantId::public(), store.head());
    assert!(store.read(start, 10, usize::MAX).await.unwrap().is_empty());
    store.commit(sample::commit_of(start, &tenant, 0..50)).await.unwrap();
    let body_bytes = |entries: &[LogEntry]| -> usize { entries.iter().map(body_length).sum() };
    assert_eq!(store.read(start, 7, usize::MAX).await.unwrap().len(), 7);
    assert_eq!(store.read(start, 0, usize::MAX).await.unwrap().len(), 0);
    assert_eq!(store.read(start, 10, 0).await.unwrap().len(), 1, "one entry passes any limit of bytes");
    let three = body_bytes(&store.read(start, 3, usize::MAX).await.unwrap());
    assert_eq!(store.read(start, 50, three).await.unwrap().len(), 3);
    assert_eq!(store.read(start, 50, three + 1).await.unwrap().len(), 4);
    let last = store.read(start.plus(48), 10, usize::MAX).await.unwrap();
    assert_eq!(last.iter().map(|entry| entry.position.offset).collect::<Vec<_>>(), [49, 50]);
    for after in [start.plus(50), start.plus(70), Position::start(start.epoch + 1)] {
        assert!(store.read(after, 10, usize::MAX).await.unwrap().is_empty(), "{after}");
    }
    assert!(store.entry(start).await.unwrap().is_none());
    assert!(store.entry(start.plus(51)).await.unwrap().is_none());
    let mut cursor = start;
    while let Some(entry) = store.read(cursor, 4, usize::MAX).await.unwrap().last() {
        cursor = entry.position;
    }
    assert_eq!(cursor, store.head(), "a reader gets to the head");
}

fn body_length(entry: &LogEntry) -> usize {
    if let LogRecord::Event { body, .. } = &entry.record { body.len() } else { 0 }
}

pub(super) async fn tenants_stay_apart(store: &dyn Storage) {
    let (ours, theirs): (TenantId, TenantId) = ("a".parse().unwrap(), "a-b".parse().unwrap());
    store.commit(sample::commit_of(store.head(), &theirs, 0..5)).await.unwrap();
    for number in 0..5 {
        assert!(store.event(&ours, sample::event_id(number)).await.unwrap().is_none());
        assert!(store.raw(&ours, sample::event_id(number)).await.unwrap().is_none());
        assert!(store.identity(&ours, sample::event_id(number)).unwrap().is_none());
        assert!(store.alias(&ours, &sample::alias(number)).unwrap().is_none());
        assert!(store.versions(&ours, sample::thread_id(number)).await.unwrap().is_empty());
    }
    let position = store.head().plus(1);
    store_entries(store, vec![sample::letter_entry(position, &theirs, 1)]).await;
    assert!(store.dead_letters(&ours, None, 10).await.unwrap().is_empty());
    assert!(store.dead_letter(&ours, sample::dead_letter_id(1)).await.unwrap().is_none());
    assert!(store.dead_letter_raw(&ours, sample::dead_letter_id(1)).await.unwrap().is_none());
    store.commit_step(sample::step_of(&theirs, 1..3, 0, position, 1)).await.unwrap();
    assert_eq!(store.inbox_head(&ours, sample::user_id(1)).await.unwrap(), 0);
    assert!(store.decision(&ours, sample::user_id(1), sample::event_id(0)).await.unwrap().is_none());
    assert!(store.told_of(&ours, sample::thread_id(0), None, 9).await.unwrap().is_empty());
}

pub(super) async fn raw_bytes_of_any_size(store: &dyn Storage) {
    let tenant = TenantId::public();
    for (number, length) in (0..).zip([0, 1, (1 << 20) - 1, 1 << 20, (3 << 20) + 5]) {
        let mut commit = sample::commit_of(store.head(), &tenant, number..number + 1);
        let bytes: Bytes = (0..length).map(|index: u32| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let LogRecord::Event { raw, .. } = &mut commit.entries[0].record else { unreachable!("it is an event") };
        *raw = bytes.clone();
        store.commit(commit).await.unwrap();
        let found = store.raw(&tenant, sample::event_id(number)).await.unwrap().unwrap();
        assert!(found.bytes == bytes, "{length} bytes");
        assert_eq!(found.media_type, "application/json");
    }
}

pub(super) async fn forms_and_versions(store: &dyn Storage) {
    let (tenant, start) = (TenantId::public(), store.head());
    store.commit(sample::commit_of(start, &tenant, 0..2)).await.unwrap();
    let forms =
        [sample::form_entry(start.plus(3), &tenant, 0, false), sample::form_entry(start.plus(4), &tenant, 0, true)];
    store_entries(store, forms.to_vec()).await;
    let mut again = sample::event_entry(start.plus(5), &tenant, 7);
    if let LogRecord::Event { thread, revision, .. } = &mut again.record {
        (*thread, *revision) = (sample::thread_id(0), 2);
    }
    store_entries(store, vec![again]).await;
    let found = store.forms(&tenant, sample::event_id(0)).await.unwrap();
    assert_eq!(found.iter().map(|(_, conflict)| *conflict).collect::<Vec<_>>(), [false, true]);
    assert_eq!(found[0].0.media_type, "application/cap+xml");
    assert!(store.forms(&tenant, sample::event_id(1)).await.unwrap().is_empty());
    let versions = store.versions(&tenant, sample::thread_id(0)).await.unwrap();
    assert_eq!(versions, [start.plus(1), start.plus(5)]);
}

pub(super) async fn control_history(store: &dyn Storage) {
    let (tenant, start) = (TenantId::default_tenant(), store.head());
    let entries = vec![
        sample::subscription_entry(start.plus(1), &tenant, 1, 1),
        sample::event_entry(start.plus(2), &tenant, 0),
        sample::subscription_entry(start.plus(3), &tenant, 2, 1),
        sample::subscription_entry(start.plus(4), &tenant, 1, 2),
        sample::deletion_entry(start.plus(5), &tenant, 1),
    ];
    store_entries(store, entries).await;
    let places = |changes: Vec<tidings_core::port::StoredChange>| -> Vec<u64> {
        changes.iter().map(|change| change.position.offset).collect()
    };
    assert_eq!(places(store.changes(start, 10).await.unwrap()), [1, 3, 4, 5]);
    assert_eq!(places(store.changes(start.plus(1), 2).await.unwrap()), [3, 4]);
    assert!(store.changes(start.plus(5), 10).await.unwrap().is_empty());
    let history = store.history(sample::subscription_id(1)).await.unwrap();
    assert_eq!(
        history[1].change,
        ControlChange::Subscription(Box::new(sample::subscription(&tenant, 1, 2))),
        "each revision as it was"
    );
    assert_eq!(places(history), [1, 4, 5]);
    assert!(store.history(sample::subscription_id(3)).await.unwrap().is_empty());
}

pub(super) async fn dead_letters(store: &dyn Storage) {
    let (tenant, start) = (TenantId::default_tenant(), store.head());
    let entries = (1..=9).map(|number| sample::letter_entry(start.plus(number), &tenant, number)).collect();
    store_entries(store, entries).await;
    let listed = |letters: &[(Position, tidings_core::port::DeadLetter)]| -> Vec<u64> {
        letters.iter().map(|(position, _)| position.offset).collect()
    };
    let newest = store.dead_letters(&tenant, None, 4).await.unwrap();
    assert_eq!(listed(&newest), [9, 8, 7, 6]);
    let older = store.dead_letters(&tenant, Some(newest[3].0), 100).await.unwrap();
    assert_eq!(listed(&older), [5, 4, 3, 2, 1]);
    assert_eq!(store.dead_letter_raw(&tenant, sample::dead_letter_id(3)).await.unwrap().unwrap(), "{3");

    let mut letter = store.dead_letter(&tenant, sample::dead_letter_id(3)).await.unwrap().unwrap();
    assert_eq!(letter, sample::letter(&tenant, 3));
    letter.state = DeadLetterState::Replayed;
    letter.attempts.push(DeadLetterAttempt { at: START, outcome: "accepted".to_owned(), detail: String::new() });
    store.update_dead_letter(&letter).await.unwrap();
    assert_eq!(store.dead_letter(&tenant, letter.id).await.unwrap().unwrap(), letter);
    assert_eq!(store.dead_letters(&tenant, Some(start.plus(4)), 1).await.unwrap()[0].1, letter);
    assert_eq!(store.head(), start.plus(9), "acting on it takes no position");
    let unknown = sample::letter(&tenant, 77);
    store.update_dead_letter(&unknown).await.unwrap_err();
    assert!(store.dead_letter(&tenant, unknown.id).await.unwrap().is_none());
}

/// Each tenant's audit log is a chain of its own, read from any place, and stored without log entries.
pub(super) async fn audit_logs(store: &dyn Storage) {
    let [one, other]: [TenantId; 2] = ["one", "one-more"].map(|name| name.parse().unwrap());
    assert_eq!(store.audit_end(&one).await.unwrap(), ChainEnd::default());
    let (mut end, mut end_of_other) = (ChainEnd::default(), ChainEnd::default());
    let head = store.head();
    for step in 0..3 {
        let mut audit: Vec<_> = (0..2).map(|it| sample::audit_entry(&one, &format!("{step} {it}"), &mut end)).collect();
        audit.push(sample::audit_entry(&other, "theirs", &mut end_of_other));
        store.commit(Commit { audit, ..Commit::default() }).await.unwrap();
    }
    assert_eq!((store.head(), store.audit_end(&one).await.unwrap()), (head, end.clone()));
    let all = store.audit(&one, 0, 100).await.unwrap();
    assert_eq!(ChainEnd::default().verify(&all).unwrap(), end);
    assert_eq!(all.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(store.audit(&one, 2, 3).await.unwrap(), all[2..5]);
    assert!(
        store.audit(&one, 6, 3).await.unwrap().is_empty() && store.audit(&one, u64::MAX, 3).await.unwrap().is_empty()
    );
    assert_eq!(store.audit(&other, 0, 100).await.unwrap().len(), 3);
}
