//! What a webhook may, who makes one, what the audit log says, and the limits that requests count against.

use std::time::Duration;

use tidings_core::audit::AuditEntry;
use tidings_http::Options;
use tidings_http::limits::{Rate, RateLimits};

use super::*;

async fn key(app: &TestApp, body: Value) -> String {
    let made = app.post("/v1/keys", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["key"].as_str().expect("a key").to_owned()
}

async fn role(app: &TestApp, name: &str, body: Value, etag: &str) {
    let put = app.request(Method::PUT, &format!("/v1/roles/{name}")).json(&body);
    let answer = send(if etag.is_empty() { put } else { put.header("if-match", etag.to_owned()) }).await;
    assert!(answer.status < 300, "{}", answer.text);
}

#[tokio::test]
async fn a_webhook_speaks_for_whom_it_is_bound_to() {
    let app = TestApp::start().await;
    let own = Hook::standard(&app).await;
    let bound = json!({ "name": "bound", "kind": "standard", "issuers": ["noaa-nws"] });
    let bound = Hook::make(&app, &app.admin, bound).await;
    let quake = r#"{"id":"x","source":"noaa-nws","title":"Flood","category":"flood"}"#;
    let refused = send(own.signed(&app, "msg_1", quake)).await;
    refused.is_problem(422, "all_rejected");
    assert_eq!(refused.body["results"][0]["problem"]["code"], "sender_not_permitted", "{}", refused.text);
    let taken = send(bound.signed(&app, "msg_1", quake)).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    let event = app.get(&format!("/v1/events/{}", event_of(&taken).0)).await.body;
    assert_eq!((&event["issuer"], &event["official"]), (&json!("noaa-nws"), &json!(true)));
}

#[tokio::test]
async fn nobody_makes_a_webhook_that_may_more_than_they() {
    let app = TestApp::start().await;
    role(&app, "doorkeeper", json!({ "scopes": ["users:*", "events:read"] }), "").await;
    role(&app, "publisher", json!({ "scopes": ["users:*", "events:read", "events:write"] }), "").await;
    let floods = json!({ "scopes": ["users:*", "events:write"], "publishes": { "category": "flood" } });
    role(&app, "flood-desk", floods, "").await;
    let (doorkeeper, publisher, flood_desk) = (
        key(&app, json!({ "role": "doorkeeper" })).await,
        key(&app, json!({ "role": "publisher" })).await,
        key(&app, json!({ "role": "flood-desk" })).await,
    );
    let powerful = json!({ "name": "powerful", "kind": "standard", "issuers": ["*"] });
    let powerful = Hook::make(&app, &app.admin, powerful).await;
    let wish = |more: Value| {
        let mut wish = json!({ "name": "mine", "kind": "standard" });
        wish.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        wish
    };
    for (key, body) in [
        (&app.viewer, wish(json!({}))),
        (&app.curator, wish(json!({}))),
        (&doorkeeper, wish(json!({}))),
        (&publisher, wish(json!({ "issuers": ["noaa-nws"] }))),
        (&publisher, wish(json!({ "issuers": ["*"] }))),
        (&flood_desk, wish(json!({}))),
    ] {
        let refused = send(app.http.post(app.url("/v1/inbound-webhooks")).bearer_auth(key).json(&body)).await;
        refused.is_problem(403, "forbidden");
    }
    // Its secret would be theirs.
    for key in [&doorkeeper, &publisher] {
        let path = format!("/v1/inbound-webhooks/{}:rotate", powerful.id);
        send(app.http.post(app.url(&path)).bearer_auth(key).json(&json!({}))).await.is_problem(403, "forbidden");
    }
    Hook::make(&app, &publisher, wish(json!({}))).await;
    // A role of one's own goes with it, and so does what becomes of the role.
    let bound = Hook::make(&app, &flood_desk, wish(json!({ "name": "floods", "role": "flood-desk" }))).await;
    let quake = send(bound.signed(&app, "msg_1", r#"{"title":"Quake","category":"earthquake"}"#)).await;
    quake.is_problem(422, "all_rejected");
    let flood = r#"{"title":"Flood","category":"flood"}"#;
    assert_eq!(send(bound.signed(&app, "msg_2", flood)).await.status, 202);
    let in_use = app.request(Method::DELETE, "/v1/roles/flood-desk").header("if-match", "\"1\"");
    send(in_use).await.is_problem(409, "conflict");
    role(&app, "flood-desk", json!({ "scopes": ["events:read"] }), "\"1\"").await;
    send(bound.signed(&app, "msg_3", flood)).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_webhook_is_read_whole_and_named_once() {
    let app = TestApp::start().await;
    let pointers = |answer: &Answer| -> Vec<String> {
        let errors = answer.body["errors"].as_array().expect("faults");
        errors.iter().map(|fault| fault["pointer"].as_str().expect("a pointer").to_owned()).collect()
    };
    let past = app.world.engine.clock().now().to_string();
    for (body, expected) in [
        (json!({}), &["/kind", "/name"][..]),
        (json!({ "name": "a/b", "kind": "other", "secret": 5 }), &["/secret", "/kind", "/name"]),
        (json!({ "name": "a", "kind": "hmac" }), &["/header"]),
        (
            json!({ "name": "a", "kind": "hmac", "header": "a b", "algorithm": "md5", "encoding": 5, "prefix": "é",
                "timestamp_header": "" }),
            &["/header", "/algorithm", "/encoding", "/prefix", "/timestamp_header"],
        ),
        (json!({ "name": "a", "kind": "hmac", "header": "X-A", "timestamp_header": "x-a" }), &["/timestamp_header"]),
        (json!({ "name": "a", "kind": "github", "header": "X-A", "tenant": "other" }), &["/header", "/tenant"]),
        (json!({ "name": "a", "kind": "standard", "secret": "It's a Secret to Everybody" }), &["/secret"]),
        (json!({ "name": "a", "kind": "github", "secret": "too short" }), &["/secret"]),
        (json!({ "name": "a", "kind": "standard", "role": "nobody" }), &["/role"]),
        (json!({ "name": "a", "kind": "standard", "role": "viewer" }), &["/role"]),
        (json!({ "name": "a", "kind": "standard", "expires": past }), &["/expires"]),
    ] {
        let refused = app.post("/v1/inbound-webhooks", body.clone()).await;
        refused.is_problem(422, "invalid");
        assert_eq!(pointers(&refused), expected, "{body}: {}", refused.text);
        assert!(!refused.text.contains("Everybody") && !refused.text.contains("too short"), "{}", refused.text);
    }
    let wish = json!({ "name": "same", "kind": "standard" });
    Hook::make(&app, &app.admin, wish.clone()).await;
    app.post("/v1/inbound-webhooks", wish.clone()).await.is_problem(409, "conflict");
    let stranger = app.key_of("other", Role::Admin).await;
    Hook::make(&app, &stranger, wish).await;
    for number in 1..100 {
        Hook::make(&app, &app.admin, json!({ "name": format!("n{number}"), "kind": "github" })).await;
    }
    let one_more = json!({ "name": "one-more", "kind": "github" });
    app.post("/v1/inbound-webhooks", one_more).await.is_problem(429, "quota_reached");
}

#[tokio::test]
async fn the_audit_log_says_what_became_of_webhooks_and_who_was_refused_and_no_secret() {
    let app = TestApp::start().await;
    let key = app.key_of("other", Role::Admin).await;
    let entries = async || -> Vec<AuditEntry> {
        let answer = send(app.http.get(app.url("/v1/audit?limit=1000")).bearer_auth(&key)).await;
        serde_json::from_value(answer.body["data"].clone()).expect("entries")
    };
    let hook = Hook::make(&app, &key, json!({ "name": "desk", "kind": "standard" })).await;
    let given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let path = format!("/v1/inbound-webhooks/{}", hook.id);
    let rotate = app.http.post(app.url(&format!("{path}:rotate"))).bearer_auth(&key);
    let rotated = send(rotate.json(&json!({ "secret": given }))).await;
    assert!(rotated.status == 200 && rotated.body.get("secret").is_none(), "{}", rotated.text);
    for _ in 0..3 {
        send(hook.post(&app, DOOR)).await.is_problem(401, "bad_signature");
    }
    let refused = async || {
        for _ in 0..200 {
            if let Some(entry) = entries().await.into_iter().find(|entry| entry.action == "receiveWebhook") {
                return entry;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the refusal is not in the log of the webhook's tenant");
    };
    let entry = refused().await;
    assert_eq!((entry.target, entry.actor), (hook.path.clone(), None));
    assert_eq!(send(app.http.delete(app.url(&path)).bearer_auth(&key)).await.status, 204);
    let entries = entries().await;
    let of_hook = |entry: &&AuditEntry| entry.action.starts_with("webhook.");
    let said: Vec<(&str, &str)> =
        entries.iter().filter(of_hook).map(|entry| (entry.action.as_str(), entry.target.as_str())).collect();
    let id = hook.id.as_str();
    assert_eq!(said, [("webhook.create", id), ("webhook.rotate", id), ("webhook.delete", id)]);
    let text = serde_json::to_string(&entries).expect("plain data");
    assert!(!text.contains(&hook.secret) && !text.contains(given) && !text.contains("whsec_"));
}

#[tokio::test]
async fn wrong_signatures_are_attempts_to_sign_in_and_right_ones_are_publishing() {
    let mut rates = RateLimits::default();
    rates.address.sign_ins = Rate::new(3, 60);
    rates.user.requests = Rate::new(5, 60);
    let app = TestApp::with(Options { rates, ..Options::default() }).await;
    let hook = Hook::standard(&app).await;
    for number in 0..3 {
        let wrong = send(hook.post(&app, &number.to_string())).await;
        wrong.is_problem(401, "bad_signature");
        assert!(wrong.header("ratelimit-policy").contains("address-sign-ins"), "{:?}", wrong.headers);
    }
    send(hook.post(&app, DOOR)).await.is_problem(429, "rate_limited");
    let nowhere = app.http.post(app.url("/v1/hooks/whk_00000000000000000000000000")).body("{}");
    send(nowhere).await.is_problem(429, "rate_limited");
    // One at the same address who has the secret is let in, as a user of their own tenant; making the webhook
    // was its user's first request.
    for number in 0..4 {
        let right = send(hook.signed(&app, &format!("msg_{number}"), DOOR)).await;
        assert_eq!(right.status, 202, "{number}: {}", right.text);
        assert!(right.header("ratelimit-policy").contains("user-requests"), "{:?}", right.headers);
    }
    let too_many = send(hook.signed(&app, "msg_9", DOOR)).await;
    too_many.is_problem(429, "rate_limited");
    assert_eq!(too_many.body["violated-policies"], json!(["user-requests"]));
}
