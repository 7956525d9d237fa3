//! The built-in page's session: a ticket or a key is swapped for a cookie that scripts cannot read.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::auth::{self, Access};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::operation::{JSON, Operation};
use crate::origin::From;
use crate::session::{COOKIE_NAME, SECURE_COOKIE_NAME, SESSION_SECONDS};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/session", "openSession", open)
            .summary("Swaps a one-time ticket, or a key, for a session cookie")
            .access(Access::Open)
            .sign_in()
            .takes(JSON, "Credentials")
            .answers_as(204, None, None)
            .ends_in(&error::UNAUTHENTICATED)
            .ends_in(&error::CROSS_ORIGIN),
        Operation::delete("/v1/session", "closeSession", close)
            .summary("Ends the session")
            .access(Access::Open)
            .answers_as(204, None, None)
            .ends_in(&error::CROSS_ORIGIN),
    ]
}

async fn open(
    State(app): State<App>,
    From(origin): From,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    if headers.contains_key(header::ORIGIN) && !origin.is_same_origin(&headers) {
        return Err(ApiError::new(&error::CROSS_ORIGIN));
    }
    let text = |name: &str| body.get(name).and_then(|value| value.as_str());
    let secret = match (text("ticket"), text("key")) {
        (Some(ticket), _) => app.sessions.redeem(ticket, &app.engine),
        (None, Some(key)) => app.engine.authenticate(key).map(|principal| app.sessions.open(principal, &app.engine)),
        (None, None) => None,
    };
    let detail =
        "the ticket was used or is too old, or the key is not valid; restart the server for a new link, or enter a key";
    let secret = secret.ok_or_else(|| auth::unauthenticated(None).detail(detail))?;
    let max_age = SESSION_SECONDS.to_string();
    Ok(with_cookie(origin.is_secure, &secret, &max_age))
}

async fn close(State(app): State<App>, From(origin): From, headers: HeaderMap) -> Result<Response, ApiError> {
    if headers.contains_key(header::ORIGIN) && !origin.is_same_origin(&headers) {
        return Err(ApiError::new(&error::CROSS_ORIGIN));
    }
    app.sessions.close(&headers);
    Ok(with_cookie(origin.is_secure, "", "0"))
}

/// `__Host-` cookies need `Secure`, which plain HTTP on loopback cannot have.
fn with_cookie(is_secure: bool, secret: &str, max_age: &str) -> Response {
    let (name, secure) = if is_secure { (SECURE_COOKIE_NAME, "; Secure") } else { (COOKIE_NAME, "") };
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}");
    let mut response = StatusCode::NO_CONTENT.into_response();
    let cookie = HeaderValue::from_str(&cookie).expect("a name, hexadecimal digits and attributes");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
