//! How many streams a user has open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tidings_core::id::{TenantId, UserId};
use tidings_core::principal::Principal;

use crate::error::{self, ApiError};

/// Open streams by user.
#[derive(Debug)]
pub(crate) struct StreamQuota {
    limit: usize,
    open: Mutex<HashMap<(TenantId, UserId), usize>>,
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

    /// Counts one more stream of a user.
    ///
    /// # Errors
    /// When the user has as many as allowed.
    pub(crate) fn open(self: &Arc<Self>, principal: &Principal) -> Result<OpenStream, ApiError> {
        let user = (principal.tenant.clone(), principal.user);
        let mut open = self.open.lock().expect("no holder panics");
        let count = open.entry(user.clone()).or_default();
        if *count >= self.limit {
            let detail = format!("a user has at most {} streams open; close one first", self.limit);
            return Err(ApiError::new(&error::QUOTA_REACHED).detail(detail).retry_after(30));
        }
        *count += 1;
        Ok(OpenStream { quota: Arc::clone(self), user })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.quota.open.lock().expect("no holder panics");
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}
