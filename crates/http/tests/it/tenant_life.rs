//! Tenants made, changed, suspended, resumed and erased by the operator.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;
use tidings_core::port::{Fence, RecordStore, Shelf};

use crate::app::{Answer, TestApp, send};
use crate::client::{End, PATIENCE, Socket};

async fn with(app: &TestApp, method: Method, path: &str, etag: &str, body: Value) -> Answer {
    send(app.request(method, path).header("if-match", etag).json(&body)).await
}

async fn as_key(app: &TestApp, key: &str, path: &str) -> Answer {
    send(app.http.get(app.url(path)).bearer_auth(key)).await
}

async fn publish(app: &TestApp, key: &str, title: &str) -> Answer {
    send(app.http.post(app.url("/v1/events")).bearer_auth(key).json(&json!({ "title": title }))).await
}

/// The titles of the notices in an inbox.
async fn inbox(app: &TestApp, key: &str) -> Vec<String> {
    app.world.engine.decided(app.world.engine.head()).await;
    let answer = as_key(app, key, "/v1/notifications").await;
    let data = answer.body["data"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
    data.iter().map(|notice| notice["title"].as_str().expect("a title").to_owned()).collect()
}

/// Waits until a tenant is erased.
async fn erased(app: &TestApp, id: &str) -> Value {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let tenant = app.get(&format!("/v1/tenants/{id}")).await.body;
            if tenant["state"] == "erased" {
                return tenant;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("in time")
}

#[tokio::test]
async fn a_tenant_is_made_with_its_first_key_or_by_name_and_changed() {
    let app = TestApp::start().await;
    let made = app.post("/v1/tenants", json!({ "id": "acme", "branding": { "display_name": "Acme" } })).await;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{}", made.text);
    assert_eq!((&made.body["state"], &made.body["reads"]), (&json!("active"), &json!(["public"])));
    app.post("/v1/tenants", json!({ "id": "acme" })).await.is_problem(409, "conflict");
    let wrong = app.post("/v1/tenants", json!({ "id": "No!", "reads": ["nobody"], "state": "erased" })).await;
    wrong.is_problem(422, "invalid");
    assert_eq!(wrong.body["errors"].as_array().map(Vec::len), Some(3), "{}", wrong.text);
    app.key_of("implied", Role::Viewer).await;
    let ids: Vec<Value> = app.get("/v1/tenants").await.body["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    assert_eq!(ids, ["acme", "default", "implied"]);
    let implied = app.get("/v1/tenants/implied").await;
    assert_eq!((implied.header("etag"), &implied.body["revision"]), ("\"0\"", &json!(0)));
    app.get("/v1/tenants/nobody").await.is_problem(404, "not_found");

    let patch =
        json!({ "branding": { "contact": "ops@acme.example", "display_name": null }, "quotas": { "streams": 2 } });
    with(&app, Method::PATCH, "/v1/tenants/acme", "\"9\"", patch.clone()).await.is_problem(412, "stale");
    send(app.request(Method::PATCH, "/v1/tenants/acme").json(&patch)).await.is_problem(428, "precondition_required");
    let changed = with(&app, Method::PATCH, "/v1/tenants/acme", "\"1\"", patch).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{}", changed.text);
    assert_eq!(changed.body["branding"], json!({ "contact": "ops@acme.example" }));
    assert_eq!(changed.body["quotas"], json!({ "streams": 2 }));
    let audit = app.get("/v1/audit?limit=1000").await;
    assert!(audit.text.contains("tenant.change") && !audit.text.contains("ops@acme"), "the operator's log outlives it");
}

#[tokio::test]
async fn what_a_tenant_reads_follows_at_once() {
    let app = TestApp::start().await;
    let reader = app.key_of("reader", Role::Admin).await;
    let source = app.key_of("source", Role::Admin).await;
    let subscribe = app.http.post(app.url("/v1/subscriptions")).bearer_auth(&reader).json(&json!({ "filter": {} }));
    assert_eq!(send(subscribe).await.status, 201);
    assert_eq!(publish(&app, &source, "before").await.status, 202);
    let changed = with(&app, Method::PATCH, "/v1/tenants/reader", "\"0\"", json!({ "reads": ["source"] })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(publish(&app, &source, "after").await.status, 202);
    assert_eq!(inbox(&app, &reader).await, ["after"]);
    app.projected().await;
    assert!(as_key(&app, &reader, "/v1/events").await.text.contains("before"), "it sees all of it");
    let changed = with(&app, Method::PATCH, "/v1/tenants/reader", "\"1\"", json!({ "reads": [] })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(publish(&app, &source, "too late").await.status, 202);
    app.projected().await;
    assert!(!as_key(&app, &reader, "/v1/events").await.text.contains("before"), "and nothing of it");
    assert_eq!(inbox(&app, &reader).await.len(), 0, "what may not be seen is not shown");
}

#[tokio::test]
async fn a_suspended_tenant_is_told_so_and_nothing_else_until_it_is_resumed() {
    let app = TestApp::start().await;
    let key = app.key_of("acme", Role::Admin).await;
    let public = app.key_of("public", Role::Admin).await;
    let subscribe = app.http.post(app.url("/v1/subscriptions")).bearer_auth(&key).json(&json!({ "filter": {} }));
    assert_eq!(send(subscribe).await.status, 201);
    publish(&app, &public, "first").await;
    assert_eq!(inbox(&app, &key).await, ["first"]);
    let mut socket = Socket::with_key(app.address, &key).await;
    socket.say(json!({ "op": "subscribe", "sub": "i", "inbox": true })).await;
    socket.expect("ready").await;
    let mut stream = app.http.get(app.url("/v1/stream?inbox=true")).bearer_auth(&key).send().await.expect("an answer");

    let suspend = |body: Value| app.post("/v1/tenants/acme:suspend", body);
    suspend(json!({ "reason": "a\nb", "x": 1 })).await.is_problem(422, "invalid");
    let suspended = suspend(json!({ "reason": "The trial has ended" })).await;
    assert_eq!((suspended.status, &suspended.body["state"]), (200, &json!("suspended")), "{}", suspended.text);
    socket.expect("bye").await;
    assert_eq!(socket.hear().await, Err(End::Code(4403)));
    let rest = async { while stream.chunk().await.is_ok_and(|chunk| chunk.is_some()) {} };
    tokio::time::timeout(PATIENCE, rest).await.expect("the stream ends");
    for path in ["/v1/me", "/v1/events", "/v1/notifications", "/v1/stream?inbox=true"] {
        let refused = as_key(&app, &key, path).await;
        refused.is_problem(403, "tenant_suspended");
        assert!(
            refused.body["detail"].as_str().is_some_and(|it| it.contains("The trial has ended")),
            "{}",
            refused.text
        );
    }
    publish(&app, &key, "of its own").await.is_problem(403, "tenant_suspended");
    let session = send(app.http.post(app.url("/v1/session")).json(&json!({ "key": key }))).await;
    session.is_problem(403, "tenant_suspended");
    assert_eq!(session.header("set-cookie"), "");
    let mut late = Socket::open(app.address, &[]).await.expect("opens");
    late.say(json!({ "op": "auth", "token": key })).await;
    late.expect("bye").await;
    assert_eq!(late.hear().await, Err(End::Code(4403)));
    publish(&app, &public, "second").await;

    let resumed = app.post("/v1/tenants/acme:resume", json!({})).await;
    assert_eq!((resumed.status, &resumed.body["state"]), (200, &json!("active")), "{}", resumed.text);
    publish(&app, &public, "third").await;
    assert_eq!(inbox(&app, &key).await, ["third", "first"], "what came meanwhile is not told");
    assert_eq!(publish(&app, &key, "of its own").await.status, 202);
    for id in ["default", "public"] {
        app.post(&format!("/v1/tenants/{id}:suspend"), json!({})).await.is_problem(409, "conflict");
        with(&app, Method::DELETE, &format!("/v1/tenants/{id}"), "\"0\"", json!({})).await.is_problem(409, "conflict");
    }
}

#[tokio::test]
async fn people_who_were_in_a_deleted_tenant_only_are_forgotten() {
    let app = TestApp::start().await;
    let key = app.key_of("acme", Role::Admin).await;
    let other = app.key_of("other", Role::Admin).await;
    let invite = |key: &str, email: &str| {
        let body = json!({ "email": email, "role": "viewer" });
        send(app.http.post(app.url("/v1/users")).bearer_auth(key).json(&body))
    };
    for (key, email) in [(&key, "ann@acme.example"), (&key, "both@acme.example"), (&other, "both@acme.example")] {
        let invited = invite(key, email).await;
        assert_eq!(invited.status, 201, "{}", invited.text);
    }
    let session = send(app.http.post(app.url("/v1/session")).json(&json!({ "key": key }))).await;
    assert!(session.status < 300, "{}", session.text);
    let kept = async |shelf: Shelf| -> Vec<String> {
        let found = app.world.store.records(&Fence::Server, shelf, "", None, 100).await.expect("memory can be read");
        found.into_iter().map(|(_, record)| String::from_utf8_lossy(&record.body).into_owned()).collect()
    };
    let links = kept(Shelf::Link).await.len();
    assert_eq!((kept(Shelf::Account).await.len(), kept(Shelf::Session).await.len()), (2, 1));
    assert_eq!(with(&app, Method::DELETE, "/v1/tenants/acme", "\"0\"", json!({})).await.status, 202);
    erased(&app, "acme").await;
    let accounts = kept(Shelf::Account).await;
    assert!(accounts.len() == 1 && accounts[0].contains("both@acme.example"), "{accounts:?}");
    assert!(!accounts[0].contains("\"acme\""), "{accounts:?}");
    let left = (kept(Shelf::Email).await.len(), kept(Shelf::Session).await.len(), kept(Shelf::SessionOf).await.len());
    assert_eq!((left, kept(Shelf::Link).await.len()), ((1, 0, 0), links - 2));
    assert_eq!(invite(&other, "ann@acme.example").await.status, 201, "the address is free");
}

#[tokio::test]
async fn a_deleted_tenant_is_closed_at_once_and_leaves_a_proof() {
    let app = TestApp::start().await;
    let key = app.key_of("acme", Role::Admin).await;
    let reader = app.key_of("reader", Role::Admin).await;
    let changed =
        with(&app, Method::PATCH, "/v1/tenants/reader", "\"0\"", json!({ "reads": ["acme", "public"] })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    for key in [&key, &reader] {
        let subscribe = app.http.post(app.url("/v1/subscriptions")).bearer_auth(key).json(&json!({ "filter": {} }));
        assert_eq!(send(subscribe).await.status, 201);
    }
    let accepted = publish(&app, &key, "marmalade").await;
    let id = accepted.body["results"][0]["id"].as_str().expect("an id").to_owned();
    let branding = json!({ "branding": { "display_name": "marmalade" } });
    assert_eq!(with(&app, Method::PATCH, "/v1/tenants/acme", "\"0\"", branding).await.status, 200);
    assert_eq!(inbox(&app, &reader).await, ["marmalade"]);
    app.projected().await;

    send(app.request(Method::DELETE, "/v1/tenants/acme")).await.is_problem(428, "precondition_required");
    with(&app, Method::DELETE, "/v1/tenants/acme", "\"0\"", json!({})).await.is_problem(412, "stale");
    let counted = send(app.request(Method::DELETE, "/v1/tenants/acme?dry_run=true")).await;
    assert_eq!((counted.status, &counted.body["rows"]["id"]), (200, &json!(1)), "{}", counted.text);
    let end = as_key(&app, &key, "/v1/audit?limit=1000").await.body["data"].as_array().map(Vec::len).expect("a list");
    let deleted = with(&app, Method::DELETE, "/v1/tenants/acme", "\"1\"", json!({})).await;
    assert_eq!(deleted.status, 202, "{}", deleted.text);
    let refused = as_key(&app, &key, "/v1/me").await;
    assert!([401, 403].contains(&refused.status), "{}", refused.text);

    let tenant = erased(&app, "acme").await;
    let proof = &tenant["proof"];
    assert_eq!(proof["audit_end"]["number"], json!(end + 1), "the deletion is the last entry: {tenant}");
    assert!(proof["removed"]["id"] == 1 && proof["removed"]["log"].as_u64() >= Some(4), "{tenant}");
    assert!(!tenant.to_string().contains("marmalade"), "{tenant}");
    as_key(&app, &key, "/v1/me").await.is_problem(401, "unauthenticated");
    for path in ["/v1/events?latest=false", "/v1/notifications", "/v1/audit?limit=1000", &format!("/v1/events/{id}")] {
        for key in [&reader, &app.admin] {
            let answer = as_key(&app, key, path).await;
            assert!(!answer.text.contains("marmalade"), "{path}: {}", answer.text);
        }
    }
    let audit = app.get("/v1/audit?limit=1000").await;
    let said = audit.body["data"].as_array().expect("a list").iter().find(|entry| entry["action"] == "tenant.erased");
    assert_eq!(said.expect("it says so")["after"], *proof);

    // Its name is not given again, and what the others do goes on.
    app.post("/v1/tenants", json!({ "id": "acme" })).await.is_problem(409, "conflict");
    let again = app.post("/v1/keys", json!({ "role": "viewer", "tenant": "acme" })).await;
    again.is_problem(409, "conflict");
    app.post("/v1/tenants/acme:resume", json!({})).await.is_problem(409, "conflict");
    assert_eq!(publish(&app, &reader, "later").await.status, 202);
    assert_eq!(inbox(&app, &reader).await, ["later"]);
    let mut tail = Socket::with_key(app.address, &app.admin).await;
    tail.say(json!({ "op": "subscribe", "sub": "t", "filter": {}, "cursor": "0" })).await;
    tail.expect("ready").await;
    publish(&app, &app.admin, "the last").await;
    assert_eq!(tail.expect("event").await["event"]["title"], "the last", "readers step over what is gone");
}
