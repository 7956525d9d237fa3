use super::super::tests::{envelope, fates, shared};
use super::super::{Limits, decode};
use crate::draft::{Draft, Format};
use crate::rejection::{Reason, Rejection};
use crate::vocabulary::{Category, Severity};

fn event(members: &str) -> Result<Draft, Rejection> {
    let body =
        format!(r#"{{"specversion":"1.0","id":"1","source":"/here","type":"org.example.flood.rising"{members}}}"#);
    fates(body, Some("application/cloudevents+json")).remove(0)
}

fn binary(headers: &[(&str, &str)], media_type: Option<&str>, body: &'static str) -> Vec<Result<Draft, Rejection>> {
    let mut envelope = envelope(body, media_type);
    let base = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/here"), ("ce-type", "t")];
    envelope.headers =
        base.iter().chain(headers).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let items = decode(&[envelope], &Limits::default()).into_items();
    items.into_iter().map(|item| item.fate.map_err(|refused| refused.rejection)).collect()
}

/// The official vectors. Their files wrap the events in a test harness that is no format.
#[test]
fn official_vectors() {
    let read = |name: &str| {
        let text = std::fs::read_to_string(shared(&format!("cloudevents/{name}.json"))?).expect("readable");
        let harness: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        Some(harness["tests"].as_array().expect("a list").clone())
    };
    let (Some(valid), Some(batches), Some(invalid)) =
        (read("valid-events"), read("valid-batches"), read("invalid-events"))
    else {
        return;
    };
    assert_eq!((valid.len(), batches.len(), invalid.len()), (10, 5, 25));
    let accepted = |body: &serde_json::Value, media_type| {
        let fates = fates(body.to_string(), media_type);
        fates.iter().filter(|fate| fate.is_ok()).count()
    };
    for test in valid {
        assert_eq!(accepted(&test["event"], Some("application/cloudevents+json")), 1, "{test}");
        assert_eq!(accepted(&test["event"], None), 1, "{test}");
    }
    for test in batches {
        let expected = test["batch"].as_array().map_or(0, Vec::len);
        assert_eq!(accepted(&test["batch"], Some("application/cloudevents-batch+json")), expected, "{test}");
    }
    for test in invalid {
        assert_eq!(accepted(&test["event"], Some("application/cloudevents+json")), 0, "{test}");
        assert_eq!(accepted(&test["event"], None), 0, "{test}");
    }
}

#[test]
fn an_event_of_another_kind_is_kept() {
    let draft = event(r#","subject":"gauge 7","severity":"Minor","time":"2026-01-01T00:00:00Z","data":{"level":3,"message":"Rising","lat":1,"lon":2}"#)
        .expect("good");
    assert_eq!(
        (draft.format, draft.native_id.as_deref(), draft.sender.as_str()),
        (Format::CloudEvents, Some("1"), "/here")
    );
    assert_eq!((draft.segments[0].category, draft.segments[0].severity), (Category::Flood, Severity::Minor));
    assert_eq!(draft.title.as_deref(), Some("Rising"));
    assert!(draft.segments[0].geometry.is_some() && draft.extra["data"]["level"] == 3);
    assert_eq!(
        event(r#","subject":"gauge 7""#).expect("good").title.as_deref(),
        Some("org.example.flood.rising: gauge 7")
    );
    let text = event(r#","datacontenttype":"text/plain","data_base64":"UmlzaW5n""#).expect("good");
    assert_eq!(text.segments[0].texts[0].description.as_deref(), Some("Rising"));
    assert_eq!(event(r#","data_base64":"?""#).expect_err("not base64").pointer, "/data_base64");
}

#[test]
fn data_in_a_known_form_is_read_as_such() {
    let native = event(r#","data":{"title":"Dam","category":"flood","severity":"Severe","id":"own"}"#).expect("good");
    assert_eq!(
        (native.title.as_deref(), native.native_id.as_deref(), native.segments[0].severity),
        (Some("Dam"), Some("1"), Severity::Severe)
    );
    let odd = event(r#","data":{"title":"Dam","severity":"hot"}"#).expect("kept with a warning");
    assert_eq!((odd.warnings[0].code.as_str(), odd.title.as_deref()), ("data_not_native", Some("Dam")));
    let quake =
        r#"{"type":"Feature","id":"us1","properties":{"mag":5,"time":1700000000000,"ids":",us1,"},"geometry":null}"#;
    let carried = event(&format!(r#","datacontenttype":"application/geo+json","data":{quake}"#)).expect("good");
    assert_eq!((carried.format, carried.native_id.as_deref()), (Format::Usgs, Some("us1")));
    let alone = fates(quake, None).remove(0).expect("good");
    assert_eq!(crate::identity::content_hash(&carried), crate::identity::content_hash(&alone));
    let alert = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><identifier>a</identifier></alert>";
    let refused =
        event(&format!(r#","datacontenttype":"application/cap+xml","data":"{alert}""#)).expect_err("no sender");
    assert_eq!(refused.reason, Reason::MissingField);
    let other = event(r#","datacontenttype":"application/xml","data":"<a/>""#).expect("good");
    assert_eq!(other.format, Format::CloudEvents);
}

#[test]
fn binary_mode() {
    let good = binary(
        &[("ce-subject", "Euro%20%E2%82%AC %2525"), ("ce-ext1", "\"a \\\"b\\\"\"")],
        Some("application/json"),
        r#"{"x":1}"#,
    )
    .remove(0)
    .expect("good");
    assert_eq!(good.title.as_deref(), Some("t: Euro € %25"));
    assert_eq!((good.extra["ext1"].as_str(), &good.extra["data"]["x"]), (Some("a \"b\""), &serde_json::json!(1)));
    let reason = |headers: &[(&str, &str)]| binary(headers, None, "").remove(0).expect_err("bad").reason;
    assert_eq!(reason(&[("ce-subject", "%E2%82")]), Reason::InvalidEncoding);
    assert_eq!(reason(&[("ce-datacontenttype", "text/plain")]), Reason::InvalidField);
    assert_eq!(reason(&[("ce-time", "lunchtime")]), Reason::InvalidTime);
    assert_eq!(reason(&[("ce-id", "2")]), Reason::DuplicateKey);
    let quakes = r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"us1","properties":{"mag":5,"time":1,"ids":""}}]}"#;
    assert_eq!(
        binary(&[], Some("application/geo+json"), quakes)[0].as_ref().map(|draft| draft.format),
        Ok(Format::Usgs)
    );
}
