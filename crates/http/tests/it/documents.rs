//! The OpenAPI document against the running server, and the page's files.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, send};

#[tokio::test]
async fn every_documented_operation_is_routed_and_guarded() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let mut count = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            count += 1;
            let method: Method = method.to_uppercase().parse().expect("a method");
            let path = path.replace("{id}", "evt_00000000000000000000000000");
            let request = app.http.request(method.clone(), app.url(&path)).header("x-forwarded-for", "203.0.113.5");
            let answer = send(request.header("content-type", "application/json").body("{}")).await;
            let id = operation["operationId"].as_str().expect("an id");
            let expected = if path.starts_with("/oauth") || path.starts_with("/.well-known") {
                // They name faults as OAuth does.
                if operation["security"] == json!([]) { vec![200, 400] } else { vec![401] }
            } else if operation["security"] == json!([]) {
                vec![200, 204, 422]
            } else if id == "openSocket" {
                vec![426]
            } else {
                vec![401]
            };
            assert!(expected.contains(&answer.status), "{method} {path} ({id}): {} {}", answer.status, answer.text);
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{id}");
            assert!(operation["responses"].as_object().is_some_and(|responses| responses.len() > 1), "{id}");
        }
    }
    assert!(count >= 30, "{count} operations");
}

/// Every member of an answer is in its schema with its type, and every required one is there. What may be anything has
/// the schema `true`; only an object whose schema says so (`additionalProperties`) has other members than it names.
fn agrees(document: &Value, schema: &Value, value: &Value, at: &str) {
    if *schema == json!(true) {
        return;
    }
    assert!(schema.is_object(), "{at} has no schema");
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.strip_prefix("#/components/schemas/").expect("a schema of this document");
        return agrees(document, &document["components"]["schemas"][name], value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        // They are told apart by their types alone.
        let choice = choices.iter().find(|choice| has_type(document, choice, value));
        return agrees(document, choice.unwrap_or_else(|| panic!("{at} is none of its choices: {value}")), value, at);
    }
    assert!(schema["type"] != Value::Null, "{at} has a schema that says nothing: {schema}");
    assert!(has_type(document, schema, value), "{at} is not of its type {}: {value}", schema["type"]);
    if let Some(known) = schema["enum"].as_array() {
        assert!(known.contains(value), "{at} is none of {known:?}: {value}");
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                agrees(document, &schema["items"], item, &format!("{at}/{index}"));
            }
        }
        Value::Object(members) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(members.contains_key(name.as_str().expect("a name")), "{at} lacks {name}");
            }
            let others = &schema["additionalProperties"];
            for (name, member) in members {
                let property = schema["properties"].get(name).unwrap_or(others);
                assert!(!property.is_null() && *property != json!(false), "{at}/{name} is not in the schema");
                agrees(document, property, member, &format!("{at}/{name}"));
            }
        }
        _ => {}
    }
}

/// Whether a value is of the schema's type, or one of its types.
fn has_type(document: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/")) {
        return has_type(document, &document["components"]["schemas"][name], value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().any(|choice| has_type(document, choice, value));
    }
    let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    types.iter().any(|name| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => false,
    })
}

#[test]
fn an_answer_that_is_not_as_documented_is_found() {
    let schemas = json!({
        "Name": { "type": "string" },
        "Thing": {
            "type": "object",
            "properties": { "name": { "$ref": "#/components/schemas/Name" }, "count": { "type": "integer" }, "list": { "type": "array" },
                "empty": { "type": "object" }, "untold": {}, "either": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Name" }] },
                "color": { "type": "string", "enum": ["red"] } },
            "required": ["name"],
        },
    });
    let document = json!({ "components": { "schemas": schemas } });
    let holds = |thing: &Value| {
        let schema = json!({ "$ref": "#/components/schemas/Thing" });
        std::panic::catch_unwind(|| agrees(&document, &schema, thing, "Thing")).is_ok()
    };
    assert!(holds(&json!({ "name": "x", "count": 1, "list": [], "empty": {}, "either": null, "color": "red" })));
    for (member, value) in [
        ("name", json!(1)),
        ("name", json!(null)),
        ("count", json!(1.5)),
        ("list", json!({})),
        ("list", json!([1])),
        ("empty", json!({ "a": 1 })),
        ("untold", json!(1)),
        ("either", json!(1)),
        ("color", json!("blue")),
        ("other", json!(1)),
    ] {
        let mut thing = json!({ "name": "x" });
        thing[member] = value;
        assert!(!holds(&thing), "{thing}");
    }
    assert!(!holds(&json!({})) && !holds(&json!([])));
}

#[tokio::test]
async fn answers_are_as_documented() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.body;
    let subscription =
        app.subscribe(json!({ "category": "earthquake" })).await["id"].as_str().expect("an id").to_owned();
    let event = json!({ "id": "1", "title": "quake", "category": "earthquake", "severity": "Severe", "lat": 1, "lon": 2,
        "magnitude": 5, "colour": "red", "texts": [{ "lang": "en", "description": "x" }], "links": [{ "rel": "web", "href": "https://example.org" }] });
    let id = app.publish_one(event).await;
    let bad = app.publish("application/json", r#"{"title":"bad","lat":91,"lon":0}"#).await;
    let letter = bad.body["results"][0]["dead_letter_id"].as_str().expect("an id").to_owned();
    app.projected().await;
    let check = |schema: &str, value: &Value| {
        assert!(value.is_object(), "{schema}: {value}");
        agrees(&document, &json!({ "$ref": format!("#/components/schemas/{schema}") }), value, schema);
    };
    check(
        "Problem",
        &json!({ "type": "", "title": "", "status": 1, "detail": "", "code": "", "request_id": "", "retryable": false }),
    );
    for (path, schema) in [
        ("/v1/events".to_owned(), "EventPage"),
        (format!("/v1/events/{id}"), "Event"),
        (format!("/v1/events/{id}/versions"), "EventList"),
        (format!("/v1/events/{id}/timeline"), "Timeline"),
        (format!("/v1/events/{id}/explain?subscription={subscription}"), "Explanation"),
        ("/v1/subscriptions".to_owned(), "SubscriptionList"),
        (format!("/v1/subscriptions/{subscription}"), "Subscription"),
        ("/v1/notifications".to_owned(), "NotificationPage"),
        ("/v1/dead-letters".to_owned(), "DeadLetterPage"),
        ("/v1/dead-letters/groups".to_owned(), "DeadLetterGroups"),
        (format!("/v1/dead-letters/{letter}"), "DeadLetter"),
        ("/v1/meta".to_owned(), "Meta"),
        ("/v1/me".to_owned(), "Me"),
        ("/readyz?verbose".to_owned(), "Health"),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        check(schema, &answer.body);
    }
    let webhook = app.post("/v1/inbound-webhooks", json!({ "name": "a", "kind": "hmac", "header": "X-A" })).await;
    let id = webhook.body["id"].as_str().expect("an id");
    check("InboundWebhook", &webhook.body);
    check("InboundWebhook", &app.get(&format!("/v1/inbound-webhooks/{id}")).await.body);
    check("InboundWebhook", &app.post(&format!("/v1/inbound-webhooks/{id}:rotate"), json!({})).await.body);
    check("InboundWebhookList", &app.get("/v1/inbound-webhooks").await.body);
    let account = app.post("/v1/service-accounts", json!({ "name": "a", "role": "viewer" })).await.body;
    let id = account["id"].as_str().expect("an id");
    check("ServiceAccount", &account);
    check("ServiceAccount", &app.get(&format!("/v1/service-accounts/{id}")).await.body);
    check("ServiceAccountList", &app.get("/v1/service-accounts").await.body);
    let key = app.post("/v1/keys", json!({ "service_account": id })).await.body;
    check("Key", &key);
    check("KeyShown", &app.get(&format!("/v1/keys/{}", key["id"].as_str().expect("an id"))).await.body);
    check("KeyList", &app.get("/v1/keys").await.body);
    check("Key", &app.post("/v1/keys", json!({ "role": "viewer" })).await.body);
    check("Replayed", &app.post(&format!("/v1/dead-letters/{letter}:replay"), json!({ "dry_run": true })).await.body);
    check(
        "ReplayedAll",
        &app.post("/v1/dead-letters:replay", json!({ "cause": "invalid_coordinates", "dry_run": true })).await.body,
    );
    check("DiscardedAll", &app.post("/v1/dead-letters:discard", json!({ "cause": "invalid_coordinates" })).await.body);
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline() {
    let app = TestApp::start().await;
    let page = send(app.http.get(app.url("/"))).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let docs = app.get("/docs/api").await;
    assert!(docs.text.contains("problem-not_found") && docs.text.contains("/v1/events/{id}/explain"));
    for text in [&page.text, &docs.text] {
        assert!(!text.contains("style=\"") && !text.contains("onclick") && !text.contains("<style"), "inline");
        for part in text.replace("src=\"", "href=\"").split("href=\"").skip(1) {
            let address = part.split('"').next().expect("an end");
            if address.starts_with('#') {
                continue;
            }
            assert!(address.starts_with('/') && !address.starts_with("//"), "{address}");
            assert_eq!(send(app.http.get(app.url(address))).await.status, 200, "{address}");
        }
    }
}
