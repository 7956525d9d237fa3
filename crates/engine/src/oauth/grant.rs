//! What one consent has given a client, and what that is worth now.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings_core::id::{ClientId, GrantId, TenantId, UserId};
use tidings_core::permission::Permissions;
use tidings_core::port::{PortError, RecordKey, Shelf};
use tidings_core::principal::{Credential, Principal};
use tidings_core::time::Timestamp;

use super::client::{ClientRecord, bounded, client_key};
use super::scopes::Scopes;
use crate::audit::Change;
use crate::engine::Engine;
use crate::records::{Loaded, RecordChanges, Shelved, WriteFault};

/// A grant as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    pub client: ClientId,
    pub tenant: TenantId,
    /// In whose name: a person's, or the client's own.
    pub user: UserId,
    /// How many times the person had signed out everywhere; none for a client's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_outs: Option<u64>,
    pub scopes: Scopes,
    /// When the person showed who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<Timestamp>,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
}

/// What is known of the refresh tokens of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refresh {
    /// The hash of what all of them have in common: it tells one that was used from a guess.
    pub family: String,
    /// The hash of the one that is good.
    pub current: String,
    /// How many there were before.
    pub used: u64,
}

impl Shelved for GrantRecord {
    const SHELF: Shelf = Shelf::Grant;
}

pub(crate) fn grant_key(id: GrantId) -> RecordKey {
    RecordKey::of_server(Shelf::Grant, id.to_string())
}

/// What a client's tokens can be worth now in the name of this one: a program is told what it may do, and not
/// what it asked for.
pub(super) fn worth(client: &ClientRecord, principal: &Principal) -> Scopes {
    client.scopes.both(Scopes::of(principal.permissions))
}

impl Engine {
    /// The one in whose name a client asks, as far as its grant goes now.
    pub(crate) async fn principal_of_grant(
        &self,
        id: GrantId,
        expires: Timestamp,
    ) -> Result<Option<Principal>, PortError> {
        if expires <= self.ports.clock.now() {
            return Ok(None);
        }
        let Some(grant) = self.load_known::<GrantRecord>(grant_key(id)).await? else { return Ok(None) };
        let grant = &grant.value;
        let client = self.load_known::<ClientRecord>(client_key(&grant.tenant, grant.client)).await?;
        let Some(client) = client else { return Ok(None) };
        let scopes = bounded(grant.scopes, &client.value);
        let credential = Credential::Token { grant: id, expires };
        let principal = match (grant.sign_outs, &client.value.role) {
            (Some(sign_outs), _) => {
                let opened = (sign_outs, grant.created);
                self.principal_of_member(grant.user, &grant.tenant, opened, credential).await?
            }
            (None, Some(role)) if grant.user == client.value.user => {
                Some(self.principal_of_service(&grant.tenant, (grant.user, grant.user.to_string()), role, credential))
            }
            (None, _) => None,
        };
        Ok(principal.map(|principal| principal.narrowed_to(scopes)))
    }

    /// A grant that still lets its client in.
    pub(super) async fn standing_grant(&self, id: GrantId) -> Result<Option<Loaded<GrantRecord>>, PortError> {
        let until = self.ports.clock.now().plus_millis(1);
        if self.principal_of_grant(id, until).await?.is_none() {
            return Ok(None);
        }
        self.load(grant_key(id)).await
    }

    /// Ends a grant with every token of it; nothing where there is none.
    pub(super) async fn end_grant(&self, id: GrantId, action: &'static str) -> Result<(), PortError> {
        // Its client may be asking meanwhile; it ends all the same.
        for _ in 0..3 {
            let Some(grant) = self.load::<GrantRecord>(grant_key(id)).await? else { return Ok(()) };
            let said = json!({ "client": grant.value.client, "user": grant.value.user, "scopes": grant.value.scopes });
            let (target, tenant) = (id.to_string(), &grant.value.tenant);
            let audited = Change { action, target, tenant, before: Some(said), after: None };
            match self.write_records(None, RecordChanges::default().remove(&grant), Some(audited)).await {
                Ok(()) => return Ok(()),
                Err(WriteFault::Conflict) => {}
                Err(WriteFault::Store(fault)) => return Err(fault),
            }
        }
        Err(PortError::later("end a grant", "it keeps changing"))
    }
}

/// The permissions among the words of a token's scope.
pub(crate) fn permissions_of(scopes: &[String]) -> Permissions {
    scopes.iter().filter_map(|word| word.parse().ok()).collect()
}
