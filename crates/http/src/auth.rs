//! Who is asking, and whether they may.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tidings_core::id::TenantId;
use tidings_core::permission::Permission;
use tidings_core::principal::{Credential, Principal};
use tidings_engine::{Asker, Closed, Refusal};

use crate::context::{Around, Context, Route};
use crate::error::{self, ApiError};
use crate::limits::{self, Purpose};
use crate::origin::Origin;
use crate::{App, session};

/// Who may use an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone.
    Open,
    /// Anyone on this machine, elsewhere a key with the permission.
    Loopback(Permission),
    /// Anyone with a key.
    Key,
    /// Whoever signs what they send, which only its handler can tell.
    Signed,
    /// A key with the permission.
    Needs(Permission),
    /// Those who say who they are in the head, and those who will in their first frame.
    Later(Permission),
}

/// What stands before one operation.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) app: App,
    pub(crate) access: Access,
    pub(crate) route: &'static str,
    /// The operation's name.
    pub(crate) operation: &'static str,
    pub(crate) purpose: Purpose,
    /// True for what people do themselves, so that no program does it in their name.
    pub(crate) is_personal: bool,
}

/// Lets a request pass with its principal, or answers for the operation.
pub(crate) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let identified = gate.identify(&parts).await;
    let counted = gate.count(&parts, identified.as_ref().ok().and_then(Option::as_deref));
    let (principal, admitted) = match counted.and(identified) {
        Ok(principal) => {
            let admitted = gate.admit(principal.as_deref(), &parts);
            (principal, admitted)
        }
        Err(error) => (None, Err(error)),
    };
    let says_who = principal.is_some() || parts.headers.contains_key(header::AUTHORIZATION);
    let context = parts.extensions.get::<Arc<Context>>().cloned();
    let mut request = Request::from_parts(parts, body);
    if let Some(principal) = &principal {
        request.extensions_mut().insert(Arc::clone(principal));
    }
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if says_who
        && gate.access != Access::Signed
        && matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    {
        gate.note_refusal(principal.as_deref(), context.as_deref());
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        gate.name_metadata(&mut response);
    }
    response.extensions_mut().insert(Route(gate.route));
    response
}

impl Gate {
    /// Who is asking, where that matters and they say it in the head.
    async fn identify(&self, parts: &Parts) -> Result<Option<Arc<Principal>>, ApiError> {
        match self.access {
            Access::Open | Access::Signed => Ok(None),
            Access::Loopback(_) if is_local(parts) => Ok(None),
            _ => identify(&self.app, parts, matches!(self.access, Access::Later(_))).await,
        }
    }

    fn admit(&self, principal: Option<&Principal>, parts: &Parts) -> Result<(), ApiError> {
        if let Some(principal) = principal {
            require_open(&self.app, &principal.tenant)?;
        }
        let is_program =
            principal.is_some_and(|it| matches!(it.credential, Credential::Token { .. } | Credential::Login { .. }));
        if self.is_personal && is_program {
            let detail = "this is for the person, in their browser: no program does it in their name";
            return Err(ApiError::new(&error::FORBIDDEN).detail(detail));
        }
        match (self.access, principal) {
            (Access::Open | Access::Signed, _) | (Access::Later(_), None) | (Access::Key, Some(_)) => Ok(()),
            (Access::Loopback(_), None) if is_local(parts) => Ok(()),
            (Access::Key, None) => Err(unauthenticated(None)),
            (Access::Loopback(permission) | Access::Needs(permission), None) => Err(unauthenticated(Some(permission))),
            (Access::Loopback(permission) | Access::Needs(permission) | Access::Later(permission), Some(principal)) => {
                require(principal, permission)
            }
        }
    }

    /// Tells one who has no token where to learn how to come by one (RFC 9728, section 5.1).
    fn name_metadata(&self, response: &mut Response) {
        if let Some(error) = response.extensions_mut().get_mut::<ApiError>() {
            let url = self.app.engine.public_url();
            let more = format!(", resource_metadata=\"{url}/.well-known/oauth-protected-resource\"");
            error.extend_challenge("Bearer ", &more);
        }
    }

    fn note_refusal(&self, principal: Option<&Principal>, context: Option<&Context>) {
        note_refusal(&self.app, self.operation, principal, context);
    }

    /// Holds a request against the limits of its principal, else of its address.
    fn count(&self, parts: &Parts, principal: Option<&Principal>) -> Result<(), ApiError> {
        let is_probe = matches!(self.access, Access::Loopback(_)) && is_local(parts);
        if is_probe || self.access == Access::Signed {
            return Ok(());
        }
        let Some(context) = parts.extensions.get::<Arc<Context>>() else { return Ok(()) };
        let address = parts.extensions.get::<Arc<Origin>>().and_then(|origin| origin.address);
        limits::enter(&self.app, context, principal, address, self.purpose)
    }
}

/// Has the audit log say that someone may not do what they asked for.
pub(crate) fn note_refusal(app: &App, action: &'static str, principal: Option<&Principal>, context: Option<&Context>) {
    app.engine.refused(Refusal {
        actor: principal.map(tidings_engine::actor),
        tenant: None,
        action,
        target: context.map(|context| context.path.clone()).unwrap_or_default(),
        correlation_id: context.map(|context| context.correlation_id.clone()).unwrap_or_default(),
    });
}

/// Refuses a principal without the permission.
pub(crate) fn require(principal: &Principal, permission: Permission) -> Result<(), ApiError> {
    if principal.may(permission) {
        return Ok(());
    }
    let scope = permission.as_str();
    Err(ApiError::new(&error::FORBIDDEN)
        .detail(format!("this needs the scope {scope}, which your role does not hold; ask an admin for a key"))
        .header(header::WWW_AUTHENTICATE, format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")))
}

/// Refuses everyone of a tenant that is not served.
pub(crate) fn require_open(app: &App, tenant: &TenantId) -> Result<(), ApiError> {
    app.engine.why_not_served(tenant).map_or(Ok(()), |why| Err(not_served(why)))
}

/// The fault of one whose tenant is not served.
pub(crate) fn not_served(why: Closed) -> ApiError {
    match why {
        Closed::ForGood => ApiError::new(&error::TENANT_CLOSED),
        Closed::Suspended(None) => ApiError::new(&error::TENANT_SUSPENDED),
        Closed::Suspended(Some(reason)) => {
            let advice = error::TENANT_SUSPENDED.advice;
            ApiError::new(&error::TENANT_SUSPENDED).detail(format!("{reason}; {advice}"))
        }
    }
}

/// The fault of one who did not say who they are, or said it wrongly.
pub(crate) fn unauthenticated(needed: Option<Permission>) -> ApiError {
    let scope = needed.map(|permission| format!(", scope=\"{}\"", permission.as_str())).unwrap_or_default();
    ApiError::new(&error::UNAUTHENTICATED).header(header::WWW_AUTHENTICATE, format!("Bearer realm=\"tidings\"{scope}"))
}

/// The fault of one who showed what is no key and no token, or none any more (RFC 6750, section 3.1).
fn invalid_token(detail: &str) -> ApiError {
    let challenge = "Bearer realm=\"tidings\", error=\"invalid_token\"";
    ApiError::new(&error::UNAUTHENTICATED).detail(detail).header(header::WWW_AUTHENTICATE, challenge)
}

/// The principal of a key or token in the head or of a session's cookie; none where there is neither.
async fn identify(app: &App, parts: &Parts, is_socket: bool) -> Result<Option<Arc<Principal>>, ApiError> {
    let headers = &parts.headers;
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let principal = match bearer(value) {
            Some(key) => app.engine.authenticate_bearer(key).await?,
            None => None,
        };
        let fault = || invalid_token("the key or token is not valid: unknown, mistyped, expired or revoked");
        return principal.map(Some).ok_or_else(fault);
    }
    let Some(origin) = parts.extensions.get::<Arc<Origin>>() else { return Ok(None) };
    let Some((secret, principal)) = session::holder(app, origin, headers).await? else { return Ok(None) };
    // A cookie is sent by whatever page makes the request, so a change must come from our own.
    let is_change = !matches!(parts.method, Method::GET | Method::HEAD);
    if (is_change || is_socket) && !origin.is_same_origin(headers) {
        return Err(ApiError::new(&error::CROSS_ORIGIN));
    }
    if is_change && !session::has_csrf_token(headers, secret) {
        let detail = "a change in a session carries the token of `GET /v1/session` in `X-CSRF-Token`";
        return Err(ApiError::new(&error::CROSS_ORIGIN).detail(detail));
    }
    Ok(Some(principal))
}

/// The key or token in the head.
pub(crate) fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, shown) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| shown.trim())
}

/// True for a caller on this machine that no proxy speaks for.
fn is_local(parts: &Parts) -> bool {
    parts.extensions.get::<Arc<Origin>>().is_some_and(|origin| origin.is_local)
}

/// The one who is asking.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Arc<Principal>);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Arc<Principal>>().cloned().map(Self).ok_or_else(|| unauthenticated(None))
    }
}

/// The one who is asking for a change, with the request that the audit log names.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) principal: Arc<Principal>,
    context: Arc<Context>,
}

impl Asking {
    pub(crate) fn by(&self) -> Asker<'_> {
        Asker { principal: &self.principal, correlation_id: &self.context.correlation_id }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Caller(principal) = Caller::from_request_parts(parts, state).await?;
        let Around(context) = Around::from_request_parts(parts, state).await?;
        Ok(Self { principal, context })
    }
}

/// The one who is asking, where they said so in the head.
#[derive(Debug, Clone)]
pub(crate) struct MaybeCaller(pub(crate) Option<Arc<Principal>>);

impl<S: Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Arc<Principal>>().cloned()))
    }
}
