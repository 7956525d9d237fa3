//! Programs that may ask for tokens: what they are registered with, by the admins of a tenant.

use aws_lc_rs::constant_time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_core::id::{ClientId, TenantId, UserId};
use tidings_core::permission::{Permissions, RoleName};
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::principal::Principal;
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::redirect;
use super::scopes::Scopes;
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::identity::{IdentityError, draw_secret, hash_of, hex};
use crate::records::{Loaded, RecordChanges, Shelved};
use crate::token::SigningAlgorithm;

/// Addresses of one client.
const REDIRECTS_MAX: usize = 20;
/// Clients of one tenant.
const CLIENTS_MAX: usize = 1_000;
/// Letters of a client's name.
const NAME_LETTERS_MAX: usize = 100;

/// How a client comes by tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GrantType {
    /// In the name of a person who lets it, in a browser.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// With what it was given before.
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// In its own name.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// In the name of a person who lets it, in a browser elsewhere (RFC 8628).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
}

/// A secret of a client as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptSecret {
    hash: String,
    /// Until when it is good; for good when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<Timestamp>,
}

/// A client as it is kept, in its tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClientRecord {
    pub id: ClientId,
    pub tenant: TenantId,
    /// Who it is where it asks for itself.
    pub user: UserId,
    pub name: String,
    /// None for a program that cannot keep one.
    #[serde(default)]
    pub secrets: Vec<KeptSecret>,
    pub is_confidential: bool,
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    pub scopes: Scopes,
    pub grant_types: Vec<GrantType>,
    /// True for one that nobody is asked about.
    #[serde(default)]
    pub is_first_party: bool,
    /// As what it acts where it asks for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    pub signed_with: SigningAlgorithm,
    pub created: Timestamp,
}

impl Shelved for ClientRecord {
    const SHELF: Shelf = Shelf::Client;
}

/// In which tenant a client is; it is all that is known of it outside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClientAt {
    pub tenant: TenantId,
}

impl Shelved for ClientAt {
    const SHELF: Shelf = Shelf::Client;
}

pub(crate) fn client_key(tenant: &TenantId, id: ClientId) -> RecordKey {
    RecordKey::new(Fence::Tenant(tenant.clone()), Shelf::Client, id.to_string())
}

pub(crate) fn client_at_key(id: ClientId) -> RecordKey {
    RecordKey::of_server(Shelf::Client, id.to_string())
}

impl ClientRecord {
    /// True where it may come by tokens like this.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// The address it is registered with that an answer to another is one to; none where there is none.
    pub fn address_of(&self, uri: &str) -> Option<&str> {
        let mut found = self.redirect_uris.iter().filter(|registered| redirect::is_registered(registered, uri));
        found.next().map(String::as_str)
    }

    /// True where a secret is one of its own and still good.
    pub fn has_secret(&self, secret: &str, now: Timestamp) -> bool {
        let hash = hex(&hash_of(Shelf::Client, secret));
        let fits = |kept: &KeptSecret| {
            kept.ends.is_none_or(|ends| ends > now)
                && constant_time::verify_slices_are_equal(kept.hash.as_bytes(), hash.as_bytes()).is_ok()
        };
        self.secrets.iter().any(fits)
    }
}

/// What a client is to be.
#[derive(Debug, Clone)]
pub struct ClientDraft {
    /// What people see when they are asked.
    pub name: String,
    /// True for one that can keep a secret.
    pub is_confidential: bool,
    /// Where answers may be sent.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: Scopes,
    /// How it comes by tokens.
    pub grant_types: Vec<GrantType>,
    /// True for one that nobody is asked about.
    pub is_first_party: bool,
    /// As what it acts where it asks for itself.
    pub role: Option<RoleName>,
    /// What its ID tokens are signed with.
    pub signed_with: SigningAlgorithm,
}

/// What is to be different; none of a member leaves it.
#[derive(Debug, Clone, Default)]
pub struct ClientChange {
    /// What people see when they are asked.
    pub name: Option<String>,
    /// Where answers may be sent.
    pub redirect_uris: Option<Vec<String>>,
    /// What it may ask for.
    pub scopes: Option<Scopes>,
    /// How it comes by tokens.
    pub grant_types: Option<Vec<GrantType>>,
    /// True for one that nobody is asked about.
    pub is_first_party: Option<bool>,
    /// As what it acts where it asks for itself.
    pub role: Option<RoleName>,
}

/// A client as the admins of its tenant see it.
#[derive(Debug, Clone, Serialize)]
pub struct ClientView {
    /// Its `client_id`.
    pub id: ClientId,
    /// What people see when they are asked.
    pub name: String,
    /// True for one that can keep a secret.
    pub confidential: bool,
    /// Where answers may be sent.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: Vec<&'static str>,
    /// How it comes by tokens.
    pub grant_types: Vec<GrantType>,
    /// True for one that nobody is asked about.
    pub first_party: bool,
    /// As what it acts where it asks for itself.
    pub role: Option<RoleName>,
    /// Who it is where it asks for itself.
    pub user: UserId,
    /// What its ID tokens are signed with.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// When it was made.
    pub created: Timestamp,
    /// How many times it was changed, from 1.
    pub revision: u64,
}

/// A client and the secret that was just drawn for it.
#[derive(Debug)]
pub struct NewSecret {
    /// The client.
    pub client: ClientView,
    /// Shown once; none for one that cannot keep one.
    pub secret: Option<Secret<String>>,
}

fn view(client: &Loaded<ClientRecord>) -> ClientView {
    let it = &client.value;
    ClientView {
        id: it.id,
        name: it.name.clone(),
        confidential: it.is_confidential,
        redirect_uris: it.redirect_uris.clone(),
        scopes: it.scopes.names().collect(),
        grant_types: it.grant_types.clone(),
        first_party: it.is_first_party,
        role: it.role.clone(),
        user: it.user,
        id_token_signed_response_alg: it.signed_with,
        created: it.created,
        revision: client.revision,
    }
}

/// What the audit log says of a client.
fn said(client: &ClientRecord) -> Option<Value> {
    Some(json!({
        "name": client.name, "confidential": client.is_confidential, "redirect_uris": client.redirect_uris,
        "scopes": client.scopes, "grant_types": client.grant_types, "first_party": client.is_first_party,
        "role": client.role,
    }))
}

impl Engine {
    /// Makes a client in the tenant of the one who asks. A confidential one gets a secret.
    ///
    /// # Errors
    /// `Invalid` for what cannot be, `NotPermitted` where it may do more than the one who asks.
    pub async fn create_client(&self, asker: Asker<'_>, draft: ClientDraft) -> Result<NewSecret, IdentityError> {
        let tenant = &asker.principal.tenant;
        let mut client = ClientRecord {
            id: ClientId::from_bytes(self.draw_id()),
            tenant: tenant.clone(),
            user: UserId::from_bytes(self.draw_id()),
            name: draft.name,
            secrets: Vec::new(),
            is_confidential: draft.is_confidential,
            redirect_uris: draft.redirect_uris,
            scopes: draft.scopes,
            grant_types: draft.grant_types,
            is_first_party: draft.is_first_party,
            role: draft.role,
            signed_with: draft.signed_with,
            created: self.ports.clock.now(),
        };
        self.judge_client(asker.principal, &client)?;
        if self.clients(asker.principal, None, CLIENTS_MAX).await?.len() >= CLIENTS_MAX {
            let detail = format!("a tenant has {CLIENTS_MAX} clients at most; remove one first");
            return Err(IdentityError::Conflict(detail));
        }
        let secret = client.is_confidential.then(|| draw_secret(self));
        client.secrets.extend(secret.as_ref().map(kept));
        let key = client_key(tenant, client.id);
        let changes = RecordChanges::default()
            .create(client_at_key(client.id), &ClientAt { tenant: tenant.clone() }, None)
            .create(key.clone(), &client, None);
        let target = client.id.to_string();
        let audited = Change { action: "client.create", target, tenant, before: None, after: said(&client) };
        self.write_records(Some(asker), changes, Some(audited)).await?;
        let client = self.client_within_reach(asker.principal, client.id).await?;
        Ok(NewSecret { client: view(&client), secret })
    }

    /// Refuses one who may do less than the client may ask of people, or does itself.
    fn may_keep(&self, principal: &Principal, client: &ClientRecord) -> Result<(), IdentityError> {
        // Whoever leads a client's answers elsewhere has what people let it do.
        if !principal.may_give(client.scopes.permissions, &principal.tenant) {
            let detail = format!("nobody gives away more than they hold; you hold: {}", principal.permissions);
            return Err(IdentityError::NotPermitted(detail));
        }
        if client.is_first_party && !principal.holds_all_of_tenant() {
            let detail = "only one who may do all that can be done in the tenant spares people the question";
            return Err(IdentityError::NotPermitted(detail.to_owned()));
        }
        // A role that is gone lets it do nothing.
        let role = client.role.as_ref().filter(|role| self.control.permissions_of(&principal.tenant, role).is_some());
        role.map_or(Ok(()), |role| self.may_give(principal, role))
    }

    fn judge_client(&self, principal: &Principal, client: &ClientRecord) -> Result<(), IdentityError> {
        let invalid = |pointer: &str, detail: &str| Err(IdentityError::invalid(pointer, "invalid_field", detail));
        let letters = client.name.chars().count();
        if letters == 0 || letters > NAME_LETTERS_MAX || client.name.chars().any(char::is_control) {
            return invalid("/name", "a name has 1 to 100 letters and no control characters");
        }
        let uris = &client.redirect_uris;
        if uris.len() > REDIRECTS_MAX || !uris.iter().all(|uri| redirect::is_registrable(uri)) {
            let detail = "up to 20 addresses with a path, as `https://app.example.org/callback` in lower case and \
                          without `#`, or `http://127.0.0.1/callback` for a program that people run themselves";
            return invalid("/redirect_uris", detail);
        }
        if client.grant_types.is_empty() {
            return invalid("/grant_types", "a client comes by tokens in one way at least");
        }
        if client.may_use(GrantType::AuthorizationCode) && uris.is_empty() {
            return invalid("/redirect_uris", "a client that people let in by a browser has an address for answers");
        }
        if client.scopes.is_empty() {
            return invalid("/scopes", "a client may ask for one scope at least");
        }
        if client.may_use(GrantType::ClientCredentials) {
            let Some(role) = client.role.as_ref().filter(|_| client.is_confidential) else {
                return invalid("/role", "a client that asks for itself keeps a secret, and has a role");
            };
            self.may_give(principal, role)?;
        } else if client.role.is_some() {
            return invalid("/role", "a role is for a client that asks for itself");
        }
        self.may_keep(principal, client)
    }

    async fn client_within_reach(
        &self,
        principal: &Principal,
        id: ClientId,
    ) -> Result<Loaded<ClientRecord>, IdentityError> {
        self.load(client_key(&principal.tenant, id)).await?.ok_or(IdentityError::NotFound("client"))
    }

    /// The clients of the tenant of the one who asks, in order of ids, those after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn clients(
        &self,
        principal: &Principal,
        after: Option<ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientView>, PortError> {
        let fence = Fence::Tenant(principal.tenant.clone());
        let after = after.map(|id| id.to_string());
        let found = self.load_all::<ClientRecord>(&fence, "", after.as_deref(), limit).await?;
        Ok(found.iter().map(view).collect())
    }

    /// One client of the tenant of the one who asks.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn client_view(&self, principal: &Principal, id: ClientId) -> Result<ClientView, IdentityError> {
        Ok(view(&self.client_within_reach(principal, id).await?))
    }

    /// Changes a client; what it holds follows at once.
    ///
    /// # Errors
    /// As [`Self::create_client`], and `NotFound` where there is none.
    pub async fn change_client(
        &self,
        asker: Asker<'_>,
        id: ClientId,
        change: ClientChange,
    ) -> Result<ClientView, IdentityError> {
        let was = self.client_within_reach(asker.principal, id).await?;
        // Whoever may not make it as it is does not change it either.
        self.may_keep(asker.principal, &was.value)?;
        let now = was.value.clone();
        let grant_types = change.grant_types.unwrap_or(now.grant_types);
        let acts_itself = grant_types.contains(&GrantType::ClientCredentials);
        let changed = ClientRecord {
            name: change.name.unwrap_or(now.name),
            redirect_uris: change.redirect_uris.unwrap_or(now.redirect_uris),
            scopes: change.scopes.unwrap_or(now.scopes),
            grant_types,
            is_first_party: change.is_first_party.unwrap_or(now.is_first_party),
            // The role of one that asks for itself no more goes with that.
            role: change.role.or(now.role.filter(|_| acts_itself)),
            ..was.value.clone()
        };
        self.judge_client(asker.principal, &changed)?;
        let (target, tenant) = (id.to_string(), &asker.principal.tenant);
        let (before, after) = (said(&was.value), said(&changed));
        let audited = Change { action: "client.change", target, tenant, before, after };
        self.write_records(Some(asker), RecordChanges::default().replace(&was, &changed), Some(audited)).await?;
        self.client_view(asker.principal, id).await
    }

    /// Draws a client another secret; the one before is good for `overlap` milliseconds more.
    ///
    /// # Errors
    /// `NotFound` where there is none, `Conflict` for one that cannot keep a secret.
    pub async fn rotate_client_secret(
        &self,
        asker: Asker<'_>,
        id: ClientId,
        overlap: i64,
    ) -> Result<NewSecret, IdentityError> {
        let was = self.client_within_reach(asker.principal, id).await?;
        self.may_keep(asker.principal, &was.value)?;
        if !was.value.is_confidential {
            return Err(IdentityError::Conflict("this client cannot keep a secret, so it has none".to_owned()));
        }
        let secret = draw_secret(self);
        let ends = Some(self.ports.clock.now().plus_millis(overlap));
        let before = was.value.secrets.iter().filter(|kept| kept.ends.is_none());
        let before = before.map(|kept| KeptSecret { ends, ..kept.clone() });
        let secrets = std::iter::once(kept(&secret)).chain(before).collect();
        let changed = ClientRecord { secrets, ..was.value.clone() };
        let (target, tenant) = (id.to_string(), &asker.principal.tenant);
        let audited = Change { action: "client.rotate_secret", target, tenant, before: None, after: None };
        self.write_records(Some(asker), RecordChanges::default().replace(&was, &changed), Some(audited)).await?;
        Ok(NewSecret { client: self.client_view(asker.principal, id).await?, secret: Some(secret) })
    }

    /// Removes a client; everything that it was given ends at once.
    ///
    /// # Errors
    /// `NotFound` where there is none, `NotPermitted` where it may do more than the one who asks.
    pub async fn remove_client(&self, asker: Asker<'_>, id: ClientId) -> Result<(), IdentityError> {
        let was = self.client_within_reach(asker.principal, id).await?;
        self.may_keep(asker.principal, &was.value)?;
        let mut changes = RecordChanges::default().remove(&was);
        if let Some(at) = self.load::<ClientAt>(client_at_key(id)).await? {
            changes = changes.remove(&at);
        }
        let (target, tenant) = (id.to_string(), &asker.principal.tenant);
        let audited = Change { action: "client.remove", target, tenant, before: said(&was.value), after: None };
        Ok(self.write_records(Some(asker), changes, Some(audited)).await?)
    }

    /// A client by its id alone, as anyone may name one.
    pub(super) async fn client_named(&self, id: &str) -> Result<Option<ClientRecord>, PortError> {
        let Ok(id) = id.parse::<ClientId>() else { return Ok(None) };
        let at = self.load_known::<ClientAt>(client_at_key(id)).await?;
        // A tenant that is suspended or closed has none.
        let Some(at) = at.filter(|at| self.control.is_open(&at.value.tenant)) else { return Ok(None) };
        let client = self.load_known::<ClientRecord>(client_key(&at.value.tenant, id)).await?;
        Ok(client.map(|client| client.value.clone()))
    }
}

fn kept(secret: &Secret<String>) -> KeptSecret {
    KeptSecret { hash: hex(&hash_of(Shelf::Client, secret.reveal())), ends: None }
}

/// What a client's own scopes leave of a role.
pub(crate) fn bounded(scopes: Scopes, client: &ClientRecord) -> Permissions {
    scopes.permissions.both(client.scopes.permissions)
}
