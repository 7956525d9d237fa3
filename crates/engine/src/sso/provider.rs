//! Providers that people may sign in with, as the operator sets them up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_core::id::TenantId;
use tidings_core::permission::RoleName;
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::foreign::ApiTokens;
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Expected;
use crate::identity::IdentityError;
use crate::records::{Loaded, RecordChanges, Shelved};
use crate::subscriptions::Fault;

/// Letters of a provider's name, at most.
const NAME_LETTERS_MAX: usize = 32;
/// Bytes of what a provider's access tokens name us by.
const AUDIENCE_BYTES_MAX: usize = 500;
/// Providers of a server.
const PROVIDERS_MAX: usize = 100;

/// How a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// OpenID Connect Core 1.0, found by discovery: Google, Keycloak, Entra, Okta and most others.
    Oidc,
    /// GitHub: OAuth 2 with addresses of its own for the user and their email addresses.
    Github,
}

/// A provider as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ProviderRecord {
    pub name: String,
    pub title: String,
    pub kind: ProviderKind,
    /// Of OpenID Connect the issuer; of GitHub its address, where it is not github.com.
    pub issuer: String,
    pub client_id: String,
    client_secret: String,
    /// Into which tenant it leads.
    pub tenant: TenantId,
    /// Hosts of email addresses that may come in by it.
    pub domains: Vec<String>,
    /// The claim whose values give roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_claim: Option<String>,
    /// Which value gives which role; of several the first in the order of roles here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<(String, RoleName)>,
    /// The role of one who comes in for the first time; without it only those come in who were invited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_role: Option<RoleName>,
    /// Which of its access tokens are taken; none without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiTokens>,
    pub created: Timestamp,
}

impl std::fmt::Debug for ProviderRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderRecord").field("name", &self.name).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Shelved for ProviderRecord {
    const SHELF: Shelf = Shelf::Provider;
}

impl ProviderRecord {
    pub fn client_secret(&self) -> Secret<String> {
        Secret::new(self.client_secret.clone())
    }

    /// True where an address of this host may come in.
    pub fn lets_in(&self, email: &str) -> bool {
        let host = email.rsplit('@').next().unwrap_or_default();
        self.domains.iter().any(|domain| domain == host)
    }
}

/// What a provider is to be.
#[derive(Debug)]
pub struct NewProvider {
    /// What people see on the button.
    pub title: String,
    /// How it speaks.
    pub kind: ProviderKind,
    /// See [`ProviderView::issuer`].
    pub issuer: String,
    /// What it knows us by.
    pub client_id: String,
    /// What we show it; the present one stays when `None`.
    pub client_secret: Option<Secret<String>>,
    /// Into which tenant it leads.
    pub tenant: TenantId,
    /// Hosts of email addresses that may come in by it.
    pub domains: Vec<String>,
    /// The claim whose values give roles.
    pub role_claim: Option<String>,
    /// Which value gives which role.
    pub roles: BTreeMap<String, RoleName>,
    /// The role of one who comes in for the first time.
    pub default_role: Option<RoleName>,
    /// Which of its access tokens are taken; none without.
    pub api: Option<ApiTokens>,
}

/// A provider as the operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct ProviderView {
    /// Its name in addresses.
    pub name: String,
    /// What people see on the button.
    pub title: String,
    /// How it speaks.
    pub kind: ProviderKind,
    /// Of OpenID Connect the issuer; of GitHub its address.
    pub issuer: String,
    /// What it knows us by.
    pub client_id: String,
    /// Into which tenant it leads.
    pub tenant: TenantId,
    /// Hosts of email addresses that may come in by it.
    pub domains: Vec<String>,
    /// The claim whose values give roles.
    pub role_claim: Option<String>,
    /// Which value gives which role.
    pub roles: BTreeMap<String, RoleName>,
    /// The role of one who comes in for the first time; without it only those come in who were invited.
    pub default_role: Option<RoleName>,
    /// Which of its access tokens are taken; none without.
    pub api: Option<ApiTokens>,
    /// The address that the provider must let us return to.
    pub redirect_uri: String,
    /// When it was made.
    pub created: Timestamp,
    /// How many times it was changed, from 1.
    pub revision: u64,
}

pub(super) fn provider_key(name: &str) -> Option<RecordKey> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_name = is_plain && (1..=NAME_LETTERS_MAX).contains(&name.len());
    is_name.then(|| RecordKey::of_server(Shelf::Provider, name))
}

impl Engine {
    /// The provider of a name.
    pub(crate) async fn provider(&self, name: &str) -> Result<Option<Loaded<ProviderRecord>>, PortError> {
        match provider_key(name) {
            Some(key) => self.load(key).await,
            None => Ok(None),
        }
    }

    /// Where a provider sends people back to.
    pub(super) fn redirect_uri(&self, name: &str) -> String {
        format!("{}/sso/{name}/callback", self.public_url())
    }

    fn provider_view(&self, provider: &Loaded<ProviderRecord>) -> ProviderView {
        let ProviderRecord { name, title, kind, issuer, client_id, tenant, domains, .. } = provider.value.clone();
        let ProviderRecord { role_claim, roles, default_role, api, created, .. } = provider.value.clone();
        let (redirect_uri, roles) = (self.redirect_uri(&name), roles.into_iter().collect());
        let revision = provider.revision;
        ProviderView {
            name,
            title,
            kind,
            issuer,
            client_id,
            tenant,
            domains,
            role_claim,
            roles,
            default_role,
            api,
            redirect_uri,
            created,
            revision,
        }
    }

    /// Every provider, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn providers(&self) -> Result<Vec<ProviderView>, PortError> {
        let found = self.load_all::<ProviderRecord>(&Fence::Server, "", None, PROVIDERS_MAX).await?;
        Ok(found.iter().map(|provider| self.provider_view(provider)).collect())
    }

    /// Every provider as it is kept, by name.
    pub(super) async fn all_providers(&self) -> Result<Vec<ProviderRecord>, PortError> {
        let found = self.load_all::<ProviderRecord>(&Fence::Server, "", None, PROVIDERS_MAX).await?;
        Ok(found.into_iter().map(|provider| provider.value).collect())
    }

    /// Makes a provider, or changes it.
    ///
    /// # Errors
    /// `Invalid` with every fault.
    pub async fn put_provider(
        &self,
        asker: Asker<'_>,
        name: &str,
        new: NewProvider,
    ) -> Result<ProviderView, IdentityError> {
        let detail = "a provider's name has 1 to 32 lower-case letters, digits and hyphens";
        let key = provider_key(name).ok_or_else(|| IdentityError::invalid("/name", "invalid_name", detail))?;
        let known = self.load::<ProviderRecord>(key.clone()).await?;
        let record = self.judged_provider(name, new, known.as_ref())?;
        if self.control.closed().contains(&record.tenant) {
            return Err(IdentityError::Conflict(format!("the tenant {} was deleted", record.tenant)));
        }
        // What is said of it goes with its tenant; the operator's log, which outlives that, names it only.
        let (here, elsewhere) = match &known {
            Some(known) if known.value.tenant == record.tenant => (Some(said(&known.value)), None),
            known => (None, known.as_ref()),
        };
        let (target, tenant, after) = (name.to_owned(), &record.tenant, Some(said(&record)));
        let mut said_of = self.audited(Some(asker), &Change { action: "sso.put", target, tenant, before: here, after });
        if let Some(known) = elsewhere {
            let (target, before) = (name.to_owned(), Some(said(&known.value)));
            let left = Change { action: "sso.delete", target, tenant: &known.value.tenant, before, after: None };
            said_of.extend(self.audited(Some(asker), &left));
        }
        let changes = match &known {
            Some(known) => RecordChanges::default().replace(known, &record),
            None => RecordChanges::default().create(key.clone(), &record, None),
        };
        let expected = Expected { within: Some(record.tenant.clone()), ..Expected::default() };
        self.write_records_saying(said_of, changes, expected).await?;
        let made = self.load(key).await?.ok_or(IdentityError::NotFound("provider"))?;
        Ok(self.provider_view(&made))
    }

    fn judged_provider(
        &self,
        name: &str,
        new: NewProvider,
        known: Option<&Loaded<ProviderRecord>>,
    ) -> Result<ProviderRecord, IdentityError> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, code: &'static str, detail: &str| {
            faults.push(Fault { pointer: pointer.to_owned(), code, detail: detail.to_owned() });
        };
        let issuer = match (new.kind, new.issuer.as_str()) {
            (ProviderKind::Github, "") => "https://github.com".to_owned(),
            (_, issuer) => issuer.to_owned(),
        };
        let is_near =
            ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|near| issuer.starts_with(near));
        if !issuer.starts_with("https://") && !is_near {
            fault("/issuer", "invalid_field", "`issuer` is an address of https, or of http on this machine");
        }
        if new.client_id.is_empty() {
            fault("/client_id", "missing", "`client_id` is what the provider knows this server by");
        }
        let secret = new.client_secret.as_ref().map(|secret| secret.reveal().clone());
        let secret = secret.or_else(|| known.map(|known| known.value.client_secret.clone()));
        if secret.as_ref().is_none_or(String::is_empty) {
            fault("/client_secret", "missing", "`client_secret` is what the provider gave for this server");
        }
        if new.title.is_empty() || new.title.chars().count() > 60 || new.title.chars().any(char::is_control) {
            fault("/title", "invalid_field", "`title` has 1 to 60 letters");
        }
        if let Some(api) = &new.api {
            if new.kind != ProviderKind::Oidc {
                fault("/api", "invalid_field", "only tokens of OpenID providers can be verified, and GitHub's are not");
            }
            if api.audience.is_empty() || api.audience.len() > AUDIENCE_BYTES_MAX {
                fault("/api/audience", "missing", "`audience` is what the `aud` of its access tokens names us by");
            }
            if api.audience == new.client_id {
                let detail =
                    "`audience` must not be `client_id`: ID tokens name that one, and those are no access tokens";
                fault("/api/audience", "invalid_field", detail);
            }
        }
        if new.role_claim.is_none() && !new.roles.is_empty() {
            fault("/role_claim", "missing", "`roles` needs `role_claim`: which claim of the provider's says them");
        }
        for role in new.roles.values().chain(&new.default_role) {
            if self.control.permissions_of(&new.tenant, role).is_none() {
                fault("/roles", "unknown_role", &format!("tenant {} has no role `{role}`", new.tenant));
            }
        }
        if new.domains.is_empty() {
            let detail = "say which `domains` the addresses of those have who may come in: a provider is believed about them only";
            fault("/domains", "missing", detail);
        }
        let domains: Vec<String> = new.domains.iter().map(|domain| domain.trim().to_lowercase()).collect();
        if domains.iter().any(|domain| domain.is_empty() || domain.contains('@') || domain.len() > 253) {
            fault("/domains", "invalid_field", "`domains` are hosts of addresses, like example.org");
        }
        if !faults.is_empty() {
            return Err(IdentityError::Invalid(faults));
        }
        // The role that may most comes first, so that it is the one that holds.
        let mut roles: Vec<_> = new.roles.into_iter().collect();
        let power =
            |role: &RoleName| self.control.permissions_of(&new.tenant, role).map_or(0, |held| held.iter().count());
        roles.sort_by_key(|(_, role)| std::cmp::Reverse(power(role)));
        Ok(ProviderRecord {
            name: name.to_owned(),
            title: new.title,
            kind: new.kind,
            issuer,
            client_id: new.client_id,
            client_secret: secret.unwrap_or_default(),
            tenant: new.tenant,
            domains,
            role_claim: new.role_claim,
            roles,
            default_role: new.default_role,
            api: new.api,
            created: known.map_or_else(|| self.ports.clock.now(), |known| known.value.created),
        })
    }

    /// Takes a provider away. Sessions opened by it go on; nobody signs in by it any more.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn remove_provider(&self, asker: Option<Asker<'_>>, name: &str) -> Result<(), IdentityError> {
        let known = self.provider(name).await?.ok_or(IdentityError::NotFound("provider"))?;
        let audited = Change {
            action: "sso.delete",
            target: name.to_owned(),
            tenant: &known.value.tenant,
            before: Some(said(&known.value)),
            after: None,
        };
        self.write_records(asker, RecordChanges::default().remove(&known), Some(audited)).await?;
        Ok(())
    }
}

/// What the audit log says of a provider: never its secret.
fn said(provider: &ProviderRecord) -> Value {
    json!({
        "kind": provider.kind, "issuer": provider.issuer, "client_id": provider.client_id, "tenant": provider.tenant,
        "domains": provider.domains, "role_claim": provider.role_claim, "roles": provider.roles,
        "default_role": provider.default_role, "api": provider.api,
    })
}
