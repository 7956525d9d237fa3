//! Faults as callers see them (RFC 9457); the only place that knows status codes.

use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tidings_core::port::{PortError, Retry};
use tidings_engine::{ControlError, Fault, IdentityError, OverQuota, StreamError};

use crate::context::Context;

/// The media type of every fault.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A kind of fault: its stable code, its status, and what to do about it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) status: u16,
    pub(crate) title: &'static str,
    pub(crate) advice: &'static str,
}

macro_rules! problems {
    ($($name:ident = $code:literal $status:literal $title:literal, $advice:literal;)*) => {
        $(pub(crate) static $name: Problem =
            Problem { code: $code, status: $status, title: $title, advice: $advice };)*
        /// Every kind of fault.
        pub(crate) static ALL: &[&Problem] = &[$(&$name,)*];
    };
}

problems! {
    BAD_REQUEST = "bad_request" 400 "The request cannot be read", "send a well-formed HTTP request";
    BAD_PARAMETER = "bad_parameter" 400 "A query parameter is wrong", "correct the parameters named in `errors`";
    BAD_CURSOR = "bad_cursor" 400 "The cursor is not one of ours", "start again without a cursor";
    INVALID_CODING = "invalid_coding" 400 "The body's coding is broken", "send the whole body, correctly compressed or chunked";
    UNAUTHENTICATED = "unauthenticated" 401 "Who is asking is not known", "send `Authorization: Bearer tk_…` with a valid key; `tidings key create` makes one";
    CODE_NEEDED = "code_needed" 401 "A code is needed besides the password", "send it again with `code`: one of your app, or a recovery code";
    BAD_SIGNATURE = "bad_signature" 401 "The request is not signed as it must be", "use the address and the secret of a webhook that goes on; sign the bytes exactly as they are sent, once, within 5 minutes of the time they name";
    FORBIDDEN = "forbidden" 403 "This key may not do that", "ask an admin for a key with the scope that `WWW-Authenticate` names";
    TENANT_SUSPENDED = "tenant_suspended" 403 "The tenant is suspended", "ask the operator of this server; nothing is lost, and everything goes on once the tenant is resumed";
    TENANT_CLOSED = "tenant_closed" 403 "The tenant is closed", "it was deleted and does not come back; stop using its keys";
    CROSS_ORIGIN = "cross_origin" 403 "The request comes from another site", "send it from the page itself, or use a key";
    WRONG_PROOF = "wrong_proof" 403 "The password or the code is wrong", "send what is right; a code works once";
    LINK_GONE = "link_gone" 410 "The link does not work any more", "ask for a new one: a link works once, and for a while";
    NOT_FOUND = "not_found" 404 "There is no such thing", "check the address; what belongs to others is not shown";
    METHOD_NOT_ALLOWED = "method_not_allowed" 405 "The method is not allowed here", "use one of the methods that `Allow` lists";
    NOT_ACCEPTABLE = "not_acceptable" 406 "None of the accepted forms can be made", "accept application/json";
    REQUEST_TIMEOUT = "request_timeout" 408 "The body came too slowly", "send it again, faster or in smaller parts";
    STALE = "stale" 412 "It was changed since", "read it again and repeat the change on what it says now";
    CONFLICT = "conflict" 409 "Something else hangs on it", "do what `detail` says first";
    TOO_LARGE = "too_large" 413 "The body is too large", "send it in parts; `/v1/meta` lists the limits";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type" 415 "The media type is not known", "use one of the types that `Accept-Post` lists";
    INVALID = "invalid" 422 "What was sent is not valid", "correct what `errors` names";
    NOT_SUPPORTED = "not_supported" 422 "This build cannot do that", "leave out what `errors` names";
    EMPTY_BATCH = "empty_batch" 422 "There is nothing in the body", "send at least one event";
    ALL_REJECTED = "all_rejected" 422 "Every event was rejected", "correct what each of `results` names; their bytes are kept as dead letters";
    UPGRADE_REQUIRED = "upgrade_required" 426 "This is a WebSocket", "connect with a WebSocket client, or use /v1/stream";
    QUOTA_REACHED = "quota_reached" 429 "You have as many as allowed", "remove one, or wait";
    RATE_LIMITED = "rate_limited" 429 "That was too much in too short a time", "send it again after `Retry-After` seconds; `RateLimit` says what is left";
    PRECONDITION_REQUIRED = "precondition_required" 428 "The change does not say what it was made from", "read it, and send its ETag as `If-Match`";
    HEAD_TOO_LARGE = "head_too_large" 431 "The request's head is too large", "send fewer or shorter header fields";
    INTERNAL = "internal" 500 "The server failed", "report the request id; trying again does not help";
    UNAVAILABLE = "unavailable" 503 "The server cannot do that now", "send it again after `Retry-After` seconds";
    OVERLOADED = "overloaded" 503 "The server has too much in work", "send it again after `Retry-After` seconds";
    DRAINING = "draining" 503 "The server is stopping", "connect again";
}

/// A fault that a request ends in.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    problem: &'static Problem,
    detail: Option<String>,
    errors: Vec<Fault>,
    rest: Box<Rest>,
}

/// What most faults do not have.
#[derive(Debug, Clone, Default)]
struct Rest {
    /// Members besides those of every problem.
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What the log says besides, for faults that are ours.
    cause: Option<String>,
}

impl ApiError {
    pub(crate) fn new(problem: &'static Problem) -> Self {
        Self { problem, detail: None, errors: Vec::new(), rest: Box::default() }
    }

    /// What was wrong, in words that say what would be right.
    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Every fault found.
    pub(crate) fn errors(self, errors: Vec<Fault>) -> Self {
        Self { errors, ..self }
    }

    /// A member besides those of every problem.
    pub(crate) fn member(mut self, name: &str, value: Value) -> Self {
        self.rest.members.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.rest.headers.push((name, value));
        }
        self
    }

    /// Says more in the challenges of a scheme.
    pub(crate) fn extend_challenge(&mut self, scheme: &str, more: &str) {
        for (name, value) in &mut self.rest.headers {
            let challenge =
                value.to_str().ok().filter(|text| *name == header::WWW_AUTHENTICATE && text.starts_with(scheme));
            if let Some(extended) = challenge.and_then(|text| HeaderValue::from_str(&format!("{text}{more}")).ok()) {
                *value = extended;
            }
        }
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// No such thing of a kind.
    pub(crate) fn no_such(kind: &str) -> Self {
        Self::new(&NOT_FOUND).detail(format!("there is no such {kind}, or it is not yours to see"))
    }

    /// One wrong parameter of the query.
    pub(crate) fn parameter(name: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::parameters(vec![Fault { pointer: format!("?{name}"), code, detail: detail.into() }])
    }

    /// Every wrong parameter of the query.
    pub(crate) fn parameters(faults: Vec<Fault>) -> Self {
        Self::new(&BAD_PARAMETER).detail(summary(&faults)).errors(faults)
    }

    /// Every fault of a body.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        let unsupported = !faults.is_empty() && faults.iter().all(|fault| fault.code == "not_supported");
        let problem = if unsupported { &NOT_SUPPORTED } else { &INVALID };
        Self::new(problem).detail(summary(&faults)).errors(faults)
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).expect("the table holds valid codes")
    }

    /// The problem as a stream's `error` frame and an answer's body carry it.
    pub(crate) fn to_json(&self, context: &Context) -> Value {
        let problem = self.problem;
        let retryable = matches!(problem.status, 408 | 429 | 503);
        let mut body = json!({
            "type": format!("/docs/api#problem-{}", problem.code),
            "title": problem.title,
            "status": problem.status,
            "detail": self.detail.as_deref().unwrap_or(problem.advice),
            "instance": context.path,
            "code": problem.code,
            "request_id": context.request_id,
            "correlation_id": context.correlation_id,
            "retryable": retryable,
        });
        let members = body.as_object_mut().expect("an object was just made");
        if let Some(trace_id) = &context.trace_id {
            members.insert("trace_id".to_owned(), json!(trace_id));
        }
        if !self.errors.is_empty() {
            members.insert("errors".to_owned(), json!(self.errors));
        }
        members.extend(self.rest.members.clone());
        body
    }

    /// Writes a fault of ours to the log, once, where it is answered.
    pub(crate) fn log(&self, context: &Context) {
        if let Some(cause) = &self.rest.cause {
            let code = self.problem.code;
            tracing::error!(correlation.id = %context.correlation_id, error.code = code, "{cause} at {}", context.path);
        }
    }

    /// The whole answer.
    pub(crate) fn render(self, context: &Context) -> Response {
        self.log(context);
        let body = self.to_json(context).to_string();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.rest.headers);
        response
    }
}

/// The first fault in words, and how many more there are.
fn summary(faults: &[Fault]) -> String {
    match faults {
        [] => "it is not valid".to_owned(),
        [only] => only.detail.clone(),
        [first, rest @ ..] => format!("{}; and {} more, see `errors`", first.detail, rest.len()),
    }
}

impl IntoResponse for ApiError {
    /// The body is made where the request is known: see `context::around`.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<PortError> for ApiError {
    fn from(error: PortError) -> Self {
        let cause = error.source.as_ref().map_or_else(String::new, |source| format!(": {source}"));
        let answer = match error.retry {
            Retry::Later => Self::new(&UNAVAILABLE).retry_after(1),
            Retry::After(wait) => Self::new(&UNAVAILABLE).retry_after(wait.as_secs().max(1)),
            Retry::Never => Self::new(&INTERNAL),
        };
        let detail = format!("could not {}", error.what);
        let mut error = answer.detail(&*detail);
        error.rest.cause = Some(format!("{detail}{cause}"));
        error
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Invalid(faults) => Self::invalid(faults),
            ControlError::NotFound(kind) => Self::no_such(kind),
            ControlError::NotPermitted(detail) => Self::new(&FORBIDDEN).detail(detail),
            ControlError::InUse(detail) => Self::new(&CONFLICT).detail(detail),
            ControlError::Stale(revision) => Self::new(&STALE)
                .detail(format!("it has revision {revision} by now; read it again and repeat the change"))
                .member("revision", json!(revision))
                .header(header::ETAG, format!("\"{revision}\"")),
            ControlError::QuotaReached(limit) => {
                Self::new(&QUOTA_REACHED).detail(format!("there are at most {limit}; delete one first")).retry_after(60)
            }
            ControlError::OverQuota(over) => over.into(),
            ControlError::Port(error) => error.into(),
        }
    }
}

impl From<IdentityError> for ApiError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Refused => crate::auth::unauthenticated(None).detail(
                "that is no email address with its password, no valid key, and no ticket that is still good; a code works once",
            ),
            IdentityError::CodeNeeded => Self::new(&CODE_NEEDED).header(header::WWW_AUTHENTICATE, "Bearer realm=\"tidings\""),
            IdentityError::NoTenant => Self::new(&FORBIDDEN)
                .detail("you belong to no tenant that you could enter, or not to that one; ask its admin for an invitation"),
            IdentityError::LinkGone => Self::new(&LINK_GONE),
            IdentityError::Invalid(faults) => Self::invalid(faults),
            IdentityError::NotPermitted(detail) => Self::new(&FORBIDDEN).detail(detail),
            IdentityError::NotFound(kind) => Self::no_such(kind),
            IdentityError::Conflict(detail) => Self::new(&CONFLICT).detail(detail),
            IdentityError::NotServed(why) => crate::auth::not_served(why),
            IdentityError::Busy => Self::new(&OVERLOADED).retry_after(5),
            IdentityError::Port(error) => error.into(),
        }
    }
}

/// How long to wait for a quota that does not free by itself.
const ASK_AGAIN_SECONDS: u64 = 3_600;

impl From<OverQuota> for ApiError {
    fn from(over: OverQuota) -> Self {
        let wait = over.wait.map_or(ASK_AGAIN_SECONDS, |wait| wait.as_secs() + 1);
        Self::new(&QUOTA_REACHED).detail(over.to_string()).member("quota", json!(over)).retry_after(wait)
    }
}

impl From<StreamError> for ApiError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::NotACursor(_) => Self::new(&BAD_CURSOR).detail(error.to_string()),
            StreamError::Filter(faults) => Self::invalid(faults),
            StreamError::Port(error) => error.into(),
        }
    }
}
