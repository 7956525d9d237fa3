//! What stands between the server and the network.

use reqwest::Method;
use serde_json::json;
use tidings_http::Options;

use crate::app::{Answer, TestApp, send};

/// A server that believes a proxy on this machine.
async fn behind_proxy() -> TestApp {
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    TestApp::with(Options { trusted_proxies, ..Options::default() }).await
}

/// The cookie of a session that was opened with these headers.
async fn cookie(app: &TestApp, headers: &[(&str, &str)]) -> String {
    let mut request = app.http.post(app.url("/v1/session")).json(&json!({ "key": app.viewer }));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let opened = send(request).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    opened.header("set-cookie").to_owned()
}

#[tokio::test]
async fn only_a_trusted_proxy_makes_a_secure_session() {
    let told = [("x-forwarded-for", "203.0.113.5"), ("x-forwarded-proto", "https")];
    let alone = TestApp::start().await;
    let plain = cookie(&alone, &told).await;
    assert!(plain.starts_with("tidings_session=") && !plain.contains("Secure"), "{plain}");
    let proxied = behind_proxy().await;
    let secure = cookie(&proxied, &told).await;
    assert!(secure.starts_with("__Host-tidings_session=") && secure.ends_with("; Secure"), "{secure}");
    let host = [("x-forwarded-host", "tidings.example"), ("origin", "https://tidings.example")];
    cookie(&proxied, &[told.as_slice(), host.as_slice()].concat()).await;
    let forged = alone.http.post(alone.url("/v1/session")).json(&json!({ "key": alone.viewer }));
    let forged = forged.header("x-forwarded-host", "evil.example").header("origin", "http://evil.example");
    send(forged).await.is_problem(403, "cross_origin");
}

#[tokio::test]
async fn one_that_a_proxy_speaks_for_is_never_local() {
    for app in [TestApp::start().await, behind_proxy().await] {
        assert_eq!(send(app.http.get(app.url("/metrics"))).await.status, 200);
        for (name, value) in [
            ("forwarded", "for=127.0.0.1"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "http"),
            ("x-real-ip", "127.0.0.1"),
        ] {
            let request = app.http.request(Method::GET, app.url("/metrics")).header(name, value);
            send(request).await.is_problem(401, "unauthenticated");
        }
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_do_nothing_else_with_it() {
    let app = TestApp::start().await;
    for path in ["/", "/livez", "/v1/events", "/nope", "/docs/api", "/openapi.json", "/page/app.js"] {
        let answer = app.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", ""),
            ("access-control-allow-origin", ""),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert!(answer.header("permissions-policy").contains("geolocation=()"), "{path}");
    }
}

#[tokio::test]
async fn only_tls_is_asked_for_where_a_trusted_proxy_tells_of_it() {
    let (alone, proxied) = (TestApp::start().await, behind_proxy().await);
    let strict = async |app: &TestApp, host: &str, scheme: &str| {
        let request =
            app.http.get(app.url("/")).header("forwarded", format!("for=203.0.113.5;proto={scheme};host={host}"));
        !send(request).await.header("strict-transport-security").is_empty()
    };
    assert!(strict(&proxied, "tidings.example", "https").await);
    assert!(!strict(&proxied, "tidings.example", "http").await);
    assert!(!strict(&proxied, "localhost", "https").await);
    assert!(!strict(&alone, "tidings.example", "https").await);
}

/// What a browser asks before a page of this origin may publish.
async fn preflight(app: &TestApp, path: &str, origin: &str) -> Answer {
    let request = app.http.request(Method::OPTIONS, app.url(path)).header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    send(request.header("access-control-request-headers", "authorization,content-type")).await
}

#[tokio::test]
async fn a_site_that_is_named_may_call_the_api_with_a_key() {
    let site = "https://app.example";
    let cors_origins = vec![site.parse().expect("an origin")];
    let app = TestApp::with(Options { cors_origins, ..Options::default() }).await;
    let asked = preflight(&app, "/v1/events", site).await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, site));
    assert!(asked.header("access-control-allow-methods").contains("POST"));
    assert!(asked.header("access-control-allow-headers").contains("authorization"));
    let varies: Vec<_> = asked.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok()).collect();
    assert!(varies.concat().contains("origin"), "{varies:?}");

    let listed = send(app.request(Method::GET, "/v1/events").header("origin", site)).await;
    assert_eq!((listed.status, listed.header("access-control-allow-origin")), (200, site));
    assert!(listed.header("access-control-expose-headers").contains("x-request-id"));
    let refused = send(app.http.get(app.url("/v1/events")).header("origin", site)).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, site));
    for answer in [&asked, &listed, &refused] {
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn other_sites_and_cookies_are_not_let_in() {
    let cors_origins = vec!["https://app.example".parse().expect("an origin")];
    let open = TestApp::with(Options { cors_origins, ..Options::default() }).await;
    let closed = TestApp::start().await;
    let others = [
        "null",
        "https://evil.example",
        "http://app.example",
        "https://app.example.evil.example",
        "https://app.example:8443",
    ];
    for origin in others {
        for app in [&open, &closed] {
            let asked = preflight(app, "/v1/events", origin).await;
            assert_eq!((asked.status, asked.header("access-control-allow-origin")), (405, ""), "{origin}");
            let listed = send(app.request(Method::GET, "/v1/events").header("origin", origin)).await;
            assert_eq!(listed.header("access-control-allow-origin"), "", "{origin}");
        }
        // A cache must not give this answer to the site that may read it.
        let listed = send(open.request(Method::GET, "/v1/events").header("origin", origin)).await;
        assert!(listed.headers.get_all("vary").iter().any(|value| value == "origin"));
    }
    let site = "https://app.example";
    for path in ["/v1/session", "/v1/ws", "/", "/metrics"] {
        let asked = preflight(&open, path, site).await;
        assert_eq!((asked.status, asked.header("access-control-allow-origin")), (405, ""), "{path}");
    }
    // A site that may call with a key may still not with the cookie of our page.
    let session = cookie(&open, &[]).await;
    let session = session.split(';').next().expect("a cookie");
    let request = open.http.post(open.url("/v1/subscriptions")).json(&json!({ "filter": {} }));
    send(request.header("cookie", session).header("origin", site)).await.is_problem(403, "cross_origin");
}
