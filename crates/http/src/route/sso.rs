//! Signing in at another provider, and the providers themselves.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_core::id::TenantId;
use tidings_core::permission::{Permission, RoleName};
use tidings_engine::{ApiTokens, CallbackFault, Finished, NewProvider, ProviderKind};

use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::fields::Fields;
use crate::form::parameters;
use crate::operation::{JSON, Operation};
use crate::origin::{From, Origin};
use crate::query::Query;
use crate::session;

/// How long the browser holds the state of a sign-in that is under way.
const STATE_SECONDS: u32 = 600;

pub(super) fn operations() -> Vec<Operation> {
    let of = Access::Needs(Permission::Tenants);
    vec![
        Operation::get("/v1/sso", "listSignIns", list)
            .summary("The providers that one may sign in with")
            .access(Access::Open)
            .answers(200, "SignInList"),
        Operation::post("/v1/sso/{name}/link", "linkLogin", link)
            .summary("Begins to link a login at a provider to your account; the browser goes to `address`")
            .access(Access::Key)
            .answers(200, "LinkBegun")
            .ends_in(&error::NOT_FOUND)
            .ends_in(&error::UNAVAILABLE),
        Operation::get("/v1/account/logins", "listLogins", logins)
            .summary("The logins that are linked to your account")
            .access(Access::Key)
            .answers(200, "LoginList"),
        Operation::delete("/v1/account/logins/{id}", "unlinkLogin", unlink)
            .summary("Takes a login off your account")
            .access(Access::Key)
            .answers_as(204, None, None)
            .ends_in(&error::CONFLICT),
        Operation::get("/v1/sso/providers", "listProviders", providers)
            .summary("The providers of sign-ins, as they are set up")
            .access(of)
            .answers(200, "ProviderList"),
        Operation::put("/v1/sso/providers/{name}", "putProvider", put)
            .summary("Sets up a provider of sign-ins, or changes it")
            .access(of)
            .takes(JSON, "NewProvider")
            .answers(200, "Provider")
            .ends_in(&error::CONFLICT),
        Operation::delete("/v1/sso/providers/{name}", "deleteProvider", remove)
            .summary("Takes a provider of sign-ins away")
            .access(of)
            .answers_as(204, None, None)
            .ends_in(&error::CONFLICT),
        Operation::get("/sso/{name}/start", "startSignIn", start)
            .summary("Sends the browser to a provider")
            .access(Access::Open)
            .sign_in()
            .answers_as(303, None, None)
            .undocumented(),
        Operation::get("/sso/{name}/callback", "finishSignIn", callback)
            .summary("Where a provider sends the browser back to")
            .access(Access::Open)
            .sign_in()
            .answers_as(303, None, None)
            .undocumented(),
    ]
}

async fn list(State(app): State<App>) -> Result<Response, ApiError> {
    let found = app.engine.providers().await?;
    let data: Vec<_> = found
        .iter()
        .map(|it| json!({ "name": it.name, "title": it.title, "start": format!("/sso/{}/start", it.name) }))
        .collect();
    Ok(super::json(&json!({ "data": data })))
}

async fn start(
    State(app): State<App>,
    From(origin): From,
    Path(name): Path<String>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let next = query.text("next");
    query.finish()?;
    let next = next.filter(|next| is_own_path(next)).unwrap_or_else(|| "/account".to_owned());
    match app.engine.begin_sso(&name, &next, age_wanted(&next), None).await {
        Ok(begun) => {
            let mut response = see(&begun.address);
            response.headers_mut().append(header::SET_COOKIE, state_cookie(&origin, begun.state.reveal()));
            Ok(response)
        }
        Err(fault) => said(fault),
    }
}

/// A path on this very host: an address of another begins with a scheme or two slashes.
fn is_own_path(path: &str) -> bool {
    let rest = path.strip_prefix('/').filter(|rest| !rest.starts_with(['/', '\\']));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_graphic()) && rest.len() < 2_048)
}

/// How many seconds old the sign-in may be that a client's request wants, where it says so (OpenID Connect
/// Core, section 3.1.2.1).
fn age_wanted(next: &str) -> Option<u32> {
    let request = parameters(next.strip_prefix("/oauth/authorize?")?)?;
    let is_new = request.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "login"));
    if is_new { Some(0) } else { request.get("max_age")?.parse().ok() }
}

async fn callback(
    State(app): State<App>,
    From(origin): From,
    Path(name): Path<String>,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let (state, code, refused) = (query.text("state"), query.text("code"), query.text("error"));
    let held = held_state(&origin, &headers);
    let finished = match (state, code) {
        _ if refused.is_some() => Err(CallbackFault::Provider),
        (Some(state), Some(code)) => {
            let (browser, replaces) = (session::browser(&origin, &headers), session::id_of(&origin, &headers));
            app.engine.finish_sso(&name, held, (&state, &code), &browser, replaces).await
        }
        _ => Err(CallbackFault::State),
    };
    let mut response = match finished {
        Ok(Finished::Entered(entered, next)) => {
            let mut response = see(&next);
            let cookie = session::cookie(origin.is_secure, entered.secret.reveal());
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Ok(Finished::Linked) => see("/account#linked=1"),
        Err(fault) => said(fault)?,
    };
    response.headers_mut().append(header::SET_COOKIE, state_cookie(&origin, ""));
    Ok(response)
}

/// What went wrong is said by our own page, in its own words.
fn said(fault: CallbackFault) -> Result<Response, ApiError> {
    match fault {
        CallbackFault::Port(fault) => Err(fault.into()),
        fault => Ok(see(&format!("/account#sso-fault={}", fault.code()))),
    }
}

fn see(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(address) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn state_name(origin: &Origin) -> &'static str {
    if origin.is_secure { "__Host-tidings_sso" } else { "tidings_sso" }
}

/// `Lax`, since the provider sends the browser back from its own site.
fn state_cookie(origin: &Origin, state: &str) -> HeaderValue {
    let (name, secure) = (state_name(origin), if origin.is_secure { "; Secure" } else { "" });
    let seconds = if state.is_empty() { 0 } else { STATE_SECONDS };
    let cookie = format!("{name}={state}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&cookie).expect("a name, letters of base64 and attributes")
}

fn held_state<'a>(origin: &Origin, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = state_name(origin);
    session::cookies(headers).find(|(known, _)| *known == name).map(|(_, value)| value)
}

async fn link(
    State(app): State<App>,
    Caller(principal): Caller,
    From(origin): From,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    app.engine.account(&principal).await?;
    let begun = app.engine.begin_sso(&name, "/account", None, Some(&principal)).await.map_err(|fault| match fault {
        CallbackFault::Port(fault) => fault.into(),
        CallbackFault::PasswordFirst => ApiError::new(&error::FORBIDDEN).detail(fault.to_string()),
        CallbackFault::Unreachable => ApiError::new(&error::UNAVAILABLE).detail(fault.to_string()).retry_after(60),
        _ => ApiError::no_such("provider"),
    })?;
    let mut response = super::json(&json!({ "address": begun.address }));
    response.headers_mut().append(header::SET_COOKIE, state_cookie(&origin, begun.state.reveal()));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn logins(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    Ok(super::json(&json!({ "data": app.engine.logins(&principal).await? })))
}

async fn unlink(State(app): State<App>, asking: Asking, Path(id): Path<String>) -> Result<Response, ApiError> {
    app.engine.unlink_login(asking.by(), &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn providers(State(app): State<App>) -> Result<Response, ApiError> {
    Ok(super::json(&json!({ "data": app.engine.providers().await? })))
}

async fn put(
    State(app): State<App>,
    asking: Asking,
    Path(name): Path<String>,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let new = read(body)?;
    Ok(super::json(&app.engine.put_provider(asking.by(), &name, new).await?))
}

fn read(body: serde_json::Map<String, serde_json::Value>) -> Result<NewProvider, ApiError> {
    let mut fields = Fields::new(body);
    let kind = match fields.text("kind").as_deref() {
        None | Some("oidc") => ProviderKind::Oidc,
        Some("github") => ProviderKind::Github,
        Some(_) => {
            fields.fault("kind", "invalid_enum", "`kind` must be oidc or github");
            ProviderKind::Oidc
        }
    };
    let (title, client_id) = (fields.needed("title"), fields.needed("client_id"));
    let (issuer, client_secret) = (fields.text("issuer").unwrap_or_default(), fields.secret("client_secret"));
    let tenant = fields.read::<TenantId>("tenant");
    let (role_claim, default_role) = (fields.text("role_claim"), fields.read::<RoleName>("default_role"));
    let api = fields.take("api").map(serde_json::from_value::<Option<ApiTokens>>).transpose();
    let api = api.unwrap_or_else(|cause| {
        let detail = format!("`api` must have an `audience`, and `token_type` at+jwt or jwt: {cause}");
        fields.fault("api", "invalid_field", detail);
        None
    });
    let domains = fields.take("domains").map(serde_json::from_value::<Vec<String>>).transpose();
    let domains = domains.unwrap_or_else(|_| {
        fields.fault("domains", "invalid_field", "`domains` must be a list of hosts");
        None
    });
    let roles = fields.take("roles").map(serde_json::from_value::<BTreeMap<String, RoleName>>).transpose();
    let roles = roles.unwrap_or_else(|cause| {
        fields.fault("roles", "invalid_field", format!("`roles` must give roles by values of the claim: {cause}"));
        None
    });
    fields.finish("a provider")?;
    Ok(NewProvider {
        title,
        kind,
        issuer,
        client_id,
        client_secret,
        tenant: tenant.unwrap_or_else(TenantId::default_tenant),
        domains: domains.unwrap_or_default(),
        role_claim,
        roles: roles.unwrap_or_default(),
        default_role,
        api: api.flatten(),
    })
}

async fn remove(State(app): State<App>, asking: Asking, Path(name): Path<String>) -> Result<Response, ApiError> {
    app.engine.remove_provider(Some(asking.by()), &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_to_paths_of_our_own_only() {
        for (path, is_own) in [
            ("/", true),
            ("/account?x=1#y", true),
            ("/oauth/authorize?redirect_uri=https%3A%2F%2Fa.example", true),
            ("", false),
            ("account", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example/", false),
            ("/a\r\nset-cookie: x", false),
            ("/\u{9}/evil.example", false),
        ] {
            assert_eq!(is_own_path(path), is_own, "{path:?}");
        }
    }
}
