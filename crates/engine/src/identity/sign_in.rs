//! Signing in: with a password, with a one-time link, or with a key.

use std::sync::Arc;

use tidings_core::id::{SessionId, TenantId};
use tidings_core::principal::{Credential, Principal};
use tidings_core::secret::Secret;

use super::IdentityError;
use super::account::{AccountRecord, normal_email};
use super::session::{Browser, Entered, Opener, Opening};
use crate::audit::Refusal;
use crate::engine::Engine;
use crate::records::{Loaded, RecordChanges, WriteFault};

/// What someone signs in with.
#[derive(Debug)]
pub struct SignIn<'a> {
    /// Their address, as typed.
    pub email: &'a str,
    /// Their password.
    pub password: &'a Secret<String>,
    /// A code of the app, or a recovery code.
    pub code: Option<&'a str>,
    /// Which tenant they want to enter; the first that lets them when `None`.
    pub tenant: Option<&'a TenantId>,
    /// Where they sit.
    pub browser: Browser,
    /// The session that the browser had.
    pub replaces: Option<SessionId>,
    /// Follows the request everywhere.
    pub correlation_id: &'a str,
}

impl Engine {
    /// Opens a session for one who knows the password, and the code where one is asked for.
    ///
    /// # Errors
    /// `Refused`, alike and after as long for a wrong password and for an address that nobody has.
    pub async fn sign_in(&self, with: SignIn<'_>) -> Result<Entered, IdentityError> {
        let account = match normal_email(with.email) {
            Ok(email) => self.account_of(&email).await?,
            Err(_) => None,
        };
        let hash = account.as_ref().and_then(|account| account.value.password.as_deref());
        let fits = self.verify_password(with.password, hash).await?;
        let Some(account) = account.filter(|_| fits) else {
            self.note_failed(None, &with);
            return Err(IdentityError::Refused);
        };
        self.take_code(&account, &with).await?;
        let tenant = self.tenant_to_enter(&account.value, with.tenant).await?.ok_or(IdentityError::NoTenant)?;
        self.open_for(&account.value, tenant, &with.browser, with.replaces, Opening::now(self)).await
    }

    /// A session of a person who has shown who they are.
    pub(crate) async fn open_for(
        &self,
        account: &AccountRecord,
        tenant: TenantId,
        browser: &Browser,
        replaces: Option<SessionId>,
        opening: Opening,
    ) -> Result<Entered, IdentityError> {
        let Opening { by, proved, at } = opening;
        let opener = Opener::Account { user: account.id, tenant, sign_outs: account.sign_outs, by, proved };
        let secret = self.open_session(opener, account.id, browser, replaces, at).await?;
        let principal = self.principal_in_session(Self::session_id(secret.reveal())).await?;
        Ok(Entered { secret, principal: principal.ok_or(IdentityError::NoTenant)? })
    }

    async fn take_code(&self, account: &Loaded<AccountRecord>, with: &SignIn<'_>) -> Result<(), IdentityError> {
        let Some(factor) = account.value.second_factor.as_ref().filter(|factor| factor.confirmed.is_some()) else {
            return Ok(());
        };
        let code = with.code.ok_or(IdentityError::CodeNeeded)?;
        let Some(taken) = factor.take(&account.value.email, code, self.ports.clock.now()) else {
            self.note_failed(Some(&account.value), with);
            return Err(IdentityError::Refused);
        };
        let changed = AccountRecord { second_factor: Some(taken), ..account.value.clone() };
        match self.write_records(None, RecordChanges::default().replace(account, &changed), None).await {
            Ok(()) => Ok(()),
            // The same code at the same time, from elsewhere: one of the two is let in.
            Err(WriteFault::Conflict) => Err(IdentityError::Refused),
            Err(WriteFault::Store(fault)) => Err(fault.into()),
        }
    }

    pub(crate) async fn tenant_to_enter(
        &self,
        account: &AccountRecord,
        wanted: Option<&TenantId>,
    ) -> Result<Option<TenantId>, IdentityError> {
        let asked = |tenant: &&TenantId| wanted.is_none_or(|wanted| wanted == *tenant);
        // One that is not served is entered by nobody, and named only to those who have no other.
        let (served, others): (Vec<_>, Vec<_>) =
            account.tenants.iter().filter(asked).partition(|tenant| self.control.is_open(tenant));
        for tenant in served.into_iter().chain(others) {
            if self.member(tenant, account.id).await?.is_some() {
                return Ok(Some(tenant.clone()));
            }
        }
        Ok(None)
    }

    /// Has the audit log say that someone did not get in. A wrong address may be a password in the wrong
    /// field, so none is written down.
    fn note_failed(&self, account: Option<&AccountRecord>, with: &SignIn<'_>) {
        let target = account.map_or_else(|| "/v1/session".to_owned(), |account| account.id.to_string());
        let action = "openSession";
        self.refused(Refusal {
            actor: None,
            tenant: None,
            action,
            target,
            correlation_id: with.correlation_id.to_owned(),
        });
    }

    /// Opens a session for a key, which ends with the key.
    ///
    /// # Errors
    /// `Refused` for what is no key of ours.
    pub async fn sign_in_with_key(
        &self,
        key: &str,
        browser: &Browser,
        replaces: Option<SessionId>,
    ) -> Result<Entered, IdentityError> {
        let principal = self.authenticate(key).ok_or(IdentityError::Refused)?;
        self.open_as_key(principal, browser, replaces).await
    }

    /// Opens a session for a one-time link to the built-in page, which is used up.
    ///
    /// # Errors
    /// `Refused` where it was used, has ended or never was.
    pub async fn sign_in_with_link(
        &self,
        link: &str,
        browser: &Browser,
        replaces: Option<SessionId>,
    ) -> Result<Entered, IdentityError> {
        let key = self.redeem_page_link(link).await?.ok_or(IdentityError::Refused)?;
        let principal = self.principal_of_key(key).ok_or(IdentityError::Refused)?;
        self.open_as_key(principal, browser, replaces).await
    }

    async fn open_as_key(
        &self,
        principal: Principal,
        browser: &Browser,
        replaces: Option<SessionId>,
    ) -> Result<Entered, IdentityError> {
        let Credential::Key(key) = principal.credential else { return Err(IdentityError::Refused) };
        let secret =
            self.open_session(Opener::Key(key), principal.user, browser, replaces, self.ports.clock.now()).await?;
        let credential = Credential::Session(Self::session_id(secret.reveal()));
        Ok(Entered { secret, principal: Principal { credential, ..principal } })
    }

    /// Opens a session in another tenant of the same person in place of the one who asks.
    ///
    /// # Errors
    /// `NoTenant` where they may not enter it, `NotFound` for one who has no account.
    pub async fn switch_tenant(
        self: &Arc<Self>,
        principal: &Principal,
        tenant: &TenantId,
        browser: &Browser,
    ) -> Result<Entered, IdentityError> {
        let Credential::Session(now) = principal.credential else { return Err(IdentityError::NotFound("session")) };
        let account = self.own_account(principal.user).await?;
        let opening = self.opening_of(now).await?.ok_or(IdentityError::NotFound("session"))?;
        if opening.by.is_some() {
            // A provider is believed in its own tenant, and not about who one is elsewhere.
            let detail = "you came in by another provider, which opens its own tenant only; sign in with your password";
            return Err(IdentityError::NotPermitted(detail.to_owned()));
        }
        let tenant = self.tenant_to_enter(&account.value, Some(tenant)).await?.ok_or(IdentityError::NoTenant)?;
        self.open_for(&account.value, tenant, browser, Some(now), opening).await
    }
}
