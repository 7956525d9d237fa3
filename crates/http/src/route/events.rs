//! One event: itself, its versions, its life, its bytes, and why someone was told.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_core::event::SCHEMA_VERSION;
use tidings_core::id::{EventId, SubscriptionId};
use tidings_core::permission::Permission;
use tidings_engine::EventView;

use super::{Id, json_bytes};
use crate::App;
use crate::auth::{Access, Caller};
use crate::error::{self, ApiError};
use crate::operation::Operation;
use crate::query::Query;

pub(super) fn operations() -> Vec<Operation> {
    let reads = Access::Needs(Permission::EventsRead);
    vec![
        Operation::get("/v1/events/{id}", "getEvent", get)
            .summary("One event with its state as of now")
            .access(reads)
            .query("schema_version", "Answer in this version of the schema")
            .answers(200, "Event")
            .ends_in(&error::NOT_ACCEPTABLE),
        Operation::get("/v1/events/{id}/versions", "listVersions", versions)
            .summary("Every revision of the event's thread, oldest first")
            .access(reads)
            .answers(200, "EventList"),
        Operation::get("/v1/events/{id}/timeline", "getTimeline", timeline)
            .summary("The steps in the life of the event whose time is kept: occurred and sent as its sender says, received, \
                 stored, indexed, further forms, and for you matched and notified")
            .access(reads)
            .answers(200, "Timeline"),
        Operation::get("/v1/events/{id}/raw", "getRaw", raw)
            .summary("The bytes the event was read from, with their media type")
            .access(reads)
            .answers_as(200, Some("*/*"), None),
        Operation::get("/v1/events/{id}/explain", "explainEvent", explain)
            .summary("Why the event was, or was not, told for one of your subscriptions")
            .access(Access::Needs(Permission::Subscriptions))
            .query("subscription", "The subscription, sub_…")
            .answers(200, "Explanation"),
    ]
}

async fn get(
    State(app): State<App>,
    Caller(principal): Caller,
    Id(id): Id<EventId>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let version: Option<u32> = query.read("schema_version");
    query.finish()?;
    if version.is_some_and(|version| version != SCHEMA_VERSION) {
        let detail = format!("this build answers schema version {SCHEMA_VERSION} only");
        return Err(ApiError::new(&error::NOT_ACCEPTABLE).detail(detail));
    }
    let event = app.engine.event(&principal, id).await?.ok_or_else(|| ApiError::no_such("event"))?;
    Ok(json_bytes(event.to_json()))
}

async fn versions(
    State(app): State<App>,
    Caller(principal): Caller,
    Id(id): Id<EventId>,
) -> Result<Response, ApiError> {
    let events = app.engine.versions(&principal, id).await?.ok_or_else(|| ApiError::no_such("event"))?;
    let mut body = b"{\"data\":".to_vec();
    write_list(&events, &mut body);
    body.push(b'}');
    Ok(json_bytes(body))
}

/// A JSON array of events.
pub(super) fn write_list(events: &[EventView], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        event.write_json(out);
    }
    out.push(b']');
}

async fn timeline(
    State(app): State<App>,
    Caller(principal): Caller,
    Id(id): Id<EventId>,
) -> Result<Response, ApiError> {
    let steps = app.engine.timeline(&principal, id).await?.ok_or_else(|| ApiError::no_such("event"))?;
    Ok(super::json(&json!({ "data": steps })))
}

async fn raw(State(app): State<App>, Caller(principal): Caller, Id(id): Id<EventId>) -> Result<Response, ApiError> {
    let form = app.engine.raw(&principal, id).await?.ok_or_else(|| ApiError::no_such("event"))?;
    Ok(stranger_bytes(form.bytes, &form.media_type))
}

/// Bytes that a stranger wrote: shown as they are, never run or guessed at by a browser.
pub(super) fn stranger_bytes(bytes: bytes::Bytes, media_type: &str) -> Response {
    let media = HeaderValue::from_str(media_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (header::CONTENT_TYPE, media),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
    ];
    (headers, bytes).into_response()
}

async fn explain(
    State(app): State<App>,
    Caller(principal): Caller,
    Id(id): Id<EventId>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let subscription: Option<SubscriptionId> = query.read("subscription");
    query.finish()?;
    let missing = || ApiError::parameter("subscription", "missing_field", "name the subscription: ?subscription=sub_…");
    let subscription = subscription.ok_or_else(missing)?;
    let explanation = app.engine.explain(&principal, id, subscription).await?;
    Ok(super::json(&explanation.ok_or_else(|| ApiError::no_such("event or subscription"))?))
}
