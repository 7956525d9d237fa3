//! What the core needs from outside, as traits. Every adapter implements one of these.

mod channel;
mod clock;
mod gazetteer;
mod ledger;
mod log;
mod delivery;
mod control;
mod hook;
mod tenant;
mod query;
mod record;
mod web;

pub use channel::{Address, Channel, Delivery, Receipt};
pub use clock::{Clock, Randomness};
pub use control::{
    ControlChange, ControlRecord, ControlStore, KeyRecord, RoleGone, RoleRecord, ServiceAccountRecord, StoredChange,
};
pub use delivery::{DeliveryStore, InboxEntry, NotifierCursor, NotifierStep, Told, ToldPlace, Unfinished};
pub use gazetteer::{Gazetteer, Shape};
pub use hook::{HmacAlgorithm, HmacEncoding, HmacScheme, HookName, HookNameError, HookRecord, HookScheme, HookSecret};
pub use ledger::{
    AuditLog, Commit, DeadLetter, DeadLetterAttempt, DeadLetterState, DeadLetters, IdentityRow, Ledger, LetterEnvelope,
    LogEntry, LogRecord, Says, ThreadHead, ThreadPart, ThreadRow, ThreadRows,
};
pub use log::{EventLog, EventStore, RawForm};
pub use query::{EventQuery, Found, Page, Projection, Query, Sort};
pub use record::{Fence, Record, RecordKey, RecordRow, RecordStore, RecordWrite, Shelf};
pub use tenant::{Erasure, Scan, TenantRows};
pub use web::{Web, WebAnswer, WebRequest};

use std::error::Error;
use std::time::Duration;

/// The outside world's fault: what we were doing, and whether trying again helps.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct PortError {
    /// What we were doing.
    pub what: String,
    /// Whether trying again helps.
    pub retry: Retry,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// Whether trying again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It may, after a while.
    Later,
    /// It may, after this long.
    After(Duration),
    /// It will not.
    Never,
}

impl PortError {
    /// A fault that may pass.
    pub fn later(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), retry: Retry::Later, source: Some(source.into()) }
    }

    /// A fault that will stay.
    pub fn never(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), retry: Retry::Never, source: Some(source.into()) }
    }
}
