//! The audit log: every change and every refusal, in a chain that holds.

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::audit::{AuditEntry, ChainEnd};
use tidings_core::permission::Role;

use crate::app::{TestApp, send};
use crate::client::Socket;

async fn entries(app: &TestApp, key: &str) -> Vec<AuditEntry> {
    let answer = send(app.http.get(app.url("/v1/audit?limit=1000")).bearer_auth(key)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_value(answer.body["data"].clone()).expect("entries")
}

/// Waits until something refused is written, which is a moment after the answer.
async fn until_denied(app: &TestApp, action: &str) -> AuditEntry {
    let found = until(app, |found| found.iter().any(|entry| entry.action == action)).await;
    found.into_iter().find(|entry| entry.action == action).expect("it was there")
}

/// Waits until the log is as it is to be.
async fn until(app: &TestApp, holds: impl Fn(&[AuditEntry]) -> bool) -> Vec<AuditEntry> {
    for _ in 0..200 {
        let found = entries(app, &app.admin).await;
        if holds(&found) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("it is not in the log");
}

#[tokio::test]
async fn each_change_is_said_with_who_and_what_before_and_after() {
    let app = TestApp::start().await;
    let before = entries(&app, &app.admin).await.len();
    let subscription = app.subscribe(json!({ "category": "flood" })).await;
    let id = subscription["id"].as_str().expect("an id");
    let path = format!("/v1/subscriptions/{id}");
    let patch = app.request(Method::PATCH, &path).header("x-request-id", "the-change").json(&json!({ "name": "x" }));
    assert_eq!(send(patch).await.status, 200);
    assert_eq!(send(app.request(Method::DELETE, &path)).await.status, 204);
    let key = app.post("/v1/keys", json!({ "role": "viewer", "name": "scanner" })).await;
    let key_id = key.body["id"].as_str().expect("an id");
    let rotated = app.post(&format!("/v1/keys/{key_id}:rotate"), json!({})).await;
    assert_eq!(rotated.status, 201);
    assert_eq!(send(app.request(Method::DELETE, &format!("/v1/keys/{key_id}"))).await.status, 204);
    let put = |etag: &'static str, scopes: Value| {
        let request = app.request(Method::PUT, "/v1/roles/reader").json(&json!({ "scopes": scopes }));
        send(if etag.is_empty() { request } else { request.header("if-match", etag) })
    };
    assert_eq!(put("", json!(["events:read"])).await.status, 201);
    assert_eq!(put("\"1\"", json!([])).await.status, 200);
    assert_eq!(send(app.request(Method::DELETE, "/v1/roles/reader").header("if-match", "\"2\"")).await.status, 204);
    let refused = app.publish("application/json", r#"{"title":"bad","lat":99,"lon":0}"#).await;
    let letter = refused.body["results"][0]["dead_letter_id"].as_str().expect("an id");
    for verb in ["replay", "discard"] {
        assert_eq!(app.post(&format!("/v1/dead-letters/{letter}:{verb}"), json!({})).await.status, 200, "{verb}");
    }
    let entries = entries(&app, &app.admin).await;
    let said: Vec<(&str, &str)> =
        entries[before..].iter().map(|entry| (entry.action.as_str(), entry.target.as_str())).collect();
    assert_eq!(
        said,
        [
            ("subscription.create", id),
            ("subscription.change", id),
            ("subscription.delete", id),
            ("key.create", key_id),
            ("key.rotate", key_id),
            ("key.revoke", key_id),
            ("role.put", "reader"),
            ("role.put", "reader"),
            ("role.delete", "reader"),
            ("dead_letter.replay", letter),
            ("dead_letter.discard", letter),
        ]
    );
    let admin = app.principal(&app.admin);
    let actor = entries[before].actor.as_ref().expect("someone");
    assert_eq!((actor.user, actor.key), (admin.user, admin.credential.key()));
    assert_eq!(entries[before + 1].correlation_id, "the-change");
    let changed = &entries[before + 7];
    let scopes = |value: &Option<Value>| value.as_ref().expect("a role")["scopes"].clone();
    assert_eq!((scopes(&changed.before), scopes(&changed.after)), (json!(["events:read"]), json!([])));
    // The chain holds, and shows no secret.
    let end = ChainEnd::default().verify(&entries).expect("nobody altered it");
    assert_eq!(end.number, entries.len() as u64);
    let text = serde_json::to_string(&entries).expect("plain data");
    for secret in [&app.admin, key.body["key"].as_str().expect("a key"), rotated.body["key"].as_str().expect("a key")] {
        assert!(!text.contains(secret));
    }
}

#[tokio::test]
async fn each_refusal_is_said_and_a_flood_of_them_is_counted() {
    let app = TestApp::start().await;
    let post = app.http.post(app.url("/v1/keys")).bearer_auth(&app.viewer).json(&json!({ "role": "admin" }));
    send(post).await.is_problem(403, "forbidden");
    let denied = until_denied(&app, "createKey").await;
    assert_eq!(
        (denied.actor.expect("someone").user, denied.target.as_str()),
        (app.principal(&app.viewer).user, "/v1/keys")
    );
    // One who may do it in general, and not this.
    let put = app.request(Method::PUT, "/v1/roles/admin").json(&json!({ "scopes": [] }));
    send(put).await.is_problem(403, "forbidden");
    until_denied(&app, "putRole").await;
    for _ in 0..50 {
        send(app.http.get(app.url("/v1/me")).bearer_auth("tk_wrong")).await.is_problem(401, "unauthenticated");
    }
    let wrong = until_denied(&app, "getMe").await;
    assert!(wrong.actor.is_none());
    let count = |entries: Vec<AuditEntry>| -> u64 {
        entries.iter().filter(|entry| entry.action == "getMe").map(|entry| entry.times.unwrap_or(1)).sum()
    };
    let mut counted = 0;
    for _ in 0..200 {
        counted = count(entries(&app, &app.admin).await);
        if counted == 50 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(counted, 50);
}

#[tokio::test]
async fn who_says_it_wrongly_in_the_first_frame_is_in_the_log_too() {
    let app = TestApp::start().await;
    let role = json!({ "scopes": ["events:write"] });
    assert_eq!(send(app.request(Method::PUT, "/v1/roles/writer").json(&role)).await.status, 201);
    let writer = app.post("/v1/keys", json!({ "role": "writer" })).await.body;
    for token in ["tk_wrong", writer["key"].as_str().expect("a key")] {
        let mut socket = Socket::open(app.address, &[]).await.expect("opens");
        socket.say(json!({ "op": "auth", "token": token })).await;
        while socket.hear().await.is_ok() {}
    }
    let of_socket = |entry: &AuditEntry| entry.action == "openSocket";
    until(&app, |found| found.iter().filter(|entry| of_socket(entry)).count() == 2).await;
    let denied = entries(&app, &app.admin).await;
    let by: Vec<_> = denied.iter().filter(|it| of_socket(it)).map(|it| it.actor.as_ref().map(|it| it.user)).collect();
    assert_eq!(json!(by), json!([null, writer["user"]]));
    assert!(denied.iter().filter(|it| of_socket(it)).all(|it| it.target == "/v1/ws"));
}

#[tokio::test]
async fn what_is_said_of_a_provider_goes_with_its_tenant() {
    let app = TestApp::start().await;
    let keys = [app.key_of("acme", Role::Admin).await, app.key_of("other", Role::Admin).await];
    for (tenant, domain) in [("acme", "first.example"), ("acme", "second.example"), ("other", "third.example")] {
        let provider = json!({ "title": "Corp", "kind": "github", "client_id": "tidings", "client_secret": "s",
                               "tenant": tenant, "domains": [domain] });
        let put = send(app.request(Method::PUT, "/v1/sso/providers/corp").json(&provider)).await;
        assert_eq!(put.status, 200, "{}", put.text);
    }
    assert_eq!(send(app.request(Method::DELETE, "/v1/sso/providers/corp")).await.status, 204);
    let said = async |key: &str| {
        let of = entries(&app, key).await.into_iter().filter(|entry| entry.action.starts_with("sso."));
        let of: Vec<AuditEntry> = of.collect();
        (of.len(), json!(of.iter().map(|entry| (&entry.before, &entry.after)).collect::<Vec<_>>()).to_string())
    };
    let (count, of_operator) = said(&app.admin).await;
    assert!(count == 5 && !of_operator.contains(".example"), "{of_operator}");
    let (count, of_acme) = said(&keys[0]).await;
    assert!(count == 3 && of_acme.contains("second.example") && !of_acme.contains("third.example"), "{of_acme}");
    let (count, of_other) = said(&keys[1]).await;
    assert!(count == 2 && of_other.contains("third.example") && !of_other.contains("second.example"), "{of_other}");
}

#[tokio::test]
async fn a_log_is_paged_exported_and_its_tenants_alone() {
    let app = TestApp::start().await;
    let stranger = app.key_of("other", Role::Admin).await;
    for _ in 0..5 {
        app.post("/v1/keys", json!({ "role": "viewer" })).await;
    }
    let first = app.get("/v1/audit?limit=3").await;
    let next = first.body["next_after"].as_u64().expect("more");
    let rest = app.get(&format!("/v1/audit?after={next}")).await;
    assert_eq!((next, rest.body["data"][0]["number"].as_u64(), &rest.body["next_after"]), (3, Some(4), &Value::Null));
    let lines = send(app.request(Method::GET, "/v1/audit").header("accept", "application/x-ndjson")).await;
    assert_eq!(lines.text.lines().count() as u64, first.body["end"]["number"].as_u64().expect("a number"));
    app.get("/v1/audit?limit=0&after=x").await.is_problem(400, "bad_parameter");
    // Theirs begins with their own key, and the operator's says that it made one there.
    let theirs = entries(&app, &stranger).await;
    assert!(theirs.len() == 1 && theirs[0].action == "key.create", "{theirs:?}");
    app.post("/v1/keys", json!({ "role": "viewer", "tenant": "other" })).await;
    let (theirs, ours) = (entries(&app, &stranger).await, entries(&app, &app.admin).await);
    assert_eq!((theirs.len(), &theirs[1].target), (2, &ours.last().expect("one").target));
    send(app.http.get(app.url("/v1/audit")).bearer_auth(&app.curator)).await.is_problem(403, "forbidden");
}
