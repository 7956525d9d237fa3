//! Decisions, inboxes and what was told.

use tidings_core::id::TenantId;
use tidings_core::port::{NotifierCursor, NotifierStep, Unfinished};

use super::Storage;
use crate::sample;

pub(super) async fn told_and_decisions(store: &dyn Storage) {
    let (public, start) = (TenantId::public(), store.head());
    let (one, other): (TenantId, TenantId) = ("a".parse().unwrap(), "b".parse().unwrap());
    let begun = NotifierCursor { position: start, unfinished: Vec::new() };
    assert_eq!(store.notifier_cursor().await.unwrap(), begun, "it begins at the log's start");
    store.commit_step(sample::step_of(&other, 1..4, 5, start.plus(1), 1)).await.unwrap();
    store.commit_step(sample::step_of(&one, 2..5, 5, start.plus(1), 1)).await.unwrap();
    store.commit_step(sample::step_of(&one, 2..5, 6, start.plus(2), 2)).await.unwrap();
    let told = store.told_of(&public, sample::thread_id(5), None, 99).await.unwrap();
    let expected: Vec<_> = (2..5)
        .map(|user| sample::told(&one, user, &public, 5, start.plus(1)))
        .chain((1..4).map(|user| sample::told(&other, user, &public, 5, start.plus(1))))
        .collect();
    assert_eq!(told, expected, "by the recipient's tenant, then by recipient");
    let keys = expected.iter().map(|told| (told.tenant.clone(), told.user));
    for (count, after) in (1..).zip(keys) {
        let some = store.told_of(&public, sample::thread_id(5), Some(&after), 2).await.unwrap();
        let rest: Vec<_> = expected[count..].iter().take(2).cloned().collect();
        assert_eq!(some, rest, "two at most of those after {after:?}");
    }
    let nobody = (one.clone(), sample::user_id(9));
    let some = store.told_of(&public, sample::thread_id(5), Some(&nobody), 1).await.unwrap();
    assert_eq!(some, expected[3..4], "after one who was not told");

    let mut over = told[0].clone();
    over.is_over = true;
    over.places.clear();
    let cursor = NotifierCursor {
        position: start.plus(2),
        unfinished: vec![
            Unfinished { position: start.plus(1), after: Some((one.clone(), sample::user_id(3))) },
            Unfinished { position: start.plus(2), after: None },
        ],
    };
    let silent = sample::decision(&one, 2, 7, start.plus(3), None);
    let step = NotifierStep { told: vec![over.clone()], decisions: vec![silent.clone()], cursor: cursor.clone() };
    store.commit_step(step).await.unwrap();
    assert_eq!(store.told_of(&public, sample::thread_id(5), None, 99).await.unwrap()[0], over);
    assert_eq!(store.notifier_cursor().await.unwrap(), cursor);
    let found = store.decision(&one, sample::user_id(2), sample::event_id(7)).await.unwrap();
    assert_eq!(found, Some(silent));
    assert_eq!(store.inbox_head(&one, sample::user_id(2)).await.unwrap(), 2, "no notice, no inbox place");
    let found = store.decision(&one, sample::user_id(3), sample::event_id(6)).await.unwrap();
    assert_eq!(found, Some(sample::decision(&one, 3, 6, start.plus(2), Some(2))));
}

pub(super) async fn inbox_numbers(store: &dyn Storage) {
    let (tenant, start) = (TenantId::default_tenant(), store.head());
    for number in 1..=300 {
        let users = if number <= 3 { 1..4 } else { 2..3 };
        store.commit_step(sample::step_of(&tenant, users, number, start.plus(number), number)).await.unwrap();
    }
    let user = sample::user_id(2);
    let numbers = |entries: Vec<tidings_core::port::InboxEntry>| -> Vec<u64> {
        entries.iter().map(|entry| entry.number).collect()
    };
    assert_eq!(store.inbox_head(&tenant, user).await.unwrap(), 300);
    assert_eq!(store.inbox_head(&tenant, sample::user_id(1)).await.unwrap(), 3);
    assert_eq!(store.inbox_head(&tenant, sample::user_id(9)).await.unwrap(), 0);
    let asked: Vec<_> = (0..40).map(|number| (tenant.clone(), sample::user_id(number % 4))).collect();
    let heads: Vec<u64> = (0..40).map(|number| [0, 3, 300, 3][number % 4]).collect();
    assert_eq!(store.inbox_heads(&asked).await.unwrap(), heads);
    assert_eq!(store.inbox_heads(&asked[1..3]).await.unwrap(), [3, 300]);
    let first = store.inbox_after(&tenant, user, 0, 2).await.unwrap();
    assert_eq!((first[0].event, first[0].position), (sample::event_id(1), start.plus(1)));
    assert_eq!(numbers(first), [1, 2]);
    assert_eq!(numbers(store.inbox_after(&tenant, user, 254, 4).await.unwrap()), [255, 256, 257, 258]);
    assert!(store.inbox_after(&tenant, user, 300, 4).await.unwrap().is_empty());
    assert!(store.inbox_after(&tenant, user, u64::MAX, 4).await.unwrap().is_empty());
    assert_eq!(numbers(store.inbox_before(&tenant, user, u64::MAX, 2).await.unwrap()), [300, 299]);
    assert_eq!(numbers(store.inbox_before(&tenant, user, 3, 9).await.unwrap()), [2, 1]);
    assert!(store.inbox_before(&tenant, user, 0, 9).await.unwrap().is_empty());
    assert_eq!(numbers(store.inbox_after(&tenant, sample::user_id(3), 0, 9).await.unwrap()), [1, 2, 3]);
}

pub(super) async fn read_marks(store: &dyn Storage) {
    let (tenant, user) = (TenantId::default_tenant(), sample::user_id(1));
    assert_eq!(store.read_mark(&tenant, user).await.unwrap(), 0);
    for (number, expected) in [(5, 5), (3, 5), (5, 5), (9, 9)] {
        store.set_read_mark(&tenant, user, number).await.unwrap();
        assert_eq!(store.read_mark(&tenant, user).await.unwrap(), expected);
    }
    assert_eq!(store.read_mark(&tenant, sample::user_id(2)).await.unwrap(), 0);
    assert_eq!(store.read_mark(&TenantId::public(), user).await.unwrap(), 0);
}
