//! API keys: made, given an end, replaced and revoked.

use std::sync::Arc;

use serde_json::{Value, json};
use tidings_core::id::{KeyId, TenantId, UserId};
use tidings_core::permission::{Permissions, Role, RoleName};
use tidings_core::port::{ControlChange, ControlRecord, KeyRecord, PortError};
use tidings_core::principal::{Issuers, Principal, UserName};
use tidings_core::secret::Secret;
use tidings_core::time::Timestamp;

use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Turn;
use crate::subscriptions::ControlError;
use crate::used::Used;

/// What a key is to be.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose data it opens.
    pub tenant: TenantId,
    /// Whose subscriptions and inbox it uses; a user of its own when `None`.
    pub user_name: Option<UserName>,
    /// The service account that is its user, where it is one.
    pub service_account: Option<UserId>,
    /// What it is called, to tell it from others of its user.
    pub name: Option<String>,
    /// As what it acts.
    pub role: RoleName,
    /// What it may do of what its role may; all of it when `None`.
    pub scopes: Option<Permissions>,
    /// For whom it may speak, besides its own namespace; the role's default when `None`.
    pub issuers: Option<Issuers>,
    /// From then on it opens nothing; never, when `None`.
    pub expires: Option<Timestamp>,
}

impl NewKey {
    /// A key that may do all that a role may, for good.
    pub fn of(tenant: TenantId, role: Role) -> Self {
        Self {
            tenant,
            user_name: None,
            service_account: None,
            name: None,
            role: role.into(),
            scopes: None,
            issuers: None,
            expires: None,
        }
    }
}

/// A key as its holder writes it; shown once, never logged.
pub type SecretKey = Secret<String>;

impl Engine {
    /// True before the first key is made.
    pub fn has_no_key(&self) -> bool {
        self.control.has_no_key()
    }

    /// The first key of a server, or one made by the machine's own administrator; it works once this
    /// returns.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn create_key(&self, new: NewKey) -> Result<(KeyRecord, SecretKey), PortError> {
        let turn = self.turn(None, &new.tenant).await.map_err(|fault| match fault {
            ControlError::Port(fault) => fault,
            other => PortError::later("make a key", other),
        })?;
        self.make_key(turn, None, new).await
    }

    async fn make_key(
        &self,
        turn: Turn,
        asker: Option<Asker<'_>>,
        new: NewKey,
    ) -> Result<(KeyRecord, SecretKey), PortError> {
        let user = match &new.user_name {
            Some(name) => named_user(&new.tenant, name),
            None => UserId::from_bytes(self.draw_id()),
        };
        let default_issuers = Issuers::of_role(&new.role);
        let (record, secret) = self.draw_key(KeyRecord {
            id: KeyId::from_bytes([0; 16]),
            hash: String::new(),
            tenant: new.tenant,
            user,
            user_name: new.user_name.map(|name| name.as_str().to_owned()),
            name: new.name,
            role: new.role,
            scopes: new.scopes,
            issuers: new.issuers.unwrap_or(default_issuers),
            created: self.ports.clock.now(),
            expires: new.expires,
            is_of_service: new.service_account.is_some(),
        });
        let audited = Change {
            action: "key.create",
            target: record.id.to_string(),
            tenant: &record.tenant,
            before: None,
            after: Some(shown(&record)),
        };
        self.commit_in_turn(turn, asker, vec![ControlChange::Key(Box::new(record.clone()))], audited).await?;
        Ok((record, secret))
    }

    /// A key made by someone: never more than they may do, see or say themselves.
    ///
    /// # Errors
    /// `NotPermitted` where it would be, `Invalid` for a role that is not there or an end that has
    /// passed.
    pub async fn grant_key(
        &self,
        asker: impl Into<Asker<'_>>,
        new: NewKey,
    ) -> Result<(KeyRecord, SecretKey), ControlError> {
        let asker = asker.into();
        let principal = asker.principal;
        if new.tenant != principal.tenant && !principal.is_operator() {
            return Err(ControlError::NotPermitted("a key of this tenant makes keys of this tenant only".to_owned()));
        }
        let turn = self.turn(Some(asker), &new.tenant).await?;
        if self.control.closed().contains(&new.tenant) {
            let detail = format!("the tenant {} was deleted, and does not come back", new.tenant);
            return Err(ControlError::InUse(detail));
        }
        if new.expires.is_some_and(|expires| expires <= self.ports.clock.now()) {
            let detail = "`expires` has passed; leave it out for a key without an end";
            return Err(ControlError::invalid("/expires", "invalid_time", detail));
        }
        self.must_be_named(&new)?;
        self.must_hold_role(principal, &new.tenant, &new.role, new.scopes)?;
        if let Some(name) = &new.user_name {
            self.must_reach_user(principal, &new.tenant, named_user(&new.tenant, name))?;
        }
        must_speak_for(principal, new.issuers.as_ref().unwrap_or(&Issuers::of_role(&new.role)))?;
        Ok(self.make_key(turn, Some(asker), new).await?)
    }

    /// Replaces a key: a new one with the same rights and the same user, while the old one goes on
    /// until `overlap_ends` at most.
    ///
    /// # Errors
    /// `NotFound` when the principal reaches no such key, `NotPermitted` where it may do more than they.
    pub async fn rotate_key(
        &self,
        asker: impl Into<Asker<'_>>,
        id: KeyId,
        overlap_ends: Timestamp,
    ) -> Result<(KeyRecord, SecretKey), ControlError> {
        let asker = asker.into();
        let principal = asker.principal;
        let (turn, old) = self.turn_at_key(asker, id).await?;
        super::principal(&old, &self.control, self.ports.clock.now()).ok_or(ControlError::NotFound("key"))?;
        if Some(id) != principal.credential.key() {
            // Who has the new one acts as its user: no less is asked than to make it.
            self.must_hold_role(principal, &old.tenant, &old.role, old.scopes)?;
            must_speak_for(principal, &old.issuers)?;
            self.must_reach_user(principal, &old.tenant, old.user)?;
        }
        let ends = old.expires.map_or(overlap_ends, |expires| expires.min(overlap_ends));
        let (new, secret) = self.draw_key(KeyRecord { created: self.ports.clock.now(), ..(*old).clone() });
        let ending = KeyRecord { expires: Some(ends), ..(*old).clone() };
        let audited = Change {
            action: "key.rotate",
            target: id.to_string(),
            tenant: &old.tenant,
            before: Some(shown(&old)),
            after: Some(json!({ "expires": ends, "replaced_by": new.id })),
        };
        let changes = [new.clone(), ending].map(|key| ControlChange::Key(Box::new(key)));
        self.commit_in_turn(turn, Some(asker), changes.into(), audited).await?;
        Ok((new, secret))
    }

    /// Revokes a key for good: it opens nothing any more, and streams opened with it end.
    ///
    /// # Errors
    /// `NotFound` when the principal reaches no such key, `NotPermitted` where it may do more than they.
    pub async fn revoke_key(&self, asker: impl Into<Asker<'_>>, id: KeyId) -> Result<(), ControlError> {
        let asker = asker.into();
        let (turn, key) = self.turn_at_key(asker, id).await?;
        self.must_reach(asker.principal, &key)?;
        let gone = ControlRecord { id, tenant: key.tenant.clone(), owner: key.user, at: self.ports.clock.now() };
        let audited = Change {
            action: "key.revoke",
            target: id.to_string(),
            tenant: &key.tenant,
            before: Some(shown(&key)),
            after: None,
        };
        self.commit_in_turn(turn, Some(asker), vec![ControlChange::KeyRevoked(gone)], audited).await?;
        self.note_if_gone(Used::Key(id), &key.tenant);
        Ok(())
    }

    /// The keys of the principal's tenant, oldest first.
    pub fn keys(&self, principal: &Principal) -> Vec<Arc<KeyRecord>> {
        self.control.keys_of(&principal.tenant)
    }

    /// Refuses what would act as a role that may do more than the one who makes it.
    pub(crate) fn must_hold_role(
        &self,
        principal: &Principal,
        tenant: &TenantId,
        role: &RoleName,
        scopes: Option<Permissions>,
    ) -> Result<(), ControlError> {
        let Some(permissions) = self.control.permissions_of(tenant, role) else {
            let detail = format!(
                "there is no role `{role}` in tenant {tenant}; there are admin, curator, viewer and those of /v1/roles"
            );
            return Err(ControlError::invalid("/role", "unknown_role", detail));
        };
        let granted = permissions.both(scopes.unwrap_or(Permissions::ALL));
        if !principal.may_give(granted, tenant) {
            let detail =
                format!("a key makes keys that may do no more than itself; yours holds: {}", principal.permissions);
            return Err(ControlError::NotPermitted(detail));
        }
        let is_bounded = principal.sees_only.is_some() || principal.authority.says_only.is_some();
        if is_bounded && *role != principal.role {
            let detail = "your role sees or publishes some events only, so you make keys of that role only";
            return Err(ControlError::NotPermitted(detail.to_owned()));
        }
        Ok(())
    }

    /// A key of a service account has its name and acts as it does; no other key is in its name.
    fn must_be_named(&self, new: &NewKey) -> Result<(), ControlError> {
        let of_name = new.user_name.as_ref().map(|name| named_user(&new.tenant, name));
        let account = of_name.and_then(|user| self.control.service_account(user));
        match (new.service_account, account) {
            (None, None) => Ok(()),
            (Some(id), Some(account)) if account.id == id && account.role == new.role => Ok(()),
            (None, Some(account)) => {
                let detail =
                    format!("`user` is a service account; make its keys with `service_account` {}", account.id);
                Err(ControlError::invalid("/user", "names_service_account", detail))
            }
            (Some(_), _) => {
                let detail = "`service_account` must be one of your tenant, see /v1/service-accounts";
                Err(ControlError::invalid("/service_account", "unknown_service_account", detail))
            }
        }
    }

    /// Refuses a key in the name of a user who has one that may do more: who holds it acts as them.
    fn must_reach_user(&self, by: &Principal, tenant: &TenantId, user: UserId) -> Result<(), ControlError> {
        let now = self.ports.clock.now();
        let keys = self.control.keys_of(tenant);
        let mut of_user = keys.iter().filter(|key| key.user == user);
        let may_more = of_user.any(|key| {
            let stands_for = super::principal(key, &self.control, now);
            stands_for.is_some_and(|principal| !by.may_give(principal.permissions, tenant))
        });
        let detail = "that user has a key that may do more than yours, so you make none in their name";
        if may_more { Err(ControlError::NotPermitted(detail.to_owned())) } else { Ok(()) }
    }

    /// Refuses to end a key that may do more than the one who ends it; one that opens nothing is anybody's.
    fn must_reach(&self, by: &Principal, key: &KeyRecord) -> Result<(), ControlError> {
        let Some(of_key) = super::principal(key, &self.control, self.ports.clock.now()) else { return Ok(()) };
        let is_bounded = by.sees_only.is_some() || by.authority.says_only.is_some();
        let is_within = by.may_give(of_key.permissions, &key.tenant)
            && (!is_bounded || key.role == by.role)
            && must_speak_for(by, &key.issuers).is_ok();
        let detail = "that key may do more than yours, so you do not end it; ask one who may";
        if is_within { Ok(()) } else { Err(ControlError::NotPermitted(detail.to_owned())) }
    }

    /// A key within the asker's reach, as it is when it is their turn to change it.
    async fn turn_at_key(&self, asker: Asker<'_>, id: KeyId) -> Result<(Turn, Arc<KeyRecord>), ControlError> {
        let none = || ControlError::NotFound("key");
        let tenant = self.key_within_reach(asker.principal, id).ok_or_else(none)?.tenant.clone();
        let turn = self.turn(Some(asker), &tenant).await?;
        Ok((turn, self.key_within_reach(asker.principal, id).ok_or_else(none)?))
    }

    /// A key of the principal's tenant; the operator's tenant reaches every key.
    fn key_within_reach(&self, principal: &Principal, id: KeyId) -> Option<Arc<KeyRecord>> {
        self.control.key_of(id).filter(|key| principal.is_operator() || key.tenant == principal.tenant)
    }

    /// Gives a key its id and its secret.
    fn draw_key(&self, record: KeyRecord) -> (KeyRecord, SecretKey) {
        let mut secret = [0; 32];
        self.ports.randomness.fill(&mut secret);
        let secret = SecretKey::new(format!("tk_{}", hex(&secret)));
        (KeyRecord { id: KeyId::from_bytes(self.draw_id()), hash: hash(secret.reveal()), ..record }, secret)
    }
}

/// Refuses what would speak for someone whom the one who makes it does not speak for.
fn must_speak_for(principal: &Principal, issuers: &Issuers) -> Result<(), ControlError> {
    let may = match issuers {
        Issuers::All => principal.authority.issuers == Issuers::All,
        Issuers::Only(names) => names.iter().all(|name| principal.authority.speaks_for(name)),
    };
    let detail = "a key makes keys that speak for no one it does not speak for itself";
    if may { Ok(()) } else { Err(ControlError::NotPermitted(detail.to_owned())) }
}

/// What the audit log says of a key.
fn shown(key: &KeyRecord) -> Value {
    json!({
        "user": key.user, "user_name": key.user_name, "name": key.name, "role": key.role, "scopes": key.scopes,
        "issuers": key.issuers, "expires": key.expires, "of_service": key.is_of_service,
    })
}

/// The same name in the same tenant is the same user, with every key made for it.
pub(super) fn named_user(tenant: &TenantId, name: &UserName) -> UserId {
    UserId::derived(&[tenant.as_str().as_bytes(), name.as_str().as_bytes()])
}

/// SHA-256 of a key. Keys hold 256 random bits, so a slow hash would add nothing.
pub(super) fn hash(key: &str) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
