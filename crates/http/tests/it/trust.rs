//! The operator's view of who may speak for whom.

use serde_json::{Value, json};
use tidings_core::permission::Role;

use crate::app::{TestApp, send};
use crate::browser::{first_admin, invited};

#[tokio::test]
async fn every_binding_of_every_tenant_is_shown_to_the_operator_alone() {
    let app = TestApp::start().await;
    let new = json!({ "role": "curator", "user": "ann", "name": "feed", "issuers": ["usgs", "city.example"] });
    assert_eq!(app.post("/v1/keys", new).await.status, 201);
    let stranger = app.key_of("other", Role::Admin).await;
    let bound = json!({ "scopes": ["events:write"], "publishes": { "category": "flood" } });
    let put = app.http.put(app.url("/v1/roles/flood-desk")).bearer_auth(&stranger).json(&bound);
    assert_eq!(send(put).await.status, 201);
    let post = |body: Value| send(app.http.post(app.url("/v1/keys")).bearer_auth(&stranger).json(&body));
    assert_eq!(post(json!({ "role": "flood-desk", "issuers": ["usgs"] })).await.status, 201);
    assert_eq!(post(json!({ "role": "viewer", "issuers": ["usgs"] })).await.status, 201, "which may not publish");

    let trust = app.get("/v1/trust").await.body;
    let issuers = trust["issuers"].as_array().expect("a list");
    let of = |name: &str| issuers.iter().find(|it| it["issuer"] == name).unwrap_or_else(|| panic!("{name}: {trust}"));
    let usgs = of("usgs");
    assert_eq!((&usgs["registered"], &usgs["country"]), (&json!(true), &json!("US")));
    let speakers: Vec<(&Value, &Value)> =
        usgs["speakers"].as_array().expect("a list").iter().map(|it| (&it["tenant"], &it["role"])).collect();
    assert_eq!(speakers, [(&json!("default"), &json!("curator")), (&json!("other"), &json!("flood-desk"))]);
    assert_eq!(usgs["speakers"][0]["user_name"], json!("ann"));
    assert_eq!(usgs["speakers"][1]["publishes"], json!({ "category": "flood" }));
    assert_eq!(
        (&of("city.example")["registered"], of("dwd")["speakers"].as_array().map(Vec::len)),
        (&json!(false), Some(0))
    );
    let all: Vec<&Value> = trust["for_all"].as_array().expect("a list").iter().map(|it| &it["tenant"]).collect();
    assert_eq!(all, [&json!("default"), &json!("other")], "their Admins");
    assert_eq!(trust["own_name_only"], json!(1), "the curator of every test");
    assert_eq!(trust["for_all"][0]["people"], json!(0));
    send(app.http.get(app.url("/v1/trust")).bearer_auth(&stranger)).await.is_problem(403, "forbidden");
    let page = send(app.http.get(app.url("/admin/trust"))).await;
    assert!(page.status == 200 && page.text.contains("/page/trust.js"), "{}", page.text);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(send(app.http.get(app.url("/page/trust.js"))).await.status, 200);
}

#[tokio::test]
async fn people_who_speak_for_all_are_counted_as_long_as_they_may_enter() {
    let app = TestApp::start().await;
    let anna = first_admin(&app).await;
    let people = async || app.get("/v1/trust").await.body["for_all"][0]["people"].clone();
    assert_eq!(people().await, json!(1));
    let waiting = anna.post("/v1/users", json!({ "email": "late@example.org", "role": "admin" })).await;
    assert_eq!((waiting.status, people().await), (201, json!(1)), "one who has not come yet");
    invited(&app, &anna, "curator@example.org", "curator").await;
    assert_eq!(people().await, json!(1), "one who speaks for themselves");
    let bela = invited(&app, &anna, "bela@example.org", "admin").await;
    assert_eq!(people().await, json!(2));
    let user = bela.get("/v1/me").await.body["user"].as_str().expect("an id").to_owned();
    let disable = anna.request(reqwest::Method::PATCH, &format!("/v1/users/{user}")).json(&json!({ "disabled": true }));
    assert_eq!(send(disable).await.status, 200);
    assert_eq!(people().await, json!(1));
}
