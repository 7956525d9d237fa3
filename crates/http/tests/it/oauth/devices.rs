//! Devices without a browser.

use serde_json::json;

use super::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn poll(app: &TestApp, client: &Client, code: &str) -> Answer {
    post(app, "/oauth/token", client, &[("grant_type", GRANT), ("device_code", code)]).await
}

async fn device(by: &Browser<'_>) -> Client {
    let body = json!({ "name": "Box", "confidential": false, "scopes": ["openid", "offline_access", "events:read"],
                       "grant_types": [GRANT, "refresh_token"] });
    register(by, body).await
}

#[tokio::test]
async fn a_device_is_let_in_by_its_person_elsewhere() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = device(&anna).await;
    let scope = ("scope", "openid offline_access events:read");
    let begun = post(&app, "/oauth/device_authorization", &client, &[scope]).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    assert_eq!((&begun.body["expires_in"], &begun.body["interval"]), (&json!(600), &json!(5)));
    let (code, typed) = (text(&begun, "device_code"), text(&begun, "user_code"));
    assert_eq!(typed.len(), 9);
    is_fault(&poll(&app, &client, &code).await, 400, "authorization_pending");
    is_fault(&poll(&app, &client, &code).await, 400, "slow_down");
    app.world.clock.advance_millis(6_000);
    is_fault(&poll(&app, &client, &code).await, 400, "slow_down");
    app.world.clock.advance_millis(16_000);
    is_fault(&poll(&app, &client, &code).await, 400, "authorization_pending");
    let shown = anna.get(&format!("/v1/oauth/device?user_code={}", typed.to_lowercase())).await;
    assert_eq!(shown.body["name"], "Box", "{}", shown.text);
    // A key is no person, and another client's code is not this one's.
    app.post("/v1/oauth/device", json!({ "user_code": typed, "allow": true })).await.is_problem(403, "forbidden");
    assert_eq!(anna.post("/v1/oauth/device", json!({ "user_code": typed, "allow": true })).await.status, 204);
    is_fault(&poll(&app, &device(&anna).await, &code).await, 400, "expired_token");
    app.world.clock.advance_millis(21_000);
    let issued = poll(&app, &client, &code).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert_eq!(ask(&app, "/v1/events", &text(&issued, "access_token")).await.status, 200);
    assert_eq!(refresh(&app, &client, &text(&issued, "refresh_token")).await.status, 200);
    app.world.clock.advance_millis(21_000);
    is_fault(&poll(&app, &client, &code).await, 400, "expired_token");
    // One that is refused, and one that waited for too long.
    for (allow, wait, expected) in [(Some(false), 6_000, "access_denied"), (None, 601_000, "expired_token")] {
        let begun = post(&app, "/oauth/device_authorization", &client, &[scope]).await;
        if let Some(allow) = allow {
            let body = json!({ "user_code": text(&begun, "user_code"), "allow": allow });
            assert_eq!(anna.post("/v1/oauth/device", body).await.status, 204);
        }
        app.world.clock.advance_millis(wait);
        is_fault(&poll(&app, &client, &text(&begun, "device_code")).await, 400, expected);
    }
    let more = post(&app, "/oauth/device_authorization", &client, &[("scope", "users:*")]).await;
    is_fault(&more, 400, "invalid_scope");
    let other = web_app(&anna).await;
    is_fault(&post(&app, "/oauth/device_authorization", &other, &[scope]).await, 400, "unauthorized_client");
}

#[tokio::test]
async fn guessing_the_code_of_a_device_is_slowed() {
    let mut options = tidings_http::Options::default();
    options.rates.person_sign_ins = tidings_http::limits::Rate::new(5, 900);
    let app = with(options).await;
    let anna = first_admin(&app).await;
    for _ in 0..5 {
        let guess = json!({ "user_code": "BBBB-BBBB", "allow": true });
        anna.post("/v1/oauth/device", guess).await.is_problem(404, "not_found");
    }
    anna.get("/v1/oauth/device?user_code=BBBBBBBC").await.is_problem(429, "rate_limited");
}
