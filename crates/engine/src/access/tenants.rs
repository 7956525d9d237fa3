//! The life of tenants, which the operator leads: made, changed, suspended, resumed, closed.

mod draft;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use tidings_core::id::TenantId;
use tidings_core::port::{ControlChange, PortError};
use tidings_core::resolve::Submission;
use tidings_core::subscription::Subscription;
use tidings_core::tenant::{Branding, ErasureProof, Quotas, TenantRates, TenantRecord, TenantState};
use tidings_core::time::Timestamp;

use crate::audit::{Asker, Change};
use crate::engine::Engine;
use crate::expected::Turn;
use crate::quotas::UsageView;
use crate::subscriptions::{ControlError, merge};

/// A tenant as it is written: `id`, and if need be `branding`, `quotas` and `reads`; or a JSON merge patch
/// of those (RFC 7396).
#[derive(Debug, Clone, Default)]
pub struct TenantDraft(pub Map<String, Value>);

/// A tenant as its operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct TenantView {
    /// Which.
    pub id: TenantId,
    /// From 1; 0 for one that began with its first key and that nobody has changed.
    pub revision: u32,
    /// Where it is in its life.
    pub state: TenantState,
    /// Why it is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it shows itself.
    pub branding: Branding,
    /// How much it may have.
    pub quotas: Quotas,
    /// Whose events it sees besides its own.
    pub reads: Vec<TenantId>,
    /// How much it may do in how long, where that is not what every tenant may.
    pub rates: TenantRates,
    /// What it has used of that.
    pub usage: UsageView,
    /// When it began.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// What shows that nothing of it is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<ErasureProof>,
}

/// Why a tenant is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// For a while, perhaps with a reason.
    Suspended(Option<String>),
    /// For good: it is being erased, or was.
    ForGood,
}

impl Engine {
    /// Why a tenant is not served; nothing where it is.
    pub fn why_not_served(&self, tenant: &TenantId) -> Option<Closed> {
        let record = self.control.tenant(tenant)?;
        match record.state {
            TenantState::Active => None,
            TenantState::Suspended => Some(Closed::Suspended(record.reason.clone())),
            TenantState::Erasing | TenantState::Erased => Some(Closed::ForGood),
        }
    }

    /// Every tenant, by id.
    pub fn tenants(&self) -> Vec<TenantView> {
        self.control.tenants().iter().map(|record| self.view_of(record)).collect()
    }

    /// One of them.
    pub fn tenant(&self, id: &TenantId) -> Option<TenantView> {
        self.control.tenant(id).map(|record| self.view_of(&record))
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// `InUse` where there is or was one of this name.
    pub async fn create_tenant(
        &self,
        asker: impl Into<Asker<'_>>,
        draft: TenantDraft,
    ) -> Result<TenantView, ControlError> {
        let asker = asker.into();
        let mut members = draft.0;
        let id = draft::id(members.remove("id"));
        let begun = TenantRecord::begun(id.clone().unwrap_or_else(TenantId::public), self.ports.clock.now());
        let mut all = draft::write(&begun);
        merge(&mut all, members);
        let wanted = self.read_tenant(&begun.id, &all, id.is_none())?;
        let Some(id) = id else { return Err(ControlError::Invalid(vec![draft::no_id()])) };
        let turn = self.turn(Some(asker), &id).await?;
        match self.control.tenant(&id).map(|record| record.state) {
            None => {}
            Some(state) if state.is_closed() => {
                let detail = format!(
                    "a tenant {id} was deleted, and its name is not given again: ids, cursors and links made under it \
                     would lead into another's data"
                );
                return Err(ControlError::InUse(detail));
            }
            Some(_) => return Err(ControlError::InUse(format!("there is a tenant {id} already"))),
        }
        let record = TenantRecord { revision: 1, ..wanted.over(&begun, begun.created) };
        self.keep_tenant(turn, asker, "tenant.create", None, record, Vec::new()).await
    }

    /// Changes one; what its people see and may do follows at once.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn change_tenant(
        &self,
        asker: impl Into<Asker<'_>>,
        id: &TenantId,
        patch: TenantDraft,
        expected: u32,
    ) -> Result<TenantView, ControlError> {
        let asker = asker.into();
        let turn = self.turn(Some(asker), id).await?;
        let before = self.open_tenant(id, Some(expected))?;
        let mut members = draft::write(&before);
        merge(&mut members, patch.0);
        let now = self.ports.clock.now();
        let record = self.read_tenant(id, &members, false)?.over(&before, now);
        let record = TenantRecord { revision: before.revision + 1, ..record };
        let following = if record.reads == before.reads { Vec::new() } else { self.following(&record) };
        self.keep_tenant(turn, asker, "tenant.change", Some(&before), record, following).await
    }

    /// Stops serving one until it is resumed; its data stays.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn suspend_tenant(
        &self,
        asker: impl Into<Asker<'_>>,
        id: &TenantId,
        reason: Option<String>,
    ) -> Result<TenantView, ControlError> {
        let asker = asker.into();
        let turn = self.turn(Some(asker), id).await?;
        let before = self.open_tenant(id, None)?;
        refuse_own(id)?;
        let record = TenantRecord { state: TenantState::Suspended, reason, ..self.next_of(&before) };
        self.keep_tenant(turn, asker, "tenant.suspend", Some(&before), record, Vec::new()).await
    }

    /// Serves one again.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn resume_tenant(&self, asker: impl Into<Asker<'_>>, id: &TenantId) -> Result<TenantView, ControlError> {
        let asker = asker.into();
        let turn = self.turn(Some(asker), id).await?;
        let before = self.open_tenant(id, None)?;
        let record = TenantRecord { state: TenantState::Active, reason: None, ..self.next_of(&before) };
        self.keep_tenant(turn, asker, "tenant.resume", Some(&before), record, Vec::new()).await
    }

    /// Closes one for good and begins to erase it.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn delete_tenant(
        &self,
        asker: impl Into<Asker<'_>>,
        id: &TenantId,
        expected: u32,
    ) -> Result<TenantView, ControlError> {
        let asker = asker.into();
        let turn = self.turn(Some(asker), id).await?;
        let before = self.open_tenant(id, Some(expected))?;
        refuse_own(id)?;
        let record = before.bare(TenantState::Erasing, self.ports.clock.now());
        self.keep_tenant(turn, asker, "tenant.delete", Some(&before), record, Vec::new()).await
    }

    /// How many rows a deletion would erase, by keyspace. Looks at all that is stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rows_of_tenant(&self, id: &TenantId) -> Result<BTreeMap<String, u64>, PortError> {
        Ok(self.ports.tenants.scan(id).await?.found)
    }

    /// One that is not closed, at a revision where one is named.
    fn open_tenant(&self, id: &TenantId, expected: Option<u32>) -> Result<TenantRecord, ControlError> {
        let record = self.control.tenant(id).ok_or(ControlError::NotFound("tenant"))?;
        if record.state.is_closed() {
            return Err(ControlError::InUse(format!("the tenant {id} was deleted, and does not come back")));
        }
        match expected {
            Some(revision) if revision != record.revision => Err(ControlError::Stale(record.revision)),
            _ => Ok(TenantRecord::clone(&record)),
        }
    }

    fn next_of(&self, before: &TenantRecord) -> TenantRecord {
        TenantRecord { revision: before.revision + 1, updated: self.ports.clock.now(), ..before.clone() }
    }

    fn read_tenant(
        &self,
        id: &TenantId,
        members: &Map<String, Value>,
        lacks_id: bool,
    ) -> Result<draft::Wanted, ControlError> {
        let is_there = |other: &TenantId| {
            *other == TenantId::public() || self.control.tenant(other).is_some_and(|it| !it.state.is_closed())
        };
        let mut faults: Vec<_> = lacks_id.then(draft::no_id).into_iter().collect();
        match draft::read(id, members, is_there) {
            Ok(wanted) if faults.is_empty() => Ok(wanted),
            Ok(_) => Err(ControlError::Invalid(faults)),
            Err(found) => {
                faults.extend(found);
                Err(ControlError::Invalid(faults))
            }
        }
    }

    /// The tenant's subscriptions with what it reads now.
    fn following(&self, record: &TenantRecord) -> Vec<ControlChange> {
        let wishes = self.control.wishes_in(&record.id).into_iter();
        let follow = |subscription: &Subscription| Subscription {
            revision: subscription.revision + 1,
            reads: record.reads.clone(),
            updated: record.updated,
            ..subscription.clone()
        };
        wishes.map(|wish| ControlChange::Subscription(Box::new(follow(&wish.subscription)))).collect()
    }

    /// Makes a revision durable. The tenant's own audit log says all of it; the operator's leaves out how
    /// the tenant shows itself, since that log outlives the tenant.
    async fn keep_tenant(
        &self,
        turn: Turn,
        asker: Asker<'_>,
        action: &'static str,
        before: Option<&TenantRecord>,
        record: TenantRecord,
        following: Vec<ControlChange>,
    ) -> Result<TenantView, ControlError> {
        let shown = |record: &TenantRecord| {
            json!({
                "state": record.state, "reason": record.reason, "branding": record.branding, "quotas": record.quotas,
                "rates": record.rates, "reads": record.reads,
            })
        };
        let change = Change {
            action,
            target: record.id.to_string(),
            tenant: &record.id,
            before: before.map(shown),
            after: Some(shown(&record)),
        };
        let plain = json!({
            "tenant": record.id, "state": record.state, "quotas": record.quotas, "rates": record.rates,
            "reads": record.reads, "revision": record.revision,
        });
        let read = |change: &ControlChange| match change {
            ControlChange::Subscription(it) => Some((it.id, it.revision - 1)),
            _ => None,
        };
        let turn = turn.with(following.iter().filter_map(read).collect());
        let mut batch: Vec<Submission> =
            following.into_iter().map(|it| Submission::Control(Box::new(it), record.id.clone())).collect();
        batch.extend(self.audited_with(Some(asker), &change, plain));
        // Last, so that a tenant that is closed has nothing behind its end.
        let kept = ControlChange::Tenant(Box::new(record.clone()));
        batch.push(Submission::Control(Box::new(kept), TenantId::default_tenant()));
        self.append_in_turn(turn, batch).await?;
        Ok(self.view_of(&record))
    }

    fn view_of(&self, record: &TenantRecord) -> TenantView {
        let record = record.clone();
        TenantView {
            usage: self.usage(&record.id),
            id: record.id,
            revision: record.revision,
            state: record.state,
            reason: record.reason,
            branding: record.branding,
            quotas: record.quotas,
            rates: record.rates,
            reads: record.reads,
            created: record.created,
            updated: record.updated,
            proof: record.proof,
        }
    }
}

/// Without the tenant that runs the server nobody could resume anything, and public feeds are everybody's.
fn refuse_own(id: &TenantId) -> Result<(), ControlError> {
    if *id != TenantId::default_tenant() && *id != TenantId::public() {
        return Ok(());
    }
    Err(ControlError::InUse(format!("the server itself hangs on the tenant {id}, which stays")))
}
