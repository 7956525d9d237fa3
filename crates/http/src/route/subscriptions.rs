//! A user's own subscriptions.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tidings_core::filter::Compiled;
use tidings_core::id::SubscriptionId;
use tidings_core::permission::Permission;
use tidings_core::subscription::Subscription;
use tidings_core::time::Timestamp;
use tidings_engine::{Asker, Fault, SubscriptionDraft, SubscriptionPatch};

use super::Id;
use crate::App;
use crate::auth::{Access, Asking, Caller};
use crate::body::JsonObject;
use crate::error::{self, ApiError};
use crate::operation::{JSON, Operation};
use crate::precondition;
use crate::query::Query;

pub(super) fn operations() -> Vec<Operation> {
    let own = Access::Needs(Permission::Subscriptions);
    let if_match = "Only where this is its present ETag";
    vec![
        Operation::get("/v1/subscriptions", "listSubscriptions", list)
            .summary("Your subscriptions, oldest first")
            .access(own)
            .answers(200, "SubscriptionList"),
        Operation::post("/v1/subscriptions", "createSubscription", create)
            .summary("Makes a subscription; every event accepted after the answer is judged by it")
            .access(own)
            .takes(JSON, "NewSubscription")
            .answers(201, "Subscription")
            .ends_in(&error::QUOTA_REACHED),
        Operation::get("/v1/subscriptions/{id}", "getSubscription", get)
            .summary("One of your subscriptions")
            .access(own)
            .answers(200, "Subscription"),
        Operation::patch("/v1/subscriptions/{id}", "changeSubscription", change)
            .summary("Changes a subscription by a JSON merge patch (RFC 7396)")
            .access(own)
            .header("If-Match", if_match)
            .takes("application/merge-patch+json", "NewSubscription")
            .takes(JSON, "NewSubscription")
            .answers(200, "Subscription"),
        Operation::delete("/v1/subscriptions/{id}", "deleteSubscription", delete)
            .summary("Deletes a subscription; what was told stays in the inbox")
            .access(own)
            .header("If-Match", if_match)
            .answers_as(204, None, None),
        Operation::post("/v1/subscriptions/{id}:pause", "pauseSubscription", pause)
            .summary("Tells nothing new until a time, or until it is resumed; ends of what was told pass")
            .access(own)
            .takes(JSON, "Pause")
            .answers(200, "Subscription"),
        Operation::post("/v1/subscriptions/{id}:resume", "resumeSubscription", resume)
            .summary("Ends a pause")
            .access(own)
            .answers(200, "Subscription"),
    ]
}

/// The contract's object; what the server keeps for itself is left out.
fn view(subscription: &Subscription) -> Value {
    let mut view = json!(subscription);
    let members = view.as_object_mut().expect("a subscription is an object");
    for internal in ["tenant", "reads", "sees_restricted", "sees_devices", "sees_only", "role"] {
        members.remove(internal);
    }
    let is_broad = Compiled::new(&subscription.filter).is_ok_and(|compiled| compiled.is_broad());
    members.insert("filter_text".to_owned(), json!(subscription.filter.to_string()));
    members.insert("broad".to_owned(), json!(is_broad));
    members.insert("paused_until".to_owned(), json!(subscription.paused_until));
    view
}

fn answer(status: StatusCode, subscription: &Subscription) -> Response {
    let mut response = (status, super::json(&view(subscription))).into_response();
    let headers = response.headers_mut();
    headers.insert(header::ETAG, precondition::etag(subscription.revision));
    if status == StatusCode::CREATED {
        let location = format!("/v1/subscriptions/{}", subscription.id);
        headers.extend(HeaderValue::from_str(&location).ok().map(|location| (header::LOCATION, location)));
    }
    response
}

async fn list(State(app): State<App>, Caller(principal): Caller, query: Query) -> Result<Response, ApiError> {
    query.finish()?;
    let views: Vec<Value> = app.engine.subscriptions(&principal).iter().map(view).collect();
    Ok(super::json(&json!({ "data": views, "next_cursor": null })))
}

async fn create(State(app): State<App>, asking: Asking, JsonObject(body): JsonObject) -> Result<Response, ApiError> {
    let subscription = app.engine.create_subscription(asking.by(), SubscriptionDraft(body)).await?;
    Ok(answer(StatusCode::CREATED, &subscription))
}

async fn get(
    State(app): State<App>,
    Caller(principal): Caller,
    Id(id): Id<SubscriptionId>,
) -> Result<Response, ApiError> {
    let subscription = app.engine.subscription(&principal, id).ok_or_else(|| ApiError::no_such("subscription"))?;
    Ok(answer(StatusCode::OK, &subscription))
}

async fn change(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<SubscriptionId>,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    patch(&app, asking.by(), id, precondition::if_match(&headers)?, body).await
}

async fn patch(
    app: &App,
    asker: Asker<'_>,
    id: SubscriptionId,
    if_revision: Option<u32>,
    body: serde_json::Map<String, Value>,
) -> Result<Response, ApiError> {
    let changed = app.engine.change_subscription(asker, id, SubscriptionPatch(body), if_revision).await?;
    Ok(answer(StatusCode::OK, &changed))
}

async fn delete(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<SubscriptionId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    app.engine.delete_subscription(asking.by(), id, precondition::if_match(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn pause(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<SubscriptionId>,
    headers: HeaderMap,
    JsonObject(mut body): JsonObject,
) -> Result<Response, ApiError> {
    let until = body.remove("until").unwrap_or_else(|| json!(Timestamp::MAX));
    if let Some(name) = body.keys().next() {
        let detail = format!("`{name}` is not a member of a pause; give `until` or nothing");
        return Err(ApiError::invalid(vec![Fault { pointer: format!("/{name}"), code: "unknown_field", detail }]));
    }
    let body = serde_json::Map::from_iter([("paused_until".to_owned(), until)]);
    patch(&app, asking.by(), id, precondition::if_match(&headers)?, body).await
}

async fn resume(
    State(app): State<App>,
    asking: Asking,
    Id(id): Id<SubscriptionId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let body = serde_json::Map::from_iter([("paused_until".to_owned(), Value::Null)]);
    patch(&app, asking.by(), id, precondition::if_match(&headers)?, body).await
}
