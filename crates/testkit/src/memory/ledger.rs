//! The way in: one commit, all or nothing.

use async_trait::async_trait;
use bytes::Bytes;

use tidings_core::audit::{AuditEntry, ChainEnd};
use tidings_core::id::TenantId;
use tidings_core::port::{
    AuditLog, Commit, ControlChange, Fence, Ledger, LogEntry, LogRecord, PortError, Record, RecordKey, RecordRow,
    RecordStore, Shelf, StoredChange,
};

use super::{MemoryStore, State, misuse};

#[async_trait]
impl Ledger for MemoryStore {
    async fn commit(&self, commit: Commit) -> Result<(), PortError> {
        let mut state = self.state();
        let mut expected = state.head();
        for entry in &commit.entries {
            expected = expected.plus(1);
            if entry.position != expected {
                return Err(misuse(format!("commit an entry at {}: the next is {expected}", entry.position)));
            }
        }
        if let Some(at) = commit.at {
            let events = commit.entries.iter().filter(|entry| matches!(entry.record, LogRecord::Event { .. }));
            state.stored.extend(events.map(|entry| (entry.position, at)));
        }
        for (tenant, event, row) in commit.identities {
            state.identities.insert((tenant, event), row);
        }
        for (tenant, alias, thread) in commit.aliases {
            state.aliases.insert((tenant, alias), thread);
        }
        for row in commit.threads {
            state.threads.insert((row.tenant.clone(), row.id), row);
        }
        for report in commit.reports {
            state.reports.insert((report.tenant.clone(), report.second(), report.thread), report);
        }
        for entry in commit.audit {
            state.audit.insert((entry.tenant.clone(), entry.number), entry);
        }
        for RecordRow { key, record } in commit.records {
            match record {
                Some(record) => state.records.insert(key, record),
                None => state.records.remove(&key),
            };
        }
        state.usage.extend(commit.usage);
        for entry in commit.entries {
            state.append(entry);
        }
        // Announced under the lock, so that no reader hears of heads out of order.
        self.shared.head.send_if_modified(|head| std::mem::replace(head, expected) != expected);
        Ok(())
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn audit_end(&self, tenant: &TenantId) -> Result<ChainEnd, PortError> {
        let state = self.state();
        let last = state.audit.range((tenant.clone(), 0)..=(tenant.clone(), u64::MAX)).next_back();
        Ok(last.map_or_else(ChainEnd::default, |(_, it)| ChainEnd { number: it.number, hash: it.hash.clone() }))
    }

    async fn audit(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, PortError> {
        let state = self.state();
        let rows = state.audit.range((tenant.clone(), 0)..=(tenant.clone(), u64::MAX));
        Ok(rows.map(|(_, entry)| entry).filter(|entry| entry.number > after).take(limit).cloned().collect())
    }
}

#[async_trait]
impl RecordStore for MemoryStore {
    async fn record(&self, key: &RecordKey) -> Result<Option<Record>, PortError> {
        Ok(self.state().records.get(key).cloned())
    }

    async fn records(
        &self,
        fence: &Fence,
        shelf: Shelf,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(RecordKey, Record)>, PortError> {
        let state = self.state();
        let is_asked = |key: &RecordKey| {
            key.fence == *fence
                && key.shelf == shelf
                && key.name().starts_with(prefix)
                && after.is_none_or(|after| key.name() > after)
        };
        let found = state.records.iter().filter(|(key, _)| is_asked(key)).take(limit);
        Ok(found.map(|(key, record)| (key.clone(), record.clone())).collect())
    }
}

impl State {
    fn append(&mut self, mut entry: LogEntry) {
        let (position, tenant) = (entry.position, entry.tenant.clone());
        match &mut entry.record {
            LogRecord::Event { thread, raw, .. } => {
                self.raw.insert(position, std::mem::replace(raw, Bytes::new()));
                self.versions.entry((tenant, *thread)).or_default().push(position);
            }
            LogRecord::Form { event, form, conflict, raw } => {
                self.raw.insert(position, std::mem::replace(raw, Bytes::new()));
                self.forms.entry((tenant, *event)).or_default().push((form.clone(), *conflict));
            }
            LogRecord::DeadLetter { letter, raw } => {
                self.raw.insert(position, std::mem::replace(raw, Bytes::new()));
                self.letter_positions.insert((tenant, letter.id), position);
                self.letters.insert(position, letter.clone());
            }
            LogRecord::Control(change) => {
                let subscription = match change {
                    ControlChange::Subscription(subscription) => Some(subscription.id),
                    ControlChange::SubscriptionDeleted(record) => Some(record.id),
                    ControlChange::Key(_)
                    | ControlChange::KeyRevoked(_)
                    | ControlChange::Role(_)
                    | ControlChange::RoleDeleted(_)
                    | ControlChange::Hook(_)
                    | ControlChange::HookDeleted(_)
                    | ControlChange::ServiceAccount(_)
                    | ControlChange::ServiceAccountDeleted(_)
                    | ControlChange::Tenant(_) => None,
                };
                if let Some(subscription) = subscription {
                    self.revisions.entry(subscription).or_default().push(position);
                }
                self.changes.push(StoredChange { position, change: change.clone() });
            }
        }
        self.log.push(Some(entry));
    }
}
