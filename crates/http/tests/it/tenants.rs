//! Two tenants with the same ids, names and texts of their own, through every operation, stream and
//! cursor: nothing of one is ever seen or changed by the other.

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;

use crate::app::{Answer, TestApp, send};
use crate::client::{PATIENCE, Socket};

/// One tenant with something of everything; its marker stands in every text it wrote.
struct Party {
    tenant: &'static str,
    key: String,
    marker: &'static str,
    event: String,
    subscription: String,
    other_key: String,
    webhook: String,
    account: String,
    letter: String,
    page_cursor: String,
}

impl Party {
    async fn settle(app: &TestApp, tenant: &'static str, marker: &'static str) -> Self {
        let key = app.key_of(tenant, Role::Admin).await;
        let branding = json!({ "branding": { "display_name": marker, "contact": marker } });
        let change = app.request(Method::PATCH, &format!("/v1/tenants/{tenant}")).header("if-match", "\"0\"");
        assert_eq!(send(change.json(&branding)).await.status, 200);
        let post = async |path: &str, body: Value| {
            let answer = send(app.http.post(app.url(path)).bearer_auth(&key).json(&body)).await;
            assert!(answer.status < 300, "{path}: {}", answer.text);
            answer.body
        };
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned();
        let subscription = post("/v1/subscriptions", json!({ "name": marker, "filter": { "all": [] } })).await;
        let other_key = post("/v1/keys", json!({ "role": "viewer", "user": "same", "name": marker })).await;
        let account = json!({ "name": "scanner", "role": "viewer", "description": marker });
        let account = post("/v1/service-accounts", account).await;
        let webhook = json!({ "name": "same", "kind": "hmac", "header": format!("x-{marker}") });
        let webhook = post("/v1/inbound-webhooks", webhook).await;
        let put = app.http.put(app.url("/v1/roles/same")).bearer_auth(&key);
        let put = put.json(&json!({ "scopes": ["events:read"], "description": marker }));
        assert_eq!(send(put).await.status, 201);
        let events =
            ["same", "second"].map(|id| json!({ "id": id, "thread": "same", "title": marker, "extra": marker }));
        let taken = post("/v1/events", json!(events)).await;
        let bad = json!([{ "id": "bad", "title": marker, "lat": 99, "lon": 0 }]);
        let refused = send(app.http.post(app.url("/v1/events")).bearer_auth(&key).json(&bad)).await;
        app.world.engine.decided(app.world.engine.head()).await;
        app.projected().await;
        let page = send(app.http.get(app.url("/v1/events?limit=1&latest=false")).bearer_auth(&key)).await;
        Self {
            tenant,
            marker,
            event: text(&taken["results"][0]["id"]),
            subscription: text(&subscription["id"]),
            other_key: text(&other_key["id"]),
            webhook: text(&webhook["id"]),
            account: text(&account["id"]),
            letter: text(&refused.body["results"][0]["dead_letter_id"]),
            page_cursor: text(&page.body["next_cursor"]),
            key,
        }
    }

    /// Everything that tells of it.
    fn traces(&self) -> [&str; 7] {
        [self.marker, &self.event, &self.subscription, &self.other_key, &self.webhook, &self.account, &self.letter]
    }

    /// A documented path with the ids of this one.
    fn path(&self, path: &str) -> String {
        let id = match path.split('/').nth(2).unwrap_or_default() {
            "events" => &self.event,
            "subscriptions" => &self.subscription,
            "keys" => &self.other_key,
            "inbound-webhooks" | "hooks" => &self.webhook,
            "service-accounts" => &self.account,
            "dead-letters" => &self.letter,
            "tenants" => self.tenant,
            _ => "same",
        };
        path.replace("{id}", id).replace("{name}", "same")
    }

    /// All that it can read of its own.
    async fn sight(&self, app: &TestApp) -> Vec<String> {
        let mut seen = Vec::new();
        for path in [
            "/v1/events?latest=false",
            "/v1/events/{id}",
            "/v1/events/{id}/versions",
            "/v1/subscriptions",
            "/v1/notifications",
            "/v1/dead-letters",
            "/v1/dead-letters/{id}",
            "/v1/keys",
            "/v1/keys/{id}",
            "/v1/service-accounts",
            "/v1/service-accounts/{id}",
            "/v1/inbound-webhooks",
            "/v1/inbound-webhooks/{id}",
            "/v1/roles",
        ] {
            let answer = send(app.http.get(app.url(&self.path(path))).bearer_auth(&self.key)).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            assert!(self.traces().iter().any(|trace| answer.text.contains(trace)), "{path}: {}", answer.text);
            let mut body = answer.body;
            // How far the log is, whoever wrote to it.
            body.as_object_mut().expect("an object").remove("as_of");
            forget_uses(&mut body);
            seen.push(body.to_string());
        }
        seen
    }
}

/// When a key was last used changes with each look.
fn forget_uses(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("last_used");
            members.values_mut().for_each(forget_uses);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_uses),
        _ => {}
    }
}

/// Nothing of the one is in an answer to the other. What the asker wrote into the request may be said
/// back in the fault's `instance`, and is left out.
fn holds_nothing_of(answer: &Answer, of: &Party, asked: &str, at: &str) {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("instance");
    }
    let text = if body.is_null() { answer.text.clone() } else { body.to_string() };
    let headers = format!("{:?}", answer.headers);
    for trace in of.traces() {
        let was_asked = asked.contains(trace) && answer.status >= 400;
        assert!(was_asked || !text.contains(trace), "{at} tells {trace}: {text}");
        assert!(!headers.contains(trace), "{at} tells {trace}: {headers}");
    }
}

#[tokio::test]
async fn no_operation_shows_or_changes_anything_of_another_tenant() {
    let app = TestApp::start().await;
    let one = Party::settle(&app, "one", "amber").await;
    let other = Party::settle(&app, "other", "basalt").await;
    assert_ne!(one.event, other.event, "ids hang on the tenant");
    let before = one.sight(&app).await;
    let document = app.get("/openapi.json").await.body;
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            if path.starts_with("/v1/stream") || path.starts_with("/v1/ws") {
                continue; // below
            }
            // With the ids of the one, and with cursors and names of the one in every place that takes any.
            let named = format!("subscription={}&cursor={}&q={}", one.subscription, one.page_cursor, one.marker);
            for query in ["", named.as_str(), "latest=false&limit=1000"] {
                let path = format!("{}?{query}", one.path(path));
                for body in ["", "{}", r#"{"id":"same","thread":"same","title":"mine","action":"cancel"}"#] {
                    let request = app.http.request(method.clone(), app.url(&path)).bearer_auth(&other.key);
                    let request = request.header("content-type", "application/json").header("if-match", "\"1\"");
                    let answer = send(request.body(body)).await;
                    holds_nothing_of(&answer, &one, &path, &format!("{method} {path} {body}"));
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 200, "{asked} requests");
    for (now, before) in one.sight(&app).await.iter().zip(&before) {
        assert_eq!(now, before, "what is theirs is as it was");
    }
}

#[tokio::test]
async fn no_stream_or_cursor_shows_anything_of_another_tenant() {
    let app = TestApp::start().await;
    let one = Party::settle(&app, "one", "amber").await;
    let mut socket = Socket::with_key(app.address, &one.key).await;
    socket.say(json!({ "op": "subscribe", "sub": "a", "filter": {}, "cursor": "0" })).await;
    socket.say(json!({ "op": "subscribe", "sub": "b", "inbox": true, "cursor": "0" })).await;
    let (mut tail, mut inbox) = (None, None);
    while tail.is_none() || inbox.is_none() {
        let frame = socket.hear().await.expect("a frame");
        match frame["op"].as_str() {
            Some("event") => tail = Some(frame["cursor"].clone()),
            Some("notification") => inbox = Some(frame["cursor"].clone()),
            _ => {}
        }
    }
    let other = Party::settle(&app, "other", "basalt").await;
    let mut socket = Socket::with_key(app.address, &other.key).await;
    let cursors = [json!("0"), tail.expect("above"), inbox.expect("above")];
    for (number, cursor) in cursors.iter().enumerate() {
        socket.say(json!({ "op": "subscribe", "sub": format!("t{number}"), "filter": {}, "cursor": cursor })).await;
        socket.say(json!({ "op": "subscribe", "sub": format!("i{number}"), "inbox": true, "cursor": cursor })).await;
    }
    // The last thing that comes: a new event of the other's own, in every tail.
    let last =
        app.http.post(app.url("/v1/events")).bearer_auth(&other.key).json(&json!({ "id": "z", "title": "the last" }));
    assert_eq!(send(last).await.status, 202);
    let mut tails = 0;
    while tails < 2 {
        let frame = socket.hear().await.expect("a frame");
        for trace in one.traces() {
            assert!(!frame.to_string().contains(trace), "{frame}");
        }
        tails += usize::from(frame["op"] == "event" && frame["event"]["title"] == "the last");
    }
    for path in ["/v1/stream?inbox=true&after=0", "/v1/stream?filter=%7B%7D&after=0"] {
        let mut answer = app.http.get(app.url(path)).bearer_auth(&other.key).send().await.expect("an answer");
        let mut read = String::new();
        while !read.contains("the last") {
            let chunk = tokio::time::timeout(PATIENCE, answer.chunk()).await.expect("in time").expect("a chunk");
            read.push_str(&String::from_utf8_lossy(&chunk.expect("it goes on")));
        }
        for trace in one.traces() {
            assert!(!read.contains(trace), "{path}: {read}");
        }
    }
}
