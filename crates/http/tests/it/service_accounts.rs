//! Service accounts, and when keys and webhooks were last used.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;
use tidings_core::port::{AuditLog, EventLog, Fence, RecordStore, Shelf};
use tidings_http::Options;
use tidings_testkit::World;

use crate::app::{Answer, TestApp, send};
use crate::client::Socket;

async fn account(app: &TestApp, name: &str, role: &str) -> String {
    let made = app.post("/v1/service-accounts", json!({ "name": name, "role": role })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["id"].as_str().expect("an id").to_owned()
}

async fn key(app: &TestApp, body: Value) -> Value {
    let made = app.post("/v1/keys", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

async fn me(app: &TestApp, key: &str) -> Answer {
    send(app.http.get(app.url("/v1/me")).bearer_auth(key)).await
}

async fn role(app: &TestApp, name: &str, scopes: Value) {
    let put = app.request(Method::PUT, &format!("/v1/roles/{name}")).json(&json!({ "scopes": scopes }));
    assert_eq!(send(put).await.status, 201);
}

#[tokio::test]
async fn a_service_account_holds_keys_of_its_role_as_long_as_it_is_enabled() {
    let app = TestApp::start().await;
    let id = account(&app, "scanner", "curator").await;
    let made = key(&app, json!({ "service_account": id, "scopes": ["events:read", "events:write"] })).await;
    assert_eq!((text(&made, "user"), text(&made, "service_account")), (id.as_str(), id.as_str()));
    assert_eq!((text(&made, "role"), text(&made, "user_name")), ("curator", "scanner"));
    let secret = text(&made, "key");
    let said = me(&app, secret).await.body;
    assert_eq!((text(&said, "service_account"), text(&said, "speaks_as")), (id.as_str(), "own:scanner"));
    assert_eq!(said["scopes"], json!(["events:read", "events:write"]));
    assert!(me(&app, &app.viewer).await.body["service_account"].is_null());

    let mut socket = Socket::with_key(app.address, secret).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "filter": {} })).await;
    socket.expect("ready").await;
    let path = format!("/v1/service-accounts/{id}");
    let disabled = app.post(&format!("{path}:disable"), json!({})).await;
    assert_eq!((disabled.status, &disabled.body["enabled"]), (200, &json!(false)), "{}", disabled.text);
    assert_eq!(socket.expect("bye").await["reason"], "revoked");
    me(&app, secret).await.is_problem(401, "unauthenticated");
    let rotate = app.post(&format!("/v1/keys/{}:rotate", text(&made, "id")), json!({})).await;
    rotate.is_problem(404, "not_found");
    assert_eq!(app.post(&format!("{path}:enable"), json!({})).await.body["enabled"], true);
    assert_eq!(me(&app, secret).await.status, 200);

    // Its subscriptions and its keys go with it, those of others stay.
    let filter = json!({ "filter": { "all": [] } });
    let more = key(&app, json!({ "service_account": id })).await;
    let subscribe = app.http.post(app.url("/v1/subscriptions")).bearer_auth(text(&more, "key")).json(&filter);
    let subscription = send(subscribe).await.body;
    let other = account(&app, "other", "curator").await;
    let other = key(&app, json!({ "service_account": other })).await;
    assert_eq!(send(app.request(Method::DELETE, &path)).await.status, 204);
    for key in [secret, text(&more, "key")] {
        me(&app, key).await.is_problem(401, "unauthenticated");
    }
    assert_eq!(me(&app, text(&other, "key")).await.status, 200);
    app.get(&path).await.is_problem(404, "not_found");
    let keys = app.get("/v1/keys").await;
    assert!(!keys.text.contains(text(&made, "id")) && !keys.text.contains(text(&more, "id")));
    // One of the same name is the same user, with nothing of the first.
    assert_eq!(account(&app, "scanner", "curator").await, id);
    let again = key(&app, json!({ "service_account": id })).await;
    let listed = send(app.http.get(app.url("/v1/subscriptions")).bearer_auth(text(&again, "key"))).await;
    assert!(!listed.text.contains(text(&subscription, "id")), "{}", listed.text);
}

#[tokio::test]
async fn nobody_makes_or_enables_a_service_account_that_may_more_than_they() {
    let app = TestApp::start().await;
    role(&app, "doorkeeper", json!(["users:*", "events:read"])).await;
    let doorkeeper = key(&app, json!({ "role": "doorkeeper" })).await;
    let doorkeeper = text(&doorkeeper, "key");
    let powerful = account(&app, "powerful", "admin").await;
    assert_eq!(app.post(&format!("/v1/service-accounts/{powerful}:disable"), json!({})).await.status, 200);
    let stranger = app.key_of("other", Role::Admin).await;
    let ask = async |key: &str, path: &str, body: Value| {
        send(app.http.post(app.url(path)).bearer_auth(key).json(&body)).await
    };
    let new = "/v1/service-accounts";
    for (key, path, body) in [
        (app.viewer.as_str(), new, json!({ "name": "a", "role": "viewer" })),
        (doorkeeper, new, json!({ "name": "a", "role": "curator" })),
        (doorkeeper, "/v1/keys", json!({ "service_account": powerful })),
        (doorkeeper, &format!("{new}/{powerful}:enable"), json!({})),
    ] {
        ask(key, path, body).await.is_problem(403, "forbidden");
    }
    // Its name would be free, and its inbox with it.
    let delete = app.http.delete(app.url(&format!("{new}/{powerful}"))).bearer_auth(doorkeeper);
    send(delete).await.is_problem(403, "forbidden");
    assert_eq!(ask(doorkeeper, new, json!({ "name": "a", "role": "doorkeeper" })).await.status, 201);
    for path in [":enable", ":disable"] {
        ask(&stranger, &format!("{new}/{powerful}{path}"), json!({})).await.is_problem(404, "not_found");
    }
    ask(&stranger, "/v1/keys", json!({ "service_account": powerful })).await.is_problem(422, "invalid");
    // No key is in its name but those made for it, and it takes no name that a user has.
    for body in [
        json!({ "role": "viewer", "user": "powerful" }),
        json!({ "role": "viewer", "service_account": powerful }),
        json!({ "user": "powerful", "service_account": powerful }),
        json!({ "service_account": "usr_00000000000000000000000000" }),
        json!({ "service_account": 5 }),
        json!({}),
    ] {
        app.post("/v1/keys", body).await.is_problem(422, "invalid");
    }
    key(&app, json!({ "role": "viewer", "user": "ann" })).await;
    for name in ["ann", "powerful"] {
        app.post(new, json!({ "name": name, "role": "viewer" })).await.is_problem(409, "conflict");
    }
    let wrong = app.post(new, json!({ "name": "a/b", "description": 5, "x": 1 })).await;
    wrong.is_problem(422, "invalid");
    assert_eq!(wrong.body["errors"].as_array().map(Vec::len), Some(4), "{}", wrong.text);
    app.post(new, json!({ "name": "b", "role": "nobody" })).await.is_problem(422, "invalid");
    // An account that runs the tenant does not shut itself out.
    assert_eq!(app.post(&format!("{new}/{powerful}:enable"), json!({})).await.status, 200);
    let own = key(&app, json!({ "service_account": powerful })).await;
    ask(text(&own, "key"), &format!("{new}/{powerful}:disable"), json!({})).await.is_problem(403, "forbidden");
    let delete = app.http.delete(app.url(&format!("{new}/{powerful}"))).bearer_auth(text(&own, "key"));
    send(delete).await.is_problem(403, "forbidden");
    let in_use = app.request(Method::DELETE, "/v1/roles/doorkeeper").header("if-match", "\"1\"");
    send(in_use).await.is_problem(409, "conflict");
}

#[tokio::test]
async fn a_key_says_when_it_was_last_used_also_after_a_restart_and_no_log_does() {
    let app = TestApp::start().await;
    let made = key(&app, json!({ "role": "viewer", "name": "scanner" })).await;
    let path = format!("/v1/keys/{}", text(&made, "id"));
    let last_used = async |app: &TestApp| app.get(&path).await.body["last_used"].clone();
    assert_eq!(last_used(&app).await, Value::Null);
    let now = |app: &TestApp| json!(app.world.engine.clock().now());
    me(&app, text(&made, "key")).await;
    let first = now(&app);
    assert_eq!(last_used(&app).await, first);
    app.world.clock.advance_millis(61_000);
    me(&app, text(&made, "key")).await;
    assert_eq!(last_used(&app).await, now(&app));
    me(&app, &format!("{}0", text(&made, "key"))).await.is_problem(401, "unauthenticated");
    let listed = app.get("/v1/keys").await;
    let keys = listed.body["data"].as_array().expect("keys");
    let shown = keys.iter().find(|key| key["name"] == "scanner").expect("it");
    assert_eq!(shown["last_used"], now(&app), "in the list too");

    let tenant = app.principal(&app.admin).tenant;
    let (head, end) = (app.world.store.head(), app.world.store.audit_end(&tenant).await.expect("memory is read"));
    let engine = Arc::clone(&app.world.engine);
    assert!(engine.save_uses().await.expect("memory takes it") >= 2, "this key and the Admin's");
    assert_eq!(engine.save_uses().await.expect("memory takes it"), 0, "nothing new");
    assert_eq!(
        (app.world.store.head(), app.world.store.audit_end(&tenant).await.expect("memory is read")),
        (head, end)
    );

    let used = now(&app);
    let (store, clock) = (app.world.store.clone(), app.world.clock.clone());
    clock.advance_millis(5_000);
    let later = TestApp::over(World::over(store.clone(), clock.clone()).await, Options::default()).await;
    let again = later.get(&path).await;
    assert_eq!(again.body["last_used"], used, "{}", again.text);
    // It is replaced where it is used again, and gone with its key.
    me(&later, text(&made, "key")).await;
    later.world.engine.save_uses().await.expect("memory takes it");
    let id = text(&made, "id");
    let uses = later.world.engine.last_uses(&tenant).await.expect("memory is read");
    assert_eq!(json!(uses[id]), now(&later));
    assert_eq!(send(later.request(Method::DELETE, &path)).await.status, 204);
    later.world.engine.save_uses().await.expect("memory takes it");
    let uses = later.world.engine.last_uses(&tenant).await.expect("memory is read");
    assert!(!uses.contains_key(id));
}

#[tokio::test]
async fn nothing_is_kept_of_the_use_of_a_key_that_is_gone() {
    let app = TestApp::start().await;
    let used = key(&app, json!({ "role": "viewer" })).await;
    let crashed = key(&app, json!({ "role": "viewer" })).await;
    for key in [&used, &crashed] {
        me(&app, text(key, "key")).await;
    }
    app.world.engine.save_uses().await.expect("memory takes it");
    let (store, clock) = (app.world.store.clone(), app.world.clock.clone());
    let again = async || TestApp::over(World::over(store.clone(), clock.clone()).await, Options::default()).await;
    let tenant = app.principal(&app.admin).tenant;
    let kept = async || {
        let found = store.records(&Fence::Tenant(tenant.clone()), Shelf::LastUse, "", None, 100).await;
        let names = found.expect("memory is read").into_iter().map(|(key, _)| key.name().to_owned());
        names.collect::<Vec<String>>()
    };
    assert!(kept().await.contains(&text(&used, "id").to_owned()));
    // Not used since the start: nothing in memory tells of it.
    let later = again().await;
    for path in [format!("/v1/keys/{}", text(&used, "id")), format!("/v1/keys/{}", text(&crashed, "id"))] {
        assert_eq!(send(later.request(Method::DELETE, &path)).await.status, 204);
        if path.ends_with(text(&used, "id")) {
            later.world.engine.save_uses().await.expect("memory takes it");
            assert!(!kept().await.contains(&text(&used, "id").to_owned()));
        }
    }
    assert!(kept().await.contains(&text(&crashed, "id").to_owned()), "not saved before the crash");
    let last = again().await;
    assert_eq!(last.get("/v1/keys").await.status, 200);
    last.world.engine.save_uses().await.expect("memory takes it");
    assert!(!kept().await.contains(&text(&crashed, "id").to_owned()), "found when the keys are listed");
}
