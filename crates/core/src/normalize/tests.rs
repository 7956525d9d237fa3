use super::*;
use crate::decode::decode;
use crate::envelope::{Coordinate, Limits};
use crate::id::TenantId;
use crate::principal::{Authority, Issuers};

fn envelope(body: &str, coordinate: Coordinate) -> Envelope {
    Envelope {
        bytes: Bytes::copy_from_slice(body.as_bytes()),
        media_type: Some("application/json".into()),
        headers: Vec::new(),
        source: "api".into(),
        tenant: TenantId::default_tenant(),
        authority: Authority {
            namespace: "key".into(),
            issuers: Issuers::Only(Vec::new()),
            may_publish: true,
            says_only: None,
        },
        coordinate,
        first_item: 0,
        received: Timestamp::parse("2026-01-02T04:00:00Z").expect("a time"),
        correlation_id: "c".into(),
    }
}

fn believed_as(body: &str, coordinate: Coordinate) -> Vec<Believed> {
    let envelopes = [envelope(body, coordinate)];
    let believed = normalize(decode(&envelopes, &Limits::default()), &envelopes);
    believed.into_items().into_iter().map(|item| item.fate.expect(body)).collect()
}

fn believed(body: &str) -> Believed {
    believed_as(body, Coordinate::Drawn("r".into())).remove(0)
}

#[test]
fn the_example_of_the_contract() {
    let quake = believed(
        r#"{"id":"q-1","category":"earthquake","title":"M5.0 near Example","severity":"Moderate","lat":43.1,"lon":12.5,
        "magnitude":5.0,"occurred":"2026-01-02T03:04:05Z"}"#,
    );
    let event = &quake.event;
    assert_eq!(
        (event.category, event.severity, event.kind.as_str()),
        (Category::Earthquake, Severity::Moderate, "earthquake")
    );
    assert_eq!((event.native_id.as_deref(), event.issuer.as_str()), (Some("q-1"), "key"));
    assert_eq!(event.hazard_end.to_string(), "2026-01-03T03:04:05.000Z");
    assert_eq!((quake.order_key.as_str(), quake.thread.keys[0].value.as_str()), ("quake", "q-1"));
    assert!(!event.official && quake.bound);
}

#[test]
fn identity_is_what_was_said_and_not_how() {
    let first = believed(r#"{"id":"a","title":"T","lat":1,"lon":2,"x":{"b":1,"c":[2]}}"#);
    let again = believed(r#" {"x":{"c":[2.0],"b":1}, "lon":2.0,"lat":1e0,"title":"\u0054","id":"a"} "#);
    assert_eq!((first.event.id, first.content_hash), (again.event.id, again.content_hash));
    let other = believed(r#"{"id":"a","title":"T","lat":1,"lon":2.5}"#);
    assert_ne!(first.event.id, other.event.id, "other content is the next revision");
    let version = |title: &str, updated: &str| {
        believed(&format!(r#"{{"id":"a","title":"{title}","updated":"{updated}"}}"#)).event.id
    };
    assert_eq!(version("T", "2026-01-01T00:00:00Z"), version("T", "2026-01-01T01:00:00.000+01:00"));
    assert_ne!(version("T", "2026-01-01T00:00:00Z"), version("U", "2026-01-01T00:00:00Z"));
}

#[test]
fn without_an_id_the_coordinate_tells_equal_contents_apart() {
    let door = r#"{"title":"door opened"}"#;
    let id = |body: &str, coordinate: Coordinate| believed_as(body, coordinate).remove(0).event.id;
    let drawn = |text: &str| Coordinate::Drawn(text.into());
    assert_ne!(id(door, drawn("1")), id(door, drawn("2")));
    assert_eq!(id(door, drawn("1")), id(door, drawn("1")));
    assert_eq!(id(door, Coordinate::Document), id(door, Coordinate::Document));
    assert_eq!(id(door, Coordinate::Key("k".into())), id(door, Coordinate::Key("k".into())));
    let timed = r#"{"title":"door opened","occurred":"2026-01-01T00:00:00Z"}"#;
    assert_eq!(id(timed, drawn("1")), id(timed, drawn("2")));
    let both = believed_as(&format!("[{door},{door}]"), drawn("1"));
    assert_ne!(both[0].event.id, both[1].event.id);
}

#[test]
fn suspect_times_are_kept_as_text() {
    let event = believed(r#"{"title":"T","occurred":"2030-01-01T00:00:00Z","sent":"1970-01-01T00:00:00Z","ends":"2026-03-01T00:00:00+01:00"}"#).event;
    assert_eq!((event.occurred, event.sent), (None, None));
    assert_eq!(event.warnings.len(), 2);
    assert_eq!(event.time_texts["occurred"], "2030-01-01T00:00:00.000Z");
    assert_eq!(event.time_texts["ends"], "2026-03-01T00:00:00+01:00");
    assert_eq!(event.hazard_end.to_string(), "2026-02-28T23:00:00.000Z");
}

#[test]
fn segments_are_summed_up() {
    let event = believed(
        r#"{"id":"s","texts":[{"lang":"en","headline":"Two parts"}],"category":"weather","segments":[
        {"severity":"Minor","lat":1,"lon":1,"onset":"2026-01-02T00:00:00Z","response":["Monitor"],"note":"kept"},
        {"severity":"Severe","lat":2,"lon":2,"type":"weather.wind","onset":"2026-01-01T00:00:00Z","texts":[{"lang":"en","headline":"Wind"}]}]}"#,
    )
    .event;
    assert_eq!((event.severity, event.kind.as_str(), event.segments.len()), (Severity::Severe, "weather.wind", 2));
    assert_eq!(event.title, "Wind");
    assert_eq!(event.onset.map(|time| time.to_string()).as_deref(), Some("2026-01-01T00:00:00.000Z"));
    assert_eq!(event.geometry.as_ref().map(|shape| shape.parts().len()), Some(2));
    assert_eq!(event.extra["segments/0"]["note"], "kept");
}

#[test]
fn an_event_survives_storage() {
    let event = believed(r#"{"id":"s","title":"T","lat":1.5,"lon":2.5,"radius_km":10,"codes":{"scheme":"a","value":5},"new_field":[1,{"a":null}]}"#).event;
    let json = serde_json::to_vec(&event).expect("plain data");
    assert_eq!(crate::upcast::read_event(&json).expect("readable"), event);
}
