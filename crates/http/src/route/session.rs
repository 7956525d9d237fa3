//! The sessions of browsers: opened with a password, a one-time link or a key, listed and ended.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tidings_core::id::{SessionId, TenantId};
use tidings_core::principal::Credential;
use tidings_engine::{Entered, IdentityError, SignIn};

use super::Id;
use crate::App;
use crate::auth::{Access, Asking, Caller, MaybeCaller};
use crate::body::JsonObject;
use crate::context::Around;
use crate::error::{self, ApiError};
use crate::fields::Fields;
use crate::operation::{JSON, Operation};
use crate::origin::{From, Origin};
use crate::{limits, session};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/session", "openSession", open)
            .summary("Opens a session: with email and password, a one-time ticket, or a key")
            .access(Access::Open)
            .sign_in()
            .takes(JSON, "Credentials")
            .answers(200, "Session")
            .ends_in(&error::UNAUTHENTICATED)
            .ends_in(&error::CODE_NEEDED)
            .ends_in(&error::FORBIDDEN)
            .ends_in(&error::OVERLOADED)
            .ends_in(&error::CROSS_ORIGIN),
        Operation::get("/v1/session", "getSession", get)
            .summary("The session at hand, with the token that its changes carry")
            .access(Access::Key)
            .answers(200, "Session")
            .ends_in(&error::NOT_FOUND),
        Operation::delete("/v1/session", "closeSession", close)
            .summary("Ends the session at hand")
            .access(Access::Open)
            .answers_as(204, None, None)
            .ends_in(&error::CROSS_ORIGIN),
        Operation::post("/v1/session:switch", "switchTenant", switch)
            .summary("Enters another tenant of the same person")
            .access(Access::Key)
            .takes(JSON, "TenantSwitch")
            .answers(200, "Session")
            .ends_in(&error::NOT_FOUND)
            .ends_in(&error::FORBIDDEN),
        Operation::get("/v1/sessions", "listSessions", list)
            .summary("Your open sessions, the last used first")
            .access(Access::Key)
            .answers(200, "SessionList"),
        Operation::delete("/v1/sessions/{id}", "endSession", end)
            .summary("Ends one of your sessions")
            .access(Access::Key)
            .answers_as(204, None, None),
        Operation::post("/v1/sessions:end-all", "endAllSessions", end_all)
            .summary("Signs out everywhere: ends every session of yours, and what programs were given in your name")
            .access(Access::Key)
            .answers_as(204, None, None)
            .ends_in(&error::CONFLICT),
    ]
}

async fn open(
    State(app): State<App>,
    From(origin): From,
    Around(context): Around,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    own_page(&origin, &headers)?;
    let mut fields = Fields::new(body);
    let (ticket, key) = (fields.secret("ticket"), fields.secret("key"));
    let (email, password) = (fields.text("email"), fields.secret("password"));
    let (code, tenant) = (fields.text("code"), fields.read::<TenantId>("tenant"));
    let is_one = [ticket.is_some(), key.is_some(), email.is_some() && password.is_some()];
    if is_one.into_iter().filter(|it| *it).count() != 1 {
        fields.fault("", "missing", "send `email` and `password`, or `ticket`, or `key`");
    }
    fields.finish("credentials")?;
    let (browser, replaces) = (session::browser(&origin, &headers), session::id_of(&origin, &headers));
    let entered = match (ticket, key, email, password) {
        (Some(ticket), ..) => app.engine.sign_in_with_link(ticket.reveal(), &browser, replaces).await,
        (_, Some(key), ..) => app.engine.sign_in_with_key(key.reveal(), &browser, replaces).await,
        (_, _, Some(email), Some(password)) => {
            limits::enter_account(&app, &email)?;
            let correlation_id = &context.correlation_id;
            let (email, password, code, tenant) = (&email, &password, code.as_deref(), tenant.as_ref());
            app.engine.sign_in(SignIn { email, password, code, tenant, browser, replaces, correlation_id }).await
        }
        _ => Err(IdentityError::Refused),
    };
    Ok(entered_as(&entered?, &origin))
}

/// A page of another site may neither open a session here nor end one.
fn own_page(origin: &Origin, headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.contains_key(header::ORIGIN) && !origin.is_same_origin(headers) {
        return Err(ApiError::new(&error::CROSS_ORIGIN));
    }
    Ok(())
}

/// The answer that gives a browser its session.
pub(super) fn entered_as(entered: &Entered, origin: &Origin) -> Response {
    let secret = entered.secret.reveal();
    let mut response = super::json(&shown(&entered.principal, secret));
    response.headers_mut().insert(header::SET_COOKIE, session::cookie(origin.is_secure, secret));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn shown(principal: &tidings_core::principal::Principal, secret: &str) -> Value {
    let Credential::Session(id) = principal.credential else { return Value::Null };
    json!({
        "id": id, "user": principal.user, "tenant": principal.tenant, "role": principal.role,
        "csrf_token": session::csrf_token(secret),
    })
}

async fn get(
    State(app): State<App>,
    Caller(principal): Caller,
    From(origin): From,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let holder = session::holder(&app, &origin, &headers).await?;
    let (secret, _) = holder
        .filter(|(_, holder)| holder.credential == principal.credential)
        .ok_or_else(|| ApiError::no_such("session").detail("you came with a key or a token, not in a session"))?;
    let mut response = super::json(&shown(&principal, secret));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn close(
    State(app): State<App>,
    From(origin): From,
    MaybeCaller(caller): MaybeCaller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    own_page(&origin, &headers)?;
    let holder = match caller {
        Some(principal) => Some(principal),
        None => session::holder(&app, &origin, &headers).await?.map(|(_, principal)| principal),
    };
    if let Some(principal) = holder
        && let Credential::Session(id) = principal.credential
    {
        match app.engine.close_session(&principal, id).await {
            // Someone else ended it just now: that is what was asked for.
            Ok(()) | Err(IdentityError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, session::cookie(origin.is_secure, ""));
    Ok(response)
}

async fn switch(
    State(app): State<App>,
    Caller(principal): Caller,
    From(origin): From,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let tenant = fields.needed("tenant");
    fields.finish("a switch of tenants")?;
    // What is no tenant's name is none of theirs either.
    let tenant = tenant.parse().map_err(|_| IdentityError::NoTenant)?;
    let entered = app.engine.switch_tenant(&principal, &tenant, &session::browser(&origin, &headers)).await?;
    Ok(entered_as(&entered, &origin))
}

async fn list(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    Ok(super::json(&json!({ "data": app.engine.sessions(&principal).await? })))
}

async fn end(State(app): State<App>, Caller(principal): Caller, Id(id): Id<SessionId>) -> Result<Response, ApiError> {
    app.engine.close_session(&principal, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn end_all(State(app): State<App>, asking: Asking) -> Result<Response, ApiError> {
    app.engine.sign_out_everywhere(asking.by()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
