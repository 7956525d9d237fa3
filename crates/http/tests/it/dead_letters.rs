use reqwest::Method;
use serde_json::json;

use crate::app::{TestApp, send};

const BAD: &str = r#"{"title":"bad","lat":91,"lon":0}"#;

async fn one_letter(app: &TestApp) -> String {
    let answer = app.publish("application/json", BAD).await;
    answer.body["results"][0]["dead_letter_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_dead_letter_is_listed_grouped_and_shown_with_its_bytes() {
    let app = TestApp::start().await;
    let id = one_letter(&app).await;
    one_letter(&app).await;
    let list = app.get("/v1/dead-letters?cause=invalid_coordinates&limit=1").await;
    assert_eq!(list.body["data"].as_array().map(Vec::len), Some(1), "{}", list.text);
    let cursor = list.body["next_cursor"].as_str().expect("a cursor");
    let next = app.get(&format!("/v1/dead-letters?cause=invalid_coordinates&limit=1&cursor={cursor}")).await;
    assert_eq!((&next.body["data"][0]["id"], &next.body["next_cursor"]), (&json!(id), &json!(null)));
    let groups = app.get("/v1/dead-letters/groups").await;
    assert_eq!(
        (&groups.body["data"][0]["total"], &groups.body["data"][0]["code"]),
        (&json!(2), &json!("invalid_coordinates"))
    );
    let letter = app.get(&format!("/v1/dead-letters/{id}")).await;
    assert_eq!((&letter.body["state"], &letter.body["pointer"]), (&json!("parked"), &json!("/lat")), "{}", letter.text);
    let raw = app.get(&format!("/v1/dead-letters/{id}/raw")).await;
    assert_eq!(raw.text, BAD);
    app.get("/v1/dead-letters?cause=nope&stage=x").await.is_problem(400, "bad_parameter");
}

#[tokio::test]
async fn a_replay_with_an_edited_body_makes_the_event_and_leaves_one_letter() {
    let app = TestApp::start().await;
    let id = one_letter(&app).await;
    let path = format!("/v1/dead-letters/{id}:replay");
    let dry = app.post(&path, json!({ "dry_run": true })).await;
    assert_eq!(
        (&dry.body["outcome"], &dry.body["problem"]["code"]),
        (&json!("rejected"), &json!("invalid_coordinates")),
        "{}",
        dry.text
    );
    assert_eq!(app.post(&path, json!({})).await.body["outcome"], "rejected");
    let parked = app.get("/v1/dead-letters?state=parked").await;
    assert_eq!(parked.body["data"].as_array().map(Vec::len), Some(1), "{}", parked.text);
    let edited = app.post(&path, json!({ "body": { "title": "good", "lat": 9, "lon": 0 } })).await;
    assert_eq!(edited.body["outcome"], "accepted", "{}", edited.text);
    let event = app.get(&format!("/v1/events/{}", edited.body["events"][0].as_str().expect("an id"))).await;
    assert_eq!(event.body["title"], "good");
    let letter = app.get(&format!("/v1/dead-letters/{id}")).await;
    assert_eq!(
        (&letter.body["state"], letter.body["attempts"].as_array().map(Vec::len)),
        (&json!("replayed"), Some(2))
    );
}

/// Publishes what is refused; the id of its letter.
async fn refused(app: &TestApp, request: reqwest::RequestBuilder) -> String {
    let answer = send(request).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    app.world.engine.decided(app.world.engine.head()).await;
    answer.body["results"][0]["dead_letter_id"].as_str().expect("a letter").to_owned()
}

async fn replayed(app: &TestApp, letter: &str, body: serde_json::Value) -> serde_json::Value {
    let answer = app.post(&format!("/v1/dead-letters/{letter}:replay"), json!({ "body": body })).await;
    assert_eq!(answer.body["outcome"], "accepted", "{}", answer.text);
    app.get(&format!("/v1/events/{}", answer.body["events"][0].as_str().expect("an id"))).await.body
}

#[tokio::test]
async fn a_replay_is_read_with_the_headers_of_the_first_attempt() {
    let app = TestApp::start().await;
    let binary = app.request(Method::POST, "/v1/events").header("content-type", "application/json");
    let binary = binary.header("ce-specversion", "1.0").header("ce-id", "c-1").header("ce-type", "org.example.alarm");
    let letter = refused(&app, binary.header("ce-source", "").body("{}")).await;
    let kept = app.get(&format!("/v1/dead-letters/{letter}")).await;
    let headers = kept.body["envelope"]["headers"].as_array().expect("headers").len();
    assert_eq!(headers, 4, "{}", kept.text);
    let again = app.post(&format!("/v1/dead-letters/{letter}:replay"), json!({})).await;
    assert_eq!(again.body["problem"]["pointer"], "/source", "{}", again.text);

    let text = app.request(Method::POST, "/v1/events?severity=Severe&category=flood&lat=95&lon=0&id=t-1");
    let letter = refused(&app, text.header("content-type", "text/plain").body("water")).await;
    let again = app.post(&format!("/v1/dead-letters/{letter}:replay"), json!({})).await;
    assert_eq!(again.body["problem"]["pointer"], "/lat", "{}", again.text);
}

/// Without an id of its own a message is known by its key and place: the first attempt's.
#[tokio::test]
async fn a_replay_has_the_identity_of_the_first_attempt() {
    let app = TestApp::start().await;
    let batch = json!([{ "title": "good" }, { "title": "bad", "lat": 91, "lon": 0 }]);
    let request = app.http.post(app.url("/v1/events")).bearer_auth(&app.curator).header("idempotency-key", "k-1");
    let first = send(request.json(&batch)).await;
    let letter = first.body["results"][1]["dead_letter_id"].as_str().expect("a letter").to_owned();
    let mended = json!({ "title": "bad", "lat": 19, "lon": 0 });
    let event = replayed(&app, &letter, mended.clone()).await;

    let batch = json!([{ "title": "good" }, mended]);
    let request = app.http.post(app.url("/v1/events")).bearer_auth(&app.curator).header("idempotency-key", "k-1");
    let mended = send(request.json(&batch)).await;
    assert_eq!(mended.body["duplicates"], 2, "{}", mended.text);
    assert_eq!(mended.body["results"][1]["id"], event["id"]);
}

#[tokio::test]
async fn a_message_made_several_takes_no_numbers_of_those_beside_it() {
    let app = TestApp::start().await;
    let batch = json!([{ "title": "bad", "lat": 91, "lon": 0 }, { "title": "beside" }]);
    let first = app.publish("application/json", batch.to_string()).await;
    let letter = first.body["results"][0]["dead_letter_id"].as_str().expect("a letter").to_owned();
    let several = json!([{ "title": "one" }, { "title": "two" }]);
    let answer = app.post(&format!("/v1/dead-letters/{letter}:replay"), json!({ "body": several })).await;
    assert_eq!(answer.body["outcome"], "accepted", "{}", answer.text);
    let events = answer.body["events"].as_array().expect("events");
    assert!(events.len() == 2 && !events.contains(&first.body["results"][1]["id"]), "{}", answer.text);
}

#[tokio::test]
async fn letters_are_replayed_and_discarded_by_cause() {
    let app = TestApp::start().await;
    one_letter(&app).await;
    one_letter(&app).await;
    let dry = app.post("/v1/dead-letters:replay", json!({ "cause": "invalid_coordinates", "dry_run": true })).await;
    assert_eq!(dry.body["counts"]["rejected"], 2, "{}", dry.text);
    app.post("/v1/dead-letters:discard", json!({})).await.is_problem(422, "invalid");
    let gone = app.post("/v1/dead-letters:discard", json!({ "cause": "invalid_coordinates" })).await;
    assert_eq!(gone.body["discarded"], 2, "{}", gone.text);
    assert_eq!(app.get("/v1/dead-letters?state=parked").await.body["data"], json!([]));
}

#[tokio::test]
async fn a_viewer_may_not_look() {
    let app = TestApp::start().await;
    let request = app.http.request(Method::GET, app.url("/v1/dead-letters")).bearer_auth(&app.viewer);
    let answer = send(request).await;
    answer.is_problem(403, "forbidden");
    assert!(answer.header("www-authenticate").contains("dlq:*"));
}
