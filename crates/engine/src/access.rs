//! Who is asking: from a credential to a principal, as long as it and the role behind it stand.

mod keys;
mod signature;
mod hooks;
mod service_accounts;
mod tenant_roles;
mod standing;
mod tenants;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use tidings_core::id::{KeyId, TenantId, UserId};
use tidings_core::permission::{Permission, Permissions, RoleName};
use tidings_core::port::{KeyRecord, PortError};
use tidings_core::principal::{Authority, Credential, Issuers, Principal};
use tidings_core::time::Timestamp;
use tracing::warn;

use crate::control::Control;
use crate::engine::Engine;
use crate::used::Used;

pub use hooks::{Admitted, NewHook};
pub use keys::{NewKey, SecretKey};
pub use service_accounts::NewServiceAccount;
pub use signature::Claim;
pub(crate) use standing::Standing;
pub use tenant_roles::{RoleDraft, RoleView};
pub use tenants::{Closed, TenantDraft, TenantView};
pub use trust::{Speaker, Trust, TrustedIssuer, TrustedTenant};

impl Engine {
    /// The principal behind a key (`tk_…`), if it is one of ours and has not expired.
    pub fn authenticate(&self, key: &str) -> Option<Principal> {
        let (record, now) = (self.control.key(&keys::hash(key))?, self.ports.clock.now());
        let principal = principal(&record, &self.control, now)?;
        self.uses.note(Used::Key(record.id), &record.tenant, now);
        Some(principal)
    }

    /// The principal behind a key that stands.
    pub(crate) fn principal_of_key(&self, key: KeyId) -> Option<Principal> {
        let record = self.control.key_of(key)?;
        principal(&record, &self.control, self.ports.clock.now())
    }

    /// A person in a tenant, as what their role lets them.
    pub(crate) fn principal_with_role(
        &self,
        tenant: &TenantId,
        user: UserId,
        role: &RoleName,
        credential: Credential,
    ) -> Principal {
        let issuers = Issuers::of_role(role);
        let named = Named { tenant, user, credential, namespace: user.to_string() };
        principal_as(named, role, Permissions::ALL, issuers, &self.control)
    }

    /// A client or a service account that asks by a token. It speaks for nobody but itself, in the namespace of
    /// this name, whatever its role.
    pub(crate) fn principal_of_service(
        &self,
        tenant: &TenantId,
        (user, namespace): (UserId, String),
        role: &RoleName,
        credential: Credential,
    ) -> Principal {
        let named = Named { tenant, user, credential, namespace };
        principal_as(named, role, Permissions::ALL, Issuers::Only(Vec::new()), &self.control)
    }

    /// True as long as what the principal came by stands, and lets them do and see what it did.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn stands(&self, principal: &Principal) -> Result<bool, PortError> {
        let now = match principal.credential {
            Credential::Key(key) => self.principal_of_key(key),
            Credential::Session(session) => self.principal_in_session(session).await?,
            Credential::Token { grant, expires } => {
                let granted = self.principal_of_grant(grant, expires).await?;
                granted.map(|granted| granted.narrowed_to(principal.permissions))
            }
            Credential::Login { login, expires } => {
                let known = self.principal_by_login(&principal.tenant, login, expires).await?;
                known.map(|(known, _)| known.narrowed_to(principal.permissions))
            }
        };
        Ok(now.is_some_and(|now| now == *principal))
    }

    /// Returns once what the principal came by is revoked or has ended, or their rights have changed,
    /// or their tenant is suspended or closed.
    pub fn until_invalid(self: &Arc<Self>, principal: &Principal) -> impl Future<Output = ()> + Send + use<> {
        let (engine, principal) = (Arc::clone(self), principal.clone());
        async move {
            let (mut rights, mut records) = (engine.control.rights(), engine.known.cut());
            loop {
                match engine.stands(&principal).await {
                    Ok(true) if engine.control.is_open(&principal.tenant) => {}
                    Ok(_) => return,
                    // Who cannot be asked about keeps what they have: the store is looked at again soon.
                    Err(fault) => warn!("whether a stream's reader may go on is not known: {fault}"),
                }
                let expires = match principal.credential {
                    Credential::Key(key) => engine.control.key_of(key).and_then(|key| key.expires),
                    Credential::Token { expires, .. } | Credential::Login { expires, .. } => Some(expires),
                    Credential::Session(_) => None,
                };
                let now = engine.ports.clock.now();
                let left = expires.map_or(LOOK_AGAIN, |at| millis(at.millis_since(now)).min(LOOK_AGAIN));
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    _ = rights.changed() => {}
                    _ = records.changed() => {}
                }
            }
        }
    }
}

/// How long one waits for an end before looking at the clock again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// At least a millisecond, so that a wait always ends after its instant.
fn millis(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or_default().max(1))
}

/// Who a key stands for: its role as it is now, as far as the key's own scopes go.
fn principal(record: &KeyRecord, control: &Control, now: Timestamp) -> Option<Principal> {
    if record.expires.is_some_and(|expires| expires <= now) {
        return None;
    }
    if record.is_of_service && !control.service_account(record.user).is_some_and(|account| account.is_enabled) {
        return None;
    }
    let namespace = record.user_name.clone().unwrap_or_else(|| record.user.to_string());
    let credential = Credential::Key(record.id);
    let named = Named { tenant: &record.tenant, user: record.user, credential, namespace };
    let scopes = record.scopes.unwrap_or(Permissions::ALL);
    Some(principal_as(named, &record.role, scopes, record.issuers.clone(), control))
}

/// Someone, before it is said what they may do.
struct Named<'a> {
    tenant: &'a TenantId,
    user: UserId,
    credential: Credential,
    /// What their own namespace ends with.
    namespace: String,
}

/// Someone as what their role lets them, as far as `scopes` go. One of a role that is gone may do nothing.
fn principal_as(
    named: Named<'_>,
    role: &RoleName,
    scopes: Permissions,
    issuers: Issuers,
    control: &Control,
) -> Principal {
    let Named { tenant, user, credential, namespace } = named;
    let own = control.role(tenant, role);
    let permissions = control.permissions_of(tenant, role).unwrap_or(Permissions::NONE).both(scopes);
    let is_operator = *tenant == TenantId::default_tenant();
    let permissions = if is_operator { permissions } else { permissions.without(Permissions::OF_OPERATOR) };
    let reads = control.reads_of(tenant);
    Principal {
        tenant: tenant.clone(),
        reads,
        user,
        credential,
        role: role.clone(),
        permissions,
        sees_only: own.as_ref().and_then(|role| role.sees_only.clone()),
        authority: Authority {
            namespace: format!("own:{namespace}"),
            issuers,
            may_publish: permissions.hold(Permission::EventsWrite),
            says_only: own.as_ref().and_then(|role| role.says_only.clone()),
        },
    }
}
