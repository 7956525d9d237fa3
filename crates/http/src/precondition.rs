//! ETags and `If-Match` (RFC 9110): a change says which revision it was made from.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::error::{self, ApiError};

/// The ETag of a revision.
pub(crate) fn etag(revision: u32) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{revision}\"")).expect("a quoted number is a header value")
}

/// The revision that `If-Match` names; `*` holds for any. One that was never ours is stale.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u32>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let revision = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|text| text.parse().ok());
    let stale = || ApiError::new(&error::STALE).detail("`If-Match` must be the ETag of the last answer, like \"3\"");
    revision.map(Some).ok_or_else(stale)
}

/// The revision that a change of something shared was made from, which it must name.
pub(crate) fn required(headers: &HeaderMap) -> Result<u32, ApiError> {
    if_match(headers)?.ok_or_else(|| ApiError::new(&error::PRECONDITION_REQUIRED))
}
