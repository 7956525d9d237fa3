//! How near an edge comes to a point.

use super::edges::Edge;
use super::geodesic::{Bounds, geodesic_km, lambert_km};
use crate::geometry::Point;

/// More kilometers than a degree has anywhere, in any direction.
const DEGREE_KM_MAX: f64 = 111.7;
/// Pieces up to this long in degrees have one nearest point, or it is at an end.
const PIECE_DEGREES: f64 = 0.25;
/// Pieces this short in kilometers are points.
const PIECE_KM: f64 = 1e-6;
/// Golden section: each step leaves 0.618 of the piece; 36 steps leave 3e-8 of it, a millimeter.
const STEPS: usize = 36;

/// Looks for the distance from one point to many edges.
#[derive(Debug)]
pub(super) struct Search {
    center: Point,
    /// Where to stop: any distance up to this is near enough.
    enough_km: f64,
    /// Nothing beyond this is of interest.
    bound_km: f64,
    /// The least distance found, if it is of interest.
    pub(super) found_km: f64,
}

impl Search {
    /// Looks for any distance up to `limit_km`.
    pub(super) const fn up_to(center: Point, limit_km: f64) -> Self {
        Self { center, enough_km: limit_km, bound_km: limit_km, found_km: f64::INFINITY }
    }

    /// Looks for the least distance.
    pub(super) const fn least(center: Point) -> Self {
        Self { center, enough_km: 0.0, bound_km: f64::INFINITY, found_km: f64::INFINITY }
    }

    /// Looks at one more edge; true when what was found is near enough.
    ///
    /// An edge is halved until a piece is too far to matter or short; a piece reaches at most half
    /// its length from its middle.
    pub(super) fn look(&mut self, edge: &Edge) -> bool {
        let mut pieces = vec![(0.0, 1.0)];
        while let Some((start, end)) = pieces.pop() {
            let middle = (start + end) / 2.0;
            let (half_km, is_short) = reach(edge, start, end);
            let distance = Bounds::by_sphere(self.center, edge.at(middle));
            if distance.least_km - half_km > self.bound_km {
                continue;
            }
            let distance = distance.narrowed(self.center, edge.at(middle));
            if distance.most_km <= self.enough_km {
                self.found_km = self.found_km.min(distance.most_km);
                return true;
            }
            if distance.least_km - half_km > self.bound_km {
                continue;
            }
            self.bound_km = self.bound_km.min(distance.most_km);
            if !is_short {
                pieces.extend([(start, middle), (middle, end)]);
            } else if self.settle(edge, start, end) {
                return true;
            }
        }
        false
    }

    /// Finds the nearest point of a short piece. A quick formula tells where it is, the exact one
    /// how far: around the nearest point distances change so little that where matters less.
    fn settle(&mut self, edge: &Edge, start: f64, end: f64) -> bool {
        let nearest = golden(start, end, |share| lambert_km(self.center, edge.at(share)));
        for point in [nearest, start, end].map(|share| edge.at(share)) {
            let least_km = Bounds::by_sphere(self.center, point).narrowed(self.center, point).least_km;
            if least_km <= self.bound_km.min(self.found_km) {
                self.found_km = self.found_km.min(geodesic_km(self.center, point));
            }
        }
        self.bound_km = self.bound_km.min(self.found_km);
        self.found_km <= self.enough_km
    }
}

/// At most how far a piece reaches from its middle in kilometers, and whether it is short.
fn reach(edge: &Edge, start: f64, end: f64) -> (f64, bool) {
    let (from, to) = (edge.at(start), edge.at(end));
    let (lon, lat) = ((to.lon - from.lon).abs(), (to.lat - from.lat).abs());
    let straddles_equator = from.lat.min(to.lat) <= 0.0 && from.lat.max(to.lat) >= 0.0;
    let widest = if straddles_equator { 1.0 } else { from.lat.abs().min(to.lat.abs()).to_radians().cos() };
    let length_km = DEGREE_KM_MAX * lat.hypot(lon * widest);
    (length_km / 2.0, length_km <= PIECE_KM || lon.max(lat) <= PIECE_DEGREES)
}

/// Where a function with one low point between `start` and `end` is lowest.
fn golden(start: f64, end: f64, value: impl Fn(f64) -> f64) -> f64 {
    const RATIO: f64 = 0.618_033_988_749_894_9;
    let (mut start, mut end) = (start, end);
    let (mut left, mut right) = (end - RATIO * (end - start), start + RATIO * (end - start));
    let (mut left_value, mut right_value) = (value(left), value(right));
    for _ in 0..STEPS {
        if left_value <= right_value {
            (end, right, right_value) = (right, left, left_value);
            left = end - RATIO * (end - start);
            left_value = value(left);
        } else {
            (start, left, left_value) = (left, right, right_value);
            right = start + RATIO * (end - start);
            right_value = value(right);
        }
    }
    (start + end) / 2.0
}
