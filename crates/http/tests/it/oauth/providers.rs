//! People who came in by a provider: what that is worth to clients, and to their own account.

use serde_json::{Value, json};

use super::*;
use crate::sso::{Provider, client as browser_of_nobody, mail, sign_in};

/// Bela, who signed in by the provider, which says `more` of it.
async fn bela<'a>(app: &'a TestApp, provider: &Provider, more: Value) -> Browser<'a> {
    let mut claims = mail("bela@example.org");
    claims.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    let cookie = sign_in(app, provider, claims).await.1.expect("a session");
    let session = send(app.http.get(app.url("/v1/session")).header("cookie", &cookie)).await;
    let token = session.body["csrf_token"].as_str().expect("a token").to_owned();
    Browser { app, cookie, token }
}

async fn provider(app: &TestApp) -> Provider {
    Provider::start(app, json!({ "domains": ["example.org"], "default_role": "viewer" })).await
}

fn seconds(app: &TestApp) -> i64 {
    app.world.engine.clock().now().as_millis() / 1_000
}

#[tokio::test]
async fn a_session_by_a_provider_links_and_unlinks_no_login() {
    let app = server().await;
    let provider = provider(&app).await;
    let bela = bela(&app, &provider, json!({})).await;
    let refused = bela.post("/v1/sso/corp/link", json!({})).await;
    refused.is_problem(403, "forbidden");
    let id = bela.get("/v1/account/logins").await.body["data"][0]["id"].as_str().expect("an id").to_owned();
    bela.delete(&format!("/v1/account/logins/{id}")).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_new_sign_in_is_one_that_the_provider_says_is_new() {
    let app = server().await;
    let provider = provider(&app).await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let aged = changed(&client, &[("max_age", "600")]);
    let is_let_in = |answer: &Answer| led_to(answer, "code").is_some();
    // An hour ago by its own session, though ours is new; and one that does not tell.
    for more in [json!({ "auth_time": seconds(&app) - 3_600 }), json!({})] {
        let bela = bela(&app, &provider, more).await;
        assert!(is_let_in(&go(&app, Some(&bela.cookie), &request_of(&client)).await), "who asks for nothing new");
        for request in [&aged, &changed(&client, &[("prompt", "login")])] {
            let answer = go(&app, Some(&bela.cookie), request).await;
            assert!(answer.header("location").starts_with("/account?next="), "{}", answer.header("location"));
        }
    }
    let at = seconds(&app) - 300;
    let bela = bela(&app, &provider, json!({ "auth_time": at })).await;
    let code = led_to(&go(&app, Some(&bela.cookie), &aged).await, "code").expect("a code");
    let issued = redeem(&app, &client, &code).await;
    let token = issued.body["id_token"].as_str().expect("a token");
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("claims")).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["auth_time"], at);
}

#[tokio::test]
async fn a_provider_is_told_that_a_new_sign_in_is_asked_for() {
    let app = server().await;
    provider(&app).await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    for (name, value, wanted) in [
        ("prompt", "login", vec!["max_age=0", "prompt=login"]),
        ("max_age", "600", vec!["max_age=600"]),
        ("state", "x", vec![]),
    ] {
        let query = changed(&client, &[(name, value)]);
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let next = escape(&format!("/oauth/authorize?{}", query.join("&")));
        let answer = send(browser_of_nobody().get(app.url(&format!("/sso/corp/start?next={next}")))).await;
        let location = answer.header("location");
        assert!(location.starts_with(crate::sso::ISSUER), "{location}");
        assert!(wanted.iter().all(|part| location.contains(part)), "{location}");
        assert_eq!(location.contains("max_age"), !wanted.is_empty(), "{location}");
    }
}
