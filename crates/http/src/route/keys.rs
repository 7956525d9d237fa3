//! Keys, made by admins; `tidings key create` asks here while the server runs.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tidings_core::id::TenantId;
use tidings_core::principal::{Issuers, Permission, Principal, Role};
use tidings_engine::{Fault, NewKey};

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
    let body = json!({
        "id": record.id, "key": key.reveal(), "role": record.role, "tenant": record.tenant, "user": record.user,
        "user_name": record.user_name, "issuers": record.issuers, "created": record.created,
    });
    let mut response = (StatusCode::CREATED, super::json(&body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
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
        Some(Value::String(name)) if (1..=255).contains(&name.len()) => Some(name),
        Some(_) => {
            fault("user", "`user` must be a name of 1 to 255 letters");
            None
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
