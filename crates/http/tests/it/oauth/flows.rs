//! What works.

use serde_json::{Value, json};
use tidings_engine::token::{KeySet, Kind, Profile, SigningAlgorithm, at_hash};

use super::*;
use crate::browser::{PASSWORD, invited};
use crate::client::{End, Socket};

#[tokio::test]
async fn the_server_says_what_it_can_do_and_with_which_keys() {
    let app = server().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let said = send(app.http.get(app.url(path))).await;
        assert_eq!(said.status, 200, "{}", said.text);
        assert_eq!(said.body["issuer"], app.url(""));
        assert_eq!(said.body["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(said.body["response_types_supported"], json!(["code"]));
        assert_eq!(said.body["authorization_response_iss_parameter_supported"], true);
        for (name, endpoint) in said.body.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint")) {
            assert!(endpoint.as_str().unwrap().starts_with(&app.url("/oauth/")), "{name}");
        }
    }
    let resource = send(app.http.get(app.url("/.well-known/oauth-protected-resource"))).await.body;
    assert_eq!(
        (&resource["resource"], &resource["authorization_servers"][0]),
        (&json!(app.url("")), &json!(app.url("")))
    );
    let keys = send(app.http.get(app.url("/oauth/jwks.json"))).await.body;
    let algorithms: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["alg"].clone()).collect();
    assert!(algorithms.len() == 2 && algorithms.contains(&json!("EdDSA")) && algorithms.contains(&json!("ES256")));
    assert!(!keys.to_string().contains("\"d\""));
    // A month later the next keys are there beside those; a little later they sign, and those go.
    app.world.clock.advance_hours(24 * 29 + 1);
    let later = send(app.http.get(app.url("/oauth/jwks.json"))).await.body;
    assert_eq!(later["keys"].as_array().unwrap().len(), 4, "published before they sign");
    app.world.clock.advance_hours(24 + 3);
    let after = send(app.http.get(app.url("/oauth/jwks.json"))).await.body;
    let after = after["keys"].as_array().unwrap();
    assert!(after.len() == 2 && after.iter().all(|key| !keys["keys"].as_array().unwrap().contains(key)));
}

#[tokio::test]
async fn a_code_is_swapped_for_tokens_that_every_route_takes() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let answer = go(&app, Some(&anna.cookie), &request_of(&client)).await;
    assert!(answer.header("location").starts_with(CALLBACK), "{}", answer.text);
    assert_eq!(led_to(&answer, "state").as_deref(), Some("as it & was"));
    assert_eq!(led_to(&answer, "iss"), Some(app.url("")));
    let issued = redeem(&app, &client, &led_to(&answer, "code").unwrap()).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert_eq!((issued.header("cache-control"), issued.header("pragma")), ("no-store", "no-cache"));
    assert_eq!((&issued.body["token_type"], &issued.body["expires_in"]), (&json!("Bearer"), &json!(600)));
    let (access, id) = (text(&issued, "access_token"), text(&issued, "id_token"));
    // The tokens are what they say they are, by the published keys.
    let keys = send(app.http.get(app.url("/oauth/jwks.json"))).await.text;
    let (keys, now) = (KeySet::parse(keys.as_bytes()).unwrap(), app.world.engine.clock().now());
    let issuer = app.url("");
    let said = Profile::ours(Kind::Access, &issuer, &issuer).verify(&access, &keys, now).unwrap();
    let me = anna.get("/v1/me").await.body;
    assert_eq!(
        (json!(said.subject), said.client.as_ref(), said.roles),
        (me["user"].clone(), Some(&client.id), vec!["admin".to_owned()])
    );
    let about = Profile::foreign(Kind::Id, &issuer, &client.id).with_nonce("n-1").verify(&id, &keys, now).unwrap();
    assert_eq!(about.others["at_hash"], at_hash(SigningAlgorithm::EdDsa, &access));
    assert!(about.authenticated.is_some());
    // The API takes the access token, as far as its scopes go.
    let seen = ask(&app, "/v1/me", &access).await;
    assert_eq!((&seen.body["user"], &seen.body["role"]), (&me["user"], &json!("admin")), "{}", seen.text);
    assert_eq!(ask(&app, "/v1/events", &access).await.status, 200);
    let refused = ask(&app, "/v1/users", &access).await;
    refused.is_problem(403, "forbidden");
    assert!(refused.header("www-authenticate").contains("scope=\"users:*\""));
    let user = ask(&app, "/oauth/userinfo", &access).await;
    assert_eq!(
        user.body,
        json!({ "sub": me["user"], "email": "anna@example.org", "email_verified": user.body["email_verified"] })
    );
    let mut socket = Socket::with_key(app.address, &access).await;
    socket.say(json!({ "op": "ping" })).await;
    // It ends when the token does.
    app.world.clock.advance_millis(11 * 60 * 1_000);
    ask(&app, "/v1/me", &access).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_stream_ends_with_its_grant() {
    let app = server().await;
    let (_, client, issued) = tokens(&app).await;
    let access = text(&issued, "access_token");
    let mut socket = Socket::with_key(app.address, &access).await;
    assert_eq!(post(&app, "/oauth/revoke", &client, &[("token", &access)]).await.status, 200);
    let ended = loop {
        if let Err(end) = socket.hear().await {
            break end;
        }
    };
    assert_eq!(ended, End::Code(4401));
    ask(&app, "/v1/me", &access).await.is_problem(401, "unauthenticated");
    is_fault(&refresh(&app, &client, &text(&issued, "refresh_token")).await, 400, "invalid_grant");
}

#[tokio::test]
async fn rights_follow_the_person_the_client_and_every_sign_out() {
    let app = server().await;
    let (anna, client, _) = tokens(&app).await;
    let bela = invited(&app, &anna, "bela@example.org", "curator").await;
    let issued = redeem(&app, &client, &code(&app, &bela, &client).await).await;
    let access = text(&issued, "access_token");
    assert_eq!(ask(&app, "/v1/events", &access).await.status, 200);
    let change = |id: &str, body: Value| send(anna.request(Method::PATCH, &format!("/v1/users/{id}")).json(&body));
    let id = claims(&access)["sub"].as_str().unwrap().to_owned();
    assert_eq!(change(&id, json!({ "role": "viewer" })).await.status, 200);
    assert_eq!(ask(&app, "/v1/me", &access).await.body["role"], "viewer");
    app.world.clock.advance_millis(1);
    change(&id, json!({ "disabled": true })).await;
    ask(&app, "/v1/me", &access).await.is_problem(401, "unauthenticated");
    is_fault(&refresh(&app, &client, &text(&issued, "refresh_token")).await, 400, "invalid_grant");
    // It does not come back with its person, and can be taken back meanwhile.
    app.world.clock.advance_millis(1);
    change(&id, json!({ "disabled": false })).await;
    ask(&app, "/v1/me", &access).await.is_problem(401, "unauthenticated");
    is_fault(&refresh(&app, &client, &text(&issued, "refresh_token")).await, 400, "invalid_grant");
    let bela = Browser::sign_in(&app, "bela@example.org", PASSWORD).await;
    let access = text(&redeem(&app, &client, &code(&app, &bela, &client).await).await, "access_token");
    assert_eq!(ask(&app, "/v1/me", &access).await.status, 200);
    let path = format!("/v1/oauth/clients/{}", client.id);
    let narrowed =
        send(anna.request(Method::PATCH, &path).json(&json!({ "scopes": ["openid", "subscriptions:*"] }))).await;
    assert_eq!(narrowed.status, 200, "{}", narrowed.text);
    ask(&app, "/v1/events", &access).await.is_problem(403, "forbidden");
    assert_eq!(bela.post("/v1/sessions:end-all", json!({})).await.status, 204);
    ask(&app, "/v1/me", &access).await.is_problem(401, "unauthenticated");
    let bela = Browser::sign_in(&app, "bela@example.org", PASSWORD).await;
    let request = changed(&client, &[("scope", "openid")]);
    let code = led_to(&go(&app, Some(&bela.cookie), &request).await, "code").unwrap();
    let again = text(&redeem(&app, &client, &code).await, "access_token");
    assert_eq!(ask(&app, "/v1/me", &again).await.status, 200);
    assert_eq!(anna.delete(&path).await.status, 204);
    ask(&app, "/v1/me", &again).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_refresh_token_brings_the_next_one() {
    let app = server().await;
    let (_, client, issued) = tokens(&app).await;
    let mut token = text(&issued, "refresh_token");
    for _ in 0..3 {
        app.world.clock.advance_hours(24 * 20);
        let next = refresh(&app, &client, &token).await;
        assert_eq!(next.status, 200, "{}", next.text);
        assert_eq!(ask(&app, "/v1/events", &text(&next, "access_token")).await.status, 200);
        token = text(&next, "refresh_token");
    }
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", "subscriptions:* events:read")];
    is_fault(&post(&app, "/oauth/token", &client, &form).await, 400, "invalid_scope");
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", "openid")];
    let narrow = post(&app, "/oauth/token", &client, &form).await;
    assert_eq!(narrow.body["scope"], "openid");
    ask(&app, "/v1/events", &text(&narrow, "access_token")).await.is_problem(403, "forbidden");
    app.world.clock.advance_hours(24 * 31);
    is_fault(&refresh(&app, &client, &text(&narrow, "refresh_token")).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_client_asks_for_itself_and_does_no_more_than_its_role() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let body = json!({ "name": "Feeder", "scopes": ["events:write", "events:read", "users:*"], "role": "curator",
                       "grant_types": ["client_credentials"] });
    let client = register(&anna, body).await;
    let issued = post(&app, "/oauth/token", &client, &[("grant_type", "client_credentials")]).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert!(issued.body.get("refresh_token").is_none() && issued.body.get("id_token").is_none());
    let access = text(&issued, "access_token");
    assert_eq!(ask(&app, "/v1/me", &access).await.body["role"], "curator");
    ask(&app, "/v1/users", &access).await.is_problem(403, "forbidden");
    let event = app.http.post(app.url("/v1/events")).bearer_auth(&access).json(&json!({ "id": "1", "title": "x" }));
    assert_eq!(send(event).await.status, 202);
    let form = [("grant_type", "client_credentials"), ("scope", "openid")];
    is_fault(&post(&app, "/oauth/token", &client, &form).await, 400, "invalid_scope");
    // Another secret, with an overlap.
    let path = format!("/v1/oauth/clients/{}:rotate-secret", client.id);
    let rotated = anna.post(&path, json!({ "overlap_seconds": 60 })).await;
    let next = Client { secret: Some(text(&rotated, "client_secret")), ..client.clone() };
    for client in [&client, &next] {
        assert_eq!(post(&app, "/oauth/token", client, &[("grant_type", "client_credentials")]).await.status, 200);
    }
    app.world.clock.advance_millis(61_000);
    is_fault(
        &post(&app, "/oauth/token", &client, &[("grant_type", "client_credentials")]).await,
        401,
        "invalid_client",
    );
    // Nobody makes a client that may do more than themselves.
    let role = json!({ "scopes": ["users:*", "events:read"] });
    assert_eq!(send(anna.request(Method::PUT, "/v1/roles/clerk").json(&role)).await.status, 201);
    let clerk = invited(&app, &anna, "clerk@example.org", "clerk").await;
    let more =
        json!({ "name": "x", "scopes": ["events:write"], "role": "admin", "grant_types": ["client_credentials"] });
    clerk.post("/v1/oauth/clients", more).await.is_problem(403, "forbidden");
    clerk.post(&path, json!({})).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn tokens_are_looked_at_by_clients_of_their_tenant() {
    let app = server().await;
    let (_, client, issued) = tokens(&app).await;
    for name in ["access_token", "refresh_token"] {
        let said = post(&app, "/oauth/introspect", &client, &[("token", &text(&issued, name))]).await;
        assert_eq!((said.status, &said.body["active"]), (200, &json!(true)), "{}", said.text);
        assert_eq!((&said.body["client_id"], &said.body["tenant"]), (&json!(client.id), &json!("default")));
    }
    for token in ["", "x", "a.b.c", &text(&issued, "id_token"), &app.admin] {
        let said = post(&app, "/oauth/introspect", &client, &[("token", token)]).await;
        if token.is_empty() {
            is_fault(&said, 400, "invalid_request");
        } else {
            assert_eq!(said.body, json!({ "active": false }));
        }
    }
}

#[tokio::test]
async fn others_than_the_house_ask_the_person_first() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let body = json!({ "name": "Other", "redirect_uris": [CALLBACK], "confidential": false,
                       "scopes": ["openid", "email", "offline_access", "events:read"] });
    let client = register(&anna, body).await;
    assert!(client.secret.is_none());
    let request = request_of(&client);
    let asked = go(&app, Some(&anna.cookie), &request).await;
    let page = asked.header("location").to_owned();
    let query = page.strip_prefix("/oauth/consent?").expect("the page").to_owned();
    let shown = anna.get(&format!("/v1/oauth/consent?{query}")).await;
    assert_eq!((&shown.body["name"], &shown.body["scopes"][0]), (&json!("Other"), &json!("openid")), "{}", shown.text);
    let silent = go(&app, Some(&anna.cookie), &changed(&client, &[("prompt", "none")])).await;
    assert_eq!(led_to(&silent, "error").as_deref(), Some("consent_required"));
    let answer = |allow: bool| anna.post("/v1/oauth/consent", json!({ "request": query, "allow": allow }));
    let denied = answer(false).await;
    assert!(text(&denied, "location").contains("error=access_denied"), "{}", denied.text);
    let allowed = text(&answer(true).await, "location");
    let code =
        reqwest::Url::parse(&allowed).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert_eq!(redeem(&app, &client, &code).await.status, 200);
    // Now it is known.
    assert!(led_to(&go(&app, Some(&anna.cookie), &request).await, "code").is_some());
    let anew = go(&app, Some(&anna.cookie), &changed(&client, &[("prompt", "consent")])).await;
    assert!(anew.header("location").starts_with("/oauth/consent?"));
}

#[tokio::test]
async fn whoever_is_not_signed_in_signs_in_and_comes_back() {
    let app = server().await;
    let anna = first_admin(&app).await;
    let client = web_app(&anna).await;
    let sent = go(&app, None, &request_of(&client)).await;
    let location = sent.header("location").to_owned();
    assert!(
        location.starts_with("/account?next=%2Foauth%2Fauthorize%3F") && location.ends_with("#sign-in"),
        "{location}"
    );
    let silent = go(&app, None, &changed(&client, &[("prompt", "none")])).await;
    assert_eq!(led_to(&silent, "error").as_deref(), Some("login_required"));
    app.world.clock.advance_hours(1);
    for (name, value) in [("prompt", "login"), ("max_age", "600")] {
        let again = go(&app, Some(&anna.cookie), &changed(&client, &[(name, value)])).await;
        assert!(again.header("location").starts_with("/account?next="), "{name}");
    }
    assert!(led_to(&go(&app, Some(&anna.cookie), &changed(&client, &[("max_age", "7200")])).await, "code").is_some());
    let anna = Browser::sign_in(&app, "anna@example.org", PASSWORD).await;
    assert!(led_to(&go(&app, Some(&anna.cookie), &changed(&client, &[("prompt", "login")])).await, "code").is_some());
}
