//! Tenants as their operator keeps them.

use tidings_core::audit::ChainEnd;
use tidings_core::id::TenantId;
use tidings_core::port::{ControlChange, LogEntry, LogRecord};
use tidings_core::position::Position;
use tidings_core::tenant::{Branding, ErasureProof, Quotas, RateSetting, TenantRates, TenantRecord, TenantState};

use crate::START;

/// A tenant with everything that a tenant may have.
pub fn tenant(id: &TenantId, state: TenantState) -> TenantRecord {
    TenantRecord {
        revision: 3,
        state,
        reason: Some("unpaid".to_owned()),
        branding: Branding {
            display_name: Some("Acme".to_owned()),
            logo_url: Some("https://acme.example/logo.svg".to_owned()),
            accent_color: Some("#0f5fae".to_owned()),
            contact: Some("ops@acme.example".to_owned()),
        },
        quotas: Quotas {
            events_per_day: Some(1_000),
            subscriptions: Some(50),
            streams: Some(5),
            storage_bytes: Some(1 << 30),
        },
        rates: TenantRates { requests: Some(RateSetting { quota: 100, window_seconds: 10 }), ..TenantRates::default() },
        proof: None,
        ..TenantRecord::begun(id.clone(), START)
    }
}

/// What is left of an erased tenant.
pub fn erased_tenant(id: &TenantId) -> TenantRecord {
    let proof = ErasureProof {
        closed: START,
        finished: START.plus_hours(1),
        removed: [("event".to_owned(), 7)].into(),
        audit_end: ChainEnd { number: 5, hash: "ab".repeat(32) },
        scanned: 99,
    };
    TenantRecord { proof: Some(proof), ..tenant(id, TenantState::Active).bare(TenantState::Erased, START) }
}

/// The log entry of a tenant's record, which is the operator's.
pub fn tenant_entry(position: Position, record: TenantRecord) -> LogEntry {
    let record = LogRecord::Control(ControlChange::Tenant(Box::new(record)));
    LogEntry { position, tenant: TenantId::default_tenant(), record }
}
