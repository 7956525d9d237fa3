//! Incidents: threads of several agencies that tell of one happening.
//!
//! Two reports of a quake are of one when place, time and magnitude agree within a window and the
//! agencies differ. The windows come from real catalogs: within one catalog, two distinct quakes of
//! magnitude 2.5 and more lay closer than 16 s and 100 km once in 332, smaller ones far more often;
//! reports of one quake by two agencies differed by at most 3.6 s and 12 km.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::geometry::Point;
use crate::id::{IncidentId, TenantId, ThreadId};
use crate::port::ThreadRow;
use crate::spatial::geodesic_km;
use crate::time::Timestamp;
use crate::vocabulary::{Category, Status};

/// How far two reports of one happening lie apart at most.
struct Window {
    millis: i64,
    kilometers: f64,
    magnitudes: f64,
}

/// Both of [`STRONG`] or more.
const WIDE: Window = Window { millis: 16_000, kilometers: 100.0, magnitudes: 1.0 };
/// Any others.
const NARROW: Window = Window { millis: 4_000, kilometers: 25.0, magnitudes: 1.0 };
/// From this magnitude on quakes are rare enough for the wide window.
const STRONG: f64 = 2.5;

/// The widest window in time, seconds: what to look through for reports of the same.
pub const REACH_SECONDS: i64 = WIDE.millis / 1_000 + 1;

/// Reports read at once: a swarm of quakes is no reason to read on and on.
pub const REPORTS_MAX: usize = 64;

/// Whose reports are asked for. Agencies are kept apart because an agency never joins itself: a
/// thousand reports of one cost the next of it nothing.
#[derive(Debug, Clone, Copy)]
pub enum Reporter<'a> {
    /// Everyone else's.
    OtherThan(&'a str),
    /// Theirs alone.
    Only(&'a str),
}

impl Reporter<'_> {
    /// True for a report that is asked for.
    pub fn asks_for(self, report: &Report) -> bool {
        match self {
            Self::OtherThan(issuer) => report.issuer != issuer,
            Self::Only(issuer) => report.issuer == issuer,
        }
    }
}

/// A happening as one thread tells of it: what joins are judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whose data it is.
    pub tenant: TenantId,
    /// The thread.
    pub thread: ThreadId,
    /// The incident of the thread.
    pub incident: IncidentId,
    /// Who says so.
    pub issuer: String,
    /// When it happened.
    pub occurred: Timestamp,
    /// Where: degrees north.
    pub lat: f64,
    /// Where: degrees east.
    pub lon: f64,
    /// How strong.
    pub magnitude: f64,
}

impl Report {
    /// What an event reports, if it is of a kind that can be joined: a real quake with time, point
    /// and magnitude.
    pub fn of(event: &Event, row: &ThreadRow) -> Option<Self> {
        let is_real_quake = event.category == Category::Earthquake && event.status == Status::Actual;
        let Point { lat, lon } = event.anchor()?;
        Some(Self {
            tenant: event.tenant.clone(),
            thread: row.id,
            incident: row.incident,
            issuer: event.issuer.clone(),
            occurred: event.occurred.filter(|_| is_real_quake)?,
            lat,
            lon,
            magnitude: event.measures.get("magnitude").copied().filter(|it| it.is_finite())?,
        })
    }

    /// The second of its time, since 1970: what reports are kept and found by.
    pub const fn second(&self) -> i64 {
        self.occurred.as_millis().div_euclid(1_000)
    }

    fn place(&self) -> Point {
        Point { lat: self.lat, lon: self.lon }
    }

    /// True where both tell of one happening. Two reports of one agency never do: it would have
    /// used one id.
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        let window = if self.magnitude.min(other.magnitude) >= STRONG { WIDE } else { NARROW };
        self.issuer != other.issuer
            && self.occurred.millis_since(other.occurred).abs() <= window.millis
            && (self.magnitude - other.magnitude).abs() <= window.magnitudes
            && geodesic_km(self.place(), other.place()) <= window.kilometers
    }

    /// The other agency's report that tells of the same, if any: the nearest in time.
    pub fn same_among<'a>(&self, others: &'a [Self]) -> Option<&'a Self> {
        let distance = |other: &&Self| (self.occurred.millis_since(other.occurred).abs(), other.thread);
        others.iter().filter(|other| self.is_of_the_same(other)).min_by_key(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(thread: u8, issuer: &str, seconds: f64, lon: f64, magnitude: f64) -> Report {
        let thread = ThreadId::from_bytes([thread; 16]);
        Report {
            tenant: TenantId::public(),
            thread,
            incident: IncidentId::derived(&[thread.as_bytes()]),
            issuer: issuer.to_owned(),
            occurred: Timestamp::from_millis(1_700_000_000_000 + (seconds * 1_000.0) as i64),
            lat: 0.0,
            lon,
            magnitude,
        }
    }

    #[test]
    fn windows_hold_to_the_edge_and_not_beyond() {
        let check = |seconds, lon, magnitude, of: f64, expected| {
            let (one, other) = (report(1, "a", 0.0, 10.0, of), report(2, "b", seconds, lon, magnitude));
            assert_eq!(one.is_of_the_same(&other), expected, "{seconds} s, {lon} east, M {magnitude} beside M {of}");
            assert_eq!(other.is_of_the_same(&one), expected, "the other way round");
        };
        check(0.0, 10.0, 5.0, 5.0, true);
        check(16.0, 10.0, 5.0, 5.0, true);
        check(16.1, 10.0, 5.0, 5.0, false);
        // A degree of longitude on the equator is 111.3 km.
        check(0.0, 10.89, 5.0, 5.0, true);
        check(0.0, 10.91, 5.0, 5.0, false);
        check(0.0, 10.0, 6.0, 5.0, true);
        check(0.0, 10.0, 6.1, 5.0, false);
        check(4.0, 10.22, 2.4, 3.0, true);
        check(4.1, 10.0, 2.4, 3.0, false);
        check(0.0, 10.23, 2.4, 3.0, false);
    }

    #[test]
    fn one_agency_never_joins_itself() {
        let (one, again) = (report(1, "a", 0.0, 10.0, 5.0), report(2, "a", 1.0, 10.0, 5.0));
        assert!(!one.is_of_the_same(&again));
    }

    #[test]
    fn the_nearest_in_time_is_taken() {
        let (early, near) = (report(1, "a", 0.0, 10.0, 5.0), report(2, "c", 9.0, 10.0, 5.0));
        assert_eq!(report(3, "b", 8.0, 10.0, 5.0).same_among(&[early, near.clone()]), Some(&near));
    }
}
