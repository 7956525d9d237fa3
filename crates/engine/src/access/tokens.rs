//! Who asks with an access token: the one in whose name it was given, as far as it goes.

use tidings_core::id::{GrantId, TenantId, UserId};
use tidings_core::permission::{Permissions, RoleName};
use tidings_core::port::PortError;
use tidings_core::principal::{Credential, Issuers, Principal};

use super::{Named, principal_as};
use crate::engine::Engine;
use crate::oauth::permissions_of;

/// What an API key begins with.
const KEY_PREFIX: &str = "tk_";

impl Engine {
    /// The principal behind what a caller shows as bearer: one of our keys, or an access token.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn authenticate_bearer(&self, shown: &str) -> Result<Option<Principal>, PortError> {
        if shown.starts_with(KEY_PREFIX) { Ok(self.authenticate(shown)) } else { self.principal_of_token(shown).await }
    }

    async fn principal_of_token(&self, text: &str) -> Result<Option<Principal>, PortError> {
        if text.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return Ok(None);
        }
        let keys = self.token_keys().await?;
        let now = self.ports.clock.now();
        let Ok(token) = self.tokens.verified.verify(text, &keys.verifying, &keys.access, now) else { return Ok(None) };
        let grant = token.grant.as_deref().and_then(|grant| grant.parse::<GrantId>().ok());
        let Some(grant) = grant else { return Ok(None) };
        let Some(principal) = self.principal_of_grant(grant, token.expires).await? else { return Ok(None) };
        Ok(Some(principal.narrowed_to(permissions_of(&token.scopes))))
    }

    /// A client that asks for itself. It speaks for nobody but itself, whatever its role.
    pub(crate) fn principal_of_service(
        &self,
        tenant: &TenantId,
        user: UserId,
        role: &RoleName,
        credential: Credential,
    ) -> Principal {
        let named = Named { tenant, user, credential, namespace: user.to_string() };
        principal_as(named, role, Permissions::ALL, Issuers::Only(Vec::new()), &self.control)
    }
}
