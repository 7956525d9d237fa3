use reqwest::Method;
use serde_json::json;

use crate::app::{TestApp, send};

#[tokio::test]
async fn a_subscription_is_made_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let made = app.post("/v1/subscriptions", json!({ "name": "Quakes", "filter": { "category": "earthquake" } })).await;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{}", made.text);
    let id = made.body["id"].as_str().expect("an id");
    let path = format!("/v1/subscriptions/{id}");
    assert_eq!(made.header("location"), path);
    assert_eq!((&made.body["broad"], &made.body["updates"]), (&json!(false), &json!("until_cancelled")));
    assert!(made.body["filter_text"].as_str().expect("a text").contains("earthquake"));
    assert!(made.body.get("tenant").is_none() && made.body.get("sees_devices").is_none());

    let patch = |body: serde_json::Value| app.request(Method::PATCH, &path).json(&body);
    let changed = send(patch(json!({ "name": null, "updates": "all" })).header("if-match", "\"1\"")).await;
    assert_eq!((changed.status, &changed.body["revision"]), (200, &json!(2)), "{}", changed.text);
    assert!(changed.body.get("name").is_none());
    let near = json!({ "filter": { "near": { "lat": 1, "lon": 2, "radius_km": 3 } } });
    let merged = send(patch(near)).await;
    assert_eq!(merged.body["filter"]["category"], "earthquake", "{}", merged.text);
    let apart = send(patch(json!({ "filter": { "category": null } }))).await;
    assert!(
        apart.body["filter"].get("category").is_none() && apart.body["filter"].get("near").is_some(),
        "{}",
        apart.text
    );
    let stale = send(patch(json!({ "updates": "first" })).header("if-match", "\"1\"")).await;
    stale.is_problem(412, "stale");
    assert_eq!((stale.header("etag"), &stale.body["revision"]), ("\"4\"", &json!(4)));

    assert_eq!(app.get("/v1/subscriptions").await.body["data"][0]["id"], id);
    let deleted = send(app.request(Method::DELETE, &path)).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    app.get(&path).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_wrong_subscription_names_all_its_faults() {
    let app = TestApp::start().await;
    let wrong = json!({ "filter": { "category": "nope", "near": { "lat": 95, "lon": 0, "radius_km": 5 } }, "updates": "often" });
    let answer = app.post("/v1/subscriptions", wrong).await;
    answer.is_problem(422, "invalid");
    assert!(answer.body["errors"].as_array().is_some_and(|errors| errors.len() >= 3), "{}", answer.text);
    let unsupported = json!({ "filter": {}, "digest": { "every": "P1D" } });
    app.post("/v1/subscriptions", unsupported).await.is_problem(422, "not_supported");
    app.post("/v1/subscriptions", json!({})).await.is_problem(422, "invalid");
    let text = app.request(Method::POST, "/v1/subscriptions").header("content-type", "text/plain").body("x");
    send(text).await.is_problem(415, "unsupported_media_type");
    let list = app.request(Method::POST, "/v1/subscriptions").header("content-type", "application/json").body("[1");
    send(list).await.is_problem(422, "invalid");
}

#[tokio::test]
async fn a_pause_holds_until_it_is_ended() {
    let app = TestApp::start().await;
    let id = app.subscribe(json!({})).await["id"].as_str().expect("an id").to_owned();
    let paused = app.post(&format!("/v1/subscriptions/{id}:pause"), json!({ "until": "2026-06-01T00:00:00Z" })).await;
    assert_eq!(
        (paused.status, &paused.body["paused_until"]),
        (200, &json!("2026-06-01T00:00:00.000Z")),
        "{}",
        paused.text
    );
    app.publish_one(json!({ "title": "unheard" })).await;
    assert_eq!(app.get("/v1/notifications").await.body["data"], json!([]));
    let resumed = app.post(&format!("/v1/subscriptions/{id}:resume"), json!({})).await;
    assert_eq!((resumed.status, &resumed.body["paused_until"]), (200, &json!(null)), "{}", resumed.text);
    app.publish_one(json!({ "title": "heard" })).await;
    assert_eq!(app.get("/v1/notifications").await.body["data"][0]["title"], "heard");
    let bare = send(app.request(Method::POST, &format!("/v1/subscriptions/{id}:pause"))).await;
    assert_eq!(bare.status, 200, "{}", bare.text);
    app.post(&format!("/v1/subscriptions/{id}:dance"), json!({})).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn the_inbox_is_paged_acknowledged_and_explained() {
    let app = TestApp::start().await;
    let subscription =
        app.subscribe(json!({ "category": "earthquake" })).await["id"].as_str().expect("an id").to_owned();
    let mut ids = Vec::new();
    for index in 0..3 {
        let event = json!({ "id": format!("q{index}"), "title": format!("quake {index}"), "category": "earthquake" });
        ids.push(app.publish_one(event).await);
    }
    let first = app.get("/v1/notifications?limit=2").await;
    let notices = first.body["data"].as_array().expect("a page");
    assert_eq!((notices.len(), &notices[0]["title"], &notices[0]["kind"]), (2, &json!("quake 2"), &json!("new")));
    assert_eq!(notices[0]["event"]["id"], json!(ids[2]));
    let cursor = first.body["next_cursor"].as_str().expect("a cursor");
    let second = app.get(&format!("/v1/notifications?limit=2&cursor={cursor}")).await;
    assert_eq!(second.body["data"].as_array().map(Vec::len), Some(1), "{}", second.text);
    assert_eq!(second.body["next_cursor"], json!(null));

    let acknowledged = app.post("/v1/notifications:ack", json!({ "cursor": notices[1]["cursor"] })).await;
    assert_eq!(acknowledged.status, 204, "{}", acknowledged.text);
    let read: Vec<bool> = app.get("/v1/notifications").await.body["data"]
        .as_array()
        .expect("a page")
        .iter()
        .map(|notice| notice["read"].as_bool().expect("a flag"))
        .collect();
    assert_eq!(read, [false, true, true]);
    app.post("/v1/notifications:ack", json!({ "cursor": "x" })).await.is_problem(400, "bad_cursor");

    let why = app.get(&format!("/v1/events/{}/explain?subscription={subscription}", ids[0])).await;
    assert_eq!(
        (why.status, &why.body["decision"], &why.body["matched"]),
        (200, &json!("notified"), &json!(true)),
        "{}",
        why.text
    );
    app.get(&format!("/v1/events/{}/explain", ids[0])).await.is_problem(400, "bad_parameter");
}
