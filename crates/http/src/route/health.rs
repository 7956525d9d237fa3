//! For those who run the server: is it alive, is it ready, what does it count.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tidings_core::permission::Permission;
use tidings_engine::{Check, Metrics};

use crate::App;
use crate::auth::Access;
use crate::error::{self, ApiError};
use crate::operation::Operation;
use crate::query::Query;

pub(super) fn operations() -> Vec<Operation> {
    let local = Access::Loopback(Permission::SystemRead);
    vec![
        Operation::get("/livez", "getLive", live)
            .summary("Answers while the process runs")
            .access(local)
            .answers(200, "Health"),
        Operation::get("/readyz", "getReady", ready)
            .summary("Whether every part does its work, and how far behind it is")
            .access(local)
            .query("verbose", "Every part, not only those that fail")
            .query("exclude", "Leave out this part")
            .answers(200, "Health"),
        Operation::get("/startupz", "getStarted", live)
            .summary("Answers once the server has started")
            .access(local)
            .answers(200, "Health"),
        Operation::get("/metrics", "getMetrics", metrics)
            .summary("Everything that is counted, in the OpenMetrics text format")
            .access(local)
            .answers_as(200, Some("application/openmetrics-text"), None),
    ]
}

async fn live() -> Response {
    super::json(&json!({ "status": "ok" }))
}

async fn ready(State(app): State<App>, mut query: Query) -> Result<Response, ApiError> {
    let is_verbose = query.flag("verbose", false);
    let exclude = query.text("exclude");
    query.finish()?;
    let mut checks = app.engine.checks().await;
    checks.push(Check {
        name: "serving",
        ok: !app.is_draining(),
        detail: if app.is_draining() { "stopping".to_owned() } else { "taking requests".to_owned() },
    });
    checks.retain(|check| exclude.as_deref() != Some(check.name));
    let is_ready = checks.iter().all(|check| check.ok);
    let shown: Vec<&Check> = checks.iter().filter(|check| is_verbose || !check.ok).collect();
    if is_ready {
        return Ok(super::json(&json!({ "status": "ok", "checks": shown })));
    }
    let problem = if app.is_draining() { &error::DRAINING } else { &error::UNAVAILABLE };
    let failing: Vec<String> =
        checks.iter().filter(|check| !check.ok).map(|check| format!("{}: {}", check.name, check.detail)).collect();
    Err(ApiError::new(problem).detail(failing.join("; ")).member("checks", json!(shown)).retry_after(1))
}

async fn metrics(State(app): State<App>) -> Response {
    app.engine.sample().await;
    let mut text = String::new();
    app.engine.metrics().write_text(&mut text);
    (StatusCode::OK, [(header::CONTENT_TYPE, Metrics::MEDIA_TYPE)], text).into_response()
}
