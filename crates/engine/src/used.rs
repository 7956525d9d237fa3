//! When keys and webhooks were last used: noted in memory, and stored now and then for all of them at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings_core::id::{HookId, KeyId, TenantId};
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::time::Timestamp;
use tokio::sync::Mutex;
use tracing::warn;

use crate::engine::Engine;
use crate::records::{RecordChanges, Shelved, WriteFault};

/// How long a use may wait to be stored: what a crash forgets at most.
const SAVE_EVERY: Duration = Duration::from_secs(60);
/// Uses closer to one another are one, so that who asks very often is mostly only read.
const GRAIN_MILLIS: i64 = 1_000;

/// The time of a mark that stands for no use.
const NEVER: i64 = 0;

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    Key(KeyId),
    Hook(HookId),
}

impl Used {
    /// What a record is named by.
    fn read(name: &str) -> Option<Self> {
        name.parse().map(Self::Key).or_else(|_| name.parse().map(Self::Hook)).ok()
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => fmt::Display::fmt(id, f),
            Self::Hook(id) => fmt::Display::fmt(id, f),
        }
    }
}

/// When each was last used since the start. There is one of each key and webhook at most.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    marks: RwLock<HashMap<Used, Mark>>,
    saving: Mutex<()>,
}

#[derive(Debug)]
struct Mark {
    tenant: TenantId,
    /// In milliseconds, as a [`Timestamp`].
    at: AtomicI64,
    stored: AtomicI64,
}

/// What is stored of it.
#[derive(Debug, Serialize, Deserialize)]
struct LastUse {
    at: Timestamp,
}

impl Shelved for LastUse {
    const SHELF: Shelf = Shelf::LastUse;
}

impl Uses {
    /// Notes a use.
    pub fn note(&self, used: Used, tenant: &TenantId, now: Timestamp) {
        let now = now.as_millis();
        if let Some(mark) = self.marks.read().unwrap_or_else(PoisonError::into_inner).get(&used) {
            if now - mark.at.load(Ordering::Relaxed) >= GRAIN_MILLIS {
                mark.at.fetch_max(now, Ordering::Relaxed);
            }
            return;
        }
        let new = || Mark { tenant: tenant.clone(), at: AtomicI64::new(now), stored: AtomicI64::new(i64::MIN) };
        self.marks.write().unwrap_or_else(PoisonError::into_inner).entry(used).or_insert_with(new);
    }

    /// Has the next save take away what is stored of one that is gone, though nobody used it since the start.
    fn note_gone(&self, used: Used, tenant: &TenantId) {
        let never = || Mark { tenant: tenant.clone(), at: AtomicI64::new(NEVER), stored: AtomicI64::new(NEVER) };
        self.marks.write().unwrap_or_else(PoisonError::into_inner).entry(used).or_insert_with(never);
    }

    /// Those of a tenant.
    fn of(&self, tenant: &TenantId) -> Vec<(Used, Timestamp)> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let own = marks.iter().filter(|(_, mark)| mark.tenant == *tenant);
        let own = own.filter(|(_, mark)| mark.at.load(Ordering::Relaxed) != NEVER);
        own.map(|(used, mark)| (*used, Timestamp::from_millis(mark.at.load(Ordering::Relaxed)))).collect()
    }

    /// Those that are not stored yet, and those of what is gone.
    fn unsaved(&self, is_there: impl Fn(Used) -> bool) -> Vec<(Used, TenantId, i64)> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let at = |mark: &Mark| mark.at.load(Ordering::Relaxed);
        let is_new = |mark: &Mark| mark.stored.load(Ordering::Relaxed) != at(mark);
        let some = marks.iter().filter(|(used, mark)| is_new(mark) || !is_there(**used));
        some.map(|(used, mark)| (*used, mark.tenant.clone(), at(mark))).collect()
    }

    fn note_saved(&self, saved: &[(Used, TenantId, i64)], is_there: impl Fn(Used) -> bool) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        for (used, _, at) in saved {
            if let Some(mark) = marks.get(used) {
                mark.stored.store(*at, Ordering::Relaxed);
            }
            if !is_there(*used) {
                marks.remove(used);
            }
        }
    }
}

impl Engine {
    /// When the keys and the webhooks of a tenant were last used, by the texts of their ids; those that never
    /// were are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_uses(&self, tenant: &TenantId) -> Result<HashMap<String, Timestamp>, PortError> {
        let stored = self.load_all::<LastUse>(&Fence::Tenant(tenant.clone()), "", None, usize::MAX).await?;
        // A crash between a revocation and the next save leaves a row of what is gone: it is found here.
        for used in stored.iter().filter_map(|loaded| Used::read(loaded.key.name())) {
            self.note_if_gone(used, tenant);
        }
        let mut uses: HashMap<_, _> =
            stored.into_iter().map(|loaded| (loaded.key.name().to_owned(), loaded.value.at)).collect();
        // What was noted since the start is later than what was stored before.
        uses.extend(self.uses.of(tenant).into_iter().map(|(used, at)| (used.to_string(), at)));
        Ok(uses)
    }

    /// Notes that a key or a webhook is gone, so that its last use is not kept either.
    pub(crate) fn note_if_gone(&self, used: Used, tenant: &TenantId) {
        if !self.is_there(used) {
            self.uses.note_gone(used, tenant);
        }
    }

    fn is_there(&self, used: Used) -> bool {
        match used {
            Used::Key(id) => self.control.key_of(id).is_some(),
            Used::Hook(id) => self.control.hook(id).is_some(),
        }
    }

    /// Stores what was noted, all of it in one commit that no reader of any log sees; how many.
    ///
    /// # Errors
    /// When the store cannot be read or written; what was noted is still noted then.
    pub async fn save_uses(&self) -> Result<usize, PortError> {
        let _alone = self.uses.saving.lock().await;
        let is_there = |used| self.is_there(used);
        let tenants = self.control.closed();
        let (closed, unsaved): (Vec<_>, Vec<_>) =
            self.uses.unsaved(is_there).into_iter().partition(|(_, tenant, _)| tenants.contains(tenant));
        // Of a tenant that is closed nothing is stored any more.
        self.uses.note_saved(&closed, |_| false);
        let mut changes = RecordChanges::default();
        for (used, tenant, at) in &unsaved {
            let key = RecordKey::new(Fence::Tenant(tenant.clone()), Shelf::LastUse, used.to_string());
            let at = Timestamp::from_millis(*at);
            changes = match (self.load::<LastUse>(key.clone()).await?, is_there(*used)) {
                (Some(stored), true) => changes.replace(&stored, &LastUse { at }),
                (Some(stored), false) => changes.remove(&stored),
                (None, true) => changes.create(key, &LastUse { at }, None),
                (None, false) => changes,
            };
        }
        if unsaved.is_empty() {
            return Ok(0);
        }
        match self.write_records(None, changes, None).await {
            Ok(()) => self.uses.note_saved(&unsaved, is_there),
            // Their tenant is being erased.
            Err(WriteFault::Conflict) => return Ok(0),
            Err(WriteFault::Store(fault)) => return Err(fault),
        }
        Ok(unsaved.len())
    }
}

/// Stores uses every while, as long as there is an engine.
pub(crate) async fn save_uses(engine: Weak<Engine>) {
    loop {
        tokio::time::sleep(SAVE_EVERY).await;
        let Some(engine) = engine.upgrade() else { return };
        if let Err(fault) = engine.save_uses().await {
            warn!("when keys were last used is not stored: {fault}");
        }
    }
}
