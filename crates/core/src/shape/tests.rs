use proptest::prelude::*;

use super::*;

fn ring(pairs: &[(f64, f64)]) -> Ring {
    pairs.iter().map(|(lon, lat)| Point::new(*lon, *lat)).collect()
}

fn build(pairs: &[(f64, f64)]) -> (Option<Geometry>, Vec<String>) {
    let mut warnings = Vec::new();
    let shape = polygon(vec![ring(pairs)], "/geometry", &mut warnings, false).expect("lenient");
    (shape, warnings.into_iter().map(|warning| warning.code).collect())
}

fn polygons(shape: &Geometry) -> Vec<&Polygon> {
    shape.parts().iter().filter_map(|part| if let Geometry::Polygon(area) = part { Some(area) } else { None }).collect()
}

/// Square degrees: bounds less holes.
fn extent(shape: &Geometry) -> f64 {
    let rings = polygons(shape).into_iter().flat_map(|area| std::iter::once(&area.exterior).chain(&area.holes));
    rings.map(|ring| ring::doubled_area(ring) / 2.0).sum()
}

fn assert_sound(shape: &Geometry) {
    for area in polygons(shape) {
        assert!(ring::doubled_area(&area.exterior) > 0.0, "a bound is counter-clockwise");
        for ring in std::iter::once(&area.exterior).chain(&area.holes) {
            assert_eq!(ring.first(), ring.last());
            assert!(ring.iter().all(|point| point.is_on_earth()), "{ring:?}");
        }
        for hole in &area.holes {
            assert!(ring::doubled_area(hole) < 0.0, "a hole is clockwise");
        }
    }
}

/// What a ring becomes: how many parts, how many square degrees, which warnings.
fn check(pairs: &[(f64, f64)], parts: usize, square_degrees: f64, warnings: &[&str]) {
    let (shape, found) = build(pairs);
    let shape = shape.expect("a shape");
    assert_sound(&shape);
    assert_eq!(found, warnings, "{pairs:?}");
    assert_eq!(shape.parts().len(), parts, "{shape:?}");
    assert!((extent(&shape) - square_degrees).abs() < 1e-6, "{} square degrees in {shape:?}", extent(&shape));
}

#[test]
fn keeps_and_repairs_plain_rings() {
    check(&[(0., 0.), (2., 0.), (2., 2.), (0., 2.), (0., 0.)], 1, 4., &[]);
    check(&[(0., 0.), (0., 2.), (2., 2.), (2., 0.), (0., 0.)], 1, 4., &[]);
    check(&[(0., 0.), (2., 0.), (2., 2.), (0., 2.)], 1, 4., &["ring_closed"]);
    check(&[(0., 0.), (2., 0.), (2., 0.), (2., 2.), (0., 2.), (0., 0.), (0., 0.)], 1, 4., &["points_repeated"]);
}

#[test]
fn a_ring_that_crosses_itself_is_kept_with_a_warning() {
    let (shape, warnings) = build(&[(0., 0.), (3., 2.), (3., 0.), (0., 1.), (0., 0.)]);
    assert!(shape.is_some());
    assert_eq!(warnings, ["ring_self_crossing"]);
}

#[test]
fn what_crosses_the_antimeridian_is_cut() {
    let split = &["antimeridian_split"];
    check(&[(179., 0.), (-179., 0.), (-179., 1.), (179., 1.), (179., 0.)], 2, 2., split);
    check(&[(179., 0.), (181., 0.), (181., 1.), (179., 1.), (179., 0.)], 2, 2., split);
    check(&[(-180.5, 0.), (-179., 0.), (-179., 1.), (-180.5, 1.), (-180.5, 0.)], 2, 1.5, split);
    check(&[(190., 0.), (192., 0.), (192., 1.), (190., 1.), (190., 0.)], 1, 2., &["longitude_wrapped"]);
    // A comb: two teeth reach over, so there are three parts.
    let comb =
        [(170., 0.), (182., 0.), (182., 1.), (175., 1.), (175., 2.), (182., 2.), (182., 3.), (170., 3.), (170., 0.)];
    check(&comb, 3, 29., split);
    // Both signs of the same meridian, as one zone list writes it.
    check(&[(179., 0.), (180., 0.), (-180., 0.), (-179., 0.), (-179., 1.), (179., 1.), (179., 0.)], 2, 2., split);
    // Along the antimeridian but not over it.
    check(&[(179., 0.), (180., 0.), (180., 1.), (179., 1.), (179., 0.)], 1, 1., &[]);
    check(&[(-180., -90.), (180., -90.), (180., 90.), (-180., 90.), (-180., -90.)], 1, 64_800., &[]);
}

#[test]
fn a_ring_around_a_pole_holds_it() {
    let warned = &["ring_around_pole", "antimeridian_split"];
    check(&[(-120., 60.), (0., 60.), (120., 60.), (-120., 60.)], 2, 10_800., warned);
    check(&[(120., -70.), (0., -60.), (-120., -50.), (120., -70.)], 2, 10_800., warned);
}

#[test]
fn holes_follow_their_polygon_over_the_antimeridian() {
    let mut warnings = Vec::new();
    let bound = ring(&[(170., 0.), (-170., 0.), (-170., 10.), (170., 10.), (170., 0.)]);
    let over = ring(&[(178., 2.), (-178., 2.), (-178., 4.), (178., 4.), (178., 2.)]);
    let east = ring(&[(-175., 6.), (-174., 6.), (-174., 7.), (-175., 7.), (-175., 6.)]);
    let shape = polygon(vec![bound, over, east], "/geometry", &mut warnings, true).expect("repaired").expect("kept");
    assert_sound(&shape);
    assert_eq!(shape.parts().len(), 2);
    assert!((extent(&shape) - (200. - 8. - 1.)).abs() < 1e-9, "{}", extent(&shape));
}

#[test]
fn refuses_or_drops_what_is_no_shape() {
    for points in [
        vec![],
        ring(&[(0., 0.)]),
        ring(&[(0., 0.), (1., 1.), (0., 0.)]),
        ring(&[(0., 0.), (1., 1.), (2., 2.), (0., 0.)]),
        ring(&[(0., 0.), (f64::NAN, 1.), (2., 3.), (0., 0.)]),
        ring(&[(0., 0.), (1., 91.), (2., 3.), (0., 0.)]),
        ring(&[(0., 0.), (361., 9.), (2., 3.), (0., 0.)]),
    ] {
        let mut warnings = Vec::new();
        assert!(polygon(vec![points.clone()], "", &mut warnings, true).is_err(), "{points:?}");
        assert_eq!(polygon(vec![points], "", &mut warnings, false), Ok(None));
        assert_eq!(warnings.last().map(|warning| warning.code.as_str()), Some("shape_dropped"));
    }
}

#[test]
fn circles_and_points() {
    let mut warnings = Vec::new();
    let mut made = |lon: f64, radius: f64| circle(Point::new(lon, 10.), radius, "", &mut warnings, true).ok().flatten();
    assert_eq!(made(10., 0.), Some(Geometry::Point(Point::new(10., 10.))));
    assert_eq!(made(190., 5.), Some(Geometry::Circle { center: Point::new(-170., 10.), radius_km: 5. }));
    assert_eq!(made(10., -1.), None);
    assert_eq!(made(10., f64::NAN), None);
    assert_eq!(made(400., 1.), None);
}

#[test]
fn lines_are_cut_too() {
    let mut warnings = Vec::new();
    let path = Geometry::Line(ring(&[(179., 0.), (-179., 2.), (-178., 2.)]));
    let shape = repair(path, "", &mut warnings, true).expect("fine").expect("kept");
    let west = Geometry::Line(ring(&[(179., 0.), (180., 1.)]));
    let east = Geometry::Line(ring(&[(-180., 1.), (-179., 2.), (-178., 2.)]));
    assert_eq!(shape, Geometry::Many(vec![west, east]));
}

/// A star: a ring around a center, of random radii, so never crossing itself.
fn star() -> impl Strategy<Value = (f64, f64, Vec<f64>)> {
    (-180.0..180.0, -40.0..40.0, proptest::collection::vec(1.0..45.0, 3..40))
}

proptest! {
    #[test]
    fn cutting_keeps_the_extent((lon, lat, radii) in star(), clockwise: bool, wrapped: bool) {
        let count = radii.len() as f64;
        let mut whole: Ring = radii.iter().enumerate().map(|(index, radius)| {
            let (sin, cos) = (index as f64 / count * std::f64::consts::TAU).sin_cos();
            Point::new(lon + radius * cos, lat + radius * sin)
        }).collect();
        whole.extend(whole.first().copied());
        if clockwise { whole.reverse(); }
        let expected = (ring::doubled_area(&whole) / 2.0).abs();
        let written: Ring = whole.iter()
            .map(|point| if wrapped { Point::new(split::wrap(point.lon), point.lat) } else { *point }).collect();
        let mut warnings = Vec::new();
        let shape = polygon(vec![written], "", &mut warnings, true).expect("sound").expect("kept");
        assert_sound(&shape);
        prop_assert!((extent(&shape) - expected).abs() < 1e-6 * expected, "{} of {expected}", extent(&shape));
        for area in polygons(&shape) {
            for edge in area.exterior.windows(2) {
                prop_assert!((edge[1].lon - edge[0].lon).abs() <= 180.0);
            }
        }
    }

    #[test]
    fn any_numbers_are_answered(points in proptest::collection::vec((-400.0..400.0_f64, -95.0..95.0_f64), 0..12), grid: bool) {
        let snap = |degrees: f64| if grid { (degrees / 60.0).round() * 60.0 } else { degrees };
        let points: Ring = points.into_iter().map(|(lon, lat)| Point::new(snap(lon), snap(lat).clamp(-90.0, 95.0))).collect();
        let holes = vec![points.iter().rev().copied().take(5).collect()];
        let rings = std::iter::once(points).chain(holes).collect();
        if let Some(shape) = polygon(rings, "", &mut Vec::new(), false).expect("lenient") {
            for area in polygons(&shape) {
                prop_assert!(area.exterior.iter().all(|point| point.is_on_earth()));
            }
        }
    }
}
