//! The engine: every port, and the tasks between them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tidings_core::envelope::{Envelope, Limits};
use tidings_core::id::TenantId;
use tidings_core::port::{
    AuditLog, Channel, Clock, ControlStore, DeadLetters, DeliveryStore, EventLog, EventQuery, EventStore, Gazetteer,
    Ledger, PortError, Projection, Randomness, RecordStore, TenantRows, ThreadRows, Web,
};
use tidings_core::position::Position;
use tidings_core::rejection::Outcome;
use tidings_core::time::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access;
use crate::audit::{Refusals, write_refusals};
use crate::control::Control;
use crate::erasure::Eraser;
use crate::expected::Turns;
use crate::inbox::InboxWatch;
use crate::metrics::Metrics;
use crate::notifier::{Decided, Notifier};
use crate::oauth::Tokens;
use crate::owner::{Owner, OwnerHandle};
use crate::projector::Projector;
use crate::quotas::UsageTable;
use crate::records::{KnownRecords, sweep};
use crate::roles::{Role, Roles};
use crate::sso::ApiProviders;
use crate::token::Issuers;
use crate::used::{Uses, save_uses};

/// What the engine reaches the world through.
#[derive(Clone)]
pub struct Ports {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub randomness: Arc<dyn Randomness>,
    /// Where things are.
    pub gazetteer: Arc<dyn Gazetteer>,
    /// The way into the system of record.
    pub ledger: Arc<dyn Ledger>,
    /// What the owner resolves by.
    pub rows: Arc<dyn ThreadRows + Send + Sync>,
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// Single reads.
    pub events: Arc<dyn EventStore>,
    /// Subscriptions and keys.
    pub control: Arc<dyn ControlStore>,
    /// Who changed what.
    pub audit: Arc<dyn AuditLog>,
    /// Accounts, sessions and what tokens hang on.
    pub records: Arc<dyn RecordStore>,
    /// How people who have an account are written to.
    pub mail: Arc<dyn Channel>,
    /// Other servers: providers of sign-ins, issuers of tokens.
    pub web: Arc<dyn Web>,
    /// Decisions and inboxes.
    pub deliveries: Arc<dyn DeliveryStore>,
    /// What is kept of a tenant as a whole.
    pub tenants: Arc<dyn TenantRows>,
    /// Dead letters.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// The read view's way in.
    pub projection: Arc<dyn Projection>,
    /// The read view's way out.
    pub query: Arc<dyn EventQuery>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// What may be set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How much is taken in at once.
    pub limits: Limits,
}

/// Everything that happens between the ports.
#[derive(Debug)]
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) options: Options,
    pub(crate) control: Arc<Control>,
    pub(crate) owner: OwnerHandle,
    pub(crate) inboxes: Arc<InboxWatch>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) roles: Arc<Roles>,
    /// Records as they were last read.
    pub(crate) known: Arc<KnownRecords>,
    /// When keys and webhooks were last used.
    pub(crate) uses: Uses,
    /// Those who were let in.
    pub(crate) standing: access::Standing,
    /// Where changes of who may do what wait for one another.
    pub(crate) turns: Turns,
    /// The keys of our tokens, and those that were verified.
    pub(crate) tokens: Tokens,
    pub(crate) started: Timestamp,
    pub(crate) refusals: Refusals,
    pub(crate) decided: watch::Receiver<Decided>,
    /// The providers whose access tokens are taken.
    pub(crate) api_providers: ApiProviders,
    /// The documents of other issuers.
    pub(crate) issuers: Issuers,
    public_url: OnceLock<String>,
    pub(crate) usage: Arc<UsageTable>,
}

/// The engine's tasks; dropping it without [`Running::stop`] leaves them to the runtime.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    roles: Arc<Roles>,
    readers: Vec<JoinHandle<()>>,
    owner: JoinHandle<()>,
}

impl Engine {
    /// Loads what governs judgments and starts owner, notifier and projector.
    ///
    /// # Errors
    /// When the stores cannot be read.
    pub async fn start(ports: Ports, options: Options) -> Result<(Arc<Self>, Running), PortError> {
        let start = Position::start(ports.log.head().epoch);
        let control = Arc::new(Control::load(&*ports.control, start).await?);
        // Whoever made a first Admin without a key is in it.
        control.begin(TenantId::default_tenant(), ports.clock.now());
        let usage = Arc::new(UsageTable::new(ports.tenants.usage().await?));
        let metrics = Arc::new(Metrics::new());
        let inboxes = Arc::new(InboxWatch::default());
        let roles = Roles::new();
        let known = Arc::new(KnownRecords::default());
        let (owner, queue) = OwnerHandle::new(roles.clone());
        let cursor = ports.deliveries.notifier_cursor().await?;
        let (decided_sender, decided) = watch::channel(Decided::from(&cursor));
        let (stop, stopped) = watch::channel(false);
        let owner_task = Owner {
            ledger: ports.ledger.clone(),
            rows: ports.rows.clone(),
            log: ports.log.clone(),
            control: control.clone(),
            audit: ports.audit.clone(),
            records: ports.records.clone(),
            known: known.clone(),
            chains: HashMap::new(),
            usage: usage.clone(),
            metrics: metrics.clone(),
            clock: ports.clock.clone(),
        };
        let notifier = Notifier {
            log: ports.log.clone(),
            events: ports.events.clone(),
            control_store: ports.control.clone(),
            deliveries: ports.deliveries.clone(),
            control: control.clone(),
            inboxes: inboxes.clone(),
            metrics: metrics.clone(),
            clock: ports.clock.clone(),
        };
        let projector = Projector {
            log: ports.log.clone(),
            view: ports.projection.clone(),
            metrics: metrics.clone(),
            roles: roles.clone(),
            clock: ports.clock.clone(),
        };
        let owner_running = roles.spawn(Role::Owner, owner_task.run(queue));
        let readers = vec![
            roles.spawn(Role::Notifier, notifier.run(decided_sender, stopped.clone())),
            roles.spawn(Role::Projector, projector.run(stopped.clone())),
        ];
        let mut running = Running { stop, roles: roles.clone(), readers, owner: owner_running };
        let started = ports.clock.now();
        let (refusals, refused) = Refusals::new();
        let public_url = OnceLock::new();
        let engine = Self {
            ports,
            options,
            control,
            owner,
            inboxes,
            metrics,
            roles,
            known,
            uses: Uses::default(),
            standing: access::Standing::default(),
            turns: Turns::default(),
            tokens: Tokens::default(),
            started,
            refusals,
            decided,
            api_providers: ApiProviders::default(),
            issuers: Issuers::default(),
            public_url,
            usage,
        };
        let engine = Arc::new(engine);
        // It ends with the last engine, whose end of the queue it reads from.
        tokio::spawn(write_refusals(Arc::downgrade(&engine), refused));
        tokio::spawn(sweep(Arc::downgrade(&engine)));
        tokio::spawn(save_uses(Arc::downgrade(&engine)));
        // It fails by waiting, so nobody needs to watch it.
        running.readers.push(tokio::spawn(engine.eraser().run(stopped)));
        Ok((engine, running))
    }

    fn eraser(self: &Arc<Self>) -> Eraser {
        Eraser {
            log: self.ports.log.clone(),
            rows: self.ports.tenants.clone(),
            view: self.ports.projection.clone(),
            control: self.control.clone(),
            owner: self.owner.clone(),
            people: Arc::downgrade(self),
            clock: self.ports.clock.clone(),
            decided: self.decided.clone(),
        }
    }

    /// Takes in a batch; one list of outcomes for each envelope, in order.
    ///
    /// # Errors
    /// Only when nothing at all was stored: `Retry::Later` when it may work again.
    pub async fn publish(&self, envelopes: Vec<Envelope>) -> Result<Vec<Vec<Outcome>>, PortError> {
        self.intake(&envelopes).await
    }

    /// Says under which address people reach this server, once, before anyone asks.
    pub fn set_public_url(&self, url: &str) {
        // The first address stays: links that were sent hold it.
        let _ = self.public_url.set(url.trim_end_matches('/').to_owned());
    }

    /// The address under which people reach this server, without a slash at its end.
    pub fn public_url(&self) -> &str {
        self.public_url.get().map_or("http://127.0.0.1:8080", String::as_str)
    }

    /// How much is taken in at once.
    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// What time it is.
    pub fn clock(&self) -> &dyn Clock {
        &*self.ports.clock
    }

    /// Where chance comes from.
    pub fn randomness(&self) -> &dyn Randomness {
        &*self.ports.randomness
    }

    /// Everything that is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The log's last position.
    pub fn head(&self) -> Position {
        self.ports.log.head()
    }

    /// Returns once everything up to a position is decided and stored, but for broad events and what waits
    /// for them.
    pub async fn decided(&self, position: Position) {
        let mut decided = self.decided.clone();
        // The sender lives as long as the notifier; when it is gone nothing more will be decided.
        let _ = decided.wait_for(|decided| decided.position >= position).await;
    }

    /// A UUID version 4 (RFC 9562): it does not tell when it was drawn.
    pub(crate) fn draw_timeless_id(&self) -> [u8; 16] {
        let mut random = [0; 16];
        self.ports.randomness.fill(&mut random);
        *uuid::Builder::from_random_bytes(random).into_uuid().as_bytes()
    }

    /// A UUID version 7 (RFC 9562) from the clock and the randomness port.
    pub(crate) fn draw_id(&self) -> [u8; 16] {
        let mut random = [0; 10];
        self.ports.randomness.fill(&mut random);
        let millis = u64::try_from(self.ports.clock.now().as_millis()).unwrap_or_default();
        *uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_bytes()
    }
}

impl Running {
    /// Stops the readers. The owner ends when the last [`Engine`] is dropped, having served what
    /// was waiting; what was accepted is durable either way.
    pub async fn stop(mut self) {
        self.stop_readers().await;
    }

    /// Stops the readers, and the owner too if this engine is the last: then nothing uses the stores
    /// any more.
    pub async fn close(mut self, engine: Arc<Engine>) {
        self.stop_readers().await;
        if let Err(fault) = engine.save_uses().await {
            tracing::warn!("when keys were last used is not stored: {fault}");
        }
        if Arc::into_inner(engine).is_some() {
            // As with the readers.
            let _ = self.owner.await;
        }
    }

    async fn stop_readers(&mut self) {
        self.roles.stop();
        self.stop.send_replace(true);
        for reader in self.readers.drain(..) {
            // A reader that panicked has nothing left to stop; its panic was reported already.
            let _ = reader.await;
        }
    }

    /// Returns once a task has ended by itself, with its role: its store failed for good, or it
    /// panicked. Nothing is taken in from then on; reads go on.
    pub async fn ended(&self) -> Role {
        self.roles.ended().await
    }
}
