//! Lists of events in forms other than our own JSON.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tidings_core::geometry::{Geometry, Point};
use tidings_engine::EventView;

/// Mean radius of the Earth in kilometers (IUGG).
const EARTH_RADIUS_KM: f64 = 6_371.008_8;
/// Corners of the polygon that stands for a circle.
const CIRCLE_CORNERS: u32 = 64;

/// A GeoJSON FeatureCollection (RFC 7946); circles become polygons.
pub(super) fn geojson(events: &[EventView]) -> Response {
    let features: Vec<Value> = events.iter().map(feature).collect();
    let body = json!({ "type": "FeatureCollection", "features": features }).to_string();
    ([(header::CONTENT_TYPE, "application/geo+json")], body).into_response()
}

fn feature(view: &EventView) -> Value {
    let mut properties: Map<String, Value> = serde_json::from_slice(&view.to_json()).unwrap_or_default();
    properties.remove("geometry");
    let bbox = properties.remove("bbox");
    let mut feature = json!({
        "type": "Feature",
        "id": view.event.id,
        "geometry": view.event.geometry.as_ref().map(plain),
        "properties": properties,
    });
    if let Some(bbox) = bbox {
        feature["bbox"] = bbox;
    }
    feature
}

/// The geometry without circles, which GeoJSON does not know.
fn plain(geometry: &Geometry) -> Value {
    match geometry {
        Geometry::Circle { center, radius_km } => {
            let corner = |index| pair(*center, *radius_km, f64::from(index) / f64::from(CIRCLE_CORNERS) * 360.0);
            // The exterior runs counterclockwise, so bearings fall.
            let ring: Vec<[f64; 2]> =
                (0..=CIRCLE_CORNERS).map(|index| corner((CIRCLE_CORNERS - index) % CIRCLE_CORNERS)).collect();
            json!({ "type": "Polygon", "coordinates": [ring] })
        }
        Geometry::Many(parts) if parts.iter().any(|part| matches!(part, Geometry::Circle { .. })) => {
            json!({ "type": "GeometryCollection", "geometries": parts.iter().map(plain).collect::<Vec<_>>() })
        }
        other => json!(other),
    }
}

/// The place at a distance and bearing on a sphere, to six decimals. Longitudes run on beyond 180,
/// so that a ring over the antimeridian stays one ring.
fn pair(from: Point, distance_km: f64, bearing_deg: f64) -> [f64; 2] {
    let (lat, bearing, angle) = (from.lat.to_radians(), bearing_deg.to_radians(), distance_km / EARTH_RADIUS_KM);
    let sine = lat.sin() * angle.cos() + lat.cos() * angle.sin() * bearing.cos();
    let to_lat = sine.clamp(-1.0, 1.0).asin();
    let east = (bearing.sin() * angle.sin() * lat.cos()).atan2(angle.cos() - lat.sin() * sine);
    let round = |degrees: f64| (degrees * 1e6).round() / 1e6;
    [round(from.lon + east.to_degrees()), round(to_lat.to_degrees())]
}

/// One event a line.
pub(super) fn ndjson(events: &[EventView]) -> Response {
    let mut body = Vec::new();
    for event in events {
        event.write_json(&mut body);
        body.push(b'\n');
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

/// The columns of the CSV form.
const COLUMNS: &str = "id,thread_id,revision,state,status,category,type,severity,urgency,certainty,title,lat,lon,\
                       countries,occurred,onset,expires,received,source,sender,official";

/// One event a row (RFC 4180).
pub(super) fn csv(events: &[EventView]) -> Response {
    let mut body = format!("{COLUMNS}\r\n");
    for view in events {
        let event = &view.event;
        let anchor = event.anchor();
        let degrees = |of: fn(Point) -> f64| anchor.map(|point| format!("{:.6}", of(point))).unwrap_or_default();
        let time = |time: Option<tidings_core::time::Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let countries = event.place.as_ref().map(|place| place.countries.join(" ")).unwrap_or_default();
        let cells = [
            event.id.to_string(),
            view.thread_id.to_string(),
            view.revision.to_string(),
            view.state.to_string(),
            event.status.to_string(),
            event.category.to_string(),
            cell(&event.kind),
            event.severity.to_string(),
            event.urgency.to_string(),
            event.certainty.to_string(),
            cell(&event.title),
            degrees(|point| point.lat),
            degrees(|point| point.lon),
            countries,
            time(event.occurred),
            time(event.onset),
            time(event.expires),
            event.received.to_string(),
            cell(&event.source),
            cell(&event.sender),
            event.official.to_string(),
        ];
        body.push_str(&cells.join(","));
        body.push_str("\r\n");
    }
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], body).into_response()
}

/// Quoted where needed; a text that a spreadsheet would take for a formula is marked as text.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_a_closed_polygon_of_64_corners() {
        let circle = Geometry::Circle { center: Point::new(12.5, 43.1), radius_km: 100.0 };
        let shape = plain(&circle);
        let ring = shape["coordinates"][0].as_array().expect("a ring");
        assert_eq!((ring.len(), ring.first()), (65, ring.last()));
        let north = ring[0][1].as_f64().expect("a latitude");
        assert!((north - 43.1 - 100.0 / 111.195).abs() < 1e-3, "{north}");
    }

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        assert_eq!(cell("M 5.0, near \"Example\""), "\"M 5.0, near \"\"Example\"\"\"");
        assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
    }
}
