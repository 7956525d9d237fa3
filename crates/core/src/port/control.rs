use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::id::{KeyId, SubscriptionId, TenantId, UserId};
use crate::port::PortError;
use crate::position::Position;
use crate::principal::{Issuers, Role};
use crate::subscription::Subscription;
use crate::time::Timestamp;

/// One immutable step of what governs judgments; its place in the log says from when it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ControlChange {
    /// A subscription was made or changed.
    Subscription(Box<Subscription>),
    /// A subscription was deleted.
    SubscriptionDeleted(ControlRecord<SubscriptionId>),
    /// A key was made.
    Key(Box<KeyRecord>),
    /// A key was revoked.
    KeyRevoked(ControlRecord<KeyId>),
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
    /// What it may do.
    pub role: Role,
    /// For whom it may speak, besides its own namespace.
    pub issuers: Issuers,
    /// When it was made.
    pub created: Timestamp,
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
