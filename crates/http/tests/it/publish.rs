use reqwest::Method;
use serde_json::json;

use crate::app::{QUAKE, TestApp, send};

#[tokio::test]
async fn an_accepted_event_is_answered_in_the_contracts_form_and_found_at_once() {
    let app = TestApp::start().await;
    let answer = app.publish("application/json", QUAKE).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!((&answer.body["accepted"], &answer.body["duplicates"]), (&json!(1), &json!(0)));
    assert_eq!(answer.body["correlation_id"], answer.header("x-request-id"));
    let result = &answer.body["results"][0];
    assert_eq!((&result["index"], &result["status"]), (&json!(0), &json!("accepted")));
    let event = app.get(&format!("/v1/events/{}", result["id"].as_str().expect("an id"))).await;
    assert_eq!((event.status, &event.body["native_id"]), (200, &json!("q-1")), "{}", event.text);
    for member in ["superseded_by", "merged_into", "upgraded_to", "position", "thread_id", "revision", "state"] {
        assert!(event.body.get(member).is_some(), "{member}");
    }
}

#[tokio::test]
async fn a_repeat_is_a_duplicate_and_a_mixed_batch_is_answered_item_by_item() {
    let app = TestApp::start().await;
    app.publish("application/json", QUAKE).await;
    let batch = format!(r#"[{QUAKE},{{"title":"bad","lat":91,"lon":0}},{{"title":"good","id":"g"}}]"#);
    let answer = app.publish("application/json", batch).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let counts = ["accepted", "duplicates", "rejected"].map(|name| answer.body[name].as_u64().expect("a count"));
    assert_eq!(counts, [1, 1, 1]);
    let rejected = &answer.body["results"][1];
    assert_eq!(rejected["problem"]["code"], "invalid_coordinates");
    assert!(rejected["dead_letter_id"].as_str().expect("an id").starts_with("dlq_"));
}

#[tokio::test]
async fn when_all_are_rejected_the_answer_is_422_with_the_same_members() {
    let app = TestApp::start().await;
    let answer = app.publish("application/json", r#"{"title":"bad","lat":91,"lon":0}"#).await;
    answer.is_problem(422, "all_rejected");
    assert_eq!((&answer.body["rejected"], &answer.body["results"][0]["status"]), (&json!(1), &json!("rejected")));
    assert_eq!(answer.body["errors"][0]["code"], "invalid_coordinates");
    app.publish("application/json", "[]").await.is_problem(422, "empty_batch");
    app.publish("application/json", "{\"title\":").await.is_problem(422, "all_rejected");
}

#[tokio::test]
async fn the_media_type_decides_and_an_unknown_one_is_refused_with_the_list() {
    let app = TestApp::start().await;
    for media in ["application/octet-stream", "application/json; charset=utf-8", "APPLICATION/JSON"] {
        let answer = app.publish(media, json!({ "title": media }).to_string()).await;
        assert_eq!(answer.status, 202, "{media}: {}", answer.text);
    }
    let lines = "{\"title\":\"one\"}\n{\"title\":\"two\"}\n";
    assert_eq!(app.publish("application/x-ndjson", lines).await.body["accepted"], 2);
    let undeclared = app.request(Method::POST, "/v1/events").body(r#"{"title":"sniffed"}"#);
    assert_eq!(send(undeclared).await.status, 202);
    let answer = app.publish("image/png", "x").await;
    answer.is_problem(415, "unsupported_media_type");
    assert!(answer.header("accept-post").contains("application/cap+xml"));
}

#[tokio::test]
async fn an_idempotency_key_makes_equal_posts_one_event_and_without_it_they_are_two() {
    let app = TestApp::start().await;
    let post = |key: Option<&'static str>| {
        let mut request = app.request(Method::POST, "/v1/events").header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        send(request.body(r#"{"title":"door opened"}"#))
    };
    let (first, second) = (post(None).await, post(None).await);
    assert_ne!(first.body["results"][0]["id"], second.body["results"][0]["id"]);
    let (first, second) = (post(Some("k-1")).await, post(Some("\"k-1\"")).await);
    assert_eq!(first.body["results"][0]["id"], second.body["results"][0]["id"]);
    assert_eq!(second.body["duplicates"], 1);
    let long: &'static str = Box::leak("k".repeat(256).into_boxed_str());
    post(Some(long)).await.is_problem(400, "bad_request");
}

#[tokio::test]
async fn ids_of_the_caller_are_kept_and_a_trace_id_becomes_the_correlation_id() {
    let app = TestApp::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = app
        .request(Method::POST, "/v1/events")
        .header("content-type", "application/json")
        .header("x-request-id", "mine-1")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .body(r#"{"title":"traced"}"#);
    let answer = send(request).await;
    assert_eq!((answer.header("x-request-id"), &answer.body["correlation_id"]), ("mine-1", &json!(trace)));
    let event = app.get(&format!("/v1/events/{}", answer.body["results"][0]["id"].as_str().expect("an id"))).await;
    assert_eq!(event.body["correlation_id"], trace);
    let odd = send(app.request(Method::GET, "/v1/me").header("x-request-id", "a b")).await;
    assert_ne!(odd.header("x-request-id"), "a b");
    assert_eq!(odd.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn gzip_bodies_are_taken_and_broken_ones_are_not() {
    let app = TestApp::start().await;
    let post = |body: Vec<u8>, coding: &'static str| {
        let request = app.request(Method::POST, "/v1/events").header("content-type", "application/json");
        send(request.header("content-encoding", coding).body(body))
    };
    let packed = gzip(br#"{"title":"packed"}"#);
    assert_eq!(post(packed.clone(), "gzip").await.status, 202);
    assert_eq!(post(packed.clone(), "x-gzip").await.status, 202);
    post(packed[..packed.len() - 6].to_vec(), "gzip").await.is_problem(400, "invalid_coding");
    post(b"plain".to_vec(), "gzip").await.is_problem(400, "invalid_coding");
    post(packed, "br").await.is_problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_text_says_the_rest_in_its_query_or_headers() {
    let app = TestApp::start().await;
    let request = app.request(Method::POST, "/v1/events?severity=Severe&category=flood&lat=10&lon=20");
    let answer =
        send(request.header("content-type", "text/plain").header("x-title", "High water").body("The river rises"))
            .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let event = app.get(&format!("/v1/events/{}", answer.body["results"][0]["id"].as_str().expect("an id"))).await;
    assert_eq!(
        (&event.body["severity"], &event.body["title"]),
        (&json!("Severe"), &json!("High water")),
        "{}",
        event.text
    );
    assert_eq!(event.body["geometry"]["coordinates"], json!([20.0, 10.0]));
    let wrong = app.request(Method::POST, "/v1/events?severity=hot").header("content-type", "text/plain").body("x");
    send(wrong).await.is_problem(422, "all_rejected");
    let stray =
        app.request(Method::POST, "/v1/events?severity=Severe").header("content-type", "application/json").body(QUAKE);
    send(stray).await.is_problem(400, "bad_parameter");
}

#[tokio::test]
async fn cloud_events_come_in_every_mode() {
    let app = TestApp::start().await;
    let event = json!({ "specversion": "1.0", "id": "1", "source": "/here", "type": "t", "data": { "title": "Dam" } });
    let structured = app.publish("application/cloudevents+json", event.to_string()).await;
    assert_eq!(structured.body["accepted"], 1, "{}", structured.text);
    let again = app.publish("application/cloudevents-batch+json", json!([event]).to_string()).await;
    assert_eq!(again.body["duplicates"], 1, "{}", again.text);
    let binary = |id: &'static str, media: &'static str| {
        let request = app.request(Method::POST, "/v1/events").header("ce-specversion", "1.0").header("ce-id", id);
        let request = request.header("ce-source", "/here").header("ce-type", "t").header("content-type", media);
        send(request.body(if media == "image/png" { "\u{1}" } else { r#"{"title":"Dam"}"# }))
    };
    assert_eq!(binary("1", "application/json").await.body["duplicates"], 1);
    assert_eq!(binary("2", "application/json").await.body["accepted"], 1);
    assert_ne!(binary("3", "image/png").await.status, 415);
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
