//! Messages cut to the zones where they still hold.

use crate::event::Event;
use crate::geometry::Geometry;
use crate::vocabulary::GeometryOrigin;

/// An event in those of its zones where it is still the last word, beside a `newer` message of its
/// thread that took others from it. Codes of other zones go. Shapes go that the newer one has too, where
/// shapes stand for counties one by one; where a shape may stand for a remaining zone as well, it
/// stays, so that nobody is told too early that it is over.
pub fn cut(event: &Event, zones: &[String], newer: &Event) -> Event {
    let mut event = event.clone();
    let is_gone = |code: &crate::event::Code| code.scheme == "UGC" && !zones.contains(&code.value);
    for area in event.areas.iter_mut().chain(event.segments.iter_mut().flat_map(|segment| &mut segment.areas)) {
        area.codes.retain(|code| !is_gone(code));
    }
    // The third letter of a UGC says what it names: C a county, Z a forecast zone.
    let are_counties = zones.iter().all(|zone| zone.as_bytes().get(2) == Some(&b'C'));
    if are_counties && event.geometry_origin == GeometryOrigin::Geocode && event.segments.is_empty() {
        event.geometry = event.geometry.take().and_then(|geometry| without(geometry, newer.geometry.as_ref()));
    }
    event
}

/// The parts of a shape that another one does not have.
fn without(geometry: Geometry, other: Option<&Geometry>) -> Option<Geometry> {
    let Some(other) = other else { return Some(geometry) };
    let rest: Vec<Geometry> = geometry.parts().iter().filter(|part| !other.parts().contains(part)).cloned().collect();
    Geometry::union(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Code;
    use crate::geometry::Point;

    fn event(zones: &[&str], lons: &[f64], origin: GeometryOrigin) -> Event {
        let mut event: Event = serde_json::from_value(serde_json::json!({
            "id": crate::id::EventId::from_bytes([1; 16]), "areas": [{"codes": []}], "tenant": "public", "source": "x",
            "sender": "x", "issuer": "x", "official": false, "action": "new", "status": "actual", "category": "weather",
            "type": "weather", "severity": "Severe", "severity_origin": "given", "urgency": "Expected",
            "certainty": "Likely", "confidence": 1.0, "title": "x", "geometry_origin": "none", "place_precision": "none", "forms": [],
            "received": "2026-01-01T00:00:00Z", "hazard_end": "2026-01-02T00:00:00Z", "schema_version": 1,
            "correlation_id": "x",
        }))
        .expect("every member that must be there");
        event.areas[0].codes = zones.iter().map(|zone| Code::new("UGC", (*zone).to_owned())).collect();
        event.geometry =
            Geometry::union(lons.iter().map(|lon| Geometry::Point(Point { lat: 0.0, lon: *lon })).collect());
        event.geometry_origin = origin;
        event
    }

    fn check(zones: [&str; 2], origin: GeometryOrigin, left: &[f64]) {
        let (old, newer) = (event(&zones, &[1.0, 2.0], origin), event(&zones[..1], &[1.0], origin));
        let cut = cut(&old, &[zones[1].to_owned()], &newer);
        assert_eq!(cut.areas[0].codes, [Code::new("UGC", zones[1].to_owned())]);
        let found: Vec<f64> = cut.geometry.iter().flat_map(Geometry::points).map(|point| point.lon).collect();
        assert_eq!(found, left, "{zones:?} {origin:?}");
    }

    #[test]
    fn only_shapes_of_counties_go_with_their_zone() {
        check(["TXC001", "TXC003"], GeometryOrigin::Geocode, &[2.0]);
        check(["TXZ001", "TXZ003"], GeometryOrigin::Geocode, &[1.0, 2.0]);
        check(["TXC001", "TXC003"], GeometryOrigin::Exact, &[1.0, 2.0]);
    }
}
