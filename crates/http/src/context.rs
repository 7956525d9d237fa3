//! What is around every request: its ids, its clock, and the form of its faults.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tidings_engine::{HttpLabels, observe};

use crate::cors::Cors;
use crate::error::{self, ApiError};
use crate::limits::{self, Standing};
use crate::origin::Origin;
use crate::{App, headers};

/// The header that names a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// What a request is known by.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The caller's `X-Request-Id`, else one that we drew.
    pub(crate) request_id: String,
    /// Of `traceparent`, where the caller sent one.
    pub(crate) trace_id: Option<String>,
    /// Follows everything made of the request: the trace id, else the request id.
    pub(crate) correlation_id: String,
    /// The path as it was asked for.
    pub(crate) path: String,
    /// The limits that it is held against, once it is.
    pub(crate) standing: OnceLock<Standing>,
}

impl Context {
    fn of(request: &Request, app: &App) -> Self {
        let headers = request.headers();
        let request_id = given_request_id(headers).unwrap_or_else(|| app.random_hex::<16>());
        let trace_id = given_trace_id(headers);
        let correlation_id = trace_id.clone().unwrap_or_else(|| request_id.clone());
        Self { request_id, trace_id, correlation_id, path: request.uri().path().to_owned(), standing: OnceLock::new() }
    }
}

/// The documented path that a request matched; an answer's label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route(pub(crate) &'static str);

/// Marks an answer that says in its own form what is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SaysItself;

/// Gives a request its ids and its origin, catches panics, makes every fault a problem, and counts.
pub(crate) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let context = Arc::new(Context::of(&request, &app));
    let method = known(request.method());
    request.extensions_mut().insert(Arc::clone(&context));
    let origin = Arc::new(Origin::of(&request, &app.options.trusted_proxies));
    request.extensions_mut().insert(Arc::clone(&origin));
    let cors = Cors::of(&request, &app.options.cors_origins);
    let preflight = cors.preflight(&request);
    let is_preflight = preflight.is_some();
    let response = match preflight {
        Some(preflight) => Ok(preflight),
        None => AssertUnwindSafe(next.run(request)).catch_unwind().await,
    };
    let response = response.unwrap_or_else(|_panic| {
        tracing::error!(correlation.id = %context.correlation_id, "a handler panicked at {}", context.path);
        ApiError::new(&error::INTERNAL).into_response()
    });
    let (route, response) = match response.extensions().get::<Route>() {
        Some(route) => (route.0, response),
        None if is_preflight => ("unmatched", response),
        None => ("unmatched", limits::answer_unrouted(&app, &context, origin.address, response)),
    };
    let mut response = as_problem(response, &context);
    limits::tell(&app, &context, response.headers_mut());
    let ids = [(REQUEST_ID, &context.request_id), (CORRELATION_ID, &context.correlation_id)];
    for (name, id) in ids {
        if let Ok(value) = HeaderValue::from_str(id) {
            response.headers_mut().insert(name, value);
        }
    }
    cors.add(response.headers_mut());
    headers::add(response.headers_mut(), &origin);
    let labels = HttpLabels { method, route, status: response.status().as_u16() };
    tracing::debug!(
        correlation.id = %context.correlation_id, http.status = labels.status,
        "answered {method} {} with {}", context.path, labels.status
    );
    observe(&app.engine.metrics().http_request_duration.get_or_create(&labels), started.elapsed());
    response
}

/// Faults of our own know what they say; those of the layers below are named by their status.
fn as_problem(mut response: Response, context: &Context) -> Response {
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let allowed = response.headers().get(header::ALLOW).cloned();
        let route = response.extensions().get::<Route>().copied();
        let mut rendered = error.render(context);
        if let Some(allowed) = allowed {
            rendered.headers_mut().insert(header::ALLOW, allowed);
        }
        if let Some(route) = route {
            rendered.extensions_mut().insert(route);
        }
        return rendered;
    }
    let is_ours = response.extensions().get::<SaysItself>().is_some()
        || response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|media| media.as_bytes().starts_with(b"application/"));
    let status = response.status();
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let problem = match status {
        StatusCode::UPGRADE_REQUIRED => &error::UPGRADE_REQUIRED,
        StatusCode::METHOD_NOT_ALLOWED => &error::METHOD_NOT_ALLOWED,
        StatusCode::NOT_FOUND => &error::NOT_FOUND,
        StatusCode::PAYLOAD_TOO_LARGE => &error::TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &error::UNSUPPORTED_MEDIA_TYPE,
        _ if status.is_client_error() => &error::BAD_REQUEST,
        _ => &error::INTERNAL,
    };
    ApiError::new(problem).render(context)
}

/// `[A-Za-z0-9._-]{1,128}`, else we draw one.
fn given_request_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    ((1..=128).contains(&text.len()) && text.bytes().all(allowed)).then(|| text.to_owned())
}

/// The trace id of a W3C `traceparent`: `version-trace-parent-flags`, all zeros being none.
fn given_trace_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags, ..] = parts.as_slice() else { return None };
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_sound = is_hex(version, 2) && *version != "ff" && is_hex(parent, 16) && is_hex(flags, 2);
    let is_drawn = is_hex(trace, 32) && trace.bytes().any(|byte| byte != b'0');
    (is_sound && is_drawn).then(|| (*trace).to_owned())
}

fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// The context of the request at hand.
#[derive(Debug, Clone)]
pub(crate) struct Around(pub(crate) Arc<Context>);

impl<S: Sync> FromRequestParts<S> for Around {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Arc<Context>>().cloned().map(Self).ok_or_else(|| ApiError::new(&error::INTERNAL))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_problem() {
        let world = tidings_testkit::World::start().await;
        let app = App::new(world.engine, crate::Options::default());
        async fn fall() {
            panic!("on command");
        }
        let router: Router =
            Router::new().route("/", get(fall)).layer(axum::middleware::from_fn_with_state(app, around));
        let request = Request::builder().uri("/").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[header::CONTENT_TYPE], error::PROBLEM_JSON);
    }

    fn check(traceparent: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", traceparent.parse().expect("a header"));
        assert_eq!(given_trace_id(&headers).as_deref(), expected, "{traceparent}");
    }

    #[test]
    fn only_a_sound_traceparent_names_a_trace() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        check(&format!("00-{trace}-00f067aa0ba902b7-01"), Some(trace));
        check(&format!("ff-{trace}-00f067aa0ba902b7-01"), None);
        check(&format!("00-{trace}-00f067aa0ba902b7"), None);
        check(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), None);
        check(&format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()), None);
    }
}
