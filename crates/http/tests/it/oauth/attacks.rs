//! What is tried by those who should get nothing; docs/explanation/security.md lists it.

use serde_json::json;
use tidings_core::permission::Role;

use super::*;
use crate::browser::link_sent;

#[tokio::test]
async fn a_request_of_an_unknown_client_or_to_an_unknown_address_leads_nowhere() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let address = |uri: &'static str| vec![("redirect_uri", uri)];
    let mut wrong = vec![
        vec![("client_id", "cli_00000000000000000000000000")],
        vec![("client_id", "x")],
        vec![("client_id", "")],
        vec![("redirect_uri", "")],
    ];
    wrong.extend(
        [
            "https://evil.example/callback",
            "https://app.example.org/callback/../evil",
            "https://app.example.org/callback/",
            "https://app.example.org/callback?x=1",
            "https://app.example.org/callbackx",
            "https://app.example.org/call",
            "https://app.example.org:8443/callback",
            "https://app.example.org@evil.example/callback",
            "https://app.example.org/callback#part",
            "http://app.example.org/callback",
            "javascript:alert(1)",
            "//app.example.org/callback",
            "https://app.example.org\\@evil.example/callback",
        ]
        .map(address),
    );
    for changes in wrong {
        let answer = go(&app, Some(&anna.cookie), &changed(&client, &changes)).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{changes:?} {}", answer.text);
        assert!(answer.header("content-type").starts_with("text/html") && !answer.text.contains("evil"), "{changes:?}");
    }
    let mut twice = request_of(&client);
    twice.push(("redirect_uri", "https://evil.example/".to_owned()));
    assert_eq!(go(&app, Some(&anna.cookie), &twice).await.status, 400);
}

#[tokio::test]
async fn a_request_without_pkce_or_with_another_fault_brings_no_code() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    for (changes, expected) in [
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge", "short")], "invalid_request"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "code id_token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("scope", "openid users:*")], "invalid_scope"),
        (vec![("scope", "everything")], "invalid_scope"),
        (vec![("scope", "")], "invalid_scope"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("max_age", "-1")], "invalid_request"),
        (vec![("request", "eyJhbGciOiJub25lIn0..")], "request_not_supported"),
        (vec![("request_uri", "https://evil.example/r")], "request_uri_not_supported"),
        (vec![("resource", "https://other.example")], "invalid_target"),
    ] {
        let answer = go(&app, Some(&anna.cookie), &changed(&client, &changes)).await;
        assert!(answer.header("location").starts_with(CALLBACK), "{changes:?}");
        assert_eq!(led_to(&answer, "error").as_deref(), Some(expected), "{changes:?}");
        assert_eq!(led_to(&answer, "state").as_deref(), Some("as it & was"));
        assert_eq!((led_to(&answer, "iss"), led_to(&answer, "code")), (Some(app.url("")), None));
    }
}

#[tokio::test]
async fn a_stolen_code_is_worth_nothing_without_its_verifier_client_and_address() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let (client, other) = (web_app(&anna).await, web_app(&anna).await);
    let code = code(&app, &anna, &client).await;
    let good = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let with = |name: &'static str, value: &'static str| {
        good.map(|(key, kept)| if key == name { (key, value) } else { (key, kept) })
    };
    for form in [
        with("code_verifier", "another-verifier-of-forty-three-letters-or-more"),
        with("code_verifier", ""),
        with("redirect_uri", "https://app.example.org/other"),
        with("redirect_uri", ""),
        with("code", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ] {
        is_fault(&post(&app, "/oauth/token", &client, &form).await, 400, "invalid_grant");
    }
    // The challenge itself is no verifier, as `plain` would have it.
    let shown = challenge(VERIFIER);
    let plain = good.map(|(key, kept)| if key == "code_verifier" { (key, shown.as_str()) } else { (key, kept) });
    is_fault(&post(&app, "/oauth/token", &client, &plain).await, 400, "invalid_grant");
    is_fault(&post(&app, "/oauth/token", &other, &good).await, 400, "invalid_grant");
    for secret in [None, Some("wrong".to_owned()), other.secret.clone()] {
        let thief = Client { id: client.id.clone(), secret };
        is_fault(&post(&app, "/oauth/token", &thief, &good).await, 401, "invalid_client");
    }
    assert_eq!(post(&app, "/oauth/token", &client, &good).await.status, 200);
    let late = super::code(&app, &anna, &client).await;
    app.world.clock.advance_millis(61_000);
    is_fault(&redeem(&app, &client, &late).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_code_that_is_used_twice_ends_what_it_gave() {
    let app = server().await;
    let (anna, client, _) = tokens(&app).await;
    let code = code(&app, &anna, &client).await;
    let issued = redeem(&app, &client, &code).await;
    let access = text(&issued, "access_token");
    assert_eq!(ask(&app, "/v1/me", &access).await.status, 200);
    is_fault(&redeem(&app, &client, &code).await, 400, "invalid_grant");
    ask(&app, "/v1/me", &access).await.is_problem(401, "unauthenticated");
    is_fault(&refresh(&app, &client, &text(&issued, "refresh_token")).await, 400, "invalid_grant");
    let log = app.get("/v1/audit").await.text;
    assert!(log.contains("grant.code_reused"), "{log}");
    // Two at once are two uses.
    let code = super::code(&app, &anna, &client).await;
    let (one, two) = tokio::join!(redeem(&app, &client, &code), redeem(&app, &client, &code));
    for answer in [one, two] {
        if answer.status == 200 {
            ask(&app, "/v1/me", &text(&answer, "access_token")).await.is_problem(401, "unauthenticated");
        } else {
            is_fault(&answer, 400, "invalid_grant");
        }
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_ends_its_family() {
    let app = server().await;
    let (anna, client, issued) = tokens(&app).await;
    let first = text(&issued, "refresh_token");
    // A guess that names the grant, as anyone can who saw an access token, ends nothing.
    let mut parts = first.split('.').collect::<Vec<_>>();
    parts[1] = "AAAAAAAAAAAAAAAAAAAAAA";
    is_fault(&refresh(&app, &client, &parts.join(".")).await, 400, "invalid_grant");
    let other = web_app(&anna).await;
    is_fault(&refresh(&app, &other, &first).await, 400, "invalid_grant");
    let second = refresh(&app, &client, &first).await;
    assert_eq!(second.status, 200, "{}", second.text);
    is_fault(&refresh(&app, &client, &first).await, 400, "invalid_grant");
    is_fault(&refresh(&app, &client, &text(&second, "refresh_token")).await, 400, "invalid_grant");
    ask(&app, "/v1/me", &text(&second, "access_token")).await.is_problem(401, "unauthenticated");
    assert!(app.get("/v1/audit").await.text.contains("grant.refresh_reused"));
    // Two at once are two uses: the family ends, whoever was faster.
    let issued = redeem(&app, &client, &code(&app, &anna, &client).await).await;
    let token = text(&issued, "refresh_token");
    let (one, two) = tokio::join!(refresh(&app, &client, &token), refresh(&app, &client, &token));
    assert!(one.status == 400 || two.status == 400, "{} {}", one.text, two.text);
    for answer in [one, two].iter().filter(|answer| answer.status == 200) {
        ask(&app, "/v1/me", &text(answer, "access_token")).await.is_problem(401, "unauthenticated");
        is_fault(&refresh(&app, &client, &text(answer, "refresh_token")).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn what_looks_like_a_token_is_none() {
    let app = server().await;
    let (_, client, issued) = tokens(&app).await;
    let (access, id) = (text(&issued, "access_token"), text(&issued, "id_token"));
    let mut parts: Vec<&str> = access.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    let unsigned = format!("{none}.{}.", parts[1]);
    let mut told = claims(&access);
    told["scope"] = json!("openid users:*");
    let more = URL_SAFE_NO_PAD.encode(told.to_string());
    parts[1] = &more;
    let forged = parts.join(".");
    for token in [&id, &unsigned, &forged, &text(&issued, "refresh_token"), &format!("{access}x")] {
        let refused = ask(&app, "/v1/me", token).await;
        refused.is_problem(401, "unauthenticated");
        assert!(refused.header("www-authenticate").contains("invalid_token"));
    }
    // Another server's token, of the same shape.
    let elsewhere = server().await;
    let (_, _, theirs) = tokens(&elsewhere).await;
    ask(&app, "/v1/me", &text(&theirs, "access_token")).await.is_problem(401, "unauthenticated");
    assert_eq!(
        post(&app, "/oauth/introspect", &client, &[("token", &text(&theirs, "access_token"))]).await.body["active"],
        false
    );
}

#[tokio::test]
async fn no_program_acts_for_the_person_where_only_they_may() {
    let app = server().await;
    let (_, client, issued) = tokens(&app).await;
    let access = text(&issued, "access_token");
    for path in ["/v1/account", "/v1/session", "/v1/sessions", "/v1/oauth/consent?client_id=x"] {
        ask(&app, path, &access).await.is_problem(403, "forbidden");
    }
    for path in ["/v1/account/second-factor", "/v1/sessions:end-all", "/v1/oauth/consent", "/v1/account/password"] {
        let request = app.http.post(app.url(path)).bearer_auth(&access).json(&json!({ "request": "", "allow": true }));
        send(request).await.is_problem(403, "forbidden");
    }
    // A code for more cannot be had with a token in place of the cookie.
    let cookie = format!("tidings_session={access}");
    let sent = go(&app, Some(&cookie), &request_of(&client)).await;
    assert!(sent.header("location").starts_with("/account?next="));
}

#[tokio::test]
async fn consent_is_given_by_the_page_alone() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let body = json!({ "request": format!("client_id={}", client.id), "allow": true });
    let url = app.url("/v1/oauth/consent");
    let bare = send(app.http.post(&url).header("cookie", &anna.cookie).json(&body)).await;
    bare.is_problem(403, "cross_origin");
    let foreign = app.http.post(&url).header("cookie", &anna.cookie).header("origin", "https://evil.example");
    send(foreign.json(&body)).await.is_problem(403, "cross_origin");
    // An API key is no person either.
    let request: Vec<String> =
        request_of(&client).iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let body = json!({ "request": request.join("&"), "allow": true });
    app.post("/v1/oauth/consent", body).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn clients_and_tokens_of_another_tenant_are_as_if_they_were_not() {
    let app = server().await;
    let (anna, client, issued) = tokens(&app).await;
    let other = app.key_of("other", Role::Admin).await;
    let as_other = |method: Method, path: &str| app.http.request(method, app.url(path)).bearer_auth(&other);
    let path = format!("/v1/oauth/clients/{}", client.id);
    send(as_other(Method::GET, &path)).await.is_problem(404, "not_found");
    send(as_other(Method::DELETE, &path)).await.is_problem(404, "not_found");
    send(as_other(Method::PATCH, &path).json(&json!({ "name": "x" }))).await.is_problem(404, "not_found");
    send(as_other(Method::POST, &format!("{path}:rotate-secret")).json(&json!({}))).await.is_problem(404, "not_found");
    assert_eq!(send(as_other(Method::GET, "/v1/oauth/clients")).await.body["data"], json!([]));
    // Their client does not let in who is not one of theirs, and learns nothing of our tokens.
    let body = json!({ "name": "Theirs", "redirect_uris": [CALLBACK], "scopes": ["openid", "events:read", "email", "offline_access"], "first_party": true });
    let made = send(as_other(Method::POST, "/v1/oauth/clients").json(&body)).await;
    let theirs = Client { id: text(&made, "id"), secret: Some(text(&made, "client_secret")) };
    let denied = go(&app, Some(&anna.cookie), &request_of(&theirs)).await;
    assert_eq!(led_to(&denied, "error").as_deref(), Some("access_denied"));
    let token = text(&issued, "access_token");
    assert_eq!(post(&app, "/oauth/introspect", &theirs, &[("token", &token)]).await.body, json!({ "active": false }));
    assert_eq!(post(&app, "/oauth/revoke", &theirs, &[("token", &token)]).await.status, 200);
    assert_eq!(ask(&app, "/v1/me", &token).await.status, 200, "another's token is not theirs to revoke");
    // Once she is one of theirs, she is there what they made her, and no more.
    send(as_other(Method::POST, "/v1/users").json(&json!({ "email": "anna@example.org", "role": "viewer" }))).await;
    let link = link_sent(&app, "anna@example.org", "join").await;
    let body = json!({ "link": link, "password": crate::browser::PASSWORD });
    assert_eq!(send(app.http.post(app.url("/v1/links:redeem")).json(&body)).await.status, 200);
    let there = text(&redeem(&app, &theirs, &code(&app, &anna, &theirs).await).await, "access_token");
    let me = ask(&app, "/v1/me", &there).await.body;
    assert_eq!((&me["tenant"], &me["role"]), (&json!("other"), &json!("viewer")));
}

#[tokio::test]
async fn forms_are_forms_and_say_each_thing_once() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let url = app.url("/oauth/token");
    let json = app.http.post(&url).json(&json!({ "grant_type": "client_credentials" }));
    is_fault(&send(json).await, 400, "invalid_request");
    for (body, status, expected) in [
        (String::new(), 400, "invalid_request"),
        ("grant_type=x&grant_type=x".to_owned(), 400, "invalid_request"),
        ("grant_type=x".to_owned(), 401, "invalid_client"),
        (format!("grant_type=x&client_id={}", client.id), 401, "invalid_client"),
        (
            format!("grant_type=password&client_id={}&client_secret={}", client.id, client.secret.clone().unwrap()),
            400,
            "unsupported_grant_type",
        ),
        (
            format!(
                "grant_type=client_credentials&client_id={}&client_secret={}",
                client.id,
                client.secret.clone().unwrap()
            ),
            400,
            "unauthorized_client",
        ),
        ("grant_type=%ff".to_owned(), 400, "invalid_request"),
        ("a".repeat(40_000), 400, "invalid_request"),
    ] {
        let form = app.http.post(&url).header("content-type", "application/x-www-form-urlencoded").body(body);
        is_fault(&send(form).await, status, expected);
    }
    let two = [("grant_type", "client_credentials"), ("client_id", client.id.as_str()), ("client_secret", "x")];
    is_fault(&post(&app, "/oauth/token", &client, &two).await, 400, "invalid_request");
    assert_eq!(send(app.http.get(&url)).await.status, 405);
}

#[tokio::test]
async fn guessing_at_the_token_endpoint_is_slowed() {
    let mut options = tidings_http::Options::default();
    options.rates.address_tokens = tidings_http::limits::Rate::new(5, 60);
    let app = with(options).await;
    let stranger = Client { id: "cli_00000000000000000000000000".to_owned(), secret: Some("guess".to_owned()) };
    for _ in 0..5 {
        is_fault(
            &post(&app, "/oauth/token", &stranger, &[("grant_type", "client_credentials")]).await,
            401,
            "invalid_client",
        );
    }
    let slowed = post(&app, "/oauth/token", &stranger, &[("grant_type", "client_credentials")]).await;
    slowed.is_problem(429, "rate_limited");
    assert!(!slowed.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_suspended_tenant_gets_no_tokens_and_its_tokens_open_nothing() {
    let app = server().await;
    let other = app.key_of("other", Role::Admin).await;
    let body =
        json!({ "name": "Theirs", "scopes": ["events:read"], "role": "viewer", "grant_types": ["client_credentials"] });
    let made = send(app.http.post(app.url("/v1/oauth/clients")).bearer_auth(&other).json(&body)).await;
    let theirs = Client { id: text(&made, "id"), secret: Some(text(&made, "client_secret")) };
    let asked = [("grant_type", "client_credentials")];
    let access = text(&post(&app, "/oauth/token", &theirs, &asked).await, "access_token");
    assert_eq!(ask(&app, "/v1/events", &access).await.status, 200);
    let suspended = app.post("/v1/tenants/other:suspend", json!({})).await;
    assert!(suspended.status < 300, "{}", suspended.text);
    assert!(ask(&app, "/v1/events", &access).await.status >= 400);
    is_fault(&post(&app, "/oauth/token", &theirs, &asked).await, 401, "invalid_client");
}
