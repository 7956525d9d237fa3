//! Service accounts: users without a person, that hold keys of one role.

use std::sync::Arc;

use serde_json::{Value, json};
use tidings_core::id::UserId;
use tidings_core::permission::RoleName;
use tidings_core::port::{ControlChange, ControlRecord, PortError, ServiceAccountRecord};
use tidings_core::principal::{Principal, UserName};

use super::keys::named_user;
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Turn;
use crate::subscriptions::ControlError;
use crate::used::Used;

/// Service accounts that one tenant may have.
const SERVICE_ACCOUNTS_MAX: usize = 1_000;

/// What a service account is to be.
#[derive(Debug, Clone)]
pub struct NewServiceAccount {
    /// What it is called; the namespace that it speaks in.
    pub name: UserName,
    /// As what its keys act.
    pub role: RoleName,
    /// What it is for, in words.
    pub description: Option<String>,
}

impl Engine {
    /// Makes a service account, which never may more than the one who makes it.
    ///
    /// # Errors
    /// `NotPermitted` where it would, `InUse` where there is a user of this name, `QuotaReached`, and
    /// `Invalid` for a role that is not there.
    pub async fn create_service_account(
        &self,
        asker: impl Into<Asker<'_>>,
        new: NewServiceAccount,
    ) -> Result<ServiceAccountRecord, ControlError> {
        let asker = asker.into();
        let principal = asker.principal;
        let turn = self.turn(Some(asker), &principal.tenant).await?;
        self.must_hold_role(principal, &principal.tenant, &new.role, None)?;
        let id = named_user(&principal.tenant, &new.name);
        let others = self.control.service_accounts_of(&principal.tenant);
        let is_taken = others.iter().any(|other| other.id == id)
            || self.control.keys_of(&principal.tenant).iter().any(|key| key.user == id);
        if is_taken {
            let detail = format!("there is a user `{}`; choose another name", new.name.as_str());
            return Err(ControlError::InUse(detail));
        }
        if others.len() >= SERVICE_ACCOUNTS_MAX {
            return Err(ControlError::QuotaReached(SERVICE_ACCOUNTS_MAX));
        }
        let now = self.ports.clock.now();
        let account = ServiceAccountRecord {
            id,
            tenant: principal.tenant.clone(),
            name: new.name.as_str().to_owned(),
            role: new.role,
            description: new.description,
            is_enabled: true,
            created: now,
            updated: now,
        };
        let after = Some(shown(&account));
        self.commit_account(turn, asker, "service_account.create", &account, None, after).await?;
        Ok(account)
    }

    /// Lets a service account's keys open something again, or nothing for the time being; streams opened
    /// with them end.
    ///
    /// # Errors
    /// `NotFound` where there is none in the principal's tenant, `NotPermitted` where it may more than they.
    pub async fn switch_service_account(
        &self,
        asker: impl Into<Asker<'_>>,
        id: UserId,
        is_enabled: bool,
    ) -> Result<ServiceAccountRecord, ControlError> {
        let asker = asker.into();
        let turn = self.turn(Some(asker), &asker.principal.tenant).await?;
        let old = self.service_account(asker.principal, id).ok_or(ControlError::NotFound("service account"))?;
        if old.is_enabled == is_enabled {
            return Ok((*old).clone());
        }
        self.must_hold_role(asker.principal, &old.tenant, &old.role, None)?;
        let account = ServiceAccountRecord { is_enabled, updated: self.ports.clock.now(), ..(*old).clone() };
        let action = if is_enabled { "service_account.enable" } else { "service_account.disable" };
        self.commit_account(turn, asker, action, &account, Some(shown(&old)), Some(shown(&account))).await?;
        Ok(account)
    }

    /// Deletes a service account with its keys and its subscriptions; streams opened with its keys end. Its
    /// name is free then, so nobody deletes one that may more than they.
    ///
    /// # Errors
    /// `NotFound` where there is none in the principal's tenant, `NotPermitted` where it may more than they.
    pub async fn delete_service_account(&self, asker: impl Into<Asker<'_>>, id: UserId) -> Result<(), ControlError> {
        let asker = asker.into();
        let turn = self.turn(Some(asker), &asker.principal.tenant).await?;
        let account = self.service_account(asker.principal, id).ok_or(ControlError::NotFound("service account"))?;
        self.must_hold_role(asker.principal, &account.tenant, &account.role, None)?;
        self.forget_identities(&account.tenant, id).await?;
        let (tenant, at) = (account.tenant.clone(), self.ports.clock.now());
        let keys: Vec<_> = self.control.keys_of(&tenant).into_iter().filter(|key| key.user == id).collect();
        let wishes = self.control.wishes_of(&tenant, id);
        let audited = Change {
            action: "service_account.delete",
            target: id.to_string(),
            tenant: &tenant,
            before: Some(shown(&account)),
            after: Some(json!({ "keys_revoked": keys.len(), "subscriptions_deleted": wishes.len() })),
        };
        let gone = ControlRecord { id, tenant: tenant.clone(), owner: id, at };
        let mut changes = vec![ControlChange::ServiceAccountDeleted(gone)];
        changes.extend(
            keys.iter().map(|key| {
                ControlChange::KeyRevoked(ControlRecord { id: key.id, tenant: tenant.clone(), owner: id, at })
            }),
        );
        changes.extend(wishes.iter().map(|wish| {
            let id = wish.subscription.id;
            let gone = ControlRecord { id, tenant: tenant.clone(), owner: wish.subscription.owner, at };
            ControlChange::SubscriptionDeleted(gone)
        }));
        let read = wishes.iter().map(|wish| (wish.subscription.id, wish.subscription.revision)).collect();
        self.commit_in_turn(turn.with(read), Some(asker), changes, audited).await?;
        keys.iter().for_each(|key| self.note_if_gone(Used::Key(key.id), &tenant));
        Ok(())
    }

    /// The service accounts of the principal's tenant, oldest first.
    pub fn service_accounts(&self, principal: &Principal) -> Vec<Arc<ServiceAccountRecord>> {
        self.control.service_accounts_of(&principal.tenant)
    }

    /// A service account of the principal's tenant.
    pub fn service_account(&self, principal: &Principal, id: UserId) -> Option<Arc<ServiceAccountRecord>> {
        self.control.service_account(id).filter(|account| account.tenant == principal.tenant)
    }

    async fn commit_account(
        &self,
        turn: Turn,
        asker: Asker<'_>,
        action: &'static str,
        account: &ServiceAccountRecord,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), PortError> {
        let audited = Change { action, target: account.id.to_string(), tenant: &account.tenant, before, after };
        let change = ControlChange::ServiceAccount(Box::new(account.clone()));
        self.commit_in_turn(turn, Some(asker), vec![change], audited).await
    }
}

/// What the audit log says of a service account.
fn shown(account: &ServiceAccountRecord) -> Value {
    json!({
        "name": account.name, "role": account.role, "description": account.description,
        "is_enabled": account.is_enabled,
    })
}
