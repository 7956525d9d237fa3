use std::sync::Arc;

use crate::event::{Code, Place};
use crate::geometry::Geometry;

/// The shape that an area code stands for, and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Its bounds.
    pub geometry: Geometry,
    /// Its middle's place, worked out once.
    pub place: Place,
}

/// Knows the Earth: where things are, and what area codes stand for.
pub trait Gazetteer: Send + Sync + std::fmt::Debug {
    /// Countries, subdivisions, nearest larger town and time zone of a shape.
    fn locate(&self, geometry: &Geometry) -> Place;

    /// The shape of an area code: US counties for `SAME` and for `UGC` of form C, waters for `UGC`
    /// marine zones.
    fn shape(&self, code: &Code) -> Option<Arc<Shape>>;

    /// The region that a code names by itself (UGC or SAME state, NUTS prefix, CAP-CP province),
    /// as a place without a shape.
    fn region(&self, code: &Code) -> Option<Place>;

    /// The version of the area tables, kept with every judgment made by them.
    fn version(&self) -> u32;
}
