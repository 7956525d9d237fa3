//! Providers of sign-ins for development: one by OpenID Connect, one as GitHub does it. Whoever opens them
//! says who they are and is believed, so they listen on this machine only.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tidings_core::id::TenantId;
use tidings_core::permission::{Role, RoleName};
use tidings_engine::token::{SigningAlgorithm, SigningKey};
use tidings_engine::{Asker, NewProvider, ProviderKind};
use tokio::task::AbortHandle;
use url::Url;

use crate::local::Local;

/// Sign-ins that may be under way.
const PENDING_MAX: usize = 1_000;
/// What this server shows them.
const CLIENT_SECRET: &str = "mock";

/// What they are called, also in the store.
const NAMES: [&str; 2] = ["mock", "mock-github"];

/// Both providers.
struct Mock {
    issuer: String,
    key: SigningKey,
    /// Who stands behind a code or a token.
    people: Mutex<HashMap<String, Person>>,
}

#[derive(Debug, Clone)]
struct Person {
    email: String,
    groups: Vec<String>,
    nonce: String,
    client: String,
}

/// Ends the providers when it is dropped.
#[derive(Debug)]
pub struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts both on a free port of this machine and sets them up as `mock` and `mock-github`.
///
/// # Errors
/// When they cannot listen or cannot be set up.
pub async fn start(server: &Local) -> anyhow::Result<Running> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listen for mock sign-ins")?;
    let issuer = format!("http://{}", listener.local_addr().context("read the listener's address")?);
    let key = SigningKey::generate(SigningAlgorithm::EdDsa).context("make a key for mock sign-ins")?;
    let mock = Arc::new(Mock { issuer: issuer.clone(), key, people: Mutex::default() });
    let pages = Router::new()
        .route("/.well-known/openid-configuration", get(configuration))
        .route("/keys", get(keys))
        .route("/authorize", get(ask))
        .route("/login/oauth/authorize", get(ask))
        .route("/sign-in", get(sign_in))
        .route("/token", post(id_token))
        .route("/login/oauth/access_token", post(access_token))
        .route("/api/v3/user", get(user))
        .route("/api/v3/user/emails", get(emails))
        .with_state(mock);
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, pages).await {
            tracing::warn!("mock sign-ins have ended: {error}");
        }
    });
    let running = Running(serving.abort_handle());
    let admin = server.admin().context("mock sign-ins need the Admin key of the data directory, to be set up")?;
    let roles = Role::ALL.into_iter().map(|role| (RoleName::from(role).to_string(), RoleName::from(role))).collect();
    let kinds = [("Mock", ProviderKind::Oidc), ("Mock GitHub", ProviderKind::Github)];
    for (name, (title, kind)) in NAMES.into_iter().zip(kinds) {
        let is_oidc = kind == ProviderKind::Oidc;
        let new = NewProvider {
            title: title.to_owned(),
            kind,
            issuer: issuer.clone(),
            client_id: "tidings".to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned().into()),
            tenant: TenantId::default_tenant(),
            domains: vec!["example.org".to_owned()],
            role_claim: is_oidc.then(|| "groups".to_owned()),
            roles: if is_oidc { std::collections::BTreeMap::clone(&roles) } else { Default::default() },
            default_role: Some(Role::Viewer.into()),
            api: None,
        };
        let put = server.engine().put_provider(Asker::from(&admin), name, new).await;
        put.with_context(|| format!("set up the provider {name}"))?;
    }
    eprintln!("mock sign-ins at {issuer}: anyone on this machine signs in as anyone at example.org");
    Ok(running)
}

/// Takes both away again, where an earlier start has left them: another program could listen there now.
///
/// # Errors
/// When the store fails.
pub async fn forget(server: &Local) -> anyhow::Result<()> {
    for provider in server.engine().providers().await? {
        if NAMES.contains(&provider.name.as_str()) {
            server.engine().remove_provider(None, &provider.name).await?;
        }
    }
    Ok(())
}

async fn configuration(State(mock): State<Arc<Mock>>) -> Response {
    let at = |path: &str| format!("{}{path}", mock.issuer);
    let document = json!({
        "issuer": mock.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"], "code_challenge_methods_supported": ["S256"],
    });
    axum::Json(document).into_response()
}

async fn keys(State(mock): State<Arc<Mock>>) -> Response {
    axum::Json(json!({ "keys": [mock.key.public()] })).into_response()
}

type Fields = HashMap<String, String>;

/// A form that asks who one is, and carries on what the request said.
async fn ask(Query(request): Query<Fields>) -> Html<String> {
    let carried: String = request
        .iter()
        .map(|(name, value)| format!("<input type=hidden name=\"{}\" value=\"{}\">", plain(name), plain(value)))
        .collect();
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Mock sign-in</title><h1>Mock sign-in</h1>\
         <p>For development only: you are whoever you say.</p><form action=/sign-in>{carried}\
         <p><label>Email <input name=email type=email value=\"dana@example.org\" required></label>\
         <p><label>Role <select name=group><option>viewer<option>curator<option>admin</select></label>\
         <p><button>Sign in</button></form>"
    ))
}

/// A text within HTML.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Back to where they came from, with a code.
async fn sign_in(State(mock): State<Arc<Mock>>, Query(request): Query<Fields>) -> Response {
    let field = |name: &str| request.get(name).cloned().unwrap_or_default();
    let Ok(mut back) = Url::parse(&field("redirect_uri")) else {
        return (StatusCode::BAD_REQUEST, "there is no redirect_uri").into_response();
    };
    let person = Person {
        email: field("email"),
        groups: vec![field("group")],
        nonce: field("nonce"),
        client: field("client_id"),
    };
    let code = mock.keep(person);
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &field("state"));
    Redirect::to(back.as_str()).into_response()
}

impl Mock {
    /// Keeps a person under a name that nobody guesses; the oldest need not be kept for long.
    fn keep(&self, person: Person) -> String {
        let mut bits = [0; 16];
        aws_lc_rs::rand::fill(&mut bits).expect("the system gives random bytes");
        let name = format!("{:032x}", u128::from_be_bytes(bits));
        let mut people = self.people.lock().expect("no holder panics");
        if people.len() >= PENDING_MAX {
            people.clear();
        }
        people.insert(name.clone(), person);
        name
    }

    fn take(&self, form: &Fields) -> Option<Person> {
        self.people.lock().expect("no holder panics").remove(form.get("code")?)
    }

    fn of_token(&self, headers: &HeaderMap) -> Option<Person> {
        let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        self.people.lock().expect("no holder panics").get(token).cloned()
    }
}

async fn id_token(State(mock): State<Arc<Mock>>, Form(form): Form<Fields>) -> Response {
    let Some(person) = mock.take(&form) else {
        return (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let claims = json!({
        "iss": mock.issuer, "aud": person.client, "sub": person.email, "iat": now, "exp": now + 300,
        "nonce": person.nonce, "email": person.email, "email_verified": true, "groups": person.groups,
    });
    match mock.key.sign("JWT", &claims) {
        Ok(token) => axum::Json(json!({ "id_token": token, "token_type": "Bearer" })).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// GitHub answers its faults with 200.
async fn access_token(State(mock): State<Arc<Mock>>, Form(form): Form<Fields>) -> axum::Json<Value> {
    axum::Json(match mock.take(&form) {
        Some(person) => json!({ "access_token": mock.keep(person), "token_type": "bearer" }),
        None => json!({ "error": "bad_verification_code" }),
    })
}

async fn user(State(mock): State<Arc<Mock>>, headers: HeaderMap) -> Response {
    let Some(person) = mock.of_token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    // A number that is the same for the same person.
    let id = person.email.bytes().fold(7_u64, |id, byte| id.wrapping_mul(31).wrapping_add(u64::from(byte)) >> 1);
    axum::Json(json!({ "id": id, "login": person.email.split('@').next(), "name": Value::Null })).into_response()
}

async fn emails(State(mock): State<Arc<Mock>>, headers: HeaderMap) -> Response {
    let Some(person) = mock.of_token(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    axum::Json(json!([{ "email": person.email, "primary": true, "verified": true }])).into_response()
}
