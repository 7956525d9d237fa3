//! A browser that is signed in: it keeps its cookie and sends what our own page sends.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, send};

/// A password that is taken.
pub(crate) const PASSWORD: &str = "a plain sentence of words";

/// What one browser has.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) cookie: String,
    pub(crate) token: String,
}

/// Asks for a session without having one.
pub(crate) async fn sign_in(app: &TestApp, credentials: Value) -> Answer {
    send(app.http.post(app.url("/v1/session")).json(&credentials)).await
}

impl<'a> Browser<'a> {
    /// The browser that an answer has given a session.
    pub(crate) fn of(app: &'a TestApp, opened: &Answer) -> Self {
        assert_eq!(opened.status, 200, "{}", opened.text);
        let cookie = opened.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        Self { app, cookie, token: opened.body["csrf_token"].as_str().expect("a token").to_owned() }
    }

    /// Signs in with a password.
    pub(crate) async fn sign_in(app: &'a TestApp, email: &str, password: &str) -> Self {
        Self::of(app, &sign_in(app, json!({ "email": email, "password": password })).await)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.app.http.request(method, self.app.url(path)).header("cookie", &self.cookie);
        request.header("origin", format!("http://{}", self.app.address)).header("x-csrf-token", &self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }
}

/// Makes the first Admin, `anna@example.org`.
pub(crate) async fn first_admin(app: &TestApp) -> Browser<'_> {
    let link = app.world.engine.first_admin_link().await.expect("memory takes it").expect("there is none yet");
    let body = json!({ "link": link.reveal(), "email": "Anna@Example.org", "password": PASSWORD });
    let made = send(app.http.post(app.url("/v1/links:redeem")).json(&body)).await;
    assert_eq!(made.status, 200, "{}", made.text);
    Browser::sign_in(app, "anna@example.org", PASSWORD).await
}

/// The secret of the last link that was sent to an address, for a purpose.
pub(crate) async fn link_sent(app: &TestApp, to: &str, purpose: &str) -> String {
    for _ in 0..300 {
        let mark = format!("#{purpose}=");
        let all = app.world.mailbox.all();
        let sent = all.iter().rev().filter(|it| it.to == tidings_core::port::Address::Email(to.to_owned()));
        let secret =
            sent.filter_map(|it| it.text.split_once(&mark)?.1.split_whitespace().next().map(str::to_owned)).next();
        if let Some(secret) = secret {
            return secret;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no link for {purpose} was sent to {to}");
}

/// Invites someone and takes the invitation up for them.
pub(crate) async fn invited<'a>(app: &'a TestApp, admin: &Browser<'_>, email: &str, role: &str) -> Browser<'a> {
    let invited = admin.post("/v1/users", json!({ "email": email, "role": role })).await;
    assert_eq!(invited.status, 201, "{}", invited.text);
    let link = link_sent(app, email, "join").await;
    let body = json!({ "link": link, "password": PASSWORD });
    let joined = send(app.http.post(app.url("/v1/links:redeem")).json(&body)).await;
    assert_eq!(joined.status, 200, "{}", joined.text);
    Browser::sign_in(app, email, PASSWORD).await
}
