use super::super::tests::fates;
use crate::draft::Draft;
use crate::rejection::{Reason, Rejection};
use crate::vocabulary::{Action, Category, Severity, SeverityOrigin, Status};

fn alert(changes: &[(&str, serde_json::Value)]) -> Result<Draft, Rejection> {
    let mut feature = serde_json::json!({
        "type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[-80.3, 28.8], [-80.0, 28.8], [-79.7, 28.5]]]},
        "id": "https://api.weather.gov/alerts/urn:oid:2.49.0.1.840.0.aa.001.1",
        "properties": {
            "@type": "wx:Alert", "id": "urn:oid:2.49.0.1.840.0.aa.001.1", "areaDesc": "Coastal waters", "sender": "w-nws.webmaster@noaa.gov",
            "geocode": {"SAME": ["075552"], "UGC": ["AMZ552"]}, "references": [{"identifier": "urn:oid:2.49.0.1.840.0.bb.001.1", "sent": "2026-07-31T18:33:00-05:00"}],
            "sent": "2026-08-03T15:35:00-04:00", "onset": "2026-08-03T15:35:00-04:00", "expires": "2026-08-03T16:30:00-04:00", "ends": null,
            "status": "Actual", "messageType": "Update", "category": "Met", "severity": "Severe", "certainty": "Likely", "urgency": "Immediate",
            "event": "Special Marine Warning", "headline": "Special Marine Warning until 4:30PM", "description": "Text", "response": "Avoid", "note": null, "novel": [1],
            "parameters": {"VTEC": ["/O.CON.KMLB.MA.W.0213.000000T0000Z-260803T2030Z/"], "maxWindGust": ["Up to 50 MPH"], "maxHailSize": ["1.00"],
                "NWSheadline": ["WARNING CONTINUES"], "eventEndingTime": ["2026-08-03T16:30:00-04:00"]},
            "eventCode": {"SAME": ["SMW"]}
        }
    });
    for (pointer, value) in changes {
        *feature.pointer_mut(pointer).expect("a member of the sample") = value.clone();
    }
    fates(feature.to_string(), None).remove(0)
}

fn refused(changes: &[(&str, serde_json::Value)], reason: Reason, pointer: &str) {
    let rejection = alert(changes).expect_err(pointer);
    assert_eq!((rejection.reason, rejection.pointer.as_str()), (reason, pointer));
}

#[test]
fn an_alert_is_read_whole() {
    let draft = alert(&[]).expect("a good alert");
    assert_eq!(draft.native_id.as_deref(), Some("2.49.0.1.840.0.aa.001.1"));
    assert_eq!(draft.references, ["2.49.0.1.840.0.bb.001.1"]);
    assert_eq!(draft.thread_keys[0].value, "KMLB.MA.W.0213.2026");
    assert_eq!((draft.action, draft.status), (Some(Action::Update), Status::Actual));
    assert_eq!(
        draft.measures.iter().map(|(name, value)| (name.as_str(), *value)).collect::<Vec<_>>(),
        [("hail_mm", 25.4), ("wind_gust_ms", 22.4)]
    );
    let segment = &draft.segments[0];
    assert_eq!(
        (segment.category, segment.kind.as_str(), segment.severity),
        (Category::Weather, "weather.marine", Severity::Severe)
    );
    assert_eq!(segment.areas[0].codes.len(), 2);
    assert_eq!(segment.ends.map(|time| time.to_string()).as_deref(), Some("2026-08-03T20:30:00.000Z"));
    assert_eq!(segment.texts[0].headline.as_deref(), Some("WARNING CONTINUES"));
    assert_eq!(draft.title.as_deref(), Some("Special Marine Warning until 4:30PM"));
    assert_eq!(draft.time_texts["sent"], "2026-08-03T15:35:00-04:00");
    assert!(draft.extra.contains_key("novel") && draft.extra["parameters"]["maxHailSize"][0] == "1.00");
    assert_eq!(draft.warnings[0].code, "ring_closed");
}

#[test]
fn vtec_overrules_the_message_type() {
    let vtec = |code: &str| [("/properties/parameters/VTEC", serde_json::json!([code]))];
    let ended = alert(&vtec("/O.EXP.KMLB.MA.W.0213.000000T0000Z-260803T2030Z/")).expect("good");
    assert!(ended.action == Some(Action::End) && ended.segments[0].ended);
    let cancelled = alert(&vtec("/O.CAN.KMLB.MA.W.0213.000000T0000Z-260803T2030Z/")).expect("good");
    assert_eq!(cancelled.action, Some(Action::Cancel));
    let odd = alert(&vtec("/O.CON/")).expect("good");
    assert_eq!(
        (odd.action, odd.warnings.last().map(|one| one.code.as_str())),
        (Some(Action::Update), Some("vtec_unreadable"))
    );
}

#[test]
fn what_is_refused_and_what_is_repaired() {
    refused(&[("/properties/sender", "".into())], Reason::MissingField, "/properties/sender");
    refused(&[("/properties/sent", ().into())], Reason::MissingField, "/properties/sent");
    refused(&[("/properties/status", "Real".into())], Reason::InvalidEnum, "/properties/status");
    refused(&[("/properties/messageType", "Shout".into())], Reason::InvalidEnum, "/properties/messageType");
    let draft = alert(&[("/properties/sent", "date:now -44 seconds".into()), ("/properties/severity", "".into())])
        .expect("repaired");
    assert_eq!((draft.sent, draft.segments[0].severity), (None, Severity::Unknown));
    assert_eq!(draft.time_texts["sent"], "date:now -44 seconds");
    let lifted = alert(&[
        ("/properties/parameters/NWSheadline", serde_json::json!(["X"])),
        ("/properties/parameters/maxHailSize", serde_json::json!(5)),
    ]);
    assert_eq!(lifted.expect("good").severity_origin, SeverityOrigin::Given);
}
