//! A server under test.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tidings_core::id::TenantId;
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_engine::NewKey;
use tidings_http::{App, Options};
use tidings_testkit::World;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// One event in the native form.
pub(crate) const QUAKE: &str = r#"{"id":"q-1","category":"earthquake","title":"M5.0 near Example","severity":"Moderate","lat":43.1,"lon":12.5,"magnitude":5.0,"occurred":"2026-01-01T00:00:00Z"}"#;

/// A server and three keys.
pub(crate) struct TestApp {
    pub(crate) world: World,
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    pub(crate) admin: String,
    pub(crate) curator: String,
    pub(crate) viewer: String,
    pub(crate) http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// Limits short enough for tests.
pub(crate) fn quick() -> Options {
    Options {
        header_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        auth_timeout: Duration::from_millis(300),
        drain: Duration::from_secs(2),
        streams_per_user: 3,
        ..Options::default()
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::over(World::start().await, options).await
    }

    pub(crate) async fn over(world: World, options: Options) -> Self {
        let app = App::new(world.engine.clone(), options);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(tidings_http::serve(listener, app.clone(), shutdown));
        let mut keys = Vec::new();
        for role in [Role::Admin, Role::Curator, Role::Viewer] {
            keys.push(key(&world, TenantId::default_tenant(), role).await);
        }
        let [admin, curator, viewer] = keys.try_into().expect("three keys");
        // Another test may have been first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().tls_certs_only([]).build().expect("a client");
        Self { world, app, address, admin, curator, viewer, http, stop: Some(stop), serving }
    }

    /// A key of another tenant.
    pub(crate) async fn key_of(&self, tenant: &str, role: Role) -> String {
        key(&self.world, tenant.parse().expect("a tenant"), role).await
    }

    /// A ticket for the built-in page.
    pub(crate) async fn ticket(&self, key: &str) -> String {
        let link = self.world.engine.page_link(&self.principal(key)).await.expect("memory takes it");
        link.expect("a key").reveal().to_owned()
    }

    pub(crate) fn principal(&self, key: &str) -> Principal {
        self.world.engine.authenticate(key).expect("a key")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request as the admin.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path)).bearer_auth(&self.admin)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    /// Publishes, and waits until it is decided.
    pub(crate) async fn publish(&self, media_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, "/v1/events").header("content-type", media_type).body(body);
        let answer = send(request).await;
        self.world.engine.decided(self.world.engine.head()).await;
        answer
    }

    /// Publishes one event, whose id is answered.
    pub(crate) async fn publish_one(&self, event: Value) -> String {
        let answer = self.publish("application/json", event.to_string()).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.body["results"][0]["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn subscribe(&self, filter: Value) -> Value {
        let answer = self.post("/v1/subscriptions", json!({ "filter": filter })).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    /// Stops the server as a signal would, and waits until it is gone.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.take().expect("not stopped yet").send(());
        self.serving.await.expect("no panic").expect("served");
    }
}

async fn key(world: &World, tenant: TenantId, role: Role) -> String {
    let new = NewKey::of(tenant, role);
    world.engine.create_key(new).await.expect("memory takes it").1.reveal().to_owned()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Asserts that it is a problem with this status and code.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        for member in ["type", "title", "detail", "instance"] {
            assert!(self.body[member].is_string(), "{member} in {}", self.text);
        }
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("a text");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status: StatusCode::as_u16(&status), headers, body, text }
}
