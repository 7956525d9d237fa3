//! The Earth as far as the binary carries it: borders, towns, time zones, US counties and waters.
//!
//! All tables are read in place from the executable, so opening costs nothing and memory is used as
//! pages are touched. Credits are in `NOTICE`.

mod borders;
mod bytes;
mod codes;
mod counties;
mod sample;
mod towns;
mod waters;

use std::sync::{Arc, OnceLock};

use tidings_core::enrich::middle;
use tidings_core::event::{Code, Place};
use tidings_core::geometry::{Geometry, Point};
use tidings_core::port::{Gazetteer, Shape};
use tzf_rs::EmbeddedFinder;

use borders::Borders;
use codes::Named;
use counties::Counties;
use towns::Towns;
use waters::WATERS;

/// Grows with every change of a table or of how it is read.
const VERSION: u32 = 1;

/// The gazetteer of this build. Returns at once; the first look-up takes about 5 ms longer.
pub fn open() -> Arc<dyn Gazetteer> {
    let counties = Counties::load();
    Arc::new(Bundled {
        borders: OnceLock::new(),
        zones: OnceLock::new(),
        towns: Towns::load(),
        made_counties: (0..counties.len()).map(|_| OnceLock::new()).collect(),
        counties,
        made_waters: WATERS.each_ref().map(|_| OnceLock::new()),
    })
}

struct Bundled {
    borders: OnceLock<Borders>,
    zones: OnceLock<EmbeddedFinder>,
    towns: Towns,
    counties: Counties,
    made_counties: Box<[OnceLock<Option<Arc<Shape>>>]>,
    made_waters: [OnceLock<Option<Arc<Shape>>>; WATERS.len()],
}

impl Gazetteer for Bundled {
    /// Countries and subdivisions of the middle and of points sampled from the shape, town and time
    /// zone of the middle.
    fn locate(&self, geometry: &Geometry) -> Place {
        let mut place = Place::default();
        let Some(middle) = middle(geometry).filter(|point| point.is_on_earth()) else { return place };
        let borders = self.borders.get_or_init(Borders::load);
        let mut seen = Seen { borders, ids: Vec::new(), plain: None };
        seen.visit(middle);
        if !matches!(geometry, Geometry::Point(_)) {
            sample::points_of(geometry, |point| seen.visit(point));
        }
        for id in &seen.ids {
            if id.contains('-') {
                codes::push(&mut place.regions, id);
            } else {
                codes::add_country(&mut place, id);
            }
        }
        place.nearest = self.towns.nearest(middle);
        place.timezone = self.timezone(middle);
        place
    }

    fn shape(&self, code: &Code) -> Option<Arc<Shape>> {
        match codes::named(code)? {
            Named::County(fips) => {
                let index = self.counties.find(fips)?;
                self.made_counties.get(index)?.get_or_init(|| self.make_county(index, fips)).clone()
            }
            Named::Water(index) => self.made_waters.get(index)?.get_or_init(|| self.make_water(index)).clone(),
        }
    }

    fn region(&self, code: &Code) -> Option<Place> {
        codes::region(code)
    }

    fn version(&self) -> u32 {
        VERSION
    }
}

impl Bundled {
    /// IANA name, also at sea (`Etc/GMT+6`).
    fn timezone(&self, point: Point) -> Option<String> {
        let zones = self.zones.get_or_init(EmbeddedFinder::new);
        Some(zones.get_tz_name(point.lon, point.lat)).filter(|name| !name.is_empty()).map(str::to_owned)
    }

    /// A county lies in the state of its code, whatever the coarse borders say of its corners.
    fn make_county(&self, index: usize, fips: u32) -> Option<Arc<Shape>> {
        let geometry = self.counties.geometry(index)?;
        // The middle of an island chain is at sea; that of its most detailed island is not.
        let middle = middle(geometry.parts().iter().max_by_key(|part| part.points().count())?)?;
        let mut place = codes::place_of_county(fips)?;
        place.nearest = self.towns.nearest(middle);
        place.timezone = self.timezone(middle);
        Some(Arc::new(Shape { geometry, place }))
    }

    /// Waters have no town, and count as the country's that warns for them.
    fn make_water(&self, index: usize) -> Option<Arc<Shape>> {
        let geometry = WATERS.get(index)?.geometry()?;
        let timezone = self.timezone(middle(&geometry)?);
        let place = Place { countries: vec!["US".to_owned()], timezone, ..Place::default() };
        Some(Arc::new(Shape { geometry, place }))
    }
}

impl std::fmt::Debug for Bundled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundled").field("version", &VERSION).finish_non_exhaustive()
    }
}

/// The areas around the points visited, each once, in order of appearance.
struct Seen<'a> {
    borders: &'a Borders,
    ids: Vec<&'static str>,
    /// The last cell, when all its points lie in the same areas.
    plain: Option<borders::Cell>,
}

impl Seen<'_> {
    fn visit(&mut self, point: Point) {
        let cell = self.borders.cell(point);
        if self.plain == Some(cell) {
            return;
        }
        self.plain = Some(cell).filter(|cell| cell.is_plain);
        self.borders.visit(cell, point, |id| {
            if !self.ids.contains(&id) {
                self.ids.push(id);
            }
        });
    }
}

#[cfg(test)]
mod tests;
