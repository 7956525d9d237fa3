//! Areas of a filter: GeoJSON polygons, put in the order in which all shapes are kept.

use serde_json::Value;

use super::read::{Faults, members, needed};
use super::value::string;
use crate::filter::keys::shown;
use crate::filter::{Fault, check};
use crate::geometry::{Geometry, Point};
use crate::rejection::Reason;
use crate::shape;

/// Reads the GeoJSON of a `within`.
pub(super) fn read(value: &Value, at: &str, faults: Faults<'_>) -> Option<Geometry> {
    let object = members(value, &["type", "coordinates", "bbox"], at, faults)?;
    let kind = needed(object, "type", at, faults, string)?;
    let coordinates_at = format!("{at}/coordinates");
    let none = Value::Null;
    let coordinates = object.get("coordinates").unwrap_or(&none);
    let polygons = match kind.as_str() {
        "Polygon" => rings(coordinates).map(|rings| vec![rings]),
        "MultiPolygon" => coordinates.as_array().and_then(|parts| parts.iter().map(rings).collect()),
        other => {
            let detail = format!("`{}` is not an area: use Polygon or MultiPolygon", shown(other));
            faults.push(Fault::new(format!("{at}/type"), "invalid_geometry", detail));
            return None;
        }
    };
    let Some(polygons) = polygons else {
        let detail = format!("these are not the coordinates of a {kind}: rings of [longitude, latitude]");
        faults.push(Fault::new(coordinates_at, "invalid_geometry", detail));
        return None;
    };
    of_rings(polygons, &coordinates_at, faults)
}

fn rings(value: &Value) -> Option<Vec<Vec<Point>>> {
    let point = |value: &Value| {
        let numbers = value.as_array().filter(|numbers| numbers.len() >= 2)?;
        Some(Point::new(numbers[0].as_f64()?, numbers[1].as_f64()?))
    };
    let ring = |value: &Value| value.as_array()?.iter().map(point).collect::<Option<Vec<_>>>();
    value.as_array()?.iter().map(ring).collect()
}

/// An area from the rings of its polygons, in the order in which all shapes are kept: closed, wound
/// one way, cut at the antimeridian.
pub(in crate::filter) fn of_rings(polygons: Vec<Vec<Vec<Point>>>, at: &str, faults: Faults<'_>) -> Option<Geometry> {
    let vertices: usize = polygons.iter().flatten().map(|ring| ring.len().saturating_sub(1)).sum();
    if vertices > check::VERTICES_MAX {
        let detail = format!("the area has {vertices} corners; at most {} are taken", check::VERTICES_MAX);
        faults.push(Fault::new(at, "too_many_vertices", detail));
        return None;
    }
    let mut parts = Vec::with_capacity(polygons.len());
    let mut warnings = Vec::new();
    for rings in polygons {
        match shape::polygon(rings, at, &mut warnings, true) {
            Ok(part) => parts.extend(part.map(without_long_edges)),
            Err(fault) => {
                let is_place = fault.reason == Reason::InvalidCoordinates;
                let code = if is_place { "invalid_coordinates" } else { "invalid_geometry" };
                faults.push(Fault::new(fault.pointer, code, fault.detail));
                return None;
            }
        }
    }
    let lost = warnings.into_iter().find(|warning| warning.code == "hole_dropped");
    if let Some(lost) = lost {
        faults.push(Fault::new(at, "invalid_geometry", lost.detail));
        return None;
    }
    let area = Geometry::union(parts);
    if area.is_none() {
        faults.push(Fault::new(at, "invalid_geometry", "the area is empty"));
    }
    area
}

/// Halves edges over more than 180 degrees of longitude, as there are along a pole, so that they are
/// not taken to cross the antimeridian when read again.
fn without_long_edges(area: Geometry) -> Geometry {
    let halved = |ring: Vec<Point>| -> Vec<Point> {
        let mut points: Vec<Point> = Vec::with_capacity(ring.len());
        for point in ring {
            if let Some(last) = points.last().filter(|last| (last.lon - point.lon).abs() > 180.0) {
                points.push(Point::new(f64::midpoint(last.lon, point.lon), f64::midpoint(last.lat, point.lat)));
            }
            points.push(point);
        }
        points
    };
    match area {
        Geometry::Polygon(mut polygon) => {
            polygon.exterior = halved(polygon.exterior);
            polygon.holes = polygon.holes.into_iter().map(halved).collect();
            Geometry::Polygon(polygon)
        }
        Geometry::Many(parts) => Geometry::Many(parts.into_iter().map(without_long_edges).collect()),
        other => other,
    }
}
