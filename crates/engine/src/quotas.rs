//! What tenants have used, and what they may have.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tidings_core::id::TenantId;
use tidings_core::port::{LogEntry, LogRecord};
use tidings_core::tenant::{Quotas, TenantRates, Usage, end_of_day};
use tidings_core::time::Timestamp;

use crate::engine::Engine;

/// A quota that does not let something be done, with all that its holder needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{says}")]
pub struct OverQuota {
    /// Its name in a tenant's `quotas`.
    pub name: &'static str,
    /// What it allows.
    pub limit: u64,
    /// What is used of it.
    pub used: u64,
    /// When it frees by itself, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frees: Option<Timestamp>,
    /// How long that is from now.
    #[serde(skip)]
    pub wait: Option<Duration>,
    /// All of it in words, and whom to ask.
    #[serde(skip)]
    says: Box<str>,
}

/// What a tenant has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UsageView {
    /// Events taken in on this day of UTC.
    pub events_today: u64,
    /// Subscriptions of all its users.
    pub subscriptions: u64,
    /// Bytes of events and dead letters, as stored and as received.
    pub storage_bytes: u64,
}

/// What tenants have used: counted by the owner in each commit, read by everyone.
#[derive(Debug, Default)]
pub(crate) struct UsageTable(Mutex<HashMap<TenantId, Usage>>);

impl UsageTable {
    /// What the store holds.
    pub fn new(usage: Vec<(TenantId, Usage)>) -> Self {
        Self(Mutex::new(usage.into_iter().collect()))
    }

    /// What tenants have used once some entries are stored: of those that the entries are of.
    pub fn after(&self, entries: &[LogEntry], now: Timestamp) -> Vec<(TenantId, Usage)> {
        let mut changed: Vec<(TenantId, u64, u64)> = Vec::new();
        let mut places: HashMap<&TenantId, usize> = HashMap::new();
        for LogEntry { tenant, record, .. } in entries {
            let (events, bytes) = match record {
                LogRecord::Event { body, raw, .. } => (1, body.len() + raw.len()),
                LogRecord::Form { raw, .. } | LogRecord::DeadLetter { raw, .. } => (0, raw.len()),
                LogRecord::Control(_) => continue,
            };
            let place = *places.entry(tenant).or_insert_with(|| {
                changed.push((tenant.clone(), 0, 0));
                changed.len() - 1
            });
            changed[place].1 += events;
            changed[place].2 += bytes as u64;
        }
        let known = self.lock();
        let grown = changed.into_iter().map(|(tenant, events, bytes)| {
            let mut usage = known.get(&tenant).copied().unwrap_or_default();
            usage.add(now, events, bytes);
            (tenant, usage)
        });
        grown.collect()
    }

    /// Takes in what is stored now.
    pub fn extend(&self, usage: Vec<(TenantId, Usage)>) {
        if !usage.is_empty() {
            self.lock().extend(usage);
        }
    }

    /// Forgets a tenant that is erased.
    pub fn forget(&self, tenant: &TenantId) {
        self.lock().remove(tenant);
    }

    fn of(&self, tenant: &TenantId) -> Usage {
        self.lock().get(tenant).copied().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Usage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// How much a tenant may have.
    pub fn quotas(&self, tenant: &TenantId) -> Quotas {
        self.control.tenant(tenant).map(|record| record.quotas).unwrap_or_default()
    }

    /// How much a tenant may do in how long, with the revision that says so; nothing where that is what
    /// every tenant may.
    pub fn rates(&self, tenant: &TenantId) -> Option<(u32, TenantRates)> {
        let record = self.control.tenant(tenant)?;
        (!record.rates.is_empty()).then_some((record.revision, record.rates))
    }

    /// What a tenant has used.
    pub fn usage(&self, tenant: &TenantId) -> UsageView {
        let usage = self.usage.of(tenant);
        UsageView {
            events_today: usage.events_today(self.ports.clock.now()),
            subscriptions: self.control.subscriptions_of(tenant),
            storage_bytes: usage.storage_bytes,
        }
    }

    /// Refuses to take in events of a tenant that has none left for the day, or no room. A request is taken
    /// in whole or not at all, and those at work are not counted yet: the last ones may go beyond.
    ///
    /// # Errors
    /// [`OverQuota`].
    pub fn may_take_in(&self, tenant: &TenantId) -> Result<(), OverQuota> {
        let quotas = self.quotas(tenant);
        if quotas.events_per_day.is_none() && quotas.storage_bytes.is_none() {
            return Ok(());
        }
        let (usage, now) = (self.usage.of(tenant), self.ports.clock.now());
        let today = usage.events_today(now);
        if let Some(limit) = quotas.events_per_day.filter(|limit| today >= *limit) {
            return Err(self.over("events_per_day", "events of the day", limit, today, Some(end_of_day(now))));
        }
        match quotas.storage_bytes {
            Some(limit) if usage.storage_bytes >= limit => {
                Err(self.over("storage_bytes", "bytes", limit, usage.storage_bytes, None))
            }
            _ => Ok(()),
        }
    }

    /// Refuses one more subscription than a tenant may have.
    ///
    /// # Errors
    /// [`OverQuota`].
    pub fn may_subscribe(&self, tenant: &TenantId) -> Result<(), OverQuota> {
        let used = self.control.subscriptions_of(tenant);
        match self.quotas(tenant).subscriptions {
            Some(limit) if used >= limit => Err(self.over("subscriptions", "subscriptions", limit, used, None)),
            _ => Ok(()),
        }
    }

    /// Refuses one more stream than a tenant may have open, of which `used` are.
    ///
    /// # Errors
    /// [`OverQuota`].
    pub fn may_stream(&self, tenant: &TenantId, used: u64) -> Result<(), OverQuota> {
        match self.quotas(tenant).streams {
            Some(limit) if used >= limit => Err(self.over("streams", "open streams", limit, used, None)),
            _ => Ok(()),
        }
    }

    fn over(
        &self,
        name: &'static str,
        what: &'static str,
        limit: u64,
        used: u64,
        frees: Option<Timestamp>,
    ) -> OverQuota {
        let when = match (frees, name) {
            (Some(at), _) => format!("all of it is back at {at}"),
            (None, "storage_bytes") => "nothing frees it by itself".to_owned(),
            (None, _) => "close or delete one".to_owned(),
        };
        let left = |at: Timestamp| at.millis_since(self.ports.clock.now()).max(0).unsigned_abs();
        let wait = frees.map(|at| Duration::from_millis(left(at)));
        let operator = self.control.tenant(&TenantId::default_tenant());
        let contact = operator.and_then(|record| record.branding.contact.clone());
        let whom = contact.as_deref().unwrap_or("the operator of this server");
        let says = format!("the tenant has used {used} of {limit} {what}; {when}, or ask {whom} for more");
        OverQuota { name, limit, used, frees, wait, says: says.into() }
    }
}
