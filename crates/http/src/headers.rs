//! Header fields that every answer has, so that a browser does nothing with it that we did not mean.

use axum::http::header::{self, Entry};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::origin::Origin;

/// Fields of every answer that does not set its own.
const ALWAYS: [(HeaderName, HeaderValue); 7] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];
/// A year, as browsers' preload lists ask for. Other hosts of the domain are not ours to speak for.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds them, and that only TLS is to be used where it is.
pub(crate) fn add(headers: &mut HeaderMap, origin: &Origin) {
    for (name, value) in ALWAYS {
        if let Entry::Vacant(vacant) = headers.entry(name) {
            vacant.insert(value);
        }
    }
    // A browser would hold everything else that is tried on `localhost` to it, on any port.
    let is_localhost =
        origin.host.as_deref().is_some_and(|host| host.split(':').next().is_some_and(|name| name == "localhost"));
    if origin.is_secure && !is_localhost {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    }
}
