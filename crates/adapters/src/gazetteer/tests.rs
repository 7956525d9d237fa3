use tidings_core::geometry::Polygon;

use super::*;

fn check(geometry: &Geometry, ids: &str, timezone: &str) {
    let place = open().locate(geometry);
    let found = [&place.countries[..], &place.regions[..]].concat().join(" ");
    assert_eq!((found.as_str(), place.timezone.as_deref()), (ids, Some(timezone)), "{geometry:?}");
}

fn at(lon: f64, lat: f64) -> Geometry {
    Geometry::Point(Point::new(lon, lat))
}

fn rectangle([west, south, east, north]: [f64; 4]) -> Geometry {
    let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
    let exterior = corners.map(|(lon, lat)| Point::new(lon, lat)).to_vec();
    Geometry::Polygon(Polygon { exterior, holes: Vec::new() })
}

fn ids_of_shape(scheme: &str, value: &str) -> Option<String> {
    let place = open().shape(&Code::new(scheme, value))?.place.clone();
    Some([&place.countries[..], &place.regions[..]].concat().join(" "))
}

#[test]
fn points_on_land_and_at_sea() {
    check(&at(-97.0, 33.0), "US US-TX", "America/Chicago");
    check(&at(13.4, 52.5), "DE", "Europe/Berlin");
    check(&at(-66.1, 18.4), "PR US US-PR", "America/Puerto_Rico");
    check(&at(-15.4, 28.1), "ES", "Atlantic/Canary");
    check(&at(-140.0, -30.0), "", "Etc/GMT+9");
    check(&at(0.0, 90.0), "", "Etc/GMT");
    check(&at(0.0, -90.0), "", "Antarctica/McMurdo");
    check(&at(180.0, 67.0), "RU", "Asia/Anadyr");
    check(&at(-180.0, 67.0), "RU", "Asia/Anadyr");
}

#[test]
fn disputed_edges() {
    check(&at(33.36, 35.17), "CY", "Asia/Nicosia");
    check(&at(33.3, 35.33), "CY", "Asia/Famagusta");
    check(&at(21.16, 42.66), "XK", "Europe/Belgrade");
    check(&at(20.87, 42.89), "XK", "Europe/Belgrade");
    check(&at(20.52, 43.14), "RS", "Europe/Belgrade");
}

#[test]
fn shapes_across_borders() {
    check(&rectangle([7.3, 47.4, 7.9, 47.8]), "DE CH FR", "Europe/Berlin");
    check(&rectangle([-84.0, 18.0, -64.0, 26.0]), "BS HT DO PR US CU TC GB US-PR US-FL", "America/Nassau");
    check(
        &Geometry::Circle { center: Point::new(6.1, 50.75), radius_km: 30.0 },
        "DE BE NL BE-WAL BE-VLG",
        "Europe/Berlin",
    );
    let fiji = Geometry::Many(vec![rectangle([177.0, -19.0, 180.0, -16.0]), rectangle([-180.0, -19.0, -178.0, -16.0])]);
    check(&fiji, "FJ", "Pacific/Fiji");
    assert_eq!(open().locate(&at(f64::NAN, 0.0)), Place::default());
    assert_eq!(open().locate(&Geometry::Many(Vec::new())), Place::default());
}

#[test]
fn shapes_of_codes() {
    let gazetteer = open();
    let shape = |scheme, value| gazetteer.shape(&Code::new(scheme, value)).unwrap();
    assert!(Arc::ptr_eq(&shape("SAME", "048113"), &shape("UGC", "TXC113")));
    assert!(Arc::ptr_eq(&shape("SAME", "548113"), &shape("FIPS6", "048113")));
    let nearest = shape("SAME", "048113").place.nearest.clone().unwrap();
    assert!(nearest.distance_km < 10.0, "{nearest:?}");
    assert_eq!(shape("SAME", "002016").place.timezone.as_deref(), Some("America/Nome"));
    assert_eq!(ids_of_shape("SAME", "048113").as_deref(), Some("US US-TX"));
    assert_eq!(ids_of_shape("SAME", "048000").as_deref(), Some("US US-TX"));
    assert_eq!(ids_of_shape("UGC", "PRC021").as_deref(), Some("PR US US-PR"));
    assert_eq!(ids_of_shape("UGC", "PKZ767").as_deref(), Some("US"));
    assert_eq!(shape("UGC", "PKZ767").geometry.parts().len(), 2);
    assert_eq!(ids_of_shape("SAME", "077650").as_deref(), Some("US"));
    for (scheme, value) in [("SAME", "048999"), ("SAME", "000000"), ("UGC", "TXZ118"), ("EMMA_ID", "DE001")] {
        assert_eq!(ids_of_shape(scheme, value), None, "{scheme} {value}");
    }
}

/// Every US county and state lies where the borders say its state is.
#[test]
fn counties_lie_in_their_states() {
    let gazetteer = open();
    let mut strays = Vec::new();
    for fips in 0..=78_999 {
        let Some(shape) = gazetteer.shape(&Code::new("SAME", format!("0{fips:05}"))) else { continue };
        if shape.place.regions.is_empty() {
            continue;
        }
        let located = gazetteer.locate(&shape.geometry);
        if !located.regions.contains(&shape.place.regions[0]) {
            strays.push(fips);
        }
    }
    assert_eq!(strays, [0; 0]);
}

/// Prints what a point costs; run it alone with `--release --nocapture` for figures to quote.
#[test]
fn a_point_is_located_in_microseconds() {
    let started = std::time::Instant::now();
    let gazetteer = open();
    let opened = started.elapsed();
    gazetteer.locate(&at(0.0, 0.0));
    let first = started.elapsed();
    let points: Vec<Geometry> = (0..20_000)
        .map(|step| {
            let step = f64::from(step);
            at((step * 0.754_877_67).fract() * 360.0 - 180.0, (step * 0.569_840_29).fract() * 140.0 - 60.0)
        })
        .collect();
    let started = std::time::Instant::now();
    let named = points.iter().filter(|point| gazetteer.locate(point).nearest.is_some()).count();
    let each = started.elapsed() / 20_000;
    println!("opened in {opened:?}, first point after {first:?}, then {each:?} a point anywhere");
    let towns: Vec<Geometry> =
        points.into_iter().filter(|point| !gazetteer.locate(point).countries.is_empty()).collect();
    let started = std::time::Instant::now();
    towns.iter().for_each(|point| drop(gazetteer.locate(point)));
    println!("{:?} a point on land", started.elapsed() / towns.len() as u32);
    assert_eq!(named, 20_000);
}

/// Lines of files of the shared data whose path has `part`, parsed; none where it is absent.
fn shared_lines(folder: &str, part: &str) -> Vec<serde_json::Value> {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("TIDINGS_SHARED_DATA").map_or_else(beside, Into::into);
    let Ok(files) = std::fs::read_dir(root.join(folder)) else {
        println!("skipped: no shared data in {}", root.display());
        return Vec::new();
    };
    let paths = files.map(|file| file.unwrap().path()).filter(|path| path.to_string_lossy().contains(part));
    let texts: Vec<String> = paths.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn waters_hold_the_zones_of_real_alerts() {
    let gazetteer = open();
    let mut strays = Vec::new();
    for zone in shared_lines("geocodes", "ugc-used") {
        let code = Code::new("UGC", zone["code"].as_str().unwrap());
        let Ok(geometry) = serde_json::from_value::<Geometry>(zone["feature"]["geometry"].clone()) else { continue };
        let Some(shape) = gazetteer.shape(&code) else { continue };
        let bounds = shape.geometry.parts().iter().map(|part| tidings_core::enrich::bbox(part).unwrap().0);
        let bounds: Vec<_> = bounds.collect();
        // Counties are drawn coarsely, so theirs may miss by a hundredth of a degree.
        let holds = |[west, south, east, north]: &[f64; 4], point: Point| {
            (west - 0.03..=east + 0.03).contains(&point.lon) && (south - 0.03..=north + 0.03).contains(&point.lat)
        };
        let outside = geometry.points().find(|point| !bounds.iter().any(|bounds| holds(bounds, *point)));
        if let Some(point) = outside {
            strays.push((code.value, point));
        }
    }
    assert!(strays.is_empty(), "{strays:?}");
}

#[test]
fn every_code_of_real_alerts_is_known() {
    let gazetteer = open();
    let mut unknown = std::collections::BTreeSet::new();
    let mut check = |scheme: &str, values: &serde_json::Value| {
        for value in values.as_array().into_iter().flatten() {
            let code = Code::new(scheme, value.as_str().unwrap_or_default());
            let is_zone = scheme == "UGC" && code.value.get(2..3) == Some("Z");
            let is_known = gazetteer.shape(&code).is_some() || is_zone && gazetteer.region(&code).is_some();
            if !is_known {
                unknown.insert(format!("{scheme} {}", code.value));
            }
        }
    };
    let mut todo = shared_lines("nws", "stream-");
    while let Some(value) = todo.pop() {
        match value {
            serde_json::Value::Object(mut members) => {
                if let Some(geocode) = members.remove("geocode") {
                    check("SAME", &geocode["SAME"]);
                    check("UGC", &geocode["UGC"]);
                }
                todo.extend(members.into_iter().map(|(_, member)| member));
            }
            serde_json::Value::Array(items) => todo.extend(items),
            _ => {}
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
}
