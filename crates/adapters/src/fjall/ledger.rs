//! The system of record: one step of an owner as rows, and the rows an owner resolves by.

use async_trait::async_trait;
use bytes::Bytes;

use tidings_core::id::{EventId, TenantId, ThreadId, fingerprint};
use tidings_core::incident::{REPORTS_MAX, Report, Reporter};
use tidings_core::port::{
    Commit, ControlChange, IdentityRow, Ledger, LogEntry, LogRecord, PortError, ThreadRow, ThreadRows,
};
use tidings_core::position::Position;
use tidings_core::time::Timestamp;

use super::spaces::Space;
use super::values::{AliasRow, DeadIdRow, EventHead, FormRow, LogRow};
use super::writer::{Kind, Rows};
use super::{Core, FjallStore, keys, layouts, values};

/// Raw bytes are kept in parts of this size.
const RAW_PART_BYTES: usize = 1 << 20;

#[async_trait]
impl Ledger for FjallStore {
    async fn commit(&self, commit: Commit) -> Result<(), PortError> {
        if commit.entries.is_empty()
            && commit.identities.is_empty()
            && commit.aliases.is_empty()
            && commit.threads.is_empty()
            && commit.reports.is_empty()
            && commit.audit.is_empty()
            && commit.records.is_empty()
            && commit.usage.is_empty()
        {
            return Ok(());
        }
        let rows = rows_of(&commit);
        let entries = commit.entries.into_iter().map(without_raw).collect();
        self.write(rows, Kind::Commit(entries)).await
    }
}

impl ThreadRows for FjallStore {
    fn identity(&self, tenant: &TenantId, event: EventId) -> Result<Option<IdentityRow>, PortError> {
        self.core.identity(tenant, event)
    }

    fn alias(&self, tenant: &TenantId, alias: &[u8; 16]) -> Result<Option<ThreadId>, PortError> {
        let Some(value) = self.core.get(Space::Alias, &keys::alias(tenant, alias))? else { return Ok(None) };
        values::read_json::<AliasRow>("an alias", &value).map(|row| Some(row.thread_id))
    }

    fn thread(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        self.core.thread(tenant, thread)
    }

    fn reports(&self, tenant: &TenantId, from: i64, to: i64, reporter: Reporter<'_>) -> Result<Vec<Report>, PortError> {
        match reporter {
            Reporter::OtherThan(issuer) => self.core.reports_of_others(tenant, from, to, issuer),
            Reporter::Only(issuer) => self.core.reports_of(tenant, from, to, issuer),
        }
    }
}

/// The lowest and the highest thread in a key.
const THREADS: [ThreadId; 2] = [ThreadId::from_bytes([0; 16]), ThreadId::from_bytes([u8::MAX; 16])];

/// An issuer as keys of reports hold it.
fn issuer_part(issuer: &str) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = fingerprint(&[issuer.as_bytes()]);
    [a, b, c, d, e, f, g, h]
}

fn read_report(value: &[u8]) -> Result<Report, PortError> {
    values::read_json("a report of an incident", value)
}

impl Core {
    /// Reads past all of one issuer's reports of a second at once, however many they are.
    fn reports_of_others(&self, tenant: &TenantId, from: i64, to: i64, issuer: &str) -> Result<Vec<Report>, PortError> {
        let last = keys::report(tenant, to, [u8::MAX; 8], THREADS[1]);
        let mut next = keys::report(tenant, from, [0; 8], THREADS[0]);
        let mut found = Vec::new();
        'passages: while found.len() < REPORTS_MAX && next.as_slice() <= last.as_slice() {
            for row in self.range(Space::Incident, &next, &last).take(REPORTS_MAX - found.len()) {
                let report = read_report(&row?.1)?;
                if report.issuer == issuer {
                    next = keys::report(tenant, report.second(), issuer_part(issuer), THREADS[1]);
                    next = next.successor();
                    continue 'passages;
                }
                found.push(report);
            }
            break;
        }
        Ok(found)
    }

    fn reports_of(&self, tenant: &TenantId, from: i64, to: i64, issuer: &str) -> Result<Vec<Report>, PortError> {
        let mut found = Vec::new();
        for second in from..=to {
            let [first, last] = THREADS.map(|thread| keys::report(tenant, second, issuer_part(issuer), thread));
            for row in self.range(Space::Incident, &first, &last).take(REPORTS_MAX - found.len()) {
                found.push(read_report(&row?.1)?);
            }
        }
        Ok(found)
    }

    pub(super) fn identity(&self, tenant: &TenantId, event: EventId) -> Result<Option<IdentityRow>, PortError> {
        self.get(Space::Id, &keys::event(tenant, event))?.map(|value| layouts::read_identity(&value)).transpose()
    }

    pub(super) fn thread(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        let value = self.get(Space::Thread, &keys::thread(tenant, thread))?;
        value.map(|value| values::read_json("a thread", &value)).transpose()
    }
}

fn rows_of(commit: &Commit) -> Rows {
    let Commit { entries, identities, aliases, threads, reports, audit, records, usage, at } = commit;
    let mut rows = Rows::with_capacity(entries.len() * 4 + identities.len() + aliases.len() + threads.len());
    for entry in entries {
        put_entry(&mut rows, entry, *at);
    }
    for (tenant, event, row) in identities {
        rows.put(Space::Id, keys::event(tenant, *event), layouts::identity(row));
    }
    for (tenant, alias, thread_id) in aliases {
        rows.put(Space::Alias, keys::alias(tenant, alias), values::json(&AliasRow { thread_id: *thread_id }));
    }
    for row in threads {
        rows.put(Space::Thread, keys::thread(&row.tenant, row.id), values::json(row));
    }
    for report in reports {
        let key = keys::report(&report.tenant, report.second(), issuer_part(&report.issuer), report.thread);
        rows.put(Space::Incident, key, values::json(report));
    }
    for entry in audit {
        rows.put(Space::Audit, keys::audit(&entry.tenant, entry.number), values::json(entry));
    }
    for row in records {
        match &row.record {
            Some(record) => rows.put(Space::Record, keys::record(&row.key), values::record(record)),
            None => rows.remove(Space::Record, keys::record(&row.key)),
        }
    }
    for (tenant, usage) in usage {
        rows.put(Space::Usage, keys::of_tenant(tenant), values::json(usage));
    }
    rows
}

fn put_entry(rows: &mut Rows, entry: &LogEntry, stored: Option<Timestamp>) {
    let LogEntry { position, tenant, record } = entry;
    let at = *position;
    let log_row = match record {
        LogRecord::Event { thread, revision, outlook, event, body, raw } => {
            let head =
                EventHead { tenant: tenant.clone(), thread_id: *thread, revision: *revision, outlook: outlook.clone() };
            rows.put(Space::Event, keys::position(at), values::event(&head, body));
            rows.put(Space::Version, keys::version(tenant, *thread, at), values::empty());
            put_raw(rows, at, raw);
            LogRow::Event { tenant: tenant.clone(), event_id: event.id, stored }
        }
        LogRecord::Form { event, form, conflict, raw } => {
            let row = FormRow { form: form.clone(), conflict: *conflict };
            rows.put(Space::Form, keys::form(tenant, *event, at), values::json(&row));
            put_raw(rows, at, raw);
            LogRow::Form { tenant: tenant.clone(), event_id: *event }
        }
        LogRecord::DeadLetter { letter, raw } => {
            rows.put(Space::Dead, keys::dead(tenant, at), values::json(letter));
            rows.put(Space::DeadId, keys::dead_id(tenant, letter.id), values::json(&DeadIdRow { position: at }));
            put_raw(rows, at, raw);
            LogRow::DeadLetter { tenant: tenant.clone(), dead_letter_id: letter.id }
        }
        LogRecord::Control(change) => {
            put_change(rows, at, change);
            LogRow::Control { tenant: tenant.clone() }
        }
    };
    rows.put(Space::Log, keys::position(at), values::json(&log_row));
}

fn put_change(rows: &mut Rows, at: Position, change: &ControlChange) {
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
        rows.put(Space::Revision, keys::revision(subscription, at), values::empty());
    }
    rows.put(Space::Control, keys::position(at), values::json(change));
}

fn put_raw(rows: &mut Rows, at: Position, raw: &Bytes) {
    if raw.is_empty() {
        rows.put(Space::Raw, keys::raw(at, 0), values::raw(raw));
    }
    for (part, bytes) in (0..).zip(raw.chunks(RAW_PART_BYTES)) {
        rows.put(Space::Raw, keys::raw(at, part), values::raw(bytes));
    }
}

/// The entry as readers of the log get it.
fn without_raw(mut entry: LogEntry) -> LogEntry {
    match &mut entry.record {
        LogRecord::Event { raw, .. } | LogRecord::Form { raw, .. } | LogRecord::DeadLetter { raw, .. } => {
            *raw = Bytes::new();
        }
        LogRecord::Control(_) => {}
    }
    entry
}
