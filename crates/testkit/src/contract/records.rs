//! Records: read by name, replaced as a whole, each within its fence.

use tidings_core::id::TenantId;
use tidings_core::port::{Commit, Fence, Record, RecordKey, RecordRow, Shelf};

use super::Storage;
use crate::sample;

/// What a commit writes is read as it was, what it removes is gone, and neither takes a position.
pub(super) async fn are_replaced_as_a_whole(store: &dyn Storage) {
    let head = store.head();
    let row = |revision| sample::record_row(Fence::Server, "a", revision);
    let key = row(1).key;
    assert_eq!(store.record(&key).await.unwrap(), None);
    for revision in 1..=3 {
        put(store, vec![row(revision)]).await;
        assert_eq!(store.record(&key).await.unwrap(), row(revision).record);
    }
    put(store, vec![RecordRow { key: key.clone(), record: None }]).await;
    assert_eq!((store.record(&key).await.unwrap(), store.head()), (None, head));
    let empty = Record { revision: 1, ends: None, body: "\n\0".into() };
    put(store, vec![RecordRow { key: key.clone(), record: Some(empty.clone()) }]).await;
    assert_eq!(store.record(&key).await.unwrap(), Some(empty), "its bytes are its writer's");
}

/// Lists hold one shelf of one fence, in order of names, from any name.
pub(super) async fn lie_within_their_fence(store: &dyn Storage) {
    let [one, other]: [TenantId; 2] = ["one", "one-more"].map(|name| name.parse().unwrap());
    let names = ["a", "ab", "abc", "b"];
    for fence in [Fence::Server, Fence::Tenant(one.clone()), Fence::Tenant(other)] {
        put(store, names.map(|name| sample::record_row(fence.clone(), name, 1)).to_vec()).await;
    }
    let beside = RecordKey::new(Fence::Tenant(one.clone()), Shelf::Email, "ab");
    put(store, vec![RecordRow { key: beside, record: sample::record_row(Fence::Server, "x", 1).record }]).await;
    let fence = Fence::Tenant(one);
    let list = async |prefix, after, limit| -> Vec<String> {
        let found = store.records(&fence, Shelf::Account, prefix, after, limit).await.unwrap();
        assert!(found.iter().all(|(key, record)| key.fence == fence && record.revision == 1));
        found.into_iter().map(|(key, _)| key.name().to_owned()).collect()
    };
    assert_eq!(list("", None, 9).await, names);
    assert_eq!(list("", None, 2).await, names[..2]);
    assert_eq!(list("a", None, 9).await, names[..3]);
    assert_eq!(list("a", Some("a"), 9).await, names[1..3]);
    assert_eq!(list("ab", Some("a"), 9).await, names[1..3]);
    assert_eq!(list("", Some("abc"), 9).await, names[3..]);
    assert!(list("a", Some("b"), 9).await.is_empty() && list("c", None, 9).await.is_empty());
}

async fn put(store: &dyn Storage, records: Vec<RecordRow>) {
    store.commit(Commit { records, ..Commit::default() }).await.unwrap();
}
