//! The built-in page: a few files inside the binary, nothing from elsewhere.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::auth::Access;
use crate::operation::Operation;

/// Nothing but our own files; no inline script or style, no frames around or inside.
pub(super) const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn operations() -> Vec<Operation> {
    let file = |path, id, media, body: &'static str| {
        Operation::get(path, id, move || async move { answer(media, body) })
            .summary("A file of the built-in page")
            .access(Access::Open)
            .answers_as(200, Some(media), None)
            .undocumented()
    };
    vec![
        file("/", "page", "text/html; charset=utf-8", include_str!("../../page/index.html")),
        file("/admin/trust", "trustPage", "text/html; charset=utf-8", include_str!("../../page/trust.html")),
        file("/page/trust.js", "trustScript", "text/javascript; charset=utf-8", include_str!("../../page/trust.js")),
        file("/page/app.js", "pageScript", "text/javascript; charset=utf-8", include_str!("../../page/app.js")),
        file("/account", "accountPage", "text/html; charset=utf-8", include_str!("../../page/account.html")),
        file(
            "/page/account.js",
            "accountScript",
            "text/javascript; charset=utf-8",
            include_str!("../../page/account.js"),
        ),
        file("/page/view.js", "pageView", "text/javascript; charset=utf-8", include_str!("../../page/view.js")),
        file("/page/style.css", "pageStyle", "text/css; charset=utf-8", include_str!("../../page/style.css")),
        file("/oauth/consent", "consentPage", "text/html; charset=utf-8", include_str!("../../page/consent.html")),
        file(
            "/page/consent.js",
            "consentScript",
            "text/javascript; charset=utf-8",
            include_str!("../../page/consent.js"),
        ),
        file("/device", "devicePage", "text/html; charset=utf-8", include_str!("../../page/device.html")),
        file("/page/device.js", "deviceScript", "text/javascript; charset=utf-8", include_str!("../../page/device.js")),
        file("/page/icon.svg", "pageIcon", "image/svg+xml", include_str!("../../page/icon.svg")),
    ]
}

fn answer(media: &'static str, body: &'static str) -> Response {
    let fixed = HeaderValue::from_static;
    let headers = [
        (header::CONTENT_TYPE, fixed(media)),
        (header::CONTENT_SECURITY_POLICY, fixed(PAGE_POLICY)),
        (header::CACHE_CONTROL, fixed("no-cache")),
    ];
    (headers, body).into_response()
}
