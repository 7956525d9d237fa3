//! The middle of a shape, for its nearest town and its time zone.

use crate::geometry::{Geometry, Point};

/// The middle of `geometry`: the mean of its parts' middles on the globe, by their size, so that a
/// shape split at the antimeridian has its middle near there. It may lie outside of a bent shape.
/// `None` without any point on Earth.
pub fn middle(geometry: &Geometry) -> Option<Point> {
    if let Geometry::Point(point) | Geometry::Circle { center: point, .. } = geometry {
        return Some(*point).filter(|point| point.is_on_earth());
    }
    let middles: Vec<Middle> = geometry.parts().iter().filter_map(middle_of_part).collect();
    if let [only] = &middles[..] {
        return Some(only.point);
    }
    let is_areal = middles.iter().any(|middle| middle.area_km2 > 0.0);
    let mut sum = [0.0; 3];
    for Middle { point, area_km2 } in &middles {
        let weight = if is_areal { *area_km2 } else { 1.0 };
        let (lon, lat) = (point.lon.to_radians(), point.lat.to_radians());
        sum[0] += weight * lat.cos() * lon.cos();
        sum[1] += weight * lat.cos() * lon.sin();
        sum[2] += weight * lat.sin();
    }
    let [x, y, z] = sum;
    let across = x.hypot(y);
    if across.hypot(z) < 1e-9 {
        return middles.first().map(|middle| middle.point);
    }
    Some(Point::new(y.atan2(x).to_degrees(), z.atan2(across).to_degrees()))
}

struct Middle {
    point: Point,
    area_km2: f64,
}

fn middle_of_part(part: &Geometry) -> Option<Middle> {
    let middle = match part {
        Geometry::Point(point) => Middle { point: *point, area_km2: 0.0 },
        Geometry::Circle { center, radius_km } => {
            Middle { point: *center, area_km2: std::f64::consts::PI * radius_km * radius_km }
        }
        Geometry::Line(points) => Middle { point: mean(points)?, area_km2: 0.0 },
        Geometry::Polygon(polygon) => middle_of_ring(&polygon.exterior)?,
        Geometry::Many(_) => Middle { point: middle(part)?, area_km2: 0.0 },
    };
    (middle.point.is_on_earth() && middle.area_km2.is_finite()).then_some(middle)
}

fn mean(points: &[Point]) -> Option<Point> {
    let count = points.len() as f64;
    let (lon, lat) = points.iter().fold((0.0, 0.0), |(lon, lat), point| (lon + point.lon, lat + point.lat));
    (count > 0.0).then(|| Point::new(lon / count, lat / count))
}

/// Centroid by the shoelace formula in degrees, about the first point to keep the digits; holes do
/// not count.
fn middle_of_ring(ring: &[Point]) -> Option<Middle> {
    let origin = *ring.first()?;
    let (mut doubled, mut lon, mut lat) = (0.0, 0.0, 0.0);
    for pair in ring.windows(2) {
        let (a, b) = (Point::new(pair[0].lon - origin.lon, pair[0].lat - origin.lat), pair[1]);
        let b = Point::new(b.lon - origin.lon, b.lat - origin.lat);
        let cross = a.lon * b.lat - b.lon * a.lat;
        doubled += cross;
        lon += (a.lon + b.lon) * cross;
        lat += (a.lat + b.lat) * cross;
    }
    if doubled.abs() < 1e-12 {
        return Some(Middle { point: mean(ring)?, area_km2: 0.0 });
    }
    let point = Point::new(origin.lon + lon / (3.0 * doubled), origin.lat + lat / (3.0 * doubled));
    // A square degree at the equator has 12 364 km².
    Some(Middle { point, area_km2: doubled.abs() / 2.0 * 12_364.0 * point.lat.to_radians().cos() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Polygon;

    fn check(geometry: &Geometry, lon: f64, lat: f64) {
        let found = middle(geometry).expect("it has a point on Earth");
        assert!((found.lon - lon).abs() < 0.01 && (found.lat - lat).abs() < 0.01, "{found:?} of {geometry:?}");
    }

    fn polygon(corners: &[(f64, f64)]) -> Geometry {
        let exterior = corners.iter().map(|(lon, lat)| Point::new(*lon, *lat)).collect();
        Geometry::Polygon(Polygon { exterior, holes: Vec::new() })
    }

    #[test]
    fn middles() {
        check(&Geometry::Point(Point::new(5.0, 6.0)), 5.0, 6.0);
        check(&Geometry::Line(vec![Point::new(0.0, 0.0), Point::new(2.0, 2.0)]), 1.0, 1.0);
        check(&polygon(&[(0.0, 0.0), (3.0, 0.0), (0.0, 3.0), (0.0, 0.0)]), 1.0, 1.0);
        check(&polygon(&[(1.0, 1.0), (1.0, 1.0), (1.0, 1.0)]), 1.0, 1.0);
        let east = polygon(&[(178.0, -1.0), (180.0, -1.0), (180.0, 1.0), (178.0, 1.0), (178.0, -1.0)]);
        let west = polygon(&[(-180.0, -1.0), (-178.0, -1.0), (-178.0, 1.0), (-180.0, 1.0), (-180.0, -1.0)]);
        let found = middle(&Geometry::Many(vec![east.clone(), west])).expect("on Earth");
        assert!(found.lon.abs() > 179.99, "{found:?}");
        check(&Geometry::Many(vec![east, Geometry::Point(Point::new(0.0, 0.0))]), 179.0, 0.0);
        let poles = vec![Geometry::Point(Point::new(0.0, 90.0)), Geometry::Point(Point::new(0.0, -90.0))];
        check(&Geometry::Many(poles), 0.0, 90.0);
        assert_eq!(middle(&Geometry::Many(Vec::new())), None);
        assert_eq!(middle(&Geometry::Line(Vec::new())), None);
    }
}
