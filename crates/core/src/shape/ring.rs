//! What can be said of one ring.

use crate::geometry::{Point, Ring};

/// Above this many points a ring is not examined for crossing itself.
const EXAMINED_POINTS: usize = 2_000;

/// What one pass over a closed ring tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Survey {
    /// True when a point lies beyond ±180 degrees or an edge spans more than half the globe.
    pub(super) needs_unrolling: bool,
    /// Twice the enclosed area in square degrees, positive when counter-clockwise.
    pub(super) doubled_area: f64,
}

impl Survey {
    pub(super) fn of(points: &[Point]) -> Self {
        let first = points.first().copied().unwrap_or_default();
        let (mut doubled_area, mut beyond, mut leaps) = (0.0, false, false);
        let mut before = first;
        for point in points {
            beyond |= point.lon.abs() > 180.0;
            leaps |= (point.lon - before.lon).abs() > 180.0;
            // Taken from the first point, so that small rings keep their digits.
            doubled_area +=
                (before.lon - first.lon) * (point.lat - first.lat) - (point.lon - first.lon) * (before.lat - first.lat);
            before = *point;
        }
        // A ring whose points all stand on ±180 is the whole band between its latitudes.
        let is_band = leaps && points.iter().all(|point| point.lon.abs() == 180.0);
        Self { needs_unrolling: beyond || (leaps && !is_band), doubled_area }
    }
}

/// Twice the enclosed area in square degrees, positive when counter-clockwise.
pub(super) fn doubled_area(points: &[Point]) -> f64 {
    Survey::of(points).doubled_area
}

/// The ring with its points in the other order.
pub(super) fn reversed(mut points: Ring) -> Ring {
    points.reverse();
    points
}

/// The ring wound counter-clockwise or clockwise.
pub(super) fn wound(points: Ring, counter_clockwise: bool) -> Ring {
    if (doubled_area(&points) > 0.0) == counter_clockwise { points } else { reversed(points) }
}

/// True when `point` is inside by the even-odd rule; on the bound it may be either.
pub(crate) fn contains(points: &[Point], point: Point) -> bool {
    let mut inside = false;
    for edge in points.windows(2) {
        let (a, b) = (edge[0], edge[1]);
        let spans = (a.lat > point.lat) != (b.lat > point.lat);
        if spans && point.lon < a.lon + (point.lat - a.lat) / (b.lat - a.lat) * (b.lon - a.lon) {
            inside = !inside;
        }
    }
    inside
}

/// True when two edges that are not neighbors meet; false unexamined above 2,000 points.
///
/// Edges are swept from west to east, so each is compared with those that overlap it in longitude.
pub(super) fn crosses_itself(points: &[Point]) -> bool {
    let edges = points.len().saturating_sub(1);
    if !(4..=EXAMINED_POINTS).contains(&edges) {
        return false;
    }
    let west = |edge: usize| points[edge].lon.min(points[edge + 1].lon);
    let east = |edge: usize| points[edge].lon.max(points[edge + 1].lon);
    let mut order: Vec<usize> = (0..edges).collect();
    order.sort_unstable_by(|a, b| west(*a).total_cmp(&west(*b)));
    let mut open: Vec<usize> = Vec::new();
    for edge in order {
        let start = west(edge);
        open.retain(|other| east(*other) >= start);
        if open.iter().any(|other| !are_neighbors(edge, *other, edges) && edges_meet(points, edge, *other)) {
            return true;
        }
        open.push(edge);
    }
    false
}

fn are_neighbors(a: usize, b: usize, edges: usize) -> bool {
    let apart = a.abs_diff(b);
    apart <= 1 || apart == edges - 1
}

/// True when two edges properly cross; touching is no crossing.
fn edges_meet(points: &[Point], one: usize, other: usize) -> bool {
    let (a, b) = (points[one], points[one + 1]);
    let (c, d) = (points[other], points[other + 1]);
    let overlap_in_latitude = a.lat.max(b.lat) >= c.lat.min(d.lat) && c.lat.max(d.lat) >= a.lat.min(b.lat);
    overlap_in_latitude && side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

/// Positive when `point` is left of the line from `from` to `to`.
fn side(from: Point, to: Point, point: Point) -> f64 {
    (to.lon - from.lon) * (point.lat - from.lat) - (point.lon - from.lon) * (to.lat - from.lat)
}
