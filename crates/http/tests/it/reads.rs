use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;

use crate::app::{Answer, TestApp, send};
use crate::client::PATIENCE;

async fn three(app: &TestApp) -> Vec<String> {
    let mut ids = Vec::new();
    for (id, severity) in [("a", "Minor"), ("b", "Severe"), ("c", "Extreme")] {
        app.world.clock.advance_millis(1_000);
        let event = json!({ "id": id, "title": format!("quake {id}"), "category": "earthquake", "severity": severity,
            "lat": 10.0, "lon": 20.0, "magnitude": 5.0 });
        ids.push(app.publish_one(event).await);
    }
    app.projected().await;
    ids
}

impl TestApp {
    /// Waits until lists show everything.
    pub(crate) async fn projected(&self) {
        let head = self.world.engine.head().to_string();
        let caught_up = async {
            while self.get("/v1/events?limit=1").await.body["as_of"] != json!(head) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, caught_up).await.expect("the read view follows");
    }
}

fn titles(answer: &Answer) -> Vec<&str> {
    let data = answer.body["data"].as_array().unwrap_or_else(|| panic!("a page: {}", answer.text));
    data.iter().map(|event| event["title"].as_str().expect("a title")).collect()
}

#[tokio::test]
async fn lists_are_newest_first_and_paged_by_signed_cursors() {
    let app = TestApp::start().await;
    three(&app).await;
    let first = app.get("/v1/events?limit=2&category=earthquake").await;
    assert_eq!(titles(&first), ["quake c", "quake b"]);
    let cursor = first.body["next_cursor"].as_str().expect("a cursor");
    assert!(first.header("link").contains("rel=\"next\""), "{}", first.header("link"));
    let second = app.get(&format!("/v1/events?limit=2&category=earthquake&cursor={cursor}")).await;
    assert_eq!((titles(&second), &second.body["next_cursor"]), (vec!["quake a"], &Value::Null));
    app.get(&format!("/v1/events?limit=2&category=flood&cursor={cursor}")).await.is_problem(400, "bad_cursor");
    app.get("/v1/events?cursor=AAAA").await.is_problem(400, "bad_cursor");
}

#[tokio::test]
async fn keys_of_the_query_are_conditions() {
    let app = TestApp::start().await;
    three(&app).await;
    let check = async |query: &str, expected: usize| {
        let answer = app.get(&format!("/v1/events?{query}")).await;
        assert_eq!(titles(&answer).len(), expected, "{query}: {}", answer.text);
    };
    check("severity_min=Severe", 2).await;
    check("category=flood,earthquake", 3).await;
    check("category=flood", 0).await;
    check("measure=magnitude%3E%3D5", 3).await;
    check("measure=magnitude>5", 0).await;
    check("near=10,20&radius_km=5", 3).await;
    check("near=-10,20&radius_km=5", 0).await;
    check("bbox=19,9,21,11", 3).await;
    check("q=quake", 3).await;
    check("since=2026-01-01T00:00:03Z", 1).await;
    check("until=2026-01-01T00:00:03Z", 2).await;
    check("state=active&sort=-occurred", 3).await;
}

#[tokio::test]
async fn every_wrong_parameter_is_named_at_once() {
    let app = TestApp::start().await;
    let answer =
        app.get("/v1/events?limit=0&since=lunch&near=1,2&bbox=1&colour=red&sort=up&category=nope&measure=x").await;
    answer.is_problem(400, "bad_parameter");
    let errors = answer.body["errors"].as_array().expect("errors");
    let pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().expect("a pointer")).collect();
    for name in ["?limit", "?since", "?near", "?bbox", "?colour", "?sort", "?category", "?measure"] {
        assert!(pointers.contains(&name), "{name} in {pointers:?}");
    }
}

#[tokio::test]
async fn a_search_takes_a_filter_and_names_every_fault() {
    let app = TestApp::start().await;
    three(&app).await;
    let search = json!({ "filter": { "severity_min": "Severe" }, "q": "quake", "limit": 1 });
    let page = app.post("/v1/events:search", search.clone()).await;
    assert_eq!(titles(&page), ["quake c"]);
    let mut next = search;
    next["cursor"] = page.body["next_cursor"].clone();
    assert_eq!(titles(&app.post("/v1/events:search", next).await), ["quake b"]);
    let text = json!({ "filter": "category = earthquake" });
    assert_eq!(titles(&app.post("/v1/events:search", text).await).len(), 3);
    let wrong = json!({ "filter": { "category": "nope" }, "limit": 0, "since": 5, "colour": 1 });
    let answer = app.post("/v1/events:search", wrong).await;
    answer.is_problem(422, "invalid");
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(4), "{}", answer.text);
    app.post("/v1/events:search", json!({ "facets": ["category"] })).await.is_problem(422, "not_supported");
}

#[tokio::test]
async fn a_list_comes_in_the_form_asked_for() {
    let app = TestApp::start().await;
    three(&app).await;
    let as_form = async |accept: &str| send(app.request(Method::GET, "/v1/events").header("accept", accept)).await;
    let features = as_form("application/geo+json").await;
    assert_eq!(
        (features.header("content-type"), &features.body["type"]),
        ("application/geo+json", &json!("FeatureCollection"))
    );
    assert_eq!(features.body["features"][0]["geometry"]["type"], "Point");
    let lines = as_form("application/x-ndjson;q=0.9, text/html").await;
    assert_eq!(lines.text.lines().count(), 3);
    let table = as_form("text/csv").await;
    assert!(table.text.starts_with("id,thread_id,") && table.text.lines().count() == 4, "{}", table.text);
    as_form("image/png").await.is_problem(406, "not_acceptable");
}

#[tokio::test]
async fn an_event_tells_its_versions_life_and_bytes() {
    let app = TestApp::start().await;
    let first = app.publish_one(json!({ "id": "x", "title": "one" })).await;
    app.world.clock.advance_millis(5_000);
    let second = app.publish_one(json!({ "id": "x", "title": "two" })).await;
    let versions = app.get(&format!("/v1/events/{second}/versions")).await;
    assert_eq!(titles(&versions), ["one", "two"]);
    let old = app.get(&format!("/v1/events/{first}")).await;
    assert_eq!(old.body["superseded_by"], json!(second));
    let raw = app.get(&format!("/v1/events/{first}/raw")).await;
    assert_eq!((raw.body["title"].as_str(), raw.header("x-content-type-options")), (Some("one"), "nosniff"));
    app.projected().await;
    let steps = app.get(&format!("/v1/events/{first}/timeline")).await;
    assert_eq!(steps.body["data"][0]["step"], "received", "{}", steps.text);
    let names: Vec<&str> = (steps.body["data"].as_array().expect("steps").iter())
        .map(|step| step["step"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["received", "stored", "indexed"], "only what has a time of its own: {}", steps.text);
    assert_eq!(app.get(&format!("/v1/events/{first}?schema_version=1")).await.status, 200);
    app.get(&format!("/v1/events/{first}?schema_version=9")).await.is_problem(406, "not_acceptable");
    app.get("/v1/events/evt_00000000000000000000000000").await.is_problem(404, "not_found");
    app.get("/v1/events/nonsense").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn other_tenants_see_nothing() {
    let app = TestApp::start().await;
    let id = app.publish_one(json!({ "title": "mine" })).await;
    app.projected().await;
    let stranger = app.key_of("other", Role::Admin).await;
    for path in [format!("/v1/events/{id}"), format!("/v1/events/{id}/raw"), format!("/v1/events/{id}/versions")] {
        send(app.http.get(app.url(&path)).bearer_auth(&stranger)).await.is_problem(404, "not_found");
    }
    let list = send(app.http.get(app.url("/v1/events")).bearer_auth(&stranger)).await;
    assert_eq!(list.body["data"], json!([]));
}
