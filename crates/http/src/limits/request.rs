//! Where requests and answers meet the limits.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_core::principal::Principal;
use tidings_engine::LimitLabels;

use super::{Purpose, Spender, TooSoon};
use crate::App;
use crate::context::Context;
use crate::error::{self, ApiError};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE: HeaderName = HeaderName::from_static("ratelimit");

/// Decides on a request, and remembers what it is held against.
///
/// # Errors
/// When it comes too soon.
pub(crate) fn enter(
    app: &App,
    context: &Context,
    principal: Option<&Principal>,
    address: Option<IpAddr>,
    purpose: Purpose,
) -> Result<(), ApiError> {
    let spender = principal.map_or(Spender::Stranger(address), Spender::from);
    enter_as(app, context, spender, purpose)
}

/// The same for one who is known otherwise.
///
/// # Errors
/// When it comes too soon.
pub(crate) fn enter_as(app: &App, context: &Context, spender: Spender<'_>, purpose: Purpose) -> Result<(), ApiError> {
    let now = app.engine.clock().elapsed();
    let standing = context.standing.get_or_init(|| {
        let mut standing = app.limits.standing(spender, purpose, now);
        if let Spender::Known(tenant, _) = spender
            && let Some((revision, rates)) = app.engine.rates(tenant)
        {
            app.limits.of_tenant(&mut standing, tenant, revision, &rates);
        }
        standing
    });
    app.limits.enter(standing, now).map_err(|refused| refusal(app, refused))
}

/// Decides on an attempt to sign in as the person with an email address.
///
/// # Errors
/// When there were too many of late.
pub(crate) fn enter_account(app: &App, email: &str) -> Result<(), ApiError> {
    app.limits.sign_in_as(email, app.engine.clock().elapsed()).map_err(|refused| refusal(app, refused))
}

/// Decides on a request of a client that says who it is.
///
/// # Errors
/// When too many came from its address of late.
pub(crate) fn enter_tokens(app: &App, address: Option<IpAddr>) -> Result<(), ApiError> {
    app.limits.ask_for_tokens(address, app.engine.clock().elapsed()).map_err(|refused| refusal(app, refused))
}

fn refusal(app: &App, refused: TooSoon) -> ApiError {
    let TooSoon { limit, rate, wait, is_global } = refused;
    app.engine.metrics().rate_limited.get_or_create(&LimitLabels { limit }).inc();
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let (problem, whose) = if is_global { (&error::OVERLOADED, "all together") } else { (&error::RATE_LIMITED, "you") };
    let (quota, window) = (rate.quota(), rate.seconds());
    ApiError::new(problem)
        .detail(format!("`{limit}` gives {whose} {quota} in {window} s; send it again after {seconds} s"))
        .member("violated-policies", json!([limit]))
        .retry_after(seconds)
}

/// The answer to what named no operation, which counts against its address.
pub(crate) fn answer_unrouted(app: &App, context: &Context, address: Option<IpAddr>, answer: Response) -> Response {
    if context.standing.get().is_some() {
        return answer;
    }
    match enter(app, context, None, address, Purpose::Look) {
        Ok(()) => answer,
        Err(refused) => refused.into_response(),
    }
}

/// Spends bytes of the request's body.
pub(crate) fn spend_bytes(app: &App, context: &Context, bytes: usize) {
    if let Some(standing) = context.standing.get() {
        app.limits.spend_bytes(standing, bytes as u64, app.engine.clock().elapsed());
    }
}

/// Spends events that the request published.
pub(crate) fn spend_events(app: &App, context: &Context, events: usize) {
    if let Some(standing) = context.standing.get() {
        app.limits.spend_events(standing, events as u64, app.engine.clock().elapsed());
    }
}

/// Says in an answer's head what was allowed and what is left.
pub(crate) fn tell(app: &App, context: &Context, headers: &mut HeaderMap) {
    if let Some(standing) = context.standing.get() {
        headers.insert(POLICY, app.limits.policy_field(standing));
        headers.insert(RATE, app.limits.rate_field(standing, app.engine.clock().elapsed()));
    }
}
