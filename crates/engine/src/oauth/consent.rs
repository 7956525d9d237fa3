//! What people are asked about a client, and what they said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings_core::id::{ClientId, TenantId, UserId};
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::principal::Principal;
use tidings_core::time::Timestamp;

use super::authorize::{Request, Wrong};
use super::client::ClientRecord;
use super::parameters::Parameters;
use super::scopes::Scopes;
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::records::{RecordChanges, Shelved, WriteFault};

/// What a person has let a client do, in the client's tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ConsentRecord {
    /// By the registered address that the answer went to: what is let go to one is not let go to another
    /// that the client gets later.
    #[serde(default)]
    at: BTreeMap<String, Scopes>,
    given: Timestamp,
}

impl Shelved for ConsentRecord {
    const SHELF: Shelf = Shelf::Consent;
}

fn consent_key(tenant: &TenantId, client: ClientId, user: UserId) -> RecordKey {
    RecordKey::new(Fence::Tenant(tenant.clone()), Shelf::Consent, format!("{user}/{client}"))
}

impl ConsentRecord {
    /// What may be answered to the address of a request without a question.
    fn of(&self, request: &Request) -> Scopes {
        let address = request.client.address_of(&request.redirect_uri);
        address.and_then(|address| self.at.get(address)).copied().unwrap_or_default()
    }
}

/// What a person is asked.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentView {
    /// Who asks.
    pub client: ClientId,
    /// What it is called.
    pub name: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// In which tenant.
    pub tenant: TenantId,
    /// What it asks for.
    pub scopes: Vec<&'static str>,
}

impl Engine {
    /// What the page shows before the person answers a request; the reason where there is nothing to ask.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn consent_view(&self, parameters: &Parameters) -> Result<Result<ConsentView, &'static str>, PortError> {
        let request = match self.judge_request(parameters).await? {
            Ok(request) => request,
            Err(Wrong::Stop(why)) => return Ok(Err(why)),
            Err(Wrong::Back { detail, .. }) => return Ok(Err(detail)),
        };
        let Request { client, redirect_uri, scopes, .. } = request;
        let ClientRecord { id, name, tenant, .. } = client;
        Ok(Ok(ConsentView { client: id, name, redirect_uri, tenant, scopes: scopes.names().collect() }))
    }

    /// True where the person has let the client do all this before, and the answer go where it is to go.
    pub(super) async fn has_consent(&self, request: &Request, user: UserId) -> Result<bool, PortError> {
        let given = self.load::<ConsentRecord>(consent_key(&request.client.tenant, request.client.id, user)).await?;
        Ok(given.is_some_and(|given| request.scopes.are_within(given.value.of(request))))
    }

    pub(super) async fn keep_consent(
        &self,
        principal: Option<&Principal>,
        request: &Request,
        user: UserId,
    ) -> Result<(), PortError> {
        let (client, scopes) = (&request.client, request.scopes);
        let key = consent_key(&client.tenant, client.id, user);
        let given = self.ports.clock.now();
        let before = self.load::<ConsentRecord>(key.clone()).await?;
        let known = before.as_ref().map(|before| before.value.of(request)).unwrap_or_default();
        if before.is_some() && scopes.are_within(known) {
            return Ok(());
        }
        let mut at = before.as_ref().map(|before| before.value.at.clone()).unwrap_or_default();
        at.retain(|address, _| client.redirect_uris.contains(address));
        if let Some(address) = client.address_of(&request.redirect_uri) {
            at.insert(address.to_owned(), known.with(scopes));
        }
        let record = ConsentRecord { at, given };
        let changes = match &before {
            Some(before) => RecordChanges::default().replace(before, &record),
            None => RecordChanges::default().create(key, &record, None),
        };
        let audited = Change {
            action: "consent.give",
            target: client.id.to_string(),
            tenant: &client.tenant,
            before: before.map(|_| json!({ "scopes": known })),
            after: Some(json!({ "scopes": scopes, "redirect_uri": request.redirect_uri })),
        };
        match self.write_records(principal.map(Asker::from), changes, Some(audited)).await {
            // Another window said the same: the next request asks again if it did not.
            Ok(()) | Err(WriteFault::Conflict) => Ok(()),
            Err(WriteFault::Store(fault)) => Err(fault),
        }
    }
}
