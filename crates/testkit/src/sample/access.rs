use tidings_core::id::{HookId, TenantId};
use tidings_core::permission::Role;
use tidings_core::port::{
    ControlChange, ControlRecord, HmacAlgorithm, HmacEncoding, HmacScheme, HookRecord, HookScheme, HookSecret,
    LogEntry, LogRecord, ServiceAccountRecord,
};
use tidings_core::position::Position;
use tidings_core::principal::Issuers;

use super::user_id;
use crate::START;

/// The log entry of an inbound webhook with everything that one may have.
pub fn hook_entry(position: Position, tenant: &TenantId, number: u64) -> LogEntry {
    let scheme = HookScheme::Hmac(HmacScheme {
        header: "x-signature".to_owned(),
        algorithm: HmacAlgorithm::Sha512,
        encoding: HmacEncoding::Base64,
        prefix: Some("v0=".to_owned()),
        timestamp_header: Some("x-timestamp".to_owned()),
    });
    let secret = |text: &str, ends| HookSecret { secret: text.to_owned().into(), ends };
    let hook = HookRecord {
        id: HookId::derived(&[&number.to_be_bytes()]),
        tenant: tenant.clone(),
        user: user_id(number),
        name: "scanner".parse().expect("a name of letters"),
        namespace: "own:ann/scanner".to_owned(),
        scheme,
        secrets: vec![secret("the newer of two", None), secret("the older of two", Some(START.plus_hours(2)))],
        role: Role::Curator.into(),
        issuers: Issuers::Only(vec!["usgs".to_owned()]),
        created: START,
        updated: START.plus_hours(1),
        expires: Some(START.plus_hours(3)),
    };
    LogEntry { position, tenant: tenant.clone(), record: LogRecord::Control(ControlChange::Hook(Box::new(hook))) }
}

/// The log entry of the deletion of an inbound webhook.
pub fn hook_deletion_entry(position: Position, tenant: &TenantId, number: u64) -> LogEntry {
    let id = HookId::derived(&[&number.to_be_bytes()]);
    let gone = ControlRecord { id, tenant: tenant.clone(), owner: user_id(number), at: START.plus_hours(9) };
    LogEntry { position, tenant: tenant.clone(), record: LogRecord::Control(ControlChange::HookDeleted(gone)) }
}

/// The log entry of a service account with everything that one may have.
pub fn account_entry(position: Position, tenant: &TenantId, number: u64) -> LogEntry {
    let account = ServiceAccountRecord {
        id: user_id(number),
        tenant: tenant.clone(),
        name: "scanner".to_owned(),
        role: Role::Curator.into(),
        description: Some("Scans".to_owned()),
        is_enabled: false,
        created: START,
        updated: START.plus_hours(1),
    };
    let record = LogRecord::Control(ControlChange::ServiceAccount(Box::new(account)));
    LogEntry { position, tenant: tenant.clone(), record }
}

/// The log entry of the deletion of a service account.
pub fn account_deletion_entry(position: Position, tenant: &TenantId, number: u64) -> LogEntry {
    let id = user_id(number);
    let gone = ControlRecord { id, tenant: tenant.clone(), owner: id, at: START.plus_hours(9) };
    let record = LogRecord::Control(ControlChange::ServiceAccountDeleted(gone));
    LogEntry { position, tenant: tenant.clone(), record }
}
