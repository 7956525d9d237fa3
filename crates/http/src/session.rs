//! The cookie of a browser's session, and the token that shows that a change comes from our own page.

use std::sync::Arc;

use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tidings_core::id::SessionId;
use tidings_core::principal::Principal;
use tidings_engine::{Browser, Engine, SESSION_LONGEST};

use crate::App;
use crate::error::ApiError;
use crate::origin::Origin;

/// The cookie over plain HTTP.
pub(crate) const COOKIE_NAME: &str = "tidings_session";
/// The cookie over TLS; browsers hold it to this host.
const SECURE_COOKIE_NAME: &str = "__Host-tidings_session";
/// Where a change carries its token.
const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// The secret of a request's cookie and whose it is, where it opens a session.
pub(crate) async fn holder<'a>(
    app: &App,
    origin: &Origin,
    headers: &'a HeaderMap,
) -> Result<Option<(&'a str, Arc<Principal>)>, ApiError> {
    for secret in secrets(origin, headers) {
        if let Some(principal) = app.engine.enter(secret).await? {
            return Ok(Some((secret, principal)));
        }
    }
    Ok(None)
}

/// The session that a browser has, whether it still stands or not.
pub(crate) fn id_of(origin: &Origin, headers: &HeaderMap) -> Option<SessionId> {
    secrets(origin, headers).next().map(Engine::session_id)
}

/// The token that a page reads with its session and sends with each change; another site can do neither.
pub(crate) fn csrf_token(secret: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("csrf {secret}").as_bytes());
    digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// True where a request carries the token of its session.
pub(crate) fn has_csrf_token(headers: &HeaderMap, secret: &str) -> bool {
    let given = headers.get(CSRF_TOKEN).map(HeaderValue::as_bytes).unwrap_or_default();
    aws_lc_rs::constant_time::verify_slices_are_equal(given, csrf_token(secret).as_bytes()).is_ok()
}

/// Where a request sits.
pub(crate) fn browser(origin: &Arc<Origin>, headers: &HeaderMap) -> Browser {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Browser { address: origin.address, agent: agent.to_owned() }
}

/// The header that gives a browser a session; an empty secret takes it away. `__Host-` cookies need
/// `Secure`, which plain HTTP on loopback cannot have.
pub(crate) fn cookie(is_secure: bool, secret: &str) -> HeaderValue {
    let (name, secure) = if is_secure { (SECURE_COOKIE_NAME, "; Secure") } else { (COOKIE_NAME, "") };
    let seconds = if secret.is_empty() { 0 } else { SESSION_LONGEST / 1_000 };
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    let mut value = HeaderValue::from_str(&cookie).expect("a name, letters of base64 and attributes");
    value.set_sensitive(true);
    value
}

/// What the request's cookies say under the name that fits how it came: over TLS only what nobody else can
/// set. The secrets have 256 bits, so a look-up by hash tells nothing.
fn secrets<'a>(origin: &Origin, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> + use<'a> {
    let name = if origin.is_secure { SECURE_COOKIE_NAME } else { COOKIE_NAME };
    // More than a browser would send are an attempt to have many looked up.
    cookies(headers).filter(move |(known, _)| *known == name).map(|(_, value)| value).take(4)
}

/// The cookies of a request.
pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='))
}
