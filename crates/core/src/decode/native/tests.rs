use super::super::decode;
use crate::batch::Batch;
use crate::draft::Draft;
use crate::envelope::{Coordinate, Envelope, Limits};
use crate::geometry::{Geometry, Point};
use crate::id::TenantId;
use crate::principal::{Authority, Issuers};
use crate::rejection::{Reason, Rejection};
use crate::time::Timestamp;
use crate::vocabulary::{Category, GeometryOrigin, Severity, SeverityOrigin};

fn decoded(body: &str) -> Batch<Draft> {
    let envelope = Envelope {
        bytes: bytes::Bytes::copy_from_slice(body.as_bytes()),
        media_type: Some("application/json".into()),
        headers: Vec::new(),
        source: "api".into(),
        tenant: TenantId::default_tenant(),
        authority: Authority { namespace: "key".into(), issuers: Issuers::All, may_publish: true, says_only: None },
        coordinate: Coordinate::Document,
        first_item: 0,
        received: Timestamp::default(),
        correlation_id: "c".into(),
    };
    decode(&[envelope], &Limits::default())
}

fn one(body: &str) -> Result<Draft, Rejection> {
    let mut items = decoded(body).into_items();
    assert_eq!(items.len(), 1, "{body}");
    items.remove(0).fate.map_err(|refused| refused.rejection)
}

fn refused(body: &str, reason: Reason, pointer: &str) {
    let rejection = one(body).expect_err(body);
    assert_eq!((rejection.reason, rejection.pointer.as_str()), (reason, pointer), "{body}: {rejection}");
}

#[test]
fn strict_where_a_mistake_would_mislead() {
    refused(r#"{"lat":1}"#, Reason::InvalidCoordinates, "/lon");
    refused(r#"{"title":"T","lat":91,"lon":0}"#, Reason::InvalidCoordinates, "/lat");
    refused(r#"{"title":"T","lat":1,"lon":"x"}"#, Reason::InvalidCoordinates, "/lon");
    refused(r#"{"title":"T","lat":1,"lon":361}"#, Reason::InvalidCoordinates, "/lon");
    refused(r#"{"title":"T","lat":1,"lon":1,"radius_km":-1}"#, Reason::InvalidGeometry, "/lon");
    refused(r#"{"title":"T","severity":"hot"}"#, Reason::InvalidEnum, "/severity");
    refused(r#"{"title":"T","occurred":"yesterday"}"#, Reason::InvalidTime, "/occurred");
    refused(r#"{"title":"T","sent":5}"#, Reason::InvalidTime, "/sent");
    refused(r#"{"category":"weather"}"#, Reason::MissingField, "/title");
    refused(r#"{"title":5}"#, Reason::InvalidField, "/title");
    refused(r#"{"title":"T","confidence":7}"#, Reason::InvalidField, "/confidence");
    refused(r#"{"title":"T","segments":[{"ends":"x"}]}"#, Reason::InvalidTime, "/segments/0/ends");
    refused(r#"{"title":"T","geometry":{"type":"Cube","coordinates":[]}}"#, Reason::InvalidGeometry, "/geometry");
    refused(r#"{"title":"T","title":"U"}"#, Reason::DuplicateKey, "/title");
    refused(r#"{"title":"T","lat":NaN,"lon":1}"#, Reason::InvalidJson, "1:20");
    refused(r#""text""#, Reason::UnknownFormat, "");
    refused("[5]", Reason::InvalidField, "");
    let all = one(r#"{"severity":"x","lat":200,"lon":0,"sent":"y"}"#).expect_err("three faults").detail;
    assert!(all.contains("/sent") && all.contains("/lat") && all.contains("/title"), "{all}");
}

#[test]
fn shorthands_and_unknown_members() {
    let draft = one(
        r#"{"id":7,"title":"T","lat":1,"lon":190,"magnitude":6,"category":"earthquake","mood":{"a":[1]},"ends":null}"#,
    )
    .expect("fine");
    assert_eq!(draft.native_id.as_deref(), Some("7"));
    assert_eq!(draft.segments[0].geometry, Some(Geometry::Point(Point::new(-170.0, 1.0))));
    assert_eq!(draft.warnings[0].code, "longitude_wrapped");
    assert_eq!((draft.segments[0].severity, draft.severity_origin), (Severity::Severe, SeverityOrigin::Inferred));
    assert_eq!(draft.extra["mood"]["a"][0], 1);
    let box_only = one(r#"{"title":"T","type":"flood.coastal","bbox":[170,-10,-170,10]}"#).expect("fine");
    assert_eq!(box_only.segments[0].geometry_origin, GeometryOrigin::Bbox);
    assert_eq!(box_only.segments[0].category, Category::Flood);
}

#[test]
fn an_array_is_judged_item_by_item() {
    let items = decoded(r#"[{"title":"a"}, {"title":1},{"title":"b","x":1,"x":2} ,{"title":"c"}]"#).into_items();
    let fates: Vec<_> = items.iter().map(|item| item.fate.as_ref().map(|draft| draft.raw.clone()).ok()).collect();
    let raw = |text: &'static str| Some(bytes::Bytes::from_static(text.as_bytes()));
    assert_eq!(fates, [raw(r#"{"title":"a"}"#), None, None, raw(r#"{"title":"c"}"#)]);
    refused(r#"[{"title":"a"},{"title":"b"]"#, Reason::InvalidJson, "1:28");
}
