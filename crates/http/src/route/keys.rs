//! Keys, made by admins; `tidings key create` asks here while the server runs.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tidings_core::id::KeyId;
use tidings_core::permission::{Permission, Permissions, RoleName};
use tidings_core::port::KeyRecord;
use tidings_core::principal::{Issuers, Principal, UserNameError};
use tidings_core::time::Timestamp;
use tidings_engine::{Fault, NewKey, SecretKey};

use super::Id;
use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::operation::{JSON, Operation};

/// How long a replaced key goes on if nothing is said: a day.
const OVERLAP_SECONDS: i64 = 24 * 60 * 60;
/// How long it may go on at most: 30 days.
const OVERLAP_SECONDS_MAX: i64 = 30 * OVERLAP_SECONDS;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/keys", "createKey", create)
            .summary("Makes an API key; the answer is the only place that shows it")
            .access(Access::Needs(Permission::Users))
            .takes(JSON, "NewKey")
            .answers(201, "Key")
            .ends_in(&error::CONFLICT),
        Operation::get("/v1/keys", "listKeys", list)
            .summary("The keys of your tenant, oldest first; never the keys themselves")
            .access(Access::Needs(Permission::Users))
            .answers(200, "KeyList"),
        Operation::get("/v1/keys/{id}", "getKey", get)
            .summary("One key of your tenant; never the key itself")
            .access(Access::Needs(Permission::Users))
            .answers(200, "KeyShown"),
        Operation::post("/v1/keys/{id}:rotate", "rotateKey", rotate)
            .summary("Makes a key with the same rights and the same user; the old one goes on for `overlap_seconds`, a day if not given")
            .access(Access::Needs(Permission::Users))
            .takes(JSON, "KeyRotation")
            .answers(201, "Key"),
        Operation::delete("/v1/keys/{id}", "revokeKey", revoke)
            .summary("Revokes a key for good; streams opened with it end")
            .access(Access::Needs(Permission::Users))
            .answers_as(204, None, None),
    ]
}

async fn create(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let new = read(body, &asking.principal, &app)?;
    let (record, key) = app.engine.grant_key(asking.by(), new).await?;
    Ok(made(&record, &key))
}

async fn rotate(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<KeyId>,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let overlap_ends = overlap_ends(body, Vec::new(), &app)?;
    let (record, key) = app.engine.rotate_key(asking.by(), id, overlap_ends).await?;
    Ok(made(&record, &key))
}

/// Reads what is left of a rotation: until when the old secret goes on.
pub(super) fn overlap_ends(
    mut body: Map<String, Value>,
    mut faults: Vec<Fault>,
    app: &App,
) -> Result<Timestamp, ApiError> {
    let seconds = body.remove("overlap_seconds").map_or(Some(OVERLAP_SECONDS), |seconds| seconds.as_i64());
    faults.extend(body.keys().map(|name| fault(name, "unknown_field", "this is not a member of a rotation")));
    let seconds = seconds.filter(|seconds| (0..=OVERLAP_SECONDS_MAX).contains(seconds));
    if seconds.is_none() {
        let detail = format!("`overlap_seconds` must be a number from 0 to {OVERLAP_SECONDS_MAX}, 30 days");
        faults.push(fault("overlap_seconds", "invalid_field", detail));
    }
    match seconds {
        Some(seconds) if faults.is_empty() => Ok(app.engine.clock().now().plus_millis(seconds * 1_000)),
        _ => Err(ApiError::invalid(faults)),
    }
}

/// The only answer that shows a key.
fn made(record: &KeyRecord, key: &SecretKey) -> Response {
    let mut body = shown(record, &HashMap::new());
    body["key"] = json!(key.reveal());
    let mut response = (StatusCode::CREATED, super::json(&body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn list(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    let (keys, uses) = (app.engine.keys(&principal), app.engine.last_uses(&principal.tenant).await?);
    let data: Vec<Value> = keys.iter().map(|key| shown(key, &uses)).collect();
    Ok(super::json(&json!({ "data": data })))
}

async fn get(State(app): State<App>, Caller(principal): Caller, Id(id): Id<KeyId>) -> Result<Response, ApiError> {
    let keys = app.engine.keys(&principal);
    let key = keys.iter().find(|key| key.id == id).ok_or_else(|| ApiError::no_such("key"))?;
    Ok(super::json(&shown(key, &app.engine.last_uses(&principal.tenant).await?)))
}

/// A key as it may be shown at any time.
fn shown(key: &KeyRecord, uses: &HashMap<String, Timestamp>) -> Value {
    json!({
        "id": key.id, "name": key.name, "role": key.role, "scopes": key.scopes, "tenant": key.tenant, "user": key.user,
        "user_name": key.user_name, "service_account": key.is_of_service.then_some(key.user), "issuers": key.issuers,
        "created": key.created, "expires": key.expires, "last_used": uses.get(&key.id.to_string()),
    })
}

async fn revoke(State(app): State<App>, asking: Asking, Id(id): Id<KeyId>) -> Result<Response, ApiError> {
    if Some(id) == asking.principal.credential.key() {
        let detail = "a key does not revoke itself, so that one that may make keys is left; use another Admin key";
        return Err(ApiError::new(&error::FORBIDDEN).detail(detail));
    }
    app.engine.revoke_key(asking.by(), id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Reads a new key, naming every fault.
fn read(mut body: Map<String, Value>, principal: &Principal, app: &App) -> Result<NewKey, ApiError> {
    let mut faults = Vec::new();
    let mut take = |name: &str| body.remove(name).filter(|value| !value.is_null());
    let account = take("service_account").map(|id| {
        let id = id.as_str().and_then(|id| id.parse().ok());
        id.and_then(|id| app.engine.service_account(principal, id))
    });
    if account == Some(None) {
        let detail = "`service_account` must be the id of one of your tenant, see /v1/service-accounts";
        faults.push(fault("service_account", "unknown_service_account", detail));
    }
    let account = account.flatten();
    let role = take("role").map(|role| serde_json::from_value::<RoleName>(role).ok());
    let own_role = || account.as_ref().map(|account| account.role.clone());
    let role = role.unwrap_or_else(own_role);
    if account.as_ref().is_some_and(|account| Some(&account.role) != role.as_ref()) {
        let detail = "a key of a service account acts as the account does; leave `role` out, and say `scopes` for less";
        faults.push(fault("role", "invalid_enum", detail));
    } else if role.is_none() {
        let detail = "`role` must be admin, curator, viewer or a role of your tenant, see /v1/roles";
        faults.push(fault("role", "invalid_enum", detail));
    }
    let tenant = take("tenant").map_or_else(|| Some(principal.tenant.clone()), |name| name.as_str()?.parse().ok());
    if tenant.is_none() {
        faults.push(fault(
            "tenant",
            "invalid_field",
            "`tenant` must have 1 to 63 lower-case letters, digits or hyphens",
        ));
    }
    let user_name = take("user").map(|name| name.as_str().and_then(|name| name.parse().ok()));
    if user_name == Some(None) {
        faults.push(fault("user", "invalid_field", format!("`user`: {UserNameError}")));
    }
    if user_name.is_some() && account.is_some() {
        faults.push(fault("user", "invalid_field", "the user of this key is its service account; leave `user` out"));
    }
    let of_account = account.as_ref().and_then(|account| account.name.parse().ok());
    let name = take("name").map(|name| name.as_str().filter(|name| (1..=100).contains(&name.len())).map(str::to_owned));
    if name == Some(None) {
        faults.push(fault("name", "invalid_field", "`name` must be a text of 1 to 100 bytes"));
    }
    let scopes = take("scopes").map(serde_json::from_value::<Permissions>).transpose();
    let scopes = scopes.unwrap_or_else(|cause| {
        faults.push(fault("scopes", "invalid_field", format!("`scopes` must be a list of scopes: {cause}")));
        None
    });
    let issuers = take("issuers").map(issuers_of);
    if issuers == Some(None) {
        faults.push(fault("issuers", "invalid_field", "`issuers` must be a list of names, [\"*\"] for all"));
    }
    let expires = take("expires").map(|time| time.as_str().and_then(|time| Timestamp::parse(time).ok()));
    if expires == Some(None) {
        faults.push(fault("expires", "invalid_time", "`expires` must be a time like 2027-01-31T00:00:00Z"));
    }
    for name in body.keys() {
        faults.push(fault(name, "unknown_field", "this is not a member of a new key"));
    }
    match (role, tenant) {
        (Some(role), Some(tenant)) if faults.is_empty() => Ok(NewKey {
            tenant,
            user_name: user_name.flatten().or(of_account),
            service_account: account.map(|account| account.id),
            name: name.flatten(),
            role,
            scopes,
            issuers: issuers.flatten(),
            expires: expires.flatten(),
        }),
        _ => Err(ApiError::invalid(faults)),
    }
}

/// A list of issuers as it is written: `["*"]` for all.
pub(super) fn issuers_of(list: Value) -> Option<Issuers> {
    let names: Vec<String> = serde_json::from_value(list).ok()?;
    Some(if names.iter().any(|name| name == "*") { Issuers::All } else { Issuers::Only(names) })
}

pub(super) fn fault(name: &str, code: &'static str, detail: impl Into<String>) -> Fault {
    Fault { pointer: format!("/{name}"), code, detail: detail.into() }
}
