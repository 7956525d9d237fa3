//! A gazetteer of a world that consists of three countries.

use std::sync::Arc;

use tidings_core::event::{Code, Place};
use tidings_core::geometry::Geometry;
use tidings_core::port::{Gazetteer, Shape};

/// Italy between 6 and 19 degrees east, the United States west of 60 degrees west, the sea else.
#[derive(Debug, Clone, Copy, Default)]
pub struct SmallAtlas;

impl Gazetteer for SmallAtlas {
    fn locate(&self, geometry: &Geometry) -> Place {
        let lon = geometry.points().next().map_or(0.0, |point| point.lon);
        let place = |country: &str, region: &str| Place {
            countries: vec![country.to_owned()],
            regions: vec![region.to_owned()],
            ..Place::default()
        };
        match lon {
            6.0..19.0 => place("IT", "IT-55"),
            -180.0..-60.0 => place("US", "US-TX"),
            _ => Place::default(),
        }
    }

    fn shape(&self, _code: &Code) -> Option<Arc<Shape>> {
        None
    }

    fn region(&self, code: &Code) -> Option<Place> {
        (code.scheme == "UGC").then(|| Place {
            countries: vec!["US".to_owned()],
            regions: vec![format!("US-{}", code.value.get(..2).unwrap_or_default())],
            ..Place::default()
        })
    }

    fn version(&self) -> u32 {
        1
    }
}
