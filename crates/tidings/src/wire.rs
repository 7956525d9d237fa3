//! The only file that introduces adapters to the engine.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tidings_adapters::clock::{SystemClock, SystemRandomness};
use tidings_adapters::console::Console;
use tidings_adapters::fjall::{self, FjallStore};
use tidings_adapters::web::Https;
use tidings_adapters::{gazetteer, tantivy};
use tidings_core::port::Clock;
use tidings_engine::{Engine, Options, Ports, Running};

/// An engine over a data directory, and what must be closed after it.
pub struct Embedded {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Its tasks.
    pub running: Running,
    store: FjallStore,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

/// Opens a data directory with everything embedded.
///
/// # Errors
/// When the directory is in use, damaged or cannot be written.
pub async fn open(data: &Path, clock: Option<Arc<dyn Clock>>, storage: fjall::Options) -> anyhow::Result<Embedded> {
    let dir = data.to_owned();
    let opening = tokio::task::spawn_blocking(move || FjallStore::open(&dir, storage));
    let store = opening.await.context("open the data directory")??;
    let shared = Arc::new(store.clone());
    let view = Arc::new(tantivy::open(&data.join("search"), shared.clone()).context("open the search index")?);
    let ports = Ports {
        clock: clock.unwrap_or_else(|| Arc::new(SystemClock)),
        randomness: Arc::new(SystemRandomness::default()),
        gazetteer: gazetteer::open(),
        ledger: shared.clone(),
        rows: shared.clone(),
        log: shared.clone(),
        events: shared.clone(),
        control: shared.clone(),
        audit: shared.clone(),
        records: shared.clone(),
        mail: Arc::new(Console),
        web: Arc::new(Https::open()?),
        deliveries: shared.clone(),
        tenants: shared.clone(),
        dead_letters: shared,
        projection: view.clone(),
        query: view,
    };
    let (engine, running) = Engine::start(ports, Options::default()).await.context("start the engine")?;
    Ok(Embedded { engine, running, store })
}

impl Embedded {
    /// Stops the tasks and leaves the directory so that the next open has nothing to replay.
    pub async fn close(self) {
        let Self { engine, running, store } = self;
        running.close(engine).await;
        let closed = tokio::task::spawn_blocking(move || store.close()).await;
        if let Ok(Err(error)) = closed {
            tracing::warn!("the next start will take longer: {error}");
        }
    }
}
