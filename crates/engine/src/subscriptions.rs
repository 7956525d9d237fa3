//! Subscriptions as their owners make, change and delete them.

mod draft;

use serde::Deserialize;
use serde_json::{Value, json};
use tidings_core::id::SubscriptionId;
use tidings_core::port::{ControlChange, ControlRecord, PortError};
use tidings_core::principal::Principal;
use tidings_core::resolve::Submission;
use tidings_core::subscription::Subscription;

use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Expected;
use crate::quotas::OverQuota;

/// Subscriptions that one user may have (CONTRACT section 7).
pub(crate) const SUBSCRIPTIONS_MAX: usize = 10_000;

/// How many times a change is judged again when another was faster.
const TRIES_MAX: usize = 16;

/// A subscription as its owner writes it; members are checked together, so that every fault is
/// named at once.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SubscriptionDraft(pub serde_json::Map<String, Value>);

/// A JSON merge patch (RFC 7396) of a subscription.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SubscriptionPatch(pub serde_json::Map<String, Value>);

pub use tidings_core::filter::Fault;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// What was written is wrong, all faults at once: pointer, stable code, what would be right.
    #[error("it has {} fault(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// The one who asks may not: why, and what they may.
    #[error("{0}")]
    NotPermitted(String),
    /// Something else hangs on it: what to do first.
    #[error("{0}")]
    InUse(String),
    /// There is no such thing, or it is another's.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// It was changed since: its revision now.
    #[error("it has revision {0} by now")]
    Stale(u32),
    /// The owner has as many as allowed.
    #[error("at most {0} are allowed")]
    QuotaReached(usize),
    /// The tenant has as much as its operator allows.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl ControlError {
    /// One fault alone.
    pub(crate) fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault { pointer: pointer.to_owned(), code, detail: detail.into() }])
    }
}

impl Engine {
    /// Makes a subscription for its principal; every event accepted after this returns is judged by it.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn create_subscription(
        &self,
        asker: impl Into<Asker<'_>>,
        draft: SubscriptionDraft,
    ) -> Result<Subscription, ControlError> {
        let asker = asker.into();
        let principal = asker.principal;
        let wanted = draft::read(&draft.0).map_err(ControlError::Invalid)?;
        let now = self.ports.clock.now();
        let id = SubscriptionId::from_bytes(self.draw_id());
        let subscription = wanted.into_subscription(id, 1, principal, now, now);
        for _ in 0..TRIES_MAX {
            let expected = self.with_rights(principal)?;
            if self.control.owned_count(&principal.tenant, principal.user) >= SUBSCRIPTIONS_MAX {
                return Err(ControlError::QuotaReached(SUBSCRIPTIONS_MAX));
            }
            self.may_subscribe(&principal.tenant)?;
            if self.keep(asker, &subscription, expected).await? {
                return Ok(subscription);
            }
        }
        Err(keeps_changing())
    }

    /// Changes one; `if_revision` is refused when it is not the present one.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn change_subscription(
        &self,
        asker: impl Into<Asker<'_>>,
        id: SubscriptionId,
        patch: SubscriptionPatch,
        if_revision: Option<u32>,
    ) -> Result<Subscription, ControlError> {
        let asker = asker.into();
        let principal = asker.principal;
        for _ in 0..TRIES_MAX {
            let expected = self.with_rights(principal)?;
            let present = self.own(principal, id, if_revision)?;
            let mut members = draft::write(&present);
            merge(&mut members, patch.0.clone());
            let wanted = draft::read(&members).map_err(ControlError::Invalid)?;
            let now = self.ports.clock.now();
            let changed = wanted.into_subscription(id, present.revision + 1, principal, present.created, now);
            let expected = Expected { subscriptions: vec![(id, present.revision)], ..expected };
            if self.keep(asker, &changed, expected).await? {
                return Ok(changed);
            }
        }
        Err(keeps_changing())
    }

    /// Deletes one.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn delete_subscription(
        &self,
        asker: impl Into<Asker<'_>>,
        id: SubscriptionId,
        if_revision: Option<u32>,
    ) -> Result<(), ControlError> {
        let asker = asker.into();
        for _ in 0..TRIES_MAX {
            let present = self.own(asker.principal, id, if_revision)?;
            let at = self.ports.clock.now();
            let record = ControlRecord { id, tenant: present.tenant.clone(), owner: present.owner, at };
            let audited = Change {
                action: "subscription.delete",
                target: id.to_string(),
                tenant: &present.tenant,
                before: Some(json!({ "revision": present.revision })),
                after: None,
            };
            let expected = Expected { subscriptions: vec![(id, present.revision)], ..Expected::default() };
            if self.commit_if(expected, asker, ControlChange::SubscriptionDeleted(record), &audited).await? {
                return Ok(());
            }
        }
        Err(keeps_changing())
    }

    /// One of the principal's own.
    pub fn subscription(&self, principal: &Principal, id: SubscriptionId) -> Option<Subscription> {
        let wish = self.control.wish(id)?;
        let is_own = wish.subscription.tenant == principal.tenant && wish.subscription.owner == principal.user;
        is_own.then(|| (*wish.subscription).clone())
    }

    /// All of the principal's own, oldest first.
    pub fn subscriptions(&self, principal: &Principal) -> Vec<Subscription> {
        let wishes = self.control.wishes_of(&principal.tenant, principal.user);
        wishes.iter().map(|wish| (*wish.subscription).clone()).collect()
    }

    /// How many subscriptions there are.
    pub fn subscription_count(&self) -> usize {
        self.control.subscription_count()
    }

    fn own(
        &self,
        principal: &Principal,
        id: SubscriptionId,
        if_revision: Option<u32>,
    ) -> Result<Subscription, ControlError> {
        let present = self.subscription(principal, id).ok_or(ControlError::NotFound("subscription"))?;
        match if_revision {
            Some(revision) if revision != present.revision => Err(ControlError::Stale(present.revision)),
            _ => Ok(present),
        }
    }

    /// Stores a revision. Its own history keeps what it says, so the audit log names the revisions only.
    /// False where something is not as expected, or there is no room for it.
    async fn keep(
        &self,
        asker: Asker<'_>,
        subscription: &Subscription,
        expected: Expected,
    ) -> Result<bool, ControlError> {
        let Subscription { id, revision, .. } = *subscription;
        let audited = Change {
            action: if revision == 1 { "subscription.create" } else { "subscription.change" },
            target: id.to_string(),
            tenant: &subscription.tenant,
            before: (revision > 1).then(|| json!({ "revision": revision - 1 })),
            after: Some(json!({ "revision": revision })),
        };
        let change = ControlChange::Subscription(Box::new(subscription.clone()));
        self.commit_if(expected, asker, change, &audited).await
    }

    async fn commit_if(
        &self,
        expected: Expected,
        asker: Asker<'_>,
        change: ControlChange,
        audited: &Change<'_>,
    ) -> Result<bool, ControlError> {
        let mut batch = vec![Submission::Control(Box::new(change), audited.tenant.clone())];
        batch.extend(self.audited(Some(asker), audited));
        Ok(self.owner.write(Vec::new(), batch, expected).await?)
    }

    /// What someone sees goes into their subscriptions, so it must be the same when one is stored.
    fn with_rights(&self, principal: &Principal) -> Result<Expected, ControlError> {
        let access = Some((principal.tenant.clone(), self.control.access(&principal.tenant)));
        let role = self.control.role(&principal.tenant, &principal.role);
        let is_as_then = role.is_none_or(|role| role.sees_only == principal.sees_only);
        if is_as_then && self.control.reads_of(&principal.tenant) == principal.reads {
            return Ok(Expected { access, ..Expected::default() });
        }
        let fault = PortError::later("keep a subscription", "what its owner may see was changed at the same moment");
        Err(fault.into())
    }
}

fn keeps_changing() -> ControlError {
    PortError::later("keep a subscription", "it, or what its tenant may do, keeps changing").into()
}

/// A JSON merge patch (RFC 7396): null removes, objects are merged, anything else replaces.
pub(crate) fn merge(members: &mut serde_json::Map<String, Value>, patch: serde_json::Map<String, Value>) {
    for (name, value) in patch {
        match (value, members.get_mut(&name)) {
            (Value::Null, _) => drop(members.remove(&name)),
            (Value::Object(patch), Some(Value::Object(inner))) => merge(inner, patch),
            (Value::Object(patch), _) => {
                let mut inner = serde_json::Map::new();
                merge(&mut inner, patch);
                members.insert(name, Value::Object(inner));
            }
            (value, _) => drop(members.insert(name, value)),
        }
    }
}
