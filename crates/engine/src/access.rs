//! Keys, and who stands behind them.

use std::sync::Arc;

use tidings_core::id::{KeyId, TenantId, UserId};
use tidings_core::port::{ControlChange, ControlRecord, KeyRecord, PortError};
use tidings_core::principal::{Authority, Issuers, Permission, Principal, Role, UserName};
use tidings_core::resolve::Submission;

use crate::engine::Engine;

/// What a key is to be.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose data it opens.
    pub tenant: TenantId,
    /// Whose subscriptions and inbox it uses; a user of its own when `None`.
    pub user_name: Option<UserName>,
    /// What it may do.
    pub role: Role,
    /// For whom it may speak, besides its own namespace; the role's default when `None`.
    pub issuers: Option<Issuers>,
}

/// A key as its holder writes it; shown once, never logged.
#[derive(Clone)]
pub struct SecretKey(String);

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
        let record = self.control.key(&hash(key))?;
        Some(principal(&record))
    }

    /// True before the first key is made.
    pub fn has_no_key(&self) -> bool {
        self.control.has_no_key()
    }

    /// Makes a key; it works once this returns.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn create_key(&self, new: NewKey) -> Result<(KeyRecord, SecretKey), PortError> {
        let mut secret = [0; 32];
        self.ports.randomness.fill(&mut secret);
        let secret = SecretKey(format!("tk_{}", hex(&secret)));
        let user = match &new.user_name {
            // The same name in the same tenant is the same user, with every key made for it.
            Some(name) => UserId::derived(&[new.tenant.as_str().as_bytes(), name.as_str().as_bytes()]),
            None => UserId::from_bytes(self.draw_id()),
        };
        let default_issuers = if new.role == Role::Admin { Issuers::All } else { Issuers::Only(Vec::new()) };
        let record = KeyRecord {
            id: KeyId::from_bytes(self.draw_id()),
            hash: hash(secret.reveal()),
            tenant: new.tenant,
            user,
            user_name: new.user_name.map(|name| name.as_str().to_owned()),
            role: new.role,
            issuers: new.issuers.unwrap_or(default_issuers),
            created: self.ports.clock.now(),
        };
        let change = ControlChange::Key(Box::new(record.clone()));
        self.owner.append(vec![Submission::Control(Box::new(change), record.tenant.clone())]).await?;
        Ok((record, secret))
    }
}

impl Engine {
    /// Revokes a key for good: it opens nothing any more, and streams opened with it end. `None`
    /// when the principal's tenant has no such key; the operator's tenant reaches every key.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn revoke_key(&self, principal: &Principal, id: KeyId) -> Result<Option<()>, PortError> {
        let is_operator = principal.tenant == TenantId::default_tenant();
        let found = self.control.key_of(id).filter(|key| is_operator || key.tenant == principal.tenant);
        let Some(key) = found else { return Ok(None) };
        let (tenant, at) = (key.tenant.clone(), self.ports.clock.now());
        let change = ControlChange::KeyRevoked(ControlRecord { id, tenant: tenant.clone(), owner: key.user, at });
        self.owner.append(vec![Submission::Control(Box::new(change), tenant)]).await?;
        Ok(Some(()))
    }

    /// The keys of the principal's tenant, oldest first.
    pub fn keys(&self, principal: &Principal) -> Vec<Arc<KeyRecord>> {
        self.control.keys_of(&principal.tenant)
    }

    /// True as long as the principal's key is not revoked.
    pub fn is_valid(&self, principal: &Principal) -> bool {
        self.control.key_of(principal.key).is_some()
    }

    /// Returns once the principal's key is revoked.
    pub fn until_revoked(&self, principal: &Principal) -> impl Future<Output = ()> + Send + use<> {
        let (control, key) = (Arc::clone(&self.control), principal.key);
        async move {
            let mut revoked = control.revoked();
            while control.key_of(key).is_some() {
                if revoked.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

fn principal(record: &KeyRecord) -> Principal {
    let public = TenantId::public();
    let reads = if record.tenant == public { Vec::new() } else { vec![public] };
    let namespace = record.user_name.clone().unwrap_or_else(|| record.user.to_string());
    Principal {
        tenant: record.tenant.clone(),
        reads,
        user: record.user,
        key: record.id,
        role: record.role,
        authority: Authority {
            namespace: format!("own:{namespace}"),
            issuers: record.issuers.clone(),
            may_publish: record.role.may(Permission::EventsWrite),
        },
    }
}

/// SHA-256 of a key. Keys hold 256 random bits, so a slow hash would add nothing.
fn hash(key: &str) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
