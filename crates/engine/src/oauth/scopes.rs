//! What a client asks for: permissions of our API, and what it wants to know about the person.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tidings_core::permission::{Permission, Permissions};

/// A scope that is no permission of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    /// An ID token: who the person is (OpenID Connect Core, section 3.1.2.1).
    OpenId,
    /// What they are called.
    Profile,
    /// Their address.
    Email,
    /// A refresh token (section 11).
    OfflineAccess,
}

impl Scope {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::OpenId, Self::Profile, Self::Email, Self::OfflineAccess];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::OfflineAccess => "offline_access",
        }
    }
}

/// A set of scopes; written with spaces between (RFC 6749, section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes {
    /// What may be done.
    pub permissions: Permissions,
    others: u8,
}

/// A text with a word that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one of these is not a scope; there are {all}", all = Scopes::ALL)]
pub struct ScopesError;

impl Scopes {
    /// Every one.
    pub const ALL: Self = Self { permissions: Permissions::ALL, others: 0b1111 };

    /// These permissions, and every scope that says who a person is.
    pub const fn of(permissions: Permissions) -> Self {
        Self { permissions, others: Self::ALL.others }
    }

    /// True where a scope is among them.
    pub const fn hold(self, scope: Scope) -> bool {
        self.others & 1 << scope as u8 != 0
    }

    /// True where each is among the others.
    pub const fn are_within(self, others: Self) -> bool {
        self.permissions.are_within(others.permissions) && self.others & !others.others == 0
    }

    /// Those in either.
    pub fn with(self, more: Self) -> Self {
        let permissions = self.permissions.iter().chain(more.permissions.iter()).collect();
        Self { permissions, others: self.others | more.others }
    }

    /// Those in both.
    pub fn both(self, others: Self) -> Self {
        Self { permissions: self.permissions.both(others.permissions), others: self.others & others.others }
    }

    /// These without those that say who a person is: a client that asks for itself is none.
    pub const fn of_a_service(self) -> Self {
        Self { permissions: self.permissions, others: 0 }
    }

    /// True where there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let others = Scope::ALL.into_iter().filter(move |scope| self.hold(*scope)).map(Scope::as_str);
        others.chain(self.permissions.iter().map(Permission::as_str))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = ScopesError;

    fn from_str(text: &str) -> Result<Self, ScopesError> {
        let mut scopes = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            if let Some(scope) = Scope::ALL.into_iter().find(|scope| scope.as_str() == word) {
                scopes.others |= 1 << scope as u8;
            } else {
                let permission: Permission = word.parse().map_err(|_| ScopesError)?;
                scopes.permissions = scopes.permissions.iter().chain([permission]).collect();
            }
        }
        Ok(scopes)
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written() {
        let text = "openid offline_access events:read subscriptions:*";
        let scopes: Scopes = text.parse().unwrap();
        assert_eq!(scopes.to_string(), text);
        assert!(scopes.hold(Scope::OpenId) && !scopes.hold(Scope::Email));
        assert!(scopes.are_within(Scopes::ALL) && !Scopes::ALL.are_within(scopes));
        assert_eq!(scopes.of_a_service().to_string(), "events:read subscriptions:*");
        assert_eq!(Scopes::ALL.to_string().parse(), Ok(Scopes::ALL));
        assert_eq!("events:fly".parse::<Scopes>(), Err(ScopesError));
        assert!("".parse::<Scopes>().unwrap().is_empty());
    }
}
