//! What operators see: health of each part, and every metric.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tidings_engine::{Engine, Role};
use tidings_testkit::{Failing, Faults, HandClock, MemoryStore, World, ports};

use crate::app::{Answer, TestApp};
use crate::client::Socket;

/// A server whose notifier's store fails on command.
async fn with_faults(faults: &Faults) -> TestApp {
    let (store, clock) = (MemoryStore::new(), Arc::new(HandClock::default()));
    let mut ports = ports(&store, &clock, 7);
    ports.deliveries = Arc::new(Failing::new(ports.deliveries.clone(), faults.clone()));
    let (engine, running) = Engine::start(ports, tidings_engine::Options::default()).await.expect("starts");
    TestApp::over(
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
    .await
}

async fn publish(app: &TestApp, id: &str) -> Answer {
    let event = json!({ "id": id, "title": "x" });
    crate::app::send(app.request(reqwest::Method::POST, "/v1/events").json(&event)).await
}

fn check<'a>(ready: &'a Answer, name: &str) -> &'a Value {
    let checks = ready.body["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name} in {}", ready.text))
}

#[tokio::test]
async fn a_notifier_that_ends_ends_intake_and_is_named() {
    let faults = Faults::default();
    let app = with_faults(&faults).await;
    let id = app.publish_one(json!({ "id": "1", "title": "x" })).await;
    faults.break_for_good();
    publish(&app, "2").await;
    assert_eq!(app.world.running.ended().await, Role::Notifier);
    let refused = publish(&app, "3").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "30"), "{}", refused.text);
    let ready = app.get("/readyz?verbose").await;
    ready.is_problem(503, "unavailable");
    let notifier = check(&ready, "notifier");
    assert!(notifier["detail"].as_str().is_some_and(|detail| detail.contains("notifier has stopped")), "{notifier}");
    assert_eq!((&check(&ready, "view")["ok"], &check(&ready, "owner")["ok"]), (&json!(true), &json!(true)));
    assert_eq!(app.get(&format!("/v1/events/{id}")).await.status, 200, "reads go on");
}

#[tokio::test]
async fn a_task_that_panics_is_seen_too() {
    let faults = Faults::default();
    let app = with_faults(&faults).await;
    faults.panic_from_now_on();
    publish(&app, "1").await;
    assert_eq!(app.world.running.ended().await, Role::Notifier);
    assert_eq!(publish(&app, "2").await.status, 503);
}

#[tokio::test]
async fn a_notifier_that_stands_still_is_said_while_intake_goes_on() {
    let faults = Faults::default();
    let app = with_faults(&faults).await;
    app.subscribe(json!({ "all": [] })).await;
    app.publish_one(json!({ "id": "1", "title": "x" })).await;
    faults.refuse_steps(true);
    app.world.clock.advance_millis(1_000);
    assert_eq!(publish(&app, "2").await.status, 202);
    app.world.clock.advance_millis(29_000);
    assert_eq!(app.get("/readyz").await.status, 200);
    app.world.clock.advance_millis(2_000);
    assert_eq!(publish(&app, "3").await.status, 202);
    let ready = app.get("/readyz").await;
    ready.is_problem(503, "unavailable");
    assert_eq!(check(&ready, "notifier")["detail"], "2 entries behind, the oldest for 31 s");
    let metrics = app.get("/metrics").await.text;
    for line in [
        "tidings_notify_stalled_seconds 31.0",
        "tidings_reader_lag_entries{reader=\"notifier\"} 2",
        "tidings_reader_lag_seconds{reader=\"notifier\"} 31.0",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    faults.refuse_steps(false);
    app.world.engine.decided(app.world.engine.head()).await;
    assert_eq!(app.get("/readyz").await.status, 200);
    assert!(app.get("/metrics").await.text.contains("tidings_notify_stalled_seconds 0.0"));
}

/// The value of a sample by its name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(name, value)| (name, value.parse().expect(name))).collect()
}

#[tokio::test]
async fn every_metric_is_fed_and_none_names_an_id() {
    let app = TestApp::start().await;
    app.subscribe(json!({ "category": "flood" })).await;
    let mut socket = Socket::with_key(app.address, &app.admin).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "inbox": true })).await;
    socket.expect("ready").await;
    for number in ["1", "2", "3", "3"] {
        app.publish("application/json", json!({ "id": number, "title": "x", "category": "flood" }).to_string()).await;
    }
    app.publish("application/json", r#"{"title":"bad","lat":91,"lon":0}"#).await;
    for _ in 0..3 {
        socket.expect("notification").await;
    }
    let text = app.get("/metrics").await.text;
    let samples = samples(&text);
    let exactly = [
        ("events_ingested_total{source=\"api\",result=\"accepted\"}", 3.0),
        ("events_ingested_total{source=\"api\",result=\"duplicate\"}", 1.0),
        ("events_ingested_total{source=\"api\",result=\"rejected\"}", 1.0),
        ("events_duplicate_total", 1.0),
        ("events_begun_total", 5.0),
        ("events_ended_total", 5.0),
        ("event_to_notification_seconds_count{channel=\"inbox\"}", 3.0),
        ("delivery_attempts_total{channel=\"inbox\",result=\"delivered\"}", 3.0),
        ("notifications_total", 3.0),
        ("dead_letters{stage=\"validate\"}", 1.0),
        ("queue_depth{queue=\"owner\"}", 0.0),
        ("queue_depth{queue=\"streams\"}", 0.0),
        ("reader_lag_entries{reader=\"notifier\"}", 0.0),
        ("reader_lag_seconds{reader=\"projector\"}", 0.0),
        ("notify_stalled_seconds", 0.0),
        ("subscriptions", 1.0),
        ("stream_clients{kind=\"websocket\"}", 1.0),
        ("stream_frames_total{kind=\"websocket\"}", 3.0),
        (concat!("build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
    ];
    for (name, value) in exactly {
        assert_eq!(samples.get(format!("tidings_{name}").as_str()), Some(&value), "{name} in\n{text}");
    }
    let stages =
        ["decode", "validate", "normalize", "enrich", "authorize", "resolve", "commit", "match", "decide", "deliver"];
    let counted = stages.map(|stage| format!("stage_duration_seconds_count{{stage=\"{stage}\"}}"));
    let some = ["match_duration_seconds_count", "stage_duration_seconds_count{stage=\"project\"}"];
    for name in counted.iter().map(String::as_str).chain(some) {
        assert!(
            samples.get(format!("tidings_{name}").as_str()).is_some_and(|count| *count >= 1.0),
            "{name} in\n{text}"
        );
    }
    let route = "tidings_http_request_duration_seconds_count{method=\"POST\",route=\"/v1/events\",status=\"202\"}";
    assert_eq!(samples.get(route), Some(&4.0), "{text}");
    for prefix in ["evt_", "thr_", "sub_", "usr_", "key_", "ntf_", "dlq_", "inc_", "tk_"] {
        assert!(!text.contains(prefix), "{prefix} in\n{text}");
    }
    // Every family that is declared has a sample.
    for family in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(samples.keys().any(|name| name.starts_with(family)), "{family} has no sample");
    }
}
