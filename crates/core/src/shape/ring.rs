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

/// True when two edges that are not neighbors cross; false unexamined above 2,000 points.
///
/// Edges that follow each other lie close together, so runs of eight are compared by their boxes
/// first.
pub(super) fn crosses_itself(points: &[Point]) -> bool {
    let edges = points.len().saturating_sub(1);
    if !(4..=EXAMINED_POINTS).contains(&edges) {
        return false;
    }
    let runs: Vec<Bounds> =
        (0..edges).step_by(RUN).map(|start| Bounds::of(&points[start..=(start + RUN).min(edges)])).collect();
    for (one, bounds) in runs.iter().enumerate() {
        for (other, other_bounds) in runs.iter().enumerate().skip(one) {
            if bounds.meets(other_bounds) && runs_cross(points, one, other) {
                return true;
            }
        }
    }
    false
}

/// How many edges are compared by one box.
const RUN: usize = 8;

/// West, south, east and north of some points.
struct Bounds {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Bounds {
    fn of(points: &[Point]) -> Self {
        let nothing = Self { west: f64::MAX, south: f64::MAX, east: f64::MIN, north: f64::MIN };
        points.iter().fold(nothing, |all, point| Self {
            west: all.west.min(point.lon),
            south: all.south.min(point.lat),
            east: all.east.max(point.lon),
            north: all.north.max(point.lat),
        })
    }

    fn meets(&self, other: &Self) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }
}

fn runs_cross(points: &[Point], one: usize, other: usize) -> bool {
    let edges = points.len() - 1;
    let run = |number: usize| number * RUN..((number + 1) * RUN).min(edges);
    run(one).any(|a| {
        let bounds = Bounds::of(&points[a..a + 2]);
        run(other).any(|b| {
            b > a
                && !are_neighbors(a, b, edges)
                && bounds.meets(&Bounds::of(&points[b..b + 2]))
                && edges_cross(points, a, b)
        })
    })
}

fn are_neighbors(a: usize, b: usize, edges: usize) -> bool {
    let apart = a.abs_diff(b);
    apart <= 1 || apart == edges - 1
}

/// True when two edges properly cross; touching is no crossing.
fn edges_cross(points: &[Point], one: usize, other: usize) -> bool {
    let (a, b) = (points[one], points[one + 1]);
    let (c, d) = (points[other], points[other + 1]);
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

/// Positive when `point` is left of the line from `from` to `to`.
fn side(from: Point, to: Point, point: Point) -> f64 {
    (to.lon - from.lon) * (point.lat - from.lat) - (point.lon - from.lon) * (to.lat - from.lat)
}
