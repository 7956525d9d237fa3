//! How many streams users and tenants have open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tidings_core::id::{TenantId, UserId};
use tidings_core::principal::Principal;
use tidings_engine::Engine;

use crate::error::{self, ApiError};

/// Open streams by user and by tenant.
#[derive(Debug)]
pub(crate) struct StreamQuota {
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    users: HashMap<(TenantId, UserId), usize>,
    tenants: HashMap<TenantId, u64>,
}

/// One open stream; it is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream {
    quota: Arc<StreamQuota>,
    user: (TenantId, UserId),
}

impl StreamQuota {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, open: Mutex::default() }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many a tenant has open.
    pub(crate) fn of_tenant(&self, tenant: &TenantId) -> u64 {
        self.open.lock().expect("no holder panics").tenants.get(tenant).copied().unwrap_or_default()
    }

    /// Counts one more stream of a user.
    ///
    /// # Errors
    /// When the user, or the tenant, has as many as allowed.
    pub(crate) fn open(self: &Arc<Self>, engine: &Engine, principal: &Principal) -> Result<OpenStream, ApiError> {
        let user = (principal.tenant.clone(), principal.user);
        let mut open = self.open.lock().expect("no holder panics");
        let count = open.users.get(&user).copied().unwrap_or_default();
        if count >= self.limit {
            let detail = format!("a user has at most {} streams open; close one first", self.limit);
            return Err(ApiError::new(&error::QUOTA_REACHED).detail(detail).retry_after(30));
        }
        engine.may_stream(&user.0, open.tenants.get(&user.0).copied().unwrap_or_default())?;
        *open.users.entry(user.clone()).or_default() += 1;
        *open.tenants.entry(user.0.clone()).or_default() += 1;
        Ok(OpenStream { quota: Arc::clone(self), user })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.quota.open.lock().expect("no holder panics");
        if let Some(count) = open.users.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.users.remove(&self.user);
            }
        }
        if let Some(count) = open.tenants.get_mut(&self.user.0) {
            *count -= 1;
            if *count == 0 {
                open.tenants.remove(&self.user.0);
            }
        }
    }
}
