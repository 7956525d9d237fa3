//! The audit log: who changed what, and who was refused.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_core::permission::Permission;

use crate::App;
use crate::auth::{Access, Caller};
use crate::error::ApiError;
use crate::operation::Operation;
use crate::query::Query;

/// Entries on a page if nothing is said.
const PAGE: usize = 100;
/// Entries on a page at most.
const PAGE_MAX: usize = 1_000;
/// The media type of a page with an entry on each line.
const NDJSON: &str = "application/x-ndjson";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/audit", "listAudit", list)
            .summary("Who changed what in your tenant and who was refused, oldest first; each entry holds the hash of the one before it")
            .access(Access::Needs(Permission::AuditRead))
            .query("after", "Only entries with numbers above this; 0 if not given")
            .query("limit", "At most so many, 1 to 1000; 100 if not given")
            .answers(200, "AuditList")
            .answers_as(200, Some(NDJSON), None),
    ]
}

async fn list(
    State(app): State<App>,
    Caller(principal): Caller,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let after = query.number("after", 0..=usize::MAX, 0) as u64;
    let limit = query.number("limit", 1..=PAGE_MAX, PAGE);
    query.finish()?;
    let entries = app.engine.audit(&principal, after, limit).await?;
    let wants_lines = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == NDJSON.as_bytes());
    if wants_lines {
        let mut body = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut body, entry).expect("an entry is plain data and memory takes it");
            body.push(b'\n');
        }
        return Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON))], body).into_response());
    }
    let end = app.engine.audit_end(&principal).await?;
    let next = entries.last().map(|entry| entry.number).filter(|last| *last < end.number);
    Ok(super::json(&json!({ "data": entries, "next_after": next, "end": end })))
}
