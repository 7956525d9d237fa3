//! Input made to break, stall or fill the server: a clear answer, and the next request is served.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tidings_engine::Engine;
use tidings_testkit::{Failing, Faults, HandClock, MemoryStore, World, ports};

use crate::app::{TestApp, quick, send};
use crate::client::raw;
use crate::publish::gzip;

/// Asserts that the bytes are one answer, a problem with this status and code.
#[track_caller]
fn is_raw_problem(answer: &str, status: u16, code: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer in {answer:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(head.to_ascii_lowercase().contains("\r\ncontent-type: application/problem+json"), "{answer}");
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert_eq!((&body["status"], &body["code"]), (&json!(status), &json!(code)), "{answer}");
    assert!(body["detail"].is_string() && body["request_id"].is_string(), "{answer}");
}

/// Asserts that the bytes are one answer without a body, as given to what is not a request yet.
#[track_caller]
fn is_bare(answer: &str, status: u16) {
    let is_bare = answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.ends_with("\r\n\r\n");
    assert!(is_bare, "{status}: {answer:?}");
}

async fn is_served(app: &TestApp) {
    assert_eq!(app.get("/livez").await.status, 200);
}

fn head(app: &TestApp, rest: &str) -> Vec<u8> {
    let key = &app.admin;
    format!("POST /v1/events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n{rest}\r\n", app.address)
        .into_bytes()
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let app = TestApp::start().await;
    for path in ["/nope", "/v1/nope", "/v1/events/x/nope", "/v1/subscriptions/sub_x/!pause", "/v1/events:nope"] {
        let answer = app.get(path).await;
        answer.is_problem(404, "not_found");
    }
    let put = send(app.request(Method::PUT, "/v1/events")).await;
    put.is_problem(405, "method_not_allowed");
    assert!(put.header("allow").contains("POST"), "{}", put.header("allow"));
    app.get("/v1/ws").await.is_problem(426, "upgrade_required");
}

#[tokio::test]
async fn oversized_bodies_are_refused_declared_or_not() {
    let app = TestApp::start().await;
    let declared = raw(app.address, &[&head(&app, "content-length: 99999999\r\n")]).await;
    is_raw_problem(&declared, 413, "too_large");
    let big = vec![b' '; (16 << 20) + 1];
    let chunk = format!("{:x}\r\n", big.len());
    let chunked = raw(app.address, &[&head(&app, "transfer-encoding: chunked\r\n"), chunk.as_bytes(), &big]).await;
    is_raw_problem(&chunked, 413, "too_large");
    is_served(&app).await;
}

#[tokio::test]
async fn a_gzip_bomb_costs_no_more_than_the_limit() {
    let app = TestApp::start().await;
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100 << 10);
    let request = app.request(Method::POST, "/v1/events").header("content-type", "application/json");
    send(request.header("content-encoding", "gzip").body(bomb)).await.is_problem(413, "too_large");
    is_served(&app).await;
}

#[tokio::test]
async fn nesting_bad_text_and_odd_json_end_as_dead_letters() {
    let app = TestApp::start().await;
    let deep = format!("{{\"title\":\"x\",\"extra\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [(&[u8], &str); 5] = [
        (deep.as_bytes(), "too_deep"),
        (b"{\"title\":\"\xff\xfe\"}", "invalid_encoding"),
        (br#"{"title":"a","title":"b"}"#, "duplicate_key"),
        (br#"{"title":"a","lat":NaN,"lon":0}"#, "invalid_json"),
        (b"\0\0\0", "invalid_json"),
    ];
    for (body, code) in bodies {
        let answer = app.publish("application/json", body.to_vec()).await;
        answer.is_problem(422, "all_rejected");
        let result = &answer.body["results"][0];
        assert_eq!(result["problem"]["code"], code, "{}", answer.text);
        let raw = app.request(
            Method::GET,
            &format!("/v1/dead-letters/{}/raw", result["dead_letter_id"].as_str().expect("an id")),
        );
        let kept = raw.send().await.expect("an answer").bytes().await.expect("bytes");
        assert_eq!(kept, body);
    }
    is_served(&app).await;
}

#[tokio::test]
async fn a_million_headers_are_not_read() {
    let app = TestApp::start().await;
    let mut request = b"GET /livez HTTP/1.1\r\nhost: x\r\n".to_vec();
    for index in 0..1_000_000 {
        request.extend_from_slice(format!("h{index}: v\r\n").as_bytes());
    }
    let answer = raw(app.address, &[&request]).await;
    is_bare(&answer, 431);
    let mut few = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".to_vec();
    for index in 0..90 {
        few.extend_from_slice(format!("h{index}: v\r\n").as_bytes());
    }
    few.extend_from_slice(b"\r\n");
    assert!(raw(app.address, &[&few]).await.starts_with("HTTP/1.1 200"));
    let long = format!("GET /livez HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "v".repeat(1 << 20));
    let answer = raw(app.address, &[long.as_bytes()]).await;
    is_bare(&answer, 431);
    is_served(&app).await;
}

#[tokio::test]
async fn slow_heads_and_bodies_are_cut_off() {
    let app = TestApp::with(quick()).await;
    let slow_head = raw(app.address, &[b"GET /livez HTTP/1.1\r\nhost: x\r\n"]).await;
    // Nothing was asked yet that could be answered.
    assert_eq!(slow_head, "");
    assert_eq!(raw(app.address, &[b""]).await, "");
    let slow_body = raw(app.address, &[&head(&app, "content-length: 100\r\n"), b"{\"title\""]).await;
    is_raw_problem(&slow_body, 408, "request_timeout");
    is_served(&app).await;
}

#[tokio::test]
async fn broken_transfer_codings_are_refused() {
    let app = TestApp::start().await;
    let broken = raw(app.address, &[&head(&app, "transfer-encoding: chunked\r\n"), b"zz\r\nhello\r\n0\r\n\r\n"]).await;
    is_raw_problem(&broken, 400, "invalid_coding");
    let smuggled = raw(app.address, &[&head(&app, "content-length: 5\r\ncontent-length: 6\r\n"), b"hello"]).await;
    is_bare(&smuggled, 400);
    is_bare(&raw(app.address, &[b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"]).await, 400);
    is_served(&app).await;
}

#[tokio::test]
async fn a_store_that_refuses_is_503_and_one_that_is_lost_500() {
    let (store, clock) = (MemoryStore::new(), Arc::new(HandClock::default()));
    let faults = Faults::default();
    let mut ports = ports(&store, &clock, 7);
    ports.ledger = Arc::new(Failing::new(ports.ledger.clone(), faults.clone()));
    let (engine, running) = Engine::start(ports, tidings_engine::Options::default()).await.expect("starts");
    let app = TestApp::over(
        World {
            engine,
            running,
            clock,
            store,
            mailbox: tidings_testkit::Mailbox::default(),
            web: tidings_testkit::SmallWeb::default(),
        },
        tidings_http::Options::default(),
    )
    .await;
    faults.refuse_next(1);
    let refused = app.publish("application/json", r#"{"title":"x"}"#).await;
    refused.is_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    app.publish_one(json!({ "title": "again" })).await;
    faults.break_for_good();
    let lost = app.publish("application/json", r#"{"title":"x"}"#).await;
    lost.is_problem(500, "internal");
    is_served(&app).await;
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let app = TestApp::start().await;
    let answer = send(app.request(Method::GET, "/openapi.json").header("accept-encoding", "gzip")).await;
    assert_eq!((answer.status, answer.header("content-encoding")), (200, "gzip"));
}

#[tokio::test]
async fn all_bodies_together_have_a_limit() {
    let options = tidings_http::Options { body_bytes_in_work: 16 << 10, ..tidings_http::Options::default() };
    let app = TestApp::with(options).await;
    let answer = app.publish("application/json", format!("{{\"title\":\"{}\"}}", "x".repeat(40_000))).await;
    answer.is_problem(503, "overloaded");
    assert_eq!(answer.header("retry-after"), "1");
    app.publish_one(json!({ "title": "small" })).await;
}
