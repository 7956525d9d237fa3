use reqwest::Method;
use serde_json::json;
use tidings_core::permission::Role;

use crate::app::{QUAKE, TestApp, send};
use crate::client::Socket;

#[tokio::test]
async fn who_asks_must_be_known_and_may_only_do_what_the_role_holds() {
    let app = TestApp::start().await;
    let nobody = send(app.http.get(app.url("/v1/events"))).await;
    nobody.is_problem(401, "unauthenticated");
    assert!(
        nobody.header("www-authenticate").starts_with("Bearer")
            && nobody.header("www-authenticate").contains("events:read")
    );
    send(app.http.get(app.url("/v1/events")).bearer_auth("tk_no")).await.is_problem(401, "unauthenticated");
    let post =
        |key: &str| app.http.post(app.url("/v1/events")).bearer_auth(key).header("content-type", "application/json");
    send(post(&app.viewer).body(QUAKE)).await.is_problem(403, "forbidden");
    assert_eq!(send(post(&app.curator).body(r#"{"title":"mine"}"#)).await.status, 202);
    let me = send(app.http.get(app.url("/v1/me")).bearer_auth(&app.viewer)).await;
    assert_eq!(
        (&me.body["role"], &me.body["scopes"]),
        (&json!("viewer"), &json!(["events:read", "subscriptions:*", "deliveries:*"]))
    );
}

#[tokio::test]
async fn a_curator_speaks_in_its_own_name_only() {
    let app = TestApp::start().await;
    let alert = r#"<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>x-1</identifier><sender>w-nws.webmaster@noaa.gov</sender><sent>2026-01-01T00:00:00-00:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty><headline>Flood</headline><area><areaDesc>Here</areaDesc></area></info></alert>"#;
    let post = |key: &str| {
        app.http.post(app.url("/v1/events")).bearer_auth(key).header("content-type", "application/cap+xml").body(alert)
    };
    let refused = send(post(&app.curator)).await;
    refused.is_problem(422, "all_rejected");
    assert_eq!(refused.body["results"][0]["problem"]["code"], "sender_not_permitted", "{}", refused.text);
    assert_eq!(send(post(&app.admin)).await.status, 202);
}

#[tokio::test]
async fn keys_are_made_by_admins_within_their_tenant() {
    let app = TestApp::start().await;
    let made = app.post("/v1/keys", json!({ "role": "curator", "user": "ann", "issuers": ["noaa.gov"] })).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"), "{}", made.text);
    let key = made.body["key"].as_str().expect("a key");
    let me = send(app.http.get(app.url("/v1/me")).bearer_auth(key)).await;
    assert_eq!((&me.body["role"], &me.body["user"]), (&json!("curator"), &made.body["user"]));
    let again = app.post("/v1/keys", json!({ "role": "viewer", "user": "ann" })).await;
    assert_eq!(again.body["user"], made.body["user"]);
    let wrong =
        app.post("/v1/keys", json!({ "role": "King!", "tenant": "No!", "user": "", "issuers": 5, "x": 1 })).await;
    wrong.is_problem(422, "invalid");
    assert_eq!(wrong.body["errors"].as_array().map(Vec::len), Some(5), "{}", wrong.text);
    for name in ["alice/desk", "a b", "a\u{7}", &"x".repeat(65), "usr_00000000000000000000000000"] {
        let refused = app.post("/v1/keys", json!({ "role": "viewer", "user": name })).await;
        refused.is_problem(422, "invalid");
        assert_eq!(refused.body["errors"][0]["pointer"], "/user", "{}", refused.text);
    }
    let own = app.principal(&app.admin).credential.key().expect("a key");
    let suicide = app.request(Method::DELETE, &format!("/v1/keys/{own}"));
    send(suicide).await.is_problem(403, "forbidden");
    let operator = app.post("/v1/keys", json!({ "role": "viewer", "tenant": "other" })).await;
    assert_eq!(operator.status, 201, "{}", operator.text);
    let stranger = app.key_of("other", Role::Admin).await;
    let request = |tenant: &str| {
        let body = json!({ "role": "viewer", "tenant": tenant });
        app.http.post(app.url("/v1/keys")).bearer_auth(&stranger).json(&body)
    };
    send(request("default")).await.is_problem(403, "forbidden");
    assert_eq!(send(request("other")).await.status, 201);
    let curator = app.http.post(app.url("/v1/keys")).bearer_auth(&app.curator).json(&json!({ "role": "admin" }));
    send(curator).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_ticket_opens_one_session_that_only_our_page_can_use() {
    let app = TestApp::start().await;
    let ticket = app.ticket(&app.admin).await;
    let swap = |ticket: &str| app.http.post(app.url("/v1/session")).json(&json!({ "ticket": ticket }));
    let opened = send(swap(&ticket)).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    let token = opened.body["csrf_token"].as_str().expect("a token").to_owned();
    let cookie = opened.header("set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.starts_with("tidings_session="),
        "{cookie}"
    );
    send(swap(&ticket)).await.is_problem(401, "unauthenticated");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let with_cookie = |method: Method, path: &str| app.http.request(method, app.url(path)).header("cookie", &cookie);
    assert_eq!(send(with_cookie(Method::GET, "/v1/me")).await.body["role"], "admin");
    let own = format!("http://{}", app.address);
    let change = |origin: Option<&str>, token: Option<&str>| {
        let request = with_cookie(Method::POST, "/v1/subscriptions").json(&json!({ "filter": {} }));
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        token.into_iter().fold(request, |request, token| request.header("x-csrf-token", token))
    };
    assert_eq!(send(change(Some(&own), Some(&token))).await.status, 201);
    send(change(Some("http://evil.example"), Some(&token))).await.is_problem(403, "cross_origin");
    send(change(None, Some(&token))).await.is_problem(403, "cross_origin");
    send(change(Some(&own), None)).await.is_problem(403, "cross_origin");
    send(change(Some(&own), Some("00000000000000000000000000000000"))).await.is_problem(403, "cross_origin");
    assert!(Socket::open(app.address, &[("cookie", &cookie), ("origin", &own)]).await.is_ok());
    assert!(Socket::open(app.address, &[("cookie", &cookie), ("origin", "http://evil.example")]).await.is_err());
    let closed = send(with_cookie(Method::DELETE, "/v1/session").header("origin", &own)).await;
    assert_eq!(closed.status, 204);
    send(with_cookie(Method::GET, "/v1/me")).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn tickets_and_sessions_end_by_the_clock() {
    let app = TestApp::start().await;
    let ticket = app.ticket(&app.viewer).await;
    app.world.clock.advance_millis(11 * 60 * 1_000);
    let swap = app.http.post(app.url("/v1/session")).json(&json!({ "ticket": ticket }));
    send(swap).await.is_problem(401, "unauthenticated");
    let opened = send(app.http.post(app.url("/v1/session")).json(&json!({ "key": app.viewer }))).await;
    let cookie = opened.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let me = || send(app.http.get(app.url("/v1/me")).header("cookie", &cookie));
    assert_eq!(me().await.status, 200);
    app.world.clock.advance_hours(13);
    me().await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn operators_read_on_this_machine_without_a_key_but_not_through_a_proxy() {
    let app = TestApp::start().await;
    for path in ["/livez", "/readyz", "/startupz", "/metrics", "/openapi.json", "/docs/api"] {
        assert_eq!(send(app.http.get(app.url(path))).await.status, 200, "{path}");
        let forwarded = app.http.get(app.url(path)).header("x-forwarded-for", "203.0.113.5");
        send(forwarded).await.is_problem(401, "unauthenticated");
    }
    let ready = app.get("/readyz?verbose").await;
    assert!(ready.body["checks"].as_array().is_some_and(|checks| checks.len() >= 4), "{}", ready.text);
    let metrics = app.get("/metrics").await;
    assert!(
        metrics
            .text
            .contains("tidings_http_request_duration_seconds_count{method=\"GET\",route=\"/livez\",status=\"200\"} 1"),
        "{}",
        metrics.text
    );
    app.app.drain();
    app.get("/readyz").await.is_problem(503, "draining");
    assert_eq!(app.get("/livez").await.status, 200);
}
