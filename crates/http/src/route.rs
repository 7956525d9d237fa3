//! One file a resource; each lists its operations and holds their handlers.

mod publish;
mod events;
mod event_list;
mod subscriptions;
mod notifications;
mod dead_letters;
mod stream;
mod socket;
mod keys;
mod service_accounts;
mod inbound_webhooks;
mod hooks;
mod roles;
mod tenants;
mod trust;
mod audit;
mod session;
mod account;
mod users;
mod sso;
mod oauth;
mod meta;
mod health;
mod documents;
mod page;

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::ApiError;
use crate::operation::Operation;

/// Every operation there is.
pub(crate) fn operations() -> Vec<Operation> {
    let resources = [
        publish::operations(),
        event_list::operations(),
        events::operations(),
        subscriptions::operations(),
        notifications::operations(),
        dead_letters::operations(),
        stream::operations(),
        socket::operations(),
        keys::operations(),
        service_accounts::operations(),
        inbound_webhooks::operations(),
        hooks::operations(),
        roles::operations(),
        tenants::operations(),
        trust::operations(),
        audit::operations(),
        session::operations(),
        account::operations(),
        users::operations(),
        sso::operations(),
        oauth::operations(),
        meta::operations(),
        health::operations(),
        documents::operations(),
        page::operations(),
    ];
    resources.into_iter().flatten().collect()
}

/// The id in the path. One that is not an id names nothing, so it is not found.
#[derive(Debug)]
struct Id<T>(T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(|| ApiError::no_such("thing"))
    }
}

/// An answer in JSON.
fn json(value: &impl Serialize) -> Response {
    json_bytes(serde_json::to_vec(value).expect("answers are plain data"))
}

fn json_bytes(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// Names the next page in a `Link` (RFC 8288).
fn link_next(response: &mut Response, uri: &Uri, cursor: &str) {
    let kept = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && *pair != "cursor" && !pair.starts_with("cursor="));
    let query: Vec<&str> = kept.collect();
    let separator = if query.is_empty() { "" } else { "&" };
    let link = format!("<{}?{}{separator}cursor={cursor}>; rel=\"next\"", uri.path(), query.join("&"));
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
}
