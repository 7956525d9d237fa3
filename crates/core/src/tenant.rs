//! Tenants: whose data it is, what they may use, and what is left once one is erased.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::audit::ChainEnd;
use crate::id::TenantId;
use crate::time::Timestamp;

/// Where a tenant is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantState {
    /// It is served.
    Active,
    /// Nothing of it is served, taken in or told until it is resumed; its data stays.
    Suspended,
    /// It is closed for good, and its data is being erased.
    Erasing,
    /// Nothing of it is left but its name and the proof.
    Erased,
}

impl TenantState {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Erasing => "erasing",
            Self::Erased => "erased",
        }
    }

    /// True where it is served.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Active)
    }

    /// True where it never comes back.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Erasing | Self::Erased)
    }
}

/// A tenant as its operator keeps it; one revision of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRecord {
    /// Which.
    pub id: TenantId,
    /// From 1; 0 for one that began with its first key and that nobody has changed.
    pub revision: u32,
    /// Where it is in its life.
    pub state: TenantState,
    /// Why it is suspended, for those who ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it shows itself.
    #[serde(default, skip_serializing_if = "Branding::is_empty")]
    pub branding: Branding,
    /// How much it may have.
    #[serde(default, skip_serializing_if = "Quotas::is_empty")]
    pub quotas: Quotas,
    /// How much it may do in how long, where that is not what every tenant may.
    #[serde(default, skip_serializing_if = "TenantRates::is_empty")]
    pub rates: TenantRates,
    /// Whose events it sees besides its own.
    pub reads: Vec<TenantId>,
    /// When it began.
    pub created: Timestamp,
    /// When this revision was made.
    pub updated: Timestamp,
    /// What shows that nothing of it is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ErasureProof>,
}

impl TenantRecord {
    /// A tenant that begins: active, and reads the public feeds.
    pub fn begun(id: TenantId, at: Timestamp) -> Self {
        let public = TenantId::public();
        let reads = if id == public { Vec::new() } else { vec![public] };
        Self {
            id,
            revision: 0,
            state: TenantState::Active,
            reason: None,
            branding: Branding::default(),
            quotas: Quotas::default(),
            rates: TenantRates::default(),
            reads,
            created: at,
            updated: at,
            proof: None,
        }
    }

    /// The next revision in another state, with nothing that says who it was: for one that is closed.
    #[must_use]
    pub fn bare(&self, state: TenantState, at: Timestamp) -> Self {
        let bare = Self::begun(self.id.clone(), self.created);
        Self { revision: self.revision + 1, state, reads: Vec::new(), updated: at, ..bare }
    }
}

/// How a tenant shows itself to its people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Branding {
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where its logo is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// The color of its buttons and links, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent_color: Option<String>,
    /// Whom its people ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl Branding {
    /// True where it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How much a tenant may have; without a number there is no limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quotas {
    /// Events taken in within one day of UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_day: Option<u64>,
    /// Subscriptions of all its users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<u64>,
    /// Streams and sockets open at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<u64>,
    /// Bytes of events and dead letters, as stored and as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_bytes: Option<u64>,
}

impl Quotas {
    /// True where it limits nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// So many in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateSetting {
    /// How many, from 1.
    pub quota: u64,
    /// In how many seconds, from 1 to a day.
    pub window_seconds: u64,
}

/// How much the users of a tenant may do together; without a setting, what every tenant may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TenantRates {
    /// Requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<RateSetting>,
    /// Bytes of bodies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<RateSetting>,
    /// Events published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<RateSetting>,
}

impl TenantRates {
    /// True where it sets nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a tenant has used of what it may have, as counted in the commit of each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes of events and dead letters, as stored and as received.
    pub storage_bytes: u64,
    /// The day that events were last taken in on, in days of UTC since 1970.
    pub day: i64,
    /// Events taken in on that day.
    pub events: u64,
}

impl Usage {
    /// Adds what one step takes in.
    pub fn add(&mut self, now: Timestamp, events: u64, bytes: u64) {
        let day = day_of(now);
        if day > self.day {
            (self.day, self.events) = (day, 0);
        }
        self.events += events;
        self.storage_bytes += bytes;
    }

    /// Events taken in on the day of `now`.
    pub fn events_today(&self, now: Timestamp) -> u64 {
        if self.day < day_of(now) { 0 } else { self.events }
    }
}

/// Milliseconds of a day of UTC.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY_MILLIS)
}

/// When the day of an instant is over.
pub fn end_of_day(at: Timestamp) -> Timestamp {
    Timestamp::from_millis((day_of(at) + 1) * DAY_MILLIS)
}

/// What shows that nothing of a tenant is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureProof {
    /// When the tenant was closed.
    pub closed: Timestamp,
    /// When the last scan ended.
    pub finished: Timestamp,
    /// Rows removed, by keyspace.
    pub removed: BTreeMap<String, u64>,
    /// Where its audit log ended, before that was removed.
    pub audit_end: ChainEnd,
    /// Rows looked at in every keyspace after that; none was the tenant's.
    pub scanned: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_with_nothing_and_a_clock_set_back_frees_nothing() {
        let mut usage = Usage::default();
        let noon = Timestamp::from_millis(12 * 60 * 60 * 1_000);
        usage.add(noon, 3, 100);
        usage.add(noon, 4, 10);
        assert_eq!((usage.events_today(noon), usage.storage_bytes), (7, 110));
        assert_eq!(end_of_day(noon), Timestamp::from_millis(DAY_MILLIS));
        assert_eq!((usage.events_today(end_of_day(noon)), usage.events_today(noon.plus_hours(11))), (0, 7));
        usage.add(noon.plus_hours(24), 1, 1);
        usage.add(noon, 1, 1);
        assert_eq!((usage.events_today(noon.plus_hours(24)), usage.storage_bytes), (2, 112));
    }

    #[test]
    fn what_is_left_of_a_closed_tenant_says_nothing_of_it() {
        let id: TenantId = "acme".parse().unwrap();
        let mut record = TenantRecord::begun(id, Timestamp::from_millis(5));
        record.branding.contact = Some("ann@example.org".to_owned());
        record.reason = Some("unpaid".to_owned());
        let bare = record.bare(TenantState::Erasing, Timestamp::from_millis(9));
        assert_eq!((bare.revision, bare.created, bare.reads.len()), (1, record.created, 0));
        assert!(!serde_json::to_string(&bare).unwrap().contains("ann") && bare.reason.is_none());
    }
}
