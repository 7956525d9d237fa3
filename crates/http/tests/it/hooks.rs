//! Inbound webhooks: senders without a key, who sign what they send.

mod rights;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tidings_core::permission::Role;

use crate::app::{Answer, TestApp, send};

/// A webhook as its sender knows it.
struct Hook {
    id: String,
    path: String,
    secret: String,
}

impl Hook {
    async fn make(app: &TestApp, key: &str, body: Value) -> Self {
        let made = send(app.http.post(app.url("/v1/inbound-webhooks")).bearer_auth(key).json(&body)).await;
        assert_eq!((made.status, made.header("cache-control")), (201, "no-store"), "{}", made.text);
        let text = |name: &str| made.body[name].as_str().map(str::to_owned);
        let secret = text("secret").unwrap_or_else(|| body["secret"].as_str().expect("given or made").to_owned());
        Self { id: text("id").expect("an id"), path: text("path").expect("a path"), secret }
    }

    async fn standard(app: &TestApp) -> Self {
        Self::make(app, &app.admin, json!({ "name": "desk", "kind": "standard" })).await
    }

    /// A request signed as Standard Webhooks says, at this moment of the test's clock.
    fn signed(&self, app: &TestApp, id: &str, body: &str) -> RequestBuilder {
        let seconds = (app.world.engine.clock().now().as_millis() / 1_000).to_string();
        let key = STANDARD.decode(self.secret.strip_prefix("whsec_").expect("of Standard Webhooks")).expect("base64");
        let signature = STANDARD.encode(mac(hmac::HMAC_SHA256, &key, &format!("{id}.{seconds}.{body}")));
        self.post(app, body)
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", format!("v1,{signature}"))
    }

    fn post(&self, app: &TestApp, body: &str) -> RequestBuilder {
        app.http.post(app.url(&self.path)).header("content-type", "application/json").body(body.to_owned())
    }
}

fn mac(algorithm: hmac::Algorithm, key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An event that nothing tells from an equal one but how it came.
const DOOR: &str = r#"{"title":"Door opened"}"#;

fn event_of(answer: &Answer) -> (&str, &str) {
    let result = &answer.body["results"][0];
    (result["id"].as_str().unwrap_or_default(), result["status"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_signed_event_comes_in_once_however_often_it_is_sent() {
    let app = TestApp::start().await;
    let hook = Hook::standard(&app).await;
    let first = send(hook.signed(&app, "msg_1", DOOR)).await;
    assert_eq!((first.status, event_of(&first).1), (202, "accepted"), "{}", first.text);
    app.world.clock.advance_millis(60_000);
    // Sent again with a new time, and word for word by someone who heard it, with a key of their own choice.
    let heard = hook.signed(&app, "msg_1", DOOR);
    for request in [heard.try_clone().expect("bytes"), heard.header("idempotency-key", "another")] {
        let again = send(request).await;
        assert_eq!((again.status, event_of(&again)), (202, (event_of(&first).0, "duplicate")), "{}", again.text);
    }
    let other = send(hook.signed(&app, "msg_2", DOOR)).await;
    assert_eq!(event_of(&other).1, "accepted");
    assert_ne!(event_of(&other).0, event_of(&first).0);
    let event = app.get(&format!("/v1/events/{}", event_of(&first).0)).await.body;
    let namespace = format!("{}/desk", app.principal(&app.admin).authority.namespace);
    assert_eq!((&event["issuer"], &event["source"]), (&json!(namespace), &json!("webhook")), "{event}");
    // The same answers as for any other publisher.
    let media = |body: &str, media: &str| hook.signed(&app, "msg_3", body).header("content-type", media.to_owned());
    let bad = send(hook.signed(&app, "msg_4", r#"{"title":"bad","lat":99,"lon":0}"#)).await;
    bad.is_problem(422, "all_rejected");
    let twice = media("x", "image/png");
    assert_eq!(send(twice).await.status / 100, 4);
    let text = send(hook.signed(&app, "msg_5", "[]")).await;
    text.is_problem(422, "empty_batch");
}

#[tokio::test]
async fn whatever_is_wrong_with_a_request_it_is_told_the_same() {
    let app = TestApp::start().await;
    let hook = Hook::standard(&app).await;
    let stranger = app.key_of("other", Role::Admin).await;
    let theirs = Hook::make(&app, &stranger, json!({ "name": "desk", "kind": "standard" })).await;
    let expires = app.world.engine.clock().now().plus_millis(1_000).to_string();
    let short = Hook::make(&app, &app.admin, json!({ "name": "short", "kind": "standard", "expires": expires })).await;
    let gone = Hook::make(&app, &app.admin, json!({ "name": "gone", "kind": "standard" })).await;
    let old = hook.signed(&app, "msg_1", DOOR);
    assert_eq!(send(gone.signed(&app, "msg_1", DOOR)).await.status, 202);
    assert_eq!(send(short.signed(&app, "msg_1", DOOR)).await.status, 202);
    let delete = app.request(Method::DELETE, &format!("/v1/inbound-webhooks/{}", gone.id));
    assert_eq!(send(delete).await.status, 204);
    app.world.clock.advance_millis(301_000);
    let with_secret_of =
        |other: &Hook| Hook { id: String::new(), path: hook.path.clone(), secret: other.secret.clone() };
    let nowhere = Hook {
        id: String::new(),
        path: "/v1/hooks/whk_00000000000000000000000000".into(),
        secret: hook.secret.clone(),
    };
    let odd = Hook { id: String::new(), path: "/v1/hooks/%ff".into(), secret: hook.secret.clone() };
    let mut said = Vec::new();
    for (what, request) in [
        ("too old", old),
        ("another body", hook.signed(&app, "msg_2", DOOR).body("{}")),
        ("another id", replaced(hook.signed(&app, "msg_2", DOOR), "webhook-id", "msg_3")),
        ("another time", replaced(hook.signed(&app, "msg_2", DOOR), "webhook-timestamp", "1")),
        ("no signature", hook.post(&app, DOOR)),
        ("two signatures", hook.signed(&app, "msg_2", DOOR).header("webhook-signature", "v1,AAAA")),
        ("another tenant's secret", with_secret_of(&theirs).signed(&app, "msg_2", DOOR)),
        ("a key", hook.post(&app, DOOR).bearer_auth(&app.admin)),
        ("no webhook", nowhere.signed(&app, "msg_2", DOOR)),
        ("no id", odd.signed(&app, "msg_2", DOOR)),
        ("expired", short.signed(&app, "msg_2", DOOR)),
        ("deleted", gone.signed(&app, "msg_2", DOOR)),
    ] {
        let answer = send(request).await;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (401, Some("bad_signature")),
            "{what}: {}",
            answer.text
        );
        assert!(answer.header("www-authenticate").starts_with("Webhook"), "{what}");
        let mut body = answer.body;
        for own in ["instance", "request_id", "correlation_id"] {
            body[own].take();
        }
        said.push(body);
    }
    assert!(said.windows(2).all(|two| two[0] == two[1]), "{said:?}");
    assert_eq!(send(hook.signed(&app, "msg_2", DOOR)).await.status, 202, "the right one still comes in");
}

/// The request with one header field in place of another of its name.
fn replaced(request: RequestBuilder, name: &'static str, text: &'static str) -> RequestBuilder {
    let headers = reqwest::header::HeaderMap::from_iter([(
        reqwest::header::HeaderName::from_static(name),
        reqwest::header::HeaderValue::from_static(text),
    )]);
    request.headers(headers)
}

#[tokio::test]
async fn github_and_signatures_of_other_forms_are_read_as_the_webhook_says() {
    let app = TestApp::start().await;
    let secret = "It's a Secret to Everybody";
    let github = Hook::make(&app, &app.admin, json!({ "name": "ci", "kind": "github", "secret": secret })).await;
    let made = app.get(&format!("/v1/inbound-webhooks/{}", github.id)).await;
    assert!(!made.text.contains("Everybody"), "{}", made.text);
    let signature = |text: &str| format!("sha256={}", hex(&mac(hmac::HMAC_SHA256, secret.as_bytes(), text)));
    let deliver = |delivery: &str, signature: String| {
        let request = github.post(&app, DOOR).header("x-github-delivery", delivery.to_owned());
        send(request.header("x-hub-signature-256", signature))
    };
    let first = deliver("72d3162e", signature(DOOR)).await;
    let again = deliver("72d3162e", signature(DOOR)).await;
    assert_eq!((event_of(&first).1, event_of(&again)), ("accepted", (event_of(&first).0, "duplicate")));
    assert_eq!(event_of(&deliver("72d3162f", signature(DOOR)).await).1, "accepted");
    deliver("72d31630", signature("{}")).await.is_problem(401, "bad_signature");

    let wish = json!({ "name": "scanner", "kind": "hmac", "header": "X-Signature", "algorithm": "sha512",
        "encoding": "base64", "prefix": "v0:", "timestamp_header": "X-Time" });
    let scanner = Hook::make(&app, &app.admin, wish).await;
    let seconds = app.world.engine.clock().now().as_millis() / 1_000;
    let ask = |algorithm: hmac::Algorithm, seconds: i64| {
        let signature = mac(algorithm, scanner.secret.as_bytes(), &format!("{seconds}.{DOOR}"));
        let request = scanner.post(&app, DOOR).header("x-time", seconds.to_string());
        send(request.header("x-signature", format!("v0:{}", STANDARD.encode(signature))))
    };
    let first = ask(hmac::HMAC_SHA512, seconds).await;
    let again = ask(hmac::HMAC_SHA512, seconds).await;
    assert_eq!((event_of(&first).1, event_of(&again)), ("accepted", (event_of(&first).0, "duplicate")));
    assert_eq!(event_of(&ask(hmac::HMAC_SHA512, seconds - 1).await).1, "accepted");
    ask(hmac::HMAC_SHA256, seconds).await.is_problem(401, "bad_signature");
    ask(hmac::HMAC_SHA512, seconds - 302).await.is_problem(401, "bad_signature");
}

#[tokio::test]
async fn what_is_not_signed_is_not_read() {
    let app = TestApp::start().await;
    let hook = Hook::standard(&app).await;
    let binary = hook.signed(&app, "msg_1", "{}").header("ce-specversion", "1.0").header("ce-id", "1");
    send(binary.header("ce-type", "x").header("ce-source", "y")).await.is_problem(400, "bad_request");
    let asked = Hook { path: format!("{}?title=mine", hook.path), ..hook };
    send(asked.signed(&app, "msg_2", DOOR)).await.is_problem(400, "bad_parameter");
    let hook = Hook { path: asked.path.split('?').next().expect("a path").to_owned(), ..asked };
    let seconds = (app.world.engine.clock().now().as_millis() / 1_000).to_string();
    let key = STANDARD.decode(&hook.secret["whsec_".len()..]).expect("base64");
    let signature = STANDARD.encode(mac(hmac::HMAC_SHA256, &key, &format!("msg_3.{seconds}.Door opened")));
    let text = app.http.post(app.url(&hook.path)).header("content-type", "text/plain").header("x-severity", "Extreme");
    let text = text.header("webhook-id", "msg_3").header("webhook-timestamp", seconds);
    let taken = send(text.header("webhook-signature", format!("v1,{signature}")).body("Door opened")).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    let event = app.get(&format!("/v1/events/{}", event_of(&taken).0)).await.body;
    assert_eq!(event["severity"], "Unknown", "{event}");
}

#[tokio::test]
async fn a_replaced_secret_goes_on_for_its_overlap() {
    let app = TestApp::start().await;
    let old = Hook::standard(&app).await;
    let rotate = |body: Value| async {
        let answer = app.post(&format!("/v1/inbound-webhooks/{}:rotate", old.id), body).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
        let secret = answer.body["secret"].as_str().expect("a secret").to_owned();
        Hook { id: old.id.clone(), path: old.path.clone(), secret }
    };
    let new = rotate(json!({ "overlap_seconds": 60 })).await;
    assert_ne!(new.secret, old.secret);
    for (number, hook) in [&old, &new].into_iter().enumerate() {
        assert_eq!(send(hook.signed(&app, &format!("msg_{number}"), DOOR)).await.status, 202);
    }
    app.world.clock.advance_millis(60_000);
    send(old.signed(&app, "msg_3", DOOR)).await.is_problem(401, "bad_signature");
    assert_eq!(send(new.signed(&app, "msg_3", DOOR)).await.status, 202);
    // At once, and with the one before it alone.
    let newest = rotate(json!({ "overlap_seconds": 0 })).await;
    send(new.signed(&app, "msg_4", DOOR)).await.is_problem(401, "bad_signature");
    assert_eq!(send(newest.signed(&app, "msg_4", DOOR)).await.status, 202);
    for wrong in
        [json!({ "overlap_seconds": -1 }), json!({ "secret": "short" }), json!({ "secret": 1 }), json!({ "x": 1 })]
    {
        app.post(&format!("/v1/inbound-webhooks/{}:rotate", old.id), wrong).await.is_problem(422, "invalid");
    }
    let nobody = app.post("/v1/inbound-webhooks/whk_00000000000000000000000000:rotate", json!({})).await;
    nobody.is_problem(404, "not_found");
}
