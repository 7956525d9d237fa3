//! The authorization server, as programs and the browsers of people see it.

mod attacks;
mod devices;
mod flows;
mod providers;
mod trust;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, RequestBuilder, redirect};
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};
use crate::browser::{Browser, first_admin};

/// A verifier as clients draw one, and where the answer is to go.
pub(crate) const VERIFIER: &str = "a-verifier-of-forty-three-letters-or-more-0123456789";
pub(crate) const CALLBACK: &str = "https://app.example.org/callback";

/// A server whose address is the issuer.
pub(crate) async fn server() -> TestApp {
    with(tidings_http::Options::default()).await
}

pub(crate) async fn with(options: tidings_http::Options) -> TestApp {
    let app = TestApp::with(options).await;
    app.world.engine.set_public_url(&app.url(""));
    app
}

/// A program that was registered.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
}

pub(crate) async fn register(by: &Browser<'_>, body: Value) -> Client {
    let made = by.post("/v1/oauth/clients", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Client { id: text(&made.body["id"]).expect("an id"), secret: text(&made.body["client_secret"]) }
}

/// A program of the house that keeps a secret.
pub(crate) async fn web_app(by: &Browser<'_>) -> Client {
    let scopes = json!(["openid", "email", "profile", "offline_access", "events:read", "subscriptions:*"]);
    register(by, json!({ "name": "Desk", "redirect_uris": [CALLBACK], "scopes": scopes, "first_party": true })).await
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// The parameters of a request that is right.
pub(crate) fn request_of(client: &Client) -> Vec<(&'static str, String)> {
    vec![
        ("client_id", client.id.clone()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("response_type", "code".to_owned()),
        ("scope", "openid email offline_access events:read".to_owned()),
        ("state", "as it & was".to_owned()),
        ("nonce", "n-1".to_owned()),
        ("code_challenge", challenge(VERIFIER)),
        ("code_challenge_method", "S256".to_owned()),
    ]
}

/// The same with some of them another; an empty one is left out.
pub(crate) fn changed(client: &Client, changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut request = request_of(client);
    for (name, value) in changes {
        request.retain(|(other, _)| other != name);
        if !value.is_empty() {
            request.push((name, (*value).to_owned()));
        }
    }
    request
}

/// Goes to the authorization endpoint and follows no redirect.
pub(crate) async fn go(app: &TestApp, cookie: Option<&str>, query: &[(&'static str, String)]) -> Answer {
    let http = reqwest::Client::builder().tls_certs_only([]).redirect(redirect::Policy::none()).build();
    let http = http.expect("a client");
    let request = http.get(app.url("/oauth/authorize")).query(query);
    send(match cookie {
        Some(cookie) => request.header("cookie", cookie),
        None => request,
    })
    .await
}

/// A parameter of the address that an answer leads to.
pub(crate) fn led_to(answer: &Answer, name: &str) -> Option<String> {
    let location = reqwest::Url::parse(answer.header("location")).ok()?;
    location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The code that a signed-in person's browser brings.
pub(crate) async fn code(app: &TestApp, person: &Browser<'_>, client: &Client) -> String {
    let answer = go(app, Some(&person.cookie), &request_of(client)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    led_to(&answer, "code").unwrap_or_else(|| panic!("no code: {}", answer.header("location")))
}

fn of_client(app: &TestApp, path: &str, client: &Client) -> RequestBuilder {
    let request = app.http.request(Method::POST, app.url(path));
    match &client.secret {
        Some(secret) => request.basic_auth(&client.id, Some(secret)),
        None => request,
    }
}

/// Posts a form as a client.
pub(crate) async fn post(app: &TestApp, path: &str, client: &Client, form: &[(&str, &str)]) -> Answer {
    let mut form: Vec<(&str, &str)> = form.to_vec();
    if client.secret.is_none() {
        form.push(("client_id", &client.id));
    }
    let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let request = of_client(app, path, client).header("content-type", "application/x-www-form-urlencoded");
    send(request.body(pairs.join("&"))).await
}

pub(crate) fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub(crate) async fn redeem(app: &TestApp, client: &Client, code: &str) -> Answer {
    let form =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    post(app, "/oauth/token", client, &form).await
}

pub(crate) async fn refresh(app: &TestApp, client: &Client, token: &str) -> Answer {
    post(app, "/oauth/token", client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

/// Asks the API with a token.
pub(crate) async fn ask(app: &TestApp, path: &str, token: &str) -> Answer {
    send(app.http.get(app.url(path)).bearer_auth(token)).await
}

/// Asserts that a client is told this.
#[track_caller]
pub(crate) fn is_fault(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(code)), "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("www-authenticate").starts_with("Basic"), status == 401);
}

pub(crate) fn text(answer: &Answer, name: &str) -> String {
    answer.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", answer.text)).to_owned()
}

/// Tokens of Anna, the first Admin, for a program of the house.
pub(crate) async fn tokens<'a>(app: &'a TestApp) -> (Browser<'a>, Client, Answer) {
    let anna = first_admin(app).await;
    let client = web_app(&anna).await;
    let code = code(app, &anna, &client).await;
    let issued = redeem(app, &client, &code).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    (anna, client, issued)
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}
