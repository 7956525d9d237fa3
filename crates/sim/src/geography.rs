//! Ways and outlines on the globe, good enough to draw weather with.

use tidings_core::geometry::Point;

use crate::dice::Dice;

/// Kilometers of one degree of latitude on a sphere of the Earth's mean radius.
const KM_PER_DEGREE: f64 = 111.195;

/// The place a distance away, on a map that is flat around the start; within the globe.
pub(crate) fn destination(from: Point, bearing_deg: f64, distance_km: f64) -> Point {
    let (east, north) = bearing_deg.to_radians().sin_cos();
    let lat = (from.lat + north * distance_km / KM_PER_DEGREE).clamp(-89.0, 89.0);
    let shrink = from.lat.to_radians().cos().max(0.05);
    let lon = from.lon + east * distance_km / (KM_PER_DEGREE * shrink);
    Point::new(wrapped(lon), lat)
}

fn wrapped(lon: f64) -> f64 {
    let turned = (lon + 180.0).rem_euclid(360.0) - 180.0;
    turned.clamp(-180.0, 180.0)
}

/// A closed, ragged ring around a place; `None` where it would cross the antimeridian or come near
/// a pole.
pub(crate) fn ragged_ring(dice: &mut Dice, center: Point, radius_km: f64, corners: usize) -> Option<Vec<Point>> {
    let mut ring: Vec<Point> = (0..corners)
        .map(|corner| {
            let bearing_deg = 360.0 * corner as f64 / corners as f64;
            destination(center, bearing_deg, radius_km * dice.between(0.7, 1.3))
        })
        .collect();
    closed(&mut ring, center)
}

/// A closed ring that opens in a direction, as warnings ahead of a moving storm do.
pub(crate) fn cone(center: Point, heading_deg: f64, radius_km: f64, ahead_km: f64) -> Option<Vec<Point>> {
    let tip = destination(center, heading_deg, ahead_km);
    let mut ring = vec![
        destination(center, heading_deg + 90.0, radius_km * 0.6),
        destination(center, heading_deg + 180.0, radius_km * 0.6),
        destination(center, heading_deg - 90.0, radius_km * 0.6),
        destination(tip, heading_deg - 90.0, radius_km * 1.3),
        destination(tip, heading_deg, radius_km * 0.5),
        destination(tip, heading_deg + 90.0, radius_km * 1.3),
    ];
    closed(&mut ring, center)
}

fn closed(ring: &mut Vec<Point>, center: Point) -> Option<Vec<Point>> {
    let in_one_piece = ring.iter().all(|point| (point.lon - center.lon).abs() < 90.0 && point.lat.abs() < 85.0);
    ring.push(*ring.first()?);
    in_one_piece.then(|| std::mem::take(ring))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_stay_on_the_globe() {
        let mut dice = Dice::new(3);
        for _ in 0..10_000 {
            let from = Point::new(dice.between(-180.0, 180.0), dice.between(-90.0, 90.0));
            let bearing_deg = dice.between(0.0, 360.0);
            let distance_km = dice.exponential(2_000.0);
            assert!(destination(from, bearing_deg, distance_km).is_on_earth());
        }
        assert!(destination(Point::new(179.9, 0.0), 90.0, 100.0).lon < -179.0);
        assert!(ragged_ring(&mut dice, Point::new(179.9, 0.0), 50.0, 8).is_none());
        let ring = ragged_ring(&mut dice, Point::new(10.0, 50.0), 50.0, 8).expect("in one piece");
        assert_eq!((ring.len(), ring[0]), (9, ring[8]));
    }
}
