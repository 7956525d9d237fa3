//! Where the map's edge is no edge on Earth: ±180 degrees are one meridian, a pole is one point.

use super::edges::{Edge, Rect};

/// What a shape has on the antimeridian and at the poles.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seam {
    /// Spans of latitude at -180 degrees.
    west: Vec<(f64, f64)>,
    /// Spans of latitude at 180 degrees.
    east: Vec<(f64, f64)>,
    has_south_pole: bool,
    has_north_pole: bool,
}

impl Seam {
    /// Adds what an edge has there. Shapes stay within ±180 degrees, so edges touch the
    /// antimeridian with an end or not at all.
    pub(super) fn add(&mut self, edge: &Edge) {
        for (spans, meridian) in [(&mut self.west, -180.0), (&mut self.east, 180.0)] {
            let ends = [edge.from, edge.to].into_iter().filter(|end| end.lon == meridian);
            let span =
                ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| (low.min(end.lat), high.max(end.lat)));
            if span.0 <= span.1 {
                spans.push(span);
            }
        }
        self.has_south_pole |= edge.from.lat == -90.0 || edge.to.lat == -90.0;
        self.has_north_pole |= edge.from.lat == 90.0 || edge.to.lat == 90.0;
    }

    pub(super) fn of_rect(rect: &Rect) -> Self {
        let span = |touches: bool| if touches { vec![(rect.south, rect.north)] } else { Vec::new() };
        Self {
            west: span(rect.west == -180.0),
            east: span(rect.east == 180.0),
            has_south_pole: rect.south == -90.0,
            has_north_pole: rect.north == 90.0,
        }
    }

    /// True when two shapes meet across the antimeridian or at a pole.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let touch = |west: &[(f64, f64)], east: &[(f64, f64)]| {
            west.iter().any(|one| east.iter().any(|two| one.0 <= two.1 && two.0 <= one.1))
        };
        (self.has_north_pole && other.has_north_pole)
            || (self.has_south_pole && other.has_south_pole)
            || touch(&self.west, &other.east)
            || touch(&other.west, &self.east)
    }
}
