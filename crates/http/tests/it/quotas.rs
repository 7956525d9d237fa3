//! What a tenant may have: refused beyond it with what there is to know, counted over restarts.

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;
use tidings_testkit::World;

use crate::app::{Answer, TestApp, send};
use crate::client::{End, Socket};

/// Gives a tenant that nobody has changed quotas.
async fn allow(app: &TestApp, tenant: &str, revision: u32, quotas: Value) {
    let path = format!("/v1/tenants/{tenant}");
    let patch = app.request(Method::PATCH, &path).header("if-match", format!("\"{revision}\""));
    let changed = send(patch.json(&json!({ "quotas": quotas }))).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
}

async fn post(app: &TestApp, key: &str, path: &str, body: Value) -> Answer {
    send(app.http.post(app.url(path)).bearer_auth(key).json(&body)).await
}

async fn usage(app: &TestApp, key: &str) -> Value {
    send(app.http.get(app.url("/v1/tenant")).bearer_auth(key)).await.body["usage"].clone()
}

#[tokio::test]
async fn events_of_a_day_are_counted_and_come_back_with_the_next() {
    let app = TestApp::start().await;
    let operator = json!({ "branding": { "contact": "ops@example.org" } });
    let patch = app.request(Method::PATCH, "/v1/tenants/default").header("if-match", "\"0\"").json(&operator);
    assert_eq!(send(patch).await.status, 200);
    let key = app.key_of("acme", Role::Admin).await;
    let other = app.key_of("other", Role::Admin).await;
    allow(&app, "acme", 0, json!({ "events_per_day": 3 })).await;
    let events: Vec<Value> = (0..3).map(|number| json!({ "id": number.to_string(), "title": "x" })).collect();
    assert_eq!(post(&app, &key, "/v1/events", json!(events)).await.status, 202);
    assert_eq!(post(&app, &key, "/v1/events", json!(events)).await.status, 429, "also where it is a copy");
    let refused = post(&app, &key, "/v1/events", json!({ "title": "y" })).await;
    refused.is_problem(429, "quota_reached");
    let quota = &refused.body["quota"];
    assert_eq!((&quota["name"], &quota["limit"], &quota["used"]), (&json!("events_per_day"), &json!(3), &json!(3)));
    let (frees, detail) = (quota["frees"].as_str().expect("a time"), refused.body["detail"].as_str().expect("words"));
    assert!(
        frees.ends_with("T00:00:00.000Z") && detail.contains(frees) && detail.contains("ops@example.org"),
        "{detail}"
    );
    let wait: i64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=86_401).contains(&wait), "{wait}");
    assert_eq!(post(&app, &other, "/v1/events", json!({ "title": "y" })).await.status, 202, "others go on");
    assert_eq!(usage(&app, &key).await["events_today"], json!(3));
    app.world.clock.advance_millis(wait * 1_000);
    assert_eq!(usage(&app, &key).await["events_today"], json!(0));
    assert_eq!(post(&app, &key, "/v1/events", json!({ "title": "y" })).await.status, 202);
    assert_eq!(usage(&app, &key).await["events_today"], json!(1));
}

#[tokio::test]
async fn storage_is_counted_with_what_was_refused_and_over_restarts() {
    let app = TestApp::start().await;
    let key = app.key_of("acme", Role::Admin).await;
    allow(&app, "acme", 0, json!({ "storage_bytes": 4_000 })).await;
    assert_eq!(usage(&app, &key).await["storage_bytes"], json!(0));
    let bad = json!({ "title": "x".repeat(1_000), "lat": 99, "lon": 0 });
    post(&app, &key, "/v1/events", bad).await.is_problem(422, "all_rejected");
    let after_bad = usage(&app, &key).await["storage_bytes"].as_u64().expect("a number");
    assert!((1_000..1_200).contains(&after_bad), "the bytes as received: {after_bad}");
    let big = json!({ "title": "x".repeat(1_000), "extra": "y".repeat(1_000) });
    assert_eq!(post(&app, &key, "/v1/events", big).await.status, 202);
    let used = usage(&app, &key).await["storage_bytes"].as_u64().expect("a number");
    assert!(used > after_bad + 4_000, "received and stored: {used}");
    let refused = post(&app, &key, "/v1/events", json!({ "title": "y" })).await;
    refused.is_problem(429, "quota_reached");
    assert_eq!((&refused.body["quota"]["name"], refused.body["quota"].get("frees")), (&json!("storage_bytes"), None));
    let operator = app.get("/v1/tenants/acme").await.body;
    assert_eq!(operator["usage"]["storage_bytes"], json!(used));
    let (store, clock) = (app.world.store.clone(), app.world.clock.clone());
    app.stop().await;
    let again = World::over(store, clock).await;
    assert_eq!(again.engine.usage(&"acme".parse().expect("a tenant")).storage_bytes, used);
}

#[tokio::test]
async fn subscriptions_and_streams_are_those_of_all_users() {
    let app = TestApp::start().await;
    let keys = [app.key_of("acme", Role::Admin).await, app.key_of("acme", Role::Viewer).await];
    allow(&app, "acme", 0, json!({ "subscriptions": 2, "streams": 2 })).await;
    let mut sockets = Vec::new();
    for key in &keys {
        assert_eq!(post(&app, key, "/v1/subscriptions", json!({ "filter": {} })).await.status, 201);
        sockets.push(Socket::with_key(app.address, key).await);
    }
    for key in &keys {
        let refused = post(&app, key, "/v1/subscriptions", json!({ "filter": {} })).await;
        refused.is_problem(429, "quota_reached");
        assert_eq!(refused.body["quota"]["name"], json!("subscriptions"));
        let refused = send(app.http.get(app.url("/v1/stream?inbox=true")).bearer_auth(key)).await;
        refused.is_problem(429, "quota_reached");
        assert_eq!(refused.body["quota"], json!({ "name": "streams", "limit": 2, "used": 2 }));
    }
    let mut late = Socket::open(app.address, &[]).await.expect("opens");
    late.say(json!({ "op": "auth", "token": keys[0] })).await;
    assert_eq!(late.hear().await, Err(End::Code(4429)));
    assert_eq!(usage(&app, &keys[0]).await["streams"], json!(2));
    let other = app.key_of("other", Role::Viewer).await;
    drop(Socket::with_key(app.address, &other).await);
    // A deleted one frees its place, and a changed one takes none.
    let subscriptions = send(app.http.get(app.url("/v1/subscriptions")).bearer_auth(&keys[0])).await;
    let id = subscriptions.body["data"][0]["id"].as_str().expect("an id");
    let path = format!("/v1/subscriptions/{id}");
    let patch = app.http.patch(app.url(&path)).bearer_auth(&keys[0]).json(&json!({ "name": "x" }));
    assert_eq!(send(patch).await.status, 200);
    assert_eq!(send(app.http.delete(app.url(&path)).bearer_auth(&keys[0])).await.status, 204);
    assert_eq!(post(&app, &keys[1], "/v1/subscriptions", json!({ "filter": {} })).await.status, 201);
    allow(&app, "acme", 1, json!({ "subscriptions": null, "streams": null })).await;
    assert_eq!(post(&app, &keys[1], "/v1/subscriptions", json!({ "filter": {} })).await.status, 201);
}
