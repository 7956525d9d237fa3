//! Roles that a tenant makes for itself: some permissions, over some of the events.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tidings_core::filter::{Fault, Filter};
use tidings_core::id::TenantId;
use tidings_core::permission::{Permission, Permissions, Role, RoleName};
use tidings_core::port::{ControlChange, Fence, PortError, RoleGone, RoleRecord};
use tidings_core::principal::{Bound, Principal};
use tidings_core::subscription::Subscription;

use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::identity::MemberRecord;
use crate::oauth::ClientRecord;
use crate::subscriptions::ControlError;

/// Roles that one tenant may make.
const ROLES_MAX: usize = 100;

/// A role as it is written: `scopes`, and if need be `description`, `sees` and `publishes`.
#[derive(Debug, Clone, Default)]
pub struct RoleDraft(pub Map<String, Value>);

/// A role as it is shown, one that every tenant has or one of the tenant's own.
#[derive(Debug, Clone, Serialize)]
pub struct RoleView {
    /// What it is called.
    pub name: RoleName,
    /// True for one that every tenant has and nobody changes.
    pub built_in: bool,
    /// From 1; 0 for those that every tenant has.
    pub revision: u32,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it may do.
    pub scopes: Permissions,
    /// The events that it sees; all, when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sees: Option<Value>,
    /// The events that it may publish; any, when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publishes: Option<Value>,
}

impl Engine {
    /// Every role of the principal's tenant: those that every tenant has, then its own by name.
    pub fn tenant_roles(&self, principal: &Principal) -> Vec<RoleView> {
        let own = self.control.roles_of(&principal.tenant);
        Role::ALL.into_iter().map(built_in).chain(own.iter().map(|role| view(&role.record))).collect()
    }

    /// One role of the principal's tenant.
    pub fn tenant_role(&self, principal: &Principal, name: &RoleName) -> Option<RoleView> {
        let own = || self.control.role(&principal.tenant, name).map(|role| view(&role.record));
        name.built_in().map(built_in).or_else(own)
    }

    /// Makes a role, or changes it; subscriptions made under it follow, and streams opened under it end.
    /// `expected` is the revision that the change was made from, `None` for a new role.
    ///
    /// # Errors
    /// See [`ControlError`]. A role never holds more than the one who writes it.
    pub async fn put_tenant_role(
        &self,
        asker: impl Into<Asker<'_>>,
        name: RoleName,
        draft: RoleDraft,
        expected: Option<u32>,
    ) -> Result<RoleView, ControlError> {
        let asker = asker.into();
        let principal = asker.principal;
        if name.built_in().is_some() {
            return Err(ControlError::NotPermitted(format!("every tenant has the role {name}, and nobody changes it")));
        }
        let wanted = read(draft.0).map_err(ControlError::Invalid)?;
        let turn = self.turn(Some(asker), &principal.tenant).await?;
        self.must_hold(principal, wanted.permissions)?;
        let before = self.control.role(&principal.tenant, &name);
        let revision = before.as_ref().map(|role| role.record.revision);
        if revision != expected {
            return Err(ControlError::Stale(revision.unwrap_or_default()));
        }
        if let Some(before) = &before {
            self.must_hold(principal, before.record.permissions)?;
        }
        if before.is_none() && self.control.roles_of(&principal.tenant).len() >= ROLES_MAX {
            return Err(ControlError::QuotaReached(ROLES_MAX));
        }
        let record = RoleRecord {
            tenant: principal.tenant.clone(),
            name,
            revision: revision.unwrap_or_default() + 1,
            description: wanted.description,
            permissions: wanted.permissions,
            sees: wanted.sees,
            publishes: wanted.publishes,
            updated: self.ports.clock.now(),
        };
        let following = self.control.wishes_under(&record.tenant, &record.name);
        let as_read = following.iter().map(|wish| (wish.subscription.id, wish.subscription.revision)).collect();
        let following = following.into_iter().map(|wish| Subscription {
            revision: wish.subscription.revision + 1,
            sees_restricted: record.permissions.hold(Permission::RestrictedRead),
            sees_devices: record.permissions.hold(Permission::DeviceRead),
            sees_only: record.sees.clone(),
            updated: record.updated,
            ..(*wish.subscription).clone()
        });
        let role = ControlChange::Role(Box::new(record.clone()));
        let changes = std::iter::once(role).chain(following.map(|it| ControlChange::Subscription(Box::new(it))));
        let audited = Change {
            action: "role.put",
            target: record.name.to_string(),
            tenant: &record.tenant,
            before: before.map(|role| json!(view(&role.record))),
            after: Some(json!(view(&record))),
        };
        self.commit_in_turn(turn.with(as_read), Some(asker), changes.collect(), audited).await?;
        Ok(view(&record))
    }

    /// Deletes a role that no key, webhook or service account acts as.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn delete_tenant_role(
        &self,
        asker: impl Into<Asker<'_>>,
        name: &RoleName,
        expected: u32,
    ) -> Result<(), ControlError> {
        let asker = asker.into();
        let principal = asker.principal;
        let turn = self.turn(Some(asker), &principal.tenant).await?;
        let role = self.control.role(&principal.tenant, name).ok_or(ControlError::NotFound("role"))?;
        if role.record.revision != expected {
            return Err(ControlError::Stale(role.record.revision));
        }
        self.must_hold(principal, role.record.permissions)?;
        let holders = self.control.keys_of(&principal.tenant).iter().filter(|key| key.role == *name).count();
        let hooks = self.control.hooks_of(&principal.tenant).iter().filter(|hook| hook.role == *name).count();
        let accounts = self.control.service_accounts_of(&principal.tenant);
        let accounts = accounts.iter().filter(|account| account.role == *name).count();
        let (people, programs) = self.people_and_programs_of(&principal.tenant, name).await?;
        if holders + hooks + accounts + people + programs > 0 {
            let detail = format!(
                "{holders} key(s), {hooks} webhook(s), {accounts} service account(s), {people} member(s) and {programs} \
                 program(s) act as {name}; end them first, or give the role other scopes"
            );
            return Err(ControlError::InUse(detail));
        }
        let gone = RoleGone { tenant: principal.tenant.clone(), name: name.clone(), at: self.ports.clock.now() };
        let audited = Change {
            action: "role.delete",
            target: name.to_string(),
            tenant: &principal.tenant,
            before: Some(json!(view(&role.record))),
            after: None,
        };
        self.commit_in_turn(turn, Some(asker), vec![ControlChange::RoleDeleted(gone)], audited).await?;
        Ok(())
    }

    /// How many members and clients of a tenant act as a role.
    async fn people_and_programs_of(&self, tenant: &TenantId, role: &RoleName) -> Result<(usize, usize), PortError> {
        let fence = Fence::Tenant(tenant.clone());
        let members = self.load_all::<MemberRecord>(&fence, "", None, usize::MAX).await?;
        let clients = self.load_all::<ClientRecord>(&fence, "", None, usize::MAX).await?;
        let people = members.iter().filter(|member| member.value.role == *role).count();
        Ok((people, clients.iter().filter(|client| client.value.role.as_ref() == Some(role)).count()))
    }

    /// Refuses to give away what the giver does not hold.
    fn must_hold(&self, principal: &Principal, granted: Permissions) -> Result<(), ControlError> {
        let is_bounded = principal.sees_only.is_some() || principal.authority.says_only.is_some();
        if is_bounded {
            let detail = "your role sees or publishes some events only, so it makes no roles";
            return Err(ControlError::NotPermitted(detail.to_owned()));
        }
        if granted.are_within(principal.permissions) {
            return Ok(());
        }
        let detail = format!("a role holds no more than the one who writes it; you hold: {}", principal.permissions);
        Err(ControlError::NotPermitted(detail))
    }
}

struct Wanted {
    description: Option<String>,
    permissions: Permissions,
    sees: Option<Filter>,
    publishes: Option<Filter>,
}

/// Reads a role, naming every fault.
fn read(mut members: Map<String, Value>) -> Result<Wanted, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, detail: String| {
        faults.push(Fault { pointer: pointer.to_owned(), code: "invalid_field", detail });
    };
    let permissions = match members.remove("scopes").map(serde_json::from_value::<Permissions>) {
        Some(Ok(permissions)) => permissions,
        Some(Err(cause)) => {
            fault("/scopes", format!("`scopes` is a list of scopes: {cause}"));
            Permissions::NONE
        }
        None => {
            fault("/scopes", format!("`scopes` must be there: a list of some of {}", Permissions::ALL));
            Permissions::NONE
        }
    };
    let description = members.remove("description").filter(|text| !text.is_null()).and_then(|text| {
        let text = text.as_str().filter(|text| text.len() <= 500).map(str::to_owned);
        if text.is_none() {
            fault("/description", "`description` is a text of 500 bytes at most".to_owned());
        }
        text
    });
    let bounds = ["sees", "publishes"].map(|name| members.remove(name).filter(|filter| !filter.is_null()));
    for name in members.keys() {
        fault(&format!("/{name}"), "this is not a member of a role: description, scopes, sees, publishes".to_owned());
    }
    let [sees, publishes] = [("/sees", &bounds[0]), ("/publishes", &bounds[1])].map(|(pointer, filter)| {
        let bound = Filter::from_json(filter.as_ref()?).and_then(Bound::new);
        let under = |fault: Fault| Fault { pointer: format!("{pointer}{}", fault.pointer), ..fault };
        bound.map_err(|found| faults.extend(found.into_iter().map(under))).ok().map(|bound| bound.filter().clone())
    });
    if faults.is_empty() { Ok(Wanted { description, permissions, sees, publishes }) } else { Err(faults) }
}

fn built_in(role: Role) -> RoleView {
    RoleView {
        name: role.into(),
        built_in: true,
        revision: 0,
        description: None,
        scopes: role.permissions(),
        sees: None,
        publishes: None,
    }
}

fn view(record: &RoleRecord) -> RoleView {
    RoleView {
        name: record.name.clone(),
        built_in: false,
        revision: record.revision,
        description: record.description.clone(),
        scopes: record.permissions,
        sees: record.sees.as_ref().map(Filter::to_json),
        publishes: record.publishes.as_ref().map(Filter::to_json),
    }
}
