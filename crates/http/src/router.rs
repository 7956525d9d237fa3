//! From operations to a service.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::routing::MethodRouter;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;

use crate::App;
use crate::error::{self, ApiError};
use crate::{context, route};

/// Everything that is served.
pub fn router(app: App) -> Router {
    let mut paths: BTreeMap<String, MethodRouter<App>> = BTreeMap::new();
    for operation in route::operations() {
        let path = rewritten(operation.path);
        let methods = paths.remove(&path).unwrap_or_default();
        paths.insert(path, methods.merge(operation.into_handler(app.clone())));
    }
    let mut routes = Router::new();
    for (path, methods) in paths {
        routes = routes.route(&path, methods);
    }
    let routes = routes
        .method_not_allowed_fallback(|| async { ApiError::new(&error::METHOD_NOT_ALLOWED) })
        .fallback(|request: Request| async move {
            ApiError::new(&error::NOT_FOUND).detail(format!("there is nothing at {}", request.uri().path()))
        })
        .with_state(app.clone());
    Router::new()
        .fallback(move |request: Request| routes.clone().oneshot(with_verb_as_segment(request)))
        .layer(CompressionLayer::new())
        .layer(axum::middleware::from_fn_with_state(app, context::around))
}

/// Actions are written `…/{id}:verb`; inside, the verb is a segment of its own, because a segment
/// that is a parameter cannot have an ending.
fn rewritten(path: &str) -> String {
    match path.rsplit_once(':') {
        Some((noun, verb)) => format!("{noun}/!{verb}"),
        None => path.to_owned(),
    }
}

fn with_verb_as_segment(mut request: Request) -> Request {
    let path = request.uri().path();
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.contains("/!") {
        // Nobody may use the inner spelling.
        *request.uri_mut() = Uri::from_static("/!");
        return request;
    }
    if !path.starts_with("/v1/") || !last.contains(':') {
        return request;
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(uri) = format!("{}{query}", rewritten(path)).parse() {
        *request.uri_mut() = uri;
    }
    request
}
