//! What was revoked: single tokens, grants, users and keys, each for as long as a token it concerns
//! could still be taken.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use tidings_core::id::fingerprint;
use tidings_core::time::Timestamp;

use super::claims::Claims;
use super::profile::CLOCK_SKEW;

/// Something to revoke. Names count within their issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked<'a> {
    /// One token, by its `jti`.
    Token {
        /// Its `iss`.
        issuer: &'a str,
        /// Its `jti`.
        id: &'a str,
    },
    /// Every token of a grant, with all that came of its refresh tokens.
    Grant {
        /// Their `iss`.
        issuer: &'a str,
        /// Their `grant`.
        grant: &'a str,
    },
    /// Every token of a user that was issued until an instant, and in its second. A new sign-in
    /// issues tokens from the next second on.
    User {
        /// Their `iss`.
        issuer: &'a str,
        /// Their `sub`.
        subject: &'a str,
        /// The last `iat` that is refused.
        issued_until: Timestamp,
    },
    /// Every token signed with a key, by the thumbprint of the key; for good.
    Key {
        /// Its SHA-256 thumbprint (RFC 7638).
        thumbprint: &'a str,
    },
}

/// The set of what was revoked, and a count of its changes.
///
/// A cached token remembers the count at which it was found good. As long as the count is the same
/// a look at the cache costs one comparison; after a change each token is looked up once again. A
/// revocation therefore holds from the moment [`Revocations::revoke`] returns.
#[derive(Debug)]
pub struct Revocations {
    set: RwLock<Set>,
    epoch: AtomicU64,
    entries_max: usize,
    lifetime_max_ms: i64,
}

#[derive(Debug)]
struct Set {
    entries: HashMap<[u8; 16], Entry>,
    /// Tokens issued until then are refused, whosever they are.
    everyone_until: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    issued_until: Timestamp,
    forget_at: Timestamp,
}

/// What a token can be revoked by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    names: [Option<[u8; 16]>; 4],
    issued: Timestamp,
}

impl Marks {
    pub(super) fn of(claims: &Claims) -> Self {
        let issuer = claims.issuer.as_str();
        let token = claims.id.as_ref().map(|id| mark(&Revoked::Token { issuer, id }));
        let grant = claims.grant.as_ref().map(|grant| mark(&Revoked::Grant { issuer, grant }));
        let user = Revoked::User { issuer, subject: &claims.subject, issued_until: claims.issued };
        let key = Revoked::Key { thumbprint: &claims.key };
        Self { names: [token, grant, Some(mark(&user)), Some(mark(&key))], issued: claims.issued }
    }
}

fn mark(what: &Revoked<'_>) -> [u8; 16] {
    match what {
        Revoked::Token { issuer, id } => fingerprint(&[b"token", issuer.as_bytes(), id.as_bytes()]),
        Revoked::Grant { issuer, grant } => fingerprint(&[b"grant", issuer.as_bytes(), grant.as_bytes()]),
        Revoked::User { issuer, subject, .. } => fingerprint(&[b"user", issuer.as_bytes(), subject.as_bytes()]),
        Revoked::Key { thumbprint } => fingerprint(&[b"key", thumbprint.as_bytes()]),
    }
}

impl Revocations {
    /// An empty set. `lifetime_max` is that of the longest-lived token any profile takes. Should
    /// more than `entries_max` revocations be in force at once, every token issued until then (and
    /// for one clock skew after) is refused instead: people sign in again, and nothing revoked
    /// comes back.
    pub fn new(entries_max: usize, lifetime_max: Duration) -> Self {
        let set = RwLock::new(Set { entries: HashMap::new(), everyone_until: Timestamp::MIN });
        let lifetime_max_ms = i64::try_from(lifetime_max.as_millis()).unwrap_or(i64::MAX);
        Self { set, epoch: AtomicU64::new(0), entries_max, lifetime_max_ms }
    }

    /// Revokes; it holds once this returns. Doing it again changes nothing. After a restart the stored
    /// revocations are told again, each with the instant it was made at.
    pub fn revoke(&self, what: &Revoked<'_>, now: Timestamp) {
        let (issued_until, forget_at) = match what {
            Revoked::Token { .. } | Revoked::Grant { .. } => (Timestamp::MAX, self.forget_at(now)),
            // `iat` is in whole seconds, rounded down.
            Revoked::User { issued_until, .. } => (*issued_until, self.forget_at(now.max(*issued_until))),
            Revoked::Key { .. } => (Timestamp::MAX, Timestamp::MAX),
        };
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        if set.entries.len() >= self.entries_max {
            set.make_room(self.entries_max, now);
        }
        let entry = set.entries.entry(mark(what)).or_insert(Entry { issued_until, forget_at });
        entry.issued_until = entry.issued_until.max(issued_until);
        entry.forget_at = entry.forget_at.max(forget_at);
        drop(set);
        self.advance();
    }

    /// Drops what concerns no token any more; to be called now and then.
    pub fn forget_expired(&self, now: Timestamp) {
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        set.entries.retain(|_, entry| entry.forget_at > now);
    }

    /// How many revocations are in force.
    pub fn len(&self) -> usize {
        self.set.read().unwrap_or_else(PoisonError::into_inner).entries.len()
    }

    /// True when none is in force.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True where a verified token was revoked.
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        self.has(&Marks::of(claims))
    }

    pub(super) fn has(&self, marks: &Marks) -> bool {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        if marks.issued <= set.everyone_until {
            return true;
        }
        let entries = marks.names.iter().flatten().filter_map(|name| set.entries.get(name));
        entries.into_iter().any(|entry| marks.issued <= entry.issued_until)
    }

    /// How often the set changed. Read before a look at the set, it says which changes the look saw.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Makes every cached token look again; returns the new count.
    pub(super) fn advance(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The last instant at which a token can be taken that was issued at `instant` or, by a clock
    /// that is ahead, a little later.
    fn forget_at(&self, instant: Timestamp) -> Timestamp {
        instant.plus_millis(self.lifetime_max_ms.saturating_add(2 * CLOCK_SKEW.as_millis() as i64))
    }
}

impl Set {
    fn make_room(&mut self, entries_max: usize, now: Timestamp) {
        self.entries.retain(|_, entry| entry.forget_at > now);
        if self.entries.len() < entries_max {
            return;
        }
        let ends = self.entries.values().map(|entry| entry.issued_until).filter(|until| *until < Timestamp::MAX);
        let latest = ends.max().unwrap_or(now).max(now);
        self.everyone_until = self.everyone_until.max(latest.plus_millis(CLOCK_SKEW.as_millis() as i64));
        self.entries.retain(|_, entry| entry.forget_at == Timestamp::MAX);
    }
}
