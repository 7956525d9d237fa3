//! Service accounts: users without a person, that hold keys.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tidings_core::id::UserId;
use tidings_core::permission::{Permission, RoleName};
use tidings_core::port::ServiceAccountRecord;
use tidings_core::principal::{UserName, UserNameError};
use tidings_engine::NewServiceAccount;

use super::{Id, keys};
use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::fields::Fields;
use crate::operation::{JSON, Operation};

/// Bytes of a description.
const DESCRIPTION_BYTES_MAX: usize = 500;

pub(super) fn operations() -> Vec<Operation> {
    let of = Access::Needs(Permission::Users);
    vec![
        Operation::post("/v1/service-accounts", "createServiceAccount", create)
            .summary("Makes a user without a person; `service_account` in a new key makes keys for it")
            .access(of)
            .takes(JSON, "NewServiceAccount")
            .answers(201, "ServiceAccount")
            .ends_in(&error::CONFLICT)
            .ends_in(&error::QUOTA_REACHED),
        Operation::get("/v1/service-accounts", "listServiceAccounts", list)
            .summary("The service accounts of your tenant, oldest first")
            .access(of)
            .answers(200, "ServiceAccountList"),
        Operation::get("/v1/service-accounts/{id}", "getServiceAccount", get)
            .summary("One service account")
            .access(of)
            .answers(200, "ServiceAccount"),
        Operation::post("/v1/service-accounts/{id}:disable", "disableServiceAccount", disable)
            .summary("Lets its keys open nothing until it is enabled; streams opened with them end")
            .access(of)
            .answers(200, "ServiceAccount"),
        Operation::post("/v1/service-accounts/{id}:enable", "enableServiceAccount", enable)
            .summary("Lets its keys open again what they did")
            .access(of)
            .answers(200, "ServiceAccount"),
        Operation::delete("/v1/service-accounts/{id}", "deleteServiceAccount", delete)
            .summary("Deletes it with its keys and its subscriptions; streams opened with its keys end")
            .access(of)
            .answers_as(204, None, None),
        Operation::post("/v1/service-accounts/{id}/identities", "addIdentity", add_identity)
            .summary("Has a subject of a provider stand for it: its access tokens are taken as a key would be")
            .access(of)
            .takes(JSON, "NewIdentity")
            .answers(201, "Login")
            .ends_in(&error::CONFLICT),
        Operation::get("/v1/service-accounts/{id}/identities", "listIdentities", identities)
            .summary("The subjects of providers that stand for it")
            .access(of)
            .answers(200, "LoginList"),
        Operation::delete("/v1/service-accounts/{id}/identities/{identity}", "removeIdentity", remove_identity)
            .summary("Has a subject stand for it no more; streams opened with its tokens end")
            .access(of)
            .answers_as(204, None, None),
    ]
}

async fn create(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let account = app.engine.create_service_account(asking.by(), read(body)?).await?;
    Ok((StatusCode::CREATED, super::json(&shown(&account))).into_response())
}

async fn list(State(app): State<App>, Caller(principal): Caller) -> Response {
    let data: Vec<Value> = app.engine.service_accounts(&principal).iter().map(|account| shown(account)).collect();
    super::json(&json!({ "data": data }))
}

async fn get(State(app): State<App>, Caller(principal): Caller, Id(id): Id<UserId>) -> Result<Response, ApiError> {
    let account = app.engine.service_account(&principal, id).ok_or_else(|| ApiError::no_such("service account"))?;
    Ok(super::json(&shown(&account)))
}

async fn disable(State(app): State<App>, asking: Asking, Id(id): Id<UserId>) -> Result<Response, ApiError> {
    if id == asking.principal.user {
        let detail = "a service account does not disable itself; use the key of another admin";
        return Err(ApiError::new(&error::FORBIDDEN).detail(detail));
    }
    Ok(super::json(&shown(&app.engine.switch_service_account(asking.by(), id, false).await?)))
}

async fn enable(State(app): State<App>, asking: Asking, Id(id): Id<UserId>) -> Result<Response, ApiError> {
    Ok(super::json(&shown(&app.engine.switch_service_account(asking.by(), id, true).await?)))
}

async fn delete(State(app): State<App>, asking: Asking, Id(id): Id<UserId>) -> Result<Response, ApiError> {
    if id == asking.principal.user {
        let detail = "a service account does not delete itself; use the key of another admin";
        return Err(ApiError::new(&error::FORBIDDEN).detail(detail));
    }
    app.engine.delete_service_account(asking.by(), id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn add_identity(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<UserId>,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    app.engine.service_account(&asking.principal, id).ok_or_else(|| ApiError::no_such("service account"))?;
    let mut fields = Fields::new(body);
    let (provider, subject) = (fields.needed("provider"), fields.needed("subject"));
    fields.finish("an identity")?;
    let made = app.engine.add_identity(asking.by(), id, &provider, &subject).await?;
    Ok((StatusCode::CREATED, super::json(&made)).into_response())
}

async fn identities(
    State(app): State<App>,
    Caller(principal): Caller,
    Id(id): Id<UserId>,
) -> Result<Response, ApiError> {
    Ok(super::json(&json!({ "data": app.engine.identities(&principal, id).await? })))
}

async fn remove_identity(
    State(app): State<App>,
    asking: Asking,
    Path((id, identity)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let id = id.parse().map_err(|_| ApiError::no_such("service account"))?;
    app.engine.remove_identity(asking.by(), id, &identity).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn shown(account: &ServiceAccountRecord) -> Value {
    json!({
        "id": account.id, "name": account.name, "role": account.role, "description": account.description,
        "enabled": account.is_enabled, "tenant": account.tenant, "created": account.created,
        "updated": account.updated,
    })
}

/// Reads a new service account, naming every fault.
fn read(mut body: Map<String, Value>) -> Result<NewServiceAccount, ApiError> {
    let mut faults = Vec::new();
    let mut take = |name: &str| body.remove(name).filter(|value| !value.is_null());
    let name = take("name").and_then(|name| name.as_str()?.parse::<UserName>().ok());
    if name.is_none() {
        faults.push(keys::fault("name", "invalid_field", format!("`name`: {UserNameError}")));
    }
    let role = take("role").and_then(|role| serde_json::from_value::<RoleName>(role).ok());
    if role.is_none() {
        let detail = "`role` must be admin, curator, viewer or a role of your tenant, see /v1/roles";
        faults.push(keys::fault("role", "invalid_enum", detail));
    }
    let is_short = |text: &&str| text.len() <= DESCRIPTION_BYTES_MAX;
    let description = take("description").map(|text| text.as_str().filter(is_short).map(str::to_owned));
    if description == Some(None) {
        let detail = format!("`description` must be a text of at most {DESCRIPTION_BYTES_MAX} bytes");
        faults.push(keys::fault("description", "invalid_field", detail));
    }
    let unknown = |name: &String| keys::fault(name, "unknown_field", "this is not a member of a service account");
    faults.extend(body.keys().map(unknown));
    match (name, role) {
        (Some(name), Some(role)) if faults.is_empty() => {
            Ok(NewServiceAccount { name, role, description: description.flatten() })
        }
        _ => Err(ApiError::invalid(faults)),
    }
}
