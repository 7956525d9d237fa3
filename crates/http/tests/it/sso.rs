//! Single sign-on: by OpenID Connect and as GitHub does it, and what must not let anyone in.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::port::WebRequest;
use tidings_engine::token::{SigningAlgorithm, SigningKey};

use crate::app::{Answer, TestApp, send};
use crate::browser::{Browser, first_admin, invited, link_sent};

pub(crate) const ISSUER: &str = "https://login.example.org";

/// A provider whose next ID token is what a test makes it.
#[derive(Clone)]
pub(crate) struct Provider {
    claims: Arc<Mutex<Value>>,
    pub(crate) key: Arc<SigningKey>,
}

impl Provider {
    /// Serves it, and sets it up as `corp`, with `more` members.
    pub(crate) async fn start(app: &TestApp, more: Value) -> Self {
        let key = Arc::new(SigningKey::generate(SigningAlgorithm::Es256).expect("a key"));
        let provider = Self { claims: Arc::default(), key };
        let web = &app.world.web;
        let document = json!({
            "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys"),
            "authorization_endpoint": format!("{ISSUER}/authorize"), "token_endpoint": format!("{ISSUER}/token"),
        });
        web.answer(&format!("{ISSUER}/.well-known/openid-configuration"), move |_| (200, document.to_string()));
        let keys = json!({ "keys": [provider.key.public()] }).to_string();
        web.answer(&format!("{ISSUER}/keys"), move |_| (200, keys.clone()));
        let answering = provider.clone();
        web.answer(&format!("{ISSUER}/token"), move |request| answering.swap(request));
        let mut body =
            json!({ "title": "Corp", "issuer": ISSUER, "client_id": "tidings", "client_secret": "s:e/cret" });
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let put = send(app.request(Method::PUT, "/v1/sso/providers/corp").json(&body)).await;
        assert_eq!(put.status, 200, "{}", put.text);
        assert!(!put.text.contains("cret"), "{}", put.text);
        provider
    }

    fn swap(&self, request: &WebRequest) -> (u16, String) {
        let form = request.form.as_ref().expect("a form");
        let field = |name: &str| form.iter().find(|(known, _)| *known == name).map(|(_, value)| value.reveal().clone());
        let basic = format!("Basic {}", STANDARD.encode("tidings:s%3Ae%2Fcret"));
        assert!(request.headers.iter().any(|(name, value)| *name == "authorization" && *value.reveal() == basic));
        assert_eq!(field("grant_type").as_deref(), Some("authorization_code"));
        assert!(field("redirect_uri").is_some_and(|uri| uri.ends_with("/sso/corp/callback")));
        assert_eq!(field("code_verifier").map(|verifier| verifier.len()), Some(43));
        if field("code").as_deref() != Some("good") {
            return (400, json!({ "error": "invalid_grant" }).to_string());
        }
        let claims = self.claims.lock().expect("no holder panics").clone();
        let token = self.key.sign("JWT", &claims).expect("signed");
        (200, json!({ "id_token": token, "access_token": "x", "token_type": "Bearer" }).to_string())
    }

    /// What the next ID token says, beside what every one says.
    fn says(&self, app: &TestApp, nonce: &str, more: Value) {
        let now = app.world.engine.clock().now().as_millis() / 1_000;
        let mut claims =
            json!({ "iss": ISSUER, "aud": "tidings", "iat": now, "exp": now + 300, "nonce": nonce, "sub": "7" });
        claims.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        *self.claims.lock().expect("no holder panics") = claims;
    }
}

/// A client that follows no redirection.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().tls_certs_only([]).redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

/// A sign-in that has begun: the browser's cookie, and what went to the provider.
pub(crate) struct Begun {
    cookie: String,
    state: String,
    nonce: String,
}

fn begun(answer: &Answer, address: &str) -> Begun {
    let url = reqwest::Url::parse(address).expect("an address");
    let field = |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    assert_eq!(field("code_challenge_method").as_deref(), Some("S256"), "{address}");
    let cookie = answer.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|it| it.to_str().expect("text")).collect();
    assert!(cookies.iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax")));
    Begun { cookie, state: field("state").expect("a state"), nonce: field("nonce").unwrap_or_default() }
}

pub(crate) async fn start(app: &TestApp, path: &str) -> Begun {
    let answer = send(client().get(app.url(path))).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    begun(&answer, answer.header("location"))
}

async fn back(app: &TestApp, name: &str, cookie: &str, query: &str) -> Answer {
    send(client().get(app.url(&format!("/sso/{name}/callback?{query}"))).header("cookie", cookie)).await
}

/// Where an answer goes on to, and the session that it gives.
fn went(answer: &Answer) -> (String, Option<String>) {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let session = cookies.filter_map(|cookie| cookie.split(';').next()).find(|it| it.starts_with("tidings_session="));
    (answer.header("location").to_owned(), session.map(str::to_owned))
}

/// A whole sign-in with these claims.
pub(crate) async fn sign_in(app: &TestApp, provider: &Provider, claims: Value) -> (String, Option<String>) {
    let begun = start(app, "/sso/corp/start?next=/after").await;
    provider.says(app, &begun.nonce, claims);
    went(&back(app, "corp", &begun.cookie, &format!("code=good&state={}", begun.state)).await)
}

async fn me(app: &TestApp, session: &Option<String>) -> Value {
    let session = session.as_deref().expect("a session");
    send(app.http.get(app.url("/v1/me")).header("cookie", session)).await.body
}

pub(crate) fn mail(email: &str) -> Value {
    json!({ "email": email, "email_verified": true })
}

#[tokio::test]
async fn a_person_of_a_known_host_comes_in_by_their_verified_address() {
    let app = TestApp::start().await;
    let provider = Provider::start(&app, json!({ "domains": ["example.org"], "default_role": "viewer" })).await;
    assert_eq!(send(app.http.get(app.url("/v1/sso"))).await.body["data"][0]["start"], "/sso/corp/start");
    let (location, session) = sign_in(&app, &provider, mail("Bela@Example.org")).await;
    assert_eq!(location, "/after");
    let first = me(&app, &session).await;
    assert_eq!((first["role"].as_str(), first["tenant"].as_str()), (Some("viewer"), Some("default")));
    // The same login is the same person, whatever their address is now.
    let (_, session) = sign_in(&app, &provider, mail("b.other@example.org")).await;
    assert_eq!(me(&app, &session).await["user"], first["user"]);
    let refused = |claims: Value| {
        let (app, provider) = (&app, &provider);
        async move { sign_in(app, provider, claims).await }
    };
    let fault = |code: &str| (format!("/account#sso-fault={code}"), None);
    assert_eq!(refused(json!({ "sub": "8", "email": "c@example.org" })).await, fault("address"));
    assert_eq!(
        refused(json!({ "sub": "8", "email": "c@example.org", "email_verified": false })).await,
        fault("address")
    );
    assert_eq!(
        refused(json!({ "sub": "8", "email": "c@evil.example", "email_verified": true })).await,
        fault("address")
    );
    let lookalike = json!({ "sub": "8", "email": "c@evil-example.org", "email_verified": true });
    assert_eq!(refused(lookalike).await, fault("address"));
}

#[tokio::test]
async fn an_id_token_must_hold_in_every_part() {
    let app = TestApp::start().await;
    let provider = Provider::start(&app, json!({ "domains": ["example.org"], "default_role": "viewer" })).await;
    let good = mail("bela@example.org");
    let with = |more: Value| {
        let mut claims = good.clone();
        claims.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        claims
    };
    let now = app.world.engine.clock().now().as_millis() / 1_000;
    for wrong in [
        json!({ "nonce": "another" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "aud": "another" }),
        json!({ "aud": ["tidings", "another"], "azp": "another" }),
        json!({ "exp": now - 300, "iat": now - 600 }),
        json!({ "iat": now + 600, "exp": now + 900 }),
    ] {
        let (location, session) = sign_in(&app, &provider, with(wrong.clone())).await;
        assert_eq!((location.as_str(), session), ("/account#sso-fault=provider", None), "{wrong}");
    }
    let stranger =
        Provider { key: Arc::new(SigningKey::generate(SigningAlgorithm::Es256).unwrap()), ..provider.clone() };
    app.world.web.answer(&format!("{ISSUER}/token"), {
        let stranger = stranger.clone();
        move |request| stranger.swap(request)
    });
    assert_eq!(sign_in(&app, &stranger, good.clone()).await.0, "/account#sso-fault=provider", "signed by another");
    app.world.web.answer(&format!("{ISSUER}/token"), move |request| provider.swap(request));
    app.world.clock.advance_millis(61_000);
    assert_eq!(sign_in(&app, &stranger, good).await.0, "/after");
}

#[tokio::test]
async fn an_address_may_be_said_beside_the_token_though_of_the_same_person_only() {
    let app = TestApp::start().await;
    let provider = Provider::start(&app, json!({ "domains": ["example.org"], "default_role": "viewer" })).await;
    let document = json!({
        "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys"), "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "authorization_endpoint": format!("{ISSUER}/authorize"), "token_endpoint": format!("{ISSUER}/token"),
    });
    app.world.web.answer(&format!("{ISSUER}/.well-known/openid-configuration"), move |_| (200, document.to_string()));
    for (subject, expected) in [("8", "/account#sso-fault=provider"), ("7", "/after")] {
        let said = json!({ "sub": subject, "email": "bela@example.org", "email_verified": true }).to_string();
        app.world.web.answer(&format!("{ISSUER}/userinfo"), move |request| {
            assert!(request.headers.iter().any(|(_, value)| value.reveal() == "Bearer x"));
            (200, said.clone())
        });
        assert_eq!(sign_in(&app, &provider, json!({})).await.0, expected);
    }
}

#[tokio::test]
async fn a_sign_in_ends_once_in_the_browser_that_began_it() {
    let app = TestApp::start().await;
    let provider = Provider::start(&app, json!({ "domains": ["example.org"], "default_role": "viewer" })).await;
    let one = start(&app, "/sso/corp/start").await;
    let other = start(&app, "/sso/corp/start").await;
    provider.says(&app, &one.nonce, mail("bela@example.org"));
    let query = format!("code=good&state={}", one.state);
    let state_fault = ("/account#sso-fault=state".to_owned(), None);
    assert_eq!(went(&back(&app, "corp", "", &query).await), state_fault, "a browser without the cookie");
    assert_eq!(went(&back(&app, "corp", &other.cookie, &query).await), state_fault, "another browser");
    assert_eq!(went(&back(&app, "corp", "tidings_sso=", "code=good&state=").await), state_fault);
    assert_eq!(went(&back(&app, "corp", &one.cookie, "error=access_denied").await).0, "/account#sso-fault=provider");
    assert_eq!(went(&back(&app, "corp", &one.cookie, &query).await).0, "/account");
    assert_eq!(went(&back(&app, "corp", &one.cookie, &query).await), state_fault, "a second time");
    let late = start(&app, "/sso/corp/start").await;
    provider.says(&app, &late.nonce, mail("bela@example.org"));
    app.world.clock.advance_millis(11 * 60 * 1_000);
    let query = format!("code=good&state={}", late.state);
    assert_eq!(went(&back(&app, "corp", &late.cookie, &query).await), state_fault, "too late");
    for next in ["//evil.example", "https://evil.example", "/%5Cevil.example", "evil"] {
        let begun = start(&app, &format!("/sso/corp/start?next={next}")).await;
        provider.says(&app, &begun.nonce, mail("bela@example.org"));
        let answer = back(&app, "corp", &begun.cookie, &format!("code=good&state={}", begun.state)).await;
        assert_eq!(went(&answer).0, "/account", "{next}");
    }
}

#[tokio::test]
async fn a_login_is_linked_only_after_proof_of_both() {
    let app = TestApp::start().await;
    let provider = Provider::start(&app, json!({ "domains": ["example.org"], "default_role": "viewer" })).await;
    let anna = first_admin(&app).await;
    // The provider knows her address, and that alone opens nothing.
    assert_eq!(sign_in(&app, &provider, mail("anna@example.org")).await.0, "/account#sso-fault=link-first");
    let answer = anna.post("/v1/sso/corp/link", json!({})).await;
    let begun_link = begun(&answer, answer.body["address"].as_str().expect("an address"));
    provider.says(&app, &begun_link.nonce, mail("anna@example.org"));
    let query = format!("code=good&state={}", begun_link.state);
    let both = format!("{}; {}", begun_link.cookie, anna.cookie);
    assert_eq!(went(&back(&app, "corp", &both, &query).await), ("/account#linked=1".to_owned(), None));
    // Not without the session that asked for it, nor in another's.
    let bela = invited(&app, &anna, "bela@example.org", "viewer").await;
    for session in ["x=y", &bela.cookie] {
        let answer = anna.post("/v1/sso/corp/link", json!({})).await;
        let theirs = begun(&answer, answer.body["address"].as_str().expect("an address"));
        provider.says(&app, &theirs.nonce, json!({ "sub": "9", "email": "z@example.org", "email_verified": true }));
        let query = format!("code=good&state={}", theirs.state);
        let answer = back(&app, "corp", &format!("{}; {session}", theirs.cookie), &query).await;
        assert_eq!(went(&answer).0, "/account#sso-fault=state");
    }
    let (_, session) = sign_in(&app, &provider, mail("anna@example.org")).await;
    assert_eq!(me(&app, &session).await["role"], "admin");
    // One login is one person's.
    let answer = bela.post("/v1/sso/corp/link", json!({})).await;
    let taken = begun(&answer, answer.body["address"].as_str().expect("an address"));
    provider.says(&app, &taken.nonce, mail("anna@example.org"));
    let query = format!("code=good&state={}", taken.state);
    let both = format!("{}; {}", taken.cookie, bela.cookie);
    assert_eq!(went(&back(&app, "corp", &both, &query).await).0, "/account#sso-fault=taken");
    // And is taken off by them alone.
    let logins = anna.get("/v1/account/logins").await.body;
    let path = format!("/v1/account/logins/{}", logins["data"][0]["id"].as_str().expect("an id"));
    bela.delete(&path).await.is_problem(404, "not_found");
    assert_eq!(anna.delete(&path).await.status, 204);
    assert_eq!(sign_in(&app, &provider, mail("anna@example.org")).await.0, "/account#sso-fault=link-first");
    app.post("/v1/sso/corp/link", json!({})).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn an_invitation_is_taken_up_by_its_verified_address_and_a_stranger_is_not_made() {
    let app = TestApp::start().await;
    let provider = Provider::start(&app, json!({ "domains": ["example.org"] })).await;
    assert_eq!(sign_in(&app, &provider, mail("bela@example.org")).await.0, "/account#sso-fault=not-invited");
    let anna = first_admin(&app).await;
    let body = json!({ "email": "bela@example.org", "role": "curator" });
    assert_eq!(anna.post("/v1/users", body).await.status, 201);
    let (_, session) = sign_in(&app, &provider, mail("bela@example.org")).await;
    assert_eq!(me(&app, &session).await["role"], "curator");
    // A provider opens its own tenant and no other.
    let other = app.key_of("other", tidings_core::permission::Role::Admin).await;
    let there = app.http.post(app.url("/v1/users")).bearer_auth(&other);
    assert_eq!(send(there.json(&json!({ "email": "bela@example.org", "role": "admin" }))).await.status, 201);
    // The link that was sent still sets a password; what the provider alone vouched for ends with it.
    let link = link_sent(&app, "bela@example.org", "join").await;
    let session = session.expect("a session");
    let used = json!({ "link": link, "password": crate::browser::PASSWORD });
    assert_eq!(send(app.http.post(app.url("/v1/links:redeem")).json(&used)).await.status, 200);
    let ended = send(app.http.get(app.url("/v1/me")).header("cookie", &session)).await;
    ended.is_problem(401, "unauthenticated");
    assert_eq!(sign_in(&app, &provider, mail("bela@example.org")).await.0, "/account#sso-fault=link-first");
    let bela = Browser::sign_in(&app, "bela@example.org", crate::browser::PASSWORD).await;
    assert_eq!(bela.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn roles_follow_the_claims_at_each_sign_in() {
    let app = TestApp::start().await;
    let roles = json!({ "editors": "curator", "staff": "viewer" });
    let more = json!({ "role_claim": "realm_access.roles", "roles": roles, "domains": ["example.org"] });
    let provider = Provider::start(&app, more).await;
    let claims = |groups: Value| {
        let mut claims = mail("bela@example.org");
        claims["realm_access"] = json!({ "roles": groups });
        claims
    };
    let (_, session) = sign_in(&app, &provider, claims(json!(["staff", "editors"]))).await;
    assert_eq!(me(&app, &session).await["role"], "curator", "the one that may most");
    let (_, again) = sign_in(&app, &provider, claims(json!(["staff"]))).await;
    assert_eq!(me(&app, &again).await["role"], "viewer");
    assert_eq!(me(&app, &session).await["role"], "viewer", "the session before follows");
    assert_eq!(sign_in(&app, &provider, claims(json!(["guests"]))).await.0, "/account#sso-fault=not-invited");
}

#[tokio::test]
async fn github_is_asked_for_the_user_and_for_verified_addresses() {
    let app = TestApp::start().await;
    let body = json!({ "title": "GitHub", "kind": "github", "client_id": "tidings", "client_secret": "s",
                       "domains": ["example.org"], "default_role": "viewer" });
    assert_eq!(send(app.request(Method::PUT, "/v1/sso/providers/github").json(&body)).await.status, 200);
    let web = &app.world.web;
    web.answer("https://github.com/login/oauth/access_token", |request| {
        let form = request.form.as_ref().expect("a form");
        let has = |name: &str| form.iter().any(|(known, _)| *known == name);
        assert!(has("client_secret") && has("code_verifier"));
        // Their faults come with status 200.
        match form.iter().find(|(name, _)| *name == "code").map(|(_, code)| code.reveal().as_str()) {
            Some("good") => (200, json!({ "access_token": "gho_x", "token_type": "bearer" }).to_string()),
            _ => (200, json!({ "error": "bad_verification_code" }).to_string()),
        }
    });
    web.answer("https://api.github.com/user", |request| {
        assert!(request.headers.iter().any(|(_, value)| value.reveal() == "Bearer gho_x"));
        (200, json!({ "id": 42, "login": "bela", "name": "Béla", "email": "public@example.org" }).to_string())
    });
    let emails = |verified: bool| {
        json!([
            { "email": "other@example.org", "primary": false, "verified": true },
            { "email": "bela@example.org", "primary": true, "verified": verified },
        ])
        .to_string()
    };
    let sign_in = async |code: &str| {
        let begun = start(&app, "/sso/github/start").await;
        assert!(begun.nonce.is_empty());
        went(&back(&app, "github", &begun.cookie, &format!("code={code}&state={}", begun.state)).await)
    };
    let unverified = emails(false);
    web.answer("https://api.github.com/user/emails", move |_| (200, unverified.clone()));
    assert_eq!(sign_in("good").await.0, "/account#sso-fault=address", "the public address proves nothing");
    let verified = emails(true);
    web.answer("https://api.github.com/user/emails", move |_| (200, verified.clone()));
    assert_eq!(sign_in("bad").await.0, "/account#sso-fault=provider");
    let (_, session) = sign_in("good").await;
    let session = session.expect("a session");
    let account = send(app.http.get(app.url("/v1/account")).header("cookie", &session)).await.body;
    assert_eq!((account["email"].as_str(), account["name"].as_str()), (Some("bela@example.org"), Some("Béla")));
}

#[tokio::test]
async fn a_provider_is_judged_whole_and_keeps_its_secret() {
    let app = TestApp::start().await;
    let body = json!({ "title": "", "issuer": "http://login.example.org", "client_id": "", "domains": ["a@b"],
                       "roles": { "x": "king" }, "default_role": "viewer", "admin": true });
    let answer = send(app.request(Method::PUT, "/v1/sso/providers/corp").json(&body)).await;
    answer.is_problem(422, "invalid");
    let body = json!({ "title": "", "issuer": "http://login.example.org", "client_id": "", "domains": ["a@b"],
                       "roles": { "x": "king" }, "default_role": "viewer" });
    let answer = send(app.request(Method::PUT, "/v1/sso/providers/corp").json(&body)).await;
    let pointers: Vec<_> = answer.body["errors"].as_array().expect("a list").iter().map(|it| &it["pointer"]).collect();
    for pointer in ["/issuer", "/client_id", "/client_secret", "/title", "/role_claim", "/roles", "/domains"] {
        assert!(pointers.contains(&&json!(pointer)), "{pointer}: {}", answer.text);
    }
    let _provider = Provider::start(&app, json!({ "domains": ["example.org"], "default_role": "viewer" })).await;
    let kept = json!({ "title": "New", "issuer": ISSUER, "client_id": "tidings", "domains": ["example.org"] });
    assert_eq!(send(app.request(Method::PUT, "/v1/sso/providers/corp").json(&kept)).await.status, 200);
    assert!(!app.get("/v1/sso/providers").await.text.contains("cret"));
    assert!(!app.get("/v1/audit?limit=1000").await.text.contains("s:e/cret"));
    assert_eq!(send(app.request(Method::DELETE, "/v1/sso/providers/corp")).await.status, 204);
    assert_eq!(went(&send(client().get(app.url("/sso/corp/start"))).await).0, "/account#sso-fault=provider");
}
