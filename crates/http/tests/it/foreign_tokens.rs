//! Access tokens of another issuer: for whom they are taken, and what is none.

use reqwest::Method;
use serde_json::{Value, json};
use tidings_engine::token::{SigningAlgorithm, SigningKey};

use crate::app::{Answer, TestApp, send};
use crate::sso::{ISSUER, Provider, mail, sign_in};

const AUDIENCE: &str = "https://tidings.example.org/api";

/// A provider whose access tokens are taken, with `more` members.
async fn provider(app: &TestApp, token_type: &str) -> Provider {
    let api = json!({ "audience": AUDIENCE, "token_type": token_type });
    Provider::start(app, json!({ "domains": ["example.org"], "default_role": "curator", "api": api })).await
}

/// An access token of the provider, which says `more` besides what each does.
fn token(app: &TestApp, key: &SigningKey, kind: &str, more: Value) -> String {
    let now = app.world.engine.clock().now().as_millis() / 1_000;
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "7", "iat": now, "exp": now + 3_600, "jti": "1", "client_id": "scanner",
    });
    claims.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    key.sign(kind, &claims).expect("signed")
}

async fn me(app: &TestApp, token: &str) -> Answer {
    send(app.http.get(app.url("/v1/me")).bearer_auth(token)).await
}

async fn refuse(app: &TestApp, token: &str, why: &str) {
    let answer = me(app, token).await;
    assert_eq!(answer.status, 401, "{why}: {}", answer.text);
}

async fn account(app: &TestApp, role: &str) -> String {
    let made = app.post("/v1/service-accounts", json!({ "name": "scanner", "role": role })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    format!("/v1/service-accounts/{}", made.body["id"].as_str().expect("an id"))
}

async fn bind(app: &TestApp, account: &str) -> Answer {
    app.post(&format!("{account}/identities"), json!({ "provider": "corp", "subject": "7" })).await
}

#[tokio::test]
async fn a_person_who_has_signed_in_by_the_provider_is_known_by_its_tokens() {
    let app = TestApp::start().await;
    let provider = provider(&app, "at+jwt").await;
    let good = token(&app, &provider.key, "at+jwt", json!({}));
    refuse(&app, &good, "nobody is known by this subject yet").await;
    sign_in(&app, &provider, mail("bela@example.org")).await;
    let answer = me(&app, &good).await;
    assert_eq!((answer.status, answer.body["role"].as_str()), (200, Some("curator")), "{}", answer.text);
    let narrow = token(&app, &provider.key, "at+jwt", json!({ "scope": "openid events:read users:*" }));
    assert_eq!(me(&app, &narrow).await.body["scopes"], json!(["events:read"]), "never more than the role");
    // What is the person's own is done in their browser.
    let personal = send(app.http.get(app.url("/v1/account")).bearer_auth(&good)).await;
    personal.is_problem(403, "forbidden");
    let user = answer.body["user"].as_str().expect("a user").to_owned();
    let path = format!("/v1/users/{user}");
    let off = send(app.request(Method::PATCH, &path).json(&json!({ "disabled": true }))).await;
    assert_eq!(off.status, 200, "{}", off.text);
    refuse(&app, &good, "the person is disabled").await;
}

#[tokio::test]
async fn a_service_account_is_known_by_the_subject_bound_to_it() {
    let app = TestApp::start().await;
    let provider = provider(&app, "jwt").await;
    let path = account(&app, "viewer").await;
    let good = token(&app, &provider.key, "JWT", json!({ "azp": "someone" }));
    refuse(&app, &good, "nothing is bound yet").await;
    let bound = bind(&app, &path).await;
    assert_eq!((bound.status, bound.body["subject"].as_str()), (201, Some("7")), "{}", bound.text);
    bind(&app, &path).await.is_problem(409, "conflict");
    let answer = me(&app, &good).await;
    assert_eq!(answer.body["speaks_as"], "own:scanner", "{}", answer.text);
    assert_eq!(answer.body["role"], "viewer");
    let ended = app.post(&format!("{path}:disable"), json!({})).await;
    assert_eq!(ended.status, 200);
    refuse(&app, &good, "the account is disabled").await;
    app.post(&format!("{path}:enable"), json!({})).await;
    assert_eq!(me(&app, &good).await.status, 200);

    let list = app.get(&format!("{path}/identities")).await;
    let one = format!("{path}/identities/{}", list.body["data"][0]["id"].as_str().expect("an id"));
    assert_eq!(send(app.request(Method::DELETE, &one)).await.status, 204);
    refuse(&app, &good, "it is bound no more").await;
    send(app.request(Method::DELETE, &one)).await.is_problem(404, "not_found");
    // Another account of the same name begins without what the first was known by.
    assert_eq!(bind(&app, &path).await.status, 201);
    assert_eq!(send(app.request(Method::DELETE, &path)).await.status, 204);
    account(&app, "admin").await;
    refuse(&app, &good, "it was bound to another account of this name").await;
}

#[tokio::test]
async fn what_is_no_access_token_of_the_provider_is_refused() {
    let app = TestApp::start().await;
    let provider = provider(&app, "at+jwt").await;
    let path = account(&app, "viewer").await;
    assert_eq!(bind(&app, &path).await.status, 201);
    let key = &provider.key;
    assert_eq!(me(&app, &token(&app, key, "at+jwt", json!({}))).await.status, 200);
    refuse(&app, &token(&app, key, "JWT", json!({})), "an ID token, by its type").await;
    refuse(&app, &token(&app, key, "at+jwt", json!({ "aud": "tidings" })), "for our sign-in, not for our API").await;
    refuse(&app, &token(&app, key, "at+jwt", json!({ "sub": "8" })), "nobody we know").await;
    refuse(&app, &token(&app, key, "at+jwt", json!({ "iss": "https://other.example.org" })), "another issuer").await;
    refuse(&app, &token(&app, key, "at+jwt", json!({ "exp": 1 })), "over").await;
    let stranger = SigningKey::generate(SigningAlgorithm::Es256).expect("a key");
    refuse(&app, &token(&app, &stranger, "at+jwt", json!({})), "signed with another key").await;
    let asked = app.world.web.asked();
    assert!(asked.iter().all(|request| request.url.starts_with(ISSUER)), "nothing is fetched but from the issuer");
    // The operator takes the provider's tokens no more.
    let good = token(&app, key, "at+jwt", json!({}));
    let without = json!({ "title": "Corp", "issuer": ISSUER, "client_id": "tidings", "domains": ["example.org"] });
    assert_eq!(send(app.request(Method::PUT, "/v1/sso/providers/corp").json(&without)).await.status, 200);
    refuse(&app, &good, "its tokens are not taken any more").await;
    let mut wrong = without.clone();
    wrong["api"] = json!({ "audience": "tidings" });
    let put = send(app.request(Method::PUT, "/v1/sso/providers/corp").json(&wrong)).await;
    put.is_problem(422, "invalid");
}

#[tokio::test]
async fn a_key_that_the_issuer_takes_back_opens_nothing_any_more() {
    let app = TestApp::start().await;
    let provider = provider(&app, "at+jwt").await;
    let path = account(&app, "viewer").await;
    assert_eq!(bind(&app, &path).await.status, 201);
    let day = json!({ "exp": app.world.engine.clock().now().as_millis() / 1_000 + 86_400 });
    let old = token(&app, &provider.key, "at+jwt", day.clone());
    assert_eq!(me(&app, &old).await.status, 200);
    let new = SigningKey::generate(SigningAlgorithm::Es256).expect("a key");
    let keys = json!({ "keys": [new.public()] }).to_string();
    app.world.web.answer(&format!("{ISSUER}/keys"), move |_| (200, keys.clone()));
    app.world.clock.advance_millis(61_000);
    let fresh = token(&app, &new, "at+jwt", json!({}));
    assert_eq!(me(&app, &fresh).await.status, 200, "its keys are fetched anew for one that is not known");
    app.world.clock.advance_millis(5 * 60 * 1_000);
    refuse(&app, &old, "its key is gone").await;
}
