//! Inbound webhooks: made, given another secret and deleted; and whom a signed request speaks for.

use std::sync::Arc;

use serde_json::{Value, json};
use tidings_core::id::{HookId, TenantId, UserId};
use tidings_core::permission::{Permission, Permissions, Role, RoleName};
use tidings_core::port::{ControlChange, ControlRecord, HookName, HookRecord, HookScheme, HookSecret, PortError};
use tidings_core::principal::{Authority, Issuers, Principal};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use super::signature::{Claim, check_secret, secret_of};
use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Turn;
use crate::subscriptions::ControlError;
use crate::used::Used;

/// Inbound webhooks that one tenant may have.
const HOOKS_MAX: usize = 100;
/// What a hook may do of what its role may.
const MAY: Permissions = Permissions::of(&[Permission::EventsWrite]);

/// What an inbound webhook is to be.
#[derive(Debug, Clone)]
pub struct NewHook {
    /// What it is called, in its tenant.
    pub name: HookName,
    /// How its requests are signed.
    pub scheme: HookScheme,
    /// The sender's own secret; one is made when `None`.
    pub secret: Option<Secret<String>>,
    /// The role that says which events it may publish; Curator when `None`.
    pub role: Option<RoleName>,
    /// For whom it may speak, besides its own namespace; nobody when `None`.
    pub issuers: Option<Issuers>,
    /// From then on it lets nothing in; never, when `None`.
    pub expires: Option<Timestamp>,
}

/// The sender of a request that bears out what it claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    /// Whose data it sends.
    pub tenant: TenantId,
    /// As whose it counts.
    pub user: UserId,
    /// For whom it speaks.
    pub authority: Authority,
}

impl Engine {
    /// Makes an inbound webhook, with its secret where one was made for it. It never may more than the one
    /// who makes it.
    ///
    /// # Errors
    /// `NotPermitted` where it would, `InUse` where the name is taken, `QuotaReached`, and `Invalid` for a
    /// role that is not there, a secret that is none, or an end that has passed.
    pub async fn create_hook(
        &self,
        asker: impl Into<Asker<'_>>,
        new: NewHook,
    ) -> Result<(HookRecord, Option<Secret<String>>), ControlError> {
        let asker = asker.into();
        let principal = asker.principal;
        let now = self.ports.clock.now();
        if new.expires.is_some_and(|expires| expires <= now) {
            let detail = "`expires` has passed; leave it out for a webhook without an end";
            return Err(ControlError::invalid("/expires", "invalid_time", detail));
        }
        let turn = self.turn(Some(asker), &principal.tenant).await?;
        let role = new.role.unwrap_or_else(|| Role::Curator.into());
        let issuers = new.issuers.unwrap_or(Issuers::Only(Vec::new()));
        self.must_hold_all_of(principal, &role, &issuers)?;
        let others = self.control.hooks_of(&principal.tenant);
        if others.iter().any(|other| other.name == new.name) {
            return Err(ControlError::InUse(format!("there is a webhook `{}`; choose another name", new.name)));
        }
        if others.len() >= HOOKS_MAX {
            return Err(ControlError::QuotaReached(HOOKS_MAX));
        }
        let (secret, made) = self.hook_secret(&new.scheme, new.secret)?;
        let hook = HookRecord {
            id: HookId::from_bytes(self.draw_id()),
            tenant: principal.tenant.clone(),
            user: principal.user,
            namespace: format!("{}/{}", principal.authority.namespace, new.name),
            name: new.name,
            scheme: new.scheme,
            secrets: vec![HookSecret { secret, ends: None }],
            role,
            issuers,
            created: now,
            updated: now,
            expires: new.expires,
        };
        let after = Some(shown(&hook));
        self.commit_hook(turn, asker, "webhook.create", &hook, None, after).await?;
        Ok((hook, made))
    }

    /// Gives an inbound webhook another secret, while the one before it goes on until `overlap_ends`.
    ///
    /// # Errors
    /// `NotFound` where there is none in the principal's tenant, `NotPermitted` where it may more than they,
    /// `Invalid` for a secret that is none.
    pub async fn rotate_hook(
        &self,
        asker: impl Into<Asker<'_>>,
        id: HookId,
        secret: Option<Secret<String>>,
        overlap_ends: Timestamp,
    ) -> Result<(HookRecord, Option<Secret<String>>), ControlError> {
        let asker = asker.into();
        let turn = self.turn(Some(asker), &asker.principal.tenant).await?;
        let old = self.hook(asker.principal, id).ok_or(ControlError::NotFound("webhook"))?;
        self.must_hold_all_of(asker.principal, &old.role, &old.issuers)?;
        let (secret, made) = self.hook_secret(&old.scheme, secret)?;
        let now = self.ports.clock.now();
        let mut secrets = vec![HookSecret { secret, ends: None }];
        // The last one alone goes on: who replaces a secret twice has lost the first.
        let last = old.secrets.first().filter(|_| overlap_ends > now);
        secrets.extend(last.map(|last| HookSecret { ends: Some(overlap_ends), ..last.clone() }));
        let hook = HookRecord { secrets, updated: now, ..(*old).clone() };
        let after = json!({ "old_secret_ends": last.map(|_| overlap_ends) });
        self.commit_hook(turn, asker, "webhook.rotate", &hook, Some(shown(&old)), Some(after)).await?;
        Ok((hook, made))
    }

    /// Deletes an inbound webhook: it lets nothing in any more.
    ///
    /// # Errors
    /// `NotFound` where there is none in the principal's tenant, `NotPermitted` where it may more than they.
    pub async fn delete_hook(&self, asker: impl Into<Asker<'_>>, id: HookId) -> Result<(), ControlError> {
        let asker = asker.into();
        let turn = self.turn(Some(asker), &asker.principal.tenant).await?;
        let hook = self.hook(asker.principal, id).ok_or(ControlError::NotFound("webhook"))?;
        // One that lets nothing in is anybody's.
        if self.hook_at(id).is_some() && self.admitted(&hook).authority.may_publish {
            self.must_hold_all_of(asker.principal, &hook.role, &hook.issuers)?;
        }
        let gone = ControlRecord { id, tenant: hook.tenant.clone(), owner: hook.user, at: self.ports.clock.now() };
        let audited = Change {
            action: "webhook.delete",
            target: id.to_string(),
            tenant: &hook.tenant,
            before: Some(shown(&hook)),
            after: None,
        };
        self.commit_in_turn(turn, Some(asker), vec![ControlChange::HookDeleted(gone)], audited).await?;
        self.note_if_gone(Used::Hook(id), &hook.tenant);
        Ok(())
    }

    /// The inbound webhooks of the principal's tenant, oldest first.
    pub fn hooks(&self, principal: &Principal) -> Vec<Arc<HookRecord>> {
        self.control.hooks_of(&principal.tenant)
    }

    /// An inbound webhook of the principal's tenant.
    pub fn hook(&self, principal: &Principal, id: HookId) -> Option<Arc<HookRecord>> {
        self.control.hook(id).filter(|hook| hook.tenant == principal.tenant)
    }

    /// The inbound webhook at an address, if there is one that has not ended: whoever knows the address
    /// may ask.
    pub fn hook_at(&self, id: HookId) -> Option<Arc<HookRecord>> {
        let now = self.ports.clock.now();
        self.control.hook(id).filter(|hook| hook.expires.is_none_or(|expires| expires > now))
    }

    /// What the head of a request to an inbound webhook claims. `field` gives a header field by its name in
    /// lower case: its text where it is there exactly once. `None` where no body could bear it out.
    pub fn claim<'a>(&self, hook: &HookRecord, field: impl Fn(&str) -> Option<&'a str>) -> Option<Claim> {
        Claim::read(hook, self.ports.clock.now(), field)
    }

    /// Whom a request speaks for, once its body bears out what it claimed.
    pub fn admit(&self, claim: &Claim, body: &[u8]) -> Option<Admitted> {
        // As it is now: a body may take its time.
        let hook = self.hook_at(claim.hook)?;
        let now = self.ports.clock.now();
        if !claim.holds(&hook.secrets, body, now) {
            return None;
        }
        self.uses.note(Used::Hook(hook.id), &hook.tenant, now);
        Some(self.admitted(&hook))
    }

    fn admitted(&self, hook: &HookRecord) -> Admitted {
        let permissions = self.control.permissions_of(&hook.tenant, &hook.role).unwrap_or_default().both(MAY);
        let own = self.control.role(&hook.tenant, &hook.role);
        Admitted {
            tenant: hook.tenant.clone(),
            user: hook.user,
            authority: Authority {
                namespace: hook.namespace.clone(),
                issuers: hook.issuers.clone(),
                may_publish: permissions.hold(Permission::EventsWrite),
                says_only: own.and_then(|role| role.says_only.clone()),
            },
        }
    }

    /// Refuses to give away what the giver does not hold.
    fn must_hold_all_of(&self, principal: &Principal, role: &RoleName, issuers: &Issuers) -> Result<(), ControlError> {
        let Some(permissions) = self.control.permissions_of(&principal.tenant, role) else {
            let detail = format!("there is no role `{role}` in your tenant; see /v1/roles");
            return Err(ControlError::invalid("/role", "unknown_role", detail));
        };
        if permissions.both(MAY) != MAY {
            let detail = format!("a webhook publishes, which the role `{role}` may not: it lacks {MAY}");
            return Err(ControlError::invalid("/role", "role_publishes_nothing", detail));
        }
        let not_permitted = |detail: &str| Err(ControlError::NotPermitted(detail.to_owned()));
        if !MAY.are_within(principal.permissions) {
            return not_permitted("a webhook may publish, and your key may not: it lacks events:write");
        }
        let is_bounded = principal.sees_only.is_some() || principal.authority.says_only.is_some();
        if is_bounded && *role != principal.role {
            return not_permitted(
                "your role sees or publishes some events only, so you make webhooks of that role only",
            );
        }
        let holds = match issuers {
            Issuers::All => principal.authority.issuers == Issuers::All,
            Issuers::Only(names) => names.iter().all(|name| principal.authority.speaks_for(name)),
        };
        if holds {
            return Ok(());
        }
        not_permitted("a key makes webhooks that speak for no one it does not speak for itself")
    }

    /// The given secret, or one drawn here, which is then also to be shown.
    fn hook_secret(
        &self,
        scheme: &HookScheme,
        given: Option<Secret<String>>,
    ) -> Result<(Secret<String>, Option<Secret<String>>), ControlError> {
        if let Some(secret) = given {
            let fault = |detail| ControlError::invalid("/secret", "invalid_secret", detail);
            return check_secret(scheme, &secret).map(|()| (secret, None)).map_err(fault);
        }
        let mut drawn = [0; 32];
        self.ports.randomness.fill(&mut drawn);
        let secret = secret_of(scheme, &drawn);
        Ok((secret.clone(), Some(secret)))
    }

    async fn commit_hook(
        &self,
        turn: Turn,
        asker: Asker<'_>,
        action: &'static str,
        hook: &HookRecord,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), PortError> {
        let audited = Change { action, target: hook.id.to_string(), tenant: &hook.tenant, before, after };
        self.commit_in_turn(turn, Some(asker), vec![ControlChange::Hook(Box::new(hook.clone()))], audited).await
    }
}

/// What the audit log says of an inbound webhook.
fn shown(hook: &HookRecord) -> Value {
    json!({
        "name": hook.name, "namespace": hook.namespace, "scheme": hook.scheme, "role": hook.role,
        "issuers": hook.issuers, "expires": hook.expires,
    })
}
