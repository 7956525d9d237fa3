//! What every request needs: the engine, and what is kept between requests.

use std::sync::Arc;
use std::time::Duration;

use tidings_engine::Engine;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use crate::cors::CorsOrigin;
use crate::frames::Simplified;
use crate::limits::{Limits, RateLimits};
use crate::origin::Network;
use crate::pages::PageSigner;
use crate::quota::StreamQuota;

/// What may be set.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long the head of a connection's first request may take; default 10 s.
    pub header_timeout: Duration,
    /// How long a kept connection may wait for its next request, head included; default 75 s, above
    /// the 60 s for which proxies commonly keep theirs.
    pub idle_timeout: Duration,
    /// How long a body may take, besides a second for every 64 KiB of it; default 30 s.
    pub body_timeout: Duration,
    /// How long a socket may take to say who it is; default 5 s.
    pub auth_timeout: Duration,
    /// How often an open stream is spoken to; default 25 s.
    pub ping_every: Duration,
    /// How long open requests and streams may take to end; default 5 s.
    pub drain: Duration,
    /// Bytes of frames kept for one socket that reads slowly; default 64 KiB.
    pub socket_queue_bytes: usize,
    /// Bytes of bodies in work at once, over all requests; default 256 MiB.
    pub body_bytes_in_work: usize,
    /// Open streams of one user; default 1,000.
    pub streams_per_user: usize,
    /// Peers whose `Forwarded` and `X-Forwarded-…` are believed; default none.
    pub trusted_proxies: Vec<Network>,
    /// Sites whose pages may call the API with a key; default none.
    pub cors_origins: Vec<CorsOrigin>,
    /// How often the files of TLS are looked at; default 5 s.
    pub tls_look_every: Duration,
    /// How much anyone may do in how long; the defaults stop runaway clients and guessers only.
    pub rates: RateLimits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            auth_timeout: Duration::from_secs(5),
            ping_every: Duration::from_secs(25),
            drain: Duration::from_secs(5),
            socket_queue_bytes: 64 << 10,
            body_bytes_in_work: 256 << 20,
            streams_per_user: 1_000,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            tls_look_every: Duration::from_secs(5),
            rates: RateLimits::default(),
        }
    }
}

/// The state of the HTTP interface; clones share it.
#[derive(Debug, Clone)]
pub struct App(Arc<Shared>);

/// What clones of an [`App`] share; nothing of it is for other crates.
#[derive(Debug)]
pub struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) options: Options,
    pub(crate) pages: PageSigner,
    pub(crate) streams: Arc<StreamQuota>,
    pub(crate) limits: Limits,
    /// Permits of 4 KiB.
    pub(crate) body_budget: Arc<Semaphore>,
    pub(crate) simplified: Simplified,
    /// True once the server is to stop.
    pub(crate) draining: watch::Sender<bool>,
    /// Open sockets, which a graceful stop of the server does not wait for.
    pub(crate) sockets: TaskTracker,
}

impl App {
    /// The interface to an engine.
    pub fn new(engine: Arc<Engine>, options: Options) -> Self {
        let mut secret = [0; 32];
        engine.randomness().fill(&mut secret);
        Self(Arc::new(Shared {
            pages: PageSigner::new(&secret),
            streams: Arc::new(StreamQuota::new(options.streams_per_user)),
            limits: Limits::new(&options.rates),
            body_budget: Arc::new(Semaphore::new(options.body_bytes_in_work / crate::body::BUDGET_UNIT)),
            simplified: Simplified::default(),
            draining: watch::Sender::new(false),
            sockets: TaskTracker::new(),
            engine,
            options,
        }))
    }

    /// Tells open streams that the server stops; `/readyz` answers 503 from now on.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Bytes nobody can guess, as lower-case hexadecimal.
    pub(crate) fn random_hex<const BYTES: usize>(&self) -> String {
        let mut bytes = [0; BYTES];
        self.engine.randomness().fill(&mut bytes);
        let digit = |value: u8| char::from_digit(u32::from(value), 16).expect("four bits are one digit");
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
