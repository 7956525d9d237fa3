//! A standing wish of a user to be told.

use serde::{Deserialize, Serialize};

use crate::filter::Filter;
use crate::id::{SubscriptionId, TenantId, UserId};
use crate::permission::RoleName;
use crate::time::Timestamp;

/// Which changes of a thread a subscriber is told, each level with all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdatePolicy {
    /// New, then cancel or end.
    First,
    /// And severity rises and newly covered places.
    Escalations,
    /// And moved away and type changes.
    #[default]
    UntilCancelled,
    /// And every current revision.
    All,
}

/// One immutable revision of a subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id, the same over its revisions.
    pub id: SubscriptionId,
    /// From 1.
    pub revision: u32,
    /// Whose data it belongs to.
    pub tenant: TenantId,
    /// Other tenants whose events it matches.
    pub reads: Vec<TenantId>,
    /// Who is told.
    pub owner: UserId,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What to tell.
    pub filter: Filter,
    /// On which channels; `inbox` is always among them.
    pub channels: Vec<String>,
    /// Which changes to tell.
    pub updates: UpdatePolicy,
    /// Whether exercises and tests count.
    pub include_drills: bool,
    /// Whether its owner may see restricted messages.
    #[serde(default)]
    pub sees_restricted: bool,
    /// Whether its owner may see other people's devices.
    #[serde(default)]
    pub sees_devices: bool,
    /// The events its owner may see, where their role shows them some only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sees_only: Option<Filter>,
    /// The role that these three follow; subscriptions of older builds do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// Nothing new until then; cancels and ends of what was told pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// When its first revision was made.
    pub created: Timestamp,
    /// When this revision was made.
    pub updated: Timestamp,
}
