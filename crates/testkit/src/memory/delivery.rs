//! Decisions, inboxes and what was told.

use std::ops::Bound;

use async_trait::async_trait;

use tidings_core::id::{EventId, TenantId, ThreadId, UserId};
use tidings_core::notice::StoredDecision;
use tidings_core::port::{DeliveryStore, InboxEntry, NotifierCursor, NotifierStep, PortError, Told};

use super::{MemoryStore, Recipient, State};

#[async_trait]
impl DeliveryStore for MemoryStore {
    async fn notifier_cursor(&self) -> Result<NotifierCursor, PortError> {
        Ok(self.state().cursor.clone())
    }

    async fn commit_step(&self, step: NotifierStep) -> Result<(), PortError> {
        let mut state = self.state();
        for told in step.told {
            let of_thread = state.told.entry((told.thread_tenant.clone(), told.thread)).or_default();
            of_thread.insert((told.tenant.clone(), told.user), told);
        }
        for decision in step.decisions {
            for notice in &decision.notices {
                let entry = InboxEntry { number: notice.number, event: decision.event, position: decision.position };
                let inbox = state.inboxes.entry((decision.tenant.clone(), decision.user)).or_default();
                inbox.insert(notice.number, entry);
            }
            state.decisions.insert((decision.tenant.clone(), decision.user, decision.event), decision);
        }
        state.cursor = step.cursor;
        Ok(())
    }

    async fn told_of(
        &self,
        thread_tenant: &TenantId,
        thread: ThreadId,
        after: Option<&(TenantId, UserId)>,
        limit: usize,
    ) -> Result<Vec<Told>, PortError> {
        let state = self.state();
        let Some(of_thread) = state.told.get(&(thread_tenant.clone(), thread)) else { return Ok(Vec::new()) };
        let from = after.cloned().map_or(Bound::Unbounded, Bound::Excluded);
        Ok(of_thread.range((from, Bound::Unbounded)).take(limit).map(|(_, told)| told.clone()).collect())
    }

    async fn decision(
        &self,
        tenant: &TenantId,
        user: UserId,
        event: EventId,
    ) -> Result<Option<StoredDecision>, PortError> {
        Ok(self.state().decisions.get(&(tenant.clone(), user, event)).cloned())
    }

    async fn inbox_after(
        &self,
        tenant: &TenantId,
        user: UserId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, PortError> {
        let state = self.state();
        let Some(inbox) = state.inboxes.get(&(tenant.clone(), user)) else { return Ok(Vec::new()) };
        let above = inbox.range((Bound::Excluded(after), Bound::Unbounded));
        Ok(above.take(limit).map(|(_, entry)| *entry).collect())
    }

    async fn inbox_before(
        &self,
        tenant: &TenantId,
        user: UserId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, PortError> {
        let state = self.state();
        let Some(inbox) = state.inboxes.get(&(tenant.clone(), user)) else { return Ok(Vec::new()) };
        Ok(inbox.range(..before).rev().take(limit).map(|(_, entry)| *entry).collect())
    }

    async fn inbox_head(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError> {
        Ok(self.state().inbox_head(&(tenant.clone(), user)))
    }

    async fn inbox_heads(&self, inboxes: &[(TenantId, UserId)]) -> Result<Vec<u64>, PortError> {
        let state = self.state();
        Ok(inboxes.iter().map(|inbox| state.inbox_head(inbox)).collect())
    }

    async fn read_mark(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError> {
        Ok(self.state().read_marks.get(&(tenant.clone(), user)).copied().unwrap_or(0))
    }

    async fn set_read_mark(&self, tenant: &TenantId, user: UserId, number: u64) -> Result<(), PortError> {
        let mut state = self.state();
        let mark = state.read_marks.entry((tenant.clone(), user)).or_default();
        *mark = number.max(*mark);
        Ok(())
    }
}

impl State {
    fn inbox_head(&self, inbox: &Recipient) -> u64 {
        self.inboxes.get(inbox).and_then(|inbox| inbox.keys().next_back().copied()).unwrap_or(0)
    }
}
