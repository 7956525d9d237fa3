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
