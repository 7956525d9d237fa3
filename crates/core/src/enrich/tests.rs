use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::event::{Code, NearestTown};
use crate::geometry::{Point, Polygon};

/// A world of two counties in Texas, one in Oklahoma and one water.
#[derive(Debug, Default)]
struct Fake {
    shapes: Vec<(&'static str, Arc<Shape>)>,
    located: AtomicUsize,
}

fn square(west: f64, south: f64) -> Geometry {
    let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
    let exterior = corners.map(|(lon, lat)| Point::new(west + lon, south + lat)).to_vec();
    Geometry::Polygon(Polygon { exterior, holes: Vec::new() })
}

fn named(country: &str, region: &str) -> Place {
    let regions = if region.is_empty() { Vec::new() } else { vec![region.to_owned()] };
    Place { countries: vec![country.to_owned()], regions, ..Place::default() }
}

impl Fake {
    fn new() -> Self {
        let shape = |west, place| Arc::new(Shape { geometry: square(west, 32.0), place });
        let dallas = shape(-97.0, named("US", "US-TX"));
        let shapes = vec![
            ("SAME 048113", Arc::clone(&dallas)),
            ("UGC TXC113", dallas),
            ("SAME 048439", shape(-98.0, named("US", "US-TX"))),
            ("SAME 040109", shape(-99.0, named("US", "US-OK"))),
            ("UGC GMZ335", shape(-94.0, named("US", ""))),
        ];
        Self { shapes, located: AtomicUsize::new(0) }
    }
}

impl Gazetteer for Fake {
    fn locate(&self, geometry: &Geometry) -> Place {
        self.located.fetch_add(1, Ordering::Relaxed);
        let Some(middle) = middle(geometry) else { return Place::default() };
        let nearest = NearestTown { name: "Dallas".to_owned(), distance_km: middle.lon.abs(), bearing_deg: 90.0 };
        Place { nearest: Some(nearest), timezone: Some("America/Chicago".to_owned()), ..named("US", "US-TX") }
    }

    fn shape(&self, code: &Code) -> Option<Arc<Shape>> {
        let key = format!("{} {}", code.scheme, code.value);
        self.shapes.iter().find(|(name, _)| *name == key).map(|(_, shape)| Arc::clone(shape))
    }

    fn region(&self, code: &Code) -> Option<Place> {
        match (code.scheme.as_str(), code.value.get(..2)?) {
            ("UGC", "TX") | ("SAME", "04") => Some(named("US", "US-TX")),
            ("UGC", "LA") => Some(named("US", "US-LA")),
            ("EMMA_ID", country) => Some(named(country, "")),
            _ => None,
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

fn segment(codes: &[&str]) -> Segment {
    let codes = codes.iter().filter_map(|code| code.split_once(' ')).map(|(scheme, value)| Code::new(scheme, value));
    Segment { areas: vec![Area { codes: codes.collect(), ..Area::default() }], ..Segment::default() }
}

fn placed(mut segment: Segment, issuer_country: Option<&str>) -> Segment {
    place(&mut segment, issuer_country, &Fake::new(), &mut Cache::default());
    segment
}

fn regions(segment: &Segment) -> String {
    let place = segment.place.as_ref().expect("it is placed");
    [&place.countries[..], &place.regions[..]].concat().join(" ")
}

/// Checks precision, number of shapes and regions for a list of codes.
fn check(codes: &[&str], precision: PlacePrecision, parts: usize, expected: &str) {
    let segment = placed(segment(codes), Some("MX"));
    assert_eq!(segment.place_precision, precision, "{codes:?}");
    assert_eq!(segment.geometry.as_ref().map_or(0, |geometry| geometry.parts().len()), parts, "{codes:?}");
    assert_eq!(segment.geometry_origin == GeometryOrigin::Geocode, parts > 0, "{codes:?}");
    assert_eq!(regions(&segment), expected, "{codes:?}");
}

#[test]
fn codes_with_shapes_place_by_code() {
    use PlacePrecision::Code;
    check(&["SAME 048113"], Code, 1, "US US-TX");
    check(&["SAME 048113", "UGC TXC113", "SAME 048113"], Code, 1, "US US-TX");
    check(&["SAME 048113", "SAME 040109"], Code, 2, "US US-TX US-OK");
    check(&["UGC GMZ335"], Code, 1, "US");
}

#[test]
fn zones_are_covered_by_counties_of_their_state() {
    check(&["UGC TXZ118", "SAME 048113"], PlacePrecision::Code, 1, "US US-TX");
    check(&["UGC TXZ118", "UGC LAZ001", "SAME 048113"], PlacePrecision::Code, 1, "US US-TX US-LA");
}

#[test]
fn codes_without_shapes_place_by_region_else_by_country() {
    check(&["UGC TXZ118"], PlacePrecision::Region, 0, "US US-TX");
    check(&["UGC TXZ118", "UGC LAZ001", "EMMA_ID DE001"], PlacePrecision::Region, 0, "US DE US-TX US-LA");
    check(&["EMMA_ID DE001", "EMMA_ID AT002"], PlacePrecision::Country, 0, "DE AT");
}

#[test]
fn unknown_codes_fall_back_to_the_national_issuer() {
    check(&["LGD 567"], PlacePrecision::Country, 0, "MX");
    check(&[], PlacePrecision::Country, 0, "MX");
    let nowhere = placed(segment(&["LGD 567"]), None);
    assert_eq!((nowhere.place_precision, nowhere.place, nowhere.geometry), (PlacePrecision::None, None, None));
}

#[test]
fn an_own_shape_goes_before_codes() {
    let own = |geometry| placed(Segment { geometry: Some(geometry), ..segment(&["SAME 040109"]) }, None);
    let point = own(Geometry::Point(Point::new(-97.0, 32.0)));
    assert_eq!((point.place_precision, point.geometry_origin), (PlacePrecision::Exact, GeometryOrigin::Point));
    assert_eq!(regions(&point), "US US-TX");
    assert_eq!(own(square(0.0, 0.0)).geometry_origin, GeometryOrigin::Exact);
    // Placing twice changes nothing: what came from codes stays so.
    let once = placed(segment(&["SAME 048113"]), None);
    assert_eq!(placed(once.clone(), None).place_precision, PlacePrecision::Code);
}

#[test]
fn a_repeated_shape_is_located_once() {
    let (gazetteer, mut cache) = (Fake::new(), Cache::default());
    for west in [0.0, 0.0, 5.0, -0.0] {
        let mut segment = Segment { geometry: Some(square(west, 0.0)), ..Segment::default() };
        place(&mut segment, None, &gazetteer, &mut cache);
        assert!(segment.place.is_some());
    }
    assert_eq!(gazetteer.located.load(Ordering::Relaxed), 2);
}

#[test]
fn a_summary_is_as_coarse_as_its_coarsest_part() {
    let exact = placed(Segment { geometry: Some(square(-97.0, 32.0)), ..Segment::default() }, None);
    let both = placed(segment(&["SAME 048113", "SAME 040109"]), None);
    let region = placed(segment(&["UGC LAZ001"]), None);
    let unplaced = placed(segment(&[]), None);

    let alone = summarize_place(std::slice::from_ref(&exact));
    assert_eq!((&alone.geometry, &alone.place), (&exact.geometry, &exact.place));
    assert_eq!(alone.bbox, Some(BoundingBox([-97.0, 32.0, -96.0, 33.0])));

    // The shape of the first is also a part of the second.
    let summary = summarize_place(&[unplaced.clone(), exact, both, region]);
    assert_eq!(summary.geometry.map(|geometry| geometry.parts().len()), Some(2));
    assert_eq!(summary.geometry_origin, GeometryOrigin::Exact);
    assert_eq!(summary.place_precision, PlacePrecision::Region);
    let place = summary.place.expect("it is placed");
    assert_eq!(place.regions, ["US-TX", "US-OK", "US-LA"]);
    assert_eq!(place.timezone.as_deref(), Some("America/Chicago"));

    let nothing = summarize_place(&[unplaced]);
    assert_eq!((nothing.place_precision, nothing.place, nothing.bbox), (PlacePrecision::None, None, None));
}
