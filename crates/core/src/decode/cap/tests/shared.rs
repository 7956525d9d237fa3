//! Recorded real messages, which live beside the repository.

use std::path::PathBuf;

use super::*;
use crate::time::Timestamp;

fn shared() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = PathBuf::from(std::env::var("TIDINGS_SHARED_DATA").unwrap_or_else(|_| beside.to_owned()));
    if folder.join("MANIFEST.tsv").exists() {
        return Some(folder);
    }
    println!("skipped: no recorded messages at {}", folder.display());
    None
}

fn read(name: &str) -> Vec<Result<Draft, Refused>> {
    let folder = shared().expect("asked before");
    fates(std::fs::read(folder.join(name)).expect(name))
}

#[test]
fn every_file_holds_as_many_messages_as_its_manifest_says() {
    let Some(folder) = shared() else { return };
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).expect("a manifest");
    let refused = ["cap/au-tas-edxl-de-storm.xml", "cap-malformed/no_optional_fields.cap", "cap-malformed/xee.cap"];
    let mut seen = 0;
    for line in manifest.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, _, _, count, ..] = columns[..] else { continue };
        if !name.starts_with("cap") || name.starts_with("cap-json") {
            continue;
        }
        let is_index = name.starts_with("cap-feeds/") && name != "cap-feeds/weather.atom";
        let expected = if refused.contains(&name) || is_index { 0 } else { count.parse().expect(name) };
        let accepted = read(name).into_iter().filter(Result::is_ok).count();
        assert_eq!(accepted, expected, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 47);
}

#[test]
fn segments_languages_and_shapes_of_recorded_messages() {
    if shared().is_none() {
        return;
    }
    // Segments, languages of the first, areas of the first, parts of its shape, its points.
    let check = |name: &str, expected: (usize, usize, usize, usize, usize)| {
        let draft = read(name).remove(0).expect(name);
        let first = &draft.segments[0];
        let shape = first.geometry.as_ref();
        let parts = shape.map_or(0, |shape| shape.parts().len());
        let points = shape.map_or(0, |shape| shape.points().count());
        assert_eq!((draft.segments.len(), first.texts.len(), first.areas.len(), parts, points), expected, "{name}");
    };
    check("cap/de-dwd-wind-gusts-8-languages.xml", (1, 8, 169, 1, 399));
    check("cap/de-dwd-heavy-rain-update-exclude-polygon.xml", (1, 8, 49, 4, 293));
    check("cap/be-kmi-4-languages-update.xml", (1, 4, 1, 0, 0));
    check("cap/bf-anam-41009-vertices-signed.xml", (1, 1, 1, 1, 41_009));
    check("cap/gdacs-eq-1470644.xml", (1, 1, 1, 2, 186));
    check("cap/il-ims-flood-empty-polygons.xml", (1, 2, 3, 0, 0));
    check("cap-legacy/australia.cap", (2, 1, 1, 1, 1));
    check("cap-legacy/earthquake.cap", (1, 1, 1, 1, 1));
    check("cap-legacy/canada.cap", (1, 2, 2, 2, 55));
}

#[test]
fn fields_of_recorded_messages() {
    if shared().is_none() {
        return;
    }
    let read = |name: &str| read(name).remove(0).expect(name);
    let belgium = read("cap/be-kmi-4-languages-update.xml");
    assert_eq!(belgium.segments[0].severity, Severity::Minor, "a green notice sent as Moderate");
    assert_eq!(belgium.severity_origin, SeverityOrigin::Inferred);
    assert_eq!(belgium.severity_native.expect("a level").value, "1; Green; Minor");
    let macao = read("cap/mo-smg-monsoon-update.xml");
    assert_eq!((macao.action, macao.references.len()), (Some(Action::End), 0));
    assert!(codes(&macao).contains(&"reference_to_itself"));
    let germany = read("cap/de-dwd-heavy-rain-update-exclude-polygon.xml");
    assert!(germany.native_id.as_deref().is_some_and(|id| id.ends_with("6c243f695568")), "without .MUL");
    assert_eq!(germany.references, ["2.49.0.0.276.0.DWD.PVW.1687483260000.e335908e-7419-4d5f-8376-422c14b4f25c"]);
    let with_hole = germany.segments[0].geometry.as_ref().expect("a shape");
    assert!(with_hole.parts().iter().any(|part| matches!(part, Geometry::Polygon(area) if !area.holes.is_empty())));
    assert_eq!(germany.segments[0].areas[0].ceiling_m, Some(3000.0));
    let alaska = read("cap/us-noaa-high-wind-watch-212-polygons.xml");
    assert_eq!(alaska.segments[0].geometry.as_ref().map(|shape| shape.parts().len()), Some(212));
    assert!(alaska.segments[0].ends > alaska.segments[0].expires);
    let canada = read("cap-legacy/canada.cap");
    assert_eq!((canada.action, canada.segments[0].ended), (Some(Action::End), true));
    let quake = read("cap-legacy/earthquake.cap");
    assert_eq!((quake.segments[0].category, quake.measures["magnitude"]), (Category::Earthquake, 6.3));
    assert_eq!(quake.segments[0].geometry_origin, GeometryOrigin::Point);
    assert_eq!(quake.occurred, Timestamp::parse("2010-08-30T23:25:40Z").ok());
    let tonga = read("cap/gdacs-eq-1470644.xml");
    assert_eq!((tonga.measures["magnitude"], tonga.measures["depth_km"]), (5.0, 596.851));
    assert_eq!(tonga.thread_keys[0].value, "EQ1470644");
    let signed = read("cap-legacy/earthquake_signed.cap");
    assert_eq!(signed.occurred, Timestamp::parse("2011-09-06T01:33:57.600Z").ok());
    assert_eq!(signed.extra["signature"]["present"], true);
    let malformed = read("cap-malformed/noaa_errors.cap");
    assert_eq!(codes(&malformed), ["coordinates_respelled", "value_missing", "empty_element"]);
    assert_eq!(codes(&read("cap-malformed/sc-unbound-prefix.xml")), ["prefix_unbound"]);
    assert_eq!(codes(&read("cap-malformed/invalid.cap")), ["scope_missing"]);
    let plain = read("cap-malformed/no_id.atom");
    assert_eq!((plain.format, plain.segments[0].category), (Format::Atom, Category::AirQuality));
}
