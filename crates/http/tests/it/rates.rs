//! What the operator lets one tenant do in how long.

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;

use crate::app::{TestApp, send};

#[tokio::test]
async fn the_operator_sets_what_a_tenant_may_while_it_is_served() {
    let app = TestApp::start().await;
    let key = app.key_of("acme", Role::Viewer).await;
    let other = app.key_of("other", Role::Viewer).await;
    let me = |key: &str| send(app.http.get(app.url("/v1/me")).bearer_auth(key));
    let set = async |revision: u32, rates: Value| {
        let patch = app.request(Method::PATCH, "/v1/tenants/acme").header("if-match", format!("\"{revision}\""));
        let changed = send(patch.json(&json!({ "rates": rates }))).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
    };
    assert!(me(&key).await.header("ratelimit-policy").contains("\"tenant-requests\";q=1000000;w=10"));
    set(0, json!({ "requests": { "quota": 2, "window_seconds": 60 } })).await;
    let first = me(&key).await;
    assert!(first.header("ratelimit-policy").contains("\"tenant-requests\";q=2;w=60"), "{:?}", first.headers);
    assert!(first.header("ratelimit").contains("\"tenant-requests\";r="), "{:?}", first.headers);
    me(&key).await;
    let refused = me(&key).await;
    refused.is_problem(429, "rate_limited");
    assert_eq!(refused.body["violated-policies"], json!(["tenant-requests"]));
    assert_eq!(me(&other).await.status, 200, "others go on");
    // More at once, from the next request on.
    set(1, json!({ "requests": { "quota": 600, "window_seconds": 60 } })).await;
    let meta = send(app.http.get(app.url("/v1/meta")).bearer_auth(&key)).await;
    assert_eq!(meta.status, 200, "{}", meta.text);
    let shown = meta.body["rate_limits"].as_array().expect("a list").iter().find(|it| it["name"] == "tenant-requests");
    assert_eq!(shown.expect("it")["quota"], json!(600));
    set(2, json!({ "requests": null })).await;
    assert!(me(&key).await.header("ratelimit-policy").contains("\"tenant-requests\";q=1000000;w=10"));
    let wrong = json!({ "rates": { "requests": { "quota": 0, "window_seconds": 5 }, "wishes": 1 } });
    let patch = app.request(Method::PATCH, "/v1/tenants/acme").header("if-match", "\"3\"").json(&wrong);
    send(patch).await.is_problem(422, "invalid");
}
