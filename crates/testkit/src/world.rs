//! A whole engine over ports in memory, with a clock turned by hand.

use std::sync::Arc;

use bytes::Bytes;
use tidings_core::envelope::{Coordinate, Envelope};
use tidings_core::id::TenantId;
use tidings_core::permission::Role;
use tidings_core::port::{Clock, PortError};
use tidings_core::principal::Principal;
use tidings_core::rejection::Outcome;
use tidings_engine::{Engine, NewKey, Options, Ports, Running};

use crate::{HandClock, Mailbox, MemoryStore, MemoryView, SeededRandomness, SmallAtlas, SmallWeb};

/// An engine under test and what it stands on.
#[derive(Debug)]
pub struct World {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Its tasks.
    pub running: Running,
    /// Its clock.
    pub clock: Arc<HandClock>,
    /// Everything it stores.
    pub store: MemoryStore,
    /// The messages that it sent to people.
    pub mailbox: Mailbox,
    /// The servers that it asks.
    pub web: SmallWeb,
}

/// Ports over one store in memory.
pub fn ports(store: &MemoryStore, clock: &Arc<HandClock>, seed: u64) -> Ports {
    let store = Arc::new(store.clone());
    let view = Arc::new(MemoryView::new(store.clone()));
    Ports {
        clock: clock.clone(),
        randomness: Arc::new(SeededRandomness::new(seed)),
        gazetteer: Arc::new(SmallAtlas),
        ledger: store.clone(),
        rows: store.clone(),
        log: store.clone(),
        events: store.clone(),
        control: store.clone(),
        audit: store.clone(),
        records: store.clone(),
        mail: Arc::new(Mailbox::default()),
        web: Arc::new(SmallWeb::default()),
        deliveries: store.clone(),
        tenants: store.clone(),
        dead_letters: store,
        projection: view.clone(),
        query: view,
    }
}

impl World {
    /// A fresh one.
    pub async fn start() -> Self {
        Self::over(MemoryStore::new(), Arc::new(HandClock::default())).await
    }

    /// One over what another left behind.
    pub async fn over(store: MemoryStore, clock: Arc<HandClock>) -> Self {
        let mailbox = Mailbox::default();
        let web = SmallWeb::default();
        let ports = Ports { mail: Arc::new(mailbox.clone()), web: Arc::new(web.clone()), ..ports(&store, &clock, 7) };
        let (engine, running) = Engine::start(ports, Options::default()).await.expect("memory can be read");
        Self { engine, running, clock, store, mailbox, web }
    }

    /// A principal with a new key in the tenant `default`.
    pub async fn principal(&self, role: Role) -> Principal {
        self.principal_of(TenantId::default_tenant(), role).await
    }

    /// A principal with a new key.
    pub async fn principal_of(&self, tenant: TenantId, role: Role) -> Principal {
        let new = NewKey::of(tenant, role);
        let (_, secret) = self.engine.create_key(new).await.expect("memory takes it");
        self.engine.authenticate(secret.reveal()).expect("the key was just made")
    }

    /// Publishes one body as a principal and waits until it is decided.
    ///
    /// # Errors
    /// When nothing was stored.
    pub async fn publish(
        &self,
        principal: &Principal,
        media_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Vec<Outcome>, PortError> {
        let outcomes = self.send(principal, media_type, body).await?;
        self.engine.decided(self.engine.head()).await;
        Ok(outcomes)
    }

    /// Publishes one body as a principal and waits for nothing more.
    ///
    /// # Errors
    /// When nothing was stored.
    pub async fn send(
        &self,
        principal: &Principal,
        media_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Vec<Outcome>, PortError> {
        let envelope = self.envelope(principal, media_type, body);
        let mut outcomes = self.engine.publish(vec![envelope]).await?;
        Ok(outcomes.pop().unwrap_or_default())
    }

    /// One body as it comes in from a principal now.
    pub fn envelope(&self, principal: &Principal, media_type: &str, body: impl Into<Bytes>) -> Envelope {
        let mut drawn = [0; 8];
        self.engine.randomness().fill(&mut drawn);
        Envelope {
            bytes: body.into(),
            media_type: Some(media_type.to_owned()),
            headers: Vec::new(),
            source: "api".to_owned(),
            tenant: principal.tenant.clone(),
            authority: principal.authority.clone(),
            coordinate: Coordinate::Drawn(format!("{drawn:?}")),
            first_item: 0,
            received: self.clock.now(),
            correlation_id: "test".to_owned(),
        }
    }
}
