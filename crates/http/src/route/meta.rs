//! What this server is, what it allows, and who is asking.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tidings_core::decode::MEDIA_TYPES;
use tidings_core::event::SCHEMA_VERSION;
use tidings_core::vocabulary::Category;

use crate::App;
use crate::auth::{Access, Caller};
use crate::error::ApiError;
use crate::operation::Operation;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/meta", "getMeta", meta)
            .summary("The version, the formats that are read and every limit")
            .access(Access::Key)
            .answers(200, "Meta"),
        Operation::get("/v1/me", "getMe", me)
            .summary("Who is asking, and what they may do")
            .access(Access::Key)
            .answers(200, "Me"),
    ]
}

async fn meta(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    let limits = app.engine.limits();
    let own = app.engine.rates(&principal.tenant).map(|(_, rates)| rates);
    let rates: Vec<Value> = app
        .limits
        .all_of(own.as_ref())
        .map(|(name, rate)| json!({ "name": name, "quota": rate.quota(), "window_seconds": rate.seconds() }))
        .collect();
    let categories: Vec<&str> = Category::ALL.iter().map(|category| category.as_str()).collect();
    Ok(super::json(&json!({
        "name": "tidings",
        "version": env!("CARGO_PKG_VERSION"),
        "schema_version": SCHEMA_VERSION,
        "now": app.engine.clock().now(),
        "categories": categories,
        "media_types": MEDIA_TYPES,
        "limits": {
            "body_bytes": limits.envelope_bytes,
            "items": limits.items,
            "depth": limits.depth,
            "vertices": limits.vertices,
            "filter_bytes": 256 << 10,
            "filter_depth": 16,
            "filter_conjunctions": 64,
            "filter_terms": 100,
            "filter_vertices": 10_000,
            "page_items": super::event_list::PAGE_MAX,
            "streams_per_user": app.streams.limit(),
            "subscriptions_per_user": 10_000,
            "socket_message_bytes": 256 << 10,
        },
        "rate_limits": rates,
    })))
}

async fn me(State(app): State<App>, Caller(principal): Caller) -> Result<Response, ApiError> {
    Ok(super::json(&json!({
        "tenant": principal.tenant,
        "reads": principal.reads,
        "user": principal.user,
        "key": principal.credential.key(),
        "service_account": app.engine.service_account(&principal, principal.user).map(|account| account.id),
        "role": principal.role,
        "scopes": principal.permissions,
        "sees": principal.sees_only.as_ref().map(|bound| bound.filter().to_json()),
        "publishes": principal.authority.says_only.as_ref().map(|bound| bound.filter().to_json()),
        "speaks_as": principal.authority.namespace,
        "issuers": principal.authority.issuers,
    })))
}
