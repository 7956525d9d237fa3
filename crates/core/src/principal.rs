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

/// The name a user is made under. It is part of the user's namespace (`own:` and the name, then `/`
/// and the names of its sources), so it holds no separators.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserName(String);

/// A text that cannot be the name of a user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a user's name has 1 to {} bytes of letters, digits and `.`, `_`, `-`, `+`, `@`, and is not an id",
    UserName::BYTES_MAX
)]
pub struct UserNameError;

impl UserName {
    /// Bytes of a name, at most.
    pub const BYTES_MAX: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for UserName {
    type Err = UserNameError;

    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let is_plain = |letter: char| letter.is_alphanumeric() || "._-+@".contains(letter);
        let is_short = (1..=Self::BYTES_MAX).contains(&text.len());
        // A user without a name has its id as namespace.
        let is_id = text.parse::<UserId>().is_ok();
        if is_short && !is_id && text.chars().all(is_plain) { Ok(Self(text.to_owned())) } else { Err(UserNameError) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, is_good: bool) {
        assert_eq!(name.parse::<UserName>().is_ok(), is_good, "{name:?}");
    }

    #[test]
    fn names_of_users_hold_no_separators() {
        for name in ["alice", "Alice.B", "anna@example.org", "ops-2", "søren", "मीरा", "a_b+c"] {
            check(name, true);
        }
        for name in
            ["", "alice/desk", "a\\b", "a:b", "a b", "a\tb", "a\nb", "a\0b", "a#b", "a?b", "*", "a,b", "a\u{202e}b"]
        {
            check(name, false);
        }
        check(&"x".repeat(64), true);
        check(&"x".repeat(65), false);
        check(&UserId::from_bytes([1; 16]).to_string(), false);
    }
}
