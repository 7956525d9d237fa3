use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::filter::Filter;
use crate::id::{HookId, KeyId, SubscriptionId, TenantId, UserId};
use crate::permission::{Permissions, RoleName};
use crate::port::{HookRecord, PortError};
use crate::position::Position;
use crate::principal::Issuers;
use crate::subscription::Subscription;
use crate::tenant::TenantRecord;
use crate::time::Timestamp;

/// One immutable step of what governs judgments; its place in the log says from when it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ControlChange {
    /// A subscription was made or changed.
    Subscription(Box<Subscription>),
    /// A subscription was deleted.
    SubscriptionDeleted(ControlRecord<SubscriptionId>),
    /// A key was made, or was given an end.
    Key(Box<KeyRecord>),
    /// A key was revoked.
    KeyRevoked(ControlRecord<KeyId>),
    /// A tenant's own role was made or changed.
    Role(Box<RoleRecord>),
    /// A tenant's own role was deleted.
    RoleDeleted(RoleGone),
    /// An inbound webhook was made, or its secret was replaced.
    Hook(Box<HookRecord>),
    /// An inbound webhook was deleted.
    HookDeleted(ControlRecord<HookId>),
    /// A service account was made, enabled or disabled.
    ServiceAccount(Box<ServiceAccountRecord>),
    /// A service account was deleted.
    ServiceAccountDeleted(ControlRecord<UserId>),
    /// A tenant was made, changed, suspended, resumed, closed or erased. It is the operator's to keep, so
    /// its entry is of the operator's tenant.
    Tenant(Box<TenantRecord>),
}

impl ControlChange {
    /// The tenant that it concerns.
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Subscription(subscription) => &subscription.tenant,
            Self::SubscriptionDeleted(gone) => &gone.tenant,
            Self::Key(key) => &key.tenant,
            Self::KeyRevoked(gone) => &gone.tenant,
            Self::Role(role) => &role.tenant,
            Self::RoleDeleted(gone) => &gone.tenant,
            Self::Hook(hook) => &hook.tenant,
            Self::HookDeleted(gone) => &gone.tenant,
            Self::ServiceAccount(account) => &account.tenant,
            Self::ServiceAccountDeleted(gone) => &gone.tenant,
            Self::Tenant(record) => &record.id,
        }
    }
}

/// A role that a tenant made for itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleRecord {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is called; none of the names that every tenant has.
    pub name: RoleName,
    /// From 1.
    pub revision: u32,
    /// What it is for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it may do.
    pub permissions: Permissions,
    /// The events that it sees; all of the tenant's and of those that the tenant reads, when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sees: Option<Filter>,
    /// The events that it may publish; any, when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishes: Option<Filter>,
    /// When this revision was made.
    pub updated: Timestamp,
}

/// The end of a tenant's own role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleGone {
    /// Whose it was.
    pub tenant: TenantId,
    /// What it was called.
    pub name: RoleName,
    /// When.
    pub at: Timestamp,
}

/// A user without a person, that holds keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAccountRecord {
    /// The user that it is.
    pub id: UserId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The name that the user was made under.
    pub name: String,
    /// As what its keys act.
    pub role: RoleName,
    /// What it is for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// False while its keys open nothing.
    pub is_enabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last enabled or disabled; when it was made, if never.
    pub updated: Timestamp,
}

/// A change that needs no more than whose it is and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlRecord<Id> {
    /// Of what.
    pub id: Id,
    /// In which tenant.
    pub tenant: TenantId,
    /// Whose it was.
    pub owner: UserId,
    /// When.
    pub at: Timestamp,
}

/// An API key as it is kept: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Its id.
    pub id: KeyId,
    /// SHA-256 of the key, in lower-case hexadecimal.
    pub hash: String,
    /// Whose data it opens.
    pub tenant: TenantId,
    /// Whose subscriptions and inbox it uses.
    pub user: UserId,
    /// The name the user was made under, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// What it is called, to tell it from others of its user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As what it acts.
    pub role: RoleName,
    /// What it may do of what its role may; all of it when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Permissions>,
    /// For whom it may speak, besides its own namespace.
    pub issuers: Issuers,
    /// When it was made.
    pub created: Timestamp,
    /// From then on it opens nothing; never, when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// True where its user is a service account, without which it opens nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_service: bool,
}

/// A change with its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredChange {
    /// From here on it holds.
    pub position: Position,
    /// What changed.
    pub change: ControlChange,
}

/// What governs judgments, with its whole history.
#[async_trait]
pub trait ControlStore: Send + Sync {
    /// Changes after a position in order, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn changes(&self, after: Position, limit: usize) -> Result<Vec<StoredChange>, PortError>;

    /// Every revision of a subscription, oldest first, its deletion last.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn history(&self, subscription: SubscriptionId) -> Result<Vec<StoredChange>, PortError>;
}
