//! Rings over the antimeridian and around the poles.
//!
//! A ring is *unrolled* first: its longitudes run on beyond ±180, so that no edge leaps. Then it
//! is cut along the meridians -180, 180, … and the pieces are moved back into ±180.

use crate::geometry::{Point, Polygon, Ring};

use super::ring;

/// A ring whose longitudes run on without leaps.
pub(super) struct Unrolled {
    /// Its points, closed.
    pub(super) points: Ring,
    /// True when it went around a pole, which was added to it.
    pub(super) holds_pole: bool,
}

/// The longitude within ±180 degrees of a longitude within ±540; 180 itself stays.
pub(super) fn wrap(lon: f64) -> f64 {
    if lon > 180.0 {
        lon - 360.0
    } else if lon < -180.0 {
        lon + 360.0
    } else {
        lon
    }
}

/// Longitudes that run on: each edge goes the shorter way around.
fn run_on(points: &[Point]) -> Ring {
    let mut run = Vec::with_capacity(points.len());
    let (mut lon, mut before) = (0.0, 0.0);
    for (index, point) in points.iter().enumerate() {
        let step = point.lon - before;
        lon = if index == 0 { wrap(point.lon) } else { lon + step - 360.0 * (step / 360.0).round() };
        // Half the globe exactly: keep the direction that was written.
        if index > 0 && step.abs() == 180.0 {
            lon = run.last().map_or(lon, |last: &Point| last.lon + step);
        }
        before = point.lon;
        run.push(Point::new(lon, point.lat));
    }
    run
}

/// Unrolls a closed ring; `None` when it goes around the globe more than once.
pub(super) fn unroll(points: &[Point]) -> Option<Unrolled> {
    let mut run = run_on(points);
    let (first, last) = (*run.first()?, *run.last()?);
    let turns = ((last.lon - first.lon) / 360.0).round();
    if turns == 0.0 {
        // Sums of steps leave rounding behind; the ring is closed by definition.
        *run.last_mut()? = first;
        return Some(Unrolled { points: run, holds_pole: false });
    }
    if turns.abs() > 1.0 {
        return None;
    }
    let mean_lat = run.iter().map(|point| point.lat).sum::<f64>() / run.len() as f64;
    let pole = if mean_lat < 0.0 { -90.0 } else { 90.0 };
    let end = first.lon + 360.0 * turns;
    *run.last_mut()? = Point::new(end, last.lat);
    run.extend([Point::new(end, pole), Point::new(first.lon, pole), first]);
    run.dedup();
    Some(Unrolled { points: run, holds_pole: true })
}

/// Moves a hole by whole turns until it lies in `bound`; `None` when it never does.
pub(super) fn shift_into(hole: Ring, bound: &[Point]) -> Option<Ring> {
    let lies_inside = |turn: f64| {
        let moved = |point: &Point| Point::new(point.lon + turn, point.lat);
        hole.iter().take(2).any(|point| ring::contains(bound, moved(point)))
    };
    let turn = [0.0, 360.0, -360.0, 720.0, -720.0].into_iter().find(|turn| lies_inside(*turn))?;
    Some(hole.into_iter().map(|point| Point::new(point.lon + turn, point.lat)).collect())
}

/// Cuts rings (the bound first, then holes) at ±180, ±540 and moves the pieces into ±180. `None`
/// when finding the holes among the pieces would take more than `work_max` point tests.
pub(super) fn cut(rings: Vec<Ring>, work_max: usize) -> Option<Vec<Polygon>> {
    let west = rings.iter().flatten().map(|point| point.lon).fold(f64::INFINITY, f64::min);
    let east = rings.iter().flatten().map(|point| point.lon).fold(f64::NEG_INFINITY, f64::max);
    let mut polygons = Vec::new();
    let mut rest = rings;
    // The window number w spans 360 w - 180 to 360 w + 180.
    let first = ((west + 180.0) / 360.0).floor() as i32;
    let last = ((east + 180.0) / 360.0).ceil() as i32 - 1;
    for window in first..=last.max(first) {
        let turn = 360.0 * f64::from(window);
        let (here, beyond) = if window < last { halve(&rest, turn + 180.0) } else { (rest, Vec::new()) };
        let points: usize = here.iter().map(Vec::len).sum();
        if here.len().saturating_mul(points) > work_max {
            return None;
        }
        polygons.extend(assemble(here, turn));
        rest = beyond;
    }
    Some(polygons)
}

/// A run of points on one side of a meridian; its first and last points lie on it.
type Chain = Vec<Point>;

/// Cuts rings along a meridian: what lies west of it, and what lies east.
fn halve(rings: &[Ring], meridian: f64) -> (Vec<Ring>, Vec<Ring>) {
    let (mut west, mut east) = (Vec::new(), Vec::new());
    let (mut west_chains, mut east_chains) = (Vec::new(), Vec::new());
    for points in rings {
        let is_east = |point: &Point| point.lon > meridian;
        if !points.iter().any(is_east) {
            west.push(points.clone());
        } else if points.iter().all(is_east) {
            east.push(points.clone());
        } else {
            chains_of(points, meridian, &mut west_chains, &mut east_chains);
        }
    }
    west.extend(join(west_chains));
    east.extend(join(east_chains));
    (west, east)
}

/// Splits one ring that lies on both sides into its chains.
fn chains_of(points: &[Point], meridian: f64, west: &mut Vec<Chain>, east: &mut Vec<Chain>) {
    let is_east = |point: Point| point.lon > meridian;
    let open = &points[..points.len() - 1];
    // Begin just after a change of side, so that no chain is torn at the ring's seam.
    let count = open.len();
    let Some(start) = (0..count).find(|at| is_east(open[*at]) != is_east(open[(at + count - 1) % count])) else {
        return;
    };
    let mut chain = vec![meeting(open[(start + count - 1) % count], open[start], meridian)];
    for step in 0..count {
        let (point, next) = (open[(start + step) % count], open[(start + step + 1) % count]);
        chain.push(point);
        if is_east(point) != is_east(next) {
            let crossing = meeting(point, next, meridian);
            chain.push(crossing);
            let done = std::mem::replace(&mut chain, vec![crossing]);
            if is_east(point) { east.push(done) } else { west.push(done) }
        }
    }
}

/// Where the edge from `a` to `b` meets the meridian.
fn meeting(a: Point, b: Point, meridian: f64) -> Point {
    let share = (meridian - a.lon) / (b.lon - a.lon);
    Point::new(meridian, (a.lat + share * (b.lat - a.lat)).clamp(a.lat.min(b.lat), a.lat.max(b.lat)))
}

/// Joins the chains of one side to rings: along the meridian, inside and outside alternate, so the
/// ends are linked in pairs from south to north.
fn join(chains: Vec<Chain>) -> Vec<Ring> {
    // (latitude, chain, whether it is the chain's end)
    let mut ends: Vec<(f64, usize, bool)> = Vec::with_capacity(chains.len() * 2);
    for (index, chain) in chains.iter().enumerate() {
        let lat_of = |point: Option<&Point>| point.map_or(0.0, |point| point.lat);
        ends.push((lat_of(chain.first()), index, false));
        ends.push((lat_of(chain.last()), index, true));
    }
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    // link[2 c + e] = the end that end e (0 first, 1 last) of chain c is joined to.
    let slot = |end: &(f64, usize, bool)| end.1 * 2 + usize::from(end.2);
    let mut link = vec![0; ends.len()];
    for pair in ends.chunks_exact(2) {
        link[slot(&pair[0])] = slot(&pair[1]);
        link[slot(&pair[1])] = slot(&pair[0]);
    }
    let mut used = vec![false; chains.len()];
    let mut rings = Vec::new();
    for start in 0..chains.len() {
        if used[start] {
            continue;
        }
        let mut points = Vec::new();
        // Enter a chain at one end, leave at the other, follow the link from there.
        let mut entry = start * 2;
        while !used[entry / 2] {
            let index = entry / 2;
            used[index] = true;
            if entry % 2 == 0 {
                points.extend_from_slice(&chains[index]);
            } else {
                points.extend(chains[index].iter().rev());
            }
            entry = link[entry ^ 1];
        }
        points.extend(points.first().copied());
        rings.push(points);
    }
    rings
}

/// Polygons of the rings of one window: counter-clockwise bounds with the holes that lie in them.
fn assemble(rings: Vec<Ring>, turn: f64) -> Vec<Polygon> {
    let mut moved: Vec<Ring> = rings
        .into_iter()
        .map(|ring| {
            let back = |point: Point| Point::new((point.lon - turn).clamp(-180.0, 180.0), point.lat);
            let mut ring: Ring = ring.into_iter().map(back).collect();
            ring.dedup();
            ring
        })
        .filter(|ring| ring.len() >= 4 && ring::doubled_area(ring) != 0.0)
        .collect();
    // The largest first: a ring inside an earlier one is a hole of it.
    moved.sort_by(|a, b| ring::doubled_area(b).abs().total_cmp(&ring::doubled_area(a).abs()));
    let mut polygons: Vec<Polygon> = Vec::new();
    for ring in moved {
        let inner = inner_point(&ring);
        match polygons.iter_mut().find(|polygon| ring::contains(&polygon.exterior, inner)) {
            Some(polygon) => polygon.holes.push(ring::wound(ring, false)),
            None => polygons.push(Polygon { exterior: ring::wound(ring, true), holes: Vec::new() }),
        }
    }
    polygons
}

/// The middle of a ring's first edge that does not lie on a cut.
fn inner_point(ring: &[Point]) -> Point {
    let edge = ring.windows(2).find(|edge| edge[0].lon.abs() < 180.0 || edge[1].lon.abs() < 180.0);
    edge.map_or(ring[0], |edge| Point::new((edge[0].lon + edge[1].lon) / 2.0, (edge[0].lat + edge[1].lat) / 2.0))
}

/// Cuts a line at the antimeridian and moves the pieces into ±180.
pub(super) fn cut_line(points: &[Point]) -> Vec<Vec<Point>> {
    let run = run_on(points);
    let window = |lon: f64| ((lon + 180.0) / 360.0).floor();
    let mut parts = Vec::new();
    let mut part: Vec<Point> = Vec::new();
    let mut here = run.first().map_or(0.0, |point| window(point.lon));
    let mut before: Option<Point> = None;
    for point in run {
        let now = window(point.lon);
        if let Some(last) = before
            && now != here
        {
            let meridian = 360.0 * now.max(here) - 180.0;
            let crossing = meeting(last, point, meridian);
            part.push(Point::new(meridian - 360.0 * here, crossing.lat));
            parts.push(std::mem::take(&mut part));
            part.push(Point::new(meridian - 360.0 * now, crossing.lat));
            here = now;
        }
        part.push(Point::new(point.lon - 360.0 * here, point.lat));
        before = Some(point);
    }
    parts.push(part);
    for part in &mut parts {
        part.dedup();
    }
    parts.retain(|part| part.len() >= 2);
    parts
}
