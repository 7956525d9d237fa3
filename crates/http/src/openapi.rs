//! The OpenAPI 3.1 document, made of the operations that the router is made of.

use serde_json::{Map, Value, json};

use crate::auth::Access;
use crate::error::{self, PROBLEM_JSON};
use crate::operation::{Answer, Operation};
use crate::route;

/// Bodies by name. Hand-written, because the model's crate knows no OpenAPI; a test holds answers
/// of a running server against them.
const SCHEMAS: &str = include_str!("openapi/schemas.json");

/// The document.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in route::operations().iter().filter(|operation| operation.is_documented) {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.to_ascii_lowercase()] = describe(operation);
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).expect("a test reads the embedded file");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidings",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Events of the world in, notices to those who asked out. Times are RFC 3339 in UTC, ids are a prefix and 26 letters, every fault is a problem (RFC 9457) with a stable `code`. Places: © OpenStreetMap contributors.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "An API key, tk_…" },
                "signature": { "type": "apiKey", "in": "header", "name": "webhook-signature", "description": "A signature over the body, in this header field or the one that the webhook says" },
                "session": { "type": "apiKey", "in": "cookie", "name": crate::session::COOKIE_NAME, "description": "The built-in page's session" },
            },
        },
    })
}

fn tags() -> Vec<Value> {
    let mut names: Vec<&str> = Vec::new();
    for operation in route::operations() {
        let name = tag(operation.path);
        if operation.is_documented && !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

/// The resource that a path belongs to.
pub(crate) fn tag(path: &'static str) -> &'static str {
    let rest = path.strip_prefix("/v1/").unwrap_or("operations");
    rest.split(['/', ':']).next().unwrap_or(rest)
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [tag(operation.path)],
        "parameters": parameters(operation),
        "responses": responses(operation),
        "security": security(operation.access),
    });
    if let Some(scope) = scope(operation.access) {
        described["x-scope"] = json!(scope);
    }
    if !operation.takes.is_empty() {
        let content: Map<String, Value> =
            operation.takes.iter().map(|(media, schema)| ((*media).to_owned(), content_of(Some(schema)))).collect();
        described["requestBody"] = json!({ "content": content });
    }
    described
}

/// The scope that a key needs.
pub(crate) fn scope(access: Access) -> Option<&'static str> {
    match access {
        Access::Needs(permission) | Access::Later(permission) | Access::Loopback(permission) => {
            Some(permission.as_str())
        }
        Access::Open | Access::Signed | Access::Key => None,
    }
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::Signed => json!([{ "signature": [] }]),
        // Nothing, from the machine itself.
        Access::Loopback(_) | Access::Later(_) => json!([{}, { "key": [] }, { "session": [] }]),
        Access::Key | Access::Needs(_) => json!([{ "key": [] }, { "session": [] }]),
    }
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = operation
        .path
        .split(['{', '}'])
        .skip(1)
        .step_by(2)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let others = operation.parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name, "in": parameter.place, "description": parameter.detail,
            "required": false, "schema": { "type": "string" },
        })
    });
    in_path.chain(others).collect()
}

fn responses(operation: &Operation) -> Map<String, Value> {
    let mut responses: Map<String, Value> = Map::new();
    for Answer { status, media, schema } in &operation.answers {
        let response = responses
            .entry(status.to_string())
            .or_insert_with(|| json!({ "description": meaning(*status), "headers": headers() }));
        if let Some(media) = media {
            response["content"][*media] = content_of(*schema);
        }
    }
    for problem in faults(operation) {
        let response = json!({
            "description": problem.title,
            "headers": headers(),
            "content": { PROBLEM_JSON: { "schema": reference("Problem"), "example": example(problem, operation) } },
        });
        responses.entry(problem.status.to_string()).or_insert(response);
    }
    responses
}

/// The faults that an operation can end in, besides those of any HTTP server.
fn faults(operation: &Operation) -> Vec<&'static error::Problem> {
    let mut faults = vec![&error::INTERNAL, &error::UNAVAILABLE];
    match operation.access {
        Access::Open => {}
        Access::Signed => faults.push(&error::FORBIDDEN),
        _ => faults.extend([&error::UNAUTHENTICATED, &error::FORBIDDEN]),
    }
    if operation.path.contains('{') {
        faults.push(&error::NOT_FOUND);
    }
    if operation.parameters.iter().any(|parameter| parameter.place == "query") {
        faults.push(&error::BAD_PARAMETER);
    }
    if operation.parameters.iter().any(|parameter| parameter.name == "If-Match") {
        faults.push(&error::STALE);
    }
    if !operation.takes.is_empty() {
        faults.extend([&error::INVALID, &error::TOO_LARGE, &error::UNSUPPORTED_MEDIA_TYPE, &error::REQUEST_TIMEOUT]);
        faults.push(&error::INVALID_CODING);
    }
    if operation.answers.iter().filter(|answer| answer.status == 200).count() > 1 {
        faults.push(&error::NOT_ACCEPTABLE);
    }
    faults.extend(&operation.faults);
    faults.push(&error::RATE_LIMITED);
    faults
}

fn example(problem: &error::Problem, operation: &Operation) -> Value {
    json!({
        "type": format!("/docs/api#problem-{}", problem.code), "title": problem.title, "status": problem.status,
        "detail": problem.advice, "instance": operation.path, "code": problem.code,
        "request_id": "req-1", "correlation_id": "req-1", "retryable": matches!(problem.status, 408 | 429 | 503),
    })
}

fn headers() -> Value {
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "X-Request-Id": text("Names the request in logs and faults"),
        "RateLimit-Policy": text("The limits that the request was held against: quota (q) in seconds (w)"),
        "RateLimit": text("What is left of each (r), and in how many seconds all of it is back (t)"),
    })
}

fn meaning(status: u16) -> &'static str {
    match status {
        101 => "The socket is open",
        201 => "Made",
        202 => "Taken in: every accepted event is durable",
        204 => "Done",
        422 => "Every event was rejected",
        _ => "Here it is",
    }
}

fn content_of(schema: Option<&str>) -> Value {
    match schema {
        Some(name) => json!({ "schema": reference(name) }),
        None => json!({}),
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reference_leads_somewhere_and_every_id_is_unique() {
        let document = document();
        let text = document.to_string();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().expect("a reference ends");
            assert!(document["components"]["schemas"].get(name).is_some(), "no schema {name}");
        }
        let operations = route::operations();
        let ids: HashSet<&str> = operations.iter().map(|operation| operation.id).collect();
        assert_eq!(ids.len(), operations.len());
        assert!(operations.iter().all(|operation| !operation.summary.is_empty() && !operation.answers.is_empty()));
    }

    #[test]
    fn every_operation_is_documented() {
        let document = document();
        for operation in route::operations().iter().filter(|operation| operation.is_documented) {
            let found = &document["paths"][operation.path][operation.method.to_ascii_lowercase()];
            assert_eq!(found["operationId"], operation.id);
        }
    }
}
