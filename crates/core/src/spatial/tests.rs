use geo::{Distance, Geodesic, Intersects};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::geometry::{BoundingBox, Polygon};

/// A ring around a center that does not cross itself, clamped to the globe.
fn star(rng: &mut StdRng, center: Point, degrees: f64, corners: usize) -> Vec<Point> {
    let mut ring: Vec<Point> = (0..corners)
        .map(|corner| {
            let angle = std::f64::consts::TAU * corner as f64 / corners as f64;
            let reach = degrees * rng.random_range(0.3..1.0);
            let (lon, lat) = (center.lon + reach * angle.cos(), center.lat + reach * angle.sin());
            Point::new(lon.clamp(-180.0, 180.0), lat.clamp(-90.0, 90.0))
        })
        .collect();
    ring.push(ring[0]);
    ring
}

fn polygon(rng: &mut StdRng, center: Point, degrees: f64, corners: usize) -> Geometry {
    let exterior = star(rng, center, degrees, corners);
    let hole = star(rng, center, degrees * 0.2, 5);
    let holes = if rng.random_bool(0.5) { vec![hole] } else { Vec::new() };
    Geometry::Polygon(Polygon { exterior, holes })
}

fn any_point(rng: &mut StdRng, spread: f64) -> Point {
    Point::new(rng.random_range(-spread..spread), rng.random_range(-spread / 2.0..spread / 2.0))
}

fn any_shape(rng: &mut StdRng, spread: f64) -> Geometry {
    let center = any_point(rng, spread);
    match rng.random_range(0..5) {
        0 => Geometry::Point(center),
        1 => Geometry::Line((0..4).map(|_| any_point(rng, spread)).collect()),
        2 => Geometry::Many(vec![polygon(rng, center, 2.0, 8), Geometry::Point(any_point(rng, spread))]),
        3 => polygon(rng, center, 8.0, 300),
        _ => polygon(rng, center, 4.0, 12),
    }
}

/// The same shape for the `geo` crate, whose predicates look at every edge.
fn to_geo(shape: &Geometry) -> geo::Geometry<f64> {
    let line = |points: &[Point]| geo::LineString::from_iter(points.iter().map(|point| (point.lon, point.lat)));
    match shape {
        Geometry::Point(point) => geo::Point::new(point.lon, point.lat).into(),
        Geometry::Line(points) => line(points).into(),
        Geometry::Polygon(polygon) => {
            geo::Polygon::new(line(&polygon.exterior), polygon.holes.iter().map(|hole| line(hole)).collect()).into()
        }
        Geometry::Many(parts) => {
            geo::Geometry::GeometryCollection(geo::GeometryCollection::from_iter(parts.iter().map(to_geo)))
        }
        Geometry::Circle { .. } => unreachable!("no circles are compared with planar shapes"),
    }
}

#[test]
fn shapes_meet_as_a_loop_over_all_edges_says() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut met = 0;
    for _ in 0..3_000 {
        let (one, two) = (any_shape(&mut rng, 20.0), any_shape(&mut rng, 20.0));
        let expected = to_geo(&one).intersects(&to_geo(&two));
        assert_eq!(intersects(&one, &two), expected, "{one:?}\n{two:?}");
        assert_eq!(intersects(&two, &one), expected, "{two:?}\n{one:?}");
        met += usize::from(expected);
    }
    assert!((300..2_700).contains(&met), "{met} of 3,000 met");
}

#[test]
fn boxes_meet_shapes_as_polygons_do() {
    let mut rng = StdRng::seed_from_u64(2);
    for _ in 0..2_000 {
        let shape = any_shape(&mut rng, 20.0);
        let (one, two) = (any_point(&mut rng, 20.0), any_point(&mut rng, 20.0));
        let bounds = [one.lon.min(two.lon), one.lat.min(two.lat), one.lon.max(two.lon), one.lat.max(two.lat)];
        let rect = geo::Rect::new((bounds[0], bounds[1]), (bounds[2], bounds[3])).to_polygon();
        let expected = to_geo(&shape).intersects(&rect);
        assert_eq!(Prepared::new(&shape).intersects_box(&BoundingBox(bounds)), expected, "{shape:?} {bounds:?}");
    }
}

/// The least of many geodesic distances along each edge, and how far it may be from the true one.
fn sampled_km(rings: &[&[Point]], center: Point, samples: usize) -> f64 {
    let edges = rings.iter().flat_map(|ring| ring.windows(2));
    let along = edges.flat_map(|edge| {
        let (from, to) = (edge[0], edge[1]);
        (0..=samples).map(move |step| {
            let share = step as f64 / samples as f64;
            Point::new(from.lon + (to.lon - from.lon) * share, from.lat + (to.lat - from.lat) * share)
        })
    });
    along.map(|point| geodesic_km(point, center)).fold(f64::INFINITY, f64::min)
}

fn check_distance(line: &[Point], center: Point) {
    let sampled = sampled_km(&[line], center, 2_000);
    let shape = Prepared::new(&Geometry::Line(line.to_vec()));
    let found = shape.distance_km(center);
    assert!(found <= sampled + 1e-6, "{line:?} from {center:?}: {found} > {sampled}");
    let degrees = |edge: &[Point]| (edge[0].lon - edge[1].lon).hypot(edge[0].lat - edge[1].lat);
    let step_km = line.windows(2).map(degrees).fold(0.0, f64::max) * 111.7 / 2_000.0;
    assert!(found >= sampled - step_km - 1e-6, "{line:?} from {center:?}: {found} < {sampled}");
    let slack = 1e-6 + found * 1e-9;
    assert!(shape.within_distance(center, found + slack), "{line:?} from {center:?}: not within {found}");
    assert!(!shape.within_distance(center, found - slack), "{line:?} from {center:?}: within less than {found}");
}

#[test]
fn distances_to_edges_are_the_least_of_many_samples() {
    let mut rng = StdRng::seed_from_u64(3);
    for round in 0..300 {
        let center = any_point(&mut rng, 180.0);
        let near = |rng: &mut StdRng, degrees: f64| {
            let lon = (center.lon + rng.random_range(-degrees..degrees)).clamp(-180.0, 180.0);
            Point::new(lon, (center.lat + rng.random_range(-degrees..degrees)).clamp(-90.0, 90.0))
        };
        let degrees = [0.01, 0.5, 5.0, 60.0][round % 4];
        let line = [near(&mut rng, degrees), near(&mut rng, degrees)];
        check_distance(&line, center);
    }
}

#[test]
fn distances_at_the_seams_of_the_map() {
    let line = |points: [(f64, f64); 2]| points.map(|(lon, lat)| Point::new(lon, lat));
    check_distance(&line([(179.0, 10.0), (179.5, 11.0)]), Point::new(-179.5, 10.0));
    check_distance(&line([(-180.0, 80.0), (180.0, 80.0)]), Point::new(33.0, 89.0));
    check_distance(&line([(-180.0, 89.9), (180.0, 89.9)]), Point::new(0.0, 90.0));
    check_distance(&line([(0.0, 89.0), (170.0, 89.9)]), Point::new(-120.0, 89.5));
    check_distance(&line([(-90.0, 90.0), (90.0, 90.0)]), Point::new(10.0, 85.0));
    check_distance(&line([(-170.0, -60.0), (170.0, -60.0)]), Point::new(0.0, 20.0));
    check_distance(&line([(10.0, 50.0), (10.0, 50.0)]), Point::new(10.0, 50.5));
}

fn check_meet(one: &Geometry, two: &Geometry, expected: bool) {
    assert_eq!(intersects(one, two), expected, "{one:?} {two:?}");
    assert_eq!(intersects(two, one), expected, "{two:?} {one:?}");
}

fn rectangle([west, south, east, north]: [f64; 4]) -> Geometry {
    let ring = [(west, south), (east, south), (east, north), (west, north), (west, south)];
    let exterior = ring.map(|(lon, lat)| Point::new(lon, lat)).to_vec();
    Geometry::Polygon(Polygon { exterior, holes: Vec::new() })
}

#[test]
fn the_antimeridian_is_one_line_and_a_pole_one_point() {
    let at = |lon, lat| Geometry::Point(Point::new(lon, lat));
    check_meet(&at(180.0, 5.0), &at(-180.0, 5.0), true);
    check_meet(&at(180.0, 5.0), &at(-180.0, 6.0), false);
    check_meet(&at(180.0, 5.0), &rectangle([-180.0, 0.0, -170.0, 10.0]), true);
    check_meet(&rectangle([170.0, 0.0, 180.0, 10.0]), &rectangle([-180.0, 10.0, -170.0, 20.0]), true);
    check_meet(&rectangle([170.0, 0.0, 180.0, 10.0]), &rectangle([-180.0, 10.1, -170.0, 20.0]), false);
    check_meet(&rectangle([170.0, 0.0, 179.9, 10.0]), &rectangle([-180.0, 0.0, -170.0, 10.0]), false);
    check_meet(&at(0.0, 90.0), &at(77.0, 90.0), true);
    check_meet(&at(0.0, 90.0), &rectangle([100.0, 80.0, 120.0, 90.0]), true);
    check_meet(&at(0.0, -90.0), &rectangle([100.0, 80.0, 120.0, 90.0]), false);
    let in_box = |shape: &Geometry, bounds| Prepared::new(shape).intersects_box(&BoundingBox(bounds));
    assert!(in_box(&at(-175.0, 0.0), [170.0, -10.0, -170.0, 10.0]));
    assert!(in_box(&at(180.0, 0.0), [-180.0, -10.0, -170.0, 10.0]));
    assert!(!in_box(&at(0.0, 0.0), [170.0, -10.0, -170.0, 10.0]));
    assert!(in_box(&at(12.0, 90.0), [100.0, 80.0, 120.0, 90.0]));
    assert!(in_box(&rectangle([0.0, 0.0, 9.0, 9.0]), [1.0, 1.0, 2.0, 2.0]));
    assert!(in_box(&rectangle([1.0, 1.0, 2.0, 2.0]), [0.0, 0.0, 9.0, 9.0]));
}

#[test]
fn circles_reach_across_seams_and_into_shapes() {
    let circle = |lon, lat, radius_km| Geometry::Circle { center: Point::new(lon, lat), radius_km };
    let apart_km = geodesic_km(Point::new(179.5, 0.0), Point::new(-179.5, 0.0));
    check_meet(&circle(179.5, 0.0, apart_km / 2.0 + 0.001), &circle(-179.5, 0.0, apart_km / 2.0), true);
    check_meet(&circle(179.5, 0.0, apart_km / 2.0 - 0.001), &circle(-179.5, 0.0, apart_km / 2.0), false);
    check_meet(&circle(179.9, 0.0, 30.0), &rectangle([-180.0, -5.0, -179.8, 5.0]), true);
    check_meet(&circle(179.5, 0.0, 30.0), &rectangle([-179.9, -5.0, -179.0, 5.0]), false);
    check_meet(&circle(0.0, 89.5, 100.0), &rectangle([170.0, 89.8, 179.0, 89.9]), true);
    check_meet(&circle(5.0, 5.0, 1.0), &rectangle([0.0, 0.0, 10.0, 10.0]), true);
    let in_box = |shape: &Geometry, bounds| Prepared::new(shape).intersects_box(&BoundingBox(bounds));
    assert!(in_box(&circle(-169.9, 0.0, 20.0), [170.0, -1.0, -170.0, 1.0]));
    assert!(!in_box(&circle(-169.5, 0.0, 20.0), [170.0, -1.0, -170.0, 1.0]));
    assert!(within_distance(&rectangle([10.0, 10.0, 11.0, 11.0]), Point::new(10.5, 12.0), 111.0));
    assert!(!within_distance(&rectangle([10.0, 10.0, 11.0, 11.0]), Point::new(10.5, 12.0), 110.0));
}

#[test]
fn a_hole_is_outside_and_its_bound_inside() {
    let Geometry::Polygon(mut frame) = rectangle([0.0, 0.0, 10.0, 10.0]) else { unreachable!("it is one") };
    let Geometry::Polygon(hole) = rectangle([4.0, 4.0, 6.0, 6.0]) else { unreachable!("it is one") };
    frame.holes.push(hole.exterior);
    let frame = Geometry::Polygon(frame);
    check_meet(&frame, &Geometry::Point(Point::new(5.0, 5.0)), false);
    check_meet(&frame, &Geometry::Point(Point::new(4.0, 5.0)), true);
    check_meet(&frame, &rectangle([4.5, 4.5, 5.5, 5.5]), false);
    check_meet(&frame, &rectangle([4.5, 4.5, 6.0, 5.5]), true);
    let to_rim = Geodesic.distance(geo::Point::new(5.0, 5.0), geo::Point::new(5.0, 4.0)) / 1_000.0;
    assert!((Prepared::new(&frame).distance_km(Point::new(5.0, 5.0)) - to_rim).abs() < 0.5);
}

#[test]
fn bounds_of_a_circle_hold_it() {
    let mut rng = StdRng::seed_from_u64(4);
    for _ in 0..2_000 {
        let center = Point::new(rng.random_range(-180.0..180.0), rng.random_range(-90.0..90.0));
        let radius_km = 10_f64.powf(rng.random_range(-1.0..4.2));
        let BoundingBox([west, south, east, north]) = circle_bounds(center, radius_km);
        for _ in 0..20 {
            let reach = radius_km / 111.0;
            let lat = (center.lat + rng.random_range(-reach..reach)).clamp(-90.0, 90.0);
            let point = Point::new(rng.random_range(-180.0..180.0), lat);
            if geodesic_km(center, point) <= radius_km {
                let in_lon = if west <= east {
                    (west..=east).contains(&point.lon)
                } else {
                    point.lon >= west || point.lon <= east
                };
                assert!(in_lon && (south..=north).contains(&lat), "{center:?} {radius_km} {point:?}");
            }
        }
    }
}

#[test]
fn quick_bounds_hold_the_exact_distance() {
    let mut rng = StdRng::seed_from_u64(5);
    for round in 0..20_000 {
        let one = Point::new(rng.random_range(-180.0..180.0), rng.random_range(-90.0..90.0));
        let far = Point::new(rng.random_range(-180.0..180.0), rng.random_range(-90.0..90.0));
        let close = |rng: &mut StdRng| rng.random_range(-0.01..0.01);
        let near = Point::new(one.lon + close(&mut rng), (one.lat + close(&mut rng)).clamp(-90.0, 90.0));
        let two = if round % 4 == 0 { near } else { far };
        let exact = geodesic_km(one, two);
        let by_sphere = geodesic::Bounds::by_sphere(one, two);
        for bounds in [by_sphere, by_sphere.narrowed(one, two)] {
            assert!(bounds.least_km <= exact && exact <= bounds.most_km, "{one:?} {two:?} {bounds:?} {exact}");
        }
    }
}
