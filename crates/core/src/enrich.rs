//! Places segments: which shape their area codes stand for, how closely that tells where they
//! are, and where that lies in words.

mod cache;
mod extent;
mod middle;

pub use cache::Cache;
pub use extent::bbox;
pub use middle::middle;

use std::collections::HashSet;
use std::sync::Arc;

use crate::event::{Area, Event, Place, Segment};
use crate::geometry::{BoundingBox, Geometry};
use crate::port::{Gazetteer, Shape};
use crate::vocabulary::{GeometryOrigin, PlacePrecision};

/// Places one segment by the first of these that says anything: its own shape; the union of the
/// shapes of its codes; the regions that its codes name; `issuer_country`, the ISO 3166-1 alpha-2
/// code of an issuer that is a national authority. Sets `geometry`, `geometry_origin`,
/// `place_precision` and `place`.
pub fn place(segment: &mut Segment, issuer_country: Option<&str>, gazetteer: &dyn Gazetteer, cache: &mut Cache) {
    if let Some(geometry) = &segment.geometry {
        segment.place = Some(cache.locate(geometry, gazetteer));
        if segment.geometry_origin == GeometryOrigin::None {
            segment.geometry_origin = origin_of(geometry);
        }
        segment.place_precision = match segment.geometry_origin {
            GeometryOrigin::Geocode => PlacePrecision::Code,
            _ => PlacePrecision::Exact,
        };
        return;
    }
    segment.geometry_origin = GeometryOrigin::None;
    let named = Named::look_up(&segment.areas, gazetteer);
    if let Some((geometry, place)) = named.union(gazetteer) {
        segment.geometry = Some(geometry);
        segment.geometry_origin = GeometryOrigin::Geocode;
        segment.place_precision = PlacePrecision::Code;
        segment.place = Some(place);
    } else if let Some(place) = named.regions() {
        segment.place_precision =
            if place.regions.is_empty() { PlacePrecision::Country } else { PlacePrecision::Region };
        segment.place = Some(place);
    } else if let Some(country) = issuer_country {
        segment.place_precision = PlacePrecision::Country;
        segment.place = Some(Place { countries: vec![country.to_owned()], ..Place::default() });
    } else {
        segment.place_precision = PlacePrecision::None;
        segment.place = None;
    }
}

const fn origin_of(geometry: &Geometry) -> GeometryOrigin {
    match geometry {
        Geometry::Point(_) => GeometryOrigin::Point,
        Geometry::Circle { .. } => GeometryOrigin::Circle,
        _ => GeometryOrigin::Exact,
    }
}

/// What the codes of a segment stand for.
#[derive(Default)]
struct Named {
    /// Each shape once, though several codes name it (`SAME` 048113 and `UGC` TXC113).
    shapes: Vec<Arc<Shape>>,
    /// Places of codes without a shape, in no shape's region.
    loose: Vec<Place>,
}

impl Named {
    /// A code without a shape counts as covered where a shape lies in its region: the zones (UGC
    /// form Z) of a message are covered by its `SAME` counties. What is not covered adds its region
    /// to the place and leaves the precision, so that one renumbered zone does not blur the others.
    fn look_up(areas: &[Area], gazetteer: &dyn Gazetteer) -> Self {
        let mut found = Self::default();
        let mut seen_codes = HashSet::new();
        let mut seen_shapes = HashSet::new();
        for code in areas.iter().flat_map(|area| &area.codes) {
            if !seen_codes.insert(code) {
                continue;
            }
            if let Some(shape) = gazetteer.shape(code) {
                if seen_shapes.insert(Arc::as_ptr(&shape)) {
                    found.shapes.push(shape);
                }
            } else if let Some(place) = gazetteer.region(code)
                && !found.loose.contains(&place)
            {
                found.loose.push(place);
            }
        }
        let shapes = std::mem::take(&mut found.shapes);
        found.loose.retain(|place| !shapes.iter().any(|shape| covers(&shape.place, place)));
        found.shapes = shapes;
        found
    }

    fn union(&self, gazetteer: &dyn Gazetteer) -> Option<(Geometry, Place)> {
        if let ([shape], []) = (&self.shapes[..], &self.loose[..]) {
            return Some((shape.geometry.clone(), shape.place.clone()));
        }
        let geometry = Geometry::union(self.shapes.iter().map(|shape| shape.geometry.clone()).collect())?;
        let middle = middle(&geometry).map(|point| gazetteer.locate(&Geometry::Point(point)));
        let (nearest, timezone) = middle.map(|place| (place.nearest, place.timezone)).unwrap_or_default();
        let shaped = self.shapes.iter().map(|shape| &shape.place);
        let (countries, regions) = join(shaped.chain(&self.loose));
        Some((geometry, Place { countries, regions, nearest, timezone }))
    }

    fn regions(&self) -> Option<Place> {
        let (countries, regions) = join(self.loose.iter());
        let is_known = !countries.is_empty() || !regions.is_empty();
        is_known.then_some(Place { countries, regions, nearest: None, timezone: None })
    }
}

fn covers(shape: &Place, named: &Place) -> bool {
    match &named.regions[..] {
        [] => named.countries.iter().all(|country| shape.countries.contains(country)),
        regions => regions.iter().all(|region| shape.regions.contains(region)),
    }
}

/// Countries and regions of several places, each once, in order of appearance.
fn join<'a>(places: impl Iterator<Item = &'a Place>) -> (Vec<String>, Vec<String>) {
    let (mut countries, mut regions) = (Vec::new(), Vec::new());
    for place in places {
        for (all, some) in [(&mut countries, &place.countries), (&mut regions, &place.regions)] {
            for code in some {
                if !all.contains(code) {
                    all.push(code.clone());
                }
            }
        }
    }
    (countries, regions)
}

/// Places every segment of an event and sums them up; an event of one segment is that segment.
pub fn place_event(event: &mut Event, issuer_country: Option<&str>, gazetteer: &dyn Gazetteer, cache: &mut Cache) {
    if event.segments.is_empty() {
        let mut only = Segment {
            areas: std::mem::take(&mut event.areas),
            geometry: event.geometry.take(),
            geometry_origin: event.geometry_origin,
            ..Segment::default()
        };
        place(&mut only, issuer_country, gazetteer, cache);
        event.bbox = only.geometry.as_ref().and_then(bbox);
        event.areas = only.areas;
        event.geometry = only.geometry;
        event.geometry_origin = only.geometry_origin;
        event.place_precision = only.place_precision;
        event.place = only.place;
        return;
    }
    for segment in &mut event.segments {
        place(segment, issuer_country, gazetteer, cache);
    }
    let summary = summarize_place(&event.segments);
    event.geometry = summary.geometry;
    event.geometry_origin = summary.geometry_origin;
    event.bbox = summary.bbox;
    event.place_precision = summary.place_precision;
    event.place = summary.place;
}

/// Where all segments of an event lie, for its top-level fields.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceSummary {
    /// The union of the shapes, each part once.
    pub geometry: Option<Geometry>,
    /// Where the first shape came from.
    pub geometry_origin: GeometryOrigin,
    /// Bounds of the union.
    pub bbox: Option<BoundingBox>,
    /// The coarsest of those that are placed at all: the union is no better than its worst part.
    pub place_precision: PlacePrecision,
    /// All countries and regions; town and time zone of the first segment that has them.
    pub place: Option<Place>,
}

/// Sums up where placed segments lie; give them worst first, as the event's other summaries are.
pub fn summarize_place(segments: &[Segment]) -> PlaceSummary {
    let parts = segments.iter().filter_map(|segment| segment.geometry.as_ref()).flat_map(Geometry::parts);
    let mut seen = HashSet::new();
    let distinct = parts.filter(|part| seen.insert(cache::Bits(part))).cloned().collect();
    let geometry = Geometry::union(distinct);

    let mut placed = segments.iter().filter_map(|segment| segment.place.as_ref()).peekable();
    let place = placed.peek().is_some().then(|| {
        let (countries, regions) = join(segments.iter().filter_map(|segment| segment.place.as_ref()));
        let (mut nearest, mut timezone) = (None, None);
        for place in placed {
            nearest = nearest.or_else(|| place.nearest.clone());
            timezone = timezone.or_else(|| place.timezone.clone());
        }
        Place { countries, regions, nearest, timezone }
    });

    let origins = segments.iter().map(|segment| segment.geometry_origin);
    let precisions = segments.iter().map(|segment| segment.place_precision);
    PlaceSummary {
        bbox: geometry.as_ref().and_then(bbox),
        geometry,
        geometry_origin: origins
            .into_iter()
            .find(|origin| *origin != GeometryOrigin::None)
            .unwrap_or(GeometryOrigin::None),
        place_precision: precisions.filter(|one| *one != PlacePrecision::None).max().unwrap_or(PlacePrecision::None),
        place,
    }
}

#[cfg(test)]
mod tests;
