//! The edges of one path or area, found by latitude.

use geo::kernels::RobustKernel;
use geo::{Coord, Kernel, Orientation};

use crate::geometry::Point;

/// Below this many edges looking at each is as fast as an index.
const INDEXED_FROM: usize = 32;
/// Edges in a band of latitude, on average.
const EDGES_PER_BAND: usize = 4;
/// How often an edge may stand in the index, on average; long edges make bands wider.
const COPIES_MAX: usize = 8;

/// A straight line in longitude and latitude.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) from: Point,
    pub(super) to: Point,
}

/// A rectangle in longitude and latitude that does not cross the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
}

/// The edges of a path, or of all rings of an area.
#[derive(Debug, Clone)]
pub(super) struct Edges {
    edges: Box<[Edge]>,
    bounds: Rect,
    bands: Option<Bands>,
}

/// Which edges touch each band of latitude.
#[derive(Debug, Clone)]
struct Bands {
    south: f64,
    per_degree: f64,
    /// Where each band's edges begin in `members`, and the end.
    starts: Box<[u32]>,
    members: Box<[u32]>,
}

impl Rect {
    pub(super) const NOWHERE: Self =
        Self { west: f64::INFINITY, south: f64::INFINITY, east: f64::NEG_INFINITY, north: f64::NEG_INFINITY };

    pub(super) fn including(self, point: Point) -> Self {
        Self {
            west: self.west.min(point.lon),
            south: self.south.min(point.lat),
            east: self.east.max(point.lon),
            north: self.north.max(point.lat),
        }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }

    pub(super) fn contains(&self, point: Point) -> bool {
        (self.west..=self.east).contains(&point.lon) && (self.south..=self.north).contains(&point.lat)
    }

    pub(super) fn corners(&self) -> [Point; 4] {
        let Self { west, south, east, north } = *self;
        [Point::new(west, south), Point::new(east, south), Point::new(east, north), Point::new(west, north)]
    }
}

impl Edge {
    pub(super) fn bounds(&self) -> Rect {
        Rect::NOWHERE.including(self.from).including(self.to)
    }

    /// The point at `share` of the way.
    pub(super) fn at(&self, share: f64) -> Point {
        let along = |from: f64, to: f64| if share >= 1.0 { to } else { from + (to - from) * share };
        Point::new(along(self.from.lon, self.to.lon), along(self.from.lat, self.to.lat))
    }

    /// On which side of this edge's line a point lies: exact.
    fn side(&self, point: Point) -> Orientation {
        RobustKernel::orient2d(coord(self.from), coord(self.to), coord(point))
    }

    /// True when two edges have a point in common, ends included.
    fn meets(&self, other: &Self) -> bool {
        let apart = |line: &Self, edge: &Self| {
            let (one, two) = (line.side(edge.from), line.side(edge.to));
            one == two && one != Orientation::Collinear
        };
        self.bounds().overlaps(&other.bounds()) && !apart(self, other) && !apart(other, self)
    }

    /// True when the edge has a point in common with a rectangle, bounds included: neither the
    /// axes nor the edge's line part the two.
    fn meets_rect(&self, rect: &Rect) -> bool {
        if !self.bounds().overlaps(rect) {
            return false;
        }
        let sides = rect.corners().map(|corner| self.side(corner));
        sides[0] == Orientation::Collinear || sides.iter().any(|side| *side != sides[0])
    }
}

const fn coord(point: Point) -> Coord<f64> {
    Coord { x: point.lon, y: point.lat }
}

impl Edges {
    /// The edges between the successive points of each ring or path.
    pub(super) fn new<'a>(lines: impl Iterator<Item = &'a [Point]>) -> Self {
        let pairs = lines.flat_map(|line| line.windows(2));
        let edges: Box<[Edge]> = pairs.map(|pair| Edge { from: pair[0], to: pair[1] }).collect();
        let bounds = edges.iter().fold(Rect::NOWHERE, |bounds, edge| bounds.including(edge.from).including(edge.to));
        let bands = (edges.len() >= INDEXED_FROM).then(|| Bands::new(&edges, &bounds));
        Self { edges, bounds, bands }
    }

    pub(super) const fn bounds(&self) -> &Rect {
        &self.bounds
    }

    /// Something of the first edges, to have them read from memory.
    pub(super) fn touch(&self) -> u64 {
        let some = [0, 4, 8, 12].map(|number| self.edges.get(number).map_or(0, |edge| edge.from.lat.to_bits()));
        some.into_iter().fold(0, |sum, bits| sum ^ bits)
    }

    pub(super) fn all(&self) -> &[Edge] {
        &self.edges
    }

    /// Asks `found` for each edge that may touch the latitudes from `south` to `north`, once, until
    /// it says yes.
    pub(super) fn any_between(&self, south: f64, north: f64, mut found: impl FnMut(&Edge) -> bool) -> bool {
        let Some(bands) = &self.bands else { return self.edges.iter().any(found) };
        if south > self.bounds.north || north < self.bounds.south {
            return false;
        }
        let (first, last) = (bands.of(south), bands.of(north));
        for band in first..=last {
            for member in bands.members(band) {
                let edge = &self.edges[*member as usize];
                // An edge stands in every band it touches; it counts in the first one asked for.
                let is_first_visit = band == first || bands.of(edge.from.lat.min(edge.to.lat)) == band;
                if is_first_visit && found(edge) {
                    return true;
                }
            }
        }
        false
    }

    /// True when a point lies inside by the even-odd rule, or on an edge.
    pub(super) fn contains(&self, point: Point) -> bool {
        if !self.bounds.contains(point) {
            return false;
        }
        let mut is_inside = false;
        let is_on_edge = self.any_between(point.lat, point.lat, |edge| {
            let (low, high) = if edge.from.lat <= edge.to.lat { (edge.from, edge.to) } else { (edge.to, edge.from) };
            if point.lat < low.lat || point.lat > high.lat || point.lon > low.lon.max(high.lon) {
                return false;
            }
            let side = Edge { from: low, to: high }.side(point);
            if side == Orientation::Collinear {
                return edge.bounds().contains(point);
            }
            // A ray to the east meets the edge when the point lies west of it; the upper end of
            // an edge does not count, so a vertex counts once.
            is_inside ^= point.lat < high.lat && side == Orientation::CounterClockwise;
            false
        });
        is_on_edge || is_inside
    }

    /// True when an edge of one has a point in common with an edge of the other.
    pub(super) fn meet(&self, other: &Self) -> bool {
        let (few, many) = if self.edges.len() <= other.edges.len() { (self, other) } else { (other, self) };
        few.any_between(many.bounds.south, many.bounds.north, |edge| {
            let bounds = edge.bounds();
            bounds.overlaps(&many.bounds) && many.any_between(bounds.south, bounds.north, |other| edge.meets(other))
        })
    }

    /// True when an edge has a point in common with a rectangle.
    pub(super) fn meet_rect(&self, rect: &Rect) -> bool {
        self.bounds.overlaps(rect) && self.any_between(rect.south, rect.north, |edge| edge.meets_rect(rect))
    }
}

impl Bands {
    fn new(edges: &[Edge], bounds: &Rect) -> Self {
        let height = bounds.north - bounds.south;
        let mut count = edges.len() / EDGES_PER_BAND;
        loop {
            let per_degree = if height > 0.0 { count as f64 / height } else { 0.0 };
            let empty = Self { south: bounds.south, per_degree, starts: vec![0; count + 1].into(), members: [].into() };
            let spans: Vec<_> = edges.iter().map(|edge| empty.span(edge)).collect();
            let copies: usize = spans.iter().map(|(first, last)| last - first + 1).sum();
            if count > 1 && copies > COPIES_MAX * edges.len() {
                count /= 2;
                continue;
            }
            return empty.filled(&spans, copies);
        }
    }

    fn filled(mut self, spans: &[(usize, usize)], copies: usize) -> Self {
        let mut next = vec![0_u32; self.starts.len()];
        for (first, last) in spans {
            for band in *first..=*last {
                next[band + 1] += 1;
            }
        }
        for band in 1..next.len() {
            next[band] += next[band - 1];
        }
        self.starts = next.clone().into();
        let mut members = vec![0_u32; copies].into_boxed_slice();
        for (edge, (first, last)) in (0_u32..).zip(spans) {
            for band in *first..=*last {
                members[next[band] as usize] = edge;
                next[band] += 1;
            }
        }
        self.members = members;
        self
    }

    /// The band of a latitude; the nearest one beyond the ends.
    fn of(&self, lat: f64) -> usize {
        // A float to integer cast saturates: below 0 is 0.
        let band = ((lat - self.south) * self.per_degree) as usize;
        band.min(self.starts.len() - 2)
    }

    fn span(&self, edge: &Edge) -> (usize, usize) {
        (self.of(edge.from.lat.min(edge.to.lat)), self.of(edge.from.lat.max(edge.to.lat)))
    }

    fn members(&self, band: usize) -> &[u32] {
        &self.members[self.starts[band] as usize..self.starts[band + 1] as usize]
    }
}
