//! What stands between the server and the network.

use reqwest::Method;
use serde_json::json;
use tidings_http::Options;

use crate::app::{TestApp, send};

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
    assert_eq!(opened.status, 204, "{}", opened.text);
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
