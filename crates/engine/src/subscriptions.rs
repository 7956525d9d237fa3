//! Subscriptions as their owners make, change and delete them.

use serde::Deserialize;
use serde_json::Value;
use tidings_core::id::SubscriptionId;
use tidings_core::port::PortError;
use tidings_core::principal::Principal;
use tidings_core::subscription::Subscription;

use crate::Engine;

/// A subscription as its owner writes it; members are checked together, so that every fault is
/// named at once.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SubscriptionDraft(pub serde_json::Map<String, Value>);

/// A JSON merge patch (RFC 7396) of a subscription.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SubscriptionPatch(pub serde_json::Map<String, Value>);

/// One thing wrong in what was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// A stable name.
    pub code: String,
    /// What would be right.
    pub detail: String,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// What was written is wrong, all faults at once: pointer, stable code, what would be right.
    #[error("the subscription has {} fault(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// There is no such thing, or it is another's.
    #[error("not found")]
    NotFound,
    /// It was changed since: its revision now.
    #[error("it has revision {0} by now")]
    Stale(u32),
    /// The owner has as many as allowed.
    #[error("at most {0} are allowed")]
    QuotaReached(usize),
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Engine {
    /// Makes a subscription for its principal; every event accepted after this returns is judged by it.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn create_subscription(
        &self,
        principal: &Principal,
        draft: SubscriptionDraft,
    ) -> Result<Subscription, ControlError> {
        let _ = (principal, draft);
        Err(ControlError::NotFound)
    }

    /// Changes one; `if_revision` is refused when it is not the present one.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn change_subscription(
        &self,
        principal: &Principal,
        id: SubscriptionId,
        patch: SubscriptionPatch,
        if_revision: Option<u32>,
    ) -> Result<Subscription, ControlError> {
        let _ = (principal, id, patch, if_revision);
        Err(ControlError::NotFound)
    }

    /// Deletes one.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn delete_subscription(
        &self,
        principal: &Principal,
        id: SubscriptionId,
        if_revision: Option<u32>,
    ) -> Result<(), ControlError> {
        let _ = (principal, id, if_revision);
        Err(ControlError::NotFound)
    }

    /// One of the principal's own.
    pub fn subscription(&self, principal: &Principal, id: SubscriptionId) -> Option<Subscription> {
        let _ = (principal, id);
        None
    }

    /// All of the principal's own, oldest first.
    pub fn subscriptions(&self, principal: &Principal) -> Vec<Subscription> {
        let _ = principal;
        Vec::new()
    }
}
