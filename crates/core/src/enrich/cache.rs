//! Places of shapes seen lately: an update repeats the polygon of what it updates.

use std::hash::{Hash, Hasher, RandomState};

use hashbrown::{Equivalent, HashMap};

use crate::event::Place;
use crate::geometry::{Geometry, Point};
use crate::port::Gazetteer;

/// Shapes with fewer points are located as fast as found.
const POINTS_MIN: usize = 3;
/// Shapes with more are not kept: together with [`SHAPES_MAX`] this bounds a cache to 3 MB.
const POINTS_MAX: usize = 300;
const SHAPES_MAX: usize = 512;

/// Remembers where shapes lie. Keep one for each thread that enriches.
#[derive(Debug, Default)]
pub struct Cache {
    // Strangers choose the keys, so the hasher is std's.
    places: HashMap<Owned, Place, RandomState>,
}

impl Cache {
    /// Where `geometry` lies, asking `gazetteer` only for shapes not seen lately.
    pub(super) fn locate(&mut self, geometry: &Geometry, gazetteer: &dyn Gazetteer) -> Place {
        let points = geometry.points().take(POINTS_MAX + 1).count();
        if !(POINTS_MIN..=POINTS_MAX).contains(&points) {
            return gazetteer.locate(geometry);
        }
        if let Some(place) = self.places.get(&Bits(geometry)) {
            return place.clone();
        }
        let place = gazetteer.locate(geometry);
        if self.places.len() >= SHAPES_MAX {
            self.places.clear();
        }
        self.places.insert(Owned(geometry.clone()), place.clone());
        place
    }
}

/// A shape as a key: the same numbers are the same shape.
#[derive(Debug, PartialEq)]
pub(super) struct Bits<'a>(pub(super) &'a Geometry);

// Shapes are validated before, so no number is NaN; one that is would only never be found again.
impl Eq for Bits<'_> {}

impl Hash for Bits<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for Point { lon, lat } in self.0.points() {
            // Adding zero makes -0 the 0 that it equals.
            state.write_u64((lon + 0.0).to_bits());
            state.write_u64((lat + 0.0).to_bits());
        }
    }
}

#[derive(Debug)]
struct Owned(Geometry);

impl Hash for Owned {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Bits(&self.0).hash(state);
    }
}

impl PartialEq for Owned {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Owned {}

impl Equivalent<Owned> for Bits<'_> {
    fn equivalent(&self, key: &Owned) -> bool {
        *self.0 == key.0
    }
}
