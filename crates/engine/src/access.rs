//! Who is asking: from a key to a principal, as long as the key and its role stand.

mod keys;
mod tenant_roles;

use std::sync::Arc;
use std::time::Duration;

use tidings_core::id::TenantId;
use tidings_core::permission::{Permission, Permissions};
use tidings_core::port::KeyRecord;
use tidings_core::principal::{Authority, Principal};
use tidings_core::time::Timestamp;

use crate::control::Control;
use crate::engine::Engine;

pub use keys::{NewKey, SecretKey};
pub use tenant_roles::{RoleDraft, RoleView};

impl Engine {
    /// The principal behind a key (`tk_…`), if it is one of ours and has not expired.
    pub fn authenticate(&self, key: &str) -> Option<Principal> {
        let record = self.control.key(&keys::hash(key))?;
        principal(&record, &self.control, self.ports.clock.now())
    }

    /// True as long as the principal's key is neither revoked nor expired, and its role lets it do and
    /// see what it did.
    pub fn is_valid(&self, principal: &Principal) -> bool {
        stands(principal, &self.control, self.ports.clock.now())
    }

    /// Returns once the principal's key is revoked or expired, or its role has changed.
    pub fn until_invalid(&self, principal: &Principal) -> impl Future<Output = ()> + Send + use<> {
        let (control, clock, principal) = (Arc::clone(&self.control), Arc::clone(&self.ports.clock), principal.clone());
        async move {
            let mut rights = control.rights();
            loop {
                let now = clock.now();
                if !stands(&principal, &control, now) {
                    return;
                }
                let expires = control.key_of(principal.key).and_then(|key| key.expires);
                let left = expires.map_or(LOOK_AGAIN, |at| millis(at.millis_since(now)).min(LOOK_AGAIN));
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    changed = rights.changed() => {
                        if changed.is_err() {
                            std::future::pending::<()>().await;
                        }
                    }
                }
            }
        }
    }
}

/// How long one waits for a key to expire before looking at the clock again.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// At least a millisecond, so that a wait always ends after its instant.
fn millis(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or_default().max(1))
}

fn stands(before: &Principal, control: &Control, now: Timestamp) -> bool {
    let key = control.key_of(before.key);
    key.and_then(|key| principal(&key, control, now)).is_some_and(|principal| principal == *before)
}

/// Who a key stands for: its role as it is now, as far as the key's own scopes go. A key of a role that
/// is gone may do nothing.
fn principal(record: &KeyRecord, control: &Control, now: Timestamp) -> Option<Principal> {
    if record.expires.is_some_and(|expires| expires <= now) {
        return None;
    }
    let own = control.role(&record.tenant, &record.role);
    let permissions = match (record.role.built_in(), &own) {
        (Some(role), _) => role.permissions(),
        (None, Some(role)) => role.record.permissions,
        (None, None) => Permissions::NONE,
    };
    let permissions = permissions.both(record.scopes.unwrap_or(Permissions::ALL));
    let is_operator = record.tenant == TenantId::default_tenant();
    let permissions = if is_operator { permissions } else { permissions.without(Permissions::OF_OPERATOR) };
    let public = TenantId::public();
    let reads = if record.tenant == public { Vec::new() } else { vec![public] };
    let namespace = record.user_name.clone().unwrap_or_else(|| record.user.to_string());
    Some(Principal {
        tenant: record.tenant.clone(),
        reads,
        user: record.user,
        key: record.id,
        role: record.role.clone(),
        permissions,
        sees_only: own.as_ref().and_then(|role| role.sees_only.clone()),
        authority: Authority {
            namespace: format!("own:{namespace}"),
            issuers: record.issuers.clone(),
            may_publish: permissions.hold(Permission::EventsWrite),
            says_only: own.as_ref().and_then(|role| role.says_only.clone()),
        },
    })
}
