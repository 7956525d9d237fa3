//! Pages of other sites: they may call the API with a key where an operator names their origin, and
//! never with a cookie.

use std::fmt;
use std::str::FromStr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const TAKEN: HeaderValue = HeaderValue::from_static(
    "accept, authorization, content-encoding, content-type, if-match, if-none-match, last-event-id, traceparent, \
     x-request-id",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "accept-post, allow, etag, link, location, ratelimit, ratelimit-policy, retry-after, www-authenticate, \
     x-correlation-id, x-request-id",
);
const PREFLIGHT_VARY: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");
/// How long a browser remembers a preflight: ten minutes.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// A site whose pages may call the API: scheme, host and port, as browsers write them in `Origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsOrigin(String);

/// The text is not one exact origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorsOriginError;

impl fmt::Display for CorsOriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write one exact origin like https://app.example or http://127.0.0.1:3000, without a path")
    }
}

impl std::error::Error for CorsOriginError {}

impl FromStr for CorsOrigin {
    type Err = CorsOriginError;

    fn from_str(text: &str) -> Result<Self, CorsOriginError> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://").ok_or(CorsOriginError)?;
        let own_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(CorsOriginError),
        };
        let authority = authority.strip_suffix(own_port).unwrap_or(authority);
        let authority = crate::origin::host(authority).ok_or(CorsOriginError)?;
        Ok(Self(format!("{scheme}://{authority}")))
    }
}

/// What a request is to the pages of other sites.
#[derive(Debug)]
pub(crate) enum Cors {
    /// Nothing: no site may, or it is not of the API.
    Closed,
    /// A site may, and this request is of none that does.
    Other,
    /// It is of one.
    Allowed(HeaderValue),
}

impl Cors {
    pub(crate) fn of(request: &Request, allowed: &[CorsOrigin]) -> Self {
        if allowed.is_empty() || !is_api(request.uri().path()) {
            return Self::Closed;
        }
        let mut values = request.headers().get_all(header::ORIGIN).into_iter();
        match (values.next(), values.next()) {
            (Some(origin), None) if allowed.iter().any(|it| it.0.as_bytes() == origin.as_bytes()) => {
                Self::Allowed(origin.clone())
            }
            _ => Self::Other,
        }
    }

    /// The answer to a browser that asks before it sends what a page wants to send.
    pub(crate) fn preflight(&self, request: &Request) -> Option<Response> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || !matches!(self, Self::Allowed(_)) {
            return None;
        }
        let fields = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, TAKEN),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            (header::VARY, PREFLIGHT_VARY),
        ];
        Some((StatusCode::NO_CONTENT, fields).into_response())
    }

    /// Adds to an answer who may read it.
    pub(crate) fn add(self, headers: &mut HeaderMap) {
        if matches!(self, Self::Closed) {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if let Self::Allowed(origin) = self {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// True for what programs use with a key; sessions and the page are for our own page only.
fn is_api(path: &str) -> bool {
    path == "/openapi.json" || (path.starts_with("/v1/") && !matches!(path, "/v1/session" | "/v1/ws"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact() {
        let parsed = |text: &str| text.parse::<CorsOrigin>().map(|origin| origin.0);
        assert_eq!(parsed("https://App.example:443"), Ok("https://app.example".to_owned()));
        assert_eq!(parsed("http://127.0.0.1:3000"), Ok("http://127.0.0.1:3000".to_owned()));
        for text in
            ["*", "null", "https://*.example", "https://app.example/", "https://", "app.example", "file://x", ""]
        {
            assert_eq!(parsed(text), Err(CorsOriginError), "{text}");
        }
    }
}
