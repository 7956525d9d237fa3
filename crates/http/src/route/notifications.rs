//! A user's inbox.

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_core::permission::Permission;
use tidings_core::position::Position;
use tidings_core::time::Timestamp;
use tidings_engine::Fault;

use super::event_list::{PAGE, PAGE_MAX};
use crate::App;
use crate::auth::{Access, Caller};
use crate::body::JsonObject;
use crate::error::ApiError;
use crate::operation::{JSON, Operation};
use crate::pages::Question;
use crate::query::Query;

pub(super) fn operations() -> Vec<Operation> {
    let own = Access::Needs(Permission::Subscriptions);
    vec![
        Operation::get("/v1/notifications", "listNotifications", list)
            .summary("Your inbox, newest first")
            .access(own)
            .query("limit", "1 to 1,000 items; default 50")
            .query("cursor", "`next_cursor` of the page before")
            .answers(200, "NotificationPage"),
        Operation::post("/v1/notifications:ack", "acknowledgeNotifications", acknowledge)
            .summary("Moves your read mark to a notice's cursor; it never moves back")
            .access(own)
            .takes(JSON, "Acknowledgment")
            .answers_as(204, None, None),
    ]
}

async fn list(
    State(app): State<App>,
    Caller(principal): Caller,
    uri: Uri,
    mut query: Query,
) -> Result<Response, ApiError> {
    let limit = query.number("limit", 1..=PAGE_MAX, PAGE);
    let cursor = query.text("cursor");
    query.finish()?;
    let question = Question::of(&["notifications", principal.tenant.as_str(), &principal.user.to_string()]);
    let before = cursor.map(|cursor| app.pages.check(question, &cursor)).transpose()?.map(|(_, at)| at.offset);
    // One more than asked for tells whether there is a next page.
    let mut notices = app.engine.notifications(&principal, before, limit + 1).await?;
    let has_more = notices.len() > limit;
    notices.truncate(limit);
    let last = notices.last().filter(|_| has_more);
    let next = last.map(|last| app.pages.sign(question, (Timestamp::default(), Position::start(0).plus(last.number))));
    let mut body = b"{\"data\":[".to_vec();
    for (index, notice) in notices.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        notice.write_json(&mut body);
    }
    body.extend_from_slice(format!("],\"next_cursor\":{}}}", json!(next)).as_bytes());
    let mut response = super::json_bytes(body);
    if let Some(next) = next {
        super::link_next(&mut response, &uri, &next);
    }
    Ok(response)
}

async fn acknowledge(
    State(app): State<App>,
    Caller(principal): Caller,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let Some(cursor) = body.get("cursor").and_then(|cursor| cursor.as_str()) else {
        return Err(ApiError::invalid(vec![Fault {
            pointer: "/cursor".to_owned(),
            code: "missing_field",
            detail: "`cursor` must be the cursor of a notice".to_owned(),
        }]));
    };
    app.engine.acknowledge(&principal, cursor).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
