//! Points that stand for a shape when asking which countries it lies in.

use std::f64::consts::TAU;

use tidings_core::enrich::{bbox, middle};
use tidings_core::geometry::{BoundingBox, Geometry, Point};

/// At most about this many vertices of a shape.
const VERTICES_MAX: usize = 64;
/// How far vertices are drawn toward the middle of their part: areas are drawn along borders, and a
/// corner on the border is not meant to be in the neighboring country.
const INWARD: f64 = 0.02;
/// Polygons at least this wide or high in degrees are also sampled inside, on a grid of this many
/// lines each way: they may hold a whole country without a vertex in it.
const WIDE_DEGREES: f64 = 1.0;
const GRID: u32 = 6;
/// At most so many polygons of a shape are sampled inside.
const WIDE_PARTS_MAX: usize = 8;
/// Length of a degree of latitude.
const DEGREE_KM: f64 = 111.195;

/// Calls `visit` with points of `geometry` other than its middle, all on Earth.
pub(super) fn points_of(geometry: &Geometry, mut visit: impl FnMut(Point)) {
    let mut visit = |point: Point| {
        if point.is_on_earth() {
            visit(point);
        }
    };
    let total: usize = geometry.parts().iter().map(|part| vertices(part).len()).sum();
    let step = total.div_ceil(VERTICES_MAX).max(1);
    let (mut passed, mut wide_parts) = (0, 0);
    for part in geometry.parts() {
        let vertices = vertices(part);
        let first = (step - passed % step) % step;
        passed += vertices.len();
        if let Geometry::Circle { center, radius_km } = part {
            if first == 0 {
                circle(*center, *radius_km, &mut visit);
            }
            continue;
        }
        let is_polygon = matches!(part, Geometry::Polygon(_));
        let wide = if is_polygon && wide_parts < WIDE_PARTS_MAX { bbox(part).filter(is_wide) } else { None };
        if let Some(bounds) = wide {
            wide_parts += 1;
            inside(vertices, bounds, &mut visit);
        }
        if first >= vertices.len() {
            continue;
        }
        let center = if is_polygon { middle(part) } else { None };
        for vertex in vertices.iter().skip(first).step_by(step) {
            visit(center.map_or(*vertex, |center| toward(*vertex, center)));
        }
    }
}

fn vertices(part: &Geometry) -> &[Point] {
    match part {
        Geometry::Point(point) | Geometry::Circle { center: point, .. } => std::slice::from_ref(point),
        Geometry::Line(points) => points,
        Geometry::Polygon(polygon) => &polygon.exterior,
        Geometry::Many(_) => &[],
    }
}

fn toward(vertex: Point, center: Point) -> Point {
    Point::new(vertex.lon + (center.lon - vertex.lon) * INWARD, vertex.lat + (center.lat - vertex.lat) * INWARD)
}

/// Sixteen points near the rim, eight halfway, and the center.
fn circle(center: Point, radius_km: f64, visit: &mut impl FnMut(Point)) {
    visit(center);
    for (share, count) in [(1.0 - INWARD, 16), (0.5, 8)] {
        let degrees = radius_km * share / DEGREE_KM;
        for turn in 0..count {
            let (east, north) = (TAU * f64::from(turn) / f64::from(count)).sin_cos();
            let lat = (center.lat + degrees * north).clamp(-90.0, 90.0);
            let narrowing = lat.to_radians().cos().max(1e-3);
            let lon = center.lon + degrees * east / narrowing;
            visit(Point::new((lon + 180.0).rem_euclid(360.0) - 180.0, lat));
        }
    }
}

fn is_wide(BoundingBox([west, south, east, north]): &BoundingBox) -> bool {
    east - west >= WIDE_DEGREES || north - south >= WIDE_DEGREES
}

/// Grid points within a ring, thinned to at most 128 edges.
fn inside(ring: &[Point], BoundingBox([west, south, east, north]): BoundingBox, visit: &mut impl FnMut(Point)) {
    let thinned: Vec<Point> = ring.iter().step_by(ring.len().div_ceil(128).max(1)).copied().collect();
    for row in 0..GRID {
        let lat = south + (north - south) * (f64::from(row) + 0.5) / f64::from(GRID);
        for column in 0..GRID {
            let lon = west + (east - west) * (f64::from(column) + 0.5) / f64::from(GRID);
            if holds(&thinned, Point::new(lon, lat)) {
                visit(Point::new(lon, lat));
            }
        }
    }
}

/// Even-odd rule, edges straight in longitude and latitude.
fn holds(ring: &[Point], point: Point) -> bool {
    let Some(mut a) = ring.last() else { return false };
    let mut is_inside = false;
    for b in ring {
        if (a.lat > point.lat) != (b.lat > point.lat) {
            let crossing = a.lon + (point.lat - a.lat) / (b.lat - a.lat) * (b.lon - a.lon);
            is_inside ^= point.lon < crossing;
        }
        a = b;
    }
    is_inside
}

#[cfg(test)]
mod tests {
    use tidings_core::geometry::Polygon;

    use super::*;

    fn count(geometry: &Geometry) -> usize {
        let mut count = 0;
        points_of(geometry, |point| {
            assert!(point.is_on_earth());
            count += 1;
        });
        count
    }

    fn ring(center: Point, radius_deg: f64, corners: u32) -> Geometry {
        let exterior = (0..=corners).map(|corner| {
            let (y, x) = (TAU * f64::from(corner % corners) / f64::from(corners)).sin_cos();
            Point::new(center.lon + radius_deg * x, center.lat + radius_deg * y)
        });
        Geometry::Polygon(Polygon { exterior: exterior.collect(), holes: Vec::new() })
    }

    #[test]
    fn takes_few_points_of_many() {
        assert_eq!(count(&ring(Point::new(10.0, 50.0), 0.1, 8)), 9);
        assert!(count(&ring(Point::new(10.0, 50.0), 0.1, 41_000)) <= VERTICES_MAX);
        let many =
            Geometry::Many((0..212).map(|step| ring(Point::new(f64::from(step - 100), 0.0), 0.4, 160)).collect());
        assert!((60..=VERTICES_MAX).contains(&count(&many)));
        let wide = count(&ring(Point::new(10.0, 50.0), 5.0, 8));
        assert!((9 + 20..9 + 36).contains(&wide), "{wide}");
        assert_eq!(count(&Geometry::Circle { center: Point::new(180.0, 90.0), radius_km: 500.0 }), 25);
        assert_eq!(count(&Geometry::Circle { center: Point::new(0.0, 0.0), radius_km: f64::NAN }), 1);
    }
}
