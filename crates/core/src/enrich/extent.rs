//! The smallest box around a shape.

use crate::geometry::{BoundingBox, Geometry, Point};

/// Smallest radius of curvature of the WGS 84 ellipsoid: that of the meridian at the equator,
/// a(1 - e²). Boxes of circles worked out with it are never too small.
const RADIUS_KM_MIN: f64 = 6_335.439;

/// The smallest box around `geometry` by longitude; west is above east where it crosses the
/// antimeridian. A circle around a pole spans all longitudes. `None` without any point on Earth.
pub fn bbox(geometry: &Geometry) -> Option<BoundingBox> {
    let mut spans = Vec::new();
    let (mut south, mut north) = (f64::INFINITY, f64::NEG_INFINITY);
    for part in geometry.parts() {
        let extent = match part {
            Geometry::Circle { center, radius_km } => extent_of_circle(*center, *radius_km),
            Geometry::Point(point) => extent_of_points(std::slice::from_ref(point)),
            Geometry::Line(points) => extent_of_points(points),
            Geometry::Polygon(polygon) => extent_of_points(&polygon.exterior),
            Geometry::Many(parts) => {
                // Not made by `union`, yet a stranger's library could.
                parts.iter().filter_map(bbox).for_each(|BoundingBox([w, s, e, n])| {
                    (south, north) = (south.min(s), north.max(n));
                    push(&mut spans, w, e);
                });
                None
            }
        };
        if let Some(BoundingBox([west, low, east, high])) = extent {
            (south, north) = (south.min(low), north.max(high));
            push(&mut spans, west, east);
        }
    }
    let (west, east) = narrowest(&mut spans)?;
    Some(BoundingBox([west, south, east, north]))
}

/// Adds a span, cut in two where it crosses the antimeridian.
fn push(spans: &mut Vec<(f64, f64)>, west: f64, east: f64) {
    if west <= east {
        spans.push((west, east));
    } else {
        spans.push((west, 180.0));
        spans.push((-180.0, east));
    }
}

fn extent_of_points(points: &[Point]) -> Option<BoundingBox> {
    let mut points = points.iter().filter(|point| point.is_on_earth());
    let first = points.next()?;
    let mut extent = [first.lon, first.lat, first.lon, first.lat];
    for point in points {
        extent =
            [extent[0].min(point.lon), extent[1].min(point.lat), extent[2].max(point.lon), extent[3].max(point.lat)];
    }
    Some(BoundingBox(extent))
}

/// Box of a spherical cap: sin(half width) = sin(radius) / cos(latitude).
fn extent_of_circle(center: Point, radius_km: f64) -> Option<BoundingBox> {
    if !center.is_on_earth() {
        return None;
    }
    let radius = if radius_km.is_finite() { (radius_km / RADIUS_KM_MIN).max(0.0) } else { std::f64::consts::PI };
    let (south, north) = (center.lat - radius.to_degrees(), center.lat + radius.to_degrees());
    let half_width = (radius.sin() / center.lat.to_radians().cos()).asin().to_degrees();
    if north >= 90.0 || south <= -90.0 || !half_width.is_finite() {
        return Some(BoundingBox([-180.0, south.max(-90.0), 180.0, north.min(90.0)]));
    }
    let (west, east) = (center.lon - half_width, center.lon + half_width);
    let west = if west < -180.0 { west + 360.0 } else { west };
    let east = if east > 180.0 { east - 360.0 } else { east };
    Some(BoundingBox([west, south, east, north]))
}

/// What is left of the circle of longitudes without the widest gap between `spans`; of equal gaps
/// the one at the antimeridian.
fn narrowest(spans: &mut [(f64, f64)]) -> Option<(f64, f64)> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, last) = (spans.first()?, spans.iter().map(|span| span.1).fold(f64::NEG_INFINITY, f64::max));
    let mut bounds = (first.0, last);
    let mut gap_max = first.0 + 360.0 - last;
    let mut reached = first.1;
    for (west, east) in spans.iter().skip(1) {
        if west - reached > gap_max {
            gap_max = west - reached;
            bounds = (*west, reached);
        }
        reached = reached.max(*east);
    }
    Some(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Polygon;

    fn check(geometry: &Geometry, expected: [f64; 4]) {
        let BoundingBox(found) = bbox(geometry).expect("it has a point on Earth");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 0.01, "{found} is not {expected} in the box of {geometry:?}");
        }
    }

    fn rectangle([west, south, east, north]: [f64; 4]) -> Geometry {
        let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
        let exterior = corners.map(|(lon, lat)| Point::new(lon, lat)).to_vec();
        Geometry::Polygon(Polygon { exterior, holes: Vec::new() })
    }

    #[test]
    fn boxes_of_plain_shapes() {
        check(&Geometry::Point(Point::new(12.0, 43.0)), [12.0, 43.0, 12.0, 43.0]);
        check(&rectangle([-10.0, -5.0, 20.0, 8.0]), [-10.0, -5.0, 20.0, 8.0]);
        check(&Geometry::Line(vec![Point::new(170.0, 0.0), Point::new(-170.0, 1.0)]), [-170.0, 0.0, 170.0, 1.0]);
        assert_eq!(bbox(&Geometry::Many(Vec::new())), None);
        assert_eq!(bbox(&Geometry::Point(Point::new(f64::NAN, 91.0))), None);
    }

    #[test]
    fn a_shape_split_at_the_antimeridian_has_a_narrow_box() {
        let split = vec![rectangle([177.0, -19.0, 180.0, -16.0]), rectangle([-180.0, -19.0, -178.0, -16.0])];
        check(&Geometry::Many(split), [177.0, -19.0, -178.0, -16.0]);
        let apart = vec![rectangle([170.0, 50.0, 172.0, 53.0]), rectangle([-170.0, 52.0, -130.0, 70.0])];
        check(&Geometry::Many(apart), [170.0, 50.0, -130.0, 70.0]);
        let america = vec![rectangle([-125.0, 25.0, -67.0, 49.0]), rectangle([-160.0, 19.0, -155.0, 22.0])];
        check(&Geometry::Many(america), [-160.0, 19.0, -67.0, 49.0]);
        check(&rectangle([-180.0, -90.0, 180.0, -60.0]), [-180.0, -90.0, 180.0, -60.0]);
    }

    #[test]
    fn circles_widen_toward_the_poles() {
        let circle = |lon, lat, radius_km| Geometry::Circle { center: Point::new(lon, lat), radius_km };
        check(&circle(0.0, 0.0, 111.0), [-1.0, -1.0, 1.0, 1.0]);
        check(&circle(0.0, 60.0, 111.0), [-2.01, 58.996, 2.01, 61.004]);
        check(&circle(179.5, 0.0, 111.0), [178.5, -1.0, -179.5, 1.0]);
        check(&circle(10.0, 89.5, 111.0), [-180.0, 88.5, 180.0, 90.0]);
        check(&circle(10.0, -90.0, 50.0), [-180.0, -90.0, 180.0, -89.55]);
        check(&circle(0.0, 0.0, 30_000.0), [-180.0, -90.0, 180.0, 90.0]);
        check(&circle(0.0, 0.0, f64::NAN), [-180.0, -90.0, 180.0, 90.0]);
    }
}
