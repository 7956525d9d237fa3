//! Keys, made by admins; `tidings key create` asks here while the server runs.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tidings_core::id::{KeyId, TenantId};
use tidings_core::port::KeyRecord;
use tidings_core::principal::{Issuers, Permission, Principal, Role, UserNameError};
use tidings_engine::{Fault, NewKey};

use super::Id;
use crate::App;
use crate::auth::{Access, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::operation::{JSON, Operation};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/keys", "createKey", create)
            .summary("Makes an API key; the answer is the only place that shows it")
            .access(Access::Needs(Permission::Keys))
            .takes(JSON, "NewKey")
            .answers(201, "Key"),
        Operation::get("/v1/keys", "listKeys", list)
            .summary("The keys of your tenant, oldest first; never the keys themselves")
            .access(Access::Needs(Permission::Keys))
            .answers(200, "KeyList"),
        Operation::delete("/v1/keys/{id}", "revokeKey", revoke)
            .summary("Revokes a key for good; streams opened with it end")
            .access(Access::Needs(Permission::Keys))
            .answers_as(204, None, None),
    ]
}

async fn create(
    State(app): State<App>,
    Caller(principal): Caller,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let new = read(body, &principal)?;
    // The operator's keys live in the tenant that a server starts with; they alone reach others.
    if new.tenant != principal.tenant && principal.tenant != TenantId::default_tenant() {
        return Err(ApiError::new(&error::FORBIDDEN).detail("a key of this tenant makes keys of this tenant only"));
    }
    let (record, key) = app.engine.create_key(new).await?;
    let mut body = shown(&record);
    body["key"] = json!(key.reveal());
    let mut response = (StatusCode::CREATED, super::json(&body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn list(State(app): State<App>, Caller(principal): Caller) -> Response {
    let keys = app.engine.keys(&principal);
    let data: Vec<Value> = keys.iter().map(|key| shown(key)).collect();
    super::json(&json!({ "data": data }))
}

/// A key as it may be shown at any time.
fn shown(key: &KeyRecord) -> Value {
    json!({
        "id": key.id, "role": key.role, "tenant": key.tenant, "user": key.user, "user_name": key.user_name,
        "issuers": key.issuers, "created": key.created,
    })
}

async fn revoke(State(app): State<App>, Caller(principal): Caller, Id(id): Id<KeyId>) -> Result<Response, ApiError> {
    if id == principal.key {
        let detail = "a key does not revoke itself, so that one that may make keys is left; use another Admin key";
        return Err(ApiError::new(&error::FORBIDDEN).detail(detail));
    }
    app.engine.revoke_key(&principal, id).await?.ok_or_else(|| ApiError::no_such("key"))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read(mut body: Map<String, Value>, principal: &Principal) -> Result<NewKey, ApiError> {
    let mut faults = Vec::new();
    let mut fault = |name: &str, detail: &str| {
        let code = if name == "role" { "invalid_enum" } else { "invalid_field" };
        faults.push(Fault { pointer: format!("/{name}"), code, detail: detail.to_owned() });
    };
    let role: Option<Role> = body.remove("role").and_then(|role| serde_json::from_value(role).ok());
    if role.is_none() {
        fault("role", "`role` must be admin, curator or viewer");
    }
    let tenant = match body.remove("tenant") {
        None | Some(Value::Null) => Some(principal.tenant.clone()),
        Some(name) => name.as_str().and_then(|name| name.parse().ok()),
    };
    if tenant.is_none() {
        fault("tenant", "`tenant` must have 1 to 63 lower-case letters, digits or hyphens");
    }
    let user_name = match body.remove("user") {
        None | Some(Value::Null) => None,
        Some(name) => {
            let name = name.as_str().and_then(|name| name.parse().ok());
            if name.is_none() {
                fault("user", &format!("`user`: {UserNameError}"));
            }
            name
        }
    };
    let issuers = body.remove("issuers").filter(|issuers| !issuers.is_null()).map(|issuers| {
        let names: Vec<String> = serde_json::from_value(issuers).ok()?;
        Some(if names.iter().any(|name| name == "*") { Issuers::All } else { Issuers::Only(names) })
    });
    if issuers == Some(None) {
        fault("issuers", "`issuers` must be a list of names, [\"*\"] for all");
    }
    for name in body.keys() {
        fault(name, "this is not a member of a new key");
    }
    match (role, tenant) {
        (Some(role), Some(tenant)) if faults.is_empty() => {
            Ok(NewKey { tenant, user_name, role, issuers: issuers.flatten() })
        }
        _ => Err(ApiError::invalid(faults)),
    }
}
