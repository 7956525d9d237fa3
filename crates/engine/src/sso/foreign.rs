//! Access tokens of a provider, taken for the people and the service accounts that it is known to know.
//!
//! A token says who someone is, and nothing of what they may do here: that is their role as it is now, as far
//! as those words of the token's `scope` go that are ours, where there are any.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings_core::id::{LoginId, TenantId, UserId};
use tidings_core::permission::Permissions;
use tidings_core::port::{Fence, PortError, RecordKey, Shelf};
use tidings_core::principal::{Credential, Principal};
use tidings_core::time::Timestamp;

use super::login::{LoginRecord, LoginView, hash_of_login, is_hash, login_key, view};
use super::provider::ProviderRecord;
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::identity::{AccountRecord, IdentityError, account_key, hex};
use crate::oauth::permissions_of;
use crate::records::{Loaded, Mark, RecordChanges, WriteFault};
use crate::token::{Kind, Profile, claimed_issuer, claimed_key};

/// Subjects that stand for one service account.
const IDENTITIES_MAX: usize = 20;
/// Bytes of a subject.
const SUBJECT_BYTES_MAX: usize = 500;
/// How long a token is taken without another look at its issuer's keys, in milliseconds.
const LOOK_AGAIN: i64 = 5 * 60 * 1_000;

/// How a provider's access tokens are told from its ID tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// By their `typ` (RFC 9068).
    #[default]
    #[serde(rename = "at+jwt")]
    Typed,
    /// By their audience alone, as many providers have it.
    #[serde(rename = "jwt")]
    Plain,
}

/// Which access tokens of a provider are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiTokens {
    /// What their `aud` names us by; never the id we sign people in with.
    pub audience: String,
    /// How they are told from ID tokens.
    #[serde(default)]
    pub token_type: TokenType,
}

/// The providers whose access tokens are taken, as they were when records had changed so many times.
#[derive(Debug, Default)]
pub(crate) struct ApiProviders(RwLock<Option<(u64, Arc<Vec<ProviderRecord>>)>>);

impl ApiProviders {
    fn at(&self, count: u64) -> Option<Arc<Vec<ProviderRecord>>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(at, _)| *at == count).map(|(_, providers)| Arc::clone(providers))
    }

    fn keep(&self, count: u64, providers: Vec<ProviderRecord>) -> Arc<Vec<ProviderRecord>> {
        let providers = Arc::new(providers);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((count, Arc::clone(&providers)));
        providers
    }
}

/// Someone known by a token of another issuer.
pub(crate) struct ByForeignToken {
    pub principal: Principal,
    /// When they are to be asked for anew.
    pub until: Timestamp,
    /// The login that it hangs on, as it was before it was read.
    pub record: Mark,
}

fn identity_key(tenant: &TenantId, hash: &str) -> RecordKey {
    RecordKey::new(Fence::Tenant(tenant.clone()), Shelf::Login, format!("id/{hash}"))
}

fn identity_of_key(tenant: &TenantId, account: UserId, hash: &str) -> RecordKey {
    RecordKey::new(Fence::Tenant(tenant.clone()), Shelf::Login, format!("of/{account}/{hash}"))
}

impl Engine {
    /// Who a token of another issuer stands for. Its keys are fetched from where the operator's word for the
    /// issuer leads, whatever the token says.
    ///
    /// # Errors
    /// When the store cannot be read, or the issuer was never read and does not answer.
    pub(crate) async fn principal_by_foreign_token(&self, text: &str) -> Result<Option<ByForeignToken>, PortError> {
        let Ok(issuer) = claimed_issuer(text) else { return Ok(None) };
        for provider in self.api_providers().await?.iter().filter(|provider| provider.issuer == issuer) {
            if let Some(found) = self.principal_by_token_of(provider, text).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn principal_by_token_of(
        &self,
        provider: &ProviderRecord,
        text: &str,
    ) -> Result<Option<ByForeignToken>, PortError> {
        let Some(api) = &provider.api else { return Ok(None) };
        let kind = match api.token_type {
            TokenType::Typed => Kind::Access,
            TokenType::Plain => Kind::Untyped,
        };
        let key = claimed_key(text);
        let issuer = self.issuers.get(&provider.issuer, key.as_deref(), &*self.ports.web, &*self.ports.clock).await?;
        let (profile, now) = (Profile::foreign(kind, &provider.issuer, &api.audience), self.ports.clock.now());
        let Ok(token) = self.tokens.verified.verify(text, &issuer.keys, &profile, now) else { return Ok(None) };
        // One that was verified before, and whose key has been taken back since.
        if !issuer.keys.keys().iter().any(|key| key.thumbprint() == token.key) {
            return Ok(None);
        }
        let login = LoginId::from_bytes(hash_of_login(&provider.issuer, &token.subject));
        let found = self.principal_by_login(&provider.tenant, login, token.expires).await?;
        let words = permissions_of(&token.scopes);
        Ok(found.map(|(principal, record)| {
            let principal = if words == Permissions::NONE { principal } else { principal.narrowed_to(words) };
            ByForeignToken { principal, until: token.expires.min(now.plus_millis(LOOK_AGAIN)), record }
        }))
    }

    /// The person or service account behind a login, as long as tokens of its provider are taken.
    pub(crate) async fn principal_by_login(
        &self,
        tenant: &TenantId,
        login: LoginId,
        expires: Timestamp,
    ) -> Result<Option<(Principal, Mark)>, PortError> {
        let now = self.ports.clock.now();
        if expires <= now {
            return Ok(None);
        }
        let credential = Credential::Login { login, expires };
        let is_taken = |known: &LoginRecord, provider: &ProviderRecord| {
            provider.issuer == known.issuer && provider.tenant == *tenant
        };
        let providers = self.api_providers().await?;
        let hash = hex(login.as_bytes());
        let key = identity_key(tenant, &hash);
        let mark = self.known.mark_of(&key);
        if let Some(known) = self.load_known::<LoginRecord>(key).await? {
            if !providers.iter().any(|provider| is_taken(&known.value, provider)) {
                return Ok(None);
            }
            let account = self.control.service_account(known.value.user).filter(|account| account.is_enabled);
            let account = account.filter(|account| account.tenant == *tenant);
            return Ok(account.map(|account| {
                let named = (account.id, account.name.clone());
                (self.principal_of_service(tenant, named, &account.role, credential), mark)
            }));
        }
        let key = login_key(&hash);
        let mark = self.known.mark_of(&key);
        let Some(known) = self.load_known::<LoginRecord>(key).await? else { return Ok(None) };
        if !providers.iter().any(|provider| is_taken(&known.value, provider)) {
            return Ok(None);
        }
        let user = known.value.user;
        let Some(account) = self.load_known::<AccountRecord>(account_key(user)).await? else { return Ok(None) };
        let principal = self.principal_of_member(user, tenant, (account.value.sign_outs, now), credential).await?;
        Ok(principal.map(|principal| (principal, mark)))
    }

    /// The providers whose access tokens are taken.
    async fn api_providers(&self) -> Result<Arc<Vec<ProviderRecord>>, PortError> {
        let count = self.known.rights_count();
        if let Some(known) = self.api_providers.at(count) {
            return Ok(known);
        }
        let mut found = self.all_providers().await?;
        found.retain(|provider| provider.api.is_some());
        Ok(self.api_providers.keep(count, found))
    }

    /// Has a subject of a provider stand for a service account: its access tokens are then taken as a key of
    /// the account would be.
    ///
    /// # Errors
    /// `NotFound` for an account that is not there, `Invalid` for a provider that is not there or whose tokens
    /// are not taken, `Conflict` where the subject is someone else already, `NotPermitted` where the account may
    /// more than the one who asks.
    pub async fn add_identity(
        &self,
        asker: Asker<'_>,
        account: UserId,
        provider: &str,
        subject: &str,
    ) -> Result<LoginView, IdentityError> {
        let tenant = &asker.principal.tenant;
        let known = self.service_account(asker.principal, account).ok_or(IdentityError::NotFound("service account"))?;
        let too_much = |_| IdentityError::NotPermitted("this service account may more than you".to_owned());
        self.must_hold_role(asker.principal, tenant, &known.role, None).map_err(too_much)?;
        let of_tenant = self.api_providers().await?;
        let found = of_tenant.iter().find(|it| it.name == provider && it.tenant == *tenant);
        let Some(found) = found else {
            let detail = format!(
                "no provider `{provider}` of your tenant gives tokens that are taken here; the operator sets `api` of one up"
            );
            return Err(IdentityError::invalid("/provider", "unknown_provider", &detail));
        };
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX || subject.chars().any(char::is_control) {
            let detail = format!("`subject` is the `sub` of the tokens: 1 to {SUBJECT_BYTES_MAX} bytes");
            return Err(IdentityError::invalid("/subject", "invalid_field", &detail));
        }
        let hash = hex(&hash_of_login(&found.issuer, subject));
        let taken = || IdentityError::Conflict("this subject stands for someone else already".to_owned());
        if self.load::<LoginRecord>(login_key(&hash)).await?.is_some()
            || self.load::<LoginRecord>(identity_key(tenant, &hash)).await?.is_some()
        {
            return Err(taken());
        }
        if self.identities_of(tenant, account).await?.len() >= IDENTITIES_MAX {
            let detail = format!("a service account has {IDENTITIES_MAX} subjects at most");
            return Err(IdentityError::Conflict(detail));
        }
        let login = LoginRecord {
            user: account,
            provider: found.name.clone(),
            issuer: found.issuer.clone(),
            subject: subject.to_owned(),
            email: None,
            linked: self.ports.clock.now(),
        };
        let audited = Change {
            action: "service_account.identity.add",
            target: account.to_string(),
            tenant,
            before: None,
            after: Some(json!({ "provider": login.provider, "subject": subject })),
        };
        let changes = RecordChanges::default().create(identity_key(tenant, &hash), &login, None).create(
            identity_of_key(tenant, account, &hash),
            &login,
            None,
        );
        self.write_records(Some(asker), changes, Some(audited)).await?;
        let made = self.load::<LoginRecord>(identity_key(tenant, &hash)).await?;
        made.map(view).ok_or(IdentityError::NotFound("identity"))
    }

    /// The subjects that stand for a service account of the tenant of one who asks.
    ///
    /// # Errors
    /// `NotFound` for an account that is not there.
    pub async fn identities(&self, principal: &Principal, account: UserId) -> Result<Vec<LoginView>, IdentityError> {
        self.service_account(principal, account).ok_or(IdentityError::NotFound("service account"))?;
        Ok(self.identities_of(&principal.tenant, account).await?.into_iter().map(view).collect())
    }

    /// Has nobody stand for a service account that is to go: another of its name would be the same user.
    pub(crate) async fn forget_identities(&self, tenant: &TenantId, account: UserId) -> Result<(), PortError> {
        let mut changes = RecordChanges::default();
        let of_account = self.identities_of(tenant, account).await?;
        if of_account.is_empty() {
            return Ok(());
        }
        for of in of_account {
            let hash = of.key.name().rsplit('/').next().unwrap_or_default().to_owned();
            if let Some(known) = self.load::<LoginRecord>(identity_key(tenant, &hash)).await? {
                changes = changes.remove(&known);
            }
            changes = changes.remove(&of);
        }
        match self.write_records(None, changes, None).await {
            Ok(()) => Ok(()),
            Err(WriteFault::Conflict) => Err(PortError::later("delete a service account", "its subjects just changed")),
            Err(WriteFault::Store(fault)) => Err(fault),
        }
    }

    async fn identities_of(&self, tenant: &TenantId, account: UserId) -> Result<Vec<Loaded<LoginRecord>>, PortError> {
        self.load_all(&Fence::Tenant(tenant.clone()), &format!("of/{account}/"), None, IDENTITIES_MAX).await
    }

    /// Has a subject stand for a service account no more.
    ///
    /// # Errors
    /// `NotFound` where it does not.
    pub async fn remove_identity(&self, asker: Asker<'_>, account: UserId, id: &str) -> Result<(), IdentityError> {
        let tenant = &asker.principal.tenant;
        let gone = || IdentityError::NotFound("identity");
        if !is_hash(id) {
            return Err(gone());
        }
        let of = self.load::<LoginRecord>(identity_of_key(tenant, account, id)).await?.ok_or_else(gone)?;
        let known = self.load::<LoginRecord>(identity_key(tenant, id)).await?.ok_or_else(gone)?;
        let audited = Change {
            action: "service_account.identity.remove",
            target: account.to_string(),
            tenant,
            before: Some(json!({ "provider": known.value.provider, "subject": known.value.subject })),
            after: None,
        };
        self.write_records(Some(asker), RecordChanges::default().remove(&known).remove(&of), Some(audited)).await?;
        Ok(())
    }
}
