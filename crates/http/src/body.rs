//! Bodies: whole, within limits, without their content coding.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use serde_json::Value;
use tidings_engine::Fault;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::App;
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::limits;

/// Bytes that one permit of the budget stands for.
pub(crate) const BUDGET_UNIT: usize = 4 << 10;
/// Every so many bytes a body may take a second more.
const BYTES_PER_SECOND_MIN: u64 = 64 << 10;
/// Compressed bodies above this are inflated off the event loop.
const INFLATE_HERE_MAX: usize = 64 << 10;

/// A body as its sender meant it, and its part of the budget.
#[derive(Debug)]
pub(crate) struct Received {
    /// After content decoding.
    pub(crate) bytes: Bytes,
    _share: Share,
}

/// Part of the bytes that all bodies in work may have together.
#[derive(Debug)]
struct Share {
    held: Option<OwnedSemaphorePermit>,
    /// Of the request, whose limits the bytes count against.
    context: Option<Arc<Context>>,
}

impl Share {
    fn grow(&mut self, app: &App, bytes: usize) -> Result<(), ApiError> {
        if let Some(context) = &self.context {
            limits::spend_bytes(app, context, bytes);
        }
        let units = u32::try_from(bytes.div_ceil(BUDGET_UNIT)).unwrap_or(u32::MAX);
        let overloaded = |_| ApiError::new(&error::OVERLOADED).retry_after(1);
        let more = app.body_budget.clone().try_acquire_many_owned(units).map_err(overloaded)?;
        match &mut self.held {
            Some(share) => share.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}

impl FromRequest<App> for Received {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let limit = app.engine.limits().envelope_bytes;
        let (parts, body) = request.into_parts();
        let is_compressed = is_compressed(&parts.headers)?;
        let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > limit as u64) {
            return Err(too_large(limit));
        }
        let mut share = Share { held: None, context: parts.extensions.get::<Arc<Context>>().cloned() };
        let bytes = collect(body, app, limit, &mut share).await?;
        if !is_compressed {
            return Ok(Self { bytes, _share: share });
        }
        let inflated = if bytes.len() <= INFLATE_HERE_MAX {
            inflate(&bytes, limit)?
        } else {
            let inflating = tokio::task::spawn_blocking(move || inflate(&bytes, limit));
            inflating.await.map_err(|_| ApiError::new(&error::INTERNAL))??
        };
        share.grow(app, inflated.len())?;
        Ok(Self { bytes: inflated, _share: share })
    }
}

fn is_compressed(headers: &HeaderMap) -> Result<bool, ApiError> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).into_iter().map(|coding| coding.as_bytes());
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"identity") => Ok(false),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") => {
            Ok(true)
        }
        _ => Err(ApiError::new(&error::UNSUPPORTED_MEDIA_TYPE)
            .detail("this content coding is not known; send the body as it is, or with `Content-Encoding: gzip`")
            .header(header::ACCEPT_ENCODING, "gzip")),
    }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(&error::TOO_LARGE)
        .detail(format!("a body has at most {} MiB after decompression; send it in parts", limit >> 20))
        .header(header::CONNECTION, "close")
}

/// Reads a body to its end, at most `limit` bytes of it, and not for longer than it deserves.
async fn collect(mut body: axum::body::Body, app: &App, limit: usize, share: &mut Share) -> Result<Bytes, ApiError> {
    let started = Instant::now();
    let mut first: Option<Bytes> = None;
    let mut joined = BytesMut::new();
    let mut length = 0;
    loop {
        let earned = Duration::from_secs(length as u64 / BYTES_PER_SECOND_MIN);
        let deadline = started + app.options.body_timeout + earned;
        let Ok(frame) = tokio::time::timeout_at(deadline, body.frame()).await else {
            return Err(ApiError::new(&error::REQUEST_TIMEOUT).header(header::CONNECTION, "close"));
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| ApiError::new(&error::INVALID_CODING).header(header::CONNECTION, "close"))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > limit {
            return Err(too_large(limit));
        }
        share.grow(app, data.len())?;
        // Most bodies are one frame, which needs no copy.
        match first.take() {
            None if joined.is_empty() => first = Some(data),
            None => joined.extend_from_slice(&data),
            Some(before) => {
                joined.extend_from_slice(&before);
                joined.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| joined.freeze()))
}

/// What a gzip body holds; stops at `limit`, so a bomb costs no more than an honest body.
fn inflate(bytes: &[u8], limit: usize) -> Result<Bytes, ApiError> {
    let mut inflated = Vec::with_capacity((bytes.len() * 4).min(limit));
    let read = MultiGzDecoder::new(bytes).take(limit as u64 + 1).read_to_end(&mut inflated);
    if inflated.len() > limit {
        return Err(too_large(limit));
    }
    read.map_err(|fault| {
        ApiError::new(&error::INVALID_CODING).detail(format!("the body is not gzip, or not all of it: {fault}"))
    })?;
    Ok(inflated.into())
}

/// A JSON object as a body; an absent body is an empty object.
#[derive(Debug)]
pub(crate) struct JsonObject(pub(crate) serde_json::Map<String, Value>);

impl FromRequest<App> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let declared = request.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
        let media = declared.unwrap_or("application/json").split(';').next().unwrap_or_default().trim();
        let is_json = media.eq_ignore_ascii_case("application/json") || media.to_ascii_lowercase().ends_with("+json");
        if !is_json {
            return Err(ApiError::new(&error::UNSUPPORTED_MEDIA_TYPE)
                .detail(format!("`{media}` is not JSON; send application/json"))
                .header(header::ACCEPT, "application/json, application/merge-patch+json"));
        }
        let received = Received::from_request(request, app).await?;
        if received.bytes.is_empty() {
            return Ok(Self(serde_json::Map::new()));
        }
        let fault = |code: &'static str, detail: String| {
            ApiError::invalid(vec![Fault { pointer: String::new(), code, detail }])
        };
        match serde_json::from_slice(&received.bytes) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(fault("invalid_field", "the body must be a JSON object".to_owned())),
            Err(error) => Err(fault("invalid_json", format!("the body is not JSON: {error}"))),
        }
    }
}
