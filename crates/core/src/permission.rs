//! What someone may do: permissions, named as the scopes of the API, and the roles that bundle them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One thing that may be done; its name is the scope's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
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
    /// See what became of one's notices on each channel.
    Deliveries,
    /// Inspect, replay and discard dead letters.
    DeadLetters,
    /// Change what happens to events before they are stored.
    Rules,
    /// Register the shapes of payloads.
    Schemas,
    /// Make users, roles and keys.
    Users,
    /// Make, suspend and erase tenants.
    Tenants,
    /// Read who did what.
    AuditRead,
    /// Read metrics and the state of the system.
    SystemRead,
}

impl Permission {
    /// Every one, in the order in which scopes are listed.
    pub const ALL: [Self; 13] = [
        Self::EventsRead,
        Self::EventsWrite,
        Self::DeviceRead,
        Self::RestrictedRead,
        Self::Subscriptions,
        Self::Deliveries,
        Self::DeadLetters,
        Self::Rules,
        Self::Schemas,
        Self::Users,
        Self::Tenants,
        Self::AuditRead,
        Self::SystemRead,
    ];

    /// The scope's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsRead => "events:read",
            Self::EventsWrite => "events:write",
            Self::DeviceRead => "device:read",
            Self::RestrictedRead => "restricted:read",
            Self::Subscriptions => "subscriptions:*",
            Self::Deliveries => "deliveries:*",
            Self::DeadLetters => "dlq:*",
            Self::Rules => "rules:*",
            Self::Schemas => "schemas:*",
            Self::Users => "users:*",
            Self::Tenants => "tenants:*",
            Self::AuditRead => "audit:read",
            Self::SystemRead => "system:read",
        }
    }
}

/// A name that is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope; there are {all}", all = Permissions::ALL)]
pub struct ScopeError(String);

impl FromStr for Permission {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let found = Self::ALL.into_iter().find(|permission| permission.as_str() == text);
        found.ok_or_else(|| ScopeError(text.chars().take(64).collect()))
    }
}

/// A set of permissions; written as OAuth 2 writes scopes, with spaces between (RFC 6749,
/// section 3.3), and stored as a list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// Every one.
    pub const ALL: Self = Self::of(&Permission::ALL);

    /// What concerns the server as a whole; only the operator's tenant has it.
    pub const OF_OPERATOR: Self = Self::of(&[Permission::Tenants, Permission::SystemRead]);

    /// These.
    pub const fn of(permissions: &[Permission]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < permissions.len() {
            bits |= 1 << permissions[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// True where the permission is among them.
    pub const fn hold(self, permission: Permission) -> bool {
        self.0 & 1 << permission as u32 != 0
    }

    /// Those that are in both.
    pub const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// These but for those.
    pub const fn without(self, those: Self) -> Self {
        Self(self.0 & !those.0)
    }

    /// True where every one of them is among the others.
    pub const fn are_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.hold(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(permissions: T) -> Self {
        permissions.into_iter().fold(Self::NONE, |held, permission| Self(held.0 | 1 << permission as u32))
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, permission) in self.iter().enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            f.write_str(permission.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Permissions {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.split_ascii_whitespace().map(str::parse).collect()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Permission::as_str))
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
    }
}

/// A bundle of permissions that every tenant has.
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

impl Role {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Curator, Self::Viewer];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Curator => "curator",
            Self::Viewer => "viewer",
        }
    }

    /// What it may do.
    pub const fn permissions(self) -> Permissions {
        match self {
            Self::Admin => Permissions::ALL,
            Self::Curator => Permissions::of(&[
                Permission::EventsRead,
                Permission::EventsWrite,
                Permission::RestrictedRead,
                Permission::Subscriptions,
                Permission::Deliveries,
                Permission::DeadLetters,
                Permission::Rules,
                Permission::Schemas,
                Permission::SystemRead,
            ]),
            Self::Viewer => {
                Permissions::of(&[Permission::EventsRead, Permission::Subscriptions, Permission::Deliveries])
            }
        }
    }
}

/// The name of a role: one that every tenant has, or one of the tenant's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(std::sync::Arc<str>);

/// A text that cannot be the name of a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a role: use 1 to 63 lower-case letters, digits or hyphens")]
pub struct RoleNameError(String);

impl RoleName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The role that every tenant has under this name.
    pub fn built_in(&self) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == self.as_str())
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        Self(role.as_str().into())
    }
}

impl FromStr for RoleName {
    type Err = RoleNameError;

    fn from_str(text: &str) -> Result<Self, RoleNameError> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_plain && (1..=63).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(RoleNameError(text.chars().take(64).collect()))
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RoleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RoleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_as_scopes_and_read_back() {
        for role in Role::ALL {
            let permissions = role.permissions();
            assert_eq!(permissions.to_string().parse(), Ok(permissions));
            let stored = serde_json::to_string(&permissions).unwrap();
            assert_eq!(serde_json::from_str::<Permissions>(&stored).unwrap(), permissions);
            assert_eq!(permissions.iter().collect::<Permissions>(), permissions);
        }
        assert_eq!(Role::Viewer.permissions().to_string(), "events:read subscriptions:* deliveries:*");
        assert_eq!("events:read events:fly".parse::<Permissions>(), Err(ScopeError("events:fly".to_owned())));
    }

    #[test]
    fn each_role_holds_the_next_one() {
        let [admin, curator, viewer] = Role::ALL.map(Role::permissions);
        assert!(viewer.are_within(curator) && curator.are_within(admin) && !curator.are_within(viewer));
        assert!(!viewer.hold(Permission::EventsWrite) && !curator.hold(Permission::Users));
        assert_eq!(admin.without(viewer).both(curator), curator.without(viewer));
    }

    #[test]
    fn names_of_roles_are_plain() {
        for name in ["", "Admin", "a b", "a_b", "ä", &"x".repeat(64)] {
            assert!(name.parse::<RoleName>().is_err(), "{name}");
        }
        let own: RoleName = "curator-of-kenya".parse().unwrap();
        assert_eq!((own.built_in(), RoleName::from(Role::Admin).built_in()), (None, Some(Role::Admin)));
    }
}
