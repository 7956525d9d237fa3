//! Keys and subscriptions as they stand now, in memory; the store has every revision.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use tidings_core::decide::Wish;
use tidings_core::filter::Filter;
use tidings_core::id::{HookId, KeyId, SubscriptionId, TenantId, UserId};
use tidings_core::permission::{Permissions, RoleName};
use tidings_core::port::{
    ControlChange, ControlStore, HookRecord, KeyRecord, PortError, RoleRecord, ServiceAccountRecord, StoredChange,
};
use tidings_core::position::Position;
use tidings_core::principal::Bound;
use tidings_core::subscription::Subscription;
use tidings_core::tenant::{TenantRecord, TenantState};
use tidings_core::time::Timestamp;
use tokio::sync::watch;
use tracing::error;

use crate::expected::access_of;

/// Changes read from the store at once.
const CHANGES_AT_ONCE: usize = 10_000;

/// What governs judgments now. Readers see a change once it is durable.
#[derive(Debug, Default)]
pub(crate) struct Control {
    now: RwLock<Now>,
    /// How many times someone's rights were cut or changed.
    rights: watch::Sender<u64>,
}

/// A role that a tenant made for itself, ready to judge by.
#[derive(Debug)]
pub(crate) struct TenantRole {
    pub record: RoleRecord,
    pub sees_only: Option<Bound>,
    pub says_only: Option<Bound>,
}

#[derive(Debug, Default)]
struct Now {
    /// By SHA-256 of the key.
    keys: HashMap<String, Arc<KeyRecord>>,
    keys_by_id: HashMap<KeyId, Arc<KeyRecord>>,
    roles: HashMap<(TenantId, RoleName), Arc<TenantRole>>,
    hooks: HashMap<HookId, Arc<HookRecord>>,
    service_accounts: HashMap<UserId, Arc<ServiceAccountRecord>>,
    tenants: HashMap<TenantId, Arc<TenantRecord>>,
    /// Those that never come back; replaced as a whole, since who asks keeps it for a while.
    closed: Arc<HashSet<TenantId>>,
    wishes: HashMap<SubscriptionId, Wish>,
    owned: HashMap<(TenantId, UserId), Vec<SubscriptionId>>,
    /// How many a tenant has.
    subscriptions: HashMap<TenantId, u64>,
    /// How many times who may do what in a tenant was changed since the start.
    access: HashMap<TenantId, u64>,
}

impl Now {
    /// A tenant begins with its first key, where nobody has made it before.
    fn begin_tenant(&mut self, key: &KeyRecord) {
        if !self.tenants.contains_key(&key.tenant) {
            let record = TenantRecord::begun(key.tenant.clone(), key.created);
            self.tenants.insert(key.tenant.clone(), Arc::new(record));
        }
    }

    fn set_tenant(&mut self, record: TenantRecord) {
        let id = record.id.clone();
        if record.state.is_closed() && !self.closed.contains(&id) {
            let mut closed = HashSet::clone(&self.closed);
            closed.insert(id.clone());
            self.closed = Arc::new(closed);
        }
        if record.state == TenantState::Erased {
            self.forget(&id);
        }
        self.tenants.insert(id, Arc::new(record));
    }

    /// Everything of a tenant but its record.
    fn forget(&mut self, tenant: &TenantId) {
        self.keys.retain(|_, key| key.tenant != *tenant);
        self.keys_by_id.retain(|_, key| key.tenant != *tenant);
        self.hooks.retain(|_, hook| hook.tenant != *tenant);
        self.service_accounts.retain(|_, account| account.tenant != *tenant);
        self.roles.retain(|(of, _), _| of != tenant);
        self.wishes.retain(|_, wish| wish.subscription.tenant != *tenant);
        self.owned.retain(|(of, _), _| of != tenant);
        self.subscriptions.remove(tenant);
    }
}

impl Control {
    /// What the store holds.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: &dyn ControlStore, start: Position) -> Result<Self, PortError> {
        let control = Self::default();
        each_change(store, start, |change| control.apply(change.change)).await?;
        Ok(control)
    }

    /// Has a tenant begin that nobody has made.
    pub fn begin(&self, tenant: TenantId, at: Timestamp) {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        now.tenants.entry(tenant.clone()).or_insert_with(|| Arc::new(TenantRecord::begun(tenant, at)));
    }

    /// Takes in a durable change.
    pub fn apply(&self, change: ControlChange) {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(tenant) = access_of(&change) {
            *now.access.entry(tenant.clone()).or_default() += 1;
        }
        match change {
            ControlChange::Tenant(record) => {
                now.set_tenant(*record);
                self.rights.send_modify(|count| *count += 1);
            }
            ControlChange::Key(key) => {
                let key = Arc::new(*key);
                now.begin_tenant(&key);
                now.keys_by_id.insert(key.id, key.clone());
                let before = now.keys.insert(key.hash.clone(), key);
                if before.is_some() {
                    self.rights.send_modify(|count| *count += 1);
                }
            }
            ControlChange::Role(role) => {
                let role = compiled(*role);
                now.roles.insert((role.record.tenant.clone(), role.record.name.clone()), Arc::new(role));
                self.rights.send_modify(|count| *count += 1);
            }
            ControlChange::RoleDeleted(gone) => {
                now.roles.remove(&(gone.tenant, gone.name));
                self.rights.send_modify(|count| *count += 1);
            }
            ControlChange::Hook(hook) => {
                now.hooks.insert(hook.id, Arc::new(*hook));
            }
            ControlChange::HookDeleted(gone) => {
                now.hooks.remove(&gone.id);
            }
            ControlChange::ServiceAccount(account) => {
                if now.service_accounts.insert(account.id, Arc::new(*account)).is_some() {
                    self.rights.send_modify(|count| *count += 1);
                }
            }
            ControlChange::ServiceAccountDeleted(gone) => {
                now.service_accounts.remove(&gone.id);
                self.rights.send_modify(|count| *count += 1);
            }
            ControlChange::KeyRevoked(gone) => {
                if let Some(key) = now.keys_by_id.remove(&gone.id) {
                    now.keys.remove(&key.hash);
                }
                self.rights.send_modify(|count| *count += 1);
            }
            ControlChange::Subscription(subscription) => {
                let Some(wish) = wish_of(*subscription) else { return };
                let owner = (wish.subscription.tenant.clone(), wish.subscription.owner);
                let id = wish.subscription.id;
                if now.wishes.insert(id, wish).is_none() {
                    *now.subscriptions.entry(owner.0.clone()).or_default() += 1;
                    now.owned.entry(owner).or_default().push(id);
                }
            }
            ControlChange::SubscriptionDeleted(gone) => {
                if now.wishes.remove(&gone.id).is_some()
                    && let Some(count) = now.subscriptions.get_mut(&gone.tenant)
                {
                    *count -= 1;
                }
                if let Some(owned) = now.owned.get_mut(&(gone.tenant, gone.owner)) {
                    owned.retain(|id| *id != gone.id);
                }
            }
        }
    }

    /// The key with this hash.
    pub fn key(&self, hash: &str) -> Option<Arc<KeyRecord>> {
        self.read(|now| now.keys.get(hash).cloned())
    }

    /// The key with this id.
    pub fn key_of(&self, id: KeyId) -> Option<Arc<KeyRecord>> {
        self.read(|now| now.keys_by_id.get(&id).cloned())
    }

    /// A tenant's keys, oldest first.
    pub fn keys_of(&self, tenant: &TenantId) -> Vec<Arc<KeyRecord>> {
        let mut keys: Vec<_> =
            self.read(|now| now.keys_by_id.values().filter(|key| key.tenant == *tenant).cloned().collect());
        keys.sort_by_key(|key| (key.created, key.id));
        keys
    }

    /// How many times someone's rights were cut or changed.
    pub fn rights_count(&self) -> u64 {
        *self.rights.borrow()
    }

    /// Changes whenever someone's rights are cut or changed.
    pub fn rights(&self) -> watch::Receiver<u64> {
        self.rights.subscribe()
    }

    /// A tenant's own role.
    pub fn role(&self, tenant: &TenantId, name: &RoleName) -> Option<Arc<TenantRole>> {
        self.read(|now| now.roles.get(&(tenant.clone(), name.clone())).cloned())
    }

    /// What a role lets one do; `None` where there is no such role.
    pub fn permissions_of(&self, tenant: &TenantId, name: &RoleName) -> Option<Permissions> {
        match name.built_in() {
            Some(role) => Some(role.permissions()),
            None => self.role(tenant, name).map(|role| role.record.permissions),
        }
    }

    /// A tenant's own roles, by name.
    pub fn roles_of(&self, tenant: &TenantId) -> Vec<Arc<TenantRole>> {
        let own = |(of, _): &(&(TenantId, RoleName), &Arc<TenantRole>)| of.0 == *tenant;
        let mut roles: Vec<_> = self.read(|now| now.roles.iter().filter(own).map(|(_, role)| role.clone()).collect());
        roles.sort_by(|left, right| left.record.name.cmp(&right.record.name));
        roles
    }

    /// The inbound webhook with this id.
    pub fn hook(&self, id: HookId) -> Option<Arc<HookRecord>> {
        self.read(|now| now.hooks.get(&id).cloned())
    }

    /// A tenant's inbound webhooks, oldest first.
    pub fn hooks_of(&self, tenant: &TenantId) -> Vec<Arc<HookRecord>> {
        let mut hooks: Vec<_> =
            self.read(|now| now.hooks.values().filter(|hook| hook.tenant == *tenant).cloned().collect());
        hooks.sort_by_key(|hook| (hook.created, hook.id));
        hooks
    }

    /// The service account that is this user.
    pub fn service_account(&self, id: UserId) -> Option<Arc<ServiceAccountRecord>> {
        self.read(|now| now.service_accounts.get(&id).cloned())
    }

    /// A tenant's service accounts, oldest first.
    pub fn service_accounts_of(&self, tenant: &TenantId) -> Vec<Arc<ServiceAccountRecord>> {
        let own = |account: &&Arc<ServiceAccountRecord>| account.tenant == *tenant;
        let mut accounts: Vec<_> = self.read(|now| now.service_accounts.values().filter(own).cloned().collect());
        accounts.sort_by_key(|account| (account.created, account.id));
        accounts
    }

    /// The subscriptions that follow a tenant's own role, oldest first.
    pub fn wishes_under(&self, tenant: &TenantId, role: &RoleName) -> Vec<Wish> {
        let follows =
            |wish: &&Wish| wish.subscription.tenant == *tenant && wish.subscription.role.as_ref() == Some(role);
        let mut wishes: Vec<Wish> = self.read(|now| now.wishes.values().filter(follows).cloned().collect());
        wishes.sort_by_key(|wish| wish.subscription.id);
        wishes
    }

    /// A tenant, if it was made or has begun with a key.
    pub fn tenant(&self, id: &TenantId) -> Option<Arc<TenantRecord>> {
        self.read(|now| now.tenants.get(id).cloned())
    }

    /// Every tenant, by id.
    pub fn tenants(&self) -> Vec<Arc<TenantRecord>> {
        let mut tenants: Vec<_> = self.read(|now| now.tenants.values().cloned().collect());
        tenants.sort_by(|left, right| left.id.cmp(&right.id));
        tenants
    }

    /// True where a tenant is served; one that nobody has made is.
    pub fn is_open(&self, tenant: &TenantId) -> bool {
        self.read(|now| now.tenants.get(tenant).is_none_or(|record| record.state.is_open()))
    }

    /// The tenants whose events one sees besides its own.
    pub fn reads_of(&self, tenant: &TenantId) -> Vec<TenantId> {
        self.read(|now| {
            let Some(record) = now.tenants.get(tenant) else { return Vec::new() };
            record.reads.iter().filter(|other| !now.closed.contains(*other)).cloned().collect()
        })
    }

    /// The tenants that never come back.
    pub fn closed(&self) -> Arc<HashSet<TenantId>> {
        self.read(|now| Arc::clone(&now.closed))
    }

    /// How many times who may do what in a tenant was changed since the start.
    pub fn access(&self, tenant: &TenantId) -> u64 {
        self.read(|now| now.access.get(tenant).copied().unwrap_or_default())
    }

    /// The revision of a subscription that is there.
    pub fn revision_of(&self, id: SubscriptionId) -> Option<u32> {
        self.read(|now| now.wishes.get(&id).map(|wish| wish.subscription.revision))
    }

    /// How many subscriptions a user has.
    pub fn owned_count(&self, tenant: &TenantId, user: UserId) -> usize {
        self.read(|now| now.owned.get(&(tenant.clone(), user)).map_or(0, Vec::len))
    }

    /// How many subscriptions a tenant has.
    pub fn subscriptions_of(&self, tenant: &TenantId) -> u64 {
        self.read(|now| now.subscriptions.get(tenant).copied().unwrap_or_default())
    }

    /// All subscriptions of a tenant, oldest first.
    pub fn wishes_in(&self, tenant: &TenantId) -> Vec<Wish> {
        let is_of = |wish: &&Wish| wish.subscription.tenant == *tenant;
        let mut wishes: Vec<Wish> = self.read(|now| now.wishes.values().filter(is_of).cloned().collect());
        wishes.sort_by_key(|wish| wish.subscription.id);
        wishes
    }

    /// True before the first key is made.
    pub fn has_no_key(&self) -> bool {
        self.read(|now| now.keys.is_empty())
    }

    /// A subscription and its filter.
    pub fn wish(&self, id: SubscriptionId) -> Option<Wish> {
        self.read(|now| now.wishes.get(&id).cloned())
    }

    /// A user's subscriptions, oldest first.
    pub fn wishes_of(&self, tenant: &TenantId, user: UserId) -> Vec<Wish> {
        self.read(|now| {
            let owned = now.owned.get(&(tenant.clone(), user));
            owned.into_iter().flatten().filter_map(|id| now.wishes.get(id).cloned()).collect()
        })
    }

    /// How many subscriptions there are.
    pub fn subscription_count(&self) -> usize {
        self.read(|now| now.wishes.len())
    }

    fn read<T>(&self, look: impl FnOnce(&Now) -> T) -> T {
        look(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A subscription with its filter compiled. It was checked when it was made, so a fault here means
/// a filter that an older build took and this one does not: it is said, and matches nothing.
pub(crate) fn wish_of(subscription: Subscription) -> Option<Wish> {
    let id = subscription.id;
    match Wish::new(subscription) {
        Ok(wish) => Some(wish),
        Err(faults) => {
            let fault = faults.first().map(|fault| fault.detail.clone()).unwrap_or_default();
            error!(code = "filter_refused", subscription.id = %id, "a stored filter no longer compiles: {fault}");
            None
        }
    }
}

/// A tenant's own role with its bounds compiled. They were checked when it was made; with a fault in
/// them now it would see and publish too much, so it may do nothing.
fn compiled(record: RoleRecord) -> TenantRole {
    let bound = |filter: &Option<Filter>| filter.clone().map(Bound::new).transpose();
    match (bound(&record.sees), bound(&record.publishes)) {
        (Ok(sees_only), Ok(says_only)) => TenantRole { record, sees_only, says_only },
        (Err(faults), _) | (_, Err(faults)) => {
            let fault = faults.first().map(|fault| fault.detail.clone()).unwrap_or_default();
            error!(code = "filter_refused", role = %record.name, "a stored role may do nothing, its filter no longer compiles: {fault}");
            let record = RoleRecord { permissions: Permissions::NONE, ..record };
            TenantRole { record, sees_only: None, says_only: None }
        }
    }
}

/// Every change after a position, in order.
pub(crate) async fn each_change(
    store: &dyn ControlStore,
    after: Position,
    mut take: impl FnMut(StoredChange),
) -> Result<(), PortError> {
    let mut after = after;
    loop {
        let changes = store.changes(after, CHANGES_AT_ONCE).await?;
        let Some(last) = changes.last() else { return Ok(()) };
        after = last.position;
        changes.into_iter().for_each(&mut take);
    }
}
