//! Keys with an end, with fewer scopes, replaced; roles of a tenant's own.

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;

use crate::app::{Answer, TestApp, send};

async fn put(app: &TestApp, name: &str, role: Value, if_match: Option<&str>) -> Answer {
    let request = app.request(Method::PUT, &format!("/v1/roles/{name}")).json(&role);
    send(match if_match {
        Some(etag) => request.header("if-match", etag),
        None => request,
    })
    .await
}

async fn key(app: &TestApp, body: Value) -> String {
    let made = app.post("/v1/keys", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["key"].as_str().expect("a key").to_owned()
}

async fn publish(app: &TestApp, key: &str, event: Value) -> Answer {
    let request = app.http.post(app.url("/v1/events")).bearer_auth(key).json(&event);
    let answer = send(request).await;
    app.world.engine.decided(app.world.engine.head()).await;
    answer
}

async fn as_key(app: &TestApp, key: &str, path: &str) -> Answer {
    send(app.http.get(app.url(path)).bearer_auth(key)).await
}

fn flood(id: &str, lat: f64, lon: f64) -> Value {
    json!({ "id": id, "title": "Flood", "category": "flood", "severity": "Severe", "lat": lat, "lon": lon })
}

fn in_millis(app: &TestApp, millis: i64) -> String {
    app.world.engine.clock().now().plus_millis(millis).to_string()
}

/// In and out of the square that the test's role is bound to.
const INSIDE: (f64, f64) = (1.5, 37.0);
const OUTSIDE: (f64, f64) = (48.0, 11.0);

async fn bounded(app: &TestApp) -> String {
    let role = json!({
        "scopes": ["events:read", "events:write", "subscriptions:*"],
        "sees": { "bbox": [34, -5, 42, 5] },
        "publishes": { "bbox": [34, -5, 42, 5], "category": ["flood", "weather"] },
    });
    let made = put(app, "curator-of-kenya", role, None).await;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{}", made.text);
    key(app, json!({ "role": "curator-of-kenya" })).await
}

#[tokio::test]
async fn a_role_publishes_what_its_bound_holds_for_and_nothing_else() {
    let app = TestApp::start().await;
    let key = bounded(&app).await;
    assert_eq!(publish(&app, &key, flood("a", INSIDE.0, INSIDE.1)).await.status, 202);
    for event in [
        flood("b", OUTSIDE.0, OUTSIDE.1),
        json!({ "id": "c", "title": "Quake", "category": "earthquake", "lat": INSIDE.0, "lon": INSIDE.1 }),
        json!({ "id": "d", "title": "Flood somewhere", "category": "flood" }),
        // One part within the bound does not carry another one past it.
        json!({ "id": "e", "title": "Flood and quake", "segments": [
            flood("", INSIDE.0, INSIDE.1),
            { "category": "earthquake", "event": "Quake", "geometry": { "type": "Point", "coordinates": [11.0, 48.0] } },
        ] }),
    ] {
        let refused = publish(&app, &key, event).await;
        refused.is_problem(422, "all_rejected");
        assert_eq!(refused.body["results"][0]["problem"]["code"], "event_not_permitted", "{}", refused.text);
    }
}

#[tokio::test]
async fn a_role_sees_what_its_bound_holds_for_in_every_read() {
    let app = TestApp::start().await;
    let key = bounded(&app).await;
    let made = send(
        app.http
            .post(app.url("/v1/subscriptions"))
            .bearer_auth(&key)
            .json(&json!({ "filter": { "category": "flood" } })),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let near = app.publish_one(flood("near", INSIDE.0, INSIDE.1)).await;
    let far = app.publish_one(flood("far", OUTSIDE.0, OUTSIDE.1)).await;
    app.projected().await;
    let ids = |answer: &Answer| -> Vec<String> {
        let data = answer.body["data"].as_array().expect("a list");
        data.iter().map(|it| it["event_id"].as_str().or(it["id"].as_str()).expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(&as_key(&app, &key, "/v1/events").await), [near.as_str()]);
    assert_eq!(ids(&as_key(&app, &key, "/v1/notifications").await), [near.as_str()]);
    for part in ["", "/versions", "/timeline", "/raw"] {
        assert_eq!(as_key(&app, &key, &format!("/v1/events/{near}{part}")).await.status, 200, "{part}");
        as_key(&app, &key, &format!("/v1/events/{far}{part}")).await.is_problem(404, "not_found");
    }
    let me = as_key(&app, &key, "/v1/me").await;
    assert_eq!((&me.body["role"], &me.body["sees"]), (&json!("curator-of-kenya"), &json!({ "bbox": [34, -5, 42, 5] })));

    // The role is made wider: the subscription follows, for what comes from now on.
    let wide = json!({ "scopes": ["events:read", "subscriptions:*"] });
    put(&app, "curator-of-kenya", wide.clone(), None).await.is_problem(428, "precondition_required");
    put(&app, "curator-of-kenya", wide.clone(), Some("\"9\"")).await.is_problem(412, "stale");
    let changed = put(&app, "curator-of-kenya", wide, Some("\"1\"")).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{}", changed.text);
    let later = app.publish_one(flood("later", OUTSIDE.0, OUTSIDE.1)).await;
    assert_eq!(ids(&as_key(&app, &key, "/v1/notifications").await), [later.as_str(), near.as_str()]);
    publish(&app, &key, flood("z", INSIDE.0, INSIDE.1)).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn nobody_gives_away_more_than_they_hold() {
    let app = TestApp::start().await;
    let scopes = json!({ "scopes": ["users:*", "events:read"] });
    assert_eq!(put(&app, "doorkeeper", scopes, None).await.status, 201);
    let doorkeeper = key(&app, json!({ "role": "doorkeeper" })).await;
    // A user with a key that may more: nobody acts in their name by a lesser one.
    let boss = app.post("/v1/keys", json!({ "role": "admin", "user": "boss" })).await;
    assert_eq!(boss.status, 201, "{}", boss.text);
    let ask = |method: Method, path: &str, body: Value| {
        app.http.request(method, app.url(path)).bearer_auth(&doorkeeper).json(&body)
    };
    let post_key = |body: Value| send(ask(Method::POST, "/v1/keys", body));
    for body in [
        json!({ "role": "admin" }),
        json!({ "role": "curator" }),
        json!({ "role": "doorkeeper", "user": "boss" }),
        json!({ "role": "doorkeeper", "issuers": ["noaa.gov"] }),
        json!({ "role": "doorkeeper", "issuers": ["*"] }),
        json!({ "role": "doorkeeper", "tenant": "other", "scopes": ["tenants:*"] }),
    ] {
        let refused = post_key(body.clone()).await;
        assert!([403, 422].contains(&refused.status), "{body}: {}", refused.text);
    }
    assert_eq!(post_key(json!({ "role": "admin", "scopes": ["events:read"], "issuers": [] })).await.status, 201);
    assert_eq!(post_key(json!({ "role": "doorkeeper" })).await.status, 201);
    send(ask(Method::PUT, "/v1/roles/king", json!({ "scopes": ["events:write"] }))).await.is_problem(403, "forbidden");
    let admin = app.principal(&app.admin).credential.key().expect("a key");
    let rotated = send(ask(Method::POST, &format!("/v1/keys/{admin}:rotate"), json!({}))).await;
    rotated.is_problem(403, "forbidden");
    // One who sees some events only makes neither roles nor keys that see others.
    let bound = json!({ "scopes": ["users:*", "events:read"], "sees": "category = flood" });
    assert_eq!(put(&app, "flood-desk", bound, None).await.status, 201);
    let bounded = key(&app, json!({ "role": "flood-desk" })).await;
    for (method, path, body) in [
        (Method::POST, "/v1/keys", json!({ "role": "doorkeeper" })),
        (Method::PUT, "/v1/roles/all-seeing", json!({ "scopes": ["events:read"] })),
    ] {
        let request = app.http.request(method, app.url(path)).bearer_auth(&bounded).json(&body);
        send(request).await.is_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn nobody_acts_for_or_ends_what_may_do_more_than_they() {
    let app = TestApp::start().await;
    assert_eq!(put(&app, "doorkeeper", json!({ "scopes": ["users:*", "events:read"] }), None).await.status, 201);
    assert_eq!(put(&app, "writer", json!({ "scopes": ["events:write"] }), None).await.status, 201);
    let doorkeeper = key(&app, json!({ "role": "doorkeeper" })).await;
    let ask = |method: Method, path: String, body: Value| {
        send(app.http.request(method, app.url(&path)).bearer_auth(&doorkeeper).header("if-match", "\"1\"").json(&body))
    };
    let id_of = |made: &Answer| made.body["id"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned();
    // A user has a lesser key and one that may more: who has the lesser anew acts as that user.
    let boss = app.post("/v1/keys", json!({ "role": "admin", "user": "boss" })).await;
    let lesser = app.post("/v1/keys", json!({ "role": "doorkeeper", "user": "boss" })).await;
    ask(Method::POST, format!("/v1/keys/{}:rotate", id_of(&lesser)), json!({})).await.is_problem(403, "forbidden");
    let hook = id_of(&app.post("/v1/inbound-webhooks", json!({ "name": "desk", "kind": "standard" })).await);
    let account = id_of(&app.post("/v1/service-accounts", json!({ "name": "scanner", "role": "curator" })).await);
    for (method, path) in [
        (Method::DELETE, format!("/v1/keys/{}", id_of(&boss))),
        (Method::DELETE, format!("/v1/inbound-webhooks/{hook}")),
        (Method::POST, format!("/v1/service-accounts/{account}:disable")),
        (Method::DELETE, format!("/v1/service-accounts/{account}")),
        (Method::DELETE, "/v1/roles/writer".to_owned()),
    ] {
        ask(method, path.clone(), json!({})).await.is_problem(403, "forbidden");
    }
    let cut = ask(Method::PUT, "/v1/roles/writer".to_owned(), json!({ "scopes": ["events:read"] })).await;
    cut.is_problem(403, "forbidden");
    assert_eq!(ask(Method::DELETE, format!("/v1/keys/{}", id_of(&lesser)), json!({})).await.status, 204);
}

#[tokio::test]
async fn who_speaks_for_some_issuers_makes_nobody_who_speaks_for_all() {
    let app = TestApp::start().await;
    let bound = key(&app, json!({ "role": "admin", "issuers": ["noaa.gov"] })).await;
    let invite = |by: &str, role: &str, email: &str| {
        let body = json!({ "email": email, "role": role });
        send(app.http.post(app.url("/v1/users")).bearer_auth(by).json(&body))
    };
    invite(&bound, "admin", "ann@example.org").await.is_problem(403, "forbidden");
    assert_eq!(invite(&bound, "viewer", "ann@example.org").await.status, 201);
    let boss = invite(&app.admin, "admin", "boss@example.org").await;
    assert_eq!(boss.status, 201, "{}", boss.text);
    for (user, body) in [("ann", json!({ "role": "admin" })), ("boss", json!({ "disabled": true }))] {
        let list = app.get("/v1/users").await;
        let all = list.body["data"].as_array().expect("a list");
        let of = |it: &&Value| it["email"] == format!("{user}@example.org");
        let id = all.iter().find(of).expect("invited")["id"].as_str().expect("an id");
        let path = app.url(&format!("/v1/users/{id}"));
        send(app.http.patch(path).bearer_auth(&bound).json(&body)).await.is_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_key_ends_when_it_says_and_holds_what_it_was_given() {
    let app = TestApp::start().await;
    let now = in_millis(&app, 0);
    app.post("/v1/keys", json!({ "role": "viewer", "expires": now })).await.is_problem(422, "invalid");
    let expires = in_millis(&app, 60_000);
    let short =
        key(&app, json!({ "role": "curator", "scopes": ["events:read"], "expires": expires, "name": "scanner" })).await;
    assert_eq!(as_key(&app, &short, "/v1/events").await.status, 200);
    publish(&app, &short, json!({ "title": "x" })).await.is_problem(403, "forbidden");
    let listed = app.get("/v1/keys").await;
    let shown = listed.body["data"].as_array().expect("keys").iter().find(|key| key["name"] == "scanner").expect("it");
    assert_eq!((&shown["scopes"], &shown["expires"]), (&json!(["events:read"]), &json!(expires)));
    app.world.clock.advance_millis(60_000);
    as_key(&app, &short, "/v1/events").await.is_problem(401, "unauthenticated");
    app.post("/v1/keys", json!({ "role": "viewer", "scopes": ["events:fly"] })).await.is_problem(422, "invalid");
    app.post("/v1/keys", json!({ "role": "nobody" })).await.is_problem(422, "invalid");
}

#[tokio::test]
async fn a_replaced_key_goes_on_for_its_overlap() {
    let app = TestApp::start().await;
    let made = app.post("/v1/keys", json!({ "role": "viewer", "user": "ann" })).await;
    let (old, id) = (made.body["key"].as_str().expect("a key"), made.body["id"].as_str().expect("an id"));
    let rotate = format!("/v1/keys/{id}:rotate");
    for wrong in [json!({ "overlap_seconds": -1 }), json!({ "overlap_seconds": 1e9 }), json!({ "x": 1 })] {
        app.post(&rotate, wrong).await.is_problem(422, "invalid");
    }
    let rotated = app.post(&rotate, json!({ "overlap_seconds": 60 })).await;
    assert_eq!((rotated.status, &rotated.body["user"]), (201, &made.body["user"]), "{}", rotated.text);
    let new = rotated.body["key"].as_str().expect("a key");
    assert!(new != old && rotated.body["id"] != made.body["id"]);
    for key in [old, new] {
        assert_eq!(as_key(&app, key, "/v1/me").await.status, 200);
    }
    app.world.clock.advance_millis(60_000);
    as_key(&app, old, "/v1/me").await.is_problem(401, "unauthenticated");
    assert_eq!(as_key(&app, new, "/v1/me").await.status, 200);
    app.post("/v1/keys/key_00000000000000000000000000:rotate", json!({})).await.is_problem(404, "not_found");
    let stranger = app.key_of("other", Role::Admin).await;
    let theirs = send(app.http.post(app.url(&rotate)).bearer_auth(&stranger).json(&json!({}))).await;
    theirs.is_problem(404, "not_found");
}

#[tokio::test]
async fn roles_are_read_whole_and_deleted_when_nobody_acts_as_them() {
    let app = TestApp::start().await;
    let wrong = json!({ "scopes": ["events:fly"], "sees": { "state": "active" }, "publishes": { "near": 5 }, "x": 1 });
    let refused = put(&app, "odd", wrong, None).await;
    refused.is_problem(422, "invalid");
    let pointers: Vec<&str> = refused.body["errors"]
        .as_array()
        .expect("faults")
        .iter()
        .map(|it| it["pointer"].as_str().expect("one"))
        .collect();
    assert_eq!(pointers, ["/scopes", "/x", "/sees", "/publishes/near"], "{}", refused.text);
    put(&app, "admin", json!({ "scopes": [] }), None).await.is_problem(403, "forbidden");
    put(&app, "No!", json!({ "scopes": [] }), None).await.is_problem(404, "not_found");
    assert_eq!(
        put(&app, "reader", json!({ "scopes": ["events:read"], "description": "Reads" }), None).await.status,
        201
    );
    let names = app.get("/v1/roles").await;
    let names: Vec<&Value> = names.body["data"].as_array().expect("roles").iter().map(|role| &role["name"]).collect();
    assert_eq!(names, ["admin", "curator", "viewer", "reader"]);
    let reader = key(&app, json!({ "role": "reader" })).await;
    let delete = |etag: &str| send(app.request(Method::DELETE, "/v1/roles/reader").header("if-match", etag.to_owned()));
    send(app.request(Method::DELETE, "/v1/roles/reader")).await.is_problem(428, "precondition_required");
    delete("\"1\"").await.is_problem(409, "conflict");
    let id = app.principal(&reader).credential.key().expect("a key");
    assert_eq!(send(app.request(Method::DELETE, &format!("/v1/keys/{id}"))).await.status, 204);
    delete("\"4\"").await.is_problem(412, "stale");
    assert_eq!(delete("\"1\"").await.status, 204);
    app.get("/v1/roles/reader").await.is_problem(404, "not_found");
}
