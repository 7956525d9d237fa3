//! A shape prepared for many questions.

use crate::geometry::{BoundingBox, Geometry, Point};

use super::geodesic::{geodesic_km, is_within};

/// A shape prepared for many questions: near a point, in a box, meeting another shape.
#[derive(Debug, Clone)]
pub struct Prepared {
    geometry: Geometry,
}

impl Prepared {
    /// Prepares a shape.
    pub fn new(geometry: &Geometry) -> Self {
        Self { geometry: geometry.clone() }
    }

    /// True when it comes within `radius_km` of a point.
    pub fn within_distance(&self, center: Point, radius_km: f64) -> bool {
        self.geometry.points().any(|point| is_within(point, center, radius_km))
    }

    /// Its distance to a point in kilometers; 0 when it holds the point.
    pub fn distance_km(&self, center: Point) -> f64 {
        self.geometry.points().map(|point| geodesic_km(point, center)).fold(f64::INFINITY, f64::min)
    }

    /// True when it has a point in common with a box.
    pub fn intersects_box(&self, bounds: &BoundingBox) -> bool {
        let [west, south, east, north] = bounds.0;
        self.geometry.points().any(|point| {
            let in_lon =
                if west <= east { (west..=east).contains(&point.lon) } else { point.lon >= west || point.lon <= east };
            in_lon && (south..=north).contains(&point.lat)
        })
    }

    /// True when it has a point in common with another shape.
    pub fn intersects(&self, other: &Self) -> bool {
        self.geometry == other.geometry
    }
}
