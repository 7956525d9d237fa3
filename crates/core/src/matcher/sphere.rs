//! Distances that are surely below or above a geodesic one, and cheap.
//!
//! Points become unit vectors by their latitude and longitude as on a sphere. Great-circle
//! distance on the sphere of mean radius differs from the geodesic of WGS 84 by less than 0.6 %;
//! what falls within [`SLACK`] of a threshold is left to the exact test.

use super::cell::Rect;
use crate::geometry::Point;

/// Mean radius of the Earth in kilometers (IUGG).
const EARTH_RADIUS_KM: f64 = 6_371.008_8;
/// Share by which distances on the sphere may be wrong; the true bound is 0.0057.
const SLACK: f64 = 0.008;
/// What single precision may add to a chord of unit vectors: about 2 m on the ground.
const CHORD_SLACK: f64 = 4e-7;
/// Above every squared chord.
const BEYOND: f32 = 5.0;

/// A point as a unit vector in single precision.
pub(super) fn unit_vector(point: Point) -> [f32; 3] {
    let (lat_sin, lat_cos) = point.lat.to_radians().sin_cos();
    let (lon_sin, lon_cos) = point.lon.to_radians().sin_cos();
    [(lat_cos * lon_cos) as f32, (lat_cos * lon_sin) as f32, lat_sin as f32]
}

/// The square of the chord between two unit vectors.
#[inline]
pub(super) fn chord_squared(a: [f32; 3], b: [f32; 3]) -> f32 {
    let [x, y, z] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    x * x + y * y + z * z
}

/// Squared chords below which a point is surely within the radius, and above which surely not.
pub(super) fn chord_bounds(radius_km: f64) -> [f32; 2] {
    let chord = |angle: f64| 2.0 * (angle.min(std::f64::consts::PI) / 2.0).sin();
    let inner = radius_km / EARTH_RADIUS_KM * (1.0 - SLACK);
    let outer = radius_km / EARTH_RADIUS_KM * (1.0 + SLACK);
    let surely = (chord(inner) - CHORD_SLACK).max(0.0);
    let perhaps = chord(outer) + CHORD_SLACK;
    let beyond = outer >= std::f64::consts::PI - 0.01;
    [(surely * surely) as f32 * 0.999_999, if beyond { BEYOND } else { (perhaps * perhaps) as f32 * 1.000_001 }]
}

/// Spans that hold everything within the radius of a point: one or two.
pub(super) fn rects_around(center: Point, radius_km: f64) -> Vec<Rect> {
    const MARGIN_DEG: f64 = 1e-4;
    let angle = radius_km / EARTH_RADIUS_KM * (1.0 + SLACK);
    let lat_deg = angle.to_degrees() + MARGIN_DEG;
    let (south, north) = (center.lat - lat_deg, center.lat + lat_deg);
    let lon_deg = (angle.sin() / center.lat.to_radians().cos()).asin().to_degrees() + MARGIN_DEG;
    // Over a pole, or so far that every longitude is near.
    if south <= -90.0 || north >= 90.0 || lon_deg.is_nan() || angle >= std::f64::consts::FRAC_PI_2 {
        return vec![Rect { west: -180.0, south, east: 180.0, north }];
    }
    wrapped(center.lon - lon_deg, center.lon + lon_deg, south, north)
}

/// A span that may reach beyond the antimeridian, as one or two that do not.
fn wrapped(west: f64, east: f64, south: f64, north: f64) -> Vec<Rect> {
    if east - west >= 360.0 {
        return vec![Rect { west: -180.0, south, east: 180.0, north }];
    }
    if west < -180.0 {
        return vec![Rect { west: west + 360.0, south, east: 180.0, north }, Rect { west: -180.0, south, east, north }];
    }
    if east > 180.0 {
        return vec![Rect { west, south, east: 180.0, north }, Rect { west: -180.0, south, east: east - 360.0, north }];
    }
    vec![Rect { west, south, east, north }]
}

/// True when a cell surely lies beyond the radius; false when in doubt.
pub(super) fn is_beyond(center: Point, radius_km: f64, rect: &Rect) -> bool {
    // On small cells away from the poles the nearest point in degrees is nearly the nearest one;
    // the share of 0.9 is far more than it can be off.
    let small = rect.east - rect.west < 2.0 && radius_km < 300.0 && center.lat.abs() < 70.0;
    let lon = [center.lon, center.lon - 360.0, center.lon + 360.0].into_iter().min_by(|a, b| {
        let away = |lon: f64| (lon - lon.clamp(rect.west, rect.east)).abs();
        away(*a).total_cmp(&away(*b))
    });
    let Some(lon) = lon.filter(|_| small) else { return false };
    let nearest = Point::new(lon.clamp(rect.west, rect.east), center.lat.clamp(rect.south, rect.north));
    let lat_away = (nearest.lat - center.lat).to_radians();
    let lon_away = (nearest.lon - lon).to_radians() * center.lat.to_radians().cos().min(nearest.lat.to_radians().cos());
    lat_away.hypot(lon_away) * EARTH_RADIUS_KM * 0.9 > radius_km
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_bracket_distances_on_the_sphere() {
        let a = Point::new(11.58, 48.14);
        let east = Point::new(11.58 + 1.0, 48.14); // 74.2 km
        let chord = chord_squared(unit_vector(a), unit_vector(east));
        assert!(chord < chord_bounds(75.5)[0] && chord > chord_bounds(73.0)[1]);
        assert!(chord_bounds(20_037.0)[1] > 4.0);
        assert_eq!(chord_bounds(0.0)[0], 0.0);
    }

    #[test]
    fn spans_reach_over_antimeridian_and_pole() {
        assert_eq!(rects_around(Point::new(179.9, 0.0), 50.0).len(), 2);
        assert_eq!(rects_around(Point::new(-179.9, 0.0), 50.0).len(), 2);
        assert_eq!(rects_around(Point::new(50.0, 89.9), 50.0)[0].west, -180.0);
        assert_eq!(rects_around(Point::new(0.0, 0.0), 50.0).len(), 1);
    }
}
