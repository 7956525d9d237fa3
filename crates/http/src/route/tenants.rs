//! Tenants, which the operator makes, changes, suspends, resumes and deletes.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tidings_core::id::TenantId;
use tidings_core::permission::Permission;
use tidings_engine::{Fault, TenantDraft, TenantView};

use super::Id;
use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::operation::{JSON, Operation};
use crate::precondition;
use crate::query::Query;

/// Letters of the reason for a suspension.
const REASON_MAX: usize = 200;
const IF_MATCH: &str = "The ETag of the tenant as it was read; must be there";

pub(super) fn operations() -> Vec<Operation> {
    let of = Access::Needs(Permission::Tenants);
    vec![
        Operation::get("/v1/tenant", "getOwnTenant", own)
            .summary("Your tenant: how it shows itself, what it may have and what it has used")
            .access(Access::Key)
            .answers(200, "OwnTenant"),
        Operation::get("/v1/tenants", "listTenants", list)
            .summary("Every tenant by id, erased ones with their proof")
            .access(of)
            .answers(200, "TenantList"),
        Operation::post("/v1/tenants", "createTenant", create)
            .summary("Makes a tenant; keys made for it open it")
            .access(of)
            .takes(JSON, "NewTenant")
            .answers(201, "Tenant")
            .ends_in(&error::CONFLICT),
        Operation::get("/v1/tenants/{id}", "getTenant", get).summary("One tenant").access(of).answers(200, "Tenant"),
        Operation::patch("/v1/tenants/{id}", "changeTenant", change)
            .summary("Changes how a tenant shows itself, what it may have and whose events it sees; a JSON merge patch")
            .access(of)
            .header("If-Match", IF_MATCH)
            .takes(JSON, "TenantPatch")
            .answers(200, "Tenant")
            .ends_in(&error::PRECONDITION_REQUIRED)
            .ends_in(&error::CONFLICT),
        Operation::post("/v1/tenants/{id}:suspend", "suspendTenant", suspend)
            .summary("Stops serving a tenant: its keys, sessions and streams end, nothing is taken in or told; its data stays")
            .access(of)
            .takes(JSON, "Suspension")
            .answers(200, "Tenant")
            .ends_in(&error::CONFLICT),
        Operation::post("/v1/tenants/{id}:resume", "resumeTenant", resume)
            .summary("Serves a suspended tenant again")
            .access(of)
            .answers(200, "Tenant")
            .ends_in(&error::CONFLICT),
        Operation::delete("/v1/tenants/{id}", "deleteTenant", delete)
            .summary("Closes a tenant for good and erases everything of it; the tenant shows the proof once that is done")
            .access(of)
            .header("If-Match", IF_MATCH)
            .query("dry_run", "`true` only counts what would be erased")
            .answers(200, "TenantRows")
            .answers(202, "Tenant")
            .ends_in(&error::PRECONDITION_REQUIRED)
            .ends_in(&error::CONFLICT),
    ]
}

async fn list(State(app): State<App>, Caller(_): Caller) -> Response {
    let tenants: Vec<Value> = app.engine.tenants().iter().map(|tenant| shown(&app, tenant)).collect();
    super::json(&json!({ "data": tenants }))
}

async fn own(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    let tenant = app.engine.tenant(&principal.tenant).ok_or_else(|| ApiError::no_such("tenant"))?;
    let mut shown = shown(&app, &tenant);
    if let Some(members) = shown.as_object_mut() {
        // The operator's own affair.
        members.retain(|name, _| !["revision", "updated"].contains(&name.as_str()));
    }
    Ok(super::json(&shown))
}

async fn create(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let made = app.engine.create_tenant(asking.by(), TenantDraft(body)).await?;
    Ok(answer(&app, StatusCode::CREATED, &made))
}

async fn get(State(app): State<App>, Caller(_): Caller, Id(id): Id<TenantId>) -> Result<Response, ApiError> {
    let found = app.engine.tenant(&id).ok_or_else(|| ApiError::no_such("tenant"))?;
    Ok(answer(&app, StatusCode::OK, &found))
}

async fn change(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<TenantId>,
    headers: HeaderMap,
    JsonObject(patch): JsonObject,
) -> Result<Response, ApiError> {
    let expected = precondition::required(&headers)?;
    let changed = app.engine.change_tenant(asking.by(), &id, TenantDraft(patch), expected).await?;
    Ok(answer(&app, StatusCode::OK, &changed))
}

async fn suspend(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<TenantId>,
    JsonObject(mut body): JsonObject,
) -> Result<Response, ApiError> {
    let reason = body.remove("reason").filter(|reason| !reason.is_null());
    let text = reason.as_ref().and_then(Value::as_str).filter(|text| is_reason(text)).map(str::to_owned);
    let mut faults: Vec<Fault> = body.keys().map(|name| fault(name, "this is not a member of a suspension")).collect();
    if reason.is_some() && text.is_none() {
        faults.push(fault("reason", "`reason` must be a text of 1 to 200 letters, as its people are told it"));
    }
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    Ok(answer(&app, StatusCode::OK, &app.engine.suspend_tenant(asking.by(), &id, text).await?))
}

async fn resume(State(app): State<App>, asking: Asking, Id(id): Id<TenantId>) -> Result<Response, ApiError> {
    Ok(answer(&app, StatusCode::OK, &app.engine.resume_tenant(asking.by(), &id).await?))
}

async fn delete(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<TenantId>,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let dry_run = query.flag("dry_run", false);
    query.finish()?;
    if dry_run {
        let found = app.engine.tenant(&id).ok_or_else(|| ApiError::no_such("tenant"))?;
        let rows = app.engine.rows_of_tenant(&id).await?;
        return Ok(super::json(&json!({ "id": found.id, "state": found.state, "rows": rows })));
    }
    let expected = precondition::required(&headers)?;
    Ok(answer(&app, StatusCode::ACCEPTED, &app.engine.delete_tenant(asking.by(), &id, expected).await?))
}

fn is_reason(text: &str) -> bool {
    (1..=REASON_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn fault(name: &str, detail: &str) -> Fault {
    Fault { pointer: format!("/{name}"), code: "invalid_field", detail: detail.to_owned() }
}

/// A tenant with what it uses, of which only this part knows the open streams.
fn shown(app: &App, tenant: &TenantView) -> Value {
    let mut shown = json!(tenant);
    shown["usage"]["streams"] = json!(app.streams.of_tenant(&tenant.id));
    shown
}

fn answer(app: &App, status: StatusCode, tenant: &TenantView) -> Response {
    let mut response = (status, super::json(&shown(app, tenant))).into_response();
    response.headers_mut().insert(header::ETAG, precondition::etag(tenant.revision));
    response
}
