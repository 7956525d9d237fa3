//! Keys, and who stands behind them.

use tidings_core::id::TenantId;
use tidings_core::port::{KeyRecord, PortError};
use tidings_core::principal::{Issuers, Principal, Role};

use crate::Engine;

/// What a key is to be.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose data it opens.
    pub tenant: TenantId,
    /// Whose subscriptions and inbox it uses; a user of its own when `None`.
    pub user_name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// For whom it may speak, besides its own namespace; the role's default when `None`.
    pub issuers: Option<Issuers>,
}

/// A key as its holder writes it; shown once, never logged.
#[derive(Clone)]
pub struct SecretKey(pub(crate) String);

impl SecretKey {
    /// The key itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Engine {
    /// The principal behind a key (`tk_…`), if it is one of ours.
    pub fn authenticate(&self, key: &str) -> Option<Principal> {
        let _ = key;
        None
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn create_key(&self, new: NewKey) -> Result<(KeyRecord, SecretKey), PortError> {
        let _ = new;
        Err(PortError::never("create key", "not ready"))
    }
}
