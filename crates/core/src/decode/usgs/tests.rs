use super::super::tests::fates;
use crate::draft::Draft;
use crate::vocabulary::{Severity, SeverityOrigin};

fn quake(properties: serde_json::Value, id: Option<&str>) -> Draft {
    let mut feature = serde_json::json!({"type": "Feature", "properties": properties,
        "geometry": {"type": "Point", "coordinates": [-117.8, 35.3, -1.2]}});
    if let Some(id) = id {
        feature["id"] = id.into();
    }
    fates(feature.to_string(), None).remove(0).expect("a good quake")
}

#[test]
fn a_quake_is_read_whole() {
    let draft = quake(
        serde_json::json!({"mag": 6.1, "place": "10 km S of Here", "time": 1746366018110_i64, "updated": 1746366236183_i64, "url": "https://earthquake.usgs.gov/x/us1",
            "alert": "orange", "status": "reviewed", "tsunami": 1, "net": "us", "ids": ",us1,ci2,", "type": "quarry blast", "magType": "mww", "title": "M 6.1", "felt": null, "odd": true}),
        Some("us1"),
    );
    assert_eq!(
        (draft.native_id.as_deref(), draft.native_version.as_deref(), draft.sender.as_str()),
        (Some("us1"), Some("1746366236183"), "us")
    );
    assert_eq!(draft.thread_keys.iter().map(|key| key.value.as_str()).collect::<Vec<_>>(), ["us1", "ci2"]);
    assert_eq!(
        (draft.segments[0].severity, draft.severity_origin, draft.confidence),
        (Severity::Severe, SeverityOrigin::Inferred, Some(0.95))
    );
    assert_eq!(draft.segments[0].kind, "earthquake.quarry_blast");
    assert_eq!((draft.measures["depth_km"], draft.measures["magnitude"]), (-1.2, 6.1));
    assert_eq!(draft.extra.keys().collect::<Vec<_>>(), ["odd", "status", "tsunami"]);
}

#[test]
fn a_mirror_without_id_and_status() {
    let draft = quake(
        serde_json::json!({"mag": -0.3, "time": 1746366018110_i64, "url": "https://earthquake.usgs.gov/earthquakes/eventpage/ci41145728"}),
        None,
    );
    assert_eq!((draft.native_id.as_deref(), draft.sender.as_str()), (Some("ci41145728"), "ci"));
    assert_eq!((draft.segments[0].severity, draft.confidence, draft.retracted), (Severity::Minor, Some(0.6), false));
    assert!(quake(serde_json::json!({"mag": null, "time": 1, "ids": ",a,", "status": "deleted"}), Some("a")).retracted);
}
