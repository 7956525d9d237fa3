//! Who is asking, and what they may do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::filter::{Compiled, Fault, Filter, Leaf, Subject};
use crate::id::{GrantId, KeyId, LoginId, SessionId, TenantId, UserId};
use crate::permission::{Permission, Permissions, Role, RoleName};
use crate::time::Timestamp;
use crate::vocabulary::State;

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

/// What someone showed to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An API key.
    Key(KeyId),
    /// A browser's session.
    Session(SessionId),
    /// An access token.
    Token {
        /// The grant that it hangs on.
        grant: GrantId,
        /// From then on it is worth nothing.
        expires: Timestamp,
    },
    /// An access token of another issuer.
    Login {
        /// Who they are there.
        login: LoginId,
        /// From then on it is worth nothing.
        expires: Timestamp,
    },
}

impl Credential {
    /// The key, where it is one.
    pub const fn key(self) -> Option<KeyId> {
        match self {
            Self::Key(key) => Some(key),
            Self::Session(_) | Self::Token { .. } | Self::Login { .. } => None,
        }
    }
}

/// The one who is asking, known for the whole request.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// Whose data they see.
    pub tenant: TenantId,
    /// Tenants whose events they see besides.
    pub reads: Vec<TenantId>,
    /// Whose subscriptions and inbox they use.
    pub user: UserId,
    /// By what they were let in.
    pub credential: Credential,
    /// As what.
    pub role: RoleName,
    /// What they may do: what the role holds, as far as the key lets it.
    pub permissions: Permissions,
    /// The events that they see, where their role shows them some only.
    pub sees_only: Option<Bound>,
    /// For whom they may speak.
    pub authority: Authority,
}

impl Principal {
    /// True where they hold the permission.
    pub const fn may(&self, permission: Permission) -> bool {
        self.permissions.hold(permission)
    }

    /// The same one, as far as these permissions go.
    #[must_use]
    pub fn narrowed_to(mut self, permissions: Permissions) -> Self {
        self.permissions = self.permissions.both(permissions);
        self.authority.may_publish &= self.permissions.hold(Permission::EventsWrite);
        self
    }

    /// True for those who run the server: they alone reach other tenants.
    pub fn is_operator(&self) -> bool {
        self.tenant == TenantId::default_tenant() && self.may(Permission::Tenants)
    }

    /// True where they hold all that someone of a tenant could do with these permissions.
    pub fn may_give(&self, permissions: Permissions, tenant: &TenantId) -> bool {
        let is_operators = *tenant == TenantId::default_tenant();
        let given = if is_operators { permissions } else { permissions.without(Permissions::OF_OPERATOR) };
        given.are_within(self.permissions)
    }

    /// True for one who may do all that can be done in one tenant, and so makes what others may do.
    pub fn holds_all_of_tenant(&self) -> bool {
        Permissions::ALL.without(Permissions::OF_OPERATOR).are_within(self.permissions)
    }

    /// True where they may see an event: of a tenant that they read, and not kept from them.
    pub fn may_see(&self, event: &Event) -> bool {
        let (restricted, devices) = (self.may(Permission::RestrictedRead), self.may(Permission::DeviceRead));
        self.reads_tenant(&event.tenant)
            && event.is_visible_to(self.user, restricted, devices)
            && self.sees_only.as_ref().is_none_or(|bound| bound.admits(event))
    }

    /// True where an event of `tenant` may be shown to them, as far as tenants go.
    pub fn reads_tenant(&self, tenant: &TenantId) -> bool {
        *tenant == self.tenant || self.reads.contains(tenant)
    }
}

/// A filter that bounds which events someone may see or publish.
#[derive(Debug, Clone)]
pub struct Bound {
    filter: Filter,
    compiled: Arc<Compiled>,
}

impl Bound {
    /// The bound of a filter.
    ///
    /// # Errors
    /// Every fault of the filter. One that asks for `state` is refused: an event is bounded before
    /// it has any.
    pub fn new(filter: Filter) -> Result<Self, Vec<Fault>> {
        let compiled = Compiled::new(&filter)?;
        if compiled.program().literals().iter().any(|literal| matches!(literal.leaf, Leaf::State(_))) {
            let detail = "a role is judged before an event is stored, when it has no `state`; leave that out";
            return Err(vec![Fault::new("", "state_in_bound", detail)]);
        }
        Ok(Self { filter, compiled: Arc::new(compiled) })
    }

    /// The filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// True where some of the event is within the bound: enough to see it.
    pub fn admits(&self, event: &Event) -> bool {
        self.compiled.matches(&Subject::new(event, State::Active))
    }

    /// True where each of its segments is within the bound: what it takes to publish it.
    pub fn admits_whole(&self, event: &Event) -> bool {
        let subject = Subject::new(event, State::Active);
        (0..subject.segment_count()).all(|segment| self.compiled.matches_segment(&subject, segment))
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter
    }
}

/// For whom a key or a source may speak.
#[derive(Debug, Clone, PartialEq)]
pub struct Authority {
    /// The namespace of what it says in its own name.
    pub namespace: String,
    /// The issuers it may speak for.
    pub issuers: Issuers,
    /// False for one who may not publish at all.
    pub may_publish: bool,
    /// The events that they may publish, where their role lets them publish some only.
    pub says_only: Option<Bound>,
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

impl Issuers {
    /// Whom one of a role speaks for, besides themselves, where nothing else is said.
    pub fn of_role(role: &RoleName) -> Self {
        if role.built_in() == Some(Role::Admin) { Self::All } else { Self::Only(Vec::new()) }
    }
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
