//! Every adapter passes the suite of its ports.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use tidings_adapters::fjall::{FjallStore, Options};
use tidings_testkit::contract;

/// With the epoch of stores in memory, which the suite compares with.
fn like_memory() -> Options {
    Options { epoch: NonZeroU32::new(1), ..Options::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fjall_storage() {
    let dirs: Mutex<Vec<TempDir>> = Mutex::default();
    let fresh = || -> Arc<dyn contract::Storage> {
        let dir = tempfile::tempdir().unwrap();
        let store = FjallStore::open(dir.path(), like_memory()).unwrap();
        dirs.lock().unwrap().push(dir);
        Arc::new(store)
    };
    contract::storage(&fresh).await;
}

/// Without entries in memory every read of the log goes to the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fjall_storage_without_recent_entries() {
    let dirs: Mutex<Vec<TempDir>> = Mutex::default();
    let fresh = || -> Arc<dyn contract::Storage> {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { recent_bytes: 0, ..like_memory() };
        let store = FjallStore::open(dir.path(), options).unwrap();
        dirs.lock().unwrap().push(dir);
        Arc::new(store)
    };
    contract::storage(&fresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fjall_survives_closing() {
    let dir = tempfile::tempdir().unwrap();
    contract::survives(&|| Arc::new(FjallStore::open(dir.path(), Options::default()).unwrap())).await;
}
