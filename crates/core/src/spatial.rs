//! Exact questions about shapes on Earth: do they meet, and how far apart are they.
//!
//! Distances are geodesic on WGS 84 (Karney 2013); edges are straight in longitude and latitude.

mod geodesic;
mod edges;
mod nearest;
mod seam;
mod prepared;

pub use geodesic::{circle_bounds, geodesic_km};
pub use prepared::Prepared;

use crate::geometry::{Geometry, Point};

/// True when two shapes have a point in common; bounds belong to their shapes.
pub fn intersects(one: &Geometry, other: &Geometry) -> bool {
    Prepared::new(one).intersects(&Prepared::new(other))
}

/// True when a shape comes within `radius_km` of a point.
pub fn within_distance(geometry: &Geometry, center: Point, radius_km: f64) -> bool {
    Prepared::new(geometry).within_distance(center, radius_km)
}

#[cfg(test)]
mod tests;
