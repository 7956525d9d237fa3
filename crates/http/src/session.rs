//! Sessions of the built-in page: a one-time ticket is swapped for a cookie.
//!
//! They live in memory, so a restart ends them; accounts and lasting sessions come with identity.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use tidings_core::principal::Principal;
use tidings_core::time::Timestamp;
use tidings_engine::Engine;

/// How long a ticket can be used.
const TICKET_MILLIS: i64 = 10 * 60 * 1_000;
/// How long a session lasts.
pub(crate) const SESSION_SECONDS: i64 = 12 * 60 * 60;
/// The cookie over plain HTTP.
pub(crate) const COOKIE_NAME: &str = "tidings_session";
/// The cookie over TLS; browsers hold it to this host.
pub(crate) const SECURE_COOKIE_NAME: &str = "__Host-tidings_session";
/// Sessions and tickets kept at once; the one that ends first goes first.
const KEPT_MAX: usize = 10_000;

/// Open tickets and sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    tickets: HashMap<String, Session>,
    sessions: HashMap<String, Session>,
}

/// How many there are: what they are found by are secrets.
impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tickets, sessions } = self;
        f.debug_struct("Kept").field("tickets", &tickets.len()).field("sessions", &sessions.len()).finish()
    }
}

#[derive(Debug, Clone)]
struct Session {
    principal: Principal,
    ends: Timestamp,
}

impl Sessions {
    /// A ticket that opens one session.
    pub(crate) fn ticket(&self, principal: Principal, engine: &Engine) -> String {
        let ends = engine.clock().now().plus_millis(TICKET_MILLIS);
        keep(&mut self.kept().tickets, Session { principal, ends }, engine)
    }

    /// Swaps a ticket for a session's secret.
    pub(crate) fn redeem(&self, ticket: &str, engine: &Engine) -> Option<String> {
        let now = engine.clock().now();
        let session = self.kept().tickets.remove(ticket).filter(|session| now < session.ends)?;
        engine.is_valid(&session.principal).then_some(())?;
        Some(self.open(session.principal, engine))
    }

    /// A session's secret.
    pub(crate) fn open(&self, principal: Principal, engine: &Engine) -> String {
        let ends = engine.clock().now().plus_millis(SESSION_SECONDS * 1_000);
        keep(&mut self.kept().sessions, Session { principal, ends }, engine)
    }

    /// Ends the session of a request.
    pub(crate) fn close(&self, headers: &HeaderMap) {
        for secret in secrets(headers) {
            self.kept().sessions.remove(secret);
        }
    }

    /// The principal of a request's cookie.
    pub(crate) fn principal(&self, headers: &HeaderMap, now: Timestamp) -> Option<Principal> {
        let kept = self.kept();
        let session = secrets(headers).find_map(|secret| kept.sessions.get(secret))?;
        (now < session.ends).then(|| session.principal.clone())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no holder panics")
    }
}

/// Keeps a session under a new secret of 256 bits.
fn keep(sessions: &mut HashMap<String, Session>, session: Session, engine: &Engine) -> String {
    let now = engine.clock().now();
    if sessions.len() >= KEPT_MAX {
        sessions.retain(|_, session| now < session.ends);
    }
    if sessions.len() >= KEPT_MAX {
        let first = sessions.iter().min_by_key(|(_, session)| session.ends).map(|(secret, _)| secret.clone());
        first.map(|secret| sessions.remove(&secret));
    }
    let mut bits = [0; 32];
    engine.randomness().fill(&mut bits);
    let secret: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
    sessions.insert(secret.clone(), session);
    secret
}

/// What the request's cookies say; the secrets have 256 bits, so a look-up by hash tells nothing.
fn secrets(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == COOKIE_NAME || name == SECURE_COOKIE_NAME).then_some(value)
    })
}
