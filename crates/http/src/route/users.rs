//! The people of a tenant: invited, given a role, and taken out again.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_core::id::UserId;
use tidings_core::permission::{Permission, RoleName};
use tidings_engine::{MemberView, NewMember};

use super::Id;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::fields::Fields;
use crate::operation::{JSON, Operation};
use crate::query::Query;
use crate::{App, precondition};

pub(super) fn operations() -> Vec<Operation> {
    let of = Access::Needs(Permission::Users);
    vec![
        Operation::get("/v1/users", "listUsers", list)
            .summary("The people of your tenant, in order of ids")
            .access(of)
            .query("after", "The id of the last one of the page before")
            .query("limit", "1 to 1,000, 50 by default")
            .answers(200, "UserList"),
        Operation::post("/v1/users", "inviteUser", invite)
            .summary("Invites someone; the link goes to their address")
            .access(of)
            .takes(JSON, "NewUser")
            .answers(201, "User")
            .ends_in(&error::CONFLICT),
        Operation::get("/v1/users/{id}", "getUser", get)
            .summary("One person of your tenant")
            .access(of)
            .answers(200, "User"),
        Operation::patch("/v1/users/{id}", "changeUser", change)
            .summary("Gives someone another role, or lets them enter or not; what they have open follows at once")
            .access(of)
            .header("If-Match", "The ETag of the user as it was read")
            .takes(JSON, "UserChange")
            .answers(200, "User")
            .ends_in(&error::CONFLICT),
        Operation::delete("/v1/users/{id}", "removeUser", remove)
            .summary("Takes someone out of your tenant")
            .access(of)
            .answers_as(204, None, None)
            .ends_in(&error::CONFLICT),
    ]
}

async fn list(State(app): State<App>, Caller(principal): Caller, mut query: Query) -> Result<Response, ApiError> {
    let after = query.read::<UserId>("after");
    let limit = query.number("limit", 1..=super::event_list::PAGE_MAX, 50);
    query.finish()?;
    let found = app.engine.members(&principal, after, limit).await?;
    let next = found.last().filter(|_| found.len() == limit).map(|last| last.id);
    Ok(super::json(&json!({ "data": found, "next_cursor": next })))
}

async fn invite(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let (email, role) = (fields.needed("email"), fields.needed("role"));
    let role =
        role.parse::<RoleName>().map_err(|cause| fields.fault("role", "invalid_enum", format!("`role`: {cause}")));
    fields.finish("a new user")?;
    let Ok(role) = role else { return Err(ApiError::new(&error::INTERNAL)) };
    let made = app.engine.invite(asking.by(), NewMember { email, role }).await?;
    Ok(answer(StatusCode::CREATED, &made))
}

async fn get(State(app): State<App>, Caller(principal): Caller, Id(id): Id<UserId>) -> Result<Response, ApiError> {
    Ok(answer(StatusCode::OK, &app.engine.member_view(&principal, id).await?))
}

async fn change(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<UserId>,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let mut fields = Fields::new(body);
    let (role, disabled) = (fields.read::<RoleName>("role"), fields.flag("disabled"));
    fields.finish("a change of a user")?;
    if let Some(expected) = precondition::if_match(&headers)? {
        let now = app.engine.member_view(&asking.principal, id).await?.revision;
        if now != u64::from(expected) {
            return Err(ApiError::new(&error::STALE));
        }
    }
    Ok(answer(StatusCode::OK, &app.engine.change_member(asking.by(), id, role, disabled).await?))
}

async fn remove(State(app): State<App>, asking: Asking, Id(id): Id<UserId>) -> Result<Response, ApiError> {
    app.engine.remove_member(asking.by(), id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn answer(status: StatusCode, user: &MemberView) -> Response {
    let mut response = (status, super::json(user)).into_response();
    if let Ok(revision) = u32::try_from(user.revision) {
        response.headers_mut().insert(header::ETAG, precondition::etag(revision));
    }
    response
}
