//! What goes into the audit log: each change with what it changed, in the commit of the change, and
//! each refusal, gathered for a moment so that a flood of them is a few entries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tidings_core::audit::{Actor, AuditEntry, AuditOutcome, ChainEnd};
use tidings_core::id::TenantId;
use tidings_core::port::PortError;
use tidings_core::principal::Principal;
use tidings_core::resolve::Submission;
use tidings_core::time::Timestamp;
use tokio::sync::mpsc;
use tracing::warn;

use crate::engine::Engine;

/// Refusals that may wait to be written; more are only counted.
const REFUSALS_WAITING_MAX: usize = 1_024;
/// How long refusals are gathered.
const GATHER: Duration = Duration::from_millis(200);
/// Entries written of the refusals gathered; the rest is one entry more.
const ENTRIES_MAX: usize = 32;

/// Who asks for something, and in which request.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// Follows the request everywhere; empty where there is none.
    pub correlation_id: &'a str,
}

impl<'a> From<&'a Principal> for Asker<'a> {
    fn from(principal: &'a Principal) -> Self {
        Self { principal, correlation_id: "" }
    }
}

/// What was changed: its kind and verb, which, and what it was and is.
pub(crate) struct Change<'a> {
    /// Like `key.create`.
    pub action: &'static str,
    /// An id or a name.
    pub target: String,
    /// In whose tenant.
    pub tenant: &'a TenantId,
    /// Never a secret.
    pub before: Option<Value>,
    /// Never a secret.
    pub after: Option<Value>,
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Who asked; none where nobody knows.
    pub actor: Option<Actor>,
    /// In whose log, where nobody knows who asked; the operator's when `None`.
    pub tenant: Option<TenantId>,
    /// What they asked for: the operation's name.
    pub action: &'static str,
    /// On what: the path.
    pub target: String,
    /// Follows the request everywhere.
    pub correlation_id: String,
}

/// Refusals on their way to the log.
#[derive(Debug)]
pub(crate) struct Refusals {
    queue: mpsc::Sender<(Timestamp, Refusal)>,
    dropped: Arc<AtomicU64>,
}

/// The other end of their queue.
#[derive(Debug)]
pub(crate) struct RefusalQueue(mpsc::Receiver<(Timestamp, Refusal)>, Arc<AtomicU64>);

impl Refusals {
    /// A queue that is yet to be read.
    pub fn new() -> (Self, RefusalQueue) {
        let (queue, waiting) = mpsc::channel(REFUSALS_WAITING_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        (Self { queue, dropped: dropped.clone() }, RefusalQueue(waiting, dropped))
    }
}

/// Who a principal is in an audit log.
pub fn actor(principal: &Principal) -> Actor {
    Actor::new(principal.tenant.clone(), principal.user, principal.credential)
}

impl Engine {
    /// A page of the audit log of the principal's tenant: entries with numbers above `after`, oldest
    /// first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit(&self, principal: &Principal, after: u64, limit: usize) -> Result<Vec<AuditEntry>, PortError> {
        self.ports.audit.audit(&principal.tenant, after, limit).await
    }

    /// Where the audit log of the principal's tenant ends.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit_end(&self, principal: &Principal) -> Result<ChainEnd, PortError> {
        self.ports.audit.audit_end(&principal.tenant).await
    }

    /// Notes that someone may not do what they asked for. It is written a moment later, together with
    /// others; with very many at once the rest is counted.
    pub fn refused(&self, refusal: Refusal) {
        if self.refusals.queue.try_send((self.ports.clock.now(), refusal)).is_err() {
            self.refusals.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has audit logs say what was done where nothing else is stored of it.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(crate) async fn note_done(&self, asker: Asker<'_>, audited: &Change<'_>) -> Result<(), PortError> {
        self.owner.append(self.audited(Some(asker), audited)).await.map(drop)
    }

    /// What audit logs say of a change: that of its tenant, and in short the asker's own where the
    /// operator changed something elsewhere.
    pub(crate) fn audited(&self, asker: Option<Asker<'_>>, change: &Change<'_>) -> Vec<Submission> {
        self.audited_with(asker, change, json!({ "tenant": change.tenant }))
    }

    /// The same, with what the operator's log says in place of before and after: it outlives the tenant,
    /// and holds nothing of what its people wrote.
    pub(crate) fn audited_with(&self, asker: Option<Asker<'_>>, change: &Change<'_>, plain: Value) -> Vec<Submission> {
        let entry = |tenant: &TenantId| {
            let mut entry = blank(tenant, self.ports.clock.now(), AuditOutcome::Done);
            entry.actor = asker.map(|asker| actor(asker.principal));
            entry.correlation_id = asker.map(|asker| asker.correlation_id.to_owned()).unwrap_or_default();
            change.action.clone_into(&mut entry.action);
            entry.target.clone_from(&change.target);
            entry
        };
        let mut of_tenant = entry(change.tenant);
        of_tenant.before.clone_from(&change.before);
        of_tenant.after.clone_from(&change.after);
        let own = asker.map(|asker| &asker.principal.tenant).filter(|own| *own != change.tenant);
        let own = own.map(|own| AuditEntry { after: Some(plain), ..entry(own) });
        std::iter::once(of_tenant).chain(own).map(|entry| Submission::Audit(Box::new(entry))).collect()
    }
}

/// Writes refusals as long as there is an engine.
pub(crate) async fn write_refusals(engine: Weak<Engine>, mut queue: RefusalQueue) {
    let mut gathered = Vec::new();
    while queue.0.recv_many(&mut gathered, REFUSALS_WAITING_MAX).await > 0 {
        tokio::time::sleep(GATHER).await;
        while let Ok(more) = queue.0.try_recv() {
            gathered.push(more);
        }
        let Some(engine) = engine.upgrade() else { return };
        let entries = entries(std::mem::take(&mut gathered), queue.1.swap(0, Ordering::Relaxed));
        let submissions = entries.into_iter().map(|entry| Submission::Audit(Box::new(entry))).collect();
        if let Err(fault) = engine.owner.append(submissions).await {
            warn!("refused requests are not in the audit log: {fault}");
        }
    }
}

/// An entry for each different refusal, with how many times it came.
fn entries(refusals: Vec<(Timestamp, Refusal)>, dropped: u64) -> Vec<AuditEntry> {
    let mut kinds: Vec<(Timestamp, Refusal, u64)> = Vec::new();
    let mut rest = dropped;
    for (at, refusal) in refusals {
        let same = |(_, known, _): &(Timestamp, Refusal, u64)| {
            (&known.actor, known.action, &known.target) == (&refusal.actor, refusal.action, &refusal.target)
        };
        match kinds.iter().position(same) {
            Some(index) => kinds[index].2 += 1,
            None if kinds.len() < ENTRIES_MAX => kinds.push((at, refusal, 1)),
            None => rest += 1,
        }
    }
    let last = kinds.last().map(|(at, ..)| *at);
    let mut entries: Vec<AuditEntry> =
        kinds.into_iter().map(|(at, refusal, times)| entry_of(at, refusal, times)).collect();
    if let Some(at) = last.filter(|_| rest > 0) {
        let mut entry = blank(&TenantId::default_tenant(), at, AuditOutcome::Denied);
        "many".clone_into(&mut entry.action);
        entry.times = Some(rest);
        entries.push(entry);
    }
    entries
}

/// In the log of the one who asked; of nobody known, in that of whom they asked, else the operator's.
fn entry_of(at: Timestamp, refusal: Refusal, times: u64) -> AuditEntry {
    let own = refusal.actor.as_ref().map(|actor| actor.tenant.clone());
    let tenant = own.or(refusal.tenant).unwrap_or_else(TenantId::default_tenant);
    let entry = blank(&tenant, at, AuditOutcome::Denied);
    AuditEntry {
        actor: refusal.actor,
        action: refusal.action.to_owned(),
        target: refusal.target,
        times: (times > 1).then_some(times),
        correlation_id: refusal.correlation_id,
        ..entry
    }
}

pub(crate) fn blank(tenant: &TenantId, at: Timestamp, outcome: AuditOutcome) -> AuditEntry {
    AuditEntry {
        tenant: tenant.clone(),
        number: 0,
        at,
        actor: None,
        action: String::new(),
        target: String::new(),
        outcome,
        before: None,
        after: None,
        times: None,
        correlation_id: String::new(),
        previous: String::new(),
        hash: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_a_few_entries_that_say_how_many() {
        let refusal = |target: String| {
            (
                Timestamp::MIN,
                Refusal { actor: None, tenant: None, action: "getMeta", target, correlation_id: String::new() },
            )
        };
        let same: Vec<_> = (0..500).map(|_| refusal("/v1/meta".to_owned())).collect();
        let written = entries(same, 0);
        assert_eq!((written.len(), written[0].times, written[0].outcome), (1, Some(500), AuditOutcome::Denied));
        let different: Vec<_> = (0..500).map(|number| refusal(format!("/{number}"))).collect();
        let written = entries(different, 7);
        assert_eq!((written.len(), written[ENTRIES_MAX].times), (ENTRIES_MAX + 1, Some(500 - ENTRIES_MAX as u64 + 7)));
    }
}
