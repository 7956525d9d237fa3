//! What the embedded store promises beyond its ports: damage is seen, faults are said clearly.

mod damage;
mod erasure;
mod golden;
mod space;

use std::path::Path;

use tidings_adapters::fjall::{FjallStore, OpenError, Options};
use tidings_core::id::TenantId;
use tidings_core::port::{EventLog, EventStore, Ledger};
use tidings_core::time::Timestamp;
use tidings_testkit::sample;

fn open(dir: &Path) -> FjallStore {
    FjallStore::open(dir, Options::default()).unwrap()
}

fn refusal(dir: &Path) -> OpenError {
    FjallStore::open(dir, Options::default()).expect_err("the store must not open")
}

/// Commits events with these numbers, one at a time.
async fn commit(store: &FjallStore, numbers: std::ops::Range<u64>) {
    for number in numbers {
        store.commit(sample::commit_of(store.head(), &TenantId::public(), number..number + 1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_second_process_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let refused = refusal(dir.path());
    assert_eq!(refused.code(), "directory_in_use");
    let expected = format!(
        "{} is in use by process {}; stop that one, or use another directory with --data",
        dir.path().display(),
        std::process::id()
    );
    assert_eq!(refused.to_string(), expected);
    drop(store);
    open(dir.path());
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [&file, &file.join("below")] {
        let refused = refusal(path);
        assert_eq!(refused.code(), "directory_not_writable", "{refused}");
        assert!(refused.to_string().contains("check that it is a directory"), "{refused}");
    }
}

/// A cursor of one directory must not be taken for one of another, nor be lost by a restart.
#[tokio::test]
async fn every_log_has_an_epoch_of_its_own_and_keeps_it() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let epochs = dirs.each_ref().map(|dir| open(dir.path()).head().epoch);
    assert!(epochs[0] != epochs[1] && !epochs.contains(&0), "{epochs:?}");
    commit(&open(dirs[0].path()), 0..2).await;
    assert_eq!(open(dirs[0].path()).head(), tidings_core::position::Position::start(epochs[0]).plus(2));
}

#[tokio::test]
async fn when_an_event_was_committed_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut commit = sample::commit_of(store.head(), &TenantId::default_tenant(), 0..1);
    commit.at = Some(Timestamp::from_millis(1_767_225_600_123));
    store.commit(commit).await.unwrap();
    let head = store.head();
    store.commit(sample::commit_of(head, &TenantId::default_tenant(), 1..2)).await.unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.stored_at(head).await.unwrap(), Some(Timestamp::from_millis(1_767_225_600_123)));
    assert_eq!(store.stored_at(head.plus(1)).await.unwrap(), None);
}

#[tokio::test]
async fn opening_goes_on_where_a_killed_process_began() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("store.new/keyspaces/7")).unwrap();
    std::fs::write(dir.path().join("store.new/0.jnl"), [0; 100]).unwrap();
    commit(&open(dir.path()), 0..3).await;
    assert_eq!(open(dir.path()).head().offset, 3);
}

#[tokio::test]
async fn settling_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, 0..20).await;
    store.settle().unwrap();
    commit(&store, 20..25).await;
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.head().offset, 25);
    assert_eq!(store.read(store.tail(), 100, usize::MAX).await.unwrap().len(), 25);
}

/// The bytes of all journals of a store.
fn journal_bytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir.join("store")).unwrap().map(|entry| entry.unwrap());
    let journals = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "jnl"));
    journals.map(|entry| entry.metadata().unwrap().len()).sum()
}

#[tokio::test]
async fn closing_leaves_nothing_to_replay_and_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let store = open(dir.path());
        assert_eq!(store.head().offset, round * 20);
        commit(&store, round * 20..round * 20 + 20).await;
        store.close().unwrap();
        assert_eq!(journal_bytes(dir.path()), 0);
    }
    // What was committed after an empty journal is replayed from it.
    commit(&open(dir.path()), 60..65).await;
    assert!(journal_bytes(dir.path()) > 0);
    let store = open(dir.path());
    assert_eq!(store.head().offset, 65);
    assert_eq!(store.read(store.tail(), 100, usize::MAX).await.unwrap().len(), 65);
}

#[tokio::test]
async fn closing_one_clone_leaves_the_other_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    commit(&store, 0..5).await;
    store.clone().close().unwrap();
    commit(&store, 5..10).await;
    drop(store);
    assert_eq!(open(dir.path()).head().offset, 10);
}
