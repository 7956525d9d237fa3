//! Everything of a tenant taken out, in one step.

use std::collections::BTreeMap;

use async_trait::async_trait;

use tidings_core::id::TenantId;
use tidings_core::port::{AuditLog, ControlChange, Erasure, Fence, PortError, Scan, TenantRows};
use tidings_core::position::Position;
use tidings_core::tenant::Usage;

use super::{MemoryStore, State};

#[async_trait]
impl TenantRows for MemoryStore {
    async fn usage(&self) -> Result<Vec<(TenantId, Usage)>, PortError> {
        Ok(self.state().usage.iter().map(|(tenant, usage)| (tenant.clone(), *usage)).collect())
    }

    async fn erase_some(&self, tenant: &TenantId) -> Result<Erasure, PortError> {
        let audit_end = self.audit_end(tenant).await?;
        let mut state = self.state();
        let before = state.erasures.get(tenant).cloned();
        if let Some(done) = before.as_ref().filter(|erasure| erasure.is_done) {
            return Ok(done.clone());
        }
        let Erasure { mut removed, audit_end, .. } = before.unwrap_or(Erasure { audit_end, ..Erasure::default() });
        for (name, count) in state.erase(tenant) {
            *removed.entry(name.to_owned()).or_default() += count;
        }
        let erasure = Erasure { removed, audit_end, is_done: true };
        state.erasures.insert(tenant.clone(), erasure.clone());
        Ok(erasure)
    }

    async fn erase_again(&self, tenant: &TenantId) -> Result<(), PortError> {
        if let Some(erasure) = self.state().erasures.get_mut(tenant) {
            erasure.is_done = false;
        }
        Ok(())
    }

    async fn scan(&self, tenant: &TenantId) -> Result<Scan, PortError> {
        let mut left = self.state().clone();
        let found = left.erase(tenant).into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        Ok(Scan { scanned: left.rows(), found })
    }

    async fn forget_removed(&self, _step: usize) -> Result<bool, PortError> {
        Ok(false)
    }
}

/// Keeps what is not to go; how many went.
fn keep<K: Ord, V>(rows: &mut BTreeMap<K, V>, mut stays: impl FnMut(&K, &V) -> bool) -> u64 {
    let before = rows.len();
    rows.retain(|key, value| stays(key, value));
    (before - rows.len()) as u64
}

impl State {
    fn erase(&mut self, tenant: &TenantId) -> BTreeMap<&'static str, u64> {
        let is_record = |change: &ControlChange| matches!(change, ControlChange::Tenant(record) if record.id == *tenant && !record.state.is_closed());
        let mut places: Vec<Position> = Vec::new();
        for (position, entry) in (1..).map(|count| self.tail().plus(count)).zip(&self.log) {
            let Some(entry) = entry else { continue };
            let is_record = matches!(&entry.record, super::LogRecord::Control(change) if is_record(change));
            if entry.tenant == *tenant || is_record {
                places.push(position);
            }
        }
        for place in &places {
            let index = self.index_of(*place).expect("it was just found there");
            self.log[index] = None;
        }
        let is_kept = |position: &Position| places.binary_search(position).is_err();
        let changes = self.changes.len();
        self.changes.retain(|change| is_kept(&change.position));
        let mut revisions = 0;
        for of_subscription in self.revisions.values_mut() {
            let before = of_subscription.len();
            of_subscription.retain(is_kept);
            revisions += (before - of_subscription.len()) as u64;
        }
        let mut told = 0;
        for of_thread in self.told.values_mut() {
            told += keep(of_thread, |(reader, _), _| reader != tenant);
        }
        let other = |of: &TenantId| of != tenant;
        let removed = [
            ("log", places.len() as u64),
            ("raw", keep(&mut self.raw, |position, _| is_kept(position))),
            ("stored", keep(&mut self.stored, |position, _| is_kept(position))),
            ("control", (changes - self.changes.len()) as u64),
            ("revision", revisions),
            ("id", keep(&mut self.identities, |(of, _), _| other(of))),
            ("alias", keep(&mut self.aliases, |(of, _), _| other(of))),
            ("thread", keep(&mut self.threads, |(of, _), _| other(of))),
            ("incident", keep(&mut self.reports, |(of, ..), _| other(of))),
            ("version", keep(&mut self.versions, |(of, _), _| other(of))),
            ("form", keep(&mut self.forms, |(of, _), _| other(of))),
            ("audit", keep(&mut self.audit, |(of, _), _| other(of))),
            ("dead", keep(&mut self.letters, |_, letter| other(&letter.tenant))),
            ("dead_id", keep(&mut self.letter_positions, |(of, _), _| other(of))),
            ("told", told + keep(&mut self.told, |(of, _), _| other(of))),
            ("decision", keep(&mut self.decisions, |(of, ..), _| other(of))),
            ("inbox", keep(&mut self.inboxes, |(of, _), _| other(of))),
            ("record", keep(&mut self.records, |key, _| key.fence != Fence::Tenant(tenant.clone()))),
            ("usage", keep(&mut self.usage, |of, _| other(of))),
            ("cursor", keep(&mut self.read_marks, |(of, _), _| other(of))),
        ];
        removed.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    fn rows(&self) -> u64 {
        (self.log.len() + self.identities.len() + self.threads.len() + self.decisions.len()) as u64
    }
}
