//! Erases what is kept of closed tenants, and shows that nothing is left.
//!
//! The closing is a change like any other, so whatever happens to the process, the next start finds the
//! tenant closed and goes on. The end is a change too, with the proof.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::json;
use tidings_core::audit::AuditOutcome;
use tidings_core::id::TenantId;
use tidings_core::port::{Clock, ControlChange, EventLog, PortError, Projection, Scan, TenantRows};
use tidings_core::position::Position;
use tidings_core::resolve::Submission;
use tidings_core::tenant::{ErasureProof, TenantRecord, TenantState};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::audit::blank;
use crate::control::Control;
use crate::engine::Engine;
use crate::notifier::Decided;
use crate::owner::OwnerHandle;

/// How long to wait for readers of the log before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long to wait after a failure, at first and at most.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How often all is gone through until a scan finds nothing: what was under way when the tenant was closed
/// may have written something behind the first.
const ROUNDS_MAX: usize = 10;

/// What erasing works with.
pub(crate) struct Eraser {
    pub log: Arc<dyn EventLog>,
    pub rows: Arc<dyn TenantRows>,
    pub view: Arc<dyn Projection>,
    pub control: Arc<Control>,
    pub owner: OwnerHandle,
    /// Who knows the people of tenants; it is asked only while it is there.
    pub people: Weak<Engine>,
    pub clock: Arc<dyn Clock>,
    pub decided: watch::Receiver<Decided>,
}

/// It was told to stop in the middle.
struct Stopped;

impl Eraser {
    /// Runs until told to stop. What fails is tried again, a little later each time.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut rights = self.control.rights();
        let mut pause = PAUSE;
        let mut passed: HashSet<TenantId> = HashSet::new();
        loop {
            rights.borrow_and_update();
            let erasing = self.control.tenants().into_iter().find(|it| it.state == TenantState::Erasing);
            let waits = match erasing {
                None => None,
                Some(record) => match self.erase(&record, &mut passed, &stop).await {
                    Ok(Ok(())) => {
                        pause = PAUSE;
                        continue;
                    }
                    Ok(Err(Stopped)) => return,
                    Err(fault) => {
                        let cause = fault.source.as_ref().map(ToString::to_string).unwrap_or_default();
                        warn!(tenant.id = %record.id, "erasing waits and is tried again: {fault}: {cause}");
                        pause = (pause * 2).min(PAUSE_MAX);
                        Some(pause)
                    }
                },
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                changed = rights.changed(), if waits.is_none() => if changed.is_err() { return },
                () = tokio::time::sleep(waits.unwrap_or_default()), if waits.is_some() => {}
            }
        }
    }

    /// Erases a tenant; `passed` are those whose end all readers of the log have seen since the start.
    async fn erase(
        &self,
        record: &TenantRecord,
        passed: &mut HashSet<TenantId>,
        stop: &watch::Receiver<bool>,
    ) -> Result<Result<(), Stopped>, PortError> {
        let tenant = &record.id;
        info!(tenant.id = %tenant, "erasing tenant {tenant}");
        if !passed.contains(tenant) && self.readers_pass(self.log.head(), stop).await?.is_err() {
            return Ok(Err(Stopped));
        }
        passed.insert(tenant.clone());
        for round in 0..ROUNDS_MAX {
            let Ok(_) = self.forget_people(tenant).await? else { return Ok(Err(Stopped)) };
            let erasure = loop {
                if *stop.borrow() {
                    return Ok(Err(Stopped));
                }
                let erasure = self.rows.erase_some(tenant).await?;
                if erasure.is_done {
                    break erasure;
                }
            };
            self.view.forget(tenant).await?;
            if self.rows.scan(tenant).await?.found.is_empty() {
                let mut step = 0;
                while self.rows.forget_removed(step).await? {
                    if *stop.borrow() {
                        return Ok(Err(Stopped));
                    }
                    step += 1;
                }
                let Ok(left) = self.forget_people(tenant).await? else { return Ok(Err(Stopped)) };
                // Once more, for the proof: it is of what the disk holds then.
                let scan = self.rows.scan(tenant).await?;
                if scan.found.is_empty() && left == 0 {
                    let proof = self.proof(record, erasure, &scan);
                    self.finish(record, proof).await?;
                    info!(tenant.id = %tenant, "nothing of tenant {tenant} is left after {} rounds", round + 1);
                    return Ok(Ok(()));
                }
            }
            self.rows.erase_again(tenant).await?;
        }
        Err(PortError::later("erase a tenant", "rows of it keep coming"))
    }

    /// What of people it had to take away.
    async fn forget_people(&self, tenant: &TenantId) -> Result<Result<usize, Stopped>, PortError> {
        let Some(engine) = self.people.upgrade() else { return Ok(Err(Stopped)) };
        engine.forget_people(tenant).await.map(Ok)
    }

    /// Waits until nobody who follows the log has anything of the tenant in hand.
    async fn readers_pass(
        &self,
        end: Position,
        stop: &watch::Receiver<bool>,
    ) -> Result<Result<(), Stopped>, PortError> {
        loop {
            let decided = *self.decided.borrow();
            let notifier_has = decided.position >= end && decided.held.is_none_or(|held| held > end);
            if notifier_has && self.view.cursor().await? >= end {
                return Ok(Ok(()));
            }
            if *stop.borrow() {
                return Ok(Err(Stopped));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn proof(&self, record: &TenantRecord, erasure: tidings_core::port::Erasure, scan: &Scan) -> ErasureProof {
        ErasureProof {
            closed: record.updated,
            finished: self.clock.now(),
            removed: erasure.removed,
            audit_end: erasure.audit_end,
            scanned: scan.scanned,
        }
    }

    async fn finish(&self, record: &TenantRecord, proof: ErasureProof) -> Result<(), PortError> {
        let mut entry = blank(&TenantId::default_tenant(), self.clock.now(), AuditOutcome::Done);
        "tenant.erased".clone_into(&mut entry.action);
        entry.target = record.id.to_string();
        entry.after = Some(json!(proof));
        let erased = TenantRecord { proof: Some(proof), ..record.bare(TenantState::Erased, self.clock.now()) };
        let change = Box::new(ControlChange::Tenant(Box::new(erased)));
        let batch = vec![Submission::Audit(Box::new(entry)), Submission::Control(change, TenantId::default_tenant())];
        self.owner.append(batch).await.map(drop)
    }
}
