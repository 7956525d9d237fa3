//! Nothing that is kept of people outside their tenant outlives it, and nobody is let into one that is not
//! served.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::permission::Role;
use tidings_core::port::{Fence, RecordStore, Shelf};

use crate::app::{Answer, TestApp, send};
use crate::browser::{Browser, PASSWORD, first_admin, link_sent, sign_in};
use crate::client::PATIENCE;
use crate::oauth;

/// Everything on the server's own shelves that may tell of a person.
const SHELVES: [Shelf; 14] = [
    Shelf::Account,
    Shelf::Email,
    Shelf::Session,
    Shelf::SessionOf,
    Shelf::Link,
    Shelf::Client,
    Shelf::Code,
    Shelf::Device,
    Shelf::DeviceUserCode,
    Shelf::Grant,
    Shelf::Consent,
    Shelf::Login,
    Shelf::LoginPending,
    Shelf::Provider,
];

/// The records of a shelf, each as its name and what it says.
async fn kept(app: &TestApp, shelf: Shelf) -> Vec<String> {
    let found = app.world.store.records(&Fence::Server, shelf, "", None, 1_000).await.expect("memory can be read");
    found.into_iter().map(|(key, it)| format!("{} {}", key.name(), String::from_utf8_lossy(&it.body))).collect()
}

/// Takes an invitation of a tenant up.
async fn joined<'a>(app: &'a TestApp, key: &str, email: &str) -> Browser<'a> {
    let body = json!({ "email": email, "role": "admin" });
    let invited = send(app.http.post(app.url("/v1/users")).bearer_auth(key).json(&body)).await;
    assert_eq!(invited.status, 201, "{}", invited.text);
    let link = link_sent(app, email, "join").await;
    let body = json!({ "link": link, "password": PASSWORD });
    assert_eq!(send(app.http.post(app.url("/v1/links:redeem")).json(&body)).await.status, 200);
    Browser::sign_in(app, email, PASSWORD).await
}

async fn with_key(app: &TestApp, key: &str) -> Answer {
    sign_in(app, json!({ "key": key })).await
}

#[tokio::test]
async fn nothing_of_people_outlives_their_tenant() {
    let app = oauth::server().await;
    let key = app.key_of("acme", Role::Admin).await;
    let old = app.key_of("acme", Role::Viewer).await;
    let ann = joined(&app, &key, "ann@acme.example").await;
    let user = ann.get("/v1/me").await.body["user"].as_str().expect("an id").to_owned();
    // A key that is revoked leaves its session behind, and so does one whose time has passed.
    assert_eq!(with_key(&app, &old).await.status, 200);
    let of_old = app.principal(&old);
    let revoke = format!("/v1/keys/{}", of_old.credential.key().expect("a key"));
    assert_eq!(ann.delete(&revoke).await.status, 204);
    // Links to a mailbox, one of them to an address that is not theirs yet.
    assert_eq!(
        ann.post("/v1/account/email", json!({ "email": "new@acme.example", "password": PASSWORD })).await.status,
        202
    );
    let forgot = json!({ "email": "ann@acme.example" });
    assert_eq!(send(app.http.post(app.url("/v1/password-resets")).json(&forgot)).await.status, 202);
    link_sent(&app, "ann@acme.example", "reset").await;
    // A program with a grant, with a code that nobody has redeemed, and one on a device that waits.
    let program = oauth::web_app(&ann).await;
    let code = oauth::code(&app, &ann, &program).await;
    assert_eq!(oauth::redeem(&app, &program, &code).await.status, 200);
    oauth::code(&app, &ann, &program).await;
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let device = json!({ "name": "Box", "confidential": false, "scopes": ["events:read"], "grant_types": [grant] });
    let device = oauth::register(&ann, device).await;
    let begun = oauth::post(&app, "/oauth/device_authorization", &device, &[("scope", "events:read")]).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    // A provider of the tenant, and a sign-in there that is under way.
    let provider = json!({ "title": "GitHub", "kind": "github", "client_id": "tidings", "client_secret": "s",
                           "tenant": "acme", "domains": ["acme.example"] });
    let put = send(app.request(Method::PUT, "/v1/sso/providers/github").json(&provider)).await;
    assert_eq!(put.status, 200, "{}", put.text);
    let http = reqwest::Client::builder().tls_certs_only([]).redirect(reqwest::redirect::Policy::none()).build();
    let started = send(http.expect("a client").get(app.url("/sso/github/start"))).await;
    assert_eq!(started.status, 303, "{}", started.text);
    for shelf in SHELVES.into_iter().filter(|shelf| ![Shelf::Consent, Shelf::Login].contains(shelf)) {
        assert!(!kept(&app, shelf).await.is_empty(), "{shelf:?}: there is something to forget");
    }

    let delete = app.request(Method::DELETE, "/v1/tenants/acme").header("if-match", "\"0\"");
    assert_eq!(send(delete).await.status, 202);
    let erased = tokio::time::timeout(PATIENCE, async {
        while app.get("/v1/tenants/acme").await.body["state"] != "erased" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    erased.await.expect("in time");
    for shelf in SHELVES {
        for it in kept(&app, shelf).await {
            let tells = ["acme", &user, &of_old.user.to_string()].iter().any(|word| it.contains(word));
            assert!(!tells, "{shelf:?}: {it}");
        }
    }
    for shelf in [Shelf::Session, Shelf::SessionOf, Shelf::Code, Shelf::Device, Shelf::DeviceUserCode] {
        assert_eq!(kept(&app, shelf).await, Vec::<String>::new(), "{shelf:?}");
    }
    assert_eq!(kept(&app, Shelf::LoginPending).await.len(), 0);
}

#[tokio::test]
async fn nobody_signs_in_to_a_tenant_that_is_not_served() {
    let app = TestApp::start().await;
    let key = app.key_of("acme", Role::Admin).await;
    joined(&app, &key, "ann@acme.example").await;
    let ticket = app.ticket(&key).await;
    let anna = first_admin(&app).await;
    let invite = json!({ "email": "anna@example.org", "role": "viewer" });
    assert_eq!(send(app.http.post(app.url("/v1/users")).bearer_auth(&key).json(&invite)).await.status, 201);
    let join = json!({ "link": link_sent(&app, "anna@example.org", "join").await, "password": PASSWORD });
    assert_eq!(send(app.http.post(app.url("/v1/links:redeem")).json(&join)).await.status, 200);
    let sessions = kept(&app, Shelf::Session).await.len();
    let suspend = json!({ "reason": "The trial has ended" });
    assert_eq!(app.post("/v1/tenants/acme:suspend", suspend).await.status, 200);
    let password = |email: &str| json!({ "email": email, "password": PASSWORD });
    let mut into = password("anna@example.org");
    into["tenant"] = json!("acme");
    for credentials in [json!({ "key": key }), json!({ "ticket": ticket }), password("ann@acme.example"), into] {
        let refused = sign_in(&app, credentials).await;
        refused.is_problem(403, "tenant_suspended");
        assert!(refused.text.contains("The trial has ended"), "{}", refused.text);
        assert_eq!(refused.header("set-cookie"), "");
    }
    anna.post("/v1/session:switch", json!({ "tenant": "acme" })).await.is_problem(403, "tenant_suspended");
    assert_eq!(kept(&app, Shelf::Session).await.len(), sessions, "none was opened");
    let elsewhere = sign_in(&app, password("anna@example.org")).await;
    assert_eq!((elsewhere.status, &elsewhere.body["tenant"]), (200, &Value::from("default")), "{}", elsewhere.text);
}
