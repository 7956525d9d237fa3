//! The API's own documents: OpenAPI, and the same as a page that works offline.

use std::fmt::Write;
use std::sync::OnceLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tidings_core::permission::Permission;

use super::page::PAGE_POLICY;
use crate::auth::Access;
use crate::error::{self, Problem};
use crate::openapi;
use crate::operation::{Answer, Operation};

pub(super) fn operations() -> Vec<Operation> {
    let local = Access::Loopback(Permission::EventsRead);
    vec![
        Operation::get("/openapi.json", "getOpenApi", document)
            .summary("This API as an OpenAPI 3.1 document")
            .access(local)
            .answers(200, "OpenApi"),
        Operation::get("/docs/api", "readApi", page).summary("This API as a page").access(local).answers_as(
            200,
            Some("text/html"),
            None,
        ),
    ]
}

async fn document() -> Response {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| openapi::document().to_string().into()).clone();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], document).into_response()
}

async fn page() -> Response {
    static PAGE: OnceLock<Bytes> = OnceLock::new();
    let page = PAGE.get_or_init(|| write_page().into()).clone();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, page).into_response()
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Tidings API</title>\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><link rel=\"icon\" href=\"/page/icon.svg\">\
<link rel=\"stylesheet\" href=\"/page/style.css\"></head><body class=\"document\"><header><h1>Tidings API</h1>\
<nav><a href=\"/\">Live page</a> <a href=\"/openapi.json\">OpenAPI 3.1</a></nav></header><main>\
<p>Send <code>Authorization: Bearer tk_…</code> with every request; <code>tidings key create</code> makes a key. \
Every fault is a problem (RFC 9457) with a stable <code>code</code>; see <a href=\"#problems\">problems</a>.</p>";

fn write_page() -> String {
    let mut page = HEAD.to_owned();
    let mut resource = "";
    for operation in operations_in_order() {
        let tag = openapi::tag(operation.path);
        if tag != resource {
            resource = tag;
            let _ = write!(page, "<h2 id=\"{tag}\">{tag}</h2>");
        }
        write_operation(&operation, &mut page);
    }
    page.push_str("<h2 id=\"problems\">Problems</h2><dl>");
    for Problem { code, status, title, advice } in error::ALL {
        let _ = write!(
            page,
            "<dt id=\"problem-{code}\"><code>{code}</code> {status} {}</dt><dd>{}.</dd>",
            escape(title),
            escape(advice)
        );
    }
    page.push_str("</dl><p class=\"credit\">Places: © OpenStreetMap contributors.</p></main></body></html>");
    page
}

fn operations_in_order() -> Vec<Operation> {
    let mut operations = super::operations();
    operations.retain(|operation| operation.is_documented);
    operations.sort_by_key(|operation| openapi::tag(operation.path));
    operations
}

fn write_operation(operation: &Operation, page: &mut String) {
    let Operation { method, path, id, summary, .. } = operation;
    let _ = write!(page, "<section id=\"{id}\"><h3><code>{method} {path}</code></h3><p>{}.</p>", escape(summary));
    if let Some(scope) = openapi::scope(operation.access) {
        let _ = write!(page, "<p>Scope <code>{scope}</code></p>");
    }
    if !operation.parameters.is_empty() {
        page.push_str("<dl>");
        for parameter in &operation.parameters {
            let (name, place) = (parameter.name, parameter.place);
            let _ = write!(page, "<dt><code>{name}</code> ({place})</dt><dd>{}</dd>", escape(parameter.detail));
        }
        page.push_str("</dl>");
    }
    for (media, schema) in &operation.takes {
        let _ = write!(page, "<p>Takes <code>{media}</code>: {schema}</p>");
    }
    for Answer { status, media, schema } in &operation.answers {
        let _ = write!(page, "<p>Answers {status} {} {}</p>", media.unwrap_or_default(), schema.unwrap_or_default());
    }
    page.push_str("</section>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
