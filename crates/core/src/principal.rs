//! Who is asking, and what they may do.

use serde::{Deserialize, Serialize};

use crate::id::{KeyId, TenantId, UserId};

/// A bundle of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs the tenant.
    Admin,
    /// Publishes events.
    Curator,
    /// Reads, and owns subscriptions.
    Viewer,
}

/// One thing that a role may do; names are the scopes of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Read events, streams and their explanations.
    EventsRead,
    /// Publish events.
    EventsWrite,
    /// See positions of devices of others.
    DeviceRead,
    /// See messages that CAP marks `Private` or `Restricted`.
    RestrictedRead,
    /// Own subscriptions and an inbox.
    Subscriptions,
    /// Inspect, replay and discard dead letters.
    DeadLetters,
    /// Make keys.
    Keys,
    /// Read metrics and the state of the system.
    SystemRead,
}

impl Permission {
    /// The scope's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsRead => "events:read",
            Self::EventsWrite => "events:write",
            Self::DeviceRead => "device:read",
            Self::RestrictedRead => "restricted:read",
            Self::Subscriptions => "subscriptions:*",
            Self::DeadLetters => "dlq:*",
            Self::Keys => "users:*",
            Self::SystemRead => "system:read",
        }
    }
}

impl Role {
    /// True where the role holds the permission.
    pub const fn may(self, permission: Permission) -> bool {
        match self {
            Self::Admin => true,
            Self::Curator => !matches!(permission, Permission::Keys | Permission::DeviceRead),
            Self::Viewer => matches!(permission, Permission::EventsRead | Permission::Subscriptions),
        }
    }
}

/// The one who is asking, known for the whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose data they see.
    pub tenant: TenantId,
    /// Tenants whose events they see besides.
    pub reads: Vec<TenantId>,
    /// Whose subscriptions and inbox they use.
    pub user: UserId,
    /// By which key.
    pub key: KeyId,
    /// What they may do.
    pub role: Role,
    /// For whom they may speak.
    pub authority: Authority,
}

impl Principal {
    /// True where an event of `tenant` may be shown to them, as far as tenants go.
    pub fn reads_tenant(&self, tenant: &TenantId) -> bool {
        *tenant == self.tenant || self.reads.contains(tenant)
    }
}

/// For whom a key or a source may speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The namespace of what it says in its own name.
    pub namespace: String,
    /// The issuers it may speak for.
    pub issuers: Issuers,
    /// False for one who may not publish at all.
    pub may_publish: bool,
}

/// A set of issuers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Issuers {
    /// Every one.
    All,
    /// These, by issuer name.
    Only(Vec<String>),
}

impl Authority {
    /// True where it may speak in this issuer's name.
    pub fn speaks_for(&self, issuer: &str) -> bool {
        match &self.issuers {
            Issuers::All => true,
            Issuers::Only(names) => {
                issuer == self.namespace
                    || issuer.strip_prefix(&self.namespace).is_some_and(|rest| rest.starts_with('/'))
                    || names.iter().any(|name| name == issuer)
            }
        }
    }

    /// True where it is bound to this issuer by name, or to all: what makes a message official.
    pub fn is_bound_to(&self, issuer: &str) -> bool {
        match &self.issuers {
            Issuers::All => true,
            Issuers::Only(names) => names.iter().any(|name| name == issuer),
        }
    }
}
