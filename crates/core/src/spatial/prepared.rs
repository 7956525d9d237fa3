//! A shape prepared for many questions.

use std::cell::LazyCell;

use crate::geometry::{BoundingBox, Geometry, Point};

use super::edges::{Edge, Edges, Rect};
use super::geodesic::{circle_bounds, geodesic_km, is_within};
use super::nearest::Search;
use super::seam::Seam;

/// A shape prepared for many questions: near a point, in a box, meeting another shape.
#[derive(Debug, Clone)]
pub struct Prepared {
    parts: Box<[Part]>,
    seam: Seam,
}

#[derive(Debug, Clone)]
enum Part {
    Point(Point),
    Circle(Point, f64),
    Path(Edges),
    Area(Edges),
}

impl Prepared {
    /// Prepares a shape.
    pub fn new(geometry: &Geometry) -> Self {
        let parts: Box<[Part]> = geometry.parts().iter().filter_map(Part::new).collect();
        let mut seam = Seam::default();
        for part in &parts {
            match part {
                Part::Point(point) => seam.add(&Edge { from: *point, to: *point }),
                Part::Circle(..) => {}
                Part::Path(edges) | Part::Area(edges) => edges.all().iter().for_each(|edge| seam.add(edge)),
            }
        }
        Self { parts, seam }
    }

    /// Something of its edges, to have them read from memory.
    pub(crate) fn touch(&self) -> u64 {
        let touch = |part: &Part| match part {
            Part::Path(edges) | Part::Area(edges) => edges.touch(),
            Part::Point(_) | Part::Circle(..) => 0,
        };
        self.parts.first().map_or(0, touch)
    }

    /// True when it comes within `radius_km` of a point.
    pub fn within_distance(&self, center: Point, radius_km: f64) -> bool {
        // Most shapes are points, which need no window.
        let window = LazyCell::new(|| Window::new(center, radius_km));
        self.parts.iter().any(|part| part.is_within(center, radius_km, &window))
    }

    /// Its distance to a point in kilometers; 0 when it holds the point.
    pub fn distance_km(&self, center: Point) -> f64 {
        self.parts.iter().map(|part| part.distance_km(center)).fold(f64::INFINITY, f64::min)
    }

    /// True when it has a point in common with a box.
    pub fn intersects_box(&self, bounds: &BoundingBox) -> bool {
        let [west, south, east, north] = bounds.0;
        if west <= east {
            return self.intersects_rect(&Rect { west, south, east, north });
        }
        self.intersects_rect(&Rect { west, south, east: 180.0, north })
            || self.intersects_rect(&Rect { west: -180.0, south, east, north })
    }

    fn intersects_rect(&self, rect: &Rect) -> bool {
        self.parts.iter().any(|part| part.meets_rect(rect)) || self.seam.meets(&Seam::of_rect(rect))
    }

    /// True when it has a point in common with another shape.
    pub fn intersects(&self, other: &Self) -> bool {
        self.parts.iter().any(|one| other.parts.iter().any(|two| one.meets(two))) || self.seam.meets(&other.seam)
    }
}

impl Part {
    fn new(geometry: &Geometry) -> Option<Self> {
        Some(match geometry {
            Geometry::Point(point) => Self::Point(*point),
            Geometry::Circle { center, radius_km } => Self::Circle(*center, *radius_km),
            Geometry::Line(points) if points.len() == 1 => Self::Point(points[0]),
            Geometry::Line(points) => Self::Path(Edges::new(std::iter::once(points.as_slice()))),
            Geometry::Polygon(polygon) => {
                let rings = std::iter::once(&polygon.exterior).chain(&polygon.holes);
                Self::Area(Edges::new(rings.map(Vec::as_slice)))
            }
            Geometry::Many(_) => return None,
        })
    }

    fn is_within(&self, center: Point, radius_km: f64, window: &LazyCell<Window, impl FnOnce() -> Window>) -> bool {
        match self {
            Self::Point(point) => is_within(*point, center, radius_km),
            Self::Circle(middle, own_radius_km) => is_within(*middle, center, radius_km + own_radius_km),
            Self::Area(edges) if edges.contains(center) => true,
            Self::Path(edges) | Self::Area(edges) => window.is_reached_by(edges),
        }
    }

    fn distance_km(&self, center: Point) -> f64 {
        match self {
            Self::Point(point) => geodesic_km(*point, center),
            Self::Circle(middle, radius_km) => (geodesic_km(*middle, center) - radius_km).max(0.0),
            Self::Area(edges) if edges.contains(center) => 0.0,
            Self::Path(edges) | Self::Area(edges) => {
                let mut search = Search::least(center);
                edges.all().iter().any(|edge| search.look(edge));
                search.found_km
            }
        }
    }

    fn meets_rect(&self, rect: &Rect) -> bool {
        match self {
            Self::Point(point) => rect.contains(*point),
            Self::Circle(center, radius_km) => {
                let corners = rect.corners();
                let sides = (0..4).map(|side| Edge { from: corners[side], to: corners[(side + 1) % 4] });
                let mut search = Search::up_to(*center, *radius_km);
                rect.contains(*center) || sides.into_iter().any(|side| search.look(&side))
            }
            Self::Path(edges) => edges.meet_rect(rect),
            Self::Area(edges) => edges.meet_rect(rect) || edges.contains(Point::new(rect.west, rect.south)),
        }
    }

    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Circle(center, radius_km), shape) | (shape, Self::Circle(center, radius_km)) => {
                shape.is_within(*center, *radius_km, &LazyCell::new(|| Window::new(*center, *radius_km)))
            }
            (Self::Point(one), Self::Point(two)) => one == two,
            (Self::Point(point), Self::Area(edges)) | (Self::Area(edges), Self::Point(point)) => edges.contains(*point),
            (Self::Point(point), Self::Path(edges)) | (Self::Path(edges), Self::Point(point)) => {
                edges.meet_rect(&Rect::NOWHERE.including(*point))
            }
            (Self::Path(one), Self::Path(two)) => one.meet(two),
            (Self::Path(path), Self::Area(area)) | (Self::Area(area), Self::Path(path)) => {
                path.meet(area) || begins_in(path, area)
            }
            (Self::Area(one), Self::Area(two)) => one.meet(two) || begins_in(one, two) || begins_in(two, one),
        }
    }
}

/// Where no edges meet, a shape lies wholly inside or outside of an area, as does its first point.
fn begins_in(inner: &Edges, area: &Edges) -> bool {
    inner.all().first().is_some_and(|edge| area.contains(edge.from))
}

/// Where a circle may reach: edges elsewhere need not be measured.
#[derive(Debug)]
struct Window {
    center: Point,
    radius_km: f64,
    bounds: BoundingBox,
}

impl Window {
    fn new(center: Point, radius_km: f64) -> Self {
        Self { center, radius_km, bounds: circle_bounds(center, radius_km) }
    }

    fn overlaps(&self, rect: &Rect) -> bool {
        let [west, south, east, north] = self.bounds.0;
        let (after, before) = (rect.east >= west, rect.west <= east);
        let overlaps_lon = if west <= east { after && before } else { after || before };
        overlaps_lon && rect.south <= north && rect.north >= south
    }

    /// True when an edge comes within the circle.
    fn is_reached_by(&self, edges: &Edges) -> bool {
        let [_, south, _, north] = self.bounds.0;
        let mut search = Search::up_to(self.center, self.radius_km);
        self.overlaps(edges.bounds())
            && edges.any_between(south, north, |edge| self.overlaps(&edge.bounds()) && search.look(edge))
    }
}
