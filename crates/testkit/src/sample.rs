//! Small made-up things to store and to read back.

mod access;
mod tenants;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use tidings_core::audit::{Actor, AuditEntry, AuditOutcome, ChainEnd};
use tidings_core::draft::Format;
use tidings_core::event::{Event, Form};
use tidings_core::filter::Filter;
use tidings_core::id::{DeadLetterId, EventId, IncidentId, KeyId, SubscriptionId, TenantId, ThreadId, UserId};
use tidings_core::incident::Report;
use tidings_core::notice::{Decision, Notice, NoticeKind, StoredDecision, Verdict};
use tidings_core::permission::{Permission, Permissions, Role};
use tidings_core::port::{
    Commit, ControlChange, ControlRecord, DeadLetter, DeadLetterState, Fence, IdentityRow, KeyRecord, LogEntry,
    LogRecord, NotifierCursor, NotifierStep, Record, RecordKey, RecordRow, RoleRecord, Says, Shelf, ThreadHead,
    ThreadRow, Told, ToldPlace,
};
use tidings_core::position::Position;
use tidings_core::principal::{Credential, Issuers};
use tidings_core::rejection::{Reason, Stage};
use tidings_core::stored::Outlook;
use tidings_core::subscription::{Subscription, UpdatePolicy};
use tidings_core::vocabulary::{Action, Category, Severity, State};

use crate::START;

pub use access::{account_deletion_entry, account_entry, hook_deletion_entry, hook_entry};
pub use tenants::{erased_tenant, tenant, tenant_entry};

/// The id of event number `number`.
pub fn event_id(number: u64) -> EventId {
    EventId::derived(&[&number.to_be_bytes()])
}

/// The id of thread number `number`.
pub fn thread_id(number: u64) -> ThreadId {
    ThreadId::derived(&[&number.to_be_bytes()])
}

/// The id of user number `number`; users sort as their numbers do.
pub fn user_id(number: u64) -> UserId {
    UserId::from_bytes(u128::from(number).to_be_bytes())
}

/// The id of subscription number `number`.
pub fn subscription_id(number: u64) -> SubscriptionId {
    SubscriptionId::from_bytes(u128::from(number).to_be_bytes())
}

/// The id of dead letter number `number`.
pub fn dead_letter_id(number: u64) -> DeadLetterId {
    DeadLetterId::from_bytes(u128::from(number).to_be_bytes())
}

/// A wind warning, each number another.
pub fn event(tenant: &TenantId, number: u64) -> Event {
    let json = json!({
        "id": event_id(number), "tenant": tenant, "source": "api", "sender": "example.org", "issuer": "example.org",
        "native_id": format!("n{number}"), "official": false, "action": Action::New, "status": "actual",
        "category": "weather", "type": "weather.wind", "severity": "Severe", "severity_origin": "given",
        "urgency": "Expected", "certainty": "Likely", "confidence": 0.5, "title": format!("Gale {number}"),
        "geometry_origin": "none", "place_precision": "none",
        "forms": [{"media_type": "application/json", "received": START, "correlation_id": format!("c{number}")}],
        "received": START, "hazard_end": START.plus_hours(24), "schema_version": 1,
        "correlation_id": format!("c{number}"),
    });
    serde_json::from_value(json).expect("the sample has every member that must be there")
}

/// The log entry of event number `number`, in the thread of the same number.
pub fn event_entry(position: Position, tenant: &TenantId, number: u64) -> LogEntry {
    let event = event(tenant, number);
    let body = serde_json::to_vec(&event).expect("an event has text keys");
    let outlook = Outlook {
        state: State::Active,
        is_current: true,
        current: event.id,
        merged: Vec::new(),
        merged_from: Vec::new(),
        standing: Vec::new(),
        closed: Vec::new(),
        incident: incident_id(number),
        incident_threads: Vec::new(),
    };
    let record = LogRecord::Event {
        thread: thread_id(number),
        revision: 1,
        outlook,
        event: Arc::new(event),
        body: body.into(),
        raw: Bytes::from(format!("raw {number}")),
    };
    LogEntry { position, tenant: tenant.clone(), record }
}

/// What an owner commits with [`event_entry`]s numbered `numbers` from `after` on: entries,
/// identities, names and threads.
pub fn commit_of(after: Position, tenant: &TenantId, numbers: std::ops::Range<u64>) -> Commit {
    let mut commit = Commit::default();
    for (index, number) in (1..).zip(numbers) {
        let position = after.plus(index);
        commit.entries.push(event_entry(position, tenant, number));
        commit.identities.push((tenant.clone(), event_id(number), identity(position, number)));
        commit.aliases.push((tenant.clone(), alias(number), thread_id(number)));
        commit.threads.push(thread(position, tenant, number));
        commit.reports.push(report(tenant, number));
    }
    commit
}

/// The name of thread number `number`.
pub fn alias(number: u64) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

/// The identity row of event number `number`.
pub fn identity(position: Position, number: u64) -> IdentityRow {
    IdentityRow {
        position,
        thread: thread_id(number),
        tuple_hash: [number as u8; 16],
        content_hash: [number as u8 ^ 0xff; 16],
        version_time: number.is_multiple_of(2).then_some(START),
        state: State::Active,
        format: Format::Cap,
        says: Says(Says::SEVERITY | Says::TIME),
    }
}

/// Thread number `number`, with one event.
pub fn thread(position: Position, tenant: &TenantId, number: u64) -> ThreadRow {
    let current = ThreadHead {
        event: event_id(number),
        position,
        revision: 1,
        version_time: None,
        order_time: START,
        action: Action::New,
        hazard_end: START.plus_hours(24),
    };
    ThreadRow {
        id: thread_id(number),
        tenant: tenant.clone(),
        order_key: "example.org".to_owned(),
        first: position,
        revisions: 1,
        current,
        state: State::Active,
        parts: Vec::new(),
        title: format!("Gale {number}"),
        merged_into: None,
        merged_from: Vec::new(),
        upgraded_to: None,
        closed_at: None,
        incident: incident_id(number),
    }
}

/// What thread number `number` reports of an incident.
pub fn report(tenant: &TenantId, number: u64) -> Report {
    Report {
        tenant: tenant.clone(),
        thread: thread_id(number),
        incident: incident_id(number),
        issuer: "example.org".to_owned(),
        occurred: START.plus_millis(1_000 * number as i64),
        lat: 45.5,
        lon: -10.25,
        magnitude: 5.5,
    }
}

/// A further form of event number `number`.
pub fn form_entry(position: Position, tenant: &TenantId, number: u64, conflict: bool) -> LogEntry {
    let form = Form {
        media_type: "application/cap+xml".to_owned(),
        received: START.plus_hours(1),
        correlation_id: format!("f{number}"),
    };
    let record = LogRecord::Form { event: event_id(number), form, conflict, raw: Bytes::from_static(b"<alert/>") };
    LogEntry { position, tenant: tenant.clone(), record }
}

/// Dead letter number `number`.
pub fn letter(tenant: &TenantId, number: u64) -> DeadLetter {
    DeadLetter {
        id: dead_letter_id(number),
        tenant: tenant.clone(),
        source: "api".to_owned(),
        received: START,
        stage: Stage::Decode,
        code: Reason::InvalidJson,
        pointer: "/3".to_owned(),
        detail: "expected `,`".to_owned(),
        media_type: Some("application/json".to_owned()),
        bytes: 7,
        state: DeadLetterState::Parked,
        envelope: None,
        attempts: Vec::new(),
        correlation_id: format!("d{number}"),
    }
}

/// The log entry of dead letter number `number`.
pub fn letter_entry(position: Position, tenant: &TenantId, number: u64) -> LogEntry {
    let record = LogRecord::DeadLetter { letter: letter(tenant, number), raw: Bytes::from(format!("{{{number}")) };
    LogEntry { position, tenant: tenant.clone(), record }
}

/// Revision `revision` of subscription number `number`: everything.
pub fn subscription(tenant: &TenantId, number: u64, revision: u32) -> Subscription {
    Subscription {
        id: subscription_id(number),
        revision,
        tenant: tenant.clone(),
        reads: vec![TenantId::public()],
        owner: user_id(number),
        name: None,
        filter: Filter::All(Vec::new()),
        channels: vec!["inbox".to_owned()],
        updates: UpdatePolicy::All,
        include_drills: false,
        sees_restricted: false,
        sees_devices: false,
        sees_only: None,
        role: None,
        paused_until: None,
        created: START,
        updated: START.plus_hours(i64::from(revision)),
    }
}

/// The log entry of revision `revision` of subscription number `number`.
pub fn subscription_entry(position: Position, tenant: &TenantId, number: u64, revision: u32) -> LogEntry {
    let change = ControlChange::Subscription(Box::new(subscription(tenant, number, revision)));
    LogEntry { position, tenant: tenant.clone(), record: LogRecord::Control(change) }
}

/// The log entry of the deletion of subscription number `number`.
pub fn deletion_entry(position: Position, tenant: &TenantId, number: u64) -> LogEntry {
    let deletion = ControlRecord {
        id: subscription_id(number),
        tenant: tenant.clone(),
        owner: user_id(number),
        at: START.plus_hours(9),
    };
    let record = LogRecord::Control(ControlChange::SubscriptionDeleted(deletion));
    LogEntry { position, tenant: tenant.clone(), record }
}

/// The log entry of a key with everything that a key may have.
pub fn key_entry(position: Position, tenant: &TenantId, number: u64) -> LogEntry {
    let key = KeyRecord {
        id: KeyId::derived(&[&number.to_be_bytes()]),
        hash: format!("{number:064x}"),
        tenant: tenant.clone(),
        user: user_id(number),
        user_name: Some("ann".to_owned()),
        name: Some("scanner".to_owned()),
        role: Role::Curator.into(),
        scopes: Some(Permissions::of(&[Permission::EventsRead])),
        issuers: Issuers::Only(vec!["usgs".to_owned()]),
        created: START,
        expires: Some(START.plus_hours(1)),
        is_of_service: true,
    };
    LogEntry { position, tenant: tenant.clone(), record: LogRecord::Control(ControlChange::Key(Box::new(key))) }
}

/// The log entry of a role that a tenant made for itself.
pub fn role_entry(position: Position, tenant: &TenantId) -> LogEntry {
    let role = RoleRecord {
        tenant: tenant.clone(),
        name: "flood-desk".parse().expect("a name of letters"),
        revision: 1,
        description: Some("Floods".to_owned()),
        permissions: Role::Viewer.permissions(),
        sees: Some(Filter::Category(vec![Category::Flood])),
        publishes: Some(Filter::All(Vec::new())),
        updated: START,
    };
    LogEntry { position, tenant: tenant.clone(), record: LogRecord::Control(ControlChange::Role(Box::new(role))) }
}

/// A record as a commit leaves it, with an end where its revision is even.
pub fn record_row(fence: Fence, name: &str, revision: u64) -> RecordRow {
    let ends = revision.is_multiple_of(2).then_some(START);
    let body = Bytes::from(format!("{{\"name\":\"{name}\",\"revision\":{revision}}}"));
    let record = Some(Record { revision, ends, body });
    RecordRow { key: RecordKey::new(fence, Shelf::Account, name), record }
}

/// The next entry of a tenant's audit log.
pub fn audit_entry(tenant: &TenantId, target: &str, end: &mut ChainEnd) -> AuditEntry {
    let actor = Actor::new(tenant.clone(), user_id(1), Credential::Key(KeyId::derived(&[b"1"])));
    let mut entry = AuditEntry {
        tenant: tenant.clone(),
        number: 0,
        at: START,
        actor: Some(actor),
        action: "role.put".to_owned(),
        target: target.to_owned(),
        outcome: AuditOutcome::Done,
        before: None,
        after: Some(json!({ "scopes": ["events:read"] })),
        times: None,
        correlation_id: "c".to_owned(),
        previous: String::new(),
        hash: String::new(),
    };
    entry.seal(end);
    entry
}

/// That user `user` was told of event number `number`, which is at `position`.
pub fn told(tenant: &TenantId, user: u64, thread_tenant: &TenantId, number: u64, position: Position) -> Told {
    Told {
        tenant: tenant.clone(),
        user: user_id(user),
        thread_tenant: thread_tenant.clone(),
        thread: thread_id(number),
        event: event_id(number),
        position,
        severity: Severity::Severe,
        is_over: false,
        is_away: user.is_multiple_of(2),
        places: vec![ToldPlace {
            subscription: subscription_id(user),
            mark: 7,
            leaves: 5,
            severity: Severity::Severe,
            kind: *b"windwind",
        }],
    }
}

/// The decision for user `user` and event number `number`, with a notice where it has a number.
pub fn decision(
    tenant: &TenantId,
    user: u64,
    number: u64,
    position: Position,
    inbox_number: Option<u64>,
) -> StoredDecision {
    let decision = if inbox_number.is_some() { Decision::Notified } else { Decision::NothingNew };
    let notice = |inbox_number| Notice {
        id: Notice::id_for(tenant, user_id(user), thread_id(number), 1),
        thread: thread_id(number),
        revision: 1,
        kind: NoticeKind::New,
        update_reason: None,
        severity: Severity::Severe,
        number: inbox_number,
    };
    StoredDecision {
        tenant: tenant.clone(),
        user: user_id(user),
        event: event_id(number),
        position,
        decided: START,
        verdicts: vec![Verdict { subscription: subscription_id(user), revision: 1, decision }],
        notices: inbox_number.map(notice).into_iter().collect(),
    }
}

/// A step that tells `users` of event number `number`, each at inbox place `inbox_number`.
pub fn step_of(
    tenant: &TenantId,
    users: std::ops::Range<u64>,
    number: u64,
    position: Position,
    inbox_number: u64,
) -> NotifierStep {
    let public = TenantId::public();
    NotifierStep {
        told: users.clone().map(|user| told(tenant, user, &public, number, position)).collect(),
        decisions: users.map(|user| decision(tenant, user, number, position, Some(inbox_number))).collect(),
        cursor: NotifierCursor { position, unfinished: Vec::new() },
    }
}

fn incident_id(number: u64) -> IncidentId {
    IncidentId::derived(&[&number.to_be_bytes()])
}
