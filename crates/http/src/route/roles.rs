//! Roles: those that every tenant has, and those that it makes for itself.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_core::permission::{Permission, RoleName};
use tidings_engine::{RoleDraft, RoleView};

use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::operation::{JSON, Operation};
use crate::precondition;

pub(super) fn operations() -> Vec<Operation> {
    let of = Access::Needs(Permission::Users);
    vec![
        Operation::get("/v1/roles", "listRoles", list)
            .summary("The roles of your tenant: those that every tenant has, then its own by name")
            .access(of)
            .answers(200, "RoleList"),
        Operation::get("/v1/roles/{name}", "getRole", get).summary("One role").access(of).answers(200, "Role"),
        Operation::put("/v1/roles/{name}", "putRole", put)
            .summary("Makes a role of your tenant, or changes it; what hangs on it follows at once")
            .access(of)
            .header("If-Match", "The ETag of the role as it was read; must be there to change one")
            .takes(JSON, "NewRole")
            .answers(200, "Role")
            .answers(201, "Role")
            .ends_in(&error::PRECONDITION_REQUIRED)
            .ends_in(&error::QUOTA_REACHED),
        Operation::delete("/v1/roles/{name}", "deleteRole", delete)
            .summary("Deletes a role of your tenant that no key acts as")
            .access(of)
            .header("If-Match", "The ETag of the role as it was read; must be there")
            .answers_as(204, None, None)
            .ends_in(&error::PRECONDITION_REQUIRED)
            .ends_in(&error::CONFLICT),
    ]
}

async fn list(State(app): State<App>, Caller(principal): Caller) -> Response {
    super::json(&json!({ "data": app.engine.tenant_roles(&principal) }))
}

async fn get(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let role = name.parse().ok().and_then(|name| app.engine.tenant_role(&principal, &name));
    Ok(answer(StatusCode::OK, &role.ok_or_else(|| ApiError::no_such("role"))?))
}

async fn put(
    State(app): State<App>,
    asking: Asking,
    Path(name): Path<String>,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let name: RoleName = name.parse().map_err(|fault| ApiError::no_such("role").detail(format!("{fault}")))?;
    let is_there = app.engine.tenant_role(&asking.principal, &name).is_some_and(|role| !role.built_in);
    let expected = if is_there { Some(precondition::required(&headers)?) } else { precondition::if_match(&headers)? };
    let role = app.engine.put_tenant_role(asking.by(), name, RoleDraft(body), expected).await?;
    Ok(answer(if is_there { StatusCode::OK } else { StatusCode::CREATED }, &role))
}

async fn delete(
    State(app): State<App>,
    asking: Asking,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let name = name.parse().map_err(|_| ApiError::no_such("role"))?;
    app.engine.delete_tenant_role(asking.by(), &name, precondition::required(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn answer(status: StatusCode, role: &RoleView) -> Response {
    let mut response = (status, super::json(role)).into_response();
    if !role.built_in {
        response.headers_mut().insert(header::ETAG, precondition::etag(role.revision));
    }
    response
}
