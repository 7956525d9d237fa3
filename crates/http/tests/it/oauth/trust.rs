//! What people let a program do: where its answers may go without a question, and what its tokens say they
//! are worth.

use reqwest::Method;
use serde_json::{Value, json};

use super::*;
use crate::browser::invited;

fn text(answer: &Answer, name: &str) -> String {
    answer.body[name].as_str().unwrap_or_else(|| panic!("{name} in {}", answer.text)).to_owned()
}

/// Lets a client do what a request asks, on the page.
async fn allow(app: &TestApp, person: &Browser<'_>, request: &[(&'static str, String)]) {
    let asked = go(app, Some(&person.cookie), request).await;
    let query = asked.header("location").strip_prefix("/oauth/consent?").expect("the page").to_owned();
    let allowed = person.post("/v1/oauth/consent", json!({ "request": query, "allow": true })).await;
    assert_eq!(allowed.status, 200, "{}", allowed.text);
}

#[tokio::test]
async fn what_people_let_a_program_do_is_led_nowhere_else() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let scopes = json!(["openid", "email", "offline_access", "events:read", "events:write"]);
    let body = json!({ "name": "Desk", "redirect_uris": [CALLBACK], "scopes": scopes });
    let client = register(&anna, body).await;
    let request = request_of(&client);
    allow(&app, &anna, &request).await;
    assert!(led_to(&go(&app, Some(&anna.cookie), &request).await, "code").is_some(), "it is known");
    // One who may do less than the program asks of people does not lead its answers elsewhere.
    let role = json!({ "scopes": ["users:*", "events:read"] });
    assert_eq!(send(anna.request(Method::PUT, "/v1/roles/clerk").json(&role)).await.status, 201);
    let clerk = invited(&app, &anna, "clerk@example.org", "clerk").await;
    let path = format!("/v1/oauth/clients/{}", client.id);
    let elsewhere = json!({ "redirect_uris": [CALLBACK, "https://evil.example/callback"] });
    let moved = send(clerk.request(Method::PATCH, &path).json(&elsewhere)).await;
    moved.is_problem(403, "forbidden");
    clerk.post(&format!("{path}:rotate-secret"), json!({})).await.is_problem(403, "forbidden");
    // And where an Admin does, each person is asked anew.
    assert_eq!(send(anna.request(Method::PATCH, &path).json(&elsewhere)).await.status, 200);
    let other = changed(&client, &[("redirect_uri", "https://evil.example/callback")]);
    let asked = go(&app, Some(&anna.cookie), &other).await;
    assert!(asked.header("location").starts_with("/oauth/consent?"), "{}", asked.header("location"));
    assert!(
        led_to(&go(&app, Some(&anna.cookie), &request).await, "code").is_some(),
        "the first address is known still"
    );
}

#[tokio::test]
async fn a_program_without_a_secret_on_the_persons_machine_is_asked_about_each_time() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let scopes = json!(["openid", "email", "offline_access", "events:read"]);
    for first_party in [false, true] {
        let body = json!({ "name": "Tool", "redirect_uris": ["http://127.0.0.1/callback"], "confidential": false,
                           "scopes": scopes, "first_party": first_party });
        let client = register(&anna, body).await;
        let request = changed(&client, &[("redirect_uri", "http://127.0.0.1:51000/callback")]);
        allow(&app, &anna, &request).await;
        let other_port = changed(&client, &[("redirect_uri", "http://127.0.0.1:51999/callback")]);
        for request in [&request, &other_port] {
            let asked = go(&app, Some(&anna.cookie), request).await;
            assert!(asked.header("location").starts_with("/oauth/consent?"), "{}", asked.header("location"));
        }
        let mut silent = other_port.clone();
        silent.push(("prompt", "none".to_owned()));
        let refused = go(&app, Some(&anna.cookie), &silent).await;
        assert_eq!(led_to(&refused, "error").as_deref(), Some("consent_required"));
    }
}

#[tokio::test]
async fn a_token_that_was_used_or_is_over_ends_what_it_came_with() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let first = redeem(&app, &client, &code(&app, &anna, &client).await).await;
    let stolen = refresh(&app, &client, &text(&first, "refresh_token")).await;
    // The person signs out in the program, which knows the first one only.
    let revoked = post(&app, "/oauth/revoke", &client, &[("token", &text(&first, "refresh_token"))]).await;
    assert_eq!(revoked.status, 200);
    ask(&app, "/v1/me", &text(&stolen, "access_token")).await.is_problem(401, "unauthenticated");
    is_fault(&refresh(&app, &client, &text(&stolen, "refresh_token")).await, 400, "invalid_grant");

    let issued = redeem(&app, &client, &code(&app, &anna, &client).await).await;
    app.world.clock.advance_millis(11 * 60 * 1_000);
    let access = text(&issued, "access_token");
    ask(&app, "/v1/me", &access).await.is_problem(401, "unauthenticated");
    assert_eq!(post(&app, "/oauth/revoke", &client, &[("token", &access)]).await.status, 200);
    is_fault(&refresh(&app, &client, &text(&issued, "refresh_token")).await, 400, "invalid_grant");
}

/// What an answer and introspection say that a token may do.
async fn said(app: &TestApp, client: &Client, token: &str) -> Vec<String> {
    let said = post(app, "/oauth/introspect", client, &[("token", token)]).await;
    assert_eq!(said.body["active"], json!(true), "{}", said.text);
    said.body["scope"].as_str().expect("scopes").split(' ').map(str::to_owned).collect()
}

#[tokio::test]
async fn a_token_says_what_it_is_worth_and_not_what_was_asked_for() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let scopes = json!(["openid", "email", "offline_access", "events:read", "events:write", "users:*"]);
    let body = json!({ "name": "Desk", "redirect_uris": [CALLBACK], "scopes": scopes, "first_party": true });
    let client = register(&anna, body).await;
    let vera = invited(&app, &anna, "vera@example.org", "viewer").await;
    let asked = changed(&client, &[("scope", "openid email offline_access events:read events:write users:*")]);
    let code = led_to(&go(&app, Some(&vera.cookie), &asked).await, "code").expect("a code");
    let issued = redeem(&app, &client, &code).await;
    let worth = "openid email offline_access events:read";
    assert_eq!(issued.body["scope"], worth, "{}", issued.text);
    let access = text(&issued, "access_token");
    assert_eq!(said(&app, &client, &access).await.join(" "), worth);
    assert_eq!(said(&app, &client, &text(&issued, "refresh_token")).await.join(" "), worth);
    assert_eq!(ask(&app, "/oauth/userinfo", &access).await.body["email"], "vera@example.org");

    // A narrower token tells no more than it was given.
    let form = [("grant_type", "refresh_token"), ("scope", "openid events:read")];
    let refresh_token = text(&issued, "refresh_token");
    let narrow = post(&app, "/oauth/token", &client, &[form[0], form[1], ("refresh_token", &refresh_token)]).await;
    let about = ask(&app, "/oauth/userinfo", &text(&narrow, "access_token")).await.body;
    assert!(about["sub"].is_string() && about.get("email").is_none(), "{about}");

    // What is taken off the client is taken off what it was given.
    let path = format!("/v1/oauth/clients/{}", client.id);
    let fewer = json!({ "scopes": ["openid", "events:read"] });
    assert_eq!(send(anna.request(Method::PATCH, &path).json(&fewer)).await.status, 200);
    assert_eq!(said(&app, &client, &access).await.join(" "), "openid events:read");
    assert!(ask(&app, "/oauth/userinfo", &access).await.body.get("email").is_none());
    is_fault(&refresh(&app, &client, &text(&narrow, "refresh_token")).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_role_that_people_or_programs_have_stays() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let role = |scopes: Value| json!({ "scopes": scopes });
    let put = send(anna.request(Method::PUT, "/v1/roles/feeder").json(&role(json!(["events:write"])))).await;
    assert_eq!(put.status, 201);
    let body = json!({ "name": "Feeder", "scopes": ["events:write"], "role": "feeder",
                       "redirect_uris": [CALLBACK], "grant_types": ["client_credentials", "authorization_code"] });
    let client = register(&anna, body).await;
    let path = format!("/v1/oauth/clients/{}", client.id);
    // The grant type takes its role with it.
    let off = send(anna.request(Method::PATCH, &path).json(&json!({ "grant_types": ["authorization_code"] }))).await;
    assert_eq!((off.status, &off.body["role"]), (200, &Value::Null), "{}", off.text);
    let body = json!({ "grant_types": ["client_credentials"], "role": "feeder" });
    assert_eq!(send(anna.request(Method::PATCH, &path).json(&body)).await.status, 200);
    let delete = || anna.request(Method::DELETE, "/v1/roles/feeder").header("if-match", "\"1\"");
    send(delete()).await.is_problem(409, "conflict");
    assert_eq!(anna.delete(&path).await.status, 204);
    // People hold it too.
    invited(&app, &anna, "bela@example.org", "feeder").await;
    send(delete()).await.is_problem(409, "conflict");
}

#[tokio::test]
async fn what_a_disabled_person_let_in_can_be_taken_back_meanwhile_and_stays_out() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let bela = invited(&app, &anna, "bela@example.org", "curator").await;
    let stolen = redeem(&app, &client, &code(&app, &bela, &client).await).await;
    let kept = redeem(&app, &client, &code(&app, &bela, &client).await).await;
    let id = bela.get("/v1/me").await.body["user"].as_str().expect("a user").to_owned();
    let path = format!("/v1/users/{id}");
    app.world.clock.advance_millis(1);
    let switch = |off: bool| send(anna.request(Method::PATCH, &path).json(&json!({ "disabled": off })));
    assert_eq!(switch(true).await.status, 200);
    let token = text(&stolen, "refresh_token");
    assert_eq!(post(&app, "/oauth/revoke", &client, &[("token", &token)]).await.status, 200);
    let said = app.get("/v1/audit?limit=200").await;
    assert!(said.text.contains("grant.revoke"), "it is ended, though its person may not enter: {}", said.text);
    assert_eq!(switch(false).await.status, 200);
    for issued in [&stolen, &kept] {
        is_fault(&refresh(&app, &client, &text(issued, "refresh_token")).await, 400, "invalid_grant");
    }
    bela.get("/v1/me").await.is_problem(401, "unauthenticated");
    // Nor does anything come back with one who was taken out and joins again.
    let bela = Browser::sign_in(&app, "bela@example.org", crate::browser::PASSWORD).await;
    let before = redeem(&app, &client, &code(&app, &bela, &client).await).await;
    assert_eq!(anna.delete(&path).await.status, 204);
    app.world.clock.advance_millis(1);
    invited(&app, &anna, "bela@example.org", "curator").await;
    is_fault(&refresh(&app, &client, &text(&before, "refresh_token")).await, 400, "invalid_grant");
    bela.get("/v1/me").await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_request_may_be_posted_and_goes_on_as_a_query() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let http = reqwest::Client::builder().tls_certs_only([]).redirect(redirect::Policy::none()).build();
    let http = http.expect("a client");
    let form: Vec<String> =
        request_of(&client).iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let form = form.join("&");
    let posted = http.post(app.url("/oauth/authorize")).header("content-type", "application/x-www-form-urlencoded");
    let posted = send(posted.header("origin", "https://app.example.org").body(form.clone())).await;
    assert_eq!((posted.status, posted.header("location")), (303, format!("/oauth/authorize?{form}").as_str()));
    let injected = http.post(app.url("/oauth/authorize")).body("client_id=x\r\nset-cookie: a=b");
    assert_eq!(send(injected).await.status, 400);
}

#[tokio::test]
async fn whoever_has_no_token_is_told_where_to_learn_how_to_come_by_one() {
    let app = server().await;
    let named = format!("resource_metadata=\"{}\"", app.url("/.well-known/oauth-protected-resource"));
    for request in [app.http.get(app.url("/v1/events")), app.http.get(app.url("/v1/events")).bearer_auth("a.b.c")] {
        let answer = send(request).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").ends_with(&named), "{}", answer.header("www-authenticate"));
    }
}
