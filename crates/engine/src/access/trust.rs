//! Who may speak for whom, over all tenants: what the operator answers for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use tidings_core::filter::Filter;
use tidings_core::id::{TenantId, UserId};
use tidings_core::issuer;
use tidings_core::permission::{Permission, RoleName};
use tidings_core::port::{Fence, HookRecord, KeyRecord, PortError};
use tidings_core::principal::{Bound, Issuers, Principal};
use tidings_core::time::Timestamp;

use crate::engine::Engine;
use crate::identity::MemberRecord;

/// Members looked at together.
const PEOPLE_AT_ONCE: usize = 1_000;

/// Everyone who may publish in another name than their own.
#[derive(Debug, Clone, Serialize)]
pub struct Trust {
    /// By issuer, in order of names: those that are bound to somebody, and those that we know.
    pub issuers: Vec<TrustedIssuer>,
    /// Those who may speak for every issuer, by tenant.
    pub for_all: Vec<TrustedTenant>,
    /// How many keys and webhooks publish in their own name only.
    pub own_name_only: usize,
}

/// An issuer, and who may speak for it besides those who may for all.
#[derive(Debug, Clone, Serialize)]
pub struct TrustedIssuer {
    /// Its one name here.
    pub issuer: String,
    /// True where it is one that we know by more than one spelling.
    pub registered: bool,
    /// Its country, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<&'static str>,
    /// Who.
    pub speakers: Vec<Speaker>,
}

/// A key or an inbound webhook that may speak for an issuer.
#[derive(Debug, Clone, Serialize)]
pub struct Speaker {
    /// Of which tenant.
    pub tenant: TenantId,
    /// `key` or `webhook`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose it is.
    pub user: UserId,
    /// The name its user was made under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// As what it acts.
    pub role: RoleName,
    /// The events that it may publish, where it may publish some only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publishes: Option<Value>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// Those of a tenant that may speak for every issuer.
#[derive(Debug, Clone, Serialize)]
pub struct TrustedTenant {
    /// Which tenant.
    pub tenant: TenantId,
    /// How many keys and webhooks.
    pub speakers: usize,
    /// How many people, and with them the programs that they let in.
    pub people: usize,
    /// As what they act.
    pub roles: BTreeSet<RoleName>,
}

impl Engine {
    /// Who may speak for whom, over all tenants; keys that have ended or may not publish speak for nobody, as
    /// do people who may not enter. A program speaks as the person who let it in, else for itself alone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn trust(&self) -> Result<Trust, PortError> {
        let mut trust = Gathered {
            named: issuer::all().map(|issuer| (issuer.name.to_owned(), Vec::new())).collect(),
            for_all: BTreeMap::new(),
            own_name_only: 0,
        };
        let now = self.ports.clock.now();
        for tenant in self.control.tenants().iter().filter(|tenant| !tenant.state.is_closed()) {
            for key in self.control.keys_of(&tenant.id) {
                let principal = super::principal(&key, &self.control, now);
                if let Some(principal) = principal.filter(|principal| principal.authority.may_publish) {
                    trust.add(&key.issuers, of_key(&key, &principal));
                }
            }
            for hook in self.control.hooks_of(&tenant.id) {
                let may = self.control.permissions_of(&hook.tenant, &hook.role);
                let has_ended = hook.expires.is_some_and(|expires| expires <= now);
                if may.is_some_and(|may| may.hold(Permission::EventsWrite)) && !has_ended {
                    let role = self.control.role(&hook.tenant, &hook.role);
                    trust.add(&hook.issuers, of_hook(&hook, role.and_then(|role| role.says_only.clone())));
                }
            }
            self.add_people(&tenant.id, &mut trust).await?;
        }
        let Gathered { named, for_all, own_name_only } = trust;
        let issuers = named.into_iter().map(|(name, speakers)| {
            let known = issuer::registered(&name);
            let country = known.and_then(|known| known.country);
            TrustedIssuer { issuer: name, registered: known.is_some(), country, speakers }
        });
        Ok(Trust { issuers: issuers.collect(), for_all: for_all.into_values().collect(), own_name_only })
    }

    async fn add_people(&self, tenant: &TenantId, trust: &mut Gathered) -> Result<(), PortError> {
        let fence = Fence::Tenant(tenant.clone());
        let mut after: Option<String> = None;
        loop {
            let some = self.load_all::<MemberRecord>(&fence, "", after.as_deref(), PEOPLE_AT_ONCE).await?;
            let Some(last) = some.last() else { return Ok(()) };
            after = Some(last.key.name().to_owned());
            for member in some.iter().map(|member| &member.value) {
                let enters = member.joined.is_some() && !member.disabled;
                let may = self.control.permissions_of(tenant, &member.role);
                let publishes = may.is_some_and(|may| may.hold(Permission::EventsWrite));
                if enters && publishes && Issuers::of_role(&member.role) == Issuers::All {
                    trust.all_of(tenant).people += 1;
                    trust.all_of(tenant).roles.insert(member.role.clone());
                }
            }
        }
    }
}

/// What is found so far.
struct Gathered {
    named: BTreeMap<String, Vec<Speaker>>,
    for_all: BTreeMap<TenantId, TrustedTenant>,
    own_name_only: usize,
}

impl Gathered {
    fn add(&mut self, issuers: &Issuers, speaker: Speaker) {
        match issuers {
            Issuers::Only(names) if names.is_empty() => self.own_name_only += 1,
            Issuers::Only(names) => {
                for name in names {
                    self.named.entry(name.clone()).or_default().push(speaker.clone());
                }
            }
            Issuers::All => {
                let all = self.all_of(&speaker.tenant);
                all.speakers += 1;
                all.roles.insert(speaker.role);
            }
        }
    }

    /// Those of a tenant that may speak for all.
    fn all_of(&mut self, tenant: &TenantId) -> &mut TrustedTenant {
        self.for_all.entry(tenant.clone()).or_insert_with(|| TrustedTenant {
            tenant: tenant.clone(),
            speakers: 0,
            people: 0,
            roles: BTreeSet::new(),
        })
    }
}

fn of_key(key: &KeyRecord, principal: &Principal) -> Speaker {
    let bound = principal.authority.says_only.as_ref();
    Speaker {
        tenant: key.tenant.clone(),
        kind: "key",
        id: key.id.to_string(),
        name: key.name.clone(),
        user: key.user,
        user_name: key.user_name.clone(),
        role: key.role.clone(),
        publishes: bound.map(|bound| Filter::to_json(bound.filter())),
        expires: key.expires,
    }
}

fn of_hook(hook: &HookRecord, bound: Option<Bound>) -> Speaker {
    Speaker {
        tenant: hook.tenant.clone(),
        kind: "webhook",
        id: hook.id.to_string(),
        name: Some(hook.name.to_string()),
        user: hook.user,
        user_name: None,
        role: hook.role.clone(),
        publishes: bound.map(|bound| Filter::to_json(bound.filter())),
        expires: hook.expires,
    }
}
