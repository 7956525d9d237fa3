//! Where an event lies as a whole, by its parts.

use crate::enrich::{self, Cache};
use crate::event::{Event, Segment};
use crate::issuer;
use crate::port::Gazetteer;
use crate::vocabulary::GeometryOrigin;

/// Places every part of an event and sums that up: `geometry`, `geometry_origin`, `bbox`,
/// `place_precision`, `place`.
pub fn place(event: &mut Event, gazetteer: &dyn Gazetteer, cache: &mut Cache) {
    let country = issuer::registered(&event.issuer).filter(|issuer| issuer.national).and_then(|issuer| issuer.country);
    if event.segments.is_empty() {
        let mut only = Segment {
            areas: std::mem::take(&mut event.areas),
            geometry: event.geometry.take(),
            geometry_origin: event.geometry_origin,
            ..Segment::default()
        };
        enrich::place(&mut only, country, gazetteer, cache);
        event.areas = only.areas;
        event.bbox = only.geometry.as_ref().and_then(enrich::bbox);
        event.geometry = only.geometry;
        event.geometry_origin = only.geometry_origin;
        event.place_precision = only.place_precision;
        event.place = only.place;
        return;
    }
    for segment in &mut event.segments {
        enrich::place(segment, country, gazetteer, cache);
    }
    let summary = enrich::summarize_place(&event.segments);
    event.geometry_origin = if summary.geometry.is_some() { summary.geometry_origin } else { GeometryOrigin::None };
    event.geometry = summary.geometry;
    event.bbox = summary.bbox;
    event.place_precision = summary.place_precision;
    event.place = summary.place;
}
