//! Decisions, inboxes and what was told.

use async_trait::async_trait;

use tidings_core::id::{EventId, TenantId, ThreadId, UserId};
use tidings_core::notice::StoredDecision;
use tidings_core::port::{DeliveryStore, InboxEntry, NotifierCursor, NotifierStep, PortError, Told};
use tidings_core::position::Position;

use super::spaces::Space;
use super::values::{ReadMarkRow, damaged};
use super::writer::{Kind, Rows};
use super::{Core, FjallStore, keys, layouts, values};

/// From so many decisions on, a step is made into rows off the async threads.
const LARGE_STEP: usize = 256;
/// From so many on, inboxes are looked at off the async threads.
const MANY_INBOXES: usize = 16;

#[async_trait]
impl DeliveryStore for FjallStore {
    async fn notifier_cursor(&self) -> Result<NotifierCursor, PortError> {
        match self.core.get(Space::Cursor, &keys::notifier_cursor())? {
            None => Ok(NotifierCursor { position: Position::start(self.core.tail.epoch), unfinished: Vec::new() }),
            Some(value) => values::read_json("the notifier's cursor", &value),
        }
    }

    async fn commit_step(&self, step: NotifierStep) -> Result<(), PortError> {
        let rows = if step.decisions.len() < LARGE_STEP {
            rows_of(&step)
        } else {
            self.blocking(move |_| Ok(rows_of(&step))).await?
        };
        self.write(rows, Kind::Step).await
    }

    async fn told_of(
        &self,
        thread_tenant: &TenantId,
        thread: ThreadId,
        after: Option<&(TenantId, UserId)>,
        limit: usize,
    ) -> Result<Vec<Told>, PortError> {
        let (thread_tenant, after) = (thread_tenant.clone(), after.cloned());
        self.blocking(move |core| core.told_of(&thread_tenant, thread, after.as_ref(), limit)).await
    }

    async fn decision(
        &self,
        tenant: &TenantId,
        user: UserId,
        event: EventId,
    ) -> Result<Option<StoredDecision>, PortError> {
        let value = self.core.get(Space::Decision, &keys::decision(tenant, user, event))?;
        value.map(|value| layouts::read_decision(&value, tenant, user, event)).transpose()
    }

    async fn inbox_after(
        &self,
        tenant: &TenantId,
        user: UserId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, PortError> {
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        let (from, to) = (keys::inbox(tenant, user, first), keys::inbox(tenant, user, u64::MAX));
        self.blocking(move |core| inbox_entries(core.range(Space::Inbox, &from, &to).take(limit))).await
    }

    async fn inbox_before(
        &self,
        tenant: &TenantId,
        user: UserId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, PortError> {
        let Some(last) = before.checked_sub(1) else { return Ok(Vec::new()) };
        let (from, to) = (keys::inbox(tenant, user, 0), keys::inbox(tenant, user, last));
        self.blocking(move |core| inbox_entries(core.range(Space::Inbox, &from, &to).rev().take(limit))).await
    }

    async fn inbox_head(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError> {
        self.core.inbox_head(tenant, user)
    }

    async fn inbox_heads(&self, inboxes: &[(TenantId, UserId)]) -> Result<Vec<u64>, PortError> {
        let heads = |core: &Core, inboxes: &[(TenantId, UserId)]| {
            inboxes.iter().map(|(tenant, user)| core.inbox_head(tenant, *user)).collect()
        };
        if inboxes.len() < MANY_INBOXES {
            return heads(&self.core, inboxes);
        }
        let inboxes = inboxes.to_vec();
        self.blocking(move |core| heads(core, &inboxes)).await
    }

    async fn read_mark(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError> {
        self.core.read_mark(tenant, user)
    }

    async fn set_read_mark(&self, tenant: &TenantId, user: UserId, number: u64) -> Result<(), PortError> {
        if number <= self.core.read_mark(tenant, user)? {
            return Ok(());
        }
        self.write(Rows::default(), Kind::ReadMark(tenant.clone(), user, number)).await
    }
}

impl Core {
    pub(super) fn read_mark(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError> {
        let Some(value) = self.get(Space::Cursor, &keys::recipient(tenant, user))? else { return Ok(0) };
        values::read_json::<ReadMarkRow>("a read mark", &value).map(|row| row.read)
    }

    fn inbox_head(&self, tenant: &TenantId, user: UserId) -> Result<u64, PortError> {
        match self.prefix(Space::Inbox, &keys::recipient(tenant, user)).next_back() {
            None => Ok(0),
            Some(row) => keys::ending_number(&row?.0).ok_or_else(|| damaged("an inbox row")),
        }
    }

    fn told_of(
        &self,
        thread_tenant: &TenantId,
        thread: ThreadId,
        after: Option<&(TenantId, UserId)>,
        limit: usize,
    ) -> Result<Vec<Told>, PortError> {
        let prefix = keys::told_of(thread_tenant, thread);
        let rows: Box<dyn Iterator<Item = super::Row>> = match after {
            None => Box::new(self.prefix(Space::Told, &prefix)),
            Some((tenant, user)) => {
                let from = keys::told(thread_tenant, thread, tenant, *user);
                Box::new(self.prefix_after(Space::Told, &prefix, &from))
            }
        };
        // Most recipients are of one tenant, so its name is shared and not made anew for each.
        let mut tenant = thread_tenant.clone();
        let mut some = Vec::new();
        for row in rows.take(limit) {
            let (key, value) = row?;
            let fault = || damaged("a told row");
            let (name, user) = keys::told_recipient(&key, prefix.as_slice().len()).ok_or_else(fault)?;
            if name != tenant.as_str() {
                tenant = name.parse().map_err(|_| fault())?;
            }
            some.push(layouts::read_told(&value, thread_tenant, thread, &tenant, user)?);
        }
        Ok(some)
    }
}

fn rows_of(step: &NotifierStep) -> Rows {
    let mut rows = Rows::with_capacity(step.told.len() + 2 * step.decisions.len() + 1);
    for told in &step.told {
        let key = keys::told(&told.thread_tenant, told.thread, &told.tenant, told.user);
        rows.put(Space::Told, key, layouts::told(told));
    }
    for decision in &step.decisions {
        let StoredDecision { tenant, user, event, position, .. } = decision;
        rows.put(Space::Decision, keys::decision(tenant, *user, *event), layouts::decision(decision));
        for notice in &decision.notices {
            rows.put(Space::Inbox, keys::inbox(tenant, *user, notice.number), layouts::inbox(*event, *position));
        }
    }
    rows.put(Space::Cursor, keys::notifier_cursor(), values::json(&step.cursor));
    rows
}

fn inbox_entries(rows: impl Iterator<Item = super::Row>) -> Result<Vec<InboxEntry>, PortError> {
    let entry_of = |row: super::Row| {
        let (key, value) = row?;
        layouts::read_inbox(&value, keys::ending_number(&key).ok_or_else(|| damaged("an inbox row"))?)
    };
    rows.map(entry_of).collect()
}
