//! The reference passes the suites that it is the reference of.

use std::sync::Arc;

use tidings_testkit::{MemoryStore, contract};

#[tokio::test]
async fn memory() {
    contract::storage(&|| Arc::new(MemoryStore::new())).await;
    let store: Arc<dyn contract::Storage> = Arc::new(MemoryStore::new());
    contract::survives(&|| Arc::clone(&store)).await;
}
